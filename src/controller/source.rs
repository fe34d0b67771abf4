//! Where the desired state comes from: a folder that somebody else fills, a git repository, or a bucket.
//!
//! A source is looked at again and again, and says something only where it holds something new. What it holds is
//! read and checked as a whole; whether it is taken is decided by who asked.

mod bucket;
mod folder;
mod git;

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use jiff::civil::Date;

pub use bucket::BucketSource;
pub use folder::FolderSource;
pub use git::GitSource;

use crate::aws::Aws;
use crate::desired::{Loaded, Revision};
use crate::fault::Fault;

/// A folder or bucket that is being written to is read once it has been the same for so long.
const SETTLED_AFTER: Duration = Duration::from_secs(2);

/// Where the desired state comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    Folder(FolderSource),
    Git(GitSource),
    Bucket(BucketSource),
}

/// What a source holds.
pub struct Found {
    /// Tells it from what was there before.
    pub fingerprint: String,
    /// The folder that the documents are in; git is asked about revisions there.
    pub dir: PathBuf,
    pub loaded: Loaded,
    /// Absent where the documents are not in git.
    pub revision: Option<Revision>,
}

#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    #[error("cannot use `{path}`")]
    Io { path: String, source: std::io::Error },
    #[error("git cannot fetch {url}: {message}")]
    Git { url: String, message: String },
    #[error("git does not answer for {url}")]
    Silent { url: String },
    #[error("cannot read {place}")]
    Bucket { place: String, source: Box<Fault> },
    #[error("{place} changed while it was read")]
    Moving { place: String },
    #[error("{place} holds more than {most} documents")]
    TooMany { place: String, most: usize },
    #[error("reading the documents broke off")]
    BrokeOff(#[source] tokio::task::JoinError),
}

impl Source {
    /// What it holds, unless that is what was `known`.
    ///
    /// # Errors
    ///
    /// When it cannot be read. What is wrong with the documents themselves is in what was found.
    pub async fn look(
        &self,
        known: Option<&str>,
        aws: Option<&Aws>,
        today: Date,
    ) -> Result<Option<Found>, SourceError> {
        match self {
            Self::Folder(folder) => folder.look(known, today).await,
            Self::Git(git) => git.look(known, today).await,
            Self::Bucket(bucket) => bucket.look(known, aws, today).await,
        }
    }

    /// Has it to be reached through AWS?
    pub fn needs_aws(&self) -> bool {
        matches!(self, Self::Bucket(_))
    }

    /// May records lie beside the documents? What is fetched goes away with the machine.
    pub fn keeps_what_lies_beside(&self) -> bool {
        matches!(self, Self::Folder(_))
    }

    /// Fetches into this folder, which is kept from one start to the next.
    #[must_use]
    pub fn working_in(self, dir: &Path) -> Self {
        match self {
            Self::Git(git) => Self::Git(GitSource { work: dir.to_owned(), ..git }),
            other => other,
        }
    }
}

/// As people typed it.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => write!(f, "{}", folder.dir.display()),
            Self::Git(git) => write!(f, "{git}"),
            Self::Bucket(bucket) => write!(f, "{bucket}"),
        }
    }
}

impl FromStr for Source {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(rest) = text.strip_prefix("git+") {
            rest.parse().map(Self::Git)
        } else if let Some(rest) = text.strip_prefix("s3://") {
            rest.parse().map(Self::Bucket)
        } else if text.contains("://") {
            Err("write a folder, `git+https://…`, `git+ssh://…` or `s3://bucket/prefix`".to_owned())
        } else if text.is_empty() {
            Err("write a folder, a repository or a bucket".to_owned())
        } else {
            Ok(Self::Folder(FolderSource { dir: text.into() }))
        }
    }
}

/// What stands behind `?`: `ref=main&path=aws`. Each name once, and none but these.
fn query(text: &str, known: &[&str]) -> Result<Vec<(String, String)>, String> {
    let mut found: Vec<(String, String)> = Vec::new();
    for part in text.split('&').filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        if !known.contains(&name) || value.is_empty() || found.iter().any(|(other, _)| other == name) {
            return Err(format!("`{part}` is not one of {}", known.join("=…, ") + "=…"));
        }
        found.push((name.to_owned(), value.to_owned()));
    }
    Ok(found)
}

/// Runs what reads files or waits for a process where it holds nobody up.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, SourceError> {
    tokio::task::spawn_blocking(work).await.map_err(SourceError::BrokeOff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_known_by_how_it_is_written() {
        for text in [
            "/etc/baseline",
            "git+https://git.acme.example/aws.git?ref=main&path=desired-state",
            "git+ssh://git@git.acme.example/aws.git",
            "git+file:///srv/aws.git",
            "s3://acme-desired/aws?region=eu-west-1&owner=111122223333",
        ] {
            let source: Source = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(source.to_string(), text);
        }
        assert!(matches!("/etc/baseline".parse(), Ok(Source::Folder(_))));
    }

    #[test]
    fn what_could_be_an_option_a_secret_or_a_slip_is_refused() {
        for (text, says) in [
            ("https://git.acme.example/aws.git", "write a folder, `git+https://…`"),
            ("git+https://jo:hunter2@git.acme.example/aws.git", "a password does not belong into a URL"),
            ("git+--upload-pack=evil", "is not a URL"),
            ("git+ext::sh -c evil", "is not a URL"),
            ("git+ext://x", "https, ssh or file"),
            ("git+https://h/r.git?ref=--evil", "is not the name of a branch"),
            ("git+https://h/r.git?branch=main", "`branch=main` is not one of ref=…, path=…"),
            ("git+https://h/r.git?path=../x", "leaves the repository"),
            ("s3://", "name a bucket"),
            ("s3://b?owner=1", "is not an account id"),
            ("", "write a folder"),
        ] {
            let error = text.parse::<Source>().expect_err(text);
            assert!(error.contains(says), "{text}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
