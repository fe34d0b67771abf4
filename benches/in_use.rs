//! What an account that is in use holds: all that the controls' examples declare, so that every read which a control
//! has is made, and little is left to change.

pub mod alarms;
pub mod notices;
mod recording;

use std::collections::BTreeMap;

use anyhow::Context as _;
use aws_sdk_ec2::types::{
    HttpTokensEnforcedState, HttpTokensState, InstanceMetadataEndpointState, InstanceMetadataTagsState,
    SnapshotBlockPublicAccessState,
};
use aws_sdk_ecr::types::{ImageTagMutability, ScanFrequency, ScanType};
use aws_sdk_guardduty::types::FindingPublishingFrequency;
use aws_sdk_kms::types::{KeySpec, OriginType};
use baseline::sandbox::cloudtrail::Trail;
use baseline::sandbox::ec2::Metadata;
use baseline::sandbox::ecr::Repository;
use baseline::sandbox::ecr::registry::Scanning;
use baseline::sandbox::guardduty::{Destination, Detector};
use baseline::sandbox::iam::{Mfa, PasswordPolicy, Role};
use baseline::sandbox::kms::Key;
use baseline::sandbox::logs::LogGroup;
use baseline::sandbox::s3::public::Block;
use baseline::sandbox::sample::MANAGEMENT;
use baseline::sandbox::{Account, Allows, DEFAULT_REGIONS, RegionState};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::sample::{BUCKET, HOME, KEY, ORGANIZATION, REPOSITORIES};

pub const DETECTOR: &str = "8ac7a7f2b5e64d1c9f3e0d2b1a4c5d6e";
pub const DESTINATION: &str = "4e2f1a7c9b3d5e6f8a0b1c2d3e4f5a6b";
pub const TRAIL: &str = "baseline";
pub const GROUP: &str = "baseline/trail-events";
pub const ROLE: &str = "baseline-cloudtrail";
/// The key that new volumes are encrypted with, by alias and by id.
pub const EBS_KEY: &str = "alias/acme/ebs";
pub const EBS_KEY_ID: &str = "5c4b7f02-6a1d-4e0b-8f3a-2d9c1b7e6a54";
/// The id of the archive's key, whose alias is [`KEY`].
pub const KEY_ID: &str = "0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d";

/// Reads that a control makes only where something is to be changed, and so not in an account that is in use.
pub const NOT_MADE: &[&str] = &[
    // `ec2.account-defaults`, before it closes what others may see.
    "ec2:DescribeImages",
    "ec2:DescribeSnapshots",
    // `kms.keys`, where an alias is missing.
    "kms:ListKeys",
    // `s3.account-public-access`, before it closes public buckets.
    "s3:GetBucketAcl",
    "s3:GetBucketPolicyStatus",
    "s3:ListBuckets",
];

const LIFECYCLE: &str = r#"{"rules":[{"rulePriority":1,"description":"untagged images go after two weeks",
    "selection":{"tagStatus":"untagged","countType":"sinceImagePushed","countUnit":"days","countNumber":14},
    "action":{"type":"expire"}}]}"#;

