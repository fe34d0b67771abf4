//! Traces for a collector, by OTLP over HTTP (feature `otlp`), where the environment names one (OpenTelemetry
//! specification, "OpenTelemetry Protocol Exporter").
//!
//! Spans are queued, 2,048 at most, and sent by a thread of their own: what is too much is dropped, and a collector that
//! fails is told of once and costs nothing else.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{SpanExporter, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};

use crate::aws::collector::Collector;
use crate::traces::TARGET;

/// What is still queued at the end is waited for so long.
const FLUSHED_WITHIN: Duration = Duration::from_secs(3);

/// What ends the traces of a process.
pub struct Traces {
    provider: SdkTracerProvider,
    is_told: Arc<AtomicBool>,
}

impl Traces {
    /// Where the environment names a collector. `Some(Err)`: why it cannot be used; the program goes on without.
    pub fn of_environment() -> Option<Result<(Self, SdkTracer), String>> {
        is_wanted().then(Self::new)
    }

    fn new() -> Result<(Self, SdkTracer), String> {
        let is_told = Arc::new(AtomicBool::new(false));
        let already = Arc::clone(&is_told);
        let collector = Collector::new(move |why| tell(&already, why));
        let collector = collector.map_err(|error| error.to_string())?;
        let exporter = SpanExporter::builder().with_http().with_http_client(collector).build();
        let exporter = exporter.map_err(|error| error.to_string())?;
        let resource = Resource::builder();
        // `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` say otherwise.
        let resource =
            if is_said("OTEL_SERVICE_NAME") { resource } else { resource.with_service_name("baseline") };
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(resource.build())
            .build();
        let tracer = provider.tracer("baseline");
        Ok((Self { provider, is_told }, tracer))
    }

    /// Sends what is queued, as long as that takes no longer than a few seconds.
    pub fn end(self) {
        if self.provider.shutdown_with_timeout(FLUSHED_WITHIN).is_err() {
            tell(&self.is_told, "it does not answer in time");
        }
    }
}

fn tell(is_told: &AtomicBool, why: &str) {
    if !is_told.swap(true, Ordering::Relaxed) {
        tracing::warn!(target: TARGET, why, "traces do not reach the collector; this is said once");
    }
}

fn is_wanted() -> bool {
    let is = |name: &str, word: &str| value(name).is_some_and(|value| value.eq_ignore_ascii_case(word));
    let named = is_said("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") || is_said("OTEL_EXPORTER_OTLP_ENDPOINT");
    named && !is("OTEL_SDK_DISABLED", "true") && !is("OTEL_TRACES_EXPORTER", "none")
}

fn is_said(name: &str) -> bool {
    value(name).is_some()
}

#[expect(clippy::disallowed_methods, reason = "the command line is where the environment is read")]
fn value(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
