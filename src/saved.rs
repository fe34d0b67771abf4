//! Plans that are kept: a file that holds everything which applying takes, so that what was reviewed is what is done.
//!
//! The file holds the documents themselves beside the plan, so it can be judged again and verified where the
//! YAML is not. It is applied once, before it expires, from where it was made for. Its digest, which a reviewed
//! comment shows, tells whether it is still the file that was reviewed; a signature tells who made it.

mod signature;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

pub use signature::{Signature, sign, verify};

use crate::aws::Aws;
use crate::aws::organization::Member;
use crate::desired::Revision;
use crate::digest;
use crate::place::AccountId;
use crate::plan::Plan;

/// The version that this build writes. Another one is refused, never guessed at.
const FORMAT: u32 = 1;

/// Larger than any real plan: one of 1,000 accounts × 17 regions is some 300 MB.
const MOST_BYTES: u64 = 1 << 30;

/// A plan as `baseline plan --out` writes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SavedPlan {
    pub format_version: u32,
    /// A ULID: the audit record keeps it when the plan is applied, so that it is applied once.
    pub id: String,
    pub tool_version: String,
    pub made_at: Timestamp,
    pub expires_at: Timestamp,
    pub made_for: Origin,
    /// Absent where the documents are not in git.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<Revision>,
    /// The desired state, by path below its folder.
    pub documents: BTreeMap<String, String>,
    /// The accounts that AWS Organizations listed; empty where it was not asked.
    pub members: Vec<Member>,
    /// How many read calls it took, and how long.
    pub reads: usize,
    pub elapsed: Duration,
    /// The selectors as they were typed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selectors: Option<String>,
    /// The run whose changes it takes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<String>,
    pub plan: Plan,
    /// `sha256:…` over everything above.
    pub digest: String,
    /// Over the digest, where the plan was signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<Signature>,
}

/// From where AWS is reached: a plan is applied from where it was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Origin {
    /// The account that the caller's own credentials are of. Who calls may differ: a pull request plans with a role
    /// that only reads.
    pub caller_account: AccountId,
    pub partition: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
}

impl Origin {
    pub fn of(aws: &Aws) -> Self {
        let identity = aws.identity();
        Self {
            caller_account: identity.account.clone(),
            partition: identity.partition().to_owned(),
            endpoint: aws.endpoint().map(str::to_owned),
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum SavedError {
    #[error("cannot read `{path}`")]
    Read { path: String, source: std::io::Error },
    #[error("cannot write `{path}`")]
    Write { path: String, source: std::io::Error },
    #[error("`{path}` has {bytes} bytes, more than any plan")]
    TooLarge { path: String, bytes: u64 },
    #[error("`{path}` is not a saved plan")]
    Malformed { path: String, source: serde_json::Error },
    #[error("`{path}` has format version {found}, and this build reads {FORMAT}: plan again")]
    Version { path: String, found: u64 },
    #[error("`{path}` was altered after it was written: its digest is not that of what it holds")]
    Altered { path: String },
}

impl SavedPlan {
    /// The digest of what it holds.
    ///
    /// # Errors
    ///
    /// When it cannot be written as JSON.
    pub fn measured(&self) -> Result<String, serde_json::Error> {
        let blank = Self { digest: String::new(), signature: None, ..self.clone() };
        let mut hash = Sha256::new();
        hash.update(serde_json::to_vec(&blank)?);
        Ok(format!("sha256:{}", digest::hex(&hash.finalize())))
    }

    /// Puts the digest in and writes it whole or not at all, readable by its owner only: it holds account data.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn save(mut self, path: &Path) -> Result<Self, SavedError> {
        let failed = |source| SavedError::Write { path: path.display().to_string(), source };
        self.digest = self.measured().map_err(|error| failed(error.into()))?;
        let bytes = serde_json::to_vec_pretty(&self).map_err(|error| failed(error.into()))?;
        crate::durable::replace(path, |file| {
            file.write_all(&bytes)?;
            file.write_all(b"\n")
        })
        .map_err(failed)?;
        Ok(self)
    }

    /// Reads a file that [`SavedPlan::save`] wrote.
    ///
    /// # Errors
    ///
    /// When it cannot be read, is of another version, or is not what was written.
    pub fn load(path: &Path) -> Result<Self, SavedError> {
        let shown = || path.display().to_string();
        let read = |source| SavedError::Read { path: shown(), source };
        let bytes = std::fs::metadata(path).map_err(read)?.len();
        if bytes > MOST_BYTES {
            return Err(SavedError::TooLarge { path: shown(), bytes });
        }
        Self::parse(&std::fs::read(path).map_err(read)?, &shown())
    }

    fn parse(bytes: &[u8], path: &str) -> Result<Self, SavedError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Versioned {
            format_version: u64,
        }
        let malformed = |source| SavedError::Malformed { path: path.to_owned(), source };
        let Versioned { format_version: found } = serde_json::from_slice(bytes).map_err(malformed)?;
        if found != u64::from(FORMAT) {
            return Err(SavedError::Version { path: path.to_owned(), found });
        }
        let saved: Self = serde_json::from_slice(bytes).map_err(malformed)?;
        if saved.measured().map_err(malformed)? != saved.digest {
            return Err(SavedError::Altered { path: path.to_owned() });
        }
        Ok(saved)
    }
}

/// What a plan is saved with, beside the plan.
pub struct Saving<'a> {
    pub aws: &'a Aws,
    pub valid_for: Duration,
    pub revision: Option<Revision>,
    pub documents: BTreeMap<String, String>,
    pub members: Vec<Member>,
    pub elapsed: Duration,
    pub selectors: Option<String>,
    pub undoes: Option<String>,
}

impl Saving<'_> {
    /// The plan with everything that applying it takes. What is in sync is left out: it was counted.
    pub fn of(self, plan: &Plan) -> SavedPlan {
        let mut plan = plan.clone();
        plan.items.retain(|item| item.outcome != crate::plan::Outcome::InSync);
        let made_at = Timestamp::now();
        SavedPlan {
            format_version: FORMAT,
            id: self.aws.run().to_owned(),
            tool_version: env!("CARGO_PKG_VERSION").into(),
            made_at,
            expires_at: made_at + self.valid_for,
            made_for: Origin::of(self.aws),
            revision: self.revision,
            documents: self.documents,
            members: self.members,
            reads: self.aws.journal().reads(),
            elapsed: self.elapsed,
            selectors: self.selectors,
            undoes: self.undoes,
            plan,
            digest: String::new(),
            signature: None,
        }
    }
}
