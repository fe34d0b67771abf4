//! Amazon S3: buckets and their objects.
//!
//! Source: Amazon S3 API Reference, the operation named at each handler. Bucket names are one namespace for
//! all accounts; reads after writes are never late.

mod listing;
pub mod public;
mod settings;

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_sdk_s3::operation::create_bucket::{CreateBucketInput, CreateBucketOutput};
use aws_sdk_s3::operation::get_bucket_location::{GetBucketLocationInput, GetBucketLocationOutput};
use aws_sdk_s3::operation::get_bucket_policy::{GetBucketPolicyInput, GetBucketPolicyOutput};
use aws_sdk_s3::operation::get_object::{GetObjectInput, GetObjectOutput};
use aws_sdk_s3::operation::head_bucket::{HeadBucketInput, HeadBucketOutput};
use aws_sdk_s3::operation::put_bucket_policy::{PutBucketPolicyInput, PutBucketPolicyOutput};
use aws_sdk_s3::operation::put_object::{PutObjectInput, PutObjectOutput};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{BucketLocationConstraint, ObjectOwnership, PublicAccessBlockConfiguration};
use aws_smithy_runtime_api::client::interceptors::context::Input;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::operation::{Call, Kept, Operations, Protocol, Refusal, Service, date_time};
use super::policy::{self, Question, Who};

static SERVICE: Service = Service {
    id: "S3",
    prefix: "s3",
    protocol: Protocol::Xml,
    throttled: ("SlowDown", 503),
    broken: ("InternalError", 500),
};

pub(super) fn operations() -> Operations {
    Operations::of(&SERVICE)
        .on("CreateBucket", create_bucket)
        .on("HeadBucket", head_bucket)
        .on("GetBucketPolicy", get_bucket_policy)
        .on("PutBucketPolicy", put_bucket_policy)
        .on("GetBucketLocation", get_bucket_location)
        .on_kept("PutObject", keep_put_object, put_object)
        .on("GetObject", get_object)
        .on("ListObjectsV2", listing::list_objects_v2)
        .on("ListBuckets", public::list_buckets)
        .on("GetPublicAccessBlock", settings::get_public_access)
        .on("GetBucketOwnershipControls", settings::get_ownership)
        .on("GetBucketPolicyStatus", public::get_bucket_policy_status)
        .on("GetBucketAcl", public::get_bucket_acl)
}

/// A bucket.
#[derive(Clone, Debug)]
pub struct Bucket {
    pub owner: String,
    pub region: String,
    pub policy: Option<String>,
    pub public_access: Option<PublicAccessBlockConfiguration>,
    pub ownership: Option<ObjectOwnership>,
    /// Groups that may read by the bucket's ACL, where ACLs are on: `AllUsers`, `AuthenticatedUsers`.
    pub readers: Vec<String>,
    pub objects: BTreeMap<String, Stored>,
}

/// An object.
#[derive(Clone, Debug)]
pub struct Stored {
    pub bytes: Vec<u8>,
    /// In quotes, as the API has it.
    pub etag: String,
    pub content_type: Option<String>,
    pub modified: Timestamp,
}

fn access_denied() -> Refusal {
    Refusal::new(403, "AccessDenied", "Access Denied")
}

/// The bucket, if it exists, belongs to whom the caller expects (GetObject and others: "if the account ID that
/// you provide does not match the actual owner of the bucket, the request fails with 403"), is in the region
/// that the request was signed for, and lets the caller do this: its owner, unless its policy denies, and
/// others, if its policy allows.
fn bucket<'c>(
    call: &'c mut Call<'_>,
    name: Option<&str>,
    expected_owner: Option<&str>,
    action: &str,
    key: &str,
) -> Result<&'c mut Bucket, Refusal> {
    let name = name.unwrap_or_default();
    let missing = || Refusal::new(404, "NoSuchBucket", "The specified bucket does not exist");
    let found = call.state.buckets.get_mut(name).ok_or_else(missing)?;
    if expected_owner.is_some_and(|owner| owner != found.owner) {
        return Err(access_denied());
    }
    let own = found.owner == call.caller.account;
    let resource = format!("arn:aws:s3:::{name}{}{key}", if key.is_empty() { "" } else { "/" });
    let arn = call.caller.policy_arn();
    let organization = call.state.organization.as_ref().filter(|o| o.has_member(&call.caller.account));
    let context = Vec::from_iter(organization.map(|o| ("aws:principalorgid", o.id.as_str())));
    let who = Who::Aws { account: &call.caller.account, arn: &arn };
    let question = Question { who, action, resource: &resource, context: &context };
    let policy = found.policy.as_deref().unwrap_or(r#"{"Statement":[]}"#);
    let let_in = if own { !policy::denies(policy, &question) } else { policy::allows(policy, &question) };
    if !let_in {
        return Err(access_denied());
    }
    if found.region != call.region {
        return Err(Refusal::new(
            301,
            "PermanentRedirect",
            "The bucket you are attempting to access must be addressed using the specified endpoint.",
        ));
    }
    Ok(found)
}

