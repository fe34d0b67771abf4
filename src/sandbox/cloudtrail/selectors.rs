//! Event selectors and Insight selectors.

use std::collections::BTreeSet;

use aws_sdk_cloudtrail::operation::get_event_selectors::{GetEventSelectorsInput, GetEventSelectorsOutput};
use aws_sdk_cloudtrail::operation::get_insight_selectors::{
    GetInsightSelectorsInput, GetInsightSelectorsOutput,
};
use aws_sdk_cloudtrail::operation::put_event_selectors::{PutEventSelectorsInput, PutEventSelectorsOutput};
use aws_sdk_cloudtrail::operation::put_insight_selectors::{
    PutInsightSelectorsInput, PutInsightSelectorsOutput,
};
use aws_sdk_cloudtrail::types::{
    AdvancedEventSelector, AdvancedFieldSelector, EventSelector, InsightSelector, InsightType, ReadWriteType,
    SourceEventCategory,
};

use super::super::operation::{Call, Refusal, length_within};
use super::{named, refuse, written};

/// What a trail records.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Selectors {
    /// Until somebody selects: all management events (PutEventSelectors).
    #[default]
    New,
    Basic(Vec<EventSelector>),
    Advanced(Vec<AdvancedEventSelector>),
}

impl Selectors {
    pub(super) fn custom(&self) -> bool {
        *self != Self::New
    }

    /// Whether reading and writing management events are recorded.
    pub(super) fn management(&self) -> (bool, bool) {
        let mut both = (false, false);
        let mut take = |kind: Option<&ReadWriteType>| {
            both.0 |= kind != Some(&ReadWriteType::WriteOnly);
            both.1 |= kind != Some(&ReadWriteType::ReadOnly);
        };
        match self {
            Self::New => take(None),
            Self::Basic(all) => {
                let all = all.iter().filter(|one| one.include_management_events() != Some(false));
                all.for_each(|one| take(one.read_write_type()));
            }
            Self::Advanced(all) => {
                for one in all.iter().filter(|one| category(one) == Some("Management")) {
                    let only = field(one, "readOnly").and_then(|only| only.equals().first());
                    take(match only.map(String::as_str) {
                        Some("true") => Some(&ReadWriteType::ReadOnly),
                        Some(_) => Some(&ReadWriteType::WriteOnly),
                        None => None,
                    });
                }
            }
        }
        both
    }
}

fn field<'s>(selector: &'s AdvancedEventSelector, name: &str) -> Option<&'s AdvancedFieldSelector> {
    selector.field_selectors().iter().find(|field| field.field() == name)
}

fn category(selector: &AdvancedEventSelector) -> Option<&str> {
    match field(selector, "eventCategory")?.equals() {
        [one] => Some(one),
        _ => None,
    }
}

/// GetEventSelectors: in the form in which they were put.
pub(super) fn get_events(
    call: &mut Call<'_>,
    input: &GetEventSelectorsInput,
) -> Result<GetEventSelectorsOutput, Refusal> {
    let home = named(call, input.trail_name())?;
    let output = GetEventSelectorsOutput::builder().trail_arn(home.arn());
    Ok(match home.trail(call.state)?.selectors.clone() {
        Selectors::New => {
            let all = EventSelector::builder()
                .read_write_type(ReadWriteType::All)
                .include_management_events(true)
                .set_data_resources(Some(Vec::new()))
                .set_exclude_management_event_sources(Some(Vec::new()));
            output.event_selectors(all.build()).build()
        }
        Selectors::Basic(all) => output.set_event_selectors(Some(all)).build(),
        Selectors::Advanced(all) => output.set_advanced_event_selectors(Some(all)).build(),
    })
}

fn wrong(why: &str) -> Refusal {
    refuse("InvalidEventSelectorsException", format!("Invalid event selectors: {why}."))
}

/// PutEventSelectors: in the home region; either kind and not both; the others are overwritten.
pub(super) fn put_events(
    call: &mut Call<'_>,
    input: &PutEventSelectorsInput,
) -> Result<PutEventSelectorsOutput, Refusal> {
    let home = written(call, input.trail_name())?;
    let wanted = match (input.event_selectors(), input.advanced_event_selectors()) {
        ([], []) => return Err(wrong("there must be one at least")),
        (basic, []) => {
            basic_selectors(basic)?;
            Selectors::Basic(basic.to_vec())
        }
        ([], advanced) => {
            advanced_selectors(advanced)?;
            Selectors::Advanced(advanced.to_vec())
        }
        _ => return Err(wrong("basic and advanced ones exclude each other")),
    };
    home.trail_mut(call.state)?.selectors = wanted.clone();
    let output = PutEventSelectorsOutput::builder().trail_arn(home.arn());
    Ok(match wanted {
        Selectors::Advanced(all) => output.set_advanced_event_selectors(Some(all)).build(),
        Selectors::Basic(all) => output.set_event_selectors(Some(all)).build(),
        Selectors::New => output.build(),
    })
}

const BASIC: [&str; 3] = ["AWS::DynamoDB::Table", "AWS::Lambda::Function", "AWS::S3::Object"];
const SOURCES: [&str; 2] = ["kms.amazonaws.com", "rdsdata.amazonaws.com"];

