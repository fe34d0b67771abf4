//! Failures by class: what is tried again when, and never a false `Synced`.

use std::sync::{Arc, Mutex};

use baseline::controller::condition::{Status, Type};
use baseline::controller::schedule::Class;
use baseline::sandbox::{Front, Trouble, Weather};

use super::stage::{
    HOUR, MINUTE, condition, conditions, id, is_on, is_synced, looks, pass, patient, running, switch,
};
use crate::cli::shell::Shell;

/// When an account was tried, in seconds.
type Asked = Arc<Mutex<Vec<i64>>>;

/// Everything that is sent with an account's own session meets trouble, from the question who it is on.
fn trouble(shell: &Shell, trouble: Trouble, account: &'static str, asked: &Asked) {
    let (asked, clock) = (Arc::clone(asked), tokio::time::Instant::now());
    let front = Front::new(trouble).at(move |attempt| {
        if attempt.account != account {
            return false;
        }
        if attempt.number == 1 && attempt.operation == "GetCallerIdentity" {
            asked.lock().expect("no poison").push(clock.elapsed().as_secs() as i64);
        }
        true
    });
    shell.world.set_weather(Weather::fair().with(front));
}

fn gaps(asked: &Asked) -> Vec<i64> {
    let asked = asked.lock().expect("no poison");
    asked.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

async fn account_in_trouble(kind: Trouble) -> (Shell, Asked) {
    let shell = Shell::many(3);
    let asked = Asked::default();
    running(&patient(&shell), async |_| {
        pass(10 * MINUTE).await;
        assert!(is_synced(&conditions(&shell, "100000000000")));
        trouble(&shell, kind, "100000000000", &asked);
        pass(12 * HOUR).await;
        let kept = conditions(&shell, "100000000000");
        assert!(!is_synced(&kept), "{kept:#?}");
        assert_eq!(condition(&kept, "guardduty.detector", Type::Synced).status, Status::Unknown);
        assert_eq!(condition(&kept, "guardduty.detector", Type::Unknown).status, Status::True);
        let good = kept.controls[0].last_good_look.expect("it was seen once");
        assert!(good < kept.last_look.expect("looked at"), "the last good look is not the last one");
        assert!(is_synced(&conditions(&shell, &id(1))), "the other account goes on");
        // Whatever it was has passed, and nobody helps.
        shell.world.set_weather(Weather::fair());
        switch(&shell.world, "100000000000", false);
        pass(13 * HOUR).await;
        let kept = conditions(&shell, "100000000000");
        assert!(is_synced(&kept) && kept.failing.is_none(), "{kept:#?}");
        assert!(is_on(&shell.world, "100000000000"));
    })
    .await;
    (shell, asked)
}

#[tokio::test(start_paused = true)]
async fn an_account_without_an_answer_is_tried_soon_and_then_every_half_hour() {
    let (_, asked) = account_in_trouble(Trouble::ServerError).await;
    let gaps = gaps(&asked);
    assert!(gaps.len() > 15, "{gaps:?}");
    assert!(gaps[0] <= 60 && gaps[1] > gaps[0] && gaps[2] > gaps[1], "doubled: {gaps:?}");
    assert!(gaps.iter().all(|gap| *gap <= 1_800 * 6 / 5 + 30), "never longer than its class says: {gaps:?}");
}

#[tokio::test(start_paused = true)]
async fn a_throttled_account_is_tried_less_and_less() {
    let (_, asked) = account_in_trouble(Trouble::Throttled).await;
    let gaps = gaps(&asked);
    assert!((60..=100).contains(&gaps[0]), "{gaps:?}");
    assert!(*gaps.last().expect("some") >= 3_600, "{gaps:?}");
}

#[tokio::test(start_paused = true)]
async fn a_denied_account_is_told_and_tried_slowly() {
    let (_, asked) = account_in_trouble(Trouble::Denied).await;
    let gaps = gaps(&asked);
    // In twelve hours, at the ordinary interval it would have been twelve.
    assert!(gaps.len() <= 6, "{gaps:?}");
    assert!(*gaps.last().expect("some") >= 2 * 3_600, "{gaps:?}");
}

#[tokio::test(start_paused = true)]
async fn a_role_that_cannot_be_assumed_is_unknown_by_its_reason() {
    let shell = Shell::many(3);
    running(&patient(&shell), async |_| {
        pass(10 * MINUTE).await;
        shell.world.account(&id(0), |account| account.iam.roles.clear());
        pass(2 * HOUR).await;
        let kept = conditions(&shell, &id(0));
        let unknown = condition(&kept, "guardduty.detector", Type::Unknown);
        assert_eq!(unknown.reason, "Denied");
        assert!(unknown.message.contains("sts:AssumeRole"), "{unknown:?}");
        assert_eq!(kept.failing.expect("it fails").class, Class::Denied);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_write_that_is_denied_is_stalled_and_not_sent_every_hour() {
    let shell = Shell::many(3);
    shell.world.account(&id(0), |account| account.iam.roles.remove("baseline-apply"));
    running(&patient(&shell), async |_| {
        pass(10 * MINUTE).await;
        let kept = conditions(&shell, &id(0));
        let stalled = condition(&kept, "guardduty.detector", Type::Stalled);
        assert_eq!((stalled.status, stalled.reason.as_str()), (Status::True, "Denied"));
        assert_eq!(condition(&kept, "guardduty.detector", Type::Drifted).status, Status::True);
        pass(24 * HOUR).await;
        let kept = conditions(&shell, &id(0));
        let failed = kept.findings[0].failed.as_ref().expect("it fails");
        assert!((4..=8).contains(&failed.times), "30 min, 1, 2, 4 h, then every 6 h: {}", failed.times);
        assert!(looks(&shell.world) > 24, "it is looked at all the same");
        let runs = std::fs::read_dir(shell.dir().join(".audit/runs")).expect("listed").count();
        assert!(runs <= 10, "{runs} runs were recorded");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_setting_that_cannot_be_read_is_unknown_and_the_rest_of_the_account_is_kept() {
    let shell = Shell::many(3);
    shell.write(
        "baselines/detector.yaml",
        "apiVersion: baseline/v1\nkind: Baseline\nmetadata: {name: detector}\nspec:\n  controls:\n    \
         guardduty.detector: {enabled: true}\n    iam.password-policy: {minimumLength: 14, require: {lowercase: true, uppercase: true, numbers: true, symbols: true}, usersMayChange: true}\n",
    );
    running(&patient(&shell), async |_| {
        pass(10 * MINUTE).await;
        let denied = Front::new(Trouble::Denied).on("iam:GetAccountPasswordPolicy");
        shell.world.set_weather(Weather::fair().with(denied));
        switch(&shell.world, &id(0), false);
        pass(2 * HOUR).await;
        let kept = conditions(&shell, &id(0));
        let unknown = condition(&kept, "iam.password-policy", Type::Unknown);
        assert_eq!((unknown.status, unknown.reason.as_str()), (Status::True, "Denied"));
        assert_eq!(condition(&kept, "iam.password-policy", Type::Synced).status, Status::Unknown);
        assert_eq!(condition(&kept, "guardduty.detector", Type::Synced).status, Status::True);
        assert!(is_on(&shell.world, &id(0)));
    })
    .await;
}
