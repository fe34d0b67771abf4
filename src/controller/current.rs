//! The desired state that is being kept, and how the next one takes its place: read, checked and merged as a whole, or
//! not taken at all.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Semaphore;

use super::Settings;
use super::condition::Observed;
use super::queue::sqs::QueueError;
use super::source::{Found, SourceError};
use super::waves::Waves;
use crate::apply;
use crate::audit::{Audit, AuditError};
use crate::aws::limits::Limits;
use crate::aws::organization::Member;
use crate::aws::{Aws, NotOpened};
use crate::desired::{self, DesiredState, Documents, Loaded, Revision, Source};
use crate::diagnostic::{self, Diagnostic};
use crate::fault::Fault;
use crate::guard::Descent;
use crate::observe::unopened;
use crate::place::{AccountId, Region};
use crate::roster::{limits, roster, roster_of};

/// What accounts are looked at and changed with.
pub struct Current {
    pub desired: Arc<DesiredState>,
    pub aws: Aws,
    pub audit: Arc<Audit>,
    /// Names of the roles that are assumed; none where it is the caller's own credentials.
    pub roles: Vec<String>,
    /// Accounts that are written to at once: `guards.accountsAtOnce`.
    pub writing: Semaphore,
    /// Who is to take it before whom.
    pub waves: Waves,
    documents: Arc<Read>,
    members: Vec<Member>,
    /// How revisions stand to this one: asked of git once for each.
    descents: Mutex<BTreeMap<String, Descent>>,
}

impl fmt::Debug for Current {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Current").field("desired", &self.short()).finish_non_exhaustive()
    }
}

/// Documents as they were read.
struct Read {
    loaded: Loaded,
    documents: Documents,
    dir: PathBuf,
    revision: Option<Revision>,
    /// The source's word for them.
    fingerprint: String,
}

