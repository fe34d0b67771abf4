//! The writes: each sets one thing of the region, and the same one again changes nothing.

use std::fmt;

use aws_sdk_ec2::types::{
    DefaultHttpTokensEnforcedState, DefaultInstanceMetadataEndpointState, DefaultInstanceMetadataTagsState,
    ImageBlockPublicAccessEnabledState, MetadataDefaultHttpTokensState, SnapshotBlockPublicAccessState,
};
use serde::{Deserialize, Serialize};

use super::spec::{EbsKey, HopLimit, ImageAccess, MetadataSpec, SnapshotAccess};
use crate::aws::{Writer, fault};
use crate::control::{AwsWrite, Call, Known};
use crate::fault::{Fault, FaultKind};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Write {
    EbsEncryption(bool),
    EbsKey(EbsKey),
    SnapshotAccess(SnapshotAccess),
    ImageAccess(ImageAccess),
    /// What is not in it stays as it is.
    InstanceMetadata(MetadataSpec),
    SerialConsole(bool),
}

pub const ENABLE_ENCRYPTION: Call = Call::new("ec2:EnableEbsEncryptionByDefault");
pub const DISABLE_ENCRYPTION: Call = Call::new("ec2:DisableEbsEncryptionByDefault");
pub const MODIFY_KEY: Call = Call::new("ec2:ModifyEbsDefaultKmsKeyId");
pub const RESET_KEY: Call = Call::new("ec2:ResetEbsDefaultKmsKeyId");
pub const ENABLE_SNAPSHOTS: Call = Call::new("ec2:EnableSnapshotBlockPublicAccess");
pub const DISABLE_SNAPSHOTS: Call = Call::new("ec2:DisableSnapshotBlockPublicAccess");
/// "The API can take up to 10 minutes to configure this setting. During this time […] the response will be
/// unblocked" (API reference, EnableImageBlockPublicAccess). The way back is given as long.
pub const ENABLE_IMAGES: Call = Call::new("ec2:EnableImageBlockPublicAccess").shows_within(600);
pub const DISABLE_IMAGES: Call = Call::new("ec2:DisableImageBlockPublicAccess").shows_within(600);
pub const MODIFY_METADATA: Call = Call::new("ec2:ModifyInstanceMetadataDefaults");
pub const ENABLE_CONSOLE: Call = Call::new("ec2:EnableSerialConsoleAccess");
pub const DISABLE_CONSOLE: Call = Call::new("ec2:DisableSerialConsoleAccess");

impl AwsWrite for Write {
    fn call(&self) -> &'static Call {
        match self {
            Self::EbsEncryption(true) => const { &ENABLE_ENCRYPTION },
            Self::EbsEncryption(false) => const { &DISABLE_ENCRYPTION },
            Self::EbsKey(EbsKey::Alias(_)) => const { &MODIFY_KEY },
            Self::EbsKey(EbsKey::AwsManaged) => const { &RESET_KEY },
            Self::SnapshotAccess(SnapshotAccess::Unblocked) => const { &DISABLE_SNAPSHOTS },
            Self::SnapshotAccess(_) => const { &ENABLE_SNAPSHOTS },
            Self::ImageAccess(ImageAccess::Unblocked) => const { &DISABLE_IMAGES },
            Self::ImageAccess(_) => const { &ENABLE_IMAGES },
            Self::InstanceMetadata(_) => const { &MODIFY_METADATA },
            Self::SerialConsole(true) => const { &ENABLE_CONSOLE },
            Self::SerialConsole(false) => const { &DISABLE_CONSOLE },
        }
    }
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EbsEncryption(true) => f.write_str("encrypt new volumes by default"),
            Self::EbsEncryption(false) => f.write_str("no longer encrypt new volumes by default"),
            Self::EbsKey(EbsKey::Alias(alias)) => write!(f, "encrypt new volumes with key {alias}"),
            Self::EbsKey(EbsKey::AwsManaged) => {
                f.write_str("encrypt new volumes with the key that AWS manages")
            }
            Self::SnapshotAccess(access) => write!(f, "set public sharing of snapshots to {}", access.word()),
            Self::ImageAccess(access) => write!(f, "set public sharing of images to {}", access.word()),
            Self::InstanceMetadata(_) => f.write_str("set the defaults of instance metadata"),
            Self::SerialConsole(true) => f.write_str("open the serial console"),
            Self::SerialConsole(false) => f.write_str("close the serial console"),
        }
    }
}

impl Write {
    pub async fn send(&self, aws: &Writer, known: &Known) -> Result<(), Fault> {
        let ec2 = aws.ec2();
        let operation = self.call().operation;
        match self {
            Self::EbsEncryption(true) => {
                ec2.enable_ebs_encryption_by_default().send().await.map_err(fault(operation))?;
            }
            Self::EbsEncryption(false) => {
                ec2.disable_ebs_encryption_by_default().send().await.map_err(fault(operation))?;
            }
            Self::EbsKey(key @ EbsKey::Alias(alias)) => {
                // By its ARN: EC2 checks a name only after it has answered.
                let thing = super::plan::key(&aws.scope, key);
                let arn = thing.as_ref().and_then(|thing| known.arn(thing)).ok_or_else(|| {
                    Fault::local(FaultKind::NotFound, operation, format!("key {alias} is not there"))
                })?;
                let call = ec2.modify_ebs_default_kms_key_id().kms_key_id(arn);
                call.send().await.map_err(fault(operation))?;
            }
            Self::EbsKey(EbsKey::AwsManaged) => {
                ec2.reset_ebs_default_kms_key_id().send().await.map_err(fault(operation))?;
            }
            Self::SnapshotAccess(SnapshotAccess::Unblocked) => {
                ec2.disable_snapshot_block_public_access().send().await.map_err(fault(operation))?;
            }
            Self::SnapshotAccess(access) => {
                let state = SnapshotBlockPublicAccessState::from(access.word());
                let call = ec2.enable_snapshot_block_public_access().state(state);
                call.send().await.map_err(fault(operation))?;
            }
            Self::ImageAccess(ImageAccess::Unblocked) => {
                ec2.disable_image_block_public_access().send().await.map_err(fault(operation))?;
            }
            Self::ImageAccess(access) => {
                let state = ImageBlockPublicAccessEnabledState::from(access.word());
                let call = ec2.enable_image_block_public_access().image_block_public_access_state(state);
                call.send().await.map_err(fault(operation))?;
            }
            Self::InstanceMetadata(settings) => {
                let endpoint = settings.endpoint.map(|word| word.word());
                let tags = settings.instance_tags.map(|word| word.word());
                let enforced = settings.tokens_enforced.map(|word| word.word());
                let tokens = settings.tokens.map(|word| word.word());
                ec2.modify_instance_metadata_defaults()
                    .set_http_tokens(tokens.map(MetadataDefaultHttpTokensState::from))
                    .set_http_put_response_hop_limit(settings.hop_limit.map(HopLimit::number))
                    .set_http_endpoint(endpoint.map(DefaultInstanceMetadataEndpointState::from))
                    .set_instance_metadata_tags(tags.map(DefaultInstanceMetadataTagsState::from))
                    .set_http_tokens_enforced(enforced.map(DefaultHttpTokensEnforcedState::from))
                    .send()
                    .await
                    .map_err(fault(operation))?;
            }
            Self::SerialConsole(true) => {
                ec2.enable_serial_console_access().send().await.map_err(fault(operation))?;
            }
            Self::SerialConsole(false) => {
                ec2.disable_serial_console_access().send().await.map_err(fault(operation))?;
            }
        }
        Ok(())
    }
}
