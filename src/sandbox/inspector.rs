//! Amazon Inspector: what is scanned.
//!
//! Source: the service's API Reference, the operation named at each handler.

mod configuration;
mod organization;

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_inspector2::operation::batch_get_account_status::{
    BatchGetAccountStatusInput, BatchGetAccountStatusOutput,
};
use aws_sdk_inspector2::operation::disable::{DisableInput, DisableOutput};
use aws_sdk_inspector2::operation::enable::{EnableInput, EnableOutput};
use aws_sdk_inspector2::types::{
    AccountState, ErrorCode, FailedAccount, ResourceScanType, ResourceState, ResourceStatus, State, Status,
};
use jiff::Timestamp;

use super::operation::{Call, Operations, Protocol, Refusal, Service, complete};
pub use configuration::Configuration;
pub use organization::Organization;

static SERVICE: Service = Service {
    id: "Inspector2",
    prefix: "inspector2",
    protocol: Protocol::Json,
    throttled: ("ThrottlingException", 429),
    broken: ("InternalServerException", 500),
};

pub(super) fn operations() -> Operations {
    Operations::of(&SERVICE)
        .on("BatchGetAccountStatus", batch_get_account_status)
        .on("Enable", enable)
        .on("Disable", disable)
        .on("EnableDelegatedAdminAccount", organization::enable_admin)
        .on("ListDelegatedAdminAccounts", organization::list_admins)
        .on("GetDelegatedAdminAccount", organization::get_admin)
        .on("DescribeOrganizationConfiguration", organization::describe)
        .on("UpdateOrganizationConfiguration", organization::update)
        .on("ListMembers", organization::list_members)
        .on("AssociateMember", organization::associate)
        .on("GetConfiguration", configuration::get)
        .on("UpdateConfiguration", configuration::update)
}

/// Inspector in one region of an account.
#[derive(Clone, Debug, Default)]
pub struct Inspector {
    /// By name; what is not there was never on.
    pub types: BTreeMap<String, Type>,
    /// The account that administers this one's Inspector, when another does.
    pub administrator: Option<String>,
    pub configuration: Configuration,
    pub organization: Organization,
}

/// One resource type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Type {
    pub on: bool,
    /// When it was last turned.
    pub since: Timestamp,
}

/// How long turning a type takes. AWS takes minutes to an hour (User Guide, "Activating a scan type"); less here only
/// so that a run of apply can see it through.
pub const TURNING: Duration = Duration::from_secs(40);

impl Type {
    fn is_turning(self, now: Timestamp) -> bool {
        now < self.since + TURNING
    }

    fn status(self, now: Timestamp) -> Status {
        match (self.on, self.is_turning(now)) {
            (true, true) => Status::Enabling,
            (true, false) => Status::Enabled,
            (false, true) => Status::Disabling,
            (false, false) => Status::Disabled,
        }
    }
}

impl Inspector {
    /// Whether anything is scanned, or about to be.
    pub fn is_on(&self) -> bool {
        self.types.values().any(|one| one.on)
    }

    fn status(&self, name: &str, now: Timestamp) -> Status {
        self.types.get(name).map_or(Status::Disabled, |one| one.status(now))
    }

    /// What the whole is: on as soon as one type is.
    fn whole(&self, now: Timestamp) -> Status {
        let all = || self.types.values().map(|one| one.status(now));
        [Status::Enabled, Status::Enabling, Status::Disabling]
            .into_iter()
            .find(|status| all().any(|one| one == *status))
            .unwrap_or(Status::Disabled)
    }
}

fn invalid(what: &str) -> Refusal {
    Refusal::new(400, "ValidationException", format!("{what} does not satisfy its constraints"))
}

/// The caller's own account, which may be named or not. Other accounts are an administrator's to ask about.
fn own(call: &Call<'_>, accounts: &[String]) -> Result<(), Refusal> {
    if accounts.len() > 100 {
        return Err(invalid("accountIds"));
    }
    if accounts.iter().all(|account| *account == call.caller.account) {
        return Ok(());
    }
    Err(Refusal::new(403, "AccessDeniedException", "The account is not a member of the caller."))
}

/// BatchGetAccountStatus: a state has a code and a message whatever it is, though the model's list of codes has none
/// for "nothing is wrong".
fn batch_get_account_status(
    call: &mut Call<'_>,
    input: &BatchGetAccountStatusInput,
) -> Result<BatchGetAccountStatusOutput, Refusal> {
    own(call, input.account_ids())?;
    let (account, now) = (call.caller.account.clone(), call.now);
    let inspector = &call.here().inspector;
    let state = |status: Status| {
        let code = match status {
            Status::Enabling => ErrorCode::EnableInProgress,
            Status::Disabling => ErrorCode::DisableInProgress,
            _ => ErrorCode::AlreadyEnabled,
        };
        complete(State::builder().status(status).error_code(code).error_message("-").build())
    };
    let of = |name: &str| state(inspector.status(name, now));
    let resources = ResourceState::builder()
        .ec2(of("EC2")?)
        .ecr(of("ECR")?)
        .lambda(of("LAMBDA")?)
        .lambda_code(of("LAMBDA_CODE")?)
        .code_repository(of("CODE_REPOSITORY")?)
        .build();
    let told = AccountState::builder()
        .account_id(account)
        .state(state(inspector.whole(now))?)
        .resource_state(resources)
        .build();
    complete(BatchGetAccountStatusOutput::builder().accounts(complete(told)?).build())
}

