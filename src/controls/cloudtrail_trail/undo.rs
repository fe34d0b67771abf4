//! Specs that describe what is live, and what was.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::arn::Arn;
use super::live::{Observed, Trail};
use super::plan;
use super::selectors::Family;
use super::spec::{DeliverTo, EventsSpec, InsightsSpec, LogsSpec, NONE, TrailSpec};
use crate::control::{Facts, Field, Known, Retention, Sight};

/// The spec of a trail of this account. What goes to strange places is not described: no word stands for it.
pub fn import(facts: &Facts, known: &Known, observed: &Observed) -> Option<TrailSpec> {
    let live = observed.trail.as_ref()?;
    let archive = facts.archive();
    let delivers = archive.is_some_and(|archive| archive.bucket == live.bucket);
    let ours = archive.is_some_and(|archive| {
        live.key_arn.is_some() && known.arn(&plan::key(archive)) == live.key_arn.as_deref()
    });
    let encrypt = match live.key_arn {
        None => Some(false),
        Some(_) => ours.then_some(true),
    };
    let own = |arn: &Option<String>| match arn.as_deref().map(Arn::of) {
        None => Some(NONE.to_owned()),
        Some(arn) => (arn.account == facts.scope.account.as_str()).then(|| arn.name().to_owned()),
    };
    Some(TrailSpec {
        name: Some(live.name.clone()),
        multi_region: Some(live.multi_region),
        global_events: Some(live.global_events),
        log_file_validation: Some(live.log_file_validation),
        deliver_to: delivers.then_some(DeliverTo::Archive),
        prefix: Some(live.prefix.clone().unwrap_or_else(|| NONE.to_owned())),
        encrypt,
        organization_trail: live.organization.then_some(true),
        sns_topic: own(&live.topic_arn),
        cloud_watch_logs: LogsSpec {
            group: own(&live.group_arn),
            retention_days: retention(live, observed),
            role: own(&live.role_arn).filter(|role| role != NONE),
        },
        logging: Some(live.logging),
        events: live.events.as_ref().map_or_else(EventsSpec::default, |events| EventsSpec {
            management: Some(events.level(Family::Management)),
            excluded_sources: Some(events.excluded()),
            s3: Some(events.level(Family::S3)),
            lambda: Some(events.level(Family::Lambda)),
            dynamodb: Some(events.level(Family::DynamoDb)),
        }),
        insights: live.insights.as_ref().map_or_else(InsightsSpec::default, |live| {
            let on = |kind: &str| {
                let categories = live.get(kind);
                categories.is_some_and(|all| all.is_empty() || all.contains("Management"))
            };
            InsightsSpec {
                api_call_rate_insight: Some(on("ApiCallRateInsight")),
                api_error_rate_insight: Some(on("ApiErrorRateInsight")),
            }
        }),
    })
}

/// The retention of the group that the trail writes to, if that is the one that was looked at.
fn retention(live: &Trail, observed: &Observed) -> Option<Retention> {
    let Some(Sight::Seen(logs)) = &observed.logs else { return None };
    let same = live.group_arn.as_deref().is_some_and(|arn| Arn::of(arn).name() == logs.group);
    (same && logs.exists).then(|| logs.retention_days.map_or(Retention::Never, Retention::Days))
}

/// What the fields were before. A trail that did not exist is one that is stopped; what had no word of the spec
/// (another bucket, a group that was gone) stays as it is now.
pub fn inverse(resource: &str, fields: &[Field]) -> Option<TrailSpec> {
    let mut before: BTreeMap<&str, Value> = BTreeMap::new();
    for field in fields {
        match &field.before {
            Value::Null if field.path == "/logging" => drop(before.insert(&field.path, false.into())),
            Value::Null => {}
            value => drop(before.insert(&field.path, value.clone())),
        }
    }
    let name = ("name", Value::from(resource));
    // A leaf that does not fit alone has no word.
    let fits = |path: &str, value: &Value| serde_json::from_value::<TrailSpec>(at(path, value)).is_ok();
    before.retain(|path, value| fits(path, value));
    if before.is_empty() {
        return None;
    }
    let mut spec = Map::from_iter([(name.0.to_owned(), name.1)]);
    for (path, value) in before {
        match path.trim_start_matches('/').split_once('/') {
            None => drop(spec.insert(path.trim_start_matches('/').to_owned(), value)),
            Some((map, leaf)) => {
                let inner = spec.entry(map).or_insert_with(|| Value::Object(Map::new()));
                inner[leaf] = value;
            }
        }
    }
    serde_json::from_value(Value::Object(spec)).ok()
}

/// `/events/s3` as `{"events": {"s3": …}}`.
fn at(path: &str, value: &Value) -> Value {
    path.trim_start_matches('/')
        .rsplit('/')
        .fold(value.clone(), |inner, key| Value::Object(Map::from_iter([(key.to_owned(), inner)])))
}
