//! Drift: what is live against what was last applied, and who made the difference. Reads only.
//!
//! Two plans are made of one look: with the documents that the audit record says were applied to an account, and with
//! those at hand. What the first would change has *drifted*; what only the second would change is *unapplied*. A
//! finding that the last apply left as it was (by hand, observed only, not selected, failed) has not drifted while it
//! is still as it was then.

mod judge;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use futures::stream::{self, StreamExt as _};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::audit::{LastApplied, Memory};
use crate::desired::{DesiredAccount, DesiredState};
use crate::inventory::AccountView;
use crate::observe::{Fleet, Observer};
use crate::place::AccountId;
use crate::plan::{AccountState, Exit, Item, Outcome, Plan, Selection};
use crate::survey::{self, ACCOUNTS_AT_ONCE, Seen};
use crate::who::{Looker, Who};

/// Findings that are looked up at once. Rates hold each account.
const LOOK_UPS_AT_ONCE: usize = 64;

/// What was last applied to an account.
#[derive(Clone, Debug)]
pub enum Base {
    Known(LastApplied, Arc<DesiredState>),
    /// The record names documents that cannot be had any more, and why.
    Lost(LastApplied, String),
}

/// How drift is to be told.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// Accounts narrow what is looked at, regions and controls what is told.
    pub selection: Selection,
    /// From when on calls are looked up; absent, from each account's last apply on.
    pub since: Option<Timestamp>,
}

/// What became of a run of drift.
#[must_use = "drift that nobody reads about goes on"]
#[derive(Debug)]
pub struct Drift {
    pub organization: Arc<str>,
    pub organization_id: Option<String>,
    /// Of the documents at hand.
    pub revision: Option<String>,
    pub digest: String,
    pub caller: String,
    /// Who looked: the caller itself, because the Organization document names no roles.
    pub own_credentials: bool,
    pub accounts: Vec<DriftAccount>,
    /// Everything that is not as it was last applied and desired, account by account.
    pub findings: Vec<Told>,
    pub totals: DriftTotals,
    pub regions: usize,
    pub controls: usize,
}

/// One account, and what it is compared with.
#[derive(Clone, Debug)]
pub struct DriftAccount {
    pub id: AccountId,
    pub name: Arc<str>,
    pub state: AccountState,
    pub last: Last,
}

/// What an account was compared with.
#[derive(Clone, Debug)]
pub enum Last {
    Applied(LastApplied),
    /// Nothing was ever applied, so nothing has drifted; so many settings are not as the documents at hand say.
    Never {
        open: usize,
    },
    /// As with nothing applied, but something was, and its documents are gone.
    Lost {
        last: LastApplied,
        why: String,
        open: usize,
    },
}

/// A finding, how it stands, and who may have made it so.
#[derive(Clone, Debug)]
pub struct Told {
    pub standing: Standing,
    /// For what has drifted the fields are applied → live; otherwise live → desired.
    pub item: Item,
    /// Live is as it was applied or left then; the documents at hand make it a finding.
    pub at_hand: bool,
    /// It has drifted to what the documents at hand say.
    pub as_wanted: bool,
    /// Looked up for what has drifted.
    pub who: Option<Who>,
}

/// How a finding stands to what was last applied and to the documents at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Standing {
    /// Live is not what was last applied.
    Drifted,
    /// Live is as last applied; the documents at hand say something else, or the last apply left it.
    Unapplied,
    /// AWS is still at it.
    Progressing,
    /// As the last apply left it, and `mode: observe`.
    ObserveOnly,
    Excepted,
    Foreign,
    NotOffered,
    Unknown,
}

/// Counts of findings: each against what was last applied, and those that the documents at hand want otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DriftTotals {
    /// Every setting of what was last applied, once.
    pub last_applied: Counts,
    /// Those that are as they were applied or left then, and are not as the documents at hand say.
    pub at_hand: Counts,
}

