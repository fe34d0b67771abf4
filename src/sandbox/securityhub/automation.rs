//! Automation rules.
//!
//! Sources: API reference of each operation; User Guide, "Creating automation rules" and "Security Hub CSPM quotas".

use std::collections::BTreeMap;

use aws_sdk_securityhub::operation::batch_get_automation_rules::{
    BatchGetAutomationRulesInput, BatchGetAutomationRulesOutput,
};
use aws_sdk_securityhub::operation::batch_update_automation_rules::{
    BatchUpdateAutomationRulesInput, BatchUpdateAutomationRulesOutput,
};
use aws_sdk_securityhub::operation::create_automation_rule::{
    CreateAutomationRuleInput, CreateAutomationRuleOutput,
};
use aws_sdk_securityhub::operation::list_automation_rules::{
    ListAutomationRulesInput, ListAutomationRulesOutput,
};
use aws_sdk_securityhub::types::{
    AutomationRulesAction, AutomationRulesActionType, AutomationRulesConfig, AutomationRulesFindingFilters,
    AutomationRulesMetadata, RuleStatus, StringFilter, StringFilterComparison, UnprocessedAutomationRule,
    UpdateAutomationRulesRequestItem,
};
use jiff::Timestamp;

use super::super::operation::{Call, Refusal, date_time, length_within, page};
use super::standards::page_size;
use super::{enabled, invalid};

/// "100 automation rules".
pub const MOST: usize = 100;

/// An automation rule.
#[derive(Clone, Debug, PartialEq)]
pub struct AutomationRule {
    pub name: String,
    pub order: i32,
    pub status: RuleStatus,
    pub terminal: bool,
    pub description: String,
    pub criteria: AutomationRulesFindingFilters,
    pub actions: Vec<AutomationRulesAction>,
    pub tags: BTreeMap<String, String>,
    pub created_by: String,
    pub created: Timestamp,
    pub updated: Timestamp,
}

fn wrong(parameter: &str) -> Refusal {
    invalid(format!("Invalid parameter '{parameter}'."))
}

/// `NonEmptyString`: something that is not white.
fn text(wanted: Option<&str>, parameter: &str) -> Result<String, Refusal> {
    let found = wanted.filter(|text| !text.trim().is_empty());
    found.map(str::to_owned).ok_or_else(|| wrong(parameter))
}

fn order(wanted: i32) -> Result<i32, Refusal> {
    if (1..=1000).contains(&wanted) { Ok(wanted) } else { Err(wrong("RuleOrder")) }
}

fn status(wanted: &RuleStatus) -> Result<RuleStatus, Refusal> {
    if RuleStatus::values().contains(&wanted.as_str()) {
        Ok(wanted.clone())
    } else {
        Err(wrong("RuleStatus"))
    }
}

/// Filters as the model has them, in lists of 1 to 20 or 100. Something must be asked of findings here: the service
/// may be kinder.
fn criteria(wanted: &AutomationRulesFindingFilters) -> Result<AutomationRulesFindingFilters, Refusal> {
    if *wanted == AutomationRulesFindingFilters::builder().build() {
        return Err(wrong("Criteria"));
    }
    let fits = |one: &StringFilter| {
        one.value().is_some_and(|value| !value.trim().is_empty())
            && one.comparison().is_some_and(|word| StringFilterComparison::values().contains(&word.as_str()))
    };
    for (list, most) in [
        (&wanted.aws_account_id, 100),
        (&wanted.generator_id, 100),
        (&wanted.resource_id, 100),
        (&wanted.title, 100),
        (&wanted.compliance_security_control_id, 20),
        (&wanted.compliance_status, 20),
        (&wanted.product_name, 20),
        (&wanted.record_state, 20),
        (&wanted.resource_type, 20),
        (&wanted.severity_label, 20),
        (&wanted.workflow_status, 20),
    ] {
        if list.as_ref().is_some_and(|list| !(1..=most).contains(&list.len()) || !list.iter().all(fits)) {
            return Err(wrong("Criteria"));
        }
    }
    Ok(wanted.clone())
}

