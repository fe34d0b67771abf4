//! Several events as one message: text for people, an object for programs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::event::Event;
use super::template::{fill, own_words};
use crate::desired::{EventKind, Notification};
use crate::digest;
use crate::report::escape::escape;

/// Lines that a message for people has; the rest is counted.
const LISTED: usize = 20;
/// Accounts that a line names.
const NAMED: usize = 3;

/// What a generic webhook gets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Notification")]
pub struct Payload {
    /// 1.
    pub format_version: u32,
    /// Of this message: the same when the same events are sent again.
    pub id: String,
    /// When it was sent, RFC 3339.
    #[schemars(with = "String")]
    pub sent_at: Timestamp,
    /// `metadata.name` of the Organization document.
    pub organization: String,
    /// The name of the notification.
    pub notification: String,
    /// Sent by `baseline notifications test`: nothing has happened.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schemars(default)]
    pub test: bool,
    /// All of it as text for people.
    pub text: String,
    pub events: Vec<Event>,
    /// Events that wait for the next message.
    pub held_back: usize,
    /// Events of which nobody was told, because they could not be for too long.
    pub lost: u64,
}

/// A message as it is handed to whoever sends it.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub id: String,
    pub organization: String,
    pub title: String,
    pub text: String,
    pub events: Vec<Arc<Event>>,
    pub held_back: usize,
    pub lost: u64,
    pub test: bool,
    pub at: Timestamp,
}

/// What a message is made of.
pub(super) struct Parts<'a> {
    pub organization: &'a str,
    pub notification: &'a Notification,
    pub events: Vec<Arc<Event>>,
    pub held_back: usize,
    pub lost: u64,
    /// When the oldest of them happened, where they had to wait for each other.
    pub waited_since: Option<Timestamp>,
    pub test: bool,
    pub at: Timestamp,
}

impl Message {
    pub fn of(parts: Parts<'_>) -> Self {
        let Parts { organization, notification, mut events, held_back, lost, waited_since, test, at } = parts;
        events
            .sort_by(|a, b| (a.event, &a.account_name, &a.since).cmp(&(b.event, &b.account_name, &b.since)));
        let title = title(organization, &events, test);
        let mut text = vec![title.clone(), String::new()];
        let (lines, unlisted) = lines(notification, organization, &events);
        text.extend(lines);
        let mut notes = Vec::new();
        if !unlisted.is_empty() {
            let count = unlisted.len();
            let (is, kinds) = (if count == 1 { "is" } else { "are" }, counts(unlisted.iter().copied()));
            notes.push(format!("{count} more {is} not listed: {kinds}."));
        }
        if held_back > 0 {
            notes.push(format!("{held_back} more are held back for the next message."));
        }
        if let Some(since) = waited_since {
            let since = since.strftime("%H:%M UTC");
            notes.push(format!("Messages were held back since {since}, so that there are not too many."));
        }
        if lost > 0 {
            notes.push(format!("{lost} older events could not be told for too long, and are lost."));
        }
        if !notes.is_empty() {
            text.push(String::new());
            text.extend(notes);
        }
        Self {
            id: digest(events.iter().map(|event| event.id.as_str())),
            organization: organization.to_owned(),
            title,
            text: text.join("\n"),
            events,
            held_back,
            lost,
            test,
            at,
        }
    }

    pub fn payload(&self, notification: &str) -> Payload {
        Payload {
            format_version: 1,
            id: self.id.clone(),
            sent_at: self.at,
            organization: self.organization.clone(),
            notification: notification.to_owned(),
            test: self.test,
            text: self.text.clone(),
            events: self.events.iter().map(|event| (**event).clone()).collect(),
            held_back: self.held_back,
            lost: self.lost,
        }
    }

    /// The kinds of its events, each once.
    pub fn kinds(&self) -> BTreeSet<EventKind> {
        self.events.iter().map(|event| event.event).collect()
    }
}

/// `baseline acme: 1 contested, 3 drift in 2 accounts`.
fn title(organization: &str, events: &[Arc<Event>], test: bool) -> String {
    let organization = escape(organization);
    if test {
        return format!("baseline {organization}: a test, nothing has happened");
    }
    let accounts: BTreeSet<&str> = events.iter().filter_map(|event| event.account_name.as_deref()).collect();
    let place = match (accounts.len(), accounts.first()) {
        (0, _) | (_, None) => String::new(),
        (1, Some(only)) => format!(" in {}", escape(only)),
        (several, _) => format!(" in {several} accounts"),
    };
    format!("baseline {organization}: {}{place}", counts(events.iter().map(|event| event.event)))
}

/// `1 contested, 3 drift`.
fn counts(kinds: impl Iterator<Item = EventKind>) -> String {
    let mut by_kind: BTreeMap<EventKind, usize> = BTreeMap::new();
    for kind in kinds {
        *by_kind.entry(kind).or_default() += 1;
    }
    let texts: Vec<String> =
        by_kind.into_iter().map(|(kind, count)| format!("{count} {}", kind.word())).collect();
    texts.join(", ")
}

/// The lines, and the kinds of the events that are in none of them. In our own words, what is alike in several accounts
/// is one line.
fn lines(
    notification: &Notification,
    organization: &str,
    events: &[Arc<Event>],
) -> (Vec<String>, Vec<EventKind>) {
    if let Some(template) = &notification.template {
        let lines = events.iter().take(LISTED).map(|event| fill(template, event, organization)).collect();
        return (lines, events.iter().skip(LISTED).map(|event| event.event).collect());
    }
    let mut alike: BTreeMap<(EventKind, String), Vec<Option<&str>>> = BTreeMap::new();
    for event in events {
        alike.entry((event.event, own_words(event))).or_default().push(event.account_name.as_deref());
    }
    let unlisted = alike.iter().skip(LISTED).flat_map(|((kind, _), accounts)| accounts.iter().map(|_| *kind));
    let unlisted = unlisted.collect();
    let line = |((kind, words), accounts): (&(EventKind, String), &Vec<Option<&str>>)| {
        format!("[{}] {}{words}", kind.word(), whose(accounts))
    };
    (alike.iter().take(LISTED).map(line).collect(), unlisted)
}

/// `prod-payments: `, or `48 accounts (a, b, c and 45 more): `.
fn whose(accounts: &[Option<&str>]) -> String {
    let names: BTreeSet<&str> = accounts.iter().copied().flatten().collect();
    let first: Vec<_> = names.iter().take(NAMED).map(|name| escape(name)).collect();
    match names.len() {
        0 => String::new(),
        few if few <= NAMED => format!("{}: ", first.join(", ")),
        many => format!("{many} accounts ({} and {} more): ", first.join(", "), many - NAMED),
    }
}

fn digest<'a>(ids: impl Iterator<Item = &'a str>) -> String {
    let mut hash = Sha256::new();
    let ids: BTreeSet<&str> = ids.collect();
    for id in ids {
        hash.update(id);
    }
    digest::hex(&hash.finalize()[..16])
}
