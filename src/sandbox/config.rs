//! AWS Config: recorders, delivery channels, rules.
//!
//! Source: the service's API Reference, the operation named at each handler.

use super::operation::{Operations, Protocol, Service};

static SERVICE: Service = Service {
    id: "Config Service",
    prefix: "config",
    protocol: Protocol::Json,
    throttled: ("ThrottlingException", 400),
    broken: ("InternalFailure", 500),
};

pub(super) fn operations() -> Operations {
    Operations::of(&SERVICE)
}

/// What the service holds of one account in one region.
#[derive(Clone, Debug, Default)]
pub struct Config {}
