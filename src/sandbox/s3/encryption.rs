//! What objects are encrypted with that say nothing themselves.

use aws_sdk_s3::operation::get_bucket_encryption::{GetBucketEncryptionInput, GetBucketEncryptionOutput};
use aws_sdk_s3::operation::put_bucket_encryption::{PutBucketEncryptionInput, PutBucketEncryptionOutput};
use aws_sdk_s3::types::{
    BlockedEncryptionTypes, EncryptionType, ServerSideEncryption, ServerSideEncryptionByDefault,
    ServerSideEncryptionConfiguration, ServerSideEncryptionRule,
};

use super::super::operation::{Call, Refusal, complete};
use super::owned;

/// SSE-S3 and no bucket key; new buckets take no keys of customers (S3 User Guide, "Blocking or unblocking
/// SSE-C for a general purpose bucket", since April 2026).
pub(super) fn by_s3() -> ServerSideEncryptionRule {
    let by_default = ServerSideEncryptionByDefault::builder().sse_algorithm(ServerSideEncryption::Aes256);
    let blocked = BlockedEncryptionTypes::builder().encryption_type(EncryptionType::SseC).build();
    ServerSideEncryptionRule::builder()
        .apply_server_side_encryption_by_default(by_default.build().expect("the algorithm is there"))
        .bucket_key_enabled(false)
        .blocked_encryption_types(blocked)
        .build()
}

/// GetBucketEncryption: every bucket has one.
pub(super) fn get(
    call: &mut Call<'_>,
    input: &GetBucketEncryptionInput,
) -> Result<GetBucketEncryptionOutput, Refusal> {
    let owner = input.expected_bucket_owner();
    let rule = owned(call, input.bucket(), owner, "s3:GetEncryptionConfiguration")?.encryption.clone();
    let configuration = complete(ServerSideEncryptionConfiguration::builder().rules(rule).build())?;
    Ok(GetBucketEncryptionOutput::builder().server_side_encryption_configuration(configuration).build())
}

/// PutBucketEncryption: one rule, which replaces what was there; a key id exactly with KMS. AWS does not look
/// whether the key is there; here it has to be, in the bucket's region and enabled, and named by its ARN, as
/// whoever delivers from another account needs it.
pub(super) fn put(
    call: &mut Call<'_>,
    input: &PutBucketEncryptionInput,
) -> Result<PutBucketEncryptionOutput, Refusal> {
    let malformed = || {
        Refusal::new(
            400,
            "MalformedXML",
            "The XML you provided was not well-formed or did not validate against our published schema",
        )
    };
    let rules = input.server_side_encryption_configuration().map(|c| c.rules()).unwrap_or_default();
    let [rule] = rules else { return Err(malformed()) };
    let by_default = rule.apply_server_side_encryption_by_default().ok_or_else(malformed)?;
    let region = call.region.to_owned();
    match (by_default.sse_algorithm(), by_default.kms_master_key_id()) {
        (ServerSideEncryption::Aes256, None) => {}
        (ServerSideEncryption::AwsKms | ServerSideEncryption::AwsKmsDsse, Some(arn)) => {
            let parts: Vec<&str> = arn.splitn(6, ':').collect();
            let found = match parts[..] {
                ["arn", "aws", "kms", of, account, resource] if of == region => {
                    let keys = call.state.accounts.get(account).and_then(|account| account.regions.get(of));
                    let id = resource.strip_prefix("key/").unwrap_or_default();
                    keys.and_then(|region| region.kms.keys.get(id)).is_some_and(|key| key.enabled)
                }
                _ => false,
            };
            if !found {
                return Err(Refusal::new(400, "KMS.NotFoundException", "Invalid keyId"));
            }
        }
        _ => {
            return Err(Refusal::new(
                400,
                "InvalidArgument",
                "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse",
            ));
        }
    }
    let rule = rule.clone();
    let owner = input.expected_bucket_owner();
    owned(call, input.bucket(), owner, "s3:PutEncryptionConfiguration")?.encryption = rule;
    Ok(PutBucketEncryptionOutput::builder().build())
}
