//! What the YAML says of topics.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::endpoint::Subscription;
use super::publisher::{Callers, Publisher};

/// Topics for notifications, by name, in each region. What is not declared is left as it is.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct TopicsSpec {
    /// Topics by name. A topic that is declared exists.
    #[serde(deserialize_with = "by_name")]
    pub topics: BTreeMap<String, TopicSpec>,
}

/// One topic.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schemars(inline)]
pub struct TopicSpec {
    /// The sender's name in e-mails, 100 characters at most.
    #[schemars(extend("x-mutate" = ["Security alerts", "Alerts"]))]
    pub display_name: Option<String>,
    /// The KMS key that messages are encrypted with while they wait, by its alias in the topic's account and region,
    /// or `none`. Services that publish must be allowed to use it: `usedBy` of `kms.keys`. That cannot be said of
    /// `alias/aws/sns`, so services other than IAM users and roles cannot publish with that one.
    pub key: Option<Encryption>,
    /// Services that may publish here. The policy only grows: a service that is taken off the list keeps its
    /// statement.
    #[schemars(extend("x-fixed" = "a statement is never taken out of a policy"))]
    pub publishers: Option<BTreeSet<Publisher>>,
    /// For whom the services may publish: for this `account` (also where it is not said), or for the whole
    /// `organization`. EventBridge tells neither, and publishes for rules of the topic's own account only.
    pub from: Option<Callers>,
    /// Publishing without TLS is refused.
    #[schemars(extend("x-fixed" = "a statement is never taken out of a policy"))]
    pub tls_only: Option<bool>,
    /// Who gets the messages, by a name of your choice. Nobody is ever unsubscribed.
    pub subscriptions: BTreeMap<String, Subscription>,
    /// Tags. Others stay.
    #[schemars(with = "BTreeMap<String, TagValue>")]
    pub tags: BTreeMap<String, String>,
}

impl TopicSpec {
    /// Is anything declared that the topic's policy holds?
    pub fn declares_policy(&self) -> bool {
        self.publishers.is_some() || self.from.is_some() || self.tls_only.is_some()
    }
}

/// A key by its alias, or none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Encryption {
    None,
    Alias(String),
}

impl Encryption {
    /// The alias, where it is one of this account's own keys: those of AWS are made by AWS.
    pub fn own_alias(&self) -> Option<&str> {
        match self {
            Self::Alias(alias) if !self.is_managed_by_aws() => Some(alias),
            _ => None,
        }
    }

    fn is_managed_by_aws(&self) -> bool {
        matches!(self, Self::Alias(alias) if alias.starts_with("alias/aws/"))
    }

    pub fn word(&self) -> &str {
        match self {
            Self::None => "none",
            Self::Alias(alias) => alias,
        }
    }
}

impl TryFrom<String> for Encryption {
    type Error = String;

    /// KMS API reference, `CreateAlias`.
    fn try_from(text: String) -> Result<Self, String> {
        if text == "none" {
            return Ok(Self::None);
        }
        let rest = text.strip_prefix("alias/").unwrap_or_default();
        let fits = |c: char| c.is_ascii_alphanumeric() || "/_-".contains(c);
        if rest.is_empty() || text.len() > 256 || !rest.chars().all(fits) {
            return Err(format!("`{text}` is neither an alias, `alias/baseline/alerts`, nor `none`"));
        }
        Ok(Self::Alias(text))
    }
}

impl From<Encryption> for String {
    fn from(key: Encryption) -> Self {
        key.word().to_owned()
    }
}

impl JsonSchema for Encryption {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Encryption".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string", "pattern": "^(none|alias/[A-Za-z0-9/_-]+)$", "maxLength": 256,
            "x-mutate": ["alias/baseline/logs", "none"]
        })
    }
}

/// The text of a tag, for the schema alone.
struct TagValue;

impl JsonSchema for TagValue {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "TagValue".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string", "maxLength": 256, "x-mutate": ["internal", "secret"]})
    }
}

/// SNS Developer Guide, "Creating a topic": 100 characters.
const LONGEST_DISPLAY_NAME: usize = 100;

