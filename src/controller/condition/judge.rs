//! From a look and the conditions before it to the conditions now. Pure: nothing is asked, and the time comes in.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use super::finding::{Hold, Key, Says, fault, says};
use super::{
    AccountConditions, Condition, ControlConditions, FORMAT, Observed, Ordered, Status, Type, account,
    drifted, now_is, past, taken,
};
use crate::apply::{ApplyReport, ChangeResult};
use crate::desired::DesiredAccount;
use crate::place::Region;
use crate::plan::{AccountState, Item, Outcome, Plan, Totals};

/// How many findings a message names.
const NAMED: usize = 3;

/// What came of looking at one account, and of putting right what was found.
pub struct Looked<'a> {
    /// Of this one account, with what is in sync.
    pub plan: &'a Plan,
    pub account: &'a DesiredAccount,
    /// Which controls were to be looked at, and where.
    pub targets: &'a [(Region, &'static str)],
    /// Are changes made at all?
    pub enforces: bool,
    /// The changes that were not made at this turn.
    pub holds: &'a BTreeMap<Key, Hold>,
    /// Why none was made: what the guards have against the plan as a whole.
    pub refused: &'a [String],
    /// How the changes that were tried ended.
    pub results: BTreeMap<Key, &'a ChangeResult>,
    pub observed: Observed,
    pub run: &'a str,
    pub calls: usize,
    pub now: Timestamp,
    /// How long it is remembered that something was put right.
    pub window: Duration,
    /// What is wanted of the account as a whole, and who is to go first.
    pub ordered: Ordered,
}

/// How the changes of a run ended, by finding.
pub fn results(report: &ApplyReport) -> BTreeMap<Key, &ChangeResult> {
    report.changes.iter().map(|change| (Key::of(&change.item), &change.result)).collect()
}

impl Looked<'_> {
    /// How the change of a finding ended.
    pub fn result(&self, key: &Key) -> Option<&ChangeResult> {
        self.results.get(key).copied()
    }

    /// Was there a session in the account?
    pub fn is_reached(&self) -> bool {
        self.plan.accounts.iter().all(|account| account.state == AccountState::Reached)
    }

    pub fn is_declared(&self, control: &str) -> bool {
        self.account.controls.contains_key(control)
    }
}

/// The conditions of an account after a look.
pub fn judge(before: &AccountConditions, looked: &Looked<'_>) -> AccountConditions {
    let state = looked.plan.accounts.first().map(|account| &account.state);
    let (controls, whole) = match state {
        Some(AccountState::NotTried { why }) => (Vec::new(), Some((Status::False, "NotTried", why.clone()))),
        Some(AccountState::Unreachable { fault: why }) => {
            (unseen(before, looked, why.kind.reason(), &fault(why)), None)
        }
        Some(AccountState::Refused { why }) => (unseen(before, looked, "WrongAccount", why), None),
        Some(AccountState::Reached) | None => (seen(before, looked), None),
    };
    let conditions = match whole {
        Some((status, reason, why)) => {
            vec![now_is(&before.conditions, Type::Synced, status, reason, why, looked.now)]
        }
        None => account::conditions(&before.conditions, &controls, looked),
    };
    AccountConditions {
        format_version: FORMAT,
        account: looked.account.id.clone(),
        name: looked.account.name.to_string(),
        observed: Some(looked.observed.clone()),
        last_look: Some(looked.now),
        last_began: None,
        last_run: Some(looked.run.to_owned()),
        calls: looked.calls,
        failing: None,
        conditions,
        controls,
        waits_for: Vec::new(),
        taken: taken::next(before, looked),
        held: looked.holds.values().any(Hold::is_wave).then(|| looked.ordered.state.clone()),
        findings: past::next(&before.findings, looked),
        totals: Some(totals(looked)),
        open: if looked.is_reached() { drifted::open(looked) } else { before.open.clone() },
        look: before.look.clone(),
        drift: drifted::next(before, looked),
    }
}

/// Those of the plan, and what was made since.
fn totals(looked: &Looked<'_>) -> Totals {
    let mut totals = looked.plan.totals.clone();
    let made = looked.results.values().filter(|result| ***result == ChangeResult::Held).count();
    totals.change = totals.change.saturating_sub(made);
    totals.in_sync += made;
    totals
}

/// An account that is not looked at, because somebody else is further on with it, or the records cannot be had: what
/// was known of it stays, and `Stalled` says why.
pub fn left_alone(before: &AccountConditions, reason: &str, why: &str, now: Timestamp) -> AccountConditions {
    let mut after = before.clone();
    let stalled = now_is(&before.conditions, Type::Stalled, Status::True, reason, why, now);
    // It is not the waves that it waits for.
    after.held = None;
    after.conditions.retain(|condition| condition.kind != Type::Stalled);
    after.conditions.push(stalled);
    after
}

