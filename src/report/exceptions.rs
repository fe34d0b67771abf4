//! What is to be told of exceptions themselves: that they end, have ended, or except nothing; and all of them in a list.

use jiff::civil::Date;

use crate::desired::{DesiredState, Exception, Validity, days_until};
use crate::plan::PlannedException;

use super::style::{Paint, Style};
use super::text::Text;
use super::words::counted;

/// How many are told one by one in a plan; the rest are counted.
const TOLD: usize = 10;

/// How loud a piece of news is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Urgency {
    /// It has ended: what it was about counts again.
    Ended,
    Soon,
    /// It can go.
    Idle,
}

/// What is to be told of an exception; nothing of one that holds, is of use, and goes on for a while.
pub(super) fn news(one: &PlannedException) -> Option<(Urgency, String)> {
    let owner = format!("(owner {})", one.owner);
    let name = &one.name;
    match one.validity {
        Validity::Expired => Some((
            Urgency::Ended,
            format!("Exception {name} expired on {}: no longer honoured {owner}.", one.expires),
        )),
        Validity::EndsSoon => {
            let idle = if one.matches_nothing { "; it excepts nothing" } else { "" };
            let ends = ends(one.expires, one.on);
            Some((Urgency::Soon, format!("Exception {name} {ends}{idle} {owner}.")))
        }
        Validity::Holds if one.matches_nothing => Some((
            Urgency::Idle,
            format!("Exception {name} excepts nothing: what it is about is in sync, or not there {owner}."),
        )),
        Validity::Holds => None,
    }
}

/// `ends in 9 days, on 2026-12-05`.
pub fn ends(last: Date, today: Date) -> String {
    match days_until(last, today) {
        ..0 => format!("expired on {last}"),
        0 => format!("ends today, {last}"),
        1 => format!("ends tomorrow, {last}"),
        days => format!("ends in {days} days, on {last}"),
    }
}

/// The news of a plan, for its end; what has ended first.
pub(super) fn told(exceptions: &[PlannedException]) -> Vec<String> {
    let all: Vec<String> = exceptions.iter().filter_map(|one| Some(news(one)?.1)).collect();
    let more = all.len().saturating_sub(TOLD);
    let mut told: Vec<String> = all.into_iter().take(TOLD).collect();
    if more > 0 {
        told.push(format!("{} more to tell of: baseline exceptions", counted(more, "exception")));
    }
    told
}

/// All exceptions with what was signed, the first to end first.
pub fn list(desired: &DesiredState, today: Date, style: &Style) -> String {
    let mut text = Text::new(style);
    let all = sorted(&desired.exceptions);
    let of = |validity| all.iter().filter(|one| one.validity(today) == validity).count();
    let head = format!("baseline exceptions · {} · {today} (UTC)", desired.organization.name);
    text.paragraph(0, Paint::Strong, &head);
    let counts = [
        (of(Validity::Expired), "expired"),
        (of(Validity::EndsSoon), "ending soon"),
        (of(Validity::Holds), "in force"),
    ];
    let said: Vec<String> =
        counts.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
    let said = if said.is_empty() { String::new() } else { format!(": {}", said.join(", ")) };
    text.paragraph(0, Paint::Plain, &format!("{}{said}.", counted(all.len(), "exception")));
    for one in all {
        text.gap();
        let (paint, state) = match one.validity(today) {
            Validity::Expired => {
                (Paint::Alert, format!("expired on {}: no longer honoured", one.expires.value))
            }
            Validity::EndsSoon => (Paint::Hint, ends(one.expires.value, today)),
            Validity::Holds => (Paint::Plain, format!("holds until {}", one.expires.value)),
        };
        text.paragraph(2, Paint::Strong, one.name());
        let mut line = |paint, word: &str, what: &str| text.labelled(INDENT, paint, word, COLUMN, what);
        line(paint, "state", &state);
        line(Paint::Plain, "about", &about(one));
        let accounts: Vec<&str> = desired
            .accounts
            .iter()
            .filter(|account| one.means(account))
            .map(|account| &*account.name)
            .collect();
        line(Paint::Plain, "accounts", &accounts_of(one, &accounts));
        line(Paint::Plain, "reason", &one.reason);
        line(Paint::Plain, "owner", &format!("{}, approved by {}", one.owner, one.approver));
        if let Some(ticket) = &one.ticket {
            line(Paint::Plain, "ticket", ticket);
        }
        if !one.suppresses.is_empty() {
            let ids: Vec<&str> = one.suppresses.iter().map(String::as_str).collect();
            line(Paint::Plain, "suppresses", &format!("findings of {}", ids.join(", ")));
        }
        if let Some(at) = &one.declared {
            line(Paint::Dim, "said in", &format!("{}:{}", at.file, at.line));
        }
    }
    text.finish()
}

