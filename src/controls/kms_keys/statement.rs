//! Statements of a key policy.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::services::Service;
use crate::diff::policy::{self, Policy};
use crate::place::AccountId;

/// KMS Developer Guide, "Default key policy": what a new key's only statement is called.
pub const OWNER: &str = "Enable IAM User Permissions";

/// Is it the name of a statement that this control writes itself?
pub fn is_ours(sid: &str) -> bool {
    sid == OWNER || Service::ALL.iter().any(|service| service.sid() == sid)
}

/// A statement that somebody declared, without its `Sid`, which is its key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub struct Statement(Map<String, Value>);

impl TryFrom<Value> for Statement {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        let Value::Object(map) = value else { return Err("a statement is a map, as IAM writes it".into()) };
        if map.contains_key("Sid") {
            return Err("the `Sid` of a statement is its name in the map: leave it out here".into());
        }
        // Without either of these KMS takes the statement, and it has no effect (API reference, PutKeyPolicy).
        for (plain, negated) in [("Principal", "NotPrincipal"), ("Resource", "NotResource")] {
            if !map.contains_key(plain) && !map.contains_key(negated) {
                return Err(format!("a statement of a key policy needs `{plain}`"));
            }
        }
        let policy = json!({"Statement": [&map]});
        Policy::try_from(&policy).map_err(|malformed| malformed.to_string())?;
        Ok(Self(map))
    }
}

impl From<Statement> for Value {
    fn from(statement: Statement) -> Self {
        statement.0.into()
    }
}

impl Statement {
    /// As it stands in the policy.
    pub fn named(&self, sid: &str) -> Value {
        let mut map = self.0.clone();
        map.insert("Sid".into(), sid.into());
        map.into()
    }
}

impl JsonSchema for Statement {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Statement".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        // The account's own id, region and partition may stand anywhere in it.
        let text = json!({"type": "string", "format": "template"});
        let texts =
            json!({"anyOf": [text, {"type": "array", "items": text}, {"type": ["boolean", "number"]}]});
        let within =
            |inner: &Value| json!({"anyOf": [texts, {"type": "object", "additionalProperties": inner}]});
        let deny = |actions: &[&str]| json!({"Effect": "Deny", "Principal": "*", "Action": actions, "Resource": "*"});
        schemars::json_schema!({
            "type": "object",
            "description": "One statement, without its `Sid`.",
            "additionalProperties": within(&within(&texts)),
            "x-mutate": [deny(&["kms:ScheduleKeyDeletion"]), deny(&["kms:ScheduleKeyDeletion", "kms:DisableKey"])]
        })
    }
}

/// The statement that lets the IAM policies of the owner's account decide, and its root user always.
pub fn owner(partition: &str, account: &AccountId) -> Value {
    json!({
        "Sid": OWNER,
        "Effect": "Allow",
        "Principal": {"AWS": format!("arn:{partition}:iam::{account}:root")},
        "Action": "kms:*",
        "Resource": "*",
    })
}

/// Does some statement keep the account itself in, alone or beside others?
pub fn keeps_owner(live: &Value, partition: &str, account: &AccountId) -> bool {
    let root = format!("arn:{partition}:iam::{account}:root");
    all_of(live).into_iter().any(|one| {
        let whole = |element: &str, words: &[&str]| texts(&one[element]).any(|text| words.contains(&text));
        one["Effect"] == "Allow"
            && whole("Action", &["kms:*", "*"])
            && whole("Resource", &["*"])
            && one.get("Condition").is_none_or(|condition| condition.as_object().is_some_and(Map::is_empty))
            && texts(&one["Principal"]["AWS"]).any(|name| name == root || name == account.as_str())
    })
}

/// The statements of a policy, of which one may stand without a list around it.
pub fn all_of(policy: &Value) -> Vec<&Value> {
    match &policy["Statement"] {
        Value::Array(list) => list.iter().collect(),
        one @ Value::Object(_) => vec![one],
        _ => Vec::new(),
    }
}

/// Do two statements mean the same, whatever they are called?
pub fn same(one: &Value, other: &Value) -> bool {
    let alone = json!({"Statement": [one]});
    policy::lacking(Some(&alone), std::slice::from_ref(other)).is_empty()
}

/// A text, or a list of them.
pub fn texts(value: &Value) -> impl Iterator<Item = &str> {
    let (one, many) = match value {
        Value::Array(list) => (None, Some(list)),
        one => (Some(one), None),
    };
    one.into_iter().chain(many.into_iter().flatten()).filter_map(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_without_effect_is_refused() {
        let whole = json!({"Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*"});
        assert!(Statement::try_from(whole.clone()).is_ok());
        for gone in ["Effect", "Principal", "Action", "Resource"] {
            let mut less = whole.clone();
            less.as_object_mut().unwrap().remove(gone);
            assert!(Statement::try_from(less).is_err(), "{gone}");
        }
        let mut named = whole;
        named["Sid"] = json!("Mine");
        assert!(Statement::try_from(named).is_err_and(|error| error.contains("its name in the map")));
    }

    #[test]
    fn the_account_is_kept_in_by_its_root_without_a_condition() {
        let account: AccountId = "111122223333".parse().unwrap();
        let live = |change: &dyn Fn(&mut Value)| {
            let mut statement = owner("aws", &account);
            change(&mut statement);
            json!({"Statement": statement})
        };
        let root = "arn:aws:iam::111122223333:root";
        assert!(keeps_owner(&live(&|_| {}), "aws", &account));
        assert!(keeps_owner(&live(&|s| s["Principal"]["AWS"] = json!("111122223333")), "aws", &account));
        let beside = json!(["arn:aws:iam::111122223333:user/jo", root]);
        assert!(keeps_owner(&live(&|s| s["Principal"]["AWS"] = beside.clone()), "aws", &account));
        assert!(!keeps_owner(&live(&|s| s["Action"] = json!("kms:Get*")), "aws", &account));
        assert!(!keeps_owner(&live(&|s| s["Effect"] = json!("Deny")), "aws", &account));
        let only = json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}});
        assert!(!keeps_owner(&live(&|s| s["Condition"] = only.clone()), "aws", &account));
        let other = json!("arn:aws:iam::444455556666:root");
        assert!(!keeps_owner(&live(&|s| s["Principal"]["AWS"] = other.clone()), "aws", &account));
    }
}
