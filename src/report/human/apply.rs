//! The question before an apply, and what it did.

use crate::apply::{ApplyReport, ChangeReport, ChangeResult};
use crate::plan::Plan;

use super::super::fold::Block;
use super::super::style::{Paint, Style};
use super::super::text::Text;
use super::super::words::{counted, elapsed, number};
use super::block::sign;
use super::totals::{self, Changes};

/// Ends in a space: the answer follows on the line.
pub fn question(plan: &Plan, role: &str, style: &Style) -> String {
    let mut text = Text::new(style);
    let what = Changes::of(plan).described(plan);
    text.paragraph(0, Paint::Strong, &format!("Make {what} as {role}?"));
    format!("\n{}Only the word yes goes on: ", text.finish())
}

/// What was done: one line a change under its account, then how it ended.
pub fn apply(plan: &Plan, report: &ApplyReport, exit: (u8, &str), style: &Style) -> String {
    let mut text = Text::new(style);
    text.gap();
    text.paragraph(0, Paint::Plain, &format!("run {} · before-images in {}", report.run, report.audit));
    text.gap();

    let mut account = None;
    for row in rows(&report.changes) {
        let id = &row.first.item.scope.account;
        if account != Some(id) {
            account = Some(id);
            let name = plan.account(id).map_or(id.as_str(), |account| &account.name);
            text.paragraph(0, Paint::Strong, &format!("{name} {id}"));
        }
        row.write(&mut text);
    }

    text.gap();
    for line in ending(report) {
        text.paragraph(0, Paint::Plain, &line);
    }
    totals::exit(&mut text, exit);
    text.finish()
}

/// A change, or several of one control in one place that all held and have nothing more to say.
struct Row<'a> {
    first: &'a ChangeReport,
    resources: Vec<&'a str>,
    calls: usize,
    elapsed: std::time::Duration,
}

fn rows(changes: &[ChangeReport]) -> Vec<Row<'_>> {
    let mut rows: Vec<Row<'_>> = Vec::new();
    for change in changes {
        match rows.last_mut() {
            Some(row) if alike(row.first, change) => {
                let resource = change.item.finding.resource.as_str();
                if !row.resources.contains(&resource) {
                    row.resources.push(resource);
                }
                row.calls += change.calls;
                row.elapsed += change.elapsed;
            }
            _ => rows.push(Row {
                first: change,
                resources: vec![&change.item.finding.resource],
                calls: change.calls,
                elapsed: change.elapsed,
            }),
        }
    }
    rows
}

fn alike(a: &ChangeReport, b: &ChangeReport) -> bool {
    let quiet = |c: &ChangeReport| match &c.result {
        ChangeResult::Held => c.retried.is_none(),
        ChangeResult::HeldBack { .. } => true,
        _ => false,
    };
    let kind = |c: &ChangeReport| c.item.finding.change().map(|change| change.kind);
    quiet(a)
        && quiet(b)
        && a.result == b.result
        && kind(a) == kind(b)
        && a.item.control == b.item.control
        && a.item.scope == b.item.scope
        && a.item.region == b.item.region
}

impl Row<'_> {
    fn write(&self, text: &mut Text<'_>) {
        let item = &self.first.item;
        let block = Block { resources: self.resources.clone(), ..Block::of(item) };
        let (paint, sign) = item.finding.change().map_or((Paint::Plain, "~"), |change| sign(change.kind));
        let (word, detail) = self.said();
        let place = super::block::regions(&block);
        let work = match self.first.result {
            ChangeResult::Held => {
                format!("{:<9}{:>7}  {word}", counted(self.calls, "call"), elapsed(self.elapsed))
            }
            ChangeResult::NotVerified { .. } | ChangeResult::Failed { .. } => {
                format!("{:<9}{word}", counted(self.calls, "call"))
            }
            _ => word.to_owned(),
        };
        let mut subjects = vec![super::block::subject(&block)];
        if let many @ 2.. = self.resources.len() {
            subjects.push(format!("{} {}", item.control, counted(many, "resource")));
        }
        text.result(paint, sign, &subjects, &place, &work);
        if let Some(detail) = detail {
            text.paragraph(6, Paint::Plain, &detail);
        }
        if let ChangeResult::Moved { who: Some(who), .. } = &self.first.result {
            super::who::write(text, &item.scope.account, who);
        }
        if let Some(retried) = &self.first.retried {
            text.paragraph(6, Paint::Dim, retried);
        }
        if let ChangeResult::Failed { fault } = &self.first.result
            && let Some(hint) = fault.hint()
        {
            text.paragraph(6, Paint::Hint, &format!("hint: {hint}"));
        }
    }

    /// How it ended in a word, and more where there is more to say.
    fn said(&self) -> (&'static str, Option<String>) {
        match &self.first.result {
            ChangeResult::Held => ("ok", None),
            ChangeResult::Moved { what, .. } => ("not done: moved", Some(format!("{what}. Plan again."))),
            ChangeResult::Failed { fault } => ("failed", Some(fault.to_string())),
            ChangeResult::NotVerified { why } => ("not held", Some(why.clone())),
            ChangeResult::Blocked { on } => {
                let on: Vec<String> =
                    on.iter().map(|thing| format!("{thing} of {}", thing.account())).collect();
                ("not done: blocked", Some(format!("needs {}", on.join(", "))))
            }
            ChangeResult::NotReached => ("not reached", None),
            ChangeResult::HeldBack { .. } => ("not started", None),
        }
    }
}

fn ending(report: &ApplyReport) -> Vec<String> {
    let of = |word: &str| report.changes.iter().filter(|change| change.result.word() == word).count();
    let all = report.changes.len();
    let held = of("held");
    let done = if held == all {
        format!("{} made and seen to hold", counted(all, "change"))
    } else {
        format!("{} of {} made and seen to hold", number(held), counted(all, "change"))
    };
    let rest = [
        (of("moved"), "not done because it had moved", "not done because they had moved"),
        (of("failed"), "failed", "failed"),
        (of("notVerified"), "made but not seen to hold", "made but not seen to hold"),
        (
            of("blocked"),
            "not done because something it needs is not there",
            "not done because something they need is not there",
        ),
        (of("notReached"), "not reached", "not reached"),
        (of("heldBack"), "not started", "not started"),
    ];
    let rest = rest
        .iter()
        .filter(|(n, ..)| *n > 0)
        .map(|(n, one, many)| format!("{} {}", number(*n), if *n == 1 { one } else { many }));
    let mut lines = vec![std::iter::once(done).chain(rest).collect::<Vec<_>>().join("; ") + "."];

    let left = &report.remaining;
    let remain = [
        (left.manual, if left.manual == 1 { "task by hand" } else { "tasks by hand" }),
        (left.progressing, "in progress"),
        (left.blocked, "blocked"),
        (left.unknown, "not known"),
    ];
    let said: Vec<String> =
        remain.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{} {word}", number(*n))).collect();
    if !said.is_empty() {
        let one = remain.iter().map(|(n, _)| n).sum::<usize>() == 1;
        lines.push(format!("{} {}.", said.join(", "), if one { "remains" } else { "remain" }));
    }
    let held_back = report.changes.iter().find_map(|change| match &change.result {
        ChangeResult::HeldBack { why } => Some(why),
        _ => None,
    });
    if let Some(why) = held_back {
        lines.push(format!("Later waves were not started: {why}."));
    }
    lines.extend(report.held_back.iter().map(|why| format!("Held back: {why}.")));
    if report.interrupted {
        lines.push("Interrupted: the step in hand was finished, the rest was not started.".to_owned());
    }
    lines
}
