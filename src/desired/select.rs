//! Which accounts there are according to AWS Organizations, and which of them a `where` means.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use wildmatch::WildMatch;

use crate::desired::model::Selector;
use crate::place::{AccountId, Seat};

/// The accounts that AWS Organizations lists. Empty: nobody asked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Roster {
    pub accounts: Vec<RosterAccount>,
}

/// One account as AWS Organizations lists it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RosterAccount {
    pub id: AccountId,
    pub name: String,
    /// Path of its unit below the root, `/Workloads/Prod`; `/` for the root. Absent: not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ou: Option<String>,
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    pub status: Status,
}

/// May the account be called at all?
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Status {
    Active,
    /// Suspended or closing, in AWS's words.
    Suspended(String),
}

/// What a `where` looks at.
pub struct Candidate<'a> {
    /// Absent: a document without id, and nobody asked AWS Organizations.
    pub id: Option<&'a AccountId>,
    pub name: &'a str,
    pub seats: &'a BTreeSet<Seat>,
    pub labels: &'a BTreeMap<String, String>,
    /// Absent: not known.
    pub listed: Option<&'a RosterAccount>,
}

/// Does `where` mean this account? `None`: only AWS Organizations could tell.
pub fn matches(selector: &Selector, account: &Candidate<'_>) -> Option<bool> {
    let mut parts = Vec::new();
    if !selector.ou.is_empty() {
        let ou = account.listed.and_then(|listed| listed.ou.as_deref());
        parts.push(ou.map(|ou| selector.ou.iter().any(|unit| below(ou, unit))));
    }
    for (key, values) in &selector.tags {
        let label = account.labels.get(key).is_some_and(|value| values.contains(value));
        let tag =
            account.listed.map(|listed| listed.tags.get(key).is_some_and(|value| values.contains(value)));
        parts.push(if label { Some(true) } else { tag });
    }
    if !selector.names.is_empty() {
        parts.push(Some(selector.names.iter().any(|glob| WildMatch::new(glob).matches(account.name))));
    }
    if !selector.seats.is_empty() {
        parts.push(Some(selector.seats.iter().any(|seat| account.seats.contains(seat))));
    }
    if !selector.accounts.is_empty() {
        parts.push(account.id.map(|id| selector.accounts.contains(id)));
    }
    if parts.contains(&Some(false)) {
        Some(false)
    } else if parts.contains(&None) {
        None
    } else {
        Some(true)
    }
}

/// Is a unit this one, or below it?
fn below(ou: &str, unit: &str) -> bool {
    let unit = unit.trim_end_matches('/');
    ou.strip_prefix(unit).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(ou: &str) -> RosterAccount {
        RosterAccount {
            id: "111122223333".parse().unwrap(),
            name: "a".into(),
            ou: Some(ou.into()),
            tags: BTreeMap::from([("stage".into(), "prod".into())]),
            status: Status::Active,
        }
    }

    fn ask(selector: &Selector, listed: Option<&RosterAccount>) -> Option<bool> {
        let (seats, labels) = (BTreeSet::from([Seat::Security]), BTreeMap::from([("a".into(), "b".into())]));
        matches(selector, &Candidate { id: None, name: "prod-1", seats: &seats, labels: &labels, listed })
    }

    #[test]
    fn a_unit_means_all_below_it_and_not_its_namesakes() {
        let selector = Selector { ou: vec!["/Workloads/Prod".into()], ..Selector::default() };
        assert_eq!(ask(&selector, Some(&listed("/Workloads/Prod"))), Some(true));
        assert_eq!(ask(&selector, Some(&listed("/Workloads/Prod/Eu"))), Some(true));
        assert_eq!(ask(&selector, Some(&listed("/Workloads/Production"))), Some(false));
        assert_eq!(ask(&selector, None), None);
        let root = Selector { ou: vec!["/".into()], ..Selector::default() };
        assert_eq!(ask(&root, Some(&listed("/"))), Some(true));
    }

    #[test]
    fn tags_are_aws_tags_and_labels() {
        let tags = |key: &str, value: &str| Selector {
            tags: BTreeMap::from([(key.to_owned(), vec![value.to_owned()])]),
            ..Selector::default()
        };
        assert_eq!(ask(&tags("a", "b"), None), Some(true));
        assert_eq!(ask(&tags("stage", "prod"), Some(&listed("/"))), Some(true));
        assert_eq!(ask(&tags("stage", "prod"), None), None);
    }

    #[test]
    fn every_part_must_match() {
        let selector =
            Selector { names: vec!["prod-*".into()], seats: vec![Seat::Management], ..Selector::default() };
        assert_eq!(ask(&selector, None), Some(false));
        let selector = Selector { seats: vec![Seat::Management, Seat::Security], ..selector };
        assert_eq!(ask(&selector, None), Some(true));
    }
}
