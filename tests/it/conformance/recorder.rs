//! `config.recorder`, where the points do not look: several regions, somebody else's recorder, an archive that opens
//! late, and who waits for a recorder that is slow to start.

use std::time::Duration;

use baseline::control::{ErasedControl, Thing};
use baseline::controls;
use baseline::plan::{Outcome, Plan};
use baseline::sandbox::World;
use baseline::sandbox::config::{Config, Recorder, Recording, STARTING};
use serde_json::{Value, json};

use super::bench;
use super::stage::{ARCHIVE, Applied, HOME, MEMBER, Stage, open};

const ID: &str = "config.recorder";
const REGIONS: [&str; 3] = [HOME, "eu-central-1", "us-east-1"];

fn control() -> &'static dyn ErasedControl {
    controls::find(ID).expect("it is in the list")
}

/// A stage on which this is declared, in these regions.
async fn stage(spec: &Value, regions: &[&str]) -> Stage {
    let stage = Stage::of(control()).await.expect("a stage");
    stage.declare(control(), spec).expect("documents");
    let file = stage.documents.path().join("organization.yaml");
    let text = std::fs::read_to_string(&file).expect("it was written");
    let mut document: Value = serde_yaml::from_str(&text).expect("YAML");
    document["spec"]["regions"]["managed"] = json!(regions);
    std::fs::write(&file, serde_yaml::to_string(&document).expect("YAML")).expect("written again");
    stage
}

fn recommended() -> Value {
    json!({"record": "all", "frequency": "CONTINUOUS", "deliverTo": "archive", "snapshots": "TwentyFour_Hours"})
}

fn outcome(plan: &Plan, rule: &str) -> Outcome {
    let item = plan.items.iter().find(|item| item.finding.rule == rule);
    item.unwrap_or_else(|| panic!("{}", open(plan))).outcome.clone()
}

#[tokio::test(start_paused = true)]
async fn one_role_serves_all_regions_and_iam_is_recorded_at_home() {
    let stage = stage(&recommended(), &REGIONS).await;
    stage.apply().await.and_then(Applied::held).expect("one apply does it");
    let writes = stage.writes();
    assert_eq!(writes.get("iam:CreateServiceLinkedRole"), Some(&1));
    assert_eq!(writes.get("config:StartConfigurationRecorder"), Some(&3));
    for region in REGIONS {
        let records = stage.world.region(MEMBER, region, |region| {
            region.config.recorder.as_ref().map(|recorder| recorder.records.clone())
        });
        assert_eq!(records, Some(Recording::All { global: region == HOME }), "{region}");
    }
    let after = stage.plan().await.expect("a plan");
    assert_eq!(after.totals.in_sync, after.totals.settings(), "{}", open(&after));
}

#[tokio::test(start_paused = true)]
async fn control_towers_recorder_is_left_alone() {
    let stage = stage(&recommended(), &[HOME]).await;
    stage.world.region(MEMBER, HOME, |region| {
        let role = format!("arn:aws:iam::{MEMBER}:role/aws-controltower-ConfigRecorderRole");
        region.config.recorder = Some(Recorder::new("aws-controltower-BaselineConfigRecorder", &role));
    });
    let plan = stage.plan().await.expect("a plan");
    assert!(plan.items.iter().all(|item| item.outcome == Outcome::Foreign), "{}", open(&plan));
    stage.apply().await.expect("an apply without changes");
    assert_eq!(stage.writes(), [].into());
}

#[tokio::test(start_paused = true)]
async fn a_recorder_under_another_name_is_taken_over() {
    let stage = stage(&recommended(), &[HOME]).await;
    stage.world.region(MEMBER, HOME, |region| {
        let role = format!("arn:aws:iam::{MEMBER}:role/config");
        region.config.recorder = Some(Recorder::new("prod", &role));
    });
    stage.apply().await.and_then(Applied::held).expect("nothing is in the way");
    let name = stage.world.region(MEMBER, HOME, |region| region.config.recorder.clone().map(|one| one.name));
    assert_eq!(name.as_deref(), Some("prod"));
}

/// Takes the statements of AWS Config out of the archive's bucket policy, and gives the whole policy.
fn close(world: &World) -> String {
    world
        .bucket(bench::BUCKET, |bucket| {
            let whole = bucket.policy.clone().expect("it has one");
            let mut policy: Value = serde_json::from_str(&whole).expect("JSON");
            let statements = policy["Statement"].as_array_mut().expect("a list");
            statements.retain(|one| one["Principal"]["Service"] != "config.amazonaws.com");
            bucket.policy = Some(policy.to_string());
            whole
        })
        .expect("it is there")
}

