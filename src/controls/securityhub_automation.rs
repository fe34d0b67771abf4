//! `securityhub.automation`: rules that change findings as they come in.
//!
//! A rule works in the region and account where it is made, on the findings of that account and of those that it
//! administers. Rules go by their names, which AWS does not keep unique; what must not be doubled is looked for first.

use serde::Deserialize as _;

use crate::aws::{Reader, Writer};
use crate::control::{Call, Control, Facts, Field, Finding, Known, Meta, Need, Reach, Rule, Severity, Thing};
use crate::fault::Fault;

mod action;
mod criteria;
mod live;
mod plan;
mod spec;
#[cfg(test)]
mod tests;
mod write;

use live::Live;
use spec::{AutomationSpec, RuleSpec, Status};
use write::Write;

pub struct Automation;

const RULE: &str = "automation-rule";

impl Control for Automation {
    const META: Meta = Meta {
        id: "securityhub.automation",
        title: "Security Hub's automation rules are those that are declared",
        docs: "\
## What it checks

Each rule that is declared, by its name: its order, whether it is enabled and ends the evaluation, its description,
its criteria and its action. Criteria and actions are written as AWS writes them (API reference,
`AutomationRulesFindingFilters` and `AutomationRulesAction`); the order of filters means nothing. Rules that are not
declared are left alone. Two rules of one name are told, and neither is touched.

Rules work in the region that they are made in. In an organisation the administrator's rules see the findings of its
members; a member has none of its own, so declare them in a baseline with `where: {seats: [security]}`.

## Why it matters

A queue of findings that nobody can work through is a queue that nobody reads. Rules raise what matters. They can
also hide what matters, for everybody and without a trace in the finding's own account: so a rule that suppresses or
resolves findings says why in `reason`, and is reviewed with the rest of the YAML.

## What apply does

Makes the rules that are missing, and changes what differs in those that are there. A rule that hides findings, or
may make them less severe, weakens while it is enabled, so apply asks for `--allow weakening:NAME`. `reason` is told
in plans and stays in the YAML. Security Hub takes 100 rules in a region; what is beyond that is a task by hand.

## How to undo

The audit record of the run holds what the fields were: declare those values, and apply. A rule that did not exist
before is disabled by `status: DISABLED`; it is not deleted.
",
        example: "\
rules:
  raise-root-usage:
    order: 10
    status: ENABLED
    terminal: false
    description: Whatever is found about the root user is looked at first
    criteria:
      ComplianceSecurityControlId:
      - {Value: IAM.4, Comparison: EQUALS}
      - {Value: IAM.6, Comparison: EQUALS}
      ComplianceStatus:
      - {Value: FAILED, Comparison: EQUALS}
    actions:
    - Type: FINDING_FIELDS_UPDATE
      FindingFieldsUpdate:
        Severity: {Label: CRITICAL}
  suppress-training:
    order: 900
    status: ENABLED
    terminal: true
    description: Findings of low severity in the training account
    reason: the account is emptied every night; reviewed by ciso@acme.example
    criteria:
      AwsAccountId:
      - {Value: \"123412341234\", Comparison: EQUALS}
      SeverityLabel:
      - {Value: LOW, Comparison: EQUALS}
    actions:
    - Type: FINDING_FIELDS_UPDATE
      FindingFieldsUpdate:
        Workflow: {Status: SUPPRESSED}
        Note: {Text: emptied every night, UpdatedBy: baseline}
",
        reach: Reach::REGION,
        rules: &[Rule { id: RULE, severity: Severity::Low, frameworks: &[] }],
        reads: &[
            Call::new(live::LIST),
            Call::new(live::GET),
            Call::new(live::ADMINISTRATOR),
        ],
        writes: &[write::CREATE, write::UPDATE],
        events: &["securityhub:BatchDeleteAutomationRules"],
        undo: Some("baseline never deletes an automation rule"),
        tags: false,
    };
    type Desired = AutomationSpec;
    type Ask = ();
    type Observed = Live;
    type Action = Write;

    fn ask(&self, _: &Facts, _: &AutomationSpec) {}

    async fn observe(&self, aws: &Reader, (): &()) -> Result<Live, Fault> {
        live::read(&aws.securityhub()).await
    }

    fn needs(&self, facts: &Facts, spec: &AutomationSpec) -> Vec<Need> {
        let hub =
            Thing::SecurityHub { account: facts.scope.account.clone(), region: facts.scope.region.clone() };
        if spec.declared().next().is_some() { vec![Need::hard(hub)] } else { Vec::new() }
    }

    fn plan(&self, facts: &Facts, _: &Known, spec: &AutomationSpec, observed: &Live) -> Vec<Finding<Write>> {
        plan::plan(facts, spec, observed)
    }

    async fn apply(&self, aws: &Writer, _: &Known, action: &Write) -> Result<(), Fault> {
        action.send(aws).await
    }

    fn import(&self, _: &Facts, _: &Known, observed: &Live) -> Option<AutomationSpec> {
        let rules = observed.described();
        (!rules.is_empty()).then_some(AutomationSpec { rules })
    }

    /// A rule that was not there is one that is disabled.
    fn inverse(&self, resource: &str, fields: &[Field]) -> Option<AutomationSpec> {
        let mut rule = RuleSpec::default();
        for field in fields {
            let before = || field.before.clone();
            match field.path.rsplit('/').next()? {
                _ if field.before.is_null() => rule.status = Some(Status::Disabled),
                "order" => rule.order = serde_json::from_value(before()).ok(),
                "status" => rule.status = Status::deserialize(&field.before).ok(),
                "terminal" => rule.terminal = field.before.as_bool(),
                "description" => rule.description = field.before.as_str().map(str::to_owned),
                "criteria" => rule.criteria = serde_json::from_value(before()).ok(),
                "actions" => rule.actions = serde_json::from_value(before()).ok(),
                _ => {}
            }
        }
        if rule.hides().is_some() {
            rule.reason = Some("as it was before".into());
        }
        (rule != RuleSpec::default())
            .then(|| AutomationSpec { rules: [(resource.to_owned(), Some(rule))].into() })
    }
}
