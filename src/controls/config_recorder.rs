//! `config.recorder`: AWS Config records every change, in each region, and delivers to the archive.
//!
//! Four rules, each for what one call writes. `recorder`, `delivery` and `recording` are of one resource, so they
//! happen in that order, which is the one that AWS demands; only a recorder that is seen to record is one that others
//! (Security Hub) wait for. `retention` stands alone.

use crate::aws::{Reader, Writer};
use crate::control::{
    Call, Control, Facts, Field, Finding, Known, Meta, Need, Reach, Rule, Severity, Verdict,
};
use crate::fault::Fault;

mod channel;
mod describe;
mod live;
mod recorder;
mod recording;
mod spec;
#[cfg(test)]
mod tests;
mod write;

use live::{Ask, Observed};
use spec::{GlobalTypes, RecorderSpec, records_iam};
use write::Write;

pub struct ConfigRecorder;

const RESOURCE: &str = "recorder";

/// Kept apart from the recorder: it waits for nothing.
const HISTORY: &str = "history";

/// Control Tower's own (Control Tower User Guide, "Enroll accounts that have existing AWS Config resources").
const CONTROL_TOWER: &str = "aws-controltower-BaselineConfigRecorder";

impl Control for ConfigRecorder {
    const META: Meta = Meta {
        id: "config.recorder",
        title: "AWS Config records every change in every region",
        docs: "\
## What it checks

In each region: whether there is a recorder, which types of resources it records and how often, which role it
reads with, whether it runs and records, where it delivers to, and how long history is kept. AWS has two ways
to say that all types are recorded (`allSupported`, and the strategy `ALL_SUPPORTED_RESOURCE_TYPES`), and two to
leave IAM's types out; they are the same here.

`record: all` stands for what FSBP Config.1 asks for: all types, the users, groups, roles and policies of IAM in
the home region only, AWS Config's own role, and a recorder that runs. Each of these can be said otherwise.
Regions that opened after February 2022 cannot record IAM's types: with such a home, name another region under
`globalTypes`, or that part is reported as not offered.

A region has one recorder and one delivery channel of its own account, under any name; they are taken over under
the name they have. A recorder that Control Tower set up is named and left alone, and recorders of services
(Security Hub and others set them up for themselves) are none of ours.

## Why it matters

AWS Config is the memory of an account: what a resource looked like before an incident, who could reach what on
a given day. Most of Security Hub's controls read what it records; without it they find nothing, which looks
like safety.

## What apply does

Makes AWS Config's service-linked role where it is missing, then the recorder, then the delivery channel to the
archive's bucket with the archive's key, and starts the recorder: in that order, because AWS refuses any other.
It waits until AWS says that it records. What is not declared is sent along as it is, because each call
replaces everything. A channel that goes elsewhere is turned to the archive, which the plan calls disruptive.
AWS Config charges for each change that it records; types that change all the time can be recorded once a day
(`frequencyOf`) or not at all (`exclude`).

## How to undo

The audit record of the run holds what the fields were: declare those values, and apply. `record: none`
stops a recorder and its charges; it is not deleted, and neither is a channel. Stopping, excluding and recording
less often weaken, so apply asks for `--allow weakening:recorder`. History that a shorter retention has deleted
does not come back.
",
        example: "\
record: all
exclude: [\"AWS::Config::ResourceCompliance\"]
globalTypes: home
role: service-linked
frequency: CONTINUOUS
frequencyOf:
  AWS::EC2::NetworkInterface: DAILY
deliverTo: archive
topic: config-changes
snapshots: TwentyFour_Hours
retentionDays: 2557
",
        reach: Reach::REGION,
        rules: &[
            Rule {
                id: "recorder",
                severity: Severity::Critical,
                frameworks: &["fsbp/Config.1", "cis-1.4.0/3.5", "cis-3.0.0/3.3", "cis-5.0.0/3.3"],
            },
            Rule { id: "delivery", severity: Severity::High, frameworks: &[] },
            Rule {
                id: "recording",
                severity: Severity::Critical,
                frameworks: &["fsbp/Config.1", "cis-1.4.0/3.5", "cis-3.0.0/3.3", "cis-5.0.0/3.3"],
            },
            Rule { id: "retention", severity: Severity::Medium, frameworks: &[] },
        ],
        reads: &[
            Call::new("config:DescribeConfigurationRecorders"),
            Call::new("config:DescribeConfigurationRecorderStatus"),
            Call::new("config:DescribeDeliveryChannels"),
            Call::new("config:DescribeDeliveryChannelStatus"),
            Call::new("config:DescribeRetentionConfigurations"),
            Call::new("iam:GetRole"),
        ],
        writes: &[
            write::CREATE_ROLE,
            write::PUT_RECORDER,
            write::PUT_CHANNEL,
            write::START,
            write::STOP,
            write::PUT_RETENTION,
        ],
        events: &["config:DeleteConfigurationRecorder", "config:DeleteDeliveryChannel", "config:DeleteRetentionConfiguration"],
        undo: Some("baseline never deletes a recorder, a channel or a role"),
        tags: false,
    };
    type Desired = RecorderSpec;
    type Ask = Ask;
    type Observed = Observed;
    type Action = Write;

    fn ask(&self, _: &Facts, spec: &RecorderSpec) -> Ask {
        Ask { deliveries: spec.declares_channel(), retention: spec.retention_days.is_some() }
    }

    async fn observe(&self, aws: &Reader, ask: &Ask) -> Result<Observed, Fault> {
        live::read(aws, *ask).await
    }

    fn needs(&self, facts: &Facts, spec: &RecorderSpec) -> Vec<Need> {
        channel::needs(facts, spec)
    }

    fn plan(
        &self,
        facts: &Facts,
        known: &Known,
        spec: &RecorderSpec,
        observed: &Observed,
    ) -> Vec<Finding<Write>> {
        let live = observed.recorder.as_ref();
        if let Some(recorder) = live.filter(|recorder| recorder.name == CONTROL_TOWER) {
            let runs = if recorder.recording { "it records" } else { "it does not record" };
            let verdict = Verdict::Foreign {
                owner: "Control Tower".into(),
                evidence: format!("the recorder is {CONTROL_TOWER}; {runs}"),
            };
            return vec![Finding::new(RESOURCE, "recorder", verdict)];
        }
        let mut findings = Vec::new();
        let mut say = |rule, verdict| findings.push(Finding::new(RESOURCE, rule, verdict));
        if spec.declares_recorder() {
            let verdict = match live {
                Some(live) => recorder::settings_of(facts, spec, live),
                None if spec.wants_recording() == Some(false) => Verdict::InSync,
                None => recorder::absent(facts, spec),
            };
            say("recorder", verdict);
        }
        let will_be_there = live.is_some() || spec.declares_recorder();
        if spec.declares_channel() {
            let verdict = match &observed.channel {
                None if live.is_none() && spec.wants_recording() == Some(false) => Verdict::InSync,
                None if !will_be_there => channel::without_recorder(),
                live => channel::channel(facts, known, spec, live.as_ref()),
            };
            say("delivery", verdict);
        }
        if let Some(want) = spec.wants_recording() {
            say("recording", recording::recording(facts, spec, want, live, observed.channel.is_some()));
        }
        if let Some(days) = spec.retention_days {
            let verdict = channel::retention(days, observed.retention_days);
            findings.push(Finding::new(HISTORY, "retention", verdict));
        }
        findings.extend(not_offered(facts, spec));
        findings
    }

    async fn apply(&self, aws: &Writer, known: &Known, action: &Write) -> Result<(), Fault> {
        action.send(aws, known).await
    }

    fn import(&self, facts: &Facts, known: &Known, observed: &Observed) -> Option<RecorderSpec> {
        describe::import(facts, known, observed)
    }

    /// A recorder that did not exist is one that is stopped. A channel stays: nothing is deleted.
    fn inverse(&self, _: &str, fields: &[Field]) -> Option<RecorderSpec> {
        describe::inverse(fields)
    }
}

/// IAM's types are to be recorded here, where AWS Config cannot record them.
fn not_offered(facts: &Facts, spec: &RecorderSpec) -> Option<Finding<Write>> {
    let global = spec.wants_global_types()?;
    if !global.here(facts) || records_iam(&facts.scope.region) {
        return None;
    }
    let region = &facts.scope.region;
    let source = match global {
        GlobalTypes::In(_) => format!("AWS Config cannot record IAM's types in {region}"),
        _ => {
            format!("AWS Config cannot record IAM's types in {region}: name another region in `globalTypes`")
        }
    };
    Some(Finding::new("users, groups, roles and policies of IAM", "recorder", Verdict::NotOffered { source }))
}
