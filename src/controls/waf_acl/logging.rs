//! Logging of a web ACL: where to, what is kept out, which requests.

use std::collections::BTreeSet;

use aws_sdk_wafv2::types::{
    ActionCondition, ActionValue, Condition, FieldToMatch, Filter, FilterBehavior, FilterRequirement,
    LabelNameCondition, LoggingConfiguration, LoggingFilter, Method, QueryString, SingleHeader, UriPath,
};
use aws_smithy_types::error::operation::BuildError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::words::shaped;
use crate::control::{AccountId, Scope, Thing};

/// Where the log of a web ACL goes, and what of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schemars(inline)]
pub struct LoggingSpec {
    /// `s3://BUCKET`, `logs://LOG-GROUP` or `firehose://STREAM`; all their names begin with `aws-waf-logs-`, because
    /// WAF takes no other. It has to be there: baseline does not make it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-mutate" = ["logs://aws-waf-logs-baseline", "s3://aws-waf-logs-acme"]))]
    pub to: Option<Destination>,
    /// The account that the bucket is in, where it is another one. Its policy has to let
    /// `delivery.logs.amazonaws.com` write.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-fixed" = "says where the bucket is looked for; is compared with nothing in AWS"))]
    pub owner: Option<AccountId>,
    /// What is kept out of the log: `UriPath`, `QueryString`, `Method`, or `header:authorization` for a header.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-mutate" = [["header:authorization"], ["QueryString", "header:cookie"]]))]
    pub redact: Option<BTreeSet<Redacted>>,
    /// What happens to the log of requests that no filter is about. Without filters everything is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unfiltered: Option<Behavior>,
    /// Filters, the first that fits decides; an empty list for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-mutate" = [
        [{"behavior": "KEEP", "actions": ["BLOCK"]}],
        [{"behavior": "KEEP", "actions": ["BLOCK", "COUNT"], "labels": ["awswaf:managed:aws:core-rule-set:NoUserAgent_Header"]}]
    ]))]
    pub filters: Option<Vec<FilterSpec>>,
}

/// One filter of a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(inline)]
pub struct FilterSpec {
    /// What happens to what fits.
    pub behavior: Behavior,
    /// Whether one condition is enough or all are needed; one, unless it is said.
    #[serde(default)]
    pub requirement: Requirement,
    /// Actions that WAF took.
    #[serde(default)]
    pub actions: BTreeSet<Taken>,
    /// Labels that rules gave to the request, in full.
    #[serde(default)]
    pub labels: BTreeSet<Label>,
}

/// What happens to an entry of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
#[schemars(inline)]
pub enum Behavior {
    Keep,
    Drop,
}

/// How many conditions have to fit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schemars(inline)]
pub enum Requirement {
    #[default]
    MeetsAny,
    MeetsAll,
}

/// What WAF did with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schemars(inline)]
pub enum Taken {
    Allow,
    Block,
    Count,
    Captcha,
    Challenge,
    ExcludedAsCount,
}

shaped!(
    /// Where a log goes.
    Place,
    "must be `s3://BUCKET`, `logs://LOG-GROUP` or `firehose://STREAM`, with a name that begins with `aws-waf-logs-`",
    "^(s3|logs|firehose)://aws-waf-logs-.+$",
    |text| {
        text.split_once("://").is_some_and(|(kind, name)| {
            ["s3", "logs", "firehose"].contains(&kind)
                && name.strip_prefix("aws-waf-logs-").is_some_and(|rest| !rest.is_empty())
                && name.len() <= 512
                && !name.contains(['/', ':'])
        })
    }
);
shaped!(
    /// A part of a request.
    Redacted,
    "must be `UriPath`, `QueryString`, `Method`, or `header:` and the name of a header in lower case",
    "^(UriPath|QueryString|Method|header:[^A-Z]{1,64})$",
    |text| {
        let header = |name: &str| (1..=64).contains(&name.len()) && !name.contains(|c: char| c.is_uppercase());
        ["UriPath", "QueryString", "Method"].contains(&text) || text.strip_prefix("header:").is_some_and(header)
    }
);
shaped!(
    /// `LabelName` in the API model.
    Label,
    "must be a label in full: letters, digits, `_`, `-` and `:`",
    r"^[0-9A-Za-z_\-:]{1,1024}$",
    |text| {
        (1..=1024).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-:".contains(&b))
    }
);

