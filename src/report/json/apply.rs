//! What an apply did, for programs.

use schemars::JsonSchema;
use serde::Serialize;

use crate::apply::{ApplyReport, ChangeReport, ChangeResult, Remaining};
use crate::control::Thing;
use crate::fault::Fault;
use crate::place::{AccountId, Region};
use crate::plan::Plan;

use super::who::WhoOutput;
use super::{DesiredState, FORMAT_VERSION, document};

/// An apply, as `baseline apply --format json` prints it.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Apply")]
pub struct ApplyOutput<'a> {
    /// Always 1. Fields may be added; a change of meaning is another version.
    format_version: u32,
    /// The organisation's id, or its name in the YAML where that gives no id.
    organization: &'a str,
    desired_state: DesiredState<'a>,
    run: &'a str,
    /// Where the before-images lie.
    audit: &'a str,
    role: &'a str,
    /// One for each change, in plan order.
    changes: Vec<ChangeOutput<'a>>,
    /// What is left because it is not apply's to do.
    remaining: Remaining,
    /// Why some changes of the plan were not even selected.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    held_back: &'a [String],
    /// A signal ended the run.
    interrupted: bool,
    exit_code: u8,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ChangeResult")]
struct ChangeOutput<'a> {
    control: &'a str,
    rule: &'a str,
    account: &'a AccountId,
    /// Absent for what runs once in an account.
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<&'a Region>,
    resource: &'a str,
    result: ResultWord,
    /// Write calls that were sent.
    calls: usize,
    seconds: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    retried: Option<&'a str>,
    /// What had moved, or why it was not seen to hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'a str>,
    /// Who may have moved it since it was planned.
    #[serde(skip_serializing_if = "Option::is_none")]
    who: Option<WhoOutput<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<&'a Fault>,
    /// What was not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    blocked_on: Option<&'a [Thing]>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum ResultWord {
    Held,
    Moved,
    Failed,
    NotVerified,
    Blocked,
    NotReached,
    HeldBack,
}

/// The apply as one JSON document, indented.
pub fn apply(plan: &Plan, report: &ApplyReport, exit_code: u8) -> String {
    document(&ApplyOutput {
        format_version: FORMAT_VERSION,
        organization: plan.organization_id.as_deref().unwrap_or(&plan.organization),
        desired_state: DesiredState { revision: plan.revision.as_deref(), digest: &plan.digest },
        run: &report.run,
        audit: &report.audit,
        role: &report.role,
        changes: report.changes.iter().map(ChangeOutput::of).collect(),
        remaining: report.remaining,
        held_back: &report.held_back,
        interrupted: report.interrupted,
        exit_code,
    })
}

impl<'a> ChangeOutput<'a> {
    fn of(change: &'a ChangeReport) -> Self {
        let (result, why, fault, blocked_on) = match &change.result {
            ChangeResult::Held => (ResultWord::Held, None, None, None),
            ChangeResult::Moved { what, .. } => (ResultWord::Moved, Some(what.as_str()), None, None),
            ChangeResult::Failed { fault } => (ResultWord::Failed, None, Some(fault), None),
            ChangeResult::NotVerified { why } => (ResultWord::NotVerified, Some(why.as_str()), None, None),
            ChangeResult::Blocked { on } => (ResultWord::Blocked, None, None, Some(on.as_slice())),
            ChangeResult::NotReached => (ResultWord::NotReached, None, None, None),
            ChangeResult::HeldBack { why } => (ResultWord::HeldBack, Some(why.as_str()), None, None),
        };
        let who = match &change.result {
            ChangeResult::Moved { who, .. } => who.as_ref().map(WhoOutput::of),
            _ => None,
        };
        let item = &change.item;
        Self {
            control: &item.control,
            rule: &item.finding.rule,
            account: &item.scope.account,
            region: item.region.as_ref(),
            resource: &item.finding.resource,
            result,
            calls: change.calls,
            // Three decimals: a plan's clock is no finer, and readers compare runs.
            seconds: (change.elapsed.as_secs_f64() * 1000.0).round() / 1000.0,
            retried: change.retried.as_deref(),
            why,
            who,
            fault,
            blocked_on,
        }
    }
}
