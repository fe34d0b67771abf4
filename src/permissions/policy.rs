//! Policy documents within IAM's limits.

use serde_json::{Value, json};

use super::{Grant, Statement};
use crate::place::Seat;

/// Characters of a managed policy, white space not counted (IAM User Guide, "IAM and AWS STS quotas").
pub const MOST_CHARACTERS: usize = 6_144;

/// Managed policies that a role takes unless AWS has raised the quota (same page).
pub const ATTACHED_AT_MOST: usize = 10;

/// One managed policy of a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// `baseline-apply-2`, `baseline-apply-management`.
    pub name: String,
    /// Only in this seat's account.
    pub seat: Option<Seat>,
    pub statements: Vec<Statement>,
}

impl Policy {
    /// The document, with `{partition}` and `{account}` still in it.
    pub fn template(&self) -> Value {
        template(&self.statements)
    }
}

fn template(statements: &[Statement]) -> Value {
    let statements: Vec<Value> = statements.iter().map(written).collect();
    json!({ "Version": "2012-10-17", "Statement": statements })
}

fn written(statement: &Statement) -> Value {
    let resource = match statement.resources.as_slice() {
        [one] => json!(one),
        many => json!(many),
    };
    let mut written = json!({
        "Sid": statement.sid,
        "Effect": "Allow",
        "Action": statement.actions,
        "Resource": resource,
    });
    if let Some(condition) = &statement.condition {
        written["Condition"] = json!({ condition.operator: { condition.key: condition.values } });
    }
    written
}

/// Puts partition and account into every text of a document.
pub fn fill(document: &Value, partition: &str, account: &str) -> Value {
    match document {
        Value::String(text) => text.replace("{partition}", partition).replace("{account}", account).into(),
        Value::Array(items) => items.iter().map(|item| fill(item, partition, account)).collect(),
        Value::Object(map) => {
            map.iter().map(|(key, value)| (key.clone(), fill(value, partition, account))).collect()
        }
        other => other.clone(),
    }
}

/// The size of a document as IAM counts it, in the account and partition with the longest names.
pub fn size(document: &Value) -> usize {
    let filled = fill(document, "aws-us-gov", "000000000000").to_string();
    filled.chars().filter(|c| !c.is_whitespace()).count()
}

/// The managed policies of one role, each within [`MOST_CHARACTERS`].
pub fn policies(role: &str, grants: &[Grant]) -> Vec<Policy> {
    let role = role.rsplit('/').next().unwrap_or(role);
    let mut all = Vec::new();
    for grant in grants {
        let parts = split(&grant.statements);
        let one = parts.len() == 1;
        all.extend(parts.into_iter().enumerate().map(|(place, statements)| {
            let name = match grant.seat {
                None => format!("{role}-{}", place + 1),
                Some(seat) if one => format!("{role}-{}", word(seat)),
                Some(seat) => format!("{role}-{}-{}", word(seat), place + 1),
            };
            Policy { name, seat: grant.seat, statements }
        }));
    }
    all
}

fn word(seat: Seat) -> &'static str {
    match seat {
        Seat::Management => "management",
        Seat::LogArchive => "log-archive",
        Seat::Security => "security",
    }
}

/// Statements in their order, each in the document before it while that has room.
fn split(statements: &[Statement]) -> Vec<Vec<Statement>> {
    let mut parts: Vec<Vec<Statement>> = Vec::new();
    let mut waiting: Vec<Statement> = statements.iter().rev().cloned().collect();
    while let Some(statement) = waiting.pop() {
        if let Some(part) = parts.last_mut() {
            part.push(statement);
            if size(&template(part)) <= MOST_CHARACTERS {
                continue;
            }
            waiting.extend(part.pop());
        } else {
            waiting.push(statement);
        }
        let Some(statement) = waiting.pop() else { continue };
        match halves(&statement) {
            Some((first, second)) if size(&template(std::slice::from_ref(&statement))) > MOST_CHARACTERS => {
                waiting.extend([second, first]);
            }
            _ => parts.push(vec![statement]),
        }
    }
    parts
}

/// A statement that is too large by itself, as two that say the same.
fn halves(statement: &Statement) -> Option<(Statement, Statement)> {
    let half = |more: &str| Statement { sid: format!("{}{more}", statement.sid), ..statement.clone() };
    let (mut first, mut second) = (half("A"), half("B"));
    if statement.actions.len() > 1 {
        second.actions = first.actions.split_off(statement.actions.len() / 2);
    } else if statement.resources.len() > 1 {
        second.resources = first.resources.split_off(statement.resources.len() / 2);
    } else {
        return None;
    }
    Some((first, second))
}
