//! Files that hold account data: written whole or not at all, on the disk before the call returns, and
//! readable by their owner only.

use std::fs::File;
use std::io;
use std::path::Path;

/// Writes a file in the place of whatever is there.
pub fn replace(path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    finish(path, write, |temporary| temporary.persist(path).map(drop).map_err(|error| error.error))
}

/// Writes a file that must not be there yet.
pub fn create(path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    finish(path, write, |temporary| temporary.persist_noclobber(path).map(drop).map_err(|error| error.error))
}

fn finish(
    path: &Path,
    write: impl FnOnce(&mut File) -> io::Result<()>,
    persist: impl FnOnce(tempfile::NamedTempFile) -> io::Result<()>,
) -> io::Result<()> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    // Temporary files are made with mode 0600.
    let mut temporary = tempfile::NamedTempFile::new_in(folder)?;
    write(temporary.as_file_mut())?;
    temporary.as_file().sync_all()?;
    persist(temporary)?;
    // The name is durable only once the folder is.
    File::open(folder)?.sync_all()
}

/// Could a file be made in the folder? One without a name is, where the system has such files; nothing stays.
pub fn can_write(folder: &Path) -> io::Result<()> {
    tempfile::tempfile_in(folder).map(drop)
}

/// Makes a folder, and those above it, that only its owner can enter.
pub fn private_folder(path: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_file_that_is_there_is_not_made_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x");
        create(&path, |file| file.write_all(b"1")).expect("made");
        let error = create(&path, |file| file.write_all(b"2")).expect_err("there already");
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read(&path).expect("read"), b"1");
    }

    #[test]
    fn a_write_that_fails_leaves_what_was_there() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x");
        replace(&path, |file| file.write_all(b"1")).expect("made");
        replace(&path, |_| Err(io::Error::other("no"))).expect_err("fails");
        assert_eq!(std::fs::read(&path).expect("read"), b"1");
        assert_eq!(std::fs::read_dir(folder.path()).expect("listed").count(), 1);
    }
}
