//! What GuardDuty says of lists.

use std::collections::BTreeMap;

use futures::future::try_join_all;
use serde::{Deserialize, Serialize};

use super::Ask;
use super::spec::{Format, ListSpec};
use crate::aws::{Reader, fault};
use crate::control::Call;
use crate::fault::Fault;

pub const READS: &[Call] = &[
    Call::new("guardduty:ListDetectors"),
    Call::new("guardduty:GetAdministratorAccount"),
    Call::new("guardduty:ListIPSets"),
    Call::new("guardduty:GetIPSet"),
    Call::new("guardduty:ListThreatIntelSets"),
    Call::new("guardduty:GetThreatIntelSet"),
];

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Live {
    /// The account that administers this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub administrator: Option<String>,
    /// By name.
    pub trusted: BTreeMap<String, List>,
    pub threats: BTreeMap<String, List>,
}

/// A list without its id, in AWS's words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct List {
    pub format: String,
    pub location: String,
    pub status: String,
}

impl List {
    /// Is it in use, or about to be?
    pub fn active(&self) -> bool {
        matches!(self.status.as_str(), "ACTIVE" | "ACTIVATING")
    }

    /// Is it there, or on its way out?
    fn stays(&self) -> bool {
        !matches!(self.status.as_str(), "DELETE_PENDING" | "DELETED")
    }

    /// The spec that describes it.
    pub fn described(&self) -> ListSpec {
        ListSpec {
            format: Format::of(&self.format),
            location: Some(self.location.clone()),
            active: Some(self.active()),
        }
    }
}

pub async fn read(aws: &Reader, ask: &Ask) -> Result<Live, Fault> {
    let guardduty = aws.guardduty();
    let ids = guardduty.list_detectors().send().await.map_err(fault("guardduty:ListDetectors"))?;
    let Some(id) = ids.detector_ids.unwrap_or_default().into_iter().next() else {
        return Ok(Live::default());
    };
    let trusted = async { if ask.trusted { read_trusted(&guardduty, &id).await } else { Ok(Vec::new()) } };
    let threats = async { if ask.threats { read_threats(&guardduty, &id).await } else { Ok(Vec::new()) } };
    let (administrator, trusted, threats) =
        futures::try_join!(read_administrator(&guardduty, &id), trusted, threats)?;
    let named = |lists: Vec<(String, Named)>| {
        lists.into_iter().map(|(_, named)| named).filter(|(_, list)| list.stays()).collect()
    };
    Ok(Live { administrator, trusted: named(trusted), threats: named(threats) })
}

type Client = aws_sdk_guardduty::Client;
type Named = (String, List);

/// The administrator and an account on its own get an answer without content.
async fn read_administrator(guardduty: &Client, id: &str) -> Result<Option<String>, Fault> {
    let call = guardduty.get_administrator_account().detector_id(id);
    let answer = call.send().await.map_err(fault("guardduty:GetAdministratorAccount"))?;
    let administrator = answer.administrator.filter(|a| a.relationship_status.as_deref() == Some("Enabled"));
    Ok(administrator.and_then(|administrator| administrator.account_id))
}

/// Trusted lists by their ids.
pub async fn read_trusted(guardduty: &Client, detector: &str) -> Result<Vec<(String, Named)>, Fault> {
    let mut pages = guardduty.list_ip_sets().detector_id(detector).into_paginator().items().send();
    let mut ids = Vec::new();
    while let Some(id) = pages.next().await {
        ids.push(id.map_err(fault("guardduty:ListIPSets"))?);
    }
    try_join_all(ids.into_iter().map(|id| async move {
        let answer = guardduty.get_ip_set().detector_id(detector).ip_set_id(&id).send().await;
        let answer = answer.map_err(fault("guardduty:GetIPSet"))?;
        let list = List {
            format: answer.format.map_or_else(String::new, |format| format.as_str().to_owned()),
            location: answer.location.unwrap_or_default(),
            status: answer.status.map_or_else(String::new, |status| status.as_str().to_owned()),
        };
        Ok::<_, Fault>((id, (answer.name.unwrap_or_default(), list)))
    }))
    .await
}

/// Threat lists by their ids.
pub async fn read_threats(guardduty: &Client, detector: &str) -> Result<Vec<(String, Named)>, Fault> {
    let mut pages = guardduty.list_threat_intel_sets().detector_id(detector).into_paginator().items().send();
    let mut ids = Vec::new();
    while let Some(id) = pages.next().await {
        ids.push(id.map_err(fault("guardduty:ListThreatIntelSets"))?);
    }
    try_join_all(ids.into_iter().map(|id| async move {
        let call = guardduty.get_threat_intel_set().detector_id(detector).threat_intel_set_id(&id);
        let answer = call.send().await.map_err(fault("guardduty:GetThreatIntelSet"))?;
        let list = List {
            format: answer.format.map_or_else(String::new, |format| format.as_str().to_owned()),
            location: answer.location.unwrap_or_default(),
            status: answer.status.map_or_else(String::new, |status| status.as_str().to_owned()),
        };
        Ok::<_, Fault>((id, (answer.name.unwrap_or_default(), list)))
    }))
    .await
}
