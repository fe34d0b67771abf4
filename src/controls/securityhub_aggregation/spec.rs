//! What the YAML says of a finding aggregator.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Security Hub's finding aggregator in the home region.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct AggregationSpec {
    /// Which regions send their findings to the home region, in AWS's words: `ALL_REGIONS`, `NO_REGIONS`, or one
    /// of `SPECIFIED_REGIONS` and `ALL_REGIONS_EXCEPT_SPECIFIED` with a list of regions beneath.
    #[schemars(extend("x-mutate" = samples()))]
    pub linking: Option<Linking>,
}

/// `RegionLinkingMode` and the regions that belong to it. One value, because the same list means the opposite in
/// another mode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub enum Linking {
    /// Those that AWS opens later, too.
    AllRegions,
    /// All but these, and those that AWS opens later.
    AllExcept(BTreeSet<String>),
    Specified(BTreeSet<String>),
    NoRegions,
}

const ALL: &str = "ALL_REGIONS";
const EXCEPT: &str = "ALL_REGIONS_EXCEPT_SPECIFIED";
const SPECIFIED: &str = "SPECIFIED_REGIONS";
const NONE: &str = "NO_REGIONS";

impl Linking {
    pub fn mode(&self) -> &'static str {
        match self {
            Self::AllRegions => ALL,
            Self::AllExcept(_) => EXCEPT,
            Self::Specified(_) => SPECIFIED,
            Self::NoRegions => NONE,
        }
    }

    /// `None` for a mode that this build does not know.
    pub fn of(mode: &str, regions: impl IntoIterator<Item = String>) -> Option<Self> {
        match mode {
            ALL => Some(Self::AllRegions),
            EXCEPT => Some(Self::AllExcept(regions.into_iter().collect())),
            SPECIFIED => Some(Self::Specified(regions.into_iter().collect())),
            NONE => Some(Self::NoRegions),
            _ => None,
        }
    }

    /// As the call takes them; `NO_REGIONS` with a list is refused.
    pub fn listed(&self) -> Option<Vec<String>> {
        match self {
            Self::AllExcept(regions) | Self::Specified(regions) => Some(regions.iter().cloned().collect()),
            Self::AllRegions | Self::NoRegions => None,
        }
    }

    /// Does this link whatever the other one links, the regions to come among them?
    pub fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::AllRegions, _) | (_, Self::NoRegions) => true,
            (Self::AllExcept(out), Self::AllRegions) => out.is_empty(),
            (Self::AllExcept(out), Self::AllExcept(theirs)) => out.is_subset(theirs),
            (Self::AllExcept(out), Self::Specified(theirs)) => out.is_disjoint(theirs),
            (Self::Specified(these), Self::Specified(theirs)) => theirs.is_subset(these),
            (Self::NoRegions, Self::Specified(theirs)) => theirs.is_empty(),
            (Self::Specified(_) | Self::NoRegions, Self::AllRegions | Self::AllExcept(_)) => false,
        }
    }

    /// Do both link the same regions? The home region is never one of them.
    pub fn means(&self, other: &Self) -> bool {
        self.covers(other) && other.covers(self)
    }

    /// The same without the home region, which has nowhere to send its findings.
    #[must_use]
    pub fn without(&self, home: &str) -> Self {
        let less = |regions: &BTreeSet<String>| regions.iter().filter(|r| *r != home).cloned().collect();
        match self {
            Self::AllExcept(regions) => Self::AllExcept(less(regions)),
            Self::Specified(regions) => Self::Specified(less(regions)),
            Self::AllRegions | Self::NoRegions => self.clone(),
        }
    }
}

/// `SPECIFIED_REGIONS eu-central-1, us-east-1`.
impl fmt::Display for Linking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.mode())?;
        match self.listed() {
            Some(regions) if !regions.is_empty() => write!(f, " {}", regions.join(", ")),
            _ => Ok(()),
        }
    }
}

impl From<Linking> for Value {
    fn from(linking: Linking) -> Self {
        match linking.listed() {
            Some(regions) => json!({ linking.mode(): regions }),
            None => linking.mode().into(),
        }
    }
}

impl TryFrom<Value> for Linking {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        if let Value::String(word) = &value {
            return match word.as_str() {
                ALL => Ok(Self::AllRegions),
                NONE => Ok(Self::NoRegions),
                EXCEPT | SPECIFIED => Err(format!("`{word}` needs its regions: {{{word}: [eu-central-1]}}")),
                _ => Err(format!("`{word}` is none of {ALL}, {NONE}, {SPECIFIED} and {EXCEPT}")),
            };
        }
        let wrong = |_| format!("a list of regions beneath {SPECIFIED} or {EXCEPT}, or {ALL} or {NONE}");
        // `null` takes an inherited mode out.
        let modes: BTreeMap<String, Option<BTreeSet<String>>> =
            serde_json::from_value(value).map_err(wrong)?;
        let mut said = modes.into_iter().filter_map(|(mode, regions)| Some((mode, regions?)));
        let (Some((mode, regions)), None) = (said.next(), said.next()) else {
            return Err(format!("one of {SPECIFIED} and {EXCEPT}: take the other out with `null`"));
        };
        if mode != SPECIFIED && mode != EXCEPT {
            return Err(format!("`{mode}` is none of {SPECIFIED} and {EXCEPT}"));
        }
        if regions.is_empty() {
            let instead = if mode == SPECIFIED { NONE } else { ALL };
            return Err(format!("{mode} without a region is {instead}: write that"));
        }
        if let Some(bad) = regions.iter().find(|region| !is_code(region)) {
            return Err(format!("`{bad}` is not the code of a region: eu-central-1"));
        }
        Ok(if mode == SPECIFIED { Self::Specified(regions) } else { Self::AllExcept(regions) })
    }
}

/// Looks like `eu-central-1`. Not checked against a list: AWS opens regions faster than we release.
fn is_code(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let word = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase());
    parts.len() >= 3
        && parts[..parts.len() - 1].iter().all(word)
        && parts[parts.len() - 1].bytes().all(|b| b.is_ascii_digit())
        && !parts[parts.len() - 1].is_empty()
}

impl JsonSchema for Linking {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Linking".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let regions =
            json!({"type": "array", "items": {"type": "string"}, "minItems": 1, "uniqueItems": true});
        let beneath = |mode: &str| {
            json!({
                "type": "object", "required": [mode], "additionalProperties": false,
                "properties": {mode: regions}
            })
        };
        schemars::json_schema!({
            "anyOf": [{"enum": [ALL, NONE]}, beneath(SPECIFIED), beneath(EXCEPT)]
        })
    }
}

/// Values that differ, for whoever needs another valid one.
fn samples() -> Value {
    json!([{EXCEPT: ["me-central-1"]}, {SPECIFIED: ["eu-central-1", "us-east-1"]}, ALL, NONE])
}
