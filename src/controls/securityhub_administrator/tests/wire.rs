//! Answers as AWS documents them, read by the SDK.

use super::super::{SECURITY_HUB, listed as read_listed};
use super::*;
use crate::aws::{canned, organization};

#[tokio::test]
async fn administrators_registrations_and_trust() {
    let admins =
        r#"{"AdminAccounts":[{"AccountId":"777788889999","Status":"ENABLED"}],"Feature":"SecurityHub"}"#;
    let sdk = canned::sdk(&[("/organization/admin", 200, admins)]);
    let here = read_listed(&aws_sdk_securityhub::Client::new(&sdk)).await.expect("listed");
    assert_eq!(here, [Listed { account: "777788889999".into(), status: "ENABLED".into() }]);

    let delegated = r#"{"DelegatedAdministrators":[{"Arn":"arn:aws:organizations::111111111111:account/o-a1/777788889999",
        "DelegationEnabledDate":1.583432046E9,"Email":"a@example.com","Id":"777788889999","JoinedMethod":"INVITED",
        "JoinedTimestamp":1.583432046E9,"Name":"audit","Status":"ACTIVE"}]}"#;
    let first = r#"{"EnabledServicePrincipals":[{"ServicePrincipal":"config.amazonaws.com","DateEnabled":1.5E9}],
        "NextToken":"t"}"#;
    let second = r#"{"EnabledServicePrincipals":[{"ServicePrincipal":"securityhub.amazonaws.com","DateEnabled":1.6E9}]}"#;
    let sdk = canned::sdk(&[("/", 200, delegated), ("/", 200, first), ("/", 200, second), ("/", 200, "{}")]);
    let organizations = aws_sdk_organizations::Client::new(&sdk);
    assert_eq!(
        organization::administrators(&organizations, SECURITY_HUB).await,
        Ok(vec!["777788889999".to_owned()])
    );
    assert_eq!(organization::trusts(&organizations, SECURITY_HUB).await, Ok(true));
    assert_eq!(organization::trusts(&organizations, SECURITY_HUB).await, Ok(false));
}
