//! Tags of keys.

use aws_sdk_kms::operation::list_resource_tags::{ListResourceTagsInput, ListResourceTagsOutput};
use aws_sdk_kms::operation::tag_resource::{TagResourceInput, TagResourceOutput};
use aws_sdk_kms::types::Tag;

use super::super::operation::{Call, Refusal, complete, page};
use super::{ALIASES_A_PAGE, Names, invalid, key};

/// TagResource: adds and overwrites; at most 50 tags.
pub(super) fn tag_resource(
    call: &mut Call<'_>,
    input: &TagResourceInput,
) -> Result<TagResourceOutput, Refusal> {
    let wanted = super::tags_of(input.tags())?;
    let key = key(call, input.key_id(), Names::Key)?;
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
    let limit = match input.limit() {
        None => ALIASES_A_PAGE,
        Some(limit @ 1..=50) => usize::try_from(limit).unwrap_or(ALIASES_A_PAGE),
        Some(_) => return Err(invalid("limit")),
    };
    let tags: Vec<_> = key(call, input.key_id(), Names::Key)?.tags.clone().into_iter().collect();
    let (tags, next) = page(&tags, input.marker(), limit)
        .ok_or_else(|| Refusal::new(400, "InvalidMarkerException", "The marker is not valid."))?;
    let tags =
        tags.into_iter().map(|(key, value)| complete(Tag::builder().tag_key(key).tag_value(value).build()));
    Ok(ListResourceTagsOutput::builder()
        .set_tags(Some(tags.collect::<Result<_, _>>()?))
        .truncated(next.is_some())
        .set_next_marker(next)
        .build())
}
