//! AWS in memory: an organisation of accounts for `baseline demo`, tests and benches.
//!
//! A [`World`] is typed. Ordinary SDK clients are built with its [interceptor](World::interceptor) and its
//! [HTTP client](World::http_client); the SDK still builds, validates and signs each request, and the world
//! finds out from the signature who calls and in which region. So a client with the wrong credentials meets the
//! wrong account, exactly as in AWS.
//!
//! The rule of every file below: **stricter than AWS, never kinder**. Each handler names the source of what it
//! does; a rule without a source may only make the world stricter. An operation without a handler is an error
//! that names it.
//!
//! | file | what |
//! | --- | --- |
//! | `wire` | the interceptor, the network, errors as HTTP |
//! | `signature` | who signed a request, and whether that key is good |
//! | `operation` | the table of operations, the shape of a handler |
//! | `identity` | keys, principals, what roles may do |
//! | `policy` | trust, bucket and key policies |
//! | `state` | accounts, regions, identifiers |
//! | `weather` | latency, faults, lost replies, rates, late reads |
//! | `record` | exchanges as JSON lines |
//! | `parameters` | what was asked, as CloudTrail writes it |
//! | `sample` | organisations ready to use |
//! | the rest | one service each |

pub mod account;
pub mod apigateway;
pub mod apprunner;
pub mod appsync;
pub mod cloudtrail;
pub mod cloudwatch;
pub mod cognito;
pub mod config;
pub mod ec2;
pub mod ecr;
pub mod elb;
pub mod events;
pub mod guardduty;
pub mod iam;
mod identity;
pub mod inspector;
pub mod kms;
pub mod logs;
mod operation;
pub mod organizations;
mod parameters;
mod policy;
mod record;
pub mod s3;
pub mod s3control;
pub mod sample;
pub mod securityhub;
mod signature;
pub mod sns;
pub mod sqs;
mod state;
pub mod sts;
pub mod waf;
mod weather;
mod wire;

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::interceptors::SharedInterceptor;
use jiff::Timestamp;
use tokio::time::Instant;

use crate::aws::{Connection, bare_sdk_config};
use crate::place::Region;

pub use identity::{Allows, DeniedBy, Deny, Principal};
pub use state::{Account, DEFAULT_REGIONS, OPT_IN_REGIONS, RegionState};
pub use weather::{Attempt, Front, Lag, Rate, Trouble, Weather};

/// How often an operation was asked, counting every attempt, and how often a write landed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub asked: u64,
    pub landed: u64,
}

/// An AWS partition in memory. Clones are handles to the same one.
#[derive(Clone, Debug)]
pub struct World(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    state: Mutex<state::State>,
    clock: Mutex<Clock>,
}

/// The world's time: the system's when the world was made, and tokio's from then on, so that paused time
/// pauses the world too.
#[derive(Debug)]
struct Clock {
    started: Timestamp,
    since: Instant,
    advanced: Duration,
}

impl Default for World {
    /// A world without accounts. `BASELINE_EXCHANGES` names a file that exchanges are recorded in; not those
    /// of the unit tests, which say to the world what AWS must refuse.
    #[expect(clippy::disallowed_methods, reason = "every world of a test run records, whoever makes it")]
    fn default() -> Self {
        let clock = Clock { started: Timestamp::now(), since: Instant::now(), advanced: Duration::ZERO };
        let world = Self(Arc::new(Inner { state: Mutex::default(), clock: Mutex::new(clock) }));
        if !cfg!(test)
            && let Some(path) = std::env::var_os("BASELINE_EXCHANGES")
            && let Err(error) = world.record(Path::new(&path))
        {
            tracing::warn!(%error, "exchanges are not recorded");
        }
        world
    }
}

impl World {
    /// The half of the wire that knows types. A client needs this and [`World::http_client`].
    pub fn interceptor(&self) -> SharedInterceptor {
        SharedInterceptor::new(wire::Typed)
    }

    /// The half of the wire that is the network, with the world at its end.
    pub fn http_client(&self) -> SharedHttpClient {
        SharedHttpClient::new(wire::Wire(self.clone()))
    }

    /// How the edge reaches this world, as somebody in the management account, or in the only account.
    pub fn connection(&self, region: &Region) -> Connection {
        let account = {
            let state = self.locked();
            let management = state.organization.as_ref().map(|organization| organization.management.clone());
            management.or_else(|| state.accounts.keys().next().cloned()).unwrap_or_default()
        };
        let credentials = self.caller_credentials(&account, Principal::User("jo".to_owned()));
        Connection {
            sdk: bare_sdk_config(self.http_client()),
            credentials: SharedCredentialsProvider::new(credentials),
            interceptors: vec![self.interceptor()],
            region: region.clone(),
        }
    }

