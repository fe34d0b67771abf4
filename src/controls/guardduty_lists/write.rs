//! The writes: in names, with ids looked up when they run.

use std::collections::BTreeMap;
use std::fmt;

use aws_sdk_guardduty::types::{IpSetFormat, ThreatIntelSetFormat};
use serde::{Deserialize, Serialize};

use super::live::{read_threats, read_trusted};
use super::spec::{Format, Kind};
use crate::aws::{Writer, fault};
use crate::control::{AwsWrite, Call};
use crate::fault::{Fault, FaultKind};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Write {
    Create {
        kind: Kind,
        name: String,
        format: Format,
        location: String,
        active: bool,
        tags: BTreeMap<String, String>,
    },
    Update {
        kind: Kind,
        name: String,
        list: Patch,
    },
}

/// What is sent of a list; what is left out stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Patch {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
}

/// User Guide, "Setting up prerequisites for entity lists and IP address lists": GuardDuty's service-linked role gets a
/// policy for the file with the caller's rights.
pub const CREATE_TRUSTED: Call = Call::needing(
    "guardduty:CreateIPSet",
    &[
        "guardduty:CreateIPSet",
        "guardduty:ListDetectors",
        "guardduty:TagResource",
        "iam:DeleteRolePolicy",
        "iam:PutRolePolicy",
    ],
);
pub const UPDATE_TRUSTED: Call = Call::needing(
    "guardduty:UpdateIPSet",
    &[
        "guardduty:GetIPSet",
        "guardduty:ListDetectors",
        "guardduty:ListIPSets",
        "guardduty:UpdateIPSet",
        "iam:DeleteRolePolicy",
        "iam:PutRolePolicy",
    ],
);
pub const CREATE_THREAT: Call = Call::needing(
    "guardduty:CreateThreatIntelSet",
    &[
        "guardduty:CreateThreatIntelSet",
        "guardduty:ListDetectors",
        "guardduty:TagResource",
        "iam:DeleteRolePolicy",
        "iam:PutRolePolicy",
    ],
);
pub const UPDATE_THREAT: Call = Call::needing(
    "guardduty:UpdateThreatIntelSet",
    &[
        "guardduty:GetThreatIntelSet",
        "guardduty:ListDetectors",
        "guardduty:ListThreatIntelSets",
        "guardduty:UpdateThreatIntelSet",
        "iam:DeleteRolePolicy",
        "iam:PutRolePolicy",
    ],
);

impl AwsWrite for Write {
    fn call(&self) -> &'static Call {
        match self {
            Self::Create { kind: Kind::Trusted, .. } => const { &CREATE_TRUSTED },
            Self::Create { kind: Kind::Threat, .. } => const { &CREATE_THREAT },
            Self::Update { kind: Kind::Trusted, .. } => const { &UPDATE_TRUSTED },
            Self::Update { kind: Kind::Threat, .. } => const { &UPDATE_THREAT },
        }
    }
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = |kind: &Kind| if *kind == Kind::Trusted { "trusted" } else { "threat" };
        match self {
            Self::Create { kind, name, .. } => write!(f, "create {} list {name}", word(kind)),
            Self::Update { kind, name, .. } => write!(f, "update {} list {name}", word(kind)),
        }
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
            Self::Create { kind, name, format, location, active, tags } => {
                let tags = (!tags.is_empty()).then(|| tags.clone().into_iter().collect());
                match kind {
                    Kind::Trusted => {
                        let call = guardduty.create_ip_set().detector_id(id).name(name).location(location);
                        let call = call.format(IpSetFormat::from(format.word())).activate(*active);
                        call.set_tags(tags).send().await.map(drop).map_err(fault(CREATE_TRUSTED.operation))
                    }
                    Kind::Threat => {
                        let call =
                            guardduty.create_threat_intel_set().detector_id(id).name(name).location(location);
                        let call = call.format(ThreatIntelSetFormat::from(format.word())).activate(*active);
                        call.set_tags(tags).send().await.map(drop).map_err(fault(CREATE_THREAT.operation))
                    }
                }
            }
            Self::Update { kind, name, list } => {
                let all = match kind {
                    Kind::Trusted => read_trusted(&guardduty, &id).await?,
                    Kind::Threat => read_threats(&guardduty, &id).await?,
                };
                let found = all.into_iter().find(|(_, (live, _))| live == name).map(|(id, _)| id);
                let found = found.ok_or_else(|| {
                    let message = format!("list {name} is not there any more");
                    Fault::local(FaultKind::NotFound, self.call().operation, message)
                })?;
                match kind {
                    Kind::Trusted => {
                        let call = guardduty.update_ip_set().detector_id(id).ip_set_id(found);
                        let call = call.set_location(list.location.clone()).set_activate(list.active);
                        call.send().await.map(drop).map_err(fault(UPDATE_TRUSTED.operation))
                    }
                    Kind::Threat => {
                        let call =
                            guardduty.update_threat_intel_set().detector_id(id).threat_intel_set_id(found);
                        let call = call.set_location(list.location.clone()).set_activate(list.active);
                        call.send().await.map(drop).map_err(fault(UPDATE_THREAT.operation))
                    }
                }
            }
        }
    }
}
