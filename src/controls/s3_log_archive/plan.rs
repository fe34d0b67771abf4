//! Declared beside live, rule by rule. A bucket that is not there yet is planned as the one that S3 will make:
//! each rule that needs more than that is a finding of its own, sent after the bucket's.

use serde_json::{Value, json};

use super::live::{AccessLogs, Bucket, Encrypted, ObjectLock, Observed, Versioning};
use super::place::Place;
use super::spec::{Encryption, LogArchiveSpec, MfaDelete, Ownership};
use super::write::{PUT_ACCESS_LOGS, PUT_VERSIONING, What, Write};
use super::{lifecycle, policy};
use crate::control::{Change, ChangeKind, Direction, Facts, Field, Finding, Known, Risk, Thing, Verdict};
use crate::fault::{Fault, FaultKind};

pub fn toward(on: bool) -> Direction {
    if on { Direction::Strengthens } else { Direction::Weakens }
}

/// What the YAML says cannot be: told, and nothing is done about it.
pub fn invalid(call: &str, message: impl Into<String>) -> Verdict<Write> {
    Verdict::Unknown { fault: Fault::local(FaultKind::Invalid, call, message) }
}

impl Place {
    pub fn write(&self, what: What) -> Write {
        Write { bucket: self.bucket.clone(), what }
    }

    /// A change by one call that stands on nothing else.
    pub fn change(&self, fields: Vec<Field>, what: What) -> Change<Write> {
        Change { stands_on: Some(Vec::new()), ..Change::update(fields, vec![self.write(what)]) }
    }
}

impl Bucket {
    /// A bucket as CreateBucket makes it today: encrypted by S3, closed to the public, without access control
    /// lists (S3 User Guide, "Default settings for new S3 buckets"); object lock brings versions.
    fn newborn(spec: &LogArchiveSpec) -> Self {
        let locked = spec.locks();
        let encrypted = Encrypted { algorithm: "AES256".into(), key: None, bucket_key: false };
        let ownership = spec.ownership.unwrap_or(Ownership::BucketOwnerEnforced);
        Self {
            versioning: Some(Versioning { enabled: locked, mfa_delete: false }),
            encryption: Some(encrypted),
            public_access: Some([true; 4]),
            ownership: Some(ownership.word().to_owned()),
            policy: Some(json!({})),
            object_lock: Some(ObjectLock { enabled: locked, ..ObjectLock::default() }),
            lifecycle: Some(lifecycle::Rules::default()),
            access_logs: Some(AccessLogs::default()),
            unread: Vec::new(),
        }
    }
}

/// One look at one bucket.
pub struct Look<'a> {
    pub facts: &'a Facts,
    pub known: &'a Known,
    pub place: &'a Place,
    pub spec: &'a LogArchiveSpec,
}

pub fn findings(look: &Look<'_>, observed: &Observed) -> Vec<Finding<Write>> {
    let newborn = Bucket::newborn(look.spec);
    let bucket = observed.bucket.as_ref();
    let live = bucket.unwrap_or(&newborn);
    let spec = look.spec;
    let said = [
        ("versioning", spec.versioning.map(|want| look.versioning(want, live))),
        ("public-access", spec.block_public_access.map(|want| look.public_access(want, live))),
        ("ownership", spec.ownership.map(|want| look.ownership(want, live))),
        ("encryption", spec.declares_encryption().then(|| look.encryption(live))),
        ("policy", spec.declares_policy().then(|| look.policy(live))),
        ("object-lock", spec.declares_lock().then(|| look.object_lock(live))),
        ("lifecycle", spec.declares_lifecycle().then(|| look.lifecycle(live))),
        ("access-logs", spec.declares_access_logs().then(|| look.access_logs(live))),
        ("mfa-delete", (spec.mfa_delete == Some(MfaDelete::Required)).then(|| look.mfa_delete(live))),
    ];
    let said = said.into_iter().filter_map(|(rule, verdict)| Some((rule, verdict?)));
    let name = &look.place.bucket;
    if bucket.is_some() {
        let there = Finding::new(name, "bucket", Verdict::InSync);
        let rules = said.map(|(rule, verdict)| Finding::new(name, rule, verdict));
        return std::iter::once(there).chain(rules).collect();
    }
    let made = Finding::new(name, "bucket", Verdict::Change(look.create()));
    let rest = said.filter_map(|(rule, verdict)| match verdict {
        Verdict::Change(change) => Some(Finding::new(name, rule, Verdict::Change(in_new_bucket(change)))),
        Verdict::Unknown { .. } => Some(Finding::new(name, rule, verdict)),
        _ => None,
    });
    std::iter::once(made).chain(rest).collect()
}

