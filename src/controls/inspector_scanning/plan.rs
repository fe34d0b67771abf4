//! Declared beside live.

use std::collections::BTreeMap;

use serde_json::Value;

use super::live::{self, Configuration, Scanning, Status};
use super::spec::{ECR, LAMBDA, LAMBDA_CODE, PullDuration, PushDuration, ScanMode, ScanningSpec};
use super::write::{UPDATE, Write};
use crate::control::{Change, Direction, Field, ManualTask, Progress, Sight, Verdict, Verified};
use crate::fault::{Fault, FaultKind};
use crate::pointer;

fn toward(on: bool) -> Direction {
    if on { Direction::Strengthens } else { Direction::Weakens }
}

fn strange(call: &str, message: String) -> Verdict<Write> {
    Verdict::Unknown { fault: Fault::local(FaultKind::Invalid, call, message) }
}

/// A type whose state is not the declared one.
struct Differing<'a> {
    name: &'a str,
    want: bool,
    live: &'a Status,
}

/// On, off, or on the way to one of them.
fn heads_for(status: &Status) -> Option<bool> {
    match status.word.as_str() {
        "ENABLED" | "ENABLING" => Some(true),
        "DISABLED" | "DISABLING" => Some(false),
        _ => None,
    }
}

fn is_settled(status: &Status) -> bool {
    ["ENABLED", "DISABLED", "SUSPENDED"].contains(&status.word.as_str())
}

/// What Inspector scans: one call writes all of it that is turned on, so it is one finding.
pub fn types(spec: &ScanningSpec, live: &Scanning) -> Verdict<Write> {
    let known = |name: &str| live.types.get(name);
    if let Some((name, _)) = spec.types().find(|(name, _)| !named(name)) {
        return strange(live::STATUS, format!("`{name}` is not a resource type that this build can see"));
    }
    let missing: Vec<&str> =
        spec.types().filter(|(name, on)| *on && known(name).is_none()).map(|(name, _)| name).collect();
    let differing: Vec<Differing<'_>> = spec
        .types()
        .filter_map(|(name, want)| known(name).map(|live| Differing { name, want, live }))
        .filter(|one| one.live.word != if one.want { "ENABLED" } else { "DISABLED" })
        .collect();
    if differing.is_empty() {
        return match missing.is_empty() {
            true => Verdict::InSync,
            false => Verdict::NotOffered {
                source: format!("inspector2:BatchGetAccountStatus does not list {} here", missing.join(", ")),
            },
        };
    }
    if let Some(verdict) = left_alone(&differing, live) {
        return verdict;
    }
    // While one is under way AWS refuses to start another.
    if let Some(one) = differing.iter().find(|one| !is_settled(one.live)) {
        return Verdict::Progressing(Progress {
            what: format!("AWS is {} the scanning of {}", one.live.word.to_lowercase(), one.name),
            look_again: 30,
            patience: 3600,
        });
    }
    change(spec, live, &differing, &missing)
}

/// The names that [`live::Scanning`] knows how to find in an answer.
fn named(name: &str) -> bool {
    ["EC2", ECR, LAMBDA, LAMBDA_CODE, "CODE_REPOSITORY"].contains(&name)
}

