//! Criteria: which findings a rule is about, in AWS's own field names.

use std::collections::BTreeMap;

use aws_sdk_securityhub::types::{
    AutomationRulesFindingFilters, DateFilter, DateRange, DateRangeComparison, DateRangeUnit, MapFilter,
    MapFilterComparison, NumberFilter, StringFilter, StringFilterComparison,
};
use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// `AutomationRulesFindingFilters`: filters by the name of the field that they look at.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Criteria(pub BTreeMap<String, Filters>);

/// The filters of one field. Their order means nothing, so they are kept sorted.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Filters {
    Strings(Vec<Text>),
    Maps(Vec<Entry>),
    Dates(Vec<Date>),
    Numbers(Vec<Number>),
}

/// `StringFilter`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Text {
    pub value: String,
    pub comparison: String,
}

/// `MapFilter`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Entry {
    pub key: String,
    pub value: String,
    pub comparison: String,
}

/// `DateFilter`: a range, or from and to.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct Date {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date_range: Option<Range>,
}

/// `DateRange`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Range {
    pub value: i32,
    pub unit: String,
    /// `WITHIN` unless it is said (API reference, `DateRange`).
    #[serde(default = "within")]
    pub comparison: String,
}

fn within() -> String {
    "WITHIN".into()
}

/// `NumberFilter`.
#[derive(Clone, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct Number {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gte: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lte: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eq: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gt: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lt: Option<f64>,
}

/// What a field's filters are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Strings,
    Maps,
    Dates,
    Numbers,
}

/// The fields, from the API reference of `AutomationRulesFindingFilters`: name, kind, how many filters it takes, and
/// the SDK's name for it.
macro_rules! fields {
    ($($name:literal $kind:ident $most:literal $field:ident $set:ident;)*) => {
        const FIELDS: &[(&str, Kind, usize)] = &[$(($name, Kind::$kind, $most),)*];

        impl From<&Criteria> for AutomationRulesFindingFilters {
            fn from(criteria: &Criteria) -> Self {
                let Criteria(all) = criteria;
                Self::builder()$(.$set(all.get($name).and_then(|filters| fields!(@sdk filters $kind))))*.build()
            }
        }

        impl From<AutomationRulesFindingFilters> for Criteria {
            fn from(sdk: AutomationRulesFindingFilters) -> Self {
                let mut all = BTreeMap::new();
                $(if let Some(filters) = sdk.$field.filter(|filters| !filters.is_empty()) {
                    let filters = Filters::$kind(filters.into_iter().map(Into::into).collect());
                    all.insert($name.to_owned(), filters.sorted());
                })*
                Self(all)
            }
        }
    };
    (@sdk $filters:ident $kind:ident) => {
        match $filters {
            Filters::$kind(all) => Some(all.iter().map(Into::into).collect()),
            _ => None,
        }
    };
}

fields! {
    "AwsAccountId" Strings 100 aws_account_id set_aws_account_id;
    "AwsAccountName" Strings 20 aws_account_name set_aws_account_name;
    "CompanyName" Strings 20 company_name set_company_name;
    "ComplianceAssociatedStandardsId" Strings 20 compliance_associated_standards_id set_compliance_associated_standards_id;
    "ComplianceSecurityControlId" Strings 20 compliance_security_control_id set_compliance_security_control_id;
    "ComplianceStatus" Strings 20 compliance_status set_compliance_status;
    "Confidence" Numbers 20 confidence set_confidence;
    "CreatedAt" Dates 20 created_at set_created_at;
    "Criticality" Numbers 20 criticality set_criticality;
    "Description" Strings 20 description set_description;
    "FirstObservedAt" Dates 20 first_observed_at set_first_observed_at;
    "GeneratorId" Strings 100 generator_id set_generator_id;
    "Id" Strings 20 id set_id;
    "LastObservedAt" Dates 20 last_observed_at set_last_observed_at;
    "NoteText" Strings 20 note_text set_note_text;
    "NoteUpdatedAt" Dates 20 note_updated_at set_note_updated_at;
    "NoteUpdatedBy" Strings 20 note_updated_by set_note_updated_by;
    "ProductArn" Strings 20 product_arn set_product_arn;
    "ProductName" Strings 20 product_name set_product_name;
    "RecordState" Strings 20 record_state set_record_state;
    "RelatedFindingsId" Strings 20 related_findings_id set_related_findings_id;
    "RelatedFindingsProductArn" Strings 20 related_findings_product_arn set_related_findings_product_arn;
    "ResourceApplicationArn" Strings 20 resource_application_arn set_resource_application_arn;
    "ResourceApplicationName" Strings 20 resource_application_name set_resource_application_name;
    "ResourceDetailsOther" Maps 20 resource_details_other set_resource_details_other;
    "ResourceId" Strings 100 resource_id set_resource_id;
    "ResourceOwnerAccountId" Strings 20 resource_owner_account_id set_resource_owner_account_id;
    "ResourceOwnerOrgId" Strings 20 resource_owner_org_id set_resource_owner_org_id;
    "ResourcePartition" Strings 20 resource_partition set_resource_partition;
    "ResourceProvider" Strings 20 resource_provider set_resource_provider;
    "ResourceRegion" Strings 20 resource_region set_resource_region;
    "ResourceTags" Maps 20 resource_tags set_resource_tags;
    "ResourceType" Strings 20 resource_type set_resource_type;
    "SeverityLabel" Strings 20 severity_label set_severity_label;
    "SourceUrl" Strings 20 source_url set_source_url;
    "Title" Strings 100 title set_title;
    "Type" Strings 20 r#type set_type;
    "UpdatedAt" Dates 20 updated_at set_updated_at;
    "UserDefinedFields" Maps 20 user_defined_fields set_user_defined_fields;
    "VerificationState" Strings 20 verification_state set_verification_state;
    "WorkflowStatus" Strings 20 workflow_status set_workflow_status;
}

