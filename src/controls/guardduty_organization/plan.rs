//! Declared beside live.

use std::collections::BTreeMap;

use super::live::{Configuration, Counted, Live};
use super::spec::{At, AutoEnable, Leaf, OrganizationSpec, RUNTIME};
use super::write::{Feature, Settings, Write};
use crate::control::{Change, Direction, Facts, Field, Known, Risk, Seat, Thing, Verdict};
use crate::fault::{Fault, FaultKind};

const DESCRIBE: &str = "guardduty:DescribeOrganizationConfiguration";

/// That this account administers GuardDuty here; `None` where the documents do not say which account manages the
/// organisation.
pub fn administers(facts: &Facts) -> Option<Thing> {
    let management = facts.organization.as_ref()?.seats.get(&Seat::Management)?;
    Some(Thing::RegionalAdmin {
        account: management.clone(),
        region: facts.scope.region.clone(),
        service: "guardduty.amazonaws.com".into(),
        admin: facts.scope.account.clone(),
    })
}

pub fn auto_enable(facts: &Facts, known: &Known, spec: &OrganizationSpec, live: &Live) -> Verdict<Write> {
    let (configuration, from_nothing);
    match &live.configuration {
        Some(there) => configuration = there,
        None => {
            let Some(administers) = administers(facts) else {
                let message =
                    "`guardduty.organization` needs `seats.management` in the Organization document";
                return Verdict::Unknown { fault: Fault::local(FaultKind::Invalid, DESCRIBE, message) };
            };
            if let Some(fault) = known.fault(&administers) {
                return Verdict::Unknown { fault: fault.clone() };
            }
            from_nothing = Configuration::nothing(spec.declared().filter_map(|leaf| match leaf.at {
                At::Feature(name) => Some(name),
                At::Agent(_) => Some(RUNTIME),
                At::Members => None,
            }));
            configuration = &from_nothing;
        }
    }
    let (mut differing, mut not_listed) = (Vec::new(), Vec::new());
    for leaf in spec.declared() {
        match word(configuration, leaf.at) {
            Some(word) if word == leaf.wanted.word() => {}
            Some(word) => differing.push((leaf, word.to_owned())),
            None if live.configuration.is_none() && leaf.wanted != AutoEnable::None => {
                differing.push((leaf, "NONE".to_owned()));
            }
            None if leaf.wanted != AutoEnable::None => not_listed.push(name(&leaf).to_owned()),
            None => {}
        }
    }
    match (differing.is_empty(), not_listed.is_empty()) {
        (true, true) => Verdict::InSync,
        (true, false) => {
            Verdict::NotOffered { source: format!("{DESCRIBE} does not list {}", not_listed.join(", ")) }
        }
        (false, _) => update(spec, configuration, live.counted.as_ref(), &differing, &not_listed),
    }
}

fn word<'c>(live: &'c Configuration, at: At<'_>) -> Option<&'c str> {
    match at {
        At::Members => Some(live.members.as_str()),
        At::Feature(name) => live.features.get(name).map(|feature| feature.mode.as_str()),
        At::Agent(name) => live.features.get(RUNTIME)?.beneath.get(name).map(String::as_str),
    }
}

fn name<'a>(leaf: &Leaf<'a>) -> &'a str {
    match leaf.at {
        At::Members => "newMembers",
        At::Feature(name) | At::Agent(name) => name,
    }
}

