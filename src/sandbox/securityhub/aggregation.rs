//! Finding aggregators: which regions send their findings to the home region.
//!
//! Sources: API reference of each operation; User Guide, "Enabling cross-Region aggregation".

use aws_sdk_securityhub::operation::create_finding_aggregator::{
    CreateFindingAggregatorInput, CreateFindingAggregatorOutput,
};
use aws_sdk_securityhub::operation::get_finding_aggregator::{
    GetFindingAggregatorInput, GetFindingAggregatorOutput,
};
use aws_sdk_securityhub::operation::list_finding_aggregators::{
    ListFindingAggregatorsInput, ListFindingAggregatorsOutput,
};
use aws_sdk_securityhub::operation::update_finding_aggregator::{
    UpdateFindingAggregatorInput, UpdateFindingAggregatorOutput,
};
use aws_sdk_securityhub::types::FindingAggregator;

use super::super::operation::{Call, Refusal};
use super::super::state::{Account, DEFAULT_REGIONS, OPT_IN_REGIONS};
use super::standards::page_size;
use super::{enabled, invalid};

/// An account's aggregator, kept where its home region is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aggregator {
    pub arn: String,
    /// `RegionLinkingMode`.
    pub mode: String,
    pub regions: Vec<String>,
}

impl Aggregator {
    /// Does it link this region?
    pub fn links(&self, region: &str) -> bool {
        let listed = self.regions.iter().any(|one| one == region);
        match self.mode.as_str() {
            "ALL_REGIONS" => true,
            "ALL_REGIONS_EXCEPT_SPECIFIED" => !listed,
            "SPECIFIED_REGIONS" => listed,
            _ => false,
        }
    }
}

/// The account's aggregator and its home region: an account has one.
pub fn of(account: &Account) -> Option<(&str, &Aggregator)> {
    account
        .regions
        .iter()
        .find_map(|(region, state)| state.securityhub.aggregator.as_ref().map(|one| (region.as_str(), one)))
}

/// `Regions` goes with two of the modes and is refused with the others; the home region is none of them.
fn linking(
    call: &Call<'_>,
    mode: Option<&str>,
    regions: &[String],
) -> Result<(String, Vec<String>), Refusal> {
    let mode = mode.ok_or_else(|| invalid("Invalid parameter 'RegionLinkingMode'."))?;
    let takes = match mode {
        "ALL_REGIONS" | "NO_REGIONS" => false,
        "ALL_REGIONS_EXCEPT_SPECIFIED" | "SPECIFIED_REGIONS" => true,
        _ => return Err(invalid("Invalid parameter 'RegionLinkingMode'.")),
    };
    let known = |region: &String| {
        DEFAULT_REGIONS.iter().chain(&OPT_IN_REGIONS).any(|known| known == region) && region != call.region
    };
    let once = regions.iter().enumerate().all(|(index, region)| !regions[..index].contains(region));
    if takes == regions.is_empty() || !regions.iter().all(known) || !once {
        return Err(invalid("Invalid parameter 'Regions'."));
    }
    Ok((mode.to_owned(), regions.to_vec()))
}

/// A member is left to its administrator, which links the regions for it. The service may be kinder.
fn own(call: &mut Call<'_>) -> Result<(), Refusal> {
    if enabled(call)?.administrator.is_some() {
        return Err(Refusal::new(
            403,
            "AccessDeniedException",
            "Member accounts cannot configure cross-Region aggregation",
        ));
    }
    Ok(())
}

fn not_found() -> Refusal {
    Refusal::new(404, "ResourceNotFoundException", "The finding aggregator was not found")
}

/// CreateFindingAggregator: in the region that becomes the home region, which may not be one that accounts opt in
/// to; one for an account.
pub fn create(
    call: &mut Call<'_>,
    input: &CreateFindingAggregatorInput,
) -> Result<CreateFindingAggregatorOutput, Refusal> {
    own(call)?;
    let (mode, regions) = linking(call, input.region_linking_mode(), input.regions())?;
    if !DEFAULT_REGIONS.contains(&call.region) {
        return Err(invalid("A Region that is disabled by default cannot be the aggregation Region"));
    }
    if of(call.account()).is_some() {
        return Err(invalid("A finding aggregator already exists for this account"));
    }
    let id = call.state.uuid();
    let arn = call.arn("securityhub", format!("finding-aggregator/{id}"));
    let region = call.region.to_owned();
    call.here().securityhub.aggregator =
        Some(Aggregator { arn: arn.clone(), mode: mode.clone(), regions: regions.clone() });
    Ok(CreateFindingAggregatorOutput::builder()
        .finding_aggregator_arn(arn)
        .finding_aggregation_region(region)
        .region_linking_mode(mode)
        .set_regions((!regions.is_empty()).then_some(regions))
        .build())
}

/// ListFindingAggregators: from any region; "currently only returns a single result".
pub fn list(
    call: &mut Call<'_>,
    input: &ListFindingAggregatorsInput,
) -> Result<ListFindingAggregatorsOutput, Refusal> {
    enabled(call)?;
    page_size(input.max_results())?;
    if input.next_token().is_some() {
        return Err(invalid("Invalid parameter 'NextToken'."));
    }
    let found = of(call.account())
        .map(|(_, one)| FindingAggregator::builder().finding_aggregator_arn(&one.arn).build());
    Ok(ListFindingAggregatorsOutput::builder()
        .set_finding_aggregators(Some(found.into_iter().collect()))
        .build())
}

/// GetFindingAggregator: from any region.
pub fn get(
    call: &mut Call<'_>,
    input: &GetFindingAggregatorInput,
) -> Result<GetFindingAggregatorOutput, Refusal> {
    enabled(call)?;
    let found = of(call.account());
    let (home, one) = found
        .filter(|(_, one)| Some(one.arn.as_str()) == input.finding_aggregator_arn())
        .ok_or_else(not_found)?;
    Ok(GetFindingAggregatorOutput::builder()
        .finding_aggregator_arn(&one.arn)
        .finding_aggregation_region(home)
        .region_linking_mode(&one.mode)
        .set_regions((!one.regions.is_empty()).then(|| one.regions.clone()))
        .build())
}

/// UpdateFindingAggregator: "from the current home Region only"; replaces mode and regions.
pub fn update(
    call: &mut Call<'_>,
    input: &UpdateFindingAggregatorInput,
) -> Result<UpdateFindingAggregatorOutput, Refusal> {
    own(call)?;
    let (mode, regions) = linking(call, input.region_linking_mode(), input.regions())?;
    let region = call.region.to_owned();
    let here = call.here().securityhub.aggregator.as_mut();
    let one =
        here.filter(|one| Some(one.arn.as_str()) == input.finding_aggregator_arn()).ok_or_else(not_found)?;
    one.mode = mode;
    one.regions = regions;
    Ok(UpdateFindingAggregatorOutput::builder()
        .finding_aggregator_arn(&one.arn)
        .finding_aggregation_region(region)
        .region_linking_mode(&one.mode)
        .set_regions((!one.regions.is_empty()).then(|| one.regions.clone()))
        .build())
}

#[cfg(test)]
mod tests;
