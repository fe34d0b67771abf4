//! `baseline apply`

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::Stop;
use super::args::{Apply as Args, TextOrJson};
use super::context::{self, Reach, Ready};
use super::io::Io;
use super::plan::{ending, known_regions, typed};
use super::progress::Progress;
use super::signals::Signals;
use crate::apply::{self, ApplyReport, Applying, ChangeResult, Concluded, Concluding, Event};
use crate::audit::{Audit, AuditError, LastOrganization, Used};
use crate::controls::CONTROLS;
use crate::guard::{self, Descent, Guarded, Judging, Refusal};
use crate::observe::Fleet;
use crate::plan::{Exit, Item, Outcome, Plan, Selection};
use crate::report::{self, human, json};
use crate::saved::{self, Origin, SavedError, SavedPlan};
use crate::survey::{self, Wish};

pub(super) async fn run(args: &Args, io: &mut Io, reach: Reach) -> Result<Exit, Stop> {
    if !args.auto_approve && !io.can_ask {
        return Err(Stop::usage("there is no terminal to ask on").hint("add --auto-approve"));
    }
    let start = Instant::now();
    let mut planned_at = Timestamp::now();
    let (fleet, mut plan, saved, selection) = match &args.plan {
        Some(file) => {
            let saved = SavedPlan::load(file).map_err(|error| match error {
                SavedError::Altered { .. } => {
                    Stop::with(Exit::Refused, error).hint("plan again, and have that plan reviewed")
                }
                other => Stop::failed(other),
            })?;
            let fleet = context::ready_from(&saved, &args.documents.dir, io, &reach).await?;
            planned_at = saved.made_at;
            // What was not selected is only known where nothing was.
            let none = Selection { changed: Some(BTreeSet::new()), ..Selection::default() };
            let selection = if saved.selectors.is_some() { none } else { Selection::default() };
            (fleet, saved.plan.clone(), Some(saved), selection)
        }
        None => {
            let Ready { fleet, members, .. } = context::ready(&args.documents, io, &reach).await?;
            let dir = &args.documents.dir;
            let selection = context::selection(&args.selectors, &fleet.desired, dir, &members)?;
            let progress = Progress::new(io, "accounts seen", fleet.desired.accounts.len());
            let wish = Wish { selection: selection.clone(), keep_in_sync: false };
            let plan = Box::pin(survey::plan(&fleet, &wish, &|_| progress.one_more())).await;
            known_regions(&args.selectors, &plan)?;
            (fleet, plan, None, selection)
        }
    };

    let undoes = saved.as_ref().is_some_and(|saved| saved.undoes.is_some());
    let (planned, why) = ending(&plan, args.detailed_exitcode, |_| true);
    if args.format == TextOrJson::Human {
        let typed = typed(&args.selectors);
        let selectors = saved.as_ref().map_or(typed, |saved| saved.selectors.clone());
        let context = human::Context {
            command: "apply",
            reads: saved.as_ref().map_or_else(|| fleet.aws.journal().reads(), |saved| saved.reads),
            elapsed: saved.as_ref().map_or_else(|| start.elapsed(), |saved| saved.elapsed),
            show_in_sync: false,
            detailed_exitcode: args.detailed_exitcode,
            next: None,
            selectors: selectors.as_deref(),
            exit: (planned.code(), &why),
            saved: saved.as_ref().map(|saved| saved.digest.as_str()),
            controls: CONTROLS,
        };
        io.out(&human::plan(&plan, &context, &io.style()));
    }
    if plan.changes().next().is_none() && !args.resume {
        if args.format == TextOrJson::Json {
            io.out(&json::plan(&plan, planned.code(), false));
        }
        // What it says is kept as applied: it has to be the plan that was reviewed, and made for here.
        if let Some(saved) = &saved {
            let refusals = against(&fleet, saved, None, args).await?;
            if !refusals.is_empty() {
                return Err(refuse(&refusals, io));
            }
        }
        // Nothing is changed, so that this cannot be remembered fails nothing.
        if undoes {
            return Ok(planned);
        }
        match Box::pin(remember(&fleet, &plan, &selection, &args.documents.dir)).await {
            Ok(Concluded { new_limits: true }) => io.err("The limits in `guards` hold from now on.\n"),
            Ok(_) => {}
            Err(error) => {
                let why = report::escape::escape(&format!("{error:#}")).into_owned();
                io.err(&format!("warning: what is in sync was not recorded as applied: {why}\n"));
            }
        }
        return Ok(planned);
    }
    let audit = open_audit(&fleet, &args.documents.dir).await?;
    let used = match &saved {
        Some(saved) => audit.used(&saved.id).await.map_err(Stop::failed)?,
        None => None,
    };
    if args.resume {
        resumed(&audit, &mut plan, used.as_ref(), io).await?;
    }
    let last = audit.last_organization().await.map_err(Stop::failed)?;
    let mut remembered = remembered(&fleet, &audit, &plan, last.as_ref(), args).await?;
    if let Some(saved) = &saved {
        remembered.extend(against(&fleet, saved, used.as_ref().filter(|_| !args.resume), args).await?);
        if saved.undoes.is_some() {
            let controller = audit.controller().await.map_err(Stop::failed)?;
            remembered.extend(guard::undo_alone(saved, controller.as_ref(), Timestamp::now()));
        }
    }
    let settings = &fleet.desired.organization;
    let guards = guard::limits(&settings.guards, last.as_ref().and_then(|last| last.guards.as_ref()));
    let roles: Vec<String> =
        settings.roles.iter().flat_map(|roles| [roles.observe.clone(), roles.apply.clone()]).collect();
    let judging = Judging {
        guards: &guards,
        desired: &fleet.desired,
        allowed: &args.allow,
        reason: args.reason.as_deref(),
        roles: &roles,
        now: Timestamp::now(),
    };
    let guarded = match guard::check(plan, &judging, remembered) {
        Ok(guarded) => guarded,
        Err(refusals) => return Err(refuse(&refusals, io)),
    };
    for held in guarded.held_back() {
        let (why, hint) = (report::escape::escape(&held.why), report::escape::escape(&held.hint));
        io.err(&format!("held back: {why}\n  hint: {hint}\n"));
    }
    if guarded.plan().changes().next().is_none() {
        io.err("Nothing has been changed.\n");
        return Ok(planned);
    }
    if !args.auto_approve {
        let question = human::question(guarded.plan(), &fleet.writing_role(), &io.style());
        if io.ask(&question) != "yes" {
            io.err("Nothing has been changed.\n");
            return Ok(Exit::Failed);
        }
    }

    if let Some(saved) = &saved {
        claim(&fleet, &audit, saved, used.as_ref(), io).await?;
    }
    let report = Box::pin(execute(&fleet, &audit, &guarded, planned_at, args, io)).await?;
    let left = ending(guarded.plan(), args.detailed_exitcode, |item| item.outcome != Outcome::Change);
    let (exit, why) = after(&report, left);
    match args.format {
        TextOrJson::Human => {
            io.out(&human::apply(guarded.plan(), &report, (exit.code(), &why), &io.style()));
        }
        TextOrJson::Json => io.out(&json::apply(guarded.plan(), &report, exit.code())),
    }
    // Only now: what was changed is told first, whatever becomes of the record.
    let dir = &args.documents.dir;
    let concluding = concluded(&fleet, &audit, guarded.plan(), Some(&report), &selection, dir, undoes);
    Box::pin(concluding).await.map_err(|error| {
        Stop::failed(anyhow::Error::new(error).context("the changes above are made, but not recorded"))
    })?;
    Ok(exit)
}

