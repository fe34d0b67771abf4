//! The page of a running controller: what the static page shows, from conditions instead of a plan, and live.
//!
//! The pages are whole without their script. With it, the page asks again every few seconds, and the parts that changed
//! take the place of those that were there; whoever reads or narrows it is left where they are.

mod account;
mod drift;
mod fleet;
mod login;

use std::time::Duration;

use jiff::Timestamp;

use super::markup::Html;
use super::{STYLE, head, navigation, source};
use crate::report::words;

pub use account::{AccountPage, Told, account};
pub use drift::Drift;
pub use fleet::{Account, Fleet, fleet};
pub use login::{login, message};

const SCRIPT: &str = concat!(include_str!("page.js"), include_str!("live.js"));

/// The policy that every page is served with: nothing from anywhere, but the program's own style and script, and the
/// page itself once more. Nothing may frame it, and its forms lead back to it.
pub fn policy() -> String {
    format!(
        "default-src 'none'; style-src '{}'; script-src '{}'; connect-src 'self'; base-uri 'none'; \
         form-action 'self'; frame-ancestors 'none'",
        source(STYLE),
        source(SCRIPT)
    )
}

/// What all pages say of the controller.
#[derive(Clone, Copy, Debug)]
pub struct Controller<'a> {
    pub organization: &'a str,
    pub organization_id: Option<&'a str>,
    /// `4f1c9e2`, or the beginning of a digest.
    pub desired_state: &'a str,
    /// Why a newer one is not taken.
    pub trouble: Option<&'a str>,
    pub enforces: bool,
    pub interval: Duration,
    pub is_stopping: bool,
}

impl Controller<'_> {
    fn say(&self, html: &mut Html) {
        let mode = match (self.is_stopping, self.enforces) {
            (true, _) => "stopping: what is in hand is finished",
            (false, true) => "puts right what differs",
            (false, false) => "observes only: nothing is changed",
        };
        let seconds = u32::try_from(self.interval.as_secs()).unwrap_or(u32::MAX);
        html.element("p", &[("class", "dim")], |html| {
            for part in [
                &format!("desired state {}", self.desired_state),
                mode,
                &format!("each account every {}", words::patience(seconds)),
            ] {
                html.with("span", &[("class", "part")], part).text(" ");
            }
        });
        if let Some(why) = self.trouble {
            html.element("p", &[("class", "alert")], |html| {
                html.text("! A newer desired state is not taken, and this one goes on being kept: ")
                    .text(why);
            });
        }
    }
}

/// A whole page: `header` and `main` are written by whoever knows what stands there.
fn document(
    title: &str,
    links: &[(&str, String)],
    header: impl FnOnce(&mut Html),
    filter: impl FnOnce(&mut Html),
    main: impl FnOnce(&mut Html),
) -> String {
    let mut html = Html::default();
    head(&mut html, title, None);
    html.literal("<body>\n<a class=\"skip\" href=\"#main\">Skip to what is known</a>\n");
    html.element("header", &[], |html| {
        html.element("div", &[("data-part", "head")], header);
        html.literal(
            "\n<p id=\"live\" class=\"dim\" role=\"status\">As of when this page was asked for.</p>\n",
        );
    });
    html.element("div", &[("data-part", "nav")], |html| navigation(html, links));
    filter(&mut html);
    html.element("main", &[("id", "main"), ("tabindex", "-1")], main);
    html.element("footer", &[], |html| {
        html.with(
            "p",
            &[],
            concat!(
                "Served by baseline ",
                env!("CARGO_PKG_VERSION"),
                ". Nothing can be changed from here. This page holds account data."
            ),
        );
    });
    html.element("script", &[], |html| {
        html.literal(SCRIPT);
    });
    html.literal("</body>\n</html>\n");
    html.finish()
}

/// A part of the page that is swapped as a whole.
fn section(html: &mut Html, id: &'static str, heading: &str, inside: impl FnOnce(&mut Html)) {
    let heading_id = format!("{id}-h");
    html.element("section", &[("id", id), ("data-part", id), ("aria-labelledby", &heading_id)], |html| {
        html.with("h2", &[("id", &heading_id)], heading);
        html.literal("\n");
        inside(html);
    });
    html.literal("\n");
}

/// A table in a box of its own that scrolls, with these columns.
fn table(html: &mut Html, label: &str, columns: &[&str], rows: impl FnOnce(&mut Html)) {
    let region = [("class", "scroll"), ("role", "region"), ("aria-label", label), ("tabindex", "0")];
    html.element("div", &region, |html| {
        html.element("table", &[], |html| {
            html.element("thead", &[], |html| {
                html.element("tr", &[], |html| {
                    for column in columns {
                        html.with("th", &[("scope", "col")], column);
                    }
                });
            });
            html.literal("\n");
            html.element("tbody", &[], rows);
        });
    });
    html.literal("\n");
}

fn time(html: &mut Html, at: Timestamp) {
    html.with("time", &[("datetime", &at.to_string())], &super::minute(at));
}
