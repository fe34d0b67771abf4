//! Which buckets are public today, as evidence for what a block would close.

use aws_sdk_s3::types::{Bucket, ObjectOwnership};
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
pub const OWNERSHIP: Call = Call::new("s3:GetBucketOwnershipControls");
pub const ACL: Call = Call::new("s3:GetBucketAcl");

/// The account's buckets, by name; those that are in none of the lists are private.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Buckets {
    /// By policy or by ACL, and nothing blocks it.
    pub public: Vec<String>,
    /// Not public, but ACLs are on: each object may have one of its own, and those are not looked at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub takes_acls: Vec<String>,
    /// Could not be looked at.
    pub unseen: Vec<String>,
}

/// What one bucket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    Private,
    Public,
    TakesAcls,
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
    let looked: Vec<(String, Result<Access, Fault>)> = futures::stream::iter(listed)
        .filter_map(|bucket| std::future::ready(bucket.name.map(|name| (name, bucket.bucket_region))))
        .map(|(name, region)| async move {
            let region = region.map_or_else(|| aws.scope.region.clone(), Region::new);
            let access = access(aws, &name, &region, live).await;
            (name, access)
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let mut buckets = Buckets::default();
    for (name, access) in looked {
        match access {
            Ok(Access::Public) => buckets.public.push(name),
            Ok(Access::TakesAcls) => buckets.takes_acls.push(name),
            Ok(Access::Private) => {}
            // It went away since it was listed.
            Err(fault) if fault.code == "NoSuchBucket" => {}
            Err(_) => buckets.unseen.push(name),
        }
    }
    for names in [&mut buckets.public, &mut buckets.takes_acls, &mut buckets.unseen] {
        names.sort();
    }
    Sight::Seen(buckets)
}

/// A policy counts unless public buckets are restricted, an ACL unless public ACLs are ignored, by the account
/// or by the bucket itself, or the bucket has ACLs off.
async fn access(aws: &Reader, name: &str, region: &Region, live: Block) -> Result<Access, Fault> {
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
            return Ok(Access::Public);
        }
    }
    if live.ignore_public_acls || own(|own| own.ignore_public_acls) {
        return Ok(Access::Private);
    }
    let answer = s3.get_bucket_ownership_controls().bucket(name).expected_bucket_owner(owner).send().await;
    let ownership = match answer.map_err(fault(OWNERSHIP.operation)) {
        Ok(answer) => answer.ownership_controls,
        // Buckets from before there were any: ACLs are on.
        Err(fault) if fault.code == "OwnershipControlsNotFoundError" => None,
        Err(fault) => return Err(fault),
    };
    let enforced = |rule: &aws_sdk_s3::types::OwnershipControlsRule| {
        rule.object_ownership == ObjectOwnership::BucketOwnerEnforced
    };
    if ownership.is_some_and(|ownership| ownership.rules.iter().any(enforced)) {
        return Ok(Access::Private);
    }
    let answer = s3.get_bucket_acl().bucket(name).expected_bucket_owner(owner).send().await;
    let grants = answer.map_err(fault(ACL.operation))?.grants.unwrap_or_default();
    let public = grants.iter().filter_map(|grant| grant.grantee()?.uri()).any(is_everybody);
    Ok(if public { Access::Public } else { Access::TakesAcls })
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
    let takes_acls = told(
        &buckets.takes_acls,
        "bucket has ACLs on, so single objects may be public",
        "buckets have ACLs on, so single objects may be public",
    );
    let all: Vec<String> = [public, takes_acls, unseen].into_iter().flatten().collect();
    if all.is_empty() { "no bucket is public today".into() } else { all.join("; ") }
}
