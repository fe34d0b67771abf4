//! What the YAML says of automation rules.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::action::{self, Actions};
use super::criteria::Criteria;
use crate::control::Bounded;

/// Security Hub's automation rules, by name. Rules that are not named are left alone.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct AutomationSpec {
    /// Rules by their names. Names are the rules': one that is renamed is another rule.
    #[serde(deserialize_with = "by_name")]
    pub rules: BTreeMap<String, Option<RuleSpec>>,
}

/// One rule. A rule that is not there yet needs all but `status`, `terminal` and `reason`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schemars(inline)]
pub struct RuleSpec {
    /// Rules with lower numbers are applied first (`RuleOrder`).
    pub order: Option<Bounded<1, 1000>>,
    /// `ENABLED` or `DISABLED` (`RuleStatus`). A new rule is enabled unless this says otherwise.
    pub status: Option<Status>,
    /// Rules after this one are not applied to what it matches (`IsTerminal`).
    pub terminal: Option<bool>,
    /// What the rule is for (`Description`).
    #[schemars(extend("x-mutate" = ["One description", "Another description"]))]
    pub description: Option<String>,
    /// Which findings it is about, in AWS's own field names (`Criteria`).
    #[schemars(extend("x-mutate" = samples()))]
    pub criteria: Option<Criteria>,
    /// What it makes of them, in AWS's own field names (`Actions`): a list of one.
    #[schemars(extend("x-mutate" = action::samples()))]
    pub actions: Option<Actions>,
    /// Why findings may be hidden. A rule that suppresses or resolves findings needs it; AWS never sees it.
    #[schemars(extend("x-fixed" = "is told to people and not to AWS"))]
    pub reason: Option<String>,
}

/// `RuleStatus`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
#[schemars(inline)]
pub enum Status {
    Enabled,
    Disabled,
}

impl Status {
    pub fn word(self) -> &'static str {
        match self {
            Self::Enabled => "ENABLED",
            Self::Disabled => "DISABLED",
        }
    }

    /// `None` for a word that this build does not know.
    pub fn of(word: &str) -> Option<Self> {
        [Self::Enabled, Self::Disabled].into_iter().find(|known| known.word() == word)
    }
}

impl RuleSpec {
    /// The word that takes findings out of what people look at, where the rule has one.
    pub fn hides(&self) -> Option<&str> {
        self.actions.as_ref().and_then(Actions::hides)
    }
}

impl AutomationSpec {
    /// The declared rules: `null` takes an inherited one out.
    pub fn declared(&self) -> impl Iterator<Item = (&str, &RuleSpec)> {
        self.rules.iter().filter_map(|(name, rule)| Some((name.as_str(), rule.as_ref()?)))
    }
}

fn by_name<'de, D: serde::Deserializer<'de>>(
    from: D,
) -> Result<BTreeMap<String, Option<RuleSpec>>, D::Error> {
    use serde::de::Error as _;
    let rules = BTreeMap::<String, Option<RuleSpec>>::deserialize(from)?;
    for (name, rule) in rules.iter().filter_map(|(name, rule)| Some((name, rule.as_ref()?))) {
        if name.trim().is_empty() {
            return Err(D::Error::custom("a rule needs a name"));
        }
        if rule.description.as_ref().is_some_and(|text| text.trim().is_empty()) {
            return Err(D::Error::custom(format_args!("`{name}`: the description is blank")));
        }
        if let Some(misfit) = rule.criteria.as_ref().and_then(Criteria::misfit) {
            return Err(D::Error::custom(format_args!("`{name}`: {misfit}")));
        }
        let reason = rule.reason.as_deref().unwrap_or_default().trim();
        if let Some(word) = rule.hides().filter(|_| reason.is_empty()) {
            return Err(D::Error::custom(format_args!(
                "`{name}` makes findings {word}, where nobody looks: say why under `reason`"
            )));
        }
    }
    Ok(rules)
}

/// Criteria that differ, for whoever needs another valid value of the field.
fn samples() -> Value {
    let severity = |label: &str| json!({"SeverityLabel": [{"Value": label, "Comparison": "EQUALS"}]});
    json!([severity("LOW"), severity("INFORMATIONAL")])
}
