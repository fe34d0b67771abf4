//! Publishing destinations: where a detector exports its findings.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_guardduty::operation::create_publishing_destination::{
    CreatePublishingDestinationInput, CreatePublishingDestinationOutput,
};
use aws_sdk_guardduty::operation::describe_publishing_destination::{
    DescribePublishingDestinationInput, DescribePublishingDestinationOutput,
};
use aws_sdk_guardduty::operation::list_publishing_destinations::{
    ListPublishingDestinationsInput, ListPublishingDestinationsOutput,
};
use aws_sdk_guardduty::operation::update_publishing_destination::{
    UpdatePublishingDestinationInput, UpdatePublishingDestinationOutput,
};
use aws_sdk_guardduty::types::{DestinationProperties, DestinationType, PublishingStatus};
use jiff::Timestamp;

use super::super::operation::{Call, Refusal, length_within};
use super::super::policy::{self, Question, Who};
use super::{bad, detector, invalid, page_size, tags};

/// How long a destination is PENDING_VERIFICATION. AWS gives no number; it is long enough that nobody who
/// reads once sees PUBLISHING.
pub const VERIFICATION: Duration = Duration::from_secs(30);

/// Where findings go.
#[derive(Clone, Debug)]
pub struct Destination {
    pub id: String,
    /// `arn:aws:s3:::bucket` or `arn:aws:s3:::bucket/prefix`.
    pub bucket_arn: String,
    pub kms_key_arn: String,
    pub tags: BTreeMap<String, String>,
    /// When it was made or last changed: verification starts anew.
    pub since: Timestamp,
    pub(super) client_token: Option<String>,
}

impl Destination {
    /// A destination that somebody set up at `since`. Whether findings reach it, the policies say.
    pub fn new(id: &str, bucket_arn: &str, kms_key_arn: &str, since: Timestamp) -> Self {
        Self {
            id: id.to_owned(),
            bucket_arn: bucket_arn.to_owned(),
            kms_key_arn: kms_key_arn.to_owned(),
            tags: BTreeMap::new(),
            since,
            client_token: None,
        }
    }
}

/// The status is what the policies say now, once verification is over.
fn status(call: &mut Call<'_>, destination: &Destination) -> PublishingStatus {
    if call.now.duration_since(destination.since).unsigned_abs() < VERIFICATION {
        return PublishingStatus::PendingVerification;
    }
    match may_publish(call, &destination.bucket_arn, &destination.kms_key_arn) {
        Ok(()) => PublishingStatus::Publishing,
        Err(_) => PublishingStatus::UnableToPublishFixDestinationProperty,
    }
}

/// GuardDuty User Guide, "Exporting generated findings to Amazon S3": the bucket must exist and its policy let
/// `guardduty.amazonaws.com` read the location and put objects; the key must exist, be enabled, be in the
/// bucket's region and its policy let it generate data keys. The conditions may name the source account and
/// the detector's ARN.
fn may_publish(call: &mut Call<'_>, bucket_arn: &str, key_arn: &str) -> Result<(), Refusal> {
    let refuse = || {
        bad(
            "The request is rejected because the GuardDuty service principal does not have permission to the \
             KMS key or the resource specified by destinationArn parameter.",
        )
    };
    let detector_id = call.here().guardduty.detector.as_ref().map(|detector| detector.id.clone());
    let source = call.arn("guardduty", format!("detector/{}", detector_id.unwrap_or_default()));
    let organization = call.state.organization.as_ref().map(|o| o.id.clone());
    let mut context = vec![("aws:sourceaccount", call.caller.account.as_str()), ("aws:sourcearn", &source)];
    context.extend(organization.as_deref().map(|id| ("aws:sourceorgid", id)));

    let path = bucket_arn.strip_prefix("arn:aws:s3:::").ok_or_else(|| invalid("destinationArn"))?;
    let (name, prefix) = path.split_once('/').unwrap_or((path, ""));
    let bucket = call.state.buckets.get(name).ok_or_else(refuse)?;
    let who = Who::Service("guardduty.amazonaws.com");
    let asks = |action, resource: &str, policy: &str| {
        policy::allows(policy, &Question { who, action, resource, context: &context })
    };
    let bucket_policy = bucket.policy.as_deref().unwrap_or_default();
    let object =
        format!("arn:aws:s3:::{name}/{}AWSLogs/{}/GuardDuty/x", slashed(prefix), call.caller.account);
    let located = asks("s3:GetBucketLocation", &format!("arn:aws:s3:::{name}"), bucket_policy);
    if !located || !asks("s3:PutObject", &object, bucket_policy) {
        return Err(refuse());
    }

    // arn:aws:kms:REGION:ACCOUNT:key/ID; no alias is taken here.
    let parts: Vec<&str> = key_arn.splitn(6, ':').collect();
    let [_, _, "kms", region, owner, resource] = parts[..] else { return Err(invalid("kmsKeyArn")) };
    let id = resource.strip_prefix("key/").ok_or_else(|| invalid("kmsKeyArn"))?;
    let key = call
        .state
        .accounts
        .get(owner)
        .and_then(|account| account.regions.get(region))
        .and_then(|region| region.kms.keys.get(id))
        .filter(|key| key.enabled && region == bucket.region)
        .ok_or_else(refuse)?;
    if asks("kms:GenerateDataKey", key_arn, &key.policy) { Ok(()) } else { Err(refuse()) }
}

