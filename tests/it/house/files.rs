//! Files stay small enough to be read from top to bottom, and none is forgotten.

use std::path::{Path, PathBuf};

/// Lines that no file of the program exceeds.
const MOST: usize = 600;
/// Lines that a file has to be listed below to exceed.
const MANY: usize = 400;
/// Files with more than [`MANY`] lines, and why they are one file.
const LONG: [(&str, &str); 1] = [(
    "src/controls/ecr_repositories.rs",
    "three rules over one resource; what is separable is in its folder",
)];

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file below a folder of the repository, by its path from the root.
pub fn rust_files(folder: &str) -> Vec<(String, String)> {
    fn walk(dir: PathBuf, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(dir).expect("listed") {
            let path = entry.expect("listed").path();
            if path.is_dir() {
                walk(path, found);
            } else if path.extension().is_some_and(|end| end == "rs") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(root().join(folder), &mut found);
    found.sort();
    assert!(!found.is_empty(), "{folder} has no Rust files");
    let name = |path: &Path| path.strip_prefix(root()).expect("below the root").display().to_string();
    found.into_iter().map(|path| (name(&path), std::fs::read_to_string(&path).expect("text"))).collect()
}

#[test]
fn no_file_is_too_long_to_be_read() {
    let mut wrong = Vec::new();
    for (name, text) in rust_files("src") {
        let lines = text.lines().count();
        let listed = LONG.iter().any(|(long, _)| *long == name);
        if lines > MOST {
            wrong.push(format!("{name} has {lines} lines, more than {MOST}"));
        } else if lines > MANY && !listed {
            wrong.push(format!("{name} has {lines} lines: make it smaller, or list it with the reason"));
        } else if lines <= MANY && listed {
            wrong.push(format!("{name} has {lines} lines: take it off the list"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_test_file_is_run() {
    for folder in ["src", "tests/it"] {
        for (name, _) in rust_files(folder) {
            let path = Path::new(&name);
            let stem = path.file_stem().expect("a name").to_str().expect("UTF-8");
            if ["main", "lib"].contains(&stem) {
                continue;
            }
            let parent = path.parent().expect("a folder");
            let owners = [parent.with_extension("rs"), parent.join("main.rs"), parent.join("lib.rs")];
            let declared = owners.iter().any(|owner| {
                std::fs::read_to_string(root().join(owner)).is_ok_and(|text| {
                    text.lines().any(|line| {
                        let line = line
                            .rsplit_once(" mod ")
                            .map_or(line.to_owned(), |(_, name)| format!("mod {name}"));
                        line == format!("mod {stem};")
                    })
                })
            });
            assert!(declared, "{name} is in no `mod` line");
        }
    }
}
