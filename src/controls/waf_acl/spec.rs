//! What the YAML says of web ACLs.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use super::logging::LoggingSpec;
use super::scope_down::ScopeDown;
use super::words::{Action, ContentType, Description, Header, Mode, Otherwise, Text, Version, Window};
use crate::control::Bounded;

/// Web ACLs of AWS WAF. What is not declared is left as it is, rules of others too.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct AclsSpec {
    /// Web ACLs by name.
    #[serde(deserialize_with = "by_name")]
    pub acls: BTreeMap<String, AclSpec>,
}

/// One web ACL.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schemars(inline)]
pub struct AclSpec {
    /// What happens to a request that no rule decides about. A new web ACL that does not say it allows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_action: Option<Otherwise>,
    /// What the web ACL is for: 3 to 256 letters, digits, spaces and `+=:#@/-,._`; `none` for nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-mutate" = ["Everything that faces the internet", "Public endpoints"]))]
    pub description: Option<Description>,
    /// The web ACL and all its rules, whoever made them, count in CloudWatch (FSBP WAF.12). New ones do, unless
    /// it is `false`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics: Option<bool>,
    /// WAF keeps samples of requests for the web ACL and all its rules. For new ones it does, unless it is `false`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sampled_requests: Option<bool>,
    /// Managed rule groups by name, `AWSManagedRulesCommonRuleSet`. A group that is in the web ACL already, under
    /// whatever rule name, is taken over.
    pub managed: BTreeMap<String, ManagedSpec>,
    /// Rules for where requests come from, by name.
    pub networks: BTreeMap<String, NetworkSpec>,
    /// Rules that limit how often one address may ask, by name.
    pub rates: BTreeMap<String, RateSpec>,
    /// Bodies of custom responses by name. One that is taken out of the map stays in the web ACL.
    pub responses: BTreeMap<String, ResponseBody>,
    /// Where the log goes (FSBP WAF.11), and what of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logging: Option<LoggingSpec>,
}

/// Rules run from the lowest number up (API reference, `RulePriority`).
pub type Priority = Bounded<0, 2_147_483_647>;

/// A managed rule group.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schemars(inline)]
pub struct ManagedSpec {
    /// Whose group it is; `AWS` unless it is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-fixed" = "another vendor's group is another group"))]
    pub vendor: Option<String>,
    /// Lower numbers run first. A new rule that does not say it comes last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// `default` follows what the vendor says is current; `Version_1.18` stays until it expires.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-mutate" = ["default", "Version_1.18"]))]
    pub version: Option<Version>,
    /// `enforce` lets the rules of the group do what they do; `count` only counts, for a rollout that starts with
    /// looking. A new group that does not say it counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// Other actions for single rules of the group, by their names; `none` is the rule's own.
    pub overrides: BTreeMap<String, Action>,
    /// The group looks only at requests that fit all of this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope_down: Option<ScopeDown>,
}

/// A rule for where requests come from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schemars(inline)]
pub struct NetworkSpec {
    /// Lower numbers run first. A new rule that does not say it comes last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// What happens to a request from there. A new rule that does not say it counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<RuleWord>,
    /// Lists of `spec.networks` of the Organization.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<BTreeSet<super::words::List>>", extend("x-mutate" = [["office"], ["denied"]]))]
    pub lists: Option<BTreeSet<String>>,
    /// What a blocked request is answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response: Option<ResponseSpec>,
}

/// A rule that limits how often one address may ask.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schemars(inline)]
pub struct RateSpec {
    /// Lower numbers run first. A new rule that does not say it comes last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// What happens to a request beyond the limit. A new rule that does not say it counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<RuleWord>,
    /// Requests of one address within the window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<Bounded<10, 2_000_000_000>>,
    /// Seconds over which requests are counted: 60, 120, 300 or 600. A new rule that does not say it takes 300.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// The header that holds the address, such as `X-Forwarded-For` behind a proxy; `none` for the connection's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-mutate" = ["none", "X-Forwarded-For"]))]
    pub forwarded_header: Option<Header>,
    /// Only requests that fit all of this are counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope_down: Option<ScopeDown>,
    /// What a blocked request is answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response: Option<ResponseSpec>,
}

