//! The role that EventBridge sends events to another region with. An account has it once; the home region looks after it.

use aws_sdk_iam::Client;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::pattern::Source;
use super::spec::{Deliver, FindingRulesSpec};
use super::write::{ALLOW_ROLE, CREATE_ROLE, TRUST, Write};
use crate::aws::iam::document;
use crate::aws::{Writer, fault};
use crate::control::{Change, Facts, Field, Finding, ManualTask, Sight, Thing, Verdict, Verified};
use crate::diff::policy;
use crate::fault::Fault;
use crate::place::{Region, Scope};

/// The role's name, and that of its one inline policy.
pub const ROLE: &str = "baseline-events-forwarding";

pub const GET: &str = "iam:GetRole";
pub const GET_POLICY: &str = "iam:GetRolePolicy";

/// The role, as far as this control writes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Role {
    pub trust: Option<Value>,
    pub policy: Option<Value>,
}

/// Is the role looked after here?
pub fn is_asked(facts: &Facts, spec: &FindingRulesSpec) -> bool {
    spec.forwards() && facts.scope.region == facts.home
}

pub async fn read(iam: &Client) -> Result<Option<Role>, Fault> {
    let trust = match iam.get_role().role_name(ROLE).send().await {
        Ok(answer) => document(answer.role.as_ref().and_then(|role| role.assume_role_policy_document())),
        Err(error) if error.as_service_error().is_some_and(|e| e.is_no_such_entity_exception()) => {
            return Ok(None);
        }
        Err(error) => return Err(fault(GET)(error)),
    };
    Ok(Some(Role { trust, policy: policy_of(iam).await? }))
}

async fn policy_of(iam: &Client) -> Result<Option<Value>, Fault> {
    match iam.get_role_policy().role_name(ROLE).policy_name(ROLE).send().await {
        Ok(answer) => Ok(document(Some(&answer.policy_document))),
        Err(error) if error.as_service_error().is_some_and(|e| e.is_no_such_entity_exception()) => Ok(None),
        Err(error) => Err(fault(GET_POLICY)(error)),
    }
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
    let partition = home.partition();
    json!({
        "Sid": "BaselineForwarding",
        "Effect": "Allow",
        "Action": "events:PutEvents",
        "Resource": format!("arn:{partition}:events:{home}:{}:event-bus/default", scope.account),
    })
}

#[cfg(test)]
pub fn trust() -> Value {
    policy::with_statements(None, &[trust_statement()])
}

#[cfg(test)]
pub fn policy(facts: &Facts) -> Value {
    policy::with_statements(None, &[statement(&facts.scope, &facts.home)])
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
    if !policy::lacking(live.trust.as_ref(), &[trust_statement()]).is_empty() {
        steps.push(Write::Trust);
    }
    if !policy::lacking(live.policy.as_ref(), &[statement(&facts.scope, &facts.home)]).is_empty() {
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

/// What is there is read again right before it is written: statements of others stay.
pub async fn send(write: &Write, aws: &Writer) -> Result<(), Fault> {
    let iam = aws.iam();
    match write {
        Write::CreateRole { tags } => {
            let tag = |(key, value): (&String, &String)| {
                aws_sdk_iam::types::Tag::builder().key(key).value(value).build().ok()
            };
            let tags: Vec<_> = tags.iter().filter_map(tag).collect();
            let call = iam
                .create_role()
                .role_name(ROLE)
                .assume_role_policy_document(policy::with_statements(None, &[trust_statement()]).to_string())
                .description("EventBridge sends events to another region with it")
                .set_tags((!tags.is_empty()).then_some(tags));
            call.send().await.map(drop).map_err(fault(CREATE_ROLE.operation))
        }
        Write::Trust => {
            let live = read(&iam).await?.and_then(|role| role.trust);
            let trust = policy::with_statements(live.as_ref(), &[trust_statement()]).to_string();
            let call = iam.update_assume_role_policy().role_name(ROLE).policy_document(trust);
            call.send().await.map(drop).map_err(fault(TRUST.operation))
        }
        Write::AllowRole { home } => {
            let live = policy_of(&iam).await?;
            let ours = statement(&aws.scope, home);
            let whole = policy::with_statements(live.as_ref(), &[ours]).to_string();
            let call = iam.put_role_policy().role_name(ROLE).policy_name(ROLE).policy_document(whole);
            call.send().await.map(drop).map_err(fault(ALLOW_ROLE.operation))
        }
        Write::Create { .. } | Write::Update { .. } | Write::Target { .. } => Ok(()),
    }
}
