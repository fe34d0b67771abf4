//! What was found, the most urgent first: what is not known, what a person must do, what apply would do, and what is
//! not going to be touched.

use std::collections::{BTreeSet, HashSet};

use crate::plan::Outcome;

use super::super::fold::{Block, fold};
use super::super::human::{Closed, Page, why};
use super::super::words::number;
use super::finding;
use super::markup::Html;
use super::sets::{Accounts, Sets};
use super::state::State;

/// One part of the page.
pub(super) struct Section<'a> {
    part: Part,
    /// Accounts without a session.
    closed: Vec<(Accounts<'a>, Closed<'a>)>,
    pub(super) findings: Vec<Found<'a>>,
}

/// A folded finding, and where it stands on the page.
pub(super) struct Found<'a> {
    pub(super) number: usize,
    pub(super) block: Block<'a>,
    pub(super) state: State,
    pub(super) accounts: Accounts<'a>,
    /// Several creations of one control have one way back, told with the last.
    pub(super) says_undo: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Unknown,
    Manual,
    Blocked,
    Changes,
    Progressing,
    Untouched,
}

impl Part {
    const ALL: [Self; 6] =
        [Self::Unknown, Self::Manual, Self::Blocked, Self::Changes, Self::Progressing, Self::Untouched];

    fn of(state: State) -> Self {
        match state {
            State::Unknown => Self::Unknown,
            State::Manual => Self::Manual,
            State::Contested | State::Blocked | State::Stalled => Self::Blocked,
            State::Update | State::Create => Self::Changes,
            State::Progressing => Self::Progressing,
            State::ObserveOnly | State::Excepted | State::Foreign | State::InSync | State::NotOffered => {
                Self::Untouched
            }
        }
    }

    /// The fragment that links to it, its heading and what it means.
    fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Unknown => {
                ("#unknown", "Not known", "What could not be looked at is neither in sync nor touched.")
            }
            Self::Manual => ("#by-hand", "By hand", "What no API can put right: somebody has to do it."),
            Self::Blocked => ("#blocked", "Blocked", "What stands on something that is not there."),
            Self::Changes => ("#changes", "Changes", "What apply would do, in its order."),
            Self::Progressing => ("#in-progress", "In progress", "AWS is still at it."),
            Self::Untouched => ("#untouched", "Not touched", "What is known and stays as it is."),
        }
    }
}

/// The sections that have something in them.
pub(super) fn of<'a>(page: &'a Page<'a>, sets: &mut Sets<'a>) -> Vec<Section<'a>> {
    let shown = page
        .plan
        .items
        .iter()
        .filter(|item| item.selected && (page.context.show_in_sync || item.outcome != Outcome::InSync));
    let mut sections: Vec<Section<'a>> =
        Part::ALL.map(|part| Section { part, closed: Vec::new(), findings: Vec::new() }).into();
    for (number, block) in fold(shown).into_iter().enumerate() {
        let state = State::of(block.first);
        let accounts = sets.add(&block.accounts);
        let found = Found { number, block, state, accounts, says_undo: false };
        if let Some(section) = sections.iter_mut().find(|section| section.part == Part::of(state)) {
            section.findings.push(found);
        }
    }
    for closed in page.closed() {
        let accounts = sets.add(&closed.accounts);
        if let Some(section) = sections.first_mut() {
            section.closed.push((accounts, closed));
        }
    }
    for section in &mut sections {
        let mut told = HashSet::new();
        for found in section.findings.iter_mut().rev().filter(|found| found.state == State::Create) {
            found.says_undo = told.insert(found.block.first.control.as_str());
        }
    }
    sections.retain(|section| !section.findings.is_empty() || !section.closed.is_empty());
    sections
}

impl<'a> Section<'a> {
    pub(super) fn link(&self) -> &'static str {
        self.part.words().0
    }

    /// `Changes (11)`, folded findings counted once each.
    pub(super) fn title(&self) -> String {
        format!("{} ({})", self.part.words().1, number(self.findings.len() + self.closed.len()))
    }

    pub(super) fn states(&self) -> BTreeSet<State> {
        let closed = self.closed.iter().map(|_| State::Unknown);
        self.findings.iter().map(|found| found.state).chain(closed).collect()
    }

    pub(super) fn write(&self, html: &mut Html, page: &'a Page<'a>, sets: &Sets<'a>) {
        let (link, _, meaning) = self.part.words();
        let id = link.trim_start_matches('#');
        let heading = format!("{id}-h");
        html.element("section", &[("id", id), ("aria-labelledby", &heading)], |html| {
            html.with("h2", &[("id", &heading)], &self.title());
            html.with("p", &[("class", "dim")], meaning);
            html.literal("\n");
            for (accounts, closed) in &self.closed {
                finding::closed(html, sets, accounts, closed);
            }
            match self.part {
                Part::Untouched => self.table(html, sets),
                _ => self.findings.iter().for_each(|found| finding::write(html, page, sets, found)),
            }
        });
        html.literal("\n");
    }

    /// What calls for nothing takes a line each.
    fn table(&self, html: &mut Html, sets: &Sets<'a>) {
        html.literal("<div class=\"scroll\" role=\"region\" aria-label=\"Table of what is not touched\" tabindex=\"0\">\n<table>\n<thead><tr><th scope=\"col\">Why</th><th scope=\"col\">Control</th><th scope=\"col\">Accounts</th><th scope=\"col\">Regions</th><th scope=\"col\">What is known</th></tr></thead>\n<tbody>\n");
        for found in &self.findings {
            let id = format!("b{}", found.number);
            let first = found.block.first;
            let keys = [
                ("id", id.as_str()),
                ("data-a", &sets.key(&found.accounts)),
                ("data-c", &first.control),
                ("data-o", found.state.class()),
            ];
            html.element("tr", &keys, |html| {
                html.element("td", &[], |html| {
                    finding::sign(html, found.state);
                    html.text(" ").text(found.state.word());
                });
                html.element("th", &[("scope", "row")], |html| finding::subject(html, &found.block));
                html.element("td", &[], |html| sets.say(html, &found.accounts));
                html.with("td", &[], &finding::regions(&found.block));
                html.with("td", &[], why(&found.block).as_deref().unwrap_or_default());
            });
            html.literal("\n");
        }
        html.literal("</tbody>\n</table>\n</div>\n");
    }
}
