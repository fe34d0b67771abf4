//! CreateTrail and UpdateTrail.

use std::collections::BTreeMap;

use aws_sdk_cloudtrail::operation::create_trail::{CreateTrailInput, CreateTrailOutput};
use aws_sdk_cloudtrail::operation::update_trail::{UpdateTrailInput, UpdateTrailOutput};
use aws_sdk_cloudtrail::types::Tag;

use super::super::operation::{Call, Refusal, length_within};
use super::{Seen, Trail, delivery, refuse, seen, told, trail_name, written};

/// CloudTrail quotas: "Trails per Region: 5", shadow trails among them.
const TRAILS: usize = 5;

/// A multi-region trail has the events of global services (UpdateTrail, InvalidParameterCombinationException).
fn combination(trail: &Trail) -> Result<(), Refusal> {
    if trail.multi_region && !trail.global_events {
        return Err(refuse(
            "InvalidParameterCombinationException",
            "Multi-Region trail must include global service events.",
        ));
    }
    Ok(())
}

fn prefix(text: Option<&str>) -> Result<Option<String>, Refusal> {
    match text {
        Some(text) if text.chars().count() > 200 => {
            Err(refuse("InvalidS3PrefixException", "The prefix is longer than 200 characters."))
        }
        text => Ok(text.filter(|text| !text.is_empty()).map(str::to_owned)),
    }
}

/// A topic of this account and region, by name or ARN.
fn topic(call: &mut Call<'_>, name: Option<&str>) -> Result<Option<String>, Refusal> {
    let Some(given) = name.filter(|name| !name.is_empty()) else { return Ok(None) };
    let prefix = call.arn("sns", "");
    let name = given.strip_prefix(&prefix).unwrap_or(given).to_owned();
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if name.len() > 256 || !name.chars().all(fits) {
        return Err(refuse("InvalidSnsTopicNameException", format!("SNS topic {given} is invalid.")));
    }
    if !call.here().cloudtrail.topics.contains(&name) {
        return Err(refuse(
            "InsufficientSnsTopicPolicyException",
            "SNS Topic does not exist or the topic policy is incorrect!",
        ));
    }
    Ok(Some(format!("{prefix}{name}")))
}

/// Only the management account and delegated administrators have organisation trails.
fn organization(call: &Call<'_>, wanted: bool) -> Result<(), Refusal> {
    if !wanted {
        return Ok(());
    }
    let organization = call.state.organization.as_ref().ok_or_else(|| {
        refuse("OrganizationsNotInUseException", "Your account is not a member of an organization.")
    })?;
    if !organization.administered_by(&call.caller.account) {
        return Err(refuse(
            "NotOrganizationMasterAccountException",
            "The request could not be processed because your account is not the management account.",
        ));
    }
    if organization.trusts("cloudtrail.amazonaws.com") {
        Ok(())
    } else {
        Err(refuse(
            "CloudTrailAccessNotEnabledException",
            "Trusted access has not been enabled between CloudTrail and AWS Organizations.",
        ))
    }
}

/// Tag: keys of 1–128 characters, values of 1–256; at most 50.
fn tags(wanted: &[Tag]) -> Result<BTreeMap<String, String>, Refusal> {
    let fits = |tag: &Tag| {
        length_within(tag.key(), 1, 128)
            && tag.value().is_none_or(|value| length_within(value, 1, 256))
            && !tag.key().starts_with("aws:")
    };
    if !wanted.iter().all(fits) {
        return Err(refuse("InvalidTagParameterException", "A tag is not valid."));
    }
    let all: BTreeMap<String, String> =
        wanted.iter().map(|tag| (tag.key().to_owned(), tag.value().unwrap_or_default().to_owned())).collect();
    if all.len() != wanted.len() {
        return Err(refuse("InvalidTagParameterException", "Tag keys must be unique."));
    }
    if all.len() > 50 {
        return Err(refuse("TagsLimitExceededException", "A trail has at most 50 tags."));
    }
    Ok(all)
}