const INDENT: usize = 4;
const COLUMN: usize = 16;

/// The first to end first.
pub(super) fn sorted(exceptions: &[Exception]) -> Vec<&Exception> {
    let mut all: Vec<&Exception> = exceptions.iter().collect();
    all.sort_by(|a, b| (a.expires.value, a.name()).cmp(&(b.expires.value, b.name())));
    all
}

/// `ecr.repositories, rule scan-on-push, in eu-west-1: legacy-*`.
fn about(one: &Exception) -> String {
    let rule = one.rule.as_ref().map(|rule| format!(", rule {rule}")).unwrap_or_default();
    let regions: Vec<&str> = one.regions.iter().map(|region| region.as_str()).collect();
    let regions = if regions.is_empty() { String::new() } else { format!(", in {}", regions.join(", ")) };
    let resources = resources(one);
    let resources = if resources.is_empty() { resources } else { format!(": {resources}") };
    format!("{}{rule}{regions}{resources}", one.control)
}

/// `legacy-* tagged stage=legacy|old`; nothing where all are meant.
pub(super) fn resources(one: &Exception) -> String {
    let tags = one.resource_tags.iter().map(|(key, values)| format!("{key}={}", values.join("|")));
    let tags = tags.collect::<Vec<_>>().join(" ");
    let tags = if tags.is_empty() { tags } else { format!("tagged {tags}") };
    let parts = [one.resources.join(", "), tags];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

/// `prod-*, where tags stage=prod|test`: as the document says it.
pub(super) fn accounts(one: &Exception) -> String {
    let mut said: Vec<String> =
        (!one.accounts.is_empty()).then(|| one.accounts.join(", ")).into_iter().collect();
    if let Some(selector) = &one.selector {
        let seats: Vec<String> = selector.seats.iter().map(ToString::to_string).collect();
        let ids: Vec<&str> = selector.accounts.iter().map(|id| id.as_str()).collect();
        let tags = selector.tags.iter().map(|(key, values)| format!("{key}={}", values.join("|")));
        let tags: Vec<String> = tags.collect();
        let parts = [
            ("units", selector.ou.join(", ")),
            ("tags", tags.join(" ")),
            ("names", selector.names.join(", ")),
            ("seats", seats.join(", ")),
            ("accounts", ids.join(", ")),
        ];
        let parts = parts.into_iter().filter(|(_, what)| !what.is_empty());
        let parts: Vec<String> = parts.map(|(word, what)| format!("{word} {what}")).collect();
        said.push(format!("where {}", parts.join(" and ")));
    }
    said.join(", ")
}

/// `prod-*: prod-ledger, prod-payments`. Those that only AWS Organizations could tell are not among them.
fn accounts_of(one: &Exception, meant: &[&str]) -> String {
    let said = accounts(one);
    match meant {
        [] => format!("{said}: no account of the documents"),
        [only] if said == *only => said,
        some => format!("{said}: {}", super::words::names(some)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    fn one(name: &str, last: Date, matches_nothing: bool) -> PlannedException {
        let legacy = fixture::legacy(1);
        let validity = Validity::of(last, legacy.on);
        PlannedException { name: name.into(), expires: last, validity, matches_nothing, ..legacy }
    }

    #[test]
    fn what_ends_has_ended_or_is_of_no_use_is_told_and_nothing_else() {
        let day = |month, day| jiff::civil::date(2026, month, day);
        let all = [
            one("old", day(11, 25), false),
            one("today", day(11, 26), false),
            one("tomorrow", day(11, 27), true),
            one("soon", day(12, 10), false),
            one("later", day(12, 11), false),
            one("idle", day(12, 31), true),
        ];
        let owner = "(owner team-billing@acme.example)";
        assert_eq!(
            told(&all),
            [
                format!("Exception old expired on 2026-11-25: no longer honoured {owner}."),
                format!("Exception today ends today, 2026-11-26 {owner}."),
                format!("Exception tomorrow ends tomorrow, 2026-11-27; it excepts nothing {owner}."),
                format!("Exception soon ends in 14 days, on 2026-12-10 {owner}."),
                format!("Exception idle excepts nothing: what it is about is in sync, or not there {owner}."),
            ]
        );
        let many: Vec<_> = (0..13).map(|n| one(&format!("e{n}"), day(11, 25), false)).collect();
        let told = told(&many);
        assert_eq!(
            (told.len(), told.last().map(String::as_str)),
            (11, Some("3 exceptions more to tell of: baseline exceptions"))
        );
    }
}
