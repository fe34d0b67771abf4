//! Settings that are one value each: versions, public access, ownership, access logs.

use aws_sdk_s3::operation::get_bucket_logging::{GetBucketLoggingInput, GetBucketLoggingOutput};
use aws_sdk_s3::operation::get_bucket_ownership_controls::{
    GetBucketOwnershipControlsInput, GetBucketOwnershipControlsOutput,
};
use aws_sdk_s3::operation::get_bucket_versioning::{GetBucketVersioningInput, GetBucketVersioningOutput};
use aws_sdk_s3::operation::get_public_access_block::{GetPublicAccessBlockInput, GetPublicAccessBlockOutput};
use aws_sdk_s3::operation::put_bucket_logging::{PutBucketLoggingInput, PutBucketLoggingOutput};
use aws_sdk_s3::operation::put_bucket_ownership_controls::{
    PutBucketOwnershipControlsInput, PutBucketOwnershipControlsOutput,
};
use aws_sdk_s3::operation::put_bucket_versioning::{PutBucketVersioningInput, PutBucketVersioningOutput};
use aws_sdk_s3::operation::put_public_access_block::{PutPublicAccessBlockInput, PutPublicAccessBlockOutput};
use aws_sdk_s3::types::{
    BucketVersioningStatus, MfaDeleteStatus, ObjectOwnership, OwnershipControls, OwnershipControlsRule,
};

use super::super::operation::{Call, Refusal, complete};
use super::super::policy::{self, Question, Who};
use super::{access_denied, owned};

fn malformed() -> Refusal {
    Refusal::new(
        400,
        "MalformedXML",
        "The XML you provided was not well-formed or did not validate against our published schema",
    )
}

/// GetBucketVersioning: nothing where versions were never set.
pub(super) fn get_versioning(
    call: &mut Call<'_>,
    input: &GetBucketVersioningInput,
) -> Result<GetBucketVersioningOutput, Refusal> {
    let owner = input.expected_bucket_owner();
    let found = owned(call, input.bucket(), owner, "s3:GetBucketVersioning")?;
    Ok(GetBucketVersioningOutput::builder()
        .set_status(found.versioning.clone())
        .set_mfa_delete(found.mfa_delete.then_some(MfaDeleteStatus::Enabled))
        .build())
}

/// PutBucketVersioning: cannot be suspended under object lock; what concerns MFA delete needs the root user
/// and the device's code, which nobody here has.
pub(super) fn put_versioning(
    call: &mut Call<'_>,
    input: &PutBucketVersioningInput,
) -> Result<PutBucketVersioningOutput, Refusal> {
    let wanted = input.versioning_configuration().ok_or_else(malformed)?;
    let status = wanted.status().ok_or_else(malformed)?.clone();
    let touches_mfa = wanted.mfa_delete().is_some() || input.mfa().is_some();
    let owner = input.expected_bucket_owner();
    let found = owned(call, input.bucket(), owner, "s3:PutBucketVersioning")?;
    if touches_mfa || found.mfa_delete {
        return Err(access_denied());
    }
    if found.object_lock.is_some() && status != BucketVersioningStatus::Enabled {
        return Err(Refusal::new(
            409,
            "InvalidBucketState",
            "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.",
        ));
    }
    found.versioning = Some(status);
    Ok(PutBucketVersioningOutput::builder().build())
}

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

/// PutPublicAccessBlock: replaces all four; what is not said is off.
pub(super) fn put_public_access(
    call: &mut Call<'_>,
    input: &PutPublicAccessBlockInput,
) -> Result<PutPublicAccessBlockOutput, Refusal> {
    let wanted = input.public_access_block_configuration().ok_or_else(malformed)?.clone();
    let said = |on: Option<bool>| Some(on == Some(true));
    let mut blocks = wanted;
    blocks.block_public_acls = said(blocks.block_public_acls);
    blocks.ignore_public_acls = said(blocks.ignore_public_acls);
    blocks.block_public_policy = said(blocks.block_public_policy);
    blocks.restrict_public_buckets = said(blocks.restrict_public_buckets);
    let owner = input.expected_bucket_owner();
    owned(call, input.bucket(), owner, "s3:PutBucketPublicAccessBlock")?.public_access = Some(blocks);
    Ok(PutPublicAccessBlockOutput::builder().build())
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

/// PutBucketOwnershipControls: exactly one rule, with a word that there is.
pub(super) fn put_ownership(
    call: &mut Call<'_>,
    input: &PutBucketOwnershipControlsInput,
) -> Result<PutBucketOwnershipControlsOutput, Refusal> {
    let rules = input.ownership_controls().map(|controls| controls.rules()).unwrap_or_default();
    let [rule] = rules else { return Err(malformed()) };
    let ownership = rule.object_ownership().clone();
    if !ObjectOwnership::values().contains(&ownership.as_str()) {
        return Err(malformed());
    }
    let owner = input.expected_bucket_owner();
    owned(call, input.bucket(), owner, "s3:PutBucketOwnershipControls")?.ownership = Some(ownership);
    Ok(PutBucketOwnershipControlsOutput::builder().build())
}

/// GetBucketLogging: nothing where no access is logged.
pub(super) fn get_logging(
    call: &mut Call<'_>,
    input: &GetBucketLoggingInput,
) -> Result<GetBucketLoggingOutput, Refusal> {
    let owner = input.expected_bucket_owner();
    let found = owned(call, input.bucket(), owner, "s3:GetBucketLogging")?;
    Ok(GetBucketLoggingOutput::builder().set_logging_enabled(found.logging.clone()).build())
}

/// PutBucketLogging: the other bucket is of the same owner and region, lets the logging service put objects,
/// and locks none of them ("Enabling Amazon S3 server access logging"). An empty status turns it off.
pub(super) fn put_logging(
    call: &mut Call<'_>,
    input: &PutBucketLoggingInput,
) -> Result<PutBucketLoggingOutput, Refusal> {
    let wanted = input.bucket_logging_status().ok_or_else(malformed)?.logging_enabled().cloned();
    if let Some(logging) = &wanted {
        let refused = || {
            Refusal::new(
                400,
                "InvalidTargetBucketForLogging",
                "The target bucket for logging does not exist, is not owned by you, or does not have the \
                 appropriate grants for the log-delivery group.",
            )
        };
        let name = logging.target_bucket();
        let to = call.state.buckets.get(name).ok_or_else(refused)?;
        let source = format!("arn:aws:s3:::{}", input.bucket().unwrap_or_default());
        let context =
            [("aws:sourceaccount", call.caller.account.as_str()), ("aws:sourcearn", source.as_str())];
        let question = Question {
            who: Who::Service("logging.s3.amazonaws.com"),
            action: "s3:PutObject",
            resource: &format!("arn:aws:s3:::{name}/{}x", logging.target_prefix()),
            context: &context,
        };
        let let_in = to.policy.as_deref().is_some_and(|policy| policy::allows(policy, &question));
        let locks = to.object_lock.as_ref().is_some_and(|lock| lock.rule().is_some());
        if to.owner != call.caller.account || to.region != call.region || !let_in || locks {
            return Err(refused());
        }
    }
    let owner = input.expected_bucket_owner();
    owned(call, input.bucket(), owner, "s3:PutBucketLogging")?.logging = wanted;
    Ok(PutBucketLoggingOutput::builder().build())
}
