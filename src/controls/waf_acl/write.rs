//! The writes: by name, with ids, ARNs and lock tokens looked up when they run.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use aws_sdk_wafv2::Client;
use aws_sdk_wafv2::error::BuildError;
use aws_sdk_wafv2::types::{
    AllowAction, BlockAction, CustomResponseBody, DefaultAction, IpAddressVersion, ResponseContentType,
    Scope, Tag,
};
use serde::{Deserialize, Serialize};

use super::logging::LoggingSpec;
use super::read::{self, Entry};
use super::rules::{merged, visible};
use super::sets::{Ip, Lists, Missing, References};
use super::spec::AclSpec;
use super::words::{ContentType, Description, Otherwise};
use crate::aws::{Writer, fault};
use crate::control::{AwsWrite, Call};
use crate::fault::{Fault, FaultKind};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Write {
    CreateIpSet { set: String, version: Ip, addresses: BTreeSet<String>, tags: BTreeMap<String, String> },
    UpdateIpSet { set: String, addresses: BTreeSet<String> },
    CreateAcl { acl: String, spec: Box<AclSpec>, lists: Lists, tags: BTreeMap<String, String> },
    UpdateAcl { acl: String, spec: Box<AclSpec>, lists: Lists },
    PutLogging { acl: String, logging: LoggingSpec },
}

// Ids, ARNs and lock tokens are looked up by the role that writes.
const LIST_ACLS: &str = "wafv2:ListWebACLs";
const GET_ACL: &str = "wafv2:GetWebACL";
const LIST_SETS: &str = "wafv2:ListIPSets";
const GET_SET: &str = "wafv2:GetIPSet";
const TAG: &str = "wafv2:TagResource";

/// A name is taken by the first: sent twice, the second is refused, and a look shows that the first has landed.
pub const CREATE_SET: Call = Call::needing("wafv2:CreateIPSet", &["wafv2:CreateIPSet", TAG]);
pub const UPDATE_SET: Call = Call::needing("wafv2:UpdateIPSet", &["wafv2:UpdateIPSet", LIST_SETS, GET_SET]);
pub const CREATE_ACL: Call = Call::needing("wafv2:CreateWebACL", &["wafv2:CreateWebACL", LIST_SETS, TAG]);
pub const UPDATE_ACL: Call =
    Call::needing("wafv2:UpdateWebACL", &["wafv2:UpdateWebACL", LIST_ACLS, GET_ACL, LIST_SETS]);
/// AWS WAF Developer Guide, "Logging destinations": what each destination takes.
pub const PUT_LOGGING: Call = Call::needing(
    "wafv2:PutLoggingConfiguration",
    &[
        "wafv2:PutLoggingConfiguration",
        "wafv2:GetLoggingConfiguration",
        LIST_ACLS,
        "firehose:ListDeliveryStreams",
        "iam:CreateServiceLinkedRole",
        "logs:CreateLogDelivery",
        "logs:DeleteLogDelivery",
        "logs:DescribeLogGroups",
        "logs:DescribeResourcePolicies",
        "logs:PutResourcePolicy",
        "s3:GetBucketPolicy",
        "s3:PutBucketPolicy",
    ],
);

impl AwsWrite for Write {
    fn call(&self) -> &'static Call {
        match self {
            Self::CreateIpSet { .. } => const { &CREATE_SET },
            Self::UpdateIpSet { .. } => const { &UPDATE_SET },
            Self::CreateAcl { .. } => const { &CREATE_ACL },
            Self::UpdateAcl { .. } => const { &UPDATE_ACL },
            Self::PutLogging { .. } => const { &PUT_LOGGING },
        }
    }
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CreateIpSet { set, .. } => write!(f, "create the IP set {set}"),
            Self::UpdateIpSet { set, .. } => write!(f, "update the IP set {set}"),
            Self::CreateAcl { acl, .. } => write!(f, "create the web ACL {acl}"),
            Self::UpdateAcl { acl, .. } => write!(f, "update the web ACL {acl}"),
            Self::PutLogging { acl, logging } => match &logging.to {
                Some(to) => write!(f, "log the web ACL {acl} to {}", to.as_str()),
                None => write!(f, "change what is logged of the web ACL {acl}"),
            },
        }
    }
}

