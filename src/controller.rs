//! Running for ever: every account is looked at once an interval, and what differs is put right where that is wanted.
//!
//! ```text
//! source ─► current ─► schedule ─► queue ─► reconcile ─► condition ─► audit record
//!    ▲                     ▲                    │
//!    └── polled            └── due again ───────┘
//! ```
//!
//! A key is an account. Nothing is kept in memory of an account but when it is due next and what it waits for: what
//! was seen is let go when its turn has ended, and the conditions lie with the audit records, from where a restart goes
//! on. On several machines ([`queue::sqs`]) every one is scheduler and worker; hints ([`hints`]) only move due times.
//! People are told what happens by [`notify`]; [`pulse`] is what is shown of it while it runs.

pub mod condition;
mod current;
pub mod hints;
pub mod index;
mod keeper;
mod lines;
mod log;
pub mod look;
pub mod notify;
pub mod once;
pub mod pulse;
pub mod queue;
mod reconcile;
pub mod schedule;
pub mod signed;
pub mod source;
pub mod waves;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures::future::{BoxFuture, LocalBoxFuture};
use futures::stream::{FuturesUnordered, StreamExt as _};
use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub use current::{Current, NotTaken};
pub use log::TARGET;
pub(crate) use log::chain;
pub use pulse::Pulse;

use crate::aws::Connection;
use crate::guard::Allow;
use crate::place::{AccountId, Region};
use current::Followed;
use keeper::Keeper;
use lines::{Job, Lines};
use notify::Notifier;
use queue::sqs::QueueUrl;
use reconcile::{Done, Turn};
use schedule::Budget;
use source::Source;

/// How long the last answers of a queue are waited for when all turns have ended.
const LAST_ANSWERS: Duration = Duration::from_secs(15);

/// The longest sleep: the system's clock may be set while nobody looks.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// How long it is tried at the end to tell what has not been told.
const LAST_WORDS: Duration = Duration::from_secs(20);

/// How a connection to AWS is made, given the home region.
pub type Connect = Box<dyn Fn(Region) -> BoxFuture<'static, Result<Connection, String>> + Send + Sync>;

/// What a controller is told when it starts.
pub struct Settings {
    pub source: Source,
    /// Put right what differs; otherwise it is told only.
    pub enforce: bool,
    /// Between two looks at an account.
    pub interval: Duration,
    /// The same while its hints are known to arrive.
    pub interval_with_hints: Duration,
    /// What is shared with other replicas; absent where there is no other.
    pub queue: Option<QueueUrl>,
    /// Where EventBridge tells of writes.
    pub hints: Option<QueueUrl>,
    /// Between two looks at the source.
    pub poll: Duration,
    pub accounts_at_once: usize,
    pub budget: Budget,
    /// What guards would refuse, and whoever started it allows.
    pub allow: Vec<Allow>,
    pub clock: Clock,
    /// Who tells people.
    pub notifier: Notifier,
    /// The controller's own run. Every look has one of its own.
    pub run: String,
    pub connect: Connect,
    /// What is shown of it while it runs.
    pub pulse: Arc<Pulse>,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("source", &self.source)
            .field("run", &self.run)
            .finish_non_exhaustive()
    }
}

/// Where the time comes from.
#[derive(Clone, Copy, Debug)]
pub enum Clock {
    System,
    /// The runtime's clock, which a test can turn.
    Runtime {
        started: Timestamp,
        since: Instant,
    },
}

impl Clock {
    pub fn of_runtime() -> Self {
        Self::Runtime { started: Timestamp::now(), since: Instant::now() }
    }

    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => Timestamp::now(),
            Self::Runtime { started, since } => schedule::after(*started, since.elapsed()),
        }
    }
}

/// What a controller can be told while it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// SIGHUP: the desired state is read again, and every account is due.
    Reload,
    /// The first signal: what is in hand is finished, nothing else is begun.
    Stop,
}

/// Runs until it is told to stop, or until nobody is left who could tell it.
///
/// # Errors
///
/// Only at the start, when there is no desired state to begin with, or a queue cannot be used. Later ones that cannot be taken are told, and the
/// one before goes on being kept.
pub async fn run(settings: &Settings, orders: mpsc::Receiver<Order>) -> Result<(), NotTaken> {
    settings.pulse.begins(settings);
    tokio::select! {
        ended = Box::pin(reconcile(settings, orders)) => ended?,
        never = Box::pin(index::keep(settings)) => match never {},
    }
    if let Err(error) = Box::pin(index::write(settings)).await {
        tracing::warn!(target: TARGET, error = chain(&error), "the index of the page is not kept");
    }
    tracing::info!(target: TARGET, run = settings.run, "stopped");
    Ok(())
}