/// General purpose bucket naming rules (S3 User Guide): 3–63 of lower-case letters, digits, `.`, `-`, beginning
/// and ending with a letter or digit, no two dots together, not an IP address, no reserved affixes.
fn bucket_name(name: &str) -> bool {
    let end = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    (3..=63).contains(&name.len())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '.' || c == '-')
        && end(name.chars().next())
        && end(name.chars().next_back())
        && !name.contains("..")
        && name.parse::<std::net::Ipv4Addr>().is_err()
        && !["xn--", "sthree-", "amzn-s3-demo-"].iter().any(|prefix| name.starts_with(prefix))
        && !["-s3alias", "--ol-s3", ".mrap", "--x-s3"].iter().any(|suffix| name.ends_with(suffix))
}

/// CreateBucket: the location constraint names the region of the request, and is left out in us-east-1 and
/// nowhere else; one's own bucket again is `BucketAlreadyOwnedByYou`, in every region here. Since April 2023 a new
/// bucket blocks all public access and has ACLs off (S3 User Guide, "Default settings for new S3 buckets").
fn create_bucket(call: &mut Call<'_>, input: &CreateBucketInput) -> Result<CreateBucketOutput, Refusal> {
    let name = input.bucket().unwrap_or_default();
    if !bucket_name(name) {
        return Err(Refusal::new(400, "InvalidBucketName", "The specified bucket is not valid."));
    }
    let constraint = input.create_bucket_configuration().and_then(|c| c.location_constraint());
    let fits = match constraint.map(BucketLocationConstraint::as_str) {
        None => call.region == "us-east-1",
        Some(region) => region == call.region && region != "us-east-1",
    };
    if !fits {
        return Err(Refusal::new(
            400,
            "IllegalLocationConstraintException",
            "The location constraint is incompatible for the region specific endpoint this request was sent to.",
        ));
    }
    match call.state.buckets.get(name) {
        Some(bucket) if bucket.owner == call.caller.account => {
            return Err(Refusal::new(
                409,
                "BucketAlreadyOwnedByYou",
                "Your previous request to create the named bucket succeeded and you already own it.",
            ));
        }
        Some(_) => {
            return Err(Refusal::new(
                409,
                "BucketAlreadyExists",
                "The requested bucket name is not available.",
            ));
        }
        None => {}
    }
    let bucket = Bucket {
        owner: call.caller.account.clone(),
        region: call.region.to_owned(),
        policy: None,
        public_access: Some(public::Block::ALL.into()),
        ownership: Some(ObjectOwnership::BucketOwnerEnforced),
        readers: Vec::new(),
        objects: BTreeMap::new(),
    };
    call.state.buckets.insert(name.to_owned(), bucket);
    Ok(CreateBucketOutput::builder().location(format!("/{name}")).build())
}

/// HeadBucket: 404 or 403 without a body.
fn head_bucket(call: &mut Call<'_>, input: &HeadBucketInput) -> Result<HeadBucketOutput, Refusal> {
    let owner = input.expected_bucket_owner();
    let bucket = bucket(call, input.bucket(), owner, "s3:ListBucket", "")?;
    Ok(HeadBucketOutput::builder().bucket_region(&bucket.region).access_point_alias(false).build())
}

/// GetBucketLocation: nothing stands for us-east-1.
fn get_bucket_location(
    call: &mut Call<'_>,
    input: &GetBucketLocationInput,
) -> Result<GetBucketLocationOutput, Refusal> {
    let owner = input.expected_bucket_owner();
    let region = bucket(call, input.bucket(), owner, "s3:GetBucketLocation", "")?.region.clone();
    let constraint = (region != "us-east-1").then(|| BucketLocationConstraint::from(region.as_str()));
    Ok(GetBucketLocationOutput::builder().set_location_constraint(constraint).build())
}

/// Bucket policies are for the bucket's owner alone: "you must belong to the bucket owner's account", else 405.
fn owned<'c>(
    call: &'c mut Call<'_>,
    name: Option<&str>,
    expected: Option<&str>,
    action: &str,
) -> Result<&'c mut Bucket, Refusal> {
    let caller = call.caller.account.clone();
    let bucket = bucket(call, name, expected, action, "")?;
    if bucket.owner == caller {
        Ok(bucket)
    } else {
        Err(Refusal::new(
            405,
            "MethodNotAllowed",
            "The specified method is not allowed against this resource.",
        ))
    }
}

