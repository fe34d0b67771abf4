//! `baseline run`

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use ulid::Ulid;

use super::Stop;
use super::args::Run as Args;
use super::context::Reach;
use super::io::Io;
use super::notifications::environment;
use super::signals::{Hangups, Signals};
use crate::controller::notify::Notifier;
use crate::controller::queue::sqs::{QueueError, QueueUrl};
use crate::controller::schedule::Budget;
use crate::controller::source::{FolderSource, Source};
use crate::controller::{self, Clock, Connect, NotTaken, Order, Pulse, Settings};
use crate::plan::Exit;
use crate::serve::{self, Listen, Served, Token};

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
    let serving = match args.listen {
        Some(listen) => Some(serving(args, listen).await?),
        None => None,
    };
    let clock = clock(&reach);
    let pulse = Arc::new(Pulse::new(clock));
    let notifier = Notifier::new(clock, environment(), reach.is_in_memory());
    let settings = Settings {
        pulse: Arc::clone(&pulse),
        notifier,
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
        connect: connect(reach),
    };
    let served = serving.map(|serving| serving.begin(pulse));
    let ended = controller::run(&settings, receiver).await;
    listening.abort();
    if let Some(served) = served {
        served.end().await;
    }
    match ended {
        Ok(()) => Ok(Exit::Done),
        Err(error) => Err(told(error, io)),
    }
}

/// What is served, before there is anything to serve.
struct Serving {
    listener: TcpListener,
    address: SocketAddr,
    token: Option<Token>,
}

/// What is served while the controller runs.
struct Begun {
    stop: CancellationToken,
    serving: JoinHandle<std::io::Result<()>>,
}

/// Answers that are under way when everything else has ended.
const FINISHED_WITHIN: Duration = Duration::from_secs(5);

/// Takes the address and the token, or says why not: nothing is looked at where nobody could see it.
async fn serving(args: &Args, listen: Listen) -> Result<Serving, Stop> {
    let token = args.token_file.as_deref().map(Token::read).transpose().map_err(Stop::failed)?;
    if token.is_none() && !listen.is_loopback() {
        let why =
            format!("--listen {listen} can be asked by others than this machine, and there is no token");
        return Err(Stop::usage(why)
            .hint("--token-file FILE (or BASELINE_TOKEN_FILE): `head -c 32 /dev/urandom | base64 > FILE` makes one")
            .hint("or --listen 127.0.0.1:PORT, and reach it through a tunnel"));
    }
    if let Some(file) = args.token_file.as_deref().filter(|file| is_anybodys(file)) {
        let file = file.display().to_string();
        tracing::warn!(target: controller::TARGET, file, "everybody on this machine may read the token: chmod go= FILE");
    }
    let failed = |error: std::io::Error| {
        Stop::failed(anyhow::Error::new(error).context(format!("cannot listen at {listen}")))
    };
    let listener = TcpListener::bind(listen.0).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok(Serving { listener, address, token })
}

/// May others than its owner and group read the file? Told and not refused: orchestrators mount secrets so.
fn is_anybodys(file: &Path) -> bool {
    std::fs::metadata(file).is_ok_and(|about| about.permissions().mode() & 0o004 != 0)
}

impl Serving {
    fn begin(self, pulse: Arc<Pulse>) -> Begun {
        let Self { listener, address, token } = self;
        tracing::info!(target: controller::TARGET, %address, token = token.is_some(), "serving");
        let stop = CancellationToken::new();
        let app = serve::app(Arc::new(Served::new(pulse, token)));
        let serving = tokio::spawn(serve::serve(listener, app, stop.clone()));
        Begun { stop, serving }
    }
}

impl Begun {
    /// The page is there until the last step is finished.
    async fn end(self) {
        self.stop.cancel();
        let ended = tokio::time::timeout(FINISHED_WITHIN, self.serving).await;
        if let Ok(Ok(Err(error))) = ended {
            tracing::warn!(target: controller::TARGET, %error, "what was served had ended before");
        }
    }
}

/// Not by clap, as with `--source`.
pub(super) fn queue(said: Option<&str>, flag: &str) -> Result<Option<QueueUrl>, Stop> {
    let parsed = said.map(|said| said.parse().map_err(|why| format!("{flag} cannot be used: {why}")));
    parsed.transpose().map_err(Stop::usage)
}

/// A world in memory has a clock that can be turned.
pub(super) fn clock(reach: &Reach) -> Clock {
    if reach.is_in_memory() { Clock::of_runtime() } else { Clock::System }
}

/// A connection for each home region that the documents come to name.
pub(super) fn connect(reach: Reach) -> Connect {
    Box::new(move |home| {
        let reach = reach.clone();
        Box::pin(async move { reach.connection(&home).await.map_err(|stop| stop.to_string()) })
    })
}

/// Why it cannot begin.
pub(super) fn told(error: NotTaken, io: &mut Io) -> Stop {
    if let NotTaken::Documents { all, .. } = &error {
        io.err(all);
        return Stop::silent(Exit::Failed);
    }
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
