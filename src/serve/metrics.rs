//! Figures for Prometheus, in the OpenMetrics text format.
//!
//! What stands how is told as numbers of settings and of accounts, never by account: a thousand accounts would be a
//! thousand series of each figure. Which ones they are, the page says.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use super::guard::told;
use super::view::{counts, entries, is_overdue};
use super::{Served, health};
use crate::controller::condition::{Status, Type};
use crate::controller::index::Entry;
use crate::controller::notify::Tally;
use crate::controller::pulse::{Figures, Label, Seen};
use crate::desired::DesiredState;

type Number = Gauge<f64, AtomicU64>;

/// An exception that ends within so many days is about to.
const SOON: i64 = 30;

pub(super) async fn metrics(State(served): State<Arc<Served>>) -> Response {
    let seen = served.pulse.seen();
    match text(&served.pulse.figures, &seen) {
        Ok(text) => {
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            (StatusCode::OK, [(header::CONTENT_TYPE, kind)], text).into_response()
        }
        Err(_) => told(StatusCode::INTERNAL_SERVER_ERROR, "the figures cannot be written"),
    }
}

/// All of them, as they are now.
fn text(figures: &Figures, seen: &Seen) -> Result<String, std::fmt::Error> {
    let mut registry = Registry::default();
    figures.register(&mut registry);
    of_the_loop(&mut registry, seen);
    of_accounts(&mut registry, seen);
    if let Some(current) = &seen.current {
        of_exceptions(&mut registry, &current.desired, seen.now);
        of_notifications(&mut registry, &current.desired, &seen.told);
    }
    let mut text = String::new();
    encode(&mut text, &registry)?;
    Ok(text)
}

fn gauge(registry: &mut Registry, name: &str, help: &str, value: f64) {
    let gauge = Number::default();
    gauge.set(value);
    registry.register(name, help, gauge);
}

