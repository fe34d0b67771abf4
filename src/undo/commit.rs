//! The old values as documents: what has to be committed, so that the next apply does not make the changes again.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::said::{differing, taken_out, whole, with_rest};
use super::specs::{Specs, alike, merged};
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
/// change it again. `plan` tells which regions of an account are managed.
pub(super) fn commits<'u>(
    fleet: &Fleet,
    reason: &str,
    undone: &'u [(&'u Item, Vec<Field>)],
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
            let named = |(item, fields): &'u (&Item, Vec<Field>)| {
                fields.iter().map(|field| (item.finding.resource.as_str(), field))
            };
            here.flat_map(named).collect::<Vec<_>>()
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
        fields: &dyn Fn(&Region) -> Vec<(&'f str, &'f Field)>,
        reason: &str,
    ) {
        let id = self.control.meta().id;
        let news = |region: Region| {
            let spec = specs.get(&region).and_then(|spec| {
                let facts = self.facts(&region);
                let filled = self.declared.spec_in(self.control, &facts);
                let fields = fields(&region);
                let spec = self.by_name(spec.clone(), &fields, &filled);
                let spec = fields.into_iter().fold(spec, |spec, (_, field)| whole(spec, field, &filled));
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
            written.control(id, self.with_rest(said), None, reason);
        }
    }

    fn facts(&self, region: &Region) -> Facts {
        let partition = self.account.home.partition().to_owned();
        let seen = Seen { partition, regions: self.managed.clone(), observed_at: Timestamp::now() };
        facts(&self.fleet.desired.organization, self.account, &seen, region)
    }

    /// What is declared of one resource by its name, and taken back by a rule, is said by name as well: that stands
    /// above all rules. What is declared of many (`LOW`) is left as it is: not all of them were changed.
    fn by_name(&self, spec: Value, fields: &[(&str, &Field)], filled: &Value) -> Value {
        let is_by_name = |resource: &str, field: &Field| {
            field.path.split('/').any(|part| pointer::unescaped(part) == resource)
                && filled.pointer(&field.path).is_some()
                && spec.pointer(&field.path).is_none()
        };
        let alone = |field: &Field| {
            let keys = field.path.trim_start_matches('/').rsplit('/');
            keys.fold(field.before.clone(), |inner, key| {
                Value::Object(Map::from_iter([(pointer::unescaped(key), inner)]))
            })
        };
        let fitting =
            |spec: &Value, more: &Value| merged(spec, more).filter(|spec| self.control.check(spec).is_ok());
        let own: Vec<Value> = fields
            .iter()
            .filter(|(resource, field)| is_by_name(resource, field))
            .map(|(_, field)| alone(field))
            .collect();
        // Leaves that are nothing without each other, first.
        let together = own.iter().try_fold(Value::Null, |all, one| merged(&all, one));
        if let Some(all) = together.filter(|all| !all.is_null()).and_then(|all| fitting(&spec, &all)) {
            return all;
        }
        own.iter().fold(spec.clone(), |spec, one| fitting(&spec, one).unwrap_or(spec))
    }

    /// With the rest of what the documents declare of lists, where the control takes both in one.
    fn with_rest(&self, said: Value) -> Value {
        let whole = with_rest(&said, &self.declared.spec, true);
        if self.control.check(&whole).is_ok() { whole } else { with_rest(&said, &self.declared.spec, false) }
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
