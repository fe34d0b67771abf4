//! AWS IAM: the password policy, the root user and roles. One for each account, served in us-east-1.
//!
//! Sources: AWS Identity and Access Management API Reference, the operation named at each handler.

mod attached;
mod policies;
mod service_linked;
mod simulate;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::RangeInclusive;
use std::time::Duration;

use aws_sdk_iam::operation::create_role::{CreateRoleInput, CreateRoleOutput};
use aws_sdk_iam::operation::get_account_password_policy::{
    GetAccountPasswordPolicyInput, GetAccountPasswordPolicyOutput,
};
use aws_sdk_iam::operation::get_account_summary::{GetAccountSummaryInput, GetAccountSummaryOutput};
use aws_sdk_iam::operation::get_role::{GetRoleInput, GetRoleOutput};
use aws_sdk_iam::operation::list_virtual_mfa_devices::{
    ListVirtualMfaDevicesInput, ListVirtualMfaDevicesOutput,
};
use aws_sdk_iam::operation::update_account_password_policy::{
    UpdateAccountPasswordPolicyInput, UpdateAccountPasswordPolicyOutput,
};
use aws_sdk_iam::types::{AssignmentStatusType, SummaryKeyType, Tag, User, VirtualMfaDevice};
use jiff::Timestamp;

use super::identity::{Allows, Deny};
use super::operation::{
    Call, Operations, Protocol, Refusal, Service, complete, date_time, length_within, page,
};
use super::policy;
pub(super) use policies::permits;
pub(super) use service_linked::ensure as ensure_service_linked;

static SERVICE: Service = Service {
    id: "IAM",
    prefix: "iam",
    protocol: Protocol::Query,
    throttled: ("Throttling", 400),
    broken: ("InternalFailure", 500),
};

pub(super) fn operations() -> Operations {
    Operations::of(&SERVICE)
        .on("GetAccountPasswordPolicy", get_account_password_policy)
        .on("UpdateAccountPasswordPolicy", update_account_password_policy)
        .on("GetAccountSummary", get_account_summary)
        .on("ListVirtualMFADevices", list_virtual_mfa_devices)
        .on("GetRole", get_role)
        .on("CreateRole", create_role)
        .on("GetRolePolicy", policies::get_role_policy)
        .on("PutRolePolicy", policies::put_role_policy)
        .on("UpdateAssumeRolePolicy", policies::update_assume_role_policy)
        .on("CreateServiceLinkedRole", service_linked::create_service_linked_role)
        .on("AttachRolePolicy", attached::attach)
        .on("ListAttachedRolePolicies", attached::list)
        .on("SimulatePrincipalPolicy", simulate::simulate)
}

/// IAM of one account.
#[derive(Clone, Debug, Default)]
pub struct Iam {
    /// None until somebody sets one.
    pub password_policy: Option<PasswordPolicy>,
    pub root: Root,
    /// The users with a virtual MFA device, beside the root user.
    pub virtual_mfa_users: Vec<String>,
    pub roles: BTreeMap<String, Role>,
    /// Inline policies by role and name.
    pub inline: BTreeMap<String, BTreeMap<String, String>>,
    /// ARNs of the managed policies that are attached, by role.
    pub attached: BTreeMap<String, BTreeSet<String>>,
    /// When each role was made or changed.
    pub changed: BTreeMap<String, Timestamp>,
    /// How long other services do not see a change of a role (IAM User Guide, "Changes that I make are not
    /// always immediately visible"). Nothing, unless somebody says otherwise.
    pub propagation: Duration,
}

/// A password policy as it is stored. The default is what an update that says nothing leaves behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordPolicy {
    pub minimum_length: i32,
    pub symbols: bool,
    pub numbers: bool,
    pub uppercase: bool,
    pub lowercase: bool,
    pub users_may_change: bool,
    /// Days; none for never.
    pub max_age: Option<i32>,
    pub reuse_prevention: Option<i32>,
    pub hard_expiry: Option<bool>,
}

