//! What GuardDuty enables by itself, as its administrator sees it.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_guardduty::operation::describe_organization_configuration::DescribeOrganizationConfigurationOutput;
use aws_smithy_types::error::metadata::ProvideErrorMetadata as _;
use serde::{Deserialize, Serialize};

use crate::aws::{Reader, fault};
use crate::fault::Fault;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ask {
    /// The paths of what is declared `ALL`: what they reach is counted where they are live otherwise.
    pub everybody: BTreeSet<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Live {
    /// `None` where this account does not administer GuardDuty, or has no detector.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configuration: Option<Configuration>,
    /// `None` where it was not counted, or GuardDuty has not counted yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted: Option<Counted>,
}

/// In AWS's words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Configuration {
    pub members: String,
    pub features: BTreeMap<String, Feature>,
    /// No more accounts can become members.
    #[serde(default)]
    pub full: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Feature {
    pub mode: String,
    /// The additional configuration, by name: agents, for `RUNTIME_MONITORING`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub beneath: BTreeMap<String, String>,
}

/// Accounts of the organisation, and how many of them have what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Counted {
    pub accounts: i32,
    pub enabled: i32,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub features: BTreeMap<String, i32>,
}

impl Configuration {
    /// What an account starts from that does not administer GuardDuty yet.
    pub fn nothing<'a>(features: impl IntoIterator<Item = &'a str>) -> Self {
        let none = || Feature { mode: "NONE".into(), beneath: BTreeMap::new() };
        let features = features.into_iter().map(|name| (name.to_owned(), none())).collect();
        Self { members: "NONE".into(), features, full: false }
    }

    /// One page more.
    pub fn add(live: &mut Option<Self>, page: DescribeOrganizationConfigurationOutput) {
        let into = live.get_or_insert_with(|| Self {
            members: members(&page),
            full: page.member_account_limit_reached.unwrap_or_default(),
            ..Self::default()
        });
        for feature in page.features.unwrap_or_default() {
            let Some(name) = feature.name else { continue };
            let beneath = feature.additional_configuration.unwrap_or_default().into_iter();
            let beneath = beneath.filter_map(|one| {
                Some((one.name?.as_str().to_owned(), one.auto_enable?.as_str().to_owned()))
            });
            let mode = feature.auto_enable.map_or_else(String::new, |mode| mode.as_str().to_owned());
            into.features.insert(name.as_str().to_owned(), Feature { mode, beneath: beneath.collect() });
        }
    }

    /// Is everything `ALL` that is asked about?
    fn reaches(&self, ask: &Ask) -> bool {
        let word = |path: &String| {
            let name = path.rsplit('/').next().unwrap_or_default();
            if path.starts_with("/features/") {
                self.features.get(name).map(|feature| &feature.mode)
            } else if path.starts_with("/runtimeAgents/") {
                self.features.get(super::spec::RUNTIME).and_then(|feature| feature.beneath.get(name))
            } else {
                Some(&self.members)
            }
        };
        ask.everybody.iter().filter_map(word).all(|word| word == "ALL")
    }
}

pub async fn read(aws: &Reader, ask: &Ask) -> Result<Live, Fault> {
    let ids = aws.guardduty().list_detectors().send().await.map_err(fault("guardduty:ListDetectors"))?;
    let Some(id) = ids.detector_ids.unwrap_or_default().into_iter().next() else {
        return Ok(Live::default());
    };
    let Some(configuration) = read_configuration(aws, &id).await? else { return Ok(Live::default()) };
    // From nothing everybody is reached, and nobody has to be counted.
    let counts = configuration.members != "NONE" && !configuration.reaches(ask);
    let counted = if counts { count(aws).await } else { None };
    Ok(Live { configuration: Some(configuration), counted })
}

/// `None` for an account that does not administer GuardDuty: the one code that GuardDuty has for the caller's mistakes
/// is told apart by its message, and any other is a fault.
async fn read_configuration(aws: &Reader, id: &str) -> Result<Option<Configuration>, Fault> {
    let mut pages =
        aws.guardduty().describe_organization_configuration().detector_id(id).into_paginator().send();
    let mut live: Option<Configuration> = None;
    while let Some(page) = pages.next().await {
        let page = match page {
            Ok(page) => page,
            Err(error)
                if error.as_service_error().is_some_and(|e| e.is_bad_request_exception())
                    && error.message().is_some_and(not_the_administrator) =>
            {
                return Ok(None);
            }
            Err(error) => return Err(fault("guardduty:DescribeOrganizationConfiguration")(error)),
        };
        Configuration::add(&mut live, page);
    }
    Ok(live)
}

/// `The request failed because you do not have required AWS Organization master permission.`
pub fn not_the_administrator(message: &str) -> bool {
    message.contains("master permission") || message.contains("administrator")
}

#[expect(deprecated, reason = "where AWS says only this, it is all there is")]
fn members(page: &DescribeOrganizationConfigurationOutput) -> String {
    let by_switch = if page.auto_enable == Some(true) { "NEW" } else { "NONE" };
    page.auto_enable_organization_members.as_ref().map_or(by_switch, |mode| mode.as_str()).to_owned()
}

/// A count is told beside a change and decides nothing: without one, the change says that there is none.
async fn count(aws: &Reader) -> Option<Counted> {
    let answer = aws.guardduty().get_organization_statistics().send().await.ok()?;
    let counted = answer.organization_details?.organization_statistics?;
    let features = counted.count_by_feature.unwrap_or_default().into_iter();
    let features =
        features.filter_map(|one| Some((one.name?.as_str().to_owned(), one.enabled_accounts_count?)));
    Some(Counted {
        accounts: counted.total_accounts_count?,
        enabled: counted.enabled_accounts_count?,
        features: features.collect(),
    })
}
