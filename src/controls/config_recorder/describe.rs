//! The spec that describes what is live, and the one that says what was before.

use std::collections::BTreeMap;

use serde_json::Value;

use super::channel::{channel, topic_word};
use super::live::{Observed, Types};
use super::recorder::{AS_THE_REST, is_service_linked};
use super::spec::{
    Days, DeliverTo, Exclude, Frequency, GlobalTypes, MOST_DAYS, NONE, Record, RecorderSpec, Role, Snapshots,
};
use crate::control::{Facts, Field, Known, Verdict};
use crate::pointer;

pub fn import(facts: &Facts, known: &Known, observed: &Observed) -> Option<RecorderSpec> {
    let live = observed.recorder.as_ref()?;
    let mut spec = RecorderSpec {
        role: Some(if is_service_linked(&live.role_arn) { Role::ServiceLinked } else { Role::Any }),
        frequency: Some(live.frequency),
        frequency_of: live.overrides.iter().map(|(name, of)| (name.clone(), Some(*of))).collect(),
        retention_days: Days::new(observed.retention_days.unwrap_or(MOST_DAYS)),
        record: (!live.recording).then_some(Record::None),
        ..RecorderSpec::default()
    };
    if let Types::All { exclude, iam } = &live.types {
        let is_home = facts.scope.region == facts.home;
        spec.record = Some(if live.recording { Record::All } else { Record::None });
        spec.exclude = Some(Exclude::These(exclude.clone()));
        spec.global_types = Some(match (iam, is_home) {
            (true, true) | (false, false) => GlobalTypes::Home,
            (true, false) => GlobalTypes::In(facts.scope.region.clone()),
            (false, true) => GlobalTypes::None,
        });
    }
    if let Some(live) = &observed.channel {
        let snapshots = live.snapshots.as_deref().map_or(Some(Snapshots::None), Snapshots::of);
        spec.snapshots = snapshots;
        let topic = live.topic_arn.as_deref().map_or_else(|| NONE.to_owned(), |arn| topic_word(facts, arn));
        spec.topic = (!topic.contains(' ')).then_some(topic);
        // What goes elsewhere cannot be said.
        let to_archive = RecorderSpec { deliver_to: Some(DeliverTo::Archive), ..RecorderSpec::default() };
        let delivers = facts.archive().is_some()
            && !matches!(
                channel(facts, known, &to_archive, Some(live)),
                Verdict::Change(_) | Verdict::Unknown { .. }
            );
        spec.deliver_to = delivers.then_some(DeliverTo::Archive);
    }
    Some(spec)
}

pub fn inverse(fields: &[Field]) -> Option<RecorderSpec> {
    let mut spec = RecorderSpec::default();
    let rest = fields.iter().find(|field| field.path == "/frequency").and_then(|field| field.before.as_str());
    for field in fields {
        let text = field.before.as_str();
        match field.path.as_str() {
            // A recorder that did not exist is one that is stopped.
            "/record" if field.before == Value::Null => spec.record = Some(Record::None),
            "/record" => spec.record = serde_json::from_value(field.before.clone()).ok(),
            _ if field.before == Value::Null => {}
            "/exclude" => spec.exclude = serde_json::from_value(field.before.clone()).ok(),
            "/globalTypes" => spec.global_types = text.map(|word| GlobalTypes::from(word.to_owned())),
            "/frequency" => spec.frequency = text.and_then(Frequency::of),
            "/topic" => spec.topic = text.filter(|name| !name.contains(' ')).map(str::to_owned),
            "/snapshots" => spec.snapshots = text.and_then(Snapshots::of),
            "/retentionDays" => {
                let days = field.before.as_u64().and_then(|days| u32::try_from(days).ok());
                spec.retention_days = days.and_then(Days::new);
            }
            path => {
                if let Some(name) = path.strip_prefix("/frequencyOf/") {
                    // A type without an override had the frequency of all.
                    let text = if text == Some(AS_THE_REST) { rest } else { text };
                    let name = pointer::unescaped(name);
                    spec.frequency_of.extend(BTreeMap::from([(name, text.and_then(Frequency::of))]));
                }
            }
        }
    }
    if spec.records_all() {
        // That it runs, and nothing of what `record: all` stands for otherwise.
        spec.exclude = spec.exclude.or(Some(Exclude::Any));
        spec.global_types = spec.global_types.or(Some(GlobalTypes::Any));
        spec.role = spec.role.or(Some(Role::Any));
    }
    (spec != RecorderSpec::default()).then_some(spec)
}
