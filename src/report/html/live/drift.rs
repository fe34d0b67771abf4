//! What was found otherwise: where, what, who did it, and what became of it.

use jiff::Timestamp;
use serde_json::Value;

use super::super::markup::Html;
use super::super::sets::{Accounts, Sets};
use super::{table, time};
use crate::place::AccountId;
use crate::report::human;
use crate::who::Deed;

/// One drift, as it is told.
#[derive(Clone, Debug)]
pub struct Drift<'a> {
    pub account: &'a AccountId,
    pub control: &'a str,
    pub region: &'a str,
    pub resource: &'a str,
    pub found: Timestamp,
    /// When it was last seen as desired.
    pub since: Timestamp,
    /// Path, desired, found.
    pub fields: Vec<(&'a str, &'a Value, &'a Value)>,
    /// Newest first.
    pub by: &'a [Deed],
    /// Nobody has been asked about it yet, or will be asked once more.
    pub is_asked_for: bool,
    pub became: String,
    /// It is still so.
    pub is_open: bool,
}

/// The newest first.
pub(super) fn write<'a>(html: &mut Html, sets: &Sets<'a>, drift: &[Drift<'a>], names_accounts: bool) {
    if drift.is_empty() {
        html.literal("<p>Nothing that was as desired was found otherwise lately.</p>\n");
        return;
    }
    let columns = ["Found", "Where", "Field", "Who", "What became of it"];
    table(html, "Table of what was found otherwise", &columns, |html| {
        for one in drift {
            let few = Accounts::Few(vec![one.account]);
            html.element("tr", &[("data-a", &sets.key(&few)), ("data-c", one.control)], |html| {
                html.element("td", &[], |html| time(html, one.found));
                html.element("th", &[("scope", "row")], |html| {
                    html.with("code", &[], one.control).text(" ").text(one.resource).text(" ");
                    if names_accounts {
                        html.text("in ");
                        sets.say(html, &few);
                        html.text(", ");
                    }
                    html.with("small", &[], one.region);
                });
                html.element("td", &[], |html| fields(html, &one.fields));
                html.element("td", &[], |html| who(html, one));
                let class = if one.is_open { "alert" } else { "" };
                html.element("td", &[], |html| {
                    html.with("span", &[("class", class)], &one.became);
                });
            });
            html.literal("\n");
        }
    });
}

fn fields(html: &mut Html, fields: &[(&str, &Value, &Value)]) {
    for (path, desired, found) in fields {
        html.element("div", &[], |html| {
            html.with("code", &[], &path.trim_start_matches('/').replace('/', ".")).text(" ");
            html.with("code", &[], &value(desired)).text(" → ").with("code", &[], &value(found));
        });
    }
}

fn value(value: &Value) -> String {
    human::short(value).unwrap_or_else(|| value.to_string())
}

fn who(html: &mut Html, one: &Drift<'_>) {
    for deed in one.by {
        html.with("div", &[], &human::told(deed, one.account));
    }
    if one.by.is_empty() {
        html.text(if one.is_asked_for { "not known yet: CloudTrail is asked" } else { "not known" });
        html.text(" (after ");
        time(html, one.since);
        html.text(")");
    }
}
