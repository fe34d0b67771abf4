//! `baseline observe`

use super::Stop;
use super::args::Observe;
use super::context::{self, Reach};
use super::io::Io;
use super::plan::counted_word;
use super::progress::Progress;
use crate::plan::{AccountState, Exit};
use crate::{report, survey};

pub(super) async fn run(args: &Observe, io: &mut Io, reach: Reach) -> Result<Exit, Stop> {
    let ready = context::ready(&args.documents, io, &reach).await?;
    let progress = Progress::new(io, "observed", ready.fleet.desired.accounts.len());
    let inventory = survey::inventory(&ready.fleet, ready.members, &|_| progress.one_more()).await;
    drop(progress);
    inventory.save(&args.out).map_err(Stop::failed)?;

    let mut exit = Exit::Done;
    let mut unseen = 0;
    for account in &inventory.accounts {
        let name = report::escape::escape(&account.name);
        match &account.state {
            AccountState::Unreachable { fault } => {
                io.err(&format!("? {name}: {}\n", report::escape::escape(&fault.to_string())));
                exit = exit.worse(Exit::Incomplete);
            }
            AccountState::Refused { why } => {
                io.err(&format!("? {name}: {}\n", report::escape::escape(why)));
                exit = exit.worse(Exit::Refused);
            }
            AccountState::Reached | AccountState::NotTried { .. } => {}
        }
        let observations = account.scopes.values().flat_map(|scope| scope.values());
        unseen += observations.filter(|one| one.is_unseen()).count();
    }
    if unseen > 0 {
        exit = exit.worse(Exit::Incomplete);
        let failed = counted_word(unseen, "observation");
        io.err(&format!("{failed} failed; `baseline plan --offline` says which and why\n"));
    }
    let accounts = counted_word(inventory.accounts.len(), "account");
    let reads = counted_word(inventory.reads, "read");
    io.err(&format!("{}: {accounts}, {reads}\n", args.out.display()));
    Ok(exit)
}
