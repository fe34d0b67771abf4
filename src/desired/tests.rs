//! Whole folders: what is said of wrong documents, and what comes out of right ones.

mod bad;
mod merging;
mod networks;
mod notifications;
mod shipped;

use std::fs;
use std::path::Path;

use jiff::civil::{Date, date};
use tempfile::TempDir;

use crate::desired::specimens::CONTROLS;
use crate::desired::{DesiredAccount, Documents, Loaded, Roster, load};
use crate::diagnostic::human;

const TODAY: Date = date(2026, 11, 23);

/// A desired state in a folder of its own.
struct Tree {
    dir: TempDir,
}

impl Tree {
    fn new(files: &[(&str, &str)]) -> Self {
        let tree = Self { dir: tempfile::tempdir().unwrap() };
        for (path, text) in files {
            tree.write(path, text.as_bytes());
        }
        tree
    }

    fn write(&self, path: &str, bytes: &[u8]) {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    fn load(&self) -> Loaded {
        load(self.path(), CONTROLS, TODAY)
    }

    /// What a person sees.
    fn said(&self) -> String {
        let loaded = self.load();
        let name = self.path().to_string_lossy().into_owned();
        human(&loaded.diagnostics, &loaded.sources, false).replace(&name, "dir")
    }

    fn documents(&self) -> Documents {
        let said = self.said();
        self.load().documents.unwrap_or_else(|| panic!("{said}"))
    }
}

fn said(files: &[(&str, &str)]) -> String {
    Tree::new(files).said()
}

fn resolved(files: &[(&str, &str)], roster: &Roster) -> (Vec<DesiredAccount>, String) {
    let tree = Tree::new(files);
    let resolved = tree.documents().resolve(roster);
    let sources = tree.load().sources;
    let name = tree.path().to_string_lossy().into_owned();
    (resolved.accounts, human(&resolved.diagnostics, &sources, false).replace(&name, "dir"))
}

const ORGANIZATION: (&str, &str) = (
    "organization.yaml",
    "apiVersion: baseline/v1
kind: Organization
metadata: {name: acme}
spec:
  regions: {home: eu-west-1}
  baselines:
  - use: recommended
",
);

const RECOMMENDED: (&str, &str) = (
    "recommended.yaml",
    "apiVersion: baseline/v1
kind: Baseline
metadata: {name: recommended}
spec:
  controls:
    iam.password-policy:
      minimumLength: 14
      reusePrevention: 24
    guardduty.detector:
      features:
        S3_DATA_EVENTS: true
        RUNTIME_MONITORING: false
",
);

const ACCOUNT: (&str, &str) = (
    "account.yaml",
    "apiVersion: baseline/v1
kind: Account
metadata: {name: prod}
spec:
  id: \"111122223333\"
",
);
