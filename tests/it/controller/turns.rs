//! What a turn does, and does not do.

use baseline::audit::ControllerRecord;
use baseline::controller::Order;
use baseline::controller::condition::{Status, Type};

use super::stage::{
    HOUR, MINUTE, condition, conditions, desired_state, id, is_on, is_synced, looks, pass, read, running,
    settings, switch,
};
use crate::cli::shell::{Shell, organization};

#[tokio::test(start_paused = true)]
async fn it_converges_and_then_writes_nothing_more() {
    let shell = Shell::many(4);
    running(&settings(&shell, true), async |_| {
        pass(10 * MINUTE).await;
        for account in 0..3 {
            assert!(is_on(&shell.world, &id(account)), "{account}");
            let kept = conditions(&shell, &id(account));
            assert!(is_synced(&kept), "{kept:#?}");
            assert_eq!(condition(&kept, "guardduty.detector", Type::Contested).status, Status::False);
        }
        shell.world.forget_calls();
        pass(5 * HOUR).await;
        assert!(shell.world.writes().is_empty(), "{:?}", shell.world.writes());
        assert!(looks(&shell.world) >= 3 * 5, "three accounts, five intervals");
    })
    .await;
    let record: ControllerRecord = read(&shell.dir().join(".audit/controller.json"));
    assert!(record.enforces);
    assert_eq!((record.interval, record.run.as_str()), (3600, "01CONTROLLER"));
    let state = desired_state(&shell);
    assert_eq!((state.conditions[0].status, state.conditions[0].reason.as_str()), (Status::True, "Taken"));
    assert_eq!(conditions(&shell, &id(0)).observed, Some(state.taken));
}