impl Default for PasswordPolicy {
    fn default() -> Self {
        Self {
            minimum_length: 6,
            symbols: false,
            numbers: false,
            uppercase: false,
            lowercase: false,
            users_may_change: false,
            max_age: None,
            reuse_prevention: None,
            hard_expiry: None,
        }
    }
}

/// How the root user proves that it is itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mfa {
    #[default]
    None,
    Virtual,
    Hardware,
}

/// The root user. A new account has a password and nothing else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Root {
    pub mfa: Mfa,
    pub access_keys: bool,
    pub signing_certificates: bool,
    /// Member accounts may have their root credentials taken away.
    pub no_password: bool,
}

/// A role.
#[derive(Clone, Debug)]
pub struct Role {
    pub id: String,
    pub name: String,
    pub path: String,
    /// The trust policy, as JSON.
    pub trust: String,
    pub description: Option<String>,
    pub tags: BTreeMap<String, String>,
    /// Seconds.
    pub max_session: i32,
    pub created: Timestamp,
    pub allows: Allows,
    pub denies: BTreeSet<Deny>,
}

impl Role {
    /// Its ARN in `account`.
    pub fn arn(&self, account: &str) -> String {
        format!("arn:aws:iam::{account}:role{}{}", self.path, self.name)
    }
}

fn invalid(text: impl Into<String>) -> Refusal {
    Refusal::new(400, "ValidationError", text)
}

fn within(name: &str, value: Option<i32>, range: RangeInclusive<i32>) -> Result<Option<i32>, Refusal> {
    match value {
        Some(value) if !range.contains(&value) => Err(invalid(format!(
            "1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint: Member must \
             have value between {} and {}",
            range.start(),
            range.end()
        ))),
        value => Ok(value),
    }
}

/// GetAccountPasswordPolicy: `NoSuchEntity` where none was set; `ExpirePasswords` says whether a maximum age
/// is.
fn get_account_password_policy(
    call: &mut Call<'_>,
    _: &GetAccountPasswordPolicyInput,
) -> Result<GetAccountPasswordPolicyOutput, Refusal> {
    let account = &call.caller.account;
    let missing = || {
        Refusal::new(
            404,
            "NoSuchEntity",
            format!("The Password Policy with domain name {account} cannot be found."),
        )
    };
    let policy = call.account().iam.password_policy.clone().ok_or_else(missing)?;
    let told = aws_sdk_iam::types::PasswordPolicy::builder()
        .minimum_password_length(policy.minimum_length)
        .require_symbols(policy.symbols)
        .require_numbers(policy.numbers)
        .require_uppercase_characters(policy.uppercase)
        .require_lowercase_characters(policy.lowercase)
        .allow_users_to_change_password(policy.users_may_change)
        .expire_passwords(policy.max_age.is_some())
        .set_max_password_age(policy.max_age)
        .set_password_reuse_prevention(policy.reuse_prevention)
        .set_hard_expiry(policy.hard_expiry);
    Ok(GetAccountPasswordPolicyOutput::builder().password_policy(told.build()).build())
}

/// UpdateAccountPasswordPolicy: "no partial updates": what is not said goes back to its default. Length 6–128,
/// age 1–1095, reuse 1–24; zero is out of range, so that "never" is said by leaving the age out.
fn update_account_password_policy(
    call: &mut Call<'_>,
    input: &UpdateAccountPasswordPolicyInput,
) -> Result<UpdateAccountPasswordPolicyOutput, Refusal> {
    let length = within("minimumPasswordLength", input.minimum_password_length(), 6..=128)?;
    let policy = PasswordPolicy {
        minimum_length: length.unwrap_or(6),
        symbols: input.require_symbols().unwrap_or(false),
        numbers: input.require_numbers().unwrap_or(false),
        uppercase: input.require_uppercase_characters().unwrap_or(false),
        lowercase: input.require_lowercase_characters().unwrap_or(false),
        users_may_change: input.allow_users_to_change_password().unwrap_or(false),
        max_age: within("maxPasswordAge", input.max_password_age(), 1..=1095)?,
        reuse_prevention: within("passwordReusePrevention", input.password_reuse_prevention(), 1..=24)?,
        hard_expiry: input.hard_expiry(),
    };
    call.account().iam.password_policy = Some(policy);
    Ok(UpdateAccountPasswordPolicyOutput::builder().build())
}

