//! Two controls over two accounts: order, needs, waiting, failing, stopping, and what moved meanwhile.

use std::collections::BTreeMap;
use std::time::Duration;

use baseline::apply::ChangeResult;
use baseline::control::{ErasedControl, Thing};
use baseline::controls;
use baseline::plan::{Exit, Outcome, Plan, exit_of};
use baseline::sandbox::iam::PasswordPolicy;
use baseline::sandbox::{Front, Lag, Trouble, Weather};
use baseline::survey::{self, Wish};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::bench;
use super::specimens::{SPECIMENS, export};
use super::stage::{ARCHIVE, HOME, MEMBER, Stage, open};

const ALIAS: &str = "alias/specimen/one";
const KEY: &str = "specimen.key";
const EXPORT: &str = "specimen.export";
const POLICY: &str = "iam.password-policy";

/// Both specimens and a bystander, in a world that has a bucket, a detector and no key.
async fn stage() -> Stage {
    let policy = controls::find(POLICY).expect("it is in the list");
    let all: Vec<&'static dyn ErasedControl> = SPECIMENS.iter().copied().chain([policy]).collect();
    let stage = Stage::bare(Box::leak(all.into())).expect("temporary folders");
    bench::bucket(&stage.world).await;
    bench::detector(&stage.world);
    stage.world.forget_calls();
    stage
}

fn declare(stage: &Stage, controls: &[&str]) {
    let all = [
        (MEMBER, EXPORT, json!({"key": ALIAS})),
        (MEMBER, POLICY, json!({"minimumLength": 14})),
        (ARCHIVE, KEY, json!({"alias": ALIAS, "rotationDays": 365})),
    ];
    let declared: Vec<_> = all.into_iter().filter(|(_, control, _)| controls.contains(control)).collect();
    stage.write(&declared).expect("documents");
}

fn key() -> Thing {
    Thing::Key {
        account: ARCHIVE.parse().expect("12 digits"),
        region: baseline::place::Region::new(HOME),
        alias: ALIAS.into(),
    }
}

fn outcome<'a>(plan: &'a Plan, control: &str) -> &'a Outcome {
    let item = plan.items.iter().find(|item| item.control == control);
    item.map_or(&Outcome::InSync, |item| &item.outcome)
}

fn exit(plan: &Plan) -> Exit {
    exit_of(plan.items.iter().map(|item| &item.outcome), true)
}

#[tokio::test(start_paused = true)]
async fn makers_go_before_takers_over_accounts_and_what_takes_time_is_waited_for() {
    let stage = stage().await;
    declare(&stage, &[KEY, EXPORT]);
    let plan = stage.plan().await.expect("a plan");
    let order: Vec<&str> = plan.changes().map(|(_, item)| item.control.as_str()).collect();
    assert_eq!(order, [KEY, EXPORT]);

    let applied = stage.apply().await.and_then(super::stage::Applied::held).expect("one apply does both");
    let written: Vec<&str> = stage
        .calls()
        .iter()
        .filter(|call| call.write)
        .map(baseline::aws::journal::Entry::operation)
        .collect();
    let made = [
        "kms:CreateKey",
        "kms:CreateAlias",
        "kms:EnableKeyRotation",
        "guardduty:CreatePublishingDestination",
    ];
    assert_eq!(written, made);
    let waited = applied.report.changes.iter().find(|change| change.item.control == EXPORT);
    assert!(waited.is_some_and(|change| change.elapsed >= Duration::from_secs(30)), "{waited:?}");
    let after = stage.plan().await.expect("a plan");
    assert_eq!(after.totals.in_sync, after.totals.settings(), "{}", open(&after));
}

