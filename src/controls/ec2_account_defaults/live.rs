//! What EC2 says. Each setting by itself: one that cannot be read makes no other unknown.

use aws_sdk_ec2::types::{Filter, InstanceMetadataDefaultsResponse, ManagedBy};
use serde::{Deserialize, Serialize};

use super::Ask;
use super::spec::{HopLimit, ImageAccess, MANAGED_ALIAS, SnapshotAccess, Switch, Tokens};
use crate::aws::{Reader, fault};
use crate::control::Sight;
use crate::fault::{Fault, FaultKind};
use crate::place::Scope;

/// The defaults of one region; `None` where it was not asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Defaults {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ebs_encryption: Option<Sight<bool>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ebs_key: Option<Sight<Key>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshots: Option<Sight<Sharing<SnapshotAccess>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub images: Option<Sight<Sharing<ImageAccess>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Sight<Metadata>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial_console: Option<Sight<SerialConsole>>,
}

/// The default key of new volumes, by what it can be called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Key {
    AwsManaged,
    /// Its aliases, in order; there may be none.
    Own {
        aliases: Vec<String>,
    },
    /// Of another account or region, where nobody here can ask for its names.
    Elsewhere {
        account: String,
        region: String,
    },
}

/// Whether snapshots, or images, can be shared with everybody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sharing<A> {
    pub access: A,
    /// Who sets it, where that is not the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// How many are public today; counted only where that is about to matter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public: Option<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SerialConsole {
    pub open: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Metadata {
    pub tokens: Tokens,
    pub hop_limit: HopLimit,
    pub endpoint: Switch,
    pub instance_tags: Switch,
    pub tokens_enforced: Switch,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// What the declarative policy says to whoever is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_says: Option<String>,
}

const GET_ENCRYPTION: &str = "ec2:GetEbsEncryptionByDefault";
const GET_KEY: &str = "ec2:GetEbsDefaultKmsKeyId";
const GET_SNAPSHOTS: &str = "ec2:GetSnapshotBlockPublicAccessState";
const GET_IMAGES: &str = "ec2:GetImageBlockPublicAccessState";
const GET_METADATA: &str = "ec2:GetInstanceMetadataDefaults";
const GET_SERIAL_CONSOLE: &str = "ec2:GetSerialConsoleAccessStatus";

/// Reads what is asked for, all at once.
pub async fn read(aws: &Reader, ask: &Ask) -> Defaults {
    let (ebs_encryption, ebs_key, snapshots, images, metadata, serial_console) = futures::join!(
        when(ask.ebs_encryption, encryption(aws)),
        when(ask.ebs_key, key(aws)),
        when(ask.snapshots.is_some(), snapshots(aws, ask.snapshots)),
        when(ask.images.is_some(), images(aws, ask.images)),
        when(ask.metadata, metadata(aws)),
        when(ask.serial_console, serial_console(aws)),
    );
    Defaults { ebs_encryption, ebs_key, snapshots, images, metadata, serial_console }
}

async fn when<T>(asked: bool, read: impl Future<Output = Result<T, Fault>>) -> Option<Sight<T>> {
    if !asked {
        return None;
    }
    Some(match read.await {
        Ok(seen) => Sight::Seen(seen),
        Err(fault) => Sight::Unseen(fault),
    })
}

/// What an answer must say and does not, or says in a word that this build does not know: a newer state is not
/// taken for an older one.
fn unclear(call: &'static str, what: &str, said: Option<&str>) -> Fault {
    let message = match said {
        Some(word) => format!("`{word}` is no {what} that this build knows"),
        None => format!("the answer says no {what}"),
    };
    Fault::local(FaultKind::Invalid, call, message)
}

/// Who sets it, where that is not the account; a word that this build does not know is no account either.
fn owner(managed_by: Option<&ManagedBy>) -> Option<String> {
    match managed_by? {
        ManagedBy::Account => None,
        ManagedBy::DeclarativePolicy => Some("a declarative policy of the organisation".to_owned()),
        other => Some(format!("`{}`, as EC2 says", other.as_str())),
    }
}

async fn encryption(aws: &Reader) -> Result<bool, Fault> {
    let answer = aws.ec2().get_ebs_encryption_by_default().send().await.map_err(fault(GET_ENCRYPTION))?;
    answer.ebs_encryption_by_default.ok_or_else(|| unclear(GET_ENCRYPTION, "state", None))
}