/// Counts of findings by standing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "DriftCounts")]
pub struct Counts {
    pub as_applied: usize,
    pub drifted: usize,
    pub unapplied: usize,
    pub progressing: usize,
    pub observe_only: usize,
    pub excepted: usize,
    pub foreign: usize,
    pub not_offered: usize,
    pub unknown: usize,
}

impl Counts {
    fn count(&mut self, standing: Standing) {
        *match standing {
            Standing::Drifted => &mut self.drifted,
            Standing::Unapplied => &mut self.unapplied,
            Standing::Progressing => &mut self.progressing,
            Standing::ObserveOnly => &mut self.observe_only,
            Standing::Excepted => &mut self.excepted,
            Standing::Foreign => &mut self.foreign,
            Standing::NotOffered => &mut self.not_offered,
            Standing::Unknown => &mut self.unknown,
        } += 1;
    }
}

impl Drift {
    pub fn account(&self, id: &AccountId) -> Option<&DriftAccount> {
        self.accounts.iter().find(|account| account.id == *id)
    }

    /// 3 over 4 over 2 over 5 over 0.
    pub fn exit(&self) -> Exit {
        let of_account = |account: &DriftAccount| match (&account.state, &account.last) {
            (AccountState::Refused { .. }, _) => Exit::Refused,
            (AccountState::Unreachable { .. }, _) => Exit::Incomplete,
            (AccountState::NotTried { .. }, _) => Exit::Done,
            (AccountState::Reached, Last::Lost { .. }) => Exit::Incomplete,
            (AccountState::Reached, Last::Never { open }) if *open > 0 => Exit::Unapplied,
            (AccountState::Reached, _) => Exit::Done,
        };
        let of_finding = |told: &Told| match told.standing {
            Standing::Unknown => Exit::Incomplete,
            Standing::Drifted => Exit::Differs,
            Standing::Unapplied | Standing::Progressing => Exit::Unapplied,
            Standing::ObserveOnly | Standing::Excepted | Standing::Foreign | Standing::NotOffered => {
                Exit::Done
            }
        };
        let accounts = self.accounts.iter().map(of_account);
        accounts.chain(self.findings.iter().map(of_finding)).fold(Exit::Done, Exit::worse)
    }
}

/// What happens while drift is looked for, for progress on a terminal.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    Seen(&'a DesiredAccount),
    /// All accounts were seen; so many findings are looked up.
    LookingUp(usize),
}

