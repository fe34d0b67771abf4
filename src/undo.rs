//! The way back from a run: a plan of what its fields were before, where they still hold what it wrote.
//!
//! Nothing is undone here. What comes out is a plan like any other, for the same review, guards and apply. The specs
//! that it is judged by say the old values and nothing else, so nobody else's fields are in it.

mod by_hand;
mod commit;
mod said;
mod specs;
mod standing;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::apply::{ApplyReport, ChangeResult};
use crate::control::{ChangeKind, Field};
use crate::desired::DesiredAccount;
use crate::observe::Fleet;
use crate::place::AccountId;
use crate::plan::{Item, Plan};
use crate::survey::{self, Wish};

pub use by_hand::{ByHand, by_hand};
pub use commit::Commit;
use specs::Specs;
use standing::{Standing, Way};

/// What a run changed, and the way back.
#[must_use = "nothing is undone by planning it"]
#[derive(Debug)]
pub struct Undo {
    pub plan: Plan,
    /// The accounts of the documents, by id.
    pub names: BTreeMap<AccountId, Arc<str>>,
    /// What the run created. It stays: there is no delete.
    pub created: Vec<Item>,
    /// Fields that somebody has changed since: `before` is what the run wrote, `after` what is live.
    pub theirs: Vec<(Item, Vec<Field>)>,
    /// Fields that are as they were before the run already.
    pub already: Vec<(Item, Vec<Field>)>,
    /// Fields that the plan does not take back, and why. What is to be done by hand is in the YAML all the same.
    pub left: Vec<(Item, Vec<Field>, String)>,
    /// The old values as documents: without them the next apply makes the changes again.
    pub commits: Vec<Commit>,
}

/// The changes that a run made, or may have made.
pub fn made(report: ApplyReport) -> Vec<Item> {
    let made =
        report.changes.into_iter().filter(|change| change.calls > 0 || change.result == ChangeResult::Held);
    made.map(|change| change.item).collect()
}

/// Plans the way back from the changes that a run made.
pub async fn undo(fleet: &Fleet, run: &str, changes: Vec<Item>) -> Undo {
    let reason = format!("undo of run {run}");
    let (mut created, mut left, mut updated) = (Vec::new(), Vec::new(), Vec::new());
    for item in changes {
        match item.finding.change().map(|change| change.kind) {
            None => {}
            Some(ChangeKind::Create) => created.push(item),
            Some(ChangeKind::Update) if fleet.desired.account(&item.scope.account).is_none() => {
                let fields = fields(&item);
                left.push((item, fields, "the documents do not hold this account any more".to_owned()));
            }
            Some(ChangeKind::Update) => updated.push(item),
        }
    }
    // Is live still what the run wrote? A plan of just that says where it is not.
    let written = |field: &Field| Field { before: field.after.clone(), ..field.clone() };
    let ours =
        Specs::of(fleet, updated.iter().map(|item| (item, fields(item).iter().map(written).collect())));
    let now = plan(fleet, &ours.accounts(fleet, &reason)).await;
    let (mut back, mut theirs, mut already) = (Vec::new(), Vec::new(), Vec::new());
    for item in &updated {
        // What cannot be said cannot be looked for either.
        let standing = match ours.impossible(item) {
            Some(why) => Err(why.to_owned()),
            None => Standing::of(item, &now),
        };
        match standing {
            Ok(Standing { own, others, before }) => {
                let keep = |list: &mut Vec<_>, fields: Vec<Field>| {
                    if !fields.is_empty() {
                        list.push((item.clone(), fields));
                    }
                };
                keep(&mut theirs, others);
                keep(&mut already, before);
                if !own.is_empty() {
                    back.push((item, own));
                }
            }
            Err(why) => left.push((item.clone(), fields(item), why)),
        }
    }
    let specs = Specs::of(fleet, back.iter().map(|(item, fields)| (*item, fields.clone())));
    let plan = plan(fleet, &specs.accounts(fleet, &reason)).await;
    // What the documents have to say: what comes back, what a person takes back, and what is back already.
    let mut said: Vec<(&Item, Vec<Field>)> = Vec::new();
    for (item, own) in back {
        if let Some(why) = specs.impossible(item) {
            left.push((item.clone(), own, why.to_owned()));
            continue;
        }
        let (mut old, mut stays) = (Vec::new(), BTreeMap::<String, Vec<Field>>::new());
        for field in own {
            match Way::of(item, &field, &plan) {
                Way::Comes => old.push(field),
                Way::ByHand(why) => {
                    old.push(field.clone());
                    stays.entry(why).or_default().push(field);
                }
                // What a control leaves out of its inverse stays as it is.
                Way::Stays(why) => {
                    let why = why.unwrap_or_else(|| specs::cannot(fleet, item));
                    stays.entry(why).or_default().push(field);
                }
            }
        }
        left.extend(stays.into_iter().map(|(why, fields)| (item.clone(), fields, why)));
        if !old.is_empty() {
            said.push((item, old));
        }
    }
    said.extend(already.iter().map(|(item, fields)| (item, fields.clone())));
    let commits = commit::commits(fleet, &reason, &said, &now);
    let names = fleet.desired.accounts.iter().map(|one| (one.id.clone(), Arc::clone(&one.name))).collect();
    Undo { plan, names, created, theirs, already, left, commits }
}

fn fields(item: &Item) -> Vec<Field> {
    item.finding.change().map(|change| change.fields.clone()).unwrap_or_default()
}

/// What these accounts' specs would change, in one plan. An account may stand there several times.
async fn plan(fleet: &Fleet, accounts: &[DesiredAccount]) -> Plan {
    let desired = Arc::new(fleet.desired.with_accounts(accounts.to_vec()));
    let mut plan = survey::plan(&fleet.with(desired), &Wish::default(), &|_| {}).await;
    let mut seen = BTreeSet::new();
    plan.accounts.retain(|account| seen.insert(account.id.clone()));
    // What was looked at is a part only: how exceptions stand cannot be told by it.
    plan.exceptions.clear();
    plan
}

#[cfg(test)]
mod tests;
