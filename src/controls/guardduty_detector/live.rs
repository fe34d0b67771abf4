//! What GuardDuty says of a detector.

use std::collections::BTreeMap;

use aws_sdk_guardduty::types::{DestinationType, DetectorStatus, FeatureStatus};
use futures::future::try_join_all;
use serde::{Deserialize, Serialize};

use super::spec::{READ_ONLY, RUNTIME};
use crate::aws::{Reader, fault};
use crate::fault::Fault;

/// A detector without its id, which nobody but the next call wants.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Detector {
    pub enabled: bool,
    /// As AWS says it.
    pub frequency: String,
    /// All that can be set, by name.
    pub features: BTreeMap<String, Feature>,
    /// The additional configuration of `RUNTIME_MONITORING`.
    pub agents: BTreeMap<String, Feature>,
    /// The account that administers this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub administrator: Option<String>,
    /// `None` where it was not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destinations: Option<Vec<Destination>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Feature {
    pub on: bool,
    /// `GUARDDUTY_POLICY`, where a policy of the organisation sets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub managed_by: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Destination {
    pub bucket: String,
    /// The folder in the bucket, without slashes at its ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    pub key_arn: String,
    /// As AWS says it: `PUBLISHING`.
    pub status: String,
}

impl Destination {
    /// `arn:aws:s3:::bucket/folder/` taken apart.
    pub fn place(arn: &str) -> (String, Option<String>) {
        let path = arn.splitn(6, ':').last().unwrap_or_default();
        match path.trim_matches('/').split_once('/') {
            Some((bucket, folder)) => (bucket.to_owned(), Some(folder.to_owned())),
            None => (path.trim_matches('/').to_owned(), None),
        }
    }
}

fn is_on(status: Option<&FeatureStatus>) -> bool {
    status == Some(&FeatureStatus::Enabled)
}

/// The region's detector; `None` where there is none. There is never a second one (API reference,
/// `CreateDetector`).
pub async fn read(aws: &Reader, destinations: bool) -> Result<Option<Detector>, Fault> {
    let ids = aws.guardduty().list_detectors().send().await.map_err(fault("guardduty:ListDetectors"))?;
    let Some(id) = ids.detector_ids.unwrap_or_default().into_iter().next() else { return Ok(None) };
    let destinations =
        async { if destinations { read_destinations(aws, &id).await.map(Some) } else { Ok(None) } };
    let (detector, administrator, destinations) =
        futures::try_join!(read_detector(aws, &id), read_administrator(aws, &id), destinations)?;
    Ok(Some(Detector { administrator, destinations, ..detector }))
}

async fn read_detector(aws: &Reader, id: &str) -> Result<Detector, Fault> {
    let answer = aws
        .guardduty()
        .get_detector()
        .detector_id(id)
        .send()
        .await
        .map_err(fault("guardduty:GetDetector"))?;
    let mut detector = Detector {
        enabled: answer.status == Some(DetectorStatus::Enabled),
        frequency: answer.finding_publishing_frequency.map_or_else(String::new, |f| f.as_str().to_owned()),
        ..Detector::default()
    };
    for feature in answer.features.unwrap_or_default() {
        let Some(name) = feature.name.filter(|name| !READ_ONLY.contains(&name.as_str())) else { continue };
        if name.as_str() == RUNTIME {
            for agent in feature.additional_configuration.unwrap_or_default() {
                let Some(name) = agent.name else { continue };
                let managed_by = agent.managed_by.map(|by| by.as_str().to_owned());
                let live = Feature { on: is_on(agent.status.as_ref()), managed_by };
                detector.agents.insert(name.as_str().to_owned(), live);
            }
        }
        let managed_by = feature.managed_by.map(|by| by.as_str().to_owned());
        let live = Feature { on: is_on(feature.status.as_ref()), managed_by };
        detector.features.insert(name.as_str().to_owned(), live);
    }
    Ok(detector)
}

/// The administrator and an account on its own get an answer without content.
async fn read_administrator(aws: &Reader, id: &str) -> Result<Option<String>, Fault> {
    let answer = aws
        .guardduty()
        .get_administrator_account()
        .detector_id(id)
        .send()
        .await
        .map_err(fault("guardduty:GetAdministratorAccount"))?;
    let administrator = answer.administrator.filter(|a| a.relationship_status.as_deref() == Some("Enabled"));
    Ok(administrator.and_then(|administrator| administrator.account_id))
}

async fn read_destinations(aws: &Reader, id: &str) -> Result<Vec<Destination>, Fault> {
    let mut pages = aws.guardduty().list_publishing_destinations().detector_id(id).into_paginator().send();
    let mut ids = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(fault("guardduty:ListPublishingDestinations"))?;
        ids.extend(page.destinations.unwrap_or_default().into_iter().filter_map(|destination| {
            destination.destination_id.filter(|_| destination.destination_type == Some(DestinationType::S3))
        }));
    }
    let mut found =
        try_join_all(ids.iter().map(|destination| read_destination(aws, id, destination))).await?;
    found.sort_by(|a, b| a.bucket.cmp(&b.bucket));
    Ok(found)
}

async fn read_destination(aws: &Reader, detector: &str, id: &str) -> Result<Destination, Fault> {
    let answer = aws
        .guardduty()
        .describe_publishing_destination()
        .detector_id(detector)
        .destination_id(id)
        .send()
        .await
        .map_err(fault("guardduty:DescribePublishingDestination"))?;
    let (arn, key_arn) = answer
        .destination_properties
        .map(|p| (p.destination_arn.unwrap_or_default(), p.kms_key_arn.unwrap_or_default()))
        .unwrap_or_default();
    let (bucket, folder) = Destination::place(&arn);
    let status = answer.status.map_or_else(String::new, |status| status.as_str().to_owned());
    Ok(Destination { bucket, folder, key_arn, status })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destination_is_a_bucket_and_perhaps_a_folder() {
        assert_eq!(Destination::place("arn:aws:s3:::logs"), ("logs".into(), None));
        assert_eq!(Destination::place("arn:aws-cn:s3:::logs/"), ("logs".into(), None));
        assert_eq!(Destination::place("arn:aws:s3:::logs/a/b/"), ("logs".into(), Some("a/b".into())));
    }
}
