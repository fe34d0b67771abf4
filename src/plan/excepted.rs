//! What people signed for, beside the findings of a plan: which exception holds for which finding, and what is to be
//! told of each of them. The day is the one on which it was looked.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{AccountState, Outcome, PlannedAccount, Position, Raw};
use crate::control::{Finding, Sight, Verdict};
use crate::desired::{DesiredState, Exception, Subject, Validity, day};

/// An exception as it stood when the accounts were looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedException {
    /// The document's name.
    pub name: String,
    pub control: String,
    /// Absent: every rule of the control.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    pub reason: String,
    /// Who has to end it.
    pub owner: String,
    /// Who took the risk.
    pub approver: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// The last day on which it holds, in UTC.
    pub expires: Date,
    /// The day on which it was judged, in UTC.
    pub on: Date,
    pub validity: Validity,
    /// How many findings are excepted by it.
    pub findings: usize,
    /// It excepts nothing, and everything that it could be about was seen.
    pub matches_nothing: bool,
    /// Where its last day was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared: Option<Position>,
}

/// What exceptions say of a finding that is not in sync.
#[derive(Clone, Debug, Default)]
pub struct Excepted<'a> {
    /// The one that it is excepted by.
    pub by: Option<&'a Exception>,
    /// Others that hold and are about it too.
    pub also: Vec<&'a Exception>,
    /// Those about it that have ended.
    pub expired: Vec<&'a Exception>,
}

impl<'a> Excepted<'a> {
    /// Could an exception be about it at all?
    fn concerns(raw: &Raw<'_>) -> bool {
        matches!(raw.finding.verdict, Verdict::Change(_) | Verdict::Manual(_))
    }

    pub fn of(desired: &'a DesiredState, raw: &Raw<'_>) -> Self {
        if !Self::concerns(raw) {
            return Self::default();
        }
        let Some(subject) = subject(desired, raw) else { return Self::default() };
        let on = day(raw.facts.observed_at);
        let about = |one: &&Exception| one.is_about(&subject) == Some(true);
        let all = desired.exceptions.iter().filter(about);
        let (expired, mut live): (Vec<_>, Vec<_>) =
            all.partition(|one| one.validity(on) == Validity::Expired);
        live.sort_by(|one, other| other.precedence().cmp(&one.precedence()));
        let mut live = live.into_iter();
        Self { by: live.next(), also: live.collect(), expired }
    }

    /// Why it is left as it is, for people: the exception, and whichever others hold.
    pub fn note(&self) -> Option<String> {
        let note = self.by?.note();
        let also: Vec<&str> = self.also.iter().map(|one| one.name()).collect();
        Some(if also.is_empty() { note } else { format!("{note}; also excepted by {}", also.join(", ")) })
    }

    /// `legacy-images expired on 2026-11-22: no longer honoured`, unless another one holds.
    pub fn lapsed(&self) -> Option<String> {
        let last = self.expired.iter().max_by_key(|one| one.precedence()).filter(|_| self.by.is_none())?;
        Some(format!("{} expired on {}: no longer honoured", last.name(), last.expires.value))
    }
}

fn subject<'a>(desired: &'a DesiredState, raw: &'a Raw<'_>) -> Option<Subject<'a>> {
    Some(Subject {
        account: desired.account(&raw.facts.scope.account)?,
        region: &raw.facts.scope.region,
        control: raw.control.meta().id,
        rule: &raw.finding.rule,
        resource: &raw.finding.resource,
        tags: raw.tags.as_ref(),
    })
}

/// Whether an exception holds that selects by tags cannot be told where they could not be read: then it is not known
/// what is to be done, and nothing is.
pub fn with_unknown_tags<'a>(desired: &DesiredState, raw: Raw<'a>) -> Raw<'a> {
    let Some(Sight::Unseen(fault)) = raw.tags.clone().filter(|_| Excepted::concerns(&raw)) else {
        return raw;
    };
    let on = day(raw.facts.observed_at);
    let is_open = subject(desired, &raw).is_some_and(|subject| {
        let mut live = desired.exceptions.iter().filter(|one| one.validity(on) != Validity::Expired);
        let mut open = false;
        !live.any(|one| {
            let about = one.is_about(&subject);
            open |= about.is_none();
            about == Some(true)
        }) && open
    });
    if !is_open {
        return raw;
    }
    let finding = Finding { verdict: Verdict::Unknown { fault }, ..*raw.finding };
    Raw { finding: Box::new(finding), ..raw }
}

/// Each exception of the documents, the first to end first.
pub fn standings(
    desired: &DesiredState,
    accounts: &[PlannedAccount],
    at: Option<Timestamp>,
    raws: &[Raw<'_>],
    excepted: &[Excepted<'_>],
    outcomes: &[Outcome],
) -> Vec<PlannedException> {
    let Some(at) = at else { return Vec::new() };
    let on = day(at);
    let mut findings: BTreeMap<&str, usize> = BTreeMap::new();
    for outcome in outcomes {
        if let Outcome::Excepted { exception } = outcome {
            *findings.entry(exception).or_default() += 1;
        }
    }
    // Where several are about one finding, each is of use.
    let mut of_use: BTreeSet<&str> = findings.keys().copied().collect();
    of_use.extend(excepted.iter().flat_map(|one| &one.also).map(|one| one.name()));
    let mut all: Vec<PlannedException> = desired
        .exceptions
        .iter()
        .map(|one| {
            let validity = one.validity(on);
            let idle = validity != Validity::Expired && !of_use.contains(one.name());
            PlannedException {
                name: one.name().to_owned(),
                control: one.control.clone(),
                rule: one.rule.clone(),
                reason: one.reason.clone(),
                owner: one.owner.clone(),
                approver: one.approver.clone(),
                ticket: one.ticket.clone(),
                expires: one.expires.value,
                on,
                validity,
                findings: findings.get(one.name()).copied().unwrap_or_default(),
                matches_nothing: idle && was_seen(desired, accounts, one, raws),
                declared: one.declared.clone(),
            }
        })
        .collect();
    all.sort_by(|a, b| (a.expires, &a.name).cmp(&(b.expires, &b.name)));
    all
}

/// Was everything seen that an exception could be about? What AWS itself keeps exceptions of, and findings of Security
/// Hub, may be excepted without a finding of this plan.
fn was_seen(desired: &DesiredState, accounts: &[PlannedAccount], one: &Exception, raws: &[Raw<'_>]) -> bool {
    if !one.suppresses.is_empty() || one.kept_by_aws {
        return false;
    }
    let meant =
        accounts.iter().filter(|account| desired.account(&account.id).is_some_and(|it| one.means(it)));
    let mut ids = Vec::new();
    for account in meant {
        if account.state != AccountState::Reached {
            return false;
        }
        ids.push(&account.id);
    }
    !raws.iter().any(|raw| {
        matches!(raw.finding.verdict, Verdict::Unknown { .. })
            && raw.control.meta().id == one.control
            && ids.contains(&&raw.facts.scope.account)
            && one.means_region(&raw.facts.scope.region)
    })
}
