//! Waves of a rollout: an account that something else is wanted of than it last took is not written to until the accounts
//! of all earlier waves have taken theirs. What drifts is put right whatever its wave.
//!
//! What each account has taken ([`Taken`]) stands in its conditions and in the index of all, which every replica reads:
//! so none leads, and a restart knows as much as before. It only ever becomes true of the same documents, so whoever
//! reads something old holds an account for longer, and lets none go too early.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::condition::Taken;
use super::condition::taken::How;
use super::index::Index;
use crate::desired::{self, AccountStanding, DesiredState};
use crate::place::AccountId;

/// How many accounts a message names.
const NAMED: usize = 3;

/// In which order accounts take what is wanted of them.
#[derive(Debug)]
pub struct Waves {
    accounts: BTreeMap<AccountId, Place>,
    /// Of each wave, in the order of the documents.
    order: BTreeMap<u32, Vec<AccountId>>,
    /// Accounts of one wave that may fail without holding the rest.
    budget: usize,
}

#[derive(Debug)]
struct Place {
    name: Arc<str>,
    /// Nobody would be waited for where there is no rollout.
    wave: u32,
    /// A digest of what is wanted of it.
    state: String,
    /// It is never called.
    is_aside: bool,
}

/// The first wave that is not through, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    pub wave: u32,
    pub why: Why,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// These have not taken it yet.
    Waits(Vec<Arc<str>>),
    /// These failed, and they are more than may.
    Failed { these: Vec<Arc<str>>, budget: usize },
}

impl std::fmt::Display for Open {
    /// `waits for wave 1: canary-1, canary-2, canary-3 and 4 more`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let wave = self.wave;
        match &self.why {
            Why::Waits(these) => write!(f, "waits for wave {wave}: {}", some_of(these)),
            Why::Failed { these, budget } => write!(
                f,
                "waits for wave {wave}, where {} failed, more than the error budget of {budget}",
                some_of(these)
            ),
        }
    }
}

fn some_of(names: &[Arc<str>]) -> String {
    let named: Vec<&str> = names.iter().take(NAMED).map(|name| &**name).collect();
    let more = names.len() - named.len();
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("{}{more}", named.join(", "))
}

impl Waves {
    pub fn of(desired: &DesiredState) -> Self {
        let mut states = desired::wanted(desired);
        let mut order: BTreeMap<u32, Vec<AccountId>> = BTreeMap::new();
        let accounts = desired.accounts.iter().map(|account| {
            let wave = account.wave.unwrap_or(1);
            order.entry(wave).or_default().push(account.id.clone());
            let is_aside = matches!(account.state, AccountStanding::NotTried { .. });
            let state = states.remove(&account.id).unwrap_or_default();
            (account.id.clone(), Place { name: Arc::clone(&account.name), wave, state, is_aside })
        });
        let accounts = accounts.collect();
        let budget = desired.organization.rollout.as_ref().map_or(0, |rollout| rollout.error_budget);
        Self { accounts, order, budget: usize::try_from(budget).unwrap_or(usize::MAX) }
    }

    /// Is there more than one wave?
    pub fn are_ordered(&self) -> bool {
        self.order.len() > 1
    }

    /// From 1, where there is a rollout.
    pub fn wave(&self, account: &AccountId) -> u32 {
        self.accounts.get(account).map_or(1, |place| place.wave)
    }

    /// A digest of what is wanted of an account.
    pub fn state(&self, account: &AccountId) -> &str {
        self.accounts.get(account).map_or("", |place| &place.state)
    }

    /// The accounts of the waves before an account's own.
    pub fn before(&self, account: &AccountId) -> impl Iterator<Item = &AccountId> {
        self.order.range(..self.wave(account)).flat_map(|(_, accounts)| accounts)
    }

