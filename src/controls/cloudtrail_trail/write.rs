//! The writes: in names, with ARNs put together or looked up when they run.

use std::collections::BTreeMap;
use std::fmt;

use aws_sdk_cloudtrail::types::{InsightSelector, Tag};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::arn;
use super::live::{self, Insights, POLICY};
use super::selectors::written;
use super::spec::EventsSpec;
use crate::aws::{Writer, fault};
use crate::control::{AwsWrite, Call, Known, Thing};
use crate::diff::policy;
use crate::fault::{Fault, FaultKind};
use crate::place::Scope;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Write {
    CreateLogGroup {
        group: String,
        tags: BTreeMap<String, String>,
    },
    PutRetention {
        group: String,
        days: u32,
    },
    CreateRole {
        role: String,
        tags: BTreeMap<String, String>,
    },
    /// Lets CloudTrail take a role that exists; whom else it trusts stays.
    Trust {
        role: String,
    },
    /// Lets the role write to the log group.
    PutRolePolicy {
        role: String,
        group: String,
        organization: Option<String>,
    },
    CreateTrail {
        trail: String,
        settings: Settings,
        tags: BTreeMap<String, String>,
    },
    UpdateTrail {
        trail: String,
        settings: Settings,
    },
    /// Families that are not declared, and selectors of others, are read and sent along.
    PutEvents {
        trail: String,
        events: EventsSpec,
    },
    PutInsights {
        trail: String,
        insights: BTreeMap<String, bool>,
    },
    StartLogging {
        trail: String,
    },
    StopLogging {
        trail: String,
    },
}

/// What is sent of a trail; what is left out stays as it is (API reference, UpdateTrail). An empty text takes
/// away what is set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Settings {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub multi_region: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub global_events: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_file_validation: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bucket: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encryption: Option<Encryption>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Encryption {
    With(Thing),
    WithoutKey,
}

pub const CREATE_LOG_GROUP: Call =
    Call::needing("logs:CreateLogGroup", &["logs:CreateLogGroup", "logs:TagResource"]);
pub const PUT_RETENTION: Call = Call::new("logs:PutRetentionPolicy");
pub const CREATE_ROLE: Call = Call::needing("iam:CreateRole", &["iam:CreateRole", "iam:TagRole"]);
pub const TRUST: Call =
    Call::needing("iam:UpdateAssumeRolePolicy", &["iam:UpdateAssumeRolePolicy", "iam:GetRole"]);
pub const PUT_ROLE_POLICY: Call =
    Call::needing("iam:PutRolePolicy", &["iam:PutRolePolicy", "iam:GetRolePolicy"]);
/// An organisation's first trail makes CloudTrail's service-linked role and lets it into the organisation.
pub const CREATE_TRAIL: Call = Call::needing(
    "cloudtrail:CreateTrail",
    &[
        "cloudtrail:CreateTrail",
        "cloudtrail:AddTags",
        "iam:CreateServiceLinkedRole",
        "iam:GetRole",
        "iam:PassRole",
        "organizations:DescribeOrganization",
        "organizations:EnableAWSServiceAccess",
        "organizations:ListAWSServiceAccessForOrganization",
    ],
);
pub const UPDATE_TRAIL: Call = Call::needing(
    "cloudtrail:UpdateTrail",
    &[
        "cloudtrail:UpdateTrail",
        "iam:CreateServiceLinkedRole",
        "iam:GetRole",
        "iam:PassRole",
        "organizations:DescribeOrganization",
        "organizations:EnableAWSServiceAccess",
        "organizations:ListAWSServiceAccessForOrganization",
    ],
);
pub const PUT_EVENTS: Call = Call::needing(
    "cloudtrail:PutEventSelectors",
    &["cloudtrail:PutEventSelectors", "cloudtrail:GetEventSelectors"],
);
pub const PUT_INSIGHTS: Call = Call::needing(
    "cloudtrail:PutInsightSelectors",
    &["cloudtrail:PutInsightSelectors", "cloudtrail:GetInsightSelectors"],
);
pub const START_LOGGING: Call = Call::new("cloudtrail:StartLogging");
pub const STOP_LOGGING: Call = Call::new("cloudtrail:StopLogging");

impl AwsWrite for Write {
    fn call(&self) -> &'static Call {
        match self {
            Self::CreateLogGroup { .. } => const { &CREATE_LOG_GROUP },
            Self::PutRetention { .. } => const { &PUT_RETENTION },
            Self::CreateRole { .. } => const { &CREATE_ROLE },
            Self::Trust { .. } => const { &TRUST },
            Self::PutRolePolicy { .. } => const { &PUT_ROLE_POLICY },
            Self::CreateTrail { .. } => const { &CREATE_TRAIL },
            Self::UpdateTrail { .. } => const { &UPDATE_TRAIL },
            Self::PutEvents { .. } => const { &PUT_EVENTS },
            Self::PutInsights { .. } => const { &PUT_INSIGHTS },
            Self::StartLogging { .. } => const { &START_LOGGING },
            Self::StopLogging { .. } => const { &STOP_LOGGING },
        }
    }
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CreateLogGroup { group, .. } => write!(f, "create log group {group}"),
            Self::PutRetention { group, days } => write!(f, "keep log group {group} for {days} days"),
            Self::CreateRole { role, .. } => write!(f, "create role {role} for CloudTrail"),
            Self::Trust { role } => write!(f, "let CloudTrail take role {role}"),
            Self::PutRolePolicy { role, group, .. } => {
                write!(f, "let role {role} write to log group {group}")
            }
            Self::CreateTrail { trail, .. } => write!(f, "create trail {trail}"),
            Self::UpdateTrail { trail, settings } if settings.group.is_some() => {
                write!(f, "set CloudWatch Logs of trail {trail}")
            }
            Self::UpdateTrail { trail, .. } => write!(f, "update trail {trail}"),
            Self::PutEvents { trail, .. } => write!(f, "select the events of trail {trail}"),
            Self::PutInsights { trail, .. } => write!(f, "select the Insights of trail {trail}"),
            Self::StartLogging { trail } => write!(f, "start trail {trail}"),
            Self::StopLogging { trail } => write!(f, "stop trail {trail}"),
        }
    }
}

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
