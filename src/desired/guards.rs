//! `spec.guards`: what an apply may do at once, and when.

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};

use crate::desired::node::Node;
use crate::desired::read::{self, Fields, Problems};
use crate::diagnostic::Diagnostic;

/// What apply may do at once. Kept in the audit record as well: a plan is judged by what was last applied, too.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Guards {
    /// Accounts that an apply may change; where there are waves, each of them.
    pub accounts_at_once: u32,
    /// Resources that an apply may change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources_at_once: Option<u32>,
    /// Share of all settings that an apply may change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percent_of_resources: Option<u32>,
    /// `disruptive`, `destructive`, `irreversible`, `weakening`: refused without `--allow`.
    pub refuse: Vec<String>,
    pub incomplete: Incomplete,
    /// Absent: at any time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub windows: Option<Windows>,
}

impl Default for Guards {
    fn default() -> Self {
        Self {
            accounts_at_once: 5,
            resources_at_once: None,
            percent_of_resources: None,
            refuse: ["destructive", "irreversible", "weakening"].map(String::from).to_vec(),
            incomplete: Incomplete::default(),
            windows: None,
        }
    }
}

/// What is refused in an account and region where something could not be observed. From lax to strict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Incomplete {
    /// Nothing: what is not known is not touched in any case.
    None,
    /// Whatever is not safe, or weakens: what it would break may be what could not be seen.
    #[default]
    Risky,
    All,
}

/// Maintenance windows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Windows {
    /// What waits for a window.
    #[serde(rename = "for")]
    pub covers: Covers,
    /// Open in any of them.
    pub open: Vec<Window>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Covers {
    /// Changes that are not safe, or weaken. Others are made at any time.
    Risky,
    #[default]
    All,
}

