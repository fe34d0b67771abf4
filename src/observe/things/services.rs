//! Looking for what the services themselves have one or many of: log groups, topics, recorders, hubs, web ACLs.

use aws_sdk_guardduty::types::AdminStatus;
use aws_sdk_inspector2::types::DelegatedAdminStatus;
use aws_sdk_securityhub::types::Target;
use aws_sdk_wafv2::types::Scope;

use crate::aws::{Reader, fault, organization};
use crate::control::Found;
use crate::fault::Fault;
use crate::place::AccountId;

pub(super) async fn log_group(aws: &Reader, name: &str) -> Result<Found, Fault> {
    let mut pages =
        aws.logs().describe_log_groups().log_group_name_prefix(name).into_paginator().items().send();
    while let Some(group) = pages.next().await {
        let group = group.map_err(fault("logs:DescribeLogGroups"))?;
        if group.log_group_name() == Some(name)
            && let Some(arn) = group.log_group_arn
        {
            return Ok(Found::Present { arn });
        }
    }
    Ok(Found::Absent)
}

/// A topic's ARN is made of its name, so there is nothing to search for.
pub(super) async fn topic(aws: &Reader, account: &AccountId, name: &str) -> Result<Found, Fault> {
    let region = &aws.scope.region;
    let arn = format!("arn:{}:sns:{region}:{account}:{name}", region.partition());
    match aws.sns().get_topic_attributes().topic_arn(&arn).send().await {
        Ok(_) => Ok(Found::Present { arn }),
        Err(error) if error.as_service_error().is_some_and(|e| e.is_not_found_exception()) => {
            Ok(Found::Absent)
        }
        Err(error) => Err(fault("sns:GetTopicAttributes")(error)),
    }
}

/// The account's own recorder, while it records. Recorders of services (`servicePrincipal`) are none of ours.
pub(super) async fn recorder(aws: &Reader) -> Result<Found, Fault> {
    let answer = aws.config().describe_configuration_recorder_status().send().await;
    let answer = answer.map_err(fault("config:DescribeConfigurationRecorderStatus"))?;
    let own = answer.configuration_recorders_status().iter().find(|one| one.service_principal.is_none());
    Ok(match own {
        Some(status) if status.recording => {
            Found::Present { arn: status.arn.clone().or(status.name.clone()).unwrap_or_default() }
        }
        _ => Found::Absent,
    })
}

/// DescribeHub answers `InvalidAccessException` where Security Hub is not enabled.
pub(super) async fn hub(aws: &Reader) -> Result<Found, Fault> {
    match aws.securityhub().describe_hub().send().await {
        Ok(answer) => Ok(answer.hub_arn.map_or(Found::Absent, |arn| Found::Present { arn })),
        Err(error)
            if error
                .as_service_error()
                .is_some_and(|e| e.is_invalid_access_exception() || e.is_resource_not_found_exception()) =>
        {
            Ok(Found::Absent)
        }
        Err(error) => Err(fault("securityhub:DescribeHub")(error)),
    }
}

/// What the administrator says of a member: only it may ask, in its home region (API reference,
/// GetConfigurationPolicyAssociation). Without an association, or without Security Hub there, no policy holds the
/// member.
pub(super) async fn own_hub(aws: &Reader, member: &AccountId) -> Result<Found, Fault> {
    let target = Target::AccountId(member.to_string());
    let own = || Found::Present { arn: SELF_MANAGED.to_owned() };
    match aws.securityhub().get_configuration_policy_association().target(target).send().await {
        Ok(answer) => {
            // DISABLED: policies of AWS Organizations have taken the place of central configuration.
            let off = answer.association_status.is_some_and(|status| status.as_str() == "DISABLED");
            let policy = answer.configuration_policy_id.filter(|id| id != SELF_MANAGED && !off);
            Ok(if policy.is_some() { Found::Absent } else { own() })
        }
        Err(error)
            if error
                .as_service_error()
                .is_some_and(|e| e.is_invalid_access_exception() || e.is_resource_not_found_exception()) =>
        {
            Ok(own())
        }
        Err(error) => Err(fault("securityhub:GetConfigurationPolicyAssociation")(error)),
    }
}

/// The policy id of an account that no configuration policy holds.
const SELF_MANAGED: &str = "SELF_MANAGED_SECURITY_HUB";

