//! `s3.log-archive`: the bucket that everything logs to.
//!
//! One bucket, nine rules that are written by calls of their own, and MFA delete, which only a root user can
//! turn on. Each rule is a finding, so that each has its risk and its ids, and a missing key holds up nothing
//! but the encryption. They name one resource, so their calls go one after another, the bucket's first.

use serde_json::{Map, Value};

use crate::aws::{Reader, Writer};
use crate::control::{
    Call, Control, Facts, Field, Finding, Known, Meta, Need, Reach, Rule, Severity, Thing, Verdict,
};
use crate::fault::Fault;

mod lifecycle;
mod live;
mod lock;
mod place;
mod plan;
mod policy;
mod spec;
#[cfg(test)]
mod tests;
mod write;

use live::{Ask, Observed};
use place::Place;
use spec::{Encryption, Length, LockMode, LogArchiveSpec, MfaDelete, Ownership};
use write::Write;

pub struct LogArchive;

impl Control for LogArchive {
    const META: Meta = Meta {
        id: "s3.log-archive",
        title: "Logs go to one bucket that nobody can read in passing or delete",
        docs: "\
## What it checks

The bucket that logs are delivered to, in the account's home region. In the account of the Organization
document's `archive` it is the archive's bucket; in any other account it is a bucket of its own. Its name is
known before it exists: `bucket`, or `baseline-logs-{account}-{region}-an`, a name that no other account can
take. Every call names the owner that it expects, so a bucket of that name in strange hands is an error and
nothing is sent to it.

Each of these is checked where it is declared: versions, encryption with the key and a bucket key, the four
blocks of public access, object ownership, refusal of requests without TLS, who may deliver, object lock,
lifecycle, access logs, MFA delete.

Lifecycle rules of others stay. One that deletes sooner than `expireAfterDays` is a task by hand.

## Why it matters

Whoever breaks in deletes the traces next. Logs in another account, locked and kept in versions, outlive the
account that they tell of. A bucket that anybody can read tells an attacker what is noticed and what is not.

## What apply does

It makes the bucket where there is none, with the tags of the Organization document, and sends one call for
each rule. Our rule in the lifecycle and our statements in the policy are known by their names
(`baseline-log-archive`, `Baseline…`); those of others are read again just before the call and sent back as
they are.

`from: organization` lets the services deliver for every account of the organisation, by `aws:SourceOrgID`.
With a list of accounts each is named (`aws:SourceAccount`, for CloudTrail the ARNs of its trails), and the
list only grows: who is taken out of the YAML may still deliver. Some 150 accounts and all services fit into
the 20 KiB of a bucket policy.

AWS Config does not deliver to a bucket with a default retention: `config` among the `services` and an
`objectLock` that locks are refused together. A bucket for access logs must be another one, must let
`logging.s3.amazonaws.com` put objects, and must not lock them.

`objectLock: {mode: COMPLIANCE}` cannot be undone by anybody: apply asks for `--allow irreversible:BUCKET`. A
lifecycle rule deletes logs for good when their time is over: on a bucket that is there already, apply asks for
`--allow destructive:BUCKET`. MFA delete needs the root user, in a session and never with an access key: the
plan says the steps.

## How to undo

The audit record of the run holds what the fields were: declare those values, and apply. Turning something off
weakens, so apply asks for `--allow weakening:BUCKET`. The bucket, its objects, a lock, and our statements in
the policy stay: nothing is deleted.
",
        example: "\
bucket: acme-logs-{account}-{region}-an
key: alias/baseline/logs
services: [cloudtrail, guardduty]
from: organization
versioning: true
encryption: key
bucketKey: true
blockPublicAccess: true
ownership: BucketOwnerEnforced
tlsOnly: true
objectLock: {mode: GOVERNANCE, days: 365}
expireAfterDays: 2557
expireNoncurrentAfterDays: 30
abortUploadsAfterDays: 7
accessLogs:
  bucket: acme-access-{account}-{region}-an
  prefix: archive/
mfaDelete: unmanaged
",
        reach: Reach::ACCOUNT,
        rules: &[
            Rule { id: "bucket", severity: Severity::High, frameworks: &[] },
            Rule { id: "versioning", severity: Severity::Medium, frameworks: &[] },
            Rule {
                id: "public-access",
                severity: Severity::Critical,
                frameworks: &[
                    "cis-1.4.0/3.3",
                    "cis-1.4.0/2.1.5",
                    "cis-3.0.0/2.1.4",
                    "cis-5.0.0/2.1.4",
                    "fsbp/S3.8",
                ],
            },
            Rule { id: "ownership", severity: Severity::Medium, frameworks: &["fsbp/S3.12"] },
            Rule { id: "encryption", severity: Severity::Medium, frameworks: &["cis-1.4.0/2.1.1"] },
            Rule {
                id: "policy",
                severity: Severity::High,
                frameworks: &["cis-1.4.0/2.1.2", "cis-3.0.0/2.1.1", "cis-5.0.0/2.1.1", "fsbp/S3.5"],
            },
            Rule { id: "object-lock", severity: Severity::Medium, frameworks: &[] },
            Rule { id: "lifecycle", severity: Severity::Low, frameworks: &["fsbp/S3.13"] },
            Rule {
                id: "access-logs",
                severity: Severity::Medium,
                frameworks: &["cis-1.4.0/3.6", "cis-3.0.0/3.4", "cis-5.0.0/3.4", "fsbp/S3.9"],
            },
            Rule {
                id: "mfa-delete",
                severity: Severity::Low,
                frameworks: &["cis-1.4.0/2.1.3", "cis-3.0.0/2.1.2", "cis-5.0.0/2.1.2"],
            },
        ],
        reads: &[
            Call::needing("s3:HeadBucket", &["s3:ListBucket"]),
            Call::new("s3:GetBucketVersioning"),
            Call::needing("s3:GetBucketEncryption", &["s3:GetEncryptionConfiguration"]),
            Call::needing("s3:GetPublicAccessBlock", &["s3:GetBucketPublicAccessBlock"]),
            Call::new("s3:GetBucketOwnershipControls"),
            Call::new("s3:GetBucketPolicy"),
            Call::needing("s3:GetObjectLockConfiguration", &["s3:GetBucketObjectLockConfiguration"]),
            Call::needing("s3:GetBucketLifecycleConfiguration", &["s3:GetLifecycleConfiguration"]),
            Call::new("s3:GetBucketLogging"),
        ],
        writes: &[
            write::CREATE,
            write::PUT_VERSIONING,
            write::PUT_PUBLIC_ACCESS,
            write::PUT_OWNERSHIP,
            write::PUT_ENCRYPTION,
            write::PUT_POLICY,
            write::PUT_OBJECT_LOCK,
            write::PUT_LIFECYCLE,
            write::PUT_ACCESS_LOGS,
        ],
        events: &["s3:DeleteBucket", "s3:DeleteBucketPolicy", "s3:DeleteBucketEncryption", "s3:DeleteBucketLifecycle", "s3:DeleteBucketPublicAccessBlock", "s3:DeleteBucketOwnershipControls"],
        undo: Some("baseline never deletes a bucket, an object or a statement, and no lock is taken off"),
        tags: false,
    };
    type Desired = LogArchiveSpec;
    type Ask = Ask;
    type Observed = Observed;
    type Action = Write;

