//! What is not going to be touched, one line each, last in its account.

use std::collections::BTreeSet;

use crate::control::Verdict;
use crate::plan::{Item, Outcome};

use super::super::fold::Block;
use super::super::style::Paint;
use super::super::text::Text;
use super::super::words::counted;
use super::Page;
use super::block::{regions, subject};
use super::fields::short;

const INDENT: usize = 2;
const COLUMN: usize = 18;

pub(super) fn is_aside(outcome: &Outcome) -> bool {
    word(outcome).is_some()
}

fn word(outcome: &Outcome) -> Option<&'static str> {
    match outcome {
        Outcome::InSync => Some("in sync"),
        Outcome::ObserveOnly => Some("observed only"),
        Outcome::Excepted { .. } => Some("excepted"),
        Outcome::Foreign => Some("left alone"),
        Outcome::NotOffered => Some("not offered"),
        Outcome::Change
        | Outcome::Manual
        | Outcome::Progressing
        | Outcome::Blocked { .. }
        | Outcome::Unknown => None,
    }
}

impl Page<'_> {
    /// What is not going to be touched. A reason why something does not exist somewhere is said once, however
    /// many controls it holds for.
    pub(super) fn asides(&self, text: &mut Text<'_>, asides: &[&Block<'_>]) {
        let mut said: Vec<&Block<'_>> = Vec::new();
        for block in asides {
            if !said.iter().any(|other| is_not_offered_alike(other, block)) {
                let alike: Vec<_> =
                    asides.iter().filter(|other| is_not_offered_alike(other, block)).collect();
                match alike.as_slice() {
                    [] | [_] => self.aside(text, block),
                    many => {
                        let controls: BTreeSet<&str> =
                            many.iter().map(|block| block.first.control.as_str()).collect();
                        let subject = counted(controls.len(), "control");
                        self.said_of(text, block, &subject);
                    }
                }
            }
            said.push(block);
        }
    }

    fn aside(&self, text: &mut Text<'_>, block: &Block<'_>) {
        self.said_of(text, block, &subject(block));
    }

    fn said_of(&self, text: &mut Text<'_>, block: &Block<'_>, subject: &str) {
        let Some(word) = word(&block.first.outcome) else { return };
        let regions = regions(block);
        let place = if regions.is_empty() { String::new() } else { format!(" in {regions}") };
        let line = match why(block) {
            Some(why) => format!("{subject}{place}: {why}"),
            None => format!("{subject}{place}"),
        };
        text.labelled(INDENT, Paint::Dim, word, COLUMN, &line);
        if block.first.outcome == Outcome::ObserveOnly
            && let Some(evidence) = block.first.finding.change().and_then(|change| change.evidence.as_deref())
        {
            text.paragraph(COLUMN, Paint::Plain, evidence);
        }
    }
}

fn is_not_offered_alike(one: &Block<'_>, other: &Block<'_>) -> bool {
    let source = |block: &Block<'_>| match &block.first.finding.verdict {
        Verdict::NotOffered { source } => Some(source.clone()),
        _ => None,
    };
    source(one).is_some() && source(one) == source(other) && regions(one) == regions(other)
}

/// Why it is only observed: the account is suspended, or the document says so.
fn note(item: &Item) -> &str {
    item.exception_note.as_deref().unwrap_or("mode: observe")
}

/// Why it is not going to be touched.
pub(in crate::report) fn why(block: &Block<'_>) -> Option<String> {
    let first = block.first;
    match (&first.outcome, &first.finding.verdict) {
        (Outcome::Excepted { exception }, _) => {
            Some(first.exception_note.as_ref().unwrap_or(exception).clone())
        }
        (_, Verdict::Change(change)) => {
            let fields: Vec<String> = change
                .fields
                .iter()
                .map(|field| {
                    let path = field.path.trim_start_matches('/').replace('/', ".");
                    match (short(&field.before), short(&field.after)) {
                        (Some(before), Some(after)) => format!("{path} {before} → {after}"),
                        _ => format!("{path} differs"),
                    }
                })
                .collect();
            Some(format!("{} ({})", fields.join(", "), note(first)))
        }
        (_, Verdict::Manual(task)) => Some(format!("{} (mode: observe)", task.title)),
        (_, Verdict::Foreign { owner, evidence }) => Some(format!("{owner} manages it ({evidence})")),
        (_, Verdict::NotOffered { source }) => Some(source.clone()),
        (_, Verdict::InSync | Verdict::Progressing(_) | Verdict::Unknown { .. }) => None,
    }
}
