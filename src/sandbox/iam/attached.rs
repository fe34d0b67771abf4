//! Managed policies that are attached to roles. The world has AWS's own, by their names, and nobody else's.
//!
//! Source: AWS Identity and Access Management API Reference, the operation named at each handler.

use aws_sdk_iam::operation::attach_role_policy::{AttachRolePolicyInput, AttachRolePolicyOutput};
use aws_sdk_iam::operation::list_attached_role_policies::{
    ListAttachedRolePoliciesInput, ListAttachedRolePoliciesOutput,
};
use aws_sdk_iam::types::AttachedPolicy;

use super::super::operation::{Call, Refusal, page};
use super::{invalid, role_name, within};

/// IAM quotas: managed policies of a role.
const MOST: usize = 10;

/// "IAM might return fewer results, even when there are more".
const A_PAGE: usize = 1;

fn no_role(name: &str) -> Refusal {
    Refusal::new(404, "NoSuchEntity", format!("The role with name {name} cannot be found."))
}

/// AttachRolePolicy: a policy of AWS; once is as good as twice; a service-linked role is nobody's to change.
pub(super) fn attach(
    call: &mut Call<'_>,
    input: &AttachRolePolicyInput,
) -> Result<AttachRolePolicyOutput, Refusal> {
    let name = role_name(input.role_name())?.to_owned();
    let arn = input.policy_arn().unwrap_or_default().to_owned();
    if !arn.starts_with("arn:aws:iam::aws:policy/") {
        let message = format!("Policy {arn} does not exist or is not attachable.");
        return Err(Refusal::new(404, "NoSuchEntity", message));
    }
    let now = call.now;
    let iam = &mut call.account().iam;
    let role = iam.roles.get(&name).ok_or_else(|| no_role(&name))?;
    if role.path.starts_with("/aws-service-role/") {
        let message = format!("Cannot perform the operation on the protected role '{name}'");
        return Err(Refusal::new(400, "UnmodifiableEntity", message));
    }
    let attached = iam.attached.entry(name.clone()).or_default();
    if attached.len() >= MOST && !attached.contains(&arn) {
        let message = "Cannot exceed quota for PoliciesPerRole: 10";
        return Err(Refusal::new(409, "LimitExceeded", message));
    }
    attached.insert(arn);
    iam.changed.insert(name, now);
    Ok(AttachRolePolicyOutput::builder().build())
}

/// ListAttachedRolePolicies.
pub(super) fn list(
    call: &mut Call<'_>,
    input: &ListAttachedRolePoliciesInput,
) -> Result<ListAttachedRolePoliciesOutput, Refusal> {
    let name = role_name(input.role_name())?;
    within("maxItems", input.max_items(), 1..=1000)?;
    let iam = &call.account().iam;
    if !iam.roles.contains_key(name) {
        return Err(no_role(name));
    }
    let all: Vec<String> = iam.attached.get(name).into_iter().flatten().cloned().collect();
    let (some, marker) = page(&all, input.marker(), A_PAGE).ok_or_else(|| invalid("Invalid Marker"))?;
    let told = some.into_iter().map(|arn| {
        let name = arn.rsplit('/').next().unwrap_or_default().to_owned();
        AttachedPolicy::builder().policy_name(name).policy_arn(arn).build()
    });
    Ok(ListAttachedRolePoliciesOutput::builder()
        .set_attached_policies(Some(told.collect()))
        .is_truncated(marker.is_some())
        .set_marker(marker)
        .build())
}
