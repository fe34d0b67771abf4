//! One account that is looked at again and again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use super::super::past;
use super::super::*;
use crate::apply::{ApplyReport, ChangeReport, ChangeResult, Remaining};
use crate::control::{Change, Field, Finding, Step, Verdict};
use crate::desired::{AccountStanding, DesiredAccount, DesiredControl, Managed, Mode, OnConflict};
use crate::fault::{Fault, FaultKind};
use crate::place::Scope;
use crate::plan::{AccountState, Item, Outcome, Plan, PlannedAccount, SeverityWord, Totals};

const CONTROL: &str = "guardduty.detector";

fn id() -> AccountId {
    "111122223333".parse().expect("12 digits")
}

fn region() -> Region {
    Region::new("eu-west-1")
}

pub fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + 60 * minute).expect("a time")
}

pub fn item(verdict: Verdict<Step>, outcome: Outcome) -> Item {
    Item {
        scope: Scope { account: id(), region: region() },
        control: CONTROL.to_owned(),
        region: Some(region()),
        severity: SeverityWord::High,
        frameworks: Arc::default(),
        finding: Finding::new("detector", "enabled", verdict),
        outcome,
        needs: Arc::default(),
        exception_note: None,
        lapsed: None,
        reason: None,
        declared_at: Vec::new(),
        declared: None,
        selected: true,
    }
}

pub fn change(after: bool) -> Item {
    let step = Step {
        call: "guardduty:UpdateDetector".into(),
        title: "switch it on".into(),
        action: json!({}).into(),
    };
    let change = Change::update(vec![Field::new("/enabled", !after, after)], vec![step]);
    item(Verdict::Change(change), Outcome::Change)
}

pub fn in_sync() -> Item {
    item(Verdict::InSync, Outcome::InSync)
}

pub fn unknown(kind: FaultKind) -> Item {
    let mut fault = Fault::local(kind, "guardduty:GetDetector", "no");
    fault.request_id = Some("9f1c".into());
    item(Verdict::Unknown { fault }, Outcome::Unknown)
}

fn account() -> DesiredAccount {
    let control = DesiredControl {
        spec: Arc::new(json!({})),
        has_templates: false,
        mode: Mode::Enforce,
        on_conflict: OnConflict::Adopt,
        regions: None,
        reason: None,
        origins: BTreeMap::new(),
        word_origins: BTreeMap::new(),
    };
    DesiredAccount {
        id: id(),
        name: "prod".into(),
        seats: std::collections::BTreeSet::new(),
        labels: BTreeMap::new(),
        listed: None,
        state: AccountStanding::Managed,
        home: region(),
        managed: Managed::Listed(vec![region()]),
        except: BTreeMap::new(),
        suspend: None,
        controls: Arc::new(BTreeMap::from([(CONTROL.to_owned(), control)])),
        notifications: Vec::new(),
        wave: None,
    }
}

fn plan(items: Vec<Item>, state: AccountState) -> Plan {
    Plan {
        organization: "acme".into(),
        organization_id: None,
        revision: None,
        digest: "sha256:1".into(),
        caller: "baseline-observe".into(),
        accounts: vec![PlannedAccount {
            id: id(),
            name: "prod".into(),
            state,
            regions: vec![region()],
            controls: 1,
            wave: None,
            in_sync: BTreeMap::new(),
        }],
        items,
        exceptions: Vec::new(),
        totals: Totals::default(),
        specs: BTreeMap::new(),
        known: crate::control::Known::default(),
        regions: 1,
        controls: 1,
    }
}

/// An account whose looks are judged one after the other.
pub struct Looks {
    pub kept: AccountConditions,
    pub enforces: bool,
    pub state: AccountState,
    /// A digest of what is wanted, and who is to go first.
    pub wanted: &'static str,
    pub waits: Option<&'static str>,
}

impl Looks {
    pub fn new() -> Self {
        Self {
            kept: AccountConditions::unseen(id(), "prod"),
            enforces: true,
            state: AccountState::Reached,
            wanted: "one",
            waits: None,
        }
    }

    /// A look at that minute; what was planned ended like this.
    pub fn look(
        &mut self,
        minute: i64,
        items: Vec<Item>,
        result: Option<ChangeResult>,
    ) -> &AccountConditions {
        let (account, plan) = (account(), plan(items, self.state.clone()));
        let window = past::window(Duration::from_secs(3600));
        let mut holds: BTreeMap<Key, Hold> = plan
            .items
            .iter()
            .filter_map(|item| {
                let key = Key::of(item);
                let past = self.kept.findings.iter().find(|past| past.finding == key)?;
                Some((key, past.hold(item.finding.change()?, at(minute), window)?))
            })
            .collect();
        for item in plan.items.iter().filter(|item| item.outcome == Outcome::Change) {
            let wave = self.waits.map(|why| Hold::Wave { why: why.to_owned() });
            if let (Some(wave), false) = (wave, holds.contains_key(&Key::of(item))) {
                holds.insert(Key::of(item), wave);
            }
        }
        let report = result.filter(|_| holds.is_empty()).map(|result| ApplyReport {
            run: "01RUN".into(),
            audit: "audit".into(),
            role: "baseline-apply".into(),
            changes: plan
                .items
                .iter()
                .filter(|item| item.outcome == Outcome::Change)
                .map(|item| ChangeReport {
                    item: item.clone(),
                    calls: 1,
                    elapsed: Duration::ZERO,
                    retried: None,
                    result: result.clone(),
                })
                .collect(),
            interrupted: false,
            held_back: Vec::new(),
            remaining: Remaining::default(),
        });
        let looked = Looked {
            plan: &plan,
            account: &account,
            targets: &[(region(), CONTROL)],
            enforces: self.enforces,
            holds: &holds,
            refused: &[],
            results: report.as_ref().map(results).unwrap_or_default(),
            observed: Observed { revision: None, digest: "sha256:1".into() },
            run: "01RUN",
            calls: 7,
            now: at(minute),
            window,
            ordered: Ordered {
                state: self.wanted.into(),
                waits: self.waits.map(str::to_owned),
                began: at(minute),
            },
        };
        self.kept = judge(&self.kept, &looked);
        &self.kept
    }
}

/// `Synced=False/Drifted Contested=False/NotContested Drifted=True/ChangePlanned: detector: enabled false → true`
pub fn said(kept: &AccountConditions) -> String {
    let Some(control) = kept.controls.first() else { return "nothing".into() };
    let said: Vec<String> = control
        .conditions
        .iter()
        .filter(|one| one.kind != Type::Contested || one.status == Status::True)
        .map(|one| format!("{}={:?}/{}", one.kind.word(), one.status, one.reason))
        .collect();
    said.join(" ")
}
