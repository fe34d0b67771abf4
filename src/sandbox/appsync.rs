//! AWS AppSync: GraphQL APIs.
//!
//! Source: AWS AppSync API Reference, ListGraphqlApis.

use std::collections::BTreeMap;

use aws_sdk_appsync::operation::list_graphql_apis::{ListGraphqlApisInput, ListGraphqlApisOutput};
use aws_sdk_appsync::types::{AuthenticationType, GraphQlApiType, GraphQlApiVisibility};

use super::operation::{Call, Operations, Protocol, Refusal, Service, page};

static SERVICE: Service = Service {
    id: "AppSync",
    prefix: "appsync",
    protocol: Protocol::Json,
    throttled: ("ThrottlingException", 400),
    broken: ("InternalFailureException", 500),
};

pub(super) fn operations() -> Operations {
    Operations::of(&SERVICE).on("ListGraphqlApis", list)
}

/// The GraphQL APIs of one account in one region.
#[derive(Clone, Debug, Default)]
pub struct AppSync {
    /// By id; several may have one name.
    pub apis: BTreeMap<String, GraphqlApi>,
}

/// A GraphQL API.
#[derive(Clone, Debug)]
pub struct GraphqlApi {
    pub name: String,
    pub kind: GraphQlApiType,
    pub visibility: GraphQlApiVisibility,
    pub tags: BTreeMap<String, String>,
    /// The ARN of its web ACL.
    pub web_acl: Option<String>,
}

impl GraphqlApi {
    /// A standard API that the internet reaches: the defaults of CreateGraphqlApi.
    pub fn standard(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            kind: GraphQlApiType::Graphql,
            visibility: GraphQlApiVisibility::Global,
            tags: BTreeMap::new(),
            web_acl: None,
        }
    }
}

/// How many APIs a page has here: AWS gives up to 25.
const A_PAGE: usize = 2;

/// ListGraphqlApis: `maxResults` is 0 to 25. Which types are listed when none is asked for is not documented;
/// here it is standard ones.
fn list(call: &mut Call<'_>, input: &ListGraphqlApisInput) -> Result<ListGraphqlApisOutput, Refusal> {
    let invalid = |what: &str| Refusal::new(400, "BadRequestException", format!("Invalid {what}"));
    if input.max_results().is_some_and(|most| !(0..=25).contains(&most)) {
        return Err(invalid("maxResults"));
    }
    let kind = input.api_type().cloned().unwrap_or(GraphQlApiType::Graphql);
    let all: Vec<(String, GraphqlApi)> = call
        .here()
        .appsync
        .apis
        .iter()
        .filter(|(_, api)| api.kind == kind)
        .map(|(id, api)| (id.clone(), api.clone()))
        .collect();
    let (shown, next) = page(&all, input.next_token(), A_PAGE).ok_or_else(|| invalid("nextToken"))?;
    let told = shown.into_iter().map(|(id, api)| {
        aws_sdk_appsync::types::GraphqlApi::builder()
            .name(api.name)
            .api_id(&id)
            .arn(call.arn("appsync", format_args!("apis/{id}")))
            .authentication_type(AuthenticationType::ApiKey)
            .uris("GRAPHQL", format!("https://{id}.appsync-api.{}.amazonaws.com/graphql", call.region))
            .set_tags((!api.tags.is_empty()).then(|| api.tags.into_iter().collect()))
            .xray_enabled(false)
            .set_waf_web_acl_arn(api.web_acl)
            .visibility(api.visibility)
            .api_type(api.kind)
            .owner(&call.caller.account)
            .build()
    });
    Ok(ListGraphqlApisOutput::builder().set_graphql_apis(Some(told.collect())).set_next_token(next).build())
}
