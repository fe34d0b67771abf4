//! The writes: in names. What a call replaces whole is read again just before it, so that what others set
//! since is sent back.

use std::collections::BTreeMap;
use std::fmt;

use aws_sdk_s3::types::{
    BucketLocationConstraint, BucketLoggingStatus, BucketNamespace, BucketVersioningStatus,
    CreateBucketConfiguration, DefaultRetention, LoggingEnabled, ObjectLockConfiguration, ObjectLockEnabled,
    ObjectLockRetentionMode, ObjectLockRule, ObjectOwnership, OwnershipControls, OwnershipControlsRule,
    PublicAccessBlockConfiguration, ServerSideEncryption, ServerSideEncryptionByDefault,
    ServerSideEncryptionConfiguration, ServerSideEncryptionRule, Tag, VersioningConfiguration,
};
use serde::{Deserialize, Serialize};

use super::lifecycle;
use super::live::{self, get, unless};
use super::policy::Wanted;
use super::spec::{Days, Encryption, LockMode, Ownership};
use crate::aws::{Writer, fault};
use crate::control::{AwsWrite, Call, Known, Thing};
use crate::diff::policy::with_statements;
use crate::fault::{Fault, FaultKind};

/// One call to one bucket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Write {
    pub bucket: String,
    pub what: What,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum What {
    #[serde(rename_all = "camelCase")]
    Create {
        /// In the namespace of the account and region.
        account_regional: bool,
        object_lock: bool,
        ownership: Option<Ownership>,
        tags: BTreeMap<String, String>,
    },
    Versioning {
        on: bool,
    },
    PublicAccess {
        blocked: bool,
    },
    Ownership {
        ownership: Ownership,
    },
    /// What is not said is sent as it is.
    #[serde(rename_all = "camelCase")]
    Encryption {
        encryption: Option<Encryption>,
        key: Option<Thing>,
        bucket_key: Option<bool>,
    },
    Policy(Wanted),
    ObjectLock {
        retention: Option<Retention>,
    },
    Lifecycle {
        expire: Option<Days>,
        noncurrent: Option<Days>,
        uploads: Option<Days>,
    },
    /// `None` turns access logs off.
    AccessLogs {
        bucket: Option<String>,
        prefix: String,
    },
}

/// One of days and years.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retention {
    pub mode: LockMode,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub years: Option<u32>,
}

/// The permissions that the request's parts take (API reference, CreateBucket, "Permissions").
pub const CREATE: Call = Call::needing(
    "s3:CreateBucket",
    &[
        "s3:CreateBucket",
        "s3:PutBucketObjectLockConfiguration",
        "s3:PutBucketOwnershipControls",
        "s3:PutBucketVersioning",
        "s3:TagResource",
    ],
);
pub const PUT_VERSIONING: Call = Call::new("s3:PutBucketVersioning");
pub const PUT_PUBLIC_ACCESS: Call =
    Call::needing("s3:PutPublicAccessBlock", &["s3:PutBucketPublicAccessBlock"]);
pub const PUT_OWNERSHIP: Call = Call::new("s3:PutBucketOwnershipControls");
pub const PUT_ENCRYPTION: Call = Call::needing(
    "s3:PutBucketEncryption",
    &["s3:GetEncryptionConfiguration", "s3:PutEncryptionConfiguration"],
);
pub const PUT_POLICY: Call =
    Call::needing("s3:PutBucketPolicy", &["s3:GetBucketPolicy", "s3:PutBucketPolicy"]);
pub const PUT_OBJECT_LOCK: Call = Call::needing(
    "s3:PutObjectLockConfiguration",
    &["s3:GetBucketObjectLockConfiguration", "s3:PutBucketObjectLockConfiguration"],
);
pub const PUT_LIFECYCLE: Call = Call::needing(
    "s3:PutBucketLifecycleConfiguration",
    &["s3:GetLifecycleConfiguration", "s3:PutLifecycleConfiguration"],
);
pub const PUT_ACCESS_LOGS: Call =
    Call::needing("s3:PutBucketLogging", &["s3:GetBucketLogging", "s3:PutBucketLogging"]);

