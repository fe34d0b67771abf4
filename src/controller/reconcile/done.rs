//! What came of a turn.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::apply::{ApplyReport, ChangeResult};
use crate::audit::AuditError;
use crate::control::Thing;
use crate::controller::condition::{Failing, Hold, Key};
use crate::controller::index::Entry;
use crate::desired::DesiredAccount;
use crate::place::AccountId;
use crate::plan::{Outcome, Plan, Totals};

/// How a turn ended.
#[derive(Debug)]
pub(in super::super) enum Ended {
    Looked,
    /// The account was left alone, and why.
    LeftAlone {
        reason: &'static str,
        why: String,
    },
    /// Nothing was done, because the records could not be reached.
    NoRecords(AuditError),
    /// A signal came before anything was written.
    Interrupted,
    /// Somebody has looked since it was asked for, or it is not to be tried yet.
    Seen,
}

/// What came of a turn. Everything else that was seen is let go.
#[derive(Debug)]
pub(in super::super) struct Done {
    pub account: AccountId,
    pub name: String,
    pub run: String,
    pub ended: Ended,
    pub totals: Totals,
    /// Changes that were made and seen to hold.
    pub held: usize,
    /// Changes that were tried and do not hold.
    pub failed: usize,
    /// Changes that were not tried, by why.
    pub refused: usize,
    pub contested: usize,
    /// Changes that wait for an earlier wave, and for which one and whom.
    pub waiting: usize,
    pub waits: Option<String>,
    /// `guardduty.detector detector in eu-west-1`, of the changes that were made.
    pub changed: Vec<String>,
    pub calls: usize,
    pub elapsed: Duration,
    /// When the look began.
    pub began: Timestamp,
    /// It was not broken off.
    pub is_whole: bool,
    /// The look itself failed, wholly or in part.
    pub failing: Option<Failing>,
    /// It failed wholly: there is nothing to gain from its ordinary turn.
    pub is_closed: bool,
    /// Something is to be looked at again before its turn.
    pub again: Option<Timestamp>,
    /// Things that are there now.
    pub made: Vec<Thing>,
    /// Things that would have to be there.
    pub waits_for: Vec<Thing>,
    /// What could not be kept, although it was done.
    pub not_kept: Vec<AuditError>,
    /// Findings that had been as desired and were not.
    pub drifted: usize,
    /// How the account stands now, for the page; absent where nothing was found out.
    pub entry: Option<Entry>,
    /// It says something new, or is due to say when it last looked.
    pub is_news: bool,
}

impl Done {
    pub(super) fn new(account: &DesiredAccount, run: String, began: Timestamp) -> Self {
        Self {
            account: account.id.clone(),
            name: account.name.to_string(),
            run,
            ended: Ended::Looked,
            totals: Totals::default(),
            held: 0,
            failed: 0,
            refused: 0,
            contested: 0,
            waiting: 0,
            waits: None,
            changed: Vec::new(),
            calls: 0,
            elapsed: Duration::ZERO,
            began,
            is_whole: false,
            failing: None,
            is_closed: false,
            again: None,
            made: Vec::new(),
            waits_for: Vec::new(),
            not_kept: Vec::new(),
            drifted: 0,
            entry: None,
            is_news: false,
        }
    }

    pub(super) fn count(
        &mut self,
        plan: &Plan,
        report: Option<&ApplyReport>,
        holds: &BTreeMap<Key, Hold>,
        refused: &[String],
    ) {
        for change in report.into_iter().flat_map(|report| &report.changes) {
            match &change.result {
                ChangeResult::Held => {
                    self.held += 1;
                    let (item, finding) = (&change.item, &change.item.finding);
                    self.changed
                        .push(format!("{} {} in {}", item.control, finding.resource, item.scope.region));
                    self.made.extend(finding.change().into_iter().flat_map(|made| made.makes.clone()));
                }
                ChangeResult::Blocked { on } => self.waits_for.extend(on.iter().cloned()),
                ChangeResult::Failed { .. } | ChangeResult::NotVerified { .. } => self.failed += 1,
                ChangeResult::Moved { .. } | ChangeResult::NotReached | ChangeResult::HeldBack { .. } => {}
            }
        }
        for item in &plan.items {
            if let Outcome::Blocked { on, .. } = &item.outcome {
                self.waits_for.extend(on.iter().cloned());
            }
        }
        self.waits_for.sort();
        self.waits_for.dedup();
        self.contested = holds.values().filter(|hold| matches!(hold, Hold::Contested(_))).count();
        self.waiting = holds.values().filter(|hold| hold.is_wave()).count();
        self.refused = holds.values().filter(|hold| matches!(hold, Hold::Refused { .. })).count();
        if !refused.is_empty() {
            self.refused += plan.changes().count();
        }
    }
}
