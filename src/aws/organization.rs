//! What AWS Organizations and Account Management say: who belongs, where, and which regions are open.

use std::collections::BTreeMap;

use aws_sdk_account::types::RegionOptStatus;
use aws_sdk_organizations::Client;
use aws_sdk_organizations::types::AccountState;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use serde::{Deserialize, Serialize};

use super::{Reader, fault};
use crate::fault::{Fault, FaultKind};
use crate::place::{AccountId, Region};

/// One account as AWS Organizations lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Member {
    pub id: AccountId,
    pub name: String,
    /// The path of its organisational unit, `/Workloads/Prod`; `/` for the root.
    pub ou: String,
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// `None` for an active account, otherwise AWS's word: `SUSPENDED`, `PENDING_CLOSURE`.
    #[serde(default)]
    pub inactive: Option<String>,
}

/// The id of the organisation that the session's account belongs to.
pub async fn id(aws: &Reader) -> Result<Option<String>, Fault> {
    match aws.organizations().describe_organization().send().await {
        Ok(answer) => Ok(answer.organization.and_then(|organization| organization.id)),
        Err(error)
            if error
                .as_service_error()
                .is_some_and(|error| error.is_aws_organizations_not_in_use_exception()) =>
        {
            Ok(None)
        }
        Err(error) => Err(fault("organizations:DescribeOrganization")(error)),
    }
}

/// Every account with its unit's path and its tags. Needs the management account or a delegated
/// administrator.
///
/// Units are walked from the root, one list call for each unit, rather than asking for each account's
/// parents: 1,000 accounts sit in some dozens of units, and these calls are the slowest that AWS has.
pub async fn members(aws: &Reader, with_units: bool, with_tags: bool) -> Result<Vec<Member>, Fault> {
    let mut members = list_accounts(aws).await?;
    if with_units {
        let paths = unit_paths(aws).await?;
        for member in &mut members {
            if let Some(path) = paths.get(&member.id) {
                member.ou.clone_from(path);
            }
        }
    }
    if with_tags {
        members = stream::iter(members)
            .map(|member| async move {
                let tags = tags(aws, &member.id).await?;
                Ok::<_, Fault>(Member { tags, ..member })
            })
            .buffered(4)
            .try_collect()
            .await?;
    }
    Ok(members)
}

/// See [`trusts`].
pub const LIST_TRUSTED: &str = "organizations:ListAWSServiceAccessForOrganization";
/// See [`administrators`].
pub const LIST_ADMINISTRATORS: &str = "organizations:ListDelegatedAdministrators";

/// Has the service, by its principal, trusted access to the organisation? Needs the management account.
pub async fn trusts(organizations: &Client, service: &str) -> Result<bool, Fault> {
    let mut pages = organizations.list_aws_service_access_for_organization().into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(fault(LIST_TRUSTED))?;
        if page.enabled_service_principals().iter().any(|one| one.service_principal() == Some(service)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The ids of the accounts that administer the service, by its principal, in whatever region; sorted.
pub async fn administrators(organizations: &Client, service: &str) -> Result<Vec<String>, Fault> {
    let call = organizations.list_delegated_administrators().service_principal(service);
    let mut pages = call.into_paginator().items().send();
    let mut ids = Vec::new();
    while let Some(one) = pages.next().await {
        ids.extend(one.map_err(fault(LIST_ADMINISTRATORS))?.id);
    }
    ids.sort();
    Ok(ids)
}

async fn list_accounts(aws: &Reader) -> Result<Vec<Member>, Fault> {
    const CALL: &str = "organizations:ListAccounts";
    let pages = aws.organizations().list_accounts().into_paginator().send();
    let pages: Vec<_> = pages.try_collect().await.map_err(fault(CALL))?;
    let mut members = Vec::new();
    for account in pages.into_iter().flat_map(|page| page.accounts.unwrap_or_default()) {
        let id = account.id.unwrap_or_default();
        let id = id.parse().map_err(|error: String| Fault::local(FaultKind::Invalid, CALL, error))?;
        let inactive = match account.state {
            Some(AccountState::Active) => None,
            Some(state) => Some(state.as_str().to_owned()),
            // Emulators, and partitions that lag, still answer with the older field alone.
            None => account.status.map(|s| s.as_str().to_owned()).filter(|status| status != "ACTIVE"),
        };
        let name = account.name.unwrap_or_default();
        members.push(Member { id, name, ou: "/".into(), tags: BTreeMap::new(), inactive });
    }
    Ok(members)
}

async fn unit_paths(aws: &Reader) -> Result<BTreeMap<AccountId, String>, Fault> {
    let organizations = aws.organizations();
    let roots: Vec<_> = organizations
        .list_roots()
        .into_paginator()
        .send()
        .try_collect()
        .await
        .map_err(fault("organizations:ListRoots"))?;
    let mut open: Vec<(String, String)> = roots
        .into_iter()
        .flat_map(|page| page.roots.unwrap_or_default())
        .filter_map(|root| root.id.map(|id| (id, String::new())))
        .collect();
    let mut paths = BTreeMap::new();
    while let Some((parent, path)) = open.pop() {
        let units: Vec<_> = organizations
            .list_organizational_units_for_parent()
            .parent_id(&parent)
            .into_paginator()
            .send()
            .try_collect()
            .await
            .map_err(fault("organizations:ListOrganizationalUnitsForParent"))?;
        let units = units.into_iter().flat_map(|page| page.organizational_units.unwrap_or_default());
        open.extend(units.filter_map(|unit| {
            let (id, name) = (unit.id?, unit.name?);
            Some((id, format!("{path}/{name}")))
        }));
        let accounts: Vec<_> = organizations
            .list_accounts_for_parent()
            .parent_id(&parent)
            .into_paginator()
            .send()
            .try_collect()
            .await
            .map_err(fault("organizations:ListAccountsForParent"))?;
        for account in accounts.into_iter().flat_map(|page| page.accounts.unwrap_or_default()) {
            if let Some(Ok(id)) = account.id.map(|id| id.parse::<AccountId>()) {
                paths.insert(id, if path.is_empty() { "/".to_owned() } else { path.clone() });
            }
        }
    }
    Ok(paths)
}

async fn tags(aws: &Reader, account: &AccountId) -> Result<BTreeMap<String, String>, Fault> {
    let tags: Vec<_> = aws
        .organizations()
        .list_tags_for_resource()
        .resource_id(account.as_str())
        .into_paginator()
        .items()
        .send()
        .try_collect()
        .await
        .map_err(fault("organizations:ListTagsForResource"))?;
    Ok(tags.into_iter().map(|tag| (tag.key, tag.value)).collect())
}

/// The regions that are enabled for the session's account, in the order of their codes.
pub async fn enabled_regions(aws: &Reader) -> Result<Vec<Region>, Fault> {
    let regions: Vec<_> = aws
        .account()
        .list_regions()
        .region_opt_status_contains(RegionOptStatus::Enabled)
        .region_opt_status_contains(RegionOptStatus::EnabledByDefault)
        .into_paginator()
        .items()
        .send()
        .try_collect()
        .await
        .map_err(fault("account:ListRegions"))?;
    let mut codes: Vec<Region> =
        regions.into_iter().filter_map(|region| region.region_name).map(Region::new).collect();
    codes.sort();
    Ok(codes)
}
