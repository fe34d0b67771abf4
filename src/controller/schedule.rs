//! When an account is looked at: slots that spread accounts without chance, back-off by class of fault, and a
//! budget of calls. Pure; the clock comes in.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::fault::FaultKind;
use crate::place::AccountId;

/// The shortest interval: below it a look at a large account would not end before the next one begins.
pub const SHORTEST_INTERVAL: Duration = Duration::from_secs(60);

/// At a start, an account for each of these at most: a thousand accounts begin within a quarter of an hour.
const START_EVERY: Duration = Duration::from_secs(1);

/// A number for a key that is the same in every process and every version, spread evenly over 64 bits: two
/// schedulers agree, and nobody has to draw lots.
fn stable(key: &AccountId, salt: u32) -> u64 {
    let mut hash = Sha256::new();
    hash.update(key.as_str());
    hash.update(salt.to_be_bytes());
    let bytes = hash.finalize();
    bytes.iter().take(8).fold(0, |number, byte| (number << 8) | u64::from(*byte))
}

/// Where in a span of time a key stands, always at the same place of it.
fn place_in(key: &AccountId, salt: u32, span: Duration) -> Duration {
    let seconds = u64::try_from(span.as_millis()).unwrap_or(u64::MAX).max(1);
    Duration::from_millis(stable(key, salt) % seconds)
}

/// `⌊(t + hash(key)) / interval⌋`: the number of the slot that `at` falls into.
pub fn slot(key: &AccountId, at: Timestamp, interval: Duration) -> i64 {
    (at.as_millisecond() + millis(place_in(key, 0, interval))).div_euclid(millis(interval))
}

/// When a slot begins.
pub fn begins(key: &AccountId, slot: i64, interval: Duration) -> Timestamp {
    let at = slot.saturating_mul(millis(interval)) - millis(place_in(key, 0, interval));
    Timestamp::from_millisecond(at).unwrap_or(Timestamp::MAX)
}

/// When the slot after the one that `at` falls into begins.
pub fn next_slot(key: &AccountId, at: Timestamp, interval: Duration) -> Timestamp {
    begins(key, slot(key, at, interval) + 1, interval)
}

/// When an account that nobody remembers is first looked at after a start of so many accounts.
pub fn first(key: &AccountId, at: Timestamp, accounts: usize, interval: Duration) -> Timestamp {
    if accounts <= 1 {
        return at;
    }
    let accounts = u32::try_from(accounts).unwrap_or(u32::MAX);
    after(at, place_in(key, 1, START_EVERY.saturating_mul(accounts).min(interval)))
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX).max(1)
}

/// `at` and a while, or the end of time.
pub fn after(at: Timestamp, by: Duration) -> Timestamp {
    jiff::SignedDuration::try_from(by).ok().and_then(|by| at.checked_add(by).ok()).unwrap_or(Timestamp::MAX)
}

/// Why something could not be done, as far as trying again is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Class {
    /// No answer, or one that may be another in a while.
    Unavailable,
    /// Asked too often.
    Throttled,
    /// Somebody has to allow it first.
    Denied,
    /// It would fail in the same way again.
    Invalid,
}

impl Class {
    pub fn of(kind: FaultKind) -> Self {
        match kind {
            FaultKind::Throttled => Self::Throttled,
            FaultKind::Unavailable | FaultKind::Conflict | FaultKind::NotReady => Self::Unavailable,
            FaultKind::Denied | FaultKind::DeniedByOrganization => Self::Denied,
            FaultKind::Invalid | FaultKind::NotFound | FaultKind::NotOffered => Self::Invalid,
        }
    }

    /// It ends only when a person does something: it is told, and tried again slowly.
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Denied | Self::Invalid)
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::Unavailable => "unavailable",
            Self::Throttled => "throttled",
            Self::Denied => "denied",
            Self::Invalid => "invalid",
        }
    }

    /// How long to wait after the first failure, and at most after many.
    fn waits(self) -> (Duration, Duration) {
        let minutes = |n: u64| Duration::from_secs(60 * n);
        match self {
            Self::Unavailable => (Duration::from_secs(30), minutes(30)),
            Self::Throttled => (minutes(1), minutes(60)),
            Self::Denied => (minutes(30), minutes(6 * 60)),
            Self::Invalid => (minutes(60), minutes(12 * 60)),
        }
    }

    /// How long to wait after so many failures in a row, the first one being 1: doubled each time, and up to a
    /// fifth longer by the key, so that what failed together is not tried together.
    pub fn wait(self, failures: u32, key: &AccountId) -> Duration {
        let (first, longest) = self.waits();
        let doubled = first.saturating_mul(1 << failures.saturating_sub(1).min(20)).min(longest);
        doubled + place_in(key, failures, doubled / 5)
    }
}

/// Calls that looking at one account may take in an hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    pub per_hour: u32,
}

/// What is left of a budget. It fills by itself, up to an hour's worth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Left {
    calls: f64,
    at: Timestamp,
}

impl Budget {
    pub fn full(self, at: Timestamp) -> Left {
        Left { calls: f64::from(self.per_hour), at }
    }

