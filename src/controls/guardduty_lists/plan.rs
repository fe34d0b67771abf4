//! Declared beside live.

use serde_json::Value;

use super::live::{List, Live};
use super::spec::{Kind, ListSpec};
use super::write::{Patch, Write};
use crate::control::{Change, Direction, Facts, Field, ManualTask, Progress, Verdict, Verified};
use crate::fault::{Fault, FaultKind};

pub fn list(facts: &Facts, kind: Kind, name: &str, wanted: &ListSpec, live: &Live) -> Verdict<Write> {
    let lists = match kind {
        Kind::Trusted => &live.trusted,
        Kind::Threat => &live.threats,
    };
    let verdict = match lists.get(name) {
        Some(live) => existing(kind, name, wanted, live),
        None => {
            let others: Vec<&str> = lists.keys().map(String::as_str).collect();
            if others.len() >= kind.most() {
                full(kind, name, &others)
            } else {
                absent(facts, kind, name, wanted)
            }
        }
    };
    match (&live.administrator, &verdict) {
        (Some(administrator), Verdict::Change(_) | Verdict::Manual(_)) => Verdict::Foreign {
            owner: format!("the GuardDuty administrator, account {administrator}"),
            evidence: format!("a member does not write its lists; {name} is not as declared"),
        },
        _ => verdict,
    }
}

fn path(kind: Kind, name: &str, leaf: &str) -> String {
    format!("/{}/{name}/{leaf}", kind.map())
}

fn full(kind: Kind, name: &str, others: &[&str]) -> Verdict<Write> {
    Verdict::Manual(ManualTask {
        title: format!("there is no room for list {name}: AWS has {} at most", kind.most()),
        found: vec![("lists".into(), others.join(", "))],
        steps: vec![
            "Declare one of these instead, or delete one in the GuardDuty console".into(),
            "under Lists. baseline deletes nothing.".into(),
        ],
        verified: Verified::ByObservation,
    })
}

/// What it does for security when a list is used, or no longer.
fn toward(kind: Kind, used: bool) -> Direction {
    match (kind, used) {
        (Kind::Trusted, true) | (Kind::Threat, false) => Direction::Weakens,
        (Kind::Trusted, false) | (Kind::Threat, true) => Direction::Strengthens,
    }
}

const HIDES: &str = "GuardDuty reports nothing of the addresses in it";

fn absent(facts: &Facts, kind: Kind, name: &str, wanted: &ListSpec) -> Verdict<Write> {
    let call = match kind {
        Kind::Trusted => "guardduty:CreateIPSet",
        Kind::Threat => "guardduty:CreateThreatIntelSet",
    };
    let (Some(format), Some(location)) = (wanted.format, &wanted.location) else {
        if wanted.active == Some(false) {
            return Verdict::InSync;
        }
        let message = format!("list {name} is not there, and making it needs `format` and `location`");
        return Verdict::Unknown { fault: Fault::local(FaultKind::Invalid, call, message) };
    };
    let active = wanted.active == Some(true);
    let mut fields = vec![
        Field::new(path(kind, name, "format"), Value::Null, format.word()),
        Field::new(path(kind, name, "location"), Value::Null, location.as_str()),
    ];
    fields.extend(wanted.active.map(|active| Field::new(path(kind, name, "active"), Value::Null, active)));
    let carries =
        wanted.active.is_none().then(|| "active false: not declared, but the call asks for it".to_owned());
    let step = Write::Create {
        kind,
        name: name.to_owned(),
        format,
        location: location.clone(),
        active,
        tags: facts.tags.clone(),
    };
    Verdict::Change(Change {
        direction: if active { toward(kind, true) } else { Direction::Neutral },
        evidence: (active && kind == Kind::Trusted).then(|| HIDES.to_owned()),
        carries,
        ..Change::create(fields, vec![step])
    })
}

fn existing(kind: Kind, name: &str, wanted: &ListSpec, live: &List) -> Verdict<Write> {
    if let Some(format) = wanted.format.filter(|format| format.word() != live.format) {
        return Verdict::Manual(ManualTask {
            title: format!("list {name} is {}, and the format of a list cannot be changed", live.format),
            found: vec![("format".into(), live.format.clone())],
            steps: vec![format!(
                "Declare `format: {}`, or a list of another name in {}.",
                live.format,
                format.word()
            )],
            verified: Verified::ByObservation,
        });
    }
    let mut fields = Vec::new();
    let mut patch = Patch::default();
    let used = wanted.active.unwrap_or(live.active());
    if let Some(location) = wanted.location.as_ref().filter(|wanted| **wanted != live.location) {
        fields.push(Field::new(path(kind, name, "location"), live.location.as_str(), location.as_str()));
        patch.location = Some(location.clone());
        // GuardDuty reads another file when the list is made active.
        patch.active = Some(used);
    }
    if wanted.active.is_some_and(|wanted| wanted != live.active()) {
        let before = if live.status == "ERROR" { Value::from("ERROR") } else { live.active().into() };
        fields.push(Field::new(path(kind, name, "active"), before, used));
        patch.active = Some(used);
    }
    if fields.is_empty() {
        return match live.status.as_str() {
            "ACTIVATING" => progress("GuardDuty is reading the list"),
            "DEACTIVATING" => progress("GuardDuty is taking the list out of use"),
            _ => Verdict::InSync,
        };
    }
    let hides = kind == Kind::Trusted && used;
    let direction = match (used, live.active()) {
        (true, _) if hides => Direction::Weakens,
        (true, true) | (false, false) => Direction::Neutral,
        _ => toward(kind, used),
    };
    let mut evidence = Vec::new();
    if live.status == "ERROR" {
        evidence.push(
            "GuardDuty could not read the file: are its address, its format and its bucket's policy right?",
        );
    }
    if hides {
        evidence.push(HIDES);
    }
    Verdict::Change(Change {
        direction,
        evidence: (!evidence.is_empty()).then(|| evidence.join("; ")),
        ..Change::update(fields, vec![Write::Update { kind, name: name.to_owned(), list: patch }])
    })
}

fn progress(what: &str) -> Verdict<Write> {
    Verdict::Progressing(Progress { what: what.to_owned(), look_again: 30, patience: 900 })
}
