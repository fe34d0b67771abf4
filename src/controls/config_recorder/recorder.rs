//! The recorder, declared beside live: which types, how often, with which role.

use std::collections::BTreeMap;

use serde_json::Value;

use super::live::{Recorder, Types};
use super::spec::{Frequency, GlobalTypes, NONE, RecorderSpec, records_iam};
use super::write::{Settings, Write};
use crate::control::{Change, Direction, Facts, Field, Risk, Verdict};
use crate::pointer;

/// What everybody's tools call a recorder that nobody named.
const NAME: &str = "default";

/// What AWS Config's own role ends in, in every partition.
const SERVICE_LINKED: &str = ":role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig";

/// Which types are recorded is half of `record: all`; that it runs is the other half, and another finding.
const TYPES: &str = "/record/types";

/// What a type is recorded at that has no override of its own.
pub const AS_THE_REST: &str = "as the rest";

pub const COST: &str = "AWS Config charges for each change that it records";

/// What stands in the way of a channel and of recording.
pub const NO_RECORDER: &str = "there is no recorder: say `record: all`, which makes one";

pub fn is_service_linked(role_arn: &str) -> bool {
    role_arn.ends_with(SERVICE_LINKED)
}

/// A key of a map as a path of the spec (RFC 6901).
pub fn path(map: &str, name: &str) -> String {
    format!("/{map}/{}", pointer::escaped(name))
}

/// What differs, and what that does.
#[derive(Default)]
struct Differences {
    fields: Vec<Field>,
    directions: Vec<Direction>,
    /// More is recorded than before.
    more: bool,
}

impl Differences {
    fn say(&mut self, path: &str, before: impl Into<Value>, after: impl Into<Value>, direction: Direction) {
        self.fields.push(Field::new(path, before, after));
        self.directions.push(direction);
    }
}

/// Where IAM's types are to be recorded, as far as this region is concerned.
fn wanted_iam(facts: &Facts, spec: &RecorderSpec, live: Option<bool>) -> bool {
    match spec.wants_global_types() {
        // Where they cannot be recorded, whatever is set says nothing.
        Some(_) if !records_iam(&facts.scope.region) => live.unwrap_or(false),
        Some(global) => global.here(facts),
        None => live.unwrap_or(false),
    }
}

/// Which types are to be recorded: what is declared, over what is live.
fn wanted_types(facts: &Facts, spec: &RecorderSpec, live: Option<&Types>) -> Types {
    match live {
        Some(live @ Types::Only(_)) if !spec.declares_types() => live.clone(),
        Some(Types::All { exclude, iam }) => {
            let exclude = spec.wants_excluded().unwrap_or_else(|| exclude.clone());
            Types::all_but(exclude, wanted_iam(facts, spec, Some(*iam)))
        }
        Some(Types::Only(_)) | None => {
            Types::all_but(spec.wants_excluded().unwrap_or_default(), wanted_iam(facts, spec, None))
        }
    }
}

/// What the call is sent: what is declared, and everything else as it is live, because the call replaces it all.
fn settings(facts: &Facts, spec: &RecorderSpec, live: Option<&Recorder>) -> Settings {
    let frequency = spec.frequency.or(live.map(|live| live.frequency)).unwrap_or(Frequency::Continuous);
    let mut overrides: BTreeMap<String, Frequency> =
        live.map(|live| live.overrides.clone()).unwrap_or_default();
    overrides.extend(spec.frequencies().map(|(name, of)| (name.to_owned(), of)));
    // There is one override for all types (API reference, RecordingMode), and two frequencies: what has the default
    // one needs none.
    let others = overrides.into_iter().filter(|(_, of)| *of != frequency).map(|(name, _)| name).collect();
    Settings {
        name: live.map_or_else(|| NAME.to_owned(), |live| live.name.clone()),
        service_linked: live.is_none() || spec.wants_service_linked(),
        types: wanted_types(facts, spec, live.map(|live| &live.types)),
        frequency,
        others,
    }
}

