//! Answers as AWS documents them, read by the SDK.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;

use super::super::listing::{self, Services};
use super::super::live;
use super::*;
use crate::control::Scope;

/// Gives these answers, one after another.
#[derive(Clone, Debug)]
struct Canned {
    answers: &'static [(u16, &'static str)],
    next: Arc<AtomicUsize>,
}

impl HttpConnector for Canned {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        let (status, body) = self.answers[self.next.fetch_add(1, Ordering::Relaxed)];
        let status = status.try_into().expect("a status");
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status, SdkBody::from(body))))
    }
}

fn canned(answers: &'static [(u16, &'static str)]) -> SharedHttpClient {
    let canned = Canned { answers, next: Arc::default() };
    http_client_fn(move |_, _| SharedHttpConnector::new(canned.clone()))
}

macro_rules! client {
    ($sdk:ident, $http:expr) => {
        $sdk::Client::from_conf(
            $sdk::config::Builder::from(&crate::aws::bare_sdk_config($http))
                .region(aws_types::region::Region::new("eu-west-1"))
                .allow_no_auth()
                .build(),
        )
    };
}

fn services(answers: &'static [(u16, &'static str)]) -> Services {
    let http = canned(answers);
    let Scope { account, region } = facts().scope;
    Services {
        scope: Scope { account, region },
        elb: client!(aws_sdk_elasticloadbalancingv2, http.clone()),
        apigateway: client!(aws_sdk_apigateway, http.clone()),
        appsync: client!(aws_sdk_appsync, http.clone()),
        cognito: client!(aws_sdk_cognitoidentityprovider, http.clone()),
        apprunner: client!(aws_sdk_apprunner, http),
    }
}

/// What is listed of one type, when everything may be governed.
async fn listed(kind: ResourceType, answers: &'static [(u16, &'static str)]) -> Vec<Resource> {
    let all = rules(json!([{"select": {"types": [kind]}, "acl": "baseline"}]));
    let found = listing::list(&services(answers), kind, &all).await.expect("it can be read");
    let seen = found.into_iter().map(|(_, sight)| match sight {
        Sight::Seen(one) => one,
        Sight::Unseen(fault) => panic!("{fault}"),
    });
    seen.collect()
}

fn tags(pairs: &[(&str, &str)]) -> Sight<BTreeMap<String, String>> {
    Sight::Seen(pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect())
}

#[tokio::test]
async fn load_balancers_are_read_page_by_page() {
    let one = "<DescribeLoadBalancersResponse xmlns=\"http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/\">\
        <DescribeLoadBalancersResult><LoadBalancers><member>\
        <LoadBalancerArn>arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/shop/50dc6c495c0c9188</LoadBalancerArn>\
        <Scheme>internal</Scheme><LoadBalancerName>shop</LoadBalancerName><Type>application</Type>\
        <State><Code>active</Code></State><CreatedTime>2024-01-12T20:00:00Z</CreatedTime>\
        </member></LoadBalancers><NextMarker>AbC</NextMarker></DescribeLoadBalancersResult></DescribeLoadBalancersResponse>";
    let two = "<DescribeLoadBalancersResponse><DescribeLoadBalancersResult><LoadBalancers><member>\
        <LoadBalancerArn>arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/net/plain/1</LoadBalancerArn>\
        <LoadBalancerName>plain</LoadBalancerName><Type>network</Type>\
        </member></LoadBalancers></DescribeLoadBalancersResult></DescribeLoadBalancersResponse>";
    let answers: &'static [(u16, &str)] = Box::leak(Box::new([(200, one), (200, two)]));
    let [shop] = listed(BALANCER, answers).await.try_into().expect("one that can have a web ACL");
    assert_eq!((shop.name.as_str(), shop.scheme), ("shop", Scheme::Internal));
    assert!(shop.arn.ends_with("loadbalancer/app/shop/50dc6c495c0c9188"));
}

#[tokio::test]
async fn tags_of_load_balancers_are_read_in_batches() {
    let answer = "<DescribeTagsResponse><DescribeTagsResult><TagDescriptions><member>\
        <ResourceArn>arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/shop/50dc</ResourceArn>\
        <Tags><member><Key>exposure</Key><Value>public</Value></member></Tags>\
        </member></TagDescriptions></DescribeTagsResult></DescribeTagsResponse>";
    let gone = "<ErrorResponse><Error><Type>Sender</Type><Code>LoadBalancerNotFound</Code>\
        <Message>not found</Message></Error></ErrorResponse>";
    let answers: &'static [(u16, &str)] = Box::leak(Box::new([(400, gone), (200, answer), (400, gone)]));
    // The first answer is for both, the others for each.
    let both = vec![balancer("shop", None), balancer("deleted", None)];
    let read = listing::read_tags(&services(answers), BALANCER, both).await;
    let [shop] = read.try_into().expect("the deleted one is dropped");
    assert_eq!(shop.tags, tags(&[("exposure", "public")]));
}

