//! Findings that are equal are said once: over regions first, then resources, then accounts.
//!
//! Equal means the whole finding: rule, fields, steps, risk, notes, outcome, where it was declared. One
//! differing word makes a block of its own, so a block is true of every account × region × resource that it
//! names. Three things are compared with the finding's own coordinates taken out, because they name them by
//! necessity: steps and their titles (the resource), a delivery needed from the account itself, and
//! the messages of faults (account, region, resource; the request id is left out).

mod told;

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use serde::{Deserialize as _, Serialize};
use serde_json::Value;

use crate::control::{Change, Direction, Step, Thing, Verdict};
use crate::fault::Fault;
use crate::place::{AccountId, Region, Scope};
use crate::plan::{Item, Outcome, Position, SeverityWord};

pub use told::{Alike, fold_told};

/// One finding in every account × region × resource named.
#[derive(Clone, Debug, PartialEq)]
pub struct Block<'a> {
    /// In plan order.
    pub accounts: Vec<&'a AccountId>,
    /// Sorted; empty for what runs once in an account.
    pub regions: Vec<&'a Region>,
    /// Sorted.
    pub resources: Vec<&'a str>,
    /// The first member in plan order.
    pub first: &'a Item,
}

/// Folds the items; blocks stand where their first member stood. The order of the rest changes nothing.
pub fn fold<'a>(items: impl IntoIterator<Item = &'a Item>) -> Vec<Block<'a>> {
    let mut keys: HashMap<String, usize> = HashMap::new();
    let mut ranks: HashMap<&AccountId, usize> = HashMap::new();

    let mut by_region = Groups::default();
    for item in items {
        let next = keys.len();
        let key = *keys.entry(key(item)).or_insert(next);
        let next = ranks.len();
        ranks.entry(&item.scope.account).or_insert(next);
        let resource = item.finding.resource.as_str();
        by_region.add((key, &item.scope.account, resource), item, item.region.as_ref());
    }

    let mut by_resource = Groups::default();
    for ((key, account, resource), first, regions) in by_region.finish() {
        let mut regions: Vec<&Region> = regions.into_iter().flatten().collect();
        regions.sort_unstable();
        by_resource.add((key, account, regions), first, resource);
    }

    let mut by_account = Groups::default();
    for ((key, account, regions), first, mut resources) in by_resource.finish() {
        resources.sort_unstable();
        by_account.add((key, regions, resources), first, account);
    }

    by_account
        .finish()
        .map(|((_, regions, resources), first, mut accounts)| {
            accounts.sort_by_key(|account| ranks.get(account));
            Block { accounts, regions, resources, first }
        })
        .collect()
}

/// Members by key, in the order in which keys were first seen.
struct Groups<'a, K, M> {
    places: HashMap<K, usize>,
    groups: Vec<(&'a Item, Vec<M>)>,
}

impl<K, M> Default for Groups<'_, K, M> {
    fn default() -> Self {
        Self { places: HashMap::new(), groups: Vec::new() }
    }
}

impl<'a, K: Hash + Eq, M> Groups<'a, K, M> {
    fn add(&mut self, key: K, item: &'a Item, member: M) {
        let place = *self.places.entry(key).or_insert(self.groups.len());
        match self.groups.get_mut(place) {
            Some((_, members)) => members.push(member),
            None => self.groups.push((item, vec![member])),
        }
    }

    fn finish(self) -> impl Iterator<Item = (K, &'a Item, Vec<M>)> {
        let mut keys: Vec<(usize, K)> = self.places.into_iter().map(|(key, place)| (place, key)).collect();
        keys.sort_unstable_by_key(|(place, _)| *place);
        keys.into_iter().zip(self.groups).map(|((_, key), (first, members))| (key, first, members))
    }
}

impl<'a> Block<'a> {
    /// A finding on its own.
    pub fn of(item: &'a Item) -> Self {
        Self {
            accounts: vec![&item.scope.account],
            regions: item.region.iter().collect(),
            resources: vec![&item.finding.resource],
            first: item,
        }
    }

    /// How many findings the block stands for.
    pub fn size(&self) -> usize {
        self.accounts.len() * self.regions.len().max(1) * self.resources.len()
    }

