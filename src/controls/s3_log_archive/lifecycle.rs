//! Lifecycle: one rule of ours by its id, among those of others.

use aws_sdk_s3::types::{
    AbortIncompleteMultipartUpload, BucketLifecycleConfiguration, ExpirationStatus, LifecycleExpiration,
    LifecycleRule, LifecycleRuleFilter, NoncurrentVersionExpiration,
};
use serde::{Deserialize, Serialize};

use super::live::{get, unless};
use super::place::Place;
use super::plan::invalid;
use super::spec::{Days, LogArchiveSpec};
use super::write::{PUT_LIFECYCLE, What, Write};
use crate::aws::{Reader, Writer, fault};
use crate::control::{Change, Direction, Field, ManualTask, Risk, Verdict, Verified};
use crate::fault::{Fault, FaultKind};

/// The id of our rule.
pub const RULE: &str = "baseline-log-archive";

/// What the bucket's rules come to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rules {
    /// What our rule does. Nothing, where it is absent, disabled or not for the whole bucket.
    pub ours: Expiry,
    /// The rules of others that are enabled and delete something.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<Theirs>,
}

/// Days; absent is never.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Expiry {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub noncurrent: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uploads: Option<u32>,
}

/// Somebody else's rule that deletes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Theirs {
    pub id: String,
    /// After this many days; 0 where it names a date.
    pub days: u32,
}

fn days(number: Option<i32>) -> Option<u32> {
    number.and_then(|days| u32::try_from(days).ok())
}

/// A rule without a filter, or with an empty one, is for the whole bucket.
fn is_whole(rule: &LifecycleRule) -> bool {
    #[expect(deprecated, reason = "rules that are older than filters have a prefix of their own")]
    let prefix = rule.prefix.as_deref().unwrap_or_default();
    let filter = rule.filter.as_ref();
    prefix.is_empty()
        && filter.is_none_or(|filter| {
            filter.prefix.as_deref().unwrap_or_default().is_empty()
                && filter.tag.is_none()
                && filter.and.is_none()
                && filter.object_size_greater_than.is_none()
                && filter.object_size_less_than.is_none()
        })
}

impl Rules {
    fn of(rules: &[LifecycleRule]) -> Self {
        let mut seen = Self::default();
        for rule in rules.iter().filter(|rule| rule.status == ExpirationStatus::Enabled) {
            let expiration = rule.expiration.as_ref();
            if rule.id.as_deref() == Some(RULE) {
                if is_whole(rule) {
                    let noncurrent = rule.noncurrent_version_expiration.as_ref();
                    let uploads = rule.abort_incomplete_multipart_upload.as_ref();
                    seen.ours = Expiry {
                        current: days(expiration.and_then(|e| e.days)),
                        noncurrent: days(noncurrent.and_then(|n| n.noncurrent_days)),
                        uploads: days(uploads.and_then(|u| u.days_after_initiation)),
                    };
                }
            } else if let Some(expiration) = expiration.filter(|e| e.days.is_some() || e.date.is_some()) {
                let id = rule.id.clone().unwrap_or_default();
                seen.others.push(Theirs { id, days: days(expiration.days).unwrap_or_default() });
            }
        }
        seen
    }
}

const GET: &str = "s3:GetBucketLifecycleConfiguration";

pub async fn read(aws: &Reader, name: &str) -> Result<Rules, Fault> {
    match get!(aws, get_bucket_lifecycle_configuration, "s3:GetBucketLifecycleConfiguration", name) {
        Ok(answer) => Ok(Rules::of(&answer.rules.unwrap_or_default())),
        Err(fault) => unless(fault, "NoSuchLifecycleConfiguration", Rules::default()),
    }
}

