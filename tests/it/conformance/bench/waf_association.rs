//! What stands in the world before `waf.association` is tried, and what others do to it.

use aws_sdk_appsync::types::{GraphQlApiType, GraphQlApiVisibility};
use aws_sdk_elasticloadbalancingv2::types::{LoadBalancerSchemeEnum, LoadBalancerTypeEnum};
use aws_sdk_wafv2::types::{
    AllowAction, BlockAction, DefaultAction, Scope, VisibilityConfig, builders::DefaultActionBuilder,
};
use aws_types::region::Region;
use baseline::sandbox::apigateway::{RestApi, Stage};
use baseline::sandbox::apprunner::AppRunnerService;
use baseline::sandbox::appsync::GraphqlApi;
use baseline::sandbox::cognito::UserPool;
use baseline::sandbox::elb::LoadBalancer;
use baseline::sandbox::{Principal, RegionState, World};

use super::super::stage::{HOME, MEMBER};
use super::Happening;

pub const ID: &str = "waf.association";

/// Puts what a control's example stands on into the world; false for controls of other benches.
pub async fn furnish(world: &World, control: &str) -> bool {
    if control == ID {
        for name in ["baseline", "baseline-strict", "partner-shop"] {
            acl(world, name, DefaultAction::builder().allow(AllowAction::builder().build())).await;
        }
        acl(world, "legacy", DefaultAction::builder().block(BlockAction::builder().build())).await;
        load_balancers(world);
        apis(world);
        sign_ins(world);
    }
    control == ID
}

/// A client of AWS WAF, for root of the member.
fn waf(world: &World) -> aws_sdk_wafv2::Client {
    let connection = world.connection(&baseline::place::Region::new(HOME));
    aws_sdk_wafv2::Client::from_conf(
        aws_sdk_wafv2::config::Builder::from(&connection.sdk)
            .region(Region::new(HOME))
            .credentials_provider(world.caller_credentials(MEMBER, Principal::Root))
            .interceptor(world.interceptor())
            .build(),
    )
}

/// A web ACL without rules.
pub async fn acl(world: &World, name: &str, action: DefaultActionBuilder) {
    let seen = VisibilityConfig::builder()
        .sampled_requests_enabled(true)
        .cloud_watch_metrics_enabled(true)
        .metric_name(name);
    waf(world)
        .create_web_acl()
        .name(name)
        .scope(Scope::Regional)
        .default_action(action.build())
        .visibility_config(seen.build().expect("complete"))
        .send()
        .await
        .expect("the name is free");
}

/// The ARN of a web ACL.
pub fn arn(region: &RegionState, name: &str) -> String {
    region.waf.web_acls.get(name).expect("it was made").arn.clone()
}

fn public() -> std::collections::BTreeMap<String, String> {
    [("exposure".to_owned(), "public".to_owned())].into()
}

/// More that are selected than there are web ACLs, and some that are not.
fn load_balancers(world: &World) {
    let now = world.now();
    world.region(MEMBER, HOME, |region| {
        for (index, name) in ["desk", "gate", "portal", "shop", "shop-api"].into_iter().enumerate() {
            let one = LoadBalancer::application(&format!("50dc6c495c0c918{index}"), now);
            region.elb.all.insert(name.to_owned(), LoadBalancer { tags: public(), ..one });
        }
        let trial = LoadBalancer::application("60dc6c495c0c9180", now);
        let (legacy, partner) = (arn(region, "legacy"), arn(region, "partner-shop"));
        let elb = &mut region.elb.all;
        elb.insert("trial-a".to_owned(), LoadBalancer { web_acl: Some(legacy.clone()), ..trial.clone() });
        elb.get_mut("desk").expect("inserted").web_acl = Some(legacy);
        elb.get_mut("portal").expect("inserted").web_acl = Some(partner);
        let scheme = LoadBalancerSchemeEnum::Internal;
        elb.insert("inside".to_owned(), LoadBalancer { scheme, tags: public(), ..trial.clone() });
        let kind = LoadBalancerTypeEnum::Network;
        elb.insert("plain".to_owned(), LoadBalancer { kind, tags: public(), ..trial });
    });
}

