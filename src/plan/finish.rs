//! From the findings of all accounts to one plan: exceptions, modes, needs, order, totals.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::excepted::{Excepted, standings, with_unknown_tags};
use super::{AccountState, Item, Link, Outcome, Plan, PlannedAccount, Raw, Settling, Totals, order, settle};
use crate::control::{Accounts, Finding, Known, Meta, Need, Regions, Rule, Severity, Thing, Verdict};
use crate::desired::{DesiredState, Exception, Mode, OnConflict, Suspend, day};
use crate::place::{AccountId, Scope};

/// What `--account`, `--region` and `--control` select. Empty lists select everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    pub accounts: BTreeSet<AccountId>,
    pub regions: BTreeSet<String>,
    pub controls: BTreeSet<String>,
    /// `--changed-since`: these controls of these accounts. Absent: all.
    pub changed: Option<BTreeSet<(AccountId, String)>>,
}

impl Selection {
    pub fn is_everything(&self) -> bool {
        self.accounts.is_empty()
            && self.regions.is_empty()
            && self.controls.is_empty()
            && self.changed.is_none()
    }

    /// Could anything of this account be selected?
    pub fn touches(&self, account: &AccountId) -> bool {
        (self.accounts.is_empty() || self.accounts.contains(account))
            && self.changed.as_ref().is_none_or(|changed| changed.iter().any(|(one, _)| one == account))
    }

    pub fn covers(&self, scope: &Scope, control: &str) -> bool {
        (self.accounts.is_empty() || self.accounts.contains(&scope.account))
            && (self.regions.is_empty() || self.regions.contains(scope.region.as_str()))
            && (self.controls.is_empty() || self.controls.contains(control))
            && self
                .changed
                .as_ref()
                .is_none_or(|changed| changed.contains(&(scope.account.clone(), control.to_owned())))
    }
}

/// What stands above a plan.
#[derive(Clone, Debug)]
pub struct Heading {
    pub caller: String,
    pub accounts: Vec<PlannedAccount>,
    /// When the last of them was looked at; absent where none was reached.
    pub at: Option<Timestamp>,
    /// Findings in sync that were counted rather than kept.
    pub in_sync: usize,
    pub known: Known,
}

/// Settles every finding, puts changes in order, and adds up. `raws` come account by account in wave order.
pub fn finish(desired: &DesiredState, heading: Heading, raws: Vec<Raw<'_>>, selection: &Selection) -> Plan {
    let selected: Vec<bool> =
        raws.iter().map(|raw| selection.covers(&raw.facts.scope, raw.control.meta().id)).collect();
    let closed = closed(&heading.accounts);
    let raws: Vec<Raw<'_>> =
        raws.into_iter().map(|raw| with_unknown_needs(raw, &heading.known, &closed)).collect();
    let raws: Vec<Raw<'_>> = raws.into_iter().map(|raw| with_unknown_tags(desired, raw)).collect();
    let excepted: Vec<Excepted<'_>> = raws.iter().map(|raw| Excepted::of(desired, raw)).collect();
    let outcomes = outcomes(desired, &heading.known, &raws, &excepted, &selected);
    let exceptions = standings(desired, &heading.accounts, heading.at, &raws, &excepted, &outcomes);
    let mut totals = Totals { in_sync: heading.in_sync, ..Totals::default() };
    let mut specs = BTreeMap::new();
    let mut items = Vec::with_capacity(raws.len());
    let (mut regions, mut controls) = (BTreeSet::new(), BTreeSet::new());
    for account in &heading.accounts {
        regions.extend(account.regions.iter().cloned());
    }
    for account in heading.accounts.iter().filter_map(|account| desired.account(&account.id)) {
        controls.extend(account.controls.keys());
    }
    let mut alike = Alike::default();
    for (((raw, outcome), excepted), selected) in raws.into_iter().zip(outcomes).zip(excepted).zip(selected) {
        totals.count(&outcome);
        let meta = raw.control.meta();
        if outcome == Outcome::Change {
            specs.insert((raw.facts.scope.clone(), meta.id.to_owned()), Arc::clone(&raw.spec));
        }
        items.push(item(desired, &mut alike, raw, outcome, &excepted, selected));
    }
    totals.unknown += closed.len();
    Plan {
        organization: desired.organization.name.as_str().into(),
        organization_id: desired.organization.id.clone(),
        revision: desired
            .revision
            .as_ref()
            .map(|revision| format!("{}{}", revision.short, if revision.dirty { "+" } else { "" })),
        digest: desired.digest.clone(),
        caller: heading.caller,
        accounts: heading.accounts,
        items,
        exceptions,
        totals,
        specs,
        known: heading.known,
        regions: regions.len(),
        controls: controls.len(),
    }
}

