//! `baseline show`

use std::time::Duration;

use jiff::Timestamp;

use super::Stop;
use super::args::ShowPlan;
use super::io::Io;
use super::plan::{ending, print};
use crate::controls::CONTROLS;
use crate::guard::quoted;
use crate::plan::Exit;
use crate::report::escape::escape;
use crate::report::human;
use crate::saved::SavedPlan;

pub(super) fn run(args: &ShowPlan, io: &mut Io) -> Result<Exit, Stop> {
    let saved = SavedPlan::load(&args.plan).map_err(Stop::failed)?;
    let (exit, why) = ending(&saved.plan, false, |_| true);
    let next = format!("baseline apply {}", quoted(&args.plan.display().to_string()));
    let context = human::Context {
        command: if saved.undoes.is_some() { "undo" } else { "plan" },
        reads: saved.reads,
        elapsed: saved.elapsed,
        show_in_sync: false,
        detailed_exitcode: false,
        next: Some(&next),
        selectors: saved.selectors.as_deref(),
        exit: (exit.code(), &why),
        controls: CONTROLS,
        saved: Some(&saved.digest),
    };
    print(args.format, &saved.plan, &context, saved.made_at, io);
    io.err(&format!("{}\n", standing(&saved, Timestamp::now())));
    if let Some(run) = &saved.undoes {
        io.err(&format!("takes back run {}\n", escape(run)));
    }
    if let Some(signature) = &saved.signature {
        let key = escape(&signature.key);
        io.err(&format!("signed with {key}; `apply --signed-by KEY` verifies it\n"));
    }
    Ok(Exit::Done)
}

/// `made 2 h ago by baseline 0.1.0, valid for another 22 h`.
fn standing(saved: &SavedPlan, now: Timestamp) -> String {
    let hours = |from: Timestamp, to: Timestamp| {
        let time = Duration::from_secs(u64::try_from(to.duration_since(from).as_secs()).unwrap_or(0));
        match time.as_secs() / 60 {
            minutes if minutes < 120 => format!("{minutes} min"),
            minutes => format!("{} h", minutes / 60),
        }
    };
    let made = format!("made {} ago by baseline {}", hours(saved.made_at, now), saved.tool_version);
    if now < saved.expires_at {
        format!("{made}, valid for another {}", hours(now, saved.expires_at))
    } else {
        format!("{made}, expired {} ago: it cannot be applied any more", hours(saved.expires_at, now))
    }
}
