//! CloudWatch Logs as SDK clients meet it.

use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::super::World;
use super::super::sample::PROD_PAYMENTS;
use super::super::tests::client;

#[tokio::test(start_paused = true)]
async fn groups_are_told_in_pages_by_prefix() {
    let world = World::acme();
    let logs = client!(aws_sdk_cloudwatchlogs, world, PROD_PAYMENTS, "eu-west-1");
    for name in ["trail/a", "trail/b", "trail/c", "other"] {
        logs.create_log_group()
            .log_group_name(name)
            .tags("team", "payments")
            .send()
            .await
            .expect("the name is free");
    }
    let first = logs.describe_log_groups().log_group_name_prefix("trail/").send().await.expect("groups");
    assert_eq!(first.log_groups().len(), 2);
    let mut names = Vec::new();
    let mut pages =
        logs.describe_log_groups().log_group_name_prefix("trail/").into_paginator().items().send();
    while let Some(group) = pages.next().await {
        names.push(group.expect("a group").log_group_name.expect("a name"));
    }
    assert_eq!(names, ["trail/a", "trail/b", "trail/c"]);
    let elsewhere = client!(aws_sdk_cloudwatchlogs, world, PROD_PAYMENTS, "us-east-1");
    let none = elsewhere.describe_log_groups().send().await.expect("an answer");
    assert!(none.log_groups().is_empty());
}

#[tokio::test(start_paused = true)]
async fn retention_takes_the_days_that_aws_has_and_groups_that_exist() {
    let world = World::acme();
    let logs = client!(aws_sdk_cloudwatchlogs, world, PROD_PAYMENTS, "eu-west-1");
    logs.create_log_group().log_group_name("trail").send().await.expect("the name is free");
    let again = logs.create_log_group().log_group_name("trail").send().await.expect_err("it is taken");
    assert_eq!(again.code(), Some("ResourceAlreadyExistsException"));
    let put =
        |name: &str, days| logs.put_retention_policy().log_group_name(name).retention_in_days(days).send();
    assert_eq!(put("trail", 364).await.expect_err("not a value").code(), Some("InvalidParameterException"));
    assert_eq!(put("none", 365).await.expect_err("no group").code(), Some("ResourceNotFoundException"));
    put("trail", 365).await.expect("a value and a group");
    let told = logs.describe_log_groups().send().await.expect("groups");
    assert_eq!(told.log_groups()[0].retention_in_days(), Some(365));
    let arn = told.log_groups()[0].arn().expect("an arn");
    assert_eq!(arn, format!("arn:aws:logs:eu-west-1:{PROD_PAYMENTS}:log-group:trail:*"));
}
