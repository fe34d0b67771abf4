//! Object lock: the retention that new objects get.

use aws_sdk_s3::operation::get_object_lock_configuration::{
    GetObjectLockConfigurationInput, GetObjectLockConfigurationOutput,
};
use aws_sdk_s3::operation::put_object_lock_configuration::{
    PutObjectLockConfigurationInput, PutObjectLockConfigurationOutput,
};
use aws_sdk_s3::types::{
    BucketVersioningStatus, DefaultRetention, ObjectLockEnabled, ObjectLockRetentionMode,
};

use super::super::operation::{Call, Refusal};
use super::owned;

/// GetObjectLockConfiguration: `ObjectLockConfigurationNotFoundError` where it was never enabled.
pub(super) fn get(
    call: &mut Call<'_>,
    input: &GetObjectLockConfigurationInput,
) -> Result<GetObjectLockConfigurationOutput, Refusal> {
    let owner = input.expected_bucket_owner();
    let found = owned(call, input.bucket(), owner, "s3:GetBucketObjectLockConfiguration")?;
    let lock = found.object_lock.clone().ok_or_else(|| {
        Refusal::new(
            404,
            "ObjectLockConfigurationNotFoundError",
            "Object Lock configuration does not exist for this bucket",
        )
    })?;
    Ok(GetObjectLockConfigurationOutput::builder().object_lock_configuration(lock).build())
}

/// PutObjectLockConfiguration: mode and one of days and years, up to a hundred years; on a bucket with versions
/// only ("Configuring S3 Object Lock"). Buckets that others log to may not get one ("Enabling server access
/// logging"). There is no way to say that it is off.
pub(super) fn put(
    call: &mut Call<'_>,
    input: &PutObjectLockConfigurationInput,
) -> Result<PutObjectLockConfigurationOutput, Refusal> {
    let malformed = || {
        Refusal::new(
            400,
            "MalformedXML",
            "The XML you provided was not well-formed or did not validate against our published schema",
        )
    };
    let wanted = input.object_lock_configuration().ok_or_else(malformed)?.clone();
    if wanted.object_lock_enabled() != Some(&ObjectLockEnabled::Enabled) {
        return Err(malformed());
    }
    if let Some(rule) = wanted.rule() {
        let fits = rule.default_retention().is_some_and(is_retention);
        if !fits {
            return Err(malformed());
        }
    }
    let owner = input.expected_bucket_owner();
    let found = owned(call, input.bucket(), owner, "s3:PutBucketObjectLockConfiguration")?;
    if found.versioning != Some(BucketVersioningStatus::Enabled) {
        return Err(Refusal::new(
            409,
            "InvalidBucketState",
            "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration",
        ));
    }
    found.object_lock = Some(wanted);
    Ok(PutObjectLockConfigurationOutput::builder().build())
}

fn is_retention(retention: &DefaultRetention) -> bool {
    let mode = matches!(
        retention.mode(),
        Some(ObjectLockRetentionMode::Governance | ObjectLockRetentionMode::Compliance)
    );
    let period = match (retention.days(), retention.years()) {
        (Some(days), None) => (1..=36500).contains(&days),
        (None, Some(years)) => (1..=100).contains(&years),
        _ => false,
    };
    mode && period
}
