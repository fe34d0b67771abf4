//! Amazon SNS: topics and subscriptions.
//!
//! Source: the service's API Reference, the operation named at each handler.

mod publish;
mod subscriptions;

use std::collections::{BTreeMap, HashMap};

use aws_sdk_sns::operation::create_topic::{CreateTopicInput, CreateTopicOutput};
use aws_sdk_sns::operation::get_topic_attributes::{GetTopicAttributesInput, GetTopicAttributesOutput};
use aws_sdk_sns::operation::list_tags_for_resource::{ListTagsForResourceInput, ListTagsForResourceOutput};
use aws_sdk_sns::operation::set_topic_attributes::{SetTopicAttributesInput, SetTopicAttributesOutput};
use aws_sdk_sns::operation::tag_resource::{TagResourceInput, TagResourceOutput};
use aws_sdk_sns::types::Tag;
use serde_json::{Value, json};

use super::operation::{Call, Operations, Protocol, Refusal, Service, complete, length_within};
use super::policy::well_formed;
pub use publish::Published;
pub use subscriptions::Subscription;

static SERVICE: Service = Service {
    id: "SNS",
    prefix: "sns",
    protocol: Protocol::Query,
    throttled: ("Throttling", 400),
    broken: ("InternalFailure", 500),
};

pub(super) fn operations() -> Operations {
    Operations::of(&SERVICE)
        .on("CreateTopic", create_topic)
        .on("GetTopicAttributes", get_topic_attributes)
        .on("SetTopicAttributes", set_topic_attributes)
        .on("ListTagsForResource", list_tags_for_resource)
        .on("TagResource", tag_resource)
        .on("Subscribe", subscriptions::subscribe)
        .on("ListSubscriptionsByTopic", subscriptions::list_by_topic)
        .on("Publish", publish::publish)
}

/// SNS in one region of an account.
#[derive(Clone, Debug, Default)]
pub struct Sns {
    pub topics: BTreeMap<String, Topic>,
}

/// A topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    pub display_name: String,
    /// As it was said: an alias, an ARN or an id; empty for none.
    pub key: String,
    pub policy: String,
    pub tags: BTreeMap<String, String>,
    pub subscriptions: Vec<Subscription>,
    /// What was published, oldest first.
    pub published: Vec<Published>,
}

impl Topic {
    /// A topic as SNS makes one when told nothing but its ARN.
    pub fn with_defaults(arn: &str, account: &str) -> Self {
        // SNS Developer Guide, "Default access policy".
        let policy = json!({"Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": [{
            "Sid": "__default_statement_ID",
            "Effect": "Allow",
            "Principal": {"AWS": "*"},
            "Action": [
                "SNS:GetTopicAttributes", "SNS:SetTopicAttributes", "SNS:AddPermission", "SNS:RemovePermission",
                "SNS:DeleteTopic", "SNS:Subscribe", "SNS:ListSubscriptionsByTopic", "SNS:Publish",
            ],
            "Resource": arn,
            "Condition": {"StringEquals": {"AWS:SourceOwner": account}},
        }]});
        Self {
            display_name: String::new(),
            key: String::new(),
            policy: policy.to_string(),
            tags: BTreeMap::new(),
            subscriptions: Vec::new(),
            published: Vec::new(),
        }
    }
}

/// 400 with the one code that SNS has for the caller's mistakes.
fn invalid(what: &str) -> Refusal {
    Refusal::new(400, "InvalidParameter", format!("Invalid parameter: {what}"))
}

/// The name in a topic's ARN, which must be of the caller's account and region.
fn name_in<'a>(call: &Call<'_>, arn: Option<&'a str>) -> Result<&'a str, Refusal> {
    let arn = arn.ok_or_else(|| invalid("TopicArn"))?;
    let (own, name) = arn.rsplit_once(':').ok_or_else(|| invalid("TopicArn"))?;
    if format!("{own}:x") != call.arn("sns", "x") {
        return Err(invalid("TopicArn"));
    }
    Ok(name)
}

