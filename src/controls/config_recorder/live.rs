//! What AWS Config says of its recorder, its delivery channel and its retention.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_config::types::{ConfigurationRecorder, DeliveryStatus, RecordingGroup, RecordingStrategyType};
use serde::{Deserialize, Serialize};

use super::spec::{Frequency, IAM};
use crate::aws::{Reader, fault};
use crate::fault::{Fault, FaultKind};

/// What is looked at beside the recorder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ask {
    /// Whether deliveries arrive, only where a delivery is declared.
    pub deliveries: bool,
    pub retention: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Observed {
    /// The account's own; a recorder of a service is none of ours.
    pub recorder: Option<Recorder>,
    pub channel: Option<Channel>,
    /// Days; `None` where nobody set them, or nobody asked.
    pub retention_days: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Recorder {
    pub name: String,
    pub role_arn: String,
    pub types: Types,
    pub frequency: Frequency,
    /// Types with a frequency of their own.
    pub overrides: BTreeMap<String, Frequency>,
    pub recording: bool,
    /// As AWS says it: `SUCCESS`.
    pub status: String,
    /// Code and message of what went wrong last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Which types are recorded, by what it means: AWS has two ways to say all, and three to leave IAM out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Types {
    /// All but these; and IAM's, or not.
    All {
        exclude: BTreeSet<String>,
        iam: bool,
    },
    Only(BTreeSet<String>),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Channel {
    pub name: String,
    pub bucket: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_arn: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic_arn: Option<String>,
    /// As AWS says it: `TwentyFour_Hours`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshots: Option<String>,
    /// What did not arrive, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<(String, String)>,
}

impl Recorder {
    pub fn frequency_of(&self, name: &str) -> Frequency {
        self.overrides.get(name).copied().unwrap_or(self.frequency)
    }
}

fn names(types: &[aws_sdk_config::types::ResourceType]) -> BTreeSet<String> {
    types.iter().map(|one| one.as_str().to_owned()).collect()
}

impl Types {
    /// All but these, with IAM's or not. Who excludes all of IAM's records none of them.
    pub fn all_but(mut exclude: BTreeSet<String>, iam: bool) -> Self {
        let iam = iam && !IAM.iter().all(|name| exclude.contains(*name));
        if !iam {
            exclude.retain(|name| !IAM.contains(&name.as_str()));
        }
        Self::All { exclude, iam }
    }

    /// `includeGlobalResourceTypes` counts only beside all types; with exclusions IAM's types are recorded unless
    /// they are excluded by name (API reference, RecordingGroup).
    fn of(group: Option<&RecordingGroup>) -> Result<Self, String> {
        let Some(group) = group else { return Ok(Self::All { exclude: BTreeSet::new(), iam: false }) };
        let strategy = group.recording_strategy().and_then(|strategy| strategy.use_only());
        match strategy {
            Some(RecordingStrategyType::ExclusionByResourceTypes) => {
                let excluded = group.exclusion_by_resource_types();
                Ok(Self::all_but(names(excluded.map_or(&[], |by| by.resource_types())), true))
            }
            Some(RecordingStrategyType::AllSupportedResourceTypes) => Ok(Self::all(group)),
            None if group.all_supported() => Ok(Self::all(group)),
            None | Some(RecordingStrategyType::InclusionByResourceTypes) => {
                Ok(Self::Only(names(group.resource_types())))
            }
            Some(other) => Err(format!("`{}` is not a strategy that this build knows", other.as_str())),
        }
    }

    fn all(group: &RecordingGroup) -> Self {
        Self::All { exclude: BTreeSet::new(), iam: group.include_global_resource_types() }
    }
}

const RECORDERS: &str = "config:DescribeConfigurationRecorders";
const STATUS: &str = "config:DescribeConfigurationRecorderStatus";
const CHANNELS: &str = "config:DescribeDeliveryChannels";
const DELIVERIES: &str = "config:DescribeDeliveryChannelStatus";
const RETENTION: &str = "config:DescribeRetentionConfigurations";

pub async fn read(aws: &Reader, ask: Ask) -> Result<Observed, Fault> {
    let retention = async { if ask.retention { read_retention(aws).await } else { Ok(None) } };
    let (recorder, channel, retention_days) =
        futures::try_join!(read_recorder(aws), read_channel(aws, ask.deliveries), retention)?;
    Ok(Observed { recorder, channel, retention_days })
}

/// The account's own recorder as AWS tells it.
pub async fn own(client: &aws_sdk_config::Client) -> Result<Option<ConfigurationRecorder>, Fault> {
    let answer = client.describe_configuration_recorders().send().await.map_err(fault(RECORDERS))?;
    Ok(answer.configuration_recorders.into_iter().flatten().find(|one| one.service_principal.is_none()))
}

async fn read_recorder(aws: &Reader) -> Result<Option<Recorder>, Fault> {
    let client = aws.config();
    let status =
        async { client.describe_configuration_recorder_status().send().await.map_err(fault(STATUS)) };
    let (recorder, status) = futures::try_join!(own(&client), status)?;
    let Some(recorder) = recorder else { return Ok(None) };
    let unknown = |message: String| Fault::local(FaultKind::Invalid, RECORDERS, message);
    let frequency = |word: &str| {
        Frequency::of(word)
            .ok_or_else(|| unknown(format!("`{word}` is not a frequency that this build knows")))
    };
    let mode = recorder.recording_mode.as_ref();
    let mut overrides = BTreeMap::new();
    for one in mode.map_or(&[][..], |mode| mode.recording_mode_overrides()) {
        let of = frequency(one.recording_frequency().as_str())?;
        overrides.extend(names(one.resource_types()).into_iter().map(|name| (name, of)));
    }
    let name = recorder.name.unwrap_or_default();
    let mut all = status.configuration_recorders_status.into_iter().flatten();
    // Between the two answers a recorder may have been made: one without a status does not record.
    let status = all.find(|one| one.service_principal.is_none() && one.name.as_deref() == Some(&name));
    let error = status.as_ref().and_then(|status| told(&status.last_error_code, &status.last_error_message));
    Ok(Some(Recorder {
        role_arn: recorder.role_arn.unwrap_or_default(),
        types: Types::of(recorder.recording_group.as_ref()).map_err(unknown)?,
        frequency: mode
            .map_or(Ok(Frequency::Continuous), |mode| frequency(mode.recording_frequency.as_str()))?,
        overrides,
        recording: status.as_ref().is_some_and(|status| status.recording),
        status: status
            .and_then(|status| status.last_status)
            .map_or_else(String::new, |s| s.as_str().to_owned()),
        error,
        name,
    }))
}

/// `AccessDenied: it is denied`, or as much of it as there is.
fn told(code: &Option<String>, message: &Option<String>) -> Option<String> {
    match (code, message) {
        (Some(code), Some(message)) => Some(format!("{code}: {message}")),
        (one, other) => one.clone().or_else(|| other.clone()),
    }
}

/// The region's delivery channel as AWS tells it. There is never a second one (API reference, PutDeliveryChannel).
pub async fn channel(
    client: &aws_sdk_config::Client,
) -> Result<Option<aws_sdk_config::types::DeliveryChannel>, Fault> {
    let answer = client.describe_delivery_channels().send().await.map_err(fault(CHANNELS))?;
    Ok(answer.delivery_channels.into_iter().flatten().next())
}

async fn read_channel(aws: &Reader, deliveries: bool) -> Result<Option<Channel>, Fault> {
    let client = aws.config();
    let failures = async { if deliveries { read_failures(&client).await } else { Ok(Vec::new()) } };
    let (channel, failures) = futures::try_join!(channel(&client), failures)?;
    Ok(channel.map(|channel| Channel {
        name: channel.name.unwrap_or_default(),
        bucket: channel.s3_bucket_name.unwrap_or_default(),
        prefix: channel.s3_key_prefix.filter(|prefix| !prefix.is_empty()),
        key_arn: channel.s3_kms_key_arn.filter(|arn| !arn.is_empty()),
        topic_arn: channel.sns_topic_arn.filter(|arn| !arn.is_empty()),
        snapshots: channel
            .config_snapshot_delivery_properties
            .and_then(|properties| properties.delivery_frequency)
            .map(|frequency| frequency.as_str().to_owned()),
        failures,
    }))
}

/// What did not arrive the last time. Without a channel there is nothing to tell.
async fn read_failures(client: &aws_sdk_config::Client) -> Result<Vec<(String, String)>, Fault> {
    let answer = client.describe_delivery_channel_status().send().await.map_err(fault(DELIVERIES))?;
    let mut failures = Vec::new();
    let mut say =
        |what: &str, status: Option<&DeliveryStatus>, code: &Option<String>, why: &Option<String>| {
            // The model has `Failure`, and what comes over the wire is `FAILURE`.
            if status.is_some_and(|status| status.as_str().eq_ignore_ascii_case("failure")) {
                let why = told(code, why).unwrap_or_else(|| "AWS Config gives no reason".to_owned());
                failures.push((what.to_owned(), why));
            }
        };
    for one in answer.delivery_channels_status.iter().flatten() {
        for (what, info) in [
            ("history", &one.config_history_delivery_info),
            ("snapshots", &one.config_snapshot_delivery_info),
        ] {
            if let Some(info) = info {
                say(what, info.last_status(), &info.last_error_code, &info.last_error_message);
            }
        }
        if let Some(info) = &one.config_stream_delivery_info {
            say("topic", info.last_status(), &info.last_error_code, &info.last_error_message);
        }
    }
    Ok(failures)
}

async fn read_retention(aws: &Reader) -> Result<Option<u32>, Fault> {
    let mut pages = aws.config().describe_retention_configurations().into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(fault(RETENTION))?;
        if let Some(one) = page.retention_configurations.into_iter().flatten().next() {
            return Ok(u32::try_from(one.retention_period_in_days).ok());
        }
    }
    Ok(None)
}
