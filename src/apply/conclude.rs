//! What is kept once a run has ended: its outcome, and what each account has now had applied.
//!
//! An account counts as applied when the run was to apply it and what it found or made there holds under the
//! documents, but for what is listed as left. So does one that was in sync already: nothing had to be written, and
//! its settings are those of this revision.

use std::collections::{BTreeMap, BTreeSet};

use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;

use super::{ApplyReport, ChangeReport, ChangeResult};
use crate::audit::{Audit, AuditError, LastApplied, LastOrganization, Left};
use crate::desired::DesiredState;
use crate::place::{AccountId, Scope};
use crate::plan::{AccountState, Item, Outcome, Plan};

/// Records that are written at once.
const AT_ONCE: usize = 16;

/// A run that has ended.
pub struct Concluding<'a> {
    pub audit: &'a Audit,
    pub run: &'a str,
    pub desired: &'a DesiredState,
    pub plan: &'a Plan,
    /// Absent where there was nothing to change.
    pub report: Option<&'a ApplyReport>,
    /// The plan took back what a run had changed, and so was no plan of the desired state.
    pub undoes: bool,
    /// Was the run to apply this account?
    pub selects: &'a dyn Fn(&AccountId) -> bool,
    /// Is the revision at hand this one, or one that contains it? An account that was only found in sync never goes
    /// back to an older one.
    pub follows: &'a dyn Fn(&str) -> bool,
}

/// What came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Concluded {
    /// Nothing was to be changed but the guards themselves: those of these documents hold from now on.
    pub new_limits: bool,
}

/// Writes the outcome record, and the memory that guards and `drift` read. The report is to be shown all the same
/// when this fails: the changes are made.
///
/// # Errors
///
/// When a record cannot be made durable.
pub async fn conclude(with: &Concluding<'_>) -> Result<Concluded, AuditError> {
    let Concluding { audit, desired, .. } = with;
    let changes = with.report.map(|report| report.changes.as_slice()).unwrap_or_default();
    if let Some(report) = with.report {
        audit.finish(&report.run, report).await?;
    }
    if with.undoes {
        return taken_back(audit, with.run, with.plan, changes).await;
    }
    let written: BTreeSet<&AccountId> =
        changes.iter().filter(|change| change.calls > 0).map(|change| &change.item.scope.account).collect();
    let reached = with.plan.accounts.iter().filter(|account| account.state == AccountState::Reached);
    let accounts: BTreeSet<&AccountId> = reached
        .map(|account| &account.id)
        .filter(|id| (with.selects)(id))
        .chain(written.iter().copied())
        .collect();
    if accounts.is_empty() {
        return Ok(Concluded::default());
    }
    let before = audit.last_applied(accounts.iter().copied()).await?;
    let revision = desired.revision.as_ref().map(|revision| revision.full.clone());
    let kept =
        if desired.source.documents.is_empty() { None } else { Some(audit.keep(&desired.source).await?) };
    let at = Timestamp::now();
    let mut left = left(with.plan, changes);
    let news = accounts.into_iter().filter_map(|account| {
        let last = LastApplied {
            revision: revision.clone(),
            digest: desired.digest.clone(),
            run: with.run.to_owned(),
            at,
            desired: kept.clone(),
            left: left.remove(account).unwrap_or_default(),
        };
        let is_news = written.contains(account)
            || before.get(account).is_none_or(|before| {
                let follows = before.revision.as_deref().is_none_or(|older| (with.follows)(older));
                follows && !says_the_same(before, &last)
            });
        is_news.then_some((account, last))
    });
    stream::iter(news)
        .map(|(account, last)| async move { audit.applied(account, &last).await })
        .buffer_unordered(AT_ONCE)
        .try_collect::<()>()
        .await?;
    let guards = Some(desired.organization.guards.clone());
    if written.is_empty() {
        let Some(last) = audit.last_organization().await?.filter(|last| last.guards != guards) else {
            return Ok(Concluded::default());
        };
        let new_limits = last.guards.is_some();
        audit.organization_applied(&LastOrganization { guards, ..last }).await?;
        return Ok(Concluded { new_limits });
    }
    let organization = LastOrganization {
        revision,
        accounts: desired.accounts.iter().map(|account| account.id.clone()).collect(),
        seats: desired.organization.seats.clone(),
        guards,
    };
    audit.organization_applied(&organization).await?;
    Ok(Concluded::default())
}

/// What was applied stays what was applied, and the findings of this run are not as that says any more.
async fn taken_back(
    audit: &Audit,
    run: &str,
    plan: &Plan,
    changes: &[ChangeReport],
) -> Result<Concluded, AuditError> {
    let mut begun: BTreeMap<&AccountId, Vec<Left>> = BTreeMap::new();
    for change in changes.iter().filter(|change| change.calls > 0) {
        let left = Left { seen: None, ..Left::of(&change.item) };
        begun.entry(&change.item.scope.account).or_default().push(left);
    }
    let before = audit.last_applied(begun.keys().copied()).await?;
    for (account, mut left) in begun {
        let Some(before) = before.get(account) else { continue };
        left.extend(
            before
                .left
                .iter()
                .filter(|left| {
                    !plan.changes().any(|(_, item)| item.scope.account == *account && left.covers(item))
                })
                .cloned(),
        );
        let last = LastApplied { run: run.to_owned(), at: Timestamp::now(), left, ..before.clone() };
        audit.applied(account, &last).await?;
    }
    Ok(Concluded::default())
}

/// A record is written anew where it says something else, and not for every look.
fn says_the_same(before: &LastApplied, now: &LastApplied) -> bool {
    (&before.revision, &before.digest, &before.desired, &before.left)
        == (&now.revision, &now.digest, &now.desired, &now.left)
}

/// What is not as desired now, by account: everything that was planned otherwise than in sync, without what was made
/// and seen to hold.
fn left<'p>(plan: &'p Plan, changes: &[ChangeReport]) -> BTreeMap<&'p AccountId, Vec<Left>> {
    fn key(item: &Item) -> (&Scope, &str, &str, &str) {
        (&item.scope, &item.control, &item.finding.rule, &item.finding.resource)
    }
    let ended: BTreeMap<_, &ChangeReport> =
        changes.iter().map(|change| (key(&change.item), change)).collect();
    let mut left: BTreeMap<&AccountId, Vec<Left>> = BTreeMap::new();
    for item in plan.items.iter().filter(|item| item.outcome != Outcome::InSync) {
        let was = Left::of(item);
        let was = match ended.get(&key(item)).map(|ended| (&ended.result, ended.calls)) {
            Some((ChangeResult::Held, _)) => continue,
            // It is no longer what was planned, or it was begun.
            Some((ChangeResult::Moved { .. }, _)) => Left { seen: None, ..was },
            Some((_, calls)) if calls > 0 => Left { seen: None, ..was },
            _ => was,
        };
        let was = if was.resource.is_empty() {
            let here = |change: &&ChangeReport| {
                (&change.item.scope, &change.item.control) == (&item.scope, &item.control)
                    && change.result == ChangeResult::Held
            };
            Left {
                besides: changes.iter().filter(here).map(|change| Left::name(&change.item)).collect(),
                ..was
            }
        } else {
            was
        };
        left.entry(&item.scope.account).or_default().push(was);
    }
    left
}
