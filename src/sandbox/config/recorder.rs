//! The recorder: what it records, how often, and whether it does.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_sdk_config::operation::describe_configuration_recorder_status::{
    DescribeConfigurationRecorderStatusInput, DescribeConfigurationRecorderStatusOutput,
};
use aws_sdk_config::operation::describe_configuration_recorders::{
    DescribeConfigurationRecordersInput, DescribeConfigurationRecordersOutput,
};
use aws_sdk_config::operation::describe_retention_configurations::{
    DescribeRetentionConfigurationsInput, DescribeRetentionConfigurationsOutput,
};
use aws_sdk_config::operation::put_configuration_recorder::{
    PutConfigurationRecorderInput, PutConfigurationRecorderOutput,
};
use aws_sdk_config::operation::put_retention_configuration::{
    PutRetentionConfigurationInput, PutRetentionConfigurationOutput,
};
use aws_sdk_config::operation::start_configuration_recorder::{
    StartConfigurationRecorderInput, StartConfigurationRecorderOutput,
};
use aws_sdk_config::operation::stop_configuration_recorder::{
    StopConfigurationRecorderInput, StopConfigurationRecorderOutput,
};
use aws_sdk_config::types::{
    ConfigurationRecorder, ConfigurationRecorderStatus, ExclusionByResourceTypes, RecorderStatus,
    RecordingFrequency, RecordingGroup, RecordingMode, RecordingModeOverride, RecordingScope,
    RecordingStrategy, RecordingStrategyType, ResourceType, RetentionConfiguration,
};
use jiff::Timestamp;

use super::super::operation::{Call, Refusal, complete, date_time, length_within};
use super::super::policy::{self, Question, Who};
use super::{refuse, tags};

/// How long a recorder that was started says that its status is pending. AWS gives no number; it is long enough
/// that nobody who looks once sees it record.
pub const STARTING: Duration = Duration::from_secs(45);

/// What cannot be recorded once a day (API reference, RecordingMode).
const ALWAYS_CONTINUOUS: [&str; 3] = [
    "AWS::Config::ConfigurationRecorder",
    "AWS::Config::ConformancePackCompliance",
    "AWS::Config::ResourceCompliance",
];

/// The customer's recorder of a region.
#[derive(Clone, Debug)]
pub struct Recorder {
    pub name: String,
    pub role_arn: String,
    pub records: Recording,
    /// `CONTINUOUS` or `DAILY`.
    pub frequency: RecordingFrequency,
    /// The one override: its types and their frequency.
    pub overrides: Option<(BTreeSet<String>, RecordingFrequency)>,
    pub tags: BTreeMap<String, String>,
    /// When it was started; none while it is stopped.
    pub started: Option<Timestamp>,
    /// Code and message of why it does not record though it was started.
    pub failure: Option<(String, String)>,
}

/// Which types it records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recording {
    All { global: bool },
    Except(BTreeSet<String>),
    Only(BTreeSet<String>),
}

impl Recorder {
    /// A recorder as the console sets one up: all types, all the time, not started.
    pub fn new(name: &str, role_arn: &str) -> Self {
        Self {
            name: name.to_owned(),
            role_arn: role_arn.to_owned(),
            records: Recording::All { global: false },
            frequency: RecordingFrequency::Continuous,
            overrides: None,
            tags: BTreeMap::new(),
            started: None,
            failure: None,
        }
    }
}

fn invalid(message: impl Into<String>) -> Refusal {
    refuse("ValidationException", message)
}

fn no_recorder(name: &str) -> Refusal {
    let message = format!("Cannot find configuration recorder with the specified name '{name}'.");
    refuse("NoSuchConfigurationRecorderException", message)
}

/// The recorder that a request means: by its name, or the only one.
fn asked<'c>(call: &'c mut Call<'_>, names: &[String]) -> Result<Option<&'c mut Recorder>, Refusal> {
    let recorder = call.here().config.recorder.as_mut();
    match names {
        [] => Ok(recorder),
        [name] => recorder.filter(|one| one.name == *name).map(Some).ok_or_else(|| no_recorder(name)),
        _ => Err(invalid("You can only specify one configuration recorder.")),
    }
}

