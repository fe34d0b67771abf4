//! The AWS edge: the only place that names `aws_config`, and the only one that opens sessions.
//!
//! One SDK client for each service and region serves every account: the session travels with the call
//! ([`edge`]). Making a client costs about 100 µs and 17 KiB, so a thousand accounts would pay more for
//! clients than for calls.

mod account_host;
#[cfg(test)]
pub(crate) mod canned;
mod client;
#[cfg(feature = "otlp")]
pub mod collector;
mod connect;
pub mod edge;
mod error;
pub mod history;
pub mod iam;
mod identity;
pub mod journal;
mod lease;
pub mod limits;
pub mod organization;
pub mod securityhub;
mod session;
pub mod simulate;
pub mod web;

use std::sync::Arc;

use aws_smithy_runtime::client::retries::RetryPartition;
use aws_smithy_runtime_api::client::auth::SharedAuthScheme;
use aws_smithy_runtime_api::client::interceptors::SharedInterceptor;

pub use client::{Clients, Reader, SharedReads, Writer};
pub use connect::{ConnectError, Connection, sdk_config};
pub use error::fault;
pub use identity::Identity;
pub use lease::{LEFT_TO_WRITE, Lease, Moment};
pub use session::{Role, Session};

use crate::call::{Call, Calls};
use crate::fault::{Fault, FaultKind};
use crate::place::{AccountId, Region, Scope};
use edge::{Context, Edge, SessionAuth};
use identity::identity;
use journal::{Journal, Purpose};
use limits::Limits;

/// Everything that reaches AWS. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Aws(Arc<Inner>, Holds);

/// Which roles may be held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holds {
    Every,
    /// Whoever holds this one opens no session of the apply role and sends no write, the audit record's neither.
    Observe,
}

#[derive(Debug)]
struct Inner {
    clients: Arc<Clients>,
    limits: Arc<Limits>,
    journal: Arc<Journal>,
    run: String,
    caller: Session,
    identity: Identity,
    endpoint: Option<String>,
    /// Where the caller was asked who it is.
    region: Region,
    /// Without one, nobody else is there to write.
    lease: Option<Lease>,
    /// The run that this one is a part of: a controller's own.
    parent: Option<String>,
}

/// Why there is no session in an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotOpened {
    Unreachable(Fault),
    /// The session answers for another account, partition or organisation. Nothing else was asked.
    Refused(String),
}

impl Aws {
    /// Connects, and asks who the caller is. `run` becomes the session name of every assumed role.
    pub async fn connect(connection: Connection, limits: Limits, run: &str) -> Result<Self, Fault> {
        let Connection { sdk, credentials, interceptors, region } = connection;
        let endpoint = sdk.endpoint_url().map(str::to_owned);
        let limits = Arc::new(limits);
        let journal = Arc::new(Journal::default());
        let edge = SharedInterceptor::permanent(Edge);
        let auth = SharedAuthScheme::new(SessionAuth::new(Arc::clone(&limits)));
        let all = std::iter::once(edge).chain(interceptors).collect();
        let clients = Arc::new(Clients::new(sdk, auth, all));

        // Who the caller is, is not known before it has been asked.
        let nobody: AccountId = "000000000000"
            .parse()
            .map_err(|error: String| Fault::local(FaultKind::Invalid, "sts:GetCallerIdentity", error))?;
        let asking = Session::caller(nobody.clone(), Purpose::Caller, credentials.clone());
        let scope = Scope { account: nobody, region: region.clone() };
        let context = Context::engine(scope, asking, partition("caller"), &[], Arc::clone(&journal));
        let identity = context.scope(identity(&clients, &region)).await?;
        let caller = Session::caller(identity.account.clone(), Purpose::Caller, credentials);
        let run = run.to_owned();
        let inner = Inner {
            clients,
            limits,
            journal,
            run,
            caller,
            identity,
            endpoint,
            region,
            lease: None,
            parent: None,
        };
        Ok(Self(Arc::new(inner), Holds::Every))
    }

