//! Reading controls: definitions standard by standard, associations and parameters in batches.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_securityhub::Client;
use aws_sdk_securityhub::types::{
    AssociationStatus, ConfigurationOptions, ParameterConfiguration, ParameterValueType,
    RegionAvailabilityStatus, StandardsControlAssociationId, StandardsControlsUpdatable, StandardsStatus,
    StandardsSubscription, UnprocessedErrorCode,
};
use futures::future::try_join_all;

use super::live::{Ask, Association, Control, Kind, Live, Parameter, Parameters, Properties};
use super::spec::Selector;
use crate::aws::{Reader, fault, securityhub};
use crate::control::{Call, Sight, Standard};
use crate::fault::{Fault, FaultKind};

pub const GET_ASSOCIATIONS: Call = Call::needing(
    "securityhub:BatchGetStandardsControlAssociations",
    &["securityhub:BatchGetStandardsControlAssociations", "securityhub:DescribeStandardsControls"],
);
pub const GET_CONTROLS: Call = Call::needing(
    "securityhub:BatchGetSecurityControls",
    &["securityhub:BatchGetSecurityControls", "securityhub:DescribeStandardsControls"],
);
pub const GET_DEFINITION: Call = Call::needing(
    "securityhub:GetSecurityControlDefinition",
    &["securityhub:GetSecurityControlDefinition", "securityhub:DescribeStandardsControls"],
);
const LIST_DEFINITIONS: &str = "securityhub:ListSecurityControlDefinitions";

/// What the batch operations take at most (API reference: "up to 100").
pub const BATCH: usize = 100;
/// As many definitions as a page may have.
const PAGE: i32 = 100;
/// AWS Control Tower and its like make and unmake standards of this name, and their controls.
const SERVICE_MANAGED: &str = "service-managed-";

/// `None` where Security Hub is not enabled.
pub async fn read(aws: &Reader, ask: &Ask) -> Result<Option<Live>, Fault> {
    let Some(told) = (*securityhub::enabled_standards(aws).await?).clone() else { return Ok(None) };
    let administrator = (*securityhub::administrator(aws).await?).clone();
    let live = read_controls(&aws.securityhub(), on(&told), ask).await?;
    Ok(Some(Live { administrator, ..live }))
}

/// All but the administrator.
pub async fn read_controls(client: &Client, on: Vec<On>, ask: &Ask) -> Result<Live, Fault> {
    let ready: Vec<&On> = on.iter().filter(|one| one.ready).collect();
    let definitions = try_join_all(ready.iter().map(|one| definitions(client, one, ask)));
    let parameters = read_parameters(client, &ask.parameters);
    let (found, parameters) = futures::try_join!(definitions, parameters)?;
    let mut controls: BTreeMap<String, Control> = BTreeMap::new();
    let mut pairs = Vec::new();
    for (one, defined) in ready.iter().zip(found) {
        for (id, control) in defined {
            pairs.push((id.clone(), *one));
            controls.entry(id).or_insert(control);
        }
    }
    let read = try_join_all(pairs.chunks(BATCH).map(|batch| associations(client, batch))).await?;
    for ((id, standard), sight) in read.into_iter().flatten() {
        if let Some(control) = controls.get_mut(&id) {
            control.standards.insert(standard, sight);
        }
    }
    let standards = on.into_iter().map(|one| (one.standard, one.ready)).collect();
    Ok(Live { administrator: None, standards, controls, parameters })
}

/// A standard that is on.
pub struct On {
    pub standard: Standard,
    pub arn: String,
    /// Its controls can be read and set.
    pub ready: bool,
}

/// The standards that are on or on their way in, without those that a service manages.
pub fn on(told: &[StandardsSubscription]) -> Vec<On> {
    let one = |one: &StandardsSubscription| {
        let arn = one.standards_arn()?;
        let standard = arn.parse::<Standard>().ok()?;
        let going = one.standards_status() == Some(&StandardsStatus::Deleting);
        if going || arn.contains(SERVICE_MANAGED) {
            return None;
        }
        let ready = match one.standards_controls_updatable() {
            Some(updatable) => *updatable == StandardsControlsUpdatable::ReadyForUpdates,
            None => one.standards_status() != Some(&StandardsStatus::Pending),
        };
        Some(On { standard, arn: arn.to_owned(), ready })
    };
    told.iter().filter_map(one).collect()
}

