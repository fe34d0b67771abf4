//! A pack, declared beside live.

use std::collections::BTreeMap;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::live::{Pack, TEMPLATE};
use super::spec::PackSpec;
use super::write::{Made, PUT_PACK, Write};
use crate::control::{Change, Direction, Facts, Field, Progress, Verdict};
use crate::digest;
use crate::fault::{Fault, FaultKind};
use crate::pointer;

/// The model: `TemplateBody`, `ConformancePackName`, `ConformancePackInputParameters`, and the quotas (Developer
/// Guide, "Service limits").
const TEMPLATE_BYTES: usize = 51_200;
const RULES_A_PACK: usize = 130;
const NAME: usize = 256;
const PARAMETERS: usize = 60;
const PACKS: usize = 50;
const TAGS: usize = 50;

const COST: &str = "AWS Config charges for each evaluation of each rule in the pack";

fn invalid(message: impl Into<String>) -> Verdict<Write> {
    Verdict::Unknown { fault: Fault::local(FaultKind::Invalid, PUT_PACK.operation, message) }
}

/// What the tag holds: enough to tell two templates apart, and short enough to be read.
pub fn digest(template: &str) -> String {
    format!("sha256-{}", digest::hex(&Sha256::digest(template.as_bytes())[..16]))
}

fn path(pack: &str, leaf: &str) -> String {
    format!("/packs/{}/{leaf}", pointer::escaped(pack))
}

/// `Err` names the limit.
fn limits(
    facts: &Facts,
    name: &str,
    spec: &PackSpec,
    sent: &BTreeMap<String, String>,
    new_total: Option<usize>,
) -> Result<(), String> {
    let over = |what: &str, number: usize, most: usize| {
        (number > most).then(|| format!("{what}: {number}, and AWS Config takes {most}"))
    };
    let letters = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if !letters || !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return Err("the name of a pack is letters, digits and hyphens, a letter first".to_owned());
    }
    let template = spec.template.as_deref().unwrap_or_default();
    // Each rule of a template says its type once, in YAML as in JSON.
    let rules = template.matches("AWS::Config::ConfigRule").count();
    let longest = |max: Option<usize>| max.unwrap_or(0);
    let found = over("characters in the name", name.len(), NAME)
        .or_else(|| over("bytes in the template", template.len(), TEMPLATE_BYTES))
        .or_else(|| over("rules in the template", rules, RULES_A_PACK))
        .or_else(|| over("parameters", sent.len(), PARAMETERS))
        .or_else(|| {
            over("characters in a parameter's name", longest(sent.keys().map(String::len).max()), 255)
        })
        .or_else(|| over("characters in a parameter", longest(sent.values().map(String::len).max()), 4096))
        .or_else(|| over("tags, with the template's", facts.tags.len() + 1, TAGS))
        .or_else(|| new_total.and_then(|total| over("packs in the region", total, PACKS)));
    found.map_or(Ok(()), Err)
}

/// `total` is how many packs the region has with those that this plan makes.
pub fn pack(facts: &Facts, name: &str, spec: &PackSpec, live: Option<&Pack>, total: usize) -> Verdict<Write> {
    if spec.sources() > 1 {
        return invalid("it says both `template` and `document`: a pack is made of one");
    }
    if let Some(service) = live.and_then(|live| live.created_by.as_ref()) {
        return Verdict::Foreign {
            owner: service.clone(),
            evidence: "the pack belongs to that service".into(),
        };
    }
    if live.is_none() && spec.sources() == 0 {
        return invalid("there is no such pack: say `template` or `document`, which makes it");
    }
    let state = live.map_or("", |live| live.state.as_str());
    if let Some(verdict) = under_way(state) {
        return verdict;
    }
    let mut fields = differences(name, spec, live);
    if live.is_some() && state.ends_with("_FAILED") {
        fields.push(Field::new(format!("/packs/{}", pointer::escaped(name)), state, "deployed"));
    }
    if fields.is_empty() && live.is_some() {
        return Verdict::InSync;
    }
    let mut sent = live.map(|live| live.parameters.clone()).unwrap_or_default();
    sent.extend(spec.parameters().map(|(name, value)| (name.to_owned(), value.to_owned())));
    if let Err(limit) = limits(facts, name, spec, &sent, live.is_none().then_some(total)) {
        return invalid(limit);
    }
    let Some(of) = made(spec, live) else {
        return invalid("no call tells the template of a pack: say `template`, which is sent again");
    };
    let digest = spec.template.as_deref().map(digest);
    let mut tags = if live.is_none() { facts.tags.clone() } else { BTreeMap::new() };
    // A new pack takes the digest with it. Otherwise the tag comes after the pack: one that says more than was done
    // would hide that it was not.
    let mut after = digest.filter(|digest| live.is_none_or(|live| live.template.as_ref() != Some(digest)));
    if live.is_none() {
        tags.extend(after.take().map(|digest| (TEMPLATE.to_owned(), digest)));
    }
    let mut steps = vec![Write::PutPack { name: name.to_owned(), of, parameters: sent, tags }];
    steps.extend(after.map(|digest| Write::Tag { name: name.to_owned(), digest }));
    let change = match live {
        None => Change { cost: Some(COST.to_owned()), ..Change::create(fields, steps) },
        Some(live) => Change {
            direction: Direction::Neutral,
            cost: (live.template != spec.template.as_deref().map(self::digest)).then(|| COST.to_owned()),
            evidence: live.reason.as_ref().map(|reason| format!("AWS Config could not deploy it: {reason}")),
            carries: carried(spec, live),
            ..Change::update(fields, steps)
        },
    };
    Verdict::Change(change)
}

