//! AWS Security Hub CSPM: the hub, standards and controls.
//!
//! Source: the service's API Reference, the operation named at each handler.

mod aggregation;
mod automation;
mod catalog;
mod controls;
mod findings;
mod hub;
mod organization;
mod standards;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::Timestamp;

pub use aggregation::Aggregator;
pub use automation::AutomationRule;
pub use controls::{Association, Properties};
pub use findings::HubFinding;
pub use hub::Hub;
pub use organization::{Central, Organization, PRINCIPAL};
pub use standards::{Status, Subscription};

use super::operation::{Call, Operations, Protocol, Refusal, Service};

static SERVICE: Service = Service {
    id: "SecurityHub",
    prefix: "securityhub",
    protocol: Protocol::Json,
    // The common error: not every operation names LimitExceededException.
    throttled: ("ThrottlingException", 400),
    broken: ("InternalException", 500),
};

pub(super) fn operations() -> Operations {
    Operations::of(&SERVICE)
        .on("EnableSecurityHub", hub::enable)
        .on("DescribeHub", hub::describe)
        .on("UpdateSecurityHubConfiguration", hub::update)
        .on("GetAdministratorAccount", hub::get_administrator)
        .on("GetConfigurationPolicyAssociation", hub::get_policy_association)
        .on("DescribeStandards", standards::describe)
        .on("GetEnabledStandards", standards::get_enabled)
        .on("BatchEnableStandards", standards::enable)
        .on("BatchDisableStandards", standards::disable)
        .on("ListSecurityControlDefinitions", controls::list_definitions)
        .on("GetSecurityControlDefinition", controls::get_definition)
        .on("BatchGetSecurityControls", controls::batch_get)
        .on("BatchGetStandardsControlAssociations", controls::batch_get_associations)
        .on("BatchUpdateStandardsControlAssociations", controls::batch_update_associations)
        .on("UpdateSecurityControl", controls::update)
        .on("CreateFindingAggregator", aggregation::create)
        .on("ListFindingAggregators", aggregation::list)
        .on("GetFindingAggregator", aggregation::get)
        .on("UpdateFindingAggregator", aggregation::update)
        .on("EnableOrganizationAdminAccount", organization::enable_admin)
        .on("ListOrganizationAdminAccounts", organization::list_admins)
        .on("DescribeOrganizationConfiguration", organization::describe)
        .on("UpdateOrganizationConfiguration", organization::update)
        .on("CreateAutomationRule", automation::create)
        .on("ListAutomationRules", automation::list)
        .on("BatchGetAutomationRules", automation::batch_get)
        .on("BatchUpdateAutomationRules", automation::batch_update)
        .on("GetFindings", findings::get)
        .on("BatchUpdateFindings", findings::batch_update)
}

/// What the service holds of one account in one region.
#[derive(Clone, Debug, Default)]
pub struct SecurityHub {
    /// `None` until it is enabled.
    pub hub: Option<Hub>,
    /// The standards that are on, by the ARN of the standard.
    pub subscriptions: BTreeMap<String, Subscription>,
    /// Controls whose parameters somebody changed, by id.
    pub properties: BTreeMap<String, Properties>,
    /// The account that administers this one, when another does.
    pub administrator: Option<String>,
    /// The configuration policy that the administrator has put on this account, by its id: nobody in the account
    /// may change hub, standards and controls (User Guide, "Understanding central configuration").
    pub central: Option<String>,
    /// AWS Control Tower has made its service-managed standard here.
    pub control_tower: bool,
    /// The account's finding aggregator, where this is its home region.
    pub aggregator: Option<Aggregator>,
    /// Automation rules, by ARN.
    pub rules: BTreeMap<String, AutomationRule>,
    /// Findings of controls about this account, by id.
    pub findings: BTreeMap<String, HubFinding>,
    pub organization: Organization,
}

impl SecurityHub {
    /// Enabled as the API does it when it is told nothing, but for the standards.
    pub fn enabled(now: Timestamp) -> Self {
        Self { hub: Some(Hub::with_defaults(now)), ..Self::default() }
    }

    /// Puts a standard on, as though it had been enabled long ago.
    pub fn turn_on(&mut self, standard: &str, region: &str, account: &str, now: Timestamp) {
        standards::subscribe(self, standard, region, account, now);
        if let Some(one) = self.subscriptions.get_mut(standard) {
            one.status = Status::Ready;
        }
    }
}

/// InvalidAccessException, which every operation answers where Security Hub is not enabled.
fn not_subscribed(account: &str) -> Refusal {
    Refusal::new(
        401,
        "InvalidAccessException",
        format!("Account {account} is not subscribed to AWS Security Hub"),
    )
}

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new(400, "InvalidInputException", message)
}

/// What the service holds here, once it is enabled; standards that were on their way have arrived.
fn enabled<'c>(call: &'c mut Call<'_>) -> Result<&'c mut SecurityHub, Refusal> {
    let (now, account) = (call.now, call.caller.account.clone());
    let records = standards::is_recorded(call.here());
    let here = &mut call.here().securityhub;
    if here.hub.is_none() {
        return Err(not_subscribed(&account));
    }
    standards::settle(here, now, records);
    Ok(here)
}

/// As [`enabled`], for changes: a centrally managed account may make none (User Guide, "Understanding central
/// configuration": "member accounts can't edit settings").
fn may_change<'c>(call: &'c mut Call<'_>) -> Result<&'c mut SecurityHub, Refusal> {
    let here = enabled(call)?;
    if here.central.is_some() { Err(managed_centrally()) } else { Ok(here) }
}

fn managed_centrally() -> Refusal {
    Refusal::new(
        403,
        "AccessDeniedException",
        "The account is centrally managed: only the delegated administrator can change its configuration",
    )
}
