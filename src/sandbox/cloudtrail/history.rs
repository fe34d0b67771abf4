//! The event history: the writes that landed, as CloudTrail tells them, for as long as there is room.
//!
//! Sources: CloudTrail API Reference, LookupEvents; CloudTrail User Guide, "Working with CloudTrail event history",
//! "CloudTrail record contents" and "Global service events".

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_cloudtrail::operation::lookup_events::{LookupEventsInput, LookupEventsOutput};
use aws_sdk_cloudtrail::types::{Event, LookupAttributeKey};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::super::identity::{Caller, Principal};
use super::super::operation::{Call, Kept, Operation, Refusal, date_time, page};
use super::super::parameters;
use super::refuse;
use crate::aws::history::event_name;

/// Events that are kept, of all accounts together; older ones make room.
const ROOM: usize = 10_000;

/// Events of a page, less than the 50 that may be asked for: nobody is promised full pages.
const A_PAGE: usize = 10;

/// "CloudTrail typically delivers events within an average of about 5 minutes of an API call."
const SHOWS_AFTER: Duration = Duration::from_secs(300);

/// "You can look up events that occurred in a Region within the last 90 days."
const KEEPS: SignedDuration = SignedDuration::from_hours(90 * 24);

/// Where everybody in this world calls from; an address for documentation (RFC 5737).
const ADDRESS: &str = "192.0.2.10";

/// The writes that landed in a world.
#[derive(Debug, Default)]
pub(in crate::sandbox) struct History {
    events: VecDeque<Recorded>,
    /// Ever recorded: event ids are made of it.
    count: u64,
}

/// An event that did not come from a call of an SDK client, told as CloudTrail would tell it.
#[derive(Clone, Debug)]
pub struct Told {
    pub account: String,
    pub region: String,
    /// `service:Name`.
    pub call: String,
    pub principal: Principal,
    pub address: String,
    /// `requestParameters`.
    pub parameters: Value,
    /// `errorCode`, of a call that was refused.
    pub error: Option<String>,
}

struct Recorded {
    number: u64,
    at: Timestamp,
    account: String,
    region: String,
    /// `service:Name`, by the prefix of IAM actions and CloudTrail's name.
    call: String,
    caller: Arc<Caller>,
    address: String,
    agent: String,
    error: Option<String>,
    parameters: Parameters,
}

/// Made into JSON only when somebody looks.
enum Parameters {
    Of(&'static Operation, Kept),
    Are(Value),
}

impl fmt::Debug for Recorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {} {} at {}", self.call, self.account, self.region, self.at)
    }
}

impl History {
    /// Keeps a write that landed, and says whether it did: what is done to objects and messages is a data event, which the
    /// history never has.
    pub fn add(
        &mut self,
        operation: &'static Operation,
        input: &Kept,
        caller: &Arc<Caller>,
        (region, at): (&str, Timestamp),
        agent: &str,
    ) -> bool {
        let prefix = operation.service.prefix;
        if prefix == "sqs" || (prefix, operation.name) == ("s3", "PutObject") {
            return false;
        }
        let name = format!("{prefix}:{}", operation.name);
        let call = format!("{prefix}:{}", event_name(&name));
        self.push(Recorded {
            number: 0,
            at,
            account: caller.account.clone(),
            region: logged_in(prefix, region),
            call,
            caller: Arc::clone(caller),
            address: ADDRESS.to_owned(),
            agent: agent.to_owned(),
            error: None,
            parameters: Parameters::Of(operation, Arc::clone(input)),
        });
        true
    }

    /// Account and region of the newest event.
    pub fn last(&self) -> Option<(&str, &str)> {
        self.events.back().map(|event| (event.account.as_str(), event.region.as_str()))
    }

    /// The newest event as CloudTrail records it.
    pub fn last_record(&self) -> Option<Value> {
        self.events.back().map(Recorded::record)
    }

    pub fn tell(&mut self, told: Told, at: Timestamp) {
        let prefix = told.call.split_once(':').map_or("", |(prefix, _)| prefix);
        let caller =
            Caller { account: told.account.clone(), principal: told.principal, token: None, expires: None };
        self.push(Recorded {
            number: 0,
            at,
            region: logged_in(prefix, &told.region),
            account: told.account,
            call: told.call,
            caller: Arc::new(caller),
            address: told.address,
            agent: "aws-cli/2.31.0".to_owned(),
            error: told.error,
            parameters: Parameters::Are(told.parameters),
        });
    }

    fn push(&mut self, event: Recorded) {
        self.count += 1;
        self.events.push_back(Recorded { number: self.count, ..event });
        if self.events.len() > ROOM {
            self.events.pop_front();
        }
    }
}

/// Global services log to us-east-1, wherever they are called.
fn logged_in(service: &str, region: &str) -> String {
    if matches!(service, "iam" | "organizations") { "us-east-1" } else { region }.to_owned()
}

