//! `baseline run`

use tokio::sync::mpsc;
use ulid::Ulid;

use super::Stop;
use super::args::Run as Args;
use super::context::Reach;
use super::io::Io;
use super::signals::{Hangups, Signals};
use crate::controller::queue::sqs::{QueueError, QueueUrl};
use crate::controller::schedule::Budget;
use crate::controller::source::{FolderSource, Source};
use crate::controller::{self, Clock, NotTaken, Order, Settings};
use crate::plan::Exit;

pub(super) async fn run(args: &Args, io: &mut Io, reach: Reach) -> Result<Exit, Stop> {
    let failed =
        |error: std::io::Error, what: &'static str| Stop::failed(anyhow::Error::new(error).context(what));
    // Signals count from here on.
    let signals = Signals::listen().map_err(|error| failed(error, "cannot listen for signals"))?;
    let hangups = Hangups::listen().map_err(|error| failed(error, "cannot listen for signals"))?;
    let (orders, receiver) = mpsc::channel(16);
    let listening = tokio::spawn(obey(signals, hangups, orders));

    // Kept until the end: what was fetched goes with it.
    let passing = tempfile::Builder::new().prefix("baseline-run-").tempdir();
    let passing = passing.map_err(|error| failed(error, "cannot make a folder to fetch to"))?;
    let work = args.work_dir.as_deref().unwrap_or(passing.path());
    let source = match &args.source {
        // Not by clap: it would say again what was typed, and that may hold a password.
        Some(source) => source
            .parse::<Source>()
            .map_err(|why| Stop::usage(format!("--source cannot be used: {why}")))?
            .working_in(work),
        None => Source::Folder(FolderSource { dir: args.documents.dir.clone() }),
    };
    let clock = if reach.is_in_memory() { Clock::of_runtime() } else { Clock::System };
    let settings = Settings {
        source,
        enforce: args.enforce,
        interval: args.interval,
        interval_with_hints: args.interval_with_hints,
        queue: queue(args.queue.as_deref(), "--queue")?,
        hints: queue(args.hints.as_deref(), "--hints")?,
        poll: args.poll,
        accounts_at_once: args.accounts_at_once.into(),
        budget: Budget { per_hour: args.calls_per_account_hour },
        allow: args.allow.clone(),
        clock,
        run: Ulid::generate().to_string(),
        connect: Box::new(move |home| {
            let reach = reach.clone();
            Box::pin(async move { reach.connection(&home).await.map_err(|stop| stop.to_string()) })
        }),
    };
    let ended = controller::run(&settings, receiver).await;
    listening.abort();
    match ended {
        Ok(()) => Ok(Exit::Done),
        Err(NotTaken::Documents { all, .. }) => {
            io.err(&all);
            Err(Stop::silent(Exit::Failed))
        }
        Err(error) => Err(told(error)),
    }
}

/// Not by clap, as with `--source`.
pub(super) fn queue(said: Option<&str>, flag: &str) -> Result<Option<QueueUrl>, Stop> {
    let parsed = said.map(|said| said.parse().map_err(|why| format!("{flag} cannot be used: {why}")));
    parsed.transpose().map_err(Stop::usage)
}

/// Why it cannot begin.
pub(super) fn told(error: NotTaken) -> Stop {
    let (exit, hint) = match &error {
        NotTaken::WrongAccount(_) => (Exit::Refused, None),
        NotTaken::Caller(fault) | NotTaken::Roster(fault) => (Exit::Incomplete, fault.hint()),
        NotTaken::Connect(_) => {
            (Exit::Failed, Some("the AWS SDK's own settings are used: try `aws sts get-caller-identity`"))
        }
        NotTaken::Audit(_) => {
            (Exit::Failed, Some("conditions and records are kept there; see `audit` in the Organization"))
        }
        NotTaken::Queue(QueueError::Unreachable { .. }) => (
            Exit::Incomplete,
            Some(
                "the caller's own credentials need `sqs:GetQueueAttributes` and to send, receive and delete; see docs/operations.md",
            ),
        ),
        NotTaken::Queue(_) => (
            Exit::Failed,
            Some("`baseline generate hints` writes a CloudFormation template with both queues"),
        ),
        NotTaken::Source(_) | NotTaken::Documents { .. } | NotTaken::Records => (Exit::Failed, None),
    };
    let stop = Stop::with(exit, error);
    match hint {
        Some(hint) => stop.hint(hint),
        None => stop,
    }
}

/// SIGHUP looks again; the first Ctrl-C (or SIGTERM) lets what is in hand finish, the second ends the process.
async fn obey(mut signals: Signals, mut hangups: Hangups, orders: mpsc::Sender<Order>) {
    loop {
        let order = tokio::select! {
            () = signals.next() => Order::Stop,
            () = hangups.next() => Order::Reload,
        };
        let is_last = order == Order::Stop;
        // Nobody listens any more: it has ended.
        if orders.send(order).await.is_err() {
            return;
        }
        if is_last {
            break;
        }
    }
    signals.next().await;
    #[expect(clippy::disallowed_methods, reason = "the second signal means now")]
    std::process::exit(i32::from(Exit::Interrupted.code()));
}
