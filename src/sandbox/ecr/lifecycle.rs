//! Lifecycle policies: which images a repository lets go of.

use aws_sdk_ecr::operation::get_lifecycle_policy::{GetLifecyclePolicyInput, GetLifecyclePolicyOutput};
use aws_sdk_ecr::operation::put_lifecycle_policy::{PutLifecyclePolicyInput, PutLifecyclePolicyOutput};
use serde_json::Value;

use super::super::operation::{Call, Refusal, length_within};
use super::repository;

fn refuse_unreadable(call: &Call<'_>, unreadable: bool, action: &str) -> Result<(), Refusal> {
    if !unreadable {
        return Ok(());
    }
    Err(Refusal::new(
        400,
        "AccessDeniedException",
        format!(
            "User: {} is not authorized to perform: ecr:{action} with an explicit deny in a resource-based policy",
            call.caller.arn()
        ),
    ))
}

/// GetLifecyclePolicy: `LifecyclePolicyNotFoundException` where there is none.
pub(super) fn get(
    call: &mut Call<'_>,
    input: &GetLifecyclePolicyInput,
) -> Result<GetLifecyclePolicyOutput, Refusal> {
    let found = repository(call, input.registry_id(), input.repository_name())?;
    let (unreadable, text) = (found.unreadable, found.lifecycle_policy.clone());
    refuse_unreadable(call, unreadable, "GetLifecyclePolicy")?;
    let text = text.ok_or_else(|| {
        Refusal::new(
            400,
            "LifecyclePolicyNotFoundException",
            format!(
                "Lifecycle policy does not exist for the repository with name '{}' in the registry with id '{}'",
                input.repository_name().unwrap_or_default(),
                call.caller.account
            ),
        )
    })?;
    Ok(GetLifecyclePolicyOutput::builder()
        .registry_id(&call.caller.account)
        .set_repository_name(input.repository_name.clone())
        .lifecycle_policy_text(text)
        .build())
}

/// PutLifecyclePolicy: 100–30720 characters of a policy.
pub(super) fn put(
    call: &mut Call<'_>,
    input: &PutLifecyclePolicyInput,
) -> Result<PutLifecyclePolicyOutput, Refusal> {
    let text = input
        .lifecycle_policy_text()
        .filter(|text| length_within(text, 100, 30720) && validate(text).is_some())
        .ok_or_else(|| {
            Refusal::new(
                400,
                "InvalidParameterException",
                "Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: 'Lifecycle policy \
                 validation failure'",
            )
        })?;
    let unreadable = repository(call, input.registry_id(), input.repository_name())?.unreadable;
    refuse_unreadable(call, unreadable, "PutLifecyclePolicy")?;
    repository(call, input.registry_id(), input.repository_name())?.lifecycle_policy = Some(text.to_owned());
    Ok(PutLifecyclePolicyOutput::builder()
        .registry_id(&call.caller.account)
        .set_repository_name(input.repository_name.clone())
        .lifecycle_policy_text(text)
        .build())
}

/// Amazon ECR User Guide, "Lifecycle policy parameters": rules with a unique priority from 1, a selection by
/// tag status and count, and `expire` as the action; `tagged` needs prefixes or patterns.
fn validate(text: &str) -> Option<()> {
    let policy: Value = serde_json::from_str(text).ok()?;
    let rules = policy.get("rules")?.as_array().filter(|rules| !rules.is_empty())?;
    let mut priorities = Vec::new();
    for rule in rules {
        let priority = rule.get("rulePriority")?.as_u64().filter(|priority| *priority > 0)?;
        if priorities.contains(&priority) {
            return None;
        }
        priorities.push(priority);
        let selection = rule.get("selection")?;
        let tagged = |key: &str| selection.get(key).and_then(Value::as_array).is_some_and(|l| !l.is_empty());
        match selection.get("tagStatus")?.as_str()? {
            "any" | "untagged" => {}
            "tagged" if tagged("tagPrefixList") || tagged("tagPatternList") => {}
            _ => return None,
        }
        match selection.get("countType")?.as_str()? {
            "imageCountMoreThan" => {}
            "sinceImagePushed" if selection.get("countUnit")? == "days" => {}
            _ => return None,
        }
        selection.get("countNumber")?.as_u64().filter(|count| *count > 0)?;
        if rule.get("action")?.get("type")? != "expire" {
            return None;
        }
    }
    Some(())
}
