//! What is public, as SDK clients meet it.

use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::super::super::World;
use super::super::super::sample::PROD_PAYMENTS;
use super::super::super::tests::client;
use super::*;

const FOR_ALL: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::www/*"}]}"#;

async fn with_buckets(names: &[&str]) -> (World, aws_sdk_s3::Client) {
    let world = World::one_account(PROD_PAYMENTS);
    let client = client!(aws_sdk_s3, world, PROD_PAYMENTS, "eu-west-1");
    for name in names {
        let place = CreateBucketConfiguration::builder()
            .location_constraint(BucketLocationConstraint::EuWest1)
            .build();
        client.create_bucket().bucket(*name).create_bucket_configuration(place).send().await.expect("free");
    }
    (world, client)
}

#[tokio::test(start_paused = true)]
async fn buckets_come_in_pages_with_their_region_when_something_is_asked() {
    let (_, client) = with_buckets(&["aaa", "bbb", "ccc", "ddd", "eee"]).await;
    let mut pages = client.list_buckets().max_buckets(1000).into_paginator().send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.expect("a page");
        assert!(page.buckets().len() <= BUCKETS_A_PAGE);
        found.extend(page.buckets.unwrap_or_default());
    }
    assert_eq!(found.len(), 5);
    assert!(found.iter().all(|bucket| bucket.bucket_region() == Some("eu-west-1")));
    let bare = client.list_buckets().send().await.expect("a page");
    assert_eq!(bare.buckets()[0].bucket_region(), None);
}

#[tokio::test(start_paused = true)]
async fn a_new_bucket_is_closed_and_refuses_a_policy_for_everybody() {
    let (world, client) = with_buckets(&["www"]).await;
    let block = client.get_public_access_block().bucket("www").send().await.expect("on since 2023");
    assert_eq!(block.public_access_block_configuration.and_then(|b| b.block_public_policy), Some(true));
    let put = || client.put_bucket_policy().bucket("www").policy(FOR_ALL).send();
    assert_eq!(put().await.expect_err("blocked").code(), Some("AccessDenied"));

    world.bucket("www", |bucket| bucket.public_access = None);
    let error = client.get_public_access_block().bucket("www").send().await.expect_err("taken away");
    assert_eq!(error.code(), Some("NoSuchPublicAccessBlockConfiguration"));
    world.account(PROD_PAYMENTS, |account| account.public_access.block = Some(Block::ALL));
    assert_eq!(put().await.expect_err("the account's").code(), Some("AccessDenied"));
    world.account(PROD_PAYMENTS, |account| account.public_access.block = None);
    let status = || client.get_bucket_policy_status().bucket("www").send();
    assert_eq!(status().await.expect_err("none").code(), Some("NoSuchBucketPolicy"));
    put().await.expect("nothing blocks it");
    let told = status().await.expect("a policy").policy_status.expect("told");
    assert_eq!(told.is_public, Some(true));
}

#[tokio::test(start_paused = true)]
async fn the_acl_names_the_owner_and_the_groups() {
    let (world, client) = with_buckets(&["www"]).await;
    let acl = || client.get_bucket_acl().bucket("www").send();
    world.bucket("www", |bucket| bucket.readers = vec!["AllUsers".into()]);
    assert_eq!(acl().await.expect("there").grants().len(), 1, "a new bucket has ACLs off");
    world.bucket("www", |bucket| bucket.ownership = None);
    let error = client.get_bucket_ownership_controls().bucket("www").send().await.expect_err("taken away");
    assert_eq!(error.code(), Some("OwnershipControlsNotFoundError"));
    let told = acl().await.expect("there");
    let uri = told.grants()[1].grantee().and_then(|grantee| grantee.uri());
    assert_eq!(uri, Some("http://acs.amazonaws.com/groups/global/AllUsers"));
}

#[test]
fn public_is_what_the_guide_calls_public() {
    let with = |principal: &str, condition: &str| {
        format!(
            r#"{{"Statement":[{{"Effect":"Allow","Principal":{principal},"Action":"s3:*","Resource":"*","Condition":{condition}}}]}}"#
        )
    };
    let own_org = r#"{"StringEquals":{"aws:PrincipalOrgID":"o-a1b2c3d4e5"}}"#;
    for (principal, condition, public) in [
        (r#""*""#, "{}", true),
        (r#"{"AWS":["111122223333","*"]}"#, "{}", true),
        (r#"{"AWS":"111122223333"}"#, "{}", false),
        (r#"{"Service":"cloudtrail.amazonaws.com"}"#, "{}", false),
        (r#""*""#, own_org, false),
        (r#""*""#, r#"{"StringLike":{"aws:SourceVpc":"vpc-*"}}"#, true),
        (r#""*""#, r#"{"StringNotEquals":{"aws:SourceVpc":"vpc-1"}}"#, true),
        (r#""*""#, r#"{"Bool":{"aws:SecureTransport":"true"}}"#, true),
    ] {
        assert_eq!(is_public(&with(principal, condition)), public, "{principal} {condition}");
    }
    assert!(!is_public(r#"{"Statement":{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}}"#));
}
