//! What the YAML says of web ACLs on resources.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use wildmatch::WildMatch;

use super::resource::Resource;
use crate::control::Sight;
use crate::fault::Fault;

/// Web ACLs on resources, by rules. The first rule that selects a resource governs it.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct AssociationSpec {
    /// Tried from the top; a resource that no rule selects is left alone, and so is one whose rule names no
    /// `acl`.
    pub rules: Vec<AssociationRule>,
}

/// Which web ACL the selected resources are to have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(inline)]
pub struct AssociationRule {
    /// Which resources this rule governs, unless a rule above does.
    #[schemars(extend("x-fixed" = "selects; is compared with nothing in AWS"))]
    pub select: Which,
    /// The web ACL by its name, in the same account and region; `none` for no web ACL at all.
    #[serde(default)]
    #[schemars(extend("x-mutate" = ["baseline", "baseline-strict"]))]
    pub acl: Option<Acl>,
    /// Names of other web ACLs that will do; `*` stands for any characters and `?` for one. A resource that
    /// has one of them keeps it and is in sync; one that has none gets `acl`.
    #[serde(default)]
    #[schemars(extend("x-fixed" = "lets others be; nothing is compared with it alone"))]
    pub accept: Option<Vec<String>>,
}

/// Resources by type, name, tags and reach. All that is said must hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(inline)]
pub struct Which {
    /// Types of resources, by AWS WAF's names. Only services of these types are asked.
    pub types: Vec<ResourceType>,
    /// Names; `*` stands for any characters and `?` for one, and one match is enough. The stage of a REST API
    /// is `API/STAGE`. Not said: every name.
    #[serde(default)]
    pub names: Option<Vec<String>>,
    /// Tags that the resource has, each with its value or a pattern. A stage has those of its API, too.
    #[serde(default)]
    pub tags: Option<BTreeMap<String, String>>,
    /// Only what the internet reaches, or only what it does not: by the scheme of a load balancer, the endpoint
    /// of a REST API and the visibility of a GraphQL API. User pools and App Runner services count as
    /// internet-facing, whatever they are behind.
    #[serde(default)]
    pub scheme: Option<Scheme>,
}

/// What a web ACL can be associated with, in the words of AWS WAF (API reference, `ResourceType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schemars(inline)]
pub enum ResourceType {
    ApplicationLoadBalancer,
    /// A stage of a REST API.
    ApiGateway,
    /// A GraphQL API.
    Appsync,
    CognitoUserPool,
    AppRunnerService,
}

impl ResourceType {
    pub const ALL: [Self; 5] = [
        Self::ApplicationLoadBalancer,
        Self::ApiGateway,
        Self::Appsync,
        Self::CognitoUserPool,
        Self::AppRunnerService,
    ];

    /// The rule that a finding about such a resource is under, and what its name in plans begins with.
    pub fn rule(self) -> &'static str {
        match self {
            Self::ApplicationLoadBalancer => "load-balancer",
            Self::ApiGateway => "api-stage",
            Self::Appsync => "graphql-api",
            Self::CognitoUserPool => "user-pool",
            Self::AppRunnerService => "app-runner-service",
        }
    }

    /// The type and the name that a resource of a plan is made of: `load-balancer/shop`.
    pub fn of_plan(resource: &str) -> Option<(Self, &str)> {
        let (rule, name) = resource.split_once('/')?;
        Some((Self::ALL.into_iter().find(|kind| kind.rule() == rule)?, name))
    }
}

/// Whether the internet reaches it (Elastic Load Balancing API reference, `Scheme`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Scheme {
    InternetFacing,
    Internal,
}

/// A web ACL by its name, or none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Acl {
    None,
    Named(String),
}

/// Says that there is no web ACL.
pub const NONE: &str = "none";

impl TryFrom<String> for Acl {
    type Error = String;

    /// API reference, `EntityName`: `^[\w\-]+$`, 1 to 128 characters.
    fn try_from(name: String) -> Result<Self, String> {
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if name == NONE {
            Ok(Self::None)
        } else if (1..=128).contains(&name.len()) && name.chars().all(fits) {
            Ok(Self::Named(name))
        } else {
            Err(format!("`{name}` is no name of a web ACL: 1 to 128 letters, digits, `-` and `_`, or `none`"))
        }
    }
}

