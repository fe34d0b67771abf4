//! Web ACLs on resources as SDK clients meet them.

use aws_sdk_elasticloadbalancingv2::types::{LoadBalancerStateEnum, LoadBalancerTypeEnum};
use aws_sdk_wafv2::Client;
use aws_sdk_wafv2::types::{AllowAction, DefaultAction, ResourceType, Scope, VisibilityConfig};
use aws_smithy_types::error::metadata::ProvideErrorMetadata as _;

use super::super::super::World;
use super::super::super::apigateway::RestApi;
use super::super::super::elb::LoadBalancer;
use super::super::super::sample::PROD_PAYMENTS;
use super::super::super::tests::client;

const HOME: &str = "eu-west-1";

/// A world with a load balancer, a client of AWS WAF, and the ARN of a new web ACL.
async fn world() -> (World, Client, String) {
    let world = World::acme();
    let now = world.now();
    world.region(PROD_PAYMENTS, HOME, |region| {
        region.elb.all.insert("shop".to_owned(), LoadBalancer::application("50dc6c495c0c9188", now));
    });
    let waf: Client = client!(aws_sdk_wafv2, world, PROD_PAYMENTS, HOME);
    let seen = VisibilityConfig::builder()
        .metric_name("baseline")
        .cloud_watch_metrics_enabled(true)
        .sampled_requests_enabled(true);
    let made = waf
        .create_web_acl()
        .name("baseline")
        .scope(Scope::Regional)
        .default_action(DefaultAction::builder().allow(AllowAction::builder().build()).build())
        .visibility_config(seen.build().expect("complete"));
    let made = made.send().await.expect("the name is free");
    (world, waf, made.summary.and_then(|summary| summary.arn).expect("an ARN"))
}

fn balancer(name: &str) -> String {
    format!("arn:aws:elasticloadbalancing:{HOME}:{PROD_PAYMENTS}:loadbalancer/app/{name}/50dc6c495c0c9188")
}

/// The code of a refusal, `None` where it was done.
async fn associate(waf: &Client, acl: &str, resource: &str) -> Option<String> {
    let answer = waf.associate_web_acl().web_acl_arn(acl).resource_arn(resource).send().await;
    answer.err().and_then(|error| error.code().map(str::to_owned))
}

async fn acl_of(waf: &Client, resource: &str) -> Option<String> {
    let answer = waf.get_web_acl_for_resource().resource_arn(resource).send().await.expect("it is there");
    answer.web_acl.map(|acl| acl.arn)
}

#[tokio::test(start_paused = true)]
async fn a_new_web_acl_is_unavailable_for_a_while() {
    let (_world, waf, acl) = world().await;
    let shop = balancer("shop");
    assert_eq!(associate(&waf, &acl, &shop).await.as_deref(), Some("WAFUnavailableEntityException"));
    assert_eq!(acl_of(&waf, &shop).await, None, "an empty answer, and no error");
    tokio::time::sleep(super::PROPAGATION).await;
    assert_eq!(associate(&waf, &acl, &shop).await, None);
    assert_eq!(acl_of(&waf, &shop).await, Some(acl.clone()));
    let listed = waf.list_resources_for_web_acl().web_acl_arn(&acl).send().await.expect("listed");
    assert_eq!(listed.resource_arns(), std::slice::from_ref(&shop), "load balancers, when no type is said");
    let stages = waf.list_resources_for_web_acl().web_acl_arn(&acl).resource_type(ResourceType::ApiGateway);
    assert!(stages.send().await.expect("listed").resource_arns().is_empty());
    for _ in 0..2 {
        waf.disassociate_web_acl().resource_arn(&shop).send().await.expect("twice is once");
    }
    assert_eq!(acl_of(&waf, &shop).await, None);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_there_and_what_cannot_have_one_is_refused() {
    let (world, waf, acl) = world().await;
    let now = world.now();
    world.region(PROD_PAYMENTS, HOME, |region| {
        let kind = LoadBalancerTypeEnum::Network;
        let plain = LoadBalancer { kind, ..LoadBalancer::application("50dc6c495c0c9188", now) };
        region.elb.all.insert("plain".to_owned(), plain);
        let state = LoadBalancerStateEnum::Provisioning;
        let fresh = LoadBalancer { state, ..LoadBalancer::application("50dc6c495c0c9188", now) };
        region.elb.all.insert("fresh".to_owned(), fresh);
        let api = RestApi::regional("orders", &["prod"], now);
        region.apigateway.apis.insert("a1b2c3d4e5".to_owned(), api);
    });
    let stage = |name: &str| format!("arn:aws:apigateway:{HOME}::/restapis/a1b2c3d4e5/stages/{name}");
    let foreign = format!("{acl}0");
    let cases = [
        (&acl, balancer("absent"), "WAFNonexistentItemException"),
        (&acl, balancer("plain"), "WAFNonexistentItemException"),
        (&acl, stage("dev"), "WAFNonexistentItemException"),
        (&foreign, balancer("shop"), "WAFNonexistentItemException"),
        (&acl, "arn:aws:s3:::a-bucket-of-mine".to_owned(), "WAFInvalidParameterException"),
        (&acl, balancer("fresh"), "WAFUnavailableEntityException"),
        (&acl, stage("prod"), "WAFUnavailableEntityException"),
    ];
    for (acl, resource, code) in cases {
        assert_eq!(associate(&waf, acl, &resource).await.as_deref(), Some(code), "{resource}");
    }
    tokio::time::sleep(super::PROPAGATION).await;
    assert_eq!(associate(&waf, &acl, &stage("prod")).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_web_acl_is_on_a_hundred_load_balancers_at_most() {
    let (world, waf, acl) = world().await;
    let now = world.now();
    world.region(PROD_PAYMENTS, HOME, |region| {
        for number in 0..super::LOAD_BALANCERS {
            let one = LoadBalancer::application("50dc6c495c0c9188", now);
            let web_acl = Some(acl.clone());
            region.elb.all.insert(format!("shop-{number}"), LoadBalancer { web_acl, ..one });
        }
    });
    drop(associate(&waf, &acl, &balancer("shop")).await);
    tokio::time::sleep(super::PROPAGATION).await;
    let one_more = associate(&waf, &acl, &balancer("shop")).await;
    assert_eq!(one_more.as_deref(), Some("WAFLimitsExceededException"));
    assert_eq!(associate(&waf, &acl, &balancer("shop-7")).await, None, "which it has already");
}
