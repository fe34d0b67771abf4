//! What KMS says of keys, and how a key is found: by its alias, or by the tag of its making.

use std::collections::BTreeMap;

use aws_sdk_kms::Client;
use aws_sdk_kms::types::{
    KeyManagerType, KeyMetadata, KeySpec, KeyState, MultiRegionKeyType, OriginType, Tag,
};
use futures::{StreamExt as _, TryStreamExt as _};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::spec::MARK;
use crate::aws::{Reader, fault};
use crate::control::Sight;
use crate::fault::{Fault, FaultKind};

/// What must be looked at of each key, beside its state and its policy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    pub rotation: bool,
    pub tags: bool,
}

/// A key without its id, which nobody but the next call wants.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Key {
    /// `false`: it was made for the alias, by its tag, and does not have it.
    pub aliased: bool,
    /// As AWS says it: `PendingDeletion`.
    pub state: String,
    /// The day of its deletion, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion: Option<String>,
    pub description: String,
    /// Why KMS does not rotate it, where it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unrotated: Option<String>,
    /// Days between rotations, 0 for never; `None` where it was not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation: Option<Sight<u32>>,
    pub policy: Sight<Value>,
    /// `None` where they were not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Sight<BTreeMap<String, String>>>,
}

impl Key {
    pub fn is_pending_deletion(&self) -> bool {
        ["PendingDeletion", "PendingReplicaDeletion"].contains(&self.state.as_str())
    }
}

/// What stands at each alias; `None` where there is no key, neither by alias nor by tag.
pub type Observed = BTreeMap<String, Sight<Option<Key>>>;

/// Calls of one kind that are under way at once in one scope; the rate is the engine's to keep.
const AT_ONCE: usize = 8;

