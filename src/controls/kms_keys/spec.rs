//! What the YAML says of keys.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::services::Service;
use super::statement::Statement;
use crate::control::Bounded;
use crate::place::AccountId;

/// Customer managed keys, by alias. What is not declared is left as it is.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct KeysSpec {
    /// Keys by alias, `alias/baseline/logs`. A key that is declared exists and is enabled.
    #[serde(deserialize_with = "by_alias")]
    pub keys: BTreeMap<String, KeySpec>,
}

/// One key.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schemars(inline)]
pub struct KeySpec {
    /// What the key is for. It shows up in logs: nothing secret.
    #[schemars(extend("x-mutate" = ["Everything that is logged", "Logs"]))]
    pub description: Option<String>,
    /// Days between rotations of the key material (FSBP KMS.4), 90 to 2560; `0` for never.
    pub rotation_days: Option<RotationDays>,
    /// Services that the key policy lets use the key. The policy only grows: a service that is taken off the
    /// list keeps its statement.
    #[schemars(extend("x-fixed" = "nothing is taken out of a key policy"))]
    pub used_by: Option<BTreeSet<Service>>,
    /// For whom the services may use the key: `organization`, or a list of account ids, which is only added
    /// to. Without an organisation, and where it is not said of a new service: for this account.
    #[schemars(extend("x-mutate" = ["organization", ["111122223333"]]))]
    pub from: Option<Callers>,
    /// Your own statements of the key policy, by `Sid`, as IAM writes them. One that is taken out of the map
    /// stays in the policy. `{account}`, `{region}`, `{partition}` and `{organization}` are filled in.
    #[serde(deserialize_with = "by_sid")]
    pub statements: BTreeMap<String, Statement>,
    /// Tags. Others stay.
    #[serde(deserialize_with = "tags")]
    #[schemars(with = "BTreeMap<String, TagValue>")]
    pub tags: BTreeMap<String, String>,
}

/// Marks a key at its making with the alias that it is for, so that it is found again before it has it.
pub const MARK: &str = "baseline:alias";

impl KeySpec {
    /// Is anything declared that the key policy holds?
    pub fn declares_policy(&self) -> bool {
        self.used_by.is_some() || self.from.is_some() || !self.statements.is_empty()
    }
}

/// `0`, or 90 to 2560 (API reference, `EnableKeyRotation`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct RotationDays(u32);

impl RotationDays {
    /// `None` for a number that KMS does not take.
    pub fn new(days: u32) -> Option<Self> {
        (days == 0 || (90..=2560).contains(&days)).then_some(Self(days))
    }

    pub fn get(self) -> u32 {
        self.0
    }
}

impl<'de> Deserialize<'de> for RotationDays {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let days = Bounded::<0, 2560>::deserialize(from)?.get();
        Self::new(days).ok_or_else(|| {
            serde::de::Error::custom(format_args!("{days} must be 0 for never, or between 90 and 2560"))
        })
    }
}

impl JsonSchema for RotationDays {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "RotationDays".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "integer", "minimum": 0, "maximum": 2560, "not": {"minimum": 1, "maximum": 89},
            "x-mutate": [0, 180]
        })
    }
}

/// For whom services may use the key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub enum Callers {
    Organization,
    Accounts(BTreeSet<AccountId>),
}

impl TryFrom<Value> for Callers {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        match value {
            Value::String(word) if word == "organization" => Ok(Self::Organization),
            Value::Array(list) if !list.is_empty() => {
                let ids = list.into_iter().map(|id| serde_json::from_value(id).map_err(|e| e.to_string()));
                Ok(Self::Accounts(ids.collect::<Result<_, _>>()?))
            }
            _ => Err("expected `organization`, or a list of account ids in quotes".into()),
        }
    }
}

impl From<Callers> for Value {
    fn from(callers: Callers) -> Self {
        match callers {
            Callers::Organization => "organization".into(),
            Callers::Accounts(ids) => ids.iter().map(AccountId::as_str).collect(),
        }
    }
}

impl JsonSchema for Callers {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Callers".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "anyOf": [
                {"const": "organization"},
                {"type": "array", "minItems": 1, "items": {"type": "string", "pattern": "^[0-9]{12}$"}}
            ]
        })
    }
}

/// The text of a tag, for the schema alone.
struct TagValue;