fn slashed(prefix: &str) -> String {
    match prefix.trim_end_matches('/') {
        "" => String::new(),
        prefix => format!("{prefix}/"),
    }
}

/// The properties that S3 needs (DestinationProperties in the model).
fn properties(given: Option<&DestinationProperties>) -> Result<(&str, &str), Refusal> {
    let given = given.ok_or_else(|| invalid("destinationProperties"))?;
    let bucket = given.destination_arn().ok_or_else(|| invalid("destinationArn"))?;
    let key = given.kms_key_arn().filter(|key| !key.is_empty()).ok_or_else(|| invalid("kmsKeyArn"))?;
    Ok((bucket, key))
}

/// API reference, ListPublishingDestinations: pages of 1–50.
pub(super) fn list(
    call: &mut Call<'_>,
    input: &ListPublishingDestinationsInput,
) -> Result<ListPublishingDestinationsOutput, Refusal> {
    page_size(input.max_results())?;
    if input.next_token().is_some_and(|token| !token.is_empty()) {
        return Err(invalid("nextToken"));
    }
    let mut listed = Vec::new();
    if let Some(destination) = detector(call, input.detector_id())?.destination.clone() {
        let item = aws_sdk_guardduty::types::Destination::builder()
            .status(status(call, &destination))
            .destination_id(destination.id)
            .destination_type(DestinationType::S3)
            .build();
        listed.push(item);
    }
    Ok(ListPublishingDestinationsOutput::builder().set_destinations(Some(listed)).build())
}

fn own(call: &mut Call<'_>, detector_id: Option<&str>, id: Option<&str>) -> Result<Destination, Refusal> {
    let destination = detector(call, detector_id)?.destination.clone();
    destination.filter(|destination| Some(destination.id.as_str()) == id).ok_or_else(|| {
        bad("The request is rejected because one or more input parameters have invalid values: destinationId.")
    })
}

/// API reference, DescribePublishingDestination.
pub(super) fn describe(
    call: &mut Call<'_>,
    input: &DescribePublishingDestinationInput,
) -> Result<DescribePublishingDestinationOutput, Refusal> {
    let destination = own(call, input.detector_id(), input.destination_id())?;
    let properties = DestinationProperties::builder()
        .destination_arn(&destination.bucket_arn)
        .kms_key_arn(&destination.kms_key_arn)
        .build();
    Ok(DescribePublishingDestinationOutput::builder()
        .destination_type(DestinationType::S3)
        .status(status(call, &destination))
        .publishing_failure_start_timestamp(0)
        .destination_properties(properties)
        .set_tags((!destination.tags.is_empty()).then(|| destination.tags.into_iter().collect()))
        .destination_id(destination.id)
        .build())
}

/// API reference, CreatePublishingDestination: S3 only, with a key; the same client token again gives the same
/// destination; a second destination is refused.
pub(super) fn create(
    call: &mut Call<'_>,
    input: &CreatePublishingDestinationInput,
) -> Result<CreatePublishingDestinationOutput, Refusal> {
    let existing = detector(call, input.detector_id())?.destination.clone();
    if input.destination_type() != Some(&DestinationType::S3) {
        return Err(invalid("destinationType"));
    }
    if input.client_token().is_some_and(|token| !length_within(token, 0, 64)) {
        return Err(invalid("clientToken"));
    }
    let (bucket, key) = properties(input.destination_properties())?;
    if let Some(existing) = existing {
        let again =
            existing.client_token.is_some() && existing.client_token.as_deref() == input.client_token();
        return if again {
            Ok(CreatePublishingDestinationOutput::builder().destination_id(existing.id).build())
        } else {
            Err(bad(
                "The request is rejected because a publishing destination already exists for the detector.",
            ))
        };
    }
    let tags = tags(input.tags())?;
    may_publish(call, bucket, key)?;
    let destination = Destination {
        id: call.state.hex(32),
        bucket_arn: bucket.to_owned(),
        kms_key_arn: key.to_owned(),
        tags,
        since: call.now,
        client_token: input.client_token().map(str::to_owned),
    };
    let id = destination.id.clone();
    detector(call, input.detector_id())?.destination = Some(destination);
    Ok(CreatePublishingDestinationOutput::builder().destination_id(id).build())
}

/// API reference, UpdatePublishingDestination: both properties are taken anew, and verified anew.
pub(super) fn update(
    call: &mut Call<'_>,
    input: &UpdatePublishingDestinationInput,
) -> Result<UpdatePublishingDestinationOutput, Refusal> {
    let destination = own(call, input.detector_id(), input.destination_id())?;
    let (bucket, key) = properties(input.destination_properties())?;
    may_publish(call, bucket, key)?;
    let changed = Destination {
        bucket_arn: bucket.to_owned(),
        kms_key_arn: key.to_owned(),
        since: call.now,
        ..destination
    };
    detector(call, input.detector_id())?.destination = Some(changed);
    Ok(UpdatePublishingDestinationOutput::builder().build())
}
