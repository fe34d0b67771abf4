//! Web ACLs on resources. Which one a resource has is kept by the resource, in the file of its service.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_apprunner::types::ServiceStatus;
use aws_sdk_elasticloadbalancingv2::types::{LoadBalancerStateEnum, LoadBalancerTypeEnum};
use aws_sdk_wafv2::operation::associate_web_acl::{AssociateWebAclInput, AssociateWebAclOutput};
use aws_sdk_wafv2::operation::disassociate_web_acl::{DisassociateWebAclInput, DisassociateWebAclOutput};
use aws_sdk_wafv2::operation::get_web_acl_for_resource::{
    GetWebAclForResourceInput, GetWebAclForResourceOutput,
};
use aws_sdk_wafv2::operation::list_resources_for_web_acl::{
    ListResourcesForWebAclInput, ListResourcesForWebAclOutput,
};
use aws_sdk_wafv2::types::ResourceType;
use jiff::Timestamp;

use super::super::operation::{Call, Refusal};
use super::super::state::RegionState;
use super::{invalid, nonexistent};

/// What is remembered of web ACLs and resources besides.
#[derive(Clone, Debug, Default)]
pub struct Associations {
    /// From when each web ACL can be associated, by ARN.
    usable: BTreeMap<String, Timestamp>,
}

/// How long a web ACL that was never associated is unavailable after somebody tries. AWS says "a few seconds to a
/// number of minutes" (AssociateWebACL, "Temporary inconsistencies during updates").
const PROPAGATION: Duration = Duration::from_secs(2);

/// Associations of one web ACL with load balancers (AWS WAF quotas).
const LOAD_BALANCERS: usize = 100;

fn unavailable() -> Refusal {
    Refusal::new(
        400,
        "WAFUnavailableEntityException",
        "AWS WAF couldn’t retrieve the resource that you requested. Retry your request.",
    )
}

/// The web ACL that a resource has, and whether the resource can be given another now.
struct Slot<'s> {
    acl: &'s mut Option<String>,
    ready: bool,
}

/// Finds a resource of the caller's in this region by an ARN of one of the documented forms (AssociateWebACL,
/// `ResourceArn`).
fn slot<'s>(here: &'s mut RegionState, arn: &str, place: &Place) -> Result<Slot<'s>, Refusal> {
    let own = |service: &str, kind: &str| {
        arn.strip_prefix(&format!("arn:aws:{service}:{}:{}:{kind}/", place.region, place.account))
    };
    let rest_api = format!("arn:aws:apigateway:{}::/restapis/", place.region);
    let found = if let Some(rest) = own("elasticloadbalancing", "loadbalancer/app") {
        let (name, id) = rest.split_once('/').ok_or_else(|| invalid("RESOURCE_ARN", arn))?;
        let one = here.elb.all.get_mut(name);
        let one = one.filter(|one| one.id == id && one.kind == LoadBalancerTypeEnum::Application);
        one.map(|one| Slot { ready: one.state != LoadBalancerStateEnum::Provisioning, acl: &mut one.web_acl })
    } else if let Some(rest) = arn.strip_prefix(&rest_api) {
        let (api, stage) = rest.split_once("/stages/").ok_or_else(|| invalid("RESOURCE_ARN", arn))?;
        let stage = here.apigateway.apis.get_mut(api).and_then(|api| api.stages.get_mut(stage));
        stage.map(|stage| Slot { acl: &mut stage.web_acl, ready: true })
    } else if let Some(id) = own("appsync", "apis") {
        here.appsync.apis.get_mut(id).map(|api| Slot { acl: &mut api.web_acl, ready: true })
    } else if let Some(id) = own("cognito-idp", "userpool") {
        here.cognito.pools.get_mut(id).map(|pool| Slot { acl: &mut pool.web_acl, ready: true })
    } else if let Some(rest) = own("apprunner", "service") {
        let (name, id) = rest.split_once('/').ok_or_else(|| invalid("RESOURCE_ARN", arn))?;
        let one = here.apprunner.services.get_mut(name);
        let one = one.filter(|one| one.resource(name) == format!("service/{name}/{id}"));
        one.map(|one| Slot { ready: one.status == ServiceStatus::Running, acl: &mut one.web_acl })
    } else {
        return Err(invalid("RESOURCE_ARN", arn));
    };
    found.ok_or_else(nonexistent)
}

struct Place {
    region: String,
    account: String,
}

impl Place {
    fn of(call: &Call<'_>) -> Self {
        Self { region: call.region.to_owned(), account: call.caller.account.clone() }
    }
}

