//! The answers of AWS Config, read as they come over the wire.

use super::*;
use crate::controls::wire::reader;

const ANSWERS: &[(&str, &str)] = &[
    (
        "DescribeConfigRules",
        r#"{"ConfigRules":[
            {"ConfigRuleName":"x","ConfigRuleArn":"arn:aws:config:eu-west-1:111122223333:config-rule/config-rule-a",
             "ConfigRuleId":"config-rule-a","Description":"d","Scope":{"TagKey":"stage","TagValue":"prod"},
             "Source":{"Owner":"CUSTOM_POLICY","SourceDetails":[
               {"EventSource":"aws.config","MessageType":"ConfigurationItemChangeNotification"}],
               "CustomPolicyDetails":{"PolicyRuntime":"guard-2.x.x","PolicyText":"","EnableDebugLogDelivery":true}},
             "InputParameters":"{\"p\":\"1\"}","ConfigRuleState":"ACTIVE",
             "EvaluationModes":[{"Mode":"DETECTIVE"}]},
            {"ConfigRuleName":"twin","Source":{"Owner":"AWS","SourceIdentifier":"ENCRYPTED_VOLUMES"},
             "MaximumExecutionFrequency":"One_Hour","ConfigRuleState":"EVALUATING",
             "CreatedBy":"securityhub.amazonaws.com"},
            {"ConfigRuleName":"other","Source":{"Owner":"AWS","SourceIdentifier":"EIP_ATTACHED"}}]}"#,
    ),
    ("GetCustomRulePolicy", r#"{"PolicyText":"rule x { this exists }"}"#),
    (
        "DescribeRemediationConfigurations",
        r#"{"RemediationConfigurations":[{"ConfigRuleName":"x","TargetType":"SSM_DOCUMENT","TargetId":"D",
            "TargetVersion":"1","Parameters":{"Id":{"ResourceValue":{"Value":"RESOURCE_ID"}},
              "Ports":{"StaticValue":{"Values":["22","3389"]}}},"Automatic":false,
            "ExecutionControls":{"SsmControls":{"ConcurrentExecutionRatePercentage":10,"ErrorPercentage":50}},
            "MaximumAutomaticAttempts":5,"RetryAttemptSeconds":60}]}"#,
    ),
    (
        "GetComplianceDetailsByConfigRule",
        r#"{"EvaluationResults":[{"EvaluationResultIdentifier":{"EvaluationResultQualifier":{
            "ConfigRuleName":"x","ResourceType":"AWS::EC2::Volume","ResourceId":"vol-1"},
            "OrderingTimestamp":1.7e9},"ComplianceType":"NON_COMPLIANT"}]}"#,
    ),
    (
        "DescribeRemediationExceptions",
        r#"{"RemediationExceptions":[{"ConfigRuleName":"x","ResourceType":"AWS::EC2::Volume",
            "ResourceId":"vol-2","Message":"m","ExpirationTime":1806537600}]}"#,
    ),
];

#[tokio::test]
async fn every_answer_is_read() {
    let aws = reader(const { &ConfigRules::META }, ANSWERS).await;
    let excepted = BTreeSet::from([volume("vol-1"), volume("vol-2")]);
    let asked = Asked { policy: true, remediation: true, excepted };
    let ask = Ask {
        rules: BTreeMap::from([("x".into(), asked)]),
        sources: BTreeSet::from(["ENCRYPTED_VOLUMES".into()]),
    };
    let observed = aws.run(ConfigRules.observe(&aws, &ask)).await.expect("all answers are there");
    let expires = "2027-04-01T00:00:00Z".parse().ok();
    let there = Exception { message: "m".into(), expires };
    let x = Rule {
        source: Source::Guard,
        description: "d".into(),
        parameters: BTreeMap::from([("p".into(), json!("1"))]),
        scope: Scope { tag_key: Some("stage".into()), tag_value: Some("prod".into()), ..Scope::default() },
        triggers: BTreeSet::from(["ConfigurationItemChangeNotification".into()]),
        debug_logs: true,
        policy: Some("rule x { this exists }".into()),
        remediation: Some(Remediation {
            document: "D".into(),
            version: Some("1".into()),
            attempts: Some(5),
            retry_seconds: Some(60),
            parameters: BTreeMap::from([
                ("Id".into(), vec!["RESOURCE_ID".into()]),
                ("Ports".into(), vec!["22".into(), "3389".into()]),
            ]),
            concurrency_percent: Some(10),
            error_percent: Some(50),
            ..Remediation::default()
        }),
        excepted: vec![
            (volume("vol-1"), Excepted { non_compliant: true, exception: None }),
            (volume("vol-2"), Excepted { non_compliant: false, exception: Some(there) }),
        ],
        ..managed("")
    };
    let twin = Rule {
        frequency: Some("One_Hour".into()),
        modes: BTreeSet::new(),
        state: "EVALUATING".into(),
        created_by: Some("securityhub.amazonaws.com".into()),
        ..managed("ENCRYPTED_VOLUMES")
    };
    let rules = BTreeMap::from([("x".to_owned(), x), ("twin".to_owned(), twin)]);
    assert_eq!(observed, Observed { total: 3, rules });
}