impl From<Acl> for String {
    fn from(acl: Acl) -> Self {
        match acl {
            Acl::None => NONE.to_owned(),
            Acl::Named(name) => name,
        }
    }
}

impl JsonSchema for Acl {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Acl".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string", "pattern": "^[A-Za-z0-9_-]{1,128}$"})
    }
}

fn is_any(patterns: &[String], text: &str) -> bool {
    patterns.iter().any(|pattern| WildMatch::new(pattern).matches(text))
}

impl AssociationRule {
    /// Will a web ACL of this name do? Not whether it is the one that the name stands for.
    pub fn accepts(&self, name: &str) -> bool {
        is_any(self.accept.as_deref().unwrap_or_default(), name)
    }
}

impl Which {
    /// Does it select the resource, as far as can be told without tags?
    fn matches_but_for_tags(&self, resource: &Resource) -> bool {
        let named =
            |patterns: &Vec<String>| is_any(patterns, &resource.name) || is_any(patterns, &resource.called);
        self.types.contains(&resource.kind)
            && self.scheme.is_none_or(|scheme| scheme == resource.scheme)
            && self.names.as_ref().is_none_or(named)
    }

    /// Can it select a resource whose name begins with this? Never false where it can.
    fn may_match(&self, kind: ResourceType, beginning: &str) -> bool {
        let may = |pattern: &String| {
            let literal = pattern.split(['*', '?']).next().unwrap_or_default();
            beginning.starts_with(literal) || literal.starts_with(beginning)
        };
        self.types.contains(&kind) && self.names.as_ref().is_none_or(|names| names.iter().any(may))
    }

    fn has_tags(&self) -> bool {
        self.tags.as_ref().is_some_and(|tags| !tags.is_empty())
    }

    fn matches_tags(&self, live: &BTreeMap<String, String>) -> bool {
        let wanted = self.tags.iter().flatten();
        wanted
            .into_iter()
            .all(|(key, pattern)| live.get(key).is_some_and(|value| WildMatch::new(pattern).matches(value)))
    }
}

/// Rules in their order.
pub trait Rules {
    /// The types that some rule has an `acl` for.
    fn types(&self) -> Vec<ResourceType>;
    /// Can anything whose name begins with this be given a web ACL?
    fn may_govern(&self, kind: ResourceType, beginning: &str) -> bool;
    /// Must the tags of this resource be known to tell which rule governs it?
    fn want_tags(&self, resource: &Resource) -> bool;
    /// The rule that governs the resource and its place, or why that cannot be told.
    fn governing(&self, resource: &Resource) -> Result<Option<(usize, &AssociationRule)>, Fault>;
}

impl Rules for [AssociationRule] {
    fn types(&self) -> Vec<ResourceType> {
        let declared = |kind: &ResourceType| {
            self.iter().any(|rule| rule.acl.is_some() && rule.select.types.contains(kind))
        };
        ResourceType::ALL.into_iter().filter(declared).collect()
    }

    fn may_govern(&self, kind: ResourceType, beginning: &str) -> bool {
        self.iter().any(|rule| rule.acl.is_some() && rule.select.may_match(kind, beginning))
    }

    fn want_tags(&self, resource: &Resource) -> bool {
        let first = self.iter().find(|rule| rule.select.matches_but_for_tags(resource));
        first.is_some_and(|rule| rule.select.has_tags())
    }

    fn governing(&self, resource: &Resource) -> Result<Option<(usize, &AssociationRule)>, Fault> {
        for (place, rule) in self.iter().enumerate() {
            if !rule.select.matches_but_for_tags(resource) {
                continue;
            }
            if rule.select.has_tags() {
                match &resource.tags {
                    Sight::Seen(tags) if rule.select.matches_tags(tags) => {}
                    Sight::Seen(_) => continue,
                    Sight::Unseen(fault) => return Err(fault.clone()),
                }
            }
            return Ok(Some((place, rule)));
        }
        Ok(None)
    }
}
