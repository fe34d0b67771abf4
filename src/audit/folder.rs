//! Audit records in a folder: created with fsync, readable by their owner only.

use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use super::{AuditError, When};
use crate::durable;

#[derive(Debug)]
pub struct Folder {
    pub(super) path: PathBuf,
}

impl Folder {
    /// The folder, whether it is there or not.
    pub(super) fn at(place: &str) -> Self {
        Self { path: place.into() }
    }

    /// Makes it where it is not.
    pub(super) fn make(&self) -> Result<(), AuditError> {
        durable::private_folder(&self.path).map_err(|source| self.failed(source))?;
        // Account data does not belong into the repository that it may lie in.
        let ignore = self.path.join(".gitignore");
        match durable::create(&ignore, |file| file.write_all(b"*\n")) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(self.failed(error)),
            _ => Ok(()),
        }
    }

    fn failed(&self, source: std::io::Error) -> AuditError {
        AuditError::Folder { place: self.path.display().to_string(), source }
    }

    pub(super) fn put(&self, key: &str, bytes: &[u8], when: &When) -> Result<(), AuditError> {
        let path = self.path.join(key);
        if let Some(parent) = path.parent() {
            durable::private_folder(parent).map_err(|source| self.failed(source))?;
        }
        let write = |file: &mut std::fs::File| file.write_all(bytes);
        let done = match when {
            When::New => durable::create(&path, write),
            When::Unchanged(_) => durable::replace(&path, write),
        };
        done.map_err(|source| match source.kind() {
            ErrorKind::AlreadyExists => AuditError::Raced { key: key.into() },
            _ => self.failed(source),
        })
    }

    /// What lies below a key.
    pub(super) fn names(&self, below: &str) -> Result<Vec<String>, AuditError> {
        names(&self.path.join(below)).map_err(|source| self.failed(source))
    }

    pub(super) fn get(&self, key: &str) -> Result<Option<Vec<u8>>, AuditError> {
        read_if_there(&self.path.join(key)).map_err(|source| self.failed(source))
    }
}

/// What lies in a folder; nothing where there is no folder.
fn names(path: &Path) -> std::io::Result<Vec<String>> {
    let entries = match std::fs::read_dir(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}

fn read_if_there(path: &Path) -> std::io::Result<Option<Vec<u8>>> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_created_once_and_kept_out_of_git() {
        let at = tempfile::tempdir().expect("a folder");
        let place = at.path().join("audit");
        let folder = Folder::at(&place.display().to_string());
        assert_eq!(folder.get("runs/1/intent.json").expect("read"), None);
        assert!(!place.exists(), "who only reads makes nothing");
        folder.make().expect("made");
        folder.put("runs/1/intent.json", b"{}", &When::New).expect("written");
        let again = folder.put("runs/1/intent.json", b"[]", &When::New).expect_err("there already");
        assert!(matches!(again, AuditError::Raced { .. }));
        assert_eq!(folder.get("runs/1/intent.json").expect("read"), Some(b"{}".to_vec()));
        assert_eq!(folder.get("runs/2/intent.json").expect("read"), None);
        assert_eq!(std::fs::read(place.join(".gitignore")).expect("read"), b"*\n");
        folder.make().expect("made again");
    }
}
