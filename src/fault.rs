//! A call that gave no answer, kept as data: in an inventory, in a plan, in a report.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Why something is not known. Made at the AWS edge ([`crate::aws::fault`]) and never thrown away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Fault {
    pub kind: FaultKind,
    /// `service:Operation`.
    pub call: String,
    /// The service's own error code, `AccessDeniedException`.
    pub code: String,
    pub message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum FaultKind {
    /// What was asked for is not there. Most controls take it as an answer before it becomes a fault.
    NotFound,
    Denied,
    /// AWS's message names a service control policy or another organisation policy.
    DeniedByOrganization,
    Throttled,
    /// No answer, a timeout, or an answer of 5xx.
    Unavailable,
    Conflict,
    /// The service refuses because it does not see, or may not yet use, what the call names: a new role, key or
    /// policy reaches it after a while.
    NotReady,
    Invalid,
    /// The service or feature does not exist in this region. Becomes
    /// [`crate::control::Verdict::NotOffered`], never unknown.
    NotOffered,
}

impl FaultKind {
    /// The Kubernetes condition reason.
    pub fn reason(self) -> &'static str {
        match self {
            Self::NotFound => "NotFound",
            Self::Denied => "Denied",
            Self::DeniedByOrganization => "DeniedByOrganization",
            Self::Throttled => "Throttled",
            Self::Unavailable => "Unavailable",
            Self::Conflict => "Conflict",
            Self::NotReady => "NotReady",
            Self::Invalid => "Invalid",
            Self::NotOffered => "NotOffered",
        }
    }

    /// May the same call succeed later without anybody doing anything?
    pub fn is_transient(self) -> bool {
        matches!(self, Self::Throttled | Self::Unavailable | Self::Conflict | Self::NotReady)
    }
}

impl Fault {
    /// A fault that this program found itself, without an answer from AWS.
    pub fn local(kind: FaultKind, call: &str, message: impl Into<String>) -> Self {
        Self {
            kind,
            call: call.into(),
            code: kind.reason().into(),
            message: message.into(),
            request_id: None,
        }
    }

    /// An observation that lacks what the spec now asks for: another one is needed.
    pub fn not_asked(call: &str) -> Self {
        Self::local(FaultKind::Invalid, call, "it was not asked for")
    }

    /// What a person could do about it, where that is known.
    pub fn hint(&self) -> Option<&'static str> {
        if matches!(
            self.code.as_str(),
            "UnrecognizedClientException" | "InvalidClientTokenId" | "AuthFailure" | "OptInRequired"
        ) {
            return Some("is the region enabled for this account? Otherwise write it under `regions.except`");
        }
        if matches!(self.code.as_str(), "RequestExpired" | "ExpiredToken" | "ExpiredTokenException") {
            return Some("the credentials have expired: sign in again; is this machine's clock right?");
        }
        if matches!(
            self.code.as_str(),
            "RequestTimeTooSkewed" | "SignatureDoesNotMatch" | "InvalidSignatureException"
        ) && self.kind == FaultKind::Unavailable
        {
            return Some("is this machine's clock right? AWS takes what was signed within five minutes");
        }
        match (self.kind, self.call.as_str()) {
            (FaultKind::DeniedByOrganization, _) => {
                Some("is the region closed to this account? Write it under `regions.except`")
            }
            (FaultKind::Denied, "sts:AssumeRole") => {
                Some("does the role exist there, and does it trust this caller and external id?")
            }
            (FaultKind::Denied, _) => {
                Some("`baseline generate permissions` prints the policy that the role needs")
            }
            (FaultKind::Throttled, _) => Some("run again later, or lower `limits` for this service"),
            (FaultKind::Unavailable, "sts:GetCallerIdentity") => {
                Some("are there credentials? Try `aws sts get-caller-identity`")
            }
            _ => None,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.call, self.code)?;
        if !self.message.is_empty() {
            write!(f, ", {}", self.message.trim_end_matches('.'))?;
        }
        if let Some(id) = &self.request_id {
            write!(f, " (request {id})")?;
        }
        Ok(())
    }
}

impl std::error::Error for Fault {}