/// The steps. Whether the role is there is asked when the first one runs, so that a plan for many regions stays the
/// same when one of them has made it.
fn steps(settings: Settings, before: Option<&Recorder>, facts: &Facts) -> Vec<Write> {
    let takes_role =
        settings.service_linked && before.is_none_or(|before| !is_service_linked(&before.role_arn));
    let role = takes_role.then_some(Write::CreateRole);
    let tags = if before.is_none() { facts.tags.clone() } else { BTreeMap::new() };
    role.into_iter().chain([Write::PutRecorder { settings, tags }]).collect()
}

/// There is no recorder: one change makes it, and another one starts it once there is somewhere to deliver to.
pub fn absent(facts: &Facts, spec: &RecorderSpec) -> Verdict<Write> {
    let settings = settings(facts, spec, None);
    let mut fields = vec![Field::new(TYPES, Value::Null, "all")];
    let mut carries = Vec::new();
    if spec.record.is_none() {
        carries.push("record all: what is declared needs a recorder".to_owned());
    }
    if let (Some(_), Some(exclude)) = (&spec.exclude, spec.wants_excluded()) {
        fields.push(Field::new("/exclude", Value::Null, list(&exclude)));
    }
    if let (Some(_), Some(global)) = (&spec.global_types, spec.wants_global_types()) {
        fields.push(Field::new("/globalTypes", Value::Null, global.word()));
    }
    if spec.role.is_some() {
        fields.push(Field::new("/role", Value::Null, "service-linked"));
    }
    if let Some(frequency) = spec.frequency {
        fields.push(Field::new("/frequency", Value::Null, frequency.word()));
    }
    for (name, of) in spec.frequencies() {
        fields.push(Field::new(path("frequencyOf", name), Value::Null, of.word()));
    }
    Verdict::Change(Change {
        carries: (!carries.is_empty()).then(|| carries.join("; ")),
        stands_on: Some(Vec::new()),
        ..Change::create(fields, steps(settings, None, facts))
    })
}

fn list<'a>(names: impl IntoIterator<Item = &'a String>) -> Value {
    names.into_iter().map(|name| Value::from(name.as_str())).collect()
}

/// The recorder's own name, where it is not the one that everybody's tools give.
pub fn adopts(live: &Recorder) -> Option<String> {
    (live.name != NAME).then(|| format!("the recorder {}: a region has only one", live.name))
}

fn types(facts: &Facts, spec: &RecorderSpec, live: &Recorder, wanted: &Types, differs: &mut Differences) {
    if *wanted == live.types || !spec.declares_types() {
        return;
    }
    let Types::All { exclude, iam } = wanted else { return };
    let (was_excluded, had_iam) = match &live.types {
        Types::Only(types) => {
            differs.say(TYPES, some(types.len()), "all", Direction::Strengthens);
            differs.more = true;
            return;
        }
        Types::All { exclude, iam } => (exclude, *iam),
    };
    if exclude != was_excluded {
        let loses = !exclude.is_subset(was_excluded);
        let direction = if loses { Direction::Weakens } else { Direction::Strengthens };
        differs.say("/exclude", list(was_excluded), list(exclude), direction);
        differs.more |= !was_excluded.is_subset(exclude);
    }
    if *iam != had_iam {
        let here = facts.scope.region.as_str();
        let now = match (had_iam, facts.scope.region == facts.home) {
            (true, true) => "home",
            (true, false) => here,
            (false, _) => NONE,
        };
        let wants = spec.wants_global_types();
        let direction = match (iam, &wants) {
            (true, _) => Direction::Strengthens,
            (false, Some(GlobalTypes::None | GlobalTypes::Any) | None) => Direction::Weakens,
            // They are recorded where they are to be, and here as well.
            (false, Some(GlobalTypes::Home | GlobalTypes::In(_))) => Direction::Neutral,
        };
        differs.say("/globalTypes", now, wants.as_ref().map_or(NONE, GlobalTypes::word), direction);
        differs.more |= *iam;
    }
}

