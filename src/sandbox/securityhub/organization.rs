//! The organisation: who administers Security Hub, and what new accounts get.
//!
//! Sources: API reference of each operation; User Guide, "Integrating Security Hub CSPM with AWS Organizations",
//! "Enabling central configuration" and "Disabling central configuration".

use std::time::Duration;

use aws_sdk_securityhub::operation::describe_organization_configuration::{
    DescribeOrganizationConfigurationInput, DescribeOrganizationConfigurationOutput,
};
use aws_sdk_securityhub::operation::enable_organization_admin_account::{
    EnableOrganizationAdminAccountInput, EnableOrganizationAdminAccountOutput,
};
use aws_sdk_securityhub::operation::list_organization_admin_accounts::{
    ListOrganizationAdminAccountsInput, ListOrganizationAdminAccountsOutput,
};
use aws_sdk_securityhub::operation::update_organization_configuration::{
    UpdateOrganizationConfigurationInput, UpdateOrganizationConfigurationOutput,
};
use aws_sdk_securityhub::types::{
    AdminAccount, AdminStatus, AutoEnableStandards, OrganizationConfigurationConfigurationType,
    OrganizationConfigurationStatus, SecurityHubFeature,
};
use jiff::Timestamp;

use super::super::operation::{Call, Refusal};
use super::{aggregation, enabled, invalid};

/// How long central configuration is `PENDING`.
pub const PENDING: Duration = Duration::from_secs(45);

/// What the service principal of Security Hub is.
pub const PRINCIPAL: &str = "securityhub.amazonaws.com";

/// Security Hub of an organisation in one region: whom the management account designated, and what the
/// administrator set. Each stands in the state of its own account.
#[derive(Clone, Debug)]
pub struct Organization {
    /// In the management account: the administrator of this region.
    pub administrator: Option<String>,
    /// In the management account: somebody is removing it.
    pub leaving: bool,
    /// In the administrator's: `AutoEnable`.
    pub auto_enable: bool,
    /// In the administrator's: `AutoEnableStandards` is `DEFAULT`.
    pub default_standards: bool,
    /// In the administrator's home region: central configuration.
    pub central: Option<Central>,
}

impl Default for Organization {
    /// UpdateOrganizationConfiguration: `AutoEnable` is false by default and `AutoEnableStandards` is `DEFAULT`.
    fn default() -> Self {
        Self {
            administrator: None,
            leaving: false,
            auto_enable: false,
            default_standards: true,
            central: None,
        }
    }
}

/// Central configuration.
#[derive(Clone, Debug)]
pub struct Central {
    pub since: Timestamp,
    /// Why it could not be enabled.
    pub failed: Option<String>,
    /// Policies of AWS Organizations manage Security Hub instead.
    pub superseded: bool,
}

impl Central {
    fn status(&self, now: Timestamp) -> OrganizationConfigurationStatus {
        let elapsed = now.duration_since(self.since);
        if self.superseded {
            OrganizationConfigurationStatus::from("DISABLED")
        } else if self.failed.is_some() {
            OrganizationConfigurationStatus::Failed
        } else if elapsed.as_secs() < i64::try_from(PENDING.as_secs()).unwrap_or(i64::MAX) {
            OrganizationConfigurationStatus::Pending
        } else {
            OrganizationConfigurationStatus::Enabled
        }
    }
}

fn not_allowed(message: impl Into<String>) -> Refusal {
    Refusal::new(401, "InvalidAccessException", message)
}

/// "Can only be called by the organization management account."
fn management(call: &Call<'_>) -> Result<(), Refusal> {
    let account = &call.caller.account;
    let organization = call.state.organization.as_ref();
    if organization.is_some_and(|organization| organization.management == *account) {
        return Ok(());
    }
    Err(not_allowed(format!("Account {account} is not the management account of an organization")))
}

/// EnableOrganizationAdminAccount: trusted access comes first (CloudFormation, AWS::SecurityHub::DelegatedAdmin: "you
/// must enable the integration between Security Hub and AWS Organizations before"); a member of the organisation. "To
/// choose a different account, you must remove the current administrator in all Regions"; "once you have a delegated
/// administrator account in Organizations, then you can choose either that account or the organization management
/// account".
pub fn enable_admin(
    call: &mut Call<'_>,
    input: &EnableOrganizationAdminAccountInput,
) -> Result<EnableOrganizationAdminAccountOutput, Refusal> {
    management(call)?;
    if input.feature().is_some_and(|feature| *feature != SecurityHubFeature::SecurityHub) {
        return Err(invalid("Invalid parameter 'Feature'."));
    }
    let now = call.now;
    let wanted = input.admin_account_id().unwrap_or_default().to_owned();
    let own = wanted == call.caller.account;
    let here = call.here().securityhub.organization.administrator.clone();
    let organization = call.state.organization.as_mut().filter(|one| one.has_member(&wanted));
    let organization = organization.ok_or_else(|| invalid("Invalid parameter 'AdminAccountId'."))?;
    if !organization.trusts(PRINCIPAL) {
        return Err(not_allowed("Security Hub has no trusted access to the organization"));
    }
    let registered = organization.administrators_of(PRINCIPAL).find(|_| !own).map(str::to_owned);
    if let Some(other) = here.or(registered).filter(|other| *other != wanted) {
        return Err(invalid(format!("Account {other} is the delegated administrator: remove it first")));
    }
    if !own {
        organization.delegate(PRINCIPAL, &wanted, now);
    }
    let here = &mut call.here().securityhub.organization;
    here.administrator = Some(wanted.clone());
    here.leaving = false;
    Ok(EnableOrganizationAdminAccountOutput::builder()
        .admin_account_id(wanted)
        .feature(SecurityHubFeature::SecurityHub)
        .build())
}

