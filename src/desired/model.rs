//! The five kinds of document as types.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::Date;

use crate::control::Networks;
use crate::desired::guards::Guards;
use crate::desired::node::Node;
use crate::desired::notifications::Notification;
use crate::desired::read::Spanned;
use crate::desired::rollout::Rollout;
use crate::diagnostic::{Position, Span};
use crate::place::{AccountId, Region, Seat};

/// What `kind` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Organization,
    Baseline,
    Account,
    Exception,
    Attestation,
}

impl Kind {
    pub const ALL: [Self; 5] =
        [Self::Organization, Self::Baseline, Self::Account, Self::Exception, Self::Attestation];

    pub fn word(self) -> &'static str {
        match self {
            Self::Organization => "Organization",
            Self::Baseline => "Baseline",
            Self::Account => "Account",
            Self::Exception => "Exception",
            Self::Attestation => "Attestation",
        }
    }
}

/// `metadata`.
#[derive(Clone, Debug)]
pub struct Metadata {
    pub name: Spanned<String>,
    pub labels: BTreeMap<String, String>,
}

/// The one document that says what there is and who may touch it.
#[derive(Clone, Debug)]
pub struct Organization {
    pub metadata: Metadata,
    /// `o-a1b2c3d4e5`: asserted before anything else is read.
    pub id: Option<Spanned<String>>,
    pub seats: BTreeMap<Seat, Spanned<AccountId>>,
    /// Absent: the caller's own credentials, for the one account that they are of.
    pub roles: Option<Roles>,
    pub regions: RegionsSpec,
    pub accounts: AccountsSpec,
    /// Where every control delivers.
    pub archive: Option<ArchiveSpec>,
    /// A folder or `s3://bucket/prefix` for audit records.
    pub audit: Option<String>,
    /// Nothing is changed in any account for a while.
    pub suspend: Option<Suspend>,
    /// On everything that baseline creates.
    pub tags: BTreeMap<String, String>,
    /// Lists of networks by name, for whoever refers to them.
    pub networks: Arc<Networks>,
    /// Top to bottom; later ones win.
    pub baselines: Vec<Use>,
    pub guards: Guards,
    /// Absent: all accounts at once.
    pub rollout: Option<Rollout>,
    /// Who is told what happens while the program runs for ever.
    pub notifications: Vec<Notification>,
    /// By service, instead of the published rates.
    pub limits: BTreeMap<String, Limit>,
    /// Controls that run in one seat's account.
    pub controls: Vec<Declared>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roles {
    pub observe: String,
    pub apply: String,
    pub external_id: Option<String>,
}

/// `suspend`: looked at and told, never changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspend {
    /// The last day of it, in UTC. Absent: until the words are taken out again.
    pub until: Option<Spanned<Date>>,
    pub reason: String,
}

impl Suspend {
    pub fn holds(&self, on: Date) -> bool {
        self.until.as_ref().is_none_or(|until| on <= until.value)
    }
}

impl std::fmt::Display for Suspend {
    /// `suspended until 2027-03-31: reason`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.until {
            Some(until) => write!(f, "suspended until {}: {}", until.value, self.reason),
            None => write!(f, "suspended: {}", self.reason),
        }
    }
}

/// `regions`, of the organisation or of one account. Absent: as the organisation says.
#[derive(Clone, Debug, Default)]
pub struct RegionsSpec {
    pub home: Option<Spanned<Region>>,
    pub managed: Option<Managed>,
    /// Regions that are left alone, each with the reason.
    pub except: BTreeMap<String, String>,
}

/// Which regions are looked after.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Managed {
    /// Every region that is enabled for the account.
    #[default]
    AllEnabled,
    Listed(Vec<Region>),
}

#[derive(Clone, Debug, Default)]
pub struct AccountsSpec {
    /// Accounts that AWS Organizations lists need no document.
    pub discover: bool,
    /// Accounts that are listed and left alone, each with the reason.
    pub except: BTreeMap<AccountId, String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchiveSpec {
    pub seat: Seat,
    /// May hold placeholders, see [`crate::desired::template`].
    pub bucket: String,
    /// A key alias, may hold placeholders.
    pub key: String,
}

/// A baseline, and the accounts that it is for.
#[derive(Clone, Debug)]
pub struct Use {
    pub baseline: Spanned<String>,
    /// Absent: every account.
    pub selector: Option<Selector>,
}

/// `where`: every part that is given must match, one entry of it is enough.
#[derive(Clone, Debug, Default)]
pub struct Selector {
    /// Organisational units by path, each with all below it.
    pub ou: Vec<String>,
    /// AWS tags of the account, and labels of its document.
    pub tags: BTreeMap<String, Vec<String>>,
    /// Names of accounts, with `*` and `?`.
    pub names: Vec<String>,
    pub seats: Vec<Seat>,
    pub accounts: Vec<AccountId>,
}

/// A service's calls in one account and region.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limit {
    pub per_second: f64,
    /// Calls that may come at once after a pause. Absent: one second's worth.
    pub burst: Option<u32>,
}

/// A named set of controls.
#[derive(Clone, Debug)]
pub struct Baseline {
    pub metadata: Metadata,
    pub extends: Vec<Spanned<String>>,
    pub controls: Vec<Declared>,
}

/// One account, where it differs or is not discovered.
#[derive(Clone, Debug)]
pub struct Account {
    pub metadata: Metadata,
    /// Absent: the one account of this name that AWS Organizations lists.
    pub id: Option<Spanned<AccountId>>,
    /// Something is written under `id`, be it an account id or not.
    pub has_id: bool,
    pub regions: RegionsSpec,
    pub baselines: Vec<Spanned<String>>,
    /// Nothing is changed in this account for a while.
    pub suspend: Option<Suspend>,
    pub controls: Vec<Declared>,
}

/// A control as one document says it: shared words and spec in one map.
#[derive(Clone, Debug)]
pub struct Declared {
    pub id: String,
    pub span: Span,
    pub node: Node,
    pub reason: Option<Spanned<String>>,
}

/// A signed-off reason not to enforce.
#[derive(Clone, Debug)]
pub struct Exception {
    pub metadata: Metadata,
    pub control: String,
    /// Absent: every rule of the control.
    pub rule: Option<String>,
    /// Names or ids, with `*` and `?`. Empty: those that `selector` means.
    pub accounts: Vec<String>,
    /// `where`, as of a baseline. Absent: those that `accounts` names.
    pub selector: Option<Selector>,
    /// Empty: every region.
    pub regions: Vec<Region>,
    /// With `*` and `?`. Empty: every resource.
    pub resources: Vec<String>,
    /// Resources that have each of these tags with one of its values. Empty: whatever their tags are.
    pub resource_tags: BTreeMap<String, Vec<String>>,
    /// The controls of Security Hub whose findings about the same are suppressed: `ECR.1`.
    pub suppresses: BTreeSet<String>,
    pub reason: String,
    pub owner: String,
    pub approver: String,
    pub ticket: Option<String>,
    /// The last day on which it holds.
    pub expires: Spanned<Date>,
    /// AWS keeps exceptions of this control itself.
    pub kept_by_aws: bool,
    /// Where its last day was said; absent before all documents were put together.
    pub declared: Option<Position>,
}

/// Somebody's word that a manual task is done.
#[derive(Clone, Debug)]
pub struct Attestation {
    pub metadata: Metadata,
    pub control: String,
    pub rule: String,
    /// Names or ids, with `*` and `?`.
    pub accounts: Vec<String>,
    pub by: String,
    pub evidence: Option<String>,
    /// The last day on which it holds.
    pub expires: Spanned<Date>,
}
