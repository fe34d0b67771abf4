//! A rule, declared beside live.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::limits;
use super::live::{self, Observed, Rule};
use super::spec::{Frequency, NONE, RuleSpec, Source, Trigger};
use super::write::{PUT_RULE, Put, Sent, Write};
use crate::control::{Change, Direction, Facts, Field, Progress, Risk, Thing, Verdict};
use crate::fault::{Fault, FaultKind};
use crate::pointer;

const COST: &str = "AWS Config charges for each evaluation of a rule";

/// A path of the spec below one rule (RFC 6901).
pub fn path(rule: &str, leaf: &str) -> String {
    format!("/rules/{}/{leaf}", pointer::escaped(rule))
}

pub fn invalid(message: impl Into<String>) -> Verdict<Write> {
    Verdict::Unknown { fault: Fault::local(FaultKind::Invalid, PUT_RULE.operation, message) }
}

/// The recorder without which AWS Config takes no rule.
pub fn recorder(facts: &Facts) -> Thing {
    Thing::ConfigRecorder { account: facts.scope.account.clone(), region: facts.scope.region.clone() }
}

/// The ARN of a function that the YAML names.
pub fn function_arn(facts: &Facts, function: &str) -> String {
    if function.starts_with("arn:") {
        return function.to_owned();
    }
    let (region, account) = (&facts.scope.region, &facts.scope.account);
    format!("arn:{}:lambda:{region}:{account}:function:{function}", facts.partition)
}

/// A function by the name that it has here, or by where it is.
fn function_word(facts: &Facts, arn: &str) -> String {
    let parts: Vec<&str> = arn.splitn(7, ':').collect();
    let [_, _, _, region, account, _, name] = parts[..] else { return "a function".to_owned() };
    if account == facts.scope.account.as_str() && region == facts.scope.region.as_str() {
        name.to_owned()
    } else {
        format!("{name} of account {account} in {region}")
    }
}

/// A parameter as AWS compares it: a text.
pub fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The rule that a declared name means: the one of that name, or the only other one that does the same. AWS has a
/// limit on rules, and two that evaluate the same cost twice.
pub fn find<'a>(
    name: &'a str,
    spec: &RuleSpec,
    declared: &BTreeSet<&str>,
    observed: &'a Observed,
) -> Option<(&'a str, &'a Rule)> {
    if let Some((name, rule)) = observed.rules.get_key_value(name) {
        return Some((name, rule));
    }
    let Some(Source::Managed(id)) = spec.source() else { return None };
    let mut same = observed.rules.iter().filter(|(other, rule)| {
        rule.source == live::Source::Managed(id.clone())
            && rule.created_by.is_none()
            && !declared.contains(other.as_str())
            && same_work(spec, rule)
    });
    let found = same.next()?;
    same.next().is_none().then_some((found.0.as_str(), found.1))
}

/// Does it evaluate the same things by the same measure?
fn same_work(spec: &RuleSpec, rule: &Rule) -> bool {
    let wanted: BTreeMap<&str, &str> = spec.parameters().collect();
    let live: BTreeMap<&str, String> =
        rule.parameters.iter().map(|(name, value)| (name.as_str(), text(value))).collect();
    let parameters = wanted.len() == live.len()
        && wanted.iter().all(|(name, value)| live.get(name).is_some_and(|live| live == value));
    parameters && scope(spec, &rule.scope) == rule.scope
}

/// The scope that is to be: what is declared, over what is live.
fn scope(spec: &RuleSpec, live: &live::Scope) -> live::Scope {
    let over = |declared: &Option<String>, live: &Option<String>| match declared.as_deref() {
        None => live.clone(),
        Some(NONE) => None,
        Some(text) => Some(text.to_owned()),
    };
    live::Scope {
        types: spec.scope.types.clone().unwrap_or_else(|| live.types.clone()),
        resource: over(&spec.scope.resource, &live.resource),
        tag_key: over(&spec.scope.tag_key, &live.tag_key),
        tag_value: over(&spec.scope.tag_value, &live.tag_value),
    }
}

/// What differs, and what that does.
struct Work<'a> {
    rule: &'a str,
    /// There is nothing of that name yet.
    new: bool,
    fields: Vec<Field>,
    directions: Vec<Direction>,
}

impl Work<'_> {
    fn say(&mut self, leaf: &str, before: impl Into<Value>, after: impl Into<Value>, direction: Direction) {
        let before = if self.new { Value::Null } else { before.into() };
        self.fields.push(Field::new(path(self.rule, leaf), before, after));
        self.directions.push(direction);
    }

    /// Says a declared leaf where it differs; all of them, where there is nothing yet.
    fn compare(&mut self, leaf: &str, want: Option<&str>, live: Option<&str>, direction: Direction) {
        let Some(want) = want else { return };
        if self.new || want != live.unwrap_or(NONE) {
            self.say(leaf, live.unwrap_or(NONE), want, direction);
        }
    }
}

fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> Value {
    names.into_iter().map(Value::from).collect()
}