/// What stands in the way of turning types, as an entry of `failedAccounts`.
fn in_the_way(call: &mut Call<'_>) -> Result<Option<FailedAccount>, Refusal> {
    let (account, now) = (call.caller.account.clone(), call.now);
    let turning = call.here().inspector.types.values().copied().find(|one| one.is_turning(now));
    let Some(turning) = turning else { return Ok(None) };
    let code = if turning.on { ErrorCode::EnableInProgress } else { ErrorCode::DisableInProgress };
    let failed = FailedAccount::builder()
        .account_id(account)
        .error_code(code)
        .error_message("Another change of the account is in progress.");
    complete(failed.build()).map(Some)
}

fn names(wanted: &[ResourceScanType]) -> Result<Vec<String>, Refusal> {
    if wanted.len() > 6 || wanted.iter().any(|one| !ResourceScanType::values().contains(&one.as_str())) {
        return Err(invalid("resourceTypes"));
    }
    Ok(wanted.iter().map(|one| one.as_str().to_owned()).collect())
}

/// A member's scans are its administrator's (User Guide, "Understanding the delegated administrator account").
fn not_a_member(call: &mut Call<'_>) -> Result<(), Refusal> {
    match call.here().inspector.administrator {
        None => Ok(()),
        Some(_) => Err(Refusal::new(403, "AccessDeniedException", "Member accounts cannot do this.")),
    }
}

fn told(call: &mut Call<'_>) -> Result<aws_sdk_inspector2::types::Account, Refusal> {
    let (account, now) = (call.caller.account.clone(), call.now);
    let inspector = &call.here().inspector;
    let resources = ResourceStatus::builder()
        .ec2(inspector.status("EC2", now))
        .ecr(inspector.status("ECR", now))
        .lambda(inspector.status("LAMBDA", now))
        .lambda_code(inspector.status("LAMBDA_CODE", now))
        .code_repository(inspector.status("CODE_REPOSITORY", now));
    let account = aws_sdk_inspector2::types::Account::builder()
        .account_id(account)
        .status(inspector.whole(now))
        .resource_status(complete(resources.build())?);
    complete(account.build())
}

fn turn(call: &mut Call<'_>, types: &[String], on: bool) {
    let now = call.now;
    let inspector = &mut call.here().inspector;
    for name in types {
        let before = inspector.types.get(name).copied();
        if before.is_some_and(|one| one.on) != on {
            inspector.types.insert(name.clone(), Type { on, since: now });
        }
    }
}

/// Enable: at least one type; code of functions not without the functions (User Guide, "Lambda code scanning"). One
/// change at a time is this world's own strictness.
fn enable(call: &mut Call<'_>, input: &EnableInput) -> Result<EnableOutput, Refusal> {
    own(call, input.account_ids())?;
    not_a_member(call)?;
    let types = names(input.resource_types())?;
    if types.is_empty() {
        return Err(invalid("resourceTypes"));
    }
    let functions = call.here().inspector.types.get("LAMBDA").is_some_and(|one| one.on);
    let has = |name: &str| types.iter().any(|one| one == name);
    if has("LAMBDA_CODE") && !has("LAMBDA") && !functions {
        return Err(invalid("resourceTypes"));
    }
    let output = EnableOutput::builder();
    let output = match in_the_way(call)? {
        Some(failed) => output.set_accounts(Some(Vec::new())).failed_accounts(failed),
        None => {
            turn(call, &types, true);
            output.accounts(told(call)?)
        }
    };
    complete(output.build())
}

/// Disable: no type is all of them; functions not while their code is scanned (`RESOURCE_SCAN_NOT_DISABLED`).
fn disable(call: &mut Call<'_>, input: &DisableInput) -> Result<DisableOutput, Refusal> {
    own(call, input.account_ids())?;
    not_a_member(call)?;
    let mut types = names(input.resource_types())?;
    if types.is_empty() {
        types = call.here().inspector.types.keys().cloned().collect();
    }
    let code = call.here().inspector.types.get("LAMBDA_CODE").is_some_and(|one| one.on);
    let has = |name: &str| types.iter().any(|one| one == name);
    let output = DisableOutput::builder();
    let blocked = if has("LAMBDA") && !has("LAMBDA_CODE") && code {
        let failed = FailedAccount::builder()
            .account_id(&call.caller.account)
            .error_code(ErrorCode::ResourceScanNotDisabled)
            .error_message("Disable LAMBDA_CODE first.");
        Some(complete(failed.build())?)
    } else {
        in_the_way(call)?
    };
    let output = match blocked {
        Some(failed) => output.set_accounts(Some(Vec::new())).failed_accounts(failed),
        None => {
            turn(call, &types, false);
            output.accounts(told(call)?)
        }
    };
    complete(output.build())
}

#[cfg(test)]
mod tests;
