//! `config.conformance-packs`: bundles of rules and remediations that AWS Config deploys from one template.
//!
//! A control of its own rather than a part of `config.rules`: other calls, another life (AWS deploys for minutes), and
//! the rules of a pack are nobody's to change but the pack's.

use crate::aws::{Reader, Writer};
use crate::control::{Call, Control, Facts, Field, Finding, Known, Meta, Need, Reach, Rule, Severity, Thing};
use crate::fault::Fault;

mod live;
mod plan;
mod spec;
#[cfg(test)]
mod tests;
mod write;

use live::Observed;
use spec::{PackSpec, PacksSpec};
use write::Write;

pub struct ConformancePacks;

impl Control for ConformancePacks {
    const META: Meta = Meta {
        id: "config.conformance-packs",
        title: "Conformance packs are deployed as their templates say",
        docs: "\
## What it checks

For each declared pack, in each region: whether it is there, what it is made of (a template, or a document of
Systems Manager that holds one), with which parameters, and whether AWS has deployed it. Packs that are not
declared are left alone, and so are those that a service or the organisation made.

No call tells a pack's template. So apply puts the template's digest into a tag of the pack,
`baseline:template`, and a pack without that tag is one whose template is not known: it is deployed again.

What AWS Config would refuse is told before any call is made: templates of more than 51,200 bytes or 130 rules,
more than 60 parameters, names of more than 256 characters or with other characters than letters, digits and
hyphens, more than 50 packs in a region, more than 50 tags.

## Why it matters

A pack turns a framework into one list of rules that is deployed and reported as one.

## What apply does

Makes the pack, or updates it, and waits until AWS has deployed it. Parameters that are not declared are sent along
as they are. AWS makes the service-linked role AWSServiceRoleForConfigConforms with the first pack, and charges for
each evaluation of each rule.

## How to undo

The audit record of the run holds which parameters the pack had, and the digest of its template: the template
itself is in the git history of the YAML. A pack is not deleted: do that by hand.
",
        example: "\
packs:
  encryption:
    template: |
      Resources:
        Volumes:
          Type: AWS::Config::ConfigRule
          Properties:
            ConfigRuleName: encrypted-volumes
            Source: {Owner: AWS, SourceIdentifier: ENCRYPTED_VOLUMES}
    parameters:
      MaxAge: \"90\"
",
        reach: Reach::REGION,
        rules: &[Rule { id: "pack", severity: Severity::Medium, frameworks: &[] }],
        reads: &[
            Call::new("config:DescribeConformancePacks"),
            Call::new("config:DescribeConformancePackStatus"),
            Call::new("config:ListTagsForResource"),
        ],
        writes: &[write::PUT_PACK, write::TAG],
        events: &["config:DeleteConformancePack", "config:UntagResource"],
        undo: Some("baseline never deletes a pack"),
        tags: false,
    };
    type Desired = PacksSpec;
    /// The names of the declared packs.
    type Ask = Vec<String>;
    type Observed = Observed;
    type Action = Write;

    fn ask(&self, _: &Facts, spec: &PacksSpec) -> Vec<String> {
        spec.declared().map(|(name, _)| name.to_owned()).collect()
    }

    async fn observe(&self, aws: &Reader, ask: &Vec<String>) -> Result<Observed, Fault> {
        live::read(aws, ask).await
    }

    fn needs(&self, facts: &Facts, spec: &PacksSpec) -> Vec<Need> {
        let recorder = Thing::ConfigRecorder {
            account: facts.scope.account.clone(),
            region: facts.scope.region.clone(),
        };
        spec.declared().next().map(|_| Need::hard(recorder)).into_iter().collect()
    }

    fn plan(&self, facts: &Facts, _: &Known, spec: &PacksSpec, observed: &Observed) -> Vec<Finding<Write>> {
        let mut total = observed.total;
        let mut findings = Vec::new();
        for (name, pack) in spec.declared() {
            let live = observed.packs.get(name);
            total += usize::from(live.is_none());
            findings.push(Finding::new(name, "pack", plan::pack(facts, name, pack, live, total)));
        }
        findings
    }

    async fn apply(&self, aws: &Writer, _: &Known, action: &Write) -> Result<(), Fault> {
        action.send(aws).await
    }

    fn import(&self, _: &Facts, _: &Known, observed: &Observed) -> Option<PacksSpec> {
        let describe = |(name, pack): (&String, &live::Pack)| {
            let spec = PackSpec {
                document: pack.document.clone(),
                document_version: pack.document_version.clone(),
                parameters: pack.parameters.iter().map(|(k, v)| (k.clone(), Some(v.clone()))).collect(),
                ..PackSpec::default()
            };
            (name.clone(), Some(spec))
        };
        let own = observed.packs.iter().filter(|(_, pack)| pack.created_by.is_none());
        let packs: std::collections::BTreeMap<_, _> = own.map(describe).collect();
        (!packs.is_empty()).then_some(PacksSpec { packs })
    }

    /// A pack is sent whole, and no call tells the template that it was made of: git knows.
    fn inverse(&self, _: &str, _: &[Field]) -> Option<PacksSpec> {
        None
    }
}
