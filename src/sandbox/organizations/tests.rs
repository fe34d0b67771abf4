//! Organizations, and the regions of accounts, as SDK clients meet them.

use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::super::World;
use super::super::sample::{MANAGEMENT, PROD_PAYMENTS, SECURITY};
use super::super::tests::client;
use super::*;

#[tokio::test(start_paused = true)]
async fn members_describe_their_organisation_and_only_administrators_list_it() {
    let world = World::acme();
    let member = client!(aws_sdk_organizations, world, SECURITY, "us-east-1");
    let told = member.describe_organization().send().await.expect("any member may");
    let told = told.organization().expect("there");
    assert_eq!((told.id(), told.master_account_id()), (Some("o-a1b2c3d4e5"), Some(MANAGEMENT)));
    let error = member.list_accounts().send().await.expect_err("not an administrator");
    assert!(error.as_service_error().is_some_and(|error| error.is_access_denied_exception()));
    world.organization(|o| o.delegate("guardduty.amazonaws.com", SECURITY, o.members[SECURITY].joined));
    member.list_accounts().send().await.expect("a delegated administrator");

    let alone = World::one_account("123456789012");
    let client = client!(aws_sdk_organizations, alone, "123456789012", "us-east-1");
    let error = client.describe_organization().send().await.expect_err("in none");
    assert_eq!(error.code(), Some("AWSOrganizationsNotInUseException"));
}

#[tokio::test(start_paused = true)]
async fn accounts_come_in_pages_with_their_units_and_tags() {
    let world = World::many(23);
    let client = client!(aws_sdk_organizations, world, MANAGEMENT, "us-east-1");
    let mut pages = client.list_accounts().into_paginator().send();
    let mut accounts = 0;
    while let Some(page) = pages.next().await {
        accounts += page.expect("a page").accounts().len();
    }
    assert_eq!(accounts, 23);

    let world = World::acme();
    world.suspend(PROD_PAYMENTS);
    let client = client!(aws_sdk_organizations, world, MANAGEMENT, "us-east-1");
    let parents = client.list_parents().child_id(PROD_PAYMENTS).send().await.expect("a member");
    let unit = parents.parents()[0].id().expect("has an id");
    let told =
        client.describe_organizational_unit().organizational_unit_id(unit).send().await.expect("a unit");
    assert_eq!(told.organizational_unit().and_then(|unit| unit.name()), Some("Workloads"));
    let here = client.list_accounts_for_parent().parent_id(unit).send().await.expect("a parent");
    assert_eq!(here.accounts()[0].state(), Some(&AccountState::Suspended));
    let tags = client.list_tags_for_resource().resource_id(PROD_PAYMENTS).send().await.expect("a member");
    assert!(tags.tags().iter().any(|tag| (tag.key(), tag.value()) == ("env", "prod")));
    let roots = client.list_roots().send().await.expect("one");
    let root = roots.roots()[0].id().expect("has an id");
    let units = client.list_organizational_units_for_parent().parent_id(root).send().await.expect("a parent");
    assert_eq!(units.organizational_units().len(), 2);
    let error = client.list_accounts_for_parent().parent_id("ou-acme-00000000").send().await;
    assert_eq!(error.expect_err("none").code(), Some("ParentNotFoundException"));
}

#[tokio::test(start_paused = true)]
async fn regions_come_in_pages_with_their_status() {
    let world = World::acme();
    world.account(PROD_PAYMENTS, |account| account.opted_in.insert("eu-south-1".to_owned()));
    let client = client!(aws_sdk_account, world, PROD_PAYMENTS, "us-east-1");
    let mut pages = client.list_regions().into_paginator().items().send();
    let mut enabled = Vec::new();
    while let Some(region) = pages.next().await {
        let region = region.expect("a region");
        if region.region_opt_status().is_some_and(|status| status.as_str().starts_with("ENABLED")) {
            enabled.extend(region.region_name);
        }
    }
    assert_eq!(enabled.len(), 18);
    assert!(enabled.contains(&"eu-south-1".to_owned()));
    let other = client.list_regions().account_id(SECURITY).send().await;
    assert_eq!(other.expect_err("not an administrator").code(), Some("AccessDeniedException"));
}
