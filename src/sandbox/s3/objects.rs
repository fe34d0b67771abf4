//! Objects: whole ones, without versions.

use std::sync::Arc;

use aws_sdk_s3::operation::get_object::{GetObjectInput, GetObjectOutput};
use aws_sdk_s3::operation::put_object::{PutObjectInput, PutObjectOutput};
use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_runtime_api::client::interceptors::context::Input;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::super::operation::{Call, Kept, Refusal, date_time};
use super::bucket;

/// An object.
#[derive(Clone, Debug)]
pub struct Stored {
    pub bytes: Vec<u8>,
    /// In quotes, as the API has it.
    pub etag: String,
    pub content_type: Option<String>,
    pub modified: Timestamp,
}

impl Stored {
    /// An ETag is opaque (S3 API Reference, Object); this one changes exactly when the bytes do.
    pub fn new(bytes: Vec<u8>, modified: Timestamp) -> Self {
        let digest = Sha256::digest(&bytes);
        let etag: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        Self { bytes, etag: format!("\"{etag}\""), content_type: None, modified }
    }
}

/// A PutObject input is not `Clone`; what the handler reads is copied. A body that is not in memory cannot be.
pub(super) fn keep_put_object(input: &Input) -> Option<Kept> {
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
pub(super) fn put_object(call: &mut Call<'_>, input: &PutObjectInput) -> Result<PutObjectOutput, Refusal> {
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
    let object = Stored { content_type: input.content_type.clone(), ..Stored::new(bytes, now) };
    let etag = object.etag.clone();
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
pub(super) fn get_object(call: &mut Call<'_>, input: &GetObjectInput) -> Result<GetObjectOutput, Refusal> {
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
