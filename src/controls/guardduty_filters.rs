//! `guardduty.filters`: saved filters of findings, by name; one that archives keeps findings from everybody.
//!
//! Each filter is a resource of its own. Only those that are declared are read. Where there is no detector yet, none of
//! them is there, which is what is still so once there is one.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::aws::{Reader, Writer};
use crate::control::{
    Control, Facts, Field, Finding, Known, Meta, Need, Reach, Rule, Severity, Sight, Thing, Verdict,
};
use crate::fault::Fault;

mod live;
mod plan;
mod spec;
#[cfg(test)]
mod tests;
mod write;

use live::Live;
use spec::FiltersSpec;
use write::Write;

pub struct Filters;

/// The names that are declared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask(BTreeSet<String>);

impl Control for Filters {
    const META: Meta = Meta {
        id: "guardduty.filters",
        title: "Findings are hidden only by filters that are declared, with their reason",
        docs: "\
## What it checks

In each region, for each filter that is declared: its action, its place in the order of filters, its description and its
criteria. Criteria are GuardDuty's own: names of fields, and of conditions (`equals`, `notEquals`, `greaterThan`,
`greaterThanOrEqual`, `lessThan`, `lessThanOrEqual`, `matches`, `notMatches`). Filters of other names are left alone.

Filters of a member account are its GuardDuty administrator's affair: where one differs, the plan names the
administrator and leaves it alone.

## Why it matters

A filter that archives (a suppression rule) keeps what matches it from Security Hub, from EventBridge and from people.
That is the right answer to a known false alarm, and what an intruder would write first.

## What apply does

It makes and updates filters, one call each. A filter that archives weakens, however good its reason is: apply asks for
`--allow weakening:NAME`, and the plan is unknown until a `description` says why.

## How to undo

The audit record of the run holds what the fields were: declare those values, and apply. A filter that did not exist
before is made harmless by `action: NOOP`; it is not deleted.
",
        example: "\
filters:
  scanner-of-our-own:
    description: \"Port scans of our own scanner: SEC-77\"
    action: ARCHIVE
    rank: 1
    criteria:
      type:
        equals: [\"Recon:EC2/Portscan\"]
      severity:
        lessThan: 7
",
        reach: Reach::REGION,
        rules: &[Rule { id: "filter", severity: Severity::Medium, frameworks: &[] }],
        reads: live::READS,
        writes: &[write::CREATE, write::UPDATE],
        events: &["guardduty:DeleteFilter"],
        undo: Some("baseline never deletes a filter"),
        tags: false,
    };
    type Desired = FiltersSpec;
    type Ask = Ask;
    type Observed = Live;
    type Action = Write;

    fn ask(&self, _: &Facts, spec: &FiltersSpec) -> Ask {
        Ask(spec.filters.keys().cloned().collect())
    }

    async fn observe(&self, aws: &Reader, ask: &Ask) -> Result<Live, Fault> {
        live::read(aws, &ask.0).await
    }

    fn needs(&self, facts: &Facts, spec: &FiltersSpec) -> Vec<Need> {
        if spec.filters.is_empty() {
            return Vec::new();
        }
        let scope = facts.scope.clone();
        vec![Need::hard(Thing::Detector { account: scope.account, region: scope.region })]
    }

    fn plan(&self, facts: &Facts, _: &Known, spec: &FiltersSpec, observed: &Live) -> Vec<Finding<Write>> {
        let verdict = |(name, wanted): (&String, &spec::FilterSpec)| {
            let verdict = match observed.filters.get(name) {
                Some(Sight::Unseen(fault)) => Verdict::Unknown { fault: fault.clone() },
                Some(Sight::Seen(live)) => plan::existing(name, wanted, live),
                None => plan::absent(facts, name, wanted),
            };
            Finding::new(name.clone(), "filter", plan::of_member(observed.administrator.as_deref(), verdict))
        };
        spec.filters.iter().map(verdict).collect()
    }

    async fn apply(&self, aws: &Writer, _: &Known, action: &Write) -> Result<(), Fault> {
        action.send(aws).await
    }

    fn import(&self, _: &Facts, _: &Known, observed: &Live) -> Option<FiltersSpec> {
        let seen = |(name, live): (&String, &Sight<live::Filter>)| match live {
            Sight::Seen(live) => Some((name.clone(), live.described())),
            Sight::Unseen(_) => None,
        };
        let filters: BTreeMap<_, _> = observed.filters.iter().filter_map(seen).collect();
        (!filters.is_empty()).then_some(FiltersSpec { filters })
    }

    /// A filter that did not exist is one that does nothing.
    fn inverse(&self, resource: &str, fields: &[Field]) -> Option<FiltersSpec> {
        let before = |field: &Field| match (field.path.rsplit('/').next()?, &field.before) {
            ("action", Value::Null) => Some(("action".to_owned(), json!("NOOP"))),
            (_, Value::Null) => None,
            (leaf, value) => Some((leaf.to_owned(), value.clone())),
        };
        let filter: Map<String, Value> = fields.iter().filter_map(before).collect();
        if filter.is_empty() {
            return None;
        }
        serde_json::from_value(json!({"filters": {resource: filter}})).ok()
    }
}
