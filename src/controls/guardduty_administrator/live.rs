//! Who administers GuardDuty, as the management account sees it.

use std::collections::BTreeSet;

use aws_sdk_guardduty::types::AdminStatus;
use serde::{Deserialize, Serialize};

use super::{Ask, GUARDDUTY, MALWARE_PROTECTION};
use crate::aws::{Reader, fault, organization};
use crate::control::Call;
use crate::fault::Fault;

pub const READS: &[Call] = &[
    Call::new("guardduty:ListOrganizationAdminAccounts"),
    Call::new(organization::LIST_TRUSTED),
    Call::new(organization::LIST_ADMINISTRATORS),
];

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Live {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub administrator: Option<Account>,
    /// Who administers it in other regions; asked only where nobody does here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub elsewhere: Vec<String>,
    /// Which of GuardDuty's principals are trusted; `None` where that was not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trusted: Option<BTreeSet<String>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    pub account: String,
    /// `DISABLE_IN_PROGRESS`.
    #[serde(default)]
    pub leaving: bool,
}

pub async fn read(aws: &Reader, ask: &Ask) -> Result<Live, Fault> {
    let trusted = async { if ask.trusted_access { read_trusted(aws).await.map(Some) } else { Ok(None) } };
    let administrator = async { if ask.administrator { read_administrator(aws).await } else { Ok(None) } };
    let (trusted, administrator) = futures::try_join!(trusted, administrator)?;
    let elsewhere = match administrator {
        None if ask.administrator => organization::administrators(&aws.organizations(), GUARDDUTY).await?,
        _ => Vec::new(),
    };
    Ok(Live { administrator, elsewhere, trusted })
}

async fn read_administrator(aws: &Reader) -> Result<Option<Account>, Fault> {
    let mut pages = aws.guardduty().list_organization_admin_accounts().into_paginator().items().send();
    let Some(one) = pages.next().await else { return Ok(None) };
    let one = one.map_err(fault("guardduty:ListOrganizationAdminAccounts"))?;
    let leaving = one.admin_status() == Some(&AdminStatus::DisableInProgress);
    Ok(one.admin_account_id.map(|account| Account { account, leaving }))
}

async fn read_trusted(aws: &Reader) -> Result<BTreeSet<String>, Fault> {
    let mut pages = aws.organizations().list_aws_service_access_for_organization().into_paginator().send();
    let mut trusted = BTreeSet::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(fault(organization::LIST_TRUSTED))?;
        let all = page.enabled_service_principals.unwrap_or_default().into_iter();
        let names = all.filter_map(|one| one.service_principal);
        trusted.extend(names.filter(|one| [GUARDDUTY, MALWARE_PROTECTION].contains(&one.as_str())));
    }
    Ok(trusted)
}
