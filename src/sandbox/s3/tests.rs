//! S3, and the keys beside it, as SDK clients meet them.

use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::super::World;
use super::super::sample::{LOG_ARCHIVE, PROD_PAYMENTS};
use super::super::tests::client;

async fn bucket_of(world: &World, owner: &str) -> aws_sdk_s3::Client {
    let client = client!(aws_sdk_s3, world, owner, "us-east-1");
    client.create_bucket().bucket("acme-audit").send().await.expect("free");
    client
}

#[tokio::test(start_paused = true)]
async fn writes_are_conditional() {
    let world = World::acme();
    let client = bucket_of(&world, LOG_ARCHIVE).await;
    let put = |text: &'static [u8]| {
        client.put_object().bucket("acme-audit").key("runs/1.json").body(ByteStream::from_static(text))
    };
    let first = put(b"one").if_none_match("*").send().await.expect("nothing there");
    let again = put(b"two").if_none_match("*").send().await.expect_err("something there");
    assert_eq!(again.code(), Some("PreconditionFailed"));
    let etag = first.e_tag().expect("has one");
    put(b"two").if_match("\"other\"").send().await.expect_err("another");
    put(b"two").if_match(etag).send().await.expect("the one");
    let read = client.get_object().bucket("acme-audit").key("runs/1.json").send().await.expect("there");
    assert_eq!(read.body.collect().await.expect("in memory").into_bytes().as_ref(), b"two");
    let error = client.get_object().bucket("acme-audit").key("absent").send().await.expect_err("not there");
    assert!(error.as_service_error().is_some_and(|error| error.is_no_such_key()));
}

#[tokio::test(start_paused = true)]
async fn keys_come_in_pages_and_prefixes_are_rolled_up() {
    let world = World::acme();
    let client = bucket_of(&world, LOG_ARCHIVE).await;
    for index in 0..25 {
        let key = format!("runs/{index:02}/intent.json");
        client
            .put_object()
            .bucket("acme-audit")
            .key(key)
            .body(ByteStream::from_static(b"x"))
            .send()
            .await
            .expect("free");
    }
    let list = client.list_objects_v2().bucket("acme-audit").prefix("runs/");
    let mut pages = list.clone().into_paginator().send();
    let mut keys = 0;
    while let Some(page) = pages.next().await {
        keys += page.expect("a page").contents().len();
    }
    assert_eq!(keys, 25);
    let mut pages = list.delimiter("/").into_paginator().send();
    let mut prefixes = Vec::new();
    while let Some(page) = pages.next().await {
        prefixes.extend(page.expect("a page").common_prefixes.unwrap_or_default());
    }
    assert_eq!(prefixes.len(), 25);
    assert_eq!(prefixes[24].prefix(), Some("runs/24/"));
}

#[tokio::test(start_paused = true)]
async fn a_bucket_belongs_to_one_account_and_says_so() {
    let world = World::acme();
    let owner = bucket_of(&world, LOG_ARCHIVE).await;
    let other = client!(aws_sdk_s3, world, PROD_PAYMENTS, "us-east-1");
    let taken = other.create_bucket().bucket("acme-audit").send().await.expect_err("taken");
    assert!(taken.as_service_error().is_some_and(|error| error.is_bucket_already_exists()));
    let error = other.list_objects_v2().bucket("acme-audit").send().await.expect_err("not let in");
    assert_eq!(error.code(), Some("AccessDenied"));
    let head = owner.head_bucket().bucket("acme-audit");
    head.clone().expected_bucket_owner(LOG_ARCHIVE).send().await.expect("the owner");
    let error = head.expected_bucket_owner(PROD_PAYMENTS).send().await.expect_err("another owner");
    assert_eq!(error.raw_response().map(|response| response.status().as_u16()), Some(403));
    let error = owner.head_bucket().bucket("acme-absent").send().await.expect_err("none");
    assert!(error.as_service_error().is_some_and(|error| error.is_not_found()));
    let error = owner.get_bucket_policy().bucket("acme-audit").send().await.expect_err("none yet");
    assert_eq!(error.code(), Some("NoSuchBucketPolicy"));
}

