//! `config.aggregator`: one place that shows what AWS Config knows of all accounts and regions.
//!
//! It runs in the security seat. Taking in what every account of the organisation is made of, without asking them, and
//! those that join later as well, is `Risk::Organization`: nothing is changed in those accounts, but what the call
//! reaches is all of them, and the management account's own call even opens the organisation to AWS Config.

use crate::aws::{Reader, Writer};
use crate::control::{
    Call, Control, Facts, Field, Finding, Known, Meta, Need, Reach, Regions, Rule, Seat, Severity, Thing,
};
use crate::fault::Fault;

mod live;
mod plan;
mod spec;
#[cfg(test)]
mod tests;
mod write;

use live::{Ask, Observed};
use spec::AggregatorSpec;
use write::Write;

pub struct Aggregator;

const RESOURCE: &str = "aggregator";

impl Control for Aggregator {
    const META: Meta = Meta {
        id: "config.aggregator",
        title: "One aggregator shows the resources of all accounts",
        docs: "\
## What it checks

In the home region of the security account: whether there is an aggregator, whose accounts and regions it takes in,
and, for the whole organisation, the role that it reads the list of accounts with: that it is there, that AWS Config
may take it, and that it has AWS's policy `AWSConfigRoleForOrganizations`.

An aggregator of the organisation that is there under another name is taken over under the name it has; one that
a service made is left alone.

## Why it matters

A question after an incident is about all accounts: who else has that image, that role, that open port. An
aggregator answers in one query, in an account that attackers of the others do not reach.

## What apply does

Makes the role where it is missing and attaches the policy, then makes the aggregator or updates it. What is not
declared is sent along as it is, because the call replaces everything. An aggregator of the organisation takes in
what every account is made of, without asking it, and accounts that join later as well: it is refused
without `--allow organization:aggregator`. The security account must administer AWS Config for the organisation
beforehand; the management account makes it so, once:
`aws organizations register-delegated-administrator --service-principal config.amazonaws.com --account-id ID`.
It changes nothing in other accounts, and AWS Config must record there for anything to be shown. With
a list of accounts, each has to authorise the security account, which this control does not do.

## How to undo

The audit record of the run holds what the fields were: declare those values, and apply. Aggregators and roles are
not deleted: do that by hand.
",
        example: "\
name: baseline
sourceAccounts: organization
sourceRegions: all
role: baseline-config-aggregator
",
        reach: Reach::organization(Seat::Security, Regions::Home),
        rules: &[
            Rule { id: "role", severity: Severity::Low, frameworks: &[] },
            Rule { id: "aggregator", severity: Severity::Medium, frameworks: &[] },
        ],
        reads: &[
            Call::new("config:DescribeConfigurationAggregators"),
            Call::new("iam:GetRole"),
            Call::new("iam:ListAttachedRolePolicies"),
        ],
        writes: &[write::CREATE_ROLE, write::ATTACH, write::PUT],
        events: &["config:DeleteConfigurationAggregator", "iam:DetachRolePolicy", "iam:DeleteRole"],
        undo: Some("baseline never deletes an aggregator or a role"),
        tags: false,
    };
    type Desired = AggregatorSpec;
    type Ask = Ask;
    type Observed = Observed;
    type Action = Write;

    fn ask(&self, _: &Facts, spec: &AggregatorSpec) -> Ask {
        Ask { role: spec.takes_role().then(|| spec.role().to_owned()) }
    }

    async fn observe(&self, aws: &Reader, ask: &Ask) -> Result<Observed, Fault> {
        live::read(aws, ask).await
    }

    fn needs(&self, facts: &Facts, spec: &AggregatorSpec) -> Vec<Need> {
        let admin = facts.scope.account.clone();
        let seats = facts.organization.as_ref().map(|organization| &organization.seats);
        let management = seats.and_then(|seats| seats.get(&Seat::Management)).cloned();
        // The management account needs nobody's leave.
        let management = management.filter(|account| spec.takes_role() && *account != admin);
        let service = "config.amazonaws.com".to_owned();
        management
            .map(|account| Need::hard(Thing::DelegatedAdmin { account, service, admin }))
            .into_iter()
            .collect()
    }

    fn plan(
        &self,
        facts: &Facts,
        _: &Known,
        spec: &AggregatorSpec,
        observed: &Observed,
    ) -> Vec<Finding<Write>> {
        let mut findings = Vec::new();
        if spec.takes_role() {
            let verdict = plan::role(facts, spec, observed.role.as_ref());
            findings.push(Finding::new(RESOURCE, "role", verdict));
        }
        if *spec != AggregatorSpec::default() {
            findings.push(Finding::new(RESOURCE, "aggregator", plan::aggregator(facts, spec, observed)));
        }
        findings
    }

    async fn apply(&self, aws: &Writer, _: &Known, action: &Write) -> Result<(), Fault> {
        action.send(aws).await
    }

    fn import(&self, facts: &Facts, _: &Known, observed: &Observed) -> Option<AggregatorSpec> {
        plan::import(facts, observed)
    }

    fn inverse(&self, _: &str, fields: &[Field]) -> Option<AggregatorSpec> {
        plan::inverse(fields)
    }
}
