//! Remediation: what is done about resources that do not comply, and which are excepted.

use aws_sdk_config::operation::describe_remediation_configurations::{
    DescribeRemediationConfigurationsInput, DescribeRemediationConfigurationsOutput,
};
use aws_sdk_config::operation::describe_remediation_exceptions::{
    DescribeRemediationExceptionsInput, DescribeRemediationExceptionsOutput,
};
use aws_sdk_config::operation::get_compliance_details_by_config_rule::{
    GetComplianceDetailsByConfigRuleInput, GetComplianceDetailsByConfigRuleOutput,
};
use aws_sdk_config::operation::put_remediation_configurations::{
    PutRemediationConfigurationsInput, PutRemediationConfigurationsOutput,
};
use aws_sdk_config::operation::put_remediation_exceptions::{
    PutRemediationExceptionsInput, PutRemediationExceptionsOutput,
};
use aws_sdk_config::types::{
    ComplianceType, EvaluationResult, EvaluationResultIdentifier, EvaluationResultQualifier,
    RemediationConfiguration, RemediationException, RemediationTargetType,
};

use super::super::operation::{Call, Refusal, complete, date_time, length_within, page};
use super::refuse;
use super::rules::missing;

/// How many resources a page has.
const A_PAGE: usize = 1;

fn invalid(message: impl Into<String>) -> Refusal {
    refuse("InvalidParameterValueException", message)
}

/// DescribeRemediationConfigurations: of up to 25 rules; those without one are left out.
pub(in crate::sandbox) fn describe(
    call: &mut Call<'_>,
    input: &DescribeRemediationConfigurationsInput,
) -> Result<DescribeRemediationConfigurationsOutput, Refusal> {
    let names = input.config_rule_names();
    if names.is_empty() || names.len() > 25 {
        return Err(invalid("ConfigRuleNames must have 1 to 25 members"));
    }
    let all = &call.here().config.remediations;
    let found = names.iter().filter_map(|name| all.get(name).cloned()).collect();
    Ok(DescribeRemediationConfigurationsOutput::builder().set_remediation_configurations(Some(found)).build())
}

/// What the model and the text of PutRemediationConfigurations ask: an automation document, a role where it runs by
/// itself, and numbers within bounds.
fn taken(call: &mut Call<'_>, one: &RemediationConfiguration) -> Result<RemediationConfiguration, Refusal> {
    let account = call.caller.account.clone();
    let name = one.config_rule_name();
    let rule = call.here().config.rules.get(name).ok_or_else(|| missing(name))?;
    if rule.created_by.is_some() || *one.target_type() != RemediationTargetType::SsmDocument {
        return Err(invalid("The rule takes no such remediation"));
    }
    let empty = std::collections::HashMap::new();
    let parameters = one.parameters().unwrap_or(&empty);
    let fits = length_within(one.target_id(), 1, 256)
        && parameters.len() <= 25
        && one.maximum_automatic_attempts().is_none_or(|n| (1..=25).contains(&n))
        && one.retry_attempt_seconds().is_none_or(|n| (1..=2_678_000).contains(&n));
    let percent = |n: Option<i32>| n.is_none_or(|n| (1..=100).contains(&n));
    let ssm = one.execution_controls().and_then(|controls| controls.ssm_controls());
    let controls = ssm.is_none_or(|ssm| {
        percent(ssm.concurrent_execution_rate_percentage()) && percent(ssm.error_percentage())
    });
    if !fits || !controls {
        return Err(invalid("1 validation error detected: remediationConfigurations"));
    }
    let values = parameters.values();
    let each_one = |v: &aws_sdk_config::types::RemediationParameterValue| {
        v.resource_value().is_some() != v.static_value().is_some()
            && v.static_value().is_none_or(|fixed| {
                (1..=25).contains(&fixed.values().len())
                    && fixed.values().iter().all(|text| length_within(text, 1, 256))
            })
    };
    if !values.clone().all(each_one) {
        return Err(invalid("A parameter is either of the resource or fixed"));
    }
    let role = parameters.get("AutomationAssumeRole").and_then(|value| value.static_value());
    let arn = role.and_then(|fixed| fixed.values().first().cloned());
    if one.automatic() && arn.is_none() {
        return Err(invalid("AutomationAssumeRole is required to remediate automatically"));
    }
    let mut exists = |arn: &String| call.account().iam.roles.values().any(|role| role.arn(&account) == *arn);
    if arn.as_ref().is_some_and(|arn| !exists(arn)) {
        let message = "You do not have permission to pass the role, or it does not exist.";
        return Err(refuse("InsufficientPermissionsException", message));
    }
    let mut one = one.clone();
    one.arn = Some(call.arn("config", format!("remediation-configuration/{}", one.config_rule_name())));
    Ok(one)
}