/// Keeps what the run made, and found in sync.
async fn concluded(
    fleet: &Fleet,
    audit: &Audit,
    plan: &Plan,
    report: Option<&ApplyReport>,
    selection: &Selection,
    dir: &Path,
    undoes: bool,
) -> Result<Concluded, AuditError> {
    apply::conclude(&Concluding {
        audit,
        run: fleet.aws.run(),
        desired: &fleet.desired,
        plan,
        report,
        undoes,
        selects: &|account| selection.touches(account),
        follows: &|older| apply::descent(&fleet.desired, dir, older) == Descent::Follows,
    })
    .await
}

/// The same where there was nothing to change.
async fn remember(
    fleet: &Fleet,
    plan: &Plan,
    selection: &Selection,
    dir: &Path,
) -> anyhow::Result<Concluded> {
    let audit = context::records(fleet, dir).open().await?;
    Ok(concluded(fleet, &audit, plan, None, selection, dir, false).await?)
}

/// Before the first write: a saved plan is applied once, also when two start at the same time.
async fn claim(
    fleet: &Fleet,
    audit: &Audit,
    saved: &SavedPlan,
    before: Option<&Used>,
    io: &mut Io,
) -> Result<(), Stop> {
    let used = Used {
        run: fleet.aws.run().to_owned(),
        at: Timestamp::now(),
        caller: fleet.aws.identity().arn.clone(),
        digest: saved.digest.clone(),
        earlier: before.iter().flat_map(|used| used.runs()).map(str::to_owned).collect(),
    };
    match audit.claim(&saved.id, &used, before.is_some()).await {
        Err(AuditError::Raced { .. }) => {
            let why = "the plan is being applied by another run".to_owned();
            Err(refuse(&[Refusal { why, hint: "its audit record says which".to_owned() }], io))
        }
        other => other.map_err(Stop::failed),
    }
}

