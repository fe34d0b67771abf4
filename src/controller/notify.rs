//! Telling people what happens: each thing once, gathered into few messages, and never lost silently.
//!
//! ```text
//! a turn ─► matters ─► kept (beside the audit records) ─► line (in memory, one a notification) ─► message ─► sent
//!                        ▲                                                                                   │
//!                        └───────────────────────────── told: taken out ─────────────────────────────────────┘
//! ```
//!
//! What is to be told is kept before anybody is told, and taken out afterwards: whoever is killed in between tells it
//! again, under the same id. What cannot be told is tried again, later each time; what is given up is an error in the log,
//! a number in the next message, and counted.

mod deliver;
mod event;
mod kept;
mod line;
mod message;
mod secret;
mod slack;
mod sns;
mod template;
#[cfg(test)]
mod tests;
pub mod webhook;
mod who;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use jiff::Timestamp;

pub use event::Event;
pub use line::Pace;
pub use message::Payload;
pub use secret::Environment;
pub(super) use who::Asking;

use super::Clock;
use super::condition::{Matters, Type};
use super::current::Current;
use super::log::{self, TARGET};
use crate::audit::AuditError;
use crate::aws::web::Web;
use crate::desired::{DesiredAccount, EventKind};
use event::Said;
use kept::{Kept, Pending};
use line::Line;

/// What the organisation's own events are kept under.
const ORGANIZATION: &str = "organization";

/// Objects that are read or written at once.
const AT_ONCE: usize = 16;

/// How often a raced write is tried again.
const TRIES: usize = 4;

/// Tells people. One for each controller.
pub struct Notifier {
    clock: Clock,
    environment: Environment,
    /// Addresses of this machine are taken, for tests.
    loopback: bool,
    pace: Pace,
    web: OnceLock<Result<Web, String>>,
    state: Arc<Mutex<State>>,
    news: tokio::sync::Notify,
    /// An object is replaced by whoever read it last: one at a time. By the owner's digest.
    writing: [tokio::sync::Mutex<()>; AT_ONCE],
}

#[derive(Default)]
struct State {
    current: Option<Arc<Current>>,
    /// Why the newest desired state is not the one that is kept.
    trouble: Option<String>,
    /// When the organisation's own events are looked for.
    organization_at: Option<Timestamp>,
    lines: BTreeMap<String, Line>,
    /// Told, and not yet taken out of the object: event and notification, by owner.
    told: BTreeMap<String, BTreeSet<(String, String)>>,
    tallies: BTreeMap<String, Tally>,
}

/// Counts of one notification since the program started: what metrics are made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Messages that were taken.
    pub sent: u64,
    /// Tries that failed.
    pub failed: u64,
    /// Events that nobody will be told of.
    pub lost: u64,
    /// Events that wait.
    pub waiting: usize,
}

/// The counts of a notifier, as they are whenever they are asked for.
#[derive(Clone, Default)]
pub struct Counts(Arc<Mutex<State>>);

impl Counts {
    /// What became of all messages, by the notification's name.
    pub fn tallies(&self) -> BTreeMap<String, Tally> {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all = state.tallies.clone();
        for (name, line) in &state.lines {
            all.entry(name.clone()).or_default().waiting = line.waiting().len();
        }
        all
    }
}

impl fmt::Debug for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Counts").field(&self.tallies()).finish()
    }
}

impl fmt::Debug for Notifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notifier").field("pace", &self.pace).finish_non_exhaustive()
    }
}

impl Notifier {
    /// `environment` is where secrets are looked up; with `loopback`, messages may go to this machine, for tests.
    pub fn new(clock: Clock, environment: Environment, loopback: bool) -> Self {
        Self {
            clock,
            environment,
            loopback,
            pace: Pace::default(),
            web: OnceLock::new(),
            state: Arc::default(),
            news: tokio::sync::Notify::new(),
            writing: std::array::from_fn(|_| tokio::sync::Mutex::default()),
        }
    }

    #[must_use]
    pub fn at_pace(self, pace: Pace) -> Self {
        Self { pace, ..self }
    }

    /// What became of all messages, by the notification's name.
    pub fn tallies(&self) -> BTreeMap<String, Tally> {
        self.counts().tallies()
    }

