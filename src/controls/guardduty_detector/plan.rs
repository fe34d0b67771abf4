//! Declared beside live.

use std::collections::BTreeMap;

use serde_json::Value;

use super::live::{Destination, Detector, Feature};
use super::spec::{DetectorSpec, Frequency, ON_BY_DEFAULT, RUNTIME, declared};
use super::write::{Place, Settings, Write};
use crate::control::{Archive, Change, Direction, Facts, Field, Known, Progress, Risk, Thing, Verdict};
use crate::fault::{Fault, FaultKind};
use crate::pointer;

/// The archive's key, by its name.
pub fn key(archive: &Archive) -> Thing {
    Thing::Key {
        account: archive.account.clone(),
        region: archive.region.clone(),
        alias: archive.key.clone(),
    }
}

/// The place in the archive that findings go to.
fn place(archive: &Archive) -> Place {
    Place { bucket: archive.bucket.clone(), folder: None, owner: archive.account.clone(), key: key(archive) }
}

fn toward(on: bool) -> Direction {
    if on { Direction::Strengthens } else { Direction::Weakens }
}

/// A key of a map as a path of the spec (RFC 6901).
fn path(map: &str, name: &str) -> String {
    format!("/{map}/{}", pointer::escaped(name))
}

/// One declared leaf that is live otherwise.
struct Difference {
    field: Field,
    direction: Direction,
    /// A policy of the organisation sets it: left alone.
    policy: bool,
}

/// `GuardDuty charges for what it reads here, S3_DATA_EVENTS and its agents`.
fn cost(starts: bool, features: &BTreeMap<String, bool>, live: Option<&Detector>) -> Option<String> {
    let was_on = |name: &str| live.and_then(|l| l.features.get(name)).is_some_and(|feature| feature.on);
    let base = starts.then_some("what it reads in this region");
    let turned_on = features.iter().filter(|(name, on)| **on && !was_on(name)).map(|(name, _)| name.as_str());
    let what: Vec<&str> = base.into_iter().chain(turned_on).collect();
    (!what.is_empty()).then(|| format!("GuardDuty charges for {}", what.join(", ")))
}

const INSTALLS: &str = "GuardDuty installs and updates its agents by itself";

/// The archive, or why there is none to deliver to.
fn archive(facts: &Facts) -> Result<&Archive, Fault> {
    facts.archive().ok_or_else(|| {
        let message = "`deliverTo: archive` needs `archive` in the Organization document";
        Fault::local(FaultKind::Invalid, "guardduty:CreatePublishingDestination", message)
    })
}

/// There is no detector: one change makes it whole. Its export is a change of its own, which stands on the archive.
pub fn absent(facts: &Facts, spec: &DetectorSpec) -> Verdict<Write> {
    if !spec.wants_detector() {
        return Verdict::InSync;
    }
    let mut fields = vec![Field::new("/enabled", Value::Null, true)];
    let mut carries = Vec::new();
    if spec.enabled.is_none() {
        carries.push("enabled true: what is declared on needs it".to_owned());
    }
    if let Some(frequency) = spec.frequency {
        fields.push(Field::new("/frequency", Value::Null, frequency.word()));
    }
    let mut features: BTreeMap<String, bool> =
        declared(&spec.features).map(|(name, on)| (name.to_owned(), on)).collect();
    fields.extend(features.iter().map(|(name, on)| Field::new(path("features", name), Value::Null, *on)));
    let agents: BTreeMap<String, bool> = spec.agents().map(|(name, on)| (name.to_owned(), on)).collect();
    fields.extend(agents.iter().map(|(name, on)| Field::new(path("runtimeAgents", name), Value::Null, *on)));

    let unasked: Vec<&str> = ON_BY_DEFAULT.into_iter().filter(|name| !features.contains_key(*name)).collect();
    if !unasked.is_empty() {
        let names = unasked.join(", ");
        carries.push(format!("{names} off: not declared, but AWS turns them on in a new detector"));
    }
    features.extend(unasked.into_iter().map(|name| (name.to_owned(), false)));
    if !agents.is_empty() && !features.contains_key(RUNTIME) {
        let on = agents.values().any(|on| *on);
        features.insert(RUNTIME.to_owned(), on);
        carries.push(format!("{RUNTIME} {on}: its agents go with it"));
    }

    let cost = cost(true, &features, None);
    let installs = agents.values().any(|on| *on);
    let settings = Settings { enabled: Some(true), frequency: spec.frequency, features, agents };
    let steps = vec![Write::CreateDetector { settings, tags: facts.tags.clone() }];
    Verdict::Change(Change {
        cost,
        evidence: installs.then(|| INSTALLS.to_owned()),
        carries: (!carries.is_empty()).then(|| carries.join("; ")),
        makes: vec![Thing::Detector {
            account: facts.scope.account.clone(),
            region: facts.scope.region.clone(),
        }],
        stands_on: Some(Vec::new()),
        ..Change::create(fields, steps)
    })
}

