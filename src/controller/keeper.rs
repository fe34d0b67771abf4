//! What is between two turns: who is due when, which desired state is kept, and what is told.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures::stream::{self, StreamExt as _};
use jiff::Timestamp;

use super::Settings;
use super::condition::{AccountConditions, DesiredStateConditions};
use super::current::{self, Current, Followed, NotTaken};
use super::log::{self, TARGET};
use super::queue::memory::Queue;
use super::reconcile::Done;
use super::schedule::{self, Left};
use super::signed::Signed;
use crate::audit::ControllerRecord;
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
            signed: Signed::default(),
        }
    }

    pub fn current(&self) -> Arc<Current> {
        Arc::clone(&self.current)
    }

    /// Goes on from what is kept of each account, and says what will happen.
    pub async fn start(&mut self) {
        let Settings { interval, enforce, budget, .. } = *self.settings;
        let now = self.settings.clock.now();
        let (current, accounts) = (self.current(), self.current.desired.accounts.len());
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
            let due = match &kept {
                Some(kept) => self.goes_on(&id, kept, accounts, now),
                None => schedule::first(&id, now, accounts, interval),
            };
            let calls = kept.as_ref().map_or(0, |kept| kept.calls);
            measured.extend((calls > 0).then_some(calls));
            let due =
                if current.rank(&id) == 0 { due.min(schedule::first(&id, now, 1, interval)) } else { due };
            self.add(&id, due, calls);
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
        let interval = self.settings.interval;
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
        self.lights.entry(id.clone()).or_insert(Light { left, calls, waits_for: Vec::new() });
        self.queue.sooner(id, self.current.rank(id), due);
    }

    /// The next account that is due, where another one may have its turn.
    pub fn take(&mut self) -> Option<AccountId> {
        self.queue.take(self.settings.clock.now())
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
            self.queue.sooner(&account.id, current.rank(&account.id), now);
        }
    }

    /// A turn has ended.
    pub fn ended(&mut self, account: &AccountId, done: Option<Done>) {
        let now = self.settings.clock.now();
        let Some(done) = done else {
            self.queue.done(account, now);
            return;
        };
        let next = self.next(&done, now);
        log::turn(&done, next);
        self.queue.done(account, next);
        if !self.queue.contains(account) {
            self.lights.remove(account);
            return;
        }
        if let Some(light) = self.lights.get_mut(account) {
            light.waits_for = done.waits_for;
        }
        // What others waited for is there.
        let made = |thing: &Thing| {
            done.made.contains(thing) || thing.part_of().is_some_and(|whole| done.made.contains(&whole))
        };
        let waiting: Vec<AccountId> = self
            .lights
            .iter()
            .filter(|(_, light)| light.waits_for.iter().any(made))
            .map(|(id, _)| id.clone())
            .collect();
        for id in waiting {
            self.queue.sooner(&id, self.current.rank(&id), now);
        }
    }

    /// When an account is due after a turn.
    fn next(&mut self, done: &Done, now: Timestamp) -> Timestamp {
        let slot = schedule::next_slot(&done.account, now, self.settings.interval);
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
            self.queue.sooner(id, current.rank(id), now);
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

    /// The condition of the desired state itself, beside those of the accounts.
    async fn keep_state(&mut self, trouble: Option<(&str, String)>) {
        let audit = Arc::clone(&self.current.audit);
        let kept = audit.conditions::<DesiredStateConditions>(DesiredStateConditions::NAME).await;
        let kept = match kept {
            Ok((before, tag)) => {
                let now = DesiredStateConditions::now(
                    before.as_ref(),
                    &self.settings.source.to_string(),
                    self.current.observed(),
                    trouble.as_ref().map(|(reason, why)| (*reason, why.as_str())),
                    self.settings.clock.now(),
                );
                if before.as_ref() == Some(&now) {
                    Ok(())
                } else {
                    audit.keep_conditions(DesiredStateConditions::NAME, &now, tag).await
                }
            }
            Err(error) => Err(error),
        };
        if let Err(error) = kept {
            tracing::error!(target: TARGET, error = log::chain(&error), "the condition of the desired state is not kept");
        }
        self.trouble = trouble.map(|(_, why)| why);
    }

    /// That a controller runs, for whoever would undo what it enforces.
    async fn record(&mut self) {
        let Settings { interval, enforce, ref run, .. } = *self.settings;
        let at = self.settings.clock.now();
        self.record_at = schedule::after(at, interval);
        let record =
            ControllerRecord { at, run: run.clone(), enforces: enforce, interval: interval.as_secs() };
        if let Err(error) = self.current.audit.controller_runs(&record).await {
            tracing::error!(target: TARGET, error = log::chain(&error), "that a controller runs is not recorded");
        }
    }
}
