//! The memory: AWS is the state, this is what was done to it and when. Objects, never appended to, in a folder
//! or a bucket.
//!
//! ```text
//! runs/<run>/intent.json        before the first write: every change, with what it would replace
//! runs/<run>/before/<n>.json    before a control's first write in a scope: what a fresh look saw
//! runs/<run>/outcome.json       when the run has ended
//! plans/<id>.json               when a saved plan is applied: it is not applied again
//! accounts/<id>.json            the revision last applied to an account, and what it left as it was
//! desired/<digest>.json         the documents that were applied, once for all accounts that have them
//! organization.json             the accounts and seats of the desired state last applied
//! controller.json               that a controller runs, since when, and whether it enforces
//! conditions/<id>.json          what a controller last knew of an account, and remembers of it
//! conditions/index.json         how all accounts stand, in one object, for the page
//! looks/<id>.json               what was open in an account at its last look, whole
//! notifications/<id>.json       what was told of an account, and what is still to be told
//! ```

mod bucket;
mod folder;
mod kept;
mod record;

use std::collections::BTreeMap;

use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;

use ulid::Ulid;

pub use bucket::Bucket;
pub use folder::Folder;
pub use kept::{ControllerRecord, Tag};
pub use record::{BeforeImage, Begun, Intent, LastApplied, LastOrganization, Left, Used};

use crate::aws::Aws;
use crate::desired::Source;
use crate::fault::Fault;
use crate::place::{AccountId, Region};

/// Records that can be read, and not written.
#[derive(Debug)]
pub enum Memory {
    Folder(Folder),
    Bucket(Box<Bucket>),
}

/// Where records are kept. What only reads them takes the [`Memory`] in it.
#[derive(Debug)]
pub struct Audit(Memory);

/// Objects that are asked for at once.
const AT_ONCE: usize = 16;

#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    #[error("cannot use `{place}` for audit records")]
    Folder { place: String, source: std::io::Error },
    #[error("cannot use `{place}` for audit records")]
    Bucket { place: String, source: Box<Fault> },
    #[error("`{place}` is neither a folder nor `s3://bucket/prefix`")]
    Place { place: String },
    #[error("`{key}` in the audit records cannot be read")]
    Malformed { key: String, source: serde_json::Error },
    #[error("`{key}` in the audit records is not what was written there")]
    Altered { key: String },
    #[error("`{key}` was written by somebody else at the same time")]
    Raced { key: String },
    #[error("bucket `{bucket}` belongs to none of this organisation's seats and not to the caller")]
    Stranger { bucket: String },
}

/// When an object may be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// Only if there is none of that name.
    New,
    /// Only if it is still the one that was read; `None` where there was none.
    Unchanged(Option<String>),
}

impl Audit {
    /// `place` is a folder or `s3://bucket/prefix`; `owners` are the accounts whose bucket it may be.
    pub async fn open(
        place: &str,
        aws: &Aws,
        home: &Region,
        owners: &[AccountId],
    ) -> Result<Self, AuditError> {
        let memory = Memory::open(place, aws, home, owners).await?;
        if let Memory::Folder(folder) = &memory {
            folder.make()?;
        }
        Ok(Self(memory))
    }

    /// The write-ahead record. Nothing is written to AWS unless this has returned.
    pub async fn begin(&self, run: &str, intent: &Intent<'_>) -> Result<(), AuditError> {
        self.put(&format!("runs/{run}/intent.json"), intent, &When::New).await
    }

    /// What a control looked like just before its first write in a scope.
    pub async fn before(&self, run: &str, number: usize, image: &BeforeImage<'_>) -> Result<(), AuditError> {
        self.put(&format!("runs/{run}/before/{number:05}.json"), image, &When::New).await
    }

    pub async fn finish(&self, run: &str, outcome: &impl Serialize) -> Result<(), AuditError> {
        self.put(&format!("runs/{run}/outcome.json"), outcome, &When::New).await
    }

