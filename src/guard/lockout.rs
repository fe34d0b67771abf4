//! Nobody locks themselves out: a policy that denies us what we manage the resource with.

use serde_json::Value;

use super::{Danger, Judging, Refusal, account, quoted};
use crate::controls;
use crate::diff::policy::{covers, overlap};
use crate::place::AccountId;
use crate::plan::{Item, Plan};

/// Changes that write a `Deny` which would catch the roles that we work with, or whoever administers the account.
pub(super) fn cut_off(plan: &Plan, with: &Judging<'_>) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    for (_, item) in plan.changes() {
        let resource = &item.finding.resource;
        if with.allows(Danger::Lockout, resource) {
            continue;
        }
        let actions = ours(&item.control);
        let steps = item.finding.change().map(|change| change.steps.as_slice()).unwrap_or_default();
        let denies = steps.iter().flat_map(|step| statements(&step.action.value()));
        let caught = denies
            .filter(|one| catches(one, &item.scope.account, with.roles))
            .find_map(|one| actions.iter().find(|action| denied(&one, action)).copied());
        let Some(action) = caught else { continue };
        let refusal = refusal(plan, item, action);
        if !refusals.contains(&refusal) {
            refusals.push(refusal);
        }
    }
    refusals
}

fn refusal(plan: &Plan, item: &Item, action: &str) -> Refusal {
    let resource = &item.finding.resource;
    Refusal {
        why: format!(
            "{} {resource} in {} would deny {action} to the roles that baseline works with",
            item.control,
            account(plan, item)
        ),
        hint: format!(
            "let them off in the statement (`ArnNotLike` on `aws:PrincipalArn`), or add --allow {}",
            quoted(&format!("lockout:{resource}"))
        ),
    }
}

/// The IAM actions that a control needs, to look and to write.
fn ours(control: &str) -> Vec<&'static str> {
    let Some(control) = controls::find(control) else { return Vec::new() };
    let meta = control.meta();
    meta.writes.iter().chain(meta.reads).flat_map(|call| call.allowed_by()).collect()
}

/// The statements that deny something, wherever in a step's parameters they stand; a document may be text.
fn statements(action: &Value) -> Vec<Value> {
    match action {
        Value::Object(map) if map.get("Effect").is_some_and(|effect| effect == "Deny") => {
            vec![action.clone()]
        }
        Value::Object(map) => map.values().flat_map(statements).collect(),
        Value::Array(list) => list.iter().flat_map(statements).collect(),
        Value::String(text) if text.trim_start().starts_with('{') => {
            serde_json::from_str::<Value>(text).map(|inner| statements(&inner)).unwrap_or_default()
        }
        _ => Vec::new(),
    }
}

/// Does it catch us? Only what plainly lets us off does: another principal, our own roles excepted by name, or that
/// we come by TLS. Of any other condition nobody knows here whether it holds.
fn catches(statement: &Value, account: &AccountId, roles: &[String]) -> bool {
    principals(statement, account, roles) && !excepted(&statement["Condition"], account, roles)
}

fn principals(statement: &Value, account: &AccountId, roles: &[String]) -> bool {
    if let Some(but) = statement.get("NotPrincipal") {
        return !texts(&but["AWS"]).any(|name| is_us(name, account, roles));
    }
    match &statement["Principal"] {
        Value::Object(kinds) => kinds
            .get("AWS")
            .is_some_and(|names| texts(names).any(|name| name == "*" || is_us(name, account, roles))),
        one => one == "*",
    }
}

/// The account itself, or one of our roles in it.
fn is_us(name: &str, account: &AccountId, roles: &[String]) -> bool {
    name == account.as_str()
        || name.ends_with(&format!(":iam::{account}:root"))
        || roles.iter().any(|role| covers(name, &format!("arn:aws:iam::{account}:role/{role}")))
}

