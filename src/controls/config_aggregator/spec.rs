//! What the YAML says of the aggregator.

use std::borrow::Cow;
use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::place::AccountId;

/// The aggregator of the security account, in its home region. What is not declared is left as it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct AggregatorSpec {
    /// What it is called, where none is there to be taken over.
    #[schemars(extend("x-fixed" = "another name is another aggregator"))]
    pub name: Option<String>,
    /// `organization`: all of its accounts, those that join later too; or a list of accounts by their ids.
    #[schemars(extend("x-mutate" = ["organization", ["100000000001"]]))]
    pub source_accounts: Option<Accounts>,
    /// `all`: all regions, those that AWS opens later too; or a list of regions.
    #[schemars(extend("x-mutate" = ["all", ["eu-central-1", "eu-west-1"]]))]
    pub source_regions: Option<Regions>,
    /// The role that AWS Config reads the list of accounts with; `baseline-config-aggregator`, where nothing is said.
    /// It is made if it is missing.
    #[schemars(extend("x-fixed" = "a list of accounts has no role; what others do to it is tried"))]
    pub role: Option<String>,
}

/// What aggregator and role are called where nothing is said.
pub const NAME: &str = "baseline";
pub const ROLE: &str = "baseline-config-aggregator";

const ORGANIZATION: &str = "organization";
const ALL: &str = "all";

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub enum Accounts {
    Organization,
    These(BTreeSet<AccountId>),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub enum Regions {
    All,
    These(BTreeSet<String>),
}

fn list(value: &Value) -> Option<Vec<&str>> {
    value.as_array().filter(|all| !all.is_empty())?.iter().map(Value::as_str).collect()
}

impl TryFrom<Value> for Accounts {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        if value == ORGANIZATION {
            return Ok(Self::Organization);
        }
        let wrong = "write `organization`, or a list of account ids in quotes";
        let ids = list(&value).ok_or(wrong)?;
        ids.into_iter().map(str::parse).collect::<Result<_, String>>().map(Self::These)
    }
}

impl From<Accounts> for Value {
    fn from(accounts: Accounts) -> Self {
        match accounts {
            Accounts::Organization => ORGANIZATION.into(),
            Accounts::These(ids) => ids.iter().map(AccountId::as_str).collect(),
        }
    }
}

impl TryFrom<Value> for Regions {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        if value == ALL {
            return Ok(Self::All);
        }
        let codes = list(&value).ok_or("write `all`, or a list of regions")?;
        Ok(Self::These(codes.into_iter().map(str::to_owned).collect()))
    }
}

impl From<Regions> for Value {
    fn from(regions: Regions) -> Self {
        match regions {
            Regions::All => ALL.into(),
            Regions::These(codes) => codes.into_iter().collect(),
        }
    }
}

macro_rules! word_or_list {
    ($($name:ident),*) => {$(
        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({"type": ["string", "array"], "items": {"type": "string"}})
            }
        }
    )*};
}

word_or_list!(Accounts, Regions);

impl AggregatorSpec {
    /// Does it read the list of accounts itself?
    pub fn takes_role(&self) -> bool {
        self.source_accounts == Some(Accounts::Organization)
    }

    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or(NAME)
    }

    pub fn role(&self) -> &str {
        self.role.as_deref().unwrap_or(ROLE)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn accounts_and_regions_are_a_word_or_a_list() {
        let read = |spec| serde_json::from_value::<AggregatorSpec>(spec).map_err(|error| error.to_string());
        let spec =
            read(json!({"sourceAccounts": "organization", "sourceRegions": ["us-east-1", "eu-west-1"]}))
                .unwrap();
        assert!(spec.takes_role());
        let written = serde_json::to_value(&spec).unwrap();
        assert_eq!(written["sourceRegions"], json!(["eu-west-1", "us-east-1"]));
        assert_eq!(written["sourceAccounts"], json!("organization"));
        for wrong in [json!("all"), json!([]), json!(["12"]), json!([111122223333_u64])] {
            assert!(read(json!({"sourceAccounts": wrong.clone()})).is_err(), "{wrong}");
        }
        assert!(read(json!({"sourceRegions": "some"})).is_err_and(|error| error.contains("write `all`")));
    }
}
