//! Public sharing of snapshots and images, and the serial console.

use aws_sdk_ec2::operation::disable_image_block_public_access::{
    DisableImageBlockPublicAccessInput, DisableImageBlockPublicAccessOutput,
};
use aws_sdk_ec2::operation::disable_serial_console_access::{
    DisableSerialConsoleAccessInput, DisableSerialConsoleAccessOutput,
};
use aws_sdk_ec2::operation::disable_snapshot_block_public_access::{
    DisableSnapshotBlockPublicAccessInput, DisableSnapshotBlockPublicAccessOutput,
};
use aws_sdk_ec2::operation::enable_image_block_public_access::{
    EnableImageBlockPublicAccessInput, EnableImageBlockPublicAccessOutput,
};
use aws_sdk_ec2::operation::enable_serial_console_access::{
    EnableSerialConsoleAccessInput, EnableSerialConsoleAccessOutput,
};
use aws_sdk_ec2::operation::enable_snapshot_block_public_access::{
    EnableSnapshotBlockPublicAccessInput, EnableSnapshotBlockPublicAccessOutput,
};
use aws_sdk_ec2::operation::get_image_block_public_access_state::{
    GetImageBlockPublicAccessStateInput, GetImageBlockPublicAccessStateOutput,
};
use aws_sdk_ec2::operation::get_serial_console_access_status::{
    GetSerialConsoleAccessStatusInput, GetSerialConsoleAccessStatusOutput,
};
use aws_sdk_ec2::operation::get_snapshot_block_public_access_state::{
    GetSnapshotBlockPublicAccessStateInput, GetSnapshotBlockPublicAccessStateOutput,
};
use aws_sdk_ec2::types::{
    ImageBlockPublicAccessDisabledState, ImageBlockPublicAccessEnabledState, SnapshotBlockPublicAccessState,
};

use super::super::operation::{Call, Refusal};
use super::{Attribute, invalid, missing};

/// GetSnapshotBlockPublicAccessState.
pub(super) fn get_snapshots(
    call: &mut Call<'_>,
    _: &GetSnapshotBlockPublicAccessStateInput,
) -> Result<GetSnapshotBlockPublicAccessStateOutput, Refusal> {
    let ec2 = &call.here().ec2;
    Ok(GetSnapshotBlockPublicAccessStateOutput::builder()
        .state(ec2.snapshot_access.clone())
        .managed_by(ec2.managed_by(Attribute::SnapshotAccess))
        .build())
}

/// EnableSnapshotBlockPublicAccess: "enables or modifies"; `unblocked` is no value of it. Permissions of single
/// snapshots stay as they are.
pub(super) fn enable_snapshots(
    call: &mut Call<'_>,
    input: &EnableSnapshotBlockPublicAccessInput,
) -> Result<EnableSnapshotBlockPublicAccessOutput, Refusal> {
    use SnapshotBlockPublicAccessState::{BlockAllSharing, BlockNewSharing};
    let state = input.state().ok_or_else(|| missing("State"))?;
    if !matches!(state, BlockAllSharing | BlockNewSharing) {
        return Err(invalid(state.as_str(), "State"));
    }
    let ec2 = &mut call.here().ec2;
    ec2.modifiable(Attribute::SnapshotAccess)?;
    ec2.snapshot_access = state.clone();
    Ok(EnableSnapshotBlockPublicAccessOutput::builder().state(state.clone()).build())
}

/// DisableSnapshotBlockPublicAccess.
pub(super) fn disable_snapshots(
    call: &mut Call<'_>,
    _: &DisableSnapshotBlockPublicAccessInput,
) -> Result<DisableSnapshotBlockPublicAccessOutput, Refusal> {
    let ec2 = &mut call.here().ec2;
    ec2.modifiable(Attribute::SnapshotAccess)?;
    ec2.snapshot_access = SnapshotBlockPublicAccessState::Unblocked;
    Ok(DisableSnapshotBlockPublicAccessOutput::builder().state(ec2.snapshot_access.clone()).build())
}

