//! `guardduty.organization`: what GuardDuty's administrator enables in the organisation's accounts by itself, region
//! by region.
//!
//! One call writes all of it, so it is one rule and one finding in each region. Where this account does not
//! administer GuardDuty yet, nothing can be read: what is planned then starts from an administrator that enables
//! nothing, and if AWS says otherwise once it is one, the change has moved and is not made.

use crate::aws::{Reader, Writer};
use crate::control::{
    Call, Control, Facts, Finding, Known, Meta, Need, Reach, Regions, Rule, Seat, Severity, Thing,
};
use crate::fault::Fault;

mod live;
mod plan;
mod spec;
#[cfg(test)]
mod tests;
mod write;

use live::{Ask, Live};
use spec::OrganizationSpec;
use write::Write;

pub struct Organization;

const RESOURCE: &str = "organization";

impl Control for Organization {
    const META: Meta = Meta {
        id: "guardduty.organization",
        title: "GuardDuty watches every account of the organisation",
        docs: "\
## What it checks

In each region, asked of the account in the security seat, which has to administer GuardDuty there: in which accounts
GuardDuty is enabled by itself (`ALL`, only those that are `NEW`, `NONE`), and with which protection plans and agents.
Names of features are AWS's and are not checked against a list: one that GuardDuty does not list in a region is
reported there as not offered.

## Why it matters

An account is most at risk in its first days, when nobody has set it up yet. With `NEW` it is watched from the day it
joins; with `ALL` so are those that were there before, and those in which somebody switched GuardDuty off.

## What apply does

One call in each region, for that region alone. It reaches accounts of the whole organisation, so apply asks for
`--allow organization:organization`. AWS takes up to a day to bring all accounts along. `true` is `ALL`, and `false` is
`NONE`. Each feature starts a charge in each account that gets it, and the plan names it. What is not declared stays as
it is; the call asks for `newMembers` all the same, and then carries along what is live.

The account needs to administer GuardDuty (`guardduty.administrator`) and to have a detector (`guardduty.detector`); both
can be made in the same apply. From then on the detectors of members are the administrator's: `guardduty.detector`
reports where one differs, and leaves it alone.

## How to undo

The audit record of the run holds what the fields were: declare those values, and apply. Accounts that have GuardDuty
or a feature keep it: `NONE` ends only what happens by itself. Enabling less weakens, so apply asks for `--allow
weakening:organization` too.
",
        example: "\
newMembers: ALL
features:
  S3_DATA_EVENTS: true
  EKS_AUDIT_LOGS: true
  EBS_MALWARE_PROTECTION: true
  RDS_LOGIN_EVENTS: NEW
  RUNTIME_MONITORING: true
runtimeAgents:
  EC2_AGENT_MANAGEMENT: true
",
        reach: Reach::organization(Seat::Security, Regions::Each),
        rules: &[Rule {
            id: "auto-enable",
            severity: Severity::High,
            frameworks: &[
                "fsbp/GuardDuty.1",
                "fsbp/GuardDuty.5",
                "fsbp/GuardDuty.6",
                "fsbp/GuardDuty.8",
                "fsbp/GuardDuty.9",
                "fsbp/GuardDuty.10",
                "fsbp/GuardDuty.11",
            ],
        }],
        reads: &[
            Call::new("guardduty:ListDetectors"),
            Call::new("guardduty:DescribeOrganizationConfiguration"),
            Call::new("guardduty:GetOrganizationStatistics"),
        ],
        writes: &[write::UPDATE],
        events: &[],
        undo: Some("accounts that have GuardDuty keep it"),
        tags: false,
    };
    type Desired = OrganizationSpec;
    type Ask = Ask;
    type Observed = Live;
    type Action = Write;

    fn ask(&self, _: &Facts, spec: &OrganizationSpec) -> Ask {
        Ask {
            everybody: spec
                .declared()
                .filter(|leaf| leaf.wanted == spec::AutoEnable::All)
                .map(|l| l.path)
                .collect(),
        }
    }

    async fn observe(&self, aws: &Reader, ask: &Ask) -> Result<Live, Fault> {
        live::read(aws, ask).await
    }

    fn needs(&self, facts: &Facts, spec: &OrganizationSpec) -> Vec<Need> {
        if spec.declared().next().is_none() {
            return Vec::new();
        }
        let scope = &facts.scope;
        let detector = Thing::Detector { account: scope.account.clone(), region: scope.region.clone() };
        plan::administers(facts).into_iter().chain([detector]).map(Need::hard).collect()
    }

    fn plan(
        &self,
        facts: &Facts,
        known: &Known,
        spec: &OrganizationSpec,
        observed: &Live,
    ) -> Vec<Finding<Write>> {
        if spec.declared().next().is_none() {
            return Vec::new();
        }
        vec![Finding::new(RESOURCE, "auto-enable", plan::auto_enable(facts, known, spec, observed))]
    }

    async fn apply(&self, aws: &Writer, _: &Known, action: &Write) -> Result<(), Fault> {
        action.send(aws).await
    }

    fn import(&self, _: &Facts, _: &Known, observed: &Live) -> Option<OrganizationSpec> {
        observed.configuration.as_ref().map(OrganizationSpec::of)
    }
}
