//! The writes, in names: what a plan holds.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::spec::EventsSpec;
use crate::control::{AwsWrite, Call, Thing};

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
