//! A fight over a setting: how often it was put right and changed back, and who changed it back last.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::drifted::{ASK_AGAIN_AFTER, ASKED_AT_MOST};
use crate::controller::schedule::after;
use crate::moment::minute;
use crate::who::Deed;

/// A field that is left as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contest {
    /// A JSON pointer.
    pub path: String,
    /// How often it was put right, since when, and when last.
    pub times: usize,
    pub since: Timestamp,
    pub last: Timestamp,
    /// A digest of what it is now.
    pub found: String,
    /// Who made it that; absent until somebody was asked.
    pub back: Option<Back>,
}

/// Who changed a field back, as CloudTrail's event history says it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Back {
    /// A digest of what was found: changed once more to something else, it is asked anew.
    pub found: String,
    /// When it was first asked.
    pub at: Timestamp,
    /// How often it was asked.
    pub asked: u8,
    /// Absent: not known, or not yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Deed>,
}

impl Contest {
    /// Is CloudTrail to be asked now? Once, and once more after the history has had time to show it.
    pub fn asks(&self, now: Timestamp) -> bool {
        self.back.as_ref().is_none_or(|back| {
            back.by.is_none() && back.asked < ASKED_AT_MOST && after(back.at, ASK_AGAIN_AFTER) <= now
        })
    }

    /// It was asked, and this is the answer.
    pub fn answered(&mut self, by: Option<Deed>, now: Timestamp) {
        let fresh = Back { found: self.found.clone(), at: now, asked: 0, by: None };
        let back = self.back.get_or_insert(fresh);
        back.asked = back.asked.saturating_add(1);
        back.by = by;
    }

    pub(super) fn by(&self) -> Option<&Deed> {
        self.back.as_ref().and_then(|back| back.by.as_ref())
    }

    /// `detector: `enabled` was put right 3 times since … and changed back each time`, and what becomes of it. `who` goes
    /// in between.
    pub(super) fn text(&self, resource: &str, who: &str) -> String {
        let Self { path, times, since, .. } = self;
        format!(
            "{resource}: `{}` was put right {times} times since {} and changed back each time{who}; it is left as it is \
             until it is found as desired, or something else is desired",
            path.trim_start_matches('/'),
            minute(*since),
        )
    }

    /// `, last by arn:aws:iam::111122223333:user/alice from 203.0.113.7 at …`.
    pub(super) fn last_by(&self) -> String {
        let Some(back) = &self.back else { return String::new() };
        let Some(Deed { call, at, principal, from, certain, .. }) = &back.by else {
            let yet = if back.asked < ASKED_AT_MOST { " yet" } else { "" };
            return format!(", by whom is not known{yet}");
        };
        let word = if *certain { "last by" } else { "last perhaps by" };
        // AWS calls from its own name.
        let from = from.as_ref().filter(|from| *from != principal);
        let from = from.map(|from| format!(" from {from}")).unwrap_or_default();
        format!(", {word} {principal}{from} at {} ({call})", minute(*at))
    }
}