impl Filters {
    fn sorted(mut self) -> Self {
        match &mut self {
            Self::Strings(all) => all.sort(),
            Self::Maps(all) => all.sort(),
            Self::Dates(all) => all.sort(),
            Self::Numbers(all) => all.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal)),
        }
        self
    }

    fn len(&self) -> usize {
        match self {
            Self::Strings(all) => all.len(),
            Self::Maps(all) => all.len(),
            Self::Dates(all) => all.len(),
            Self::Numbers(all) => all.len(),
        }
    }

    fn read(kind: Kind, value: Value) -> Result<Self, serde_json::Error> {
        Ok(match kind {
            Kind::Strings => Self::Strings(serde_json::from_value(value)?),
            Kind::Maps => Self::Maps(serde_json::from_value(value)?),
            Kind::Dates => Self::Dates(serde_json::from_value(value)?),
            Kind::Numbers => Self::Numbers(serde_json::from_value(value)?),
        }
        .sorted())
    }

    /// What AWS would refuse.
    fn misfit(&self) -> Option<String> {
        let word = |word: &str, known: &[&'static str]| {
            (!known.contains(&word)).then(|| format!("`{word}` is none of {}", known.join(", ")))
        };
        let blank = |text: &str| text.trim().is_empty().then(|| "`Value` is blank".to_owned());
        match self {
            Self::Strings(all) => all.iter().find_map(|one| {
                word(&one.comparison, StringFilterComparison::values()).or_else(|| blank(&one.value))
            }),
            Self::Maps(all) => all.iter().find_map(|one| {
                word(&one.comparison, MapFilterComparison::values())
                    .or_else(|| blank(&one.value))
                    .or_else(|| blank(&one.key))
            }),
            Self::Dates(all) => all.iter().find_map(|one| match one {
                Date { start: None, end: None, date_range: Some(range) } => {
                    word(&range.unit, DateRangeUnit::values())
                        .or_else(|| word(&range.comparison, DateRangeComparison::values()))
                }
                Date { start: None, end: None, .. } => {
                    Some("it needs `DateRange`, or `Start` and `End`".into())
                }
                Date { date_range: Some(_), .. } => Some("`DateRange` goes without `Start` and `End`".into()),
                Date { .. } => None,
            }),
            Self::Numbers(all) => {
                let empty = all.iter().any(|one| *one == Number::default());
                empty.then(|| "it needs one of `Gte`, `Lte`, `Eq`, `Gt` and `Lt`".to_owned())
            }
        }
    }
}

impl Criteria {
    /// The values of a field's filters, if all of them are `EQUALS`.
    pub fn equal(&self, field: &str) -> Option<impl Iterator<Item = &str>> {
        match self.0.get(field)? {
            Filters::Strings(all) if all.iter().all(|one| one.comparison == "EQUALS") => {
                Some(all.iter().map(|one| one.value.as_str()))
            }
            _ => None,
        }
    }
}

