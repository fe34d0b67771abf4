//! What is asked of the audit record before anything is written: the same for `apply` and for the controller.

use std::collections::BTreeSet;
use std::path::Path;

use crate::audit::{Audit, AuditError, LastOrganization};
use crate::aws::Aws;
use crate::desired::{self, DesiredState, Settings};
use crate::guard::{self, Allow, Descent, Refusal};
use crate::place::AccountId;
use crate::plan::Plan;

/// Where the documents say that records are kept, or a hidden folder beside them. A folder is meant from the
/// documents on, wherever the command is run.
pub fn audit_place(settings: &Settings, dir: &Path) -> String {
    match &settings.audit {
        Some(place) if place.contains("://") => place.clone(),
        Some(folder) => dir.join(folder).display().to_string(),
        None => dir.join(".audit").display().to_string(),
    }
}

/// Opens the audit record of a desired state that lies in `dir`.
///
/// # Errors
///
/// When the folder cannot be made, or the bucket is not there or belongs to nobody of the organisation.
pub async fn open_audit(settings: &Settings, dir: &Path, aws: &Aws) -> Result<Audit, AuditError> {
    let owners: Vec<AccountId> = settings.seats.values().cloned().collect();
    Audit::open(&audit_place(settings, dir), aws, &settings.home, &owners).await
}

/// How a revision that was applied stands to the desired state at hand, which lies in `dir`.
pub fn descent(desired: &DesiredState, dir: &Path, older: &str) -> Descent {
    match &desired.revision {
        None => Descent::Unknown("the desired state is not in git".into()),
        Some(revision) if revision.full == older => Descent::Follows,
        Some(revision) => match desired::is_ancestor(dir, older, &revision.full) {
            Ok(true) => Descent::Follows,
            Ok(false) => Descent::Backwards,
            Err(error) => Descent::Unknown(error.to_string()),
        },
    }
}

/// What the audit records have against this plan.
///
/// # Errors
///
/// When they cannot be read.
pub async fn remembered(
    audit: &Audit,
    desired: &DesiredState,
    plan: &Plan,
    allowed: &[Allow],
    organization: Option<&LastOrganization>,
    descent: impl Fn(&str) -> Descent,
) -> Result<Vec<Refusal>, AuditError> {
    let accounts: BTreeSet<&AccountId> = plan.changes().map(|(_, item)| &item.scope.account).collect();
    let last = audit.last_applied(accounts).await?;
    let mut refusals = guard::never_backwards(desired, &last, allowed, descent);
    refusals.extend(guard::no_shrinking(desired, organization, allowed));
    Ok(refusals)
}
