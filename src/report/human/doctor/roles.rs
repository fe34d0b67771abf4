//! Roles that cannot be had, and permissions that they lack.

use std::collections::BTreeMap;

use crate::doctor::{Assumed, Lack, Lacking, RoleHealth, Verdict, Why, policy_named};
use crate::fault::{Fault, FaultKind};

use super::super::super::words::{count, names};
use super::{DoctorContext, Problem, short};

/// Actions that are listed before the rest are counted.
const LISTED: usize = 12;

/// A role that cannot be had, or that is not where it has to be.
pub(super) fn session(role: &RoleHealth, duty: &str, context: &DoctorContext<'_>) -> Option<Problem> {
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
            let subject = match fault.call.as_str() {
                "sts:AssumeRole" => format!("{duty} role {} cannot be assumed", role.name),
                _ => format!("{duty} role {} cannot be told to be in its account", role.name),
            };
            (role.assumed(), subject, found, remedy, lines)
        }
    };
    let absent = role.is_absent().then(|| ("so".to_owned(), "IAM has no such role there".to_owned()));
    let found = std::iter::once(("found".to_owned(), found)).chain(absent).collect();
    Some(Problem { verdict, subject, found, remedy, lines })
}

/// A role that is not to be had: whom it has to trust, and the command that writes it.
pub(super) fn denied_role(
    fault: &Fault,
    context: &DoctorContext<'_>,
) -> (String, Option<String>, Vec<String>) {
    let found = short(fault);
    if fault.kind == FaultKind::DeniedByOrganization {
        let (remedy, lines) = organization_policy(fault);
        return (found, Some(remedy), lines);
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
    let trusted = context.principal.as_ref().map(|arn| format!("--trusted-principal {arn}"));
    (
        found,
        Some(remedy),
        generate(context, trusted.as_deref().into_iter().chain(["--format cloudformation"])),
    )
}

/// The command, a flag a line: what is long is not broken where a shell would mind.
fn generate<'f>(context: &DoctorContext<'_>, flags: impl IntoIterator<Item = &'f str>) -> Vec<String> {
    let mut lines = vec!["baseline generate permissions \\".to_owned(), format!("  -f {}", context.dir)];
    for flag in flags {
        if let Some(last) = lines.last_mut() {
            last.push_str(" \\");
        }
        lines.push(format!("  {flag}"));
    }
    lines
}

/// Whom to ask for an exception, and how to find the policy where AWS does not name it.
pub(super) fn organization_policy(fault: &Fault) -> (String, Vec<String>) {
    match policy_named(&fault.message) {
        Some(policy) => (format!("except the role in {policy}, in the management account"), Vec::new()),
        None => unnamed_policy(),
    }
}

fn unnamed_policy() -> (String, Vec<String>) {
    let remedy =
        "except the role there. AWS does not name the policy; in the management account this lists them:";
    let lines = [
        "aws organizations list-policies-for-target \\",
        "  --target-id ACCOUNT_ID --filter SERVICE_CONTROL_POLICY",
    ];
    (remedy.to_owned(), lines.map(str::to_owned).to_vec())
}

/// What a role may not, of what it needs.
pub(super) fn permissions(
    role: &RoleHealth,
    flag: Option<&'static str>,
    context: &DoctorContext<'_>,
) -> Vec<Problem> {
    if role.assumed == Assumed::NotAsked {
        return Vec::new();
    }
    match &role.lacking {
        // It has been said that it is not there.
        Err(_) if role.is_absent() => Vec::new(),
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
            lines: match fault.kind {
                FaultKind::Denied => generate(context, ["--read-only"]),
                _ => Vec::new(),
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
fn lacks(
    role: &RoleHealth,
    lacking: &Lacking,
    flag: Option<&'static str>,
    context: &DoctorContext<'_>,
) -> Vec<Problem> {
    let mut by_reason: BTreeMap<&Why, Vec<_>> = BTreeMap::new();
    for (action, lack) in lacking {
        by_reason.entry(&lack.why).or_default().push((*action, lack));
    }
    let problem = |(why, actions): (&Why, Vec<(&'static str, &Lack)>)| {
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
                generate(context, flag),
            ),
            Why::Denied(policies) if policies.is_empty() => (
                format!("{} is denied {n} by a policy of its own", role.name),
                "take the denial out of it; IAM does not name the policy".to_owned(),
                Vec::new(),
            ),
            Why::Denied(policies) => {
                found.push(("by".into(), policies.join(", ")));
                let subject = format!("{} is denied {n} by a policy of its own", role.name);
                (subject, "take the denial out of it".to_owned(), Vec::new())
            }
            Why::Boundary => (
                format!("{} is kept from {n} by its permissions boundary", role.name),
                "allow them in the boundary as well".to_owned(),
                Vec::new(),
            ),
            Why::Organization => {
                let (remedy, lines) = unnamed_policy();
                let subject = format!("{} is denied {n} by a policy of the organisation", role.name);
                (subject, remedy, lines)
            }
            Why::Depends(keys) => {
                found.push(("on".into(), keys.join(", ")));
                let subject = format!("whether {} has {n} depends on a condition", role.name);
                (subject, "look whether that holds for baseline".to_owned(), Vec::new())
            }
            Why::NotKnown(why) => {
                found.push(("found".into(), why.clone()));
                (format!("whether {} has {n} is not known", role.name), "run it again".to_owned(), Vec::new())
            }
        };
        Problem { verdict: why.verdict(), subject, found, remedy: Some(remedy), lines }
    };
    by_reason.into_iter().map(problem).collect()
}
