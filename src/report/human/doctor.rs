//! What `baseline doctor` found: what is wrong, and what puts it right; alike accounts once.

mod regions;
mod roles;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::aws::{Identity, NotOpened};
use crate::desired::Settings;
use crate::doctor::{AccountHealth, Assumed, Health, Place, PlaceKind, Verdict, policy_named};
use crate::fault::{Fault, FaultKind};
use crate::plan::Exit;

use super::super::style::{Paint, Style};
use super::super::text::{Text, unbroken};
use super::super::words::{counted, elapsed, names};
use regions::regions;
use roles::{denied_role, permissions, session};

/// What the text needs beside what was found.
pub struct DoctorContext<'a> {
    pub organization: &'a Settings,
    pub caller: &'a Identity,
    /// The caller's ARN as a trust policy names it, where it is a role or a user.
    pub principal: Option<String>,
    /// The folder of the documents, as a shell takes it.
    pub dir: &'a str,
    pub reads: usize,
    pub elapsed: Duration,
    pub exit: Exit,
}

/// Where text beside a label begins.
const COLUMN: usize = 17;
const INDENT: usize = 6;
/// One thing that is the matter. Accounts of which all are the same are told together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Problem {
    verdict: Verdict,
    subject: String,
    /// Label and text.
    found: Vec<(String, String)>,
    remedy: Option<String>,
    /// Lines to write or to type, as they are.
    lines: Vec<String>,
}

/// The whole text.
pub fn doctor(health: &Health, context: &DoctorContext<'_>, style: &Style) -> String {
    let mut text = Text::new(style);
    header(&mut text, health, context);
    text.gap();
    let unlisted = health.roster.as_ref().map(|why| roster(why, context));
    for problem in unlisted.iter() {
        write(&mut text, problem);
        text.gap();
    }
    for place in &health.places {
        if place.verdict == Verdict::Fine {
            text.labelled(2, Paint::Create, &format!("ok  {}", word(place.kind)), COLUMN + 5, &whole(place));
        }
    }
    text.gap();
    for place in health.places.iter().filter(|place| place.verdict != Verdict::Fine) {
        write(&mut text, &of_place(place));
        text.gap();
    }
    let mut alike: BTreeMap<Vec<Problem>, Vec<&AccountHealth>> = BTreeMap::new();
    let mut order: Vec<Vec<Problem>> = Vec::new();
    for account in &health.accounts {
        let problems = problems(account, context);
        if !problems.is_empty() {
            let accounts = alike.entry(problems.clone()).or_default();
            if accounts.is_empty() {
                order.push(problems);
            }
            accounts.push(account);
        }
    }
    for problems in &order {
        let accounts = alike.get(problems).map(Vec::as_slice).unwrap_or_default();
        text.gap();
        text.paragraph(0, Paint::Strong, &title(accounts));
        for problem in problems {
            text.gap();
            write(&mut text, problem);
        }
    }
    text.gap();
    ending(&mut text, health, context);
    text.finish()
}

fn header(text: &mut Text<'_>, health: &Health, context: &DoctorContext<'_>) {
    let organization = context.organization;
    let id = organization.id.as_ref().map(|id| format!(" ({id})")).unwrap_or_default();
    text.paragraph(0, Paint::Strong, &format!("baseline doctor · {}{id}", organization.name));
    let roles = match &organization.roles {
        Some(roles) => format!("roles {}, {}", roles.observe, roles.apply),
        None => "with the caller's own credentials".to_owned(),
    };
    let parts = [
        format!("as {} of {}", context.caller.principal(), context.caller.account),
        roles,
        counted(health.accounts.len(), "account"),
        format!("{} in {}", counted(context.reads, "read"), elapsed(context.elapsed)),
    ];
    text.paragraph(0, Paint::Dim, &parts.map(|part| unbroken(&part)).join(" · "));
}

fn title(accounts: &[&AccountHealth]) -> String {
    match accounts {
        [one] => format!("{} {}", one.name, one.id),
        many => {
            let all: Vec<&str> = many.iter().map(|account| &*account.name).collect();
            format!("{}: {}", counted(many.len(), "account"), names(&all))
        }
    }
}

fn write(text: &mut Text<'_>, problem: &Problem) {
    let (paint, sign) = match problem.verdict {
        Verdict::Unknown => (Paint::Unknown, "?"),
        _ => (Paint::Alert, "!"),
    };
    text.head(paint, sign, &problem.subject, "");
    for (label, found) in &problem.found {
        text.labelled(INDENT, Paint::Plain, label, COLUMN, found);
    }
    if let Some(remedy) = &problem.remedy {
        text.labelled(INDENT, Paint::Hint, "put right", COLUMN, remedy);
    }
    for line in &problem.lines {
        text.verbatim(INDENT + 2, Paint::Plain, line);
    }
}

fn word(kind: PlaceKind) -> &'static str {
    match kind {
        PlaceKind::Audit => "audit record",
        PlaceKind::ArchiveBucket => "archive bucket",
        PlaceKind::ArchiveKey => "archive key",
    }
}

