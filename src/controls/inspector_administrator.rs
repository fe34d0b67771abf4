//! `inspector.administrator`: who administers Amazon Inspector for the organisation, region by region.
//!
//! The API is regional, and so is every finding: a region that is no longer managed is left as it is, and nothing
//! here ends an administrator anywhere. Trusted access is the organisation's: it is given in the home region, by a
//! step before the first administrator, and stood on elsewhere.

use std::fmt;

use aws_sdk_inspector2::types::DelegatedAdminStatus;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::aws::organization::{self, LIST_ADMINISTRATORS, LIST_TRUSTED};
use crate::aws::{Reader, Writer, fault};
use crate::control::{
    AccountId, AdminAccount, AwsWrite, Call, Change, Control, Extent, Facts, Field, Finding, Known, Meta,
    Need, Progress, Reach, Regions, Risk, Rule, Seat, Severity, Thing, Verdict,
};
use crate::fault::{Fault, FaultKind};

#[cfg(test)]
mod tests;

pub struct Administrator;

const RESOURCE: &str = "administrator";
const RULE: &str = "administrator";
/// The service principal of Amazon Inspector.
const INSPECTOR: &str = "inspector2.amazonaws.com";

/// Amazon Inspector's administrator for the organisation. What is not declared is left as it is.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct AdministratorSpec {
    /// `security`: the account in the security seat; or an account id in quotes.
    #[schemars(extend("x-fixed" = "an administrator is never replaced by another"))]
    pub account: Option<AdminAccount>,
}

/// Who administers Amazon Inspector in one region.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Live {
    /// As Amazon Inspector lists them here. There is one at most.
    pub here: Vec<Listed>,
    /// As AWS Organizations lists them for all regions; asked only where there is none here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub registered: Vec<String>,
    /// Does AWS Organizations trust Amazon Inspector? Asked only where there is no administrator here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trusted: Option<bool>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Listed {
    pub account: String,
    /// As AWS says it: `ENABLED`.
    pub status: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Write {
    EnableAccess,
    EnableAdministrator { account: AccountId },
}

const ENABLE_ACCESS: Call = Call::needing(
    "organizations:EnableAWSServiceAccess",
    &["iam:CreateServiceLinkedRole", "organizations:EnableAWSServiceAccess"],
)
.reaching(Extent::Home);
/// Inspector registers the account with AWS Organizations in the caller's name (User Guide, "Permissions required to
/// designate a delegated administrator").
const ENABLE_ADMINISTRATOR: Call = Call::needing(
    "inspector2:EnableDelegatedAdminAccount",
    &[
        "iam:CreateServiceLinkedRole",
        "inspector2:EnableDelegatedAdminAccount",
        "organizations:DescribeAccount",
        "organizations:DescribeOrganization",
        "organizations:DescribeOrganizationalUnit",
        "organizations:EnableAWSServiceAccess",
        "organizations:ListAWSServiceAccessForOrganization",
        "organizations:ListAccounts",
        "organizations:ListDelegatedAdministrators",
        "organizations:RegisterDelegatedAdministrator",
    ],
)
.reaching(Extent::Account);
const LIST_ADMINS: &str = "inspector2:ListDelegatedAdminAccounts";

impl AwsWrite for Write {
    fn call(&self) -> &'static Call {
        match self {
            Self::EnableAccess => const { &ENABLE_ACCESS },
            Self::EnableAdministrator { .. } => const { &ENABLE_ADMINISTRATOR },
        }
    }
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EnableAccess => write!(f, "trust {INSPECTOR} in the organisation"),
            Self::EnableAdministrator { account } => {
                write!(f, "make {account} Amazon Inspector's administrator")
            }
        }
    }
}

/// Trusted access of Amazon Inspector. The control runs in the management account.
fn access(facts: &Facts) -> Thing {
    Thing::ServiceAccess { account: facts.scope.account.clone(), service: INSPECTOR.into() }
}

fn administrator(facts: &Facts, wanted: &AdminAccount, live: &Live) -> Verdict<Write> {
    let account = match wanted.id(facts, ENABLE_ADMINISTRATOR.operation) {
        Ok(account) => account,
        Err(fault) => return Verdict::Unknown { fault },
    };
    if let Some(listed) = live.here.first() {
        return match (listed.status.as_str(), listed.account == account.as_str()) {
            ("ENABLED", true) => Verdict::InSync,
            ("DISABLE_IN_PROGRESS", _) => Verdict::Progressing(Progress {
                what: format!(
                    "AWS is removing account {} as Amazon Inspector's administrator",
                    listed.account
                ),
                look_again: 30,
                patience: 1800,
            }),
            (_, false) => Verdict::Foreign {
                owner: format!("account {}, Amazon Inspector's administrator here", listed.account),
                evidence: format!("an administrator is never replaced by another; {account} is declared"),
            },
            (other, true) => {
                let message = format!("`{other}` is not a status that this build knows");
                Verdict::Unknown { fault: Fault::local(FaultKind::Invalid, LIST_ADMINS, message) }
            }
        };
    }
    if let Some(other) = live.registered.iter().find(|id| **id != account.as_str()) {
        return Verdict::Foreign {
            owner: format!("account {other}, Amazon Inspector's administrator in another region"),
            evidence: format!("AWS takes one administrator for all regions; {account} is declared"),
        };
    }
    enable(facts, wanted, account, live)
}

