//! Subscriptions of topics.

use std::time::Duration;

use aws_sdk_sns::operation::list_subscriptions_by_topic::{
    ListSubscriptionsByTopicInput, ListSubscriptionsByTopicOutput,
};
use aws_sdk_sns::operation::subscribe::{SubscribeInput, SubscribeOutput};
use jiff::Timestamp;

use super::super::operation::{Call, Refusal, page};
use super::{invalid, topic};

/// A subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    pub id: String,
    pub protocol: String,
    pub endpoint: String,
    pub confirmed: bool,
    pub made: Timestamp,
}

/// How long the token holds (Subscribe: "Confirmation tokens are valid for two days"); then SNS forgets what was not
/// confirmed (SNS Developer Guide, "Deleting a subscription": pending ones go by themselves).
const FORGOTTEN_AFTER: Duration = Duration::from_secs(48 * 3600);

impl Subscription {
    fn is_forgotten(&self, now: Timestamp) -> bool {
        !self.confirmed && self.made + FORGOTTEN_AFTER < now
    }
}

/// Subscribe: endpoints as the reference has them for each protocol. Queues and functions of the topic's own account
/// are confirmed at once ("If the endpoint type is HTTP/S or email, or if the endpoint and the topic are not in the
/// same account, the endpoint owner must run the ConfirmSubscription action"). The same endpoint again is the same
/// subscription. `http` is refused: nothing here should ask for it.
pub(super) fn subscribe(call: &mut Call<'_>, input: &SubscribeInput) -> Result<SubscribeOutput, Refusal> {
    let endpoint = input.endpoint().unwrap_or_default().to_owned();
    let protocol = input.protocol().unwrap_or_default().to_owned();
    if input.attributes().is_some_and(|all| !all.is_empty()) {
        return Err(invalid("Attributes"));
    }
    let service = match protocol.as_str() {
        "email" | "email-json" if endpoint.contains('@') => None,
        "https" if endpoint.starts_with("https://") => None,
        "sqs" | "lambda" if endpoint.starts_with(&format!("arn:aws:{protocol}:")) => Some(protocol.as_str()),
        "email" | "email-json" | "https" | "sqs" | "lambda" => return Err(invalid("Endpoint")),
        _ => return Err(invalid("Protocol")),
    };
    let own = service.is_some_and(|_| endpoint.split(':').nth(4) == Some(call.caller.account.as_str()));
    let (now, id) = (call.now, call.state.uuid());
    let topic = topic(call, input.topic_arn())?;
    topic.subscriptions.retain(|one| !one.is_forgotten(now));
    let found =
        topic.subscriptions.iter_mut().find(|one| one.protocol == protocol && one.endpoint == endpoint);
    let (id, confirmed) = match found {
        Some(there) => (there.id.clone(), there.confirmed),
        None => {
            let made = Subscription { id: id.clone(), protocol, endpoint, confirmed: own, made: now };
            topic.subscriptions.push(made);
            (id, own)
        }
    };
    let arn = if confirmed || input.return_subscription_arn() == Some(true) {
        format!("{}:{id}", input.topic_arn().unwrap_or_default())
    } else {
        "pending confirmation".to_owned()
    };
    Ok(SubscribeOutput::builder().subscription_arn(arn).build())
}

/// How many a page has. AWS gives up to 100; fewer here, so that whoever does not paginate is found out.
const A_PAGE: usize = 2;

/// ListSubscriptionsByTopic: the ARN of what is not confirmed is `PendingConfirmation`.
pub(super) fn list_by_topic(
    call: &mut Call<'_>,
    input: &ListSubscriptionsByTopicInput,
) -> Result<ListSubscriptionsByTopicOutput, Refusal> {
    let (now, owner) = (call.now, call.caller.account.clone());
    let topic = topic(call, input.topic_arn())?;
    let all: Vec<Subscription> =
        topic.subscriptions.iter().filter(|one| !one.is_forgotten(now)).cloned().collect();
    let (listed, next) = page(&all, input.next_token(), A_PAGE).ok_or_else(|| invalid("NextToken"))?;
    let arn = input.topic_arn().unwrap_or_default();
    let told = listed.into_iter().map(|one| {
        let own = if one.confirmed { format!("{arn}:{}", one.id) } else { "PendingConfirmation".into() };
        aws_sdk_sns::types::Subscription::builder()
            .subscription_arn(own)
            .owner(&owner)
            .protocol(one.protocol)
            .endpoint(one.endpoint)
            .topic_arn(arn)
            .build()
    });
    Ok(ListSubscriptionsByTopicOutput::builder()
        .set_subscriptions(Some(told.collect()))
        .set_next_token(next)
        .build())
}
