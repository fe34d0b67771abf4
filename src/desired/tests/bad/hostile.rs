//! What a pull request could be sent with to hurt whoever reads it.

use proptest::prelude::*;

use super::with;
use crate::desired::load_text;
use crate::desired::specimens::CONTROLS;
use crate::desired::tests::{ACCOUNT, ORGANIZATION, RECOMMENDED, TODAY, Tree};

#[test]
fn a_bomb_of_aliases() {
    use std::fmt::Write as _;
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..9 {
        let below = format!("*a{}", level - 1);
        writeln!(bomb, "a{level}: &a{level} [{}]", [below.as_str(); 10].join(", ")).unwrap();
    }
    insta::assert_snapshot!(with("x.yaml", &bomb), @"
    error: more than 100000 values in one file
     --> dir/x.yaml:1:5
      |
    1 | a0: &a0 [x, x, x, x, x, x, x, x, x, x]
      |     ^
      |
      = help: write it without so many aliases, or in several files

    1 error in 1 file; nothing was observed
    ");
    let quadratic = format!("a: &a [{}]\nb: [{}]\n", vec!["x"; 2_000].join(","), vec!["*a"; 2_000].join(","));
    insta::assert_snapshot!(with("x.yaml", &quadratic), @"
    error: more than 100000 values in one file
     --> dir/x.yaml:1:4
      |
    1 | a: &a [x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,...
      |    ^
      |
      = help: write it without so many aliases, or in several files

    1 error in 1 file; nothing was observed
    ");
}

#[test]
fn an_alias_inside_its_own_anchor() {
    insta::assert_snapshot!(with("x.yaml", "a: &a\n  b: *a\n"), @"
    error: nested too deeply
     --> dir/x.yaml:1:4
      |
    1 | a: &a
      |    ^
      |
      = help: a document needs fewer than ten levels; is a bracket not closed, or an alias inside its own anchor?

    1 error in 1 file; nothing was observed
    ");
}

#[test]
fn two_hundred_thousand_brackets() {
    insta::assert_snapshot!(with("x.yaml", &"[".repeat(200_000)), @"
    error: more than 1000 brackets are open at once
     --> dir/x.yaml:1:1001
      |
    1 | ...[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[...
      |                                                          ^
      |
      = help: close them; a document needs fewer than ten

    1 error in 1 file; nothing was observed
    ");
    insta::assert_snapshot!(with("x.yaml", &format!("a:\n  {}\n", "- ".repeat(200_000))), @"
    error: nested too deeply
     --> dir/x.yaml:2:257
      |
    2 | ...- - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - ...
      |                                                          ^
      |
      = help: a document needs fewer than ten levels; is a bracket not closed, or an alias inside its own anchor?

    1 error in 1 file; nothing was observed
    ");
}

/// A file at the limit in one line: time must grow with the text, not with its square.
#[test]
fn a_megabyte_in_one_line_takes_no_time() {
    let start = std::time::Instant::now();
    let text = format!("a: [{}]\n", vec!["ä, 'b'"; 45_000].join(", "));
    let said = with("x.yaml", &text);
    assert!(said.starts_with("error: `apiVersion` is missing"), "{}", &said[..200]);
    let text = format!(
        "kind: {{{}}}\n",
        (0..45_000).map(|key| format!("kéy{key}: 1")).collect::<Vec<_>>().join(", ")
    );
    let _ = with("x.yaml", &text);
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}

#[test]
fn fifty_megabytes() {
    let tree = Tree::new(&[ORGANIZATION, RECOMMENDED, ACCOUNT]);
    let big = std::fs::File::create(tree.path().join("big.yaml")).unwrap();
    big.set_len(50 << 20).unwrap();
    insta::assert_snapshot!(tree.said(), @"
    error: larger than 1 MiB
    --> dir/big.yaml:1:1
     = help: is it desired state at all? Split it, or move it out of the folder

    1 error in 1 file; nothing was observed
    ");
}

#[cfg(unix)]
#[test]
fn links_that_leave_and_loops_of_links() {
    use std::os::unix::fs::symlink;
    let tree = Tree::new(&[ORGANIZATION, RECOMMENDED, ACCOUNT]);
    symlink("/etc/hostname", tree.path().join("outside.yaml")).unwrap();
    symlink("b.yaml", tree.path().join("a.yaml")).unwrap();
    symlink("a.yaml", tree.path().join("b.yaml")).unwrap();
    symlink(".", tree.path().join("round")).unwrap();
    symlink("..", tree.path().join("up")).unwrap();
    insta::assert_snapshot!(tree.said(), @"
    error: the link leads nowhere: Too many levels of symbolic links (os error 40)
    --> dir/a.yaml:1:1
     = help: everything that is desired lies in one folder, as files

    error: the link leads nowhere: Too many levels of symbolic links (os error 40)
    --> dir/b.yaml:1:1
     = help: everything that is desired lies in one folder, as files

    error: the link leaves the folder
    --> dir/outside.yaml:1:1
     = help: everything that is desired lies in one folder, as files

    error: a link to a folder is not followed
    --> dir/round:1:1
     = help: everything that is desired lies in one folder, as files

    error: the link leaves the folder
    --> dir/up:1:1
     = help: everything that is desired lies in one folder, as files

    5 errors in 5 files; nothing was observed
    ");
}

#[test]
fn hidden_folders_are_skipped() {
    assert_eq!(with(".git/x.yaml", "nonsense"), "");
}

#[test]
fn a_terminal_is_not_steered() {
    let text = with("x.yaml", "kind: \"\\e[31mred\"\nmetadata: {name: \"a\\u202eb\"}\n");
    assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'), "{text}");
}

/// Text that looks like a document until it does not.
fn nearly_yaml() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "apiVersion: baseline/v1",
        "kind",
        "Organization",
        "Account",
        "metadata",
        "name",
        "spec",
        "controls",
        "iam.root-user",
        "mfa",
        "mode",
        ": ",
        "\n",
        "\n  ",
        "\n    ",
        "- ",
        "[",
        "]",
        "{",
        "}",
        "&a ",
        "*a",
        "<<",
        "!t ",
        "|",
        ">",
        "\"",
        "'",
        "#",
        "---\n",
        "null",
        "0x1f",
        "1e9",
        ".nan",
        "\t",
        "\r",
        "\u{2028}",
        "\u{85}",
        "é",
        "%",
    ]);
    prop::collection::vec(word, 0..60).prop_map(|words| words.concat())
}

proptest! {
    #[test]
    fn no_text_makes_the_loader_panic(text in prop_oneof![any::<String>(), nearly_yaml()]) {
        drop(load_text(&text, CONTROLS, TODAY));
    }

    #[test]
    fn no_slip_of_the_pen_makes_the_loader_panic(at in 0_usize..2_900, len in 0_usize..30, slip in "[ -~\n\t]{0,4}") {
        let mut text: Vec<char> = include_str!("../guide.yaml").chars().collect();
        let start = at.min(text.len());
        let end = (start + len).min(text.len());
        text.splice(start..end, slip.chars());
        drop(load_text(&text.into_iter().collect::<String>(), CONTROLS, TODAY));
    }

    #[test]
    fn no_bytes_make_the_loader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let tree = Tree::new(&[]);
        tree.write("x.yaml", &bytes);
        prop_assert!(tree.load().documents.is_none());
    }
}
