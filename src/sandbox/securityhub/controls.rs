//! Controls: in which standards each is on, and their parameters.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use aws_sdk_securityhub::operation::batch_get_security_controls::{
    BatchGetSecurityControlsInput, BatchGetSecurityControlsOutput,
};
use aws_sdk_securityhub::operation::batch_get_standards_control_associations::{
    BatchGetStandardsControlAssociationsInput, BatchGetStandardsControlAssociationsOutput,
};
use aws_sdk_securityhub::operation::batch_update_standards_control_associations::{
    BatchUpdateStandardsControlAssociationsInput, BatchUpdateStandardsControlAssociationsOutput,
};
use aws_sdk_securityhub::operation::get_security_control_definition::{
    GetSecurityControlDefinitionInput, GetSecurityControlDefinitionOutput,
};
use aws_sdk_securityhub::operation::list_security_control_definitions::{
    ListSecurityControlDefinitionsInput, ListSecurityControlDefinitionsOutput,
};
use aws_sdk_securityhub::operation::update_security_control::{
    UpdateSecurityControlInput, UpdateSecurityControlOutput,
};
use aws_sdk_securityhub::types::{
    AssociationStatus, ControlStatus, ParameterConfiguration, ParameterDefinition, ParameterValue,
    ParameterValueType, RegionAvailabilityStatus, SecurityControl, SecurityControlDefinition,
    SecurityControlProperty, StandardsControlAssociationDetail, StandardsControlAssociationId,
    StandardsControlAssociationUpdate, UnprocessedErrorCode, UnprocessedSecurityControl,
    UnprocessedStandardsControlAssociation, UnprocessedStandardsControlAssociationUpdate, UpdateStatus,
};
use jiff::Timestamp;

use super::super::operation::{Call, Refusal, date_time, page};
use super::catalog::{self, Control};
use super::standards::page_size;
use super::{SecurityHub, enabled, invalid, may_change};

/// How long a control's parameters are `UPDATING`.
pub const UPDATING: Duration = Duration::from_secs(30);
/// What the batch operations take at most (API reference, BatchGetSecurityControls and its like: "up to 100").
const BATCH: usize = 100;

/// A control in a standard that is on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Association {
    pub enabled: bool,
    pub reason: Option<String>,
    pub updated: Timestamp,
}

/// What somebody changed of a control.
#[derive(Clone, Debug, Default)]
pub struct Properties {
    /// Custom values by name; what is not here has its default.
    pub parameters: BTreeMap<String, ParameterValue>,
    pub reason: Option<String>,
    /// `UPDATING` until then.
    pub until: Option<Timestamp>,
}

/// The controls of a standard that has just been enabled (User Guide, "Enabling a standard": "all of the controls
/// that apply to the standard are automatically enabled").
pub fn all_enabled(standard: &str, now: Timestamp) -> BTreeMap<String, Association> {
    catalog::of(standard)
        .map(|control| (control.id.to_owned(), Association { enabled: true, reason: None, updated: now }))
        .collect()
}

fn remediation(id: &str) -> String {
    format!("https://docs.aws.amazon.com/console/securityhub/{id}/remediation")
}

fn definition(control: &Control) -> SecurityControlDefinition {
    let parameters: HashMap<String, ParameterDefinition> = control
        .parameters
        .iter()
        .map(|(name, parameter)| {
            let definition = ParameterDefinition::builder()
                .description(*name)
                .configuration_options(parameter.options())
                .build();
            ((*name).to_owned(), definition)
        })
        .collect();
    let customizable = if parameters.is_empty() { vec![] } else { vec![SecurityControlProperty::Parameters] };
    SecurityControlDefinition::builder()
        .security_control_id(control.id)
        .title(control.title)
        .description(control.title)
        .remediation_url(remediation(control.id))
        .severity_rating(control.severity.into())
        .current_region_availability(if control.available {
            RegionAvailabilityStatus::Available
        } else {
            RegionAvailabilityStatus::Unavailable
        })
        .set_customizable_properties(Some(customizable))
        .set_parameter_definitions((!parameters.is_empty()).then_some(parameters))
        .build()
}

/// API reference, ListSecurityControlDefinitions: of all standards, or of one; pages of 1 to 100.
pub fn list_definitions(
    call: &mut Call<'_>,
    input: &ListSecurityControlDefinitionsInput,
) -> Result<ListSecurityControlDefinitionsOutput, Refusal> {
    let region = call.region.to_owned();
    let here = enabled(call)?;
    let size = page_size(input.max_results())?;
    let all: Vec<&Control> = match input.standards_arn() {
        None => catalog::CONTROLS.iter().collect(),
        Some(arn) => {
            if !catalog::offered(&region, here.control_tower).iter().any(|one| one.arn == arn) {
                return Err(invalid(format!("Invalid StandardsArn: {arn}")));
            }
            catalog::of(arn).collect()
        }
    };
    let (shown, next) = page(&all, input.next_token(), size).ok_or_else(|| invalid("NextToken"))?;
    Ok(ListSecurityControlDefinitionsOutput::builder()
        .set_security_control_definitions(Some(shown.into_iter().map(definition).collect()))
        .set_next_token(next)
        .build())
}