fn enable(facts: &Facts, wanted: &AdminAccount, account: &AccountId, live: &Live) -> Verdict<Write> {
    let Facts { scope, .. } = facts;
    let mut makes = vec![
        Thing::RegionalAdmin {
            account: scope.account.clone(),
            region: scope.region.clone(),
            service: INSPECTOR.into(),
            admin: account.clone(),
        },
        Thing::DelegatedAdmin {
            account: scope.account.clone(),
            service: INSPECTOR.into(),
            admin: account.clone(),
        },
    ];
    let mut steps = Vec::new();
    let gives_trust = live.trusted == Some(false) && scope.region == facts.home;
    if gives_trust {
        steps.push(Write::EnableAccess);
        makes.push(access(facts));
    }
    steps.push(Write::EnableAdministrator { account: account.clone() });
    let sees = "it will see the findings of the organisation's accounts here, and may scan what is in them";
    Verdict::Change(Change {
        risk: Risk::Organization,
        cost: Some(
            "AWS turns Amazon Inspector on in that account where it is off, and charges for it".into(),
        ),
        evidence: Some(if gives_trust {
            format!("{sees}; Amazon Inspector may make a role of its own in every account")
        } else {
            sees.to_owned()
        }),
        makes,
        stands_on: gives_trust.then(Vec::new),
        ..Change::create(vec![Field::new("/account", "none", wanted.to_string())], steps)
    })
}

impl Control for Administrator {
    const META: Meta = Meta {
        id: "inspector.administrator",
        title: "One account administers Amazon Inspector for the organisation",
        docs: "\
## What it checks

In each region, asked of the management account: which account administers Amazon Inspector for the organisation.
`security` is the account in the security seat.

Where another account is the administrator, here or in another region, the plan names it and leaves it alone: a
second one is refused by AWS, and replacing one would let all of its members go.

## Why it matters

Without an administrator each account decides by itself what is scanned, and looks after its own findings; nobody sees
them all. The management account is the wrong place for that: whoever works with findings should have no way to the
account that pays and governs.

## What apply does

It makes the account the administrator, region by region: a change for one region touches that region alone. AWS turns
Inspector on in that account there, and charges for what it scans. Where AWS Organizations does not trust Inspector yet,
that comes first, as a step in the home region. All of it reaches the whole organisation, so apply asks for
`--allow organization:administrator`.

Where `regions` leaves out the home region, trusted access has to be there already. A region that is no longer in the
documents keeps its administrator. Members are not touched: that is what `inspector.organization` declares.

## How to undo

By hand, in the management account: `aws inspector2 disable-delegated-admin-account` in each region. It ends the
administrator's hold on all members of that region, which is why nothing here does it.
",
        example: "account: security\n",
        reach: Reach::organization(Seat::Management, Regions::Each),
        rules: &[Rule { id: RULE, severity: Severity::High, frameworks: &[] }],
        reads: &[Call::new(LIST_ADMINS), Call::new(LIST_ADMINISTRATORS), Call::new(LIST_TRUSTED)],
        writes: &[ENABLE_ACCESS, ENABLE_ADMINISTRATOR],
        events: &["inspector2:DisableDelegatedAdminAccount", "organizations:DisableAWSServiceAccess", "organizations:DeregisterDelegatedAdministrator"],
        undo: Some("baseline never removes an administrator, nor trust in a service"),
        tags: false,
    };
    type Desired = AdministratorSpec;
    type Ask = ();
    type Observed = Live;
    type Action = Write;

    fn ask(&self, _: &Facts, _: &AdministratorSpec) {}

    async fn observe(&self, aws: &Reader, (): &()) -> Result<Live, Fault> {
        let here = listed(&aws.inspector()).await?;
        if !here.is_empty() {
            return Ok(Live { here, ..Live::default() });
        }
        let organizations = aws.organizations();
        let (registered, trusted) = futures::try_join!(
            organization::administrators(&organizations, INSPECTOR),
            organization::trusts(&organizations, INSPECTOR)
        )?;
        Ok(Live { here, registered, trusted: Some(trusted) })
    }

    fn needs(&self, facts: &Facts, spec: &AdministratorSpec) -> Vec<Need> {
        spec.account.iter().map(|_| Need::hard(access(facts))).collect()
    }

    fn plan(
        &self,
        facts: &Facts,
        _: &Known,
        spec: &AdministratorSpec,
        observed: &Live,
    ) -> Vec<Finding<Write>> {
        let say = |wanted| Finding::new(RESOURCE, RULE, administrator(facts, wanted, observed));
        spec.account.iter().map(say).collect()
    }

    async fn apply(&self, aws: &Writer, _: &Known, action: &Write) -> Result<(), Fault> {
        match action {
            Write::EnableAccess => {
                let call = aws.organizations().enable_aws_service_access().service_principal(INSPECTOR);
                call.send().await.map_err(fault(ENABLE_ACCESS.operation))?;
            }
            Write::EnableAdministrator { account } => {
                let call = aws.inspector().enable_delegated_admin_account();
                let call = call.delegated_admin_account_id(account.as_str());
                call.send().await.map_err(fault(ENABLE_ADMINISTRATOR.operation))?;
            }
        }
        Ok(())
    }

    fn import(&self, facts: &Facts, _: &Known, observed: &Live) -> Option<AdministratorSpec> {
        let account = AdminAccount::named(&observed.here.first()?.account, facts)?;
        Some(AdministratorSpec { account: Some(account) })
    }

    /// Nothing here is taken back.
    fn inverse(&self, _: &str, _: &[Field]) -> Option<AdministratorSpec> {
        None
    }
}

async fn listed(inspector: &aws_sdk_inspector2::Client) -> Result<Vec<Listed>, Fault> {
    let mut here = Vec::new();
    let mut pages = inspector.list_delegated_admin_accounts().into_paginator().items().send();
    while let Some(one) = pages.next().await {
        let one = one.map_err(fault(LIST_ADMINS))?;
        let status = one.status.as_ref().map_or("", DelegatedAdminStatus::as_str).to_owned();
        here.extend(one.account_id.map(|account| Listed { account, status }));
    }
    Ok(here)
}
