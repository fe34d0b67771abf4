//! Answers as AWS documents them, read by the SDK.

use super::*;
use crate::aws::canned::{self, Answer};

async fn read(answers: &[Answer]) -> Live {
    let sdk = canned::sdk(answers);
    live::read(&aws_sdk_securityhub::Client::new(&sdk)).await.expect("it can be read")
}

#[tokio::test]
async fn rules_are_listed_page_by_page_and_read_in_one_batch() {
    let one = (
        "/automationrules/list",
        200,
        r#"{"AutomationRulesMetadata":[{"RuleArn":"arn:aws:securityhub:us-east-1:123456789012:automation-rule/a1b2",
           "RuleStatus":"ENABLED","RuleOrder":1,"RuleName":"one","Description":"d","IsTerminal":false,
           "CreatedAt":"2022-08-31T01:52:33.250Z","UpdatedAt":"2022-08-31T01:52:33.250Z",
           "CreatedBy":"AROAJURBUYQQNL5OL2TIM:TEST-16MJ75L9VBK14"}],"NextToken":"t"}"#,
    );
    let two = (
        "/automationrules/list",
        200,
        r#"{"AutomationRulesMetadata":[{"RuleArn":"arn:aws:securityhub:us-east-1:123456789012:automation-rule/c3d4",
           "RuleName":"two"}]}"#,
    );
    let rules = (
        "/automationrules/get",
        200,
        r#"{"Rules":[{"RuleArn":"arn:aws:securityhub:us-east-1:123456789012:automation-rule/a1b2",
           "RuleStatus":"ENABLED","RuleOrder":1,"RuleName":"one","Description":"d","IsTerminal":false,
           "Criteria":{"SeverityLabel":[{"Value":"HIGH","Comparison":"EQUALS"},{"Value":"CRITICAL","Comparison":"EQUALS"}],
             "Confidence":[{"Gte":90}],
             "UpdatedAt":[{"DateRange":{"Value":5,"Unit":"DAYS"}}],
             "ResourceTags":[{"Key":"stage","Value":"prod","Comparison":"EQUALS"}]},
           "Actions":[{"Type":"FINDING_FIELDS_UPDATE","FindingFieldsUpdate":{
             "Severity":{"Label":"CRITICAL"},"Note":{"Text":"This is a critical S3 bucket","UpdatedBy":"jo"},
             "Workflow":{"Status":"NOTIFIED"},"UserDefinedFields":{"team":"a"},"Types":["t"]}}],
           "CreatedAt":"2022-08-31T01:52:33.250Z","UpdatedAt":"2022-08-31T01:52:33.250Z",
           "CreatedBy":"AROAJURBUYQQNL5OL2TIM:TEST-16MJ75L9VBK14"}],
           "UnprocessedAutomationRules":[{"RuleArn":
             "arn:aws:securityhub:us-east-1:123456789012:automation-rule/c3d4","ErrorCode":403,"ErrorMessage":"no"}]}"#,
    );
    let live = read(&[one, two, rules, ("/administrator", 200, "{}")]).await;
    let [Sight::Seen(first)] = &live.rules["one"][..] else { panic!("{live:?}") };
    assert_eq!((first.order, first.status.as_str(), first.terminal), (1, "ENABLED", false));
    let declared: Criteria = serde_json::from_value(json!({
        "SeverityLabel": equals(&["CRITICAL", "HIGH"]), "Confidence": [{"Gte": 90}],
        "UpdatedAt": [{"DateRange": {"Value": 5, "Unit": "DAYS"}}],
        "ResourceTags": [{"Key": "stage", "Value": "prod", "Comparison": "EQUALS"}],
    }))
    .unwrap();
    assert_eq!(first.criteria, declared);
    let action = update(json!({
        "Severity": {"Label": "CRITICAL"}, "Note": {"Text": "This is a critical S3 bucket", "UpdatedBy": "jo"},
        "Workflow": {"Status": "NOTIFIED"}, "UserDefinedFields": {"team": "a"}, "Types": ["t"],
    }));
    assert_eq!(Actions(first.actions.clone()), serde_json::from_value(action).unwrap());
    let [Sight::Unseen(why)] = &live.rules["two"][..] else { panic!("{live:?}") };
    assert_eq!((why.kind, why.code.as_str()), (FaultKind::Denied, "403"));
}

#[tokio::test]
async fn where_security_hub_is_not_enabled_there_are_none() {
    let error = (
        "/automationrules/list",
        401,
        r#"{"__type":"InvalidAccessException","Message":"Account 111122223333 is not subscribed to AWS Security Hub"}"#,
    );
    assert_eq!(read(&[error]).await, Live::default());
}
