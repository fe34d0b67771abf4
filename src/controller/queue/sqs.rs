//! A queue of Amazon SQS: messages of a controller in a FIFO queue, or events in a standard one. All calls are made with
//! the caller's own credentials.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use aws_sdk_sqs::types::QueueAttributeName as Name;
use tokio_util::sync::CancellationToken;

use super::Wanted;
use crate::aws::{Aws, Lease, Moment, Reader, fault};
use crate::fault::{Fault, FaultKind};
use crate::place::Region;

/// For how long whoever received a message has it alone; prolonged while it is worked at.
pub const HIDDEN: Duration = Duration::from_secs(120);

/// How often it is prolonged.
const PROLONGED_EVERY: Duration = Duration::from_secs(30);

/// How long a call waits for a message.
pub const WAITS: Duration = Duration::from_secs(10);

const ATTRIBUTES: &str = "sqs:GetQueueAttributes";
const SEND: &str = "sqs:SendMessage";
const RECEIVE: &str = "sqs:ReceiveMessage";
const DELETE: &str = "sqs:DeleteMessage";
const HIDE: &str = "sqs:ChangeMessageVisibility";

/// Where a queue is: `https://sqs.eu-west-1.amazonaws.com/111122223333/baseline.fifo`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueUrl {
    url: String,
    region: Region,
}

/// Why a queue cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    #[error("the queue `{queue}` cannot be reached")]
    Unreachable { queue: String, source: Box<Fault> },
    #[error("`{queue}` is not a FIFO queue")]
    NotFifo { queue: String },
    #[error(
        "`{queue}` is a FIFO queue, and EventBridge sends events of one rule in one group to it: use a standard one"
    )]
    Fifo { queue: String },
    #[error("the queue `{queue}` has no dead-letter queue for what cannot be read")]
    NoDeadLetters { queue: String },
}

/// A message that was received, and how long nobody else has it.
#[derive(Debug)]
pub struct Received {
    pub body: String,
    pub receipt: String,
    pub lease: Lease,
}

impl FromStr for QueueUrl {
    type Err = String;

    /// The region is the host's, or `?region=` behind the URL of an endpoint of one's own.
    fn from_str(text: &str) -> Result<Self, String> {
        const FORM: &str = "write the queue's URL: `https://sqs.REGION.amazonaws.com/ACCOUNT/NAME`";
        let (url, said) = match text.split_once("?region=") {
            Some((url, region)) => (url, Some(region)),
            None => (text, None),
        };
        let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")).ok_or(FORM)?;
        let (host, path) = rest.split_once('/').ok_or(FORM)?;
        let name = path.rsplit('/').next().unwrap_or_default();
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if host.contains('@') {
            return Err("a password does not belong into a URL".to_owned());
        }
        if host.is_empty() || name.is_empty() || !name.chars().all(plain) {
            return Err(FORM.to_owned());
        }
        let of_host = || Some(host.strip_prefix("sqs.")?.split_once(".amazonaws.com")?.0);
        let region = said.or_else(of_host).filter(|region| !region.is_empty() && region.chars().all(plain));
        let region = region.ok_or("its host names no region: write `?region=eu-west-1` behind the URL")?;
        Ok(Self { url: url.to_owned(), region: Region::new(region) })
    }
}

impl fmt::Display for QueueUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

impl QueueUrl {
    fn reader(&self, aws: &Aws) -> Reader {
        aws.caller_reader(&self.region)
    }

    /// Makes sure that it is a queue that can be used: of this kind, and with a dead-letter queue.
    ///
    /// # Errors
    ///
    /// What it is not.
    pub async fn check(&self, aws: &Aws, fifo: bool) -> Result<(), QueueError> {
        let queue = self.url.clone();
        let reader = self.reader(aws);
        let call = reader.sqs().get_queue_attributes().queue_url(&self.url).attribute_names(Name::All);
        let answer = reader.run(call.send()).await.map_err(fault(ATTRIBUTES));
        let attributes = match answer {
            Ok(answer) => answer.attributes.unwrap_or_default(),
            Err(source) => return Err(QueueError::Unreachable { queue, source: Box::new(source) }),
        };
        let is_fifo = attributes.get(&Name::FifoQueue).is_some_and(|said| said == "true");
        match (is_fifo, fifo) {
            (false, true) => Err(QueueError::NotFifo { queue }),
            (true, false) => Err(QueueError::Fifo { queue }),
            _ if !attributes.contains_key(&Name::RedrivePolicy) => Err(QueueError::NoDeadLetters { queue }),
            _ => Ok(()),
        }
    }

