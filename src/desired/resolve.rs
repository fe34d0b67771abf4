//! From documents and a roster to what each account is to be.

mod controls;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use crate::control::Accounts;
use crate::desired::Documents;
use crate::desired::control::{self, Mode, OnConflict, RegionWord};
use crate::desired::merge::Origin;
use crate::desired::model::{Account, Managed, Selector, Suspend};
use crate::desired::read::Problems;
use crate::desired::resolve::controls::Merging;
use crate::desired::select::{self, Candidate, Roster, RosterAccount, Status};
use crate::diagnostic::{Diagnostic, Position};
use crate::place::{AccountId, Region, Seat};

/// What is wanted of every account.
#[must_use = "its diagnostics have to be shown"]
#[derive(Clone, Debug)]
pub struct Resolved {
    /// By name, then id.
    pub accounts: Vec<DesiredAccount>,
    pub diagnostics: Vec<Diagnostic>,
    /// Baselines whose `where` only AWS Organizations could decide, and the roster was empty: left out.
    pub undecided: BTreeSet<String>,
}

/// What is wanted of one account.
#[derive(Clone, Debug)]
pub struct DesiredAccount {
    pub id: AccountId,
    pub name: Arc<str>,
    pub seats: BTreeSet<Seat>,
    /// Of its document.
    pub labels: BTreeMap<String, String>,
    /// As AWS Organizations lists it; absent where nobody asked.
    pub listed: Option<RosterAccount>,
    pub state: AccountStanding,
    pub home: Region,
    pub managed: Managed,
    /// Regions that are left alone, each with the reason.
    pub except: BTreeMap<String, String>,
    /// Its own suspension, or the organisation's: looked at, never changed.
    pub suspend: Option<Suspend>,
    /// By id. Accounts of which the same is wanted share one copy.
    pub controls: Arc<BTreeMap<String, DesiredControl>>,
    /// The notifications that tell what happens in it, by name.
    pub notifications: Vec<String>,
    /// When its turn comes, where there is a rollout; from 1.
    pub wave: Option<u32>,
}

impl DesiredAccount {
    /// As a `where` looks at it.
    pub fn candidate(&self) -> Candidate<'_> {
        Candidate {
            id: Some(&self.id),
            name: &self.name,
            seats: &self.seats,
            labels: &self.labels,
            listed: self.listed.as_ref(),
        }
    }
}

/// Is the account looked after?
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountStanding {
    Managed,
    /// Suspended, or excepted in the Organization document: listed, never called.
    NotTried {
        why: String,
    },
}

/// What is wanted of one control in one account.
#[derive(Clone, Debug)]
pub struct DesiredControl {
    /// Without shared words; templates not filled in, because that depends on the region.
    pub spec: Arc<Value>,
    /// Does a placeholder stand in it? Where none does, all scopes share the one spec.
    pub has_templates: bool,
    pub mode: Mode,
    pub on_conflict: OnConflict,
    /// Absent: wherever the control's reach says.
    pub regions: Option<Vec<RegionWord>>,
    pub reason: Option<String>,
    /// Where every leaf of the spec, and everything inside lists, was said, by JSON pointer.
    pub origins: BTreeMap<String, Position>,
    /// The same of the shared words, by word.
    pub word_origins: BTreeMap<String, Position>,
}

/// One account before merging.
struct Draft<'d> {
    id: AccountId,
    name: Arc<str>,
    document: Option<&'d Account>,
    listed: Option<&'d RosterAccount>,
    seats: BTreeSet<Seat>,
}

impl Draft<'_> {
    fn candidate(&self) -> Candidate<'_> {
        static NONE: BTreeMap<String, String> = BTreeMap::new();
        Candidate {
            id: Some(&self.id),
            name: &self.name,
            seats: &self.seats,
            labels: self.document.map_or(&NONE, |document| &document.metadata.labels),
            listed: self.listed,
        }
    }
}

impl Documents {
    /// Merges what the documents say for every account: those with a document and, with
    /// `accounts.discover`, those of the roster. An empty roster means that nobody asked: then only accounts
    /// with a document and an id exist, and units and AWS tags match nothing.
    ///
    /// Errors among the diagnostics mean that nothing may be observed.
    pub fn resolve(&self, roster: &Roster) -> Resolved {
        let mut problems = Problems::new();
        let drafts = self.drafts(roster, &mut problems);
        self.seats_are_filled(&drafts, roster, &mut problems);
        let mut merging = Merging::new(self);
        let mut undecided = BTreeSet::new();
        let mut accounts = Vec::new();
        for draft in &drafts {
            let listed = self.listed_for(draft, &mut undecided);
            let controls = merging.controls(draft, listed, &mut problems);
            if let Some(account) = self.account(draft, controls) {
                accounts.push(account);
            }
        }
        merging.tell(&mut problems);
        accounts.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
        Resolved { accounts, diagnostics: problems, undecided }
    }

