//! Two hours of weather: nothing false is said, nothing ends, and all of it mends without help.
//!
//! `cargo test --test it controller::weather -- --nocapture` prints the figures.

#![expect(clippy::disallowed_macros, reason = "it prints the figures of the documentation")]

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use baseline::controller::Settings;
use baseline::controller::condition::{AccountConditions, Condition, Status, Type};
use baseline::sandbox::{Attempt, Front, Trouble, Weather, World};

use super::stage::{
    HOUR, MINUTE, condition, conditions, desired_state, id, is_on, is_synced, pass, running, settings, switch,
};
use crate::cli::shell::Shell;

const ACCOUNTS: usize = 12;
/// How long each kind of weather lasts: six of them are two hours.
const SPELL: Duration = Duration::from_secs(20 * 60);

fn at_last(shell: &Shell) -> Vec<AccountConditions> {
    (0..ACCOUNTS - 1).map(|account| conditions(shell, &id(account))).collect()
}

fn synced(of: &AccountConditions) -> &Condition {
    of.condition(Type::Synced).expect("always there")
}

/// Somebody who looks at everything that is said, once a minute.
struct Watcher<'a> {
    shell: &'a Shell,
    world: World,
    settings: &'a Settings,
    /// When somebody last switched GuardDuty off in each account, by the controller's clock.
    touched: RefCell<Vec<jiff::Timestamp>>,
    seen: Cell<usize>,
}

impl Watcher<'_> {
    /// Somebody switches GuardDuty off in every third account: what is changed back more than twice would be contested,
    /// and left.
    fn switch_off(&self, spell: usize) {
        for account in (0..ACCOUNTS - 1).filter(|account| account % 3 == spell % 3) {
            switch(&self.world, &id(account), false);
            self.touched.borrow_mut()[account] = self.settings.clock.now();
        }
    }

    /// Has somebody looked since it was touched?
    fn is_seen(&self, account: usize, kept: &AccountConditions) -> bool {
        kept.last_look.is_some_and(|look| look >= self.touched.borrow()[account])
    }

    /// What is said to be in sync is so: whoever looked since it was touched has put it right, or says that it is not.
    fn says_nothing_false(&self) {
        for (account, kept) in at_last(self.shell).iter().enumerate() {
            if is_synced(kept) && self.is_seen(account, kept) {
                assert!(is_on(&self.world, &id(account)), "{account} is said to be in sync: {kept:#?}");
            }
            for control in &kept.controls {
                let synced = control.condition(Type::Synced).expect("always there");
                let both = control.is(Type::Unknown) && synced.status == Status::True;
                assert!(!both, "{control:#?}");
            }
            self.seen.set(self.seen.get() + 1);
        }
    }

    async fn for_so_long(&self, time: Duration) {
        for _ in 0..time.as_secs() / 60 {
            pass(MINUTE).await;
            self.says_nothing_false();
        }
    }

    /// It clears up: after how many minutes all of these are as desired, and known to be.
    async fn until_synced(&self, accounts: impl Iterator<Item = usize> + Clone, within: Duration) -> u64 {
        self.world.set_weather(Weather::fair());
        for minutes in 0..=within.as_secs() / 60 {
            let is_well = |account: usize| {
                let kept = conditions(self.shell, &id(account));
                is_synced(&kept) && self.is_seen(account, &kept) && is_on(&self.world, &id(account))
            };
            if accounts.clone().all(is_well) {
                return minutes;
            }
            self.for_so_long(MINUTE).await;
        }
        let open = at_last(self.shell).into_iter().filter(|kept| !is_synced(kept));
        let open: Vec<String> = open.map(|kept| format!("{} {:?}", kept.account, kept.conditions)).collect();
        panic!("it does not mend within {within:?}: {open:#?}");
    }

    /// What is said of one account when the weather has lasted: not in sync, for this reason.
    #[track_caller]
    fn says_of(&self, account: usize, reason: &str, words: &str) {
        let kept = conditions(self.shell, &id(account));
        assert_eq!(synced(&kept).status, Status::Unknown, "{kept:#?}");
        assert_eq!(synced(&kept).reason, reason, "{kept:#?}");
        let why = kept.controls.iter().flat_map(|control| &control.conditions);
        let why: Vec<&str> =
            why.chain(&kept.conditions).map(|condition| condition.message.as_str()).collect();
        assert!(why.iter().any(|why| why.contains(words)), "`{words}` is not in {why:#?}");
    }
}

fn in_account(account: usize) -> impl Fn(&Attempt<'_>) -> bool + Send + Sync {
    let account = id(account);
    move |attempt| attempt.account == account
}

/// Trouble in one account all the time, and of every call's first attempt elsewhere.
fn trouble(kind: Trouble, account: usize) -> Weather {
    Weather::fair()
        .latency(Duration::from_millis(80))
        .with(Front::new(kind).at(in_account(account)))
        .with(Front::new(kind).first_attempts(1))
}

