//! Declared beside live.

use std::collections::BTreeMap;

use serde_json::Value;

use super::live::{self, Live, Observed, POLICY, Role};
use super::spec::{Accounts, AggregatorSpec, Regions};
use super::write::{PUT, Source, Write};
use crate::control::{Change, Direction, Facts, Field, ManualTask, Risk, Verdict, Verified};
use crate::fault::{Fault, FaultKind};

fn invalid(message: impl Into<String>) -> Verdict<Write> {
    Verdict::Unknown { fault: Fault::local(FaultKind::Invalid, PUT.operation, message) }
}

/// The role that AWS Config reads the list of accounts with.
pub fn role(facts: &Facts, spec: &AggregatorSpec, live: Option<&Role>) -> Verdict<Write> {
    let name = spec.role().to_owned();
    let attach = Write::AttachPolicy { role: name.clone() };
    let (before, steps, create) = match live {
        Some(role) if role.trusts && role.has_policy => return Verdict::InSync,
        Some(role) if !role.trusts => {
            return Verdict::Manual(ManualTask {
                title: format!("role {name} is somebody else's and does not trust AWS Config"),
                found: vec![("role".into(), name)],
                steps: vec![
                    "Name another role under `role`, or let config.amazonaws.com take".into(),
                    "this one (sts:AssumeRole).".into(),
                ],
                verified: Verified::ByObservation,
            });
        }
        Some(_) => (Value::from("none"), vec![attach], false),
        None => {
            let make = Write::CreateRole { role: name.clone(), tags: facts.tags.clone() };
            (Value::Null, vec![make, attach], true)
        }
    };
    // Which role the aggregator has is another finding.
    let fields = vec![Field::new("/role/policy", before, POLICY)];
    let change = if create { Change::create(fields, steps) } else { Change::update(fields, steps) };
    Verdict::Change(Change { stands_on: Some(Vec::new()), ..change })
}

/// The aggregator of the declared name, or the only one that takes in the organisation.
fn find<'a>(spec: &AggregatorSpec, observed: &'a Observed) -> Option<&'a Live> {
    let all = &observed.aggregators;
    if let Some(own) = all.iter().find(|live| live.name == spec.name()) {
        return Some(own);
    }
    let of_organization = |live: &&Live| {
        matches!(live.accounts, live::Accounts::Organization { .. })
            && live.created_by.is_none()
            && !live.filtered
    };
    let mut others = all.iter().filter(of_organization);
    let one = others.next().filter(|_| spec.takes_role())?;
    others.next().is_none().then_some(one)
}

fn role_name(arn: &str) -> String {
    arn.rsplit('/').next().unwrap_or_default().to_owned()
}

fn accounts_word(accounts: &live::Accounts) -> Value {
    match accounts {
        live::Accounts::Organization { .. } => "organization".into(),
        live::Accounts::These(ids) => ids.iter().map(String::as_str).collect(),
    }
}

fn same_accounts(want: &Accounts, live: &live::Accounts) -> bool {
    match (want, live) {
        (Accounts::Organization, live::Accounts::Organization { .. }) => true,
        (Accounts::These(want), live::Accounts::These(live)) => {
            want.len() == live.len() && want.iter().all(|id| live.contains(id.as_str()))
        }
        _ => false,
    }
}

/// Do the wanted ones take in all that the live ones do?
fn widens(want: &Value, live: &Value) -> bool {
    match (want, live) {
        (Value::Array(want), Value::Array(live)) => live.iter().all(|one| want.contains(one)),
        (Value::String(_), _) => true,
        _ => false,
    }
}

