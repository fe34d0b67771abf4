//! What the YAML says of log groups.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use crate::control::{Retention, Select};

/// Log groups of CloudWatch Logs: those that must exist, by name, and all others by rules.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct GroupsSpec {
    /// Tried from the top; the first rule that selects a group governs it. A group that no rule selects is left
    /// alone.
    #[serde(deserialize_with = "rules")]
    pub rules: Vec<GroupRule>,
    /// Groups that must exist, by name. What such a group does not say, the first rule that selects it says.
    #[serde(deserialize_with = "groups")]
    pub groups: BTreeMap<String, GroupSpec>,
}

/// What the selected groups are to be.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(inline)]
pub struct GroupRule {
    /// Which log groups this rule governs, unless a rule above does.
    pub select: Select,
    /// Days that events are kept, one of those that AWS takes, or `never` for never deleting them. A longer
    /// retention is shortened, and what is older is deleted: see `minimumRetentionDays`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention_days: Option<Retention>,
    /// Days that events are kept at least (FSBP CloudWatch.16). A longer retention stays, and so does `never`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-fixed" = "what is longer stays, so taking it back changes nothing"))]
    pub minimum_retention_days: Option<Retention>,
    /// The key that new events are encrypted with: an alias of a key in the same account and region,
    /// `alias/acme/logs`, or `none` for CloudWatch Logs' own encryption.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-mutate" = ["alias/acme/logs", "none"]))]
    pub key: Option<LogKey>,
    /// The group cannot be deleted until somebody turns this off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_protection: Option<bool>,
}

/// A group that must exist, and what it is to be.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schemars(inline)]
pub struct GroupSpec {
    /// As in a rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retention_days: Option<Retention>,
    /// As in a rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-fixed" = "what is longer stays, so taking it back changes nothing"))]
    pub minimum_retention_days: Option<Retention>,
    /// As in a rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-mutate" = ["alias/acme/logs", "none"]))]
    pub key: Option<LogKey>,
    /// As in a rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletion_protection: Option<bool>,
    /// The class of a group that has to be made, in AWS's words; `STANDARD` where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-fixed" = "a group keeps its class for life"))]
    pub class: Option<Class>,
}

/// `LogGroupClass`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schemars(inline)]
pub enum Class {
    Standard,
    InfrequentAccess,
    Delivery,
}

impl Class {
    pub fn word(self) -> &'static str {
        match self {
            Self::Standard => "STANDARD",
            Self::InfrequentAccess => "INFREQUENT_ACCESS",
            Self::Delivery => "DELIVERY",
        }
    }
}

const NONE: &str = "none";

/// What a log group's new events are encrypted with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum LogKey {
    /// The encryption that every log group has.
    None,
    /// An alias, `alias/acme/logs`.
    Alias(String),
}

impl TryFrom<String> for LogKey {
    type Error = String;

    /// Letters, digits, `/`, `_` and `-` after `alias/` (KMS API Reference, CreateAlias). Keys that AWS manages
    /// have key policies that nobody can change, and none lets CloudWatch Logs in.
    fn try_from(text: String) -> Result<Self, String> {
        let fits = |c: char| c.is_ascii_alphanumeric() || "/_-".contains(c);
        match text.strip_prefix("alias/") {
            _ if text == NONE => Ok(Self::None),
            Some(name) if name.starts_with("aws/") => {
                Err(format!("`{text}` is a key of AWS's own, and CloudWatch Logs cannot use those"))
            }
            Some(name) if (1..=250).contains(&name.len()) && name.chars().all(fits) => Ok(Self::Alias(text)),
            _ => Err(format!("`{text}` is neither `{NONE}` nor an alias like `alias/acme/logs`")),
        }
    }
}

impl From<LogKey> for String {
    fn from(key: LogKey) -> Self {
        match key {
            LogKey::None => NONE.to_owned(),
            LogKey::Alias(alias) => alias,
        }
    }
}

impl JsonSchema for LogKey {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "LogKey".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string", "pattern": "^(none|alias/[a-zA-Z0-9/_-]{1,250})$"})
    }
}

fn one_retention<E: serde::de::Error>(
    of: &str,
    exactly: Option<Retention>,
    at_least: Option<Retention>,
) -> Result<(), E> {
    match (exactly, at_least) {
        (Some(_), Some(_)) => Err(E::custom(format_args!(
            "{of} says both `retentionDays` and `minimumRetentionDays`: declare one of them"
        ))),
        _ => Ok(()),
    }
}

fn rules<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<GroupRule>, D::Error> {
    let rules = Vec::<GroupRule>::deserialize(from)?;
    for (index, rule) in rules.iter().enumerate() {
        one_retention(&format!("rule {}", index + 1), rule.retention_days, rule.minimum_retention_days)?;
    }
    Ok(rules)
}

/// Names as CreateLogGroup takes them (API reference).
fn groups<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<String, GroupSpec>, D::Error> {
    let groups = BTreeMap::<String, GroupSpec>::deserialize(from)?;
    for (name, group) in &groups {
        let fits = |c: char| c.is_ascii_alphanumeric() || "._-/#".contains(c);
        if !(1..=512).contains(&name.len()) || name.starts_with("aws/") || !name.chars().all(fits) {
            return Err(D::Error::custom(format_args!(
                "`{name}` is not a log group's name: letters, digits, `.`, `_`, `-`, `/` and `#`, and not `aws/` \
                 at its beginning"
            )));
        }
        one_retention(&format!("`{name}`"), group.retention_days, group.minimum_retention_days)?;
        let days = group.retention_days.or(group.minimum_retention_days);
        if group.class == Some(Class::Delivery) && days.is_some() {
            return Err(D::Error::custom(format_args!(
                "`{name}` is of class `DELIVERY`, which keeps events for one day whatever is declared"
            )));
        }
    }
    Ok(groups)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn refused(spec: Value) -> String {
        serde_json::from_value::<GroupsSpec>(spec).map_or_else(|error| error.to_string(), |_| String::new())
    }

    #[test]
    fn keys_are_aliases_of_the_account_or_none() {
        let of = |key: &str| refused(json!({"groups": {"a": {"key": key}}}));
        assert_eq!((of("none"), of("alias/acme/logs_2-x")), (String::new(), String::new()));
        assert!(of("alias/aws/logs").contains("AWS's own"));
        for bad in ["", "alias/", "acme/logs", "alias/a b", "arn:aws:kms:eu-west-1:111122223333:key/1"] {
            assert!(of(bad).contains("neither `none` nor an alias"), "{bad}");
        }
    }

    #[test]
    fn names_are_what_aws_takes() {
        for good in ["/aws/lambda/pay", "acme_audit.1#2", "x"] {
            assert_eq!(refused(json!({"groups": {good: {}}})), "", "{good}");
        }
        for bad in ["", "aws/lambda", "a b", "a:b", "mötley", "*"] {
            assert!(refused(json!({"groups": {bad: {}}})).contains("log group's name"), "{bad}");
        }
    }

    #[test]
    fn retention_is_said_once() {
        let both = json!({"retentionDays": 365, "minimumRetentionDays": 90});
        assert!(refused(json!({"groups": {"a": both}})).contains("declare one of them"));
        let mut rule = both;
        rule["select"] = json!({"names": ["*"]});
        assert!(refused(json!({"rules": [rule]})).contains("rule 1 says both"));
        let delivery = json!({"class": "DELIVERY", "retentionDays": 365});
        assert!(refused(json!({"groups": {"a": delivery}})).contains("for one day"));
    }
}
