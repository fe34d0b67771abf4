//! AWS Organizations: accounts, organisational units and tags.
//!
//! Source: AWS Organizations API Reference. Except for DescribeOrganization, every operation here "can be called
//! only from the organization's management account or by a member account that is a delegated administrator".

mod access;

use std::collections::BTreeMap;

use aws_sdk_organizations::operation::describe_organization::{
    DescribeOrganizationInput, DescribeOrganizationOutput,
};
use aws_sdk_organizations::operation::describe_organizational_unit::{
    DescribeOrganizationalUnitInput, DescribeOrganizationalUnitOutput,
};
use aws_sdk_organizations::operation::list_accounts::{ListAccountsInput, ListAccountsOutput};
use aws_sdk_organizations::operation::list_accounts_for_parent::{
    ListAccountsForParentInput, ListAccountsForParentOutput,
};
use aws_sdk_organizations::operation::list_organizational_units_for_parent::{
    ListOrganizationalUnitsForParentInput, ListOrganizationalUnitsForParentOutput,
};
use aws_sdk_organizations::operation::list_parents::{ListParentsInput, ListParentsOutput};
use aws_sdk_organizations::operation::list_roots::{ListRootsInput, ListRootsOutput};
use aws_sdk_organizations::operation::list_tags_for_resource::{
    ListTagsForResourceInput, ListTagsForResourceOutput,
};
use aws_sdk_organizations::types::{
    AccountJoinedMethod, AccountState, AccountStatus, OrganizationFeatureSet, OrganizationalUnit, Parent,
    ParentType, Root, Tag,
};
use jiff::Timestamp;

use super::operation::{Call, Operations, Protocol, Refusal, Service, complete, date_time, page};

static SERVICE: Service = Service {
    id: "Organizations",
    prefix: "organizations",
    protocol: Protocol::Json,
    throttled: ("TooManyRequestsException", 400),
    broken: ("ServiceException", 500),
};

pub(super) fn operations() -> Operations {
    Operations::of(&SERVICE)
        .on("DescribeOrganization", describe_organization)
        .on("ListAccounts", list_accounts)
        .on("ListAccountsForParent", list_accounts_for_parent)
        .on("ListRoots", list_roots)
        .on("ListOrganizationalUnitsForParent", list_organizational_units_for_parent)
        .on("ListParents", list_parents)
        .on("DescribeOrganizationalUnit", describe_organizational_unit)
        .on("ListTagsForResource", list_tags_for_resource)
        .on("ListAWSServiceAccessForOrganization", access::list_service_access)
        .on("EnableAWSServiceAccess", access::enable_service_access)
        .on("ListDelegatedAdministrators", access::list_delegated_administrators)
}

/// An organisation. Every member must be an account of the world, if it is to be called.
#[derive(Clone, Debug)]
pub struct Organization {
    /// `o-` and 10–32 lower-case letters or digits.
    pub id: String,
    /// The management account.
    pub management: String,
    /// `r-` and 4–32 lower-case letters or digits.
    pub root: String,
    /// By account id.
    pub members: BTreeMap<String, Member>,
    /// By id: `ou-`, the root's suffix, and 8–32 lower-case letters or digits.
    pub units: BTreeMap<String, Unit>,
    /// Services that may work in the organisation's accounts, by principal: since when.
    pub trusted: BTreeMap<String, Timestamp>,
    /// By service principal, the accounts that administer it for the organisation: since when.
    pub delegated: BTreeMap<String, BTreeMap<String, Timestamp>>,
}

/// An account of the organisation.
#[derive(Clone, Debug)]
pub struct Member {
    pub name: String,
    /// The root or an organisational unit.
    pub parent: String,
    pub suspended: bool,
    pub tags: BTreeMap<String, String>,
    pub joined: Timestamp,
}

/// An organisational unit.
#[derive(Clone, Debug)]
pub struct Unit {
    pub name: String,
    /// The root or another unit.
    pub parent: String,
    pub tags: BTreeMap<String, String>,
}

impl Organization {
    /// Whether this account may list the organisation.
    pub fn administered_by(&self, account: &str) -> bool {
        self.management == account || self.delegated.values().any(|of| of.contains_key(account))
    }

    pub fn has_member(&self, account: &str) -> bool {
        self.members.contains_key(account)
    }

    fn has_parent(&self, id: &str) -> bool {
        id == self.root || self.units.contains_key(id)
    }

    /// `o-…/r-…/ou-…/` down to `parent`.
    fn path(&self, parent: &str) -> String {
        match self.units.get(parent) {
            Some(unit) => format!("{}{parent}/", self.path(&unit.parent)),
            None => format!("{}/{}/", self.id, self.root),
        }
    }

