//! The writes: in names, with ARNs made when they run.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use aws_sdk_config::types::{
    ConfigRule, CustomPolicyDetails, EvaluationMode, EvaluationModeConfiguration, EventSource,
    ExecutionControls, MaximumExecutionFrequency, MessageType, Owner, RemediationConfiguration,
    RemediationParameterValue, RemediationTargetType, ResourceValue, ResourceValueType, Source, SourceDetail,
    SsmControls, StaticValue, Tag,
};
use aws_smithy_types::DateTime;
use aws_smithy_types::error::operation::BuildError;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::live::{self, RESOURCE_ID, Remediation, Resource, Scope};
use super::remediation::ROLE;
use super::spec::Trigger;
use crate::aws::{Writer, fault};
use crate::control::{AwsWrite, Call, Known, Thing};
use crate::fault::{Fault, FaultKind};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Write {
    Rule {
        put: Put,
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        tags: BTreeMap<String, String>,
    },
    Remediation {
        rule: String,
        remediation: Remediation,
        /// By name; without one, the role that is there stays.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        role: Option<String>,
    },
    Exception {
        rule: String,
        resource: Resource,
        message: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires: Option<Timestamp>,
    },
}

/// A rule, whole: the call replaces what it does not name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Put {
    pub name: String,
    pub source: Sent,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    pub parameters: BTreeMap<String, Value>,
    pub scope: Scope,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frequency: Option<String>,
    /// Of custom rules only.
    pub triggers: BTreeSet<String>,
    pub modes: BTreeSet<String>,
    pub debug_logs: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Sent {
    AsItIs,
    Managed(String),
    /// A name or an ARN.
    Lambda(String),
    Guard(String),
}

/// What the call replaces is read by the role that writes.
pub const PUT_RULE: Call = Call::needing(
    "config:PutConfigRule",
    &[
        "config:PutConfigRule",
        "config:DescribeConfigRules",
        "config:GetCustomRulePolicy",
        "config:TagResource",
    ],
);
pub const PUT_REMEDIATION: Call = Call::needing(
    "config:PutRemediationConfigurations",
    &["config:PutRemediationConfigurations", "config:DescribeRemediationConfigurations", "iam:PassRole"],
);
pub const PUT_EXCEPTION: Call = Call::new("config:PutRemediationExceptions");

impl AwsWrite for Write {
    fn call(&self) -> &'static Call {
        match self {
            Self::Rule { .. } => const { &PUT_RULE },
            Self::Remediation { .. } => const { &PUT_REMEDIATION },
            Self::Exception { .. } => const { &PUT_EXCEPTION },
        }
    }
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rule { put, .. } => write!(f, "set up the rule {}", put.name),
            Self::Remediation { rule, remediation, .. } => {
                write!(f, "remediate {rule} with {}", remediation.document)
            }
            Self::Exception { rule, resource, .. } => {
                write!(f, "except {} {} from the remediation of {rule}", resource.kind, resource.id)
            }
        }
    }
}

fn local(call: &Call, message: impl Into<String>) -> Fault {
    Fault::local(FaultKind::Invalid, call.operation, message)
}

fn built<T>(call: &Call, built: Result<T, BuildError>) -> Result<T, Fault> {
    built.map_err(|error| local(call, error.to_string()))
}

impl Put {
    fn scope(&self) -> Option<aws_sdk_config::types::Scope> {
        let scope = &self.scope;
        if *scope == Scope::default() {
            return None;
        }
        let types = (!scope.types.is_empty()).then(|| scope.types.iter().cloned().collect());
        Some(
            aws_sdk_config::types::Scope::builder()
                .set_compliance_resource_types(types)
                .set_compliance_resource_id(scope.resource.clone())
                .set_tag_key(scope.tag_key.clone())
                .set_tag_value(scope.tag_value.clone())
                .build(),
        )
    }

    /// What sets it off. The frequency belongs to the schedule, where there is one.
    fn details(&self) -> Vec<SourceDetail> {
        let scheduled = Trigger::ScheduledNotification.word();
        let detail = |trigger: &String| {
            let frequency = self.frequency.as_deref().filter(|_| trigger == scheduled);
            SourceDetail::builder()
                .event_source(EventSource::AwsConfig)
                .message_type(MessageType::from(trigger.as_str()))
                .set_maximum_execution_frequency(frequency.map(MaximumExecutionFrequency::from))
                .build()
        };
        self.triggers.iter().map(detail).collect()
    }

