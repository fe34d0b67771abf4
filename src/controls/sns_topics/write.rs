//! The writes: by name, with the ARN made when they run.

use std::collections::BTreeMap;
use std::fmt;

use aws_sdk_sns::types::Tag;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::endpoint::Subscription;
use super::live::{arn, policy_of};
use super::policy::{Ours, default_policy};
use crate::aws::{Writer, fault};
use crate::control::{AwsWrite, Call};
use crate::fault::{Fault, FaultKind};
use crate::place::Scope;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Write {
    Create {
        topic: String,
        settings: Settings,
        tags: BTreeMap<String, String>,
    },
    DisplayName {
        topic: String,
        display_name: String,
    },
    /// An empty text ends encryption.
    Key {
        topic: String,
        alias: String,
    },
    PutPolicy {
        topic: String,
        policy: Ours,
    },
    Subscribe {
        topic: String,
        label: String,
        to: Subscription,
    },
    Tag {
        topic: String,
        tags: BTreeMap<String, String>,
    },
}

/// What a new topic is made with; what is left out is as SNS has it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    #[serde(default, skip_serializing_if = "Ours::is_empty")]
    pub policy: Ours,
}

/// With the same name and attributes it gives the topic that is there, so sending it twice does no harm.
pub const CREATE: Call = Call::needing("sns:CreateTopic", &["sns:CreateTopic", "sns:TagResource"]);
/// The policy is read again right before it is written.
pub const SET: Call =
    Call::needing("sns:SetTopicAttributes", &["sns:SetTopicAttributes", "sns:GetTopicAttributes"]);
/// The same endpoint twice is one subscription; a pending one gets its message again.
pub const SUBSCRIBE: Call = Call::new("sns:Subscribe");
pub const TAG: Call = Call::new("sns:TagResource");

impl AwsWrite for Write {
    fn call(&self) -> &'static Call {
        match self {
            Self::Create { .. } => const { &CREATE },
            Self::DisplayName { .. } | Self::Key { .. } | Self::PutPolicy { .. } => const { &SET },
            Self::Subscribe { .. } => const { &SUBSCRIBE },
            Self::Tag { .. } => const { &TAG },
        }
    }
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create { topic, .. } => write!(f, "create the topic {topic}"),
            Self::DisplayName { topic, .. } => write!(f, "set the display name of {topic}"),
            Self::Key { topic, alias } if alias.is_empty() => write!(f, "encrypt {topic} no more"),
            Self::Key { topic, alias } => write!(f, "encrypt {topic} with {alias}"),
            Self::PutPolicy { topic, .. } => write!(f, "put the policy of {topic}"),
            Self::Subscribe { topic, label, to } => {
                write!(f, "subscribe {label} to {topic} by {}", to.protocol.word())
            }
            Self::Tag { topic, .. } => write!(f, "tag {topic}"),
        }
    }
}

impl Settings {
    /// As the call takes them. A policy replaces the one that SNS would make, so that one is in it.
    fn attributes(&self, scope: &Scope, arn: &str) -> BTreeMap<&'static str, String> {
        let policy = (!self.policy.is_empty())
            .then(|| self.policy.within(&default_policy(scope, arn), scope, arn).to_string());
        [("DisplayName", self.display_name.clone()), ("KmsMasterKeyId", self.key.clone()), ("Policy", policy)]
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .collect()
    }
}

fn tags_of(tags: &BTreeMap<String, String>, call: &str) -> Result<Vec<Tag>, Fault> {
    let tag = |(name, value): (&String, &String)| Tag::builder().key(name).value(value).build();
    let tags: Result<_, _> = tags.iter().map(tag).collect();
    tags.map_err(|error| Fault::local(FaultKind::Invalid, call, error.to_string()))
}

impl Write {
    fn topic(&self) -> &str {
        match self {
            Self::Create { topic, .. }
            | Self::DisplayName { topic, .. }
            | Self::Key { topic, .. }
            | Self::PutPolicy { topic, .. }
            | Self::Subscribe { topic, .. }
            | Self::Tag { topic, .. } => topic,
        }
    }

    pub async fn send(&self, aws: &Writer) -> Result<(), Fault> {
        let sns = aws.sns();
        let call = self.call().operation;
        let arn = arn(&aws.scope, self.topic());
        let set = |name: &str, value: &str| {
            sns.set_topic_attributes().topic_arn(&arn).attribute_name(name).attribute_value(value)
        };
        match self {
            Self::Create { topic, settings, tags } => {
                let attributes = settings.attributes(&aws.scope, &arn);
                let attributes = attributes.into_iter().map(|(name, value)| (name.to_owned(), value));
                let tags = tags_of(tags, call)?;
                let request = sns
                    .create_topic()
                    .name(topic)
                    .set_attributes(Some(attributes.collect()).filter(|all: &Attributes| !all.is_empty()))
                    .set_tags(Some(tags).filter(|all| !all.is_empty()));
                request.send().await.map(drop).map_err(fault(CREATE.operation))
            }
            Self::DisplayName { display_name, .. } => {
                set("DisplayName", display_name).send().await.map(drop).map_err(fault(SET.operation))
            }
            Self::Key { alias, .. } => {
                set("KmsMasterKeyId", alias).send().await.map(drop).map_err(fault(SET.operation))
            }
            // What others have written since the look stays: the policy is read again right before.
            Self::PutPolicy { policy, .. } => {
                let live: Value = policy_of(&sns, &arn, call).await?;
                let whole = policy.within(&live, &aws.scope, &arn).to_string();
                set("Policy", &whole).send().await.map(drop).map_err(fault(SET.operation))
            }
            Self::Subscribe { to, .. } => {
                let to = to.endpoint(&aws.scope);
                let request =
                    sns.subscribe().topic_arn(&arn).protocol(to.protocol.word()).endpoint(to.address);
                request
                    .send()
                    .await
                    .map(drop)
                    .map_err(|error| not_there_yet(fault(SUBSCRIBE.operation)(error)))
            }
            Self::Tag { tags, .. } => {
                let request = sns.tag_resource().resource_arn(&arn).set_tags(Some(tags_of(tags, call)?));
                request.send().await.map(drop).map_err(fault(TAG.operation))
            }
        }
    }
}

type Attributes = std::collections::HashMap<String, String>;

/// A topic that was made a moment ago may not be seen yet.
fn not_there_yet(fault: Fault) -> Fault {
    match fault.kind {
        FaultKind::NotFound => Fault { kind: FaultKind::NotReady, ..fault },
        _ => fault,
    }
}
