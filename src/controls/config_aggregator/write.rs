//! The writes: role, policy, aggregator.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use aws_sdk_config::types::{AccountAggregationSource, OrganizationAggregationSource, Tag};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::live::POLICY;
use super::spec::Regions;
use crate::aws::{Writer, fault};
use crate::control::{AwsWrite, Call};
use crate::fault::{Fault, FaultKind};
use crate::place::AccountId;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Write {
    CreateRole {
        role: String,
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        tags: BTreeMap<String, String>,
    },
    AttachPolicy {
        role: String,
    },
    Put {
        source: Source,
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        tags: BTreeMap<String, String>,
    },
}

/// An aggregator, whole: the call replaces what it does not name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Source {
    pub name: String,
    /// `None` is the organisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accounts: Option<BTreeSet<AccountId>>,
    /// `None` keeps the role that is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    pub regions: Regions,
}

pub const CREATE_ROLE: Call = Call::needing("iam:CreateRole", &["iam:CreateRole", "iam:TagRole"]);
pub const ATTACH: Call = Call::new("iam:AttachRolePolicy");
/// From the management account AWS Config opens the organisation to itself; from a delegated administrator it asks
/// whether that is one.
pub const PUT: Call = Call::needing(
    "config:PutConfigurationAggregator",
    &[
        "config:PutConfigurationAggregator",
        "config:DescribeConfigurationAggregators",
        "config:TagResource",
        "iam:GetRole",
        "iam:PassRole",
        "organizations:EnableAWSServiceAccess",
        "organizations:ListDelegatedAdministrators",
    ],
);

impl AwsWrite for Write {
    fn call(&self) -> &'static Call {
        match self {
            Self::CreateRole { .. } => const { &CREATE_ROLE },
            Self::AttachPolicy { .. } => const { &ATTACH },
            Self::Put { .. } => const { &PUT },
        }
    }
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CreateRole { role, .. } => write!(f, "create the role {role}"),
            Self::AttachPolicy { role } => write!(f, "attach {POLICY} to the role {role}"),
            Self::Put { source, .. } => write!(f, "set up the aggregator {}", source.name),
        }
    }
}

fn invalid(message: impl Into<String>) -> Fault {
    Fault::local(FaultKind::Invalid, PUT.operation, message)
}

async fn create_role(aws: &Writer, role: &str, tags: &BTreeMap<String, String>) -> Result<(), Fault> {
    let trust = json!({"Version": "2012-10-17", "Statement": [{
        "Sid": "BaselineConfigAggregator",
        "Effect": "Allow",
        "Principal": {"Service": "config.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }]});
    let tag = |(key, value): (&String, &String)| {
        aws_sdk_iam::types::Tag::builder().key(key).value(value).build().ok()
    };
    let tags: Vec<_> = tags.iter().filter_map(tag).collect();
    let call = aws
        .iam()
        .create_role()
        .role_name(role)
        .description("AWS Config reads the organisation's accounts with it")
        .assume_role_policy_document(trust.to_string())
        .set_tags(Some(tags).filter(|tags| !tags.is_empty()));
    call.send().await.map(drop).map_err(fault(CREATE_ROLE.operation))
}

/// A role may have a path that its name does not tell. One that IAM does not show yet was just made, without one.
async fn role_arn(aws: &Writer, name: &str) -> Result<String, Fault> {
    match aws.iam().get_role().role_name(name).send().await {
        Ok(answer) => {
            answer.role.map(|role| role.arn).ok_or_else(|| invalid(format!("role {name} is not told")))
        }
        Err(error) if error.as_service_error().is_some_and(|e| e.is_no_such_entity_exception()) => {
            Ok(format!("arn:{}:iam::{}:role/{name}", aws.scope.region.partition(), aws.scope.account))
        }
        Err(error) => Err(fault("iam:GetRole")(error)),
    }
}

/// The role that the live aggregator has.
async fn live_role(aws: &Writer, name: &str) -> Result<String, Fault> {
    let call = aws.config().describe_configuration_aggregators().configuration_aggregator_names(name);
    let answer = call.send().await.map_err(fault("config:DescribeConfigurationAggregators"))?;
    let live = answer.configuration_aggregators.unwrap_or_default().into_iter().next();
    let source = live.and_then(|live| live.organization_aggregation_source);
    source.map(|source| source.role_arn).ok_or_else(|| invalid(format!("the aggregator {name} has no role")))
}

impl Source {
    fn regions(&self) -> (bool, Option<Vec<String>>) {
        match &self.regions {
            Regions::All => (true, None),
            Regions::These(codes) => (false, Some(codes.iter().cloned().collect())),
        }
    }

    async fn send(&self, aws: &Writer, tags: &BTreeMap<String, String>) -> Result<(), Fault> {
        let (all, some) = self.regions();
        let tags: Vec<Tag> =
            tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect();
        let call = aws
            .config()
            .put_configuration_aggregator()
            .configuration_aggregator_name(&self.name)
            .set_tags(Some(tags).filter(|tags| !tags.is_empty()));
        let call = match &self.accounts {
            Some(ids) => {
                let source = AccountAggregationSource::builder()
                    .set_account_ids(Some(ids.iter().map(ToString::to_string).collect()))
                    .all_aws_regions(all)
                    .set_aws_regions(some)
                    .build();
                call.account_aggregation_sources(source.map_err(|error| invalid(error.to_string()))?)
            }
            None => {
                let role = match &self.role {
                    Some(name) => role_arn(aws, name).await?,
                    None => live_role(aws, &self.name).await?,
                };
                let source = OrganizationAggregationSource::builder()
                    .role_arn(role)
                    .all_aws_regions(all)
                    .set_aws_regions(some)
                    .build();
                call.organization_aggregation_source(source.map_err(|error| invalid(error.to_string()))?)
            }
        };
        call.send().await.map(drop).map_err(fault(PUT.operation))
    }
}

impl Write {
    pub async fn send(&self, aws: &Writer) -> Result<(), Fault> {
        match self {
            Self::CreateRole { role, tags } => create_role(aws, role, tags).await,
            Self::AttachPolicy { role } => {
                let arn =
                    format!("arn:{}:iam::aws:policy/service-role/{POLICY}", aws.scope.region.partition());
                let sent = aws.iam().attach_role_policy().role_name(role).policy_arn(arn).send().await;
                sent.map(drop).map_err(fault(ATTACH.operation))
            }
            Self::Put { source, tags } => source.send(aws, tags).await,
        }
    }
}
