//! What happens around every call: whose it is, whether it is allowed, when it may go, and what came of it.
//!
//! The context of a call travels as a task-local, because one SDK client serves all accounts. A call
//! outside [`Context::scope`] has no session, and is refused: a mistake fails closed.

use std::sync::Arc;
use std::time::Instant;

use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4Signer};
use aws_smithy_runtime::client::retries::RetryPartition;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::auth::{AuthScheme, AuthSchemeId, Sign};
use aws_smithy_runtime_api::client::identity::{
    Identity, IdentityCacheLocation, IdentityFuture, ResolveIdentity, SharedIdentityResolver,
};
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeSerializationInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::retries::RequestAttempts;
use aws_smithy_runtime_api::client::runtime_components::{GetIdentityResolver, RuntimeComponents};
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};
use aws_smithy_types::retry::RetryConfig;

use super::journal::{Ending, Entry, Journal};
use super::lease::Lease;
use super::limits::Limits;
use super::session::Session;
use crate::call::{Call, Retry};
use crate::fault::{Fault, FaultKind};
use crate::place::Scope;

tokio::task_local! {
    static CONTEXT: Arc<Context>;
}

/// Who calls, where, and what may be called.
#[derive(Debug)]
pub struct Context {
    pub scope: Arc<Scope>,
    pub session: Session,
    /// The control that asks, or `engine`.
    pub by: &'static str,
    pub reads: &'static [Call],
    /// Empty for readers.
    pub writes: &'static [Call],
    pub partition: RetryPartition,
    /// Where the calls are written down: the journal of the run that makes them.
    pub journal: Arc<Journal>,
    /// Until when writes may be sent; without one, always.
    pub lease: Option<Lease>,
}

impl Context {
    /// Runs `calls` with this context: every SDK call inside goes to its account, with its session.
    pub async fn scope<F: Future>(self: &Arc<Self>, calls: F) -> F::Output {
        CONTEXT.scope(Arc::clone(self), calls).await
    }

    fn allowed(&self, service: &str, operation: &str) -> Option<(&'static Call, bool)> {
        let named = |call: &&Call| call.operation.split_once(':') == Some((service, operation));
        let read = self.reads.iter().find(named).map(|call| (call, false));
        read.or_else(|| self.writes.iter().find(named).map(|call| (call, true)))
    }
}

/// The IAM prefix of a service, from the name that the SDK gives it.
fn prefix(service: &str) -> &'static str {
    match service {
        "API Gateway" => "apigateway",
        "Account" => "account",
        "AppRunner" => "apprunner",
        "AppSync" => "appsync",
        "CloudTrail" => "cloudtrail",
        "CloudWatch" => "cloudwatch",
        "CloudWatch Logs" => "logs",
        "Cognito Identity Provider" => "cognito-idp",
        "Config Service" => "config",
        "EC2" => "ec2",
        "ECR" => "ecr",
        "Elastic Load Balancing v2" => "elasticloadbalancing",
        "EventBridge" => "events",
        "GuardDuty" => "guardduty",
        "IAM" => "iam",
        "Inspector2" => "inspector2",
        "KMS" => "kms",
        "Organizations" => "organizations",
        "S3" => "s3",
        "S3 Control" => "s3control",
        "SNS" => "sns",
        "SQS" => "sqs",
        "STS" => "sts",
        "SecurityHub" => "securityhub",
        "WAFV2" => "wafv2",
        _ => "unnamed",
    }
}

/// A call on its way.
#[derive(Debug)]
struct InFlight {
    context: Arc<Context>,
    service: &'static str,
    call: &'static Call,
    write: bool,
    started: Instant,
}

impl Storable for InFlight {
    type Storer = StoreReplace<Self>;
}

/// The interceptor on every client: admits a call, and writes it down when it has ended.
#[derive(Debug)]
pub(super) struct Edge;

impl Intercept for Edge {
    fn name(&self) -> &'static str {
        "Edge"
    }

    // Not the hook before execution: an operation has its name only from here on.
    fn read_before_serialization(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let context = CONTEXT.try_with(Arc::clone).map_err(|_| "a call outside a session was refused")?;
        let metadata = cfg.load::<Metadata>().ok_or("a call without an operation")?;
        let service = prefix(metadata.service());
        let Some((call, write)) = context.allowed(service, metadata.name()) else {
            return Err(format!(
                "`{service}:{}` was not sent: `{}` does not name it among its {}",
                metadata.name(),
                context.by,
                if context.writes.is_empty() { "reads" } else { "calls" },
            )
            .into());
        };
        let state = cfg.interceptor_state();
        if call.retry == Retry::Once {
            state.store_put(RetryConfig::disabled());
        }
        state.store_put(context.partition.clone());
        state.store_put(InFlight { context, service, call, write, started: Instant::now() });
        Ok(())
    }

    fn read_after_execution(
        &self,
        call: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(flight) = cfg.load::<InFlight>() else { return Ok(()) };
        let ending = match call.output_or_error() {
            Some(Ok(_)) => Ending::Answered,
            Some(Err(error)) if error.is_operation_error() => {
                Ending::Failed(call.response().map_or(0, |response| response.status().as_u16()))
            }
            _ => Ending::NoAnswer,
        };
        flight.context.journal.add(Entry {
            scope: Arc::clone(&flight.context.scope),
            by: flight.context.by,
            call: flight.call,
            write: flight.write,
            purpose: flight.context.session.purpose(),
            started: flight.started,
            took: flight.started.elapsed(),
            ending,
            attempts: cfg.load::<RequestAttempts>().map_or(1, |attempts| attempts.attempts()),
        });
        Ok(())
    }
}

