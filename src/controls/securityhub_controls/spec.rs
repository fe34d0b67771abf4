//! What the YAML says of controls.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Controls of Security Hub CSPM in each region. What is not declared is left as it is.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ControlsSpec {
    /// What is to be of controls: by control id, `IAM.6`, by wildcard, `EC2.*`, or by severity, `LOW`. An id beats a
    /// wildcard, a longer wildcard a shorter one, and every wildcard a severity.
    #[serde(deserialize_with = "controls")]
    pub controls: BTreeMap<String, Choice>,
}

/// What the controls are to be.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schemars(inline)]
pub struct Choice {
    /// The controls check, in every standard that is on and holds them. `false` needs a reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Why they are off. Security Hub keeps it beside the control.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-fixed" = "goes with `enabled: false`, which is nothing without it"))]
    pub reason: Option<String>,
    /// Parameters of one control by AWS's names, `daysToExpiration`: a value, or `default` for AWS's own.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, Setting>,
}

/// The value of a parameter. Which kind a parameter takes is AWS's to say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "a parameter is a word, a number, true or false, or a list of words or numbers"
)]
#[schemars(inline, extend("x-mutate" = [45, 60]))]
pub enum Setting {
    Flag(bool),
    Whole(i32),
    Number(f64),
    Word(String),
    Wholes(Vec<i32>),
    Words(Vec<String>),
}

/// Gives a parameter back to AWS.
pub const DEFAULT: &str = "default";

impl Setting {
    pub fn is_default(&self) -> bool {
        matches!(self, Self::Word(word) if word == DEFAULT)
    }

    /// As fields say it.
    pub fn value(&self) -> Value {
        match self {
            Self::Flag(on) => (*on).into(),
            Self::Whole(number) => (*number).into(),
            Self::Number(number) => (*number).into(),
            Self::Word(word) => word.as_str().into(),
            Self::Wholes(numbers) => numbers.as_slice().into(),
            Self::Words(words) => words.as_slice().into(),
        }
    }
}

/// A key of the map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Selector<'a> {
    /// `LOW`.
    Severity(&'a str),
    /// `EC2.*`, without the star.
    Prefix(&'a str),
    /// `EC2.8`.
    Id(&'a str),
}

/// As AWS spells them.
pub const SEVERITIES: [&str; 4] = ["LOW", "MEDIUM", "HIGH", "CRITICAL"];

impl<'a> Selector<'a> {
    /// `None` for a key that is none of the three.
    pub fn of(key: &'a str) -> Option<Self> {
        let plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '-');
        if SEVERITIES.contains(&key) {
            return Some(Self::Severity(key));
        }
        if let Some(prefix) = key.strip_suffix('*') {
            return plain(prefix).then_some(Self::Prefix(prefix));
        }
        let (service, number) = key.split_once('.')?;
        let numbered = !number.is_empty() && number.chars().all(|c| c.is_ascii_digit());
        (!service.is_empty() && plain(service) && numbered).then_some(Self::Id(key))
    }

    pub fn selects(self, id: &str, severity: &str) -> bool {
        match self {
            Self::Severity(word) => word == severity,
            Self::Prefix(prefix) => id.starts_with(prefix),
            Self::Id(one) => one == id,
        }
    }
}

impl fmt::Display for Selector<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Severity(word) | Self::Id(word) => f.write_str(word),
            Self::Prefix(prefix) => write!(f, "{prefix}*"),
        }
    }
}

impl ControlsSpec {
    /// What decides over a control: the most special key that says whether it is on.
    pub fn choice(&self, id: &str, severity: &str) -> Option<(&str, &Choice)> {
        let said = self.controls.iter().filter(|(_, choice)| choice.enabled.is_some());
        let fitting = said.filter_map(|(key, choice)| Some((Selector::of(key)?, key, choice)));
        // Prefixes of one id differ in length alone, so the longest is the greatest.
        let decides = fitting.filter(|(selector, ..)| selector.selects(id, severity)).max_by_key(|one| one.0);
        decides.map(|(_, key, choice)| (key.as_str(), choice))
    }
}

