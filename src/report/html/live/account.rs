//! One account: how it stands and why, what is open, what drifted.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;

use super::super::markup::Html;
use super::super::sections;
use super::super::sets::Sets;
use super::super::{State, finding, minute, record, totals};
use super::drift::{self, Drift};
use super::{Controller, document, section, table, time};
use crate::control::ErasedControl;
use crate::desired::{Attestation, Exception};
use crate::place::AccountId;
use crate::plan::Plan;
use crate::report::human::{Context, Page};
use crate::report::words::number;

/// What the page of one account is made of.
pub struct AccountPage<'a> {
    pub controller: Controller<'a>,
    pub id: &'a AccountId,
    pub name: &'a str,
    /// When it was last looked at, and that look's run: the session name in CloudTrail.
    pub last_look: Option<(Timestamp, &'a str)>,
    /// What is the matter with the account as a whole.
    pub trouble: Vec<String>,
    pub totals: Vec<(State, usize)>,
    pub conditions: Vec<Told<'a>>,
    /// What is open, as a plan of this account, and when it became so.
    pub open: Option<(&'a Plan, Timestamp)>,
    pub drift: Vec<Drift<'a>>,
    pub exceptions: Vec<Exception>,
    pub attestations: Vec<Attestation>,
    pub today: Date,
    pub known_controls: &'a [&'static dyn ErasedControl],
}

/// A condition of a control in a region.
#[derive(Clone, Debug)]
pub struct Told<'a> {
    pub state: State,
    pub control: &'a str,
    pub region: &'a str,
    /// `Drifted: ObserveOnly`, what it says, and since when.
    pub said: Vec<(String, &'a str, Timestamp)>,
    /// When all of it was last seen.
    pub last_good_look: Option<Timestamp>,
}

/// The page of one account.
pub fn account(account: &AccountPage<'_>) -> String {
    let context = Context {
        command: "run",
        reads: 0,
        elapsed: Duration::ZERO,
        show_in_sync: false,
        detailed_exitcode: false,
        next: None,
        selectors: None,
        exit: (0, ""),
        saved: None,
        controls: account.known_controls,
    };
    let page = account.open.map(|(plan, _)| Page::new(plan, &context));
    let mut sets = Sets::new(HashMap::from([(account.id, account.name)]));
    let found = page.as_ref().map(|page| sections::of(page, &mut sets)).unwrap_or_default();
    let signed = account.exceptions.len() + account.attestations.len();
    let mut links = vec![("..", "All accounts".to_owned())];
    links.push(("#conditions", format!("Conditions ({})", number(account.conditions.len()))));
    links.extend(found.iter().map(|section| (section.link(), section.title())));
    links.push(("#drift", format!("Drift ({})", number(account.drift.len()))));
    links.push(("#signed", format!("Exceptions and attestations ({})", number(signed))));
    document(
        account.name,
        &links,
        |html| masthead(html, account),
        |_| {},
        |html| {
            section(html, "conditions", "Conditions", |html| conditions(html, account));
            if let (Some(page), Some((_, at))) = (&page, account.open) {
                html.element("div", &[("data-part", "open")], |html| {
                    html.with(
                        "p",
                        &[("class", "dim")],
                        &format!("What is open has been so since {}.", minute(at)),
                    );
                    for section in &found {
                        section.write(html, page, &sets);
                    }
                });
            }
            section(html, "drift", "Drift", |html| {
                html.literal("<p class=\"dim\">What had been as desired and was found otherwise: desired → found. The newest first.</p>\n");
                drift::write(html, &sets, &account.drift, false);
            });
            section(html, "signed", "Exceptions and attestations", |html| {
                if signed == 0 {
                    html.literal("<p>There are none for this account.</p>\n");
                } else {
                    record::signed(html, account.today, &account.exceptions, &account.attestations, None);
                }
            });
        },
    )
}

fn masthead(html: &mut Html, account: &AccountPage<'_>) {
    html.element("h1", &[], |html| {
        html.text(account.name);
        if account.name != account.id.as_str() {
            html.text(" ").with("small", &[], account.id.as_str());
        }
    });
    html.element("p", &[], |html| {
        html.with("a", &[("href", "..")], "All accounts").text(" of ").text(account.controller.organization);
    });
    account.controller.say(html);
    html.element("p", &[], |html| match account.last_look {
        Some((at, run)) => {
            html.text("Last looked at ");
            time(html, at);
            html.text(", run ").with("code", &[], run);
        }
        None => {
            html.text("It has not been looked at yet.");
        }
    });
    for trouble in &account.trouble {
        html.element("p", &[("class", "alert")], |html| {
            html.text("! ").text(trouble);
        });
    }
    totals(html, "Settings by what is the matter", account.totals.iter().copied());
}

fn conditions(html: &mut Html, account: &AccountPage<'_>) {
    if account.conditions.is_empty() {
        html.literal("<p>There are none yet.</p>\n");
        return;
    }
    let columns = ["Control", "Region", "Stands", "Why", "Since", "Last seen whole"];
    table(html, "Table of conditions", &columns, |html| {
        let mut last = "";
        for told in &account.conditions {
            // The first row of a control is where the grid leads to.
            let id: &[_] = if told.control == last { &[] } else { &[("id", told.control)] };
            last = told.control;
            html.element("tr", id, |html| {
                html.element("th", &[("scope", "row")], |html| {
                    html.with("code", &[], told.control);
                });
                html.with("td", &[], told.region);
                html.element("td", &[], |html| {
                    finding::sign(html, told.state);
                    html.text(" ").text(told.state.word());
                });
                html.element("td", &[], |html| {
                    for (what, message, _) in &told.said {
                        html.element("div", &[], |html| {
                            html.with("b", &[], what);
                            if !message.is_empty() {
                                html.text(" ").text(message);
                            }
                        });
                    }
                });
                html.element("td", &[], |html| {
                    if let Some((_, _, since)) = told.said.first() {
                        time(html, *since);
                    }
                });
                html.element("td", &[], |html| match told.last_good_look {
                    Some(at) => time(html, at),
                    None => {
                        html.text("never");
                    }
                });
            });
            html.literal("\n");
        }
    });
}
