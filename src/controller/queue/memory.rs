//! The queue of one process: an ordered map of due times. One key is worked at by one worker, so many keys at once,
//! and nobody polls: [`Queue::next_due`] says until when to sleep.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;

use crate::place::AccountId;

#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    /// Where it stands in the order; absent while it is worked at.
    due: Option<(Timestamp, u8)>,
    rank: u8,
    running: bool,
    /// Became due again while it was worked at.
    again: Option<Timestamp>,
    /// Left while it was worked at: it is not put back.
    gone: bool,
}

/// Keys by due time. Of those due at once, lower ranks go first.
#[derive(Debug)]
pub struct Queue {
    order: BTreeSet<(Timestamp, u8, AccountId)>,
    entries: HashMap<AccountId, Entry>,
    at_once: usize,
    running: usize,
}

impl Queue {
    /// `at_once` keys are worked at, one at least.
    pub fn new(at_once: usize) -> Self {
        Self { order: BTreeSet::new(), entries: HashMap::new(), at_once: at_once.max(1), running: 0 }
    }

    pub fn contains(&self, key: &AccountId) -> bool {
        self.entries.get(key).is_some_and(|entry| !entry.gone)
    }

    pub fn running(&self) -> usize {
        self.running
    }

    /// Keys that are due and wait for a place.
    pub fn due(&self, now: Timestamp) -> usize {
        self.order.iter().take_while(|(due, ..)| *due <= now).count()
    }

    /// Makes a key due at a time, or earlier if it is so already. A key that is worked at becomes due again once it
    /// has been put back.
    pub fn sooner(&mut self, key: &AccountId, rank: u8, due: Timestamp) {
        let entry = self.entries.entry(key.clone()).or_default();
        entry.rank = rank;
        entry.gone = false;
        if entry.running {
            entry.again = Some(entry.again.map_or(due, |again| again.min(due)));
        } else if entry.due.is_none_or(|(before, _)| due < before) {
            if let Some((due, rank)) = entry.due.replace((due, rank)) {
                self.order.remove(&(due, rank, key.clone()));
            }
            self.order.insert((due, rank, key.clone()));
        }
    }

    /// Takes the next key that is due, where another one may be worked at.
    pub fn take(&mut self, now: Timestamp) -> Option<AccountId> {
        if self.running >= self.at_once || self.order.first().is_none_or(|(due, ..)| *due > now) {
            return None;
        }
        let (_, _, key) = self.order.pop_first()?;
        let entry = self.entries.entry(key.clone()).or_default();
        entry.due = None;
        entry.running = true;
        self.running += 1;
        Some(key)
    }

    /// Puts a key back that was taken.
    pub fn done(&mut self, key: &AccountId, next: Timestamp) {
        let Some(entry) = self.entries.get_mut(key) else { return };
        if !entry.running {
            return;
        }
        self.running -= 1;
        entry.running = false;
        if entry.gone {
            self.entries.remove(key);
            return;
        }
        let due = entry.again.take().map_or(next, |again| again.min(next));
        let rank = entry.rank;
        self.sooner(key, rank, due);
    }

    /// Takes out what is no longer wanted.
    pub fn retain(&mut self, wanted: impl Fn(&AccountId) -> bool) {
        self.order.retain(|(_, _, key)| wanted(key));
        self.entries.retain(|key, entry| {
            entry.gone = !wanted(key);
            entry.running || !entry.gone
        });
    }

    /// When the next key is due; `None` while nothing more could be taken.
    pub fn next_due(&self) -> Option<Timestamp> {
        if self.running >= self.at_once {
            return None;
        }
        self.order.first().map(|(due, ..)| *due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u64) -> AccountId {
        format!("{number:012}").parse().expect("12 digits")
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    #[test]
    fn keys_come_by_due_time_then_rank_and_so_many_at_once() {
        let mut queue = Queue::new(2);
        queue.sooner(&key(1), 1, at(10));
        queue.sooner(&key(2), 1, at(5));
        queue.sooner(&key(3), 0, at(10));
        assert_eq!(queue.next_due(), Some(at(5)));
        assert_eq!((queue.due(at(4)), queue.due(at(5)), queue.due(at(10))), (0, 1, 3));
        assert_eq!(queue.take(at(4)), None);
        assert_eq!(queue.take(at(10)), Some(key(2)));
        assert_eq!(queue.take(at(10)), Some(key(3)), "the lower rank first");
        assert_eq!((queue.take(at(10)), queue.next_due(), queue.running()), (None, None, 2));
        queue.done(&key(2), at(60));
        assert_eq!(queue.take(at(10)), Some(key(1)));
    }

    #[test]
    fn a_due_time_moves_forward_only() {
        let mut queue = Queue::new(1);
        queue.sooner(&key(1), 1, at(10));
        queue.sooner(&key(1), 1, at(20));
        assert_eq!(queue.next_due(), Some(at(10)));
        queue.sooner(&key(1), 0, at(3));
        assert_eq!(queue.take(at(3)), Some(key(1)));
        assert_eq!(queue.take(at(30)), None, "it stands in the order once");
    }

    #[test]
    fn one_key_is_worked_at_by_one_and_is_due_again_when_it_became_so_meanwhile() {
        let mut queue = Queue::new(2);
        queue.sooner(&key(1), 1, at(0));
        assert_eq!(queue.take(at(0)), Some(key(1)));
        queue.sooner(&key(1), 1, at(1));
        assert_eq!(queue.take(at(5)), None, "it is being worked at");
        queue.done(&key(1), at(3600));
        assert_eq!(queue.take(at(5)), Some(key(1)));
        queue.done(&key(1), at(3600));
        assert_eq!(queue.next_due(), Some(at(3600)));
    }

    #[test]
    fn what_has_left_is_not_put_back() {
        let mut queue = Queue::new(2);
        for number in 1..=3 {
            queue.sooner(&key(number), 1, at(0));
        }
        assert_eq!(queue.take(at(0)), Some(key(1)));
        queue.retain(|key| *key == self::key(2));
        assert!(!queue.contains(&key(1)) && queue.contains(&key(2)) && !queue.contains(&key(3)));
        queue.done(&key(1), at(5));
        assert_eq!(queue.take(at(10)), Some(key(2)));
        queue.done(&key(2), at(20));
        assert_eq!((queue.next_due(), queue.running()), (Some(at(20)), 0));
    }
}