/// A condition under which the statement is not for us.
fn excepted(condition: &Value, account: &AccountId, roles: &[String]) -> bool {
    let Some(operators) = condition.as_object() else { return false };
    operators.iter().any(|(operator, keys)| {
        let keys = keys.as_object().into_iter().flatten();
        keys.into_iter().any(|(key, values)| match (operator.as_str(), key.to_lowercase().as_str()) {
            ("Bool", "aws:securetransport") => texts(values).all(|value| value == "false"),
            ("NumericLessThan", "s3:tlsversion") => true,
            ("StringNotEquals" | "StringNotLike" | "ArnNotEquals" | "ArnNotLike", "aws:principalarn") => {
                !roles.is_empty()
                    && roles.iter().all(|role| {
                        let arn = format!("arn:aws:iam::{account}:role/{role}");
                        texts(values).any(|value| covers(value, &arn))
                    })
            }
            ("Bool", "aws:principalisawsservice") => texts(values).all(|value| value == "true"),
            _ => false,
        })
    })
}

fn denied(statement: &Value, action: &str) -> bool {
    let lower = action.to_lowercase();
    match statement.get("NotAction") {
        Some(but) => !texts(but).any(|one| covers(&one.to_lowercase(), &lower)),
        None => texts(&statement["Action"]).any(|one| overlap(&one.to_lowercase(), &lower)),
    }
}

/// A text, or a list of them.
fn texts(value: &Value) -> impl Iterator<Item = &str> {
    let (one, many) = match value {
        Value::Array(list) => (None, Some(list)),
        one => (Some(one), None),
    };
    one.into_iter().chain(many.into_iter().flatten()).filter_map(Value::as_str)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn deny(principal: Value, condition: Value) -> Value {
        json!({"Effect": "Deny", "Principal": principal, "Action": "kms:*", "Resource": "*", "Condition": condition})
    }

    #[test]
    fn a_deny_catches_us_unless_it_plainly_does_not() {
        let account: AccountId = "111122223333".parse().unwrap();
        let roles = ["baseline-observe".to_owned(), "baseline-apply".to_owned()];
        let arn = |role: &str| format!("arn:aws:iam::111122223333:role/{role}");
        for (statement, caught) in [
            (deny(json!("*"), json!({})), true),
            (deny(json!({"AWS": "*"}), json!({})), true),
            (deny(json!({"AWS": [arn("other"), arn("baseline-apply")]}), json!({})), true),
            (deny(json!({"AWS": "arn:aws:iam::111122223333:root"}), json!({})), true),
            (deny(json!({"AWS": "111122223333"}), json!({})), true),
            (deny(json!({"AWS": arn("other")}), json!({})), false),
            (deny(json!({"Service": "*"}), json!({})), false),
            (deny(json!("*"), json!({"Bool": {"aws:SecureTransport": "false"}})), false),
            (deny(json!("*"), json!({"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}})), true),
            (deny(json!("*"), json!({"StringNotLike": {"aws:PrincipalArn": arn("baseline-*")}})), false),
            (
                deny(
                    json!("*"),
                    json!({"ArnNotLike": {"aws:PrincipalArn": [arn("admin"), arn("baseline-apply")]}}),
                ),
                true,
            ),
            (json!({"Effect": "Deny", "NotPrincipal": {"AWS": arn("admin")}, "Action": "kms:*"}), true),
            (json!({"Effect": "Deny", "NotPrincipal": {"AWS": arn("baseline-*")}, "Action": "kms:*"}), false),
        ] {
            assert_eq!(catches(&statement, &account, &roles), caught, "{statement}");
        }
    }

    #[test]
    fn what_is_denied_is_what_we_call() {
        let one = |action: Value| json!({"Action": action});
        assert!(denied(&one(json!("KMS:*")), "kms:PutKeyPolicy"));
        assert!(denied(&one(json!(["kms:ScheduleKeyDeletion", "kms:Put*"])), "kms:PutKeyPolicy"));
        assert!(!denied(&one(json!("kms:ScheduleKeyDeletion")), "kms:PutKeyPolicy"));
        assert!(denied(&json!({"NotAction": "kms:Decrypt"}), "kms:PutKeyPolicy"));
        assert!(!denied(&json!({"NotAction": "kms:*"}), "kms:PutKeyPolicy"));
    }

    #[test]
    fn statements_are_found_wherever_they_stand() {
        let inner = json!({"Statement": [{"Effect": "Deny"}, {"Effect": "Allow"}]});
        let action = json!({"a": {"policy": inner}, "b": inner.to_string(), "c": "{not JSON"});
        assert_eq!(statements(&action).len(), 2);
    }
}
