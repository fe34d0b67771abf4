//! Amazon Inspector: what is scanned.
//!
//! Source: the service's API Reference, the operation named at each handler.

use super::operation::{Operations, Protocol, Service};

static SERVICE: Service = Service {
    id: "Inspector2",
    prefix: "inspector2",
    protocol: Protocol::Json,
    throttled: ("ThrottlingException", 429),
    broken: ("InternalServerException", 500),
};

pub(super) fn operations() -> Operations {
    Operations::of(&SERVICE)
}

/// What the service holds of one account in one region.
#[derive(Clone, Debug, Default)]
pub struct Inspector {}
