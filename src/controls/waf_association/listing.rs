//! The resources of each type: one listing, and one call more where a service keeps tags to itself.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_apigateway::types::{EndpointType, RestApi};
use aws_sdk_apprunner::types::ServiceStatus;
use aws_sdk_appsync::types::{GraphQlApiType, GraphQlApiVisibility};
use aws_sdk_elasticloadbalancingv2::types::{LoadBalancerSchemeEnum, LoadBalancerTypeEnum};
use futures::StreamExt as _;

use super::resource::{LiveAcl, Resource, told_apart};
use super::spec::{AssociationRule, ResourceType, Rules as _, Scheme};
use crate::aws::{Reader, Writer, fault};
use crate::control::{Scope, Sight};
use crate::fault::{Fault, FaultKind};

/// At most this many calls at once in one scope; the rates are the engine's to keep.
pub const AT_ONCE: usize = 8;

/// The services that are listed, for the observe role or for the apply role.
pub struct Services {
    pub scope: Scope,
    pub elb: aws_sdk_elasticloadbalancingv2::Client,
    pub apigateway: aws_sdk_apigateway::Client,
    pub appsync: aws_sdk_appsync::Client,
    pub cognito: aws_sdk_cognitoidentityprovider::Client,
    pub apprunner: aws_sdk_apprunner::Client,
}

macro_rules! services_of {
    ($($session:ty),*) => {$(
        impl From<&$session> for Services {
            fn from(aws: &$session) -> Self {
                Self {
                    scope: aws.scope.clone(),
                    elb: aws.elb(),
                    apigateway: aws.apigateway(),
                    appsync: aws.appsync(),
                    cognito: aws.cognito(),
                    apprunner: aws.apprunner(),
                }
            }
        }
    )*};
}
services_of!(Reader, Writer);

/// What was found, by name. One that could not be read is one unseen, and not a listing that failed.
pub type Found = Vec<(String, Sight<Resource>)>;

/// Lists the resources of one type that some rule may be about.
pub async fn list(aws: &Services, kind: ResourceType, rules: &[AssociationRule]) -> Result<Found, Fault> {
    let found = match kind {
        ResourceType::ApplicationLoadBalancer => load_balancers(aws, None).await,
        ResourceType::ApiGateway => return stages(aws, rules).await,
        ResourceType::Appsync => graphql_apis(aws).await,
        ResourceType::CognitoUserPool => user_pools(aws).await,
        ResourceType::AppRunnerService => app_runner_services(aws).await,
    };
    Ok(found?.into_iter().map(|one| (one.name.clone(), Sight::Seen(one))).collect())
}

/// The ARN of a resource by the name that it has in plans.
pub async fn arn_of(aws: &Services, kind: ResourceType, name: &str) -> Result<Option<String>, Fault> {
    let found = match kind {
        ResourceType::ApplicationLoadBalancer => load_balancers(aws, Some(name)).await?,
        ResourceType::ApiGateway => {
            // No stage has a slash in its name; an API may.
            let Some((api, stage)) = name.rsplit_once('/') else { return Ok(None) };
            let apis = rest_apis(aws).await?;
            let api = apis.into_iter().find(|(named, _)| named == api);
            return Ok(api.and_then(|(_, api)| api.id).map(|id| stage_arn(&aws.scope, &id, stage)));
        }
        ResourceType::Appsync => graphql_apis(aws).await?,
        ResourceType::CognitoUserPool => user_pools(aws).await?,
        ResourceType::AppRunnerService => app_runner_services(aws).await?,
    };
    Ok(found.into_iter().find(|one| one.name == name).map(|one| one.arn))
}

/// A resource with nothing but its name, of which neither tags nor web ACL are known yet.
fn bare(kind: ResourceType, name: String, arn: String) -> Resource {
    Resource {
        kind,
        called: name.clone(),
        name,
        arn,
        scheme: Scheme::InternetFacing,
        tags: Sight::Seen(BTreeMap::new()),
        acl: Sight::Seen(None),
    }
}

fn scheme(internal: bool) -> Scheme {
    if internal { Scheme::Internal } else { Scheme::InternetFacing }
}

