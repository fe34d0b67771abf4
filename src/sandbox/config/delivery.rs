//! The delivery channel: where history and snapshots go, and whether they get there.

use aws_sdk_config::operation::describe_delivery_channel_status::{
    DescribeDeliveryChannelStatusInput, DescribeDeliveryChannelStatusOutput,
};
use aws_sdk_config::operation::describe_delivery_channels::{
    DescribeDeliveryChannelsInput, DescribeDeliveryChannelsOutput,
};
use aws_sdk_config::operation::put_delivery_channel::{PutDeliveryChannelInput, PutDeliveryChannelOutput};
use aws_sdk_config::types::{
    ConfigExportDeliveryInfo, ConfigSnapshotDeliveryProperties, ConfigStreamDeliveryInfo, DeliveryChannel,
    DeliveryChannelStatus, DeliveryStatus, MaximumExecutionFrequency,
};

use super::super::operation::{Call, Refusal, length_within};
use super::super::policy::{self, Question, Who};
use super::{organization, refuse};

/// The delivery channel of a region.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Channel {
    pub name: String,
    pub bucket: String,
    pub prefix: Option<String>,
    pub key_arn: Option<String>,
    pub topic_arn: Option<String>,
    pub snapshots: Option<MaximumExecutionFrequency>,
    /// Code and message of the last delivery that failed.
    pub failure: Option<(String, String)>,
}

fn asked(call: &mut Call<'_>, names: &[String]) -> Result<Option<Channel>, Refusal> {
    let channel = call.here().config.channel.clone();
    if let Some(name) = names.iter().find(|name| channel.as_ref().is_none_or(|one| one.name != **name)) {
        let message = format!("Cannot find delivery channel with specified name '{name}'.");
        return Err(refuse("NoSuchDeliveryChannelException", message));
    }
    Ok(channel)
}

/// DescribeDeliveryChannels.
pub(in crate::sandbox) fn describe(
    call: &mut Call<'_>,
    input: &DescribeDeliveryChannelsInput,
) -> Result<DescribeDeliveryChannelsOutput, Refusal> {
    let told = asked(call, input.delivery_channel_names())?.map(|channel| {
        let snapshots = channel.snapshots.map(|frequency| {
            ConfigSnapshotDeliveryProperties::builder().delivery_frequency(frequency).build()
        });
        DeliveryChannel::builder()
            .name(channel.name)
            .s3_bucket_name(channel.bucket)
            .set_s3_key_prefix(channel.prefix)
            .set_s3_kms_key_arn(channel.key_arn)
            .set_sns_topic_arn(channel.topic_arn)
            .set_config_snapshot_delivery_properties(snapshots)
            .build()
    });
    Ok(DescribeDeliveryChannelsOutput::builder()
        .set_delivery_channels(Some(told.into_iter().collect()))
        .build())
}

/// DescribeDeliveryChannelStatus: nothing was delivered before the first time, and a topic that there is none of is
/// not applicable.
pub(in crate::sandbox) fn status(
    call: &mut Call<'_>,
    input: &DescribeDeliveryChannelStatusInput,
) -> Result<DescribeDeliveryChannelStatusOutput, Refusal> {
    let told = asked(call, input.delivery_channel_names())?.map(|channel| {
        let status =
            if channel.failure.is_some() { DeliveryStatus::Failure } else { DeliveryStatus::Success };
        let history = ConfigExportDeliveryInfo::builder()
            .last_status(status)
            .set_last_error_code(channel.failure.as_ref().map(|(code, _)| code.clone()))
            .set_last_error_message(channel.failure.map(|(_, message)| message));
        let stream =
            if channel.topic_arn.is_some() { DeliveryStatus::Success } else { DeliveryStatus::NotApplicable };
        DeliveryChannelStatus::builder()
            .name(channel.name)
            .config_snapshot_delivery_info(ConfigExportDeliveryInfo::builder().build())
            .config_history_delivery_info(history.build())
            .config_stream_delivery_info(ConfigStreamDeliveryInfo::builder().last_status(stream).build())
            .build()
    });
    Ok(DescribeDeliveryChannelStatusOutput::builder()
        .set_delivery_channels_status(Some(told.into_iter().collect()))
        .build())
}

