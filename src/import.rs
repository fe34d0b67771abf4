//! Adoption: what is live, said as the documents would have to say it. Reads only.
//!
//! Of each control that the account's baselines declare, the declared fields are compared with what is live; where they
//! differ, the account's own document gets the live value. What comes out is planned once more, and a control that
//! is still not as it would then be declared is taken out: a plan on the result is empty.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::control::{Sight, Verdict};
use crate::desired::{DesiredAccount, DesiredControl, RegionWord, Written};
use crate::inventory::{AccountView, facts};
use crate::observe::{Fleet, targets};
use crate::place::Region;
use crate::plan::{AccountState, Outcome};
use crate::survey::{self, Wish};

/// What was found of one account.
#[must_use = "nothing is written by it"]
#[derive(Debug)]
pub struct Import {
    /// What the account's document would have to say.
    pub written: Written,
    /// Controls that are live as the baselines say.
    pub same: usize,
    /// What could not be looked at: control, region, why.
    pub unseen: Vec<(String, Region, String)>,
    /// Tasks for a person, and what is still in progress: no document can say these.
    pub open: Vec<String>,
}

/// The live values of one control, and where they hold.
struct Found {
    /// What differs from the baselines, as a spec.
    differs: Value,
    /// The baselines' spec with that on top.
    whole: Value,
    /// Is there anything at all?
    is_there: bool,
    regions: BTreeSet<Region>,
}

/// Describes one account. `Err` where it could not be reached.
pub async fn import(
    fleet: &Fleet,
    account: &DesiredAccount,
    wanted: &BTreeSet<String>,
    reason: &str,
) -> Result<Import, AccountState> {
    let only = |controls: BTreeMap<String, DesiredControl>| DesiredAccount {
        controls: Arc::new(controls),
        ..account.clone()
    };
    let chosen = account.controls.iter().filter(|(id, _)| wanted.is_empty() || wanted.contains(*id));
    let chosen = only(chosen.map(|(id, control)| (id.clone(), control.clone())).collect());
    let view = fleet.observe_account(&chosen).await;
    if view.state != AccountState::Reached {
        return Err(view.state);
    }
    let mut import = Import { written: Written::default(), same: 0, unseen: Vec::new(), open: Vec::new() };
    let found = found(fleet, &chosen, &view, &mut import.unseen);
    let mut adopted = BTreeMap::new();
    for (id, mut groups) in found {
        let Some(declared) = chosen.controls.get(&id) else { continue };
        let home = groups.iter().position(|group| group.regions.contains(&account.home));
        let main = groups.swap_remove(home.unwrap_or_default());
        if !main.is_there && groups.is_empty() {
            import.written.unmanaged(&id, reason);
            import.written.note(&id, "", "there is none");
            continue;
        }
        let is_same = main.differs == Value::Object(Map::new());
        let mut control = DesiredControl { spec: Arc::new(main.whole), ..declared.clone() };
        if !groups.is_empty() {
            control.regions = Some(main.regions.iter().cloned().map(RegionWord::Code).collect());
            import.written.note(&id, "", &elsewhere(&groups));
        }
        if is_same && groups.is_empty() {
            import.same += 1;
        } else {
            import.written.compare(&id, &main.differs, &declared.spec, "the baselines say");
            import.written.control(&id, main.differs, control.regions.clone(), reason);
        }
        adopted.insert(id, control);
    }
    settle(fleet, only(adopted), &mut import, reason).await;
    Ok(import)
}

/// What each control says of the regions that could be looked at, alike ones together.
fn found(
    fleet: &Fleet,
    account: &DesiredAccount,
    view: &AccountView,
    unseen: &mut Vec<(String, Region, String)>,
) -> BTreeMap<String, Vec<Found>> {
    let mut all: BTreeMap<String, Vec<Found>> = BTreeMap::new();
    let Some(seen) = &view.seen else { return all };
    for (region, target) in targets(fleet.controls, account, &seen.regions) {
        let id = target.control.meta().id;
        let facts = facts(&fleet.desired.organization, account, seen, &region);
        let spec = target.declared.spec_in(target.control, &facts);
        let observation = view.scopes.get(&region).and_then(|scope| scope.get(id));
        let observed = match observation.map(|observation| &observation.sight) {
            Some(Sight::Seen(observed)) => observed,
            Some(Sight::Unseen(fault)) => {
                unseen.push((id.to_owned(), region, fault.to_string()));
                continue;
            }
            None => continue,
        };
        let control = target.control;
        let planned = control.plan(&facts, &view.known, &spec, observed);
        let live = control.import(&facts, &view.known, observed);
        let (findings, live) = match (planned, live) {
            (Ok(findings), Ok(live)) => (findings, live),
            (Err(misfit), _) | (_, Err(misfit)) => {
                unseen.push((id.to_owned(), region, misfit.to_string()));
                continue;
            }
        };
        let unknown = findings.iter().find_map(|finding| match &finding.verdict {
            Verdict::Unknown { fault } => Some(fault.to_string()),
            _ => None,
        });
        if let Some(why) = unknown {
            unseen.push((id.to_owned(), region, why));
            continue;
        }
        // What is as the baselines say need not be said, in whatever words it would be.
        let is_same = findings.iter().all(|finding| finding.change().is_none());
        let said = if is_same { None } else { differs(&spec, live.as_ref().unwrap_or(&Value::Null)) };
        let differs = said.unwrap_or_else(|| Value::Object(Map::new()));
        let groups = all.entry(id.to_owned()).or_default();
        let is_there = is_same || live.is_some();
        match groups.iter_mut().find(|group| group.differs == differs && group.is_there == is_there) {
            Some(group) => drop(group.regions.insert(region)),
            None => {
                let whole = on_top(&target.declared.spec, &differs);
                groups.push(Found { differs, whole, is_there, regions: BTreeSet::from([region]) });
            }
        }
    }
    // The largest group comes first; where the home region is in none of them, it is taken.
    all.values_mut().for_each(|groups| groups.sort_by_key(|group| std::cmp::Reverse(group.regions.len())));
    all
}

