//! `specimen.key`: a key under an alias. Making it takes a call that must not be sent twice.

use std::fmt;

use aws_sdk_kms::types::Tag;
use baseline::aws::{Reader, Writer, fault};
use baseline::control::{
    AwsWrite, Bounded, Call, Change, Control, Facts, Fault, FaultKind, Field, Finding, Known, Meta, Reach,
    Rule, Severity, Thing, Verdict,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::conformance::bench;

pub struct Key;

#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct KeySpec {
    /// What the key is known by.
    #[schemars(extend("x-fixed" = "another alias is another key"))]
    pub alias: Option<String>,
    /// Days between rotations.
    pub rotation_days: Option<Bounded<90, 2560>>,
    /// Who looks after it.
    #[schemars(extend("x-mutate" = ["platform", "security"]))]
    pub owner: Option<String>,
}

/// What is known of the key, made or half made.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Live {
    alias: String,
    /// There is a key with our tag, with or without the alias.
    made: bool,
    aliased: bool,
    /// 0 where it is never rotated.
    rotation_days: u32,
    owner: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Write {
    Create { alias: String, owner: Option<String>, account: String },
    Alias { alias: String },
    Rotate { alias: String, days: u32 },
    Tag { alias: String, owner: String },
}

const CREATE: Call = Call::needing("kms:CreateKey", &["kms:CreateKey", "kms:TagResource"]).once();
const ALIAS: Call = Call::needing(
    "kms:CreateAlias",
    &["kms:CreateAlias", "kms:DescribeKey", "kms:ListKeys", "kms:ListResourceTags"],
);
const ROTATE: Call = Call::new("kms:EnableKeyRotation");
const TAG: Call = Call::new("kms:TagResource");
/// Marks the key before it has its alias: how one that was made without an answer is found again.
const MARK: &str = "specimen";

impl AwsWrite for Write {
    fn call(&self) -> &'static Call {
        match self {
            Self::Create { .. } => const { &CREATE },
            Self::Alias { .. } => const { &ALIAS },
            Self::Rotate { .. } => const { &ROTATE },
            Self::Tag { .. } => const { &TAG },
        }
    }
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create { alias, .. } => write!(f, "make a key for {alias}"),
            Self::Alias { alias } => write!(f, "name it {alias}"),
            Self::Rotate { alias, days } => write!(f, "rotate {alias} every {days} days"),
            Self::Tag { alias, owner } => write!(f, "say that {owner} looks after {alias}"),
        }
    }
}

fn tag(key: &str, value: &str) -> Tag {
    Tag::builder().tag_key(key).tag_value(value).build().expect("both are given")
}

async fn by_alias(kms: &aws_sdk_kms::Client, alias: &str) -> Result<Option<String>, Fault> {
    match kms.describe_key().key_id(alias).send().await {
        Ok(answer) => Ok(answer.key_metadata.map(|key| key.key_id)),
        Err(error) if error.as_service_error().is_some_and(|e| e.is_not_found_exception()) => Ok(None),
        Err(error) => Err(fault("kms:DescribeKey")(error)),
    }
}

async fn tags(kms: &aws_sdk_kms::Client, id: &str) -> Result<Vec<(String, String)>, Fault> {
    let pages = kms.list_resource_tags().key_id(id).into_paginator().items().send();
    let tags = pages.collect::<Result<Vec<Tag>, _>>().await.map_err(fault("kms:ListResourceTags"))?;
    Ok(tags.into_iter().map(|tag| (tag.tag_key, tag.tag_value)).collect())
}

async fn by_mark(kms: &aws_sdk_kms::Client, alias: &str) -> Result<Option<String>, Fault> {
    let pages = kms.list_keys().into_paginator().items().send();
    let keys = pages.collect::<Result<Vec<_>, _>>().await.map_err(fault("kms:ListKeys"))?;
    for id in keys.into_iter().filter_map(|key| key.key_id) {
        if tags(kms, &id).await?.iter().any(|(key, value)| key == MARK && value == alias) {
            return Ok(Some(id));
        }
    }
    Ok(None)
}

fn gone(alias: &str) -> Fault {
    Fault::local(FaultKind::NotFound, "kms:DescribeKey", format!("there is no key {alias}"))
}

impl Control for Key {
    const META: Meta = Meta {
        id: "specimen.key",
        title: "A key for those who deliver",
        docs: "## What it checks\n\nThe key.\n\n## Why it matters\n\nOthers stand on it.\n\n## What apply does\n\n\
               It makes the key.\n\n## How to undo\n\nBy hand.\n",
        example: "alias: alias/specimen/one\nrotationDays: 365\nowner: platform\n",
        reach: Reach::ACCOUNT,
        rules: &[Rule { id: "key", severity: Severity::Medium, frameworks: &[] }],
        reads: &[
            Call::new("kms:DescribeKey"),
            Call::new("kms:GetKeyRotationStatus"),
            Call::new("kms:ListKeys"),
            Call::new("kms:ListResourceTags"),
        ],
        writes: &[CREATE, ALIAS, ROTATE, TAG],
        events: &[],
        undo: Some("a key is never deleted"),
        tags: false,
    };
    type Desired = KeySpec;
    type Ask = String;
    type Observed = Live;
    type Action = Write;

