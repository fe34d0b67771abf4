//! Leaves that hold a word or something else.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::NONE;
use crate::control::Facts;
use crate::place::Region;

/// Whatever is live.
const ANY: &str = "any";

/// A list of types, or whatever is excluded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub enum Exclude {
    Any,
    These(BTreeSet<String>),
}

impl TryFrom<Value> for Exclude {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        if value == ANY {
            return Ok(Self::Any);
        }
        let wrong = "write a list of types, `[AWS::EC2::NetworkInterface]`, or `any`";
        let names = value.as_array().ok_or(wrong)?.iter().map(|name| name.as_str().map(str::to_owned));
        let names: BTreeSet<String> = names.collect::<Option<_>>().ok_or(wrong)?;
        names.iter().try_for_each(|name| well_formed(name))?;
        Ok(Self::These(names))
    }
}

impl From<Exclude> for Value {
    fn from(exclude: Exclude) -> Self {
        match exclude {
            Exclude::Any => ANY.into(),
            Exclude::These(names) => names.into_iter().collect(),
        }
    }
}

impl JsonSchema for Exclude {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Exclude".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": ["array", "string"], "items": {"type": "string"}})
    }
}

/// Where IAM's types are recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum GlobalTypes {
    Home,
    None,
    Any,
    In(Region),
}

impl GlobalTypes {
    pub fn word(&self) -> &str {
        match self {
            Self::Home => "home",
            Self::None => NONE,
            Self::Any => ANY,
            Self::In(region) => region.as_str(),
        }
    }

    /// Is this scope's region the one?
    pub fn here(&self, facts: &Facts) -> bool {
        match self {
            Self::Home => facts.scope.region == facts.home,
            Self::None | Self::Any => false,
            Self::In(region) => facts.scope.region == *region,
        }
    }
}

impl From<String> for GlobalTypes {
    fn from(word: String) -> Self {
        match word.as_str() {
            "home" => Self::Home,
            NONE => Self::None,
            ANY => Self::Any,
            code => Self::In(Region::new(code)),
        }
    }
}

impl From<GlobalTypes> for String {
    fn from(word: GlobalTypes) -> Self {
        word.word().to_owned()
    }
}

impl JsonSchema for GlobalTypes {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "GlobalTypes".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string"})
    }
}

/// `AWS::EC2::Instance`: the shape of a name, not a list of them, which AWS adds to.
pub fn well_formed(name: &str) -> Result<(), String> {
    let parts: Vec<&str> = name.split("::").collect();
    let well = |part: &&str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric());
    if parts.len() == 3 && parts.iter().all(well) {
        Ok(())
    } else {
        Err(format!("`{name}` is not a type of resource: write it as `AWS::EC2::Instance`"))
    }
}
