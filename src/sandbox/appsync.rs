//! AWS AppSync: GraphQL APIs.
//!
//! Source: the service's API Reference, the operation named at each handler.

use super::operation::{Operations, Protocol, Service};

static SERVICE: Service = Service {
    id: "AppSync",
    prefix: "appsync",
    protocol: Protocol::Json,
    throttled: ("LimitExceededException", 429),
    broken: ("InternalFailureException", 500),
};

pub(super) fn operations() -> Operations {
    Operations::of(&SERVICE)
}

/// What the service holds of one account in one region.
#[derive(Clone, Debug, Default)]
pub struct AppSync {}
