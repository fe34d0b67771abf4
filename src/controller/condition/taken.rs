//! How far an account is with what the documents want of it: what the waves of a rollout wait for.
//!
//! An account has taken its desired state when a whole turn under it has ended and nothing is left of it that the
//! controller would do. That lasts: what drifts later is no matter of the rollout. What counts as what:
//!
//! | what a turn leaves | the account | why |
//! | --- | --- | --- |
//! | in sync, excepted, left alone, not offered | has taken it | |
//! | observed only, suspended | has taken it | nothing will be written there, so there is nothing to wait for |
//! | by hand, refused by a guard, contested | has taken it | a person ends it, who may never come; it is told by itself |
//! | a change that failed or was not seen to hold | failed | it would fail in the next wave too |
//! | refused as a whole, in progress for longer than it takes | failed | nothing was put in; it may never be |
//! | not known, the account not reached | failed | unknown is never in sync, and a canary that nobody sees warns nobody |
//! | in progress, moved, not begun | is at it | the next turn goes on |
//! | blocked by what an account of its own or an earlier wave may yet make | waits for that account | |
//! | blocked by anything else | has taken it | a later wave makes it, or a person: waiting would be for ever |

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::AccountConditions;
use super::finding::{Hold, Key, Says, says};
use super::judge::{Looked, in_progress_since};
use crate::apply::ChangeResult;
use crate::control::Thing;
use crate::desired;
use crate::place::AccountId;
use crate::plan::{AccountState, Item, Outcome};

/// What of the documents an account was last let take, and how far it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Taken {
    /// A digest of what is wanted of it ([`desired::wanted`]).
    pub state: String,
    #[serde(flatten)]
    pub how: How,
    /// Since when it is so.
    pub since: Timestamp,
}

/// How far it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "camelCase")]
pub enum How {
    Took,
    Failed,
    /// The controller is at it.
    Begun,
    /// All but what stands on things that these accounts own, as a look saw it that began then.
    Waits {
        on: BTreeSet<AccountId>,
        began: Timestamp,
    },
}

impl Taken {
    /// Has the account taken this, whatever has become of it since?
    pub fn has(&self, state: &str) -> bool {
        self.state == state && self.how == How::Took
    }
}

/// What a turn has to do with waves.
#[derive(Clone, Debug)]
pub struct Ordered {
    /// A digest of what is wanted of the account.
    pub state: String,
    /// It is news to the account, and an earlier wave has not taken its own: which one, and who.
    pub waits: Option<String>,
    /// When the turn began.
    pub began: Timestamp,
}

/// What is remembered after a turn. Pure.
pub(super) fn next(before: &AccountConditions, looked: &Looked<'_>) -> Option<Taken> {
    let Ordered { state, waits, .. } = &looked.ordered;
    let last = before.taken.as_ref();
    if !looked.enforces || last.is_some_and(|last| last.has(state)) {
        return last.cloned();
    }
    // A look that finds nothing to do has taken it, whoever is to go first. Everything else is for later.
    if waits.is_some() && !(looked.is_reached() && looked.plan.items.iter().all(is_done)) {
        return last.cloned();
    }
    let how = how(before, looked);
    let since = last.filter(|last| last.state == *state && last.how == how);
    Some(Taken { state: state.clone(), since: since.map_or(looked.now, |last| last.since), how })
}

/// Nothing will be written for it, now or later.
fn is_done(item: &Item) -> bool {
    use Outcome::{Excepted, Foreign, InSync, Manual, NotOffered, ObserveOnly};
    matches!(item.outcome, InSync | ObserveOnly | Manual | Excepted { .. } | Foreign | NotOffered)
}

fn how(before: &AccountConditions, looked: &Looked<'_>) -> How {
    let today = desired::day(looked.now);
    match looked.plan.accounts.first().map(|account| &account.state) {
        Some(AccountState::NotTried { .. }) => return How::Took,
        Some(AccountState::Unreachable { .. } | AccountState::Refused { .. }) => {
            let suspended = looked.account.suspend.as_ref().is_some_and(|suspend| suspend.holds(today));
            return if suspended { How::Took } else { How::Failed };
        }
        Some(AccountState::Reached) | None => {}
    }
    let mut how = How::Took;
    for item in &looked.plan.items {
        let found = of(item, before, looked);
        how = match (how, found) {
            (How::Failed, _) | (_, How::Failed) => return How::Failed,
            (How::Begun, _) | (_, How::Begun) => How::Begun,
            (How::Waits { mut on, began }, How::Waits { on: more, .. }) => {
                on.extend(more);
                How::Waits { on, began }
            }
            (waits @ How::Waits { .. }, How::Took) => waits,
            (How::Took, found) => found,
        };
    }
    how
}

fn of(item: &Item, before: &AccountConditions, looked: &Looked<'_>) -> How {
    let key = Key::of(item);
    match &item.outcome {
        Outcome::Unknown => How::Failed,
        Outcome::Progressing => {
            let since = in_progress_since(before.control(&key.region, &key.control));
            match says(item, looked, since) {
                Says::True(said) if said.iter().any(|(_, reason, _)| reason == "PatienceEnded") => {
                    How::Failed
                }
                _ => How::Begun,
            }
        }
        Outcome::Blocked { on, .. } => blocked(on, looked),
        Outcome::Change => match (looked.result(&key), looked.holds.get(&key)) {
            (Some(ChangeResult::Held), _) => How::Took,
            (Some(ChangeResult::Failed { .. } | ChangeResult::NotVerified { .. }), _) => How::Failed,
            (Some(ChangeResult::Blocked { on }), _) => blocked(on, looked),
            (Some(_), _) => How::Begun,
            (None, Some(Hold::Refused { .. } | Hold::Contested(_))) => How::Took,
            (None, Some(Hold::Failed(_))) => How::Failed,
            (None, Some(Hold::Wave { .. })) => How::Begun,
            (None, None) if !looked.refused.is_empty() => How::Failed,
            (None, None) => How::Begun,
        },
        _ => How::Took,
    }
}

/// What stands on nothing of another account, or on nothing at all, is for a person.
fn blocked(on: &[Thing], looked: &Looked<'_>) -> How {
    let others: BTreeSet<AccountId> =
        on.iter().map(|thing| thing.account().clone()).filter(|owner| *owner != looked.account.id).collect();
    if others.is_empty() { How::Took } else { How::Waits { on: others, began: looked.ordered.began } }
}
