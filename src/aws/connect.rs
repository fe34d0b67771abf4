//! From the environment to an SDK configuration. Every setting is the SDK's own: profiles, SSO,
//! `AWS_ENDPOINT_URL`, IMDS, ECS and EKS roles, proxies, `AWS_CA_BUNDLE`. No flag of ours replaces one of theirs.

use std::path::PathBuf;
use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, Connector, proxy::ProxyConfig};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::interceptors::SharedInterceptor;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;

use crate::place::Region;

/// How AWS is reached: configuration, credentials, and what stands between clients and network.
#[derive(Debug)]
pub struct Connection {
    pub sdk: SdkConfig,
    pub credentials: SharedCredentialsProvider,
    /// Run on every call after the edge's own: the sandbox answers here.
    pub interceptors: Vec<SharedInterceptor>,
    /// Where the caller is asked who it is.
    pub region: Region,
}

#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error("cannot read `{path}`, which AWS_CA_BUNDLE names")]
    CaBundle { path: PathBuf, source: std::io::Error },
    #[error("the certificates of `{path}` cannot be used")]
    Certificates { path: PathBuf, source: Box<dyn std::error::Error + Send + Sync> },
    #[error("no credentials were found")]
    #[doc = "None of the places in which the SDK looks holds any."]
    NoCredentials,
}

/// Retries, time-outs and behaviour, the same for all clients.
///
/// No attempt time-out: an attempt waits for its place within the published rate before it is sent. Connecting
/// and reading each have theirs.
#[cfg(any(test, feature = "sandbox"))]
pub(super) fn base() -> aws_types::sdk_config::Builder {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .retry_config(retries())
        .timeout_config(timeouts())
        .sleep_impl(aws_smithy_async::rt::sleep::SharedAsyncSleep::new(
            aws_smithy_async::rt::sleep::TokioSleep::new(),
        ))
        .time_source(aws_smithy_async::time::SharedTimeSource::new(
            aws_smithy_async::time::SystemTimeSource::new(),
        ))
}

/// Standard retries, three attempts. Backing off longer than a call lasts is the caller's business.
fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(3)
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_millis(3_100))
        .read_timeout(Duration::from_secs(30))
        .build()
}

/// Reads the environment and the shared configuration files. `home` is used where they name no region.
pub async fn sdk_config(home: &Region) -> Result<Connection, ConnectError> {
    let http = http_client()?;
    let sdk = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(http)
        .retry_config(retries())
        .timeout_config(timeouts())
        .load()
        .await;
    let credentials = sdk.credentials_provider().ok_or(ConnectError::NoCredentials)?;
    let region = sdk.region().map_or_else(|| home.clone(), |region| Region::new(region.as_ref()));
    Ok(Connection { sdk, credentials, interceptors: Vec::new(), region })
}

/// One client for all connections, with proxies from the environment and a private CA bundle: the SDK's
/// default has neither.
fn http_client() -> Result<SharedHttpClient, ConnectError> {
    let tls = certificates()?;
    Ok(Builder::new().build_with_connector_fn(move |settings, components| {
        let mut connector = Connector::builder()
            .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
            .tls_context(tls.clone())
            .proxy_config(ProxyConfig::from_env());
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(|components| components.sleep_impl()));
        connector.build()
    }))
}

/// Whose certificates are trusted: the system's, and those of AWS_CA_BUNDLE.
#[expect(
    clippy::disallowed_methods,
    reason = "the SDK's own settings; this one is not among those that it reads itself"
)]
pub(super) fn certificates() -> Result<TlsContext, ConnectError> {
    Ok(match std::env::var_os("AWS_CA_BUNDLE").map(PathBuf::from) {
        Some(path) => {
            let pem = std::fs::read(&path)
                .map_err(|source| ConnectError::CaBundle { path: path.clone(), source })?;
            let store = TrustStore::default().with_pem_certificate(pem);
            TlsContext::builder()
                .with_trust_store(store)
                .build()
                .map_err(|error| ConnectError::Certificates { path, source: Box::new(error) })?
        }
        None => TlsContext::default(),
    })
}
