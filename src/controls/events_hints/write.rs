//! The writes: by name, with ARNs made when they run.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::queue::Queue;
use super::rules::{self, ROLE, ROLE_DESCRIPTION, Sender, Writes};
use crate::aws::Writer;
use crate::control::{AwsWrite, Call, Extent};
use crate::controls::events_rule::{
    self, Create, ForwardingRole, PUT_TARGETS, Replace, default_bus, role_arn, target,
};
use crate::fault::{Fault, FaultKind};
use crate::place::{Region, Scope};

/// PutRule replaces everything, so the rule is listed again right before, with its targets.
pub const PUT_RULE: Call = Call::needing(
    "events:PutRule",
    &["events:PutRule", "events:ListRules", "events:ListTargetsByRule", "events:TagResource"],
);

// One role for all regions, made and kept in the queue's region, which need not be the account's home.
pub const CREATE_ROLE: Call = events_rule::CREATE_ROLE.reaching(Extent::Account);
pub const TRUST: Call = events_rule::TRUST.reaching(Extent::Account);
pub const ALLOW_ROLE: Call = events_rule::ALLOW_ROLE.reaching(Extent::Account);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Write {
    Create {
        sender: Sender,
        /// Tells what it will match from what another version of `baseline` would have it match.
        contents: String,
        tags: BTreeMap<String, String>,
    },
    /// What is left out stays as it is.
    Update {
        sender: Sender,
        contents: Option<String>,
        on: Option<bool>,
    },
    Target {
        sender: Sender,
        to: Destination,
    },
    CreateRole {
        queue: Queue,
        tags: BTreeMap<String, String>,
    },
    /// Lets EventBridge take the role that is there; whom else it trusts stays.
    Trust {
        queue: Queue,
    },
    /// Lets the role send to the queue, and to the default bus of the queue's region.
    AllowRole {
        queue: Queue,
    },
}

/// Where hints go from a region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Destination {
    /// In the queue's region.
    Queue(Queue),
    /// The default bus of the account in the queue's region.
    Home { region: Region },
}

impl Destination {
    pub fn of(queue: &Queue, here: &Region) -> Self {
        if queue.region == *here {
            Self::Queue(queue.clone())
        } else {
            Self::Home { region: queue.region.clone() }
        }
    }

    pub fn arn(&self, scope: &Scope) -> String {
        match self {
            Self::Queue(queue) => queue.arn(),
            Self::Home { region } => default_bus(scope, region),
        }
    }
}

/// The role as it is to be in an account.
pub fn role(scope: &Scope, queue: &Queue) -> ForwardingRole {
    ForwardingRole {
        name: ROLE,
        description: ROLE_DESCRIPTION,
        trust: rules::trust(json!(scope.account)),
        allows: rules::allows(json!(queue.arn()), json!(default_bus(scope, &queue.region))),
    }
}

/// What makes a rule send: a pattern, or a schedule.
#[derive(Serialize)]
pub struct Contents {
    pub pattern: Option<Value>,
    pub schedule: Option<String>,
}

impl Contents {
    /// What this sender is to have in a region, beside or in the place of what is there.
    pub fn of(sender: Sender, ours: &[Writes], here: &Region, live: Option<&Value>) -> Option<Self> {
        let matching = |pattern| Some(Self { pattern: Some(pattern), schedule: None });
        match sender {
            Sender::Writes(number) => matching(rules::joined(live, ours.get(number.checked_sub(1)?)?)),
            Sender::Heartbeat => Some(Self { pattern: None, schedule: Some(rules::schedule()) }),
            Sender::Heartbeats => matching(rules::heartbeats(json!(here))),
        }
    }

    pub fn digest(&self) -> String {
        crate::digest::short(self, 6)
    }
}

impl AwsWrite for Write {
    fn call(&self) -> &'static Call {
        match self {
            Self::Create { .. } | Self::Update { .. } => const { &PUT_RULE },
            Self::Target { .. } => const { &PUT_TARGETS },
            Self::CreateRole { .. } => const { &CREATE_ROLE },
            Self::Trust { .. } => const { &TRUST },
            Self::AllowRole { .. } => const { &ALLOW_ROLE },
        }
    }
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create { sender, .. } => write!(f, "create the rule {}", sender.rule()),
            Self::Update { sender, on: Some(false), .. } => write!(f, "turn the rule {} off", sender.rule()),
            Self::Update { sender, .. } => write!(f, "put the rule {}", sender.rule()),
            Self::Target { sender, to: Destination::Queue(_) } => {
                write!(f, "send what {} matches to the queue", sender.rule())
            }
            Self::Target { sender, to: Destination::Home { region } } => {
                write!(f, "send what {} matches to {region}", sender.rule())
            }
            Self::CreateRole { .. } => write!(f, "create the role {ROLE}"),
            Self::Trust { .. } => write!(f, "let EventBridge take the role {ROLE}"),
            Self::AllowRole { .. } => write!(f, "let the role {ROLE} send to the queue"),
        }
    }
}

impl Write {
    pub async fn send(&self, aws: &Writer, ours: &[Writes]) -> Result<(), Fault> {
        let (events, here) = (aws.events(), &aws.scope.region);
        match self {
            Self::Create { sender, contents, tags } => {
                let new = Contents::of(*sender, ours, here, None).filter(|new| new.digest() == *contents);
                let Contents { pattern, schedule } = new.ok_or_else(otherwise)?;
                let (name, description) = (sender.rule(), sender.description());
                let rule = Create { name: &name, description, pattern, schedule: schedule.as_deref(), tags };
                rule.send(&events).await
            }
            Self::Update { sender, contents, on } => {
                let name = sender.rule();
                let mut rule = Replace::listed(&events, &name).await?;
                if let Some(contents) = contents {
                    let new = Contents::of(*sender, ours, here, rule.live.pattern.as_ref());
                    let new = new.filter(|new| new.digest() == *contents).ok_or_else(otherwise)?;
                    rule.live.pattern = new.pattern.or(rule.live.pattern);
                    rule.live.schedule = new.schedule.or(rule.live.schedule);
                }
                rule.send(&events, *on).await
            }
            Self::Target { sender, to } => {
                let (arn, role) = (to.arn(&aws.scope), role_arn(&aws.scope, ROLE));
                target(&events, &sender.rule(), arn, Some(role)).await
            }
            Self::CreateRole { queue, tags } => role(&aws.scope, queue).create(&aws.iam(), tags).await,
            Self::Trust { queue } => role(&aws.scope, queue).trust(&aws.iam()).await,
            Self::AllowRole { queue } => role(&aws.scope, queue).allow(&aws.iam()).await,
        }
    }
}

/// Another version planned it, or the rule has changed since.
fn otherwise() -> Fault {
    let message = "what the rule is to match is not what was planned: plan again";
    Fault::local(FaultKind::Conflict, PUT_RULE.operation, message)
}
