//! Amazon SNS: topics and subscriptions.
//!
//! Source: the service's API Reference, the operation named at each handler.

use super::operation::{Operations, Protocol, Service};

static SERVICE: Service = Service {
    id: "SNS",
    prefix: "sns",
    protocol: Protocol::Query,
    throttled: ("Throttled", 429),
    broken: ("InternalError", 500),
};

pub(super) fn operations() -> Operations {
    Operations::of(&SERVICE)
}

/// What the service holds of one account in one region.
#[derive(Clone, Debug, Default)]
pub struct Sns {}
