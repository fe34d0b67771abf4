//! How each write is sent: names become ARNs here, and what a call would overwrite is read first.

use std::collections::BTreeMap;
use std::fmt;

use aws_sdk_cloudtrail::types::{InsightSelector, Tag};
use serde_json::{Value, json};

use super::arn;
use super::live::{self, Insights, POLICY};
use super::selectors::written;
use super::spec::EventsSpec;
use super::write::{
    CREATE_LOG_GROUP, CREATE_ROLE, CREATE_TRAIL, Encryption, PUT_EVENTS, PUT_INSIGHTS, PUT_RETENTION,
    PUT_ROLE_POLICY, START_LOGGING, STOP_LOGGING, Settings, TRUST, UPDATE_TRAIL, Write,
};
use crate::aws::{Writer, fault};
use crate::control::{Call, Known};
use crate::diff::policy;
use crate::fault::{Fault, FaultKind};
use crate::place::Scope;

/// Who may take the role.
pub fn trust_statement() -> Value {
    json!({
        "Sid": "BaselineCloudTrail",
        "Effect": "Allow",
        "Principal": {"Service": "cloudtrail.amazonaws.com"},
        "Action": "sts:AssumeRole",
    })
}

/// What the role may do. Each group has its own statement, so that the trail delivers on while it is turned from
/// one group to another.
pub fn logs_statement(scope: &Scope, group: &str, organization: Option<&str>) -> Value {
    let group_letters: String = group.chars().filter(char::is_ascii_alphanumeric).collect();
    json!({
        "Sid": format!("Baseline{group_letters}"),
        "Effect": "Allow",
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": arn::of_streams(scope, group, organization),
    })
}

fn not_there(call: &Call, what: impl fmt::Display) -> Fault {
    Fault::local(FaultKind::NotFound, call.operation, format!("{what} is not there"))
}

impl Encryption {
    /// An empty text ends encryption with a key.
    fn key(&self, known: &Known, call: &Call) -> Result<String, Fault> {
        match self {
            Self::WithoutKey => Ok(String::new()),
            Self::With(key) => known.arn(key).map(str::to_owned).ok_or_else(|| not_there(call, key)),
        }
    }
}

impl Settings {
    /// An empty text stays one: it takes away.
    fn group_arn(&self, scope: &Scope) -> Option<String> {
        let of = |group: &String| if group.is_empty() { String::new() } else { arn::of_group(scope, group) };
        self.group.as_ref().map(of)
    }

    /// A role may have a path that its name does not tell. One that IAM does not show yet was just made,
    /// without one.
    async fn role_arn(&self, aws: &Writer) -> Result<Option<String>, Fault> {
        let Some(role) = self.role.as_ref().filter(|role| !role.is_empty()) else {
            return Ok(self.role.clone());
        };
        let live = live::role_arn(&aws.iam(), role).await?;
        Ok(Some(live.unwrap_or_else(|| arn::of_role(&aws.scope, role))))
    }
}

impl Write {
    pub async fn send(&self, aws: &Writer, known: &Known) -> Result<(), Fault> {
        match self {
            Self::CreateLogGroup { .. }
            | Self::PutRetention { .. }
            | Self::CreateRole { .. }
            | Self::Trust { .. }
            | Self::PutRolePolicy { .. } => self.send_for_logs(aws).await,
            Self::CreateTrail { trail, settings, tags } => create(aws, known, trail, settings, tags).await,
            Self::UpdateTrail { trail, settings } => update(aws, known, trail, settings).await,
            Self::PutEvents { trail, events } => put_events(aws, trail, events).await,
            Self::PutInsights { trail, insights } => put_insights(aws, trail, insights).await,
            Self::StartLogging { trail } => {
                let sent = aws.cloudtrail().start_logging().name(trail).send().await;
                sent.map(drop).map_err(fault(START_LOGGING.operation))
            }
            Self::StopLogging { trail } => {
                let sent = aws.cloudtrail().stop_logging().name(trail).send().await;
                sent.map(drop).map_err(fault(STOP_LOGGING.operation))
            }
        }
    }

    async fn send_for_logs(&self, aws: &Writer) -> Result<(), Fault> {
        let (logs, iam) = (aws.logs(), aws.iam());
        match self {
            Self::CreateLogGroup { group, tags } => {
                let tags = (!tags.is_empty()).then(|| tags.clone().into_iter().collect());
                let sent = logs.create_log_group().log_group_name(group).set_tags(tags).send().await;
                sent.map(drop).map_err(fault(CREATE_LOG_GROUP.operation))
            }
            Self::PutRetention { group, days } => {
                let days = i32::try_from(*days).unwrap_or(i32::MAX);
                let call = logs.put_retention_policy().log_group_name(group).retention_in_days(days);
                call.send().await.map(drop).map_err(fault(PUT_RETENTION.operation))
            }
            Self::CreateRole { role, tags } => {
                let trust = policy::with_statements(None, &[trust_statement()]);
                let tag = |(key, value): (&String, &String)| {
                    aws_sdk_iam::types::Tag::builder().key(key).value(value).build().ok()
                };
                let tags: Vec<_> = tags.iter().filter_map(tag).collect();
                let call = iam
                    .create_role()
                    .role_name(role)
                    .assume_role_policy_document(trust.to_string())
                    .description("CloudTrail writes to CloudWatch Logs with it")
                    .set_tags((!tags.is_empty()).then_some(tags));
                call.send().await.map(drop).map_err(fault(CREATE_ROLE.operation))
            }
            Self::Trust { role } => {
                let (live, _) = live::trust(&iam, role).await?.ok_or_else(|| not_there(&TRUST, role))?;
                let trust = policy::with_statements(Some(&live), &[trust_statement()]);
                let call = iam.update_assume_role_policy().role_name(role).policy_document(trust.to_string());
                call.send().await.map(drop).map_err(fault(TRUST.operation))
            }
            Self::PutRolePolicy { role, group, organization } => {
                let live = live::policy(&iam, role).await?;
                let ours = logs_statement(&aws.scope, group, organization.as_deref());
                let document = policy::with_statements(live.as_ref(), &[ours]);
                let call = iam
                    .put_role_policy()
                    .role_name(role)
                    .policy_name(POLICY)
                    .policy_document(document.to_string());
                call.send().await.map(drop).map_err(fault(PUT_ROLE_POLICY.operation))
            }
            _ => Ok(()),
        }
    }
}

