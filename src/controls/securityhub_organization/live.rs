//! What Security Hub says of the organisation.

use aws_sdk_securityhub::Client;
use aws_sdk_securityhub::types::{
    AutoEnableStandards, OrganizationConfigurationConfigurationType, OrganizationConfigurationStatus,
};
use serde::{Deserialize, Serialize};

use super::{ConfigurationType, Standards};
use crate::aws::fault;
use crate::fault::Fault;

pub const DESCRIBE: &str = "securityhub:DescribeOrganizationConfiguration";

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Live {
    /// `None` where the account is not the administrator, or has not enabled Security Hub.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configuration: Option<Configuration>,
}

/// In AWS's words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Configuration {
    pub auto_enable: bool,
    /// `AutoEnableStandards`.
    pub standards: String,
    /// `ConfigurationType`.
    pub kind: String,
    /// `ENABLED`, `PENDING`.
    pub status: String,
    /// Why central configuration could not be enabled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// No more accounts can be members.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub full: bool,
}

impl Configuration {
    /// What an organisation begins with (API reference, `UpdateOrganizationConfiguration`).
    pub fn first() -> Self {
        Self {
            auto_enable: false,
            standards: Standards::Default.word().into(),
            kind: ConfigurationType::Local.word().into(),
            status: "ENABLED".into(),
            message: None,
            full: false,
        }
    }

    /// `None` for a word that this build does not know.
    pub fn standards(&self) -> Option<Standards> {
        [Standards::None, Standards::Default].into_iter().find(|known| known.word() == self.standards)
    }

    /// `None` for a word that this build does not know.
    pub fn kind(&self) -> Option<ConfigurationType> {
        [ConfigurationType::Local, ConfigurationType::Central]
            .into_iter()
            .find(|known| known.word() == self.kind)
    }
}

/// `InvalidAccessException` is what whoever is not the administrator is told.
pub async fn read(hub: &Client) -> Result<Live, Fault> {
    let answer = match hub.describe_organization_configuration().send().await {
        Ok(answer) => answer,
        Err(error) if error.as_service_error().is_some_and(|error| error.is_invalid_access_exception()) => {
            return Ok(Live::default());
        }
        Err(error) => return Err(fault(DESCRIBE)(error)),
    };
    let word = |word: Option<&str>| word.unwrap_or_default().to_owned();
    let kind = answer.organization_configuration;
    let kind = kind.as_ref();
    Ok(Live {
        configuration: Some(Configuration {
            auto_enable: answer.auto_enable.unwrap_or_default(),
            standards: word(answer.auto_enable_standards.as_ref().map(AutoEnableStandards::as_str)),
            // Organisations from before central configuration have local configuration.
            kind: kind
                .and_then(|kind| kind.configuration_type())
                .map_or("LOCAL", OrganizationConfigurationConfigurationType::as_str)
                .to_owned(),
            status: word(kind.and_then(|kind| kind.status()).map(OrganizationConfigurationStatus::as_str)),
            message: kind.and_then(|kind| kind.status_message().map(str::to_owned)),
            full: answer.member_account_limit_reached.unwrap_or_default(),
        }),
    })
}