fn topic<'c>(call: &'c mut Call<'_>, arn: Option<&str>) -> Result<&'c mut Topic, Refusal> {
    let name = name_in(call, arn)?;
    let found = call.here().sns.topics.get_mut(name);
    found.ok_or_else(|| Refusal::new(404, "NotFound", "Topic does not exist"))
}

/// CreateTopic: 256 letters, digits, `_` and `-`; the same topic again is answered as if it was made, and with other
/// attributes or tags refused.
fn create_topic(call: &mut Call<'_>, input: &CreateTopicInput) -> Result<CreateTopicOutput, Refusal> {
    let name = input.name().unwrap_or_default();
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    if !length_within(name, 1, 256) || !name.chars().all(plain) {
        return Err(invalid("Topic Name"));
    }
    let arn = call.arn("sns", name);
    let mut made = Topic::with_defaults(&arn, &call.caller.account);
    for (attribute, value) in input.attributes().into_iter().flatten() {
        set(call, &mut made, &arn, attribute, value)?;
    }
    made.tags = tags_of(input.tags())?;
    if let Some(there) = call.here().sns.topics.get(name) {
        let same = |attribute: &str| {
            input.attributes().is_none_or(|all| !all.contains_key(attribute))
                || get(there, attribute) == get(&made, attribute)
        };
        if !["DisplayName", "KmsMasterKeyId", "Policy"].into_iter().all(same) {
            return Err(invalid("Attributes Reason: Topic already exists with different attributes"));
        }
        if !input.tags().is_empty() && there.tags != made.tags {
            return Err(invalid("Tags Reason: Topic already exists with different tags"));
        }
    } else {
        call.here().sns.topics.insert(name.to_owned(), made);
    }
    Ok(CreateTopicOutput::builder().topic_arn(arn).build())
}

fn get(topic: &Topic, attribute: &str) -> String {
    match attribute {
        "DisplayName" => topic.display_name.clone(),
        "KmsMasterKeyId" => topic.key.clone(),
        _ => topic.policy.clone(),
    }
}

/// Attributes that the program has no business with are refused here.
fn set(call: &mut Call<'_>, topic: &mut Topic, arn: &str, name: &str, value: &str) -> Result<(), Refusal> {
    match name {
        "DisplayName" => {
            if !length_within(value, 0, 100) || value.chars().any(char::is_control) {
                return Err(invalid("DisplayName"));
            }
            value.clone_into(&mut topic.display_name);
        }
        // SNS takes what it finds out to be wrong only when a message is published; here it is found out at once.
        "KmsMasterKeyId" => {
            let there = value.is_empty()
                || value.starts_with("alias/aws/")
                || call.here().kms.aliases.contains_key(value);
            if !there {
                return Err(invalid("KmsMasterKeyId Reason: the key does not exist"));
            }
            value.clone_into(&mut topic.key);
        }
        "Policy" => {
            policy(value, arn)?;
            value.clone_into(&mut topic.policy);
        }
        _ => return Err(invalid("AttributeName")),
    }
    Ok(())
}

/// A policy of 30 KB at most (SNS endpoints and quotas) whose statements name this topic and actions of topics
/// ("Policy statement action out of service scope!").
fn policy(text: &str, arn: &str) -> Result<(), Refusal> {
    if text.len() > 30 * 1024 || !well_formed(text, true) {
        return Err(invalid("Policy Error: null"));
    }
    let document: Value = serde_json::from_str(text).map_err(|_| invalid("Policy Error: null"))?;
    let texts = |value: &Value| match value {
        Value::Array(list) => list.clone(),
        one => vec![one.clone()],
    };
    for statement in texts(&document["Statement"]) {
        if texts(&statement["Resource"]).iter().any(|resource| resource != arn) {
            return Err(invalid("Policy Error: PrincipalNotFound or Resource not of this topic"));
        }
        let of_topics = |action: &Value| {
            action.as_str().is_some_and(|text| {
                let text = text.to_lowercase();
                text.starts_with("sns:") && text != "sns:*"
            })
        };
        if !texts(&statement["Action"]).iter().all(of_topics) {
            return Err(invalid("Policy statement action out of service scope!"));
        }
    }
    Ok(())
}

