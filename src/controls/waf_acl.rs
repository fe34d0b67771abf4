//! `waf.regional-acl` and `waf.global-acl`: web ACLs of AWS WAF, in each region and for CloudFront.
//!
//! One implementation with two reaches: CloudFront's web ACLs are in the partition's global region alone, also where
//! that region is not managed. Three rules. `web-acl` is everything that CreateWebACL and UpdateWebACL write, and
//! the IP sets that it needs and that are not there; `logging` has a call of its own; `ip-set` keeps IP sets in step
//! with the Organization's lists of networks.

use std::collections::BTreeMap;

use crate::aws::{Reader, Writer};
use crate::control::{Call, Control, Facts, Finding, Known, Meta, Need, Reach, Rule, Severity, Sight};
use crate::fault::Fault;

mod compare;
mod docs;
mod live;
mod logged;
mod logging;
mod plan;
mod problems;
mod read;
mod rules;
mod scope_down;
mod sets;
mod spec;
#[cfg(test)]
mod tests;
mod weigh;
mod words;
mod write;

use live::Observed;
use plan::Here;
use read::Ask;
use spec::{AclSpec, AclsSpec};
use write::Write;

/// Web ACLs of each region, for load balancers, APIs and user pools; or those for CloudFront.
pub struct WebAcls<const CLOUDFRONT: bool>;

const RULES: &[Rule] = &[
    Rule { id: "web-acl", severity: Severity::Medium, frameworks: &["fsbp/WAF.10", "fsbp/WAF.12"] },
    Rule { id: "ip-set", severity: Severity::Medium, frameworks: &[] },
    Rule { id: "logging", severity: Severity::Low, frameworks: &["fsbp/WAF.11"] },
];

const READS: &[Call] = &[
    Call::new("wafv2:ListWebACLs"),
    Call::new("wafv2:GetWebACL"),
    Call::new("wafv2:ListIPSets"),
    Call::new("wafv2:GetIPSet"),
    Call::new("wafv2:CheckCapacity"),
    Call::new("wafv2:DescribeManagedRuleGroup"),
    Call::new("wafv2:ListAvailableManagedRuleGroupVersions"),
    Call::new("wafv2:GetLoggingConfiguration"),
];

const WRITES: &[Call] =
    &[write::CREATE_ACL, write::UPDATE_ACL, write::CREATE_SET, write::UPDATE_SET, write::PUT_LOGGING];

const fn meta(cloudfront: bool) -> Meta {
    Meta {
        id: if cloudfront { "waf.global-acl" } else { "waf.regional-acl" },
        title: if cloudfront {
            "Web ACLs for CloudFront look at requests as declared"
        } else {
            "Web ACLs look at requests as declared, in every region"
        },
        docs: if cloudfront { docs::GLOBAL } else { docs::REGIONAL },
        example: if cloudfront { docs::GLOBAL_EXAMPLE } else { docs::REGIONAL_EXAMPLE },
        reach: if cloudfront { Reach::GLOBAL } else { Reach::REGION },
        rules: RULES,
        reads: READS,
        writes: WRITES,
        events: &["wafv2:DeleteWebACL", "wafv2:DeleteIPSet", "wafv2:DeleteLoggingConfiguration"],
        undo: Some("baseline never deletes a web ACL, a rule, an IP set or logging"),
        tags: false,
    }
}

impl<const CLOUDFRONT: bool> WebAcls<CLOUDFRONT> {
    fn here<'f>(facts: &'f Facts, spec: &AclsSpec) -> Here<'f> {
        let used = spec.acls.values().flat_map(AclSpec::lists);
        let wanted = sets::wanted(facts, used);
        let used = sets::names_of(&wanted);
        Here { facts, cloudfront: CLOUDFRONT, wanted, used, lists: sets::all_names(facts) }
    }
}

impl<const CLOUDFRONT: bool> Control for WebAcls<CLOUDFRONT> {
    const META: Meta = meta(CLOUDFRONT);
    type Desired = AclsSpec;
    type Ask = Ask;
    type Observed = Observed;
    type Action = Write;

    fn ask(&self, facts: &Facts, spec: &AclsSpec) -> Ask {
        let unlogged = |spec: &AclSpec| AclSpec { logging: None, ..spec.clone() };
        let logged = spec.acls.iter().filter(|(_, acl)| acl.logging.is_some());
        Ask {
            acls: spec.acls.iter().map(|(name, acl)| (name.clone(), unlogged(acl))).collect(),
            logged: logged.map(|(name, _)| name.clone()).collect(),
            sets: Self::here(facts, spec).wanted.into_keys().collect(),
            lists: sets::all_names(facts),
        }
    }

    async fn observe(&self, aws: &Reader, ask: &Ask) -> Result<Observed, Fault> {
        read::read(aws, &live::scope(CLOUDFRONT), ask).await
    }

    fn needs(&self, facts: &Facts, spec: &AclsSpec) -> Vec<Need> {
        let logging = spec.acls.values().filter_map(|acl| acl.logging.as_ref());
        let thing = |one: &logging::LoggingSpec| one.to.as_ref()?.thing(&facts.scope, one.owner.as_ref());
        logging.filter_map(thing).map(Need::hard).collect()
    }

    fn plan(&self, facts: &Facts, _: &Known, spec: &AclsSpec, observed: &Observed) -> Vec<Finding<Write>> {
        plan::findings(&Self::here(facts, spec), spec, observed)
    }

    async fn apply(&self, aws: &Writer, _: &Known, action: &Write) -> Result<(), Fault> {
        action.send(aws, &live::scope(CLOUDFRONT)).await
    }

    fn import(&self, _: &Facts, _: &Known, observed: &Observed) -> Option<AclsSpec> {
        let acl = |(name, sight): (&String, &Sight<live::Seen>)| match sight {
            Sight::Seen(seen) => Some((name.clone(), import(seen)?)),
            Sight::Unseen(_) => None,
        };
        let acls: BTreeMap<String, AclSpec> = observed.acls.iter().filter_map(acl).collect();
        (!acls.is_empty()).then_some(AclsSpec { acls })
    }
}

/// One web ACL in the words of the spec; what they cannot tell is left out.
fn import(seen: &live::Seen) -> Option<AclSpec> {
    let live = seen.live.as_ref().filter(|live| !live.firewall_manager)?;
    let mut spec = live.spec.clone();
    let strange = |lists: &Option<std::collections::BTreeSet<String>>| {
        lists.iter().flatten().any(|list| sets::is_strange(list))
    };
    for rule in spec.networks.values_mut().filter(|rule| strange(&rule.lists)) {
        rule.lists = None;
    }
    let managed = spec.managed.values_mut().filter_map(|rule| rule.scope_down.as_mut());
    for scope in managed.chain(spec.rates.values_mut().filter_map(|rule| rule.scope_down.as_mut())) {
        for lists in [&mut scope.from, &mut scope.except_from] {
            *lists = lists.take().filter(|all| !all.iter().any(|list| sets::is_strange(list)));
        }
    }
    if let Some(Sight::Seen(Some(logging))) = &seen.logging {
        spec.logging = Some(logging.spec.clone());
    }
    Some(spec)
}
