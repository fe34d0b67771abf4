//! Standards: what a region offers, what is on, and how it comes to be on.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use aws_sdk_securityhub::operation::batch_disable_standards::{
    BatchDisableStandardsInput, BatchDisableStandardsOutput,
};
use aws_sdk_securityhub::operation::batch_enable_standards::{
    BatchEnableStandardsInput, BatchEnableStandardsOutput,
};
use aws_sdk_securityhub::operation::describe_standards::{DescribeStandardsInput, DescribeStandardsOutput};
use aws_sdk_securityhub::operation::get_enabled_standards::{
    GetEnabledStandardsInput, GetEnabledStandardsOutput,
};
use aws_sdk_securityhub::types::{
    Standard, StandardsControlsUpdatable, StandardsManagedBy, StandardsStatus, StandardsStatusReason,
    StandardsSubscription, StatusReasonCode,
};
use jiff::Timestamp;

use super::super::operation::{Call, Refusal, page};
use super::super::state::RegionState;
use super::catalog::{self, DEFAULTS};
use super::controls::{self, Association};
use super::{SecurityHub, enabled, invalid, may_change};

/// How long a standard is on its way (User Guide, "Enabling a standard": minutes).
pub const ENABLING: Duration = Duration::from_secs(120);
/// How long one that was disabled is still listed.
pub const DISABLING: Duration = Duration::from_secs(60);
/// The largest page, whatever is asked for: smaller than AWS's, so that everybody must page.
const PAGE: usize = 4;

/// A standard that is on, or about to be.
#[derive(Clone, Debug)]
pub struct Subscription {
    /// The ARN of the subscription.
    pub arn: String,
    pub status: Status,
    /// The controls of the standard, by id.
    pub associations: BTreeMap<String, Association>,
}

/// Where a subscription stands (StandardsStatus in the model).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// `PENDING` until then.
    Pending(Timestamp),
    Ready,
    Incomplete(StatusReasonCode),
    Failed(StatusReasonCode),
    /// `DELETING` until then.
    Deleting(Timestamp),
}

/// Does a recorder of AWS Config record here?
pub fn is_recorded(region: &RegionState) -> bool {
    region.config.recorder.as_ref().is_some_and(|recorder| recorder.started.is_some())
}

/// Lets time pass: what was on its way is ready, or incomplete where no recorder records (StatusReasonCode); what
/// was being disabled is gone.
pub fn settle(here: &mut SecurityHub, now: Timestamp, recorded: bool) {
    here.subscriptions.retain(|_, one| !matches!(one.status, Status::Deleting(until) if until <= now));
    for one in here.subscriptions.values_mut() {
        if matches!(one.status, Status::Pending(until) if until <= now) {
            one.status = if recorded {
                Status::Ready
            } else {
                Status::Incomplete(StatusReasonCode::NoAvailableConfigurationRecorder)
            };
        }
    }
}

fn later(now: Timestamp, by: Duration) -> Timestamp {
    now.checked_add(by).unwrap_or(now)
}

/// Puts a standard on its way. One that is enabled again keeps what was said of its controls while it was on.
pub fn subscribe(here: &mut SecurityHub, standard: &str, region: &str, account: &str, now: Timestamp) {
    let path = catalog::path(standard);
    let status = Status::Pending(later(now, ENABLING));
    let associations = controls::all_enabled(standard, now);
    let arn = format!("arn:aws:securityhub:{region}:{account}:subscription/{path}");
    here.subscriptions
        .entry(standard.to_owned())
        .and_modify(|one| one.status = status.clone())
        .or_insert(Subscription { arn, status, associations });
}

/// What EnableSecurityHub turns on unless it is told not to.
pub fn enable_defaults(here: &mut SecurityHub, region: &str, account: &str, now: Timestamp) {
    for path in DEFAULTS {
        let arn = catalog::arn(path, region);
        subscribe(here, &arn, region, account, now);
    }
}

/// API reference, DescribeStandards: pages of 1 to 100.
pub fn describe(
    call: &mut Call<'_>,
    input: &DescribeStandardsInput,
) -> Result<DescribeStandardsOutput, Refusal> {
    let region = call.region.to_owned();
    let here = enabled(call)?;
    let size = page_size(input.max_results())?;
    let offered = catalog::offered(&region, here.control_tower);
    let (shown, next) = page(&offered, input.next_token(), size).ok_or_else(|| invalid("NextToken"))?;
    let standards = shown
        .into_iter()
        .map(|one| {
            let product = if one.control_tower { "Control Tower" } else { "Security Hub" };
            Standard::builder()
                .standards_arn(one.arn)
                .name(one.name)
                .description(one.name)
                .enabled_by_default(DEFAULTS.contains(&one.path))
                .standards_managed_by(StandardsManagedBy::builder().company("AWS").product(product).build())
                .build()
        })
        .collect();
    Ok(DescribeStandardsOutput::builder().set_standards(Some(standards)).set_next_token(next).build())
}

pub(super) fn page_size(wanted: Option<i32>) -> Result<usize, Refusal> {
    match wanted.map_or(Ok(PAGE), usize::try_from) {
        Ok(size @ 1..=100) => Ok(size.min(PAGE)),
        _ => Err(invalid("MaxResults must be between 1 and 100")),
    }
}