async fn load_balancers(aws: &Services, name: Option<&str>) -> Result<Vec<Resource>, Fault> {
    let call = aws.elb.describe_load_balancers().set_names(name.map(|name| vec![name.to_owned()]));
    let listed = match call.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await {
        Ok(listed) => listed,
        Err(error) if error.as_service_error().is_some_and(|e| e.is_load_balancer_not_found_exception()) => {
            Vec::new()
        }
        Err(error) => return Err(fault("elasticloadbalancing:DescribeLoadBalancers")(error)),
    };
    let application = |one: &aws_sdk_elasticloadbalancingv2::types::LoadBalancer| {
        one.r#type == Some(LoadBalancerTypeEnum::Application)
    };
    Ok(listed
        .into_iter()
        .filter(application)
        .filter_map(|one| {
            let kind = ResourceType::ApplicationLoadBalancer;
            let resource = bare(kind, one.load_balancer_name?, one.load_balancer_arn?);
            let internal = one.scheme == Some(LoadBalancerSchemeEnum::Internal);
            Some(Resource { scheme: scheme(internal), ..resource })
        })
        .collect())
}

/// REST APIs, each by the name that tells it apart.
async fn rest_apis(aws: &Services) -> Result<Vec<(String, RestApi)>, Fault> {
    let pages = aws.apigateway.get_rest_apis().limit(500).into_paginator().items().send();
    let listed = pages.collect::<Result<Vec<_>, _>>().await.map_err(fault("apigateway:GetRestApis"))?;
    let called: Vec<_> = listed
        .iter()
        .map(|api| (api.name.clone().unwrap_or_default(), api.id.clone().unwrap_or_default()))
        .collect();
    Ok(told_apart(&called).into_iter().zip(listed).collect())
}

fn stage_arn(scope: &Scope, api: &str, stage: &str) -> String {
    let region = &scope.region;
    format!("arn:{}:apigateway:{region}::/restapis/{api}/stages/{stage}", region.partition())
}

async fn stages(aws: &Services, rules: &[AssociationRule]) -> Result<Found, Fault> {
    let wanted = rest_apis(aws).await?.into_iter().filter(|(named, api)| {
        let called = api.name.as_deref().unwrap_or_default();
        [named.as_str(), called].iter().any(|n| rules.may_govern(ResourceType::ApiGateway, &format!("{n}/")))
    });
    let found: Vec<Found> = futures::stream::iter(wanted)
        .map(|(named, api)| stages_of(aws, named, api))
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    Ok(found.into_iter().flatten().collect())
}

async fn stages_of(aws: &Services, named: String, api: RestApi) -> Found {
    let id = api.id.unwrap_or_default();
    let answer = match aws.apigateway.get_stages().rest_api_id(&id).send().await {
        Ok(answer) => answer,
        // It went away since it was listed.
        Err(error) if error.as_service_error().is_some_and(|e| e.is_not_found_exception()) => {
            return Vec::new();
        }
        Err(error) => return vec![(named, Sight::Unseen(fault("apigateway:GetStages")(error)))],
    };
    let called = api.name.unwrap_or_default();
    let types = api.endpoint_configuration.and_then(|c| c.types).unwrap_or_default();
    let internal = types.contains(&EndpointType::Private);
    let stages = answer.item.unwrap_or_default().into_iter().filter_map(|stage| {
        let stage_name = stage.stage_name?;
        let name = format!("{named}/{stage_name}");
        let mut tags: BTreeMap<String, String> = api.tags.clone().unwrap_or_default().into_iter().collect();
        tags.extend(stage.tags.unwrap_or_default());
        let resource = Resource {
            called: format!("{called}/{stage_name}"),
            scheme: scheme(internal),
            tags: Sight::Seen(tags),
            acl: Sight::Seen(LiveAcl::of(stage.web_acl_arn)),
            ..bare(ResourceType::ApiGateway, name.clone(), stage_arn(&aws.scope, &id, &stage_name))
        };
        Some((name, Sight::Seen(resource)))
    });
    stages.collect()
}

