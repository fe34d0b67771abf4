//! Drift, for programs: alike findings once, or with `jsonl` one a line.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::control::Verdict;
use crate::drift::{Drift, DriftAccount, DriftTotals, Last, Standing};
use crate::fault::Fault;
use crate::place::{AccountId, Region};
use crate::plan::SeverityWord;

use super::super::fold::{Alike, fold_told};
use super::who::WhoOutput;
use super::{DesiredState, FORMAT_VERSION, State, document, line, state};

/// Drift, as `baseline drift --format json` prints it.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Drift")]
pub struct DriftOutput<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    /// Everything that is not as it was last applied and as the documents at hand say; equal findings once.
    findings: Vec<DriftFinding<'a>>,
    #[serde(flatten)]
    tail: Tail,
}

/// The last line of `--format jsonl`.
#[derive(Serialize)]
struct LastLine<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    #[serde(flatten)]
    tail: Tail,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Head<'a> {
    /// Always 1. Fields may be added; a change of meaning is another version.
    format_version: u32,
    /// The organisation's id, or its name in the YAML where that gives no id.
    organization: &'a str,
    /// The documents at hand.
    desired_state: DesiredState<'a>,
    /// The role or principal that looked.
    caller: &'a str,
    /// The caller looked with its own credentials, because the documents name no roles.
    own_credentials: bool,
    accounts: Vec<Account<'a>>,
}

/// How an account was reached, and what it is compared with.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "DriftAccount")]
struct Account<'a> {
    id: &'a AccountId,
    name: &'a str,
    state: State,
    /// Why no session could be opened.
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<&'a Fault>,
    /// Why it was refused or not tried, or why what was last applied is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'a str>,
    /// `null` where nothing was ever applied.
    last_applied: Option<LastAppliedOutput<'a>>,
    /// Where it is compared with nothing: settings that are not as the documents at hand say.
    #[serde(skip_serializing_if = "Option::is_none")]
    open: Option<usize>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "LastApplied")]
struct LastAppliedOutput<'a> {
    run: &'a str,
    /// RFC 3339.
    at: String,
    /// Absent where the documents were not in git.
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<&'a str>,
    digest: &'a str,
    /// The documents are known, and the account was compared with them.
    compared: bool,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct DriftFinding<'a> {
    control: &'a str,
    rule: &'a str,
    severity: SeverityWord,
    frameworks: &'a [String],
    accounts: &'a [&'a AccountId],
    /// Empty for what runs once in an account.
    regions: &'a [&'a Region],
    resources: &'a [&'a str],
    standing: Standing,
    /// Live is as it was applied or left then; the documents at hand make it a finding.
    at_hand: bool,
    /// What is not as it was, or as it is to be.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fields: Vec<FieldOutput<'a>>,
    /// What a person has to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    manual: Option<&'a str>,
    /// It has drifted to what the documents at hand say.
    as_wanted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    who: Option<WhoOutput<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<Cow<'a, Fault>>,
}

#[derive(Serialize, JsonSchema)]
struct FieldOutput<'a> {
    /// JSON pointer into the control's spec.
    path: &'a str,
    /// What was last applied. Only of what has drifted.
    #[serde(skip_serializing_if = "Option::is_none")]
    applied: Option<&'a Value>,
    live: &'a Value,
    /// What the documents at hand say. Only of what has not drifted.
    #[serde(skip_serializing_if = "Option::is_none")]
    desired: Option<&'a Value>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Tail {
    totals: DriftTotals,
    exit_code: u8,
}

/// One JSON document, indented.
pub fn drift(drift: &Drift, exit_code: u8) -> String {
    let alike = fold_told(&drift.findings);
    document(&DriftOutput {
        head: Head::of(drift),
        findings: alike.iter().map(DriftFinding::of).collect(),
        tail: Tail { totals: drift.totals, exit_code },
    })
}

/// One unfolded finding a line, and a last line with everything else.
pub fn drift_lines(drift: &Drift, exit_code: u8) -> String {
    let mut out = String::new();
    for told in &drift.findings {
        line(&mut out, &DriftFinding::of(&Alike::of(told)));
    }
    line(&mut out, &LastLine { head: Head::of(drift), tail: Tail { totals: drift.totals, exit_code } });
    out
}

impl<'a> Head<'a> {
    fn of(drift: &'a Drift) -> Self {
        Self {
            format_version: FORMAT_VERSION,
            organization: drift.organization_id.as_deref().unwrap_or(&drift.organization),
            desired_state: DesiredState { revision: drift.revision.as_deref(), digest: &drift.digest },
            caller: &drift.caller,
            own_credentials: drift.own_credentials,
            accounts: drift.accounts.iter().map(Account::of).collect(),
        }
    }
}

impl<'a> Account<'a> {
    fn of(account: &'a DriftAccount) -> Self {
        let (state, fault, why) = state(&account.state);
        let (last, lost, open) = match &account.last {
            Last::Applied(last) => (Some(last), None, None),
            Last::Never { open } => (None, None, Some(*open)),
            Last::Lost { last, why, open } => (Some(last), Some(why.as_str()), Some(*open)),
        };
        let last_applied = last.map(|last| LastAppliedOutput {
            run: &last.run,
            at: last.at.to_string(),
            revision: last.revision.as_deref(),
            digest: &last.digest,
            compared: lost.is_none(),
        });
        Self { id: &account.id, name: &account.name, state, fault, why: why.or(lost), last_applied, open }
    }
}

impl<'a> DriftFinding<'a> {
    fn of(alike: &'a Alike<'a>) -> Self {
        let Alike { told, block } = alike;
        let item = block.first;
        let has_drifted = told.standing == Standing::Drifted;
        let fields = item.finding.change().map(|change| change.fields.as_slice()).unwrap_or_default();
        let fields = fields.iter().map(|field| match has_drifted {
            true => FieldOutput {
                path: &field.path,
                applied: Some(&field.before),
                live: &field.after,
                desired: None,
            },
            false => FieldOutput {
                path: &field.path,
                applied: None,
                live: &field.before,
                desired: Some(&field.after),
            },
        });
        let manual = match &item.finding.verdict {
            Verdict::Manual(task) => Some(task.title.as_str()),
            _ => None,
        };
        Self {
            control: &item.control,
            rule: &item.finding.rule,
            severity: item.severity,
            frameworks: &item.frameworks,
            accounts: &block.accounts,
            regions: &block.regions,
            resources: &block.resources,
            standing: told.standing,
            at_hand: told.at_hand,
            fields: fields.collect(),
            manual,
            as_wanted: told.as_wanted,
            who: told.who.as_ref().map(WhoOutput::of),
            fault: block.fault(),
        }
    }
}
