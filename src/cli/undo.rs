//! `baseline undo`: a plan of the way back, and the YAML that keeps it that way.

use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

use jiff::Timestamp;

use super::Stop;
use super::args::{Format, Undo as Args};
use super::context::{self, Reach, Ready};
use super::io::Io;
use super::plan::{ending, print, typed};
use super::progress::Progress;
use crate::apply::ApplyReport;
use crate::audit::Memory;
use crate::controls::CONTROLS;
use crate::desired;
use crate::guard::quoted;
use crate::plan::{Exit, Item, Selection};
use crate::report::escape::escape;
use crate::report::human;
use crate::saved::Saving;
use crate::undo::{self, Undo, undo};

/// How many runs are named where one is not known.
const RUNS_TOLD: usize = 5;

pub(super) async fn run(args: &Args, io: &mut Io, reach: Reach) -> Result<Exit, Stop> {
    let start = Instant::now();
    let Ready { fleet, members, texts } = context::ready(&args.documents, io, &reach).await?;
    let dir = &args.documents.dir;
    let selectors = args.selectors();
    let selection = context::selection(&selectors, &fleet.desired, dir, &members)?;
    let memory = context::records(&fleet, dir).read().await.map_err(Stop::failed)?;
    let changes = changes(&memory, &args.run, &selection, io).await?;
    let progress = Progress::new(io, "changes looked at", changes.len());
    let way_back = undo(&fleet, &args.run, changes).await;
    drop(progress);

    let elapsed = start.elapsed();
    let reads = fleet.aws.journal().reads();
    let (exit, why) = ending(&way_back.plan, false, |_| true);
    let selectors = typed(&selectors);
    let saving = Saving {
        aws: &fleet.aws,
        valid_for: args.valid_for,
        revision: fleet.desired.revision.clone(),
        documents: texts,
        members,
        elapsed,
        selectors: selectors.clone(),
        undoes: Some(args.run.clone()),
    };
    let saved = match way_back.plan.changes().next() {
        Some(_) => Some(saving.of(&way_back.plan).save(&args.out).map_err(Stop::failed)?),
        None => None,
    };
    let next = format!("baseline apply {}", quoted(&args.out.display().to_string()));
    let context = human::Context {
        command: "undo",
        reads,
        elapsed,
        show_in_sync: false,
        detailed_exitcode: false,
        next: saved.is_some().then_some(&next),
        selectors: selectors.as_deref(),
        exit: (exit.code(), &why),
        controls: CONTROLS,
        saved: saved.as_ref().map(|saved| saved.digest.as_str()),
    };
    print(args.format, &way_back.plan, &context, Timestamp::now(), io);
    let rest = human::undo_rest(&way_back, &io.style());
    match args.format {
        Format::Human => io.out(&rest),
        // What can be piped is the plan.
        _ => io.err(&rest),
    }
    if let Some(saved) = saved {
        let yaml = args.yaml.clone().unwrap_or_else(|| args.out.with_extension("yaml"));
        let wrote_yaml = !way_back.commits.is_empty();
        if wrote_yaml {
            write_yaml(&yaml, &args.run, &way_back)?;
        }
        io.err(&told(&args.out, wrote_yaml.then_some(&yaml), &saved.digest));
        let controller = memory.controller().await.map_err(Stop::failed)?;
        if let Some(refusal) = crate::guard::undo_alone(&saved, controller.as_ref(), Timestamp::now()) {
            io.err(&format!("apply will refuse this plan: {}\n", escape(&refusal.why)));
            io.err(&format!("  hint: {}\n", escape(&refusal.hint)));
        }
    }
    Ok(exit)
}

/// What the run made, or was about to make where it has not said how it ended.
async fn changes(memory: &Memory, run: &str, selection: &Selection, io: &mut Io) -> Result<Vec<Item>, Stop> {
    let made = match memory.outcome::<ApplyReport>(run).await.map_err(Stop::failed)? {
        Some(report) => Some(undo::made(report)),
        None => memory.begun(run).await.map_err(Stop::failed)?.map(|begun| begun.changes).inspect(|_| {
            io.err(&format!(
                "warning: run {} has not said how it ended: it was cut off, or is at work still\n",
                escape(run)
            ));
        }),
    };
    let Some(made) = made else { return Err(unknown(memory, run).await) };
    Ok(made.into_iter().filter(|item| selection.covers(&item.scope, &item.control)).collect())
}

async fn unknown(memory: &Memory, run: &str) -> Stop {
    let stop = Stop::failed(anyhow::Error::msg(format!("the audit records know no run `{run}`")));
    match memory.newest_runs(RUNS_TOLD).await {
        Ok(runs) if !runs.is_empty() => stop.hint(format!("the newest are {}", runs.join(", "))),
        // That they cannot be listed is not what was asked.
        _ => stop.hint(
            "`apply` prints the id of its run; `audit` in the Organization document says where records are",
        ),
    }
}

fn write_yaml(path: &Path, run: &str, way_back: &Undo) -> Result<(), Stop> {
    let head = [
        format!("What run {run} changed, as it was before."),
        "Merge each document into the one of that name: without it, the next apply makes the changes again."
            .into(),
    ];
    let documents: Vec<String> = way_back
        .commits
        .iter()
        .map(|commit| desired::fragment(&head, &commit.document, &commit.written))
        .collect();
    let text = documents.join("---\n");
    let failed = |error: std::io::Error| {
        Stop::failed(anyhow::Error::new(error).context(format!("cannot write `{}`", path.display())))
    };
    crate::durable::replace(path, |file| file.write_all(text.as_bytes())).map_err(failed)
}

fn told(plan: &Path, yaml: Option<&std::path::PathBuf>, digest: &str) -> String {
    let shown = |path: &Path| escape(&path.display().to_string()).into_owned();
    let commit = match yaml {
        Some(yaml) => format!(
            "{}: the YAML to commit\nWithout that commit, the next apply makes the changes again.\n",
            shown(yaml)
        ),
        None => "No document declares these settings any more: there is no YAML to commit.\n".to_owned(),
    };
    format!("{}: the plan\n{digest}\n{commit}", shown(plan))
}
