//! What a plan is: every finding that is not in sync, in one order over all accounts, and what they came from.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::PlannedException;
use crate::control::{Finding, Known, Need, Severity, Step, Thing};
pub use crate::diagnostic::Position;
pub use crate::inventory::AccountState;
use crate::place::{AccountId, Region, Scope};

/// What will be done about a finding: the control says what is the matter, the engine what follows.
///
/// The same words in JSON (`outcome`), in totals and in conditions.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "camelCase")]
pub enum Outcome {
    InSync,
    Change,
    /// `mode: observe`: would change, will not.
    ObserveOnly,
    Manual,
    Progressing,
    /// A hard need is absent and no change of this plan makes it, or the resource exists and
    /// `onConflict: fail` forbids adopting it.
    Blocked {
        on: Vec<Thing>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<String>,
    },
    /// A live exception matches account, region, control, rule and resource.
    Excepted {
        exception: String,
    },
    Foreign,
    NotOffered,
    Unknown,
}

impl Outcome {
    /// The JSON word.
    pub fn word(&self) -> &'static str {
        match self {
            Self::InSync => "inSync",
            Self::Change => "change",
            Self::ObserveOnly => "observeOnly",
            Self::Manual => "manual",
            Self::Progressing => "progressing",
            Self::Blocked { .. } => "blocked",
            Self::Excepted { .. } => "excepted",
            Self::Foreign => "foreign",
            Self::NotOffered => "notOffered",
            Self::Unknown => "unknown",
        }
    }
}

/// One finding of one scope, and what follows from it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    pub scope: Scope,
    pub control: String,
    /// `None` for controls that run once in an account: they have no region worth printing.
    pub region: Option<Region>,
    pub severity: SeverityWord,
    pub frameworks: Arc<[String]>,
    pub finding: Finding<Step>,
    pub outcome: Outcome,
    /// What the change stands on: printed, and ordered by.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub needs: Arc<[Need]>,
    /// Why it is left as it is. The exception: `legacy-images, SEC-412, until 2027-03-31: REASON (owner OWNER,
    /// approved by APPROVER)`. Or the account's suspension: `suspended until 2027-03-31: the migration`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exception_note: Option<String>,
    /// An exception that would be about it and has ended: `legacy-images expired on 2026-11-22: no longer honoured`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lapsed: Option<String>,
    /// Why the account's document sets the control otherwise than its baselines; or why somebody signed for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Where in the YAML each changed field was said, by the field's path: in its order, see [`Item::declared_at`].
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "by_path")]
    pub declared_at: Vec<(Arc<str>, Position)>,
    /// Where in the YAML the control was first said: for findings that change no field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared: Option<Position>,
    /// Selected by `--account`, `--region` and `--control`. What is not selected is looked at and counted,
    /// never changed.
    pub selected: bool,
}

impl Item {
    /// Where in the YAML a changed field was said.
    pub fn declared_at(&self, path: &str) -> Option<&Position> {
        self.declared_at.iter().find(|(at, _)| **at == *path).map(|(_, position)| position)
    }

    /// Is it the same finding, whatever is the matter with it?
    pub fn is_about(&self, other: &Self) -> bool {
        (&self.scope, &self.control) == (&other.scope, &other.control)
            && (&self.finding.resource, &self.finding.rule) == (&other.finding.resource, &other.finding.rule)
    }
}

/// [`Severity`] as data that can be read back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum SeverityWord {
    Low,
    Medium,
    High,
    Critical,
}

impl From<Severity> for SeverityWord {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Low => Self::Low,
            Severity::Medium => Self::Medium,
            Severity::High => Self::High,
            Severity::Critical => Self::Critical,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedAccount {
    pub id: AccountId,
    pub name: Arc<str>,
    pub state: AccountState,
    /// The regions that were looked at.
    pub regions: Vec<Region>,
    /// How many controls stand unknown, in each of `regions`, when the account could not be reached.
    pub controls: usize,
    /// How many findings of each control are in sync as AWS has them, by the control's id: they are counted here
    /// even where the plan keeps only what is not in sync.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub in_sync: BTreeMap<String, usize>,
    /// When its turn comes, where the Organization document has a rollout; from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wave: Option<u32>,
}

/// Counts of findings by outcome; account-level unknowns count as one each.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Totals {
    pub in_sync: usize,
    pub change: usize,
    pub manual: usize,
    pub progressing: usize,
    pub observe_only: usize,
    pub blocked: usize,
    pub excepted: usize,
    pub foreign: usize,
    pub not_offered: usize,
    pub unknown: usize,
}

