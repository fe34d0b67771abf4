//! Exceptions as what was signed, and how each stands on a day.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Serialize;

use super::{FORMAT_VERSION, document};
use crate::desired::{DesiredState, Exception, Validity, days_until};
use crate::plan::PlannedException;
use crate::report::exceptions::sorted;

/// All exceptions of the documents, as `baseline exceptions --format json` prints them.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Exceptions")]
pub struct ExceptionsOutput<'a> {
    /// Always 1. Fields may be added; a change of meaning is another version.
    format_version: u32,
    /// The organisation's id, or its name in the YAML where that gives no id.
    organization: &'a str,
    /// The day on which they were judged, in UTC.
    on: String,
    /// The first to end first.
    exceptions: Vec<ListedOutput<'a>>,
    exit_code: u8,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ListedOutput<'a> {
    #[serde(flatten)]
    signed: SignedOutput<'a>,
    /// Names or ids, with `*` and `?`.
    accounts: &'a [String],
    /// The accounts that are meant, as far as the documents tell without AWS Organizations.
    means: Vec<&'a str>,
    /// Empty: every region.
    regions: Vec<&'a str>,
    /// With `*` and `?`. Empty: every resource.
    resources: &'a [String],
    /// Each of these tags with one of its values. Empty: whatever the tags are.
    resource_tags: &'a std::collections::BTreeMap<String, Vec<String>>,
    /// Controls of Security Hub whose findings are suppressed.
    suppresses: Vec<&'a str>,
    /// Negative once it has expired.
    days_left: i64,
}

/// What was signed, and how it stands.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Exception")]
pub(super) struct SignedOutput<'a> {
    name: &'a str,
    control: &'a str,
    /// Absent: every rule of the control.
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<&'a str>,
    reason: &'a str,
    /// Who has to end it.
    owner: &'a str,
    /// Who took the risk.
    approver: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ticket: Option<&'a str>,
    /// The last day on which it holds, in UTC.
    expires: String,
    /// `endsSoon`: within 14 days.
    state: Validity,
    /// How many findings are excepted by it; absent where nobody looked.
    #[serde(skip_serializing_if = "Option::is_none")]
    findings: Option<usize>,
    /// It excepts nothing, and everything that it could be about was seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    matches_nothing: Option<bool>,
    /// `file:line:column` of its last day in the YAML.
    #[serde(skip_serializing_if = "Option::is_none")]
    declared_at: Option<String>,
}

impl<'a> SignedOutput<'a> {
    pub(super) fn planned(one: &'a PlannedException) -> Self {
        Self {
            name: &one.name,
            control: &one.control,
            rule: one.rule.as_deref(),
            reason: &one.reason,
            owner: &one.owner,
            approver: &one.approver,
            ticket: one.ticket.as_deref(),
            expires: one.expires.to_string(),
            state: one.validity,
            findings: Some(one.findings),
            matches_nothing: Some(one.matches_nothing),
            declared_at: one.declared.as_ref().map(ToString::to_string),
        }
    }

    fn signed(one: &'a Exception, on: Date) -> Self {
        Self {
            name: one.name(),
            control: &one.control,
            rule: one.rule.as_deref(),
            reason: &one.reason,
            owner: &one.owner,
            approver: &one.approver,
            ticket: one.ticket.as_deref(),
            expires: one.expires.value.to_string(),
            state: one.validity(on),
            findings: None,
            matches_nothing: None,
            declared_at: one.declared.as_ref().map(ToString::to_string),
        }
    }
}

/// All exceptions as one JSON document, indented.
pub fn exceptions(desired: &DesiredState, on: Date, exit_code: u8) -> String {
    let exceptions = sorted(&desired.exceptions).into_iter().map(|one| ListedOutput {
        signed: SignedOutput::signed(one, on),
        accounts: &one.accounts,
        means: desired.accounts.iter().filter(|it| one.means(it)).map(|it| &*it.name).collect(),
        regions: one.regions.iter().map(|region| region.as_str()).collect(),
        resources: &one.resources,
        resource_tags: &one.resource_tags,
        suppresses: one.suppresses.iter().map(String::as_str).collect(),
        days_left: days_until(one.expires.value, on),
    });
    document(&ExceptionsOutput {
        format_version: FORMAT_VERSION,
        organization: desired.organization.id.as_deref().unwrap_or(&desired.organization.name),
        on: on.to_string(),
        exceptions: exceptions.collect(),
        exit_code,
    })
}