/// GetBucketPolicy: `NoSuchBucketPolicy` where there is none.
fn get_bucket_policy(
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

/// PutBucketPolicy: replaces the policy; at most 20 KB of JSON with principals.
fn put_bucket_policy(
    call: &mut Call<'_>,
    input: &PutBucketPolicyInput,
) -> Result<PutBucketPolicyOutput, Refusal> {
    owned(call, input.bucket(), input.expected_bucket_owner(), "s3:PutBucketPolicy")?;
    let policy = input.policy().unwrap_or_default();
    if policy.len() > 20 * 1024 || !policy::well_formed(policy, true) {
        return Err(Refusal::new(
            400,
            "MalformedPolicy",
            "Policies must be valid JSON and the first byte must be '{'",
        ));
    }
    let policy = policy.to_owned();
    public::refuse_public_policy(call, input.bucket(), Some(&policy))?;
    owned(call, input.bucket(), input.expected_bucket_owner(), "s3:PutBucketPolicy")?.policy = Some(policy);
    Ok(PutBucketPolicyOutput::builder().build())
}

/// A PutObject input is not `Clone`; what the handler reads is copied. A body that is not in memory cannot be.
fn keep_put_object(input: &Input) -> Option<Kept> {
    let input = input.downcast_ref::<PutObjectInput>()?;
    let copy = PutObjectInput::builder()
        .set_bucket(input.bucket.clone())
        .set_key(input.key.clone())
        .body(ByteStream::from(input.body.bytes()?.to_vec()))
        .set_content_type(input.content_type.clone())
        .set_if_match(input.if_match.clone())
        .set_if_none_match(input.if_none_match.clone())
        .set_expected_bucket_owner(input.expected_bucket_owner.clone())
        .build()
        .ok()?;
    Some(Arc::new(copy))
}

/// PutObject: `If-None-Match: *` refuses to overwrite, `If-Match` refuses another ETag, both with
/// `PreconditionFailed`; `If-Match` on nothing is `NoSuchKey` (S3 User Guide, "Conditional writes").
fn put_object(call: &mut Call<'_>, input: &PutObjectInput) -> Result<PutObjectOutput, Refusal> {
    let key = object_key(input.key())?;
    let now = call.now;
    let bucket = bucket(call, input.bucket(), input.expected_bucket_owner(), "s3:PutObject", key)?;
    let existing = bucket.objects.get(key).map(|object| object.etag.trim_matches('"'));
    match (input.if_none_match(), existing) {
        (None, _) | (Some("*"), None) => {}
        (Some("*"), Some(_)) => return Err(precondition_failed()),
        (Some(_), _) => {
            return Err(Refusal::new(
                501,
                "NotImplemented",
                "A header you provided implies functionality that is not implemented.",
            ));
        }
    }
    match (input.if_match(), existing) {
        (None, _) => {}
        (Some(_), None) => return Err(no_such_key()),
        (Some(wanted), Some(etag)) if wanted.trim_matches('"') == etag => {}
        (Some(_), Some(_)) => return Err(precondition_failed()),
    }
    let bytes = input.body.bytes().unwrap_or_default().to_vec();
    // An ETag is opaque (S3 API Reference, Object); this one changes exactly when the bytes do.
    let digest = Sha256::digest(&bytes);
    let etag: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let etag = format!("\"{etag}\"");
    let object =
        Stored { bytes, etag: etag.clone(), content_type: input.content_type.clone(), modified: now };
    bucket.objects.insert(key.to_owned(), object);
    Ok(PutObjectOutput::builder().e_tag(etag).build())
}

fn object_key(key: Option<&str>) -> Result<&str, Refusal> {
    match key {
        Some(key) if key.len() > 1024 => Err(Refusal::new(400, "KeyTooLongError", "Your key is too long")),
        Some(key) if !key.is_empty() => Ok(key),
        _ => Err(Refusal::new(400, "InvalidRequest", "A key is required")),
    }
}

fn precondition_failed() -> Refusal {
    Refusal::new(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
}

fn no_such_key() -> Refusal {
    Refusal::new(404, "NoSuchKey", "The specified key does not exist.")
}

/// GetObject: whole objects only. Who may not list the bucket is denied what is not there (GetObject,
/// "Permissions"); here every caller that may read may list.
fn get_object(call: &mut Call<'_>, input: &GetObjectInput) -> Result<GetObjectOutput, Refusal> {
    let key = object_key(input.key())?;
    if input.range().is_some() || input.version_id().is_some() || input.part_number().is_some() {
        return Err(Refusal::new(501, "NotImplemented", "This world has whole objects without versions."));
    }
    let bucket = bucket(call, input.bucket(), input.expected_bucket_owner(), "s3:GetObject", key)?;
    let object = bucket.objects.get(key).ok_or_else(no_such_key)?;
    if input.if_match().is_some_and(|wanted| wanted.trim_matches('"') != object.etag.trim_matches('"')) {
        return Err(precondition_failed());
    }
    if input.if_none_match().is_some_and(|wanted| wanted.trim_matches('"') == object.etag.trim_matches('"')) {
        return Err(Refusal::new(304, "NotModified", "Not Modified"));
    }
    Ok(GetObjectOutput::builder()
        .content_length(i64::try_from(object.bytes.len()).unwrap_or(i64::MAX))
        .body(ByteStream::from(object.bytes.clone()))
        .e_tag(&object.etag)
        .content_type(object.content_type.as_deref().unwrap_or("binary/octet-stream"))
        .last_modified(date_time(object.modified))
        .accept_ranges("bytes")
        .build())
}

#[cfg(test)]
mod tests;