/// The accounts that no session was opened in: one finding each.
fn closed(accounts: &[PlannedAccount]) -> BTreeSet<AccountId> {
    let is_closed = |account: &&PlannedAccount| {
        matches!(account.state, AccountState::Unreachable { .. } | AccountState::Refused { .. })
    };
    accounts.iter().filter(is_closed).map(|account| account.id.clone()).collect()
}

/// A change whose hard need could not be looked at is not known to be possible, and so is not known. Where the
/// need's whole account could not be opened, that is a finding already, and this one is blocked by it.
fn with_unknown_needs<'a>(raw: Raw<'a>, known: &Known, closed: &BTreeSet<AccountId>) -> Raw<'a> {
    if raw.finding.change().is_none() {
        return raw;
    }
    let mut hard = raw.needs.iter().filter(|need| need.hard && !closed.contains(need.thing.account()));
    match hard.find_map(|need| known.fault(&need.thing)).cloned() {
        Some(fault) => {
            let finding = Finding { verdict: Verdict::Unknown { fault }, ..*raw.finding };
            Raw { finding: Box::new(finding), ..raw }
        }
        None => raw,
    }
}

/// Outcomes, until what is made and what is blocked agree: a change that is blocked makes nothing, which may
/// block another.
fn outcomes(
    desired: &DesiredState,
    known: &Known,
    raws: &[Raw<'_>],
    excepted: &[Excepted<'_>],
    selected: &[bool],
) -> Vec<Outcome> {
    let attested: Vec<bool> = raws.iter().map(|raw| attested(desired, raw)).collect();
    let waves: Vec<Option<u32>> = raws.iter().map(|raw| wave(desired, raw)).collect();
    let makers = |happen: &dyn Fn(usize) -> bool| {
        let mut made: Made = BTreeMap::new();
        for place in (0..raws.len()).filter(|&place| happen(place)) {
            made.entry(waves[place]).or_default().extend(makes(&raws[place]).cloned());
        }
        made
    };
    let mut made = makers(&|_| true);
    loop {
        let by_wave = by_wave(&made, &waves);
        let outcomes: Vec<Outcome> = raws
            .iter()
            .enumerate()
            .map(|(place, raw)| {
                let (made, made_later) = &by_wave[&waves[place]];
                let with = Settling {
                    observe_only: raw.declared.mode == Mode::Observe || suspended(desired, raw).is_some(),
                    fail_on_conflict: raw.declared.on_conflict == OnConflict::Fail,
                    exception: excepted[place].by.map(Exception::name),
                    attested: attested[place],
                    needs: &raw.needs,
                    known,
                    made,
                    made_later,
                };
                settle(&raw.finding, &with)
            })
            .collect();
        let still = makers(&|place| outcomes[place] == Outcome::Change && selected[place]);
        if still == made {
            return block_circles(raws, outcomes);
        }
        made = still;
    }
}

/// What changes make, by wave.
type Made = BTreeMap<Option<u32>, BTreeSet<Thing>>;

fn wave(desired: &DesiredState, raw: &Raw<'_>) -> Option<u32> {
    desired.account(&raw.facts.scope.account)?.wave
}

/// For each wave, what is made up to it and what only after it.
fn by_wave(made: &Made, waves: &[Option<u32>]) -> BTreeMap<Option<u32>, (BTreeSet<Thing>, BTreeSet<Thing>)> {
    let all: BTreeSet<Option<u32>> = waves.iter().copied().collect();
    let within = |range: &mut dyn Iterator<Item = (&Option<u32>, &BTreeSet<Thing>)>| {
        range.flat_map(|(_, things)| things).cloned().collect::<BTreeSet<Thing>>()
    };
    all.into_iter()
        .map(|wave| {
            let soon = within(&mut made.range(..=wave));
            let later = within(&mut made.iter().filter(|(other, _)| **other > wave));
            (wave, (soon, later))
        })
        .collect()
}

fn makes<'a>(raw: &'a Raw<'_>) -> impl Iterator<Item = &'a Thing> {
    raw.finding.change().into_iter().flat_map(|change| &change.makes)
}

/// Changes that stand on each other cannot be ordered: none of them is made.
fn block_circles(raws: &[Raw<'_>], mut outcomes: Vec<Outcome>) -> Vec<Outcome> {
    let places: Vec<usize> = (0..raws.len()).filter(|&place| outcomes[place] == Outcome::Change).collect();
    let links: Vec<Link<'_>> = places
        .iter()
        .filter_map(|&place| {
            let change = raws[place].finding.change()?;
            Some(Link { makes: &change.makes, needs: &raws[place].needs })
        })
        .collect();
    if let Err(super::Cycle(circle)) = order(&links) {
        for place in circle.into_iter().map(|n| places[n]) {
            let on = raws[place].needs.iter().map(|need: &Need| need.thing.clone()).collect();
            let why = Some("these changes stand on each other".to_owned());
            outcomes[place] = Outcome::Blocked { on, why };
        }
    }
    outcomes
}

/// The suspension that holds for a finding's account.
fn suspended<'a>(desired: &'a DesiredState, raw: &Raw<'_>) -> Option<&'a Suspend> {
    let suspend = desired.account(&raw.facts.scope.account)?.suspend.as_ref();
    suspend.filter(|suspend| suspend.holds(date(raw)))
}

fn attested(desired: &DesiredState, raw: &Raw<'_>) -> bool {
    let Some(account) = desired.account(&raw.facts.scope.account) else { return false };
    desired.attestations.iter().any(|attestation| {
        let (control, rule) = (raw.control.meta().id, &raw.finding.rule);
        attestation.matches(&account.id, &account.name, control, rule, date(raw))
    })
}

fn date(raw: &Raw<'_>) -> jiff::civil::Date {
    day(raw.facts.observed_at)
}

/// Account-wide controls have no region worth naming.
fn region_of(raw: &Raw<'_>) -> Option<crate::place::Region> {
    let reach = raw.control.meta().reach;
    let wide = reach.regions == Regions::Home && reach.accounts == Accounts::Each;
    (!wide).then(|| raw.facts.scope.region.clone())
}

/// What many findings say in the same words is kept once.
#[derive(Default)]
struct Alike {
    paths: BTreeSet<Arc<str>>,
    frameworks: BTreeMap<(&'static str, &'static str), Arc<[String]>>,
}

impl Alike {
    fn path(&mut self, path: &str) -> Arc<str> {
        if let Some(path) = self.paths.get(path) {
            return Arc::clone(path);
        }
        let path: Arc<str> = path.into();
        self.paths.insert(Arc::clone(&path));
        path
    }

    /// Of one of the control's rules.
    fn frameworks(&mut self, meta: &'static Meta, rule: &'static Rule) -> Arc<[String]> {
        let own = || rule.frameworks.iter().map(ToString::to_string).collect();
        Arc::clone(self.frameworks.entry((meta.id, rule.id)).or_insert_with(own))
    }
}

fn item(
    desired: &DesiredState,
    alike: &mut Alike,
    raw: Raw<'_>,
    outcome: Outcome,
    excepted: &Excepted<'_>,
    selected: bool,
) -> Item {
    let meta = raw.control.meta();
    let rule = meta.rule(&raw.finding.rule);
    let mut declared_at: Vec<_> = raw
        .finding
        .change()
        .into_iter()
        .flat_map(|change| &change.fields)
        .filter_map(|field| Some((alike.path(&field.path), raw.declared.position(&field.path)?.clone())))
        .collect();
    declared_at.sort();
    declared_at.dedup_by(|one, other| one.0 == other.0);
    declared_at.shrink_to_fit();
    let is_settled = matches!(outcome, Outcome::InSync | Outcome::Unknown);
    let exception_note = match &outcome {
        Outcome::Excepted { .. } => excepted.note(),
        Outcome::ObserveOnly if raw.declared.mode != Mode::Observe => {
            suspended(desired, &raw).map(ToString::to_string)
        }
        _ => None,
    };
    // Whoever signed for a change that weakens has said why; the account's own document goes before it.
    let signed = raw.finding.change().and_then(|change| change.reason.clone());
    Item {
        region: region_of(&raw),
        scope: raw.facts.scope.clone(),
        control: meta.id.to_owned(),
        severity: rule.map_or(Severity::Medium, |rule| rule.severity).into(),
        frameworks: rule.map(|rule| alike.frameworks(meta, rule)).unwrap_or_default(),
        needs: if raw.finding.change().is_some() { raw.needs } else { Arc::default() },
        finding: *raw.finding,
        outcome,
        exception_note,
        lapsed: excepted.lapsed().filter(|_| !is_settled),
        reason: raw.declared.reason.clone().or(signed),
        declared_at,
        declared: raw.declared.origins.values().next().cloned(),
        selected,
    }
}