/// The ARNs of the resources of one type that have this web ACL.
fn associated(call: &mut Call<'_>, acl: &str, kind: &ResourceType) -> Result<Vec<String>, Refusal> {
    let here = call.here().clone();
    let has = |live: &Option<String>| live.as_deref() == Some(acl);
    Ok(match kind {
        ResourceType::ApplicationLoadBalancer => {
            let all = here.elb.all.iter().filter(|(_, one)| has(&one.web_acl));
            all.map(|(name, one)| call.arn("elasticloadbalancing", one.resource(name))).collect()
        }
        ResourceType::ApiGateway => {
            let stages = here.apigateway.apis.iter().flat_map(|(id, api)| {
                api.stages.iter().filter(|(_, stage)| has(&stage.web_acl)).map(move |(name, _)| (id, name))
            });
            let region = call.region;
            stages
                .map(|(id, stage)| format!("arn:aws:apigateway:{region}::/restapis/{id}/stages/{stage}"))
                .collect()
        }
        ResourceType::Appsync => {
            let all = here.appsync.apis.iter().filter(|(_, one)| has(&one.web_acl));
            all.map(|(id, _)| call.arn("appsync", format_args!("apis/{id}"))).collect()
        }
        ResourceType::CognitioUserPool => {
            let all = here.cognito.pools.iter().filter(|(_, one)| has(&one.web_acl));
            all.map(|(id, _)| call.arn("cognito-idp", format_args!("userpool/{id}"))).collect()
        }
        ResourceType::AppRunnerService => {
            let all = here.apprunner.services.iter().filter(|(_, one)| has(&one.web_acl));
            all.map(|(name, one)| call.arn("apprunner", one.resource(name))).collect()
        }
        other => return Err(invalid("RESOURCE_TYPE", other.as_str())),
    })
}

fn exists(call: &mut Call<'_>, acl: &str) -> Result<(), Refusal> {
    let known = call.here().waf.web_acls.values().any(|one| one.arn == acl);
    if known { Ok(()) } else { Err(nonexistent()) }
}

/// AssociateWebACL: for a resource that has a web ACL, the new one takes its place.
pub(super) fn associate(
    call: &mut Call<'_>,
    input: &AssociateWebAclInput,
) -> Result<AssociateWebAclOutput, Refusal> {
    let acl = input.web_acl_arn().unwrap_or_default().to_owned();
    let resource = input.resource_arn().unwrap_or_default();
    let (place, now) = (Place::of(call), call.now);
    let slot = slot(call.here(), resource, &place)?;
    if !slot.ready {
        return Err(unavailable());
    }
    exists(call, &acl)?;
    let usable = &mut call.here().waf.associations.usable;
    if now < *usable.entry(acl.clone()).or_insert(now + PROPAGATION) {
        return Err(unavailable());
    }
    let on = associated(call, &acl, &ResourceType::ApplicationLoadBalancer)?;
    let is_load_balancer = resource.contains(":loadbalancer/app/");
    if is_load_balancer && on.len() >= LOAD_BALANCERS && !on.iter().any(|arn| arn == resource) {
        return Err(Refusal::new(
            400,
            "WAFLimitsExceededException",
            format!(
                "AWS WAF couldn’t perform the operation because you exceeded your resource limit of {LOAD_BALANCERS}."
            ),
        ));
    }
    *self::slot(call.here(), resource, &place)?.acl = Some(acl);
    Ok(AssociateWebAclOutput::builder().build())
}

/// DisassociateWebACL: a resource without a web ACL stays without one.
pub(super) fn disassociate(
    call: &mut Call<'_>,
    input: &DisassociateWebAclInput,
) -> Result<DisassociateWebAclOutput, Refusal> {
    let place = Place::of(call);
    *slot(call.here(), input.resource_arn().unwrap_or_default(), &place)?.acl = None;
    Ok(DisassociateWebAclOutput::builder().build())
}

/// GetWebACLForResource: an empty answer where there is none.
pub(super) fn get(
    call: &mut Call<'_>,
    input: &GetWebAclForResourceInput,
) -> Result<GetWebAclForResourceOutput, Refusal> {
    let place = Place::of(call);
    let arn = slot(call.here(), input.resource_arn().unwrap_or_default(), &place)?.acl.clone();
    let acls = call.here().waf.web_acls.values();
    let acl = acls.clone().find(|one| Some(&one.arn) == arn.as_ref()).map(|one| one.acl.clone());
    Ok(GetWebAclForResourceOutput::builder().set_web_acl(acl).build())
}

/// ListResourcesForWebACL: load balancers unless another type is asked for; not paginated.
pub(super) fn list(
    call: &mut Call<'_>,
    input: &ListResourcesForWebAclInput,
) -> Result<ListResourcesForWebAclOutput, Refusal> {
    let acl = input.web_acl_arn().unwrap_or_default();
    exists(call, acl)?;
    let kind = input.resource_type().unwrap_or(&ResourceType::ApplicationLoadBalancer);
    let arns = associated(call, acl, kind)?;
    Ok(ListResourcesForWebAclOutput::builder().set_resource_arns(Some(arns)).build())
}

#[cfg(test)]
mod tests;
