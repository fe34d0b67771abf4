//! What is written down.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

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
    /// Every change, with its fields before and after and its calls.
    pub changes: Vec<&'a Item>,
}

/// An [`Intent`] as it is read again. What an older build did not write is absent.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Begun {
    pub run: String,
    pub at: Timestamp,
    pub caller: String,
    #[serde(default)]
    pub revision: Option<String>,
    pub digest: String,
    pub changes: Vec<Item>,
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LastOrganization {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    pub accounts: BTreeSet<AccountId>,
    pub seats: BTreeMap<Seat, AccountId>,
}
