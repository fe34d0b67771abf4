//! What S3 says of the bucket.

use aws_sdk_s3::operation::get_bucket_policy::GetBucketPolicyOutput;
use aws_sdk_s3::types::{BucketVersioningStatus, MfaDeleteStatus, ObjectLockEnabled};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::lifecycle::{self, Rules};
use crate::aws::{Reader, fault};
use crate::fault::{Fault, FaultKind};

/// What must be looked at, in which bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Ask {
    /// Absent where it is not clear which bucket is meant.
    pub bucket: Option<String>,
    pub versioning: bool,
    pub encryption: bool,
    pub public_access: bool,
    pub ownership: bool,
    pub policy: bool,
    pub object_lock: bool,
    pub lifecycle: bool,
    pub access_logs: bool,
}

/// The bucket by its name, and what it is like where it exists.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Observed {
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bucket: Option<Bucket>,
}

/// A bucket. What was not asked is absent, and so is what could not be read, with its fault among `unread`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Bucket {
    pub versioning: Option<Versioning>,
    pub encryption: Option<Encrypted>,
    /// The four blocks, in the order of the API.
    pub public_access: Option<[bool; 4]>,
    /// As AWS says it; empty where nothing is set.
    pub ownership: Option<String>,
    /// An empty object where there is none: `null` would be read back as not asked.
    pub policy: Option<Value>,
    pub object_lock: Option<ObjectLock>,
    pub lifecycle: Option<Rules>,
    pub access_logs: Option<AccessLogs>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<Fault>,
}

