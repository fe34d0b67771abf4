//! `spec.rollout`: in which order accounts are changed, and when an apply stops.

use crate::desired::document::selector;
use crate::desired::model::Selector;
use crate::desired::node::Node;
use crate::desired::read::{self, Fields, Problems};
use crate::desired::resolve::DesiredAccount;
use crate::desired::select::{self, Candidate};
use crate::diagnostic::Diagnostic;

/// Waves of accounts. The next one starts when the one before has ended within its budget.
#[derive(Clone, Debug, Default)]
pub struct Rollout {
    /// An account belongs to the first that means it.
    pub waves: Vec<Selector>,
    /// How many of the accounts that no wave means are changed at a time; absent: all of them, as the last wave.
    pub batch: Option<u32>,
    /// Changes of one wave that may fail without stopping the rest; in the controller, accounts of one wave.
    pub error_budget: u32,
}

impl Rollout {
    /// Which of the named waves an account is in, counted from 1; `None` for the rest.
    pub(super) fn named(&self, account: &Candidate<'_>) -> Option<u32> {
        let place = self.waves.iter().position(|wave| select::matches(wave, account) == Some(true))?;
        u32::try_from(place + 1).ok()
    }

    /// Numbers the batches of the rest, which stand in the order in which they are to be changed.
    pub(super) fn number_the_rest(&self, accounts: &mut [DesiredAccount]) {
        let first = u32::try_from(self.waves.len()).unwrap_or(u32::MAX).saturating_add(1);
        let rest = accounts.iter_mut().filter(|account| account.wave.is_none());
        for (place, account) in (0_u32..).zip(rest) {
            account.wave = Some(first.saturating_add(self.batch.map_or(0, |batch| place / batch)));
        }
    }
}

/// Reads `spec.rollout`.
pub fn read(node: &Node, problems: &mut Problems) -> Option<Rollout> {
    let mut fields = Fields::of(node, problems)?;
    let waves = fields.get("waves").and_then(|node| {
        read::list(node, problems, |node, problems| {
            let wave = selector(node, problems)?;
            if node.entries().is_empty() {
                let problem = Diagnostic::error("a wave means some accounts").at(node.span);
                problems.push(problem.help("such as `seats: [logArchive]` or `names: [canary-*]`"));
            }
            Some(wave)
        })
    });
    let batch = fields.get("batch").and_then(|node| read::number(node, 100_000, problems));
    let error_budget = fields.get("errorBudget").and_then(|node| read::count(node, 100_000, problems));
    fields.done(problems);
    Some(Rollout { waves: waves.unwrap_or_default(), batch, error_budget: error_budget.unwrap_or_default() })
}
