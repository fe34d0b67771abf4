//! Amazon GuardDuty: one detector in each region.
//!
//! Sources: Amazon GuardDuty API Reference, and where it is silent the service's messages as clients report them.

mod filters;
mod lists;
mod malware;
mod organization;
mod publishing;

use std::collections::BTreeMap;

use aws_sdk_guardduty::operation::create_detector::{CreateDetectorInput, CreateDetectorOutput};
use aws_sdk_guardduty::operation::get_detector::{GetDetectorInput, GetDetectorOutput};
use aws_sdk_guardduty::operation::list_detectors::{ListDetectorsInput, ListDetectorsOutput};
use aws_sdk_guardduty::operation::update_detector::{UpdateDetectorInput, UpdateDetectorOutput};
use aws_sdk_guardduty::types::{
    DetectorAdditionalConfigurationResult, DetectorFeature, DetectorFeatureConfiguration,
    DetectorFeatureConfigurationResult, DetectorStatus, FeatureStatus, FindingPublishingFrequency,
};
use jiff::Timestamp;

use super::operation::{Call, Operations, Protocol, Refusal, Service, date_time, length_within};
pub use filters::Filter;
pub use lists::List;
pub use malware::MalwareScan;
pub use organization::{Administrator as OrganizationAdministrator, AutoEnable, Configuration};
pub use publishing::{Destination, VERIFICATION};

static SERVICE: Service = Service {
    id: "GuardDuty",
    prefix: "guardduty",
    protocol: Protocol::Json,
    throttled: ("ThrottlingException", 429),
    broken: ("InternalServerErrorException", 500),
};

pub(super) fn operations() -> Operations {
    Operations::of(&SERVICE)
        .on("ListDetectors", list_detectors)
        .on("CreateDetector", create_detector)
        .on("GetDetector", get_detector)
        .on("UpdateDetector", update_detector)
        .on("GetAdministratorAccount", organization::administrator_account)
        .on("ListPublishingDestinations", publishing::list)
        .on("DescribePublishingDestination", publishing::describe)
        .on("CreatePublishingDestination", publishing::create)
        .on("UpdatePublishingDestination", publishing::update)
        .on("ListFilters", filters::list)
        .on("GetFilter", filters::get)
        .on("CreateFilter", filters::create)
        .on("UpdateFilter", filters::update)
        .on("ListIPSets", lists::list_trusted)
        .on("GetIPSet", lists::get_trusted)
        .on("CreateIPSet", lists::create_trusted)
        .on("UpdateIPSet", lists::update_trusted)
        .on("ListThreatIntelSets", lists::list_threats)
        .on("GetThreatIntelSet", lists::get_threat)
        .on("CreateThreatIntelSet", lists::create_threat)
        .on("UpdateThreatIntelSet", lists::update_threat)
        .on("GetMalwareScanSettings", malware::get)
        .on("UpdateMalwareScanSettings", malware::update)
        .on("ListOrganizationAdminAccounts", organization::list_admin_accounts)
        .on("EnableOrganizationAdminAccount", organization::enable_admin_account)
        .on("DescribeOrganizationConfiguration", organization::describe_configuration)
        .on("UpdateOrganizationConfiguration", organization::update_configuration)
        .on("GetOrganizationStatistics", organization::statistics)
}

/// The features that a caller may set, whether a new detector has them on, and what each has beneath it
/// (CreateDetector: "with an exception to RUNTIME_MONITORING, all the optional features are enabled by
/// default"; AI_ANALYST and EKS_RUNTIME_MONITORING are off in detectors made in 2026).
const FEATURES: [(&str, bool, &[&str]); 9] = [
    ("S3_DATA_EVENTS", true, &[]),
    ("EKS_AUDIT_LOGS", true, &[]),
    ("EBS_MALWARE_PROTECTION", true, &[]),
    ("RDS_LOGIN_EVENTS", true, &["RDS_DATA_RISK"]),
    ("EKS_RUNTIME_MONITORING", false, &["EKS_ADDON_MANAGEMENT"]),
    ("LAMBDA_NETWORK_LOGS", true, &[]),
    (
        "RUNTIME_MONITORING",
        false,
        &["EKS_ADDON_MANAGEMENT", "ECS_FARGATE_AGENT_MANAGEMENT", "EC2_AGENT_MANAGEMENT"],
    ),
    ("AI_PROTECTION", true, &[]),
    ("AI_ANALYST", false, &[]),
];