fn own<'c>(call: &'c mut Call<'_>, name: Option<&str>) -> Result<&'c mut Recorder, Refusal> {
    let name = name.unwrap_or_default();
    call.here().config.recorder.as_mut().filter(|one| one.name == name).ok_or_else(|| no_recorder(name))
}

fn arn(call: &Call<'_>, name: &str) -> String {
    call.arn("config", format!("configuration-recorder/{name}/a1b2c3d4e5f6g7h8"))
}

fn types(of: &BTreeSet<String>) -> Vec<ResourceType> {
    of.iter().map(|name| ResourceType::from(name.as_str())).collect()
}

fn group(records: &Recording) -> RecordingGroup {
    let (strategy, only, except) = match records {
        Recording::All { .. } => (RecordingStrategyType::AllSupportedResourceTypes, vec![], vec![]),
        Recording::Except(except) => (RecordingStrategyType::ExclusionByResourceTypes, vec![], types(except)),
        Recording::Only(only) => (RecordingStrategyType::InclusionByResourceTypes, types(only), vec![]),
    };
    RecordingGroup::builder()
        .all_supported(matches!(records, Recording::All { .. }))
        .include_global_resource_types(*records == Recording::All { global: true })
        .set_resource_types(Some(only))
        .exclusion_by_resource_types(
            ExclusionByResourceTypes::builder().set_resource_types(Some(except)).build(),
        )
        .recording_strategy(RecordingStrategy::builder().use_only(strategy).build())
        .build()
}

/// DescribeConfigurationRecorders: the customer's own, unless a service's is asked for, which nobody has here.
pub(in crate::sandbox) fn describe(
    call: &mut Call<'_>,
    input: &DescribeConfigurationRecordersInput,
) -> Result<DescribeConfigurationRecordersOutput, Refusal> {
    let found = asked(call, input.configuration_recorder_names())?.cloned();
    let told = found.map(|recorder| {
        let overrides = recorder.overrides.iter().map(|(of, frequency)| {
            let one = RecordingModeOverride::builder()
                .set_resource_types(Some(types(of)))
                .recording_frequency(frequency.clone());
            complete(one.build())
        });
        let mode = RecordingMode::builder()
            .recording_frequency(recorder.frequency.clone())
            .set_recording_mode_overrides(Some(overrides.collect::<Result<_, _>>()?));
        Ok(ConfigurationRecorder::builder()
            .arn(arn(call, &recorder.name))
            .recording_group(group(&recorder.records))
            .recording_mode(complete(mode.build())?)
            .recording_scope(RecordingScope::Paid)
            .name(recorder.name)
            .role_arn(recorder.role_arn)
            .build())
    });
    Ok(DescribeConfigurationRecordersOutput::builder()
        .set_configuration_recorders(Some(told.into_iter().collect::<Result<_, _>>()?))
        .build())
}

/// DescribeConfigurationRecorderStatus: pending for a while after it was started, then what became of it.
pub(in crate::sandbox) fn status(
    call: &mut Call<'_>,
    input: &DescribeConfigurationRecorderStatusInput,
) -> Result<DescribeConfigurationRecorderStatusOutput, Refusal> {
    let found = asked(call, input.configuration_recorder_names())?.cloned();
    let now = call.now;
    let told = found.map(|recorder| {
        let says = ConfigurationRecorderStatus::builder()
            .arn(arn(call, &recorder.name))
            .name(&recorder.name)
            .recording(recorder.started.is_some());
        let says = match (recorder.started, &recorder.failure) {
            (None, _) => says.last_status(RecorderStatus::NotApplicable),
            (Some(started), _) if now.duration_since(started).unsigned_abs() < STARTING => {
                says.last_status(RecorderStatus::Pending)
            }
            (Some(_), Some((code, message))) => {
                says.last_status(RecorderStatus::Failure).last_error_code(code).last_error_message(message)
            }
            (Some(_), None) => says.last_status(RecorderStatus::Success),
        };
        says.set_last_start_time(recorder.started.map(date_time)).build()
    });
    Ok(DescribeConfigurationRecorderStatusOutput::builder()
        .set_configuration_recorders_status(Some(told.into_iter().collect()))
        .build())
}

