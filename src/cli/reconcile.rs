//! `baseline reconcile`: an account's turn now, taken here or asked for.

use std::sync::Arc;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use ulid::Ulid;

use super::Stop;
use super::args::Reconcile as Args;
use super::context::{self, Reach, unmatched};
use super::io::Io;
use super::notifications::environment;
use super::run::{clock, connect, queue, told};
use super::signals::Signals;
use crate::controller::condition::{Status, Type};
use crate::controller::notify::Notifier;
use crate::controller::once::{Once, Turned};
use crate::controller::queue::sqs::QueueUrl;
use crate::controller::queue::{Wanted, Why};
use crate::controller::schedule::Budget;
use crate::controller::source::{FolderSource, Source};
use crate::controller::{NotTaken, Pulse, Settings};
use crate::desired::{DesiredAccount, DesiredState};
use crate::plan::Exit;
use crate::report::escape::escape;
use crate::report::wrap;

pub(super) async fn run(args: &Args, io: &mut Io, reach: Reach) -> Result<Exit, Stop> {
    match queue(args.queue.as_deref(), "--queue")? {
        Some(queue) => ask(args, &queue, io, &reach).await,
        None => turn(args, io, reach).await,
    }
}

/// The accounts that were named, each of which must be there.
fn named<'a>(args: &Args, desired: &'a DesiredState) -> Result<Vec<&'a DesiredAccount>, Stop> {
    let find = |wanted: &String| {
        let found = desired.accounts.iter().find(|one| *one.name == **wanted || one.id.as_str() == wanted);
        found.ok_or_else(|| unmatched("--now", wanted, desired.accounts.iter().map(|one| &*one.name)))
    };
    args.now.iter().map(find).collect()
}

/// Leaves it to the replicas of a queue.
async fn ask(args: &Args, queue: &QueueUrl, io: &mut Io, reach: &Reach) -> Result<Exit, Stop> {
    let ready = context::ready(&args.documents, io, reach).await?;
    let fleet = &ready.fleet;
    let accounts = named(args, &fleet.desired)?;
    queue.check(&fleet.aws, true).await.map_err(|error| told(NotTaken::Queue(error), io))?;
    for account in accounts {
        let why = Why::Now { id: Ulid::generate().to_string() };
        let wanted = Wanted { account: account.id.clone(), since: Timestamp::now(), why };
        queue.send(&fleet.aws, &wanted).await.map_err(|fault| {
            Stop::with(Exit::Incomplete, anyhow::Error::new(fault).context("the queue takes no message"))
        })?;
        io.out(&format!("asked for  {} ({})\n", escape(&account.name), account.id));
    }
    Ok(Exit::Done)
}

/// Takes the turns here, with the code of the controller.
async fn turn(args: &Args, io: &mut Io, reach: Reach) -> Result<Exit, Stop> {
    let failed =
        |error: std::io::Error| Stop::failed(anyhow::Error::new(error).context("cannot listen for signals"));
    let mut signals = Signals::listen().map_err(failed)?;
    let clock = clock(&reach);
    let hour = std::time::Duration::from_secs(3600);
    let settings = Settings {
        pulse: Arc::new(Pulse::new(clock)),
        // What people are to be told is kept, for the controller to tell.
        notifier: Notifier::new(clock, environment(), reach.is_in_memory()),
        source: Source::Folder(FolderSource { dir: args.documents.dir.clone() }),
        enforce: args.enforce,
        interval: hour,
        interval_with_hints: hour,
        queue: None,
        hints: None,
        poll: hour,
        accounts_at_once: 1,
        budget: Budget { per_hour: u32::MAX },
        allow: args.allow.clone(),
        clock,
        run: Ulid::generate().to_string(),
        connect: connect(reach),
    };
    let once = match Once::open(&settings).await {
        Ok(Some(once)) => once,
        Ok(None) => return Err(Stop::silent(Exit::Failed)),
        Err(error) => return Err(told(error, io)),
    };
    let accounts = named(args, once.desired())?;
    let stop = CancellationToken::new();
    let mut exit = Exit::Done;
    for account in accounts {
        if stop.is_cancelled() {
            exit = exit.worse(Exit::Interrupted);
            break;
        }
        let mut turn = std::pin::pin!(once.take(account, &stop));
        let turned = tokio::select! {
            turned = &mut turn => turned,
            () = signals.next() => {
                stop.cancel();
                turn.await
            }
        };
        io.out(&text(account, &turned, args.enforce));
        exit = exit.worse(turned.exit);
    }
    Ok(exit)
}

/// What came of a turn, for people.
fn text(account: &DesiredAccount, turned: &Turned, enforces: bool) -> String {
    let is_synced = turned
        .conditions
        .as_ref()
        .and_then(|kept| kept.condition(Type::Synced))
        .is_some_and(|synced| synced.status == Status::True);
    let standing = match (&turned.left, is_synced) {
        (Some(_), _) => "left alone",
        (None, true) => "as desired",
        (None, false) => "not as desired",
    };
    let mut text = format!("{} ({}): {standing}\n", escape(&account.name), account.id);
    let mut line = |indent: usize, what: &str| {
        let space = " ".repeat(indent);
        for line in wrap(&escape(what), 80 - indent) {
            text.push_str(&format!("{space}{line}\n"));
        }
    };
    turned.left.iter().for_each(|why| line(2, why));
    turned.changed.iter().for_each(|changed| line(2, &format!("put right: {changed}")));
    let controls = turned.conditions.iter().filter(|_| turned.left.is_none()).flat_map(|kept| &kept.controls);
    for control in controls.filter(|control| !control.is(Type::Synced)) {
        line(2, &format!("{} in {}", control.control, control.region));
        let said =
            control.conditions.iter().filter(|one| one.kind != Type::Synced && one.status == Status::True);
        let mut said = said.peekable();
        if said.peek().is_none() {
            let synced = control.condition(Type::Synced);
            synced.into_iter().for_each(|one| line(4, &format!("{}: {}", one.reason, one.message)));
        }
        for one in said {
            line(4, &format!("{} ({}): {}", one.kind.word(), one.reason, one.message));
        }
    }
    turned.not_kept.iter().for_each(|why| line(2, &format!("done, but not recorded: {why}")));
    if !enforces && turned.left.is_none() && !is_synced {
        line(2, "nothing was changed: that takes --enforce");
    }
    line(2, &format!("run {}, {} calls", turned.run, turned.calls));
    text
}