    fn drafts<'d>(&'d self, roster: &'d Roster, problems: &mut Problems) -> Vec<Draft<'d>> {
        let mut drafts = BTreeMap::new();
        for document in &self.accounts {
            let name = &document.metadata.name;
            let listed = match &document.id {
                Some(id) => roster.accounts.iter().find(|one| one.id == id.value),
                None => {
                    let mut named = roster.accounts.iter().filter(|one| one.name == name.value);
                    match (named.next(), named.next()) {
                        (Some(one), None) => Some(one),
                        (found, _) if !roster.accounts.is_empty() => {
                            let count =
                                if found.is_some() { "several accounts are" } else { "no account is" };
                            problems.push(
                                Diagnostic::error(format!(
                                    "{count} called `{}` in AWS Organizations",
                                    name.value
                                ))
                                .at(name.span)
                                .suggest(&name.value, roster.accounts.iter().map(|one| one.name.as_str()))
                                .help("`spec.id` says which one is meant"),
                            );
                            None
                        }
                        _ => None,
                    }
                }
            };
            if let (Some(id), None, false) = (&document.id, listed, roster.accounts.is_empty()) {
                problems.push(
                    Diagnostic::warning(format!("AWS Organizations does not list account {}", id.value))
                        .at(id.span)
                        .note("it may have left the organisation; it is tried all the same"),
                );
            }
            let id = document.id.as_ref().map(|id| &id.value).or(listed.map(|listed| &listed.id));
            if let Some(id) = id {
                drafts.insert(id.clone(), self.draft(id, &name.value, Some(document), listed));
            }
        }
        if self.organization.accounts.discover {
            for listed in &roster.accounts {
                drafts
                    .entry(listed.id.clone())
                    .or_insert_with(|| self.draft(&listed.id, &listed.name, None, Some(listed)));
            }
        }
        drafts.into_values().collect()
    }

    fn draft<'d>(
        &self,
        id: &AccountId,
        name: &str,
        document: Option<&'d Account>,
        listed: Option<&'d RosterAccount>,
    ) -> Draft<'d> {
        let seats = self.organization.seats.iter();
        let seats = seats.filter(|(_, holder)| &holder.value == id).map(|(seat, _)| *seat).collect();
        Draft { id: id.clone(), name: name.into(), document, listed, seats }
    }

    /// A control of a seat needs that seat's account to run in.
    fn seats_are_filled(&self, drafts: &[Draft<'_>], roster: &Roster, problems: &mut Problems) {
        if self.organization.accounts.discover && roster.accounts.is_empty() {
            return;
        }
        for declared in &self.organization.controls {
            let Some(seat) = self.seat_of(&declared.id) else { continue };
            let Some(holder) = self.organization.seats.get(&seat) else { continue };
            if !drafts.iter().any(|draft| draft.id == holder.value) {
                problems.push(
                    Diagnostic::error(format!("`{}` has no account to run in", declared.id))
                        .at(declared.span)
                        .also(holder.span, "no Account document has this id")
                        .help("write one, or set `accounts.discover: true`"),
                );
            }
        }
    }

    fn seat_of(&self, id: &str) -> Option<Seat> {
        match control::find(id, self.controls)?.meta().reach.accounts {
            Accounts::Seat(seat) => Some(seat),
            Accounts::Each => None,
        }
    }

    /// The baselines of the Organization's list that are for this account.
    fn listed_for(&self, draft: &Draft<'_>, undecided: &mut BTreeSet<String>) -> Vec<Origin> {
        let candidate = draft.candidate();
        let mut found = Vec::new();
        for one in &self.organization.baselines {
            let meant = one.selector.as_ref().map_or(Some(true), |part| select::matches(part, &candidate));
            let baseline = self.shelf.find(&one.baseline.value);
            match (meant, baseline) {
                (Some(true), Some(baseline)) if !found.contains(&baseline) => found.push(baseline),
                (None, _) => drop(undecided.insert(one.baseline.value.clone())),
                _ => {}
            }
        }
        found
    }

    /// The notifications that are for this account. What only AWS Organizations could tell is not for it.
    fn told_of(&self, account: &Candidate<'_>) -> Vec<String> {
        let all = self.organization.notifications.iter();
        let means = |where_: &Option<Selector>| {
            where_.as_ref().is_none_or(|selector| select::matches(selector, account) == Some(true))
        };
        all.filter(|one| means(&one.selector)).map(|one| one.name.clone()).collect()
    }

    fn account(
        &self,
        draft: &Draft<'_>,
        controls: Arc<BTreeMap<String, DesiredControl>>,
    ) -> Option<DesiredAccount> {
        let organization = &self.organization;
        let own = draft.document.map(|document| &document.regions);
        let home = own.and_then(|own| own.home.as_ref()).or(organization.regions.home.as_ref())?;
        let managed = own.and_then(|own| own.managed.as_ref()).or(organization.regions.managed.as_ref());
        let mut except = organization.regions.except.clone();
        except.extend(own.into_iter().flat_map(|own| own.except.clone()));
        let state = match (organization.accounts.except.get(&draft.id), draft.listed.map(|one| &one.status)) {
            (Some(why), _) | (None, Some(Status::Suspended(why))) => {
                AccountStanding::NotTried { why: why.clone() }
            }
            (None, Some(Status::Active) | None) => AccountStanding::Managed,
        };
        Some(DesiredAccount {
            id: draft.id.clone(),
            name: Arc::clone(&draft.name),
            seats: draft.seats.clone(),
            labels: draft.document.map(|document| document.metadata.labels.clone()).unwrap_or_default(),
            listed: draft.listed.cloned(),
            state,
            home: home.value.clone(),
            managed: managed.cloned().unwrap_or_default(),
            except,
            suspend: draft.document.and_then(|own| own.suspend.clone()).or(organization.suspend.clone()),
            controls,
            notifications: self.told_of(&draft.candidate()),
            wave: organization.rollout.as_ref().and_then(|rollout| rollout.named(&draft.candidate())),
        })
    }
}
