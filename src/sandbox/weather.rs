//! Weather: latency, throttling, faults, lost replies, late reads, and the end of the process.
//!
//! ```ignore
//! world.set_weather(Weather::fair().latency(ms(30)).with(Front::new(Trouble::Throttled).first_attempts(1)));
//! ```

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::state::Account;

/// What goes wrong with an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Refused with the service's own "slow down".
    Throttled,
    /// Refused with the service's own HTTP 500.
    ServerError,
    /// Nothing lands; the caller's connection times out.
    TimedOut,
    /// Nothing lands; the connection is cut.
    Cut,
    /// Refused by the caller's own policy.
    Denied,
    /// Refused by a service control policy.
    DeniedByOrganization,
    /// Refused because the caller's clock is off: its signature has expired.
    Skewed,
    /// It lands, and the caller sees a time-out.
    ReplyLost,
}

/// An attempt as weather sees it.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    /// The prefix of IAM actions: `guardduty`.
    pub service: &'a str,
    pub operation: &'a str,
    /// Empty when nobody knows the key.
    pub account: &'a str,
    /// The session's name, where it is one of a role.
    pub session: &'a str,
    pub region: &'a str,
    /// Counts the attempts of one call from 1.
    pub number: u32,
    pub writes: bool,
}

type Where = Arc<dyn Fn(&Attempt<'_>) -> bool + Send + Sync>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lasts {
    Always,
    /// The first attempts of every call.
    OfEachCall(u32),
    /// So many attempts altogether.
    Altogether(u64),
}

/// One kind of trouble, where and for how long.
#[derive(Clone)]
pub struct Front {
    trouble: Trouble,
    place: Where,
    lasts: Lasts,
    met: u64,
}

impl fmt::Debug for Front {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {:?}, met {} times", self.trouble, self.lasts, self.met)
    }
}

impl Front {
    /// Everywhere and always, until narrowed.
    pub fn new(trouble: Trouble) -> Self {
        Self { trouble, place: Arc::new(|_| true), lasts: Lasts::Always, met: 0 }
    }

    /// Only where `place` says so. Said twice, both must.
    pub fn at(mut self, place: impl Fn(&Attempt<'_>) -> bool + Send + Sync + 'static) -> Self {
        let before = self.place;
        self.place = Arc::new(move |attempt| before(attempt) && place(attempt));
        self
    }

    /// Only this call: `guardduty:UpdateDetector`.
    pub fn on(self, call: &str) -> Self {
        let (service, operation) = call.split_once(':').unwrap_or((call, "*"));
        let (service, operation) = (service.to_owned(), operation.to_owned());
        self.at(move |a| a.service == service && (operation == "*" || a.operation == operation))
    }

    /// Only the first `n` attempts of each call.
    pub fn first_attempts(self, n: u32) -> Self {
        Self { lasts: Lasts::OfEachCall(n), ..self }
    }

    /// Only `n` attempts altogether.
    pub fn times(self, n: u64) -> Self {
        Self { lasts: Lasts::Altogether(n), ..self }
    }

    fn meets(&mut self, attempt: &Attempt<'_>) -> bool {
        let still = match self.lasts {
            Lasts::Always => true,
            Lasts::OfEachCall(n) => attempt.number <= n,
            Lasts::Altogether(n) => self.met < n,
        };
        let met = still && (self.place)(attempt);
        self.met += u64::from(met);
        met
    }
}

/// A published request rate: a token bucket for each account, region and service, or one operation of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Rate {
    pub service: &'static str,
    pub operation: Option<&'static str>,
    pub per_second: f64,
    pub burst: f64,
}

/// How far reads lag behind writes of the same service in the same account. S3 never lags (S3 User Guide,
/// "Amazon S3 data consistency model").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lag {
    /// So many reads after a write still see what was before it.
    Reads(u32),
    /// Reads see what was before a write for so long.
    For(Duration),
}

/// The settings; [`Weather::fair`] is no weather at all.
#[derive(Clone, Debug, Default)]
pub struct Weather {
    pub latency: Duration,
    /// Added to the latency, between nothing and this, the same in every run.
    pub jitter: Duration,
    pub fronts: Vec<Front>,
    pub rates: Vec<Rate>,
    pub lag: Option<Lag>,
    /// After so many writes have landed, counted from now, every call fails as though the process were gone.
    pub stop_after_writes: Option<u64>,
}

