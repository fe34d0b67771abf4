//! AWS Security Hub CSPM: the hub, standards and controls.
//!
//! Source: the service's API Reference, the operation named at each handler.

use super::operation::{Operations, Protocol, Service};

static SERVICE: Service = Service {
    id: "SecurityHub",
    prefix: "securityhub",
    protocol: Protocol::Json,
    throttled: ("LimitExceededException", 429),
    broken: ("InternalException", 500),
};

pub(super) fn operations() -> Operations {
    Operations::of(&SERVICE)
}

/// What the service holds of one account in one region.
#[derive(Clone, Debug, Default)]
pub struct SecurityHub {}
