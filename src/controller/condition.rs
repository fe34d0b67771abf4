//! Conditions, in Kubernetes' sense: what is the case with each control in each scope, why, and since when.
//!
//! One object an account. It is made by a pure function ([`judge()`]) from what the account looked like, what was
//! done, and the conditions before; it is all that the controller remembers of an account.
//!
//! | outcome | condition that is true | reason |
//! | --- | --- | --- |
//! | in sync | `Synced` | `InSync` |
//! | change | `Drifted` | `ChangePlanned`; `ObserveOnly` where the controller does not enforce; `Moved` |
//! | change that a guard refuses | `Drifted`, `Stalled` | `ChangePlanned`, `Refused` |
//! | change that failed | `Drifted`, `Stalled` | `ChangePlanned`, the fault's kind, or `NotVerified` |
//! | change that was undone again and again | `Drifted`, `Contested` | `ChangePlanned`, `ChangedBack` |
//! | change that an earlier wave goes before | `Drifted` | `WaitsForWave` |
//! | observed only | `Drifted` | `ObserveOnly`, or `Suspended` |
//! | by hand | `Drifted` | `ManualTask` |
//! | in progress | `Progressing`, after its patience `Stalled` | `InProgress`, `PatienceEnded` |
//! | blocked | `Stalled` | `Blocked` |
//! | excepted, left alone | none; `Synced` is false | `Excepted`, `Foreign` |
//! | not offered | no conditions at all | |
//! | unknown | `Unknown`; `Synced` is `Unknown` too | the fault's kind |

mod account;
mod contest;
pub mod drifted;
mod finding;
mod judge;
mod matters;
pub mod past;
pub mod taken;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::schedule::Class;
use crate::control::Thing;
use crate::place::{AccountId, Region};
use crate::plan::Totals;
use drifted::Drifted;
use past::Past;

pub use contest::{Back, Contest};
pub use finding::{Hold, Key};
pub use judge::{Looked, judge, left_alone, results};
pub use matters::{Made, Matter, Matters, by_whom, matters};
pub use taken::{Ordered, Taken};

/// The version that this build writes.
pub const FORMAT: u32 = 1;

/// What a condition is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Type {
    /// Everything is as desired.
    Synced,
    /// Something is not, and AWS could be changed.
    Drifted,
    /// AWS is still at it.
    Progressing,
    /// It was put right, and somebody changed it back, again and again: it is left.
    Contested,
    /// Nothing goes on by itself: somebody has to do something.
    Stalled,
    /// It could not be looked at.
    Unknown,
}

impl Type {
    pub fn word(self) -> &'static str {
        match self {
            Self::Synced => "Synced",
            Self::Drifted => "Drifted",
            Self::Progressing => "Progressing",
            Self::Contested => "Contested",
            Self::Stalled => "Stalled",
            Self::Unknown => "Unknown",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    True,
    False,
    Unknown,
}

/// One condition. The fields are Kubernetes' own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    #[serde(rename = "type")]
    pub kind: Type,
    pub status: Status,
    /// One word for programs.
    pub reason: String,
    /// For people. Names and values from AWS stand in it as they are: escape it before it is shown.
    pub message: String,
    /// When `status` became what it is.
    pub last_transition_time: Timestamp,
}

/// One control in one scope. `Synced` and `Contested` are always there, of the others those that are true.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ControlConditions {
    pub region: Region,
    pub control: String,
    /// When it was last looked at and everything of it was seen. Absent: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_good_look: Option<Timestamp>,
    pub conditions: Vec<Condition>,
}

/// Which desired state the conditions were judged by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Observed {
    /// The full git revision; absent where the desired state is not in git.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// `sha256:…` of the documents.
    pub digest: String,
}

/// Looks that failed, one after the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Failing {
    pub class: Class,
    /// How many in a row.
    pub failures: u32,
    /// Nothing is tried before.
    pub not_before: Timestamp,
}

/// The desired state itself: is the newest one being kept?
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DesiredStateConditions {
    pub format_version: u32,
    /// Where it comes from, as it was typed.
    pub source: String,
    /// The one that is being kept.
    pub taken: Observed,
    /// `Synced`: false where a newer one was not taken.
    pub conditions: Vec<Condition>,
}

impl DesiredStateConditions {
    /// What it is kept under, beside the accounts.
    pub const NAME: &str = "desired-state";

