//! What is kept until it was told: one object for each account and one for the organisation, beside the audit records.
//!
//! It knows what is the matter, so that each thing is told once, and what is still to be told to whom, so that a restart
//! goes on with it. Changing it is pure.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::event::{Event, Said, id};
use crate::controller::schedule::after;
use crate::desired::EventKind;
use crate::place::Region;

/// The version that this build writes.
const FORMAT: u32 = 1;

/// So many events wait in one object; beyond that the oldest are lost, and that is told.
const MOST: usize = 1_000;

/// An event that could not be told for so long is lost, and that is told: nobody wants to hear of it now.
const KEPT_FOR: Duration = Duration::from_secs(7 * 24 * 3600);

/// One object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Kept {
    pub format_version: u32,
    /// What is the matter, by key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub open: BTreeMap<String, Open>,
    /// What is still to be told, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pending: Vec<Pending>,
}

/// Something that is the matter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Open {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<(Region, String)>,
    pub since: Timestamp,
    /// How many looks in a row have shown it before it was told.
    pub looks: u32,
    pub told: bool,
}

/// An event, and who has yet to be told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Pending {
    pub event: Event,
    pub at: Timestamp,
    /// Names of notifications.
    pub to: BTreeSet<String>,
}

impl Default for Kept {
    fn default() -> Self {
        Self { format_version: FORMAT, open: BTreeMap::new(), pending: Vec::new() }
    }
}

impl Kept {
    /// Takes in what was said. `to` says who is told of what.
    pub fn take(
        &mut self,
        owner: &str,
        said: &Said,
        to: impl Fn(EventKind) -> BTreeSet<String>,
        now: Timestamp,
    ) {
        self.format_version = FORMAT;
        let mut seen = BTreeSet::new();
        for standing in &said.standing {
            let mut names = to(standing.event.event);
            if let Some(only) = &standing.only {
                names.retain(|name| only.contains(name));
            }
            // What nobody is told of is not remembered: it is news to whoever is to be told of it later.
            if names.is_empty() {
                continue;
            }
            seen.insert(standing.key.as_str());
            let fresh = Open { scope: standing.scope.clone(), since: now, looks: 0, told: false };
            let open = self.open.entry(standing.key.clone()).or_insert(fresh);
            if open.told {
                continue;
            }
            open.looks = open.looks.saturating_add(1);
            if open.looks < standing.looks {
                continue;
            }
            open.told = true;
            let event = Event {
                id: id(owner, &standing.key, open.since),
                since: open.since,
                ..standing.event.clone()
            };
            self.pending.push(Pending { event, at: now, to: names });
        }
        self.open.retain(|key, open| seen.contains(key.as_str()) || may_still_be(open, said));
        for event in &said.made {
            let names = to(event.event);
            if !names.is_empty() && !self.pending.iter().any(|one| one.event.id == event.id) {
                self.pending.push(Pending { event: event.clone(), at: now, to: names });
            }
        }
    }

    /// Takes out what was told, and whoever is not to be told any more; and gives what is lost.
    pub fn settle(
        &mut self,
        told: &BTreeSet<(String, String)>,
        declared: &BTreeSet<String>,
        now: Timestamp,
    ) -> Vec<Pending> {
        for pending in &mut self.pending {
            let id = &pending.event.id;
            pending.to.retain(|name| declared.contains(name) && !told.contains(&(id.clone(), name.clone())));
        }
        self.pending.retain(|pending| !pending.to.is_empty());
        let is_old = |pending: &mut Pending| after(pending.at, KEPT_FOR) <= now;
        let mut lost: Vec<Pending> = self.pending.extract_if(.., is_old).collect();
        let too_many = self.pending.len().saturating_sub(MOST);
        lost.extend(self.pending.drain(..too_many));
        lost
    }
}

/// May something that was not seen be the matter all the same? What is about the account as a whole would have been
/// said.
fn may_still_be(open: &Open, said: &Said) -> bool {
    let Some((region, control)) = &open.scope else { return false };
    !control.is_empty() && (said.blind || said.unseen.contains(&(region.clone(), control.clone())))
}
