//! The archive and those who deliver to it, over two accounts.

use aws_sdk_s3::types::{ExpirationStatus, LifecycleExpiration, LifecycleRule, LifecycleRuleFilter};
use baseline::control::{ErasedControl, Verdict};
use baseline::controls;
use baseline::plan::Outcome;
use baseline::sandbox::s3::Bucket;
use serde_json::{Value, json};

use super::bench;
use super::stage::{ARCHIVE, Applied, HOME, MEMBER, Stage, open};

const LOGS: &str = "s3.log-archive";
const DETECTOR: &str = "guardduty.detector";

fn stage() -> Stage {
    let controls = [LOGS, DETECTOR].map(|id| controls::find(id).expect("it is in the list"));
    let all: Vec<&'static dyn ErasedControl> = controls.into();
    Stage::bare(Box::leak(all.into())).expect("temporary folders")
}

fn logs() -> Value {
    json!({"services": ["guardduty"], "from": "organization", "tlsOnly": true, "encryption": "key"})
}

#[tokio::test(start_paused = true)]
async fn one_apply_makes_the_archive_and_then_those_who_deliver_to_it() {
    let stage = stage();
    bench::key(&stage.world, bench::KEY).await;
    let detector = json!({"enabled": true, "deliverTo": "archive"});
    stage.write(&[(ARCHIVE, LOGS, logs()), (MEMBER, DETECTOR, detector)]).expect("documents");
    let plan = stage.plan().await.expect("a plan");
    let order: Vec<(&str, &str)> =
        plan.changes().map(|(_, item)| (item.control.as_str(), item.finding.rule.as_str())).collect();
    assert_eq!(
        order,
        [
            (LOGS, "bucket"),
            (LOGS, "encryption"),
            (LOGS, "policy"),
            (DETECTOR, "detector"),
            (DETECTOR, "publishing")
        ]
    );
    stage.apply().await.and_then(Applied::held).expect("one apply does it all");
    let after = stage.rested().await.expect("a plan");
    assert_eq!(after.totals.in_sync, after.totals.settings(), "{}", open(&after));
}

#[tokio::test(start_paused = true)]
async fn who_is_not_let_deliver_is_held_up() {
    let stage = stage();
    bench::key(&stage.world, bench::KEY).await;
    let only_itself = json!({"services": ["guardduty"], "from": [ARCHIVE]});
    let detector = json!({"enabled": true, "deliverTo": "archive"});
    stage.write(&[(ARCHIVE, LOGS, only_itself), (MEMBER, DETECTOR, detector)]).expect("documents");
    let plan = stage.plan().await.expect("a plan");
    let item = plan.items.iter().find(|item| item.finding.rule == "publishing").expect("a finding");
    assert!(matches!(item.outcome, Outcome::Blocked { .. }), "{:?}", item.outcome);
}

#[tokio::test(start_paused = true)]
async fn a_bucket_of_another_owner_is_never_written_to() {
    let stage = stage();
    bench::key(&stage.world, bench::KEY).await;
    bench::bucket(&stage.world).await;
    stage.world.bucket(bench::BUCKET, |bucket| bucket.owner = MEMBER.to_owned());
    stage.world.forget_calls();
    stage.write(&[(ARCHIVE, LOGS, logs())]).expect("documents");
    let plan = stage.plan().await.expect("a plan");
    let item = plan.items.iter().find(|item| item.control == LOGS).expect("a finding");
    let Verdict::Unknown { fault } = &item.finding.verdict else { panic!("{:?}", item.finding) };
    assert!(fault.message.contains("belongs to another account than 100000000001"), "{fault}");
    stage.apply().await.expect("an apply without changes");
    assert!(stage.writes().is_empty(), "{:?}", stage.writes());
}

#[tokio::test(start_paused = true)]
async fn what_a_call_replaces_whole_keeps_what_others_set() {
    let stage = stage();
    bench::key(&stage.world, bench::KEY).await;
    bench::bucket(&stage.world).await;
    let theirs = LifecycleRule::builder()
        .id("clean-up")
        .status(ExpirationStatus::Enabled)
        .filter(LifecycleRuleFilter::builder().prefix("tmp/").build())
        .expiration(LifecycleExpiration::builder().days(3000).build())
        .build()
        .expect("a status");
    let fresh = Bucket::new(ARCHIVE, HOME);
    stage.world.bucket(bench::BUCKET, |bucket| bucket.lifecycle.push(theirs.clone()));
    let mut spec = logs();
    spec["expireAfterDays"] = json!(2557);
    stage.write(&[(ARCHIVE, LOGS, spec)]).expect("documents");
    stage.apply().await.and_then(Applied::held).expect("it holds");
    stage.world.bucket(bench::BUCKET, |bucket| {
        assert_eq!(bucket.lifecycle.len(), 2);
        assert_eq!(bucket.lifecycle[0], theirs);
        let policy: Value = serde_json::from_str(bucket.policy.as_deref().unwrap_or_default()).expect("JSON");
        // What the bench put in has no name, and ours have.
        assert!(policy["Statement"][0].get("Sid").is_none(), "{policy}");
        assert_eq!(policy["Statement"].as_array().map(Vec::len), Some(6), "{policy}");
        let blocked = &bucket.encryption.blocked_encryption_types;
        assert_eq!(blocked, &fresh.encryption.blocked_encryption_types);
    });
}
