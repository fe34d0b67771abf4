//! Hints: what somebody writes is put right within seconds, and what comes twice, in storms or not at all does no harm.

#![expect(clippy::disallowed_macros, reason = "it prints the figures of the documentation")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use baseline::controller::Settings;
use baseline::sandbox::{Front, Trouble, Weather};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::fleet::{MANAGEMENT, Replica, messages, of_fleet, queue};
use super::stage::{HOUR, MINUTE, id, is_on, looks, pass, running, settings, switch};
use crate::cli::shell::Shell;

const SECOND: Duration = Duration::from_secs(1);

fn hints(shell: &Shell) -> String {
    shell.world.make_queue(MANAGEMENT, "eu-west-1", "baseline-hints", 10)
}

fn hinted(shell: &Shell, queue: &str) -> Settings {
    Settings { hints: Some(queue.parse().expect("a queue")), ..settings(shell, true) }
}

/// An event as EventBridge sends it.
fn event(shell: &Shell, account: &str, name: &str, who: &str, number: usize) -> Value {
    let at = shell.world.now().to_string();
    json!({
        "version": "0",
        "id": format!("e0e0e0e0-0000-4000-8000-{number:012}"),
        "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.guardduty",
        "account": account,
        "time": at,
        "region": "eu-west-1",
        "resources": [],
        "detail": {
            "eventTime": at,
            "eventSource": "guardduty.amazonaws.com",
            "eventName": name,
            "userIdentity": {"type": "AssumedRole", "arn": format!("arn:aws:sts::{account}:assumed-role/{who}")},
        },
    })
}

/// Somebody switches GuardDuty off, and EventBridge tells.
fn disturb(shell: &Shell, hints: &str, account: &str, number: usize) {
    switch(&shell.world, account, false);
    let told = event(shell, account, "UpdateDetector", "admin/jo", number);
    shell.world.put_message(hints, &told.to_string());
}

/// A heartbeat of an account, as the rule's schedule sends it.
fn beat(shell: &Shell, hints: &str, account: &str, region: &str) {
    let beat = json!({
        "id": "b", "detail-type": "Scheduled Event", "source": "aws.events", "account": account,
        "time": shell.world.now().to_string(), "region": region, "detail": {},
    });
    shell.world.put_message(hints, &beat.to_string());
}

/// `cargo test --test it controller::hinted::drift_is -- --nocapture` prints the figures of `docs/performance.md`.
#[tokio::test(start_paused = true)]
async fn drift_is_put_right_within_seconds_of_its_hint() {
    const ACCOUNTS: usize = 200;
    let shell = Shell::many(ACCOUNTS + 1);
    let hints = hints(&shell);
    shell.edit("organization.yaml", "  roles:", "  guards: {accountsAtOnce: 100}\n  roles:");
    shell.world.set_weather(Weather::fair().latency(Duration::from_millis(60)));
    let mut took = Vec::new();
    running(&hinted(&shell, &hints), async |_| {
        pass(10 * MINUTE).await;
        // One of each account: several in a day would be a fight.
        for account in 0..ACCOUNTS {
            disturb(&shell, &hints, &id(account), account);
            let start = Instant::now();
            while !is_on(&shell.world, &id(account)) {
                pass(Duration::from_millis(50)).await;
                assert!(start.elapsed() < 2 * MINUTE, "{account} is not put right");
            }
            took.push(start.elapsed());
            // Everything is at another moment of the calls that wait for messages.
            pass(Duration::from_millis(3_700)).await;
        }
        pass(MINUTE).await;
    })
    .await;
    assert_eq!(messages(&shell, "baseline-hints"), 0);
    took.sort();
    let at = |share: usize| took[(took.len() * share / 100).min(took.len() - 1)].as_secs_f64();
    println!(
        "drift to put right with hints   {} disturbances in {ACCOUNTS} accounts, 60 ms a call",
        took.len()
    );
    println!("p50, p99                        {:.1} s, {:.1} s", at(50), at(99));
    assert!(at(50) < 6.0 && at(99) < 15.0, "{took:?}");
}

