//! GuardDuty in an organisation: its administrator, and what that enables in accounts by itself.
//!
//! Sources: Amazon GuardDuty API Reference; User Guide, "Managing GuardDuty accounts with AWS Organizations";
//! Organizations User Guide, "Amazon GuardDuty and AWS Organizations". That a new administrator enables nobody by
//! itself is the strictest start, and is written nowhere.

use std::collections::BTreeMap;

use aws_sdk_guardduty::operation::describe_organization_configuration::{
    DescribeOrganizationConfigurationInput, DescribeOrganizationConfigurationOutput,
};
use aws_sdk_guardduty::operation::enable_organization_admin_account::{
    EnableOrganizationAdminAccountInput, EnableOrganizationAdminAccountOutput,
};
use aws_sdk_guardduty::operation::get_administrator_account::{
    GetAdministratorAccountInput, GetAdministratorAccountOutput,
};
use aws_sdk_guardduty::operation::get_organization_statistics::{
    GetOrganizationStatisticsInput, GetOrganizationStatisticsOutput,
};
use aws_sdk_guardduty::operation::list_organization_admin_accounts::{
    ListOrganizationAdminAccountsInput, ListOrganizationAdminAccountsOutput,
};
use aws_sdk_guardduty::operation::update_organization_configuration::{
    UpdateOrganizationConfigurationInput, UpdateOrganizationConfigurationOutput,
};
use aws_sdk_guardduty::types::{
    AdminAccount, AdminStatus, AutoEnableMembers, OrgFeature, OrgFeatureStatus,
    OrganizationAdditionalConfigurationResult, OrganizationDetails, OrganizationFeatureConfiguration,
    OrganizationFeatureConfigurationResult, OrganizationStatistics,
};

use super::super::operation::{Call, Refusal, date_time, page};
use super::{Detector, bad, detector, invalid, page_size};

const PRINCIPAL: &str = "guardduty.amazonaws.com";

/// OrgFeature in the model, and what each has beneath it; `AI_ANALYST` is not among them.
const FEATURES: [(&str, &[&str]); 8] = [
    ("S3_DATA_EVENTS", &[]),
    ("EKS_AUDIT_LOGS", &[]),
    ("EBS_MALWARE_PROTECTION", &[]),
    ("RDS_LOGIN_EVENTS", &["RDS_DATA_RISK"]),
    ("LAMBDA_NETWORK_LOGS", &[]),
    ("EKS_RUNTIME_MONITORING", &["EKS_ADDON_MANAGEMENT"]),
    ("RUNTIME_MONITORING", &["EKS_ADDON_MANAGEMENT", "ECS_FARGATE_AGENT_MANAGEMENT", "EC2_AGENT_MANAGEMENT"]),
    ("AI_PROTECTION", &[]),
];

/// How many features a page has; the model allows 1–50.
const A_PAGE: usize = 3;

/// Who administers an organisation in one region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Administrator {
    pub account: String,
    /// `DISABLE_IN_PROGRESS`.
    pub leaving: bool,
}

/// `OrgFeatureStatus` and `AutoEnableMembers`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AutoEnable {
    All,
    New,
    #[default]
    None,
}

impl AutoEnable {
    fn of(word: &str) -> Option<Self> {
        [Self::All, Self::New, Self::None].into_iter().find(|known| known.word() == word)
    }

    fn word(self) -> &'static str {
        match self {
            Self::All => "ALL",
            Self::New => "NEW",
            Self::None => "NONE",
        }
    }
}

/// What an administrator enables in the organisation's accounts by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Configuration {
    pub members: AutoEnable,
    /// By name, with what is beneath each.
    pub features: BTreeMap<String, (AutoEnable, BTreeMap<String, AutoEnable>)>,
}

impl Default for Configuration {
    fn default() -> Self {
        let features = FEATURES.iter().map(|(name, beneath)| {
            let beneath = beneath.iter().map(|name| ((*name).to_owned(), AutoEnable::None)).collect();
            ((*name).to_owned(), (AutoEnable::None, beneath))
        });
        Self { members: AutoEnable::None, features: features.collect() }
    }
}

