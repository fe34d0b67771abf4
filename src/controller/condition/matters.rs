//! What is the matter with single findings: what conditions say of whole controls, one by one, for people who are told
//! of each once.

use std::collections::BTreeSet;

use super::finding::{Hold, Key, Says, differs, fault, says};
use super::judge::{Looked, in_progress_since};
use super::{AccountConditions, Type};
use crate::apply::ChangeResult;
use crate::place::{AccountId, Region};
use crate::plan::{AccountState, Outcome};
use crate::report::human::deed;
use crate::who::Deed;

/// Something that is the matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matter {
    /// Control, rule and resource are empty where it is the account as a whole.
    pub key: Key,
    /// `Drifted`, `Contested`, `Stalled` or `Unknown`.
    pub kind: Type,
    pub reason: String,
    /// Names and values from AWS stand in it as they are.
    pub text: String,
    /// The fields that differ: with others it is another matter.
    pub paths: Vec<String>,
    /// Who did it, where that is known already.
    pub who: Option<String>,
}

/// Something that was changed, and seen to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    pub key: Key,
    pub text: String,
}

/// What a look came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matters {
    pub open: Vec<Matter>,
    pub made: Vec<Made>,
    /// Controls of which not everything was seen: what was the matter with them may still be.
    pub unseen: BTreeSet<(Region, String)>,
    /// Nothing was seen at all.
    pub blind: bool,
    /// Are changes made at all?
    pub enforces: bool,
}

impl Matters {
    /// The account was not looked at, and why.
    pub fn left_alone(home: &Region, kind: Type, reason: &str, why: &str) -> Self {
        let key = Key {
            region: home.clone(),
            control: String::new(),
            rule: String::new(),
            resource: String::new(),
        };
        let matter = Matter {
            key,
            kind,
            reason: reason.to_owned(),
            text: why.to_owned(),
            paths: Vec::new(),
            who: None,
        };
        Self { open: vec![matter], blind: true, ..Self::default() }
    }
}

/// `by user/kim from 192.0.2.7: guardduty:UpdateDetector at …`.
pub fn by_whom(by: &Deed, account: &AccountId) -> String {
    let word = if by.certain { "by" } else { "perhaps by" };
    format!("{word} {}", deed(by, account))
}

/// What is the matter after a look. Pure, as [`super::judge()`] is.
pub fn matters(before: &AccountConditions, looked: &Looked<'_>) -> Matters {
    let home = &looked.account.home;
    let account = |reason: &str, why: &str| Matters::left_alone(home, Type::Unknown, reason, why);
    match looked.plan.accounts.first().map(|account| &account.state) {
        Some(AccountState::NotTried { .. }) => return Matters::default(),
        Some(AccountState::Unreachable { fault: why }) => return account(why.kind.reason(), &fault(why)),
        Some(AccountState::Refused { why }) => return account("WrongAccount", why),
        Some(AccountState::Reached) | None => {}
    }
    let mut found = Matters { enforces: looked.enforces, ..Matters::default() };
    for item in &looked.plan.items {
        let key = Key::of(item);
        if item.outcome == Outcome::Unknown {
            found.unseen.insert((key.region.clone(), key.control.clone()));
        }
        if matches!(looked.result(&key), Some(ChangeResult::Held)) {
            found.made.push(Made { key, text: differs(item) });
            continue;
        }
        let since = in_progress_since(before.control(&key.region, &key.control));
        let Says::True(said) = says(item, looked, since) else { continue };
        let fields = item.finding.change().into_iter().flat_map(|change| &change.fields);
        let paths: Vec<String> = fields.map(|field| field.path.clone()).collect();
        found.open.extend(said.into_iter().map(|(kind, reason, text)| {
            let (text, who) = match looked.holds.get(&key) {
                // Who it was is told beside it.
                Some(Hold::Contested(contest)) if kind == Type::Contested => {
                    let who = contest.by().map(|by| by_whom(by, &looked.account.id));
                    (contest.text(&item.finding.resource, ""), who)
                }
                _ => (text, None),
            };
            Matter { key: key.clone(), kind, reason, text, paths: paths.clone(), who }
        }));
    }
    found
}