    fn account(&self, id: &str, member: &Member) -> aws_sdk_organizations::types::Account {
        let (status, state) = if member.suspended {
            (AccountStatus::Suspended, AccountState::Suspended)
        } else {
            (AccountStatus::Active, AccountState::Active)
        };
        aws_sdk_organizations::types::Account::builder()
            .id(id)
            .status(status)
            .arn(format!("arn:aws:organizations::{}:account/{}/{id}", self.management, self.id))
            .email(format!("aws+{id}@example.com"))
            .name(&member.name)
            .state(state)
            .paths(format!("{}{id}/", self.path(&member.parent)))
            .joined_method(AccountJoinedMethod::Created)
            .joined_timestamp(date_time(member.joined))
            .build()
    }

    fn unit(&self, id: &str, unit: &Unit) -> OrganizationalUnit {
        OrganizationalUnit::builder()
            .id(id)
            .arn(format!("arn:aws:organizations::{}:ou/{}/{id}", self.management, self.id))
            .name(&unit.name)
            .path(self.path(id))
            .build()
    }
}

fn invalid(reason: &str) -> Refusal {
    Refusal::new(
        400,
        "InvalidInputException",
        format!("You provided a value that does not match the required pattern or range: {reason}."),
    )
}

/// The caller's organisation, whoever of its members calls.
fn organization<'c>(call: &'c Call<'_>) -> Result<&'c Organization, Refusal> {
    let organization = call.state.organization.as_ref();
    organization.filter(|organization| organization.has_member(&call.caller.account)).ok_or_else(|| {
        Refusal::new(
            400,
            "AWSOrganizationsNotInUseException",
            "Your account is not a member of an organization.",
        )
    })
}

/// The caller's organisation, if the caller administers it.
fn administered<'c>(call: &'c Call<'_>) -> Result<&'c Organization, Refusal> {
    let organization = organization(call)?;
    if organization.administered_by(&call.caller.account) {
        Ok(organization)
    } else {
        Err(Refusal::new(400, "AccessDeniedException", "You don't have permissions to access this resource."))
    }
}

/// How many things a page has when nobody says how many. The model allows 1–20, and a page may be shorter
/// than asked for.
const A_PAGE: usize = 5;

fn size(wanted: Option<i32>) -> Result<usize, Refusal> {
    match wanted {
        None => Ok(A_PAGE),
        Some(size @ 1..=20) => Ok(usize::try_from(size).unwrap_or(A_PAGE).min(A_PAGE)),
        Some(_) => Err(invalid("MaxResults")),
    }
}

fn paged<T: Clone>(
    items: &[T],
    token: Option<&str>,
    wanted: Option<i32>,
) -> Result<(Vec<T>, Option<String>), Refusal> {
    page(items, token, size(wanted)?).ok_or_else(|| invalid("NextToken"))
}

fn parent<'i>(organization: &Organization, id: Option<&'i str>) -> Result<&'i str, Refusal> {
    let id =
        id.filter(|id| id.starts_with("r-") || id.starts_with("ou-")).ok_or_else(|| invalid("ParentId"))?;
    if organization.has_parent(id) {
        Ok(id)
    } else {
        Err(Refusal::new(400, "ParentNotFoundException", "You specified parent that doesn't exist."))
    }
}

/// DescribeOrganization: "can be called from any account in an organization".
fn describe_organization(
    call: &mut Call<'_>,
    _: &DescribeOrganizationInput,
) -> Result<DescribeOrganizationOutput, Refusal> {
    let found = organization(call)?;
    let (id, management) = (&found.id, &found.management);
    let told = aws_sdk_organizations::types::Organization::builder()
        .id(id)
        .arn(format!("arn:aws:organizations::{management}:organization/{id}"))
        .feature_set(OrganizationFeatureSet::All)
        .master_account_arn(format!("arn:aws:organizations::{management}:account/{id}/{management}"))
        .master_account_id(management)
        .master_account_email(format!("aws+{management}@example.com"))
        .build();
    Ok(DescribeOrganizationOutput::builder().organization(told).build())
}

/// ListAccounts: suspended accounts too.
fn list_accounts(call: &mut Call<'_>, input: &ListAccountsInput) -> Result<ListAccountsOutput, Refusal> {
    let organization = administered(call)?;
    let members: Vec<_> = organization.members.iter().collect();
    let (members, next) = paged(&members, input.next_token(), input.max_results())?;
    let accounts = members.into_iter().map(|(id, member)| organization.account(id, member));
    Ok(ListAccountsOutput::builder().set_accounts(Some(accounts.collect())).set_next_token(next).build())
}

