//! Can we assume, observe and apply, before anything is planned? Reads and simulations only; nothing stops it, and
//! what could not be asked is unknown, never fine.

mod places;
mod regions;
mod role;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use futures::stream::{self, StreamExt as _};
use schemars::JsonSchema;
use serde::Serialize;

use crate::aws::NotOpened;
use crate::aws::journal::Purpose;
use crate::desired::{AccountStanding, DesiredAccount};
use crate::fault::{Fault, FaultKind};
use crate::observe::Fleet;
use crate::permissions::Duty;
use crate::place::{AccountId, Region, Seat};
use crate::plan::{Exit, Selection};
use crate::survey::{ACCOUNTS_AT_ONCE, OnAccount};

pub use places::{Place, PlaceKind};
pub use regions::{RegionHealth, RegionState};
pub use role::{Lack, Lacking, Why};

/// How well one thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Verdict {
    Fine,
    /// Somebody left it out: a flag, an exception.
    NotAsked,
    /// Somebody has to put it right.
    Wrong,
    /// It could not be asked.
    Unknown,
    /// It is not the account that the documents name.
    Refused,
}

impl Verdict {
    fn exit(self) -> Exit {
        match self {
            Self::Fine | Self::NotAsked => Exit::Done,
            Self::Wrong => Exit::Differs,
            Self::Unknown => Exit::Incomplete,
            Self::Refused => Exit::Refused,
        }
    }
}

/// What is to be examined.
#[derive(Clone, Debug)]
pub struct Wish<'a> {
    pub selection: Selection,
    /// Neither assume the apply role nor ask of it.
    pub read_only: bool,
    /// The folder of the documents.
    pub dir: &'a Path,
}

/// Everything that was found.
#[must_use = "what is wrong has to be told"]
#[derive(Clone, Debug)]
pub struct Health {
    /// Why AWS Organizations did not list the accounts.
    pub roster: Option<NotOpened>,
    /// Audit record, archive bucket, archive key: each once for all accounts.
    pub places: Vec<Place>,
    pub accounts: Vec<AccountHealth>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountHealth {
    pub id: AccountId,
    pub name: Arc<str>,
    /// Why the account is not looked after; nothing was asked then.
    pub not_tried: Option<String>,
    pub observe: RoleHealth,
    pub apply: RoleHealth,
    pub regions: Vec<RegionHealth>,
    /// Why the enabled regions are not known.
    pub regions_fault: Option<Fault>,
}

/// One role of one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleHealth {
    /// As the documents name it, or the caller's own.
    pub name: String,
    pub assumed: Assumed,
    /// What it lacks, by action; why nothing is known of that.
    pub lacking: Result<Lacking, Fault>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Assumed {
    Yes,
    NotAsked,
    /// The session answers for something else than the documents name.
    Refused(String),
    No(Fault),
}

impl RoleHealth {
    fn not_asked(name: String) -> Self {
        Self { name, assumed: Assumed::NotAsked, lacking: Ok(Lacking::new()) }
    }

    /// Can it be had?
    pub fn assumed(&self) -> Verdict {
        match &self.assumed {
            Assumed::Yes => Verdict::Fine,
            Assumed::NotAsked => Verdict::NotAsked,
            Assumed::Refused(_) => Verdict::Refused,
            Assumed::No(fault) => verdict_of(fault),
        }
    }

    /// Is it allowed what it needs?
    pub fn allowed(&self) -> Verdict {
        match &self.lacking {
            _ if self.assumed == Assumed::NotAsked => Verdict::NotAsked,
            Err(_) if self.is_absent() => Verdict::Wrong,
            Err(_) => Verdict::Unknown,
            Ok(lacking) => lacking.values().map(|lack| lack.why.verdict()).max().unwrap_or(Verdict::Fine),
        }
    }

    /// It cannot be assumed, and IAM has no such role.
    pub fn is_absent(&self) -> bool {
        let unknown = self.lacking.as_ref().is_err_and(|fault| fault.kind == FaultKind::NotFound);
        unknown && matches!(self.assumed, Assumed::No(_))
    }

    fn worst(&self) -> Verdict {
        self.assumed().max(self.allowed())
    }
}

/// A denial is an answer; anything else says nothing of what was asked.
fn verdict_of(fault: &Fault) -> Verdict {
    match fault.kind {
        FaultKind::Denied | FaultKind::DeniedByOrganization | FaultKind::NotFound => Verdict::Wrong,
        _ => Verdict::Unknown,
    }
}

impl AccountHealth {
    pub fn verdict(&self) -> Verdict {
        if self.not_tried.is_some() {
            return Verdict::NotAsked;
        }
        let regions = self.regions.iter().map(|region| region.state.verdict());
        let unknown = self.regions_fault.as_ref().map(|_| Verdict::Unknown);
        // What a role was not asked for leaves the account as it is.
        let all = regions.chain(unknown).chain([self.observe.worst(), self.apply.worst()]);
        all.filter(|verdict| *verdict != Verdict::NotAsked).max().unwrap_or(Verdict::Fine)
    }
}

impl Health {
    pub fn exit(&self) -> Exit {
        let roster = self.roster.as_ref().map(|why| match why {
            NotOpened::Refused(_) => Verdict::Refused,
            NotOpened::Unreachable(_) => Verdict::Unknown,
        });
        let places = self.places.iter().map(|place| place.verdict);
        let accounts = self.accounts.iter().map(AccountHealth::verdict);
        // Something that could not be asked does not hide what is wrong: the worst is taken over all parts.
        roster.into_iter().chain(places).chain(accounts).fold(Exit::Done, |exit, one| exit.worse(one.exit()))
    }

