//! `baseline report`

use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};

use super::Stop;
use super::args::Report as Args;
use super::context::{self, Reach};
use super::io::Io;
use super::plan::ending;
use super::progress::Progress;
use crate::apply::audit_place;
use crate::audit::{AuditError, Memory};
use crate::controls::CONTROLS;
use crate::observe::Fleet;
use crate::place::AccountId;
use crate::plan::Exit;
use crate::report::escape::escape;
use crate::report::html::{self, Kept, Record, Run};
use crate::report::human;
use crate::survey::{self, Wish};
use crate::{desired, durable};

/// A quarter: what reviews ask for. Older runs stay in the audit record.
const DAYS: i64 = 92;
/// Runs that are read, each of which may hold thousands of changes.
const RUNS: usize = 50;

pub(super) async fn run(args: &Args, io: &mut Io, reach: Reach) -> Result<Exit, Stop> {
    let start = Instant::now();
    let at = Timestamp::now();
    let ready = context::ready(&args.documents, io, &reach).await?;
    let desired = &ready.fleet.desired;
    let plan = {
        let progress = Progress::new(io, "accounts seen", desired.accounts.len());
        survey::plan(&ready.fleet, &Wish::default(), &|_| progress.one_more()).await
    };
    let kept = kept(&ready.fleet, &args.documents.dir, at).await;
    let (mut exit, mut why) = ending(&plan, false, |_| true);
    if let Kept::Unknown { place, why: unread } = &kept {
        io.err(&format!("warning: the record in {} cannot be read: {}\n", escape(place), escape(unread)));
        if exit == Exit::Done {
            (exit, why) = (Exit::Incomplete, "the audit record could not be read".into());
        }
    }
    let context = human::Context {
        command: "report",
        reads: ready.fleet.aws.journal().reads(),
        elapsed: start.elapsed(),
        show_in_sync: false,
        detailed_exitcode: false,
        next: Some("baseline apply"),
        selectors: None,
        exit: (exit.code(), &why),
        saved: None,
        controls: CONTROLS,
    };
    let record = Record {
        today: desired::day(at),
        exceptions: &desired.exceptions,
        attestations: &desired.attestations,
        kept,
    };
    let page = html::page(&plan, &context, at, Some(&record));
    match &args.out {
        None => io.out(&page),
        Some(file) => {
            durable::replace(file, |file| file.write_all(page.as_bytes())).map_err(|error| {
                let said = format!("cannot write `{}`", file.display());
                Stop::failed(anyhow::Error::new(error).context(said))
            })?;
            io.err(&format!("{}: only its owner can read it\n", escape(&file.display().to_string())));
        }
    }
    Ok(exit)
}

/// What the audit record holds. That it cannot be read is told on the page, and spoils nothing else of it.
async fn kept(fleet: &Fleet, dir: &Path, at: Timestamp) -> Kept {
    let settings = &fleet.desired.organization;
    let place = audit_place(settings, dir);
    // Opening a folder makes it, and a report leaves nothing behind.
    if !place.contains("://") && !Path::new(&place).exists() {
        return Kept::Nothing { place };
    }
    let owners: Vec<AccountId> = settings.seats.values().cloned().collect();
    let read = async {
        let audit = Memory::open(&place, &fleet.aws, &settings.home, &owners).await?;
        let since = at.checked_sub(SignedDuration::from_hours(24 * DAYS)).unwrap_or(Timestamp::MIN);
        let ids = audit.runs(since).await?;
        let older = ids.len().saturating_sub(RUNS);
        let mut runs = Vec::new();
        for id in ids.into_iter().rev().take(RUNS) {
            runs.extend(read(&audit, id).await?);
        }
        Ok::<_, AuditError>((runs, older))
    };
    match read.await {
        Ok((runs, 0)) if runs.is_empty() => Kept::Nothing { place },
        Ok((runs, older)) => Kept::Runs { runs, older, place },
        Err(error) => Kept::Unknown { place, why: format!("{:#}", anyhow::Error::new(error)) },
    }
}

/// A run, or that its own record cannot be read; nothing where it has none. `Err` where nothing can be read at all.
async fn read(audit: &Memory, id: String) -> Result<Option<Run>, AuditError> {
    let begun = match audit.begun(&id).await {
        Ok(Some(begun)) => Ok(begun),
        Ok(None) => return Ok(None),
        Err(error @ AuditError::Malformed { .. }) => Err(format!("{:#}", anyhow::Error::new(error))),
        Err(other) => return Err(other),
    };
    let outcome = match audit.outcome(&id).await {
        Ok(outcome) => outcome,
        Err(AuditError::Malformed { .. }) => None,
        Err(other) => return Err(other),
    };
    Ok(Some(Run { id, begun, outcome }))
}