/// CreateTrail: the name is free among the trails that record this region, bucket, key, topic, log group and role
/// are there and let CloudTrail in. Global events unless told otherwise, one region, and it does not record yet.
pub(super) fn create(call: &mut Call<'_>, input: &CreateTrailInput) -> Result<CreateTrailOutput, Refusal> {
    let name = trail_name(input.name())?.to_owned();
    let bucket = input.s3_bucket_name().unwrap_or_default().to_owned();
    let trail = Trail {
        bucket,
        prefix: prefix(input.s3_key_prefix())?,
        topic_arn: topic(call, input.sns_topic_name())?,
        global_events: input.include_global_service_events().unwrap_or(true),
        multi_region: input.is_multi_region_trail().unwrap_or(false),
        log_file_validation: input.enable_log_file_validation().unwrap_or(false),
        organization: input.is_organization_trail().unwrap_or(false),
        tags: tags(input.tags_list())?,
        ..Trail::default()
    };
    combination(&trail)?;
    organization(call, trail.organization)?;
    let there = seen(call.state, &call.caller.account, call.region);
    if there.iter().any(|one| one.owner == call.caller.account && one.name == name) {
        let message = format!("Trail {name} already exists for customer: {}", call.caller.account);
        return Err(refuse("TrailAlreadyExistsException", message));
    }
    if there.len() >= TRAILS {
        return Err(refuse(
            "MaximumNumberOfTrailsExceededException",
            format!("User: {} already has {TRAILS} trails in {}", call.caller.account, call.region),
        ));
    }
    let home = Seen { owner: call.caller.account.clone(), home: call.region.to_owned(), name: name.clone() };
    let key = input
        .kms_key_id()
        .filter(|key| !key.is_empty())
        .map(|key| delivery::key_arn(call, key))
        .transpose()?;
    let (group, role) = pair(input.cloud_watch_logs_log_group_arn(), input.cloud_watch_logs_role_arn())?;
    let trail = Trail { key_arn: key, group_arn: group, role_arn: role, ..trail };
    delivery::storage(call.state, &home, &trail)?;
    delivery::logs(call.state, &home, &trail, Some(call.now))?;
    let output = told(&home, &trail);
    call.here().cloudtrail.trails.insert(name, trail);
    Ok(CreateTrailOutput::builder()
        .set_name(output.name)
        .set_trail_arn(output.trail_arn)
        .set_s3_bucket_name(output.s3_bucket_name)
        .set_s3_key_prefix(output.s3_key_prefix)
        .set_sns_topic_arn(output.sns_topic_arn)
        .set_include_global_service_events(output.include_global_service_events)
        .set_is_multi_region_trail(output.is_multi_region_trail)
        .set_log_file_validation_enabled(output.log_file_validation_enabled)
        .set_cloud_watch_logs_log_group_arn(output.cloud_watch_logs_log_group_arn)
        .set_cloud_watch_logs_role_arn(output.cloud_watch_logs_role_arn)
        .set_kms_key_id(output.kms_key_id)
        .set_is_organization_trail(output.is_organization_trail)
        .build())
}

/// Log group and role go together.
fn pair(group: Option<&str>, role: Option<&str>) -> Result<(Option<String>, Option<String>), Refusal> {
    let some = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    match (some(group), some(role)) {
        (Some(_), None) => Err(refuse(
            "InvalidCloudWatchLogsLogGroupArnException",
            "You must specify a role ARN as well as a log group.",
        )),
        (None, Some(_)) => Err(refuse(
            "InvalidCloudWatchLogsRoleArnException",
            "You must specify a log group as well as a role ARN.",
        )),
        both => Ok(both),
    }
}

/// UpdateTrail: in the home region; what is not given stays, and an empty text takes away. What is given is
/// looked at as CreateTrail does.
pub(super) fn update(call: &mut Call<'_>, input: &UpdateTrailInput) -> Result<UpdateTrailOutput, Refusal> {
    let home = written(call, input.name())?;
    let mut trail = home.trail(call.state)?.clone();
    trail.bucket = input.s3_bucket_name().map_or(trail.bucket, str::to_owned);
    if input.s3_key_prefix().is_some() {
        trail.prefix = prefix(input.s3_key_prefix())?;
    }
    if input.sns_topic_name().is_some() {
        trail.topic_arn = topic(call, input.sns_topic_name())?;
    }
    trail.global_events = input.include_global_service_events().unwrap_or(trail.global_events);
    trail.multi_region = input.is_multi_region_trail().unwrap_or(trail.multi_region);
    trail.log_file_validation = input.enable_log_file_validation().unwrap_or(trail.log_file_validation);
    trail.organization = input.is_organization_trail().unwrap_or(trail.organization);
    combination(&trail)?;
    organization(call, trail.organization)?;
    if let Some(key) = input.kms_key_id() {
        trail.key_arn = if key.is_empty() { None } else { Some(delivery::key_arn(call, key)?) };
    }
    let stored = input.s3_bucket_name().is_some()
        || input.s3_key_prefix().is_some()
        || input.kms_key_id().is_some()
        || input.is_organization_trail().is_some();
    if stored {
        delivery::storage(call.state, &home, &trail)?;
    }
    let (group, role) = (input.cloud_watch_logs_log_group_arn(), input.cloud_watch_logs_role_arn());
    if group.is_some() || role.is_some() {
        let (group, role) = (group.or(trail.group_arn.as_deref()), role.or(trail.role_arn.as_deref()));
        (trail.group_arn, trail.role_arn) = pair(group, role)?;
        delivery::logs(call.state, &home, &trail, Some(call.now))?;
    }
    let output = told(&home, &trail);
    *home.trail_mut(call.state)? = trail;
    Ok(UpdateTrailOutput::builder()
        .set_name(output.name)
        .set_trail_arn(output.trail_arn)
        .set_s3_bucket_name(output.s3_bucket_name)
        .set_s3_key_prefix(output.s3_key_prefix)
        .set_sns_topic_arn(output.sns_topic_arn)
        .set_include_global_service_events(output.include_global_service_events)
        .set_is_multi_region_trail(output.is_multi_region_trail)
        .set_log_file_validation_enabled(output.log_file_validation_enabled)
        .set_cloud_watch_logs_log_group_arn(output.cloud_watch_logs_log_group_arn)
        .set_cloud_watch_logs_role_arn(output.cloud_watch_logs_role_arn)
        .set_kms_key_id(output.kms_key_id)
        .set_is_organization_trail(output.is_organization_trail)
        .build())
}
