//! What the YAML says of a detector.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// GuardDuty's detector in each region. What is not declared is left as it is.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct DetectorSpec {
    /// GuardDuty watches this region (FSBP GuardDuty.1). `false` suspends it and keeps its findings.
    pub enabled: Option<bool>,
    /// How often new occurrences of known findings are sent on, in AWS's words.
    pub frequency: Option<Frequency>,
    /// Protection plans by AWS's names, on or off; each one that is on starts a charge. A name that GuardDuty
    /// does not list in a region is reported there as not offered.
    #[serde(deserialize_with = "features")]
    #[schemars(extend("x-frameworks" = serde_json::Map::from_iter(
        FEATURE_IDS.iter().map(|(name, id)| ((*name).to_owned(), (*id).into()))
    )))]
    pub features: BTreeMap<String, Option<bool>>,
    /// Agents that `RUNTIME_MONITORING` installs by itself, by AWS's names, `EC2_AGENT_MANAGEMENT`. They say
    /// nothing where `RUNTIME_MONITORING` is declared off.
    pub runtime_agents: BTreeMap<String, Option<bool>>,
    /// `archive`: findings are exported to the Organization document's archive, encrypted with its key.
    #[schemars(extend("x-fixed" = "the archive is said in the Organization document"))]
    pub deliver_to: Option<DeliverTo>,
}

/// `FindingPublishingFrequency`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schemars(inline)]
pub enum Frequency {
    FifteenMinutes,
    OneHour,
    SixHours,
}

impl Frequency {
    pub fn word(self) -> &'static str {
        match self {
            Self::FifteenMinutes => "FIFTEEN_MINUTES",
            Self::OneHour => "ONE_HOUR",
            Self::SixHours => "SIX_HOURS",
        }
    }

    /// `None` for a word that this build does not know.
    pub fn of(word: &str) -> Option<Self> {
        [Self::FifteenMinutes, Self::OneHour, Self::SixHours].into_iter().find(|known| known.word() == word)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub enum DeliverTo {
    Archive,
}

/// The feature that has agents.
pub const RUNTIME: &str = "RUNTIME_MONITORING";

/// Its predecessor: declaring both is an error (API reference, `UpdateDetector`).
pub const EKS_RUNTIME: &str = "EKS_RUNTIME_MONITORING";

/// Always on and not in the input's enum: `GetDetector` lists them, and no call takes them.
pub const READ_ONLY: [&str; 3] = ["CLOUD_TRAIL", "DNS_LOGS", "FLOW_LOGS"];

/// On in a new detector unless it is told otherwise (API reference, `CreateDetector`: all optional features
/// that were there when it became the default, apart from runtime monitoring).
pub const ON_BY_DEFAULT: [&str; 5] =
    ["EBS_MALWARE_PROTECTION", "EKS_AUDIT_LOGS", "LAMBDA_NETWORK_LOGS", "RDS_LOGIN_EVENTS", "S3_DATA_EVENTS"];

/// FSBP's id of each feature. The names of features are AWS's and never checked against this list.
pub const FEATURE_IDS: [(&str, &str); 6] = [
    ("EKS_AUDIT_LOGS", "fsbp/GuardDuty.5"),
    ("LAMBDA_NETWORK_LOGS", "fsbp/GuardDuty.6"),
    ("EBS_MALWARE_PROTECTION", "fsbp/GuardDuty.8"),
    ("RDS_LOGIN_EVENTS", "fsbp/GuardDuty.9"),
    ("S3_DATA_EVENTS", "fsbp/GuardDuty.10"),
    (RUNTIME, "fsbp/GuardDuty.11"),
];

impl DetectorSpec {
    /// Is anything declared that the detector itself holds?
    pub fn declares_detector(&self) -> bool {
        self.enabled.is_some()
            || self.frequency.is_some()
            || declared(&self.features).next().is_some()
            || declared(&self.runtime_agents).next().is_some()
    }

    /// Is anything declared that there must be a detector for? What is declared off is off without one, and
    /// so is a frequency of nothing.
    pub fn wants_detector(&self) -> bool {
        let mut on = declared(&self.features).chain(self.agents());
        self.enabled != Some(false)
            && (self.enabled == Some(true) || self.deliver_to.is_some() || on.any(|(_, on)| on))
    }

    /// The declared agents, where they have something to say.
    pub fn agents(&self) -> impl Iterator<Item = (&str, bool)> {
        let off = self.features.get(RUNTIME) == Some(&Some(false));
        declared(&self.runtime_agents).filter(move |_| !off)
    }
}

/// The declared entries of a map: `null` takes an inherited one out.
pub fn declared(map: &BTreeMap<String, Option<bool>>) -> impl Iterator<Item = (&str, bool)> {
    map.iter().filter_map(|(name, on)| on.map(|on| (name.as_str(), on)))
}

fn features<'de, D: serde::Deserializer<'de>>(from: D) -> Result<BTreeMap<String, Option<bool>>, D::Error> {
    use serde::de::Error as _;
    let features = BTreeMap::<String, Option<bool>>::deserialize(from)?;
    if let Some((name, _)) = declared(&features).find(|(name, _)| READ_ONLY.contains(name)) {
        return Err(D::Error::custom(format_args!("`{name}` is always on and cannot be set: leave it out")));
    }
    if [RUNTIME, EKS_RUNTIME].iter().all(|name| matches!(features.get(*name), Some(Some(_)))) {
        return Err(D::Error::custom(format_args!(
            "`{RUNTIME}` includes `{EKS_RUNTIME}` and GuardDuty refuses both: declare one of them"
        )));
    }
    Ok(features)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(spec: Value) -> Result<DetectorSpec, String> {
        serde_json::from_value(spec).map_err(|error| error.to_string())
    }

    #[test]
    fn features_are_data_but_what_aws_refuses_is_refused() {
        assert!(read(json!({"features": {"SOMETHING_NEW": true, "S3_DATA_EVENTS": null}})).is_ok());
        let both = json!({"features": {"RUNTIME_MONITORING": true, "EKS_RUNTIME_MONITORING": false}});
        assert!(read(both).is_err_and(|error| error.contains("declare one of them")));
        let taken_out = json!({"features": {"RUNTIME_MONITORING": true, "EKS_RUNTIME_MONITORING": null}});
        assert!(read(taken_out).is_ok());
        for name in READ_ONLY {
            assert!(
                read(json!({"features": {name: true}})).is_err_and(|e| e.contains("always on")),
                "{name}"
            );
        }
        assert!(read(json!({"frequency": "DAILY"})).is_err_and(|e| e.contains("FIFTEEN_MINUTES")));
    }

    #[test]
    fn only_what_is_on_needs_a_detector() {
        for (spec, wants) in [
            (json!({}), false),
            (json!({"enabled": true}), true),
            (json!({"enabled": false, "features": {"S3_DATA_EVENTS": true}}), false),
            (json!({"frequency": "ONE_HOUR", "features": {"S3_DATA_EVENTS": false}}), false),
            (json!({"features": {"S3_DATA_EVENTS": true}}), true),
            (json!({"runtimeAgents": {"EC2_AGENT_MANAGEMENT": true}}), true),
            (json!({"deliverTo": "archive"}), true),
        ] {
            assert_eq!(read(spec.clone()).unwrap().wants_detector(), wants, "{spec}");
        }
    }
}