impl AwsWrite for Write {
    fn call(&self) -> &'static Call {
        match self.what {
            What::Create { .. } => const { &CREATE },
            What::Versioning { .. } => const { &PUT_VERSIONING },
            What::PublicAccess { .. } => const { &PUT_PUBLIC_ACCESS },
            What::Ownership { .. } => const { &PUT_OWNERSHIP },
            What::Encryption { .. } => const { &PUT_ENCRYPTION },
            What::Policy(_) => const { &PUT_POLICY },
            What::ObjectLock { .. } => const { &PUT_OBJECT_LOCK },
            What::Lifecycle { .. } => const { &PUT_LIFECYCLE },
            What::AccessLogs { .. } => const { &PUT_ACCESS_LOGS },
        }
    }
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bucket = &self.bucket;
        match &self.what {
            What::Create { .. } => write!(f, "create bucket {bucket}"),
            What::Versioning { on: true } => write!(f, "keep old versions in {bucket}"),
            What::Versioning { on: false } => write!(f, "suspend versioning of {bucket}"),
            What::PublicAccess { blocked: true } => write!(f, "block public access to {bucket}"),
            What::PublicAccess { blocked: false } => write!(f, "let public access to {bucket} be granted"),
            What::Ownership { ownership } => write!(f, "set ownership in {bucket} to {}", ownership.word()),
            What::Encryption { .. } => write!(f, "put the encryption of {bucket}"),
            What::Policy(_) => write!(f, "put our statements into the policy of {bucket}"),
            What::ObjectLock { retention: Some(_) } => write!(f, "lock what is put into {bucket}"),
            What::ObjectLock { retention: None } => write!(f, "end the retention of new objects in {bucket}"),
            What::Lifecycle { .. } => write!(f, "put our rule into the lifecycle of {bucket}"),
            What::AccessLogs { bucket: Some(to), .. } => write!(f, "log access to {bucket} in {to}"),
            What::AccessLogs { bucket: None, .. } => write!(f, "turn access logs of {bucket} off"),
        }
    }
}

/// A bucket that was just made is not known everywhere at once ("bucket configurations have an eventual
/// consistency model", S3 User Guide).
fn soon(fault: Fault) -> Fault {
    if fault.code == "NoSuchBucket" { Fault { kind: FaultKind::NotReady, ..fault } } else { fault }
}

/// A part of a request without a field that the model requires: this program's mistake.
fn incomplete(error: impl fmt::Display) -> Fault {
    Fault::local(FaultKind::Invalid, "s3", error.to_string())
}

/// Sends a write that names bucket and owner.
macro_rules! put {
    ($aws:expr, $bucket:expr, $operation:ident, $call:ident $(, $field:ident: $value:expr)+) => {
        Box::pin(
            $aws.s3()
                .$operation()
                .bucket($bucket)
                .expected_bucket_owner($aws.scope.account.as_str())
                $(.$field($value))+
                .send(),
        )
        .await
            .map(drop)
            .map_err(fault($call.operation))
    };
}

impl Write {
    pub async fn send(&self, aws: &Writer, known: &Known) -> Result<(), Fault> {
        Box::pin(self.sent(aws, known)).await.map_err(soon)
    }