/// The triggers of a custom rule: those declared, or changes, and time where a frequency is declared.
fn triggers(spec: &RuleSpec, live: Option<&Rule>) -> BTreeSet<String> {
    let words = |all: &[Trigger]| all.iter().map(|one| one.word().to_owned()).collect::<BTreeSet<_>>();
    match (&spec.triggers, live) {
        (Some(declared), _) => words(&declared.iter().copied().collect::<Vec<_>>()),
        (None, Some(live)) if !live.triggers.is_empty() => live.triggers.clone(),
        (None, _) => {
            let mut all = words(&Trigger::CHANGES);
            if spec.frequency.is_some() && spec.lambda.is_some() {
                all.insert(Trigger::ScheduledNotification.word().to_owned());
            }
            all
        }
    }
}

/// Declared beside live. `total` is how many rules the region has with those that this plan makes.
pub fn rule(
    facts: &Facts,
    name: &str,
    spec: &RuleSpec,
    found: Option<(&str, &Rule)>,
    total: usize,
) -> Verdict<Write> {
    let live = found.map(|(_, rule)| rule);
    if let Some(service) = live.and_then(|live| live.created_by.as_ref()) {
        return Verdict::Foreign {
            owner: service.clone(),
            evidence: "the rule belongs to that service, which changes it by itself".into(),
        };
    }
    if live.is_some_and(|live| live.state == "DELETING") {
        return Verdict::Progressing(Progress {
            what: "AWS Config is deleting the rule of that name".into(),
            look_again: 30,
            patience: 900,
        });
    }
    if live.is_none() && spec.source().is_none() {
        return invalid("there is no such rule: say `managed`, `lambda` or `guard`, which makes it");
    }
    let mut work = Work { rule: name, new: live.is_none(), fields: Vec::new(), directions: Vec::new() };
    let other_source = compare(facts, spec, live, &mut work);
    if work.fields.is_empty() && live.is_some() {
        return Verdict::InSync;
    }
    let put = put(found.map_or(name, |(name, _)| name), spec, live);
    if let Err(limit) = limits::of_rule(facts, &put, live.is_none().then_some(total)) {
        return invalid(limit);
    }
    let step = Write::Rule { put, tags: if live.is_none() { facts.tags.clone() } else { BTreeMap::new() } };
    let (fields, steps) = (work.fields, vec![step]);
    let change = match live {
        None => Change { cost: Some(COST.to_owned()), ..Change::create(fields, steps) },
        Some(live) => Change {
            direction: Direction::of(work.directions),
            risk: if other_source { Risk::Disruptive } else { Risk::Safe },
            evidence: other_source.then(|| "what it has found so far is of another source".to_owned()),
            carries: carried(spec, live),
            adopts: found
                .filter(|(found, _)| *found != name)
                .map(|(found, _)| format!("the rule {found}, which evaluates the same under another name")),
            ..Change::update(fields, steps)
        },
    };
    Verdict::Change(Change { stands_on: Some(vec![recorder(facts)]), ..change })
}

/// Says every declared leaf that differs; true where the source does.
fn compare(facts: &Facts, spec: &RuleSpec, live: Option<&Rule>, work: &mut Work<'_>) -> bool {
    use Direction::{Neutral, Strengthens, Weakens};
    let other_source = source(facts, spec, live, work);
    work.compare("description", spec.description.as_deref(), live.map(|l| l.description.as_str()), Neutral);
    for (name, want) in spec.parameters() {
        let now = live.and_then(|live| live.parameters.get(name)).map(text);
        // Which value is the stricter one, only the rule knows.
        work.compare(&format!("parameters/{}", pointer::escaped(name)), Some(want), now.as_deref(), Neutral);
    }
    let none = live::Scope::default();
    let now = live.map_or(&none, |live| &live.scope);
    if let Some(want) = &spec.scope.types
        && (work.new || *want != now.types)
    {
        // No types are all types.
        let narrower = !want.is_empty() && (now.types.is_empty() || !want.is_superset(&now.types));
        let direction = if narrower { Weakens } else { Strengthens };
        let words = |types: &BTreeSet<String>| list(types.iter().map(String::as_str));
        work.say("scope/types", words(&now.types), words(want), direction);
    }
    for (leaf, want, live) in [
        ("scope/resource", &spec.scope.resource, &now.resource),
        ("scope/tagKey", &spec.scope.tag_key, &now.tag_key),
        ("scope/tagValue", &spec.scope.tag_value, &now.tag_value),
    ] {
        let narrower = want.as_deref().is_some_and(|want| want != NONE) && live.is_none();
        let wider = want.as_deref() == Some(NONE);
        let direction = if narrower {
            Weakens
        } else if wider {
            Strengthens
        } else {
            Neutral
        };
        work.compare(leaf, want.as_deref(), live.as_deref(), direction);
    }
    if let Some(want) = spec.frequency {
        let now = live.and_then(|live| live.frequency.as_deref());
        let seldomer = now.and_then(Frequency::of).is_some_and(|now| want > now);
        let direction = if seldomer { Weakens } else { Strengthens };
        work.compare("frequency", Some(want.word()), now, direction);
    }
    if let Some(want) = &spec.triggers {
        let want: BTreeSet<&str> = want.iter().map(|one| one.word()).collect();
        let now: BTreeSet<&str> =
            live.map_or_else(BTreeSet::new, |live| live.triggers.iter().map(String::as_str).collect());
        if work.new || want != now {
            let direction = if want.is_superset(&now) { Strengthens } else { Weakens };
            work.say("triggers", list(now), list(want), direction);
        }
    }
    if let Some(want) = spec.debug_logs {
        let now = live.is_some_and(|live| live.debug_logs);
        if work.new || want != now {
            work.say("debugLogs", now, want, Neutral);
        }
    }
    other_source
}

