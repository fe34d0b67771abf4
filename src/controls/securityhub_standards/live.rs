//! What Security Hub says of its standards in a region.

use std::collections::BTreeMap;

use aws_sdk_securityhub::Client;
use aws_sdk_securityhub::types::StandardsSubscription;
use serde::{Deserialize, Serialize};

use crate::aws::{Reader, fault, securityhub};
use crate::control::Standard;
use crate::fault::Fault;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Live {
    /// `AutoEnableControls`; `None` where AWS does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_controls: Option<bool>,
    /// The account that administers this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub administrator: Option<String>,
    /// What the region offers.
    pub offered: BTreeMap<Standard, Offered>,
    /// What is on, or on its way.
    pub on: BTreeMap<Standard, Subscription>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Offered {
    /// The product that manages the standard, where that is not Security Hub.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub managed_by: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subscription {
    /// As AWS says it: `READY`.
    pub status: String,
    /// `NO_AVAILABLE_CONFIGURATION_RECORDER`, where AWS says why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// `None` where Security Hub is not enabled.
pub async fn read(aws: &Reader) -> Result<Option<Live>, Fault> {
    let Some(hub) = (*securityhub::hub(aws).await?).clone() else { return Ok(None) };
    let client = aws.securityhub();
    let (offered, on, administrator) = futures::try_join!(
        read_offered(&client),
        securityhub::enabled_standards(aws),
        securityhub::administrator(aws),
    )?;
    Ok(Some(Live {
        new_controls: hub.new_controls,
        administrator: (*administrator).clone(),
        offered,
        on: (*on).as_deref().map(subscriptions).unwrap_or_default(),
    }))
}

pub async fn read_offered(client: &Client) -> Result<BTreeMap<Standard, Offered>, Fault> {
    let mut items = client.describe_standards().into_paginator().items().send();
    let mut offered = BTreeMap::new();
    while let Some(one) = items.next().await {
        let one = one.map_err(fault("securityhub:DescribeStandards"))?;
        let Some(standard) = one.standards_arn().and_then(|arn| arn.parse::<Standard>().ok()) else {
            continue;
        };
        let product = one.standards_managed_by.and_then(|by| by.product);
        // AWS fills it in for its own standards too: `Security Hub`.
        let managed_by = product.filter(|product| !product.to_lowercase().contains("security hub"));
        offered.insert(standard, Offered { managed_by });
    }
    Ok(offered)
}

pub fn subscriptions(told: &[StandardsSubscription]) -> BTreeMap<Standard, Subscription> {
    let one = |one: &StandardsSubscription| {
        let standard = one.standards_arn()?.parse::<Standard>().ok()?;
        let status = one.standards_status().map_or_else(String::new, |status| status.as_str().to_owned());
        let reason = one.standards_status_reason().and_then(|reason| reason.status_reason_code());
        let reason = reason.map(|code| code.as_str().to_owned());
        Some((standard, Subscription { status, reason }))
    };
    told.iter().filter_map(one).collect()
}
