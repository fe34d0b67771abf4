//! The first afternoon: plan, apply, in sync, drift, put right.

use baseline::sandbox::iam::Mfa;
use baseline::sandbox::sample::PROD_PAYMENTS;

use super::shell::{Shell, steadily};

#[test]
fn the_demo_tells_the_whole_story() {
    let shell = Shell::acme();
    let demo = shell
        .run("demo")
        .exits(0)
        .says("In sync: ")
        .says("assumed-role/admin/kim@acme.example from 198.51.100.23: cloudtrail:StopLogging")
        .fits();
    assert_eq!(demo.out.matches("\n$ baseline ").count(), 7, "{}", demo.out);
}

#[test]
fn a_plan_says_what_is_wrong_and_changes_nothing() {
    let shell = Shell::acme();
    let plan = shell.run("plan").exits(0).fits();
    steadily(|| insta::assert_snapshot!("plan", plan.said()));
    assert!(shell.world.writes().is_empty());
    shell.run("plan --detailed-exitcode").exits(2).says("Exit code 2: something is left to do.");
}

#[test]
fn without_a_terminal_nobody_can_say_yes() {
    let shell = Shell::acme();
    shell.run("apply").exits(64).says("there is no terminal to ask on").says("add --auto-approve");
    assert!(shell.world.calls().is_empty(), "nothing was asked of AWS");
}

#[test]
fn only_the_word_yes_goes_on() {
    for answer in ["no\n", "y\n", "YES\n", "yes please\n", "\n", " "] {
        let shell = Shell::acme();
        shell
            .answering(answer, "apply")
            .exits(1)
            .says("Only the word yes goes on")
            .says("Nothing has been changed");
        assert!(shell.world.writes().is_empty(), "{answer:?}");
    }
}

#[test]
fn an_apply_makes_what_was_planned_and_sees_it_hold() {
    let shell = Shell::acme();
    let apply = shell.answering("yes\n", "apply").exits(0).fits();
    steadily(|| insta::assert_snapshot!("apply", apply.said()));
    let again = shell.run("apply --auto-approve").exits(0).does_not_say("run 01");
    steadily(|| insta::assert_snapshot!("apply_with_nothing_to_do", again.said()));

    shell.run("plan --detailed-exitcode").exits(2).says("2 by hand");
    shell.world.account(PROD_PAYMENTS, |account| {
        account.iam.root.access_keys = false;
        account.iam.root.mfa = Mfa::Hardware;
    });
    let in_sync = shell.run("plan --detailed-exitcode").exits(0).fits();
    steadily(|| insta::assert_snapshot!("in_sync", in_sync.said()));
    steadily(|| {
        insta::assert_snapshot!("show_in_sync", shell.run("plan --show in-sync").exits(0).fits().said())
    });

    shell.world.region(PROD_PAYMENTS, "eu-central-1", |region| region.guardduty.switch(false));
    let drift = shell.run("plan --detailed-exitcode").exits(2).fits();
    steadily(|| insta::assert_snapshot!("drift", drift.said()));
    shell.run("apply --auto-approve").exits(0).says("1 change made and seen to hold.");
    shell.run("plan --detailed-exitcode").exits(0);
}

#[test]
fn json_of_plans_and_applies_is_as_its_schema_says() {
    let shell = Shell::acme();
    let schema = |kind: &str| {
        let schema = shell.run(&format!("generate schema {kind}")).exits(0).json();
        jsonschema::validator_for(&schema).expect("a schema")
    };
    let (plan, apply) = (schema("plan"), schema("apply"));
    let valid = |schema: &jsonschema::Validator, value: &serde_json::Value| {
        let errors: Vec<String> =
            schema.iter_errors(value).map(|e| format!("{e} at {}", e.instance_path())).collect();
        assert!(errors.is_empty(), "{errors:#?}");
    };
    let planned = shell.run("plan --format json").exits(0);
    valid(&plan, &planned.json());
    assert_eq!(planned.json()["formatVersion"], 1);
    assert_eq!(planned.err, "");
    valid(&plan, &shell.run("plan --format json --show in-sync").exits(0).json());

    let lines = shell.run("plan --format jsonl --detailed-exitcode").exits(2);
    let lines: Vec<serde_json::Value> =
        lines.out.lines().map(|line| serde_json::from_str(line).expect("one value a line")).collect();
    let (last, findings) = lines.split_last().expect("lines");
    assert_eq!(last["exitCode"], 2);
    let totals = last["totals"].as_object().expect("counts");
    let open = totals.iter().filter(|(word, _)| *word != "inSync").filter_map(|(_, n)| n.as_u64());
    assert_eq!(findings.len() as u64, open.sum::<u64>(), "one line for each finding that is not in sync");
    assert!(findings.iter().all(|finding| finding["control"].is_string()));

    valid(&apply, &shell.run("apply --auto-approve --format json").exits(0).json());
    valid(&plan, &shell.run("plan --format json").exits(0).json());
}