/// What `GetDetector` lists besides and nobody may set (GetDetector, DetectorFeatureResult).
const FOUNDATIONAL: [&str; 3] = ["FLOW_LOGS", "CLOUD_TRAIL", "DNS_LOGS"];

/// GuardDuty in one region of an account.
#[derive(Clone, Debug, Default)]
pub struct GuardDuty {
    pub detector: Option<Detector>,
    /// The account that manages this one's GuardDuty, when another does.
    pub administrator: Option<String>,
    /// In the management account: who administers the organisation here.
    pub organization_admin: Option<OrganizationAdministrator>,
    /// In that administrator's account: what it enables in the organisation's accounts by itself.
    pub organization: Option<Configuration>,
}

impl GuardDuty {
    /// Switches the detector on or off, as somebody else would; without one nothing happens.
    pub fn switch(&mut self, enabled: bool) {
        if let Some(detector) = &mut self.detector {
            detector.enabled = enabled;
        }
    }
}

/// A detector.
#[derive(Clone, Debug)]
pub struct Detector {
    pub id: String,
    pub enabled: bool,
    pub frequency: FindingPublishingFrequency,
    /// By name; the foundational ones are not among them.
    pub features: BTreeMap<String, Feature>,
    pub tags: BTreeMap<String, String>,
    pub created: Timestamp,
    pub updated: Timestamp,
    pub destination: Option<Destination>,
    pub malware_scan: MalwareScan,
    /// Lists of addresses, by id.
    pub trusted: BTreeMap<String, List>,
    pub threats: BTreeMap<String, List>,
    /// By name.
    pub filters: BTreeMap<String, Filter>,
}

/// One feature of a detector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feature {
    pub enabled: bool,
    /// What is beneath it, by name.
    pub additional: BTreeMap<String, bool>,
    pub updated: Timestamp,
}

impl Detector {
    /// A detector as the service makes one when told nothing: on, six-hourly, with the default features.
    pub fn with_defaults(id: &str, now: Timestamp) -> Self {
        let features = FEATURES.iter().map(|(name, enabled, beneath)| {
            let additional = beneath.iter().map(|name| ((*name).to_owned(), false)).collect();
            ((*name).to_owned(), Feature { enabled: *enabled, additional, updated: now })
        });
        Self {
            id: id.to_owned(),
            enabled: true,
            frequency: FindingPublishingFrequency::SixHours,
            features: features.collect(),
            tags: BTreeMap::new(),
            created: now,
            updated: now,
            destination: None,
            malware_scan: MalwareScan::default(),
            trusted: BTreeMap::new(),
            threats: BTreeMap::new(),
            filters: BTreeMap::new(),
        }
    }

    /// Switches a feature, as somebody else would; a name that the service does not have changes nothing.
    pub fn set_feature(&mut self, name: &str, enabled: bool) {
        if let Some(feature) = self.features.get_mut(name) {
            feature.enabled = enabled;
        }
    }

