//! What the YAML says of a trail.

use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use crate::control::Retention;

/// The account's trail, in its home region. What is not declared is left as it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct TrailSpec {
    /// What a trail is called that has to be made; `baseline` where nothing is said. A multi-region trail that
    /// exists under another name is adopted, and keeps that name.
    #[serde(deserialize_with = "trail_name")]
    #[schemars(extend("x-fixed" = "a trail keeps its name for life"))]
    pub name: Option<String>,
    /// The trail records every region (CIS 3.1, FSBP CloudTrail.1).
    pub multi_region: Option<bool>,
    /// Events of global services, such as IAM's, are recorded (CIS 3.1). A multi-region trail always has them.
    #[schemars(extend("x-fixed" = "a multi-region trail always has them"))]
    pub global_events: Option<bool>,
    /// Digest files show whether a log file was changed (CIS 3.2, FSBP CloudTrail.4).
    pub log_file_validation: Option<bool>,
    /// `archive`: log files go to the Organization document's archive.
    #[schemars(extend("x-fixed" = "the archive is said in the Organization document"))]
    pub deliver_to: Option<DeliverTo>,
    /// The folder in the bucket that `AWSLogs/` stands in; `none` for none.
    #[serde(deserialize_with = "prefix")]
    #[schemars(extend("x-mutate" = ["trails", "none"]))]
    pub prefix: Option<String>,
    /// Log files are encrypted with the archive's key (CIS 3.5, in 1.4.0 3.7; FSBP CloudTrail.2). `false`: with
    /// a key of Amazon S3.
    pub encrypt: Option<bool>,
    /// The trail records every account of the organisation. Only the management account, or a delegated
    /// administrator of CloudTrail, can have one: `cloudtrail.organization-trail` declares it.
    #[schemars(extend("x-fixed" = "only the management account has an organisation trail"))]
    pub organization_trail: Option<bool>,
    /// An SNS topic of this account and region, by name, that is told of each log file; `none` for none.
    #[serde(deserialize_with = "topic")]
    #[schemars(extend("x-mutate" = ["trail-deliveries", "none"]))]
    pub sns_topic: Option<String>,
    /// Where events go besides, so that alarms can look at them.
    pub cloud_watch_logs: LogsSpec,
    /// The trail is recording (FSBP CloudTrail.3).
    pub logging: Option<bool>,
    /// Which events are recorded.
    pub events: EventsSpec,
    /// Unusual rates of management calls are reported; each kind starts a charge.
    pub insights: InsightsSpec,
}

/// A log group of this account, and the role that CloudTrail writes to it with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schemars(inline)]
pub struct LogsSpec {
    /// The log group's name (CIS 1.4.0 3.4, FSBP CloudTrail.5); `none` for none.
    #[serde(deserialize_with = "group")]
    #[schemars(extend("x-fixed" = "another group is another thing, with a retention of its own"))]
    pub group: Option<String>,
    /// Days that events stay in the log group, one of those that AWS takes; `never` for never deleting them.
    pub retention_days: Option<Retention>,
    /// The role's name. Where nothing is said, the trail keeps the role that it has, or gets
    /// `baseline-cloudtrail`.
    #[serde(deserialize_with = "role")]
    #[schemars(extend("x-mutate" = ["baseline-cloudtrail", "other-cloudtrail"]))]
    pub role: Option<String>,
}

/// Events by family. Selectors that are finer than a family are other people's: they stay.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schemars(inline)]
pub struct EventsSpec {
    /// Calls that manage resources (CIS 3.1, FSBP CloudTrail.1). One copy is free.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub management: Option<Level>,
    /// Event sources whose management events are left out, `kms.amazonaws.com`; `[]` for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-mutate" = [["kms.amazonaws.com"], []]))]
    pub excluded_sources: Option<Vec<String>>,
    /// Access to objects in all S3 buckets (CIS 3.8 and 3.9, in 1.4.0 3.10 and 3.11). Each event is charged for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub s3: Option<Level>,
    /// Invocations of all Lambda functions. Each event is charged for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lambda: Option<Level>,
    /// Access to items in all DynamoDB tables. Each event is charged for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dynamodb: Option<Level>,
}

