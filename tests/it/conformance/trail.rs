//! A trail is made of eight calls in three services that learn of each other late: what is waited for, what ends,
//! and what is finished in one run.

use std::time::Duration;

use baseline::apply::ChangeResult;
use baseline::controls;
use baseline::sandbox::cloudtrail::Trail;
use baseline::sandbox::{Front, Trouble, Weather};
use serde_json::json;

use super::bench;
use super::stage::{Applied, HOME, MEMBER, Stage, changed, example, open};

const TRAIL: &str = "cloudtrail.trail";

async fn stage() -> Stage {
    let control = controls::find(TRAIL).expect("it is in the list");
    let stage = Stage::of(control).await.expect("a stage");
    let mut spec = example(control).expect("it is YAML");
    spec["events"]["s3"] = "write-only".into();
    spec["insights"]["ApiErrorRateInsight"] = true.into();
    stage.declare(control, &spec).expect("documents");
    stage
}

/// An apply that ends within an hour of its own time.
async fn apply(stage: &Stage) -> Applied {
    let applied = tokio::time::timeout(Duration::from_secs(3600), stage.apply()).await;
    applied.expect("it ends").expect("a report")
}

#[tokio::test(start_paused = true)]
async fn a_role_that_cloudtrail_does_not_see_yet_is_waited_for() {
    let stage = stage().await;
    stage.world.account(MEMBER, |account| account.iam.propagation = Duration::from_secs(25));
    let applied = apply(&stage).await.held().expect("it is seen after a while");
    let change = &applied.report.changes[0];
    assert!(change.elapsed >= Duration::from_secs(25), "{:?}", change.elapsed);
    let retried = change.retried.as_deref().unwrap_or_default();
    assert!(retried.contains("InvalidCloudWatchLogsRoleArnException"), "{retried}");
    let after = stage.plan().await.expect("a plan");
    assert_eq!(after.totals.in_sync, after.totals.settings(), "{}", open(&after));
    assert_eq!(stage.writes().get("iam:CreateRole"), Some(&1));
}

#[tokio::test(start_paused = true)]
async fn a_key_that_never_lets_it_in_is_waited_for_until_patience_ends() {
    let stage = stage().await;
    stage.world.region(super::stage::ARCHIVE, HOME, |region| {
        for key in region.kms.keys.values_mut() {
            key.policy = key.policy.replace("cloudtrail.amazonaws.com", "config.amazonaws.com");
        }
    });
    let applied = apply(&stage).await;
    let Some(ChangeResult::Failed { fault }) = applied.result(TRAIL) else {
        panic!("{:?}", applied.result(TRAIL))
    };
    assert_eq!(fault.code, "InsufficientEncryptionPolicyException");
    let elapsed = applied.report.changes[0].elapsed;
    assert!((60..200).contains(&elapsed.as_secs()), "{elapsed:?}");
}

#[tokio::test(start_paused = true)]
async fn a_reply_that_is_lost_in_the_middle_does_not_leave_the_trail_half_made() {
    for call in ["cloudtrail:CreateTrail", "cloudtrail:PutEventSelectors", "iam:CreateRole"] {
        let stage = stage().await;
        let front = Front::new(Trouble::ReplyLost).on(call).times(1);
        stage.world.set_weather(Weather::fair().with(front));
        let applied = apply(&stage).await.held();
        assert!(applied.is_ok(), "{call}: {:?}", applied.err());
        stage.world.set_weather(Weather::fair());
        let after = stage.plan().await.expect("a plan");
        assert_eq!(after.totals.in_sync, after.totals.settings(), "{call}: {}", open(&after));
    }
}

#[tokio::test(start_paused = true)]
async fn a_multi_region_trail_of_another_name_is_adopted_rather_than_doubled() {
    let stage = stage().await;
    let idle = Trail { multi_region: true, logging: false, ..Trail::logging_to(bench::BUCKET) };
    let busy = Trail { multi_region: true, ..Trail::logging_to("old-trails") };
    stage.world.region(MEMBER, HOME, |region| {
        region.cloudtrail.trails.insert("a-audit".into(), idle);
        region.cloudtrail.trails.insert("b-audit".into(), busy);
    });
    let plan = stage.plan().await.expect("a plan");
    let adopts = plan.changes().filter_map(|(_, item)| item.finding.change()?.adopts.as_deref());
    let adopts: Vec<&str> = adopts.collect();
    assert!(!adopts.is_empty() && adopts.iter().all(|text| text.contains("b-audit")), "{adopts:?}");
    apply(&stage).await.held().expect("it is there already");
    assert_eq!(stage.writes().get("cloudtrail:CreateTrail"), None);
    let after = stage.plan().await.expect("a plan");
    assert_eq!(after.totals.in_sync, after.totals.settings(), "{}", open(&after));
}

#[tokio::test(start_paused = true)]
async fn five_trails_are_enough_and_aws_says_so() {
    let stage = stage().await;
    stage.world.region(MEMBER, HOME, |region| {
        for name in ["one", "two", "three", "four", "five"] {
            region.cloudtrail.trails.insert(name.into(), Trail::logging_to(bench::BUCKET));
        }
    });
    let applied = apply(&stage).await;
    let Some(ChangeResult::Failed { fault }) = applied.result(TRAIL) else {
        panic!("{:?}", applied.result(TRAIL))
    };
    assert_eq!(fault.code, "MaximumNumberOfTrailsExceededException");
}

#[tokio::test(start_paused = true)]
async fn another_log_group_is_made_and_the_trail_is_turned_to_it_and_back() {
    let stage = stage().await;
    apply(&stage).await.held().expect("all is there");
    let control = controls::find(TRAIL).expect("it is in the list");
    let turned = |group: &str| json!({"cloudWatchLogs": {"group": group}});
    for (group, calls) in [
        ("other/events", vec!["logs:CreateLogGroup", "iam:PutRolePolicy", "cloudtrail:UpdateTrail"]),
        ("baseline/trail-events", vec!["cloudtrail:UpdateTrail"]),
        ("none", vec!["cloudtrail:UpdateTrail"]),
    ] {
        stage.declare(control, &turned(group)).expect("documents");
        let applied = apply(&stage).await.held().expect(group);
        let change = applied.plan.changes().next().and_then(|(_, item)| item.finding.change());
        let change = change.expect("it differs");
        assert_eq!(change.steps.iter().map(|step| step.call.as_str()).collect::<Vec<_>>(), calls, "{group}");
        assert_eq!(changed(&applied.plan), ["/cloudWatchLogs/group".to_owned()].into(), "{group}");
    }
}

/// The archive's bucket is not known when only the switch is declared: starting does not stand on it.
#[tokio::test(start_paused = true)]
async fn a_stopped_trail_is_started_without_the_archive() {
    let stage = stage().await;
    apply(&stage).await.held().expect("all is there");
    stage
        .world
        .region(MEMBER, HOME, |region| region.cloudtrail.change("baseline", |trail| trail.logging = false));
    stage.world.bucket(bench::BUCKET, |bucket| bucket.policy = None);
    let control = controls::find(TRAIL).expect("it is in the list");
    stage.declare(control, &json!({"logging": true})).expect("documents");
    let plan = stage.plan().await.expect("a plan");
    assert_eq!(changed(&plan), ["/logging".to_owned()].into());
    let applied = apply(&stage).await;
    assert_eq!(applied.result(TRAIL), Some(&ChangeResult::Held));
}