/// `TagList` of the model has one tag at least.
fn tags_of(tags: &BTreeMap<String, String>) -> Result<Option<Vec<Tag>>, BuildError> {
    let tag = |(key, value): (&String, &String)| Tag::builder().key(key).value(value).build();
    let all = tags.iter().map(tag).collect::<Result<Vec<_>, _>>()?;
    Ok((!all.is_empty()).then_some(all))
}

fn built(call: &str) -> impl Fn(BuildError) -> Fault {
    move |error| Fault::local(FaultKind::Invalid, call, error.to_string())
}

/// An IP set that is not there yet may be another web ACL's to make: it is waited for.
fn missing(call: &str) -> impl Fn(Missing) -> Fault {
    move |why| {
        let kind = if matches!(why, Missing::Set(_)) { FaultKind::NotReady } else { FaultKind::Invalid };
        Fault::local(kind, call, why.to_string())
    }
}

fn gone(call: &str, what: &str, name: &str) -> Fault {
    Fault::local(FaultKind::NotFound, call, format!("there is no {what} {name} any more"))
}

/// The declared default action; the live one with its response where it is the same.
fn default_action(declared: Option<Otherwise>, live: Option<&DefaultAction>) -> DefaultAction {
    let made = DefaultAction::builder();
    match (declared, live) {
        (Some(Otherwise::Block), Some(live)) if live.block.is_some() => live.clone(),
        (Some(Otherwise::Allow) | None, Some(live)) if live.allow.is_some() => live.clone(),
        (None, Some(live)) => live.clone(),
        (Some(Otherwise::Block), _) => made.block(BlockAction::builder().build()).build(),
        (Some(Otherwise::Allow) | None, _) => made.allow(AllowAction::builder().build()).build(),
    }
}

type Bodies = std::collections::HashMap<String, CustomResponseBody>;

/// The live bodies with the declared ones in them.
fn bodies(spec: &AclSpec, live: Option<Bodies>) -> Result<Option<Bodies>, BuildError> {
    let mut all = live.unwrap_or_default();
    for (name, body) in &spec.responses {
        let old = all.get(name);
        let content_type = match (body.content_type, old) {
            (Some(declared), _) => ResponseContentType::from(declared.word()),
            (None, Some(old)) => old.content_type.clone(),
            (None, None) => ResponseContentType::from(ContentType::TextPlain.word()),
        };
        let content = body.content.as_ref().map(|content| content.as_str().to_owned());
        let content = content.or_else(|| old.map(|old| old.content.clone()));
        let made = CustomResponseBody::builder().content_type(content_type).set_content(content).build()?;
        all.insert(name.clone(), made);
    }
    Ok((!all.is_empty()).then_some(all))
}

/// The IP sets of the account with their ARNs.
async fn arns(waf: &Client, scope: &Scope) -> Result<BTreeMap<String, String>, Fault> {
    let there = read::sets(waf, scope).await?;
    Ok(there.into_iter().map(|(name, Entry { arn, .. })| (name, arn)).collect())
}

