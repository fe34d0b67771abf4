//! `events.hints`: rules of EventBridge that tell a controller what was written.
//!
//! Two findings for each rule: the rule itself, and the target that its matches go to. A rule that is not there is one
//! finding that makes both. The role that EventBridge sends with is made in the queue's region, in a finding of its own.

use std::sync::LazyLock;

use futures::future::OptionFuture;
use futures::join;
use serde::{Deserialize, Serialize};

use crate::aws::{Reader, Writer};
use crate::control::{Call, Control, Facts, Field, Finding, Known, Meta, Need, Reach, Rule, Severity, Sight};
use crate::controls::events_rule::{
    GET, GET_POLICY, LIST, PUT_TARGETS, Role, TARGET, TARGETS, read, rules_like,
};
use crate::fault::Fault;

mod plan;
mod queue;
pub mod rules;
mod spec;
#[cfg(test)]
mod tests;
mod write;

use plan::{Declared, Live};
use queue::Queue;
use rules::{ROLE, Sender, Writes};
use spec::HintsSpec;
use write::{ALLOW_ROLE, CREATE_ROLE, PUT_RULE, TRUST, Write};

pub struct Hints;

/// What the rules let through: every call that some control names.
static OURS: LazyLock<Vec<Writes>> = LazyLock::new(|| rules::writes(super::CONTROLS));

/// What must be looked at here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    pub role: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Observed {
    pub rules: Sight<Live>,
    /// `None` where it was not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Sight<Option<Role>>>,
}

impl Control for Hints {
    const META: Meta = Meta {
        id: "events.hints",
        title: "What is changed by hand is told to the controller at once",
        docs: "\
## What it checks

In each region, on the default bus, rules of EventBridge by their names:

- `baseline-hints-1`, `-2` and so on: every call that may have changed what some control looks at, as CloudTrail tells
  of it. Which calls those are, each control's page says.
- `baseline-hints-heartbeat`: every 15 minutes, a sign that hints arrive from here.
- `baseline-hints-heartbeats`, in the queue's region alone: sends on the heartbeats of the others.

For each: whether it is there and on, whether it lets everything through that it should, by meaning, and whether
the whole event goes to the queue, or from another region to the account's default bus in the queue's region. In the
queue's region also the role `baseline-hints`, which EventBridge sends with. Rules, targets and statements of others
are left alone.

It is what `baseline generate hints rules` makes by CloudFormation, with the same names, so whichever made it, the
other finds it in sync. Have one of the two: a stack that is updated writes over what it made.

A rule that lets more through is in sync, and so are all of them when others among them let through what one lacks:
that is how it looks while a newer `baseline` is being rolled out.

## Why it matters

With hints, `baseline run --hints` puts right within seconds what somebody changed, and looks at a quiet account every
six hours rather than every hour. Without them nothing is lost but time.

## What apply does

A rule that is not there is made, and then its target. Of a rule that is there, only what differs is changed: the call
replaces all of a rule, so its description, role and schedule are read again right before and sent along. Calls that
are missing in a pattern are added to it, and what it let through before it still does, unless it looked at something
else (an account, a user agent), or both are more than EventBridge's 4,096 characters: then it is replaced.

The role trusts EventBridge for this account, and may send to that queue and to the account's own default bus in the
queue's region. It is made in the queue's region, which has to be a managed one, and so has us-east-1 (in other
partitions, their own global region), where the events of IAM and AWS Organizations are: where one is not, that is a
task by hand. Events sent from region to region are charged, by the million, and so are messages of the queue.

The queue itself, with a policy that lets these roles in, comes from `baseline generate hints queues`. CloudTrail must
log management events, by a trail of the account or the organisation: otherwise EventBridge has no calls to tell of.

## How to undo

The audit record of the run holds what the fields were: declare those values, and apply. `enabled: false` turns the
rules off, heartbeats with them, so accounts are looked at as often as without hints; that weakens, so apply asks for
`--allow weakening:RULE`. baseline never deletes a rule, a target or a role.
",
        example: "\
queue: https://sqs.eu-west-1.amazonaws.com/777766665555/baseline-hints
enabled: true
",
        reach: Reach::REGION,
        rules: &[
            Rule { id: "rule", severity: Severity::Low, frameworks: &[] },
            Rule { id: "target", severity: Severity::Low, frameworks: &[] },
            Rule { id: "role", severity: Severity::Low, frameworks: &[] },
            Rule { id: "region", severity: Severity::Low, frameworks: &[] },
        ],
        reads: &[
            Call::new(LIST),
            Call::new(TARGETS),
            Call::new(GET),
            Call::new(GET_POLICY),
        ],
        writes: &[PUT_RULE, PUT_TARGETS, CREATE_ROLE, TRUST, ALLOW_ROLE],
        events: &["events:DeleteRule", "events:DisableRule", "events:EnableRule", "events:RemoveTargets", "iam:DeleteRole", "iam:DeleteRolePolicy"],
        undo: Some("baseline never deletes a rule, a target or a role"),
        tags: false,
    };
    type Desired = HintsSpec;
    type Ask = Ask;
    type Observed = Observed;
    type Action = Write;

