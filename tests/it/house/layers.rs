//! Modules stand in `src/lib.rs` in the order in which data flows, and depend upwards only.

use std::collections::BTreeSet;

use super::files::rust_files;

/// The modules of the crate, in the order of `src/lib.rs`.
fn layers() -> Vec<String> {
    let lib = std::fs::read_to_string(super::files::root().join("src/lib.rs")).expect("read");
    lib.lines()
        .filter_map(|line| Some(line.strip_prefix("pub mod ")?.strip_suffix(';')?.to_owned()))
        .collect()
}

/// A file's text without comments and without what only tests see, so that words in prose and the fixtures of
/// tests do not count.
fn code(text: &str) -> String {
    let program = text.split("\n#[cfg(test)]\n").next().unwrap_or_default();
    program
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .map(|line| format!("{line}\n"))
        .collect()
}

/// Files that only tests see.
fn is_test(name: &str) -> bool {
    name.contains("/tests/")
        || ["tests.rs", "specimens.rs", "fixture.rs", "specimen.rs"].iter().any(|end| name.ends_with(end))
}

fn program() -> Vec<(String, String)> {
    rust_files("src")
        .into_iter()
        .filter(|(name, _)| !is_test(name))
        .map(|(name, text)| (name, code(&text)))
        .collect()
}

/// The module of the crate that a file belongs to: `plan` for `src/plan/order.rs`.
fn module(name: &str) -> &str {
    name.trim_start_matches("src/").split(['/', '.']).next().unwrap_or_default()
}

/// The modules that a text names by `crate::`, also several in braces.
fn named(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for after in text.split("crate::").skip(1) {
        match after.strip_prefix('{') {
            Some(list) => {
                let list = list.split_once("};").map_or(list, |(list, _)| list);
                let mut depth = 0_usize;
                let top: String = list
                    .chars()
                    .filter(|c| {
                        depth = depth + usize::from(*c == '{') - usize::from(*c == '}' && depth > 0);
                        depth == 0 && !matches!(c, '{' | '}')
                    })
                    .collect();
                found.extend(
                    top.split(',').map(|part| part.trim().split("::").next().unwrap_or_default().to_owned()),
                );
            }
            None => {
                let word: String = after.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                found.insert(word);
            }
        }
    }
    found
}

#[test]
fn modules_depend_upwards_only() {
    let layers = layers();
    assert_eq!(layers.last().map(String::as_str), Some("cli"), "the command line is outermost");
    let place = |module: &str| layers.iter().position(|layer| layer == module);
    let mut wrong = Vec::new();
    for (name, text) in program() {
        let Some(own) = place(module(&name)) else { continue };
        for other in named(&text) {
            if place(&other).is_some_and(|other| other > own) {
                wrong.push(format!("{name} depends on `{other}`, which stands below `{}`", layers[own]));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Names that only some files may say, and which.
#[test]
fn each_boundary_has_one_side() {
    let forbidden: [(&str, &[&str], &[&str]); 5] = [
        // What is named, where it may be named, why the plan is pure.
        ("serde_yaml", &["src/desired/yaml.rs"], &["src"]),
        ("aws_config::", &["src/aws"], &["src"]),
        ("println!", &["src/cli"], &["src"]),
        ("std::env::var", &["src/cli", "src/aws/connect.rs", "src/sandbox.rs"], &["src"]),
        ("process::exit", &["src/cli"], &["src"]),
    ];
    let mut wrong = Vec::new();
    for (name, text) in program() {
        for (word, allowed, within) in forbidden {
            let inside = within.iter().any(|folder| name.starts_with(folder));
            if inside && text.contains(word) && !allowed.iter().any(|place| name.starts_with(place)) {
                wrong.push(format!("{name} says `{word}`, which only {} may", allowed.join(" and ")));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_plan_is_pure() {
    let mut wrong = Vec::new();
    for (name, text) in
        program().into_iter().filter(|(name, _)| ["plan", "guard", "diff", "report"].contains(&module(name)))
    {
        for word in [
            "tokio",
            "aws_sdk",
            "aws_smithy",
            "aws_config",
            "std::env",
            "std::fs",
            "Timestamp::now",
            "SystemTime",
            "async fn",
            ".await",
        ] {
            if text.contains(word) {
                wrong.push(format!("{name} says `{word}`"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn controls_do_not_know_each_other() {
    let files: Vec<_> = program().into_iter().filter(|(name, _)| name.starts_with("src/controls/")).collect();
    let own =
        |name: &str| name["src/controls/".len()..].split(['/', '.']).next().unwrap_or_default().to_owned();
    let mut all: BTreeSet<String> = files.iter().map(|(name, _)| own(name)).collect();
    // No control, but what the controls of EventBridge's rules share.
    assert!(all.remove("events_rule"));
    assert!(all.len() >= 4, "{all:?}");
    for (name, text) in &files {
        for other in all.iter().filter(|other| **other != own(name)) {
            assert!(!text.contains(&format!("{other}::")), "{name} names `{other}`");
        }
    }
}

#[test]
fn the_readers_of_this_test_see_what_they_should() {
    assert_eq!(
        named("use crate::{a::{b, c::D}, e};\nuse crate::f::g;"),
        ["a", "e", "f"].map(String::from).into()
    );
    assert_eq!(
        code("use crate::a;\n// crate::b\n#[cfg(test)]\nmod tests { use crate::c; }"),
        "use crate::a;\n"
    );
    assert_eq!((module("src/plan/order.rs"), module("src/plan.rs")), ("plan", "plan"));
}
