//! What the YAML says of filters.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::control::Bounded;

/// GuardDuty's saved filters, by name. What is not declared is left as it is.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct FiltersSpec {
    /// Filters by name: 3 to 64 letters, digits, `.`, `_` and `-`.
    #[serde(deserialize_with = "by_name")]
    pub filters: BTreeMap<String, FilterSpec>,
}

/// One filter.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schemars(inline)]
pub struct FilterSpec {
    /// Why. A filter that archives has to say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-mutate" = ["Port scans of the penetration test: SEC-78", "SEC-79"]))]
    pub description: Option<String>,
    /// `ARCHIVE`: findings that match are archived as they come, and nobody is told of them. `NOOP`: nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<Action>,
    /// The place among the filters, in which they are tried, from 1 to 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rank: Option<Bounded<1, 100>>,
    /// Conditions by GuardDuty's names of fields, all of which must hold. They are replaced together.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-mutate" = [{"type": {"equals": ["Recon:EC2/PortProbeUnprotectedPort"]}}]))]
    pub criteria: Option<BTreeMap<String, Condition>>,
}

/// `FilterAction`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schemars(inline)]
pub enum Action {
    Noop,
    Archive,
}

impl Action {
    pub fn word(self) -> &'static str {
        match self {
            Self::Noop => "NOOP",
            Self::Archive => "ARCHIVE",
        }
    }
}

/// What must hold of one field, in GuardDuty's words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schemars(inline)]
pub struct Condition {
    /// One of these.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub equals: BTreeSet<String>,
    /// None of these.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub not_equals: BTreeSet<String>,
    /// One of these, with `*` and `?`.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub matches: BTreeSet<String>,
    /// None of these, with `*` and `?`.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub not_matches: BTreeSet<String>,
    /// More than this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub greater_than: Option<i64>,
    /// This or more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub greater_than_or_equal: Option<i64>,
    /// Less than this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub less_than: Option<i64>,
    /// This or less.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub less_than_or_equal: Option<i64>,
}

/// FilterName in the model.
fn by_name<'de, D: serde::Deserializer<'de>>(from: D) -> Result<BTreeMap<String, FilterSpec>, D::Error> {
    use serde::de::Error as _;
    let filters = BTreeMap::<String, FilterSpec>::deserialize(from)?;
    let fits = |name: &str| {
        (3..=64).contains(&name.len())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
    };
    match filters.keys().find(|name| !fits(name)) {
        Some(name) => Err(D::Error::custom(format_args!(
            "`{name}` is not a name of a filter: 3 to 64 letters, digits, `.`, `_` and `-`"
        ))),
        None => Ok(filters),
    }
}
