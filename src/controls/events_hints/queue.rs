//! A queue that hints come to, as the YAML says it: by its URL.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

use crate::place::{AccountId, Region};

const FORM: &str =
    "write the queue's URL as for `run --hints`: `https://sqs.REGION.amazonaws.com/ACCOUNT/NAME`";

/// A standard queue of Amazon SQS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    pub region: Region,
    pub account: AccountId,
    name: String,
}

impl Queue {
    pub fn arn(&self) -> String {
        let Self { region, account, name } = self;
        format!("arn:{}:sqs:{region}:{account}:{name}", region.partition())
    }

    /// The queue with this ARN.
    pub fn of_arn(arn: &str) -> Option<Self> {
        let mut parts = arn.splitn(6, ':');
        let (Some("arn"), Some(partition), Some("sqs")) = (parts.next(), parts.next(), parts.next()) else {
            return None;
        };
        let (region, account, name) = (parts.next()?, parts.next()?, parts.next()?);
        let queue: Self =
            format!("https://sqs.{region}.{}/{account}/{name}", suffix(partition)).parse().ok()?;
        (queue.region.partition() == partition).then_some(queue)
    }
}

/// How the names of a partition's hosts end (AWS General Reference, "Amazon SQS endpoints").
fn suffix(partition: &str) -> &'static str {
    match partition {
        "aws-cn" => "amazonaws.com.cn",
        "aws-iso" => "c2s.ic.gov",
        "aws-iso-b" => "sc2s.sgov.gov",
        "aws-eusc" => "amazonaws.eu",
        _ => "amazonaws.com",
    }
}

impl FromStr for Queue {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with("arn:") {
            return Err(format!("`{text}` is an ARN: {FORM}"));
        }
        let wrong = || format!("`{text}` is not a queue: {FORM}");
        let (host, path) =
            text.strip_prefix("https://sqs.").and_then(|rest| rest.split_once('/')).ok_or_else(wrong)?;
        let (region, domain) = host.split_once('.').ok_or_else(wrong)?;
        let (account, name) = path.split_once('/').ok_or_else(wrong)?;
        let is_code = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if region.len() > 32 || !region.contains('-') || !region.chars().all(is_code) {
            return Err(wrong());
        }
        let region = Region::new(region);
        if domain != suffix(region.partition()) {
            return Err(format!(
                "`{text}` is not a queue of {region}: hosts there end in `{}`",
                suffix(region.partition())
            ));
        }
        let account: AccountId = account.parse().map_err(|_| wrong())?;
        if name.ends_with(".fifo") {
            return Err(format!(
                "`{text}` is a FIFO queue, and EventBridge sends the events of one rule in one group to it: use a \
                 standard one, which `baseline generate hints queues` makes"
            ));
        }
        // SQS API Reference, CreateQueue: QueueName.
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        if !(1..=80).contains(&name.len()) || !name.chars().all(plain) {
            return Err(wrong());
        }
        Ok(Self { region, account, name: name.to_owned() })
    }
}

/// Its URL.
impl fmt::Display for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { region, account, name } = self;
        write!(f, "https://sqs.{region}.{}/{account}/{name}", suffix(region.partition()))
    }
}

impl Serialize for Queue {
    fn serialize<S: Serializer>(&self, into: S) -> Result<S::Ok, S::Error> {
        into.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Queue {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Queue {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Queue".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^https://sqs\\.[a-z0-9-]+\\.[a-z0-9.]+/[0-9]{12}/[A-Za-z0-9_-]{1,80}$",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_and_an_arn_are_the_same_queue() {
        for (url, arn) in [
            (
                "https://sqs.eu-west-1.amazonaws.com/777766665555/hints",
                "arn:aws:sqs:eu-west-1:777766665555:hints",
            ),
            (
                "https://sqs.cn-north-1.amazonaws.com.cn/777766665555/a_b-1",
                "arn:aws-cn:sqs:cn-north-1:777766665555:a_b-1",
            ),
            (
                "https://sqs.us-gov-west-1.amazonaws.com/777766665555/q",
                "arn:aws-us-gov:sqs:us-gov-west-1:777766665555:q",
            ),
        ] {
            let queue: Queue = url.parse().expect("a queue");
            assert_eq!((queue.to_string().as_str(), queue.arn().as_str()), (url, arn));
            assert_eq!(Queue::of_arn(arn), Some(queue));
        }
        for other in [
            "arn:aws:sns:eu-west-1:777766665555:hints",
            "arn:aws-cn:sqs:eu-west-1:777766665555:hints",
            "arn:aws:sqs:eu-west-1:777766665555:hints.fifo",
            "arn:aws:sqs:eu-west-1:777766665555",
            "",
        ] {
            assert_eq!(Queue::of_arn(other), None, "{other}");
        }
    }

    #[test]
    fn what_is_no_queue_is_refused_with_what_to_write() {
        let why = |text: &str| text.parse::<Queue>().expect_err(text);
        for bad in [
            "",
            "baseline-hints",
            "http://sqs.eu-west-1.amazonaws.com/777766665555/hints",
            "https://sqs.eu-west-1.amazonaws.com/777766665555",
            "https://sqs.eu-west-1.amazonaws.com/7777/hints",
            "https://sqs.eu-west-1.amazonaws.com/777766665555/",
            "https://sqs.eu-west-1.amazonaws.com/777766665555/a/b",
            "https://sqs.eu-west-1.amazonaws.com/777766665555/hints?region=us-east-1",
            "https://sqs.eu-west-1.amazonaws.com/777766665555/h\u{1b}[31m",
            "https://jo:secret@sqs.eu-west-1.amazonaws.com/777766665555/hints",
            "https://sqs.EU-WEST-1.amazonaws.com/777766665555/hints",
            "https://sqs.amazonaws.com/777766665555/hints",
            "https://eu-west-1.queue.amazonaws.com/777766665555/hints",
            "https://vpce-1.sqs.eu-west-1.vpce.amazonaws.com/777766665555/hints",
        ] {
            assert!(
                why(bad).contains("https://sqs.REGION.amazonaws.com/ACCOUNT/NAME"),
                "{bad}: {}",
                why(bad)
            );
        }
        let long = format!("https://sqs.eu-west-1.amazonaws.com/777766665555/{}", "a".repeat(81));
        assert!(why(&long).contains("is not a queue"));
        assert!(why("arn:aws:sqs:eu-west-1:777766665555:hints").contains("is an ARN"));
        assert!(
            why("https://sqs.eu-west-1.amazonaws.com/777766665555/hints.fifo").contains("use a standard one")
        );
        for (bad, ends) in [
            ("https://sqs.eu-west-1.amazonaws.com.evil.example/777766665555/hints", "amazonaws.com"),
            ("https://sqs.cn-north-1.amazonaws.com/777766665555/hints", "amazonaws.com.cn"),
            ("https://sqs.eu-west-1.amazonaws.com.cn/777766665555/hints", "amazonaws.com"),
        ] {
            assert!(why(bad).ends_with(&format!("end in `{ends}`")), "{bad}: {}", why(bad));
        }
    }
}