/// What it evaluates. True where a rule of that name evaluates something else today.
fn source(facts: &Facts, spec: &RuleSpec, live: Option<&Rule>, work: &mut Work<'_>) -> bool {
    let Some(want) = spec.source() else { return false };
    let (same, changed_text) = match (&want, live.map(|live| &live.source)) {
        (Source::Managed(id), Some(live::Source::Managed(now))) => (id == now, false),
        (Source::Lambda(function), Some(live::Source::Lambda(now))) => {
            (function_arn(facts, function) == *now, false)
        }
        (Source::Guard(text), Some(live::Source::Guard)) => {
            let now = live.and_then(|live| live.policy.as_deref()).unwrap_or_default();
            (text.trim_end() == now.trim_end(), true)
        }
        _ => (false, false),
    };
    if same {
        return false;
    }
    let (leaf, after) = match &want {
        Source::Managed(id) => ("managed", id),
        Source::Lambda(function) => ("lambda", function),
        Source::Guard(text) => ("guard", text),
    };
    let before = match live.map(|live| &live.source) {
        None => NONE.to_owned(),
        Some(live::Source::Managed(id)) => id.clone(),
        Some(live::Source::Lambda(arn)) => function_word(facts, arn),
        Some(live::Source::Guard) => live.and_then(|live| live.policy.clone()).unwrap_or_default(),
        Some(live::Source::Other(owner)) => owner.clone(),
    };
    work.say(leaf, before, after.as_str(), Direction::Neutral);
    live.is_some() && !changed_text
}

/// What the call is sent: what is declared, and everything else as it is live, because the call replaces it all.
fn put(name: &str, spec: &RuleSpec, live: Option<&Rule>) -> Put {
    let empty = live::Scope::default();
    let mut parameters: BTreeMap<String, Value> =
        live.map(|live| live.parameters.clone()).unwrap_or_default();
    parameters.extend(spec.parameters().map(|(name, value)| (name.to_owned(), value.into())));
    let source = match (spec.source(), live.map(|live| &live.source)) {
        (Some(Source::Managed(id)), _) => Sent::Managed(id),
        (Some(Source::Lambda(function)), _) => Sent::Lambda(function),
        (Some(Source::Guard(text)), _) => Sent::Guard(text),
        (None, _) => Sent::AsItIs,
    };
    let custom = !matches!(
        (&source, live.map(|live| &live.source)),
        (Sent::Managed(_), _) | (Sent::AsItIs, Some(live::Source::Managed(_)))
    );
    let description = spec.description.clone().or_else(|| live.map(|live| live.description.clone()));
    Put {
        name: name.to_owned(),
        source,
        description: description.filter(|text| !text.is_empty()),
        parameters,
        scope: scope(spec, live.map_or(&empty, |live| &live.scope)),
        frequency: spec
            .frequency
            .map(|one| one.word().to_owned())
            .or_else(|| live.and_then(|live| live.frequency.clone())),
        triggers: if custom { triggers(spec, live) } else { BTreeSet::new() },
        modes: live.map(|live| live.modes.clone()).unwrap_or_default(),
        debug_logs: spec.debug_logs.unwrap_or_else(|| live.is_some_and(|live| live.debug_logs)),
    }
}

/// What is live and not declared, and is sent along.
fn carried(spec: &RuleSpec, live: &Rule) -> Option<String> {
    let declared: BTreeSet<&str> = spec.parameters().map(|(name, _)| name).collect();
    let mut all: Vec<String> = live
        .parameters
        .iter()
        .filter(|(name, _)| !declared.contains(name.as_str()))
        .map(|(name, value)| format!("parameter {name} {}", text(value)))
        .collect();
    let scope = &live.scope;
    if spec.scope.types.is_none() && !scope.types.is_empty() {
        all.push(format!("types {}", scope.types.iter().cloned().collect::<Vec<_>>().join(", ")));
    }
    for (word, declared, live) in [
        ("resource", &spec.scope.resource, &scope.resource),
        ("tag", &spec.scope.tag_key, &scope.tag_key),
        ("tag value", &spec.scope.tag_value, &scope.tag_value),
    ] {
        if let (None, Some(live)) = (declared, live) {
            all.push(format!("{word} {live}"));
        }
    }
    if let (None, Some(live)) = (spec.frequency, &live.frequency) {
        all.push(format!("frequency {live}"));
    }
    (!all.is_empty()).then(|| format!("{}: not declared, but the call replaces all", all.join("; ")))
}
