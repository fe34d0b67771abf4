//! It is stopped, killed and started: nothing is lost and nothing is doubled.

use std::time::Duration;

use baseline::controller::Order;
use baseline::controller::condition::Type;
use baseline::sandbox::Weather;

use super::stage::{HOUR, MINUTE, conditions, id, is_on, is_synced, looks, pass, running, settings, switch};
use crate::cli::shell::Shell;

#[tokio::test(start_paused = true)]
async fn a_restart_goes_on_from_what_is_kept() {
    let shell = Shell::many(12);
    running(&settings(&shell, true), async |_| pass(2 * HOUR).await).await;
    let since = conditions(&shell, &id(0)).condition(Type::Synced).expect("there").last_transition_time;
    shell.world.forget_calls();
    running(&settings(&shell, true), async |_| {
        pass(MINUTE / 2).await;
        let started = looks(&shell.world);
        assert!(started <= 4, "whoever had its turn waits for the next one: {started} looks");
        pass(HOUR).await;
        assert!(looks(&shell.world) >= 11);
        assert_eq!(
            conditions(&shell, &id(0)).condition(Type::Synced).expect("there").last_transition_time,
            since
        );
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_back_off_outlives_a_restart() {
    let shell = Shell::many(3);
    shell.world.account(&id(0), |account| account.iam.roles.clear());
    running(&settings(&shell, true), async |_| pass(8 * HOUR).await).await;
    let before = conditions(&shell, &id(0)).failing.expect("it fails");
    running(&settings(&shell, true), async |_| {
        pass(Duration::from_secs(10)).await;
        assert_eq!(conditions(&shell, &id(0)).failing.as_ref(), Some(&before), "it was not tried");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_fight_outlives_a_restart() {
    let shell = Shell::many(3);
    running(&settings(&shell, true), async |_| {
        pass(10 * MINUTE).await;
        switch(&shell.world, &id(0), false);
        pass(HOUR + MINUTE).await;
    })
    .await;
    running(&settings(&shell, true), async |_| {
        for _ in 0..4 {
            switch(&shell.world, &id(0), false);
            pass(HOUR + MINUTE).await;
        }
        assert!(!is_on(&shell.world, &id(0)));
        assert!(conditions(&shell, &id(0)).condition(Type::Contested).is_some());
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_stop_in_the_midst_of_a_step_finishes_it_and_loses_nothing() {
    let shell = Shell::many(8);
    shell.world.set_weather(Weather::fair().latency(Duration::from_millis(700)));
    let audit = shell.dir().join(".audit/runs");
    running(&settings(&shell, true), async |orders| {
        // As soon as somebody writes.
        while !audit.exists() {
            pass(Duration::from_millis(100)).await;
        }
        orders.send(Order::Stop).await.expect("it runs");
    })
    .await;
    let mut runs = 0;
    for run in std::fs::read_dir(&audit).expect("listed") {
        let run = run.expect("listed").path();
        assert!(run.join("outcome.json").exists(), "{} has no outcome", run.display());
        runs += 1;
    }
    assert!(runs >= 1);
    let made = (0..7).filter(|account| is_on(&shell.world, &id(*account))).count();
    assert!(made < 7, "not everything was begun");
    shell.world.set_weather(Weather::fair());
    running(&settings(&shell, true), async |_| pass(5 * MINUTE).await).await;
    assert!(
        (0..7)
            .all(|account| is_on(&shell.world, &id(account)) && is_synced(&conditions(&shell, &id(account))))
    );
    let detectors = shell.world.calls()["guardduty:CreateDetector"].landed;
    assert_eq!(detectors, 7, "nothing was doubled");
}

#[tokio::test(start_paused = true)]
async fn a_kill_at_any_write_is_made_good_by_the_next_start() {
    for writes in 1..4 {
        let shell = Shell::many(4);
        // Every call fails as though the process were gone.
        shell.world.set_weather(Weather::fair().stop_after_writes(writes));
        running(&settings(&shell, true), async |_| pass(10 * MINUTE).await).await;
        shell.world.set_weather(Weather::fair());
        running(&settings(&shell, true), async |_| pass(HOUR + 10 * MINUTE).await).await;
        for account in 0..3 {
            assert!(is_synced(&conditions(&shell, &id(account))), "after {writes} writes, account {account}");
        }
        assert_eq!(shell.world.calls()["guardduty:CreateDetector"].landed, 3);
    }
}
