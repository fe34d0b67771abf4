//! What is done about resources that do not comply, and which are left alone: declared beside live.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::limits;
use super::live::{Exception, Remediation, Resource, Rule};
use super::rule::{invalid, path, recorder};
use super::spec::{NONE, RemediationSpec, written};
use super::write::Write;
use crate::control::{Change, Direction, Exempt, Facts, Field, Risk, Thing, Verdict};
use crate::pointer;

/// The parameter that says which role a document runs with.
pub const ROLE: &str = "AutomationAssumeRole";

/// AWS's own numbers where nothing is set (API reference, RemediationConfiguration, SsmControls).
const ATTEMPTS: u32 = 5;
const RETRY_SECONDS: u32 = 60;
const CONCURRENCY: u32 = 10;
const ERRORS: u32 = 50;

/// A role of this account.
pub fn role(facts: &Facts, name: &str) -> Thing {
    Thing::Role { account: facts.scope.account.clone(), name: name.to_owned() }
}

struct Work<'a> {
    rule: &'a str,
    new: bool,
    fields: Vec<Field>,
    directions: Vec<Direction>,
}

impl Work<'_> {
    fn compare<T: PartialEq + Clone + Into<Value>>(
        &mut self,
        leaf: &str,
        want: Option<T>,
        live: &T,
        direction: impl Fn(&T) -> Direction,
    ) {
        let Some(want) = want else { return };
        if self.new || want != *live {
            let before = if self.new { Value::Null } else { live.clone().into() };
            self.directions.push(direction(&want));
            let path = path(self.rule, &format!("remediation/{leaf}"));
            self.fields.push(Field::new(path, before, want));
        }
    }
}

/// The name at the end of a role's ARN.
fn role_word(values: Option<&Vec<String>>) -> String {
    let arn = values.and_then(|values| values.first());
    arn.and_then(|arn| arn.rsplit('/').next()).map_or_else(|| NONE.to_owned(), str::to_owned)
}

/// What the call is sent: what is declared, over what is live, because it replaces everything. The role is a name
/// here, and an ARN once it is sent.
fn wanted(spec: &RemediationSpec, live: Option<&Remediation>) -> Remediation {
    let mut wanted = live.cloned().unwrap_or_default();
    if let Some(document) = &spec.document {
        wanted.document.clone_from(document);
    }
    match spec.version.as_deref() {
        None => {}
        Some(NONE) => wanted.version = None,
        Some(version) => wanted.version = Some(version.to_owned()),
    }
    wanted.automatic = spec.automatic.unwrap_or(wanted.automatic);
    wanted.attempts = spec.attempts.map(|one| one.get()).or(wanted.attempts);
    wanted.retry_seconds = spec.retry_seconds.map(|one| one.get()).or(wanted.retry_seconds);
    wanted.concurrency_percent = spec.concurrency_percent.map(|one| one.get()).or(wanted.concurrency_percent);
    wanted.error_percent = spec.error_percent.map(|one| one.get()).or(wanted.error_percent);
    wanted.parameters.extend(spec.parameters().map(|(name, values)| (name.to_owned(), values.to_vec())));
    // An ARN stays where it is: plans do not speak of it, and what is sent keeps it.
    wanted.parameters.remove(ROLE);
    wanted.created_by = None;
    wanted
}

