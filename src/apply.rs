//! Doing what a guarded plan says, and what came of it, as data.

mod before;
mod conclude;
mod execute;
mod group;
mod left;
mod moved;
mod round;

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::control::Thing;
use crate::fault::Fault;
use crate::plan::Item;
use crate::who::Who;

pub use before::{audit_place, descent, open_audit, remembered};
pub use conclude::{Concluded, Concluding, conclude};
pub use execute::{Applying, Event, apply};

/// One run of apply.
#[must_use = "a run that nobody reads about might as well have failed"]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApplyReport {
    /// The run's id, a ULID: session name, audit key and what people quote.
    pub run: String,
    /// Where the before-images lie: a folder or `s3://…`.
    pub audit: String,
    /// The role that wrote, as the YAML names it.
    pub role: String,
    /// Every change of the plan that was selected, in plan order.
    pub changes: Vec<ChangeReport>,
    /// A signal ended the run: the step in hand was finished, the rest not started.
    pub interrupted: bool,
    /// Why some changes of the plan were not even selected: sentences without a full stop.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub held_back: Vec<String>,
    /// Tasks by hand, things in progress and things not known that the plan held, and that remain.
    pub remaining: Remaining,
}

/// What an apply leaves because it is not its to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Remaining {
    pub manual: usize,
    pub progressing: usize,
    pub blocked: usize,
    pub unknown: usize,
}

/// One change, and how it ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangeReport {
    pub item: Item,
    /// Write calls that were sent, retries not counted.
    pub calls: usize,
    /// From the first look before the change to the last one after it.
    pub elapsed: Duration,
    /// Why it took as long as it did: `retried for 12 s: InsufficientEncryptionPolicyException`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retried: Option<String>,
    pub result: ChangeResult,
}

/// How a change ended. A write's own answer is never the verdict: only a look afterwards makes `Held`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "camelCase")]
pub enum ChangeResult {
    /// Made, and seen to hold.
    Held,
    /// Not started: what was planned is no longer what a fresh look asks for.
    Moved {
        /// A sentence: `enabled was false when planned and is true now`.
        what: String,
        /// Who may have moved it since it was planned. Absent where nobody looked: the run was interrupted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        who: Option<Who>,
    },
    /// A call failed.
    Failed { fault: Fault },
    /// The calls went through and the setting was not seen to hold within its patience.
    NotVerified { why: String },
    /// Not started: something that it stands on is not there.
    Blocked { on: Vec<Thing> },
    /// Not started: the run ended before its turn.
    NotReached,
    /// Not started: an earlier wave of the rollout did not hold.
    HeldBack { why: String },
}

impl ChangeResult {
    /// The JSON word.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Moved { .. } => "moved",
            Self::Failed { .. } => "failed",
            Self::NotVerified { .. } => "notVerified",
            Self::Blocked { .. } => "blocked",
            Self::NotReached => "notReached",
            Self::HeldBack { .. } => "heldBack",
        }
    }
}
