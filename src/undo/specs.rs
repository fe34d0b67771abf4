//! Specs that say some fields' old values, and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use crate::control::{ErasedControl, Field, Regions};
use crate::desired::{DesiredAccount, DesiredControl, RegionWord};
use crate::observe::Fleet;
use crate::place::{AccountId, Region};
use crate::plan::Item;

/// What a member of a list of rules is known by.
pub(super) const SELECT: &str = "select";

/// The inverse of some fields, as one spec for each control in each scope.
#[derive(Debug, Default)]
pub(super) struct Specs {
    /// By account and control, then region.
    pub places: BTreeMap<(AccountId, String), BTreeMap<Region, Value>>,
    /// What no spec can say, and why.
    impossible: Vec<(Item, String)>,
}

impl Specs {
    pub fn of<'i>(fleet: &Fleet, wanted: impl Iterator<Item = (&'i Item, Vec<Field>)>) -> Self {
        let mut specs = Self::default();
        for (item, fields) in wanted {
            let control = fleet.control(&item.control);
            let Some(spec) = control.and_then(|control| control.inverse(&item.finding.resource, &fields))
            else {
                specs.impossible.push((item.clone(), cannot(fleet, item)));
                continue;
            };
            let place = (item.scope.account.clone(), item.control.clone());
            let here = specs.places.entry(place).or_default();
            let known = here.entry(item.scope.region.clone()).or_insert(Value::Null);
            match merged(known, &spec) {
                Some(merged) => *known = merged,
                None => {
                    let why =
                        "its old value and that of another resource of this run cannot be said together";
                    specs.impossible.push((item.clone(), why.to_owned()));
                }
            }
        }
        specs.places.retain(|_, regions| {
            regions.retain(|_, spec| !spec.is_null());
            !regions.is_empty()
        });
        specs
    }

    /// Why this finding has no way back.
    pub fn impossible(&self, item: &Item) -> Option<&str> {
        self.impossible.iter().find(|(other, _)| other.is_about(item)).map(|(_, why)| why.as_str())
    }

    /// Accounts whose controls are these specs. An account stands there more than once where its regions need different
    /// specs of one control.
    pub fn accounts(&self, fleet: &Fleet, reason: &str) -> Vec<DesiredAccount> {
        let layers: Vec<_> = self.places.iter().map(|(place, regions)| (place, alike(regions))).collect();
        let most = layers.iter().map(|(_, layers)| layers.len()).max().unwrap_or_default();
        let mut all = Vec::new();
        for layer in 0..most {
            let mut controls: BTreeMap<&AccountId, BTreeMap<String, DesiredControl>> = BTreeMap::new();
            for ((account, id), layers) in &layers {
                let (Some((spec, regions)), Some(control)) = (layers.get(layer), fleet.control(id)) else {
                    continue;
                };
                let declared = declared(control, spec, regions, reason);
                controls.entry(account).or_default().insert(id.clone(), declared);
            }
            all.extend(controls.into_iter().filter_map(|(id, controls)| {
                let account = fleet.desired.account(id)?;
                Some(DesiredAccount { controls: Arc::new(controls), ..account.clone() })
            }));
        }
        all
    }
}

/// Regions whose specs are the same, together.
pub(super) fn alike(regions: &BTreeMap<Region, Value>) -> Vec<(&Value, BTreeSet<&Region>)> {
    let mut alike: Vec<(&Value, BTreeSet<&Region>)> = Vec::new();
    for (region, spec) in regions {
        match alike.iter_mut().find(|(known, _)| *known == spec) {
            Some((_, regions)) => drop(regions.insert(region)),
            None => alike.push((spec, BTreeSet::from([region]))),
        }
    }
    alike
}

fn declared(
    control: &dyn ErasedControl,
    spec: &Value,
    regions: &BTreeSet<&Region>,
    reason: &str,
) -> DesiredControl {
    let codes = || regions.iter().map(|region| RegionWord::Code((*region).clone())).collect();
    DesiredControl {
        regions: (control.meta().reach.regions == Regions::Each).then(codes),
        reason: Some(reason.to_owned()),
        ..DesiredControl::fixed(Arc::new(spec.clone()))
    }
}

/// Why there is no way back.
pub(super) fn cannot(fleet: &Fleet, item: &Item) -> String {
    let undo = fleet.control(&item.control).and_then(|control| control.meta().undo);
    undo.unwrap_or("this build cannot take it back").to_owned()
}

/// Two specs in one: maps field by field, rules that select the same as one rule and other rules one after the other.
/// `None` where they say different values of one field.
pub(super) fn merged(one: &Value, other: &Value) -> Option<Value> {
    match (one, other) {
        (Value::Null, other) => Some(other.clone()),
        (Value::Object(one), Value::Object(other)) => {
            let mut all = one.clone();
            for (key, value) in other {
                let known = all.get(key).unwrap_or(&Value::Null);
                let value = merged(known, value)?;
                all.insert(key.clone(), value);
            }
            Some(Value::Object(all))
        }
        (Value::Array(one), Value::Array(other)) if one.iter().chain(other).all(is_rule) => {
            let mut all = one.clone();
            for rule in other {
                match all.iter_mut().find(|known| known[SELECT] == rule[SELECT]) {
                    Some(known) => *known = merged(known, rule)?,
                    None => all.push(rule.clone()),
                }
            }
            Some(Value::Array(all))
        }
        (one, other) => (one == other).then(|| one.clone()),
    }
}

/// Is it a member of a list of rules, of which the first that selects a resource governs it?
pub(super) fn is_rule(value: &Value) -> bool {
    value.get(SELECT).is_some()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn specs_of_several_resources_become_one() {
        let spec = json!({"keys": {"a": {"on": true}}, "list": [1]});
        let other = json!({"keys": {"b": {"on": false}, "a": {"days": 3}}, "list": [1]});
        let wanted = json!({"keys": {"a": {"on": true, "days": 3}, "b": {"on": false}}, "list": [1]});
        assert_eq!(merged(&spec, &other), Some(wanted));
    }

    #[test]
    fn two_values_of_one_field_are_not_one_spec() {
        assert_eq!(merged(&json!({"quiet": true}), &json!({"quiet": false})), None);
        assert_eq!(merged(&json!({"list": [1]}), &json!({"list": [2]})), None);
    }

    #[test]
    fn of_one_resource_there_is_one_rule() {
        let rule = |name: &str, rest: Value| {
            let mut rule = json!({"select": {"names": [name]}});
            rule.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
            rule
        };
        let one =
            json!({"rules": [rule("api", json!({"scan": false})), rule("web", json!({"scan": false}))]});
        let other = json!({"rules": [rule("web", json!({"immutable": false}))]});
        let web = rule("web", json!({"scan": false, "immutable": false}));
        let wanted = json!({"rules": [rule("api", json!({"scan": false})), web]});
        assert_eq!(merged(&one, &other), Some(wanted));
    }
}
