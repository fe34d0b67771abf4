//! How all accounts stand, in one object: a page of a thousand accounts reads it instead of a thousand conditions.
//!
//! It is made of the conditions and says nothing that they do not. Every replica puts what it has seen into it, and takes
//! from it what others have seen: of two entries of one account the later look counts, so it does not matter who writes
//! when. It is written in the background, at most every [`EVERY`], and only after news.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Settings;
use super::condition::drifted::Drifted;
use super::condition::{AccountConditions, Condition, ControlConditions, Failing, Status, Taken, Type};
use super::log::{self, TARGET};
use super::schedule::after;
use crate::audit::{Audit, AuditError};
use crate::place::AccountId;
use crate::plan::Totals;
use crate::report::html::State;

/// Between two writes.
const EVERY: Duration = Duration::from_secs(15);

/// What others have seen is fetched so often while somebody reads the page.
const FETCHED_EVERY: Duration = Duration::from_secs(30);

/// What was fetched so lately is as good as new: many turns that are held at once ask once.
const FRESH: Duration = Duration::from_secs(5);

/// An account that nobody has looked at for so long has left.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(30 * 24 * 3600);

/// Drifts of one account in the index; all that are remembered stand in its conditions.
const DRIFTS: usize = 3;

/// What it is kept under, beside the conditions.
const NAME: &str = "index";

const FORMAT: u32 = 1;

/// All accounts that anything is known of.
pub type Index = BTreeMap<AccountId, Entry>;

/// How one account stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub name: String,
    /// Absent: never.
    pub last_look: Option<Timestamp>,
    pub failing: Option<Failing>,
    /// Of the account as a whole.
    pub conditions: Vec<Condition>,
    pub totals: Totals,
    /// What of the documents it was last let take.
    pub taken: Option<Taken>,
    /// A digest of what is wanted of it, where changes wait for an earlier wave.
    pub held: Option<String>,
    /// The worst of all regions, by control.
    pub controls: BTreeMap<String, State>,
    /// The newest ones, oldest first.
    pub drift: Vec<Drifted>,
}

impl Entry {
    pub fn of(conditions: &AccountConditions) -> Self {
        let mut controls: BTreeMap<String, State> = BTreeMap::new();
        for control in &conditions.controls {
            let state = state(control);
            let worst = controls.entry(control.control.clone()).or_insert(state);
            *worst = state.min(*worst);
        }
        let drift = conditions.drift.iter().skip(conditions.drift.len().saturating_sub(DRIFTS));
        Self {
            name: conditions.name.clone(),
            last_look: conditions.last_look,
            failing: conditions.failing.clone(),
            conditions: conditions.conditions.clone(),
            totals: conditions.totals.clone().unwrap_or_default(),
            taken: conditions.taken.clone(),
            held: conditions.held.clone(),
            controls,
            drift: drift.cloned().collect(),
        }
    }

    /// The condition of this type, where it is true.
    pub fn is(&self, kind: Type) -> bool {
        self.conditions.iter().any(|one| one.kind == kind && one.status == Status::True)
    }

    /// `Synced` of the account as a whole; unknown where it was never looked at.
    pub fn synced(&self) -> Status {
        let synced = self.conditions.iter().find(|one| one.kind == Type::Synced);
        synced.map_or(Status::Unknown, |synced| synced.status)
    }
}

/// How one control in one scope stands, as the page shows it.
pub fn state(control: &ControlConditions) -> State {
    let because = |kind: Type, reason: &str| {
        control.is(kind) && control.condition(kind).is_some_and(|condition| condition.reason == reason)
    };
    let is_open = |kind| control.is(kind);
    if is_open(Type::Unknown) {
        State::Unknown
    } else if is_open(Type::Contested) {
        State::Contested
    } else if because(Type::Drifted, "ManualTask") {
        State::Manual
    } else if because(Type::Stalled, "Blocked") {
        State::Blocked
    } else if is_open(Type::Stalled) {
        State::Stalled
    } else if because(Type::Drifted, "ObserveOnly") || because(Type::Drifted, "Suspended") {
        State::ObserveOnly
    } else if is_open(Type::Drifted) {
        State::Update
    } else if is_open(Type::Progressing) {
        State::Progressing
    } else {
        match control.condition(Type::Synced) {
            Some(synced) if synced.status == Status::True => State::InSync,
            Some(synced) if synced.reason == "Excepted" => State::Excepted,
            Some(synced) if synced.reason == "Foreign" => State::Foreign,
            _ => State::Unknown,
        }
    }
}

/// Takes from `other` what is later. Of the same time, ours stands.
pub fn merge(ours: &mut Index, other: Index) {
    for (id, entry) in other {
        match ours.get(&id) {
            Some(own) if own.last_look >= entry.last_look => {}
            _ => {
                ours.insert(id, entry);
            }
        }
    }
}

