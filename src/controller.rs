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
//! on. Hints, a queue for several machines and the page have their places (`queue`, [`Order`]) and are not built yet.

pub mod condition;
mod current;
mod keeper;
mod log;
pub mod queue;
mod reconcile;
pub mod schedule;
pub mod signed;
pub mod source;

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

use crate::aws::Connection;
use crate::guard::Allow;
use crate::place::{AccountId, Region};
use current::Followed;
use keeper::Keeper;
use reconcile::{Done, Turn};
use schedule::Budget;
use source::Source;

/// The longest sleep: the system's clock may be set while nobody looks.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// How a connection to AWS is made, given the home region.
pub type Connect = Box<dyn Fn(Region) -> BoxFuture<'static, Result<Connection, String>> + Send + Sync>;

/// What a controller is told when it starts.
pub struct Settings {
    pub source: Source,
    /// Put right what differs; otherwise it is told only.
    pub enforce: bool,
    /// Between two looks at an account.
    pub interval: Duration,
    /// Between two looks at the source.
    pub poll: Duration,
    pub accounts_at_once: usize,
    pub budget: Budget,
    /// What guards would refuse, and whoever started it allows.
    pub allow: Vec<Allow>,
    pub clock: Clock,
    /// The controller's own run. Every look has one of its own.
    pub run: String,
    pub connect: Connect,
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
/// Only at the start, when there is no desired state to begin with. Later ones that cannot be taken are told, and the
/// one before goes on being kept.
pub async fn run(settings: &Settings, mut orders: mpsc::Receiver<Order>) -> Result<(), NotTaken> {
    let first = tokio::select! {
        first = Box::pin(current::follow(settings, None, None, true)) => first,
        () = stopped(&mut orders) => return Ok(()),
    };
    let current = match first.taken {
        Some(taken) => taken?,
        None => return Ok(()),
    };
    let mut keeper = Keeper::new(settings, current, first.known);
    Box::pin(keeper.start()).await;

    let stop = CancellationToken::new();
    let mut running = FuturesUnordered::new();
    let mut following: Option<LocalBoxFuture<'_, Followed>> = None;
    loop {
        if !stop.is_cancelled() {
            while let Some(account) = keeper.take() {
                running.push(turn(settings, keeper.current(), &stop, account));
            }
            if following.is_none()
                && let Some(asked) = keeper.asks()
            {
                following = Some(Box::pin(asked.follow(settings)));
            }
        } else if running.is_empty() {
            break;
        }
        let wake = keeper.wakes(following.is_none()).min(LONGEST_SLEEP);
        tokio::select! {
            Some((account, done)) = running.next() => keeper.ended(&account, done),
            followed = answer(&mut following) => {
                following = None;
                Box::pin(keeper.followed(followed)).await;
            }
            () = tokio::time::sleep(wake), if !stop.is_cancelled() => {}
            order = orders.recv(), if !stop.is_cancelled() => match order {
                Some(Order::Reload) => keeper.reload(),
                Some(Order::Stop) | None => {
                    tracing::info!(target: TARGET, running = running.len(), "told to stop: what is in hand is finished");
                    stop.cancel();
                    following = None;
                }
            },
        }
    }
    tracing::info!(target: TARGET, run = settings.run, "stopped");
    Ok(())
}

async fn stopped(orders: &mut mpsc::Receiver<Order>) {
    while orders.recv().await.is_some_and(|order| order != Order::Stop) {}
}

/// The answer to what was asked, or none for ever.
async fn answer(following: &mut Option<LocalBoxFuture<'_, Followed>>) -> Followed {
    match following {
        Some(following) => following.await,
        None => std::future::pending().await,
    }
}

/// An account's turn. `None` where the account has left the desired state since it was put into the queue.
async fn turn(
    settings: &Settings,
    current: Arc<Current>,
    stop: &CancellationToken,
    account: AccountId,
) -> (AccountId, Option<Done>) {
    let done = match current.desired.account(&account) {
        Some(account) => Some(Turn { settings, current: &current, stop }.take(account).await),
        None => None,
    };
    (account, done)
}