/// RecordingGroup: three strategies, and what belongs to one is an error beside another.
fn records(group: Option<&RecordingGroup>) -> Result<Recording, Refusal> {
    let refused = |why: &str| refuse("InvalidRecordingGroupException", why);
    let Some(group) = group else { return Ok(Recording::All { global: false }) };
    let names = |types: &[ResourceType]| -> Result<BTreeSet<String>, Refusal> {
        let unknown = types.iter().find(|one| !ResourceType::values().contains(&one.as_str()));
        match unknown {
            Some(one) => Err(invalid(format!("Value '{}' is not a resource type", one.as_str()))),
            None => Ok(types.iter().map(|one| one.as_str().to_owned()).collect()),
        }
    };
    let only = names(group.resource_types())?;
    let except = names(group.exclusion_by_resource_types().map_or(&[], |by| by.resource_types()))?;
    let strategy = group.recording_strategy().and_then(RecordingStrategy::use_only);
    let all = group.all_supported();
    match strategy {
        Some(RecordingStrategyType::ExclusionByResourceTypes) => {
            if all || group.include_global_resource_types() || !only.is_empty() || except.is_empty() {
                return Err(refused("The recording group provided is not valid"));
            }
            Ok(Recording::Except(except))
        }
        None | Some(RecordingStrategyType::AllSupportedResourceTypes) if all => {
            if !only.is_empty() || !except.is_empty() {
                return Err(refused("The recording group provided is not valid"));
            }
            Ok(Recording::All { global: group.include_global_resource_types() })
        }
        None | Some(RecordingStrategyType::InclusionByResourceTypes) => {
            if all || group.include_global_resource_types() || only.is_empty() || !except.is_empty() {
                return Err(refused("The recording group provided is not valid"));
            }
            Ok(Recording::Only(only))
        }
        Some(_) => Err(refused("You must set allSupported to true to record all supported types")),
    }
}

type Mode = (RecordingFrequency, Option<(BTreeSet<String>, RecordingFrequency)>);

fn mode(mode: Option<&RecordingMode>) -> Result<Mode, Refusal> {
    let Some(mode) = mode else { return Ok((RecordingFrequency::Continuous, None)) };
    let known = |one: &RecordingFrequency| RecordingFrequency::values().contains(&one.as_str());
    let mut overrides = None;
    for one in mode.recording_mode_overrides() {
        let of: BTreeSet<String> = one.resource_types().iter().map(|t| t.as_str().to_owned()).collect();
        let daily = *one.recording_frequency() == RecordingFrequency::Daily;
        let never_daily = daily && of.iter().any(|name| ALWAYS_CONTINUOUS.contains(&name.as_str()));
        if of.is_empty() || never_daily || overrides.is_some() || !known(one.recording_frequency()) {
            return Err(invalid("1 validation error detected: recordingModeOverrides"));
        }
        overrides = Some((of, one.recording_frequency().clone()));
    }
    if !known(mode.recording_frequency()) {
        return Err(invalid("1 validation error detected: recordingFrequency"));
    }
    Ok((mode.recording_frequency().clone(), overrides))
}

/// Whether AWS Config may take the role, and sees it yet.
pub(super) fn may_take(call: &mut Call<'_>, arn: &str) -> bool {
    let (account, now) = (call.caller.account.clone(), call.now);
    let iam = &call.account().iam;
    let Some(role) = iam.roles.values().find(|role| role.arn(&account) == arn) else { return false };
    let seen = iam
        .changed
        .get(&role.name)
        .is_none_or(|changed| now.duration_since(*changed).unsigned_abs() >= iam.propagation);
    let who = Who::Service("config.amazonaws.com");
    let context = [("aws:sourceaccount", account.as_str())];
    let takes = Question { who, action: "sts:AssumeRole", resource: "", context: &context };
    seen && policy::allows(&role.trust, &takes)
}

