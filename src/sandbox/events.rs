//! Amazon EventBridge: rules and their targets.
//!
//! Source: the service's API Reference, the operation named at each handler.

use super::operation::{Operations, Protocol, Service};

static SERVICE: Service = Service {
    id: "EventBridge",
    prefix: "events",
    protocol: Protocol::Json,
    throttled: ("ThrottlingException", 400),
    broken: ("InternalException", 500),
};

pub(super) fn operations() -> Operations {
    Operations::of(&SERVICE)
}

/// What the service holds of one account in one region.
#[derive(Clone, Debug, Default)]
pub struct EventBridge {}
