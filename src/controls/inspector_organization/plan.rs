//! Declared beside live.

use std::collections::BTreeMap;

use super::live::{CONFIGURATION, Configuration, Live, MEMBERS};
use super::spec::{LAMBDA, LAMBDA_CODE, OrganizationSpec, TYPES};
use super::write::Write;
use crate::control::{Change, Direction, Facts, Field, Known, Progress, Risk, Seat, Sight, Thing, Verdict};
use crate::fault::{Fault, FaultKind};

/// That this account administers Inspector here; `None` where the documents do not say which account manages the
/// organisation.
pub fn administers(facts: &Facts) -> Option<Thing> {
    let management = facts.organization.as_ref()?.seats.get(&Seat::Management)?;
    Some(Thing::RegionalAdmin {
        account: management.clone(),
        region: facts.scope.region.clone(),
        service: "inspector2.amazonaws.com".into(),
        admin: facts.scope.account.clone(),
    })
}

/// What to say where this account is not seen to administer Inspector, unless it is about to.
fn not_yet(facts: &Facts, known: &Known, call: &str) -> Option<Verdict<Write>> {
    let Some(administers) = administers(facts) else {
        let message = "`inspector.organization` needs `seats.management` in the Organization document";
        return Some(Verdict::Unknown { fault: Fault::local(FaultKind::Invalid, call, message) });
    };
    known.fault(&administers).map(|fault| Verdict::Unknown { fault: fault.clone() })
}

pub fn auto_enable(facts: &Facts, known: &Known, spec: &OrganizationSpec, live: &Live) -> Verdict<Write> {
    let from_nothing =
        Configuration { types: TYPES.iter().map(|name| ((*name).to_owned(), false)).collect(), full: false };
    let now = match &live.configuration {
        Some(Sight::Seen(now)) => now,
        Some(Sight::Unseen(fault)) => return Verdict::Unknown { fault: fault.clone() },
        None => match not_yet(facts, known, CONFIGURATION) {
            Some(verdict) => return verdict,
            None => &from_nothing,
        },
    };
    if let Some((name, _)) = spec.types().find(|(name, _)| !TYPES.contains(name)) {
        let message = format!("`{name}` is not a resource type that this build can see");
        return Verdict::Unknown { fault: Fault::local(FaultKind::Invalid, CONFIGURATION, message) };
    }
    let missing: Vec<&str> = spec
        .types()
        .filter(|(name, on)| *on && !now.types.contains_key(*name))
        .map(|(name, _)| name)
        .collect();
    let differing: Vec<(&str, bool)> =
        spec.types().filter(|(name, want)| now.types.get(*name).is_some_and(|live| live != want)).collect();
    if differing.is_empty() {
        return match missing.is_empty() {
            true => Verdict::InSync,
            false => Verdict::NotOffered {
                source: format!("{CONFIGURATION} does not list {} here", missing.join(", ")),
            },
        };
    }
    update(spec, now, &differing, &missing)
}

fn update(
    spec: &OrganizationSpec,
    now: &Configuration,
    differing: &[(&str, bool)],
    missing: &[&str],
) -> Verdict<Write> {
    let mut types: BTreeMap<String, bool> = now.types.clone();
    types.extend(differing.iter().map(|(name, want)| ((*name).to_owned(), *want)));
    let declared = |name: &str| spec.types().any(|(declared, _)| declared == name);
    let mut carries = Vec::new();
    let is_on = |types: &BTreeMap<String, bool>, name: &str| types.get(name) == Some(&true);
    if is_on(&types, LAMBDA_CODE) && !is_on(&types, LAMBDA) {
        let (gives, on) = if declared(LAMBDA) { (LAMBDA_CODE, false) } else { (LAMBDA, true) };
        types.insert(gives.to_owned(), on);
        carries.push(format!("{gives} {on}: not declared, but {LAMBDA_CODE} needs {LAMBDA}"));
    }
    let kept = types.iter().filter(|(name, on)| **on && !declared(name) && now.types.get(*name) == Some(*on));
    carries.extend(kept.map(|(name, _)| format!("{name} true: not declared, but the call replaces all")));
    let path = |name: &str| format!("/autoEnable/{name}");
    let fields = differing.iter().map(|(name, want)| Field::new(path(name), !*want, *want)).collect();
    let on: Vec<&str> = differing.iter().filter(|(_, want)| *want).map(|(name, _)| *name).collect();
    let mut evidence = Vec::new();
    if differing.iter().any(|(_, want)| !want) {
        evidence.push("accounts that have it keep it".to_owned());
    }
    if now.full {
        evidence.push("Inspector has as many members as it takes: no other account becomes one".to_owned());
    }
    if !missing.is_empty() {
        evidence.push(format!("{} is not offered here", missing.join(", ")));
    }
    let toward = |want: bool| if want { Direction::Strengthens } else { Direction::Weakens };
    let joined = |all: Vec<String>| (!all.is_empty()).then(|| all.join("; "));
    Verdict::Change(Change {
        risk: Risk::Organization,
        direction: Direction::of(differing.iter().map(|(_, want)| toward(*want))),
        cost: (!on.is_empty())
            .then(|| format!("Amazon Inspector charges for {} in each account that joins", on.join(", "))),
        evidence: joined(evidence),
        carries: joined(carries),
        ..Change::update(fields, vec![Write::AutoEnable { types }])
    })
}

