//! What the YAML says of a registry.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// The private image registry in each region. What is not declared is left as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RegistrySpec {
    /// How images are scanned for known vulnerabilities, for the whole registry.
    #[serde(deserialize_with = "scanning")]
    pub scanning: ScanningSpec,
}

/// How images are scanned.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schemars(inline)]
pub struct ScanningSpec {
    /// Who scans: `BASIC` is ECR itself, for nothing; `ENHANCED` is Amazon Inspector, which charges per image.
    #[serde(rename = "type")]
    pub scan_type: Option<ScanType>,
    /// Which repositories are scanned when. The others are scanned by hand, or not at all with `ENHANCED`.
    pub rules: RulesSpec,
}

/// Repositories by when they are scanned.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(inline)]
pub struct RulesSpec {
    /// Scanned when an image is pushed (FSBP ECR.1): repositories by name, where `*` stands for any characters;
    /// without a `*`, all whose name contains it. `[]` for none.
    #[serde(rename = "SCAN_ON_PUSH")]
    #[schemars(extend("x-mutate" = json!([["prod/*"]])))]
    pub scan_on_push: Option<Filters>,
    /// Scanned when pushed, and again whenever a new vulnerability is known: only with `ENHANCED`. `[]` for none.
    #[serde(rename = "CONTINUOUS_SCAN")]
    #[schemars(extend("x-mutate" = json!([["prod/*"], []])))]
    pub continuous_scan: Option<Filters>,
}

/// `ScanType`, the weaker first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schemars(inline)]
pub enum ScanType {
    Basic,
    Enhanced,
}

impl ScanType {
    pub fn word(self) -> &'static str {
        match self {
            Self::Basic => "BASIC",
            Self::Enhanced => "ENHANCED",
        }
    }

    /// `None` for a word that this build does not know.
    pub fn of(word: &str) -> Option<Self> {
        [Self::Basic, Self::Enhanced].into_iter().find(|known| known.word() == word)
    }
}

/// Repositories by name, without an order. At most 100, each as AWS takes it (ScanningRepositoryFilterValue).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>")]
pub struct Filters(pub BTreeSet<String>);

impl TryFrom<Vec<String>> for Filters {
    type Error = String;

    fn try_from(filters: Vec<String>) -> Result<Self, String> {
        if let Some(bad) = filters.iter().find(|filter| !is_filter(filter)) {
            return Err(format!(
                "`{bad}` is not a repository filter: small letters, digits and `*`, with single `.`, `_`, `-` or `/` \
                 between them"
            ));
        }
        if filters.len() > 100 {
            return Err(format!("{} filters, and ECR takes 100 for each frequency", filters.len()));
        }
        Ok(Self(filters.into_iter().collect()))
    }
}

impl JsonSchema for Filters {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Filters".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let pattern = r"^[a-z0-9*]+([._/-][a-z0-9*]+)*$";
        schemars::json_schema!({
            "type": "array",
            "maxItems": 100,
            "items": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": pattern},
        })
    }
}

fn is_filter(text: &str) -> bool {
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '*';
    text.len() <= 255
        && text.split(['.', '_', '-', '/']).all(|part| !part.is_empty() && part.chars().all(word))
}

fn scanning<'de, D: serde::Deserializer<'de>>(from: D) -> Result<ScanningSpec, D::Error> {
    use serde::de::Error as _;
    let scanning = ScanningSpec::deserialize(from)?;
    let continuous = scanning.rules.continuous_scan.as_ref().is_some_and(|filters| !filters.0.is_empty());
    if continuous && scanning.scan_type == Some(ScanType::Basic) {
        return Err(D::Error::custom("`CONTINUOUS_SCAN` needs `type: ENHANCED`: basic scanning has none"));
    }
    Ok(scanning)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn read(scanning: Value) -> Result<RegistrySpec, String> {
        serde_json::from_value(json!({ "scanning": scanning })).map_err(|error| error.to_string())
    }

    #[test]
    fn filters_are_those_that_ecr_takes() {
        let with = |filters: Value| read(json!({"rules": {"SCAN_ON_PUSH": filters}}));
        for good in [json!([]), json!(["*"]), json!(["prod/*", "team-1.api", "a_b"])] {
            assert!(with(good.clone()).is_ok(), "{good}");
        }
        for bad in ["", "Prod", "prod/", "-a", "a//b", "a b"] {
            assert!(with(json!([bad])).is_err_and(|e| e.contains("not a repository filter")), "{bad}");
        }
        let many: Vec<String> = (0..101).map(|index| format!("r{index}")).collect();
        assert!(with(json!(many)).is_err_and(|error| error.contains("ECR takes 100")));
    }

    #[test]
    fn continuous_scans_are_for_enhanced() {
        let with =
            |kind: &str, filters: Value| read(json!({"type": kind, "rules": {"CONTINUOUS_SCAN": filters}}));
        assert!(with("ENHANCED", json!(["*"])).is_ok());
        assert!(with("BASIC", json!(["*"])).is_err_and(|error| error.contains("needs `type: ENHANCED`")));
        assert!(with("BASIC", json!([])).is_ok());
        assert!(read(json!({"rules": {"MANUAL": ["*"]}})).is_err_and(|e| e.contains("unknown field")));
    }
}
