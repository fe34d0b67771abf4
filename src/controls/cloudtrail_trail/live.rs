//! What AWS says of the account's trails.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_cloudtrail::operation::get_insight_selectors::GetInsightSelectorsError;
use aws_sdk_cloudtrail::types::InsightSelector;
use futures::future::OptionFuture;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Ask;
use super::arn::Arn;
use super::selectors::Events;
use super::spec::ROLE;
use crate::aws::iam::document;
use crate::aws::{Reader, fault};
use crate::control::Sight;
use crate::fault::Fault;

/// What was found in the home region.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Observed {
    /// The trail that fits: the one of the declared name, or a multi-region one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trail: Option<Trail>,
    /// A trail of the organisation that records this account and cannot be written from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<Trail>,
    /// A multi-region trail of this account that is at home in another region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elsewhere: Option<Elsewhere>,
    /// The names of all trails that record this region, apart from `trail`.
    pub others: BTreeSet<String>,
    /// Where CloudWatch Logs are declared and there is a group to look at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logs: Option<Sight<Logs>>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Trail {
    pub name: String,
    /// Whose it is: the account in its ARN.
    pub account: String,
    pub multi_region: bool,
    pub global_events: bool,
    pub log_file_validation: bool,
    pub bucket: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_arn: Option<String>,
    pub organization: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic_arn: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_arn: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,
    pub logging: bool,
    /// What could not be delivered, by what it was, in AWS's words.
    pub errors: BTreeMap<String, String>,
    /// `None` where it was not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events: Option<Events>,
    /// Kinds of Insights with the categories of events that they look at; `None` where it was not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub insights: Option<Insights>,
}

/// By kind; no categories stand for management events.
pub type Insights = BTreeMap<String, BTreeSet<String>>;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Elsewhere {
    pub name: String,
    pub home: String,
}

/// The log group that is declared, or that the trail has, and the role that is declared.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Logs {
    pub group: String,
    pub exists: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention_days: Option<u32>,
    /// `None` where the trail keeps the role that it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Role {
    pub name: String,
    /// `None` where there is no such role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust: Option<Value>,
    pub tags: BTreeMap<String, String>,
    /// The inline policy that this control writes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Value>,
}

/// The inline policy of the role that this control writes; others beside it are nobody's business here.
pub const POLICY: &str = "baseline-cloudtrail";

/// Looks at the trails that record the home region, and closer at the one that fits.
pub async fn read(aws: &Reader, ask: &Ask) -> Result<Observed, Fault> {
    let cloudtrail = aws.cloudtrail();
    let answer = cloudtrail.describe_trails().include_shadow_trails(true).send().await;
    let listed = answer.map_err(fault("cloudtrail:DescribeTrails"))?.trail_list.unwrap_or_default();
    let (mut own, mut fitting, mut foreign) = (None, Vec::new(), Vec::new());
    let mut observed = Observed::default();
    for live in &listed {
        let arn = Arn::of(live.trail_arn().unwrap_or_default());
        let here = live.home_region() == Some(aws.scope.region.as_str());
        let ours = arn.account == aws.scope.account.as_str();
        let multi_region = live.is_multi_region_trail() == Some(true);
        let trail = described(live, &arn);
        observed.others.insert(trail.name.clone());
        // The organisation's trail is not an account's own to adopt, not even where it is at home.
        let of_all = live.is_organization_trail() == Some(true) && !ask.organization;
        if ours && here && trail.name == ask.name {
            own = Some(trail);
        } else if of_all {
            foreign.push((live.trail_arn().unwrap_or_default().to_owned(), trail));
        } else if ours && here && multi_region {
            fitting.push(trail);
        } else if ours && multi_region {
            let home = live.home_region().unwrap_or_default().to_owned();
            observed.elsewhere = Some(Elsewhere { name: trail.name, home });
        }
    }
    let chosen = match own {
        Some(own) => Some(closer(aws, ask, None, own).await?),
        None => choose(aws, ask, fitting).await?,
    };
    observed.others.retain(|name| chosen.as_ref().is_none_or(|trail| trail.name != *name));
    foreign.sort_by(|a, b| a.0.cmp(&b.0));
    if chosen.is_none()
        && let Some((arn, trail)) = foreign.into_iter().next()
    {
        observed.organization = Some(closer(aws, ask, Some(&arn), trail).await?);
    }
    observed.logs = logs(aws, ask, chosen.as_ref()).await;
    observed.trail = chosen;
    Ok(observed)
}