    fn at(self, left: Left, now: Timestamp) -> f64 {
        let most = f64::from(self.per_hour);
        let passed = now.duration_since(left.at).as_secs_f64().max(0.0);
        (left.calls + passed * most / 3600.0).min(most)
    }

    /// What is left after so many calls; less than nothing where a look took more than there was.
    pub fn spend(self, left: Left, calls: usize, now: Timestamp) -> Left {
        Left { calls: self.at(left, now) - calls as f64, at: now }
    }

    /// When a look that takes so many calls is within the budget. One that takes more than an hour's worth waits
    /// until the budget is full.
    pub fn ready(self, left: Left, calls: usize, now: Timestamp) -> Timestamp {
        let wanted = (calls as f64).min(f64::from(self.per_hour));
        let missing = wanted - self.at(left, now);
        if missing <= 0.0 {
            return now;
        }
        after(now, Duration::from_secs_f64(missing * 3600.0 / f64::from(self.per_hour.max(1))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn key(number: u64) -> AccountId {
        format!("{:012}", 100_000_000_000 + number).parse().expect("12 digits")
    }

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    #[test]
    fn a_key_has_the_same_slots_in_every_process() {
        // The numbers are promises: an old and a new replica agree on them.
        assert_eq!(place_in(&key(0), 0, HOUR), Duration::from_millis(1_035_249));
        let now = at("2026-11-26T12:00:00Z");
        let slot_now = slot(&key(0), now, HOUR);
        let start = begins(&key(0), slot_now, HOUR);
        assert!(start <= now && now < next_slot(&key(0), now, HOUR));
        assert_eq!(next_slot(&key(0), now, HOUR).duration_since(start).as_secs(), 3600);
        assert_eq!(slot(&key(0), start, HOUR), slot_now, "a slot holds its own beginning");
        assert_eq!(slot(&key(0), after(start, HOUR), HOUR), slot_now + 1, "and not its end");
    }

    #[test]
    fn a_thousand_keys_spread_over_the_interval_without_chance() {
        let now = at("2026-11-26T12:00:00Z");
        let mut minutes = [0_u32; 60];
        for number in 0..1000 {
            let due = next_slot(&key(number), now, HOUR).duration_since(now);
            assert!(!due.is_negative() && due.as_secs() <= 3600);
            minutes[usize::try_from(due.as_secs() / 60).expect("small").min(59)] += 1;
        }
        // 16.7 a minute on average.
        assert!(minutes.iter().all(|count| (3..=36).contains(count)), "{minutes:?}");
    }

    #[test]
    fn a_start_is_spread_and_one_account_does_not_wait() {
        let now = at("2026-11-26T12:00:00Z");
        assert_eq!(first(&key(1), now, 1, HOUR), now);
        let last = (0..100).map(|n| first(&key(n), now, 100, HOUR)).max().expect("some");
        assert!(last.duration_since(now).as_secs() < 100, "100 accounts within 100 seconds: {last}");
        let last = (0..10_000).map(|n| first(&key(n), now, 10_000, HOUR)).max().expect("some");
        assert!(last < after(now, HOUR), "never later than an interval: {last}");
    }

    #[test]
    fn back_off_doubles_up_to_its_class_and_differs_by_key() {
        for (class, first, longest) in [
            (Class::Unavailable, 30, 1_800),
            (Class::Throttled, 60, 3_600),
            (Class::Denied, 1_800, 21_600),
            (Class::Invalid, 3_600, 43_200),
        ] {
            let wait = |failures| class.wait(failures, &key(7)).as_secs();
            assert!((first..=first + first / 5).contains(&wait(1)), "{class:?}");
            assert!((2 * first..=2 * first + 2 * first / 5).contains(&wait(2)), "{class:?}");
            assert!((longest..=longest + longest / 5).contains(&wait(1000)), "{class:?}");
        }
        assert_ne!(Class::Throttled.wait(3, &key(1)), Class::Throttled.wait(3, &key(2)));
    }

    #[test]
    fn every_kind_of_fault_has_a_class() {
        assert_eq!(Class::of(FaultKind::Throttled), Class::Throttled);
        assert_eq!(Class::of(FaultKind::NotReady), Class::Unavailable);
        assert_eq!(Class::of(FaultKind::DeniedByOrganization), Class::Denied);
        assert!(Class::of(FaultKind::Invalid).is_terminal() && !Class::of(FaultKind::Conflict).is_terminal());
    }

    #[test]
    fn a_budget_holds_back_what_is_too_much_and_fills_by_itself() {
        let budget = Budget { per_hour: 600 };
        let now = at("2026-11-26T12:00:00Z");
        let left = budget.spend(budget.full(now), 500, now);
        assert_eq!(budget.ready(left, 100, now), now);
        assert_eq!(budget.ready(left, 500, now), after(now, Duration::from_secs(2400)));
        assert_eq!(budget.ready(left, 500, after(now, HOUR)), after(now, HOUR));
        // More than an hour's worth waits for a full budget, and is not put off for ever.
        assert_eq!(budget.ready(left, 5_000, now), after(now, Duration::from_secs(3000)));
        let overdrawn = budget.spend(left, 5_000, now);
        assert_eq!(budget.ready(overdrawn, 10, now), after(now, Duration::from_secs(29_460)));
    }
}
