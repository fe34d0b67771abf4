//! The way back from a run: a plan of what its fields were before, where they still hold what it wrote.
//!
//! Nothing is undone here. What comes out is a plan like any other, for the same review, guards and apply. The specs
//! that it is judged by say the old values and nothing else, so nobody else's fields are in it.

mod by_hand;
mod commit;
mod specs;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::apply::{ApplyReport, ChangeResult};
use crate::control::{ChangeKind, Field, Step, Verdict};
use crate::desired::DesiredAccount;
use crate::observe::Fleet;
use crate::place::AccountId;
use crate::plan::{AccountState, Item, Plan, PlannedAccount};
use crate::survey::{self, Wish};

pub use by_hand::{ByHand, by_hand};
pub use commit::Commit;
use specs::Specs;

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
    /// Fields that cannot be taken back, and why.
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
        match Standing::of(item, &now) {
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
    let mut undone = Vec::new();
    for (item, own) in back {
        if let Some(why) = specs.impossible(item) {
            left.push((item.clone(), own, why.to_owned()));
            continue;
        }
        // What a control leaves out of its inverse stays as it is.
        let (comes, stays): (Vec<Field>, _) =
            own.into_iter().partition(|field| comes_back(item, field, &plan));
        if !stays.is_empty() {
            left.push((item.clone(), stays, specs::cannot(fleet, item)));
        }
        if !comes.is_empty() {
            undone.push((item, comes));
        }
    }
    let commits = commit::commits(fleet, &reason, &undone, &plan);
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

/// How the fields that a run wrote stand now.
#[derive(Debug, Default, PartialEq)]
struct Standing {
    /// They hold what it wrote.
    own: Vec<Field>,
    /// Somebody has changed them since.
    others: Vec<Field>,
    /// They are as they were before: taken back already, or never written.
    before: Vec<Field>,
}

impl Standing {
    /// `now` is a plan of what the run wrote. `Err` where it cannot tell, with the reason.
    fn of(item: &Item, now: &Plan) -> Result<Self, String> {
        let is_closed = |account: &&PlannedAccount| account.state != AccountState::Reached;
        if now.account(&item.scope.account).filter(is_closed).is_some() {
            return Err("its account could not be reached".to_owned());
        }
        let near = now.items.iter().filter(|other| is_near(other, item));
        Self::judged(&fields(item), near.map(|other| &other.finding.verdict))
    }

    fn judged<'p>(fields: &[Field], now: impl Iterator<Item = &'p Verdict<Step>>) -> Result<Self, String> {
        let mut moved: Vec<&Field> = Vec::new();
        for verdict in now {
            match verdict {
                Verdict::Change(change) => moved.extend(&change.fields),
                Verdict::Unknown { fault } => return Err(format!("what is live is not known: {fault}")),
                Verdict::Foreign { owner, .. } => return Err(format!("{owner} manages it now")),
                Verdict::Manual(task) => return Err(task.title.clone()),
                Verdict::NotOffered { source } => return Err(source.clone()),
                Verdict::InSync | Verdict::Progressing(_) => {}
            }
        }
        let is_known = |other: &Field| fields.iter().any(|field| place(&field.path) == place(&other.path));
        let mut standing = Self::default();
        for field in fields {
            let same_place = moved.iter().find(|other| place(&other.path) == place(&field.path));
            // A spec that names one resource may say it in another word than the rule that it came from.
            let reworded = || moved.iter().find(|other| other.after == field.after && !is_known(other));
            match same_place.or_else(reworded) {
                None => standing.own.push(field.clone()),
                Some(live) if live.before == field.before => standing.before.push(field.clone()),
                Some(live) => standing.others.push(Field {
                    before: field.after.clone(),
                    after: live.before.clone(),
                    ..field.clone()
                }),
            }
        }
        Ok(standing)
    }
}

/// Is it about the same resource, whatever the rule?
fn is_near(other: &Item, item: &Item) -> bool {
    (&other.scope, &other.control) == (&item.scope, &item.control)
        && (other.finding.resource == item.finding.resource || other.finding.resource.is_empty())
}

/// Does the way back hold this field? What is not a change there (a task, a fault) is told by the plan itself.
fn comes_back(item: &Item, field: &Field, plan: &Plan) -> bool {
    plan.items.iter().filter(|other| is_near(other, item)).any(|other| match &other.finding.verdict {
        Verdict::Change(change) => change.fields.iter().any(|back| {
            place(&back.path) == place(&field.path)
                || (&back.before, &back.after) == (&field.after, &field.before)
        }),
        Verdict::InSync => false,
        _ => true,
    })
}

/// A field's path without places in lists: a rule that names one resource stands elsewhere than the rule it came from.
fn place(path: &str) -> String {
    let kept = path.split('/').filter(|part| part.parse::<usize>().is_err());
    kept.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests;
