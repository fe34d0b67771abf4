//! What the YAML says of an organisation's accounts.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What Inspector does in the organisation's accounts by itself. What is not declared is left as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct OrganizationSpec {
    /// Resource types by AWS's names, and whether accounts that join are scanned for each: `EC2`, `ECR`, `LAMBDA`,
    /// `LAMBDA_CODE`, which needs `LAMBDA`, and `CODE_REPOSITORY`. Each starts a charge in each account that gets it.
    #[serde(deserialize_with = "types")]
    pub auto_enable: BTreeMap<String, Option<bool>>,
    /// `ALL`: the accounts that are in the organisation today are members too.
    #[schemars(extend("x-fixed" = "nobody who is a member is let go"))]
    pub members: Option<Members>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schemars(inline)]
pub enum Members {
    All,
}

pub const LAMBDA: &str = "LAMBDA";
pub const LAMBDA_CODE: &str = "LAMBDA_CODE";

/// The types that the call takes (API reference, `AutoEnable`).
pub const TYPES: [&str; 5] = ["EC2", "ECR", LAMBDA, LAMBDA_CODE, "CODE_REPOSITORY"];

impl OrganizationSpec {
    /// What is declared of types: `null` takes an inherited one out.
    pub fn types(&self) -> impl Iterator<Item = (&str, bool)> {
        self.auto_enable.iter().filter_map(|(name, on)| on.map(|on| (name.as_str(), on)))
    }

    pub fn declares_anything(&self) -> bool {
        self.members.is_some() || self.types().next().is_some()
    }
}

fn types<'de, D: serde::Deserializer<'de>>(from: D) -> Result<BTreeMap<String, Option<bool>>, D::Error> {
    let types = BTreeMap::<String, Option<bool>>::deserialize(from)?;
    let says = |name: &str| types.get(name).copied().flatten();
    if says(LAMBDA_CODE) == Some(true) && says(LAMBDA) == Some(false) {
        return Err(serde::de::Error::custom(format_args!(
            "`{LAMBDA_CODE}` needs `{LAMBDA}`: Inspector does not scan the code of functions alone"
        )));
    }
    Ok(types)
}
