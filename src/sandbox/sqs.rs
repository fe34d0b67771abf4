//! Amazon SQS: standard and FIFO queues, with the memory for deduplication ids that AWS has.
//!
//! Sources: the service's API Reference, the operation named at each handler; SQS Developer Guide, "FIFO delivery
//! logic", "Exactly-once processing", "Visibility timeout" and "Dead-letter queues".

mod queue;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_sqs::operation::change_message_visibility::{
    ChangeMessageVisibilityInput, ChangeMessageVisibilityOutput,
};
use aws_sdk_sqs::operation::delete_message::{DeleteMessageInput, DeleteMessageOutput};
use aws_sdk_sqs::operation::get_queue_attributes::{GetQueueAttributesInput, GetQueueAttributesOutput};
use aws_sdk_sqs::operation::receive_message::{ReceiveMessageInput, ReceiveMessageOutput};
use aws_sdk_sqs::operation::send_message::{SendMessageInput, SendMessageOutput};
use aws_sdk_sqs::types::{
    Message as Received, MessageSystemAttributeName as Attribute, QueueAttributeName as Name,
};
use jiff::Timestamp;

use super::World;
use super::operation::{Call, Kept, Operation, Operations, Protocol, Refusal, Service, length_within};
use super::state::State;
pub use queue::{Message, Queue};

static SERVICE: Service = Service {
    id: "SQS",
    prefix: "sqs",
    protocol: Protocol::Json,
    throttled: ("RequestThrottled", 403),
    broken: ("InternalFailure", 500),
};

pub(super) fn operations() -> Operations {
    Operations::of(&SERVICE)
        .on("GetQueueAttributes", get_queue_attributes)
        .on("SendMessage", send_message)
        .on("ReceiveMessage", receive_message)
        .on("DeleteMessage", delete_message)
        .on("ChangeMessageVisibility", change_message_visibility)
}

/// SQS in one region of an account.
#[derive(Clone, Debug, Default)]
pub struct Sqs {
    pub queues: BTreeMap<String, Queue>,
}

impl World {
    /// Makes a queue and its dead-letter queue, and gives its URL; one whose name ends in `.fifo` is FIFO.
    pub fn make_queue(&self, account: &str, region: &str, name: &str, receives: u32) -> String {
        let (plain, fifo) = match name.strip_suffix(".fifo") {
            Some(plain) => (plain, ".fifo"),
            None => (name, ""),
        };
        let dead = format!("{plain}-dead{fifo}");
        self.region(account, region, |region| {
            region.sqs.queues.insert(dead.clone(), Queue::named(&dead));
            let mut queue = Queue::named(name);
            queue.redrive = Some((dead, receives));
            region.sqs.queues.insert(name.to_owned(), queue);
        });
        format!("https://sqs.{region}.amazonaws.com/{account}/{name}")
    }

    /// Puts a message into a queue behind the API, as a service of AWS does.
    ///
    /// # Panics
    ///
    /// When there is no such queue.
    pub fn put_message(&self, url: &str, body: &str) {
        let now = self.now();
        let put = place(url).is_some_and(|place| deliver(&mut self.locked(), place, body, now));
        assert!(put, "there is no queue `{url}`");
    }
}

/// Puts a message into a standard queue, by its region, account and name, and says whether there is one.
pub(super) fn deliver(
    state: &mut State,
    (region, account, name): (&str, &str, &str),
    body: &str,
    now: Timestamp,
) -> bool {
    let id = state.uuid();
    let account = state.accounts.get_mut(account);
    let queue = account.and_then(|account| account.region(region).sqs.queues.get_mut(name));
    let put = queue.map(|queue| queue.put(id, body, None, now)).is_some();
    state.queues_moved.notify_waiters();
    put
}

/// Region, account and name in a queue's URL.
fn place(url: &str) -> Option<(&str, &str, &str)> {
    let (host, path) = url.strip_prefix("https://sqs.")?.split_once('/')?;
    let (account, name) = path.split_once('/')?;
    Some((host.strip_suffix(".amazonaws.com")?, account, name))
}

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new(400, "InvalidParameterValue", message)
}

fn missing(parameter: &str) -> Refusal {
    let message = format!("The request must contain the parameter {parameter}.");
    Refusal::new(400, "MissingParameter", message)
}

