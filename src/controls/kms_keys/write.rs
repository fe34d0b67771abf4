//! The writes: by alias, with ids looked up when they run.

use std::collections::BTreeMap;
use std::fmt;

use aws_sdk_kms::types::Tag;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::live::{locate, policy_of};
use super::services::{Place, Service, Source};
use super::spec::MARK;
use super::statement::{Statement, keeps_owner, owner};
use crate::aws::{Writer, fault};
use crate::control::{AwsWrite, Call};
use crate::diff::policy::with_statements;
use crate::fault::{Fault, FaultKind};
use crate::place::Scope;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Write {
    Create { alias: String, description: String, policy: Ours, tags: BTreeMap<String, String> },
    Name { alias: String },
    Rotate { alias: String, days: u32 },
    StopRotating { alias: String },
    Describe { alias: String, description: String },
    Tag { alias: String, tags: BTreeMap<String, String> },
    PutPolicy { alias: String, policy: Ours },
    CancelDeletion { alias: String },
    Enable { alias: String },
}

/// Our part of a key policy.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ours {
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub services: BTreeMap<Service, Source>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub statements: BTreeMap<String, Statement>,
}

impl Ours {
    /// The statements themselves, without the owner's.
    pub fn statements(&self, scope: &Scope) -> Vec<Value> {
        let at = Place::from(scope);
        let services = self.services.iter().map(|(service, source)| service.statement(source, &at));
        services.chain(self.statements.iter().map(|(sid, statement)| statement.named(sid))).collect()
    }

    /// The policy `live` with ours in it, and with the account itself: nobody locks it out.
    pub fn within(&self, live: Option<&Value>, scope: &Scope) -> Value {
        let partition = scope.region.partition();
        let mut ours = self.statements(scope);
        if !live.is_some_and(|live| keeps_owner(live, partition, &scope.account)) {
            ours.insert(0, owner(partition, &scope.account));
        }
        with_statements(live, &ours)
    }
}

// The key's id is looked up by the role that writes.
const DESCRIBE: &str = "kms:DescribeKey";
const LIST: &str = "kms:ListKeys";
const TAGS: &str = "kms:ListResourceTags";

/// There is no client token: the same request twice makes two keys.
pub const CREATE: Call = Call::needing("kms:CreateKey", &["kms:CreateKey", "kms:TagResource"]).once();
pub const NAME: Call = Call::needing("kms:CreateAlias", &["kms:CreateAlias", DESCRIBE, LIST, TAGS]);
pub const ROTATE: Call =
    Call::needing("kms:EnableKeyRotation", &["kms:EnableKeyRotation", DESCRIBE, LIST, TAGS]);
pub const STOP_ROTATING: Call =
    Call::needing("kms:DisableKeyRotation", &["kms:DisableKeyRotation", DESCRIBE, LIST, TAGS]);
pub const UPDATE_DESCRIPTION: Call =
    Call::needing("kms:UpdateKeyDescription", &["kms:UpdateKeyDescription", DESCRIBE, LIST, TAGS]);
pub const TAG: Call = Call::needing("kms:TagResource", &["kms:TagResource", DESCRIBE, LIST, TAGS]);
pub const PUT_POLICY: Call =
    Call::needing("kms:PutKeyPolicy", &["kms:PutKeyPolicy", "kms:GetKeyPolicy", DESCRIBE, LIST, TAGS]);
pub const CANCEL_DELETION: Call =
    Call::needing("kms:CancelKeyDeletion", &["kms:CancelKeyDeletion", DESCRIBE, LIST, TAGS]);
pub const ENABLE: Call = Call::needing("kms:EnableKey", &["kms:EnableKey", DESCRIBE, LIST, TAGS]);

