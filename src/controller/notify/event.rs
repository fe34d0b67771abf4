//! What people are told of: from what is the matter to events, each with an id that is the same however often it is
//! sent. Pure.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::controller::condition::{Key, Matter, Matters, Type};
use crate::desired::{Attestation, DesiredAccount, DesiredState, EventKind, Exception, Notification};
use crate::digest;
use crate::place::Region;

/// How many days before its end an exception is told of, and once more.
const ENDS_WITHIN: [i32; 2] = [14, 2];

/// Something that people are told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "NotificationEvent")]
pub struct Event {
    /// The same for the same event, whoever sends it and however often: one that is known can be left out.
    pub id: String,
    pub event: EventKind,
    /// The account's id. Absent: it is about the organisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The account's name in the documents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Absent: it is about the account as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// One word for programs, as in conditions: `ObserveOnly`, `ChangedBack`, `Denied`.
    pub reason: String,
    /// What is the matter, for people.
    pub message: String,
    /// When it was first seen, RFC 3339.
    #[schemars(with = "String")]
    pub since: Timestamp,
    /// The run that saw it: the name of its sessions in CloudTrail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// Who did it, as far as CloudTrail shows it by then; of an exception, its owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
}

/// Something that is the matter now. It becomes an event when it has been so for some looks in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    /// Tells it apart from everything else of its owner.
    pub key: String,
    /// Whose look shows whether it still is.
    pub scope: Option<(Region, String)>,
    /// So many looks in a row must show it first.
    pub looks: u32,
    /// Whose notifications may tell it; all where absent.
    pub only: Option<BTreeSet<String>>,
    /// As it is told, but for when it was first seen.
    pub event: Event,
}

/// What one owner of events has to say: an account after a look, or the organisation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    pub standing: Vec<Standing>,
    /// What happened once.
    pub made: Vec<Event>,
    /// Controls of which not everything was seen.
    pub unseen: BTreeSet<(Region, String)>,
    /// Nothing was seen.
    pub blind: bool,
}

/// As much of a digest as tells events apart.
fn digest(value: &impl Serialize) -> String {
    digest::short(value, 16)
}

/// The id of an event: whose it is, what it is about, and since when it is so.
pub(super) fn id(owner: &str, key: &str, since: Timestamp) -> String {
    digest(&(owner, key, since))
}

/// What an account has to say after a look.
pub(super) fn of_account(account: &DesiredAccount, matters: &Matters, run: &str, now: Timestamp) -> Said {
    let event = |kind: EventKind, key: &Key, reason: &str, message: &str| Event {
        id: String::new(),
        event: kind,
        account: Some(account.id.to_string()),
        account_name: Some(account.name.to_string()),
        region: said(key.region.as_str()).filter(|_| !key.control.is_empty()),
        control: said(&key.control),
        rule: said(&key.rule),
        resource: said(&key.resource),
        reason: reason.to_owned(),
        message: message.to_owned(),
        since: now,
        run: Some(run.to_owned()),
        who: None,
    };
    let standing = matters.open.iter().filter_map(|matter| {
        let (kind, looks, reason) = told(matter, matters.enforces)?;
        let key = digest(&(kind.word(), &matter.key, reason, &matter.paths));
        let scope = (matter.key.region.clone(), matter.key.control.clone());
        let mut event = event(kind, &matter.key, &matter.reason, &matter.text);
        event.who.clone_from(&matter.who);
        Some(Standing { key, scope: Some(scope), looks, only: None, event })
    });
    let made = matters.made.iter().map(|made| {
        let mut event = event(EventKind::PutRight, &made.key, "PutRight", &made.text);
        event.id = digest(&(account.id.as_str(), EventKind::PutRight.word(), &made.key, run));
        event
    });
    Said {
        standing: standing.collect(),
        made: made.collect(),
        unseen: matters.unseen.clone(),
        blind: matters.blind,
    }
}

/// As what a matter is told, after how many looks that show it, and the reason that tells it apart. What may pass by
/// itself is told when it does not.
fn told(matter: &Matter, enforces: bool) -> Option<(EventKind, u32, &str)> {
    let reason = matter.reason.as_str();
    let (looks, apart) = match reason {
        // The one comes for the other, and neither is news.
        "Throttled" | "Unavailable" | "Conflict" | "NotReady" => (3, ""),
        "Blocked" | "NotVerified" => (2, reason),
        _ => (1, reason),
    };
    match (matter.kind, reason) {
        (Type::Contested, _) => Some((EventKind::Contested, 1, reason)),
        (Type::Drifted, "ManualTask") => Some((EventKind::ManualTask, 1, reason)),
        (Type::Drifted, "ObserveOnly" | "Suspended") => Some((EventKind::Drift, 1, reason)),
        // What a guard would refuse is not refused where nothing is changed anyway.
        (Type::Drifted, "ChangePlanned") if !enforces => Some((EventKind::Drift, 1, "ObserveOnly")),
        (Type::Stalled, "Refused") if !enforces => None,
        (Type::Stalled, _) => Some((EventKind::Stalled, looks, apart)),
        (Type::Unknown, _) => Some((EventKind::Unknown, looks, apart)),
        (Type::Drifted | Type::Synced | Type::Progressing, _) => None,
    }
}

