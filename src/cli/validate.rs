//! `baseline validate`

use super::Stop;
use super::args::{TextOrJson, Validate};
use super::context;
use super::io::Io;
use crate::controls::CONTROLS;
use crate::plan::Exit;
use crate::{desired, diagnostic, report};

pub(super) fn run(args: &Validate, io: &mut Io) -> Result<Exit, Stop> {
    let loaded = desired::load(&args.documents.dir, CONTROLS, context::today());
    match args.format {
        TextOrJson::Json => {
            let json = diagnostic::json(&loaded.diagnostics, &loaded.sources);
            io.out(&report::escape::escape_json(&format!("{json:#}\n")));
        }
        TextOrJson::Human if loaded.diagnostics.is_empty() => {}
        TextOrJson::Human => io.err(&diagnostic::human(&loaded.diagnostics, &loaded.sources, io.color)),
    }
    let Some(documents) = loaded.documents else { return Ok(Exit::Failed) };
    if args.format == TextOrJson::Human {
        let (files, accounts) = (loaded.sources.files().len(), documents.accounts.len());
        let s = |n: usize| if n == 1 { "" } else { "s" };
        let found = match loaded.diagnostics.len() {
            0 => "nothing wrong".to_owned(),
            n => format!("no error, {n} warning{}", s(n)),
        };
        io.out(&format!(
            "{files} file{} and {accounts} account document{}: {found}\n",
            s(files),
            s(accounts)
        ));
    }
    Ok(Exit::Done)
}