/// GetAccountSummary: entity counts and quotas; the root user's in `Account…`. A hardware and a virtual device
/// count alike.
fn get_account_summary(
    call: &mut Call<'_>,
    _: &GetAccountSummaryInput,
) -> Result<GetAccountSummaryOutput, Refusal> {
    let iam = &call.account().iam;
    let root_mfa = i32::from(iam.root.mfa != Mfa::None);
    let devices = i32::try_from(iam.virtual_mfa_users.len()).unwrap_or(i32::MAX);
    let summary = HashMap::from([
        (SummaryKeyType::AccountMfaEnabled, root_mfa),
        (SummaryKeyType::AccountAccessKeysPresent, i32::from(iam.root.access_keys)),
        (SummaryKeyType::AccountSigningCertificatesPresent, i32::from(iam.root.signing_certificates)),
        (SummaryKeyType::AccountPasswordPresent, i32::from(!iam.root.no_password)),
        (SummaryKeyType::MfaDevices, devices + root_mfa),
        (SummaryKeyType::MfaDevicesInUse, devices + root_mfa),
        (SummaryKeyType::Users, devices),
        (SummaryKeyType::UsersQuota, 5000),
        (SummaryKeyType::Roles, i32::try_from(iam.roles.len()).unwrap_or(i32::MAX)),
        (SummaryKeyType::RolesQuota, 1000),
        (SummaryKeyType::Groups, 0),
        (SummaryKeyType::GroupsQuota, 300),
        (SummaryKeyType::Policies, 0),
        (SummaryKeyType::PoliciesQuota, 1500),
        (SummaryKeyType::AccessKeysPerUserQuota, 2),
        (SummaryKeyType::GlobalEndpointTokenVersion, 1),
    ]);
    Ok(GetAccountSummaryOutput::builder().set_summary_map(Some(summary)).build())
}

/// How many devices a page has, whatever was asked for: "IAM might return fewer than the MaxItems number of
/// results, even when there are more".
const DEVICES_A_PAGE: usize = 2;

/// ListVirtualMFADevices: the root user's virtual device is
/// `arn:aws:iam::ACCOUNT:mfa/root-account-mfa-device`, and its user has no name or path; a hardware device is
/// not listed. Every device here is assigned.
fn list_virtual_mfa_devices(
    call: &mut Call<'_>,
    input: &ListVirtualMfaDevicesInput,
) -> Result<ListVirtualMfaDevicesOutput, Refusal> {
    let size = within("maxItems", input.max_items(), 1..=1000)?;
    let size = size.and_then(|size| usize::try_from(size).ok()).unwrap_or(100).min(DEVICES_A_PAGE);
    let status = input.assignment_status().cloned().unwrap_or(AssignmentStatusType::Any);
    let account = call.caller.account.clone();
    let now = date_time(call.now);
    let iam = &call.account().iam;
    let root = (iam.root.mfa == Mfa::Virtual).then(|| {
        let serial = format!("arn:aws:iam::{account}:mfa/root-account-mfa-device");
        (serial, String::new(), account.clone(), format!("arn:aws:iam::{account}:root"))
    });
    let users = iam.virtual_mfa_users.iter().map(|name| {
        let serial = format!("arn:aws:iam::{account}:mfa/{name}");
        (serial, name.clone(), format!("AIDA{name:0>16}"), format!("arn:aws:iam::{account}:user/{name}"))
    });
    let devices: Vec<_> = match status {
        AssignmentStatusType::Any | AssignmentStatusType::Assigned => root.into_iter().chain(users).collect(),
        AssignmentStatusType::Unassigned => Vec::new(),
        other => {
            return Err(invalid(format!("Value '{}' at 'assignmentStatus' is not known", other.as_str())));
        }
    };
    let (devices, marker) = page(&devices, input.marker(), size).ok_or_else(|| invalid("Invalid Marker"))?;
    let devices = devices.into_iter().map(|(serial, name, id, arn)| {
        let path = if name.is_empty() { "" } else { "/" };
        let user = User::builder().path(path).user_name(name).user_id(id).arn(arn).create_date(now);
        let device = VirtualMfaDevice::builder().serial_number(serial).enable_date(now);
        complete(device.user(complete(user.build())?).build())
    });
    let output = ListVirtualMfaDevicesOutput::builder()
        .set_virtual_mfa_devices(Some(devices.collect::<Result<_, _>>()?))
        .is_truncated(marker.is_some())
        .set_marker(marker);
    complete(output.build())
}

