//! What the YAML says of scanning.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Amazon Inspector in each region. What is not declared is left as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ScanningSpec {
    /// What is scanned, by AWS's names, on or off: `EC2` (FSBP Inspector.1), `ECR` (Inspector.2), `LAMBDA`
    /// (Inspector.4), `LAMBDA_CODE` (Inspector.3), which needs `LAMBDA`, and `CODE_REPOSITORY`. Each one that is on
    /// is charged for.
    #[serde(deserialize_with = "types")]
    #[schemars(extend("x-frameworks" = serde_json::Map::from_iter(
        TYPE_IDS.iter().map(|(name, id)| ((*name).to_owned(), (*id).into()))
    )))]
    pub resource_types: BTreeMap<String, Option<bool>>,
    /// Images that were scanned once.
    pub ecr: EcrSpec,
    /// Instances.
    pub ec2: Ec2Spec,
}

/// For how long Inspector scans an image again whenever a new vulnerability is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schemars(inline)]
pub struct EcrSpec {
    /// From the day on that it was pushed, in AWS's words.
    pub rescan_duration: Option<PushDuration>,
    /// From the day on that it was last pulled or seen in use, in AWS's words.
    pub pull_date_rescan_duration: Option<PullDuration>,
}

/// How Inspector looks at instances.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schemars(inline)]
pub struct Ec2Spec {
    /// `EC2_HYBRID`: also those that Systems Manager does not manage, by snapshots of their volumes.
    /// `EC2_SSM_AGENT_BASED`: no others.
    pub scan_mode: Option<ScanMode>,
}

/// `EcrRescanDuration`, the shortest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub enum PushDuration {
    #[serde(rename = "DAYS_3")]
    Days3,
    #[serde(rename = "DAYS_7")]
    Days7,
    #[serde(rename = "DAYS_14")]
    Days14,
    #[serde(rename = "DAYS_30")]
    Days30,
    #[serde(rename = "DAYS_60")]
    Days60,
    #[serde(rename = "DAYS_90")]
    Days90,
    #[serde(rename = "DAYS_180")]
    Days180,
    #[serde(rename = "LIFETIME")]
    Lifetime,
}

/// `EcrPullDateRescanDuration`, the shortest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub enum PullDuration {
    #[serde(rename = "DAYS_3")]
    Days3,
    #[serde(rename = "DAYS_7")]
    Days7,
    #[serde(rename = "DAYS_14")]
    Days14,
    #[serde(rename = "DAYS_30")]
    Days30,
    #[serde(rename = "DAYS_60")]
    Days60,
    #[serde(rename = "DAYS_90")]
    Days90,
    #[serde(rename = "DAYS_180")]
    Days180,
}

/// `Ec2ScanMode`, the weaker first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub enum ScanMode {
    #[serde(rename = "EC2_SSM_AGENT_BASED")]
    AgentBased,
    #[serde(rename = "EC2_HYBRID")]
    Hybrid,
}

macro_rules! words {
    ($kind:ident: $($variant:ident = $word:literal),* $(,)?) => {
        impl $kind {
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }

            /// `None` for a word that this build does not know.
            pub fn of(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

words!(PushDuration: Days3 = "DAYS_3", Days7 = "DAYS_7", Days14 = "DAYS_14", Days30 = "DAYS_30",
    Days60 = "DAYS_60", Days90 = "DAYS_90", Days180 = "DAYS_180", Lifetime = "LIFETIME");
words!(PullDuration: Days3 = "DAYS_3", Days7 = "DAYS_7", Days14 = "DAYS_14", Days30 = "DAYS_30",
    Days60 = "DAYS_60", Days90 = "DAYS_90", Days180 = "DAYS_180");
words!(ScanMode: AgentBased = "EC2_SSM_AGENT_BASED", Hybrid = "EC2_HYBRID");

pub const ECR: &str = "ECR";
pub const LAMBDA: &str = "LAMBDA";
/// Scans the code of functions, beside their dependencies: not without those (Inspector User Guide, "Lambda code
/// scanning").
pub const LAMBDA_CODE: &str = "LAMBDA_CODE";

/// FSBP's id of each type.
pub const TYPE_IDS: [(&str, &str); 4] = [
    ("EC2", "fsbp/Inspector.1"),
    (ECR, "fsbp/Inspector.2"),
    (LAMBDA_CODE, "fsbp/Inspector.3"),
    (LAMBDA, "fsbp/Inspector.4"),
];

impl ScanningSpec {
    /// What is declared of types: `null` takes an inherited one out.
    pub fn types(&self) -> impl Iterator<Item = (&str, bool)> {
        self.resource_types.iter().filter_map(|(name, on)| on.map(|on| (name.as_str(), on)))
    }

    pub fn declares_ecr(&self) -> bool {
        self.ecr.rescan_duration.is_some() || self.ecr.pull_date_rescan_duration.is_some()
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn what_inspector_would_not_take_is_refused() {
        let read = |spec: Value| serde_json::from_value::<ScanningSpec>(spec).map_err(|e| e.to_string());
        let code = json!({"resourceTypes": {"LAMBDA": false, "LAMBDA_CODE": true}});
        assert!(read(code).is_err_and(|error| error.contains("needs `LAMBDA`")));
        assert!(read(json!({"resourceTypes": {"LAMBDA_CODE": true, "EC2": null}})).is_ok());
        assert!(read(json!({"ecr": {"pullDateRescanDuration": "LIFETIME"}})).is_err());
        assert!(read(json!({"ecr": {"rescanDuration": "LIFETIME"}})).is_ok());
    }

    #[test]
    fn words_are_those_of_serde() {
        for word in ["DAYS_3", "DAYS_7", "DAYS_14", "DAYS_30", "DAYS_60", "DAYS_90", "DAYS_180", "LIFETIME"] {
            let push: Option<PushDuration> = serde_json::from_value(json!(word)).ok();
            assert!(push.is_some_and(|push| push.word() == word && PushDuration::of(word) == Some(push)));
            let pull: Option<PullDuration> = serde_json::from_value(json!(word)).ok();
            assert_eq!(pull.map(PullDuration::word), PullDuration::of(word).map(|_| word));
        }
        for mode in [ScanMode::AgentBased, ScanMode::Hybrid] {
            assert_eq!(serde_json::to_value(mode).unwrap(), json!(mode.word()));
            assert_eq!(ScanMode::of(mode.word()), Some(mode));
        }
    }
}
