//! CloudTrail's event history: which calls changed something, and who made them. A trail is not needed for it.
//!
//! What it cannot show: data events, and anything older than [`KEEPS`]. An event shows some minutes after its call
//! (CloudTrail User Guide, "Working with CloudTrail event history").

use std::collections::BTreeSet;

use aws_sdk_cloudtrail::types::{LookupAttribute, LookupAttributeKey};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use super::{Reader, fault};
use crate::fault::{Fault, FaultKind};
use crate::place::Region;

/// The one call of this file.
pub const LOOK_UP: &str = "cloudtrail:LookupEvents";

/// How long the event history keeps an event.
pub const KEEPS: SignedDuration = SignedDuration::from_hours(90 * 24);

/// Pages of 50 events that are asked for one name: at two a second, more would be waited for longer than read.
const PAGES: usize = 4;

/// A call that went through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// `service:Name`, by the prefix of IAM actions.
    pub call: String,
    pub at: Timestamp,
    /// The ARN, or where AWS itself called, the service.
    pub principal: String,
    /// An address, or the name of a service of AWS.
    pub from: Option<String>,
    /// What the caller said that it is.
    pub agent: Option<String>,
    /// Every text in the request and among the resources: what it was about.
    pub about: BTreeSet<String>,
}

/// Events of one name, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Events {
    pub events: Vec<Event>,
    /// There are older ones, which were not asked for.
    pub more: bool,
}

/// The name that CloudTrail gives to an operation. It is nearly always the operation's own; Amazon S3's differ (S3
/// User Guide, "Amazon S3 CloudTrail events").
pub fn event_name(operation: &str) -> &str {
    match operation {
        "s3:PutBucketLifecycleConfiguration" => "PutBucketLifecycle",
        "s3:PutObjectLockConfiguration" => "PutBucketObjectLockConfiguration",
        "s3:PutPublicAccessBlock" => "PutBucketPublicAccessBlock",
        "s3control:PutPublicAccessBlock" => "PutAccountPublicAccessBlock",
        other => other.split_once(':').map_or(other, |(_, name)| name),
    }
}

/// How the `eventSource` of a service begins, which is known here by the prefix of IAM actions: `monitoring` of
/// `monitoring.amazonaws.com`. It is nearly always that prefix.
pub fn event_source(service: &str) -> &str {
    match service {
        "cloudwatch" => "monitoring",
        "s3control" => "s3",
        other => other,
    }
}

/// The regions whose event history holds the calls of a service that change something in `here`. Global services log
/// to the partition's global region (CloudTrail User Guide, "Global service events"); the block of a whole account
/// is set at any endpoint, in practice at this one or there.
pub fn regions(service: &str, here: &Region) -> Vec<Region> {
    let global = Region::global(here.partition());
    match service {
        "iam" | "organizations" => vec![global],
        "s3control" if *here != global => vec![here.clone(), global],
        _ => vec![here.clone()],
    }
}

/// The calls of this name that went through since `from`, in the session's account and region.
///
/// # Errors
///
/// When they cannot be looked up.
pub async fn look_up(aws: &Reader, call: &str, from: Timestamp) -> Result<Events, Fault> {
    let invalid = |what: String| Fault::local(FaultKind::Invalid, LOOK_UP, what);
    let (service, name) = call.split_once(':').unwrap_or(("", call));
    let attribute = LookupAttribute::builder()
        .attribute_key(LookupAttributeKey::EventName)
        .attribute_value(name)
        .build()
        .map_err(|error| invalid(error.to_string()))?;
    let asked = aws
        .cloudtrail()
        .lookup_events()
        .lookup_attributes(attribute)
        .start_time(aws_smithy_types::DateTime::from_secs(from.as_second()))
        .max_results(50);
    let mut found = Events::default();
    let mut token = None;
    for page in 1..=PAGES {
        let answer = asked.clone().set_next_token(token).send().await.map_err(fault(LOOK_UP))?;
        for event in answer.events.unwrap_or_default() {
            let Some(text) = event.cloud_trail_event else { continue };
            let written: Written = serde_json::from_str(&text)
                .map_err(|error| invalid(format!("an event cannot be read: {error}")))?;
            // Another service may have an operation of the same name; a call that failed changed nothing.
            if written.error_code.is_none() && written.is_of(service) {
                found.events.push(written.event(service));
            }
        }
        token = answer.next_token;
        found.more = token.is_some();
        if !found.more || page == PAGES {
            break;
        }
    }
    Ok(found)
}

