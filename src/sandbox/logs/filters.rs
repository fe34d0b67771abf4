//! Metric filters of log groups.

use aws_sdk_cloudwatchlogs::operation::describe_metric_filters::{
    DescribeMetricFiltersInput, DescribeMetricFiltersOutput,
};
use aws_sdk_cloudwatchlogs::operation::put_metric_filter::{PutMetricFilterInput, PutMetricFilterOutput};
use aws_sdk_cloudwatchlogs::types::{LogGroupClass, MetricFilter, MetricTransformation};
use jiff::Timestamp;

use super::super::operation::{Call, Refusal, length_within, page};
use super::{group, group_name, invalid};

/// A metric filter.
#[derive(Clone, Debug)]
pub struct Filter {
    pub pattern: String,
    pub transformation: MetricTransformation,
    /// A filter expression over accounts and regions.
    pub criteria: Option<String>,
    pub created: Timestamp,
}

/// "The maximum number of metric filters that can be associated with a log group is 100" (PutMetricFilter).
const MOST: usize = 100;

/// `[^:*]*`, 1–512 characters.
fn filter_name(name: Option<&str>) -> Result<&str, Refusal> {
    name.filter(|name| length_within(name, 1, 512) && !name.contains([':', '*'])).ok_or_else(|| {
        invalid("1 validation error detected: Value at 'filterName' failed to satisfy constraint")
    })
}

/// A pattern for JSON events: braces round it, and what is opened inside is closed (User Guide, "Filter pattern
/// syntax"). Other patterns are taken as they are.
fn pattern(given: Option<&str>) -> Result<&str, Refusal> {
    let text = given.filter(|text| length_within(text, 0, 1024)).ok_or_else(|| {
        invalid("1 validation error detected: Value at 'filterPattern' failed to satisfy constraint")
    })?;
    let Some(inside) = text.trim().strip_prefix('{') else { return Ok(text) };
    let (mut depth, mut quoted) = (0_i32, false);
    let balanced = inside.strip_suffix('}').is_some_and(|inside| {
        inside.chars().all(|c| {
            quoted ^= c == '"';
            depth += i32::from(c == '(' && !quoted) - i32::from(c == ')' && !quoted);
            depth >= 0
        })
    });
    if balanced && depth == 0 && !quoted { Ok(text) } else { Err(invalid("Invalid metric filter pattern")) }
}

/// One transformation: name and namespace `[^:*$]*` to 255 characters, a value to 100, and a default or dimensions.
fn transformation(given: &[MetricTransformation]) -> Result<&MetricTransformation, Refusal> {
    let wrong = || {
        invalid("1 validation error detected: Value at 'metricTransformations' failed to satisfy constraint")
    };
    let [one] = given else { return Err(wrong()) };
    let word = |text: &str| length_within(text, 1, 255) && !text.contains([':', '*', '$']);
    let fits = word(one.metric_name()) && word(one.metric_namespace());
    let both = one.default_value().is_some() && one.dimensions().is_some_and(|all| !all.is_empty());
    if fits && length_within(one.metric_value(), 1, 100) && !both { Ok(one) } else { Err(wrong()) }
}

/// PutMetricFilter: makes or replaces; groups of the other classes have none (User Guide, "Log classes").
pub(super) fn put_metric_filter(
    call: &mut Call<'_>,
    input: &PutMetricFilterInput,
) -> Result<PutMetricFilterOutput, Refusal> {
    let name = filter_name(input.filter_name())?.to_owned();
    let pattern = pattern(input.filter_pattern())?.to_owned();
    let transformation = transformation(input.metric_transformations())?.clone();
    let criteria = input.field_selection_criteria().map(str::to_owned);
    let created = call.now;
    let group = group(call, input.log_group_name())?;
    if group.class != LogGroupClass::Standard {
        return Err(Refusal::new(
            400,
            "InvalidOperationException",
            "Metric filters are not supported for the log class of this log group.",
        ));
    }
    if group.filters.len() >= MOST && !group.filters.contains_key(&name) {
        return Err(Refusal::new(400, "LimitExceededException", "Resource limit exceeded."));
    }
    group.filters.insert(name, Filter { pattern, transformation, criteria, created });
    Ok(PutMetricFilterOutput::builder().build())
}

/// Pages may be shorter than `limit`, which is 50 where nothing is said.
const FILTERS_A_PAGE: usize = 4;

/// DescribeMetricFilters: sorted by name; this world tells those of one group.
pub(super) fn describe_metric_filters(
    call: &mut Call<'_>,
    input: &DescribeMetricFiltersInput,
) -> Result<DescribeMetricFiltersOutput, Refusal> {
    let size = match input.limit() {
        None => FILTERS_A_PAGE,
        Some(limit @ 1..=50) => usize::try_from(limit).unwrap_or(FILTERS_A_PAGE).min(FILTERS_A_PAGE),
        Some(_) => return Err(invalid("limit must be from 1 to 50")),
    };
    if input.metric_name().is_some() || input.metric_namespace().is_some() {
        return Err(invalid("This world tells the filters of a log group, and not those of a metric."));
    }
    let of = group_name(input.log_group_name())?.to_owned();
    let filters = &group(call, Some(&of))?.filters;
    let fits = |name: &&String| input.filter_name_prefix().is_none_or(|prefix| name.starts_with(prefix));
    let names: Vec<&String> = filters.keys().filter(fits).collect();
    let (names, next) = page(&names, input.next_token(), size)
        .ok_or_else(|| invalid("The specified nextToken is invalid."))?;
    let told = names.into_iter().filter_map(|name| {
        let filter = filters.get(name)?;
        let built = MetricFilter::builder()
            .filter_name(name)
            .filter_pattern(&filter.pattern)
            .metric_transformations(filter.transformation.clone())
            .set_field_selection_criteria(filter.criteria.clone())
            .creation_time(filter.created.as_millisecond())
            .log_group_name(&of);
        Some(built.build())
    });
    Ok(DescribeMetricFiltersOutput::builder()
        .set_metric_filters(Some(told.collect()))
        .set_next_token(next)
        .build())
}