/// EventSelector: at most five, 250 resources altogether, three kinds of them, and two event sources to leave
/// out.
fn basic_selectors(all: &[EventSelector]) -> Result<(), Refusal> {
    let resources = || all.iter().flat_map(EventSelector::data_resources);
    if all.len() > 5 || resources().map(|one| one.values().len()).sum::<usize>() > 250 {
        return Err(wrong("there are too many"));
    }
    if !resources().all(|one| one.r#type().is_some_and(|kind| BASIC.contains(&kind))) {
        return Err(wrong("the kind of a data resource is not known"));
    }
    let sources = all.iter().flat_map(EventSelector::exclude_management_event_sources);
    if !sources.into_iter().all(|source| SOURCES.contains(&source.as_str())) {
        return Err(wrong("an event source cannot be left out"));
    }
    Ok(())
}

/// AdvancedFieldSelector: `eventCategory`, `readOnly` and `resources.type` take one `Equals` and nothing else;
/// data events name a kind of resource; management events can leave out two event sources; 500 values at most.
fn advanced_selectors(all: &[AdvancedEventSelector]) -> Result<(), Refusal> {
    let mut values = 0;
    for selector in all {
        if selector.name().is_some_and(|name| !length_within(name, 0, 1000)) {
            return Err(wrong("a name is too long"));
        }
        let mut fields = BTreeSet::new();
        for field in selector.field_selectors() {
            if !fields.insert(field.field()) {
                return Err(wrong("a field is there twice"));
            }
            let others = [
                field.not_equals(),
                field.starts_with(),
                field.not_starts_with(),
                field.ends_with(),
                field.not_ends_with(),
            ];
            let count: usize = others.iter().map(|list| list.len()).sum();
            values += count + field.equals().len();
            let only = ["eventCategory", "readOnly", "resources.type"].contains(&field.field());
            if count + field.equals().len() == 0 || (only && (count > 0 || field.equals().len() != 1)) {
                return Err(wrong("a field has an operator that it does not take"));
            }
            if field.field() == "readOnly" && !["true", "false"].contains(&field.equals()[0].as_str()) {
                return Err(wrong("readOnly is true or false"));
            }
        }
        let known: &[&str] = match category(selector) {
            Some("Management") => {
                let source = field(selector, "eventSource");
                let left_out = source.is_none_or(|source| {
                    source.equals().is_empty()
                        && source.not_equals().iter().all(|one| SOURCES.contains(&one.as_str()))
                });
                if !left_out {
                    return Err(wrong("an event source cannot be left out"));
                }
                &["eventCategory", "readOnly", "eventSource"]
            }
            Some("Data") if field(selector, "resources.type").is_some() => {
                &["eventCategory", "resources.type", "readOnly", "eventName", "resources.ARN", "eventSource"]
            }
            Some("NetworkActivity") => {
                &["eventCategory", "eventSource", "eventName", "errorCode", "vpcEndpointId"]
            }
            _ => return Err(wrong("a selector has no category, or no kind of resource")),
        };
        if !fields.iter().all(|field| known.contains(field)) {
            return Err(wrong("a field is not one of its category"));
        }
    }
    if values > 500 { Err(wrong("there are too many values")) } else { Ok(()) }
}

/// GetInsightSelectors: a trail without any answers with an error.
pub(super) fn get_insights(
    call: &mut Call<'_>,
    input: &GetInsightSelectorsInput,
) -> Result<GetInsightSelectorsOutput, Refusal> {
    let home = named(call, input.trail_name())?;
    let insights = home.trail(call.state)?.insights.clone();
    if insights.is_empty() {
        let message = format!("Trail {} does not have Insights enabled.", home.arn());
        return Err(refuse("InsightNotEnabledException", message));
    }
    Ok(GetInsightSelectorsOutput::builder()
        .trail_arn(home.arn())
        .set_insight_selectors(Some(insights))
        .build())
}

/// PutInsightSelectors: in the home region; replaces all, and none is none. The rate of calls needs writing
/// management events in the trail, the rate of errors any; no category is management.
pub(super) fn put_insights(
    call: &mut Call<'_>,
    input: &PutInsightSelectorsInput,
) -> Result<PutInsightSelectorsOutput, Refusal> {
    let wrong =
        |why: &str| refuse("InvalidInsightSelectorsException", format!("Invalid Insight selectors: {why}."));
    let home = written(call, input.trail_name())?;
    let trail = home.trail_mut(call.state)?;
    let (reads, writes) = trail.selectors.management();
    let mut kinds = BTreeSet::new();
    let mut kept = Vec::new();
    for selector in input.insight_selectors() {
        let kind = selector.insight_type().ok_or_else(|| wrong("a kind is missing"))?;
        if !InsightType::values().contains(&kind.as_str()) || !kinds.insert(kind.as_str().to_owned()) {
            return Err(wrong("a kind is not known, or there twice"));
        }
        let mut categories = selector.event_categories().to_vec();
        if categories.is_empty() {
            categories.push(SourceEventCategory::Management);
        }
        let recorded = if *kind == InsightType::ApiCallRateInsight { writes } else { reads || writes };
        if categories.contains(&SourceEventCategory::Management) && !recorded {
            return Err(wrong("the trail does not record the management events that it looks at"));
        }
        let selector = InsightSelector::builder().insight_type(kind.clone());
        kept.push(selector.set_event_categories(Some(categories)).build());
    }
    trail.insights.clone_from(&kept);
    Ok(PutInsightSelectorsOutput::builder().trail_arn(home.arn()).set_insight_selectors(Some(kept)).build())
}
