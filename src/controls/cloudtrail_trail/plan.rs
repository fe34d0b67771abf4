//! Declared beside live.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::arn::Arn;
use super::create::may_have_organization_trail;
use super::live::Trail;
use super::logs::Work;
use super::selectors::{Events, Family};
use super::spec::{Level, NONE, TrailSpec};
use super::write::{Encryption, Settings, Write};
use crate::control::{
    Archive, Change, Direction, Facts, Field, Known, ManualTask, Risk, Thing, Verdict, Verified,
};
use crate::fault::{Fault, FaultKind};

/// The archive's key, by its name.
pub fn key(archive: &Archive) -> Thing {
    Thing::Key {
        account: archive.account.clone(),
        region: archive.region.clone(),
        alias: archive.key.clone(),
    }
}

/// The archive's bucket lets CloudTrail deliver from this account.
pub fn delivery(facts: &Facts, archive: &Archive) -> Thing {
    Thing::Delivery {
        account: archive.account.clone(),
        region: archive.region.clone(),
        bucket: archive.bucket.clone(),
        service: "cloudtrail.amazonaws.com".into(),
        from: facts.scope.account.clone(),
    }
}

pub fn toward(on: bool) -> Direction {
    if on { Direction::Strengthens } else { Direction::Weakens }
}

fn invalid(message: &str) -> Fault {
    Fault::local(FaultKind::Invalid, "cloudtrail:UpdateTrail", message)
}

/// The archive, or why there is none.
pub fn archive(facts: &Facts) -> Result<&Archive, Fault> {
    facts.archive().ok_or_else(|| {
        invalid("a trail needs a bucket: `deliverTo: archive`, and `archive` in the Organization document")
    })
}

/// The declared leaves that `UpdateTrail` writes and that are live otherwise.
#[derive(Debug, Default)]
pub struct Differing {
    pub fields: Vec<Field>,
    pub settings: Settings,
    pub directions: Vec<Direction>,
    pub evidence: Vec<String>,
    pub carries: Vec<String>,
    pub stands_on: Vec<Thing>,
    disruptive: bool,
}

/// Compares, without CloudWatch Logs.
///
/// # Errors
///
/// Where the key is not known, there is no archive, or AWS would refuse what is declared.
pub fn differing(facts: &Facts, known: &Known, spec: &TrailSpec, live: &Trail) -> Result<Differing, Fault> {
    let mut out = Differing::default();
    let multi_region = spec.multi_region.unwrap_or(live.multi_region);
    if multi_region && spec.global_events == Some(false) {
        return Err(invalid(
            "`globalEvents: false` needs `multiRegion: false`: AWS refuses one without the other",
        ));
    }
    out.settings.multi_region = out.flag("/multiRegion", spec.multi_region, live.multi_region);
    out.settings.global_events = out.flag("/globalEvents", spec.global_events, live.global_events);
    if out.settings.multi_region == Some(true) && !live.global_events && spec.global_events.is_none() {
        out.settings.global_events = Some(true);
        out.carries.push("globalEvents true: a multi-region trail always has them".into());
    }
    out.settings.log_file_validation =
        out.flag("/logFileValidation", spec.log_file_validation, live.log_file_validation);
    if out.settings.log_file_validation == Some(false) {
        out.evidence.push("the chain of digest files ends after an hour".into());
    }
    if spec.organization_trail == Some(true) && !live.organization && !may_have_organization_trail(facts) {
        return Err(invalid(
            "only the management account has an organisation trail: leave `organizationTrail` out",
        ));
    }
    out.settings.organization = out.flag("/organizationTrail", spec.organization_trail, live.organization);
    if out.settings.organization == Some(false) {
        out.evidence.push("the member accounts lose their copy of the trail".into());
    }
    if spec.deliver_to.is_some() {
        let archive = archive(facts)?;
        if live.bucket != archive.bucket {
            out.fields.push(Field::new("/deliverTo", format!("bucket {}", live.bucket), "archive"));
            out.directions.push(Direction::Neutral);
            out.evidence.push(format!("bucket {} gets no more log files of this trail", live.bucket));
            out.settings.bucket = Some(archive.bucket.clone());
            out.stands_on.push(delivery(facts, archive));
            out.disruptive = true;
        }
    }
    if let Some(prefix) = &spec.prefix {
        let now = live.prefix.as_deref().unwrap_or(NONE);
        if now != prefix {
            out.fields.push(Field::new("/prefix", now, prefix.as_str()));
            out.directions.push(Direction::Neutral);
            out.settings.prefix = Some(word_or_empty(prefix));
            out.evidence.push("new log files lie in another folder".into());
        }
    }
    out.encrypt(facts, known, spec, live)?;
    if let Some(topic) = &spec.sns_topic {
        let now = match live.topic_arn.as_deref().map(Arn::of) {
            None => NONE.to_owned(),
            Some(arn) if arn.account == facts.scope.account.as_str() => arn.name().to_owned(),
            Some(arn) => format!("{} in account {}", arn.name(), arn.account),
        };
        if now != *topic {
            out.fields.push(Field::new("/snsTopic", now, topic.as_str()));
            out.directions.push(Direction::Neutral);
            out.settings.topic = Some(word_or_empty(topic));
        }
    }
    Ok(out)
}

