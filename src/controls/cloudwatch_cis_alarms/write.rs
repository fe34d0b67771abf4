//! The writes, in names, and how each is sent: both calls replace everything, so what is there is read first.

use std::collections::BTreeMap;
use std::fmt;

use aws_sdk_cloudwatch::types::{ComparisonOperator, MetricAlarm, Statistic, Tag};
use aws_sdk_cloudwatchlogs::types::MetricTransformation;
use serde::{Deserialize, Serialize};

use super::live::{ALARMS, FILTERS, Metric};
use crate::aws::{Writer, fault};
use crate::control::{AwsWrite, Call, Known, Thing};
use crate::fault::{Fault, FaultKind};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Write {
    /// One event that matches counts for one.
    PutFilter { group: String, filter: String, pattern: String, metric: Metric },
    PutAlarm {
        alarm: String,
        settings: Settings,
        /// For an alarm that does not exist yet.
        #[serde(skip_serializing_if = "Option::is_none")]
        new: Option<New>,
    },
}

/// What is sent of an alarm; what is left out stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Settings {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Turns it to this metric, whose events are summed, and rings when there are enough.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counts: Option<Metric>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evaluation_periods: Option<u32>,
    /// A topic that it tells besides those that it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<Thing>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct New {
    pub description: String,
    pub tags: BTreeMap<String, String>,
}

pub const PUT_FILTER: Call =
    Call::needing("logs:PutMetricFilter", &["logs:PutMetricFilter", "logs:DescribeMetricFilters"]);
pub const PUT_ALARM: Call = Call::needing(
    "cloudwatch:PutMetricAlarm",
    &["cloudwatch:PutMetricAlarm", "cloudwatch:TagResource", "cloudwatch:DescribeAlarms"],
);

impl AwsWrite for Write {
    fn call(&self) -> &'static Call {
        match self {
            Self::PutFilter { .. } => const { &PUT_FILTER },
            Self::PutAlarm { .. } => const { &PUT_ALARM },
        }
    }
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PutFilter { group, filter, .. } => write!(f, "put metric filter {filter} on {group}"),
            Self::PutAlarm { alarm, new: Some(_), .. } => write!(f, "create alarm {alarm}"),
            Self::PutAlarm { alarm, settings: Settings { enabled: Some(false), .. }, .. } => {
                write!(f, "silence alarm {alarm}")
            }
            Self::PutAlarm { alarm, .. } => write!(f, "update alarm {alarm}"),
        }
    }
}

impl Write {
    pub async fn send(&self, aws: &Writer, known: &Known) -> Result<(), Fault> {
        match self {
            Self::PutFilter { group, filter, pattern, metric } => {
                put_filter(aws, group, filter, pattern, metric).await
            }
            Self::PutAlarm { alarm, settings, new } => {
                put_alarm(aws, known, alarm, settings, new.as_ref()).await
            }
        }
    }
}

/// Unit and default of a filter that exists are other people's. A new one says 0 where nothing happened, as Security
/// Hub writes it down, so that an alarm has something to look at.
async fn put_filter(
    aws: &Writer,
    group: &str,
    filter: &str,
    pattern: &str,
    metric: &Metric,
) -> Result<(), Fault> {
    let logs = aws.logs();
    let mut pages = logs
        .describe_metric_filters()
        .log_group_name(group)
        .filter_name_prefix(filter)
        .into_paginator()
        .items()
        .send();
    let mut live = None;
    while let Some(found) = pages.next().await {
        let found = found.map_err(fault(FILTERS))?;
        if found.filter_name() == Some(filter) {
            live = Some(found);
        }
    }
    let on_transformed = live.as_ref().map(|live| live.apply_on_transformed_logs);
    let was = live.and_then(|live| live.metric_transformations).and_then(|all| all.into_iter().next());
    let default = was.as_ref().map_or(Some(0.0), |was| was.default_value.or(Some(0.0)));
    let transformation = MetricTransformation::builder()
        .metric_namespace(&metric.namespace)
        .metric_name(&metric.name)
        .metric_value("1")
        .set_default_value(default)
        .set_unit(was.and_then(|was| was.unit))
        .build()
        .map_err(|error| Fault::local(FaultKind::Invalid, PUT_FILTER.operation, error.to_string()))?;
    let call = logs
        .put_metric_filter()
        .log_group_name(group)
        .filter_name(filter)
        .filter_pattern(pattern)
        .metric_transformations(transformation)
        .set_apply_on_transformed_logs(on_transformed);
    call.send().await.map(drop).map_err(fault(PUT_FILTER.operation))
}

/// The alarm as it is; a new one rings when there is one event in five minutes, and not for want of data.
async fn live(aws: &Writer, name: &str) -> Result<MetricAlarm, Fault> {
    let answer = aws.cloudwatch().describe_alarms().alarm_names(name).send().await.map_err(fault(ALARMS))?;
    let found =
        answer.metric_alarms.unwrap_or_default().into_iter().find(|alarm| alarm.alarm_name() == Some(name));
    Ok(found.unwrap_or_else(|| {
        MetricAlarm::builder()
            .actions_enabled(true)
            .threshold(1.0)
            .period(300)
            .evaluation_periods(1)
            .treat_missing_data("notBreaching")
            .build()
    }))
}

