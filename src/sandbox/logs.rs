//! Amazon CloudWatch Logs: log groups, what they keep and how, and their metric filters.
//!
//! Source: Amazon CloudWatch Logs API Reference, the operation named at each handler.

mod encryption;
mod filters;
mod groups;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use aws_sdk_cloudwatchlogs::types::LogGroupClass;
use jiff::Timestamp;

pub use filters::Filter;

use super::operation::{Call, Operations, Protocol, Refusal, Service};

static SERVICE: Service = Service {
    id: "CloudWatch Logs",
    prefix: "logs",
    protocol: Protocol::Json,
    throttled: ("ThrottlingException", 400),
    broken: ("ServiceUnavailableException", 500),
};

pub(super) fn operations() -> Operations {
    Operations::of(&SERVICE)
        .on("CreateLogGroup", groups::create_log_group)
        .on("DescribeLogGroups", groups::describe_log_groups)
        .on("PutRetentionPolicy", groups::put_retention_policy)
        .on("PutLogGroupDeletionProtection", groups::put_log_group_deletion_protection)
        .on("AssociateKmsKey", encryption::associate_kms_key)
        .on("DisassociateKmsKey", encryption::disassociate_kms_key)
        .on("PutMetricFilter", filters::put_metric_filter)
        .on("DescribeMetricFilters", filters::describe_metric_filters)
}

/// The log groups of one account in one region.
#[derive(Clone, Debug, Default)]
pub struct Logs {
    /// By name.
    pub groups: BTreeMap<String, LogGroup>,
    /// A retention policy of the account, which overrides what its groups were told: its name, and the days.
    pub retention_policy: Option<(String, Option<i32>)>,
}

/// A log group.
#[derive(Clone, Debug)]
pub struct LogGroup {
    /// Days; none for never deleting anything.
    pub retention: Option<i32>,
    pub key_arn: Option<String>,
    pub protected: bool,
    pub class: LogGroupClass,
    /// Metric filters by name.
    pub filters: BTreeMap<String, Filter>,
    pub tags: BTreeMap<String, String>,
    pub created: Timestamp,
}

impl LogGroup {
    /// As CreateLogGroup makes one that is told nothing but its name.
    pub fn with_defaults(created: Timestamp) -> Self {
        Self {
            retention: None,
            key_arn: None,
            protected: false,
            class: LogGroupClass::Standard,
            filters: BTreeMap::new(),
            tags: BTreeMap::new(),
            created,
        }
    }
}

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new(400, "InvalidParameterException", message)
}

fn not_there() -> Refusal {
    Refusal::new(400, "ResourceNotFoundException", "The specified log group does not exist.")
}

/// Names: 1–512 letters, digits, `.`, `_`, `-`, `/`, `#`, not beginning with `aws/` (CreateLogGroup).
fn group_name(name: Option<&str>) -> Result<&str, Refusal> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "._-/#".contains(c);
    name.filter(|name| (1..=512).contains(&name.len()) && name.chars().all(fits) && !name.starts_with("aws/"))
        .ok_or_else(|| {
            invalid("1 validation error detected: Value at 'logGroupName' failed to satisfy constraint")
        })
}

/// The group of that name, for whoever changes it.
fn group<'c>(call: &'c mut Call<'_>, name: Option<&str>) -> Result<&'c mut LogGroup, Refusal> {
    let name = group_name(name)?;
    call.here().logs.groups.get_mut(name).ok_or_else(not_there)
}
