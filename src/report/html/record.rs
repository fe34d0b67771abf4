//! What people signed for and until when, and what was changed before: from the documents and the audit record.

use std::collections::HashMap;

use jiff::civil::Date;

use crate::apply::{ApplyReport, ChangeResult};
use crate::audit::Begun;
use crate::desired::{Attestation, ENDS_SOON_DAYS, Exception, days_until};
use crate::plan::{Item, Outcome};

use super::super::exceptions;
use super::super::fold::{Block, fold};
use super::super::human::Page;
use super::super::words::{counted, number};
use super::finding;
use super::markup::Html;
use super::minute;
use super::sets::{Accounts, Sets};

/// Beside the plan: what `baseline report` adds.
pub struct Record<'a> {
    /// The day on which exceptions are judged.
    pub today: Date,
    pub exceptions: &'a [Exception],
    pub attestations: &'a [Attestation],
    pub kept: Kept,
}

/// What the audit record keeps of earlier runs.
pub enum Kept {
    /// Newest first, and how many older ones there are beside.
    Runs { runs: Vec<Run>, older: usize, place: String },
    /// There is no record yet.
    Nothing { place: String },
    /// It could not be read: that is not the same as nothing.
    Unknown { place: String, why: String },
}

/// A run as its records tell it.
pub struct Run {
    pub id: String,
    /// Or why the record cannot be read.
    pub begun: Result<Begun, String>,
    /// Absent where the run was cut off before it wrote how it ended.
    pub outcome: Option<ApplyReport>,
}

impl Record<'_> {
    pub(super) fn links(&self) -> Vec<(&'static str, String)> {
        let signed = self.exceptions.len() + self.attestations.len();
        let runs = match &self.kept {
            Kept::Runs { runs, .. } => format!(" ({})", number(runs.len())),
            Kept::Nothing { .. } => " (0)".to_owned(),
            Kept::Unknown { .. } => " (not known)".to_owned(),
        };
        vec![
            ("#signed", format!("Exceptions and attestations ({})", number(signed))),
            ("#history", format!("History{runs}")),
        ]
    }
}

pub(super) fn write<'a>(
    html: &mut Html,
    page: &Page<'_>,
    sets: &Sets<'a>,
    record: &Record<'_>,
    done: &[Vec<Done<'a>>],
) {
    html.literal("<section id=\"signed\" aria-labelledby=\"signed-h\">\n<h2 id=\"signed-h\">Exceptions and attestations</h2>\n");
    html.literal("<p class=\"dim\">What people signed for, the first to end first. When it has ended, what it was about counts again.</p>\n");
    if record.exceptions.is_empty() && record.attestations.is_empty() {
        html.literal("<p>There are none.</p>\n");
    } else {
        let covers = |name: &str| {
            let by =
                |item: &&Item| matches!(&item.outcome, Outcome::Excepted { exception } if exception == name);
            page.plan.items.iter().filter(by).count()
        };
        signed(html, record.today, record.exceptions, record.attestations, Some(&covers));
    }
    html.literal("</section>\n<section id=\"history\" aria-labelledby=\"history-h\">\n<h2 id=\"history-h\">History</h2>\n");
    history(html, sets, &record.kept, done);
    html.literal("</section>\n");
}

/// A row of the table, whichever of both it is.
struct Signed<'a> {
    kind: &'static str,
    name: &'a str,
    control: String,
    accounts: String,
    reason: String,
    who: String,
    ends: Date,
    covers: Option<usize>,
}

