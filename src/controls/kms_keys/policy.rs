//! Our part of the key policy beside what is live: services, callers, declared statements, the owner.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::plan::Declared;
use super::services::{Place, Service, Source};
use super::spec::Callers;
use super::statement::{OWNER, all_of, keeps_owner, same, texts};
use super::write::{Ours, Write};
use crate::control::{Change, Direction, Field, Risk, Verdict};
use crate::diff::policy::{by_sid, is_open};

/// KMS Developer Guide, "Quotas": the bytes of a key policy document.
pub const LONGEST: usize = 32768;

/// The policy would have this many bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong(pub usize);

/// What the policy of a new key says.
pub struct Wanted {
    pub ours: Ours,
    pub fields: Vec<Field>,
    pub evidence: Option<String>,
    pub direction: Direction,
}

/// The policy of a key that is to be made.
pub fn absent(of: &Declared<'_>) -> Result<Wanted, TooLong> {
    let mut ours = Ours { statements: of.spec.statements.clone(), ..Ours::default() };
    let mut fields = Vec::new();
    for service in of.spec.used_by.iter().flatten() {
        ours.services.insert(*service, source(of, *service, None));
    }
    if let Some(services) = &of.spec.used_by {
        fields.push(Field::new(of.path("usedBy"), Value::Null, words(services.iter().copied())));
    }
    if let Some(callers) = &of.spec.from {
        fields.push(Field::new(of.path("from"), Value::Null, callers.clone()));
    }
    for (sid, statement) in &ours.statements {
        fields.push(Field::new(of.entry("statements", sid), Value::Null, statement.clone()));
    }
    fits(&ours.within(None, &of.facts.scope))?;
    let opens = ours.statements.iter().any(|(sid, statement)| is_open(&statement.named(sid)));
    Ok(Wanted {
        evidence: (!ours.services.is_empty()).then(|| nobody_to_name(of)).flatten(),
        direction: if opens { Direction::Weakens } else { Direction::Strengthens },
        ours,
        fields,
    })
}

fn fits(policy: &Value) -> Result<(), TooLong> {
    let length = policy.to_string().len();
    if length > LONGEST { Err(TooLong(length)) } else { Ok(()) }
}

fn words(services: impl IntoIterator<Item = Service>) -> Value {
    services.into_iter().map(Service::word).collect()
}

/// For whom a service may use the key, from what is declared and what is live. A list is only added to.
fn source(of: &Declared<'_>, service: Service, live: Option<&Source>) -> Source {
    let grown = |declared: &BTreeSet<_>| {
        let live = match live {
            Some(Source::Accounts(live)) => live.clone(),
            _ => BTreeSet::new(),
        };
        Source::Accounts(declared | &live)
    };
    let own = BTreeSet::from([of.facts.scope.account.clone()]);
    let organization = of.facts.organization.as_ref().and_then(|organization| organization.id.as_ref());
    match (&of.spec.from, organization) {
        (None, _) => live.cloned().unwrap_or(Source::Accounts(own)),
        (Some(Callers::Organization), Some(id)) if service.tells_organization() => {
            Source::Organization(id.clone())
        }
        (Some(Callers::Organization), _) => grown(&own),
        (Some(Callers::Accounts(declared)), _) => grown(declared),
    }
}

/// `from: organization`, and no organisation to name.
fn nobody_to_name(of: &Declared<'_>) -> Option<String> {
    let organization = of.facts.organization.as_ref().and_then(|organization| organization.id.as_ref());
    (of.spec.from == Some(Callers::Organization) && organization.is_none())
        .then(|| "no organization id is declared: the services may use the key for this account".into())
}

/// A source in the words of `from`.
fn in_words(of: &Declared<'_>, source: &Source) -> Value {
    let organization = of.facts.organization.as_ref().and_then(|organization| organization.id.as_ref());
    match source {
        Source::Organization(id) if Some(id) == organization => Callers::Organization.into(),
        Source::Organization(id) => format!("organization {id}").into(),
        Source::Accounts(all) => Callers::Accounts(all.clone()).into(),
    }
}

