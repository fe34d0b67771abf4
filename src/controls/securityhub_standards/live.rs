//! What Security Hub says of its standards in a region.

use std::collections::BTreeMap;

use aws_sdk_securityhub::Client;
use serde::{Deserialize, Serialize};

use crate::aws::fault;
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

/// `None` where Security Hub is not enabled, which answers `InvalidAccessException`.
pub async fn read(client: &Client) -> Result<Option<Live>, Fault> {
    let hub = match client.describe_hub().send().await {
        Ok(answer) => answer,
        Err(error)
            if error
                .as_service_error()
                .is_some_and(|e| e.is_invalid_access_exception() || e.is_resource_not_found_exception()) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(fault("securityhub:DescribeHub")(error)),
    };
    let (offered, on, administrator) =
        futures::try_join!(read_offered(client), read_on(client), read_administrator(client))?;
    Ok(Some(Live { new_controls: hub.auto_enable_controls, administrator, offered, on }))
}

async fn read_administrator(client: &Client) -> Result<Option<String>, Fault> {
    match client.get_administrator_account().send().await {
        Ok(answer) => Ok(answer.administrator.and_then(|administrator| administrator.account_id)),
        Err(error) if error.as_service_error().is_some_and(|e| e.is_resource_not_found_exception()) => {
            Ok(None)
        }
        Err(error) => Err(fault("securityhub:GetAdministratorAccount")(error)),
    }
}

async fn read_offered(client: &Client) -> Result<BTreeMap<Standard, Offered>, Fault> {
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

async fn read_on(client: &Client) -> Result<BTreeMap<Standard, Subscription>, Fault> {
    let mut items = client.get_enabled_standards().into_paginator().items().send();
    let mut on = BTreeMap::new();
    while let Some(one) = items.next().await {
        let one = one.map_err(fault("securityhub:GetEnabledStandards"))?;
        let Some(standard) = one.standards_arn().and_then(|arn| arn.parse::<Standard>().ok()) else {
            continue;
        };
        let status = one.standards_status.map_or_else(String::new, |status| status.as_str().to_owned());
        let reason = one.standards_status_reason.and_then(|reason| reason.status_reason_code);
        let reason = reason.map(|code| code.as_str().to_owned());
        on.insert(standard, Subscription { status, reason });
    }
    Ok(on)
}
