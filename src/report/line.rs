//! One finding in one line, for reports that have no room for more: annotations, code scanning, test results.

use crate::control::{Change, Step, Thing, Verdict};
use crate::plan::{Item, Outcome, Plan, Position};
use crate::pointer;

use super::fold::Block;
use super::human::short;
use super::words;

/// `guardduty.detector detector: features.RDS_LOGIN_EVENTS false → true`. Not escaped: each format has its own way.
pub(super) fn said(block: &Block<'_>) -> String {
    format!("{} {}: {}", block.first.control, words::names(&block.resources), what(block.first))
}

/// `prod-payments and 2 more in eu-west-1`.
pub(super) fn place(plan: &Plan, block: &Block<'_>) -> String {
    let names: Vec<&str> = block
        .accounts
        .iter()
        .map(|id| plan.account(id).map_or(id.as_str(), |account| &account.name))
        .collect();
    match words::regions(&block.regions.iter().map(|region| region.as_str()).collect::<Vec<_>>()) {
        regions if regions.is_empty() => words::names(&names),
        regions => format!("{} in {regions}", words::names(&names)),
    }
}

/// Where the line stands that causes it: that of the first field that differs, or of the control.
pub(super) fn position(item: &Item) -> Option<&Position> {
    let fields = item.finding.change().into_iter().flat_map(|change| &change.fields);
    fields.filter_map(|field| item.declared_at(&field.path)).next().or(item.declared.as_ref())
}

/// How much a finding wants to be seen, for formats that have levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    Error,
    Warning,
    Note,
}

/// What is left alone or not offered needs nobody's attention; what is excepted is told, so that it stays known.
pub(super) fn level(outcome: &Outcome) -> Option<Level> {
    match outcome {
        Outcome::Unknown => Some(Level::Error),
        Outcome::Change | Outcome::Manual | Outcome::Blocked { .. } => Some(Level::Warning),
        Outcome::ObserveOnly | Outcome::Progressing | Outcome::Excepted { .. } => Some(Level::Note),
        Outcome::InSync | Outcome::Foreign | Outcome::NotOffered => None,
    }
}

/// What is the matter, and what follows from it where that is not the ordinary.
fn what(item: &Item) -> String {
    let said = match &item.finding.verdict {
        Verdict::Change(change) => fields(change),
        Verdict::Manual(task) => format!("by hand: {}", task.title),
        Verdict::Progressing(progress) => format!("in progress: {}", progress.what),
        Verdict::Foreign { owner, evidence } => format!("{owner} manages it ({evidence})"),
        Verdict::NotOffered { source } => format!("not offered: {source}"),
        Verdict::Unknown { fault } => format!("not known: {fault}"),
        Verdict::InSync => "in sync".to_owned(),
    };
    match &item.outcome {
        Outcome::ObserveOnly => format!("{said} (observed only)"),
        Outcome::Blocked { on, why } => {
            let things: Vec<String> = on.iter().map(Thing::to_string).chain(why.clone()).collect();
            format!("{said} (blocked on {})", words::and(&things))
        }
        Outcome::Excepted { exception } => {
            format!("{said} (excepted: {})", item.exception_note.as_ref().unwrap_or(exception))
        }
        _ => match &item.lapsed {
            Some(lapsed) => format!("{said} (exception {lapsed})"),
            None => said,
        },
    }
}

fn fields(change: &Change<Step>) -> String {
    let fields: Vec<String> = change
        .fields
        .iter()
        .map(|field| {
            let path = pointer::dotted(&field.path);
            match (short(&field.before), short(&field.after)) {
                (Some(before), Some(after)) => format!("{path} {before} → {after}"),
                _ => format!("{path} differs"),
            }
        })
        .collect();
    fields.join(", ")
}
