//! Which of many resources a rule is about.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use wildmatch::WildMatch;

/// Resources by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(inline)]
pub struct Select {
    /// Names; `*` stands for any characters and `?` for one. One match is enough, an empty list matches
    /// nothing.
    #[schemars(extend("x-fixed" = "selects; is compared with nothing in AWS"))]
    pub names: Vec<String>,
}

impl Select {
    /// The one resource of this name.
    pub fn one(name: &str) -> Self {
        Self { names: vec![name.to_owned()] }
    }

    pub fn matches(&self, name: &str) -> bool {
        self.names.iter().any(|pattern| WildMatch::new(pattern).matches(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_whole_or_by_wildcard() {
        let select = Select { names: vec!["api".into(), "team/*".into(), "v?".into()] };
        for name in ["api", "team/web", "team/", "v2"] {
            assert!(select.matches(name), "{name}");
        }
        for name in ["api2", "team", "v", "v22", ""] {
            assert!(!select.matches(name), "{name}");
        }
        assert!(!Select::default().matches("api"));
    }
}