impl Criteria {
    /// What AWS would refuse of these, which may be live in some other way all the same.
    pub fn misfit(&self) -> Option<String> {
        self.0.iter().find_map(|(name, filters)| {
            let most = FIELDS.iter().find(|(known, ..)| known == name).map_or(20, |(_, _, most)| *most);
            let count = filters.len();
            if !(1..=most).contains(&count) {
                return Some(format!("`{name}` takes 1 to {most} filters, not {count}"));
            }
            filters.misfit().map(|misfit| format!("`{name}`: {misfit}"))
        })
    }
}

impl<'de> Deserialize<'de> for Criteria {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let said = BTreeMap::<String, Option<Value>>::deserialize(from)?;
        let mut all = BTreeMap::new();
        // `null` takes an inherited field out.
        for (name, value) in said.into_iter().filter_map(|(name, value)| Some((name, value?))) {
            let Some((_, kind, _)) = FIELDS.iter().find(|(known, ..)| *known == name) else {
                let alike = FIELDS.iter().find(|(known, ..)| known.eq_ignore_ascii_case(&name));
                let hint = alike.map_or_else(String::new, |(known, ..)| format!(": did you mean `{known}`?"));
                return Err(D::Error::custom(format_args!("`{name}` is no field of criteria{hint}")));
            };
            let filters = Filters::read(*kind, value)
                .map_err(|error| D::Error::custom(format_args!("`{name}`: {error}")))?;
            all.insert(name, filters);
        }
        Ok(Self(all))
    }
}

impl JsonSchema for Criteria {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Criteria".into()
    }

    /// The names alone: what is beneath them is told when the document is checked.
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let names: Vec<&str> = FIELDS.iter().map(|(name, ..)| *name).collect();
        schemars::json_schema!({
            "type": "object",
            "propertyNames": {"enum": names},
            "additionalProperties": {
                "type": ["array", "null"], "minItems": 1, "items": {"type": "object"},
                "description": "Filters of one field, such as `SeverityLabel`: `Value` and `Comparison`."
            }
        })
    }
}

fn text(text: Option<String>) -> String {
    text.unwrap_or_default()
}

impl From<StringFilter> for Text {
    fn from(sdk: StringFilter) -> Self {
        let comparison = sdk.comparison.map(|word| word.as_str().to_owned());
        Self { value: text(sdk.value), comparison: text(comparison) }
    }
}

impl From<&Text> for StringFilter {
    fn from(one: &Text) -> Self {
        Self::builder().value(&one.value).comparison(one.comparison.as_str().into()).build()
    }
}

impl From<MapFilter> for Entry {
    fn from(sdk: MapFilter) -> Self {
        let comparison = sdk.comparison.map(|word| word.as_str().to_owned());
        Self { key: text(sdk.key), value: text(sdk.value), comparison: text(comparison) }
    }
}

impl From<&Entry> for MapFilter {
    fn from(one: &Entry) -> Self {
        Self::builder().key(&one.key).value(&one.value).comparison(one.comparison.as_str().into()).build()
    }
}

impl From<DateFilter> for Date {
    fn from(sdk: DateFilter) -> Self {
        let range = |range: DateRange| Range {
            value: range.value.unwrap_or_default(),
            unit: text(range.unit.map(|word| word.as_str().to_owned())),
            comparison: range.comparison.map_or_else(within, |word| word.as_str().to_owned()),
        };
        Self { start: sdk.start, end: sdk.end, date_range: sdk.date_range.map(range) }
    }
}

impl From<&Date> for DateFilter {
    fn from(one: &Date) -> Self {
        let range = one.date_range.as_ref().map(|range| {
            DateRange::builder()
                .value(range.value)
                .unit(range.unit.as_str().into())
                .comparison(range.comparison.as_str().into())
                .build()
        });
        Self::builder().set_start(one.start.clone()).set_end(one.end.clone()).set_date_range(range).build()
    }
}

impl From<NumberFilter> for Number {
    fn from(sdk: NumberFilter) -> Self {
        Self { gte: sdk.gte, lte: sdk.lte, eq: sdk.eq, gt: sdk.gt, lt: sdk.lt }
    }
}

impl From<&Number> for NumberFilter {
    fn from(one: &Number) -> Self {
        Self::builder().set_gte(one.gte).set_lte(one.lte).set_eq(one.eq).set_gt(one.gt).set_lt(one.lt).build()
    }
}