/// The same flag prints what a quiet hour costs.
#[tokio::test(start_paused = true)]
async fn an_account_whose_hints_arrive_is_looked_at_less_often() {
    let quiet = async |with_hints: bool| {
        let shell = Shell::many(21);
        let hints = hints(&shell);
        let calls: Arc<Mutex<u64>> = Arc::default();
        let counted = Arc::clone(&calls);
        let watching = Front::new(Trouble::Cut).at(move |attempt| {
            *counted.lock().expect("no poison") += u64::from(attempt.account != MANAGEMENT);
            false
        });
        shell.world.set_weather(Weather::fair().with(watching));
        let settings = if with_hints { hinted(&shell, &hints) } else { settings(&shell, true) };
        running(&settings, async |_| {
            let beats = async |time: Duration| {
                let end = Instant::now() + time;
                while Instant::now() < end {
                    if with_hints {
                        (0..20).for_each(|account| beat(&shell, &hints, &id(account), "eu-west-1"));
                    }
                    pass(15 * MINUTE).await;
                }
            };
            beats(7 * HOUR).await;
            *calls.lock().expect("no poison") = 0;
            beats(12 * HOUR).await;
        })
        .await;
        let calls = *calls.lock().expect("no poison");
        calls as f64 / 20.0 / 12.0
    };
    let (without, with) = (quiet(false).await, quiet(true).await);
    println!("calls per account-hour, nothing changes: {without:.1} without hints, {with:.1} with");
    assert!(with * 5.0 < without, "{with} against {without}");
}

