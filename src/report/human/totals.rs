//! The end of a plan: totals that add up, what apply would do, what it would not, the exit code and why.

use std::collections::{BTreeSet, HashSet};

use crate::control::{ChangeKind, Direction, Risk};
use crate::plan::{AccountState, Item, Outcome, Plan, Totals};

use super::super::style::Paint;
use super::super::text::{Text, unbroken};
use super::super::words::{and, count, counted, number};
use super::Context;

pub(super) fn write(text: &mut Text<'_>, plan: &Plan, context: &Context<'_>) {
    text.gap();
    let creates = creates(plan.items.iter());
    let settings = counted(plan.totals.settings(), "setting");
    text.paragraph(0, Paint::Plain, &format!("{settings}: {}.", split(&plan.totals, creates)));
    if let Some(line) = not_selected(plan, context) {
        text.paragraph(0, Paint::Plain, &line);
    }

    text.gap();
    let changes = Changes::of(plan);
    changes.write(text, plan);
    exceptions(text, plan);

    if context.command == "apply" {
        return;
    }
    if changes.changes > 0 {
        let next = context.next.map_or_else(String::new, |next| format!(" Next: {next}"));
        text.paragraph(0, Paint::Plain, &format!("Nothing has been changed.{next}"));
    }
    if context.detailed_exitcode || context.exit.0 != 0 {
        exit(text, context.exit);
    }
}

/// `In sync: 33 settings in 2 accounts and 3 regions; 2 excepted, 3 left alone.`
pub(super) fn in_sync(text: &mut Text<'_>, plan: &Plan) {
    let totals = &plan.totals;
    let looked = plan.accounts.iter().filter(|account| account.state == AccountState::Reached).count();
    let mut line = format!(
        "In sync: {} in {} and {}",
        counted(totals.in_sync, "setting"),
        counted(looked, "account"),
        counted(plan.regions, "region")
    );
    let beside = parts(&Totals { in_sync: 0, ..totals.clone() }, 0);
    if !beside.is_empty() {
        line = format!("{line}; {}", beside.join(", "));
    }
    text.paragraph(0, Paint::Plain, &format!("{line}."));
    exceptions(text, plan);
}

/// Exceptions that end, have ended, or are of no use.
fn exceptions(text: &mut Text<'_>, plan: &Plan) {
    for line in super::super::exceptions::told(&plan.exceptions) {
        text.paragraph(0, Paint::Plain, &line);
    }
}

pub(super) fn exit(text: &mut Text<'_>, (code, why): (u8, &str)) {
    text.paragraph(0, Paint::Plain, &format!("Exit code {code}: {why}."));
}

fn creates<'a>(items: impl Iterator<Item = &'a Item>) -> usize {
    items
        .filter(|item| item.outcome == Outcome::Change)
        .filter(|item| item.finding.change().is_some_and(|change| change.kind == ChangeKind::Create))
        .count()
}

fn split(totals: &Totals, creates: usize) -> String {
    let parts = parts(totals, creates);
    if parts.is_empty() { "none in sync".to_owned() } else { parts.join(", ") }
}

/// Every count that is not nothing, in one order; together they are all of them.
fn parts(totals: &Totals, creates: usize) -> Vec<String> {
    let counts = [
        (totals.in_sync, "in sync"),
        (creates, "to create"),
        (totals.change.saturating_sub(creates), "to change"),
        (totals.manual, "by hand"),
        (totals.progressing, "in progress"),
        (totals.blocked, "blocked"),
        (totals.observe_only, "observed only"),
        (totals.excepted, "excepted"),
        (totals.foreign, "left alone"),
        (totals.not_offered, "not offered"),
        (totals.unknown, "not known"),
    ];
    counts
        .iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, word)| unbroken(&format!("{} {word}", number(*n))))
        .collect()
}

/// What the selectors leave out, in one line; nothing where they leave nothing out.
pub(in crate::report) fn not_selected(plan: &Plan, context: &Context<'_>) -> Option<String> {
    let outside = || plan.items.iter().filter(|item| !item.selected && item.outcome != Outcome::InSync);
    let mut totals = Totals::default();
    outside().for_each(|item| totals.count(&item.outcome));
    if totals.settings() == 0 {
        return None;
    }
    let by = context.selectors.map_or_else(String::new, |selectors| format!(" by {selectors}"));
    let line = format!("{} of them not selected{by}: ", number(totals.settings()));
    Some(format!("{line}{}.", split(&totals, creates(outside()))))
}