/// `ActionList`: one.
fn actions(wanted: &[AutomationRulesAction]) -> Result<Vec<AutomationRulesAction>, Refusal> {
    let [one] = wanted else { return Err(wrong("Actions")) };
    let known = one.r#type() == Some(&AutomationRulesActionType::FindingFieldsUpdate);
    let update = one.finding_fields_update();
    let note = update.and_then(|update| update.note());
    let noted = note.is_none_or(|note| note.text().is_some() && note.updated_by().is_some());
    if !known || update.is_none() || !noted {
        return Err(wrong("Actions"));
    }
    Ok(wanted.to_vec())
}

/// A member is left to its administrator ("using the credentials of the Security Hub CSPM administrator"). The service
/// may be kinder.
fn own(call: &mut Call<'_>) -> Result<(), Refusal> {
    if enabled(call)?.administrator.is_some() {
        return Err(Refusal::new(
            403,
            "AccessDeniedException",
            "Member accounts cannot create or change automation rules",
        ));
    }
    Ok(())
}

/// CreateAutomationRule: enabled unless it is said; nothing keeps names unique.
pub fn create(
    call: &mut Call<'_>,
    input: &CreateAutomationRuleInput,
) -> Result<CreateAutomationRuleOutput, Refusal> {
    own(call)?;
    let now = call.now;
    let mut tags = BTreeMap::new();
    if let Some(wanted) = input.tags() {
        let fits = |(key, value): (&String, &String)| {
            length_within(key, 1, 128) && length_within(value, 0, 256) && !key.starts_with("aws:")
        };
        if wanted.is_empty() || wanted.len() > 50 || !wanted.iter().all(fits) {
            return Err(wrong("Tags"));
        }
        tags.extend(wanted.iter().map(|(key, value)| (key.clone(), value.clone())));
    }
    let rule = AutomationRule {
        name: text(input.rule_name(), "RuleName")?,
        order: order(input.rule_order().ok_or_else(|| wrong("RuleOrder"))?)?,
        status: status(input.rule_status().unwrap_or(&RuleStatus::Enabled))?,
        terminal: input.is_terminal().unwrap_or(false),
        description: text(input.description(), "Description")?,
        criteria: criteria(input.criteria().ok_or_else(|| wrong("Criteria"))?)?,
        actions: actions(input.actions())?,
        tags,
        created_by: call.caller.arn(),
        created: now,
        updated: now,
    };
    let id = call.state.uuid();
    let arn = call.arn("securityhub", format!("automation-rule/{id}"));
    let rules = &mut call.here().securityhub.rules;
    if rules.len() >= MOST {
        return Err(Refusal::new(429, "LimitExceededException", "The limit of automation rules is reached"));
    }
    rules.insert(arn.clone(), rule);
    Ok(CreateAutomationRuleOutput::builder().rule_arn(arn).build())
}

/// ListAutomationRules: "rules in the calling account", enabled and disabled.
pub fn list(
    call: &mut Call<'_>,
    input: &ListAutomationRulesInput,
) -> Result<ListAutomationRulesOutput, Refusal> {
    let here = enabled(call)?;
    let size = page_size(input.max_results())?;
    let all: Vec<_> = here.rules.iter().collect();
    let (shown, next) = page(&all, input.next_token(), size).ok_or_else(|| wrong("NextToken"))?;
    let told = shown.into_iter().map(|(arn, rule)| {
        AutomationRulesMetadata::builder()
            .rule_arn(arn)
            .rule_name(&rule.name)
            .rule_order(rule.order)
            .rule_status(rule.status.clone())
            .is_terminal(rule.terminal)
            .description(&rule.description)
            .created_by(&rule.created_by)
            .created_at(date_time(rule.created))
            .updated_at(date_time(rule.updated))
            .build()
    });
    Ok(ListAutomationRulesOutput::builder()
        .set_automation_rules_metadata(Some(told.collect()))
        .set_next_token(next)
        .build())
}

