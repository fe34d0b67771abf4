//! Listing the objects of a bucket.

use aws_sdk_s3::operation::list_objects_v2::{ListObjectsV2Input, ListObjectsV2Output};
use aws_sdk_s3::types::{CommonPrefix, Object, ObjectStorageClass};

use super::super::operation::{Call, Refusal, date_time};
use super::bucket;

/// How many keys a page has at most; AWS gives up to 1000.
const KEYS_A_PAGE: usize = 10;

/// ListObjectsV2: keys in order; what shares a prefix up to the delimiter is rolled up into one entry and counts
/// as one.
pub(super) fn list_objects_v2(
    call: &mut Call<'_>,
    input: &ListObjectsV2Input,
) -> Result<ListObjectsV2Output, Refusal> {
    let owner = input.expected_bucket_owner();
    let name = input.bucket().unwrap_or_default().to_owned();
    let bucket = bucket(call, Some(&name), owner, "s3:ListBucket", "")?;
    let prefix = input.prefix().unwrap_or_default();
    let wanted = input.max_keys().unwrap_or(1000);
    let size = usize::try_from(wanted)
        .map_err(|_| {
            Refusal::new(
                400,
                "InvalidArgument",
                "Argument maxKeys must be an integer between 0 and 2147483647",
            )
        })?
        .min(KEYS_A_PAGE);
    // The token is the last key told, opaque to the caller as in AWS.
    let token = input.continuation_token().map(|token| {
        token.strip_prefix("after:").ok_or_else(|| {
            Refusal::new(400, "InvalidArgument", "The continuation token provided is incorrect")
        })
    });
    let after = token.transpose()?.or(input.start_after()).unwrap_or_default();

    let (mut contents, mut prefixes, mut last) = (Vec::new(), Vec::<String>::new(), None);
    let mut truncated = false;
    for (key, object) in bucket.objects.iter().filter(|(key, _)| key.starts_with(prefix)) {
        let rolled_up = input.delimiter().filter(|delimiter| !delimiter.is_empty()).and_then(|delimiter| {
            let at = key[prefix.len()..].find(delimiter)? + prefix.len() + delimiter.len();
            Some(&key[..at])
        });
        let entry = rolled_up.unwrap_or(key);
        if (!after.is_empty() && entry <= after) || prefixes.last().is_some_and(|told| told == entry) {
            continue;
        }
        if contents.len() + prefixes.len() == size {
            truncated = size > 0;
            break;
        }
        last = Some(entry.to_owned());
        match rolled_up {
            Some(prefix) => prefixes.push(prefix.to_owned()),
            None => contents.push(
                Object::builder()
                    .key(key)
                    .last_modified(date_time(object.modified))
                    .e_tag(&object.etag)
                    .size(i64::try_from(object.bytes.len()).unwrap_or(i64::MAX))
                    .storage_class(ObjectStorageClass::Standard)
                    .build(),
            ),
        }
    }
    let count = i32::try_from(contents.len() + prefixes.len()).unwrap_or(i32::MAX);
    let prefixes: Vec<_> = prefixes.into_iter().map(|p| CommonPrefix::builder().prefix(p).build()).collect();
    Ok(ListObjectsV2Output::builder()
        .name(name)
        .prefix(prefix)
        .set_delimiter(input.delimiter.clone())
        .max_keys(wanted)
        .key_count(count)
        .is_truncated(truncated)
        .set_contents((!contents.is_empty()).then_some(contents))
        .set_common_prefixes((!prefixes.is_empty()).then_some(prefixes))
        .set_continuation_token(input.continuation_token.clone())
        .set_next_continuation_token(if truncated { last.map(|key| format!("after:{key}")) } else { None })
        .set_start_after(input.start_after.clone())
        .build())
}
