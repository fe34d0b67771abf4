//! All accounts: what needs somebody, how each control stands, what drifted, and what people signed for.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::super::grid::{self, Row};
use super::super::markup::Html;
use super::super::sets::{Accounts, Sets};
use super::super::{State, filter, finding, record, totals};
use super::drift::{self, Drift};
use super::{Controller, document, section, table};
use crate::control::ErasedControl;
use crate::desired::{Attestation, Exception};
use crate::place::AccountId;
use crate::report::words::{counted, number};

/// What the page of all accounts is made of.
pub struct Fleet<'a> {
    pub controller: Controller<'a>,
    /// In the order of the desired state.
    pub accounts: Vec<Account<'a>>,
    /// Settings by what is the matter.
    pub totals: Vec<(State, usize)>,
    /// Newest first.
    pub drift: Vec<Drift<'a>>,
    pub exceptions: &'a [Exception],
    pub attestations: &'a [Attestation],
    /// The day on which those are judged.
    pub today: Date,
    pub known_controls: &'a [&'static dyn ErasedControl],
}

/// One account at a glance.
pub struct Account<'a> {
    pub id: &'a AccountId,
    pub name: &'a str,
    /// Nothing where it was never looked at.
    pub controls: Option<&'a BTreeMap<String, State>>,
    /// What is the matter with the account as a whole.
    pub trouble: Vec<String>,
}

/// The page of all accounts.
pub fn fleet(fleet: &Fleet<'_>) -> String {
    let names = fleet.accounts.iter().map(|account| (account.id, account.name)).collect();
    let mut sets = Sets::new(names).leading_to("accounts/");
    let needs = needs(fleet, &mut sets);
    let used = fleet.accounts.iter().filter_map(|account| account.controls);
    let used: BTreeSet<&str> = used.flat_map(BTreeMap::keys).map(String::as_str).collect();
    let columns = grid::columns(fleet.known_controls, used);
    let rows = fleet.accounts.iter().map(|account| {
        let row = match account.controls {
            Some(controls) => Row::Cells(
                columns.iter().map(|(control, _)| Some((*controls.get(*control)?, None))).collect(),
            ),
            None => Row::NotTried("it has not had its first turn yet"),
        };
        (account.id, row)
    });
    let rows = rows.collect();
    let grid = grid::folded(columns, rows, &mut sets);
    let signed = fleet.exceptions.len() + fleet.attestations.len();
    let mut links = vec![
        ("#needs", format!("Needs somebody ({})", number(needs.len()))),
        ("#accounts", format!("Accounts and controls ({})", number(fleet.accounts.len()))),
        ("#drift", format!("Drift ({})", number(fleet.drift.len()))),
        ("#signed", format!("Exceptions and attestations ({})", number(signed))),
    ];
    if !sets.is_empty() {
        links.push(("#groups", "Groups of accounts".to_owned()));
    }
    document(
        fleet.controller.organization,
        &links,
        |html| masthead(html, fleet),
        |html| filter(html, grid.states().chain(needs.iter().map(|need| need.state))),
        |html| {
            section(html, "needs", "Needs somebody", |html| write_needs(html, &sets, &needs));
            html.element("div", &[("data-part", "grid")], |html| grid.write(html, &sets));
            section(html, "drift", "Drift", |html| {
                html.literal("<p class=\"dim\">What had been as desired and was found otherwise: desired → found, who did it as CloudTrail tells it, and what became of it. The newest first; the page of an account has more of it.</p>\n");
                drift::write(html, &sets, &fleet.drift, true);
            });
            section(html, "signed", "Exceptions and attestations", |html| {
                html.literal("<p class=\"dim\">What people signed for, the first to end first. When it has ended, what it was about counts again.</p>\n");
                if signed == 0 {
                    html.literal("<p>There are none.</p>\n");
                } else {
                    record::signed(html, fleet.today, fleet.exceptions, fleet.attestations, None);
                }
            });
            if !sets.is_empty() {
                html.element("div", &[("data-part", "groups")], |html| sets.write(html));
            }
        },
    )
}

fn masthead(html: &mut Html, fleet: &Fleet<'_>) {
    html.element("h1", &[], |html| {
        html.text(fleet.controller.organization);
        if let Some(id) = fleet.controller.organization_id {
            html.text(" ").with("small", &[], id);
        }
    });
    fleet.controller.say(html);
    totals(html, "Settings by what is the matter", fleet.totals.iter().copied());
    let seen = fleet.accounts.iter().filter(|account| account.controls.is_some()).count();
    let all = counted(fleet.accounts.len(), "account");
    if seen < fleet.accounts.len() {
        html.with("p", &[], &format!("{} of {all} have been looked at so far.", number(seen)));
    }
}

/// One thing that somebody has to do something about, and where.
struct Need<'a> {
    state: State,
    what: What<'a>,
    accounts: Accounts<'a>,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum What<'a> {
    Account(&'a str),
    Control(&'a str),
}

fn needs<'a>(fleet: &'a Fleet<'a>, sets: &mut Sets<'a>) -> Vec<Need<'a>> {
    let mut found: BTreeMap<(State, What<'a>), Vec<&'a AccountId>> = BTreeMap::new();
    for account in &fleet.accounts {
        for trouble in &account.trouble {
            found.entry((State::Unknown, What::Account(trouble))).or_default().push(account.id);
        }
        for (control, state) in account.controls.into_iter().flatten() {
            // The worst ones come first in their order.
            if *state <= State::Stalled {
                found.entry((*state, What::Control(control))).or_default().push(account.id);
            }
        }
    }
    let needs = found.into_iter().map(|((state, what), ids)| Need { state, what, accounts: sets.add(&ids) });
    needs.collect()
}

fn write_needs<'a>(html: &mut Html, sets: &Sets<'a>, needs: &[Need<'a>]) {
    html.literal("<p class=\"dim\">What does not come right by itself: what is not known, what is fought over, what is to be done by hand, and what stands still. The page of an account says why and what to do.</p>\n");
    if needs.is_empty() {
        html.literal("<p>Nothing.</p>\n");
        return;
    }
    table(html, "Table of what needs somebody", &["Why", "What", "Accounts"], |html| {
        for need in needs {
            let control = match need.what {
                What::Control(control) => control,
                What::Account(_) => "",
            };
            let keys =
                [("data-a", &*sets.key(&need.accounts)), ("data-c", control), ("data-o", need.state.class())];
            html.element("tr", &keys, |html| {
                html.element("td", &[], |html| {
                    finding::sign(html, need.state);
                    html.text(" ").text(need.state.word());
                });
                html.element("th", &[("scope", "row")], |html| {
                    match need.what {
                        What::Control(control) => html.with("code", &[], control),
                        What::Account(why) => html.text(why),
                    };
                });
                html.element("td", &[], |html| sets.say(html, &need.accounts));
            });
            html.literal("\n");
        }
    });
}
