//! A plan, or the whole record, as one page that needs nothing beside itself: no server, no network, no script.
//!
//! The page is read in an office and at three in the morning on a telephone, by people who see no difference between
//! red and green, and by people who see nothing and listen. So every colour has a sign and a word beside it, and what the
//! little script does (narrowing the page to some accounts or controls) is not needed to read it.

mod finding;
mod grid;
pub mod live;
mod markup;
mod record;
mod sections;
mod sets;
mod state;

use std::collections::HashMap;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::moment::minute;
use crate::place::AccountId;
use crate::plan::Plan;

use super::exceptions::{self, Urgency};
use super::human::{self, Context, Page};
use super::words::{counted, elapsed, number};
use markup::Html;
use sets::Sets;

pub use record::{Kept, Record, Run};
pub use state::State;

const STYLE: &str = include_str!("html/page.css");
const SCRIPT: &str = include_str!("html/page.js");

/// The page of a plan. `at` is when it was made.
///
/// With a `record`, the page has the exceptions and attestations with their ends, and what was changed before.
pub fn page(plan: &Plan, context: &Context<'_>, at: Timestamp, record: Option<&Record<'_>>) -> String {
    let body = Page::new(plan, context);
    let mut sets = Sets::new(names(plan));
    let found = sections::of(&body, &mut sets);
    let grid = grid::of(&body, &mut sets, &found);
    let done = record.map(|record| record::done(&record.kept, &mut sets)).unwrap_or_default();

    let mut html = Html::default();
    head(&mut html, &plan.organization, Some(&policy(SCRIPT)));
    html.literal("<body>\n<a class=\"skip\" href=\"#main\">Skip to what was found</a>\n");
    html.element("header", &[], |html| masthead(html, &body, at));
    navigation(&mut html, &links(&found, record, &sets));
    filter(&mut html, grid.states().chain(found.iter().flat_map(sections::Section::states)));
    html.element("main", &[("id", "main"), ("tabindex", "-1")], |html| {
        grid.write(html, &sets);
        for section in &found {
            section.write(html, &body, &sets);
        }
        if let Some(record) = record {
            record::write(html, &body, &sets, record, &done);
        }
        sets.write(html);
    });
    html.element("footer", &[], |html| {
        html.with(
            "p",
            &[],
            concat!("Written by baseline ", env!("CARGO_PKG_VERSION"), ". This page holds account data."),
        );
        html.element("p", &[], |html| {
            html.text("Desired state ").with("code", &[], &plan.digest);
        });
    });
    html.element("script", &[], |html| {
        html.literal(SCRIPT);
    });
    html.literal("</body>\n</html>\n");
    html.finish()
}

/// Accounts by the names that people know.
fn names(plan: &Plan) -> HashMap<&AccountId, &str> {
    plan.accounts.iter().map(|account| (&account.id, &*account.name)).collect()
}

/// Nothing is loaded from anywhere, and of styles and scripts only those run whose digests are named here.
fn policy(script: &str) -> String {
    format!(
        "default-src 'none'; style-src '{}'; script-src '{}'; base-uri 'none'; form-action 'none'",
        source(STYLE),
        source(script)
    )
}

/// A page from a server has its policy in a header.
fn head(html: &mut Html, title: &str, policy: Option<&str>) {
    html.literal("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    if let Some(policy) = policy {
        html.open("meta", &[("http-equiv", "Content-Security-Policy"), ("content", policy)]);
        html.literal("\n");
    }
    html.literal("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    html.literal("<meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" content=\"no-referrer\">\n");
    html.with("title", &[], &format!("{title} · baseline"));
    html.element("style", &[], |html| {
        html.literal(STYLE);
    });
    html.literal("</head>\n");
}

/// A source of CSP Level 3: `sha256-` and the digest in Base64.
pub fn source(text: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = "sha256-".to_owned();
    for chunk in Sha256::digest(text.as_bytes()).chunks(3) {
        let bits = chunk.iter().fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte))
            << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let digit = DIGITS[bits >> (18 - 6 * place) & 63];
            out.push(if place > chunk.len() { '=' } else { char::from(digit) });
        }
    }
    out
}

