//! `baseline explain`

use super::Stop;
use super::args::Explain;
use super::io::Io;
use crate::controls::CONTROLS;
use crate::plan::Exit;
use crate::report::explain;

pub(super) fn run(args: &Explain, io: &mut Io) -> Result<Exit, Stop> {
    let text = match &args.what {
        None => explain::overview(CONTROLS, &io.style()),
        Some(what) => explain::explain(CONTROLS, what, &io.style()).map_err(|unknown| {
            let hint = match &unknown.did_you_mean {
                Some(name) => format!("did you mean `{name}`?"),
                None => "`baseline explain` lists all controls".into(),
            };
            Stop::with(Exit::Usage, unknown).hint(hint)
        })?,
    };
    io.out(&text);
    Ok(Exit::Done)
}
