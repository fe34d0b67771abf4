//! Event patterns: what each rule matches, and what of a live one can be said in the words of the spec.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::spec::{AtLeast, Severity};
use crate::controls::events_rule::same;

/// One of the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Source {
    SecurityHub,
    GuardDuty,
    /// What happens in the partition's global region alone.
    Global,
}

/// What a rule lets through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Threshold {
    Severities(BTreeSet<Severity>),
    AtLeast(AtLeast),
    All,
}

/// The sources of global events that CloudTrail tells EventBridge of (CloudTrail User Guide, "Global service events").
const GLOBAL: [&str; 3] = ["aws.iam", "aws.signin", "aws.sts"];

impl Source {
    pub const ALL: [Self; 3] = [Self::SecurityHub, Self::GuardDuty, Self::Global];

    /// The rule's name.
    pub fn rule(self) -> &'static str {
        match self {
            Self::SecurityHub => "baseline-securityhub-findings",
            Self::GuardDuty => "baseline-guardduty-findings",
            Self::Global => "baseline-global-events",
        }
    }

    /// The leaf of the spec that turns it on and off.
    pub fn switch(self) -> &'static str {
        match self {
            Self::SecurityHub => "/securityHub/enabled",
            Self::GuardDuty => "/guardDuty/enabled",
            Self::Global => "/forwardGlobal",
        }
    }

    /// The leaf that holds its threshold.
    pub fn leaf(self) -> &'static str {
        match self {
            Self::SecurityHub => "/securityHub/severities",
            Self::GuardDuty => "/guardDuty/severityAtLeast",
            Self::Global => "/forwardGlobal",
        }
    }

    pub fn description(self) -> &'static str {
        match self {
            Self::SecurityHub => "Failed controls of Security Hub, to a topic",
            Self::GuardDuty => "Findings of GuardDuty, to a topic",
            Self::Global => "Events of IAM, STS and signing in, to the home region",
        }
    }

    /// What a rule lets through of which nothing is said: high and critical (GuardDuty User Guide, "Severity levels":
    /// from 7 high, from 9 critical).
    pub fn usual(self) -> Threshold {
        match self {
            Self::SecurityHub => Threshold::Severities([Severity::Critical, Severity::High].into()),
            Self::GuardDuty => Threshold::AtLeast(AtLeast::new(7).expect("it is within 1 and 10")),
            Self::Global => Threshold::All,
        }
    }

    /// The threshold of a live pattern, where all else in it is as it would be written.
    pub fn threshold_in(self, live: &Value) -> Option<Threshold> {
        let threshold = match self {
            Self::SecurityHub => {
                let labels = live.pointer("/detail/findings/Severity/Label")?;
                Threshold::Severities(serde_json::from_value(labels.clone()).ok()?)
            }
            Self::GuardDuty => {
                let number = live.pointer("/detail/severity/0/numeric/1")?.as_f64()?;
                let whole = (1..=10).find(|whole| f64::from(*whole) == number)?;
                Threshold::AtLeast(AtLeast::new(whole)?)
            }
            Self::Global => Threshold::All,
        };
        same(&threshold.pattern(), live).then_some(threshold)
    }
}

impl Threshold {
    /// In the words of the spec.
    pub fn word(&self) -> Value {
        match self {
            Self::Severities(all) => all.iter().map(|severity| severity.word()).collect(),
            Self::AtLeast(number) => (*number).into(),
            Self::All => true.into(),
        }
    }

    /// Does it let through all that the other does?
    pub fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Severities(ours), Self::Severities(theirs)) => ours.is_superset(theirs),
            (Self::AtLeast(ours), Self::AtLeast(theirs)) => ours <= theirs,
            (Self::All, Self::All) => true,
            _ => false,
        }
    }

    /// Security Hub User Guide, "Security Hub EventBridge event formats"; GuardDuty User Guide, "Processing findings
    /// with EventBridge"; comparison by number: EventBridge User Guide, "Numeric matching".
    pub fn pattern(&self) -> Value {
        match self {
            Self::Severities(_) => json!({
                "source": ["aws.securityhub"],
                "detail-type": ["Security Hub Findings - Imported"],
                "detail": {"findings": {
                    "Compliance": {"Status": ["FAILED"]},
                    "RecordState": ["ACTIVE"],
                    "Severity": {"Label": self.word()},
                    "Workflow": {"Status": ["NEW", "NOTIFIED"]},
                }},
            }),
            Self::AtLeast(number) => json!({
                "source": ["aws.guardduty"],
                "detail-type": ["GuardDuty Finding"],
                "detail": {"severity": [{"numeric": [">=", number.get()]}]},
            }),
            Self::All => json!({"source": GLOBAL}),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        for source in Source::ALL {
            let pattern = source.usual().pattern();
            assert_eq!(source.threshold_in(&pattern), Some(source.usual()));
            assert!(pattern.to_string().len() < 4096, "the model's longest pattern");
            let mut other = pattern;
            other["account"] = json!(["111122223333"]);
            assert_eq!(source.threshold_in(&other), None, "it matches less");
        }
        assert_eq!(Source::SecurityHub.threshold_in(&Source::GuardDuty.usual().pattern()), None);
    }

    #[test]
    fn order_and_numbers_are_read_by_meaning() {
        let mut live = Source::SecurityHub.usual().pattern();
        live["detail"]["findings"]["Severity"]["Label"] = json!(["HIGH", "CRITICAL"]);
        live["detail"]["findings"]["Workflow"]["Status"] = json!(["NOTIFIED", "NEW"]);
        assert_eq!(Source::SecurityHub.threshold_in(&live), Some(Source::SecurityHub.usual()));
        let mut live = Source::GuardDuty.usual().pattern();
        live["detail"]["severity"] = json!([{"numeric": [">=", 7.0]}]);
        assert_eq!(Source::GuardDuty.threshold_in(&live), Some(Source::GuardDuty.usual()));
        live["detail"]["severity"] = json!([{"numeric": [">", 7]}]);
        assert_eq!(Source::GuardDuty.threshold_in(&live), None);
        live["detail"]["severity"] = json!([{"numeric": [">=", 7.5]}]);
        assert_eq!(Source::GuardDuty.threshold_in(&live), None);
    }

    #[test]
    fn more_severities_and_lower_numbers_cover() {
        let number = |n| Threshold::AtLeast(AtLeast::new(n).unwrap());
        assert!(number(4).covers(&number(7)) && !number(7).covers(&number(4)));
        let critical = Threshold::Severities([Severity::Critical].into());
        assert!(Source::SecurityHub.usual().covers(&critical));
        assert!(!critical.covers(&Source::SecurityHub.usual()));
    }
}
