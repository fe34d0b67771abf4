//! What is between two turns: who is due when, which desired state is kept, and what is told.

mod fleet;
mod records;

pub(super) use fleet::{share, waiting};

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures::stream::{self, StreamExt as _};
use jiff::Timestamp;

use super::Settings;
use super::condition::AccountConditions;
use super::current::{self, Current, Followed, NotTaken};
use super::hints::Beats;
use super::log::{self, TARGET};
use super::queue::Why;
use super::queue::memory::Queue;
use super::reconcile::{Done, Ended, is_made};
use super::schedule::{self, Left};
use super::signed::Signed;
use crate::control::Thing;
use crate::desired;
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
        }
    }

    pub fn current(&self) -> Arc<Current> {
        Arc::clone(&self.current)
    }

    /// Why the newest desired state is not the one that is kept.
    pub fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// Goes on from what is kept of each account, and says what will happen.
    pub async fn start(&mut self) {
        let Settings { interval, enforce, budget, .. } = *self.settings;
        let now = self.settings.clock.now();
        let (current, accounts) = (self.current(), self.current.desired.accounts.len());
        self.take_beats(self.kept_beats().await);
        let kept: Vec<_> = stream::iter(&current.desired.accounts)
            .map(|account| async {
                let kept = current.audit.conditions::<AccountConditions>(account.id.as_str()).await;
                (account.id.clone(), kept)
            })
            .buffer_unordered(READ_AT_ONCE)
            .collect()
            .await;
        let mut measured = Vec::new();
        for (id, kept) in kept {
            let kept = kept.map_or_else(
                |error| {
                    tracing::warn!(target: TARGET, account = id.as_str(), error = log::chain(&error), "nothing is known of the account");
                    None
                },
                |(kept, _)| kept,
            );
            kept.iter().for_each(|kept| self.settings.pulse.knows(kept));
            let due = match &kept {
                Some(kept) => self.goes_on(&id, kept, accounts, now),
                None => schedule::first(&id, now, accounts, interval),
            };
            let calls = kept.as_ref().map_or(0, |kept| kept.calls);
            measured.extend((calls > 0).then_some(calls));
            let due =
                if current.rank(&id) == 0 { due.min(schedule::first(&id, now, 1, interval)) } else { due };
            self.add(&id, due, calls);
            if let (Some(light), Some(kept)) = (self.lights.get_mut(&id), kept) {
                light.began = kept.last_began;
                light.waits_for = kept.waits_for;
            }
        }
        let looks = 3600.0 / interval.as_secs_f64();
        let (of_a_look, from) = match measured.len() {
            0 => (current.least_calls(), "named by the controls"),
            n => (measured.iter().sum::<usize>() / n, "measured"),
        };
        let an_hour = of_a_look as f64 * looks;
        if an_hour > f64::from(budget.per_hour) {
            tracing::warn!(target: TARGET, calls_per_account_hour = an_hour.round(), budget = budget.per_hour, "the budget stretches the interval");
        }
        tracing::info!(
            target: TARGET,
            run = self.settings.run,
            source = %self.settings.source,
            desired_state = current.short(),
            enforce,
            interval_seconds = interval.as_secs(),
            accounts,
            remembered = measured.len(),
            calls_per_look = of_a_look,
            calls_per_account_hour = an_hour.round(),
            calls_per_hour = (an_hour * accounts as f64).round(),
            calls_are = from,
            budget_per_account_hour = budget.per_hour,
            queue = self.settings.queue.as_ref().map(tracing::field::display),
            hints = self.settings.hints.as_ref().map(tracing::field::display),
            "started"
        );
        self.warn();
        self.keep_state(None).await;
        self.record().await;
    }

    /// When an account is due of which something is known.
    fn goes_on(
        &self,
        id: &AccountId,
        kept: &AccountConditions,
        accounts: usize,
        now: Timestamp,
    ) -> Timestamp {
        let interval = self.interval_of(id);
        if let Some(failing) = kept.failing.as_ref().filter(|failing| failing.not_before > now) {
            return failing.not_before;
        }
        let slot = |at| schedule::slot(id, at, interval);
        let is_done = kept.last_look.is_some_and(|look| slot(look) == slot(now))
            && kept.observed.as_ref() == Some(&self.current.observed());
        if !is_done {
            return schedule::first(id, now, accounts, interval);
        }
        let failed = kept.findings.iter().filter_map(|past| past.failed.as_ref());
        let again = failed.filter(|failed| !failed.class.is_terminal()).map(|failed| failed.not_before);
        again.fold(schedule::next_slot(id, now, interval), Timestamp::min)
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
        let next = [self.queue.next_due(), poll].into_iter().flatten().min();
        let wait = next.map(|next| next.duration_since(now)).and_then(|wait| Duration::try_from(wait).ok());
        wait.unwrap_or(if next.is_some() { Duration::ZERO } else { Duration::MAX })
    }

    /// Is the source to be looked at?
    pub fn asks(&mut self) -> Option<Asked> {
        let now = self.settings.clock.now();
        if now < self.poll_at && !self.reload {
            return None;
        }
        // What an exception was about is looked at at once when it ends, and not an interval later.
        for id in self.exceptions(now) {
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

    /// The source has been looked at.
    pub async fn followed(&mut self, followed: Followed) {
        self.known = followed.known;
        match followed.taken {
            Some(Ok(current)) => self.take_over(current).await,
            Some(Err(error)) => self.not_taken(&error).await,
            // Nothing new: what could not be read can be, and what is wrong in itself stands.
            None if self.trouble.is_some() && self.known_is_kept() => self.keep_state(None).await,
            None => {}
        }
        if self.settings.clock.now() >= self.record_at {
            self.record().await;
        }
    }

    /// Is what the source holds the desired state that is kept? It is not while wrong documents lie there.
    fn known_is_kept(&self) -> bool {
        self.known.as_deref() == Some(self.current.fingerprint())
    }

    async fn take_over(&mut self, current: Current) {
        let before = std::mem::replace(&mut self.current, Arc::new(current));
        let current = self.current();
        let now = self.settings.clock.now();
        let changed = current.changed(&before);
        tracing::info!(target: TARGET, desired_state = current.short(), before = before.short(), accounts = current.desired.accounts.len(), changed = changed.len(), "desired state taken");
        self.queue.retain(|id| current.desired.account(id).is_some());
        self.lights.retain(|id, _| current.desired.account(id).is_some());
        for account in &current.desired.accounts {
            if !self.queue.contains(&account.id) {
                self.add(&account.id, now, 0);
            }
        }
        for id in &changed {
            self.due(id, now, Why::Documents { digest: current.desired.digest.clone() });
        }
        self.warn();
        self.keep_state(None).await;
        self.record().await;
    }

    /// The newest desired state is not taken: the one before goes on. Told once, and loudly.
    async fn not_taken(&mut self, error: &NotTaken) {
        let told = log::chain(error);
        if self.trouble.as_ref() == Some(&told) {
            return;
        }
        tracing::error!(
            target: TARGET,
            source = %self.settings.source,
            kept = self.current.short(),
            reason = error.reason(),
            why = told,
            "a new desired state is not taken: the last good one goes on"
        );
        if let NotTaken::Documents { all, .. } = error {
            for line in all.lines().filter(|line| !line.trim().is_empty()) {
                tracing::error!(target: TARGET, "{}", crate::report::escape::escape(line));
            }
        }
        self.keep_state(Some((error.reason(), told))).await;
    }

    /// Tells of exceptions that are about to end or have ended, and gives the accounts that those meant.
    fn exceptions(&mut self, now: Timestamp) -> Vec<AccountId> {
        let news = self.signed.news(&self.current.desired, desired::day(now));
        news.iter().for_each(log::exception);
        news.iter().filter(|news| news.ended).flat_map(|news| news.means(&self.current.desired)).collect()
    }

    fn warn(&mut self) {
        drop(self.exceptions(self.settings.clock.now()));
        for line in self.current.warnings().lines().filter(|line| !line.trim().is_empty()) {
            tracing::warn!(target: TARGET, "{}", crate::report::escape::escape(line));
        }
    }
}