    /// Issues a long-term key of `principal` in `account`.
    ///
    /// # Panics
    ///
    /// When the world has no such account.
    pub fn caller_credentials(&self, account: &str, principal: Principal) -> Credentials {
        let mut state = self.locked();
        assert!(state.accounts.contains_key(account), "the world has no account `{account}`");
        let caller = identity::Caller { account: account.to_owned(), principal, token: None, expires: None };
        identity::issue(&mut state, caller)
    }

    /// The time in this world.
    pub fn now(&self) -> Timestamp {
        let clock = self.0.clock.lock().unwrap_or_else(PoisonError::into_inner);
        clock.started + clock.since.elapsed() + clock.advanced
    }

    /// Lets time pass, for what takes time in AWS and for keys that expire. Tokio's own clock stays.
    pub fn advance(&self, by: Duration) {
        self.0.clock.lock().unwrap_or_else(PoisonError::into_inner).advanced += by;
    }

    /// Keeps what has passed on tokio's paused clock, which ends with its runtime: the next one begins with the
    /// system's time again.
    pub(crate) fn keep_time(&self) {
        let ahead = Instant::now().into_std().saturating_duration_since(std::time::Instant::now());
        self.advance(ahead);
    }

    /// Sets the weather from now on; [`Weather::fair`] ends all trouble.
    pub fn set_weather(&self, weather: Weather) {
        self.locked().sky = weather::Sky::new(weather);
    }

    /// Does something in an account as somebody else would: behind the API, seen by the next call.
    ///
    /// # Panics
    ///
    /// When the world has no such account.
    pub fn account<R>(&self, account: &str, change: impl FnOnce(&mut Account) -> R) -> R {
        let mut state = self.locked();
        let found = state.accounts.get_mut(account);
        change(found.unwrap_or_else(|| panic!("the world has no account `{account}`")))
    }

    /// The same in one region of it.
    ///
    /// # Panics
    ///
    /// When the world has no such account.
    pub fn region<R>(&self, account: &str, region: &str, change: impl FnOnce(&mut RegionState) -> R) -> R {
        self.account(account, |account| change(account.region(region)))
    }

    /// The same with the organisation, where there is one.
    pub fn organization<R>(&self, change: impl FnOnce(&mut organizations::Organization) -> R) -> Option<R> {
        self.locked().organization.as_mut().map(change)
    }

    /// The same with a bucket, whoever owns it.
    pub fn bucket<R>(&self, name: &str, change: impl FnOnce(&mut s3::Bucket) -> R) -> Option<R> {
        self.locked().buckets.get_mut(name).map(change)
    }

    /// Makes a bucket, or replaces one.
    pub fn put_bucket(&self, name: &str, bucket: s3::Bucket) {
        self.locked().buckets.insert(name.to_owned(), bucket);
    }

    /// Puts an event into CloudTrail's history, of something that happened behind the API.
    pub fn tell(&self, event: cloudtrail::Told) {
        let now = self.now();
        self.locked().history.tell(event, now);
    }

    /// An SDK configuration for somebody who calls by himself, in one region.
    ///
    /// # Panics
    ///
    /// When the world has no such account.
    pub fn sdk_config(&self, account: &str, principal: Principal, region: &str) -> aws_types::SdkConfig {
        let credentials = self.caller_credentials(account, principal);
        bare_sdk_config(self.http_client())
            .into_builder()
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .region(aws_types::region::Region::new(region.to_owned()))
            .build()
    }

    /// Adds an account without anything in it, unless it is there.
    pub fn add_account(&self, id: &str) {
        self.locked().accounts.entry(id.to_owned()).or_insert_with(|| Account::new(id));
    }

    /// How often each operation was called, by `service:Operation`.
    pub fn calls(&self) -> BTreeMap<String, Tally> {
        let state = self.locked();
        state.tally.iter().map(|((service, name), tally)| (format!("{service}:{name}"), *tally)).collect()
    }

    /// The writes that landed, by `service:Operation`; nothing else is in it.
    pub fn writes(&self) -> BTreeMap<String, u64> {
        let landed = self.calls().into_iter().map(|(call, tally)| (call, tally.landed));
        landed.filter(|(_, landed)| *landed > 0).collect()
    }

    /// Starts counting again.
    pub fn forget_calls(&self) {
        self.locked().tally.clear();
    }

    /// Appends every exchange from now on to the file at `path`, one JSON object a line.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened for writing.
    pub fn record(&self, path: &Path) -> io::Result<()> {
        let recording = record::Recording::open(path)?;
        self.locked().recording = Some(recording);
        Ok(())
    }

    /// Ends a recording: for a world that answers what AWS never would.
    pub fn stop_recording(&self) {
        self.locked().recording = None;
    }

    fn locked(&self) -> MutexGuard<'_, state::State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