/// Declared beside live. What deletes sooner than before is destructive; sooner than the lock lets go is
/// nonsense.
pub fn plan(place: &Place, spec: &LogArchiveSpec, live: &Rules) -> Verdict<Write> {
    if let (Some(expire), Some(kept)) = (spec.expire_after_days.and_then(Days::number), spec.object_lock.days)
        && spec.locks()
        && expire < kept.get()
    {
        return invalid(
            PUT_LIFECYCLE.operation,
            format!(
                "`expireAfterDays: {expire}` ends before `objectLock.days: {}`: nothing can be deleted then",
                kept.get()
            ),
        );
    }
    let leaves = [
        ("/expireAfterDays", spec.expire_after_days, live.ours.current),
        ("/expireNoncurrentAfterDays", spec.expire_noncurrent_after_days, live.ours.noncurrent),
        ("/abortUploadsAfterDays", spec.abort_uploads_after_days, live.ours.uploads),
    ];
    let mut fields = Vec::new();
    let mut sooner = Vec::new();
    for (path, wanted, before) in leaves {
        let Some(wanted) = wanted.filter(|wanted| wanted.number() != before) else { continue };
        let length = |days: Option<u32>| days.unwrap_or(u32::MAX);
        if path != "/abortUploadsAfterDays" {
            sooner.push(length(wanted.number()) < length(before));
        }
        fields.push(Field::new(path, Days::of(before).value(), wanted.value()));
    }
    if fields.is_empty() {
        return theirs(place, spec, live);
    }
    let deletes = sooner.contains(&true);
    // The first expiry of a bucket that kept everything is what was asked for, and no weaker than before.
    let direction = match (sooner.is_empty(), deletes, live.ours == Expiry::default()) {
        (false, true, false) => Direction::Weakens,
        (false, false, _) => Direction::Strengthens,
        _ => Direction::Neutral,
    };
    let mut evidence = Vec::new();
    if deletes {
        evidence.push("S3 deletes what is older, within days".to_owned());
    }
    if spec.versioning == Some(true)
        && spec.expire_after_days.and_then(Days::number).is_some()
        && spec.expire_noncurrent_after_days.is_none()
        && live.ours.noncurrent.is_none()
    {
        evidence.push("old versions stay: `expireNoncurrentAfterDays` is not declared".to_owned());
    }
    let carries = match live.others.len() {
        0 => "rules of others stay".to_owned(),
        1 => "1 rule of others that deletes stays".to_owned(),
        many => format!("{many} rules of others that delete stay"),
    };
    let what = What::Lifecycle {
        expire: spec.expire_after_days,
        noncurrent: spec.expire_noncurrent_after_days,
        uploads: spec.abort_uploads_after_days,
    };
    Verdict::Change(Change {
        risk: if deletes { Risk::Destructive } else { Risk::Safe },
        direction,
        evidence: (!evidence.is_empty()).then(|| evidence.join("; ")),
        carries: Some(carries),
        stands_on: Some(Vec::new()),
        ..Change::update(fields, vec![place.write(what)])
    })
}

/// Ours is right, and somebody else's deletes before it: nothing here takes that away.
fn theirs(place: &Place, spec: &LogArchiveSpec, live: &Rules) -> Verdict<Write> {
    let Some(declared) = spec.expire_after_days else { return Verdict::InSync };
    let sooner: Vec<&Theirs> =
        live.others.iter().filter(|rule| declared.number().is_none_or(|days| rule.days < days)).collect();
    if sooner.is_empty() {
        return Verdict::InSync;
    }
    let found = |rule: &&Theirs| match rule.days {
        0 => (rule.id.clone(), "deletes on a date".to_owned()),
        days => (rule.id.clone(), format!("deletes after {days} days")),
    };
    Verdict::Manual(ManualTask {
        title: format!("Take out what deletes too early from the lifecycle of {}", place.bucket),
        found: sooner.iter().map(found).collect(),
        steps: vec![
            "baseline takes no rule of others away. Look at them, and take them out or make them longer:"
                .into(),
            format!("aws s3api get-bucket-lifecycle-configuration --bucket {}", place.bucket),
        ],
        verified: Verified::ByObservation,
    })
}

