//! What differs between two desired states: which controls of which accounts a branch changes.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::control::SUPPRESSIONS;
use crate::desired::{DesiredAccount, DesiredControl, DesiredState, Settings};
use crate::digest;
use crate::place::AccountId;

/// Bytes of a digest of what is wanted of an account.
const WANTED: usize = 8;

/// The controls that are wanted otherwise in `head` than in `base`, by account. What an account is looked at with
/// (its regions, its seats, the archive) touches all of its controls; an exception or attestation, those
/// that it is about.
pub fn changed(base: &DesiredState, head: &DesiredState) -> BTreeSet<(AccountId, String)> {
    let everywhere = !same_settings(&base.organization, &head.organization);
    let signed_off = signed_off_otherwise(base, head);
    let mut changed = BTreeSet::new();
    for account in &head.accounts {
        let before = base.account(&account.id).filter(|before| !everywhere && same_place(before, account));
        for (id, control) in account.controls.iter() {
            let same = before
                .and_then(|before| before.controls.get(id))
                .is_some_and(|before| same_control(before, control));
            if !same || signed_off.contains(&(&account.id, id.as_str())) {
                changed.insert((account.id.clone(), id.clone()));
            }
        }
    }
    changed
}

/// A digest of what is wanted of each account, the same in every process: another one where [`changed`] finds something,
/// and only there.
pub fn wanted(state: &DesiredState) -> BTreeMap<AccountId, String> {
    let Settings { id, seats, archive, tags, networks, .. } = &state.organization;
    let settings = format!("{:?}", (id, seats, archive, tags, networks));
    let mut signed_off: BTreeMap<&AccountId, BTreeSet<(&str, String)>> = BTreeMap::new();
    for (account, control, about) in exceptions(state).chain(attestations(state)) {
        signed_off.entry(account).or_default().insert((control, about));
    }
    // Accounts of which the same is wanted share one copy.
    let mut controls: HashMap<*const BTreeMap<String, DesiredControl>, String> = HashMap::new();
    let of = |account: &DesiredAccount| {
        let place = (&account.state, &account.home, &account.managed, &account.seats);
        let suspend = account.suspend.as_ref().map(ToString::to_string);
        let except: Vec<&String> = account.except.keys().collect();
        let wanted = controls.entry(Arc::as_ptr(&account.controls)).or_insert_with(|| {
            let one = |(id, control): (&String, &DesiredControl)| {
                let DesiredControl { spec, mode, on_conflict, regions, .. } = control;
                serde_json::json!([id, spec, mode, on_conflict, format!("{regions:?}")])
            };
            digest::short(&account.controls.iter().map(one).collect::<Vec<_>>(), WANTED)
        });
        let all = (&settings, format!("{place:?}"), except, suspend, wanted, signed_off.get(&account.id));
        (account.id.clone(), digest::short(&all, WANTED))
    };
    state.accounts.iter().map(of).collect()
}

/// Everything of the organisation that specs and facts are filled in with.
fn same_settings(base: &Settings, head: &Settings) -> bool {
    base.id == head.id
        && base.seats == head.seats
        && base.archive == head.archive
        && base.tags == head.tags
        && base.networks == head.networks
}

fn same_place(base: &DesiredAccount, head: &DesiredAccount) -> bool {
    base.state == head.state
        && base.home == head.home
        && base.managed == head.managed
        && base.except.keys().eq(head.except.keys())
        && base.seats == head.seats
        && base.suspend == head.suspend
}

fn same_control(base: &DesiredControl, head: &DesiredControl) -> bool {
    base.spec == head.spec
        && base.mode == head.mode
        && base.on_conflict == head.on_conflict
        && base.regions == head.regions
}

/// The controls of accounts that an exception or attestation is about which only one of the two has.
fn signed_off_otherwise<'a>(
    base: &'a DesiredState,
    head: &'a DesiredState,
) -> BTreeSet<(&'a AccountId, &'a str)> {
    let all = |state| exceptions(state).chain(attestations(state)).collect::<BTreeSet<_>>();
    let (base, head) = (all(base), all(head));
    base.symmetric_difference(&head).map(|(account, control, _)| (*account, *control)).collect()
}

/// What is signed for, in words that are equal where it is.
type SignedOff<'a> = (&'a AccountId, &'a str, String);

fn exceptions(state: &DesiredState) -> impl Iterator<Item = SignedOff<'_>> {
    state.exceptions.iter().flat_map(|one| {
        let about = (&one.rule, &one.regions, &one.resources, &one.resource_tags, &one.suppresses);
        let about = format!("{:?}", (one.name(), about, one.expires.value));
        // Whoever suppresses findings does more than to leave its own control alone.
        let also = (!one.suppresses.is_empty()).then_some(SUPPRESSIONS);
        let controls: Vec<&str> = [one.control.as_str()].into_iter().chain(also).collect();
        let accounts = state.accounts.iter().filter(move |account| one.means(account));
        accounts.flat_map(move |account| {
            let about = about.clone();
            controls.clone().into_iter().map(move |control| (&account.id, control, about.clone()))
        })
    })
}

fn attestations(state: &DesiredState) -> impl Iterator<Item = SignedOff<'_>> {
    state.attestations.iter().flat_map(|one| {
        let about = format!("{:?}", (&one.rule, one.expires.value));
        let accounts = state.accounts.iter().filter(move |account| one.means(&account.id, &account.name));
        accounts.map(move |account| (&account.id, one.control.as_str(), about.clone()))
    })
}
