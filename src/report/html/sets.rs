//! Groups of accounts that something holds for alike. Each is listed once on the page, however many findings and
//! rows name it: otherwise a thousand names would stand under every finding.

use std::collections::HashMap;

use crate::place::AccountId;

use super::super::words::{counted, names};
use super::markup::Html;

/// So many accounts are named where they are spoken of; larger groups are listed at the end of the page.
const NAMED: usize = 3;

pub(super) struct Sets<'a> {
    /// Accounts by the names that people know.
    names: HashMap<&'a AccountId, &'a str>,
    /// Where each account has a page of its own: what stands before its id in the address.
    leads_to: Option<&'static str>,
    places: HashMap<Vec<&'a AccountId>, usize>,
    lists: Vec<Vec<&'a AccountId>>,
}

/// Accounts, or the place of a list of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Accounts<'a> {
    Few(Vec<&'a AccountId>),
    Listed(usize),
}

impl<'a> Sets<'a> {
    pub(super) fn new(names: HashMap<&'a AccountId, &'a str>) -> Self {
        Self { names, leads_to: None, places: HashMap::new(), lists: Vec::new() }
    }

    /// Each account leads to its own page.
    pub(super) fn leading_to(self, before: &'static str) -> Self {
        Self { leads_to: Some(before), ..self }
    }

    fn name(&self, id: &'a AccountId) -> &'a str {
        self.names.get(id).copied().unwrap_or(id.as_str())
    }

    /// The page of the account that these are, where it is one.
    pub(super) fn page(&self, accounts: &Accounts<'_>) -> Option<String> {
        match accounts {
            Accounts::Few(few) if few.len() == 1 => Some(format!("{}{}", self.leads_to?, few.first()?)),
            _ => None,
        }
    }

    /// An account by name, and by id where that is not its name.
    fn one(&self, html: &mut Html, id: &'a AccountId) {
        let name = self.name(id);
        match self.leads_to {
            Some(before) => html.with("a", &[("href", &format!("{before}{id}"))], name),
            None => html.text(name),
        };
        if name != id.as_str() {
            html.text(" ").with("small", &[], id.as_str());
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lists.is_empty()
    }

    /// Remembers a group, in plan order.
    pub(super) fn add(&mut self, accounts: &[&'a AccountId]) -> Accounts<'a> {
        if accounts.len() <= NAMED {
            return Accounts::Few(accounts.to_vec());
        }
        let next = self.lists.len();
        let place = *self.places.entry(accounts.to_vec()).or_insert(next);
        if place == next {
            self.lists.push(accounts.to_vec());
        }
        Accounts::Listed(place)
    }

    /// What the filter compares: the names themselves, or the number of the list.
    pub(super) fn key(&self, accounts: &Accounts<'a>) -> String {
        match accounts {
            Accounts::Few(few) => {
                few.iter().map(|id| format!("{} {id}", self.name(id))).collect::<Vec<_>>().join("\n")
            }
            Accounts::Listed(place) => format!("#g{place}"),
        }
    }

    /// Each account by name and id, or how many they are and where they are listed.
    pub(super) fn say(&self, html: &mut Html, accounts: &Accounts<'a>) {
        match accounts {
            Accounts::Few(few) => {
                for (place, id) in few.iter().enumerate() {
                    if place > 0 {
                        html.text(", ");
                    }
                    self.one(html, id);
                }
            }
            Accounts::Listed(place) => {
                let list = self.lists.get(*place).map(Vec::as_slice).unwrap_or_default();
                html.with("a", &[("href", &format!("#g{place}"))], &counted(list.len(), "account"));
                let shown: Vec<&str> = list.iter().map(|id| self.name(id)).collect();
                html.text(": ").text(&names(&shown));
            }
        }
    }

    pub(super) fn write(&self, html: &mut Html) {
        if self.is_empty() {
            return;
        }
        html.literal("<section id=\"groups\" aria-labelledby=\"groups-h\">\n<h2 id=\"groups-h\">Groups of accounts</h2>\n");
        html.literal("<p class=\"dim\">What holds for many accounts alike is said once, and the accounts are listed here.</p>\n");
        for (place, list) in self.lists.iter().enumerate() {
            html.element("details", &[("id", &format!("g{place}"))], |html| {
                let shown: Vec<&str> = list.iter().map(|id| self.name(id)).collect();
                html.with("summary", &[], &format!("{}: {}", counted(list.len(), "account"), names(&shown)));
                html.element("ul", &[("class", "names")], |html| {
                    for id in list {
                        html.element("li", &[], |html| self.one(html, id));
                    }
                });
            });
            html.literal("\n");
        }
        html.literal("</section>\n");
    }
}