/// A [`Place`] with placeholders in it, perhaps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Destination(Place);

impl JsonSchema for Destination {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Destination".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let mut schema = Place::json_schema(generator);
        schema.insert("format".into(), "template".into());
        schema
    }
}

impl Destination {
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    fn parts(&self) -> (&str, &str) {
        self.as_str().split_once("://").unwrap_or_default()
    }

    /// What has to be there, where somebody can look for it.
    pub fn thing(&self, scope: &Scope, owner: Option<&AccountId>) -> Option<Thing> {
        let (kind, name) = self.parts();
        let (account, region, name) = (scope.account.clone(), scope.region.clone(), name.to_owned());
        match kind {
            "s3" => Some(Thing::Bucket { account: owner.cloned().unwrap_or(account), region, name }),
            "logs" => Some(Thing::LogGroup { account, region, name }),
            _ => None,
        }
    }

    /// As WAF wants to be told. A log group's ARN is without `:*` (AWS WAF Developer Guide, "Logging destinations").
    pub fn arn(&self, scope: &Scope) -> String {
        let (partition, region, account) = (scope.region.partition(), &scope.region, &scope.account);
        match self.parts() {
            ("s3", bucket) => format!("arn:{partition}:s3:::{bucket}"),
            ("logs", group) => format!("arn:{partition}:logs:{region}:{account}:log-group:{group}"),
            (_, stream) => format!("arn:{partition}:firehose:{region}:{account}:deliverystream/{stream}"),
        }
    }

    /// `None` for what these words cannot tell: a folder in a bucket.
    fn of(arn: &str) -> Option<Self> {
        let mut parts = arn.splitn(6, ':').skip(2);
        let (service, resource) = (parts.next()?, parts.nth(2)?);
        let text = match service {
            "s3" => format!("s3://{resource}"),
            "logs" => format!("logs://{}", resource.strip_prefix("log-group:")?.trim_end_matches(":*")),
            "firehose" => format!("firehose://{}", resource.strip_prefix("deliverystream/")?),
            _ => return None,
        };
        Place::try_from(text).ok().map(Self)
    }
}

impl Behavior {
    fn sdk(self) -> FilterBehavior {
        match self {
            Self::Keep => FilterBehavior::Keep,
            Self::Drop => FilterBehavior::Drop,
        }
    }

    fn of(live: &FilterBehavior) -> Option<Self> {
        [Self::Keep, Self::Drop].into_iter().find(|one| one.sdk() == *live)
    }
}

impl Taken {
    const ALL: [Self; 6] =
        [Self::Allow, Self::Block, Self::Count, Self::Captcha, Self::Challenge, Self::ExcludedAsCount];

    fn sdk(self) -> ActionValue {
        match self {
            Self::Allow => ActionValue::Allow,
            Self::Block => ActionValue::Block,
            Self::Count => ActionValue::Count,
            Self::Captcha => ActionValue::Captcha,
            Self::Challenge => ActionValue::Challenge,
            Self::ExcludedAsCount => ActionValue::ExcludedAsCount,
        }
    }
}

impl FilterSpec {
    fn sdk(&self) -> Result<Filter, BuildError> {
        let action = |taken: &Taken| {
            let condition = ActionCondition::builder().action(taken.sdk()).build()?;
            Ok(Condition::builder().action_condition(condition).build())
        };
        let label = |label: &Label| {
            let condition = LabelNameCondition::builder().label_name(label.as_str()).build()?;
            Ok(Condition::builder().label_name_condition(condition).build())
        };
        let conditions: Result<Vec<_>, BuildError> =
            self.actions.iter().map(action).chain(self.labels.iter().map(label)).collect();
        let requirement = match self.requirement {
            Requirement::MeetsAny => FilterRequirement::MeetsAny,
            Requirement::MeetsAll => FilterRequirement::MeetsAll,
        };
        let filter = Filter::builder().behavior(self.behavior.sdk()).requirement(requirement);
        filter.set_conditions(Some(conditions?)).build()
    }