/// Nothing runs in a new bucket that could break, and nothing is in it that could be lost; nobody unlocks it
/// either.
fn in_new_bucket(mut change: Change<Write>) -> Change<Write> {
    change.kind = ChangeKind::Create;
    change.fields.iter_mut().for_each(|field| field.before = Value::Null);
    if change.risk != Risk::Irreversible {
        change.risk = Risk::Safe;
        change.evidence = None;
    }
    change.carries = None;
    change
}

/// Nothing is known of what this read would have said.
pub fn unread(live: &Bucket, call: &str) -> Verdict<Write> {
    Verdict::Unknown { fault: live.unread(call) }
}

impl Look<'_> {
    fn create(&self) -> Change<Write> {
        let (place, spec) = (self.place, self.spec);
        let mut fields = vec![Field::new("/bucket", Value::Null, place.bucket.as_str())];
        let mut carries = None;
        if spec.locks() {
            match spec.versioning {
                Some(true) => fields.push(Field::new("/versioning", Value::Null, true)),
                _ => carries = Some("versioning true: object lock needs it".to_owned()),
            }
        }
        if let Some(ownership) = spec.ownership {
            fields.push(Field::new("/ownership", Value::Null, ownership.word()));
        }
        let what = What::Create {
            account_regional: place.is_account_regional(),
            object_lock: spec.locks(),
            ownership: spec.ownership,
            tags: self.facts.tags.clone(),
        };
        Change {
            kind: ChangeKind::Create,
            cost: Some("S3 charges for what is stored in it".into()),
            carries,
            makes: vec![place.bucket_named(&place.bucket)],
            ..place.change(fields, what)
        }
    }

    fn versioning(&self, want: bool, bucket: &Bucket) -> Verdict<Write> {
        let Some(live) = &bucket.versioning else { return unread(bucket, "s3:GetBucketVersioning") };
        if !want && self.spec.locks() {
            return invalid(
                PUT_VERSIONING.operation,
                "`versioning: false` and `objectLock` cannot both be: what is locked has versions",
            );
        }
        if live.enabled == want {
            return Verdict::InSync;
        }
        let field = Field::new("/versioning", live.enabled, want);
        Verdict::Change(Change {
            direction: toward(want),
            cost: want.then(|| "S3 charges for every version that is kept".into()),
            ..self.place.change(vec![field], What::Versioning { on: want })
        })
    }

    fn public_access(&self, want: bool, bucket: &Bucket) -> Verdict<Write> {
        let Some(live) = bucket.public_access else { return unread(bucket, "s3:GetPublicAccessBlock") };
        if live == [want; 4] {
            return Verdict::InSync;
        }
        let names = ["public ACLs", "ignoring of public ACLs", "public policies", "what is public already"];
        let open: Vec<&str> =
            names.into_iter().zip(live).filter(|(_, on)| !on).map(|(name, _)| name).collect();
        let evidence = want.then(|| format!("not blocked now: {}", open.join(", ")));
        let field = Field::new("/blockPublicAccess", !want, want);
        Verdict::Change(Change {
            risk: if want { Risk::Disruptive } else { Risk::Safe },
            direction: toward(want),
            evidence,
            ..self.place.change(vec![field], What::PublicAccess { blocked: want })
        })
    }

    fn ownership(&self, want: Ownership, bucket: &Bucket) -> Verdict<Write> {
        let Some(live) = &bucket.ownership else { return unread(bucket, "s3:GetBucketOwnershipControls") };
        if live == want.word() {
            return Verdict::InSync;
        }
        // Without a setting it is as before there was one (S3 User Guide, "Object ownership").
        let before = if live.is_empty() { Ownership::ObjectWriter.word() } else { live };
        let enforces = want == Ownership::BucketOwnerEnforced;
        let field = Field::new("/ownership", before, want.word());
        Verdict::Change(Change {
            risk: if enforces { Risk::Disruptive } else { Risk::Safe },
            direction: toward(enforces),
            evidence: enforces.then(|| "access control lists count no more".into()),
            ..self.place.change(vec![field], What::Ownership { ownership: want })
        })
    }

    fn encryption(&self, bucket: &Bucket) -> Verdict<Write> {
        let Some(live) = &bucket.encryption else { return unread(bucket, "s3:GetBucketEncryption") };
        let (key, spec) = (self.place.key(), self.spec);
        let by_kms = live.algorithm.starts_with("aws:kms");
        let its_key = live.key.as_deref().filter(|_| by_kms);
        let right_key = its_key.is_some() && its_key == self.known.arn(&key);
        let mut fields = Vec::new();
        let mut direction = Vec::new();
        match spec.encryption {
            Some(Encryption::Key) if !by_kms => {
                fields.push(Field::new("/encryption", "aws-managed", "key"));
                direction.push(Direction::Strengthens);
            }
            Some(Encryption::Key) if !right_key => {
                let named = its_key.and_then(|arn| self.known.name_of(arn));
                let before = match named {
                    Some(Thing::Key { alias, .. }) => alias.clone(),
                    _ => "another key".to_owned(),
                };
                fields.push(Field::new("/key", before, self.place.key.as_str()));
                direction.push(Direction::Neutral);
            }
            Some(Encryption::AwsManaged) if by_kms => {
                let before = if right_key { "key" } else { "another key" };
                fields.push(Field::new("/encryption", before, "aws-managed"));
                direction.push(Direction::Weakens);
            }
            _ => {}
        }
        if let Some(want) = spec.bucket_key.filter(|want| *want != live.bucket_key) {
            fields.push(Field::new("/bucketKey", live.bucket_key, want));
            direction.push(Direction::Neutral);
        }
        if fields.is_empty() {
            return Verdict::InSync;
        }
        let wants_key = spec.encryption == Some(Encryption::Key);
        let mut carries = Vec::new();
        if spec.encryption.is_none() {
            carries.push("encryption as it is: not declared, but the call takes all of it".to_owned());
        }
        if spec.bucket_key.is_none() {
            carries.push(format!("bucketKey {}: not declared", live.bucket_key));
        }
        let what = What::Encryption {
            encryption: spec.encryption,
            key: wants_key.then(|| key.clone()),
            bucket_key: spec.bucket_key,
        };
        Verdict::Change(Change {
            direction: Direction::of(direction),
            cost: (wants_key && !by_kms).then(|| "KMS charges for the use of the key".into()),
            carries: (!carries.is_empty()).then(|| carries.join("; ")),
            // Looked for again when it is sent, so that its name is told the same way.
            stands_on: Some(spec.encryption.map(|_| key).into_iter().collect()),
            ..self.place.change(fields, what)
        })
    }

    fn policy(&self, bucket: &Bucket) -> Verdict<Write> {
        match &bucket.policy {
            Some(live) => policy::plan(self.facts, self.place, self.spec, live),
            None => unread(bucket, "s3:GetBucketPolicy"),
        }
    }

    fn lifecycle(&self, bucket: &Bucket) -> Verdict<Write> {
        match &bucket.lifecycle {
            Some(live) => lifecycle::plan(self.place, self.spec, live),
            None => unread(bucket, "s3:GetBucketLifecycleConfiguration"),
        }
    }

    fn access_logs(&self, bucket: &Bucket) -> Verdict<Write> {
        let Some(live) = &bucket.access_logs else { return unread(bucket, "s3:GetBucketLogging") };
        let declared = &self.spec.access_logs;
        let before = live.bucket.as_deref().unwrap_or("none");
        let to = declared.bucket.as_deref().unwrap_or(before);
        if to == self.place.bucket {
            return invalid(
                PUT_ACCESS_LOGS.operation,
                format!("bucket {to} would log its own logging without end: name another bucket"),
            );
        }
        if to == "none" {
            let Some(was) = &live.bucket else { return Verdict::InSync };
            let mut fields = vec![Field::new("/accessLogs/bucket", was.as_str(), "none")];
            if declared.prefix.is_some() {
                fields.push(Field::new("/accessLogs/prefix", live.prefix.as_str(), "none"));
            }
            return Verdict::Change(Change {
                direction: Direction::Weakens,
                ..self.place.change(fields, What::AccessLogs { bucket: None, prefix: String::new() })
            });
        }
        let prefix = declared.prefix.as_deref().unwrap_or(&live.prefix);
        let mut fields = Vec::new();
        if before != to {
            fields.push(Field::new("/accessLogs/bucket", before, to));
        }
        if live.bucket.is_some() && live.prefix != prefix {
            fields.push(Field::new("/accessLogs/prefix", live.prefix.as_str(), prefix));
        }
        if fields.is_empty() {
            return Verdict::InSync;
        }
        let what = What::AccessLogs { bucket: Some(to.to_owned()), prefix: prefix.to_owned() };
        Verdict::Change(Change {
            direction: if live.bucket.is_none() { Direction::Strengthens } else { Direction::Neutral },
            cost: live.bucket.is_none().then(|| "S3 charges for the logs that it stores".into()),
            stands_on: Some(vec![self.place.bucket_named(to)]),
            ..self.place.change(fields, what)
        })
    }
}
