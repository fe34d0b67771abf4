//! The way back from a run: a plan of what its fields were before, where they still hold what it wrote.
//!
//! Nothing is undone here. What comes out is a plan like any other, for the same review, guards and apply. The specs
//! that it is judged by say the old values and nothing else, so nobody else's fields are in it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use crate::control::{ChangeKind, ErasedControl, Field, Regions, Verdict};
use crate::desired::{DesiredAccount, DesiredControl, RegionWord};
use crate::observe::Fleet;
use crate::place::{AccountId, Region};
use crate::plan::{Item, Plan};
use crate::survey::{self, Wish};

/// What a run changed, and the way back.
#[must_use = "nothing is undone by planning it"]
#[derive(Debug)]
pub struct Undo {
    pub plan: Plan,
    /// What the run created. It stays: there is no delete.
    pub created: Vec<Item>,
    /// Fields that somebody has changed since: `before` is what the run wrote, `after` what is live.
    pub theirs: Vec<(Item, Vec<Field>)>,
    /// What cannot be taken back, and why.
    pub left: Vec<(Item, String)>,
    /// The accounts with the old values as their controls: what is to be committed.
    pub accounts: Vec<DesiredAccount>,
}

/// Plans the way back from the changes that a run made.
pub async fn undo(fleet: &Fleet, run: &str, changes: Vec<Item>) -> Undo {
    let (mut created, mut left, mut updated) = (Vec::new(), Vec::new(), Vec::new());
    for item in changes {
        match item.finding.change().map(|change| change.kind) {
            None => {}
            Some(ChangeKind::Create) => created.push(item),
            Some(ChangeKind::Update) if fleet.desired.account(&item.scope.account).is_none() => {
                left.push((item, "the documents do not hold this account any more".to_owned()));
            }
            Some(ChangeKind::Update) => updated.push(item),
        }
    }
    let fields = |item: &Item| item.finding.change().map(|change| change.fields.clone()).unwrap_or_default();
    let written = |field: &Field| Field { before: field.after.clone(), ..field.clone() };
    let ours =
        specs(fleet, run, updated.iter().map(|item| (item, fields(item).iter().map(written).collect())));
    let now = plan(fleet, &ours.accounts).await;
    let (mut back, mut theirs) = (Vec::new(), Vec::new());
    for item in &updated {
        match still_ours(item, &fields(item), &now) {
            Ok((own, others)) => {
                if !others.is_empty() {
                    theirs.push((item.clone(), others));
                }
                if !own.is_empty() {
                    back.push((item, own));
                }
            }
            Err(why) => left.push((item.clone(), why)),
        }
    }
    let back = specs(fleet, run, back.into_iter());
    left.extend(back.impossible);
    Undo { plan: plan(fleet, &back.accounts).await, created, theirs, left, accounts: back.accounts }
}

/// Accounts whose controls say some fields' old values, and nothing else.
struct Specs {
    /// An account stands here more than once where its regions need different specs of one control.
    accounts: Vec<DesiredAccount>,
    impossible: Vec<(Item, String)>,
}

/// By account, control and spec: the regions where it holds.
type ByPlace = BTreeMap<(AccountId, String), Vec<(Value, BTreeSet<Region>)>>;

fn specs<'i>(fleet: &Fleet, run: &str, wanted: impl Iterator<Item = (&'i Item, Vec<Field>)>) -> Specs {
    let mut impossible = Vec::new();
    let mut by_scope: BTreeMap<_, Value> = BTreeMap::new();
    for (item, fields) in wanted {
        let inverse =
            fleet.control(&item.control).and_then(|control| control.inverse(&item.finding.resource, &fields));
        match inverse {
            Some(spec) => {
                let key = (item.scope.account.clone(), item.control.clone(), item.scope.region.clone());
                merge(by_scope.entry(key).or_insert(Value::Null), spec);
            }
            None => impossible.push((item.clone(), cannot(fleet, item))),
        }
    }
    let mut places = ByPlace::new();
    for ((account, control, region), spec) in by_scope {
        let specs = places.entry((account, control)).or_default();
        match specs.iter_mut().find(|(known, _)| *known == spec) {
            Some((_, regions)) => drop(regions.insert(region)),
            None => specs.push((spec, BTreeSet::from([region]))),
        }
    }
    Specs { accounts: accounts(fleet, run, &places), impossible }
}

/// Why there is no way back.
fn cannot(fleet: &Fleet, item: &Item) -> String {
    let undo = fleet.control(&item.control).and_then(|control| control.meta().undo);
    undo.unwrap_or("this build cannot take it back").to_owned()
}

