//! What AWS Config says of its rules.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_config::types::{
    ComplianceType, ConfigRule, Owner, RemediationConfiguration, RemediationExceptionResourceKey,
    RemediationParameterValue,
};
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::aws::{Reader, fault};
use crate::fault::{Fault, FaultKind};

/// Rules that are read at once.
const AT_ONCE: usize = 4;

/// What is looked at: the declared rules, and what of each.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ask {
    /// By name.
    pub rules: BTreeMap<String, Asked>,
    /// Identifiers of declared rules of AWS: a rule of the same source may be there under another name.
    pub sources: BTreeSet<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Asked {
    /// The text of a Guard policy, which is a call of its own.
    pub policy: bool,
    pub remediation: bool,
    /// Resources that exceptions name.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub excepted: BTreeSet<Resource>,
}

/// A resource as AWS Config knows it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Resource {
    pub kind: String,
    pub id: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Observed {
    /// How many rules the region has, whoever made them.
    pub total: usize,
    /// Those that were asked for, and those of the same source.
    pub rules: BTreeMap<String, Rule>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    pub source: Source,
    pub description: String,
    /// As AWS has them: texts, unless a person wrote other JSON.
    pub parameters: BTreeMap<String, Value>,
    pub scope: Scope,
    /// As AWS says it: `TwentyFour_Hours`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frequency: Option<String>,
    /// What sets a custom rule off, as AWS says it.
    pub triggers: BTreeSet<String>,
    /// `DETECTIVE`, `PROACTIVE`.
    pub modes: BTreeSet<String>,
    pub debug_logs: bool,
    /// As AWS says it: `ACTIVE`.
    pub state: String,
    /// The service that made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// `None` where it was not asked for, or there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remediation: Option<Remediation>,
    /// What is known of each resource that was asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub excepted: Vec<(Resource, Excepted)>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Source {
    Managed(String),
    /// The function's ARN.
    Lambda(String),
    Guard,
    /// An owner that this build does not know.
    Other(String),
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Scope {
    pub types: BTreeSet<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag_key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag_value: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Remediation {
    pub document: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    pub automatic: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempts: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_seconds: Option<u32>,
    /// With `RESOURCE_ID` for the resource at hand.
    pub parameters: BTreeMap<String, Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency_percent: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_percent: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
}

/// What AWS Config knows of a resource under one rule.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Excepted {
    /// It does not comply: only then is an exception taken.
    pub non_compliant: bool,
    /// The exception that is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exception: Option<Exception>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Exception {
    pub message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
}

const RULES: &str = "config:DescribeConfigRules";
const POLICY: &str = "config:GetCustomRulePolicy";
const REMEDIATIONS: &str = "config:DescribeRemediationConfigurations";
const EXCEPTIONS: &str = "config:DescribeRemediationExceptions";
const COMPLIANCE: &str = "config:GetComplianceDetailsByConfigRule";

/// `ConfigRuleNames` in the model.
const NAMES_A_CALL: usize = 25;

pub async fn read(aws: &Reader, ask: &Ask) -> Result<Observed, Fault> {
    let client = aws.config();
    let mut observed = Observed::default();
    let mut pages = client.describe_config_rules().into_paginator().send();
    while let Some(page) = pages.next().await {
        for live in page.map_err(fault(RULES))?.config_rules.unwrap_or_default() {
            observed.total += 1;
            let name = live.config_rule_name.clone().unwrap_or_default();
            let rule = rule(live)?;
            let same = matches!(&rule.source, Source::Managed(id) if ask.sources.contains(id));
            if same || ask.rules.contains_key(&name) {
                observed.rules.insert(name, rule);
            }
        }
    }
    let policies = stream::iter(policies(ask, &observed))
        .map(|name| async { policy(&client, &name).await.map(|text| (name, text)) })
        .buffer_unordered(AT_ONCE)
        .try_collect::<Vec<_>>();
    let (policies, remediations, excepted) = futures::try_join!(
        policies,
        remediations(&client, ask, &observed),
        excepted(&client, ask, &observed)
    )?;
    for (name, text) in policies {
        observed.rules.entry(name).and_modify(|rule| rule.policy = text);
    }
    for (name, remediation) in remediations {
        observed.rules.entry(name).and_modify(|rule| rule.remediation = Some(remediation));
    }
    for (name, found) in excepted {
        observed.rules.entry(name).and_modify(|rule| rule.excepted = found);
    }
    Ok(observed)
}

/// The rules whose policy is to be read.
fn policies(ask: &Ask, observed: &Observed) -> Vec<String> {
    let guard = |name: &&String| observed.rules.get(*name).is_some_and(|rule| rule.source == Source::Guard);
    ask.rules.iter().filter(|(_, asked)| asked.policy).map(|(name, _)| name).filter(guard).cloned().collect()
}

/// The text of a Guard policy, which DescribeConfigRules leaves out.
pub async fn policy(client: &aws_sdk_config::Client, name: &str) -> Result<Option<String>, Fault> {
    let answer = client.get_custom_rule_policy().config_rule_name(name).send().await;
    Ok(answer.map_err(fault(POLICY))?.policy_text)
}

async fn remediations(
    client: &aws_sdk_config::Client,
    ask: &Ask,
    observed: &Observed,
) -> Result<Vec<(String, Remediation)>, Fault> {
    // A rule of the same source may be taken over, so its remediation counts as well.
    let asked = ask.rules.values().any(|asked| asked.remediation);
    let names: Vec<&String> = observed.rules.keys().filter(|_| asked).collect();
    let mut all = Vec::new();
    for names in names.chunks(NAMES_A_CALL) {
        let names = names.iter().map(|name| (*name).clone()).collect();
        let call = client.describe_remediation_configurations().set_config_rule_names(Some(names));
        let answer = call.send().await.map_err(fault(REMEDIATIONS))?;
        for one in answer.remediation_configurations.unwrap_or_default() {
            all.push((one.config_rule_name.clone(), remediation(one)));
        }
    }
    Ok(all)
}

type Found = Vec<(Resource, Excepted)>;

async fn excepted(
    client: &aws_sdk_config::Client,
    ask: &Ask,
    observed: &Observed,
) -> Result<Vec<(String, Found)>, Fault> {
    let there = |name: &String| observed.rules.contains_key(name);
    let wanted = ask.rules.iter().filter(|(name, asked)| !asked.excepted.is_empty() && there(name));
    let wanted: Vec<_> = wanted.map(|(name, asked)| (name.clone(), asked.excepted.clone())).collect();
    stream::iter(wanted)
        .map(|(name, resources)| async move {
            let found = of_rule(client, &name, resources).await?;
            Ok((name, found))
        })
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await
}

/// What of these resources does not comply, and which are excepted already.
async fn of_rule(
    client: &aws_sdk_config::Client,
    name: &str,
    resources: BTreeSet<Resource>,
) -> Result<Found, Fault> {
    let mut failing = BTreeSet::new();
    let call = client
        .get_compliance_details_by_config_rule()
        .config_rule_name(name)
        .compliance_types(ComplianceType::NonCompliant);
    let mut pages = call.into_paginator().send();
    while let Some(page) = pages.next().await {
        for result in page.map_err(fault(COMPLIANCE))?.evaluation_results.unwrap_or_default() {
            let of = result.evaluation_result_identifier.and_then(|id| id.evaluation_result_qualifier);
            if let Some(of) = of {
                let kind = of.resource_type.unwrap_or_default();
                failing.insert(Resource { kind, id: of.resource_id.unwrap_or_default() });
            }
        }
    }
    let mut there = BTreeMap::new();
    let resources: Vec<Resource> = resources.into_iter().collect();
    // RemediationExceptionResourceKeys in the model: 100 at once.
    for some in resources.chunks(100) {
        let call = client.describe_remediation_exceptions().config_rule_name(name);
        let call = call.set_resource_keys(Some(some.iter().map(key).collect()));
        let answer = call.send().await.map_err(fault(EXCEPTIONS))?;
        for one in answer.remediation_exceptions.unwrap_or_default() {
            let expires = one.expiration_time.and_then(|at| Timestamp::from_second(at.secs()).ok());
            let exception = Exception { message: one.message.unwrap_or_default(), expires };
            there.insert(Resource { kind: one.resource_type, id: one.resource_id }, exception);
        }
    }
    let look = |resource: Resource| {
        let seen =
            Excepted { non_compliant: failing.contains(&resource), exception: there.get(&resource).cloned() };
        (resource, seen)
    };
    Ok(resources.into_iter().map(look).collect())
}

pub fn key(resource: &Resource) -> RemediationExceptionResourceKey {
    RemediationExceptionResourceKey::builder().resource_type(&resource.kind).resource_id(&resource.id).build()
}

fn rule(live: ConfigRule) -> Result<Rule, Fault> {
    let parameters = match live.input_parameters.as_deref().filter(|text| !text.trim().is_empty()) {
        None => BTreeMap::new(),
        Some(text) => serde_json::from_str(text).map_err(|error| {
            let name = live.config_rule_name.as_deref().unwrap_or_default();
            let message = format!("the parameters of {name} are not a JSON object: {error}");
            Fault::local(FaultKind::Invalid, RULES, message)
        })?,
    };
    let scope = live.scope.map_or_else(Scope::default, |scope| Scope {
        types: scope.compliance_resource_types.unwrap_or_default().into_iter().collect(),
        resource: scope.compliance_resource_id,
        tag_key: scope.tag_key,
        tag_value: scope.tag_value,
    });
    let mut frequency = live.maximum_execution_frequency.map(|one| one.as_str().to_owned());
    let mut triggers = BTreeSet::new();
    let mut debug_logs = false;
    let source = match live.source {
        None => Source::Other("nobody".to_owned()),
        Some(source) => {
            for detail in source.source_details.unwrap_or_default() {
                triggers.extend(detail.message_type.map(|one| one.as_str().to_owned()));
                let own = detail.maximum_execution_frequency.map(|one| one.as_str().to_owned());
                frequency = own.or(frequency);
            }
            debug_logs =
                source.custom_policy_details.is_some_and(|details| details.enable_debug_log_delivery);
            let id = source.source_identifier.unwrap_or_default();
            match source.owner {
                Owner::Aws => Source::Managed(id),
                Owner::CustomLambda => Source::Lambda(id),
                Owner::CustomPolicy => Source::Guard,
                other => Source::Other(other.as_str().to_owned()),
            }
        }
    };
    Ok(Rule {
        source,
        description: live.description.unwrap_or_default(),
        parameters,
        scope,
        frequency,
        triggers,
        modes: live
            .evaluation_modes
            .unwrap_or_default()
            .into_iter()
            .filter_map(|one| one.mode.map(|mode| mode.as_str().to_owned()))
            .collect(),
        debug_logs,
        state: live.config_rule_state.map_or_else(String::new, |state| state.as_str().to_owned()),
        created_by: live.created_by.filter(|by| !by.is_empty()),
        policy: None,
        remediation: None,
        excepted: Vec::new(),
    })
}

/// The word for the resource at hand.
pub const RESOURCE_ID: &str = "RESOURCE_ID";

fn values(value: RemediationParameterValue) -> Vec<String> {
    match (value.resource_value, value.static_value) {
        (Some(resource), _) => vec![resource.value.as_str().to_owned()],
        (None, Some(fixed)) => fixed.values,
        (None, None) => Vec::new(),
    }
}

fn remediation(live: RemediationConfiguration) -> Remediation {
    let number = |number: i32| u32::try_from(number).ok();
    let ssm = live.execution_controls.and_then(|controls| controls.ssm_controls);
    let parameters = live.parameters.unwrap_or_default().into_iter();
    Remediation {
        document: live.target_id,
        version: live.target_version.filter(|version| !version.is_empty()),
        automatic: live.automatic,
        attempts: live.maximum_automatic_attempts.and_then(number),
        retry_seconds: live.retry_attempt_seconds.and_then(|seconds| u32::try_from(seconds).ok()),
        parameters: parameters.map(|(name, value)| (name, values(value))).collect(),
        concurrency_percent: ssm
            .as_ref()
            .and_then(|ssm| ssm.concurrent_execution_rate_percentage)
            .and_then(number),
        error_percent: ssm.and_then(|ssm| ssm.error_percentage).and_then(number),
        resource_type: live.resource_type.filter(|kind| !kind.is_empty()),
        created_by: live.created_by_service.filter(|by| !by.is_empty()),
    }
}
