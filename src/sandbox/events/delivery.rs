//! Events on their way: from calls that CloudTrail logs and from schedules, by the rules of the default buses, to queues.
//! Other targets get nothing here.
//!
//! Sources: EventBridge User Guide, "AWS service events delivered via CloudTrail", "Event patterns" with "Comparison
//! operators", "Sending and receiving events between AWS Regions"; EventBridge API Reference, RuleState.

use std::collections::BTreeMap;

use aws_sdk_eventbridge::types::{RuleState, Target};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::World;
use super::super::cloudtrail;
use super::super::iam::permits;
use super::super::policy::{self, Question, Who};
use super::super::sqs;
use super::super::state::State;
use super::Rule;

impl World {
    /// Lets every rule with a schedule send its event now, in all accounts and regions.
    pub fn run_schedules(&self) {
        let now = self.now();
        let mut state = self.locked();
        let mut due = Vec::new();
        // In the same order each time.
        let accounts: BTreeMap<_, _> = state.accounts.iter().collect();
        for (account, of) in accounts {
            for (region, there) in &of.regions {
                let on = there.events.rules.iter().filter(|(_, rule)| rule.schedule.is_some() && is_on(rule));
                due.extend(on.map(|(name, rule)| {
                    let arn = format!("arn:aws:events:{region}:{account}:rule/{name}");
                    (account.clone(), region.clone(), arn, rule.targets.clone())
                }));
            }
        }
        for (account, region, arn, targets) in due {
            let event = json!({
                "version": "0",
                "id": state.uuid(),
                "detail-type": "Scheduled Event",
                "source": "aws.events",
                "account": account,
                "time": whole_seconds(now),
                "region": region,
                "resources": [arn],
                "detail": {},
            });
            // It goes to the rule's own targets, whatever else would match it here.
            for target in targets {
                send(&mut state, (&account, &region), &target, &event, now);
            }
        }
    }
}

