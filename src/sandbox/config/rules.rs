//! Rules: what is evaluated, by what measure, on whose changes.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_config::operation::describe_config_rules::{DescribeConfigRulesInput, DescribeConfigRulesOutput};
use aws_sdk_config::operation::get_custom_rule_policy::{
    GetCustomRulePolicyInput, GetCustomRulePolicyOutput,
};
use aws_sdk_config::operation::put_config_rule::{PutConfigRuleInput, PutConfigRuleOutput};
use aws_sdk_config::types::{
    ConfigRule, ConfigRuleState, CustomPolicyDetails, EvaluationMode, EvaluationModeConfiguration,
    MaximumExecutionFrequency, MessageType, Owner, Scope, Source, SourceDetail,
};
use serde_json::{Map, Value};

use super::super::operation::{Call, Refusal, complete, length_within, page};
use super::{refuse, tags};

/// Rules of a region (API reference, MaxNumberOfConfigRulesExceededException).
const MOST: usize = 1000;

/// How many rules a page has.
const A_PAGE: usize = 2;

/// Managed rules that run by time, so that a frequency can be said of them, and the parameters that each cannot do
/// without ("List of AWS Config Managed Rules"). Others are set off by changes.
const PERIODIC: [(&str, &[&str]); 4] = [
    ("ACCESS_KEYS_ROTATED", &["maxAccessKeyAge"]),
    ("IAM_PASSWORD_POLICY", &[]),
    ("IAM_USER_UNUSED_CREDENTIALS_CHECK", &["maxCredentialUsageAge"]),
    ("ROOT_ACCOUNT_MFA_ENABLED", &[]),
];

/// A rule.
#[derive(Clone, Debug)]
pub struct Rule {
    pub id: String,
    pub source: Source,
    pub description: Option<String>,
    pub scope: Option<Scope>,
    /// JSON.
    pub parameters: Option<String>,
    pub frequency: Option<MaximumExecutionFrequency>,
    pub modes: BTreeSet<String>,
    pub state: ConfigRuleState,
    pub created_by: Option<String>,
    pub tags: BTreeMap<String, String>,
}

impl Rule {
    /// A rule of AWS as somebody else would set one up.
    pub fn managed(identifier: &str) -> Self {
        let source = Source::builder().owner(Owner::Aws).source_identifier(identifier).build();
        Self {
            id: "config-rule-abc123".into(),
            source: source.expect("it has an owner"),
            description: None,
            scope: None,
            parameters: None,
            frequency: None,
            modes: ["DETECTIVE".to_owned()].into(),
            state: ConfigRuleState::Active,
            created_by: None,
            tags: BTreeMap::new(),
        }
    }
}

fn invalid(message: impl Into<String>) -> Refusal {
    refuse("InvalidParameterValueException", message)
}

pub(super) fn missing(name: &str) -> Refusal {
    refuse(
        "NoSuchConfigRuleException",
        format!(
            "The ConfigRule '{name}' provided in the request is invalid. Please check the configRule name."
        ),
    )
}

fn told(call: &Call<'_>, name: &str, rule: &Rule) -> Result<ConfigRule, Refusal> {
    let mut source = rule.source.clone();
    if let Some(details) = &source.custom_policy_details {
        // The text is told by GetCustomRulePolicy only.
        let told = CustomPolicyDetails::builder()
            .policy_runtime(&details.policy_runtime)
            .policy_text("")
            .enable_debug_log_delivery(details.enable_debug_log_delivery);
        source.custom_policy_details = Some(complete(told.build())?);
    }
    let modes = rule
        .modes
        .iter()
        .map(|mode| EvaluationModeConfiguration::builder().mode(EvaluationMode::from(mode.as_str())).build());
    Ok(ConfigRule::builder()
        .config_rule_name(name)
        .config_rule_arn(call.arn("config", format!("config-rule/{}", rule.id)))
        .config_rule_id(&rule.id)
        .set_description(rule.description.clone())
        .set_scope(rule.scope.clone())
        .source(source)
        .input_parameters(rule.parameters.clone().unwrap_or_else(|| "{}".into()))
        .set_maximum_execution_frequency(rule.frequency.clone())
        .config_rule_state(rule.state.clone())
        .set_created_by(rule.created_by.clone())
        .set_evaluation_modes(Some(modes.collect()))
        .build())
}

