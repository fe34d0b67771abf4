//! What was open in an account when it was last looked at, kept whole beside the account's conditions: the page shows
//! from it what a person has to do, and each change before → after. Written only where it says something new.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::condition::drifted::Drifted;
use super::condition::{AccountConditions, Key, Looked};
use crate::apply::ChangeResult;
use crate::audit::{Audit, AuditError};
use crate::control::{Found, Known, Thing, Verdict};
use crate::controls;
use crate::digest;
use crate::fault::Fault;
use crate::place::Scope;
use crate::plan::{Item, Outcome, Plan};
use crate::who::Looker;

/// So many drifts of one account are looked up at a turn: CloudTrail answers twice a second.
const LOOKED_UP: usize = 5;

/// An account's open findings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Look {
    /// When they were first so.
    pub at: Timestamp,
    pub run: String,
    /// Of this one account; what is in sync is only counted.
    pub plan: Plan,
}

impl Look {
    fn of(looked: &Looked<'_>, conditions: &AccountConditions) -> Self {
        let is_open = |item: &&Item| {
            !matches!(item.outcome, Outcome::InSync | Outcome::NotOffered)
                && !matches!(looked.result(&Key::of(item)), Some(ChangeResult::Held))
        };
        let known: Vec<(Thing, Found)> = looked.plan.known.clone().into();
        let known: Vec<(Thing, Found)> = known
            .into_iter()
            .map(|(thing, found)| match found {
                Found::Unknown(fault) => (thing, Found::Unknown(steady_fault(fault))),
                found => (thing, found),
            })
            .collect();
        let plan = Plan {
            organization: looked.plan.organization.clone(),
            organization_id: looked.plan.organization_id.clone(),
            revision: looked.plan.revision.clone(),
            digest: looked.plan.digest.clone(),
            caller: looked.plan.caller.clone(),
            accounts: looked.plan.accounts.clone(),
            items: looked.plan.items.iter().filter(is_open).map(steady).collect(),
            totals: conditions.totals.clone().unwrap_or_default(),
            specs: BTreeMap::new(),
            known: Known::from(known),
            exceptions: Vec::new(),
            regions: looked.plan.regions,
            controls: looked.plan.controls,
        };
        Self { at: looked.now, run: looked.run.to_owned(), plan }
    }

    /// Over what is open, and not over when that was seen.
    fn digest(&self) -> String {
        digest::short(&self.plan, 16)
    }
}

/// A finding without what differs with each look, and selected whether or not a guard let it.
fn steady(item: &Item) -> Item {
    let mut item = Item { selected: true, ..item.clone() };
    if let Verdict::Unknown { fault } = &mut item.finding.verdict {
        *fault = steady_fault(fault.clone());
    }
    item
}

fn steady_fault(fault: Fault) -> Fault {
    Fault { request_id: None, ..fault }
}

/// Asks who did what was found otherwise, and keeps what is open where that is news. Gives up asking, not keeping, when
/// it is told to stop.
pub(super) async fn keep(
    looker: &Looker<'_>,
    audit: &Audit,
    looked: &Looked<'_>,
    conditions: &mut AccountConditions,
    stop: &CancellationToken,
) -> Result<(), AuditError> {
    if !looked.is_reached() {
        return Ok(());
    }
    tokio::select! {
        () = Box::pin(attribute(looker, looked, &mut conditions.drift)) => {}
        () = stop.cancelled() => {}
    }
    let look = Look::of(looked, conditions);
    let digest = look.digest();
    if conditions.look.as_ref() != Some(&digest) {
        audit.keep_look(&looked.account.id, &look).await?;
        conditions.look = Some(digest);
    }
    Ok(())
}

/// A few at a turn. What cannot be asked is asked for once more later, and then left unknown.
async fn attribute(looker: &Looker<'_>, looked: &Looked<'_>, drift: &mut [Drifted]) {
    for one in drift.iter_mut().rev().filter(|one| one.asks(looked.now)).take(LOOKED_UP) {
        let Some(control) = controls::find(&one.finding.control) else { continue };
        let scope = Scope { account: looked.account.id.clone(), region: one.finding.region.clone() };
        let who = looker.who(&scope, control.meta(), &one.finding.resource, one.since, None).await;
        one.asked = one.asked.saturating_add(1);
        one.by = who.deeds.into_iter().filter(|deed| deed.run.is_none()).collect();
    }
}
