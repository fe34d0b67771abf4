//! Guards that remember: never backwards, and never smaller by accident.

use std::collections::BTreeMap;

use super::{Allow, Danger, Refusal, quoted};
use crate::audit::{LastApplied, LastOrganization};
use crate::desired::{DesiredState, Guards};
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

/// What a plan is judged by: the stricter of what the documents say and what was last applied. So a change to the
/// guards is not judged by itself; a looser limit holds once it has been applied.
pub fn limits(said: &Guards, last: Option<&Guards>) -> Guards {
    let Some(last) = last else { return said.clone() };
    let fewer = |a: Option<u32>, b: Option<u32>| a.into_iter().chain(b).min();
    let mut refuse = said.refuse.clone();
    refuse.extend(last.refuse.iter().filter(|word| !said.refuse.contains(word)).cloned());
    Guards {
        accounts_at_once: said.accounts_at_once.min(last.accounts_at_once),
        resources_at_once: fewer(said.resources_at_once, last.resources_at_once),
        percent_of_resources: fewer(said.percent_of_resources, last.percent_of_resources),
        refuse,
        incomplete: said.incomplete.max(last.incomplete),
        windows: match (&said.windows, &last.windows) {
            // Two sets of windows have no simple stricter one: where they differ, those that held until now hold.
            (_, Some(last)) => Some(last.clone()),
            (said, None) => said.clone(),
        },
    }
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
