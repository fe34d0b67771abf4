//! CloudTrail as SDK clients meet it.

use aws_sdk_cloudtrail::Client;
use aws_sdk_cloudtrail::types::{
    AdvancedEventSelector, AdvancedFieldSelector, EventSelector, InsightType, LookupAttribute,
    LookupAttributeKey, ReadWriteType,
};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use serde_json::{Value, json};

use super::super::World;
use super::super::sample::{LOG_ARCHIVE, MANAGEMENT, PROD_PAYMENTS};
use super::super::tests::client;
use super::*;

const BUCKET: &str = "acme-trails";

/// A bucket that lets CloudTrail of the organisation deliver, unless `spoil` changes the policy.
async fn world(spoil: impl FnOnce(&mut Value)) -> World {
    let world = World::acme();
    let s3 = client!(aws_sdk_s3, world, LOG_ARCHIVE, "us-east-1");
    s3.create_bucket().bucket(BUCKET).send().await.expect("the name is free");
    let arn = format!("arn:aws:s3:::{BUCKET}");
    let mut policy = json!({"Version": "2012-10-17", "Statement": [
        {
            "Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"},
            "Action": "s3:GetBucketAcl", "Resource": arn,
        },
        {
            "Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"},
            "Action": "s3:PutObject", "Resource": format!("{arn}/AWSLogs/*"),
            "Condition": {"StringEquals": {
                "s3:x-amz-acl": "bucket-owner-full-control", "aws:SourceOrgID": "o-a1b2c3d4e5",
            }},
        },
    ]});
    world.region(PROD_PAYMENTS, "eu-west-1", |region| region.cloudtrail.trails.clear());
    spoil(&mut policy);
    s3.put_bucket_policy().bucket(BUCKET).policy(policy.to_string()).send().await.expect("a policy");
    world
}

fn at(world: &World, account: &str, region: &'static str) -> Client {
    client!(aws_sdk_cloudtrail, world, account, region)
}

macro_rules! refused {
    ($call:expr, $code:literal) => {{
        let error = $call.send().await.expect_err($code);
        assert_eq!(error.code(), Some($code), "{error:?}");
    }};
}

#[tokio::test(start_paused = true)]
async fn a_new_trail_has_the_defaults_and_does_not_record() {
    let world = world(|_| {}).await;
    let trail = at(&world, PROD_PAYMENTS, "eu-west-1");
    trail.create_trail().name("one").s3_bucket_name(BUCKET).send().await.expect("a bucket that lets it in");
    let listed = trail.describe_trails().send().await.expect("trails");
    let [one] = listed.trail_list() else { panic!("{listed:?}") };
    assert_eq!((one.is_multi_region_trail(), one.include_global_service_events()), (Some(false), Some(true)));
    assert_eq!((one.log_file_validation_enabled(), one.home_region()), (Some(false), Some("eu-west-1")));
    let status = trail.get_trail_status().name("one").send().await.expect("its status");
    assert_eq!(status.is_logging(), Some(false));
    let selectors = trail.get_event_selectors().trail_name("one").send().await.expect("the default");
    assert_eq!(selectors.event_selectors().len(), 1);
    refused!(trail.get_insight_selectors().trail_name("one"), "InsightNotEnabledException");
    trail.start_logging().name("one").send().await.expect("at home");
    let status = trail.get_trail_status().name("one").send().await.expect("its status");
    assert_eq!((status.is_logging(), status.latest_delivery_error()), (Some(true), None));
}

#[tokio::test(start_paused = true)]
async fn the_buckets_policy_has_to_let_it_in() {
    let spoils: [fn(&mut Value); 3] = [
        |policy| policy["Statement"][0]["Action"] = "s3:GetBucketLocation".into(),
        |policy| policy["Statement"][1]["Condition"]["StringEquals"]["s3:x-amz-acl"] = "private".into(),
        |policy| {
            policy["Statement"][1]["Resource"] =
                format!("arn:aws:s3:::{BUCKET}/AWSLogs/999988887777/*").into()
        },
    ];
    for spoil in spoils {
        let world = world(spoil).await;
        let trail = at(&world, PROD_PAYMENTS, "eu-west-1");
        let call = trail.create_trail().name("one").s3_bucket_name(BUCKET);
        refused!(call, "InsufficientS3BucketPolicyException");
    }
    let world = world(|_| {}).await;
    let trail = at(&world, PROD_PAYMENTS, "eu-west-1");
    refused!(trail.create_trail().name("one").s3_bucket_name("nobodys"), "S3BucketDoesNotExistException");
    refused!(
        trail.create_trail().name("one").s3_bucket_name(BUCKET).s3_key_prefix("elsewhere"),
        "InsufficientS3BucketPolicyException"
    );
}