#[tokio::test(start_paused = true)]
async fn drift_is_put_right_at_the_next_turn_and_recorded_as_an_apply_is() {
    let shell = Shell::many(3);
    running(&settings(&shell, true), async |_| {
        pass(10 * MINUTE).await;
        let since =
            condition(&conditions(&shell, &id(0)), "guardduty.detector", Type::Synced).last_transition_time;
        switch(&shell.world, &id(0), false);
        shell.world.forget_calls();
        pass(HOUR + MINUTE).await;
        assert!(is_on(&shell.world, &id(0)));
        assert_eq!(shell.world.writes().into_keys().collect::<Vec<_>>(), ["guardduty:UpdateDetector"]);
        let kept = conditions(&shell, &id(0));
        let synced = condition(&kept, "guardduty.detector", Type::Synced);
        assert_eq!(synced.last_transition_time, since, "it was in sync before and after");
        let run = kept.last_run.expect("a run");
        let runs = shell.dir().join(".audit/runs").join(run);
        assert!(runs.join("intent.json").exists() && runs.join("outcome.json").exists());
        let kept = std::fs::read_to_string(runs.join("before/00001.json")).expect("an image");
        assert!(kept.contains("\"guardduty.detector\""), "{kept}");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn without_enforce_nothing_is_written_and_everything_is_told() {
    let shell = Shell::many(4);
    running(&settings(&shell, false), async |_| {
        pass(3 * HOUR).await;
        assert!(shell.world.writes().is_empty(), "{:?}", shell.world.writes());
        let kept = conditions(&shell, &id(1));
        let drifted = condition(&kept, "guardduty.detector", Type::Drifted);
        assert_eq!((drifted.status, drifted.reason.as_str()), (Status::True, "ObserveOnly"));
        assert!(drifted.message.contains("enabled not set → true"), "{}", drifted.message);
        assert!(!is_synced(&kept));
    })
    .await;
    assert!(!shell.dir().join(".audit/runs").exists(), "there was no run that could have written");
    let record: ControllerRecord = read(&shell.dir().join(".audit/controller.json"));
    assert!(!record.enforces);
}

#[tokio::test(start_paused = true)]
async fn a_hang_up_makes_everything_due_now() {
    let shell = Shell::many(4);
    running(&settings(&shell, true), async |orders| {
        pass(10 * MINUTE).await;
        for account in 0..3 {
            switch(&shell.world, &id(account), false);
        }
        orders.send(Order::Reload).await.expect("it runs");
        pass(MINUTE).await;
        assert!((0..3).all(|account| is_on(&shell.world, &id(account))));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_suspended_account_is_looked_at_and_not_changed_until_its_last_day_has_passed() {
    let shell = Shell::many(3);
    shell.edit(
        "accounts/account-01.yaml",
        "  id:",
        "  suspend: {until: 2999-12-31, reason: a migration is under way}\n  id:",
    );
    running(&settings(&shell, true), async |_| {
        pass(3 * HOUR).await;
        assert!(!is_on(&shell.world, &id(0)), "suspended");
        assert!(is_on(&shell.world, &id(1)), "the others go on");
        let kept = conditions(&shell, &id(0));
        let drifted = condition(&kept, "guardduty.detector", Type::Drifted);
        assert_eq!((drifted.status, drifted.reason.as_str()), (Status::True, "Suspended"));
        assert!(
            drifted.message.contains("suspended until 2999-12-31: a migration is under way"),
            "{drifted:?}"
        );
        assert!(!is_synced(&kept));
        // The next revision takes it out again.
        shell.edit(
            "accounts/account-01.yaml",
            "  suspend: {until: 2999-12-31, reason: a migration is under way}\n",
            "",
        );
        pass(3 * MINUTE).await;
        assert!(is_on(&shell.world, &id(0)), "a changed account is due at once");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_suspended_organisation_is_not_changed_at_all() {
    let shell = Shell::many(3);
    shell.write("organization.yaml", organization("", "  suspend: {reason: the audit week}\n"));
    running(&settings(&shell, true), async |_| {
        pass(2 * HOUR).await;
        assert!(shell.world.writes().is_empty());
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_a_guard_refuses_is_told_and_the_rest_goes_on() {
    let shell = Shell::many(3);
    shell.write(
        "baselines/detector.yaml",
        "apiVersion: baseline/v1\nkind: Baseline\nmetadata: {name: detector}\nspec:\n  controls:\n    guardduty.detector: \
         {enabled: true, features: {S3_DATA_EVENTS: false}}\n    iam.password-policy: {minimumLength: 14, require: {lowercase: true, uppercase: true, numbers: true, symbols: true}, usersMayChange: true}\n",
    );
    let off = |region: &mut baseline::sandbox::RegionState| {
        let detector = region.guardduty.detector.as_mut().expect("there");
        detector.set_feature("S3_DATA_EVENTS", true);
    };
    running(&settings(&shell, true), async |_| {
        pass(10 * MINUTE).await;
        shell.world.region(&id(0), "eu-west-1", off);
        shell.world.account(&id(0), |account| account.iam.password_policy = None);
        pass(HOUR + MINUTE).await;
        let kept = conditions(&shell, &id(0));
        let stalled = condition(&kept, "guardduty.detector", Type::Stalled);
        assert_eq!((stalled.status, stalled.reason.as_str()), (Status::True, "Refused"));
        assert!(stalled.message.contains("--allow weakening:"), "{stalled:?}");
        assert_eq!(condition(&kept, "iam.password-policy", Type::Synced).status, Status::True);
        let events = shell.world.region(&id(0), "eu-west-1", |region| {
            region.guardduty.detector.as_ref().expect("there").features["S3_DATA_EVENTS"].enabled
        });
        assert!(events, "nobody allowed it");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_newer_desired_state_seen_on_an_account_is_not_overwritten() {
    let shell = Shell::many(3);
    shell.git(&["init", "--quiet"]);
    let first = shell.commit();
    shell.edit("baselines/detector.yaml", "enabled: true", "enabled: true, frequency: ONE_HOUR");
    let second = shell.commit();
    running(&settings(&shell, true), async |_| pass(10 * MINUTE).await).await;
    assert_eq!(conditions(&shell, &id(0)).observed.expect("looked at").revision, Some(second));
    // Another replica, which has not heard of the second revision yet.
    shell.git(&["checkout", "--quiet", &first]);
    switch(&shell.world, &id(0), false);
    shell.world.forget_calls();
    running(&settings(&shell, true), async |_| {
        pass(2 * HOUR).await;
        let kept = conditions(&shell, &id(0));
        let stalled = kept.condition(Type::Stalled).expect("told");
        assert_eq!((stalled.status, stalled.reason.as_str()), (Status::True, "NewerDesiredState"));
        assert!(stalled.message.contains("which this desired state does not contain"), "{stalled:?}");
        assert!(shell.world.writes().is_empty());
        // It has heard of it now.
        shell.git(&["checkout", "--quiet", "-"]);
        pass(HOUR + 5 * MINUTE).await;
        assert!(is_on(&shell.world, &id(0)));
        assert_eq!(conditions(&shell, &id(0)).condition(Type::Stalled), None);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn who_waited_for_a_thing_is_due_when_it_appears() {
    let shell = Shell::acme();
    let mut settings = settings(&shell, true);
    settings.allow =
        ["organization:*", "disruptive:*"].map(|allow| allow.parse().expect("well formed")).into();
    running(&settings, async |_| {
        // The archive, its key and whoever delivers there: well before everybody's second turn.
        pass(50 * MINUTE).await;
        let trail = conditions(&shell, baseline::sandbox::sample::TRAINING);
        let waits: Vec<_> = trail
            .controls
            .iter()
            .filter(|one| one.condition(Type::Stalled).is_some_and(|stalled| stalled.reason == "Blocked"))
            .collect();
        assert!(waits.is_empty(), "{waits:#?}");
    })
    .await;
}
