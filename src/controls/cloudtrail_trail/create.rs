//! There is no trail that fits: one change makes it, or it is said why it cannot be made here.

use serde_json::{Value, json};

use super::live::{Elsewhere, Observed, Trail};
use super::logs;
use super::plan::{self, archive};
use super::selectors::{Events, Family};
use super::spec::{Level, NONE, TrailSpec};
use super::write::{Encryption, Settings, Write};
use crate::control::{
    Change, Direction, Facts, Field, Known, ManualTask, Risk, Seat, Sight, Verdict, Verified,
};
use crate::fault::{Fault, FaultKind};

/// What is to be done where no trail of this account fits.
pub fn absent(facts: &Facts, known: &Known, spec: &TrailSpec, observed: &Observed) -> Verdict<Write> {
    if !spec.wants_trail() {
        return Verdict::InSync;
    }
    if let Some(elsewhere) = &observed.elsewhere {
        return at_home_elsewhere(facts, elsewhere);
    }
    let mut lacks = None;
    if let Some(theirs) = &observed.organization {
        match lacking(facts, known, spec, theirs) {
            Ok(lacking) if lacking.is_empty() => {
                return Verdict::Foreign {
                    owner: format!("account {}", theirs.account),
                    evidence: format!("the organisation's trail {} records this account", theirs.name),
                };
            }
            Ok(lacking) => {
                lacks =
                    Some(format!("the organisation's trail {} lacks {}", theirs.name, lacking.join(", ")));
            }
            Err(fault) => return Verdict::Unknown { fault },
        }
    }
    if spec.organization_trail == Some(true) && !may_have_organization_trail(facts) {
        return made_by_management(lacks);
    }
    make(facts, spec, observed, lacks).unwrap_or_else(|fault| Verdict::Unknown { fault })
}

/// A second multi-region trail would be charged for, and a trail is only written where it is at home.
fn at_home_elsewhere(facts: &Facts, elsewhere: &Elsewhere) -> Verdict<Write> {
    let Elsewhere { name, home } = elsewhere;
    Verdict::Manual(ManualTask {
        title: format!("the multi-region trail {name} is at home in {home}, not in {}", facts.scope.region),
        found: vec![("home".into(), home.clone())],
        steps: vec![
            format!("Declare `regions.home: {home}` for this account, and this control looks"),
            "after the trail there. A second one would be charged for, and a trail is".into(),
            "only written in its own home region.".into(),
        ],
        verified: Verified::ByObservation,
    })
}

fn made_by_management(lacks: Option<String>) -> Verdict<Write> {
    let found = lacks.unwrap_or_else(|| "no trail of the organisation records this account".into());
    Verdict::Manual(ManualTask {
        title: "an organisation trail is made in the management account".into(),
        found: vec![("found".into(), found)],
        steps: vec![
            "Declare `cloudtrail.organization-trail` in the Organization document, or leave".into(),
            "it out here: this account then gets a trail of its own.".into(),
        ],
        verified: Verified::ByObservation,
    })
}

/// Only the management account and delegated administrators (API reference, CreateTrail). Where the YAML names
/// no seats, AWS has the word.
pub fn may_have_organization_trail(facts: &Facts) -> bool {
    let seats = facts.organization.as_ref().map(|organization| &organization.seats);
    seats.is_none_or(|seats| {
        !seats.contains_key(&Seat::Management)
            || [Seat::Management, Seat::Security]
                .iter()
                .any(|seat| seats.get(seat) == Some(&facts.scope.account))
    })
}

/// What is declared and the organisation's trail does not have. Where it writes to CloudWatch Logs is the
/// management account's affair.
fn lacking(facts: &Facts, known: &Known, spec: &TrailSpec, theirs: &Trail) -> Result<Vec<String>, Fault> {
    let mut paths: Vec<String> = Vec::new();
    let mut note = |fields: &[Field]| {
        paths.extend(fields.iter().map(|field| field.path.trim_start_matches('/').replace('/', ".")));
    };
    note(&plan::differing(facts, known, spec, theirs)?.fields);
    let mut verdicts = Vec::new();
    if spec.events.is_declared() {
        verdicts.push(plan::events(spec, theirs));
    }
    if spec.insights.is_declared() {
        verdicts.push(plan::insights(spec, theirs));
    }
    verdicts.extend(spec.logging.map(|wanted| plan::logging(wanted, theirs)));
    for verdict in verdicts {
        match verdict {
            Verdict::Change(change) => note(&change.fields),
            Verdict::Unknown { fault } => return Err(fault),
            _ => {}
        }
    }
    Ok(paths)
}

