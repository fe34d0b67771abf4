//! How each finding stands, from two plans of one look. Pure.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::{Base, Drift, DriftAccount, DriftTotals, Last, Standing, Told, is_open};
use crate::audit::{LastApplied, Left};
use crate::control::{Change, Field, Verdict};
use crate::desired::DesiredState;
use crate::place::{AccountId, Scope};
use crate::plan::{Item, Outcome, Plan, Selection};

/// What a finding is known by, in every plan.
type Key<'a> = (&'a Scope, &'a str, &'a str, &'a str);

fn key(item: &Item) -> Key<'_> {
    (&item.scope, &item.control, &item.finding.rule, &item.finding.resource)
}

/// `head` is the plan of the documents at hand, `thens` those of what was last applied, each over its accounts.
pub(super) fn drift(
    desired: &DesiredState,
    head: &Plan,
    thens: &[Plan],
    bases: &BTreeMap<AccountId, Base>,
    selection: &Selection,
) -> Drift {
    let covered = |item: &&Item| selection.covers(&item.scope, &item.control);
    let mut now: BTreeMap<&AccountId, Vec<&Item>> = BTreeMap::new();
    for item in head.items.iter().filter(covered) {
        now.entry(&item.scope.account).or_default().push(item);
    }
    let mut then: BTreeMap<&AccountId, Vec<&Item>> = BTreeMap::new();
    for item in thens.iter().flat_map(|plan| &plan.items).filter(covered) {
        then.entry(&item.scope.account).or_default().push(item);
    }

    let mut findings: Vec<Told> = Vec::new();
    let mut totals = DriftTotals::default();
    let mut accounts = Vec::new();
    for account in &head.accounts {
        let now = now.remove(&account.id).unwrap_or_default();
        let then = then.remove(&account.id).unwrap_or_default();
        // Where nothing is compared, what is open is counted and not told; what is not known always is.
        let open = || {
            let to_do =
                |item: &&&Item| matches!(item.outcome, Outcome::Progressing) || to_apply(&item.outcome);
            now.iter().filter(to_do).count()
        };
        let last = match bases.get(&account.id) {
            Some(Base::Known(last, _)) => {
                totals.last_applied.as_applied +=
                    then.iter().filter(|item| item.outcome == Outcome::InSync).count();
                let declares = |control: &str| {
                    desired.account(&account.id).is_some_and(|account| account.controls.contains_key(control))
                };
                let (told, as_left) = compare(&then, &now, &left(last, &then), &declares);
                totals.last_applied.as_applied += as_left;
                findings.extend(told);
                Last::Applied(last.clone())
            }
            Some(Base::Lost(last, why)) => {
                findings.extend(now.iter().filter_map(unknown));
                Last::Lost { last: last.clone(), why: why.clone(), open: open() }
            }
            None => {
                findings.extend(now.iter().filter_map(unknown));
                Last::Never { open: open() }
            }
        };
        accounts.push(DriftAccount {
            id: account.id.clone(),
            name: account.name.clone(),
            state: account.state.clone(),
            last,
        });
    }
    for told in &findings {
        let counts = if told.at_hand { &mut totals.at_hand } else { &mut totals.last_applied };
        counts.count(told.standing);
    }
    let selected = accounts.iter().filter_map(|account| desired.account(&account.id));
    let controls: BTreeSet<&String> = selected.flat_map(|account| account.controls.keys()).collect();
    Drift {
        organization: head.organization.clone(),
        organization_id: head.organization_id.clone(),
        revision: head.revision.clone(),
        digest: head.digest.clone(),
        caller: head.caller.clone(),
        own_credentials: false,
        accounts,
        findings,
        totals,
        regions: head.regions,
        controls: controls.len(),
    }
}

/// What the last apply left. A record of a build that did not keep it leaves what no apply would have changed: whether
/// that was so already, nobody knows.
fn left(last: &LastApplied, then: &[&Item]) -> Vec<Left> {
    if last.desired.is_some() {
        return last.left.clone();
    }
    let not_changed = |item: &&&Item| is_open(&item.outcome) && item.outcome != Outcome::Change;
    then.iter().filter(not_changed).map(|item| Left::of(item)).collect()
}

/// Would an apply do it, or does a person have to?
fn to_apply(outcome: &Outcome) -> bool {
    is_open(outcome) && *outcome != Outcome::ObserveOnly
}

fn told(standing: Standing, item: &Item) -> Told {
    Told { standing, item: item.clone(), at_hand: false, as_wanted: false, who: None }
}

fn unknown(item: &&Item) -> Option<Told> {
    (item.outcome == Outcome::Unknown).then(|| told(Standing::Unknown, item))
}