    /// Of a custom rule the frequency stands in its schedule, and of others in the rule itself.
    fn own_frequency(&self) -> Option<MaximumExecutionFrequency> {
        let scheduled = self.triggers.contains(Trigger::ScheduledNotification.word());
        self.frequency.as_deref().filter(|_| !scheduled).map(MaximumExecutionFrequency::from)
    }

    async fn source(&self, aws: &Writer) -> Result<Source, Fault> {
        let source = match &self.source {
            Sent::Managed(id) => Source::builder().owner(Owner::Aws).source_identifier(id),
            Sent::Lambda(function) => {
                let scope = &aws.scope;
                let (partition, region, account) = (scope.region.partition(), &scope.region, &scope.account);
                let arn = if function.starts_with("arn:") {
                    function.clone()
                } else {
                    format!("arn:{partition}:lambda:{region}:{account}:function:{function}")
                };
                Source::builder().owner(Owner::CustomLambda).source_identifier(arn)
            }
            Sent::Guard(text) => self.guard(text)?,
            Sent::AsItIs => return self.as_it_is(aws).await,
        };
        let details = self.details();
        let source = source.set_source_details((!details.is_empty()).then_some(details));
        built(&PUT_RULE, source.build())
    }

    fn guard(&self, text: &str) -> Result<aws_sdk_config::types::builders::SourceBuilder, Fault> {
        let details = CustomPolicyDetails::builder()
            .policy_runtime("guard-2.x.x")
            .policy_text(text)
            .enable_debug_log_delivery(self.debug_logs);
        let details = built(&PUT_RULE, details.build())?;
        Ok(Source::builder().owner(Owner::CustomPolicy).custom_policy_details(details))
    }

    /// The source of the live rule, with what is declared of its triggers.
    async fn as_it_is(&self, aws: &Writer) -> Result<Source, Fault> {
        let client = aws.config();
        let answer = client.describe_config_rules().config_rule_names(&self.name).send().await;
        let rules = answer.map_err(fault("config:DescribeConfigRules"))?.config_rules.unwrap_or_default();
        let live = rules.into_iter().next().and_then(|rule| rule.source);
        let live = live.ok_or_else(|| local(&PUT_RULE, format!("the rule {} is gone", self.name)))?;
        let source = if live.owner == Owner::CustomPolicy {
            let text = live::policy(&client, &self.name).await?.unwrap_or_default();
            self.guard(&text)?
        } else {
            Source::builder().owner(live.owner).set_source_identifier(live.source_identifier)
        };
        let details = self.details();
        built(&PUT_RULE, source.set_source_details((!details.is_empty()).then_some(details)).build())
    }

    async fn send(&self, aws: &Writer, tags: &BTreeMap<String, String>) -> Result<(), Fault> {
        let parameters =
            serde_json::to_string(&self.parameters).map_err(|e| local(&PUT_RULE, e.to_string()))?;
        let modes = self.modes.iter().map(|mode| {
            EvaluationModeConfiguration::builder().mode(EvaluationMode::from(mode.as_str())).build()
        });
        let modes: Vec<_> = modes.collect();
        let rule = ConfigRule::builder()
            .config_rule_name(&self.name)
            .set_description(self.description.clone())
            .set_scope(self.scope())
            .source(self.source(aws).await?)
            .set_input_parameters((!self.parameters.is_empty()).then_some(parameters))
            .set_maximum_execution_frequency(self.own_frequency())
            .set_evaluation_modes((!modes.is_empty()).then_some(modes))
            .build();
        let tags: Vec<_> =
            tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect();
        let call = aws.config().put_config_rule().config_rule(rule);
        let call = call.set_tags((!tags.is_empty()).then_some(tags));
        call.send().await.map(drop).map_err(fault(PUT_RULE.operation))
    }
}

fn parameter(values: &[String]) -> Result<RemediationParameterValue, Fault> {
    let value = RemediationParameterValue::builder();
    Ok(if values == [RESOURCE_ID] {
        let resource = ResourceValue::builder().value(ResourceValueType::ResourceId).build();
        value.resource_value(built(&PUT_REMEDIATION, resource)?).build()
    } else {
        let fixed = StaticValue::builder().set_values(Some(values.to_vec())).build();
        value.static_value(built(&PUT_REMEDIATION, fixed)?).build()
    })
}

