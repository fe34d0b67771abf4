//! Changes that share one look: all those of one control in one scope.

use std::collections::{BTreeMap, BTreeSet};

use crate::control::{Need, Thing};
use crate::place::Scope;
use crate::plan::{Link, Plan, order};

/// One control in one scope: looked at once before its changes and once after them.
#[derive(Debug)]
pub(super) struct Group {
    pub scope: Scope,
    pub control: String,
    /// Places in the plan's items, in the control's order.
    pub places: Vec<usize>,
    /// What any of its changes stands on.
    pub needs: Vec<Need>,
    pub makes: Vec<Thing>,
    /// The groups that make what this one needs.
    pub waits_for: BTreeSet<usize>,
}

/// The groups of a plan, makers before takers.
pub(super) fn groups(plan: &Plan) -> Vec<Group> {
    let mut by_place: BTreeMap<(&Scope, &str), usize> = BTreeMap::new();
    let mut groups: Vec<Group> = Vec::new();
    for (place, item) in plan.changes() {
        let index = *by_place.entry((&item.scope, &item.control)).or_insert_with(|| {
            groups.push(Group {
                scope: item.scope.clone(),
                control: item.control.clone(),
                places: Vec::new(),
                needs: Vec::new(),
                makes: Vec::new(),
                waits_for: BTreeSet::new(),
            });
            groups.len() - 1
        });
        let group = &mut groups[index];
        group.places.push(place);
        for need in &*item.needs {
            if !group.needs.contains(need) {
                group.needs.push(need.clone());
            }
        }
        group.makes.extend(item.finding.change().into_iter().flat_map(|change| change.makes.clone()));
    }
    let links: Vec<Link<'_>> =
        groups.iter().map(|group| Link { makes: &group.makes, needs: &group.needs }).collect();
    // A plan has no circles: they were blocked when it was finished.
    let waits = order(&links).map(|order| order.waits_for).unwrap_or_default();
    for (group, waits) in groups.iter_mut().zip(waits) {
        group.waits_for = waits;
    }
    groups
}
