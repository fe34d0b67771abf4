//! Who looked, with what, at what.

use crate::plan::Plan;

use super::super::style::Paint;
use super::super::text::{Text, unbroken};
use super::super::words::{counted, elapsed};
use super::Context;

pub(super) fn write(text: &mut Text<'_>, plan: &Plan, context: &Context<'_>) {
    let organization = match &plan.organization_id {
        Some(id) => format!("{} ({id})", plan.organization),
        None => plan.organization.to_string(),
    };
    let title = [format!("baseline {}", context.command), organization, revision(plan)];
    text.paragraph(0, Paint::Strong, &joined(&title));

    let read = format!("{} in {}", counted(context.reads, "read"), elapsed(context.elapsed));
    let looked = [
        format!("as {}", plan.caller),
        counted(plan.accounts.len(), "account"),
        counted(plan.regions, "region"),
        counted(plan.controls, "control"),
        read,
    ];
    text.paragraph(0, Paint::Dim, &joined(&looked));
}

/// Broken only where parts meet.
fn joined(parts: &[String]) -> String {
    let parts: Vec<String> = parts.iter().map(|part| unbroken(part)).collect();
    parts.join(" · ")
}

/// The revision, or where there is no git the beginning of the digest.
pub(in crate::report) fn revision(plan: &Plan) -> String {
    match &plan.revision {
        Some(revision) => format!("desired state {revision}"),
        None => {
            let digest: String = plan.digest.trim_start_matches("sha256:").chars().take(12).collect();
            format!("desired state sha256:{digest}")
        }
    }
}