#[tokio::test(start_paused = true)]
async fn what_nobody_makes_blocks_and_its_appearance_wakes_up() {
    let stage = stage().await;
    declare(&stage, &[EXPORT]);
    let plan = stage.plan().await.expect("a plan");
    assert_eq!(outcome(&plan, EXPORT), &Outcome::Blocked { on: vec![key()], why: None });
    assert_eq!(exit(&plan), Exit::Differs);
    stage.apply().await.expect("an apply without changes");
    assert_eq!(stage.writes(), BTreeMap::new());

    bench::key(&stage.world, ALIAS).await;
    let plan = stage.plan().await.expect("a plan");
    assert_eq!(outcome(&plan, EXPORT), &Outcome::Change);
    stage.apply().await.and_then(super::stage::Applied::held).expect("it stands on the key");
}

#[tokio::test(start_paused = true)]
async fn what_is_in_progress_is_neither_drift_nor_in_sync() {
    let stage = stage().await;
    declare(&stage, &[KEY, EXPORT]);
    stage.apply().await.and_then(super::stage::Applied::held).expect("one apply does both");
    verify_anew(&stage.world);
    let plan = stage.plan().await.expect("a plan");
    assert_eq!(outcome(&plan, EXPORT), &Outcome::Progressing);
    assert_eq!(exit(&plan), Exit::Differs);
    drop(stage.rested().await.expect("it holds later"));
}

/// AWS begins to verify the export again.
fn verify_anew(world: &baseline::sandbox::World) {
    let now = world.now();
    world.region(MEMBER, HOME, |region| {
        if let Some(destination) = region.guardduty.detector.as_mut().and_then(|d| d.destination.as_mut()) {
            destination.since = now;
        }
    });
}

#[tokio::test(start_paused = true)]
async fn patience_ends() {
    let stage = stage().await;
    declare(&stage, &[KEY, EXPORT]);
    let world = stage.world.clone();
    let forever = tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_secs(5)).await;
            verify_anew(&world);
        }
    });
    let applied = stage.apply().await.expect("a report");
    forever.abort();
    assert_eq!(applied.result(KEY), Some(&ChangeResult::Held));
    assert_eq!(
        applied.result(EXPORT),
        Some(&ChangeResult::NotVerified { why: "AWS is verifying it".into() })
    );
    let elapsed = applied.report.changes.iter().map(|change| change.elapsed).max();
    assert!(elapsed >= Some(Duration::from_secs(export::PATIENCE.into())), "{elapsed:?}");
}

#[tokio::test(start_paused = true)]
async fn a_failed_prerequisite_blocks_what_needs_it_and_nothing_else() {
    let stage = stage().await;
    declare(&stage, &[KEY, EXPORT, POLICY]);
    stage.world.set_weather(Weather::fair().with(Front::new(Trouble::Denied).on("kms:CreateAlias")));
    let applied = stage.apply().await.expect("a report");
    assert!(
        matches!(applied.result(KEY), Some(ChangeResult::Failed { fault }) if fault.call == "kms:CreateAlias"),
        "{:?}",
        applied.result(KEY)
    );
    assert_eq!(applied.result(EXPORT), Some(&ChangeResult::Blocked { on: vec![key()] }));
    assert_eq!(applied.result(POLICY), Some(&ChangeResult::Held));

    stage.world.set_weather(Weather::fair());
    stage.converge().await.expect("it was only a permission");
    assert_eq!(stage.writes().get("kms:CreateKey"), Some(&1));
}

