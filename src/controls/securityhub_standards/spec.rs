//! What the YAML says of standards.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::control::Standard;

/// Standards of Security Hub CSPM in each region. What is not declared is left as it is.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct StandardsSpec {
    /// Standards by name and version, `fsbp/1.0.0`, or by ARN, on or off. One that a region does not list is reported
    /// there as not offered.
    #[serde(deserialize_with = "standards")]
    pub standards: BTreeMap<String, Option<bool>>,
    /// Controls that AWS adds to a standard come on by themselves (`AutoEnableControls`). `false` keeps to the controls
    /// that are there today.
    pub new_controls: Option<bool>,
}

/// The declared entries of a map: `null` takes an inherited one out.
pub fn declared(map: &BTreeMap<String, Option<bool>>) -> impl Iterator<Item = (&str, bool)> {
    map.iter().filter_map(|(name, on)| on.map(|on| (name.as_str(), on)))
}

fn standards<'de, D: serde::Deserializer<'de>>(from: D) -> Result<BTreeMap<String, Option<bool>>, D::Error> {
    use serde::de::Error as _;
    let standards = BTreeMap::<String, Option<bool>>::deserialize(from)?;
    let mut seen: BTreeMap<Standard, &str> = BTreeMap::new();
    for (key, _) in declared(&standards) {
        let standard: Standard = key.parse().map_err(D::Error::custom)?;
        if let Some(other) = seen.insert(standard, key) {
            return Err(D::Error::custom(format_args!(
                "`{other}` and `{key}` are one standard: declare it once"
            )));
        }
    }
    Ok(standards)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(spec: Value) -> Result<StandardsSpec, String> {
        serde_json::from_value(spec).map_err(|error| error.to_string())
    }

    #[test]
    fn a_standard_goes_by_name_or_arn_and_is_declared_once() {
        let cis = "arn:aws:securityhub:::ruleset/cis-aws-foundations-benchmark/v/1.2.0";
        assert!(read(json!({"standards": {"fsbp/1.0.0": true, cis: false, "quite-new/2.0": null}})).is_ok());
        let twice = read(json!({"standards": {"cis/1.2.0": true, cis: true}}));
        assert!(twice.is_err_and(|why| why.contains("are one standard")));
        assert!(read(json!({"standards": {"cis/1.2.0": null, cis: true}})).is_ok(), "one is taken out");
        for wrong in ["fsbp", "FSBP v1.0.0", "arn:aws:s3:::bucket"] {
            let why = read(json!({"standards": {wrong: true}})).expect_err(wrong);
            assert!(why.contains("name and version"), "{why}");
        }
    }
}