/// Declared beside live, for a rule that is there or about to be made.
pub fn remediation(
    facts: &Facts,
    name: &str,
    live_name: &str,
    spec: &RemediationSpec,
    rule: Option<&Rule>,
    known_role: Option<&str>,
) -> Verdict<Write> {
    let live = rule.and_then(|rule| rule.remediation.as_ref());
    if let Some(service) = live.and_then(|live| live.created_by.as_ref()) {
        return Verdict::Foreign { owner: service.clone(), evidence: "the remediation belongs to it".into() };
    }
    let wanted = wanted(spec, live);
    if wanted.document.is_empty() {
        return invalid("there is no remediation: say `document`, which makes one");
    }
    let has_role = spec.role.is_some() || live.is_some_and(|live| live.parameters.contains_key(ROLE));
    if wanted.automatic && !has_role {
        return invalid("a remediation that runs by itself needs a role: say `role`");
    }
    if let Err(limit) = limits::of_remediation(&wanted) {
        return invalid(limit);
    }
    let mut work = Work { rule: name, new: live.is_none(), fields: Vec::new(), directions: Vec::new() };
    compare(spec, live, known_role, &mut work);
    if work.fields.is_empty() {
        return Verdict::InSync;
    }
    let starts = wanted.automatic && live.is_none_or(|live| !live.automatic);
    let disrupts = wanted.automatic && (starts || spec.document.is_some());
    let evidence = disrupts.then(|| {
        format!("{} changes resources that do not comply, without anybody's doing", wanted.document)
    });
    let carries = carried(spec, live);
    let step =
        Write::Remediation { rule: live_name.to_owned(), remediation: wanted, role: spec.role.clone() };
    // Without its rule there is nothing to remediate, and a new rule waits for the recorder.
    let first = rule.is_none().then(|| recorder(facts));
    let stands_on = first.into_iter().chain(spec.role.iter().map(|name| role(facts, name))).collect();
    let change = if live.is_some() {
        Change { direction: Direction::of(work.directions), ..Change::update(work.fields, vec![step]) }
    } else {
        Change::create(work.fields, vec![step])
    };
    Verdict::Change(Change {
        risk: if disrupts { Risk::Disruptive } else { Risk::Safe },
        evidence,
        carries,
        stands_on: Some(stands_on),
        ..change
    })
}

fn compare(
    spec: &RemediationSpec,
    live: Option<&Remediation>,
    known_role: Option<&str>,
    work: &mut Work<'_>,
) {
    use Direction::{Neutral, Strengthens, Weakens};
    let none = Remediation::default();
    let now = live.unwrap_or(&none);
    work.compare("document", spec.document.clone(), &now.document, |_| Neutral);
    let version = now.version.clone().unwrap_or_else(|| NONE.to_owned());
    work.compare("version", spec.version.clone(), &version, |_| Neutral);
    let toward = |on: &bool| if *on { Strengthens } else { Weakens };
    work.compare("automatic", spec.automatic, &now.automatic, toward);
    let attempts = now.attempts.unwrap_or(ATTEMPTS);
    work.compare("attempts", spec.attempts.map(|one| one.get()), &attempts, |_| Neutral);
    let seconds = now.retry_seconds.unwrap_or(RETRY_SECONDS);
    work.compare("retrySeconds", spec.retry_seconds.map(|one| one.get()), &seconds, |_| Neutral);
    let arn = now.parameters.get(ROLE);
    let same_role = arn.is_some() && arn.and_then(|values| values.first()).map(String::as_str) == known_role;
    if !(same_role && spec.role.is_some()) {
        // Of two roles of one name, the one in the wrong place is told by a word that no role has.
        let mut before = role_word(arn);
        if Some(&before) == spec.role.as_ref() && arn.is_some() {
            before = format!("another {before}");
        }
        work.compare("role", spec.role.clone(), &before, |_| Neutral);
    }
    for (name, values) in spec.parameters().filter(|(name, _)| *name != ROLE) {
        let now = now.parameters.get(name).map_or_else(|| NONE.into(), |values| written(values));
        work.compare(&format!("parameters/{}", pointer::escaped(name)), Some(written(values)), &now, |_| {
            Neutral
        });
    }
    let concurrency = now.concurrency_percent.unwrap_or(CONCURRENCY);
    let percent = spec.concurrency_percent.map(|one| one.get());
    work.compare("concurrencyPercent", percent, &concurrency, |_| Neutral);
    let errors = now.error_percent.unwrap_or(ERRORS);
    work.compare("errorPercent", spec.error_percent.map(|one| one.get()), &errors, |_| Neutral);
}

