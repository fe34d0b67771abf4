//! IAM as SDK clients meet it.

use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::super::World;
use super::super::sample::{MANAGEMENT, PROD_PAYMENTS};
use super::super::tests::client;
use super::*;

#[tokio::test(start_paused = true)]
async fn a_policy_never_set_is_no_such_entity() {
    let world = World::acme();
    let client = client!(aws_sdk_iam, world, MANAGEMENT, "us-east-1");
    let error = client.get_account_password_policy().send().await.expect_err("never set");
    assert!(error.as_service_error().is_some_and(|error| error.is_no_such_entity_exception()));
}

#[tokio::test(start_paused = true)]
async fn an_update_resets_what_it_leaves_out() {
    let world = World::acme();
    let client = client!(aws_sdk_iam, world, PROD_PAYMENTS, "us-east-1");
    let get = || async {
        let told = client.get_account_password_policy().send().await.expect("set");
        told.password_policy().expect("required").clone()
    };
    client
        .update_account_password_policy()
        .minimum_password_length(14)
        .max_password_age(90)
        .require_symbols(true)
        .send()
        .await
        .expect("within bounds");
    let policy = get().await;
    assert!(policy.expire_passwords && policy.require_symbols && !policy.require_numbers);
    assert_eq!((policy.minimum_password_length(), policy.max_password_age()), (Some(14), Some(90)));
    client
        .update_account_password_policy()
        .password_reuse_prevention(24)
        .send()
        .await
        .expect("within bounds");
    let policy = get().await;
    assert!(!policy.expire_passwords && !policy.require_symbols);
    assert_eq!((policy.minimum_password_length(), policy.max_password_age()), (Some(6), None));
    assert_eq!(policy.password_reuse_prevention(), Some(24));
}

#[tokio::test(start_paused = true)]
async fn values_out_of_range_are_refused_and_change_nothing() {
    let world = World::acme();
    let client = client!(aws_sdk_iam, world, PROD_PAYMENTS, "us-east-1");
    let before = world.account(PROD_PAYMENTS, |account| account.iam.password_policy.clone());
    let update = || client.update_account_password_policy();
    for update in [
        update().minimum_password_length(5),
        update().minimum_password_length(129),
        update().max_password_age(0),
        update().max_password_age(1096),
        update().password_reuse_prevention(0),
        update().password_reuse_prevention(25),
    ] {
        assert_eq!(update.send().await.expect_err("out of range").code(), Some("ValidationError"));
    }
    assert_eq!(world.account(PROD_PAYMENTS, |account| account.iam.password_policy.clone()), before);
}

#[tokio::test(start_paused = true)]
async fn only_a_virtual_device_of_root_is_listed_and_pages_are_small() {
    let world = World::acme();
    let client = client!(aws_sdk_iam, world, PROD_PAYMENTS, "us-east-1");
    let serials = || async {
        let mut pages = client.list_virtual_mfa_devices().into_paginator().send();
        let mut serials = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.expect("a page");
            serials.extend(page.virtual_mfa_devices().iter().map(|d| d.serial_number().to_owned()));
        }
        serials
    };
    let root = "arn:aws:iam::111122223333:mfa/root-account-mfa-device".to_owned();
    world.account(PROD_PAYMENTS, |account| {
        account.iam.root.mfa = Mfa::Virtual;
        account.iam.virtual_mfa_users = ["ann", "bob", "eve", "kim"].map(str::to_owned).to_vec();
    });
    let listed = serials().await;
    assert_eq!(listed.len(), 5);
    assert!(listed.contains(&root));
    world.account(PROD_PAYMENTS, |account| account.iam.root.mfa = Mfa::Hardware);
    assert!(!serials().await.contains(&root));
    let summary = client.get_account_summary().send().await.expect("told");
    let summary = summary.summary_map().expect("there").clone();
    assert_eq!(summary[&SummaryKeyType::AccountMfaEnabled], 1);
    assert_eq!(summary[&SummaryKeyType::AccountAccessKeysPresent], 1);
}

#[tokio::test(start_paused = true)]
async fn a_role_is_made_once_and_told_with_an_encoded_trust_policy() {
    let world = World::acme();
    let client = client!(aws_sdk_iam, world, PROD_PAYMENTS, "us-east-1");
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"x.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
    let create =
        |trust: &str| client.create_role().role_name("worker").assume_role_policy_document(trust).send();
    let error = create("{}").await.expect_err("no statements");
    assert!(error.as_service_error().is_some_and(|error| error.is_malformed_policy_document_exception()));
    create(trust).await.expect("a policy");
    let error = create(trust).await.expect_err("twice");
    assert!(error.as_service_error().is_some_and(|error| error.is_entity_already_exists_exception()));
    let role = client.get_role().role_name("worker").send().await.expect("made");
    let role = role.role().expect("required");
    assert_eq!(role.arn(), "arn:aws:iam::111122223333:role/worker");
    assert!(role.assume_role_policy_document().is_some_and(|text| text.starts_with("%7B%22Version%22")));
}