    fn ask(&self, _: &Facts, spec: &KeySpec) -> String {
        spec.alias.clone().unwrap_or_default()
    }

    async fn observe(&self, aws: &Reader, alias: &String) -> Result<Live, Fault> {
        let kms = aws.kms();
        let live = Live { alias: alias.clone(), ..Live::default() };
        if alias.is_empty() {
            return Ok(live);
        }
        let named = by_alias(&kms, alias).await?;
        let aliased = named.is_some();
        let id = match named {
            Some(id) => id,
            None => match by_mark(&kms, alias).await? {
                Some(id) => id,
                None => return Ok(live),
            },
        };
        let rotation = kms.get_key_rotation_status().key_id(&id).send().await;
        let rotation = rotation.map_err(fault("kms:GetKeyRotationStatus"))?;
        let days = rotation.rotation_period_in_days.and_then(|days| u32::try_from(days).ok());
        let owner =
            tags(&kms, &id).await?.into_iter().find(|(key, _)| key == "owner").map(|(_, value)| value);
        Ok(Live { made: true, aliased, rotation_days: days.unwrap_or(0), owner, ..live })
    }

    fn plan(&self, facts: &Facts, _: &Known, spec: &KeySpec, live: &Live) -> Vec<Finding<Write>> {
        let Some(alias) = spec.alias.clone() else { return Vec::new() };
        let (mut fields, mut steps) = (Vec::new(), Vec::new());
        let before = |value: Value| if live.aliased { value } else { Value::Null };
        if !live.made {
            let (owner, account) = (spec.owner.clone(), facts.scope.account.to_string());
            steps.push(Write::Create { alias: alias.clone(), owner, account });
        }
        if !live.aliased {
            fields.push(Field::new("/alias", Value::Null, alias.as_str()));
            steps.push(Write::Alias { alias: alias.clone() });
        }
        if let Some(days) = spec.rotation_days.map(Bounded::get).filter(|days| *days != live.rotation_days) {
            fields.push(Field::new("/rotationDays", before(live.rotation_days.into()), days));
            steps.push(Write::Rotate { alias: alias.clone(), days });
        }
        if let Some(owner) = spec.owner.clone().filter(|owner| Some(owner) != live.owner.as_ref()) {
            fields.push(Field::new("/owner", before(live.owner.clone().into()), owner.as_str()));
            if live.made {
                steps.push(Write::Tag { alias: alias.clone(), owner });
            }
        }
        let verdict = if steps.is_empty() {
            Verdict::InSync
        } else if live.aliased {
            Verdict::Change(Change::update(fields, steps))
        } else {
            let (account, region) = (facts.scope.account.clone(), facts.scope.region.clone());
            let makes = vec![Thing::Key { account, region, alias: alias.clone() }];
            Verdict::Change(Change { makes, ..Change::create(fields, steps) })
        };
        vec![Finding::new(alias, "key", verdict)]
    }

    async fn apply(&self, aws: &Writer, _: &Known, write: &Write) -> Result<(), Fault> {
        let kms = aws.kms();
        match write {
            Write::Create { alias, owner, account } => {
                let owner = owner.as_ref().map(|owner| tag("owner", owner));
                let tags = std::iter::once(tag(MARK, alias)).chain(owner).collect();
                let call = kms.create_key().policy(bench::key_policy(account)).set_tags(Some(tags));
                call.send().await.map_err(fault(CREATE.operation))?;
            }
            Write::Alias { alias } => {
                let id = by_mark(&kms, alias).await?.ok_or_else(|| gone(alias))?;
                let call = kms.create_alias().alias_name(alias).target_key_id(id);
                call.send().await.map_err(fault(ALIAS.operation))?;
            }
            Write::Rotate { alias, days } => {
                let id = by_alias(&kms, alias).await?.ok_or_else(|| gone(alias))?;
                let days = i32::try_from(*days).unwrap_or(i32::MAX);
                let call = kms.enable_key_rotation().key_id(id).rotation_period_in_days(days);
                call.send().await.map_err(fault(ROTATE.operation))?;
            }
            Write::Tag { alias, owner } => {
                let id = by_alias(&kms, alias).await?.ok_or_else(|| gone(alias))?;
                let call = kms.tag_resource().key_id(id).tags(tag("owner", owner));
                call.send().await.map_err(fault(TAG.operation))?;
            }
        }
        Ok(())
    }

    fn import(&self, _: &Facts, _: &Known, live: &Live) -> Option<KeySpec> {
        live.aliased.then(|| KeySpec {
            alias: Some(live.alias.clone()),
            rotation_days: Bounded::new(live.rotation_days),
            owner: live.owner.clone(),
        })
    }

    fn inverse(&self, resource: &str, fields: &[Field]) -> Option<KeySpec> {
        let before = |path: &str| fields.iter().find(|field| field.path == path).map(|field| &field.before);
        let days = before("/rotationDays").and_then(Value::as_u64).and_then(|days| u32::try_from(days).ok());
        Some(KeySpec {
            alias: Some(resource.to_owned()),
            rotation_days: days.and_then(Bounded::new),
            owner: before("/owner").and_then(Value::as_str).map(str::to_owned),
        })
    }
}
