//! What a controller is seen by from outside, over HTTP: probes, metrics, and a page for people. Nothing can be changed
//! from here.
//!
//! | path | for | token |
//! | --- | --- | --- |
//! | `/healthz` | liveness: the loop turns | no |
//! | `/readyz` | readiness: there is a desired state, and the credentials work | no |
//! | `/metrics` | Prometheus | where there is one |
//! | `/`, `/accounts/<id>` | people | where there is one |
//! | `/login` | people who have the token | |
//!
//! It listens on the loopback interface, or it has a token. On the loopback interface it answers only to names of it: a
//! page of somebody else's, whose name leads here (DNS rebinding), reads nothing.

mod guard;
mod health;
mod listen;
mod metrics;
mod page;
mod token;
mod view;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::{get, post};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use listen::Listen;
pub use token::{Token, TokenError};

use crate::controller::Pulse;
use listen::Guarded;

/// The longest body that anybody may send: the one form has one short field.
const LONGEST_BODY: usize = 4096;

/// What is served, and to whom.
#[derive(Debug)]
pub struct Served {
    pulse: Arc<Pulse>,
    /// Absent: whoever reaches it may read, and only this machine does.
    token: Option<Token>,
    health: health::Health,
    pages: page::Pages,
}

impl Served {
    pub fn new(pulse: Arc<Pulse>, token: Option<Token>) -> Self {
        Self { pulse, token, health: health::Health::default(), pages: page::Pages::default() }
    }
}

/// All that is served.
pub fn app(served: Arc<Served>) -> Router {
    Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(metrics::metrics))
        .route("/", get(page::fleet))
        .route("/accounts/{id}", get(page::account))
        .route("/login", post(guard::login))
        .fallback(page::nothing)
        .layer(DefaultBodyLimit::max(LONGEST_BODY))
        .layer(middleware::from_fn_with_state(Arc::clone(&served), guard::guard))
        .with_state(served)
}

/// Serves until it is told to stop; what is being answered then is finished.
///
/// # Errors
///
/// Only where the listener itself fails.
pub async fn serve(listener: TcpListener, app: Router, stop: CancellationToken) -> std::io::Result<()> {
    axum::serve(Guarded::new(listener), app)
        .with_graceful_shutdown(async move { stop.cancelled().await })
        .await
}
