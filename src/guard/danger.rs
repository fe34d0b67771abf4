//! Changes that destroy, cannot be taken back, weaken, or reach the whole organisation: allowed by name or not at all.

use super::{Danger, Judging, Refusal, account, quoted, region};
use crate::plan::{Item, Outcome, Plan};

/// What one change is refused for, whatever else the plan holds: its dangers that are not allowed.
pub fn refused<'a>(item: &'a Item, with: &'a Judging<'_>) -> impl Iterator<Item = Danger> + 'a {
    let beyond = region::outside(item, with.desired).map(|_| Danger::Region);
    Danger::of(item)
        .filter(|danger| is_refused(*danger, with))
        .chain(beyond)
        .filter(|danger| !with.allows(*danger, &item.finding.resource))
}

fn is_refused(danger: Danger, with: &Judging<'_>) -> bool {
    danger == Danger::Organization || with.guards.refuse.iter().any(|word| word == danger.word())
}

/// What is refused by its danger. What reaches the whole organisation is always asked for: `guards.refuse` cannot say
/// otherwise.
pub(super) fn dangerous(plan: &Plan, with: &Judging<'_>) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    for (_, item) in plan.changes() {
        for danger in Danger::of(item).filter(|danger| is_refused(*danger, with)) {
            let refusal = match with.allows(danger, &item.finding.resource) {
                false => not_allowed(plan, item, danger),
                true if danger == Danger::Weakening && item.reason.is_none() && with.reason.is_none() => {
                    without_reason(plan, item)
                }
                true => continue,
            };
            if !refusals.contains(&refusal) {
                refusals.push(refusal);
            }
        }
    }
    refusals
}

fn not_allowed(plan: &Plan, item: &Item, danger: Danger) -> Refusal {
    let resource = &item.finding.resource;
    Refusal {
        why: format!("{} {resource} in {} {}", item.control, account(plan, item), danger.said()),
        hint: format!("--allow {}", quoted(&format!("{}:{resource}", danger.word()))),
    }
}

/// Whoever reads the record later asks why it became weaker.
fn without_reason(plan: &Plan, item: &Item) -> Refusal {
    let (control, resource) = (&item.control, &item.finding.resource);
    Refusal {
        why: format!("{control} {resource} in {} is weakening, and nobody says why", account(plan, item)),
        hint: format!("--reason 'TEXT', or `reason` at {control} in the account's document"),
    }
}

/// How many changes of a plan are each danger: for the closing lines.
pub fn count(plan: &Plan, danger: Danger) -> usize {
    plan.items
        .iter()
        .filter(|item| item.selected && item.outcome == Outcome::Change)
        .filter(|item| Danger::of(item).any(|found| found == danger))
        .count()
}