fn said(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// What the organisation has to say: what ends soon, and that the newest desired state is not the one that is kept.
pub(super) fn of_organization(desired: &DesiredState, trouble: Option<&str>, now: Timestamp) -> Said {
    let today = now.to_zoned_datetime(TimeZone::UTC).date();
    let exceptions = desired.exceptions.iter().filter_map(|one| exception(desired, one, today, now));
    let attestations = desired.attestations.iter().filter_map(|one| attestation(desired, one, today, now));
    let trouble = trouble.map(|why| {
        let message = format!("a new desired state is not taken, and the last good one goes on: {why}");
        let event = bare(EventKind::Stalled, "DesiredStateNotTaken", message, now);
        Standing { key: digest(&("desired-state", why)), scope: None, looks: 1, only: None, event }
    });
    Said { standing: exceptions.chain(attestations).chain(trouble).collect(), ..Said::default() }
}

fn bare(event: EventKind, reason: &str, message: String, since: Timestamp) -> Event {
    Event {
        id: String::new(),
        event,
        account: None,
        account_name: None,
        region: None,
        control: None,
        rule: None,
        resource: None,
        reason: reason.to_owned(),
        message,
        since,
        run: None,
        who: None,
    }
}

fn exception(desired: &DesiredState, one: &Exception, today: Date, now: Timestamp) -> Option<Standing> {
    let (step, when) = ends(one.expires.value, today)?;
    let name = &one.metadata.name.value;
    let ticket = one.ticket.as_ref().map(|ticket| format!(", {ticket}")).unwrap_or_default();
    let message = format!(
        "exception {name} ends {when}; after that it is enforced again. Signed for by {}{ticket}: {}",
        one.approver, one.reason
    );
    let mut event = bare(EventKind::ExceptionEnding, "ExceptionEnding", message, now);
    event.control = Some(one.control.clone());
    event.rule.clone_from(&one.rule);
    event.resource = Some(name.clone());
    event.who = Some(one.owner.clone());
    let key = digest(&("exception", name, one.expires.value, step));
    let only = meant(desired, |account| one.means(account));
    Some(Standing { key, scope: None, looks: 1, only, event })
}

fn attestation(desired: &DesiredState, one: &Attestation, today: Date, now: Timestamp) -> Option<Standing> {
    let (step, when) = ends(one.expires.value, today)?;
    let name = &one.metadata.name.value;
    let message = format!("attestation {name} ends {when}; after that it is a task by hand again");
    let mut event = bare(EventKind::ExceptionEnding, "AttestationEnding", message, now);
    event.control = Some(one.control.clone());
    event.rule = Some(one.rule.clone());
    event.resource = Some(name.clone());
    event.who = Some(one.by.clone());
    let key = digest(&("attestation", name, one.expires.value, step));
    let only = meant(desired, |account| one.means(&account.id, &account.name));
    Some(Standing { key, scope: None, looks: 1, only, event })
}

/// Which reminder it is time for, and when the end is; nothing while that is far away.
fn ends(last: Date, today: Date) -> Option<(i32, String)> {
    let days = today.until(last).ok()?.get_days();
    let step = ENDS_WITHIN.into_iter().rev().find(|within| days <= *within)?;
    let when = match days {
        ..=0 => format!("today, {last}"),
        1 => format!("tomorrow, {last}"),
        days => format!("in {days} days, on {last}"),
    };
    Some((step, when))
}

/// The notifications that are for one of these accounts, or for all.
fn meant(desired: &DesiredState, means: impl Fn(&DesiredAccount) -> bool) -> Option<BTreeSet<String>> {
    let everybody = desired.organization.notifications.iter().filter(|one| one.selector.is_none());
    let accounts = desired.accounts.iter().filter(|account| means(account));
    let names = accounts.flat_map(|account| account.notifications.iter().cloned());
    Some(names.chain(everybody.map(|one| one.name.clone())).collect())
}

/// One of the kinds that a notification tells, of an account that there is not.
pub(super) fn sample(notification: &Notification, now: Timestamp) -> Event {
    let kind = notification.events.first().copied().unwrap_or(EventKind::Drift);
    Event {
        id: digest(&("test", now)),
        account: Some("000000000000".to_owned()),
        account_name: Some("sample-account".to_owned()),
        region: Some("us-east-1".to_owned()),
        control: Some("sample.control".to_owned()),
        rule: Some("sample-rule".to_owned()),
        resource: Some("sample-resource".to_owned()),
        who: Some("nobody".to_owned()),
        ..bare(kind, "Test", "sent by `baseline notifications test`".to_owned(), now)
    }
}
