//! ECR as SDK clients meet it.

use std::collections::BTreeSet;

use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::super::World;
use super::super::sample::PROD_PAYMENTS;
use super::super::tests::client;
use super::*;

const POLICY: &str = r#"{"rules":[{"rulePriority":1,"selection":{"tagStatus":"untagged","countType":"sinceImagePushed","countUnit":"days","countNumber":14},"action":{"type":"expire"}}]}"#;

#[tokio::test(start_paused = true)]
async fn five_hundred_repositories_come_in_pages() {
    let world = World::one_account("111122223333");
    let now = world.now();
    world.region("111122223333", "eu-west-1", |region| {
        for index in 0..500 {
            region.ecr.repositories.insert(format!("r{index:03}"), Repository::with_defaults(now));
        }
    });
    let client = client!(aws_sdk_ecr, world, "111122223333", "eu-west-1");
    let mut pages = client.describe_repositories().into_paginator().send();
    let (mut names, mut count) = (BTreeSet::new(), 0);
    while let Some(page) = pages.next().await {
        count += 1;
        names.extend(page.expect("a page").repositories().iter().filter_map(|r| r.repository_name.clone()));
    }
    assert_eq!((names.len(), count), (500, 25));
}

#[tokio::test(start_paused = true)]
async fn exclusion_filters_stand_exactly_where_they_are_meant() {
    let world = World::acme();
    let client = client!(aws_sdk_ecr, world, PROD_PAYMENTS, "eu-west-1");
    let filter = |text: &str| {
        ImageTagMutabilityExclusionFilter::builder()
            .filter_type(ImageTagMutabilityExclusionFilterType::Wildcard)
            .filter(text)
            .build()
            .expect("complete")
    };
    let put = |setting: ImageTagMutability, filters: Vec<ImageTagMutabilityExclusionFilter>| {
        let filters = (!filters.is_empty()).then_some(filters);
        client
            .put_image_tag_mutability()
            .repository_name("payments/web")
            .image_tag_mutability(setting)
            .set_image_tag_mutability_exclusion_filters(filters)
            .send()
    };
    put(ImageTagMutability::ImmutableWithExclusion, vec![filter("dev-*")]).await.expect("one filter");
    for (setting, filters) in [
        (ImageTagMutability::ImmutableWithExclusion, vec![]),
        (ImageTagMutability::Immutable, vec![filter("dev-*")]),
        (ImageTagMutability::ImmutableWithExclusion, vec![filter("***")]),
        (ImageTagMutability::from("SOMETIMES"), vec![]),
    ] {
        let error = put(setting, filters).await.expect_err("refused");
        assert_eq!(error.code(), Some("InvalidParameterException"));
    }
    let told = client.describe_repositories().repository_names("payments/web").send().await.expect("there");
    let repository = &told.repositories()[0];
    assert_eq!(repository.image_tag_mutability(), Some(&ImageTagMutability::ImmutableWithExclusion));
    assert_eq!(repository.image_tag_mutability_exclusion_filters()[0].filter(), "dev-*");
}

#[tokio::test(start_paused = true)]
async fn lifecycle_policies_are_kept_absent_or_out_of_reach() {
    let world = World::acme();
    let client = client!(aws_sdk_ecr, world, PROD_PAYMENTS, "eu-west-1");
    let get = || client.get_lifecycle_policy().repository_name("payments/api").send();
    let put = |text: &str| {
        client.put_lifecycle_policy().repository_name("payments/api").lifecycle_policy_text(text).send()
    };
    let absent = get().await.expect_err("never set");
    assert!(absent.as_service_error().is_some_and(|e| e.is_lifecycle_policy_not_found_exception()));
    put("{}").await.expect_err("too short");
    put(&POLICY.replace("\"expire\"", "\"archived\"")).await.expect_err("no such action");
    put(POLICY).await.expect("a policy");
    assert_eq!(get().await.expect("set").lifecycle_policy_text(), Some(POLICY));
    world.region(PROD_PAYMENTS, "eu-west-1", |region| {
        region.ecr.repositories.get_mut("payments/api").expect("in the sample").unreadable = true;
    });
    assert_eq!(get().await.expect_err("sealed").code(), Some("AccessDeniedException"));
    let missing = client.get_lifecycle_policy().repository_name("absent").send().await.expect_err("none");
    assert!(missing.as_service_error().is_some_and(|e| e.is_repository_not_found_exception()));
}

#[test]
fn repository_names_are_those_of_the_model() {
    for name in ["ab", "a/b", "team-1/api.v2", "a__b", "a---b"] {
        assert!(repository_name(Some(name)).is_ok(), "{name}");
    }
    for name in ["a", "Ab", "a//b", "/ab", "ab/", "a_-b", "a..b", "-ab", "ab-", "a___b"] {
        assert!(repository_name(Some(name)).is_err(), "{name}");
    }
}
