//! Every wrong document names its file, line and column, underlines the place and says what to do.

mod controls;
mod documents;
mod exceptions;
mod hostile;
mod text;

use super::{ACCOUNT, ORGANIZATION, RECOMMENDED, Tree, said};

/// A good tree with one more file.
fn with(name: &str, text: &str) -> String {
    said(&[ORGANIZATION, RECOMMENDED, ACCOUNT, (name, text)])
}

fn baseline(controls: &str) -> String {
    let head = "apiVersion: baseline/v1\nkind: Baseline\nmetadata: {name: more}\nspec:\n  controls:\n";
    with("more.yaml", &format!("{head}{controls}"))
}

fn account(spec: &str) -> String {
    let head = "apiVersion: baseline/v1\nkind: Account\nmetadata: {name: a}\nspec:\n";
    said(&[ORGANIZATION, RECOMMENDED, ("a.yaml", &format!("{head}{spec}"))])
}

#[test]
fn a_good_tree_says_nothing() {
    assert_eq!(said(&[ORGANIZATION, RECOMMENDED, ACCOUNT]), "");
}

#[test]
fn a_folder_that_is_not_there() {
    let tree = Tree::new(&[]);
    insta::assert_snapshot!(tree.said(), @"
    error: no `*.yaml` file in `dir`
     |
     = help: `baseline init` writes a first one; `-f DIR` names another folder

    1 error; nothing was observed
    ");
    std::fs::remove_dir(tree.path()).unwrap();
    insta::assert_snapshot!(tree.said(), @"
    error: failed to open `dir`: No such file or directory (os error 2)
     |
     = help: `baseline init` writes one; `-f DIR` names another

    1 error; nothing was observed
    ");
}

#[test]
fn all_errors_of_a_run_at_once() {
    let tree = Tree::new(&[
        ORGANIZATION,
        RECOMMENDED,
        ("a.yaml", "apiVersion: baseline/v1\nkind: Acount\nmetadata: {}\nspec: {}\n"),
        ("b.yaml", "a: [1\n"),
        ("c.yaml", "apiVersion: v1\nkind: Baseline\nmetadata: {name: c}\nspec: {controls: []}\n"),
    ]);
    insta::assert_snapshot!(tree.said(), @"
    error: `Acount` is not a kind of document
     --> dir/a.yaml:2:7
      |
    2 | kind: Acount
      |       ^^^^^^
      |
      = help: did you mean `Account`?
      = help: one of `Organization`, `Baseline`, `Account`, `Exception`, `Attestation`

    error: `name` is missing
     --> dir/a.yaml:3:1
      |
    3 | metadata: {}
      | ^^^^^^^^

    error: not YAML: did not find expected ',' or ']'
     --> dir/b.yaml:1:6
      |
    1 | a: [1
      |    - ^
      |    |
      |    while parsing a flow sequence

    error: `v1` is not a version that this build reads
     --> dir/c.yaml:1:13
      |
    1 | apiVersion: v1
      |             ^^
      |
      = help: one of `baseline/v1`

    error: expected a map of controls, found a list
     --> dir/c.yaml:4:8
      |
    4 | spec: {controls: []}
      |        ^^^^^^^^

    5 errors in 3 files; nothing was observed
    ");
}