/// Who looked, with what, at what, and what came of it in one glance.
fn masthead(html: &mut Html, page: &Page<'_>, at: Timestamp) {
    let (plan, context) = (page.plan, page.context);
    html.element("h1", &[], |html| {
        html.text(&plan.organization);
        if let Some(id) = &plan.organization_id {
            html.text(" ").with("small", &[], id);
        }
    });
    let looked = [
        human::revision(plan),
        format!("as {}", plan.caller),
        counted(plan.accounts.len(), "account"),
        counted(plan.regions, "region"),
        counted(plan.controls, "control"),
        format!("{} in {}", counted(context.reads, "read"), elapsed(context.elapsed)),
    ];
    html.element("p", &[("class", "dim")], |html| {
        for part in &looked {
            html.with("span", &[("class", "part")], part).text(" ");
        }
        html.element("time", &[("class", "part"), ("datetime", &at.to_string())], |html| {
            html.text(&minute(at));
        });
    });
    totals(html, "Settings by what is the matter", state::counts(plan));
    let changes = human::Changes::of(plan);
    let mut said = changes.said(plan);
    said.extend(human::not_selected(plan, context));
    html.with("p", &[], &said.join(" "));
    if let Some(next) = context.next.filter(|_| changes.changes > 0) {
        html.element("p", &[], |html| {
            html.text("Nothing has been changed. Next: ").with("code", &[], next);
        });
    }
    for one in &plan.exceptions {
        let Some((urgency, said)) = exceptions::news(one) else { continue };
        let class = if urgency == Urgency::Ended { "alert" } else { "dim" };
        html.with("p", &[("class", class)], &said);
    }
    let (code, why) = context.exit;
    if code != 0 || context.detailed_exitcode {
        html.with("p", &[], &format!("Exit code {code}: {why}."));
    }
}

/// How many there are of each.
fn totals(html: &mut Html, what: &str, counts: impl IntoIterator<Item = (State, usize)>) {
    html.element("ul", &[("class", "totals"), ("aria-label", what)], |html| {
        html.literal("\n");
        for (state, n) in counts {
            html.element("li", &[], |html| {
                html.with("span", &[("class", state.class()), ("aria-hidden", "true")], state.sign());
                html.text(" ").with("b", &[], &number(n)).text(" ").text(state.word());
            });
            html.literal("\n");
        }
    });
    html.literal("\n");
}

/// The parts of the page, each by its fragment.
fn links(
    found: &[sections::Section<'_>],
    record: Option<&Record<'_>>,
    sets: &Sets<'_>,
) -> Vec<(&'static str, String)> {
    let mut links = vec![("#accounts", "Accounts and controls".to_owned())];
    links.extend(found.iter().map(|section| (section.link(), section.title())));
    if let Some(record) = record {
        links.extend(record.links());
    }
    if !sets.is_empty() {
        links.push(("#groups", "Groups of accounts".to_owned()));
    }
    links
}

fn navigation(html: &mut Html, links: &[(&str, String)]) {
    html.element("nav", &[("aria-label", "On this page")], |html| {
        html.element("ul", &[], |html| {
            for (to, what) in links {
                html.element("li", &[], |html| {
                    html.with("a", &[("href", to)], what);
                });
            }
        });
    });
}

/// Hidden until the script that does it is there.
fn filter(html: &mut Html, states: impl Iterator<Item = State>) {
    html.literal(
        "<div role=\"search\" id=\"filter\" aria-label=\"Narrow this page\" hidden>\n\
         <label>Account <input id=\"account\" type=\"search\" autocomplete=\"off\" spellcheck=\"false\" placeholder=\"name or id\"></label>\n\
         <label>Control <input id=\"control\" type=\"search\" autocomplete=\"off\" spellcheck=\"false\" placeholder=\"guardduty\"></label>\n\
         <label>Show <select id=\"outcome\"><option value=\"\">everything</option>",
    );
    let mut states: Vec<State> = states.collect();
    states.sort_unstable();
    states.dedup();
    for state in states {
        html.with("option", &[("value", state.class())], state.word());
    }
    html.literal("</select></label>\n<button type=\"button\" id=\"clear\">Clear</button>\n<p id=\"shown\" role=\"status\"></p>\n</div>\n");
}

#[cfg(test)]
mod tests;
