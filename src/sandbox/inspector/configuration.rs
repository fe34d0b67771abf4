//! Settings of scans.

use std::time::Duration;

use aws_sdk_inspector2::operation::get_configuration::{GetConfigurationInput, GetConfigurationOutput};
use aws_sdk_inspector2::operation::update_configuration::{
    UpdateConfigurationInput, UpdateConfigurationOutput,
};
use aws_sdk_inspector2::types::{
    Ec2ConfigurationState, Ec2ScanMode, Ec2ScanModeState, Ec2ScanModeStatus, EcrConfigurationState,
    EcrPullDateRescanDuration, EcrPullDateRescanMode, EcrRescanDuration, EcrRescanDurationState,
    EcrRescanDurationStatus,
};
use jiff::Timestamp;

use super::super::operation::{Call, Refusal, date_time};
use super::{invalid, not_a_member};

/// How images and instances are scanned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Configuration {
    pub push: EcrRescanDuration,
    pub pull: EcrPullDateRescanDuration,
    pub pull_mode: EcrPullDateRescanMode,
    pub scan_mode: Ec2ScanMode,
    /// When each was last changed.
    pub ecr_changed: Option<Timestamp>,
    pub ec2_changed: Option<Timestamp>,
}

impl Default for Configuration {
    /// What an account has that turned Inspector on since 2025 (User Guide, "Configuring the Amazon ECR re-scan
    /// duration": 14 days each). New accounts scan instances in hybrid mode; here they have what older ones have.
    fn default() -> Self {
        Self {
            push: EcrRescanDuration::Days14,
            pull: EcrPullDateRescanDuration::Days14,
            pull_mode: EcrPullDateRescanMode::LastInUseAt,
            scan_mode: Ec2ScanMode::Ec2SsmAgentBased,
            ecr_changed: None,
            ec2_changed: None,
        }
    }
}

/// How long a change shows as `PENDING`.
const PENDING: Duration = Duration::from_secs(20);

fn is_pending(changed: Option<Timestamp>, now: Timestamp) -> bool {
    changed.is_some_and(|at| now < at + PENDING)
}

/// An account where Inspector is off has no settings: this world's own strictness.
fn on(call: &mut Call<'_>) -> Result<(), Refusal> {
    if call.here().inspector.is_on() {
        return Ok(());
    }
    Err(Refusal::new(404, "ResourceNotFoundException", "Inspector is not enabled in this account."))
}

/// GetConfiguration: of the caller's own account.
pub(super) fn get(
    call: &mut Call<'_>,
    input: &GetConfigurationInput,
) -> Result<GetConfigurationOutput, Refusal> {
    if input.account_id().is_some() {
        return Err(invalid("accountId"));
    }
    on(call)?;
    let now = call.now;
    let live = &call.here().inspector.configuration;
    let ecr = EcrRescanDurationState::builder()
        .rescan_duration(live.push.clone())
        .pull_date_rescan_duration(live.pull.clone())
        .pull_date_rescan_mode(live.pull_mode.clone())
        .status(if is_pending(live.ecr_changed, now) {
            EcrRescanDurationStatus::Pending
        } else {
            EcrRescanDurationStatus::Success
        })
        .set_updated_at(live.ecr_changed.map(date_time))
        .build();
    let ec2 = Ec2ScanModeState::builder()
        .scan_mode(live.scan_mode.clone())
        .scan_mode_status(if is_pending(live.ec2_changed, now) {
            Ec2ScanModeStatus::Pending
        } else {
            Ec2ScanModeStatus::Success
        })
        .build();
    Ok(GetConfigurationOutput::builder()
        .ecr_configuration(EcrConfigurationState::builder().rescan_duration_state(ecr).build())
        .ec2_configuration(Ec2ConfigurationState::builder().scan_mode_state(ec2).build())
        .build())
}

/// UpdateConfiguration: "member accounts cannot call this operation". What is not said of a pull date stays.
pub(super) fn update(
    call: &mut Call<'_>,
    input: &UpdateConfigurationInput,
) -> Result<UpdateConfigurationOutput, Refusal> {
    if input.account_id().is_some()
        || input.update_configuration_inheritance().is_some()
        || input.ami_configuration().is_some()
        || (input.ecr_configuration().is_none() && input.ec2_configuration().is_none())
    {
        return Err(invalid("the request"));
    }
    not_a_member(call)?;
    // The model has no 404 for this operation.
    on(call).map_err(|refusal| Refusal::new(409, "ConflictException", refusal.message))?;
    let now = call.now;
    let mut live = call.here().inspector.configuration.clone();
    if let Some(ecr) = input.ecr_configuration() {
        if !EcrRescanDuration::values().contains(&ecr.rescan_duration().as_str()) {
            return Err(invalid("rescanDuration"));
        }
        live.push = ecr.rescan_duration().clone();
        if let Some(pull) = ecr.pull_date_rescan_duration() {
            if !EcrPullDateRescanDuration::values().contains(&pull.as_str()) {
                return Err(invalid("pullDateRescanDuration"));
            }
            live.pull = pull.clone();
        }
        if let Some(mode) = ecr.pull_date_rescan_mode() {
            if !EcrPullDateRescanMode::values().contains(&mode.as_str()) {
                return Err(invalid("pullDateRescanMode"));
            }
            live.pull_mode = mode.clone();
        }
        live.ecr_changed = Some(now);
    }
    if let Some(ec2) = input.ec2_configuration() {
        if !Ec2ScanMode::values().contains(&ec2.scan_mode().as_str()) {
            return Err(invalid("scanMode"));
        }
        live.scan_mode = ec2.scan_mode().clone();
        live.ec2_changed = Some(now);
    }
    call.here().inspector.configuration = live;
    Ok(UpdateConfigurationOutput::builder().build())
}
