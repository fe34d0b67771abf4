//! Answers as AWS documents them, read by the SDK.

use super::*;
use crate::aws::canned::{self, Answer};

async fn read(answer: Answer) -> Live {
    let sdk = canned::sdk(&[answer]);
    live::read(&aws_sdk_securityhub::Client::new(&sdk)).await.expect("it can be read")
}

const PATH: &str = "/organization/configuration";

#[tokio::test]
async fn local_central_and_older_organisations() {
    let before_central =
        r#"{"AutoEnable":true,"MemberAccountLimitReached":false,"AutoEnableStandards":"DEFAULT"}"#;
    assert_eq!(read((PATH, 200, before_central)).await.configuration.unwrap().kind, "LOCAL");
    let now = r#"{"AutoEnable":false,"AutoEnableStandards":"NONE","MemberAccountLimitReached":false,
        "OrganizationConfiguration":{"ConfigurationType":"LOCAL","Status":"ENABLED"}}"#;
    assert_eq!(read((PATH, 200, now)).await, local(false, "NONE"));
    let failed = r#"{"AutoEnable":false,"AutoEnableStandards":"NONE","MemberAccountLimitReached":true,
        "OrganizationConfiguration":{"ConfigurationType":"CENTRAL","Status":"FAILED","StatusMessage":"no home region"}}"#;
    let failed = read((PATH, 200, failed)).await.configuration.unwrap();
    assert_eq!((failed.kind.as_str(), failed.status.as_str(), failed.full), ("CENTRAL", "FAILED", true));
    assert_eq!(failed.message.as_deref(), Some("no home region"));
}

#[tokio::test]
async fn whoever_is_not_the_administrator_is_told_nothing() {
    let error = r#"{"__type":"InvalidAccessException",
        "Message":"Account 111122223333 is not an administrator for this organization"}"#;
    assert_eq!(read((PATH, 401, error)).await, Live::default());
}
