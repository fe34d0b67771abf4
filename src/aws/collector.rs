//! A collector of traces, through the SDK's own HTTP stack: its proxies, its certificates, its time-outs.
//!
//! It has a thread and a clock of its own: neither waits for what the program does, nor the program for it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_runtime_api::client::http::{HttpConnector as _, HttpConnectorSettings};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use tokio::runtime::Runtime;

use super::connect::{ConnectError, certificates};

/// Until there is a connection.
const CONNECTS_WITHIN: Duration = Duration::from_secs(3);
/// Until the whole answer is there.
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);

/// Why there is no way to a collector.
#[derive(Debug, thiserror::Error)]
pub enum NoCollector {
    #[error(transparent)]
    Certificates(#[from] ConnectError),
    #[error("cannot start a thread")]
    Thread(#[from] std::io::Error),
}

/// Sends what a program of OpenTelemetry's exporter says.
pub struct Collector {
    connector: Connector,
    /// Absent only while it is being dropped.
    runtime: Option<Runtime>,
    /// Told of the first answer that is none, or no success.
    on_failure: Arc<dyn Fn(&str) + Send + Sync>,
}

impl fmt::Debug for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Collector")
    }
}

impl Collector {
    /// With the proxies and the certificates that the SDK uses.
    ///
    /// # Errors
    ///
    /// When `AWS_CA_BUNDLE` cannot be read, or there is no thread to be had.
    pub fn new(on_failure: impl Fn(&str) + Send + Sync + 'static) -> Result<Self, NoCollector> {
        let settings = HttpConnectorSettings::builder()
            .connect_timeout(CONNECTS_WITHIN)
            .read_timeout(ANSWERS_WITHIN)
            .build();
        let connector = Connector::builder()
            .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
            .tls_context(certificates()?)
            .proxy_config(ProxyConfig::from_env())
            .connector_settings(settings)
            .build();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("traces")
            .enable_all()
            .build()?;
        Ok(Self { connector, runtime: Some(runtime), on_failure: Arc::new(on_failure) })
    }

    fn send(&self, request: HttpRequest) -> impl Future<Output = Result<(u16, Vec<u8>), String>> + use<> {
        let answer = self.connector.call(request);
        let exchange = async move {
            let answer = answer.await.map_err(|error| {
                if error.is_timeout() { "no answer in time" } else { "no connection" }.to_owned()
            })?;
            let status = answer.status().as_u16();
            let body =
                ByteStream::new(answer.into_body()).collect().await.map_err(|error| error.to_string())?;
            Ok((status, body.to_vec()))
        };
        async move {
            let timed = tokio::time::timeout(ANSWERS_WITHIN, exchange).await;
            timed.unwrap_or_else(|_| Err("no answer in time".to_owned()))
        }
    }
}

/// A runtime must not be dropped where another one runs.
impl Drop for Collector {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

#[async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let request = HttpRequest::try_from(request.map(SdkBody::from))?;
        // Whoever waits here is a thread of the exporter's, without a runtime; the client starts its clock at once.
        let Some(runtime) = &self.runtime else { return Err("it has ended".into()) };
        let exchange = {
            let _entered = runtime.enter();
            self.send(request)
        };
        let answer = runtime.spawn(exchange).await.unwrap_or_else(|error| Err(error.to_string()));
        match answer {
            Ok((status, body)) => {
                if !(200..300).contains(&status) {
                    (self.on_failure)(&format!("the collector answers {status}"));
                }
                Ok(Response::builder().status(status).body(Bytes::from(body))?)
            }
            Err(why) => {
                (self.on_failure)(&why);
                Err(why.into())
            }
        }
    }
}