    /// The fault as it is true of every member: coordinates that differ are written `<account>`,
    /// `<region>` and `<resource>`, and of several request ids none is kept.
    pub fn fault(&self) -> Option<Cow<'_, Fault>> {
        let Verdict::Unknown { fault } = &self.first.finding.verdict else { return None };
        if self.size() == 1 {
            return Some(Cow::Borrowed(fault));
        }
        let message = self.general(&fault.message, true);
        Some(Cow::Owned(Fault { message, request_id: None, ..fault.clone() }))
    }

    /// The titles of a change's steps, with `<resource>` where the block has several.
    pub fn title(&self, step: &'a Step) -> Cow<'a, str> {
        if self.resources.len() == 1 {
            return Cow::Borrowed(&step.title);
        }
        Cow::Owned(self.general(&step.title, false))
    }

    fn general(&self, text: &str, places: bool) -> String {
        let item = self.first;
        let mut text = text.to_owned();
        if self.resources.len() > 1 && !item.finding.resource.is_empty() {
            text = text.replace(&item.finding.resource, "<resource>");
        }
        if places && self.accounts.len() > 1 {
            text = text.replace(item.scope.account.as_str(), "<account>");
        }
        if places && self.regions.len() > 1 {
            text = text.replace(item.scope.region.as_str(), "<region>");
        }
        text
    }
}

/// What two findings must have in common to be said once.
#[derive(Serialize)]
struct Key<'a> {
    control: &'a str,
    /// Where an account-wide control ran; `None` for regional ones.
    home: Option<&'a Region>,
    severity: SeverityWord,
    frameworks: &'a [String],
    rule: &'a str,
    verdict: Cow<'a, Verdict<Step>>,
    outcome: Cow<'a, Outcome>,
    needs: Vec<(bool, Cow<'a, Thing>, bool)>,
    exception_note: Option<&'a str>,
    lapsed: Option<&'a str>,
    reason: Option<&'a str>,
    declared_at: &'a [(Arc<str>, Position)],
    selected: bool,
}

fn key(item: &Item) -> String {
    let own = &item.scope;
    let key = Key {
        control: &item.control,
        home: item.region.is_none().then_some(&item.scope.region),
        severity: item.severity,
        frameworks: &item.frameworks,
        rule: &item.finding.rule,
        verdict: common_verdict(item),
        outcome: match &item.outcome {
            Outcome::Blocked { on, why } => Cow::Owned(Outcome::Blocked {
                on: on.iter().map(|thing| common_thing(thing, own).1.into_owned()).collect(),
                why: why.clone(),
            }),
            other => Cow::Borrowed(other),
        },
        needs: item
            .needs
            .iter()
            .map(|need| {
                let (own, thing) = common_thing(&need.thing, own);
                (own, thing, need.hard)
            })
            .collect(),
        exception_note: item.exception_note.as_deref(),
        lapsed: item.lapsed.as_deref(),
        reason: weakens(item).then_some(item.reason.as_deref()).flatten(),
        declared_at: &item.declared_at,
        selected: item.selected,
    };
    serde_json::to_string(&key).expect("a finding has text keys and finite numbers only")
}

/// Only then is it said why the account differs.
fn weakens(item: &Item) -> bool {
    item.finding.change().is_some_and(|change| change.direction == Direction::Weakens)
}

fn common_verdict(item: &Item) -> Cow<'_, Verdict<Step>> {
    match &item.finding.verdict {
        Verdict::Change(change) if !change.steps.is_empty() => {
            let resource = &item.finding.resource;
            let steps = change
                .steps
                .iter()
                .map(|step| Step {
                    call: step.call.clone(),
                    title: without(&step.title, resource),
                    action: common_value(&step.action.value(), resource, &item.scope).into(),
                })
                .collect();
            let makes =
                change.makes.iter().map(|thing| common_thing(thing, &item.scope).1.into_owned()).collect();
            // What it stands on is among the item's needs, which are compared as those of any account.
            Cow::Owned(Verdict::Change(Change { steps, makes, stands_on: None, ..change.clone() }))
        }
        Verdict::Unknown { fault } => {
            let Scope { account, region } = &item.scope;
            let message = without(&fault.message, &item.finding.resource);
            let message = without(&message, account.as_str());
            let message = without(&message, region.as_str());
            Cow::Owned(Verdict::Unknown { fault: Fault { message, request_id: None, ..fault.clone() } })
        }
        other => Cow::Borrowed(other),
    }
}

