//! What most commands begin with: documents, a connection, the roster, and the desired state made of them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use ulid::Ulid;

use super::io::Io;
use super::{Stop, args};
use crate::apply::audit_place;
use crate::audit::{Audit, AuditError, Memory};
use crate::aws::limits::Limits;
use crate::aws::organization::Member;
use crate::aws::{Aws, Connection, NotOpened, sdk_config};
use crate::controls::CONTROLS;
use crate::desired::{self, DesiredAccount, DesiredState, Documents, Loaded, Revision, Settings, Source};
use crate::diagnostic::{self, Diagnostic};
use crate::observe::Fleet;
use crate::place::{AccountId, Region};
use crate::plan::{Exit, Selection};
use crate::roster::{limits, roster_of};
use crate::saved::SavedPlan;

/// How AWS is reached.
#[derive(Clone, Debug)]
pub enum Reach {
    /// As the SDK's own settings say.
    Environment,
    /// An organisation in memory.
    #[cfg(feature = "sandbox")]
    Sandbox(crate::sandbox::World),
}

impl Reach {
    pub(super) fn is_in_memory(&self) -> bool {
        !matches!(self, Self::Environment)
    }

    /// What passed on a clock that does not run by itself stays passed when that clock is gone.
    pub(super) fn keep_time(&self) {
        #[cfg(feature = "sandbox")]
        if let Self::Sandbox(world) = self {
            world.keep_time();
        }
    }

    pub(super) async fn connection(&self, home: &Region) -> Result<Connection, Stop> {
        match self {
            Self::Environment => sdk_config(home).await.map_err(|error| {
                Stop::failed(error)
                    .hint("the AWS SDK's own settings are used: try `aws sts get-caller-identity`")
            }),
            #[cfg(feature = "sandbox")]
            Self::Sandbox(world) => Ok(world.connection(home)),
        }
    }

    pub(super) async fn connect(&self, home: &Region, limits: Limits) -> Result<Aws, Stop> {
        let connection = self.connection(home).await?;
        Aws::connect(connection, limits, &Ulid::generate().to_string()).await.map_err(|fault| {
            let hint = fault.hint();
            let stop =
                Stop::with(Exit::Incomplete, anyhow::Error::new(fault).context("cannot tell who calls"));
            match hint {
                Some(hint) => stop.hint(hint),
                None => stop,
            }
        })
    }
}

/// The day by which documents are judged.
pub(super) fn today() -> Date {
    desired::day(Timestamp::now())
}

/// Reads and checks the documents, and prints what is wrong with them. Nothing is observed with wrong ones.
pub(super) fn load(args: &args::Documents, io: &mut Io) -> Result<(Loaded, Documents), Stop> {
    let mut loaded = desired::load(&args.dir, CONTROLS, today());
    tell(&loaded, &loaded.diagnostics, io);
    match loaded.documents.take() {
        Some(documents) => Ok((loaded, documents)),
        None => Err(Stop::silent(Exit::Failed)),
    }
}

fn tell(loaded: &Loaded, diagnostics: &[Diagnostic], io: &mut Io) {
    if !diagnostics.is_empty() {
        io.err(&diagnostic::human(diagnostics, &loaded.sources, io.color));
    }
}

/// Everything that a plan needs but the looking.
pub(super) struct Ready {
    pub fleet: Fleet,
    pub members: Vec<Member>,
    /// The documents, by path below their folder.
    pub texts: BTreeMap<String, String>,
}

/// Where audit records are: where the documents say, or in a hidden folder beside them. A folder is meant from the
/// documents on, wherever the command is run.
pub(super) struct Records<'a> {
    fleet: &'a Fleet,
    place: String,
    owners: Vec<AccountId>,
}

pub(super) fn records<'a>(fleet: &'a Fleet, dir: &Path) -> Records<'a> {
    let settings = &fleet.desired.organization;
    let place = audit_place(settings, dir);
    Records { fleet, place, owners: settings.seats.values().cloned().collect() }
}

