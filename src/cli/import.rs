//! `baseline import`: an account's document that says what is live.

use std::collections::BTreeSet;
use std::io::Write as _;

use super::Stop;
use super::args::{Import as Args, Selectors};
use super::context::{self, Reach, Ready};
use super::io::Io;
use super::plan::counted_word;
use crate::desired::{self, DocumentName};
use crate::import::{Import, import};
use crate::plan::{AccountState, Exit};
use crate::report::escape::escape;

pub(super) async fn run(args: &Args, io: &mut Io, reach: Reach) -> Result<Exit, Stop> {
    let Ready { fleet, members, .. } = context::ready(&args.documents, io, &reach).await?;
    let selectors = Selectors {
        accounts: vec![args.account.clone()],
        controls: args.controls.clone(),
        ..Selectors::default()
    };
    let selection = context::selection(&selectors, &fleet.desired, &args.documents.dir, &members)?;
    let account = selection.accounts.first().and_then(|id| fleet.desired.account(id));
    let Some(account) = account else {
        return Err(Stop::usage(format!("--account `{}` matches nothing", args.account)));
    };
    let today = context::today();
    let wanted: BTreeSet<String> = selection.controls.clone();
    let found = import(&fleet, account, &wanted, &format!("as it was imported on {today}")).await;
    let found = found.map_err(|state| unreachable_account(&args.account, state))?;
    let head = [
        format!("What is live in {} on {today}, where it differs from its baselines.", account.name),
        "Merge it into the account's document; then take out, one by one, what should be as the baselines say."
            .to_owned(),
    ];
    let document = DocumentName::Account { name: account.name.to_string(), id: account.id.clone() };
    let text = desired::fragment(&head, &document, &found.written);
    match &args.out {
        None => io.out(&text),
        Some(path) => {
            let written =
                std::fs::File::create_new(path).and_then(|mut file| file.write_all(text.as_bytes()));
            written.map_err(|error| {
                let what = format!("cannot write `{}`", path.display());
                Stop::failed(anyhow::Error::new(error).context(what))
            })?;
        }
    }
    io.err(&told(&found));
    Ok(if found.unseen.is_empty() { Exit::Done } else { Exit::Incomplete })
}

fn unreachable_account(name: &str, state: AccountState) -> Stop {
    match state {
        AccountState::Refused { why } => Stop::with(Exit::Refused, anyhow::Error::msg(why)),
        AccountState::Unreachable { fault } => {
            let error = anyhow::Error::new(fault).context(format!("{name} could not be reached"));
            Stop::with(Exit::Incomplete, error)
        }
        AccountState::NotTried { why } => {
            Stop::failed(anyhow::Error::msg(format!("{name} is not tried: {why}")))
        }
        AccountState::Reached => Stop::silent(Exit::Failed),
    }
}

fn told(found: &Import) -> String {
    let mut text = format!(
        "{} not as the baselines say, {} as they say\n",
        counted_word(found.written.len(), "control"),
        found.same
    );
    for (control, region, why) in &found.unseen {
        text.push_str(&format!("? {control} {region}: {}\n", escape(why)));
    }
    for open in &found.open {
        text.push_str(&format!("! {}\n", escape(open)));
    }
    text
}
