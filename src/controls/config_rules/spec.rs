//! What the YAML says of rules of AWS Config.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::control::Bounded;

/// Rules of AWS Config in each region, by name. What is not declared is left as it is, and so are rules that are not
/// named here.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RulesSpec {
    /// Rules by the names that they have in AWS.
    #[serde(deserialize_with = "of_one_source")]
    #[schemars(with = "BTreeMap<String, RuleSpec>")]
    pub rules: BTreeMap<String, Option<RuleSpec>>,
}

/// One rule. One of `managed`, `lambda` and `guard` says what it evaluates.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schemars(inline)]
pub struct RuleSpec {
    /// A rule of AWS, by its identifier: `ENCRYPTED_VOLUMES`.
    #[schemars(extend("x-fixed" = "another source is another rule; tried in a test of its own"))]
    pub managed: Option<String>,
    /// A function of this account and region by its name, or any by its ARN. It must let config.amazonaws.com call it.
    #[schemars(extend("x-fixed" = "another source is another rule; tried in a test of its own"))]
    pub lambda: Option<String>,
    /// A policy in the language of Guard 2: the text itself.
    #[schemars(extend("x-mutate" = [
        "rule versioned { configuration.versioned == true }\n", "rule named { configuration.name exists }\n"
    ]))]
    pub guard: Option<String>,
    /// What people read about the rule.
    #[schemars(extend("x-mutate" = ["Volumes are encrypted", "They are encrypted"]))]
    pub description: Option<String>,
    /// Parameters by AWS's names. Numbers are texts to AWS, and may be written as either.
    #[serde(deserialize_with = "texts")]
    #[schemars(with = "BTreeMap<String, Parameter>")]
    pub parameters: BTreeMap<String, Option<String>>,
    /// Whose changes set the rule off.
    pub scope: ScopeSpec,
    /// How often it is evaluated, in AWS's words, where it is not (only) set off by changes.
    pub frequency: Option<Frequency>,
    /// What sets a custom rule off, in AWS's words; changes, where nothing is said, and time, where `frequency` is.
    #[schemars(extend("x-mutate" = [
        ["ConfigurationItemChangeNotification"], ["ConfigurationItemChangeNotification", "OversizedConfigurationItemChangeNotification"]
    ]))]
    pub triggers: Option<BTreeSet<Trigger>>,
    /// A Guard rule writes what it does to CloudWatch Logs.
    pub debug_logs: Option<bool>,
    /// What Systems Manager does about resources that do not comply.
    pub remediation: RemediationSpec,
}

/// A text, or what YAML takes for something else.
#[derive(JsonSchema)]
#[schemars(inline, extend("type" = ["string", "number", "boolean"], "x-mutate" = ["90", "60"]))]
pub struct Parameter;

/// Types, one resource of one type, or a tag: AWS takes one of the three.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schemars(inline)]
pub struct ScopeSpec {
    /// Types of resources, by AWS's names. An empty list is all of them.
    #[schemars(extend("x-mutate" = [["AWS::EC2::Volume"], ["AWS::EC2::Instance", "AWS::EC2::Volume"]]))]
    pub types: Option<BTreeSet<String>>,
    /// The id of one resource; or `none`.
    #[schemars(extend("x-mutate" = ["none", "vol-0123456789abcdef0"]))]
    pub resource: Option<String>,
    /// Resources with this tag; or `none`.
    #[schemars(extend("x-mutate" = ["stage", "tier"]))]
    pub tag_key: Option<String>,
    /// Resources whose tag has this value; or `none`.
    #[schemars(extend("x-mutate" = ["prod", "test"]))]
    pub tag_value: Option<String>,
}

/// A document of Systems Manager Automation, run on resources that do not comply.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schemars(inline)]
pub struct RemediationSpec {
    /// The document, by its name: `AWS-DisablePublicAccessForSecurityGroup`.
    #[schemars(extend("x-mutate" = ["AWS-EncryptVolume", "AWS-DetachEBSVolume"]))]
    pub document: Option<String>,
    /// A version of the document; or `none`, which is its default version.
    #[schemars(extend("x-mutate" = ["1", "2"]))]
    pub version: Option<String>,
    /// It is run without anybody's doing.
    pub automatic: Option<bool>,
    /// How often it may fail on one resource, within `retrySeconds`, before AWS leaves that resource alone.
    pub attempts: Option<Attempts>,
    /// The time in which `attempts` are counted.
    pub retry_seconds: Option<Seconds>,
    /// The role of this account that it runs with, by its name (the parameter `AutomationAssumeRole`). Running by
    /// itself needs one.
    #[schemars(extend("x-mutate" = ["config-remediation", "config-remediation-too"]))]
    pub role: Option<String>,
    /// Parameters of the document: a text, a list of texts, or `RESOURCE_ID` for the resource at hand.
    #[schemars(with = "BTreeMap<String, Values>")]
    #[serde(deserialize_with = "values", serialize_with = "value_or_list")]
    #[schemars(extend("x-fixed" = "tried in a test of its own"))]
    pub parameters: BTreeMap<String, Option<Vec<String>>>,
    /// The share of resources that it works on at once.
    pub concurrency_percent: Option<Percent>,
    /// The share of failures at which it stops.
    pub error_percent: Option<Percent>,
}