/// Queues of other accounts need a policy, which this world's have not.
fn queue<'c>(call: &'c mut Call<'_>, url: Option<&str>) -> Result<&'c mut Queue, Refusal> {
    let url = url.ok_or_else(|| missing("QueueUrl"))?;
    // Whatever is done to a queue may let a message out.
    call.state.queues_moved.notify_waiters();
    let own =
        place(url).filter(|(region, account, _)| *region == call.region && *account == call.caller.account);
    let found = own.and_then(|(_, _, name)| call.here().sqs.queues.get_mut(name));
    found.ok_or_else(|| Refusal::new(400, "QueueDoesNotExist", "The specified queue does not exist."))
}

/// GetQueueAttributes: those that were asked for and are set.
fn get_queue_attributes(
    call: &mut Call<'_>,
    input: &GetQueueAttributesInput,
) -> Result<GetQueueAttributesOutput, Refusal> {
    let arn = |name: &str, call: &Call<'_>| call.arn("sqs", name);
    let queue = queue(call, input.queue_url())?.clone();
    let mut all = vec![
        (Name::QueueArn, arn(&queue.name, call)),
        (Name::VisibilityTimeout, queue.visibility.as_secs().to_string()),
    ];
    if queue.is_fifo() {
        all.push((Name::FifoQueue, "true".to_owned()));
    }
    if let Some((dead, most)) = &queue.redrive {
        let policy = serde_json::json!({"deadLetterTargetArn": arn(dead, call), "maxReceiveCount": most});
        all.push((Name::RedrivePolicy, policy.to_string()));
    }
    let asked = input.attribute_names();
    let wanted = |name: &Name| asked.contains(name) || asked.contains(&Name::All);
    let found: std::collections::HashMap<_, _> = all.into_iter().filter(|(name, _)| wanted(name)).collect();
    Ok(GetQueueAttributesOutput::builder()
        .set_attributes(Some(found).filter(|found| !found.is_empty()))
        .build())
}

/// SendMessage: a FIFO queue wants a group and a deduplication id of 1–128 characters, and takes no delay. A message
/// with an id that was sent within five minutes is accepted and not delivered, also where the first one is gone.
fn send_message(call: &mut Call<'_>, input: &SendMessageInput) -> Result<SendMessageOutput, Refusal> {
    let body = input.message_body().unwrap_or_default();
    if body.is_empty() {
        return Err(missing("MessageBody"));
    }
    if body.len() > 256 * 1024 {
        return Err(invalid(
            "One or more parameters are invalid. Reason: Message must be shorter than 262144 bytes.",
        ));
    }
    let (id, now) = (call.state.uuid(), call.now);
    let queue = queue(call, input.queue_url())?;
    let fifo = match (queue.is_fifo(), input.message_group_id(), input.message_deduplication_id()) {
        (true, None, _) => return Err(missing("MessageGroupId")),
        (true, Some(_), None) => {
            return Err(invalid(
                "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly",
            ));
        }
        (true, Some(group), Some(dedup)) => {
            let plain =
                |text: &str| length_within(text, 1, 128) && text.chars().all(|c| c.is_ascii_graphic());
            if !plain(group) || !plain(dedup) || input.delay_seconds().is_some() {
                return Err(invalid(
                    "Value for parameter MessageGroupId, MessageDeduplicationId or DelaySeconds is invalid.",
                ));
            }
            Some((group, dedup))
        }
        (false, None, None) => None,
        // A standard queue takes groups since 2025, for fairness; nothing here uses them.
        (false, ..) => {
            return Err(invalid("The request include parameter that is not valid for this queue type"));
        }
    };
    let id = queue.put(id, body, fifo, now);
    Ok(SendMessageOutput::builder().message_id(id).build())
}

