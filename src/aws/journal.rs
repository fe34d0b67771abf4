//! Every call that was made: what tests, `--verbose` and metrics read.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::call::Call;
use crate::place::Scope;

/// Which role a session plays, and so what may be called with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// The credentials that the program was started with.
    Caller,
    Observe,
    Apply,
}

impl Purpose {
    pub fn word(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::Observe => "observe",
            Self::Apply => "apply",
        }
    }
}

/// How a call ended, after its retries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    Answered,
    /// A modelled or generic error of the service, with the HTTP status.
    Failed(u16),
    /// No usable answer: time-out, connection, or an answer that cannot be read.
    NoAnswer,
}

/// One call, retries included.
#[derive(Clone, Debug)]
pub struct Entry {
    pub scope: Arc<Scope>,
    /// The control that asked, or `engine`.
    pub by: &'static str,
    pub call: &'static Call,
    pub write: bool,
    pub purpose: Purpose,
    /// Before it waited for its place within the rate.
    pub started: Instant,
    pub took: Duration,
    pub ending: Ending,
    /// 1 without retries.
    pub attempts: u32,
}

impl Entry {
    /// `service:Operation`.
    pub fn operation(&self) -> &'static str {
        self.call.operation
    }
}

/// The calls of a run, in the order in which they ended.
#[derive(Debug, Default)]
pub struct Journal {
    entries: Mutex<Vec<Entry>>,
    reads: AtomicUsize,
    writes: AtomicUsize,
}

impl Journal {
    pub(super) fn add(&self, entry: Entry) {
        tracing::debug!(
            target: "baseline::calls",
            account = %entry.scope.account,
            region = %entry.scope.region,
            call = entry.operation(),
            by = entry.by,
            role = entry.purpose.word(),
            write = entry.write,
            took_ms = entry.took.as_millis() as u64,
            attempts = entry.attempts,
            ending = ?entry.ending,
            "call",
        );
        let counter = if entry.write { &self.writes } else { &self.reads };
        counter.fetch_add(1, Ordering::Relaxed);
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
    }

    pub fn entries(&self) -> Vec<Entry> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn reads(&self) -> usize {
        self.reads.load(Ordering::Relaxed)
    }

    pub fn writes(&self) -> usize {
        self.writes.load(Ordering::Relaxed)
    }

    /// Takes all entries out, so that a process that runs for ever does not keep them for ever.
    pub fn drain(&self) -> Vec<Entry> {
        std::mem::take(&mut *self.entries.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
