//! Amazon API Gateway: REST APIs and their stages.
//!
//! Source: Amazon API Gateway API Reference (version 1), the operation named at each handler.

use std::collections::BTreeMap;

use aws_sdk_apigateway::operation::get_rest_apis::{GetRestApisInput, GetRestApisOutput};
use aws_sdk_apigateway::operation::get_stages::{GetStagesInput, GetStagesOutput};
use aws_sdk_apigateway::types::{ApiKeySourceType, EndpointConfiguration, EndpointType};
use jiff::Timestamp;

use super::operation::{Call, Operations, Protocol, Refusal, Service, date_time, page};

static SERVICE: Service = Service {
    id: "API Gateway",
    prefix: "apigateway",
    protocol: Protocol::Json,
    throttled: ("TooManyRequestsException", 429),
    broken: ("ServiceUnavailableException", 503),
};

pub(super) fn operations() -> Operations {
    Operations::of(&SERVICE).on("GetRestApis", rest_apis).on("GetStages", stages)
}

/// The REST APIs of one account in one region.
#[derive(Clone, Debug, Default)]
pub struct ApiGateway {
    /// By id; several may have one name.
    pub apis: BTreeMap<String, RestApi>,
}

/// A REST API.
#[derive(Clone, Debug)]
pub struct RestApi {
    pub name: String,
    pub endpoint: EndpointType,
    pub tags: BTreeMap<String, String>,
    pub created: Timestamp,
    pub stages: BTreeMap<String, Stage>,
    /// The caller's policy leaves its stages out.
    pub unreadable: bool,
}

/// A stage of a REST API.
#[derive(Clone, Debug, Default)]
pub struct Stage {
    pub tags: BTreeMap<String, String>,
    /// The ARN of its web ACL.
    pub web_acl: Option<String>,
}

impl RestApi {
    /// A regional API with stages of these names, and without tags.
    pub fn regional(name: &str, stages: &[&str], now: Timestamp) -> Self {
        Self {
            name: name.to_owned(),
            endpoint: EndpointType::Regional,
            tags: BTreeMap::new(),
            created: now,
            stages: stages.iter().map(|stage| ((*stage).to_owned(), Stage::default())).collect(),
            unreadable: false,
        }
    }
}

/// How many APIs a page has here: AWS gives 25 unless asked for others, and up to 500.
const A_PAGE: usize = 2;

/// GetRestApis: `limit` is 1 to 500.
fn rest_apis(call: &mut Call<'_>, input: &GetRestApisInput) -> Result<GetRestApisOutput, Refusal> {
    let invalid = |what: &str| Refusal::new(400, "BadRequestException", format!("Invalid {what} value"));
    if input.limit().is_some_and(|limit| !(1..=500).contains(&limit)) {
        return Err(invalid("limit"));
    }
    let asked = input.limit().and_then(|limit| usize::try_from(limit).ok()).unwrap_or(A_PAGE);
    let all: Vec<(String, RestApi)> = call.here().apigateway.apis.clone().into_iter().collect();
    let (shown, next) = page(&all, input.position(), asked.min(A_PAGE)).ok_or_else(|| invalid("position"))?;
    let told = shown.into_iter().map(|(id, api)| {
        aws_sdk_apigateway::types::RestApi::builder()
            .id(&id)
            .name(api.name)
            .created_date(date_time(api.created))
            .api_key_source(ApiKeySourceType::Header)
            .endpoint_configuration(EndpointConfiguration::builder().types(api.endpoint).build())
            .set_tags((!api.tags.is_empty()).then(|| api.tags.into_iter().collect()))
            .disable_execute_api_endpoint(false)
            .root_resource_id(format!("{id}0"))
            .build()
    });
    Ok(GetRestApisOutput::builder().set_items(Some(told.collect())).set_position(next).build())
}

/// GetStages: all of them at once.
fn stages(call: &mut Call<'_>, input: &GetStagesInput) -> Result<GetStagesOutput, Refusal> {
    let id = input.rest_api_id().unwrap_or_default();
    let who = call.caller.arn();
    let api = call.here().apigateway.apis.get(id).ok_or_else(|| {
        Refusal::new(404, "NotFoundException", format!("Invalid API identifier specified {id}"))
    })?;
    if api.unreadable {
        let message = format!("User: {who} is not authorized to perform: apigateway:GET on resource: {id}");
        return Err(Refusal::new(403, "AccessDeniedException", message));
    }
    let told = api.stages.iter().map(|(name, stage)| {
        aws_sdk_apigateway::types::Stage::builder()
            .stage_name(name)
            .deployment_id("a1b2c3")
            .cache_cluster_enabled(false)
            .tracing_enabled(false)
            .set_web_acl_arn(stage.web_acl.clone())
            .set_tags((!stage.tags.is_empty()).then(|| stage.tags.clone().into_iter().collect()))
            .created_date(date_time(api.created))
            .last_updated_date(date_time(api.created))
            .build()
    });
    Ok(GetStagesOutput::builder().set_item(Some(told.collect())).build())
}
