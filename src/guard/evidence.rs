//! Nothing risky where something could not be seen: what it would break may be just that.

use std::collections::{BTreeMap, BTreeSet};

use super::{Danger, Judging, Refusal, quoted};
use crate::desired::Incomplete;
use crate::place::Scope;
use crate::plan::{Outcome, Plan};

/// Takes the changes that wait out of the selection, and says so once for each account and region. The rest of the
/// plan goes on.
pub(super) fn hold_back(plan: &mut Plan, with: &Judging<'_>) -> Vec<Refusal> {
    let waits = with.guards.incomplete;
    if waits == Incomplete::None {
        return Vec::new();
    }
    let names: BTreeMap<_, _> =
        plan.accounts.iter().map(|account| (account.id.clone(), account.name.clone())).collect();
    let name = |scope: &Scope| names.get(&scope.account).map_or("", |name| name);
    let mut unknown: BTreeMap<Scope, BTreeSet<String>> = BTreeMap::new();
    for item in plan.items.iter().filter(|item| item.outcome == Outcome::Unknown) {
        if !with.allows(Danger::Incomplete, name(&item.scope)) {
            unknown.entry(item.scope.clone()).or_default().insert(item.control.clone());
        }
    }
    let mut held: BTreeMap<Scope, usize> = BTreeMap::new();
    for item in plan.items.iter_mut().filter(|item| item.selected && item.outcome == Outcome::Change) {
        let is_risky = Danger::of(item).next().is_some();
        if unknown.contains_key(&item.scope) && (is_risky || waits == Incomplete::All) {
            item.selected = false;
            *held.entry(item.scope.clone()).or_default() += 1;
        }
    }
    held.iter()
        .map(|(scope, changes)| {
            let controls: Vec<&str> = unknown[scope].iter().map(String::as_str).collect();
            let risky = if waits == Incomplete::All { "" } else { "risky " };
            let what = match changes {
                1 => format!("1 {risky}change"),
                n => format!("{n} {risky}changes"),
            };
            let (account, region) = (name(scope), &scope.region);
            let allow = quoted(&format!("incomplete:{account}"));
            Refusal {
                why: format!(
                    "{what} in {account} {region}, where {} could not be observed",
                    controls.join(", ")
                ),
                hint: format!("find out why first; --allow {allow} goes on without knowing"),
            }
        })
        .collect()
}
