//! `events.finding-rules`: what Security Hub and GuardDuty find, on its way to a topic.
//!
//! Two findings for each rule: the rule itself, and the target that its matches go to. A rule that is not there is one
//! finding that makes both. The role that regions send to the home region with is made there, in a finding of its own.

use crate::aws::{Reader, Writer};
use crate::control::{Call, Control, Facts, Field, Finding, Known, Meta, Need, Reach, Rule, Severity, Sight};
use crate::controls::events_rule::{
    ALLOW_ROLE, CREATE_ROLE, DESCRIBE, GET, GET_POLICY, PUT_RULE, PUT_TARGETS, TARGET, TARGETS, TRUST, Target,
};
use crate::fault::Fault;

mod live;
mod pattern;
mod plan;
mod role;
mod spec;
#[cfg(test)]
mod tests;
mod write;

use live::{Ask, Observed};
use pattern::{Source, Threshold};
use plan::Declared;
use spec::FindingRulesSpec;
use write::Write;

pub struct FindingRules;

impl Control for FindingRules {
    const META: Meta = Meta {
        id: "events.finding-rules",
        title: "What Security Hub and GuardDuty find is told at once",
        docs: "\
## What it checks

In each region two rules of EventBridge on the default bus, by their names:

- `baseline-securityhub-findings`: findings of Security Hub's controls with one of the declared severities that
  are active, failed, and new or already told (`NEW`, `NOTIFIED`). Suppressed and resolved ones are not sent.
- `baseline-guardduty-findings`: findings of GuardDuty from the declared severity on.

With `forwardGlobal`, a third one in us-east-1 (in other partitions, in their own global region):

- `baseline-global-events`: events of IAM, STS and signing in, which happen there alone, to the home region's bus.

For each: whether it is there and on, what it matches, by meaning, and whether the topic, or the
bus, is among its targets. Rules and targets of others are left alone.

Security Hub also takes findings from GuardDuty, Inspector and others in. They have no compliance status, so the
first rule does not send them; GuardDuty's have a rule of their own.

In the administrator's account of Security Hub and GuardDuty the rules see the findings of all members, so that is
where to declare this. Where Security Hub brings findings of all regions together in the home region, its rule sees
all of them there: `regions: [home]`.

## Why it matters

A finding that nobody reads is worth nothing, and nobody reads a console at night. The rules send what counts within
minutes, and nothing else: who gets fifty messages a day reads none.

## What apply does

A rule that is not there is made, and then its target. Of a rule that is there, only what differs is changed: the call
replaces all of a rule, so its description, role and schedule are read again right before and sent along. Messages are
the whole event, as JSON: that is what chat integrations of AWS want. A target that somebody else set up for the same
topic, with a message of its own, is as good.

`deliver: home` sends the findings of other regions to the default bus of the home region, where the same rule sends
them to the topic: one topic, and one mailbox to confirm, for all regions. EventBridge does that, and what
`forwardGlobal` asks for, with the role `baseline-events-forwarding`, which is made in the home region and may do nothing
but that. Events sent from region to region are charged, by the million. `forwardGlobal` needs us-east-1 among the
managed regions; where it is not, that is a task by hand.

The topic's policy must let EventBridge publish (`publishers: [events]` of `sns.topics`), and so must its key
(`usedBy: [events]` of `kms.keys`). Where one does not, EventBridge drops the message without an error.

## How to undo

The audit record of the run holds what the fields were: declare those values, and apply. Turning a rule off, or letting
less through, weakens, so apply asks for `--allow weakening:RULE`. baseline never deletes a rule or a target: a rule
that did not exist before is turned off by `enabled: false`.
",
        example: "\
topic: baseline-alerts
deliver: home
securityHub:
  enabled: true
  severities: [CRITICAL, HIGH]
guardDuty:
  enabled: true
  severityAtLeast: 7
",
        reach: Reach::REGION,
        rules: &[
            Rule { id: "rule", severity: Severity::High, frameworks: &[] },
            Rule { id: "target", severity: Severity::High, frameworks: &[] },
            Rule { id: "role", severity: Severity::Medium, frameworks: &[] },
        ],
        reads: &[
            Call::new(DESCRIBE),
            Call::new(TARGETS),
            Call::new(GET),
            Call::new(GET_POLICY),
        ],
        writes: &[PUT_RULE, PUT_TARGETS, CREATE_ROLE, TRUST, ALLOW_ROLE],
        events: &["events:DeleteRule", "events:DisableRule", "events:EnableRule", "events:RemoveTargets", "iam:DeleteRole", "iam:DeleteRolePolicy"],
        undo: Some("baseline never deletes a rule, a target or a role"),
        tags: false,
    };
    type Desired = FindingRulesSpec;
    type Ask = Ask;
    type Observed = Observed;
    type Action = Write;

