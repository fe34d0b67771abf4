//! The answers of AWS Config, read as they come over the wire.

use super::*;
use crate::controls::wire::reader;

const ANSWERS: &[(&str, &str)] = &[
    (
        "DescribeConfigurationRecorders",
        r#"{"ConfigurationRecorders":[
            {"arn":"arn:aws:config:eu-west-1:111122223333:configuration-recorder/AWSConfigurationRecorderForX/a",
             "name":"AWSConfigurationRecorderForX","servicePrincipal":"x.amazonaws.com","recordingScope":"INTERNAL"},
            {"arn":"arn:aws:config:eu-west-1:111122223333:configuration-recorder/prod/b","name":"prod",
             "roleARN":"arn:aws:iam::111122223333:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig",
             "recordingGroup":{"allSupported":false,"includeGlobalResourceTypes":false,"resourceTypes":[],
               "exclusionByResourceTypes":{"resourceTypes":["AWS::S3::Bucket","AWS::New::Thing"]},
               "recordingStrategy":{"useOnly":"EXCLUSION_BY_RESOURCE_TYPES"}},
             "recordingMode":{"recordingFrequency":"DAILY","recordingModeOverrides":[
               {"resourceTypes":["AWS::IAM::Role"],"recordingFrequency":"CONTINUOUS"}]},
             "recordingScope":"PAID"}]}"#,
    ),
    (
        "DescribeConfigurationRecorderStatus",
        r#"{"ConfigurationRecordersStatus":[{"name":"prod","lastStartTime":1.7e9,"recording":true,
            "lastStatus":"FAILURE","lastErrorCode":"AccessDenied","lastErrorMessage":"no",
            "lastStatusChangeTime":1.7e9}]}"#,
    ),
    (
        "DescribeDeliveryChannels",
        r#"{"DeliveryChannels":[{"name":"default","s3BucketName":"acme-logs","s3KeyPrefix":"team",
            "s3KmsKeyArn":"arn:aws:kms:eu-west-1:444455556666:key/1234abcd",
            "snsTopicARN":"arn:aws:sns:eu-west-1:111122223333:config-changes",
            "configSnapshotDeliveryProperties":{"deliveryFrequency":"TwentyFour_Hours"}}]}"#,
    ),
    (
        "DescribeDeliveryChannelStatus",
        r#"{"DeliveryChannelsStatus":[{"name":"default",
            "configSnapshotDeliveryInfo":{},
            "configHistoryDeliveryInfo":{"lastStatus":"FAILURE","lastErrorCode":"AccessDenied"},
            "configStreamDeliveryInfo":{"lastStatus":"SUCCESS","lastStatusChangeTime":1.7e9}}]}"#,
    ),
    (
        "DescribeRetentionConfigurations",
        r#"{"RetentionConfigurations":[{"Name":"default","RetentionPeriodInDays":400}]}"#,
    ),
];

const NOTHING: &[(&str, &str)] = &[
    ("DescribeConfigurationRecorders", r#"{"ConfigurationRecorders":[]}"#),
    ("DescribeConfigurationRecorderStatus", r#"{"ConfigurationRecordersStatus":[]}"#),
    ("DescribeDeliveryChannels", r#"{"DeliveryChannels":[]}"#),
    ("DescribeDeliveryChannelStatus", "{}"),
    ("DescribeRetentionConfigurations", "{}"),
];

async fn look(answers: &'static [(&'static str, &'static str)]) -> Result<Observed, Fault> {
    let aws = reader(const { &ConfigRecorder::META }, answers).await;
    let ask = Ask { deliveries: true, retention: true };
    aws.run(ConfigRecorder.observe(&aws, &ask)).await
}

#[tokio::test]
async fn every_answer_is_read() {
    let observed = look(ANSWERS).await.expect("all answers are there");
    let recorder = Recorder {
        name: "prod".into(),
        role_arn: SERVICE_LINKED.into(),
        types: all(&["AWS::New::Thing", "AWS::S3::Bucket"], true),
        frequency: Frequency::Daily,
        overrides: BTreeMap::from([("AWS::IAM::Role".into(), Frequency::Continuous)]),
        recording: true,
        status: "FAILURE".into(),
        error: Some("AccessDenied: no".into()),
    };
    let channel = Channel {
        prefix: Some("team".into()),
        topic_arn: Some(TOPIC_ARN.into()),
        failures: vec![("history".into(), "AccessDenied".into())],
        ..delivers()
    };
    let wanted = Observed { recorder: Some(recorder), channel: Some(channel), retention_days: Some(400) };
    assert_eq!(observed, wanted);
}

#[tokio::test]
async fn nothing_is_read_as_nothing_and_no_answer_as_a_fault() {
    assert_eq!(look(NOTHING).await, Ok(Observed::default()));
    for (missing, (name, _)) in NOTHING.iter().enumerate() {
        let some: Vec<_> =
            NOTHING.iter().enumerate().filter(|(index, _)| *index != missing).map(|(_, one)| *one).collect();
        assert!(look(Vec::leak(some)).await.is_err(), "{name}");
    }
}