/// Why nothing of it is this account's to change.
fn left_alone(differing: &[Differing<'_>], live: &Scanning) -> Option<Verdict<Write>> {
    let said = || {
        let words = differing.iter().map(|one| format!("{} is {}", one.name, one.live.word));
        words.collect::<Vec<_>>().join(", ")
    };
    match &live.administrator {
        None => return Some(strange(live::ADMINISTRATOR, "it was not asked for".into())),
        Some(Sight::Unseen(fault)) => return Some(Verdict::Unknown { fault: fault.clone() }),
        Some(Sight::Seen(Some(account))) => {
            return Some(Verdict::Foreign {
                owner: format!("the Inspector administrator, account {account}"),
                evidence: format!("it decides what its members scan; {}", said()),
            });
        }
        Some(Sight::Seen(None)) => {}
    }
    let blocked = "BLOCKED_BY_ORGANIZATION_POLICY";
    if differing.iter().all(|one| one.live.error.as_deref() == Some(blocked)) {
        return Some(Verdict::Foreign {
            owner: "an Inspector policy of the organisation".into(),
            evidence: said(),
        });
    }
    let suspended = |one: &&Differing<'_>| one.live.word == "SUSPENDED";
    let one = differing.iter().find(suspended)?;
    Some(Verdict::Manual(ManualTask {
        title: "Have Amazon Inspector taken up again".into(),
        found: vec![("resourceTypes".into(), format!("{} is SUSPENDED", one.name))],
        steps: vec![
            "AWS suspends Inspector where an account is closed or isolated, and no call of the".into(),
            "account takes it up again. See the account's messages in AWS Health, or ask AWS Support.".into(),
        ],
        verified: Verified::ByObservation,
    }))
}

fn change(
    spec: &ScanningSpec,
    live: &Scanning,
    differing: &[Differing<'_>],
    missing: &[&str],
) -> Verdict<Write> {
    let of = |want: bool| -> Vec<String> {
        differing.iter().filter(|one| one.want == want).map(|one| one.name.to_owned()).collect()
    };
    let (mut on, mut off) = (of(true), of(false));
    let is_on = |name: &str| live.types.get(name).and_then(heads_for) == Some(true);
    let undeclared = |name: &str| !spec.types().any(|(declared, _)| declared == name);
    let mut carries = Vec::new();
    if on.iter().any(|name| name == LAMBDA_CODE) && undeclared(LAMBDA) && !is_on(LAMBDA) {
        on.push(LAMBDA.into());
        carries.push(format!("{LAMBDA} true: not declared, but {LAMBDA_CODE} needs it"));
    }
    if off.iter().any(|name| name == LAMBDA) && undeclared(LAMBDA_CODE) && is_on(LAMBDA_CODE) {
        off.push(LAMBDA_CODE.into());
        carries.push(format!("{LAMBDA_CODE} false: not declared, but it needs {LAMBDA}"));
    }
    let path = |name: &str| format!("/resourceTypes/{}", pointer::escaped(name));
    let fields = differing.iter().map(|one| Field::new(path(one.name), !one.want, one.want)).collect();
    let mut evidence = Vec::new();
    if on.iter().any(|name| name == ECR) {
        evidence.push("the image registry scans by ENHANCED rules from then on (`ecr.registry`)".to_owned());
    }
    if off.iter().any(|name| name == ECR) {
        evidence.push("the image registry scans by BASIC rules again (`ecr.registry`)".to_owned());
    }
    evidence.extend(differing.iter().filter_map(|one| {
        one.live.error.as_ref().map(|code| format!("Inspector says {code} of {}", one.name))
    }));
    if !missing.is_empty() {
        evidence.push(format!("{} is not offered here", missing.join(", ")));
    }
    let cost = (!on.is_empty()).then(|| {
        format!("Amazon Inspector charges for each instance, image or function of {}", on.join(", "))
    });
    let direction = Direction::of(differing.iter().map(|one| toward(one.want)));
    let mut steps = Vec::new();
    if !on.is_empty() {
        steps.push(Write::Enable { types: on });
    }
    if !off.is_empty() {
        steps.push(Write::Disable { types: off });
    }
    let joined = |all: Vec<String>| (!all.is_empty()).then(|| all.join("; "));
    Verdict::Change(Change {
        direction,
        cost,
        evidence: joined(evidence),
        carries: joined(carries),
        ..Change::update(fields, steps)
    })
}

/// The configuration that is live, or what to say instead. `on`: whether Inspector is on, or will be.
fn configuration<'a>(
    live: &'a Scanning,
    nothing: &'a Configuration,
    on: bool,
) -> Result<&'a Configuration, Box<Verdict<Write>>> {
    match &live.configuration {
        Some(Sight::Seen(Some(configuration))) => Ok(configuration),
        // It has one as soon as it is on.
        Some(Sight::Seen(None)) if on => Ok(nothing),
        Some(Sight::Seen(None)) => Err(Box::new(Verdict::NotOffered {
            source: "Inspector is off here, and has no settings then: declare `resourceTypes`".into(),
        })),
        Some(Sight::Unseen(fault)) => Err(Box::new(Verdict::Unknown { fault: fault.clone() })),
        None => Err(Box::new(strange(live::CONFIGURATION, "it was not asked for".into()))),
    }
}

fn is_to_be_on(spec: &ScanningSpec, live: &Scanning) -> bool {
    spec.types().any(|(_, on)| on) || live.types.values().any(|status| heads_for(status) == Some(true))
}

/// A member's settings are its administrator's.
fn administered(live: &Scanning, fields: &[Field]) -> Option<Verdict<Write>> {
    match &live.administrator {
        None => Some(strange(live::ADMINISTRATOR, "it was not asked for".into())),
        Some(Sight::Unseen(fault)) => Some(Verdict::Unknown { fault: fault.clone() }),
        Some(Sight::Seen(Some(account))) => Some(Verdict::Foreign {
            owner: format!("the Inspector administrator, account {account}"),
            evidence: fields
                .iter()
                .map(|f| format!("{} is {}", f.path, f.before))
                .collect::<Vec<_>>()
                .join(", "),
        }),
        Some(Sight::Seen(None)) => None,
    }
}

fn before(word: Option<&String>) -> Value {
    word.map_or(Value::Null, |word| word.as_str().into())
}

/// What a change of settings has come to.
fn on_its_way(status: Option<&str>, what: &str) -> Option<Verdict<Write>> {
    (status == Some("PENDING")).then(|| {
        Verdict::Progressing(Progress {
            what: format!("AWS is changing {what}"),
            look_again: 30,
            patience: 1800,
        })
    })
}

