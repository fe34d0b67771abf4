//! What is live: which resources there are, and which web ACL each of them has.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_wafv2::Client as Waf;
use aws_sdk_wafv2::types::{ResourceType as WafType, Scope as WafScope};
use futures::StreamExt as _;
use futures::future::join_all;
use tokio::sync::OnceCell;

use super::listing::{self, AT_ONCE, Found, Services};
use super::resource::{ByName, ByType, LiveAcl, Observed, OtherAcl, Resource};
use super::spec::{Acl, AssociationRule, ResourceType, Rules as _};
use crate::aws::{Reader, fault};
use crate::control::Sight;
use crate::fault::{Fault, FaultKind};

/// The region's web ACLs, listed when first needed.
type Acls = OnceCell<Result<Vec<LiveAcl>, Fault>>;

/// Looks at what some rule has an `acl` for, and asks no other service.
pub async fn read(aws: &Reader, rules: &[AssociationRule], all_tags: bool) -> Observed {
    let (services, waf) = (Services::from(aws), aws.waf());
    let acls = Acls::new();
    let kinds = rules.types();
    let found =
        join_all(kinds.iter().map(|kind| read_type(&waf, &services, &acls, *kind, rules, all_tags))).await;
    let found: BTreeMap<_, _> = kinds.into_iter().zip(found).collect();
    let others = others(&waf, &found, rules).await;
    Observed { found, others }
}

async fn read_type(
    waf: &Waf,
    services: &Services,
    acls: &Acls,
    kind: ResourceType,
    rules: &[AssociationRule],
    all_tags: bool,
) -> Sight<ByName> {
    let listed = match listing::list(services, kind, rules).await {
        Ok(listed) => listed,
        Err(fault) => return Sight::Unseen(listing::or_not_offered(kind, &services.scope, fault)),
    };
    let (seen, unseen) = apart(listed);
    let (wanting, rest): (Vec<_>, Vec<_>) =
        seen.into_iter().partition(|one| all_tags || rules.want_tags(one));
    let mut seen = rest;
    if !wanting.is_empty() {
        seen.extend(listing::read_tags(services, kind, wanting).await);
    }
    // What no rule governs is nobody's business here; what may be governed is kept, and said to be unknown.
    seen.retain(|one| match rules.governing(one) {
        Ok(governing) => governing.is_some_and(|(_, rule)| rule.acl.is_some()),
        Err(_) => true,
    });
    let with_acls = match waf_type(kind) {
        Some(waf_type) if !seen.is_empty() => associations(waf, acls, &waf_type, seen).await,
        _ => seen,
    };
    let seen = with_acls.into_iter().map(|one| (one.name.clone(), Sight::Seen(one)));
    Sight::Seen(seen.chain(unseen).collect())
}

/// The seen, and the unseen by name.
fn apart(found: Found) -> (Vec<Resource>, Found) {
    let (mut seen, mut unseen) = (Vec::new(), Vec::new());
    for (name, sight) in found {
        match sight {
            Sight::Seen(resource) => seen.push(resource),
            Sight::Unseen(_) => unseen.push((name, sight)),
        }
    }
    (seen, unseen)
}

/// What AWS WAF has to be asked about; of stages and GraphQL APIs their own services say it.
fn waf_type(kind: ResourceType) -> Option<WafType> {
    match kind {
        ResourceType::ApplicationLoadBalancer => Some(WafType::ApplicationLoadBalancer),
        // Spelled so by the SDK; AWS says COGNITO_USER_POOL.
        ResourceType::CognitoUserPool => Some(WafType::CognitioUserPool),
        ResourceType::AppRunnerService => Some(WafType::AppRunnerService),
        ResourceType::ApiGateway | ResourceType::Appsync => None,
    }
}

/// Finds the web ACL of each resource in the fewer calls: one for each web ACL, or one for each resource. AWS
/// WAF takes one of either in a second.
async fn associations(waf: &Waf, acls: &Acls, kind: &WafType, resources: Vec<Resource>) -> Vec<Resource> {
    let acls = match acls.get_or_init(|| list_acls(waf)).await {
        Ok(acls) => acls,
        Err(fault) => return resources.into_iter().map(|one| unseen(one, fault)).collect(),
    };
    if acls.len() >= resources.len() {
        let asked = futures::stream::iter(resources).map(|one| acl_of(waf, one)).buffer_unordered(AT_ONCE);
        return asked.filter_map(std::future::ready).collect().await;
    }
    let listed: Vec<_> = futures::stream::iter(acls.clone())
        .map(|acl| async move {
            let answer = resources_of(waf, &acl, kind).await;
            (acl, answer)
        })
        .buffered(AT_ONCE)
        .collect()
        .await;
    let mut acl_by_arn: BTreeMap<String, LiveAcl> = BTreeMap::new();
    let mut missed = None;
    for (acl, answer) in listed {
        match answer {
            Ok(arns) => acl_by_arn.extend(arns.into_iter().map(|arn| (arn, acl.clone()))),
            Err(fault) => missed = Some(fault),
        }
    }
    resources
        .into_iter()
        .map(|one| match (acl_by_arn.get(&one.arn), &missed) {
            (Some(acl), _) => Resource { acl: Sight::Seen(Some(acl.clone())), ..one },
            (None, None) => Resource { acl: Sight::Seen(None), ..one },
            // It may have the one that could not be asked.
            (None, Some(fault)) => unseen(one, fault),
        })
        .collect()
}