/// Throttling, denied, endpoint down, credentials that expire mid-run, clocks that are off, and bad documents: twenty
/// minutes of each.
#[tokio::test(start_paused = true)]
async fn two_hours_of_weather() {
    let shell = Shell::many(ACCOUNTS);
    let world = shell.world.clone();
    let mut settings = settings(&shell, true);
    settings.interval = 10 * MINUTE;
    let started = tokio::time::Instant::now();
    let mut mended = Vec::new();
    let (expired, denied_since) = (Arc::new(AtomicUsize::new(0)), Cell::new(started));
    running(&settings, async |_| {
        let watcher = Watcher {
            shell: &shell,
            world: world.clone(),
            settings: &settings,
            touched: RefCell::new(vec![settings.clock.now(); ACCOUNTS]),
            seen: Cell::new(0),
        };
        let all = 0..ACCOUNTS - 1;
        pass(10 * MINUTE).await;
        assert!(at_last(&shell).iter().all(is_synced));

        // One is throttled for good, the others at each call's first attempt; replies of writes get lost.
        let replies = Front::new(Trouble::ReplyLost).at(|attempt| attempt.writes && attempt.number == 2);
        world.set_weather(trouble(Trouble::Throttled, 3).with(replies));
        watcher.switch_off(0);
        watcher.for_so_long(SPELL).await;
        watcher.says_of(3, "Throttled", "Rate exceeded");
        assert!(all.clone().filter(|account| *account != 3).all(|account| is_on(&world, &id(account))));
        mended.push(("throttled", watcher.until_synced(all.clone(), HOUR).await));

        // The roles of one may do nothing any more. Whoever is denied is tried slowly: it is waited for at the end.
        world.set_weather(Weather::fair().with(Front::new(Trouble::Denied).at(in_account(4))));
        watcher.switch_off(1);
        watcher.for_so_long(SPELL).await;
        watcher.says_of(4, "Denied", "not authorized");
        denied_since.set(tokio::time::Instant::now());
        let others = all.clone().filter(|account| *account != 4);
        mended.push(("denied, the others", watcher.until_synced(others.clone(), HOUR).await));

        // Nobody reaches GuardDuty; one reaches nothing at all.
        let down = Front::new(Trouble::TimedOut).at(|attempt| attempt.service == "guardduty");
        world.set_weather(Weather::fair().with(down).with(Front::new(Trouble::Cut).at(in_account(2))));
        watcher.switch_off(2);
        watcher.for_so_long(SPELL).await;
        for account in others.clone() {
            watcher.says_of(account, "Unavailable", "");
        }
        mended.push(("endpoint down", watcher.until_synced(others.clone(), 2 * HOUR).await));

        // The keys of a turn expire while it looks, in one account at every turn: between its first call and the next.
        let (turning, count, here) = (world.clone(), Arc::clone(&expired), in_account(6));
        let expire = Front::new(Trouble::Cut).at(move |attempt| {
            if here(attempt) && attempt.operation == "ListDetectors" && attempt.number == 1 {
                count.fetch_add(1, Ordering::Relaxed);
                turning.advance(2 * HOUR);
            }
            false
        });
        world.set_weather(Weather::fair().latency(Duration::from_millis(80)).with(expire));
        watcher.switch_off(3);
        watcher.for_so_long(SPELL).await;
        assert!(expired.load(Ordering::Relaxed) > 0, "no keys expired");
        watcher.says_of(6, "Unavailable", "is expired");
        mended.push(("keys expired mid-run", watcher.until_synced(others.clone(), 2 * HOUR).await));

        // The clocks of AWS and of this machine are an hour apart, for one account all the time.
        world.set_weather(trouble(Trouble::Skewed, 7));
        watcher.switch_off(4);
        watcher.for_so_long(SPELL).await;
        watcher.says_of(7, "Unavailable", "Signature expired");
        mended.push(("clocks apart", watcher.until_synced(others.clone(), 2 * HOUR).await));

        // A bad desired state is pushed: what was taken before is kept, and put right.
        shell.edit("baselines/detector.yaml", "enabled: true", "enabld: true");
        watcher.switch_off(5);
        watcher.for_so_long(SPELL).await;
        assert_eq!(desired_state(&shell).conditions[0].reason, "Invalid");
        assert!(
            others.clone().all(|account| is_on(&world, &id(account))),
            "by the documents that were taken"
        );
        shell.edit("baselines/detector.yaml", "enabld: true", "enabled: true");
        mended.push(("bad desired state", watcher.until_synced(others.clone(), HOUR).await));
        pass(2 * MINUTE).await;
        assert_eq!(desired_state(&shell).conditions[0].status, Status::True);

        // Who was denied comes in its time, without help.
        watcher.until_synced(all.clone(), 7 * HOUR).await;
        mended.push(("denied, the one", denied_since.get().elapsed().as_secs() / 60));
        assert!(at_last(&shell).iter().all(is_synced));
        let control = conditions(&shell, &id(4));
        assert_eq!(condition(&control, "guardduty.detector", Type::Synced).status, Status::True);
        println!(
            "{} minutes of simulated time, {} conditions read, none said to be in sync that was not; \
             keys expired {} times between two calls",
            started.elapsed().as_secs() / 60,
            watcher.seen.get(),
            expired.load(Ordering::Relaxed)
        );
        for (what, minutes) in &mended {
            println!("{what:24} {minutes:4} min until all was in sync again");
        }
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
