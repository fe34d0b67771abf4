//! Sessions: credentials of one role in one account, cached and renewed.
//!
//! Our own provider rather than the SDK's: that one makes an STS client of its own, which no interceptor
//! sees, and names its sessions at random. Here the run id is the session name, so CloudTrail shows which
//! run made which call.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};

use super::edge::Context;
use super::error::in_words;
use super::journal::Purpose;
use super::{Aws, fault};
use crate::fault::{Fault, FaultKind};
use crate::place::{AccountId, Region, Scope};

/// Credentials are renewed this long before they expire, so that no step begins with ones that end midway.
const RENEW_BEFORE: Duration = Duration::from_secs(300);

/// The role that a session assumes, or the caller's own credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    Caller,
    Assumed { name: String, external_id: Option<String> },
}

/// One role in one account. Cheap to clone; clones share their credentials.
#[derive(Clone)]
pub struct Session(Arc<Inner>);

struct Inner {
    account: AccountId,
    purpose: Purpose,
    source: Source,
    cached: Mutex<Option<Credentials>>,
    /// One renewal at a time.
    renewing: tokio::sync::Mutex<()>,
}

enum Source {
    Caller(SharedCredentialsProvider),
    Role { aws: Aws, arn: String, external_id: Option<String>, region: Region },
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("account", &self.0.account).field("purpose", &self.0.purpose).finish()
    }
}

impl Session {
    /// The credentials that the program was started with. `account` is what they are expected to be for.
    pub(super) fn caller(account: AccountId, purpose: Purpose, provider: SharedCredentialsProvider) -> Self {
        Self::new(account, purpose, Source::Caller(provider))
    }

    pub(super) fn assumed(
        aws: &Aws,
        account: AccountId,
        purpose: Purpose,
        arn: String,
        external_id: Option<String>,
        region: Region,
    ) -> Self {
        Self::new(account, purpose, Source::Role { aws: aws.clone(), arn, external_id, region })
    }

    /// The same credentials, for another duty: where the YAML names no roles, the caller's own serve all.
    pub(super) fn renamed(caller: &Self, account: AccountId, purpose: Purpose) -> Self {
        match &caller.0.source {
            Source::Caller(provider) => Self::caller(account, purpose, provider.clone()),
            Source::Role { .. } => caller.clone(),
        }
    }

    fn new(account: AccountId, purpose: Purpose, source: Source) -> Self {
        Self(Arc::new(Inner {
            account,
            purpose,
            source,
            cached: Mutex::default(),
            renewing: tokio::sync::Mutex::default(),
        }))
    }

    pub fn account(&self) -> &AccountId {
        &self.0.account
    }

    pub fn purpose(&self) -> Purpose {
        self.0.purpose
    }

    fn fresh(&self) -> Option<Credentials> {
        let cached = self.0.cached.lock().unwrap_or_else(PoisonError::into_inner);
        let credentials = cached.as_ref()?;
        let lasts = credentials.expiry().is_none_or(|end| end > SystemTime::now() + RENEW_BEFORE);
        lasts.then(|| credentials.clone())
    }

    /// Credentials that are good for at least five more minutes.
    pub async fn credentials(&self) -> Result<Credentials, Fault> {
        if let Some(credentials) = self.fresh() {
            return Ok(credentials);
        }
        let _one = self.0.renewing.lock().await;
        if let Some(credentials) = self.fresh() {
            return Ok(credentials);
        }
        let credentials = match &self.0.source {
            Source::Caller(provider) => provider.provide_credentials().await.map_err(|error| {
                Fault::local(
                    FaultKind::Unavailable,
                    "sts:GetCallerIdentity",
                    format!("no credentials: {}", in_words(&error)),
                )
            })?,
            Source::Role { aws, arn, external_id, region } => {
                // On the heap, because hardly any call comes here: inside, it would make room for itself in all.
                Box::pin(assume(aws, arn, external_id.as_deref(), region)).await?
            }
        };
        *self.0.cached.lock().unwrap_or_else(PoisonError::into_inner) = Some(credentials.clone());
        Ok(credentials)
    }
}

/// `sts:AssumeRole` with the caller's own credentials, at the regional endpoint.
async fn assume(
    aws: &Aws,
    arn: &str,
    external_id: Option<&str>,
    region: &Region,
) -> Result<Credentials, Fault> {
    let caller = aws.caller();
    let scope = Scope { account: caller.account().clone(), region: region.clone() };
    let (partition, journal) = (aws.retry_partition_of_caller(), aws.shared_journal());
    let context = Context::engine(scope, caller, partition, &[], journal);
    let call = aws
        .clients()
        .sts(region)
        .assume_role()
        .role_arn(arn)
        .role_session_name(aws.run())
        .set_external_id(external_id.map(str::to_owned));
    let answer = context.scope(call.send()).await.map_err(fault("sts:AssumeRole"))?;
    let Some(given) = answer.credentials else {
        return Err(Fault::local(FaultKind::Invalid, "sts:AssumeRole", "the answer holds no credentials"));
    };
    let expiry = SystemTime::try_from(given.expiration).map_err(|error| {
        Fault::local(FaultKind::Invalid, "sts:AssumeRole", format!("the expiry cannot be read: {error}"))
    })?;
    Ok(Credentials::new(
        given.access_key_id,
        given.secret_access_key,
        Some(given.session_token),
        Some(expiry),
        "baseline",
    ))
}