/// `covers` says how many findings an exception covers now, where that is known.
pub(super) fn signed(
    html: &mut Html,
    today: Date,
    exceptions: &[Exception],
    attestations: &[Attestation],
    covers: Option<&dyn Fn(&str) -> usize>,
) {
    let about = |control: &str, rule: Option<&String>| match rule {
        Some(rule) => format!("{control}, rule {rule}"),
        None => control.to_owned(),
    };
    let exceptions = exceptions.iter().map(|one| Signed {
        kind: "exception",
        name: &one.metadata.name.value,
        control: about(&one.control, one.rule.as_ref()),
        accounts: [exceptions::accounts(one), exceptions::resources(one)]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(": "),
        reason: one.reason.clone(),
        who: [Some(format!("{}, approved by {}", one.owner, one.approver)), one.ticket.clone()]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(", "),
        ends: one.expires.value,
        covers: covers.map(|covers| covers(&one.metadata.name.value)),
    });
    let attestations = attestations.iter().map(|one| Signed {
        kind: "attestation",
        name: &one.metadata.name.value,
        control: about(&one.control, Some(&one.rule)),
        accounts: one.accounts.join(", "),
        reason: one.evidence.clone().unwrap_or_default(),
        who: one.by.clone(),
        ends: one.expires.value,
        covers: None,
    });
    let mut rows: Vec<Signed<'_>> = exceptions.chain(attestations).collect();
    rows.sort_by(|a, b| (a.ends, a.name).cmp(&(b.ends, b.name)));
    html.literal("<div class=\"scroll\" role=\"region\" aria-label=\"Table of exceptions and attestations\" tabindex=\"0\">\n<table>\n<thead><tr><th scope=\"col\">Name</th><th scope=\"col\">Ends</th><th scope=\"col\">About</th><th scope=\"col\">Accounts: resources</th><th scope=\"col\">Reason</th><th scope=\"col\">Who</th></tr></thead>\n<tbody>\n");
    for row in &rows {
        html.element("tr", &[], |html| {
            html.element("th", &[("scope", "row")], |html| {
                html.text(row.name).text(" ").with("small", &[], row.kind);
            });
            html.element("td", &[], |html| {
                let ends = row.ends.to_string();
                html.with("time", &[("datetime", &ends)], &ends).text(" ");
                let (class, words) = until(today, row.ends);
                html.with("span", &[("class", class)], &words);
            });
            html.element("td", &[], |html| {
                html.with("code", &[], &row.control);
                if let Some(n) = row.covers {
                    html.text(" ").with("small", &[], &format!("{} now", counted(n, "finding")));
                }
            });
            html.with("td", &[], &row.accounts).with("td", &[], &row.reason).with("td", &[], &row.who);
        });
        html.literal("\n");
    }
    html.literal("</tbody>\n</table>\n</div>\n");
}

fn until(today: Date, ends: Date) -> (&'static str, String) {
    let days = days_until(ends, today);
    let n = |days: i64| counted(usize::try_from(days).unwrap_or_default(), "day");
    match days {
        ..0 => ("alert", format!("! expired {} ago: no longer honoured", n(-days))),
        0 => ("alert", "! ends today".to_owned()),
        1..=ENDS_SOON_DAYS => ("alert", format!("! in {}", n(days))),
        _ => ("dim", format!("in {}", n(days))),
    }
}

fn history<'a>(html: &mut Html, sets: &Sets<'a>, kept: &Kept, done: &[Vec<Done<'a>>]) {
    let (runs, older, place) = match kept {
        Kept::Runs { runs, older, place } => (runs, *older, place),
        Kept::Nothing { place } => {
            html.element("p", &[], |html| {
                html.text("Nothing was ever changed from here: there is no record in ")
                    .with("code", &[], place)
                    .text(".");
            });
            return;
        }
        Kept::Unknown { place, why } => {
            html.element("p", &[], |html| {
                finding::sign(html, super::State::Unknown);
                html.text(" What was changed before is not known. The record in ").with("code", &[], place);
                html.text(" cannot be read: ").text(why);
            });
            return;
        }
    };
    html.element("p", &[("class", "dim")], |html| {
        html.text("What was put right, by whom and when, the newest first; from ")
            .with("code", &[], place)
            .text(".");
    });
    for (run, done) in runs.iter().zip(done) {
        self::run(html, sets, run, done);
    }
    if older > 0 {
        html.with("p", &[("class", "dim")], &format!("{} before these.", counted(older, "run")));
    }
}

fn run<'a>(html: &mut Html, sets: &Sets<'a>, run: &Run, done: &[Done<'a>]) {
    let begun = match &run.begun {
        Ok(begun) => begun,
        Err(why) => {
            html.element("p", &[], |html| {
                finding::sign(html, super::State::Unknown);
                html.text(" ").with("code", &[], &run.id).text(": its record cannot be read: ").text(why);
            });
            return;
        }
    };
    let results = Results::of(run.outcome.as_ref(), begun.changes.len());
    html.element("details", &[("class", "run")], |html| {
        html.element("summary", &[], |html| {
            html.with("time", &[("datetime", &begun.at.to_string())], &minute(begun.at));
            html.text(" ").with("span", &[("class", results.class)], &results.words);
            html.text(" ").with("small", &[], &begun.caller);
        });
        html.element("p", &[("class", "dim")], |html| {
            html.text("run ").with("code", &[], &run.id);
            if let Some(revision) = &begun.revision {
                html.text(", desired state ").with("code", &[], revision);
            }
        });
        html.literal("\n");
        done.iter().for_each(|done| one(html, sets, done));
    });
    html.literal("\n");
}