    /// The same connection for another run: its sessions are named after it, and its calls stand in a journal of
    /// their own. Clients, credentials of the caller and rates are shared, so a run costs no new client. Where there
    /// is a lease, controls write only while it lasts.
    pub fn for_run(&self, run: &str, lease: Option<Lease>) -> Self {
        let inner = Inner {
            clients: Arc::clone(&self.0.clients),
            limits: Arc::clone(&self.0.limits),
            journal: Arc::default(),
            run: run.to_owned(),
            caller: self.0.caller.clone(),
            identity: self.0.identity.clone(),
            endpoint: self.0.endpoint.clone(),
            region: self.0.region.clone(),
            lease,
            parent: Some(self.0.run.clone()),
        };
        Self(Arc::new(inner), self.1)
    }

    /// The same, for reading only: from here on no session of the apply role is opened and no write is sent,
    /// whoever asks. There is no way back.
    #[must_use]
    pub fn observing(self) -> Self {
        Self(self.0, Holds::Observe)
    }

    pub fn identity(&self) -> &Identity {
        &self.0.identity
    }

    /// The endpoint of all services, where the SDK's settings name one (`AWS_ENDPOINT_URL`).
    pub fn endpoint(&self) -> Option<&str> {
        self.0.endpoint.as_deref()
    }

    /// The region that the SDK's own settings name, or the home region.
    pub fn region(&self) -> &Region {
        &self.0.region
    }