    /// Keeps the documents that a run applies, and says under which digest. What is there already stays.
    pub async fn keep(&self, desired: &Source) -> Result<String, AuditError> {
        let digest = desired.digest();
        match self.put(&desired_key(&digest), desired, &When::New).await {
            Ok(()) | Err(AuditError::Raced { .. }) => Ok(digest),
            Err(error) => Err(error),
        }
    }

    /// Marks a saved plan as used; `again` where a run that stopped is gone on with. [`AuditError::Raced`] where
    /// another run was quicker.
    pub async fn claim(&self, plan: &str, used: &Used, again: bool) -> Result<(), AuditError> {
        match again {
            false => self.put(&plan_key(plan), used, &When::New).await,
            true => self.replace(&plan_key(plan), used).await,
        }
    }

    /// Remembers what was applied. A record that somebody else wrote meanwhile is not written over.
    pub async fn applied(&self, account: &AccountId, last: &LastApplied) -> Result<(), AuditError> {
        self.replace(&account_key(account), last).await
    }

    /// The same of the whole organisation, where it is news. Accounts that are changed at the same time, of one desired
    /// state, all write this.
    pub async fn organization_applied(&self, last: &LastOrganization) -> Result<(), AuditError> {
        let mut tries = 0;
        loop {
            if self.last_organization().await?.as_ref() == Some(last) {
                return Ok(());
            }
            match self.replace("organization.json", last).await {
                Err(AuditError::Raced { .. }) if tries < 3 => tries += 1,
                other => return other,
            }
        }
    }

    async fn replace<T: Serialize>(&self, key: &str, value: &T) -> Result<(), AuditError> {
        let tag = self.get::<serde_json::Value>(key).await?.and_then(|(_, tag)| tag);
        self.put(key, value, &When::Unchanged(tag)).await
    }

    async fn put<T: Serialize>(&self, key: &str, value: &T, when: &When) -> Result<(), AuditError> {
        let malformed = |source| AuditError::Malformed { key: key.into(), source };
        let mut bytes = serde_json::to_vec_pretty(value).map_err(malformed)?;
        bytes.push(b'\n');
        match &self.0 {
            Memory::Folder(folder) => folder.put(key, &bytes, when),
            Memory::Bucket(bucket) => bucket.put(key, bytes, when).await,
        }
    }
}

impl std::ops::Deref for Audit {
    type Target = Memory;

    fn deref(&self) -> &Memory {
        &self.0
    }
}

impl Memory {
    /// As [`Audit::open`], without making a folder that is not there: then nothing is remembered.
    pub async fn open(
        place: &str,
        aws: &Aws,
        home: &Region,
        owners: &[AccountId],
    ) -> Result<Self, AuditError> {
        match place.strip_prefix("s3://") {
            Some(rest) => Ok(Self::Bucket(Box::new(Bucket::open(rest, aws, home, owners).await?))),
            None if place.contains("://") => Err(AuditError::Place { place: place.into() }),
            None => Ok(Self::Folder(Folder::at(place))),
        }
    }

    /// Where a run's records lie, for people.
    pub fn run_place(&self, run: &str) -> String {
        match self {
            Self::Folder(folder) => folder.path.join("runs").join(run).display().to_string(),
            Self::Bucket(bucket) => format!("s3://{}/{}", bucket.name, bucket.key(&format!("runs/{run}"))),
        }
    }

    /// Whether a saved plan was applied, and by which run.
    pub async fn used(&self, plan: &str) -> Result<Option<Used>, AuditError> {
        Ok(self.get(&plan_key(plan)).await?.map(|(used, _)| used))
    }

    /// Is this the id of a run of ours, one that was about to write? `run` may be any text.
    pub async fn knows_run(&self, run: &str) -> Result<bool, AuditError> {
        if run.parse::<Ulid>().is_err() {
            return Ok(false);
        }
        Ok(self.get::<serde::de::IgnoredAny>(&format!("runs/{run}/intent.json")).await?.is_some())
    }