async fn create(
    aws: &Writer,
    known: &Known,
    trail: &str,
    settings: &Settings,
    tags: &BTreeMap<String, String>,
) -> Result<(), Fault> {
    let key = settings.encryption.as_ref().map(|with| with.key(known, &CREATE_TRAIL)).transpose()?;
    let role = settings.role_arn(aws).await?;
    let tag = |(key, value): (&String, &String)| Tag::builder().key(key).value(value).build().ok();
    let tags: Vec<Tag> = tags.iter().filter_map(tag).collect();
    let call = aws
        .cloudtrail()
        .create_trail()
        .name(trail)
        .set_s3_bucket_name(settings.bucket.clone())
        .set_s3_key_prefix(settings.prefix.clone())
        .set_sns_topic_name(settings.topic.clone())
        .set_include_global_service_events(settings.global_events)
        .set_is_multi_region_trail(settings.multi_region)
        .set_enable_log_file_validation(settings.log_file_validation)
        .set_kms_key_id(key.filter(|key| !key.is_empty()))
        .set_is_organization_trail(settings.organization)
        .set_cloud_watch_logs_log_group_arn(settings.group_arn(&aws.scope))
        .set_cloud_watch_logs_role_arn(role)
        .set_tags_list((!tags.is_empty()).then_some(tags));
    call.send().await.map(drop).map_err(fault(CREATE_TRAIL.operation))
}

async fn update(aws: &Writer, known: &Known, trail: &str, settings: &Settings) -> Result<(), Fault> {
    let key = settings.encryption.as_ref().map(|with| with.key(known, &UPDATE_TRAIL)).transpose()?;
    let role = settings.role_arn(aws).await?;
    let call = aws
        .cloudtrail()
        .update_trail()
        .name(trail)
        .set_s3_bucket_name(settings.bucket.clone())
        .set_s3_key_prefix(settings.prefix.clone())
        .set_sns_topic_name(settings.topic.clone())
        .set_include_global_service_events(settings.global_events)
        .set_is_multi_region_trail(settings.multi_region)
        .set_enable_log_file_validation(settings.log_file_validation)
        .set_kms_key_id(key)
        .set_is_organization_trail(settings.organization)
        .set_cloud_watch_logs_log_group_arn(settings.group_arn(&aws.scope))
        .set_cloud_watch_logs_role_arn(role);
    call.send().await.map(drop).map_err(fault(UPDATE_TRAIL.operation))
}

/// The call replaces all selectors.
async fn put_events(aws: &Writer, trail: &str, events: &EventsSpec) -> Result<(), Fault> {
    let cloudtrail = aws.cloudtrail();
    let live = live::events(&cloudtrail, trail).await?;
    let wanted: Option<Vec<_>> = live.with(events).iter().map(written).collect();
    let wanted = wanted.ok_or_else(|| not_there(&PUT_EVENTS, "a selector's field"))?;
    let call = cloudtrail.put_event_selectors().trail_name(trail).set_advanced_event_selectors(Some(wanted));
    call.send().await.map(drop).map_err(fault(PUT_EVENTS.operation))
}

/// The call replaces all kinds.
async fn put_insights(aws: &Writer, trail: &str, wanted: &BTreeMap<String, bool>) -> Result<(), Fault> {
    let cloudtrail = aws.cloudtrail();
    let live = live::insights(&cloudtrail, trail).await?;
    let selectors = with_insights(live, wanted).into_iter().map(|(kind, categories)| {
        let categories: Vec<_> = categories.iter().map(|category| category.as_str().into()).collect();
        InsightSelector::builder()
            .insight_type(kind.as_str().into())
            .set_event_categories((!categories.is_empty()).then_some(categories))
            .build()
    });
    let call =
        cloudtrail.put_insight_selectors().trail_name(trail).set_insight_selectors(Some(selectors.collect()));
    call.send().await.map(drop).map_err(fault(PUT_INSIGHTS.operation))
}

/// Only management events are declared here; Insights on data events stay.
pub fn with_insights(mut live: Insights, wanted: &BTreeMap<String, bool>) -> Insights {
    for (kind, on) in wanted {
        let mut categories = live.remove(kind).unwrap_or_default();
        // None said is management events.
        if *on {
            categories.insert("Management".into());
        } else {
            categories.remove("Management");
        }
        if !categories.is_empty() {
            live.insert(kind.clone(), categories);
        }
    }
    live
}