    fn of(live: &Filter) -> Option<Self> {
        let requirement = match live.requirement {
            FilterRequirement::MeetsAny => Requirement::MeetsAny,
            FilterRequirement::MeetsAll => Requirement::MeetsAll,
            _ => return None,
        };
        let mut filter = Self {
            behavior: Behavior::of(&live.behavior)?,
            requirement,
            actions: BTreeSet::new(),
            labels: BTreeSet::new(),
        };
        for condition in live.conditions() {
            if let Some(action) = &condition.action_condition {
                filter.actions.insert(Taken::ALL.into_iter().find(|one| one.sdk() == action.action)?);
            } else {
                let label = condition.label_name_condition.as_ref()?.label_name.clone();
                filter.labels.insert(Label::try_from(label).ok()?);
            }
        }
        Some(filter)
    }
}

impl Redacted {
    fn sdk(&self) -> Result<FieldToMatch, BuildError> {
        let field = FieldToMatch::builder();
        Ok(match self.as_str() {
            "UriPath" => field.uri_path(UriPath::builder().build()),
            "QueryString" => field.query_string(QueryString::builder().build()),
            "Method" => field.method(Method::builder().build()),
            header => {
                let name = header.trim_start_matches("header:");
                field.single_header(SingleHeader::builder().name(name).build()?)
            }
        }
        .build())
    }

    fn of(live: &FieldToMatch) -> Option<Self> {
        let text = match live {
            FieldToMatch { uri_path: Some(_), .. } => "UriPath".to_owned(),
            FieldToMatch { query_string: Some(_), .. } => "QueryString".to_owned(),
            FieldToMatch { method: Some(_), .. } => "Method".to_owned(),
            FieldToMatch { single_header: Some(header), .. } => {
                format!("header:{}", header.name.to_lowercase())
            }
            _ => return None,
        };
        Self::try_from(text).ok()
    }
}

impl LoggingSpec {
    /// What is live, every part said that these words can tell.
    pub fn of(live: &LoggingConfiguration) -> Self {
        let to = live.log_destination_configs().first().and_then(|arn| Destination::of(arn));
        let (unfiltered, filters) = match &live.logging_filter {
            None => (Some(Behavior::Keep), Some(Vec::new())),
            Some(filter) => (
                Behavior::of(&filter.default_behavior),
                filter.filters().iter().map(FilterSpec::of).collect(),
            ),
        };
        let redact = live.redacted_fields().iter().map(Redacted::of).collect();
        Self { to, owner: None, redact, unfiltered, filters }
    }

    /// `live` with what is declared; `None` where nothing says where to.
    pub fn onto(
        &self,
        live: Option<LoggingConfiguration>,
        acl: &str,
        scope: &Scope,
    ) -> Result<Option<LoggingConfiguration>, BuildError> {
        let declared = self.to.as_ref().map(|to| to.arn(scope));
        let mut whole = match (live, &declared) {
            (Some(live), _) => live,
            (None, Some(arn)) => {
                LoggingConfiguration::builder().resource_arn(acl).log_destination_configs(arn).build()?
            }
            (None, None) => return Ok(None),
        };
        if let Some(arn) = declared {
            whole.log_destination_configs = vec![arn];
        }
        if let Some(redact) = &self.redact {
            let fields = redact.iter().map(Redacted::sdk).collect::<Result<Vec<_>, _>>()?;
            whole.redacted_fields = (!fields.is_empty()).then_some(fields);
        }
        if let Some(filters) = &self.filters {
            let filters = filters.iter().map(FilterSpec::sdk).collect::<Result<Vec<_>, _>>()?;
            let usual = whole.logging_filter.map_or(FilterBehavior::Keep, |live| live.default_behavior);
            whole.logging_filter = if filters.is_empty() {
                None
            } else {
                Some(LoggingFilter::builder().default_behavior(usual).set_filters(Some(filters)).build()?)
            };
        }
        if let (Some(filter), Some(unfiltered)) = (&mut whole.logging_filter, self.unfiltered) {
            filter.default_behavior = unfiltered.sdk();
        }
        Ok(Some(whole))
    }

    /// Are requests kept out of the log?
    pub fn has_filters(&self) -> bool {
        self.filters.as_ref().is_some_and(|filters| !filters.is_empty())
    }
}
