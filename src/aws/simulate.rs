//! IAM's policy simulator: what a principal's own policies, its boundary and the organisation's policies say, without
//! a call being made.
//!
//! What it leaves out (IAM User Guide, "Testing IAM policies with the IAM policy simulator"): service control policies
//! with conditions, resource control policies, and the policies of resources.

use std::collections::BTreeMap;

use aws_sdk_iam::types::{ContextEntry, ContextKeyTypeEnum, EvaluationResult, PolicyEvaluationDecisionType};
use futures::future::BoxFuture;

use super::{Reader, fault};
use crate::fault::{Fault, FaultKind};

const CALL: &str = "iam:SimulatePrincipalPolicy";

/// Actions of one call. Documented is no bound; the answer is paged.
const ACTIONS_AT_ONCE: usize = 100;

/// May the principal do all that, on these resources, when a request says this?
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// ARN of a role or user.
    pub principal: &'a str,
    /// ARNs, or `*`.
    pub resources: &'a [String],
    /// Condition keys, each with its one value.
    pub context: &'a [(String, String)],
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    Allowed,
    /// No statement allows it.
    NotAllowed,
    /// A statement of these policies denies it.
    Denied {
        policies: Vec<String>,
    },
    /// The principal's permissions boundary does not allow it.
    Boundary,
    /// A policy of the organisation does not allow it.
    Organization,
    /// It depends on condition keys that nobody knows here.
    Depends {
        keys: Vec<String>,
    },
}

/// The decision on each action. One that the simulator does not take together with others is asked again by itself.
pub async fn simulate(
    aws: &Reader,
    question: Question<'_>,
    actions: &[&'static str],
) -> Vec<(&'static str, Result<Decision, Fault>)> {
    let mut all = Vec::new();
    for part in actions.chunks(ACTIONS_AT_ONCE) {
        all.extend(in_halves(aws, question, part).await);
    }
    all
}

type Answers = Vec<(&'static str, Result<Decision, Fault>)>;

/// "The actions require different authorization information": half of them may not.
fn in_halves<'a>(
    aws: &'a Reader,
    question: Question<'a>,
    actions: &'a [&'static str],
) -> BoxFuture<'a, Answers> {
    Box::pin(async move {
        match ask(aws, question, actions).await {
            Ok(decisions) => {
                let unsaid = || Fault::local(FaultKind::Invalid, CALL, "the answer does not name the action");
                let of = |action: &&'static str| {
                    let decision = decisions.get(&action.to_ascii_lowercase()).cloned();
                    (*action, decision.ok_or_else(unsaid))
                };
                actions.iter().map(of).collect()
            }
            Err(fault) if fault.kind == FaultKind::Invalid && actions.len() > 1 => {
                let (first, second) = actions.split_at(actions.len() / 2);
                let mut answers = in_halves(aws, question, first).await;
                answers.extend(in_halves(aws, question, second).await);
                answers
            }
            Err(fault) => actions.iter().map(|action| (*action, Err(fault.clone()))).collect(),
        }
    })
}

/// By action in lower case. Of several resources the one that is worst off decides.
async fn ask(
    aws: &Reader,
    question: Question<'_>,
    actions: &[&'static str],
) -> Result<BTreeMap<String, Decision>, Fault> {
    let context = question.context.iter().map(|(key, value)| {
        let entry = ContextEntry::builder().context_key_name(key).context_key_values(value);
        entry.context_key_type(ContextKeyTypeEnum::String).build()
    });
    let call = aws
        .iam()
        .simulate_principal_policy()
        .policy_source_arn(question.principal)
        .set_action_names(Some(actions.iter().map(|action| (*action).to_owned()).collect()))
        .set_resource_arns(Some(question.resources.to_vec()))
        .set_context_entries(Some(context.collect()));
    let mut pages = call.into_paginator().items().send();
    let mut decisions: BTreeMap<String, Decision> = BTreeMap::new();
    while let Some(result) = pages.next().await {
        let result = result.map_err(fault(CALL))?;
        let action = result.eval_action_name().to_ascii_lowercase();
        let decision = decision(&result)?;
        let kept = decisions.entry(action).or_insert(Decision::Allowed);
        if *kept == Decision::Allowed {
            *kept = decision;
        }
    }
    Ok(decisions)
}

fn decision(result: &EvaluationResult) -> Result<Decision, Fault> {
    let by_organization =
        result.organizations_decision_detail().is_none_or(|detail| detail.allowed_by_organizations());
    let by_boundary = result
        .permissions_boundary_decision_detail()
        .is_none_or(|detail| detail.allowed_by_permissions_boundary());
    Ok(match result.eval_decision() {
        PolicyEvaluationDecisionType::Allowed => Decision::Allowed,
        _ if !by_organization => Decision::Organization,
        PolicyEvaluationDecisionType::ExplicitDeny => {
            let denying = result.matched_statements().iter();
            let mut policies: Vec<String> =
                denying.filter_map(|statement| statement.source_policy_id().map(str::to_owned)).collect();
            policies.sort();
            policies.dedup();
            Decision::Denied { policies }
        }
        _ if !by_boundary => Decision::Boundary,
        PolicyEvaluationDecisionType::ImplicitDeny if !result.missing_context_values().is_empty() => {
            Decision::Depends { keys: result.missing_context_values().to_vec() }
        }
        PolicyEvaluationDecisionType::ImplicitDeny => Decision::NotAllowed,
        other => {
            let message = format!("the decision `{}` is not known", other.as_str());
            return Err(Fault::local(FaultKind::Invalid, CALL, message));
        }
    })
}
