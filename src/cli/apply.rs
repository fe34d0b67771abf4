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
use crate::apply::{self, ApplyReport, Applying, ChangeResult, Concluding, Event};
use crate::audit::{Audit, AuditError, Used};
use crate::controls::CONTROLS;
use crate::desired::{self, DesiredState};
use crate::guard::{self, Descent, Guarded, Refusal};
use crate::observe::Fleet;
use crate::place::AccountId;
use crate::plan::{Exit, Outcome, Plan, Selection};
use crate::report::{self, human, json};
use crate::saved::{Origin, SavedError, SavedPlan};
use crate::survey::{self, Wish};

pub(super) async fn run(args: &Args, io: &mut Io, reach: Reach) -> Result<Exit, Stop> {
    if !args.auto_approve && !io.can_ask {
        return Err(Stop::usage("there is no terminal to ask on").hint("add --auto-approve"));
    }
    let start = Instant::now();
    let mut planned_at = Timestamp::now();
    let (fleet, plan, saved, selection) = match &args.plan {
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
            let plan = survey::plan(&fleet, &wish, &|_| progress.one_more()).await;
            known_regions(&args.selectors, &plan)?;
            (fleet, plan, None, selection)
        }
    };

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
    if plan.changes().next().is_none() {
        if args.format == TextOrJson::Json {
            io.out(&json::plan(&plan, planned.code(), false));
        }
        // Nothing is changed, so that this cannot be remembered fails nothing.
        if let Err(error) = Box::pin(remember(&fleet, &plan, &selection, &args.documents.dir)).await {
            let why = report::escape::escape(&format!("{error:#}")).into_owned();
            io.err(&format!("warning: what is in sync was not recorded as applied: {why}\n"));
        }
        return Ok(planned);
    }

    let audit = open_audit(&fleet, &args.documents.dir).await?;
    let mut remembered = remembered(&fleet, &audit, &plan, args).await?;
    if let Some(saved) = &saved {
        let used = audit.used(&saved.id).await.map_err(Stop::failed)?;
        let here = Origin::of(&fleet.aws);
        let expected = args.expect.as_deref();
        remembered.extend(guard::saved_plan(saved, Timestamp::now(), &here, expected, used.as_ref()));
    }
    let guards = &fleet.desired.organization.guards;
    let guarded = match guard::check(plan, guards, &args.allow, remembered) {
        Ok(guarded) => guarded,
        Err(refusals) => return Err(refuse(&refusals, io)),
    };
    if !args.auto_approve {
        let question = human::question(guarded.plan(), &fleet.writing_role(), &io.style());
        if io.ask(&question) != "yes" {
            io.err("Nothing has been changed.\n");
            return Ok(Exit::Failed);
        }
    }

    if let Some(saved) = &saved {
        claim(&fleet, &audit, saved, io).await?;
    }
    let report = execute(&fleet, &audit, &guarded, planned_at, io).await?;
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
    Box::pin(concluded(&fleet, &audit, guarded.plan(), Some(&report), &selection, dir)).await.map_err(
        |error| {
            Stop::failed(anyhow::Error::new(error).context("the changes above are made, but not recorded"))
        },
    )?;
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
) -> Result<(), AuditError> {
    apply::conclude(&Concluding {
        audit,
        run: fleet.aws.run(),
        desired: &fleet.desired,
        plan,
        report,
        selects: &|account| selection.touches(account),
        follows: &|older| descent(&fleet.desired, dir, older) == Descent::Follows,
    })
    .await
}

/// The same where there was nothing to change.
async fn remember(fleet: &Fleet, plan: &Plan, selection: &Selection, dir: &Path) -> anyhow::Result<()> {
    let audit = context::records(fleet, dir).open().await?;
    Ok(concluded(fleet, &audit, plan, None, selection, dir).await?)
}

/// Before the first write: a saved plan is applied once, also when two start at the same time.
async fn claim(fleet: &Fleet, audit: &Audit, saved: &SavedPlan, io: &mut Io) -> Result<(), Stop> {
    let used = Used {
        run: fleet.aws.run().to_owned(),
        at: Timestamp::now(),
        caller: fleet.aws.identity().arn.clone(),
        digest: saved.digest.clone(),
    };
    match audit.claim(&saved.id, &used).await {
        Err(AuditError::Raced { .. }) => {
            let why = "the plan is being applied by another run".to_owned();
            Err(refuse(&[Refusal { why, hint: "its audit record says which".to_owned() }], io))
        }
        other => other.map_err(Stop::failed),
    }
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

/// What the audit records have against this plan.
async fn remembered(fleet: &Fleet, audit: &Audit, plan: &Plan, args: &Args) -> Result<Vec<Refusal>, Stop> {
    let desired = &fleet.desired;
    let accounts: BTreeSet<&AccountId> = plan.changes().map(|(_, item)| &item.scope.account).collect();
    let last = audit.last_applied(accounts).await.map_err(Stop::failed)?;
    let organization = audit.last_organization().await.map_err(Stop::failed)?;
    let descent = |older: &str| descent(desired, &args.documents.dir, older);
    let mut refusals = guard::never_backwards(desired, &last, &args.allow, descent);
    refusals.extend(guard::no_shrinking(desired, organization.as_ref(), &args.allow));
    Ok(refusals)
}

/// How a revision that was applied stands to the one at hand.
fn descent(desired: &DesiredState, dir: &Path, older: &str) -> Descent {
    match &desired.revision {
        None => Descent::Unknown("the desired state is not in git".into()),
        Some(revision) if revision.full == older => Descent::Follows,
        Some(revision) => match desired::is_ancestor(dir, older, &revision.full) {
            Ok(true) => Descent::Follows,
            Ok(false) => Descent::Backwards,
            Err(error) => Descent::Unknown(error.to_string()),
        },
    }
}

async fn execute(
    fleet: &Fleet,
    audit: &Audit,
    guarded: &Guarded,
    planned_at: Timestamp,
    io: &Io,
) -> Result<ApplyReport, Stop> {
    let stop = CancellationToken::new();
    let signals = Signals::listen()
        .map_err(|error| Stop::failed(anyhow::Error::new(error).context("cannot listen for signals")))?;
    let listening = tokio::spawn(obey(signals, stop.clone()));
    let progress = Progress::new(io, "changes made", guarded.plan().changes().count());
    let on = |event: Event<'_>| match event {
        Event::Started { control, scope, .. } => progress.say(format!("{control} in {scope}, changes made")),
        Event::Ended { .. } => progress.one_more(),
    };
    let report = apply::apply(&Applying { fleet, audit, planned_at, stop: &stop, on: &on }, guarded).await;
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