/// What a saved plan's own words have against it: its digest, its time, what it was made for, and its signature.
async fn against(
    fleet: &Fleet,
    saved: &SavedPlan,
    used: Option<&Used>,
    args: &Args,
) -> Result<Vec<Refusal>, Stop> {
    let here = Origin::of(&fleet.aws);
    let mut refusals = guard::saved_plan(saved, Timestamp::now(), &here, args.expect.as_deref(), used);
    if let Some(key) = &args.signed_by {
        refusals.extend(signed_by(fleet, key, saved).await?);
    }
    Ok(refusals)
}

/// What the signature has against this plan. A KMS that cannot say is no signature either.
async fn signed_by(fleet: &Fleet, key: &str, saved: &SavedPlan) -> Result<Option<Refusal>, Stop> {
    let home = &fleet.desired.organization.home;
    let valid = match &saved.signature {
        Some(signature) => {
            saved::verify(&fleet.aws, home, key, &saved.digest, signature).await.map_err(|fault| {
                let error = anyhow::Error::new(fault).context("the plan's signature cannot be verified");
                Stop::with(Exit::Incomplete, error).hint("`kms:Verify` on that key is needed")
            })?
        }
        None => false,
    };
    Ok((!valid).then(|| guard::not_signed(saved, key)))
}

fn refuse(refusals: &[Refusal], io: &mut Io) -> Stop {
    let mut text = String::new();
    for refusal in refusals {
        text.push_str(&format!("refused: {}\n", report::escape::escape(&refusal.why)));
        text.push_str(&format!("  hint: {}\n", report::escape::escape(&refusal.hint)));
    }
    text.push_str("Nothing has been changed.\nExit code 3: a guard refused.\n");
    io.err(&text);
    Stop::silent(Exit::Refused)
}

async fn open_audit(fleet: &Fleet, dir: &Path) -> Result<Audit, Stop> {
    context::records(fleet, dir).open().await.map_err(|error| {
        Stop::failed(error)
            .hint("nothing is changed without a durable record; see `audit` in the Organization")
    })
}

