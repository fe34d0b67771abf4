//! `securityhub.organization`: what Security Hub does with the organisation's accounts, as its administrator says it.
//!
//! Two rules of one resource. `new-members` is each region's own, and a change of it touches that region alone.
//! `central-configuration` is asked for in the home region, from which AWS carries it to the linked ones.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::aws::{Reader, Writer};
use crate::control::{
    Call, Control, Facts, Field, Finding, Known, Meta, Need, Reach, Regions, Rule, Seat, Severity,
};
use crate::fault::Fault;

mod live;
mod plan;
#[cfg(test)]
mod tests;
mod write;

use live::Live;
use write::Write;

pub struct Organization;

const RESOURCE: &str = "organization";

/// What Security Hub does with the organisation's accounts. What is not declared is left as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct OrganizationSpec {
    /// `NEW`: Security Hub is enabled in accounts that join the organisation, in this region (`AutoEnable`).
    /// `NONE`: it is not. There is no `ALL`: accounts that are there enable it with `securityhub.hub`.
    pub new_members: Option<NewMembers>,
    /// The standards of accounts that join (`AutoEnableStandards`). `NONE` leaves them to `securityhub.standards`;
    /// `DEFAULT` enables those that AWS has chosen, CIS 1.2.0 among them.
    pub new_member_standards: Option<Standards>,
    /// `LOCAL`: each account is configured by itself. `CENTRAL`: by the administrator's policies, from the home
    /// region. Said of the home region alone.
    #[schemars(extend("x-fixed" = "central configuration ends by hand"))]
    pub configuration_type: Option<ConfigurationType>,
}

/// `AutoEnable`, in the words that GuardDuty and Inspector have for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
#[schemars(inline)]
pub enum NewMembers {
    New,
    None,
}

impl NewMembers {
    fn of(auto_enable: bool) -> Self {
        if auto_enable { Self::New } else { Self::None }
    }

    fn word(self) -> &'static str {
        match self {
            Self::New => "NEW",
            Self::None => "NONE",
        }
    }
}

/// `AutoEnableStandards`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
#[schemars(inline)]
pub enum Standards {
    None,
    Default,
}

impl Standards {
    fn word(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Default => "DEFAULT",
        }
    }
}

/// `ConfigurationType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
#[schemars(inline)]
pub enum ConfigurationType {
    Local,
    Central,
}

impl ConfigurationType {
    fn word(self) -> &'static str {
        match self {
            Self::Local => "LOCAL",
            Self::Central => "CENTRAL",
        }
    }
}

impl Control for Organization {
    const META: Meta = Meta {
        id: "securityhub.organization",
        title: "Security Hub looks after accounts that join the organisation",
        docs: "\
## What it checks

In each region, asked of the account in the security seat: whether Security Hub is enabled in accounts that join the
organisation, and with which standards. In the home region also whether the organisation is configured locally, each
account by itself, or centrally, by the administrator's policies.

The account must be Security Hub's administrator in the region, which `securityhub.administrator` makes it, and have
Security Hub enabled, which `securityhub.hub` does.

Under central configuration AWS fixes `newMembers` and `newMemberStandards` to `NONE` and lets nobody change them:
policies decide what accounts get. Where the documents say otherwise, the plan says that, and leaves it.

## Why it matters

An account that nobody enrolled is an account that nobody watches, and new accounts are made by people in a hurry.

## What apply does

Sets both for accounts that join from now on, in the one region: each such account is charged for. Accounts that are
there already are not touched. `CENTRAL` needs a finding aggregator in the home region (`securityhub.aggregation`);
AWS takes some minutes, and a failure is told with its reason. From then on an account that a policy is associated
with can no longer change Security Hub itself. All of it reaches accounts of the organisation, so apply asks for
`--allow organization:organization`.

## How to undo

Declare the values that the audit record holds, and apply. Central configuration ends by hand: its policies have to
be disassociated and deleted first, and nothing here deletes.
",
        example: "\
newMembers: NEW
newMemberStandards: NONE
configurationType: LOCAL
",
        reach: Reach::organization(Seat::Security, Regions::Each),
        rules: &[
            Rule { id: "new-members", severity: Severity::High, frameworks: &[] },
            Rule { id: "central-configuration", severity: Severity::Medium, frameworks: &[] },
        ],
        reads: &[Call::new(live::DESCRIBE)],
        writes: &[write::UPDATE],
        events: &[],
        undo: Some("baseline never ends central configuration"),
        tags: false,
    };
    type Desired = OrganizationSpec;
    type Ask = ();
    type Observed = Live;
    type Action = Write;

    fn ask(&self, _: &Facts, _: &OrganizationSpec) {}

    async fn observe(&self, aws: &Reader, (): &()) -> Result<Live, Fault> {
        live::read(&aws.securityhub()).await
    }

    fn needs(&self, facts: &Facts, spec: &OrganizationSpec) -> Vec<Need> {
        if *spec == OrganizationSpec::default() {
            return Vec::new();
        }
        let mut needs = vec![Need::hard(plan::hub(facts))];
        needs.extend(plan::administrator(facts).map(Need::hard));
        if spec.configuration_type == Some(ConfigurationType::Central) && facts.scope.region == facts.home {
            needs.push(Need::hard(plan::aggregator(facts)));
        }
        needs
    }

    fn plan(
        &self,
        facts: &Facts,
        _: &Known,
        spec: &OrganizationSpec,
        observed: &Live,
    ) -> Vec<Finding<Write>> {
        let mut findings = Vec::new();
        if spec.new_members.is_some() || spec.new_member_standards.is_some() {
            findings.push(Finding::new(RESOURCE, "new-members", plan::new_members(facts, spec, observed)));
        }
        if let Some(wanted) = spec.configuration_type.filter(|_| facts.scope.region == facts.home) {
            let verdict = plan::configuration_type(wanted, observed);
            findings.push(Finding::new(RESOURCE, "central-configuration", verdict));
        }
        findings
    }

    async fn apply(&self, aws: &Writer, _: &Known, action: &Write) -> Result<(), Fault> {
        action.send(aws).await
    }

    fn import(&self, facts: &Facts, _: &Known, observed: &Live) -> Option<OrganizationSpec> {
        let live = observed.configuration.as_ref()?;
        let at_home = facts.scope.region == facts.home;
        Some(OrganizationSpec {
            new_members: Some(NewMembers::of(live.auto_enable)),
            new_member_standards: live.standards(),
            configuration_type: live.kind().filter(|_| at_home),
        })
    }

    /// Central configuration ends by hand.
    fn inverse(&self, _: &str, fields: &[Field]) -> Option<OrganizationSpec> {
        let mut spec = OrganizationSpec::default();
        for field in fields {
            match field.path.as_str() {
                "/newMembers" => spec.new_members = NewMembers::deserialize(&field.before).ok(),
                "/newMemberStandards" => {
                    spec.new_member_standards = Standards::deserialize(&field.before).ok();
                }
                _ => {}
            }
        }
        (spec != OrganizationSpec::default()).then_some(spec)
    }
}
