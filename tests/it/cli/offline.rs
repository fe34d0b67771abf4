//! `observe`, and plans made from what it wrote.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use super::shell::Shell;

/// The findings of a plan as JSON.
fn findings(shell: &Shell, command: &str) -> Value {
    shell.run(&format!("plan --format json --show in-sync {command}")).json()["findings"].take()
}

#[test]
fn a_plan_from_an_inventory_is_the_plan_from_aws() {
    let shell = Shell::acme();
    shell.run("observe --out @inventory.json").exits(0).says("5 accounts");
    let mode = std::fs::metadata(shell.path("inventory.json")).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let inventory = shell.path("inventory.json").display().to_string();
    let live = findings(&shell, "");
    shell.world.forget_calls();
    assert_eq!(findings(&shell, &format!("--offline {inventory}")), live);
    assert!(shell.world.calls().is_empty(), "an offline plan asks nothing");
    shell.run("plan --offline @inventory.json --detailed-exitcode").exits(2).does_not_say("Next:").fits();
}

#[test]
fn an_inventory_does_not_answer_another_question() {
    let shell = Shell::acme();
    shell.run("observe --out @inventory.json").exits(0);
    // What is wanted may change; what is asked may not.
    shell.edit("baselines/recommended.yaml", "minimumLength: 14", "minimumLength: 16");
    shell.run("plan --offline @inventory.json").exits(0).says("8 → 16");
    shell.edit("baselines/recommended.yaml", "scanOnPush: true", "lifecycle: none\n        scanOnPush: true");
    shell
        .run("plan --offline @inventory.json")
        .exits(4)
        .says("the spec has changed since it was observed")
        .says("run `baseline observe` again");
}

#[test]
fn an_account_that_was_not_observed_is_not_known() {
    let shell = Shell::acme();
    std::fs::remove_file(shell.dir().join("accounts/prod-payments.yaml")).expect("removed");
    std::fs::remove_file(shell.dir().join("exceptions/legacy-images.yaml")).expect("removed");
    shell.run("observe --out @inventory.json").exits(0);
    shell.account("prod-payments", "111122223333");
    shell.run("plan --offline @inventory.json").exits(4).says("the inventory does not hold this account");
}

#[test]
fn damaged_and_foreign_files_are_refused() {
    let shell = Shell::acme();
    shell.run("observe --out @inventory.json").exits(0);
    let good = std::fs::read_to_string(shell.path("inventory.json")).expect("read");
    let mut later: Value = serde_json::from_str(&good).expect("JSON");
    later["formatVersion"] = 2.into();
    let mut other: Value = serde_json::from_str(&good).expect("JSON");
    other["accounts"][0]["id"] = "not an id".into();
    for (what, text) in [
        ("later", later.to_string()),
        ("cut", good[..good.len() / 2].to_owned()),
        ("empty", String::new()),
        ("a list", "[]".to_owned()),
        ("a number", "1".to_owned()),
        ("no version", "{}".to_owned()),
        ("deep", "[".repeat(200_000)),
        ("account id", other.to_string()),
    ] {
        std::fs::write(shell.path("bad.json"), text).expect("written");
        let ran = shell.run("plan --offline @bad.json").exits(1);
        assert!(ran.err.contains("bad.json") && ran.out.is_empty(), "{what}: {}", ran.said());
    }
    shell.run("plan --offline @nowhere.json").exits(1).says("nowhere.json");
    shell.run("plan --offline @").exits(1);
}

#[test]
fn an_inventory_that_was_changed_by_hand_is_never_in_sync_by_accident() {
    let shell = Shell::acme();
    shell.run("observe --out @inventory.json").exits(0);
    let good = std::fs::read_to_string(shell.path("inventory.json")).expect("read");
    let mut value: Value = serde_json::from_str(&good).expect("JSON");
    strip(&mut value, "minimumLength");
    std::fs::write(shell.path("inventory.json"), value.to_string()).expect("written");
    let ran = shell.run("plan --offline @inventory.json");
    assert!(ran.exit == 4 || ran.exit == 1, "{}", ran.said());
}

fn strip(value: &mut Value, key: &str) {
    match value {
        Value::Object(map) => {
            map.remove(key);
            map.values_mut().for_each(|value| strip(value, key));
        }
        Value::Array(items) => items.iter_mut().for_each(|value| strip(value, key)),
        _ => {}
    }
}

#[test]
fn a_file_that_cannot_be_written_is_a_failure() {
    let shell = Shell::acme();
    shell.run("observe --out @no/such/folder/inventory.json").exits(1).says("inventory.json");
}