async fn reconcile(settings: &Settings, mut orders: mpsc::Receiver<Order>) -> Result<(), NotTaken> {
    let first = tokio::select! {
        first = Box::pin(current::follow(settings, None, None, true)) => first,
        () = stopped(&mut orders) => return Ok(()),
    };
    let current = match first.taken {
        Some(taken) => taken?,
        None => return Ok(()),
    };
    let mut keeper = Keeper::new(settings, current, first.known);
    let mut lines = Lines::open(settings, &keeper.current()).await?;
    Box::pin(keeper.start()).await;

    settings.notifier.follow(keeper.current(), None);
    let ended = CancellationToken::new();
    let mut telling: LocalBoxFuture<'_, ()> = Box::pin(settings.notifier.deliver(&ended));

    let stop = CancellationToken::new();
    let mut running = FuturesUnordered::new();
    let mut following: Option<LocalBoxFuture<'_, Followed>> = None;
    let mut last = None;
    loop {
        settings.pulse.turns(&keeper);
        if !stop.is_cancelled() {
            keeper.release();
            lines.begin(&mut keeper, settings.accounts_at_once.saturating_sub(running.len()));
            // With a queue, whoever is due is asked for there.
            if settings.queue.is_none() {
                while let Some(account) = keeper.take() {
                    running.push(turn(settings, keeper.current(), &stop, account, None));
                }
            }
            if following.is_none()
                && let Some(asked) = keeper.asks()
            {
                following = Some(Box::pin(asked.follow(settings)));
            }
        } else if running.is_empty() && (lines.is_idle() || last.is_some_and(|last| Instant::now() >= last)) {
            break;
        }
        let wake = keeper.wakes(following.is_none()).min(lines.wakes()).min(LONGEST_SLEEP);
        tokio::select! {
            Some(Ended { account, done, job, cut }) = running.next() => {
                lines.ended(&account, job, done.as_ref(), cut, &keeper.current());
                keeper.ended(&account, done);
            }
            event = lines.next() => {
                for job in lines.happened(event, &mut keeper, &stop) {
                    let account = job.wanted.account.clone();
                    running.push(turn(settings, keeper.current(), &stop, account, Some(job)));
                }
            }
            () = until(last), if last.is_some() && running.is_empty() => {}
            followed = answer(&mut following) => {
                following = None;
                Box::pin(keeper.followed(followed)).await;
                settings.notifier.follow(keeper.current(), keeper.trouble());
            }
            () = &mut telling => {}
            () = tokio::time::sleep(wake), if !stop.is_cancelled() => {}
            order = orders.recv(), if !stop.is_cancelled() => match order {
                Some(Order::Reload) => keeper.reload(),
                Some(Order::Stop) | None => {
                    tracing::info!(target: TARGET, running = running.len(), "told to stop: what is in hand is finished");
                    stop.cancel();
                    settings.pulse.stops();
                    last = Some(Instant::now() + LAST_ANSWERS);
                    following = None;
                }
            },
        }
    }
    // What nobody could be told is kept.
    ended.cancel();
    let _told = tokio::time::timeout(LAST_WORDS, telling).await.is_ok();
    Ok(())
}

async fn stopped(orders: &mut mpsc::Receiver<Order>) {
    while orders.recv().await.is_some_and(|order| order != Order::Stop) {}
}

async fn until(last: Option<Instant>) {
    match last {
        Some(last) => tokio::time::sleep_until(last).await,
        None => std::future::pending().await,
    }
}

/// The answer to what was asked, or none for ever.
async fn answer(following: &mut Option<LocalBoxFuture<'_, Followed>>) -> Followed {
    match following {
        Some(following) => following.await,
        None => std::future::pending().await,
    }
}

/// A turn that has ended.
struct Ended {
    account: AccountId,
    /// `None` where the account has left the desired state since it was put into the queue.
    done: Option<Done>,
    job: Option<Job>,
    /// It was broken off: by a signal, or because another replica may have the account.
    cut: bool,
}

/// An account's turn. With a job, its lease is prolonged meanwhile, and the turn ends with it.
async fn turn(
    settings: &Settings,
    current: Arc<Current>,
    stop: &CancellationToken,
    account: AccountId,
    job: Option<Job>,
) -> Ended {
    let own = stop.child_token();
    let work = async {
        let account = current.desired.account(&account)?;
        let (lease, wanted) = (job.as_ref().map(|job| &job.lease), job.as_ref().map(|job| &job.wanted));
        Some(Turn { settings, current: &current, stop: &own, lease, wanted }.take(account).await)
    };
    let done = match (&settings.queue, &job) {
        (Some(queue), Some(job)) => tokio::select! {
            done = work => done,
            never = queue.hold(&current.aws, job.receipts(), &job.lease, &own) => match never {},
        },
        _ => work.await,
    };
    let cut = own.is_cancelled();
    Ended { account, done, job, cut }
}