/// The account's one aggregator is told in every region; it counts where it lies, which its ARN says.
pub(super) async fn aggregator(aws: &Reader) -> Result<Found, Fault> {
    let mut pages = aws.securityhub().list_finding_aggregators().into_paginator().items().send();
    while let Some(one) = pages.next().await {
        let arn = match one {
            Ok(one) => one.finding_aggregator_arn.unwrap_or_default(),
            Err(error)
                if error.as_service_error().is_some_and(|error| error.is_invalid_access_exception()) =>
            {
                return Ok(Found::Absent);
            }
            Err(error) => return Err(fault("securityhub:ListFindingAggregators")(error)),
        };
        if arn.split(':').nth(3) == Some(aws.scope.region.as_str()) {
            return Ok(Found::Present { arn });
        }
    }
    Ok(Found::Absent)
}

/// Who administers a service for the organisation, as Organizations lists it. A service that keeps its own list
/// registers its administrator there as well.
pub(super) async fn delegated_admin(aws: &Reader, service: &str, admin: &AccountId) -> Result<Found, Fault> {
    let mut pages = aws
        .organizations()
        .list_delegated_administrators()
        .service_principal(service)
        .into_paginator()
        .items()
        .send();
    while let Some(one) = pages.next().await {
        let one = one.map_err(fault(organization::LIST_ADMINISTRATORS))?;
        if one.id() == Some(admin.as_str()) {
            return Ok(Found::Present { arn: one.arn.unwrap_or_default() });
        }
    }
    Ok(Found::Absent)
}

/// Who administers a service here, as the service's own list says it; a service without such a list is asked for
/// at Organizations.
pub(super) async fn regional_admin(aws: &Reader, service: &str, admin: &AccountId) -> Result<Found, Fault> {
    match service {
        "guardduty.amazonaws.com" => {
            let mut pages =
                aws.guardduty().list_organization_admin_accounts().into_paginator().items().send();
            while let Some(one) = pages.next().await {
                let one = one.map_err(fault("guardduty:ListOrganizationAdminAccounts"))?;
                if one.admin_account_id() == Some(admin.as_str())
                    && one.admin_status() == Some(&AdminStatus::Enabled)
                {
                    return Ok(Found::Present { arn: admin.to_string() });
                }
            }
            Ok(Found::Absent)
        }
        "inspector2.amazonaws.com" => {
            let mut pages = aws.inspector().list_delegated_admin_accounts().into_paginator().items().send();
            while let Some(one) = pages.next().await {
                let one = one.map_err(fault("inspector2:ListDelegatedAdminAccounts"))?;
                if one.account_id() == Some(admin.as_str())
                    && one.status() == Some(&DelegatedAdminStatus::Enabled)
                {
                    return Ok(Found::Present { arn: admin.to_string() });
                }
            }
            Ok(Found::Absent)
        }
        "securityhub.amazonaws.com" => {
            let mut pages =
                aws.securityhub().list_organization_admin_accounts().into_paginator().items().send();
            while let Some(one) = pages.next().await {
                let one = one.map_err(fault("securityhub:ListOrganizationAdminAccounts"))?;
                let enabled = one.status() == Some(&aws_sdk_securityhub::types::AdminStatus::Enabled);
                if enabled && one.account_id() == Some(admin.as_str()) {
                    return Ok(Found::Present { arn: admin.to_string() });
                }
            }
            Ok(Found::Absent)
        }
        _ => delegated_admin(aws, service, admin).await,
    }
}

/// Services with trusted access have no ARN: they go by their principal.
pub(super) async fn service_access(aws: &Reader, service: &str) -> Result<Found, Fault> {
    let trusted = organization::trusts(&aws.organizations(), service).await?;
    Ok(if trusted { Found::Present { arn: service.to_owned() } } else { Found::Absent })
}

/// The region's detector, by its id.
pub(super) async fn detector(aws: &Reader) -> Result<Found, Fault> {
    let answer = aws.guardduty().list_detectors().send().await.map_err(fault("guardduty:ListDetectors"))?;
    let id = answer.detector_ids.unwrap_or_default().into_iter().next();
    Ok(id.map_or(Found::Absent, |id| Found::Present { arn: id }))
}

/// ListWebACLs has no paginator: it goes on with `NextMarker` until there is none.
pub(super) async fn web_acl(aws: &Reader, name: &str) -> Result<Found, Fault> {
    let mut marker = None;
    loop {
        let call = aws.waf().list_web_acls().scope(Scope::Regional).limit(100).set_next_marker(marker);
        let page = call.send().await.map_err(fault("wafv2:ListWebACLs"))?;
        if let Some(arn) =
            page.web_acls().iter().find(|acl| acl.name() == Some(name)).and_then(|acl| acl.arn.clone())
        {
            return Ok(Found::Present { arn });
        }
        marker = page.next_marker.filter(|next| !next.is_empty());
        if marker.is_none() {
            return Ok(Found::Absent);
        }
    }
}
