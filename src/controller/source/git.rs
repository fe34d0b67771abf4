//! A git repository, fetched by git itself with whatever credentials git has. Its whole history is fetched: which
//! revision follows which cannot be told from a part of it.

use std::fmt;
use std::io::{Read as _, Seek as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::str::FromStr;
use std::time::Duration;

use jiff::civil::Date;

use super::{Found, SourceError, blocking, query};
use crate::controls::CONTROLS;
use crate::desired;
use crate::diagnostic::printable;

/// A fetch that takes longer has lost its other end.
const LONGEST_FETCH: Duration = Duration::from_secs(300);

/// The name under which what was fetched is kept.
const FETCHED: &str = "refs/baseline/fetched";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitSource {
    pub url: String,
    /// A branch or tag; absent: whatever the repository's HEAD is.
    pub branch: Option<String>,
    /// The folder of the desired state within the repository.
    pub path: Option<PathBuf>,
    /// Where it is fetched to. It belongs to this program alone.
    pub work: PathBuf,
}

impl FromStr for GitSource {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (url, rest) = text.split_once('?').unwrap_or((text, ""));
        let Some((scheme, place)) = url.split_once("://") else {
            return Err(format!("`{}` is not a URL: `git+https://host/repository.git`", printable(url)));
        };
        if !["https", "ssh", "file"].contains(&scheme) {
            return Err("a repository is fetched over https, ssh or file".to_owned());
        }
        let authority = place.split('/').next().unwrap_or_default();
        if authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':')) {
            return Err("a password does not belong into a URL: git's credential helpers keep it".to_owned());
        }
        let mut source = Self { url: url.to_owned(), branch: None, path: None, work: PathBuf::new() };
        for (name, value) in query(rest, &["ref", "path"])? {
            if name == "ref" {
                let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
                if value.starts_with('-') || value.contains("..") || !value.chars().all(plain) {
                    return Err(format!("`{}` is not the name of a branch", printable(&value)));
                }
                source.branch = Some(value);
            } else {
                let path = PathBuf::from(&value);
                if !path.components().all(|part| matches!(part, std::path::Component::Normal(_))) {
                    return Err(format!("`{}` leaves the repository", printable(&value)));
                }
                source.path = Some(path);
            }
        }
        Ok(source)
    }
}

impl fmt::Display for GitSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let branch = self.branch.as_ref().map(|branch| format!("ref={branch}"));
        let path = self.path.as_ref().map(|path| format!("path={}", path.display()));
        let query: Vec<String> = branch.into_iter().chain(path).collect();
        let mark = if query.is_empty() { "" } else { "?" };
        write!(f, "git+{}{mark}{}", self.url, query.join("&"))
    }
}

impl GitSource {
    pub(super) async fn look(&self, known: Option<&str>, today: Date) -> Result<Option<Found>, SourceError> {
        let io = |source| SourceError::Io { path: self.work.display().to_string(), source };
        crate::durable::private_folder(&self.work).map_err(io)?;
        if !self.work.join(".git").exists() {
            self.git(&["init", "--quiet"]).await?;
        }
        let wanted = self.branch.as_deref().unwrap_or("HEAD");
        let refs = format!("+{wanted}:{FETCHED}");
        self.git(&[
            "fetch",
            "--quiet",
            "--force",
            "--no-tags",
            "--no-recurse-submodules",
            "--",
            &self.url,
            &refs,
        ])
        .await?;
        let fingerprint = self.git(&["rev-parse", "--verify", &format!("{FETCHED}^{{commit}}")]).await?;
        if known == Some(fingerprint.as_str()) {
            return Ok(None);
        }
        self.git(&["checkout", "--quiet", "--force", "--detach", &fingerprint]).await?;
        let dir = self.path.as_ref().map_or_else(|| self.work.clone(), |path| self.work.join(path));
        let at = dir.clone();
        let (loaded, revision) =
            blocking(move || (desired::load(&at, CONTROLS, today), desired::revision(&at))).await?;
        Ok(Some(Found { fingerprint, dir, loaded, revision }))
    }

    /// What git says on stdout. It may ask nobody, run no hook, and not hang for ever.
    async fn git(&self, arguments: &[&str]) -> Result<String, SourceError> {
        let io = |source| SourceError::Io { path: "git".to_owned(), source };
        let (mut out, mut err) = (tempfile::tempfile().map_err(io)?, tempfile::tempfile().map_err(io)?);
        let mut child = command(&self.work)
            .args(arguments)
            .stdout(Stdio::from(out.try_clone().map_err(io)?))
            .stderr(Stdio::from(err.try_clone().map_err(io)?))
            .spawn()
            .map_err(io)?;
        let mut running = Running(Some(child.id()));
        let ended = tokio::time::timeout(LONGEST_FETCH, blocking(move || child.wait())).await;
        let Ok(status) = ended else { return Err(SourceError::Silent { url: self.url.clone() }) };
        running.0 = None;
        let status = status?.map_err(io)?;
        let text = |file: &mut std::fs::File| {
            let mut text = Vec::new();
            file.rewind()?;
            file.take(64 << 10).read_to_end(&mut text)?;
            Ok(String::from_utf8_lossy(&text).trim().to_owned())
        };
        if status.success() {
            return text(&mut out).map_err(io);
        }
        let said = text(&mut err).map_err(io)?;
        // The first line that says what is the matter; what stands around it is advice.
        let mut lines = said.lines();
        let matter = lines.find_map(|line| line.strip_prefix("fatal: ").or(line.strip_prefix("error: ")));
        let message = printable(matter.or(said.lines().last()).unwrap_or("it ended without a word"));
        Err(SourceError::Git { url: self.url.clone(), message })
    }
}

/// A git that is told to end when nobody waits for it any more: the thread that does so ends with it, and the program
/// could not end before.
struct Running(Option<u32>);

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(id) = self.0 {
            let killed = Command::new("kill").arg(id.to_string()).status();
            tracing::warn!(?killed, "a git that did not end was told to");
        }
    }
}

fn command(dir: &Path) -> Command {
    let mut git = Command::new("git");
    git.arg("-C")
        .arg(dir)
        // Whoever writes to the repository runs no program here.
        .args([
            "-c",
            "core.hooksPath=/dev/null",
            "-c",
            "core.fsmonitor=false",
            "-c",
            "protocol.ext.allow=never",
        ])
        .args(["-c", "http.lowSpeedLimit=1", "-c", "http.lowSpeedTime=60", "-c", "gc.autoDetach=false"])
        .env("GIT_TERMINAL_PROMPT", "0")
        .stdin(Stdio::null());
    git
}
