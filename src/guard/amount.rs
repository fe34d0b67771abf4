//! How much may be changed at once: one mistake must not reach everything.

use std::collections::{BTreeMap, BTreeSet};

use super::{Danger, Judging, Refusal};
use crate::plan::Plan;

/// Accounts, in each wave where there are waves.
pub(super) fn accounts_at_once(plan: &Plan, with: &Judging<'_>) -> Option<Refusal> {
    let most = with.guards.accounts_at_once;
    let mut waves: BTreeMap<Option<u32>, BTreeSet<_>> = BTreeMap::new();
    for (_, item) in plan.changes() {
        let account = plan.account(&item.scope.account);
        waves.entry(account.and_then(|account| account.wave)).or_default().insert(&item.scope.account);
    }
    let (wave, accounts) = waves.into_iter().find(|(_, accounts)| accounts.len() > most as usize)?;
    let at_once = match wave {
        Some(wave) => format!("at once, in wave {wave}"),
        None => "at once".to_owned(),
    };
    let narrower = if wave.is_some() { "a smaller `rollout.batch`" } else { "some of them with --account" };
    Some(Refusal {
        why: format!("{} accounts would be changed {at_once}, more than {most}", accounts.len()),
        hint: format!("select {narrower}, or raise `guards.accountsAtOnce`"),
    })
}

/// Resources: one of a control in an account and region, however many of its rules are wrong.
pub(super) fn resources_at_once(plan: &Plan, with: &Judging<'_>) -> Option<Refusal> {
    let most = with.guards.resources_at_once?;
    let resources: BTreeSet<_> =
        plan.changes().map(|(_, item)| (&item.scope, &item.control, &item.finding.resource)).collect();
    let too_many = resources.len() > most as usize && !with.allows(Danger::Resources, "");
    too_many.then(|| Refusal {
        why: format!("{} resources would be changed at once, more than {most}", resources.len()),
        hint: "narrow it with --account, --region or --control, or add --allow resources".into(),
    })
}

/// Share of all settings that were looked at.
pub(super) fn percent_of_resources(plan: &Plan, with: &Judging<'_>) -> Option<Refusal> {
    let most = with.guards.percent_of_resources?;
    let (changes, all) = (plan.changes().count(), plan.totals.settings());
    let too_many = changes * 100 > all * most as usize && !with.allows(Danger::Percent, "");
    too_many.then(|| Refusal {
        why: format!("{changes} of {all} settings would be changed, more than {most} percent"),
        hint: "narrow it with --account, --region or --control, or add --allow percent".into(),
    })
}
