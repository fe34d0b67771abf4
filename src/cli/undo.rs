//! `baseline undo`: a plan of the way back, and the YAML that keeps it that way.

use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

use jiff::Timestamp;

use super::Stop;
use super::args::{Format, Undo as Args};
use super::context::{self, Reach, Ready};
use super::io::Io;
use super::plan::{ending, print};
use super::progress::Progress;
use crate::apply::ApplyReport;
use crate::audit::Memory;
use crate::controls::CONTROLS;
use crate::desired::{self, DesiredAccount, Written};
use crate::guard::quoted;
use crate::plan::{Exit, Item, Selection};
use crate::report::human;
use crate::saved::Saving;
use crate::undo::{Undo, undo};

pub(super) async fn run(args: &Args, io: &mut Io, reach: Reach) -> Result<Exit, Stop> {
    let start = Instant::now();
    let Ready { fleet, members, texts } = context::ready(&args.documents, io, &reach).await?;
    let dir = &args.documents.dir;
    let selection = context::selection(&args.selectors(), &fleet.desired, dir, &members)?;
    let memory = context::records(&fleet, dir).read().await.map_err(Stop::failed)?;
    let changes = changes(&memory, &args.run, &selection).await?;
    let progress = Progress::new(io, "changes looked at", changes.len());
    let way_back = undo(&fleet, &args.run, changes).await;
    drop(progress);

    let elapsed = start.elapsed();
    let reads = fleet.aws.journal().reads();
    let (exit, why) = ending(&way_back.plan, false, |_| true);
    let saving = Saving {
        aws: &fleet.aws,
        valid_for: args.valid_for,
        revision: fleet.desired.revision.clone(),
        documents: texts,
        members,
        elapsed,
        selectors: None,
        undoes: Some(args.run.clone()),
    };
    let has_changes = way_back.plan.changes().next().is_some();
    let saved = match has_changes {
        true => Some(saving.of(&way_back.plan).save(&args.out).map_err(Stop::failed)?),
        false => None,
    };
    let next = format!("baseline apply {}", quoted(&args.out.display().to_string()));
    let context = human::Context {
        command: "undo",
        reads,
        elapsed,
        show_in_sync: false,
        detailed_exitcode: false,
        next: has_changes.then_some(&next),
        selectors: None,
        exit: (exit.code(), &why),
        controls: CONTROLS,
        saved: saved.as_ref().map(|saved| saved.digest.as_str()),
    };
    print(args.format, &way_back.plan, &context, Timestamp::now(), io);
    let rest = human::undo_rest(&way_back, CONTROLS, &io.style());
    let rest = if rest.is_empty() { rest } else { format!("\n{rest}") };
    if args.format == Format::Human {
        io.out(&rest)
    } else {
        io.err(&rest)
    }
    if let Some(saved) = saved {
        let yaml = args.yaml.clone().unwrap_or_else(|| args.out.with_extension("yaml"));
        write_yaml(&yaml, &args.run, &way_back)?;
        io.err(&told(&args.out, &yaml, &saved.digest));
    }
    Ok(exit)
}

/// What the run made, or was about to make where it was cut off.
async fn changes(memory: &Memory, run: &str, selection: &Selection) -> Result<Vec<Item>, Stop> {
    let made = match memory.outcome::<ApplyReport>(run).await.map_err(Stop::failed)? {
        Some(report) => {
            Some(report.changes.into_iter().filter(|one| one.calls > 0).map(|one| one.item).collect())
        }
        None => memory.begun(run).await.map_err(Stop::failed)?.map(|begun| begun.changes),
    };
    let Some(made) = made else {
        let why = format!("the audit records know no run `{run}`");
        return Err(Stop::failed(anyhow::Error::msg(why)).hint(
            "`apply` prints its run's id; the folders in `runs/` of the audit records are named by it",
        ));
    };
    let made: Vec<Item> = made;
    Ok(made.into_iter().filter(|item| selection.covers(&item.scope, &item.control)).collect())
}

fn write_yaml(path: &Path, run: &str, way_back: &Undo) -> Result<(), Stop> {
    let head = [
        format!("What run {run} changed, as it was before."),
        "Merge each document into that account's own: without it, the next apply makes the changes again."
            .into(),
    ];
    let documents: Vec<String> = way_back
        .accounts
        .iter()
        .map(|account| desired::fragment(&head, &account.name, &account.id, &written(account)))
        .collect();
    let text = documents.join("---\n");
    let failed = |error: std::io::Error| {
        Stop::failed(anyhow::Error::new(error).context(format!("cannot write `{}`", path.display())))
    };
    crate::durable::replace(path, |file| file.write_all(text.as_bytes())).map_err(failed)
}

fn written(account: &DesiredAccount) -> Written {
    let mut written = Written::default();
    for (id, control) in account.controls.iter() {
        let reason = control.reason.as_deref().unwrap_or_default();
        written.control(id, (*control.spec).clone(), control.regions.clone(), reason);
    }
    written
}

fn told(plan: &Path, yaml: &Path, digest: &str) -> String {
    let shown = |path: &Path| crate::report::escape::escape(&path.display().to_string()).into_owned();
    format!(
        "{}: the plan\n{digest}\n{}: the YAML to commit\nWithout that commit, the next apply makes the changes again.\n",
        shown(plan),
        shown(yaml)
    )
}
