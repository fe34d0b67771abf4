//! The writes.

use std::collections::BTreeMap;
use std::fmt;

use aws_sdk_inspector2::types::AutoEnable;
use serde::{Deserialize, Serialize};

use crate::aws::{Writer, fault};
use crate::control::{AwsWrite, Call};
use crate::fault::{Fault, FaultKind};
use crate::place::AccountId;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Write {
    /// All types: the call replaces them.
    AutoEnable {
        types: BTreeMap<String, bool>,
    },
    Associate {
        account: AccountId,
    },
}

pub const UPDATE: Call = Call::new("inspector2:UpdateOrganizationConfiguration");
/// The first scan of a member makes Inspector's service-linked role there, by trusted access.
pub const ASSOCIATE: Call = Call::new("inspector2:AssociateMember");

impl AwsWrite for Write {
    fn call(&self) -> &'static Call {
        match self {
            Self::AutoEnable { .. } => const { &UPDATE },
            Self::Associate { .. } => const { &ASSOCIATE },
        }
    }
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AutoEnable { .. } => f.write_str("update what is scanned in new accounts"),
            Self::Associate { account } => write!(f, "make {account} a member"),
        }
    }
}

impl Write {
    pub async fn send(&self, aws: &Writer) -> Result<(), Fault> {
        let inspector = aws.inspector();
        match self {
            Self::AutoEnable { types } => {
                let on = |name: &str| types.get(name).copied();
                let all = AutoEnable::builder()
                    .ec2(on("EC2").unwrap_or(false))
                    .ecr(on("ECR").unwrap_or(false))
                    .set_lambda(on("LAMBDA"))
                    .set_lambda_code(on("LAMBDA_CODE"))
                    .set_code_repository(on("CODE_REPOSITORY"))
                    .build()
                    .map_err(|e| Fault::local(FaultKind::Invalid, UPDATE.operation, e.to_string()))?;
                let request = inspector.update_organization_configuration().auto_enable(all);
                request.send().await.map(drop).map_err(fault(UPDATE.operation))
            }
            Self::Associate { account } => {
                let request = inspector.associate_member().account_id(account.as_str());
                request.send().await.map(drop).map_err(fault(ASSOCIATE.operation))
            }
        }
    }
}