/// DescribeConfigRules: all of them in pages, or up to 25 by name, each of which must be there.
pub(in crate::sandbox) fn describe(
    call: &mut Call<'_>,
    input: &DescribeConfigRulesInput,
) -> Result<DescribeConfigRulesOutput, Refusal> {
    let rules = call.here().config.rules.clone();
    let names = input.config_rule_names();
    if names.len() > 25 {
        return Err(invalid("Member must have length less than or equal to 25"));
    }
    if let Some(name) = names.iter().find(|name| !rules.contains_key(*name)) {
        return Err(missing(name));
    }
    let asked: Vec<_> =
        rules.into_iter().filter(|(name, _)| names.is_empty() || names.contains(name)).collect();
    let (rules, next) = page(&asked, input.next_token(), A_PAGE)
        .ok_or_else(|| refuse("InvalidNextTokenException", "The nextToken is not valid"))?;
    let told: Result<Vec<_>, _> = rules.iter().map(|(name, rule)| told(call, name, rule)).collect();
    Ok(DescribeConfigRulesOutput::builder().set_config_rules(Some(told?)).set_next_token(next).build())
}

/// GetCustomRulePolicy: of a Guard rule only.
pub(in crate::sandbox) fn policy(
    call: &mut Call<'_>,
    input: &GetCustomRulePolicyInput,
) -> Result<GetCustomRulePolicyOutput, Refusal> {
    let name = input.config_rule_name().unwrap_or_default();
    let rule = call.here().config.rules.get(name).ok_or_else(|| missing(name))?;
    let text = rule.source.custom_policy_details().map(|details| details.policy_text.clone());
    Ok(GetCustomRulePolicyOutput::builder().policy_text(text.ok_or_else(|| missing(name))?).build())
}

/// Scope in the model: types, one type and one id, or a tag.
fn scope(scope: Option<&Scope>) -> Result<(), Refusal> {
    let Some(scope) = scope else { return Ok(()) };
    let types = scope.compliance_resource_types();
    let fits = types.len() <= 100
        && types.iter().all(|name| length_within(name, 1, 256))
        && (scope.tag_key().is_none() || types.is_empty())
        && (scope.tag_value().is_none() || scope.tag_key().is_some())
        && (scope.compliance_resource_id().is_none() || types.len() == 1);
    if fits { Ok(()) } else { Err(invalid("The scope of the rule is not valid")) }
}

/// InputParameters: JSON of texts.
fn parameters(text: Option<&str>) -> Result<Map<String, Value>, Refusal> {
    let Some(text) = text else { return Ok(Map::new()) };
    let parsed = serde_json::from_str::<Value>(text).ok().filter(|_| length_within(text, 1, 1024));
    match parsed {
        Some(Value::Object(map)) if map.values().all(Value::is_string) => Ok(map),
        _ => Err(invalid("InputParameters is not valid JSON of texts")),
    }
}

fn details(details: &[SourceDetail], policy: bool) -> Result<(), Refusal> {
    let changes = [
        MessageType::ConfigurationItemChangeNotification,
        MessageType::OversizedConfigurationItemChangeNotification,
    ];
    let fits = |detail: &SourceDetail| {
        let scheduled = detail.message_type() == Some(&MessageType::ScheduledNotification);
        let known = detail.message_type().is_some_and(|one| MessageType::values().contains(&one.as_str()));
        let of_changes = detail.message_type().is_some_and(|one| changes.contains(one));
        known && (scheduled || detail.maximum_execution_frequency().is_none()) && (!policy || of_changes)
    };
    if details.is_empty() || details.len() > 25 || !details.iter().all(fits) {
        return Err(invalid("SourceDetails of a custom rule are missing or not valid"));
    }
    Ok(())
}

