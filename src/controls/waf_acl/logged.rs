//! What is the matter with the log of a web ACL.

use std::collections::BTreeSet;

use serde_json::Value;

use super::live::{LiveLogging, Seen};
use super::logging::{Behavior, LoggingSpec};
use super::plan::{Here, foreign, unasked};
use super::write::Write;
use crate::control::{Change, Direction, Field, ManualTask, Sight, Verdict, Verified};

/// `None` while there is no web ACL to log.
pub fn verdict(
    here: &Here<'_>,
    name: &str,
    spec: &LoggingSpec,
    seen: &Seen,
    comes: bool,
) -> Option<Verdict<Write>> {
    let live = match (&seen.live, &seen.logging) {
        (Some(live), _) if live.firewall_manager => return Some(foreign()),
        (None, _) if !comes => return None,
        (None, _) | (_, Some(Sight::Seen(None))) => None,
        (_, Some(Sight::Seen(Some(LiveLogging { firewall_manager: true, .. })))) => {
            return Some(foreign());
        }
        (_, Some(Sight::Seen(Some(logging)))) => Some(&logging.spec),
        (_, Some(Sight::Unseen(fault))) => return Some(Verdict::Unknown { fault: fault.clone() }),
        (_, None) => {
            return Some(Verdict::Unknown { fault: unasked("wafv2:GetLoggingConfiguration") });
        }
    };
    if live.is_none() && spec.to.is_none() {
        return Some(Verdict::Manual(ManualTask {
            title: format!("Say where the log of the web ACL {name} goes"),
            found: vec![("logging".into(), "none, and `to` is not declared".into())],
            steps: vec!["Declare `logging.to`, and plan again.".into()],
            verified: Verified::ByObservation,
        }));
    }
    let fields = logged(spec, live);
    if fields.is_empty() {
        return Some(Verdict::InSync);
    }
    let moves = fields.iter().any(|field| field.path == "/to");
    let scope = &here.facts.scope;
    let stands_on = spec.to.as_ref().filter(|_| moves).and_then(|to| to.thing(scope, spec.owner.as_ref()));
    let direction = match live {
        None => Direction::Strengthens,
        Some(_) => Direction::of(fields.iter().map(of_logging)),
    };
    let prefix = |field: Field| Field { path: format!("/acls/{name}/logging{}", field.path), ..field };
    let step = Write::PutLogging { acl: name.to_owned(), logging: spec.clone() };
    let fields: Vec<Field> = fields.into_iter().map(prefix).collect();
    let change = match live {
        None => Change {
            cost: Some("WAF writes a log of requests, which its destination charges for".into()),
            ..Change::create(fields, vec![step])
        },
        Some(_) => Change::update(fields, vec![step]),
    };
    Some(Verdict::Change(Change { direction, stands_on: Some(stands_on.into_iter().collect()), ..change }))
}

/// What differs of logging, with paths into its map.
fn logged(spec: &LoggingSpec, live: Option<&LoggingSpec>) -> Vec<Field> {
    let json = |spec: &LoggingSpec| serde_json::to_value(spec).unwrap_or(Value::Null);
    let (want, have) = (json(spec), live.map_or(Value::Null, json));
    let filtered = match &spec.filters {
        Some(_) => spec.has_filters(),
        None => live.is_some_and(LoggingSpec::has_filters),
    };
    let said = want.as_object().into_iter().flatten();
    said.filter(|(name, _)| *name != "owner" && (*name != "unfiltered" || filtered))
        .filter_map(|(name, after)| {
            let before = have.get(name).cloned().unwrap_or_else(|| match live {
                Some(_) => "another way".into(),
                None => Value::Null,
            });
            let nothing = before.is_null() && after.as_array().is_some_and(Vec::is_empty);
            (before != *after && !nothing).then(|| Field::new(format!("/{name}"), before, after.clone()))
        })
        .collect()
}

/// Less in the log is weaker, except where it is kept out on purpose.
fn of_logging(field: &Field) -> Direction {
    let set = |value: &Value| -> BTreeSet<String> {
        value.as_array().into_iter().flatten().map(ToString::to_string).collect()
    };
    let directed = |stronger| if stronger { Direction::Strengthens } else { Direction::Weakens };
    let (before, after) = (set(&field.before), set(&field.after));
    match field.path.as_str() {
        "/redact" => directed(after.is_superset(&before)),
        "/unfiltered" => directed(field.after == serde_json::json!(Behavior::Keep)),
        "/filters" if before.is_empty() || after.is_empty() => directed(after.is_empty()),
        _ => Direction::Neutral,
    }
}