impl JsonSchema for TagValue {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "TagValue".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string", "maxLength": 256, "x-mutate": ["internal", "secret"]})
    }
}

/// API reference, `CreateAlias`.
fn by_alias<'de, D: serde::Deserializer<'de>>(from: D) -> Result<BTreeMap<String, KeySpec>, D::Error> {
    use serde::de::Error as _;
    let keys = BTreeMap::<String, KeySpec>::deserialize(from)?;
    for alias in keys.keys() {
        let rest = alias.strip_prefix("alias/").unwrap_or_default();
        let fits = |c: char| c.is_ascii_alphanumeric() || "/_-".contains(c);
        if rest.is_empty() || alias.len() > 256 || !rest.chars().all(fits) {
            return Err(D::Error::custom(format_args!(
                "`{alias}` is not an alias: `alias/` and letters, digits, `/`, `_` or `-`"
            )));
        }
        if rest.starts_with("aws/") {
            return Err(D::Error::custom(format_args!("`{alias}` is one of AWS's own aliases")));
        }
    }
    Ok(keys)
}

fn by_sid<'de, D: serde::Deserializer<'de>>(from: D) -> Result<BTreeMap<String, Statement>, D::Error> {
    use serde::de::Error as _;
    let statements = BTreeMap::<String, Statement>::deserialize(from)?;
    match statements.keys().find(|sid| super::statement::is_ours(sid)) {
        Some(sid) => {
            Err(D::Error::custom(format_args!("`{sid}` is the name of one of baseline's own statements")))
        }
        None => Ok(statements),
    }
}

fn tags<'de, D: serde::Deserializer<'de>>(from: D) -> Result<BTreeMap<String, String>, D::Error> {
    use serde::de::Error as _;
    let tags = BTreeMap::<String, String>::deserialize(from)?;
    match tags.keys().find(|name| name.starts_with("aws:") || *name == MARK) {
        Some(name) => Err(D::Error::custom(format_args!("the tag `{name}` is not yours to set"))),
        None => Ok(tags),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(key: Value) -> Result<KeySpec, String> {
        let mut spec: KeysSpec =
            serde_json::from_value(json!({"keys": {"alias/a": key}})).map_err(|error| error.to_string())?;
        spec.keys.remove("alias/a").ok_or_else(|| "it is gone".into())
    }

    #[test]
    fn an_alias_is_one_that_kms_takes() {
        for alias in ["alias/a", "alias/baseline/logs_2-x"] {
            assert!(serde_json::from_value::<KeysSpec>(json!({"keys": {alias: {}}})).is_ok(), "{alias}");
        }
        for alias in ["a", "alias/", "alias/a b", "alias/aws/s3", "alias/ä"] {
            assert!(serde_json::from_value::<KeysSpec>(json!({"keys": {alias: {}}})).is_err(), "{alias}");
        }
    }

    #[test]
    fn a_period_is_0_or_what_kms_takes() {
        for days in [0, 90, 365, 2560] {
            assert_eq!(read(json!({"rotationDays": days})).unwrap().rotation_days, RotationDays::new(days));
        }
        for days in [1, 89, 2561] {
            assert!(read(json!({"rotationDays": days})).is_err_and(|e| e.contains("between")), "{days}");
        }
    }

    #[test]
    fn from_is_the_organization_or_accounts_in_quotes() {
        assert_eq!(read(json!({"from": "organization"})).unwrap().from, Some(Callers::Organization));
        let two = read(json!({"from": ["111122223333", "444455556666"]})).unwrap().from.unwrap();
        assert_eq!(Value::from(two), json!(["111122223333", "444455556666"]));
        for bad in [json!("everyone"), json!([]), json!([1_111_222_233_333_u64]), json!({"accounts": []})] {
            assert!(read(json!({"from": bad.clone()})).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_that_are_taken_are_refused() {
        let statement = json!({"Effect": "Deny", "Principal": "*", "Action": "kms:*", "Resource": "*"});
        let own = json!({"statements": {"BaselineConfig": statement}});
        assert!(read(own).is_err_and(|error| error.contains("baseline's own")));
        assert!(read(json!({"statements": {"Mine": statement}})).is_ok());
        assert!(read(json!({"tags": {MARK: "alias/b"}})).is_err_and(|e| e.contains("not yours")));
        assert!(read(json!({"usedBy": ["lambda"]})).is_err_and(|e| e.contains("cloudtrail")));
    }
}
