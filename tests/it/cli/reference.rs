//! `explain` and `generate`: what the program says of itself.

use std::path::Path;

use baseline::sandbox::World;

use super::shell::{Shell, steadily};

#[test]
fn explain_tells_every_control_and_every_field() {
    let shell = Shell::new(World::default());
    let all = shell.run("explain").exits(0).fits();
    steadily(|| insta::assert_snapshot!("explain", all.out));
    for control in baseline::controls::CONTROLS {
        let id = control.meta().id;
        assert!(all.out.contains(id), "{id}");
        let page = shell.run(&format!("explain {id}")).exits(0).fits();
        steadily(|| insta::assert_snapshot!(format!("explain_{id}"), page.out));
    }
    let field = shell.run("explain guardduty.detector.frequency").exits(0).fits();
    steadily(|| insta::assert_snapshot!("explain_field", field.out));
    shell.run("explain iam.password-policy.require.lowercase").exits(0).fits();
    shell.run("explain ecr.repositories.rules").exits(0).fits();
}

#[test]
fn explain_guesses_what_was_meant() {
    let shell = Shell::new(World::default());
    shell.run("explain guarduty.detector").exits(64).says("did you mean `guardduty.detector`?");
    shell.run("explain guardduty.detector.frequenzy").exits(64).says("did you mean").says("frequency");
    shell.run("explain xyz").exits(64).says("`baseline explain` lists all controls");
    shell.run("explain guardduty.detector.frequency.more").exits(64);
    shell.run("explain .").exits(64);
    let words = vec!["explain".to_owned(), "\u{1b}[2J\u{202e}".to_owned()];
    shell.typed("", words).exits(64).does_not_say("\u{1b}").does_not_say("\u{202e}");
}

#[test]
fn schemas_take_the_shipped_documents_and_refuse_misspelt_ones() {
    let shell = Shell::new(World::default());
    let outputs = ["plan", "apply", "drift", "exceptions", "doctor"];
    for kind in ["organization", "baseline", "account", "exception", "attestation"].into_iter().chain(outputs)
    {
        let schema = shell.run(&format!("generate schema {kind}")).exits(0).json();
        jsonschema::validator_for(&schema).unwrap_or_else(|error| panic!("{kind}: {error}"));
    }
    let all = shell.run("generate schema").exits(0).json();
    assert_eq!(all.as_object().map(serde_json::Map::len), Some(11));
    shell.run("generate schema acount").exits(64).says("did you mean `account`?");

    let shipped = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/desired-state"));
    for (kind, file) in [
        ("organization", "organization.yaml"),
        ("baseline", "baselines/recommended.yaml"),
        ("baseline", "baselines/regulated.yaml"),
        ("account", "accounts/prod-payments.yaml"),
        ("exception", "exceptions/legacy-images.yaml"),
    ] {
        let schema = jsonschema::validator_for(&all[kind]).expect("a schema");
        let text = std::fs::read_to_string(shipped.join(file)).expect("read");
        let document: serde_json::Value = serde_yaml::from_str(&text).expect("YAML");
        let errors: Vec<String> =
            schema.iter_errors(&document).map(|e| format!("{e} at {}", e.instance_path())).collect();
        assert!(errors.is_empty(), "{file}: {errors:#?}");
        let mut misspelt = document.clone();
        misspelt["spec"]["minLength"] = 1.into();
        assert!(!schema.is_valid(&misspelt), "{file}");
    }
}

#[test]
fn completions_and_the_manual_page() {
    let shell = Shell::new(World::default());
    for name in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = shell.run(&format!("generate completions {name}")).exits(0);
        assert!(script.out.contains("baseline") && script.out.contains("detailed-exitcode"), "{name}");
    }
    shell.run("generate completions cmd").exits(64);
    shell.run("generate man").exits(0).says(".TH baseline 1");
}

#[test]
fn stale_pages_are_told_and_written() {
    let shell = Shell::new(World::default());
    shell.run("generate docs @repository --check").exits(1).says("stale docs/controls/guardduty.detector.md");
    assert!(!shell.path("repository").exists(), "a check writes nothing");
    shell.run("generate docs @repository").exits(0).says("wrote docs/controls/guardduty.detector.md");
    assert_eq!(shell.run("generate docs @repository --check").exits(0).out, "");
    std::fs::write(shell.path("repository/docs/controls/ecr.repositories.md"), "edited").expect("written");
    shell
        .run("generate docs @repository --check")
        .exits(1)
        .says("stale docs/controls/ecr.repositories.md")
        .says("1 generated file");
}