fn update(
    spec: &OrganizationSpec,
    live: &Configuration,
    counted: Option<&Counted>,
    differing: &[(Leaf<'_>, String)],
    not_listed: &[String],
) -> Verdict<Write> {
    let mut carries = Vec::new();
    if spec.new_members.is_none() {
        carries.push(format!("newMembers {}: not declared, but the call asks for it", live.members));
    }
    let settings = settings(live, differing, &mut carries);
    let step = Write::Update { settings };
    let fields =
        differing.iter().map(|(leaf, before)| Field::new(&*leaf.path, before.as_str(), leaf.wanted.word()));
    let more =
        |(leaf, before): &(Leaf<'_>, String)| AutoEnable::of(before).is_none_or(|live| leaf.wanted > live);
    let toward = |change| if more(change) { Direction::Strengthens } else { Direction::Weakens };
    let mut evidence = Vec::new();
    if differing.iter().any(|(leaf, _)| leaf.wanted == AutoEnable::All) {
        evidence.push(reached(live, counted, differing));
    }
    if differing.iter().any(|change| !more(change)) {
        evidence.push("accounts that have it keep it".to_owned());
    }
    if live.full {
        evidence.push("GuardDuty has as many members as it takes: no other account becomes one".to_owned());
    }
    if !not_listed.is_empty() {
        evidence.push(format!("{} is not offered here", not_listed.join(", ")));
    }
    Verdict::Change(Change {
        risk: Risk::Organization,
        direction: Direction::of(differing.iter().map(toward)),
        cost: cost(differing.iter().filter(|change| more(change)).map(|(leaf, _)| leaf)),
        evidence: (!evidence.is_empty()).then(|| evidence.join("; ")),
        carries: (!carries.is_empty()).then(|| carries.join("; ")),
        ..Change::update(fields.collect(), vec![step])
    })
}

/// What is sent: what differs, and what has to go with it.
fn settings(live: &Configuration, differing: &[(Leaf<'_>, String)], carries: &mut Vec<String>) -> Settings {
    let mut members = None;
    let mut features: BTreeMap<String, Feature> = BTreeMap::new();
    let mut agents: BTreeMap<String, AutoEnable> = BTreeMap::new();
    for (leaf, _) in differing {
        match leaf.at {
            At::Members => members = Some(leaf.wanted.word().to_owned()),
            At::Feature(name) => {
                features.insert(name.to_owned(), Feature::of(leaf.wanted.word()));
            }
            At::Agent(name) => {
                agents.insert(name.to_owned(), leaf.wanted);
            }
        }
    }
    let members = members.unwrap_or_else(|| live.members.clone());
    if let Some(most) = agents.values().max() {
        // An agent is written inside its feature, and is no use in accounts where that is not on.
        let was = live.features.get(RUNTIME).map_or("NONE", |feature| feature.mode.as_str());
        let needed = AutoEnable::of(was).map_or(was, |was| was.max(*most).word());
        let runtime = features.entry(RUNTIME.to_owned()).or_insert_with(|| {
            if needed != was {
                carries.push(format!("{RUNTIME} {needed}: its agents need it"));
            }
            Feature::of(needed)
        });
        runtime.beneath = agents.iter().map(|(name, mode)| (name.clone(), mode.word().to_owned())).collect();
    }
    for (name, feature) in features.iter_mut().filter(|(_, feature)| feature.mode != "NONE") {
        let Some(beneath) = live.features.get(name).map(|live| &live.beneath) else { continue };
        for (name, mode) in beneath.iter().filter(|(_, mode)| *mode != "NONE") {
            if !feature.beneath.contains_key(name) {
                carries.push(format!("{name} {mode}: it goes with its feature"));
                feature.beneath.insert(name.clone(), mode.clone());
            }
        }
    }
    Settings { members, features }
}

fn reached(live: &Configuration, counted: Option<&Counted>, differing: &[(Leaf<'_>, String)]) -> String {
    if live.members == "NONE" {
        return "it reaches every account of the organisation, those that are there today too".to_owned();
    }
    let Some(counted) = counted else {
        return "GuardDuty has not counted the accounts that it reaches".to_owned();
    };
    let features = differing.iter().filter_map(|(leaf, _)| match leaf.at {
        At::Feature(name) => Some((name, counted.features.get(name)?)),
        _ => None,
    });
    let features: Vec<String> = features.map(|(name, count)| format!(", {count} {name}")).collect();
    format!("of {} accounts, {} have GuardDuty here{}", counted.accounts, counted.enabled, features.concat())
}

fn cost<'a>(more: impl Iterator<Item = &'a Leaf<'a>>) -> Option<String> {
    let what: Vec<&str> = more
        .filter_map(|leaf| match leaf.at {
            At::Members => Some("what it reads"),
            At::Feature(name) => Some(name),
            At::Agent(_) => None,
        })
        .collect();
    (!what.is_empty())
        .then(|| format!("GuardDuty charges for {} in each account that gets it", what.join(", ")))
}