    fn ask(&self, facts: &Facts, spec: &FindingRulesSpec) -> Ask {
        let rules = Source::ALL.into_iter().filter(|source| spec.declares(facts, *source)).collect();
        Ask { rules, role: role::is_asked(facts, spec) }
    }

    async fn observe(&self, aws: &Reader, ask: &Ask) -> Result<Observed, Fault> {
        Ok(live::read(aws, ask).await)
    }

    fn needs(&self, facts: &Facts, spec: &FindingRulesSpec) -> Vec<Need> {
        plan::needs(facts, spec)
    }

    fn plan(
        &self,
        facts: &Facts,
        _: &Known,
        spec: &FindingRulesSpec,
        observed: &Observed,
    ) -> Vec<Finding<Write>> {
        let one = |source| Declared { facts, spec, source }.findings(observed.rules.get(&source));
        let mut findings: Vec<_> = Source::ALL.into_iter().flat_map(one).collect();
        findings.extend(role::findings(facts, spec, observed.role.as_ref()));
        findings
    }

    async fn apply(&self, aws: &Writer, _: &Known, action: &Write) -> Result<(), Fault> {
        action.send(aws).await
    }

    /// A rule that matches something else than ours has no words. The topic is the one that our own target, or else
    /// the only topic among all targets, is.
    fn import(&self, facts: &Facts, _: &Known, observed: &Observed) -> Option<FindingRulesSpec> {
        let mut spec = FindingRulesSpec::default();
        for (source, sight) in &observed.rules {
            let Sight::Seen(Some(rule)) = sight else { continue };
            let threshold = rule.pattern.as_ref().and_then(|pattern| source.threshold_in(pattern));
            put(&mut spec, *source, rule.is_on(), threshold);
            if let Sight::Seen(targets) = &rule.targets {
                let here = format!(
                    "arn:{}:sns:{}:{}:",
                    facts.scope.region.partition(),
                    facts.scope.region,
                    facts.scope.account
                );
                let topic = |target: &Target| target.arn.strip_prefix(&here).map(str::to_owned);
                let found = targets.get(TARGET).and_then(topic).or_else(|| targets.values().find_map(topic));
                spec.topic = spec.topic.or(found);
            }
        }
        let declares = Source::ALL.into_iter().any(|source| spec.declares(facts, source));
        (declares && spec.topic.is_some()).then_some(spec)
    }

    /// A rule that was not there is one that is off. Targets stay.
    fn inverse(&self, _: &str, fields: &[Field]) -> Option<FindingRulesSpec> {
        let mut spec = FindingRulesSpec::default();
        for source in Source::ALL {
            let of = |leaf: &str| fields.iter().find(|field| field.path == leaf);
            let was_on = of(source.switch()).map(|field| field.before.as_bool().unwrap_or(false));
            let created = of(source.leaf()).is_some_and(|field| field.before.is_null());
            let threshold = of(source.leaf()).and_then(|field| match source {
                Source::SecurityHub => {
                    serde_json::from_value(field.before.clone()).ok().map(Threshold::Severities)
                }
                Source::GuardDuty => {
                    serde_json::from_value(field.before.clone()).ok().map(Threshold::AtLeast)
                }
                Source::Global => None,
            });
            put(&mut spec, source, was_on.or(created.then_some(false)), threshold);
        }
        Some(spec)
    }
}

fn put(spec: &mut FindingRulesSpec, source: Source, enabled: Option<bool>, threshold: Option<Threshold>) {
    match (source, threshold) {
        (Source::SecurityHub, threshold) => {
            spec.security_hub.enabled = enabled;
            if let Some(Threshold::Severities(all)) = threshold {
                spec.security_hub.severities = Some(all);
            }
        }
        (Source::Global, _) => spec.forward_global = enabled,
        (Source::GuardDuty, threshold) => {
            spec.guard_duty.enabled = enabled;
            if let Some(Threshold::AtLeast(number)) = threshold {
                spec.guard_duty.severity_at_least = Some(number);
            }
        }
    }
}
