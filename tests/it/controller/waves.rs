//! What is new goes wave by wave; what drifts is put right whatever its wave.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use baseline::controller::Settings;
use baseline::controller::condition::Type;
use baseline::sandbox::{Front, Trouble, Weather};

use super::fleet::{Replica, of_fleet, queue};
use super::stage::{
    HOUR, MINUTE, condition, conditions, id, is_on, is_synced, pass, patient, running, settings, switch,
};
use crate::cli::shell::Shell;

/// Six accounts: the third is the canary, the rest two at a time.
fn shell() -> Shell {
    let shell = Shell::many(7);
    let rollout = "  rollout:\n    waves:\n    - names: [account-03]\n    batch: 2\n  roles:";
    shell.edit("organization.yaml", "  roles:", rollout);
    shell
}

const CANARY: usize = 2;
/// In the order of their waves.
const WAVES: [&[usize]; 4] = [&[2], &[0, 1], &[3, 4], &[5]];
const REST: [usize; 5] = [0, 1, 3, 4, 5];

/// A new revision: of every account.
fn frequency(shell: &Shell, from: &str, to: &str) {
    let text = |frequency: &str| match frequency {
        "" => "enabled: true".to_owned(),
        frequency => format!("enabled: true, frequency: {frequency}"),
    };
    shell.edit("baselines/detector.yaml", &text(from), &text(to));
}

fn is_often(shell: &Shell, account: usize) -> bool {
    how_often(shell, account) == "ONE_HOUR"
}

fn how_often(shell: &Shell, account: usize) -> String {
    shell.world.region(&id(account), "eu-west-1", |region| {
        let detector = region.guardduty.detector.as_ref();
        detector.map(|detector| detector.frequency.as_str().to_owned()).unwrap_or_default()
    })
}

/// Nothing of GuardDuty can be changed in this account.
fn denied(shell: &Shell, account: usize) {
    let id = id(account);
    let front = Front::new(Trouble::Denied)
        .at(move |attempt| attempt.writes && attempt.service == "guardduty" && attempt.account == id);
    shell.world.set_weather(Weather::fair().with(front));
}

/// The accounts in which something of GuardDuty was written, in that order.
#[derive(Clone, Default)]
struct Order(Arc<Mutex<Vec<String>>>);

impl Order {
    fn watched(&self) -> Front {
        let seen = Arc::clone(&self.0);
        Front::new(Trouble::Cut).at(move |attempt| {
            if attempt.writes && attempt.service == "guardduty" {
                seen.lock().expect("no poison").push(attempt.account.to_owned());
            }
            false
        })
    }

    /// No account was written to before all of the waves before its own.
    #[track_caller]
    fn is_kept(&self) {
        let seen = std::mem::take(&mut *self.0.lock().expect("no poison"));
        let wave = |account: &String| {
            WAVES.iter().position(|wave| wave.iter().any(|one| id(*one) == *account)).expect("in a wave")
        };
        let waves: Vec<usize> = seen.iter().map(wave).collect();
        assert!(waves.is_sorted(), "{seen:?}");
        for account in 0..6 {
            assert!(seen.contains(&id(account)), "nothing was written to account {account}: {seen:?}");
        }
    }
}

