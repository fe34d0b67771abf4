//! The writes: by name, with ARNs made when they run.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::pattern::{Source, Threshold};
use super::role::{self, ROLE};
use crate::aws::Writer;
use crate::control::{AwsWrite, Call};
use crate::controls::events_rule::{
    ALLOW_ROLE, CREATE_ROLE, Create, PUT_RULE, PUT_TARGETS, Replace, TRUST, default_bus, role_arn, target,
};
use crate::fault::Fault;
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
            Self::Bus { region, .. } => default_bus(scope, region),
        }
    }

    /// Topics let EventBridge in by their own policy (EventBridge User Guide, "Using resource-based policies").
    pub fn role(&self, scope: &Scope) -> Option<String> {
        match self {
            Self::Topic { .. } => None,
            Self::Bus { role, .. } => Some(role_arn(scope, role)),
        }
    }
}

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
                let rule = Create {
                    name: source.rule(),
                    description: source.description(),
                    pattern: Some(threshold.pattern()),
                    schedule: None,
                    tags,
                };
                rule.send(&events).await
            }
            Self::Update { source, threshold, on } => {
                let mut rule = Replace::read(&events, source.rule()).await?;
                if let Some(threshold) = threshold {
                    rule.live.pattern = Some(threshold.pattern());
                }
                rule.send(&events, *on).await
            }
            Self::Target { source, to } => {
                target(&events, source.rule(), to.arn(&aws.scope), to.role(&aws.scope)).await
            }
            Self::CreateRole { .. } | Self::Trust | Self::AllowRole { .. } => role::send(self, aws).await,
        }
    }
}
