//! Security Hub's standards stand on Security Hub and on a recorder of AWS Config that records. All of it is declared at
//! once, in no order, and one apply does it in the order that AWS demands.

use baseline::aws::journal::Entry;
use baseline::control::{ErasedControl, Thing};
use baseline::controls;
use baseline::place::Region;
use baseline::plan::{Outcome, Plan};
use serde_json::json;

use super::bench;
use super::stage::{Applied, HOME, MEMBER, Stage, example, open};

const RECORDER: &str = "config.recorder";
const HUB: &str = "securityhub.hub";
const STANDARDS: &str = "securityhub.standards";

async fn stage(declared: &[&str]) -> Stage {
    let of = |id: &str| controls::find(id).expect("it is in the list");
    let all: Vec<&'static dyn ErasedControl> = [STANDARDS, HUB, RECORDER].map(of).to_vec();
    let stage = Stage::bare(Box::leak(all.into())).expect("temporary folders");
    bench::furnish(&stage.world, RECORDER).await;
    stage.world.forget_calls();
    let specs = declared.iter().map(|id| (MEMBER, *id, example(of(id)).expect("it is YAML")));
    stage.write(&specs.collect::<Vec<_>>()).expect("documents");
    stage
}

fn outcome<'p>(plan: &'p Plan, resource: &str) -> &'p Outcome {
    let item = plan.items.iter().find(|item| item.finding.resource == resource);
    &item.unwrap_or_else(|| panic!("{resource}: {}", open(plan))).outcome
}

#[tokio::test(start_paused = true)]
async fn the_recorder_records_before_a_standard_is_enabled() {
    let stage = stage(&[STANDARDS, HUB, RECORDER]).await;
    let plan = stage.plan().await.expect("a plan");
    assert_eq!(*outcome(&plan, "fsbp/1.0.0"), Outcome::Change, "{}", open(&plan));
    stage.apply().await.and_then(Applied::held).expect("one apply does all");
    let calls = stage.calls();
    let written: Vec<&str> = calls.iter().filter(|call| call.write).map(Entry::operation).collect();
    let at = |call: &str| written.iter().position(|one| *one == call).expect(call);
    assert!(at("config:StartConfigurationRecorder") < at("securityhub:BatchEnableStandards"), "{written:?}");
    assert!(at("securityhub:EnableSecurityHub") < at("securityhub:BatchEnableStandards"), "{written:?}");
    let rested = stage.rested().await.expect("AWS comes to rest");
    assert_eq!(*outcome(&rested, "fsbp/1.0.0"), Outcome::InSync, "{}", open(&rested));
    assert_eq!(rested.changes().count(), 0, "{}", open(&rested));
}

#[tokio::test(start_paused = true)]
async fn without_a_recorder_a_standard_waits_and_says_for_what() {
    let stage = stage(&[STANDARDS, HUB]).await;
    stage.apply().await.and_then(Applied::held).expect("the hub alone");
    assert_eq!(stage.writes().get("securityhub:BatchEnableStandards"), None, "it would check nothing");
    let plan = stage.plan().await.expect("a plan");
    let recorder =
        Thing::ConfigRecorder { account: MEMBER.parse().expect("12 digits"), region: Region::new(HOME) };
    let blocked = Outcome::Blocked { on: vec![recorder], why: None };
    assert_eq!(*outcome(&plan, "fsbp/1.0.0"), blocked, "{}", open(&plan));
}

/// Somebody enabled it by hand in an account without a recorder: AWS leaves it INCOMPLETE for good.
#[tokio::test(start_paused = true)]
async fn a_standard_that_was_enabled_too_early_is_enabled_again_once_there_is_a_recorder() {
    let stage = stage(&[STANDARDS, HUB, RECORDER]).await;
    let fsbp = "arn:aws:securityhub:eu-west-1::standards/aws-foundational-security-best-practices/v/1.0.0";
    let now = stage.world.now();
    let early = json!({"standards": {"fsbp/1.0.0": true}});
    stage.world.region(MEMBER, HOME, |region| {
        let here = &mut region.securityhub;
        *here = baseline::sandbox::securityhub::SecurityHub::enabled(now);
        here.turn_on(fsbp, HOME, MEMBER, now);
        let code = aws_sdk_securityhub::types::StatusReasonCode::NoAvailableConfigurationRecorder;
        here.subscriptions.get_mut(fsbp).expect("it is on").status =
            baseline::sandbox::securityhub::Status::Incomplete(code);
    });
    stage.write(&[(MEMBER, STANDARDS, early.clone())]).expect("documents");
    let plan = stage.plan().await.expect("a plan");
    assert!(matches!(outcome(&plan, "fsbp/1.0.0"), Outcome::Blocked { .. }), "{}", open(&plan));
    let recorder = controls::find(RECORDER).expect("it is in the list");
    let both = [(MEMBER, STANDARDS, early), (MEMBER, RECORDER, example(recorder).expect("it is YAML"))];
    stage.write(&both).expect("documents");
    stage.apply().await.and_then(Applied::held).expect("one apply does both");
    let rested = stage.rested().await.expect("AWS comes to rest");
    assert_eq!(*outcome(&rested, "fsbp/1.0.0"), Outcome::InSync, "{}", open(&rested));
    assert_eq!(rested.changes().count(), 0, "{}", open(&rested));
}