/// PutRemediationConfigurations: up to 25; each replaces what the rule had.
pub(in crate::sandbox) fn put(
    call: &mut Call<'_>,
    input: &PutRemediationConfigurationsInput,
) -> Result<PutRemediationConfigurationsOutput, Refusal> {
    let wanted = input.remediation_configurations();
    if wanted.len() > 25 {
        return Err(invalid("at most 25 remediation configurations"));
    }
    let taken: Vec<_> = wanted.iter().map(|one| taken(call, one)).collect::<Result<_, _>>()?;
    for one in taken {
        call.here().config.remediations.insert(one.config_rule_name.clone(), one);
    }
    Ok(PutRemediationConfigurationsOutput::builder().build())
}

/// GetComplianceDetailsByConfigRule: what does not comply, in pages; resources that comply are not kept here.
pub(in crate::sandbox) fn compliance(
    call: &mut Call<'_>,
    input: &GetComplianceDetailsByConfigRuleInput,
) -> Result<GetComplianceDetailsByConfigRuleOutput, Refusal> {
    let name = input.config_rule_name().unwrap_or_default();
    let now = date_time(call.now);
    let config = &call.here().config;
    if !config.rules.contains_key(name) {
        return Err(missing(name));
    }
    let wanted = input.compliance_types();
    let all: Vec<_> = config
        .failing
        .iter()
        .filter(|(rule, ..)| rule == name)
        .filter(|_| wanted.is_empty() || wanted.contains(&ComplianceType::NonCompliant))
        .collect();
    let (some, next) = page(&all, input.next_token(), A_PAGE)
        .ok_or_else(|| refuse("InvalidNextTokenException", "The nextToken is not valid"))?;
    let told = some.into_iter().map(|(_, kind, id)| {
        let of = EvaluationResultQualifier::builder()
            .config_rule_name(name)
            .resource_type(kind)
            .resource_id(id)
            .build();
        let identifier = EvaluationResultIdentifier::builder()
            .evaluation_result_qualifier(of)
            .ordering_timestamp(now)
            .build();
        EvaluationResult::builder()
            .evaluation_result_identifier(identifier)
            .compliance_type(ComplianceType::NonCompliant)
            .build()
    });
    Ok(GetComplianceDetailsByConfigRuleOutput::builder()
        .set_evaluation_results(Some(told.collect()))
        .set_next_token(next)
        .build())
}

/// DescribeRemediationExceptions: of the resources asked for, without what has expired.
pub(in crate::sandbox) fn exceptions(
    call: &mut Call<'_>,
    input: &DescribeRemediationExceptionsInput,
) -> Result<DescribeRemediationExceptionsOutput, Refusal> {
    let name = input.config_rule_name().unwrap_or_default().to_owned();
    let now = call.now.as_second();
    let config = &call.here().config;
    if !config.rules.contains_key(&name) {
        return Err(missing(&name));
    }
    let asked = input.resource_keys();
    if asked.len() > 100 {
        return Err(invalid("at most 100 resources"));
    }
    let found = config.exceptions.iter().filter(|one| {
        let key = asked.iter().any(|key| {
            key.resource_type() == Some(one.resource_type()) && key.resource_id() == Some(one.resource_id())
        });
        one.config_rule_name() == name
            && (asked.is_empty() || key)
            && one.expiration_time().is_none_or(|at| at.secs() > now)
    });
    Ok(DescribeRemediationExceptionsOutput::builder()
        .set_remediation_exceptions(Some(found.cloned().collect()))
        .build())
}

/// PutRemediationExceptions: "if you use this API for COMPLIANT resources … a remediation exception will not be
/// generated", and nothing is said about it.
pub(in crate::sandbox) fn put_exceptions(
    call: &mut Call<'_>,
    input: &PutRemediationExceptionsInput,
) -> Result<PutRemediationExceptionsOutput, Refusal> {
    let name = input.config_rule_name().unwrap_or_default().to_owned();
    let keys = input.resource_keys();
    if !call.here().config.rules.contains_key(&name) {
        return Err(missing(&name));
    }
    if !(1..=100).contains(&keys.len()) || input.message().is_some_and(|text| !length_within(text, 1, 1024)) {
        return Err(invalid("1 validation error detected"));
    }
    for key in keys {
        let (kind, id) = (key.resource_type().unwrap_or_default(), key.resource_id().unwrap_or_default());
        let failing = (name.clone(), kind.to_owned(), id.to_owned());
        if !call.here().config.failing.contains(&failing) {
            continue;
        }
        let exception = RemediationException::builder()
            .config_rule_name(&name)
            .resource_type(kind)
            .resource_id(id)
            .set_message(input.message().map(str::to_owned))
            .set_expiration_time(input.expiration_time().copied());
        let exception = complete(exception.build())?;
        let all = &mut call.here().config.exceptions;
        let other = |one: &RemediationException| {
            one.config_rule_name != name || one.resource_type != kind || one.resource_id != id
        };
        all.retain(other);
        all.push(exception);
    }
    Ok(PutRemediationExceptionsOutput::builder().build())
}
