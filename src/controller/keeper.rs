//! What is between two turns: who is due when, which desired state is kept, and what is told.

mod documents;
mod fleet;
mod records;
mod start;
mod waves;

pub(super) use fleet::{share, waiting};

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::Settings;
use super::current::{self, Current, Followed};
use super::hints::Beats;
use super::log::{self, TARGET};
use super::queue::Why;
use super::queue::memory::Queue;
use super::reconcile::{Done, Ended, is_made};
use super::schedule::{self, Left};
use super::signed::Signed;
use crate::control::Thing;
use crate::place::AccountId;

/// Conditions that are read at once at a start.
const READ_AT_ONCE: usize = 16;

/// Whatever happens, an account is left in peace for so long between two turns.
const SHORTEST_PAUSE: Duration = Duration::from_secs(10);

/// All that is kept in memory of an account between its turns.
struct Light {
    /// Of its budget.
    left: Left,
    /// That the last look took.
    calls: usize,
    /// What would have to be there for its blocked changes.
    waits_for: Vec<Thing>,
    /// When the last look that was not broken off began.
    began: Option<Timestamp>,
    /// Why it is due, where that is not its slot.
    why: Option<Why>,
    /// When it was made due because no wave holds it any more.
    released: Option<Timestamp>,
}

pub(super) struct Keeper<'a> {
    settings: &'a Settings,
    current: Arc<Current>,
    queue: Queue,
    lights: HashMap<AccountId, Light>,
    /// What the source held when it was last settled.
    known: Option<String>,
    /// Why the newest desired state is not the one that is kept.
    trouble: Option<String>,
    poll_at: Timestamp,
    roster_at: Timestamp,
    record_at: Timestamp,
    reload: bool,
    /// Whose hints are known to arrive.
    beats: Beats,
    /// Things that were made, for the accounts that other replicas know to wait for them.
    made: Vec<Thing>,
    signed: Signed,
    rollout: waves::Rollout,
}

/// A question to the source, which is asked while accounts have their turns.
pub(super) struct Asked {
    before: Arc<Current>,
    known: Option<String>,
    roster: bool,
}

impl Asked {
    pub async fn follow(self, settings: &Settings) -> Followed {
        current::follow(settings, Some(self.before), self.known, self.roster).await
    }
}

impl<'a> Keeper<'a> {
    pub fn new(settings: &'a Settings, current: Current, known: Option<String>) -> Self {
        let now = settings.clock.now();
        Self {
            settings,
            current: Arc::new(current),
            queue: Queue::new(settings.accounts_at_once),
            lights: HashMap::new(),
            known,
            trouble: None,
            poll_at: schedule::after(now, settings.poll),
            roster_at: schedule::after(now, settings.interval),
            record_at: now,
            reload: false,
            beats: Beats::default(),
            made: Vec::new(),
            signed: Signed::default(),
            rollout: waves::Rollout::default(),
        }
    }

    pub fn current(&self) -> Arc<Current> {
        Arc::clone(&self.current)
    }

    /// Why the newest desired state is not the one that is kept.
    pub fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    fn add(&mut self, id: &AccountId, due: Timestamp, calls: usize) {
        let now = self.settings.clock.now();
        let left = self.settings.budget.full(now);
        self.lights.entry(id.clone()).or_insert(Light {
            left,
            calls,
            waits_for: Vec::new(),
            began: None,
            why: None,
            released: None,
        });
        self.queue.sooner(id, self.current.rank(id), due);
    }

    /// The next account that is due, where another one may have its turn.
    pub fn take(&mut self) -> Option<AccountId> {
        self.queue.take(self.settings.clock.now())
    }

    /// How many accounts are due and wait for a place, and how many have their turn.
    pub fn load(&self, now: Timestamp) -> (usize, usize) {
        (self.queue.due(now), self.queue.running())
    }

