//! What SNS says of topics. Endpoints of others are nobody's business and are not kept.

use std::collections::BTreeMap;

use aws_sdk_sns::Client;
use futures::StreamExt as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::endpoint::Endpoint;
use crate::aws::{Reader, fault};
use crate::control::Sight;
use crate::fault::{Fault, FaultKind};
use crate::place::Scope;

/// What must be looked at of a topic, beside its attributes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    /// By the names that the spec gives them.
    pub subscriptions: BTreeMap<String, Endpoint>,
    pub tags: bool,
}

/// A topic that is there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Topic {
    /// Empty where there is none.
    pub display_name: String,
    /// As it was once set: an alias, an ARN or an id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    pub policy: Sight<Value>,
    /// How it stands with each of the wanted ones; `None` where none was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscriptions: Option<Sight<BTreeMap<String, State>>>,
    /// `None` where they were not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Sight<BTreeMap<String, String>>>,
}

/// How it stands with a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum State {
    Absent,
    Pending,
    Confirmed,
}

/// What stands under each name; `None` where there is no such topic.
pub type Observed = BTreeMap<String, Sight<Option<Topic>>>;

pub const ATTRIBUTES: &str = "sns:GetTopicAttributes";
pub const SUBSCRIPTIONS: &str = "sns:ListSubscriptionsByTopic";
pub const TAGS: &str = "sns:ListTagsForResource";

/// A topic's ARN is made of its name.
pub fn arn(scope: &Scope, name: &str) -> String {
    let Scope { account, region } = scope;
    format!("arn:{}:sns:{region}:{account}:{name}", region.partition())
}

/// Topics that are looked at at once in one scope; the rate is the engine's to keep.
const AT_ONCE: usize = 8;

/// Looks at each topic. A topic's ARN is made of its name, so nothing has to be listed.
pub async fn read(aws: &Reader, wanted: &BTreeMap<String, Wanted>) -> Observed {
    let sns = &aws.sns();
    let all: Vec<(String, Wanted)> = wanted.iter().map(|(name, one)| (name.clone(), one.clone())).collect();
    futures::stream::iter(all)
        .map(|(name, wanted)| async move {
            let found = one(sns, &arn(&aws.scope, &name), &wanted).await;
            (name, sight(found))
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await
}

fn sight<T>(answer: Result<T, Fault>) -> Sight<T> {
    answer.map_or_else(Sight::Unseen, Sight::Seen)
}

/// One topic; `None` where there is none.
pub async fn one(sns: &Client, arn: &str, wanted: &Wanted) -> Result<Option<Topic>, Fault> {
    let Some(attributes) = attributes_of(sns, arn).await? else { return Ok(None) };
    let subscriptions = async {
        if wanted.subscriptions.is_empty() {
            return None;
        }
        Some(sight(subscriptions_of(sns, arn, &wanted.subscriptions).await))
    };
    let tags = async { if wanted.tags { Some(sight(tags_of(sns, arn).await)) } else { None } };
    let (subscriptions, tags) = futures::join!(subscriptions, tags);
    let of = |name: &str| attributes.get(name).filter(|value| !value.is_empty()).cloned();
    Ok(Some(Topic {
        display_name: of("DisplayName").unwrap_or_default(),
        key: of("KmsMasterKeyId"),
        policy: sight(policy_in(&attributes)),
        subscriptions,
        tags,
    }))
}

type Attributes = std::collections::HashMap<String, String>;

/// `None`: there is no such topic.
async fn attributes_of(sns: &Client, arn: &str) -> Result<Option<Attributes>, Fault> {
    match sns.get_topic_attributes().topic_arn(arn).send().await {
        Ok(answer) => Ok(Some(answer.attributes.unwrap_or_default())),
        Err(error) if error.as_service_error().is_some_and(|e| e.is_not_found_exception()) => Ok(None),
        Err(error) => Err(fault(ATTRIBUTES)(error)),
    }
}

/// "Topic properties returned might differ based on the authorization of the user" (API reference): an answer
/// without a policy is not a topic without one, for every topic has one.
fn policy_in(attributes: &Attributes) -> Result<Value, Fault> {
    let strange = |message: String| Fault::local(FaultKind::Invalid, ATTRIBUTES, message);
    let text = attributes.get("Policy").ok_or_else(|| strange("the answer has no policy in it".into()))?;
    serde_json::from_str(text).map_err(|error| strange(format!("the policy is not JSON: {error}")))
}

/// The policy as it is now; `NotReady` where the topic does not show yet.
pub async fn policy_of(sns: &Client, arn: &str, call: &str) -> Result<Value, Fault> {
    match attributes_of(sns, arn).await? {
        Some(attributes) => policy_in(&attributes),
        None => Err(Fault::local(FaultKind::NotReady, call, "SNS does not show the topic yet")),
    }
}

/// Of several subscriptions of one endpoint, the one that has come furthest. What was unsubscribed is listed as
/// `Deleted` for some time.
async fn subscriptions_of(
    sns: &Client,
    arn: &str,
    wanted: &BTreeMap<String, Endpoint>,
) -> Result<BTreeMap<String, State>, Fault> {
    let mut states: BTreeMap<String, State> =
        wanted.keys().map(|label| (label.clone(), State::Absent)).collect();
    let mut pages = sns.list_subscriptions_by_topic().topic_arn(arn).into_paginator().items().send();
    while let Some(listed) = pages.next().await {
        let listed = listed.map_err(fault(SUBSCRIPTIONS))?;
        let state = match listed.subscription_arn() {
            Some("PendingConfirmation") => State::Pending,
            Some(arn) if arn.starts_with("arn:") => State::Confirmed,
            _ => continue,
        };
        let (protocol, endpoint) =
            (listed.protocol().unwrap_or_default(), listed.endpoint().unwrap_or_default());
        for (label, _) in wanted.iter().filter(|(_, wanted)| wanted.is(protocol, endpoint)) {
            states.entry(label.clone()).and_modify(|known| *known = state.max(*known));
        }
    }
    Ok(states)
}

async fn tags_of(sns: &Client, arn: &str) -> Result<BTreeMap<String, String>, Fault> {
    let answer = sns.list_tags_for_resource().resource_arn(arn).send().await.map_err(fault(TAGS))?;
    Ok(answer.tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value)).collect())
}