    /// Asks for a look, in the account's own group. Asked for twice within five minutes it is one message.
    ///
    /// # Errors
    ///
    /// When SQS does not take it.
    pub async fn send(&self, aws: &Aws, wanted: &Wanted) -> Result<(), Fault> {
        let reader = self.reader(aws);
        let call = reader
            .sqs()
            .send_message()
            .queue_url(&self.url)
            .message_group_id(wanted.account.as_str())
            .message_deduplication_id(wanted.id())
            .message_body(wanted.body());
        reader.run(call.send()).await.map(drop).map_err(fault(SEND))
    }

    /// Waits a little for messages, ten at most.
    ///
    /// # Errors
    ///
    /// When SQS does not answer.
    pub async fn receive(&self, aws: &Aws, most: usize) -> Result<Vec<Received>, Fault> {
        let reader = self.reader(aws);
        // A lease begins when SQS answers. That was later than now, so nobody counts on too much.
        let asked = Moment::now();
        let call = reader
            .sqs()
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(i32::try_from(most.clamp(1, 10)).unwrap_or(1))
            .visibility_timeout(seconds(HIDDEN))
            .wait_time_seconds(seconds(WAITS));
        let answer = reader.run(call.send()).await.map_err(fault(RECEIVE))?;
        let received = answer.messages.unwrap_or_default().into_iter().map(|message| {
            let receipt = message.receipt_handle.ok_or_else(|| {
                Fault::local(FaultKind::Invalid, RECEIVE, "a message has no receipt handle")
            })?;
            let lease = Lease::new(asked, HIDDEN);
            Ok(Received { body: message.body.unwrap_or_default(), receipt, lease })
        });
        received.collect()
    }

    /// # Errors
    ///
    /// When SQS does not answer, or somebody else has the message by now.
    pub async fn delete(&self, aws: &Aws, receipt: &str) -> Result<(), Fault> {
        let reader = self.reader(aws);
        let call = reader.sqs().delete_message().queue_url(&self.url).receipt_handle(receipt);
        reader.run(call.send()).await.map(drop).map_err(fault(DELETE))
    }

    /// Nobody sees the message for so long from now on; for no time at all, everybody does.
    ///
    /// # Errors
    ///
    /// As [`QueueUrl::delete`].
    pub async fn hide(&self, aws: &Aws, receipt: &str, time: Duration) -> Result<(), Fault> {
        let reader = self.reader(aws);
        let call = reader
            .sqs()
            .change_message_visibility()
            .queue_url(&self.url)
            .receipt_handle(receipt)
            .visibility_timeout(seconds(time));
        reader.run(call.send()).await.map(drop).map_err(fault(HIDE))
    }

    /// Prolongs a lease for as long as it is polled. Where that fails until too little is left, `lost` is cancelled.
    pub async fn hold(
        &self,
        aws: &Aws,
        receipts: &[String],
        lease: &Lease,
        lost: &CancellationToken,
    ) -> Infallible {
        loop {
            tokio::time::sleep(PROLONGED_EVERY.min(lease.left() / 2)).await;
            if !lease.lets_write() {
                lost.cancel();
                return std::future::pending().await;
            }
            let asked = Moment::now();
            let hidden = receipts.iter().map(|receipt| self.hide(aws, receipt, HIDDEN));
            match futures::future::try_join_all(hidden).await {
                Ok(_) => lease.prolong(asked, HIDDEN),
                Err(fault) => {
                    tracing::warn!(target: super::super::TARGET, queue = %self, %fault, "a lease is not prolonged");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        }
    }
}

fn seconds(time: Duration) -> i32 {
    i32::try_from(time.as_secs()).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_is_known_by_its_url() {
        let read = |text: &str| text.parse::<QueueUrl>();
        let queue = read("https://sqs.eu-west-1.amazonaws.com/111122223333/baseline.fifo").expect("a queue");
        assert_eq!(queue.region.as_str(), "eu-west-1");
        let china = read("https://sqs.cn-north-1.amazonaws.com.cn/111122223333/q").expect("a queue");
        assert_eq!(china.region.as_str(), "cn-north-1");
        let own = read("http://127.0.0.1:4100/000000000000/q.fifo?region=eu-west-1").expect("a queue");
        assert_eq!(
            (own.url.as_str(), own.region.as_str()),
            ("http://127.0.0.1:4100/000000000000/q.fifo", "eu-west-1")
        );
        for (text, says) in [
            ("sqs://baseline", "write the queue's URL"),
            ("arn:aws:sqs:eu-west-1:111122223333:q", "write the queue's URL"),
            ("https://sqs.eu-west-1.amazonaws.com", "write the queue's URL"),
            ("https://jo:x@sqs.eu-west-1.amazonaws.com/1/q", "a password does not belong"),
            ("https://queue.acme.example/1/q", "names no region"),
        ] {
            let error = read(text).expect_err(text);
            assert!(error.contains(says), "{text}: {error}");
        }
    }
}
