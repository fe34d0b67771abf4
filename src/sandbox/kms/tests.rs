//! KMS as SDK clients meet it.

use std::time::Duration;

use aws_sdk_kms::Client;
use aws_sdk_kms::types::Tag;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use serde_json::{Value, json};

use super::super::World;
use super::super::sample::{LOG_ARCHIVE, PROD_PAYMENTS};
use super::super::tests::client;
use super::*;

const REGION: &str = "eu-west-1";
const ALIAS: &str = "alias/logs";

async fn key(kms: &Client) -> String {
    let made = kms.create_key().description("logs").send().await.expect("made");
    let id = made.key_metadata().expect("there").key_id().to_owned();
    kms.create_alias().alias_name(ALIAS).target_key_id(&id).send().await.expect("free");
    id
}

fn change(world: &World, how: impl FnOnce(&mut Key)) {
    world.region(LOG_ARCHIVE, REGION, |region| how(region.kms.aliased(ALIAS).expect("made")));
}

fn code<T, E: ProvideErrorMetadata + std::fmt::Debug>(answer: Result<T, E>) -> String {
    let error = answer.err().expect("refused");
    error.code().unwrap_or_default().to_owned()
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_pending_deletion_takes_its_way_back_and_little_else() {
    let world = World::acme();
    let kms = client!(aws_sdk_kms, world, LOG_ARCHIVE, REGION);
    let id = key(&kms).await;
    assert_eq!(code(kms.cancel_key_deletion().key_id(&id).send().await), "KMSInvalidStateException");
    kms.enable_key_rotation().key_id(&id).rotation_period_in_days(180).send().await.expect("enabled");
    let at = world.now() + Duration::from_secs(7 * 86_400);
    change(&world, |key| key.schedule_deletion(at));

    let found = kms.describe_key().key_id(ALIAS).send().await.expect("still there");
    let metadata = found.key_metadata().expect("there");
    assert_eq!(metadata.key_state(), Some(&KeyState::PendingDeletion));
    assert_eq!(metadata.deletion_date().map(|date| date.secs()), Some(at.as_second()));
    let refused = [
        code(kms.enable_key().key_id(&id).send().await),
        code(kms.enable_key_rotation().key_id(&id).send().await),
        code(kms.disable_key_rotation().key_id(&id).send().await),
        code(kms.update_key_description().key_id(&id).description("x").send().await),
        code(kms.create_alias().alias_name("alias/other").target_key_id(&id).send().await),
        code(kms.tag_resource().key_id(&id).tags(tag("a", "b")).send().await),
    ];
    assert!(refused.iter().all(|code| code == "KMSInvalidStateException"), "{refused:?}");
    let status = kms.get_key_rotation_status().key_id(&id).send().await.expect("there");
    assert!(!status.key_rotation_enabled(), "hidden while it is pending deletion");

    kms.cancel_key_deletion().key_id(&id).send().await.expect("pending");
    let found = kms.describe_key().key_id(ALIAS).send().await.expect("there");
    assert_eq!(found.key_metadata().and_then(|key| key.key_state()), Some(&KeyState::Disabled));
    assert_eq!(code(kms.disable_key_rotation().key_id(&id).send().await), "DisabledException");
    kms.enable_key().key_id(&id).send().await.expect("disabled");
    let status = kms.get_key_rotation_status().key_id(&id).send().await.expect("there");
    assert_eq!(status.rotation_period_in_days(), Some(180));
    kms.disable_key_rotation().key_id(&id).send().await.expect("enabled");
    let status = kms.get_key_rotation_status().key_id(&id).send().await.expect("there");
    assert!(!status.key_rotation_enabled());
}

fn tag(key: &str, value: &str) -> Tag {
    Tag::builder().tag_key(key).tag_value(value).build().expect("both are given")
}

#[tokio::test(start_paused = true)]
async fn after_the_waiting_period_key_and_alias_are_gone() {
    let world = World::acme();
    let kms = client!(aws_sdk_kms, world, LOG_ARCHIVE, REGION);
    let id = key(&kms).await;
    let at = world.now() + Duration::from_secs(7 * 86_400);
    change(&world, |key| key.schedule_deletion(at));
    world.advance(Duration::from_secs(7 * 86_400));
    assert_eq!(code(kms.describe_key().key_id(ALIAS).send().await), "NotFoundException");
    assert_eq!(code(kms.cancel_key_deletion().key_id(&id).send().await), "NotFoundException");
    assert!(kms.list_keys().send().await.expect("none").keys().is_empty());
}

#[tokio::test(start_paused = true)]
async fn rotation_is_for_symmetric_keys_that_kms_made() {
    let world = World::acme();
    let kms = client!(aws_sdk_kms, world, LOG_ARCHIVE, REGION);
    let id = key(&kms).await;
    change(&world, |key| key.spec = KeySpec::Rsa2048);
    assert_eq!(code(kms.enable_key_rotation().key_id(&id).send().await), "UnsupportedOperationException");
    change(&world, |key| (key.spec, key.origin) = (KeySpec::SymmetricDefault, OriginType::External));
    assert_eq!(code(kms.get_key_rotation_status().key_id(&id).send().await), "UnsupportedOperationException");
}

fn owner_and(statement: Value) -> String {
    let owner =
        json!({"Effect": "Allow", "Principal": {"AWS": LOG_ARCHIVE}, "Action": "kms:*", "Resource": "*"});
    json!({"Version": "2012-10-17", "Statement": [owner, statement]}).to_string()
}

#[tokio::test(start_paused = true)]
async fn a_policy_names_those_who_exist_and_fits_in_32_kib() {
    let world = World::acme();
    let kms = client!(aws_sdk_kms, world, LOG_ARCHIVE, REGION);
    let id = key(&kms).await;
    let put = |policy: String| kms.put_key_policy().key_id(&id).policy(policy).send();
    let of = |account: &str| json!({"Effect": "Allow", "Principal": {"AWS": account}, "Action": "kms:Decrypt", "Resource": "*"});
    put(owner_and(of(PROD_PAYMENTS))).await.expect("both exist");
    let kept = kms.get_key_policy().key_id(&id).send().await.expect("there");
    let kept: Value = serde_json::from_str(kept.policy().expect("a policy")).expect("JSON");
    assert_eq!(kept["Statement"][1]["Principal"]["AWS"], format!("arn:aws:iam::{PROD_PAYMENTS}:root"));

    assert_eq!(code(put(owner_and(of("123123123123"))).await), "MalformedPolicyDocumentException");
    let mut long = of(PROD_PAYMENTS);
    long["Sid"] = json!("x".repeat(32_768));
    assert_eq!(code(put(owner_and(long)).await), "LimitExceededException");
    let mut strange = of(PROD_PAYMENTS);
    strange["Sid"] = json!("→");
    assert_eq!(code(put(owner_and(strange)).await), "MalformedPolicyDocumentException");
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_locks_its_writer_out_is_taken_only_where_the_check_is_bypassed() {
    let world = World::acme();
    let kms = client!(aws_sdk_kms, world, LOG_ARCHIVE, REGION);
    let id = key(&kms).await;
    let deny = json!({"Effect": "Deny", "Principal": "*", "Action": "kms:PutKeyPolicy", "Resource": "*"});
    let put = kms.put_key_policy().key_id(&id).policy(owner_and(deny));
    assert_eq!(code(put.clone().send().await), "MalformedPolicyDocumentException");
    put.bypass_policy_lockout_safety_check(true).send().await.expect("it was asked for");
}
