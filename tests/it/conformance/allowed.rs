//! The generated policies hold exactly the IAM actions of the calls that the journal saw, and the roles that were made
//! are among the resources that they name.

use std::collections::{BTreeMap, BTreeSet};

use baseline::aws::journal::{Entry, Purpose};
use baseline::control::ErasedControl;
use baseline::permissions::{Duty, Names, usual_roles};
use baseline::report::permissions::{Of, Permissions};
use baseline::sandbox::World;
use baseline::sandbox::sample::MANAGEMENT;
use serde_json::Value;

use super::stage::{MEMBER, Outcomes, ensure, example};

/// The statements of one role's policies, as they are written.
fn statements(duty: Duty, controls: &[&'static dyn ErasedControl], names: &Names) -> Vec<Value> {
    let roles = usual_roles();
    let of = Of {
        duties: &[duty],
        roles: &roles,
        seats: BTreeMap::new(),
        partition: "aws",
        principal: None,
        names: names.clone(),
        audit: None,
        asks_roster: false,
        signing_key: None,
        topics: Vec::new(),
    };
    let written = Permissions::new(controls, of).json();
    let policies = written["roles"][0]["policies"].as_array().cloned().unwrap_or_default();
    let of_policy = |policy: Value| policy["document"]["Statement"].as_array().cloned().unwrap_or_default();
    policies.into_iter().flat_map(of_policy).collect()
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(all) => all.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        one => one.as_str().map(str::to_owned).into_iter().collect(),
    }
}

fn actions(statements: &[Value]) -> BTreeSet<String> {
    statements.iter().flat_map(|statement| texts(&statement["Action"])).collect()
}

/// Over all states that the suite brought about.
pub fn exactly(control: &'static dyn ErasedControl, calls: &[Entry], world: &World) -> Outcomes<()> {
    let meta = control.meta();
    let spec = example(control)?;
    let names = Names::of([(meta.id, &spec)], None);
    let own: Vec<&Entry> = calls.iter().filter(|call| call.by == meta.id).collect();
    let used = |of: &dyn Fn(&Entry) -> bool| -> BTreeSet<String> {
        let calls = own.iter().filter(|entry| of(entry));
        calls.flat_map(|entry| entry.call.allowed_by()).map(str::to_owned).collect()
    };
    for (duty, seen) in [
        (Duty::Observe, used(&|entry| entry.purpose == Purpose::Observe)),
        (Duty::Apply, used(&|entry| entry.purpose == Purpose::Apply && entry.write)),
    ] {
        let policy = actions(&statements(duty, &[control], &names));
        let engine = actions(&statements(duty, &[], &names));
        let wanted: BTreeSet<String> = seen.union(&engine).cloned().collect();
        let differing: Vec<_> = policy.symmetric_difference(&wanted).collect();
        ensure(differing.is_empty(), || format!("{}: not in both: {differing:?}", duty.word()))?;
    }
    // What is looked up just before a write is looked up with the role that writes.
    let apply = statements(Duty::Apply, &[control], &names);
    let looked_up = used(&|entry| entry.purpose == Purpose::Apply && !entry.write);
    let forgotten: Vec<_> = looked_up.difference(&actions(&apply)).cloned().collect();
    ensure(forgotten.is_empty(), || {
        format!("the apply role looks up without being allowed to: {forgotten:?}")
    })?;
    named(&apply, &own, world)
}

/// Roles that the control made are those that its policy names.
fn named(apply: &[Value], own: &[&Entry], world: &World) -> Outcomes<()> {
    if !own.iter().any(|entry| entry.operation() == "iam:CreateRole") {
        return Ok(());
    }
    let creates = apply.iter().filter(|one| texts(&one["Action"]).contains(&"iam:CreateRole".to_owned()));
    let resources: Vec<String> = creates.flat_map(|one| texts(&one["Resource"])).collect();
    ensure(!resources.iter().any(|one| one == "*"), || "iam:CreateRole is allowed on every role".to_owned())?;
    let roles = |id| {
        world.account(id, |account| {
            let roles = account.iam.roles.iter().filter(|(_, role)| role.path == "/");
            roles.map(|(name, _)| name.clone()).collect::<Vec<_>>()
        })
    };
    let made = [roles(MEMBER), roles(MANAGEMENT)].concat();
    let is_named = |role: &String| resources.iter().any(|one| one.ends_with(&format!(":role/{role}")));
    ensure(made.iter().any(is_named), || format!("of the roles {made:?} none is in {resources:?}"))
}
