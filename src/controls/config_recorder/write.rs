//! The writes: in names, with ARNs looked up when they run.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use aws_sdk_config::types::{
    ConfigSnapshotDeliveryProperties, ConfigurationRecorder, DeliveryChannel, ExclusionByResourceTypes,
    MaximumExecutionFrequency, RecordingFrequency, RecordingGroup, RecordingMode, RecordingModeOverride,
    RecordingStrategy, RecordingStrategyType, ResourceType, Tag,
};
use aws_smithy_types::error::operation::BuildError;
use serde::{Deserialize, Serialize};

use super::live::{self, Types};
use super::spec::{Frequency, IAM};
use crate::aws::{Writer, fault};
use crate::control::{AwsWrite, Call, Extent, Known, Thing};
use crate::fault::{Fault, FaultKind};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Write {
    /// AWS Config's own role, unless it is there.
    CreateRole,
    PutRecorder {
        settings: Settings,
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        tags: BTreeMap<String, String>,
    },
    PutChannel {
        place: Place,
    },
    Start {
        recorder: String,
    },
    Stop {
        recorder: String,
    },
    PutRetention {
        days: u32,
    },
}

/// A recorder, whole: the call replaces what it does not name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    pub name: String,
    /// With AWS Config's own role; otherwise with the one that the recorder has.
    pub service_linked: bool,
    pub types: Types,
    pub frequency: Frequency,
    /// The types with the other frequency.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub others: BTreeSet<String>,
}

/// Where is delivered to, whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Place {
    pub name: String,
    pub bucket: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    pub key: Key,
    pub topic: Topic,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshots: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Key {
    AsItIs,
    Of(Thing),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Topic {
    AsItIs,
    None,
    /// Of the account and region that the channel is in, so that one plan is true of all of them.
    Of(String),
}

/// It is looked up first, and made only where it is missing: by the first region that needs it.
pub const CREATE_ROLE: Call =
    Call::needing("iam:CreateServiceLinkedRole", &["iam:CreateServiceLinkedRole", "iam:GetRole"])
        .reaching(Extent::Account);
pub const PUT_RECORDER: Call = Call::needing(
    "config:PutConfigurationRecorder",
    &[
        "config:PutConfigurationRecorder",
        "config:DescribeConfigurationRecorders",
        "config:TagResource",
        "iam:PassRole",
    ],
);
pub const PUT_CHANNEL: Call = Call::needing(
    "config:PutDeliveryChannel",
    &["config:PutDeliveryChannel", "config:DescribeDeliveryChannels"],
);
pub const START: Call = Call::new("config:StartConfigurationRecorder");
pub const STOP: Call = Call::new("config:StopConfigurationRecorder");
pub const PUT_RETENTION: Call = Call::new("config:PutRetentionConfiguration");

/// The service whose role it is.
const SERVICE: &str = "config.amazonaws.com";
const ROLE: &str = "AWSServiceRoleForConfig";

impl AwsWrite for Write {
    fn call(&self) -> &'static Call {
        match self {
            Self::CreateRole => const { &CREATE_ROLE },
            Self::PutRecorder { .. } => const { &PUT_RECORDER },
            Self::PutChannel { .. } => const { &PUT_CHANNEL },
            Self::Start { .. } => const { &START },
            Self::Stop { .. } => const { &STOP },
            Self::PutRetention { .. } => const { &PUT_RETENTION },
        }
    }
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CreateRole => f.write_str("make the service-linked role of AWS Config, unless it is there"),
            Self::PutRecorder { settings, .. } => write!(f, "set up the recorder {}", settings.name),
            Self::PutChannel { place } => write!(f, "deliver to bucket {}", place.bucket),
            Self::Start { recorder } => write!(f, "start the recorder {recorder}"),
            Self::Stop { recorder } => write!(f, "stop the recorder {recorder}"),
            Self::PutRetention { days } => write!(f, "keep history for {days} days"),
        }
    }
}

impl Settings {
    pub fn other_frequency(&self) -> Frequency {
        match self.frequency {
            Frequency::Continuous => Frequency::Daily,
            Frequency::Daily => Frequency::Continuous,
        }
    }

    fn mode(&self) -> Result<RecordingMode, BuildError> {
        let frequency = |of: Frequency| RecordingFrequency::from(of.word());
        let others = (!self.others.is_empty()).then(|| {
            RecordingModeOverride::builder()
                .set_resource_types(Some(types(&self.others)))
                .recording_frequency(frequency(self.other_frequency()))
                .build()
        });
        RecordingMode::builder()
            .recording_frequency(frequency(self.frequency))
            .set_recording_mode_overrides(others.transpose()?.map(|one| vec![one]))
            .build()
    }
}

fn types(names: &BTreeSet<String>) -> Vec<ResourceType> {
    names.iter().map(|name| ResourceType::from(name.as_str())).collect()
}

impl Types {
    fn group(&self) -> RecordingGroup {
        let strategy = |one| RecordingStrategy::builder().use_only(one).build();
        let group = RecordingGroup::builder();
        match self {
            Self::All { exclude, iam } if exclude.is_empty() => group
                .all_supported(true)
                .include_global_resource_types(*iam)
                .recording_strategy(strategy(RecordingStrategyType::AllSupportedResourceTypes)),
            Self::All { exclude, iam } => {
                let iam = IAM.iter().filter(|_| !iam).map(|name| (*name).to_owned());
                let all: BTreeSet<String> = exclude.iter().cloned().chain(iam).collect();
                group
                    .all_supported(false)
                    .include_global_resource_types(false)
                    .exclusion_by_resource_types(
                        ExclusionByResourceTypes::builder().set_resource_types(Some(types(&all))).build(),
                    )
                    .recording_strategy(strategy(RecordingStrategyType::ExclusionByResourceTypes))
            }
            Self::Only(only) => group
                .all_supported(false)
                .include_global_resource_types(false)
                .set_resource_types(Some(types(only)))
                .recording_strategy(strategy(RecordingStrategyType::InclusionByResourceTypes)),
        }
        .build()
    }
}