fn unseen(one: Resource, fault: &Fault) -> Resource {
    Resource { acl: Sight::Unseen(fault.clone()), ..one }
}

/// ListWebACLs has no paginator: it goes on with `NextMarker` until there is none.
pub(super) async fn list_acls(waf: &Waf) -> Result<Vec<LiveAcl>, Fault> {
    let mut acls = Vec::new();
    let mut marker = None;
    loop {
        let call = waf.list_web_acls().scope(WafScope::Regional).limit(100).set_next_marker(marker);
        let page = call.send().await.map_err(fault("wafv2:ListWebACLs"))?;
        let listed = page.web_acls.unwrap_or_default();
        let is_last = listed.is_empty();
        acls.extend(listed.into_iter().filter_map(|acl| acl.arn).map(LiveAcl));
        marker = page.next_marker.filter(|next| !next.is_empty() && !is_last);
        if marker.is_none() {
            return Ok(acls);
        }
    }
}

/// The resources of one type that have this web ACL; none where it was deleted since.
pub(super) async fn resources_of(waf: &Waf, acl: &LiveAcl, kind: &WafType) -> Result<Vec<String>, Fault> {
    let call = waf.list_resources_for_web_acl().web_acl_arn(&acl.0).resource_type(kind.clone());
    match call.send().await {
        Ok(answer) => Ok(answer.resource_arns.unwrap_or_default()),
        Err(error) if error.as_service_error().is_some_and(|e| e.is_waf_nonexistent_item_exception()) => {
            Ok(Vec::new())
        }
        Err(error) => Err(fault("wafv2:ListResourcesForWebACL")(error)),
    }
}

/// `None`: the resource went away since it was listed.
pub(super) async fn acl_of(waf: &Waf, one: Resource) -> Option<Resource> {
    let acl = match waf.get_web_acl_for_resource().resource_arn(&one.arn).send().await {
        Ok(answer) => Sight::Seen(answer.web_acl.and_then(|acl| LiveAcl::of(Some(acl.arn)))),
        Err(error) if error.as_service_error().is_some_and(|e| e.is_waf_nonexistent_item_exception()) => {
            return None;
        }
        Err(error) => Sight::Unseen(fault("wafv2:GetWebACLForResource")(error)),
    };
    Some(Resource { acl, ..one })
}

/// Looks at the web ACLs that are in the way: on a resource whose rule names another and does not accept them.
async fn others(waf: &Waf, found: &ByType, rules: &[AssociationRule]) -> BTreeMap<LiveAcl, Sight<OtherAcl>> {
    let seen = found.values().filter_map(|sight| match sight {
        Sight::Seen(resources) => Some(resources.values()),
        Sight::Unseen(_) => None,
    });
    let in_the_way: BTreeSet<LiveAcl> = seen
        .flatten()
        .filter_map(|sight| {
            let Sight::Seen(one) = sight else { return None };
            let Sight::Seen(Some(live)) = &one.acl else { return None };
            let (_, rule) = rules.governing(one).ok()??;
            let named = live.named()?.name;
            let is_declared = matches!(&rule.acl, Some(Acl::Named(name)) if name == named);
            (!is_declared && !rule.accepts(named)).then(|| live.clone())
        })
        .collect();
    futures::stream::iter(in_the_way)
        .map(|acl| async move {
            let sight = other(waf, &acl).await;
            (acl, sight)
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await
}

pub(super) async fn other(waf: &Waf, acl: &LiveAcl) -> Sight<OtherAcl> {
    let Some(named) = acl.named() else {
        return Sight::Seen(OtherAcl { firewall_manager: false, inspects: true });
    };
    let call = waf.get_web_acl().name(named.name).id(named.id).scope(WafScope::Regional);
    let answer = match call.send().await {
        Ok(answer) => answer.web_acl,
        Err(error) => return Sight::Unseen(fault("wafv2:GetWebACL")(error)),
    };
    let Some(acl) = answer else {
        return Sight::Unseen(Fault::local(FaultKind::Invalid, "wafv2:GetWebACL", "the answer is empty"));
    };
    let lets_in = acl.default_action.as_ref().is_some_and(|action| action.allow.is_some());
    Sight::Seen(OtherAcl {
        firewall_manager: acl.managed_by_firewall_manager || acl.retrofitted_by_firewall_manager,
        inspects: !lets_in || acl.rules.is_some_and(|rules| !rules.is_empty()),
    })
}
