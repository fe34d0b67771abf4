//! CloudWatch as SDK clients meet it.

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::operation::put_metric_alarm::builders::PutMetricAlarmFluentBuilder;
use aws_sdk_cloudwatch::types::{ComparisonOperator, Statistic};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::super::World;
use super::super::sample::PROD_PAYMENTS;
use super::super::tests::client;
use super::super::weather::{Front, Trouble, Weather};

fn alarm(cloudwatch: &Client, name: &str) -> PutMetricAlarmFluentBuilder {
    cloudwatch
        .put_metric_alarm()
        .alarm_name(name)
        .namespace("LogMetrics")
        .metric_name("root")
        .statistic(Statistic::Sum)
        .period(300)
        .evaluation_periods(1)
        .threshold(1.0)
        .comparison_operator(ComparisonOperator::GreaterThanOrEqualToThreshold)
}

#[tokio::test(start_paused = true)]
async fn alarms_are_overwritten_whole_and_told_in_pages() {
    let world = World::acme();
    let cloudwatch = client!(aws_sdk_cloudwatch, world, PROD_PAYMENTS, "eu-west-1");
    for name in ["a", "b", "c", "d", "e"] {
        let described = alarm(&cloudwatch, name).alarm_description("first");
        described.send().await.expect("all that it needs");
    }
    let mut names = Vec::new();
    let mut pages = cloudwatch.describe_alarms().into_paginator().send();
    while let Some(page) = pages.next().await {
        names.extend(
            page.expect("a page").metric_alarms.unwrap_or_default().into_iter().filter_map(|a| a.alarm_name),
        );
    }
    assert_eq!(names, ["a", "b", "c", "d", "e"]);
    alarm(&cloudwatch, "a").threshold(2.0).send().await.expect("it is there");
    let told = cloudwatch.describe_alarms().alarm_names("a").send().await.expect("told");
    let told = &told.metric_alarms()[0];
    assert_eq!((told.threshold(), told.alarm_description()), (Some(2.0), None), "what is not said is gone");
}

/// Refusals go over the wire as CBOR, and the SDK reads code and message from it.
#[tokio::test(start_paused = true)]
async fn refusals_arrive_with_their_codes() {
    let world = World::acme();
    let cloudwatch = client!(aws_sdk_cloudwatch, world, PROD_PAYMENTS, "eu-west-1");
    let topic = |region: &str| format!("arn:aws:sns:{region}:{PROD_PAYMENTS}:alarms");
    for (put, says) in [
        (alarm(&cloudwatch, ""), "alarmName"),
        (alarm(&cloudwatch, "a").period(45), "multiple of 60"),
        (alarm(&cloudwatch, "a").evaluation_periods(300), "more than 86400"),
        (alarm(&cloudwatch, "a").datapoints_to_alarm(2), "DatapointsToAlarm"),
        (alarm(&cloudwatch, "a").treat_missing_data("never"), "TreatMissingData"),
        (alarm(&cloudwatch, "a").extended_statistic("p90"), "Exactly one"),
        (alarm(&cloudwatch, "a").alarm_actions(topic("us-east-1")), "Invalid actions"),
    ] {
        let error = put.send().await.expect_err(says);
        assert_eq!(error.code(), Some("ValidationError"), "{says}");
        assert!(error.message().is_some_and(|message| message.contains(says)), "{error:?}");
    }
    let token = cloudwatch.describe_alarms().next_token("nothing").send().await.expect_err("no such page");
    assert!(token.as_service_error().is_some_and(|error| error.is_invalid_next_token()), "{token:?}");
    alarm(&cloudwatch, "a").alarm_actions(topic("eu-west-1")).send().await.expect("a topic here");

    let throttled = Front::new(Trouble::Throttled).on("cloudwatch:DescribeAlarms");
    world.set_weather(Weather::fair().with(throttled));
    let error = cloudwatch.describe_alarms().send().await.expect_err("throttled");
    assert_eq!(error.code(), Some("ThrottlingException"));
}