/// What is live and not declared, and is sent along. Values may hold ARNs, so only names are told.
fn carried(spec: &RemediationSpec, live: Option<&Remediation>) -> Option<String> {
    let live = live?;
    let declared: Vec<&str> = spec.parameters().map(|(name, _)| name).collect();
    let mut all: Vec<String> = live
        .parameters
        .keys()
        .filter(|name| !declared.contains(&name.as_str()) && *name != ROLE)
        .map(|name| format!("parameter {name}"))
        .collect();
    if spec.role.is_none() && live.parameters.contains_key(ROLE) {
        all.push(format!("role {}", role_word(live.parameters.get(ROLE))));
    }
    if spec.automatic.is_none() && live.automatic {
        all.push("automatic true".to_owned());
    }
    (!all.is_empty()).then(|| format!("{}: not declared, but the call replaces all", all.join("; ")))
}

/// The resources that the YAML's exceptions name under a rule: `RULE/TYPE/ID`, each spelled out.
pub fn excepted<'f>(facts: &'f Facts, control: &str, rule: &str) -> BTreeMap<Resource, &'f Exempt> {
    let mut all = BTreeMap::new();
    for exempt in facts.exempt.iter().filter(|exempt| exempt.control == control) {
        if exempt.rule.as_deref().is_some_and(|own| own != "exceptions") {
            continue;
        }
        for named in &exempt.resources {
            let mut parts = named.splitn(3, '/');
            let (Some(of), Some(kind), Some(id)) = (parts.next(), parts.next(), parts.next()) else {
                continue;
            };
            let spelled_out = !named.contains(['*', '?']) && kind.contains("::");
            if of == rule && spelled_out {
                all.insert(Resource { kind: kind.to_owned(), id: id.to_owned() }, exempt);
            }
        }
    }
    all
}

/// The first moment at which an exception does not hold any more.
fn ends(last_day: Date) -> Option<Timestamp> {
    let next = last_day.tomorrow().ok()?;
    next.to_zoned_datetime(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

/// What is written of an exception.
fn wanted_exception(exempt: &Exempt) -> Exception {
    // StringWithCharLimit1024 in the model.
    let message = format!("{}: {}", exempt.name, exempt.reason).chars().take(1024).collect();
    Exception { message, expires: ends(exempt.expires) }
}

fn exception_word(exception: Option<&Exception>) -> String {
    exception.map_or_else(
        || NONE.to_owned(),
        |exception| match exception.expires {
            Some(expires) => format!("{} (until {expires:.0})", exception.message),
            None => format!("{} (without an end)", exception.message),
        },
    )
}

/// The exceptions of one rule, each resource a field. Those that AWS takes for resources that comply are told apart:
/// it takes none.
pub fn exceptions(
    name: &str,
    live_name: &str,
    wanted: &BTreeMap<Resource, &Exempt>,
    rule: Option<&Rule>,
) -> Verdict<Write> {
    let (mut fields, mut steps, mut comply) = (Vec::new(), Vec::new(), Vec::new());
    for (resource, exempt) in wanted {
        let found = rule.and_then(|rule| rule.excepted.iter().find(|(one, _)| one == resource));
        let live = found.map(|(_, excepted)| excepted.clone()).unwrap_or_default();
        let exception = wanted_exception(exempt);
        if live.exception.as_ref() == Some(&exception) {
            continue;
        }
        if !live.non_compliant {
            comply.push(format!("{} {}", resource.kind, resource.id));
            continue;
        }
        let leaf = format!("exceptions/{}", pointer::escaped(&format!("{}/{}", resource.kind, resource.id)));
        let before = exception_word(live.exception.as_ref());
        fields.push(Field::new(path(name, &leaf), before, exception_word(Some(&exception))));
        steps.push(Write::Exception {
            rule: live_name.to_owned(),
            resource: resource.clone(),
            message: exception.message,
            expires: exception.expires,
        });
    }
    match (fields.is_empty(), comply.is_empty()) {
        (true, true) => Verdict::InSync,
        (true, false) => Verdict::NotOffered {
            source: format!(
                "AWS Config takes exceptions only for resources that do not comply: {}",
                comply.join(", ")
            ),
        },
        (false, _) => Verdict::Change(Change {
            direction: Direction::Weakens,
            evidence: Some("these resources are no longer remediated".into()),
            stands_on: Some(Vec::new()),
            ..Change::update(fields, steps)
        }),
    }
}