#[tokio::test(start_paused = true)]
async fn keys_are_found_by_alias_and_made_as_often_as_asked() {
    let world = World::acme();
    let kms = client!(aws_sdk_kms, world, LOG_ARCHIVE, "eu-west-1");
    let made = kms.create_key().description("logs").send().await.expect("made");
    let id = made.key_metadata().expect("there").key_id().to_owned();
    let twin = kms.create_key().description("logs").send().await.expect("made");
    assert_ne!(twin.key_metadata().expect("there").key_id(), id);
    kms.create_alias().alias_name("alias/baseline/logs").target_key_id(&id).send().await.expect("free");
    let error = kms.create_alias().alias_name("alias/baseline/logs").target_key_id(&id).send().await;
    assert_eq!(error.expect_err("taken").code(), Some("AlreadyExistsException"));
    let found = kms.describe_key().key_id("alias/baseline/logs").send().await.expect("by alias");
    assert_eq!(found.key_metadata().map(|key| key.key_id()), Some(id.as_str()));
    let error = kms.describe_key().key_id("alias/absent").send().await.expect_err("no such alias");
    assert!(error.as_service_error().is_some_and(|error| error.is_not_found_exception()));
    kms.enable_key_rotation().key_id(&id).send().await.expect("enabled");
    let rotation = kms.get_key_rotation_status().key_id(&id).send().await.expect("there");
    assert_eq!((rotation.key_rotation_enabled(), rotation.rotation_period_in_days()), (true, Some(365)));
    let locked_out =
        r#"{"Statement":[{"Effect":"Allow","Principal":{"Service":"x"},"Action":"kms:*","Resource":"*"}]}"#;
    let error = kms.put_key_policy().key_id(&id).policy(locked_out).send().await.expect_err("nobody left");
    assert_eq!(error.code(), Some("MalformedPolicyDocumentException"));
}

#[tokio::test(start_paused = true)]
async fn names_of_an_account_and_region_need_its_namespace() {
    use aws_sdk_s3::types::BucketNamespace;
    let world = World::acme();
    let client = client!(aws_sdk_s3, world, LOG_ARCHIVE, "us-east-1");
    let make = |name: String| client.create_bucket().bucket(name);
    let own = format!("acme-logs-{LOG_ARCHIVE}-us-east-1-an");
    let error = make(own.clone()).send().await.expect_err("no namespace");
    assert_eq!(error.code(), Some("InvalidBucketName"));
    let other = format!("acme-logs-{PROD_PAYMENTS}-us-east-1-an");
    let regional = BucketNamespace::AccountRegional;
    make(other).bucket_namespace(regional.clone()).send().await.expect_err("of another account");
    make("acme-logs".into()).bucket_namespace(regional.clone()).send().await.expect_err("no suffix");
    make(own).bucket_namespace(regional).send().await.expect("its own");
}

#[tokio::test(start_paused = true)]
async fn a_new_bucket_is_closed_and_encrypted_and_has_nothing_else() {
    let world = World::acme();
    let client = bucket_of(&world, LOG_ARCHIVE).await;
    let blocks = client.get_public_access_block().bucket("acme-audit").send().await.expect("closed");
    let blocks = blocks.public_access_block_configuration.expect("there");
    assert_eq!((blocks.block_public_policy, blocks.restrict_public_buckets), (Some(true), Some(true)));
    let encryption = client.get_bucket_encryption().bucket("acme-audit").send().await.expect("encrypted");
    let rules = encryption.server_side_encryption_configuration.expect("there").rules;
    let by = rules[0].apply_server_side_encryption_by_default().expect("there");
    assert_eq!(by.sse_algorithm().as_str(), "AES256");
    let versioning = client.get_bucket_versioning().bucket("acme-audit").send().await.expect("an answer");
    assert_eq!((versioning.status, versioning.mfa_delete), (None, None));
    let lifecycle = client.get_bucket_lifecycle_configuration().bucket("acme-audit").send().await;
    assert_eq!(lifecycle.expect_err("none").code(), Some("NoSuchLifecycleConfiguration"));
    let lock = client.get_object_lock_configuration().bucket("acme-audit").send().await;
    assert_eq!(lock.expect_err("none").code(), Some("ObjectLockConfigurationNotFoundError"));
    let logging = client.get_bucket_logging().bucket("acme-audit").send().await.expect("an answer");
    assert!(logging.logging_enabled.is_none());
}

#[tokio::test(start_paused = true)]
async fn policies_are_of_this_bucket_and_private_and_fit() {
    let world = World::acme();
    let client = bucket_of(&world, LOG_ARCHIVE).await;
    let put = |statement: serde_json::Value| {
        let policy = serde_json::json!({"Version": "2012-10-17", "Statement": [statement]}).to_string();
        client.put_bucket_policy().bucket("acme-audit").policy(policy).send()
    };
    let allow = |principal: serde_json::Value, resource: &str| serde_json::json!({"Effect": "Allow", "Principal": principal, "Action": "s3:GetObject", "Resource": resource});
    let own = "arn:aws:s3:::acme-audit/*";
    let service = serde_json::json!({"Service": "config.amazonaws.com"});
    for (principal, resource, code) in [
        (serde_json::json!("*"), own, "AccessDenied"),
        (serde_json::json!({"AWS": "*"}), own, "AccessDenied"),
        (service.clone(), "arn:aws:s3:::acme-audits/*", "MalformedPolicy"),
        (serde_json::json!({"Service": "config"}), own, "MalformedPolicy"),
        (serde_json::json!({"AWS": "someone"}), own, "MalformedPolicy"),
    ] {
        let error = put(allow(principal.clone(), resource)).await.expect_err(resource);
        assert_eq!(error.code(), Some(code), "{principal} {resource}");
    }
    put(allow(service.clone(), own)).await.expect("private and its own");
    let mut long = allow(service, own);
    long["Sid"] = "x".repeat(20 * 1024).into();
    assert_eq!(put(long).await.expect_err("too long").code(), Some("MalformedPolicy"));
}

