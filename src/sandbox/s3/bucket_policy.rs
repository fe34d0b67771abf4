//! The bucket's policy.

use aws_sdk_s3::operation::get_bucket_policy::{GetBucketPolicyInput, GetBucketPolicyOutput};
use aws_sdk_s3::operation::put_bucket_policy::{PutBucketPolicyInput, PutBucketPolicyOutput};
use serde_json::Value;

use super::super::operation::{Call, Refusal};
use super::super::policy;
use super::{owned, public};

/// GetBucketPolicy: `NoSuchBucketPolicy` where there is none.
pub(super) fn get(
    call: &mut Call<'_>,
    input: &GetBucketPolicyInput,
) -> Result<GetBucketPolicyOutput, Refusal> {
    let bucket = owned(call, input.bucket(), input.expected_bucket_owner(), "s3:GetBucketPolicy")?;
    let policy = bucket
        .policy
        .clone()
        .ok_or_else(|| Refusal::new(404, "NoSuchBucketPolicy", "The bucket policy does not exist"))?;
    Ok(GetBucketPolicyOutput::builder().policy(policy).build())
}

/// PutBucketPolicy: replaces the policy; at most 20 KB of JSON (S3 User Guide, "Bucket policies") with
/// principals that exist and resources of this bucket. A public policy is refused while BlockPublicPolicy is
/// on ("Blocking public access to your Amazon S3 storage").
pub(super) fn put(
    call: &mut Call<'_>,
    input: &PutBucketPolicyInput,
) -> Result<PutBucketPolicyOutput, Refusal> {
    let name = input.bucket().unwrap_or_default().to_owned();
    owned(call, input.bucket(), input.expected_bucket_owner(), "s3:PutBucketPolicy")?;
    let text = input.policy().unwrap_or_default();
    let malformed = |why: &str| Err(Refusal::new(400, "MalformedPolicy", why));
    if text.len() > 20 * 1024 || !policy::well_formed(text, true) {
        return malformed("Policies must be valid JSON and the first byte must be '{'");
    }
    let document: Value = serde_json::from_str(text).unwrap_or_default();
    let statements = each(&document["Statement"]);
    if !statements.iter().all(|statement| has_resources_of(statement, &name)) {
        return malformed("Policy has invalid resource");
    }
    if !statements.iter().all(|statement| is_principal(&statement["Principal"])) {
        return malformed("Invalid principal in policy");
    }
    public::refuse_public_policy(call, input.bucket(), Some(text))?;
    owned(call, input.bucket(), input.expected_bucket_owner(), "s3:PutBucketPolicy")?.policy =
        Some(text.to_owned());
    Ok(PutBucketPolicyOutput::builder().build())
}

fn each(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(all) => all.iter().collect(),
        Value::Null => Vec::new(),
        one => vec![one],
    }
}

fn has_resources_of(statement: &Value, bucket: &str) -> bool {
    let resources = each(&statement["Resource"]);
    let arn = format!("arn:aws:s3:::{bucket}");
    let of_bucket = |resource: &&Value| {
        resource
            .as_str()
            .and_then(|text| text.strip_prefix(&arn))
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || rest == "*")
    };
    !resources.is_empty() && resources.iter().all(of_bucket)
}

fn is_principal(principal: &Value) -> bool {
    if principal == "*" {
        return true;
    }
    let Some(kinds) = principal.as_object() else { return false };
    !kinds.is_empty()
        && kinds.iter().all(|(kind, names)| {
            let names = each(names);
            let fits = |name: &&Value| match (kind.as_str(), name.as_str()) {
                ("Service", Some(name)) => name.ends_with(".amazonaws.com"),
                ("AWS", Some(name)) => {
                    name == "*"
                        || name.starts_with("arn:aws:")
                        || (name.len() == 12 && name.parse::<u64>().is_ok())
                }
                ("CanonicalUser" | "Federated", Some(_)) => true,
                _ => false,
            };
            !names.is_empty() && names.iter().all(fits)
        })
}
