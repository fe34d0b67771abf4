//! What Inspector does by itself, as its administrator sees it.

use std::collections::BTreeMap;

use aws_sdk_inspector2::Client;
use aws_smithy_types::error::metadata::ProvideErrorMetadata as _;
use serde::{Deserialize, Serialize};

use crate::aws::{Reader, fault};
use crate::control::{Call, Sight};
use crate::fault::Fault;

pub const ADMINISTRATOR: &str = "inspector2:GetDelegatedAdminAccount";
pub const CONFIGURATION: &str = "inspector2:DescribeOrganizationConfiguration";
pub const MEMBERS: &str = "inspector2:ListMembers";

pub const READS: &[Call] = &[Call::new(ADMINISTRATOR), Call::new(CONFIGURATION), Call::new(MEMBERS)];

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Live {
    /// `None` where this account does not administer Inspector.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configuration: Option<Sight<Configuration>>,
    /// The organisation's other accounts, and how it stands with each, in AWS's words; `None` where it was not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub members: Option<Sight<BTreeMap<String, String>>>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Configuration {
    /// By AWS's names, each that the answer has.
    pub types: BTreeMap<String, bool>,
    /// No more accounts can become members.
    #[serde(default)]
    pub full: bool,
}

pub async fn read(aws: &Reader, members: bool) -> Result<Live, Fault> {
    look(&aws.inspector(), aws.scope.account.as_str(), members).await
}

/// What the account `own` sees. Whoever is not the administrator is denied the rest, as somebody without permissions
/// is: so it is asked first who is.
pub async fn look(inspector: &Client, own: &str, members: bool) -> Result<Live, Fault> {
    if administrator(inspector).await?.as_deref() != Some(own) {
        return Ok(Live::default());
    }
    let asked = async { if members { Some(sight(members_of(inspector).await)) } else { None } };
    let (configuration, members) = futures::join!(configuration_of(inspector), asked);
    Ok(Live { configuration: Some(sight(configuration)), members })
}

fn sight<T>(answer: Result<T, Fault>) -> Sight<T> {
    answer.map_or_else(Sight::Unseen, Sight::Seen)
}

async fn administrator(inspector: &Client) -> Result<Option<String>, Fault> {
    match inspector.get_delegated_admin_account().send().await {
        Ok(answer) => Ok(answer.delegated_admin.and_then(|admin| admin.account_id)),
        Err(error) if error.code() == Some("ResourceNotFoundException") => Ok(None),
        Err(error) => Err(fault(ADMINISTRATOR)(error)),
    }
}

async fn configuration_of(inspector: &Client) -> Result<Configuration, Fault> {
    let answer = inspector.describe_organization_configuration().send().await;
    let answer = answer.map_err(fault(CONFIGURATION))?;
    let mut types = BTreeMap::new();
    if let Some(all) = &answer.auto_enable {
        types.extend([("EC2".to_owned(), all.ec2), ("ECR".to_owned(), all.ecr)]);
        for (name, on) in [
            ("LAMBDA", all.lambda),
            ("LAMBDA_CODE", all.lambda_code),
            ("CODE_REPOSITORY", all.code_repository),
        ] {
            types.extend(on.map(|on| (name.to_owned(), on)));
        }
    }
    Ok(Configuration { types, full: answer.max_account_limit_reached.unwrap_or_default() })
}

async fn members_of(inspector: &Client) -> Result<BTreeMap<String, String>, Fault> {
    let mut members = BTreeMap::new();
    let mut pages = inspector.list_members().only_associated(false).into_paginator().items().send();
    while let Some(one) = pages.next().await {
        let one = one.map_err(fault(MEMBERS))?;
        let status = one.relationship_status.as_ref().map_or("", |status| status.as_str()).to_owned();
        members.extend(one.account_id.map(|account| (account, status)));
    }
    Ok(members)
}