    pub fn journal(&self) -> &Journal {
        &self.0.journal
    }

    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }

    pub fn run(&self) -> &str {
        &self.0.run
    }

    /// The run that this one is a part of: that of a controller.
    pub fn parent(&self) -> Option<&str> {
        self.0.parent.as_deref()
    }

    pub fn lease(&self) -> Option<&Lease> {
        self.0.lease.as_ref()
    }

    fn caller(&self) -> Session {
        self.0.caller.clone()
    }

    fn shared_journal(&self) -> Arc<Journal> {
        Arc::clone(&self.0.journal)
    }

    fn clients(&self) -> &Clients {
        &self.0.clients
    }

    fn retry_partition_of_caller(&self) -> RetryPartition {
        partition("caller")
    }

    /// Opens a session in `account`, and makes sure that it is that account: promise 1. `organization` is
    /// the id that the YAML names, asserted as well.
    pub async fn open(
        &self,
        account: &AccountId,
        role: &Role,
        purpose: Purpose,
        home: &Region,
        organization: Option<&str>,
    ) -> Result<Session, NotOpened> {
        if purpose == Purpose::Apply && self.1 == Holds::Observe {
            return Err(NotOpened::Refused("this command observes, and holds no role that writes".into()));
        }
        let session = match role {
            Role::Caller if self.0.identity.account == *account => {
                Session::renamed(&self.0.caller, account.clone(), purpose)
            }
            Role::Caller => {
                return Err(NotOpened::Refused(format!(
                    "the caller's credentials are for account {}, and the YAML names no roles to assume",
                    self.0.identity.account
                )));
            }
            Role::Assumed { name, external_id } => {
                let arn = format!("arn:{}:iam::{account}:role/{name}", home.partition());
                Session::assumed(self, account.clone(), purpose, arn, external_id.clone(), home.clone())
            }
        };
        session.credentials().await.map_err(NotOpened::Unreachable)?;
        let reader = self.engine_reader(&session, home);
        reader.run(self.assert_place(&reader, account, home, organization)).await?;
        Ok(session)
    }

    async fn assert_place(
        &self,
        reader: &Reader,
        account: &AccountId,
        home: &Region,
        organization: Option<&str>,
    ) -> Result<(), NotOpened> {
        let identity = identity(&self.0.clients, home).await.map_err(NotOpened::Unreachable)?;
        if identity.account != *account {
            return Err(NotOpened::Refused(format!(
                "the session answers for account {}, not {account}",
                identity.account
            )));
        }
        if identity.partition() != home.partition() {
            return Err(NotOpened::Refused(format!(
                "the session is in partition {}, but {home} is in {}",
                identity.partition(),
                home.partition()
            )));
        }
        let Some(expected) = organization else { return Ok(()) };
        match organization::id(reader).await.map_err(NotOpened::Unreachable)? {
            Some(live) if live == expected => Ok(()),
            Some(live) => Err(NotOpened::Refused(format!(
                "the account belongs to organisation {live}, and the YAML says {expected}"
            ))),
            None => Err(NotOpened::Refused(format!(
                "the account belongs to no organisation, and the YAML says {expected}"
            ))),
        }
    }

    /// The caller's own session, for what belongs to no control: the roster and the audit record.
    pub fn caller_reader(&self, region: &Region) -> Reader {
        self.engine_reader(&self.0.caller, region)
    }

    /// Asks again who the caller is: do its credentials still work?
    ///
    /// # Errors
    ///
    /// The fault, or that the credentials are somebody else's by now.
    pub async fn asks_itself(&self) -> Result<(), Fault> {
        let region = &self.0.region;
        let identity = self.caller_reader(region).run(identity(&self.0.clients, region)).await?;
        if identity.account == self.0.identity.account {
            return Ok(());
        }
        let other = format!("the credentials are of account {} by now", identity.account);
        Err(Fault::local(FaultKind::Denied, "sts:GetCallerIdentity", other))
    }

    /// A session for the engine's own reads: facts, things, the roster.
    pub fn engine_reader(&self, session: &Session, region: &Region) -> Reader {
        let scope = Scope { account: session.account().clone(), region: region.clone() };
        let (session, retries, writes) = (session.clone(), partition("engine"), self.engine_writes(session));
        let context = Context::engine(scope.clone(), session, retries, writes, self.shared_journal());
        Reader { scope, clients: Arc::clone(&self.0.clients), context, shared: SharedReads::default() }
    }

    /// Only the caller's session may write for the engine, and only the audit record.
    fn engine_writes(&self, session: &Session) -> &'static [Call] {
        let may = session.purpose() == Purpose::Caller && self.1 == Holds::Every;
        if may { edge::ENGINE_WRITES } else { &[] }
    }

    /// A session for one control's reads in one scope.
    pub fn reader(
        &self,
        session: &Session,
        scope: &Scope,
        calls: impl Into<Calls>,
        place: &InScope,
    ) -> Reader {
        let calls = calls.into();
        let context = Arc::new(Context {
            scope: Arc::new(scope.clone()),
            session: session.clone(),
            by: calls.by,
            reads: calls.reads,
            writes: &[],
            partition: place.retries.clone(),
            journal: self.shared_journal(),
            lease: None,
        });
        let clients = Arc::clone(&self.0.clients);
        Reader { scope: scope.clone(), clients, context, shared: place.shared.clone() }
    }

    /// A session for one control's writes in one scope. Its reads are allowed as well: ids, ETags and lock
    /// tokens are looked up when a step runs. With any session but one of the apply role no write is sent.
    pub fn writer(
        &self,
        session: &Session,
        scope: &Scope,
        calls: impl Into<Calls>,
        place: &InScope,
    ) -> Writer {
        let calls = calls.into();
        let context = Arc::new(Context {
            scope: Arc::new(scope.clone()),
            session: session.clone(),
            by: calls.by,
            reads: calls.reads,
            writes: if session.purpose() == Purpose::Apply { calls.writes } else { &[] },
            partition: place.retries.clone(),
            journal: self.shared_journal(),
            lease: self.0.lease.clone(),
        });
        Writer { scope: scope.clone(), clients: Arc::clone(&self.0.clients), context }
    }
}

/// What all controls of one scope share while it is looked at.
#[derive(Clone, Debug)]
pub struct InScope {
    /// What several controls need, read once.
    shared: SharedReads,
    /// The scope's own retry quota: one throttled account does not drain the others'.
    retries: RetryPartition,
}

impl InScope {
    pub fn new() -> Self {
        Self { shared: SharedReads::default(), retries: partition("scope") }
    }
}

impl Default for InScope {
    fn default() -> Self {
        Self::new()
    }
}

fn partition(name: &str) -> RetryPartition {
    RetryPartition::custom(name.to_owned()).build()
}

/// An SDK configuration without anything from the environment, for the sandbox.
#[cfg(feature = "sandbox")]
pub fn bare_sdk_config(http: aws_smithy_runtime_api::client::http::SharedHttpClient) -> aws_types::SdkConfig {
    connect::base().http_client(http).build()
}
