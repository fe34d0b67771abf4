//! `waf.association`: web ACLs of AWS WAF on load balancers, APIs, user pools and App Runner services.

mod listing;
mod live;
mod plan;
mod resource;
mod spec;
mod write;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::aws::{Reader, Writer};
use crate::control::{
    Call, Control, Facts, Field, Finding, Known, Meta, Need, Reach, Rule, Severity, Sight, Tags,
};
use crate::fault::Fault;
use resource::{Observed, Resource};
use spec::{Acl, AssociationRule, AssociationSpec, ResourceType, Which};
use write::Write;

/// Web ACLs on resources.
pub struct WebAclAssociation;

/// The rules whole: which tags are read and which web ACLs are looked at depends on all of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    rules: Vec<AssociationRule>,
    /// Tags of all resources, because an exception selects by them.
    #[serde(default)]
    tags: bool,
}

impl Control for WebAclAssociation {
    const META: Meta = Meta {
        id: "waf.association",
        title: "What the internet reaches stands behind a web ACL",
        docs: "\
## What it checks

Which web ACL each resource has, in each region, against the first rule that selects it. Five types of resources
can have one from here, by AWS WAF's names: `APPLICATION_LOAD_BALANCER`, `API_GATEWAY` (stages of REST APIs),
`APPSYNC` (GraphQL APIs), `COGNITO_USER_POOL` and `APP_RUNNER_SERVICE`. Only services that a rule with an `acl`
selects are asked. CloudFront distributions have controls of their own: their web ACL is set in the
distribution.

A rule names one web ACL, and other ones that will do as well, by pattern: `accept: [\"*\"]` asks for some web ACL
and lets everybody choose. A web ACL that Firewall Manager made, or has put its rules into, is left alone.

FSBP asks for a web ACL on each stage of a REST API (APIGateway.4). For load balancers there is a check in Security
Hub, ELB.16, which belongs to its NIST SP 800-53 standard and not to FSBP.

## Why it matters

A web ACL that is associated with nothing protects nothing. It is the one part of AWS WAF that each new load
balancer and each new stage starts without.

## What apply does

One call for each resource. From then on requests that the web ACL blocks fail, so the plan calls every association
disruptive: look at what its rules count before they block. AWS WAF charges for each request that it inspects.
The web ACL must be there, or be made by the same plan; until it is, the change is blocked.

A resource has one web ACL at a time. Where it has another one than `acl`, which no pattern of `accept` matches, the
plan says that this one is replaced, and `onConflict: fail` forbids it. What the other one blocks is no longer
blocked then: unless it has no rules and lets everything in, the change weakens, and apply refuses it without
`--allow weakening:RESOURCE`. The same is true of `acl: none`, which takes the web ACL off.

A web ACL of AWS WAF Classic is told as such. A resource of one of the types keeps everything else.

## How to undo

The audit record of the run holds which web ACL each resource had, or `none`: declare that in a rule for the resource,
above the other rules, and apply with `--allow weakening:RESOURCE`.
",
        example: "\
rules:
- select:
    types:
    - APPLICATION_LOAD_BALANCER
    - API_GATEWAY
    - APPSYNC
    - COGNITO_USER_POOL
    - APP_RUNNER_SERVICE
    names: [\"*\"]
    tags: {exposure: public}
    scheme: internet-facing
  acl: baseline
  accept: [partner-*]
- select:
    types: [APPLICATION_LOAD_BALANCER]
    names: [trial-*]
  acl: none
",
        reach: Reach::REGION,
        rules: &[
            Rule { id: "load-balancer", severity: Severity::Medium, frameworks: &[] },
            Rule { id: "api-stage", severity: Severity::Medium, frameworks: &["fsbp/APIGateway.4"] },
            Rule { id: "graphql-api", severity: Severity::Medium, frameworks: &[] },
            Rule { id: "user-pool", severity: Severity::Medium, frameworks: &[] },
            Rule { id: "app-runner-service", severity: Severity::Medium, frameworks: &[] },
        ],
        reads: &[
            Call::new("elasticloadbalancing:DescribeLoadBalancers"),
            Call::new("elasticloadbalancing:DescribeTags"),
            Call::needing("apigateway:GetRestApis", &["apigateway:GET"]),
            Call::needing("apigateway:GetStages", &["apigateway:GET"]),
            Call::new("appsync:ListGraphqlApis"),
            Call::new("cognito-idp:ListUserPools"),
            Call::new("cognito-idp:ListTagsForResource"),
            Call::new("apprunner:ListServices"),
            Call::new("apprunner:ListTagsForResource"),
            Call::new("wafv2:ListWebACLs"),
            // Asked of AWS WAF, and allowed by the service that owns the resource, too (Service Authorization
            // Reference, AWS WAF V2).
            Call::needing(
                "wafv2:ListResourcesForWebACL",
                &[
                    "wafv2:ListResourcesForWebACL",
                    "elasticloadbalancing:DescribeWebACLAssociation",
                    "cognito-idp:ListResourcesForWebACL",
                    "apprunner:ListAssociatedServicesForWebAcl",
                ],
            ),
            Call::needing(
                "wafv2:GetWebACLForResource",
                &[
                    "wafv2:GetWebACLForResource",
                    "wafv2:GetWebACL",
                    "elasticloadbalancing:GetLoadBalancerWebACL",
                    "cognito-idp:GetWebACLForResource",
                    "apprunner:DescribeWebAclForService",
                ],
            ),
            Call::new("wafv2:GetWebACL"),
        ],
        writes: &[write::ASSOCIATE, write::DISASSOCIATE],
        events: &["elasticloadbalancing:CreateLoadBalancer"],
        undo: Some("nothing more: which web ACL a resource had is in the audit record"),
        tags: true,
    };
    type Desired = AssociationSpec;
    type Ask = Ask;
    type Observed = Observed;
    type Action = Write;

    fn ask(&self, facts: &Facts, spec: &AssociationSpec) -> Ask {
        Ask { rules: spec.rules.clone(), tags: facts.asks_tags(Self::META.id) }
    }

    async fn observe(&self, aws: &Reader, ask: &Ask) -> Result<Observed, Fault> {
        Ok(live::read(aws, &ask.rules, ask.tags).await)
    }

    fn needs(&self, facts: &Facts, spec: &AssociationSpec) -> Vec<Need> {
        let names: BTreeSet<&str> = spec
            .rules
            .iter()
            .filter_map(|rule| match &rule.acl {
                Some(Acl::Named(name)) => Some(name.as_str()),
                Some(Acl::None) | None => None,
            })
            .collect();
        names.into_iter().map(|name| Need::hard(plan::thing(facts, name))).collect()
    }

    fn plan(
        &self,
        facts: &Facts,
        known: &Known,
        spec: &AssociationSpec,
        observed: &Observed,
    ) -> Vec<Finding<Write>> {
        plan::findings(facts, known, &spec.rules, observed)
    }

    async fn apply(&self, aws: &Writer, known: &Known, action: &Write) -> Result<(), Fault> {
        action.send(aws, known).await
    }

    /// A web ACL of AWS WAF Classic has no name that could be declared: its resource is left out.
    fn import(&self, _: &Facts, _: &Known, observed: &Observed) -> Option<AssociationSpec> {
        let seen = observed.found.values().filter_map(|sight| match sight {
            Sight::Seen(resources) => Some(resources.values()),
            Sight::Unseen(_) => None,
        });
        let rules: Vec<AssociationRule> = seen
            .flatten()
            .filter_map(|sight| {
                let Sight::Seen(one) = sight else { return None };
                Some(only(one.kind, &one.name, live_word(one)?))
            })
            .collect();
        (!rules.is_empty()).then_some(AssociationSpec { rules })
    }

    fn tags(&self, observed: &Observed) -> BTreeMap<String, Tags> {
        let seen = observed.found.iter().filter_map(|(kind, sight)| match sight {
            Sight::Seen(resources) => Some(resources.values().map(move |one| (*kind, one))),
            Sight::Unseen(_) => None,
        });
        let tags = |(kind, sight): (ResourceType, &Sight<Resource>)| match sight {
            Sight::Seen(one) => Some((plan::in_plan(kind, &one.name), one.tags.clone())),
            Sight::Unseen(_) => None,
        };
        seen.flatten().filter_map(tags).collect()
    }

    fn inverse(&self, resource: &str, fields: &[Field]) -> Option<AssociationSpec> {
        let (kind, name) = ResourceType::of_plan(resource)?;
        let before = fields.iter().find(|field| field.path.ends_with("/acl"))?.before.as_str()?;
        let acl = Acl::try_from(before.to_owned()).ok()?;
        Some(AssociationSpec { rules: vec![only(kind, name, acl)] })
    }
}

/// The web ACL that a resource has, as it would be declared.
fn live_word(one: &Resource) -> Option<Acl> {
    match &one.acl {
        Sight::Seen(None) => Some(Acl::None),
        Sight::Seen(Some(live)) => Some(Acl::Named(live.named()?.name.to_owned())),
        Sight::Unseen(_) => None,
    }
}

/// A rule for the one resource of this name.
fn only(kind: ResourceType, name: &str, acl: Acl) -> AssociationRule {
    let select = Which { types: vec![kind], names: Some(vec![name.to_owned()]), tags: None, scheme: None };
    AssociationRule { select, acl: Some(acl), accept: None }
}

#[cfg(test)]
mod tests;
