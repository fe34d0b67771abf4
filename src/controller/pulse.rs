//! What a running controller shows of itself while it runs: whether it lives, what it works with, how all accounts stand
//! as far as it knows, and its figures. The controller writes it, whoever serves probes and the page reads it.

mod figures;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

pub use figures::{Figures, Label};

use super::condition::AccountConditions;
use super::index::{self, Entry, Index};
use super::keeper::Keeper;
use super::log;
use super::notify::{Counts, Tally};
use super::reconcile::Done;
use super::schedule::after;
use super::{Clock, Current, Settings};
use crate::place::AccountId;

/// So long after it was last asked for, nobody reads the page any more.
const READ_FOR: Duration = Duration::from_secs(300);

/// Shared by a controller and by what serves it.
#[derive(Debug)]
pub struct Pulse {
    clock: Clock,
    pub figures: Figures,
    now: Mutex<Now>,
}

#[derive(Debug)]
struct Now {
    started: Timestamp,
    settings: Told,
    /// When its loop last went round.
    turned: Timestamp,
    current: Option<Arc<Current>>,
    /// Of whoever tells people.
    notifier: Counts,
    /// Why the newest desired state is not the one that is kept.
    trouble: Option<String>,
    is_stopping: bool,
    /// Accounts that are due and wait for a place; accounts that have their turn.
    waiting: usize,
    running: usize,
    index: Arc<Index>,
    /// Goes up with every change of the index or of the desired state.
    version: u64,
    /// Entries that are not in the index that is kept.
    news: BTreeSet<AccountId>,
    read: Option<Timestamp>,
    /// When somebody who is held last asked what others have seen.
    fetched: Option<Timestamp>,
}

/// What the controller was started with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    pub enforces: bool,
    pub interval: Duration,
    pub accounts_at_once: usize,
}

/// All of it at one moment.
#[derive(Clone, Debug)]
pub struct Seen {
    pub now: Timestamp,
    pub started: Timestamp,
    pub settings: Told,
    pub turned: Timestamp,
    /// Absent until a desired state was loaded.
    pub current: Option<Arc<Current>>,
    pub trouble: Option<String>,
    pub is_stopping: bool,
    pub waiting: usize,
    pub running: usize,
    pub index: Arc<Index>,
    pub version: u64,
    /// What became of what people were to be told, by the notification's name.
    pub told: BTreeMap<String, Tally>,
}

impl Pulse {
    pub fn new(clock: Clock) -> Self {
        let started = clock.now();
        let settings = Told { enforces: false, interval: Duration::from_secs(3600), accounts_at_once: 0 };
        let now = Now {
            started,
            settings,
            turned: started,
            current: None,
            notifier: Counts::default(),
            trouble: None,
            is_stopping: false,
            waiting: 0,
            running: 0,
            index: Arc::default(),
            version: 0,
            news: BTreeSet::new(),
            read: None,
            fetched: None,
        };
        Self { clock, figures: Figures::new(), now: Mutex::new(now) }
    }

    fn lock(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn seen(&self) -> Seen {
        let now = self.lock();
        Seen {
            now: self.clock.now(),
            started: now.started,
            settings: now.settings,
            turned: now.turned,
            current: now.current.clone(),
            trouble: now.trouble.clone(),
            is_stopping: now.is_stopping,
            waiting: now.waiting,
            running: now.running,
            index: Arc::clone(&now.index),
            version: now.version,
            told: now.notifier.tallies(),
        }
    }

    /// Somebody reads the page: what others have seen is fetched.
    pub fn reads(&self) {
        let at = self.clock.now();
        self.lock().read = Some(at);
    }

    pub(super) fn current(&self) -> Option<Arc<Current>> {
        self.lock().current.clone()
    }

    pub(super) fn begins(&self, settings: &Settings) {
        let Settings { enforce, interval, accounts_at_once, .. } = *settings;
        let mut now = self.lock();
        now.settings = Told { enforces: enforce, interval, accounts_at_once };
        now.notifier = settings.notifier.counts();
    }

    /// The loop has gone round.
    pub(super) fn turns(&self, keeper: &Keeper<'_>) {
        let at = self.clock.now();
        let mut now = self.lock();
        now.turned = at;
        (now.waiting, now.running) = keeper.load(at);
    }

    pub(super) fn stops(&self) {
        self.lock().is_stopping = true;
    }

    /// A desired state is kept from here on, or goes on being kept in spite of a newer one.
    pub(super) fn keeps(&self, current: &Arc<Current>, trouble: Option<&str>) {
        let mut now = self.lock();
        now.current = Some(Arc::clone(current));
        now.trouble = trouble.map(str::to_owned);
        now.version += 1;
    }

    /// What is kept of an account at a start.
    pub(super) fn knows(&self, conditions: &AccountConditions) {
        let mut now = self.lock();
        Arc::make_mut(&mut now.index).insert(conditions.account.clone(), Entry::of(conditions));
        now.version += 1;
    }

    /// A turn has ended: the line in the log, the figures and the index, all here.
    pub(super) fn ended(&self, done: &Done, next: Timestamp) {
        log::turn(done, next);
        self.figures.count(done);
        let Some(entry) = &done.entry else { return };
        let mut now = self.lock();
        if now.index.get(&done.account) != Some(entry) {
            Arc::make_mut(&mut now.index).insert(done.account.clone(), entry.clone());
            now.version += 1;
        }
        if done.is_news {
            now.news.insert(done.account.clone());
        }
    }

    pub(super) fn is_read(&self, at: Timestamp) -> bool {
        self.lock().read.is_some_and(|read| after(read, READ_FOR) > at)
    }

    /// May what others have seen be fetched? Not where that was done so lately.
    pub(super) fn fetches(&self, lately: Duration) -> bool {
        let at = self.clock.now();
        let mut now = self.lock();
        let may = now.fetched.is_none_or(|fetched| after(fetched, lately) <= at);
        if may {
            now.fetched = Some(at);
        }
        may
    }

    /// Does any account wait for an earlier wave?
    pub(super) fn holds(&self) -> bool {
        let now = self.lock();
        let current = now.current.as_ref().filter(|_| now.settings.enforces);
        current.is_some_and(|current| current.waves.held(&now.index).next().is_some())
    }

    /// How all accounts stand as far as is known, and the version of that.
    pub(super) fn index(&self) -> (u64, Arc<Index>) {
        let now = self.lock();
        (now.version, Arc::clone(&now.index))
    }

    pub(super) fn has_news(&self) -> bool {
        !self.lock().news.is_empty()
    }

    /// What is to be written, and the whole index with it.
    pub(super) fn news(&self) -> (BTreeSet<AccountId>, Index) {
        let now = self.lock();
        (now.news.clone(), Index::clone(&now.index))
    }

    /// These have been written.
    pub(super) fn told(&self, news: &BTreeSet<AccountId>) {
        self.lock().news.retain(|account| !news.contains(account));
    }

    /// What others have seen.
    pub(super) fn merge(&self, other: Index) {
        let mut now = self.lock();
        let mut merged = Index::clone(&now.index);
        index::merge(&mut merged, other);
        if merged != *now.index {
            now.index = Arc::new(merged);
            now.version += 1;
        }
    }
}
