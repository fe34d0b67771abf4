//! Amazon CloudWatch: alarms on metrics.
//!
//! Source: Amazon CloudWatch API Reference, the operation named at each handler.

use std::collections::BTreeMap;

use aws_sdk_cloudwatch::operation::describe_alarms::{DescribeAlarmsInput, DescribeAlarmsOutput};
use aws_sdk_cloudwatch::operation::put_metric_alarm::{PutMetricAlarmInput, PutMetricAlarmOutput};
use aws_sdk_cloudwatch::types::{MetricAlarm, StateValue};

use super::operation::{Call, Operations, Protocol, Refusal, Service, date_time, length_within, page};

static SERVICE: Service = Service {
    id: "CloudWatch",
    prefix: "cloudwatch",
    protocol: Protocol::Cbor,
    throttled: ("ThrottlingException", 400),
    broken: ("InternalFailure", 500),
};

pub(super) fn operations() -> Operations {
    Operations::of(&SERVICE).on("DescribeAlarms", describe_alarms).on("PutMetricAlarm", put_metric_alarm)
}

/// What the service holds of one account in one region.
#[derive(Clone, Debug, Default)]
pub struct CloudWatch {
    /// Alarms on metrics, by name.
    pub alarms: BTreeMap<String, MetricAlarm>,
    /// The tags that each was made with.
    pub tags: BTreeMap<String, BTreeMap<String, String>>,
}

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new(400, "ValidationError", message)
}

/// At most five for each state; a topic is in the region of the alarm.
fn actions(call: &Call<'_>, given: &[String]) -> Result<Vec<String>, Refusal> {
    let fits = |arn: &String| match arn.splitn(6, ':').collect::<Vec<_>>()[..] {
        ["arn", "aws", "sns", region, account, name] => {
            region == call.region && account.len() == 12 && !name.is_empty()
        }
        ["arn", "aws", _, _, _, rest] => !rest.is_empty(),
        _ => false,
    };
    if given.len() > 5 || !given.iter().all(fits) {
        return Err(invalid(format!("Invalid actions: {}", given.join(", "))));
    }
    Ok(given.to_vec())
}

/// The numbers of an alarm: a period of 10, 20, 30 or a multiple of 60 seconds, and a day of them in a row, or a week
/// of such that last an hour at least; no more datapoints than periods.
fn numbers(input: &PutMetricAlarmInput) -> Result<(), Refusal> {
    let period = input.period().ok_or_else(|| invalid("The parameter Period is required."))?;
    if !(matches!(period, 10 | 20 | 30) || (period > 0 && period % 60 == 0)) {
        return Err(invalid(format!("Period must be 10, 20, 30 or a multiple of 60: {period}")));
    }
    let periods = input.evaluation_periods().filter(|periods| *periods >= 1);
    let periods = periods.ok_or_else(|| invalid("The parameter EvaluationPeriods is required."))?;
    let most = if period >= 3600 { 604_800 } else { 86_400 };
    if i64::from(period) * i64::from(periods) > most {
        return Err(invalid(format!("Metrics cannot be checked across more than {most} seconds")));
    }
    match input.datapoints_to_alarm() {
        Some(least) if !(1..=periods).contains(&least) => {
            Err(invalid("DatapointsToAlarm must be less than or equal to EvaluationPeriods"))
        }
        _ => Ok(()),
    }
}

