//! A plan as a person reads it, at three in the morning too: who looked at what, what is the matter, what apply
//! would do, and that the figures add up.

mod apply;
mod aside;
mod block;
mod doctor;
mod document;
mod drift;
mod fields;
mod header;
mod notes;
mod totals;
mod undo;
mod who;

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
pub(super) use aside::why;
pub(super) use block::{severity, subject};
pub use doctor::{DoctorContext, doctor};
pub(super) use document::compared;
pub use drift::{DriftContext, drift};
pub(super) use fields::{rows, short};
pub(super) use header::revision;
pub(super) use notes::notes;
pub(super) use totals::{Changes, not_selected};
pub use undo::undo_rest;
pub use who::deed;
pub(super) use who::told;

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
    /// The digest of the file that the plan was saved in.
    pub saved: Option<&'a str>,
    /// For what each control says of undoing it.
    pub controls: &'a [&'static dyn ErasedControl],
}

/// The whole text of a plan.
pub fn plan(plan: &Plan, context: &Context<'_>, style: &Style) -> String {
    let parts = parts(plan, context, style);
    let mut text = Text::new(style);
    text.append(&parts.header);
    for part in &parts.accounts {
        text.gap();
        text.paragraph(0, Paint::Strong, &part.title);
        text.gap();
        text.append(&part.body);
    }
    text.gap();
    text.append(&parts.end);
    text.finish()
}

/// A plan's text in its parts, for reports that fold them.
pub struct Parts {
    /// Who looked, with what, at what.
    pub header: String,
    /// Nothing where everything is in sync.
    pub accounts: Vec<AccountPart>,
    /// Totals, what apply would do, the exit code and why.
    pub end: String,
}

/// What holds for one account, or for several alike.
pub struct AccountPart {
    /// `prod-payments 111122223333`.
    pub title: String,
    pub body: String,
}

/// The text of a plan, in parts.
pub fn parts(plan: &Plan, context: &Context<'_>, style: &Style) -> Parts {
    let mut header = Text::new(style);
    header::write(&mut header, plan, context);
    let mut end = Text::new(style);
    let mut accounts = Vec::new();
    if is_in_sync(plan) && !context.show_in_sync {
        totals::in_sync(&mut end, plan);
        not_tried(&mut end, plan);
        if context.detailed_exitcode || context.exit.0 != 0 {
            totals::exit(&mut end, context.exit);
        }
    } else {
        let page = Page::new(plan, context);
        accounts = page.groups(style);
        accounts.extend(page.unreached(style));
        not_tried(&mut end, plan);
        totals::write(&mut end, plan, context);
    }
    Parts { header: header.finish(), accounts, end: end.finish() }
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
pub(super) struct Page<'a> {
    pub(super) plan: &'a Plan,
    pub(super) context: &'a Context<'a>,
    accounts: HashMap<&'a AccountId, &'a PlannedAccount>,
    /// The things that changes of this plan make.
    makes: Vec<&'a Thing>,
}

impl<'a> Page<'a> {
    pub(super) fn new(plan: &'a Plan, context: &'a Context<'a>) -> Self {
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
    pub(super) fn name(&self, id: &'a AccountId) -> &'a str {
        self.accounts.get(id).map_or(id.as_str(), |account| &account.name)
    }

    /// Blocks under the accounts that they hold for. What an apply does not touch stands last in each.
    fn groups(&self, style: &Style) -> Vec<AccountPart> {
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
        groups.iter().map(|group| self.group(group, style)).collect()
    }

    fn group(&self, group: &[Block<'a>], style: &Style) -> AccountPart {
        let mut text = Text::new(style);
        let (asides, blocks): (Vec<&Block<'_>>, Vec<&Block<'_>>) =
            group.iter().partition(|block| aside::is_aside(&block.first.outcome));
        for (place, block) in blocks.iter().enumerate() {
            text.gap();
            // Several creations of one control have one way back, told with the last.
            let again = blocks[place + 1..].iter().any(|next| notes::creates_alike(next, block));
            self.block(&mut text, block, !again);
        }
        if !asides.is_empty() {
            text.gap();
        }
        self.asides(&mut text, &asides);
        let accounts = group.first().map(|block| block.accounts.as_slice()).unwrap_or_default();
        AccountPart { title: self.accounts_line(accounts), body: text.finish() }
    }

    /// `prod-payments 111122223333`, `412 accounts: prod-ledger, prod-orders, prod-payments and 409 more`.
    fn accounts_line(&self, accounts: &[&'a AccountId]) -> String {
        match accounts {
            [one] => format!("{} {one}", self.name(one)),
            many => {
                let names: Vec<&str> = many.iter().map(|id| self.name(id)).collect();
                format!("{}: {}", words::counted(many.len(), "account"), words::names(&names))
            }
        }
    }

    /// An account without a session is one finding, not one for each control and region; alike ones are one.
    pub(super) fn closed(&self) -> Vec<Closed<'a>> {
        let mut places: HashMap<(usize, usize, String), usize> = HashMap::new();
        let mut groups: Vec<Closed<'a>> = Vec::new();
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
                Some(group) => group.accounts.push(&account.id),
                None => {
                    let controls = words::counted(account.controls, "control");
                    // Which regions are enabled is only known of an account that was reached.
                    let subject = match account.regions.len() {
                        0 => controls,
                        regions => format!("{controls} in {}", words::counted(regions, "region")),
                    };
                    groups.push(Closed { accounts: vec![&account.id], subject, why, hint });
                }
            }
        }
        for group in &mut groups {
            if let [only] = group.accounts.as_slice() {
                group.why = group.why.replace("<account>", only.as_str());
            }
        }
        groups
    }

    fn unreached(&self, style: &Style) -> Vec<AccountPart> {
        let part = |closed: Closed<'a>| {
            let mut text = Text::new(style);
            text.head(Paint::Unknown, "?", &closed.subject, "");
            text.paragraph(6, Paint::Plain, &closed.why);
            if let Some(hint) = closed.hint {
                text.paragraph(6, Paint::Hint, &format!("hint: {hint}"));
            }
            AccountPart { title: self.accounts_line(&closed.accounts), body: text.finish() }
        };
        self.closed().into_iter().map(part).collect()
    }
}

/// Accounts that no session was opened in, and why.
pub(super) struct Closed<'a> {
    pub(super) accounts: Vec<&'a AccountId>,
    /// `12 controls in 17 regions`.
    pub(super) subject: String,
    pub(super) why: String,
    pub(super) hint: Option<&'a str>,
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
