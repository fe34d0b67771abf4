//! One finding in every account × region × resource that it names.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::control::{
    Change, ChangeKind, Direction, ManualTask, Progress, Risk, Step, Thing, Verdict, Verified,
};
use crate::fault::Fault;
use crate::place::{AccountId, Region};
use crate::plan::{Item, Outcome, Plan, Position, SeverityWord};

use super::Block;

/// One finding. Which of the optional parts are there follows from `outcome`.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Finding")]
pub struct FindingOutput<'a> {
    control: &'a str,
    rule: &'a str,
    severity: SeverityWord,
    /// `fsbp/GuardDuty.9`, `cis-3.0.0/1.8`.
    frameworks: &'a [String],
    accounts: &'a [&'a AccountId],
    /// Empty for what runs once in an account.
    regions: &'a [&'a Region],
    resources: &'a [&'a str],
    /// Selected by `--account`, `--region` and `--control`; apply leaves the rest alone.
    selected: bool,
    outcome: OutcomeWord,
    /// What would put it right; also where that is blocked, excepted or only observed.
    #[serde(skip_serializing_if = "Option::is_none")]
    change: Option<ChangeOutput<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    manual: Option<ManualOutput<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    progressing: Option<ProgressOutput<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    blocked: Option<BlockedOutput<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exception: Option<ExceptionOutput<'a>>,
    /// An exception that would be about it and has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    lapsed: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    foreign: Option<ForeignOutput<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_offered: Option<NotOfferedOutput<'a>>,
    /// Why it is not known. In a finding of several places `<account>`, `<region>` and `<resource>` stand for
    /// each one's own, and request ids are left out: `jsonl` has them.
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<Cow<'a, Fault>>,
    /// What a person could do about the fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'static str>,
}

/// What follows from a finding.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum OutcomeWord {
    InSync,
    Change,
    ObserveOnly,
    Manual,
    Progressing,
    Blocked,
    Excepted,
    Foreign,
    NotOffered,
    Unknown,
}

impl From<&Outcome> for OutcomeWord {
    fn from(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::InSync => Self::InSync,
            Outcome::Change => Self::Change,
            Outcome::ObserveOnly => Self::ObserveOnly,
            Outcome::Manual => Self::Manual,
            Outcome::Progressing => Self::Progressing,
            Outcome::Blocked { .. } => Self::Blocked,
            Outcome::Excepted { .. } => Self::Excepted,
            Outcome::Foreign => Self::Foreign,
            Outcome::NotOffered => Self::NotOffered,
            Outcome::Unknown => Self::Unknown,
        }
    }
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ChangeOutput<'a> {
    kind: ChangeKind,
    risk: Risk,
    direction: Direction,
    /// Who pays for what, where the change starts a charge.
    #[serde(skip_serializing_if = "Option::is_none")]
    cost: Option<&'a str>,
    /// What was found that the change would touch.
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence: Option<&'a str>,
    /// What is not declared and is sent along, because the call replaces everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    carries: Option<&'a str>,
    /// What existed before and is taken over rather than doubled.
    #[serde(skip_serializing_if = "Option::is_none")]
    adopts: Option<&'a str>,
    fields: Vec<FieldOutput<'a>>,
    /// Write calls in order.
    steps: Vec<StepOutput<'a>>,
    /// What the change stands on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    needs: Vec<NeedOutput<'a>>,
    /// Things that exist once it is made.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    makes: &'a [Thing],
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct FieldOutput<'a> {
    /// JSON pointer into the control's spec.
    path: &'a str,
    /// `null` where the resource does not exist yet.
    before: &'a Value,
    after: &'a Value,
    /// `file:line:column` of the YAML.
    #[serde(skip_serializing_if = "Option::is_none")]
    declared_at: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct StepOutput<'a> {
    /// `service:Operation`.
    call: &'a str,
    /// One line for people; `<resource>` stands for each one's own in a finding of several resources.
    title: Cow<'a, str>,
}

#[derive(Serialize, JsonSchema)]
struct NeedOutput<'a> {
    thing: &'a Thing,
    /// The change is blocked without it; otherwise only the order matters.
    hard: bool,
}

#[derive(Serialize, JsonSchema)]
struct ManualOutput<'a> {
    title: &'a str,
    found: Vec<FoundOutput<'a>>,
    steps: &'a [String],
    verified: Verified,
}

/// One thing that was found, `mfa` and `no device`.
#[derive(Serialize, JsonSchema)]
struct FoundOutput<'a> {
    what: &'a str,
    found: &'a str,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ProgressOutput<'a> {
    what: &'a str,
    /// Look again after this many seconds.
    look_again: u32,
    /// After this many seconds it counts as stalled.
    patience: u32,
}

