//! What sends hints, in one place: this control makes it, and so does the CloudFormation of `baseline generate hints`.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::aws::history::event_source;
use crate::control::ErasedControl;
pub use crate::controls::events_rule::TARGET;

/// The role's name, and that of its one inline policy.
pub const ROLE: &str = "baseline-hints";

pub const ROLE_DESCRIPTION: &str = "EventBridge sends hints to baseline's queue with it";

/// How often a region says that the way to the queue works, in minutes.
pub const EVERY: u64 = 15;

/// The longest pattern that baseline writes of itself, with room for what stands around the names.
pub const LONGEST_PATTERN: usize = 3_500;

/// What every event of a call has.
const KIND: &str = "AWS API Call via CloudTrail";

/// One of the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Sender {
    /// Calls that may have changed something, by the number of the pattern, from 1.
    Writes(usize),
    /// That hints arrive from this region.
    Heartbeat,
    /// Heartbeats of the other regions, at home, where the queue is.
    Heartbeats,
}

impl Sender {
    /// The names of all rules begin so.
    pub const PREFIX: &str = "baseline-hints-";

    /// The rule's name.
    pub fn rule(self) -> String {
        match self {
            Self::Writes(number) => format!("{}{number}", Self::PREFIX),
            Self::Heartbeat => format!("{}heartbeat", Self::PREFIX),
            Self::Heartbeats => format!("{}heartbeats", Self::PREFIX),
        }
    }

    /// The rule of this name.
    pub fn named(rule: &str) -> Option<Self> {
        match rule.strip_prefix(Self::PREFIX)? {
            "heartbeat" => Some(Self::Heartbeat),
            "heartbeats" => Some(Self::Heartbeats),
            number => {
                let number: usize = number.parse().ok().filter(|number| *number > 0)?;
                let sender = Self::Writes(number);
                (sender.rule() == rule).then_some(sender)
            }
        }
    }

    pub fn description(self) -> &'static str {
        match self {
            Self::Writes(_) => "Writes that baseline may have to put right",
            Self::Heartbeat => "That hints arrive: while they do, baseline looks less often",
            Self::Heartbeats => "Heartbeats of the other regions",
        }
    }
}

/// Sources and names of calls that a rule lets through; each may come with each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Writes {
    pub sources: BTreeSet<String>,
    pub names: BTreeSet<String>,
    /// The calls that matter, `(source, name)`: fewer than sources × names.
    pub calls: BTreeSet<(String, String)>,
}

impl Writes {
    /// EventBridge User Guide, "AWS service events delivered via CloudTrail".
    pub fn pattern(&self) -> Value {
        json!({
            "detail-type": [KIND],
            "detail": {"eventSource": self.sources, "eventName": self.names},
        })
    }

    fn with(&self, other: &Self) -> Self {
        let both = |one: &BTreeSet<String>, other: &BTreeSet<String>| one.union(other).cloned().collect();
        Self {
            sources: both(&self.sources, &other.sources),
            names: both(&self.names, &other.names),
            calls: self.calls.union(&other.calls).cloned().collect(),
        }
    }
}

/// Every write that some control may have to know of, in as many rules as it takes: each service in one, each pattern
/// short enough. The global services' events are in the partition's global region alone; a rule elsewhere that names
/// them matches nothing.
pub fn writes(controls: &[&'static dyn ErasedControl]) -> Vec<Writes> {
    let mut services: BTreeMap<String, Writes> = BTreeMap::new();
    for event in controls.iter().flat_map(|control| control.meta().calls_that_matter()) {
        let Some((service, name)) = event.split_once(':') else { continue };
        let source = format!("{}.amazonaws.com", event_source(service));
        let of = services.entry(source.clone()).or_default();
        of.sources.insert(source.clone());
        of.names.insert(name.to_owned());
        of.calls.insert((source, name.to_owned()));
    }
    let mut rules: Vec<Writes> = Vec::new();
    for service in services.into_values() {
        // Sources and names are matched apart, so a rule also lets through another service's operation of such a name:
        // the controller looks again.
        let with = rules.last().map(|last| last.with(&service));
        match with.filter(|with| with.pattern().to_string().len() <= LONGEST_PATTERN) {
            Some(with) => {
                rules.pop();
                rules.push(with);
            }
            None => rules.push(service),
        }
    }
    rules
}

/// What a live pattern is known to let through; `None`: anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Through {
    sources: Option<BTreeSet<String>>,
    names: Option<BTreeSet<String>>,
}