/// AWS is at it. Which state that is, decides before anything is compared: parameters and tags are told at once.
fn under_way(state: &str) -> Option<Verdict<Write>> {
    let what = match state {
        "CREATE_IN_PROGRESS" => "AWS Config is deploying the pack",
        "UPDATE_IN_PROGRESS" => "AWS Config is updating the pack",
        "DELETE_IN_PROGRESS" => "AWS Config is deleting the pack",
        "" | "CREATE_COMPLETE" | "UPDATE_COMPLETE" | "CREATE_FAILED" | "UPDATE_FAILED" | "DELETE_FAILED" => {
            return None;
        }
        other => {
            let message = format!("`{other}` is not a state that this build knows");
            let fault = Fault::local(FaultKind::Invalid, "config:DescribeConformancePackStatus", message);
            return Some(Verdict::Unknown { fault });
        }
    };
    Some(Verdict::Progressing(Progress { what: what.into(), look_again: 30, patience: 1800 }))
}

fn differences(name: &str, spec: &PackSpec, live: Option<&Pack>) -> Vec<Field> {
    let mut fields = Vec::new();
    let mut compare = |leaf: &str, want: Option<&str>, now: Option<&str>, otherwise: &str| {
        let Some(want) = want.filter(|want| Some(*want) != now) else { return };
        let before = if live.is_none() { Value::Null } else { now.unwrap_or(otherwise).into() };
        fields.push(Field::new(path(name, leaf), before, want));
    };
    let template = spec.template.as_deref().map(digest);
    compare("template", template.as_deref(), live.and_then(|live| live.template.as_deref()), "not known");
    compare("document", spec.document.as_deref(), live.and_then(|live| live.document.as_deref()), "none");
    let version = live.and_then(|live| live.document_version.as_deref());
    compare("documentVersion", spec.document_version.as_deref(), version, "none");
    for (parameter, want) in spec.parameters() {
        let now = live.and_then(|live| live.parameters.get(parameter)).map(String::as_str);
        compare(&format!("parameters/{}", pointer::escaped(parameter)), Some(want), now, "none");
    }
    fields
}

/// What the pack is made of: what is declared, or what AWS tells of it.
fn made(spec: &PackSpec, live: Option<&Pack>) -> Option<Made> {
    if let Some(template) = &spec.template {
        return Some(Made::Template(template.clone()));
    }
    let document = spec.document.clone().or_else(|| live.and_then(|live| live.document.clone()))?;
    let version =
        spec.document_version.clone().or_else(|| live.and_then(|live| live.document_version.clone()));
    Some(Made::Document { name: document, version })
}

/// What is live and not declared, and is sent along.
fn carried(spec: &PackSpec, live: &Pack) -> Option<String> {
    let declared: Vec<&str> = spec.parameters().map(|(name, _)| name).collect();
    let others: Vec<String> = live
        .parameters
        .iter()
        .filter(|(name, _)| !declared.contains(&name.as_str()))
        .map(|(name, value)| format!("parameter {name} {value}"))
        .collect();
    (!others.is_empty()).then(|| format!("{}: not declared, but the call replaces all", others.join("; ")))
}
