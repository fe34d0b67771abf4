//! Desired state: what the YAML says, read, checked and merged.
//!
//! ```text
//! files ─► yaml ─► node ─► document ─► check ─► Documents ─► resolve(roster) ─► DesiredAccount …
//! ```
//!
//! [`load`] needs no network and tells everything that is wrong at once; [`Documents`] come out only when
//! nothing is. What AWS Organizations knows of accounts comes in as a [`Roster`].

mod baselines;
mod changed;
mod check;
mod control;
mod document;
mod exception;
mod files;
mod guards;
mod init;
mod merge;
mod model;
mod networks;
mod node;
mod notifications;
mod read;
mod regions;
mod render;
mod resolve;
mod revision;
mod rollout;
mod select;
mod shape;
mod signoff;
#[cfg(test)]
mod specimens;
mod state;
#[cfg(test)]
mod tests;
mod written;
mod yaml;

pub mod schema;
pub mod template;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use jiff::civil::Date;

pub use changed::{changed, wanted};
pub use control::{Controls, Mode, OnConflict, RegionWord};
pub use exception::{ENDS_SOON_DAYS, Subject, Validity, day, days_until};
pub use guards::{Covers, Guards, Incomplete, Window, Windows};
pub use init::{InitError, init};
pub use model::{
    Account, AccountsSpec, ArchiveSpec, Attestation, Exception, Kind, Limit, Managed, Metadata, Organization,
    RegionsSpec, Roles, Selector, Suspend, Use,
};
pub use notifications::{Channel, EventKind, Notification, Part, Placeholder, SecretFrom, Template, Topic};
pub use read::Spanned;
pub use render::{fragment, render};
pub use resolve::{AccountStanding, DesiredAccount, DesiredControl, Resolved};
pub use revision::{Revision, RevisionError, digest, digest_of, is_ancestor, revision, texts_at, texts_of};
pub use rollout::Rollout;
pub use select::{Roster, RosterAccount, Status};
pub use state::{DesiredState, Settings, Source};
pub use written::{DocumentName, Written};

use crate::desired::baselines::Shelf;
use crate::desired::read::Problems;
use crate::diagnostic::{Diagnostic, Sources};

/// A desired state as it was found.
#[must_use = "its diagnostics have to be shown"]
pub struct Loaded {
    /// Absent when anything is wrong: nothing may be observed then.
    pub documents: Option<Documents>,
    /// Everything that is wrong, and the warnings.
    pub diagnostics: Vec<Diagnostic>,
    /// What the diagnostics point into.
    pub sources: Arc<Sources>,
    contents: files::Contents,
}

impl Loaded {
    /// The files by their path below the folder, with `/`: what a saved plan keeps of the desired state.
    pub fn texts(&self) -> BTreeMap<String, String> {
        let text = |bytes: &Vec<u8>| String::from_utf8_lossy(bytes).into_owned();
        self.contents.iter().map(|(path, bytes)| (files::below(path), text(bytes))).collect()
    }
}

/// Documents that are right in themselves and fit together.
#[derive(Clone)]
pub struct Documents {
    pub organization: Organization,
    pub accounts: Vec<Account>,
    /// Those that have ended, too: they are not honoured, and that is told.
    pub exceptions: Vec<Exception>,
    /// Those that have ended, too.
    pub attestations: Vec<Attestation>,
    shelf: Shelf,
    sources: Arc<Sources>,
    controls: Controls,
}

impl Documents {
    /// Names of all baselines.
    pub fn baselines(&self) -> impl Iterator<Item = &str> {
        self.shelf.baselines().iter().map(|baseline| baseline.metadata.name.value.as_str())
    }