fn differences(spec: &DetectorSpec, live: &Detector) -> Vec<Difference> {
    let mut out = Vec::new();
    if let Some(want) = spec.enabled.filter(|want| *want != live.enabled) {
        let field = Field::new("/enabled", live.enabled, want);
        out.push(Difference { field, direction: toward(want), policy: false });
    }
    if let Some(want) = spec.frequency.filter(|want| want.word() != live.frequency) {
        let field = Field::new("/frequency", live.frequency.as_str(), want.word());
        let sooner = Frequency::of(&live.frequency).is_none_or(|live| want < live);
        out.push(Difference { field, direction: toward(sooner), policy: false });
    }
    let mut compare = |map: &str, name: &str, want: bool, live: Option<&Feature>| {
        let Some(live) = live.filter(|live| live.on != want) else { return };
        let field = Field::new(path(map, name), live.on, want);
        out.push(Difference { field, direction: toward(want), policy: live.managed_by.is_some() });
    };
    for (name, want) in declared(&spec.features) {
        compare("features", name, want, live.features.get(name));
    }
    for (name, want) in spec.agents() {
        compare("runtimeAgents", name, want, live.agents.get(name));
    }
    out
}

/// Declared on, and not among what GuardDuty lists here.
fn not_listed(spec: &DetectorSpec, live: &Detector) -> Vec<String> {
    let features = declared(&spec.features).filter(|(name, _)| !live.features.contains_key(*name));
    let agents = spec.agents().filter(|(name, _)| !live.agents.contains_key(*name));
    features.chain(agents).filter(|(_, on)| *on).map(|(name, _)| name.to_owned()).collect()
}

/// The detector itself: one call writes all of it, so it is one finding.
pub fn detector(spec: &DetectorSpec, live: &Detector) -> Verdict<Write> {
    let differing = differences(spec, live);
    let not_listed = not_listed(spec, live);
    if let (Some(administrator), false) = (&live.administrator, differing.is_empty()) {
        let differing: Vec<String> = differing
            .iter()
            .map(|d| format!("{} is {}", d.field.path.trim_start_matches('/'), d.field.before))
            .collect();
        return Verdict::Foreign {
            owner: format!("the GuardDuty administrator, account {administrator}"),
            evidence: format!("a member cannot change its detector; {}", differing.join(", ")),
        };
    }
    let (theirs, ours): (Vec<_>, Vec<_>) = differing.into_iter().partition(|difference| difference.policy);
    if ours.is_empty() {
        return match (theirs.first(), not_listed.is_empty()) {
            (Some(_), _) => Verdict::Foreign {
                owner: "a GuardDuty policy of the organisation".into(),
                evidence: theirs.iter().map(|d| d.field.path.as_str()).collect::<Vec<_>>().join(", "),
            },
            (None, false) => Verdict::NotOffered {
                source: format!("guardduty:GetDetector does not list {} here", not_listed.join(", ")),
            },
            (None, true) => Verdict::InSync,
        };
    }
    update(spec, live, ours, &not_listed)
}

fn update(
    spec: &DetectorSpec,
    live: &Detector,
    differing: Vec<Difference>,
    not_listed: &[String],
) -> Verdict<Write> {
    let differs = |path: &str| differing.iter().any(|difference| difference.field.path == path);
    let mut settings = Settings {
        enabled: spec.enabled.filter(|_| differs("/enabled")),
        frequency: spec.frequency.filter(|_| differs("/frequency")),
        features: declared(&spec.features)
            .filter(|(name, _)| differs(&path("features", name)))
            .map(|(name, on)| (name.to_owned(), on))
            .collect(),
        agents: spec
            .agents()
            .filter(|(name, _)| differs(&path("runtimeAgents", name)))
            .map(|(name, on)| (name.to_owned(), on))
            .collect(),
    };
    let mut evidence = Vec::new();
    if settings.agents.values().any(|on| *on) {
        evidence.push(INSTALLS.to_owned());
    }
    if !not_listed.is_empty() {
        evidence.push(format!("{} is not offered here", not_listed.join(", ")));
    }
    let mut carries = Vec::new();
    if !settings.agents.is_empty() {
        // An agent is written inside its feature, and the list of agents is written whole.
        let was_on = live.features.get(RUNTIME).is_some_and(|feature| feature.on);
        let needed = was_on || settings.agents.values().any(|on| *on);
        let on = *settings.features.entry(RUNTIME.to_owned()).or_insert(needed);
        if on != was_on && !differs(&path("features", RUNTIME)) {
            carries.push(format!("{RUNTIME} {on}: its agents need it"));
        }
        for (name, agent) in &live.agents {
            let declared = spec.runtime_agents.get(name).is_some_and(Option::is_some);
            if agent.on && !declared {
                carries.push(format!("{name} on: not declared, but the call takes all agents"));
            }
            settings.agents.entry(name.clone()).or_insert(agent.on);
        }
    }
    let cost = cost(settings.enabled == Some(true), &settings.features, Some(live));
    let direction = Direction::of(differing.iter().map(|difference| difference.direction));
    let fields = differing.into_iter().map(|difference| difference.field).collect();
    Verdict::Change(Change {
        direction,
        cost,
        evidence: (!evidence.is_empty()).then(|| evidence.join("; ")),
        carries: (!carries.is_empty()).then(|| carries.join("; ")),
        stands_on: Some(Vec::new()),
        ..Change::update(fields, vec![Write::UpdateDetector { settings }])
    })
}

