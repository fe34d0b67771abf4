//! Amazon EventBridge: rules and their targets.
//!
//! Source: the service's API Reference, the operation named at each handler.

pub(super) mod delivery;

use std::collections::BTreeMap;

use aws_sdk_eventbridge::operation::describe_rule::{DescribeRuleInput, DescribeRuleOutput};
use aws_sdk_eventbridge::operation::list_rules::{ListRulesInput, ListRulesOutput};
use aws_sdk_eventbridge::operation::list_targets_by_rule::{ListTargetsByRuleInput, ListTargetsByRuleOutput};
use aws_sdk_eventbridge::operation::put_rule::{PutRuleInput, PutRuleOutput};
use aws_sdk_eventbridge::operation::put_targets::{PutTargetsInput, PutTargetsOutput};
use aws_sdk_eventbridge::types::{PutTargetsResultEntry, RuleState, Target};
use serde_json::Value;

use super::operation::{Call, Operations, Protocol, Refusal, Service, length_within, page};

static SERVICE: Service = Service {
    id: "EventBridge",
    prefix: "events",
    protocol: Protocol::Json,
    throttled: ("ThrottlingException", 400),
    broken: ("InternalException", 500),
};

pub(super) fn operations() -> Operations {
    Operations::of(&SERVICE)
        .on("DescribeRule", describe_rule)
        .on("ListRules", list_rules)
        .on("PutRule", put_rule)
        .on("ListTargetsByRule", list_targets_by_rule)
        .on("PutTargets", put_targets)
}

/// EventBridge in one region of an account: its default bus.
#[derive(Clone, Debug, Default)]
pub struct EventBridge {
    pub rules: BTreeMap<String, Rule>,
}

/// A rule of the default bus.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    pub pattern: Option<String>,
    pub schedule: Option<String>,
    pub state: RuleState,
    pub description: Option<String>,
    pub role: Option<String>,
    pub managed_by: Option<String>,
    pub tags: BTreeMap<String, String>,
    pub targets: Vec<Target>,
}

fn invalid(what: &str) -> Refusal {
    Refusal::new(400, "ValidationException", format!("{what} does not satisfy its constraints"))
}

/// RuleName in the model: 1–64 letters, digits, `.`, `-` and `_`.
fn rule_name(name: Option<&str>) -> Result<&str, Refusal> {
    let name = name.unwrap_or_default();
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if length_within(name, 1, 64) && name.chars().all(plain) { Ok(name) } else { Err(invalid("name")) }
}

/// The world's accounts have the default bus and no other.
fn default_bus(name: Option<&str>) -> Result<(), Refusal> {
    match name {
        None | Some("default") => Ok(()),
        Some(other) => {
            Err(Refusal::new(400, "ResourceNotFoundException", format!("Event bus {other} does not exist.")))
        }
    }
}

fn rule<'c>(call: &'c mut Call<'_>, name: Option<&str>) -> Result<&'c mut Rule, Refusal> {
    let name = rule_name(name)?;
    call.here().events.rules.get_mut(name).ok_or_else(|| {
        let message = format!("Rule {name} does not exist on EventBus default.");
        Refusal::new(400, "ResourceNotFoundException", message)
    })
}

/// DescribeRule.
fn describe_rule(call: &mut Call<'_>, input: &DescribeRuleInput) -> Result<DescribeRuleOutput, Refusal> {
    default_bus(input.event_bus_name())?;
    let arn = call.arn("events", format_args!("rule/{}", input.name().unwrap_or_default()));
    let account = call.caller.account.clone();
    let rule = rule(call, input.name())?;
    Ok(DescribeRuleOutput::builder()
        .set_name(input.name.clone())
        .arn(arn)
        .set_event_pattern(rule.pattern.clone())
        .set_schedule_expression(rule.schedule.clone())
        .state(rule.state.clone())
        .set_description(rule.description.clone())
        .set_role_arn(rule.role.clone())
        .set_managed_by(rule.managed_by.clone())
        .event_bus_name("default")
        .created_by(account)
        .build())
}

