//! `baseline init`

use super::Stop;
use super::args::Init;
use super::context::Reach;
use super::io::Io;
use crate::aws::limits::Limits;
use crate::controls::CONTROLS;
use crate::desired;
use crate::place::Region;
use crate::plan::Exit;

pub(super) async fn run(args: &Init, io: &mut Io, reach: Reach) -> Result<Exit, Stop> {
    let fallback = args.region.clone().unwrap_or_else(|| Region::new("us-east-1"));
    let (account, home) = match &args.account_id {
        Some(account) => (account.clone(), fallback),
        None => {
            let region = reach.connection(&fallback).await?.region;
            let aws = reach.connect(&region, Limits::default()).await.map_err(|stop| {
                stop.hint("or name the account: `baseline init --account-id 111122223333 --region eu-west-1`")
            })?;
            (aws.identity().account.clone(), args.region.clone().unwrap_or(region))
        }
    };
    let written = desired::init(&args.dir, &account, &args.name, &home, CONTROLS).map_err(Stop::failed)?;
    for path in written {
        io.out(&format!("wrote {}\n", path.display()));
    }
    let place = if args.dir == std::path::Path::new("./desired-state") {
        String::new()
    } else {
        format!(" -f {}", args.dir.display())
    };
    io.err(&format!("\nAccount {account}, home region {home}. Next: baseline plan{place}\n"));
    Ok(Exit::Done)
}
