//! What waits to be told by one notification, and when it may: gathered for a short while, not too often, and later
//! after each failure. Pure; the clock comes in.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::event::Event;
use crate::controller::schedule::after;

/// How often people are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// What happens within this time of the first event goes into one message.
    pub gathers: Duration,
    /// Messages that may come one after the other.
    pub burst: u32,
    /// After those, one each of these.
    pub every: Duration,
    /// After the first failure that may pass, doubled for each that follows.
    pub again: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            gathers: Duration::from_secs(30),
            burst: 6,
            every: Duration::from_secs(120),
            again: Duration::from_secs(15),
        }
    }
}

/// The longest pause after failures that may pass, and after those that somebody has to mend.
const LONGEST: Duration = Duration::from_secs(30 * 60);
/// How many times longer the first pause is after a failure that somebody has to mend.
const LASTING: u32 = 20;
/// The longest pause that a receiver may ask for.
const LONGEST_ASKED: Duration = Duration::from_secs(3600);

/// An event that waits.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    /// Whose object keeps it.
    pub owner: String,
    pub event: Arc<Event>,
    pub at: Timestamp,
}

/// Why a message was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failed {
    /// Nothing secret is in it.
    pub why: String,
    /// It would fail in the same way again, until somebody does something.
    pub lasting: bool,
    /// How long the receiver wants to be left in peace.
    pub retry_after: Option<Duration>,
}

#[derive(Debug)]
pub(super) struct Line {
    waiting: Vec<Waiting>,
    ids: BTreeSet<String>,
    /// Messages that may be sent now.
    allowance: f64,
    counted_at: Timestamp,
    pub failures: u32,
    not_before: Timestamp,
}

impl Line {
    pub fn new(pace: Pace, now: Timestamp) -> Self {
        Self {
            waiting: Vec::new(),
            ids: BTreeSet::new(),
            allowance: f64::from(pace.burst),
            counted_at: now,
            failures: 0,
            not_before: Timestamp::MIN,
        }
    }

    /// One that waits already does not wait twice.
    pub fn add(&mut self, owner: &str, event: &Event, now: Timestamp) -> bool {
        let is_new = self.ids.insert(event.id.clone());
        if is_new {
            self.waiting.push(Waiting { owner: owner.to_owned(), event: Arc::new(event.clone()), at: now });
        }
        is_new
    }

    pub fn waiting(&self) -> &[Waiting] {
        &self.waiting
    }

    /// When something may be sent; `None` where nothing waits.
    pub fn due(&self, pace: Pace, now: Timestamp) -> Option<Timestamp> {
        let gathered = after(self.waiting.first()?.at, pace.gathers);
        let missing = 1.0 - self.allowance_at(pace, now);
        // Less than that is how far fractions are off.
        let allowed = if missing > 1e-6 { after(now, pace.every.mul_f64(missing)) } else { Timestamp::MIN };
        Some(gathered.max(allowed).max(self.not_before))
    }

    /// May it be tried, whatever else there is to wait for?
    pub fn may_be_tried(&self, now: Timestamp) -> bool {
        !self.waiting.is_empty() && self.not_before <= now
    }

    fn allowance_at(&self, pace: Pace, now: Timestamp) -> f64 {
        let passed = now.duration_since(self.counted_at).as_secs_f64().max(0.0);
        (self.allowance + passed / pace.every.as_secs_f64()).min(f64::from(pace.burst))
    }

    /// These were told.
    pub fn told(&mut self, ids: &BTreeSet<String>, pace: Pace, now: Timestamp) {
        self.allowance = (self.allowance_at(pace, now) - 1.0).max(0.0);
        self.counted_at = now;
        self.failures = 0;
        self.not_before = Timestamp::MIN;
        self.waiting.retain(|one| !ids.contains(&one.event.id));
        self.ids.retain(|id| !ids.contains(id));
    }

    /// This one is not told any more.
    pub fn give_up(&mut self, id: &str) {
        self.waiting.retain(|one| one.event.id != id);
        self.ids.remove(id);
    }

    /// Nothing was told; gives when it is tried again.
    pub fn failed(&mut self, failed: &Failed, pace: Pace, now: Timestamp) -> Timestamp {
        let first = if failed.lasting { pace.again.saturating_mul(LASTING) } else { pace.again };
        let doubled = first.saturating_mul(1 << self.failures.min(16)).min(LONGEST.max(first));
        let asked = failed.retry_after.unwrap_or_default().min(LONGEST_ASKED);
        self.failures = self.failures.saturating_add(1);
        self.not_before = after(now, doubled.max(asked));
        self.not_before
    }
}