/// What a rule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub enum RuleWord {
    Block,
    Count,
    Captcha,
    Challenge,
    Allow,
}

impl From<RuleWord> for Action {
    fn from(word: RuleWord) -> Self {
        match word {
            RuleWord::Block => Self::Block,
            RuleWord::Count => Self::Count,
            RuleWord::Captcha => Self::Captcha,
            RuleWord::Challenge => Self::Challenge,
            RuleWord::Allow => Self::Allow,
        }
    }
}

/// What a blocked request is answered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schemars(inline)]
pub struct ResponseSpec {
    /// The HTTP status. WAF's own is 403.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Bounded<200, 599>>,
    /// One of `responses`, or `none`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-mutate" = ["none", "denied"]))]
    pub body: Option<String>,
}

/// The body of a custom response.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schemars(inline)]
pub struct ResponseBody {
    /// What it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<ContentType>,
    /// The text, 10,240 characters at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-mutate" = ["Not from here.", "Denied."]))]
    pub content: Option<Text>,
}

impl AclSpec {
    /// Names and priorities of all rules, in the order in which new ones come when nothing is said: networks
    /// first, because what they let in or keep out needs no other rule; then rates, then managed groups.
    pub fn priorities(&self) -> impl Iterator<Item = (&str, Option<Priority>)> {
        let networks = self.networks.iter().map(|(name, rule)| (name.as_str(), rule.priority));
        let rates = self.rates.iter().map(|(name, rule)| (name.as_str(), rule.priority));
        let managed = self.managed.iter().map(|(name, rule)| (name.as_str(), rule.priority));
        networks.chain(rates).chain(managed)
    }

    /// All lists of networks that rules refer to.
    pub fn lists(&self) -> BTreeSet<&str> {
        let of_rules = self.networks.values().flat_map(|rule| rule.lists.iter().flatten());
        let narrowed = self.managed.values().filter_map(|rule| rule.scope_down.as_ref());
        let narrowed = narrowed.chain(self.rates.values().filter_map(|rule| rule.scope_down.as_ref()));
        of_rules.chain(narrowed.flat_map(ScopeDown::lists)).map(String::as_str).collect()
    }

    /// Is anything said beside logging, or nothing at all? Then the web ACL itself is looked after.
    pub fn declares_acl(&self) -> bool {
        self.logging.is_none() || *self != Self { logging: self.logging.clone(), ..Self::default() }
    }

    /// Two rules of one document that want one place, or one name.
    fn clash(&self) -> Option<String> {
        let mut by_priority: BTreeMap<u32, &str> = BTreeMap::new();
        let mut names = BTreeSet::new();
        for (name, priority) in self.priorities() {
            if !names.insert(name) {
                return Some(format!("two rules are called `{name}`"));
            }
            if let Some(other) = priority.and_then(|priority| by_priority.insert(priority.get(), name)) {
                let priority = priority.map(Bounded::get).unwrap_or_default();
                return Some(format!("`{other}` and `{name}` both have priority {priority}"));
            }
        }
        None
    }
}

/// `EntityName` in the API model: 1 to 128 letters, digits, `_` and `-`.
pub fn is_entity_name(name: &str) -> bool {
    (1..=128).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b))
}

fn by_name<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<String, AclSpec>, D::Error> {
    /// Decoded by itself, so that what is wrong with it is said at its own place.
    struct Clear(AclSpec);
    impl<'de> Deserialize<'de> for Clear {
        fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
            let acl = AclSpec::deserialize(from)?;
            acl.clash().map_or(Ok(Self(acl)), |clash| Err(D::Error::custom(clash)))
        }
    }
    let acls = BTreeMap::<String, Clear>::deserialize(from)?;
    for (name, Clear(acl)) in &acls {
        let rules = acl.priorities().map(|(name, _)| name).chain(acl.responses.keys().map(String::as_str));
        if let Some(bad) = std::iter::once(name.as_str()).chain(rules).find(|name| !is_entity_name(name)) {
            return Err(D::Error::custom(format_args!(
                "`{bad}` cannot be a name: 1 to 128 letters, digits, `_` and `-`"
            )));
        }
    }
    Ok(acls.into_iter().map(|(name, Clear(acl))| (name, acl)).collect())
}
