//! `cloudwatch.cis-alarms`: the metric filters and alarms of CIS on what a trail writes to a log group.
//!
//! One finding for each alarm, with its filter: apart they are worth nothing. A filter is found by what it counts and
//! not only by its name ([`pattern`]), and an alarm by its filter's metric, so what others have built is adopted.

use crate::aws::{Reader, Writer};
use crate::control::{Call, Control, Facts, Field, Finding, Known, Meta, Need, Reach, Rule, Severity};
use crate::fault::Fault;

mod found;
mod live;
mod pattern;
mod plan;
mod spec;
#[cfg(test)]
mod tests;
mod undo;
mod watch;
mod write;

use live::Observed;
use spec::AlarmsSpec;
use write::Write;

pub struct CisAlarms;

/// The log group whose filters are looked at.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Ask {
    group: String,
}

/// CIS 3.0.0 and 5.0.0 keep the numbers of 1.4.0.
macro_rules! rules {
    ($($word:literal $severity:ident $cis:literal;)+) => {
        &[$(Rule {
            id: $word,
            severity: Severity::$severity,
            frameworks: &[concat!("cis-1.4.0/", $cis), concat!("cis-3.0.0/", $cis), concat!("cis-5.0.0/", $cis)],
        },)+]
    };
}

impl Control for CisAlarms {
    const META: Meta = Meta {
        id: "cloudwatch.cis-alarms",
        title: "What CIS asks to be watched rings when it happens",
        docs: "\
## What it checks

In the home region, for each alarm that is named: whether the trail's log group has a metric filter that counts
what CIS asks for (1.4.0, 3.0.0 and 5.0.0, 4.1 to 4.15), whether an alarm rings when there are too many, and
whether it tells the topic. A filter is known by what its pattern counts, whatever its name, spaces and order; an
alarm is known by the metric of that filter. So what somebody has built already is adopted, and not doubled. 4.16 of
CIS 3.0.0 is Security Hub itself and has no alarm.

The patterns are those that Security Hub looks for, to the letter (CloudWatch.1 to CloudWatch.14). Its checks pass
with `singleSignOn: true`, `quiet: false` and `exceptRole: none`, a trail of all regions that writes to the log
group, and a subscription to the topic. CIS has both patterns for 4.2; with `singleSignOn: false` Security Hub's
CloudWatch.3 fails, because it looks for the other one.

- `singleSignOn` is about `console-without-mfa`.
- `quiet` is about `unauthorized-calls`: it leaves out what log delivery and AWS Config are refused by themselves.
- `exceptRole` is about the alarms on changes. Each run of baseline signs in to its apply role with the run's id as
  session name, so with `none` an alarm that baseline set off itself can be told by it.

## Why it matters

A trail that nobody reads tells afterwards what happened. These alarms tell while it happens: the root user at work,
a trail that is stopped, a policy that opens a bucket.

## What apply does

Where there is no filter, it makes `baseline-ALARM`, and an alarm of the same name: the sum of five minutes, from one
event on, nothing counted is nothing wrong. Each metric and each alarm is charged for by the month. What exists is
updated under its own name. Both calls replace everything, so what is not declared is read and sent along; an alarm
keeps its other actions.

The log group and the topic must be there, made by `cloudtrail.trail` or `logs.groups`, and by `sns.topics`. A topic
that is encrypted needs a key that lets CloudWatch use it, `usedBy: [cloudwatch]` in `kms.keys`.

What counts less weakens, and apply asks for it: `--allow weakening:ALARM`. Who can take the role of `exceptRole`
sets off none of the alarms on changes. Let nobody but baseline take it.

## How to undo

The audit record of the run holds what the fields were: declare those values, and apply. An alarm that did not exist
before is silenced by `enabled: false`; it is not deleted, and neither is its filter.
",
        example: "\
logGroup: baseline/trail-events
topic: security-alarms
namespace: LogMetrics
singleSignOn: true
quiet: false
exceptRole: none
alarms:
  unauthorized-calls: {enabled: true, threshold: 5, periodSeconds: 300, evaluationPeriods: 1}
  console-without-mfa: {enabled: true, threshold: 1}
  root-usage: {enabled: true}
  iam-changes: {enabled: true}
  cloudtrail-changes: {enabled: true}
  console-failures: {enabled: true, threshold: 3, periodSeconds: 900}
  key-disabling: {enabled: true}
  bucket-policy-changes: {enabled: true}
  config-changes: {enabled: true}
  security-group-changes: {enabled: true}
  nacl-changes: {enabled: true}
  gateway-changes: {enabled: true}
  route-changes: {enabled: true}
  vpc-changes: {enabled: true}
  organization-changes: {enabled: true}
",
        reach: Reach::ACCOUNT,
        rules: rules! {
            "unauthorized-calls" Low "4.1";
            "console-without-mfa" Low "4.2";
            "root-usage" Low "4.3";
            "iam-changes" Low "4.4";
            "cloudtrail-changes" Low "4.5";
            "console-failures" Low "4.6";
            "key-disabling" Low "4.7";
            "bucket-policy-changes" Low "4.8";
            "config-changes" Low "4.9";
            "security-group-changes" Low "4.10";
            "nacl-changes" Low "4.11";
            "gateway-changes" Low "4.12";
            "route-changes" Low "4.13";
            "vpc-changes" Low "4.14";
            "organization-changes" Low "4.15";
        },
        reads: &[Call::new(live::FILTERS), Call::new(live::ALARMS)],
        writes: &[write::PUT_FILTER, write::PUT_ALARM],
        events: &["logs:DeleteMetricFilter", "cloudwatch:DeleteAlarms", "cloudwatch:DisableAlarmActions"],
        undo: Some("baseline never deletes a metric filter or an alarm"),
        tags: false,
    };
    type Desired = AlarmsSpec;
    type Ask = Ask;
    type Observed = Observed;
    type Action = Write;

    fn ask(&self, _: &Facts, spec: &AlarmsSpec) -> Ask {
        Ask { group: spec.group().to_owned() }
    }

    async fn observe(&self, aws: &Reader, ask: &Ask) -> Result<Observed, Fault> {
        live::read(aws, &ask.group).await
    }

    fn needs(&self, facts: &Facts, spec: &AlarmsSpec) -> Vec<Need> {
        let topic = spec.topic.as_ref().map(|name| plan::topic(facts, name));
        [plan::log_group(facts, spec.group())].into_iter().chain(topic).map(Need::hard).collect()
    }

    fn plan(
        &self,
        facts: &Facts,
        known: &Known,
        spec: &AlarmsSpec,
        observed: &Observed,
    ) -> Vec<Finding<Write>> {
        let said = watch::WATCHES.iter().filter_map(|watch| Some((watch, spec.alarms.get(watch.word)?)));
        said.map(|(watch, entry)| {
            let verdict = plan::verdict(facts, known, spec, watch, entry, observed);
            Finding::new(watch.word, watch.word, verdict)
        })
        .collect()
    }

    async fn apply(&self, aws: &Writer, known: &Known, action: &Write) -> Result<(), Fault> {
        action.send(aws, known).await
    }

    fn import(&self, facts: &Facts, known: &Known, observed: &Observed) -> Option<AlarmsSpec> {
        undo::import(facts, known, observed)
    }

    fn inverse(&self, resource: &str, fields: &[Field]) -> Option<AlarmsSpec> {
        undo::inverse(resource, fields)
    }
}
