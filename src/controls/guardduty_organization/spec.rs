//! What the YAML says of an organisation's accounts.

use std::collections::BTreeMap;
use std::fmt;

use crate::pointer;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::live::Configuration;

/// What GuardDuty enables in the organisation's accounts by itself. What is not declared is left as it is.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct OrganizationSpec {
    /// In which accounts GuardDuty is enabled by itself: `ALL`, those that are `NEW`, or `NONE`.
    pub new_members: Option<AutoEnable>,
    /// Protection plans by AWS's names, and in which accounts each is enabled by itself; `true` is `ALL` and `false`
    /// is `NONE`. Each starts a charge in each account that gets it.
    #[serde(deserialize_with = "features")]
    pub features: BTreeMap<String, Option<AutoEnable>>,
    /// Agents that `RUNTIME_MONITORING` installs by itself, by AWS's names. `ALL` and `NEW` say nothing where
    /// `RUNTIME_MONITORING` is declared off.
    pub runtime_agents: BTreeMap<String, Option<AutoEnable>>,
}

/// `OrgFeatureStatus` and `AutoEnableMembers`: in which accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AutoEnable {
    None,
    New,
    All,
}

impl AutoEnable {
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::New => "NEW",
            Self::All => "ALL",
        }
    }

    /// `None` for a word that this build does not know.
    pub fn of(word: &str) -> Option<Self> {
        [Self::None, Self::New, Self::All].into_iter().find(|known| known.word() == word)
    }
}

impl Serialize for AutoEnable {
    fn serialize<S: serde::Serializer>(&self, into: S) -> Result<S::Ok, S::Error> {
        into.serialize_str(self.word())
    }
}

impl<'de> Deserialize<'de> for AutoEnable {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Word;
        impl serde::de::Visitor<'_> for Word {
            type Value = AutoEnable;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`ALL`, `NEW`, `NONE`, true or false")
            }

            fn visit_bool<E: serde::de::Error>(self, on: bool) -> Result<AutoEnable, E> {
                Ok(if on { AutoEnable::All } else { AutoEnable::None })
            }

            fn visit_str<E: serde::de::Error>(self, word: &str) -> Result<AutoEnable, E> {
                AutoEnable::of(word).ok_or_else(|| {
                    E::custom(format_args!("`{word}` is none of `ALL`, `NEW`, `NONE`, true and false"))
                })
            }
        }
        from.deserialize_any(Word)
    }
}

impl JsonSchema for AutoEnable {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "AutoEnable".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "enum": ["ALL", "NEW", "NONE", true, false],
            // `true` and `ALL` are one value.
            "x-mutate": ["NEW", "NONE"],
        })
    }
}

/// The feature that has agents.
pub const RUNTIME: &str = "RUNTIME_MONITORING";

/// Its predecessor: declaring both is an error (API reference, `UpdateOrganizationConfiguration`).
const EKS_RUNTIME: &str = "EKS_RUNTIME_MONITORING";

/// Always on, and not in the input's enum.
const READ_ONLY: [&str; 3] = ["CLOUD_TRAIL", "DNS_LOGS", "FLOW_LOGS"];

/// Where a declared leaf stands in the spec.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At<'a> {
    Members,
    Feature(&'a str),
    Agent(&'a str),
}

/// A declared leaf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf<'a> {
    pub at: At<'a>,
    /// JSON pointer (RFC 6901) into the spec.
    pub path: String,
    pub wanted: AutoEnable,
}

