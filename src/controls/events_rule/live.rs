//! What EventBridge says of rules, by their names on the default bus.

use std::collections::BTreeMap;

use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::types::RuleState;
use futures::future::join_all;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::aws::fault;
use crate::control::Sight;
use crate::fault::{Fault, FaultKind};

/// A rule that is there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    /// As AWS says it: `ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS`.
    pub state: String,
    /// `None` for a rule that only keeps a schedule, or whose pattern is not JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The service that made it, where one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub managed_by: Option<String>,
    pub targets: Sight<BTreeMap<String, Target>>,
}

/// Where a rule sends what it matches; by its id in [`Rule`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    pub arn: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// It gets a text or a part of the event in the place of the event.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rewritten: bool,
}

impl Rule {
    pub fn is_on(&self) -> Option<bool> {
        match self.state.as_str() {
            "ENABLED" | "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS" => Some(true),
            "DISABLED" => Some(false),
            _ => None,
        }
    }
}

pub const DESCRIBE: &str = "events:DescribeRule";
pub const LIST: &str = "events:ListRules";
pub const TARGETS: &str = "events:ListTargetsByRule";

/// The rule of this name.
pub async fn rule_of(events: &Client, name: &str) -> Result<Option<Rule>, Fault> {
    let answer = match events.describe_rule().name(name).send().await {
        Ok(answer) => answer,
        Err(error) if error.as_service_error().is_some_and(|e| e.is_resource_not_found_exception()) => {
            return Ok(None);
        }
        Err(error) => return Err(fault(DESCRIBE)(error)),
    };
    Ok(Some(Rule {
        state: state(answer.state.as_ref(), DESCRIBE)?,
        pattern: pattern(answer.event_pattern.as_deref()),
        schedule: answer.schedule_expression.filter(|text| !text.is_empty()),
        description: answer.description,
        role: answer.role_arn,
        managed_by: answer.managed_by,
        targets: targets_of(events, name).await.map_or_else(Sight::Unseen, Sight::Seen),
    }))
}

/// The rules whose names begin so and are `wanted`. ListRules has no paginator in the SDK.
pub async fn rules_like(
    events: &Client,
    prefix: &str,
    wanted: impl Fn(&str) -> bool,
) -> Result<BTreeMap<String, Rule>, Fault> {
    let mut found = Vec::new();
    let mut token = None;
    loop {
        let call = events.list_rules().name_prefix(prefix).set_next_token(token);
        let page = call.send().await.map_err(fault(LIST))?;
        found.extend(page.rules.unwrap_or_default());
        token = page.next_token.filter(|next| !next.is_empty());
        if token.is_none() {
            break;
        }
    }
    let named = found.into_iter().filter_map(|mut rule| Some((rule.name.take()?, rule)));
    let read = named.filter(|(name, _)| wanted(name)).map(async |(name, rule)| {
        let state = state(rule.state.as_ref(), LIST)?;
        let targets = targets_of(events, &name).await.map_or_else(Sight::Unseen, Sight::Seen);
        let read = Rule {
            state,
            pattern: pattern(rule.event_pattern.as_deref()),
            schedule: rule.schedule_expression.filter(|text| !text.is_empty()),
            description: rule.description,
            role: rule.role_arn,
            managed_by: rule.managed_by,
            targets,
        };
        Ok((name, read))
    });
    join_all(read).await.into_iter().collect()
}

fn state(said: Option<&RuleState>, call: &'static str) -> Result<String, Fault> {
    said.map(|state| state.as_str().to_owned()).ok_or_else(|| {
        Fault::local(FaultKind::Invalid, call, "the answer does not say whether the rule is on")
    })
}

fn pattern(text: Option<&str>) -> Option<Value> {
    text.and_then(|text| serde_json::from_str(text).ok())
}

/// ListTargetsByRule has no paginator in the SDK.
async fn targets_of(events: &Client, name: &str) -> Result<BTreeMap<String, Target>, Fault> {
    let mut targets = BTreeMap::new();
    let mut token = None;
    loop {
        let call = events.list_targets_by_rule().rule(name).set_next_token(token);
        let page = call.send().await.map_err(fault(TARGETS))?;
        for one in page.targets.unwrap_or_default() {
            let rewritten =
                one.input.is_some() || one.input_path.is_some() || one.input_transformer.is_some();
            targets.insert(one.id, Target { arn: one.arn, role: one.role_arn, rewritten });
        }
        token = page.next_token.filter(|next| !next.is_empty());
        if token.is_none() {
            return Ok(targets);
        }
    }
}