    /// The first wave of which not everybody has taken what is wanted of it.
    pub fn open(&self, index: &Index) -> Option<Open> {
        // Nobody waits for the last one.
        let last = *self.order.keys().next_back()?;
        self.order.range(..last).find_map(|(wave, accounts)| {
            let (mut failed, mut waits) = (Vec::new(), Vec::new());
            for id in accounts {
                let Some(place) = self.accounts.get(id) else { continue };
                match self.stands(index, id, &mut BTreeSet::new()) {
                    Stands::Through => {}
                    Stands::Failed => failed.push(Arc::clone(&place.name)),
                    Stands::Open => waits.push(Arc::clone(&place.name)),
                }
            }
            let why = if failed.len() > self.budget {
                Why::Failed { these: failed, budget: self.budget }
            } else if waits.is_empty() {
                return None;
            } else {
                Why::Waits(waits)
            };
            Some(Open { wave: *wave, why })
        })
    }

    /// Is an account to wait, of which this is what it took last, while that wave is open?
    pub fn waits(&self, account: &AccountId, taken: Option<&Taken>, open: Option<&Open>) -> bool {
        let is_news = taken.is_none_or(|taken| taken.state != self.state(account));
        is_news && open.is_some_and(|open| self.wave(account) > open.wave)
    }

    /// The accounts with changes that wait for an earlier wave, whether or not they still have to.
    pub fn held<'a>(&'a self, index: &'a Index) -> impl Iterator<Item = &'a AccountId> {
        let held = index.iter().filter(|(_, entry)| entry.held.is_some());
        held.map(|(id, entry)| (id, entry.held.as_deref()))
            .filter(|(id, held)| self.accounts.get(*id).is_some_and(|place| Some(&*place.state) == *held))
            .map(|(id, _)| id)
    }