    /// A handle on its counts, for whoever shows them.
    pub fn counts(&self) -> Counts {
        Counts(Arc::clone(&self.state))
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The desired state that is kept from now on, and why a newer one is not taken.
    pub(super) fn follow(&self, current: Arc<Current>, trouble: Option<&str>) {
        let mut state = self.locked();
        let is_same = state.current.as_ref().is_some_and(|before| Arc::ptr_eq(before, &current));
        if is_same && state.trouble.as_deref() == trouble {
            return;
        }
        state.current = Some(current);
        state.trouble = trouble.map(str::to_owned);
        state.organization_at = None;
        drop(state);
        self.news.notify_one();
    }

    /// A turn has ended: what is to be told of it is kept.
    pub(super) async fn turn(
        &self,
        current: &Current,
        account: &DesiredAccount,
        matters: &Matters,
        run: &str,
        asking: Option<Asking<'_>>,
    ) {
        if account.notifications.is_empty() {
            return;
        }
        let now = self.clock.now();
        let said = event::of_account(account, matters, run, now);
        let names: BTreeSet<&str> = account.notifications.iter().map(String::as_str).collect();
        self.take(current, account.id.as_str(), &said, &names, asking.as_ref()).await;
    }

    /// An account was left alone, and why.
    pub(super) async fn left_alone(
        &self,
        current: &Current,
        account: &DesiredAccount,
        (reason, why): (&str, &str),
        run: &str,
    ) {
        let matters = Matters::left_alone(&account.home, Type::Stalled, reason, why);
        self.turn(current, account, &matters, run, None).await;
    }

    /// The organisation's own events.
    async fn organization(&self, current: &Current, trouble: Option<&str>) {
        let said = event::of_organization(&current.desired, trouble, self.clock.now());
        let all = &current.desired.organization.notifications;
        let names = all.iter().map(|one| one.name.as_str()).collect();
        self.take(current, ORGANIZATION, &said, &names, None).await;
    }

    /// Keeps what was said, and puts what is to be told into the lines.
    async fn take(
        &self,
        current: &Current,
        owner: &str,
        said: &Said,
        names: &BTreeSet<&str>,
        asking: Option<&Asking<'_>>,
    ) {
        let all = &current.desired.organization.notifications;
        let to = |kind: EventKind| {
            let those =
                all.iter().filter(|one| names.contains(one.name.as_str()) && one.events.contains(&kind));
            those.map(|one| one.name.clone()).collect::<BTreeSet<String>>()
        };
        let now = self.clock.now();
        if let Err(error) = self.change(current, owner, asking, |kept| kept.take(owner, said, to, now)).await
        {
            tracing::error!(target: TARGET, account = owner, error = log::chain(&error), events = said.made.len(), "what is to be told is not kept: it is told at once, or at the next turn");
            // What stands is found again at the next turn; what was done is not.
            let made =
                said.made.iter().map(|event| Pending { event: event.clone(), at: now, to: to(event.event) });
            self.line_up(owner, &made.collect::<Vec<_>>());
        }
    }

    /// Changes an object, whoever else may, and lines up what it holds.
    async fn change(
        &self,
        current: &Current,
        owner: &str,
        asking: Option<&Asking<'_>>,
        change: impl Fn(&mut Kept),
    ) -> Result<(), AuditError> {
        let _one = self.writing[place(owner)].lock().await;
        let declared: BTreeSet<String> =
            current.desired.organization.notifications.iter().map(|one| one.name.clone()).collect();
        let told = self.locked().told.get(owner).cloned().unwrap_or_default();
        let mut tries = 0;
        let (kept, lost) = loop {
            let (before, tag) = current.audit.notifications::<Kept>(owner).await?;
            let is_new = before.is_none();
            let before = before.unwrap_or_default();
            let mut after = before.clone();
            change(&mut after);
            if let Some(asking) = asking {
                let news = after.pending.iter_mut().skip(before.pending.len());
                Box::pin(asking.fill(news.map(|one| &mut one.event))).await;
            }
            let lost = after.settle(&told, &declared, self.clock.now());
            if after == before || (is_new && after == Kept::default()) {
                break (after, lost);
            }
            match current.audit.keep_notifications(owner, &after, tag).await {
                Err(AuditError::Raced { .. }) if tries < TRIES => tries += 1,
                Err(error) => return Err(error),
                Ok(()) => break (after, lost),
            }
        };
        self.settled(owner, &told);
        if !lost.is_empty() {
            self.lose(owner, &lost);
        }
        self.line_up(owner, &kept.pending);
        Ok(())
    }

    fn settled(&self, owner: &str, told: &BTreeSet<(String, String)>) {
        let mut state = self.locked();
        if let Some(left) = state.told.get_mut(owner) {
            left.retain(|one| !told.contains(one));
            if left.is_empty() {
                state.told.remove(owner);
            }
        }
    }

    fn lose(&self, owner: &str, lost: &[Pending]) {
        tracing::error!(target: TARGET, account = owner, events = lost.len(), "nobody will be told of these: they waited for too long, or are too many");
        let mut state = self.locked();
        for pending in lost {
            for name in &pending.to {
                state.tallies.entry(name.clone()).or_default().lost += 1;
                if let Some(line) = state.lines.get_mut(name) {
                    line.give_up(&pending.event.id);
                }
            }
        }
    }

    fn line_up(&self, owner: &str, pending: &[Pending]) {
        let now = self.clock.now();
        let mut state = self.locked();
        let state = &mut *state;
        let mut is_news = false;
        for one in pending {
            for name in &one.to {
                let told = state.told.get(owner);
                if told.is_some_and(|told| told.contains(&(one.event.id.clone(), name.clone()))) {
                    continue;
                }
                let line = state.lines.entry(name.clone()).or_insert_with(|| Line::new(self.pace, now));
                is_news |= line.add(owner, &one.event, now);
                state.tallies.entry(name.clone()).or_default();
            }
        }
        if is_news {
            self.news.notify_one();
        }
    }
}

/// The JSON Schema of what a generic webhook gets.
pub fn schema() -> schemars::Schema {
    schemars::schema_for!(Payload)
}

/// Which lock an owner's object is changed under.
fn place(owner: &str) -> usize {
    owner.bytes().fold(0_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into())) % AT_ONCE
}