#[tokio::test(start_paused = true)]
async fn the_key_has_to_let_it_in_and_be_where_the_bucket_is() {
    let world = world(|_| {}).await;
    let trail = at(&world, PROD_PAYMENTS, "eu-west-1");
    let create = |key: &str| trail.create_trail().name("one").s3_bucket_name(BUCKET).kms_key_id(key);
    refused!(create("arn:aws:kms:us-east-1:444455556666:key/none"), "KmsKeyNotFoundException");
    refused!(create("a key"), "InvalidKmsKeyIdException");
    for (region, code) in
        [("us-east-1", "InsufficientEncryptionPolicyException"), ("eu-west-1", "KmsKeyNotFoundException")]
    {
        let kms = client!(aws_sdk_kms, world, LOG_ARCHIVE, region);
        let made = kms.create_key().send().await.expect("a key with the default policy");
        let arn = made.key_metadata.and_then(|key| key.arn).expect("an arn");
        let error = create(&arn).send().await.expect_err(code);
        assert_eq!(error.code(), Some(code), "{region}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_multi_region_trail_has_shadows_that_are_read_by_arn_and_not_written() {
    let world = world(|_| {}).await;
    let (home, away) = (at(&world, PROD_PAYMENTS, "eu-west-1"), at(&world, PROD_PAYMENTS, "us-east-1"));
    let call = home.create_trail().name("all").s3_bucket_name(BUCKET).is_multi_region_trail(true);
    refused!(call.clone().include_global_service_events(false), "InvalidParameterCombinationException");
    let arn = call.send().await.expect("all is there").trail_arn.expect("an arn");
    let shadows = away.describe_trails().send().await.expect("trails");
    assert_eq!(shadows.trail_list()[0].home_region(), Some("eu-west-1"));
    let own = away.describe_trails().include_shadow_trails(false).send().await.expect("trails");
    assert!(own.trail_list().is_empty());
    refused!(away.get_trail_status().name("all"), "TrailNotFoundException");
    away.get_trail_status().name(&arn).send().await.expect("by its arn");
    refused!(away.start_logging().name(&arn), "InvalidHomeRegionException");
    refused!(away.update_trail().name("all").enable_log_file_validation(true), "InvalidHomeRegionException");
    refused!(away.create_trail().name("all").s3_bucket_name(BUCKET), "TrailAlreadyExistsException");
}

#[tokio::test(start_paused = true)]
async fn there_are_five_trails_in_a_region_at_most() {
    let world = world(|_| {}).await;
    let trail = at(&world, PROD_PAYMENTS, "eu-west-1");
    for name in ["one", "two", "three", "four", "five"] {
        trail.create_trail().name(name).s3_bucket_name(BUCKET).send().await.expect(name);
    }
    refused!(
        trail.create_trail().name("six").s3_bucket_name(BUCKET),
        "MaximumNumberOfTrailsExceededException"
    );
    refused!(trail.create_trail().name("-six").s3_bucket_name(BUCKET), "InvalidTrailNameException");
}

#[tokio::test(start_paused = true)]
async fn an_organisations_trail_is_the_management_accounts() {
    let world = world(|_| {}).await;
    let member = at(&world, PROD_PAYMENTS, "eu-west-1");
    let call = |client: &Client| {
        let call = client.create_trail().name("org").s3_bucket_name(BUCKET);
        call.is_multi_region_trail(true).is_organization_trail(true)
    };
    refused!(call(&member), "NotOrganizationMasterAccountException");
    let management = at(&world, MANAGEMENT, "eu-west-1");
    refused!(call(&management), "CloudTrailAccessNotEnabledException");
    let now = world.now();
    world.organization(|organization| organization.trust("cloudtrail.amazonaws.com", now));
    let arn = call(&management).send().await.expect("it may").trail_arn.expect("an arn");
    let seen = member.describe_trails().send().await.expect("trails");
    assert_eq!(seen.trail_list()[0].trail_arn(), Some(arn.as_str()));
    member.get_trail_status().name(&arn).send().await.expect("members may look");
    refused!(member.stop_logging().name(&arn), "NotOrganizationMasterAccountException");
}

#[tokio::test(start_paused = true)]
async fn an_update_changes_what_it_names_and_an_empty_text_takes_away() {
    let world = world(|_| {}).await;
    world.region(PROD_PAYMENTS, "eu-west-1", |region| region.cloudtrail.topics.insert("told".into()));
    let trail = at(&world, PROD_PAYMENTS, "eu-west-1");
    let call = trail.create_trail().name("one").s3_bucket_name(BUCKET).sns_topic_name("told");
    call.enable_log_file_validation(true).send().await.expect("all is there");
    refused!(
        trail.update_trail().name("one").sns_topic_name("untold"),
        "InsufficientSnsTopicPolicyException"
    );
    let kept = trail.update_trail().name("one").is_multi_region_trail(true).send().await.expect("at home");
    assert_eq!((kept.log_file_validation_enabled(), kept.sns_topic_arn().is_some()), (Some(true), true));
    let off =
        trail.update_trail().name("one").enable_log_file_validation(false).send().await.expect("at home");
    assert_eq!(off.log_file_validation_enabled(), Some(false));
    let gone = trail.update_trail().name("one").sns_topic_name("").send().await.expect("at home");
    assert_eq!((gone.is_multi_region_trail(), gone.sns_topic_arn()), (Some(true), None));
}

/// The log group, and a role with this trust and these actions.
async fn with_role(world: &World, service: &str, actions: &[&str]) -> (String, String) {
    let logs = client!(aws_sdk_cloudwatchlogs, world, PROD_PAYMENTS, "eu-west-1");
    drop(logs.create_log_group().log_group_name("trail").send().await);
    let iam = client!(aws_sdk_iam, world, PROD_PAYMENTS, "eu-west-1");
    let name = format!("role-{}-{}", service.len(), actions.len());
    let trust = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole",
    }]});
    let made = iam.create_role().role_name(&name).assume_role_policy_document(trust.to_string());
    let arn = made.send().await.expect("the name is free").role.expect("a role").arn;
    let policy = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": actions,
        "Resource": format!("arn:aws:logs:eu-west-1:{PROD_PAYMENTS}:log-group:trail:log-stream:*"),
    }]});
    let put = iam.put_role_policy().role_name(&name).policy_name("logs").policy_document(policy.to_string());
    put.send().await.expect("a policy");
    (format!("arn:aws:logs:eu-west-1:{PROD_PAYMENTS}:log-group:trail:*"), arn)
}