fn family(
    registry: &mut Registry,
    name: &str,
    help: &str,
    label: &'static str,
    values: &[(&'static str, usize)],
) {
    let family = Family::<Label, Number>::default();
    for (value, n) in values {
        family.get_or_create(&[(label, value)]).set(*n as f64);
    }
    registry.register(name, help, family);
}

fn seconds(at: Timestamp) -> f64 {
    at.as_millisecond() as f64 / 1000.0
}

fn of_the_loop(registry: &mut Registry, seen: &Seen) {
    let account = registry.sub_registry_with_label(("controller".into(), "account".into()));
    gauge(account, "controller_runtime_active_workers", "Accounts that have their turn", seen.running as f64);
    gauge(
        account,
        "controller_runtime_max_concurrent_reconciles",
        "Accounts that may have their turn at once",
        seen.settings.accounts_at_once as f64,
    );
    let queue = registry.sub_registry_with_label(("name".into(), "account".into()));
    gauge(queue, "workqueue_depth", "Accounts that are due and wait for a place", seen.waiting as f64);
    let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
    registry.register("baseline_build", "Which build this is", version);
    gauge(registry, "process_start_time_seconds", "When the process began, Unix time", seconds(seen.started));
    gauge(
        registry,
        "baseline_loop_last_turned_timestamp_seconds",
        "When the controller's loop last went round, Unix time",
        seconds(seen.turned),
    );
    gauge(
        registry,
        "baseline_loop_alive",
        "1 while the loop went round within two intervals, as /healthz says",
        flag(health::is_alive(seen)),
    );
    gauge(registry, "baseline_enforces", "1 where what differs is put right", flag(seen.settings.enforces));
    gauge(
        registry,
        "baseline_interval_seconds",
        "Between two looks at an account",
        seen.settings.interval.as_secs_f64(),
    );
    let is_newest = seen.current.is_some() && seen.trouble.is_none();
    gauge(
        registry,
        "baseline_desired_state_is_newest",
        "0 while a newer desired state is not taken, or none is loaded",
        flag(is_newest),
    );
}

fn flag(is_so: bool) -> f64 {
    if is_so { 1.0 } else { 0.0 }
}

fn of_accounts(registry: &mut Registry, seen: &Seen) {
    let entries = entries(seen);
    let known = || entries.iter().filter_map(|(_, entry)| *entry);
    let synced = |status: Status| {
        let of = |entry: Option<&Entry>| entry.map_or(Status::Unknown, Entry::synced);
        entries.iter().filter(|(_, entry)| of(*entry) == status).count()
    };
    family(
        registry,
        "baseline_accounts",
        "Accounts by whether all that is declared there is as desired",
        "synced",
        &[
            ("true", synced(Status::True)),
            ("false", synced(Status::False)),
            ("unknown", synced(Status::Unknown)),
        ],
    );
    let conditions = [Type::Drifted, Type::Progressing, Type::Contested, Type::Stalled, Type::Unknown];
    family(
        registry,
        "baseline_account_conditions",
        "Accounts of which this condition is true",
        "type",
        &conditions.map(|kind| (kind.word(), known().filter(|entry| entry.is(kind)).count())),
    );
    family(
        registry,
        "baseline_settings",
        "Settings by what is the matter with them, over all accounts",
        "outcome",
        &counts(known()).map(|(_, word, n)| (word, n)),
    );
    gauge(
        registry,
        "baseline_accounts_overdue",
        "Accounts that nobody has looked at for more than two intervals",
        entries.iter().filter(|(_, entry)| is_overdue(seen, *entry)).count() as f64,
    );
    if let Some(oldest) = known().filter_map(|entry| entry.last_look).min() {
        gauge(
            registry,
            "baseline_oldest_look_timestamp_seconds",
            "The longest ago that any account was last looked at, Unix time",
            seconds(oldest),
        );
    }
}

/// By the name of the notification: there are as many as the Organization document declares.
fn of_notifications(registry: &mut Registry, desired: &DesiredState, told: &BTreeMap<String, Tally>) {
    let messages = Family::<[(&'static str, String); 2], Counter>::default();
    let lost = Family::<[(&'static str, String); 1], Counter>::default();
    let waiting = Family::<[(&'static str, String); 1], Number>::default();
    for one in &desired.organization.notifications {
        // What has not happened yet is nought, and not absent.
        let tally = told.get(&one.name).copied().unwrap_or_default();
        let name = || ("notification", one.name.clone());
        for (result, n) in [("sent", tally.sent), ("failed", tally.failed)] {
            messages.get_or_create(&[name(), ("result", result.to_owned())]).inc_by(n);
        }
        lost.get_or_create(&[name()]).inc_by(tally.lost);
        waiting.get_or_create(&[name()]).set(tally.waiting as f64);
    }
    let help = "Messages to people by what became of them: taken, or a try that failed";
    registry.register("baseline_notification_messages", help, messages);
    registry.register("baseline_notification_events_lost", "Events that nobody will be told of", lost);
    registry.register("baseline_notification_events_waiting", "Events that wait to be told", waiting);
}

fn of_exceptions(registry: &mut Registry, desired: &DesiredState, now: Timestamp) {
    let today = now.to_zoned_datetime(TimeZone::UTC).date();
    let ends = desired.exceptions.iter().map(|one| one.expires.value);
    let ends = ends.chain(desired.attestations.iter().map(|one| one.expires.value));
    let mut counts = [("live", 0), ("ends_within_30_days", 0), ("ended", 0)];
    for end in ends {
        let days = end.duration_since(today).as_hours() / 24;
        let place = match days {
            ..0 => 2,
            0..=SOON => 1,
            _ => 0,
        };
        if let Some((_, n)) = counts.get_mut(place) {
            *n += 1;
        }
    }
    family(registry, "baseline_exceptions", "Exceptions and attestations by when they end", "state", &counts);
}