fn whole(place: &Place) -> String {
    format!("{}: {}", place.name, place.said)
}

fn of_place(place: &Place) -> Problem {
    Problem {
        verdict: place.verdict,
        subject: match &place.account {
            Some(account) => format!("{} {} in account {account}", word(place.kind), place.name),
            None => format!("{} {}", word(place.kind), place.name),
        },
        found: vec![("found".into(), place.said.clone())],
        remedy: place.remedy.clone(),
        lines: Vec::new(),
    }
}

fn roster(why: &NotOpened, context: &DoctorContext<'_>) -> Problem {
    let (verdict, found, remedy, lines) = match why {
        NotOpened::Refused(why) => (Verdict::Refused, why.clone(), None, Vec::new()),
        NotOpened::Unreachable(fault) => {
            let (found, remedy, lines) = denied_role(fault, context);
            (Verdict::Unknown, found, remedy, lines)
        }
    };
    Problem {
        verdict,
        subject: "AWS Organizations does not list the accounts".into(),
        found: vec![
            ("found".into(), found),
            ("so".into(), "only accounts that a document names by id are examined below".into()),
        ],
        remedy,
        lines,
    }
}

/// Everything that is the matter with one account, what stands in the way of the rest first.
fn problems(account: &AccountHealth, context: &DoctorContext<'_>) -> Vec<Problem> {
    if account.not_tried.is_some() {
        return Vec::new();
    }
    let mut all = Vec::new();
    for (role, duty) in [(&account.observe, "observe"), (&account.apply, "apply")] {
        all.extend(session(role, duty, context));
    }
    // Without the role that observes nothing else could be asked, which has been said.
    if account.observe.assumed == Assumed::Yes {
        for (role, flag) in [(&account.observe, Some("--read-only")), (&account.apply, None)] {
            let problems = permissions(role, flag, context);
            // One reason why nothing is known of either role is told once.
            match all.last_mut() {
                Some(told) if is_same_silence(told, &problems) => {
                    told.subject = format!(
                        "what {} and {} are allowed is not known",
                        account.observe.name, account.apply.name
                    );
                }
                _ => all.extend(problems),
            }
        }
        all.extend(account.regions_fault.as_ref().map(|fault| Problem {
            verdict: Verdict::Unknown,
            subject: "which regions are enabled is not known".into(),
            found: vec![("found".into(), short(fault))],
            remedy: fault.hint().map(str::to_owned),
            lines: Vec::new(),
        }));
        all.extend(regions(account));
    }
    all
}

fn is_same_silence(told: &Problem, problems: &[Problem]) -> bool {
    matches!(problems, [one] if one.verdict == Verdict::Unknown
        && (&one.found, &one.lines) == (&told.found, &told.lines)
        && !one.lines.is_empty())
}

/// What a call was answered, without what differs between accounts: ARNs and request ids.
fn short(fault: &Fault) -> String {
    let because = match fault.kind {
        FaultKind::DeniedByOrganization => match policy_named(&fault.message) {
            Some(policy) => format!(", denied by {policy}"),
            None => ", denied by a policy of the organisation".to_owned(),
        },
        FaultKind::Denied | FaultKind::NotFound => String::new(),
        _ if fault.message.is_empty() => String::new(),
        _ => format!(", {}", fault.message.trim_end_matches('.')),
    };
    format!("{}: {}{because}", fault.call, fault.code)
}

fn ending(text: &mut Text<'_>, health: &Health, context: &DoctorContext<'_>) {
    let of = |verdict: Verdict| -> Vec<&str> {
        health.accounts.iter().filter(|one| one.verdict() == verdict).map(|one| &*one.name).collect()
    };
    let fine = of(Verdict::Fine);
    if !fine.is_empty() {
        let are = if fine.len() == 1 { "is" } else { "are" };
        let line = format!("{} {are} fine: {}.", counted(fine.len(), "account"), names(&fine));
        text.paragraph(0, Paint::Create, &line);
    }
    for account in &health.accounts {
        if let Some(why) = &account.not_tried {
            text.paragraph(0, Paint::Dim, &format!("{} is not looked after: {why}.", account.name));
        }
    }
    if health.accounts.iter().any(|one| one.not_tried.is_none() && one.apply.assumed == Assumed::NotAsked) {
        text.paragraph(0, Paint::Dim, "The apply role was not asked of (--read-only).");
    }
    text.paragraph(0, Paint::Dim, "Nothing has been changed.");
    let why = match context.exit {
        Exit::Refused => "an account is not the one that the documents name",
        Exit::Incomplete => "something could not be asked, and may be wrong as well",
        Exit::Differs => "something has to be put right",
        _ => {
            return text.paragraph(
                0,
                Paint::Plain,
                "Exit code 0: everything that was asked is as it has to be.",
            );
        }
    };
    text.paragraph(0, Paint::Plain, &format!("Exit code {}: {why}.", context.exit.code()));
}
