//! One finding: what it is about, where, and what is the matter with it.

use serde_json::Value;
use similar::ChangeTag;

use crate::control::{Change, Found as Seen, ManualTask, Step, Thing, Verdict, Verified};
use crate::plan::Outcome;

use super::super::fold::Block;
use super::super::human::{self, Closed, Page};
use super::super::line;
use super::super::style::Paint;
use super::super::words;
use super::markup::Html;
use super::sections::Found;
use super::sets::{Accounts, Sets};
use super::state::State;

/// Characters of a line of a document, before the browser scrolls.
const WIDTH: usize = 76;

pub(super) fn write<'a>(html: &mut Html, page: &'a Page<'a>, sets: &Sets<'a>, found: &Found<'a>) {
    let (block, first) = (&found.block, found.block.first);
    let id = format!("b{}", found.number);
    let heading = format!("h{}", found.number);
    let keys = [
        ("id", id.as_str()),
        ("aria-labelledby", &heading),
        ("data-a", &sets.key(&found.accounts)),
        ("data-c", &first.control),
        ("data-o", found.state.class()),
        ("tabindex", "-1"),
    ];
    html.element("article", &keys, |html| {
        html.element("h3", &[("id", &heading)], |html| {
            sign(html, found.state);
            html.text(" ").with("span", &[("class", "unseen")], &format!("{}: ", found.state.word()));
            subject(html, block);
        });
        html.element("p", &[("class", "where")], |html| {
            sets.say(html, &found.accounts);
            let regions = regions(block);
            if !regions.is_empty() {
                html.text(" ").with("span", &[("class", "part")], &regions);
            }
            let severity = human::severity(first.severity);
            html.text(" ").with("span", &[("class", "part")], severity);
            let frameworks = words::frameworks(&first.frameworks);
            if !frameworks.is_empty() {
                html.text(" ").with("span", &[("class", "part")], &frameworks);
            }
        });
        all_resources(html, block);
        body(html, page, found);
        if let Some(position) = line::position(first).filter(|_| first.finding.change().is_some()) {
            html.element("p", &[("class", "dim")], |html| {
                html.text("declared at ").with("code", &[], &format!("{}:{}", position.file, position.line));
            });
        }
    });
    html.literal("\n");
}

fn body<'a>(html: &mut Html, page: &'a Page<'a>, found: &Found<'a>) {
    let block = &found.block;
    match (&block.first.outcome, &block.first.finding.verdict) {
        (Outcome::Blocked { on, why }, verdict) => {
            if let Verdict::Change(change) = verdict {
                fields(html, change);
            }
            blocked(html, page, block, on, why.as_deref());
        }
        (_, Verdict::Change(change)) => {
            fields(html, change);
            notes(html, page, found, change);
        }
        (_, Verdict::Manual(task)) => manual(html, task),
        (_, Verdict::Progressing(progress)) => {
            let usually = words::patience(progress.patience);
            html.with("p", &[], &format!("{}; usually done within {usually}.", progress.what));
        }
        (_, Verdict::Unknown { .. }) => {
            if let Some(fault) = block.fault() {
                html.with("p", &[], &fault.to_string());
                hint(html, fault.hint());
            }
        }
        // Findings of these kinds stand in the table of what is not touched.
        (_, Verdict::InSync | Verdict::Foreign { .. } | Verdict::NotOffered { .. }) => {}
    }
}

/// Accounts that no session could be opened in.
pub(super) fn closed<'a>(html: &mut Html, sets: &Sets<'a>, accounts: &Accounts<'a>, closed: &Closed<'a>) {
    let keys = [("data-a", sets.key(accounts)), ("data-o", State::Unknown.class().to_owned())];
    let keys = keys.each_ref().map(|(name, value)| (*name, value.as_str()));
    html.element("article", &keys, |html| {
        html.element("h3", &[], |html| {
            sign(html, State::Unknown);
            html.text(" ").with("span", &[("class", "unseen")], "not known: ").text(&closed.subject);
        });
        html.element("p", &[("class", "where")], |html| sets.say(html, accounts));
        html.with("p", &[], &closed.why);
        hint(html, closed.hint);
    });
    html.literal("\n");
}

fn hint(html: &mut Html, hint: Option<&str>) {
    if let Some(hint) = hint {
        html.element("p", &[("class", "hint")], |html| {
            html.with("b", &[], "hint").text(" ").text(hint);
        });
    }
}

/// Said by the word that stands beside it.
pub(super) fn sign(html: &mut Html, state: State) {
    html.with("span", &[("class", state.class()), ("aria-hidden", "true")], state.sign());
}

/// The control, and up to three resources.
pub(super) fn subject(html: &mut Html, block: &Block<'_>) {
    let subject = human::subject(block);
    let (control, resources) = subject.split_once(' ').unwrap_or((&subject, ""));
    html.with("code", &[], control);
    if !resources.is_empty() {
        html.text(" ").text(resources);
    }
}