#[tokio::test(start_paused = true)]
async fn the_role_has_to_trust_it_and_may_write_to_the_group() {
    let both: &[&str] = &["logs:CreateLogStream", "logs:PutLogEvents"];
    let cases = [
        ("ec2.amazonaws.com", both, Some("InvalidCloudWatchLogsRoleArnException")),
        ("cloudtrail.amazonaws.com", &both[..1], Some("InvalidCloudWatchLogsRoleArnException")),
        ("cloudtrail.amazonaws.com", both, None),
    ];
    let world = world(|_| {}).await;
    let trail = at(&world, PROD_PAYMENTS, "eu-west-1");
    for (service, actions, code) in cases {
        let (group, role) = with_role(&world, service, actions).await;
        let call = trail.create_trail().name("one").s3_bucket_name(BUCKET);
        let none = call.clone().cloud_watch_logs_role_arn(&role);
        refused!(
            none.cloud_watch_logs_log_group_arn(group.replace("trail", "none")),
            "InvalidCloudWatchLogsLogGroupArnException"
        );
        let answer =
            call.cloud_watch_logs_log_group_arn(&group).cloud_watch_logs_role_arn(&role).send().await;
        let refusal = answer.err().and_then(|error| error.code().map(str::to_owned));
        assert_eq!(refusal.as_deref(), code, "{service} {actions:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_role_that_was_just_made_is_not_seen_yet() {
    let world = world(|_| {}).await;
    let lag = std::time::Duration::from_secs(10);
    world.account(PROD_PAYMENTS, |account| account.iam.propagation = lag);
    let (group, role) =
        with_role(&world, "cloudtrail.amazonaws.com", &["logs:CreateLogStream", "logs:PutLogEvents"]).await;
    let trail = at(&world, PROD_PAYMENTS, "eu-west-1");
    let call = trail.create_trail().name("one").s3_bucket_name(BUCKET);
    let call = call.cloud_watch_logs_log_group_arn(&group).cloud_watch_logs_role_arn(&role);
    refused!(call.clone(), "InvalidCloudWatchLogsRoleArnException");
    world.advance(lag);
    call.send().await.expect("it is seen now");
}

#[tokio::test(start_paused = true)]
async fn what_the_policies_forbid_later_is_an_error_of_the_delivery() {
    let world = world(|_| {}).await;
    let trail = at(&world, PROD_PAYMENTS, "eu-west-1");
    trail.create_trail().name("one").s3_bucket_name(BUCKET).send().await.expect("all is there");
    trail.start_logging().name("one").send().await.expect("at home");
    world.bucket(BUCKET, |bucket| bucket.policy = None);
    let status = trail.get_trail_status().name("one").send().await.expect("its status");
    assert_eq!(status.latest_delivery_error(), Some("AccessDenied"));
    assert_eq!(status.latest_digest_delivery_error(), None);
}

fn advanced(fields: &[(&str, &str)]) -> AdvancedEventSelector {
    let field = |(name, value): &(&str, &str)| {
        AdvancedFieldSelector::builder().field(*name).equals(*value).build().expect("a field")
    };
    let fields = fields.iter().map(field).collect();
    AdvancedEventSelector::builder().set_field_selectors(Some(fields)).build().expect("fields")
}

#[tokio::test(start_paused = true)]
async fn selectors_replace_each_other_and_are_checked() {
    let world = world(|_| {}).await;
    let trail = at(&world, PROD_PAYMENTS, "eu-west-1");
    trail.create_trail().name("one").s3_bucket_name(BUCKET).send().await.expect("all is there");
    let put = || trail.put_event_selectors().trail_name("one");
    let reads = EventSelector::builder().read_write_type(ReadWriteType::ReadOnly).build();
    refused!(put().set_event_selectors(Some(vec![])), "InvalidEventSelectorsException");
    let management = advanced(&[("eventCategory", "Management")]);
    refused!(
        put().event_selectors(reads.clone()).advanced_event_selectors(management.clone()),
        "InvalidEventSelectorsException"
    );
    for wrong in [
        advanced(&[("readOnly", "true")]),
        advanced(&[("eventCategory", "Data")]),
        advanced(&[("eventCategory", "Management"), ("readOnly", "yes")]),
        advanced(&[("eventCategory", "Management"), ("resources.type", "AWS::S3::Object")]),
    ] {
        refused!(put().advanced_event_selectors(wrong), "InvalidEventSelectorsException");
    }
    put().event_selectors(reads).send().await.expect("basic ones");
    put().advanced_event_selectors(management).send().await.expect("advanced ones");
    let live = trail.get_event_selectors().trail_name("one").send().await.expect("selectors");
    assert_eq!((live.event_selectors().len(), live.advanced_event_selectors().len()), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn insights_need_the_events_that_they_look_at() {
    let world = world(|_| {}).await;
    let trail = at(&world, PROD_PAYMENTS, "eu-west-1");
    trail.create_trail().name("one").s3_bucket_name(BUCKET).send().await.expect("all is there");
    let reads = EventSelector::builder().read_write_type(ReadWriteType::ReadOnly).build();
    trail.put_event_selectors().trail_name("one").event_selectors(reads).send().await.expect("one is enough");
    let insight = |kind: InsightType| InsightSelector::builder().insight_type(kind).build();
    let put = || trail.put_insight_selectors().trail_name("one");
    refused!(
        put().insight_selectors(insight(InsightType::ApiCallRateInsight)),
        "InvalidInsightSelectorsException"
    );
    put().insight_selectors(insight(InsightType::ApiErrorRateInsight)).send().await.expect("any will do");
    let live = trail.get_insight_selectors().trail_name("one").send().await.expect("it is on");
    assert_eq!(live.insight_selectors()[0].event_categories().len(), 1);
    put().set_insight_selectors(Some(vec![])).send().await.expect("none is none");
    refused!(trail.get_insight_selectors().trail_name("one"), "InsightNotEnabledException");
}

fn asked_for(name: &str) -> LookupAttribute {
    let attribute = LookupAttribute::builder().attribute_key(LookupAttributeKey::EventName);
    attribute.attribute_value(name).build().expect("both are said")
}

#[tokio::test(start_paused = true)]
async fn the_event_history_tells_who_called_after_a_while_and_in_the_region_of_the_call() {
    let world = World::acme();
    let iam = client!(aws_sdk_iam, world, PROD_PAYMENTS, "eu-west-1");
    iam.update_account_password_policy().minimum_password_length(9).send().await.expect("set");
    let global = at(&world, PROD_PAYMENTS, "us-east-1");
    let find = global.lookup_events().lookup_attributes(asked_for("UpdateAccountPasswordPolicy"));
    assert!(find.clone().send().await.expect("looked").events().is_empty(), "it takes some minutes");
    world.advance(std::time::Duration::from_secs(301));
    let found = find.clone().send().await.expect("looked");
    let [event] = found.events() else { panic!("{found:?}") };
    let written: Value = serde_json::from_str(event.cloud_trail_event().expect("told")).expect("JSON");
    assert_eq!(written["eventSource"], "iam.amazonaws.com");
    assert_eq!(written["requestParameters"]["minimumPasswordLength"], 9);
    assert_eq!(written["awsRegion"], "us-east-1");
    assert_eq!(written["userIdentity"]["accountId"], PROD_PAYMENTS);

    for (account, region) in [(PROD_PAYMENTS, "eu-west-1"), (MANAGEMENT, "us-east-1")] {
        let elsewhere = at(&world, account, region);
        let found = elsewhere.lookup_events().lookup_attributes(asked_for("UpdateAccountPasswordPolicy"));
        assert!(found.send().await.expect("looked").events().is_empty(), "{account} {region}");
    }
    world.advance(std::time::Duration::from_secs(91 * 86_400));
    assert!(find.send().await.expect("looked").events().is_empty(), "90 days are kept");
}

#[tokio::test(start_paused = true)]
async fn the_event_history_is_as_strict_as_its_reference() {
    let world = World::acme();
    let trail = at(&world, PROD_PAYMENTS, "eu-west-1");
    let look = || trail.lookup_events();
    refused!(look().max_results(0), "InvalidMaxResultsException");
    refused!(look().max_results(51), "InvalidMaxResultsException");
    let two = look().lookup_attributes(asked_for("A")).lookup_attributes(asked_for("B"));
    refused!(two, "InvalidLookupAttributesException");
    refused!(look().lookup_attributes(asked_for("")), "InvalidLookupAttributesException");
    let time = aws_smithy_types::DateTime::from_secs;
    refused!(look().start_time(time(20)).end_time(time(10)), "InvalidTimeRangeException");
    refused!(look().next_token("soon"), "InvalidNextTokenException");

    let ecr = client!(aws_sdk_ecr, world, PROD_PAYMENTS, "eu-west-1");
    for _ in 0..25 {
        let put = ecr.put_image_tag_mutability().repository_name("payments/api");
        put.image_tag_mutability(aws_sdk_ecr::types::ImageTagMutability::Immutable)
            .send()
            .await
            .expect("set");
    }
    world.advance(std::time::Duration::from_secs(301));
    let (mut token, mut seen, mut pages) = (None, 0, 0);
    loop {
        let find = look().lookup_attributes(asked_for("PutImageTagMutability")).max_results(50);
        let page = find.set_next_token(token).send().await.expect("looked");
        seen += page.events().len();
        pages += 1;
        token = page.next_token().map(str::to_owned);
        if token.is_none() {
            break;
        }
    }
    assert_eq!((seen, pages), (25, 3));
}
