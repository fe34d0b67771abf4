//! The writes, in names, and how each is sent.

use std::collections::BTreeMap;
use std::fmt;

use aws_sdk_cloudwatchlogs::types::LogGroupClass;
use serde::{Deserialize, Serialize};

use super::spec::Class;
use crate::aws::{Writer, fault};
use crate::control::{AwsWrite, Call, Known, Thing};
use crate::fault::{Fault, FaultKind};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Write {
    Create {
        group: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        class: Option<Class>,
        #[serde(skip_serializing_if = "Option::is_none")]
        key: Option<Thing>,
        #[serde(skip_serializing_if = "Option::is_none")]
        protected: Option<bool>,
        tags: BTreeMap<String, String>,
    },
    Retain {
        group: String,
        days: u32,
    },
    Encrypt {
        group: String,
        key: Thing,
    },
    EndEncryption {
        group: String,
    },
    Protect {
        group: String,
        on: bool,
    },
}

pub const CREATE: Call = Call::needing("logs:CreateLogGroup", &["logs:CreateLogGroup", "logs:TagResource"]);
pub const RETAIN: Call = Call::new("logs:PutRetentionPolicy");
/// "It can take up to 5 minutes for this operation to take effect" (API reference), but the list tells at once.
pub const ENCRYPT: Call = Call::new("logs:AssociateKmsKey");
pub const END_ENCRYPTION: Call = Call::new("logs:DisassociateKmsKey");
pub const PROTECT: Call = Call::new("logs:PutLogGroupDeletionProtection");

impl AwsWrite for Write {
    fn call(&self) -> &'static Call {
        match self {
            Self::Create { .. } => const { &CREATE },
            Self::Retain { .. } => const { &RETAIN },
            Self::Encrypt { .. } => const { &ENCRYPT },
            Self::EndEncryption { .. } => const { &END_ENCRYPTION },
            Self::Protect { .. } => const { &PROTECT },
        }
    }
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create { group, .. } => write!(f, "create log group {group}"),
            Self::Retain { group, days } => write!(f, "keep the events of {group} for {days} days"),
            Self::Encrypt { group, key } => write!(f, "encrypt {group} with {key}"),
            Self::EndEncryption { group } => write!(f, "end the encryption of {group} with a key"),
            Self::Protect { group, on: true } => write!(f, "protect {group} from being deleted"),
            Self::Protect { group, on: false } => write!(f, "let {group} be deleted"),
        }
    }
}

/// A key that CloudWatch Logs may not use, or does not see yet, is an invalid parameter to it: a new key or key
/// policy reaches it after a while, and a wrong one is answered in the same way.
fn key_fault(fault: Fault) -> Fault {
    let of_key = fault.kind == FaultKind::Invalid
        && fault.code == "InvalidParameterException"
        && fault.message.contains("KMS");
    if of_key { Fault { kind: FaultKind::NotReady, ..fault } } else { fault }
}

fn arn<'k>(known: &'k Known, key: &Thing, call: &Call) -> Result<&'k str, Fault> {
    let missing = || Fault::local(FaultKind::NotFound, call.operation, format!("{key} is not there"));
    known.arn(key).ok_or_else(missing)
}

impl Write {
    pub async fn send(&self, aws: &Writer, known: &Known) -> Result<(), Fault> {
        let logs = aws.logs();
        match self {
            Self::Create { group, class, key, protected, tags } => {
                let key = key.as_ref().map(|key| arn(known, key, &CREATE)).transpose()?;
                let tags = (!tags.is_empty()).then(|| tags.clone().into_iter().collect());
                let call = logs
                    .create_log_group()
                    .log_group_name(group)
                    .set_log_group_class(class.map(|class| LogGroupClass::from(class.word())))
                    .set_kms_key_id(key.map(str::to_owned))
                    .set_deletion_protection_enabled(*protected)
                    .set_tags(tags);
                call.send().await.map_err(fault(CREATE.operation)).map_err(key_fault)?;
            }
            Self::Retain { group, days } => {
                let days = i32::try_from(*days).unwrap_or(i32::MAX);
                let call = logs.put_retention_policy().log_group_name(group).retention_in_days(days);
                call.send().await.map_err(fault(RETAIN.operation))?;
            }
            Self::Encrypt { group, key } => {
                let key = arn(known, key, &ENCRYPT)?;
                let call = logs.associate_kms_key().log_group_name(group).kms_key_id(key);
                call.send().await.map_err(fault(ENCRYPT.operation)).map_err(key_fault)?;
            }
            Self::EndEncryption { group } => {
                let call = logs.disassociate_kms_key().log_group_name(group);
                call.send().await.map_err(fault(END_ENCRYPTION.operation))?;
            }
            Self::Protect { group, on } => {
                let call = logs
                    .put_log_group_deletion_protection()
                    .log_group_identifier(group)
                    .deletion_protection_enabled(*on);
                call.send().await.map_err(fault(PROTECT.operation))?;
            }
        }
        Ok(())
    }
}
