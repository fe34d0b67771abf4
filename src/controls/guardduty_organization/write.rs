//! The one write.

use std::collections::BTreeMap;
use std::fmt;

use aws_sdk_guardduty::types::{
    AutoEnableMembers, OrgFeature, OrgFeatureAdditionalConfiguration, OrgFeatureStatus,
    OrganizationAdditionalConfiguration, OrganizationFeatureConfiguration,
};
use serde::{Deserialize, Serialize};

use super::live::not_the_administrator;
use crate::aws::{Writer, fault};
use crate::control::{AwsWrite, Call};
use crate::fault::{Fault, FaultKind};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Write {
    Update { settings: Settings },
}

/// What is sent, in AWS's words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    pub members: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub features: BTreeMap<String, Feature>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Feature {
    pub mode: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub beneath: BTreeMap<String, String>,
}

impl Feature {
    pub fn of(mode: &str) -> Self {
        Self { mode: mode.to_owned(), beneath: BTreeMap::new() }
    }
}

/// The detector's id is looked up by the role that writes.
pub const UPDATE: Call = Call::needing(
    "guardduty:UpdateOrganizationConfiguration",
    &["guardduty:ListDetectors", "guardduty:UpdateOrganizationConfiguration"],
);

impl AwsWrite for Write {
    fn call(&self) -> &'static Call {
        const { &UPDATE }
    }
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("update what is enabled in the organisation's accounts")
    }
}

impl Settings {
    /// `None` rather than an empty list.
    fn features(&self) -> Option<Vec<OrganizationFeatureConfiguration>> {
        let feature = |(name, feature): (&String, &Feature)| {
            let beneath = feature.beneath.iter().map(|(name, mode)| {
                OrganizationAdditionalConfiguration::builder()
                    .name(OrgFeatureAdditionalConfiguration::from(name.as_str()))
                    .auto_enable(OrgFeatureStatus::from(mode.as_str()))
                    .build()
            });
            OrganizationFeatureConfiguration::builder()
                .name(OrgFeature::from(name.as_str()))
                .auto_enable(OrgFeatureStatus::from(feature.mode.as_str()))
                .set_additional_configuration((!feature.beneath.is_empty()).then(|| beneath.collect()))
                .build()
        };
        (!self.features.is_empty()).then(|| self.features.iter().map(feature).collect())
    }
}

impl Write {
    pub async fn send(&self, aws: &Writer) -> Result<(), Fault> {
        let Self::Update { settings } = self;
        let list = "guardduty:ListDetectors";
        let ids = aws.guardduty().list_detectors().send().await.map_err(fault(list))?;
        let id = ids.detector_ids.unwrap_or_default().into_iter().next();
        let id =
            id.ok_or_else(|| Fault::local(FaultKind::NotFound, list, "there is no detector in this region"))?;
        let call = aws
            .guardduty()
            .update_organization_configuration()
            .detector_id(id)
            .auto_enable_organization_members(AutoEnableMembers::from(settings.members.as_str()))
            .set_features(settings.features());
        call.send().await.map(drop).map_err(|error| {
            let fault = fault(UPDATE.operation)(error);
            // A new administrator is not one everywhere at once.
            let not_yet = fault.kind == FaultKind::Invalid && not_the_administrator(&fault.message);
            Fault { kind: if not_yet { FaultKind::NotReady } else { fault.kind }, ..fault }
        })
    }
}
