//! `baseline render`

use super::Stop;
use super::args::Render;
use super::context::{self, Reach};
use super::io::Io;
use crate::aws::limits::Limits;
use crate::desired::{self, Settings};
use crate::plan::Exit;

pub(super) async fn run(args: &Render, io: &mut Io, reach: Reach) -> Result<Exit, Stop> {
    let (loaded, documents) = context::load(&args.documents, io)?;
    let settings = Settings::of(&documents);
    let members = if args.discover {
        let aws = reach.connect(&settings.home, Limits::default()).await?;
        context::roster(&documents, &settings, &aws).await?
    } else {
        Vec::new()
    };
    let desired =
        context::resolve(&loaded, &documents, &members, desired::revision(&args.documents.dir), io)?;
    let found =
        desired.accounts.iter().find(|one| *one.name == *args.account || one.id.as_str() == args.account);
    let Some(account) = found else {
        let names = desired.accounts.iter().map(|account| &*account.name);
        let stop = context::unmatched("the account", &args.account, names);
        return Err(if documents.organization.accounts.discover && !args.discover {
            stop.hint("accounts that only AWS Organizations knows are found with --discover")
        } else {
            stop
        });
    };
    io.out(&desired::render(account, args.origin));
    Ok(Exit::Done)
}
