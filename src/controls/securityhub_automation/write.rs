//! The writes. A rule's ARN is looked up by its name when they run.

use std::collections::BTreeMap;
use std::fmt;

use aws_sdk_securityhub::Client;
use aws_sdk_securityhub::types::{
    AutomationRulesFindingFilters, RuleStatus, UnprocessedAutomationRule, UpdateAutomationRulesRequestItem,
};
use serde::{Deserialize, Serialize};

use super::action::Actions;
use super::criteria::Criteria;
use super::live::{self, LIST};
use super::spec::{RuleSpec, Status};
use crate::aws::{Writer, fault};
use crate::control::{AwsWrite, Bounded, Call};
use crate::fault::{Fault, FaultKind};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Write {
    Create {
        name: String,
        rule: RuleSpec,
        tags: BTreeMap<String, String>,
    },
    /// What the rule does not say stays as it is.
    Update {
        name: String,
        rule: RuleSpec,
    },
}

/// Names are not unique, and there is no token: a second call makes a second rule.
pub const CREATE: Call = Call::needing(
    "securityhub:CreateAutomationRule",
    &["securityhub:CreateAutomationRule", "securityhub:TagResource"],
)
.once();
pub const UPDATE: Call = Call::needing(
    "securityhub:BatchUpdateAutomationRules",
    &["securityhub:BatchUpdateAutomationRules", "securityhub:ListAutomationRules"],
);

impl AwsWrite for Write {
    fn call(&self) -> &'static Call {
        match self {
            Self::Create { .. } => const { &CREATE },
            Self::Update { .. } => const { &UPDATE },
        }
    }
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create { name, .. } => write!(f, "create the rule {name}"),
            Self::Update { name, .. } => write!(f, "update the rule {name}"),
        }
    }
}

/// A rule that a batch left out, as a fault.
pub fn fault_of(call: &'static str, left: &UnprocessedAutomationRule) -> Fault {
    let kind = match left.error_code {
        Some(404) => FaultKind::NotFound,
        Some(403) => FaultKind::Denied,
        Some(429) => FaultKind::Throttled,
        Some(500..) => FaultKind::Unavailable,
        _ => FaultKind::Invalid,
    };
    let message = left.error_message.as_deref().unwrap_or("the answer names no reason");
    let fault = Fault::local(kind, call, message);
    match left.error_code {
        Some(code) => Fault { code: code.to_string(), ..fault },
        None => fault,
    }
}

fn order(rule: &RuleSpec) -> Option<i32> {
    rule.order.map(Bounded::get).and_then(|order| i32::try_from(order).ok())
}

fn status(rule: &RuleSpec) -> Option<RuleStatus> {
    rule.status.map(Status::word).map(RuleStatus::from)
}

fn criteria(rule: &RuleSpec) -> Option<AutomationRulesFindingFilters> {
    rule.criteria.as_ref().map(|criteria: &Criteria| criteria.into())
}

impl Write {
    pub async fn send(&self, aws: &Writer) -> Result<(), Fault> {
        let hub = aws.securityhub();
        match self {
            Self::Create { name, rule, tags } => {
                let tags = (!tags.is_empty()).then(|| tags.clone().into_iter().collect());
                hub.create_automation_rule()
                    .rule_name(name)
                    .set_rule_order(order(rule))
                    .set_rule_status(status(rule))
                    .set_is_terminal(rule.terminal)
                    .set_description(rule.description.clone())
                    .set_criteria(criteria(rule))
                    .set_actions(rule.actions.as_ref().map(Actions::sdk))
                    .set_tags(tags)
                    .send()
                    .await
                    .map_err(fault(CREATE.operation))?;
            }
            Self::Update { name, rule } => {
                let item = UpdateAutomationRulesRequestItem::builder()
                    .rule_arn(arn(&hub, name).await?)
                    .set_rule_order(order(rule))
                    .set_rule_status(status(rule))
                    .set_is_terminal(rule.terminal)
                    .set_description(rule.description.clone())
                    .set_criteria(criteria(rule))
                    .set_actions(rule.actions.as_ref().map(Actions::sdk))
                    .build();
                let call = hub.batch_update_automation_rules().update_automation_rules_request_items(item);
                let answer = call.send().await.map_err(fault(UPDATE.operation))?;
                if let Some(left) = answer.unprocessed_automation_rules().first() {
                    return Err(fault_of(UPDATE.operation, left));
                }
            }
        }
        Ok(())
    }
}

/// The one rule of this name.
async fn arn(hub: &Client, name: &str) -> Result<String, Fault> {
    let all = live::named(hub).await?.unwrap_or_default();
    let mut found = all.into_iter().filter(|(known, _)| known == name).map(|(_, arn)| arn);
    match (found.next(), found.next()) {
        (Some(arn), None) => Ok(arn),
        (None, _) => {
            Err(Fault::local(FaultKind::NotFound, LIST, format!("there is no rule {name} any more")))
        }
        (Some(_), Some(_)) => {
            Err(Fault::local(FaultKind::Invalid, LIST, format!("several rules have the name {name}")))
        }
    }
}
