//! Which events a trail records: AWS's selectors, read as families and written back.
//!
//! A selector is plain when it says no more than which events of one family are recorded. What is finer (single
//! buckets, other kinds of resources, network activity) is somebody else's and stays as it is.

use aws_sdk_cloudtrail::types::{AdvancedEventSelector, AdvancedFieldSelector, EventSelector, ReadWriteType};
use serde::{Deserialize, Serialize};

use super::spec::{EventsSpec, Level};

/// A trail's selectors, all in the advanced form.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Events {
    /// AWS keeps them in the basic form, which the first write ends.
    pub basic: bool,
    pub selectors: Vec<Selector>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Selector {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub fields: Vec<Condition>,
}

/// One field's condition; an operator that is not there has no values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Condition {
    pub field: String,
    pub equals: Vec<String>,
    pub not_equals: Vec<String>,
    pub starts_with: Vec<String>,
    pub not_starts_with: Vec<String>,
    pub ends_with: Vec<String>,
    pub not_ends_with: Vec<String>,
}

/// What can be declared, in the order in which it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    Management,
    S3,
    Lambda,
    DynamoDb,
}

impl Family {
    pub const ALL: [Self; 4] = [Self::Management, Self::S3, Self::Lambda, Self::DynamoDb];

    /// The path in the spec.
    pub fn path(self) -> &'static str {
        match self {
            Self::Management => "/events/management",
            Self::S3 => "/events/s3",
            Self::Lambda => "/events/lambda",
            Self::DynamoDb => "/events/dynamodb",
        }
    }

    pub fn declared(self, spec: &EventsSpec) -> Option<Level> {
        match self {
            Self::Management => spec.management,
            Self::S3 => spec.s3,
            Self::Lambda => spec.lambda,
            Self::DynamoDb => spec.dynamodb,
        }
    }

    /// `resources.type` of data events.
    fn kind(self) -> Option<&'static str> {
        match self {
            Self::Management => None,
            Self::S3 => Some("AWS::S3::Object"),
            Self::Lambda => Some("AWS::Lambda::Function"),
            Self::DynamoDb => Some("AWS::DynamoDB::Table"),
        }
    }

    /// What people call it; also the name of its selector.
    pub fn title(self) -> &'static str {
        match self {
            Self::Management => "Management events",
            Self::S3 => "S3 object events",
            Self::Lambda => "Lambda invocations",
            Self::DynamoDb => "DynamoDB item events",
        }
    }

    fn selector(self, level: Level, excluded: &[String]) -> Option<Selector> {
        if level == Level::None {
            return None;
        }
        let category = if self == Self::Management { "Management" } else { "Data" };
        let mut fields = vec![Condition::equal("eventCategory", category)];
        fields.extend(self.kind().map(|kind| Condition::equal("resources.type", kind)));
        if level != Level::All {
            fields.push(Condition::equal("readOnly", if level.reads() { "true" } else { "false" }));
        }
        if self == Self::Management && !excluded.is_empty() {
            let not_equals = excluded.to_vec();
            fields.push(Condition { field: "eventSource".into(), not_equals, ..Condition::default() });
        }
        Some(Selector { name: Some(self.title().into()), fields })
    }
}

impl Condition {
    fn equal(field: &str, value: &str) -> Self {
        Self { field: field.into(), equals: vec![value.into()], ..Self::default() }
    }

    /// The one value that it equals, where it says nothing else.
    fn only(&self) -> Option<&str> {
        match &self.equals[..] {
            [value] if *self == Self::equal(&self.field, value) => Some(value),
            _ => None,
        }
    }
}

/// A selector that says which events of one family are recorded, and no more.
struct Plain<'a> {
    family: Family,
    reads: bool,
    writes: bool,
    excluded: &'a [String],
}

