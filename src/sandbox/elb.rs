//! Elastic Load Balancing: application load balancers.
//!
//! Source: the service's API Reference, the operation named at each handler.

use super::operation::{Operations, Protocol, Service};

static SERVICE: Service = Service {
    id: "Elastic Load Balancing v2",
    prefix: "elasticloadbalancing",
    protocol: Protocol::Query,
    throttled: ("Throttling", 400),
    broken: ("InternalFailure", 500),
};

pub(super) fn operations() -> Operations {
    Operations::of(&SERVICE)
}

/// What the service holds of one account in one region.
#[derive(Clone, Debug, Default)]
pub struct LoadBalancers {}