    /// What is the case now; `trouble` is why a newer one is not taken.
    pub fn now(
        before: Option<&Self>,
        source: &str,
        taken: Observed,
        trouble: Option<(&str, &str)>,
        now: Timestamp,
    ) -> Self {
        let before = before.map(|before| before.conditions.as_slice()).unwrap_or_default();
        let synced = match trouble {
            Some((reason, why)) => now_is(before, Type::Synced, Status::False, reason, why, now),
            None => now_is(before, Type::Synced, Status::True, "Taken", "", now),
        };
        Self { format_version: FORMAT, source: source.to_owned(), taken, conditions: vec![synced] }
    }
}

/// Everything that is remembered of one account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountConditions {
    pub format_version: u32,
    pub account: AccountId,
    pub name: String,
    /// Absent until it was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed: Option<Observed>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_look: Option<Timestamp>,
    /// When that look began, of one that was not broken off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_began: Option<Timestamp>,
    /// The run of that look: its session name in CloudTrail, and its key in the audit record where it wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_run: Option<String>,
    /// Calls that the last look took.
    #[serde(default)]
    pub calls: usize,
    /// The account as a whole could not be looked at, or not all of it and it will be tried again before its turn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing: Option<Failing>,
    /// Of the account as a whole: `Synced` where all its controls are.
    pub conditions: Vec<Condition>,
    /// By region, then control.
    pub controls: Vec<ControlConditions>,
    /// What would have to be there for its blocked changes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waits_for: Vec<Thing>,
    /// What of the documents it was last let take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken: Option<Taken>,
    /// A digest of what is wanted of it, where changes wait for an earlier wave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<String>,
    /// What is remembered of single findings: what was put right lately, what failed, what is contested.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Past>,
    /// How many settings stood how at the last look, after what was put right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub totals: Option<Totals>,
    /// A digest of each finding that is open.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub open: BTreeSet<String>,
    /// A digest of what was open, which is kept whole as a [`Look`](super::look::Look).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub look: Option<String>,
    /// What was found otherwise lately, newest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drift: Vec<Drifted>,
}

impl AccountConditions {
    /// An account that nothing is known of.
    pub fn unseen(account: AccountId, name: &str) -> Self {
        Self {
            format_version: FORMAT,
            account,
            name: name.to_owned(),
            observed: None,
            last_look: None,
            last_began: None,
            last_run: None,
            calls: 0,
            failing: None,
            conditions: Vec::new(),
            controls: Vec::new(),
            waits_for: Vec::new(),
            taken: None,
            held: None,
            findings: Vec::new(),
            totals: None,
            open: BTreeSet::new(),
            look: None,
            drift: Vec::new(),
        }
    }

    /// Do both say the same, but for when it was looked at and by whom?
    pub fn says_the_same(&self, other: &Self) -> bool {
        let timeless = |one: &Self| {
            let mut one = Self { last_look: None, last_began: None, last_run: None, calls: 0, ..one.clone() };
            one.controls.iter_mut().for_each(|control| control.last_good_look = None);
            one
        };
        timeless(self) == timeless(other)
    }

    pub fn control(&self, region: &Region, id: &str) -> Option<&ControlConditions> {
        self.controls.iter().find(|one| one.region == *region && one.control == id)
    }

    /// The condition of this type of the account as a whole.
    pub fn condition(&self, kind: Type) -> Option<&Condition> {
        find(&self.conditions, kind)
    }
}

impl ControlConditions {
    pub fn condition(&self, kind: Type) -> Option<&Condition> {
        find(&self.conditions, kind)
    }

    /// Is it true?
    pub fn is(&self, kind: Type) -> bool {
        self.condition(kind).is_some_and(|condition| condition.status == Status::True)
    }
}

fn find(conditions: &[Condition], kind: Type) -> Option<&Condition> {
    conditions.iter().find(|condition| condition.kind == kind)
}

/// A condition as it is now: its time stays where its status does.
fn now_is(
    before: &[Condition],
    kind: Type,
    status: Status,
    reason: impl Into<String>,
    message: impl Into<String>,
    now: Timestamp,
) -> Condition {
    let since = find(before, kind).filter(|before| before.status == status);
    Condition {
        kind,
        status,
        reason: reason.into(),
        message: message.into(),
        last_transition_time: since.map_or(now, |before| before.last_transition_time),
    }
}