    /// How a run ended; `None` where it has not said so.
    pub async fn outcome<T: DeserializeOwned>(&self, run: &str) -> Result<Option<T>, AuditError> {
        Ok(self.get(&format!("{}/outcome.json", run_key(run))).await?.map(|(outcome, _)| outcome))
    }

    /// The runs that have a record and began at `since` or later, oldest first: ids of runs begin with their time.
    pub async fn runs(&self, since: Timestamp) -> Result<Vec<String>, AuditError> {
        let millis = u64::try_from(since.as_millisecond()).unwrap_or(0);
        let first = Ulid::from_parts(millis, 0).to_string();
        let mut runs = match self {
            Self::Folder(folder) => folder.runs()?,
            Self::Bucket(bucket) => bucket.runs(&first).await?,
        };
        runs.retain(|run| *run >= first);
        runs.sort_unstable();
        Ok(runs)
    }

    /// What a run was about to do; `None` where there is no such run.
    pub async fn begun(&self, run: &str) -> Result<Option<Begun>, AuditError> {
        Ok(self.get(&format!("{}/intent.json", run_key(run))).await?.map(|(begun, _)| begun))
    }

    /// The ids of the newest runs, newest first; nothing where none is of the last ninety days.
    pub async fn newest_runs(&self, most: usize) -> Result<Vec<String>, AuditError> {
        // An id begins with its time, so a long history need not be listed.
        let mut runs = self.runs(Timestamp::now() - SignedDuration::from_hours(90 * 24)).await?;
        runs.retain(|run| run.parse::<Ulid>().is_ok());
        runs.reverse();
        runs.truncate(most);
        Ok(runs)
    }

    /// What was last applied to each of these accounts.
    pub async fn last_applied(
        &self,
        accounts: impl IntoIterator<Item = &AccountId>,
    ) -> Result<BTreeMap<AccountId, LastApplied>, AuditError> {
        stream::iter(accounts.into_iter().cloned().collect::<Vec<_>>())
            .map(|account| async move {
                let last = self.get::<LastApplied>(&account_key(&account)).await?;
                Ok(last.map(|(last, _)| (account, last)))
            })
            .buffer_unordered(AT_ONCE)
            .try_filter_map(async |found| Ok(found))
            .try_collect()
            .await
    }

    pub async fn last_organization(&self) -> Result<Option<LastOrganization>, AuditError> {
        Ok(self.get("organization.json").await?.map(|(last, _)| last))
    }

    /// The documents kept under this digest, where they were kept.
    pub async fn desired(&self, digest: &str) -> Result<Option<Source>, AuditError> {
        let key = desired_key(digest);
        let Some((record, _)) = self.get::<Source>(&key).await? else { return Ok(None) };
        if record.digest() == digest { Ok(Some(record)) } else { Err(AuditError::Altered { key }) }
    }

    async fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<(T, Option<String>)>, AuditError> {
        let found = match self {
            Self::Folder(folder) => folder.get(key)?.map(|bytes| (bytes, None)),
            Self::Bucket(bucket) => bucket.get(key).await?,
        };
        found
            .map(|(bytes, tag)| {
                serde_json::from_slice(&bytes)
                    .map(|value| (value, tag))
                    .map_err(|source| AuditError::Malformed { key: key.into(), source })
            })
            .transpose()
    }
}

/// Ids of plans and runs come from files and words that anybody can write: nothing in them leaves the folder.
fn plain(id: &str) -> String {
    id.chars().filter(char::is_ascii_alphanumeric).collect()
}

fn plan_key(plan: &str) -> String {
    format!("plans/{}.json", plain(plan))
}

fn run_key(run: &str) -> String {
    format!("runs/{}", plain(run))
}

/// As with a plan's id, only what a digest is made of reaches the name.
fn desired_key(digest: &str) -> String {
    let plain: String =
        digest.trim_start_matches("sha256:").chars().filter(char::is_ascii_alphanumeric).collect();
    format!("desired/{plain}.json")
}

fn account_key(account: &AccountId) -> String {
    format!("accounts/{account}.json")
}