impl Configuration {
    /// Features that are named change, the others stay. Refused: a feature without name or status or named twice, a
    /// value outside the model's enums, something beneath another feature, something beneath that is enabled by
    /// itself while its feature is not, and both runtime features ("will cause an error").
    fn merge(&mut self, wanted: &[OrganizationFeatureConfiguration]) -> Result<(), Refusal> {
        let mut features = self.features.clone();
        let mut named: Vec<&str> = Vec::new();
        let mode = |status: Option<&OrgFeatureStatus>, parameter: &str| {
            status.and_then(|status| AutoEnable::of(status.as_str())).ok_or_else(|| invalid(parameter))
        };
        for want in wanted {
            let name = want.name().map(OrgFeature::as_str).ok_or_else(|| invalid("features.name"))?;
            if named.contains(&name) {
                return Err(invalid("features"));
            }
            named.push(name);
            let (feature, beneath) = features.get_mut(name).ok_or_else(|| invalid("features.name"))?;
            *feature = mode(want.auto_enable(), "features.autoEnable")?;
            let off = *feature == AutoEnable::None;
            for more in want.additional_configuration() {
                let slot = more
                    .name()
                    .and_then(|name| beneath.get_mut(name.as_str()))
                    .ok_or_else(|| invalid("features.additionalConfiguration.name"))?;
                *slot = mode(more.auto_enable(), "features.additionalConfiguration.autoEnable")?;
                if off && *slot != AutoEnable::None {
                    return Err(invalid("features.additionalConfiguration"));
                }
            }
        }
        let both = ["EKS_RUNTIME_MONITORING", "RUNTIME_MONITORING"];
        let on = |name: &&str| features.get(*name).is_some_and(|(feature, _)| *feature != AutoEnable::None);
        if both.iter().all(|name| named.contains(name)) || both.iter().all(on) {
            return Err(bad(
                "The request is rejected because EKS_RUNTIME_MONITORING and RUNTIME_MONITORING cannot be \
                 specified together.",
            ));
        }
        self.features = features;
        Ok(())
    }
}

/// What whoever may not is told, as clients report it.
fn not_the_administrator() -> Refusal {
    bad("The request failed because you do not have required AWS Organization master permission.")
}

/// "Only the organization's management account can run this API operation."
fn management(call: &Call<'_>) -> Result<(), Refusal> {
    let organization = call.state.organization.as_ref();
    let is = organization.is_some_and(|organization| organization.management == call.caller.account);
    if is { Ok(()) } else { Err(not_the_administrator()) }
}

/// ListOrganizationAdminAccounts: one at most.
pub(super) fn list_admin_accounts(
    call: &mut Call<'_>,
    input: &ListOrganizationAdminAccountsInput,
) -> Result<ListOrganizationAdminAccountsOutput, Refusal> {
    management(call)?;
    page_size(input.max_results())?;
    if input.next_token().is_some_and(|token| !token.is_empty()) {
        return Err(invalid("nextToken"));
    }
    let told = call.here().guardduty.organization_admin.as_ref().map(|admin| {
        let status = if admin.leaving { AdminStatus::DisableInProgress } else { AdminStatus::Enabled };
        AdminAccount::builder().admin_account_id(&admin.account).admin_status(status).build()
    });
    Ok(ListOrganizationAdminAccountsOutput::builder()
        .set_admin_accounts(Some(told.into_iter().collect()))
        .build())
}

/// EnableOrganizationAdminAccount: trusted access comes first; one administrator for the organisation, the same in
/// every region, an account of the organisation. It becomes Organizations' delegated administrator too, and GuardDuty
/// is enabled for it here, as CreateDetector does when it is told nothing.
pub(super) fn enable_admin_account(
    call: &mut Call<'_>,
    input: &EnableOrganizationAdminAccountInput,
) -> Result<EnableOrganizationAdminAccountOutput, Refusal> {
    management(call)?;
    let (now, region) = (call.now, call.region.to_owned());
    let account = input.admin_account_id().unwrap_or_default().to_owned();
    if let Some(admin) = &call.here().guardduty.organization_admin {
        let whose = if admin.account == account { "the" } else { "another" };
        return Err(bad(format!(
            "The request is rejected because {whose} account is already enabled as the GuardDuty delegated \
             administrator for the organization."
        )));
    }
    let id = call.state.hex(32);
    let organization = call.state.organization.as_mut().filter(|o| o.has_member(&account));
    let organization = organization.ok_or_else(|| invalid("adminAccountId"))?;
    if !organization.trusts(PRINCIPAL) {
        return Err(bad(
            "The request is rejected because trusted access is not enabled for GuardDuty in the organization.",
        ));
    }
    if organization.administrators_of(PRINCIPAL).any(|other| other != account) {
        return Err(bad(
            "The request is rejected because another account is the GuardDuty delegated administrator in another \
             region.",
        ));
    }
    organization.delegate(PRINCIPAL, &account, now);
    let theirs = call.state.accounts.get_mut(&account).ok_or_else(|| invalid("adminAccountId"))?;
    let theirs = &mut theirs.region(&region).guardduty;
    theirs.detector.get_or_insert_with(|| Detector::with_defaults(&id, now));
    theirs.organization.get_or_insert_default();
    theirs.administrator = None;
    call.here().guardduty.organization_admin = Some(Administrator { account, leaving: false });
    Ok(EnableOrganizationAdminAccountOutput::builder().build())
}

/// The configuration, if the caller administers the organisation here, by the detector that is its own.
fn configuration<'c>(call: &'c mut Call<'_>, id: Option<&str>) -> Result<&'c mut Configuration, Refusal> {
    detector(call, id)?;
    call.here().guardduty.organization.as_mut().ok_or_else(not_the_administrator)
}

