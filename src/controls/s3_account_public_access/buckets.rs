//! Which buckets are public today, as evidence for what a block would close.

use aws_sdk_s3::types::Bucket;
use futures::StreamExt as _;
use serde::{Deserialize, Serialize};

use super::block::Block;
use crate::aws::{Reader, fault};
use crate::control::{Call, Sight};
use crate::fault::Fault;
use crate::place::Region;

pub const LIST: Call = Call::needing("s3:ListBuckets", &["s3:ListAllMyBuckets"]);
pub const BLOCK: Call = Call::needing("s3:GetPublicAccessBlock", &["s3:GetBucketPublicAccessBlock"]);
pub const POLICY: Call = Call::new("s3:GetBucketPolicyStatus");
pub const ACL: Call = Call::new("s3:GetBucketAcl");

/// The account's buckets, by name; those that are neither are private.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Buckets {
    /// By policy or by ACL, and nothing blocks it.
    pub public: Vec<String>,
    /// Could not be looked at.
    pub unseen: Vec<String>,
}

/// At most this many buckets are looked at at once.
const AT_ONCE: usize = 16;

/// Looks at every bucket of the account. `live` is what the account blocks already.
pub async fn survey(aws: &Reader, live: Block) -> Sight<Buckets> {
    // Without a parameter S3 does not say in which region a bucket is (API reference, Bucket).
    let pages = aws.s3().list_buckets().max_buckets(1000).into_paginator().send();
    let listed = pages.collect::<Result<Vec<_>, _>>().await;
    let listed: Vec<Bucket> = match listed.map_err(fault(LIST.operation)) {
        Ok(pages) => pages.into_iter().flat_map(|page| page.buckets.unwrap_or_default()).collect(),
        Err(fault) => return Sight::Unseen(fault),
    };
    let looked: Vec<(String, Result<bool, Fault>)> = futures::stream::iter(listed)
        .filter_map(|bucket| std::future::ready(bucket.name.map(|name| (name, bucket.bucket_region))))
        .map(|(name, region)| async move {
            let region = region.map_or_else(|| aws.scope.region.clone(), Region::new);
            let public = is_public(aws, &name, &region, live).await;
            (name, public)
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let mut buckets = Buckets::default();
    for (name, public) in looked {
        match public {
            Ok(true) => buckets.public.push(name),
            Ok(false) => {}
            // It went away since it was listed.
            Err(fault) if fault.code == "NoSuchBucket" => {}
            Err(_) => buckets.unseen.push(name),
        }
    }
    buckets.public.sort();
    buckets.unseen.sort();
    Sight::Seen(buckets)
}

/// A policy counts unless public buckets are restricted, an ACL unless public ACLs are ignored, by the account
/// or by the bucket itself.
async fn is_public(aws: &Reader, name: &str, region: &Region, live: Block) -> Result<bool, Fault> {
    let s3 = aws.s3_in(region);
    let owner = aws.scope.account.as_str();
    let answer = s3.get_public_access_block().bucket(name).expected_bucket_owner(owner).send().await;
    let own = match answer.map_err(fault(BLOCK.operation)) {
        Ok(answer) => answer.public_access_block_configuration,
        Err(fault) if fault.code == "NoSuchPublicAccessBlockConfiguration" => None,
        Err(fault) => return Err(fault),
    };
    let own = |switch: fn(&aws_sdk_s3::types::PublicAccessBlockConfiguration) -> Option<bool>| {
        own.as_ref().and_then(switch).unwrap_or(false)
    };
    if !live.restrict_public_buckets && !own(|own| own.restrict_public_buckets) {
        let answer = s3.get_bucket_policy_status().bucket(name).expected_bucket_owner(owner).send().await;
        let status = match answer.map_err(fault(POLICY.operation)) {
            Ok(answer) => answer.policy_status,
            Err(fault) if fault.code == "NoSuchBucketPolicy" => None,
            Err(fault) => return Err(fault),
        };
        if status.is_some_and(|status| status.is_public == Some(true)) {
            return Ok(true);
        }
    }
    if live.ignore_public_acls || own(|own| own.ignore_public_acls) {
        return Ok(false);
    }
    let answer = s3.get_bucket_acl().bucket(name).expected_bucket_owner(owner).send().await;
    let grants = answer.map_err(fault(ACL.operation))?.grants.unwrap_or_default();
    Ok(grants.iter().filter_map(|grant| grant.grantee()?.uri()).any(is_everybody))
}

/// "All Users" and "Authenticated Users", which is everybody who has an AWS account (S3 User Guide, ACL overview).
fn is_everybody(group: &str) -> bool {
    group.ends_with("/global/AllUsers") || group.ends_with("/global/AuthenticatedUsers")
}

/// Names told one by one; more are counted.
const TOLD: usize = 10;

/// `2 buckets are public today: partner-drop, www-assets; 1 bucket could not be looked at: vault`.
pub fn in_words(buckets: &Sight<Buckets>) -> String {
    let buckets = match buckets {
        Sight::Seen(buckets) => buckets,
        // Without the request id: the same again is the same finding.
        Sight::Unseen(fault) => {
            return format!("which buckets are public is not known: {} answers {}", fault.call, fault.code);
        }
    };
    let told = |names: &[String], one: &str, many: &str| {
        let more = names.len().saturating_sub(TOLD);
        let mut list = names.iter().take(TOLD).map(String::as_str).collect::<Vec<_>>().join(", ");
        if more > 0 {
            list.push_str(&format!(" and {more} more"));
        }
        let (count, what) = (names.len(), if names.len() == 1 { one } else { many });
        (count > 0).then(|| format!("{count} {what}: {list}"))
    };
    let public = told(&buckets.public, "bucket is public today", "buckets are public today");
    let unseen = told(&buckets.unseen, "bucket could not be looked at", "buckets could not be looked at");
    match (public, unseen) {
        (None, None) => "no bucket is public today".into(),
        (public, unseen) => public.into_iter().chain(unseen).collect::<Vec<_>>().join("; "),
    }
}
