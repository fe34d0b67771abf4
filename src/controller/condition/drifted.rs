//! What was as desired and was found otherwise: what was there, what was found, and, where CloudTrail says it, who did
//! it and when.
//!
//! What the documents ask for anew is no drift, and neither is what was never seen as desired.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::finding::Key;
use super::judge::Looked;
use super::{AccountConditions, Status, Type};
use crate::apply::ChangeResult;
use crate::controller::schedule::after;
use crate::digest;
use crate::plan::{Item, Outcome};
use crate::who::Deed;

/// So much is remembered of an account; older ones are in the audit record, as far as they were put right.
pub const MOST: usize = 20;

/// CloudTrail's event history is some 15 minutes behind (User Guide, "Working with CloudTrail Event history"): who was
/// not found at once is asked for once more after this.
pub(super) const ASK_AGAIN_AFTER: Duration = Duration::from_secs(20 * 60);

/// How often who did it is asked for.
pub(super) const ASKED_AT_MOST: u8 = 2;

/// The longest value that is remembered whole: a policy would fill the record.
const LONGEST_VALUE: usize = 400;

/// One drift of one finding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Drifted {
    #[serde(flatten)]
    pub finding: Key,
    /// When it was found.
    pub found: Timestamp,
    /// When it was last seen as desired.
    pub since: Timestamp,
    pub fields: Vec<DriftedField>,
    pub ended: Ended,
    /// Calls that may have done it, newest first. Empty: not known, or not yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by: Vec<Deed>,
    /// How often CloudTrail was asked.
    #[serde(default)]
    pub asked: u8,
}

/// A field that was otherwise, in the words of the YAML.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DriftedField {
    /// A JSON pointer.
    pub path: String,
    pub desired: Value,
    pub found: Value,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "camelCase")]
pub enum Ended {
    /// It is still otherwise.
    Open,
    /// We put it right.
    PutRight { at: Timestamp, run: String },
    /// It was found as desired again, and it was not us.
    CameBack { at: Timestamp },
}

/// As much of a digest as tells the findings of an account apart.
fn digest(key: &Key) -> String {
    let text = [key.region.as_str(), &key.control, &key.rule, &key.resource].join("\n");
    digest::hex(&Sha256::digest(text.as_bytes())[..5])
}

fn is_made(looked: &Looked<'_>, key: &Key) -> bool {
    matches!(looked.result(key), Some(ChangeResult::Held))
}

/// The findings that are open after a look: what is found there later is no news. One that was not there is.
pub(super) fn open(looked: &Looked<'_>) -> BTreeSet<String> {
    let items = looked.plan.items.iter().filter(|item| item.outcome != Outcome::InSync);
    items.map(Key::of).filter(|key| !is_made(looked, key)).map(|key| digest(&key)).collect()
}

/// What is remembered after a look. Pure.
pub(super) fn next(before: &AccountConditions, looked: &Looked<'_>) -> Vec<Drifted> {
    let mut drift = before.drift.clone();
    if !looked.is_reached() {
        return drift;
    }
    for one in drift.iter_mut().filter(|one| one.ended == Ended::Open) {
        let about = |item: &&Item| Key::of(item) == one.finding;
        let ended = match looked.plan.items.iter().find(about) {
            _ if is_made(looked, &one.finding) => {
                Ended::PutRight { at: looked.now, run: looked.run.to_owned() }
            }
            Some(item) if item.outcome == Outcome::InSync => Ended::CameBack { at: looked.now },
            _ => Ended::Open,
        };
        one.ended = ended;
    }
    let same_documents = before.observed.as_ref() == Some(&looked.observed);
    if let Some(since) = before.last_look.filter(|_| same_documents) {
        let found = looked.plan.items.iter().filter_map(|item| found(before, looked, item, since));
        drift.extend(found);
    }
    let older = drift.len().saturating_sub(MOST);
    drift.drain(..older);
    drift
}

/// The drift of one finding, where it is one.
fn found(before: &AccountConditions, looked: &Looked<'_>, item: &Item, since: Timestamp) -> Option<Drifted> {
    let change = item.finding.change()?;
    if !matches!(item.outcome, Outcome::Change | Outcome::ObserveOnly | Outcome::Blocked { .. }) {
        return None;
    }
    let finding = Key::of(item);
    let control = before.control(&finding.region, &finding.control)?;
    // What nobody could see may have been so for long.
    if control.condition(Type::Synced)?.status == Status::Unknown || before.open.contains(&digest(&finding)) {
        return None;
    }
    let fields = change.fields.iter().map(|field| DriftedField {
        path: field.path.clone(),
        desired: short(&field.after),
        found: short(&field.before),
    });
    let ended = match is_made(looked, &finding) {
        true => Ended::PutRight { at: looked.now, run: looked.run.to_owned() },
        false => Ended::Open,
    };
    Some(Drifted {
        fields: fields.collect(),
        finding,
        found: looked.now,
        since: control.last_good_look.unwrap_or(since),
        ended,
        by: Vec::new(),
        asked: 0,
    })
}

fn short(value: &Value) -> Value {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match text.char_indices().nth(LONGEST_VALUE) {
        Some((end, _)) => Value::String(format!("{}…", &text[..end])),
        None => value.clone(),
    }
}

impl Drifted {
    /// Is CloudTrail to be asked now who did it?
    pub fn asks(&self, now: Timestamp) -> bool {
        let again = after(self.found, ASK_AGAIN_AFTER) <= now;
        self.will_ask() && (self.asked == 0 || again)
    }

    /// Is it to be asked now or later?
    pub fn will_ask(&self) -> bool {
        self.by.is_empty() && self.asked < ASKED_AT_MOST
    }
}