impl Records<'_> {
    pub(super) async fn open(&self) -> Result<Audit, AuditError> {
        let home = &self.fleet.desired.organization.home;
        Audit::open(&self.place, &self.fleet.aws, home, &self.owners).await
    }

    /// To be read only: nothing is made.
    pub(super) async fn read(&self) -> Result<Memory, AuditError> {
        let home = &self.fleet.desired.organization.home;
        Memory::open(&self.place, &self.fleet.aws, home, &self.owners).await
    }
}

/// Loads, connects, asks AWS Organizations where the documents want it, and merges.
pub(super) async fn ready(args: &args::Documents, io: &mut Io, reach: &Reach) -> Result<Ready, Stop> {
    let (loaded, documents) = load(args, io)?;
    let settings = Settings::of(&documents);
    let aws = reach.connect(&settings.home, limits(&settings)).await?;
    let members = roster(&documents, &settings, &aws).await?;
    let desired = resolve(&loaded, &documents, &members, desired::revision(&args.dir), io)?;
    let texts = loaded.texts();
    Ok(Ready { fleet: Fleet::new(aws, Arc::new(desired), CONTROLS), members, texts })
}

/// The same from a saved plan: its documents, its revision, its roster. AWS is asked who calls, and nothing else.
pub(super) async fn ready_from(
    saved: &SavedPlan,
    dir: &Path,
    io: &mut Io,
    reach: &Reach,
) -> Result<Fleet, Stop> {
    let other = || {
        Stop::with(
            Exit::Refused,
            anyhow::Error::msg("the plan was made from documents that this build reads in another way"),
        )
        .hint("plan again with this build")
    };
    let mut loaded = desired::load_texts(dir, &saved.documents, CONTROLS, today());
    let Some(documents) = loaded.documents.take() else {
        tell(&loaded, &loaded.diagnostics, io);
        return Err(other());
    };
    if desired::digest(&loaded) != saved.plan.digest {
        return Err(other());
    }
    let settings = Settings::of(&documents);
    let aws = reach.connect(&settings.home, limits(&settings)).await?;
    let desired = resolve(&loaded, &documents, &saved.members, saved.revision.clone(), io)?;
    Ok(Fleet::new(aws, Arc::new(desired), CONTROLS))
}

/// Merges for the accounts that are known, and prints what only they show to be wrong.
pub(super) fn resolve(
    loaded: &Loaded,
    documents: &Documents,
    members: &[Member],
    revision: Option<Revision>,
    io: &mut Io,
) -> Result<DesiredState, Stop> {
    let resolved = documents.resolve(&roster_of(members));
    let news: Vec<Diagnostic> =
        resolved.diagnostics.iter().filter(|one| !loaded.diagnostics.contains(one)).cloned().collect();
    tell(loaded, &news, io);
    if resolved.diagnostics.iter().any(Diagnostic::is_error) {
        return Err(Stop::silent(Exit::Failed));
    }
    let digest = desired::digest(loaded);
    let source = Source { documents: loaded.texts(), members: members.to_vec() };
    Ok(DesiredState::new(documents, resolved, revision, digest).made_of(source))
}

/// A desired state that was applied, from what is kept of it. Why not, where it is not what was applied, or where this
/// build reads the documents in another way.
pub(super) fn applied(source: &Source, digest: &str, dir: &Path) -> Result<DesiredState, String> {
    let mut loaded = desired::load_texts(dir, &source.documents, CONTROLS, today());
    if desired::digest(&loaded) != digest {
        return Err("the documents are not those that were applied".into());
    }
    let other = || "this build reads the documents in another way".to_owned();
    let documents = loaded.documents.take().ok_or_else(other)?;
    let resolved = documents.resolve(&roster_of(&source.members));
    if resolved.diagnostics.iter().any(Diagnostic::is_error) {
        return Err(other());
    }
    Ok(DesiredState::new(&documents, resolved, None, digest.to_owned()))
}

