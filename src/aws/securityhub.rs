//! Reads of Security Hub that several controls of one scope make: the hub, who administers it, and its standards.
//!
//! Where Security Hub is not enabled, its operations answer `InvalidAccessException`; that is `None` here.

use std::sync::Arc;

use aws_sdk_securityhub::Client;
use aws_sdk_securityhub::types::StandardsSubscription;

use super::{Reader, fault};
use crate::fault::Fault;

/// The hub of a region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hub {
    /// `AutoEnableControls`; `None` where AWS does not say.
    pub new_controls: Option<bool>,
    /// `ControlFindingGenerator`, as AWS says it; empty where it does not.
    pub generator: String,
}

/// The hub, read once for this scope.
pub async fn hub(aws: &Reader) -> Result<Arc<Option<Hub>>, Fault> {
    let client = aws.securityhub();
    aws.shared("securityhub:DescribeHub", async move { read_hub(&client).await }).await
}

/// The account that administers this one's Security Hub, read once for this scope. Asked only where there is a hub.
pub async fn administrator(aws: &Reader) -> Result<Arc<Option<String>>, Fault> {
    let client = aws.securityhub();
    let read = async move { read_administrator(&client).await };
    aws.shared("securityhub:GetAdministratorAccount", read).await
}

/// The standards that are on, or on their way in or out, read once for this scope.
pub async fn enabled_standards(aws: &Reader) -> Result<Arc<Option<Vec<StandardsSubscription>>>, Fault> {
    let client = aws.securityhub();
    let read = async move { read_enabled_standards(&client).await };
    aws.shared("securityhub:GetEnabledStandards", read).await
}

async fn read_hub(client: &Client) -> Result<Option<Hub>, Fault> {
    let answer = match client.describe_hub().send().await {
        Ok(answer) => answer,
        Err(error)
            if error
                .as_service_error()
                .is_some_and(|e| e.is_invalid_access_exception() || e.is_resource_not_found_exception()) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(fault("securityhub:DescribeHub")(error)),
    };
    let generator = answer.control_finding_generator;
    let generator = generator.map_or_else(String::new, |generator| generator.as_str().to_owned());
    Ok(Some(Hub { new_controls: answer.auto_enable_controls, generator }))
}

/// Without an administrator the answer is empty.
async fn read_administrator(client: &Client) -> Result<Option<String>, Fault> {
    match client.get_administrator_account().send().await {
        Ok(answer) => Ok(answer.administrator.and_then(|administrator| administrator.account_id)),
        Err(error) if error.as_service_error().is_some_and(|e| e.is_resource_not_found_exception()) => {
            Ok(None)
        }
        Err(error) => Err(fault("securityhub:GetAdministratorAccount")(error)),
    }
}

/// As [`enabled_standards`], for whoever writes and has to look by itself.
pub async fn read_enabled_standards(client: &Client) -> Result<Option<Vec<StandardsSubscription>>, Fault> {
    let mut items = client.get_enabled_standards().into_paginator().items().send();
    let mut on = Vec::new();
    while let Some(one) = items.next().await {
        match one {
            Ok(one) => on.push(one),
            Err(error) if error.as_service_error().is_some_and(|e| e.is_invalid_access_exception()) => {
                return Ok(None);
            }
            Err(error) => return Err(fault("securityhub:GetEnabledStandards")(error)),
        }
    }
    Ok(Some(on))
}

#[cfg(test)]
mod tests {
    use super::super::canned;
    use super::*;

    fn client(answers: &[canned::Answer]) -> Client {
        Client::new(&canned::sdk(answers))
    }

    const NOT_SUBSCRIBED: &str = r#"{"__type":"InvalidAccessException","Code":"InvalidAccessException",
        "Message":"Account 111122223333 is not subscribed to AWS Security Hub"}"#;

    #[tokio::test]
    async fn a_hub_is_read_as_aws_writes_it() {
        let body = r#"{"HubArn":"arn:aws:securityhub:eu-west-1:111122223333:hub/default",
            "SubscribedAt":"2023-06-07T18:43:54.000Z","AutoEnableControls":true,
            "ControlFindingGenerator":"STANDARD_CONTROL"}"#;
        let there = client(&[("/accounts", 200, body)]);
        let hub = Hub { new_controls: Some(true), generator: "STANDARD_CONTROL".into() };
        assert_eq!(read_hub(&there).await, Ok(Some(hub)));
        let none = client(&[("/accounts", 401, NOT_SUBSCRIBED)]);
        assert_eq!(read_hub(&none).await, Ok(None));
        let old = client(&[("/accounts", 200, r#"{"HubArn":"x"}"#)]);
        assert_eq!(read_hub(&old).await, Ok(Some(Hub { new_controls: None, generator: String::new() })));
        let broken = client(&[("/accounts", 500, r#"{"__type":"InternalException"}"#)]);
        assert_eq!(read_hub(&broken).await.unwrap_err().call, "securityhub:DescribeHub");
    }

    #[tokio::test]
    async fn an_administrator_is_read_as_aws_writes_it() {
        let body = r#"{"Administrator":{"AccountId":"777766665555",
            "InvitationId":"7ab938c5d52d7904ad09f9e7c20cc4eb","InvitedAt":"2020-06-01T20:21:18.042Z",
            "MemberStatus":"ENABLED"}}"#;
        let member = client(&[("/administrator", 200, body)]);
        assert_eq!(read_administrator(&member).await, Ok(Some("777766665555".into())));
        let alone = client(&[("/administrator", 200, "{}")]);
        assert_eq!(read_administrator(&alone).await, Ok(None));
    }

    #[tokio::test]
    async fn standards_come_in_pages() {
        let (one, two) = (
            r#"{"StandardsSubscriptions":[{"StandardsArn":"arn:one","StandardsInput":{},"StandardsStatus":"READY",
                "StandardsSubscriptionArn":"x"}],"NextToken":"more"}"#,
            r#"{"StandardsSubscriptions":[{"StandardsArn":"arn:two","StandardsInput":{},"StandardsStatus":"PENDING",
                "StandardsSubscriptionArn":"y"}]}"#,
        );
        let there = client(&[("/standards/get", 200, one), ("/standards/get", 200, two)]);
        let on = read_enabled_standards(&there).await.unwrap().unwrap();
        let arns: Vec<Option<&str>> = on.iter().map(StandardsSubscription::standards_arn).collect();
        assert_eq!(arns, [Some("arn:one"), Some("arn:two")]);
        let none = client(&[("/standards/get", 401, NOT_SUBSCRIBED)]);
        assert_eq!(read_enabled_standards(&none).await, Ok(None));
    }
}
