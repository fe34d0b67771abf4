//! The writes: in names, with ids looked up when they run.

use std::collections::BTreeMap;
use std::fmt;

use aws_sdk_guardduty::types::{
    DestinationProperties, DestinationType, DetectorAdditionalConfiguration, DetectorFeature,
    DetectorFeatureConfiguration, FeatureAdditionalConfiguration, FeatureStatus, FindingPublishingFrequency,
};
use serde::{Deserialize, Serialize};

use super::spec::{Frequency, RUNTIME};
use crate::aws::{Writer, fault};
use crate::control::{AwsWrite, Call, Known, Thing};
use crate::fault::{Fault, FaultKind};
use crate::place::AccountId;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Write {
    CreateDetector { settings: Settings, tags: BTreeMap<String, String> },
    UpdateDetector { settings: Settings },
    CreateDestination { to: Place, tags: BTreeMap<String, String> },
    UpdateDestination { from: String, to: Place },
}

/// What is sent of a detector; what is left out stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frequency: Option<Frequency>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub features: BTreeMap<String, bool>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub agents: BTreeMap<String, bool>,
}

/// Where findings are exported to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Place {
    pub bucket: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// Sent along, so that a bucket of the same name in strange hands gets nothing.
    pub owner: AccountId,
    pub key: Thing,
}

/// The first detector of an account makes GuardDuty's service-linked role.
pub const CREATE_DETECTOR: Call = Call::needing(
    "guardduty:CreateDetector",
    &["guardduty:CreateDetector", "guardduty:TagResource", "iam:CreateServiceLinkedRole"],
);
/// The detector's id is looked up by the role that writes. Malware protection has a service-linked role of its own,
/// which whoever switches it on first may have to be allowed to make (User Guide, "Service-linked role permissions for
/// Malware Protection for EC2"; `AmazonGuardDutyFullAccess` allows it for both).
pub const UPDATE_DETECTOR: Call = Call::needing(
    "guardduty:UpdateDetector",
    &["guardduty:UpdateDetector", "guardduty:ListDetectors", "iam:CreateServiceLinkedRole"],
);
pub const CREATE_DESTINATION: Call = Call::needing(
    "guardduty:CreatePublishingDestination",
    &[
        "guardduty:CreatePublishingDestination",
        "guardduty:ListDetectors",
        "guardduty:TagResource",
        "s3:GetObject",
        "s3:ListBucket",
    ],
);
pub const UPDATE_DESTINATION: Call = Call::needing(
    "guardduty:UpdatePublishingDestination",
    &[
        "guardduty:UpdatePublishingDestination",
        "guardduty:DescribePublishingDestination",
        "guardduty:ListDetectors",
        "guardduty:ListPublishingDestinations",
        "s3:GetObject",
        "s3:ListBucket",
    ],
);

impl AwsWrite for Write {
    fn call(&self) -> &'static Call {
        match self {
            Self::CreateDetector { .. } => const { &CREATE_DETECTOR },
            Self::UpdateDetector { .. } => const { &UPDATE_DETECTOR },
            Self::CreateDestination { .. } => const { &CREATE_DESTINATION },
            Self::UpdateDestination { .. } => const { &UPDATE_DESTINATION },
        }
    }
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CreateDetector { .. } => f.write_str("create the detector"),
            Self::UpdateDetector { .. } => f.write_str("update the detector"),
            Self::CreateDestination { to, .. } => write!(f, "export findings to bucket {}", to.bucket),
            Self::UpdateDestination { from, to } if *from == to.bucket => {
                write!(f, "set up the export of findings to bucket {} again", to.bucket)
            }
            Self::UpdateDestination { from, to } => {
                write!(f, "export findings to bucket {} instead of {from}", to.bucket)
            }
        }
    }
}

fn status(on: bool) -> FeatureStatus {
    if on { FeatureStatus::Enabled } else { FeatureStatus::Disabled }
}

impl Settings {
    fn frequency(&self) -> Option<FindingPublishingFrequency> {
        self.frequency.map(|frequency| FindingPublishingFrequency::from(frequency.word()))
    }

    /// `None` rather than an empty list.
    fn features(&self) -> Option<Vec<DetectorFeatureConfiguration>> {
        let agents: Vec<DetectorAdditionalConfiguration> = self
            .agents
            .iter()
            .map(|(name, on)| {
                DetectorAdditionalConfiguration::builder()
                    .name(FeatureAdditionalConfiguration::from(name.as_str()))
                    .status(status(*on))
                    .build()
            })
            .collect();
        let feature = |(name, on): (&String, &bool)| {
            DetectorFeatureConfiguration::builder()
                .name(DetectorFeature::from(name.as_str()))
                .status(status(*on))
                .set_additional_configuration((name == RUNTIME && !agents.is_empty()).then(|| agents.clone()))
                .build()
        };
        (!self.features.is_empty()).then(|| self.features.iter().map(feature).collect())
    }
}

