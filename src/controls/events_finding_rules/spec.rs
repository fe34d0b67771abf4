//! What the YAML says of the rules.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::control::Bounded;

/// Rules of EventBridge that send findings to a topic, in each region. What is not declared is left as it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct FindingRulesSpec {
    /// The topic that gets the findings, by its name: `sns.topics` makes one, with `events` among its publishers.
    #[serde(deserialize_with = "topic")]
    #[schemars(
        regex(pattern = "^[A-Za-z0-9_-]{1,256}$"),
        extend("x-fixed" = "targets are added and never removed")
    )]
    pub topic: Option<String>,
    /// Where the topic is: one in each `region` (also where it is not said), or the one in the `home` region, which
    /// the other regions send their findings to, with the role `baseline-events-forwarding`.
    #[schemars(extend("x-fixed" = "in the home region both are the same; a role that was made stays"))]
    pub deliver: Option<Deliver>,
    /// Events of IAM, STS and signing in, which happen in us-east-1 alone, are sent on from there to the default bus
    /// of the home region, where alarms and rules can see them. us-east-1 has to be a managed region.
    #[schemars(extend("x-fixed" = "shown by tests of the control: it happens in another region"))]
    pub forward_global: Option<bool>,
    /// Failed controls of Security Hub, new or already told, by their severity.
    pub security_hub: SecurityHubSpec,
    /// Findings of GuardDuty by their severity.
    pub guard_duty: GuardDutySpec,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub enum Deliver {
    Region,
    Home,
}

/// The rule for Security Hub.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schemars(inline)]
pub struct SecurityHubSpec {
    /// The rule is there and on; `false`: off, or not there.
    pub enabled: Option<bool>,
    /// Which severities are sent, in AWS's words. Where nothing is said, a new rule sends `CRITICAL` and `HIGH`.
    #[serde(deserialize_with = "severities")]
    #[schemars(extend("x-mutate" = [["CRITICAL", "HIGH"], ["CRITICAL"]]))]
    pub severities: Option<BTreeSet<Severity>>,
}

/// `Severity.Label` of a finding, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schemars(inline)]
pub enum Severity {
    Critical,
    High,
    Medium,
    Low,
    Informational,
}

impl Severity {
    pub fn word(self) -> &'static str {
        match self {
            Self::Critical => "CRITICAL",
            Self::High => "HIGH",
            Self::Medium => "MEDIUM",
            Self::Low => "LOW",
            Self::Informational => "INFORMATIONAL",
        }
    }
}

/// The rule for GuardDuty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schemars(inline)]
pub struct GuardDutySpec {
    /// The rule is there and on; `false`: off, or not there.
    pub enabled: Option<bool>,
    /// The lowest severity that is sent, 1 to 10: 4 is medium, 7 high and 9 critical. Where nothing is said, a new
    /// rule sends from 7.
    pub severity_at_least: Option<AtLeast>,
}

pub type AtLeast = Bounded<1, 10>;

fn topic<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let topic = Option::<String>::deserialize(from)?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    match topic {
        Some(name) if name.is_empty() || name.len() > 256 || !name.chars().all(plain) => {
            Err(serde::de::Error::custom(format_args!(
                "`{name}` is not a topic's name: 256 letters, digits, `_` or `-` at most, and no ARN"
            )))
        }
        topic => Ok(topic),
    }
}

fn severities<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<BTreeSet<Severity>>, D::Error> {
    let all = Option::<BTreeSet<Severity>>::deserialize(from)?;
    match all {
        Some(none) if none.is_empty() => {
            Err(serde::de::Error::custom("a rule for no severity is `enabled: false`"))
        }
        all => Ok(all),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn what_eventbridge_or_sns_would_not_take_is_refused() {
        let read = |spec: Value| serde_json::from_value::<FindingRulesSpec>(spec).map_err(|e| e.to_string());
        for bad in ["", "a b", "arn:aws:sns:eu-west-1:111122223333:alerts"] {
            assert!(read(json!({"topic": bad})).is_err_and(|e| e.contains("not a topic's name")), "{bad}");
        }
        assert!(
            read(json!({"securityHub": {"severities": []}})).is_err_and(|e| e.contains("enabled: false"))
        );
        assert!(read(json!({"securityHub": {"severities": ["high"]}})).is_err());
        assert!(
            read(json!({"guardDuty": {"severityAtLeast": 11}}))
                .is_err_and(|e| e.contains("between 1 and 10"))
        );
    }
}
