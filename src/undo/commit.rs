//! The old values as documents: what has to be committed, so that the next apply does not make the changes again.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::specs::{SELECT, Specs, alike, is_rule, merged};
use crate::control::{Accounts, ErasedControl, Facts, Field};
use crate::desired::{DesiredAccount, DesiredControl, DocumentName, Written};
use crate::inventory::{Seen, facts};
use crate::observe::{Fleet, targets};
use crate::place::Region;
use crate::plan::{Item, Plan};
use crate::pointer;

/// A part of a document that is to be merged into the one of that name.
#[derive(Clone, Debug)]
pub struct Commit {
    pub document: DocumentName,
    pub written: Written,
}

/// What the documents have to say otherwise. A control that they do not declare any more is not in it: nobody would
/// change it again.
pub(super) fn commits(
    fleet: &Fleet,
    reason: &str,
    undone: &[(&Item, Vec<Field>)],
    plan: &Plan,
) -> Vec<Commit> {
    let specs = Specs::of(fleet, undone.iter().cloned());
    let mut commits: BTreeMap<DocumentName, Written> = BTreeMap::new();
    for ((id, control), regions) in &specs.places {
        let (Some(account), Some(control)) = (fleet.desired.account(id), fleet.control(control)) else {
            continue;
        };
        let Some(declared) = account.controls.get(control.meta().id) else { continue };
        let document = match control.meta().reach.accounts {
            Accounts::Each => DocumentName::Account { name: account.name.to_string(), id: id.clone() },
            Accounts::Seat(_) => DocumentName::Organization { name: fleet.desired.organization.name.clone() },
        };
        let managed = plan.account(id).map(|account| account.regions.clone()).unwrap_or_default();
        let place = Place { fleet, account, control, declared, managed };
        let fields = |region: &Region| {
            let here = undone.iter().filter(|(item, _)| {
                (&item.scope.account, &item.scope.region, &*item.control) == (id, region, control.meta().id)
            });
            here.flat_map(|(_, fields)| fields).collect::<Vec<_>>()
        };
        place.write(commits.entry(document).or_default(), regions, &fields, reason);
    }
    commits.retain(|_, written| !written.is_empty());
    commits.into_iter().map(|(document, written)| Commit { document, written }).collect()
}

/// One control of one account, as the documents declare it.
struct Place<'a> {
    fleet: &'a Fleet,
    account: &'a DesiredAccount,
    control: &'a dyn ErasedControl,
    declared: &'a DesiredControl,
    managed: Vec<Region>,
}

impl Place<'_> {
    fn write<'f>(
        &self,
        written: &mut Written,
        specs: &BTreeMap<Region, Value>,
        fields: &dyn Fn(&Region) -> Vec<&'f Field>,
        reason: &str,
    ) {
        let id = self.control.meta().id;
        let news = |region: Region| {
            let spec = specs.get(&region).and_then(|spec| {
                let facts = self.facts(&region);
                let filled = self.declared.spec_in(self.control, &facts);
                let spec = fields(&region)
                    .into_iter()
                    .fold(spec.clone(), |spec, field| self.at_its_own_place(spec, field, &filled));
                differing(&spec, &filled)
            });
            (region, spec.unwrap_or_else(|| Value::Object(Map::new())))
        };
        let here = targets(self.fleet.controls, self.account, &self.managed).into_iter();
        let here = here.filter(|(_, target)| target.control.meta().id == id).map(|(region, _)| region);
        let news: BTreeMap<Region, Value> = here.map(news).collect();
        let groups = alike(&news);
        let said = match groups.as_slice() {
            [(said, _)] => (*said).clone(),
            // A document says the same for all regions: a value of some is not spread over the others.
            groups => {
                let said = groups
                    .iter()
                    .fold(Value::Null, |all, (said, _)| merged(&all, &taken_out(said)).unwrap_or(all));
                if said.as_object().is_some_and(|map| !map.is_empty()) {
                    written.note(id, "", &elsewhere(groups));
                }
                said
            }
        };
        if said.as_object().is_some_and(|map| !map.is_empty()) {
            written.compare(id, &said, &self.declared.spec, "the documents say");
            written.control(id, with_rest(said, &self.declared.spec), None, reason);
        }
    }

    fn facts(&self, region: &Region) -> Facts {
        let partition = self.account.home.partition().to_owned();
        let seen = Seen { partition, regions: self.managed.clone(), observed_at: Timestamp::now() };
        facts(&self.fleet.desired.organization, self.account, &seen, region)
    }

    /// What is declared by name, and taken back by a rule, is said by name as well: that stands above all rules.
    fn at_its_own_place(&self, spec: Value, field: &Field, filled: &Value) -> Value {
        let is_in_a_list = field.path.split('/').any(|part| part.parse::<usize>().is_ok());
        if is_in_a_list || filled.pointer(&field.path).is_none() || spec.pointer(&field.path).is_some() {
            return spec;
        }
        let keys = field.path.trim_start_matches('/').rsplit('/');
        let alone = keys.fold(field.before.clone(), |inner, key| {
            Value::Object(Map::from_iter([(pointer::unescaped(key), inner)]))
        });
        match self.control.check(&alone) {
            Ok(()) => merged(&spec, &alone).unwrap_or(spec),
            Err(_) => spec,
        }
    }
}

