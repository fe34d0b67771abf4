//! What a way back leaves: what somebody else has changed since, what was created, what cannot be taken back.

use std::collections::BTreeSet;

use unicode_width::UnicodeWidthStr as _;

use crate::control::Field;
use crate::plan::Item;
use crate::pointer;
use crate::undo::{ByHand, Undo, by_hand};

use super::super::style::{Paint, Style};
use super::super::text::Text;
use super::fields::short;

/// The sections below the plan of an undo; nothing where nothing is left.
pub fn undo_rest(undo: &Undo, style: &Style) -> String {
    let mut text = Text::new(style);
    let say = |value| short(value).unwrap_or_else(|| "another document".to_owned());
    if !undo.theirs.is_empty() {
        text.gap();
        text.paragraph(0, Paint::Plain, "Changed by somebody since, and left as it is:");
        for (item, fields) in &undo.theirs {
            for field in fields {
                let path = pointer::dotted(&field.path);
                let (ours, live) = (say(&field.before), say(&field.after));
                let line =
                    format!("{}: {path} was {ours} after the run and is {live} now", named(undo, item));
                text.paragraph(2, Paint::Plain, &line);
            }
        }
    }
    if !undo.already.is_empty() {
        text.gap();
        text.paragraph(0, Paint::Plain, "As it was before the run already:");
        for (item, fields) in &undo.already {
            text.paragraph(2, Paint::Plain, &format!("{}: {}", named(undo, item), paths(fields)));
        }
    }
    created(&mut text, undo);
    if !undo.left.is_empty() {
        text.gap();
        text.paragraph(0, Paint::Plain, "Cannot be taken back:");
        for (item, fields, why) in &undo.left {
            text.paragraph(2, Paint::Plain, &format!("{}: {}", named(undo, item), paths(fields)));
            text.paragraph(4, Paint::Dim, why);
        }
    }
    let text = text.finish();
    // It stands below the plan.
    if text.trim().is_empty() { String::new() } else { format!("\n{text}") }
}

fn paths(fields: &[Field]) -> String {
    fields.iter().map(|field| pointer::dotted(&field.path)).collect::<Vec<_>>().join(", ")
}

/// `kms.keys alias/baseline/logs in log-archive eu-west-1`.
fn named(undo: &Undo, item: &Item) -> String {
    let region = item.region.as_ref().map(|region| format!(" {region}")).unwrap_or_default();
    format!("{} {} in {}{region}", item.control, item.finding.resource, account(undo, item))
}

fn account(undo: &Undo, item: &Item) -> String {
    undo.names
        .get(&item.scope.account)
        .map_or_else(|| item.scope.account.to_string(), |name| name.to_string())
}

/// What stays, once for all regions, each with the commands that take it away; what has to be known of one is said once.
fn created(text: &mut Text<'_>, undo: &Undo) {
    if undo.created.is_empty() {
        return;
    }
    text.gap();
    text.paragraph(0, Paint::Plain, "Created by the run, and stays. By hand, where it must go:");
    // One resource may be several findings, and not the same ones in every region.
    let mut resources: Vec<(Vec<&Item>, Vec<&str>)> = Vec::new();
    for (index, item) in undo.created.iter().enumerate() {
        let of = |other: &Item| (other.scope.clone(), other.control.clone(), other.finding.resource.clone());
        if undo.created[..index].iter().any(|other| of(other) == of(item)) {
            continue;
        }
        let items: Vec<&Item> = undo.created.iter().filter(|other| of(other) == of(item)).collect();
        let region = item.scope.region.as_str();
        match resources.iter_mut().find(|(known, _)| is_alike(known, &items)) {
            Some((_, regions)) => regions.push(region),
            None => resources.push((items, vec![region])),
        }
    }
    let mut warned = BTreeSet::new();
    for (items, regions) in resources {
        let Some(item) = items.first() else { continue };
        let shown = if item.region.is_some() { regions.join(", ") } else { String::new() };
        let account = account(undo, item);
        let place = if shown.is_empty() { account } else { format!("{account} {shown}") };
        text.paragraph(2, Paint::Plain, &format!("{} {} in {place}", item.control, item.finding.resource));
        for command in by_hand(&items, &regions) {
            for line in lines(&command, text.style().width() - 4) {
                text.unbroken(4, Paint::Dim, &line);
            }
            if warned.insert(command.warning) {
                text.paragraph(4, Paint::Dim, &format!("({})", command.warning));
            }
        }
    }
}

/// The same resource of one account, made by the same rules, wherever it is.
fn is_alike(one: &[&Item], other: &[&Item]) -> bool {
    let of = |item: &Item| {
        let finding = &item.finding;
        (item.scope.account.clone(), item.control.clone(), finding.resource.clone(), finding.rule.clone())
    };
    one.iter().map(|item| of(item)).eq(other.iter().map(|item| of(item)))
}

/// A command over several lines, as a shell takes it. A word that is wider than a line stands by itself.
fn lines(command: &ByHand, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in &command.words {
        match lines.last_mut() {
            // Two columns for the backslash.
            Some(line) if line.width() + 1 + word.width() + 2 <= width => *line = format!("{line} {word}"),
            Some(line) => {
                line.push_str(" \\");
                lines.push(format!("  {word}"));
            }
            None => lines.push(word.clone()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_is_too_long_goes_on_as_a_shell_takes_it() {
        let words = ["aws s3api delete-bucket", "--region eu-west-1", "--bucket b"].map(str::to_owned);
        let command = ByHand { words: words.into(), warning: "" };
        assert_eq!(lines(&command, 60), ["aws s3api delete-bucket --region eu-west-1 --bucket b"]);
        assert_eq!(lines(&command, 44), ["aws s3api delete-bucket --region eu-west-1 \\", "  --bucket b"]);
    }
}