/// Alike changes of a run that ended alike.
pub(super) struct Done<'a> {
    accounts: Accounts<'a>,
    block: Block<'a>,
    result: Option<&'a ChangeResult>,
}

/// The changes of each run, those that are alike and ended alike once.
pub(super) fn done<'a>(kept: &'a Kept, sets: &mut Sets<'a>) -> Vec<Vec<Done<'a>>> {
    let Kept::Runs { runs, .. } = kept else { return Vec::new() };
    let mut all = Vec::new();
    for run in runs {
        let mut places: HashMap<String, usize> = HashMap::new();
        let mut groups: Vec<(Option<&ChangeResult>, Vec<&Item>)> = Vec::new();
        let changes = run.begun.as_ref().map(|begun| begun.changes.as_slice()).unwrap_or_default();
        for (place, item) in changes.iter().enumerate() {
            // A run reports its changes in the order in which it announced them.
            let change = run.outcome.as_ref().and_then(|outcome| outcome.changes.get(place));
            let result = change.map(|change| &change.result);
            let place = *places.entry(ended(result).1).or_insert(groups.len());
            match groups.get_mut(place) {
                Some((_, items)) => items.push(item),
                None => groups.push((result, vec![item])),
            }
        }
        let blocks = groups
            .into_iter()
            .flat_map(|(result, items)| fold(items).into_iter().map(move |block| (result, block)));
        all.push(
            blocks
                .map(|(result, block)| Done { accounts: sets.add(&block.accounts), block, result })
                .collect(),
        );
    }
    all
}

/// What was there before, what was made of it, and whether that held.
fn one<'a>(html: &mut Html, sets: &Sets<'a>, done: &Done<'a>) {
    let first = done.block.first;
    let keys = [("data-a", &*sets.key(&done.accounts)), ("data-c", &first.control)];
    html.element("article", &keys, |html| {
        html.element("h3", &[], |html| {
            finding::sign(html, super::State::of(first));
            html.text(" ");
            finding::subject(html, &done.block);
        });
        html.element("p", &[("class", "where")], |html| {
            sets.say(html, &done.accounts);
            let regions = finding::regions(&done.block);
            if !regions.is_empty() {
                html.text(" ").with("span", &[("class", "part")], &regions);
            }
            let (class, words) = ended(done.result);
            html.text(" ").with("span", &[("class", class)], &words);
        });
        finding::all_resources(html, &done.block);
        if let Some(change) = first.finding.change() {
            finding::fields(html, change);
        }
    });
    html.literal("\n");
}

fn ended(result: Option<&ChangeResult>) -> (&'static str, String) {
    match result {
        Some(ChangeResult::Held) => ("part", "made, and seen to hold".to_owned()),
        Some(ChangeResult::Moved { what, .. }) => ("part alert", format!("not done, it had moved: {what}")),
        Some(ChangeResult::Failed { fault }) => ("part alert", format!("failed: {fault}")),
        Some(ChangeResult::NotVerified { why }) => ("part alert", format!("not seen to hold: {why}")),
        Some(ChangeResult::Blocked { on }) => {
            let on: Vec<String> = on.iter().map(ToString::to_string).collect();
            ("part alert", format!("not done, blocked on {}", on.join(", ")))
        }
        Some(ChangeResult::NotReached) => {
            ("part alert", "not done: the run ended before its turn".to_owned())
        }
        Some(ChangeResult::HeldBack { why }) => ("part alert", format!("not started: {why}")),
        None => ("part alert", "not known how it ended".to_owned()),
    }
}

/// How a run ended, in a few words.
struct Results {
    class: &'static str,
    words: String,
}

impl Results {
    fn of(outcome: Option<&ApplyReport>, planned: usize) -> Self {
        let changes = counted(planned, "change");
        let Some(outcome) = outcome else {
            return Self { class: "alert", words: format!("? {changes}: not known how it ended") };
        };
        let held = outcome.changes.iter().filter(|change| change.result == ChangeResult::Held).count();
        let interrupted = if outcome.interrupted { ", interrupted" } else { "" };
        if held == planned && !outcome.interrupted {
            Self { class: "held", words: format!("✓ {changes} made and seen to hold") }
        } else {
            Self {
                class: "alert",
                words: format!("! {} of {changes} made and seen to hold{interrupted}", number(held)),
            }
        }
    }
}
