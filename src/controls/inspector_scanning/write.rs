//! The writes.

use std::fmt;

use aws_sdk_inspector2::types::{
    Ec2Configuration, Ec2ScanMode, EcrConfiguration, EcrPullDateRescanDuration, EcrPullDateRescanMode,
    EcrRescanDuration, FailedAccount, ResourceScanType,
};
use serde::{Deserialize, Serialize};

use super::live::kind_of;
use crate::aws::{Writer, fault};
use crate::control::{AwsWrite, Call};
use crate::fault::{Fault, FaultKind};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Write {
    Enable {
        types: Vec<String>,
    },
    Disable {
        types: Vec<String>,
    },
    /// In AWS's words. The call takes both durations.
    Rescan {
        push: String,
        pull: Option<String>,
        pull_mode: Option<String>,
    },
    ScanMode {
        mode: String,
    },
}

/// The first type that is enabled makes Inspector's service-linked roles (User Guide, "Using service-linked roles for
/// Amazon Inspector"), and the type ECR sets the registry to enhanced scanning.
pub const ENABLE: Call =
    Call::needing("inspector2:Enable", &["inspector2:Enable", "iam:CreateServiceLinkedRole"]);
pub const DISABLE: Call = Call::new("inspector2:Disable");
pub const UPDATE: Call = Call::new("inspector2:UpdateConfiguration");

impl AwsWrite for Write {
    fn call(&self) -> &'static Call {
        match self {
            Self::Enable { .. } => const { &ENABLE },
            Self::Disable { .. } => const { &DISABLE },
            Self::Rescan { .. } | Self::ScanMode { .. } => const { &UPDATE },
        }
    }
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Enable { types } => write!(f, "scan {}", types.join(", ")),
            Self::Disable { types } => write!(f, "scan {} no more", types.join(", ")),
            Self::Rescan { push, .. } => write!(f, "scan images again for {push}"),
            Self::ScanMode { mode } => write!(f, "scan instances by {mode}"),
        }
    }
}

impl Write {
    pub async fn send(&self, aws: &Writer) -> Result<(), Fault> {
        let inspector = aws.inspector();
        let own = aws.scope.account.as_str();
        let kinds = |types: &[String]| -> Vec<ResourceScanType> {
            types.iter().map(|name| ResourceScanType::from(name.as_str())).collect()
        };
        match self {
            Self::Enable { types } => {
                let request = inspector.enable().account_ids(own).set_resource_types(Some(kinds(types)));
                let answer = request.send().await.map_err(fault(ENABLE.operation))?;
                failed(ENABLE.operation, answer.failed_accounts())
            }
            Self::Disable { types } => {
                let request = inspector.disable().account_ids(own).set_resource_types(Some(kinds(types)));
                let answer = request.send().await.map_err(fault(DISABLE.operation))?;
                failed(DISABLE.operation, answer.failed_accounts())
            }
            Self::Rescan { push, pull, pull_mode } => {
                let ecr = EcrConfiguration::builder()
                    .rescan_duration(EcrRescanDuration::from(push.as_str()))
                    .set_pull_date_rescan_duration(pull.as_deref().map(EcrPullDateRescanDuration::from))
                    .set_pull_date_rescan_mode(pull_mode.as_deref().map(EcrPullDateRescanMode::from))
                    .build()
                    .map_err(|error| incomplete(&error))?;
                let request = inspector.update_configuration().ecr_configuration(ecr);
                request.send().await.map(drop).map_err(fault(UPDATE.operation))
            }
            Self::ScanMode { mode } => {
                let ec2 = Ec2Configuration::builder().scan_mode(Ec2ScanMode::from(mode.as_str())).build();
                let ec2 = ec2.map_err(|error| incomplete(&error))?;
                let request = inspector.update_configuration().ec2_configuration(ec2);
                request.send().await.map(drop).map_err(fault(UPDATE.operation))
            }
        }
    }
}

fn incomplete(error: &dyn fmt::Display) -> Fault {
    Fault::local(FaultKind::Invalid, UPDATE.operation, error.to_string())
}

/// Enable and Disable answer 200 and tell what they did not do.
fn failed(call: &str, accounts: &[FailedAccount]) -> Result<(), Fault> {
    let Some(failed) = accounts.first() else { return Ok(()) };
    let code = failed.error_code().as_str();
    // What was asked for is on its way, or there: the look that follows decides.
    if code == "ALREADY_ENABLED" {
        return Ok(());
    }
    Err(Fault { code: code.into(), ..Fault::local(kind_of(code), call, failed.error_message()) })
}

#[cfg(test)]
mod tests {
    use aws_sdk_inspector2::types::ErrorCode;

    use super::*;

    #[test]
    fn what_was_not_enabled_is_a_fault() {
        let account = |code: ErrorCode| {
            FailedAccount::builder()
                .account_id("111122223333")
                .error_code(code)
                .error_message("why")
                .build()
                .unwrap()
        };
        let said = |code| failed(ENABLE.operation, &[account(code)]).map_err(|fault| fault.kind);
        assert_eq!(failed(ENABLE.operation, &[]), Ok(()));
        assert_eq!(said(ErrorCode::AlreadyEnabled), Ok(()));
        assert_eq!(said(ErrorCode::EnableInProgress), Err(FaultKind::Conflict));
        assert_eq!(said(ErrorCode::BlockedByOrganizationPolicy), Err(FaultKind::DeniedByOrganization));
        assert_eq!(said(ErrorCode::AccessDenied), Err(FaultKind::Denied));
    }
}