/// Observes once, plans twice, and looks up who made the difference where there is one.
pub async fn drift(
    observer: &Observer,
    memory: &Memory,
    bases: &BTreeMap<AccountId, Base>,
    wish: &Wish,
    on: &(dyn Fn(Event<'_>) + Sync),
) -> Drift {
    let fleet = observer.fleet();
    let desired = &*fleet.desired;
    let groups = Groups::of(fleet, bases);
    // What is as it was applied is only counted, unless it has to be told which of it is selected.
    let keep_in_sync = !(wish.selection.regions.is_empty() && wish.selection.controls.is_empty());
    let wanted = |account: &&DesiredAccount| {
        wish.selection.accounts.is_empty() || wish.selection.accounts.contains(&account.id)
    };
    let views = stream::iter(desired.accounts.iter().filter(wanted))
        .map(|account| {
            let groups = &groups;
            async move {
                let now = fleet.observe_account(account).await;
                let then = match groups.place(&account.id) {
                    Some(place) => groups.look(place, &account.id, &now, keep_in_sync).await,
                    None => None,
                };
                on(Event::Seen(account));
                (account, Seen::of(desired, fleet.controls, account, &now, keep_in_sync), then)
            }
        })
        .buffered(ACCOUNTS_AT_ONCE)
        .collect::<Vec<_>>()
        .await;

    let mut heads = Vec::new();
    let mut thens: Vec<Vec<Seen<'_>>> = groups.fleets.iter().map(|_| Vec::new()).collect();
    let mut as_applied = 0;
    for (account, head, then) in views {
        heads.push(head);
        if let (Some(then), Some(place)) = (then, groups.place(&account.id)) {
            as_applied += then.in_sync;
            thens[place].push(then);
        }
    }
    let everything = survey::Wish { selection: Selection::default(), keep_in_sync };
    let head = survey::together(desired, fleet.reading_role(), heads, &everything);
    let thens: Vec<Plan> = groups
        .fleets
        .iter()
        .zip(thens)
        .map(|(fleet, seen)| survey::together(&fleet.desired, String::new(), seen, &everything))
        .collect();
    let mut drift = judge::drift(desired, &head, &thens, bases, &wish.selection);
    drift.totals.last_applied.as_applied += as_applied;
    drift.own_credentials = desired.organization.roles.is_none();
    on(Event::LookingUp(drift.totals.last_applied.drifted));
    Box::pin(name_culprits(&mut drift, &Looker::new(fleet, memory), fleet, wish.since)).await;
    drift
}

/// Looks up who made each difference.
async fn name_culprits(drift: &mut Drift, looker: &Looker<'_>, fleet: &Fleet, since: Option<Timestamp>) {
    let lasts: HashMap<&AccountId, &LastApplied> = drift
        .accounts
        .iter()
        .filter_map(|account| match &account.last {
            Last::Applied(last) => Some((&account.id, last)),
            Last::Never { .. } | Last::Lost { .. } => None,
        })
        .collect();
    let drifted = drift.findings.iter_mut().filter(|told| told.standing == Standing::Drifted);
    stream::iter(drifted)
        .map(|told| {
            let last = lasts.get(&told.item.scope.account).copied();
            async move {
                let (Some(last), Some(control)) = (last, fleet.control(&told.item.control)) else { return };
                let since = since.unwrap_or(last.at);
                let resource = &told.item.finding.resource;
                let who =
                    looker.who(&told.item.scope, control.meta(), resource, since, Some(&last.run)).await;
                told.who = Some(who);
            }
        })
        .buffer_unordered(LOOK_UPS_AT_ONCE)
        .collect::<()>()
        .await;
}

/// The desired states that were last applied, each once, and which account had which.
struct Groups {
    fleets: Vec<Fleet>,
    places: HashMap<AccountId, usize>,
}

impl Groups {
    /// What was applied is looked at as what is at hand is: with the roles of today.
    fn of(fleet: &Fleet, bases: &BTreeMap<AccountId, Base>) -> Self {
        let mut groups = Self { fleets: Vec::new(), places: HashMap::new() };
        let mut known: Vec<(*const DesiredState, usize)> = Vec::new();
        for (id, base) in bases {
            let Base::Known(_, base) = base else { continue };
            let same = known.iter().find(|(other, _)| *other == Arc::as_ptr(base)).map(|(_, place)| *place);
            let place = same.unwrap_or_else(|| {
                known.push((Arc::as_ptr(base), groups.fleets.len()));
                let mut then = DesiredState::clone(base);
                then.organization.roles.clone_from(&fleet.desired.organization.roles);
                groups.fleets.push(fleet.with(Arc::new(then)));
                groups.fleets.len() - 1
            });
            groups.places.insert(id.clone(), place);
        }
        groups
    }

    fn place(&self, account: &AccountId) -> Option<usize> {
        self.places.get(account).copied()
    }

    /// What was seen of an account, as answers to what was asked of it then.
    async fn look(
        &self,
        place: usize,
        account: &AccountId,
        now: &AccountView,
        keep_in_sync: bool,
    ) -> Option<Seen<'_>> {
        let fleet = &self.fleets[place];
        let account = fleet.desired.account(account)?;
        let then = match &now.state {
            AccountState::Reached => Box::pin(fleet.observe_beside(account, Some(now))).await,
            closed => AccountView::closed(account, closed.clone()),
        };
        Some(Seen::of(&fleet.desired, fleet.controls, account, &then, keep_in_sync))
    }
}

/// Is something to be done about it, by anybody?
fn is_open(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Change | Outcome::ObserveOnly | Outcome::Manual | Outcome::Blocked { .. })
}
