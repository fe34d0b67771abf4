//! For how long a replica may write to an account that it has taken from a queue.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

/// What a lease must have left before a write is sent: longer than the write takes, its time-outs included.
pub const LEFT_TO_WRITE: Duration = Duration::from_secs(30);

/// Until when its holder is alone. Clones share it, so that prolonging it reaches whoever writes.
///
/// It ends by two clocks, whichever is first: the system's can be set, and the other one stands still while a machine
/// sleeps.
#[derive(Clone, Debug)]
pub struct Lease(Arc<Mutex<Until>>);

#[derive(Clone, Copy, Debug)]
struct Until {
    instant: Instant,
    system: SystemTime,
}

/// A moment by both clocks: taken before a lease is asked for, because nobody knows when it was granted.
#[derive(Clone, Copy, Debug)]
pub struct Moment(Until);

impl Moment {
    pub fn now() -> Self {
        Self(Until { instant: Instant::now(), system: SystemTime::now() })
    }

    fn after(self, time: Duration) -> Until {
        let Self(Until { instant, system }) = self;
        Until { instant: instant + time, system: system.checked_add(time).unwrap_or(system) }
    }
}

impl Lease {
    /// A lease of so long from that moment on.
    pub fn new(from: Moment, time: Duration) -> Self {
        Self(Arc::new(Mutex::new(from.after(time))))
    }

    /// It lasts so long from that moment on, where that is longer.
    pub fn prolong(&self, from: Moment, time: Duration) {
        let until = from.after(time);
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        now.instant = now.instant.max(until.instant);
        now.system = now.system.max(until.system);
    }

    /// It is over at once.
    pub fn end(&self) {
        let Moment(now) = Moment::now();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }

    /// What is left of it.
    pub fn left(&self) -> Duration {
        let until = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let system = until.system.duration_since(SystemTime::now()).unwrap_or_default();
        until.instant.saturating_duration_since(Instant::now()).min(system)
    }

    /// When it ends, by the system's clock.
    pub fn until(&self) -> SystemTime {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).system
    }

    /// Is there enough left for a write?
    pub fn lets_write(&self) -> bool {
        self.left() >= LEFT_TO_WRITE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[tokio::test(start_paused = true)]
    async fn a_write_needs_half_a_minute_and_clones_are_prolonged_together() {
        let lease = Lease::new(Moment::now(), MINUTE);
        let held = lease.clone();
        tokio::time::sleep(Duration::from_secs(29)).await;
        assert!(held.lets_write());
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert!(!held.lets_write(), "{:?}", held.left());
        lease.prolong(Moment::now(), MINUTE);
        assert!(held.lets_write());
        lease.end();
        assert_eq!(held.left(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn it_counts_from_before_it_was_asked_for() {
        let asked = Moment::now();
        tokio::time::sleep(MINUTE).await;
        assert!(!Lease::new(asked, MINUTE).lets_write(), "the answer came late");
    }
}
