//! The writes.

use std::collections::BTreeMap;
use std::fmt;

use aws_sdk_guardduty::types::FilterAction;
use serde::{Deserialize, Serialize};

use super::live::written;
use super::spec::{Action, Condition, FilterSpec};
use crate::aws::{Writer, fault};
use crate::control::{AwsWrite, Call};
use crate::fault::{Fault, FaultKind};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Write {
    Create { name: String, filter: Patch, tags: BTreeMap<String, String> },
    Update { name: String, filter: Patch },
}

/// What is sent of a filter; what is left out stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Patch {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<Action>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rank: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub criteria: Option<BTreeMap<String, Condition>>,
}

/// The detector's id is looked up by the role that writes.
pub const CREATE: Call = Call::needing(
    "guardduty:CreateFilter",
    &["guardduty:CreateFilter", "guardduty:ListDetectors", "guardduty:TagResource"],
);
pub const UPDATE: Call =
    Call::needing("guardduty:UpdateFilter", &["guardduty:ListDetectors", "guardduty:UpdateFilter"]);

impl AwsWrite for Write {
    fn call(&self) -> &'static Call {
        match self {
            Self::Create { .. } => const { &CREATE },
            Self::Update { .. } => const { &UPDATE },
        }
    }
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create { name, .. } => write!(f, "create filter {name}"),
            Self::Update { name, .. } => write!(f, "update filter {name}"),
        }
    }
}

impl Patch {
    pub fn of(spec: &FilterSpec) -> Self {
        Self {
            description: spec.description.clone(),
            action: spec.action,
            rank: spec.rank.map(|rank| rank.get()),
            criteria: spec.criteria.clone(),
        }
    }

    fn action(&self) -> Option<FilterAction> {
        self.action.map(|action| FilterAction::from(action.word()))
    }

    fn rank(&self) -> Option<i32> {
        self.rank.and_then(|rank| rank.try_into().ok())
    }
}

impl Write {
    pub async fn send(&self, aws: &Writer) -> Result<(), Fault> {
        let (guardduty, list) = (aws.guardduty(), "guardduty:ListDetectors");
        let ids = guardduty.list_detectors().send().await.map_err(fault(list))?;
        let id = ids.detector_ids.unwrap_or_default().into_iter().next();
        let id =
            id.ok_or_else(|| Fault::local(FaultKind::NotFound, list, "there is no detector in this region"))?;
        match self {
            Self::Create { name, filter, tags } => {
                let call = guardduty
                    .create_filter()
                    .detector_id(id)
                    .name(name)
                    .set_description(filter.description.clone())
                    .set_action(filter.action())
                    .set_rank(filter.rank())
                    .set_finding_criteria(filter.criteria.as_ref().map(written))
                    .set_tags((!tags.is_empty()).then(|| tags.clone().into_iter().collect()));
                call.send().await.map(drop).map_err(fault(CREATE.operation))
            }
            Self::Update { name, filter } => {
                let call = guardduty
                    .update_filter()
                    .detector_id(id)
                    .filter_name(name)
                    .set_description(filter.description.clone())
                    .set_action(filter.action())
                    .set_rank(filter.rank())
                    .set_finding_criteria(filter.criteria.as_ref().map(written));
                call.send().await.map(drop).map_err(fault(UPDATE.operation))
            }
        }
    }
}