    fn ask(&self, facts: &Facts, spec: &LogArchiveSpec) -> Ask {
        Ask {
            bucket: Place::of(facts, spec).ok().map(|place| place.bucket),
            versioning: spec.versioning.is_some() || spec.mfa_delete == Some(MfaDelete::Required),
            encryption: spec.declares_encryption(),
            public_access: spec.block_public_access.is_some(),
            ownership: spec.ownership.is_some(),
            policy: spec.declares_policy(),
            object_lock: spec.declares_lock(),
            lifecycle: spec.declares_lifecycle(),
            access_logs: spec.declares_access_logs(),
        }
    }

    async fn observe(&self, aws: &Reader, ask: &Ask) -> Result<Observed, Fault> {
        live::read(aws, ask).await
    }

    fn needs(&self, facts: &Facts, spec: &LogArchiveSpec) -> Vec<Need> {
        let Ok(place) = Place::of(facts, spec) else { return Vec::new() };
        let key = spec.encryption.map(|encryption| match encryption {
            Encryption::Key => Need::hard(place.key()),
            // Only so that a plan can say what it is encrypted with now.
            Encryption::AwsManaged => Need::soft(place.key()),
        });
        let to = spec.access_logs.bucket.as_deref().filter(|to| *to != "none" && *to != place.bucket);
        key.into_iter().chain(to.map(|to| Need::hard(place.bucket_named(to)))).collect()
    }

