//! What a role may, of what it needs: the policies that `generate permissions` writes, put to IAM's simulator.

use std::collections::{BTreeMap, BTreeSet};

use super::{Controls, Verdict, global, holds};
use crate::aws::Session;
use crate::aws::simulate::{Decision, Question, simulate};
use crate::call::Call;
use crate::control::ErasedControl;
use crate::desired::DesiredAccount;
use crate::fault::{Fault, FaultKind};
use crate::observe::Fleet;
use crate::permissions::{Duty, Names, Statement, grants};

const CALL: &str = "iam:SimulatePrincipalPolicy";

/// What is lacking, by action.
pub type Lacking = BTreeMap<&'static str, Lack>;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lack {
    pub why: Why,
    /// The controls that need it; `baseline` where it is the engine.
    pub controls: BTreeSet<&'static str>,
    /// What it was asked for, where that is not everything: ARNs, and values of conditions.
    pub on: BTreeSet<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Why {
    NotAllowed,
    /// By these policies of the role's.
    Denied(Vec<String>),
    Boundary,
    Organization,
    /// On condition keys that nobody knows here.
    Depends(Vec<String>),
    /// The simulator did not answer: kind, code and message.
    NotKnown(String),
}

impl Why {
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::NotAllowed | Self::Denied(_) | Self::Boundary | Self::Organization => Verdict::Wrong,
            Self::Depends(_) | Self::NotKnown(_) => Verdict::Unknown,
        }
    }
}