impl AwsWrite for Write {
    fn call(&self) -> &'static Call {
        match self {
            Self::Create { .. } => const { &CREATE },
            Self::Name { .. } => const { &NAME },
            Self::Rotate { .. } => const { &ROTATE },
            Self::StopRotating { .. } => const { &STOP_ROTATING },
            Self::Describe { .. } => const { &UPDATE_DESCRIPTION },
            Self::Tag { .. } => const { &TAG },
            Self::PutPolicy { .. } => const { &PUT_POLICY },
            Self::CancelDeletion { .. } => const { &CANCEL_DELETION },
            Self::Enable { .. } => const { &ENABLE },
        }
    }
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create { alias, .. } => write!(f, "create a key for {alias}"),
            Self::Name { alias } => write!(f, "name the key {alias}"),
            Self::Rotate { alias, days } => write!(f, "rotate {alias} every {days} days"),
            Self::StopRotating { alias } => write!(f, "stop rotating {alias}"),
            Self::Describe { alias, .. } => write!(f, "describe {alias}"),
            Self::Tag { alias, .. } => write!(f, "tag {alias}"),
            Self::PutPolicy { alias, .. } => write!(f, "put the key policy of {alias}"),
            Self::CancelDeletion { alias } => write!(f, "cancel the deletion of {alias}"),
            Self::Enable { alias } => write!(f, "enable {alias}"),
        }
    }
}

fn tags_of(tags: &BTreeMap<String, String>, call: &str) -> Result<Vec<Tag>, Fault> {
    let tag = |(name, value): (&String, &String)| Tag::builder().tag_key(name).tag_value(value).build();
    let tags: Result<_, _> = tags.iter().map(tag).collect();
    tags.map_err(|error| Fault::local(FaultKind::Invalid, call, error.to_string()))
}

impl Write {
    fn alias(&self) -> &str {
        match self {
            Self::Create { alias, .. }
            | Self::Name { alias }
            | Self::Rotate { alias, .. }
            | Self::StopRotating { alias }
            | Self::Describe { alias, .. }
            | Self::Tag { alias, .. }
            | Self::PutPolicy { alias, .. }
            | Self::CancelDeletion { alias }
            | Self::Enable { alias } => alias,
        }
    }

    pub async fn send(&self, aws: &Writer) -> Result<(), Fault> {
        let kms = aws.kms();
        let call = self.call().operation;
        if let Self::Create { alias, description, policy, tags } = self {
            let mut tags = tags.clone();
            tags.insert(MARK.into(), alias.clone());
            let request = kms
                .create_key()
                .description(description)
                .policy(policy.within(None, &aws.scope).to_string())
                .set_tags(Some(tags_of(&tags, call)?));
            return request.send().await.map(drop).map_err(fault(call));
        }
        let id = locate(&kms, self.alias(), call).await?;
        match self {
            Self::Create { .. } => Ok(()),
            Self::Name { alias } => {
                let request = kms.create_alias().alias_name(alias).target_key_id(id);
                request.send().await.map(drop).map_err(fault(call))
            }
            Self::Rotate { days, .. } => {
                let days = i32::try_from(*days).unwrap_or(i32::MAX);
                let request = kms.enable_key_rotation().key_id(id).rotation_period_in_days(days);
                request.send().await.map(drop).map_err(fault(call))
            }
            Self::StopRotating { .. } => {
                kms.disable_key_rotation().key_id(id).send().await.map(drop).map_err(fault(call))
            }
            Self::Describe { description, .. } => {
                let request = kms.update_key_description().key_id(id).description(description);
                request.send().await.map(drop).map_err(fault(call))
            }
            Self::Tag { tags, .. } => {
                let request = kms.tag_resource().key_id(id).set_tags(Some(tags_of(tags, call)?));
                request.send().await.map(drop).map_err(fault(call))
            }
            // What others have written since the look stays: the policy is read again right before.
            Self::PutPolicy { policy, .. } => {
                let live = policy_of(&kms, &id).await?;
                let whole = policy.within(Some(&live), &aws.scope).to_string();
                let request = kms.put_key_policy().key_id(id).policy(whole);
                request.send().await.map(drop).map_err(fault(call))
            }
            Self::CancelDeletion { .. } => {
                kms.cancel_key_deletion().key_id(id).send().await.map(drop).map_err(fault(call))
            }
            Self::Enable { .. } => kms.enable_key().key_id(id).send().await.map(drop).map_err(fault(call)),
        }
    }
}
