//! What WAF says of web ACLs, in the words of the YAML.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_wafv2::types::{
    RateBasedStatementAggregateKeyType, Rule, Scope, Statement, VisibilityConfig, WebAcl,
};
use serde::{Deserialize, Serialize};

use super::logging::LoggingSpec;
use super::rules::{action_of, mode_of};
use super::scope_down::ScopeDown;
use super::sets::{self, Lists};
use super::spec::{
    AclSpec, ManagedSpec, NetworkSpec, Priority, RateSpec, ResponseBody, ResponseSpec, RuleWord,
};
use super::words::{Action, ContentType, Description, Header, Otherwise, Text, Version, Window};
use crate::control::{Bounded, Sight};

/// Web ACLs and IP sets of one scope, those that are declared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Observed {
    pub acls: BTreeMap<String, Sight<Seen>>,
    /// The IP sets that are wanted, by name; `None` for one that is not there.
    pub sets: BTreeMap<String, Sight<Option<LiveSet>>>,
}

/// One declared web ACL, and what AWS says of the rules that it is to have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Seen {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<Live>,
    /// The declared managed groups.
    pub groups: BTreeMap<String, Sight<Group>>,
    /// What the rules would use; asked only where they differ.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<Sight<u32>>,
    /// `None` where it was not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logging: Option<Sight<Option<LiveLogging>>>,
}

/// A web ACL that is there.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Live {
    /// All that the words of the YAML can tell, whoever made it; without logging.
    pub spec: AclSpec,
    /// Pointers into it to what is set in a way that the words cannot tell.
    pub unclear: BTreeSet<String>,
    /// All rules by name, with their priorities.
    pub rules: BTreeMap<String, u32>,
    /// What each rule of the spec is called in AWS, where that is another name than the spec's.
    pub called: BTreeMap<String, String>,
    /// Metrics and samples of each rule; the web ACL's own under no name.
    pub visible: BTreeMap<String, (bool, bool)>,
    pub capacity: u32,
    pub firewall_manager: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LiveSet {
    /// As AWS spells it: `IPV4`.
    pub version: String,
    pub addresses: BTreeSet<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LiveLogging {
    pub spec: LoggingSpec,
    pub firewall_manager: bool,
}

/// A managed rule group here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Group {
    /// Its rules with what each does by itself.
    Offered { rules: BTreeMap<String, Option<Action>> },
    /// The version that is declared is not among these.
    NoSuchVersion { available: Vec<String> },
    /// In AWS's words.
    NotOffered { why: String },
}

impl Live {
    /// A web ACL in the words of the YAML.
    pub fn of(acl: &WebAcl, lists: &Lists) -> Self {
        let mut live = Self {
            capacity: u32::try_from(acl.capacity).unwrap_or(u32::MAX),
            firewall_manager: acl.managed_by_firewall_manager,
            ..Self::default()
        };
        live.see("", acl.visibility_config.as_ref());
        let default = acl.default_action.as_ref();
        live.spec.default_action = match default.map(|one| (&one.allow, &one.block)) {
            Some((Some(_), None)) => Some(Otherwise::Allow),
            Some((None, Some(_))) => Some(Otherwise::Block),
            _ => None,
        };
        live.spec.description = Description::of(acl.description.as_deref());
        for (name, body) in acl.custom_response_bodies.iter().flatten() {
            let told = ResponseBody {
                content_type: ContentType::of(body.content_type.as_str()),
                content: Text::try_from(body.content.clone()).ok(),
            };
            live.spec.responses.insert(name.clone(), told);
        }
        for rule in acl.rules() {
            live.rules.insert(rule.name.clone(), u32::try_from(rule.priority).unwrap_or_default());
            live.see(&rule.name, rule.visibility_config.as_ref());
            live.take(rule, lists);
        }
        live.spec.metrics = live.all(|(metrics, _)| *metrics);
        live.spec.sampled_requests = live.all(|(_, samples)| *samples);
        live
    }

    fn see(&mut self, name: &str, config: Option<&VisibilityConfig>) {
        let seen = config.map_or((false, false), |config| {
            (config.cloud_watch_metrics_enabled, config.sampled_requests_enabled)
        });
        self.visible.insert(name.to_owned(), seen);
    }

    /// The one value that all have.
    fn all(&self, of: impl Fn(&(bool, bool)) -> bool) -> Option<bool> {
        let on = self.visible.values().filter(|one| of(one)).count();
        if on == self.visible.len() { Some(true) } else { (on == 0).then_some(false) }
    }