/// Puts our rule among the others, which are sent back as they were read.
pub async fn put(aws: &Writer, name: &str, wanted: [Option<Days>; 3]) -> Result<(), Fault> {
    let (mut rules, size) =
        match get!(aws, get_bucket_lifecycle_configuration, "s3:GetBucketLifecycleConfiguration", name) {
            Ok(answer) => (answer.rules.unwrap_or_default(), answer.transition_default_minimum_object_size),
            Err(fault) => unless(fault, "NoSuchLifecycleConfiguration", (Vec::new(), None))?,
        };
    let at = rules.iter().position(|rule| rule.id.as_deref() == Some(RULE));
    let live = at.map(|at| rules.remove(at));
    if let Some(rule) = ours(live, wanted)? {
        rules.insert(at.unwrap_or(rules.len()), rule);
    }
    let configuration = BucketLifecycleConfiguration::builder()
        .set_rules(Some(rules))
        .build()
        .map_err(|error| Fault::local(FaultKind::Invalid, PUT_LIFECYCLE.operation, error.to_string()))?;
    aws.s3()
        .put_bucket_lifecycle_configuration()
        .bucket(name)
        .expected_bucket_owner(aws.scope.account.as_str())
        .lifecycle_configuration(configuration)
        .set_transition_default_minimum_object_size(size)
        .send()
        .await
        .map_err(fault(PUT_LIFECYCLE.operation))?;
    Ok(())
}

/// Our rule as it is to be: what is not declared stays as it is in it. A rule that does nothing is not a rule
/// (S3 refuses it): one that is there is disabled, and none is made.
fn ours(live: Option<LifecycleRule>, wanted: [Option<Days>; 3]) -> Result<Option<LifecycleRule>, Fault> {
    let exists = live.is_some();
    let mut rule = match live {
        Some(live) => live,
        None => LifecycleRule::builder()
            .id(RULE)
            .status(ExpirationStatus::Enabled)
            .build()
            .map_err(|error| Fault::local(FaultKind::Invalid, GET, error.to_string()))?,
    };
    let number = |days: Days| days.number().and_then(|days| i32::try_from(days).ok());
    let before = rule.clone();
    // A rule that does not hold for the whole bucket, or not at all, does not count: it begins anew.
    if rule.status != ExpirationStatus::Enabled || !is_whole(&rule) {
        rule.expiration = None;
        rule.noncurrent_version_expiration = None;
        rule.abort_incomplete_multipart_upload = None;
    }
    let [expire, noncurrent, uploads] = wanted;
    if let Some(days) = expire {
        rule.expiration = number(days).map(|days| LifecycleExpiration::builder().days(days).build());
    }
    if let Some(days) = noncurrent {
        rule.noncurrent_version_expiration =
            number(days).map(|days| NoncurrentVersionExpiration::builder().noncurrent_days(days).build());
    }
    if let Some(days) = uploads {
        rule.abort_incomplete_multipart_upload = number(days)
            .map(|days| AbortIncompleteMultipartUpload::builder().days_after_initiation(days).build());
    }
    let acts = rule.expiration.is_some()
        || rule.noncurrent_version_expiration.is_some()
        || rule.abort_incomplete_multipart_upload.is_some()
        || rule.transitions.as_ref().is_some_and(|all| !all.is_empty())
        || rule.noncurrent_version_transitions.as_ref().is_some_and(|all| !all.is_empty());
    if !acts {
        rule = before;
        rule.status = ExpirationStatus::Disabled;
        return Ok(exists.then_some(rule));
    }
    rule.status = ExpirationStatus::Enabled;
    #[expect(deprecated, reason = "a rule has a filter or a prefix of its own, not both")]
    {
        rule.prefix = None;
    }
    rule.filter = Some(LifecycleRuleFilter::builder().prefix("").build());
    Ok(Some(rule))
}

/// What is live, in the spec's words.
pub fn import(live: &Rules, spec: &mut LogArchiveSpec) {
    spec.expire_after_days = Some(Days::of(live.ours.current));
    spec.expire_noncurrent_after_days = Some(Days::of(live.ours.noncurrent));
    spec.abort_uploads_after_days = Some(Days::of(live.ours.uploads));
}
