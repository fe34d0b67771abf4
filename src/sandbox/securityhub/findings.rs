//! Findings of controls, as somebody put them here: the sandbox runs no checks.
//!
//! Sources: API reference of each operation, of `AwsSecurityFinding` and of `StringFilter`; User Guide, "Setting the
//! workflow status of findings".

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_securityhub::operation::batch_update_findings::{
    BatchUpdateFindingsInput, BatchUpdateFindingsOutput,
};
use aws_sdk_securityhub::operation::get_findings::{GetFindingsInput, GetFindingsOutput};
use aws_sdk_securityhub::types::{
    AwsSecurityFinding, AwsSecurityFindingFilters, AwsSecurityFindingIdentifier,
    BatchUpdateFindingsUnprocessedFinding, Compliance, ComplianceStatus, Note, RecordState, Resource,
    Severity, SeverityLabel, StringFilter, StringFilterComparison, Workflow, WorkflowStatus,
};
use jiff::Timestamp;

use super::super::operation::{Call, Refusal, length_within, page};
use super::standards::page_size;
use super::{enabled, invalid};

/// "up to 100 findings at a time", "up to 20 filter values" and "up to 10 finding attributes".
const MOST: usize = 100;
const VALUES: usize = 20;
const ATTRIBUTES: usize = 10;

/// A finding of one control about one resource.
#[derive(Clone, Debug, PartialEq)]
pub struct HubFinding {
    /// `ECR.1`.
    pub control: String,
    /// `AwsEcrRepository`.
    pub kind: String,
    /// An ARN, or `AWS::::Account:111122223333`.
    pub resource: String,
    pub tags: BTreeMap<String, String>,
    pub status: WorkflowStatus,
    pub archived: bool,
    /// Text, who updated it, and when.
    pub note: Option<(String, String, Timestamp)>,
    pub created: Timestamp,
    pub updated: Timestamp,
}

impl HubFinding {
    /// As a check makes it that fails for the first time.
    pub fn new(control: &str, kind: &str, resource: &str, now: Timestamp) -> Self {
        Self {
            control: control.to_owned(),
            kind: kind.to_owned(),
            resource: resource.to_owned(),
            tags: BTreeMap::new(),
            status: WorkflowStatus::New,
            archived: false,
            note: None,
            created: now,
            updated: now,
        }
    }

    fn told(&self, id: &str, call: &Call<'_>) -> AwsSecurityFinding {
        let account = &call.caller.account;
        let region = call.region;
        let state = if self.archived { RecordState::Archived } else { RecordState::Active };
        let note = self.note.as_ref().map(|(text, by, at)| {
            Note::builder().text(text).updated_by(by).updated_at(at.to_string()).build()
        });
        let mut finding = AwsSecurityFinding::builder().build();
        finding.schema_version = Some("2018-10-08".into());
        finding.id = Some(id.into());
        finding.product_arn = Some(product(region));
        finding.generator_id = Some(format!("security-control/{}", self.control));
        finding.aws_account_id = Some(account.clone());
        finding.region = Some(region.into());
        finding.types =
            Some(vec!["Software and Configuration Checks/Industry and Regulatory Standards".into()]);
        finding.created_at = Some(self.created.to_string());
        finding.updated_at = Some(self.updated.to_string());
        finding.severity = Some(Severity::builder().label(SeverityLabel::High).build());
        finding.title = Some(format!("{} has failed", self.control));
        finding.description = Some("This control checks what its title says.".into());
        finding.resources = Some(vec![self.told_resource(region)]);
        let compliance = Compliance::builder().status(ComplianceStatus::Failed);
        finding.compliance = Some(compliance.security_control_id(&self.control).build());
        finding.workflow = Some(Workflow::builder().status(self.status.clone()).build());
        finding.record_state = Some(state);
        finding.note = note;
        finding
    }

    /// Set field by field: a builder of something that large would be moved with each call, over the stack.
    fn told_resource(&self, region: &str) -> Resource {
        let mut resource = Resource::builder().build();
        resource.r#type = Some(self.kind.clone());
        resource.id = Some(self.resource.clone());
        resource.region = Some(region.to_owned());
        resource.tags = (!self.tags.is_empty()).then(|| self.tags.clone().into_iter().collect());
        resource
    }
}

/// `ProductARN` of Security Hub itself.
fn product(region: &str) -> String {
    format!("arn:aws:securityhub:{region}::product/aws/securityhub")
}

/// One attribute's filter. Other comparisons than equality are refused here: the service knows more.
fn passes(filters: &Option<Vec<StringFilter>>, value: &str) -> Result<bool, Refusal> {
    let Some(filters) = filters else { return Ok(true) };
    if filters.is_empty() || filters.len() > VALUES {
        return Err(invalid("Each filter has 1 to 20 values"));
    }
    let mut passes = false;
    for filter in filters {
        match (filter.value(), filter.comparison()) {
            (Some(wanted), Some(StringFilterComparison::Equals)) => passes |= wanted == value,
            _ => return Err(invalid("the sandbox knows filters with EQUALS only")),
        }
    }
    Ok(passes)
}

