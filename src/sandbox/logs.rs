//! Amazon CloudWatch Logs: log groups and their retention.
//!
//! Source: Amazon CloudWatch Logs API Reference, the operation named at each handler.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_cloudwatchlogs::operation::create_log_group::{CreateLogGroupInput, CreateLogGroupOutput};
use aws_sdk_cloudwatchlogs::operation::describe_log_groups::{
    DescribeLogGroupsInput, DescribeLogGroupsOutput,
};
use aws_sdk_cloudwatchlogs::operation::put_retention_policy::{
    PutRetentionPolicyInput, PutRetentionPolicyOutput,
};
use jiff::Timestamp;

use super::operation::{Call, Operations, Protocol, Refusal, Service, length_within, page};

static SERVICE: Service = Service {
    id: "CloudWatch Logs",
    prefix: "logs",
    protocol: Protocol::Json,
    throttled: ("ThrottlingException", 400),
    broken: ("ServiceUnavailableException", 500),
};

pub(super) fn operations() -> Operations {
    Operations::of(&SERVICE)
        .on("CreateLogGroup", create_log_group)
        .on("DescribeLogGroups", describe_log_groups)
        .on("PutRetentionPolicy", put_retention_policy)
}

/// The log groups of one account in one region.
#[derive(Clone, Debug, Default)]
pub struct Logs {
    /// By name.
    pub groups: BTreeMap<String, LogGroup>,
}

/// A log group.
#[derive(Clone, Debug)]
pub struct LogGroup {
    /// Days; none for never deleting anything.
    pub retention: Option<i32>,
    pub tags: BTreeMap<String, String>,
    pub created: Timestamp,
}

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new(400, "InvalidParameterException", message)
}

/// Names: 1–512 letters, digits, `.`, `_`, `-`, `/`, `#`, not beginning with `aws/` (CreateLogGroup).
fn group_name(name: Option<&str>) -> Result<&str, Refusal> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "._-/#".contains(c);
    name.filter(|name| (1..=512).contains(&name.len()) && name.chars().all(fits) && !name.starts_with("aws/"))
        .ok_or_else(|| {
            invalid("1 validation error detected: Value at 'logGroupName' failed to satisfy constraint")
        })
}

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

/// CreateLogGroup: a name is free or taken; nothing expires until somebody says so. Keys and classes are refused
/// here: nothing uses them.
fn create_log_group(
    call: &mut Call<'_>,
    input: &CreateLogGroupInput,
) -> Result<CreateLogGroupOutput, Refusal> {
    let name = group_name(input.log_group_name())?.to_owned();
    if input.kms_key_id().is_some() || input.log_group_class().is_some() {
        return Err(invalid("This world has log groups of the standard class without a key, and no others."));
    }
    let group = LogGroup { retention: None, tags: tags(input.tags())?, created: call.now };
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

/// DescribeLogGroups: sorted by name, by prefix, in pages of 1–50.
fn describe_log_groups(
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
    let groups = &call.here().logs.groups;
    let fits = |name: &&String| prefix.is_none_or(|prefix| name.starts_with(prefix));
    let names: Vec<&String> = groups.keys().filter(fits).collect();
    let (names, next) = page(&names, input.next_token(), size)
        .ok_or_else(|| invalid("The specified nextToken is invalid."))?;
    let told = names.into_iter().filter_map(|name| {
        let group = groups.get(name)?;
        let arn = format!("arn:aws:logs:{region}:{account}:log-group:{name}");
        let built = aws_sdk_cloudwatchlogs::types::LogGroup::builder()
            .log_group_name(name)
            .creation_time(group.created.as_millisecond())
            .set_retention_in_days(group.retention)
            .metric_filter_count(0)
            .arn(format!("{arn}:*"))
            .log_group_arn(arn)
            .stored_bytes(0);
        Some(built.build())
    });
    Ok(DescribeLogGroupsOutput::builder().set_log_groups(Some(told.collect())).set_next_token(next).build())
}

/// The days that PutRetentionPolicy takes.
const DAYS: [i32; 22] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

/// PutRetentionPolicy.
fn put_retention_policy(
    call: &mut Call<'_>,
    input: &PutRetentionPolicyInput,
) -> Result<PutRetentionPolicyOutput, Refusal> {
    let name = group_name(input.log_group_name())?.to_owned();
    let days = input.retention_in_days().filter(|days| DAYS.contains(days));
    let days = days.ok_or_else(|| invalid("retentionInDays is not one of the values that are allowed"))?;
    let group = call.here().logs.groups.get_mut(&name).ok_or_else(|| {
        Refusal::new(400, "ResourceNotFoundException", "The specified log group does not exist.")
    })?;
    group.retention = Some(days);
    Ok(PutRetentionPolicyOutput::builder().build())
}

#[cfg(test)]
mod tests;