    async fn sent(&self, aws: &Writer, known: &Known) -> Result<(), Fault> {
        let bucket = self.bucket.as_str();
        match &self.what {
            What::Create { .. } => self.create(aws).await,
            What::Versioning { on } => {
                let status =
                    if *on { BucketVersioningStatus::Enabled } else { BucketVersioningStatus::Suspended };
                let wanted = VersioningConfiguration::builder().status(status).build();
                put!(aws, bucket, put_bucket_versioning, PUT_VERSIONING, versioning_configuration: wanted)
            }
            What::PublicAccess { blocked } => {
                let wanted = PublicAccessBlockConfiguration::builder()
                    .block_public_acls(*blocked)
                    .ignore_public_acls(*blocked)
                    .block_public_policy(*blocked)
                    .restrict_public_buckets(*blocked)
                    .build();
                put!(aws, bucket, put_public_access_block, PUT_PUBLIC_ACCESS,
                    public_access_block_configuration: wanted)
            }
            What::Ownership { ownership } => {
                let rule = OwnershipControlsRule::builder()
                    .object_ownership(ObjectOwnership::from(ownership.word()))
                    .build()
                    .map_err(incomplete)?;
                let wanted = OwnershipControls::builder().rules(rule).build().map_err(incomplete)?;
                put!(aws, bucket, put_bucket_ownership_controls, PUT_OWNERSHIP, ownership_controls: wanted)
            }
            What::Encryption { encryption, key, bucket_key } => {
                encrypt(aws, known, bucket, *encryption, key.as_ref(), *bucket_key).await
            }
            What::Policy(wanted) => {
                let live = live::parse(get!(aws, get_bucket_policy, "s3:GetBucketPolicy", bucket))?;
                let live = live::set(&live);
                let partition = aws.scope.region.partition();
                let merged = with_statements(live, &wanted.statements(partition, bucket, live));
                put!(aws, bucket, put_bucket_policy, PUT_POLICY, policy: merged.to_string())
            }
            What::ObjectLock { retention } => lock(aws, bucket, retention.as_ref()).await,
            What::Lifecycle { expire, noncurrent, uploads } => {
                lifecycle::put(aws, bucket, [*expire, *noncurrent, *uploads]).await
            }
            What::AccessLogs { bucket: to, prefix } => log(aws, bucket, to.as_deref(), prefix).await,
        }
    }

    /// Somebody's own bucket again is no error: the look after it decides.
    async fn create(&self, aws: &Writer) -> Result<(), Fault> {
        let What::Create { account_regional, object_lock, ownership, tags } = &self.what else {
            return Ok(());
        };
        let region = aws.scope.region.as_str();
        let tags: Vec<Tag> = tags
            .iter()
            .map(|(key, value)| Tag::builder().key(key).value(value).build())
            .collect::<Result<_, _>>()
            .map_err(incomplete)?;
        // us-east-1 has no name here (API reference, CreateBucketConfiguration).
        let place = (region != "us-east-1").then(|| BucketLocationConstraint::from(region));
        let configuration = (place.is_some() || !tags.is_empty()).then(|| {
            CreateBucketConfiguration::builder()
                .set_location_constraint(place)
                .set_tags((!tags.is_empty()).then_some(tags))
                .build()
        });
        let sent = aws
            .s3()
            .create_bucket()
            .bucket(&self.bucket)
            .set_create_bucket_configuration(configuration)
            .set_bucket_namespace(account_regional.then_some(BucketNamespace::AccountRegional))
            .set_object_lock_enabled_for_bucket(object_lock.then_some(true))
            .set_object_ownership(ownership.map(|ownership| ObjectOwnership::from(ownership.word())))
            .send()
            .await
            .map(drop)
            .map_err(fault(CREATE.operation));
        match sent {
            Err(fault) if fault.code == "BucketAlreadyOwnedByYou" => Ok(()),
            Err(fault) if fault.code == "BucketAlreadyExists" => Err(Fault {
                kind: FaultKind::Invalid,
                message: format!("bucket {} belongs to another account: choose another name", self.bucket),
                ..fault
            }),
            sent => sent,
        }
    }
}

