//! `baseline exceptions`: what people signed for, until when, and how that stands today. Offline.

use super::Stop;
use super::args::{Exceptions as Args, TextOrJson};
use super::context;
use super::io::Io;
use crate::desired::{self, Validity};
use crate::plan::Exit;
use crate::report::{exceptions, json};

pub(super) fn run(args: &Args, io: &mut Io) -> Result<Exit, Stop> {
    let (loaded, documents) = context::load(&args.documents, io)?;
    let revision = desired::revision(&args.documents.dir);
    let desired = context::resolve(&loaded, &documents, &[], revision, io)?;
    let today = context::today();
    let expired = desired.exceptions.iter().any(|one| one.validity(today) == Validity::Expired);
    let exit = if args.detailed_exitcode && expired { Exit::Differs } else { Exit::Done };
    io.out(&match args.format {
        TextOrJson::Human => exceptions::list(&desired, today, &io.style()),
        TextOrJson::Json => json::exceptions(&desired, today, exit.code()),
    });
    Ok(exit)
}