#[tokio::test(start_paused = true)]
async fn a_signal_finishes_the_step_in_hand_and_reaches_nothing_else() {
    let stage = stage().await;
    declare(&stage, &[KEY, EXPORT]);
    let fleet = stage.fleet().await.expect("connected");
    let plan = survey::plan(&fleet, &Wish::default(), &|_| {}).await;
    stage.world.set_weather(Weather::fair().latency(Duration::from_secs(1)));
    let stop = CancellationToken::new();
    let (signal, world) = (stop.clone(), stage.world.clone());
    let person = tokio::spawn(async move {
        while !world.writes().contains_key("kms:CreateKey") {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        signal.cancel();
    });
    let applied = stage.execute(&fleet, plan, &stop).await.expect("a report");
    person.await.expect("the key was made");
    assert!(applied.report.interrupted);
    assert!(
        matches!(applied.result(KEY), Some(ChangeResult::NotVerified { .. })),
        "{:?}",
        applied.result(KEY)
    );
    assert_eq!(applied.result(EXPORT), Some(&ChangeResult::NotReached));
    // The signal came when the key was there and its name was being given.
    let written = ["kms:CreateKey", "kms:CreateAlias"].map(|call| (call.to_owned(), 1));
    assert_eq!(stage.writes(), BTreeMap::from(written));

    stage.world.set_weather(Weather::fair());
    stage.converge().await.expect("the next one goes on");
    assert_eq!(stage.writes().get("kms:CreateKey"), Some(&1));
}

#[tokio::test(start_paused = true)]
async fn what_moved_between_plan_and_apply_is_refused_alone() {
    let stage = stage().await;
    declare(&stage, &[KEY, EXPORT, POLICY]);
    stage.world.account(MEMBER, |account| account.iam.password_policy = Some(PasswordPolicy::default()));
    let fleet = stage.fleet().await.expect("connected");
    let plan = survey::plan(&fleet, &Wish::default(), &|_| {}).await;
    let moved = PasswordPolicy { minimum_length: 7, ..PasswordPolicy::default() };
    stage.world.account(MEMBER, |account| account.iam.password_policy = Some(moved.clone()));
    let applied = stage.execute(&fleet, plan, &CancellationToken::new()).await.expect("a report");
    let what = "minimumLength was 6 when planned and is 7 now".to_owned();
    let result = applied.result(POLICY);
    assert!(matches!(result, Some(ChangeResult::Moved { what: said, .. }) if *said == what), "{result:?}");
    assert_eq!(applied.result(KEY), Some(&ChangeResult::Held));
    assert_eq!(applied.result(EXPORT), Some(&ChangeResult::Held));
    stage.world.account(MEMBER, |account| assert_eq!(account.iam.password_policy, Some(moved)));
}

/// A look that comes too early does not show a key whose making was never answered.
#[tokio::test(start_paused = true)]
async fn what_must_not_be_sent_twice_is_not_though_readers_lag() {
    for trouble in [("kms:CreateKey", Trouble::ReplyLost), ("kms:CreateAlias", Trouble::Cut)] {
        let stage = stage().await;
        declare(&stage, &[KEY]);
        let front = Front::new(trouble.1).on(trouble.0).times(3);
        stage.world.set_weather(Weather::fair().lag(Lag::Reads(9)).with(front));
        drop(stage.apply().await.expect("a report"));
        stage.world.set_weather(Weather::fair());
        stage.converge().await.expect("the next one goes on");
        assert_eq!(stage.writes().get("kms:CreateKey"), Some(&1), "{trouble:?}");
    }
}

/// Whatever the weather, an apply sends no call that its plan does not hold.
#[tokio::test(start_paused = true)]
async fn what_is_executed_was_planned() {
    for trouble in [None, Some(Trouble::Throttled), Some(Trouble::Cut), Some(Trouble::ReplyLost)] {
        let stage = stage().await;
        declare(&stage, &[KEY, EXPORT, POLICY]);
        let mut weather = Weather::fair();
        weather.fronts.extend(trouble.map(|trouble| {
            Front::new(trouble)
                .first_attempts(1)
                .at(|attempt| ["kms", "guardduty", "iam"].contains(&attempt.service))
        }));
        stage.world.set_weather(weather);
        let applied = stage.apply().await.expect("a report");
        let planned: Vec<(&str, &str, &str)> = applied
            .plan
            .changes()
            .filter_map(|(_, item)| Some((item, item.finding.change()?)))
            .flat_map(|(item, change)| {
                let account = item.scope.account.as_str();
                change.steps.iter().map(move |step| (account, item.control.as_str(), step.call.as_str()))
            })
            .collect();
        for call in stage.calls().iter().filter(|call| call.write) {
            let sent = (call.scope.account.as_str(), call.by, call.operation());
            assert!(planned.contains(&sent), "{trouble:?}: {sent:?} was not planned");
        }
    }
}
