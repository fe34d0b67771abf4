//! Text that is not YAML, or YAML that is not taken.

use super::{baseline, with};
use crate::desired::tests::{ACCOUNT, ORGANIZATION, RECOMMENDED, Tree};

#[test]
fn duplicate_key() {
    insta::assert_snapshot!(
        baseline("    iam.password-policy:\n      minimumLength: 14\n      minimumLength: 8\n"),
        @"
    error: `minimumLength` is said twice
     --> dir/more.yaml:8:7
      |
    7 |       minimumLength: 14
      |       ------------- first here
    8 |       minimumLength: 8
      |       ^^^^^^^^^^^^^ here again
      |
      = help: keep one of them

    1 error in 1 file; nothing was observed
    "
    );
}

#[test]
fn not_utf_8() {
    let tree = Tree::new(&[ORGANIZATION, RECOMMENDED, ACCOUNT]);
    tree.write("latin.yaml", b"kind: Account\nmetadata: {name: caf\xe9}\n");
    insta::assert_snapshot!(tree.said(), @"
    error: not UTF-8: byte 0xE9
     --> dir/latin.yaml:2:21
      |
    2 | metadata: {name: caf�}
      |                     ^
      |
      = help: save the file as UTF-8

    1 error in 1 file; nothing was observed
    ");
}

#[test]
fn nul() {
    insta::assert_snapshot!(with("n.yaml", "kind: Account\nname: a\0b\n"), @"
    error: a NUL character
     --> dir/n.yaml:2:8
      |
    2 | name: a␀b
      |        ^
      |
      = help: is this a text file? Take the character out

    1 error in 1 file; nothing was observed
    ");
}

#[test]
fn empty_files() {
    let tree = Tree::new(&[ORGANIZATION, RECOMMENDED, ACCOUNT]);
    tree.write("a.yaml", b"");
    tree.write("b.yaml", b"\n  \n");
    tree.write("c.yaml", b"# nothing but a comment\n");
    insta::assert_snapshot!(tree.said(), @"
    error: the file is empty
    --> dir/a.yaml:1:1
     = help: write a document, or remove the file

    error: the file is empty
     --> dir/b.yaml:1:1
      |
    1 |
      | ^
      |
      = help: write a document, or remove the file

    error: the file holds no document
     --> dir/c.yaml:1:1
      |
    1 | # nothing but a comment
      | ^
      |
      = help: write a document, or remove the file

    3 errors in 3 files; nothing was observed
    ");
}

#[test]
fn a_scalar() {
    insta::assert_snapshot!(with("s.yaml", "just words\n"), @"
    error: a document is a map, this is text
     --> dir/s.yaml:1:1
      |
    1 | just words
      | ^^^^^^^^^^
      |
      = help: it starts with `apiVersion: baseline/v1` and `kind: …`

    1 error in 1 file; nothing was observed
    ");
}

#[test]
fn tabs() {
    insta::assert_snapshot!(with("t.yaml", "kind: Account\nmetadata:\n\tname: a\n"), @"
    error: a tab where YAML wants spaces
     --> dir/t.yaml:3:1
      |
    3 |     name: a
      | ^^^^
      |
      = help: indent with spaces; most editors can be told to

    1 error in 1 file; nothing was observed
    ");
}

#[test]
fn a_merge_key() {
    insta::assert_snapshot!(
        baseline("    iam.password-policy: &p\n      minimumLength: 14\n    iam.root-user:\n      <<: *p\n"),
        @"
    error: `<<` is not merged here
     --> dir/more.yaml:9:7
      |
    9 |       <<: *p
      |       ^^
      |
      = help: `extends` names another baseline; its controls are merged

    1 error in 1 file; nothing was observed
    "
    );
}

#[test]
fn a_tag() {
    insta::assert_snapshot!(baseline("    iam.root-user: !secret {mfa: required}\n"), @"
    error: tags (`!name`) mean nothing here
     --> dir/more.yaml:6:20
      |
    6 |     iam.root-user: !secret {mfa: required}
      |                    ^
      |
      = help: write the value as text, a number, a list or a map

    1 error in 1 file; nothing was observed
    ");
}