/// Why a desired state is not taken.
#[derive(Debug, thiserror::Error)]
pub enum NotTaken {
    #[error("the desired state cannot be read")]
    Source(#[from] SourceError),
    #[error("the documents are wrong: {first}")]
    Documents {
        /// The first error, with its place.
        first: String,
        /// All of them, as `validate` prints them.
        all: String,
    },
    #[error("there is no connection to AWS: {0}")]
    Connect(String),
    #[error("cannot tell who calls")]
    Caller(#[source] Fault),
    #[error("cannot list the organisation's accounts")]
    Roster(#[source] Fault),
    #[error("{0}")]
    WrongAccount(String),
    #[error("there is no place for records")]
    Audit(#[source] AuditError),
    #[error(transparent)]
    Queue(#[from] QueueError),
    #[error(
        "records would be lost with what was fetched: write `audit: s3://…` or an absolute folder in the Organization"
    )]
    Records,
}

impl NotTaken {
    /// Is it the documents' fault? Then they are not looked at again until they are others.
    pub fn is_lasting(&self) -> bool {
        matches!(self, Self::Documents { .. } | Self::Records)
    }

    /// The Kubernetes condition reason.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Documents { .. } => "Invalid",
            Self::Records | Self::Audit(_) => "NoRecords",
            Self::Source(_) => "SourceUnavailable",
            Self::Connect(_) | Self::Caller(_) => "NoConnection",
            Self::Roster(_) => "NoRoster",
            Self::Queue(_) => "NoQueue",
            Self::WrongAccount(_) => "WrongAccount",
        }
    }
}

/// What looking for a newer desired state came to.
pub(super) struct Followed {
    /// The source's own word for what it holds, where that is settled: taken, or wrong in itself.
    pub known: Option<String>,
    /// Absent: nothing new.
    pub taken: Option<Result<Current, NotTaken>>,
}

/// Looks at the source, and where it holds something new, or the roster is to be asked again, makes a desired state of
/// it. `before` goes on being kept whatever comes of it.
pub(super) async fn follow(
    settings: &Settings,
    before: Option<Arc<Current>>,
    known: Option<String>,
    ask_roster: bool,
) -> Followed {
    let today = desired::day(settings.clock.now());
    let connected = match (&before, settings.source.needs_aws()) {
        (Some(before), _) => Some(before.aws.clone()),
        (None, true) => match Box::pin(connect(settings, &Region::new("us-east-1"), Limits::default())).await
        {
            Ok(aws) => Some(aws),
            Err(error) => return Followed { known, taken: Some(Err(error)) },
        },
        (None, false) => None,
    };
    // On the heap: what is asked once a minute would make room for itself in what is waited for all the time.
    let found = Box::pin(settings.source.look(known.as_deref(), connected.as_ref(), today)).await;
    match (found, before) {
        (Err(error), _) => Followed { known, taken: Some(Err(error.into())) },
        (Ok(None), Some(before)) if ask_roster => {
            let read = Arc::clone(&before.documents);
            match Box::pin(make(settings, read, Some(&before))).await {
                Ok(taken) if taken.is_as(&before) => Followed { known, taken: None },
                taken => Followed { known, taken: Some(taken) },
            }
        }
        (Ok(None), _) => Followed { known, taken: None },
        (Ok(Some(found)), before) => {
            let fingerprint = found.fingerprint.clone();
            let taken = match read(found) {
                Ok(read) => Box::pin(make(settings, Arc::new(read), before.as_deref())).await,
                Err(error) => Err(error),
            };
            let is_settled = taken.as_ref().err().is_none_or(NotTaken::is_lasting);
            Followed { known: if is_settled { Some(fingerprint) } else { known }, taken: Some(taken) }
        }
    }
}

/// The documents of what was found, if they are right.
fn read(found: Found) -> Result<Read, NotTaken> {
    let Found { mut loaded, dir, revision, fingerprint } = found;
    match loaded.documents.take() {
        Some(documents) => Ok(Read { loaded, documents, dir, revision, fingerprint }),
        None => Err(wrong(&loaded, &loaded.diagnostics)),
    }
}

fn wrong(loaded: &Loaded, diagnostics: &[Diagnostic]) -> NotTaken {
    let first = diagnostics.iter().find(|one| one.is_error()).map(|one| {
        let place = one.primary().map(|label| loaded.sources.position(label.span).to_string());
        place.map_or_else(|| one.title.clone(), |place| format!("{} ({place})", one.title))
    });
    NotTaken::Documents {
        first: first.unwrap_or_else(|| "there are none".to_owned()),
        all: diagnostic::human(diagnostics, &loaded.sources, false),
    }
}

async fn connect(settings: &Settings, home: &Region, limits: Limits) -> Result<Aws, NotTaken> {
    let connection =
        (settings.connect)(home.clone()).await.map_err(|error| NotTaken::Connect(error.to_string()))?;
    Aws::connect(connection, limits, &settings.run).await.map_err(NotTaken::Caller)
}

/// A desired state from documents, with the accounts that there are now.
async fn make(settings: &Settings, read: Arc<Read>, before: Option<&Current>) -> Result<Current, NotTaken> {
    let said = desired::Settings::of(&read.documents);
    let same_rates = |before: &&Current| {
        before.desired.organization.limits == said.limits && before.desired.organization.home == said.home
    };
    let before_connected = before.filter(same_rates);
    let aws = match before_connected {
        Some(before) => before.aws.clone(),
        None => Box::pin(connect(settings, &said.home, limits(&said))).await?,
    };
    let members = Box::pin(roster(&read.documents, &said, &aws)).await.map_err(|why| match why {
        NotOpened::Refused(why) => NotTaken::WrongAccount(why),
        unreachable @ NotOpened::Unreachable(_) => NotTaken::Roster(unopened(unreachable)),
    })?;
    let resolved = read.documents.resolve(&roster_of(&members));
    if resolved.diagnostics.iter().any(Diagnostic::is_error) {
        return Err(wrong(&read.loaded, &resolved.diagnostics));
    }
    let place = apply::audit_place(&said, &read.dir);
    let is_beside = !place.contains("://") && std::path::Path::new(&place).starts_with(&read.dir);
    if is_beside && !settings.source.keeps_what_lies_beside() {
        return Err(NotTaken::Records);
    }
    let same_place = |before: &&Current| {
        place == apply::audit_place(&before.desired.organization, &before.documents.dir)
            && before.desired.organization.seats == said.seats
    };
    let audit = match before_connected.filter(same_place) {
        Some(before) => Arc::clone(&before.audit),
        None => Arc::new(Box::pin(apply::open_audit(&said, &read.dir, &aws)).await.map_err(NotTaken::Audit)?),
    };
    let digest = desired::digest(&read.loaded);
    let source = Source { documents: read.loaded.texts(), members: members.to_vec() };
    let desired = DesiredState::new(&read.documents, resolved, read.revision.clone(), digest).made_of(source);
    let roles = said.roles.iter().flat_map(|roles| [roles.observe.clone(), roles.apply.clone()]).collect();
    let at_once = usize::try_from(said.guards.accounts_at_once).unwrap_or(usize::MAX);
    Ok(Current {
        waves: Waves::of(&desired),
        desired: Arc::new(desired),
        aws,
        audit,
        roles,
        writing: Semaphore::new(at_once.clamp(1, Semaphore::MAX_PERMITS)),
        documents: read,
        members,
        descents: Mutex::default(),
    })
}

impl Current {
    /// Where the desired state is kept, for revisions.
    pub fn descent(&self, older: &str) -> Descent {
        let mut descents = self.descents.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = descents.get(older) {
            return known.clone();
        }
        let found = apply::descent(&self.desired, &self.documents.dir, older);
        descents.insert(older.to_owned(), found.clone());
        found
    }