fn source(call: &mut Call<'_>, wanted: &ConfigRule) -> Result<Source, Refusal> {
    let source = wanted.source().ok_or_else(|| invalid("Source is missing"))?.clone();
    let id = source.source_identifier().unwrap_or_default().to_owned();
    let given = parameters(wanted.input_parameters())?;
    match source.owner() {
        Owner::Aws => {
            let known = id.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
            if id.is_empty() || !known || !source.source_details().is_empty() {
                return Err(invalid(format!("The sourceIdentifier {id} is invalid.")));
            }
            let periodic = PERIODIC.iter().find(|(name, _)| *name == id);
            if wanted.maximum_execution_frequency().is_some() && periodic.is_none() {
                return Err(invalid(
                    "MaximumExecutionFrequency is not allowed for a rule set off by changes",
                ));
            }
            let needed = periodic.map_or(&[][..], |(_, needed)| needed);
            if let Some(name) = needed.iter().find(|name| !given.contains_key(**name)) {
                return Err(invalid(format!("Required parameter {name} is missing")));
            }
        }
        Owner::CustomLambda => {
            details(source.source_details(), false)?;
            let name = id.rsplit(':').next().unwrap_or_default();
            if !id.starts_with("arn:aws:lambda:") || !call.here().config.functions.contains(name) {
                let message = format!(
                    "The AWS Lambda function {id} cannot be invoked. Check the specified function ARN, and check the function's permissions."
                );
                return Err(refuse("InsufficientPermissionsException", message));
            }
        }
        Owner::CustomPolicy => {
            details(source.source_details(), true)?;
            let policy = source.custom_policy_details().ok_or_else(|| invalid("CustomPolicyDetails"))?;
            let fits = policy.policy_runtime() == "guard-2.x.x"
                && length_within(policy.policy_text(), 1, 10_000)
                && policy.policy_text().trim_start().starts_with(['r', 'l', 'w', '#']);
            if !fits || !id.is_empty() {
                return Err(invalid("The policy is not valid"));
            }
        }
        other => return Err(invalid(format!("{} owns no rules", other.as_str()))),
    }
    Ok(source)
}

/// PutConfigRule: makes or replaces, and what is not said is taken away; tags are taken when it is made. There must be
/// a recorder; a rule of a service is not the caller's.
pub(in crate::sandbox) fn put(
    call: &mut Call<'_>,
    input: &PutConfigRuleInput,
) -> Result<PutConfigRuleOutput, Refusal> {
    let wanted = input.config_rule().ok_or_else(|| invalid("ConfigRule is missing"))?;
    let name = wanted.config_rule_name().unwrap_or_default().to_owned();
    if !length_within(&name, 1, 128) || name.trim().is_empty() || wanted.created_by().is_some() {
        return Err(invalid("ConfigRuleName is not valid"));
    }
    if wanted.description().is_some_and(|text| !length_within(text, 0, 256)) {
        return Err(invalid("Description is too long"));
    }
    if call.here().config.recorder.is_none() {
        let message = "Configuration recorder is not available to put the rule.";
        return Err(refuse("NoAvailableConfigurationRecorderException", message));
    }
    scope(wanted.scope())?;
    let source = source(call, wanted)?;
    let tags = tags(input.tags())?;
    let id = format!("config-rule-{}", call.state.hex(6));
    let modes: BTreeSet<String> =
        wanted.evaluation_modes().iter().filter_map(|one| Some(one.mode()?.as_str().to_owned())).collect();
    let rules = &mut call.here().config.rules;
    let before = rules.get(&name);
    if before.is_some_and(|before| before.created_by.is_some()) {
        return Err(refuse("ResourceInUseException", "The rule belongs to a service"));
    }
    if before.is_none() && rules.len() >= MOST {
        let message = "You have reached the maximum number of rules.";
        return Err(refuse("MaxNumberOfConfigRulesExceededException", message));
    }
    let rule = Rule {
        id: before.map_or(id, |before| before.id.clone()),
        source,
        description: wanted.description().map(str::to_owned),
        scope: wanted.scope().cloned(),
        parameters: wanted.input_parameters().map(str::to_owned),
        frequency: wanted.maximum_execution_frequency().cloned(),
        modes: if modes.is_empty() { ["DETECTIVE".to_owned()].into() } else { modes },
        state: ConfigRuleState::Active,
        created_by: None,
        tags: before.map_or(tags, |before| before.tags.clone()),
    };
    rules.insert(name, rule);
    Ok(PutConfigRuleOutput::builder().build())
}
