//! What Security Hub says of findings: those that are open, of the controls that exceptions name, and those that were
//! suppressed here.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_securityhub::Client;
use aws_sdk_securityhub::types::{
    AwsSecurityFinding, AwsSecurityFindingFilters, AwsSecurityFindingIdentifier, StringFilter,
    StringFilterComparison,
};
use serde::{Deserialize, Serialize};

use super::Ask;
use super::write::{BY, exception_of, reopened_of};
use crate::aws::fault;
use crate::fault::Fault;
use crate::place::Scope;

pub const GET: &str = "securityhub:GetFindings";

/// GetFindings: "up to 20 filter values" for each attribute.
const VALUES: usize = 20;
/// `MaxResults`.
const PAGE: i32 = 100;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Live {
    /// Is there a hub at all?
    pub enabled: bool,
    /// In the order of control and resource.
    pub findings: Vec<Seen>,
}

/// A finding without its own id, which nobody but the next call wants.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Seen {
    /// `ECR.1`.
    pub control: String,
    /// The id of the resource, as AWS says it: an ARN for most.
    pub resource: String,
    /// Of the resource, where Security Hub tells them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// The exception that it was suppressed for here; absent where it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exception: Option<String>,
    /// The note that says so, whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The exception that it was suppressed for here until it was opened again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reopened: Option<String>,
}

impl Seen {
    /// What plans call the resource: `repository/legacy-billing`, `Account:111122223333`. No ARN.
    pub fn name(&self) -> &str {
        match self.resource.strip_prefix("arn:") {
            Some(rest) => rest.splitn(5, ':').nth(4).unwrap_or(rest),
            None => self.resource.trim_start_matches("AWS::::"),
        }
    }

    /// Whatever an exception may name it by: its ARN, its name, and its name without the type in front.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let name = self.name();
        let bare = name.split_once(['/', ':']).map(|(_, bare)| bare);
        [self.resource.as_str(), name].into_iter().chain(bare)
    }
}

/// A finding, and what the write knows it by.
pub struct Found {
    pub seen: Seen,
    pub id: AwsSecurityFindingIdentifier,
}

fn equals<S: AsRef<str>>(values: impl IntoIterator<Item = S>) -> Option<Vec<StringFilter>> {
    let filter = |value: S| {
        StringFilter::builder().value(value.as_ref()).comparison(StringFilterComparison::Equals).build()
    };
    Some(values.into_iter().map(filter).collect())
}

/// About this account, in this region, and not archived. An administrator is told of its members' too, and a home
/// region of others.
fn own(scope: &Scope) -> AwsSecurityFindingFilters {
    AwsSecurityFindingFilters::builder()
        .set_aws_account_id(equals([scope.account.as_str()]))
        .set_region(equals([scope.region.as_str()]))
        .set_record_state(equals(["ACTIVE"]))
        .build()
}

/// Open findings of these controls. `None` where Security Hub is not enabled.
pub async fn open(
    hub: &Client,
    scope: &Scope,
    controls: &BTreeSet<String>,
) -> Result<Option<Vec<Found>>, Fault> {
    let controls: Vec<&String> = controls.iter().collect();
    let mut all = Vec::new();
    for some in controls.chunks(VALUES) {
        let mut filters = own(scope);
        filters.workflow_status = equals(["NEW", "NOTIFIED"]);
        filters.compliance_security_control_id = equals(some);
        match get(hub, filters).await? {
            Some(found) => all.extend(found),
            None => return Ok(None),
        }
    }
    Ok(Some(all))
}

/// Findings that were suppressed here, and those that were opened again. `None` where Security Hub is not enabled.
pub async fn ours(hub: &Client, scope: &Scope) -> Result<Option<Vec<Found>>, Fault> {
    let mut filters = own(scope);
    filters.note_updated_by = equals([BY]);
    let found = get(hub, filters).await?;
    let is_ours = |one: &Found| one.seen.exception.is_some() || one.seen.reopened.is_some();
    Ok(found.map(|all| all.into_iter().filter(is_ours).collect()))
}

async fn get(hub: &Client, filters: AwsSecurityFindingFilters) -> Result<Option<Vec<Found>>, Fault> {
    let mut pages = hub.get_findings().filters(filters).max_results(PAGE).into_paginator().send();
    let mut all = Vec::new();
    while let Some(page) = pages.next().await {
        match page {
            Ok(page) => all.extend(page.findings().iter().filter_map(found)),
            Err(error) if error.as_service_error().is_some_and(|e| e.is_invalid_access_exception()) => {
                return Ok(None);
            }
            Err(error) => return Err(fault(GET)(error)),
        }
    }
    Ok(Some(all))
}

/// A finding of a control has its resource first.
fn found(finding: &AwsSecurityFinding) -> Option<Found> {
    let is_suppressed = finding.workflow()?.status()?.as_str() == "SUPPRESSED";
    let note = finding.note().filter(|note| note.updated_by() == Some(BY));
    let note = note.and_then(|note| note.text());
    let suppressed_for = note.filter(|_| is_suppressed).and_then(exception_of);
    let resource = finding.resources().first()?;
    let seen = Seen {
        control: finding.compliance()?.security_control_id()?.to_owned(),
        resource: resource.id()?.to_owned(),
        tags: resource.tags().map(|tags| tags.clone().into_iter().collect()).unwrap_or_default(),
        exception: suppressed_for.map(str::to_owned),
        note: note.filter(|_| suppressed_for.is_some()).map(str::to_owned),
        reopened: note.filter(|_| !is_suppressed).and_then(reopened_of).map(str::to_owned),
    };
    let id = AwsSecurityFindingIdentifier::builder().id(finding.id()?).product_arn(finding.product_arn()?);
    Some(Found { seen, id: id.build() })
}

pub async fn read(hub: &Client, scope: &Scope, ask: &Ask) -> Result<Live, Fault> {
    let (open, ours) = futures::try_join!(open(hub, scope, &ask.controls), ours(hub, scope))?;
    let (Some(open), Some(ours)) = (open, ours) else { return Ok(Live::default()) };
    // What was opened again is among both.
    let all = open.into_iter().chain(ours).map(|one| (one.id.id, one.seen));
    let mut findings: Vec<Seen> = all.collect::<BTreeMap<_, _>>().into_values().collect();
    findings.sort();
    Ok(Live { enabled: true, findings })
}
