//! Metric filters of the trail's log group and alarms on them, as `cloudwatch.cis-alarms` would write them.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use aws_sdk_cloudwatch::types::{ComparisonOperator, MetricAlarm, Statistic};
use aws_sdk_cloudwatchlogs::types::MetricTransformation;
use baseline::control::{Facts, Known, Verdict};
use baseline::controls;
use baseline::place::{Region, Scope};
use baseline::sandbox::RegionState;
use baseline::sandbox::logs::Filter;
use baseline::sandbox::sample::MANAGEMENT;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::in_use::{GROUP, topic_arn};
use crate::sample::HOME;

/// The topic of the control's example.
pub const TOPIC: &str = "security-alarms";

/// What the control writes where there is nothing, which is asked of the control itself: fifteen patterns of its own
/// are not copied here.
pub struct Watched {
    filters: BTreeMap<String, Filter>,
    /// Without the topic, which each account has of its own.
    alarms: Vec<MetricAlarm>,
}

impl Watched {
    /// # Errors
    ///
    /// When the control does not say for each of its alarms what it would write.
    pub fn of_the_control(since: Timestamp) -> anyhow::Result<Self> {
        let control =
            controls::find("cloudwatch.cis-alarms").context("there is no `cloudwatch.cis-alarms`")?;
        let spec: Value = serde_yaml::from_str(control.meta().example)?;
        let nothing = json!({"group": GROUP, "filters": [], "alarms": []});
        let findings = control.plan(&facts(since)?, &Known::new([]), &spec, &nothing)?;
        let (mut filters, mut alarms) = (BTreeMap::new(), Vec::new());
        for finding in findings {
            let Verdict::Change(change) = finding.verdict else { continue };
            for step in change.steps {
                let action = step.action.value();
                if let Some(write) = action.get("putFilter") {
                    filters.insert(text(write, "/filter")?, filter(write, since)?);
                } else if let Some(write) = action.get("putAlarm") {
                    alarms.push(alarm(write)?);
                }
            }
        }
        let said = spec["alarms"].as_object().map_or(0, serde_json::Map::len);
        ensure!(
            said > 0 && filters.len() == said && alarms.len() == said,
            "`cloudwatch.cis-alarms` declares {said} alarms, and writes {} filters and {} alarms",
            filters.len(),
            alarms.len(),
        );
        Ok(Self { filters, alarms })
    }

    /// Puts them into the home region of an account, which has the log group.
    pub fn furnish(&self, home: &mut RegionState, account: &str) -> anyhow::Result<()> {
        let group = home.logs.groups.get_mut(GROUP).context("the log group is not there")?;
        group.filters.clone_from(&self.filters);
        for alarm in &self.alarms {
            let mut alarm = alarm.clone();
            alarm.alarm_actions = Some(vec![topic_arn(HOME, account, TOPIC)]);
            let name = alarm.alarm_name.clone().context("an alarm without a name")?;
            home.cloudwatch.alarms.insert(name, alarm);
        }
        Ok(())
    }
}

/// Any account of the organisation: what is written does not depend on which.
fn facts(since: Timestamp) -> anyhow::Result<Facts> {
    let home = Region::new(HOME);
    Ok(Facts {
        scope: Scope { account: MANAGEMENT.parse().map_err(anyhow::Error::msg)?, region: home.clone() },
        partition: "aws".to_owned(),
        managed: vec![home.clone()],
        home,
        organization: None,
        tags: BTreeMap::new(),
        networks: Arc::default(),
        exempt: Vec::new(),
        observed_at: since,
    })
}

fn filter(write: &Value, since: Timestamp) -> anyhow::Result<Filter> {
    let transformation = MetricTransformation::builder()
        .metric_namespace(text(write, "/metric/namespace")?)
        .metric_name(text(write, "/metric/name")?)
        .metric_value("1")
        .default_value(0.0)
        .build()?;
    Ok(Filter { pattern: text(write, "/pattern")?, transformation, criteria: None, created: since })
}

/// What the example leaves out is what a new alarm has: one event in one period of five minutes.
fn alarm(write: &Value) -> anyhow::Result<MetricAlarm> {
    let number = |leaf: &str, otherwise: i64| {
        let said = write.pointer(leaf).and_then(Value::as_i64).unwrap_or(otherwise);
        i32::try_from(said).with_context(|| format!("{leaf} is {said}"))
    };
    Ok(MetricAlarm::builder()
        .alarm_name(text(write, "/alarm")?)
        .namespace(text(write, "/settings/counts/namespace")?)
        .metric_name(text(write, "/settings/counts/name")?)
        .actions_enabled(true)
        .statistic(Statistic::Sum)
        .comparison_operator(ComparisonOperator::GreaterThanOrEqualToThreshold)
        .threshold(f64::from(number("/settings/threshold", 1)?))
        .period(number("/settings/period", 300)?)
        .evaluation_periods(number("/settings/evaluationPeriods", 1)?)
        .treat_missing_data("notBreaching")
        .build())
}

fn text(write: &Value, leaf: &str) -> anyhow::Result<String> {
    let said = write.pointer(leaf).and_then(Value::as_str).map(str::to_owned);
    said.with_context(|| format!("{leaf} is not in {write}"))
}
