//! Regions that are off, closed, or do not answer.

use crate::doctor::{AccountHealth, RegionState, policy_named};
use crate::fault::{Fault, FaultKind};

use super::super::super::words;
use super::roles::organization_policy;
use super::{Problem, short};

/// Regions of which the same is the matter, together.
pub(super) fn regions(account: &AccountHealth) -> Vec<Problem> {
    let mut alike: Vec<(Problem, Vec<&str>)> = Vec::new();
    for one in account.regions.iter().filter(|one| one.state != RegionState::Open) {
        let problem = of_region(&one.state);
        match alike.iter_mut().find(|(known, _)| *known == problem) {
            Some((_, regions)) => regions.push(one.region.as_str()),
            None => alike.push((problem, vec![one.region.as_str()])),
        }
    }
    let whole = |(mut problem, regions): (Problem, Vec<&str>)| {
        problem.subject = format!("{} {}", words::regions(&regions), problem.subject);
        if regions.len() > words::LISTED {
            problem.found.insert(0, ("in".to_owned(), regions.join(", ")));
        }
        let reason = match problem.lines.pop() {
            Some(reason) => reason,
            None => return problem,
        };
        problem.lines = ["regions:".to_owned(), "  except:".to_owned()].into();
        problem.lines.extend(regions.iter().map(|region| format!("    {region}: {reason}")));
        problem
    };
    alike.into_iter().map(whole).collect()
}

/// Without the regions' names; the last line is the reason that `except` would give.
fn of_region(state: &RegionState) -> Problem {
    let found = state.faults().iter().map(|fault| ("found".to_owned(), short(fault))).collect();
    let policy = state.faults().iter().find_map(|fault| policy_named(&fault.message));
    let (subject, remedy, lines) = match state {
        RegionState::Open => ("open".to_owned(), None, Vec::new()),
        RegionState::Off(_) => (
            "is not enabled for the account".to_owned(),
            Some("enable it (`aws account enable-region`), or write under `spec` of the Account:".to_owned()),
            vec!["not enabled".to_owned()],
        ),
        RegionState::Closed(_) => (
            "is closed by a policy of the organisation".to_owned(),
            Some(match policy {
                Some(policy) => {
                    format!("except the roles in {policy}, or write under `spec` of the Account:")
                }
                None => "except the roles in that policy, or write under `spec` of the Account:".to_owned(),
            }),
            vec!["closed by a policy of the organisation".to_owned()],
        ),
        RegionState::Partly(faults) => {
            let denied = faults.iter().find(|fault| fault.kind == FaultKind::DeniedByOrganization);
            let remedy = match denied {
                Some(fault) => Some(organization_policy(fault).0),
                None => faults.first().and_then(Fault::hint).map(str::to_owned),
            };
            ("answers some services only".to_owned(), remedy, Vec::new())
        }
        RegionState::Unknown(faults) => (
            "does not answer".to_owned(),
            faults.first().and_then(Fault::hint).map(str::to_owned),
            Vec::new(),
        ),
    };
    Problem { verdict: state.verdict(), subject, found, remedy, lines }
}