/// Leaves out what the run that stopped has seen to hold. A run that has not said how it ended may still be at work.
async fn resumed(audit: &Audit, plan: &mut Plan, used: Option<&Used>, io: &mut Io) -> Result<(), Stop> {
    let mut refused = |why: String| {
        let hint = "plan again; what is done already is in sync then".to_owned();
        Err(refuse(&[Refusal { why, hint }], io))
    };
    let Some(used) = used else {
        return refused("there is nothing to resume: the plan has not been applied".to_owned());
    };
    let mut done = Vec::new();
    for run in used.runs() {
        let Some(report) = audit.outcome::<ApplyReport>(run).await.map_err(Stop::failed)? else {
            return refused(format!("run {run} has not said how it ended: it may be at work still"));
        };
        done.extend(report.changes.into_iter().filter(|change| change.result == ChangeResult::Held));
    }
    let held = |item: &Item| done.iter().any(|change| change.item.is_about(item));
    plan.items.retain(|item| item.outcome != Outcome::Change || !held(item));
    if plan.changes().next().is_none() {
        return refused("all of the plan was seen to hold: nothing is left to resume".to_owned());
    }
    Ok(())
}

/// What the audit records have against this plan.
async fn remembered(
    fleet: &Fleet,
    audit: &Audit,
    plan: &Plan,
    organization: Option<&LastOrganization>,
    args: &Args,
) -> Result<Vec<Refusal>, Stop> {
    let desired = &fleet.desired;
    let descent = |older: &str| apply::descent(desired, &args.documents.dir, older);
    let allowed = &args.allow;
    apply::remembered(audit, desired, plan, allowed, organization, descent).await.map_err(Stop::failed)
}

async fn execute(
    fleet: &Fleet,
    audit: &Audit,
    guarded: &Guarded,
    planned_at: Timestamp,
    args: &Args,
    io: &Io,
) -> Result<ApplyReport, Stop> {
    let (stop, reason) = (CancellationToken::new(), args.reason.as_deref());
    let signals = Signals::listen()
        .map_err(|error| Stop::failed(anyhow::Error::new(error).context("cannot listen for signals")))?;
    let listening = tokio::spawn(obey(signals, stop.clone()));
    let progress = Progress::new(io, "changes made", guarded.plan().changes().count());
    let on = |event: Event<'_>| match event {
        Event::Started { control, scope, .. } => progress.say(format!("{control} in {scope}, changes made")),
        Event::Ended { .. } => progress.one_more(),
    };
    let applying = Applying { fleet, audit, reason, planned_at, stop: &stop, on: &on };
    let report = Box::pin(apply::apply(&applying, guarded)).await;
    listening.abort();
    report.map_err(Stop::failed)
}

/// The first Ctrl-C (or SIGTERM) lets the step in hand finish; the second ends the process.
async fn obey(mut signals: Signals, stop: CancellationToken) {
    signals.next().await;
    stop.cancel();
    signals.next().await;
    #[expect(clippy::disallowed_methods, reason = "the second signal means now")]
    std::process::exit(i32::from(Exit::Interrupted.code()));
}

/// What an apply exits with: how its changes ended, and what else the plan holds.
fn after(report: &ApplyReport, (left, why): (Exit, String)) -> (Exit, String) {
    let count = |wanted: fn(&ChangeResult) -> bool| {
        report.changes.iter().filter(|change| wanted(&change.result)).count()
    };
    let failed =
        count(|result| matches!(result, ChangeResult::Failed { .. } | ChangeResult::NotVerified { .. }));
    let moved = count(|result| matches!(result, ChangeResult::Moved { .. }));
    let blocked = count(|result| matches!(result, ChangeResult::Blocked { .. }));
    let plural = |n: usize| if n == 1 { " was" } else { "s were" };
    if report.interrupted {
        (Exit::Interrupted, "interrupted; plan again to see what is left".into())
    } else if failed > 0 {
        (Exit::Failed, format!("{failed} change{} not seen to hold", plural(failed)))
    } else if blocked > 0 {
        (Exit::Failed, format!("{blocked} change{} blocked", plural(blocked)))
    } else if moved > 0 {
        (Exit::Refused, format!("{moved} change{} refused, because it had moved", plural(moved)))
    } else if left == Exit::Done {
        (Exit::Done, "everything that was planned holds".into())
    } else {
        (left, why)
    }
}