/// ListOrganizationAdminAccounts: pages of 1 to 10; there is one at most.
pub fn list_admins(
    call: &mut Call<'_>,
    input: &ListOrganizationAdminAccountsInput,
) -> Result<ListOrganizationAdminAccountsOutput, Refusal> {
    management(call)?;
    if input.max_results().is_some_and(|size| !(1..=10).contains(&size)) || input.next_token().is_some() {
        return Err(invalid("Invalid parameter 'MaxResults' or 'NextToken'."));
    }
    if input.feature().is_some_and(|feature| *feature != SecurityHubFeature::SecurityHub) {
        return Err(invalid("Invalid parameter 'Feature'."));
    }
    let here = &call.here().securityhub.organization;
    let status = if here.leaving { AdminStatus::DisableInProgress } else { AdminStatus::Enabled };
    let one = here.administrator.as_ref();
    let one = one.map(|id| AdminAccount::builder().account_id(id).status(status).build());
    Ok(ListOrganizationAdminAccountsOutput::builder()
        .set_admin_accounts(Some(one.into_iter().collect()))
        .feature(SecurityHubFeature::SecurityHub)
        .build())
}

/// "Only the Security Hub CSPM administrator account can invoke this operation", in regions where it is that.
fn administers(call: &mut Call<'_>) -> Result<(), Refusal> {
    enabled(call)?;
    let (account, region) = (call.caller.account.clone(), call.region.to_owned());
    let management = call.state.organization.as_ref().map(|organization| organization.management.clone());
    let management = management.and_then(|id| call.state.accounts.get_mut(&id));
    let designated =
        management.and_then(|one| one.region(&region).securityhub.organization.administrator.clone());
    if designated.as_ref() == Some(&account) {
        return Ok(());
    }
    Err(not_allowed(format!("Account {account} is not an administrator for this organization")))
}

/// Central configuration, where it is in force in the caller's region: at home and in each linked region.
fn central(call: &mut Call<'_>) -> Option<Central> {
    let region = call.region.to_owned();
    let (home, one) = aggregation::of(call.account()).map(|(home, one)| (home.to_owned(), one.clone()))?;
    if home != region && !one.links(&region) {
        return None;
    }
    call.account().region(&home).securityhub.organization.central.clone()
}

/// DescribeOrganizationConfiguration: under central configuration nothing is enabled for new accounts but by
/// policies; under local configuration the status is always `ENABLED`.
pub fn describe(
    call: &mut Call<'_>,
    _: &DescribeOrganizationConfigurationInput,
) -> Result<DescribeOrganizationConfigurationOutput, Refusal> {
    administers(call)?;
    let now = call.now;
    let central = central(call);
    let here = &call.here().securityhub.organization;
    let told = aws_sdk_securityhub::types::OrganizationConfiguration::builder();
    let (told, local) = match &central {
        None => {
            let local = OrganizationConfigurationConfigurationType::Local;
            (told.configuration_type(local).status(OrganizationConfigurationStatus::Enabled), true)
        }
        Some(central) => {
            let kind = OrganizationConfigurationConfigurationType::Central;
            let told = told.configuration_type(kind).status(central.status(now));
            (told.set_status_message(central.failed.clone()), false)
        }
    };
    let standards = if local && here.default_standards {
        AutoEnableStandards::Default
    } else {
        AutoEnableStandards::None
    };
    Ok(DescribeOrganizationConfigurationOutput::builder()
        .auto_enable(local && here.auto_enable)
        .auto_enable_standards(standards)
        .member_account_limit_reached(false)
        .organization_configuration(told.build())
        .build())
}

/// UpdateOrganizationConfiguration: a parameter that is left out gets its default. `CENTRAL` is for a delegated
/// administrator in its home region, and enables nothing for new accounts; it ends only when its policies are gone.
pub fn update(
    call: &mut Call<'_>,
    input: &UpdateOrganizationConfigurationInput,
) -> Result<UpdateOrganizationConfigurationOutput, Refusal> {
    administers(call)?;
    let now = call.now;
    let auto_enable = input.auto_enable().ok_or_else(|| invalid("Invalid parameter 'AutoEnable'."))?;
    let default_standards = match input.auto_enable_standards() {
        None | Some(AutoEnableStandards::Default) => true,
        Some(AutoEnableStandards::None) => false,
        Some(_) => return Err(invalid("Invalid parameter 'AutoEnableStandards'.")),
    };
    let kind = input.organization_configuration().and_then(|wanted| wanted.configuration_type());
    let goes_central = kind == Some(&OrganizationConfigurationConfigurationType::Central);
    let live = central(call);
    if goes_central {
        let own = call.state.organization.as_ref().map(|one| &one.management) == Some(&call.caller.account);
        if own {
            return Err(invalid("The management account cannot use central configuration"));
        }
        if auto_enable || default_standards {
            return Err(invalid("Central configuration needs AutoEnable false and AutoEnableStandards NONE"));
        }
        if call.here().securityhub.aggregator.is_none() {
            return Err(invalid("Central configuration needs a finding aggregator in this Region"));
        }
        if live.as_ref().is_none_or(|live| live.failed.is_some()) {
            call.here().securityhub.organization.central =
                Some(Central { since: now, failed: None, superseded: false });
        }
    } else if live.is_some() {
        return Err(Refusal::new(
            409,
            "ResourceConflictException",
            "The organization is configured centrally: disassociate and delete its policies first",
        ));
    }
    let here = &mut call.here().securityhub.organization;
    here.auto_enable = auto_enable;
    here.default_standards = default_standards;
    Ok(UpdateOrganizationConfigurationOutput::builder().build())
}

#[cfg(test)]
mod tests;
