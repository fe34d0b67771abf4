//! What a bucket is set to, one setting an operation.
//!
//! Source: Amazon S3 API Reference, the operation named at each handler.

use aws_sdk_s3::operation::get_bucket_ownership_controls::{
    GetBucketOwnershipControlsInput, GetBucketOwnershipControlsOutput,
};
use aws_sdk_s3::operation::get_public_access_block::{GetPublicAccessBlockInput, GetPublicAccessBlockOutput};
use aws_sdk_s3::types::{OwnershipControls, OwnershipControlsRule};

use super::super::operation::{Call, Refusal, complete};
use super::owned;

/// GetPublicAccessBlock: `NoSuchPublicAccessBlockConfiguration` where it was deleted.
pub(super) fn get_public_access(
    call: &mut Call<'_>,
    input: &GetPublicAccessBlockInput,
) -> Result<GetPublicAccessBlockOutput, Refusal> {
    let owner = input.expected_bucket_owner();
    let found = owned(call, input.bucket(), owner, "s3:GetBucketPublicAccessBlock")?;
    let blocks = found.public_access.clone().ok_or_else(|| {
        Refusal::new(
            404,
            "NoSuchPublicAccessBlockConfiguration",
            "The public access block configuration was not found",
        )
    })?;
    Ok(GetPublicAccessBlockOutput::builder().public_access_block_configuration(blocks).build())
}

/// GetBucketOwnershipControls: `OwnershipControlsNotFoundError` where they were deleted.
pub(super) fn get_ownership(
    call: &mut Call<'_>,
    input: &GetBucketOwnershipControlsInput,
) -> Result<GetBucketOwnershipControlsOutput, Refusal> {
    let owner = input.expected_bucket_owner();
    let found = owned(call, input.bucket(), owner, "s3:GetBucketOwnershipControls")?;
    let ownership = found.ownership.clone().ok_or_else(|| {
        Refusal::new(404, "OwnershipControlsNotFoundError", "The bucket ownership controls were not found")
    })?;
    let rule = complete(OwnershipControlsRule::builder().object_ownership(ownership).build())?;
    let controls = complete(OwnershipControls::builder().rules(rule).build())?;
    Ok(GetBucketOwnershipControlsOutput::builder().ownership_controls(controls).build())
}
