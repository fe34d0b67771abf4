//! A plan as a person reads it, at three in the morning too: who looked at what, what is the matter, what apply
//! would do, and that the figures add up.

mod apply;
mod aside;
mod block;
mod document;
mod fields;
mod header;
mod notes;
mod totals;

use std::collections::HashMap;
use std::time::Duration;

use crate::control::{ErasedControl, Thing};
use crate::place::AccountId;
use crate::plan::{AccountState, Outcome, Plan, PlannedAccount};

use super::fold::{Block, fold};
use super::style::{Paint, Style};
use super::text::Text;
use super::words;

pub use apply::{apply, question};

/// What a plan's text needs beside the plan.
pub struct Context<'a> {
    /// `plan` or `apply`. An apply's text stops at what it would do: the question follows.
    pub command: &'a str,
    /// Read calls that were made.
    pub reads: usize,
    pub elapsed: Duration,
    /// `--show in-sync`: list what is otherwise counted.
    pub show_in_sync: bool,
    /// `--detailed-exitcode`: 0 is worth a word too.
    pub detailed_exitcode: bool,
    /// The command that follows, `baseline apply --account prod-payments`.
    pub next: Option<&'a str>,
    /// The selectors as they were typed, `--account prod-payments`.
    pub selectors: Option<&'a str>,
    /// The exit code, and why it is that one: `one control could not be observed`.
    pub exit: (u8, &'a str),
    /// For what each control says of undoing it.
    pub controls: &'a [&'static dyn ErasedControl],
}

/// The whole text of a plan.
pub fn plan(plan: &Plan, context: &Context<'_>, style: &Style) -> String {
    let mut text = Text::new(style);
    header::write(&mut text, plan, context);
    text.gap();

    if is_in_sync(plan) && !context.show_in_sync {
        totals::in_sync(&mut text, plan);
        not_tried(&mut text, plan);
        if context.detailed_exitcode || context.exit.0 != 0 {
            totals::exit(&mut text, context.exit);
        }
        return text.finish();
    }

    let page = Page::new(plan, context);
    page.groups(&mut text);
    page.unreached(&mut text);
    not_tried(&mut text, plan);
    totals::write(&mut text, plan, context);
    text.finish()
}

/// Nothing to do, nothing unknown: what is excepted, left alone or not offered is no drift.
fn is_in_sync(plan: &Plan) -> bool {
    let totals = &plan.totals;
    let at_peace = totals.in_sync + totals.excepted + totals.foreign + totals.not_offered;
    totals.settings() == at_peace && plan.accounts.iter().all(|account| reached(&account.state))
}

fn reached(state: &AccountState) -> bool {
    matches!(state, AccountState::Reached | AccountState::NotTried { .. })
}

/// What blocks are written with.
struct Page<'a> {
    plan: &'a Plan,
    context: &'a Context<'a>,
    accounts: HashMap<&'a AccountId, &'a PlannedAccount>,
    /// The things that changes of this plan make.
    makes: Vec<&'a Thing>,
}

impl<'a> Page<'a> {
    fn new(plan: &'a Plan, context: &'a Context<'a>) -> Self {
        let makes =
            plan.changes().filter_map(|(_, item)| item.finding.change()).flat_map(|c| &c.makes).collect();
        Self {
            plan,
            context,
            accounts: plan.accounts.iter().map(|account| (&account.id, account)).collect(),
            makes,
        }
    }

