//! What Security Hub says of an account's finding aggregator.

use aws_sdk_securityhub::Client;
use aws_sdk_securityhub::types::OrganizationConfigurationConfigurationType;
use serde::{Deserialize, Serialize};

use super::spec::Linking;
use crate::aws::fault;
use crate::fault::Fault;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Live {
    /// `None` where there is none, and where Security Hub is not enabled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aggregator: Option<Aggregator>,
    /// The account that administers this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub administrator: Option<String>,
    /// This account configures the accounts of its organisation, in the home region and each linked one.
    pub central: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Aggregator {
    /// The region that it collects in.
    pub home: String,
    /// As AWS says it: `ALL_REGIONS`.
    pub mode: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub regions: Vec<String>,
}

impl Aggregator {
    /// `None` for a mode that this build does not know.
    pub fn linking(&self) -> Option<Linking> {
        Linking::of(&self.mode, self.regions.iter().cloned()).map(|linking| linking.without(&self.home))
    }
}

/// Security Hub answers `InvalidAccessException` where it is not enabled: then there is nothing to see.
pub async fn read(hub: &Client) -> Result<Live, Fault> {
    let call = "securityhub:ListFindingAggregators";
    let mut pages = hub.list_finding_aggregators().into_paginator().items().send();
    let arn = match pages.next().await {
        None => None,
        Some(Ok(one)) => one.finding_aggregator_arn,
        Some(Err(error))
            if error.as_service_error().is_some_and(|error| error.is_invalid_access_exception()) =>
        {
            return Ok(Live::default());
        }
        Some(Err(error)) => return Err(fault(call)(error)),
    };
    let aggregator = async {
        match &arn {
            Some(arn) => aggregator(hub, arn).await.map(Some),
            None => Ok(None),
        }
    };
    let (aggregator, administrator, central) =
        futures::try_join!(aggregator, administrator(hub), is_central(hub))?;
    Ok(Live { aggregator, administrator, central })
}

async fn aggregator(hub: &Client, arn: &str) -> Result<Aggregator, Fault> {
    let answer = hub
        .get_finding_aggregator()
        .finding_aggregator_arn(arn)
        .send()
        .await
        .map_err(fault("securityhub:GetFindingAggregator"))?;
    let mut regions = answer.regions.unwrap_or_default();
    regions.sort();
    Ok(Aggregator {
        home: answer.finding_aggregation_region.unwrap_or_default(),
        mode: answer.region_linking_mode.unwrap_or_default(),
        regions,
    })
}

/// The administrator and an account on its own get an answer without content. The status of a member is written in
/// more than one way; what is told apart is what never began and what has ended (API reference, `Member`).
async fn administrator(hub: &Client) -> Result<Option<String>, Fault> {
    let answer = hub.get_administrator_account().send().await;
    let answer = answer.map_err(fault("securityhub:GetAdministratorAccount"))?;
    let ended = ["Created", "Invited", "Removed", "Resigned", "Deleted"];
    let is = |status: &str| !ended.iter().any(|word| word.eq_ignore_ascii_case(status));
    let administers = answer.administrator.filter(|one| one.member_status.as_deref().is_none_or(is));
    Ok(administers.and_then(|one| one.account_id))
}

/// Only the organisation's administrator is told: all others are refused with `InvalidAccessException`.
async fn is_central(hub: &Client) -> Result<bool, Fault> {
    match hub.describe_organization_configuration().send().await {
        Ok(answer) => Ok(answer.organization_configuration.and_then(|one| one.configuration_type)
            == Some(OrganizationConfigurationConfigurationType::Central)),
        Err(error) if error.as_service_error().is_some_and(|error| error.is_invalid_access_exception()) => {
            Ok(false)
        }
        Err(error) => Err(fault("securityhub:DescribeOrganizationConfiguration")(error)),
    }
}