/// Types that stay at their frequency while the others get another one: an override of their own begins or ends by it.
fn overrides(spec: &RecorderSpec, live: &Recorder, sent: &Settings, differs: &mut Differences) {
    let ends = live.overrides.iter().filter(|(_, of)| **of == sent.frequency && live.frequency != **of);
    // One that is declared otherwise has been told.
    let ends =
        ends.filter(|(name, of)| spec.frequencies().all(|(other, want)| other != *name || want == **of));
    for (name, of) in ends {
        differs.say(&path("frequencyOf", name), of.word(), AS_THE_REST, Direction::Neutral);
    }
    for (name, want) in spec.frequencies() {
        let begins = want == live.frequency && want != sent.frequency;
        if begins && !live.overrides.contains_key(name) {
            differs.say(&path("frequencyOf", name), AS_THE_REST, want.word(), Direction::Neutral);
        }
    }
}

/// `1 type`, `12 types`.
fn some(number: usize) -> String {
    if number == 1 { "1 type".to_owned() } else { format!("{number} types") }
}

fn toward(frequency: Frequency) -> Direction {
    match frequency {
        Frequency::Continuous => Direction::Strengthens,
        Frequency::Daily => Direction::Weakens,
    }
}

/// The recorder's settings: one call writes all of them, so they are one finding.
pub fn settings_of(facts: &Facts, spec: &RecorderSpec, live: &Recorder) -> Verdict<Write> {
    let settings = settings(facts, spec, Some(live));
    let mut differs = Differences::default();
    types(facts, spec, live, &settings.types, &mut differs);
    let takes_role = spec.wants_service_linked() && !is_service_linked(&live.role_arn);
    if takes_role {
        let role = live.role_arn.rsplit(['/', ':']).next().filter(|name| !name.is_empty());
        differs.say("/role", role.unwrap_or(NONE), "service-linked", Direction::Strengthens);
    }
    if let Some(want) = spec.frequency.filter(|want| *want != live.frequency) {
        differs.say("/frequency", live.frequency.word(), want.word(), toward(want));
        differs.more |= want == Frequency::Continuous;
    }
    for (name, want) in spec.frequencies() {
        let now = live.frequency_of(name);
        if now != want {
            differs.say(&path("frequencyOf", name), now.word(), want.word(), toward(want));
            differs.more |= want == Frequency::Continuous;
        }
    }
    overrides(spec, live, &settings, &mut differs);
    if differs.fields.is_empty() {
        return Verdict::InSync;
    }
    let evidence = takes_role.then(|| {
        "it delivers as config.amazonaws.com from then on: bucket, key and topic must let that in".to_owned()
    });
    Verdict::Change(Change {
        risk: if takes_role { Risk::Disruptive } else { Risk::Safe },
        direction: Direction::of(differs.directions),
        cost: differs.more.then(|| COST.to_owned()),
        evidence,
        carries: carried(spec, live, &settings),
        adopts: adopts(live),
        // With another role the bucket must be open to the service first.
        stands_on: (!takes_role).then(Vec::new),
        ..Change::update(differs.fields, steps(settings, Some(live), facts))
    })
}

/// What is live and not declared, and is sent along.
fn carried(spec: &RecorderSpec, live: &Recorder, sent: &Settings) -> Option<String> {
    let mut carries = Vec::new();
    match &live.types {
        Types::Only(types) if !spec.declares_types() => carries.push(format!("record {}", some(types.len()))),
        Types::All { exclude, .. } if spec.wants_excluded().is_none() && !exclude.is_empty() => {
            carries.push(format!("exclude {}", exclude.iter().cloned().collect::<Vec<_>>().join(", ")));
        }
        _ => {}
    }
    if spec.frequency.is_none() && live.frequency == Frequency::Daily {
        carries.push("frequency DAILY".to_owned());
    }
    let undeclared = |name: &&String| !spec.frequencies().any(|(declared, _)| declared == name.as_str());
    let others: Vec<&str> = sent.others.iter().filter(undeclared).map(String::as_str).collect();
    if !others.is_empty() {
        let word = sent.other_frequency().word();
        carries.push(format!("frequencyOf {}: {word}", others.join(", ")));
    }
    (!carries.is_empty()).then(|| format!("{}: not declared, but the call replaces all", carries.join("; ")))
}
