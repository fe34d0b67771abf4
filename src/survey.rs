//! Looking and planning, account by account: what `plan`, `apply` and the controller all begin with.
//!
//! An account is planned as soon as it has been seen, and what was seen of it is let go: of a thousand
//! accounts only the findings that will be reported are kept.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::stream::{self, StreamExt as _};
use jiff::Timestamp;

use crate::aws::organization::Member;
use crate::control::{ErasedControl, Found, Known, Thing, Verdict};
use crate::desired::{DesiredAccount, DesiredState, Managed};
use crate::inventory::{AccountView, Inventory};
use crate::observe::{Fleet, targets};
use crate::place::Region;
use crate::plan::{self, AccountState, Heading, Plan, PlannedAccount, Raw, Selection, finish};

/// Accounts that are observed at once. Each has rates of its own, so this bounds memory and sockets only.
pub(crate) const ACCOUNTS_AT_ONCE: usize = 32;

/// How a plan is to be made.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    pub selection: Selection,
    /// Keep what is in sync as well, for `--show in-sync`.
    pub keep_in_sync: bool,
}

/// Hears of every account that is done.
pub type OnAccount<'a> = &'a (dyn Fn(&DesiredAccount) + Sync);

/// Observes all accounts and plans them. Selection narrows what may be changed, never what is looked at.
pub async fn plan(fleet: &Fleet, wish: &Wish, on: OnAccount<'_>) -> Plan {
    let desired = &*fleet.desired;
    let seen: Vec<Seen<'_>> = stream::iter(&desired.accounts)
        .map(|account| async move {
            let view = fleet.observe_account(account).await;
            on(account);
            Seen::of(desired, fleet.controls, account, &view, wish.keep_in_sync)
        })
        .buffered(ACCOUNTS_AT_ONCE)
        .collect()
        .await;
    together(desired, fleet.reading_role(), seen, wish)
}

/// The same of one account: what the controller does at its turn. The others are not looked at, and what stands on
/// them is asked of them.
pub async fn plan_account(fleet: &Fleet, account: &DesiredAccount, wish: &Wish) -> Plan {
    let desired = &*fleet.desired;
    let view = fleet.observe_account(account).await;
    let seen = Seen::of(desired, fleet.controls, account, &view, wish.keep_in_sync);
    together(desired, fleet.reading_role(), vec![seen], wish)
}

/// As [`plan()`], from an inventory instead of AWS. Pure.
pub fn plan_offline(
    desired: &DesiredState,
    controls: &[&'static dyn ErasedControl],
    inventory: &Inventory,
    wish: &Wish,
) -> Plan {
    let seen = desired.accounts.iter().map(|account| match inventory.account(&account.id) {
        Some(view) => Seen::of(desired, controls, account, view, wish.keep_in_sync),
        None => {
            let why = "the inventory does not hold this account: run `baseline observe` again";
            let fault = crate::fault::Fault::local(crate::fault::FaultKind::Invalid, "inventory", why);
            let view = AccountView::closed(account, AccountState::Unreachable { fault });
            Seen::of(desired, controls, account, &view, wish.keep_in_sync)
        }
    });
    together(desired, inventory.caller.clone(), seen.collect(), wish)
}

/// Observes all accounts and keeps everything.
pub async fn inventory(fleet: &Fleet, members: Vec<Member>, on: OnAccount<'_>) -> Inventory {
    let accounts = stream::iter(&fleet.desired.accounts)
        .map(|account| async move {
            let view = fleet.observe_account(account).await;
            on(account);
            view
        })
        .buffered(ACCOUNTS_AT_ONCE)
        .collect()
        .await;
    Inventory::new(fleet.reading_role(), fleet.aws.journal().reads(), members, accounts)
}

/// What is kept of one account.
pub(crate) struct Seen<'a> {
    account: PlannedAccount,
    at: Option<Timestamp>,
    raws: Vec<Raw<'a>>,
    /// Those in sync that were counted rather than kept.
    pub(crate) in_sync: usize,
    known: Vec<(Thing, Found)>,
}

impl<'a> Seen<'a> {
    pub(crate) fn of(
        desired: &DesiredState,
        controls: &[&'static dyn ErasedControl],
        account: &'a DesiredAccount,
        view: &AccountView,
        keep_in_sync: bool,
    ) -> Self {
        let regions = view.seen.as_ref().map(|seen| seen.regions.clone()).unwrap_or_default();
        let targets = targets(controls, account, &regions);
        let mut raws = plan::account(&desired.organization, account, view, &targets);
        let mut by_control: BTreeMap<String, usize> = BTreeMap::new();
        for raw in raws.iter().filter(|raw| matches!(raw.finding.verdict, Verdict::InSync)) {
            *by_control.entry(raw.control.meta().id.to_owned()).or_default() += 1;
        }
        let in_sync = if keep_in_sync { 0 } else { by_control.values().sum() };
        if !keep_in_sync {
            raws.retain(|raw| !matches!(raw.finding.verdict, Verdict::InSync));
        }
        let regions = match view.state {
            AccountState::Reached | AccountState::NotTried { .. } => regions,
            AccountState::Unreachable { .. } | AccountState::Refused { .. } => said(account),
        };
        let account = PlannedAccount {
            id: account.id.clone(),
            name: Arc::clone(&account.name),
            state: view.state.clone(),
            regions,
            controls: account.controls.len(),
            in_sync: by_control,
            wave: account.wave,
        };
        let at = view.seen.as_ref().map(|seen| seen.observed_at);
        Self { account, at, raws, in_sync, known: view.known.clone().into() }
    }
}

/// The regions that the documents name, for an account that nothing was seen of.
fn said(account: &DesiredAccount) -> Vec<Region> {
    match &account.managed {
        Managed::Listed(regions) => {
            regions.iter().filter(|region| !account.except.contains_key(region.as_str())).cloned().collect()
        }
        Managed::AllEnabled => Vec::new(),
    }
}

/// One plan of all accounts that were seen.
pub(crate) fn together(desired: &DesiredState, caller: String, seen: Vec<Seen<'_>>, wish: &Wish) -> Plan {
    let mut heading = Heading { caller, accounts: Vec::new(), at: None, in_sync: 0, known: Known::default() };
    let (mut raws, mut known) = (Vec::new(), Vec::new());
    for account in seen {
        heading.accounts.push(account.account);
        heading.at = heading.at.max(account.at);
        heading.in_sync += account.in_sync;
        raws.extend(account.raws);
        known.extend(account.known);
    }
    heading.known = Known::new(known);
    finish(desired, heading, raws, &wish.selection)
}
