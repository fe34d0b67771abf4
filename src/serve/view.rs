//! From what a controller knows to what the page and the figures say.

use std::time::Duration;

use crate::controller::Current;
use crate::controller::condition::drifted::{Drifted, Ended};
use crate::controller::condition::{AccountConditions, ControlConditions, Status, Type};
use crate::controller::index::{self, Entry};
use crate::controller::pulse::Seen;
use crate::controller::schedule::after;
use crate::desired::DesiredAccount;
use crate::moment::minute;
use crate::place::AccountId;
use crate::report::html::State;
use crate::report::html::live::{Controller, Drift, Told};

/// Another replica's look may have been kept so much later than it was taken.
const KEPT_LATE: Duration = Duration::from_secs(3600);

/// The accounts of the desired state, and what is known of each.
pub(super) fn entries(seen: &Seen) -> Vec<(&DesiredAccount, Option<&Entry>)> {
    let accounts = seen.current.iter().flat_map(|current| &current.desired.accounts);
    accounts.map(|account| (account, seen.index.get(&account.id))).collect()
}

/// Has nobody looked at it for more than two intervals? An account that is new has as long a time.
pub(super) fn is_overdue(seen: &Seen, entry: Option<&Entry>) -> bool {
    let last = entry.and_then(|entry| entry.last_look).unwrap_or(seen.started).max(seen.started);
    after(last, seen.settings.interval.saturating_mul(2) + KEPT_LATE) < seen.now
}

/// Settings by what is the matter, with the words of metrics.
pub(super) fn counts<'a>(entries: impl Iterator<Item = &'a Entry>) -> [(State, &'static str, usize); 10] {
    let mut counts = [
        (State::Unknown, "unknown", 0),
        (State::Manual, "manual", 0),
        (State::Blocked, "blocked", 0),
        (State::Update, "change", 0),
        (State::Progressing, "progressing", 0),
        (State::ObserveOnly, "observe_only", 0),
        (State::Excepted, "excepted", 0),
        (State::Foreign, "foreign", 0),
        (State::InSync, "in_sync", 0),
        (State::NotOffered, "not_offered", 0),
    ];
    for entry in entries {
        let totals = &entry.totals;
        let these = [
            totals.unknown,
            totals.manual,
            totals.blocked,
            totals.change,
            totals.progressing,
            totals.observe_only,
            totals.excepted,
            totals.foreign,
            totals.in_sync,
            totals.not_offered,
        ];
        for ((_, _, n), more) in counts.iter_mut().zip(these) {
            *n += more;
        }
    }
    counts
}

/// Those that there are any of.
pub(super) fn totals<'a>(entries: impl Iterator<Item = &'a Entry>) -> Vec<(State, usize)> {
    counts(entries).into_iter().filter(|(_, _, n)| *n > 0).map(|(state, _, n)| (state, n)).collect()
}

pub(super) fn controller<'a>(seen: &'a Seen, current: &'a Current, desired: &'a str) -> Controller<'a> {
    let organization = &current.desired.organization;
    Controller {
        organization: &organization.name,
        organization_id: organization.id.as_deref(),
        desired_state: desired,
        trouble: seen.trouble.as_deref(),
        enforces: seen.settings.enforces,
        interval: seen.settings.interval,
        is_stopping: seen.is_stopping,
    }
}

/// What is the matter with an account as a whole. No time stands in it, so that accounts fold.
pub(super) fn trouble(seen: &Seen, entry: Option<&Entry>) -> Vec<String> {
    let mut trouble = Vec::new();
    if is_overdue(seen, entry) {
        trouble.push("not looked at for more than two intervals".to_owned());
    }
    let Some(entry) = entry else { return trouble };
    if let Some(failing) = &entry.failing {
        trouble.push(format!("not all of it could be looked at: {}", failing.class.word()));
    }
    if entry.held.is_some() {
        trouble.push("changes wait for an earlier wave of the rollout".to_owned());
    }
    let left_alone = ["NewerDesiredState", "RevisionNotKnown"];
    let stalled =
        entry.conditions.iter().filter(|one| one.kind == Type::Stalled && one.status == Status::True);
    for one in stalled.filter(|one| left_alone.contains(&one.reason.as_str())) {
        trouble.push(format!("left alone: {}", one.reason));
    }
    trouble
}

pub(super) fn drift<'a>(account: &'a AccountId, one: &'a Drifted) -> Drift<'a> {
    Drift {
        account,
        control: &one.finding.control,
        region: one.finding.region.as_str(),
        resource: &one.finding.resource,
        found: one.found,
        since: one.since,
        fields: one.fields.iter().map(|field| (&*field.path, &field.desired, &field.found)).collect(),
        by: &one.by,
        is_asked_for: one.will_ask(),
        became: match &one.ended {
            Ended::Open => "it is still so".to_owned(),
            Ended::PutRight { at, run } => format!("put right at {}, run {run}", minute(*at)),
            Ended::CameBack { at } => {
                format!("found as desired at {}, and it was not put right by us", minute(*at))
            }
        },
        is_open: one.ended == Ended::Open,
    }
}

/// By control, then region.
pub(super) fn conditions(conditions: &AccountConditions) -> Vec<Told<'_>> {
    let mut told: Vec<Told<'_>> = conditions.controls.iter().map(one).collect();
    told.sort_by_key(|one| (one.control, one.region));
    told
}

fn one(control: &ControlConditions) -> Told<'_> {
    let is_synced = control.is(Type::Synced);
    let said = control.conditions.iter().filter(|one| match one.kind {
        Type::Synced => is_synced || !has_others(control),
        _ => one.status == Status::True,
    });
    Told {
        state: index::state(control),
        control: &control.control,
        region: control.region.as_str(),
        said: said
            .map(|one| {
                let what = match (one.kind, one.status) {
                    (Type::Synced, Status::True) => "Synced".to_owned(),
                    (kind, _) => format!("{}: {}", kind.word(), one.reason),
                };
                (what, one.message.as_str(), one.last_transition_time)
            })
            .collect(),
        last_good_look: control.last_good_look,
    }
}

/// Is something true that says why it is not synced?
fn has_others(control: &ControlConditions) -> bool {
    control.conditions.iter().any(|one| one.kind != Type::Synced && one.status == Status::True)
}