    pub fn count(&self, verdict: Verdict) -> usize {
        self.accounts.iter().filter(|account| account.verdict() == verdict).count()
    }
}

/// Examines the accounts that were selected, and what all of them stand on. `roster`: why AWS Organizations did not
/// list the accounts.
pub async fn examine(fleet: &Fleet, roster: Option<NotOpened>, wish: &Wish<'_>, on: OnAccount<'_>) -> Health {
    let wanted: Vec<&DesiredAccount> =
        fleet.desired.accounts.iter().filter(|account| wish.selection.touches(&account.id)).collect();
    let accounts = stream::iter(wanted)
        .map(|account| async move {
            let health = examine_account(fleet, account, wish).await;
            on(account);
            health
        })
        .buffered(ACCOUNTS_AT_ONCE)
        .collect();
    let (places, accounts) = futures::join!(places::examine(fleet, wish), accounts);
    Health { roster, places, accounts }
}

async fn examine_account(fleet: &Fleet, account: &DesiredAccount, wish: &Wish<'_>) -> AccountHealth {
    let (observe, apply) = (fleet.reading_role(), fleet.writing_role());
    let mut health = AccountHealth {
        id: account.id.clone(),
        name: Arc::clone(&account.name),
        not_tried: None,
        observe: RoleHealth::not_asked(observe.clone()),
        apply: RoleHealth::not_asked(apply.clone()),
        regions: Vec::new(),
        regions_fault: None,
    };
    if let AccountStanding::NotTried { why } = &account.state {
        health.not_tried = Some(why.clone());
        return health;
    }
    let session = fleet.session(&account.id, Purpose::Observe).await;
    let applying =
        async { if wish.read_only { None } else { Some(fleet.session(&account.id, Purpose::Apply).await) } };
    let regions = async {
        match &session {
            Ok(session) => regions::examine(fleet, account, session).await,
            Err(_) => Ok(Vec::new()),
        }
    };
    let reading = role::lacking(fleet, account, session.as_ref().ok(), Duty::Observe);
    let writing = async {
        if wish.read_only {
            return Ok(Lacking::new());
        }
        role::lacking(fleet, account, session.as_ref().ok(), Duty::Apply).await
    };
    let (applying, regions, reading, writing) = futures::join!(applying, regions, reading, writing);
    health.observe =
        RoleHealth { name: observe, assumed: assumed(session.as_ref().map(drop)), lacking: reading };
    if let Some(session) = applying {
        health.apply =
            RoleHealth { name: apply, assumed: assumed(session.as_ref().map(drop)), lacking: writing };
    }
    match regions {
        Ok(regions) => health.regions = regions,
        Err(fault) => health.regions_fault = Some(fault),
    }
    health
}

fn assumed(session: Result<(), &NotOpened>) -> Assumed {
    match session {
        Ok(()) => Assumed::Yes,
        Err(NotOpened::Refused(why)) => Assumed::Refused(why.clone()),
        Err(NotOpened::Unreachable(fault)) => Assumed::No(fault.clone()),
    }
}

/// Actions, each with the controls that need it.
pub type Controls = BTreeMap<&'static str, BTreeSet<&'static str>>;

/// The seats that an account holds.
fn holds(account: &DesiredAccount, seat: Option<Seat>) -> bool {
    seat.is_none_or(|seat| account.seats.contains(&seat))
}

/// The ARN of a policy of the organisation, where AWS's message names it.
pub fn policy_named(message: &str) -> Option<&str> {
    let start = message.find("arn:")?;
    let arn = message.get(start..)?;
    let end = arn.find(|c: char| c.is_whitespace() || ")\",;".contains(c)).unwrap_or(arn.len());
    let arn = arn.get(..end)?.trim_end_matches('.');
    (arn.split(':').nth(2) == Some("organizations") && arn.contains(":policy/"))
        .then_some(arn)
        .or_else(|| policy_named(message.get(start + 4..)?))
}

/// The caller of this run as IAM knows it, where it is a role or a user: whom roles have to trust.
pub fn caller(fleet: &Fleet) -> Option<String> {
    role::caller(fleet)
}

/// Where an account's global services are.
fn global(account: &DesiredAccount) -> Region {
    Region::global(account.home.partition())
}

#[cfg(test)]
mod tests;