/// Standard and merged APIs are asked for by name; AWS does not say what is listed when neither is.
async fn graphql_apis(aws: &Services) -> Result<Vec<Resource>, Fault> {
    let mut listed = BTreeMap::new();
    for kind in [GraphQlApiType::Graphql, GraphQlApiType::Merged] {
        let mut pages =
            aws.appsync.list_graphql_apis().api_type(kind).max_results(25).into_paginator().items().send();
        while let Some(api) = pages.try_next().await.map_err(fault("appsync:ListGraphqlApis"))? {
            listed.extend(api.arn.clone().map(|arn| (arn, api)));
        }
    }
    let called: Vec<_> = listed
        .values()
        .map(|api| (api.name.clone().unwrap_or_default(), api.api_id.clone().unwrap_or_default()))
        .collect();
    let names = told_apart(&called);
    Ok(listed
        .into_iter()
        .zip(names)
        .map(|((arn, api), name)| Resource {
            called: api.name.unwrap_or_default(),
            scheme: scheme(api.visibility == Some(GraphQlApiVisibility::Private)),
            tags: Sight::Seen(api.tags.unwrap_or_default().into_iter().collect()),
            acl: Sight::Seen(LiveAcl::of(api.waf_web_acl_arn)),
            ..bare(ResourceType::Appsync, name, arn)
        })
        .collect())
}

async fn user_pools(aws: &Services) -> Result<Vec<Resource>, Fault> {
    let pages = aws.cognito.list_user_pools().max_results(60).into_paginator().items().send();
    let listed = pages.collect::<Result<Vec<_>, _>>().await.map_err(fault("cognito-idp:ListUserPools"))?;
    let called: Vec<(String, String)> =
        listed.into_iter().filter_map(|pool| Some((pool.name?, pool.id?))).collect();
    let Scope { account, region } = &aws.scope;
    let names = told_apart(&called);
    let pool = |((called, id), name)| Resource {
        called,
        ..bare(
            ResourceType::CognitoUserPool,
            name,
            format!("arn:{}:cognito-idp:{region}:{account}:userpool/{id}", region.partition()),
        )
    };
    Ok(called.into_iter().zip(names).map(pool).collect())
}

async fn app_runner_services(aws: &Services) -> Result<Vec<Resource>, Fault> {
    let pages = aws.apprunner.list_services().max_results(20).into_paginator().send();
    let listed: Vec<_> =
        pages.collect::<Result<Vec<_>, _>>().await.map_err(fault("apprunner:ListServices"))?;
    let services = listed.into_iter().flat_map(|page| page.service_summary_list);
    // A service is listed for an hour after it was deleted.
    let live = services.filter(|service| service.status != Some(ServiceStatus::Deleted));
    let service = |one: aws_sdk_apprunner::types::ServiceSummary| {
        Some(bare(ResourceType::AppRunnerService, one.service_name?, one.service_arn?))
    };
    Ok(live.filter_map(service).collect())
}

/// Load balancers whose tags one call answers for (API reference, `DescribeTags`).
const TAGGED_AT_ONCE: usize = 20;

/// Reads the tags of those resources that keep them apart from the listing. Who went away meanwhile is dropped.
pub async fn read_tags(aws: &Services, kind: ResourceType, resources: Vec<Resource>) -> Vec<Resource> {
    match kind {
        ResourceType::ApplicationLoadBalancer => {
            let batches: Vec<Vec<Resource>> =
                resources.chunks(TAGGED_AT_ONCE).map(<[Resource]>::to_vec).collect();
            let read: Vec<Vec<Resource>> = futures::stream::iter(batches)
                .map(|batch| load_balancer_tags(aws, batch))
                .buffer_unordered(AT_ONCE)
                .collect()
                .await;
            read.into_iter().flatten().collect()
        }
        ResourceType::CognitoUserPool | ResourceType::AppRunnerService => {
            futures::stream::iter(resources)
                .map(|one| async move {
                    let tags = match kind {
                        ResourceType::CognitoUserPool => user_pool_tags(aws, &one.arn).await,
                        _ => app_runner_tags(aws, &one.arn).await,
                    };
                    Resource { tags: tags.map_or_else(Sight::Unseen, Sight::Seen), ..one }
                })
                .buffer_unordered(AT_ONCE)
                .collect()
                .await
        }
        ResourceType::ApiGateway | ResourceType::Appsync => resources,
    }
}