/// CloudTrail Insights on management events, by AWS's names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
#[schemars(inline)]
pub struct InsightsSpec {
    /// Unusually many writing calls. The trail must record writing management events.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_call_rate_insight: Option<bool>,
    /// Unusually many calls that fail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_error_rate_insight: Option<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub enum DeliverTo {
    Archive,
}

/// Which events of a family are recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Level {
    All,
    ReadOnly,
    WriteOnly,
    None,
}

impl Level {
    pub fn of(reads: bool, writes: bool) -> Self {
        match (reads, writes) {
            (true, true) => Self::All,
            (true, false) => Self::ReadOnly,
            (false, true) => Self::WriteOnly,
            (false, false) => Self::None,
        }
    }

    pub fn reads(self) -> bool {
        matches!(self, Self::All | Self::ReadOnly)
    }

    pub fn writes(self) -> bool {
        matches!(self, Self::All | Self::WriteOnly)
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::ReadOnly => "read-only",
            Self::WriteOnly => "write-only",
            Self::None => "none",
        }
    }
}

/// The name of a trail that nobody named.
pub const NAME: &str = "baseline";
/// The role of a trail that nobody gave one.
pub const ROLE: &str = "baseline-cloudtrail";
/// AWS has nothing set.
pub const NONE: &str = "none";

impl TrailSpec {
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or(NAME)
    }

    /// Is anything declared that needs a trail? What is declared off is off without one.
    pub fn wants_trail(&self) -> bool {
        let on = [
            self.multi_region,
            self.global_events,
            self.log_file_validation,
            self.encrypt,
            self.organization_trail,
            self.logging,
            self.insights.api_call_rate_insight,
            self.insights.api_error_rate_insight,
        ];
        let events = [self.events.management, self.events.s3, self.events.lambda, self.events.dynamodb];
        self.deliver_to.is_some()
            || self.cloud_watch_logs.wanted_group().is_some()
            || on.contains(&Some(true))
            || events.into_iter().flatten().any(|level| level != Level::None)
    }

    /// Is anything declared that `UpdateTrail` writes, apart from CloudWatch Logs?
    pub fn declares_trail(&self) -> bool {
        let flags = [
            self.multi_region,
            self.global_events,
            self.log_file_validation,
            self.encrypt,
            self.organization_trail,
        ];
        flags.iter().any(Option::is_some)
            || self.name.is_some()
            || self.deliver_to.is_some()
            || self.prefix.is_some()
            || self.sns_topic.is_some()
    }
}

impl LogsSpec {
    pub fn is_declared(&self) -> bool {
        *self != Self::default()
    }

    /// The declared group, where one is wanted.
    pub fn wanted_group(&self) -> Option<&str> {
        self.group.as_deref().filter(|group| *group != NONE)
    }
}

impl EventsSpec {
    pub fn is_declared(&self) -> bool {
        *self != Self::default()
    }
}

impl InsightsSpec {
    pub fn is_declared(&self) -> bool {
        *self != Self::default()
    }

    /// The declared kinds.
    pub fn declared(&self) -> impl Iterator<Item = (&'static str, bool)> {
        let all = [
            ("ApiCallRateInsight", self.api_call_rate_insight),
            ("ApiErrorRateInsight", self.api_error_rate_insight),
        ];
        all.into_iter().filter_map(|(name, on)| Some((name, on?)))
    }
}

fn checked<'de, D: Deserializer<'de>>(
    from: D,
    fits: impl FnOnce(&str) -> bool,
    must: &str,
) -> Result<Option<String>, D::Error> {
    match Option::<String>::deserialize(from)? {
        Some(text) if !fits(&text) => Err(D::Error::custom(format_args!("`{text}` {must}"))),
        text => Ok(text),
    }
}

