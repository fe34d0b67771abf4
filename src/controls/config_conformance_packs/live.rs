//! What AWS Config says of conformance packs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::aws::{Reader, fault};
use crate::fault::Fault;

/// The tag that holds the digest of the template, which no call tells.
pub const TEMPLATE: &str = "baseline:template";

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Observed {
    /// How many packs the region has, whoever made them.
    pub total: usize,
    /// Those that were asked for.
    pub packs: BTreeMap<String, Pack>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pack {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document_version: Option<String>,
    /// The digest of the template, as the tag has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    pub parameters: BTreeMap<String, String>,
    /// As AWS says it: `CREATE_COMPLETE`.
    pub state: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
}

const PACKS: &str = "config:DescribeConformancePacks";
const STATUS: &str = "config:DescribeConformancePackStatus";
const TAGS: &str = "config:ListTagsForResource";

pub async fn read(aws: &Reader, names: &[String]) -> Result<Observed, Fault> {
    let (mut observed, arns) = packs(aws, names).await?;
    if observed.packs.is_empty() {
        return Ok(observed);
    }
    let tags = futures::future::try_join_all(
        arns.iter().map(|(name, arn)| async move { digest(aws, arn).await.map(|digest| (name, digest)) }),
    );
    let (states, tags) = futures::try_join!(states(aws), tags)?;
    for (name, (state, reason)) in states {
        observed.packs.entry(name).and_modify(|pack| (pack.state, pack.reason) = (state, reason));
    }
    for (name, digest) in tags {
        observed.packs.entry(name.clone()).and_modify(|pack| pack.template = digest);
    }
    Ok(observed)
}

async fn packs(aws: &Reader, names: &[String]) -> Result<(Observed, Vec<(String, String)>), Fault> {
    let (mut observed, mut arns) = (Observed::default(), Vec::new());
    let mut pages = aws.config().describe_conformance_packs().into_paginator().send();
    while let Some(page) = pages.next().await {
        for one in page.map_err(fault(PACKS))?.conformance_pack_details.unwrap_or_default() {
            observed.total += 1;
            if !names.contains(&one.conformance_pack_name) {
                continue;
            }
            let document = one.template_ssm_document_details;
            let parameters = one.conformance_pack_input_parameters.unwrap_or_default().into_iter();
            let pack = Pack {
                document_version: document.as_ref().and_then(|document| document.document_version.clone()),
                document: document.map(|document| document.document_name),
                parameters: parameters.map(|one| (one.parameter_name, one.parameter_value)).collect(),
                created_by: one.created_by.filter(|by| !by.is_empty()),
                ..Pack::default()
            };
            // Tags of others' packs say nothing here.
            if pack.created_by.is_none() {
                arns.push((one.conformance_pack_name.clone(), one.conformance_pack_arn));
            }
            observed.packs.insert(one.conformance_pack_name, pack);
        }
    }
    Ok((observed, arns))
}

type States = BTreeMap<String, (String, Option<String>)>;

async fn states(aws: &Reader) -> Result<States, Fault> {
    let mut states = BTreeMap::new();
    let mut pages = aws.config().describe_conformance_pack_status().into_paginator().send();
    while let Some(page) = pages.next().await {
        for one in page.map_err(fault(STATUS))?.conformance_pack_status_details.unwrap_or_default() {
            let reason = one.conformance_pack_status_reason.filter(|reason| !reason.is_empty());
            let state = one.conformance_pack_state.as_str().to_owned();
            states.insert(one.conformance_pack_name, (state, reason));
        }
    }
    Ok(states)
}

async fn digest(aws: &Reader, arn: &str) -> Result<Option<String>, Fault> {
    let mut pages = aws.config().list_tags_for_resource().resource_arn(arn).into_paginator().send();
    while let Some(page) = pages.next().await {
        for tag in page.map_err(fault(TAGS))?.tags.unwrap_or_default() {
            if tag.key.as_deref() == Some(TEMPLATE) {
                return Ok(tag.value);
            }
        }
    }
    Ok(None)
}

/// A pack's ARN, for whoever tags it.
pub async fn arn(client: &aws_sdk_config::Client, name: &str) -> Result<Option<String>, Fault> {
    let answer = client.describe_conformance_packs().conformance_pack_names(name).send().await;
    let found = answer.map_err(fault(PACKS))?.conformance_pack_details.unwrap_or_default();
    Ok(found.into_iter().next().map(|one| one.conformance_pack_arn))
}
