//! What is public: the four switches, bucket ACLs, and policies for everybody.
//!
//! Source: Amazon S3 User Guide, "Blocking public access to your Amazon S3 storage", and the API Reference.

use aws_sdk_s3::operation::get_bucket_acl::{GetBucketAclInput, GetBucketAclOutput};
use aws_sdk_s3::operation::get_bucket_policy_status::{
    GetBucketPolicyStatusInput, GetBucketPolicyStatusOutput,
};
use aws_sdk_s3::operation::list_buckets::{ListBucketsInput, ListBucketsOutput};
use aws_sdk_s3::types::{
    Bucket, Grant, Grantee, ObjectOwnership, Owner, Permission, PolicyStatus, PublicAccessBlockConfiguration,
    Type,
};
use serde_json::Value;

use super::super::operation::{Call, Refusal, complete, page};
use super::owned;

/// The four switches, of an account or of a bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Block {
    pub block_public_acls: bool,
    pub ignore_public_acls: bool,
    pub block_public_policy: bool,
    pub restrict_public_buckets: bool,
}

impl Block {
    /// All four on: what a new bucket has.
    pub const ALL: Self = Self {
        block_public_acls: true,
        ignore_public_acls: true,
        block_public_policy: true,
        restrict_public_buckets: true,
    };
}

impl From<Block> for PublicAccessBlockConfiguration {
    fn from(block: Block) -> Self {
        Self::builder()
            .block_public_acls(block.block_public_acls)
            .ignore_public_acls(block.ignore_public_acls)
            .block_public_policy(block.block_public_policy)
            .restrict_public_buckets(block.restrict_public_buckets)
            .build()
    }
}

/// Buckets on a page; AWS gives up to 10,000. Fewer here, so that whoever does not paginate is found out.
const BUCKETS_A_PAGE: usize = 3;

/// ListBuckets: the caller's buckets of all regions by name. The region of a bucket is told only to a request
/// that has a parameter.
pub(super) fn list_buckets(
    call: &mut Call<'_>,
    input: &ListBucketsInput,
) -> Result<ListBucketsOutput, Refusal> {
    let invalid = |what: &str| Refusal::new(400, "InvalidArgument", format!("{what} is not valid"));
    if input.bucket_region().is_some_and(|region| region != call.region) {
        return Err(invalid("bucket-region"));
    }
    let size = match input.max_buckets() {
        None => BUCKETS_A_PAGE,
        Some(size @ 1..=10_000) => BUCKETS_A_PAGE.min(usize::try_from(size).unwrap_or(BUCKETS_A_PAGE)),
        Some(_) => return Err(invalid("max-buckets")),
    };
    let asked = input.max_buckets().is_some()
        || input.prefix().is_some()
        || input.bucket_region().is_some()
        || input.continuation_token().is_some();
    let own: Vec<Bucket> = call
        .state
        .buckets
        .iter()
        .filter(|(_, bucket)| bucket.owner == call.caller.account)
        .filter(|(name, _)| input.prefix().is_none_or(|prefix| name.starts_with(prefix)))
        .filter(|(_, bucket)| input.bucket_region().is_none_or(|region| bucket.region == region))
        .map(|(name, bucket)| {
            let region = asked.then(|| bucket.region.clone());
            Bucket::builder().name(name).set_bucket_region(region).build()
        })
        .collect();
    let (buckets, next) =
        page(&own, input.continuation_token(), size).ok_or_else(|| invalid("continuation-token"))?;
    Ok(ListBucketsOutput::builder()
        .set_buckets(Some(buckets))
        .set_continuation_token(next)
        .owner(owner(&call.caller.account))
        .set_prefix(input.prefix.clone())
        .build())
}

/// Canonical user ids are 64 hexadecimal digits; this one tells accounts apart.
fn owner(account: &str) -> Owner {
    Owner::builder().id(format!("{account:0>64}")).build()
}

