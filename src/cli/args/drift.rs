//! `baseline drift`

use std::str::FromStr;

use clap::ValueEnum;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};

use super::{Documents, Selectors};

#[derive(Debug, clap::Args)]
pub struct Drift {
    #[command(flatten)]
    pub documents: Documents,
    /// Look at this account only, by name or id (repeatable)
    #[arg(long = "account", value_name = "ACCOUNT")]
    pub accounts: Vec<String>,
    /// Tell of this region only (repeatable)
    #[arg(long = "region", value_name = "REGION")]
    pub regions: Vec<String>,
    /// Tell of this control only (repeatable)
    #[arg(long = "control", value_name = "CONTROL")]
    pub controls: Vec<String>,
    /// How far back to look for who did it: `24h`, `7d`, `2026-11-01` or an RFC 3339 time [default: each account's
    /// last apply]. CloudTrail's event history reaches back 90 days
    #[arg(long, value_name = "TIME")]
    pub since: Option<Since>,
    /// How to print it
    #[arg(long, default_value = "human")]
    pub format: Format,
}

impl Drift {
    /// The selectors as all commands have them.
    pub fn selectors(&self) -> Selectors {
        Selectors {
            accounts: self.accounts.clone(),
            regions: self.regions.clone(),
            controls: self.controls.clone(),
            changed_since: None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Text for people, alike findings folded
    Human,
    /// One object
    Json,
    /// One finding a line, then one line with the rest
    Jsonl,
}

/// A time in the past, or how long ago it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    Ago(SignedDuration),
    At(Timestamp),
}

impl FromStr for Since {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let at = match text.parse::<Timestamp>() {
            Ok(at) => at,
            Err(_) => match text.parse::<Date>() {
                Ok(day) => TimeZone::UTC
                    .to_timestamp(day.at(0, 0, 0, 0))
                    .map_err(|error| format!("the day cannot be used: {error}"))?,
                Err(_) => return ago(text),
            },
        };
        if at > Timestamp::now() { Err("it lies in the future".to_owned()) } else { Ok(Self::At(at)) }
    }
}

fn ago(text: &str) -> Result<Since, String> {
    let how = || "write it as `24h`, `7d`, `2026-11-01` or `2026-11-01T08:00:00Z`".to_owned();
    let span: Span = text.parse().map_err(|_| how())?;
    let time = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| how())?;
    if time.is_positive() && Timestamp::now().checked_sub(time).is_ok() {
        Ok(Since::Ago(time))
    } else {
        Err("it has to be some time ago".to_owned())
    }
}

impl Since {
    pub fn time(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(at) => at,
            Self::Ago(time) => now.checked_sub(time).unwrap_or(Timestamp::MIN),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_said_in_four_ways() {
        let now: Timestamp = "2026-11-26T12:00:00Z".parse().expect("a time");
        for (text, at) in [
            ("24h", "2026-11-25T12:00:00Z"),
            ("7d", "2026-11-19T12:00:00Z"),
            ("2024-11-01", "2024-11-01T00:00:00Z"),
            ("2024-11-01T08:00:00+01:00", "2024-11-01T07:00:00Z"),
        ] {
            assert_eq!(text.parse::<Since>().expect(text).time(now).to_string(), at);
        }
        for wrong in ["", "soon", "-2d", "0h", "9999-01-01", "2024-13-01", "999999999999d", "1 month"] {
            assert!(wrong.parse::<Since>().is_err(), "{wrong}");
        }
    }
}
