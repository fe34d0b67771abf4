//! Aggregators: whose accounts and regions are shown in one place.

use aws_sdk_config::operation::describe_configuration_aggregators::{
    DescribeConfigurationAggregatorsInput, DescribeConfigurationAggregatorsOutput,
};
use aws_sdk_config::operation::put_configuration_aggregator::{
    PutConfigurationAggregatorInput, PutConfigurationAggregatorOutput,
};
use aws_sdk_config::types::{
    AccountAggregationSource, ConfigurationAggregator, OrganizationAggregationSource,
};

use super::super::operation::{Call, Refusal, date_time, length_within, page};
use super::recorder::may_take;
use super::{refuse, tags};

const A_PAGE: usize = 1;

/// Developer Guide, "Service limits".
const MOST: usize = 50;

fn invalid(message: impl Into<String>) -> Refusal {
    refuse("InvalidParameterValueException", message)
}

/// DescribeConfigurationAggregators: all of them in pages, or some by name.
pub(in crate::sandbox) fn describe(
    call: &mut Call<'_>,
    input: &DescribeConfigurationAggregatorsInput,
) -> Result<DescribeConfigurationAggregatorsOutput, Refusal> {
    let names = input.configuration_aggregator_names();
    let all = &call.here().config.aggregators;
    if let Some(name) = names.iter().find(|name| !all.contains_key(*name)) {
        let message = format!("The configuration aggregator {name} does not exist");
        return Err(refuse("NoSuchConfigurationAggregatorException", message));
    }
    let asked = all.iter().filter(|(name, _)| names.is_empty() || names.contains(name));
    let asked: Vec<_> = asked.map(|(_, one)| one.clone()).collect();
    let (some, next) = page(&asked, input.next_token(), A_PAGE)
        .ok_or_else(|| refuse("InvalidNextTokenException", "The nextToken is not valid"))?;
    Ok(DescribeConfigurationAggregatorsOutput::builder()
        .set_configuration_aggregators(Some(some))
        .set_next_token(next)
        .build())
}

/// One of all regions and some.
fn regions(all: bool, some: &[String]) -> Result<(), Refusal> {
    if all == some.is_empty() { Ok(()) } else { Err(invalid("Specify AllAwsRegions or AwsRegions")) }
}

/// "You must be signed in to the management account or a registered delegated administrator"; the role is one that
/// AWS Config may take and that may read the organisation.
fn of_organization(call: &mut Call<'_>, source: &OrganizationAggregationSource) -> Result<(), Refusal> {
    regions(source.all_aws_regions(), source.aws_regions())?;
    let caller = call.caller.account.clone();
    let organization = call.state.organization.as_ref();
    let organization = organization
        .ok_or_else(|| refuse("NoAvailableOrganizationException", "The account is not in an organization"))?;
    let administers = organization.administrators_of("config.amazonaws.com").any(|id| id == caller);
    if organization.management != caller && !administers {
        let message =
            "This action can only be performed by the management account or a delegated administrator";
        return Err(refuse("OrganizationAccessDeniedException", message));
    }
    let arn = source.role_arn();
    let name = arn.rsplit('/').next().unwrap_or_default();
    let attached = call.account().iam.attached.get(name).cloned().unwrap_or_default();
    let reads = attached.iter().any(|policy| policy.ends_with("/AWSConfigRoleForOrganizations"));
    if may_take(call, arn) && reads {
        Ok(())
    } else {
        Err(refuse("InvalidRoleException", "The role cannot be assumed, or may not read the organization"))
    }
}

fn of_accounts(source: &AccountAggregationSource) -> Result<(), Refusal> {
    regions(source.all_aws_regions(), source.aws_regions())?;
    let id = |id: &String| id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit());
    if source.account_ids().is_empty() || !source.account_ids().iter().all(id) {
        return Err(invalid("AccountIds are not valid"));
    }
    Ok(())
}

/// PutConfigurationAggregator: one source; what is passed replaces what was there.
pub(in crate::sandbox) fn put(
    call: &mut Call<'_>,
    input: &PutConfigurationAggregatorInput,
) -> Result<PutConfigurationAggregatorOutput, Refusal> {
    let name = input.configuration_aggregator_name().unwrap_or_default().to_owned();
    let letters = name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
    if !length_within(&name, 1, 256) || !letters {
        return Err(invalid("The name of the aggregator is not valid"));
    }
    match (input.account_aggregation_sources(), input.organization_aggregation_source()) {
        ([source], None) => of_accounts(source)?,
        ([], Some(source)) => of_organization(call, source)?,
        _ => return Err(invalid("Specify one source of accounts")),
    }
    tags(input.tags())?;
    let (id, now) = (call.state.hex(8), date_time(call.now));
    let arn = call.arn("config", format!("config-aggregator/config-aggregator-{id}"));
    let all = &mut call.here().config.aggregators;
    let before = all.get(&name);
    if before.is_none() && all.len() >= MOST {
        return Err(refuse("LimitExceededException", "You have reached the limit of aggregators"));
    }
    let arn = before.and_then(|one| one.configuration_aggregator_arn.clone()).unwrap_or(arn);
    let created = before.and_then(|one| one.creation_time).unwrap_or(now);
    let sources = input.account_aggregation_sources().to_vec();
    let told = ConfigurationAggregator::builder()
        .configuration_aggregator_name(&name)
        .configuration_aggregator_arn(arn)
        .set_account_aggregation_sources(Some(sources).filter(|sources| !sources.is_empty()))
        .set_organization_aggregation_source(input.organization_aggregation_source().cloned())
        .creation_time(created)
        .last_updated_time(now)
        .build();
    all.insert(name, told.clone());
    Ok(PutConfigurationAggregatorOutput::builder().configuration_aggregator(told).build())
}