fn role_name(name: Option<&str>) -> Result<&str, Refusal> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    name.filter(|name| length_within(name, 1, 64) && name.chars().all(fits)).ok_or_else(|| {
        invalid("1 validation error detected: Value at 'roleName' failed to satisfy constraint")
    })
}

/// The role as the API tells it: the trust policy is URL-encoded (RFC 3986).
fn told(role: &Role, account: &str) -> Result<aws_sdk_iam::types::Role, Refusal> {
    let tags = role.tags.iter().map(|(key, value)| complete(Tag::builder().key(key).value(value).build()));
    let built = aws_sdk_iam::types::Role::builder()
        .path(&role.path)
        .role_name(&role.name)
        .role_id(&role.id)
        .arn(role.arn(account))
        .create_date(date_time(role.created))
        .assume_role_policy_document(percent_encoded(&role.trust))
        .set_description(role.description.clone())
        .max_session_duration(role.max_session)
        .set_tags(if role.tags.is_empty() { None } else { Some(tags.collect::<Result<_, _>>()?) });
    complete(built.build())
}

fn percent_encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    let encode = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(encode).collect()
}

/// GetRole.
fn get_role(call: &mut Call<'_>, input: &GetRoleInput) -> Result<GetRoleOutput, Refusal> {
    let name = role_name(input.role_name())?;
    let account = call.caller.account.clone();
    let role = call.account().iam.roles.get(name).ok_or_else(|| {
        Refusal::new(404, "NoSuchEntity", format!("The role with name {name} cannot be found."))
    })?;
    Ok(GetRoleOutput::builder().role(told(role, &account)?).build())
}

/// CreateRole: names are unique in the account whatever the path; sessions last 3600–43200 seconds; the trust
/// policy must be one; at most 50 tags. Whoever takes a new role may do
/// everything here; what a service may do with it, its inline policies say.
fn create_role(call: &mut Call<'_>, input: &CreateRoleInput) -> Result<CreateRoleOutput, Refusal> {
    let name = role_name(input.role_name())?.to_owned();
    let trust = input.assume_role_policy_document().unwrap_or_default();
    if !policy::well_formed(trust, true) {
        return Err(Refusal::new(400, "MalformedPolicyDocument", "This policy contains invalid Json"));
    }
    let path = input.path().unwrap_or("/").to_owned();
    if !path.starts_with('/') || !path.ends_with('/') || !length_within(&path, 1, 512) {
        return Err(invalid("The specified value for path is invalid."));
    }
    let max_session = within("maxSessionDuration", input.max_session_duration(), 3600..=43200)?;
    if input.tags().len() > 50 || input.description().is_some_and(|text| !length_within(text, 0, 1000)) {
        return Err(invalid("1 validation error detected"));
    }
    if call.account().iam.roles.keys().any(|other| other.eq_ignore_ascii_case(&name)) {
        return Err(Refusal::new(
            409,
            "EntityAlreadyExists",
            format!("Role with name {name} already exists."),
        ));
    }
    let role = Role {
        id: format!("AROA{}", call.state.identifier(17)),
        name: name.clone(),
        path,
        trust: trust.to_owned(),
        description: input.description().map(str::to_owned),
        tags: input.tags().iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect(),
        max_session: max_session.unwrap_or(3600),
        created: call.now,
        allows: Allows::Everything,
        denies: BTreeSet::new(),
    };
    let output = CreateRoleOutput::builder().role(told(&role, &call.caller.account)?).build();
    let now = call.now;
    let iam = &mut call.account().iam;
    iam.changed.insert(name.clone(), now);
    iam.roles.insert(name, role);
    Ok(output)
}

#[cfg(test)]
mod tests;
