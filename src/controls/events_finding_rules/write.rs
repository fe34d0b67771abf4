//! The writes: by name, with ARNs made when they run.

use std::collections::BTreeMap;
use std::fmt;

use aws_sdk_eventbridge::types::{RuleState, Tag, Target};
use serde::{Deserialize, Serialize};

use super::live::rule_of;
use super::pattern::{Source, Threshold};
use super::role::{self, ROLE};
use crate::aws::{Writer, fault};
use crate::control::{AwsWrite, Call, Extent};
use crate::fault::{Fault, FaultKind};
use crate::place::{Region, Scope};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Write {
    Create {
        source: Source,
        threshold: Threshold,
        tags: BTreeMap<String, String>,
    },
    /// What is left out stays as it is.
    Update {
        source: Source,
        threshold: Option<Threshold>,
        on: Option<bool>,
    },
    Target {
        source: Source,
        to: Destination,
    },
    CreateRole {
        tags: BTreeMap<String, String>,
    },
    /// Lets EventBridge take the role that is there; whom else it trusts stays.
    Trust,
    /// Lets the role send to the default bus of this region.
    AllowRole {
        home: Region,
    },
}

/// Where findings go, in names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Destination {
    /// A topic here.
    Topic { name: String },
    /// The default bus of the account in another region, by a role.
    Bus { region: Region, role: String },
}

impl Destination {
    pub fn arn(&self, scope: &Scope) -> String {
        let Scope { account, region } = scope;
        let partition = region.partition();
        match self {
            Self::Topic { name } => format!("arn:{partition}:sns:{region}:{account}:{name}"),
            Self::Bus { region, .. } => {
                format!("arn:{partition}:events:{region}:{account}:event-bus/default")
            }
        }
    }

    /// Topics let EventBridge in by their own policy (EventBridge User Guide, "Using resource-based policies").
    pub fn role(&self, scope: &Scope) -> Option<String> {
        match self {
            Self::Topic { .. } => None,
            Self::Bus { role, .. } => {
                Some(format!("arn:{}:iam::{}:role/{role}", scope.region.partition(), scope.account))
            }
        }
    }
}

/// The id of our target in each of the rules.
pub const TARGET: &str = "baseline";

/// PutRule replaces everything, so the rule is read again right before, with its targets.
pub const PUT_RULE: Call = Call::needing(
    "events:PutRule",
    &["events:PutRule", "events:DescribeRule", "events:ListTargetsByRule", "events:TagResource"],
);
pub const PUT_TARGETS: Call = Call::needing("events:PutTargets", &["events:PutTargets", "iam:PassRole"]);

/// One role for all regions, made and kept in the home region.
pub const CREATE_ROLE: Call =
    Call::needing("iam:CreateRole", &["iam:CreateRole", "iam:TagRole"]).reaching(Extent::Home);
pub const TRUST: Call =
    Call::needing("iam:UpdateAssumeRolePolicy", &["iam:UpdateAssumeRolePolicy", "iam:GetRole"])
        .reaching(Extent::Home);
pub const ALLOW_ROLE: Call =
    Call::needing("iam:PutRolePolicy", &["iam:PutRolePolicy", "iam:GetRolePolicy"]).reaching(Extent::Home);

impl AwsWrite for Write {
    fn call(&self) -> &'static Call {
        match self {
            Self::Create { .. } | Self::Update { .. } => const { &PUT_RULE },
            Self::Target { .. } => const { &PUT_TARGETS },
            Self::CreateRole { .. } => const { &CREATE_ROLE },
            Self::Trust => const { &TRUST },
            Self::AllowRole { .. } => const { &ALLOW_ROLE },
        }
    }
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create { source, .. } => write!(f, "create the rule {}", source.rule()),
            Self::Update { source, on: Some(false), .. } => write!(f, "turn the rule {} off", source.rule()),
            Self::Update { source, .. } => write!(f, "put the rule {}", source.rule()),
            Self::Target { source, to: Destination::Topic { name } } => {
                write!(f, "send what {} matches to {name}", source.rule())
            }
            Self::Target { source, to: Destination::Bus { region, .. } } => {
                write!(f, "send what {} matches to {region}", source.rule())
            }
            Self::CreateRole { .. } => write!(f, "create the role {ROLE}"),
            Self::Trust => write!(f, "let EventBridge take the role {ROLE}"),
            Self::AllowRole { home } => write!(f, "let the role {ROLE} send events to {home}"),
        }
    }
}

impl Write {
    pub async fn send(&self, aws: &Writer) -> Result<(), Fault> {
        let events = aws.events();
        match self {
            Self::Create { source, threshold, tags } => {
                let tag = |(name, value): (&String, &String)| Tag::builder().key(name).value(value).build();
                let tags: Result<Vec<Tag>, _> = tags.iter().map(tag).collect();
                let tags =
                    tags.map_err(|e| Fault::local(FaultKind::Invalid, PUT_RULE.operation, e.to_string()))?;
                let request = events
                    .put_rule()
                    .name(source.rule())
                    .description(source.description())
                    .event_pattern(threshold.pattern().to_string())
                    .state(RuleState::Enabled)
                    .set_tags(Some(tags).filter(|tags| !tags.is_empty()));
                request.send().await.map(drop).map_err(fault(PUT_RULE.operation))
            }
            Self::Update { source, threshold, on } => {
                let live = rule_of(&events, source.rule()).await?.ok_or_else(|| {
                    let message = format!("the rule {} is not there any more", source.rule());
                    Fault::local(FaultKind::NotFound, PUT_RULE.operation, message)
                })?;
                let pattern = threshold.as_ref().map(Threshold::pattern).or(live.pattern.clone());
                let state = match (on, live.is_on()) {
                    (Some(on), now) if Some(*on) != now => {
                        if *on {
                            RuleState::Enabled
                        } else {
                            RuleState::Disabled
                        }
                    }
                    _ => RuleState::from(live.state.as_str()),
                };
                let request = events
                    .put_rule()
                    .name(source.rule())
                    .set_event_pattern(pattern.map(|pattern| pattern.to_string()))
                    .state(state)
                    .set_schedule_expression(live.schedule)
                    .set_description(live.description)
                    .set_role_arn(live.role);
                request.send().await.map(drop).map_err(fault(PUT_RULE.operation))
            }
            Self::Target { source, to } => {
                let target = Target::builder()
                    .id(TARGET)
                    .arn(to.arn(&aws.scope))
                    .set_role_arn(to.role(&aws.scope))
                    .build()
                    .map_err(|e| Fault::local(FaultKind::Invalid, PUT_TARGETS.operation, e.to_string()))?;
                let answer = events.put_targets().rule(source.rule()).targets(target).send().await;
                let answer = answer.map_err(fault(PUT_TARGETS.operation))?;
                if answer.failed_entry_count() == 0 {
                    return Ok(());
                }
                Err(refused(answer.failed_entries().first()))
            }
            Self::CreateRole { .. } | Self::Trust | Self::AllowRole { .. } => role::send(self, aws).await,
        }
    }
}

/// PutTargets answers 200 and tells what it did not do.
fn refused(entry: Option<&aws_sdk_eventbridge::types::PutTargetsResultEntry>) -> Fault {
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
    use aws_sdk_eventbridge::types::PutTargetsResultEntry;

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
