//! What is remembered of single findings between two looks: what was put right lately, what is contested, what failed.
//!
//! A setting that was put right and seen to hold, and is found changed again and again, is somebody's wish: putting it
//! right for ever would be a fight of two programs that nobody hears of. After [`MOST`] times within [`window()`] it is
//! left as it is and told. The fight is over when it is found as desired, or when the desired value is another one.
//!
//! Who changed it back last is asked of CloudTrail where it becomes contested, and kept beside it ([`Field::back`]).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::contest::{Back, Contest};
use super::finding::{Hold, Key};
use super::judge::Looked;
use crate::apply::ChangeResult;
use crate::control::{Change, Step};
use crate::controller::schedule::{Class, after};
use crate::digest;
use crate::plan::Outcome;

/// How often a field is put right within a window. It was changed back as often when it is found changed once more.
pub const MOST: usize = 3;

/// How long a time something was put right is remembered: a day, or eight looks where they are rarer than that allows.
pub fn window(interval: Duration) -> Duration {
    interval.saturating_mul(8).max(Duration::from_secs(24 * 3600))
}

/// What is remembered of one finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Past {
    #[serde(flatten)]
    pub finding: Key,
    /// What was put right, by the field's path.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, Field>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<Failed>,
}

/// One field that was put right.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Field {
    /// A digest of the value that it was given.
    pub wanted: String,
    /// When, oldest first; those within the window.
    pub put_right: Vec<Timestamp>,
    /// Since when it is left as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contested: Option<Timestamp>,
    /// Who changed it back last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub back: Option<Back>,
}

/// A change that was tried and is not made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Failed {
    /// A digest of what the change was to make.
    pub wanted: String,
    pub class: Class,
    /// How often in a row.
    pub times: u32,
    /// It is not tried again before.
    pub not_before: Timestamp,
    /// The fault's kind, or `NotVerified`.
    pub reason: String,
    pub message: String,
}

/// As much of a digest as tells values apart.
fn digest(value: &impl Serialize) -> String {
    digest::short(value, 8)
}

fn wanted(change: &Change<Step>) -> String {
    let fields: Vec<_> = change.fields.iter().map(|field| (&field.path, &field.after)).collect();
    digest(&fields)
}

impl Past {
    fn of(finding: Key) -> Self {
        Self { finding, fields: BTreeMap::new(), failed: None }
    }

    fn is_nothing(&self) -> bool {
        self.fields.is_empty() && self.failed.is_none()
    }

    /// Why this change of that finding is not to be made now.
    pub fn hold(&self, change: &Change<Step>, now: Timestamp, window: Duration) -> Option<Hold> {
        let fields = change.fields.iter().filter_map(|field| {
            let past = self.fields.get(&field.path)?;
            (past.wanted == digest(&field.after)).then_some((field, past))
        });
        for (field, past) in fields {
            let lately = past.put_right.iter().filter(|at| after(**at, window) > now).count();
            if past.contested.is_some() || lately >= MOST {
                let found = digest(&field.before);
                return Some(Hold::Contested(Contest {
                    path: field.path.clone(),
                    times: past.put_right.len(),
                    since: past.put_right.first().copied().unwrap_or(now),
                    last: past.put_right.last().copied().unwrap_or(now),
                    back: past.back.clone().filter(|back| back.found == found),
                    found,
                }));
            }
        }
        let failed = self.failed.as_ref()?;
        (failed.wanted == wanted(change) && now < failed.not_before).then(|| Hold::Failed(failed.clone()))
    }

    /// Forgets what has left the window. What is contested stays.
    fn age(&mut self, now: Timestamp, window: Duration) {
        for field in self.fields.values_mut() {
            if field.contested.is_none() {
                field.put_right.retain(|at| after(*at, window) > now);
            }
        }
        self.fields.retain(|_, field| !field.put_right.is_empty());
    }

    /// Seen as desired: no fight is left, and nothing that failed.
    fn settled(&mut self) {
        self.fields.retain(|_, field| field.contested.is_none());
        self.failed = None;
    }

    fn put_right(&mut self, change: &Change<Step>, now: Timestamp) {
        self.failed = None;
        for field in &change.fields {
            let wanted = digest(&field.after);
            let past = self.fields.entry(field.path.clone()).or_default();
            if past.wanted != wanted {
                *past = Field { wanted, ..Field::default() };
            }
            past.put_right.push(now);
        }
    }

    fn contest(&mut self, contest: &Contest, now: Timestamp) {
        if let Some(field) = self.fields.get_mut(&contest.path) {
            field.contested.get_or_insert(now);
            field.back.clone_from(&contest.back);
        }
    }

    fn fail(
        &mut self,
        change: &Change<Step>,
        (class, reason, message): (Class, String, String),
        looked: &Looked<'_>,
    ) {
        let wanted = wanted(change);
        let before = self.failed.as_ref().filter(|failed| failed.wanted == wanted);
        let times = before.map_or(0, |failed| failed.times) + 1;
        let not_before = after(looked.now, class.wait(times, &looked.account.id));
        self.failed = Some(Failed { wanted, class, times, not_before, reason, message });
    }
}

/// What is remembered after a look. Pure.
pub fn next(before: &[Past], looked: &Looked<'_>) -> Vec<Past> {
    let mut pasts: BTreeMap<Key, Past> =
        before.iter().map(|past| (past.finding.clone(), past.clone())).collect();
    let mut seen: BTreeSet<Key> = BTreeSet::new();
    let mut unknown: BTreeSet<(crate::place::Region, String)> = BTreeSet::new();
    for item in &looked.plan.items {
        let key = Key::of(item);
        if item.outcome == Outcome::Unknown {
            unknown.insert((key.region.clone(), key.control.clone()));
        }
        seen.insert(key.clone());
        let past = pasts.entry(key.clone()).or_insert_with(|| Past::of(key.clone()));
        let Some(change) = item.finding.change() else {
            if item.outcome == Outcome::InSync {
                past.settled();
            }
            continue;
        };
        if let Some(Hold::Contested(contest)) = looked.holds.get(&key) {
            past.contest(contest, looked.now);
        }
        match looked.result(&key) {
            Some(ChangeResult::Held) => past.put_right(change, looked.now),
            Some(ChangeResult::Failed { fault }) => {
                let told =
                    (Class::of(fault.kind), fault.kind.reason().to_owned(), super::finding::fault(fault));
                past.fail(change, told, looked);
            }
            Some(ChangeResult::NotVerified { why }) => {
                past.fail(change, (Class::Unavailable, "NotVerified".to_owned(), why.clone()), looked);
            }
            Some(
                ChangeResult::Moved { .. }
                | ChangeResult::Blocked { .. }
                | ChangeResult::NotReached
                | ChangeResult::HeldBack { .. },
            )
            | None => {}
        }
    }
    let looked_at: BTreeSet<(&crate::place::Region, &str)> =
        looked.targets.iter().map(|(region, control)| (region, *control)).collect();
    let is_gone = |key: &Key| {
        let whole = (key.region.clone(), key.control.clone());
        looked.is_reached()
            && !seen.contains(key)
            && !unknown.contains(&whole)
            // What is no longer declared is no longer looked at.
            && (looked_at.contains(&(&key.region, key.control.as_str())) || !looked.is_declared(&key.control))
    };
    let window = looked.window;
    pasts.retain(|key, past| {
        past.age(looked.now, window);
        !past.is_nothing() && !is_gone(key)
    });
    pasts.into_values().collect()
}
