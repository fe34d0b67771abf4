//! `kms.keys` among others: who stands on a key, and whose statements are in its policy.

use std::collections::BTreeMap;

use baseline::control::ErasedControl;
use baseline::controls;
use baseline::sandbox::kms::Kms;
use baseline::sandbox::{Front, Lag, Trouble, Weather};
use serde_json::{Value, json};

use super::bench;
use super::stage::{ARCHIVE, Applied, HOME, MEMBER, Stage, open};

const KEYS: &str = "kms.keys";
const DETECTOR: &str = "guardduty.detector";

fn stage() -> Stage {
    let all: Vec<&'static dyn ErasedControl> =
        [KEYS, DETECTOR].into_iter().map(|id| controls::find(id).expect("it is in the list")).collect();
    Stage::bare(Box::leak(all.into())).expect("temporary folders")
}

/// The key of the archive, for these callers.
fn archive(from: &Value) -> Value {
    json!({"keys": {bench::KEY: {"usedBy": ["cloudtrail", "guardduty", "logs"], "from": from}}})
}

fn of_archive<R>(stage: &Stage, look: impl FnOnce(&mut Kms) -> R) -> R {
    stage.world.region(ARCHIVE, HOME, |region| look(&mut region.kms))
}

fn statements(stage: &Stage) -> Vec<Value> {
    let policy = of_archive(stage, |kms| kms.aliased(bench::KEY).map(|key| key.policy.clone()));
    let policy: Value = serde_json::from_str(&policy.expect("made")).expect("kept as JSON");
    policy["Statement"].as_array().cloned().unwrap_or_default()
}

/// The service itself has the last word: GuardDuty checks the key policy when the export is set up.
#[tokio::test(start_paused = true)]
async fn a_member_exports_with_the_archives_key_once_it_is_made() {
    for from in [json!("organization"), json!([MEMBER])] {
        let stage = stage();
        bench::bucket(&stage.world).await;
        let detector = json!({"enabled": true, "deliverTo": "archive"});
        stage.write(&[(MEMBER, DETECTOR, detector), (ARCHIVE, KEYS, archive(&from))]).expect("documents");
        let plan = stage.plan().await.expect("a plan");
        let order: Vec<&str> = plan.changes().map(|(_, item)| item.control.as_str()).collect();
        assert_eq!(order, [KEYS, DETECTOR, DETECTOR], "{from}");
        stage.apply().await.and_then(Applied::held).expect("one apply does both");
        let rested = stage.rested().await.expect("GuardDuty is content");
        assert_eq!(rested.totals.in_sync, rested.totals.settings(), "{from}: {}", open(&rested));
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_that_lets_in_others_only_is_refused_by_the_service() {
    let stage = stage();
    bench::bucket(&stage.world).await;
    let detector = json!({"enabled": true, "deliverTo": "archive"});
    let elsewhere = archive(&json!(["999999999999"]));
    stage.write(&[(MEMBER, DETECTOR, detector), (ARCHIVE, KEYS, elsewhere)]).expect("documents");
    assert!(stage.apply().await.and_then(Applied::held).is_err());
}

#[tokio::test(start_paused = true)]
async fn accounts_are_added_and_statements_of_others_stay() {
    let stage = stage();
    stage.write(&[(ARCHIVE, KEYS, archive(&json!([MEMBER])))]).expect("documents");
    stage.converge().await.expect("a key");
    let partner = json!({
        "Sid": "Partner", "Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{MEMBER}:root")},
        "Action": ["kms:Decrypt"], "Resource": "*"
    });
    of_archive(&stage, |kms| {
        let key = kms.aliased(bench::KEY).expect("made");
        let mut policy: Value = serde_json::from_str(&key.policy).expect("JSON");
        policy["Statement"].as_array_mut().expect("a list").insert(0, partner.clone());
        key.policy = policy.to_string();
    });
    stage.write(&[(ARCHIVE, KEYS, archive(&json!([ARCHIVE])))]).expect("documents");
    let plan = stage.plan().await.expect("a plan");
    let carries: Vec<&str> =
        plan.changes().filter_map(|(_, item)| item.finding.change()?.carries.as_deref()).collect();
    let kept = format!("1 statement of others; {MEMBER} in `from`: not declared, but it is only added to");
    assert_eq!(carries, [kept]);
    stage.apply().await.and_then(Applied::held).expect("one call");

    let live = statements(&stage);
    assert_eq!(live[0], partner);
    let guardduty = live.iter().find(|one| one["Sid"] == "BaselineGuardduty").expect("ours");
    let accounts = &guardduty["Condition"]["StringEquals"]["aws:SourceAccount"];
    assert_eq!(accounts, &json!([MEMBER, ARCHIVE]));
    assert_eq!(stage.writes().get("kms:PutKeyPolicy"), Some(&1));
    let plan = stage.plan().await.expect("a plan");
    assert_eq!(plan.totals.in_sync, plan.totals.settings(), "{}", open(&plan));
}

/// The tag of its making finds the key again, whatever other keys there are.
#[tokio::test(start_paused = true)]
async fn a_key_without_its_alias_gets_it_back_and_no_second_key_is_made() {
    let stage = stage();
    stage.write(&[(ARCHIVE, KEYS, archive(&json!("organization")))]).expect("documents");
    for number in 0..5 {
        bench::key(&stage.world, &format!("alias/other/{number}")).await;
    }
    stage.converge().await.expect("a key");
    let before = of_archive(&stage, |kms| kms.aliases.remove(bench::KEY)).expect("it had one");
    stage.world.forget_calls();
    let plan = stage.plan().await.expect("a plan");
    let adopts = plan.changes().find_map(|(_, item)| item.finding.change()?.adopts.clone());
    assert!(adopts.is_some_and(|text| text.contains("rather than a second")));
    stage.apply().await.and_then(Applied::held).expect("one call");
    assert_eq!(of_archive(&stage, |kms| kms.aliases.get(bench::KEY).cloned()), Some(before));
    assert_eq!(stage.writes(), BTreeMap::from([("kms:CreateAlias".to_owned(), 1)]));
    assert_eq!(of_archive(&stage, |kms| kms.keys.len()), 6);
}

/// Readers of KMS lag its writers: what was made is waited for, and never made again.
#[tokio::test(start_paused = true)]
async fn one_key_is_made_however_late_it_is_seen() {
    for trouble in [None, Some(Trouble::ReplyLost), Some(Trouble::TimedOut), Some(Trouble::Throttled)] {
        let stage = stage();
        let spec = json!({"keys": {bench::KEY: {"rotationDays": 365, "description": "logs"}}});
        stage.write(&[(ARCHIVE, KEYS, spec)]).expect("documents");
        let mut weather = Weather::fair().lag(Lag::Reads(4));
        weather.fronts.extend(trouble.map(|trouble| Front::new(trouble).on("kms:CreateKey").times(1)));
        stage.world.set_weather(weather);
        let applied = stage.apply().await.expect("a report");
        if trouble.is_none() {
            applied.held().expect("it is waited for");
        }
        stage.world.set_weather(Weather::fair());
        stage.converge().await.expect("the next one goes on");
        assert_eq!(of_archive(&stage, |kms| kms.keys.len()), 1, "{trouble:?}");
        assert_eq!(stage.writes().get("kms:CreateKey"), Some(&1), "{trouble:?}");
    }
}
