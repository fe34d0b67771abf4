//! Amazon API Gateway: the stages of REST APIs.
//!
//! Source: the service's API Reference, the operation named at each handler.

use super::operation::{Operations, Protocol, Service};

static SERVICE: Service = Service {
    id: "API Gateway",
    prefix: "apigateway",
    protocol: Protocol::Json,
    throttled: ("TooManyRequestsException", 429),
    broken: ("InternalServerErrorException", 500),
};

pub(super) fn operations() -> Operations {
    Operations::of(&SERVICE)
}

/// What the service holds of one account in one region.
#[derive(Clone, Debug, Default)]
pub struct ApiGateway {}