impl Through {
    /// `None` where it also looks at something that is not looked at here, or is no pattern: nothing is known then.
    /// What is matched by `prefix` and the like comes on top of the words, and is not counted.
    pub fn of(pattern: &Value) -> Option<Self> {
        let words = |value: &Value| -> Option<BTreeSet<String>> {
            Some(value.as_array()?.iter().filter_map(Value::as_str).map(str::to_owned).collect())
        };
        let mut through = Self { sources: None, names: None };
        for (field, value) in pattern.as_object()? {
            match field.as_str() {
                "detail-type" => {
                    words(value).filter(|kinds| kinds.contains(KIND))?;
                }
                "detail" => {
                    for (field, value) in value.as_object()? {
                        match field.as_str() {
                            "eventSource" => through.sources = Some(words(value)?),
                            "eventName" => through.names = Some(words(value)?),
                            _ => return None,
                        }
                    }
                }
                _ => return None,
            }
        }
        Some(through)
    }

    pub fn lets(&self, (source, name): &(String, String)) -> bool {
        self.sources.as_ref().is_none_or(|all| all.contains(source))
            && self.names.as_ref().is_none_or(|all| all.contains(name))
    }
}

/// The longest pattern that EventBridge takes (EventBridge API Reference, PutRule).
const LONGEST: usize = 4_096;

/// The pattern of a rule once it lets `ours` through: what it let through before, it still does. Only where it looked at
/// something else, or both do not fit, is it replaced.
pub fn joined(live: Option<&Value>, ours: &Writes) -> Value {
    let kept = live.filter(|live| Through::of(live).is_some()).cloned();
    let joined = kept.map(|mut pattern| {
        for (at, wanted) in [("/detail/eventSource", &ours.sources), ("/detail/eventName", &ours.names)] {
            let Some(Value::Array(there)) = pattern.pointer_mut(at) else { continue };
            let new = wanted.iter().filter(|word| !there.iter().any(|one| one == word.as_str()));
            let new: Vec<Value> = new.map(|word| word.as_str().into()).collect();
            there.extend(new);
        }
        pattern
    });
    joined.filter(|pattern| pattern.to_string().len() <= LONGEST).unwrap_or_else(|| ours.pattern())
}

/// When heartbeats are sent.
pub fn schedule() -> String {
    format!("rate({EVERY} minutes)")
}

/// Does a schedule send them often enough? (EventBridge User Guide, "Rate expressions".)
pub fn is_often_enough(schedule: &str) -> bool {
    let rate = schedule.strip_prefix("rate(").and_then(|rest| rest.strip_suffix(')'));
    let Some((number, unit)) = rate.and_then(|rate| rate.trim().split_once(' ')) else { return false };
    let number: Option<u64> = number.parse().ok().filter(|number| *number > 0);
    matches!(unit.trim(), "minute" | "minutes") && number.is_some_and(|number| number <= EVERY)
}

/// Heartbeats that come from other regions. A rule with a schedule sends its own event; in another region than home it
/// arrives there as an event, and a rule there sends it on.
pub fn heartbeats(here: Value) -> Value {
    json!({
        "source": ["aws.events"],
        "detail-type": ["Scheduled Event"],
        "resources": [{"suffix": format!(":rule/{}", Sender::Heartbeat.rule())}],
        "region": [{"anything-but": here}],
    })
}

/// Lets EventBridge, for this account alone, take the role (EventBridge User Guide, "Cross-service confused deputy
/// prevention").
pub fn trust(account: Value) -> Value {
    json!({
        "Sid": "BaselineHints",
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"aws:SourceAccount": account}},
    })
}

/// What the role may do: `bus` is the account's own default bus at home.
pub fn allows(queue: Value, bus: Value) -> Vec<Value> {
    vec![
        json!({"Sid": QUEUE, "Effect": "Allow", "Action": "sqs:SendMessage", "Resource": queue}),
        json!({"Sid": "BaselineHintsHome", "Effect": "Allow", "Action": "events:PutEvents", "Resource": bus}),
    ]
}

