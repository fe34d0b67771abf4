//! `cloudtrail.organization-trail`: one trail of the management account that records every account.
//!
//! It is `cloudtrail.trail` with another reach: what makes a trail, compares it and puts it right is the same. What is
//! added is that AWS Organizations trusts CloudTrail, and that a change reaches every account. Trust has the trail's
//! own name as its resource, so it is given before the trail is made.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::live::Observed;
use super::spec::TrailSpec;
use super::write::{self, Write as TrailWrite};
use super::{Ask, CloudTrail, EVENTS, INSIGHTS, LOGGING, TRAIL, rules};
use crate::aws::{Reader, Writer, fault, organization};
use crate::control::{
    AwsWrite, Call, Change, Control, Facts, Field, Finding, Known, Meta, Need, Reach, Regions, Risk, Rule,
    Seat, Severity, Thing, Verdict,
};
use crate::fault::Fault;

pub struct OrganizationTrail;

/// What it is called where nobody says: not as an account's own trail is.
const NAME: &str = "baseline-organization";
const TRUST: &str = "trusted-access";
const PRINCIPAL: &str = "cloudtrail.amazonaws.com";

const ENABLE_ACCESS: Call = Call::needing(
    "organizations:EnableAWSServiceAccess",
    &["iam:CreateServiceLinkedRole", "organizations:EnableAWSServiceAccess"],
);

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Live {
    pub trail: Observed,
    /// AWS Organizations trusts CloudTrail.
    pub trusted: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Write {
    EnableAccess,
    Trail(Box<TrailWrite>),
}

impl AwsWrite for Write {
    fn call(&self) -> &'static Call {
        match self {
            Self::EnableAccess => const { &ENABLE_ACCESS },
            Self::Trail(write) => write.call(),
        }
    }
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EnableAccess => f.write_str("trust CloudTrail in the organisation"),
            Self::Trail(write) => fmt::Display::fmt(write, f),
        }
    }
}

/// The trail that is declared: of the organisation, and with a name of its own.
fn of_organization(spec: &TrailSpec) -> TrailSpec {
    let name = spec.name.clone().unwrap_or_else(|| NAME.to_owned());
    TrailSpec { name: Some(name), organization_trail: spec.organization_trail.or(Some(true)), ..spec.clone() }
}

fn is_declared(spec: &TrailSpec) -> bool {
    *spec != TrailSpec::default()
}

impl Control for OrganizationTrail {
    const META: Meta = Meta {
        id: "cloudtrail.organization-trail",
        title: "One trail records every account of the organisation",
        docs: "\
## What it checks

In the management account, in its home region: what `cloudtrail.trail` checks of an account's own trail, of one that
records all accounts of the organisation. Where no trail of that name is there, a multi-region trail of the management
account that is at home there is adopted, and becomes the organisation's. Whether AWS Organizations trusts CloudTrail
is a finding of its own.

Every account sees the organisation's trail and cannot change it. `cloudtrail.trail` of a member leaves it alone and
asks for no second one, as long as it has all that is declared for the member; what it lacks is named.

## Why it matters

A trail of the account is in the hands of whoever holds the account. The organisation's trail goes on recording, and
records an account from the minute that it joins.

## What apply does

It lets CloudTrail into the organisation, then makes or updates the trail as `cloudtrail.trail` does. Changes of the
trail reach every account, so apply asks for `--allow organization:NAME`. CloudTrail delivers the accounts' log files to
the folder of the organisation in the archive, `AWSLogs/o-…/`; `s3.log-archive` lets it. The log group and its role are
in the management account and take in the events of all accounts.

The first copy of management events in each account is free. Where accounts have trails of their own, CloudTrail
charges for the second one.

## How to undo

The audit record of the run holds what the fields were: declare those values, and apply. `organizationTrail: false`
takes the trail away from the members and keeps it for the management account. Nothing is deleted, and trust in
CloudTrail stays.
",
        example: "\
name: baseline-organization
multiRegion: true
globalEvents: true
logFileValidation: true
deliverTo: archive
prefix: none
encrypt: true
organizationTrail: true
snsTopic: none
cloudWatchLogs:
  group: baseline/organization-trail
  retentionDays: 365
  role: baseline-cloudtrail
logging: true
events:
  management: all
  excludedSources: []
  s3: none
  lambda: none
  dynamodb: none
insights:
  ApiCallRateInsight: false
  ApiErrorRateInsight: false
",
        reach: Reach::organization(Seat::Management, Regions::Home),
        rules: &[
            Rule { id: TRUST, severity: Severity::Medium, frameworks: &[] },
            rules::OF_LOGS,
            rules::OF_TRAIL,
            rules::OF_EVENTS,
            rules::OF_INSIGHTS,
            rules::OF_LOGGING,
            rules::OF_DELIVERY,
        ],
        reads: &[
            Call::new("cloudtrail:DescribeTrails"),
            Call::new("cloudtrail:GetTrailStatus"),
            Call::new("cloudtrail:GetEventSelectors"),
            Call::new("cloudtrail:GetInsightSelectors"),
            Call::new("logs:DescribeLogGroups"),
            Call::new("iam:GetRole"),
            Call::new("iam:GetRolePolicy"),
            Call::new(organization::LIST_TRUSTED),
        ],
        writes: &[
            ENABLE_ACCESS,
            write::CREATE_LOG_GROUP,
            write::PUT_RETENTION,
            write::CREATE_ROLE,
            write::TRUST,
            write::PUT_ROLE_POLICY,
            write::CREATE_TRAIL,
            write::UPDATE_TRAIL,
            write::PUT_EVENTS,
            write::PUT_INSIGHTS,
            write::START_LOGGING,
            write::STOP_LOGGING,
        ],
        events: &["cloudtrail:DeleteTrail", "logs:DeleteLogGroup", "logs:DeleteRetentionPolicy", "iam:DeleteRole", "iam:DeleteRolePolicy", "organizations:DisableAWSServiceAccess"],
        undo: Some("baseline never deletes a trail, a log group or a role, nor trust in a service"),
        tags: false,
    };
    type Desired = TrailSpec;
    type Ask = Ask;
    type Observed = Live;
    type Action = Write;