/// Two REST APIs of one name, and a GraphQL API that the internet does not reach.
fn apis(world: &World) {
    let now = world.now();
    world.region(MEMBER, HOME, |region| {
        for (id, name) in [("a1b2c3d4e5", "orders"), ("b2c3d4e5f6", "stock"), ("c3d4e5f6a1", "stock")] {
            let api = RestApi { tags: public(), ..RestApi::regional(name, &["prod"], now) };
            region.apigateway.apis.insert(id.to_owned(), api);
        }
        let graphql = &mut region.appsync.apis;
        let one = |name: &str| GraphqlApi { tags: public(), ..GraphqlApi::standard(name) };
        graphql.insert("abcdefghijklmnopqrstuvwxy1".to_owned(), one("catalogue"));
        let merged = GraphqlApi { kind: GraphQlApiType::Merged, ..one("everything") };
        graphql.insert("abcdefghijklmnopqrstuvwxy2".to_owned(), merged);
        let private = GraphqlApi { visibility: GraphQlApiVisibility::Private, ..one("inside") };
        graphql.insert("abcdefghijklmnopqrstuvwxy3".to_owned(), private);
    });
}

fn sign_ins(world: &World) {
    let now = world.now();
    world.region(MEMBER, HOME, |region| {
        for (id, name) in [("eu-west-1_a1B2c3D4e", "customers"), ("eu-west-1_b2C3d4E5f", "partners")] {
            let pool = UserPool { tags: public(), ..UserPool::new(name, now) };
            region.cognito.pools.insert(id.to_owned(), pool);
        }
        region.cognito.pools.insert("eu-west-1_c3D4e5F6g".to_owned(), UserPool::new("staff", now));
        let service = AppRunnerService::running("8fe1e10304f84fd2b0df550fe98a71fa", now);
        let quiet = AppRunnerService::running("9fe1e10304f84fd2b0df550fe98a71fa", now);
        let all = &mut region.apprunner.services;
        all.insert("landing".to_owned(), AppRunnerService { tags: public(), ..service });
        all.insert("worker".to_owned(), quiet);
    });
}

/// What no value of a spec can bring about; empty for controls of other benches.
pub fn happenings(control: &str) -> &'static [Happening] {
    if control == ID { HAPPENINGS } else { &[] }
}

const HAPPENINGS: &[Happening] = &[
    Happening {
        name: "the web ACL is taken off a load balancer",
        change: |world| {
            world.region(MEMBER, HOME, |region| {
                region.elb.all.get_mut("gate").expect("it stands there").web_acl = None;
            });
        },
        rule: "load-balancer",
    },
    Happening {
        name: "a new stage",
        change: |world| {
            world.region(MEMBER, HOME, |region| {
                let orders = region.apigateway.apis.get_mut("a1b2c3d4e5").expect("it stands there");
                orders.stages.insert("canary".to_owned(), Stage::default());
            });
        },
        rule: "api-stage",
    },
    Happening {
        name: "a GraphQL API gets a web ACL of AWS WAF Classic",
        change: |world| {
            world.region(MEMBER, HOME, |region| {
                let api = region.appsync.apis.get_mut("abcdefghijklmnopqrstuvwxy1").expect("it stands there");
                let id = "0a1b2c3d-1111-2222-3333-444455556666";
                api.web_acl = Some(format!("arn:aws:waf-regional:{HOME}:{MEMBER}:webacl/{id}"));
            });
        },
        rule: "graphql-api",
    },
    Happening {
        name: "a user pool gets another web ACL",
        change: |world| {
            world.region(MEMBER, HOME, |region| {
                let legacy = arn(region, "legacy");
                let pool = region.cognito.pools.get_mut("eu-west-1_a1B2c3D4e").expect("it stands there");
                pool.web_acl = Some(legacy);
            });
        },
        rule: "user-pool",
    },
    Happening {
        name: "a service of App Runner becomes public",
        change: |world| {
            world.region(MEMBER, HOME, |region| {
                region.apprunner.services.get_mut("worker").expect("it stands there").tags = public();
            });
        },
        rule: "app-runner-service",
    },
];

/// Does by hand what no API can do.
pub fn by_hand(_world: &World) {}
