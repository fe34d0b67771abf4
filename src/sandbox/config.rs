//! AWS Config: one recorder and one delivery channel in each region, and what is kept for how long.
//!
//! Source: AWS Config API Reference, the operation named at each handler, and where it is silent the Developer
//! Guide.

pub mod aggregators;
pub mod delivery;
pub mod packs;
pub mod recorder;
pub mod remediation;
pub mod rules;

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_config::types::{ConfigurationAggregator, RemediationConfiguration, RemediationException};

use super::operation::{Call, Operations, Protocol, Refusal, Service, length_within};
pub use delivery::Channel;
pub use packs::{DEPLOYING, Pack};
pub use recorder::{Recorder, Recording, STARTING};
pub use rules::Rule;

static SERVICE: Service = Service {
    id: "Config Service",
    prefix: "config",
    protocol: Protocol::Json,
    throttled: ("ThrottlingException", 400),
    broken: ("InternalFailure", 500),
};

pub(super) fn operations() -> Operations {
    Operations::of(&SERVICE)
        .on("DescribeConfigurationRecorders", recorder::describe)
        .on("DescribeConfigurationRecorderStatus", recorder::status)
        .on("PutConfigurationRecorder", recorder::put)
        .on("StartConfigurationRecorder", recorder::start)
        .on("StopConfigurationRecorder", recorder::stop)
        .on("DescribeDeliveryChannels", delivery::describe)
        .on("DescribeDeliveryChannelStatus", delivery::status)
        .on("PutDeliveryChannel", delivery::put)
        .on("DescribeRetentionConfigurations", recorder::retention)
        .on("PutRetentionConfiguration", recorder::put_retention)
        .on("DescribeConfigRules", rules::describe)
        .on("GetCustomRulePolicy", rules::policy)
        .on("PutConfigRule", rules::put)
        .on("DescribeRemediationConfigurations", remediation::describe)
        .on("PutRemediationConfigurations", remediation::put)
        .on("GetComplianceDetailsByConfigRule", remediation::compliance)
        .on("DescribeRemediationExceptions", remediation::exceptions)
        .on("PutRemediationExceptions", remediation::put_exceptions)
        .on("DescribeConformancePacks", packs::describe)
        .on("DescribeConformancePackStatus", packs::status)
        .on("PutConformancePack", packs::put)
        .on("ListTagsForResource", packs::list_tags)
        .on("TagResource", packs::tag)
        .on("DescribeConfigurationAggregators", aggregators::describe)
        .on("PutConfigurationAggregator", aggregators::put)
}

/// AWS Config in one region of an account.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// The customer's own; a service's recorder is none of it.
    pub recorder: Option<Recorder>,
    pub channel: Option<Channel>,
    /// Days; none until somebody says so.
    pub retention: Option<i32>,
    pub rules: BTreeMap<String, Rule>,
    /// By rule.
    pub remediations: BTreeMap<String, RemediationConfiguration>,
    pub exceptions: Vec<RemediationException>,
    /// Rule, type and id of resources that do not comply, as soon as there is such a rule.
    pub failing: BTreeSet<(String, String, String)>,
    pub packs: BTreeMap<String, Pack>,
    /// As they are told, by name.
    pub aggregators: BTreeMap<String, ConfigurationAggregator>,
    /// Functions of Lambda that let AWS Config call them, by name.
    pub functions: BTreeSet<String>,
}

fn refuse(code: &'static str, message: impl Into<String>) -> Refusal {
    Refusal::new(400, code, message)
}

/// TagsList in the model: at most 50, keys of 1–128 characters that do not begin with `aws:`, values to 256.
fn tags(wanted: &[aws_sdk_config::types::Tag]) -> Result<BTreeMap<String, String>, Refusal> {
    let mut tags = BTreeMap::new();
    for tag in wanted {
        let (key, value) = (tag.key().unwrap_or_default(), tag.value().unwrap_or_default());
        if !length_within(key, 1, 128) || !length_within(value, 0, 256) || key.starts_with("aws:") {
            return Err(refuse("ValidationException", "1 validation error detected: tags"));
        }
        tags.insert(key.to_owned(), value.to_owned());
    }
    if tags.len() > 50 {
        return Err(refuse("ValidationException", "1 validation error detected: more than 50 tags"));
    }
    Ok(tags)
}

/// The organisation that the caller's account is a member of.
fn organization(call: &Call<'_>) -> Option<String> {
    let organization = call.state.organization.as_ref()?;
    organization.has_member(&call.caller.account).then(|| organization.id.clone())
}

#[cfg(test)]
mod tests;
