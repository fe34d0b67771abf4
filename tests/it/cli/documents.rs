//! `validate` and `render`; and documents that nobody should have written.

use std::os::unix::fs::symlink;

use super::shell::{Shell, steadily};

#[test]
fn good_documents_are_good() {
    let shell = Shell::acme();
    shell.run("validate").exits(0).says("files and 5 account documents: nothing wrong");
    let json = shell.run("validate --format json").exits(0).json();
    steadily(|| insta::assert_snapshot!(format!("{json:#}")));
    assert!(shell.world.calls().is_empty());
}

#[test]
fn all_errors_of_all_files_at_once_and_nothing_observed() {
    let shell = Shell::acme();
    shell.edit("baselines/recommended.yaml", "minimumLength: 14", "minLength: 14");
    shell.edit("accounts/prod-payments.yaml", "\"111122223333\"", "111122223333");
    shell.edit("accounts/security.yaml", "777766665555", "444455556666");
    shell.edit("exceptions/legacy-images.yaml", "scan-on-push", "scan-on-pull");
    let validate = shell.run("validate").exits(1);
    assert_eq!(validate.out, "");
    let text = validate.err.replace(&shell.dir().display().to_string(), "desired-state");
    insta::assert_snapshot!("errors_of_all_files", text);
    for command in ["plan", "apply --auto-approve", "observe --out @inventory.json", "render security"] {
        let ran = shell.run(command).exits(1).says("nothing was observed");
        assert_eq!(ran.out, "", "{command}");
    }
    assert!(shell.world.calls().is_empty());
    assert!(!shell.path("inventory.json").exists());

    let found = shell.run("validate --format json").exits(1).json();
    let diagnostics = found.as_array().expect("a list");
    assert_eq!(diagnostics.len(), 4, "{found:#}");
    assert!(
        diagnostics.iter().all(|one| one["title"].is_string() && one["labels"][0]["line"].is_u64()),
        "{found:#}"
    );
}

#[test]
fn a_warning_does_not_stop_anything() {
    let shell = Shell::acme();
    shell.edit("exceptions/legacy-images.yaml", "2027-03-31", "2024-03-31");
    shell.run("validate").exits(0).says("warning").says("legacy-images");
    shell.run("plan").exits(0).says("warning");
}

#[test]
fn render_says_what_holds_and_where_it_was_said() {
    let shell = Shell::acme();
    let rendered = shell.run("render prod-payments").exits(0);
    assert_eq!(rendered.out, shell.run("render 111122223333").exits(0).out);
    insta::assert_snapshot!("render", rendered.out);
    let origin = shell.run("render prod-payments --origin").exits(0);
    insta::assert_snapshot!(
        "render_origin",
        origin.out.replace(&shell.dir().display().to_string(), "desired-state")
    );
    assert!(shell.world.calls().is_empty());
    let yaml: serde_json::Value = serde_yaml::from_str(&rendered.out).expect("what is rendered is YAML");
    assert!(yaml.is_object());
}

#[test]
fn an_account_that_is_not_there_is_wrong_usage() {
    let shell = Shell::acme();
    shell.run("render prod-payment").exits(64).says("did you mean `prod-payments`?");
    shell.run("render 123456789012").exits(64);
}

#[test]
fn a_folder_that_is_not_there() {
    let shell = Shell::acme();
    shell.run("plan -f @nowhere").exits(1).says("`baseline init` writes one");
    shell.run("validate -f @nowhere").exits(1);
    assert!(shell.world.calls().is_empty());
}

/// Texts that are no document, and what is said of each.
#[test]
fn hostile_files_are_refused_in_little_time() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for n in 1..40 {
        let before = format!("*a{}, ", n - 1).repeat(10);
        bomb.push_str(&format!("a{n}: &a{n} [{}]\n", before.trim_end_matches(", ")));
    }
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("200,000 opening brackets", "[".repeat(200_000).into_bytes()),
        ("200,000 opening braces", "{".repeat(200_000).into_bytes()),
        ("200,000 dashes", "- ".repeat(200_000).into_bytes()),
        ("50 MB", vec![b'#'; 50 << 20]),
        ("NUL", b"apiVersion: \0".to_vec()),
        ("not UTF-8", b"apiVersion: \xff\xfe".to_vec()),
        ("UTF-16", vec![0xff, 0xfe, b'a', 0, b':', 0, b'1', 0]),
        ("empty", Vec::new()),
        ("blank", b" \n\n".to_vec()),
        ("a comment", b"# nothing\n".to_vec()),
        ("a scalar", b"42\n".to_vec()),
        ("a list", b"- 1\n- 2\n".to_vec()),
        ("a tab", b"apiVersion:\n\tkind: Account\n".to_vec()),
        ("aliases", bomb.into_bytes()),
        ("its own alias", b"a: &a [*a]\n".to_vec()),
        ("a merge key", b"a: &a {b: 1}\nc: {<<: *a}\n".to_vec()),
        ("a quote that does not end", b"kind: \"Account\n".to_vec()),
        ("many documents", "---\n{}\n".repeat(50_000).into_bytes()),
        ("a long key", format!("? {}\n: 1\n", "k".repeat(900_000)).into_bytes()),
    ];
    let shell = Shell::acme();
    for (what, bytes) in cases {
        shell.write("hostile.yaml", bytes);
        let start = std::time::Instant::now();
        let ran = shell.run("plan").exits(1).says("nothing was observed");
        assert!(ran.err.contains("hostile.yaml"), "{what}: {}", ran.err);
        assert!(ran.err.len() < 200_000, "{what}: {} bytes are said", ran.err.len());
        assert!(start.elapsed().as_secs() < 10, "{what} took {:?}", start.elapsed());
    }
    assert!(shell.world.calls().is_empty());
}

#[test]
fn links_that_leave_and_loops_of_links() {
    let shell = Shell::acme();
    std::fs::write(shell.path("outside.yaml"), "secret: 1\n").expect("written");
    symlink(shell.path("outside.yaml"), shell.dir().join("leaves.yaml")).expect("linked");
    symlink(shell.dir().join("b.yaml"), shell.dir().join("a.yaml")).expect("linked");
    symlink(shell.dir().join("a.yaml"), shell.dir().join("b.yaml")).expect("linked");
    symlink(shell.dir(), shell.dir().join("accounts/again")).expect("linked");
    symlink("/etc", shell.dir().join("etc")).expect("linked");
    shell
        .run("validate")
        .exits(1)
        .says("the link leaves the folder")
        .says("the link leads nowhere")
        .says("a link to a folder is not followed")
        .does_not_say("secret");
    shell.run("plan").exits(1);
    assert!(shell.world.calls().is_empty());
}

#[test]
fn a_link_within_the_folder_would_be_the_same_document_twice() {
    let shell = Shell::acme();
    symlink(shell.dir().join("accounts/security.yaml"), shell.dir().join("twice.yaml")).expect("linked");
    shell.run("validate").exits(1);
}
