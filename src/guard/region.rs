//! A change of one region stays there. What reaches further says so, in its control's reach or at the call.

use serde_json::Value;

use super::{Danger, Judging, Refusal, account, quoted};
use crate::call::{Extent, has_no_region};
use crate::control::{Change, Meta, Regions, Step, Thing};
use crate::controls;
use crate::desired::{DesiredAccount, DesiredState, Managed};
use crate::place::{Region, Scope};
use crate::plan::{Item, Plan};

/// Changes that would touch what is outside of the account and region that they stand under.
pub(super) fn beyond(plan: &Plan, with: &Judging<'_>) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    for (_, item) in plan.changes() {
        let resource = &item.finding.resource;
        if with.allows(Danger::Region, resource) {
            continue;
        }
        let Some(why) = outside(item, with.desired) else { continue };
        let (account, region) = (account(plan, item), &item.scope.region);
        let refusal = Refusal {
            why: format!("{} {resource} in {account} {region} {why}", item.control),
            hint: format!(
                "plan again, and report it if that says the same: a change of one region stays there; --allow {} makes it",
                quoted(&format!("region:{resource}"))
            ),
        };
        if !refusals.contains(&refusal) {
            refusals.push(refusal);
        }
    }
    refusals
}

/// What of it is outside of its account and region: the end of a sentence.
pub(super) fn outside(item: &Item, desired: &DesiredState) -> Option<String> {
    let Some(account) = desired.account(&item.scope.account) else {
        return Some("is of an account that the documents do not have".to_owned());
    };
    let archive = desired.organization.archive.as_ref().map(|_| &desired.organization.home);
    let meta = controls::find(&item.control).map(|control| control.meta());
    outside_of(item, &Bounds { scope: &item.scope, account, archive, meta })
}

/// What bounds a change: of a control that is not in the list, the closest.
struct Bounds<'a> {
    scope: &'a Scope,
    account: &'a DesiredAccount,
    /// Where the organisation keeps its logs: what is delivered there names that region.
    archive: Option<&'a Region>,
    meta: Option<&'static Meta>,
}

fn outside_of(item: &Item, bounds: &Bounds<'_>) -> Option<String> {
    let change = item.finding.change()?;
    let shown = item.region.as_ref().filter(|shown| **shown != bounds.scope.region);
    if let Some(shown) = shown {
        return Some(format!("is shown as one of {shown}"));
    }
    bounds
        .misplaced()
        .or_else(|| change.steps.iter().find_map(|step| bounds.calls(step)))
        .or_else(|| change.makes.iter().find_map(|thing| bounds.makes(item, change, thing)))
        .or_else(|| change.steps.iter().find_map(|step| bounds.names(item, step)))
}

impl Bounds<'_> {
    fn regions(&self) -> Regions {
        self.meta.map_or(Regions::Each, |meta| meta.reach.regions)
    }

    fn extent(&self, operation: &str) -> Option<Extent> {
        let writes = self.meta?.writes;
        writes.iter().find(|call| call.operation == operation).map(|call| call.extent)
    }

    /// Does the control run there at all?
    fn misplaced(&self) -> Option<String> {
        let (region, home) = (&self.scope.region, &self.account.home);
        let wanted = match self.regions() {
            Regions::Home => home.clone(),
            Regions::Global => Region::global(home.partition()),
            Regions::Each => {
                let managed = match &self.account.managed {
                    Managed::AllEnabled => !self.account.except.contains_key(region.as_str()),
                    Managed::Listed(listed) => listed.contains(region),
                };
                return (!managed).then(|| "is of a region that is not managed".to_owned());
            }
        };
        (*region != wanted).then(|| format!("belongs into {wanted}, where its control runs"))
    }

    fn calls(&self, step: &Step) -> Option<String> {
        let call = &step.call;
        let extent = match (self.meta, self.extent(call)) {
            (Some(_), None) => return Some(format!("calls {call}, which its control does not declare")),
            (_, extent) => extent.unwrap_or(Extent::Region),
        };
        let home = &self.account.home;
        match (self.regions(), extent) {
            (Regions::Each, Extent::Region) if has_no_region(call) => {
                Some(format!("calls {call}, which reaches every region, and its control does not say so"))
            }
            (Regions::Each, Extent::Home) if self.scope.region != *home => {
                Some(format!("calls {call}, which reaches every region and is for the home region, {home}"))
            }
            _ => None,
        }
    }

    fn makes(&self, item: &Item, change: &Change<Step>, thing: &Thing) -> Option<String> {
        let Scope { account, region } = self.scope;
        // What reaches the organisation is asked for by name: an administrator's detector is made with it.
        let asked_for = || Danger::of(item).any(|danger| danger == Danger::Organization);
        if thing.account() != account && !asked_for() {
            return Some(format!("would make {thing} in another account, {}", thing.account()));
        }
        match thing.region() {
            Some(other) if other != region => Some(format!("would make {thing} in {other}")),
            None if self.regions() == Regions::Each && !self.reaches(change) => {
                Some(format!("would make {thing}, which an account has once"))
            }
            _ => None,
        }
    }

    fn reaches(&self, change: &Change<Step>) -> bool {
        change.steps.iter().any(|step| self.extent(&step.call).is_some_and(|extent| extent != Extent::Region))
    }

    /// Parameters that name another region than its own, the home region, the archive's, those of its needs, and those
    /// that the documents name for this control.
    fn names(&self, item: &Item, step: &Step) -> Option<String> {
        if self.regions() != Regions::Each {
            return None;
        }
        let text = step.action.as_str();
        // Most name none, and a plan has a hundred thousand steps.
        if !text.contains("\"arn:") && !text.contains("egion\"") && !text.contains("egions\"") {
            return None;
        }
        let needed = item.needs.iter().filter_map(|need| need.thing.region());
        let mut known = vec![&self.scope.region, &self.account.home];
        known.extend(self.archive.into_iter().chain(needed));
        let declared = self.account.controls.get(&item.control).map(|declared| declared.spec.to_string());
        let is_known = |region: &str| {
            known.iter().any(|one| one.as_str() == region)
                || declared.as_ref().is_some_and(|spec| spec.contains(region))
        };
        let other = named(&step.action.value(), &is_known)?;
        Some(format!("names {other} in what it sends with {}", step.call))
    }
}

/// The first region that is not among the known, of ARNs and under keys that say `region`. What policies and patterns say
/// is about others, and touches nothing.
fn named(value: &Value, is_known: &impl Fn(&str) -> bool) -> Option<String> {
    let other = |region: &str| (!is_known(region)).then(|| region.to_owned());
    match value {
        Value::String(text) => other(region_of(text)?),
        Value::Array(list) => list.iter().find_map(|one| named(one, is_known)),
        Value::Object(map) if map.contains_key("Effect") => None,
        Value::Object(map) => map.iter().find_map(|(key, one)| match key.to_ascii_lowercase().as_str() {
            "region" | "regions" | "homeregion" => texts(one).find_map(other),
            _ => named(one, is_known),
        }),
        _ => None,
    }
}

fn texts(value: &Value) -> impl Iterator<Item = &str> {
    value.as_str().into_iter().chain(value.as_array().into_iter().flatten().filter_map(Value::as_str))
}

/// The region in an ARN that has one and is no pattern.
fn region_of(text: &str) -> Option<&str> {
    let mut parts = text.splitn(6, ':');
    let (arn, _, _, region, _, _) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    (arn == "arn" && !region.is_empty() && !region.contains(['*', '?'])).then_some(region)
}

#[cfg(test)]
mod tests;