    /// Merges features into the detector: those named change, the others stay (UpdateDetector). Refused, and
    /// nothing changed: a feature without name or status or named twice, a value outside the model's enums,
    /// additional configuration of another feature, and EKS_RUNTIME_MONITORING together with
    /// RUNTIME_MONITORING ("will cause an error").
    fn merge(&mut self, wanted: &[DetectorFeatureConfiguration], now: Timestamp) -> Result<(), Refusal> {
        let mut features = self.features.clone();
        let mut named: Vec<&str> = Vec::new();
        for want in wanted {
            let name = want.name().map(DetectorFeature::as_str).ok_or_else(|| invalid("features.name"))?;
            let enabled = status(want.status())?.ok_or_else(|| invalid("features.status"))?;
            if named.contains(&name) {
                return Err(invalid("features"));
            }
            named.push(name);
            let feature = features.get_mut(name).ok_or_else(|| invalid("features.name"))?;
            feature.enabled = enabled;
            feature.updated = now;
            for beneath in want.additional_configuration() {
                let slot = beneath
                    .name()
                    .and_then(|name| feature.additional.get_mut(name.as_str()))
                    .ok_or_else(|| invalid("features.additionalConfiguration.name"))?;
                *slot = status(beneath.status())?
                    .ok_or_else(|| invalid("features.additionalConfiguration.status"))?;
            }
        }
        let both = ["EKS_RUNTIME_MONITORING", "RUNTIME_MONITORING"];
        let on = |name: &&str| features.get(*name).is_some_and(|feature| feature.enabled);
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

/// 400 with the one code that GuardDuty has for the caller's mistakes.
fn bad(message: impl Into<String>) -> Refusal {
    Refusal::new(400, "BadRequestException", message)
}

fn invalid(parameter: &str) -> Refusal {
    bad(format!(
        "The request is rejected because an invalid or out-of-range value is specified as an input parameter: {parameter}."
    ))
}

fn status(status: Option<&FeatureStatus>) -> Result<Option<bool>, Refusal> {
    match status {
        None => Ok(None),
        Some(FeatureStatus::Enabled) => Ok(Some(true)),
        Some(FeatureStatus::Disabled) => Ok(Some(false)),
        Some(_) => Err(invalid("features.status")),
    }
}

fn feature_status(enabled: bool) -> FeatureStatus {
    if enabled { FeatureStatus::Enabled } else { FeatureStatus::Disabled }
}

fn frequency(wanted: &FindingPublishingFrequency) -> Result<FindingPublishingFrequency, Refusal> {
    let known = FindingPublishingFrequency::values().contains(&wanted.as_str());
    if known { Ok(wanted.clone()) } else { Err(invalid("findingPublishingFrequency")) }
}

/// The detector that a request names, which must be the caller's own.
fn detector<'c>(call: &'c mut Call<'_>, id: Option<&str>) -> Result<&'c mut Detector, Refusal> {
    let here = call.here().guardduty.detector.as_mut();
    here.filter(|detector| Some(detector.id.as_str()) == id).ok_or_else(|| {
        bad("The request is rejected because the input detectorId is not owned by the current account.")
    })
}

/// API reference, ListDetectors: pages of 1–50, and at most one detector in a region.
fn list_detectors(call: &mut Call<'_>, input: &ListDetectorsInput) -> Result<ListDetectorsOutput, Refusal> {
    page_size(input.max_results())?;
    if input.next_token().is_some_and(|token| !token.is_empty()) {
        return Err(invalid("nextToken"));
    }
    let ids = call.here().guardduty.detector.iter().map(|detector| detector.id.clone()).collect();
    Ok(ListDetectorsOutput::builder().set_detector_ids(Some(ids)).build())
}

fn page_size(wanted: Option<i32>) -> Result<(), Refusal> {
    if wanted.is_none_or(|size| (1..=50).contains(&size)) { Ok(()) } else { Err(invalid("maxResults")) }
}

/// API reference, CreateDetector: `enable` is required; one detector in a region; features not named get their
/// default; six hours unless said; tags as the model has them. `dataSources` is deprecated and refused here.
fn create_detector(
    call: &mut Call<'_>,
    input: &CreateDetectorInput,
) -> Result<CreateDetectorOutput, Refusal> {
    let enable = input.enable().ok_or_else(|| invalid("enable"))?;
    if input.client_token().is_some_and(|token| !length_within(token, 0, 64)) {
        return Err(invalid("clientToken"));
    }
    #[expect(deprecated, reason = "refused because it is")]
    refuse_data_sources(input.data_sources.is_some())?;
    if call.here().guardduty.detector.is_some() {
        return Err(bad(
            "The request is rejected because a detector already exists for the current account.",
        ));
    }
    let now = call.now;
    let mut detector = Detector::with_defaults("", now);
    detector.enabled = enable;
    if let Some(wanted) = input.finding_publishing_frequency() {
        detector.frequency = frequency(wanted)?;
    }
    detector.merge(input.features(), now)?;
    detector.tags = tags(input.tags())?;
    detector.id = call.state.hex(32);
    let id = detector.id.clone();
    call.here().guardduty.detector = Some(detector);
    Ok(CreateDetectorOutput::builder().detector_id(id).build())
}

/// TagMap in the model: 1–200 tags, keys of 1–128 characters that do not begin with `aws:`, values to 256.
fn tags(
    wanted: Option<&std::collections::HashMap<String, String>>,
) -> Result<BTreeMap<String, String>, Refusal> {
    let Some(wanted) = wanted else { return Ok(BTreeMap::new()) };
    let fits = |(key, value): (&String, &String)| {
        length_within(key, 1, 128) && length_within(value, 0, 256) && !key.starts_with("aws:")
    };
    if wanted.is_empty() || wanted.len() > 200 || !wanted.iter().all(fits) {
        return Err(invalid("tags"));
    }
    Ok(wanted.iter().map(|(key, value)| (key.clone(), value.clone())).collect())
}

fn refuse_data_sources(present: bool) -> Result<(), Refusal> {
    if present {
        return Err(bad("The request is rejected because dataSources is deprecated; use features."));
    }
    Ok(())
}

/// API reference, GetDetector: the foundational data sources stand among the features; RUNTIME_MONITORING,
/// EKS_RUNTIME_MONITORING and RDS_LOGIN_EVENTS carry their additional configuration.
fn get_detector(call: &mut Call<'_>, input: &GetDetectorInput) -> Result<GetDetectorOutput, Refusal> {
    let account = call.caller.account.clone();
    let detector = detector(call, input.detector_id())?;
    let foundational = FOUNDATIONAL.into_iter().map(|name| {
        DetectorFeatureConfigurationResult::builder()
            .name(name.into())
            .status(feature_status(detector.enabled))
            .updated_at(date_time(detector.created))
            .build()
    });
    // In the service's order, so that nobody relies on another.
    let optional = FEATURES.iter().filter_map(|(name, _, beneath)| {
        let feature = detector.features.get(*name)?;
        let additional = beneath.iter().filter_map(|name| {
            let enabled = *feature.additional.get(*name)?;
            let result = DetectorAdditionalConfigurationResult::builder()
                .name((*name).into())
                .status(feature_status(enabled))
                .updated_at(date_time(feature.updated))
                .build();
            Some(result)
        });
        let additional: Vec<_> = additional.collect();
        let result = DetectorFeatureConfigurationResult::builder()
            .name((*name).into())
            .status(feature_status(feature.enabled))
            .updated_at(date_time(feature.updated))
            .set_additional_configuration((!additional.is_empty()).then_some(additional))
            .build();
        Some(result)
    });
    let tags = detector.tags.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
    let output = GetDetectorOutput::builder()
        .created_at(format!("{:.3}", detector.created))
        .updated_at(format!("{:.3}", detector.updated))
        .finding_publishing_frequency(detector.frequency.clone())
        .service_role(format!(
            "arn:aws:iam::{account}:role/aws-service-role/guardduty.amazonaws.com/AWSServiceRoleForAmazonGuardDuty"
        ))
        .status(if detector.enabled { DetectorStatus::Enabled } else { DetectorStatus::Disabled })
        // TagMap holds one tag at least.
        .set_tags((!detector.tags.is_empty()).then_some(tags))
        .set_features(Some(foundational.chain(optional).collect()));
    Ok(output.build())
}

/// API reference, UpdateDetector: what is not named stays. An account that an administrator manages may change
/// neither features nor frequency (GuardDuty User Guide, "Managing multiple accounts").
fn update_detector(
    call: &mut Call<'_>,
    input: &UpdateDetectorInput,
) -> Result<UpdateDetectorOutput, Refusal> {
    let now = call.now;
    let managed = call.here().guardduty.administrator.is_some();
    let detector = detector(call, input.detector_id())?;
    if managed {
        return Err(bad(
            "The request is rejected because the detector is managed by the administrator account.",
        ));
    }
    #[expect(deprecated, reason = "refused because it is")]
    refuse_data_sources(input.data_sources.is_some())?;
    let wanted = input.finding_publishing_frequency().map(frequency).transpose()?;
    detector.merge(input.features(), now)?;
    detector.frequency = wanted.unwrap_or_else(|| detector.frequency.clone());
    detector.enabled = input.enable().unwrap_or(detector.enabled);
    detector.updated = now;
    Ok(UpdateDetectorOutput::builder().build())
}

#[cfg(test)]
mod tests;
