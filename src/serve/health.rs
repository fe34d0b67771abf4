//! Probes: is it alive, and is it ready?

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::Served;
use super::guard::told;
use crate::controller::TARGET;
use crate::controller::pulse::Seen;
use crate::controller::schedule::after;
use crate::report::escape::escape;

/// How long an answer about the credentials counts.
const ASKED_EVERY: Duration = Duration::from_secs(30);

/// Whoever probes gives up soon: no answer in this time is none.
const ANSWERED_WITHIN: Duration = Duration::from_secs(5);

/// What was last known of the credentials.
#[derive(Debug, Default)]
pub(super) struct Health(Mutex<Option<(Instant, Result<(), &'static str>)>>);

/// Liveness: the loop went round within two intervals.
pub(super) async fn alive(State(served): State<Arc<Served>>) -> Response {
    let seen = served.pulse.seen();
    match is_alive(&seen) {
        true => told(StatusCode::OK, "ok"),
        false => told(
            StatusCode::SERVICE_UNAVAILABLE,
            &format!("the loop has not gone round since {}", seen.turned),
        ),
    }
}

pub(super) fn is_alive(seen: &Seen) -> bool {
    after(seen.turned, seen.settings.interval.saturating_mul(2)) > seen.now
}

/// Readiness: a desired state is loaded, and the credentials work.
pub(super) async fn ready(State(served): State<Arc<Served>>) -> Response {
    let seen = served.pulse.seen();
    let no = |why: &str| told(StatusCode::SERVICE_UNAVAILABLE, why);
    if seen.is_stopping {
        return no("stopping");
    }
    let Some(current) = seen.current else { return no("no desired state has been loaded yet") };
    // One at a time: probes that come meanwhile wait for the same answer.
    let mut known = served.health.0.lock().await;
    let result = match *known {
        Some((at, result)) if at.elapsed() < ASKED_EVERY => result,
        _ => {
            let asked = tokio::time::timeout(ANSWERED_WITHIN, current.aws.asks_itself()).await;
            let result = match asked {
                Ok(Ok(())) => Ok(()),
                Ok(Err(fault)) => {
                    tracing::warn!(target: TARGET, fault = %escape(&fault.to_string()), "not ready: the credentials do not work");
                    Err("the credentials do not work")
                }
                Err(_) => {
                    tracing::warn!(target: TARGET, "not ready: sts:GetCallerIdentity does not answer");
                    Err("AWS does not answer")
                }
            };
            *known = Some((Instant::now(), result));
            result
        }
    };
    match result {
        Ok(()) => told(StatusCode::OK, "ok"),
        Err(why) => no(why),
    }
}
