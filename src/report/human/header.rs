//! Who looked, with what, at what.

use std::time::Duration;

use crate::plan::Plan;

use super::super::style::Paint;
use super::super::text::{Text, unbroken};
use super::super::words::{counted, elapsed};
use super::Context;

pub(super) fn write(text: &mut Text<'_>, plan: &Plan, context: &Context<'_>) {
    let organization = (&*plan.organization, plan.organization_id.as_deref());
    title(text, context.command, organization, (plan.revision.as_deref(), &plan.digest));
    let at = [
        format!("as {}", plan.caller),
        counted(plan.accounts.len(), "account"),
        counted(plan.regions, "region"),
        counted(plan.controls, "control"),
    ];
    looked(text, at, context.reads, context.elapsed);
}

/// The command, the organisation by name and id, the desired state by revision and digest.
pub(super) fn title(
    text: &mut Text<'_>,
    command: &str,
    (name, id): (&str, Option<&str>),
    (revision, digest): (Option<&str>, &str),
) {
    let organization = id.map_or_else(|| name.to_owned(), |id| format!("{name} ({id})"));
    let title = [format!("baseline {command}"), organization, desired_state(revision, digest)];
    text.paragraph(0, Paint::Strong, &joined(&title));
}

/// Who looked at what, in how many calls and how long.
pub(super) fn looked(text: &mut Text<'_>, at: [String; 4], reads: usize, time: Duration) {
    let read = format!("{} in {}", counted(reads, "read"), elapsed(time));
    let looked: Vec<String> = at.into_iter().chain([read]).collect();
    text.paragraph(0, Paint::Dim, &joined(&looked));
}

/// Broken only where parts meet.
fn joined(parts: &[String]) -> String {
    let parts: Vec<String> = parts.iter().map(|part| unbroken(part)).collect();
    parts.join(" · ")
}

/// The revision, or where there is no git the beginning of the digest.
pub(in crate::report) fn revision(plan: &Plan) -> String {
    desired_state(plan.revision.as_deref(), &plan.digest)
}

fn desired_state(revision: Option<&str>, digest: &str) -> String {
    match revision {
        Some(revision) => format!("desired state {revision}"),
        None => {
            let digest: String = digest.trim_start_matches("sha256:").chars().take(12).collect();
            format!("desired state sha256:{digest}")
        }
    }
}