fn told(standard: &str, one: &Subscription) -> StandardsSubscription {
    let reason =
        |code: &StatusReasonCode| StandardsStatusReason::builder().status_reason_code(code.clone()).build();
    let (status, reason) = match &one.status {
        Status::Pending(_) => (StandardsStatus::Pending, None),
        Status::Ready => (StandardsStatus::Ready, None),
        Status::Incomplete(code) => (StandardsStatus::Incomplete, Some(reason(code))),
        Status::Failed(code) => (StandardsStatus::Failed, Some(reason(code))),
        Status::Deleting(_) => (StandardsStatus::Deleting, None),
    };
    let updatable = if one.may_be_updated() {
        StandardsControlsUpdatable::ReadyForUpdates
    } else {
        StandardsControlsUpdatable::NotReadyForUpdates
    };
    StandardsSubscription::builder()
        .standards_subscription_arn(&one.arn)
        .standards_arn(standard)
        .set_standards_input(Some(HashMap::new()))
        .standards_status(status)
        .standards_controls_updatable(updatable)
        .set_standards_status_reason(reason)
        .build()
}

impl Subscription {
    /// Whether its controls may be read and changed (StandardsControlsUpdatable).
    pub fn may_be_updated(&self) -> bool {
        matches!(self.status, Status::Ready | Status::Incomplete(_))
    }
}

/// API reference, GetEnabledStandards: 1 to 25 subscriptions may be named, pages of 1 to 100.
pub fn get_enabled(
    call: &mut Call<'_>,
    input: &GetEnabledStandardsInput,
) -> Result<GetEnabledStandardsOutput, Refusal> {
    let here = enabled(call)?;
    let size = page_size(input.max_results())?;
    let named = input.standards_subscription_arns();
    if input.standards_subscription_arns.is_some() && !(1..=25).contains(&named.len()) {
        return Err(invalid("StandardsSubscriptionArns must have between 1 and 25 items"));
    }
    let all: Vec<StandardsSubscription> = here
        .subscriptions
        .iter()
        .filter(|(_, one)| named.is_empty() || named.contains(&one.arn))
        .map(|(standard, one)| told(standard, one))
        .collect();
    let (shown, next) = page(&all, input.next_token(), size).ok_or_else(|| invalid("NextToken"))?;
    Ok(GetEnabledStandardsOutput::builder()
        .set_standards_subscriptions(Some(shown))
        .set_next_token(next)
        .build())
}

/// API reference, BatchEnableStandards: 1 to 25 standards that the region offers, none of which a service manages;
/// enabling happens afterwards. One that is on already is answered as it is.
pub fn enable(
    call: &mut Call<'_>,
    input: &BatchEnableStandardsInput,
) -> Result<BatchEnableStandardsOutput, Refusal> {
    let (now, region, account) = (call.now, call.region.to_owned(), call.caller.account.clone());
    let here = may_change(call)?;
    let wanted = input.standards_subscription_requests();
    if !(1..=25).contains(&wanted.len()) {
        return Err(invalid("StandardsSubscriptionRequests must have between 1 and 25 items"));
    }
    let offered = catalog::offered(&region, false);
    let mut answered = Vec::new();
    for one in wanted {
        let arn = one.standards_arn().unwrap_or_default();
        if !offered.iter().any(|offered| offered.arn == arn) {
            return Err(invalid(format!(
                "Invalid StandardsSubscriptionRequest(s): [{{\"StandardsArn\":\"{arn}\"}}]"
            )));
        }
        answered.push(arn.to_owned());
    }
    for arn in &answered {
        match here.subscriptions.get(arn).map(|one| &one.status) {
            Some(Status::Deleting(_)) => {
                return Err(invalid(format!(
                    "StandardsSubscription(s) in state DELETING, please try later: [\"{arn}\"]"
                )));
            }
            Some(Status::Ready | Status::Pending(_)) => {}
            None | Some(Status::Incomplete(_) | Status::Failed(_)) => {
                subscribe(here, arn, &region, &account, now);
            }
        }
    }
    let told = answered.iter().filter_map(|arn| Some(told(arn, here.subscriptions.get(arn)?))).collect();
    Ok(BatchEnableStandardsOutput::builder().set_standards_subscriptions(Some(told)).build())
}

/// API reference, BatchDisableStandards: 1 to 25 subscriptions. One that is PENDING cannot be disabled ("in state
/// PENDING, please try later", aws-control-tower-securityhub-enabler#18).
pub fn disable(
    call: &mut Call<'_>,
    input: &BatchDisableStandardsInput,
) -> Result<BatchDisableStandardsOutput, Refusal> {
    let now = call.now;
    let here = may_change(call)?;
    let wanted = input.standards_subscription_arns();
    if !(1..=25).contains(&wanted.len()) {
        return Err(invalid("StandardsSubscriptionArns must have between 1 and 25 items"));
    }
    let mut standards = Vec::new();
    for arn in wanted {
        let found = here.subscriptions.iter().find(|(_, one)| one.arn == *arn);
        let (standard, one) =
            found.ok_or_else(|| invalid(format!("Invalid StandardsSubscriptionArn: {arn}")))?;
        if matches!(one.status, Status::Pending(_)) {
            return Err(invalid(format!(
                "StandardsSubscription(s) in state PENDING, please try later: [\"{arn}\"]"
            )));
        }
        standards.push(standard.clone());
    }
    for standard in &standards {
        if let Some(one) = here.subscriptions.get_mut(standard) {
            one.status = Status::Deleting(later(now, DISABLING));
        }
    }
    let told =
        standards.iter().filter_map(|standard| Some(told(standard, here.subscriptions.get(standard)?)));
    Ok(BatchDisableStandardsOutput::builder().set_standards_subscriptions(Some(told.collect())).build())
}