/// The findings of one account: those of what was applied first, in their order, then those that only the documents
/// at hand have; and how many of what was applied are as they were left then.
fn compare(
    then: &[&Item],
    now: &[&Item],
    left: &[Left],
    declares: &dyn Fn(&str) -> bool,
) -> (Vec<Told>, usize) {
    let by_key: HashMap<Key<'_>, &Item> = now.iter().map(|item| (key(item), *item)).collect();
    let (mut all, mut as_left) = (Vec::new(), 0);
    for item in then {
        let told = judge(Some(item), by_key.get(&key(item)).copied(), left);
        as_left +=
            usize::from(item.outcome != Outcome::InSync && told.as_ref().is_none_or(|told| told.at_hand));
        all.extend(told.map(|told| Told { as_wanted: told.as_wanted && declares(&item.control), ..told }));
    }
    let before: HashMap<Key<'_>, ()> = then.iter().map(|item| (key(item), ())).collect();
    for item in now.iter().filter(|item| !before.contains_key(&key(item))) {
        all.extend(judge(None, Some(item), left));
    }
    (all, as_left)
}

/// How one finding stands; nothing where it is as it was applied, and as the documents at hand say or do not care.
fn judge(then: Option<&Item>, now: Option<&Item>, left: &[Left]) -> Option<Told> {
    let outcome = |item: Option<&Item>| item.map_or(Outcome::InSync, |item| item.outcome.clone());
    let excepted = now.filter(|now| matches!(now.outcome, Outcome::Excepted { .. }));
    let Some(then) = then.filter(|then| then.outcome != Outcome::InSync) else { return as_at_hand(now) };
    match &then.outcome {
        Outcome::Unknown => return Some(told(Standing::Unknown, then)),
        _ if excepted.is_some() => return now.map(|now| told(Standing::Excepted, now)),
        Outcome::Progressing => return Some(told(Standing::Progressing, then)),
        Outcome::Foreign => return Some(told(Standing::Foreign, then)),
        Outcome::NotOffered => return Some(told(Standing::NotOffered, then)),
        // It was signed for when it was applied. Where that has ended, the documents at hand say what is to be.
        Outcome::Excepted { .. } if outcome(now) == Outcome::InSync => {
            return Some(told(Standing::Excepted, then));
        }
        Outcome::Excepted { .. } => return as_at_hand(now),
        _ => {}
    }
    let was_left = left.iter().find(|left| left.covers(then));
    let moved = was_left.is_some_and(|left| {
        let now = Left::of(then);
        left.resource == now.resource && left.seen.is_some() && left.seen != now.seen
    });
    match was_left {
        Some(_) if !moved => as_at_hand(now),
        _ => {
            let seen = was_left.and_then(|left| left.seen.as_ref());
            let item = applied_to_live(then, seen);
            let as_wanted = outcome(now) == Outcome::InSync;
            Some(Told { standing: Standing::Drifted, item, at_hand: false, as_wanted, who: None })
        }
    }
}

/// What is live is what was applied: how it stands to the documents at hand.
fn as_at_hand(now: Option<&Item>) -> Option<Told> {
    let now = now?;
    let standing = match &now.outcome {
        Outcome::InSync => return None,
        Outcome::Change | Outcome::Manual | Outcome::Blocked { .. } => Standing::Unapplied,
        Outcome::ObserveOnly => Standing::ObserveOnly,
        Outcome::Progressing => Standing::Progressing,
        Outcome::Excepted { .. } => Standing::Excepted,
        Outcome::Foreign => Standing::Foreign,
        Outcome::NotOffered => Standing::NotOffered,
        Outcome::Unknown => Standing::Unknown,
    };
    Some(Told { at_hand: true, ..told(standing, now) })
}

/// The finding as it reads when it has drifted: fields are applied → live, and no calls are named. `seen` is what the
/// last apply left where it did not apply the field.
fn applied_to_live(item: &Item, seen: Option<&BTreeMap<String, String>>) -> Item {
    let mut item = item.clone();
    if let Verdict::Change(change) = &mut item.finding.verdict {
        let fields = change.fields.iter().filter_map(|field| {
            let applied = match seen {
                None => field.after.clone(),
                Some(seen) => match seen.get(&field.path) {
                    Some(left) => serde_json::from_str(left).ok()?,
                    None => field.after.clone(),
                },
            };
            (applied != field.before).then(|| Field::new(field.path.clone(), applied, field.before.clone()))
        });
        item.finding.verdict = Verdict::Change(Change {
            kind: change.kind,
            evidence: change.evidence.clone(),
            ..Change::update(fields.collect(), Vec::new())
        });
        item.needs = Arc::default();
    }
    item
}

#[cfg(test)]
mod tests;