    fn stands(&self, index: &Index, id: &AccountId, seen: &mut BTreeSet<AccountId>) -> Stands {
        let Some(place) = self.accounts.get(id).filter(|place| !place.is_aside) else {
            return Stands::Through;
        };
        let taken = index.get(id).and_then(|entry| entry.taken.as_ref());
        let Some(taken) = taken.filter(|taken| taken.state == place.state) else { return Stands::Open };
        match &taken.how {
            How::Took => Stands::Through,
            How::Failed => Stands::Failed,
            How::Begun => Stands::Open,
            How::Waits { on, began } => {
                // Whoever stands on each other stands so for ever.
                if !seen.insert(id.clone()) {
                    return Stands::Through;
                }
                let is_over = |owner: &AccountId| {
                    self.wave(owner) > place.wave
                        || (self.stands(index, owner, seen) == Stands::Through
                            && index.get(owner).and_then(|entry| entry.taken.as_ref()).is_none_or(|owner| {
                                // What it made since would not have been seen.
                                !matches!(owner.how, How::Took) || owner.since <= *began
                            }))
                };
                if on.iter().all(is_over) { Stands::Through } else { Stands::Open }
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stands {
    Through,
    Failed,
    Open,
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::controller::condition::AccountConditions;
    use crate::controller::index::Entry;

    fn id(number: u64) -> AccountId {
        format!("{number:012}").parse().expect("12 digits")
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).expect("a time")
    }

    /// Accounts `1…`, each in the wave that is said.
    fn waves(budget: usize, waves: &[u32]) -> Waves {
        let mut order: BTreeMap<u32, Vec<AccountId>> = BTreeMap::new();
        let accounts = (1..).zip(waves).map(|(number, wave)| {
            order.entry(*wave).or_default().push(id(number));
            let name = format!("account-{number}").into();
            (id(number), Place { name, wave: *wave, state: "new".into(), is_aside: false })
        });
        Waves { accounts: accounts.collect(), order, budget }
    }

    fn took(state: &str, how: How, since: i64) -> Taken {
        Taken { state: state.into(), how, since: at(since) }
    }

    fn index(all: &[(u64, Taken)]) -> Index {
        let entry = |(number, taken): &(u64, Taken)| {
            let seen = AccountConditions::unseen(id(*number), "x");
            (id(*number), Entry::of(&AccountConditions { taken: Some(taken.clone()), ..seen }))
        };
        all.iter().map(entry).collect()
    }

    #[test]
    fn the_first_wave_that_is_not_through_is_waited_for_and_names_three() {
        let waves = waves(0, &[1, 1, 1, 1, 1, 2, 3]);
        let open = |all: &[(u64, Taken)]| waves.open(&index(all)).map(|open| open.to_string());
        let nobody = "waits for wave 1: account-1, account-2, account-3 and 2 more";
        assert_eq!(open(&[]).as_deref(), Some(nobody));
        let all = |how: &How| (1..6).map(|n| (n, took("new", how.clone(), 0))).collect::<Vec<_>>();
        assert_eq!(open(&all(&How::Took)).as_deref(), Some("waits for wave 2: account-6"));
        let failed = "waits for wave 1, where account-1, account-2, account-3 and 2 more failed, more than the error \
                      budget of 0";
        assert_eq!(open(&all(&How::Failed)).as_deref(), Some(failed));
        assert_eq!(open(&all(&How::Begun)).as_deref(), Some(nobody));
        let mut done = all(&How::Took);
        done.push((6, took("new", How::Took, 0)));
        assert_eq!(open(&done), None, "nobody waits for the last one");
        // What was taken was something else.
        done[2].1.state = "old".into();
        assert_eq!(open(&done).as_deref(), Some("waits for wave 1: account-3"));
    }

    #[test]
    fn only_news_waits_and_only_for_earlier_waves() {
        let waves = waves(0, &[1, 2, 3]);
        let open = waves.open(&index(&[(1, took("new", How::Took, 0))]));
        let waits = |number, taken: Option<Taken>| waves.waits(&id(number), taken.as_ref(), open.as_ref());
        assert!(!waits(1, None) && !waits(2, None), "the wave is theirs");
        assert!(waits(3, None) && waits(3, Some(took("old", How::Took, 0))));
        for how in [How::Took, How::Failed, How::Begun] {
            assert!(!waits(3, Some(took("new", how, 0))), "it was let take it");
        }
    }

    #[test]
    fn a_budget_is_that_of_accounts_of_one_wave() {
        let waves = waves(1, &[1, 1, 2, 3]);
        let failed = |number| (number, took("new", How::Failed, 0));
        let open = |all: &[(u64, Taken)]| waves.open(&index(all)).map(|open| (open.wave, open.why));
        let name = |n: u64| Arc::<str>::from(format!("account-{n}"));
        assert_eq!(open(&[failed(1)]), Some((1, Why::Waits(vec![name(2)]))));
        assert_eq!(open(&[failed(1), (2, took("new", How::Took, 0)), failed(3)]), None);
        let these = vec![name(1), name(2)];
        assert_eq!(open(&[failed(1), failed(2)]), Some((1, Why::Failed { these, budget: 1 })));
    }

    #[test]
    fn who_stands_on_another_waits_until_that_one_cannot_help_any_more() {
        let waves = waves(0, &[1, 1, 2, 3]);
        let on = |owner: u64, began: i64| How::Waits { on: [id(owner)].into(), began: at(began) };
        let is_open = |all: &[(u64, Taken)]| waves.open(&index(all)).is_some_and(|open| open.wave == 1);
        let one = |how| (1, took("new", how, 5));
        let two = |how| (2, took("new", how, 10));
        assert!(is_open(&[one(on(2, 5)), two(How::Begun)]));
        assert!(is_open(&[one(on(2, 5)), two(How::Took)]), "it has not looked since");
        assert!(!is_open(&[one(on(2, 11)), two(How::Took)]), "it is still not there");
        assert!(!is_open(&[one(on(3, 5)), two(How::Took)]), "a later wave makes it");
        assert!(!is_open(&[one(on(2, 5)), two(on(1, 5))]), "a circle is for a person");
    }
}
