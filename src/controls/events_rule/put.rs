//! Rules and their targets, written.

use std::collections::BTreeMap;

use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::types::{PutTargetsResultEntry, RuleState, Tag, Target};
use serde_json::Value;

use super::live::{Rule, rule_of, rules_like};
use crate::aws::fault;
use crate::control::Call;
use crate::fault::{Fault, FaultKind};
use crate::place::{Region, Scope};

/// The id of our target in a rule.
pub const TARGET: &str = "baseline";

/// PutRule replaces everything, so the rule is read again right before, with its targets.
pub const PUT_RULE: Call = Call::needing(
    "events:PutRule",
    &["events:PutRule", "events:DescribeRule", "events:ListTargetsByRule", "events:TagResource"],
);
pub const PUT_TARGETS: Call = Call::needing("events:PutTargets", &["events:PutTargets", "iam:PassRole"]);

/// The account's default bus in a region.
pub fn default_bus(scope: &Scope, region: &Region) -> String {
    format!("arn:{}:events:{region}:{}:event-bus/default", region.partition(), scope.account)
}

/// A role of the account.
pub fn role_arn(scope: &Scope, name: &str) -> String {
    format!("arn:{}:iam::{}:role/{name}", scope.region.partition(), scope.account)
}

/// A rule that is not there yet, and will be on.
pub struct Create<'a> {
    pub name: &'a str,
    pub description: &'a str,
    pub pattern: Option<Value>,
    pub schedule: Option<&'a str>,
    pub tags: &'a BTreeMap<String, String>,
}

impl Create<'_> {
    pub async fn send(self, events: &Client) -> Result<(), Fault> {
        let tag = |(name, value): (&String, &String)| Tag::builder().key(name).value(value).build();
        let tags: Result<Vec<Tag>, _> = self.tags.iter().map(tag).collect();
        let tags = tags.map_err(|e| Fault::local(FaultKind::Invalid, PUT_RULE.operation, e.to_string()))?;
        let request = events
            .put_rule()
            .name(self.name)
            .description(self.description)
            .set_event_pattern(self.pattern.map(|pattern| pattern.to_string()))
            .set_schedule_expression(self.schedule.map(str::to_owned))
            .state(RuleState::Enabled)
            .set_tags(Some(tags).filter(|tags| !tags.is_empty()));
        request.send().await.map(drop).map_err(fault(PUT_RULE.operation))
    }
}

/// A rule that is there, read again: its fields may be changed before it is put. What they do not say is lost.
pub struct Replace<'a> {
    name: &'a str,
    pub live: Rule,
}

impl<'a> Replace<'a> {
    /// As a control that looks at rules by their names reads it.
    pub async fn read(events: &Client, name: &'a str) -> Result<Self, Fault> {
        Self::of(name, rule_of(events, name).await?)
    }

    /// As a control that lists rules reads it.
    pub async fn listed(events: &Client, name: &'a str) -> Result<Self, Fault> {
        Self::of(name, rules_like(events, name, |other| other == name).await?.remove(name))
    }

    fn of(name: &'a str, live: Option<Rule>) -> Result<Self, Fault> {
        let live = live.ok_or_else(|| {
            let message = format!("the rule {name} is not there any more");
            Fault::local(FaultKind::NotFound, PUT_RULE.operation, message)
        })?;
        Ok(Self { name, live })
    }

    /// On or off; left out, or as it is already: in AWS's own word for it.
    pub async fn send(self, events: &Client, on: Option<bool>) -> Result<(), Fault> {
        let state = match (on, self.live.is_on()) {
            (Some(true), Some(false) | None) => RuleState::Enabled,
            (Some(false), Some(true) | None) => RuleState::Disabled,
            _ => RuleState::from(self.live.state.as_str()),
        };
        let request = events
            .put_rule()
            .name(self.name)
            .set_event_pattern(self.live.pattern.map(|pattern| pattern.to_string()))
            .state(state)
            .set_schedule_expression(self.live.schedule)
            .set_description(self.live.description)
            .set_role_arn(self.live.role);
        request.send().await.map(drop).map_err(fault(PUT_RULE.operation))
    }
}

/// Makes [`TARGET`] of a rule this.
pub async fn target(events: &Client, rule: &str, arn: String, role: Option<String>) -> Result<(), Fault> {
    let target = Target::builder()
        .id(TARGET)
        .arn(arn)
        .set_role_arn(role)
        .build()
        .map_err(|e| Fault::local(FaultKind::Invalid, PUT_TARGETS.operation, e.to_string()))?;
    let answer = events.put_targets().rule(rule).targets(target).send().await;
    let answer = answer.map_err(fault(PUT_TARGETS.operation))?;
    if answer.failed_entry_count() == 0 {
        return Ok(());
    }
    Err(refused(answer.failed_entries().first()))
}

/// PutTargets answers 200 and tells what it did not do.
fn refused(entry: Option<&PutTargetsResultEntry>) -> Fault {
    let code = entry.and_then(|entry| entry.error_code()).unwrap_or("FailedEntry");
    let message = entry.and_then(|entry| entry.error_message()).unwrap_or("EventBridge names no reason");
    let kind = match code {
        "ConcurrentModificationException" => FaultKind::Conflict,
        _ => FaultKind::Invalid,
    };
    Fault { code: code.into(), ..Fault::local(kind, PUT_TARGETS.operation, message) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_that_was_not_put_is_a_fault() {
        let entry =
            |code: &str| PutTargetsResultEntry::builder().error_code(code).error_message("why").build();
        assert!(refused(Some(&entry("ConcurrentModificationException"))).kind.is_transient());
        let fault = refused(Some(&entry("LimitExceededException")));
        assert_eq!((fault.kind, fault.code.as_str()), (FaultKind::Invalid, "LimitExceededException"));
        assert!(!refused(None).code.is_empty());
    }
}