/// Signature version 4 with the identity of the call's own session.
#[derive(Debug)]
pub(super) struct SessionAuth {
    signer: SigV4Signer,
    identity: SharedIdentityResolver,
}

impl SessionAuth {
    pub fn new(limits: Arc<Limits>) -> Self {
        Self { signer: SigV4Signer::new(), identity: SharedIdentityResolver::new(SessionIdentity { limits }) }
    }
}

impl AuthScheme for SessionAuth {
    fn scheme_id(&self) -> AuthSchemeId {
        SCHEME_ID
    }

    fn identity_resolver(&self, _: &dyn GetIdentityResolver) -> Option<SharedIdentityResolver> {
        Some(self.identity.clone())
    }

    fn signer(&self) -> &dyn Sign {
        &self.signer
    }
}

#[derive(Debug)]
struct SessionIdentity {
    limits: Arc<Limits>,
}

impl ResolveIdentity for SessionIdentity {
    fn resolve_identity<'a>(&'a self, _: &'a RuntimeComponents, cfg: &'a ConfigBag) -> IdentityFuture<'a> {
        IdentityFuture::new(async move {
            let flight = cfg.load::<InFlight>().ok_or("a call outside a session was refused")?;
            let scope = &flight.context.scope;
            let operation = flight.call.operation.split_once(':').map_or("", |(_, name)| name);
            self.limits.wait(&scope.account, &scope.region, flight.service, operation, flight.write).await;
            let credentials = flight.context.session.credentials().await?;
            // Last of all: whatever was waited for, this attempt is sent now.
            if flight.write && flight.context.lease.as_ref().is_some_and(|lease| !lease.lets_write()) {
                return Err(Fault::local(FaultKind::Conflict, flight.call.operation, LEASE_OVER).into());
            }
            Ok(Identity::from(credentials))
        })
    }

    /// Sessions keep their own credentials: the SDK's cache knows one identity for a client, not one for
    /// each account.
    fn cache_location(&self) -> IdentityCacheLocation {
        IdentityCacheLocation::IdentityResolver
    }
}

/// The calls that the engine makes itself, besides those that controls name.
pub const ENGINE_READS: &[Call] = &[
    // Allowed to everybody, always.
    Call::new("sts:GetCallerIdentity"),
    Call::new("sts:AssumeRole"),
    Call::new("account:ListRegions"),
    Call::new("organizations:DescribeOrganization"),
    Call::new("organizations:ListAccounts"),
    Call::new("organizations:ListRoots"),
    Call::new("organizations:ListOrganizationalUnitsForParent"),
    Call::new("organizations:ListAccountsForParent"),
    Call::new("organizations:ListTagsForResource"),
    Call::new("kms:DescribeKey"),
    Call::new("iam:GetRole"),
    Call::new("iam:SimulatePrincipalPolicy"),
    Call::new("logs:DescribeLogGroups"),
    Call::new("sns:GetTopicAttributes"),
    Call::new("config:DescribeConfigurationRecorderStatus"),
    Call::new("securityhub:DescribeHub"),
    Call::new("securityhub:GetConfigurationPolicyAssociation"),
    Call::new("securityhub:ListFindingAggregators"),
    Call::new("securityhub:ListOrganizationAdminAccounts"),
    Call::new("organizations:ListDelegatedAdministrators"),
    Call::new("organizations:ListAWSServiceAccessForOrganization"),
    Call::new("guardduty:ListOrganizationAdminAccounts"),
    Call::new("inspector2:ListDelegatedAdminAccounts"),
    Call::new("guardduty:ListDetectors"),
    Call::new("wafv2:ListWebACLs"),
    Call::new(super::history::LOOK_UP),
    Call::needing("s3:HeadBucket", &["s3:ListBucket"]),
    Call::new("s3:GetBucketPolicy"),
    Call::needing("s3:ListObjectsV2", &["s3:ListBucket"]),
    Call::new("s3:GetObject"),
    Call::new("sqs:GetQueueAttributes"),
];

/// What only the caller's own credentials are for: the audit record in a bucket, signatures of plans, telling people,
/// and the queues of a controller.
pub const ENGINE_WRITES: &[Call] = &[
    Call::new("s3:PutObject"),
    Call::new("kms:Sign"),
    Call::new("kms:Verify"),
    Call::new("sns:Publish"),
    Call::new("sqs:SendMessage"),
    Call::new("sqs:ReceiveMessage"),
    Call::new("sqs:DeleteMessage"),
    Call::new("sqs:ChangeMessageVisibility"),
];

/// Why a write was not sent.
const LEASE_OVER: &str =
    "not sent: less than 30 s are left in which no other replica may write to the account";

impl Context {
    /// A context for the engine's own calls; `writes` are none, or what the caller's own credentials are for.
    pub(super) fn engine(
        scope: Scope,
        session: Session,
        partition: RetryPartition,
        writes: &'static [Call],
        journal: Arc<Journal>,
    ) -> Arc<Self> {
        Arc::new(Self {
            scope: Arc::new(scope),
            session,
            by: "engine",
            reads: ENGINE_READS,
            writes,
            partition,
            journal,
            lease: None,
        })
    }
}
