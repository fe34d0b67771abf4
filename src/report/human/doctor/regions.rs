//! Regions that are off, closed, or do not answer.

use crate::doctor::{AccountHealth, RegionState, policy_named};
use crate::fault::{Fault, FaultKind};

use super::super::super::words;
use super::roles::organization_policy;
use super::{Problem, short};

/// Regions of which the same is the matter, together.
pub(super) fn regions(account: &AccountHealth) -> Vec<Problem> {
    let mut alike: Vec<(Problem, Option<&str>, Vec<&str>)> = Vec::new();
    for one in account.regions.iter().filter(|one| one.state != RegionState::Open) {
        let problem = of_region(&one.state);
        match alike.iter_mut().find(|(known, ..)| *known == problem) {
            Some((_, _, regions)) => regions.push(one.region.as_str()),
            None => alike.push((problem, reason(&one.state), vec![one.region.as_str()])),
        }
    }
    let whole = |(mut problem, reason, regions): (Problem, Option<&str>, Vec<&str>)| {
        problem.subject = format!("{} {}", words::regions(&regions), problem.subject);
        if regions.len() > words::LISTED {
            problem.found.insert(0, ("in".to_owned(), regions.join(", ")));
        }
        if let Some(reason) = reason {
            problem.lines = ["regions:".to_owned(), "  except:".to_owned()].into();
            problem.lines.extend(regions.iter().map(|region| format!("    {region}: {reason}")));
        }
        problem
    };
    alike.into_iter().map(whole).collect()
}

/// The reason to write under `except`, where that is a way out.
fn reason(state: &RegionState) -> Option<&'static str> {
    match state {
        RegionState::Off(_) => Some("not enabled"),
        RegionState::Closed(_) => Some("closed by a policy of the organisation"),
        RegionState::Open | RegionState::Partly(_) | RegionState::Unknown(_) => None,
    }
}

/// Without the regions' names.
fn of_region(state: &RegionState) -> Problem {
    let found = state.faults().iter().map(|fault| ("found".to_owned(), short(fault))).collect();
    let policy = state.faults().iter().find_map(|fault| policy_named(&fault.message));
    let (subject, remedy, lines) = match state {
        RegionState::Open => ("open".to_owned(), None, Vec::new()),
        RegionState::Off(_) => (
            "is not enabled for the account".to_owned(),
            Some("enable it (`aws account enable-region`), or write under `spec` of the Account:".to_owned()),
            Vec::new(),
        ),
        RegionState::Closed(_) => (
            "is closed by a policy of the organisation".to_owned(),
            Some(match policy {
                Some(policy) => {
                    format!("except the roles in {policy}, or write under `spec` of the Account:")
                }
                None => "except the roles in that policy, or write under `spec` of the Account:".to_owned(),
            }),
            Vec::new(),
        ),
        RegionState::Partly(faults) => {
            let denied = faults.iter().find(|fault| fault.kind == FaultKind::DeniedByOrganization);
            let (remedy, lines) = match denied.map(organization_policy) {
                Some((remedy, lines)) => (Some(remedy), lines),
                None => (faults.first().and_then(Fault::hint).map(str::to_owned), Vec::new()),
            };
            ("answers some services only".to_owned(), remedy, lines)
        }
        RegionState::Unknown(faults) => (
            "does not answer".to_owned(),
            faults.first().and_then(Fault::hint).map(str::to_owned),
            Vec::new(),
        ),
    };
    Problem { verdict: state.verdict(), subject, found, remedy, lines }
}
