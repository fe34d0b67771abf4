//! The hub of an account in a region, and who administers it.

use std::collections::BTreeMap;

use aws_sdk_securityhub::operation::describe_hub::{DescribeHubInput, DescribeHubOutput};
use aws_sdk_securityhub::operation::enable_security_hub::{EnableSecurityHubInput, EnableSecurityHubOutput};
use aws_sdk_securityhub::operation::get_administrator_account::{
    GetAdministratorAccountInput, GetAdministratorAccountOutput,
};
use aws_sdk_securityhub::operation::get_configuration_policy_association::{
    GetConfigurationPolicyAssociationInput, GetConfigurationPolicyAssociationOutput,
};
use aws_sdk_securityhub::operation::update_security_hub_configuration::{
    UpdateSecurityHubConfigurationInput, UpdateSecurityHubConfigurationOutput,
};
use aws_sdk_securityhub::types::{
    AssociationType, ConfigurationPolicyAssociationStatus, ControlFindingGenerator, Invitation, Target,
    TargetType,
};
use jiff::Timestamp;

use super::super::operation::{Call, Refusal, date_time, length_within};
use super::{enabled, invalid, managed_centrally, may_change, standards};

/// Security Hub, enabled in one region of an account.
#[derive(Clone, Debug)]
pub struct Hub {
    pub since: Timestamp,
    /// `AutoEnableControls`.
    pub new_controls: bool,
    pub generator: ControlFindingGenerator,
    pub tags: BTreeMap<String, String>,
}

impl Hub {
    /// As the API makes one when told nothing (EnableSecurityHub, UpdateSecurityHubConfiguration: both default to
    /// the consolidated findings of new accounts and to following new controls).
    pub fn with_defaults(now: Timestamp) -> Self {
        Self {
            since: now,
            new_controls: true,
            generator: ControlFindingGenerator::SecurityControl,
            tags: BTreeMap::new(),
        }
    }
}

fn generator(wanted: &ControlFindingGenerator) -> Result<ControlFindingGenerator, Refusal> {
    let known = ControlFindingGenerator::values().contains(&wanted.as_str());
    if known { Ok(wanted.clone()) } else { Err(invalid("Invalid parameter 'ControlFindingGenerator'.")) }
}

/// API reference, EnableSecurityHub: a second time is a conflict; the default standards are enabled unless they are
/// declined; TagMap has 1 to 50 tags, values to 256 characters, and no key begins with `aws:`.
pub fn enable(
    call: &mut Call<'_>,
    input: &EnableSecurityHubInput,
) -> Result<EnableSecurityHubOutput, Refusal> {
    let (now, region, account) = (call.now, call.region.to_owned(), call.caller.account.clone());
    let here = &mut call.here().securityhub;
    if here.hub.is_some() {
        return Err(Refusal::new(
            409,
            "ResourceConflictException",
            "Account is already subscribed to Security Hub",
        ));
    }
    if here.central.is_some() {
        return Err(managed_centrally());
    }
    let mut hub = Hub::with_defaults(now);
    if let Some(wanted) = input.control_finding_generator() {
        hub.generator = generator(wanted)?;
    }
    if let Some(tags) = input.tags() {
        let fits = |(key, value): (&String, &String)| {
            length_within(key, 1, 128) && length_within(value, 0, 256) && !key.starts_with("aws:")
        };
        if tags.is_empty() || tags.len() > 50 || !tags.iter().all(fits) {
            return Err(invalid("Invalid parameter 'Tags'."));
        }
        hub.tags = tags.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
    }
    here.hub = Some(hub);
    if input.enable_default_standards().unwrap_or(true) {
        standards::enable_defaults(here, &region, &account, now);
    }
    Ok(EnableSecurityHubOutput::builder().build())
}

/// API reference, DescribeHub.
pub fn describe(call: &mut Call<'_>, input: &DescribeHubInput) -> Result<DescribeHubOutput, Refusal> {
    let arn = call.arn("securityhub", "hub/default");
    if input.hub_arn().is_some_and(|asked| asked != arn) {
        return Err(invalid("Invalid parameter 'HubArn'."));
    }
    let here = enabled(call)?;
    let hub = here.hub.as_ref();
    Ok(DescribeHubOutput::builder()
        .hub_arn(arn)
        .set_subscribed_at(hub.map(|hub| format!("{:.3}", hub.since)))
        .set_auto_enable_controls(hub.map(|hub| hub.new_controls))
        .set_control_finding_generator(hub.map(|hub| hub.generator.clone()))
        .build())
}

/// API reference, UpdateSecurityHubConfiguration: what is not named stays; "the value for this field in a member
/// account matches the value in the administrator account", so a member cannot set the generator.
pub fn update(
    call: &mut Call<'_>,
    input: &UpdateSecurityHubConfigurationInput,
) -> Result<UpdateSecurityHubConfigurationOutput, Refusal> {
    let here = may_change(call)?;
    let wanted = input.control_finding_generator().map(generator).transpose()?;
    if wanted.is_some() && here.administrator.is_some() {
        return Err(Refusal::new(
            403,
            "AccessDeniedException",
            "Member accounts cannot change ControlFindingGenerator",
        ));
    }
    if let Some(hub) = &mut here.hub {
        hub.generator = wanted.unwrap_or_else(|| hub.generator.clone());
        hub.new_controls = input.auto_enable_controls().unwrap_or(hub.new_controls);
    }
    Ok(UpdateSecurityHubConfigurationOutput::builder().build())
}

/// API reference, GetAdministratorAccount: without an administrator the answer is empty.
pub fn get_administrator(
    call: &mut Call<'_>,
    _: &GetAdministratorAccountInput,
) -> Result<GetAdministratorAccountOutput, Refusal> {
    let here = enabled(call)?;
    let since = here.hub.as_ref().map(|hub| hub.since);
    let invitation = here.administrator.as_ref().map(|account| {
        Invitation::builder()
            .account_id(account)
            .set_invited_at(since.map(date_time))
            .member_status("Enabled")
            .build()
    });
    Ok(GetAdministratorAccountOutput::builder().set_administrator(invitation).build())
}

/// API reference, GetConfigurationPolicyAssociation: only the delegated administrator may ask. An account without an
/// association is not found; one that manages itself has the policy `SELF_MANAGED_SECURITY_HUB`.
pub fn get_policy_association(
    call: &mut Call<'_>,
    input: &GetConfigurationPolicyAssociationInput,
) -> Result<GetConfigurationPolicyAssociationOutput, Refusal> {
    let now = call.now;
    enabled(call)?;
    let Some(Target::AccountId(target)) = input.target() else {
        return Err(invalid("Invalid parameter 'Target'."));
    };
    let (asker, region) = (call.caller.account.clone(), call.region.to_owned());
    let account = call.state.accounts.get_mut(target);
    let theirs = account.map(|account| &account.region(&region).securityhub);
    let theirs = theirs.filter(|theirs| theirs.administrator.as_ref() == Some(&asker) || *target == asker);
    let theirs = theirs.ok_or_else(|| {
        Refusal::new(403, "AccessDeniedException", "Only the delegated administrator can call this operation")
    })?;
    let policy = theirs.central.clone().unwrap_or_else(|| "SELF_MANAGED_SECURITY_HUB".to_owned());
    Ok(GetConfigurationPolicyAssociationOutput::builder()
        .configuration_policy_id(policy)
        .target_id(target)
        .target_type(TargetType::Account)
        .association_type(AssociationType::Inherited)
        .association_status(ConfigurationPolicyAssociationStatus::Success)
        .updated_at(date_time(now))
        .build())
}