/// Statements that are asked in one go: what they are on, and the one value of their condition.
type Asked = (Vec<String>, Option<(&'static str, String)>);

/// What the role of a duty lacks in an account, asked with the session of the role that observes.
pub(super) async fn lacking(
    fleet: &Fleet,
    account: &DesiredAccount,
    session: Option<&Session>,
    duty: Duty,
) -> Result<Lacking, Fault> {
    let unasked = |why: &str| Fault::local(FaultKind::Unavailable, CALL, why);
    let session =
        session.ok_or_else(|| unasked("the role that observes would ask, and cannot be assumed"))?;
    let principal = principal(fleet, account, duty)
        .ok_or_else(|| unasked("the simulator knows roles and users, and the caller is neither"))?;
    let controls: Vec<&'static dyn ErasedControl> =
        fleet.controls.iter().copied().filter(|one| account.controls.contains_key(one.meta().id)).collect();
    let organization = &fleet.desired.organization;
    let specs = account.controls.iter().map(|(id, control)| (id.as_str(), &*control.spec));
    let archive = organization.archive.as_ref().map(|archive| archive.bucket.as_str());
    let names = Names::of(specs, archive);
    let needed_by = needed_by(duty, &controls);

    let mut asked: BTreeMap<Asked, BTreeSet<&'static str>> = BTreeMap::new();
    for grant in grants(duty, &controls, &names).into_iter().filter(|grant| holds(account, grant.seat)) {
        for statement in &grant.statements {
            for question in questions(statement, account) {
                asked.entry(question).or_default().extend(&statement.actions);
            }
        }
    }
    let mut context = vec![
        ("aws:PrincipalArn".to_owned(), principal.clone()),
        ("aws:PrincipalAccount".to_owned(), account.id.to_string()),
        ("aws:RequestedRegion".to_owned(), account.home.to_string()),
    ];
    context.extend(organization.id.iter().map(|id| ("aws:PrincipalOrgID".to_owned(), id.clone())));

    let reader = fleet.aws.engine_reader(session, &global(account));
    let mut lacking = Lacking::new();
    for ((resources, condition), actions) in asked {
        let mut context = context.clone();
        context.extend(condition.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
        let question = Question { principal: &principal, resources: &resources, context: &context };
        let actions: Vec<&'static str> = actions.into_iter().collect();
        for (action, decision) in reader.run(simulate(&reader, question, &actions)).await {
            let why = match decision {
                Ok(Decision::Allowed) => continue,
                // Nothing else would be answered either, and one fault says it for all.
                Err(fault) if matches!(fault.kind, FaultKind::Denied | FaultKind::DeniedByOrganization) => {
                    return Err(fault);
                }
                Err(fault) if fault.kind == FaultKind::NotFound => return Err(fault),
                Err(fault) => Why::NotKnown(fault.to_string()),
                Ok(Decision::NotAllowed) => Why::NotAllowed,
                Ok(Decision::Denied { policies }) => Why::Denied(policies),
                Ok(Decision::Boundary) => Why::Boundary,
                Ok(Decision::Organization) => Why::Organization,
                Ok(Decision::Depends { keys }) => Why::Depends(keys),
            };
            let narrower = resources.iter().filter(|resource| *resource != "*").cloned();
            let on = match &condition {
                Some((_, value)) => BTreeSet::from([value.clone()]),
                None => narrower.collect(),
            };
            let controls = needed_by.get(action).cloned().unwrap_or_default();
            let lack =
                lacking.entry(action).or_insert(Lack { why: why.clone(), controls, on: BTreeSet::new() });
            lack.on.extend(on);
            // What is certainly wrong is told rather than what could not be asked.
            if lack.why.verdict() > why.verdict() {
                lack.why = why;
            }
        }
    }
    Ok(lacking)
}

/// The ARN that a role or user has in IAM. A session's ARN has no path, so that of a caller that is a session may be
/// another than this; the simulator then knows no such role.
fn principal(fleet: &Fleet, account: &DesiredAccount, duty: Duty) -> Option<String> {
    let organization = &fleet.desired.organization;
    let arn = |resource: &str| format!("arn:{}:iam::{}:{resource}", account.home.partition(), account.id);
    match &organization.roles {
        Some(roles) => Some(arn(&format!("role/{}", duty.role(roles)))),
        None => {
            let caller = fleet.aws.identity().principal();
            caller_is_known(caller).then(|| arn(caller))
        }
    }
}

/// Neither the root user nor a federated one.
fn caller_is_known(principal: &str) -> bool {
    principal.starts_with("role/") || principal.starts_with("user/")
}

/// The caller of this run as the simulator knows it.
pub(super) fn caller(fleet: &Fleet) -> Option<String> {
    let identity = fleet.aws.identity();
    let principal = identity.principal();
    let partition = identity.partition();
    caller_is_known(principal).then(|| format!("arn:{partition}:iam::{}:{principal}", identity.account))
}

/// Every value of a condition is a question of its own, because such a key has one value.
fn questions(statement: &Statement, account: &DesiredAccount) -> Vec<Asked> {
    let fill = |resource: &String, value: &str| {
        let filled = resource
            .replace("{partition}", account.home.partition())
            .replace("{account}", account.id.as_str());
        // A resource of a request has no wildcards. What stands for one is a region, or a role of the service.
        match filled.strip_suffix(":role/aws-service-role/*") {
            Some(start) => format!("{start}:role/aws-service-role/{value}/AWSServiceRole"),
            None if filled == "*" => filled,
            None => filled.replace('*', account.home.as_str()),
        }
    };
    match &statement.condition {
        None => vec![(statement.resources.iter().map(|one| fill(one, "")).collect(), None)],
        Some(condition) => condition
            .values
            .iter()
            .map(|value| {
                let value = fill(value, "");
                let resources = statement.resources.iter().map(|one| fill(one, &value)).collect();
                (resources, Some((condition.key, value)))
            })
            .collect(),
    }
}

fn needed_by(duty: Duty, controls: &[&'static dyn ErasedControl]) -> Controls {
    let mut all = Controls::new();
    let mut add = |call: &'static Call, by: &'static str| {
        for action in call.allowed_by() {
            all.entry(action).or_default().insert(by);
        }
    };
    for call in crate::permissions::engine(duty) {
        add(call, "baseline");
    }
    for control in controls {
        let meta = control.meta();
        let calls = match duty {
            Duty::Observe => meta.reads,
            Duty::Apply => meta.writes,
        };
        for call in calls {
            add(call, meta.id);
        }
    }
    all
}
