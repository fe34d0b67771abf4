//! AWS STS: who calls, and sessions of roles.
//!
//! Sources: AWS Security Token Service API Reference; IAM User Guide for trust policies.

use std::time::Duration;

use aws_sdk_sts::operation::assume_role::{AssumeRoleInput, AssumeRoleOutput};
use aws_sdk_sts::operation::get_caller_identity::{GetCallerIdentityInput, GetCallerIdentityOutput};
use aws_sdk_sts::types::{AssumedRoleUser, Credentials};

use super::identity::{self, Caller, Principal};
use super::operation::{Call, Operations, Protocol, Refusal, Service, complete, date_time, length_within};
use super::policy::{self, Question, Who};

static SERVICE: Service = Service {
    id: "STS",
    prefix: "sts",
    protocol: Protocol::Query,
    throttled: ("Throttling", 400),
    broken: ("InternalFailure", 500),
};

pub(super) fn operations() -> Operations {
    Operations::of(&SERVICE).on("GetCallerIdentity", get_caller_identity).on("AssumeRole", assume_role)
}

/// API reference, GetCallerIdentity: the user id of a session is the role's id and the session name.
fn get_caller_identity(
    call: &mut Call<'_>,
    _: &GetCallerIdentityInput,
) -> Result<GetCallerIdentityOutput, Refusal> {
    let caller = call.caller;
    let user = match &caller.principal {
        Principal::Root => caller.account.clone(),
        Principal::User(_) => format!("AIDA{:0>16}", caller.account),
        Principal::Session { role, session } => {
            let role = call.account().iam.roles.get(role).map(|role| role.id.clone());
            format!("{}:{session}", role.unwrap_or_default())
        }
    };
    Ok(GetCallerIdentityOutput::builder().user_id(user).account(&caller.account).arn(caller.arn()).build())
}

/// API reference, AssumeRole: the session name matches `[\w+=,.@-]{2,64}`, the external id
/// `[\w+=,.@:/-]{2,1224}`, the duration is 900 seconds to the role's maximum and one hour when not said; role
/// chaining is limited to one hour. "You cannot use root user credentials to call AssumeRole." The role's trust policy must allow the caller; what does not exist is
/// denied in the same words, so that nobody learns which roles there are.
fn assume_role(call: &mut Call<'_>, input: &AssumeRoleInput) -> Result<AssumeRoleOutput, Refusal> {
    let validation = |what: &str| {
        Refusal::new(
            400,
            "ValidationError",
            format!("1 validation error detected: Value at '{what}' failed to satisfy constraint"),
        )
    };
    let arn =
        input.role_arn().filter(|arn| length_within(arn, 20, 2048)).ok_or_else(|| validation("roleArn"))?;
    let session = input
        .role_session_name()
        .filter(|name| length_within(name, 2, 64) && name.chars().all(|c| in_name(c, "+=,.@-")))
        .ok_or_else(|| validation("roleSessionName"))?;
    let external = input.external_id();
    if external.is_some_and(|id| !length_within(id, 2, 1224) || !id.chars().all(|c| in_name(c, "+=,.@:/-"))) {
        return Err(validation("externalId"));
    }
    let seconds = input.duration_seconds().unwrap_or(3600);
    if !(900..=43200).contains(&seconds) {
        return Err(validation("durationSeconds"));
    }
    if input.policy().is_some() || !input.policy_arns().is_empty() || input.serial_number().is_some() {
        return Err(validation("policy: session policies and MFA are not known to this world"));
    }

    let caller = call.caller;
    if caller.principal == Principal::Root {
        return Err(Refusal::new(403, "AccessDenied", "Roles may not be assumed by root accounts."));
    }
    let denied = || {
        Refusal::new(
            403,
            "AccessDenied",
            format!("User: {} is not authorized to perform: sts:AssumeRole on resource: {arn}", caller.arn()),
        )
    };
    let (account, name) = arn
        .strip_prefix("arn:aws:iam::")
        .and_then(|rest| rest.split_once(":role/"))
        .ok_or_else(|| validation("roleArn"))?;
    let name = name.rsplit('/').next().unwrap_or(name);
    let owner = call.state.accounts.get(account).filter(|owner| !owner.suspended).ok_or_else(denied)?;
    let role = owner.iam.roles.get(name).filter(|role| role.arn(account) == arn).ok_or_else(denied)?;
    let principal = caller.policy_arn();
    let mut context = Vec::from_iter(external.map(|id| ("sts:externalid", id)));
    context.extend(call.state.organization.as_ref().map(|o| ("aws:principalorgid", o.id.as_str())));
    let question = Question {
        who: Who::Aws { account: &caller.account, arn: &principal },
        action: "sts:AssumeRole",
        resource: "",
        context: &context,
    };
    if !policy::allows(&role.trust, &question) {
        return Err(denied());
    }
    let chained = matches!(caller.principal, Principal::Session { .. });
    if seconds > role.max_session || (chained && seconds > 3600) {
        return Err(Refusal::new(
            400,
            "ValidationError",
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        ));
    }

    let role_id = role.id.clone();
    let expires = call.now + Duration::from_secs(u64::from(seconds.unsigned_abs()));
    let token = call.state.hex(356);
    let assumed = Caller {
        account: account.to_owned(),
        principal: Principal::Session { role: name.to_owned(), session: session.to_owned() },
        token: Some(token.clone()),
        expires: Some(expires),
    };
    let session_arn = assumed.arn();
    let issued = identity::issue(call.state, assumed);
    let credentials = Credentials::builder()
        .access_key_id(issued.access_key_id())
        .secret_access_key(issued.secret_access_key())
        .session_token(token)
        .expiration(date_time(expires))
        .build();
    let user =
        AssumedRoleUser::builder().assumed_role_id(format!("{role_id}:{session}")).arn(session_arn).build();
    Ok(AssumeRoleOutput::builder()
        .credentials(complete(credentials)?)
        .assumed_role_user(complete(user)?)
        .build())
}

/// `\w` in ASCII, or one of `others`.
fn in_name(c: char, others: &str) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || others.contains(c)
}
