//! What there is of one watch: its filter by what it counts, and its alarm by the filter's metric.

use super::live::{Alarm, Filter, Metric, Observed};
use super::watch::{Variant, Watch};

/// What there is of one watch.
#[derive(Debug)]
pub struct Found<'o> {
    pub filter: Option<&'o Filter>,
    pub alarm: Option<&'o Alarm>,
    /// Which of the known patterns the filter has.
    pub variant: Option<Variant>,
}

impl<'o> Found<'o> {
    /// By our own names first; then any filter of the group that counts the same, and any alarm on its metric.
    pub fn of(watch: &Watch, observed: &'o Observed) -> Self {
        let name = watch.name();
        let filters = observed.filters.as_deref().unwrap_or_default();
        let alarms_on = |metric: &'o Metric| {
            observed.alarms.iter().filter(move |alarm| alarm.metric == *metric && !alarm.divided)
        };
        let same = |filter: &&'o Filter| !filter.divided && watch.variant_of(&filter.pattern).is_some();
        let own = filters.iter().find(|filter| filter.name == name);
        let filter = own
            .or_else(|| filters.iter().filter(same).find(|filter| alarms_on(&filter.metric).next().is_some()))
            .or_else(|| filters.iter().find(same));
        let on_metric = || {
            let all = || filter.into_iter().flat_map(|filter| alarms_on(&filter.metric));
            all().find(|alarm| alarm.actions_enabled && !alarm.actions.is_empty()).or_else(|| all().next())
        };
        let alarm = observed.alarms.iter().find(|alarm| alarm.name == name).or_else(on_metric);
        let variant = filter.and_then(|filter| watch.variant_of(&filter.pattern));
        Self { filter, alarm, variant }
    }

    /// What of it goes by names of others.
    pub fn others(&self, name: &str) -> Option<String> {
        let filter = self.filter.filter(|filter| filter.name != name);
        let alarm = self.alarm.filter(|alarm| alarm.name != name);
        let words: Vec<String> = filter
            .map(|filter| format!("filter {}", filter.name))
            .into_iter()
            .chain(alarm.map(|alarm| format!("alarm {}", alarm.name)))
            .collect();
        (!words.is_empty()).then(|| format!("{}, rather than a second", words.join(" and ")))
    }
}

/// The least sum that makes an alarm ring: events are whole, so more than 0 is 1 at least.
pub fn least(alarm: &Alarm) -> f64 {
    match alarm.comparison.as_str() {
        "GreaterThanThreshold" => alarm.threshold.floor() + 1.0,
        _ => alarm.threshold,
    }
}

/// Does it sum, ring when there is more, and take silence for silence? `ignore` keeps ringing for ever, and
/// `breaching` rings when nothing is counted at all.
pub fn rings(alarm: &Alarm) -> bool {
    alarm.statistic == "Sum"
        && matches!(alarm.comparison.as_str(), "GreaterThanOrEqualToThreshold" | "GreaterThanThreshold")
        && matches!(alarm.missing_data.as_str(), "notBreaching" | "missing")
}
