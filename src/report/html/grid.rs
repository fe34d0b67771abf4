//! Accounts × controls at a glance.

use std::collections::{BTreeSet, HashMap};

use crate::control::ErasedControl;
use crate::place::AccountId;
use crate::plan::{AccountState, PlannedAccount};

use super::super::human::Page;
use super::markup::Html;
use super::sections::Section;
use super::sets::{Accounts, Sets};
use super::state::State;

/// Up to so many accounts, each has a row. Of more, those that stand alike share one.
const ROWS: usize = 40;

pub(super) struct Grid<'a> {
    /// Control and what it is for.
    columns: Vec<(&'a str, &'a str)>,
    rows: Vec<(Accounts<'a>, Row<'a>)>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Row<'a> {
    /// By column; nothing where the control is not declared. With the number of the finding that tells more.
    Cells(Vec<Option<(State, Option<usize>)>>),
    /// No session could be opened.
    Closed(String),
    NotTried(&'a str),
}

/// The cells of all accounts, and the accounts that have the same.
pub(super) fn of<'a>(page: &'a Page<'a>, sets: &mut Sets<'a>, found: &[Section<'a>]) -> Grid<'a> {
    let mut cells: HashMap<(&AccountId, &str), State> = HashMap::new();
    for item in &page.plan.items {
        let state = State::of(item);
        cells
            .entry((&item.scope.account, &item.control))
            .and_modify(|worst| *worst = state.min(*worst))
            .or_insert(state);
    }
    for account in &page.plan.accounts {
        for control in account.in_sync.keys() {
            let cell = cells.entry((&account.id, control)).or_insert(State::InSync);
            *cell = State::InSync.min(*cell);
        }
    }
    let mut links: HashMap<(&AccountId, &str, State), usize> = HashMap::new();
    for block in found.iter().flat_map(|section| &section.findings) {
        for account in &block.block.accounts {
            let key = (*account, block.block.first.control.as_str(), block.state);
            links.entry(key).or_insert(block.number);
        }
    }
    let columns = columns(page.context.controls, cells.keys().map(|(_, control)| *control).collect());
    let row = |account: &'a PlannedAccount| match &account.state {
        AccountState::Unreachable { fault } => {
            Row::Closed(fault.to_string().replace(account.id.as_str(), "<account>"))
        }
        AccountState::Refused { why } => Row::Closed(why.replace(account.id.as_str(), "<account>")),
        AccountState::NotTried { why } => Row::NotTried(why),
        AccountState::Reached => Row::Cells(
            columns
                .iter()
                .map(|(control, _)| {
                    let state = *cells.get(&(&account.id, *control))?;
                    Some((state, links.get(&(&account.id, *control, state)).copied()))
                })
                .collect(),
        ),
    };

    let rows = page.plan.accounts.iter().map(|account| (&account.id, row(account))).collect();
    folded(columns, rows, sets)
}

/// The grid of rows that are made already; of many accounts, those that stand alike in one row.
pub(super) fn folded<'a>(
    columns: Vec<(&'a str, &'a str)>,
    all: Vec<(&'a AccountId, Row<'a>)>,
    sets: &mut Sets<'a>,
) -> Grid<'a> {
    let folds = all.len() > ROWS;
    let mut places: HashMap<Row<'a>, usize> = HashMap::new();
    let mut rows: Vec<(Vec<&AccountId>, Row<'a>)> = Vec::new();
    for (id, row) in all {
        let next = rows.len();
        let place = if folds { *places.entry(row.clone()).or_insert(next) } else { next };
        match rows.get_mut(place) {
            Some((accounts, _)) => accounts.push(id),
            None => rows.push((vec![id], row)),
        }
    }
    let rows = rows.into_iter().map(|(accounts, row)| (sets.add(&accounts), row)).collect();
    Grid { columns, rows }
}

/// In the order of the program's own list; what is not in it comes last.
pub(super) fn columns<'a>(
    controls: &[&'static dyn ErasedControl],
    mut used: BTreeSet<&'a str>,
) -> Vec<(&'a str, &'a str)> {
    let mut columns = Vec::new();
    for control in controls {
        let meta = control.meta();
        if let Some(id) = used.take(meta.id) {
            columns.push((id, meta.title));
        }
    }
    columns.extend(used.into_iter().map(|id| (id, "")));
    columns
}

impl<'a> Grid<'a> {
    pub(super) fn states(&self) -> impl Iterator<Item = State> + '_ {
        self.rows.iter().flat_map(|(_, row)| match row {
            Row::Cells(cells) => cells.iter().flatten().map(|(state, _)| *state).collect::<BTreeSet<_>>(),
            Row::Closed(_) => BTreeSet::from([State::Unknown]),
            Row::NotTried(_) => BTreeSet::new(),
        })
    }

    pub(super) fn write(&self, html: &mut Html, sets: &Sets<'a>) {
        html.literal("<section id=\"accounts\" aria-labelledby=\"accounts-h\">\n<h2 id=\"accounts-h\">Accounts and controls</h2>\n");
        html.literal("<p class=\"dim\">The sign in a cell is the worst of all regions and resources, and leads to what was found. Where a cell is empty, nothing is declared or there is nothing that it would be about.</p>\n");
        html.literal("<div class=\"scroll\" role=\"region\" aria-label=\"Table of accounts and controls\" tabindex=\"0\">\n<table class=\"grid\">\n<thead><tr><th scope=\"col\">Account</th>");
        for (id, title) in &self.columns {
            html.element("th", &[("scope", "col"), ("data-c", id), ("title", title)], |html| {
                html.with("span", &[], id);
            });
        }
        html.literal("</tr></thead>\n<tbody>\n");
        for (accounts, row) in &self.rows {
            html.element("tr", &[("data-a", &sets.key(accounts))], |html| {
                html.element("th", &[("scope", "row")], |html| sets.say(html, accounts));
                self.cells(html, row, sets.page(accounts).as_deref());
            });
            html.literal("\n");
        }
        html.literal("</tbody>\n</table>\n</div>\n</section>\n");
    }

    fn cells(&self, html: &mut Html, row: &Row<'_>, page: Option<&str>) {
        let all = self.columns.len().to_string();
        match row {
            Row::Cells(cells) => {
                for (cell, (control, _)) in cells.iter().zip(&self.columns) {
                    match cell {
                        None => {
                            html.literal("<td></td>");
                        }
                        Some((State::InSync, _)) => {
                            html.literal("<td class=\"s sync\">✓</td>");
                        }
                        Some((state, number)) => {
                            let there = page.map(|page| format!("{page}#{control}"));
                            let link = number.map(|number| format!("#b{number}")).or(there);
                            html.element("td", &[("class", state.class())], |html| one(html, *state, link));
                        }
                    }
                }
            }
            Row::Closed(why) => {
                let class = format!("{} wide", State::Unknown.class());
                html.element("td", &[("class", &class), ("colspan", &all)], |html| {
                    html.text("? no session: ").text(why);
                });
            }
            Row::NotTried(why) => {
                html.with("td", &[("class", "s wide"), ("colspan", &all)], &format!("not tried: {why}"));
            }
        }
    }
}

fn one(html: &mut Html, state: State, link: Option<String>) {
    match link {
        Some(link) => {
            html.with("a", &[("href", &link), ("aria-label", state.word())], state.sign());
        }
        None => {
            html.with("span", &[("role", "img"), ("aria-label", state.word())], state.sign());
        }
    }
}
