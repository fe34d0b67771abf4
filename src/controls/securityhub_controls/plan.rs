//! Declared beside live: which controls are on.

use std::collections::BTreeSet;

use super::live::{Association, Control, Live};
use super::spec::{Choice, ControlsSpec, Selector};
use super::write::Write;
use crate::control::{
    Change, Direction, Facts, Field, Finding, Known, Progress, Sight, Standard, Thing, Verdict,
};
use crate::pointer;

const RULE: &str = "enabled";
/// The word for no reason.
pub const NONE: &str = "none";
/// What is said of all controls at once.
const ALL: &str = "controls";

/// Who holds this account by a configuration policy, so that AWS refuses every change that the account makes. Where
/// that is not known nobody does: AWS then says so itself.
pub fn holder(facts: &Facts, known: &Known, live: Option<&Live>) -> Option<String> {
    let own = Thing::own_security_hub(facts)?;
    let seat = own.account().to_string();
    let administrator = live.and_then(|live| live.administrator.clone()).unwrap_or(seat);
    known.is_absent(&own).then(|| format!("the Security Hub administrator, account {administrator}"))
}

fn progressing(what: impl Into<String>) -> Verdict<Write> {
    Verdict::Progressing(Progress { what: what.into(), look_again: 30, patience: 1800 })
}

/// Every control that something declared decides over, and what cannot be decided yet.
pub fn enabled(spec: &ControlsSpec, live: Option<&Live>, holder: Option<&str>) -> Vec<Finding<Write>> {
    let keys: Vec<&String> =
        spec.controls.iter().filter(|(_, choice)| choice.enabled.is_some()).map(|(key, _)| key).collect();
    if keys.is_empty() && live.is_some() {
        return Vec::new();
    }
    let Some(live) = live else {
        let what = "there is no hub here yet; controls are looked at when a standard is on";
        return vec![Finding::new(ALL, RULE, progressing(what))];
    };
    let mut findings = Vec::new();
    let mut decided: BTreeSet<&str> = BTreeSet::new();
    for (id, control) in &live.controls {
        let Some((key, choice)) = spec.choice(id, &control.severity) else { continue };
        decided.insert(key);
        if let Some(verdict) = one(id, control, key, choice, holder) {
            findings.push(Finding::new(id, RULE, verdict));
        }
    }
    let waiting: Vec<&Standard> =
        live.standards.iter().filter(|(_, ready)| !**ready).map(|(one, _)| one).collect();
    for standard in &waiting {
        let what = "AWS is enabling it; its controls are looked at after that";
        findings.push(Finding::new(standard.to_string(), RULE, progressing(what)));
    }
    if waiting.is_empty() {
        // A key whose controls are all decided by more special ones has nothing to be looked for.
        let selects = |key: &str| {
            let selector = Selector::of(key);
            let fits = |(id, control): (&String, &Control)| {
                selector.is_some_and(|selector| selector.selects(id, &control.severity))
            };
            live.controls.iter().any(fits)
        };
        for key in keys.into_iter().filter(|key| !decided.contains(key.as_str()) && !selects(key)) {
            let source = if live.standards.is_empty() {
                "no standard is on here; when one is, its controls are set by the next run".to_owned()
            } else {
                format!("no standard that is on here holds {key}")
            };
            findings.push(Finding::new(key, RULE, Verdict::NotOffered { source }));
        }
    }
    findings
}

/// One control; `None` where a wildcard or a severity meets a control that the region does not have.
fn one(
    id: &str,
    control: &Control,
    key: &str,
    choice: &Choice,
    holder: Option<&str>,
) -> Option<Verdict<Write>> {
    let want = choice.enabled?;
    if !control.available {
        let source = "securityhub:ListSecurityControlDefinitions says UNAVAILABLE".to_owned();
        return (key == id).then_some(Verdict::NotOffered { source });
    }
    let mut seen: Vec<(&Standard, &Association)> = Vec::new();
    for (standard, sight) in &control.standards {
        match sight {
            Sight::Seen(association) => seen.push((standard, association)),
            Sight::Unseen(fault) => return Some(Verdict::Unknown { fault: fault.clone() }),
        }
    }
    let reason = choice.reason.as_deref().filter(|_| !want);
    let is_right = |one: &Association| one.enabled == want && (want || one.reason.as_deref() == reason);
    let standards: BTreeSet<Standard> =
        seen.iter().filter(|(_, one)| !is_right(one)).map(|(standard, _)| (*standard).clone()).collect();
    if standards.is_empty() {
        return Some(Verdict::InSync);
    }
    let path = |leaf: &str| format!("/controls/{}/{leaf}", pointer::escaped(key));
    let switches = seen.iter().any(|(_, one)| one.enabled != want);
    if let Some(holder) = holder {
        let is = if switches { !want } else { want };
        let word = if switches { format!("enabled is {is}") } else { "its reason is another".to_owned() };
        return Some(Verdict::Foreign {
            owner: holder.to_owned(),
            evidence: format!("its configuration policy holds this account; {word}"),
        });
    }
    let mut fields = Vec::new();
    if switches {
        fields.push(Field::new(path("enabled"), !want, want));
    }
    // The reason comes and goes with being off; one that was on had none.
    let was = seen.iter().find(|(_, one)| !one.enabled && !is_right(one));
    let was = was.map(|(_, one)| one.reason.as_deref().unwrap_or(NONE));
    let is = reason.unwrap_or(NONE);
    let was = was.unwrap_or(NONE);
    if was != is {
        fields.push(Field::new(path("reason"), was, is));
    }
    let partly = standards.len() < seen.len();
    let names = || standards.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let evidence = match (switches, want) {
        (true, false) => {
            let place = if partly { format!(" in {}", names()) } else { String::new() };
            Some(format!("checks of severity {} end{place}", control.severity))
        }
        (true, true) if partly => Some(format!("they are off in {}", names())),
        _ => None,
    };
    let step = Write::Associate {
        control: id.to_owned(),
        standards,
        enabled: want,
        reason: reason.map(str::to_owned),
    };
    Some(Verdict::Change(Change {
        direction: match (switches, want) {
            (false, _) => Direction::Neutral,
            (true, true) => Direction::Strengthens,
            (true, false) => Direction::Weakens,
        },
        cost: (switches && want).then(|| "Security Hub charges for each check".into()),
        evidence,
        stands_on: Some(Vec::new()),
        ..Change::update(fields, vec![step])
    }))
}
