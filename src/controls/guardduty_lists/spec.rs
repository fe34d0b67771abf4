//! What the YAML says of lists.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// GuardDuty's lists of addresses, by name. What is not declared is left as it is.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ListsSpec {
    /// Addresses of which GuardDuty reports nothing; one list at most.
    #[serde(deserialize_with = "trusted")]
    pub trusted: BTreeMap<String, ListSpec>,
    /// Addresses whose every contact GuardDuty reports; six lists at most.
    #[serde(deserialize_with = "threats")]
    pub threats: BTreeMap<String, ListSpec>,
}

/// One list.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schemars(inline)]
pub struct ListSpec {
    /// The format of the file, in AWS's words.
    #[schemars(extend("x-fixed" = "the format of a list cannot be changed"))]
    pub format: Option<Format>,
    /// The file, `s3://BUCKET/KEY`, as GuardDuty is told it.
    #[schemars(extend("x-mutate" = ["s3://acme-guardduty-lists/next.txt", "s3://acme-guardduty-lists/last.txt"]))]
    pub location: Option<String>,
    /// GuardDuty uses the list.
    pub active: Option<bool>,
}

/// `IpSetFormat` and `ThreatIntelSetFormat`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schemars(inline)]
pub enum Format {
    Txt,
    Stix,
    OtxCsv,
    AlienVault,
    ProofPoint,
    FireEye,
}

impl Format {
    const ALL: [Self; 6] =
        [Self::Txt, Self::Stix, Self::OtxCsv, Self::AlienVault, Self::ProofPoint, Self::FireEye];

    pub fn word(self) -> &'static str {
        match self {
            Self::Txt => "TXT",
            Self::Stix => "STIX",
            Self::OtxCsv => "OTX_CSV",
            Self::AlienVault => "ALIEN_VAULT",
            Self::ProofPoint => "PROOF_POINT",
            Self::FireEye => "FIRE_EYE",
        }
    }

    /// `None` for a word that this build does not know.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.word() == word)
    }
}

/// What a list is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    Trusted,
    Threat,
}

impl Kind {
    pub const fn rule(self) -> &'static str {
        match self {
            Self::Trusted => "trusted-list",
            Self::Threat => "threat-list",
        }
    }

    /// Its map in the spec.
    pub fn map(self) -> &'static str {
        match self {
            Self::Trusted => "trusted",
            Self::Threat => "threats",
        }
    }

    /// How many an account has in a region at most (User Guide, "Quotas").
    pub fn most(self) -> usize {
        match self {
            Self::Trusted => 1,
            Self::Threat => 6,
        }
    }
}

fn trusted<'de, D: serde::Deserializer<'de>>(from: D) -> Result<BTreeMap<String, ListSpec>, D::Error> {
    lists(from, Kind::Trusted)
}

fn threats<'de, D: serde::Deserializer<'de>>(from: D) -> Result<BTreeMap<String, ListSpec>, D::Error> {
    lists(from, Kind::Threat)
}

/// Names in the model: 1 to 300 letters, digits, blanks, `-` and `_`. Here as a path has them.
fn lists<'de, D: serde::Deserializer<'de>>(
    from: D,
    kind: Kind,
) -> Result<BTreeMap<String, ListSpec>, D::Error> {
    use serde::de::Error as _;
    let lists = BTreeMap::<String, ListSpec>::deserialize(from)?;
    let fits = |name: &str| {
        (1..=300).contains(&name.len())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, ' ' | '_' | '-'))
    };
    if let Some(name) = lists.keys().find(|name| !fits(name)) {
        return Err(D::Error::custom(format_args!(
            "`{name}` is not a name of a list: letters, digits, blanks, `-` and `_`"
        )));
    }
    if lists.len() > kind.most() {
        return Err(D::Error::custom(format_args!(
            "{} lists under `{}`: AWS has {} at most in an account and region",
            lists.len(),
            kind.map(),
            kind.most()
        )));
    }
    Ok(lists)
}