/// From a time of day on some days to another, over midnight where that comes first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Window {
    /// The days on which it opens.
    pub days: Vec<Day>,
    pub from: Time,
    pub to: Time,
    /// IANA: `Europe/Berlin`.
    pub time_zone: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Day {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

impl Day {
    pub const ALL: [(&'static str, Self); 7] = [
        ("Mon", Self::Mon),
        ("Tue", Self::Tue),
        ("Wed", Self::Wed),
        ("Thu", Self::Thu),
        ("Fri", Self::Fri),
        ("Sat", Self::Sat),
        ("Sun", Self::Sun),
    ];

    fn of(date: Date) -> Self {
        match date.weekday() {
            Weekday::Monday => Self::Mon,
            Weekday::Tuesday => Self::Tue,
            Weekday::Wednesday => Self::Wed,
            Weekday::Thursday => Self::Thu,
            Weekday::Friday => Self::Fri,
            Weekday::Saturday => Self::Sat,
            Weekday::Sunday => Self::Sun,
        }
    }
}

impl Window {
    /// A zone that this machine does not know was refused when the document was read; a record may name one all
    /// the same, and then its hours are UTC's.
    fn zone(&self) -> TimeZone {
        TimeZone::get(&self.time_zone).unwrap_or(TimeZone::UTC)
    }

    /// When it opens and closes, if it opens on that day. A time that a change of clocks skips is the one after.
    fn on(&self, day: Date) -> Option<(Timestamp, Timestamp)> {
        let at = |day: Date, time: Time| {
            Some(day.to_datetime(time).to_zoned_datetime(self.zone()).ok()?.timestamp())
        };
        let ends = if self.to > self.from { day } else { day.checked_add(1.day()).ok()? };
        self.days.contains(&Day::of(day)).then(|| Some((at(day, self.from)?, at(ends, self.to)?)))?
    }

    pub fn is_open(&self, now: Timestamp) -> bool {
        let today = now.to_zoned_datetime(self.zone()).date();
        let days = [today.checked_sub(1.day()).ok(), Some(today)];
        days.into_iter().flatten().filter_map(|day| self.on(day)).any(|(from, to)| (from..to).contains(&now))
    }

    /// When it opens next.
    pub fn next(&self, now: Timestamp) -> Option<Timestamp> {
        let today = now.to_zoned_datetime(self.zone()).date();
        let days = (0..=7).filter_map(|n| today.checked_add(n.days()).ok());
        days.filter_map(|day| self.on(day)).map(|(from, _)| from).find(|from| *from > now)
    }
}

/// Reads `spec.guards`.
pub fn read(node: &Node, problems: &mut Problems) -> Option<Guards> {
    const RISKS: [(&str, &str); 4] = [
        ("disruptive", "disruptive"),
        ("destructive", "destructive"),
        ("irreversible", "irreversible"),
        ("weakening", "weakening"),
    ];
    const INCOMPLETE: [(&str, Incomplete); 3] =
        [("none", Incomplete::None), ("risky", Incomplete::Risky), ("all", Incomplete::All)];
    let mut fields = Fields::of(node, problems)?;
    let default = Guards::default();
    let mut number = |key, most, problems: &mut Problems| {
        fields.get(key).and_then(|node| read::number(node, most, problems))
    };
    let accounts_at_once = number("accountsAtOnce", 100_000, problems).unwrap_or(default.accounts_at_once);
    let resources_at_once = number("resourcesAtOnce", 10_000_000, problems);
    let percent_of_resources = number("percentOfResources", 100, problems);
    let refuse = fields.get("refuse").and_then(|node| {
        read::list(node, problems, |node, problems| {
            Some(read::word(node, &RISKS, "a risk", problems)?.value.to_owned())
        })
    });
    let incomplete = fields
        .get("incomplete")
        .and_then(|node| read::word(node, &INCOMPLETE, "what waits for the rest", problems));
    let windows = fields.get("windows").and_then(|node| windows(node, problems));
    fields.done(problems);
    Some(Guards {
        accounts_at_once,
        resources_at_once,
        percent_of_resources,
        refuse: refuse.unwrap_or(default.refuse),
        incomplete: incomplete.map_or(default.incomplete, |word| word.value),
        windows,
    })
}

fn windows(node: &Node, problems: &mut Problems) -> Option<Windows> {
    const COVERS: [(&str, Covers); 2] = [("all", Covers::All), ("risky", Covers::Risky)];
    let mut fields = Fields::of(node, problems)?;
    let covers =
        fields.get("for").and_then(|node| read::word(node, &COVERS, "what waits for a window", problems));
    let list = fields.require("open", problems);
    let open = list.and_then(|node| read::list(node, problems, window)).unwrap_or_default();
    if let (Some(list), true) = (list, open.is_empty()) {
        problems.push(
            Diagnostic::error("no window is listed")
                .at(list.span)
                .help("leave `windows` out to allow changes at any time; `suspend` is for no changes at all"),
        );
    }
    fields.done(problems);
    Some(Windows { covers: covers.map_or(Covers::default(), |word| word.value), open })
}

fn window(node: &Node, problems: &mut Problems) -> Option<Window> {
    let mut fields = Fields::of(node, problems)?;
    let days = fields.require("days", problems).and_then(|node| {
        let days =
            read::list(node, problems, |node, problems| read::word(node, &Day::ALL, "a day", problems))?;
        if days.is_empty() {
            problems.push(Diagnostic::error("no day is listed").at(node.span));
        }
        Some(days.into_iter().map(|day| day.value).collect())
    });
    let from = fields.require("from", problems).and_then(|node| time(node, problems));
    let to = fields.require("to", problems).and_then(|node| time(node, problems));
    let time_zone = fields.require("timeZone", problems).and_then(|node| zone(node, problems));
    fields.done(problems);
    Some(Window { days: days?, from: from?, to: to?, time_zone: time_zone? })
}

fn time(node: &Node, problems: &mut Problems) -> Option<Time> {
    let text = read::text(node, problems)?;
    let time = Time::strptime("%H:%M", &text.value).ok();
    if time.is_none() {
        problems.push(
            Diagnostic::error(format!("`{}` is not a time of day", text.value))
                .at(text.span)
                .help("write it in quotes, from \"00:00\" to \"23:59\""),
        );
    }
    time
}

fn zone(node: &Node, problems: &mut Problems) -> Option<String> {
    let text = read::text(node, problems)?;
    if TimeZone::get(&text.value).is_err() {
        problems.push(
            Diagnostic::error(format!("`{}` is not a time zone that this machine knows", text.value))
                .at(text.span)
                .help("an IANA name such as `Europe/Berlin`, or `UTC`"),
        );
        return None;
    }
    Some(text.value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(days: &[Day], from: &str, to: &str) -> Window {
        let time = |text: &str| Time::strptime("%H:%M", text).unwrap();
        Window { days: days.to_vec(), from: time(from), to: time(to), time_zone: "Europe/Berlin".into() }
    }

    fn at(text: &str) -> Timestamp {
        text.parse::<jiff::ZonedDateTime>().unwrap().timestamp()
    }

    #[test]
    fn a_window_runs_over_midnight() {
        let night = window(&[Day::Mon, Day::Fri], "22:00", "04:00");
        // 23 November 2026 is a Monday.
        for (when, open) in [
            ("2026-11-23T21:59:59[Europe/Berlin]", false),
            ("2026-11-23T22:00:00[Europe/Berlin]", true),
            ("2026-11-24T03:59:59[Europe/Berlin]", true),
            ("2026-11-24T04:00:00[Europe/Berlin]", false),
            ("2026-11-24T22:30:00[Europe/Berlin]", false),
            ("2026-11-23T21:30:00[UTC]", true),
        ] {
            assert_eq!(night.is_open(at(when)), open, "{when}");
        }
        assert_eq!(
            night.next(at("2026-11-23T23:00:00[Europe/Berlin]")),
            Some(at("2026-11-27T22:00:00[Europe/Berlin]"))
        );
    }

    #[test]
    fn clocks_that_change_neither_close_nor_double_a_window() {
        // On 29 March 2026, a Sunday, 02:00 to 03:00 does not exist; on 25 October it comes twice.
        let sunday = window(&[Day::Sun], "02:30", "05:00");
        assert!(sunday.is_open(at("2026-03-29T03:45:00[Europe/Berlin]")));
        assert!(!sunday.is_open(at("2026-03-29T05:00:00[Europe/Berlin]")));
        assert!(sunday.is_open(at("2026-10-25T04:30:00[Europe/Berlin]")));
        assert!(sunday.next(at("2026-03-29T05:00:00[Europe/Berlin]")).is_some());
    }
}