    fn take(&mut self, rule: &Rule, lists: &Lists) {
        let Some(statement) = &rule.statement else { return };
        let priority = u32::try_from(rule.priority).ok().and_then(Priority::new);
        let name = rule.name.clone();
        if let Some(group) = &statement.managed_rule_group_statement {
            // A group that is there twice: the first is ours to declare.
            if self.spec.managed.contains_key(&group.name) {
                return;
            }
            let key = group.name.clone();
            let at = format!("/managed/{key}");
            let mut overrides: BTreeMap<String, Action> = BTreeMap::new();
            for excluded in group.excluded_rules() {
                overrides.insert(excluded.name.clone(), Action::Count);
            }
            for over in group.rule_action_overrides() {
                match over.action_to_use.as_ref().and_then(action_of) {
                    Some(action) => drop(overrides.insert(over.name.clone(), action)),
                    None => drop(self.unclear.insert(format!("{at}/overrides/{}", over.name))),
                }
            }
            let told = ManagedSpec {
                vendor: Some(group.vendor_name.clone()),
                priority,
                version: match &group.version {
                    None => Some(Version::usual()),
                    Some(version) => Version::try_from(version.clone()).ok(),
                },
                mode: rule.override_action.as_ref().and_then(mode_of),
                overrides,
                scope_down: self.scope_down(&at, group.scope_down_statement.as_deref(), lists),
            };
            if name != key {
                self.called.insert(key.clone(), name);
            }
            self.spec.managed.insert(key, told);
        } else if let Some(rate) = &statement.rate_based_statement {
            let at = format!("/rates/{name}");
            let forwarded_header = match (&rate.aggregate_key_type, &rate.forwarded_ip_config) {
                (RateBasedStatementAggregateKeyType::Ip, _) => Some(Header::none()),
                (RateBasedStatementAggregateKeyType::ForwardedIp, Some(config)) => {
                    Header::try_from(config.header_name.clone()).ok()
                }
                _ => None,
            };
            let told = RateSpec {
                priority,
                action: rule.action.as_ref().and_then(action_of).and_then(RuleWord::of),
                limit: u32::try_from(rate.limit).ok().and_then(Bounded::new),
                window: match rate.evaluation_window_sec {
                    // Not told of rules from before there was a choice.
                    0 => Some(Window::USUAL),
                    seconds => u32::try_from(seconds).ok().and_then(|one| Window::try_from(one).ok()),
                },
                forwarded_header,
                scope_down: self.scope_down(&at, rate.scope_down_statement.as_deref(), lists),
                response: Some(response(rule)),
            };
            self.spec.rates.insert(name, told);
        } else {
            let members: Vec<&Statement> = match &statement.or_statement {
                Some(or) => or.statements().iter().collect(),
                None => vec![statement],
            };
            let Some(found) = sets::names(&members) else { return };
            let told = NetworkSpec {
                priority,
                action: rule.action.as_ref().and_then(action_of).and_then(RuleWord::of),
                lists: Some(sets::lists_of(&found, lists)),
                response: Some(response(rule)),
            };
            self.spec.networks.insert(name, told);
        }
    }

    fn scope_down(&mut self, at: &str, live: Option<&Statement>, lists: &Lists) -> Option<ScopeDown> {
        let told = ScopeDown::of(live, lists);
        if told.is_none() {
            self.unclear.insert(format!("{at}/scopeDown"));
        }
        told
    }

    /// The rules that nobody declared, by name.
    pub fn others<'l>(&'l self, declared: &'l AclSpec) -> impl Iterator<Item = (&'l str, u32)> {
        let ours: BTreeSet<&str> = declared.priorities().map(|(name, _)| self.name_of(name)).collect();
        self.rules
            .iter()
            .filter(move |(name, _)| !ours.contains(name.as_str()))
            .map(|(name, priority)| (name.as_str(), *priority))
    }

    /// What a declared rule is called in AWS.
    pub fn name_of<'l>(&'l self, declared: &'l str) -> &'l str {
        self.called.get(declared).map_or(declared, String::as_str)
    }
}

impl RuleWord {
    fn of(action: Action) -> Option<Self> {
        [Self::Block, Self::Count, Self::Captcha, Self::Challenge, Self::Allow]
            .into_iter()
            .find(|word| Action::from(*word) == action)
    }
}

/// What a blocked request is answered; WAF's own answer is 403 without a body.
fn response(rule: &Rule) -> ResponseSpec {
    let block = rule.action.as_ref().and_then(|action| action.block.as_ref());
    let custom = block.and_then(|block| block.custom_response.as_ref());
    let status = custom.map_or(403, |custom| u32::try_from(custom.response_code).unwrap_or(403));
    let body = custom.and_then(|custom| custom.custom_response_body_key.clone());
    ResponseSpec { status: Bounded::new(status), body: Some(body.unwrap_or_else(|| "none".into())) }
}

/// `REGIONAL`, or `CLOUDFRONT`.
pub fn scope(cloudfront: bool) -> Scope {
    if cloudfront { Scope::Cloudfront } else { Scope::Regional }
}
