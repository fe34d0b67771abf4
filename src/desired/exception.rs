//! What an exception is about, and how long it holds.
//!
//! Days are UTC's, everywhere and always: an exception ends for all replicas, laptops and pipelines at one moment.

use std::cmp::Reverse;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use wildmatch::WildMatch;

use crate::control::{Tags, means_resource};
use crate::desired::model::{Attestation, Exception};
use crate::desired::resolve::DesiredAccount;
use crate::desired::select;
use crate::place::{AccountId, Region};

/// From so many days before its last one on, everybody is told that an exception ends: time to renew it, or to put
/// things right.
pub const ENDS_SOON_DAYS: i64 = 14;

/// Who signs for longer than this has a setting and not an exception: a warning.
pub const FAR_DAYS: i64 = 366;

/// The day by which exceptions, attestations and suspensions are judged.
pub fn day(at: Timestamp) -> Date {
    at.to_zoned_datetime(TimeZone::UTC).date()
}

/// How many days `last` is away from `today`; negative once it has passed.
pub fn days_until(last: Date, today: Date) -> i64 {
    last.duration_since(today).as_hours() / 24
}

/// How it stands with something that holds until a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Validity {
    /// Its last day has passed: it is not honoured any more.
    Expired,
    /// It holds, and ends within two weeks.
    EndsSoon,
    Holds,
}

impl Validity {
    pub fn of(last: Date, today: Date) -> Self {
        match days_until(last, today) {
            ..0 => Self::Expired,
            0..=ENDS_SOON_DAYS => Self::EndsSoon,
            _ => Self::Holds,
        }
    }
}

/// A finding, as exceptions look at it.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    pub account: &'a DesiredAccount,
    pub region: &'a Region,
    pub control: &'a str,
    pub rule: &'a str,
    pub resource: &'a str,
    /// Absent: it has none, or is not there yet.
    pub tags: Option<&'a Tags>,
}

impl Exception {
    pub fn name(&self) -> &str {
        &self.metadata.name.value
    }

    pub fn validity(&self, today: Date) -> Validity {
        Validity::of(self.expires.value, today)
    }

    /// Is it about this finding, whatever the day is? `None`: the finding's tags could not be read, and it depends on
    /// them.
    pub fn is_about(&self, one: &Subject<'_>) -> Option<bool> {
        let about = self.control == one.control
            && self.rule.as_ref().is_none_or(|own| own == one.rule)
            && self.means_region(one.region)
            && self.means(one.account);
        if !about {
            return Some(false);
        }
        means_resource(&self.resources, &self.resource_tags, one.resource, one.tags)
    }

    /// Does it hold in this scope on this day, whatever it is about?
    pub fn holds_in(&self, account: &DesiredAccount, region: &Region, on: Date) -> bool {
        on <= self.expires.value && self.means_region(region) && self.means(account)
    }

    pub fn means_region(&self, region: &Region) -> bool {
        self.regions.is_empty() || self.regions.contains(region)
    }

    /// Is the account meant? By its name or id, and by `where`, where that is said. What only AWS Organizations could
    /// tell is not meant.
    pub fn means(&self, account: &DesiredAccount) -> bool {
        let named = self.accounts.is_empty() || means(&self.accounts, &account.id, &account.name);
        let selected = |selector| select::matches(selector, &account.candidate()) == Some(true);
        named && self.selector.as_ref().is_none_or(selected)
    }

    /// Of several that are about one finding, the greatest is told as its exception: the one that ends last, of those
    /// the first by name.
    pub fn precedence(&self) -> (Date, Reverse<&str>) {
        (self.expires.value, Reverse(self.name()))
    }

    /// `legacy-images, SEC-412, until 2027-03-31: the reason (owner team-billing@acme.example, approved by
    /// ciso@acme.example)`.
    pub fn note(&self) -> String {
        let ticket = self.ticket.as_ref().map(|ticket| format!(", {ticket}")).unwrap_or_default();
        format!(
            "{}{ticket}, until {}: {} (owner {}, approved by {})",
            self.name(),
            self.expires.value,
            self.reason,
            self.owner,
            self.approver
        )
    }
}

impl Attestation {
    /// Does it vouch for this rule in this account on this day?
    pub fn matches(&self, account: &AccountId, name: &str, control: &str, rule: &str, on: Date) -> bool {
        on <= self.expires.value && self.control == control && self.rule == rule && self.means(account, name)
    }

    pub fn means(&self, account: &AccountId, name: &str) -> bool {
        means(&self.accounts, account, name)
    }
}

fn means(globs: &[String], account: &AccountId, name: &str) -> bool {
    let any = |text: &str| globs.iter().any(|glob| WildMatch::new(glob).matches(text));
    any(name) || any(account.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_utc_s_wherever_the_program_runs() {
        assert_eq!(day("2027-03-31T23:59:59Z".parse().unwrap()), jiff::civil::date(2027, 3, 31));
        assert_eq!(day("2027-04-01T08:30:00+09:00".parse().unwrap()), jiff::civil::date(2027, 3, 31));
        assert_eq!(day("2027-04-01T00:00:00Z".parse().unwrap()), jiff::civil::date(2027, 4, 1));
    }

    #[test]
    fn it_ends_soon_for_two_weeks_and_holds_on_its_last_day() {
        let last = jiff::civil::date(2027, 3, 31);
        let on = |month, day| Validity::of(last, jiff::civil::date(2027, month, day));
        assert_eq!(on(3, 16), Validity::Holds);
        assert_eq!(on(3, 17), Validity::EndsSoon);
        assert_eq!(on(3, 31), Validity::EndsSoon);
        assert_eq!(on(4, 1), Validity::Expired);
    }
}