/// The leaves of a spec that are declared otherwise, and all its rules.
fn differing(spec: &Value, declared: &Value) -> Option<Value> {
    match spec {
        Value::Object(spec) => {
            let leaf = |(key, value): (&String, &Value)| {
                let declared = declared.get(key).unwrap_or(&Value::Null);
                Some((key.clone(), differing(value, declared)?))
            };
            let map: Map<String, Value> = spec.iter().filter_map(leaf).collect();
            (!map.is_empty()).then_some(Value::Object(map))
        }
        spec => (spec != declared).then(|| spec.clone()),
    }
}

/// The same leaves and rules, that say nothing: they are not managed.
fn taken_out(said: &Value) -> Value {
    match said {
        Value::Object(map) if is_rule(said) => {
            Map::from_iter([(SELECT.to_owned(), map[SELECT].clone())]).into()
        }
        Value::Object(map) => {
            map.iter().map(|(key, value)| (key.clone(), taken_out(value))).collect::<Map<_, _>>().into()
        }
        Value::Array(rules) if rules.iter().all(is_rule) => rules.iter().map(taken_out).collect(),
        _ => Value::Null,
    }
}

/// A list is replaced whole. So the declared rules are said again, after the new ones: the first that selects a
/// resource governs it.
fn with_rest(said: Value, declared: &Value) -> Value {
    match said {
        Value::Object(map) if !is_rule(declared) => {
            let rest = |(key, value): (String, Value)| {
                let declared = declared.get(&key).unwrap_or(&Value::Null);
                let value = with_rest(value, declared);
                (key, value)
            };
            map.into_iter().map(rest).collect::<Map<_, _>>().into()
        }
        Value::Array(rules) if rules.iter().all(is_rule) => {
            let rest = declared.as_array().into_iter().flatten();
            let rest = rest.filter(|rule| !rules.iter().any(|one| one[SELECT] == rule[SELECT])).cloned();
            rules.iter().cloned().chain(rest.collect::<Vec<_>>()).collect()
        }
        said => said,
    }
}

/// The old values by region, where they are not the same in all.
fn elsewhere(groups: &[(&Value, BTreeSet<&Region>)]) -> String {
    let told = groups.iter().filter_map(|(said, regions)| {
        let regions: Vec<&str> = regions.iter().map(|region| region.as_str()).collect();
        let is_news = said.as_object().is_some_and(|map| !map.is_empty());
        is_news.then(|| format!("it was {said} in {}", regions.join(", ")))
    });
    let told: Vec<String> = told.collect();
    format!("{}; what is not the same in all regions is not managed", told.join("; "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_is_declared_otherwise_is_said() {
        let declared = json!({"bucket": "logs", "versioning": true, "lock": {"days": 365}});
        let spec = json!({"bucket": "logs", "versioning": false, "lock": {"days": 365}});
        assert_eq!(differing(&spec, &declared), Some(json!({"versioning": false})));
        assert_eq!(differing(&json!({"bucket": "logs"}), &declared), None);
    }

    #[test]
    fn rules_come_before_those_that_are_declared() {
        let rule = |name: &str, on: bool| json!({"select": {"names": [name]}, "scan": on});
        let declared = json!({"rules": [rule("*", true)]});
        let said = json!({"rules": [rule("api", false)]});
        let whole = with_rest(said.clone(), &declared);
        assert_eq!(whole, json!({"rules": [rule("api", false), rule("*", true)]}));
        // The same selector again is the same rule.
        assert_eq!(
            with_rest(json!({"rules": [rule("*", false)]}), &declared),
            json!({"rules": [rule("*", false)]})
        );
        assert_eq!(taken_out(&said), json!({"rules": [{"select": {"names": ["api"]}}]}));
        assert_eq!(taken_out(&json!({"a": {"b": 1}, "c": [1]})), json!({"a": {"b": null}, "c": null}));
    }
}
