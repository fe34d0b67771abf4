//! What CloudWatch Logs says of its log groups: one list answers everything.

use std::collections::BTreeMap;

use aws_sdk_cloudwatchlogs::types::LogGroup;
use serde::{Deserialize, Serialize};

use crate::aws::{Reader, fault};
use crate::fault::{Fault, FaultKind};

pub const DESCRIBE: &str = "logs:DescribeLogGroups";

/// The most that a page can have (API reference, DescribeLogGroups).
const A_PAGE: i32 = 50;

/// A log group, cut down to what is compared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Group {
    /// Days; none for never deleting anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention: Option<u32>,
    /// The retention policy of the account that sets those days, whatever the group itself was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention_policy: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_arn: Option<String>,
    pub protected: bool,
    /// As AWS says it: `INFREQUENT_ACCESS`.
    pub class: String,
}

/// Groups of classes and with days that this build does not know are kept as AWS says them.
pub(super) fn told(group: LogGroup) -> Option<(String, Group)> {
    let name = group.log_group_name?;
    let live = Group {
        retention: group.retention_in_days.and_then(|days| u32::try_from(days).ok()),
        retention_policy: group.retention_policy_name,
        key_arn: group.kms_key_id,
        protected: group.deletion_protection_enabled.unwrap_or(false),
        class: group.log_group_class.map_or_else(|| "STANDARD".to_owned(), |class| class.as_str().to_owned()),
    };
    Some((name, live))
}

/// All groups of one account in one region, whoever asks for them.
pub async fn read(aws: &Reader) -> Result<BTreeMap<String, Group>, Fault> {
    let logs = aws.logs();
    let listed = aws.shared(DESCRIBE, async move {
        let mut groups = BTreeMap::new();
        let mut pages = logs.describe_log_groups().limit(A_PAGE).into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(fault(DESCRIBE))?;
            let found = page.log_groups.ok_or_else(|| {
                Fault::local(FaultKind::Invalid, DESCRIBE, "the answer holds no list of groups")
            })?;
            groups.extend(found.into_iter().filter_map(told));
        }
        Ok(groups)
    });
    Ok(listed.await?.as_ref().clone())
}