/// The index as it is kept: controls are named once, and each account has a sign for each.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    format_version: u32,
    controls: Vec<String>,
    accounts: BTreeMap<AccountId, WrittenEntry>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WrittenEntry {
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_look: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failing: Option<Failing>,
    conditions: Vec<Condition>,
    totals: Totals,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    taken: Option<Taken>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    held: Option<String>,
    /// A sign for each of `controls`; a space where the account has not that control.
    signs: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    drift: Vec<Drifted>,
}

/// No sign of a state.
const NOTHING: char = ' ';

impl From<&Index> for Written {
    fn from(index: &Index) -> Self {
        let names: BTreeSet<&String> = index.values().flat_map(|entry| entry.controls.keys()).collect();
        let sign =
            |state: Option<&State>| state.and_then(|state| state.sign().chars().next()).unwrap_or(NOTHING);
        let accounts = index.iter().map(|(id, entry)| {
            let written = WrittenEntry {
                name: entry.name.clone(),
                last_look: entry.last_look,
                failing: entry.failing.clone(),
                conditions: entry.conditions.clone(),
                totals: entry.totals.clone(),
                taken: entry.taken.clone(),
                held: entry.held.clone(),
                signs: names.iter().map(|name| sign(entry.controls.get(*name))).collect(),
                drift: entry.drift.clone(),
            };
            (id.clone(), written)
        });
        Self {
            format_version: FORMAT,
            accounts: accounts.collect(),
            controls: names.into_iter().cloned().collect(),
        }
    }
}

impl From<Written> for Index {
    fn from(written: Written) -> Self {
        let Written { controls: names, accounts, .. } = written;
        let entry = |written: WrittenEntry| {
            let states = names.iter().zip(written.signs.chars()).filter(|(_, sign)| *sign != NOTHING);
            Entry {
                name: written.name,
                last_look: written.last_look,
                failing: written.failing,
                conditions: written.conditions,
                totals: written.totals,
                taken: written.taken,
                held: written.held,
                controls: states.map(|(name, sign)| (name.clone(), State::of_sign(sign))).collect(),
                drift: written.drift,
            }
        };
        accounts.into_iter().map(|(id, written)| (id, entry(written))).collect()
    }
}

/// Keeps the index for as long as it is waited for.
pub(super) async fn keep(settings: &Settings) -> std::convert::Infallible {
    let pulse = &settings.pulse;
    let mut fetched = settings.clock.now();
    let mut trouble = None;
    loop {
        tokio::time::sleep(EVERY).await;
        let now = settings.clock.now();
        let fetches = pulse.is_read(now) && after(fetched, FETCHED_EVERY) <= now;
        // Whoever waits for a wave waits for what other replicas see.
        let holds = settings.queue.is_some() && pulse.holds();
        if !pulse.has_news() && !fetches && !holds {
            continue;
        }
        fetched = now;
        let said = Box::pin(write(settings)).await.err().map(|error| log::chain(&error));
        if let Some(said) = said.as_ref().filter(|_| said != trouble) {
            tracing::warn!(target: TARGET, error = said, "the index of the page is not kept");
        }
        trouble = said;
    }
}

/// Takes from the index that is kept what others have seen, unless that was done just now.
pub(super) async fn refresh(settings: &Settings, audit: &Audit) -> Result<(), AuditError> {
    if !settings.pulse.fetches(FRESH) {
        return Ok(());
    }
    let (kept, _) = audit.conditions::<Written>(NAME).await?;
    if let Some(kept) = kept {
        settings.pulse.merge(kept.into());
    }
    Ok(())
}

/// Puts what is new into the index that is kept, and takes from it what others have seen.
pub(super) async fn write(settings: &Settings) -> Result<(), AuditError> {
    let pulse = &settings.pulse;
    let Some(current) = pulse.current() else { return Ok(()) };
    let audit: &Audit = &current.audit;
    let (kept, tag) = audit.conditions::<Written>(NAME).await?;
    if let Some(kept) = kept {
        pulse.merge(kept.into());
    }
    let (news, mut index) = pulse.news();
    if news.is_empty() {
        return Ok(());
    }
    let forgotten = |entry: &Entry| {
        entry.last_look.is_none_or(|look| after(look, FORGOTTEN_AFTER) < settings.clock.now())
    };
    index.retain(|_, entry| !forgotten(entry));
    // One that was quicker has written what it saw; ours goes in with the next.
    match audit.keep_conditions(NAME, &Written::from(&index), tag).await {
        Ok(()) => {
            pulse.told(&news);
            Ok(())
        }
        Err(AuditError::Raced { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}
