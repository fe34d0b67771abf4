//! Specs that describe what is live, and what was.

use std::collections::BTreeMap;

use super::found::{Found, least, rings};
use super::live::Observed;
use super::spec::{AlarmSpec, AlarmsSpec, ExceptRole, Period};
use super::watch::{EXCEPT_ROLE, QUIET_PATH, SINGLE_SIGN_ON, WATCHES};
use crate::control::{Bounded, Facts, Field, Known, Thing};

/// The spec of the alarms that count what one of the patterns counts.
pub fn import(_: &Facts, known: &Known, observed: &Observed) -> Option<AlarmsSpec> {
    let mut spec = AlarmsSpec { log_group: Some(observed.group.clone()), ..AlarmsSpec::default() };
    let mut topics = Vec::new();
    for watch in WATCHES {
        let found = Found::of(watch, observed);
        let (Some(alarm), Some(variant)) = (found.alarm, found.variant) else { continue };
        if watch.concerned(SINGLE_SIGN_ON) {
            spec.single_sign_on = Some(variant.single_sign_on);
        }
        if watch.concerned(QUIET_PATH) {
            spec.quiet = Some(variant.quiet);
        }
        if watch.concerned(EXCEPT_ROLE) {
            spec.except_role.get_or_insert(ExceptRole(variant.except_role));
        }
        let enabled = match alarm.actions_enabled {
            false => Some(false),
            true => rings(alarm).then_some(true),
        };
        let entry = AlarmSpec {
            enabled,
            threshold: whole(least(alarm)).and_then(Bounded::new),
            period_seconds: Period::new(alarm.period),
            evaluation_periods: Bounded::new(alarm.evaluation_periods),
        };
        spec.alarms.insert(watch.word.to_owned(), entry);
        let named = alarm.actions.iter().filter_map(|arn| match known.name_of(arn) {
            Some(Thing::Topic { name, .. }) => Some(name.clone()),
            _ => None,
        });
        topics.push(named.collect::<Vec<_>>());
    }
    // A topic is said of all alarms or of none.
    let first = topics.first()?.first().cloned();
    spec.topic = first.filter(|name| topics.iter().all(|of| of.contains(name)));
    Some(spec)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number within bounds")]
fn whole(number: f64) -> Option<u32> {
    (number.fract() == 0.0 && (1.0..1e9).contains(&number)).then_some(number as u32)
}

/// An alarm that did not exist is one that is silent. A topic stays: what else an alarm tells is not ours to take out.
pub fn inverse(word: &str, fields: &[Field]) -> Option<AlarmsSpec> {
    let mut entry = AlarmSpec::default();
    let mut spec = AlarmsSpec::default();
    let number = |field: &Field| field.before.as_u64().and_then(|number| u32::try_from(number).ok());
    for field in fields {
        let leaf = field.path.rsplit('/').next().unwrap_or_default();
        match leaf {
            "enabled" if field.before.is_null() => entry.enabled = Some(false),
            "enabled" => entry.enabled = field.before.as_bool(),
            "threshold" => entry.threshold = number(field).and_then(Bounded::new),
            "periodSeconds" => entry.period_seconds = number(field).and_then(Period::new),
            "evaluationPeriods" => entry.evaluation_periods = number(field).and_then(Bounded::new),
            "singleSignOn" => spec.single_sign_on = field.before.as_bool(),
            "quiet" => spec.quiet = field.before.as_bool(),
            "exceptRole" => spec.except_role = serde_json::from_value(field.before.clone()).ok(),
            _ => {}
        }
    }
    if entry == AlarmSpec::default() {
        if spec == AlarmsSpec::default() {
            return None;
        }
        // An option is of those alarms that are named, and an entry that says nothing names none.
        entry.enabled = Some(true);
    }
    spec.alarms = BTreeMap::from([(word.to_owned(), entry)]);
    Some(spec)
}