/// PutRule: a pattern or a schedule; what is left out is not kept; on unless said. Tags are those of a new rule: "if
/// you are updating an existing rule, any tags you specify in the PutRule operation are ignored", which is refused
/// here. Managed rules are not changed.
fn put_rule(call: &mut Call<'_>, input: &PutRuleInput) -> Result<PutRuleOutput, Refusal> {
    let name = rule_name(input.name())?.to_owned();
    default_bus(input.event_bus_name())?;
    if input.event_pattern().is_none() && input.schedule_expression().is_none() {
        return Err(Refusal::new(
            400,
            "ValidationException",
            "Parameter(s) EventPattern or ScheduleExpression must be specified.",
        ));
    }
    if let Some(pattern) = input.event_pattern() {
        well_formed(pattern)?;
    }
    if input.description().is_some_and(|text| !length_within(text, 0, 512)) {
        return Err(invalid("description"));
    }
    let state = input.state().cloned().unwrap_or(RuleState::Enabled);
    if !RuleState::values().contains(&state.as_str()) {
        return Err(invalid("state"));
    }
    let tags = input.tags().iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect();
    let arn = call.arn("events", format_args!("rule/{name}"));
    let there = call.here().events.rules.remove(&name);
    if there.as_ref().is_some_and(|rule| rule.managed_by.is_some()) {
        call.here().events.rules.extend(there.map(|rule| (name, rule)));
        return Err(Refusal::new(400, "ManagedRuleException", "The rule is managed by an AWS service."));
    }
    let (tags, targets) = match there {
        Some(rule) if input.tags().is_empty() => (rule.tags, rule.targets),
        Some(rule) => {
            call.here().events.rules.insert(name, rule);
            return Err(invalid("tags"));
        }
        None => (tags, Vec::new()),
    };
    let made = Rule {
        pattern: input.event_pattern.clone(),
        schedule: input.schedule_expression.clone(),
        state,
        description: input.description.clone(),
        role: input.role_arn.clone(),
        managed_by: None,
        tags,
        targets,
    };
    call.here().events.rules.insert(name, made);
    Ok(PutRuleOutput::builder().rule_arn(arn).build())
}

/// EventBridge User Guide, "Event patterns": an object whose leaves are lists, 4096 characters at most.
fn well_formed(pattern: &str) -> Result<(), Refusal> {
    fn leaves(value: &Value) -> bool {
        match value {
            Value::Object(map) => !map.is_empty() && map.values().all(leaves),
            Value::Array(list) => !list.is_empty(),
            _ => false,
        }
    }
    let read: Option<Value> = serde_json::from_str(pattern).ok();
    if pattern.len() <= 4096 && read.is_some_and(|value| value.is_object() && leaves(&value)) {
        return Ok(());
    }
    Err(Refusal::new(400, "InvalidEventPatternException", "Event pattern is not valid."))
}

/// How many a page has. AWS gives up to 100; fewer here, so that whoever does not paginate is found out.
const A_PAGE: usize = 1;
const RULES_A_PAGE: usize = 2;

/// ListRules: those of the default bus whose names begin with the prefix, by their names.
fn list_rules(call: &mut Call<'_>, input: &ListRulesInput) -> Result<ListRulesOutput, Refusal> {
    default_bus(input.event_bus_name())?;
    let prefix = input.name_prefix().map(|prefix| rule_name(Some(prefix))).transpose()?.unwrap_or_default();
    if input.limit().is_some_and(|limit| !(1..=100).contains(&limit)) {
        return Err(invalid("limit"));
    }
    let named: Vec<(String, Rule)> = call.here().events.rules.clone().into_iter().collect();
    let named: Vec<(String, Rule)> = named.into_iter().filter(|(name, _)| name.starts_with(prefix)).collect();
    let (named, next) = page(&named, input.next_token(), RULES_A_PAGE).ok_or_else(|| invalid("nextToken"))?;
    let told = named.into_iter().map(|(name, rule)| {
        aws_sdk_eventbridge::types::Rule::builder()
            .arn(call.arn("events", format_args!("rule/{name}")))
            .name(name)
            .set_event_pattern(rule.pattern)
            .set_schedule_expression(rule.schedule)
            .state(rule.state)
            .set_description(rule.description)
            .set_role_arn(rule.role)
            .set_managed_by(rule.managed_by)
            .event_bus_name("default")
            .build()
    });
    let told = told.collect();
    Ok(ListRulesOutput::builder().set_rules(Some(told)).set_next_token(next).build())
}

