//! The write. One call sets everything, and what it leaves out gets its default, so all of it is sent.

use std::fmt;

use aws_sdk_securityhub::types::{
    AutoEnableStandards, OrganizationConfiguration, OrganizationConfigurationConfigurationType,
};
use serde::{Deserialize, Serialize};

use super::{ConfigurationType, NewMembers, Standards};
use crate::aws::{Writer, fault};
use crate::control::{AwsWrite, Call};
use crate::fault::{Fault, FaultKind};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Write {
    NewMembers { new_members: NewMembers, standards: Standards },
    Central,
}

pub const UPDATE: Call = Call::new("securityhub:UpdateOrganizationConfiguration");

impl AwsWrite for Write {
    fn call(&self) -> &'static Call {
        const { &UPDATE }
    }
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NewMembers { new_members: NewMembers::None, .. } => {
                f.write_str("leave accounts that join without Security Hub in this region")
            }
            Self::NewMembers { new_members: NewMembers::New, standards } => write!(
                f,
                "enable Security Hub in accounts that join, with {} standards, in this region",
                if *standards == Standards::None { "no" } else { "AWS's default" }
            ),
            Self::Central => {
                write!(f, "configure the organisation centrally ({})", ConfigurationType::Central.word())
            }
        }
    }
}

impl Write {
    pub async fn send(&self, aws: &Writer) -> Result<(), Fault> {
        let call = aws.securityhub().update_organization_configuration();
        let call = match self {
            Self::NewMembers { new_members, standards } => call
                .auto_enable(*new_members == NewMembers::New)
                .auto_enable_standards(AutoEnableStandards::from(standards.word())),
            // Policies enable what accounts get: the call takes nothing else beside it.
            Self::Central => call
                .auto_enable(false)
                .auto_enable_standards(AutoEnableStandards::None)
                .organization_configuration(
                    OrganizationConfiguration::builder()
                        .configuration_type(OrganizationConfigurationConfigurationType::Central)
                        .build(),
                ),
        };
        call.send().await.map_err(fault(UPDATE.operation)).map_err(not_yet)?;
        Ok(())
    }
}

/// A new administrator is refused for some time (hashicorp/terraform-provider-aws#23079). One that is none is refused
/// in the same way, so waiting has to end.
fn not_yet(fault: Fault) -> Fault {
    if fault.code == "InvalidAccessException" { Fault { kind: FaultKind::NotReady, ..fault } } else { fault }
}