/// One service whose callers differ.
struct Moved {
    from: Source,
    to: Source,
}

/// The policy finding of a key that is there.
pub fn beside(of: &Declared<'_>, live: &Value) -> Result<Verdict<Write>, TooLong> {
    let scope = &of.facts.scope;
    let at = Place::from(scope);
    let granted: BTreeMap<Service, Source> =
        Service::ALL.into_iter().filter_map(|one| Some((one, one.granted(live, &at)?))).collect();
    let services: Vec<Service> = match &of.spec.used_by {
        Some(declared) => declared.iter().copied().collect(),
        None => granted.keys().copied().collect(),
    };
    let mut ours = Ours { statements: of.spec.statements.clone(), ..Ours::default() };
    let (mut moved, mut lacking) = (Vec::new(), false);
    for service in &services {
        let live = granted.get(service);
        let to = source(of, *service, live);
        match live {
            None => lacking = true,
            Some(from) if *from != to => moved.push(Moved { from: from.clone(), to: to.clone() }),
            Some(_) => {}
        }
        ours.services.insert(*service, to);
    }
    let mut fields = Vec::new();
    let mut directions = vec![Direction::Neutral];
    if lacking {
        let there = words(services.iter().copied().filter(|service| granted.contains_key(service)));
        fields.push(Field::new(of.path("usedBy"), there, words(services.iter().copied())));
    }
    fields.extend(callers(of, &moved));
    for (sid, statement) in &of.spec.statements {
        let wanted = statement.named(sid);
        if all_of(live).into_iter().any(|one| same(one, &wanted)) {
            continue;
        }
        let before = by_sid(Some(live), sid);
        let was_deny = before.is_some_and(|before| before["Effect"] == "Deny");
        directions.push(match wanted["Effect"] == "Deny" {
            _ if is_open(&wanted) => Direction::Weakens,
            true if was_deny => Direction::Neutral,
            true => Direction::Strengthens,
            false if was_deny => Direction::Weakens,
            false => Direction::Neutral,
        });
        let before = before.map_or(Value::Null, without_sid);
        fields.push(Field::new(of.entry("statements", sid), before, statement.clone()));
    }
    let owner_is_in = keeps_owner(live, scope.region.partition(), &scope.account);
    if !owner_is_in {
        let after = json!({"Effect": "Allow", "Principal": {"AWS": &scope.account}, "Action": "kms:*",
                           "Resource": "*"});
        let before = by_sid(Some(live), OWNER).map_or(Value::Null, without_sid);
        fields.push(Field::new(of.entry("statements", OWNER), before, after));
    }
    if fields.is_empty() {
        return Ok(Verdict::InSync);
    }
    fits(&ours.within(Some(live), scope))?;
    let narrows = moved.iter().any(|moved| matches!(moved.to, Source::Accounts(_)) && !moved.grows());
    let evidence: Vec<String> = [
        lacking.then(|| nobody_to_name(of)).flatten(),
        narrows.then(|| "the services may use the key for the listed accounts only".to_owned()),
        (!owner_is_in).then(|| "IAM policies of this account can allow the use of the key again".to_owned()),
    ]
    .into_iter()
    .flatten()
    .collect();
    let step = Write::PutPolicy { alias: of.alias.into(), policy: ours.clone() };
    Ok(Verdict::Change(Change {
        risk: if narrows { Risk::Disruptive } else { Risk::Safe },
        direction: Direction::of(directions),
        evidence: (!evidence.is_empty()).then(|| evidence.join("; ")),
        carries: carried(of, live, &ours, &moved),
        ..Change::update(fields, vec![step])
    }))
}

impl Moved {
    /// Is it a list that is added to?
    fn grows(&self) -> bool {
        matches!((&self.from, &self.to), (Source::Accounts(from), Source::Accounts(to)) if from.is_subset(to))
    }
}

