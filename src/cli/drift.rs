//! `baseline drift`

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;

use super::Stop;
use super::args::{Drift as Args, DriftFormat};
use super::context::{self, Reach, Ready};
use super::io::Io;
use super::plan::{counted_are, counted_word};
use super::progress::Progress;
use crate::audit::{AuditError, LastApplied, Memory};
use crate::desired::{self, DesiredState, Source};
use crate::drift::{Base, Drift, Event, Last, Wish, drift};
use crate::observe::Observer;
use crate::place::AccountId;
use crate::plan::{AccountState, Exit};
use crate::report::{human, json};

pub(super) async fn run(args: &Args, io: &mut Io, reach: Reach) -> Result<Exit, Stop> {
    let start = Instant::now();
    let Ready { fleet, members, .. } = context::ready(&args.documents, io, &reach).await?;
    let dir = &args.documents.dir;
    let selection = context::selection(&args.selectors(), &fleet.desired, dir, &members)?;
    // From here on there is nothing that could write.
    let observer = Observer::of(fleet);
    let fleet = observer.fleet();
    let memory = context::records(fleet, dir).read().await.map_err(unread)?;
    let all = fleet.desired.accounts.iter().map(|account| &account.id);
    let wanted = all.filter(|id| selection.touches(id));
    let last = memory.last_applied(wanted).await.map_err(unread)?;
    let bases = bases(&memory, last, &fleet.desired, dir).await;

    let wish = Wish { selection, since: args.since.map(|since| since.time(Timestamp::now())) };
    let progress = Progress::new(
        io,
        "accounts seen",
        if wish.selection.accounts.is_empty() {
            fleet.desired.accounts.len()
        } else {
            wish.selection.accounts.len()
        },
    );
    let found = drift(&observer, &memory, &bases, &wish, &|event| match event {
        Event::Seen(_) => progress.one_more(),
        Event::LookingUp(0) => {}
        Event::LookingUp(settings) => {
            progress
                .say(format!("looking up who changed {}; accounts seen", counted_word(settings, "setting")));
        }
    })
    .await;
    drop(progress);
    known_regions(args, &found, fleet)?;

    let exit = found.exit();
    let context = human::DriftContext {
        reads: fleet.aws.journal().reads(),
        elapsed: start.elapsed(),
        exit: (exit.code(), &why(&found, exit)),
    };
    io.out(&match args.format {
        DriftFormat::Human => human::drift(&found, &context, &io.style()),
        DriftFormat::Json => json::drift(&found, exit.code()),
        DriftFormat::Jsonl => json::drift_lines(&found, exit.code()),
    });
    Ok(exit)
}

/// Without the records nobody knows what was applied.
fn unread(error: AuditError) -> Stop {
    Stop::with(Exit::Incomplete, anyhow::Error::new(error).context("cannot read what was last applied"))
        .hint("see `audit` in the Organization; the caller's own credentials read it")
}

/// What was last applied to each account, with its documents: each once, however many accounts have had them.
async fn bases(
    memory: &Memory,
    last: BTreeMap<AccountId, LastApplied>,
    head: &Arc<DesiredState>,
    dir: &Path,
) -> BTreeMap<AccountId, Base> {
    let mut known: BTreeMap<(Option<String>, String), Result<Arc<DesiredState>, String>> = BTreeMap::new();
    let mut bases = BTreeMap::new();
    for (account, last) in last {
        let key = (last.desired.clone(), last.digest.clone());
        if !known.contains_key(&key) {
            known.insert(key.clone(), base(memory, &last, head, dir).await);
        }
        let base = match &known[&key] {
            Ok(base) if base.account(&account).is_some() => Base::Known(last, Arc::clone(base)),
            Ok(_) => Base::Lost(last, "the documents that were kept do not name it".into()),
            Err(why) => Base::Lost(last, why.clone()),
        };
        bases.insert(account, base);
    }
    bases
}

/// The documents from the audit record; for records from before they were kept there, those at hand if they are the
/// same, else those of the revision in git.
async fn base(
    memory: &Memory,
    last: &LastApplied,
    head: &Arc<DesiredState>,
    dir: &Path,
) -> Result<Arc<DesiredState>, String> {
    if let Some(digest) = &last.desired {
        if *digest == head.source.digest() {
            return Ok(Arc::clone(head));
        }
        if let Some(source) = memory.desired(digest).await.map_err(|error| format!("{error}"))? {
            return context::applied(&source, &last.digest, dir).map(Arc::new);
        }
    }
    if last.digest == head.digest {
        return Ok(Arc::clone(head));
    }
    let Some(revision) = &last.revision else {
        return Err("its documents are neither in the audit record nor in git".into());
    };
    let short = revision.get(..8).unwrap_or(revision);
    let documents = desired::texts_of(dir, revision).map_err(|error| {
        format!("its documents are not in the audit record, and of revision {short}, {error}")
    })?;
    let source = Source { documents, members: head.source.members.clone() };
    context::applied(&source, &last.digest, dir)
        .map(Arc::new)
        .map_err(|why| format!("its documents are not in the audit record, and of revision {short}, {why}"))
}

/// Why the exit code is that one.
fn why(drift: &Drift, exit: Exit) -> String {
    let accounts = |wanted: fn(&AccountState) -> bool| {
        drift.accounts.iter().filter(|account| wanted(&account.state)).count()
    };
    let totals = &drift.totals;
    match exit {
        Exit::Refused => {
            let refused = accounts(|state| matches!(state, AccountState::Refused { .. }));
            format!("{} not what the YAML says", counted_are(refused, "account", "is", "are"))
        }
        Exit::Incomplete => {
            let lost =
                drift.accounts.iter().filter(|account| matches!(account.last, Last::Lost { .. })).count();
            let unreachable = accounts(|state| matches!(state, AccountState::Unreachable { .. }));
            let unknown = totals.last_applied.unknown + totals.at_hand.unknown;
            let parts = [
                (unreachable, "account", "could not be reached"),
                (unknown, "setting", "could not be observed"),
                (lost, "account", "cannot be compared with what was applied"),
            ];
            let said = parts.iter().filter(|(n, ..)| *n > 0);
            said.map(|(n, noun, what)| format!("{} {what}", counted_word(*n, noun)))
                .collect::<Vec<_>>()
                .join(", ")
        }
        Exit::Differs => {
            format!(
                "{} no longer as last applied",
                counted_are(totals.last_applied.drifted, "setting", "is", "are")
            )
        }
        Exit::Unapplied => {
            let never = drift.accounts.iter().map(|account| match &account.last {
                Last::Never { open } => *open,
                Last::Applied(_) | Last::Lost { .. } => 0,
            });
            let now = totals.at_hand.unapplied + totals.at_hand.progressing + totals.last_applied.progressing;
            let open = now + never.sum::<usize>();
            format!(
                "nothing has drifted; {} desired and not applied",
                counted_are(open, "setting", "is", "are")
            )
        }
        _ => "nothing has drifted".into(),
    }
}

/// A region that no account has would tell of nothing, silently.
fn known_regions(args: &Args, drift: &Drift, fleet: &crate::observe::Fleet) -> Result<(), Stop> {
    let reached = drift.accounts.iter().any(|account| account.state == AccountState::Reached);
    let looked = fleet.aws.journal().entries();
    for wanted in args.regions.iter().filter(|_| reached) {
        if !looked.iter().any(|entry| entry.scope.region.as_str() == wanted) {
            let all = looked.iter().map(|entry| entry.scope.region.as_str());
            return Err(context::unmatched("--region", wanted, all));
        }
    }
    Ok(())
}