impl Bucket {
    /// Why there is no answer to a read.
    pub fn unread(&self, call: &str) -> Fault {
        let told = self.unread.iter().find(|fault| fault.call == call).cloned();
        told.unwrap_or_else(|| Fault::not_asked(call))
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Versioning {
    pub enabled: bool,
    pub mfa_delete: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Encrypted {
    /// As AWS says it: `AES256`, `aws:kms`.
    pub algorithm: String,
    /// As it was put: an ARN, an id or an alias.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    pub bucket_key: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ObjectLock {
    pub enabled: bool,
    /// As AWS says it; absent where new objects get no retention.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub days: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub years: Option<u32>,
}

impl ObjectLock {
    /// How long an object is kept, as a number to compare by.
    pub fn in_days(&self) -> u32 {
        self.days.unwrap_or_default().saturating_add(self.years.unwrap_or_default().saturating_mul(365))
    }
}

/// Empty where S3 writes no access logs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AccessLogs {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bucket: Option<String>,
    pub prefix: String,
}

/// Every call names the owner that it expects, so that a bucket of the same name in strange hands is an error.
pub async fn read(aws: &Reader, ask: &Ask) -> Result<Observed, Fault> {
    let Some(name) = &ask.bucket else { return Ok(Observed::default()) };
    let observed = |bucket| Observed { name: name.clone(), bucket };
    if !exists(aws, name).await? {
        return Ok(observed(None));
    }
    let answers = futures::join!(
        asked(ask.versioning, versioning(aws, name)),
        asked(ask.encryption, encryption(aws, name)),
        asked(ask.public_access, public_access(aws, name)),
        asked(ask.ownership, ownership(aws, name)),
        asked(ask.policy, policy(aws, name)),
        asked(ask.object_lock, object_lock(aws, name)),
        asked(ask.lifecycle, lifecycle::read(aws, name)),
        asked(ask.access_logs, access_logs(aws, name)),
    );
    let mut unread = Vec::new();
    let bucket = Bucket {
        versioning: seen(answers.0, &mut unread),
        encryption: seen(answers.1, &mut unread),
        public_access: seen(answers.2, &mut unread),
        ownership: seen(answers.3, &mut unread),
        policy: seen(answers.4, &mut unread),
        object_lock: seen(answers.5, &mut unread),
        lifecycle: seen(answers.6, &mut unread),
        access_logs: seen(answers.7, &mut unread),
        unread,
    };
    Ok(observed(Some(bucket)))
}

async fn asked<T>(asked: bool, answer: impl Future<Output = Result<T, Fault>>) -> Option<Result<T, Fault>> {
    // On the heap: eight calls at once would fill a thread's stack.
    if asked { Some(Box::pin(answer).await) } else { None }
}

/// One read that failed makes one rule unknown, and not the bucket.
fn seen<T>(answer: Option<Result<T, Fault>>, unread: &mut Vec<Fault>) -> Option<T> {
    answer?.map_err(|fault| unread.push(fault)).ok()
}

/// HeadBucket answers without a body, so the status has to say why: 403 is somebody else's bucket, or a role
/// that may not look, and 301 another region.
async fn exists(aws: &Reader, name: &str) -> Result<bool, Fault> {
    let (owner, region) = (aws.scope.account.as_str(), &aws.scope.region);
    let error = match aws.s3().head_bucket().bucket(name).expected_bucket_owner(owner).send().await {
        Ok(_) => return Ok(true),
        Err(error) if error.as_service_error().is_some_and(|error| error.is_not_found()) => return Ok(false),
        Err(error) => error,
    };
    let status = error.raw_response().map(|response| response.status().as_u16());
    let fault = fault("s3:HeadBucket")(error);
    Err(match status {
        Some(403) => Fault {
            kind: FaultKind::Denied,
            message: format!(
                "bucket {name} belongs to another account than {owner}, or this role may not look at it"
            ),
            ..fault
        },
        Some(301 | 400) => Fault {
            kind: FaultKind::Invalid,
            message: format!("bucket {name} is in another region than {region}"),
            ..fault
        },
        _ => fault,
    })
}

/// The fault of a read, or what it means where it only says that nothing is set.
pub fn unless<T>(fault: Fault, code: &str, nothing: T) -> Result<T, Fault> {
    if fault.code == code { Ok(nothing) } else { Err(fault) }
}

/// Sends a read that names bucket and owner.
macro_rules! get {
    ($aws:expr, $operation:ident, $call:literal, $name:expr) => {
        Box::pin(
            $aws.s3().$operation().bucket($name).expected_bucket_owner($aws.scope.account.as_str()).send(),
        )
        .await
        .map_err($crate::aws::fault($call))
    };
}
pub(super) use get;

async fn versioning(aws: &Reader, name: &str) -> Result<Versioning, Fault> {
    let answer = get!(aws, get_bucket_versioning, "s3:GetBucketVersioning", name)?;
    Ok(Versioning {
        enabled: answer.status == Some(BucketVersioningStatus::Enabled),
        mfa_delete: answer.mfa_delete == Some(MfaDeleteStatus::Enabled),
    })
}

async fn encryption(aws: &Reader, name: &str) -> Result<Encrypted, Fault> {
    let answer = match get!(aws, get_bucket_encryption, "s3:GetBucketEncryption", name) {
        Ok(answer) => answer,
        // Only buckets of emulators: S3 encrypts every bucket since January 2023.
        Err(fault) => {
            return unless(fault, "ServerSideEncryptionConfigurationNotFoundError", Encrypted::default());
        }
    };
    let rules = answer.server_side_encryption_configuration.map(|c| c.rules).unwrap_or_default();
    let Some(rule) = rules.into_iter().next() else { return Ok(Encrypted::default()) };
    let bucket_key = rule.bucket_key_enabled == Some(true);
    let by_default = rule.apply_server_side_encryption_by_default;
    Ok(by_default.map_or_else(Encrypted::default, |by| Encrypted {
        algorithm: by.sse_algorithm.as_str().to_owned(),
        key: by.kms_master_key_id,
        bucket_key,
    }))
}

async fn public_access(aws: &Reader, name: &str) -> Result<[bool; 4], Fault> {
    let answer = match get!(aws, get_public_access_block, "s3:GetPublicAccessBlock", name) {
        Ok(answer) => answer,
        Err(fault) => return unless(fault, "NoSuchPublicAccessBlockConfiguration", [false; 4]),
    };
    let blocks = answer.public_access_block_configuration;
    Ok(blocks.map_or([false; 4], |blocks| {
        [
            blocks.block_public_acls,
            blocks.ignore_public_acls,
            blocks.block_public_policy,
            blocks.restrict_public_buckets,
        ]
        .map(|on| on == Some(true))
    }))
}

async fn ownership(aws: &Reader, name: &str) -> Result<String, Fault> {
    let answer = match get!(aws, get_bucket_ownership_controls, "s3:GetBucketOwnershipControls", name) {
        Ok(answer) => answer,
        Err(fault) => return unless(fault, "OwnershipControlsNotFoundError", String::new()),
    };
    let rules = answer.ownership_controls.map(|controls| controls.rules).unwrap_or_default();
    Ok(rules.first().map_or_else(String::new, |rule| rule.object_ownership.as_str().to_owned()))
}

async fn policy(aws: &Reader, name: &str) -> Result<Value, Fault> {
    parse(get!(aws, get_bucket_policy, "s3:GetBucketPolicy", name))
}

/// The policy as JSON; an empty object where there is none.
pub fn parse(answer: Result<GetBucketPolicyOutput, Fault>) -> Result<Value, Fault> {
    let text = match answer {
        Ok(answer) => answer.policy.unwrap_or_default(),
        Err(fault) => return unless(fault, "NoSuchBucketPolicy", json!({})),
    };
    serde_json::from_str(&text).map_err(|error| {
        let message = format!("the policy is not JSON: {error}");
        Fault::local(FaultKind::Invalid, "s3:GetBucketPolicy", message)
    })
}

/// The policy, where there is one.
pub fn set(policy: &Value) -> Option<&Value> {
    Some(policy).filter(|policy| policy.as_object().is_none_or(|policy| !policy.is_empty()))
}

async fn object_lock(aws: &Reader, name: &str) -> Result<ObjectLock, Fault> {
    let answer = match get!(aws, get_object_lock_configuration, "s3:GetObjectLockConfiguration", name) {
        Ok(answer) => answer,
        Err(fault) => {
            return unless(fault, "ObjectLockConfigurationNotFoundError", ObjectLock::default());
        }
    };
    let Some(live) = answer.object_lock_configuration else { return Ok(ObjectLock::default()) };
    let retention = live.rule.and_then(|rule| rule.default_retention);
    let number = |number: Option<i32>| number.and_then(|number| u32::try_from(number).ok());
    Ok(ObjectLock {
        enabled: live.object_lock_enabled == Some(ObjectLockEnabled::Enabled),
        mode: retention.as_ref().and_then(|r| r.mode.as_ref()).map(|mode| mode.as_str().to_owned()),
        // Emulators answer 0 for the one that is not set.
        days: retention.as_ref().and_then(|r| number(r.days)).filter(|days| *days > 0),
        years: retention.as_ref().and_then(|r| number(r.years)).filter(|years| *years > 0),
    })
}

async fn access_logs(aws: &Reader, name: &str) -> Result<AccessLogs, Fault> {
    let answer = get!(aws, get_bucket_logging, "s3:GetBucketLogging", name)?;
    Ok(answer.logging_enabled.map_or_else(AccessLogs::default, |live| AccessLogs {
        bucket: Some(live.target_bucket),
        prefix: live.target_prefix,
    }))
}