/// Looks for the key of each alias. All keys are listed only where an alias is missing.
pub async fn read(aws: &Reader, wanted: &BTreeMap<String, Wanted>) -> Observed {
    let kms = &aws.kms();
    let aliases: Vec<(String, Wanted)> = wanted.iter().map(|(alias, one)| (alias.clone(), *one)).collect();
    let named: Vec<(String, Wanted, Result<Option<KeyMetadata>, Fault>)> = futures::stream::iter(aliases)
        .map(|(alias, wanted)| async move {
            let found = describe(kms, &alias).await;
            (alias, wanted, found)
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let missing = named.iter().any(|(.., found)| matches!(found, Ok(None)));
    let marked = &if missing { marked(kms).await } else { Ok(BTreeMap::new()) };
    futures::stream::iter(named)
        .map(|(alias, wanted, named)| async move {
            let found = one(kms, &alias, named, marked, wanted).await;
            (alias, sight(found))
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await
}

async fn one(
    kms: &Client,
    alias: &str,
    named: Result<Option<KeyMetadata>, Fault>,
    marked: &Result<Marked, Fault>,
    wanted: Wanted,
) -> Result<Option<Key>, Fault> {
    if let Some(metadata) = named? {
        return Ok(Some(whole(kms, metadata, true, wanted).await));
    }
    match best(kms, marked.as_ref().map_err(Fault::clone)?.get(alias)).await? {
        Some(metadata) => Ok(Some(whole(kms, metadata, false, wanted).await)),
        None => Ok(None),
    }
}

async fn whole(kms: &Client, metadata: KeyMetadata, aliased: bool, wanted: Wanted) -> Key {
    let id = metadata.key_id.as_str();
    let unrotated = unrotated(&metadata);
    let rotation = async {
        if !wanted.rotation || unrotated.is_some() {
            return None;
        }
        Some(sight(rotation_of(kms, id).await))
    };
    let tags = async { if wanted.tags { Some(sight(tags_of(kms, id).await)) } else { None } };
    let policy = async { sight(policy_of(kms, id).await) };
    let (rotation, tags, policy) = futures::join!(rotation, tags, policy);
    Key {
        aliased,
        state: metadata.key_state.as_ref().map_or_else(String::new, |state| state.as_str().to_owned()),
        deletion: metadata.deletion_date.and_then(|at| day(at.secs())),
        description: metadata.description.clone().unwrap_or_default(),
        unrotated: unrotated.clone(),
        rotation,
        policy,
        tags,
    }
}

fn sight<T>(answer: Result<T, Fault>) -> Sight<T> {
    answer.map_or_else(Sight::Unseen, Sight::Seen)
}

/// `2026-12-24`, in UTC.
fn day(seconds: i64) -> Option<String> {
    let at = jiff::Timestamp::from_second(seconds).ok()?.to_string();
    Some(at.split('T').next()?.to_owned())
}

/// Why KMS does not rotate a key by itself (API reference, `EnableKeyRotation`).
fn unrotated(key: &KeyMetadata) -> Option<String> {
    if key.key_manager == Some(KeyManagerType::Aws) {
        return Some("AWS manages the key and rotates it every year".into());
    }
    if let Some(spec) = key.key_spec.as_ref().filter(|spec| **spec != KeySpec::SymmetricDefault) {
        return Some(format!("the key is {}, and KMS rotates symmetric encryption keys only", spec.as_str()));
    }
    match key.origin.as_ref() {
        None | Some(OriginType::AwsKms) => {}
        Some(OriginType::External) => return Some("the key's material is imported".into()),
        Some(_) => return Some("the key is in a custom key store".into()),
    }
    let kind = key.multi_region_configuration.as_ref().and_then(|all| all.multi_region_key_type.as_ref());
    (kind == Some(&MultiRegionKeyType::Replica))
        .then(|| "the key is a replica, and rotation is set at its primary key".into())
}

async fn rotation_of(kms: &Client, id: &str) -> Result<u32, Fault> {
    let call = "kms:GetKeyRotationStatus";
    let answer = kms.get_key_rotation_status().key_id(id).send().await.map_err(fault(call))?;
    if !answer.key_rotation_enabled {
        return Ok(0);
    }
    // Rotation from before periods could be chosen comes without one, and is yearly.
    let days = answer.rotation_period_in_days.unwrap_or(365);
    u32::try_from(days)
        .map_err(|_| Fault::local(FaultKind::Invalid, call, format!("a period of {days} days")))
}

/// The key policy as JSON.
pub async fn policy_of(kms: &Client, id: &str) -> Result<Value, Fault> {
    let call = "kms:GetKeyPolicy";
    let answer = kms.get_key_policy().key_id(id).send().await.map_err(fault(call))?;
    serde_json::from_str(&answer.policy.unwrap_or_default())
        .map_err(|error| Fault::local(FaultKind::Invalid, call, format!("the policy is not JSON: {error}")))
}

async fn tags_of(kms: &Client, id: &str) -> Result<BTreeMap<String, String>, Fault> {
    let pages = kms.list_resource_tags().key_id(id).into_paginator().items().send();
    let tags: Vec<Tag> = pages.collect::<Result<_, _>>().await.map_err(fault("kms:ListResourceTags"))?;
    Ok(tags.into_iter().map(|tag| (tag.tag_key, tag.tag_value)).collect())
}

/// A key by id or alias; `None` where there is none.
pub async fn describe(kms: &Client, name: &str) -> Result<Option<KeyMetadata>, Fault> {
    match kms.describe_key().key_id(name).send().await {
        Ok(answer) => Ok(answer.key_metadata),
        Err(error) if error.as_service_error().is_some_and(|e| e.is_not_found_exception()) => Ok(None),
        Err(error) => Err(fault("kms:DescribeKey")(error)),
    }
}

/// Key ids by the alias that they were made for.
type Marked = BTreeMap<String, Vec<String>>;

/// All keys that carry our tag. A key whose tags cannot be read could be one, so that is a fault; except where
/// the key's own policy keeps this account out, which that of a key made here never does.
async fn marked(kms: &Client) -> Result<Marked, Fault> {
    let pages = kms.list_keys().into_paginator().items().send();
    let keys = pages.collect::<Result<Vec<_>, _>>().await.map_err(fault("kms:ListKeys"))?;
    let found: Vec<Option<(String, String)>> =
        futures::stream::iter(keys.into_iter().filter_map(|key| key.key_id))
            .map(|id| async move {
                match tags_of(kms, &id).await {
                    Ok(mut tags) => Ok(tags.remove(MARK).map(|alias| (alias, id))),
                    Err(fault) if is_not_ours(&fault) => Ok(None),
                    Err(fault) => Err(fault),
                }
            })
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await?;
    let mut marked = Marked::new();
    for (alias, id) in found.into_iter().flatten() {
        marked.entry(alias).or_default().push(id);
    }
    Ok(marked)
}

/// It went away meanwhile, or its policy leaves no room for this account's IAM policies (IAM User Guide,
/// "Access denied error messages").
fn is_not_ours(fault: &Fault) -> bool {
    fault.kind == FaultKind::NotFound
        || (fault.kind == FaultKind::Denied && fault.message.contains("no resource-based policy allows"))
}

/// Of several keys that were made for one alias, the one that is nearest to being used.
async fn best(kms: &Client, ids: Option<&Vec<String>>) -> Result<Option<KeyMetadata>, Fault> {
    let mut found = Vec::new();
    for id in ids.into_iter().flatten() {
        found.extend(describe(kms, id).await?);
    }
    found.sort_by_key(|key| {
        let rank = match key.key_state {
            Some(KeyState::Enabled) => 0,
            Some(KeyState::Disabled) => 1,
            _ => 2,
        };
        (rank, key.creation_date.map(|at| at.secs()), key.key_id.clone())
    });
    Ok(found.into_iter().next())
}

/// The id of the key that an alias has, or that was made for it: what writes are sent with.
pub async fn locate(kms: &Client, alias: &str, call: &str) -> Result<String, Fault> {
    if let Some(key) = describe(kms, alias).await? {
        return Ok(key.key_id);
    }
    let found = best(kms, marked(kms).await?.get(alias)).await?;
    found.map(|key| key.key_id).ok_or_else(|| {
        // KMS is eventually consistent: a key that was just made may not be listed yet.
        Fault::local(FaultKind::NotReady, call, format!("KMS does not show the key of {alias} yet"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn denied(message: &str) -> Fault {
        Fault::local(FaultKind::Denied, "kms:ListResourceTags", message)
    }

    #[test]
    fn a_key_that_may_be_ours_is_not_passed_over() {
        assert!(is_not_ours(&denied("... because no resource-based policy allows the action")));
        assert!(!is_not_ours(&denied("... because no identity-based policy allows the action")));
        assert!(!is_not_ours(&Fault::local(FaultKind::Throttled, "kms:ListResourceTags", "slow down")));
        assert!(is_not_ours(&Fault::local(FaultKind::NotFound, "kms:ListResourceTags", "gone")));
    }

    #[test]
    fn only_symmetric_keys_that_kms_made_here_are_rotated() {
        let key = || KeyMetadata::builder().key_id("k").key_spec(KeySpec::SymmetricDefault);
        let why = |key: aws_sdk_kms::types::builders::KeyMetadataBuilder| unrotated(&key.build().unwrap());
        assert_eq!(why(key().origin(OriginType::AwsKms)), None);
        assert_eq!(why(key()), None);
        for (other, word) in [
            (key().key_spec(KeySpec::Rsa2048), "RSA_2048"),
            (key().key_spec(KeySpec::Hmac256), "HMAC_256"),
            (key().origin(OriginType::External), "imported"),
            (key().origin(OriginType::AwsCloudhsm), "custom key store"),
            (key().key_manager(KeyManagerType::Aws), "AWS manages"),
        ] {
            assert!(why(other).is_some_and(|why| why.contains(word)), "{word}");
        }
        let replica = aws_sdk_kms::types::MultiRegionConfiguration::builder()
            .multi_region_key_type(MultiRegionKeyType::Replica)
            .build();
        assert!(why(key().multi_region_configuration(replica)).is_some_and(|why| why.contains("replica")));
    }

    #[test]
    fn a_deletion_has_a_day() {
        assert_eq!(day(1_798_070_400).as_deref(), Some("2026-12-24"));
    }
}
