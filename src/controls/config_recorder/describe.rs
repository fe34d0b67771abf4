//! The spec that describes what is live, and the one that says what was before.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::channel::{channel, topic_word};
use super::live::{Observed, Types};
use super::recorder::is_service_linked;
use super::spec::{
    Days, DeliverTo, Frequency, GlobalTypes, MOST_DAYS, NONE, Record, RecorderSpec, Role, Snapshots,
};
use crate::control::{Facts, Field, Known, Verdict};

pub fn import(facts: &Facts, known: &Known, observed: &Observed) -> Option<RecorderSpec> {
    let live = observed.recorder.as_ref()?;
    let mut spec = RecorderSpec {
        recording: Some(live.recording),
        role: Some(if is_service_linked(&live.role_arn) { Role::ServiceLinked } else { Role::Any }),
        frequency: Some(live.frequency),
        frequency_of: live.overrides.iter().map(|(name, of)| (name.clone(), Some(*of))).collect(),
        retention_days: Days::new(observed.retention_days.unwrap_or(MOST_DAYS)),
        ..RecorderSpec::default()
    };
    if let Types::All { exclude, iam } = &live.types {
        let is_home = facts.scope.region == facts.home;
        spec.record = Some(Record::All);
        spec.exclude = Some(exclude.clone());
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
            && !matches!(channel(facts, known, &to_archive, Some(live)), Verdict::Change(_) | Verdict::Unknown { .. });
        spec.deliver_to = delivers.then_some(DeliverTo::Archive);
    }
    Some(spec)
}

pub fn inverse(fields: &[Field]) -> Option<RecorderSpec> {
    let mut spec = RecorderSpec::default();
    for field in fields {
        let text = field.before.as_str();
        match field.path.as_str() {
            "/recording" => spec.recording = Some(field.before.as_bool().unwrap_or(false)),
            _ if field.before == Value::Null => {}
            "/exclude" => spec.exclude = serde_json::from_value::<BTreeSet<String>>(field.before.clone()).ok(),
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
                    let name = name.replace("~1", "/").replace("~0", "~");
                    spec.frequency_of.extend(BTreeMap::from([(name, text.and_then(Frequency::of))]));
                }
            }
        }
    }
    (spec != RecorderSpec::default()).then_some(spec)
}
