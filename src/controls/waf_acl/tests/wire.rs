//! The service's answers as the API reference shows them, read by the SDK and told in our words.

use std::sync::{Arc, Mutex};

use aws_credential_types::Credentials;
use aws_sdk_wafv2::config::{BehaviorVersion, Region};
use aws_sdk_wafv2::types::Scope;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};

use super::super::live::Live;
use super::super::{live, logging, read};
use super::lists;

/// Answers every call by its operation, and keeps what was asked.
#[derive(Clone, Debug)]
struct Wire {
    answers: Value,
    asked: Arc<Mutex<Vec<Value>>>,
}

impl HttpConnector for Wire {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap().rsplit('.').next().unwrap().to_owned();
        let asked: Value = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
        self.asked.lock().unwrap().push(json!({target.as_str(): asked}));
        let answer = &self.answers[&target];
        let status = if answer.get("__type").is_some() { 400 } else { 200 };
        let body = SdkBody::from(answer.to_string());
        HttpConnectorFuture::ready(Ok(HttpResponse::new(StatusCode::try_from(status).unwrap(), body)))
    }
}

impl HttpClient for Wire {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

fn client(answers: Value) -> (aws_sdk_wafv2::Client, Wire) {
    let wire = Wire { answers, asked: Arc::default() };
    let config = aws_sdk_wafv2::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .credentials_provider(Credentials::new("AKIAEXAMPLE", "secret", None, None, "test"))
        .http_client(wire.clone());
    (aws_sdk_wafv2::Client::from_conf(config.build()), wire)
}

const ID: &str = "a1b2c3d4-5678-90ab-cdef-111111111111";
const ARN: &str =
    "arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/baseline/a1b2c3d4-5678-90ab-cdef-111111111111";

#[tokio::test]
async fn lists_go_on_until_there_is_no_marker() {
    let (waf, _) = client(json!({
        "ListWebACLs": {"NextMarker": "", "WebACLs": [
            {"ARN": ARN, "Description": "", "Id": ID, "LockToken": ID, "Name": "baseline"},
        ]},
        "ListIPSets": {"IPSets": [{"ARN": "arn:x", "Id": ID, "LockToken": ID, "Name": "baseline-office-ipv4"}]},
    }));
    let acls = read::acls(&waf, &Scope::Regional).await.unwrap();
    assert_eq!((acls["baseline"].id.as_str(), acls["baseline"].arn.as_str()), (ID, ARN));
    let sets = read::sets(&waf, &Scope::Regional).await.unwrap();
    assert_eq!(sets["baseline-office-ipv4"].arn, "arn:x");
}

/// As GetWebACL answers for one that the console made: `ManagedByFirewallManager`, defaults filled in.
#[tokio::test]
async fn a_web_acl_is_read_as_aws_tells_it() {
    let visible = |name: &str| {
        json!({
            "SampledRequestsEnabled": true, "CloudWatchMetricsEnabled": true, "MetricName": name,
        })
    };
    let set = |name: &str| {
        json!({"IPSetReferenceStatement": {
            "ARN": format!("arn:aws:wafv2:eu-west-1:111122223333:regional/ipset/{name}/{ID}"),
        }})
    };
    let (waf, _) = client(json!({"GetWebACL": {
        "ApplicationIntegrationURL": "https://example",
        "LockToken": ID,
        "WebACL": {
            "ARN": ARN, "Id": ID, "Name": "baseline", "Capacity": 704, "ManagedByFirewallManager": false,
            "LabelNamespace": "awswaf:111122223333:webacl:baseline:", "RetrofittedByFirewallManager": false,
            "DefaultAction": {"Allow": {}}, "Description": "Everything", "VisibilityConfig": visible("baseline"),
            "CustomResponseBodies": {"denied": {"ContentType": "TEXT_PLAIN", "Content": "Denied."}},
            "Rules": [
                {
                    "Name": "office", "Priority": 0, "Action": {"Allow": {}}, "VisibilityConfig": visible("office"),
                    "Statement": {"OrStatement": {"Statements": [
                        set("baseline-office-ipv4"), set("baseline-office-ipv6"),
                    ]}},
                },
                {
                    "Name": "each", "Priority": 1, "VisibilityConfig": visible("each"),
                    "Action": {"Block": {"CustomResponse": {"ResponseCode": 429, "CustomResponseBodyKey": "denied"}}},
                    "Statement": {"RateBasedStatement": {
                        "Limit": 2000, "EvaluationWindowSec": 300, "AggregateKeyType": "FORWARDED_IP",
                        "ForwardedIPConfig": {"HeaderName": "X-Forwarded-For", "FallbackBehavior": "MATCH"},
                        "ScopeDownStatement": {"NotStatement": {"Statement": set("baseline-denied-ipv4")}},
                    }},
                },
                {
                    "Name": "AWS-AWSManagedRulesCommonRuleSet", "Priority": 2, "OverrideAction": {"None": {}},
                    "VisibilityConfig": visible("AWS-AWSManagedRulesCommonRuleSet"),
                    "Statement": {"ManagedRuleGroupStatement": {
                        "VendorName": "AWS", "Name": "AWSManagedRulesCommonRuleSet", "Version": "Version_1.18",
                        "RuleActionOverrides": [{"Name": "SizeRestrictions_BODY", "ActionToUse": {"Count": {}}}],
                        "ScopeDownStatement": {"ByteMatchStatement": {
                            "SearchString": "L2xvZ2lu", "FieldToMatch": {"UriPath": {}},
                            "TextTransformations": [{"Priority": 0, "Type": "URL_DECODE"}],
                            "PositionalConstraint": "EXACTLY",
                        }},
                    }},
                },
                {
                    "Name": "sqli", "Priority": 3, "Action": {"Count": {}}, "VisibilityConfig": visible("sqli"),
                    "Statement": {"SqliMatchStatement": {
                        "FieldToMatch": {"QueryString": {}}, "SensitivityLevel": "LOW",
                        "TextTransformations": [{"Priority": 0, "Type": "NONE"}],
                    }},
                },
            ],
        },
    }}));
    let (acl, token) = read::acl(&waf, &Scope::Regional, "baseline", ID).await.unwrap();
    assert_eq!(token, ID);
    let live = Live::of(&acl, &lists());
    let told = serde_json::to_value(&live.spec).unwrap();
    assert_eq!(told["defaultAction"], "allow");
    assert_eq!(told["networks"]["office"]["lists"], json!(["office"]));
    assert_eq!(told["rates"]["each"]["forwardedHeader"], "X-Forwarded-For");
    assert_eq!(told["rates"]["each"]["response"], json!({"status": 429, "body": "denied"}));
    assert_eq!(told["rates"]["each"]["scopeDown"]["exceptFrom"], json!(["denied"]));
    let group = &told["managed"]["AWSManagedRulesCommonRuleSet"];
    assert_eq!((&group["version"], &group["mode"]), (&json!("Version_1.18"), &json!("enforce")));
    assert_eq!(group["overrides"], json!({"SizeRestrictions_BODY": "count"}));
    assert_eq!(group["scopeDown"]["paths"], json!(["/login"]));
    assert_eq!((live.rules["sqli"], live.capacity), (3, 704));
}

#[tokio::test]
async fn logging_is_read_and_its_absence_is_an_answer() {
    let (waf, _) = client(json!({"GetLoggingConfiguration": {"LoggingConfiguration": {
        "ResourceArn": ARN, "ManagedByFirewallManager": false, "LogType": "WAF_LOGS", "LogScope": "CUSTOMER",
        "LogDestinationConfigs": ["arn:aws:logs:eu-west-1:111122223333:log-group:aws-waf-logs-a:*"],
        "RedactedFields": [{"SingleHeader": {"Name": "Authorization"}}, {"UriPath": {}}],
        "LoggingFilter": {"DefaultBehavior": "DROP", "Filters": [{
            "Behavior": "KEEP", "Requirement": "MEETS_ANY", "Conditions": [
                {"ActionCondition": {"Action": "BLOCK"}}, {"LabelNameCondition": {"LabelName": "awswaf:a:b"}},
            ],
        }]},
    }}}));
    let live = read::logging_configuration(&waf, ARN).await.unwrap().unwrap();
    let told = serde_json::to_value(logging::LoggingSpec::of(&live)).unwrap();
    assert_eq!(
        told,
        json!({
            "to": "logs://aws-waf-logs-a",
            "redact": ["UriPath", "header:authorization"],
            "unfiltered": "DROP",
            "filters": [{
                "behavior": "KEEP", "requirement": "MEETS_ANY", "actions": ["BLOCK"], "labels": ["awswaf:a:b"],
            }],
        })
    );
    let (waf, _) = client(json!({"GetLoggingConfiguration": {
        "__type": "WAFNonexistentItemException", "Message": "AWS WAF couldn’t perform the operation.",
    }}));
    assert_eq!(read::logging_configuration(&waf, ARN).await.unwrap(), None);
}

#[tokio::test]
async fn groups_versions_capacity_and_sets_are_read() {
    let (waf, wire) = client(json!({
        "DescribeManagedRuleGroup": {
            "VersionName": "Version_1.18", "Capacity": 700, "LabelNamespace": "awswaf:managed:aws:core-rule-set:",
            "SnsTopicArn": "arn:aws:sns:us-east-1:1:aws-managed-waf-rule-notifications",
            "Rules": [{"Name": "NoUserAgent_HEADER", "Action": {"Block": {}}}, {"Name": "New", "Action": {"Monetize": {}}}],
        },
        "ListAvailableManagedRuleGroupVersions": {
            "Versions": [{"Name": "Version_1.18", "LastUpdateTimestamp": 1_760_000_000.5}],
            "CurrentDefaultVersion": "Version_1.18",
        },
        "CheckCapacity": {"Capacity": 702},
        "GetIPSet": {"LockToken": ID, "IPSet": {
            "Name": "a", "Id": ID, "ARN": "arn:x", "IPAddressVersion": "IPV6", "Description": "",
            "Addresses": ["2001:0db8:0000:0000:0000:0000:0000:0000/32"],
        }},
    }));
    let spec = serde_json::from_value(json!({"version": "Version_1.18"})).unwrap();
    let group = read::described(&waf, &Scope::Regional, "AWSManagedRulesCommonRuleSet", &spec).await.unwrap();
    let live::Group::Offered { rules } = group else { panic!("{group:?}") };
    assert_eq!(rules["NoUserAgent_HEADER"], Some(super::super::words::Action::Block));
    assert_eq!(rules["New"], None);
    let spec = serde_json::from_value(json!({"version": "Version_1.0"})).unwrap();
    let group = read::described(&waf, &Scope::Regional, "AWSManagedRulesCommonRuleSet", &spec).await.unwrap();
    assert_eq!(group, live::Group::NoSuchVersion { available: vec!["Version_1.18".into()] });
    let spec =
        serde_json::from_value(json!({"networks": {"x": {"priority": 1, "lists": ["office"]}}})).unwrap();
    let used = read::used(&waf, &Scope::Regional, &[], &spec, &lists()).await.unwrap().unwrap();
    assert_eq!(used, 702);
    let asked = wire.asked.lock().unwrap().last().unwrap()["CheckCapacity"].clone();
    let statements = &asked["Rules"][0]["Statement"]["OrStatement"]["Statements"];
    // Two sets stand for as many statements, before they are there.
    assert_eq!(statements.as_array().map(Vec::len), Some(2));
    let set = read::set(&waf, &Scope::Regional, "a", ID).await.unwrap();
    assert_eq!(set.addresses.into_iter().collect::<Vec<_>>(), ["2001:db8::/32"]);
}
