//! SNS as SDK clients meet it.

use std::time::Duration;

use aws_sdk_sns::Client;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::super::World;
use super::super::sample::PROD_PAYMENTS;
use super::super::tests::client;

const REGION: &str = "eu-west-1";

fn arn(name: &str) -> String {
    format!("arn:aws:sns:{REGION}:{PROD_PAYMENTS}:{name}")
}

fn code<T, E: ProvideErrorMetadata + std::fmt::Debug>(answer: Result<T, E>) -> String {
    let error = answer.err().expect("refused");
    error.code().unwrap_or_default().to_owned()
}

async fn states(sns: &Client) -> Vec<(String, String)> {
    let mut states = Vec::new();
    let mut pages =
        sns.list_subscriptions_by_topic().topic_arn(arn("alerts")).into_paginator().items().send();
    while let Some(one) = pages.next().await {
        let one = one.expect("a subscription");
        states.push((one.endpoint.unwrap_or_default(), one.subscription_arn.unwrap_or_default()));
    }
    states
}

#[tokio::test(start_paused = true)]
async fn a_topic_is_made_once_and_with_other_attributes_not_again() {
    let world = World::acme();
    let sns = client!(aws_sdk_sns, world, PROD_PAYMENTS, REGION);
    let ask = sns.get_topic_attributes().topic_arn(arn("alerts"));
    assert_eq!(code(ask.clone().send().await), "NotFound");
    let make = sns.create_topic().name("alerts").attributes("DisplayName", "Alerts");
    for _ in 0..2 {
        assert_eq!(make.clone().send().await.expect("made").topic_arn, Some(arn("alerts")));
    }
    assert_eq!(code(make.attributes("DisplayName", "Other").send().await), "InvalidParameter");
    assert_eq!(code(sns.create_topic().name("a b").send().await), "InvalidParameter");
    let told = ask.send().await.expect("there").attributes.expect("attributes");
    assert_eq!(told["DisplayName"], "Alerts");
    assert!(told["Policy"].contains("AWS:SourceOwner") && !told.contains_key("KmsMasterKeyId"));
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_with_an_attribute_is_found_out() {
    let world = World::acme();
    let sns = client!(aws_sdk_sns, world, PROD_PAYMENTS, REGION);
    sns.create_topic().name("alerts").send().await.expect("made");
    let set = |name: &str, value: &str| {
        let request = sns.set_topic_attributes().topic_arn(arn("alerts"));
        request.attribute_name(name).attribute_value(value).send()
    };
    let statement = |resource: &str, action: &str| {
        let one = serde_json::json!({"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"},
                                     "Action": action, "Resource": resource});
        serde_json::json!({"Version": "2012-10-17", "Statement": [one]}).to_string()
    };
    for (name, value) in [
        ("KmsMasterKeyId", "alias/none".to_owned()),
        ("Policy", "{}".to_owned()),
        ("Policy", statement(&arn("other"), "sns:Publish")),
        ("Policy", statement(&arn("alerts"), "sns:*")),
        ("DisplayName", "x".repeat(101)),
        ("Owner", PROD_PAYMENTS.to_owned()),
    ] {
        assert_eq!(code(set(name, &value).await), "InvalidParameter", "{name} {value}");
    }
    set("Policy", &statement(&arn("alerts"), "sns:Publish")).await.expect("a policy");
    set("KmsMasterKeyId", "").await.expect("none is none");
}

#[tokio::test(start_paused = true)]
async fn mailboxes_confirm_and_are_forgotten_when_they_do_not() {
    let world = World::acme();
    let sns = client!(aws_sdk_sns, world, PROD_PAYMENTS, REGION);
    sns.create_topic().name("alerts").send().await.expect("made");
    let subscribe = |protocol: &str, endpoint: &str| {
        sns.subscribe().topic_arn(arn("alerts")).protocol(protocol).endpoint(endpoint).send()
    };
    for _ in 0..2 {
        let made = subscribe("email", "sec@acme.example").await.expect("subscribed");
        assert_eq!(made.subscription_arn(), Some("pending confirmation"));
    }
    let queue = |account: &str| format!("arn:aws:sqs:{REGION}:{account}:alerts");
    subscribe("sqs", &queue(PROD_PAYMENTS)).await.expect("subscribed");
    subscribe("sqs", &queue("999999999999")).await.expect("subscribed");
    for (protocol, endpoint) in [("email", "sec"), ("https", "http://a"), ("sms", "1"), ("sqs", "alerts")] {
        assert_eq!(code(subscribe(protocol, endpoint).await), "InvalidParameter", "{protocol}");
    }
    let listed = states(&sns).await;
    let pending: Vec<bool> = listed.iter().map(|(_, arn)| arn == "PendingConfirmation").collect();
    assert_eq!(pending, [true, false, true], "{listed:?}");
    world.advance(Duration::from_secs(48 * 3600 + 1));
    let left = states(&sns).await;
    assert_eq!(left.len(), 1, "{left:?}");
}

#[tokio::test(start_paused = true)]
async fn tags_are_added_and_told() {
    let world = World::acme();
    let sns = client!(aws_sdk_sns, world, PROD_PAYMENTS, REGION);
    let tag = |key: &str, value: &str| {
        aws_sdk_sns::types::Tag::builder().key(key).value(value).build().expect("whole")
    };
    let put = |one| sns.tag_resource().resource_arn(arn("alerts")).tags(one).send();
    assert_eq!(code(put(tag("a", "b")).await), "ResourceNotFound");
    sns.create_topic().name("alerts").tags(tag("team", "x")).send().await.expect("made");
    put(tag("team", "y")).await.expect("tagged");
    assert_eq!(code(put(tag("aws:x", "y")).await), "InvalidParameter");
    let told = sns.list_tags_for_resource().resource_arn(arn("alerts")).send().await.expect("tags");
    assert_eq!(told.tags(), [tag("team", "y")]);
}
