//! Elastic Load Balancing: load balancers and their tags.
//!
//! Source: Elastic Load Balancing API Reference (version 2015-12-01), the operation named at each handler.

use std::collections::BTreeMap;

use aws_sdk_elasticloadbalancingv2::operation::describe_load_balancers::{
    DescribeLoadBalancersInput, DescribeLoadBalancersOutput,
};
use aws_sdk_elasticloadbalancingv2::operation::describe_tags::{DescribeTagsInput, DescribeTagsOutput};
use aws_sdk_elasticloadbalancingv2::types::{
    IpAddressType, LoadBalancerSchemeEnum, LoadBalancerState, LoadBalancerStateEnum, LoadBalancerTypeEnum,
    Tag, TagDescription,
};
use jiff::Timestamp;

use super::operation::{Call, Operations, Protocol, Refusal, Service, date_time, page};

static SERVICE: Service = Service {
    id: "Elastic Load Balancing v2",
    prefix: "elasticloadbalancing",
    protocol: Protocol::Query,
    throttled: ("Throttling", 400),
    broken: ("InternalFailure", 500),
};

pub(super) fn operations() -> Operations {
    Operations::of(&SERVICE).on("DescribeLoadBalancers", describe).on("DescribeTags", describe_tags)
}

/// The load balancers of one account in one region.
#[derive(Clone, Debug, Default)]
pub struct LoadBalancers {
    /// By name, which is unique in a region (CreateLoadBalancer, `Name`).
    pub all: BTreeMap<String, LoadBalancer>,
}

/// A load balancer.
#[derive(Clone, Debug)]
pub struct LoadBalancer {
    pub id: String,
    pub kind: LoadBalancerTypeEnum,
    pub scheme: LoadBalancerSchemeEnum,
    pub state: LoadBalancerStateEnum,
    pub tags: BTreeMap<String, String>,
    pub created: Timestamp,
    /// The ARN of its web ACL; only an application load balancer has one.
    pub web_acl: Option<String>,
}

impl LoadBalancer {
    /// An application load balancer that the internet reaches: the default of the console and of the API.
    pub fn application(id: &str, now: Timestamp) -> Self {
        Self {
            id: id.to_owned(),
            kind: LoadBalancerTypeEnum::Application,
            scheme: LoadBalancerSchemeEnum::InternetFacing,
            state: LoadBalancerStateEnum::Active,
            tags: BTreeMap::new(),
            created: now,
            web_acl: None,
        }
    }

    /// `loadbalancer/app/NAME/ID`, the last part of its ARN.
    pub(super) fn resource(&self, name: &str) -> String {
        let kind = match self.kind {
            LoadBalancerTypeEnum::Network => "net",
            LoadBalancerTypeEnum::Gateway => "gwy",
            _ => "app",
        };
        format!("loadbalancer/{kind}/{name}/{}", self.id)
    }
}

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new(400, "ValidationError", message)
}

fn missing(what: &str) -> Refusal {
    Refusal::new(400, "LoadBalancerNotFound", format!("{what} not found"))
}

/// How many load balancers a page has here: AWS gives up to 400, and whoever does not paginate is found out.
const A_PAGE: usize = 2;

/// DescribeLoadBalancers: names and paging exclude each other; at most 20 of either names or ARNs.
fn describe(
    call: &mut Call<'_>,
    input: &DescribeLoadBalancersInput,
) -> Result<DescribeLoadBalancersOutput, Refusal> {
    let named = input.names();
    if !input.load_balancer_arns().is_empty() {
        return Err(invalid("this world looks by name"));
    }
    if named.len() > 20 || (!named.is_empty() && (input.page_size().is_some() || input.marker().is_some())) {
        return Err(invalid("Target names: at most 20, and without paging"));
    }
    let size = match input.page_size() {
        None => A_PAGE,
        Some(size @ 1..=400) => usize::try_from(size).unwrap_or(A_PAGE).min(A_PAGE),
        Some(size) => return Err(invalid(format!("PageSize {size}: 1 to 400"))),
    };
    let told: Vec<(String, LoadBalancer)> = call.here().elb.all.clone().into_iter().collect();
    let (shown, next) = if named.is_empty() {
        page(&told, input.marker(), size).ok_or_else(|| invalid("Marker"))?
    } else {
        let find = |name: &String| told.iter().find(|(one, _)| one == name).cloned();
        let found: Option<Vec<_>> = named.iter().map(find).collect();
        (found.ok_or_else(|| missing(&format!("Load balancers '{named:?}'")))?, None)
    };
    let shown = shown.into_iter().map(|(name, one)| told_as(call, &name, &one)).collect();
    Ok(DescribeLoadBalancersOutput::builder().set_load_balancers(Some(shown)).set_next_marker(next).build())
}

fn told_as(
    call: &Call<'_>,
    name: &str,
    one: &LoadBalancer,
) -> aws_sdk_elasticloadbalancingv2::types::LoadBalancer {
    let internal = if one.scheme == LoadBalancerSchemeEnum::Internal { "internal-" } else { "" };
    aws_sdk_elasticloadbalancingv2::types::LoadBalancer::builder()
        .load_balancer_arn(call.arn("elasticloadbalancing", one.resource(name)))
        .load_balancer_name(name)
        .dns_name(format!("{internal}{name}-1234567890.{}.elb.amazonaws.com", call.region))
        .canonical_hosted_zone_id("Z32O12XQLNTSW2")
        .created_time(date_time(one.created))
        .scheme(one.scheme.clone())
        .vpc_id("vpc-0a1b2c3d4e5f60718")
        .state(LoadBalancerState::builder().code(one.state.clone()).build())
        .r#type(one.kind.clone())
        .ip_address_type(IpAddressType::Ipv4)
        .build()
}

/// DescribeTags: 1 to 20 ARNs, and one that is not there refuses all.
fn describe_tags(call: &mut Call<'_>, input: &DescribeTagsInput) -> Result<DescribeTagsOutput, Refusal> {
    let wanted = input.resource_arns();
    if !(1..=20).contains(&wanted.len()) {
        return Err(invalid(format!("ResourceArns: {} of 1 to 20", wanted.len())));
    }
    let all = call.here().elb.all.clone();
    let mut told = Vec::with_capacity(wanted.len());
    for arn in wanted {
        let found =
            all.iter().find(|(name, one)| call.arn("elasticloadbalancing", one.resource(name)) == *arn);
        let (_, one) = found.ok_or_else(|| missing(&format!("Load balancer '{arn}'")))?;
        let tags = one.tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
        let tags = Some(tags.collect::<Vec<_>>()).filter(|tags| !tags.is_empty());
        told.push(TagDescription::builder().resource_arn(arn).set_tags(tags).build());
    }
    Ok(DescribeTagsOutput::builder().set_tag_descriptions(Some(told)).build())
}
