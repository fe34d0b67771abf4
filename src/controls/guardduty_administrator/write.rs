//! The writes.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::aws::{Writer, fault};
use crate::control::{AwsWrite, Call, Extent};
use crate::fault::Fault;
use crate::place::AccountId;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Write {
    EnableAccess { service: String },
    EnableAdministrator { account: AccountId },
}

pub const ENABLE_ACCESS: Call = Call::needing(
    "organizations:EnableAWSServiceAccess",
    &["iam:CreateServiceLinkedRole", "organizations:EnableAWSServiceAccess"],
)
.reaching(Extent::Home);
/// User Guide, "Permissions required to designate a delegated GuardDuty administrator account".
pub const ENABLE_ADMINISTRATOR: Call = Call::needing(
    "guardduty:EnableOrganizationAdminAccount",
    &[
        "guardduty:EnableOrganizationAdminAccount",
        "organizations:DescribeAccount",
        "organizations:DescribeOrganization",
        "organizations:DescribeOrganizationalUnit",
        "organizations:EnableAWSServiceAccess",
        "organizations:ListAWSServiceAccessForOrganization",
        "organizations:ListAccounts",
        "organizations:ListDelegatedAdministrators",
        "organizations:RegisterDelegatedAdministrator",
    ],
)
.reaching(Extent::Account);

impl AwsWrite for Write {
    fn call(&self) -> &'static Call {
        match self {
            Self::EnableAccess { .. } => const { &ENABLE_ACCESS },
            Self::EnableAdministrator { .. } => const { &ENABLE_ADMINISTRATOR },
        }
    }
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EnableAccess { service } => write!(f, "trust {service} in the organisation"),
            Self::EnableAdministrator { account } => write!(f, "make {account} GuardDuty's administrator"),
        }
    }
}

impl Write {
    pub async fn send(&self, aws: &Writer) -> Result<(), Fault> {
        match self {
            Self::EnableAccess { service } => {
                let call = aws.organizations().enable_aws_service_access().service_principal(service);
                call.send().await.map_err(fault(ENABLE_ACCESS.operation))?;
            }
            Self::EnableAdministrator { account } => {
                let call = aws.guardduty().enable_organization_admin_account();
                call.admin_account_id(account.as_str())
                    .send()
                    .await
                    .map_err(fault(ENABLE_ADMINISTRATOR.operation))?;
            }
        }
        Ok(())
    }
}
