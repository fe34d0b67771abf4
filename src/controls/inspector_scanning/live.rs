//! What Inspector says of this account.

use std::collections::BTreeMap;

use aws_sdk_inspector2::Client;
use aws_sdk_inspector2::types::{RelationshipStatus, State};
use aws_smithy_types::error::metadata::ProvideErrorMetadata as _;
use serde::{Deserialize, Serialize};

use crate::aws::{Reader, fault};
use crate::control::{Call, Sight};
use crate::fault::{Fault, FaultKind};

pub const STATUS: &str = "inspector2:BatchGetAccountStatus";
pub const CONFIGURATION: &str = "inspector2:GetConfiguration";
pub const ADMINISTRATOR: &str = "inspector2:GetDelegatedAdminAccount";

pub const READS: &[Call] = &[Call::new(STATUS), Call::new(CONFIGURATION), Call::new(ADMINISTRATOR)];

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Scanning {
    /// By AWS's names, each that the answer has.
    pub types: BTreeMap<String, Status>,
    /// The account that administers Inspector for this one, when another does. Asked only where something is otherwise
    /// than declared, because it matters to nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub administrator: Option<Sight<Option<String>>>,
    /// `None` where it was not asked; `Seen(None)` where Inspector is off and has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configuration: Option<Sight<Option<Configuration>>>,
}

/// How it stands with one type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// As AWS says it: `ENABLING`.
    pub word: String,
    /// Why it did not come to what was asked for, in AWS's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// In AWS's words, with how far the last change of each has come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Configuration {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub push: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pull: Option<String>,
    /// What counts as pulled: `LAST_IN_USE_AT`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pull_mode: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ecr_status: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scan_mode: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ec2_status: Option<String>,
}

/// What is declared, in AWS's words: what is looked at depends on it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ask {
    pub types: BTreeMap<String, bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub push: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pull: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scan_mode: Option<String>,
}

impl Ask {
    fn wants_configuration(&self) -> bool {
        self.push.is_some() || self.pull.is_some() || self.scan_mode.is_some()
    }

    /// Is something otherwise than declared?
    fn differs(&self, live: &Scanning) -> bool {
        let word = |on: bool| if on { "ENABLED" } else { "DISABLED" };
        let other = |(name, on): (&String, &bool)| {
            live.types.get(name).is_some_and(|status| status.word != word(*on))
        };
        let lacks = |want: &Option<String>, now: &Option<String>| want.is_some() && want != now;
        self.types.iter().any(other)
            || match &live.configuration {
                Some(Sight::Seen(Some(now))) => {
                    lacks(&self.push, &now.push)
                        || lacks(&self.pull, &now.pull)
                        || lacks(&self.scan_mode, &now.scan_mode)
                        || now.ecr_status.as_deref() == Some("FAILED")
                }
                Some(Sight::Seen(None)) => true,
                Some(Sight::Unseen(_)) | None => false,
            }
    }
}

pub async fn read(aws: &Reader, ask: &Ask) -> Result<Scanning, Fault> {
    look(&aws.inspector(), aws.scope.account.as_str(), ask).await
}

/// What Inspector says of the account `own`, which asks.
pub async fn look(inspector: &Client, own: &str, ask: &Ask) -> Result<Scanning, Fault> {
    let configuration = async {
        if ask.wants_configuration() { Some(sight(configuration_of(inspector).await)) } else { None }
    };
    let (types, configuration) = futures::join!(types(inspector, own), configuration);
    let mut live = Scanning { types: types?, administrator: None, configuration };
    if ask.differs(&live) {
        live.administrator = Some(sight(administrator(inspector, own).await));
    }
    Ok(live)
}

fn sight<T>(answer: Result<T, Fault>) -> Sight<T> {
    answer.map_or_else(Sight::Unseen, Sight::Seen)
}

