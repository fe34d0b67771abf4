//! What a change brings with it, each note with its word first and always in the same order.

use crate::control::{Change, ChangeKind, Direction, Found, Risk, Step};
use crate::plan::Outcome;

use super::super::fold::Block;
use super::super::style::Paint;
use super::super::text::Text;
use super::super::words;
use super::Page;
use super::fields::{COLUMN, INDENT};

/// How many calls are named before the rest are only counted.
const NAMED: usize = 3;

/// A word, what it says of the change, and how loud.
pub(in crate::report) type Note = (Paint, &'static str, String);

pub(super) fn write<'a>(
    page: &Page<'a>,
    text: &mut Text<'_>,
    block: &Block<'a>,
    change: &'a Change<Step>,
    says_undo: bool,
) {
    let mut last = "";
    for (paint, word, what) in notes(page, block, change, says_undo) {
        text.labelled(INDENT, paint, if word == last { "" } else { word }, COLUMN, &what);
        last = word;
    }
}

/// The notes in their order; several of one word follow each other.
pub(in crate::report) fn notes<'a>(
    page: &Page<'a>,
    block: &Block<'a>,
    change: &'a Change<Step>,
    says_undo: bool,
) -> Vec<Note> {
    let mut notes = Vec::new();
    let mut note = |paint, word, what: &str| notes.push((paint, word, what.to_owned()));
    if let Some(adopts) = &change.adopts {
        note(Paint::Dim, "adopts", adopts);
    }
    if let Some(carries) = &change.carries {
        note(Paint::Dim, "carries", carries);
    }
    if let Some((paint, risk)) = risk(change) {
        note(paint, "risk", &risk);
    }
    if let Some(cost) = &change.cost {
        note(Paint::Dim, "costs", cost);
    }
    if change.direction == Direction::Weakens {
        let because = block.first.reason.as_ref().map(|reason| format!(", because {reason}"));
        let weakens = format!("less safe than what is live today{}", because.unwrap_or_default());
        note(Paint::Alert, "weakens", &weakens);
    }
    if let Some(lapsed) = &block.first.lapsed {
        note(Paint::Alert, "exception", lapsed);
    }
    for need in needs(page, block) {
        note(Paint::Dim, "needs", &need);
    }
    if !change.steps.is_empty() {
        note(Paint::Dim, "calls", &calls(block, change));
    }
    if let Some(undo) = undo(page, block, change).filter(|_| says_undo) {
        note(Paint::Dim, "undo", &format!("by hand: {undo}"));
    }
    notes
}

fn risk(change: &Change<Step>) -> Option<(Paint, String)> {
    let word = match change.risk {
        Risk::Safe => return change.evidence.clone().map(|found| (Paint::Dim, found)),
        Risk::Disruptive => "disruptive",
        Risk::Organization => "organization",
        Risk::Destructive => "destructive",
        Risk::Irreversible => "irreversible",
    };
    let said = match &change.evidence {
        Some(evidence) => format!("{word}: {evidence}"),
        None => word.to_owned(),
    };
    Some((Paint::Alert, said))
}

/// What is not there yet: made further up in this plan, or to be made by somebody.
fn needs<'a>(page: &Page<'a>, block: &Block<'a>) -> Vec<String> {
    let first = block.first;
    first
        .needs
        .iter()
        .filter_map(|need| {
            let name = || page.thing(block, &need.thing);
            let whole = need.thing.part_of();
            if page.makes.iter().any(|made| **made == need.thing || Some(*made) == whole.as_ref()) {
                return Some(format!("{}, above", name()));
            }
            match page.plan.known.get(&need.thing) {
                Some(Found::Present { .. }) | None => None,
                Some(Found::Absent) => Some(format!("{}, not there yet", name())),
                Some(Found::Unknown(_)) => Some(format!("{}, which could not be looked at", name())),
            }
        })
        .collect()
}

/// `guardduty:UpdateDetector, 7,004 in all`, `s3:CreateBucket and 4 more`.
fn calls(block: &Block<'_>, change: &Change<Step>) -> String {
    let mut distinct: Vec<(&str, usize)> = Vec::new();
    for step in &change.steps {
        match distinct.iter_mut().find(|(call, _)| *call == step.call) {
            Some((_, times)) => *times += 1,
            None => distinct.push((&step.call, 1)),
        }
    }
    let named: Vec<String> = distinct
        .iter()
        .map(|(call, times)| if *times == 1 { (*call).to_owned() } else { format!("{call} ×{times}") })
        .collect();
    let said = match named.as_slice() {
        [first, ..] if named.len() > NAMED => {
            format!("{first} and {} more", change.steps.len() - distinct[0].1)
        }
        few => few.join(", "),
    };
    let many_places = block.accounts.len() > 1 || block.regions.len() > words::LISTED;
    match block.resources.len() {
        _ if many_places => format!("{said}, {} in all", words::number(block.size() * change.steps.len())),
        1 => said,
        _ if block.regions.len() <= 1 => format!("{said}, once for each"),
        _ => format!("{said}, {} in all", words::number(block.size() * change.steps.len())),
    }
}

/// Do both create something of one control?
pub(super) fn creates_alike(one: &Block<'_>, other: &Block<'_>) -> bool {
    let creates = |block: &Block<'_>| {
        block.first.outcome == Outcome::Change
            && block.first.finding.change().is_some_and(|change| change.kind == ChangeKind::Create)
    };
    creates(one) && creates(other) && one.first.control == other.first.control
}

/// What was created cannot be taken back by a call: there is no delete.
fn undo(page: &Page<'_>, block: &Block<'_>, change: &Change<Step>) -> Option<&'static str> {
    if change.kind != ChangeKind::Create {
        return None;
    }
    let control = page.context.controls.iter().find(|control| control.meta().id == block.first.control)?;
    control.meta().undo
}
