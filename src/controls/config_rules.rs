//! `config.rules`: rules of AWS Config by name, with what is done about resources that do not comply.
//!
//! Three rules for each declared name, each what one call writes: `rule`, `remediation`, and `exceptions`, which come
//! from the Exception documents rather than from the spec. All are of one resource, the rule's name, so they happen
//! in that order.

use std::collections::BTreeSet;

use crate::aws::{Reader, Writer};
use crate::control::{
    Call, Control, Facts, Field, Finding, Known, Meta, Need, Reach, Rule as MetaRule, Severity, Verdict,
};
use crate::fault::Fault;

mod describe;
mod limits;
mod live;
mod remediation;
mod rule;
mod spec;
#[cfg(test)]
mod tests;
mod write;

use live::{Ask, Asked, Observed};
use spec::RulesSpec;
use write::Write;

pub struct ConfigRules;

const ID: &str = "config.rules";

impl Control for ConfigRules {
    const META: Meta = Meta {
        id: ID,
        title: "AWS Config evaluates what is asked of it",
        docs: "\
## What it checks

For each declared rule, in each region: whether it is there, what it evaluates (a rule of AWS, a function of
Lambda, or a policy in Guard), with which parameters, on whose changes and how often; what Systems Manager does
about resources that do not comply; and which of those are excepted from that. Rules that are not declared are
left alone, and so are rules that a service made (Security Hub, conformance packs): they are named.

A rule of AWS that is there under another name, with the same parameters and scope, is taken over under the
name it has: a region takes 1000 rules, and two that evaluate the same cost twice. Prefer the controls of
Security Hub to rules of your own, where it has one.

An Exception document for this control whose `resources` name a resource of AWS Config, spelled out as
`RULE/TYPE/ID` (`encrypted-volumes/AWS::EC2::Volume/vol-0123`), becomes a remediation exception in AWS, with its
name, its reason and its last day. AWS takes exceptions only for resources that do not comply; others are reported
as not offered until they fail.

What AWS Config would refuse is told before any call is made: names of more than 128 characters, parameters of
more than 1024 characters of JSON, Guard policies of more than 10,000, more than 100 types in a scope, more than
25 parameters of a remediation, more than 50 tags, more than 1000 rules in a region.

## Why it matters

The recorder says what has changed; rules say whether that is how it should be. A remediation puts it right
within minutes, and can loop: AWS gives a resource up after `attempts` failures within `retrySeconds`.

## What apply does

Makes a rule that is not there, or updates the one that is. What is not declared is sent along as it is, because
each call replaces everything. A function must let config.amazonaws.com call it beforehand. A remediation that
starts to run by itself changes resources without anybody's doing; the plan calls it disruptive. AWS Config
charges for each evaluation.

## How to undo

The audit record of the run holds what the fields were: declare those values, and apply. `automatic: false` ends
remediations that run by themselves. A rule that did not exist before stays: delete it by hand. Exceptions end
on their last day.
",
        example: "\
rules:
  encrypted-volumes:
    managed: ENCRYPTED_VOLUMES
    description: Volumes are encrypted
    scope:
      types: [\"AWS::EC2::Volume\"]
    remediation:
      document: AWS-EncryptVolume
      version: \"1\"
      automatic: true
      attempts: 5
      retrySeconds: 60
      role: config-remediation
      parameters:
        VolumeId: RESOURCE_ID
      concurrencyPercent: 10
      errorPercent: 50
  access-keys-rotated:
    managed: ACCESS_KEYS_ROTATED
    parameters:
      maxAccessKeyAge: \"90\"
    frequency: TwentyFour_Hours
  own-check:
    lambda: config-own-check
    scope:
      tagKey: stage
      tagValue: prod
    triggers: [ConfigurationItemChangeNotification]
  versioned-buckets:
    guard: |
      rule versioned { configuration.versioned == true }
    debugLogs: false
",
        reach: Reach::REGION,
        rules: &[
            MetaRule { id: "rule", severity: Severity::Medium, frameworks: &[] },
            MetaRule { id: "remediation", severity: Severity::Medium, frameworks: &[] },
            MetaRule { id: "exceptions", severity: Severity::Low, frameworks: &[] },
        ],
        reads: &[
            Call::new("config:DescribeConfigRules"),
            Call::new("config:GetCustomRulePolicy"),
            Call::new("config:DescribeRemediationConfigurations"),
            Call::new("config:GetComplianceDetailsByConfigRule"),
            Call::new("config:DescribeRemediationExceptions"),
        ],
        writes: &[write::PUT_RULE, write::PUT_REMEDIATION, write::PUT_EXCEPTION],
        events: &["config:DeleteConfigRule", "config:DeleteRemediationConfiguration", "config:DeleteRemediationExceptions"],
        undo: Some("baseline never deletes a rule, a remediation or an exception"),
        tags: false,
    };
    type Desired = RulesSpec;
    type Ask = Ask;
    type Observed = Observed;
    type Action = Write;

    fn ask(&self, facts: &Facts, spec: &RulesSpec) -> Ask {
        let mut ask = Ask::default();
        for (name, rule) in spec.declared() {
            let asked = Asked {
                policy: rule.guard.is_some(),
                remediation: rule.remediation.is_declared(),
                excepted: remediation::excepted(facts, ID, name).into_keys().collect(),
            };
            ask.rules.insert(name.to_owned(), asked);
            ask.sources.extend(rule.managed.clone());
        }
        ask
    }

    async fn observe(&self, aws: &Reader, ask: &Ask) -> Result<Observed, Fault> {
        live::read(aws, ask).await
    }

    fn needs(&self, facts: &Facts, spec: &RulesSpec) -> Vec<Need> {
        let roles = spec.declared().filter_map(|(_, rule)| rule.remediation.role.as_deref());
        let roles: BTreeSet<&str> = roles.collect();
        let roles = roles.into_iter().map(|name| remediation::role(facts, name));
        let recorder = spec.declared().next().map(|_| rule::recorder(facts));
        recorder.into_iter().chain(roles).map(Need::hard).collect()
    }

    fn plan(
        &self,
        facts: &Facts,
        known: &Known,
        spec: &RulesSpec,
        observed: &Observed,
    ) -> Vec<Finding<Write>> {
        let names: BTreeSet<&str> = spec.declared().map(|(name, _)| name).collect();
        let mut total = observed.total;
        let mut findings = Vec::new();
        for (name, rule) in spec.declared() {
            let found = rule::find(name, rule, &names, observed);
            let mut say = |id, verdict: Verdict<Write>| findings.push(Finding::new(name, id, verdict));
            total += usize::from(found.is_none());
            let verdict = rule::rule(facts, name, rule, found, total);
            let goes_on = !matches!(verdict, Verdict::Unknown { .. } | Verdict::Foreign { .. });
            say("rule", verdict);
            let live_name = found.map_or(name, |(name, _)| name);
            let live = found.map(|(_, rule)| rule);
            let theirs = live.is_some_and(|live| live.created_by.is_some());
            if rule.remediation.is_declared() && goes_on {
                let role = rule.remediation.role.as_deref().map(|name| remediation::role(facts, name));
                let verdict = match role.as_ref().and_then(|role| known.fault(role)) {
                    Some(fault) => Verdict::Unknown { fault: fault.clone() },
                    None => {
                        let arn = role.as_ref().and_then(|role| known.arn(role));
                        remediation::remediation(facts, name, live_name, &rule.remediation, live, arn)
                    }
                };
                say("remediation", verdict);
            }
            let excepted = remediation::excepted(facts, ID, name);
            if !excepted.is_empty() && live.is_some() && !theirs {
                say("exceptions", remediation::exceptions(name, live_name, &excepted, live));
            }
        }
        findings
    }

    async fn apply(&self, aws: &Writer, known: &Known, action: &Write) -> Result<(), Fault> {
        action.send(aws, known).await
    }

    fn import(&self, facts: &Facts, known: &Known, observed: &Observed) -> Option<RulesSpec> {
        describe::import(facts, known, observed)
    }

    /// What a rule evaluates is not taken back to nothing, and a rule that did not exist stays.
    fn inverse(&self, resource: &str, fields: &[Field]) -> Option<RulesSpec> {
        describe::inverse(resource, fields)
    }
}