/// An account that never had Inspector is told as disabled, or not at all.
async fn types(inspector: &Client, own: &str) -> Result<BTreeMap<String, Status>, Fault> {
    let answer = inspector.batch_get_account_status().account_ids(own).send().await;
    let answer = answer.map_err(fault(STATUS))?;
    if let Some(failed) = answer.failed_accounts().iter().find(|one| one.account_id() == own) {
        let code = failed.error_code().as_str();
        return Err(Fault {
            code: code.into(),
            ..Fault::local(kind_of(code), STATUS, failed.error_message())
        });
    }
    let mut types = BTreeMap::new();
    let state =
        answer.accounts.into_iter().find(|one| one.account_id == own).and_then(|one| one.resource_state);
    let Some(state) = state else {
        let off = || Status { word: "DISABLED".into(), error: None };
        return Ok(["EC2", "ECR", "LAMBDA", "LAMBDA_CODE"].map(|name| (name.to_owned(), off())).into());
    };
    for (name, state) in [
        ("EC2", state.ec2),
        ("ECR", state.ecr),
        ("LAMBDA", state.lambda),
        ("LAMBDA_CODE", state.lambda_code),
        ("CODE_REPOSITORY", state.code_repository),
    ] {
        types.extend(state.map(|state| (name.to_owned(), status_of(&state))));
    }
    Ok(types)
}

/// Code and message are there whatever happened; a code that says what the status says is none.
fn status_of(state: &State) -> Status {
    let code = state.error_code.as_str();
    let plain =
        ["ALREADY_ENABLED", "ENABLE_IN_PROGRESS", "DISABLE_IN_PROGRESS", "SUSPEND_IN_PROGRESS", "SUCCESS"];
    let error = (!code.is_empty() && !plain.contains(&code)).then(|| code.to_owned());
    Status { word: state.status.as_str().to_owned(), error }
}

/// What an error code of Inspector's own lists means.
pub fn kind_of(code: &str) -> FaultKind {
    match code {
        "ENABLE_IN_PROGRESS" | "DISABLE_IN_PROGRESS" | "SUSPEND_IN_PROGRESS" => FaultKind::Conflict,
        "ACCESS_DENIED" => FaultKind::Denied,
        "BLOCKED_BY_ORGANIZATION_POLICY" => FaultKind::DeniedByOrganization,
        "INTERNAL_ERROR" | "SSM_UNAVAILABLE" | "EVENTBRIDGE_UNAVAILABLE" => FaultKind::Unavailable,
        "SSM_THROTTLED" | "EVENTBRIDGE_THROTTLED" => FaultKind::Throttled,
        "RESOURCE_NOT_FOUND" => FaultKind::NotFound,
        _ => FaultKind::Invalid,
    }
}

/// Nobody administers an account that is in no organisation, or in one without an administrator.
async fn administrator(inspector: &Client, own: &str) -> Result<Option<String>, Fault> {
    let answer = match inspector.get_delegated_admin_account().send().await {
        Ok(answer) => answer,
        Err(error) if error.code() == Some("ResourceNotFoundException") => return Ok(None),
        Err(error) => return Err(fault(ADMINISTRATOR)(error)),
    };
    let member = |status: Option<&RelationshipStatus>| {
        matches!(status, Some(RelationshipStatus::Enabled | RelationshipStatus::Created))
    };
    Ok(answer
        .delegated_admin
        .filter(|admin| member(admin.relationship_status()))
        .and_then(|admin| admin.account_id)
        .filter(|account| account != own))
}

async fn configuration_of(inspector: &Client) -> Result<Option<Configuration>, Fault> {
    let answer = match inspector.get_configuration().send().await {
        Ok(answer) => answer,
        Err(error) if error.code() == Some("ResourceNotFoundException") => return Ok(None),
        Err(error) => return Err(fault(CONFIGURATION)(error)),
    };
    let ecr = answer.ecr_configuration.and_then(|ecr| ecr.rescan_duration_state);
    let ec2 = answer.ec2_configuration.and_then(|ec2| ec2.scan_mode_state);
    let (ecr, ec2) = (ecr.as_ref(), ec2.as_ref());
    Ok(Some(Configuration {
        push: ecr.and_then(|ecr| ecr.rescan_duration()).map(|word| word.as_str().to_owned()),
        pull: ecr.and_then(|ecr| ecr.pull_date_rescan_duration()).map(|word| word.as_str().to_owned()),
        pull_mode: ecr.and_then(|ecr| ecr.pull_date_rescan_mode()).map(|word| word.as_str().to_owned()),
        ecr_status: ecr.and_then(|ecr| ecr.status()).map(|word| word.as_str().to_owned()),
        scan_mode: ec2.and_then(|ec2| ec2.scan_mode()).map(|word| word.as_str().to_owned()),
        ec2_status: ec2.and_then(|ec2| ec2.scan_mode_status()).map(|word| word.as_str().to_owned()),
    }))
}
