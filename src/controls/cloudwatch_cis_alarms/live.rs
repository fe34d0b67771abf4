//! The metric filters of the log group, and the alarms on their metrics.

use aws_sdk_cloudwatch::types::MetricAlarm;
use aws_sdk_cloudwatchlogs::types::MetricFilter;
use futures::try_join;
use serde::{Deserialize, Serialize};

use crate::aws::{Reader, fault};
use crate::fault::Fault;

pub const FILTERS: &str = "logs:DescribeMetricFilters";
pub const ALARMS: &str = "cloudwatch:DescribeAlarms";

/// The most alarms that a page can have (API reference, DescribeAlarms).
const A_PAGE: i32 = 100;

/// What our own filters and alarms are called begins with this.
pub const OURS: &str = "baseline-";

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Observed {
    pub group: String,
    /// `None` where the log group is not there.
    pub filters: Option<Vec<Filter>>,
    /// Alarms on a metric of these filters, and those under our own names.
    pub alarms: Vec<Alarm>,
}

/// A metric filter of the log group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Filter {
    pub name: String,
    pub pattern: String,
    pub metric: Metric,
    /// What an event counts for: `1`, or a field of the event.
    pub value: String,
    /// It counts by dimensions, or looks at some accounts and regions only.
    pub divided: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metric {
    pub namespace: String,
    pub name: String,
}

/// An alarm on one metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Alarm {
    pub name: String,
    pub metric: Metric,
    pub actions_enabled: bool,
    pub actions: Vec<String>,
    /// How many actions it has for its other states.
    pub other_actions: usize,
    pub statistic: String,
    pub comparison: String,
    pub threshold: f64,
    pub period: u32,
    pub evaluation_periods: u32,
    /// Fewer periods than those that are evaluated may be enough.
    pub datapoints: Option<u32>,
    pub missing_data: String,
    pub divided: bool,
}

pub fn filter(told: MetricFilter) -> Option<Filter> {
    let transformation = told.metric_transformations.unwrap_or_default().into_iter().next()?;
    let by_dimensions = transformation.dimensions.is_some_and(|all| !all.is_empty())
        || told.emit_system_field_dimensions.is_some_and(|all| !all.is_empty());
    Some(Filter {
        name: told.filter_name?,
        pattern: told.filter_pattern.unwrap_or_default(),
        metric: Metric { namespace: transformation.metric_namespace, name: transformation.metric_name },
        value: transformation.metric_value,
        divided: by_dimensions || told.field_selection_criteria.is_some_and(|text| !text.is_empty()),
    })
}

/// `None` for alarms on expressions, anomalies and the like: those watch something else.
pub fn alarm(told: MetricAlarm) -> Option<Alarm> {
    let number = |value: Option<i32>| value.and_then(|value| u32::try_from(value).ok());
    Some(Alarm {
        name: told.alarm_name?,
        metric: Metric { namespace: told.namespace?, name: told.metric_name? },
        actions_enabled: told.actions_enabled.unwrap_or(false),
        actions: told.alarm_actions.unwrap_or_default(),
        other_actions: told.ok_actions.map_or(0, |all| all.len())
            + told.insufficient_data_actions.map_or(0, |all| all.len()),
        statistic: told
            .statistic
            .map(|statistic| statistic.as_str().to_owned())
            .or(told.extended_statistic)
            .unwrap_or_default(),
        comparison: told.comparison_operator.map(|word| word.as_str().to_owned()).unwrap_or_default(),
        threshold: told.threshold?,
        period: number(told.period)?,
        evaluation_periods: number(told.evaluation_periods)?,
        datapoints: number(told.datapoints_to_alarm),
        missing_data: told.treat_missing_data.unwrap_or_else(|| "missing".to_owned()),
        divided: told.dimensions.is_some_and(|all| !all.is_empty()) || told.unit.is_some(),
    })
}

async fn filters(aws: &Reader, group: &str) -> Result<Option<Vec<Filter>>, Fault> {
    let mut pages =
        aws.logs().describe_metric_filters().log_group_name(group).into_paginator().items().send();
    let mut filters = Vec::new();
    while let Some(found) = pages.next().await {
        match found {
            Ok(found) => filters.extend(filter(found)),
            Err(error) if error.as_service_error().is_some_and(|e| e.is_resource_not_found_exception()) => {
                return Ok(None);
            }
            Err(error) => return Err(fault(FILTERS)(error)),
        }
    }
    Ok(Some(filters))
}

async fn alarms(aws: &Reader) -> Result<Vec<Alarm>, Fault> {
    let mut alarms = Vec::new();
    let mut pages = aws.cloudwatch().describe_alarms().max_records(A_PAGE).into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(fault(ALARMS))?;
        alarms.extend(page.metric_alarms.unwrap_or_default().into_iter().filter_map(alarm));
    }
    Ok(alarms)
}

pub async fn read(aws: &Reader, group: &str) -> Result<Observed, Fault> {
    let (filters, mut alarms) = try_join!(filters(aws, group), alarms(aws))?;
    alarms.retain(|alarm| {
        alarm.name.starts_with(OURS) || filters.iter().flatten().any(|filter| filter.metric == alarm.metric)
    });
    Ok(Observed { group: group.to_owned(), filters, alarms })
}
