//! Which regions answer, which are off, and which an organisation's policy closes.

use futures::stream::{self, StreamExt as _};

use super::Verdict;
use crate::aws::{Reader, Session, fault};
use crate::desired::DesiredAccount;
use crate::fault::{Fault, FaultKind};
use crate::observe::Fleet;
use crate::place::Region;

/// Regions of one account that are asked at once.
const REGIONS_AT_ONCE: usize = 16;

/// What services say of a region that is off for the account (AWS General Reference, "Common errors").
const OFF: [&str; 4] =
    ["UnrecognizedClientException", "InvalidClientTokenId", "AuthFailure", "OptInRequired"];

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegionHealth {
    pub region: Region,
    pub state: RegionState,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegionState {
    /// All probes were answered.
    Open,
    /// Some were; what the others said.
    Partly(Vec<Fault>),
    /// The region is not enabled for the account.
    Off(Fault),
    /// A policy of the organisation denies all that was asked.
    Closed(Vec<Fault>),
    /// None was answered, for other reasons.
    Unknown(Vec<Fault>),
}

impl RegionState {
    pub fn verdict(&self) -> Verdict {
        let denied =
            |fault: &Fault| matches!(fault.kind, FaultKind::Denied | FaultKind::DeniedByOrganization);
        match self {
            Self::Open => Verdict::Fine,
            Self::Off(_) | Self::Closed(_) => Verdict::Wrong,
            Self::Partly(faults) if faults.iter().all(denied) => Verdict::Wrong,
            Self::Partly(_) | Self::Unknown(_) => Verdict::Unknown,
        }
    }

    pub fn faults(&self) -> &[Fault] {
        match self {
            Self::Open => &[],
            Self::Off(fault) => std::slice::from_ref(fault),
            Self::Partly(faults) | Self::Closed(faults) | Self::Unknown(faults) => faults,
        }
    }
}

/// Two services are asked in each region that is managed and at home: one that an account's own policy may deny does
/// not close a region.
pub(super) async fn examine(
    fleet: &Fleet,
    account: &DesiredAccount,
    session: &Session,
) -> Result<Vec<RegionHealth>, Fault> {
    let mut regions = fleet.managed_regions(account, session).await?;
    if !regions.contains(&account.home) {
        regions.push(account.home.clone());
    }
    regions.sort();
    let asked = stream::iter(regions).map(|region| async {
        let reader = fleet.aws.engine_reader(session, &region);
        let state = state(reader.run(probes(&reader)).await);
        RegionHealth { region, state }
    });
    Ok(asked.buffered(REGIONS_AT_ONCE).collect().await)
}

async fn probes(aws: &Reader) -> [Result<(), Fault>; 2] {
    let (config, guardduty) = (aws.config(), aws.guardduty());
    let (recorder, detectors) = futures::join!(
        config.describe_configuration_recorder_status().send(),
        guardduty.list_detectors().send()
    );
    [
        recorder.map(drop).map_err(fault("config:DescribeConfigurationRecorderStatus")),
        detectors.map(drop).map_err(fault("guardduty:ListDetectors")),
    ]
}

pub(super) fn state(probes: [Result<(), Fault>; 2]) -> RegionState {
    let asked = probes.len();
    let faults: Vec<Fault> = probes.into_iter().filter_map(Result::err).collect();
    if faults.is_empty() {
        return RegionState::Open;
    }
    if faults.len() < asked {
        return RegionState::Partly(faults);
    }
    if let Some(off) = faults.iter().find(|fault| OFF.contains(&fault.code.as_str())) {
        return RegionState::Off(off.clone());
    }
    if faults.iter().all(|fault| fault.kind == FaultKind::DeniedByOrganization) {
        return RegionState::Closed(faults);
    }
    RegionState::Unknown(faults)
}
