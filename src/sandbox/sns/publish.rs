//! Publishing to a topic.

use std::collections::BTreeMap;

use aws_sdk_sns::operation::publish::{PublishInput, PublishOutput};

use super::super::operation::{Call, Refusal};
use super::{invalid, topic};

/// A message that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    pub subject: Option<String>,
    pub message: String,
    /// Text attributes, by name.
    pub attributes: BTreeMap<String, String>,
}

/// Publish: a message of at most 256 KiB of UTF-8, and a subject of at most 100 characters of ASCII without control
/// characters that begins with a letter, a digit or a punctuation mark. Only topics are published to here, and only
/// standard ones are there.
pub(super) fn publish(call: &mut Call<'_>, input: &PublishInput) -> Result<PublishOutput, Refusal> {
    if input.target_arn().is_some() || input.phone_number().is_some() || input.message_structure().is_some() {
        return Err(invalid("only topics are published to here"));
    }
    if input.message_group_id().is_some() || input.message_deduplication_id().is_some() {
        return Err(invalid(
            "MessageDeduplicationId Reason: The request includes a parameter of FIFO topics",
        ));
    }
    let message = input.message().unwrap_or_default();
    if message.is_empty() {
        return Err(invalid("Empty message"));
    }
    if message.len() > 256 * 1024 {
        return Err(invalid("Message too long"));
    }
    if let Some(subject) = input.subject() {
        let fits = (1..=100).contains(&subject.len())
            && subject.bytes().all(|byte| (b' '..=b'~').contains(&byte))
            && !subject.starts_with(' ');
        if !fits {
            return Err(invalid("Subject"));
        }
    }
    let mut attributes = BTreeMap::new();
    for (name, attribute) in input.message_attributes().into_iter().flatten() {
        let value = attribute.string_value().filter(|value| !value.is_empty());
        let (Some(value), true) = (value, ["String", "String.Array"].contains(&attribute.data_type())) else {
            return Err(Refusal::new(400, "ParameterValueInvalid", "The message attribute is not a text"));
        };
        attributes.insert(name.clone(), value.to_owned());
    }
    let published =
        Published { subject: input.subject().map(str::to_owned), message: message.to_owned(), attributes };
    let topic = topic(call, input.topic_arn())?;
    topic.published.push(published);
    Ok(PublishOutput::builder().message_id(format!("{:032x}", topic.published.len())).build())
}
