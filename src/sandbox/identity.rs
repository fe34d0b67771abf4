//! Who calls: the keys that this world issued, and what a role may do.

use aws_credential_types::Credentials;
use aws_sdk_iam::types::PolicyEvaluationDecisionType;
use jiff::Timestamp;

use super::operation::{Operation, Refusal, reads};
use super::state::State;

/// Whom a key stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    Root,
    User(String),
    /// A session of a role: role name, session name.
    Session {
        role: String,
        session: String,
    },
}

/// The identity behind a request.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    pub account: String,
    pub principal: Principal,
    pub token: Option<String>,
    pub expires: Option<Timestamp>,
}

impl Caller {
    /// The caller's ARN as `sts:GetCallerIdentity` tells it.
    pub fn arn(&self) -> String {
        let account = &self.account;
        match &self.principal {
            Principal::Root => format!("arn:aws:iam::{account}:root"),
            Principal::User(name) => format!("arn:aws:iam::{account}:user/{name}"),
            Principal::Session { role, session } => {
                format!("arn:aws:sts::{account}:assumed-role/{role}/{session}")
            }
        }
    }

    /// The ARN that a policy names: a session stands for its role.
    pub fn policy_arn(&self) -> String {
        match &self.principal {
            Principal::Session { role, .. } => format!("arn:aws:iam::{}:role/{role}", self.account),
            _ => self.arn(),
        }
    }
}

/// What a role's own policies allow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Allows {
    #[default]
    Everything,
    /// `Get*`, `List*`, `Describe*`, `BatchGet*`, `Head*` and `Lookup*`, as an observe role has it.
    Reading,
}

/// What denies a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeniedBy {
    /// The role's own policy.
    #[default]
    Policy,
    /// A service control policy of the organisation.
    ServiceControlPolicy,
}

/// A denied operation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deny {
    /// `service:Operation`, where `*` stands for anything: `guardduty:*`.
    pub call: String,
    /// Only there, or everywhere.
    pub region: Option<String>,
    pub by: DeniedBy,
}

impl Deny {
    /// Denies `call` everywhere by the principal's own policy.
    pub fn new(call: impl Into<String>) -> Self {
        Self { call: call.into(), region: None, by: DeniedBy::Policy }
    }

    /// Only in this region.
    pub fn in_region(self, region: impl Into<String>) -> Self {
        Self { region: Some(region.into()), ..self }
    }

    /// By the organisation rather than by the account.
    pub fn by_organization(self) -> Self {
        Self { by: DeniedBy::ServiceControlPolicy, ..self }
    }

    fn covers(&self, operation: &Operation, region: &str) -> bool {
        let here = self.region.as_deref().is_none_or(|only| only == region);
        here && self.covers_action(operation.service.prefix, operation.name)
    }

    fn covers_action(&self, of: &str, wanted: &str) -> bool {
        self.call.split_once(':').is_some_and(|(service, name)| {
            (service == "*" || service == of)
                && (name == wanted || wildmatch::WildMatch::new(name).matches(wanted))
        })
    }
}

/// Whether the caller may call. `sts:GetCallerIdentity` needs no permission, even where one is denied (STS
/// API reference, GetCallerIdentity); the root user and users of this world may do everything that no service
/// control policy denies. The text is that of the IAM User Guide, "Troubleshoot access denied error messages".
pub(super) fn authorize(
    state: &State,
    caller: &Caller,
    operation: &Operation,
    region: &str,
) -> Result<(), Refusal> {
    if operation.name == "GetCallerIdentity" {
        return Ok(());
    }
    let account = state.accounts.get(&caller.account).expect("keys are issued for accounts of this world");
    let refuse = |because: &str| {
        let action = format!("{}:{}", operation.service.prefix, operation.name);
        Err(Refusal::new(
            403,
            operation.service.denied(),
            format!("User: {} is not authorized to perform: {action} {because}", caller.arn()),
        ))
    };
    if account.suspended {
        return refuse("because the account is suspended");
    }
    let role = match &caller.principal {
        Principal::Session { role, .. } => match account.iam.roles.get(role) {
            Some(role) => Some(role),
            None => return refuse("because the role no longer exists"),
        },
        _ => None,
    };
    // Service control policies do not bind the management account (Organizations User Guide).
    let bound = state.organization.as_ref().is_some_and(|o| o.management != account.id);
    let scps = account.denies.iter().filter(|_| bound || state.organization.is_none());
    let denial = scps.chain(role.iter().flat_map(|role| &role.denies)).find(|d| d.covers(operation, region));
    match denial.map(|denial| denial.by) {
        Some(DeniedBy::Policy) => refuse("with an explicit deny in an identity-based policy"),
        Some(DeniedBy::ServiceControlPolicy) => refuse("with an explicit deny in a service control policy"),
        None if role.is_some_and(|role| role.allows == Allows::Reading) && !reads(operation.name) => {
            refuse(&format!(
                "because no identity-based policy allows the {}:{} action",
                operation.service.prefix, operation.name
            ))
        }
        None => Ok(()),
    }
}

/// What the policy simulator says of an IAM action, and whether the organisation allows it. This world denies by
/// operation, and takes the action of the same name for it.
pub(super) fn simulated(
    state: &State,
    account: &str,
    role: Option<&str>,
    action: &str,
) -> (PolicyEvaluationDecisionType, bool) {
    let Some(account) = state.accounts.get(account) else {
        return (PolicyEvaluationDecisionType::ImplicitDeny, true);
    };
    let role = role.and_then(|name| account.iam.roles.get(name));
    let (service, name) = action.split_once(':').unwrap_or((action, ""));
    // An action of API Gateway is a method.
    let is_read = reads(name) || action == "apigateway:GET";
    // What is for one region stands under a condition, which the simulator passes over in policies of the organisation.
    let covers = |deny: &&Deny| deny.region.is_none() && deny.covers_action(service, name);
    let bound = state.organization.as_ref().is_some_and(|o| o.management != account.id);
    let of_account = account.denies.iter().filter(|_| bound || state.organization.is_none());
    let denial = of_account.chain(role.iter().flat_map(|role| &role.denies)).find(covers);
    match denial.map(|denial| denial.by) {
        Some(by) => (PolicyEvaluationDecisionType::ExplicitDeny, by == DeniedBy::Policy),
        None if role.is_some_and(|role| role.allows == Allows::Reading) && !is_read => {
            (PolicyEvaluationDecisionType::ImplicitDeny, true)
        }
        None => (PolicyEvaluationDecisionType::Allowed, true),
    }
}

/// Issues a key for `caller` and returns it as the SDK wants it. Temporary keys start with `ASIA`, others with
/// `AKIA` (IAM User Guide, unique identifiers).
pub(super) fn issue(state: &mut State, caller: Caller) -> Credentials {
    let kind = if caller.expires.is_some() { "ASIA" } else { "AKIA" };
    let access_key = format!("{kind}{}", state.identifier(16));
    let secret = state.hex(40);
    let expires = caller.expires.and_then(|at| std::time::SystemTime::try_from(at).ok());
    let credentials = Credentials::new(access_key.clone(), secret, caller.token.clone(), expires, "sandbox");
    state.keys.insert(access_key, std::sync::Arc::new(caller));
    credentials
}