    /// Every declaration of a control for anybody, by its id, before merging: of the organisation, of an account, or of a
    /// baseline that one of them uses.
    pub fn declares(&self) -> Vec<(&str, serde_json::Value)> {
        let uses = self.organization.baselines.iter().map(|one| &one.baseline);
        let uses = uses.chain(self.accounts.iter().flat_map(|account| &account.baselines));
        let used: Vec<_> = uses.filter_map(|name| self.shelf.find(&name.value)).collect();
        let baselines = self.shelf.order(&used);
        let inherited = baselines.into_iter().flat_map(|origin| &self.shelf.baselines()[origin].controls);
        let accounts = self.accounts.iter().flat_map(|account| &account.controls);
        let all = inherited.chain(accounts).chain(&self.organization.controls);
        all.map(|one| (one.id.as_str(), one.node.to_json(false))).collect()
    }
}

/// Reads and checks everything below a folder, offline. `today`, UTC's, decides which exceptions have ended.
pub fn load(dir: &Path, controls: Controls, today: Date) -> Loaded {
    let mut sources = Sources::default();
    let mut problems = Problems::new();
    let (contents, texts) = files::read(dir, &mut sources, &mut problems);
    if contents.is_empty() && problems.is_empty() {
        problems.push(
            Diagnostic::error(format!("no `*.yaml` file in `{}`", dir.display()))
                .help("`baseline init` writes a first one; `-f DIR` names another folder"),
        );
    }
    read_all(contents, &texts, sources, problems, controls, today)
}

/// As [`load`], from texts by their path below the folder, as [`Loaded::texts`] gives them.
pub fn load_texts(dir: &Path, texts: &BTreeMap<String, String>, controls: Controls, today: Date) -> Loaded {
    let mut sources = Sources::default();
    let mut problems = Problems::new();
    let (contents, texts) = files::take_all(dir, texts, &mut sources, &mut problems);
    read_all(contents, &texts, sources, problems, controls, today)
}

fn read_all(
    contents: files::Contents,
    texts: &[u32],
    sources: Sources,
    mut problems: Problems,
    controls: Controls,
    today: Date,
) -> Loaded {
    let mut all = check::Collected::default();
    for &file in texts {
        let text = sources.get(file).map(|source| source.text.as_str()).unwrap_or_default();
        take_file(file, text, controls, &mut all, &mut problems);
    }
    let sources = Arc::new(sources);
    let documents = check::assemble(all, controls, today, &sources, &mut problems);
    if let Some(documents) = &documents {
        problems.extend(documents.resolve(&Roster::default()).diagnostics);
    }
    problems.sort_by_key(|problem| {
        (problem.severity, problem.primary().map(|label| sources.position(label.span)))
    });
    let right = !problems.iter().any(Diagnostic::is_error);
    Loaded { documents: documents.filter(|_| right), diagnostics: problems, sources, contents }
}

/// Reads the documents of one file into `all`.
fn take_file(file: u32, text: &str, controls: Controls, all: &mut check::Collected, problems: &mut Problems) {
    let (nodes, wrong) = yaml::parse(file, text);
    if nodes.is_empty() && wrong.is_empty() {
        let start = crate::diagnostic::Span { file, start: 0, end: 0 };
        problems.push(
            Diagnostic::error("the file holds no document")
                .at(start)
                .help("write a document, or remove the file"),
        );
    }
    problems.extend(wrong);
    for node in &nodes {
        match document::read(node, controls, problems) {
            Some(document) => all.take(document),
            None => all.broken += 1,
        }
    }
}

/// Reads one text as if it were the only file: what the fuzzer calls.
pub fn load_text(text: &str, controls: Controls, today: Date) -> Vec<Diagnostic> {
    let mut sources = Sources::default();
    let file = sources.add("input.yaml", text.to_owned());
    let mut problems = Problems::new();
    let mut all = check::Collected::default();
    take_file(file, text, controls, &mut all, &mut problems);
    let sources = Arc::new(sources);
    if let Some(documents) = check::assemble(all, controls, today, &sources, &mut problems) {
        problems.extend(documents.resolve(&Roster::default()).diagnostics);
    }
    // What cannot be shown is as bad as what cannot be read.
    drop(crate::diagnostic::human(&problems, &sources, false));
    problems
}