/// PutConfigurationRecorder: one in a region; what is not said goes back to its default; tags are taken when it is
/// made and ignored afterwards; "the server will reject a request without a defined roleARN".
pub(in crate::sandbox) fn put(
    call: &mut Call<'_>,
    input: &PutConfigurationRecorderInput,
) -> Result<PutConfigurationRecorderOutput, Refusal> {
    let wanted = input.configuration_recorder().ok_or_else(|| invalid("configurationRecorder is missing"))?;
    let name = wanted.name().unwrap_or("default").to_owned();
    if !length_within(&name, 1, 256) || name.starts_with("AWSConfigurationRecorderFor") {
        let message = format!("The configuration recorder name '{name}' is not valid");
        return Err(refuse("InvalidConfigurationRecorderNameException", message));
    }
    let records = records(wanted.recording_group())?;
    let (frequency, overrides) = mode(wanted.recording_mode())?;
    let role_arn = wanted.role_arn().unwrap_or_default().to_owned();
    if !may_take(call, &role_arn) {
        return Err(refuse("InvalidRoleException", "AWS Config cannot assume the role that was provided."));
    }
    let tags = tags(input.tags())?;
    let slot = &mut call.here().config.recorder;
    let before = slot.take();
    if let Some(other) = before.as_ref().filter(|other| other.name != name) {
        let message = format!(
            "Failed to put configuration recorder '{name}' because the maximum number of configuration \
             recorders: 1 is reached."
        );
        *slot = Some(other.clone());
        return Err(refuse("MaxNumberOfConfigurationRecordersExceededException", message));
    }
    let (tags, started, failure) = match before {
        Some(before) => (before.tags, before.started, before.failure),
        None => (tags, None, None),
    };
    *slot = Some(Recorder { name, role_arn, records, frequency, overrides, tags, started, failure });
    Ok(PutConfigurationRecorderOutput::builder().build())
}

/// StartConfigurationRecorder: "you must have created a delivery channel". Starting one that records is no error
/// and changes nothing.
pub(in crate::sandbox) fn start(
    call: &mut Call<'_>,
    input: &StartConfigurationRecorderInput,
) -> Result<StartConfigurationRecorderOutput, Refusal> {
    let now = call.now;
    let has_channel = call.here().config.channel.is_some();
    let recorder = own(call, input.configuration_recorder_name())?;
    if !has_channel {
        let message = "Delivery channel is not available to start configuration recorder.";
        return Err(refuse("NoAvailableDeliveryChannelException", message));
    }
    if recorder.started.is_none() {
        recorder.started = Some(now);
        recorder.failure = None;
    }
    Ok(StartConfigurationRecorderOutput::builder().build())
}

/// StopConfigurationRecorder.
pub(in crate::sandbox) fn stop(
    call: &mut Call<'_>,
    input: &StopConfigurationRecorderInput,
) -> Result<StopConfigurationRecorderOutput, Refusal> {
    own(call, input.configuration_recorder_name())?.started = None;
    Ok(StopConfigurationRecorderOutput::builder().build())
}

const DEFAULT: &str = "default";

fn period(days: i32) -> Result<RetentionConfiguration, Refusal> {
    complete(RetentionConfiguration::builder().name(DEFAULT).retention_period_in_days(days).build())
}

/// DescribeRetentionConfigurations: one named `default`, or none.
pub(in crate::sandbox) fn retention(
    call: &mut Call<'_>,
    input: &DescribeRetentionConfigurationsInput,
) -> Result<DescribeRetentionConfigurationsOutput, Refusal> {
    let kept = call.here().config.retention;
    if let Some(other) = input.retention_configuration_names().iter().find(|name| *name != DEFAULT) {
        let message = format!("Cannot find retention configuration '{other}'.");
        return Err(refuse("NoSuchRetentionConfigurationException", message));
    }
    let told = kept.map(period).transpose()?;
    Ok(DescribeRetentionConfigurationsOutput::builder()
        .set_retention_configurations(Some(told.into_iter().collect()))
        .build())
}

/// PutRetentionConfiguration: 30–2557 days (the model).
pub(in crate::sandbox) fn put_retention(
    call: &mut Call<'_>,
    input: &PutRetentionConfigurationInput,
) -> Result<PutRetentionConfigurationOutput, Refusal> {
    let days =
        input.retention_period_in_days().filter(|days| (30..=2557).contains(days)).ok_or_else(|| {
            refuse("InvalidParameterValueException", "RetentionPeriodInDays must be between 30 and 2557")
        })?;
    call.here().config.retention = Some(days);
    Ok(PutRetentionConfigurationOutput::builder().retention_configuration(period(days)?).build())
}
