//! S3, and the keys beside it, as SDK clients meet them.

use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::super::World;
use super::super::sample::{LOG_ARCHIVE, PROD_PAYMENTS};
use super::super::tests::client;
use super::*;

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