    fn plan(
        &self,
        facts: &Facts,
        known: &Known,
        spec: &LogArchiveSpec,
        observed: &Observed,
    ) -> Vec<Finding<Write>> {
        match Place::of(facts, spec) {
            Ok(place) => plan::findings(&plan::Look { facts, known, place: &place, spec }, observed),
            Err(fault) => {
                let name = spec.bucket.clone().unwrap_or_else(|| "log-archive".to_owned());
                vec![Finding::new(name, "bucket", Verdict::Unknown { fault })]
            }
        }
    }

    async fn apply(&self, aws: &Writer, known: &Known, action: &Write) -> Result<(), Fault> {
        action.send(aws, known).await
    }

    fn import(&self, facts: &Facts, known: &Known, observed: &Observed) -> Option<LogArchiveSpec> {
        let live = observed.bucket.as_ref()?;
        let mut spec = LogArchiveSpec { bucket: Some(observed.name.clone()), ..LogArchiveSpec::default() };
        spec.versioning = live.versioning.map(|versioning| versioning.enabled);
        spec.ownership = live.ownership.as_deref().and_then(Ownership::of);
        spec.block_public_access = match live.public_access {
            Some([true, true, true, true]) => Some(true),
            Some([false, false, false, false]) => Some(false),
            _ => None,
        };
        if let Some(encryption) = &live.encryption {
            let key = encryption.key.as_deref().and_then(|arn| known.name_of(arn));
            (spec.encryption, spec.key) = match (encryption.algorithm.as_str(), key) {
                ("AES256", _) => (Some(Encryption::AwsManaged), None),
                (_, Some(Thing::Key { alias, .. })) => (Some(Encryption::Key), Some(alias.clone())),
                _ => (None, None),
            };
            spec.bucket_key = Some(encryption.bucket_key);
        }
        if let Some(policy) = &live.policy {
            policy::import(facts, &observed.name, policy, &mut spec);
        }
        if let Some(lock) = &live.object_lock {
            spec.object_lock.mode = LockMode::of(lock.mode.as_deref().unwrap_or("none"));
            spec.object_lock.days = lock.days.and_then(Length::new);
        }
        if let Some(rules) = &live.lifecycle {
            lifecycle::import(rules, &mut spec);
        }
        if let Some(logs) = &live.access_logs {
            spec.access_logs.bucket = Some(logs.bucket.clone().unwrap_or_else(|| "none".to_owned()));
            spec.access_logs.prefix = logs.bucket.is_some().then(|| logs.prefix.clone());
        }
        Some(spec)
    }

    /// Names the bucket. What had no word in the spec, somebody else's key or half a block, has no way back.
    fn inverse(&self, resource: &str, fields: &[Field]) -> Option<LogArchiveSpec> {
        let mut spec = Value::Object(Map::from_iter([("bucket".to_owned(), resource.into())]));
        let mut any = false;
        for field in fields.iter().filter(|field| !field.before.is_null() && field.path != "/bucket") {
            let mut with = spec.clone();
            let (parent, leaf) = field.path.trim_start_matches('/').rsplit_once('/').unwrap_or(("", ""));
            match parent {
                "" => with[field.path.trim_start_matches('/')] = field.before.clone(),
                parent => with[parent][leaf] = field.before.clone(),
            }
            if field.path == "/key" {
                with["encryption"] = "key".into();
            }
            if serde_json::from_value::<LogArchiveSpec>(with.clone()).is_ok() {
                (spec, any) = (with, true);
            }
        }
        any.then(|| serde_json::from_value(spec).ok()).flatten()
    }
}
