//! Annotations of GitHub Actions: workflow commands that mark the lines of the YAML which cause each finding.
//!
//! Source: GitHub Docs, "Workflow commands for GitHub Actions".

use crate::plan::{Outcome, Plan, Position};

use super::escape::escape;
use super::exceptions::{self, Urgency};
use super::fold::{Block, fold};
use super::line::{self, Level};

/// One command a line; findings that are alike are one annotation.
pub fn plan(plan: &Plan) -> String {
    let shown = plan.items.iter().filter(|item| item.selected && item.outcome != Outcome::InSync);
    let mut out = String::new();
    for block in fold(shown) {
        let level = match line::level(&block.first.outcome) {
            Some(Level::Error) => "error",
            Some(Level::Warning) => "warning",
            Some(Level::Note) => "notice",
            None => continue,
        };
        out.push_str(&command(plan, &block, level));
    }
    for one in &plan.exceptions {
        let Some((urgency, said)) = exceptions::news(one) else { continue };
        // That one can go is no news of a branch.
        if urgency == Urgency::Idle {
            continue;
        }
        let level = if urgency == Urgency::Ended { "warning" } else { "notice" };
        let place = one.declared.as_ref().map_or_else(String::new, place);
        out.push_str(&format!("::{level} {place}title={}::{}\n", property("exception"), data(&said)));
    }
    for (name, why) in super::unreached(plan) {
        out.push_str(&format!("::error title={}::{}\n", property(&name), data(&why)));
    }
    out
}

fn command(plan: &Plan, block: &Block<'_>, level: &str) -> String {
    let title = format!("{} ({})", block.first.control, line::place(plan, block));
    let place = line::position(block.first).map_or_else(String::new, place);
    format!("::{level} {place}title={}::{}\n", property(&title), data(&line::said(block)))
}

fn place(at: &Position) -> String {
    format!("file={},line={},col={},", property(&at.file), at.line, at.column)
}

/// What follows `::` ends at the line, and `%` escapes.
fn data(text: &str) -> String {
    escape(text).replace('%', "%25")
}

/// A property also ends at `,` and `:`.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn two_accounts() {
        insta::assert_snapshot!(plan(&fixture::two_accounts()));
    }

    #[test]
    fn names_end_neither_a_property_nor_a_line() {
        let mut hostile = fixture::two_accounts();
        hostile.accounts[0].name = "a::b,c%0Ad".into();
        hostile.items[0].finding.resource = "x\n::error::gone".into();
        let said = plan(&hostile);
        assert!(said.contains("a%3A%3Ab%2Cc%250Ad"), "{said}");
        assert!(
            said.lines().all(|line| line.starts_with("::") && !line.starts_with("::error::gone")),
            "{said}"
        );
    }
}
