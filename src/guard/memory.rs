//! Guards that remember: never backwards, and never smaller by accident.

use std::collections::BTreeMap;

use super::{Allow, Danger, Refusal, quoted};
use crate::audit::{LastApplied, LastOrganization};
use crate::desired::DesiredState;
use crate::place::AccountId;

/// A revision may drop this many accounts without a word: closing one or two is everyday work.
const A_FEW_ACCOUNTS: usize = 3;

/// How the revision that was last applied stands to the one at hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Descent {
    /// The same, or an ancestor of it.
    Follows,
    /// Not an ancestor: the desired state at hand is older, or on another branch.
    Backwards,
    /// Cannot be told, and why.
    Unknown(String),
}

/// Refuses to apply a desired state to an account that has had a later one. `descent` says how a revision
/// stands to the one at hand; it is asked once for each revision.
pub fn never_backwards(
    desired: &DesiredState,
    last: &BTreeMap<AccountId, LastApplied>,
    allowed: &[Allow],
    descent: impl Fn(&str) -> Descent,
) -> Vec<Refusal> {
    let mut told: BTreeMap<&str, Descent> = BTreeMap::new();
    let mut refusals = Vec::new();
    for (id, last) in last {
        // What was applied from outside git has no order.
        let Some(revision) = last.revision.as_deref() else { continue };
        let name = desired.account(id).map_or(id.as_str(), |account| &account.name);
        if allowed.iter().any(|allow| allow.covers(Danger::Backwards, name)) {
            continue;
        }
        let why = match told.entry(revision).or_insert_with(|| descent(revision)) {
            Descent::Follows => continue,
            Descent::Backwards => "which this desired state does not contain".to_owned(),
            Descent::Unknown(why) => format!("and how that stands to this one cannot be told: {why}"),
        };
        let short = revision.get(..8).unwrap_or(revision);
        refusals.push(Refusal {
            why: format!("{name} last had revision {short} applied, {why}"),
            hint: format!(
                "check out a later revision, or add --allow {}",
                quoted(&format!("backwards:{name}"))
            ),
        });
    }
    refusals
}

/// Refuses a desired state that lost a seat, or more than a few accounts, since it was last applied.
pub fn no_shrinking(
    desired: &DesiredState,
    last: Option<&LastOrganization>,
    allowed: &[Allow],
) -> Vec<Refusal> {
    let Some(last) = last else { return Vec::new() };
    if allowed.iter().any(|allow| allow.what == Danger::Shrink) {
        return Vec::new();
    }
    let hint = || "nothing is deleted in AWS either way; add --allow shrink if it is meant".to_owned();
    let mut refusals = Vec::new();
    for (seat, account) in &last.seats {
        if desired.organization.seats.get(seat) != Some(account) {
            let why = format!("the seat `{seat}` is no longer account {account}");
            refusals.push(Refusal { why, hint: hint() });
        }
    }
    let gone: Vec<&AccountId> =
        last.accounts.iter().filter(|account| desired.account(account).is_none()).collect();
    if gone.len() > A_FEW_ACCOUNTS {
        let some: Vec<&str> = gone.iter().take(3).map(|account| account.as_str()).collect();
        refusals.push(Refusal {
            why: format!(
                "{} accounts are no longer managed: {} and {} more",
                gone.len(),
                some.join(", "),
                gone.len() - some.len()
            ),
            hint: hint(),
        });
    }
    refusals
}
