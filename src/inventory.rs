//! What was observed: all accounts, faults included. Saved and loaded, so that plans can be made offline.
//!
//! An inventory never fails as a whole: what could not be observed stands in it as a fault.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::aws::organization::Member;
use crate::control::{Facts, Known, Sight};
use crate::desired::{DesiredAccount, Settings};
use crate::fault::Fault;
use crate::place::{AccountId, Region, Scope};

/// The version that this build writes. Another one is refused, never guessed at.
const FORMAT: u32 = 1;

/// Larger than any real inventory: 1,000 accounts × 17 regions are some 200 MB.
const MOST_BYTES: u64 = 1 << 30;

/// All observations of one run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Inventory {
    pub format_version: u32,
    pub tool_version: String,
    pub taken_at: Timestamp,
    /// Who looked, as the plan's header says it.
    pub caller: String,
    /// How many read calls it took.
    pub reads: usize,
    /// The accounts that AWS Organizations listed; empty where it was not asked.
    pub members: Vec<Member>,
    pub accounts: Vec<AccountView>,
}

/// What was seen of one account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AccountView {
    pub id: AccountId,
    pub name: Arc<str>,
    pub state: AccountState,
    /// Absent where the account was not reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Seen>,
    /// By region, then by control.
    #[serde(default)]
    pub scopes: BTreeMap<Region, BTreeMap<String, Observation>>,
    /// What was found of the things that this account's specs stand on, in whichever account.
    #[serde(default)]
    pub known: Known,
}

/// The facts of an account that only AWS knows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Seen {
    pub partition: String,
    /// The managed regions: those listed, or all that are enabled, without those excepted.
    pub regions: Vec<Region>,
    pub observed_at: Timestamp,
}

/// How an account was reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "camelCase")]
pub enum AccountState {
    /// Sessions opened and facts gathered. Single observations can still have failed.
    Reached,
    /// No session: one finding for the whole account.
    Unreachable { fault: Fault },
    /// The session answers for another account or organisation: exit 3, nothing else was asked.
    Refused { why: String },
    /// Suspended, or excepted in the Organization document: listed, never tried.
    NotTried { why: String },
}

/// One control in one scope: what was asked, and what AWS said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Observation {
    pub ask: Value,
    pub sight: Sight<Value>,
}

impl Observation {
    pub fn is_unseen(&self) -> bool {
        matches!(self.sight, Sight::Unseen(_))
    }
}

impl AccountView {
    /// A view of an account that was not looked into.
    pub fn closed(account: &DesiredAccount, state: AccountState) -> Self {
        Self {
            id: account.id.clone(),
            name: Arc::clone(&account.name),
            state,
            seen: None,
            scopes: BTreeMap::new(),
            known: Known::default(),
        }
    }
}

/// The facts of one scope: from the YAML, and from what was seen of the account.
pub fn facts(organization: &Settings, account: &DesiredAccount, seen: &Seen, region: &Region) -> Facts {
    Facts {
        scope: Scope { account: account.id.clone(), region: region.clone() },
        partition: seen.partition.clone(),
        home: account.home.clone(),
        managed: seen.regions.clone(),
        organization: organization.facts(),
        tags: organization.tags.clone(),
        networks: Arc::clone(&organization.networks),
        exempt: organization.exempt(account, region, seen.observed_at),
        observed_at: seen.observed_at,
    }
}

#[derive(Debug, thiserror::Error)]
pub enum InventoryError {
    #[error("cannot read `{path}`")]
    Read { path: String, source: std::io::Error },
    #[error("cannot write `{path}`")]
    Write { path: String, source: std::io::Error },
    #[error("`{path}` has {bytes} bytes, more than any inventory")]
    TooLarge { path: String, bytes: u64 },
    #[error("`{path}` is not an inventory")]
    Malformed { path: String, source: serde_json::Error },
    #[error("`{path}` has format version {found}, and this build reads {FORMAT}: observe again")]
    Version { path: String, found: u64 },
}

impl Inventory {
    pub fn new(caller: String, reads: usize, members: Vec<Member>, accounts: Vec<AccountView>) -> Self {
        Self {
            format_version: FORMAT,
            tool_version: env!("CARGO_PKG_VERSION").into(),
            taken_at: Timestamp::now(),
            caller,
            reads,
            members,
            accounts,
        }
    }

    /// Writes it whole or not at all, readable by its owner only: it holds account data.
    pub fn save(&self, path: &Path) -> Result<(), InventoryError> {
        let failed = |source| InventoryError::Write { path: path.display().to_string(), source };
        let bytes = serde_json::to_vec_pretty(self).map_err(|error| failed(error.into()))?;
        crate::durable::replace(path, |file| {
            file.write_all(&bytes)?;
            file.write_all(b"\n")
        })
        .map_err(failed)
    }

    pub fn load(path: &Path) -> Result<Self, InventoryError> {
        let shown = || path.display().to_string();
        let read = |source| InventoryError::Read { path: shown(), source };
        let bytes = std::fs::metadata(path).map_err(read)?.len();
        if bytes > MOST_BYTES {
            return Err(InventoryError::TooLarge { path: shown(), bytes });
        }
        Self::parse(&std::fs::read(path).map_err(read)?, &shown())
    }

    /// Reads an inventory from bytes; `name` is for messages.
    pub fn parse(bytes: &[u8], name: &str) -> Result<Self, InventoryError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Head {
            format_version: u64,
        }
        let malformed = |source| InventoryError::Malformed { path: name.into(), source };
        let head: Head = serde_json::from_slice(bytes).map_err(malformed)?;
        if head.format_version != u64::from(FORMAT) {
            return Err(InventoryError::Version { path: name.into(), found: head.format_version });
        }
        serde_json::from_slice(bytes).map_err(malformed)
    }

    pub fn account(&self, id: &AccountId) -> Option<&AccountView> {
        self.accounts.iter().find(|account| &account.id == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_format_is_refused_before_it_is_read() {
        let error = Inventory::parse(br#"{"formatVersion": 2, "news": []}"#, "x.json").expect_err("too new");
        assert_eq!(error.to_string(), "`x.json` has format version 2, and this build reads 1: observe again");
        assert!(Inventory::parse(b"[]", "x.json").is_err());
        assert!(Inventory::parse(b"", "x.json").is_err());
    }

    #[test]
    fn what_is_saved_is_loaded_byte_for_byte() {
        let inventory = Inventory::new("jo".into(), 3, vec![], vec![]);
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("inventory.json");
        inventory.save(&path).expect("saved");
        let first = std::fs::read(&path).expect("read");
        let loaded = Inventory::load(&path).expect("loaded");
        assert_eq!(loaded, inventory);
        loaded.save(&path).expect("saved again");
        assert_eq!(std::fs::read(&path).expect("read"), first);
    }

    #[cfg(unix)]
    #[test]
    fn only_its_owner_can_read_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("inventory.json");
        Inventory::new("jo".into(), 0, vec![], vec![]).save(&path).expect("saved");
        let mode = std::fs::metadata(&path).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