impl Place {
    fn properties(&self, aws: &Writer, known: &Known) -> Result<DestinationProperties, Fault> {
        let key = known.arn(&self.key).ok_or_else(|| {
            let message = format!("{} is not there", self.key);
            Fault::local(FaultKind::NotFound, CREATE_DESTINATION.operation, message)
        })?;
        let folder = self.folder.as_ref().map_or_else(String::new, |folder| format!("/{folder}/"));
        let partition = aws.scope.region.partition();
        Ok(DestinationProperties::builder()
            .destination_arn(format!("arn:{partition}:s3:::{}{folder}", self.bucket))
            .kms_key_arn(key)
            .expected_bucket_owner(self.owner.as_str())
            .build())
    }
}

async fn detector_id(aws: &Writer) -> Result<String, Fault> {
    let answer = aws.guardduty().list_detectors().send().await.map_err(fault("guardduty:ListDetectors"))?;
    answer.detector_ids.unwrap_or_default().into_iter().next().ok_or_else(|| {
        Fault::local(FaultKind::NotFound, "guardduty:ListDetectors", "there is no detector in this region")
    })
}

/// The destination that exports to this bucket.
async fn destination_id(aws: &Writer, detector: &str, bucket: &str) -> Result<String, Fault> {
    let mut pages =
        aws.guardduty().list_publishing_destinations().detector_id(detector).into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(fault("guardduty:ListPublishingDestinations"))?;
        for id in page.destinations.unwrap_or_default().into_iter().filter_map(|d| d.destination_id) {
            let described = aws
                .guardduty()
                .describe_publishing_destination()
                .detector_id(detector)
                .destination_id(&id)
                .send()
                .await
                .map_err(fault("guardduty:DescribePublishingDestination"))?;
            let arn = described.destination_properties.and_then(|properties| properties.destination_arn);
            if arn.is_some_and(|arn| super::live::Destination::place(&arn).0 == bucket) {
                return Ok(id);
            }
        }
    }
    let message = format!("no destination exports to bucket {bucket} any more");
    Err(Fault::local(FaultKind::NotFound, "guardduty:ListPublishingDestinations", message))
}

impl Write {
    pub async fn send(&self, aws: &Writer, known: &Known) -> Result<(), Fault> {
        let guardduty = aws.guardduty();
        match self {
            Self::CreateDetector { settings, tags } => {
                guardduty
                    .create_detector()
                    .set_enable(settings.enabled)
                    .set_finding_publishing_frequency(settings.frequency())
                    .set_features(settings.features())
                    .set_tags(some_tags(tags))
                    .send()
                    .await
                    .map_err(fault(CREATE_DETECTOR.operation))?;
            }
            Self::UpdateDetector { settings } => {
                guardduty
                    .update_detector()
                    .detector_id(detector_id(aws).await?)
                    .set_enable(settings.enabled)
                    .set_finding_publishing_frequency(settings.frequency())
                    .set_features(settings.features())
                    .send()
                    .await
                    .map_err(fault(UPDATE_DETECTOR.operation))?;
            }
            Self::CreateDestination { to, tags } => {
                guardduty
                    .create_publishing_destination()
                    .detector_id(detector_id(aws).await?)
                    .destination_type(DestinationType::S3)
                    .destination_properties(to.properties(aws, known)?)
                    .set_tags(some_tags(tags))
                    .send()
                    .await
                    .map_err(fault(CREATE_DESTINATION.operation))?;
            }
            Self::UpdateDestination { from, to } => {
                let detector = detector_id(aws).await?;
                let destination = destination_id(aws, &detector, from).await?;
                guardduty
                    .update_publishing_destination()
                    .detector_id(detector)
                    .destination_id(destination)
                    .destination_properties(to.properties(aws, known)?)
                    .send()
                    .await
                    .map_err(fault(UPDATE_DESTINATION.operation))?;
            }
        }
        Ok(())
    }
}

/// `None` rather than an empty map.
fn some_tags(tags: &BTreeMap<String, String>) -> Option<std::collections::HashMap<String, String>> {
    (!tags.is_empty()).then(|| tags.clone().into_iter().collect())
}