/// A text or a list of texts.
#[derive(JsonSchema)]
#[schemars(inline, extend("type" = ["string", "array"]))]
pub struct Values;

/// `AutoRemediationAttempts` in the model.
pub type Attempts = Bounded<1, 25>;
/// `AutoRemediationAttemptSeconds` in the model.
pub type Seconds = Bounded<1, 2_678_000>;
pub type Percent = Bounded<1, 100>;

/// AWS has nothing set.
pub const NONE: &str = "none";

/// `MaximumExecutionFrequency`. The order is from often to seldom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub enum Frequency {
    #[serde(rename = "One_Hour")]
    OneHour,
    #[serde(rename = "Three_Hours")]
    ThreeHours,
    #[serde(rename = "Six_Hours")]
    SixHours,
    #[serde(rename = "Twelve_Hours")]
    TwelveHours,
    #[serde(rename = "TwentyFour_Hours")]
    TwentyFourHours,
}

impl Frequency {
    const ALL: [Self; 5] =
        [Self::OneHour, Self::ThreeHours, Self::SixHours, Self::TwelveHours, Self::TwentyFourHours];

    pub fn word(self) -> &'static str {
        match self {
            Self::OneHour => "One_Hour",
            Self::ThreeHours => "Three_Hours",
            Self::SixHours => "Six_Hours",
            Self::TwelveHours => "Twelve_Hours",
            Self::TwentyFourHours => "TwentyFour_Hours",
        }
    }

    /// `None` for a word that this build does not know.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.word() == word)
    }
}

/// `MessageType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub enum Trigger {
    ConfigurationItemChangeNotification,
    OversizedConfigurationItemChangeNotification,
    ConfigurationSnapshotDeliveryCompleted,
    ScheduledNotification,
}

impl Trigger {
    pub const CHANGES: [Self; 2] =
        [Self::ConfigurationItemChangeNotification, Self::OversizedConfigurationItemChangeNotification];
    const ALL: [Self; 4] = [
        Self::ConfigurationItemChangeNotification,
        Self::OversizedConfigurationItemChangeNotification,
        Self::ConfigurationSnapshotDeliveryCompleted,
        Self::ScheduledNotification,
    ];

    pub fn word(self) -> &'static str {
        match self {
            Self::ConfigurationItemChangeNotification => "ConfigurationItemChangeNotification",
            Self::OversizedConfigurationItemChangeNotification => {
                "OversizedConfigurationItemChangeNotification"
            }
            Self::ConfigurationSnapshotDeliveryCompleted => "ConfigurationSnapshotDeliveryCompleted",
            Self::ScheduledNotification => "ScheduledNotification",
        }
    }

    /// `None` for a word that this build does not know.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.word() == word)
    }
}

/// What a rule evaluates, as it is declared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Source {
    Managed(String),
    /// A name or an ARN.
    Lambda(String),
    Guard(String),
}

impl RulesSpec {
    /// The declared rules: `null` takes an inherited one out.
    pub fn declared(&self) -> impl Iterator<Item = (&str, &RuleSpec)> {
        self.rules.iter().filter_map(|(name, rule)| rule.as_ref().map(|rule| (name.as_str(), rule)))
    }
}

impl RuleSpec {
    /// `None` where none is said.
    pub fn source(&self) -> Option<Source> {
        match (&self.managed, &self.lambda, &self.guard) {
            (Some(id), None, None) => Some(Source::Managed(id.clone())),
            (None, Some(function), None) => Some(Source::Lambda(function.clone())),
            (None, None, Some(text)) => Some(Source::Guard(text.clone())),
            _ => None,
        }
    }

    fn sources(&self) -> usize {
        usize::from(self.managed.is_some())
            + usize::from(self.lambda.is_some())
            + usize::from(self.guard.is_some())
    }

    /// The declared parameters.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, &str)> {
        self.parameters.iter().filter_map(|(name, value)| Some((name.as_str(), value.as_deref()?)))
    }
}

impl RemediationSpec {
    pub fn is_declared(&self) -> bool {
        *self != Self::default()
    }

    /// The declared parameters.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.parameters.iter().filter_map(|(name, values)| Some((name.as_str(), values.as_deref()?)))
    }
}