/// The export of a detector that is not there yet: its change comes first, because both have one resource.
pub fn first_export(facts: &Facts) -> Verdict<Write> {
    match archive(facts) {
        Ok(archive) => {
            let step = Write::CreateDestination { to: place(archive), tags: facts.tags.clone() };
            Verdict::Change(Change::create(
                vec![Field::new("/deliverTo", Value::Null, "archive")],
                vec![step],
            ))
        }
        Err(fault) => Verdict::Unknown { fault },
    }
}

/// The export of findings, which members set up for themselves.
pub fn publishing(facts: &Facts, known: &Known, live: &Detector) -> Verdict<Write> {
    let call = "guardduty:ListPublishingDestinations";
    let archive = match archive(facts) {
        Ok(archive) => archive,
        Err(fault) => return Verdict::Unknown { fault },
    };
    let Some(destinations) = &live.destinations else {
        return Verdict::Unknown { fault: Fault::not_asked(call) };
    };
    if let Some(fault) = known.fault(&key(archive)) {
        return Verdict::Unknown { fault: fault.clone() };
    }
    let to_archive = destinations.iter().find(|destination| destination.bucket == archive.bucket);
    let Some(live) = to_archive.or(destinations.first()) else {
        let step = Write::CreateDestination { to: place(archive), tags: facts.tags.clone() };
        let field = Field::new("/deliverTo", "none", "archive");
        return Verdict::Change(Change::create(vec![field], vec![step]));
    };
    redirect(archive, known, live)
}

/// One destination is all that a detector has: it is turned to the archive rather than doubled.
fn redirect(archive: &Archive, known: &Known, live: &Destination) -> Verdict<Write> {
    let same_bucket = live.bucket == archive.bucket;
    let same_key = known.arn(&key(archive)) == Some(live.key_arn.as_str());
    let (before, evidence) = match (same_bucket, same_key, live.status.as_str()) {
        (true, true, "PUBLISHING") => return Verdict::InSync,
        (true, true, "PENDING_VERIFICATION") => {
            return Verdict::Progressing(Progress {
                what: "GuardDuty is checking that it can write to the archive".into(),
                look_again: 30,
                patience: 900,
            });
        }
        (true, true, "UNABLE_TO_PUBLISH_FIX_DESTINATION_PROPERTY" | "STOPPED") => (
            "archive, not publishing".to_owned(),
            Some(format!("GuardDuty says {}: it checks bucket and key again", live.status)),
        ),
        (true, true, other) => {
            let message = format!("`{other}` is not a status that this build knows");
            let call = "guardduty:DescribePublishingDestination";
            return Verdict::Unknown { fault: Fault::local(FaultKind::Invalid, call, message) };
        }
        (true, false, _) => ("archive, with another key".to_owned(), None),
        (false, ..) => (
            format!("bucket {}", live.bucket),
            Some(format!("bucket {} gets no more findings of this region", live.bucket)),
        ),
    };
    // A folder in the archive is somebody's choice that nothing here declares.
    let folder = live.folder.clone().filter(|_| same_bucket);
    let step = Write::UpdateDestination { from: live.bucket.clone(), to: Place { folder, ..place(archive) } };
    Verdict::Change(Change {
        risk: if same_bucket { Risk::Safe } else { Risk::Disruptive },
        direction: if same_bucket { Direction::Strengthens } else { Direction::Neutral },
        evidence,
        ..Change::update(vec![Field::new("/deliverTo", before, "archive")], vec![step])
    })
}