async fn encrypt(
    aws: &Writer,
    known: &Known,
    bucket: &str,
    encryption: Option<Encryption>,
    key: Option<&Thing>,
    bucket_key: Option<bool>,
) -> Result<(), Fault> {
    let live = match get!(aws, get_bucket_encryption, "s3:GetBucketEncryption", bucket) {
        Ok(answer) => answer.server_side_encryption_configuration,
        Err(fault) => unless(fault, "ServerSideEncryptionConfigurationNotFoundError", None)?,
    };
    let live = live.and_then(|live| live.rules.into_iter().next());
    let by_default = live.as_ref().and_then(|rule| rule.apply_server_side_encryption_by_default.clone());
    let algorithm = by_default.as_ref().map(|by| by.sse_algorithm.clone());
    let by_default = match (encryption, key) {
        (Some(Encryption::Key), Some(key)) => {
            let arn = known.arn(key).ok_or_else(|| {
                let message = format!("{key} is not there");
                Fault::local(FaultKind::NotFound, PUT_ENCRYPTION.operation, message)
            })?;
            // Two layers are not made one.
            let two = algorithm.filter(|live| *live == ServerSideEncryption::AwsKmsDsse);
            let with_key = ServerSideEncryptionByDefault::builder()
                .sse_algorithm(two.unwrap_or(ServerSideEncryption::AwsKms))
                .kms_master_key_id(arn);
            Some(with_key.build().map_err(incomplete)?)
        }
        (None, _) => by_default,
        (Some(_), _) => None,
    };
    let by_default = match by_default {
        Some(by_default) => by_default,
        None => ServerSideEncryptionByDefault::builder()
            .sse_algorithm(ServerSideEncryption::Aes256)
            .build()
            .map_err(incomplete)?,
    };
    let rule = ServerSideEncryptionRule::builder()
        .apply_server_side_encryption_by_default(by_default)
        .set_bucket_key_enabled(bucket_key.or(live.as_ref().and_then(|rule| rule.bucket_key_enabled)))
        .set_blocked_encryption_types(live.and_then(|rule| rule.blocked_encryption_types))
        .build();
    let wanted = ServerSideEncryptionConfiguration::builder().rules(rule).build().map_err(incomplete)?;
    put!(aws, bucket, put_bucket_encryption, PUT_ENCRYPTION, server_side_encryption_configuration: wanted)
}

async fn lock(aws: &Writer, bucket: &str, retention: Option<&Retention>) -> Result<(), Fault> {
    let live = match get!(aws, get_object_lock_configuration, "s3:GetObjectLockConfiguration", bucket) {
        Ok(answer) => answer.object_lock_configuration,
        Err(fault) => unless(fault, "ObjectLockConfigurationNotFoundError", None)?,
    };
    let hold = live.and_then(|live| live.rule?.default_retention?.default_event_hold);
    let number = |number: Option<u32>| number.and_then(|number| i32::try_from(number).ok());
    let rule = retention.map(|retention| {
        let wanted = DefaultRetention::builder()
            .mode(ObjectLockRetentionMode::from(retention.mode.word()))
            .set_days(number(retention.days))
            .set_years(number(retention.years))
            .set_default_event_hold(hold)
            .build();
        ObjectLockRule::builder().default_retention(wanted).build()
    });
    let wanted = ObjectLockConfiguration::builder()
        .object_lock_enabled(ObjectLockEnabled::Enabled)
        .set_rule(rule)
        .build();
    put!(aws, bucket, put_object_lock_configuration, PUT_OBJECT_LOCK, object_lock_configuration: wanted)
}

/// Grants and the form of keys stay as they are.
async fn log(aws: &Writer, bucket: &str, to: Option<&str>, prefix: &str) -> Result<(), Fault> {
    let live = get!(aws, get_bucket_logging, "s3:GetBucketLogging", bucket)?.logging_enabled;
    let wanted = match to {
        None => None,
        Some(to) => Some(
            LoggingEnabled::builder()
                .target_bucket(to)
                .target_prefix(prefix)
                .set_target_grants(live.as_ref().and_then(|live| live.target_grants.clone()))
                .set_target_object_key_format(live.and_then(|live| live.target_object_key_format))
                .build()
                .map_err(incomplete)?,
        ),
    };
    let wanted = BucketLoggingStatus::builder().set_logging_enabled(wanted).build();
    put!(aws, bucket, put_bucket_logging, PUT_ACCESS_LOGS, bucket_logging_status: wanted)
}