#[tokio::test(start_paused = true)]
async fn hints_that_stop_coming_cost_only_the_interval() {
    let shell = Shell::many(3);
    let hints = hints(&shell);
    running(&hinted(&shell, &hints), async |_| {
        for _ in 0..40 {
            beat(&shell, &hints, &id(0), "eu-west-1");
            pass(15 * MINUTE).await;
        }
        // The account that was never heard is looked at every hour all along. Now the other's heart stops as well.
        pass(HOUR).await;
        switch(&shell.world, &id(0), false);
        pass(HOUR + 10 * MINUTE).await;
        assert!(is_on(&shell.world, &id(0)), "drift without a hint is found in an hour, not in six");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_storm_on_one_account_is_one_turn_and_a_late_copy_none() {
    let shell = Shell::many(3);
    let hints = hints(&shell);
    running(&hinted(&shell, &hints), async |_| {
        pass(10 * MINUTE).await;
        shell.world.forget_calls();
        let event = |number| event(&shell, &id(0), "UpdateDetector", "admin/jo", number).to_string();
        for number in 0..300 {
            shell.world.put_message(&hints, &event(number));
        }
        let copy = event(300);
        shell.world.put_message(&hints, &copy);
        pass(MINUTE).await;
        assert_eq!(looks(&shell.world), 1, "one turn for 301 events");
        assert_eq!(messages(&shell, "baseline-hints"), 0, "and all are done with");
        // EventBridge delivers at least once, and sometimes twice.
        pass(MINUTE).await;
        shell.world.put_message(&hints, &copy);
        pass(MINUTE).await;
        assert!(looks(&shell.world) <= 2);
        shell.world.forget_calls();
        shell.world.put_message(&hints, &copy);
        pass(MINUTE).await;
        assert_eq!(looks(&shell.world), 0, "what happened then has been seen");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn our_own_writes_come_back_and_are_dropped_and_a_strangers_in_our_name_is_not() {
    let shell = Shell::many(3);
    let hints = hints(&shell);
    running(&hinted(&shell, &hints), async |_| {
        pass(10 * MINUTE).await;
        let run = std::fs::read_dir(shell.dir().join(".audit/runs")).expect("listed").next().expect("a run");
        let run = run.expect("listed").file_name().to_string_lossy().into_owned();
        shell.world.forget_calls();
        let told = |who: &str| {
            let event = event(&shell, &id(0), "UpdateDetector", who, 1);
            shell.world.put_message(&hints, &event.to_string());
        };
        told(&format!("baseline-apply/{run}"));
        pass(MINUTE).await;
        assert_eq!(looks(&shell.world), 0, "it was ourselves");
        told(&format!("admin/{run}"));
        pass(MINUTE).await;
        assert_eq!(looks(&shell.world), 1, "another role may name its sessions as it likes");
        pass(MINUTE).await;
        told("baseline-apply/01ARZ3NDEKTSV4RRFFQ69G5FAV");
        pass(MINUTE).await;
        assert_eq!(looks(&shell.world), 2, "there was no such run");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_is_of_no_use_is_taken_out_and_what_cannot_be_read_is_a_dead_letter() {
    let shell = Shell::many(3);
    let hints = hints(&shell);
    running(&hinted(&shell, &hints), async |_| {
        pass(10 * MINUTE).await;
        shell.world.forget_calls();
        let put = |body: &str| shell.world.put_message(&hints, body);
        put(&event(&shell, &id(0), "CreateSampleFindings", "admin/jo", 1).to_string());
        put(&event(&shell, "123456789012", "UpdateDetector", "admin/jo", 2).to_string());
        put("no event");
        pass(2 * MINUTE).await;
        assert_eq!(looks(&shell.world), 0);
        assert_eq!((messages(&shell, "baseline-hints"), messages(&shell, "baseline-hints-dead")), (0, 1));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_hint_outlives_the_replica_that_heard_it() {
    let shell = Shell::many(3);
    let hints = hints(&shell);
    let local = tokio::task::LocalSet::new();
    local
        .run_until(async {
            let first = Replica::start(hinted(&shell, &hints));
            pass(10 * MINUTE).await;
            disturb(&shell, &hints, &id(0), 1);
            // It has heard, and dies before it has done anything.
            pass(2 * SECOND).await;
            first.kill();
            assert!(!is_on(&shell.world, &id(0)));
            let second = Replica::start(hinted(&shell, &hints));
            pass(4 * MINUTE).await;
            assert!(is_on(&shell.world, &id(0)));
            second.stop().await;
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_fleet_hears_together() {
    let shell = Shell::many(9);
    let (queue, hints) = (queue(&shell), hints(&shell));
    let local = tokio::task::LocalSet::new();
    local
        .run_until(async {
            let of = |number| Settings {
                hints: Some(hints.parse().expect("a queue")),
                interval_with_hints: 2 * HOUR,
                ..of_fleet(&shell, &queue, number)
            };
            let fleet: Vec<_> = (0..4).map(|number| Replica::start(of(number))).collect();
            for _ in 0..12 {
                (0..8).for_each(|account| beat(&shell, &hints, &id(account), "eu-west-1"));
                pass(15 * MINUTE).await;
            }
            shell.world.forget_calls();
            for account in 0..8 {
                disturb(&shell, &hints, &id(account), account);
            }
            pass(30 * SECOND).await;
            assert!((0..8).all(|account| is_on(&shell.world, &id(account))));
            assert!(looks(&shell.world) < 30, "{} looks", looks(&shell.world));
            // Each replica hears a quarter of the hearts, and they tell each other.
            shell.world.forget_calls();
            for _ in 0..16 {
                (0..8).for_each(|account| beat(&shell, &hints, &id(account), "eu-west-1"));
                pass(15 * MINUTE).await;
            }
            let turns = looks(&shell.world);
            assert!(turns <= 2 * 8 + 2, "{turns} turns of 8 accounts in 4 hours");
            for replica in fleet {
                replica.stop().await;
            }
        })
        .await;
}
