//! Tags of keys.

use std::collections::BTreeMap;

use aws_sdk_kms::operation::list_resource_tags::{ListResourceTagsInput, ListResourceTagsOutput};
use aws_sdk_kms::operation::tag_resource::{TagResourceInput, TagResourceOutput};
use aws_sdk_kms::types::Tag;

use super::super::operation::{Call, Refusal, complete, length_within, page};
use super::{Names, bad_marker, key, page_size};

pub(super) fn tags_of(wanted: &[Tag]) -> Result<BTreeMap<String, String>, Refusal> {
    let fits = |tag: &Tag| {
        length_within(tag.tag_key(), 1, 128)
            && length_within(tag.tag_value(), 0, 256)
            && !tag.tag_key().starts_with("aws:")
    };
    if wanted.len() > 50 || !wanted.iter().all(fits) {
        return Err(Refusal::new(400, "TagException", "One or more tags are not valid."));
    }
    Ok(wanted.iter().map(|tag| (tag.tag_key().to_owned(), tag.tag_value().to_owned())).collect())
}

/// TagResource: adds and overwrites; at most 50 tags; not while the key is pending deletion.
pub(super) fn tag_resource(
    call: &mut Call<'_>,
    input: &TagResourceInput,
) -> Result<TagResourceOutput, Refusal> {
    let wanted = tags_of(input.tags())?;
    let key = key(call, input.key_id(), Names::Key)?;
    key.not_pending_deletion()?;
    let mut all = key.tags.clone();
    all.extend(wanted);
    if all.len() > 50 {
        return Err(Refusal::new(400, "LimitExceededException", "A key has at most 50 tags."));
    }
    key.tags = all;
    Ok(TagResourceOutput::builder().build())
}

/// ListResourceTags: pages of 1–50.
pub(super) fn list_resource_tags(
    call: &mut Call<'_>,
    input: &ListResourceTagsInput,
) -> Result<ListResourceTagsOutput, Refusal> {
    let limit = page_size(input.limit(), 50)?;
    let tags: Vec<_> = key(call, input.key_id(), Names::Key)?.tags.clone().into_iter().collect();
    let (tags, next) = page(&tags, input.marker(), limit).ok_or_else(bad_marker)?;
    let tags =
        tags.into_iter().map(|(key, value)| complete(Tag::builder().tag_key(key).tag_value(value).build()));
    Ok(ListResourceTagsOutput::builder()
        .set_tags(Some(tags.collect::<Result<_, _>>()?))
        .truncated(next.is_some())
        .set_next_marker(next)
        .build())
}
