//! Amazon EC2: what an account has set for all of its volumes, snapshots, images and instances in a region.
//!
//! Source: Amazon EC2 API Reference, the operation named at each handler.

mod access;
mod ebs;
mod listing;
mod metadata;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_sdk_ec2::types::{ManagedBy, SnapshotBlockPublicAccessState};
use jiff::Timestamp;

pub use metadata::Metadata;

use super::operation::{Operations, Protocol, Refusal, Service};

/// EC2 API Reference, "Error codes": `RequestLimitExceeded` (503) and `InternalError` (500).
static SERVICE: Service = Service {
    id: "EC2",
    prefix: "ec2",
    protocol: Protocol::Ec2,
    throttled: ("RequestLimitExceeded", 503),
    broken: ("InternalError", 500),
};

pub(super) fn operations() -> Operations {
    Operations::of(&SERVICE)
        .on("GetEbsEncryptionByDefault", ebs::get_encryption)
        .on("EnableEbsEncryptionByDefault", ebs::enable_encryption)
        .on("DisableEbsEncryptionByDefault", ebs::disable_encryption)
        .on("GetEbsDefaultKmsKeyId", ebs::get_key)
        .on("ModifyEbsDefaultKmsKeyId", ebs::modify_key)
        .on("ResetEbsDefaultKmsKeyId", ebs::reset_key)
        .on("GetSnapshotBlockPublicAccessState", access::get_snapshots)
        .on("EnableSnapshotBlockPublicAccess", access::enable_snapshots)
        .on("DisableSnapshotBlockPublicAccess", access::disable_snapshots)
        .on("GetImageBlockPublicAccessState", access::get_images)
        .on("EnableImageBlockPublicAccess", access::enable_images)
        .on("DisableImageBlockPublicAccess", access::disable_images)
        .on("GetSerialConsoleAccessStatus", access::get_serial_console)
        .on("EnableSerialConsoleAccess", access::enable_serial_console)
        .on("DisableSerialConsoleAccess", access::disable_serial_console)
        .on("GetInstanceMetadataDefaults", metadata::get)
        .on("ModifyInstanceMetadataDefaults", metadata::modify)
        .on("DescribeSnapshots", listing::describe_snapshots)
        .on("DescribeImages", listing::describe_images)
}

/// What one account has set in one region.
#[derive(Clone, Debug)]
pub struct Ec2 {
    pub ebs_encryption: bool,
    /// The id of the key that was chosen; `None` is the key that AWS manages.
    pub ebs_key: Option<String>,
    pub snapshot_access: SnapshotBlockPublicAccessState,
    /// Public sharing of images is blocked.
    pub images_blocked: bool,
    /// When it was blocked.
    pub images_blocked_at: Option<Timestamp>,
    /// How long AWS takes to block it: up to ten minutes.
    pub images_take: Duration,
    pub serial_console: bool,
    pub metadata: Metadata,
    /// What a declarative policy of the organisation sets.
    pub by_policy: BTreeSet<Attribute>,
    /// By id: is it shared with everybody?
    pub snapshots: BTreeMap<String, bool>,
    /// By id: is it shared with everybody?
    pub images: BTreeMap<String, bool>,
}

/// What a declarative policy can set (Organizations User Guide, "Declarative policy syntax and examples").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Attribute {
    SnapshotAccess,
    ImageAccess,
    SerialConsole,
    InstanceMetadata,
}

impl Default for Ec2 {
    /// A new account. Encryption by default is off (EBS User Guide, "Enable Amazon EBS encryption by
    /// default"); snapshots can be shared (same guide, "Block public access for snapshots"); images of new
    /// accounts cannot (EC2 User Guide, "Default settings for block public access for AMIs"); the serial console
    /// is closed (API reference, GetSerialConsoleAccessStatus); nothing is said of instance metadata.
    fn default() -> Self {
        Self {
            ebs_encryption: false,
            ebs_key: None,
            snapshot_access: SnapshotBlockPublicAccessState::Unblocked,
            images_blocked: true,
            images_blocked_at: None,
            images_take: Duration::ZERO,
            serial_console: false,
            metadata: Metadata::default(),
            by_policy: BTreeSet::new(),
            snapshots: BTreeMap::new(),
            images: BTreeMap::new(),
        }
    }
}

impl Ec2 {
    fn managed_by(&self, attribute: Attribute) -> ManagedBy {
        if self.by_policy.contains(&attribute) { ManagedBy::DeclarativePolicy } else { ManagedBy::Account }
    }

    /// Refuses what a declarative policy sets: "can't be modified by the account". The code is this world's, the
    /// API reference gives none.
    fn modifiable(&self, attribute: Attribute) -> Result<(), Refusal> {
        if !self.by_policy.contains(&attribute) {
            return Ok(());
        }
        let text = "This functionality has been disabled by a Declarative Policy.";
        Err(Refusal::new(403, "DeclarativePolicyViolation", text))
    }
}

fn missing(parameter: &str) -> Refusal {
    Refusal::new(400, "MissingParameter", format!("The request must contain the parameter {parameter}"))
}

fn invalid(value: &str, parameter: &str) -> Refusal {
    let text = format!("Value ({value}) for parameter {parameter} is invalid.");
    Refusal::new(400, "InvalidParameterValue", text)
}

#[cfg(test)]
mod tests;
