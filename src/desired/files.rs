//! Finding and reading the files of a desired state, with limits on everything that a stranger could have
//! written.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::desired::read::Problems;
use crate::diagnostic::{Diagnostic, Sources, Span};

/// Bytes of one file. The longest that people write are some tens of kilobytes.
const LARGEST_FILE: u64 = 1 << 20;

/// Folders inside each other.
const DEEPEST_FOLDER: usize = 32;

/// Bytes of every file that was found, by its path below the folder; for the digest.
pub type Contents = BTreeMap<PathBuf, Vec<u8>>;

/// Every `*.yaml` and `*.yml` below a folder, in order of path: into `sources` as text, and back as bytes,
/// with the numbers of those that are text and can be parsed.
pub fn read(dir: &Path, sources: &mut Sources, problems: &mut Problems) -> (Contents, Vec<u32>) {
    let mut contents = Contents::new();
    let mut texts = Vec::new();
    let mut search = Search { root: None, found: Vec::new(), refused: Vec::new() };
    match dir.canonicalize() {
        Ok(root) => {
            search.root = Some(root);
            search.folder(dir, Path::new(""), 0);
        }
        Err(error) => problems.push(
            Diagnostic::error(format!("failed to open `{}`: {error}", dir.display()))
                .help("`baseline init` writes one; `-f DIR` names another"),
        ),
    }
    for (path, why) in search.refused {
        let file = sources.add(shown(dir, &path), String::new());
        problems.push(why.at(Span { file, start: 0, end: 0 }));
    }
    search.found.sort();
    for path in search.found {
        match bytes(&dir.join(&path)) {
            Ok(bytes) => {
                texts.extend(take(dir, &path, &bytes, sources, problems));
                contents.insert(path, bytes);
            }
            Err(why) => {
                let file = sources.add(shown(dir, &path), String::new());
                problems.push(why.at(Span { file, start: 0, end: 0 }));
            }
        }
    }
    (contents, texts)
}

/// As [`read`], from texts that were read before.
pub fn take_all(
    dir: &Path,
    texts: &BTreeMap<String, String>,
    sources: &mut Sources,
    problems: &mut Problems,
) -> (Contents, Vec<u32>) {
    let mut contents = Contents::new();
    let mut numbers = Vec::new();
    for (name, text) in texts {
        let path = PathBuf::from(name);
        numbers.extend(take(dir, &path, text.as_bytes(), sources, problems));
        contents.insert(path, text.clone().into_bytes());
    }
    (contents, numbers)
}

/// A path below the folder, with `/` on every system.
pub fn below(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "/")
}

/// A path as people know it: from where they are, with `/`.
fn shown(dir: &Path, path: &Path) -> String {
    let joined = dir.join(path);
    let parts: Vec<_> = joined
        .components()
        .filter(|part| !matches!(part, std::path::Component::CurDir))
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .collect();
    parts.join("/").replacen("//", "/", 1)
}

struct Search {
    root: Option<PathBuf>,
    found: Vec<PathBuf>,
    refused: Vec<(PathBuf, Diagnostic)>,
}

impl Search {
    fn folder(&mut self, dir: &Path, below: &Path, depth: usize) {
        if depth > DEEPEST_FOLDER {
            self.refuse(below, format!("more than {DEEPEST_FOLDER} folders inside each other"));
            return;
        }
        let entries = match fs::read_dir(dir.join(below)) {
            Ok(entries) => entries,
            Err(error) => return self.refuse(below, format!("failed to list the folder: {error}")),
        };
        for entry in entries {
            let path = match entry {
                Ok(entry) => below.join(entry.file_name()),
                Err(error) => {
                    self.refuse(below, format!("failed to list the folder: {error}"));
                    continue;
                }
            };
            if !path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.')) {
                self.entry(dir, path, depth);
            }
        }
    }

    fn entry(&mut self, dir: &Path, path: PathBuf, depth: usize) {
        let yaml = path.extension().is_some_and(|end| end == "yaml" || end == "yml");
        let kind = match fs::symlink_metadata(dir.join(&path)) {
            Ok(kind) => kind,
            Err(error) => return self.refuse(&path, format!("failed to look at it: {error}")),
        };
        if kind.is_symlink() {
            return self.link(dir, path, yaml);
        }
        if kind.is_dir() {
            self.folder(dir, &path, depth + 1);
        } else if yaml && kind.is_file() {
            self.found.push(path);
        } else if yaml {
            self.refuse(&path, "not a regular file".into());
        }
    }

    /// A link may name another file of the same tree. One to a folder would have its documents read twice.
    fn link(&mut self, dir: &Path, path: PathBuf, yaml: bool) {
        let target = match dir.join(&path).canonicalize() {
            Ok(target) => target,
            // A loop of links ends here too: the system gives up following.
            Err(error) if yaml => return self.refuse(&path, format!("the link leads nowhere: {error}")),
            Err(_) if dir.join(&path).extension().is_some() => return,
            Err(error) => return self.refuse(&path, format!("the link leads nowhere: {error}")),
        };
        let inside = self.root.as_ref().is_some_and(|root| target.starts_with(root));
        let folder = target.is_dir();
        if !yaml && !folder {
            return;
        }
        if !inside {
            self.refuse(&path, "the link leaves the folder".into());
        } else if folder {
            self.refuse(&path, "a link to a folder is not followed".into());
        } else {
            self.found.push(path);
        }
    }

    fn refuse(&mut self, path: &Path, why: String) {
        let problem = Diagnostic::error(why).help("everything that is desired lies in one folder, as files");
        self.refused.push((path.to_owned(), problem));
    }
}

/// A file's bytes, unless it is too large; then no more than the limit was read.
fn bytes(path: &Path) -> Result<Vec<u8>, Diagnostic> {
    let fail = |error: std::io::Error| Diagnostic::error(format!("failed to read the file: {error}"));
    let mut bytes = Vec::new();
    fs::File::open(path).map_err(fail)?.take(LARGEST_FILE + 1).read_to_end(&mut bytes).map_err(fail)?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(Diagnostic::error("larger than 1 MiB")
            .help("is it desired state at all? Split it, or move it out of the folder"));
    }
    Ok(bytes)
}

/// Takes a file in as text; what is no text is shown as well as can be.
fn take(
    dir: &Path,
    path: &Path,
    bytes: &[u8],
    sources: &mut Sources,
    problems: &mut Problems,
) -> Option<u32> {
    let name = shown(dir, path);
    let at = |file, start: usize, len: usize| {
        let fit = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Span { file, start: fit(start), end: fit(start + len) }
    };
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text),
        Err(error) => {
            let start = error.valid_up_to();
            let byte = bytes.get(start).copied().unwrap_or_default();
            let file = sources.add(name, String::from_utf8_lossy(bytes).into_owned());
            let problem = Diagnostic::error(format!("not UTF-8: byte 0x{byte:02X}"))
                .at(at(file, start, '\u{fffd}'.len_utf8()))
                .help("save the file as UTF-8");
            problems.push(problem);
            return None;
        }
    };
    let file = sources.add(name, text.to_owned());
    let problem = if let Some(nul) = text.find('\0') {
        Diagnostic::error("a NUL character")
            .at(at(file, nul, 1))
            .help("is this a text file? Take the character out")
    } else if text.trim().is_empty() {
        Diagnostic::error("the file is empty").at(at(file, 0, 0)).help("write a document, or remove the file")
    } else {
        return Some(file);
    };
    problems.push(problem);
    None
}