/// ReceiveMessage: 1–10 messages, hidden for a while from everybody else. How long it waits is the wire's business.
fn receive_message(
    call: &mut Call<'_>,
    input: &ReceiveMessageInput,
) -> Result<ReceiveMessageOutput, Refusal> {
    let most = input.max_number_of_messages().unwrap_or(1);
    let wait = input.wait_time_seconds().unwrap_or(0);
    let hidden = input.visibility_timeout();
    if !(1..=10).contains(&most)
        || !(0..=20).contains(&wait)
        || hidden.is_some_and(|time| !(0..=43_200).contains(&time))
    {
        return Err(invalid(
            "Value for parameter MaxNumberOfMessages, WaitTimeSeconds or VisibilityTimeout is invalid.",
        ));
    }
    let (now, salt) = (call.now, call.state.hex(16));
    let queue = queue(call, input.queue_url())?;
    let hidden = hidden.map_or(queue.visibility, |time| Duration::from_secs(time.unsigned_abs().into()));
    let (taken, dead) = queue.take(usize::try_from(most).unwrap_or(1), hidden, now, &salt);
    let target = queue.redrive.as_ref().map(|(name, _)| name.clone());
    if let Some(target) = target.and_then(|name| call.here().sqs.queues.get_mut(&name)) {
        target.messages.extend(dead);
    }
    let told: Vec<Received> = taken
        .into_iter()
        .map(|message| {
            let wanted = |name: &Attribute| {
                let asked = input.message_system_attribute_names();
                asked.contains(name) || asked.contains(&Attribute::All)
            };
            let mut told = Received::builder()
                .message_id(&message.id)
                .receipt_handle(message.receipt.clone().unwrap_or_default())
                .body(&message.body);
            if wanted(&Attribute::ApproximateReceiveCount) {
                told = told.attributes(Attribute::ApproximateReceiveCount, message.receives.to_string());
            }
            if let Some(group) = message.group.as_ref().filter(|_| wanted(&Attribute::MessageGroupId)) {
                told = told.attributes(Attribute::MessageGroupId, group);
            }
            told.build()
        })
        .collect();
    Ok(ReceiveMessageOutput::builder().set_messages(Some(told).filter(|told| !told.is_empty())).build())
}

/// DeleteMessage: by the handle of the newest receipt. With one that has expired, a FIFO queue refuses; a standard
/// one answers as if nothing were wrong, and keeps the message.
fn delete_message(call: &mut Call<'_>, input: &DeleteMessageInput) -> Result<DeleteMessageOutput, Refusal> {
    let now = call.now;
    let receipt = input.receipt_handle().ok_or_else(|| missing("ReceiptHandle"))?;
    queue(call, input.queue_url())?.delete(receipt, now)?;
    Ok(DeleteMessageOutput::builder().build())
}

/// ChangeMessageVisibility: of a message in flight, up to 12 hours after it was received.
fn change_message_visibility(
    call: &mut Call<'_>,
    input: &ChangeMessageVisibilityInput,
) -> Result<ChangeMessageVisibilityOutput, Refusal> {
    let now = call.now;
    let receipt = input.receipt_handle().ok_or_else(|| missing("ReceiptHandle"))?;
    let time = input.visibility_timeout().ok_or_else(|| missing("VisibilityTimeout"))?;
    let time = u32::try_from(time).ok().filter(|time| *time <= 43_200);
    let time = time.ok_or_else(|| invalid("Value for parameter VisibilityTimeout is invalid."))?;
    queue(call, input.queue_url())?.hide(receipt, Duration::from_secs(time.into()), now)?;
    Ok(ChangeMessageVisibilityOutput::builder().build())
}

/// How long a call may wait for a message, and whether there is one by now.
pub(super) fn waits(operation: &Operation, input: &Kept) -> Option<(String, Duration)> {
    if (operation.service.prefix, operation.name) != ("sqs", "ReceiveMessage") {
        return None;
    }
    let input = input.downcast_ref::<ReceiveMessageInput>()?;
    let time = u64::try_from(input.wait_time_seconds().unwrap_or(0).min(20)).unwrap_or(0);
    Some((input.queue_url().unwrap_or_default().to_owned(), Duration::from_secs(time)))
}

/// In how long there may be something to be received: at once also where there is nothing to wait for.
pub(super) fn opens_in(state: &mut State, url: &str, now: Timestamp) -> Option<Duration> {
    let queue = place(url).and_then(|(region, account, name)| {
        state.accounts.get_mut(account)?.region(region).sqs.queues.get_mut(name)
    });
    queue.map_or(Some(Duration::ZERO), |queue| queue.opens_in(now))
}
