//! `baseline doctor`

use std::sync::Arc;
use std::time::Instant;

use super::Stop;
use super::args::{Doctor as Args, DoctorFormat, Selectors};
use super::context::{self, Reach};
use super::io::Io;
use super::progress::Progress;
use crate::controls::CONTROLS;
use crate::desired::{self, Settings};
use crate::doctor::{Health, Wish, examine};
use crate::guard::quoted;
use crate::observe::{Fleet, Observer};
use crate::plan::Exit;
use crate::report::{human, json};
use crate::roster::{limits, roster};

pub(super) async fn run(args: &Args, io: &mut Io, reach: Reach) -> Result<Exit, Stop> {
    let start = Instant::now();
    let dir = &args.documents.dir;
    let (loaded, documents) = context::load(&args.documents, io)?;
    let settings = Settings::of(&documents);
    let aws = reach.connect(&settings.home, limits(&settings)).await?;
    // Accounts that the documents name by their ids are examined without the list as well.
    let (members, unlisted) = match roster(&documents, &settings, &aws).await {
        Ok(members) => (members, None),
        Err(why) => (Vec::new(), Some(why)),
    };
    let desired = context::resolve(&loaded, &documents, &members, desired::revision(dir), io)?;
    let selectors = Selectors {
        accounts: args.accounts.clone(),
        regions: Vec::new(),
        controls: Vec::new(),
        changed_since: None,
    };
    let selection = context::selection(&selectors, &desired, dir, &members)?;
    let fleet = Fleet::new(aws, Arc::new(desired), CONTROLS);
    let wish = Wish { selection, read_only: args.read_only, dir };
    let observer;
    let fleet = if args.read_only {
        observer = Observer::of(fleet);
        observer.fleet()
    } else {
        &fleet
    };

    let all = fleet.desired.accounts.iter();
    let progress =
        Progress::new(io, "accounts examined", all.filter(|one| wish.selection.touches(&one.id)).count());
    let health: Health = examine(fleet, unlisted, &wish, &|_| progress.one_more()).await;
    drop(progress);

    let exit = health.exit();
    let context = human::DoctorContext {
        organization: &fleet.desired.organization,
        caller: fleet.aws.identity(),
        principal: crate::doctor::caller(fleet),
        dir: &quoted(&dir.display().to_string()),
        reads: fleet.aws.journal().reads(),
        elapsed: start.elapsed(),
        exit,
    };
    io.out(&match args.format {
        DoctorFormat::Human => human::doctor(&health, &context, &io.style()),
        DoctorFormat::Json => {
            json::doctor(&health, &fleet.desired.organization, fleet.aws.identity(), exit.code())
        }
    });
    Ok(exit)
}