impl OrganizationSpec {
    /// Everything that is declared and has something to say.
    pub fn declared(&self) -> impl Iterator<Item = Leaf<'_>> {
        let members = self.new_members.map(|wanted| (At::Members, wanted));
        let features = declared(&self.features).map(|(name, wanted)| (At::Feature(name), wanted));
        let off = self.features.get(RUNTIME) == Some(&Some(AutoEnable::None));
        let agents = declared(&self.runtime_agents);
        let agents = agents.filter(move |(_, wanted)| !off || *wanted == AutoEnable::None);
        let agents = agents.map(|(name, wanted)| (At::Agent(name), wanted));
        members.into_iter().chain(features).chain(agents).map(|(at, wanted)| Leaf {
            at,
            path: at.path(),
            wanted,
        })
    }

    /// The spec that describes what is live. Of the two runtime features only one can be declared.
    pub fn of(live: &Configuration) -> Self {
        let mode = |word: &String| AutoEnable::of(word);
        let legacy = live.features.get(EKS_RUNTIME).is_some_and(|feature| feature.mode != "NONE");
        let left_out = if legacy { RUNTIME } else { EKS_RUNTIME };
        let features = live.features.iter().filter(|(name, _)| *name != left_out);
        let runtime = live.features.get(RUNTIME).filter(|_| !legacy);
        Self {
            new_members: mode(&live.members),
            features: features.map(|(name, feature)| (name.clone(), mode(&feature.mode))).collect(),
            runtime_agents: runtime
                .into_iter()
                .flat_map(|feature| &feature.beneath)
                .map(|(name, word)| (name.clone(), mode(word)))
                .collect(),
        }
    }
}

impl At<'_> {
    fn path(self) -> String {
        let under = |map: &str, name: &str| format!("/{map}/{}", pointer::escaped(name));
        match self {
            Self::Members => "/newMembers".to_owned(),
            Self::Feature(name) => under("features", name),
            Self::Agent(name) => under("runtimeAgents", name),
        }
    }
}

/// The declared entries of a map: `null` takes an inherited one out.
fn declared(map: &BTreeMap<String, Option<AutoEnable>>) -> impl Iterator<Item = (&str, AutoEnable)> {
    map.iter().filter_map(|(name, mode)| mode.map(|mode| (name.as_str(), mode)))
}

fn features<'de, D: serde::Deserializer<'de>>(
    from: D,
) -> Result<BTreeMap<String, Option<AutoEnable>>, D::Error> {
    use serde::de::Error as _;
    let features = BTreeMap::<String, Option<AutoEnable>>::deserialize(from)?;
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

    fn read(spec: Value) -> Result<OrganizationSpec, String> {
        serde_json::from_value(spec).map_err(|error| error.to_string())
    }

    #[test]
    fn aws_words_and_switches_say_in_which_accounts() {
        let spec = read(json!({"newMembers": "NEW", "features": {
            "S3_DATA_EVENTS": true, "EKS_AUDIT_LOGS": false, "SOMETHING_NEW": "NEW", "RDS_LOGIN_EVENTS": null,
        }}));
        let spec = spec.unwrap();
        let said: Vec<_> = spec.declared().map(|leaf| (leaf.path, leaf.wanted.word())).collect();
        let wanted = [
            ("/newMembers", "NEW"),
            ("/features/EKS_AUDIT_LOGS", "NONE"),
            ("/features/S3_DATA_EVENTS", "ALL"),
            ("/features/SOMETHING_NEW", "NEW"),
        ];
        assert_eq!(said, wanted.map(|(path, word)| (path.to_owned(), word)));
        assert!(read(json!({"newMembers": "EVERYBODY"})).is_err_and(|error| error.contains("`NEW`")));
    }

    #[test]
    fn what_aws_refuses_is_refused() {
        let both = json!({"features": {"RUNTIME_MONITORING": true, "EKS_RUNTIME_MONITORING": false}});
        assert!(read(both).is_err_and(|error| error.contains("declare one of them")));
        assert!(
            read(json!({"features": {"DNS_LOGS": true}})).is_err_and(|error| error.contains("always on"))
        );
    }

    #[test]
    fn agents_say_nothing_where_their_feature_is_off() {
        let spec = json!({"features": {"RUNTIME_MONITORING": false}, "runtimeAgents": {"EC2_AGENT_MANAGEMENT": true}});
        let spec = read(spec).unwrap();
        assert_eq!(spec.declared().count(), 1);
    }
}
