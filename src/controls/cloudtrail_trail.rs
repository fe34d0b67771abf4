//! `cloudtrail.trail`: one trail for each account, in its home region, that records all regions.
//!
//! The trail is looked for before one is made: by its name, then any multi-region trail of this account that is
//! at home here. A second multi-region trail would be charged for. Where there is none, the finding `trail` makes
//! it whole, with its log group and role before it and its selectors after it, and the other rules are silent.

use crate::aws::{Reader, Writer};
use crate::control::{
    Accounts, Call, Control, Facts, Field, Finding, Known, Meta, Need, Reach, Regions, Sight, Thing, Verdict,
};
use crate::fault::Fault;

mod arn;
mod create;
mod live;
mod logs;
mod organization;
mod plan;
mod rules;
mod selectors;
mod send;
mod spec;
#[cfg(test)]
mod tests;
mod undo;
mod write;

use live::{Observed, Trail};
use spec::TrailSpec;
use write::Write;

pub use organization::OrganizationTrail;

pub struct CloudTrail;

#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Ask {
    /// The trail that is looked for first.
    name: String,
    /// The organisation's trail is what is declared; otherwise one of this account is left to who declares it.
    #[serde(default)]
    organization: bool,
    events: bool,
    insights: bool,
    logs: Option<AskLogs>,
}

/// What is declared; the rest is what the trail has.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct AskLogs {
    group: Option<String>,
    role: Option<String>,
}

const TRAIL: &str = "trail";
const LOGS: &str = "cloudwatch-logs";
const EVENTS: &str = "events";
const INSIGHTS: &str = "insights";
const LOGGING: &str = "logging";
const DELIVERY: &str = "delivery";

