//! Services in the organisation: trusted access, and who administers them.
//!
//! Source: AWS Organizations API Reference and User Guide, "Using AWS Organizations with other AWS services".

use aws_sdk_organizations::operation::enable_aws_service_access::{
    EnableAwsServiceAccessInput, EnableAwsServiceAccessOutput,
};
use aws_sdk_organizations::operation::list_aws_service_access_for_organization::{
    ListAwsServiceAccessForOrganizationInput, ListAwsServiceAccessForOrganizationOutput,
};
use aws_sdk_organizations::operation::list_delegated_administrators::{
    ListDelegatedAdministratorsInput, ListDelegatedAdministratorsOutput,
};
use aws_sdk_organizations::types::{DelegatedAdministrator, EnabledServicePrincipal};
use jiff::Timestamp;

use super::super::operation::{Call, Refusal, date_time, length_within};
use super::{Organization, administered, invalid, organization, paged};

impl Organization {
    /// Lets a service work in the accounts, as the management account does.
    pub fn trust(&mut self, service: &str, now: Timestamp) {
        self.trusted.entry(service.to_owned()).or_insert(now);
    }

    /// Makes an account administer a service. Services whose own operation does that call it (GuardDuty, Security
    /// Hub, Inspector: EnableOrganizationAdminAccount and its like).
    pub fn delegate(&mut self, service: &str, account: &str, now: Timestamp) {
        self.delegated.entry(service.to_owned()).or_default().entry(account.to_owned()).or_insert(now);
    }

    pub fn trusts(&self, service: &str) -> bool {
        self.trusted.contains_key(service)
    }

    /// The accounts that administer a service.
    pub fn administrators_of(&self, service: &str) -> impl Iterator<Item = &str> {
        self.delegated.get(service).into_iter().flat_map(|of| of.keys()).map(String::as_str)
    }

    fn administrator(&self, id: &str, since: Timestamp) -> Option<DelegatedAdministrator> {
        let account = self.account(id, self.members.get(id)?);
        let told = DelegatedAdministrator::builder()
            .set_id(account.id)
            .set_arn(account.arn)
            .set_email(account.email)
            .set_name(account.name)
            .set_status(account.status)
            .set_state(account.state)
            .set_joined_method(account.joined_method)
            .set_joined_timestamp(account.joined_timestamp)
            .delegation_enabled_date(date_time(since));
        Some(told.build())
    }
}

/// ServicePrincipal in the model: 1–128 of `\w+=,.@-`. The service finds out which principals exist; here each
/// ends as AWS's do.
fn principal(wanted: Option<&str>) -> Result<&str, Refusal> {
    let fits = |text: &&str| {
        length_within(text, 1, 128)
            && text.chars().all(|c| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c))
            && text.ends_with(".amazonaws.com")
    };
    wanted.filter(fits).ok_or_else(|| invalid("ServicePrincipal"))
}

/// EnableAWSServiceAccess: "you can only call this operation from the management account". Enabling twice changes
/// nothing.
pub(super) fn enable_service_access(
    call: &mut Call<'_>,
    input: &EnableAwsServiceAccessInput,
) -> Result<EnableAwsServiceAccessOutput, Refusal> {
    if organization(call)?.management != call.caller.account {
        let denied = "You don't have permissions to access this resource.";
        return Err(Refusal::new(400, "AccessDeniedException", denied));
    }
    let service = principal(input.service_principal())?;
    let now = call.now;
    if let Some(organization) = call.state.organization.as_mut() {
        organization.trust(service, now);
    }
    Ok(EnableAwsServiceAccessOutput::builder().build())
}

/// ListAWSServiceAccessForOrganization: from the management account or a delegated administrator.
pub(super) fn list_service_access(
    call: &mut Call<'_>,
    input: &ListAwsServiceAccessForOrganizationInput,
) -> Result<ListAwsServiceAccessForOrganizationOutput, Refusal> {
    let organization = administered(call)?;
    let trusted: Vec<_> = organization.trusted.iter().collect();
    let (trusted, next) = paged(&trusted, input.next_token(), input.max_results())?;
    let told = trusted.into_iter().map(|(service, since)| {
        EnabledServicePrincipal::builder().service_principal(service).date_enabled(date_time(*since)).build()
    });
    Ok(ListAwsServiceAccessForOrganizationOutput::builder()
        .set_enabled_service_principals(Some(told.collect()))
        .set_next_token(next)
        .build())
}

/// ListDelegatedAdministrators: of one service, or of all of them.
pub(super) fn list_delegated_administrators(
    call: &mut Call<'_>,
    input: &ListDelegatedAdministratorsInput,
) -> Result<ListDelegatedAdministratorsOutput, Refusal> {
    let organization = administered(call)?;
    let service = input.service_principal().map(|service| principal(Some(service))).transpose()?;
    let mut all: Vec<(&String, Timestamp)> = Vec::new();
    for (of, accounts) in &organization.delegated {
        for (id, since) in accounts.iter().filter(|_| service.is_none_or(|service| service == of)) {
            if all.iter().all(|(told, _)| *told != id) {
                all.push((id, *since));
            }
        }
    }
    let (accounts, next) = paged(&all, input.next_token(), input.max_results())?;
    let told = accounts.into_iter().filter_map(|(id, since)| organization.administrator(id, since));
    Ok(ListDelegatedAdministratorsOutput::builder()
        .set_delegated_administrators(Some(told.collect()))
        .set_next_token(next)
        .build())
}
