//! Two hours of weather: nothing false is said, nothing ends, and all of it mends without help.

use std::time::Duration;

use baseline::controller::condition::{AccountConditions, Status, Type};
use baseline::sandbox::{Front, Trouble, Weather, World};

use super::stage::{
    HOUR, MINUTE, conditions, desired_state, id, is_on, is_synced, pass, running, settings, switch,
};
use crate::cli::shell::Shell;

const ACCOUNTS: usize = 12;

/// The last digit of an account, which decides what weather it has.
fn kind(account: &str) -> usize {
    account.bytes().last().map_or(0, |byte| usize::from(byte - b'0'))
}

/// What is said to be in sync is so, as far as the last look could know: since then nobody touched it.
fn says_nothing_false(world: &World, shell: &Shell, touched: &[usize]) {
    for account in (0..ACCOUNTS - 1).filter(|account| !touched.contains(account)) {
        let kept = conditions(shell, &id(account));
        let synced = is_synced(&kept);
        assert!(!synced || is_on(world, &id(account)), "{account} is said to be in sync: {kept:#?}");
        for control in &kept.controls {
            let unknown = control.is(Type::Unknown);
            let synced = control.condition(Type::Synced).expect("always there");
            assert!(!(unknown && synced.status == Status::True), "{control:#?}");
        }
    }
}

fn at_last(shell: &Shell) -> Vec<AccountConditions> {
    (0..ACCOUNTS - 1).map(|account| conditions(shell, &id(account))).collect()
}

#[tokio::test(start_paused = true)]
async fn two_hours_of_weather() {
    let shell = Shell::many(ACCOUNTS);
    let world = shell.world.clone();
    let mut settings = settings(&shell, true);
    settings.interval = 10 * MINUTE;
    running(&settings, async |_| {
        pass(10 * MINUTE).await;
        assert!(at_last(&shell).iter().all(is_synced));

        // The first half hour: one is throttled, one denied, one has no endpoint; replies get lost everywhere.
        let at =
            |digit: usize| move |attempt: &baseline::sandbox::Attempt<'_>| kind(attempt.account) == digit;
        world.set_weather(
            Weather::fair()
                .latency(Duration::from_millis(80))
                .with(Front::new(Trouble::Throttled).at(at(1)))
                .with(Front::new(Trouble::Denied).at(at(2)))
                .with(Front::new(Trouble::TimedOut).at(at(3)))
                .with(Front::new(Trouble::ReplyLost).at(|attempt| attempt.writes).first_attempts(1)),
        );
        for account in 0..ACCOUNTS - 1 {
            switch(&world, &id(account), false);
        }
        pass(30 * MINUTE).await;
        says_nothing_false(&world, &shell, &[]);
        for (account, reason) in [(1, "Throttled"), (2, "Denied"), (3, "Unavailable")] {
            let kept = conditions(&shell, &id(account));
            assert_eq!(kept.condition(Type::Synced).expect("there").status, Status::Unknown);
            assert_eq!(kept.condition(Type::Synced).expect("there").reason, reason);
        }
        assert!(is_on(&world, &id(4)), "those that are well are kept");

        // The second: everything is down, and the keys of the sessions in hand expire.
        world.set_weather(Weather::fair().with(Front::new(Trouble::ServerError)));
        pass(10 * MINUTE).await;
        world.advance(2 * HOUR);
        pass(20 * MINUTE).await;
        assert!(at_last(&shell).iter().all(|kept| !is_synced(kept)), "nobody could look");

        // The third: a bad desired state is pushed, in fits of everything.
        shell.edit("baselines/detector.yaml", "enabled: true", "enabld: true");
        world.set_weather(
            Weather::fair()
                .with(Front::new(Trouble::Throttled).at(|attempt| attempt.number % 2 == 1))
                .with(Front::new(Trouble::Cut).times(200)),
        );
        for account in 0..ACCOUNTS - 1 {
            switch(&world, &id(account), false);
        }
        pass(30 * MINUTE).await;
        says_nothing_false(&world, &shell, &[]);
        assert_eq!(desired_state(&shell).conditions[0].reason, "Invalid");

        // The last: it clears up.
        shell.edit("baselines/detector.yaml", "enabld: true", "enabled: true");
        world.set_weather(Weather::fair());
        pass(30 * MINUTE).await;
        says_nothing_false(&world, &shell, &[]);
        // Who was denied is tried slowly; it comes in its time, without help.
        pass(7 * HOUR).await;
        for (account, kept) in at_last(&shell).iter().enumerate() {
            assert!(is_synced(kept), "{account}: {kept:#?}");
            assert!(is_on(&world, &id(account)));
        }
        assert_eq!(desired_state(&shell).conditions[0].status, Status::True);
    })
    .await;
}

/// The clock of the machine jumps: nobody is forgotten, and nobody is looked at without end.
#[tokio::test(start_paused = true)]
async fn the_world_s_clock_may_be_another_than_ours() {
    let shell = Shell::many(3);
    running(&settings(&shell, true), async |_| {
        pass(10 * MINUTE).await;
        shell.world.advance(50 * MINUTE);
        shell.world.forget_calls();
        switch(&shell.world, &id(0), false);
        pass(2 * HOUR).await;
        assert!(is_on(&shell.world, &id(0)));
        assert!(super::stage::looks(&shell.world) < 20);
    })
    .await;
}
