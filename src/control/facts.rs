//! What is known of a scope before any control looks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::control::Network;
use crate::place::{AccountId, Region, Scope, Seat};

/// Known of a scope before any control looks. Saved with the inventory, so that planning again from a
/// file gives the same plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Facts {
    pub scope: Scope,
    pub partition: String,
    pub home: Region,
    pub managed: Vec<Region>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<OrganizationFacts>,
    /// Tags for everything that baseline creates, from the Organization document.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// Lists of networks by name, from the Organization document; shared by all scopes.
    #[serde(default)]
    pub networks: Arc<Networks>,
    /// What somebody has signed for in this scope, by resource. Most controls leave it to the engine, which reports
    /// such findings as excepted; a control reads it where AWS itself keeps exceptions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exempt: Vec<Exempt>,
    /// When the observation was made: the only clock that a plan has.
    pub observed_at: Timestamp,
}

/// Lists of networks by name. None of them is empty.
pub type Networks = BTreeMap<String, BTreeSet<Network>>;

/// An Exception document that names resources, is of this scope, and holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Exempt {
    /// The document's name.
    pub name: String,
    /// A control's id.
    pub control: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    pub resources: Vec<String>,
    pub reason: String,
    /// The last day on which it holds.
    pub expires: Date,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrganizationFacts {
    /// `o-a1b2c3d4e5`; absent where the YAML does not name an organisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(default)]
    pub seats: BTreeMap<Seat, AccountId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archive: Option<Archive>,
}

/// Where logs go, said once in the Organization document; templates are already filled in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Archive {
    pub account: AccountId,
    pub region: Region,
    pub bucket: String,
    /// An alias: `alias/baseline/logs`.
    pub key: String,
}

impl Facts {
    /// The archive, where the Organization document declares one.
    pub fn archive(&self) -> Option<&Archive> {
        self.organization.as_ref()?.archive.as_ref()
    }
}
