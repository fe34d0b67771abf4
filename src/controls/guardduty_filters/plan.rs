//! Declared beside live.

use serde_json::{Value, json};

use super::live::Filter;
use super::spec::{Action, FilterSpec};
use super::write::{Patch, Write};
use crate::control::{Change, Direction, Facts, Field, Verdict};
use crate::fault::{Fault, FaultKind};

/// A filter that archives keeps findings from everybody, and its description is all that says why.
fn unexplained(name: &str) -> Verdict<Write> {
    let message = format!("filter {name} archives findings and does not say why: write its `description`");
    Verdict::Unknown { fault: Fault::local(FaultKind::Invalid, "guardduty:CreateFilter", message) }
}

fn says_why(description: Option<&str>) -> bool {
    description.is_some_and(|text| !text.trim().is_empty())
}

const HIDES: &str = "findings that match are archived as they come, and nobody is told of them";

/// There is no filter of that name.
pub fn absent(facts: &Facts, name: &str, wanted: &FilterSpec) -> Verdict<Write> {
    let archives = wanted.action == Some(Action::Archive);
    if archives && !says_why(wanted.description.as_deref()) {
        return unexplained(name);
    }
    let Some(criteria) = &wanted.criteria else {
        let message = format!("filter {name} is not there, and making it needs `criteria`");
        let fault = Fault::local(FaultKind::Invalid, "guardduty:CreateFilter", message);
        return Verdict::Unknown { fault };
    };
    let mut fields = Vec::new();
    let mut say = |leaf: &str, value: Option<Value>| {
        fields.extend(value.map(|value| Field::new(path(name, leaf), Value::Null, value)));
    };
    say("description", wanted.description.as_deref().map(Value::from));
    say("action", wanted.action.map(|action| action.word().into()));
    say("rank", wanted.rank.map(Value::from));
    say("criteria", Some(json!(criteria)));
    let step = Write::Create { name: name.to_owned(), filter: Patch::of(wanted), tags: facts.tags.clone() };
    Verdict::Change(Change {
        direction: if archives { Direction::Weakens } else { Direction::Neutral },
        evidence: archives.then(|| HIDES.to_owned()),
        ..Change::create(fields, vec![step])
    })
}

/// Names of filters have no character that a pointer would escape.
fn path(name: &str, leaf: &str) -> String {
    format!("/filters/{name}/{leaf}")
}

/// There is one of that name.
pub fn existing(name: &str, wanted: &FilterSpec, live: &Filter) -> Verdict<Write> {
    let mut fields = Vec::new();
    let mut patch = Patch::default();
    if let Some(description) = wanted.description.as_ref().filter(|wanted| **wanted != live.description) {
        fields.push(Field::new(path(name, "description"), live.description.as_str(), description.as_str()));
        patch.description = Some(description.clone());
    }
    if let Some(action) = wanted.action.filter(|wanted| wanted.word() != live.action) {
        fields.push(Field::new(path(name, "action"), live.action.as_str(), action.word()));
        patch.action = Some(action);
    }
    if let Some(rank) = wanted.rank.filter(|wanted| Some(wanted.get()) != live.rank) {
        fields.push(Field::new(path(name, "rank"), live.rank.map_or(Value::Null, Value::from), rank));
        patch.rank = Some(rank.get());
    }
    if let Some(criteria) = wanted.criteria.as_ref().filter(|wanted| **wanted != live.criteria) {
        fields.push(Field::new(path(name, "criteria"), json!(live.criteria), json!(criteria)));
        patch.criteria = Some(criteria.clone());
    }
    let (archived, archives) =
        (live.action == "ARCHIVE", wanted.action.map_or(live.action == "ARCHIVE", |a| a == Action::Archive));
    if archives && !says_why(wanted.description.as_deref().or(Some(&live.description))) {
        return unexplained(name);
    }
    if fields.is_empty() {
        return Verdict::InSync;
    }
    let hides = archives && (!archived || patch.criteria.is_some());
    let direction = match (hides, archived && !archives) {
        (true, _) => Direction::Weakens,
        (false, true) => Direction::Strengthens,
        (false, false) => Direction::Neutral,
    };
    Verdict::Change(Change {
        direction,
        evidence: hides.then(|| HIDES.to_owned()),
        ..Change::update(fields, vec![Write::Update { name: name.to_owned(), filter: patch }])
    })
}

/// A member does not write its filters.
pub fn of_member(administrator: Option<&str>, verdict: Verdict<Write>) -> Verdict<Write> {
    match (administrator, &verdict) {
        (Some(administrator), Verdict::Change(change)) => Verdict::Foreign {
            owner: format!("the GuardDuty administrator, account {administrator}"),
            evidence: format!(
                "a member does not write its filters; {}",
                change.fields.iter().map(|field| field.path.as_str()).collect::<Vec<_>>().join(", ")
            ),
        },
        _ => verdict,
    }
}