/// Of several that fit the one that is logging, by order of their names.
async fn choose(aws: &Reader, ask: &Ask, mut fitting: Vec<Trail>) -> Result<Option<Trail>, Fault> {
    fitting.sort_by(|a, b| a.name.cmp(&b.name));
    let mut first = None;
    for trail in fitting {
        let seen = closer(aws, ask, None, trail).await?;
        if seen.logging {
            return Ok(Some(seen));
        }
        first = first.or(Some(seen));
    }
    Ok(first)
}

fn described(live: &aws_sdk_cloudtrail::types::Trail, arn: &Arn<'_>) -> Trail {
    let some = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    Trail {
        name: live.name().unwrap_or_default().to_owned(),
        account: arn.account.to_owned(),
        multi_region: live.is_multi_region_trail() == Some(true),
        global_events: live.include_global_service_events() == Some(true),
        log_file_validation: live.log_file_validation_enabled() == Some(true),
        bucket: live.s3_bucket_name().unwrap_or_default().to_owned(),
        prefix: some(live.s3_key_prefix()),
        key_arn: some(live.kms_key_id()),
        organization: live.is_organization_trail() == Some(true),
        topic_arn: some(live.sns_topic_arn()),
        group_arn: some(live.cloud_watch_logs_log_group_arn()),
        role_arn: some(live.cloud_watch_logs_role_arn()),
        ..Trail::default()
    }
}

/// The trail with what other calls tell of it. A shadow trail goes by its ARN.
async fn closer(aws: &Reader, ask: &Ask, arn: Option<&str>, trail: Trail) -> Result<Trail, Fault> {
    let name = arn.unwrap_or(&trail.name).to_owned();
    let cloudtrail = aws.cloudtrail();
    let status = async {
        let answer = cloudtrail.get_trail_status().name(&name).send().await;
        answer.map_err(fault("cloudtrail:GetTrailStatus"))
    };
    let selectors = OptionFuture::from(ask.events.then(|| events(&cloudtrail, &name)));
    let rates = OptionFuture::from(ask.insights.then(|| insights(&cloudtrail, &name)));
    let (status, selectors, rates) = futures::join!(status, selectors, rates);
    let status = status?;
    let errors = [
        ("log files", status.latest_delivery_error),
        ("digest files", status.latest_digest_delivery_error),
        ("CloudWatch Logs", status.latest_cloud_watch_logs_delivery_error),
        ("SNS topic", status.latest_notification_error),
    ];
    let errors = errors
        .into_iter()
        .filter_map(|(what, error)| Some((what.to_owned(), error.filter(|error| !error.is_empty())?)));
    Ok(Trail {
        logging: status.is_logging == Some(true),
        errors: errors.collect(),
        events: selectors.transpose()?,
        insights: rates.transpose()?,
        ..trail
    })
}

pub async fn events(cloudtrail: &aws_sdk_cloudtrail::Client, name: &str) -> Result<Events, Fault> {
    let answer = cloudtrail.get_event_selectors().trail_name(name).send().await;
    let answer = answer.map_err(fault("cloudtrail:GetEventSelectors"))?;
    Ok(Events::read(answer.event_selectors(), answer.advanced_event_selectors()))
}

/// A trail without Insights answers with an error.
pub async fn insights(cloudtrail: &aws_sdk_cloudtrail::Client, name: &str) -> Result<Insights, Fault> {
    let answer = match cloudtrail.get_insight_selectors().trail_name(name).send().await {
        Err(error)
            if error
                .as_service_error()
                .is_some_and(GetInsightSelectorsError::is_insight_not_enabled_exception) =>
        {
            return Ok(Insights::new());
        }
        answer => answer.map_err(fault("cloudtrail:GetInsightSelectors"))?,
    };
    let kind = |selector: &InsightSelector| {
        let categories = selector.event_categories().iter().map(|category| category.as_str().to_owned());
        Some((selector.insight_type()?.as_str().to_owned(), categories.collect()))
    };
    Ok(answer.insight_selectors().iter().filter_map(kind).collect())
}

