//! What is signed for, beside what is suppressed.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::Excepted;
use super::live::{Live, Seen};
use super::write::{self, Target, Write};
use crate::control::{Change, Direction, Exempt, Facts, Field, Finding, Sight, Verdict};

const SUPPRESSED: &str = "suppressed";
const NOTED: &str = "noted";
const REOPENED: &str = "reopened";

/// One finding for each exception that suppresses, and for each whose findings are to be open again.
pub fn plan(facts: &Facts, wanted: Excepted, live: &Live) -> Vec<Finding<Write>> {
    if !live.enabled {
        let source = "Security Hub is not enabled here: `securityhub.hub` enables it".to_owned();
        return vec![Finding::new("findings", SUPPRESSED, Verdict::NotOffered { source })];
    }
    let live_exceptions: Vec<&Exempt> = match wanted {
        Excepted::Suppressed => facts.exempt.iter().filter(|one| !one.suppresses.is_empty()).collect(),
        Excepted::New => Vec::new(),
    };
    let mut suppress: BTreeMap<&str, Vec<&Seen>> = BTreeMap::new();
    let mut reopen: BTreeMap<&str, Vec<&Seen>> = BTreeMap::new();
    let mut noted: BTreeMap<&str, Vec<&Seen>> = BTreeMap::new();
    let mut opened: BTreeSet<&str> = BTreeSet::new();
    for finding in &live.findings {
        opened.extend(finding.reopened.as_deref());
        match (exception(&live_exceptions, finding), &finding.exception) {
            (Some(by), None) => suppress.entry(&by.name).or_default().push(finding),
            (None, Some(name)) => reopen.entry(name).or_default().push(finding),
            (Some(by), Some(_)) => noted.entry(&by.name).or_default().push(finding),
            (None, None) => {}
        }
    }
    let mut findings: Vec<Finding<Write>> = live_exceptions
        .iter()
        .map(|by| {
            let open = suppress.remove(by.name.as_str()).unwrap_or_default();
            let verdict = if open.is_empty() { Verdict::InSync } else { Verdict::Change(hide(by, &open)) };
            Finding::new(&by.name, SUPPRESSED, verdict)
        })
        .collect();
    let signed = |by: &&&Exempt| noted.contains_key(by.name.as_str());
    findings.extend(live_exceptions.iter().filter(signed).map(|by| {
        let wanted = write::note(by);
        let is_old = |one: &&Seen| one.note.as_ref() != Some(&wanted);
        let old: Vec<&Seen> = noted[by.name.as_str()].iter().copied().filter(is_old).collect();
        let verdict = if old.is_empty() { Verdict::InSync } else { Verdict::Change(sign(wanted, &old)) };
        Finding::new(&by.name, NOTED, verdict)
    }));
    let done = opened.into_iter().filter(|name| !reopen.contains_key(name));
    findings.extend(done.map(|name| Finding::new(name, REOPENED, Verdict::InSync)));
    findings.extend(
        reopen
            .into_iter()
            .map(|(name, hidden)| Finding::new(name, REOPENED, Verdict::Change(open_again(name, &hidden)))),
    );
    if findings.is_empty() {
        findings.push(Finding::new("findings", SUPPRESSED, Verdict::InSync));
    }
    findings
}

/// The exception that a finding is suppressed for: of several the one that ends last, of those the first by name.
fn exception<'e>(live: &[&'e Exempt], finding: &Seen) -> Option<&'e Exempt> {
    let tags = Sight::Seen(finding.tags.clone());
    let means = |one: &&&Exempt| {
        one.suppresses.contains(&finding.control)
            && finding.names().any(|name| one.means(name, Some(&tags)) == Some(true))
    };
    live.iter().filter(means).max_by_key(|one| (one.expires, Reverse(&one.name))).copied()
}

fn targets(findings: &[&Seen]) -> Vec<Target> {
    let mut all: Vec<Target> = findings
        .iter()
        .map(|one| Target { control: one.control.clone(), resource: one.name().to_owned() })
        .collect();
    // One for each standard, where findings are not consolidated.
    all.dedup();
    all
}

fn hide(by: &Exempt, open: &[&Seen]) -> Change<Write> {
    let steps = targets(open)
        .chunks(write::AT_ONCE)
        .map(|some| Write::Suppress { note: write::note(by), findings: some.to_vec() })
        .collect();
    Change {
        direction: Direction::Weakens,
        evidence: Some(counted(open)),
        reason: Some(format!("{} (exception {}, approved by {})", by.reason, by.name, by.approver)),
        ..Change::update(vec![field(Excepted::New, Excepted::Suppressed)], steps)
    }
}

/// The note says what was signed for before: an earlier day, another ticket.
fn sign(note: String, old: &[&Seen]) -> Change<Write> {
    let before = old.first().and_then(|one| one.note.clone());
    let field = Field::new("/note", before, note.clone());
    let steps = targets(old)
        .chunks(write::AT_ONCE)
        .map(|some| Write::Note { note: note.clone(), findings: some.to_vec() })
        .collect();
    Change {
        direction: Direction::Neutral,
        evidence: Some(counted(old)),
        ..Change::update(vec![field], steps)
    }
}

fn open_again(name: &str, hidden: &[&Seen]) -> Change<Write> {
    let steps = targets(hidden)
        .chunks(write::AT_ONCE)
        .map(|some| Write::Reopen { exception: name.to_owned(), findings: some.to_vec() })
        .collect();
    Change {
        evidence: Some(format!("{}; no exception holds for them any more", counted(hidden))),
        ..Change::update(vec![field(Excepted::Suppressed, Excepted::New)], steps)
    }
}

fn field(before: Excepted, after: Excepted) -> Field {
    Field::new("/excepted", before.word(), after.word())
}

/// `3 findings: ECR.1 repository/legacy-billing, ECR.1 repository/legacy-tax and 1 more`.
fn counted(findings: &[&Seen]) -> String {
    let named: Vec<String> =
        findings.iter().take(2).map(|one| format!("{} {}", one.control, one.name())).collect();
    let s = if findings.len() == 1 { "" } else { "s" };
    let more = findings.len().saturating_sub(named.len());
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("{} finding{s}: {}{more}", findings.len(), named.join(", "))
}