/// One spec after another: of one control in one account all must be met, each in its own regions.
fn accounts(fleet: &Fleet, run: &str, places: &ByPlace) -> Vec<DesiredAccount> {
    let most = places.values().map(Vec::len).max().unwrap_or_default();
    let mut all = Vec::new();
    for layer in 0..most {
        let mut controls: BTreeMap<&AccountId, BTreeMap<String, DesiredControl>> = BTreeMap::new();
        for ((account, id), specs) in places {
            let (Some((spec, regions)), Some(control)) = (specs.get(layer), fleet.control(id)) else {
                continue;
            };
            let declared = declared(control, spec, regions, format!("undo of run {run}"));
            controls.entry(account).or_default().insert(id.clone(), declared);
        }
        all.extend(controls.into_iter().filter_map(|(id, controls)| {
            let account = fleet.desired.account(id)?;
            Some(DesiredAccount { controls: Arc::new(controls), ..account.clone() })
        }));
    }
    all
}

fn declared(
    control: &dyn ErasedControl,
    spec: &Value,
    regions: &BTreeSet<Region>,
    reason: String,
) -> DesiredControl {
    let codes = || regions.iter().cloned().map(RegionWord::Code).collect();
    DesiredControl {
        regions: (control.meta().reach.regions == Regions::Each).then(codes),
        reason: Some(reason),
        ..DesiredControl::fixed(Arc::new(spec.clone()))
    }
}

/// Two specs in one: maps field by field, lists one after the other (rules that select a resource each).
fn merge(into: &mut Value, other: Value) {
    match (into, other) {
        (Value::Object(into), Value::Object(other)) => {
            for (key, value) in other {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (Value::Array(into), Value::Array(mut other)) => into.append(&mut other),
        (into, other) => *into = other,
    }
}

/// What these accounts' specs would change, in one plan.
async fn plan(fleet: &Fleet, accounts: &[DesiredAccount]) -> Plan {
    let desired = Arc::new(fleet.desired.with_accounts(accounts.to_vec()));
    let only = Fleet::new(fleet.aws.clone(), desired, fleet.controls);
    let mut plan = survey::plan(&only, &Wish::default(), &|_| {}).await;
    let mut seen = BTreeSet::new();
    plan.accounts.retain(|account| seen.insert(account.id.clone()));
    plan
}

/// A run's fields: those that hold what it wrote, and those that somebody has changed since.
fn still_ours(item: &Item, fields: &[Field], now: &Plan) -> Result<(Vec<Field>, Vec<Field>), String> {
    let here = now.items.iter().filter(|other| {
        (&other.scope, &other.control) == (&item.scope, &item.control)
            && (other.finding.resource == item.finding.resource || other.finding.resource.is_empty())
    });
    let mut moved: BTreeMap<String, Value> = BTreeMap::new();
    for other in here {
        match &other.finding.verdict {
            Verdict::Change(change) => {
                moved.extend(change.fields.iter().map(|field| (place(&field.path), field.before.clone())));
            }
            Verdict::Unknown { fault } => return Err(format!("what is live is not known: {fault}")),
            Verdict::Foreign { owner, .. } => return Err(format!("{owner} manages it now")),
            Verdict::Manual(task) => return Err(task.title.clone()),
            Verdict::NotOffered { source } => return Err(source.clone()),
            Verdict::InSync | Verdict::Progressing(_) => {}
        }
    }
    let unreachable = now.accounts.iter().any(|account| {
        account.id == item.scope.account && account.state != crate::plan::AccountState::Reached
    });
    if unreachable {
        return Err("its account could not be reached".to_owned());
    }
    let (mut own, mut others) = (Vec::new(), Vec::new());
    for field in fields {
        match moved.get(&place(&field.path)) {
            Some(live) => {
                others.push(Field { before: field.after.clone(), after: live.clone(), ..field.clone() });
            }
            None => own.push(field.clone()),
        }
    }
    Ok((own, others))
}

/// A field's path without places in lists: a rule that names one resource stands elsewhere than the rule it came from.
fn place(path: &str) -> String {
    let kept = path.split('/').filter(|part| part.parse::<usize>().is_err());
    kept.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn specs_of_several_resources_become_one() {
        let mut spec = json!({"keys": {"a": {"on": true}}, "rules": [1]});
        merge(&mut spec, json!({"keys": {"b": {"on": false}, "a": {"days": 3}}, "rules": [2]}));
        let wanted = json!({"keys": {"a": {"on": true, "days": 3}, "b": {"on": false}}, "rules": [1, 2]});
        assert_eq!(spec, wanted);
    }

    #[test]
    fn places_in_lists_do_not_count() {
        assert_eq!(place("/rules/12/scanOnPush"), place("/rules/0/scanOnPush"));
        assert_ne!(place("/features/A"), place("/features/B"));
    }
}
