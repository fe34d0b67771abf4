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

/// A key under `alias/logs` whose policy lets CloudWatch Logs in, or nobody but its owner.
async fn key(world: &World, let_in: bool) -> String {
    let kms = client!(aws_sdk_kms, world, PROD_PAYMENTS, "eu-west-1");
    let owner = serde_json::json!({
        "Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{PROD_PAYMENTS}:root")},
        "Action": "kms:*", "Resource": "*",
    });
    let service = serde_json::json!({
        "Effect": "Allow", "Principal": {"Service": "logs.eu-west-1.amazonaws.com"},
        "Action": ["kms:Encrypt*", "kms:Decrypt*", "kms:GenerateDataKey*", "kms:Describe*"], "Resource": "*",
        "Condition": {"ArnLike": {
            "kms:EncryptionContext:aws:logs:arn": format!("arn:aws:logs:eu-west-1:{PROD_PAYMENTS}:*"),
        }},
    });
    let statements = if let_in { vec![owner, service] } else { vec![owner] };
    let policy = serde_json::json!({"Version": "2012-10-17", "Statement": statements});
    let made = kms.create_key().policy(policy.to_string()).send().await.expect("made");
    made.key_metadata.and_then(|key| key.arn).expect("an arn")
}

#[tokio::test(start_paused = true)]
async fn a_key_must_be_there_and_let_the_service_in() {
    let world = World::acme();
    let logs = client!(aws_sdk_cloudwatchlogs, world, PROD_PAYMENTS, "eu-west-1");
    logs.create_log_group().log_group_name("trail").send().await.expect("the name is free");
    let (good, closed) = (key(&world, true).await, key(&world, false).await);
    let elsewhere = good.replace("eu-west-1", "us-east-1");
    for bad in [closed.as_str(), elsewhere.as_str(), "alias/logs"] {
        let error = logs.associate_kms_key().log_group_name("trail").kms_key_id(bad).send().await;
        let error = error.expect_err("not a key for it");
        assert_eq!(error.code(), Some("InvalidParameterException"));
        assert!(error.message().is_some_and(|message| message.contains("KMS")), "{error:?}");
        let made = logs.create_log_group().log_group_name("new").kms_key_id(bad).send().await;
        assert_eq!(made.expect_err("the same").code(), Some("InvalidParameterException"));
    }
    logs.associate_kms_key().log_group_name("trail").kms_key_id(&good).send().await.expect("let in");
    let told = logs.describe_log_groups().send().await.expect("groups");
    assert_eq!(told.log_groups()[0].kms_key_id(), Some(good.as_str()));
    logs.disassociate_kms_key().log_group_name("trail").send().await.expect("it is there");
    let told = logs.describe_log_groups().send().await.expect("groups");
    assert_eq!(told.log_groups()[0].kms_key_id(), None);
}

#[tokio::test(start_paused = true)]
async fn protection_goes_by_name_or_arn_and_a_policy_of_the_account_overrides_retention() {
    let world = World::acme();
    let logs = client!(aws_sdk_cloudwatchlogs, world, PROD_PAYMENTS, "eu-west-1");
    logs.create_log_group().log_group_name("trail").send().await.expect("the name is free");
    let arn = format!("arn:aws:logs:eu-west-1:{PROD_PAYMENTS}:log-group:trail");
    for (id, on) in [("trail", true), (arn.as_str(), false)] {
        let put =
            logs.put_log_group_deletion_protection().log_group_identifier(id).deletion_protection_enabled(on);
        put.send().await.expect("it is there");
        let told = logs.describe_log_groups().send().await.expect("groups");
        assert_eq!(told.log_groups()[0].deletion_protection_enabled(), Some(on));
    }
    world.region(PROD_PAYMENTS, "eu-west-1", |region| {
        region.logs.retention_policy = Some(("all-90".into(), Some(90)));
    });
    let put = logs.put_retention_policy().log_group_name("trail").retention_in_days(365);
    put.send().await.expect("it is taken, and means nothing");
    let told = logs.describe_log_groups().send().await.expect("groups");
    let group = &told.log_groups()[0];
    assert_eq!((group.retention_in_days(), group.retention_policy_name()), (Some(90), Some("all-90")));
}

#[tokio::test(start_paused = true)]
async fn filters_are_of_standard_groups_and_have_patterns_that_end() {
    let world = World::acme();
    let logs = client!(aws_sdk_cloudwatchlogs, world, PROD_PAYMENTS, "eu-west-1");
    logs.create_log_group().log_group_name("trail").send().await.expect("the name is free");
    let rare = logs.create_log_group().log_group_name("rare").log_group_class("INFREQUENT_ACCESS".into());
    rare.send().await.expect("the name is free");
    let put = |group: &str, name: &str, pattern: &str| {
        let metric = aws_sdk_cloudwatchlogs::types::MetricTransformation::builder()
            .metric_name("root")
            .metric_namespace("LogMetrics")
            .metric_value("1")
            .build()
            .expect("all that it needs");
        let call = logs.put_metric_filter().log_group_name(group).filter_name(name).filter_pattern(pattern);
        call.metric_transformations(metric).send()
    };
    for (group, name, pattern, code) in [
        ("none", "a", "{ $.a = b }", "ResourceNotFoundException"),
        ("rare", "a", "{ $.a = b }", "InvalidOperationException"),
        ("trail", "a:b", "{ $.a = b }", "InvalidParameterException"),
        ("trail", "a", "{ ($.a = b }", "InvalidParameterException"),
        ("trail", "a", "{ $.a = \"b }", "InvalidParameterException"),
    ] {
        let error = put(group, name, pattern).await.expect_err(pattern);
        assert_eq!(error.code(), Some(code), "{group} {name} {pattern}");
    }
    for name in ["a", "b", "c", "d", "e"] {
        put("trail", name, "{ ($.a = \"(\") && ($.b NOT EXISTS) }").await.expect("a pattern");
    }
    let mut names = Vec::new();
    let mut pages = logs.describe_metric_filters().log_group_name("trail").into_paginator().items().send();
    while let Some(filter) = pages.next().await {
        names.extend(filter.expect("a filter").filter_name);
    }
    assert_eq!(names, ["a", "b", "c", "d", "e"]);
    world.region(PROD_PAYMENTS, "eu-west-1", |region| {
        let filters = &mut region.logs.groups.get_mut("trail").expect("made").filters;
        let one = filters["a"].clone();
        filters.extend((0..95).map(|number| (format!("x{number}"), one.clone())));
    });
    let error = put("trail", "one-more", "x").await.expect_err("100 is the most");
    assert_eq!(error.code(), Some("LimitExceededException"));
    put("trail", "a", "x").await.expect("one that is there");
}