/// The controls of one standard that are asked for.
async fn definitions(client: &Client, one: &On, ask: &Ask) -> Result<Vec<(String, Control)>, Fault> {
    let selectors: Vec<Selector<'_>> = ask.selectors.iter().filter_map(|key| Selector::of(key)).collect();
    if selectors.is_empty() {
        return Ok(Vec::new());
    }
    let call = client.list_security_control_definitions().standards_arn(&one.arn).max_results(PAGE);
    let mut items = call.into_paginator().items().send();
    let mut found = Vec::new();
    while let Some(defined) = items.next().await {
        let defined = defined.map_err(fault(LIST_DEFINITIONS))?;
        let Some(id) = defined.security_control_id else { continue };
        let severity = defined.severity_rating.map_or_else(String::new, |rating| rating.as_str().to_owned());
        if !selectors.iter().any(|selector| selector.selects(&id, &severity)) {
            continue;
        }
        let unavailable = defined.current_region_availability == Some(RegionAvailabilityStatus::Unavailable);
        let control = Control { severity, available: !unavailable, standards: BTreeMap::new() };
        found.push((id, control));
    }
    Ok(found)
}

type Read = Vec<((String, Standard), Sight<Association>)>;

/// Whether each control is on in its standard. What AWS leaves unprocessed, or does not tell, is not known.
async fn associations(client: &Client, batch: &[(String, &On)]) -> Result<Read, Fault> {
    let call = GET_ASSOCIATIONS.operation;
    let ids = batch.iter().map(|(id, one)| {
        StandardsControlAssociationId::builder().security_control_id(id).standards_arn(&one.arn).build()
    });
    let answer = client
        .batch_get_standards_control_associations()
        .set_standards_control_association_ids(Some(ids.collect()))
        .send()
        .await
        .map_err(fault(call))?;
    let mut told: BTreeMap<(String, String), Sight<Association>> = BTreeMap::new();
    for one in answer.standards_control_association_details.unwrap_or_default() {
        let (Some(id), Some(arn)) = (one.security_control_id, one.standards_arn) else { continue };
        let sight = match one.association_status {
            Some(AssociationStatus::Enabled) => {
                Sight::Seen(Association { enabled: true, reason: one.updated_reason })
            }
            Some(AssociationStatus::Disabled) => {
                Sight::Seen(Association { enabled: false, reason: one.updated_reason })
            }
            _ => Sight::Unseen(Fault::local(FaultKind::Invalid, call, "neither ENABLED nor DISABLED")),
        };
        told.insert((id, arn), sight);
    }
    for one in answer.unprocessed_associations.unwrap_or_default() {
        let Some(pair) = one.standards_control_association_id else { continue };
        let (Some(id), Some(arn)) = (pair.security_control_id, pair.standards_arn) else { continue };
        let fault = unprocessed(call, one.error_code.as_ref(), one.error_reason.as_deref());
        told.insert((id, arn), Sight::Unseen(fault));
    }
    let read = batch.iter().map(|(id, one)| {
        let sight = told.remove(&(id.clone(), one.arn.clone()));
        let sight = sight.unwrap_or_else(|| {
            Sight::Unseen(Fault::local(FaultKind::Unavailable, call, "the answer leaves it out"))
        });
        ((id.clone(), one.standard.clone()), sight)
    });
    Ok(read.collect())
}

/// What AWS says of an entry that it did not take, as the fault that a call would have been.
pub fn unprocessed(call: &str, code: Option<&UnprocessedErrorCode>, reason: Option<&str>) -> Fault {
    let kind = match code.map(UnprocessedErrorCode::as_str) {
        Some("ACCESS_DENIED") => FaultKind::Denied,
        Some("LIMIT_EXCEEDED") => FaultKind::Throttled,
        // A standard whose controls cannot be set yet is not found (API reference,
        // BatchUpdateStandardsControlAssociations).
        Some("RESOURCE_NOT_FOUND" | "NOT_FOUND") => FaultKind::NotReady,
        _ => FaultKind::Invalid,
    };
    let code = code.map_or("UNPROCESSED", UnprocessedErrorCode::as_str).to_owned();
    Fault { code, ..Fault::local(kind, call, reason.unwrap_or("AWS does not say why")) }
}

