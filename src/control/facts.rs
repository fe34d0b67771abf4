//! What is known of a scope before any control looks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use wildmatch::WildMatch;

use crate::control::{Network, Sight, Tags};
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

/// An Exception document that is of this scope and holds, and of which more than the engine has to know: it names
/// resources, or selects by their tags, or has findings of Security Hub suppressed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Exempt {
    /// The document's name.
    pub name: String,
    /// A control's id.
    pub control: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// With `*` and `?`. Empty: every resource.
    pub resources: Vec<String>,
    /// Each tag with one of these values. Empty: whatever their tags are.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub resource_tags: BTreeMap<String, Vec<String>>,
    /// The controls of Security Hub whose findings are suppressed: `ECR.1`.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub suppresses: BTreeSet<String>,
    pub reason: String,
    pub owner: String,
    pub approver: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
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

/// The control that has findings of Security Hub suppressed where exceptions say so.
pub const SUPPRESSIONS: &str = "securityhub.suppressions";

impl Exempt {
    /// Is a resource of this name and with these tags meant? `None`: that could not be told without its tags.
    pub fn means(&self, resource: &str, tags: Option<&Tags>) -> Option<bool> {
        means_resource(&self.resources, &self.resource_tags, resource, tags)
    }
}

/// Is a resource one of those named, and tagged so? `None`: its tags could not be read. A resource that has none, or
/// is not there yet, is not meant by its tags.
pub fn means_resource(
    names: &[String],
    wanted: &BTreeMap<String, Vec<String>>,
    resource: &str,
    tags: Option<&Tags>,
) -> Option<bool> {
    if !names.is_empty() && !names.iter().any(|glob| WildMatch::new(glob).matches(resource)) {
        return Some(false);
    }
    if wanted.is_empty() {
        return Some(true);
    }
    match tags {
        None => Some(false),
        Some(Sight::Unseen(_)) => None,
        Some(Sight::Seen(tags)) => {
            Some(wanted.iter().all(|(key, values)| tags.get(key).is_some_and(|value| values.contains(value))))
        }
    }
}

impl Facts {
    /// Does an exception select resources of this control by their tags?
    pub fn asks_tags(&self, control: &str) -> bool {
        self.exempt.iter().any(|exempt| exempt.control == control && !exempt.resource_tags.is_empty())
    }

    /// The archive, where the Organization document declares one.
    pub fn archive(&self) -> Option<&Archive> {
        self.organization.as_ref()?.archive.as_ref()
    }
}