/// The role's ARN, `None` where IAM does not show it. It has one path in every account.
async fn role_arn(aws: &Writer) -> Result<Option<String>, Fault> {
    match aws.iam().get_role().role_name(ROLE).send().await {
        Ok(answer) => Ok(answer.role.map(|role| role.arn)),
        Err(error) if error.as_service_error().is_some_and(|e| e.is_no_such_entity_exception()) => Ok(None),
        Err(error) => Err(fault("iam:GetRole")(error)),
    }
}

/// Another region of the account may make it at the same moment: that is as good as making it.
async fn create_role(aws: &Writer) -> Result<(), Fault> {
    if role_arn(aws).await?.is_some() {
        return Ok(());
    }
    let made = aws.iam().create_service_linked_role().aws_service_name(SERVICE).send().await;
    match made.map_err(fault(CREATE_ROLE.operation)) {
        Ok(_) => Ok(()),
        Err(fault) if fault.message.contains("has been taken") => Ok(()),
        Err(fault) => Err(fault),
    }
}

fn built<T>(built: Result<T, BuildError>) -> Result<T, Fault> {
    built.map_err(|error| Fault::local(FaultKind::Invalid, PUT_RECORDER.operation, error.to_string()))
}

fn arn(known: &Known, thing: &Thing) -> Result<String, Fault> {
    let not_there =
        || Fault::local(FaultKind::NotFound, PUT_CHANNEL.operation, format!("{thing} is not there"));
    known.arn(thing).map(str::to_owned).ok_or_else(not_there)
}

async fn put_recorder(
    aws: &Writer,
    settings: &Settings,
    tags: &BTreeMap<String, String>,
) -> Result<(), Fault> {
    let config = aws.config();
    let role = if settings.service_linked {
        // One that was just made, and that IAM does not show to everybody yet, has no other ARN.
        let partition = aws.scope.region.partition();
        let account = &aws.scope.account;
        format!("arn:{partition}:iam::{account}:role/aws-service-role/{SERVICE}/{ROLE}")
    } else {
        live::own(&config).await?.and_then(|recorder| recorder.role_arn).unwrap_or_default()
    };
    let recorder = ConfigurationRecorder::builder()
        .name(&settings.name)
        .role_arn(role)
        .recording_group(settings.types.group())
        .recording_mode(built(settings.mode())?)
        .build();
    let tags = tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
    config
        .put_configuration_recorder()
        .configuration_recorder(recorder)
        .set_tags(Some(tags.collect::<Vec<_>>()).filter(|tags| !tags.is_empty()))
        .send()
        .await
        .map(drop)
        .map_err(fault(PUT_RECORDER.operation))
}

async fn put_channel(aws: &Writer, known: &Known, place: &Place) -> Result<(), Fault> {
    let config = aws.config();
    let keeps = place.key == Key::AsItIs || place.topic == Topic::AsItIs;
    let live = if keeps { live::channel(&config).await? } else { None };
    let key = match &place.key {
        Key::AsItIs => live.as_ref().and_then(|live| live.s3_kms_key_arn.clone()),
        Key::Of(key) => Some(arn(known, key)?),
    };
    let topic = match &place.topic {
        Topic::AsItIs => live.as_ref().and_then(|live| live.sns_topic_arn.clone()),
        Topic::None => None,
        Topic::Of(name) => {
            let (account, region) = (aws.scope.account.clone(), aws.scope.region.clone());
            Some(arn(known, &Thing::Topic { account, region, name: name.clone() })?)
        }
    };
    let snapshots = place.snapshots.as_deref().map(|word| {
        let frequency = MaximumExecutionFrequency::from(word);
        ConfigSnapshotDeliveryProperties::builder().delivery_frequency(frequency).build()
    });
    let channel = DeliveryChannel::builder()
        .name(&place.name)
        .s3_bucket_name(&place.bucket)
        .set_s3_key_prefix(place.prefix.clone())
        .set_s3_kms_key_arn(key)
        .set_sns_topic_arn(topic)
        .set_config_snapshot_delivery_properties(snapshots)
        .build();
    let sent = config.put_delivery_channel().delivery_channel(channel).send().await;
    sent.map(drop).map_err(fault(PUT_CHANNEL.operation))
}

impl Write {
    pub async fn send(&self, aws: &Writer, known: &Known) -> Result<(), Fault> {
        let config = aws.config();
        match self {
            Self::CreateRole => create_role(aws).await,
            Self::PutRecorder { settings, tags } => put_recorder(aws, settings, tags).await,
            Self::PutChannel { place } => put_channel(aws, known, place).await,
            Self::Start { recorder } => {
                let call = config.start_configuration_recorder().configuration_recorder_name(recorder);
                call.send().await.map(drop).map_err(fault(START.operation))
            }
            Self::Stop { recorder } => {
                let call = config.stop_configuration_recorder().configuration_recorder_name(recorder);
                call.send().await.map(drop).map_err(fault(STOP.operation))
            }
            Self::PutRetention { days } => {
                let days = i32::try_from(*days).unwrap_or(i32::MAX);
                let call = config.put_retention_configuration().retention_period_in_days(days);
                call.send().await.map(drop).map_err(fault(PUT_RETENTION.operation))
            }
        }
    }
}
