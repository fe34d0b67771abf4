//! Declared beside live: the parameters of controls.

use std::collections::BTreeMap;

use super::live::{Live, Parameter, Parameters, Properties};
use super::read::GET_DEFINITION;
use super::spec::{ControlsSpec, DEFAULT, Setting};
use super::write::{Value, Write};
use crate::control::{Change, Direction, Field, Finding, Verdict};
use crate::fault::{Fault, FaultKind};
use crate::pointer;

const RULE: &str = "parameters";

/// One finding for each control whose parameters are declared.
pub fn findings(spec: &ControlsSpec, live: &Live, holder: Option<&str>) -> Vec<Finding<Write>> {
    let declared = spec.controls.iter().filter(|(_, choice)| !choice.parameters.is_empty());
    declared
        .map(|(id, choice)| {
            let verdict = match live.parameters.get(id) {
                Some(Properties::Seen(parameters)) => control(id, &choice.parameters, parameters, holder),
                Some(Properties::Unseen(fault)) => Verdict::Unknown { fault: fault.clone() },
                Some(Properties::NoControl) => Verdict::NotOffered {
                    source: format!("securityhub:BatchGetSecurityControls knows no {id} here"),
                },
                None => invalid("it was not asked for".into()),
            };
            Finding::new(id, RULE, verdict)
        })
        .collect()
}

fn invalid(message: String) -> Verdict<Write> {
    Verdict::Unknown { fault: Fault::local(FaultKind::Invalid, GET_DEFINITION.operation, message) }
}

/// Is the value in force the one that is declared? The order of a list says nothing.
fn holds(want: &Setting, live: &Parameter) -> bool {
    if want.is_default() {
        return !live.custom;
    }
    match (want, live.value.as_ref()) {
        (Setting::Wholes(want), Some(Setting::Wholes(live))) => sorted(want) == sorted(live),
        (Setting::Words(want), Some(Setting::Words(live))) => sorted(want) == sorted(live),
        (Setting::Whole(want), Some(Setting::Number(live))) => f64::from(*want) == *live,
        (want, Some(live)) => want == live,
        (_, None) => false,
    }
}

fn sorted<T: Ord + Clone>(list: &[T]) -> Vec<T> {
    let mut list = list.to_vec();
    list.sort();
    list
}

fn control(
    id: &str,
    declared: &BTreeMap<String, Setting>,
    live: &Parameters,
    holder: Option<&str>,
) -> Verdict<Write> {
    let unknown: Vec<&str> =
        declared.keys().filter(|name| !live.values.contains_key(*name)).map(String::as_str).collect();
    if !unknown.is_empty() {
        let has: Vec<&str> = live.values.keys().map(String::as_str).collect();
        let has = if has.is_empty() { "none".to_owned() } else { has.join(", ") };
        return Verdict::NotOffered {
            source: format!("{id} has no parameter {}; it has {has}", unknown.join(", ")),
        };
    }
    let known = declared.iter().filter_map(|(name, want)| Some((name, want, live.values.get(name)?)));
    let differing: Vec<(&String, &Setting, &Parameter)> =
        known.filter(|(_, want, live)| !holds(want, live)).collect();
    if differing.is_empty() {
        return Verdict::InSync;
    }
    let wrong =
        differing.iter().find(|(_, want, live)| !want.is_default() && live.kind.value(want).is_none());
    if let Some((name, _, live)) = wrong {
        return invalid(format!("`{name}` of {id} takes {}, or `{DEFAULT}`", live.kind.word()));
    }
    if let Some(holder) = holder {
        let names: Vec<&str> = differing.iter().map(|(name, ..)| name.as_str()).collect();
        return Verdict::Foreign {
            owner: holder.to_owned(),
            evidence: format!("its configuration policy holds this account; {} differs", names.join(", ")),
        };
    }
    let fields = differing.iter().map(|(name, want, live)| {
        let path = format!("/controls/{}/parameters/{}", pointer::escaped(id), pointer::escaped(name));
        Field::new(path, live.setting().value(), want.value())
    });
    let fields = fields.collect();
    let mut parameters = BTreeMap::new();
    let mut carried = Vec::new();
    for (name, parameter) in &live.values {
        let setting = match declared.get(name) {
            Some(want) => Some(want.clone()).filter(|want| !want.is_default()),
            None if parameter.custom => {
                carried.push(format!("{name} {}", parameter.setting().value()));
                parameter.value.clone()
            }
            // What is AWS's stays AWS's.
            None => continue,
        };
        parameters.insert(name.clone(), Value { kind: parameter.kind, setting });
    }
    let carries = || format!("{}: not declared, but the call takes all parameters", carried.join(", "));
    Verdict::Change(Change {
        direction: Direction::Neutral,
        carries: (!carried.is_empty()).then(carries),
        stands_on: Some(Vec::new()),
        ..Change::update(fields, vec![Write::Parameters { control: id.to_owned(), parameters }])
    })
}