/// Stands for a coordinate when `1` follows, for itself when `0` follows: two texts that differ in more than
/// their coordinates never become one.
const OWN: &str = "\u{fffc}";

fn without(text: &str, own: &str) -> String {
    let literal = |part: &str| part.replace(OWN, "\u{fffc}0");
    if own.is_empty() {
        return literal(text);
    }
    text.split(own).map(literal).collect::<Vec<_>>().join("\u{fffc}1")
}

fn common_value(value: &Value, resource: &str, own: &Scope) -> Value {
    match value {
        Value::String(text) => Value::String(without(text, resource)),
        Value::Array(items) => items.iter().map(|item| common_value(item, resource, own)).collect(),
        Value::Object(map) if map.contains_key("thing") => match Thing::deserialize(value) {
            Ok(thing) => serde_json::json!(common_thing(&thing, own)),
            Err(_) => value.clone(),
        },
        Value::Object(map) => {
            let common = |(key, value): (&String, &Value)| (key.clone(), common_value(value, resource, own));
            Value::Object(map.iter().map(common).collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

/// Is it what the finding's own account has in its own region? In a block of several accounts it is then each one's own.
pub fn is_own(thing: &Thing, own: &Scope) -> bool {
    !matches!(thing, Thing::Delivery { .. }) && common_thing(thing, own).0
}

/// A delivery from the finding's own account, as one from whichever account it is, and what its own account has in
/// its own region, as that of whichever scope it is; and whether it was.
fn common_thing<'a>(thing: &'a Thing, own: &Scope) -> (bool, Cow<'a, Thing>) {
    let here = *thing.account() == own.account && thing.region() == Some(&own.region);
    // Neither names a real one.
    let account = || "000000000000".parse().expect("12 digits");
    let region = || Region::new("own");
    match thing {
        Thing::LogGroup { name, .. } if here => {
            (true, Cow::Owned(Thing::LogGroup { account: account(), region: region(), name: name.clone() }))
        }
        Thing::Topic { name, .. } if here => {
            (true, Cow::Owned(Thing::Topic { account: account(), region: region(), name: name.clone() }))
        }
        Thing::ConfigRecorder { .. } if here => {
            (true, Cow::Owned(Thing::ConfigRecorder { account: account(), region: region() }))
        }
        Thing::SecurityHub { .. } if here => {
            (true, Cow::Owned(Thing::SecurityHub { account: account(), region: region() }))
        }
        Thing::OwnSecurityHub { account, region, member } if *member == own.account => {
            let (account, region) = (account.clone(), region.clone());
            (true, Cow::Owned(Thing::OwnSecurityHub { member: account.clone(), account, region }))
        }
        Thing::FindingAggregator { .. } if here => {
            (true, Cow::Owned(Thing::FindingAggregator { account: account(), region: region() }))
        }
        Thing::WebAcl { name, .. } if here => {
            (true, Cow::Owned(Thing::WebAcl { account: account(), region: region(), name: name.clone() }))
        }
        Thing::Detector { account: of, .. } if thing.region() == Some(&own.region) => {
            let of = if here { account() } else { of.clone() };
            (here, Cow::Owned(Thing::Detector { account: of, region: region() }))
        }
        Thing::RegionalAdmin { account: of, service, admin, .. } if thing.region() == Some(&own.region) => (
            true,
            Cow::Owned(Thing::RegionalAdmin {
                account: of.clone(),
                region: region(),
                service: service.clone(),
                admin: admin.clone(),
            }),
        ),
        Thing::Delivery { account, region, bucket, service, from } if *from == own.account => (
            true,
            Cow::Owned(Thing::Delivery {
                account: account.clone(),
                region: region.clone(),
                bucket: bucket.clone(),
                service: service.clone(),
                from: account.clone(),
            }),
        ),
        other => (false, Cow::Borrowed(other)),
    }
}

#[cfg(test)]
mod tests;