fn not_found(id: &str) -> Refusal {
    Refusal::new(404, "ResourceNotFoundException", format!("Security control {id} was not found"))
}

/// API reference, GetSecurityControlDefinition.
pub fn get_definition(
    call: &mut Call<'_>,
    input: &GetSecurityControlDefinitionInput,
) -> Result<GetSecurityControlDefinitionOutput, Refusal> {
    enabled(call)?;
    let id = input.security_control_id().unwrap_or_default();
    let control = catalog::find(id).ok_or_else(|| not_found(id))?;
    Ok(GetSecurityControlDefinitionOutput::builder().security_control_definition(definition(control)).build())
}

/// A control is on where one standard has it on (SecurityControlStatus).
fn status(here: &SecurityHub, id: &str) -> ControlStatus {
    let on = |one: &super::Subscription| one.associations.get(id).is_some_and(|control| control.enabled);
    if here.subscriptions.values().any(on) { ControlStatus::Enabled } else { ControlStatus::Disabled }
}

fn parameters(here: &SecurityHub, control: &Control) -> HashMap<String, ParameterConfiguration> {
    let custom = here.properties.get(control.id).map(|properties| &properties.parameters);
    let told = |(name, parameter): &(&'static str, catalog::Parameter)| {
        let custom = custom.and_then(|custom| custom.get(*name));
        let kind = if custom.is_some() { ParameterValueType::Custom } else { ParameterValueType::Default };
        let value = custom.cloned().or_else(|| parameter.default());
        let told = ParameterConfiguration::builder().value_type(kind).set_value(value).build();
        ((*name).to_owned(), told)
    };
    control.parameters.iter().map(told).collect()
}

/// API reference, BatchGetSecurityControls: up to 100; those that are unknown are told as unprocessed.
pub fn batch_get(
    call: &mut Call<'_>,
    input: &BatchGetSecurityControlsInput,
) -> Result<BatchGetSecurityControlsOutput, Refusal> {
    let (now, prefix) = (call.now, call.arn("securityhub", "security-control"));
    let here = enabled(call)?;
    let wanted = input.security_control_ids();
    within_batch(wanted.len())?;
    let (mut found, mut unprocessed) = (Vec::new(), Vec::new());
    for id in wanted {
        let Some(control) = catalog::find(id) else {
            let one = UnprocessedSecurityControl::builder()
                .security_control_id(id)
                .error_code(UnprocessedErrorCode::ResourceNotFound)
                .error_reason("The security control was not found");
            unprocessed.push(one.build());
            continue;
        };
        let properties = here.properties.get(id);
        let updating = properties.and_then(|one| one.until).is_some_and(|until| now < until);
        let parameters = parameters(here, control);
        let one = SecurityControl::builder()
            .security_control_id(control.id)
            .security_control_arn(format!("{prefix}/{}", control.id))
            .title(control.title)
            .description(control.title)
            .remediation_url(remediation(control.id))
            .severity_rating(control.severity.into())
            .security_control_status(status(here, control.id))
            .update_status(if updating { UpdateStatus::Updating } else { UpdateStatus::Ready })
            .set_parameters((!parameters.is_empty()).then_some(parameters))
            .set_last_update_reason(properties.and_then(|one| one.reason.clone()));
        found.push(one.build());
    }
    Ok(BatchGetSecurityControlsOutput::builder()
        .set_security_controls(Some(found))
        .set_unprocessed_ids(Some(unprocessed))
        .build())
}

fn within_batch(size: usize) -> Result<(), Refusal> {
    if (1..=BATCH).contains(&size) { Ok(()) } else { Err(invalid(format!("between 1 and {BATCH} items"))) }
}

/// API reference, BatchGetStandardsControlAssociations: up to 100 pairs; a standard that is not on, or whose controls
/// are not ready, is told as unprocessed.
pub fn batch_get_associations(
    call: &mut Call<'_>,
    input: &BatchGetStandardsControlAssociationsInput,
) -> Result<BatchGetStandardsControlAssociationsOutput, Refusal> {
    let prefix = call.arn("securityhub", "security-control");
    let here = enabled(call)?;
    let wanted = input.standards_control_association_ids();
    within_batch(wanted.len())?;
    let (mut found, mut unprocessed) = (Vec::new(), Vec::new());
    for pair in wanted {
        let (id, standard) = pair_of(pair);
        let subscription = here.subscriptions.get(standard).filter(|one| one.may_be_updated());
        let Some(one) = subscription.and_then(|one| one.associations.get(id)) else {
            let one = UnprocessedStandardsControlAssociation::builder()
                .standards_control_association_id(pair.clone())
                .error_code(UnprocessedErrorCode::ResourceNotFound)
                .error_reason("The control or the standard was not found");
            unprocessed.push(one.build());
            continue;
        };
        let one = StandardsControlAssociationDetail::builder()
            .standards_arn(standard)
            .security_control_id(id)
            .security_control_arn(format!("{prefix}/{id}"))
            .association_status(if one.enabled {
                AssociationStatus::Enabled
            } else {
                AssociationStatus::Disabled
            })
            .updated_at(date_time(one.updated))
            .set_updated_reason(one.reason.clone());
        found.push(one.build());
    }
    Ok(BatchGetStandardsControlAssociationsOutput::builder()
        .set_standards_control_association_details(Some(found))
        .set_unprocessed_associations(Some(unprocessed))
        .build())
}