/// The attributes that the sandbox filters by; any other is refused.
fn check(filters: &AwsSecurityFindingFilters) -> Result<(), Refusal> {
    let known = AwsSecurityFindingFilters::builder()
        .set_aws_account_id(filters.aws_account_id.clone())
        .set_region(filters.region.clone())
        .set_record_state(filters.record_state.clone())
        .set_workflow_status(filters.workflow_status.clone())
        .set_compliance_security_control_id(filters.compliance_security_control_id.clone())
        .set_note_updated_by(filters.note_updated_by.clone())
        .build();
    let attributes = [
        &known.aws_account_id,
        &known.region,
        &known.record_state,
        &known.workflow_status,
        &known.compliance_security_control_id,
        &known.note_updated_by,
    ];
    if known != *filters || attributes.iter().filter(|one| one.is_some()).count() > ATTRIBUTES {
        return Err(invalid("the sandbox does not filter by this attribute"));
    }
    Ok(())
}

/// GetFindings: "a list of findings that match the specified criteria".
pub fn get(call: &mut Call<'_>, input: &GetFindingsInput) -> Result<GetFindingsOutput, Refusal> {
    let all = enabled(call)?.findings.clone();
    let size = page_size(input.max_results())?;
    let anything = AwsSecurityFindingFilters::builder().build();
    let filters = input.filters().unwrap_or(&anything);
    check(filters)?;
    let mut found = Vec::new();
    for (id, finding) in all {
        let state = if finding.archived { "ARCHIVED" } else { "ACTIVE" };
        let by = finding.note.as_ref().map_or("", |(_, by, _)| by);
        let passed = [
            passes(&filters.aws_account_id, &call.caller.account)?,
            passes(&filters.region, call.region)?,
            passes(&filters.record_state, state)?,
            passes(&filters.workflow_status, finding.status.as_str())?,
            passes(&filters.compliance_security_control_id, &finding.control)?,
            passes(&filters.note_updated_by, by)?,
        ];
        if passed.iter().all(|passed| *passed) {
            found.push((id, finding));
        }
    }
    let wrong = || invalid("Invalid parameter 'NextToken'.");
    let (shown, next) = page(&found, input.next_token(), size).ok_or_else(wrong)?;
    let told = shown.into_iter().map(|(id, finding)| finding.told(&id, call)).collect();
    Ok(GetFindingsOutput::builder().set_findings(Some(told)).set_next_token(next).build())
}

fn unprocessed(
    id: &AwsSecurityFindingIdentifier,
    code: &str,
    message: &str,
) -> BatchUpdateFindingsUnprocessedFinding {
    BatchUpdateFindingsUnprocessedFinding::builder()
        .finding_identifier(id.clone())
        .error_code(code)
        .error_message(message)
        .build()
}

/// BatchUpdateFindings: 1 to 100 findings, each once; those that are not there are told as unprocessed. What is not
/// said of a finding stays. A note has 1 to 512 characters (User Guide, "Note").
pub fn batch_update(
    call: &mut Call<'_>,
    input: &BatchUpdateFindingsInput,
) -> Result<BatchUpdateFindingsOutput, Refusal> {
    let (now, product) = (call.now, product(call.region));
    let here = enabled(call)?;
    let ids = input.finding_identifiers();
    if !(1..=MOST).contains(&ids.len()) {
        return Err(invalid("Invalid parameter 'FindingIdentifiers'."));
    }
    let status = match input.workflow().map(|workflow| workflow.status()) {
        None => None,
        Some(Some(status)) if WorkflowStatus::values().contains(&status.as_str()) => Some(status.clone()),
        Some(_) => return Err(invalid("Invalid parameter 'Workflow'.")),
    };
    let note = match input.note().map(|note| (note.text(), note.updated_by())) {
        None => None,
        Some((Some(text), Some(by))) if length_within(text, 1, 512) && !by.trim().is_empty() => {
            Some((text.to_owned(), by.to_owned(), now))
        }
        Some(_) => return Err(invalid("Invalid parameter 'Note'.")),
    };
    if status.is_none() && note.is_none() {
        return Err(invalid("the sandbox updates the workflow status and the note only"));
    }
    let (mut done, mut left, mut met) = (Vec::new(), Vec::new(), BTreeSet::new());
    for id in ids {
        let (Some(known), Some(of)) = (id.id(), id.product_arn()) else {
            return Err(invalid("Invalid parameter 'FindingIdentifiers'."));
        };
        if !met.insert(known) {
            left.push(unprocessed(id, "DuplicatedFindingIdentifier", "The finding is named twice"));
            continue;
        }
        match here.findings.get_mut(known).filter(|_| of == product) {
            Some(finding) => {
                finding.status = status.clone().unwrap_or_else(|| finding.status.clone());
                finding.note = note.clone().or(finding.note.take());
                finding.updated = now;
                done.push(id.clone());
            }
            None => left.push(unprocessed(id, "FindingNotFound", "The finding was not found")),
        }
    }
    Ok(BatchUpdateFindingsOutput::builder()
        .set_processed_findings(Some(done))
        .set_unprocessed_findings(Some(left))
        .build())
}
