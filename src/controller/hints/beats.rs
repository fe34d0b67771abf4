//! Heartbeats: which ways from an account to the queue are known to work. While all of them do, an account needs to be
//! looked at less often.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::super::schedule::after;
use crate::controls::events_hints::rules;
use crate::desired::Managed;
use crate::place::{AccountId, Region};

/// How often the rule in each region sends one.
pub const EVERY: Duration = Duration::from_secs(60 * rules::EVERY);

/// One may be lost, and replicas tell each other what they heard every few minutes.
const ALIVE: Duration = Duration::from_secs(45 * 60);

/// A region that was silent for so long is not one that sends any more.
const FORGOTTEN: Duration = Duration::from_secs(7 * 86_400);

/// When each region of each account was last heard. Replicas share it: each hears a part.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beats(BTreeMap<AccountId, BTreeMap<Region, Timestamp>>);

impl Beats {
    /// What it is kept under, beside the accounts' conditions.
    pub const NAME: &str = "hints";

    pub fn heard(&mut self, account: AccountId, region: Region, at: Timestamp) {
        let last = self.0.entry(account).or_default().entry(region).or_insert(at);
        *last = at.max(*last);
    }

    /// All that either has heard.
    #[must_use]
    pub fn merged(mut self, other: &Self, now: Timestamp) -> Self {
        for (account, regions) in &other.0 {
            for (region, at) in regions {
                self.heard(account.clone(), region.clone(), *at);
            }
        }
        for regions in self.0.values_mut() {
            regions.retain(|_, at| after(*at, FORGOTTEN) > now);
        }
        self.0.retain(|_, regions| !regions.is_empty());
        self
    }

    /// Are the hints of all its managed regions known to arrive? Where all enabled regions are managed, those that were
    /// ever heard stand for them, the home region among them.
    pub fn is_alive(&self, account: &AccountId, home: &Region, managed: &Managed, now: Timestamp) -> bool {
        let Some(heard) = self.0.get(account) else { return false };
        // A clock that is wrong proves nothing.
        let fresh = |at: &Timestamp| after(*at, ALIVE) > now && *at <= after(now, EVERY);
        match managed {
            Managed::Listed(regions) => {
                regions.iter().chain([home]).all(|region| heard.get(region).is_some_and(fresh))
            }
            Managed::AllEnabled => heard.contains_key(home) && heard.values().all(fresh),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(60 * minute).expect("a time")
    }

    #[test]
    fn an_account_is_alive_while_all_its_regions_are_heard() {
        let (account, home, other) = (
            "111122223333".parse::<AccountId>().expect("an id"),
            Region::new("eu-west-1"),
            Region::new("us-east-1"),
        );
        let both = Managed::Listed(vec![home.clone(), other.clone()]);
        let mut beats = Beats::default();
        let alive =
            |beats: &Beats, managed: &Managed, minute| beats.is_alive(&account, &home, managed, at(minute));
        assert!(!alive(&beats, &both, 0), "nothing was ever heard");
        beats.heard(account.clone(), home.clone(), at(0));
        assert!(!alive(&beats, &both, 1) && alive(&beats, &Managed::AllEnabled, 1));
        beats.heard(account.clone(), other.clone(), at(10));
        assert!(alive(&beats, &both, 30));
        assert!(!alive(&beats, &both, 45), "the home region is silent");
        assert!(!alive(&beats, &Managed::AllEnabled, 45));
        beats.heard(account.clone(), home.clone(), at(40));
        assert!(alive(&beats, &both, 50));
        beats.heard(account.clone(), home.clone(), at(20));
        assert!(alive(&beats, &both, 50), "an old one that comes late takes nothing back");
        assert!(!alive(&beats, &both, 0), "and one from the future proves nothing");
    }

    #[test]
    fn replicas_put_together_what_they_heard() {
        let account: AccountId = "111122223333".parse().expect("an id");
        let (one, two) = (Region::new("eu-west-1"), Region::new("us-east-1"));
        let (mut here, mut there) = (Beats::default(), Beats::default());
        here.heard(account.clone(), one.clone(), at(5));
        there.heard(account.clone(), one.clone(), at(9));
        there.heard(account.clone(), two, at(1));
        let both = here.clone().merged(&there, at(10));
        assert_eq!(both, there.clone().merged(&here, at(10)));
        assert_eq!(both.0[&account][&one], at(9));
        assert_eq!(both.merged(&here, at(30 * 24 * 60)), Beats::default());
    }
}