/// The account itself could not be looked into: everything that is declared there is unknown. Which regions there are
/// may be unknown as well, and then those before stand for them.
fn unseen(
    before: &AccountConditions,
    looked: &Looked<'_>,
    reason: &str,
    why: &str,
) -> Vec<ControlConditions> {
    let known = before.controls.iter().filter(|one| looked.is_declared(&one.control));
    let scopes: BTreeSet<(Region, &str)> = looked
        .targets
        .iter()
        .map(|(region, control)| (region.clone(), *control))
        .chain(known.map(|one| (one.region.clone(), one.control.as_str())))
        .collect();
    scopes
        .into_iter()
        .map(|(region, control)| {
            let old = before.control(&region, control);
            let conditions = old.map(|old| old.conditions.as_slice()).unwrap_or_default();
            let is = |kind, status| now_is(conditions, kind, status, reason, why, looked.now);
            // Nobody saw whether a fight goes on.
            let contested = super::find(conditions, Type::Contested).cloned();
            let contested = contested.unwrap_or_else(|| not_contested(conditions, looked.now));
            ControlConditions {
                last_good_look: old.and_then(|old| old.last_good_look),
                conditions: vec![
                    is(Type::Synced, Status::Unknown),
                    contested,
                    is(Type::Unknown, Status::True),
                ],
                region,
                control: control.to_owned(),
            }
        })
        .collect()
}

fn seen(before: &AccountConditions, looked: &Looked<'_>) -> Vec<ControlConditions> {
    let mut scopes: BTreeMap<(&Region, &str), Vec<&Item>> =
        looked.targets.iter().map(|(region, control)| ((region, *control), Vec::new())).collect();
    for item in &looked.plan.items {
        scopes.entry((&item.scope.region, item.control.as_str())).or_default().push(item);
    }
    scopes
        .into_iter()
        .filter_map(|((region, control), items)| {
            let old = before.control(region, control);
            let conditions = control_conditions(old, &items, looked)?;
            let is_seen = items.iter().all(|item| item.outcome != Outcome::Unknown);
            let before = old.and_then(|old| old.last_good_look);
            Some(ControlConditions {
                region: region.clone(),
                control: control.to_owned(),
                last_good_look: if is_seen { Some(looked.now) } else { before },
                conditions,
            })
        })
        .collect()
}

/// In progress since then; one whose patience has ended is so until it is over.
pub(super) fn in_progress_since(old: Option<&ControlConditions>) -> Option<Timestamp> {
    let old = old?;
    let stalled = old.condition(Type::Stalled).filter(|condition| condition.reason == "PatienceEnded");
    let stalled = stalled.map(|_| Timestamp::MIN);
    stalled.or_else(|| old.condition(Type::Progressing).map(|condition| condition.last_transition_time))
}

/// The conditions of one control in one scope; `None` where it does not exist there.
fn control_conditions(
    old: Option<&ControlConditions>,
    items: &[&Item],
    looked: &Looked<'_>,
) -> Option<Vec<Condition>> {
    let before = old.map(|old| old.conditions.as_slice()).unwrap_or_default();
    let since = in_progress_since(old);
    let mut truths: BTreeMap<Type, (String, Vec<String>)> = BTreeMap::new();
    let mut asides: Vec<(&'static str, String)> = Vec::new();
    let mut nothing = 0;
    for item in items {
        match says(item, looked, since) {
            Says::Synced => {}
            Says::Nothing => nothing += 1,
            Says::Aside { reason, text } => asides.push((reason, text)),
            Says::True(said) => {
                for (kind, reason, text) in said {
                    truths.entry(kind).or_insert_with(|| (reason, Vec::new())).1.push(text);
                }
            }
        }
    }
    if nothing > 0 && nothing == items.len() {
        return None;
    }
    let is = |kind, status, reason: &str, message: String| {
        now_is(before, kind, status, reason, message, looked.now)
    };
    let worst = [Type::Contested, Type::Stalled, Type::Drifted, Type::Progressing];
    let synced = if let Some((reason, texts)) = truths.get(&Type::Unknown) {
        is(Type::Synced, Status::Unknown, reason, some_of(texts))
    } else if let Some((kind, (_, texts))) =
        worst.iter().find_map(|kind| truths.get(kind).map(|truth| (kind, truth)))
    {
        is(Type::Synced, Status::False, kind.word(), some_of(texts))
    } else if let Some((reason, _)) = asides.first() {
        let texts: Vec<String> = asides.iter().map(|(_, text)| text.clone()).collect();
        is(Type::Synced, Status::False, reason, some_of(&texts))
    } else {
        is(Type::Synced, Status::True, "InSync", String::new())
    };
    let contested = match truths.remove(&Type::Contested) {
        Some((reason, texts)) => is(Type::Contested, Status::True, &reason, some_of(&texts)),
        None => not_contested(before, looked.now),
    };
    let others =
        truths.into_iter().map(|(kind, (reason, texts))| is(kind, Status::True, &reason, some_of(&texts)));
    Some([synced, contested].into_iter().chain(others).collect())
}

fn not_contested(before: &[Condition], now: Timestamp) -> Condition {
    now_is(before, Type::Contested, Status::False, "NotContested", "", now)
}

/// The first few, and how many more there are.
fn some_of(texts: &[String]) -> String {
    let mut said = texts.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join("; ");
    if texts.len() > NAMED {
        said.push_str(&format!("; and {} more", texts.len() - NAMED));
    }
    said
}
