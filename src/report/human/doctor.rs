//! What `baseline doctor` found: what is wrong, and what puts it right; alike accounts once.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::aws::{Identity, NotOpened};
use crate::desired::Settings;
use crate::doctor::{
    AccountHealth, Assumed, Health, Lacking, Place, PlaceKind, RegionState, RoleHealth, Verdict, Why,
    policy_named,
};
use crate::fault::{Fault, FaultKind};
use crate::plan::Exit;

use super::super::style::{Paint, Style};
use super::super::text::{Text, unbroken};
use super::super::words::{count, counted, elapsed, names};

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
/// Actions that are listed before the rest are counted.
const LISTED: usize = 12;

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
        text.verbatim(COLUMN + 2, Paint::Plain, line);
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
    let (verdict, found, remedy) = match why {
        NotOpened::Refused(why) => (Verdict::Refused, why.clone(), None),
        NotOpened::Unreachable(fault) => {
            let (found, remedy, _) = denied_role(fault, context);
            (Verdict::Unknown, found, remedy)
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
        lines: Vec::new(),
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
        for (role, flag) in [(&account.observe, " --read-only"), (&account.apply, "")] {
            all.extend(permissions(role, flag, context));
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

fn session(role: &RoleHealth, duty: &str, context: &DoctorContext<'_>) -> Option<Problem> {
    let (verdict, subject, found, remedy, lines) = match &role.assumed {
        Assumed::Yes | Assumed::NotAsked => return None,
        Assumed::Refused(why) => (
            Verdict::Refused,
            format!("{duty} role {} is not where the documents say", role.name),
            why.clone(),
            Some(
                "nothing more is asked: correct the account's id, the roles or the organisation's id"
                    .to_owned(),
            ),
            Vec::new(),
        ),
        Assumed::No(fault) => {
            let (found, remedy, lines) = denied_role(fault, context);
            let subject = format!("{duty} role {} cannot be assumed", role.name);
            (role.assumed(), subject, found, remedy, lines)
        }
    };
    Some(Problem { verdict, subject, found: vec![("found".into(), found)], remedy, lines })
}

/// A role that is not to be had: whom it has to trust, and the command that writes it.
fn denied_role(fault: &Fault, context: &DoctorContext<'_>) -> (String, Option<String>, Vec<String>) {
    let found = short(fault);
    if fault.kind == FaultKind::DeniedByOrganization {
        return (found, Some(organization_policy(fault)), Vec::new());
    }
    if fault.kind != FaultKind::Denied || fault.call != "sts:AssumeRole" {
        return (found, fault.hint().map(str::to_owned), Vec::new());
    }
    let id = context.organization.roles.as_ref().and_then(|roles| roles.external_id.as_deref());
    let with = id.map(|id| format!(" with the external id {id}")).unwrap_or_default();
    let who = context.principal.clone().unwrap_or_else(|| context.caller.arn.clone());
    let remedy = format!(
        "make the role, or let it trust {who}{with}; the caller needs sts:AssumeRole on it. This writes both roles:"
    );
    let trusted =
        context.principal.as_ref().map(|arn| format!(" --trusted-principal {arn}")).unwrap_or_default();
    (found, Some(remedy), vec![generate(context, &format!("{trusted} --format cloudformation"))])
}

fn generate(context: &DoctorContext<'_>, flags: &str) -> String {
    format!("baseline generate permissions -f {}{flags}", context.dir)
}

fn organization_policy(fault: &Fault) -> String {
    match policy_named(&fault.message) {
        Some(policy) => format!("except the role in {policy}, in the management account"),
        None => "except the role in the policy of the organisation that denies it; AWS does not name it here"
            .into(),
    }
}

fn permissions(role: &RoleHealth, flag: &str, context: &DoctorContext<'_>) -> Vec<Problem> {
    if role.assumed == Assumed::NotAsked {
        return Vec::new();
    }
    match &role.lacking {
        Err(fault) => vec![Problem {
            verdict: Verdict::Unknown,
            subject: format!("what {} is allowed is not known", role.name),
            found: vec![("found".into(), short(fault))],
            remedy: match fault.kind {
                FaultKind::Denied => Some(format!(
                    "allow iam:SimulatePrincipalPolicy to {}; it is in the policies that this writes:",
                    reader(context)
                )),
                FaultKind::NotFound => Some("name the role with its path, where it has one".into()),
                _ => fault.hint().map(str::to_owned),
            },
            lines: if fault.kind == FaultKind::Denied {
                vec![generate(context, " --read-only")]
            } else {
                Vec::new()
            },
        }],
        Ok(lacking) => lacks(role, lacking, flag, context),
    }
}

fn reader(context: &DoctorContext<'_>) -> String {
    match &context.organization.roles {
        Some(roles) => roles.observe.clone(),
        None => context.caller.principal().to_owned(),
    }
}

/// One problem for each reason.
fn lacks(role: &RoleHealth, lacking: &Lacking, flag: &str, context: &DoctorContext<'_>) -> Vec<Problem> {
    let mut by_reason: BTreeMap<&Why, Vec<_>> = BTreeMap::new();
    for (action, lack) in lacking {
        by_reason.entry(&lack.why).or_default().push((*action, lack));
    }
    let problem = |(why, actions): (&Why, Vec<(&'static str, &crate::doctor::Lack)>)| {
        let n = count(actions.len(), "permission", "permissions");
        let mut found: Vec<(String, String)> = actions
            .iter()
            .take(LISTED)
            .map(|(action, lack)| {
                let controls: Vec<&str> = lack.controls.iter().copied().collect();
                let on: Vec<&str> = lack.on.iter().map(String::as_str).collect();
                let on = if on.is_empty() { String::new() } else { format!(" (on {})", names(&on)) };
                ("lacks".to_owned(), format!("{action}{on}: {}", names(&controls)))
            })
            .collect();
        let more = actions.len().saturating_sub(LISTED);
        if more > 0 {
            found.push((String::new(), format!("and {more} more; --format json lists all")));
        }
        let (subject, remedy, lines) = match why {
            Why::NotAllowed => (
                format!("{} lacks {n}", role.name),
                "put the policies on it that this writes:".to_owned(),
                vec![generate(context, flag)],
            ),
            Why::Denied(policies) if policies.is_empty() => (
                format!("{} is denied {n} by a policy of its own", role.name),
                "take the denial out of it; IAM does not name the policy".to_owned(),
                Vec::new(),
            ),
            Why::Denied(policies) => (
                format!("{} is denied {n} by {}", role.name, names(policies)),
                "take the denial out of that policy".to_owned(),
                Vec::new(),
            ),
            Why::Boundary => (
                format!("{} is kept from {n} by its permissions boundary", role.name),
                "allow them in the boundary as well".to_owned(),
                Vec::new(),
            ),
            Why::Organization => (
                format!("{} is denied {n} by a policy of the organisation", role.name),
                "except the role there. IAM does not name the policy; in the management account this lists them:"
                    .to_owned(),
                vec![
                    "aws organizations list-policies-for-target --target-id ACCOUNT_ID \\".into(),
                    "  --filter SERVICE_CONTROL_POLICY".into(),
                ],
            ),
            Why::Depends(keys) => (
                format!("whether {} has {n} depends on {}", role.name, names(keys)),
                "look whether that condition holds for baseline".to_owned(),
                Vec::new(),
            ),
            Why::NotKnown(why) => {
                found.push(("found".into(), why.clone()));
                (format!("whether {} has {n} is not known", role.name), "run it again".to_owned(), Vec::new())
            }
        };
        Problem { verdict: why.verdict(), subject, found, remedy: Some(remedy), lines }
    };
    by_reason.into_iter().map(problem).collect()
}

/// Regions of which the same is the matter, together.
fn regions(account: &AccountHealth) -> Vec<Problem> {
    let mut alike: Vec<(Problem, Vec<&str>)> = Vec::new();
    for one in account.regions.iter().filter(|one| one.state != RegionState::Open) {
        let problem = of_region(&one.state);
        match alike.iter_mut().find(|(known, _)| *known == problem) {
            Some((_, regions)) => regions.push(one.region.as_str()),
            None => alike.push((problem, vec![one.region.as_str()])),
        }
    }
    let whole = |(mut problem, regions): (Problem, Vec<&str>)| {
        problem.subject = format!("{} {}", regions.join(", "), problem.subject);
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
        RegionState::Partly(faults) => (
            "answers some services only".to_owned(),
            faults
                .iter()
                .find(|fault| fault.kind == FaultKind::DeniedByOrganization)
                .map(organization_policy)
                .or_else(|| faults.first().and_then(Fault::hint).map(str::to_owned)),
            Vec::new(),
        ),
        RegionState::Unknown(faults) => (
            "does not answer".to_owned(),
            faults.first().and_then(Fault::hint).map(str::to_owned),
            Vec::new(),
        ),
    };
    Problem { verdict: state.verdict(), subject, found, remedy, lines }
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