/// Developer Guide, "Permissions for the Amazon S3 bucket" and "Permissions for the KMS key": with the
/// service-linked role, the service principal reads the bucket's ACL, lists it and puts objects that it hands to the
/// bucket's owner; and it generates data keys.
fn may_deliver(call: &Call<'_>, channel: &Channel) -> Result<(), Refusal> {
    let name = &channel.bucket;
    let account = call.caller.account.as_str();
    let denied = || {
        let message = format!(
            "Insufficient delivery policy to s3 bucket: {name}, unable to write to bucket, provided s3 key \
             prefix is '{}', provided kms key is '{}'.",
            channel.prefix.as_deref().unwrap_or("null"),
            channel.key_arn.as_deref().unwrap_or("null"),
        );
        refuse("InsufficientDeliveryPolicyException", message)
    };
    let bucket = call.state.buckets.get(name).ok_or_else(|| {
        refuse(
            "NoSuchBucketException",
            format!("Cannot find a S3 bucket with an empty bucket name '{name}'."),
        )
    })?;
    let organization = organization(call);
    let source = format!("arn:aws:config:{}:{account}:*", call.region);
    let mut context = vec![
        ("aws:sourceaccount", account),
        ("aws:sourcearn", source.as_str()),
        ("s3:x-amz-acl", "bucket-owner-full-control"),
    ];
    context.extend(organization.as_deref().map(|id| ("aws:sourceorgid", id)));
    let who = Who::Service("config.amazonaws.com");
    let asks = |action, resource: &str, policy: &str| {
        policy::allows(policy, &Question { who, action, resource, context: &context })
    };
    let text = bucket.policy.as_deref().unwrap_or_default();
    let arn = format!("arn:aws:s3:::{name}");
    let folder = channel.prefix.as_ref().map_or_else(String::new, |prefix| format!("{prefix}/"));
    let object = format!("{arn}/{folder}AWSLogs/{account}/Config/ConfigWritabilityCheckFile");
    let checks = ["s3:GetBucketAcl", "s3:ListBucket"];
    if !checks.into_iter().all(|action| asks(action, &arn, text)) || !asks("s3:PutObject", &object, text) {
        return Err(denied());
    }
    let Some(key_arn) = &channel.key_arn else { return Ok(()) };
    let bad_key = || {
        let message = format!("The arn '{key_arn}' is not a valid kms key arn.");
        refuse("InvalidS3KmsKeyArnException", message)
    };
    let parts: Vec<&str> = key_arn.splitn(6, ':').collect();
    let [_, _, "kms", region, owner, resource] = parts[..] else { return Err(bad_key()) };
    let id = resource.strip_prefix("key/").ok_or_else(bad_key)?;
    let key = call
        .state
        .accounts
        .get(owner)
        .and_then(|account| account.regions.get(region))
        .and_then(|there| there.kms.keys.get(id))
        .filter(|_| region == bucket.region)
        .ok_or_else(bad_key)?;
    let may = key.enabled && asks("kms:GenerateDataKey", key_arn, &key.policy);
    if may { Ok(()) } else { Err(denied()) }
}

/// PutDeliveryChannel: one in a region, after the recorder; what is not said is taken away; the name stays what it
/// was ("to change the delivery channel name, you must … delete your current delivery channel").
pub(in crate::sandbox) fn put(
    call: &mut Call<'_>,
    input: &PutDeliveryChannelInput,
) -> Result<PutDeliveryChannelOutput, Refusal> {
    let invalid = |what: &str| refuse("ValidationException", format!("{what} is not valid"));
    let wanted = input.delivery_channel().ok_or_else(|| invalid("deliveryChannel"))?;
    let name = wanted.name().unwrap_or("default").to_owned();
    if !length_within(&name, 1, 256) {
        let message = format!("The delivery channel name '{name}' is not valid.");
        return Err(refuse("InvalidDeliveryChannelNameException", message));
    }
    let there = call.here();
    let topics: Vec<String> = there.sns.topics.keys().cloned().collect();
    let here = &there.config;
    if here.recorder.is_none() {
        let message = "Configuration recorder is not available to put delivery channel.";
        return Err(refuse("NoAvailableConfigurationRecorderException", message));
    }
    if here.channel.as_ref().is_some_and(|other| other.name != name) {
        let message = format!(
            "Failed to put delivery channel '{name}' because the maximum number of delivery channels: 1 is \
             reached."
        );
        return Err(refuse("MaxNumberOfDeliveryChannelsExceededException", message));
    }
    let snapshots =
        wanted.config_snapshot_delivery_properties().and_then(|p| p.delivery_frequency()).cloned();
    if snapshots.as_ref().is_some_and(|one| !MaximumExecutionFrequency::values().contains(&one.as_str())) {
        return Err(invalid("deliveryFrequency"));
    }
    if let Some(prefix) = wanted.s3_key_prefix().filter(|p| p.is_empty() || p.contains("AWSLogs")) {
        let message = format!("The s3 key prefix '{prefix}' is not valid");
        return Err(refuse("InvalidS3KeyPrefixException", message));
    }
    if let Some(topic) = wanted.sns_topic_arn() {
        let known = topics.iter().any(|name| *name == topic || call.arn("sns", name) == topic);
        if !known {
            let message = format!("The sns topic arn '{topic}' is not valid.");
            return Err(refuse("InvalidSNSTopicARNException", message));
        }
    }
    let channel = Channel {
        name,
        bucket: wanted.s3_bucket_name().unwrap_or_default().to_owned(),
        prefix: wanted.s3_key_prefix().map(str::to_owned),
        key_arn: wanted.s3_kms_key_arn().map(str::to_owned),
        topic_arn: wanted.sns_topic_arn().map(str::to_owned),
        snapshots,
        failure: None,
    };
    may_deliver(call, &channel)?;
    call.here().config.channel = Some(channel);
    Ok(PutDeliveryChannelOutput::builder().build())
}