impl Weather {
    pub fn fair() -> Self {
        Self::default()
    }

    pub fn latency(self, latency: Duration) -> Self {
        Self { latency, ..self }
    }

    pub fn with(mut self, front: Front) -> Self {
        self.fronts.push(front);
        self
    }

    pub fn lag(self, lag: Lag) -> Self {
        Self { lag: Some(lag), ..self }
    }

    pub fn stop_after_writes(self, writes: u64) -> Self {
        Self { stop_after_writes: Some(writes), ..self }
    }

    /// Enforces these request rates.
    pub fn rates(self, rates: Vec<Rate>) -> Self {
        Self { rates, ..self }
    }
}

/// What reads still see.
#[derive(Debug)]
pub(super) struct Stale {
    pub account: Account,
    reads_left: u32,
    until: Option<Timestamp>,
}

/// The settings and what they have brought about so far.
#[derive(Debug, Default)]
pub(super) struct Sky {
    pub weather: Weather,
    /// Writes landed under these settings.
    writes: u64,
    drops: u64,
    levels: HashMap<(usize, String, String), (f64, Timestamp)>,
    stale: HashMap<(String, &'static str), Stale>,
}

impl Sky {
    pub fn new(weather: Weather) -> Self {
        Self { weather, ..Self::default() }
    }

    /// The way to the service and back, for the next call.
    pub fn delay(&mut self) -> Duration {
        if self.weather.jitter.is_zero() {
            return self.weather.latency;
        }
        self.drops = self.drops.wrapping_add(1);
        let part = self.drops.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 48;
        self.weather.latency + self.weather.jitter.mul_f64(part as f64 / 65536.0)
    }

    pub fn stopped(&self) -> bool {
        self.weather.stop_after_writes.is_some_and(|writes| self.writes >= writes)
    }

    pub fn wrote(&mut self) {
        self.writes += 1;
    }

    /// The first front that this attempt meets.
    pub fn trouble(&mut self, attempt: &Attempt<'_>) -> Option<Trouble> {
        self.weather.fronts.iter_mut().find_map(|front| front.meets(attempt).then_some(front.trouble))
    }

    /// Takes a token from every bucket that the attempt falls under; false when one is empty.
    pub fn within_rates(&mut self, attempt: &Attempt<'_>, now: Timestamp) -> bool {
        let levels = &mut self.levels;
        self.weather.rates.iter().enumerate().all(|(index, rate)| {
            let applies = rate.service == attempt.service
                && rate.operation.is_none_or(|name| name == attempt.operation);
            if !applies {
                return true;
            }
            let key = (index, attempt.account.to_owned(), attempt.region.to_owned());
            let (level, at) = levels.entry(key).or_insert((rate.burst, now));
            let elapsed = now.duration_since(*at).as_secs_f64().max(0.0);
            *level = (*level + elapsed * rate.per_second).min(rate.burst);
            *at = now;
            let enough = *level >= 1.0;
            *level -= f64::from(u8::from(enough));
            enough
        })
    }

    /// Whether a snapshot must be kept before a write.
    pub fn lags(&self, service: &str) -> bool {
        self.weather.lag.is_some() && service != "s3"
    }

    pub fn keep(&mut self, account: Account, service: &'static str, now: Timestamp) {
        let Some(lag) = self.weather.lag else { return };
        let (reads_left, until) = match lag {
            Lag::Reads(reads) => (reads, None),
            Lag::For(time) => (0, now.checked_add(time).ok()),
        };
        self.stale.insert((account.id.clone(), service), Stale { account, reads_left, until });
    }

    /// What a read of this service in this account still sees, when that is not the present.
    pub fn stale(&mut self, account: &str, service: &'static str, now: Timestamp) -> Option<&Account> {
        if self.stale.is_empty() {
            return None;
        }
        let stale = self.stale.get_mut(&(account.to_owned(), service))?;
        let late = stale.until.is_some_and(|until| now < until) || stale.reads_left > 0;
        stale.reads_left = stale.reads_left.saturating_sub(1);
        late.then_some(&stale.account)
    }
}