fn of_one_source<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<String, Option<RuleSpec>>, D::Error> {
    /// Decoded by itself, so that what is wrong with it is said at its own place.
    struct OfOne(RuleSpec);
    impl<'de> Deserialize<'de> for OfOne {
        fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
            let rule = RuleSpec::deserialize(from)?;
            if rule.sources() > 1 {
                let why = "more than one of `managed`, `lambda` and `guard`: a rule has one source";
                return Err(serde::de::Error::custom(why));
            }
            Ok(Self(rule))
        }
    }
    let rules = BTreeMap::<String, Option<OfOne>>::deserialize(from)?;
    Ok(rules.into_iter().map(|(name, rule)| (name, rule.map(|OfOne(rule)| rule))).collect())
}

/// A scalar as AWS wants it: a text.
fn text(value: Value) -> Result<Option<String>, String> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text)),
        Value::Bool(_) | Value::Number(_) => Ok(Some(value.to_string())),
        other => Err(format!("{other} is not a text: AWS Config takes texts only")),
    }
}

fn texts<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<String, Option<String>>, D::Error> {
    let values = BTreeMap::<String, Value>::deserialize(from)?;
    let read = |(name, value)| text(value).map(|text| (name, text)).map_err(serde::de::Error::custom);
    values.into_iter().map(read).collect()
}

type Lists = BTreeMap<String, Option<Vec<String>>>;

fn values<'de, D: Deserializer<'de>>(from: D) -> Result<Lists, D::Error> {
    let values = BTreeMap::<String, Value>::deserialize(from)?;
    let list = |value: Value| match value {
        Value::Array(items) => {
            let all: Result<Option<Vec<String>>, String> = items.into_iter().map(text).collect();
            all
        }
        one => text(one).map(|text| text.map(|text| vec![text])),
    };
    let read = |(name, value)| list(value).map(|list| (name, list)).map_err(serde::de::Error::custom);
    values.into_iter().map(read).collect()
}

/// As people write it: one text is no list.
pub fn written(values: &[String]) -> Value {
    match values {
        [one] => one.as_str().into(),
        all => all.into(),
    }
}

fn value_or_list<S: serde::Serializer>(all: &Lists, to: S) -> Result<S::Ok, S::Error> {
    let written = all.iter().map(|(name, values)| (name, values.as_deref().map(written)));
    to.collect_map(written)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(spec: Value) -> Result<RulesSpec, String> {
        serde_json::from_value(spec).map_err(|error| error.to_string())
    }

    #[test]
    fn numbers_are_texts_to_aws_and_lists_are_not() {
        let rule =
            |parameters: Value| read(json!({"rules": {"x": {"managed": "X", "parameters": parameters}}}));
        let spec = rule(json!({"maxAge": 90, "on": true, "key": "alias/x", "gone": null})).unwrap();
        let (_, rule_spec) = spec.declared().next().unwrap();
        let all: Vec<_> = rule_spec.parameters().collect();
        assert_eq!(all, [("key", "alias/x"), ("maxAge", "90"), ("on", "true")]);
        assert!(rule(json!({"maxAge": [90]})).is_err_and(|error| error.contains("texts only")));
    }

    #[test]
    fn a_rule_has_one_source() {
        let two = json!({"rules": {"x": {"managed": "X", "lambda": "f"}}});
        assert!(read(two).is_err_and(|error| error.contains("a rule has one source")));
        assert!(read(json!({"rules": {"x": {"managed": null, "guard": "rule a {}"}, "y": null}})).is_ok());
    }

    #[test]
    fn remediation_parameters_are_texts_or_lists() {
        let parameters = json!({"VolumeId": "RESOURCE_ID", "Ports": [22, "3389"]});
        let spec = json!({"rules": {"x": {"remediation": {"document": "D", "parameters": parameters}}}});
        let spec = read(spec).unwrap();
        let (_, rule) = spec.declared().next().unwrap();
        let all: Vec<_> =
            rule.remediation.parameters().map(|(name, values)| (name, written(values))).collect();
        assert_eq!(all, [("Ports", json!(["22", "3389"])), ("VolumeId", json!("RESOURCE_ID"))]);
        let again = serde_json::to_value(&spec).unwrap();
        assert_eq!(read(again).unwrap(), spec);
    }

    #[test]
    fn bounds_are_the_models() {
        let with = |remediation: Value| read(json!({"rules": {"x": {"remediation": remediation}}}));
        assert!(with(json!({"attempts": 26})).is_err_and(|error| error.contains("between 1 and 25")));
        assert!(with(json!({"retrySeconds": 2_678_001})).is_err_and(|error| error.contains("2678000")));
        assert!(
            with(json!({"concurrencyPercent": 0})).is_err_and(|error| error.contains("between 1 and 100"))
        );
        assert!(read(json!({"rules": {"x": {"frequency": "daily"}}})).is_err_and(|e| e.contains("One_Hour")));
    }
}
