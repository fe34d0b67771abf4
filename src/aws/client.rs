//! Clients, and sessions in one scope: a [`Reader`] for the observe role, a [`Writer`] for the apply role.

use std::any::Any;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::client::auth::SharedAuthScheme;
use aws_smithy_runtime_api::client::interceptors::SharedInterceptor;
use aws_types::SdkConfig;
use tokio::sync::OnceCell;

use super::edge::Context;
use crate::fault::{Fault, FaultKind};
use crate::place::{Region, Scope};

/// SDK clients, made when first used: one for each service and region, shared by all accounts.
pub struct Clients {
    sdk: SdkConfig,
    auth: SharedAuthScheme,
    interceptors: Vec<SharedInterceptor>,
    made: Mutex<Made>,
}

/// By service and region; each value is that service's own client type.
type Made = HashMap<(&'static str, Region), Box<dyn Any + Send>>;

impl fmt::Debug for Clients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clients")
    }
}

impl Clients {
    pub(super) fn new(sdk: SdkConfig, auth: SharedAuthScheme, interceptors: Vec<SharedInterceptor>) -> Self {
        Self { sdk, auth, interceptors, made: Mutex::default() }
    }

    fn get<C: Clone + Send + 'static>(
        &self,
        service: &'static str,
        region: &Region,
        make: impl FnOnce() -> C,
    ) -> C {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let client = made.entry((service, region.clone())).or_insert_with(|| Box::new(make()));
        client.downcast_ref::<C>().expect("each service has one client type").clone()
    }
}

/// The services that controls and engine call. A new one is a line here, and a line in `edge::prefix`. What
/// stands behind `with` changes the configuration.
macro_rules! services {
    ($($service:ident: $sdk:ident $(with $change:path)?,)*) => {
        impl Clients {
            $(pub fn $service(&self, region: &Region) -> $sdk::Client {
                self.get(stringify!($service), region, || {
                    let mut config = $sdk::config::Builder::from(&self.sdk)
                        .region(aws_types::region::Region::new(region.as_str().to_owned()))
                        .push_auth_scheme(self.auth.clone());
                    $(config = $change(config);)?
                    for interceptor in &self.interceptors {
                        config.push_interceptor(interceptor.clone());
                    }
                    $sdk::Client::from_conf(config.build())
                })
            })*
        }

        impl Reader {
            $(pub fn $service(&self) -> $sdk::Client {
                self.clients.$service(&self.scope.region)
            })*
        }

        impl Writer {
            $(pub fn $service(&self) -> $sdk::Client {
                self.clients.$service(&self.scope.region)
            })*
        }
    };
}

services! {
    account: aws_sdk_account,
    apigateway: aws_sdk_apigateway,
    apprunner: aws_sdk_apprunner,
    appsync: aws_sdk_appsync,
    cloudtrail: aws_sdk_cloudtrail,
    cloudwatch: aws_sdk_cloudwatch,
    cognito: aws_sdk_cognitoidentityprovider,
    config: aws_sdk_config,
    ec2: aws_sdk_ec2,
    ecr: aws_sdk_ecr,
    elb: aws_sdk_elasticloadbalancingv2,
    events: aws_sdk_eventbridge,
    guardduty: aws_sdk_guardduty,
    iam: aws_sdk_iam,
    inspector: aws_sdk_inspector2,
    kms: aws_sdk_kms,
    logs: aws_sdk_cloudwatchlogs,
    organizations: aws_sdk_organizations,
    s3: aws_sdk_s3,
    s3control: aws_sdk_s3control with super::account_host::as_written,
    securityhub: aws_sdk_securityhub,
    sns: aws_sdk_sns,
    sqs: aws_sdk_sqs,
    sts: aws_sdk_sts,
    waf: aws_sdk_wafv2,
}

/// The observe role's session in one scope. It has no way to write: a call that the control's `META.reads`
/// does not name is refused before it is sent.
#[derive(Clone, Debug)]
pub struct Reader {
    pub scope: Scope,
    pub(super) clients: Arc<Clients>,
    pub(super) context: Arc<Context>,
    pub(super) shared: SharedReads,
}

/// The apply role's session in one scope.
#[derive(Clone, Debug)]
pub struct Writer {
    pub scope: Scope,
    pub(super) clients: Arc<Clients>,
    pub(super) context: Arc<Context>,
}

impl Reader {
    /// S3 in another region: a bucket answers only where it is. The calls stay this scope's in the journal and
    /// in the rate limits.
    pub fn s3_in(&self, region: &Region) -> aws_sdk_s3::Client {
        self.clients.s3(region)
    }

    /// Runs calls in this scope, with this session. The engine does this around everything that it lets a
    /// control do.
    pub async fn run<F: Future>(&self, calls: F) -> F::Output {
        self.context.scope(calls).await
    }

    /// Reads something once for this scope, however many controls ask: the first asker's call answers all.
    /// `name` is the operation, `iam:GetAccountSummary`.
    pub async fn shared<T, F>(&self, name: &'static str, read: F) -> Result<Arc<T>, Fault>
    where
        T: Send + Sync + 'static,
        F: Future<Output = Result<T, Fault>> + Send,
    {
        let cell = {
            let mut cells = self.shared.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(cells.entry(name).or_default())
        };
        let answer = cell
            .get_or_init(|| async { read.await.map(|value| Arc::new(value) as Arc<dyn Any + Send + Sync>) })
            .await;
        Arc::clone(answer.as_ref().map_err(Fault::clone)?)
            .downcast()
            .map_err(|_| Fault::local(FaultKind::Invalid, name, "read as two different types"))
    }
}

impl Writer {
    /// As [`Reader::run`].
    pub async fn run<F: Future>(&self, calls: F) -> F::Output {
        self.context.scope(calls).await
    }
}

type Answer = Result<Arc<dyn Any + Send + Sync>, Fault>;
type Answers = HashMap<&'static str, Arc<OnceCell<Answer>>>;

/// What several controls of one scope need, read once.
#[derive(Clone, Debug, Default)]
pub struct SharedReads(Arc<Mutex<Answers>>);