/// How it stands with an account that is listed.
enum Standing {
    Member,
    OnItsWay,
    /// AWS does not let it become one: it is suspended, or has not got the region.
    Closed,
    None,
}

fn standing(status: &str) -> Option<Standing> {
    Some(match status {
        "ENABLED" => Standing::Member,
        "CREATED" | "INVITED" | "EMAIL_VERIFICATION_IN_PROGRESS" => Standing::OnItsWay,
        "REGION_DISABLED" | "ACCOUNT_SUSPENDED" => Standing::Closed,
        "" | "DISABLED" | "REMOVED" | "RESIGNED" | "DELETED" | "EMAIL_VERIFICATION_FAILED" => Standing::None,
        _ => return None,
    })
}

pub fn members(facts: &Facts, known: &Known, live: &Live) -> Verdict<Write> {
    let listed = match (&live.configuration, &live.members) {
        (_, Some(Sight::Seen(listed))) => listed,
        (_, Some(Sight::Unseen(fault))) => return Verdict::Unknown { fault: fault.clone() },
        (Some(Sight::Unseen(fault)), None) => return Verdict::Unknown { fault: fault.clone() },
        (Some(Sight::Seen(_)), None) => {
            return Verdict::Unknown { fault: Fault::not_asked(MEMBERS) };
        }
        // Whom there will be to associate is known only to an administrator: the next plan sees it.
        (None, None) => {
            return not_yet(facts, known, MEMBERS).unwrap_or_else(|| {
                let message = "this account does not administer Inspector yet: plan again once it does";
                Verdict::Unknown { fault: Fault::local(FaultKind::NotReady, MEMBERS, message) }
            });
        }
    };
    let (mut missing, mut waiting, mut closed) = (Vec::new(), 0_usize, 0_usize);
    for (account, status) in listed {
        match standing(status) {
            Some(Standing::Member) => {}
            Some(Standing::OnItsWay) => waiting += 1,
            Some(Standing::Closed) => closed += 1,
            Some(Standing::None) => missing.push(account),
            None => {
                let message =
                    format!("`{status}` of account {account} is not a status that this build knows");
                return Verdict::Unknown { fault: Fault::local(FaultKind::Invalid, MEMBERS, message) };
            }
        }
    }
    if missing.is_empty() {
        return match waiting {
            0 => Verdict::InSync,
            count => Verdict::Progressing(Progress {
                what: format!("AWS is making {count} of {} accounts members", listed.len()),
                look_again: 30,
                patience: 1800,
            }),
        };
    }
    let steps: Result<Vec<Write>, _> =
        missing.iter().map(|account| account.parse().map(|account| Write::Associate { account })).collect();
    let Ok(steps) = steps else {
        let message = "an account id is not 12 digits";
        return Verdict::Unknown { fault: Fault::local(FaultKind::Invalid, MEMBERS, message) };
    };
    let before = format!("{} of {} accounts", listed.len() - missing.len() - closed, listed.len());
    Verdict::Change(Change {
        risk: Risk::Organization,
        cost: Some("Amazon Inspector charges for what `autoEnable` scans in each of them".into()),
        evidence: (closed > 0).then(|| format!("{closed} more are suspended or have not got this region")),
        ..Change::update(vec![Field::new("/members", before, "ALL")], steps)
    })
}

/// The spec that says what is live.
pub fn import(live: &Live) -> Option<OrganizationSpec> {
    let Some(Sight::Seen(now)) = &live.configuration else { return None };
    let all = match &live.members {
        Some(Sight::Seen(listed)) => listed
            .values()
            .all(|status| matches!(standing(status), Some(Standing::Member | Standing::Closed))),
        _ => false,
    };
    Some(OrganizationSpec {
        auto_enable: now.types.iter().map(|(name, on)| (name.clone(), Some(*on))).collect(),
        members: all.then_some(super::spec::Members::All),
    })
}