impl Selector {
    fn plain(&self) -> Option<Plain<'_>> {
        let (mut category, mut kind, mut read_only, mut excluded) = (None, None, None, &[][..]);
        for condition in &self.fields {
            match condition.field.as_str() {
                "eventCategory" => category = Some(condition.only()?),
                "resources.type" => kind = Some(condition.only()?),
                "readOnly" => read_only = Some(condition.only()?),
                "eventSource" => {
                    let alone = Condition {
                        field: condition.field.clone(),
                        not_equals: condition.not_equals.clone(),
                        ..Condition::default()
                    };
                    excluded = (*condition == alone).then_some(&condition.not_equals[..])?;
                }
                _ => return None,
            }
        }
        let family = match (category?, kind) {
            ("Management", None) => Family::Management,
            ("Data", Some(kind)) if excluded.is_empty() => {
                Family::ALL.into_iter().find(|family| family.kind() == Some(kind))?
            }
            _ => return None,
        };
        Some(Plain { family, reads: read_only != Some("false"), writes: read_only != Some("true"), excluded })
    }

    /// What it is called in a plan, which holds no ARNs.
    fn title(&self) -> String {
        match &self.name {
            Some(name) if !name.is_empty() && !name.contains("arn:") => format!("`{name}`"),
            _ => "one without a name".to_owned(),
        }
    }
}

impl Events {
    /// What a new trail records (API reference, PutEventSelectors): all management events and nothing else.
    pub fn of_a_new_trail() -> Self {
        let all = Family::Management.selector(Level::All, &[]);
        Self { basic: true, selectors: all.into_iter().collect() }
    }

    pub fn level(&self, family: Family) -> Level {
        let of = |plain: &Plain<'_>| plain.family == family;
        let plain: Vec<Plain<'_>> = self.selectors.iter().filter_map(Selector::plain).filter(of).collect();
        Level::of(plain.iter().any(|one| one.reads), plain.iter().any(|one| one.writes))
    }

    /// The sources whose management events are left out, although events of that kind are recorded. An event
    /// is recorded when any selector takes it.
    pub fn excluded(&self) -> Vec<String> {
        let plain: Vec<Plain<'_>> = self.selectors.iter().filter_map(Selector::plain).collect();
        let management = || plain.iter().filter(|one| one.family == Family::Management);
        let of = |takes: fn(&Plain<'_>) -> bool| -> Vec<String> {
            let mut lists = management().filter(|one| takes(one)).map(|one| one.excluded);
            let first = lists.next().unwrap_or_default();
            let rest: Vec<&[String]> = lists.collect();
            let everywhere = |source: &&String| rest.iter().all(|list| list.contains(source));
            first.iter().filter(everywhere).cloned().collect()
        };
        let mut all = of(|one| one.reads);
        all.extend(of(|one| one.writes));
        all.sort();
        all.dedup();
        all
    }

    /// The selectors with what is declared: families that are declared are written anew, all others stay.
    pub fn with(&self, spec: &EventsSpec) -> Vec<Selector> {
        let management = spec.management.is_some() || spec.excluded_sources.is_some();
        let ours = |family: Family| match family {
            Family::Management => management,
            _ => family.declared(spec).is_some(),
        };
        let excluded = || {
            let mut declared = spec.excluded_sources.clone().unwrap_or_else(|| self.excluded());
            declared.sort();
            declared
        };
        let mut all = Vec::new();
        for family in Family::ALL {
            if ours(family) {
                let level = family.declared(spec).unwrap_or_else(|| self.level(family));
                all.extend(family.selector(level, &excluded()));
            } else {
                let of = |one: &&Selector| one.plain().is_some_and(|plain| plain.family == family);
                all.extend(self.selectors.iter().filter(of).cloned());
            }
        }
        all.extend(self.selectors.iter().filter(|one| one.plain().is_none()).cloned());
        all
    }

    /// What a write that declares `spec` sends along for others, in words.
    pub fn carried(&self, spec: &EventsSpec) -> Vec<String> {
        let mut all = Vec::new();
        for family in Family::ALL {
            let level = self.level(family);
            if family.declared(spec).is_none() && level != Level::None {
                let name = family.path().trim_start_matches('/').replace('/', ".");
                all.push(format!("{name} {}", level.word()));
            }
        }
        if spec.excluded_sources.is_none() && spec.management.is_some_and(|level| level != Level::None) {
            let excluded = self.excluded();
            if !excluded.is_empty() {
                all.push(format!("management events without {}", excluded.join(", ")));
            }
        }
        let others: Vec<String> =
            self.selectors.iter().filter(|one| one.plain().is_none()).map(Selector::title).collect();
        if !others.is_empty() {
            all.push(format!("selectors that say more: {}", others.join(", ")));
        }
        all
    }

