//! Saved filters of findings.
//!
//! Source: Amazon GuardDuty API Reference; User Guide, "Suppression rules" for members.

use std::collections::BTreeMap;

use aws_sdk_guardduty::operation::create_filter::{CreateFilterInput, CreateFilterOutput};
use aws_sdk_guardduty::operation::get_filter::{GetFilterInput, GetFilterOutput};
use aws_sdk_guardduty::operation::list_filters::{ListFiltersInput, ListFiltersOutput};
use aws_sdk_guardduty::operation::update_filter::{UpdateFilterInput, UpdateFilterOutput};
use aws_sdk_guardduty::types::{Condition, FilterAction, FindingCriteria};

use super::super::operation::{Call, Refusal, length_within, page};
use super::{bad, detector, invalid, page_size, tags};

/// The most that an account has in a region (CreateFilter).
const FILTERS: usize = 100;

/// How many names a page has; the model allows 1–50.
const A_PAGE: usize = 2;

/// A saved filter.
#[derive(Clone, Debug)]
pub struct Filter {
    pub description: Option<String>,
    pub action: FilterAction,
    pub rank: i32,
    pub criteria: FindingCriteria,
    pub tags: BTreeMap<String, String>,
}

/// ListFilters.
pub(super) fn list(call: &mut Call<'_>, input: &ListFiltersInput) -> Result<ListFiltersOutput, Refusal> {
    page_size(input.max_results())?;
    let names: Vec<String> = detector(call, input.detector_id())?.filters.keys().cloned().collect();
    let token = input.next_token().filter(|token| !token.is_empty());
    let (names, next) = page(&names, token, A_PAGE).ok_or_else(|| invalid("nextToken"))?;
    Ok(ListFiltersOutput::builder().set_filter_names(Some(names)).set_next_token(next).build())
}

fn not_there() -> Refusal {
    bad("The request is rejected because the specified filter does not exist.")
}

/// GetFilter.
pub(super) fn get(call: &mut Call<'_>, input: &GetFilterInput) -> Result<GetFilterOutput, Refusal> {
    let name = input.filter_name().unwrap_or_default();
    let filter = detector(call, input.detector_id())?.filters.get(name).ok_or_else(not_there)?;
    let tags = filter.tags.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
    Ok(GetFilterOutput::builder()
        .name(name)
        .set_description(filter.description.clone())
        .action(filter.action.clone())
        .rank(filter.rank)
        .finding_criteria(filter.criteria.clone())
        // TagMap holds one tag at least.
        .set_tags((!filter.tags.is_empty()).then_some(tags))
        .build())
}

fn action(wanted: Option<&FilterAction>) -> Result<Option<FilterAction>, Refusal> {
    match wanted {
        None | Some(FilterAction::Archive | FilterAction::Noop) => Ok(wanted.cloned()),
        Some(_) => Err(invalid("action")),
    }
}

fn rank(wanted: Option<i32>) -> Result<Option<i32>, Refusal> {
    if wanted.is_none_or(|rank| (1..=100).contains(&rank)) { Ok(wanted) } else { Err(invalid("rank")) }
}

/// FilterDescription: to 512 characters; letters, digits, white space and `-.:_{}[]()/`. Here `,` too is refused.
fn description(wanted: Option<&str>) -> Result<Option<String>, Refusal> {
    let fits = |text: &&str| {
        length_within(text, 0, 512)
            && text
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c.is_ascii_whitespace() || "-.:_{}[]()/".contains(c))
    };
    match wanted {
        Some(text) if !fits(&text) => Err(invalid("description")),
        _ => Ok(wanted.map(str::to_owned)),
    }
}

/// FindingCriteria: each field has a condition, of 50 values at most; `matches` of 5.
fn criteria(wanted: &FindingCriteria) -> Result<FindingCriteria, Refusal> {
    let all = wanted.criterion().filter(|all| !all.is_empty()).ok_or_else(|| invalid("findingCriteria"))?;
    let fits = |condition: &Condition| {
        let lists = [condition.equals().len(), condition.not_equals().len()];
        let patterns = [condition.matches().len(), condition.not_matches().len()];
        let says = lists.iter().chain(&patterns).any(|length| *length > 0)
            || [condition.greater_than(), condition.greater_than_or_equal()].iter().any(Option::is_some)
            || [condition.less_than(), condition.less_than_or_equal()].iter().any(Option::is_some);
        says && lists.iter().all(|length| *length <= 50) && patterns.iter().all(|length| *length <= 5)
    };
    if !all.values().all(fits) {
        return Err(invalid("findingCriteria"));
    }
    Ok(wanted.clone())
}

fn no_member(call: &mut Call<'_>) -> Result<(), Refusal> {
    match call.here().guardduty.administrator {
        None => Ok(()),
        Some(_) => {
            Err(bad("The request is rejected because the filter is managed by the administrator account."))
        }
    }
}

/// CreateFilter: a name of 3–64 letters, digits, `.`, `_` and `-` that is free; NOOP unless told otherwise, at the end of
/// the list.
pub(super) fn create(call: &mut Call<'_>, input: &CreateFilterInput) -> Result<CreateFilterOutput, Refusal> {
    no_member(call)?;
    let fits = |name: &&str| {
        length_within(name, 3, 64) && name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
    };
    let name = input.name().filter(fits).ok_or_else(|| invalid("name"))?.to_owned();
    let wanted = input.finding_criteria().ok_or_else(|| invalid("findingCriteria"))?;
    let filters = &mut detector(call, input.detector_id())?.filters;
    if filters.contains_key(&name) {
        return Err(bad("The request is rejected because a filter with the given name already exists."));
    }
    if filters.len() >= FILTERS {
        return Err(bad("The request is rejected because the maximum number of filters is reached."));
    }
    let last = i32::try_from(filters.len()).unwrap_or(i32::MAX).saturating_add(1);
    let filter = Filter {
        description: description(input.description())?,
        action: action(input.action())?.unwrap_or(FilterAction::Noop),
        rank: rank(input.rank())?.unwrap_or(last),
        criteria: criteria(wanted)?,
        tags: tags(input.tags())?,
    };
    filters.insert(name.clone(), filter);
    Ok(CreateFilterOutput::builder().name(name).build())
}

/// UpdateFilter: what is not given stays; criteria are replaced whole.
pub(super) fn update(call: &mut Call<'_>, input: &UpdateFilterInput) -> Result<UpdateFilterOutput, Refusal> {
    no_member(call)?;
    let name = input.filter_name().unwrap_or_default();
    let filter = detector(call, input.detector_id())?.filters.get_mut(name).ok_or_else(not_there)?;
    let mut next = filter.clone();
    if let Some(text) = description(input.description())? {
        next.description = Some(text);
    }
    next.action = action(input.action())?.unwrap_or(next.action);
    next.rank = rank(input.rank())?.unwrap_or(next.rank);
    if let Some(wanted) = input.finding_criteria() {
        next.criteria = criteria(wanted)?;
    }
    *filter = next;
    Ok(UpdateFilterOutput::builder().name(name).build())
}
