//! The role that EventBridge sends events to another region with. An account has it once; the home region looks after it.

use serde_json::{Value, json};

use super::pattern::Source;
use super::spec::{Deliver, FindingRulesSpec};
use super::write::Write;
use crate::aws::Writer;
use crate::control::{Change, Facts, Field, Finding, ManualTask, Sight, Thing, Verdict, Verified};
use crate::controls::events_rule::{ForwardingRole, GET, Role, default_bus};
use crate::fault::Fault;
use crate::place::{Region, Scope};

/// The role's name, and that of its one inline policy.
pub const ROLE: &str = "baseline-events-forwarding";

/// Is the role looked after here?
pub fn is_asked(facts: &Facts, spec: &FindingRulesSpec) -> bool {
    spec.forwards() && facts.scope.region == facts.home
}

fn trust_statement() -> Value {
    json!({
        "Sid": "BaselineEvents",
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sts:AssumeRole",
    })
}

/// EventBridge User Guide, "Sending and receiving events between AWS Regions".
fn statement(scope: &Scope, home: &Region) -> Value {
    json!({
        "Sid": "BaselineForwarding",
        "Effect": "Allow",
        "Action": "events:PutEvents",
        "Resource": default_bus(scope, home),
    })
}

#[cfg(test)]
pub fn trust() -> Value {
    crate::diff::policy::with_statements(None, &[trust_statement()])
}

#[cfg(test)]
pub fn policy(facts: &Facts) -> Value {
    crate::diff::policy::with_statements(None, &[statement(&facts.scope, &facts.home)])
}

pub fn findings(
    facts: &Facts,
    spec: &FindingRulesSpec,
    live: Option<&Sight<Option<Role>>>,
) -> Vec<Finding<Write>> {
    if !is_asked(facts, spec) {
        return Vec::new();
    }
    let verdict = match live {
        Some(Sight::Seen(live)) => verdict(facts, spec, live.as_ref()),
        Some(Sight::Unseen(fault)) => Verdict::Unknown { fault: fault.clone() },
        None => Verdict::Unknown { fault: Fault::not_asked(GET) },
    };
    let role = Finding::new(ROLE, "role", verdict);
    unmanaged(facts, spec).into_iter().chain([role]).collect()
}

/// Global events cannot be sent on from a region that nothing is done in.
fn unmanaged(facts: &Facts, spec: &FindingRulesSpec) -> Option<Finding<Write>> {
    let global = Region::global(&facts.partition);
    if spec.forward_global != Some(true) || facts.home == global || facts.managed.contains(&global) {
        return None;
    }
    let task = ManualTask {
        title: format!("Manage {global}, where global events happen"),
        found: vec![("forwardGlobal".into(), format!("true, and {global} is not a managed region"))],
        steps: vec![
            format!("Write {global} under `regions.managed` of the Organization or Account document,"),
            "or take `forwardGlobal` out.".into(),
        ],
        verified: Verified::ByObservation,
    };
    Some(Finding::new(Source::Global.rule(), "rule", Verdict::Manual(task)))
}

fn verdict(facts: &Facts, spec: &FindingRulesSpec, live: Option<&Role>) -> Verdict<Write> {
    let home = facts.home.clone();
    let field = |before: Value| match spec.deliver {
        Some(Deliver::Home) => Field::new("/deliver", before, "home"),
        Some(Deliver::Region) | None => Field::new("/forwardGlobal", before, true),
    };
    let Some(live) = live else {
        let steps = vec![Write::CreateRole { tags: facts.tags.clone() }, Write::AllowRole { home }];
        let role = Thing::Role { account: facts.scope.account.clone(), name: ROLE.into() };
        return Verdict::Change(Change {
            makes: vec![role],
            stands_on: Some(Vec::new()),
            ..Change::create(vec![field(Value::Null)], steps)
        });
    };
    let mut steps = Vec::new();
    let wanted = wanted(&facts.scope, &home);
    if wanted.lacks_trust(live) {
        steps.push(Write::Trust);
    }
    if wanted.lacks_policy(live) {
        steps.push(Write::AllowRole { home });
    }
    if steps.is_empty() {
        return Verdict::InSync;
    }
    Verdict::Change(Change {
        adopts: Some(format!("the role {ROLE} that is there")),
        stands_on: Some(Vec::new()),
        ..Change::update(vec![field("a role that EventBridge cannot use".into())], steps)
    })
}

fn wanted(scope: &Scope, home: &Region) -> ForwardingRole {
    ForwardingRole {
        name: ROLE,
        description: "EventBridge sends events to another region with it",
        trust: trust_statement(),
        allows: vec![statement(scope, home)],
    }
}

pub async fn send(write: &Write, aws: &Writer) -> Result<(), Fault> {
    let iam = aws.iam();
    match write {
        Write::CreateRole { tags } => wanted(&aws.scope, &aws.scope.region).create(&iam, tags).await,
        Write::Trust => wanted(&aws.scope, &aws.scope.region).trust(&iam).await,
        Write::AllowRole { home } => wanted(&aws.scope, home).allow(&iam).await,
        Write::Create { .. } | Write::Update { .. } | Write::Target { .. } => Ok(()),
    }
}
