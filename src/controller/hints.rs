//! Hints: that something was written in an account, told by EventBridge within seconds. A hint only makes an account
//! due; what is true there, a look tells. So it may come twice, late, in storms or not at all.

mod beats;
mod event;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

pub use beats::{Beats, EVERY as HEARTBEAT};
pub use event::{Heard, Hint, hear};

use super::schedule::after;
use crate::place::AccountId;

/// How long nothing more may be heard of an account before it is due.
const SETTLES: Duration = Duration::from_secs(3);

/// However many hints come, an account waits no longer than this.
const LONGEST: Duration = Duration::from_secs(15);

/// A look that began so long after an event has seen what it did; clocks differ, and readers lag writers.
pub const SEEN_AFTER: Duration = Duration::from_secs(30);

/// Hints of one account that have not settled, each with the receipt of its message.
#[derive(Debug)]
pub struct Storm {
    first: Timestamp,
    /// When it has settled.
    pub due: Timestamp,
    pub hints: Vec<(Hint, String)>,
}

/// What was heard and has not become anybody's turn yet.
#[derive(Debug, Default)]
pub struct Storms(BTreeMap<AccountId, Storm>);

impl Storms {
    /// A hint has come.
    pub fn add(&mut self, hint: Hint, receipt: String, now: Timestamp) {
        let account = hint.account.clone();
        let storm = self.0.entry(account).or_insert(Storm { first: now, due: now, hints: Vec::new() });
        storm.due = after(now, SETTLES).min(after(storm.first, LONGEST));
        storm.hints.push((hint, receipt));
    }

    /// What is to wait longer.
    pub fn put_back(&mut self, hints: Vec<(Hint, String)>, due: Timestamp, now: Timestamp) {
        for (hint, receipt) in hints {
            let storm =
                self.0.entry(hint.account.clone()).or_insert(Storm { first: now, due, hints: Vec::new() });
            storm.hints.push((hint, receipt));
        }
    }

    /// The storms that have settled.
    pub fn settled(&mut self, now: Timestamp) -> Vec<(AccountId, Storm)> {
        let due: Vec<AccountId> =
            self.0.iter().filter(|(_, storm)| storm.due <= now).map(|(id, _)| id.clone()).collect();
        due.into_iter().filter_map(|id| self.0.remove_entry(&id)).collect()
    }

    /// When the next one has.
    pub fn next(&self) -> Option<Timestamp> {
        self.0.values().map(|storm| storm.due).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(millis).expect("a time")
    }

    fn hint(account: &str, at: Timestamp) -> Hint {
        Hint { account: account.parse().expect("an id"), at, id: "e".into(), session: None }
    }

    #[test]
    fn a_storm_is_one_turn_and_waits_no_longer_than_its_longest() {
        let mut storms = Storms::default();
        for second in 0..12 {
            storms.add(hint("111122223333", at(0)), "r".into(), at(1000 * second));
            assert!(storms.settled(at(1000 * second)).is_empty());
        }
        storms.add(hint("444455556666", at(0)), "r".into(), at(11_000));
        assert_eq!(storms.next(), Some(at(14_000)));
        let settled = storms.settled(at(14_000));
        assert_eq!(settled.len(), 2);
        assert_eq!(settled[0].1.hints.len(), 12);
        for second in 0..20 {
            storms.add(hint("111122223333", at(0)), "r".into(), at(1000 * second));
        }
        assert_eq!(storms.settled(at(15_000)).len(), 1, "it goes on, and has its turn");
        assert_eq!(storms.next(), None);
    }
}