/// GetBucketPolicyStatus: whether the policy is public, whatever blocks it; `NoSuchBucketPolicy` without one.
pub(super) fn get_bucket_policy_status(
    call: &mut Call<'_>,
    input: &GetBucketPolicyStatusInput,
) -> Result<GetBucketPolicyStatusOutput, Refusal> {
    let owner = input.expected_bucket_owner();
    let bucket = owned(call, input.bucket(), owner, "s3:GetBucketPolicyStatus")?;
    let policy = bucket
        .policy
        .as_deref()
        .ok_or_else(|| Refusal::new(404, "NoSuchBucketPolicy", "The bucket policy does not exist"))?;
    let status = PolicyStatus::builder().is_public(is_public(policy)).build();
    Ok(GetBucketPolicyStatusOutput::builder().policy_status(status).build())
}

/// GetBucketAcl: the owner, and the groups that may read, unless ACLs are off ("Controlling ownership of objects").
pub(super) fn get_bucket_acl(
    call: &mut Call<'_>,
    input: &GetBucketAclInput,
) -> Result<GetBucketAclOutput, Refusal> {
    let bucket = owned(call, input.bucket(), input.expected_bucket_owner(), "s3:GetBucketAcl")?;
    let owner = owner(&bucket.owner);
    let grant = |grantee: aws_sdk_s3::types::builders::GranteeBuilder, permission| {
        Ok(Grant::builder().grantee(complete(grantee.build())?).permission(permission).build())
    };
    let own = Grantee::builder().r#type(Type::CanonicalUser).set_id(owner.id.clone());
    let mut grants = vec![grant(own, Permission::FullControl)?];
    let off = bucket.ownership == Some(ObjectOwnership::BucketOwnerEnforced);
    for group in bucket.readers.iter().filter(|_| !off) {
        let uri = format!("http://acs.amazonaws.com/groups/global/{group}");
        grants.push(grant(Grantee::builder().r#type(Type::Group).uri(uri), Permission::Read)?);
    }
    Ok(GetBucketAclOutput::builder().owner(owner).set_grants(Some(grants)).build())
}

/// PutBucketPolicy where `BlockPublicPolicy` is on, for the bucket or for its account: a public policy is denied.
pub(super) fn refuse_public_policy(
    call: &mut Call<'_>,
    bucket: Option<&str>,
    policy: Option<&str>,
) -> Result<(), Refusal> {
    let Some(bucket) = call.state.buckets.get(bucket.unwrap_or_default()) else { return Ok(()) };
    let account = call.state.accounts.get(&bucket.owner).and_then(|account| account.public_access.block);
    let own = bucket.public_access.as_ref().is_some_and(|own| own.block_public_policy == Some(true));
    if (own || account.is_some_and(|block| block.block_public_policy)) && policy.is_some_and(is_public) {
        return Err(Refusal::new(
            403,
            "AccessDenied",
            "User is not authorized to perform: s3:PutBucketPolicy because public policies are blocked by the \
             BlockPublicPolicy block public access setting",
        ));
    }
    Ok(())
}

/// Condition keys that make a statement for everybody one for somebody ("The meaning of public").
const NARROWING: [&str; 8] = [
    "aws:sourcearn",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:sourceowner",
    "aws:sourceaccount",
    "aws:sourceorgid",
    "aws:principalorgid",
    "aws:userid",
];

/// A policy is taken as public unless every statement that allows names its principals or narrows them by a
/// condition on a fixed value.
pub(super) fn is_public(policy: &str) -> bool {
    let Ok(document) = serde_json::from_str::<Value>(policy) else { return false };
    let each = |value: &Value| match value {
        Value::Array(items) => items.clone(),
        one => vec![one.clone()],
    };
    let everybody = |statement: &Value| {
        let principal = &statement["Principal"];
        statement.get("NotPrincipal").is_some()
            || principal == "*"
            || each(&principal["AWS"]).iter().any(|one| one == "*")
    };
    let narrowed = |statement: &Value| {
        let operators = statement["Condition"].as_object();
        operators.into_iter().flatten().any(|(operator, keys)| {
            let fixed = |value: &Value| value.as_str().is_some_and(|text| !text.contains(['*', '?', '$']));
            !operator.contains("Not")
                && !operator.ends_with("IfExists")
                && keys.as_object().into_iter().flatten().any(|(key, values)| {
                    NARROWING.contains(&key.to_lowercase().as_str()) && each(values).iter().all(fixed)
                })
        })
    };
    each(&document["Statement"])
        .iter()
        .any(|statement| statement["Effect"] == "Allow" && everybody(statement) && !narrowed(statement))
}

#[cfg(test)]
mod tests;