    /// How long nothing is to be done, but for what is under way.
    pub fn wakes(&self, may_ask: bool) -> Duration {
        let now = self.settings.clock.now();
        let poll = may_ask.then_some(self.poll_at);
        let next = [self.queue.next_due(), poll, self.rollout.again()].into_iter().flatten().min();
        let wait = next.map(|next| next.duration_since(now)).and_then(|wait| Duration::try_from(wait).ok());
        wait.unwrap_or(if next.is_some() { Duration::ZERO } else { Duration::MAX })
    }

    /// Is the source to be looked at?
    pub fn asks(&mut self) -> Option<Asked> {
        let now = self.settings.clock.now();
        if now < self.poll_at && !self.reload {
            return None;
        }
        // What somebody signed for is looked at at once when it ends, and not an interval later.
        for id in self.signed_off(now) {
            self.queue.sooner(&id, self.current.rank(&id), now);
        }
        // Nobody reads the calls one by one here, and they must not pile up.
        drop(self.current.aws.journal().drain());
        let roster = now >= self.roster_at || self.reload;
        if roster {
            self.roster_at = schedule::after(now, self.settings.interval);
            if self.trouble.is_some() {
                // What was wrong may have been so for want of an account that has joined meanwhile.
                self.known = None;
            }
        }
        self.reload = false;
        self.poll_at = schedule::after(now, self.settings.poll);
        Some(Asked { before: self.current(), known: self.known.clone(), roster })
    }

    /// Everything is due, and the source is looked at again.
    pub fn reload(&mut self) {
        tracing::info!(target: TARGET, accounts = self.lights.len(), "told to look at everything now");
        self.reload = true;
        let now = self.settings.clock.now();
        let current = self.current();
        for account in &current.desired.accounts {
            self.due(&account.id, now, Why::Again);
        }
    }

    /// A turn has ended.
    pub fn ended(&mut self, account: &AccountId, done: Option<Done>) {
        let now = self.settings.clock.now();
        let Some(done) = done else {
            self.queue.done(account, now);
            return;
        };
        if matches!(done.ended, Ended::Seen) {
            log::turn(&done, now);
            return;
        }
        let next = self.next(&done, now);
        self.settings.pulse.ended(&done, next);
        match self.settings.queue {
            Some(_) => self.due(account, next, Why::Again),
            None => self.queue.done(account, next),
        }
        if !self.queue.contains(account) {
            self.lights.remove(account);
            return;
        }
        if let Some(light) = self.lights.get_mut(account) {
            light.waits_for = done.waits_for;
            if done.is_whole {
                light.began = Some(done.began);
            }
        }
        if self.settings.queue.is_some() {
            self.made.extend(done.made.iter().cloned());
        }
        // What others waited for is there.
        let made = |thing: &Thing| is_made(thing, &done.made);
        let waiting: Vec<AccountId> = self
            .lights
            .iter()
            .filter(|(_, light)| light.waits_for.iter().any(made))
            .map(|(id, _)| id.clone())
            .collect();
        for id in waiting {
            self.due(&id, now, Why::Again);
        }
    }

    /// When an account is due after a turn.
    fn next(&mut self, done: &Done, now: Timestamp) -> Timestamp {
        let slot = schedule::next_slot(&done.account, now, self.interval_of(&done.account));
        let due = match (&done.failing, done.is_closed) {
            (Some(failing), true) if failing.class.is_terminal() => failing.not_before.max(slot),
            (Some(failing), true) => failing.not_before,
            (Some(failing), false) => failing.not_before.min(slot),
            (None, _) => slot,
        };
        let again = done.again.filter(|_| !done.is_closed);
        let due = again.map_or(due, |again| again.min(due)).max(schedule::after(now, SHORTEST_PAUSE));
        let Some(light) = self.lights.get_mut(&done.account) else { return due };
        light.calls = done.calls;
        light.left = self.settings.budget.spend(light.left, done.calls, now);
        due.max(self.settings.budget.ready(light.left, light.calls, now))
    }
}
