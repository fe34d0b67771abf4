//! What roles may do and whom they trust.
//!
//! Source: AWS Identity and Access Management API Reference, the operation named at each handler.

use aws_sdk_iam::operation::get_role_policy::{GetRolePolicyInput, GetRolePolicyOutput};
use aws_sdk_iam::operation::put_role_policy::{PutRolePolicyInput, PutRolePolicyOutput};
use aws_sdk_iam::operation::update_assume_role_policy::{
    UpdateAssumeRolePolicyInput, UpdateAssumeRolePolicyOutput,
};
use serde_json::{Value, json};

use super::super::operation::{Call, Refusal, complete, length_within};
use super::super::policy::{self, Question, Who};
use super::{invalid, percent_encoded, role_name};

fn no_role(name: &str) -> Refusal {
    Refusal::new(404, "NoSuchEntity", format!("The role with name {name} cannot be found."))
}

fn malformed() -> Refusal {
    Refusal::new(400, "MalformedPolicyDocument", "Syntax errors in policy.")
}

fn policy_name(name: Option<&str>) -> Result<&str, Refusal> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    name.filter(|name| length_within(name, 1, 128) && name.chars().all(fits)).ok_or_else(|| {
        invalid("1 validation error detected: Value at 'policyName' failed to satisfy constraint")
    })
}

/// PutRolePolicy: replaces the inline policy of that name; 10,240 characters altogether, without blanks (IAM
/// quotas; blanks count here).
pub(super) fn put_role_policy(
    call: &mut Call<'_>,
    input: &PutRolePolicyInput,
) -> Result<PutRolePolicyOutput, Refusal> {
    let role = role_name(input.role_name())?.to_owned();
    let name = policy_name(input.policy_name())?.to_owned();
    let text = input.policy_document().unwrap_or_default().to_owned();
    if !policy::well_formed(&text, false) || has_principal(&text) {
        return Err(malformed());
    }
    let now = call.now;
    let iam = &mut call.account().iam;
    if !iam.roles.contains_key(&role) {
        return Err(no_role(&role));
    }
    let policies = iam.inline.entry(role.clone()).or_default();
    let others: usize =
        policies.iter().filter(|(other, _)| **other != name).map(|(_, text)| text.len()).sum();
    if others + text.len() > 10_240 {
        let message = format!("Maximum policy size of 10240 bytes exceeded for role {role}");
        return Err(Refusal::new(409, "LimitExceeded", message));
    }
    policies.insert(name, text);
    iam.changed.insert(role, now);
    Ok(PutRolePolicyOutput::builder().build())
}

/// GetRolePolicy: the document is URL-encoded (RFC 3986).
pub(super) fn get_role_policy(
    call: &mut Call<'_>,
    input: &GetRolePolicyInput,
) -> Result<GetRolePolicyOutput, Refusal> {
    let role = role_name(input.role_name())?.to_owned();
    let name = policy_name(input.policy_name())?;
    let iam = &call.account().iam;
    if !iam.roles.contains_key(&role) {
        return Err(no_role(&role));
    }
    let text = iam.inline.get(&role).and_then(|policies| policies.get(name)).ok_or_else(|| {
        Refusal::new(404, "NoSuchEntity", format!("The role policy with name {name} cannot be found."))
    })?;
    let output = GetRolePolicyOutput::builder()
        .role_name(&role)
        .policy_name(name)
        .policy_document(percent_encoded(text));
    complete(output.build())
}

/// UpdateAssumeRolePolicy: replaces the trust policy.
pub(super) fn update_assume_role_policy(
    call: &mut Call<'_>,
    input: &UpdateAssumeRolePolicyInput,
) -> Result<UpdateAssumeRolePolicyOutput, Refusal> {
    let name = role_name(input.role_name())?.to_owned();
    let text = input.policy_document().unwrap_or_default();
    if !policy::well_formed(text, true) {
        return Err(malformed());
    }
    let now = call.now;
    let iam = &mut call.account().iam;
    iam.roles.get_mut(&name).ok_or_else(|| no_role(&name))?.trust = text.to_owned();
    iam.changed.insert(name, now);
    Ok(UpdateAssumeRolePolicyOutput::builder().build())
}

fn statements(text: &str) -> Vec<Value> {
    let document = serde_json::from_str::<Value>(text).unwrap_or_default();
    match &document["Statement"] {
        Value::Array(all) => all.clone(),
        Value::Object(_) => vec![document["Statement"].clone()],
        _ => Vec::new(),
    }
}

/// Identity policies name no principal ("Policy document should not specify a principal").
fn has_principal(text: &str) -> bool {
    statements(text).iter().any(|one| one.get("Principal").is_some() || one.get("NotPrincipal").is_some())
}

/// Whether these policies of one identity let it do something, together.
pub(in crate::sandbox) fn permits<'p>(
    policies: impl Iterator<Item = &'p str>,
    action: &str,
    resource: &str,
) -> bool {
    let mut all: Vec<Value> = policies.flat_map(statements).collect();
    for one in &mut all {
        // Whose policy it is goes without saying.
        one["Principal"] = json!("*");
    }
    let whole = json!({"Version": "2012-10-17", "Statement": all}).to_string();
    let who = Who::Service("itself");
    policy::allows(&whole, &Question { who, action, resource, context: &[] })
}