#[tokio::test(start_paused = true)]
async fn object_lock_needs_versions_and_keeps_them() {
    use aws_sdk_s3::types::{
        BucketVersioningStatus, DefaultRetention, ObjectLockConfiguration, ObjectLockEnabled,
        ObjectLockRetentionMode, ObjectLockRule, VersioningConfiguration,
    };
    let world = World::acme();
    let client = bucket_of(&world, LOG_ARCHIVE).await;
    let lock = |days, years| {
        let retention = DefaultRetention::builder()
            .mode(ObjectLockRetentionMode::Governance)
            .set_days(days)
            .set_years(years)
            .build();
        let wanted = ObjectLockConfiguration::builder()
            .object_lock_enabled(ObjectLockEnabled::Enabled)
            .rule(ObjectLockRule::builder().default_retention(retention).build())
            .build();
        client.put_object_lock_configuration().bucket("acme-audit").object_lock_configuration(wanted).send()
    };
    let version = |status| {
        let wanted = VersioningConfiguration::builder().status(status).build();
        client.put_bucket_versioning().bucket("acme-audit").versioning_configuration(wanted).send()
    };
    assert_eq!(lock(Some(1), None).await.expect_err("no versions").code(), Some("InvalidBucketState"));
    version(BucketVersioningStatus::Enabled).await.expect("enabled");
    for (days, years) in [(None, None), (Some(1), Some(1)), (Some(0), None), (None, Some(101))] {
        assert_eq!(lock(days, years).await.expect_err("no period").code(), Some("MalformedXML"));
    }
    lock(Some(365), None).await.expect("locked");
    let error = version(BucketVersioningStatus::Suspended).await.expect_err("locked");
    assert_eq!(error.code(), Some("InvalidBucketState"));
}

#[tokio::test(start_paused = true)]
async fn lifecycle_rules_need_a_filter_something_to_do_and_no_mfa_delete() {
    use aws_sdk_s3::types::{
        BucketLifecycleConfiguration, ExpirationStatus, LifecycleExpiration, LifecycleRule,
        LifecycleRuleFilter,
    };
    let world = World::acme();
    let client = bucket_of(&world, LOG_ARCHIVE).await;
    let put = |rule: LifecycleRule| {
        let all = BucketLifecycleConfiguration::builder().rules(rule).build().expect("rules");
        client.put_bucket_lifecycle_configuration().bucket("acme-audit").lifecycle_configuration(all).send()
    };
    let rule = || LifecycleRule::builder().id("x").status(ExpirationStatus::Enabled);
    let days = |days| LifecycleExpiration::builder().days(days).build();
    let whole = LifecycleRuleFilter::builder().prefix("").build();
    for bad in [
        rule().expiration(days(1)),
        rule().filter(whole.clone()),
        rule().filter(whole.clone()).expiration(days(0)),
        rule().filter(whole.clone()).expiration(LifecycleExpiration::builder().build()),
    ] {
        let error = put(bad.build().expect("a status")).await.expect_err("refused");
        assert_eq!(error.code(), Some("MalformedXML"));
    }
    let good = rule().filter(whole).expiration(days(1)).build().expect("a status");
    put(good.clone()).await.expect("a rule");
    world.bucket("acme-audit", |bucket| bucket.mfa_delete = true);
    assert_eq!(put(good).await.expect_err("MFA delete").code(), Some("InvalidRequest"));
}

#[tokio::test(start_paused = true)]
async fn a_default_key_is_there_and_named_by_its_arn() {
    use aws_sdk_s3::types::{
        ServerSideEncryption, ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration,
        ServerSideEncryptionRule,
    };
    let world = World::acme();
    let client = bucket_of(&world, LOG_ARCHIVE).await;
    let kms = client!(aws_sdk_kms, world, LOG_ARCHIVE, "us-east-1");
    let made = kms.create_key().send().await.expect("made").key_metadata.expect("there");
    let put = |algorithm: ServerSideEncryption, key: Option<&str>| {
        let by = ServerSideEncryptionByDefault::builder()
            .sse_algorithm(algorithm)
            .set_kms_master_key_id(key.map(str::to_owned))
            .build()
            .expect("an algorithm");
        let rule = ServerSideEncryptionRule::builder().apply_server_side_encryption_by_default(by).build();
        let all = ServerSideEncryptionConfiguration::builder().rules(rule).build().expect("rules");
        client.put_bucket_encryption().bucket("acme-audit").server_side_encryption_configuration(all).send()
    };
    let kms_sse = ServerSideEncryption::AwsKms;
    assert!(put(kms_sse.clone(), Some("alias/absent")).await.is_err());
    assert!(put(kms_sse.clone(), Some(made.key_id())).await.is_err());
    assert!(put(ServerSideEncryption::Aes256, made.arn()).await.is_err());
    put(kms_sse, made.arn()).await.expect("by its ARN");
}
