//! What a way back leaves: what somebody else has changed since, what was created, what cannot be taken back.

use crate::control::ErasedControl;
use crate::plan::Item;
use crate::pointer;
use crate::undo::Undo;

use super::super::style::{Paint, Style};
use super::super::text::Text;
use super::fields::short;

/// The sections below the plan of an undo; nothing where nothing is left.
pub fn undo_rest(undo: &Undo, controls: &[&'static dyn ErasedControl], style: &Style) -> String {
    let mut text = Text::new(style);
    if !undo.theirs.is_empty() {
        text.gap();
        text.paragraph(0, Paint::Plain, "Changed by somebody since, and left as it is:");
        for (item, fields) in &undo.theirs {
            for field in fields {
                let path = pointer::dotted(&field.path);
                let say = |value| short(value).unwrap_or_else(|| "another document".to_owned());
                let (ours, live) = (say(&field.before), say(&field.after));
                let line =
                    format!("{}: {path} was {ours} after the run and is {live} now", named(undo, item));
                text.paragraph(2, Paint::Plain, &line);
            }
        }
    }
    if !undo.created.is_empty() {
        text.gap();
        text.paragraph(0, Paint::Plain, "Created by the run, and stays:");
        for item in &undo.created {
            text.paragraph(2, Paint::Plain, &named(undo, item));
            let control = controls.iter().find(|control| control.meta().id == item.control);
            for line in control.map(|control| by_hand(control.meta().docs)).unwrap_or_default() {
                text.paragraph(4, Paint::Dim, &line);
            }
        }
    }
    if !undo.left.is_empty() {
        text.gap();
        text.paragraph(0, Paint::Plain, "Cannot be taken back:");
        for (item, why) in &undo.left {
            text.paragraph(2, Paint::Plain, &format!("{}: {why}", named(undo, item)));
        }
    }
    text.finish()
}

/// `kms.keys alias/baseline/logs in log-archive eu-west-1`.
fn named(undo: &Undo, item: &Item) -> String {
    let account = undo.plan.account(&item.scope.account).map(|account| account.name.to_string());
    let account = account.unwrap_or_else(|| item.scope.account.to_string());
    let region = item.region.as_ref().map(|region| format!(" {region}")).unwrap_or_default();
    format!("{} {} in {account}{region}", item.control, item.finding.resource)
}

/// What a control's page says under "How to undo": the commands where it has some, its first paragraph otherwise.
fn by_hand(docs: &str) -> Vec<String> {
    let section = docs.split("## How to undo").nth(1).unwrap_or_default();
    let section = section.split("\n## ").next().unwrap_or_default().trim();
    let flat = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let commands: Vec<String> =
        section.split('`').skip(1).step_by(2).map(flat).filter(|code| code.starts_with("aws ")).collect();
    if commands.is_empty() { vec![flat(section.split("\n\n").next().unwrap_or_default())] } else { commands }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_taken_from_the_page() {
        let docs = "## How to undo\n\nBy hand: `aws kms\nschedule-key-deletion`, and `--allow x`.\n\n## More\n\n`aws y`\n";
        assert_eq!(by_hand(docs), ["aws kms schedule-key-deletion"]);
        assert_eq!(by_hand("## How to undo\n\nWrite the old\nvalues.\n\nMore.\n"), ["Write the old values."]);
    }
}
