//! What AWS Config says of its aggregators, and IAM of the role.

use std::collections::BTreeSet;

use aws_sdk_config::types::ConfigurationAggregator;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::spec::Regions;
use crate::aws::iam::document;
use crate::aws::{Reader, fault};
use crate::fault::{Fault, FaultKind};

/// AWS's policy for reading the list of accounts.
pub const POLICY: &str = "AWSConfigRoleForOrganizations";

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ask {
    /// The role's name, where one is needed.
    pub role: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Observed {
    /// `None` where it is not there, or was not asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    pub aggregators: Vec<Live>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Role {
    pub arn: String,
    /// AWS Config may take it.
    pub trusts: bool,
    /// It may read the list of accounts.
    pub has_policy: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Live {
    pub name: String,
    pub accounts: Accounts,
    pub regions: Regions,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// It shows only some types, or recorders of services.
    pub filtered: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Accounts {
    Organization { role_arn: String },
    These(BTreeSet<String>),
}

const AGGREGATORS: &str = "config:DescribeConfigurationAggregators";

pub async fn read(aws: &Reader, ask: &Ask) -> Result<Observed, Fault> {
    let role = async {
        match &ask.role {
            Some(name) => read_role(aws, name).await,
            None => Ok(None),
        }
    };
    let (role, aggregators) = futures::try_join!(role, aggregators(aws))?;
    Ok(Observed { role, aggregators })
}

async fn aggregators(aws: &Reader) -> Result<Vec<Live>, Fault> {
    let mut all = Vec::new();
    let mut pages = aws.config().describe_configuration_aggregators().into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(fault(AGGREGATORS))?;
        all.extend(page.configuration_aggregators.unwrap_or_default().into_iter().map(live));
    }
    Ok(all)
}

fn live(one: ConfigurationAggregator) -> Live {
    let regions = |all: bool, some: Option<Vec<String>>| {
        if all { Regions::All } else { Regions::These(some.unwrap_or_default().into_iter().collect()) }
    };
    let list = one.account_aggregation_sources.unwrap_or_default().into_iter().next();
    let (accounts, regions) = match (one.organization_aggregation_source, list) {
        (Some(source), _) => (
            Accounts::Organization { role_arn: source.role_arn },
            regions(source.all_aws_regions, source.aws_regions),
        ),
        (None, Some(source)) => (
            Accounts::These(source.account_ids.into_iter().collect()),
            regions(source.all_aws_regions, source.aws_regions),
        ),
        (None, None) => (Accounts::These(BTreeSet::new()), Regions::These(BTreeSet::new())),
    };
    Live {
        name: one.configuration_aggregator_name.unwrap_or_default(),
        accounts,
        regions,
        created_by: one.created_by.filter(|by| !by.is_empty()),
        filtered: one.aggregator_filters.is_some(),
    }
}

async fn read_role(aws: &Reader, name: &str) -> Result<Option<Role>, Fault> {
    let role = match aws.iam().get_role().role_name(name).send().await {
        Ok(answer) => answer.role,
        Err(error) if error.as_service_error().is_some_and(|e| e.is_no_such_entity_exception()) => None,
        Err(error) => return Err(fault("iam:GetRole")(error)),
    };
    let Some(role) = role else { return Ok(None) };
    let call = "iam:ListAttachedRolePolicies";
    let mut has_policy = false;
    let mut pages = aws.iam().list_attached_role_policies().role_name(name).into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(fault(call))?;
        let attached = page.attached_policies.unwrap_or_default();
        has_policy |= attached.iter().any(|one| one.policy_name.as_deref() == Some(POLICY));
    }
    let trust = document(role.assume_role_policy_document.as_deref()).ok_or_else(|| {
        Fault::local(FaultKind::Invalid, "iam:GetRole", format!("the trust policy of {name} cannot be read"))
    })?;
    Ok(Some(Role { arn: role.arn, trusts: trusts_config(&trust), has_policy }))
}

/// Does a statement let AWS Config take the role? Of its conditions AWS has the last word.
fn trusts_config(trust: &Value) -> bool {
    let list = |value: &Value| match value {
        Value::Array(items) => items.clone(),
        Value::Null => Vec::new(),
        one => vec![one.clone()],
    };
    list(&trust["Statement"]).iter().any(|statement| {
        statement["Effect"] == "Allow"
            && list(&statement["Principal"]["Service"]).iter().any(|one| one == "config.amazonaws.com")
            && list(&statement["Action"]).iter().any(|one| one == "sts:AssumeRole" || one == "sts:*")
    })
}