/// ListTargetsByRule.
fn list_targets_by_rule(
    call: &mut Call<'_>,
    input: &ListTargetsByRuleInput,
) -> Result<ListTargetsByRuleOutput, Refusal> {
    default_bus(input.event_bus_name())?;
    if input.limit().is_some_and(|limit| !(1..=100).contains(&limit)) {
        return Err(invalid("limit"));
    }
    let targets = rule(call, input.rule())?.targets.clone();
    let (targets, next) = page(&targets, input.next_token(), A_PAGE).ok_or_else(|| invalid("nextToken"))?;
    // TargetList holds one at least.
    let targets = Some(targets).filter(|targets| !targets.is_empty());
    Ok(ListTargetsByRuleOutput::builder().set_targets(targets).set_next_token(next).build())
}

/// PutTargets: what is wrong with one target is told in the answer, which is 200 all the same. At most five targets a
/// rule. A topic must be of this account and region; another region's bus needs a role (PutTargets: "you must specify
/// a RoleArn with proper permissions"), and so does a queue of another account, which is of this region (EventBridge User
/// Guide, "Cross-account service targets"). That topic and role exist is this world's own strictness; at a queue nobody
/// looks.
fn put_targets(call: &mut Call<'_>, input: &PutTargetsInput) -> Result<PutTargetsOutput, Refusal> {
    default_bus(input.event_bus_name())?;
    if input.targets().is_empty() || input.targets().len() > 10 {
        return Err(invalid("targets"));
    }
    let mut targets = rule(call, input.rule())?.targets.clone();
    if rule(call, input.rule())?.managed_by.is_some() {
        return Err(Refusal::new(400, "ManagedRuleException", "The rule is managed by an AWS service."));
    }
    let mut failed = Vec::new();
    for target in input.targets() {
        rule_name(Some(target.id()))?;
        if let Err(why) = reachable(call, target) {
            let entry = PutTargetsResultEntry::builder()
                .target_id(target.id())
                .error_code("ValidationException")
                .error_message(why);
            failed.push(entry.build());
            continue;
        }
        let full = targets.len() == 5;
        match targets.iter_mut().find(|there| there.id() == target.id()) {
            Some(there) => target.clone_into(there),
            None if full => {
                let message = "The requested resource exceeds the maximum number allowed.";
                return Err(Refusal::new(400, "LimitExceededException", message));
            }
            None => targets.push(target.clone()),
        }
    }
    rule(call, input.rule())?.targets = targets;
    let count = i32::try_from(failed.len()).unwrap_or(i32::MAX);
    Ok(PutTargetsOutput::builder().failed_entry_count(count).set_failed_entries(Some(failed)).build())
}

fn reachable(call: &mut Call<'_>, target: &Target) -> Result<(), String> {
    let parts: Vec<&str> = target.arn().splitn(6, ':').collect();
    let account = call.caller.account.clone();
    match parts[..] {
        ["arn", "aws", "sns", region, owner, name] => {
            if region != call.region || owner != account {
                return Err(format!("Provided Arn is not in correct region or account: {}", target.arn()));
            }
            let there = call.here().sns.topics.contains_key(name);
            if there { Ok(()) } else { Err(format!("the topic {name} does not exist")) }
        }
        ["arn", "aws", "events", region, owner, "event-bus/default"] => {
            let role = target.role_arn().and_then(|arn| arn.rsplit('/').next()).unwrap_or_default();
            if owner != account || region == call.region {
                return Err(format!("{} cannot be a target here", target.arn()));
            }
            let there = call.account().iam.roles.contains_key(role);
            if there { Ok(()) } else { Err("a role is needed to send to another region".into()) }
        }
        ["arn", "aws", "sqs", region, owner, name] => {
            if region != call.region || name.is_empty() {
                return Err(format!("Provided Arn is not in correct region: {}", target.arn()));
            }
            let role = target.role_arn().and_then(|arn| arn.rsplit('/').next());
            let there = role.map(|role| call.account().iam.roles.contains_key(role));
            if there.unwrap_or(owner == account) {
                Ok(())
            } else {
                Err("a role is needed to send to it".into())
            }
        }
        _ => {
            Err(format!("Parameter {} is not valid. Reason: not a target that this world has", target.arn()))
        }
    }
}

#[cfg(test)]
mod tests;