    /// An account by the name that people know.
    fn name(&self, id: &'a AccountId) -> &'a str {
        self.accounts.get(id).map_or(id.as_str(), |account| &account.name)
    }

    /// Blocks under the accounts that they hold for. What an apply does not touch stands last in each.
    fn groups(&self, text: &mut Text<'_>) {
        let shown =
            self.plan.items.iter().filter(|item| {
                item.selected && (self.context.show_in_sync || item.outcome != Outcome::InSync)
            });
        let mut places: HashMap<Vec<&AccountId>, usize> = HashMap::new();
        let mut groups: Vec<Vec<Block<'_>>> = Vec::new();
        for block in fold(shown) {
            let place = *places.entry(block.accounts.clone()).or_insert(groups.len());
            match groups.get_mut(place) {
                Some(group) => group.push(block),
                None => groups.push(vec![block]),
            }
        }
        for group in &groups {
            let (asides, blocks): (Vec<&Block<'_>>, Vec<&Block<'_>>) =
                group.iter().partition(|block| aside::is_aside(&block.first.outcome));
            if let Some(block) = group.first() {
                self.accounts_line(text, &block.accounts);
            }
            for (place, block) in blocks.iter().enumerate() {
                text.gap();
                // Several creations of one control have one way back, told with the last.
                let again = blocks[place + 1..].iter().any(|next| notes::creates_alike(next, block));
                self.block(text, block, !again);
            }
            if !asides.is_empty() {
                text.gap();
            }
            self.asides(text, &asides);
        }
    }

    /// `prod-payments 111122223333`, `412 accounts: prod-ledger, prod-orders, prod-payments and 409 more`.
    fn accounts_line(&self, text: &mut Text<'_>, accounts: &[&'a AccountId]) {
        text.gap();
        let line = match accounts {
            [one] => format!("{} {one}", self.name(one)),
            many => {
                let names: Vec<&str> = many.iter().map(|id| self.name(id)).collect();
                format!("{}: {}", words::counted(many.len(), "account"), words::names(&names))
            }
        };
        text.paragraph(0, Paint::Strong, &line);
    }

    /// An account without a session is one finding, not one for each control and region.
    fn unreached(&self, text: &mut Text<'_>) {
        let mut places: HashMap<(usize, usize, String), usize> = HashMap::new();
        let mut groups: Vec<(&PlannedAccount, String, Option<&str>, Vec<&AccountId>)> = Vec::new();
        for account in &self.plan.accounts {
            let (why, hint) = match &account.state {
                AccountState::Unreachable { fault } => {
                    // The ids differ by necessity: the account's own, and the request's.
                    let fault = crate::fault::Fault {
                        message: fault.message.replace(account.id.as_str(), "<account>"),
                        request_id: None,
                        ..fault.clone()
                    };
                    (fault.to_string(), fault.hint())
                }
                AccountState::Refused { why } => {
                    let why = why.replace(account.id.as_str(), "<account>");
                    (format!("refused: {why}; nothing else was asked of it"), None)
                }
                AccountState::Reached | AccountState::NotTried { .. } => continue,
            };
            let key = (account.controls, account.regions.len(), why.clone());
            let place = *places.entry(key).or_insert(groups.len());
            match groups.get_mut(place) {
                Some((.., accounts)) => accounts.push(&account.id),
                None => groups.push((account, why, hint, vec![&account.id])),
            }
        }
        for (first, why, hint, accounts) in groups {
            self.accounts_line(text, &accounts);
            text.gap();
            let controls = words::counted(first.controls, "control");
            // Which regions are enabled is only known of an account that was reached.
            let subject = match first.regions.len() {
                0 => controls,
                regions => format!("{controls} in {}", words::counted(regions, "region")),
            };
            text.head(Paint::Unknown, "?", &subject, "");
            let why = if accounts.len() == 1 { why.replace("<account>", first.id.as_str()) } else { why };
            text.paragraph(6, Paint::Plain, &why);
            if let Some(hint) = hint {
                text.paragraph(6, Paint::Hint, &format!("hint: {hint}"));
            }
        }
    }
}

/// Accounts that are suspended or excepted, once.
fn not_tried(text: &mut Text<'_>, plan: &Plan) {
    let said: Vec<String> = plan
        .accounts
        .iter()
        .filter_map(|account| match &account.state {
            AccountState::NotTried { why } => Some(format!("{} ({why})", account.name)),
            _ => None,
        })
        .collect();
    if !said.is_empty() {
        text.gap();
        let accounts = words::counted(said.len(), "account");
        text.paragraph(0, Paint::Dim, &format!("{accounts} not tried: {}.", words::names(&said)));
    }
}

#[cfg(test)]
mod tests;