/// PutMetricAlarm: makes or overwrites, without any data yet. This world has alarms on one metric, and no others.
fn put_metric_alarm(
    call: &mut Call<'_>,
    input: &PutMetricAlarmInput,
) -> Result<PutMetricAlarmOutput, Refusal> {
    let name = input
        .alarm_name()
        .filter(|name| length_within(name, 1, 255) && !name.contains(char::is_control))
        .ok_or_else(|| {
            invalid("1 validation error detected: Value at 'alarmName' failed to satisfy constraint")
        })?
        .to_owned();
    let strange = !input.metrics().is_empty()
        || input.evaluation_criteria().is_some()
        || input.evaluation_interval().is_some()
        || input.threshold_metric_id().is_some();
    if strange {
        return Err(invalid("This world has alarms on one metric, and no others."));
    }
    let word = |text: Option<&str>, what: &str| {
        text.filter(|text| length_within(text, 1, 255) && !text.starts_with(':'))
            .map(str::to_owned)
            .ok_or_else(|| invalid(format!("The parameter {what} is required.")))
    };
    let metric = (word(input.namespace(), "Namespace")?, word(input.metric_name(), "MetricName")?);
    if input.statistic().is_some() == input.extended_statistic().is_some() {
        return Err(invalid("Exactly one of Statistic and ExtendedStatistic must be specified."));
    }
    numbers(input)?;
    let threshold = input.threshold().ok_or_else(|| invalid("The parameter Threshold is required."))?;
    let comparison = input.comparison_operator().ok_or_else(|| invalid("ComparisonOperator is required."))?;
    let missing = input.treat_missing_data().unwrap_or("missing");
    if !["breaching", "notBreaching", "ignore", "missing"].contains(&missing) {
        return Err(invalid(format!("Option {missing} for TreatMissingData is not supported.")));
    }
    if input.alarm_description().is_some_and(|text| !length_within(text, 0, 1024)) {
        return Err(invalid(
            "1 validation error detected: Value at 'alarmDescription' failed to satisfy constraint",
        ));
    }
    let arn = call.arn("cloudwatch", format!("alarm:{name}"));
    let now = date_time(call.now);
    let mut alarm = MetricAlarm::builder()
        .alarm_name(&name)
        .alarm_arn(arn)
        .set_alarm_description(input.alarm_description().map(str::to_owned))
        .alarm_configuration_updated_timestamp(now)
        .actions_enabled(input.actions_enabled().unwrap_or(true))
        .set_ok_actions(Some(actions(call, input.ok_actions())?))
        .set_alarm_actions(Some(actions(call, input.alarm_actions())?))
        .set_insufficient_data_actions(Some(actions(call, input.insufficient_data_actions())?))
        .namespace(metric.0)
        .metric_name(metric.1)
        .set_statistic(input.statistic().cloned())
        .set_extended_statistic(input.extended_statistic().map(str::to_owned))
        .set_dimensions(Some(input.dimensions().to_vec()))
        .set_period(input.period())
        .set_unit(input.unit().cloned())
        .set_evaluation_periods(input.evaluation_periods())
        .set_datapoints_to_alarm(input.datapoints_to_alarm())
        .threshold(threshold)
        .comparison_operator(comparison.clone())
        .treat_missing_data(missing)
        .set_evaluate_low_sample_count_percentile(
            input.evaluate_low_sample_count_percentile().map(str::to_owned),
        )
        .state_value(StateValue::InsufficientData)
        .build();
    let tags = input.tags().iter().filter_map(|tag| Some((tag.key()?.to_owned(), tag.value()?.to_owned())));
    let tags: BTreeMap<String, String> = tags.collect();
    let cloudwatch = &mut call.here().cloudwatch;
    match cloudwatch.alarms.get(&name) {
        // "When you update an existing alarm, its state is left unchanged"; its tags too.
        Some(before) => alarm.state_value.clone_from(&before.state_value),
        None => drop(cloudwatch.tags.insert(name.clone(), tags)),
    }
    cloudwatch.alarms.insert(name, alarm);
    Ok(PutMetricAlarmOutput::builder().build())
}

/// How many alarms a page has here: pages may be shorter than `MaxRecords`.
const ALARMS_A_PAGE: usize = 4;

/// DescribeAlarms: by names or by a prefix, alarms on metrics where no type is said.
fn describe_alarms(
    call: &mut Call<'_>,
    input: &DescribeAlarmsInput,
) -> Result<DescribeAlarmsOutput, Refusal> {
    let size = match input.max_records() {
        None => ALARMS_A_PAGE,
        Some(most @ 1..=100) => usize::try_from(most).unwrap_or(ALARMS_A_PAGE).min(ALARMS_A_PAGE),
        Some(_) => {
            return Err(invalid(
                "1 validation error detected: Value at 'maxRecords' failed to satisfy constraint",
            ));
        }
    };
    let (names, prefix) = (input.alarm_names(), input.alarm_name_prefix());
    if !names.is_empty() && prefix.is_some() {
        return Err(invalid("AlarmNamePrefix and AlarmNames cannot both be specified."));
    }
    let others = input.children_of_alarm_name().is_some()
        || input.parents_of_alarm_name().is_some()
        || input.state_value().is_some()
        || input.action_prefix().is_some()
        || !input.alarm_types().is_empty();
    if others || names.len() > 100 {
        return Err(invalid("This world tells alarms on metrics by their names, and by nothing else."));
    }
    let alarms: Vec<MetricAlarm> = call
        .here()
        .cloudwatch
        .alarms
        .iter()
        .filter(|(name, _)| names.is_empty() || names.contains(name))
        .filter(|(name, _)| prefix.is_none_or(|prefix| name.starts_with(prefix)))
        .map(|(_, alarm)| alarm.clone())
        .collect();
    let (told, next) = page(&alarms, input.next_token(), size)
        .ok_or_else(|| Refusal::new(400, "InvalidNextToken", "The next token specified is invalid."))?;
    Ok(DescribeAlarmsOutput::builder()
        .set_composite_alarms(Some(Vec::new()))
        .set_metric_alarms(Some(told))
        .set_next_token(next)
        .build())
}

#[cfg(test)]
mod tests;