impl Control for CloudTrail {
    const META: Meta = Meta {
        id: "cloudtrail.trail",
        title: "One trail records every region",
        docs: "\
## What it checks

In the home region: whether there is a trail that records all regions, where it delivers to, whether its files
are encrypted and can be checked for changes, whether it is recording, and which events it records. A trail goes
by its name; where there is none of that name, a multi-region trail of the account is adopted under the name that
it has, the one that is recording, by order of names.

What CloudTrail could not deliver is a finding of its own, with AWS's own words. A trail of the organisation that
records this account and has all that is declared is left alone: the management account writes it, and
`cloudtrail.organization-trail` declares it there. Selectors that say more than which events of a family are
recorded, single buckets for example, are other people's and stay.

## Why it matters

The trail is the memory of the account: who called what, from where. Without it nobody can say what an intruder
did, and stopping it is among the first things that intruders try.

## What apply does

Where no trail fits, it makes one: log group, retention and role where they are declared, then the trail, its
selectors, and then it starts it. An existing trail is updated, and what is not declared stays. Selectors are
replaced by one call: those that are not declared are read and sent along. Basic selectors become advanced ones
that record the same. The role gets one inline policy, for the trail's streams in the log group.

A multi-region trail that is at home in another region is neither written nor doubled: the plan says where it is
at home. `retentionDays: never` is put right by hand where the group has a retention, because nothing is deleted.

## How to undo

The audit record of the run holds what the fields were: declare those values, and apply. Turning something off
weakens, so apply asks for it by name. A trail that did not exist before is stopped by `logging: false`; it
is not deleted, and neither are its log group and role.
",
        example: "\
name: baseline
multiRegion: true
globalEvents: true
logFileValidation: true
deliverTo: archive
prefix: none
encrypt: true
snsTopic: none
cloudWatchLogs:
  group: baseline/trail-events
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
        reach: Reach { accounts: Accounts::Each, regions: Regions::Home },
        rules: &[
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
        ],
        writes: &[
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
        events: &["cloudtrail:DeleteTrail", "logs:DeleteLogGroup", "logs:DeleteRetentionPolicy", "iam:DeleteRole", "iam:DeleteRolePolicy"],
        undo: Some("baseline never deletes a trail, a log group or a role"),
        tags: false,
    };
    type Desired = TrailSpec;
    type Ask = Ask;
    type Observed = Observed;
    type Action = Write;

    fn ask(&self, _: &Facts, spec: &TrailSpec) -> Ask {
        let logs = &spec.cloud_watch_logs;
        let looks = logs.is_declared() && logs.group.as_deref() != Some(spec::NONE);
        Ask {
            name: spec.name().to_owned(),
            organization: spec.organization_trail == Some(true),
            events: spec.events.is_declared(),
            insights: spec.insights.is_declared(),
            logs: looks.then(|| AskLogs { group: logs.group.clone(), role: logs.role.clone() }),
        }
    }

    async fn observe(&self, aws: &Reader, ask: &Ask) -> Result<Observed, Fault> {
        live::read(aws, ask).await
    }

    fn needs(&self, facts: &Facts, spec: &TrailSpec) -> Vec<Need> {
        let Some(archive) = facts.archive().filter(|_| spec.wants_trail()) else { return Vec::new() };
        let key = (spec.encrypt == Some(true)).then(|| Need::hard(plan::key(archive)));
        key.into_iter().chain([Need::hard(plan::delivery(facts, archive))]).collect()
    }

    fn plan(
        &self,
        facts: &Facts,
        known: &Known,
        spec: &TrailSpec,
        observed: &Observed,
    ) -> Vec<Finding<Write>> {
        let mut findings = match &observed.trail {
            Some(live) => existing(facts, known, spec, observed, live),
            None if *spec == TrailSpec::default() => Vec::new(),
            None => {
                vec![Finding::new(spec.name(), TRAIL, create::absent(facts, known, spec, observed))]
            }
        };
        findings.iter_mut().for_each(|finding| makes_its_group(facts, finding));
        findings
    }

    async fn apply(&self, aws: &Writer, known: &Known, action: &Write) -> Result<(), Fault> {
        action.send(aws, known).await
    }

    fn import(&self, facts: &Facts, known: &Known, observed: &Observed) -> Option<TrailSpec> {
        undo::import(facts, known, observed)
    }

    fn inverse(&self, resource: &str, fields: &[Field]) -> Option<TrailSpec> {
        undo::inverse(resource, fields)
    }
}

/// Metric filters and alarms stand on the log group, and their control does not know this one.
fn makes_its_group(facts: &Facts, finding: &mut Finding<Write>) {
    let Verdict::Change(change) = &mut finding.verdict else { return };
    let (account, region) = (&facts.scope.account, &facts.scope.region);
    for step in &change.steps {
        if let Write::CreateLogGroup { group, .. } = step {
            let (account, region, name) = (account.clone(), region.clone(), group.clone());
            change.makes.push(Thing::LogGroup { account, region, name });
        }
    }
}

/// A finding for each rule that is declared, in the order in which they are sent.
fn existing(
    facts: &Facts,
    known: &Known,
    spec: &TrailSpec,
    observed: &Observed,
    live: &Trail,
) -> Vec<Finding<Write>> {
    // One that delivers where it should was adopted before.
    let delivers =
        spec.deliver_to.is_some() && facts.archive().is_some_and(|archive| live.bucket == archive.bucket);
    let adopts = (live.name != spec.name() && !delivers)
        .then(|| format!("trail {}, which records all regions, rather than a second", live.name));
    let mut findings = Vec::new();
    let mut say = |rule, mut verdict: Verdict<Write>| {
        if let Verdict::Change(change) = &mut verdict {
            change.adopts.clone_from(&adopts);
        }
        findings.push(Finding::new(live.name.clone(), rule, verdict));
    };
    if spec.cloud_watch_logs.is_declared() {
        let work = match &observed.logs {
            Some(Sight::Unseen(fault)) => Err(fault.clone()),
            Some(Sight::Seen(seen)) => Ok(logs::work(facts, spec, Some(live), Some(seen))),
            None => Ok(logs::work(facts, spec, Some(live), None)),
        };
        match work {
            Ok(work) => say(LOGS, plan::logs(live, work)),
            Err(fault) => say(LOGS, Verdict::Unknown { fault }),
        }
    }
    if spec.declares_trail() {
        say(TRAIL, plan::trail(facts, known, spec, live));
    }
    if spec.events.is_declared() {
        say(EVENTS, plan::events(spec, live));
    }
    if spec.insights.is_declared() {
        say(INSIGHTS, plan::insights(spec, live));
    }
    if let Some(wanted) = spec.logging {
        say(LOGGING, plan::logging(wanted, live));
    }
    if spec.deliver_to.is_some() || spec.logging == Some(true) {
        say(DELIVERY, plan::delivers(live));
    }
    findings
}
