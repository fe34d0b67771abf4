//! What is declared beside what is live, leaf by leaf.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::live::Live;
use super::spec::{AclSpec, Priority, RuleWord};
use super::words::{Mode, Otherwise, Version, Window};
use crate::control::Field;
use crate::pointer;

/// How a live value is told that the words of the YAML cannot tell.
const OTHER: &str = "another way";

/// The declared spec with what a new web ACL and new rules have where nothing is said: everything allowed, rules that
/// count, and places after all others.
pub fn completed(declared: &AclSpec, live: Option<&Live>) -> AclSpec {
    let mut spec = declared.clone();
    spec.logging = None;
    let said = spec.priorities().filter_map(|(_, priority)| priority).map(Priority::get);
    let taken = live.into_iter().flat_map(|live| live.rules.values().copied());
    let mut next = said.chain(taken).max().map_or(0, |most| most.saturating_add(1));
    let mut place = |priority: &mut Option<Priority>| {
        if priority.is_none() {
            *priority = Priority::new(next);
            next = next.saturating_add(1);
        }
    };
    if live.is_none() {
        spec.default_action = spec.default_action.or(Some(Otherwise::Allow));
        spec.metrics = spec.metrics.or(Some(true));
        spec.sampled_requests = spec.sampled_requests.or(Some(true));
    }
    let there = |name: &str| live.is_some_and(|live| live.rules.contains_key(live.name_of(name)));
    for (_, rule) in spec.networks.iter_mut().filter(|(name, _)| !there(name)) {
        place(&mut rule.priority);
        rule.action = rule.action.or(Some(RuleWord::Count));
    }
    for (_, rule) in spec.rates.iter_mut().filter(|(name, _)| !there(name)) {
        place(&mut rule.priority);
        rule.action = rule.action.or(Some(RuleWord::Count));
        rule.window = rule.window.or(Some(Window::USUAL));
    }
    let group = |name: &str| live.is_some_and(|live| live.spec.managed.contains_key(name));
    for (_, rule) in spec.managed.iter_mut().filter(|(name, _)| !group(name)) {
        place(&mut rule.priority);
        rule.version = rule.version.take().or(Some(Version::usual()));
        rule.mode = rule.mode.or(Some(Mode::Count));
    }
    spec
}

/// Does anything have to be changed?
pub fn differs(declared: &AclSpec, live: Option<&Live>) -> bool {
    live.is_none() || !fields(declared, live).is_empty()
}

/// What differs, with paths into the web ACL's own map: `/managed/AWSManagedRulesCommonRuleSet/mode`.
pub fn fields(declared: &AclSpec, live: Option<&Live>) -> Vec<Field> {
    let spec = completed(declared, live);
    let empty = Live::default();
    let there = live.unwrap_or(&empty);
    let (want, have) = (json(&spec), json(&there.spec));
    let mut all = Vec::new();
    walk("", &want, &have, &mut all);
    // A response belongs to blocking: what comes and goes with the action is told below.
    let blocks =
        |value: &Value, rule: &str| value.pointer(&format!("{rule}/action")) == Some(&"block".into());
    all.retain(|(path, _, _)| {
        let parts: Vec<&str> = path.split('/').collect();
        if parts.get(3) != Some(&"response") {
            return true;
        }
        let rule = parts[..3].join("/");
        let is_new = have.pointer(&rule).is_none();
        (blocks(&want, &rule) && (is_new || blocks(&have, &rule)))
            || (want.pointer(&format!("{rule}/action")).is_none() && blocks(&have, &rule))
    });
    all.extend(of_blocking(&want, &have));
    all.retain(|(path, _, _)| !["/metrics", "/sampledRequests"].contains(&path.as_str()));
    let mut fields: Vec<Field> = all
        .into_iter()
        .map(|(path, before, after)| {
            let parts: Vec<&str> = path.split('/').collect();
            let exists =
                if parts.len() > 3 { have.pointer(&parts[..3].join("/")).is_some() } else { live.is_some() };
            let unclear = there.unclear.iter().any(|at| path == *at || path.starts_with(&format!("{at}/")));
            // Something is there, and it is nothing that these words can tell.
            let before = if unclear || (before.is_null() && exists) { OTHER.into() } else { before };
            Field::new(path, before, after)
        })
        .collect();
    for (path, wanted, of) in [
        ("/metrics", spec.metrics, (|one: &(bool, bool)| one.0) as fn(&(bool, bool)) -> bool),
        ("/sampledRequests", spec.sampled_requests, |one| one.1),
    ] {
        let Some(wanted) = wanted else { continue };
        let seen: BTreeSet<bool> = there.visible.values().map(of).collect();
        if seen != BTreeSet::from([wanted]) {
            let before = match seen.len() {
                0 => Value::Null,
                1 => (!wanted).into(),
                _ => "some".into(),
            };
            fields.push(Field::new(path, before, wanted));
        }
    }
    fields
}

/// A rule that stops blocking loses its response, and one that begins to gets the declared one: nothing else has one.
fn of_blocking(want: &Value, have: &Value) -> Vec<(String, Value, Value)> {
    let mut all = Vec::new();
    for kind in ["networks", "rates"] {
        for (name, rule) in want[kind].as_object().into_iter().flatten() {
            let live = &have[kind][name];
            let (blocks, blocked) = (rule["action"] == "block", live["action"] == "block");
            if blocks == blocked || !rule["action"].is_string() || !live["action"].is_string() {
                continue;
            }
            let response = if blocks { &rule["response"] } else { &live["response"] };
            for (leaf, usual) in [("status", Value::from(403)), ("body", "none".into())] {
                let value = response[leaf].clone();
                if value == usual || value.is_null() {
                    continue;
                }
                let none = Value::from("none");
                let (before, after) = if blocks { (none, value) } else { (value, none) };
                all.push((format!("/{kind}/{name}/response/{leaf}"), before, after));
            }
        }
    }
    all
}

fn json(spec: &AclSpec) -> Value {
    serde_json::to_value(spec).unwrap_or(Value::Null)
}

/// Every leaf of `want` that is otherwise in `have`. A list is a leaf. A declared override that is `none` and one
/// that is not there are the same.
fn walk(path: &str, want: &Value, have: &Value, into: &mut Vec<(String, Value, Value)>) {
    let Value::Object(map) = want else {
        if want != have && !nothing(path, want, have) {
            into.push((path.to_owned(), said(path, want, have), want.clone()));
        }
        return;
    };
    let none = Map::new();
    let live = have.as_object().unwrap_or(&none);
    for (key, inner) in map {
        let path = format!("{path}/{}", pointer::escaped(key));
        walk(&path, inner, live.get(key).unwrap_or(&Value::Null), into);
    }
}

fn is_override(path: &str) -> bool {
    path.split('/').nth(3) == Some("overrides")
}

/// Two ways to say that there is nothing.
fn nothing(path: &str, want: &Value, have: &Value) -> bool {
    let empty = want.as_array().is_some_and(Vec::is_empty);
    have.is_null() && (empty || (is_override(path) && *want == "none"))
}

/// What was before, in words: an override that is not there is `none`, a part of a scope-down an empty list.
fn said(path: &str, want: &Value, have: &Value) -> Value {
    match have {
        Value::Null if is_override(path) => "none".into(),
        Value::Null if want.is_array() && path.contains("/scopeDown/") => Value::Array(Vec::new()),
        other => other.clone(),
    }
}
