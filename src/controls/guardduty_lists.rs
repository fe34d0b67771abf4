//! `guardduty.lists`: addresses that GuardDuty trusts, and addresses that it takes for attackers.
//!
//! Each list is a resource of its own, known by its name. GuardDuty reads a list when it is made active, which takes
//! some minutes. Where there is no detector yet, no list is there, which is what is still so once there is one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::aws::{Reader, Writer};
use crate::control::{Control, Facts, Field, Finding, Known, Meta, Need, Reach, Rule, Severity, Thing};
use crate::fault::Fault;

mod live;
mod plan;
mod spec;
#[cfg(test)]
mod tests;
mod write;

use live::Live;
use spec::{Kind, ListsSpec};
use write::Write;

pub struct Lists;

/// Which kinds are declared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    trusted: bool,
    threats: bool,
}

impl Control for Lists {
    const META: Meta = Meta {
        id: "guardduty.lists",
        title: "GuardDuty trusts and suspects only the addresses that are declared",
        docs: "\
## What it checks

In each region, for each list that is declared: where GuardDuty reads it from, in which format, and whether it is in
use. `trusted` are addresses of which GuardDuty reports nothing; AWS has one such list in an account and region.
`threats` are addresses whose every contact it reports; AWS has six. Lists of other names are left alone, and so is what
a list says: that is the file's affair.

Lists of a member account are its GuardDuty administrator's: where one differs, the plan names the administrator and
leaves it alone.

## Why it matters

Whoever writes the file of a trusted list is invisible to GuardDuty. A threat list brings in what your own sector knows
of its attackers.

## What apply does

It makes and updates lists, one call each. GuardDuty then reads the file, with its service-linked role, for some
minutes; a file that it cannot read is a finding of its own. What a trusted list newly hides weakens, so apply asks for
`--allow weakening:NAME`. A list that changes in its file has to be taken out of use and back for GuardDuty to read it
again. The format of a list cannot be changed.

## How to undo

The audit record of the run holds what the fields were: declare those values, and apply. A list that did not exist
before is taken out of use by `active: false`; it is not deleted.
",
        example: "\
trusted:
  offices:
    format: TXT
    location: s3://acme-guardduty-lists/offices.txt
    active: true
threats:
  sector-feed:
    format: STIX
    location: s3://acme-guardduty-lists/sector-feed.stix
    active: true
",
        reach: Reach::REGION,
        rules: &[
            Rule { id: Kind::Trusted.rule(), severity: Severity::Medium, frameworks: &[] },
            Rule { id: Kind::Threat.rule(), severity: Severity::Low, frameworks: &[] },
        ],
        reads: live::READS,
        writes: &[write::CREATE_TRUSTED, write::UPDATE_TRUSTED, write::CREATE_THREAT, write::UPDATE_THREAT],
        events: &["guardduty:DeleteIPSet", "guardduty:DeleteThreatIntelSet"],
        undo: Some("baseline never deletes a list"),
        tags: false,
    };
    type Desired = ListsSpec;
    type Ask = Ask;
    type Observed = Live;
    type Action = Write;

    fn ask(&self, _: &Facts, spec: &ListsSpec) -> Ask {
        Ask { trusted: !spec.trusted.is_empty(), threats: !spec.threats.is_empty() }
    }

    async fn observe(&self, aws: &Reader, ask: &Ask) -> Result<Live, Fault> {
        live::read(aws, ask).await
    }

    fn needs(&self, facts: &Facts, spec: &ListsSpec) -> Vec<Need> {
        if spec.trusted.is_empty() && spec.threats.is_empty() {
            return Vec::new();
        }
        let scope = facts.scope.clone();
        vec![Need::hard(Thing::Detector { account: scope.account, region: scope.region })]
    }

    fn plan(&self, facts: &Facts, _: &Known, spec: &ListsSpec, observed: &Live) -> Vec<Finding<Write>> {
        let of = |kind: Kind, wanted: &BTreeMap<String, spec::ListSpec>| {
            let verdict = |(name, wanted): (&String, &spec::ListSpec)| {
                let verdict = plan::list(facts, kind, name, wanted, observed);
                Finding::new(name.clone(), kind.rule(), verdict)
            };
            wanted.iter().map(verdict).collect::<Vec<_>>()
        };
        [of(Kind::Trusted, &spec.trusted), of(Kind::Threat, &spec.threats)].concat()
    }

    async fn apply(&self, aws: &Writer, _: &Known, action: &Write) -> Result<(), Fault> {
        action.send(aws).await
    }

    fn import(&self, _: &Facts, _: &Known, observed: &Live) -> Option<ListsSpec> {
        let described = |lists: &BTreeMap<String, live::List>| {
            lists.iter().map(|(name, live)| (name.clone(), live.described())).collect()
        };
        let spec = ListsSpec { trusted: described(&observed.trusted), threats: described(&observed.threats) };
        (spec != ListsSpec::default()).then_some(spec)
    }

    /// A list that did not exist is one that is not in use.
    fn inverse(&self, resource: &str, fields: &[Field]) -> Option<ListsSpec> {
        let kind = fields.first()?.path.trim_start_matches('/').split('/').next()?.to_owned();
        let before = |field: &Field| match (field.path.rsplit('/').next()?, &field.before) {
            ("active", Value::Bool(on)) => Some(("active".to_owned(), json!(on))),
            ("active", _) => Some(("active".to_owned(), json!(false))),
            (_, Value::Null) => None,
            (leaf, value) => Some((leaf.to_owned(), value.clone())),
        };
        let list: Map<String, Value> = fields.iter().filter_map(before).collect();
        if list.is_empty() {
            return None;
        }
        serde_json::from_value(json!({kind: {resource: list}})).ok()
    }
}