/// The default key as EC2 tells it: a bare alias, the ARN of an alias, or the ARN of a key.
#[derive(Debug, PartialEq, Eq)]
enum Told<'a> {
    Alias(&'a str),
    Id(&'a str),
    Elsewhere { account: &'a str, region: &'a str },
}

fn told<'a>(scope: &Scope, key: &'a str) -> Told<'a> {
    let parts: Vec<&str> = key.splitn(6, ':').collect();
    let name = match parts.as_slice() {
        &["arn", _, "kms", region, account, name] => {
            if account != scope.account.as_str() || region != scope.region.as_str() {
                return Told::Elsewhere { account, region };
            }
            name
        }
        _ => key,
    };
    if name.starts_with("alias/") {
        Told::Alias(name)
    } else {
        Told::Id(name.strip_prefix("key/").unwrap_or(name))
    }
}

/// The key that AWS manages is told by its alias until it is used for the first time, and by its ARN from then
/// on.
async fn key(aws: &Reader) -> Result<Key, Fault> {
    let answer = aws.ec2().get_ebs_default_kms_key_id().send().await.map_err(fault(GET_KEY))?;
    let key = answer.kms_key_id.ok_or_else(|| unclear(GET_KEY, "key", None))?;
    let aliases = match told(&aws.scope, &key) {
        Told::Alias(alias) => vec![alias.to_owned()],
        Told::Id(id) => aliases(aws, id).await?,
        Told::Elsewhere { account, region } => {
            return Ok(Key::Elsewhere { account: account.to_owned(), region: region.to_owned() });
        }
    };
    let managed = aliases.iter().any(|alias| alias == MANAGED_ALIAS);
    Ok(if managed { Key::AwsManaged } else { Key::Own { aliases } })
}

/// The aliases of a key of this account and region; of a key that is gone, none. Asking for the key by AWS's
/// alias would make it, if it is not there yet (KMS API Reference, DescribeKey); this does not.
async fn aliases(aws: &Reader, key: &str) -> Result<Vec<String>, Fault> {
    let mut pages = aws.kms().list_aliases().key_id(key).into_paginator().send();
    let mut names = Vec::new();
    while let Some(page) = pages.next().await {
        match page {
            Ok(page) => {
                names.extend(page.aliases.unwrap_or_default().into_iter().filter_map(|a| a.alias_name))
            }
            Err(error) if error.as_service_error().is_some_and(|e| e.is_not_found_exception()) => break,
            Err(error) => return Err(fault("kms:ListAliases")(error)),
        }
    }
    names.sort();
    Ok(names)
}

async fn snapshots(aws: &Reader, wanted: Option<SnapshotAccess>) -> Result<Sharing<SnapshotAccess>, Fault> {
    let call = aws.ec2().get_snapshot_block_public_access_state();
    let answer = call.send().await.map_err(fault(GET_SNAPSHOTS))?;
    let word = answer.state.as_ref().map(|state| state.as_str());
    let access = word.and_then(SnapshotAccess::of).ok_or_else(|| unclear(GET_SNAPSHOTS, "state", word))?;
    let owner = owner(answer.managed_by.as_ref());
    let closes = wanted.is_some_and(|wanted| wanted > access) && owner.is_none();
    let public = if closes { Some(public_snapshots(aws).await?) } else { None };
    Ok(Sharing { access, owner, public })
}

async fn public_snapshots(aws: &Reader) -> Result<usize, Fault> {
    let call = aws.ec2().describe_snapshots().owner_ids("self").restorable_by_user_ids("all");
    let mut pages = call.max_results(1000).into_paginator().send();
    let mut count = 0;
    while let Some(page) = pages.next().await {
        count += page.map_err(fault("ec2:DescribeSnapshots"))?.snapshots().len();
    }
    Ok(count)
}

async fn images(aws: &Reader, wanted: Option<ImageAccess>) -> Result<Sharing<ImageAccess>, Fault> {
    let call = aws.ec2().get_image_block_public_access_state();
    let answer = call.send().await.map_err(fault(GET_IMAGES))?;
    let word = answer.image_block_public_access_state.as_deref();
    let access = word.and_then(ImageAccess::of).ok_or_else(|| unclear(GET_IMAGES, "state", word))?;
    let owner = owner(answer.managed_by.as_ref());
    let closes = wanted.is_some_and(|wanted| wanted > access) && owner.is_none();
    let public = if closes { Some(public_images(aws).await?) } else { None };
    Ok(Sharing { access, owner, public })
}

