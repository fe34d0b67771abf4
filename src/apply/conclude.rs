//! What is kept once a run has ended: its outcome, and which revision each changed account has now had.

use std::collections::BTreeSet;

use super::ApplyReport;
use crate::audit::{Audit, AuditError, LastApplied, LastOrganization};
use crate::desired::DesiredState;
use crate::place::AccountId;

/// Writes the outcome record and the memory that guards read. The report is to be shown all the same when this
/// fails: the changes are made.
pub async fn conclude(audit: &Audit, desired: &DesiredState, report: &ApplyReport) -> Result<(), AuditError> {
    audit.finish(&report.run, report).await?;
    let written = report.changes.iter().filter(|change| change.calls > 0);
    let accounts: BTreeSet<&AccountId> = written.map(|change| &change.item.scope.account).collect();
    if accounts.is_empty() {
        return Ok(());
    }
    let revision = desired.revision.as_ref().map(|revision| revision.full.clone());
    let last = LastApplied {
        revision: revision.clone(),
        digest: desired.digest.clone(),
        run: report.run.clone(),
        at: jiff::Timestamp::now(),
    };
    for account in accounts {
        audit.applied(account, &last).await?;
    }
    let organization = LastOrganization {
        revision,
        accounts: desired.accounts.iter().map(|account| account.id.clone()).collect(),
        seats: desired.organization.seats.clone(),
        guards: Some(desired.organization.guards.clone()),
    };
    audit.organization_applied(&organization).await
}