/// What is asked of CloudWatch Logs and IAM fails apart: the trail itself is known all the same.
async fn logs(aws: &Reader, ask: &Ask, trail: Option<&Trail>) -> Option<Sight<Logs>> {
    let asked = ask.logs.as_ref()?;
    let live = |arn: Option<&String>| {
        let arn = Arn::of(arn?);
        (arn.account == aws.scope.account.as_str()).then(|| arn.name().to_owned())
    };
    let (live_group, live_role) = match trail {
        Some(trail) => (live(trail.group_arn.as_ref()), live(trail.role_arn.as_ref())),
        None => (None, None),
    };
    let group = asked.group.clone().or_else(|| live_group.clone())?;
    let has_role = trail.is_some_and(|trail| trail.role_arn.is_some());
    // A role that nobody declares has to be allowed another group all the same.
    let undeclared = || match has_role {
        true => live_role.filter(|_| live_group.as_ref() != Some(&group)),
        false => Some(ROLE.to_owned()),
    };
    let role = asked.role.clone().or_else(undeclared);
    let role = OptionFuture::from(role.map(|name| read_role(aws, name)));
    Some(match futures::join!(read_group(aws, group), role) {
        (Ok(logs), None) => Sight::Seen(logs),
        (Ok(logs), Some(Ok(role))) => Sight::Seen(Logs { role: Some(role), ..logs }),
        (Err(fault), _) | (_, Some(Err(fault))) => Sight::Unseen(fault),
    })
}

async fn read_group(aws: &Reader, group: String) -> Result<Logs, Fault> {
    let mut pages = aws.logs().describe_log_groups().log_group_name_prefix(&group).into_paginator().send();
    let mut logs = Logs { group, ..Logs::default() };
    while let Some(page) = pages.next().await {
        let page = page.map_err(fault("logs:DescribeLogGroups"))?;
        for live in page.log_groups.unwrap_or_default() {
            if live.log_group_name.as_deref() == Some(&logs.group) {
                logs.exists = true;
                logs.retention_days = live.retention_in_days.and_then(|days| days.try_into().ok());
                return Ok(logs);
            }
        }
    }
    Ok(logs)
}

async fn read_role(aws: &Reader, name: String) -> Result<Role, Fault> {
    let iam = aws.iam();
    let Some((trust, tags)) = trust(&iam, &name).await? else {
        return Ok(Role { name, ..Role::default() });
    };
    let policy = policy(&iam, &name).await?;
    Ok(Role { name, trust: Some(trust), tags, policy })
}

type Trust = (Value, BTreeMap<String, String>);

/// The role's trust policy and tags; `None` where there is no such role.
pub async fn trust(iam: &aws_sdk_iam::Client, role: &str) -> Result<Option<Trust>, Fault> {
    match iam.get_role().role_name(role).send().await {
        Ok(answer) => Ok(answer.role.map(|role| {
            let tags = role.tags().iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect();
            (document(role.assume_role_policy_document()).unwrap_or_default(), tags)
        })),
        Err(error) if error.as_service_error().is_some_and(|e| e.is_no_such_entity_exception()) => Ok(None),
        Err(error) => Err(fault("iam:GetRole")(error)),
    }
}

/// The role's ARN; `None` where there is no such role.
pub async fn role_arn(iam: &aws_sdk_iam::Client, role: &str) -> Result<Option<String>, Fault> {
    match iam.get_role().role_name(role).send().await {
        Ok(answer) => Ok(answer.role.map(|role| role.arn)),
        Err(error) if error.as_service_error().is_some_and(|e| e.is_no_such_entity_exception()) => Ok(None),
        Err(error) => Err(fault("iam:GetRole")(error)),
    }
}

/// The inline policy that this control writes.
pub async fn policy(iam: &aws_sdk_iam::Client, role: &str) -> Result<Option<Value>, Fault> {
    match iam.get_role_policy().role_name(role).policy_name(POLICY).send().await {
        Ok(answer) => Ok(Some(document(Some(&answer.policy_document)).unwrap_or_default())),
        Err(error) if error.as_service_error().is_some_and(|e| e.is_no_such_entity_exception()) => Ok(None),
        Err(error) => Err(fault("iam:GetRolePolicy")(error)),
    }
}
