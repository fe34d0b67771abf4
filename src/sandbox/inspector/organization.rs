//! Inspector in an organisation: who administers it, what new accounts get, and who is a member.
//!
//! Sources: API reference of each operation; User Guide, "Managing multiple accounts in Amazon Inspector with AWS
//! Organizations". That a new administrator enables nothing by itself is the strictest start, and is written nowhere.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_inspector2::operation::associate_member::{AssociateMemberInput, AssociateMemberOutput};
use aws_sdk_inspector2::operation::describe_organization_configuration::{
    DescribeOrganizationConfigurationInput, DescribeOrganizationConfigurationOutput,
};
use aws_sdk_inspector2::operation::enable_delegated_admin_account::{
    EnableDelegatedAdminAccountInput, EnableDelegatedAdminAccountOutput,
};
use aws_sdk_inspector2::operation::get_delegated_admin_account::{
    GetDelegatedAdminAccountInput, GetDelegatedAdminAccountOutput,
};
use aws_sdk_inspector2::operation::list_delegated_admin_accounts::{
    ListDelegatedAdminAccountsInput, ListDelegatedAdminAccountsOutput,
};
use aws_sdk_inspector2::operation::list_members::{ListMembersInput, ListMembersOutput};
use aws_sdk_inspector2::operation::update_organization_configuration::{
    UpdateOrganizationConfigurationInput, UpdateOrganizationConfigurationOutput,
};
use aws_sdk_inspector2::types::{
    AutoEnable, DelegatedAdmin, DelegatedAdminAccount, DelegatedAdminStatus, Member, RelationshipStatus,
};
use jiff::Timestamp;

use super::super::operation::{Call, Refusal, complete, page};
use super::{Type, invalid};

/// What the service principal of Inspector is.
pub const PRINCIPAL: &str = "inspector2.amazonaws.com";

/// How long an account is on its way to being a member ("an HTTP 200 response indicates the association was
/// successfully started").
pub const JOINING: Duration = Duration::from_secs(30);

/// Inspector of an organisation in one region. Each part stands in the state of its own account.
#[derive(Clone, Debug, Default)]
pub struct Organization {
    /// In the management account: the administrator of this region.
    pub administrator: Option<String>,
    /// In the management account: somebody is removing it.
    pub leaving: bool,
    /// In the administrator's: the types that new accounts get.
    pub auto_enable: BTreeMap<String, bool>,
    /// In the administrator's: its members, and since when.
    pub members: BTreeMap<String, Timestamp>,
}

fn denied(message: &str) -> Refusal {
    Refusal::new(403, "AccessDeniedException", message)
}

fn management(call: &Call<'_>) -> Result<(), Refusal> {
    let organization = call.state.organization.as_ref();
    if organization.is_some_and(|organization| organization.management == call.caller.account) {
        return Ok(());
    }
    Err(denied("Only the management account of an organization can do this."))
}

/// The administrator of this region, as the management account has it.
fn designated(call: &mut Call<'_>) -> Option<String> {
    let management = call.state.organization.as_ref()?.management.clone();
    let account = call.state.accounts.get_mut(&management)?;
    account.region(call.region).inspector.organization.administrator.clone()
}

fn administrator(call: &mut Call<'_>) -> Result<(), Refusal> {
    if designated(call).as_deref() == Some(call.caller.account.as_str()) {
        return Ok(());
    }
    Err(denied("Invoking account is not the delegated administrator."))
}

/// EnableDelegatedAdminAccount: from the management account, for a member of the organisation; there is one in all
/// regions ("ConflictException" for another); trusted access comes first, which is this world's own strictness.
/// Inspector is turned on for the administrator.
pub(super) fn enable_admin(
    call: &mut Call<'_>,
    input: &EnableDelegatedAdminAccountInput,
) -> Result<EnableDelegatedAdminAccountOutput, Refusal> {
    management(call)?;
    let (now, region) = (call.now, call.region);
    let wanted = input.delegated_admin_account_id().unwrap_or_default().to_owned();
    let here = call.here().inspector.organization.administrator.clone();
    let organization = call.state.organization.as_mut().filter(|one| one.has_member(&wanted));
    let organization = organization.ok_or_else(|| invalid("delegatedAdminAccountId"))?;
    if !organization.trusts(PRINCIPAL) {
        return Err(denied("Amazon Inspector has no trusted access to the organization."));
    }
    let registered = organization.administrators_of(PRINCIPAL).next().map(str::to_owned);
    if here.or(registered).is_some_and(|other| other != wanted) {
        return Err(Refusal::new(
            409,
            "ConflictException",
            "Another account is the delegated administrator.",
        ));
    }
    organization.delegate(PRINCIPAL, &wanted, now);
    call.here().inspector.organization.administrator = Some(wanted.clone());
    call.here().inspector.organization.leaving = false;
    if let Some(account) = call.state.accounts.get_mut(&wanted) {
        let types = &mut account.region(region).inspector.types;
        types.entry("EC2".to_owned()).or_insert(Type { on: true, since: now });
    }
    complete(EnableDelegatedAdminAccountOutput::builder().delegated_admin_account_id(wanted).build())
}

/// ListDelegatedAdminAccounts: from the management account; pages of 1–5, and there is one at most.
pub(super) fn list_admins(
    call: &mut Call<'_>,
    input: &ListDelegatedAdminAccountsInput,
) -> Result<ListDelegatedAdminAccountsOutput, Refusal> {
    management(call)?;
    if input.max_results().is_some_and(|size| !(1..=5).contains(&size)) || input.next_token().is_some() {
        return Err(invalid("maxResults or nextToken"));
    }
    let here = &call.here().inspector.organization;
    let status =
        if here.leaving { DelegatedAdminStatus::DisableInProgress } else { DelegatedAdminStatus::Enabled };
    let told = here
        .administrator
        .iter()
        .map(|account| DelegatedAdminAccount::builder().account_id(account).status(status.clone()).build());
    Ok(ListDelegatedAdminAccountsOutput::builder().set_delegated_admin_accounts(Some(told.collect())).build())
}