async fn read_parameters(
    client: &Client,
    ids: &BTreeSet<String>,
) -> Result<BTreeMap<String, Properties>, Fault> {
    let ids: Vec<&String> = ids.iter().collect();
    let batches = try_join_all(ids.chunks(BATCH).map(|batch| batch_of_parameters(client, batch))).await?;
    Ok(batches.into_iter().flatten().collect())
}

async fn batch_of_parameters(client: &Client, batch: &[&String]) -> Result<Vec<(String, Properties)>, Fault> {
    let call = GET_CONTROLS.operation;
    let ids = batch.iter().map(|id| (*id).clone()).collect();
    let answer = client
        .batch_get_security_controls()
        .set_security_control_ids(Some(ids))
        .send()
        .await
        .map_err(fault(call))?;
    let mut told = BTreeMap::new();
    for one in answer.unprocessed_ids.unwrap_or_default() {
        let Some(id) = one.security_control_id else { continue };
        let properties = match one.error_code.as_ref().map(UnprocessedErrorCode::as_str) {
            Some("RESOURCE_NOT_FOUND" | "NOT_FOUND") => Properties::NoControl,
            _ => Properties::Unseen(unprocessed(call, one.error_code.as_ref(), one.error_reason.as_deref())),
        };
        told.insert(id, properties);
    }
    for one in answer.security_controls.unwrap_or_default() {
        let Some(id) = one.security_control_id else { continue };
        let kinds = kinds(client, &id).await?;
        let live = one.parameters.unwrap_or_default();
        let values = kinds.into_iter().map(|(name, kind)| {
            let value = parameter(kind, live.get(&name));
            (name, value)
        });
        told.insert(id, Properties::Seen(Parameters { values: values.collect() }));
    }
    let missing = |id: &String| {
        let fault = Fault::local(FaultKind::Unavailable, call, "the answer leaves it out");
        (id.clone(), Properties::Unseen(fault))
    };
    Ok(batch.iter().map(|id| told.remove_entry(*id).unwrap_or_else(|| missing(id))).collect())
}

fn parameter(kind: Kind, live: Option<&ParameterConfiguration>) -> Parameter {
    let custom = live.and_then(ParameterConfiguration::value_type) == Some(&ParameterValueType::Custom);
    let value = live.and_then(ParameterConfiguration::value).and_then(Kind::of);
    Parameter { kind, custom, value: value.map(|(_, setting)| setting) }
}

/// The parameters that a control has and of which type each is: a parameter without a value does not tell.
async fn kinds(client: &Client, id: &str) -> Result<BTreeMap<String, Kind>, Fault> {
    let answer = client.get_security_control_definition().security_control_id(id).send().await;
    let answer = answer.map_err(fault(GET_DEFINITION.operation))?;
    let definitions = answer.security_control_definition.and_then(|one| one.parameter_definitions);
    let definitions: BTreeMap<_, _> = definitions.unwrap_or_default().into_iter().collect();
    let mut kinds = BTreeMap::new();
    for (name, definition) in definitions {
        let kind = match definition.configuration_options {
            Some(ConfigurationOptions::Boolean(_)) => Kind::Boolean,
            Some(ConfigurationOptions::Double(_)) => Kind::Double,
            Some(ConfigurationOptions::Enum(_)) => Kind::Enum,
            Some(ConfigurationOptions::EnumList(_)) => Kind::EnumList,
            Some(ConfigurationOptions::Integer(_)) => Kind::Integer,
            Some(ConfigurationOptions::IntegerList(_)) => Kind::IntegerList,
            Some(ConfigurationOptions::String(_)) => Kind::String,
            Some(ConfigurationOptions::StringList(_)) => Kind::StringList,
            _ => continue,
        };
        kinds.insert(name, kind);
    }
    Ok(kinds)
}
