//! When an account is to be looked at again, by what a look came to.

use std::time::Duration;

use jiff::Timestamp;

use super::super::condition::{AccountConditions, Failing};
use super::super::schedule::{Class, after};
use crate::apply::{ApplyReport, ChangeResult};
use crate::control::Verdict;
use crate::place::AccountId;
use crate::plan::{AccountState, Plan};

/// What had moved between two looks is looked at again after this.
const AFTER_MOVED: Duration = Duration::from_secs(300);

/// The shortest pause before something in progress is looked at again.
const SHORTEST_PAUSE: Duration = Duration::from_secs(30);

/// The account's trouble as a whole: its class, and whether there was nothing to be seen at all. What is denied or
/// wrong in single controls is told, and looked at again in its turn.
pub(super) fn trouble(plan: &Plan) -> (Option<Class>, bool) {
    match plan.accounts.first().map(|account| &account.state) {
        Some(AccountState::Unreachable { fault }) => (Some(Class::of(fault.kind)), true),
        Some(AccountState::Refused { .. }) => (Some(Class::Denied), true),
        _ => {
            let faults = plan.items.iter().filter_map(|item| match &item.finding.verdict {
                Verdict::Unknown { fault } => Some(Class::of(fault.kind)),
                _ => None,
            });
            (faults.filter(|class| !class.is_terminal()).max(), false)
        }
    }
}

pub(super) fn failing(before: Option<&Failing>, class: Class, key: &AccountId, now: Timestamp) -> Failing {
    let failures = before.map_or(0, |before| before.failures).saturating_add(1);
    Failing { class, failures, not_before: after(now, class.wait(failures, key)) }
}

/// When something of the account is to be looked at before its turn.
pub(super) fn again(
    plan: &Plan,
    report: Option<&ApplyReport>,
    conditions: &AccountConditions,
    now: Timestamp,
) -> Option<Timestamp> {
    let progressing = plan.items.iter().filter_map(|item| match &item.finding.verdict {
        Verdict::Progressing(progress) => {
            Some(after(now, Duration::from_secs(progress.look_again.into()).max(SHORTEST_PAUSE)))
        }
        _ => None,
    });
    let failed = conditions.findings.iter().filter_map(|past| past.failed.as_ref());
    // One whose time has come and that was not tried at this turn waits for the next.
    let failed = failed.filter(|failed| !failed.class.is_terminal() && failed.not_before > now);
    let failed = failed.map(|failed| failed.not_before);
    let moved = report.into_iter().flat_map(|report| &report.changes);
    let moved = moved
        .filter(|change| matches!(change.result, ChangeResult::Moved { .. }))
        .map(|_| after(now, AFTER_MOVED));
    progressing.chain(failed).chain(moved).min()
}