/// One change with all calls in order.
fn make(
    facts: &Facts,
    spec: &TrailSpec,
    observed: &Observed,
    lacks: Option<String>,
) -> Result<Verdict<Write>, Fault> {
    let archive = archive(facts)?;
    if spec.multi_region == Some(true) && spec.global_events == Some(false) {
        let message = "`globalEvents: false` needs `multiRegion: false`: AWS refuses one without the other";
        return Err(Fault::local(FaultKind::Invalid, "cloudtrail:CreateTrail", message));
    }
    let work = match &observed.logs {
        Some(Sight::Unseen(fault)) => return Err(fault.clone()),
        Some(Sight::Seen(live)) => logs::work(facts, spec, None, Some(live)),
        None => logs::work(facts, spec, None, None),
    };
    if let Some(task) = work.by_hand {
        return Ok(Verdict::Manual(task));
    }
    let mut carries = Vec::from_iter(work.carries);
    let mut stands_on = vec![plan::delivery(facts, archive)];
    let of_logs = work.settings.unwrap_or_default();
    let named = |word: &Option<String>| word.clone().filter(|word| word != NONE);
    let mut settings = Settings {
        multi_region: spec.multi_region,
        global_events: spec.global_events,
        log_file_validation: spec.log_file_validation,
        bucket: Some(archive.bucket.clone()),
        prefix: named(&spec.prefix),
        encryption: None,
        organization: spec.organization_trail,
        topic: named(&spec.sns_topic),
        group: of_logs.group,
        role: of_logs.role,
    };
    if spec.encrypt == Some(true) {
        stands_on.push(plan::key(archive));
        settings.encryption = Some(Encryption::With(plan::key(archive)));
    }
    if spec.multi_region == Some(true) && spec.global_events.is_none() {
        settings.global_events = Some(true);
        carries.push("globalEvents true: a multi-region trail always has them".into());
    }
    if spec.deliver_to.is_none() {
        carries.push("deliverTo archive: not declared, but a trail needs a bucket".into());
    }
    if spec.logging.is_none() {
        carries.push("logging true: not declared, but a trail that is made is for recording".into());
    }

    let trail = spec.name().to_owned();
    let mut costs = Vec::from_iter(work.cost);
    let mut fields = declared(spec);
    fields.extend(work.fields);
    let mut steps = work.steps;
    steps.push(Write::CreateTrail { trail: trail.clone(), settings, tags: facts.tags.clone() });
    let new = Trail {
        name: trail.clone(),
        events: Some(Events::of_a_new_trail()),
        insights: Some(Default::default()),
        ..Trail::default()
    };
    let mut rest = Vec::new();
    if spec.events.is_declared() {
        rest.push(plan::events(spec, &new));
    }
    if spec.insights.is_declared() {
        rest.push(plan::insights(spec, &new));
    }
    rest.push(plan::logging(spec.logging != Some(false), &new));
    for verdict in rest {
        match verdict {
            Verdict::Change(change) => {
                steps.extend(change.steps);
                costs.extend(change.cost);
            }
            Verdict::Manual(task) => return Ok(Verdict::Manual(task)),
            _ => {}
        }
    }
    let copies = spec.events.management.is_none_or(|level| level != Level::None);
    if copies && !observed.others.is_empty() {
        let others: Vec<&str> = observed.others.iter().map(String::as_str).collect();
        costs.push(format!(
            "CloudTrail charges for a second copy of management events: {} may have the first",
            others.join(", ")
        ));
    }
    Ok(Verdict::Change(Change {
        risk: if spec.organization_trail == Some(true) { Risk::Organization } else { Risk::Safe },
        direction: Direction::Strengthens,
        cost: (!costs.is_empty()).then(|| costs.join("; ")),
        evidence: lacks,
        carries: (!carries.is_empty()).then(|| carries.join("; ")),
        stands_on: Some(stands_on),
        ..Change::create(fields, steps)
    }))
}

/// All that is declared, apart from CloudWatch Logs, where nothing is yet.
fn declared(spec: &TrailSpec) -> Vec<Field> {
    let mut fields = Vec::new();
    let mut say = |path: &str, value: Option<Value>| {
        fields.extend(value.map(|value| Field::new(path, Value::Null, value)));
    };
    say("/multiRegion", spec.multi_region.map(Value::from));
    say("/globalEvents", spec.global_events.map(Value::from));
    say("/logFileValidation", spec.log_file_validation.map(Value::from));
    say("/deliverTo", spec.deliver_to.map(|_| "archive".into()));
    say("/prefix", spec.prefix.as_deref().map(Value::from));
    say("/encrypt", spec.encrypt.map(Value::from));
    say("/organizationTrail", spec.organization_trail.map(Value::from));
    say("/snsTopic", spec.sns_topic.as_deref().map(Value::from));
    say("/logging", spec.logging.map(Value::from));
    for family in Family::ALL {
        say(family.path(), family.declared(&spec.events).map(|level| level.word().into()));
    }
    say("/events/excludedSources", spec.events.excluded_sources.as_ref().map(|sources| json!(sources)));
    for (kind, on) in spec.insights.declared() {
        say(&format!("/insights/{kind}"), Some(on.into()));
    }
    fields
}
