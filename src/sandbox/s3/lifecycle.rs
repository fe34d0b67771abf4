//! Lifecycle rules.

use std::collections::BTreeSet;

use aws_sdk_s3::operation::get_bucket_lifecycle_configuration::{
    GetBucketLifecycleConfigurationInput, GetBucketLifecycleConfigurationOutput,
};
use aws_sdk_s3::operation::put_bucket_lifecycle_configuration::{
    PutBucketLifecycleConfigurationInput, PutBucketLifecycleConfigurationOutput,
};
use aws_sdk_s3::types::{ExpirationStatus, LifecycleRule, TransitionDefaultMinimumObjectSize};

use super::super::operation::{Call, Refusal, length_within};
use super::owned;

/// GetBucketLifecycleConfiguration: `NoSuchLifecycleConfiguration` where there is none.
pub(super) fn get(
    call: &mut Call<'_>,
    input: &GetBucketLifecycleConfigurationInput,
) -> Result<GetBucketLifecycleConfigurationOutput, Refusal> {
    let owner = input.expected_bucket_owner();
    let rules = owned(call, input.bucket(), owner, "s3:GetLifecycleConfiguration")?.lifecycle.clone();
    if rules.is_empty() {
        return Err(Refusal::new(
            404,
            "NoSuchLifecycleConfiguration",
            "The lifecycle configuration does not exist",
        ));
    }
    Ok(GetBucketLifecycleConfigurationOutput::builder()
        .set_rules(Some(rules))
        .transition_default_minimum_object_size(TransitionDefaultMinimumObjectSize::AllStorageClasses128K)
        .build())
}

/// PutBucketLifecycleConfiguration: replaces all rules. 1–1000 of them; each with an id of its own up to 255
/// characters, a filter or the older prefix and not both, and something to do ("Lifecycle configuration
/// elements"). Not on a bucket with MFA delete ("Setting lifecycle configuration on a bucket").
pub(super) fn put(
    call: &mut Call<'_>,
    input: &PutBucketLifecycleConfigurationInput,
) -> Result<PutBucketLifecycleConfigurationOutput, Refusal> {
    let rules = input.lifecycle_configuration().map(|c| c.rules().to_vec()).unwrap_or_default();
    let mut ids = BTreeSet::new();
    let unique =
        rules.iter().filter_map(LifecycleRule::id).all(|id| length_within(id, 1, 255) && ids.insert(id));
    if rules.is_empty() || rules.len() > 1000 || !unique || !rules.iter().all(is_rule) {
        return Err(Refusal::new(
            400,
            "MalformedXML",
            "The XML you provided was not well-formed or did not validate against our published schema",
        ));
    }
    let owner = input.expected_bucket_owner();
    let found = owned(call, input.bucket(), owner, "s3:PutLifecycleConfiguration")?;
    if found.mfa_delete {
        return Err(Refusal::new(
            400,
            "InvalidRequest",
            "Lifecycle configuration is not supported on a bucket with MFA delete",
        ));
    }
    found.lifecycle = rules;
    Ok(PutBucketLifecycleConfigurationOutput::builder().build())
}

fn is_rule(rule: &LifecycleRule) -> bool {
    #[expect(deprecated, reason = "rules that are older than filters have a prefix of their own")]
    let prefix = rule.prefix().is_some();
    let positive = |days: Option<i32>| days.is_some_and(|days| days > 0);
    let expires = rule.expiration();
    let noncurrent = rule.noncurrent_version_expiration();
    let uploads = rule.abort_incomplete_multipart_upload();
    let acts = expires.is_some()
        || noncurrent.is_some()
        || uploads.is_some()
        || !rule.transitions().is_empty()
        || !rule.noncurrent_version_transitions().is_empty();
    let one_end = expires.is_none_or(|e| {
        let said = [e.days().is_some(), e.date().is_some(), e.expired_object_delete_marker().is_some()];
        said.into_iter().filter(|said| *said).count() == 1 && (e.days().is_none() || positive(e.days()))
    });
    let tagged = rule.filter().is_some_and(|f| f.tag().is_some() || f.and().is_some());
    matches!(rule.status(), ExpirationStatus::Enabled | ExpirationStatus::Disabled)
        && prefix != rule.filter().is_some()
        && acts
        && one_end
        && noncurrent.is_none_or(|n| positive(n.noncurrent_days()))
        && uploads.is_none_or(|u| positive(u.days_after_initiation()) && !tagged)
}