    /// From what `GetEventSelectors` answers, in either form.
    pub fn read(basic: &[EventSelector], advanced: &[AdvancedEventSelector]) -> Self {
        if !advanced.is_empty() {
            return Self { basic: false, selectors: advanced.iter().map(read).collect() };
        }
        Self { basic: true, selectors: basic.iter().flat_map(read_basic).collect() }
    }
}

fn read(selector: &AdvancedEventSelector) -> Selector {
    let condition = |live: &AdvancedFieldSelector| Condition {
        field: live.field().to_owned(),
        equals: live.equals().to_vec(),
        not_equals: live.not_equals().to_vec(),
        starts_with: live.starts_with().to_vec(),
        not_starts_with: live.not_starts_with().to_vec(),
        ends_with: live.ends_with().to_vec(),
        not_ends_with: live.not_ends_with().to_vec(),
    };
    let name = selector.name().filter(|name| !name.is_empty()).map(str::to_owned);
    Selector { name, fields: selector.field_selectors().iter().map(condition).collect() }
}

/// One basic selector is several advanced ones: management events, and one for each kind of resource. `arn:aws:s3`
/// and the like stand for all resources of the kind, a longer one for a bucket or prefix, a function or a table
/// (API reference, DataResource).
fn read_basic(basic: &EventSelector) -> Vec<Selector> {
    let level = match basic.read_write_type() {
        Some(ReadWriteType::ReadOnly) => Level::ReadOnly,
        Some(ReadWriteType::WriteOnly) => Level::WriteOnly,
        _ => Level::All,
    };
    let mut all = Vec::new();
    if basic.include_management_events() != Some(false) {
        all.extend(Family::Management.selector(level, basic.exclude_management_event_sources()));
    }
    for resource in basic.data_resources() {
        let kind = resource.r#type().unwrap_or_default();
        let Some(family) = Family::ALL.into_iter().find(|family| family.kind() == Some(kind)) else {
            continue;
        };
        let (every, some): (Vec<&String>, Vec<&String>) =
            resource.values().iter().partition(|value| value.matches(':').count() == 2);
        if !every.is_empty() {
            all.extend(family.selector(level, &[]));
        }
        if some.is_empty() {
            continue;
        }
        let values: Vec<String> = some.into_iter().cloned().collect();
        let mut which = Condition { field: "resources.ARN".into(), ..Condition::default() };
        match family {
            Family::S3 => which.starts_with = values,
            _ => which.equals = values,
        }
        all.extend(family.selector(level, &[]).map(|mut one| {
            one.name = Some(format!("{} of some", family.title()));
            one.fields.push(which);
            one
        }));
    }
    all
}

/// As `PutEventSelectors` takes it; `None` for a selector without fields, which AWS never answers.
pub fn written(selector: &Selector) -> Option<AdvancedEventSelector> {
    let some = |values: &Vec<String>| (!values.is_empty()).then(|| values.clone());
    let field = |condition: &Condition| {
        AdvancedFieldSelector::builder()
            .field(&condition.field)
            .set_equals(some(&condition.equals))
            .set_not_equals(some(&condition.not_equals))
            .set_starts_with(some(&condition.starts_with))
            .set_not_starts_with(some(&condition.not_starts_with))
            .set_ends_with(some(&condition.ends_with))
            .set_not_ends_with(some(&condition.not_ends_with))
            .build()
            .ok()
    };
    let fields = selector.fields.iter().map(field).collect::<Option<Vec<_>>>()?;
    AdvancedEventSelector::builder()
        .set_name(selector.name.clone())
        .set_field_selectors(Some(fields))
        .build()
        .ok()
}

#[cfg(test)]
mod tests;
