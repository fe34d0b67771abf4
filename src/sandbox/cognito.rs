//! Amazon Cognito user pools.
//!
//! Source: Amazon Cognito user pools API Reference, the operation named at each handler.

use std::collections::BTreeMap;

use aws_sdk_cognitoidentityprovider::operation::list_tags_for_resource::{
    ListTagsForResourceInput, ListTagsForResourceOutput,
};
use aws_sdk_cognitoidentityprovider::operation::list_user_pools::{ListUserPoolsInput, ListUserPoolsOutput};
use aws_sdk_cognitoidentityprovider::types::{LambdaConfigType, UserPoolDescriptionType};
use jiff::Timestamp;

use super::operation::{Call, Operations, Protocol, Refusal, Service, date_time, page};

static SERVICE: Service = Service {
    id: "Cognito Identity Provider",
    prefix: "cognito-idp",
    protocol: Protocol::Json,
    throttled: ("TooManyRequestsException", 400),
    broken: ("InternalErrorException", 500),
};

pub(super) fn operations() -> Operations {
    Operations::of(&SERVICE).on("ListUserPools", list).on("ListTagsForResource", tags)
}

/// The user pools of one account in one region.
#[derive(Clone, Debug, Default)]
pub struct Cognito {
    /// By id, `eu-west-1_a1B2c3D4e`; several may have one name.
    pub pools: BTreeMap<String, UserPool>,
}

/// A user pool.
#[derive(Clone, Debug)]
pub struct UserPool {
    pub name: String,
    pub tags: BTreeMap<String, String>,
    pub created: Timestamp,
    /// The ARN of its web ACL.
    pub web_acl: Option<String>,
}

impl UserPool {
    /// A pool without tags.
    pub fn new(name: &str, now: Timestamp) -> Self {
        Self { name: name.to_owned(), tags: BTreeMap::new(), created: now, web_acl: None }
    }
}

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new(400, "InvalidParameterException", message)
}

/// How many pools a page has here: AWS gives up to 60.
const A_PAGE: usize = 1;

/// ListUserPools: `MaxResults` is asked for, 1 to 60.
fn list(call: &mut Call<'_>, input: &ListUserPoolsInput) -> Result<ListUserPoolsOutput, Refusal> {
    if !input.max_results().is_some_and(|most| (1..=60).contains(&most)) {
        return Err(invalid("MaxResults must be between 1 and 60"));
    }
    let all: Vec<(String, UserPool)> = call.here().cognito.pools.clone().into_iter().collect();
    let (shown, next) =
        page(&all, input.next_token(), A_PAGE).ok_or_else(|| invalid("Invalid pagination token"))?;
    let told = shown.into_iter().map(|(id, pool)| {
        UserPoolDescriptionType::builder()
            .id(id)
            .name(pool.name)
            .lambda_config(LambdaConfigType::builder().build())
            .creation_date(date_time(pool.created))
            .last_modified_date(date_time(pool.created))
            .build()
    });
    Ok(ListUserPoolsOutput::builder().set_user_pools(Some(told.collect())).set_next_token(next).build())
}

/// ListTagsForResource.
fn tags(call: &mut Call<'_>, input: &ListTagsForResourceInput) -> Result<ListTagsForResourceOutput, Refusal> {
    let arn = input.resource_arn().unwrap_or_default();
    let own = call.arn("cognito-idp", "userpool/");
    let id = arn.strip_prefix(&own).ok_or_else(|| invalid("Invalid ARN"))?;
    let pool = call.here().cognito.pools.get(id).ok_or_else(|| {
        Refusal::new(400, "ResourceNotFoundException", format!("User pool {id} does not exist."))
    })?;
    let tags = pool.tags.clone().into_iter().collect();
    Ok(ListTagsForResourceOutput::builder().set_tags(Some(tags)).build())
}