/// The role's parameter as it is live, for whoever declares none.
async fn live_role(aws: &Writer, rule: &str) -> Result<Option<RemediationParameterValue>, Fault> {
    let call = aws.config().describe_remediation_configurations().config_rule_names(rule);
    let answer = call.send().await.map_err(fault("config:DescribeRemediationConfigurations"))?;
    let live = answer.remediation_configurations.unwrap_or_default().into_iter().next();
    Ok(live.and_then(|live| live.parameters).and_then(|mut parameters| parameters.remove(ROLE)))
}

async fn put_remediation(
    aws: &Writer,
    known: &Known,
    rule: &str,
    remediation: &Remediation,
    role: Option<&str>,
) -> Result<(), Fault> {
    let mut configuration = RemediationConfiguration::builder()
        .config_rule_name(rule)
        .target_type(RemediationTargetType::SsmDocument)
        .target_id(&remediation.document)
        .set_target_version(remediation.version.clone())
        .set_resource_type(remediation.resource_type.clone())
        .automatic(remediation.automatic)
        .set_maximum_automatic_attempts(remediation.attempts.and_then(|n| i32::try_from(n).ok()))
        .set_retry_attempt_seconds(remediation.retry_seconds.map(i64::from));
    for (name, values) in &remediation.parameters {
        configuration = configuration.parameters(name, parameter(values)?);
    }
    let role = match role {
        Some(name) => {
            let thing = Thing::Role { account: aws.scope.account.clone(), name: name.to_owned() };
            let arn = known.arn(&thing).map(str::to_owned).ok_or_else(|| {
                let message = format!("{thing} is not there");
                Fault::local(FaultKind::NotFound, PUT_REMEDIATION.operation, message)
            })?;
            Some(parameter(&[arn])?)
        }
        None => live_role(aws, rule).await?,
    };
    if let Some(role) = role {
        configuration = configuration.parameters(ROLE, role);
    }
    let percent = |number: Option<u32>| number.and_then(|number| i32::try_from(number).ok());
    let (concurrency, errors) =
        (percent(remediation.concurrency_percent), percent(remediation.error_percent));
    if concurrency.is_some() || errors.is_some() {
        let ssm = SsmControls::builder()
            .set_concurrent_execution_rate_percentage(concurrency)
            .set_error_percentage(errors)
            .build();
        configuration =
            configuration.execution_controls(ExecutionControls::builder().ssm_controls(ssm).build());
    }
    let configuration = built(&PUT_REMEDIATION, configuration.build())?;
    let call = aws.config().put_remediation_configurations().remediation_configurations(configuration);
    let answer = call.send().await.map_err(fault(PUT_REMEDIATION.operation))?;
    let failed = answer.failed_batches.unwrap_or_default().into_iter().next();
    // AWS answers 200 to what it did not do.
    failed.map_or(Ok(()), |failed| {
        Err(local(&PUT_REMEDIATION, failed.failure_message.unwrap_or_else(|| "it was not taken".into())))
    })
}

async fn put_exception(
    aws: &Writer,
    rule: &str,
    resource: &Resource,
    message: &str,
    expires: Option<Timestamp>,
) -> Result<(), Fault> {
    let call = aws
        .config()
        .put_remediation_exceptions()
        .config_rule_name(rule)
        .resource_keys(live::key(resource))
        .message(message)
        .set_expiration_time(expires.map(|at| DateTime::from_secs(at.as_second())));
    let answer = call.send().await.map_err(fault(PUT_EXCEPTION.operation))?;
    let failed = answer.failed_batches.unwrap_or_default().into_iter().next();
    failed.map_or(Ok(()), |failed| {
        Err(local(&PUT_EXCEPTION, failed.failure_message.unwrap_or_else(|| "it was not taken".into())))
    })
}

impl Write {
    pub async fn send(&self, aws: &Writer, known: &Known) -> Result<(), Fault> {
        match self {
            Self::Rule { put, tags } => put.send(aws, tags).await,
            Self::Remediation { rule, remediation, role } => {
                put_remediation(aws, known, rule, remediation, role.as_deref()).await
            }
            Self::Exception { rule, resource, message, expires } => {
                put_exception(aws, rule, resource, message, *expires).await
            }
        }
    }
}
