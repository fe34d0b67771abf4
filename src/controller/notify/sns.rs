//! Telling through an SNS topic, with the controller's own credentials.

use aws_sdk_sns::types::MessageAttributeValue;

use super::line::Failed;
use super::message::Message;
use crate::aws::{Aws, fault};
use crate::desired::{EventKind, Topic};
use crate::fault::{Fault, FaultKind};

const CALL: &str = "sns:Publish";

/// The longest subject (SNS API reference, Publish: ASCII, less than 100 characters).
const SUBJECT: usize = 99;
/// SNS takes 256 KiB; the message has one text and hardly any attributes.
const LONGEST: usize = 200 * 1024;

pub(super) async fn publish(aws: &Aws, topic: &Topic, message: &Message) -> Result<(), Failed> {
    send(aws, topic, message).await.map_err(failed)
}

async fn send(aws: &Aws, topic: &Topic, message: &Message) -> Result<(), Fault> {
    let invalid = |error: aws_sdk_sns::error::BuildError| {
        Fault::local(FaultKind::Invalid, CALL, format!("an attribute cannot be made: {error}"))
    };
    let reader = aws.caller_reader(&topic.region);
    // Subscriptions can be filtered by them.
    let text = |kind: &str, value: String| {
        MessageAttributeValue::builder().data_type(kind).string_value(value).build().map_err(invalid)
    };
    let words: Vec<&str> = message.kinds().into_iter().map(EventKind::word).collect();
    let words = serde_json::Value::from(words).to_string();
    let call = reader
        .sns()
        .publish()
        .topic_arn(&topic.arn)
        .subject(subject(&message.title))
        .message(within(&message.text, LONGEST))
        .message_attributes("events", text("String.Array", words)?)
        .message_attributes("id", text("String", message.id.clone())?);
    let call = if topic.is_fifo() {
        call.message_group_id("baseline").message_deduplication_id(&message.id)
    } else {
        call
    };
    reader.run(call.send()).await.map_err(fault(CALL))?;
    Ok(())
}

fn failed(fault: Fault) -> Failed {
    Failed { lasting: !fault.kind.is_transient(), why: fault.to_string(), retry_after: None }
}

/// What can stand in a subject of the title: other characters are `?`.
fn subject(title: &str) -> String {
    let plain = |c: char| if (' '..='~').contains(&c) { c } else { '?' };
    title.chars().take(SUBJECT).map(plain).collect()
}

/// As much of a text as fits, in bytes.
fn within(text: &str, most: usize) -> &str {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_what_sns_takes() {
        let told = subject(&format!("baseline Müller: 1 drift in 本番 {}", "x".repeat(200)));
        assert!(told.starts_with("baseline M?ller: 1 drift in ?? x"), "{told}");
        assert_eq!(told.len(), SUBJECT);
        assert_eq!(within("本番", 4), "本");
    }
}
