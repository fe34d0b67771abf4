//! Which desired state this is: a digest of its bytes, and its revision in git.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::desired::read::Problems;
use crate::desired::{Loaded, files};
use crate::diagnostic::Sources;
use crate::digest;

/// Where git stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// As short as git finds it still unique.
    pub short: String,
    pub full: String,
    /// Files of the desired state differ from the revision.
    pub dirty: bool,
}

/// Git could not say how two revisions relate.
#[derive(Debug, thiserror::Error)]
pub enum RevisionError {
    #[error("failed to run git")]
    Run(#[source] std::io::Error),
    #[error("git knows no revision `{0}`")]
    NotARevision(String),
    #[error("git cannot compare {older} with {newer}: {message}")]
    Git { older: String, newer: String, message: String },
}

/// `sha256:…` over the names and bytes of all files, in order of name. Lengths go in too, so that moving a
/// byte from one file to the next changes it.
pub fn digest(loaded: &Loaded) -> String {
    digest_contents(&loaded.contents)
}

/// The same of the files that lie in a folder now, without reading what is in them as documents: for who watches
/// them. Files that cannot be read count as not there.
pub fn digest_of(dir: &Path) -> String {
    let (contents, _) = files::read(dir, &mut Sources::default(), &mut Problems::new());
    digest_contents(&contents)
}

fn digest_contents(contents: &files::Contents) -> String {
    let mut hash = Sha256::new();
    for (path, bytes) in contents {
        let name = files::below(path);
        for part in [name.as_bytes(), bytes] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
    }
    format!("sha256:{}", digest::hex(&hash.finalize()))
}

/// The revision that is checked out in a folder; `None` without git, outside a repository, or before the
/// first commit.
pub fn revision(dir: &Path) -> Option<Revision> {
    let full = answer(dir, &["rev-parse", "--verify", "HEAD"])?;
    let short = answer(dir, &["rev-parse", "--short", "HEAD"])?;
    let dirty = !answer(dir, &["status", "--porcelain", "--untracked-files=all", "--", "."])?.is_empty();
    Some(Revision { short, full, dirty })
}

/// Is `older` the same revision as `newer`, or one that `newer` came from?
///
/// # Errors
///
/// When git cannot be run or does not know a revision, as in a shallow clone: then nothing is known.
pub fn is_ancestor(dir: &Path, older: &str, newer: &str) -> Result<bool, RevisionError> {
    known_by_hash(older)?;
    known_by_hash(newer)?;
    let output =
        git(dir).args(["merge-base", "--is-ancestor", older, newer]).output().map_err(RevisionError::Run)?;
    match output.status.code() {
        Some(0) => Ok(true),
        Some(1) => Ok(false),
        _ => Err(RevisionError::Git {
            older: older.to_owned(),
            newer: newer.to_owned(),
            message: crate::diagnostic::printable(String::from_utf8_lossy(&output.stderr).trim()),
        }),
    }
}

/// The files of a folder as they were where a branch left `revision`: the last commit that both have. By path below
/// the folder; empty where there was no such folder.
///
/// # Errors
///
/// When git cannot be run, knows no such revision, or has no commit in common with it (a shallow clone).
pub fn texts_at(dir: &Path, revision: &str) -> Result<(String, BTreeMap<String, String>), RevisionError> {
    let unknown = || RevisionError::NotARevision(revision.to_owned());
    if revision.starts_with('-') {
        return Err(unknown());
    }
    let named = format!("{revision}^{{commit}}");
    let commit = answer(dir, &["rev-parse", "--verify", "--quiet", &named]).ok_or_else(unknown)?;
    let base = ask(dir, &["merge-base", &commit, "HEAD"], &commit)?.trim().to_owned();
    let texts = texts_of(dir, &base)?;
    Ok((base, texts))
}

/// The files of a folder as they are in a commit, by path below the folder.
///
/// # Errors
///
/// When git cannot be run or does not know the commit, which is named by its full hash.
pub fn texts_of(dir: &Path, commit: &str) -> Result<BTreeMap<String, String>, RevisionError> {
    known_by_hash(commit)?;
    let listed = ask(dir, &["ls-tree", "-r", "-z", commit, "--", "."], commit)?;
    let mut texts = BTreeMap::new();
    for entry in listed.split('\0').filter(|entry| !entry.is_empty()) {
        let Some((about, path)) = entry.split_once('\t') else { continue };
        let hidden = path.split('/').any(|part| part.starts_with('.'));
        // A regular file; a link names another one that is listed too.
        if about.starts_with("100") && !hidden && (path.ends_with(".yaml") || path.ends_with(".yml")) {
            let hash = about.rsplit(' ').next().unwrap_or_default();
            texts.insert(path.to_owned(), ask(dir, &["cat-file", "blob", hash], path)?);
        }
    }
    Ok(texts)
}

/// Anything but a hash could be an option, or a name that means something else tomorrow.
fn known_by_hash(hash: &str) -> Result<(), RevisionError> {
    let is_hash = (4..=64).contains(&hash.len()) && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hash { Ok(()) } else { Err(RevisionError::NotARevision(hash.to_owned())) }
}

/// What git answers, or why it does not.
fn ask(dir: &Path, arguments: &[&str], about: &str) -> Result<String, RevisionError> {
    let output = git(dir).args(arguments).output().map_err(RevisionError::Run)?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(RevisionError::Git {
        older: about.to_owned(),
        newer: "the files at hand".to_owned(),
        message: crate::diagnostic::printable(String::from_utf8_lossy(&output.stderr).trim()),
    })
}

fn git(dir: &Path) -> Command {
    let mut git = Command::new("git");
    // A desired state may come from anywhere; its repository's configuration runs no program here.
    git.arg("-C").arg(dir).args(["-c", "core.fsmonitor=false", "--no-optional-locks"]).stdin(Stdio::null());
    git
}

fn answer(dir: &Path, arguments: &[&str]) -> Option<String> {
    let output = git(dir).args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