/// The statement that names the queue.
pub const QUEUE: &str = "BaselineHintsQueue";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::CONTROLS;

    #[test]
    fn patterns_are_short_and_name_every_write_that_matters_once() {
        let rules = writes(CONTROLS);
        let mut found = BTreeSet::new();
        for rule in &rules {
            assert!(rule.pattern().to_string().len() <= LONGEST_PATTERN, "{}", rule.pattern());
            found.extend(rule.names.iter().cloned());
            assert!(rule.calls.iter().all(|call| Through::of(&rule.pattern()).unwrap().lets(call)));
        }
        let all = CONTROLS.iter().flat_map(|control| control.meta().calls_that_matter());
        let all: BTreeSet<String> =
            all.map(|event| event.split_once(':').expect("service:Name").1.to_owned()).collect();
        assert_eq!(found, all);
        assert!(rules.len() <= 6, "{} rules in each region", rules.len());
        let undone = ("events.amazonaws.com".to_owned(), "RemoveTargets".to_owned());
        assert!(rules.iter().any(|rule| rule.calls.contains(&undone)), "they also tell of themselves");
    }

    #[test]
    fn names_are_read_as_they_are_written() {
        for sender in [Sender::Writes(1), Sender::Writes(12), Sender::Heartbeat, Sender::Heartbeats] {
            assert_eq!(Sender::named(&sender.rule()), Some(sender));
        }
        for other in [
            "baseline-hints-",
            "baseline-hints-0",
            "baseline-hints-01",
            "baseline-hints-+1",
            "baseline-hints-1 ",
            "baseline-hints-99999999999999999999999",
            "baseline-hints-heartbeat-2",
            "baseline-hint-1",
            "",
        ] {
            assert_eq!(Sender::named(other), None, "{other}");
        }
    }

    fn some() -> Writes {
        let set = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<BTreeSet<_>>();
        Writes { sources: set(&["b.amazonaws.com"]), names: set(&["Put", "Stop"]), calls: BTreeSet::new() }
    }

    #[test]
    fn what_a_rule_let_through_before_it_still_does() {
        let live = json!({"detail": {"eventName": [{"prefix": "Delete"}, "Put"], "eventSource": ["a.amazonaws.com"]}});
        let joined_to = json!({"detail": {
            "eventName": [{"prefix": "Delete"}, "Put", "Stop"], "eventSource": ["a.amazonaws.com", "b.amazonaws.com"],
        }});
        assert_eq!(joined(Some(&live), &some()), joined_to);
        let any = json!({"detail-type": [KIND, "x"], "detail": {"eventName": ["Go"]}});
        assert_eq!(
            joined(Some(&any), &some()),
            json!({"detail-type": [KIND, "x"], "detail": {"eventName": ["Go", "Put", "Stop"]}}),
            "any source stays any"
        );
        assert_eq!(joined(Some(&joined_to), &some()), joined_to);
    }

    #[test]
    fn what_looks_at_something_else_or_does_not_fit_is_replaced() {
        let long: Vec<String> = (0..300).map(|number| format!("SomeOperation{number}")).collect();
        for other in [
            json!({"source": ["aws.s3"]}),
            json!({"detail": {"eventName": ["Put"], "userAgent": ["x"]}}),
            json!({"detail-type": ["GuardDuty Finding"]}),
            json!({"detail": {"eventName": "Put"}}),
            json!({"detail": {"eventName": long}}),
            json!(["x"]),
            json!(null),
        ] {
            assert_eq!(joined(Some(&other), &some()), some().pattern(), "{other}");
        }
        assert_eq!(joined(None, &some()), some().pattern());
    }

    #[test]
    fn hearts_beat_often_enough_at_least_every_quarter_of_an_hour() {
        for good in ["rate(15 minutes)", "rate(1 minute)", "rate(5 minutes)"] {
            assert!(is_often_enough(good), "{good}");
        }
        assert!(is_often_enough(&schedule()));
        for bad in [
            "rate(16 minutes)",
            "rate(1 hour)",
            "rate(0 minutes)",
            "cron(0/15 * * * ? *)",
            "rate(",
            "rate(5)",
            "",
        ] {
            assert!(!is_often_enough(bad), "{bad}");
        }
    }
}