fn unprocessed(arn: &str) -> UnprocessedAutomationRule {
    UnprocessedAutomationRule::builder()
        .rule_arn(arn)
        .error_code(404)
        .error_message("The automation rule was not found")
        .build()
}

fn within_batch(count: usize, parameter: &str) -> Result<(), Refusal> {
    if (1..=100).contains(&count) { Ok(()) } else { Err(wrong(parameter)) }
}

/// BatchGetAutomationRules: 1 to 100; those that are not there are told as unprocessed.
pub fn batch_get(
    call: &mut Call<'_>,
    input: &BatchGetAutomationRulesInput,
) -> Result<BatchGetAutomationRulesOutput, Refusal> {
    let here = enabled(call)?;
    within_batch(input.automation_rules_arns().len(), "AutomationRulesArns")?;
    let (mut found, mut left) = (Vec::new(), Vec::new());
    for arn in input.automation_rules_arns() {
        let Some(rule) = here.rules.get(arn) else {
            left.push(unprocessed(arn));
            continue;
        };
        let told = AutomationRulesConfig::builder()
            .rule_arn(arn)
            .rule_name(&rule.name)
            .rule_order(rule.order)
            .rule_status(rule.status.clone())
            .is_terminal(rule.terminal)
            .description(&rule.description)
            .criteria(rule.criteria.clone())
            .set_actions(Some(rule.actions.clone()))
            .created_by(&rule.created_by)
            .created_at(date_time(rule.created))
            .updated_at(date_time(rule.updated));
        found.push(told.build());
    }
    Ok(BatchGetAutomationRulesOutput::builder()
        .set_rules(Some(found))
        .set_unprocessed_automation_rules(Some(left))
        .build())
}

/// BatchUpdateAutomationRules: 1 to 100; what an item leaves out stays.
pub fn batch_update(
    call: &mut Call<'_>,
    input: &BatchUpdateAutomationRulesInput,
) -> Result<BatchUpdateAutomationRulesOutput, Refusal> {
    own(call)?;
    let now = call.now;
    let items = input.update_automation_rules_request_items();
    within_batch(items.len(), "UpdateAutomationRulesRequestItems")?;
    let rules = &mut call.here().securityhub.rules;
    let (mut done, mut left) = (Vec::new(), Vec::new());
    for item in items {
        let arn = item.rule_arn().unwrap_or_default();
        match rules.get_mut(arn) {
            Some(rule) => {
                change(rule, item)?;
                rule.updated = now;
                done.push(arn.to_owned());
            }
            None => left.push(unprocessed(arn)),
        }
    }
    Ok(BatchUpdateAutomationRulesOutput::builder()
        .set_processed_automation_rules((!done.is_empty()).then_some(done))
        .set_unprocessed_automation_rules(Some(left))
        .build())
}

fn change(rule: &mut AutomationRule, item: &UpdateAutomationRulesRequestItem) -> Result<(), Refusal> {
    let mut next = rule.clone();
    if let Some(wanted) = item.rule_order() {
        next.order = order(wanted)?;
    }
    if let Some(wanted) = item.rule_status() {
        next.status = status(wanted)?;
    }
    if item.rule_name().is_some() {
        next.name = text(item.rule_name(), "RuleName")?;
    }
    if item.description().is_some() {
        next.description = text(item.description(), "Description")?;
    }
    if let Some(wanted) = item.criteria() {
        next.criteria = criteria(wanted)?;
    }
    if !item.actions().is_empty() {
        next.actions = actions(item.actions())?;
    }
    next.terminal = item.is_terminal().unwrap_or(next.terminal);
    *rule = next;
    Ok(())
}

#[cfg(test)]
mod tests;
