//! One finding: sign, control, resource, where; then what is the matter with it.

use crate::control::{Change, ChangeKind, Found, ManualTask, Progress, Step, Thing, Verdict, Verified};
use crate::plan::{Outcome, SeverityWord};

use super::super::fold::{Block, is_own};
use super::super::style::Paint;
use super::super::text::Text;
use super::super::words;
use super::fields::{self, COLUMN, INDENT};
use super::{Page, notes};

impl<'a> Page<'a> {
    pub(super) fn block(&self, text: &mut Text<'_>, block: &Block<'a>, says_undo: bool) {
        match (&block.first.outcome, &block.first.finding.verdict) {
            (Outcome::Blocked { on, why }, _) => self.blocked(text, block, on, why.as_deref()),
            (_, Verdict::Change(change)) => self.change(text, block, change, says_undo),
            (_, Verdict::Manual(task)) => manual(text, block, task),
            (_, Verdict::Progressing(progress)) => progressing(text, block, progress),
            (_, Verdict::Unknown { .. }) => unknown(text, block),
            // Findings of these kinds have outcomes that stand at the end of the account.
            (_, Verdict::InSync | Verdict::Foreign { .. } | Verdict::NotOffered { .. }) => {}
        }
    }

    fn change(&self, text: &mut Text<'_>, block: &Block<'a>, change: &'a Change<Step>, says_undo: bool) {
        let (paint, sign) = sign(change.kind);
        text.head(paint, sign, &subject(block), &place(block));
        fields::write(text, change.kind, &change.fields);
        notes::write(self, text, block, change, says_undo);
    }

    fn blocked(&self, text: &mut Text<'_>, block: &Block<'a>, on: &'a [Thing], why: Option<&str>) {
        text.head(Paint::Alert, "#", &subject(block), &place(block));
        if let Some(change) = block.first.finding.change() {
            fields::write(text, change.kind, &change.fields);
        }
        for (number, thing) in on.iter().enumerate() {
            let state = match self.plan.known.get(thing) {
                Some(Found::Unknown(fault)) => format!("which could not be looked at: {fault}"),
                _ => "which is not there, and nothing in this plan makes it".to_owned(),
            };
            let name = self.thing(block, thing);
            let label = if number == 0 { "blocked on" } else { "" };
            text.labelled(INDENT, Paint::Dim, label, COLUMN, &format!("{name}, {state}"));
        }
        if let Some(why) = why {
            text.labelled(INDENT, Paint::Dim, "blocked", COLUMN, why);
        }
        if !on.is_empty() {
            let it = if on.len() == 1 { "it is" } else { "they are" };
            text.paragraph(INDENT, Paint::Plain, &format!("The first plan after {it} there goes on."));
        }
    }

    /// `key alias/baseline/logs in log-archive`; the account only where it is another one.
    pub(in crate::report) fn thing(&self, block: &Block<'a>, thing: &'a Thing) -> String {
        let own = &block.first.scope.account;
        let name = match thing {
            Thing::Delivery { bucket, service, from, .. } if from == own => {
                format!("delivery from {} to bucket {bucket}", service.trim_end_matches(".amazonaws.com"))
            }
            other => other.to_string(),
        };
        if block.accounts.as_slice() == [thing.account()] || is_own(thing, &block.first.scope) {
            name
        } else {
            format!("{name} in {}", self.name(thing.account()))
        }
    }
}

pub(super) fn sign(kind: ChangeKind) -> (Paint, &'static str) {
    match kind {
        ChangeKind::Create => (Paint::Create, "+"),
        ChangeKind::Update => (Paint::Update, "~"),
    }
}

/// `ecr.repositories api, web, worker`. A resource that only says the control's own noun again is left out.
pub(in crate::report) fn subject(block: &Block<'_>) -> String {
    let control = &block.first.control;
    let noun = control.split_once('.').map_or(control.as_str(), |(_, noun)| noun);
    match block.resources.as_slice() {
        [one] if ["", "*", "account", noun].contains(one) => control.clone(),
        many => format!("{control} {}", words::names(many)),
    }
}

pub(super) fn regions(block: &Block<'_>) -> String {
    let regions: Vec<&str> = block.regions.iter().map(|region| region.as_str()).collect();
    words::regions(&regions)
}

fn place(block: &Block<'_>) -> String {
    regions(block)
}

/// As it is printed.
pub(in crate::report) fn severity(word: SeverityWord) -> &'static str {
    match word {
        SeverityWord::Low => "LOW",
        SeverityWord::Medium => "MEDIUM",
        SeverityWord::High => "HIGH",
        SeverityWord::Critical => "CRITICAL",
    }
}

fn manual(text: &mut Text<'_>, block: &Block<'_>, task: &ManualTask) {
    let severity = severity(block.first.severity);
    let place = place(block);
    let place = if place.is_empty() { severity.to_owned() } else { format!("{place}  {severity}") };
    text.head(Paint::Alert, "!", &subject(block), &place);

    let frameworks = words::frameworks(&block.first.frameworks);
    match task.found.as_slice() {
        [(what, found)] if !frameworks.is_empty() => {
            text.labelled(INDENT, Paint::Plain, what, COLUMN, &format!("{found} ({frameworks})"));
        }
        many => {
            if many.is_empty() {
                text.paragraph(INDENT, Paint::Plain, &task.title);
            }
            for (what, found) in many {
                text.labelled(INDENT, Paint::Plain, what, COLUMN, found);
            }
            if !frameworks.is_empty() {
                text.labelled(INDENT, Paint::Dim, "rules", COLUMN, &frameworks);
            }
        }
    }
    for (number, step) in (1..).zip(&task.steps) {
        let mut lines = step.lines();
        let label = format!("{number}.");
        let column = INDENT + label.len() + 1;
        text.labelled(INDENT, Paint::Plain, &label, column, lines.next().unwrap_or_default());
        for line in lines {
            text.verbatim(column, Paint::Plain, line);
        }
    }
    let verified = match task.verified {
        Verified::ByObservation => "The next plan sees it.",
        Verified::ByAttestation => "No API shows it: an Attestation document says that it is done.",
    };
    text.paragraph(INDENT, Paint::Plain, verified);
}

fn progressing(text: &mut Text<'_>, block: &Block<'_>, progress: &Progress) {
    text.head(Paint::Dim, "…", &subject(block), &place(block));
    let usually = words::patience(progress.patience);
    text.paragraph(INDENT, Paint::Plain, &format!("{}; usually done within {usually}", progress.what));
}

pub(super) fn unknown(text: &mut Text<'_>, block: &Block<'_>) {
    text.head(Paint::Unknown, "?", &subject(block), &place(block));
    if let Some(fault) = block.fault() {
        text.paragraph(INDENT, Paint::Plain, &fault.to_string());
        if let Some(hint) = fault.hint() {
            text.paragraph(INDENT, Paint::Hint, &format!("hint: {hint}"));
        }
    }
}