/// LookupEvents: newest first, one attribute at most, 1–50 results, 90 days, this account and this region.
pub(super) fn look_up(call: &mut Call<'_>, input: &LookupEventsInput) -> Result<LookupEventsOutput, Refusal> {
    if input.max_results().is_some_and(|results| !(1..=50).contains(&results)) {
        return Err(refuse("InvalidMaxResultsException", "The number of results must be between 1 and 50."));
    }
    let attribute = match input.lookup_attributes() {
        [] => None,
        [one] if (1..=2000).contains(&one.attribute_value().len()) => Some(one),
        _ => {
            let text = "Only one attribute, with a value of 1 to 2000 characters, can be specified.";
            return Err(refuse("InvalidLookupAttributesException", text));
        }
    };
    let (start, end) = (input.start_time().map(|at| at.secs()), input.end_time().map(|at| at.secs()));
    if let (Some(start), Some(end)) = (start, end)
        && start > end
    {
        let text = "The start time must be before the end time.";
        return Err(refuse("InvalidTimeRangeException", text));
    }
    let shown = |event: &&Recorded| {
        let at = event.at.as_second();
        event.account == call.caller.account
            && event.region == call.region
            && event.at + SHOWS_AFTER <= call.now
            && call.now.duration_since(event.at) <= KEEPS
            && start.is_none_or(|start| at >= start)
            && end.is_none_or(|end| at <= end)
            // Nothing of this world is an Insights event.
            && input.event_category().is_none()
            && attribute.is_none_or(|one| event.has(one.attribute_key(), one.attribute_value()))
    };
    let mut found: Vec<&Recorded> = call.state.history.events.iter().filter(shown).collect();
    found.sort_by_key(|event| (std::cmp::Reverse(event.at), std::cmp::Reverse(event.number)));
    let size = input.max_results().and_then(|size| usize::try_from(size).ok()).unwrap_or(A_PAGE).min(A_PAGE);
    let (found, next) = page(&found, input.next_token(), size)
        .ok_or_else(|| refuse("InvalidNextTokenException", "The token is not valid."))?;
    let events = found.into_iter().map(Recorded::event).collect();
    Ok(LookupEventsOutput::builder().set_events(Some(events)).set_next_token(next).build())
}

impl Recorded {
    fn name(&self) -> &str {
        self.call.split_once(':').map_or(&self.call, |(_, name)| name)
    }

    fn source(&self) -> String {
        let prefix = self.call.split_once(':').map_or("", |(prefix, _)| prefix);
        let source = match prefix {
            "cloudwatch" => "monitoring",
            "s3control" => "s3",
            other => other,
        };
        format!("{source}.amazonaws.com")
    }

    fn id(&self) -> String {
        format!("e0e0e0e0-0000-4000-8000-{:012x}", self.number)
    }

    fn user(&self) -> String {
        match &self.caller.principal {
            Principal::Root => "root".to_owned(),
            Principal::User(name) => name.clone(),
            Principal::Session { session, .. } => session.clone(),
        }
    }

    /// Resources are not told here, so no event is found by one.
    fn has(&self, key: &LookupAttributeKey, value: &str) -> bool {
        match key {
            LookupAttributeKey::EventName => self.name() == value,
            LookupAttributeKey::EventSource => self.source() == value,
            LookupAttributeKey::EventId => self.id() == value,
            LookupAttributeKey::ReadOnly => value == "false",
            LookupAttributeKey::Username => self.user() == value,
            _ => false,
        }
    }

    /// The record as it stands in log files.
    fn record(&self) -> Value {
        let caller = &self.caller;
        let identity = match &caller.principal {
            Principal::Root => json!({ "type": "Root" }),
            Principal::User(name) => json!({ "type": "IAMUser", "userName": name }),
            Principal::Session { role, .. } => json!({
                "type": "AssumedRole",
                "sessionContext": { "sessionIssuer": { "type": "Role", "userName": role, "arn": caller.policy_arn() } },
            }),
        };
        let mut identity = identity;
        identity["arn"] = json!(caller.arn());
        identity["accountId"] = json!(caller.account);
        let request = match &self.parameters {
            Parameters::Of(operation, input) => parameters::of((operation.describe_input)(&**input).as_str()),
            Parameters::Are(value) => value.clone(),
        };
        let mut event = json!({
            "eventVersion": "1.11",
            "userIdentity": identity,
            "eventTime": self.at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "eventSource": self.source(),
            "eventName": self.name(),
            "awsRegion": self.region,
            "sourceIPAddress": self.address,
            "userAgent": self.agent,
            "requestParameters": request,
            "responseElements": null,
            "eventID": self.id(),
            "readOnly": false,
            "eventType": "AwsApiCall",
            "managementEvent": true,
            "recipientAccountId": self.account,
            "eventCategory": "Management",
        });
        if let Some(error) = &self.error {
            event["errorCode"] = json!(error);
        }
        event
    }

    fn event(&self) -> Event {
        let at = Timestamp::from_second(self.at.as_second()).unwrap_or(self.at);
        Event::builder()
            .event_id(self.id())
            .event_name(self.name())
            .event_source(self.source())
            .event_time(date_time(at))
            .read_only("false")
            .username(self.user())
            .cloud_trail_event(self.record().to_string())
            .build()
    }
}