/// Furnishes an account in all its regions.
///
/// # Errors
///
/// When the account has no role to copy: a world without its roles.
pub fn account(account: &mut Account, watched: &alarms::Watched, since: Timestamp) -> anyhow::Result<()> {
    let id = account.id.clone();
    account.public_access.block = Some(Block::ALL);
    account.iam.root.mfa = Mfa::Hardware;
    account.iam.password_policy = Some(PasswordPolicy {
        minimum_length: 14,
        symbols: true,
        numbers: true,
        uppercase: true,
        lowercase: true,
        users_may_change: true,
        max_age: Some(90),
        reuse_prevention: Some(24),
        hard_expiry: Some(false),
    });
    for name in DEFAULT_REGIONS {
        let here = account.region(name);
        region(here, &id, since);
        recording::region(here, name, &id, since);
        notices::region(here, name, &id)?;
    }
    let home = account.region(HOME);
    let group = LogGroup { retention: Some(365), ..LogGroup::with_defaults(since) };
    home.logs.groups.insert(GROUP.to_owned(), group);
    home.cloudtrail.trails.insert(TRAIL.to_owned(), trail(&id, since));
    // The topic is encrypted with a key of its own account, which is called as the archive's is.
    if !home.kms.aliases.contains_key(KEY) {
        home.kms.keys.insert(KEY_ID.to_owned(), key(&policy(&[owner(&id)]), since));
        home.kms.aliases.insert(KEY.to_owned(), KEY_ID.to_owned());
    }
    watched.furnish(home, &id)?;
    notices::account(account, since)?;
    let config = json!({"Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"Service": "config.amazonaws.com"}});
    role(account, recording::ROLE, recording::ROLE_PATH, &config)?;
    let cloudtrail = json!({"Sid": "BaselineCloudTrail", "Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"Service": "cloudtrail.amazonaws.com"}});
    role(account, ROLE, "/", &cloudtrail)?;
    let stream = format!("arn:aws:logs:{HOME}:{id}:log-group:{GROUP}:log-stream:");
    let writes = policy(&[json!({
        "Sid": "Baselinebaselinetrailevents",
        "Effect": "Allow",
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": [format!("{stream}{id}_CloudTrail_{HOME}*"), format!("{stream}{ORGANIZATION}_*")],
    })]);
    account.iam.inline.insert(ROLE.to_owned(), BTreeMap::from([(ROLE.to_owned(), writes)]));
    Ok(())
}

/// A role that whoever is told may assume; what else it has is what the account's `baseline-observe` has.
fn role(account: &mut Account, name: &str, path: &str, trust: &Value) -> anyhow::Result<()> {
    let like = account.iam.roles.get("baseline-observe").context("the account has no `baseline-observe`")?;
    let role = Role {
        name: name.to_owned(),
        path: path.to_owned(),
        trust: policy(std::slice::from_ref(trust)),
        allows: Allows::Everything,
        ..like.clone()
    };
    account.iam.roles.insert(name.to_owned(), role);
    Ok(())
}

fn trail(account: &str, since: Timestamp) -> Trail {
    Trail {
        multi_region: true,
        log_file_validation: true,
        key_arn: Some(key_arn()),
        group_arn: Some(format!("arn:aws:logs:{HOME}:{account}:log-group:{GROUP}:*")),
        role_arn: Some(format!("arn:aws:iam::{account}:role/{ROLE}")),
        started: Some(since),
        ..Trail::logging_to(BUCKET)
    }
}

fn region(region: &mut RegionState, account: &str, since: Timestamp) {
    let mut detector = Detector::with_defaults(DETECTOR, since);
    detector.frequency = FindingPublishingFrequency::FifteenMinutes;
    let bucket = format!("arn:aws:s3:::{BUCKET}");
    detector.destination = Some(Destination::new(DESTINATION, &bucket, &key_arn(), since));
    region.guardduty.detector = Some(detector);
    region.ecr.scanning = Scanning {
        scan_type: ScanType::Basic,
        rules: vec![(ScanFrequency::ScanOnPush, vec!["*".to_owned()])],
    };
    for name in REPOSITORIES {
        let mut repository = Repository::with_defaults(since);
        repository.scan_on_push = true;
        repository.mutability = ImageTagMutability::Immutable;
        repository.lifecycle_policy = Some(LIFECYCLE.to_owned());
        region.ecr.repositories.insert(name.to_owned(), repository);
    }
    region.kms.keys.insert(EBS_KEY_ID.to_owned(), key(&policy(&[owner(account)]), since));
    region.kms.aliases.insert(EBS_KEY.to_owned(), EBS_KEY_ID.to_owned());
    region.ec2.ebs_encryption = true;
    region.ec2.ebs_key = Some(EBS_KEY_ID.to_owned());
    region.ec2.snapshot_access = SnapshotBlockPublicAccessState::BlockAllSharing;
    region.ec2.metadata = Metadata {
        tokens: Some(HttpTokensState::Required),
        hop_limit: Some(2),
        endpoint: Some(InstanceMetadataEndpointState::Enabled),
        tags: Some(InstanceMetadataTagsState::Disabled),
        tokens_enforced: Some(HttpTokensEnforcedState::Enabled),
        exception_message: None,
    };
}

/// The archive's key, open to those who deliver in the organisation.
pub fn archive_key(region: &mut RegionState, since: Timestamp) {
    let policy = policy(&[
        owner(MANAGEMENT),
        deliver("guardduty", &json!("kms:GenerateDataKey*"), &json!("*")),
        deliver("cloudtrail", &json!(["kms:GenerateDataKey*", "kms:DescribeKey"]), &json!("*")),
        deliver("config", &json!(["kms:Decrypt", "kms:GenerateDataKey*"]), &json!("*")),
    ]);
    region.kms.keys.insert(KEY_ID.to_owned(), key(&policy, since));
    region.kms.aliases.insert(KEY.to_owned(), KEY_ID.to_owned());
}

/// The policy of the archive's bucket, which lets the same services deliver.
pub fn archive_policy() -> String {
    let bucket = format!("arn:aws:s3:::{BUCKET}");
    let both = json!([bucket, format!("{bucket}/*")]);
    let statement = |service, actions| deliver(service, &actions, &both);
    policy(&[
        statement("guardduty", json!(["s3:GetBucketLocation", "s3:PutObject"])),
        statement("cloudtrail", json!(["s3:GetBucketAcl", "s3:PutObject"])),
        statement("config", json!(["s3:GetBucketAcl", "s3:ListBucket", "s3:PutObject"])),
    ])
}

pub fn topic_arn(region: &str, account: &str, name: &str) -> String {
    format!("arn:aws:sns:{region}:{account}:{name}")
}

fn key_arn() -> String {
    format!("arn:aws:kms:{HOME}:{MANAGEMENT}:key/{KEY_ID}")
}

fn key(policy: &str, since: Timestamp) -> Key {
    Key {
        description: String::new(),
        enabled: true,
        deletion: None,
        policy: policy.to_owned(),
        rotation: Some(365),
        tags: BTreeMap::new(),
        created: since,
        spec: KeySpec::SymmetricDefault,
        origin: OriginType::AwsKms,
    }
}

fn policy(statements: &[Value]) -> String {
    json!({"Version": "2012-10-17", "Statement": statements}).to_string()
}

fn owner(account: &str) -> Value {
    let root = format!("arn:aws:iam::{account}:root");
    json!({"Effect": "Allow", "Principal": {"AWS": root}, "Action": "kms:*", "Resource": "*"})
}

fn deliver(service: &str, actions: &Value, resources: &Value) -> Value {
    json!({
        "Effect": "Allow",
        "Principal": {"Service": format!("{service}.amazonaws.com")},
        "Action": actions,
        "Resource": resources,
        "Condition": {"StringEquals": {"aws:SourceOrgID": ORGANIZATION}},
    })
}
