//! `guardduty.administrator`: who administers GuardDuty for the organisation, region by region.
//!
//! Two rules. `trusted-access` is the organisation's and asked for in the home region alone; `administrator` is each
//! region's own. In the home region both are changes of one resource, sent one after the other; elsewhere the second
//! stands on the first. So a change for one region touches only that region.

use serde::{Deserialize, Serialize};

use crate::aws::{Reader, Writer};
use crate::control::{
    AdminAccount, Control, Facts, Field, Finding, Known, Meta, Need, Reach, Regions, Rule, Seat, Severity,
};
use crate::fault::Fault;

mod live;
mod plan;
#[cfg(test)]
mod tests;
mod write;

use live::Live;
use write::Write;

pub struct Administrator;

/// GuardDuty's administrator for the organisation. What is not declared is left as it is.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct AdministratorSpec {
    /// `security`: the account in the security seat; or an account id in quotes. The same in every region.
    #[schemars(extend("x-fixed" = "an administrator is never replaced by another"))]
    pub account: Option<AdminAccount>,
    /// What AWS Organizations trusts. `guardduty`: GuardDuty itself, which an administrator needs; it goes without
    /// saying. `malware-protection`: the scans of volumes as well, without which members cannot have
    /// `EBS_MALWARE_PROTECTION` by themselves.
    #[schemars(extend("x-fixed" = "trust is given and never taken away"))]
    pub trusted_access: Option<Trusted>,
}

#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Trusted {
    Guardduty,
    MalwareProtection,
}

/// Of both rules, so that trust is given before an administrator is made with it.
const RESOURCE: &str = "administrator";

/// The service principal of GuardDuty.
pub const GUARDDUTY: &str = "guardduty.amazonaws.com";
/// The service principal of GuardDuty's scans of volumes.
pub const MALWARE_PROTECTION: &str = "malware-protection.guardduty.amazonaws.com";

impl Trusted {
    pub fn word(self) -> &'static str {
        match self {
            Self::Guardduty => "guardduty",
            Self::MalwareProtection => "malware-protection",
        }
    }

    pub fn principals(self) -> &'static [&'static str] {
        match self {
            Self::Guardduty => &[GUARDDUTY],
            Self::MalwareProtection => &[GUARDDUTY, MALWARE_PROTECTION],
        }
    }
}

impl AdministratorSpec {
    /// The trust that is declared, or that what is declared needs.
    fn trusted(&self) -> Option<Trusted> {
        self.trusted_access.or(self.account.as_ref().map(|_| Trusted::Guardduty))
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ask {
    /// In the home region.
    trusted_access: bool,
    administrator: bool,
}

impl Control for Administrator {
    const META: Meta = Meta {
        id: "guardduty.administrator",
        title: "One account administers GuardDuty for the organisation",
        docs: "\
## What it checks

In each region, asked of the management account: which account administers GuardDuty for the organisation. In the
home region also whether AWS Organizations trusts GuardDuty, and, with `trustedAccess: malware-protection`, its scans
of volumes.

AWS takes one administrator for all regions. Where another account is one, here or in another region, the plan names
it and leaves it alone.

## Why it matters

An account that an attacker holds can switch off its own GuardDuty. A member of an administrator cannot, and its
findings are seen where somebody looks. The management account is the wrong place for that: it should do as little as
possible.

## What apply does

It lets GuardDuty into the organisation (trusted access) and then makes the account its administrator, region by
region. Both reach the whole organisation, so apply asks for `--allow organization:administrator`. AWS turns GuardDuty
on in the administrator's account, with most features, where it is off; a `guardduty.detector` that is declared for
that account is made first, so that only what it names is on. Members are not touched: that is what
`guardduty.organization` declares.

Trusted access is planned in the home region. Where `regions` leaves that out, it has to be there already.

## How to undo

By hand: `aws guardduty disable-organization-admin-account` in each region, once no account is a member any more. It
ends the administrator's hold on all members of that region, which is why nothing here does it.
",
        example: "\
account: security
trustedAccess: malware-protection
",
        reach: Reach::organization(Seat::Management, Regions::Each),
        rules: &[
            Rule { id: "trusted-access", severity: Severity::Medium, frameworks: &[] },
            Rule { id: "administrator", severity: Severity::High, frameworks: &[] },
        ],
        reads: live::READS,
        writes: &[write::ENABLE_ACCESS, write::ENABLE_ADMINISTRATOR],
        events: &["guardduty:DisableOrganizationAdminAccount", "organizations:DisableAWSServiceAccess", "organizations:DeregisterDelegatedAdministrator"],
        undo: Some("baseline never removes an administrator, nor trust in a service"),
        tags: false,
    };
    type Desired = AdministratorSpec;
    type Ask = Ask;
    type Observed = Live;
    type Action = Write;

    fn ask(&self, facts: &Facts, spec: &AdministratorSpec) -> Ask {
        Ask {
            trusted_access: spec.trusted().is_some() && facts.scope.region == facts.home,
            administrator: spec.account.is_some(),
        }
    }

    async fn observe(&self, aws: &Reader, ask: &Ask) -> Result<Live, Fault> {
        live::read(aws, ask).await
    }

    /// The detector is only waited for: AWS makes one where there is none.
    fn needs(&self, facts: &Facts, spec: &AdministratorSpec) -> Vec<Need> {
        let Some(Ok(admin)) = spec.account.as_ref().map(|account| account.id(facts, "")) else {
            return Vec::new();
        };
        vec![Need::hard(plan::access(facts, GUARDDUTY)), Need::soft(plan::detector(facts, admin))]
    }

    fn plan(
        &self,
        facts: &Facts,
        _: &Known,
        spec: &AdministratorSpec,
        observed: &Live,
    ) -> Vec<Finding<Write>> {
        let mut findings = Vec::new();
        if let (Some(wanted), Some(trusted)) = (spec.trusted(), &observed.trusted) {
            let verdict = plan::trusted_access(facts, wanted, trusted);
            findings.push(Finding::new(RESOURCE, "trusted-access", verdict));
        }
        if let Some(wanted) = &spec.account {
            let verdict = plan::administrator(facts, wanted, observed);
            findings.push(Finding::new(RESOURCE, "administrator", verdict));
        }
        findings
    }

    async fn apply(&self, aws: &Writer, _: &Known, action: &Write) -> Result<(), Fault> {
        action.send(aws).await
    }

    fn import(&self, facts: &Facts, _: &Known, observed: &Live) -> Option<AdministratorSpec> {
        let account = observed.administrator.as_ref().and_then(|it| AdminAccount::named(&it.account, facts));
        let trusted_access = observed.trusted.as_ref().and_then(plan::trust);
        (account.is_some() || trusted_access.is_some())
            .then_some(AdministratorSpec { account, trusted_access })
    }

    /// Nothing here is taken back.
    fn inverse(&self, _: &str, _: &[Field]) -> Option<AdministratorSpec> {
        None
    }
}