impl Write {
    pub async fn send(&self, aws: &Writer, scope: &Scope) -> Result<(), Fault> {
        let waf = aws.waf();
        let call = self.call().operation;
        match self {
            Self::CreateIpSet { set, version, addresses, tags } => {
                waf.create_ip_set()
                    .name(set)
                    .scope(scope.clone())
                    .ip_address_version(IpAddressVersion::from(version.word()))
                    .set_addresses(Some(addresses.iter().cloned().collect()))
                    .set_tags(tags_of(tags).map_err(built(call))?)
                    .send()
                    .await
                    .map_err(fault(call))?;
            }
            Self::UpdateIpSet { set, addresses } => {
                let there = read::sets(&waf, scope).await?;
                let entry = there.get(set).ok_or_else(|| gone(call, "IP set", set))?;
                let get = waf.get_ip_set().name(set).scope(scope.clone()).id(&entry.id);
                let live = get.send().await.map_err(fault(GET_SET))?;
                waf.update_ip_set()
                    .name(set)
                    .scope(scope.clone())
                    .id(&entry.id)
                    .set_description(
                        live.ip_set.and_then(|set| set.description).filter(|text| !text.is_empty()),
                    )
                    .set_addresses(Some(addresses.iter().cloned().collect()))
                    .set_lock_token(live.lock_token)
                    .send()
                    .await
                    .map_err(fault(call))?;
            }
            Self::CreateAcl { acl, spec, lists, tags } => {
                let arns = if lists.is_empty() { BTreeMap::new() } else { arns(&waf, scope).await? };
                let sets = References { lists, arns: &arns };
                waf.create_web_acl()
                    .name(acl)
                    .scope(scope.clone())
                    .default_action(default_action(spec.default_action, None))
                    .set_description(spec.description.as_ref().and_then(Description::text))
                    .set_rules(Some(merged(&[], spec, &sets).map_err(missing(call))?))
                    .visibility_config(visible(None, acl, spec).map_err(built(call))?)
                    .set_custom_response_bodies(bodies(spec, None).map_err(built(call))?)
                    .set_tags(tags_of(tags).map_err(built(call))?)
                    .send()
                    .await
                    .map_err(fault(call))?;
            }
            Self::UpdateAcl { acl, spec, lists } => update(&waf, scope, acl, spec, lists).await?,
            Self::PutLogging { acl, logging } => {
                let there = read::acls(&waf, scope).await?;
                let entry = there.get(acl).ok_or_else(|| gone(call, "web ACL", acl))?;
                let live = read::logging_configuration(&waf, &entry.arn).await?;
                let whole = logging.onto(live, &entry.arn, &aws.scope).map_err(built(call))?;
                let whole =
                    whole.ok_or_else(|| Fault::local(FaultKind::Invalid, call, "nothing says where to"))?;
                let put = waf.put_logging_configuration().logging_configuration(whole);
                put.send().await.map_err(fault(call))?;
            }
        }
        Ok(())
    }
}

/// UpdateWebACL replaces everything: what is not declared goes back as it was read right before, and the lock token
/// of that look makes WAF refuse the change if anybody was there in between.
async fn update(waf: &Client, scope: &Scope, name: &str, spec: &AclSpec, lists: &Lists) -> Result<(), Fault> {
    let call = UPDATE_ACL.operation;
    let there = read::acls(waf, scope).await?;
    let entry = there.get(name).ok_or_else(|| gone(call, "web ACL", name))?;
    let (live, token) = read::acl(waf, scope, name, &entry.id).await?;
    let sets = References { lists, arns: &arns(waf, scope).await? };
    let rules = merged(live.rules(), spec, &sets).map_err(missing(call))?;
    let visibility = visible(live.visibility_config.as_ref(), name, spec).map_err(built(call))?;
    // WAF tells an empty text where there is none, and takes none back.
    let description = match &spec.description {
        Some(declared) => declared.text(),
        None => live.description.filter(|text| !text.is_empty()),
    };
    waf.update_web_acl()
        .name(name)
        .scope(scope.clone())
        .id(&entry.id)
        .lock_token(token)
        .default_action(default_action(spec.default_action, live.default_action.as_ref()))
        .set_description(description)
        .set_rules(Some(rules))
        .visibility_config(visibility)
        .set_custom_response_bodies(bodies(spec, live.custom_response_bodies).map_err(built(call))?)
        .set_data_protection_config(live.data_protection_config)
        .set_captcha_config(live.captcha_config)
        .set_challenge_config(live.challenge_config)
        .set_token_domains(live.token_domains.filter(|domains| !domains.is_empty()))
        .set_association_config(live.association_config)
        .set_on_source_d_do_s_protection_config(live.on_source_d_do_s_protection_config)
        .set_application_config(live.application_config)
        .set_monetization_config(live.monetization_config)
        .send()
        .await
        .map(drop)
        .map_err(fault(call))
}