/// One load balancer that was deleted since makes the call fail for all: then each is asked for by itself.
async fn load_balancer_tags(aws: &Services, batch: Vec<Resource>) -> Vec<Resource> {
    let arns: Vec<String> = batch.iter().map(|one| one.arn.clone()).collect();
    let answer = aws.elb.describe_tags().set_resource_arns(Some(arns)).send().await;
    match answer {
        Ok(answer) => {
            let mut tags: HashMap<String, BTreeMap<String, String>> = HashMap::new();
            for described in answer.tag_descriptions.unwrap_or_default() {
                let Some(arn) = described.resource_arn else { continue };
                let of_this = described.tags.unwrap_or_default().into_iter();
                let pairs = of_this.filter_map(|tag| Some((tag.key?, tag.value.unwrap_or_default())));
                tags.entry(arn).or_default().extend(pairs);
            }
            let known = |one: Resource| {
                let tags = tags.remove(&one.arn).unwrap_or_default();
                Resource { tags: Sight::Seen(tags), ..one }
            };
            batch.into_iter().map(known).collect()
        }
        Err(error) => {
            let gone = error.as_service_error().is_some_and(|e| e.is_load_balancer_not_found_exception());
            if gone && batch.len() > 1 {
                let mut left = Vec::with_capacity(batch.len());
                for one in batch {
                    left.extend(Box::pin(load_balancer_tags(aws, vec![one])).await);
                }
                return left;
            }
            if gone {
                return Vec::new();
            }
            let unseen = fault("elasticloadbalancing:DescribeTags")(error);
            batch.into_iter().map(|one| Resource { tags: Sight::Unseen(unseen.clone()), ..one }).collect()
        }
    }
}

async fn user_pool_tags(aws: &Services, arn: &str) -> Result<BTreeMap<String, String>, Fault> {
    let answer = aws.cognito.list_tags_for_resource().resource_arn(arn).send().await;
    let answer = answer.map_err(fault("cognito-idp:ListTagsForResource"))?;
    Ok(answer.tags.unwrap_or_default().into_iter().collect())
}

async fn app_runner_tags(aws: &Services, arn: &str) -> Result<BTreeMap<String, String>, Fault> {
    let answer = aws.apprunner.list_tags_for_resource().resource_arn(arn).send().await;
    let tags = answer.map_err(fault("apprunner:ListTagsForResource"))?.tags.unwrap_or_default();
    Ok(tags.into_iter().filter_map(|tag| Some((tag.key?, tag.value.unwrap_or_default()))).collect())
}

/// Where App Runner is, and where AppSync and Cognito are not (AWS General Reference, "Service endpoints",
/// as in botocore 1.44.5).
const APP_RUNNER: [&str; 11] = [
    "ap-northeast-1",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "eu-central-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "us-east-1",
    "us-east-2",
    "us-west-2",
];
const NO_APPSYNC: [&str; 5] =
    ["ap-east-2", "ap-southeast-6", "mx-central-1", "us-gov-east-1", "us-gov-west-1"];
const NO_COGNITO: [&str; 2] = ["cn-north-1", "cn-northwest-1"];

/// No host answers for a service that AWS does not list there: it is not offered. Where the list is older than
/// AWS the host answers, and where it is not on the list and should be, it stays unknown.
pub fn or_not_offered(kind: ResourceType, scope: &Scope, fault: Fault) -> Fault {
    let region = scope.region.as_str();
    let service = match kind {
        ResourceType::AppRunnerService if !APP_RUNNER.contains(&region) => "App Runner",
        ResourceType::Appsync if NO_APPSYNC.contains(&region) => "AppSync",
        ResourceType::CognitoUserPool if NO_COGNITO.contains(&region) => "Cognito user pools",
        _ => return fault,
    };
    if fault.code != "DispatchFailure" {
        return fault;
    }
    let why = format!("{service}: no endpoint in {region} (AWS General Reference, \"Service endpoints\")");
    Fault::local(FaultKind::NotOffered, &fault.call, why)
}
