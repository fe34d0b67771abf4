//! The writes: in names, with ARNs looked up when they run.

use std::fmt;

use aws_sdk_securityhub::Client;
use aws_sdk_securityhub::types::StandardsSubscriptionRequest;
use serde::{Deserialize, Serialize};

use crate::aws::fault;
use crate::control::{AwsWrite, Call, Standard};
use crate::fault::{Fault, FaultKind};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Write {
    Enable { standard: Standard },
    Disable { standard: Standard },
    NewControls { enabled: bool },
}

/// The ARN of a standard, and that of a subscription, are looked up by the role that writes. Security Hub makes rules
/// of AWS Config with its service-linked role.
pub const ENABLE: Call = Call::needing(
    "securityhub:BatchEnableStandards",
    &["securityhub:BatchEnableStandards", "securityhub:DescribeStandards"],
);
pub const DISABLE: Call = Call::needing(
    "securityhub:BatchDisableStandards",
    &["securityhub:BatchDisableStandards", "securityhub:GetEnabledStandards"],
);
pub const UPDATE: Call = Call::new("securityhub:UpdateSecurityHubConfiguration");

impl AwsWrite for Write {
    fn call(&self) -> &'static Call {
        match self {
            Self::Enable { .. } => const { &ENABLE },
            Self::Disable { .. } => const { &DISABLE },
            Self::NewControls { .. } => const { &UPDATE },
        }
    }
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Enable { standard } => write!(f, "enable {standard}"),
            Self::Disable { standard } => write!(f, "disable {standard}"),
            Self::NewControls { enabled: true } => f.write_str("let new controls come on by themselves"),
            Self::NewControls { enabled: false } => f.write_str("keep new controls off"),
        }
    }
}

/// A standard that is on its way in or out refuses the next change for a while: "in state PENDING, please try later".
fn not_yet(fault: Fault) -> Fault {
    if fault.message.contains("try later") { Fault { kind: FaultKind::NotReady, ..fault } } else { fault }
}

/// The standard's ARN in this region.
async fn standard_arn(client: &Client, standard: &Standard) -> Result<String, Fault> {
    let call = "securityhub:DescribeStandards";
    let mut items = client.describe_standards().into_paginator().items().send();
    while let Some(one) = items.next().await {
        let one = one.map_err(fault(call))?;
        if let Some(arn) = one.standards_arn.filter(|arn| arn.parse::<Standard>().as_ref() == Ok(standard)) {
            return Ok(arn);
        }
    }
    Err(Fault::local(FaultKind::NotFound, call, format!("{standard} is not offered in this region any more")))
}

/// The ARN of the subscription to the standard; `None` where it is off.
async fn subscription_arn(client: &Client, standard: &Standard) -> Result<Option<String>, Fault> {
    let mut items = client.get_enabled_standards().into_paginator().items().send();
    while let Some(one) = items.next().await {
        let one = one.map_err(fault("securityhub:GetEnabledStandards"))?;
        if one.standards_arn().is_some_and(|arn| arn.parse::<Standard>().as_ref() == Ok(standard)) {
            return Ok(one.standards_subscription_arn);
        }
    }
    Ok(None)
}

impl Write {
    pub async fn send(&self, client: &Client) -> Result<(), Fault> {
        match self {
            Self::Enable { standard } => {
                let arn = standard_arn(client, standard).await?;
                let request = StandardsSubscriptionRequest::builder().standards_arn(arn).build();
                let call = client.batch_enable_standards().standards_subscription_requests(request);
                call.send().await.map_err(|error| not_yet(fault(ENABLE.operation)(error)))?;
            }
            Self::Disable { standard } => {
                let Some(arn) = subscription_arn(client, standard).await? else { return Ok(()) };
                let call = client.batch_disable_standards().standards_subscription_arns(arn);
                call.send().await.map_err(|error| not_yet(fault(DISABLE.operation)(error)))?;
            }
            Self::NewControls { enabled } => {
                client
                    .update_security_hub_configuration()
                    .auto_enable_controls(*enabled)
                    .send()
                    .await
                    .map_err(fault(UPDATE.operation))?;
            }
        }
        Ok(())
    }
}
