//! AWS App Runner: services.
//!
//! Source: the service's API Reference, the operation named at each handler.

use super::operation::{Operations, Protocol, Service};

static SERVICE: Service = Service {
    id: "AppRunner",
    prefix: "apprunner",
    protocol: Protocol::Json,
    throttled: ("ThrottlingException", 400),
    broken: ("InternalServiceErrorException", 500),
};

pub(super) fn operations() -> Operations {
    Operations::of(&SERVICE)
}

/// What the service holds of one account in one region.
#[derive(Clone, Debug, Default)]
pub struct AppRunner {}
