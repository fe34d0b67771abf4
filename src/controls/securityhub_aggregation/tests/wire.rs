//! Answers as AWS documents them, read by the SDK.

use super::*;
use crate::aws::canned::{self, Answer};

async fn read(answers: &[Answer]) -> Live {
    let sdk = canned::sdk(answers);
    live::read(&aws_sdk_securityhub::Client::new(&sdk)).await.expect("it can be read")
}

const LIST: Answer = (
    "/findingAggregator/list",
    200,
    r#"{"FindingAggregators":[{"FindingAggregatorArn":
       "arn:aws:securityhub:us-east-1:222222222222:finding-aggregator/123e4567-e89b-12d3-a456-426652340000"}]}"#,
);
const GET: Answer = (
    "/findingAggregator/get/arn%3Aaws%3Asecurityhub%3Aus-east-1%3A222222222222%3Afinding-aggregator/\
     123e4567-e89b-12d3-a456-426652340000",
    200,
    r#"{"FindingAggregatorArn":
       "arn:aws:securityhub:us-east-1:222222222222:finding-aggregator/123e4567-e89b-12d3-a456-426652340000",
       "FindingAggregationRegion":"us-east-1","RegionLinkingMode":"SPECIFIED_REGIONS",
       "Regions":["us-west-2","us-west-1"]}"#,
);
const NOT_ADMINISTRATOR: Answer = (
    "/organization/configuration",
    401,
    r#"{"__type":"InvalidAccessException","Code":"InvalidAccessException",
       "Message":"Account 111122223333 is not an administrator for this organization"}"#,
);

#[tokio::test]
async fn an_aggregator_of_a_member_account() {
    let administrator = (
        "/administrator",
        200,
        r#"{"Administrator":{"AccountId":"123456789012","InvitationId":"7ab938c5d52d7904ad09f9e7c20cc4eb",
           "InvitedAt":"2020-06-01T20:21:18.042Z","MemberStatus":"ASSOCIATED"}}"#,
    );
    let live = read(&[LIST, GET, administrator, NOT_ADMINISTRATOR]).await;
    let aggregator = live.aggregator.expect("there");
    assert_eq!((aggregator.home.as_str(), aggregator.mode.as_str()), ("us-east-1", SPECIFIED));
    assert_eq!(aggregator.regions, ["us-west-1", "us-west-2"]);
    assert_eq!((live.administrator.as_deref(), live.central), (Some("123456789012"), false));
}

#[tokio::test]
async fn an_administrator_with_central_configuration_and_no_aggregator() {
    let none = ("/findingAggregator/list", 200, r#"{"FindingAggregators":[]}"#);
    let nobody = ("/administrator", 200, "{}");
    let central = (
        "/organization/configuration",
        200,
        r#"{"AutoEnable":false,"AutoEnableStandards":"NONE","MemberAccountLimitReached":false,
           "OrganizationConfiguration":{"ConfigurationType":"CENTRAL","Status":"ENABLED"}}"#,
    );
    assert_eq!(read(&[none, nobody, central]).await, Live { central: true, ..Live::default() });
}

#[tokio::test]
async fn where_security_hub_is_not_enabled_there_is_nothing() {
    let error = (
        "/findingAggregator/list",
        401,
        r#"{"__type":"InvalidAccessException","Message":"Account 111122223333 is not subscribed to AWS Security Hub"}"#,
    );
    assert_eq!(read(&[error]).await, Live::default());
}