#[tokio::test]
async fn stages_have_the_tags_of_their_api_too() {
    let apis = r#"{"item":[{"id":"a1b2c3d4e5","name":"shop","createdDate":1700000000,"tags":{"exposure":"public","a":"1"},
        "endpointConfiguration":{"types":["REGIONAL"]},"apiKeySource":"HEADER","disableExecuteApiEndpoint":false}],
        "position":"p2"}"#;
    let more = r#"{"item":[{"id":"b2","name":"shop","endpointConfiguration":{"types":["PRIVATE"],"vpcEndpointIds":[]}}]}"#;
    let stages = r#"{"item":[{"stageName":"prod","deploymentId":"x","createdDate":1700000000,"tags":{"a":"2"},
        "webAclArn":"arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/baseline/0a1b2c3d-1111"}]}"#;
    let plain = r#"{"item":[{"stageName":"prod","deploymentId":"x","createdDate":1700000000}]}"#;
    let answers: &'static [(u16, &str)] =
        Box::leak(Box::new([(200, apis), (200, more), (200, stages), (200, plain)]));
    let mut found = listed(ResourceType::ApiGateway, answers).await;
    found.sort_by(|a, b| a.name.cmp(&b.name));
    let [one, two] = found.try_into().expect("two stages");
    assert_eq!(one.name, "shop (a1b2c3d4e5)/prod");
    assert_eq!(one.called, "shop/prod");
    assert_eq!(one.arn, "arn:aws:apigateway:eu-west-1::/restapis/a1b2c3d4e5/stages/prod");
    assert_eq!(one.tags, tags(&[("a", "2"), ("exposure", "public")]));
    assert_eq!(one.acl, Sight::Seen(Some(LiveAcl(arn("baseline")))));
    assert_eq!((two.scheme, two.acl), (Scheme::Internal, Sight::Seen(None)));
}

#[tokio::test]
async fn graphql_apis_of_both_types_say_their_web_acl() {
    let standard = r#"{"graphqlApis":[{"name":"catalogue","apiId":"abc1","authenticationType":"API_KEY","visibility":"GLOBAL",
        "arn":"arn:aws:appsync:eu-west-1:111122223333:apis/abc1","uris":{"GRAPHQL":"https://x/graphql"},
        "tags":{"exposure":"public"},"xrayEnabled":false,"apiType":"GRAPHQL",
        "wafWebAclArn":"arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/baseline/0a1b2c3d-1111"}],"nextToken":null}"#;
    let merged = r#"{"graphqlApis":[{"name":"all","apiId":"abc2","visibility":"PRIVATE","apiType":"MERGED",
        "arn":"arn:aws:appsync:eu-west-1:111122223333:apis/abc2"}]}"#;
    let answers: &'static [(u16, &str)] = Box::leak(Box::new([(200, standard), (200, merged)]));
    let [one, two] = listed(ResourceType::Appsync, answers).await.try_into().expect("two APIs");
    assert_eq!((one.name.as_str(), one.scheme), ("catalogue", Scheme::InternetFacing));
    assert_eq!(one.acl, Sight::Seen(Some(LiveAcl(arn("baseline")))));
    assert_eq!((two.name.as_str(), two.scheme, two.acl), ("all", Scheme::Internal, Sight::Seen(None)));
}