#[tokio::test(start_paused = true)]
async fn a_closed_archive_blocks_delivery_and_start_and_not_the_recorder() {
    let stage = stage(&recommended(), &[HOME]).await;
    let whole = close(&stage.world);
    let plan = stage.plan().await.expect("a plan");
    assert_eq!(outcome(&plan, "recorder"), Outcome::Change);
    for rule in ["delivery", "recording"] {
        let on_delivery = matches!(outcome(&plan, rule), Outcome::Blocked { on, .. }
            if on.iter().all(|thing| matches!(thing, Thing::Delivery { .. })) && on.len() == 1);
        assert!(on_delivery, "{}", open(&plan));
    }
    stage.apply().await.and_then(Applied::held).expect("the recorder is made");
    assert_eq!(stage.writes().get("config:PutDeliveryChannel"), None);
    stage.world.bucket(bench::BUCKET, |bucket| bucket.policy = Some(whole));
    stage.apply().await.and_then(Applied::held).expect("it is open now");
}

/// AWS checks the key as well, and sees a new policy later than IAM's own readers do.
#[tokio::test(start_paused = true)]
async fn what_aws_does_not_see_yet_is_asked_for_again() {
    let stage = stage(&recommended(), &[HOME]).await;
    let key = |open: bool, world: &World| {
        world.region(ARCHIVE, HOME, |region| {
            region.kms.keys.values_mut().for_each(|key| key.enabled = open);
        });
    };
    key(false, &stage.world);
    let world = stage.world.clone();
    let later = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(40)).await;
        key(true, &world);
    });
    let applied = stage.apply().await.and_then(Applied::held).expect("it is asked for until it is seen");
    later.await.expect("it was opened");
    let retried = applied.report.changes.iter().any(|change| {
        change.retried.as_ref().is_some_and(|why| why.contains("InsufficientDeliveryPolicyException"))
    });
    assert!(retried, "{:?}", applied.report.changes);
}

#[tokio::test(start_paused = true)]
async fn a_recorder_that_is_slow_to_start_is_waited_for() {
    let stage = stage(&recommended(), &[HOME]).await;
    let plan = stage.plan().await.expect("a plan");
    let starts =
        plan.items.iter().find(|item| item.finding.rule == "recording").and_then(|i| i.finding.change());
    let makes = starts.map(|change| change.makes.clone()).unwrap_or_default();
    assert!(matches!(makes[..], [Thing::ConfigRecorder { .. }]), "{makes:?}");
    let applied = stage.apply().await.and_then(Applied::held).expect("it records in the end");
    let started = applied.report.changes.iter().find(|change| change.item.finding.rule == "recording");
    assert!(started.is_some_and(|change| change.elapsed >= STARTING), "{started:?}");
}

/// Security Hub's controls have nothing to look at before, so its standards wait until AWS says that it records.
#[tokio::test(start_paused = true)]
async fn security_hubs_standards_come_after_a_recorder_that_records() {
    let standards = "securityhub.standards";
    let all = [ID, standards].map(|id| controls::find(id).expect("it is in the list"));
    let stage = Stage::bare(Box::leak(Box::new(all))).expect("temporary folders");
    for control in [ID, standards] {
        bench::furnish(&stage.world, control).await;
    }
    // The bench of the standards has a recorder that runs already.
    stage.world.region(MEMBER, HOME, |region| region.config = Config::default());
    let declared =
        [(MEMBER, standards, json!({"standards": {"fsbp/1.0.0": true}})), (MEMBER, ID, recommended())];
    stage.write(&declared).expect("documents");
    stage.calls();
    stage.apply().await.and_then(Applied::held).expect("one apply does both");
    let calls: Vec<&str> =
        stage.calls().iter().filter(|call| call.by != "engine").map(|call| call.operation()).collect();
    let place = |operation: &str| calls.iter().position(|call| *call == operation);
    let (Some(started), Some(enabled)) =
        (place("config:StartConfigurationRecorder"), place("securityhub:BatchEnableStandards"))
    else {
        panic!("{calls:?}")
    };
    let between = calls.get(started..enabled).unwrap_or_else(|| panic!("{calls:?}"));
    let looks = between.iter().filter(|call| **call == "config:DescribeConfigurationRecorderStatus").count();
    assert!(looks > 1, "it was looked at until it recorded: {between:?}");
}