/// For how long images are scanned again.
pub fn rescan(spec: &ScanningSpec, live: &Scanning) -> Verdict<Write> {
    let nothing = Configuration::default();
    let now = match configuration(live, &nothing, is_to_be_on(spec, live)) {
        Ok(now) => now,
        Err(verdict) => return *verdict,
    };
    let (push, pull) = (spec.ecr.rescan_duration, spec.ecr.pull_date_rescan_duration);
    let mut fields = Vec::new();
    let mut directions = Vec::new();
    if let Some(want) = push.filter(|want| now.push.as_deref() != Some(want.word())) {
        fields.push(Field::new("/ecr/rescanDuration", before(now.push.as_ref()), want.word()));
        directions
            .push(toward(now.push.as_deref().and_then(PushDuration::of).is_none_or(|live| live < want)));
    }
    if let Some(want) = pull.filter(|want| now.pull.as_deref() != Some(want.word())) {
        fields.push(Field::new("/ecr/pullDateRescanDuration", before(now.pull.as_ref()), want.word()));
        directions
            .push(toward(now.pull.as_deref().and_then(PullDuration::of).is_none_or(|live| live < want)));
    }
    let failed = now.ecr_status.as_deref() == Some("FAILED");
    if fields.is_empty() && !failed {
        return on_its_way(now.ecr_status.as_deref(), "how long images are scanned again")
            .unwrap_or(Verdict::InSync);
    }
    if let Some(verdict) = administered(live, &fields) {
        return verdict;
    }
    if fields.is_empty() {
        let again = |path: &str, word: &str| Field::new(path, format!("{word}, failed"), word);
        fields.extend(push.map(|want| again("/ecr/rescanDuration", want.word())));
        fields.extend(pull.map(|want| again("/ecr/pullDateRescanDuration", want.word())));
    }
    // The call takes the duration from the push with the other one.
    let sent = match (push.map(PushDuration::word), now.push.as_deref()) {
        (Some(word), _) | (None, Some(word)) => word.to_owned(),
        (None, None) => {
            let message = "`ecr.rescanDuration` goes with `pullDateRescanDuration`: declare it as well";
            return strange(UPDATE.operation, message.into());
        }
    };
    let mut carries = Vec::new();
    if push.is_none() {
        carries.push(format!("rescanDuration {sent}: not declared, but the call takes both"));
    }
    if let (None, Some(word)) = (pull, &now.pull) {
        carries.push(format!("pullDateRescanDuration {word}: not declared, but the call takes both"));
    }
    let longer = directions.contains(&Direction::Strengthens);
    let step = Write::Rescan {
        push: sent,
        pull: pull.map(|want| want.word().to_owned()).or_else(|| now.pull.clone()),
        pull_mode: now.pull_mode.clone(),
    };
    Verdict::Change(Change {
        direction: Direction::of(directions),
        cost: longer.then(|| "Amazon Inspector charges each time that it scans an image again".into()),
        carries: (!carries.is_empty()).then(|| carries.join("; ")),
        evidence: failed.then(|| "AWS says that the last change of it failed".into()),
        ..Change::update(fields, vec![step])
    })
}

/// How instances are scanned.
pub fn scan_mode(spec: &ScanningSpec, want: ScanMode, live: &Scanning) -> Verdict<Write> {
    let nothing = Configuration::default();
    let now = match configuration(live, &nothing, is_to_be_on(spec, live)) {
        Ok(now) => now,
        Err(verdict) => return *verdict,
    };
    if now.scan_mode.as_deref() == Some(want.word()) {
        return on_its_way(now.ec2_status.as_deref(), "how instances are scanned").unwrap_or(Verdict::InSync);
    }
    let fields = vec![Field::new("/ec2/scanMode", before(now.scan_mode.as_ref()), want.word())];
    if let Some(verdict) = administered(live, &fields) {
        return verdict;
    }
    let hybrid = want == ScanMode::Hybrid;
    Verdict::Change(Change {
        direction: toward(hybrid),
        cost: hybrid.then(|| "Amazon Inspector charges for instances without an agent as well".into()),
        evidence: hybrid.then(|| "Inspector makes snapshots of volumes for a while, and reads them".into()),
        ..Change::update(fields, vec![Write::ScanMode { mode: want.word().into() }])
    })
}

/// The spec that says what is live.
pub fn import(live: &Scanning) -> ScanningSpec {
    let types: BTreeMap<String, Option<bool>> = live
        .types
        .iter()
        .filter(|(_, status)| is_settled(status))
        .filter_map(|(name, status)| Some((name.clone(), Some(heads_for(status)?))))
        .collect();
    let mut spec = ScanningSpec { resource_types: types, ..ScanningSpec::default() };
    if let Some(Sight::Seen(Some(now))) = &live.configuration {
        spec.ecr.rescan_duration = now.push.as_deref().and_then(PushDuration::of);
        spec.ecr.pull_date_rescan_duration = now.pull.as_deref().and_then(PullDuration::of);
        spec.ec2.scan_mode = now.scan_mode.as_deref().and_then(ScanMode::of);
    }
    spec
}
