//! Automatic rotation of key material.

use aws_sdk_kms::operation::disable_key_rotation::{DisableKeyRotationInput, DisableKeyRotationOutput};
use aws_sdk_kms::operation::enable_key_rotation::{EnableKeyRotationInput, EnableKeyRotationOutput};
use aws_sdk_kms::operation::get_key_rotation_status::{
    GetKeyRotationStatusInput, GetKeyRotationStatusOutput,
};
use aws_sdk_kms::types::{KeySpec, OriginType};

use super::super::operation::{Call, Refusal};
use super::{Key, Names, invalid, key, key_id};

/// Symmetric keys with material from KMS are rotated, and no others.
fn rotated(key: &Key) -> Result<(), Refusal> {
    if key.spec == KeySpec::SymmetricDefault && key.origin == OriginType::AwsKms {
        return Ok(());
    }
    Err(Refusal::new(400, "UnsupportedOperationException", "This key does not support automatic rotation."))
}

/// What turning rotation on and off needs: neither a disabled key nor one that is pending deletion.
fn changeable(key: &Key) -> Result<(), Refusal> {
    rotated(key)?;
    key.not_pending_deletion()?;
    if key.enabled { Ok(()) } else { Err(Refusal::new(400, "DisabledException", "The key is disabled.")) }
}

/// EnableKeyRotation: 90–2560 days, 365 when not said.
pub(super) fn enable_key_rotation(
    call: &mut Call<'_>,
    input: &EnableKeyRotationInput,
) -> Result<EnableKeyRotationOutput, Refusal> {
    let days = input.rotation_period_in_days().unwrap_or(365);
    if !(90..=2560).contains(&days) {
        return Err(invalid("rotationPeriodInDays"));
    }
    let key = key(call, input.key_id(), Names::Key)?;
    changeable(key)?;
    key.rotation = Some(days);
    Ok(EnableKeyRotationOutput::builder().build())
}

/// DisableKeyRotation.
pub(super) fn disable_key_rotation(
    call: &mut Call<'_>,
    input: &DisableKeyRotationInput,
) -> Result<DisableKeyRotationOutput, Refusal> {
    let key = key(call, input.key_id(), Names::Key)?;
    changeable(key)?;
    key.rotation = None;
    Ok(DisableKeyRotationOutput::builder().build())
}

/// GetKeyRotationStatus: the period stands there only where rotation is on. "While a KMS key is pending
/// deletion, its key rotation status is false."
pub(super) fn get_key_rotation_status(
    call: &mut Call<'_>,
    input: &GetKeyRotationStatusInput,
) -> Result<GetKeyRotationStatusOutput, Refusal> {
    let id = key_id(call, input.key_id(), Names::Key)?;
    let key = key(call, Some(&id), Names::Key)?;
    rotated(key)?;
    let rotation = key.rotation.filter(|_| key.deletion.is_none());
    Ok(GetKeyRotationStatusOutput::builder()
        .key_rotation_enabled(rotation.is_some())
        .set_rotation_period_in_days(rotation)
        .set_key_id(rotation.map(|_| id))
        .build())
}
