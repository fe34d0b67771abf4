//! The policy simulator, over what this world knows of a role: what it allows, what it denies, and what the
//! organisation denies.

use aws_sdk_iam::operation::simulate_principal_policy::{
    SimulatePrincipalPolicyInput, SimulatePrincipalPolicyOutput,
};
use aws_sdk_iam::types::{
    EvaluationResult, OrganizationsDecisionDetail, PolicyEvaluationDecisionType, PolicySourceType, Statement,
};

use super::super::identity::simulated;
use super::super::operation::{Call, Refusal, complete, page};
use super::{invalid, within};

/// "IAM might return fewer than the MaxItems number of results, even when there are more".
const A_PAGE: usize = 20;

/// API reference, SimulatePrincipalPolicy: a role or user of the account; actions are `service:Name`. Some actions need
/// other information about the request than the rest, and are refused beside them ("InvalidInput": "require different
/// authorization information"; AWS does not publish which). Here those of S3 are, to be stricter. Service control
/// policies with conditions are not evaluated (IAM User Guide, "How the IAM policy simulator works"), so one that is
/// for a region has no say.
pub(super) fn simulate(
    call: &mut Call<'_>,
    input: &SimulatePrincipalPolicyInput,
) -> Result<SimulatePrincipalPolicyOutput, Refusal> {
    let refused = |message: &str| Refusal::new(400, "InvalidInput", message);
    within("maxItems", input.max_items(), 1..=1000)?;
    let actions = input.action_names();
    let fits = |action: &&String| {
        action.len() <= 128
            && action.split_once(':').is_some_and(|(service, name)| !service.is_empty() && !name.is_empty())
    };
    if actions.is_empty() || !actions.iter().all(|action| fits(&action)) {
        return Err(refused("Invalid Action Name Provided"));
    }
    let of_s3 = actions.iter().filter(|action| action.starts_with("s3:")).count();
    if of_s3 != 0 && of_s3 != actions.len() {
        return Err(refused(
            "Actions require different authorization information. Retry simulation by action.",
        ));
    }
    for entry in input.context_entries() {
        if entry.context_key_name().is_none() || entry.context_key_type().is_none() {
            return Err(refused("Invalid Context Entry provided."));
        }
        if entry.context_key_values().len() != 1 {
            return Err(refused("Invalid Context Key Value provided."));
        }
    }
    let arn = input.policy_source_arn().unwrap_or_default().to_owned();
    let account = call.caller.account.clone();
    let resource =
        arn.strip_prefix(&format!("arn:aws:iam::{account}:")).ok_or_else(|| invalid("policySourceArn"))?;
    let role = match resource.split_once('/') {
        Some(("user", name)) if !name.is_empty() => None,
        Some(("role", name)) => {
            let plain = name.rsplit('/').next().unwrap_or(name);
            let found = call.account().iam.roles.get(plain).is_some_and(|role| role.arn(&account) == arn);
            if !found {
                let message = format!("The role with name {plain} cannot be found.");
                return Err(Refusal::new(404, "NoSuchEntity", message));
            }
            Some(plain.to_owned())
        }
        _ => return Err(invalid("policySourceArn")),
    };
    let resources: Vec<&str> = match input.resource_arns() {
        [] => vec!["*"],
        some => some.iter().map(String::as_str).collect(),
    };
    let mut results = Vec::new();
    for action in actions {
        for resource in &resources {
            let (decision, by_organization) = simulated(call.state, &account, role.as_deref(), action);
            let denied = decision == PolicyEvaluationDecisionType::ExplicitDeny && by_organization;
            let policy = || {
                Statement::builder()
                    .source_policy_id("denies")
                    .source_policy_type(PolicySourceType::Role)
                    .build()
            };
            let result = EvaluationResult::builder()
                .eval_action_name(action)
                .eval_resource_name(*resource)
                .eval_decision(decision)
                .set_matched_statements(denied.then(|| vec![policy()]))
                .organizations_decision_detail(
                    OrganizationsDecisionDetail::builder().allowed_by_organizations(by_organization).build(),
                );
            results.push(complete(result.build())?);
        }
    }
    let (results, next) = page(&results, input.marker(), A_PAGE).ok_or_else(|| invalid("marker"))?;
    Ok(SimulatePrincipalPolicyOutput::builder()
        .set_evaluation_results(Some(results))
        .is_truncated(next.is_some())
        .set_marker(next)
        .build())
}