/// ListAccountsForParent: direct children only.
fn list_accounts_for_parent(
    call: &mut Call<'_>,
    input: &ListAccountsForParentInput,
) -> Result<ListAccountsForParentOutput, Refusal> {
    let organization = administered(call)?;
    let parent = parent(organization, input.parent_id())?;
    let members: Vec<_> = organization.members.iter().filter(|(_, member)| member.parent == parent).collect();
    let (members, next) = paged(&members, input.next_token(), input.max_results())?;
    let accounts = members.into_iter().map(|(id, member)| organization.account(id, member));
    Ok(ListAccountsForParentOutput::builder()
        .set_accounts(Some(accounts.collect()))
        .set_next_token(next)
        .build())
}

/// ListRoots: "currently, you can have only one root".
fn list_roots(call: &mut Call<'_>, input: &ListRootsInput) -> Result<ListRootsOutput, Refusal> {
    let organization = administered(call)?;
    let (roots, next) = paged(&[&organization.root], input.next_token(), input.max_results())?;
    let roots = roots.into_iter().map(|id| {
        Root::builder()
            .id(id)
            .arn(format!("arn:aws:organizations::{}:root/{}/{id}", organization.management, organization.id))
            .name("Root")
            .set_policy_types(Some(Vec::new()))
            .build()
    });
    Ok(ListRootsOutput::builder().set_roots(Some(roots.collect())).set_next_token(next).build())
}

/// ListOrganizationalUnitsForParent: direct children only.
fn list_organizational_units_for_parent(
    call: &mut Call<'_>,
    input: &ListOrganizationalUnitsForParentInput,
) -> Result<ListOrganizationalUnitsForParentOutput, Refusal> {
    let organization = administered(call)?;
    let parent = parent(organization, input.parent_id())?;
    let units: Vec<_> = organization.units.iter().filter(|(_, unit)| unit.parent == parent).collect();
    let (units, next) = paged(&units, input.next_token(), input.max_results())?;
    let units = units.into_iter().map(|(id, unit)| organization.unit(id, unit));
    Ok(ListOrganizationalUnitsForParentOutput::builder()
        .set_organizational_units(Some(units.collect()))
        .set_next_token(next)
        .build())
}

/// ListParents: "currently, a child can have only a single parent".
fn list_parents(call: &mut Call<'_>, input: &ListParentsInput) -> Result<ListParentsOutput, Refusal> {
    let organization = administered(call)?;
    let child = input.child_id().ok_or_else(|| invalid("ChildId"))?;
    let of_account = organization.members.get(child).map(|member| &member.parent);
    let parent =
        of_account.or_else(|| organization.units.get(child).map(|unit| &unit.parent)).ok_or_else(|| {
            Refusal::new(400, "ChildNotFoundException", "You specified a child that doesn't exist.")
        })?;
    let (parents, next) = paged(&[parent], input.next_token(), input.max_results())?;
    let parents = parents.into_iter().map(|id| {
        let kind = if *id == organization.root { ParentType::Root } else { ParentType::OrganizationalUnit };
        Parent::builder().id(id).r#type(kind).build()
    });
    Ok(ListParentsOutput::builder().set_parents(Some(parents.collect())).set_next_token(next).build())
}

/// DescribeOrganizationalUnit.
fn describe_organizational_unit(
    call: &mut Call<'_>,
    input: &DescribeOrganizationalUnitInput,
) -> Result<DescribeOrganizationalUnitOutput, Refusal> {
    let organization = administered(call)?;
    let id = input.organizational_unit_id().ok_or_else(|| invalid("OrganizationalUnitId"))?;
    let unit = organization.units.get(id).ok_or_else(|| {
        Refusal::new(
            400,
            "OrganizationalUnitNotFoundException",
            "You specified an organizational unit that doesn't exist.",
        )
    })?;
    Ok(DescribeOrganizationalUnitOutput::builder().organizational_unit(organization.unit(id, unit)).build())
}

/// ListTagsForResource: of an account, a unit or the root.
fn list_tags_for_resource(
    call: &mut Call<'_>,
    input: &ListTagsForResourceInput,
) -> Result<ListTagsForResourceOutput, Refusal> {
    let organization = administered(call)?;
    let id = input.resource_id().ok_or_else(|| invalid("ResourceId"))?;
    let none = BTreeMap::new();
    let tags = organization
        .members
        .get(id)
        .map(|member| &member.tags)
        .or_else(|| organization.units.get(id).map(|unit| &unit.tags))
        .or((id == organization.root).then_some(&none))
        .ok_or_else(|| {
            Refusal::new(400, "TargetNotFoundException", "You specified a target that doesn't exist.")
        })?;
    let tags: Vec<_> = tags.iter().collect();
    let (tags, next) = paged(&tags, input.next_token(), None)?;
    let tags = tags.into_iter().map(|(key, value)| complete(Tag::builder().key(key).value(value).build()));
    Ok(ListTagsForResourceOutput::builder()
        .set_tags(Some(tags.collect::<Result<_, _>>()?))
        .set_next_token(next)
        .build())
}

#[cfg(test)]
mod tests;