fn whole_seconds(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn is_on(rule: &Rule) -> bool {
    rule.state != RuleState::Disabled
}

/// Tells the rules of the write that landed last, where a trail logs it and somebody listens.
pub(in crate::sandbox) fn of_last_call(state: &mut State, now: Timestamp) {
    let Some((account, region)) = state.history.last() else { return };
    let (account, region) = (account.to_owned(), region.to_owned());
    let listens = |state: &State| {
        let there = state.accounts.get(&account)?.regions.get(&region)?;
        there.events.rules.values().any(|rule| rule.pattern.is_some() && is_on(rule)).then_some(())
    };
    if listens(state).is_none() || !cloudtrail::logs_writes(state, &account, &region) {
        return;
    }
    let Some(detail) = state.history.last_record() else { return };
    let source =
        detail["eventSource"].as_str().and_then(|source| source.split('.').next()).unwrap_or_default();
    let event = json!({
        "version": "0",
        "id": state.uuid(),
        "detail-type": "AWS API Call via CloudTrail",
        "source": format!("aws.{source}"),
        "account": account,
        "time": detail["eventTime"],
        "region": region,
        "resources": [],
        "detail": detail,
    });
    put(state, (&account, &region), &event, now);
}

/// An event on a default bus: to the targets of all rules there that match it. One that came from another region goes to
/// no third one.
fn put(state: &mut State, (account, region): (&str, &str), event: &Value, now: Timestamp) {
    let Some(of) = state.accounts.get_mut(account) else { return };
    let rules = of.region(region).events.rules.values().filter(|rule| {
        let pattern = rule.pattern.as_deref().and_then(|text| serde_json::from_str::<Value>(text).ok());
        is_on(rule) && pattern.is_some_and(|pattern| matches(&pattern, event))
    });
    let targets: Vec<Target> = rules.flat_map(|rule| rule.targets.clone()).collect();
    for target in targets {
        send(state, (account, region), &target, event, now);
    }
}

/// To one target: a queue of this region, or the account's default bus in another one. What the role may not do is lost, as
/// it is in AWS, where nobody is told.
fn send(state: &mut State, (account, region): (&str, &str), target: &Target, event: &Value, now: Timestamp) {
    let rewritten =
        target.input.is_some() || target.input_path.is_some() || target.input_transformer.is_some();
    let parts: Vec<&str> = target.arn().splitn(6, ':').collect();
    match parts[..] {
        ["arn", "aws", "sqs", there, owner, name] if there == region && !rewritten => {
            // A queue of another account lets in whom its policy names: `baseline generate hints queues` names this role.
            let lets_in = owner == account
                || target.role_arn().is_some_and(|arn| arn.ends_with(":role/baseline-hints"));
            if !lets_in || !may(state, account, target, "sqs:SendMessage") {
                return;
            }
            sqs::deliver(state, (there, owner, name), &event.to_string(), now);
        }
        ["arn", "aws", "events", there, owner, "event-bus/default"]
            if owner == account
                && there != region
                && event["region"] == region
                && may(state, account, target, "events:PutEvents") =>
        {
            put(state, (account, there), event, now);
        }
        _ => {}
    }
}

/// Whether EventBridge may take the target's role, and that role may do this to the target.
fn may(state: &State, account: &str, target: &Target, action: &str) -> bool {
    let Some(of) = state.accounts.get(account) else { return false };
    let arn = target.role_arn().unwrap_or_default();
    let Some(role) = of.iam.roles.values().find(|role| role.arn(account) == arn) else { return false };
    let takes = Question {
        who: Who::Service("events.amazonaws.com"),
        action: "sts:AssumeRole",
        resource: "",
        context: &[("aws:sourceaccount", account)],
    };
    let policies = of.iam.inline.get(&role.name).into_iter().flat_map(|policies| policies.values());
    policy::allows(&role.trust, &takes) && permits(policies.map(String::as_str), action, target.arn())
}

/// Whether an event matches a pattern: every field of the pattern is in the event, with one of the values.
fn matches(pattern: &Value, event: &Value) -> bool {
    let Some(fields) = pattern.as_object() else { return false };
    fields.iter().all(|(name, wanted)| match (wanted, event.get(name)) {
        (Value::Object(_), Some(inner)) => matches(wanted, inner),
        (Value::Array(any), Some(Value::Array(all))) => all.iter().any(|value| one_of(any, value)),
        (Value::Array(any), Some(value)) => one_of(any, value),
        _ => false,
    })
}

/// Comparisons that this world does not know match nothing.
fn one_of(any: &[Value], value: &Value) -> bool {
    any.iter().any(|wanted| {
        let Some(compare) = wanted.as_object() else { return wanted == value };
        let text = value.as_str().unwrap_or_default();
        compare.iter().all(|(how, with)| match (how.as_str(), with) {
            ("prefix", Value::String(with)) => text.starts_with(with.as_str()),
            ("suffix", Value::String(with)) => text.ends_with(with.as_str()),
            ("anything-but", Value::Array(none)) => !none.contains(value),
            ("anything-but", with @ (Value::String(_) | Value::Number(_))) => with != value,
            _ => false,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_matches_where_every_field_does() {
        let event = json!({"source": "aws.s3", "resources": ["a:rule/x", "b"], "region": "eu-west-1", "detail": {"n": 7}});
        for pattern in [
            json!({"source": ["aws.ec2", "aws.s3"]}),
            json!({"source": [{"prefix": "aws."}], "resources": [{"suffix": ":rule/x"}]}),
            json!({"region": [{"anything-but": "us-east-1"}], "detail": {"n": [7]}}),
            json!({"region": [{"anything-but": ["us-east-1"]}]}),
        ] {
            assert!(matches(&pattern, &event), "{pattern}");
        }
        for pattern in [
            json!({"source": ["aws.ec2"]}),
            json!({"source": ["aws.s3"], "account": ["111122223333"]}),
            json!({"region": [{"anything-but": ["eu-west-1", "us-east-1"]}]}),
            json!({"detail": {"n": [{"numeric": ["=", 7]}]}}),
            json!({"detail": ["x"]}),
            json!([]),
        ] {
            assert!(!matches(&pattern, &event), "{pattern}");
        }
    }
}
