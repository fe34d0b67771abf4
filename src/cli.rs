//! The command line: the only place that reads flags, environment and terminal. It holds no logic of its own:
//! every command calls what the controller would call, and prints.

mod apply;
mod args;
mod context;
#[cfg(feature = "sandbox")]
mod demo;
mod doctor;
mod drift;
mod exceptions;
mod explain;
mod generate;
mod healthcheck;
mod import;
mod init;
mod io;
mod notifications;
mod observe;
mod plan;
mod progress;
mod reconcile;
mod render;
mod report;
mod run;
mod show;
mod signals;
#[cfg(feature = "otlp")]
mod traces;
mod undo;
mod validate;

use std::ffi::OsString;

use clap::{CommandFactory as _, FromArgMatches as _};
use tracing::Instrument as _;

pub use args::Args;
pub use context::Reach;
pub use io::Io;

use crate::plan::Exit;
use crate::traces::TARGET;
use args::Command;

/// Runs one command. Everything that is printed goes to `io`; AWS is reached through `reach`.
pub fn run(arguments: impl IntoIterator<Item = OsString>, io: &mut Io, reach: Reach) -> Exit {
    let parsed = command().try_get_matches_from(arguments).and_then(|found| {
        let name = found.subcommand_name().unwrap_or_default().to_owned();
        Args::from_arg_matches(&found).map(|args| (args, name))
    });
    let (args, name) = match parsed {
        Ok(args) => args,
        Err(error) => return usage(&error, io),
    };
    io.choose_color(args.color);
    io.log(args.verbose, args.command.log_format());
    // Of a controller, each turn is a trace of its own.
    let span = match &args.command {
        Command::Run(_) => tracing::Span::none(),
        _ => tracing::info_span!(target: TARGET, "command", otel.name = name),
    };
    let result = match args.command {
        // Needs no runtime, no network and no credentials.
        Command::Validate(args) => validate::run(&args, io),
        Command::Exceptions(args) => exceptions::run(&args, io),
        Command::Explain(args) => explain::run(&args, io),
        Command::Healthcheck(args) => healthcheck::run(&args, io),
        Command::Generate(args) => generate::run(&args, io),
        command => runtime(command.is_in_memory() || reach.is_in_memory()).and_then(|runtime| {
            let world = reach.clone();
            let work = async {
                // Boxed: each is large, and unoptimised builds would move all of them over one stack.
                let result = match command {
                    Command::Init(args) => Box::pin(init::run(&args, io, reach)).await,
                    Command::Render(args) => Box::pin(render::run(&args, io, reach)).await,
                    Command::Observe(args) => Box::pin(observe::run(&args, io, reach)).await,
                    Command::Plan(args) => Box::pin(plan::run(&args, io, reach)).await,
                    Command::Doctor(args) => Box::pin(doctor::run(&args, io, reach)).await,
                    Command::Drift(args) => Box::pin(drift::run(&args, io, reach)).await,
                    Command::Import(args) => Box::pin(import::run(&args, io, reach)).await,
                    Command::Undo(args) => Box::pin(undo::run(&args, io, reach)).await,
                    Command::Show(args) => show::run(&args, io),
                    Command::Report(args) => Box::pin(report::run(&args, io, reach)).await,
                    Command::Apply(args) => Box::pin(apply::run(&args, io, reach)).await,
                    Command::Notifications(args) => Box::pin(notifications::run(&args, io, reach)).await,
                    Command::Run(args) => Box::pin(run::run(&args, io, reach)).await,
                    Command::Reconcile(args) => Box::pin(reconcile::run(&args, io, reach)).await,
                    #[cfg(feature = "sandbox")]
                    Command::Demo(args) => demo::run(&args, io).await,
                    Command::Validate(_)
                    | Command::Exceptions(_)
                    | Command::Explain(_)
                    | Command::Generate(_)
                    | Command::Healthcheck(_) => Ok(Exit::Done),
                };
                world.keep_time();
                result
            };
            runtime.block_on(work.instrument(span))
        }),
    };
    io.end_traces();
    result.unwrap_or_else(|error| error.print(io))
}

/// Two workers are plenty: what is waited for is AWS. In memory nobody waits: the minutes that AWS takes for a standard
/// or a recorder pass whenever everything waits for them.
fn runtime(in_memory: bool) -> Result<tokio::runtime::Runtime, Stop> {
    let mut runtime = if in_memory {
        tokio::runtime::Builder::new_current_thread()
    } else {
        tokio::runtime::Builder::new_multi_thread()
    };
    #[cfg(feature = "sandbox")]
    runtime.start_paused(in_memory);
    let built = runtime.worker_threads(2).enable_all().build();
    built.map_err(|error| Stop::failed(anyhow::Error::new(error).context("cannot start")))
}

/// Help and version are answers; anything else that clap stops for is wrong usage, 64. (Its own code, 2,
/// says "changes" in a plan.)
fn usage(error: &clap::Error, io: &mut Io) -> Exit {
    let plain = error.render().to_string();
    // What was typed is said again; only what is harmless is said with colours of our own.
    let harmless: String = plain.split_inclusive('\n').map(escape_line).collect();
    let text = if io.color && harmless == plain { error.render().ansi().to_string() } else { harmless };
    if error.use_stderr() {
        io.err(&text);
        Exit::Usage
    } else {
        io.out(&text);
        Exit::Done
    }
}

fn escape_line(line: &str) -> String {
    let (text, end) = line.strip_suffix('\n').map_or((line, ""), |text| (text, "\n"));
    format!("{}{end}", crate::report::escape::escape(text))
}

/// The command as clap knows it: every command tells the exit codes.
pub(crate) fn command() -> clap::Command {
    Args::command().mut_subcommands(|command| command.after_help(args::exits()))
}

/// The error and its causes, in one line.
impl std::fmt::Display for Stop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.error.as_ref().map_or(Ok(()), |error| write!(f, "{error:#}"))
    }
}

/// Why a command ended early: what to say, and with which code.
#[derive(Debug)]
pub(crate) struct Stop {
    exit: Exit,
    /// Absent where everything has been said already.
    error: Option<anyhow::Error>,
    hints: Vec<String>,
}

impl Stop {
    /// Everything has been said.
    pub fn silent(exit: Exit) -> Self {
        Self { exit, error: None, hints: Vec::new() }
    }

    pub fn failed(error: impl Into<anyhow::Error>) -> Self {
        Self { exit: Exit::Failed, error: Some(error.into()), hints: Vec::new() }
    }

    pub fn with(exit: Exit, error: impl Into<anyhow::Error>) -> Self {
        Self { exit, error: Some(error.into()), hints: Vec::new() }
    }

    pub fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, error: Some(anyhow::Error::msg(message.into())), hints: Vec::new() }
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// `error:` and the chain of causes, then hints; on stderr.
    fn print(self, io: &mut Io) -> Exit {
        if let Some(error) = self.error {
            let mut text = format!("error: {}\n", crate::report::escape::escape(&error.to_string()));
            for cause in error.chain().skip(1) {
                text.push_str(&format!(
                    "  caused by: {}\n",
                    crate::report::escape::escape(&cause.to_string())
                ));
            }
            for hint in self.hints {
                text.push_str(&format!("hint: {}\n", crate::report::escape::escape(&hint)));
            }
            io.err(&text);
        }
        self.exit
    }
}
