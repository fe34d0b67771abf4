//! Amazon S3: buckets and their objects.
//!
//! Source: Amazon S3 API Reference, the operation named at each handler. Bucket names are one namespace for
//! all accounts; reads after writes are never late.

mod bucket_policy;
mod encryption;
mod lifecycle;
mod listing;
mod lock;
mod objects;
pub mod public;
mod settings;

use std::collections::BTreeMap;

use aws_sdk_s3::operation::create_bucket::{CreateBucketInput, CreateBucketOutput};
use aws_sdk_s3::operation::get_bucket_location::{GetBucketLocationInput, GetBucketLocationOutput};
use aws_sdk_s3::operation::head_bucket::{HeadBucketInput, HeadBucketOutput};
use aws_sdk_s3::types::{
    BucketLocationConstraint, BucketNamespace, BucketVersioningStatus, LifecycleRule, LoggingEnabled,
    ObjectLockConfiguration, ObjectLockEnabled, ObjectOwnership, PublicAccessBlockConfiguration,
    ServerSideEncryptionRule,
};

use super::operation::{Call, Operations, Protocol, Refusal, Service, length_within};
use super::policy::{self, Question, Who};
pub use objects::Stored;

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
        .on("GetBucketLocation", get_bucket_location)
        .on("GetBucketPolicy", bucket_policy::get)
        .on("PutBucketPolicy", bucket_policy::put)
        .on("GetBucketVersioning", settings::get_versioning)
        .on("PutBucketVersioning", settings::put_versioning)
        .on("GetPublicAccessBlock", settings::get_public_access)
        .on("PutPublicAccessBlock", settings::put_public_access)
        .on("GetBucketOwnershipControls", settings::get_ownership)
        .on("PutBucketOwnershipControls", settings::put_ownership)
        .on("GetBucketLogging", settings::get_logging)
        .on("PutBucketLogging", settings::put_logging)
        .on("GetBucketEncryption", encryption::get)
        .on("PutBucketEncryption", encryption::put)
        .on("GetObjectLockConfiguration", lock::get)
        .on("PutObjectLockConfiguration", lock::put)
        .on("GetBucketLifecycleConfiguration", lifecycle::get)
        .on("PutBucketLifecycleConfiguration", lifecycle::put)
        .on_kept("PutObject", objects::keep_put_object, objects::put_object)
        .on("GetObject", objects::get_object)
        .on("ListObjectsV2", listing::list_objects_v2)
        .on("ListBuckets", public::list_buckets)
        .on("GetBucketPolicyStatus", public::get_bucket_policy_status)
        .on("GetBucketAcl", public::get_bucket_acl)
}

/// A bucket.
#[derive(Clone, Debug)]
pub struct Bucket {
    pub owner: String,
    pub region: String,
    pub policy: Option<String>,
    pub objects: BTreeMap<String, Stored>,
    pub tags: BTreeMap<String, String>,
    /// `None` where it was never set.
    pub versioning: Option<BucketVersioningStatus>,
    pub mfa_delete: bool,
    pub encryption: ServerSideEncryptionRule,
    pub public_access: Option<PublicAccessBlockConfiguration>,
    /// Groups that may read by the bucket's ACL: `AllUsers`, `AuthenticatedUsers`.
    pub readers: Vec<String>,
    pub ownership: Option<ObjectOwnership>,
    pub object_lock: Option<ObjectLockConfiguration>,
    pub lifecycle: Vec<LifecycleRule>,
    pub logging: Option<LoggingEnabled>,
}

impl Bucket {
    /// A bucket as S3 makes one when told nothing: encrypted with SSE-S3 (since January 2023), all public
    /// access blocked and access control lists off (since April 2023; S3 User Guide, "Default settings for new
    /// S3 buckets"), no versions, no policy.
    pub fn new(owner: &str, region: &str) -> Self {
        Self {
            owner: owner.to_owned(),
            region: region.to_owned(),
            policy: None,
            objects: BTreeMap::new(),
            tags: BTreeMap::new(),
            versioning: None,
            mfa_delete: false,
            encryption: encryption::by_s3(),
            public_access: Some(public::Block::ALL.into()),
            readers: Vec::new(),
            ownership: Some(ObjectOwnership::BucketOwnerEnforced),
            object_lock: None,
            lifecycle: Vec::new(),
            logging: None,
        }
    }
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

/// Names in the namespace of an account and region end in both and `-an`; no other name ends so (CreateBucket,
/// `BucketNamespace`; S3 User Guide, "Account regional namespace naming rules").
fn fits_namespace(call: &Call<'_>, input: &CreateBucketInput) -> bool {
    let name = input.bucket().unwrap_or_default();
    match input.bucket_namespace() {
        None | Some(BucketNamespace::Global) => !name.ends_with("-an"),
        Some(BucketNamespace::AccountRegional) => {
            name.ends_with(&format!("-{}-{}-an", call.caller.account, call.region))
        }
        Some(_) => false,
    }
}

/// Up to 50 tags, no key twice or of AWS's own (S3 User Guide, "Using cost allocation S3 bucket tags").
fn tags(input: &CreateBucketInput) -> Result<BTreeMap<String, String>, Refusal> {
    let given = input.create_bucket_configuration().map(|c| c.tags()).unwrap_or_default();
    let mut tags = BTreeMap::new();
    for tag in given {
        let fits = length_within(tag.key(), 1, 128)
            && length_within(tag.value(), 0, 256)
            && !tag.key().starts_with("aws:")
            && tags.insert(tag.key().to_owned(), tag.value().to_owned()).is_none();
        if !fits {
            return Err(Refusal::new(400, "InvalidTag", "The TagValue you have provided is invalid"));
        }
    }
    if tags.len() > 50 {
        return Err(Refusal::new(400, "BadRequest", "Bucket tag count cannot be greater than 50"));
    }
    Ok(tags)
}

/// CreateBucket: the location constraint names the region of the request, and is left out in us-east-1 and
/// nowhere else; one's own bucket again is `BucketAlreadyOwnedByYou`, in every region here. Object lock brings
/// versions.
fn create_bucket(call: &mut Call<'_>, input: &CreateBucketInput) -> Result<CreateBucketOutput, Refusal> {
    let name = input.bucket().unwrap_or_default();
    if !bucket_name(name) || !fits_namespace(call, input) {
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
    let mut bucket = Bucket::new(&call.caller.account, call.region);
    bucket.tags = tags(input)?;
    if let Some(ownership) = input.object_ownership() {
        bucket.ownership = Some(ownership.clone());
    }
    if input.object_lock_enabled_for_bucket() == Some(true) {
        bucket.versioning = Some(BucketVersioningStatus::Enabled);
        let enabled = ObjectLockConfiguration::builder().object_lock_enabled(ObjectLockEnabled::Enabled);
        bucket.object_lock = Some(enabled.build());
    }
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

#[cfg(test)]
mod tests;
