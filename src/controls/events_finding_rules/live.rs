//! What EventBridge says of the rules, by their names on the default bus.

use std::collections::BTreeMap;

use aws_sdk_eventbridge::Client;
use futures::future::{OptionFuture, join_all};
use futures::join;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::pattern::Source;
use super::role::{self, Role};
use crate::aws::{Reader, fault};
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

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Observed {
    /// What stands under each name; `None` where there is no rule.
    pub rules: BTreeMap<Source, Sight<Option<Rule>>>,
    /// `None` where it was not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Sight<Option<Role>>>,
}

/// What must be looked at here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    pub rules: Vec<Source>,
    pub role: bool,
}

pub const DESCRIBE: &str = "events:DescribeRule";
pub const TARGETS: &str = "events:ListTargetsByRule";

pub async fn read(aws: &Reader, ask: &Ask) -> Observed {
    let (events, iam) = (aws.events(), aws.iam());
    let rules = join_all(ask.rules.iter().map(async |source| {
        let found = rule_of(&events, source.rule()).await;
        (*source, found.map_or_else(Sight::Unseen, Sight::Seen))
    }));
    let role = OptionFuture::from(ask.role.then(|| role::read(&iam)));
    let (rules, role) = join!(rules, role);
    Observed {
        rules: rules.into_iter().collect(),
        role: role.map(|found| found.map_or_else(Sight::Unseen, Sight::Seen)),
    }
}

/// The rule of this name on the default bus.
pub async fn rule_of(events: &Client, name: &str) -> Result<Option<Rule>, Fault> {
    let answer = match events.describe_rule().name(name).send().await {
        Ok(answer) => answer,
        Err(error) if error.as_service_error().is_some_and(|e| e.is_resource_not_found_exception()) => {
            return Ok(None);
        }
        Err(error) => return Err(fault(DESCRIBE)(error)),
    };
    let state = answer.state.as_ref().map(|state| state.as_str().to_owned());
    Ok(Some(Rule {
        state: state.ok_or_else(|| {
            Fault::local(FaultKind::Invalid, DESCRIBE, "the answer does not say whether the rule is on")
        })?,
        pattern: answer.event_pattern.as_deref().and_then(|text| serde_json::from_str(text).ok()),
        schedule: answer.schedule_expression.filter(|text| !text.is_empty()),
        description: answer.description,
        role: answer.role_arn,
        managed_by: answer.managed_by,
        targets: targets_of(events, name).await.map_or_else(Sight::Unseen, Sight::Seen),
    }))
}

/// ListTargetsByRule has no paginator in the SDK.
async fn targets_of(events: &Client, name: &str) -> Result<BTreeMap<String, Target>, Fault> {
    let mut targets = BTreeMap::new();
    let mut token = None;
    loop {
        let call = events.list_targets_by_rule().rule(name).set_next_token(token);
        let page = call.send().await.map_err(fault(TARGETS))?;
        for one in page.targets.unwrap_or_default() {
            targets.insert(one.id, Target { arn: one.arn, role: one.role_arn });
        }
        token = page.next_token.filter(|next| !next.is_empty());
        if token.is_none() {
            return Ok(targets);
        }
    }
}