#[track_caller]
fn waits(shell: &Shell, account: usize, says: &str) {
    let kept = conditions(shell, &id(account));
    let drifted = condition(&kept, "guardduty.detector", Type::Drifted);
    assert_eq!(drifted.reason, "WaitsForWave", "{drifted:?}");
    assert!(drifted.message.contains(says), "{drifted:?}");
    assert!(kept.controls.iter().all(|control| !control.is(Type::Stalled)), "{kept:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_start_without_records_and_a_new_revision_go_wave_by_wave_within_minutes() {
    let shell = shell();
    let order = Order::default();
    let weather = || Weather::fair().latency(Duration::from_millis(300)).with(order.watched());
    shell.world.set_weather(weather());
    running(&settings(&shell, true), async |_| {
        pass(3 * MINUTE).await;
        assert!((0..6).all(|account| is_synced(&conditions(&shell, &id(account)))));
        order.is_kept();

        frequency(&shell, "", "ONE_HOUR");
        pass(3 * MINUTE).await;
        assert!((0..6).all(|account| is_often(&shell, account)));
        order.is_kept();
        assert!((0..6).all(|account| conditions(&shell, &id(account)).held.is_none()));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_canary_that_fails_holds_the_rest_and_they_go_as_soon_as_it_holds() {
    let shell = shell();
    running(&patient(&shell), async |_| {
        pass(10 * MINUTE).await;
        denied(&shell, CANARY);
        frequency(&shell, "", "ONE_HOUR");
        pass(3 * HOUR).await;
        assert!(!REST.iter().any(|account| is_often(&shell, *account)));
        for account in REST {
            let says = "frequency SIX_HOURS → ONE_HOUR; waits for wave 1, where account-03 failed, more than the \
                        error budget of 0";
            waits(&shell, account, says);
        }
        let canary = conditions(&shell, &id(CANARY));
        assert_eq!(condition(&canary, "guardduty.detector", Type::Stalled).reason, "Denied");
        // A held account is looked at in its turn, and not all the time.
        shell.world.forget_calls();
        pass(HOUR).await;
        let looks = super::stage::looks(&shell.world);
        assert!(looks <= 2 * 6 + 4, "{looks} sessions");

        // It is tried again later and later, and the rest within moments.
        shell.world.set_weather(Weather::fair());
        while !is_often(&shell, CANARY) {
            pass(MINUTE).await;
        }
        pass(MINUTE).await;
        assert!(REST.iter().all(|account| is_often(&shell, *account)));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_is_no_news_to_an_account_is_put_right_whatever_waits() {
    let shell = shell();
    let of = |account: usize| format!("accounts/account-{:02}.yaml", account + 1);
    running(&patient(&shell), async |_| {
        pass(10 * MINUTE).await;
        denied(&shell, CANARY);
        for account in [CANARY, 0] {
            let more = "  controls:\n    guardduty.detector: {frequency: ONE_HOUR}\n";
            let text = std::fs::read_to_string(shell.dir().join(of(account))).expect("read");
            shell.write(&of(account), format!("{text}{more}"));
        }
        pass(2 * HOUR).await;
        waits(&shell, 0, "waits for wave 1");
        // One of its own wave, one of a later one; and the one that is held.
        for account in [1, 5, 0] {
            switch(&shell.world, &id(account), false);
        }
        pass(HOUR + MINUTE).await;
        assert!(is_on(&shell.world, &id(1)) && is_on(&shell.world, &id(5)));
        assert!(is_synced(&conditions(&shell, &id(5))));
        assert!(!is_on(&shell.world, &id(0)));
        waits(&shell, 0, "enabled false → true");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_budget_lets_so_many_accounts_of_a_wave_fail() {
    let shell = shell();
    shell.edit("organization.yaml", "    batch: 2", "    batch: 2\n    errorBudget: 1");
    denied(&shell, CANARY);
    running(&settings(&shell, true), async |_| {
        pass(5 * MINUTE).await;
        assert!(REST.iter().all(|account| is_on(&shell.world, &id(*account))));
        assert!(!is_on(&shell.world, &id(CANARY)));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_account_that_cannot_be_reached_has_failed_and_a_suspended_one_is_not_waited_for() {
    let shell = shell();
    shell.world.account(&id(CANARY), |account| account.iam.roles.clear());
    running(&patient(&shell), async |_| {
        pass(2 * HOUR).await;
        assert!(!REST.iter().any(|account| is_on(&shell.world, &id(*account))));
        waits(&shell, 5, "waits for wave 1, where account-03 failed");
        let canary = "accounts/account-03.yaml";
        let text = std::fs::read_to_string(shell.dir().join(canary)).expect("read");
        shell.write(canary, format!("{text}  suspend: {{reason: it is being closed}}\n"));
        pass(7 * HOUR).await;
        assert!(REST.iter().all(|account| is_on(&shell.world, &id(*account))));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_task_by_hand_and_what_is_observed_only_hold_nobody() {
    let shell = shell();
    let canary = "accounts/account-03.yaml";
    let text = std::fs::read_to_string(shell.dir().join(canary)).expect("read");
    let more = "  controls:\n    guardduty.detector: {mode: observe}\n    iam.root-user: {mfa: required}\n";
    shell.write(canary, format!("{text}{more}"));
    running(&settings(&shell, true), async |_| {
        pass(5 * MINUTE).await;
        let canary = conditions(&shell, &id(CANARY));
        assert_eq!(condition(&canary, "iam.root-user", Type::Drifted).reason, "ManualTask");
        assert_eq!(condition(&canary, "guardduty.detector", Type::Drifted).reason, "ObserveOnly");
        assert!(REST.iter().all(|account| is_on(&shell.world, &id(*account))));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_restart_holds_who_was_held_and_lets_go_who_may_go() {
    let shell = shell();
    running(&settings(&shell, true), async |_| pass(10 * MINUTE).await).await;
    denied(&shell, CANARY);
    frequency(&shell, "", "ONE_HOUR");
    running(&settings(&shell, true), async |_| pass(5 * MINUTE).await).await;
    let order = Order::default();
    shell.world.set_weather(Weather::fair().with(order.watched()));
    running(&settings(&shell, true), async |_| {
        pass(5 * MINUTE).await;
        waits(&shell, 0, "waits for wave 1");
        assert!(!REST.iter().any(|account| is_often(&shell, *account)));
        // The canary's back-off has outlived the restart.
        pass(3 * HOUR).await;
        assert!((0..6).all(|account| is_often(&shell, account)));
        order.is_kept();
    })
    .await;

    // Between the canary's turn and theirs it is killed.
    frequency(&shell, "ONE_HOUR", "FIFTEEN_MINUTES");
    denied(&shell, 0);
    running(&settings(&shell, true), async |_| pass(5 * MINUTE).await).await;
    assert_eq!(how_often(&shell, 1), "FIFTEEN_MINUTES");
    waits(&shell, 5, "waits for wave 2, where account-01 failed");
    shell.edit("organization.yaml", "    batch: 2", "    batch: 2\n    errorBudget: 1");
    running(&settings(&shell, true), async |_| {
        pass(2 * MINUTE).await;
        assert!([3, 4, 5].iter().all(|account| how_often(&shell, *account) == "FIFTEEN_MINUTES"));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_new_revision_in_the_middle_takes_the_place_of_the_one_before() {
    let shell = shell();
    running(&patient(&shell), async |_| {
        pass(10 * MINUTE).await;
        denied(&shell, CANARY);
        frequency(&shell, "", "ONE_HOUR");
        pass(2 * HOUR).await;
        waits(&shell, 4, "waits for wave 1");
        // Taken back: it is no news to whoever never took the other one.
        frequency(&shell, "ONE_HOUR", "");
        switch(&shell.world, &id(4), false);
        pass(HOUR + 5 * MINUTE).await;
        assert!(is_on(&shell.world, &id(4)));
        assert!((0..6).all(|account| conditions(&shell, &id(account)).held.is_none()));

        frequency(&shell, "", "FIFTEEN_MINUTES");
        pass(2 * HOUR).await;
        waits(&shell, 4, "waits for wave 1, where account-03 failed");
        let order = Order::default();
        shell.world.set_weather(Weather::fair().with(order.watched()));
        // A third one: the canary tries it at once.
        frequency(&shell, "FIFTEEN_MINUTES", "ONE_HOUR");
        pass(HOUR + 5 * MINUTE).await;
        assert!((0..6).all(|account| is_often(&shell, account)));
        order.is_kept();
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn replicas_keep_the_order_without_a_leader() {
    let shell = shell();
    let queue = queue(&shell);
    let order = Order::default();
    let weather = || Weather::fair().latency(Duration::from_millis(300)).with(order.watched());
    shell.world.set_weather(weather());
    let local = tokio::task::LocalSet::new();
    local
        .run_until(async {
            let one = Settings { accounts_at_once: 2, ..of_fleet(&shell, &queue, 1) };
            let one = Replica::start(one);
            let two = Replica::start(of_fleet(&shell, &queue, 2));
            pass(10 * MINUTE).await;
            assert!((0..6).all(|account| is_synced(&conditions(&shell, &id(account)))));
            order.is_kept();

            frequency(&shell, "", "ONE_HOUR");
            pass(10 * MINUTE).await;
            assert!((0..6).all(|account| is_often(&shell, account)));
            order.is_kept();

            // The one that held them is gone; the other one lets them go.
            denied(&shell, CANARY);
            frequency(&shell, "ONE_HOUR", "FIFTEEN_MINUTES");
            pass(10 * MINUTE).await;
            waits(&shell, 5, "waits for wave 1, where account-03 failed");
            one.kill();
            shell.world.set_weather(weather());
            pass(3 * HOUR).await;
            assert!((0..6).all(|account| how_often(&shell, account) == "FIFTEEN_MINUTES"));
            order.is_kept();
            two.stop().await;
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn whoever_only_observes_is_held_by_no_wave() {
    let shell = shell();
    running(&settings(&shell, false), async |_| {
        pass(5 * MINUTE).await;
        let kept = conditions(&shell, &id(5));
        assert_eq!(condition(&kept, "guardduty.detector", Type::Drifted).reason, "ObserveOnly");
        assert!(kept.taken.is_none() && kept.held.is_none());
    })
    .await;
}
