//! What is written down.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::desired::Guards;
use crate::place::{AccountId, Scope, Seat};
use crate::plan::Item;

/// What a run is about to do, written before it does anything.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Intent<'a> {
    pub run: &'a str,
    pub at: Timestamp,
    pub tool_version: &'static str,
    /// The ARN that started the run.
    pub caller: &'a str,
    pub organization: &'a str,
    pub revision: Option<&'a str>,
    pub digest: &'a str,
    /// `--reason`: why something was made weaker.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'a str>,
    /// Every change, with its fields before and after and its calls.
    pub changes: Vec<&'a Item>,
}

/// What a fresh look saw of one control in one scope, just before its first write there.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BeforeImage<'a> {
    pub scope: &'a Scope,
    pub control: &'a str,
    pub at: Timestamp,
    pub observed: &'a Value,
}

/// A saved plan that was applied: it is not applied again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Used {
    pub run: String,
    pub at: Timestamp,
    /// The ARN that applied it.
    pub caller: String,
    /// `sha256:…` of the file.
    pub digest: String,
    /// The runs that stopped before this one went on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<String>,
}

impl Used {
    /// All runs that applied a part of it.
    pub fn runs(&self) -> impl Iterator<Item = &str> {
        self.earlier.iter().chain([&self.run]).map(String::as_str)
    }
}

/// The desired state that an account was last changed to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LastApplied {
    /// The full git revision; absent where the desired state is not in git.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    pub digest: String,
    pub run: String,
    pub at: Timestamp,
}

/// The reach of the desired state that was last applied.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LastOrganization {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    pub accounts: BTreeSet<AccountId>,
    pub seats: BTreeMap<Seat, AccountId>,
    /// What the next plan is judged by as well. Absent in records of before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guards: Option<Guards>,
}