async fn put_alarm(
    aws: &Writer,
    known: &Known,
    name: &str,
    settings: &Settings,
    new: Option<&New>,
) -> Result<(), Fault> {
    let mut alarm = live(aws, name).await?;
    alarm.actions_enabled = settings.enabled.or(alarm.actions_enabled);
    if let Some(metric) = &settings.counts {
        count(&mut alarm, metric);
    }
    if let Some(threshold) = settings.threshold {
        alarm.threshold = Some(f64::from(threshold));
        alarm.comparison_operator = Some(ComparisonOperator::GreaterThanOrEqualToThreshold);
    }
    let number = |value: Option<u32>| value.and_then(|value| i32::try_from(value).ok());
    alarm.period = number(settings.period).or(alarm.period);
    if let Some(periods) = number(settings.evaluation_periods) {
        // With all of them, where nobody says that fewer are enough.
        alarm.datapoints_to_alarm = alarm.datapoints_to_alarm.filter(|least| {
            *least < periods && alarm.evaluation_periods.is_none_or(|before| *least < before)
        });
        alarm.evaluation_periods = Some(periods);
    }
    if let Some(topic) = &settings.topic {
        let missing =
            || Fault::local(FaultKind::NotFound, PUT_ALARM.operation, format!("{topic} is not there"));
        let arn = known.arn(topic).ok_or_else(missing)?;
        let actions = alarm.alarm_actions.get_or_insert_default();
        if !actions.iter().any(|action| action == arn) {
            actions.push(arn.to_owned());
        }
    }
    send(aws, name, alarm, new).await
}

/// Sums what the filter counts, over all of it.
fn count(alarm: &mut MetricAlarm, metric: &Metric) {
    let strictly = alarm.comparison_operator == Some(ComparisonOperator::GreaterThanThreshold);
    if alarm.comparison_operator != Some(ComparisonOperator::GreaterThanOrEqualToThreshold) {
        // Events are whole: more than 0 is 1 at least.
        alarm.threshold = Some(alarm.threshold.filter(|_| strictly).map_or(1.0, |above| above.floor() + 1.0));
        alarm.comparison_operator = Some(ComparisonOperator::GreaterThanOrEqualToThreshold);
    }
    alarm.namespace = Some(metric.namespace.clone());
    alarm.metric_name = Some(metric.name.clone());
    alarm.statistic = Some(Statistic::Sum);
    alarm.extended_statistic = None;
    alarm.evaluate_low_sample_count_percentile = None;
    alarm.dimensions = None;
    alarm.unit = None;
    if !matches!(alarm.treat_missing_data.as_deref(), Some("notBreaching" | "missing")) {
        alarm.treat_missing_data = Some("notBreaching".to_owned());
    }
}

/// "The update completely overwrites the previous configuration of the alarm" (API reference, PutMetricAlarm): all that
/// an alarm on one metric can have is sent. Tags are taken from a new alarm only.
async fn send(aws: &Writer, name: &str, alarm: MetricAlarm, new: Option<&New>) -> Result<(), Fault> {
    let some = |list: Option<Vec<String>>| list.filter(|list| !list.is_empty());
    let tags: Vec<Tag> = new
        .into_iter()
        .flat_map(|new| &new.tags)
        .map(|(key, value)| Tag::builder().key(key).value(value).build())
        .collect();
    let description = alarm.alarm_description.or_else(|| new.map(|new| new.description.clone()));
    let call = aws
        .cloudwatch()
        .put_metric_alarm()
        .alarm_name(name)
        .set_alarm_description(description)
        .set_actions_enabled(alarm.actions_enabled)
        .set_ok_actions(some(alarm.ok_actions))
        .set_alarm_actions(some(alarm.alarm_actions))
        .set_insufficient_data_actions(some(alarm.insufficient_data_actions))
        .set_metric_name(alarm.metric_name)
        .set_namespace(alarm.namespace)
        .set_statistic(alarm.statistic)
        .set_extended_statistic(alarm.extended_statistic)
        .set_dimensions(alarm.dimensions.filter(|all| !all.is_empty()))
        .set_period(alarm.period)
        .set_unit(alarm.unit)
        .set_evaluation_periods(alarm.evaluation_periods)
        .set_datapoints_to_alarm(alarm.datapoints_to_alarm)
        .set_threshold(alarm.threshold)
        .set_comparison_operator(alarm.comparison_operator)
        .set_treat_missing_data(alarm.treat_missing_data)
        .set_evaluate_low_sample_count_percentile(alarm.evaluate_low_sample_count_percentile)
        .set_evaluation_window(alarm.evaluation_window)
        .set_warm_up_configuration(alarm.warm_up_configuration)
        .set_action_configuration(alarm.action_configuration)
        .set_tags((!tags.is_empty()).then_some(tags));
    call.send().await.map(drop).map_err(fault(PUT_ALARM.operation))
}