/// GetTopicAttributes: what is not set is not among them, except the display name.
fn get_topic_attributes(
    call: &mut Call<'_>,
    input: &GetTopicAttributesInput,
) -> Result<GetTopicAttributesOutput, Refusal> {
    let owner = call.caller.account.clone();
    let topic = topic(call, input.topic_arn())?;
    let count = |confirmed: bool| {
        topic.subscriptions.iter().filter(|one| one.confirmed == confirmed).count().to_string()
    };
    let mut attributes = HashMap::from([
        ("DisplayName", topic.display_name.clone()),
        ("Owner", owner),
        ("Policy", topic.policy.clone()),
        ("SubscriptionsConfirmed", count(true)),
        ("SubscriptionsDeleted", "0".to_owned()),
        ("SubscriptionsPending", count(false)),
        ("TopicArn", input.topic_arn().unwrap_or_default().to_owned()),
    ]);
    if !topic.key.is_empty() {
        attributes.insert("KmsMasterKeyId", topic.key.clone());
    }
    let attributes = attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Ok(GetTopicAttributesOutput::builder().set_attributes(Some(attributes)).build())
}

/// SetTopicAttributes: one at a time; without a value it is emptied.
fn set_topic_attributes(
    call: &mut Call<'_>,
    input: &SetTopicAttributesInput,
) -> Result<SetTopicAttributesOutput, Refusal> {
    let mut changed = topic(call, input.topic_arn())?.clone();
    let arn = input.topic_arn().unwrap_or_default();
    let name = input.attribute_name().unwrap_or_default();
    set(call, &mut changed, arn, name, input.attribute_value().unwrap_or_default())?;
    *topic(call, input.topic_arn())? = changed;
    Ok(SetTopicAttributesOutput::builder().build())
}

fn not_there(refusal: Refusal) -> Refusal {
    match refusal.code {
        "NotFound" => Refusal::new(404, "ResourceNotFound", "Resource does not exist"),
        _ => refusal,
    }
}

/// ListTagsForResource: all of them in one answer.
fn list_tags_for_resource(
    call: &mut Call<'_>,
    input: &ListTagsForResourceInput,
) -> Result<ListTagsForResourceOutput, Refusal> {
    let tags = topic(call, input.resource_arn()).map_err(not_there)?.tags.clone();
    let tags = tags.into_iter().map(|(key, value)| complete(Tag::builder().key(key).value(value).build()));
    let tags: Vec<Tag> = tags.collect::<Result<_, _>>()?;
    Ok(ListTagsForResourceOutput::builder().set_tags(Some(tags)).build())
}

/// TagResource: adds and overwrites; at most 50 tags.
fn tag_resource(call: &mut Call<'_>, input: &TagResourceInput) -> Result<TagResourceOutput, Refusal> {
    let wanted = tags_of(input.tags())?;
    if wanted.is_empty() {
        return Err(invalid("Tags"));
    }
    let topic = topic(call, input.resource_arn()).map_err(not_there)?;
    let mut all = topic.tags.clone();
    all.extend(wanted);
    if all.len() > 50 {
        return Err(Refusal::new(400, "TagLimitExceeded", "A topic has at most 50 tags."));
    }
    topic.tags = all;
    Ok(TagResourceOutput::builder().build())
}

/// Tag in the model: keys of 1–128 characters that do not begin with `aws:`, values to 256.
fn tags_of(wanted: &[Tag]) -> Result<BTreeMap<String, String>, Refusal> {
    let fits = |tag: &Tag| {
        length_within(tag.key(), 1, 128)
            && length_within(tag.value(), 0, 256)
            && !tag.key().starts_with("aws:")
    };
    if wanted.len() > 50 || !wanted.iter().all(fits) {
        return Err(invalid("Tags"));
    }
    Ok(wanted.iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect())
}

#[cfg(test)]
mod tests;
