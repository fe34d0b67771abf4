//! A first desired state, for one account.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::desired::control::Controls;
use crate::desired::model::Kind;
use crate::desired::schema;
use crate::place::{AccountId, Region};

/// Copied into the tree: a new version of the program must not change what is desired.
const BASELINES: &[(&str, &str)] = &[
    ("recommended", include_str!("../../desired-state/baselines/recommended.yaml")),
    ("log-archive", include_str!("../../desired-state/baselines/log-archive.yaml")),
];

/// Nothing was written, or not everything.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    #[error("these exist already, and nothing was written: {}", list(.0))]
    Exists(Vec<PathBuf>),
    #[error("failed to write `{}`", .path.display())]
    Write { path: PathBuf, source: std::io::Error },
}

fn list(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| format!("`{}`", path.display())).collect::<Vec<_>>().join(", ")
}

/// Writes an organisation of one account that is run with the caller's own credentials and keeps its own logs,
/// the baselines that it uses, and schemas for editors. Gives the files written, in order.
///
/// # Errors
///
/// When any of the files exists, before anything is written; or when writing fails.
pub fn init(
    dir: &Path,
    account: &AccountId,
    name: &str,
    home: &Region,
    controls: Controls,
) -> Result<Vec<PathBuf>, InitError> {
    let mut files = vec![
        (dir.join("organization.yaml"), organization(account, name, home)),
        (dir.join("account.yaml"), account_document(account, name)),
    ];
    for (baseline, text) in BASELINES {
        files.push((dir.join(format!("baselines/{baseline}.yaml")), (*text).to_owned()));
    }
    for kind in Kind::ALL {
        let path = dir.join(".schema").join(format!("{}.json", kind.word().to_lowercase()));
        files.push((path, schema::text(kind, controls)));
    }
    let exist: Vec<PathBuf> =
        files.iter().map(|(path, _)| path).filter(|path| path.symlink_metadata().is_ok()).cloned().collect();
    if !exist.is_empty() {
        return Err(InitError::Exists(exist));
    }
    for (path, text) in &files {
        write_new(path, text).map_err(|source| InitError::Write { path: path.clone(), source })?;
    }
    Ok(files.into_iter().map(|(path, _)| path).collect())
}

fn write_new(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    OpenOptions::new().write(true).create_new(true).open(path)?.write_all(text.as_bytes())
}

fn organization(account: &AccountId, name: &str, home: &Region) -> String {
    // JSON's quoting is YAML's; a name may hold anything that AWS lets people write.
    let name = serde_json::Value::from(name);
    let home = serde_json::Value::from(home.as_str());
    format!(
        "# yaml-language-server: $schema=./.schema/organization.json
#
# One account, with the caller's own credentials, that keeps its own logs.
apiVersion: baseline/v1
kind: Organization
metadata:
  name: {name}
spec:
  seats:
    logArchive: \"{account}\"
  regions:
    home: {home}
    managed: all-enabled
  archive:                    # where every control delivers
    seat: logArchive
    bucket: baseline-logs-{{account}}-{{region}}-an
    key: alias/baseline/logs
  baselines:                  # the files in baselines/: yours to change
  - use: recommended
  - use: log-archive
"
    )
}

fn account_document(account: &AccountId, name: &str) -> String {
    let name = serde_json::Value::from(name);
    format!(
        "# yaml-language-server: $schema=./.schema/account.json
apiVersion: baseline/v1
kind: Account
metadata:
  name: {name}
spec:
  id: \"{account}\"
"
    )
}
