//! AWS WAF: web ACLs, IP sets, managed rule groups, logging.
//!
//! Sources: AWS WAFV2 API Reference, the operation or type named at each handler, and the AWS WAF Developer Guide.

mod acls;
pub mod association;
mod capacity;
mod ip_sets;
mod logging;
mod managed;
mod rules;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_wafv2::types::{IpSet, LoggingConfiguration, Scope, Tag};
use jiff::Timestamp;

use super::operation::{Call, Operations, Protocol, Refusal, Service, length_within};

static SERVICE: Service = Service {
    id: "WAFV2",
    prefix: "wafv2",
    protocol: Protocol::Json,
    throttled: ("ThrottlingException", 400),
    broken: ("WAFInternalErrorException", 500),
};

pub(super) fn operations() -> Operations {
    Operations::of(&SERVICE)
        .on("ListWebACLs", acls::list)
        .on("GetWebACL", acls::get)
        .on("CreateWebACL", acls::create)
        .on("UpdateWebACL", acls::update)
        .on("CheckCapacity", capacity::check)
        .on("ListIPSets", ip_sets::list)
        .on("GetIPSet", ip_sets::get)
        .on("CreateIPSet", ip_sets::create)
        .on("UpdateIPSet", ip_sets::update)
        .on("DescribeManagedRuleGroup", managed::describe)
        .on("ListAvailableManagedRuleGroupVersions", managed::versions)
        .on("PutLoggingConfiguration", logging::put)
        .on("GetLoggingConfiguration", logging::get)
        .on("AssociateWebACL", association::associate)
        .on("DisassociateWebACL", association::disassociate)
        .on("GetWebACLForResource", association::get)
        .on("ListResourcesForWebACL", association::list)
}

/// What the service holds of one account in one region. CloudFront's web ACLs are in `us-east-1` alone.
#[derive(Clone, Debug, Default)]
pub struct Waf {
    /// Web ACLs of the region, by name.
    pub web_acls: BTreeMap<String, WebAcl>,
    /// Web ACLs for CloudFront, by name.
    pub cloudfront_acls: BTreeMap<String, WebAcl>,
    /// IP sets of the region, by name.
    pub ip_sets: BTreeMap<String, Addresses>,
    /// IP sets for CloudFront, by name.
    pub cloudfront_ip_sets: BTreeMap<String, Addresses>,
    /// Logging, by the ARN of the web ACL.
    pub logging: BTreeMap<String, LoggingConfiguration>,
    /// Versions of managed rule groups that are gone, as `GROUP/VERSION`.
    pub expired: BTreeSet<String>,
    /// What is remembered of associations.
    pub associations: association::Associations,
}

/// A web ACL, as GetWebACL tells it, with the token that the next change has to show.
#[derive(Clone, Debug)]
pub struct WebAcl {
    pub arn: String,
    pub acl: aws_sdk_wafv2::types::WebAcl,
    pub lock_token: String,
    pub tags: Vec<Tag>,
}

/// An IP set.
#[derive(Clone, Debug)]
pub struct Addresses {
    pub set: IpSet,
    pub lock_token: String,
    pub tags: Vec<Tag>,
    /// Rules may refer to it from then on.
    pub usable: Timestamp,
}

impl Waf {
    /// The web ACLs of a scope.
    pub fn acls(&mut self, scope: &Scope) -> &mut BTreeMap<String, WebAcl> {
        if *scope == Scope::Cloudfront { &mut self.cloudfront_acls } else { &mut self.web_acls }
    }

    /// The IP sets of a scope.
    pub fn sets(&mut self, scope: &Scope) -> &mut BTreeMap<String, Addresses> {
        if *scope == Scope::Cloudfront { &mut self.cloudfront_ip_sets } else { &mut self.ip_sets }
    }
}

/// 400 with WAFInvalidParameterException: field, parameter and reason stand in its message, too.
fn invalid(field: &str, parameter: impl std::fmt::Display) -> Refusal {
    Refusal::new(
        400,
        "WAFInvalidParameterException",
        format!("Error reason: The parameter is not valid., field: {field}, parameter: {parameter}"),
    )
}

