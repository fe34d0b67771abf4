//! AWS App Runner: services.
//!
//! Source: AWS App Runner API Reference, the operation named at each handler.

use std::collections::BTreeMap;

use aws_sdk_apprunner::operation::list_services::{ListServicesInput, ListServicesOutput};
use aws_sdk_apprunner::operation::list_tags_for_resource::{
    ListTagsForResourceInput, ListTagsForResourceOutput,
};
use aws_sdk_apprunner::types::{ServiceStatus, ServiceSummary, Tag};
use jiff::Timestamp;

use super::operation::{Call, Operations, Protocol, Refusal, Service, complete, date_time, page};

static SERVICE: Service = Service {
    id: "AppRunner",
    prefix: "apprunner",
    protocol: Protocol::Json,
    throttled: ("ThrottlingException", 400),
    broken: ("InternalServiceErrorException", 500),
};

pub(super) fn operations() -> Operations {
    Operations::of(&SERVICE).on("ListServices", list).on("ListTagsForResource", tags)
}

/// The services of one account in one region.
#[derive(Clone, Debug, Default)]
pub struct AppRunner {
    /// By name, which is unique in a region (CreateService, `ServiceName`).
    pub services: BTreeMap<String, AppRunnerService>,
}

/// A service.
#[derive(Clone, Debug)]
pub struct AppRunnerService {
    /// 32 hexadecimal digits, as in the API reference's examples.
    pub id: String,
    pub status: ServiceStatus,
    pub tags: BTreeMap<String, String>,
    pub created: Timestamp,
    /// The ARN of its web ACL.
    pub web_acl: Option<String>,
}

impl AppRunnerService {
    /// A service that runs, without tags.
    pub fn running(id: &str, now: Timestamp) -> Self {
        Self {
            id: id.to_owned(),
            status: ServiceStatus::Running,
            tags: BTreeMap::new(),
            created: now,
            web_acl: None,
        }
    }

    /// `service/NAME/ID`, the last part of its ARN.
    pub(super) fn resource(&self, name: &str) -> String {
        format!("service/{name}/{}", self.id)
    }
}

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new(400, "InvalidRequestException", message)
}

/// How many services a page has here: AWS gives up to 20 where a number is asked for, and else all.
const A_PAGE: usize = 1;

/// ListServices. The ids are not told: the model wants 32 characters and a pattern of 36.
fn list(call: &mut Call<'_>, input: &ListServicesInput) -> Result<ListServicesOutput, Refusal> {
    if input.max_results().is_some_and(|most| !(1..=20).contains(&most)) {
        return Err(invalid("MaxResults must be between 1 and 20"));
    }
    let size = if input.max_results().is_some() { A_PAGE } else { usize::MAX };
    let all: Vec<(String, AppRunnerService)> = call.here().apprunner.services.clone().into_iter().collect();
    let (shown, next) = page(&all, input.next_token(), size).ok_or_else(|| invalid("NextToken"))?;
    let told = shown.into_iter().map(|(name, service)| {
        ServiceSummary::builder()
            .service_arn(call.arn("apprunner", service.resource(&name)))
            .service_url(format!("{}.{}.awsapprunner.com", &service.id, call.region))
            .service_name(name)
            .created_at(date_time(service.created))
            .updated_at(date_time(service.created))
            .status(service.status)
            .build()
    });
    let built = ListServicesOutput::builder().set_service_summary_list(Some(told.collect()));
    complete(built.set_next_token(next).build())
}

/// ListTagsForResource.
fn tags(call: &mut Call<'_>, input: &ListTagsForResourceInput) -> Result<ListTagsForResourceOutput, Refusal> {
    let arn = input.resource_arn().unwrap_or_default();
    let services = call.here().apprunner.services.clone();
    let found = services.iter().find(|(name, service)| call.arn("apprunner", service.resource(name)) == arn);
    let (_, service) = found.ok_or_else(|| {
        Refusal::new(400, "ResourceNotFoundException", format!("Resource {arn} does not exist."))
    })?;
    let tags = service.tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
    Ok(ListTagsForResourceOutput::builder().set_tags(Some(tags.collect())).build())
}
