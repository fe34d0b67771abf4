//! The writes: in names, with ARNs looked up when they run.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use aws_sdk_securityhub::Client;
use aws_sdk_securityhub::types::{
    AssociationStatus, ParameterConfiguration, ParameterValueType, StandardsControlAssociationUpdate,
};
use serde::{Deserialize, Serialize};

use super::live::Kind;
use super::read::{self, BATCH};
use super::spec::Setting;
use crate::aws::{fault, securityhub};
use crate::control::{AwsWrite, Call, Standard};
use crate::fault::{Fault, FaultKind};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Write {
    Associate {
        control: String,
        standards: BTreeSet<Standard>,
        enabled: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    Parameters {
        control: String,
        parameters: BTreeMap<String, Value>,
    },
}

/// What a parameter is set to; `None` gives it back to AWS.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Value {
    pub kind: Kind,
    pub setting: Option<Setting>,
}

/// The ARNs of standards are looked up by the role that writes.
pub const ASSOCIATE: Call = Call::needing(
    "securityhub:BatchUpdateStandardsControlAssociations",
    &[
        "securityhub:BatchUpdateStandardsControlAssociations",
        "securityhub:GetEnabledStandards",
        "securityhub:UpdateStandardsControl",
    ],
);
pub const UPDATE: Call = Call::needing(
    "securityhub:UpdateSecurityControl",
    &["securityhub:UpdateSecurityControl", "securityhub:UpdateStandardsControl"],
)
.shows_within(600);

impl AwsWrite for Write {
    fn call(&self) -> &'static Call {
        match self {
            Self::Associate { .. } => const { &ASSOCIATE },
            Self::Parameters { .. } => const { &UPDATE },
        }
    }
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Associate { control, standards, enabled, .. } => {
                let standards: Vec<String> = standards.iter().map(ToString::to_string).collect();
                let word = if *enabled { "on" } else { "off" };
                write!(f, "turn {control} {word} in {}", standards.join(", "))
            }
            Self::Parameters { control, .. } => write!(f, "set the parameters of {control}"),
        }
    }
}

impl Write {
    pub async fn send(&self, client: &Client) -> Result<(), Fault> {
        match self {
            Self::Associate { control, standards, enabled, reason } => {
                associate(client, control, standards, *enabled, reason.as_deref()).await
            }
            Self::Parameters { control, parameters } => {
                let parameters = parameters
                    .iter()
                    .map(|(name, value)| Ok((name.clone(), value.configuration(control, name)?)))
                    .collect::<Result<_, Fault>>()?;
                client
                    .update_security_control()
                    .security_control_id(control)
                    .set_parameters(Some(parameters))
                    .send()
                    .await
                    .map_err(|error| not_yet(fault(UPDATE.operation)(error)))?;
                Ok(())
            }
        }
    }
}

/// A control whose last parameters AWS is still putting in place refuses others until it has.
fn not_yet(fault: Fault) -> Fault {
    if fault.code.contains("ResourceInUse") { Fault { kind: FaultKind::NotReady, ..fault } } else { fault }
}

impl Value {
    fn configuration(&self, control: &str, name: &str) -> Result<ParameterConfiguration, Fault> {
        let Some(setting) = &self.setting else {
            return Ok(ParameterConfiguration::builder().value_type(ParameterValueType::Default).build());
        };
        let value = self.kind.value(setting).ok_or_else(|| {
            let message = format!("{name} of {control} takes {}", self.kind.word());
            Fault::local(FaultKind::Invalid, UPDATE.operation, message)
        })?;
        Ok(ParameterConfiguration::builder().value_type(ParameterValueType::Custom).value(value).build())
    }
}

/// Each answer tells which updates AWS did not take: any is a failure of the whole.
async fn associate(
    client: &Client,
    control: &str,
    standards: &BTreeSet<Standard>,
    enabled: bool,
    reason: Option<&str>,
) -> Result<(), Fault> {
    let told = securityhub::read_enabled_standards(client).await?.unwrap_or_default();
    let on = read::on(&told);
    let mut updates = Vec::with_capacity(standards.len());
    for standard in standards {
        let found = on.iter().find(|one| one.standard == *standard).ok_or_else(|| {
            let message = format!("{standard} is not on any more");
            Fault::local(FaultKind::NotFound, ASSOCIATE.operation, message)
        })?;
        let status = if enabled { AssociationStatus::Enabled } else { AssociationStatus::Disabled };
        updates.push(
            StandardsControlAssociationUpdate::builder()
                .security_control_id(control)
                .standards_arn(&found.arn)
                .association_status(status)
                .set_updated_reason(reason.map(str::to_owned))
                .build(),
        );
    }
    for batch in updates.chunks(BATCH) {
        let answer = client
            .batch_update_standards_control_associations()
            .set_standards_control_association_updates(Some(batch.to_vec()))
            .send()
            .await
            .map_err(fault(ASSOCIATE.operation))?;
        if let Some(first) = answer.unprocessed_association_updates().first() {
            let fault = read::unprocessed(ASSOCIATE.operation, first.error_code(), first.error_reason());
            let arn = first.standards_control_association_update().and_then(|update| update.standards_arn());
            let place = on.iter().find(|one| Some(one.arn.as_str()) == arn);
            let place = place.map_or_else(String::new, |one| format!(" in {}", one.standard));
            return Err(Fault { message: format!("{control}{place}: {}", fault.message), ..fault });
        }
    }
    Ok(())
}