fn nonexistent() -> Refusal {
    Refusal::new(
        400,
        "WAFNonexistentItemException",
        "AWS WAF couldn’t perform the operation because your resource doesn’t exist.",
    )
}

fn duplicate() -> Refusal {
    Refusal::new(
        400,
        "WAFDuplicateItemException",
        "AWS WAF couldn’t perform the operation because some resource in your request is a duplicate of an existing \
         one.",
    )
}

fn outdated() -> Refusal {
    Refusal::new(
        400,
        "WAFOptimisticLockException",
        "AWS WAF couldn’t save your changes because someone changed the resource after you started to edit it. \
         Reapply your changes.",
    )
}

/// The scope of a request; CLOUDFRONT is known in us-east-1 alone (CreateWebACLRequest, `Scope`).
fn scope(call: &Call<'_>, scope: Option<&Scope>) -> Result<Scope, Refusal> {
    match scope {
        Some(Scope::Regional) => Ok(Scope::Regional),
        Some(Scope::Cloudfront) if call.region == "us-east-1" => Ok(Scope::Cloudfront),
        Some(other) => Err(invalid("SCOPE_VALUE", other.as_str())),
        None => Err(invalid("SCOPE_VALUE", "none")),
    }
}

/// `EntityName` in the model: 1–128 of `[\w\-]`.
fn entity_name<'n>(name: Option<&'n str>, field: &str) -> Result<&'n str, Refusal> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    name.filter(|name| length_within(name, 1, 128) && name.chars().all(fits))
        .ok_or_else(|| invalid(field, name.unwrap_or_default()))
}

/// `EntityDescription` in the model: 3 characters at least, without space at its ends.
fn description(text: Option<&str>) -> Result<(), Refusal> {
    let inner = |c: char| c.is_ascii_alphanumeric() || "_+=:#@/-,.".contains(c);
    let fits = |text: &str| {
        length_within(text, 3, 256)
            && text.chars().all(|c| inner(c) || c.is_ascii_whitespace())
            && text.starts_with(inner)
            && text.ends_with(inner)
    };
    if text.is_none_or(fits) { Ok(()) } else { Err(invalid("DESCRIPTION", text.unwrap_or_default())) }
}

/// `TagList` in the model: one tag at least, keys of 1–128 characters that do not begin with `aws:`, values to 256.
fn tags(wanted: Option<&[Tag]>) -> Result<Vec<Tag>, Refusal> {
    let Some(wanted) = wanted else { return Ok(Vec::new()) };
    let fits = |tag: &Tag| {
        length_within(&tag.key, 1, 128) && length_within(&tag.value, 0, 256) && !tag.key.starts_with("aws:")
    };
    if wanted.is_empty() || wanted.len() > 50 || !wanted.iter().all(fits) {
        return Err(invalid("TAGS", "tags"));
    }
    Ok(wanted.to_vec())
}

/// How many entries a page has here: pages may be shorter than `Limit`.
const A_PAGE: usize = 2;

/// Lists of WAF go on with the name of the last entry, and a full page has a marker even where nothing follows.
fn page_after<T: Clone>(
    all: &[(String, T)],
    marker: Option<&str>,
    limit: Option<i32>,
) -> Result<(Vec<T>, Option<String>), Refusal> {
    if limit.is_some_and(|limit| !(1..=100).contains(&limit)) {
        return Err(invalid("ENTITY_LIMIT", "limit"));
    }
    let size = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(A_PAGE).min(A_PAGE);
    let rest = all.iter().filter(|(name, _)| marker.is_none_or(|marker| name.as_str() > marker));
    let page: Vec<&(String, T)> = rest.take(size).collect();
    let next = page.last().filter(|_| page.len() == size).map(|(name, _)| name.clone());
    Ok((page.into_iter().map(|(_, item)| item.clone()).collect(), next))
}

/// `arn:aws:wafv2:eu-west-1:…:regional/webacl/NAME/ID`; CloudFront's say `global`.
fn arn(call: &Call<'_>, scope: &Scope, kind: &str, name: &str, id: &str) -> String {
    let place = if *scope == Scope::Cloudfront { "global" } else { "regional" };
    call.arn("wafv2", format_args!("{place}/{kind}/{name}/{id}"))
}
