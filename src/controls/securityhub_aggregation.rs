//! `securityhub.aggregation`: the findings of the other regions, in the home region.
//!
//! A finding aggregator belongs to one account and lies in one region, which is its home region for good. So the
//! control runs once in an account, in its home region. An organisation declares it in a baseline for the
//! security seat, whose aggregator covers its members; an account on its own declares it for itself.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::aws::{Reader, Writer, fault};
use crate::control::{
    AwsWrite, Call, Control, Facts, Field, Finding, Known, Meta, Need, Reach, Rule, Severity, Thing,
};
use crate::fault::{Fault, FaultKind};

mod live;
mod plan;
mod spec;
#[cfg(test)]
mod tests;

use live::Live;
use spec::{AggregationSpec, Linking};

pub struct Aggregation;

const RESOURCE: &str = "aggregation";
const RULE: &str = "linked-regions";

/// The aggregator's ARN is looked up by whoever writes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Write {
    Create { linking: Linking },
    Update { linking: Linking },
}

/// An account has one aggregator, so a second call is refused and makes no second one.
const CREATE: Call = Call::new("securityhub:CreateFindingAggregator");
const UPDATE: Call = Call::needing(
    "securityhub:UpdateFindingAggregator",
    &["securityhub:UpdateFindingAggregator", "securityhub:ListFindingAggregators"],
);

impl AwsWrite for Write {
    fn call(&self) -> &'static Call {
        match self {
            Self::Create { .. } => const { &CREATE },
            Self::Update { .. } => const { &UPDATE },
        }
    }
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create { linking } => write!(f, "create the finding aggregator: {linking}"),
            Self::Update { linking } => write!(f, "update the finding aggregator: {linking}"),
        }
    }
}

impl Write {
    async fn send(&self, aws: &Writer) -> Result<(), Fault> {
        let hub = aws.securityhub();
        match self {
            Self::Create { linking } => {
                hub.create_finding_aggregator()
                    .region_linking_mode(linking.mode())
                    .set_regions(linking.listed())
                    .send()
                    .await
                    .map_err(fault(CREATE.operation))?;
            }
            Self::Update { linking } => {
                hub.update_finding_aggregator()
                    .finding_aggregator_arn(arn(aws).await?)
                    .region_linking_mode(linking.mode())
                    .set_regions(linking.listed())
                    .send()
                    .await
                    .map_err(fault(UPDATE.operation))?;
            }
        }
        Ok(())
    }
}

/// The account's aggregator. There is never a second one (API reference, `ListFindingAggregators`).
async fn arn(aws: &Writer) -> Result<String, Fault> {
    let call = "securityhub:ListFindingAggregators";
    let mut pages = aws.securityhub().list_finding_aggregators().into_paginator().items().send();
    while let Some(one) = pages.next().await {
        if let Some(arn) = one.map_err(fault(call))?.finding_aggregator_arn {
            return Ok(arn);
        }
    }
    Err(Fault::local(FaultKind::NotFound, call, "there is no finding aggregator any more"))
}

impl Control for Aggregation {
    const META: Meta = Meta {
        id: "securityhub.aggregation",
        title: "Security Hub shows the findings of all regions in one",
        docs: "\
## What it checks

Whether the account has a finding aggregator in its home region, and which regions that links. An account has
one aggregator. `linking` is AWS's `RegionLinkingMode`; with the two modes that take regions, these stand beneath:

    linking: ALL_REGIONS
    linking: NO_REGIONS
    linking: {SPECIFIED_REGIONS: [eu-central-1, us-east-1]}
    linking: {ALL_REGIONS_EXCEPT_SPECIFIED: [me-central-1]}

An organisation declares this for the account that administers Security Hub, in a baseline with
`where: {seats: [security]}`: its aggregator collects the findings of its members too. A member is left to its
administrator. An account on its own declares it for itself.

## Why it matters

Attackers go where nobody looks. Findings stay in the region that they come from unless regions are linked, and
nobody opens seventeen consoles a day. Only `ALL_REGIONS` and `ALL_REGIONS_EXCEPT_SPECIFIED` link the regions
that AWS opens later.

## What apply does

Makes the aggregator, or links other regions to the one that is there. Linking fewer regions weakens, so apply
asks for `--allow weakening:aggregation`. Where the organisation is configured centrally, policies take effect in
each linked region: a change then reaches all of its accounts, and apply asks for
`--allow organization:aggregation`. An aggregator in another region cannot be moved by a call; that is a task by
hand. A region must have Security Hub enabled to send its findings.

## How to undo

The audit record of the run holds which regions were linked: declare those, and apply. `linking: NO_REGIONS`
links none. The aggregator itself stays; `aws securityhub delete-finding-aggregator` ends it.
",
        example: "linking: ALL_REGIONS\n",
        reach: Reach::ACCOUNT,
        rules: &[Rule { id: RULE, severity: Severity::Medium, frameworks: &[] }],
        reads: &[
            Call::new("securityhub:ListFindingAggregators"),
            Call::new("securityhub:GetFindingAggregator"),
            Call::new("securityhub:GetAdministratorAccount"),
            Call::new("securityhub:DescribeOrganizationConfiguration"),
        ],
        writes: &[CREATE, UPDATE],
        events: &["securityhub:DeleteFindingAggregator"],
        undo: Some("baseline never deletes a finding aggregator"),
        tags: false,
    };
    type Desired = AggregationSpec;
    type Ask = ();
    type Observed = Live;
    type Action = Write;

    fn ask(&self, _: &Facts, _: &AggregationSpec) {}

    async fn observe(&self, aws: &Reader, (): &()) -> Result<Live, Fault> {
        live::read(&aws.securityhub()).await
    }

    fn needs(&self, facts: &Facts, spec: &AggregationSpec) -> Vec<Need> {
        let hub =
            Thing::SecurityHub { account: facts.scope.account.clone(), region: facts.scope.region.clone() };
        spec.linking.iter().map(|_| Need::hard(hub.clone())).collect()
    }

    fn plan(&self, facts: &Facts, _: &Known, spec: &AggregationSpec, observed: &Live) -> Vec<Finding<Write>> {
        let say = |linking| Finding::new(RESOURCE, RULE, plan::aggregation(facts, linking, observed));
        spec.linking.iter().map(say).collect()
    }

    async fn apply(&self, aws: &Writer, _: &Known, action: &Write) -> Result<(), Fault> {
        action.send(aws).await
    }

    fn import(&self, facts: &Facts, _: &Known, observed: &Live) -> Option<AggregationSpec> {
        let live = observed.aggregator.as_ref().filter(|live| live.home == facts.scope.region.as_str())?;
        Some(AggregationSpec { linking: Some(live.linking()?) })
    }

    /// An aggregator that was not there links nothing.
    fn inverse(&self, _: &str, fields: &[Field]) -> Option<AggregationSpec> {
        let field = fields.iter().find(|field| field.path == "/linking")?;
        let before = if field.before.is_null() {
            Linking::NoRegions
        } else {
            Linking::deserialize(&field.before).ok()?
        };
        Some(AggregationSpec { linking: Some(before) })
    }
}