fn controls<'de, D: serde::Deserializer<'de>>(from: D) -> Result<BTreeMap<String, Choice>, D::Error> {
    use serde::de::Error as _;
    let controls = BTreeMap::<String, Choice>::deserialize(from)?;
    for (key, choice) in &controls {
        let wrong = |why: fmt::Arguments<'_>| Err(D::Error::custom(why));
        let Some(selector) = Selector::of(key) else {
            return wrong(format_args!(
                "`{key}` is no control id (`IAM.6`), wildcard (`EC2.*`) or severity (`LOW`)"
            ));
        };
        let reason = choice.reason.as_deref().map(str::trim);
        if choice.enabled == Some(false) && reason.is_none_or(str::is_empty) {
            return wrong(format_args!("`{key}` is off without a `reason`: say why nobody needs it"));
        }
        if !choice.parameters.is_empty() && !matches!(selector, Selector::Id(_)) {
            return wrong(format_args!("`{key}` has parameters: declare them by control id"));
        }
    }
    Ok(controls)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(spec: Value) -> Result<ControlsSpec, String> {
        serde_json::from_value(json!({ "controls": spec })).map_err(|error| error.to_string())
    }

    #[test]
    fn a_control_is_off_only_with_a_reason() {
        for spec in [
            json!({"IAM.6": {"enabled": false}}),
            json!({"IAM.6": {"enabled": false, "reason": "  "}}),
            json!({"LOW": {"enabled": false}}),
        ] {
            assert!(read(spec).is_err_and(|why| why.contains("without a `reason`")));
        }
        assert!(read(json!({"IAM.6": {"enabled": false, "reason": "no root credentials"}})).is_ok());
        assert!(read(json!({"IAM.6": {"enabled": true}})).is_ok());
    }

    #[test]
    fn a_key_is_an_id_a_wildcard_or_a_severity() {
        for key in ["IAM.6", "EC2.*", "EC2.1*", "*", "LOW", "CRITICAL", "Opensearch.11"] {
            assert!(read(json!({ key: {"enabled": true} })).is_ok(), "{key}");
        }
        for key in ["IAM", "low", "IAM.", ".6", "EC2.*.1", "EC2 *", "arn:aws:x", "IAM.x"] {
            let why = read(json!({ key: {"enabled": true} })).expect_err(key);
            assert!(why.contains("is no control id"), "{why}");
        }
        let wild = read(json!({"ACM.*": {"parameters": {"daysToExpiration": 45}}}));
        assert!(wild.is_err_and(|why| why.contains("by control id")));
    }

    #[test]
    fn the_most_special_key_decides() {
        let spec = read(json!({
            "HIGH": {"enabled": false, "reason": "severity"},
            "*": {"enabled": false, "reason": "all"},
            "EC2.*": {"enabled": false, "reason": "service"},
            "EC2.1*": {"enabled": true},
            "EC2.18": {"parameters": {"authorizedTcpPorts": [443]}},
            "EC2.8": {"enabled": true},
        }))
        .unwrap();
        let key = |id: &str| spec.choice(id, "HIGH").map(|(key, _)| key);
        assert_eq!(key("EC2.8"), Some("EC2.8"));
        assert_eq!(key("EC2.18"), Some("EC2.1*"), "its own entry does not say");
        assert_eq!(key("EC2.2"), Some("EC2.*"));
        assert_eq!(key("S3.1"), Some("*"), "a wildcard beats a severity");
        let severity = read(json!({"LOW": {"enabled": true}})).unwrap();
        assert_eq!(severity.choice("S3.1", "HIGH"), None);
    }

    #[test]
    fn a_parameter_is_of_any_kind_that_aws_has() {
        let spec = read(json!({"X.1": {"parameters": {
            "a": 45, "b": 0.5, "c": true, "d": "word", "e": [80, 443], "f": ["x"], "g": "default",
        }}}))
        .unwrap();
        let parameters = &spec.controls["X.1"].parameters;
        assert_eq!(parameters["a"], Setting::Whole(45));
        assert_eq!(parameters["b"], Setting::Number(0.5));
        assert_eq!(parameters["e"], Setting::Wholes(vec![80, 443]));
        assert!(parameters["g"].is_default());
        assert!(read(json!({"X.1": {"parameters": {"a": {"deep": 1}}}})).is_err());
    }
}