/// What AWS takes for `none`.
fn word_or_empty(word: &str) -> String {
    if word == NONE { String::new() } else { word.to_owned() }
}

impl Differing {
    fn flag(&mut self, path: &str, wanted: Option<bool>, live: bool) -> Option<bool> {
        let wanted = wanted.filter(|wanted| *wanted != live)?;
        self.fields.push(Field::new(path, live, wanted));
        self.directions.push(toward(wanted));
        Some(wanted)
    }

    fn encrypt(&mut self, facts: &Facts, known: &Known, spec: &TrailSpec, live: &Trail) -> Result<(), Fault> {
        match spec.encrypt {
            Some(true) => {
                let key = key(archive(facts)?);
                if let Some(fault) = known.fault(&key) {
                    return Err(fault.clone());
                }
                if live.key_arn.is_some() && known.arn(&key) == live.key_arn.as_deref() {
                    return Ok(());
                }
                let now = live.key_arn.as_ref().map_or(Value::from(false), |_| "with another key".into());
                self.fields.push(Field::new("/encrypt", now, true));
                self.directions.push(Direction::Strengthens);
                self.settings.encryption = Some(Encryption::With(key.clone()));
                self.stands_on.push(key);
            }
            Some(false) if live.key_arn.is_some() => {
                self.fields.push(Field::new("/encrypt", true, false));
                self.directions.push(Direction::Weakens);
                self.settings.encryption = Some(Encryption::WithoutKey);
            }
            _ => {}
        }
        Ok(())
    }
}

impl Differing {
    /// Making a trail the organisation's, or taking it away from the members, reaches every account.
    fn risk(&self) -> Risk {
        match (self.settings.organization, self.disruptive) {
            (Some(_), _) => Risk::Organization,
            (None, true) => Risk::Disruptive,
            (None, false) => Risk::Safe,
        }
    }
}

