//! IAM-style policy documents, compared by what they mean.
//!
//! What says nothing is taken out (`Sid`, `Id`, order, one value or a list of one, an empty condition) and
//! what can be written in several ways is written in one (IAM User Guide, "JSON policy element reference").
//! Two policies that allow the same by different patterns, `s3:*` beside `s3:Get*` and `s3:*`, are not
//! recognised: that would be to evaluate them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

mod delivery;
mod glob;
mod merge;
mod open;

pub use delivery::{Delivery, allows_service};
pub use glob::{covers, overlap};
pub use merge::{by_sid, lacking, with_statements};
pub use open::{is_open, open_to_everyone};

/// A document that is not a policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("not JSON: {0}")]
    NotJson(String),
    #[error("`{element}` is not {expected}")]
    Element { element: &'static str, expected: &'static str },
}

/// A policy by its meaning: equal policies do the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// It decides whether `${…}` is a variable. Absent is the old one.
    version: String,
    statements: BTreeSet<Statement>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Statement {
    allow: bool,
    principal: Option<Match<Principal>>,
    /// In lower case: actions know no case.
    action: Match<String>,
    /// Absent in a trust policy.
    resource: Option<Match<String>>,
    /// Operator → key in lower case → values.
    condition: BTreeMap<String, BTreeMap<String, BTreeSet<String>>>,
}

/// An element, or its `Not…` form.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Match<T> {
    In(BTreeSet<T>),
    NotIn(BTreeSet<T>),
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Principal {
    /// `"*"`, which is `{"AWS": "*"}`.
    Everyone,
    /// An account, by its id or the ARN of its root.
    Account(String),
    /// `(kind, name)`: `("Service", "cloudtrail.amazonaws.com")`.
    Other(String, String),
}

impl Principal {
    fn new(kind: &str, name: &str) -> Self {
        match (kind, name) {
            ("AWS", "*") => Self::Everyone,
            ("AWS", name) => match account_of(name) {
                Some(id) => Self::Account(id.to_owned()),
                None => Self::Other(kind.to_owned(), name.to_owned()),
            },
            _ => Self::Other(kind.to_owned(), name.to_owned()),
        }
    }
}

/// The id in `111122223333` and in `arn:aws:iam::111122223333:root`.
fn account_of(principal: &str) -> Option<&str> {
    let root = principal.strip_prefix("arn:").and_then(|rest| {
        let (_partition, rest) = rest.split_once(':')?;
        rest.strip_prefix("iam::")?.strip_suffix(":root")
    });
    let id = root.unwrap_or(principal);
    (id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit())).then_some(id)
}

impl std::str::FromStr for Policy {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let document: Value = serde_json::from_str(text).map_err(|e| Malformed::NotJson(e.to_string()))?;
        Self::try_from(&document)
    }
}

impl TryFrom<&Value> for Policy {
    type Error = Malformed;

    fn try_from(document: &Value) -> Result<Self, Malformed> {
        let malformed = |element, expected| Malformed::Element { element, expected };
        let policy = document.as_object().ok_or(malformed("policy", "an object"))?;
        let version = match policy.get("Version") {
            None => "2008-10-17",
            Some(version) => version.as_str().ok_or(malformed("Version", "text"))?,
        };
        let statements = match policy.get("Statement") {
            Some(Value::Array(list)) => list.iter().map(statement).collect::<Result<_, _>>()?,
            Some(one @ Value::Object(_)) => BTreeSet::from([statement(one)?]),
            _ => return Err(malformed("Statement", "an object or a list")),
        };
        Ok(Self { version: version.to_owned(), statements })
    }
}

fn statement(value: &Value) -> Result<Statement, Malformed> {
    let malformed = |element, expected| Malformed::Element { element, expected };
    let map = value.as_object().ok_or(malformed("Statement", "a list of objects"))?;
    let allow = match map.get("Effect").and_then(Value::as_str) {
        Some("Allow") => true,
        Some("Deny") => false,
        _ => return Err(malformed("Effect", "`Allow` or `Deny`")),
    };
    let lower =
        |value: &Value| texts(value, "Action").map(|all| all.iter().map(|t| t.to_lowercase()).collect());
    Ok(Statement {
        allow,
        principal: either(map, "Principal", "NotPrincipal", principals)?,
        action: either(map, "Action", "NotAction", lower)?.ok_or(malformed("Action", "there"))?,
        resource: either(map, "Resource", "NotResource", |value| texts(value, "Resource"))?,
        condition: map.get("Condition").map(conditions).transpose()?.unwrap_or_default(),
    })
}

fn either<T>(
    map: &Map<String, Value>,
    plain: &'static str,
    negated: &'static str,
    read: impl Fn(&Value) -> Result<BTreeSet<T>, Malformed>,
) -> Result<Option<Match<T>>, Malformed> {
    match (map.get(plain), map.get(negated)) {
        (Some(_), Some(_)) => {
            Err(Malformed::Element { element: plain, expected: "alone beside its `Not` form" })
        }
        (Some(value), None) => Ok(Some(Match::In(read(value)?))),
        (None, Some(value)) => Ok(Some(Match::NotIn(read(value)?))),
        (None, None) => Ok(None),
    }
}

/// One text or a list of them. Conditions may also hold numbers and booleans, which are texts to AWS.
fn texts(value: &Value, element: &'static str) -> Result<BTreeSet<String>, Malformed> {
    let one = |value: &Value| match value {
        Value::String(text) => Ok(text.clone()),
        Value::Bool(_) | Value::Number(_) if element == "Condition" => Ok(value.to_string()),
        _ => Err(Malformed::Element { element, expected: "text or a list of texts" }),
    };
    match value {
        Value::Array(list) => list.iter().map(one).collect(),
        value => Ok(BTreeSet::from([one(value)?])),
    }
}

fn principals(value: &Value) -> Result<BTreeSet<Principal>, Malformed> {
    match value {
        Value::String(star) if star == "*" => Ok(BTreeSet::from([Principal::Everyone])),
        Value::Object(kinds) => {
            let mut all = BTreeSet::new();
            for (kind, names) in kinds {
                all.extend(texts(names, "Principal")?.iter().map(|name| Principal::new(kind, name)));
            }
            Ok(all)
        }
        _ => Err(Malformed::Element { element: "Principal", expected: "`*` or an object" }),
    }
}

type Conditions = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

fn conditions(value: &Value) -> Result<Conditions, Malformed> {
    let malformed = Malformed::Element { element: "Condition", expected: "an object of objects" };
    let mut out = Conditions::new();
    for (operator, keys) in value.as_object().ok_or(malformed.clone())? {
        for (key, values) in keys.as_object().ok_or(malformed.clone())? {
            // Keys know no case (IAM User Guide, "Condition"); values and operators do.
            let keys = out.entry(operator.clone()).or_default();
            keys.entry(key.to_lowercase()).or_default().extend(texts(values, "Condition")?);
        }
    }
    Ok(out)
}

/// Do both documents mean the same? What is not a policy is compared as JSON.
pub fn same(one: &Value, other: &Value) -> bool {
    match (Policy::try_from(one), Policy::try_from(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => one == other,
    }
}

#[cfg(test)]
mod tests;