/// `from`, where some service serves others than declared: of several, the one that says most.
fn callers(of: &Declared<'_>, moved: &[Moved]) -> Option<Field> {
    let one = moved.iter().find(|one| !one.grows()).or(moved.first())?;
    Some(Field::new(of.path("from"), in_words(of, &one.from), in_words(of, &one.to)))
}

fn without_sid(statement: &Value) -> Value {
    let mut statement = statement.clone();
    if let Some(map) = statement.as_object_mut() {
        map.remove("Sid");
    }
    statement
}

/// What the call sends along because it replaces everything.
fn carried(of: &Declared<'_>, live: &Value, ours: &Ours, moved: &[Moved]) -> Option<String> {
    let mut carries = Vec::new();
    let written = ours.statements(&of.facts.scope);
    let is_ours = |one: &&Value| {
        super::statement::is_ours(one["Sid"].as_str().unwrap_or_default())
            || keeps_owner(
                &json!({"Statement": one}),
                of.facts.scope.region.partition(),
                &of.facts.scope.account,
            )
            || written.iter().any(|wanted| one["Sid"] == wanted["Sid"] || same(one, wanted))
    };
    match all_of(live).into_iter().filter(|one| !is_ours(one)).count() {
        0 => {}
        1 => carries.push("1 statement of others".to_owned()),
        count => carries.push(format!("{count} statements of others")),
    }
    if let Some(Callers::Accounts(declared)) = &of.spec.from {
        let kept: BTreeSet<&str> = moved
            .iter()
            .filter_map(|moved| match &moved.to {
                Source::Accounts(all) => Some(all),
                Source::Organization(_) => None,
            })
            .flatten()
            .filter(|account| !declared.contains(*account))
            .map(crate::place::AccountId::as_str)
            .collect();
        if !kept.is_empty() {
            let kept: Vec<&str> = kept.into_iter().collect();
            carries.push(format!("{} in `from`: not declared, but it is only added to", kept.join(", ")));
        }
    }
    (!carries.is_empty()).then(|| carries.join("; "))
}

/// What the policy says in the words of the spec: services, callers, other statements by `Sid`.
pub fn import(of: &Declared<'_>, live: &Value) -> super::spec::KeySpec {
    let at = Place::from(&of.facts.scope);
    let granted: BTreeMap<Service, Source> =
        Service::ALL.into_iter().filter_map(|one| Some((one, one.granted(live, &at)?))).collect();
    let telling: Vec<&Source> = granted
        .iter()
        .filter(|(service, _)| service.tells_organization())
        .map(|(_, source)| source)
        .collect();
    let telling = if telling.is_empty() { granted.values().collect() } else { telling };
    let one = telling.first().filter(|first| telling.iter().all(|other| other == *first));
    let organization = of.facts.organization.as_ref().and_then(|organization| organization.id.as_ref());
    let callers = one.and_then(|source| match source {
        Source::Organization(id) if Some(id) == organization => Some(Callers::Organization),
        Source::Organization(_) => None,
        Source::Accounts(all) => Some(Callers::Accounts(all.clone())),
    });
    // Said only where it says it of all of them.
    let spec = super::spec::KeySpec { from: callers, ..super::spec::KeySpec::default() };
    let said = Declared { spec: &spec, ..*of };
    let holds = granted.iter().all(|(service, live)| source(&said, *service, Some(live)) == *live);
    let from = spec.from.filter(|_| holds);
    let others = all_of(live).into_iter().filter_map(|one| {
        let sid = texts(&one["Sid"]).next().filter(|sid| !super::statement::is_ours(sid))?;
        Some((sid.to_owned(), without_sid(one).try_into().ok()?))
    });
    super::spec::KeySpec {
        used_by: (!granted.is_empty()).then(|| granted.keys().copied().collect()),
        from,
        statements: others.collect(),
        ..super::spec::KeySpec::default()
    }
}