async fn public_images(aws: &Reader) -> Result<usize, Fault> {
    let public = Filter::builder().name("is-public").values("true").build();
    let call = aws.ec2().describe_images().owners("self").filters(public);
    let mut pages = call.max_results(1000).into_paginator().send();
    let mut count = 0;
    while let Some(page) = pages.next().await {
        count += page.map_err(fault("ec2:DescribeImages"))?.images().len();
    }
    Ok(count)
}

/// What has no preference is left out of the answer, and with it the whole level where nothing was ever set.
async fn metadata(aws: &Reader) -> Result<Metadata, Fault> {
    let answer = aws.ec2().get_instance_metadata_defaults().send().await.map_err(fault(GET_METADATA))?;
    let level = answer.account_level.unwrap_or_else(|| InstanceMetadataDefaultsResponse::builder().build());
    let switch = |what: &str, word: Option<&str>| match word {
        None => Ok(Switch::NoPreference),
        Some(word) => Switch::of(word).ok_or_else(|| unclear(GET_METADATA, what, Some(word))),
    };
    let tokens = level.http_tokens.as_ref().map_or(Tokens::NoPreference.word(), |word| word.as_str());
    let hops = level.http_put_response_hop_limit;
    Ok(Metadata {
        tokens: Tokens::of(tokens).ok_or_else(|| unclear(GET_METADATA, "HttpTokens", Some(tokens)))?,
        hop_limit: HopLimit::of(hops).ok_or_else(|| {
            let said = hops.unwrap_or_default().to_string();
            unclear(GET_METADATA, "HttpPutResponseHopLimit", Some(&said))
        })?,
        endpoint: switch("HttpEndpoint", level.http_endpoint.as_ref().map(|word| word.as_str()))?,
        instance_tags: switch(
            "InstanceMetadataTags",
            level.instance_metadata_tags.as_ref().map(|word| word.as_str()),
        )?,
        tokens_enforced: switch(
            "HttpTokensEnforced",
            level.http_tokens_enforced.as_ref().map(|word| word.as_str()),
        )?,
        owner: owner(level.managed_by.as_ref()),
        policy_says: level.managed_exception_message.filter(|text| !text.is_empty()),
    })
}

async fn serial_console(aws: &Reader) -> Result<SerialConsole, Fault> {
    let call = aws.ec2().get_serial_console_access_status();
    let answer = call.send().await.map_err(fault(GET_SERIAL_CONSOLE))?;
    let open = answer.serial_console_access_enabled;
    Ok(SerialConsole {
        open: open.ok_or_else(|| unclear(GET_SERIAL_CONSOLE, "status", None))?,
        owner: owner(answer.managed_by.as_ref()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::tests::facts;

    #[test]
    fn a_default_key_is_told_in_four_ways() {
        let here = facts().scope;
        let id = "1234abcd-12ab-34cd-56ef-1234567890ab";
        let arn = |region: &str, account: &str, name: &str| format!("arn:aws:kms:{region}:{account}:{name}");
        for (key, wanted) in [
            ("alias/aws/ebs".to_owned(), Told::Alias("alias/aws/ebs")),
            (arn("eu-west-1", "111122223333", "alias/a/b"), Told::Alias("alias/a/b")),
            (arn("eu-west-1", "111122223333", &format!("key/{id}")), Told::Id(id)),
            (id.to_owned(), Told::Id(id)),
            (
                arn("eu-west-1", "444455556666", &format!("key/{id}")),
                Told::Elsewhere { account: "444455556666", region: "eu-west-1" },
            ),
            (
                arn("us-east-1", "111122223333", "alias/aws/ebs"),
                Told::Elsewhere { account: "111122223333", region: "us-east-1" },
            ),
        ] {
            assert_eq!(told(&here, &key), wanted, "{key}");
        }
    }

    #[test]
    fn whoever_is_not_the_account_owns_it() {
        assert_eq!(owner(None), None);
        assert_eq!(owner(Some(&ManagedBy::Account)), None);
        assert!(owner(Some(&ManagedBy::DeclarativePolicy)).is_some_and(|who| who.contains("declarative")));
        assert_eq!(owner(Some(&"tower".into())).as_deref(), Some("`tower`, as EC2 says"));
    }
}
