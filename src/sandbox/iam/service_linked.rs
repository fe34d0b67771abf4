//! Service-linked roles: one for each service, made by a caller or by the service itself.
//!
//! Source: AWS Identity and Access Management API Reference, CreateServiceLinkedRole; the names of the roles are
//! those of each service's guide, "Using service-linked roles".

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_iam::operation::create_service_linked_role::{
    CreateServiceLinkedRoleInput, CreateServiceLinkedRoleOutput,
};
use serde_json::json;

use super::super::identity::Allows;
use super::super::operation::{Call, Refusal, length_within};
use super::{Role, told};

/// The services that have one, by principal, and what it is called.
const ROLES: [(&str, &str); 12] = [
    ("access-analyzer.amazonaws.com", "AWSServiceRoleForAccessAnalyzer"),
    ("agentless.inspector2.amazonaws.com", "AWSServiceRoleForAmazonInspector2Agentless"),
    ("cloudtrail.amazonaws.com", "AWSServiceRoleForCloudTrail"),
    ("config-conforms.amazonaws.com", "AWSServiceRoleForConfigConforms"),
    ("config.amazonaws.com", "AWSServiceRoleForConfig"),
    ("guardduty.amazonaws.com", "AWSServiceRoleForAmazonGuardDuty"),
    ("inspector2.amazonaws.com", "AWSServiceRoleForAmazonInspector2"),
    ("organizations.amazonaws.com", "AWSServiceRoleForOrganizations"),
    ("remediation.config.amazonaws.com", "AWSServiceRoleForConfigRemediation"),
    ("securityhub.amazonaws.com", "AWSServiceRoleForSecurityHub"),
    ("ssm.amazonaws.com", "AWSServiceRoleForAmazonSSM"),
    ("wafv2.amazonaws.com", "AWSServiceRoleForWAFV2Logging"),
];

fn refuse(message: impl Into<String>) -> Refusal {
    Refusal::new(400, "InvalidInput", message)
}

/// What the role of a service is called; `None` where it has none.
fn name_of(service: &str) -> Option<&'static str> {
    ROLES.iter().find(|(principal, _)| *principal == service).map(|(_, name)| *name)
}

/// A service makes its own role when it first needs it, as many do ("the service creates the role for you").
/// Nothing happens where the role is there, or where the service has none.
pub(in crate::sandbox) fn ensure(call: &mut Call<'_>, service: &str) {
    if let Some(name) = name_of(service)
        && !call.account().iam.roles.contains_key(name)
    {
        make(call, service, name, None);
    }
}

fn make(call: &mut Call<'_>, service: &str, name: &str, description: Option<&str>) -> Role {
    let trust = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow",
        "Principal": {"Service": [service]},
        "Action": "sts:AssumeRole",
    }]});
    let role = Role {
        id: format!("AROA{}", call.state.identifier(17)),
        name: name.to_owned(),
        path: format!("/aws-service-role/{service}/"),
        trust: trust.to_string(),
        description: description.map(str::to_owned),
        tags: BTreeMap::new(),
        max_session: 3600,
        created: call.now,
        allows: Allows::Everything,
        denies: BTreeSet::new(),
    };
    let now = call.now;
    let iam = &mut call.account().iam;
    iam.changed.insert(name.to_owned(), now);
    iam.roles.insert(name.to_owned(), role.clone());
    role
}

/// CreateServiceLinkedRole: the service must have one; "if you make multiple requests for the same service …
/// the request fails with a duplicate role name error". No suffix is taken here: "some services do not support
/// the CustomSuffix parameter".
pub(super) fn create_service_linked_role(
    call: &mut Call<'_>,
    input: &CreateServiceLinkedRoleInput,
) -> Result<CreateServiceLinkedRoleOutput, Refusal> {
    let service = input.aws_service_name().unwrap_or_default().to_owned();
    let description = input.description();
    if description.is_some_and(|text| !length_within(text, 0, 1000)) || input.custom_suffix().is_some() {
        return Err(refuse("1 validation error detected"));
    }
    let name = name_of(&service).ok_or_else(|| {
        refuse(format!("Invalid service principal {service}: it does not support service-linked roles."))
    })?;
    if call.account().iam.roles.contains_key(name) {
        return Err(refuse(format!(
            "Service role name {name} has been taken in this account, please try a different suffix."
        )));
    }
    let role = make(call, &service, name, description);
    Ok(CreateServiceLinkedRoleOutput::builder().role(told(&role, &call.caller.account)?).build())
}