/// DescribeOrganizationConfiguration, in pages of features.
pub(super) fn describe_configuration(
    call: &mut Call<'_>,
    input: &DescribeOrganizationConfigurationInput,
) -> Result<DescribeOrganizationConfigurationOutput, Refusal> {
    page_size(input.max_results())?;
    let configuration = configuration(call, input.detector_id())?;
    let told: Vec<_> = FEATURES
        .iter()
        .filter_map(|(name, beneath)| {
            let (feature, of) = configuration.features.get(*name)?;
            let more = beneath.iter().filter_map(|name| {
                let result = OrganizationAdditionalConfigurationResult::builder()
                    .name((*name).into())
                    .auto_enable(of.get(*name)?.word().into());
                Some(result.build())
            });
            let more: Vec<_> = more.collect();
            let result = OrganizationFeatureConfigurationResult::builder()
                .name((*name).into())
                .auto_enable(feature.word().into())
                .set_additional_configuration((!more.is_empty()).then_some(more));
            Some(result.build())
        })
        .collect();
    let token = input.next_token().filter(|token| !token.is_empty());
    let (features, next) = page(&told, token, A_PAGE).ok_or_else(|| invalid("nextToken"))?;
    Ok(DescribeOrganizationConfigurationOutput::builder()
        .auto_enable_organization_members(configuration.members.word().into())
        .member_account_limit_reached(false)
        .set_features(Some(features))
        .set_next_token(next)
        .build())
}

/// UpdateOrganizationConfiguration: "you must provide a value for either autoEnableOrganizationMembers or autoEnable,
/// but not both"; `dataSources` is deprecated and refused here. The accounts follow "within 24 hours"; this world's
/// are left as they are.
pub(super) fn update_configuration(
    call: &mut Call<'_>,
    input: &UpdateOrganizationConfigurationInput,
) -> Result<UpdateOrganizationConfigurationOutput, Refusal> {
    let live = configuration(call, input.detector_id())?;
    #[expect(deprecated, reason = "refused because they are")]
    let (auto_enable, sources) = (input.auto_enable, input.data_sources.is_some());
    super::refuse_data_sources(sources)?;
    let members = match (auto_enable, input.auto_enable_organization_members()) {
        (None, Some(members)) => AutoEnable::of(AutoEnableMembers::as_str(members)),
        (Some(on), None) => Some(if on { AutoEnable::New } else { AutoEnable::None }),
        _ => None,
    };
    let members = members.ok_or_else(|| invalid("autoEnableOrganizationMembers"))?;
    let mut next = live.clone();
    next.members = members;
    next.merge(input.features())?;
    *live = next;
    Ok(UpdateOrganizationConfigurationOutput::builder().build())
}

/// GetOrganizationStatistics: "only a delegated GuardDuty administrator of an organization can run this API".
pub(super) fn statistics(
    call: &mut Call<'_>,
    _: &GetOrganizationStatisticsInput,
) -> Result<GetOrganizationStatisticsOutput, Refusal> {
    if call.here().guardduty.organization.is_none() {
        return Err(not_the_administrator());
    }
    let (now, region) = (call.now, call.region);
    let members: Vec<String> = call
        .state
        .organization
        .iter()
        .flat_map(|organization| organization.members.keys().cloned())
        .collect();
    let has = |id: &&String| {
        let account = call.state.accounts.get(*id);
        let here = account.and_then(|account| account.regions.get(region));
        here.and_then(|here| here.guardduty.detector.as_ref()).is_some_and(|detector| detector.enabled)
    };
    let count = |number: usize| i32::try_from(number).unwrap_or(i32::MAX);
    let enabled = count(members.iter().filter(has).count());
    let told = OrganizationStatistics::builder()
        .total_accounts_count(count(members.len()))
        .member_accounts_count(enabled)
        .active_accounts_count(enabled)
        .enabled_accounts_count(enabled)
        .build();
    let details = OrganizationDetails::builder().updated_at(date_time(now)).organization_statistics(told);
    Ok(GetOrganizationStatisticsOutput::builder().organization_details(details.build()).build())
}

/// API reference, GetAdministratorAccount: `Administrator` is required in the reply; without an administrator
/// it is there and has nothing in it.
pub(super) fn administrator_account(
    call: &mut Call<'_>,
    input: &GetAdministratorAccountInput,
) -> Result<GetAdministratorAccountOutput, Refusal> {
    let invited = format!("{:.3}", detector(call, input.detector_id())?.created);
    let administrator = match call.here().guardduty.administrator.clone() {
        None => aws_sdk_guardduty::types::Administrator::builder(),
        Some(account) => aws_sdk_guardduty::types::Administrator::builder()
            .account_id(account)
            .relationship_status("Enabled")
            .invited_at(invited),
    };
    Ok(GetAdministratorAccountOutput::builder().administrator(administrator.build()).build())
}