/// API reference, CreateTrail.
fn trail_name<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let mark = |c: char| "._-".contains(c);
    let fits = |name: &str| {
        (3..=128).contains(&name.len())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || mark(c))
            && !name.starts_with(mark)
            && !name.ends_with(mark)
            && !name.as_bytes().windows(2).any(|two| two.iter().all(|c| mark(char::from(*c))))
            && name.parse::<std::net::Ipv4Addr>().is_err()
    };
    checked(
        from,
        fits,
        "is not a trail's name: 3 to 128 letters, digits, and single `.`, `_`, `-` between them",
    )
}

/// API reference, CreateTrail: 200 characters at most.
fn prefix<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let fits = |prefix: &str| {
        (1..=200).contains(&prefix.chars().count()) && !prefix.starts_with('/') && !prefix.ends_with('/')
    };
    checked(from, fits, "is not a prefix: 1 to 200 characters without `/` at its ends, or `none`")
}

/// API reference of Amazon SNS, CreateTopic.
fn topic<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let fits = |name: &str| {
        (1..=256).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c))
    };
    checked(from, fits, "is not a topic's name: letters, digits, `_` and `-`, or `none`")
}

/// API reference of CloudWatch Logs, CreateLogGroup.
fn group<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let fits = |name: &str| {
        (1..=512).contains(&name.len())
            && !name.starts_with("aws/")
            && name.chars().all(|c| c.is_ascii_alphanumeric() || "._-/#".contains(c))
    };
    checked(from, fits, "is not a log group's name: letters, digits, `.`, `_`, `-`, `/` and `#`, or `none`")
}

/// API reference of IAM, CreateRole.
fn role<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let fits = |name: &str| {
        (1..=64).contains(&name.len())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c))
    };
    checked(from, fits, "is not a role's name: 1 to 64 letters, digits and `_+=,.@-`")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn refused(spec: Value) -> String {
        serde_json::from_value::<TrailSpec>(spec).map_or_else(|error| error.to_string(), |_| String::new())
    }

    #[test]
    fn names_are_what_aws_takes() {
        for name in ["ab", "a..b", "a_-b", "-abc", "abc.", "10.0.0.1", "mötley"] {
            assert!(refused(json!({"name": name})).contains("is not a trail's name"), "{name}");
        }
        assert_eq!(refused(json!({"name": "org-trail_1.main"})), "");
        assert!(refused(json!({"cloudWatchLogs": {"group": "aws/trail"}})).contains("log group's name"));
        assert!(refused(json!({"cloudWatchLogs": {"role": "a role"}})).contains("role's name"));
        assert!(refused(json!({"snsTopic": "topic:1"})).contains("topic's name"));
        assert!(refused(json!({"prefix": "logs/"})).contains("not a prefix"));
    }

    #[test]
    fn retention_is_one_of_the_days_that_aws_takes_or_never() {
        assert!(refused(json!({"cloudWatchLogs": {"retentionDays": 364}})).contains("one of 1, 3, 5"));
        assert!(refused(json!({"cloudWatchLogs": {"retentionDays": "always"}})).contains("`never`"));
        let spec: TrailSpec =
            serde_json::from_value(json!({"cloudWatchLogs": {"retentionDays": "never"}})).unwrap();
        assert_eq!(spec.cloud_watch_logs.retention_days, Some(Retention::Never));
        assert_eq!(serde_json::to_value(Retention::Days(365)).unwrap(), 365);
    }

    #[test]
    fn what_is_declared_off_needs_no_trail() {
        let off: TrailSpec = serde_json::from_value(json!({
            "logging": false, "snsTopic": "none", "events": {"s3": "none"}, "cloudWatchLogs": {"group": "none"},
        }))
        .unwrap();
        assert!(!off.wants_trail());
        for spec in
            [json!({"multiRegion": true}), json!({"events": {"s3": "all"}}), json!({"deliverTo": "archive"})]
        {
            assert!(serde_json::from_value::<TrailSpec>(spec.clone()).unwrap().wants_trail(), "{spec}");
        }
    }
}
