//! A plan as a comment on a pull request: the terminal's words, folded for each account, within a comment's size.

use crate::plan::Plan;

use super::Style;
use super::escape::{escape, escape_markdown};
use super::human::{self, AccountPart, Context};
use super::words::{counted, number};

/// Characters of a comment (GitHub's limit for issue comments; GitLab's is 1,000,000).
pub const COMMENT: usize = 65_536;

/// The whole comment, at most `most` characters long. Its first line is the same for every plan of one
/// organisation, so that a later plan can take the place of an earlier one.
pub fn plan(plan: &Plan, context: &Context<'_>, most: usize) -> String {
    let parts = human::parts(plan, context, &Style::plain());
    let totals = fenced(&format!("{}\n{}", parts.header, parts.end));
    let head = format!("{}\n### {}\n\n{totals}\n", marker(plan), title(plan));
    let digest = match context.saved {
        Some(digest) => format!("Reviewed: `baseline apply PLAN --expect {}`", escape(digest)),
        None => format!("desired state `{}`", escape(&plan.digest)),
    };
    let end = format!("<sub>{digest}</sub>\n");
    let sections: Vec<String> = parts.accounts.iter().map(section).collect();
    let room = most.saturating_sub(characters(&head) + characters(&end));
    let shown = fitting(&sections, room);
    let mut out = head;
    out.extend(sections.iter().take(shown).map(String::as_str));
    if shown < sections.len() {
        out.push_str(&left_out(sections.len() - shown, most));
    }
    out.push_str(&end);
    out
}

/// The hidden first line that finds the comment again.
fn marker(plan: &Plan) -> String {
    // `--` ends a comment in HTML, and what is not plain might.
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let name: String = plan.organization.chars().map(|c| if plain(c) { c } else { '_' }).collect();
    format!("<!-- baseline plan {name} -->")
}

fn title(plan: &Plan) -> String {
    let totals = &plan.totals;
    let counts = [
        (totals.change, "to change"),
        (totals.manual, "by hand"),
        (totals.progressing, "in progress"),
        (totals.blocked, "blocked"),
        (totals.observe_only, "observed only"),
        (totals.unknown, "not known"),
    ];
    let said: Vec<String> =
        counts.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{} {word}", number(*n))).collect();
    let said = if said.is_empty() { "in sync".to_owned() } else { said.join(", ") };
    format!("baseline plan · {}: {said}", escape_markdown(&plan.organization))
}

fn section(part: &AccountPart) -> String {
    let title = escape_markdown(&part.title).replace('>', "&gt;");
    format!("<details><summary><b>{title}</b></summary>\n\n{}\n</details>\n\n", fenced(&part.body))
}

/// The text in a fence that nothing in it can close.
fn fenced(text: &str) -> String {
    let mut longest = 0;
    let mut run = 0;
    for c in text.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let fence = "`".repeat(3.max(longest + 1));
    format!("{fence}text\n{}\n{fence}\n", text.trim_end())
}

/// How many sections have room, together with the line that says how many have not.
fn fitting(sections: &[String], room: usize) -> usize {
    let mut used = 0;
    let mut shown = 0;
    for (place, section) in sections.iter().enumerate() {
        used += characters(section);
        let rest = sections.len() - place - 1;
        let line = if rest == 0 { 0 } else { characters(&left_out(rest, COMMENT)) };
        if used + line > room {
            break;
        }
        shown += 1;
    }
    shown
}

fn left_out(n: usize, most: usize) -> String {
    format!(
        "**{} not shown: a comment has room for {} characters.** The totals count everything, and \
         `baseline plan` prints it.\n\n",
        counted(n, "part").replace(" part", " more part"),
        number(most)
    )
}

fn characters(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn two_accounts() {
        insta::assert_snapshot!(plan(&fixture::two_accounts(), &fixture::context(), COMMENT));
    }

    #[test]
    fn what_has_no_room_is_counted_and_the_comment_fits() {
        let whole = plan(&fixture::two_accounts(), &fixture::context(), COMMENT);
        for most in [1_500, 2_000, 3_000, characters(&whole) - 1] {
            let cut = plan(&fixture::two_accounts(), &fixture::context(), most);
            assert!(characters(&cut) <= most, "{} > {most}", characters(&cut));
            assert!(cut.contains("more part") && cut.contains("not shown"), "{cut}");
            assert_eq!(cut.lines().next(), whole.lines().next());
            assert!(cut.contains("38 settings"), "the totals stay: {cut}");
        }
        assert!(!whole.contains("not shown"));
    }

    #[test]
    fn names_close_no_fence_and_mention_nobody() {
        let mut hostile = fixture::two_accounts();
        hostile.organization = "-->@here<b>".into();
        hostile.accounts[1].name = "<img>@all|`x`".into();
        hostile.items[0].finding.resource = "```\n@channel </details>".into();
        let comment = plan(&hostile, &fixture::context(), COMMENT);
        assert!(comment.starts_with("<!-- baseline plan ____here_b_ -->\n"), "{comment}");
        let outside: Vec<&str> = outside_of_fences(&comment);
        assert!(outside.iter().all(|line| !line.contains('@')), "{outside:?}");
        assert!(outside.iter().all(|line| !line.contains("<img>") && !line.contains("<b>@")), "{outside:?}");
        let closed = outside.iter().filter(|line| line.contains("</details>")).count();
        assert_eq!(closed, outside.iter().filter(|line| line.contains("<details>")).count());
    }

    fn outside_of_fences(markdown: &str) -> Vec<&str> {
        let mut fence: Option<&str> = None;
        let mut outside = Vec::new();
        for line in markdown.lines() {
            match fence {
                Some(open) if line == open => fence = None,
                Some(_) => {}
                None if line.starts_with("```") => fence = Some(line.trim_end_matches("text")),
                None => outside.push(line),
            }
        }
        outside
    }
}
