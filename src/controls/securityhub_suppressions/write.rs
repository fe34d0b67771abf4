//! The write. Findings go by their control and their resource; their ids are looked up when it runs.

use std::collections::BTreeSet;
use std::fmt;

use aws_sdk_securityhub::Client;
use aws_sdk_securityhub::types::{
    AwsSecurityFindingIdentifier, BatchUpdateFindingsUnprocessedFinding, NoteUpdate, WorkflowStatus,
    WorkflowUpdate,
};
use serde::{Deserialize, Serialize};

use super::live::{self, Found};
use crate::aws::fault;
use crate::control::{AwsWrite, Call, Exempt};
use crate::fault::{Fault, FaultKind};
use crate::place::Scope;

/// Who updates the note: ours are known by it.
pub const BY: &str = "baseline";

/// BatchUpdateFindings: "up to 100 findings at a time".
pub const AT_ONCE: usize = 100;

/// `Note.Text`: 1 to 512 characters (API reference, `NoteUpdate`; User Guide, "ASFF top-level attributes").
const NOTE: usize = 512;

const BEGINNING: &str = "baseline exception `";
/// Another one: whoever suppresses such a finding by hand does not write it.
const REOPENED: &str = "baseline: opened again, after the exception `";

/// GetFindings shows an update after a while (User Guide, "Setting the workflow status of findings").
pub const UPDATE: Call = Call::needing(
    "securityhub:BatchUpdateFindings",
    &["securityhub:BatchUpdateFindings", "securityhub:GetFindings"],
)
.shows_within(300);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Write {
    Suppress {
        note: String,
        findings: Vec<Target>,
    },
    /// Of findings that are suppressed here, and stay so.
    Note {
        note: String,
        findings: Vec<Target>,
    },
    Reopen {
        exception: String,
        findings: Vec<Target>,
    },
}

/// Findings by what they are about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Target {
    /// `ECR.1`.
    pub control: String,
    /// Without the ARN's beginning: `repository/legacy-billing`.
    pub resource: String,
}

impl AwsWrite for Write {
    fn call(&self) -> &'static Call {
        const { &UPDATE }
    }
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (verb, findings) = match self {
            Self::Suppress { findings, .. } => ("suppress", findings),
            Self::Note { findings, .. } => ("write the note of", findings),
            Self::Reopen { findings, .. } => ("open", findings),
        };
        let controls: BTreeSet<&str> = findings.iter().map(|one| one.control.as_str()).collect();
        let controls: Vec<&str> = controls.into_iter().collect();
        let s = if findings.len() == 1 { "" } else { "s" };
        write!(f, "{verb} {} finding{s} of {}", findings.len(), controls.join(", "))
    }
}

/// ``baseline exception `legacy-images`, SEC-412, until 2027-03-31: …``, cut where Security Hub takes no more.
pub fn note(by: &Exempt) -> String {
    let ticket = by.ticket.as_ref().map(|ticket| format!(", {ticket}")).unwrap_or_default();
    let text = format!(
        "{BEGINNING}{}`{ticket}, until {}: {} (owner {}, approved by {})",
        by.name, by.expires, by.reason, by.owner, by.approver
    );
    cut(text)
}

fn cut(text: String) -> String {
    if text.chars().count() <= NOTE {
        return text;
    }
    text.chars().take(NOTE - 1).chain(['…']).collect()
}

/// The exception that a note of ours names: why it is suppressed.
pub fn exception_of(note: &str) -> Option<&str> {
    named(note.strip_prefix(BEGINNING)?)
}

/// The exception that a note of ours names: why it was suppressed before.
pub fn reopened_of(note: &str) -> Option<&str> {
    named(note.strip_prefix(REOPENED)?)
}

fn named(rest: &str) -> Option<&str> {
    Some(rest.split_once('`').map_or(rest, |(name, _)| name))
}

impl Write {
    pub async fn send(&self, hub: &Client, scope: &Scope) -> Result<(), Fault> {
        let (targets, status, note) = match self {
            Self::Suppress { note, findings } | Self::Note { note, findings } => {
                (findings, WorkflowStatus::Suppressed, note.clone())
            }
            Self::Reopen { exception, findings } => {
                (findings, WorkflowStatus::New, cut(format!("{REOPENED}{exception}`")))
            }
        };
        // Only what is still as it was planned: open, or suppressed here.
        let found = match self {
            Self::Suppress { .. } => {
                let controls = targets.iter().map(|one| one.control.clone()).collect();
                live::open(hub, scope, &controls).await?
            }
            Self::Note { .. } | Self::Reopen { .. } => live::ours(hub, scope).await?,
        };
        let is_meant = |one: &Found| {
            let is =
                |target: &Target| target.control == one.seen.control && target.resource == one.seen.name();
            let theirs = match self {
                Self::Reopen { exception, .. } => one.seen.exception.as_ref() != Some(exception),
                // Somebody has opened it meanwhile, or the note is as it is to be.
                Self::Note { note, .. } => {
                    one.seen.exception.is_none() || one.seen.note.as_ref() == Some(note)
                }
                Self::Suppress { .. } => false,
            };
            !theirs && targets.iter().any(is)
        };
        let ids: Vec<AwsSecurityFindingIdentifier> =
            found.unwrap_or_default().into_iter().filter(is_meant).map(|one| one.id).collect();
        for some in ids.chunks(AT_ONCE) {
            let answer = hub
                .batch_update_findings()
                .set_finding_identifiers(Some(some.to_vec()))
                .workflow(WorkflowUpdate::builder().status(status.clone()).build())
                .note(NoteUpdate::builder().text(&note).updated_by(BY).build())
                .send()
                .await
                .map_err(fault(UPDATE.operation))?;
            if let Some(left) = answer.unprocessed_findings().first() {
                return Err(left_out(left, answer.unprocessed_findings().len()));
            }
        }
        Ok(())
    }
}

/// Findings that a batch left out, as a fault (API reference, `BatchUpdateFindingsUnprocessedFinding`).
fn left_out(first: &BatchUpdateFindingsUnprocessedFinding, all: usize) -> Fault {
    let code = first.error_code().unwrap_or_default();
    let kind = match code {
        "ConcurrentUpdateError" => FaultKind::Conflict,
        "FindingNotFound" => FaultKind::NotFound,
        "InternalFailure" => FaultKind::Unavailable,
        _ => FaultKind::Invalid,
    };
    let message = first.error_message().unwrap_or("the answer names no reason");
    let message = if all > 1 { format!("{message} (the first of {all})") } else { message.to_owned() };
    Fault { code: code.to_owned(), ..Fault::local(kind, UPDATE.operation, message) }
}