    fn ask(&self, facts: &Facts, spec: &HintsSpec) -> Ask {
        Ask { role: spec.keeps_role(facts) }
    }

    async fn observe(&self, aws: &Reader, ask: &Ask) -> Result<Observed, Fault> {
        let (events, iam) = (aws.events(), aws.iam());
        let rules = rules_like(&events, Sender::PREFIX, |name| Sender::named(name).is_some());
        let role = OptionFuture::from(ask.role.then(|| read(&iam, ROLE)));
        let (rules, role) = join!(rules, role);
        Ok(Observed {
            rules: rules.map_or_else(Sight::Unseen, Sight::Seen),
            role: role.map(|found| found.map_or_else(Sight::Unseen, Sight::Seen)),
        })
    }

    fn needs(&self, facts: &Facts, spec: &HintsSpec) -> Vec<Need> {
        plan::needs(facts, spec)
    }

    fn plan(&self, facts: &Facts, _: &Known, spec: &HintsSpec, observed: &Observed) -> Vec<Finding<Write>> {
        let declared = Declared { facts, spec, ours: &OURS };
        let mut findings = declared.role(observed.role.as_ref(), &observed.rules);
        findings.extend(declared.findings(&observed.rules));
        findings
    }

    async fn apply(&self, aws: &Writer, _: &Known, action: &Write) -> Result<(), Fault> {
        action.send(aws, &OURS).await
    }

    /// The queue is where our own targets go, in its own region alone: in another one nothing says which it is.
    fn import(&self, facts: &Facts, _: &Known, observed: &Observed) -> Option<HintsSpec> {
        let Sight::Seen(rules) = &observed.rules else { return None };
        let mut spec = HintsSpec::default();
        for rule in rules.values() {
            let Sight::Seen(targets) = &rule.targets else { continue };
            let queue = targets.get(TARGET).and_then(|target| Queue::of_arn(&target.arn));
            let Some(queue) = queue.filter(|queue| queue.region == facts.scope.region) else { continue };
            spec.queue = Some(queue);
            spec.enabled = Some(spec.enabled != Some(false) && rule.is_on()?);
        }
        spec.queue.is_some().then_some(spec)
    }

    /// A rule that was not there is one that is off. What was no queue has no words.
    fn inverse(&self, _: &str, fields: &[Field]) -> Option<HintsSpec> {
        let of = |leaf: &str| fields.iter().find(|field| field.path == leaf);
        let spec = HintsSpec {
            queue: of("/queue").and_then(|field| field.before.as_str()?.parse().ok()),
            enabled: of("/enabled").map(|field| field.before.as_bool().unwrap_or(false)),
        };
        spec.declares().then_some(spec)
    }
}