fn joined(parts: Vec<String>) -> Option<String> {
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// The trail's own fields: one call writes all of them.
pub fn trail(facts: &Facts, known: &Known, spec: &TrailSpec, live: &Trail) -> Verdict<Write> {
    let differing = match differing(facts, known, spec, live) {
        Ok(differing) if differing.fields.is_empty() => return Verdict::InSync,
        Ok(differing) => differing,
        Err(fault) => return Verdict::Unknown { fault },
    };
    let risk = differing.risk();
    let step = Write::UpdateTrail { trail: live.name.clone(), settings: differing.settings };
    Verdict::Change(Change {
        risk,
        direction: Direction::of(differing.directions),
        evidence: joined(differing.evidence),
        carries: joined(differing.carries),
        stands_on: Some(differing.stands_on),
        ..Change::update(differing.fields, vec![step])
    })
}

/// The log group and its role, and the trail turned to them.
pub fn logs(live: &Trail, work: Work) -> Verdict<Write> {
    let (risk, mut steps) = (work.risk(), work.steps);
    steps.extend(work.settings.map(|settings| Write::UpdateTrail { trail: live.name.clone(), settings }));
    match (steps.is_empty(), work.by_hand) {
        // Nothing may be half done: what is by hand comes first.
        (_, Some(task)) => Verdict::Manual(task),
        (true, None) => Verdict::InSync,
        (false, None) => Verdict::Change(Change {
            risk,
            direction: Direction::of(work.directions),
            cost: work.cost,
            evidence: work.destroys,
            carries: work.carries,
            stands_on: Some(Vec::new()),
            ..Change::update(work.fields, steps)
        }),
    }
}

/// `CloudTrail charges for …`
fn charges(events: &Events, spec: &TrailSpec) -> Vec<String> {
    let starts = |family: &Family| {
        let (live, wanted) = (events.level(*family), family.declared(&spec.events).unwrap_or(Level::None));
        *family != Family::Management
            && ((wanted.reads() && !live.reads()) || (wanted.writes() && !live.writes()))
    };
    let data: Vec<&str> = Family::ALL.into_iter().filter(starts).map(Family::title).collect();
    if data.is_empty() { Vec::new() } else { vec![format!("CloudTrail charges for {}", data.join(", "))] }
}

/// Which events are recorded: the call replaces all selectors.
pub fn events(spec: &TrailSpec, trail: &Trail) -> Verdict<Write> {
    let Some(live) = &trail.events else { return not_asked("cloudtrail:GetEventSelectors") };
    let (mut fields, mut directions) = (Vec::new(), Vec::new());
    for family in Family::ALL {
        let Some(wanted) = family.declared(&spec.events) else { continue };
        let now = live.level(family);
        if now != wanted {
            fields.push(Field::new(family.path(), now.word(), wanted.word()));
            let loses = (now.reads() && !wanted.reads()) || (now.writes() && !wanted.writes());
            directions.push(toward(!loses));
        }
    }
    if let Some(wanted) = &spec.events.excluded_sources {
        let (now, mut wanted) = (live.excluded(), wanted.clone());
        wanted.sort();
        let recorded = spec.events.management.unwrap_or_else(|| live.level(Family::Management));
        if now != wanted && recorded != Level::None {
            directions.push(toward(wanted.iter().all(|source| now.contains(source))));
            fields.push(Field::new("/events/excludedSources", json!(now), json!(wanted)));
        }
    }
    if fields.is_empty() {
        return Verdict::InSync;
    }
    if live.with(&spec.events).is_empty() {
        return Verdict::Manual(ManualTask {
            title: format!("trail {} would record nothing, which AWS refuses", trail.name),
            found: fields.iter().map(|f| (f.path.clone(), format!("{} → {}", f.before, f.after))).collect(),
            steps: vec!["Declare `logging: false` instead, or one kind of events.".into()],
            verified: Verified::ByObservation,
        });
    }
    let mut carries = live.carried(&spec.events);
    if live.basic && !live.selectors.is_empty() {
        carries.push("its basic selectors become advanced ones, which record the same".into());
    }
    let step = Write::PutEvents { trail: trail.name.clone(), events: spec.events.clone() };
    Verdict::Change(Change {
        direction: Direction::of(directions),
        cost: joined(charges(live, spec)),
        carries: joined(carries),
        stands_on: Some(Vec::new()),
        ..Change::update(fields, vec![step])
    })
}

fn not_asked(call: &str) -> Verdict<Write> {
    Verdict::Unknown { fault: Fault::not_asked(call) }
}

fn declared_insights(spec: &TrailSpec) -> BTreeMap<String, bool> {
    spec.insights.declared().map(|(kind, on)| (kind.to_owned(), on)).collect()
}

/// Does the trail have this kind of Insights on management events?
fn has_insight(live: &Trail, kind: &str) -> bool {
    let categories = live.insights.as_ref().and_then(|insights| insights.get(kind));
    categories.is_some_and(|categories| categories.is_empty() || categories.contains("Management"))
}

const INSIGHTS_COST: &str = "CloudTrail charges for the events that Insights looks at";

/// Insights on management events: the call replaces all kinds.
pub fn insights(spec: &TrailSpec, trail: &Trail) -> Verdict<Write> {
    let Some(live) = &trail.insights else { return not_asked("cloudtrail:GetInsightSelectors") };
    let differs = |(kind, on): &(&str, bool)| has_insight(trail, kind) != *on;
    let differing: Vec<(&str, bool)> = spec.insights.declared().filter(differs).collect();
    if differing.is_empty() {
        return Verdict::InSync;
    }
    let declared = declared_insights(spec);
    let others: Vec<String> = live
        .iter()
        .filter(|(kind, categories)| !declared.contains_key(*kind) || categories.contains("Data"))
        .map(|(kind, _)| kind.clone())
        .collect();
    let starts = differing.iter().any(|(_, on)| *on);
    let step = Write::PutInsights { trail: trail.name.clone(), insights: declared };
    let fields =
        differing.iter().map(|(kind, on)| Field::new(format!("/insights/{kind}"), !on, *on)).collect();
    Verdict::Change(Change {
        direction: Direction::of(differing.iter().map(|(_, on)| toward(*on))),
        cost: starts.then(|| INSIGHTS_COST.to_owned()),
        carries: (!others.is_empty())
            .then(|| format!("{} as it is: not declared, but the call takes all", others.join(", "))),
        stands_on: Some(Vec::new()),
        ..Change::update(fields, vec![step])
    })
}

pub fn logging(wanted: bool, live: &Trail) -> Verdict<Write> {
    if live.logging == wanted {
        return Verdict::InSync;
    }
    let trail = live.name.clone();
    let step = if wanted { Write::StartLogging { trail } } else { Write::StopLogging { trail } };
    Verdict::Change(Change {
        direction: toward(wanted),
        stands_on: Some(Vec::new()),
        ..Change::update(vec![Field::new("/logging", live.logging, wanted)], vec![step])
    })
}

/// What AWS could not deliver, and what to look at.
pub fn delivers(live: &Trail) -> Verdict<Write> {
    if live.errors.is_empty() {
        return Verdict::InSync;
    }
    let look = |what: &str| match what {
        "CloudWatch Logs" => "Is the log group there, and may the role write to it?".to_owned(),
        "SNS topic" => "Does the topic's policy let cloudtrail.amazonaws.com publish?".to_owned(),
        _ => format!("Does the policy of bucket {} let CloudTrail write, and the key's?", live.bucket),
    };
    let mut steps: Vec<String> = live.errors.keys().map(|what| look(what)).collect();
    steps.dedup();
    steps.push("The error goes with the next delivery, some minutes later.".into());
    Verdict::Manual(ManualTask {
        title: format!("trail {} records, and what it records does not arrive", live.name),
        found: live.errors.iter().map(|(what, error)| (what.clone(), error.clone())).collect(),
        steps,
        verified: Verified::ByObservation,
    })
}