fn pair_of(pair: &StandardsControlAssociationId) -> (&str, &str) {
    (pair.security_control_id().unwrap_or_default(), pair.standards_arn().unwrap_or_default())
}

/// API reference, BatchUpdateStandardsControlAssociations: each of up to 100 updates is taken or told as unprocessed;
/// disabling needs a reason; a standard whose controls are not ready is not found.
pub fn batch_update_associations(
    call: &mut Call<'_>,
    input: &BatchUpdateStandardsControlAssociationsInput,
) -> Result<BatchUpdateStandardsControlAssociationsOutput, Refusal> {
    let now = call.now;
    let here = may_change(call)?;
    let wanted = input.standards_control_association_updates();
    within_batch(wanted.len())?;
    let mut unprocessed = Vec::new();
    for update in wanted {
        if let Err((code, reason)) = associate(here, update, now) {
            let one = UnprocessedStandardsControlAssociationUpdate::builder()
                .standards_control_association_update(update.clone())
                .error_code(code)
                .error_reason(reason);
            unprocessed.push(one.build());
        }
    }
    Ok(BatchUpdateStandardsControlAssociationsOutput::builder()
        .set_unprocessed_association_updates(Some(unprocessed))
        .build())
}

fn associate(
    here: &mut SecurityHub,
    update: &StandardsControlAssociationUpdate,
    now: Timestamp,
) -> Result<(), (UnprocessedErrorCode, &'static str)> {
    let enabled = match update.association_status() {
        Some(AssociationStatus::Enabled) => true,
        Some(AssociationStatus::Disabled) => false,
        _ => return Err((UnprocessedErrorCode::InvalidInput, "AssociationStatus is not valid")),
    };
    let reason = update.updated_reason().map(str::to_owned);
    if !enabled && reason.as_ref().is_none_or(|reason| reason.trim().is_empty()) {
        return Err((UnprocessedErrorCode::InvalidInput, "UpdatedReason is required to disable a control"));
    }
    let standard = update.standards_arn().unwrap_or_default();
    let one = here
        .subscriptions
        .get_mut(standard)
        .filter(|one| one.may_be_updated())
        .and_then(|one| one.associations.get_mut(update.security_control_id().unwrap_or_default()))
        .ok_or((UnprocessedErrorCode::ResourceNotFound, "The control or the standard was not found"))?;
    *one = Association { enabled, reason, updated: now };
    Ok(())
}

/// API reference, UpdateSecurityControl: parameters that the control has, of their type and within their bounds; the
/// call is refused while an update is on its way. What is not named goes back to its default here, so that nobody
/// relies on its staying.
pub fn update(
    call: &mut Call<'_>,
    input: &UpdateSecurityControlInput,
) -> Result<UpdateSecurityControlOutput, Refusal> {
    let now = call.now;
    let here = may_change(call)?;
    let id = input.security_control_id().unwrap_or_default();
    let control = catalog::find(id).ok_or_else(|| not_found(id))?;
    if here.properties.get(id).and_then(|one| one.until).is_some_and(|until| now < until) {
        return Err(Refusal::new(
            409,
            "ResourceInUseException",
            format!("Security control {id} is being updated"),
        ));
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_ ".contains(c) || !c.is_ascii();
    if input.last_update_reason().is_some_and(|reason| reason.is_empty() || !reason.chars().all(plain)) {
        return Err(invalid("Invalid parameter 'LastUpdateReason'."));
    }
    let mut custom = BTreeMap::new();
    for (name, wanted) in input.parameters().into_iter().flatten() {
        let found = control.parameters.iter().find(|(known, _)| known == name);
        let (_, parameter) =
            found.ok_or_else(|| invalid(format!("{id} has no parameter that is called {name}")))?;
        match (wanted.value_type(), wanted.value()) {
            (Some(ParameterValueType::Custom), Some(value)) if parameter.takes(value) => {
                custom.insert(name.clone(), value.clone());
            }
            (Some(ParameterValueType::Default), None) => {}
            _ => return Err(invalid(format!("Invalid value of parameter {name}"))),
        }
    }
    let reason = input.last_update_reason().map(str::to_owned);
    let until = now.checked_add(UPDATING).ok();
    here.properties.insert(id.to_owned(), Properties { parameters: custom, reason, until });
    Ok(UpdateSecurityControlOutput::builder().build())
}
