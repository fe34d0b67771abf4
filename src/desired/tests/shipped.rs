//! What ships: the sample organisation, `init`, schemas, revisions.

use std::path::Path;
use std::process::Command;

use super::{ORGANIZATION, RECOMMENDED, TODAY, Tree};
use crate::controls::CONTROLS;
use crate::desired::control::Controls;
use crate::desired::specimens;
use crate::desired::{Kind, Roster, digest, init, is_ancestor, load, revision, schema};
use crate::diagnostic::human;
use crate::place::Region;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_sample_organisation_is_right() {
    let loaded = load(&root().join("desired-state"), CONTROLS, TODAY);
    assert_eq!(human(&loaded.diagnostics, &loaded.sources, false), "");
    let resolved = loaded.documents.unwrap().resolve(&Roster::default());
    let names: Vec<&str> = resolved.accounts.iter().map(|account| &*account.name).collect();
    assert_eq!(names, ["log-archive", "management", "prod-payments", "security", "training-7"]);
    for account in &resolved.accounts {
        assert!(account.controls.len() >= 8, "{}", account.name);
    }
}

/// Every document of a file as JSON, through the plain reader that editors use too.
fn documents(text: &str) -> Vec<serde_json::Value> {
    let (nodes, problems) = crate::desired::yaml::parse(0, text);
    assert!(problems.is_empty(), "{problems:?}");
    nodes.iter().map(|node| node.to_json(true)).collect()
}

fn valid(document: &serde_json::Value, controls: Controls) -> Result<(), String> {
    let kind = Kind::ALL.into_iter().find(|kind| document["kind"] == kind.word()).unwrap();
    let validator = jsonschema::draft202012::new(&schema::document(kind, controls)).unwrap();
    validator.validate(document).map_err(|error| format!("{}: {error}", error.instance_path()))
}

#[test]
fn schemas_accept_everything_that_ships() {
    let mut folders = vec![root().join("desired-state")];
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "yaml") {
                for document in documents(&std::fs::read_to_string(&path).unwrap()) {
                    valid(&document, CONTROLS).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
                    seen += 1;
                }
            }
        }
    }
    assert!(seen >= 8, "{seen} documents");
}

#[test]
fn schemas_accept_what_the_guide_shows() {
    let page = include_str!("guide.yaml");
    let kinds: Vec<_> =
        documents(page).into_iter().inspect(|one| valid(one, specimens::CONTROLS).unwrap()).collect();
    assert_eq!(kinds.len(), 7);
}

#[test]
fn schemas_refuse_what_the_loader_refuses() {
    for text in [
        "apiVersion: baseline/v1\nkind: Account\nmetadata: {name: a}\nspec: {id: 111122223333}\n",
        "apiVersion: baseline/v1\nkind: Account\nmetadata: {name: a}\nspec: {regions: {managed: all}}\n",
        "apiVersion: baseline/v1\nkind: Baseline\nmetadata: {name: a}\nspec: {controls: {iam.root-user: {keys: none}}}\n",
        "apiVersion: baseline/v1\nkind: Baseline\nmetadata: {name: a}\nspec: {controls: {guardduty.organization: {}}}\n",
    ] {
        assert!(valid(&documents(text)[0], specimens::CONTROLS).is_err(), "{text}");
        assert!(
            Tree::new(&[ORGANIZATION, RECOMMENDED, ("x.yaml", text)]).load().documents.is_none(),
            "{text}"
        );
    }
}

#[test]
fn init_writes_a_tree_that_is_right_and_never_overwrites() {
    let tree = Tree::new(&[]);
    let id = "111122223333".parse().unwrap();
    let dir = tree.path().join("desired-state");
    let home = Region::new("eu-west-1");
    let written = init(&dir, &id, "my: \"account\"", &home, CONTROLS).unwrap();
    assert_eq!(written.len(), 9);
    let loaded = load(&dir, CONTROLS, TODAY);
    assert_eq!(human(&loaded.diagnostics, &loaded.sources, false), "");
    assert_eq!(&*loaded.documents.unwrap().resolve(&Roster::default()).accounts[0].name, "my: \"account\"");

    std::fs::remove_file(dir.join("organization.yaml")).unwrap();
    let refused = init(&dir, &id, "again", &home, CONTROLS).unwrap_err().to_string();
    assert!(refused.contains("recommended.yaml") && !refused.contains("organization.yaml"), "{refused}");
    assert!(!dir.join("organization.yaml").exists());
}

#[test]
fn a_digest_knows_every_byte_and_every_name() {
    let tree = Tree::new(&[ORGANIZATION, RECOMMENDED]);
    let first = digest(&tree.load());
    assert!(first.starts_with("sha256:") && first.len() == 71);
    assert_eq!(first, digest(&tree.load()));
    tree.write("notes.txt", b"no part of it");
    assert_eq!(first, digest(&tree.load()));
    tree.write("recommended.yaml", format!("{}\n", RECOMMENDED.1).as_bytes());
    assert_ne!(first, digest(&tree.load()));
}

fn git(dir: &Path, arguments: &[&str]) {
    let output = Command::new("git")
        .arg("-C")
        .arg(dir)
        .args(["-c", "user.name=t", "-c", "user.email=t@t.example", "-c", "commit.gpgsign=false"])
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn revisions_come_from_git_and_know_their_order() {
    let tree = Tree::new(&[ORGANIZATION]);
    let dir = tree.path();
    assert_eq!(revision(dir), None);
    git(dir, &["init", "-q"]);
    git(dir, &["add", "."]);
    git(dir, &["commit", "-qm", "one"]);
    let first = revision(dir).unwrap();
    assert!(!first.dirty && first.full.starts_with(&first.short));
    tree.write("more.yaml", b"x");
    assert!(revision(dir).unwrap().dirty);
    git(dir, &["add", "."]);
    git(dir, &["commit", "-qm", "two"]);
    let second = revision(dir).unwrap();
    assert!(is_ancestor(dir, &first.full, &second.full).unwrap());
    assert!(!is_ancestor(dir, &second.full, &first.full).unwrap());
    assert!(is_ancestor(dir, &"0".repeat(40), &first.full).is_err());
    assert!(is_ancestor(dir, "--help", "HEAD").is_err());
}
