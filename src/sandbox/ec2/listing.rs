//! The caller's own snapshots and images.

use std::collections::BTreeMap;

use aws_sdk_ec2::operation::describe_images::{DescribeImagesInput, DescribeImagesOutput};
use aws_sdk_ec2::operation::describe_snapshots::{DescribeSnapshotsInput, DescribeSnapshotsOutput};
use aws_sdk_ec2::types::{Image, ImageState, Snapshot, SnapshotState};

use super::super::operation::{Call, Refusal, page};
use super::invalid;

/// How many a page has at most here; AWS returns "up to MaxResults" and may return fewer.
const A_PAGE: usize = 2;

/// One page of ids; sizes from 5 to 1000 (API reference, "Pagination").
fn ids(
    all: &BTreeMap<String, bool>,
    only_public: Option<bool>,
    token: Option<&str>,
    size: Option<i32>,
) -> Result<(Vec<String>, Option<String>), Refusal> {
    if let Some(size) = size.filter(|size| !(5..=1000).contains(size)) {
        return Err(invalid(&size.to_string(), "maxResults"));
    }
    let wanted = |public: bool| only_public.is_none_or(|only| only == public);
    let all: Vec<String> =
        all.iter().filter(|(_, public)| wanted(**public)).map(|(id, _)| id.clone()).collect();
    page(&all, token, A_PAGE).ok_or_else(|| {
        Refusal::new(400, "InvalidPaginationToken", "The specified pagination token is not valid.")
    })
}

/// Does the request ask for the caller's own and nobody else's? This world lists no others.
fn own(call: &Call<'_>, owners: &[String]) -> Result<(), Refusal> {
    match owners {
        [one] if one == "self" || *one == call.caller.account => Ok(()),
        _ => Err(invalid(&owners.join(", "), "Owner")),
    }
}

/// DescribeSnapshots: with `RestorableByUserIds=all` those that are shared with everybody. Block public access
/// "does not change the permissions for snapshots that are already publicly shared".
pub(super) fn describe_snapshots(
    call: &mut Call<'_>,
    input: &DescribeSnapshotsInput,
) -> Result<DescribeSnapshotsOutput, Refusal> {
    own(call, input.owner_ids())?;
    let public = match input.restorable_by_user_ids() {
        [] => None,
        [one] if one == "all" => Some(true),
        others => return Err(invalid(&others.join(", "), "RestorableBy")),
    };
    if !input.filters().is_empty() || !input.snapshot_ids().is_empty() {
        return Err(invalid("a filter", "Filter"));
    }
    let (owner, now) = (call.caller.account.clone(), call.now);
    let all = &call.here().ec2.snapshots;
    let (ids, next) = ids(all, public, input.next_token(), input.max_results())?;
    let snapshots = ids.into_iter().map(|id| {
        Snapshot::builder()
            .volume_id(id.replace("snap-", "vol-"))
            .snapshot_id(id)
            .owner_id(&owner)
            .state(SnapshotState::Completed)
            .progress("100%")
            .start_time(super::super::operation::date_time(now))
            .volume_size(8)
            .encrypted(false)
            .build()
    });
    Ok(DescribeSnapshotsOutput::builder()
        .set_snapshots(Some(snapshots.collect()))
        .set_next_token(next)
        .build())
}

/// DescribeImages: the one filter is `is-public`.
pub(super) fn describe_images(
    call: &mut Call<'_>,
    input: &DescribeImagesInput,
) -> Result<DescribeImagesOutput, Refusal> {
    own(call, input.owners())?;
    let mut public = None;
    for filter in input.filters() {
        public = match (filter.name(), filter.values()) {
            (Some("is-public"), [one]) if one == "true" || one == "false" => Some(one == "true"),
            (name, _) => return Err(invalid(name.unwrap_or_default(), "Filter")),
        };
    }
    let owner = call.caller.account.clone();
    let all = call.here().ec2.images.clone();
    let (ids, next) = ids(&all, public, input.next_token(), input.max_results())?;
    let images = ids.into_iter().map(|id| {
        Image::builder()
            .public(all.get(&id).copied().unwrap_or_default())
            .image_id(id)
            .owner_id(&owner)
            .state(ImageState::Available)
            .build()
    });
    Ok(DescribeImagesOutput::builder().set_images(Some(images.collect())).set_next_token(next).build())
}
