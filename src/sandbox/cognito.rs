//! Amazon Cognito user pools.
//!
//! Source: the service's API Reference, the operation named at each handler.

use super::operation::{Operations, Protocol, Service};

static SERVICE: Service = Service {
    id: "Cognito Identity Provider",
    prefix: "cognito-idp",
    protocol: Protocol::Json,
    throttled: ("TooManyRequestsException", 400),
    broken: ("InternalErrorException", 500),
};

pub(super) fn operations() -> Operations {
    Operations::of(&SERVICE)
}

/// What the service holds of one account in one region.
#[derive(Clone, Debug, Default)]
pub struct Cognito {}