/// An event as CloudTrail writes it (CloudTrail User Guide, "CloudTrail record contents").
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    event_time: Timestamp,
    event_source: String,
    event_name: String,
    #[serde(default)]
    error_code: Option<String>,
    #[serde(default, rename = "sourceIPAddress")]
    source_address: Option<String>,
    #[serde(default)]
    user_agent: Option<String>,
    #[serde(default)]
    user_identity: Identity,
    #[serde(default)]
    request_parameters: Value,
    #[serde(default)]
    resources: Value,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Identity {
    #[serde(default, rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    arn: Option<String>,
    #[serde(default)]
    invoked_by: Option<String>,
    #[serde(default)]
    principal_id: Option<String>,
}

impl Written {
    fn is_of(&self, service: &str) -> bool {
        self.event_source.split('.').next() == Some(event_source(service))
    }

    fn event(self, service: &str) -> Event {
        let Identity { kind, arn, invoked_by, principal_id } = self.user_identity;
        let mut about = BTreeSet::new();
        texts(&self.request_parameters, &mut about);
        texts(&self.resources, &mut about);
        Event {
            call: format!("{service}:{}", self.event_name),
            at: self.event_time,
            principal: arn.or(invoked_by).or(principal_id).or(kind).unwrap_or_else(|| "not said".into()),
            from: self.source_address,
            agent: self.user_agent,
            about,
        }
    }
}

fn texts(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            into.insert(text.clone());
        }
        Value::Array(items) => items.iter().for_each(|item| texts(item, into)),
        Value::Object(map) => map.values().for_each(|value| texts(value, into)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

impl Event {
    /// Does the call name this resource, as it is or at the end of an ARN?
    pub fn names(&self, resource: &str) -> bool {
        self.about.iter().any(|text| {
            let at_the_end =
                |text: &str| text.strip_suffix(resource).is_some_and(|own| own.ends_with(['/', ':']));
            text == resource || (text.starts_with("arn:") && at_the_end(text))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_that_is_global_is_looked_up_where_it_logs() {
        let here = Region::new("eu-west-1");
        let names = |service: &str, here: &Region| {
            regions(service, here).iter().map(|region| region.as_str().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(names("iam", &here), ["us-east-1"]);
        assert_eq!(names("guardduty", &here), ["eu-west-1"]);
        assert_eq!(names("s3control", &here), ["eu-west-1", "us-east-1"]);
        assert_eq!(names("s3control", &Region::new("us-east-1")), ["us-east-1"]);
        assert_eq!(names("iam", &Region::new("cn-northwest-1")), ["cn-north-1"]);
    }

    /// Shortened from the CloudTrail User Guide, "CloudTrail log event examples".
    #[test]
    fn an_event_says_who_from_where_and_about_what() {
        let text = r#"{
            "eventVersion": "1.08",
            "userIdentity": {
                "type": "AssumedRole",
                "principalId": "AROAEXAMPLE:jo",
                "arn": "arn:aws:sts::111122223333:assumed-role/admin/jo",
                "sessionContext": {"sessionIssuer": {"type": "Role", "userName": "admin"}}
            },
            "eventTime": "2026-11-20T08:12:33Z",
            "eventSource": "ecr.amazonaws.com",
            "eventName": "PutImageScanningConfiguration",
            "awsRegion": "eu-west-1",
            "sourceIPAddress": "192.0.2.7",
            "userAgent": "aws-cli/2.31.0",
            "requestParameters": {"repositoryName": "payments/web", "imageScanningConfiguration": {"scanOnPush": false}},
            "responseElements": null,
            "resources": [{"ARN": "arn:aws:ecr:eu-west-1:111122223333:repository/payments/web", "accountId": "111122223333"}]
        }"#;
        let written: Written = serde_json::from_str(text).expect("an event");
        assert!(written.is_of("ecr") && !written.is_of("ecr-public"));
        let event = written.event("ecr");
        assert_eq!(event.principal, "arn:aws:sts::111122223333:assumed-role/admin/jo");
        assert_eq!(event.from.as_deref(), Some("192.0.2.7"));
        assert_eq!(event.call, "ecr:PutImageScanningConfiguration");
        assert!(event.names("payments/web"));
        assert!(!event.names("eb") && !event.names("payments/api"));
    }

    #[test]
    fn a_service_of_aws_that_calls_by_itself_is_named() {
        let text = r#"{"eventTime": "2026-11-20T08:12:33Z", "eventSource": "monitoring.amazonaws.com",
            "eventName": "DeleteAlarms", "sourceIPAddress": "cloudformation.amazonaws.com",
            "userIdentity": {"type": "AWSService", "invokedBy": "cloudformation.amazonaws.com"}, "requestParameters": null}"#;
        let written: Written = serde_json::from_str(text).expect("an event");
        assert!(written.is_of("cloudwatch"));
        assert_eq!(written.event("cloudwatch").principal, "cloudformation.amazonaws.com");
    }
}