impl Totals {
    pub fn count(&mut self, outcome: &Outcome) {
        *match outcome {
            Outcome::InSync => &mut self.in_sync,
            Outcome::Change => &mut self.change,
            Outcome::ObserveOnly => &mut self.observe_only,
            Outcome::Manual => &mut self.manual,
            Outcome::Progressing => &mut self.progressing,
            Outcome::Blocked { .. } => &mut self.blocked,
            Outcome::Excepted { .. } => &mut self.excepted,
            Outcome::Foreign => &mut self.foreign,
            Outcome::NotOffered => &mut self.not_offered,
            Outcome::Unknown => &mut self.unknown,
        } += 1;
    }

    /// All of them.
    pub fn settings(&self) -> usize {
        self.in_sync
            + self.change
            + self.manual
            + self.progressing
            + self.observe_only
            + self.blocked
            + self.excepted
            + self.foreign
            + self.not_offered
            + self.unknown
    }
}

/// A finished plan. `items` stand in the order in which they would be applied: accounts in wave order, makers
/// before takers.
#[must_use = "a plan that nobody reads changes nothing"]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// `metadata.name` of the Organization document.
    pub organization: Arc<str>,
    /// `o-a1b2c3d4e5`, where the YAML names it.
    pub organization_id: Option<String>,
    /// Short git revision of the desired state; `+` follows where the working tree differs from it.
    pub revision: Option<String>,
    /// `sha256:…` of the desired state's files.
    pub digest: String,
    /// Who looked: `baseline-observe`, or the caller's own ARN without its account.
    pub caller: String,
    pub accounts: Vec<PlannedAccount>,
    pub items: Vec<Item>,
    /// What people signed for, and how it stood that day; the first to end first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exceptions: Vec<PlannedException>,
    /// Totals over everything that was looked at, selected or not.
    pub totals: Totals,
    /// The merged spec of every control in every scope that has a change: what the change is judged by
    /// again before it starts. Shared, because most accounts have the same.
    #[serde(with = "pairs")]
    pub specs: BTreeMap<(Scope, String), Arc<Value>>,
    /// What was found of the things that changes stand on.
    pub known: Known,
    /// How many regions and controls were looked at, over all accounts.
    pub regions: usize,
    pub controls: usize,
}

impl Plan {
    /// The changes that apply would make, with their places in `items`.
    pub fn changes(&self) -> impl Iterator<Item = (usize, &Item)> {
        self.items.iter().enumerate().filter(|(_, item)| item.selected && item.outcome == Outcome::Change)
    }

    /// The exception of this name.
    pub fn exception(&self, name: &str) -> Option<&PlannedException> {
        self.exceptions.iter().find(|exception| exception.name == name)
    }

    pub fn account(&self, id: &AccountId) -> Option<&PlannedAccount> {
        self.accounts.iter().find(|account| &account.id == id)
    }
}

fn is_empty(needs: &Arc<[Need]>) -> bool {
    needs.is_empty()
}

/// A map of a few entries, kept as a list: a node of a `BTreeMap` takes as much room as a dozen of them.
mod by_path {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serializer};

    use super::Position;

    pub fn serialize<S: Serializer>(list: &[(Arc<str>, Position)], to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(list.iter().map(|(path, position)| (path, position)))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<(Arc<str>, Position)>, D::Error> {
        BTreeMap::deserialize(from).map(|map| map.into_iter().collect())
    }
}

/// A map with a compound key, as a list of pairs: JSON has only text keys.
mod pairs {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<K: Serialize, V: Serialize, S: Serializer>(
        map: &BTreeMap<K, V>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_seq(map)
    }

    pub fn deserialize<'de, K, V, D>(from: D) -> Result<BTreeMap<K, V>, D::Error>
    where
        K: Deserialize<'de> + Ord,
        V: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        Vec::<(K, V)>::deserialize(from).map(|pairs| pairs.into_iter().collect())
    }
}