/// The roster, where the documents want one.
pub(super) async fn roster(
    documents: &Documents,
    settings: &Settings,
    aws: &Aws,
) -> Result<Vec<Member>, Stop> {
    crate::roster::roster(documents, settings, aws).await.map_err(|why| match why {
        NotOpened::Refused(why) => Stop::with(Exit::Refused, anyhow::Error::msg(why)),
        NotOpened::Unreachable(fault) => {
            let hint = fault.hint();
            let error = anyhow::Error::new(fault).context("cannot list the organisation's accounts");
            let stop = Stop::with(Exit::Incomplete, error);
            match hint {
                Some(hint) => stop.hint(hint),
                None => stop,
            }
        }
    })
}

/// The selectors, with every name checked: one that matches nothing would change nothing, silently.
pub(super) fn selection(
    args: &args::Selectors,
    desired: &DesiredState,
    dir: &Path,
    members: &[Member],
) -> Result<Selection, Stop> {
    let since = args.changed_since.as_deref();
    let changed = since.map(|revision| changed_since(revision, desired, dir, members)).transpose()?;
    let mut selection = Selection { changed, ..Selection::default() };
    for wanted in &args.accounts {
        let found = desired.accounts.iter().find(|one| *one.name == **wanted || one.id.as_str() == wanted);
        let Some(account) = found else {
            let names = desired.accounts.iter().map(|account| &*account.name);
            return Err(unmatched("--account", wanted, names));
        };
        selection.accounts.insert(account.id.clone());
    }
    for wanted in &args.controls {
        let mut ids = CONTROLS.iter().map(|control| control.meta().id);
        if !ids.clone().any(|id| id == wanted) {
            return Err(unmatched("--control", wanted, &mut ids));
        }
        selection.controls.insert(wanted.clone());
    }
    // Which regions are enabled is only known once an account has been seen.
    selection.regions.extend(args.regions.iter().cloned());
    Ok(selection)
}

/// What the documents at hand say otherwise than those where the branch left `revision`.
fn changed_since(
    revision: &str,
    head: &DesiredState,
    dir: &Path,
    members: &[Member],
) -> Result<BTreeSet<(AccountId, String)>, Stop> {
    let (base, texts) = desired::texts_at(dir, revision).map_err(|error| {
        Stop::failed(error).hint("a clone with its whole history is needed (`fetch-depth: 0`)")
    })?;
    if texts.is_empty() {
        let all = |account: &DesiredAccount| {
            account.controls.keys().map(|id| (account.id.clone(), id.clone())).collect::<Vec<_>>()
        };
        return Ok(head.accounts.iter().flat_map(all).collect());
    }
    let mut loaded = desired::load_texts(dir, &texts, CONTROLS, today());
    let documents = loaded.documents.take();
    let resolved = documents.as_ref().map(|documents| documents.resolve(&roster_of(members)));
    match (documents, resolved) {
        (Some(documents), Some(resolved)) if !resolved.diagnostics.iter().any(Diagnostic::is_error) => {
            let digest = desired::digest(&loaded);
            Ok(desired::changed(&DesiredState::new(&documents, resolved, None, digest), head))
        }
        _ => {
            let short = base.get(..8).unwrap_or(&base);
            let why =
                format!("the documents at {short} are wrong themselves, so what differs cannot be told");
            Err(Stop::failed(anyhow::Error::msg(why)).hint("plan without --changed-since"))
        }
    }
}

pub(super) fn unmatched<'a>(flag: &str, wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Stop {
    let near = names
        .into_iter()
        .map(|name| (strsim::jaro_winkler(name, wanted), name))
        .filter(|(likeness, _)| *likeness > 0.7)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    let stop = Stop::usage(format!("{flag} `{wanted}` matches nothing in the desired state"));
    match near {
        Some((_, name)) => stop.hint(format!("did you mean `{name}`?")),
        None => stop,
    }
}