#[tokio::test]
async fn user_pools_and_their_tags() {
    let one = r#"{"UserPools":[{"Id":"eu-west-1_a1B2c3D4e","Name":"customers","LambdaConfig":{},
        "CreationDate":1700000000.123,"LastModifiedDate":1700000000.123}],"NextToken":"t"}"#;
    let two = r#"{"UserPools":[]}"#;
    let answers: &'static [(u16, &str)] = Box::leak(Box::new([(200, one), (200, two)]));
    let pools = listed(ResourceType::CognitoUserPool, answers).await;
    let wanted = "arn:aws:cognito-idp:eu-west-1:111122223333:userpool/eu-west-1_a1B2c3D4e";
    assert_eq!((pools.len(), pools[0].name.as_str(), pools[0].arn.as_str()), (1, "customers", wanted));
    let tagged = services(&[(200, r#"{"Tags":{"exposure":"public"}}"#)]);
    let read = listing::read_tags(&tagged, ResourceType::CognitoUserPool, pools).await;
    assert_eq!(read[0].tags, tags(&[("exposure", "public")]));
}

#[tokio::test]
async fn app_runner_services_that_are_not_deleted_and_their_tags() {
    let answer = r#"{"ServiceSummaryList":[
        {"ServiceName":"landing","ServiceId":"8fe1","Status":"RUNNING","CreatedAt":1700000000.1,"UpdatedAt":1700000000.1,
         "ServiceArn":"arn:aws:apprunner:eu-west-1:111122223333:service/landing/8fe1","ServiceUrl":"x.awsapprunner.com"},
        {"ServiceName":"old","ServiceId":"9fe1","Status":"DELETED",
         "ServiceArn":"arn:aws:apprunner:eu-west-1:111122223333:service/old/9fe1"}]}"#;
    let answers: &'static [(u16, &str)] = Box::leak(Box::new([(200, answer)]));
    let found = listed(ResourceType::AppRunnerService, answers).await;
    assert_eq!(found.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["landing"]);
    let tagged = services(&[(200, r#"{"Tags":[{"Key":"exposure","Value":"public"}]}"#)]);
    let read = listing::read_tags(&tagged, ResourceType::AppRunnerService, found).await;
    assert_eq!(read[0].tags, tags(&[("exposure", "public")]));
}

fn waf(answers: &'static [(u16, &'static str)]) -> aws_sdk_wafv2::Client {
    client!(aws_sdk_wafv2, canned(answers))
}

#[tokio::test]
async fn web_acls_are_listed_until_there_is_no_marker() {
    let waf = waf(&[
        (
            200,
            r#"{"NextMarker":"a","WebACLs":[{"Name":"a","Id":"1","LockToken":"l","Description":"","ARN":"arn:a"}]}"#,
        ),
        (
            200,
            r#"{"NextMarker":"b","WebACLs":[{"Name":"b","Id":"2","LockToken":"l","Description":"","ARN":"arn:b"}]}"#,
        ),
        (200, r#"{"WebACLs":[]}"#),
    ]);
    let acls = live::list_acls(&waf).await.expect("listed");
    assert_eq!(acls, [LiveAcl("arn:a".into()), LiveAcl("arn:b".into())]);
}

#[tokio::test]
async fn the_web_acl_of_a_resource_and_none() {
    let acl = r#"{"WebACL":{"Name":"baseline","Id":"0a1b2c3d-1111","DefaultAction":{"Allow":{}},"Rules":[],"Capacity":0,
        "ARN":"arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/baseline/0a1b2c3d-1111","ManagedByFirewallManager":false,
        "VisibilityConfig":{"SampledRequestsEnabled":true,"CloudWatchMetricsEnabled":true,"MetricName":"m"}}}"#;
    let answers: &'static [(u16, &str)] = Box::leak(Box::new([
        (200, acl),
        (200, "{}"),
        (400, r#"{"__type":"WAFNonexistentItemException","Message":"gone"}"#),
    ]));
    let waf = waf(answers);
    let one = live::acl_of(&waf, balancer("shop", None)).await.expect("it is there");
    assert_eq!(one.acl, Sight::Seen(Some(LiveAcl(arn("baseline")))));
    let none = live::acl_of(&waf, balancer("shop", Some("baseline"))).await.expect("it is there");
    assert_eq!(none.acl, Sight::Seen(None));
    assert_eq!(live::acl_of(&waf, balancer("shop", None)).await, None, "it went away");
}

#[tokio::test]
async fn resources_of_a_web_acl_and_whose_web_acl_it_is() {
    let managed = r#"{"LockToken":"l","WebACL":{"Name":"FMManagedWebACLV2-p","Id":"1","ARN":"arn:fm","Capacity":1,
        "DefaultAction":{"Allow":{}},"Rules":[],"ManagedByFirewallManager":true,"VisibilityConfig":
        {"SampledRequestsEnabled":true,"CloudWatchMetricsEnabled":true,"MetricName":"m"}}}"#;
    let arns = r#"{"ResourceArns":["arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/shop/50dc"]}"#;
    let gone = r#"{"__type":"WAFNonexistentItemException","Message":"gone"}"#;
    let answers: &'static [(u16, &str)] = Box::leak(Box::new([(200, arns), (400, gone), (200, managed)]));
    let (waf, acl) = (waf(answers), LiveAcl(arn("baseline")));
    let kind = aws_sdk_wafv2::types::ResourceType::ApplicationLoadBalancer;
    assert_eq!(live::resources_of(&waf, &acl, &kind).await, Ok(vec![balancer("shop", None).arn]));
    assert_eq!(live::resources_of(&waf, &acl, &kind).await, Ok(vec![]), "it went away");
    let other = Sight::Seen(OtherAcl { firewall_manager: true, inspects: false });
    assert_eq!(live::other(&waf, &acl).await, other);
}

#[test]
fn a_service_is_not_offered_only_where_no_host_answers_and_aws_lists_none() {
    let kind = ResourceType::AppRunnerService;
    let at = |region: &str| Scope { region: crate::place::Region::new(region), ..facts().scope };
    let no_host = Fault { code: "DispatchFailure".into(), ..Fault::local(FaultKind::Unavailable, "a:B", "") };
    let denied = Fault::local(FaultKind::Denied, "a:B", "");
    let told = |region: &str, fault: &Fault| listing::or_not_offered(kind, &at(region), fault.clone()).kind;
    assert_eq!(told("eu-south-1", &no_host), FaultKind::NotOffered);
    assert_eq!(told("eu-west-1", &no_host), FaultKind::Unavailable);
    assert_eq!(told("eu-south-1", &denied), FaultKind::Denied);
}