/// All of them: a page has room.
pub(super) fn regions(block: &Block<'_>) -> String {
    block.regions.iter().map(|region| region.as_str()).collect::<Vec<_>>().join(", ")
}

pub(super) fn all_resources(html: &mut Html, block: &Block<'_>) {
    if block.resources.len() <= words::LISTED {
        return;
    }
    html.element("details", &[], |html| {
        html.with("summary", &[], &format!("All {}", words::counted(block.resources.len(), "resource")));
        html.element("ul", &[("class", "names")], |html| {
            for resource in &block.resources {
                html.with("li", &[], resource);
            }
        });
    });
}

/// A line a field; documents as a diff of their lines.
pub(super) fn fields(html: &mut Html, change: &Change<Step>) {
    let rows: Vec<_> = change.fields.iter().flat_map(|field| human::rows(change.kind, field)).collect();
    if rows.is_empty() {
        return;
    }
    let creates = rows.iter().all(|row| row.before.is_none());
    html.literal("<table class=\"fields\">\n<thead><tr><th scope=\"col\">Field</th>");
    html.literal(if creates {
        "<th scope=\"col\">Value</th>"
    } else {
        "<th scope=\"col\">Before</th><th scope=\"col\">After</th>"
    });
    html.literal("</tr></thead>\n<tbody>\n");
    for row in &rows {
        let path: Vec<&str> = row.parents.iter().chain([&row.key]).map(String::as_str).collect();
        html.element("tr", &[], |html| {
            html.element("th", &[("scope", "row")], |html| {
                html.with("code", &[], &path.join("."));
            });
            let before = row.before.map(human::short);
            match (before, human::short(row.after)) {
                (None, Some(after)) => {
                    html.with("td", &[], &after);
                }
                (Some(Some(before)), Some(after)) => {
                    html.with("td", &[("class", "before")], &before).with(
                        "td",
                        &[("class", "after")],
                        &after,
                    );
                }
                _ => document(html, row.before, row.after, if creates { "1" } else { "2" }),
            }
        });
        html.literal("\n");
    }
    html.literal("</tbody>\n</table>\n");
}

fn document(html: &mut Html, before: Option<&Value>, after: &Value, columns: &str) {
    html.element("td", &[("colspan", columns)], |html| {
        html.element("pre", &[("tabindex", "0")], |html| {
            for row in human::compared(before, after, WIDTH) {
                let (tag, sign) = match row.tag {
                    ChangeTag::Equal => ("span", ' '),
                    ChangeTag::Insert => ("ins", '+'),
                    ChangeTag::Delete => ("del", '-'),
                };
                html.with(tag, &[], &format!("{sign} {}{}", "  ".repeat(row.line.depth), row.line.text));
                html.literal("\n");
            }
        });
    });
}

fn notes<'a>(html: &mut Html, page: &'a Page<'a>, found: &Found<'a>, change: &'a Change<Step>) {
    let notes = human::notes(page, &found.block, change, found.says_undo);
    if notes.is_empty() {
        return;
    }
    html.element("dl", &[], |html| {
        let mut last = "";
        for (paint, word, what) in &notes {
            if *word != last {
                html.with("dt", &[], word);
            }
            last = word;
            let class: &[_] = if *paint == Paint::Alert { &[("class", "alert")] } else { &[] };
            html.with("dd", class, what);
        }
    });
}

fn blocked<'a>(html: &mut Html, page: &'a Page<'a>, block: &Block<'a>, on: &'a [Thing], why: Option<&str>) {
    html.element("dl", &[], |html| {
        if !on.is_empty() {
            html.with("dt", &[], "blocked on");
        }
        for thing in on {
            let state = match page.plan.known.get(thing) {
                Some(Seen::Unknown(fault)) => format!("which could not be looked at: {fault}"),
                _ => "which is not there, and nothing in this plan makes it".to_owned(),
            };
            html.with("dd", &[], &format!("{}, {state}", page.thing(block, thing)));
        }
        if let Some(why) = why {
            html.with("dt", &[], "blocked").with("dd", &[], why);
        }
    });
}

fn manual(html: &mut Html, task: &ManualTask) {
    html.with("p", &[("class", "task")], &task.title);
    if !task.found.is_empty() {
        html.element("dl", &[], |html| {
            for (what, found) in &task.found {
                html.with("dt", &[], what).with("dd", &[], found);
            }
        });
    }
    html.element("ol", &[], |html| {
        for step in &task.steps {
            html.element("li", &[], |html| {
                let (first, commands) = step.split_once('\n').unwrap_or((step, ""));
                html.text(first);
                if !commands.is_empty() {
                    html.element("pre", &[("tabindex", "0")], |html| {
                        for line in commands.lines() {
                            html.text(line).literal("\n");
                        }
                    });
                }
            });
        }
    });
    html.with(
        "p",
        &[("class", "dim")],
        match task.verified {
            Verified::ByObservation => "The next plan sees it.",
            Verified::ByAttestation => "No API shows it: an Attestation document says that it is done.",
        },
    );
}