#[derive(Serialize, JsonSchema)]
struct BlockedOutput<'a> {
    /// What is not there, and is not made by this plan.
    on: &'a [Thing],
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'a str>,
}

#[derive(Serialize, JsonSchema)]
struct ExceptionOutput<'a> {
    name: &'a str,
    /// All of it, as people read it, with whichever others hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'a str>,
    /// What was signed; absent in plans of builds that did not keep it.
    #[serde(flatten)]
    signed: Option<SignedFor<'a>>,
}

#[derive(Serialize, JsonSchema)]
struct SignedFor<'a> {
    reason: &'a str,
    /// Who has to end it.
    owner: &'a str,
    /// Who took the risk.
    approver: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ticket: Option<&'a str>,
    /// The last day on which it holds, in UTC.
    expires: String,
}

impl<'a> ExceptionOutput<'a> {
    fn of(plan: &'a Plan, item: &'a Item) -> Option<Self> {
        let Outcome::Excepted { exception: name } = &item.outcome else { return None };
        let signed = plan.exception(name).map(|signed| SignedFor {
            reason: &signed.reason,
            owner: &signed.owner,
            approver: &signed.approver,
            ticket: signed.ticket.as_deref(),
            expires: signed.expires.to_string(),
        });
        Some(Self { name, note: item.exception_note.as_deref(), signed })
    }
}

#[derive(Serialize, JsonSchema)]
struct ForeignOutput<'a> {
    /// Who manages it.
    owner: &'a str,
    evidence: &'a str,
}

#[derive(Serialize, JsonSchema)]
struct NotOfferedOutput<'a> {
    /// How that is known.
    source: &'a str,
}

impl<'a> FindingOutput<'a> {
    /// The block, or one finding as a block of its own.
    pub(super) fn of(plan: &'a Plan, block: &'a Block<'a>) -> Self {
        let item = block.first;
        let verdict = &item.finding.verdict;
        let fault = block.fault();
        Self {
            control: &item.control,
            rule: &item.finding.rule,
            severity: item.severity,
            frameworks: &item.frameworks,
            accounts: &block.accounts,
            regions: &block.regions,
            resources: &block.resources,
            selected: item.selected,
            outcome: (&item.outcome).into(),
            change: item.finding.change().map(|change| ChangeOutput::of(block, change)),
            manual: match verdict {
                Verdict::Manual(task) => Some(task.into()),
                _ => None,
            },
            progressing: match verdict {
                Verdict::Progressing(Progress { what, look_again, patience }) => {
                    Some(ProgressOutput { what, look_again: *look_again, patience: *patience })
                }
                _ => None,
            },
            blocked: match &item.outcome {
                Outcome::Blocked { on, why } => Some(BlockedOutput { on, why: why.as_deref() }),
                _ => None,
            },
            exception: ExceptionOutput::of(plan, item),
            lapsed: item.lapsed.as_deref(),
            foreign: match verdict {
                Verdict::Foreign { owner, evidence } => Some(ForeignOutput { owner, evidence }),
                _ => None,
            },
            not_offered: match verdict {
                Verdict::NotOffered { source } => Some(NotOfferedOutput { source }),
                _ => None,
            },
            hint: fault.as_ref().and_then(|fault| fault.hint()),
            fault,
        }
    }
}

impl<'a> ChangeOutput<'a> {
    fn of(block: &'a Block<'a>, change: &'a Change<Step>) -> Self {
        let item: &Item = block.first;
        let declared = |path: &str| item.declared_at(path).map(Position::to_string);
        Self {
            kind: change.kind,
            risk: change.risk,
            direction: change.direction,
            cost: change.cost.as_deref(),
            evidence: change.evidence.as_deref(),
            carries: change.carries.as_deref(),
            adopts: change.adopts.as_deref(),
            fields: change
                .fields
                .iter()
                .map(|field| FieldOutput {
                    path: &field.path,
                    before: &field.before,
                    after: &field.after,
                    declared_at: declared(&field.path),
                })
                .collect(),
            steps: change
                .steps
                .iter()
                .map(|step| StepOutput { call: &step.call, title: block.title(step) })
                .collect(),
            needs: item.needs.iter().map(|need| NeedOutput { thing: &need.thing, hard: need.hard }).collect(),
            makes: &change.makes,
        }
    }
}

impl<'a> From<&'a ManualTask> for ManualOutput<'a> {
    fn from(task: &'a ManualTask) -> Self {
        Self {
            title: &task.title,
            found: task.found.iter().map(|(what, found)| FoundOutput { what, found }).collect(),
            steps: &task.steps,
            verified: task.verified,
        }
    }
}