/// Names as SNS takes them (API reference, `CreateTopic`). First-in-first-out topics deliver to queues only and take
/// nothing from alarms and rules, so their suffix does not fit.
fn by_name<'de, D: serde::Deserializer<'de>>(from: D) -> Result<BTreeMap<String, TopicSpec>, D::Error> {
    use serde::de::Error as _;
    let topics = BTreeMap::<String, TopicSpec>::deserialize(from)?;
    for (name, topic) in &topics {
        check(name, topic).map_err(D::Error::custom)?;
    }
    Ok(topics)
}

fn check(name: &str, topic: &TopicSpec) -> Result<(), String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    if name.is_empty() || name.len() > 256 || !name.chars().all(plain) {
        return Err(format!("`{name}` is not a topic's name: 256 letters, digits, `_` or `-` at most"));
    }
    if let Some(display) = &topic.display_name
        && (display.chars().count() > LONGEST_DISPLAY_NAME || display.chars().any(char::is_control))
    {
        return Err(format!(
            "the display name of `{name}` has more than {LONGEST_DISPLAY_NAME} characters, or one \
                            that does not show"
        ));
    }
    let serves = topic.publishers.as_ref().is_some_and(|all| !all.is_empty());
    if serves && topic.key.as_ref().is_some_and(Encryption::is_managed_by_aws) {
        return Err(format!(
            "the services that publish to `{name}` cannot use `alias/aws/sns`, because nobody can change the policy of \
             a key of AWS: declare a key of your own under `kms.keys`, or `none`"
        ));
    }
    for (label, subscription) in &topic.subscriptions {
        let fits = |c: char| c.is_ascii_alphanumeric() || "_.@+-".contains(c);
        if label.is_empty() || label.len() > 64 || !label.chars().all(fits) {
            return Err(format!(
                "`{label}` is not a name for a subscription: 64 letters, digits, `_`, `.`, `@`, `+` or `-` at most"
            ));
        }
        subscription.check()?;
    }
    match topic.tags.keys().find(|tag| tag.starts_with("aws:")) {
        Some(tag) => Err(format!("the tag `{tag}` is not yours to set")),
        None => Ok(()),
    }
}

/// A value in the words of the spec.
pub fn words(publishers: impl IntoIterator<Item = Publisher>) -> Value {
    publishers.into_iter().map(Publisher::word).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(name: &str, topic: Value) -> Result<TopicsSpec, String> {
        serde_json::from_value(json!({"topics": {name: topic}})).map_err(|error| error.to_string())
    }

    #[test]
    fn names_are_those_that_sns_takes() {
        for good in ["alerts", "Security_alerts-2"] {
            assert!(read(good, json!({})).is_ok(), "{good}");
        }
        let long = "a".repeat(257);
        for bad in ["", "a b", "alerts.fifo", "a/b", "ä", &long] {
            assert!(read(bad, json!({})).is_err_and(|e| e.contains("not a topic's name")), "{bad}");
        }
        assert!(read("a", json!({"displayName": "x".repeat(101)})).is_err());
        assert!(read("a", json!({"displayName": "bell\u{7}"})).is_err());
    }

    #[test]
    fn services_cannot_use_the_key_of_aws() {
        let with = |publishers: Value| read("a", json!({"key": "alias/aws/sns", "publishers": publishers}));
        assert!(with(json!(["cloudwatch"])).is_err_and(|e| e.contains("a key of your own")));
        assert!(with(json!([])).is_ok());
        assert!(read("a", json!({"key": "alias/aws/sns"})).is_ok());
        for bad in ["", "alias/", "baseline/logs", "1234abcd-12ab-34cd-56ef-1234567890ab"] {
            assert!(read("a", json!({"key": bad})).is_err_and(|e| e.contains("neither")), "{bad}");
        }
    }

    #[test]
    fn labels_and_tags_are_plain() {
        let to = json!({"protocol": "email", "endpoint": "a@acme.example"});
        for bad in ["", "a/b", "a b"] {
            assert!(read("a", json!({"subscriptions": {bad: to}})).is_err(), "{bad}");
        }
        assert!(read("a", json!({"subscriptions": {"sec.team": to}})).is_ok());
        assert!(read("a", json!({"tags": {"aws:x": "y"}})).is_err_and(|e| e.contains("not yours")));
    }
}
