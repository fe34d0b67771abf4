//! What the controller says: one line for each thing that happens, the same for people and for programs. Nothing in it
//! is secret; what came from AWS or from the documents is escaped.

use super::reconcile::{Done, Ended};
use super::schedule::Class;
use super::signed::{Kind, News};
use super::waves::{Open, Why};
use crate::desired::days_until;
use crate::report::escape::escape;

/// What the lines are filtered by.
pub const TARGET: &str = "baseline::controller";

/// A turn has ended. Nothing new is told quietly, trouble is a warning.
pub(super) fn turn(done: &Done, next: jiff::Timestamp) {
    let name = escape(&done.name).into_owned();
    let totals = &done.totals;
    let (account, run) = (done.account.as_str(), done.run.as_str());
    let ms = u64::try_from(done.elapsed.as_millis()).unwrap_or(u64::MAX);
    for error in &done.not_kept {
        tracing::error!(target: TARGET, account, name, run, error = chain(error), "done, but not recorded");
    }
    match &done.ended {
        Ended::LeftAlone { reason, why } => {
            tracing::warn!(target: TARGET, account, name, run, reason, why = %escape(why), %next, "left alone");
        }
        Ended::NoRecords(error) => {
            tracing::error!(target: TARGET, account, name, run, error = chain(error), %next, "not looked at: no records");
        }
        Ended::Seen => tracing::debug!(target: TARGET, account, name, run, "seen since it was asked for"),
        Ended::Interrupted => tracing::info!(target: TARGET, account, name, run, "given up: told to stop"),
        Ended::Looked => {
            if let Some(why) = &done.waits {
                tracing::info!(target: TARGET, account, name, run, changes = done.waiting, why = %escape(why), "held: an earlier wave goes first");
            }
            let changed = escape(&done.changed.join(", ")).into_owned();
            let class = done.failing.as_ref().map_or("", |failing| failing.class.word());
            let failures = done.failing.as_ref().map_or(0, |failing| failing.failures);
            macro_rules! line {
                ($level:ident) => {
                    tracing::$level!(
                        target: TARGET,
                        account,
                        name,
                        run,
                        in_sync = totals.in_sync,
                        change = totals.change,
                        observe_only = totals.observe_only,
                        manual = totals.manual,
                        progressing = totals.progressing,
                        blocked = totals.blocked,
                        excepted = totals.excepted,
                        unknown = totals.unknown,
                        held = done.held,
                        failed = done.failed,
                        refused = done.refused,
                        contested = done.contested,
                        changed,
                        calls = done.calls,
                        ms,
                        class,
                        failures,
                        %next,
                        "reconciled"
                    )
                };
            }
            let is_trouble = done.failed + done.contested + totals.unknown > 0
                || done.failing.as_ref().is_some_and(|failing| failing.class != Class::Throttled);
            if is_trouble { line!(warn) } else { line!(info) }
        }
    }
}

/// Is it about another wave, or has this one failed meanwhile? Who of a wave is still waited for is no news.
pub(super) fn is_other_wave(before: Option<&Open>, now: Option<&Open>) -> bool {
    let of = |open: Option<&Open>| open.map(|open| (open.wave, matches!(open.why, Why::Failed { .. })));
    of(before) != of(now)
}

/// A rollout goes on, has stopped, or is through.
pub(super) fn wave(open: Option<&Open>) {
    let Some(open) = open else {
        tracing::info!(target: TARGET, "the rollout is through: no wave is waited for");
        return;
    };
    let (wave, why) = (open.wave, open.to_string());
    match &open.why {
        Why::Waits(_) => {
            tracing::info!(target: TARGET, wave, why = %escape(&why), "what is new goes wave by wave");
        }
        Why::Failed { .. } => {
            tracing::warn!(target: TARGET, wave, why = %escape(&why), "the rollout has stopped: later waves wait");
        }
    }
}

/// An exception or attestation ends soon, or has ended: what it was about counts again.
pub(super) fn signed(news: &News) {
    let News { kind, name, control, owner, ticket, expires, on, ended } = news;
    let (name, owner) = (escape(name).into_owned(), escape(owner).into_owned());
    let ticket = ticket.as_deref().map(escape).unwrap_or_default();
    let days = days_until(*expires, *on);
    match (kind, ended) {
        (Kind::Exception, true) => {
            tracing::warn!(target: TARGET, exception = name, control, owner, %ticket, %expires, "an exception has expired: it is no longer honoured");
        }
        (Kind::Exception, false) => {
            tracing::info!(target: TARGET, exception = name, control, owner, %ticket, %expires, days, "an exception ends soon");
        }
        (Kind::Attestation, true) => {
            tracing::warn!(target: TARGET, attestation = name, control, by = owner, %expires, "an attestation has expired: it is a task by hand again");
        }
        (Kind::Attestation, false) => {
            tracing::info!(target: TARGET, attestation = name, control, by = owner, %expires, days, "an attestation ends soon");
        }
    }
}

/// An error and its causes in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    escape(&text).into_owned()
}