    pub fn observed(&self) -> Observed {
        Observed {
            revision: self.desired.revision.as_ref().map(|revision| revision.full.clone()),
            digest: self.desired.digest.clone(),
        }
    }

    /// `4f1c9e2+`, or the beginning of the digest.
    pub fn short(&self) -> String {
        match &self.desired.revision {
            Some(revision) => format!("{}{}", revision.short, if revision.dirty { "+" } else { "" }),
            None => self.desired.digest.chars().take("sha256:".len() + 12).collect(),
        }
    }

    /// The source's word for the documents.
    pub fn fingerprint(&self) -> &str {
        &self.documents.fingerprint
    }

    /// The warnings that the documents have.
    pub fn warnings(&self) -> String {
        diagnostic::human(&self.documents.loaded.diagnostics, &self.documents.loaded.sources, false)
    }

    /// The same documents, read by the same roster?
    fn is_as(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.documents, &other.documents) && self.members == other.members
    }

    /// The accounts of which something else is desired than of `before`.
    pub fn changed(&self, before: &Self) -> Vec<AccountId> {
        let mut changed: Vec<AccountId> = desired::changed(&before.desired, &self.desired)
            .into_iter()
            .map(|(account, _)| account)
            .collect();
        changed.dedup();
        changed
    }

    /// Looked after first: others stand on what those with a seat have, or wait for the first wave.
    pub fn rank(&self, account: &AccountId) -> u8 {
        if self.waves.are_ordered() {
            return u8::try_from(self.waves.wave(account).saturating_sub(1)).unwrap_or(u8::MAX);
        }
        u8::from(self.desired.account(account).is_none_or(|account| account.seats.is_empty()))
    }

    /// How many calls a look takes at least, on average over the accounts: the operations that the declared controls
    /// name, in each region, and those that open a session.
    pub fn least_calls(&self) -> usize {
        /// Where all enabled regions are managed, nobody knows yet how many those are: the number of those that every
        /// account has (Account Management reference guide).
        const REGIONS: usize = 17;
        /// `AssumeRole`, `GetCallerIdentity`, `DescribeOrganization`.
        const SESSION: usize = 3;
        let of = |account: &desired::DesiredAccount| {
            let regions = match &account.managed {
                desired::Managed::Listed(regions) => regions.clone(),
                desired::Managed::AllEnabled => {
                    (0..REGIONS).map(|number| Region::new(format!("region-{number}"))).collect()
                }
            };
            let targets = crate::observe::targets(crate::controls::CONTROLS, account, &regions);
            SESSION + targets.iter().map(|(_, target)| target.control.meta().reads.len()).sum::<usize>()
        };
        let all: usize = self.desired.accounts.iter().map(of).sum();
        all / self.desired.accounts.len().max(1)
    }
}
