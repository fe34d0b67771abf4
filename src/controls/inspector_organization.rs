//! `inspector.organization`: what Inspector's administrator lets be scanned in new accounts by itself, and which accounts
//! are its members, region by region.
//!
//! Two rules of one resource. Where this account does not administer Inspector yet, nothing can be read: what is planned
//! then starts from an administrator that enables nothing and has no members, and if AWS says otherwise once it is one,
//! the change has moved and is not made.

use crate::aws::{Reader, Writer};
use crate::control::{
    Control, Facts, Field, Finding, Known, Meta, Need, Reach, Regions, Rule, Seat, Severity,
};
use crate::fault::Fault;

mod live;
mod plan;
mod spec;
#[cfg(test)]
mod tests;
mod write;

use live::Live;
use spec::OrganizationSpec;
use write::Write;

pub struct Organization;

#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Ask {
    /// Members are listed only where they are declared.
    members: bool,
}

const RESOURCE: &str = "organization";

impl Control for Organization {
    const META: Meta = Meta {
        id: "inspector.organization",
        title: "Amazon Inspector looks into every account of the organisation",
        docs: "\
## What it checks

In each region, asked of the account in the security seat, which has to administer Inspector there: which resource types
Inspector scans by itself in accounts that join, and, with `members: ALL`, whether the organisation's accounts are
members of the administrator.

## Why it matters

A new account is scanned from its first day on, or when somebody remembers. And what a member scans is not the member's
to turn off: whoever holds an account cannot hide what is wrong with it.

## What apply does

One call says what is scanned in new accounts; it takes all types, so those that are not declared are sent as they are.
Another call for each account that is not a member yet makes it one. Both reach the whole organisation, so apply asks for
`--allow organization:organization`, and each type starts a charge in each account that gets it.

A member is scanned for the types of `autoEnable` from when it joins on. Accounts that were members before keep what they
have: the administrator turns types on there with `aws inspector2 enable --account-ids`, which nothing here does.

The account needs to administer Inspector (`inspector.administrator`); that can be made in the same apply.

## How to undo

The audit record of the run holds what the fields were: declare those values, and apply. Accounts that have a type keep
it: `false` ends only what happens by itself. Enabling less weakens, so apply asks for `--allow weakening:organization`
too. Nobody is let go: `aws inspector2 disassociate-member` does that.
",
        example: "\
autoEnable:
  EC2: true
  ECR: true
  LAMBDA: true
  CODE_REPOSITORY: false
members: ALL
",
        reach: Reach::organization(Seat::Security, Regions::Each),
        rules: &[
            Rule {
                id: "auto-enable",
                severity: Severity::High,
                frameworks: &[
                    "fsbp/Inspector.1",
                    "fsbp/Inspector.2",
                    "fsbp/Inspector.3",
                    "fsbp/Inspector.4",
                ],
            },
            Rule { id: "members", severity: Severity::High, frameworks: &[] },
        ],
        reads: live::READS,
        writes: &[write::UPDATE, write::ASSOCIATE],
        events: &["inspector2:DisassociateMember"],
        undo: Some("members stay members, and accounts that have a type keep it"),
        tags: false,
    };
    type Desired = OrganizationSpec;
    type Ask = Ask;
    type Observed = Live;
    type Action = Write;

    fn ask(&self, _: &Facts, spec: &OrganizationSpec) -> Ask {
        Ask { members: spec.members.is_some() }
    }

    async fn observe(&self, aws: &Reader, ask: &Ask) -> Result<Live, Fault> {
        live::read(aws, ask.members).await
    }

    fn needs(&self, facts: &Facts, spec: &OrganizationSpec) -> Vec<Need> {
        if !spec.declares_anything() {
            return Vec::new();
        }
        plan::administers(facts).into_iter().map(Need::hard).collect()
    }

    fn plan(
        &self,
        facts: &Facts,
        known: &Known,
        spec: &OrganizationSpec,
        live: &Live,
    ) -> Vec<Finding<Write>> {
        let mut findings = Vec::new();
        if spec.types().next().is_some() {
            findings.push(Finding::new(RESOURCE, "auto-enable", plan::auto_enable(facts, known, spec, live)));
        }
        if spec.members.is_some() {
            findings.push(Finding::new(RESOURCE, "members", plan::members(facts, known, live)));
        }
        findings
    }

    async fn apply(&self, aws: &Writer, _: &Known, action: &Write) -> Result<(), Fault> {
        action.send(aws).await
    }

    fn import(&self, _: &Facts, _: &Known, live: &Live) -> Option<OrganizationSpec> {
        plan::import(live)
    }

    /// Members stay: what was there before says nothing.
    fn inverse(&self, _: &str, fields: &[Field]) -> Option<OrganizationSpec> {
        let mut spec = OrganizationSpec::default();
        for field in fields {
            if let Some(name) = field.path.strip_prefix("/autoEnable/") {
                spec.auto_enable.insert(name.to_owned(), field.before.as_bool());
            }
        }
        Some(spec)
    }
}