/// Declared leaves whose live value is another: that value, or `null` where nothing is live that could be said.
fn differs(declared: &Value, live: &Value) -> Option<Value> {
    match (declared, live) {
        (Value::Object(declared), live) => {
            let inner = |(key, value): (&String, &Value)| {
                let live = live.get(key).unwrap_or(&Value::Null);
                Some((key.clone(), differs(value, live)?))
            };
            let map: Map<String, Value> = declared.iter().filter_map(inner).collect();
            (!map.is_empty()).then_some(Value::Object(map))
        }
        (declared, live) if declared == live => None,
        (_, live) => Some(live.clone()),
    }
}

/// A spec with another on top of it; `null` takes out.
fn on_top(spec: &Value, upper: &Value) -> Value {
    match (spec, upper) {
        (Value::Object(spec), Value::Object(upper)) => {
            let mut merged = spec.clone();
            for (key, value) in upper {
                match value {
                    Value::Null => drop(merged.remove(key)),
                    value => {
                        let below = merged.get(key).cloned().unwrap_or_default();
                        merged.insert(key.clone(), on_top(&below, value));
                    }
                }
            }
            Value::Object(merged)
        }
        (_, upper) => upper.clone(),
    }
}

/// What holds in other regions, which one control cannot say as well.
fn elsewhere(groups: &[Found]) -> String {
    let told = groups.iter().map(|group| {
        let regions: Vec<&str> = group.regions.iter().map(Region::as_str).collect();
        let what = match &group.differs {
            _ if !group.is_there => "there is none".to_owned(),
            Value::Object(map) if map.is_empty() => "it is as the baselines say".to_owned(),
            differs => format!("live is {differs}"),
        };
        format!("{what} in {}", regions.join(", "))
    });
    format!("not managed everywhere: {}", told.collect::<Vec<_>>().join("; "))
}

/// Plans with what was written: what would still be changed cannot be described, and is not managed.
async fn settle(fleet: &Fleet, account: DesiredAccount, import: &mut Import, reason: &str) {
    let desired = Arc::new(fleet.desired.with_accounts(vec![account]));
    let again = Fleet::new(fleet.aws.clone(), desired, fleet.controls);
    let plan = survey::plan(&again, &Wish::default(), &|_| {}).await;
    for item in &plan.items {
        let named = format!("{} {}", item.control, item.finding.resource);
        match &item.outcome {
            Outcome::Change | Outcome::ObserveOnly | Outcome::Blocked { .. } => {
                import.written.unmanaged(&item.control, reason);
                let what = format!("{named} cannot be described as it is live: not managed");
                import.written.note(&item.control, "", &what);
            }
            Outcome::Manual => {
                let title = match &item.finding.verdict {
                    Verdict::Manual(task) => task.title.as_str(),
                    _ => "a task for a person",
                };
                import.open.push(format!("{named}: {title}"));
            }
            Outcome::Progressing => import.open.push(format!("{named}: AWS is at it")),
            Outcome::InSync
            | Outcome::Excepted { .. }
            | Outcome::Foreign
            | Outcome::NotOffered
            | Outcome::Unknown => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_is_declared_and_differs_is_said() {
        let declared = json!({"length": 14, "require": {"upper": true, "lower": true}, "list": [1]});
        let live = json!({"length": 8, "require": {"upper": true}, "list": [1], "maxAge": 90});
        let found = differs(&declared, &live);
        assert_eq!(found, Some(json!({"length": 8, "require": {"lower": null}})));
        assert_eq!(differs(&declared, &declared), None);
        let whole = on_top(&declared, &found.unwrap());
        assert_eq!(whole, json!({"length": 8, "require": {"upper": true}, "list": [1]}));
    }
}
