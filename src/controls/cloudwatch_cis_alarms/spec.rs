//! What the YAML says of the alarms.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::watch::{self, Role, WATCHES};
use crate::control::Bounded;

/// The alarms that CIS asks for, on what a trail writes to a log group. What is not declared is left as it is.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct AlarmsSpec {
    /// The log group that the trail writes to, by name: `cloudWatchLogs.group` of `cloudtrail.trail`.
    /// `baseline/trail-events` where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-fixed" = "another group is another thing, with filters of its own"))]
    pub log_group: Option<String>,
    /// The SNS topic of this account and region that every alarm tells, by name. Other actions of an alarm stay.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-fixed" = "an alarm keeps the topics that it had"))]
    pub topic: Option<String>,
    /// The namespace of metrics that have to be made; `LogMetrics` where nothing is said, as Security Hub writes it
    /// down. A filter that exists keeps its metric.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-fixed" = "a filter keeps its metric"))]
    pub namespace: Option<String>,
    /// `true`: people who sign in through an identity provider, which asks for MFA itself, do not count as signing
    /// in without MFA. This is the pattern that Security Hub looks for (CloudWatch.3).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub single_sign_on: Option<bool>,
    /// `true`: refused calls that AWS's own services make all the time do not count as unauthorised. Security Hub
    /// looks for the pattern of `false` (CloudWatch.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quiet: Option<bool>,
    /// A role, by name, whose changes are not counted: the one that baseline applies with. `none` counts
    /// everybody's, which is what Security Hub looks for (CloudWatch.4, .5, .7 to .14).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-mutate" = ["none", "baseline-apply"]))]
    pub except_role: Option<ExceptRole>,
    /// Alarms by what they watch. One that is not named is left alone.
    #[serde(deserialize_with = "alarms")]
    #[schemars(extend("propertyNames" = {"enum": words()}))]
    pub alarms: BTreeMap<String, AlarmSpec>,
}

/// One alarm, and the metric filter that it stands on. Both are made where they are missing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schemars(inline)]
pub struct AlarmSpec {
    /// The alarm rings. `false` turns its actions off where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// How many events in one period are too many; 1 for an alarm that has to be made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold: Option<Bounded<1, 100_000>>,
    /// Seconds in which events are counted together: 60, 300, 900, 1800 or 3600; 300 for an alarm that has to be
    /// made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period_seconds: Option<Period>,
    /// How many periods in a row must have too many; 1 for an alarm that has to be made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evaluation_periods: Option<Bounded<1, 24>>,
}

impl AlarmsSpec {
    pub fn group(&self) -> &str {
        self.log_group.as_deref().unwrap_or("baseline/trail-events")
    }

    pub fn role(&self) -> Option<&Role> {
        self.except_role.as_ref().map(|ExceptRole(role)| role)
    }
}

fn words() -> Vec<&'static str> {
    WATCHES.iter().map(|watch| watch.word).collect()
}

/// The periods that can be declared. CloudWatch takes more, and up to a day of them in a row (API reference,
/// PutMetricAlarm): 24 of the longest of these.
const PERIODS: [u32; 5] = [60, 300, 900, 1800, 3600];

/// One of [`PERIODS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Period(u32);

impl Period {
    pub fn new(seconds: u32) -> Option<Self> {
        PERIODS.contains(&seconds).then_some(Self(seconds))
    }

    pub fn get(self) -> u32 {
        self.0
    }
}

impl TryFrom<u32> for Period {
    type Error = String;

    fn try_from(seconds: u32) -> Result<Self, String> {
        Self::new(seconds).ok_or_else(|| {
            let all = PERIODS.map(|seconds| seconds.to_string()).join(", ");
            format!("{seconds} must be one of {all}")
        })
    }
}

impl From<Period> for u32 {
    fn from(period: Period) -> Self {
        period.0
    }
}

impl JsonSchema for Period {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Period".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"enum": PERIODS})
    }
}

const NONE: &str = "none";

/// The role whose changes are not counted, or the word for nobody's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExceptRole(pub Role);

/// The word for a role, or for none.
pub fn role_word(role: &Role) -> &str {
    role.as_deref().unwrap_or(NONE)
}

impl Serialize for ExceptRole {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        role_word(&self.0).serialize(to)
    }
}

impl<'de> Deserialize<'de> for ExceptRole {
    /// Letters, digits and `_+=,.@-`, 64 at most (IAM API reference, CreateRole): nothing that would end the quotes
    /// round it in a pattern.
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let fits = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
        match text.as_str() {
            NONE => Ok(Self(None)),
            name if (1..=64).contains(&name.len()) && name.chars().all(fits) => Ok(Self(Some(text))),
            _ => Err(D::Error::custom(format_args!(
                "`{text}` is neither a role's name, letters, digits and `_+=,.@-`, nor `{NONE}`"
            ))),
        }
    }
}

impl JsonSchema for ExceptRole {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ExceptRole".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string", "pattern": "^[a-zA-Z0-9_+=,.@-]{1,64}$"})
    }
}

fn alarms<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<String, AlarmSpec>, D::Error> {
    let alarms = BTreeMap::<String, AlarmSpec>::deserialize(from)?;
    match alarms.keys().find(|word| watch::find(word).is_none()) {
        None => Ok(alarms),
        Some(word) => {
            Err(D::Error::custom(format_args!("`{word}` is none of the alarms: {}", words().join(", "))))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn refused(spec: Value) -> String {
        serde_json::from_value::<AlarmsSpec>(spec).map_or_else(|error| error.to_string(), |_| String::new())
    }

    #[test]
    fn alarms_go_by_the_words_that_there_are() {
        assert_eq!(refused(json!({"alarms": {"root-usage": {"enabled": true}}})), "");
        assert!(refused(json!({"alarms": {"4.3": {}}})).contains("unauthorized-calls, console-without-mfa"));
        let alarm = |alarm: Value| refused(json!({"alarms": {"root-usage": alarm}}));
        assert!(alarm(json!({"periodSeconds": 90})).contains("one of 60, 300"));
        assert!(!alarm(json!({"threshold": 0})).is_empty());
        assert!(!alarm(json!({"evaluationPeriods": 25})).is_empty());
    }

    #[test]
    fn a_role_is_a_name_that_ends_no_quotes() {
        for good in ["none", "baseline-apply", "a+b=c,d.e@f_g"] {
            assert_eq!(refused(json!({"exceptRole": good})), "", "{good}");
        }
        for bad in ["", "a\"b", "a b", "a/b", "arn:aws:iam::111122223333:role/a", "*"] {
            assert!(refused(json!({"exceptRole": bad})).contains("neither a role's name"), "{bad}");
        }
    }
}
