//! Log groups, how long they keep events, and whether they can be deleted.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_cloudwatchlogs::operation::create_log_group::{CreateLogGroupInput, CreateLogGroupOutput};
use aws_sdk_cloudwatchlogs::operation::describe_log_groups::{
    DescribeLogGroupsInput, DescribeLogGroupsOutput,
};
use aws_sdk_cloudwatchlogs::operation::put_log_group_deletion_protection::{
    PutLogGroupDeletionProtectionInput, PutLogGroupDeletionProtectionOutput,
};
use aws_sdk_cloudwatchlogs::operation::put_retention_policy::{
    PutRetentionPolicyInput, PutRetentionPolicyOutput,
};
use aws_sdk_cloudwatchlogs::types::LogGroupClass;

use super::super::operation::{Call, Refusal, length_within, page};
use super::{LogGroup, encryption, group, group_name, invalid};

/// Tags in the model: 1–50, keys of 1–128 characters that do not begin with `aws:`, values to 256.
fn tags(wanted: Option<&HashMap<String, String>>) -> Result<BTreeMap<String, String>, Refusal> {
    let Some(wanted) = wanted else { return Ok(BTreeMap::new()) };
    let fits = |(key, value): (&String, &String)| {
        length_within(key, 1, 128) && length_within(value, 0, 256) && !key.starts_with("aws:")
    };
    if wanted.is_empty() || wanted.len() > 50 || !wanted.iter().all(fits) {
        return Err(invalid("1 validation error detected: Value at 'tags' failed to satisfy constraint"));
    }
    Ok(wanted.iter().map(|(key, value)| (key.clone(), value.clone())).collect())
}

/// CreateLogGroup: a name is free or taken; nothing expires until somebody says so.
pub(super) fn create_log_group(
    call: &mut Call<'_>,
    input: &CreateLogGroupInput,
) -> Result<CreateLogGroupOutput, Refusal> {
    let name = group_name(input.log_group_name())?.to_owned();
    let class = input.log_group_class().cloned().unwrap_or(LogGroupClass::Standard);
    if !LogGroupClass::values().contains(&class.as_str()) {
        return Err(invalid(
            "1 validation error detected: Value at 'logGroupClass' failed to satisfy constraint",
        ));
    }
    if let Some(key) = input.kms_key_id() {
        encryption::usable(call, key, &name)?;
    }
    let group = LogGroup {
        key_arn: input.kms_key_id().map(str::to_owned),
        protected: input.deletion_protection_enabled().unwrap_or(false),
        class,
        tags: tags(input.tags())?,
        ..LogGroup::with_defaults(call.now)
    };
    let groups = &mut call.here().logs.groups;
    if groups.contains_key(&name) {
        return Err(Refusal::new(
            400,
            "ResourceAlreadyExistsException",
            "The specified log group already exists",
        ));
    }
    groups.insert(name, group);
    Ok(CreateLogGroupOutput::builder().build())
}

/// How many groups a page has here: pages may be shorter than `limit`.
const GROUPS_A_PAGE: usize = 2;

/// DescribeLogGroups: sorted by name, by prefix, in pages of 1–50. "If an account-level retention policy applies to a
/// log group, retentionInDays shows the retention period from that policy, and retentionPolicyName shows the name".
pub(super) fn describe_log_groups(
    call: &mut Call<'_>,
    input: &DescribeLogGroupsInput,
) -> Result<DescribeLogGroupsOutput, Refusal> {
    let size = match input.limit() {
        None => GROUPS_A_PAGE,
        Some(limit @ 1..=50) => usize::try_from(limit).unwrap_or(GROUPS_A_PAGE).min(GROUPS_A_PAGE),
        Some(_) => return Err(invalid("limit must be from 1 to 50")),
    };
    let prefix = input.log_group_name_prefix().map(|prefix| group_name(Some(prefix))).transpose()?;
    if input.log_group_name_pattern().is_some() || input.include_linked_accounts() == Some(true) {
        return Err(invalid("This world looks for prefixes in one account, and for nothing else."));
    }
    let (region, account) = (call.region.to_owned(), call.caller.account.clone());
    let logs = &call.here().logs;
    let fits = |name: &&String| prefix.is_none_or(|prefix| name.starts_with(prefix));
    let names: Vec<&String> = logs.groups.keys().filter(fits).collect();
    let (names, next) = page(&names, input.next_token(), size)
        .ok_or_else(|| invalid("The specified nextToken is invalid."))?;
    let told = names.into_iter().filter_map(|name| {
        let group = logs.groups.get(name)?;
        let arn = format!("arn:aws:logs:{region}:{account}:log-group:{name}");
        let of_account = logs.retention_policy.as_ref();
        let filters = i32::try_from(group.filters.len()).unwrap_or(i32::MAX);
        let built = aws_sdk_cloudwatchlogs::types::LogGroup::builder()
            .log_group_name(name)
            .creation_time(group.created.as_millisecond())
            .set_retention_in_days(of_account.map_or(group.retention, |(_, days)| *days))
            .set_retention_policy_name(of_account.map(|(name, _)| name.clone()))
            .metric_filter_count(filters)
            .arn(format!("{arn}:*"))
            .log_group_arn(arn)
            .set_kms_key_id(group.key_arn.clone())
            .log_group_class(group.class.clone())
            .deletion_protection_enabled(group.protected)
            .stored_bytes(0);
        Some(built.build())
    });
    Ok(DescribeLogGroupsOutput::builder().set_log_groups(Some(told.collect())).set_next_token(next).build())
}

/// The days that PutRetentionPolicy takes.
const DAYS: [i32; 22] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

/// PutRetentionPolicy. Groups of class DELIVERY keep events for one day (CreateLogGroup), so they take none.
pub(super) fn put_retention_policy(
    call: &mut Call<'_>,
    input: &PutRetentionPolicyInput,
) -> Result<PutRetentionPolicyOutput, Refusal> {
    let days = input.retention_in_days().filter(|days| DAYS.contains(days));
    let days = days.ok_or_else(|| invalid("retentionInDays is not one of the values that are allowed"))?;
    let group = group(call, input.log_group_name())?;
    if group.class == LogGroupClass::Delivery {
        return Err(invalid("Log groups of class DELIVERY have no retention policy."));
    }
    group.retention = Some(days);
    Ok(PutRetentionPolicyOutput::builder().build())
}

/// PutLogGroupDeletionProtection: "the name or ARN of the log group"; both are required.
pub(super) fn put_log_group_deletion_protection(
    call: &mut Call<'_>,
    input: &PutLogGroupDeletionProtectionInput,
) -> Result<PutLogGroupDeletionProtectionOutput, Refusal> {
    let on =
        input.deletion_protection_enabled().ok_or_else(|| invalid("deletionProtectionEnabled is missing"))?;
    let own = call.arn("logs", "log-group:");
    let name = input.log_group_identifier().map(|id| id.strip_prefix(&own).unwrap_or(id));
    group(call, name)?.protected = on;
    Ok(PutLogGroupDeletionProtectionOutput::builder().build())
}