/// GetImageBlockPublicAccessState: `unblocked` until blocking, which "can take up to 10 minutes", is done
/// (EnableImageBlockPublicAccess).
pub(super) fn get_images(
    call: &mut Call<'_>,
    _: &GetImageBlockPublicAccessStateInput,
) -> Result<GetImageBlockPublicAccessStateOutput, Refusal> {
    let now = call.now;
    let ec2 = &call.here().ec2;
    let done = ec2.images_blocked_at.is_none_or(|at| at + ec2.images_take <= now);
    let state = if ec2.images_blocked && done { "block-new-sharing" } else { "unblocked" };
    Ok(GetImageBlockPublicAccessStateOutput::builder()
        .image_block_public_access_state(state)
        .managed_by(ec2.managed_by(Attribute::ImageAccess))
        .build())
}

/// EnableImageBlockPublicAccess: its one value is `block-new-sharing`. Images that are public stay public.
pub(super) fn enable_images(
    call: &mut Call<'_>,
    input: &EnableImageBlockPublicAccessInput,
) -> Result<EnableImageBlockPublicAccessOutput, Refusal> {
    let parameter = "ImageBlockPublicAccessState";
    let state = input.image_block_public_access_state().ok_or_else(|| missing(parameter))?;
    if *state != ImageBlockPublicAccessEnabledState::BlockNewSharing {
        return Err(invalid(state.as_str(), parameter));
    }
    let now = call.now;
    let ec2 = &mut call.here().ec2;
    ec2.modifiable(Attribute::ImageAccess)?;
    if !ec2.images_blocked {
        ec2.images_blocked = true;
        ec2.images_blocked_at = Some(now);
    }
    Ok(EnableImageBlockPublicAccessOutput::builder().image_block_public_access_state(state.clone()).build())
}

/// DisableImageBlockPublicAccess.
pub(super) fn disable_images(
    call: &mut Call<'_>,
    _: &DisableImageBlockPublicAccessInput,
) -> Result<DisableImageBlockPublicAccessOutput, Refusal> {
    let ec2 = &mut call.here().ec2;
    ec2.modifiable(Attribute::ImageAccess)?;
    ec2.images_blocked = false;
    ec2.images_blocked_at = None;
    Ok(DisableImageBlockPublicAccessOutput::builder()
        .image_block_public_access_state(ImageBlockPublicAccessDisabledState::Unblocked)
        .build())
}

/// GetSerialConsoleAccessStatus.
pub(super) fn get_serial_console(
    call: &mut Call<'_>,
    _: &GetSerialConsoleAccessStatusInput,
) -> Result<GetSerialConsoleAccessStatusOutput, Refusal> {
    let ec2 = &call.here().ec2;
    Ok(GetSerialConsoleAccessStatusOutput::builder()
        .serial_console_access_enabled(ec2.serial_console)
        .managed_by(ec2.managed_by(Attribute::SerialConsole))
        .build())
}

/// EnableSerialConsoleAccess.
pub(super) fn enable_serial_console(
    call: &mut Call<'_>,
    _: &EnableSerialConsoleAccessInput,
) -> Result<EnableSerialConsoleAccessOutput, Refusal> {
    let ec2 = &mut call.here().ec2;
    ec2.modifiable(Attribute::SerialConsole)?;
    ec2.serial_console = true;
    Ok(EnableSerialConsoleAccessOutput::builder().serial_console_access_enabled(true).build())
}

/// DisableSerialConsoleAccess.
pub(super) fn disable_serial_console(
    call: &mut Call<'_>,
    _: &DisableSerialConsoleAccessInput,
) -> Result<DisableSerialConsoleAccessOutput, Refusal> {
    let ec2 = &mut call.here().ec2;
    ec2.modifiable(Attribute::SerialConsole)?;
    ec2.serial_console = false;
    Ok(DisableSerialConsoleAccessOutput::builder().serial_console_access_enabled(false).build())
}