/// What apply would do, counted.
pub(in crate::report) struct Changes<'a> {
    /// Write calls.
    pub(super) calls: usize,
    /// Accounts in plan order.
    pub(super) accounts: Vec<&'a crate::place::AccountId>,
    pub(in crate::report) changes: usize,
    weaken: usize,
    disruptive: usize,
    organization: usize,
    destructive: usize,
    irreversible: usize,
    charged: usize,
}

impl<'a> Changes<'a> {
    pub(in crate::report) fn of(plan: &'a Plan) -> Self {
        let mut all = Self {
            calls: 0,
            accounts: Vec::new(),
            changes: 0,
            weaken: 0,
            disruptive: 0,
            organization: 0,
            destructive: 0,
            irreversible: 0,
            charged: 0,
        };
        let mut seen = HashSet::new();
        for (_, item) in plan.changes() {
            let Some(change) = item.finding.change() else { continue };
            if seen.insert(&item.scope.account) {
                all.accounts.push(&item.scope.account);
            }
            all.changes += 1;
            all.calls += change.steps.len();
            all.weaken += usize::from(change.direction == Direction::Weakens);
            all.disruptive += usize::from(change.risk == Risk::Disruptive);
            all.organization += usize::from(change.risk == Risk::Organization);
            all.destructive += usize::from(change.risk == Risk::Destructive);
            all.irreversible += usize::from(change.risk == Risk::Irreversible);
            all.charged += usize::from(change.cost.is_some());
        }
        all
    }

    fn write(&self, text: &mut Text<'_>, plan: &Plan) {
        for line in self.said(plan) {
            text.paragraph(0, Paint::Plain, &line);
        }
    }

    /// What apply would do and what it would not, a paragraph each.
    pub(in crate::report) fn said(&self, plan: &Plan) -> Vec<String> {
        let mut said = Vec::new();
        if self.changes == 0 {
            said.push("Apply would change nothing.".to_owned());
        } else {
            let risk = |n: usize, word: &str| unbroken(&format!("{} {word}", number(n)));
            let mut risks = vec![risk(self.weaken, "weaken"), risk(self.disruptive, "disruptive")];
            if self.organization > 0 {
                risks.push(risk(self.organization, "for the whole organisation"));
            }
            if self.destructive > 0 {
                risks.push(risk(self.destructive, "destructive"));
            }
            risks.push(risk(self.irreversible, "irreversible"));
            let calls = counted(self.calls, "call");
            let accounts = counted(self.accounts.len(), "account");
            let waves: BTreeSet<u32> = self.accounts.iter().filter_map(|id| plan.account(id)?.wave).collect();
            let in_waves = match waves.len() {
                0 => String::new(),
                n => format!(", in {}", counted(n, "wave")),
            };
            said.push(format!("Apply would make {calls} in {accounts}{in_waves}: {}.", risks.join(", ")));
        }
        let mut also = Vec::new();
        if self.charged > 0 {
            also.push(count(
                self.charged,
                "of the changes starts a charge.",
                "of the changes start a charge.",
            ));
        }
        if plan.totals.unknown > 0 {
            also.push("What is not known is not touched.".to_owned());
        }
        if !also.is_empty() {
            said.push(also.join(" "));
        }
        said
    }

    /// `these 17 calls in log-archive and prod-payments`; from four accounts on they are counted.
    pub(super) fn described(&self, plan: &Plan) -> String {
        let these = if self.calls == 1 { "this" } else { "these" };
        let calls = counted(self.calls, "call");
        let names: Vec<String> = self
            .accounts
            .iter()
            .map(|id| plan.account(id).map_or_else(|| id.to_string(), |account| account.name.to_string()))
            .collect();
        let places = if names.len() > 3 { counted(names.len(), "account") } else { and(&names) };
        format!("{these} {calls} in {places}")
    }
}
