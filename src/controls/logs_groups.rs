//! `logs.groups`: log groups in each region, by name and by selector.
//!
//! One list of a region's groups answers for all of them, so thousands of groups cost a call for each fifty, and
//! nothing more where nothing differs. A group that has to be made is one finding, which makes it whole.

use std::collections::{BTreeMap, BTreeSet};

use crate::aws::{Reader, Writer};
use crate::control::{
    Call, Control, Facts, Field, Finding, Known, Meta, Need, Reach, Retention, Rule, Select, Severity, Thing,
};
use crate::fault::Fault;

mod live;
mod plan;
mod spec;
#[cfg(test)]
mod tests;
mod write;

use live::Group;
use plan::Governing;
use spec::{GroupRule, GroupsSpec, LogKey};
use write::Write;

pub struct Groups;

const GROUP: &str = "group";
const RETENTION: &str = "retention";
const ENCRYPTION: &str = "encryption";
const PROTECTION: &str = "deletion-protection";

impl Control for Groups {
    const META: Meta = Meta {
        id: "logs.groups",
        title: "Log groups keep events for long enough, under a key, and cannot be deleted",
        docs: "\
## What it checks

In each region: that the groups under `groups` exist, and for every log group how long it keeps its events,
which key it is encrypted with, and whether it is protected from being deleted. A group's own entry under
`groups` comes first; what the entry does not say, the first rule that selects the group says.

`retentionDays` is exact. `minimumRetentionDays` leaves alone what is kept for longer, so it is the word for
a rule over `*`. A group whose retention a retention policy of the account sets is left alone, and groups of
class `DELIVERY`, which keep events for one day, are not offered any.

The log group of a trail may be declared in `cloudtrail.trail` as well. Neither control knows of the other: let
one of them say its retention, or both the same.

## Why it matters

A log group that nobody set up keeps everything for ever and is paid for as long. One that keeps too little has
forgotten the intrusion by the time somebody asks about it, and one that can be deleted is what an intruder
deletes.

## What apply does

One call for each group and setting that differs. Shortening a retention deletes what is older, so apply asks for
`--allow destructive:GROUP` and `--allow weakening:GROUP`; so it does for a group that kept its events for ever.
`retentionDays: never` is put right by hand where a group has a retention, because nothing is deleted.

A group that is missing is made with its class, key and protection in one call, and told its retention in the
next. `key` is an alias in the account and region of the group; the key's policy must let CloudWatch Logs use
it, `usedBy: [logs]` in `kms.keys`. What is stored already stays as it was encrypted. A class is for life: where
it differs, the plan says so.

## How to undo

The audit record of the run holds the old values, group by group: declare them in a rule for those names, above
the other rules, and apply. Events that a shorter retention deleted are gone. A group that did not exist before
is not deleted.
",
        example: "\
rules:
- select: {names: [\"/aws/lambda/*\"]}
  retentionDays: 365
  key: alias/acme/logs
  deletionProtection: false
- select: {names: [\"/aws/*\"]}
  minimumRetentionDays: 365
groups:
  acme/audit:
    retentionDays: 731
    key: alias/acme/logs
    deletionProtection: true
    class: STANDARD
",
        reach: Reach::REGION,
        rules: &[
            Rule { id: GROUP, severity: Severity::Medium, frameworks: &[] },
            Rule { id: RETENTION, severity: Severity::Medium, frameworks: &["fsbp/CloudWatch.16"] },
            Rule { id: ENCRYPTION, severity: Severity::Medium, frameworks: &[] },
            Rule { id: PROTECTION, severity: Severity::Low, frameworks: &[] },
        ],
        reads: &[Call::new(live::DESCRIBE)],
        writes: &[write::CREATE, write::RETAIN, write::ENCRYPT, write::END_ENCRYPTION, write::PROTECT],
        events: &["logs:DeleteLogGroup", "logs:DeleteRetentionPolicy"],
        undo: Some("deleted events are gone, and baseline never deletes a log group"),
        tags: false,
    };
    type Desired = GroupsSpec;
    type Ask = ();
    type Observed = BTreeMap<String, Group>;
    type Action = Write;

    fn ask(&self, _: &Facts, _: &GroupsSpec) {}

    async fn observe(&self, aws: &Reader, (): &()) -> Result<Self::Observed, Fault> {
        live::read(aws).await
    }

    fn needs(&self, facts: &Facts, spec: &GroupsSpec) -> Vec<Need> {
        let keys =
            spec.rules.iter().map(|rule| &rule.key).chain(spec.groups.values().map(|group| &group.key));
        let aliases: BTreeSet<&str> = keys
            .filter_map(|key| match key {
                Some(LogKey::Alias(alias)) => Some(alias.as_str()),
                Some(LogKey::None) | None => None,
            })
            .collect();
        aliases.into_iter().map(|alias| Need::hard(plan::key(facts, alias))).collect()
    }

    fn plan(
        &self,
        facts: &Facts,
        known: &Known,
        spec: &GroupsSpec,
        observed: &Self::Observed,
    ) -> Vec<Finding<Write>> {
        let mut findings = Vec::new();
        for (name, entry) in &spec.groups {
            let verdict = match observed.get(name) {
                None => plan::absent(facts, known, entry, &Governing::of(spec, name)),
                Some(live) => plan::present(entry, name, live),
            };
            findings.push(Finding::new(name, GROUP, verdict));
        }
        for (name, live) in observed {
            let governing = Governing::of(spec, name);
            if let Some(said) = governing.keep() {
                findings.push(Finding::new(name, RETENTION, plan::retention(name, live, said)));
            }
            if let Some(said) = governing.key() {
                let verdict = plan::encryption(facts, known, name, live, said);
                findings.push(Finding::new(name, ENCRYPTION, verdict));
            }
            if let Some(said) = governing.protection() {
                findings.push(Finding::new(name, PROTECTION, plan::protection(name, live, said)));
            }
        }
        findings
    }

    async fn apply(&self, aws: &Writer, known: &Known, action: &Write) -> Result<(), Fault> {
        action.send(aws, known).await
    }

    fn import(&self, _: &Facts, known: &Known, observed: &Self::Observed) -> Option<GroupsSpec> {
        let rules = observed.iter().map(|(name, live)| GroupRule {
            select: Select::one(name),
            retention_days: (live.class != "DELIVERY").then(|| Retention::of(live.retention)),
            minimum_retention_days: None,
            key: match live.key_arn.as_deref().map(|arn| known.name_of(arn)) {
                None => Some(LogKey::None),
                Some(Some(Thing::Key { alias, .. })) => Some(LogKey::Alias(alias.clone())),
                // No word stands for a key that nobody named.
                Some(_) => None,
            },
            deletion_protection: Some(live.protected),
        });
        (!observed.is_empty()).then(|| GroupsSpec { rules: rules.collect(), groups: BTreeMap::new() })
    }

    /// One rule for the one group. A group that did not exist stays, and nothing of it was before.
    fn inverse(&self, resource: &str, fields: &[Field]) -> Option<GroupsSpec> {
        let before = |leaves: &[&str]| {
            let of = |field: &&Field| {
                !field.before.is_null() && leaves.iter().any(|leaf| field.path.ends_with(leaf))
            };
            fields.iter().find(of).map(|field| field.before.clone())
        };
        let days = before(&["/retentionDays", "/minimumRetentionDays"]);
        let rule = GroupRule {
            select: Select::one(resource),
            retention_days: days.and_then(|value| serde_json::from_value(value).ok()),
            minimum_retention_days: None,
            key: before(&["/key"]).and_then(|value| serde_json::from_value(value).ok()),
            deletion_protection: before(&["/deletionProtection"]).and_then(|value| value.as_bool()),
        };
        let says = GroupRule { select: Select::default(), ..rule.clone() } != GroupRule::default();
        says.then(|| GroupsSpec { rules: vec![rule], groups: BTreeMap::new() })
    }
}