/// GetDelegatedAdminAccount: of a member, whoever administers it; the administrator is told itself; nobody is 404.
pub(super) fn get_admin(
    call: &mut Call<'_>,
    _: &GetDelegatedAdminAccountInput,
) -> Result<GetDelegatedAdminAccountOutput, Refusal> {
    let own = designated(call).filter(|account| *account == call.caller.account);
    let account = call.here().inspector.administrator.clone().or(own).ok_or_else(|| {
        Refusal::new(
            404,
            "ResourceNotFoundException",
            "There is no delegated administrator for this account.",
        )
    })?;
    let admin = DelegatedAdmin::builder()
        .account_id(account)
        .relationship_status(RelationshipStatus::Enabled)
        .build();
    Ok(GetDelegatedAdminAccountOutput::builder().delegated_admin(admin).build())
}

fn told(types: &BTreeMap<String, bool>) -> Result<AutoEnable, Refusal> {
    let on = |name: &str| types.get(name).copied().unwrap_or(false);
    let built = AutoEnable::builder()
        .ec2(on("EC2"))
        .ecr(on("ECR"))
        .lambda(on("LAMBDA"))
        .lambda_code(on("LAMBDA_CODE"))
        .code_repository(on("CODE_REPOSITORY"));
    complete(built.build())
}

/// DescribeOrganizationConfiguration: from the administrator.
pub(super) fn describe(
    call: &mut Call<'_>,
    _: &DescribeOrganizationConfigurationInput,
) -> Result<DescribeOrganizationConfigurationOutput, Refusal> {
    administrator(call)?;
    Ok(DescribeOrganizationConfigurationOutput::builder()
        .auto_enable(told(&call.here().inspector.organization.auto_enable)?)
        .max_account_limit_reached(false)
        .build())
}

/// UpdateOrganizationConfiguration: what is not said is off; code of functions not without the functions.
pub(super) fn update(
    call: &mut Call<'_>,
    input: &UpdateOrganizationConfigurationInput,
) -> Result<UpdateOrganizationConfigurationOutput, Refusal> {
    administrator(call)?;
    let wanted = input.auto_enable().ok_or_else(|| invalid("autoEnable"))?;
    let types: BTreeMap<String, bool> = [
        ("EC2", wanted.ec2()),
        ("ECR", wanted.ecr()),
        ("LAMBDA", wanted.lambda().unwrap_or(false)),
        ("LAMBDA_CODE", wanted.lambda_code().unwrap_or(false)),
        ("CODE_REPOSITORY", wanted.code_repository().unwrap_or(false)),
    ]
    .map(|(name, on)| (name.to_owned(), on))
    .into();
    if types["LAMBDA_CODE"] && !types["LAMBDA"] {
        return Err(invalid("autoEnable"));
    }
    call.here().inspector.organization.auto_enable = types;
    let told = told(&call.here().inspector.organization.auto_enable)?;
    Ok(UpdateOrganizationConfigurationOutput::builder().auto_enable(told).build())
}

/// How many a page has; the model allows 1–50.
const A_PAGE: usize = 2;

/// ListMembers: those that are associated, or every account of the organisation but the administrator's own.
pub(super) fn list_members(
    call: &mut Call<'_>,
    input: &ListMembersInput,
) -> Result<ListMembersOutput, Refusal> {
    administrator(call)?;
    if input.max_results().is_some_and(|size| !(1..=50).contains(&size)) {
        return Err(invalid("maxResults"));
    }
    let (own, now) = (call.caller.account.clone(), call.now);
    let all: Vec<String> = call
        .state
        .organization
        .iter()
        .flat_map(|organization| organization.members.keys())
        .filter(|account| **account != own)
        .cloned()
        .collect();
    let joined = call.here().inspector.organization.members.clone();
    let only = input.only_associated().unwrap_or(true);
    let all: Vec<String> = all.into_iter().filter(|account| !only || joined.contains_key(account)).collect();
    let (accounts, next) = page(&all, input.next_token(), A_PAGE).ok_or_else(|| invalid("nextToken"))?;
    let member = |account: String| {
        let status = match joined.get(&account) {
            Some(since) if now < *since + JOINING => RelationshipStatus::Created,
            Some(_) => RelationshipStatus::Enabled,
            None => RelationshipStatus::Removed,
        };
        Member::builder()
            .account_id(account)
            .relationship_status(status)
            .delegated_admin_account_id(&own)
            .build()
    };
    Ok(ListMembersOutput::builder()
        .set_members(Some(accounts.into_iter().map(member).collect()))
        .set_next_token(next)
        .build())
}

/// AssociateMember: an account of the organisation; it is the administrator's from then on.
pub(super) fn associate(
    call: &mut Call<'_>,
    input: &AssociateMemberInput,
) -> Result<AssociateMemberOutput, Refusal> {
    administrator(call)?;
    let (own, now, region) = (call.caller.account.clone(), call.now, call.region);
    let wanted = input.account_id().unwrap_or_default().to_owned();
    let of_organization =
        call.state.organization.as_ref().is_some_and(|organization| organization.has_member(&wanted));
    if !of_organization || wanted == own {
        return Err(invalid("accountId"));
    }
    if let Some(account) = call.state.accounts.get_mut(&wanted) {
        account.region(region).inspector.administrator = Some(own);
    }
    call.here().inspector.organization.members.entry(wanted.clone()).or_insert(now);
    complete(AssociateMemberOutput::builder().account_id(wanted).build())
}