pub fn aggregator(facts: &Facts, spec: &AggregatorSpec, observed: &Observed) -> Verdict<Write> {
    let live = find(spec, observed);
    if let Some(service) = live.and_then(|live| live.created_by.as_ref()) {
        return Verdict::Foreign { owner: service.clone(), evidence: "the aggregator belongs to it".into() };
    }
    let name = live.map_or_else(|| spec.name().to_owned(), |live| live.name.clone());
    let characters = name.chars().count();
    if characters > 256
        || !name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-')
        || name.is_empty()
    {
        return invalid("the name of an aggregator is 1 to 256 letters, digits, `_` and `-`");
    }
    let accounts = spec.source_accounts.clone().or_else(|| live.and_then(|live| declared(&live.accounts)));
    let Some(accounts) = accounts else {
        return invalid("there is no aggregator: say `sourceAccounts`, which makes one");
    };
    let regions =
        spec.source_regions.clone().or_else(|| live.map(|live| live.regions.clone())).unwrap_or(Regions::All);
    let mut fields = Vec::new();
    let mut directions = Vec::new();
    let mut say = |path: &str, before: Value, after: Value| {
        let wider = before.is_null() || widens(&after, &before);
        directions.push(if wider { Direction::Strengthens } else { Direction::Weakens });
        fields.push(Field::new(path, before, after));
    };
    if let Some(want) = &spec.source_accounts
        && live.is_none_or(|live| !same_accounts(want, &live.accounts))
    {
        say(
            "/sourceAccounts",
            live.map_or(Value::Null, |live| accounts_word(&live.accounts)),
            want.clone().into(),
        );
    }
    if let Some(want) = &spec.source_regions
        && live.is_none_or(|live| *want != live.regions)
    {
        say(
            "/sourceRegions",
            live.map_or(Value::Null, |live| live.regions.clone().into()),
            want.clone().into(),
        );
    }
    // A role of that name in another place is not the one whose trust and policy were looked at.
    let live_role = live.and_then(|live| match &live.accounts {
        live::Accounts::Organization { role_arn } => Some(role_arn.as_str()),
        live::Accounts::These(_) => None,
    });
    let own = observed.role.as_ref().map(|role| role.arn.as_str());
    if let (Some(arn), true, Some(_)) = (live_role, spec.takes_role(), &spec.role)
        && own != Some(arn)
    {
        let now = role_name(arn);
        let before = if now == spec.role() { format!("another {now}") } else { now };
        fields.push(Field::new("/role", before, spec.role()));
        directions.push(Direction::Neutral);
    }
    if fields.is_empty() {
        return Verdict::InSync;
    }
    let source = Source {
        name: name.clone(),
        accounts: match &accounts {
            Accounts::Organization => None,
            Accounts::These(ids) => Some(ids.clone()),
        },
        // Whose role is not declared keeps the one it has.
        role: (live_role.is_none() || spec.role.is_some()).then(|| spec.role().to_owned()),
        regions,
    };
    let tags = if live.is_none() { facts.tags.clone() } else { BTreeMap::new() };
    if tags.len() > 50 {
        return invalid(format!("it would have {} tags, and AWS Config takes 50", tags.len()));
    }
    let steps = vec![Write::Put { source, tags }];
    let reaches_all = accounts == Accounts::Organization;
    let change = match live {
        None => Change::create(fields, steps),
        Some(live) => Change {
            direction: Direction::of(directions),
            adopts: (live.name != spec.name())
                .then(|| format!("the aggregator {}, which takes in the organisation", live.name)),
            ..Change::update(fields, steps)
        },
    };
    Verdict::Change(Change {
        risk: if reaches_all { Risk::Organization } else { Risk::Safe },
        evidence: reaches_all.then(|| {
            "it shows what every account is made of, and accounts that join later as well".to_owned()
        }),
        stands_on: if reaches_all { None } else { Some(Vec::new()) },
        ..change
    })
}

fn declared(live: &live::Accounts) -> Option<Accounts> {
    match live {
        live::Accounts::Organization { .. } => Some(Accounts::Organization),
        live::Accounts::These(ids) => {
            ids.iter().map(|id| id.parse()).collect::<Result<_, String>>().ok().map(Accounts::These)
        }
    }
}

pub fn import(_: &Facts, observed: &Observed) -> Option<AggregatorSpec> {
    let live = observed.aggregators.iter().find(|live| live.created_by.is_none())?;
    let role = match &live.accounts {
        live::Accounts::Organization { role_arn } => Some(role_name(role_arn)),
        live::Accounts::These(_) => None,
    };
    Some(AggregatorSpec {
        name: Some(live.name.clone()),
        source_accounts: declared(&live.accounts),
        source_regions: Some(live.regions.clone()),
        role,
    })
}

pub fn inverse(fields: &[Field]) -> Option<AggregatorSpec> {
    let mut spec = AggregatorSpec::default();
    for field in fields.iter().filter(|field| field.before != Value::Null) {
        let before = field.before.clone();
        match field.path.as_str() {
            "/sourceAccounts" => spec.source_accounts = serde_json::from_value(before).ok(),
            "/sourceRegions" => spec.source_regions = serde_json::from_value(before).ok(),
            // With the organisation, which alone has a role.
            "/role" => {
                spec.role = before.as_str().filter(|name| !name.contains(' ')).map(str::to_owned);
                spec.source_accounts = spec.source_accounts.or(Some(Accounts::Organization));
            }
            _ => {}
        }
    }
    // A role that was made stays: there is nothing to take back, and nothing to say.
    Some(spec)
}