    fn ask(&self, facts: &Facts, spec: &TrailSpec) -> Ask {
        CloudTrail.ask(facts, &of_organization(spec))
    }

    async fn observe(&self, aws: &Reader, ask: &Ask) -> Result<Live, Fault> {
        let organizations = aws.organizations();
        let trusted = organization::trusts(&organizations, PRINCIPAL);
        let (trail, trusted) = futures::try_join!(CloudTrail.observe(aws, ask), trusted)?;
        Ok(Live { trail, trusted })
    }

    fn needs(&self, facts: &Facts, spec: &TrailSpec) -> Vec<Need> {
        if is_declared(spec) { CloudTrail.needs(facts, &of_organization(spec)) } else { Vec::new() }
    }

    fn plan(&self, facts: &Facts, known: &Known, spec: &TrailSpec, observed: &Live) -> Vec<Finding<Write>> {
        if !is_declared(spec) {
            return Vec::new();
        }
        let spec = of_organization(spec);
        let of_trail = CloudTrail.plan(facts, known, &spec, &observed.trail);
        let name = of_trail.first().map_or(spec.name(), |finding| finding.resource.as_str()).to_owned();
        let mut findings = Vec::new();
        if spec.organization_trail == Some(true) {
            findings.push(Finding::new(name, TRUST, trust(facts, observed.trusted)));
        }
        findings.extend(
            of_trail
                .into_iter()
                .map(|finding| reaching_all(finding.map(|write| Write::Trail(Box::new(write))))),
        );
        findings
    }

    async fn apply(&self, aws: &Writer, known: &Known, action: &Write) -> Result<(), Fault> {
        match action {
            Write::Trail(write) => write.send(aws, known).await,
            Write::EnableAccess => {
                let call = aws.organizations().enable_aws_service_access().service_principal(PRINCIPAL);
                call.send().await.map(drop).map_err(fault(ENABLE_ACCESS.operation))
            }
        }
    }

    fn import(&self, facts: &Facts, known: &Known, observed: &Live) -> Option<TrailSpec> {
        CloudTrail.import(facts, known, &observed.trail)
    }

    fn inverse(&self, resource: &str, fields: &[Field]) -> Option<TrailSpec> {
        CloudTrail.inverse(resource, fields)
    }
}

fn trust(facts: &Facts, trusted: bool) -> Verdict<Write> {
    if trusted {
        return Verdict::InSync;
    }
    let access = Thing::ServiceAccess { account: facts.scope.account.clone(), service: PRINCIPAL.to_owned() };
    Verdict::Change(Change {
        risk: Risk::Organization,
        evidence: Some("CloudTrail may make roles of its own in every account".into()),
        makes: vec![access],
        stands_on: Some(Vec::new()),
        ..Change::update(
            vec![Field::new("/organizationTrail", "CloudTrail is not trusted", true)],
            vec![Write::EnableAccess],
        )
    })
}

/// What is changed of the trail itself is changed for every account; log group and role are the management account's.
fn reaching_all(mut finding: Finding<Write>) -> Finding<Write> {
    let of_trail = [TRAIL, EVENTS, INSIGHTS, LOGGING].contains(&finding.rule.as_str());
    if let (true, Verdict::Change(change)) = (of_trail, &mut finding.verdict) {
        change.risk = change.risk.max(Risk::Organization);
    }
    finding
}
