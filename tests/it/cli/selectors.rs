//! Selectors narrow what may be changed, never what is looked at.

use baseline::sandbox::sample::{LOG_ARCHIVE, PROD_PAYMENTS};
use baseline::sandbox::{Deny, World};

use super::shell::Shell;

fn reads(world: &World) -> u64 {
    world.calls().values().map(|tally| tally.asked).sum()
}

#[test]
fn everything_is_looked_at_whatever_is_selected() {
    let shell = Shell::acme();
    shell.run("plan").exits(0);
    let all = reads(&shell.world);
    for selected in [
        "--account prod-payments",
        "--account 111122223333",
        "--account security --account management",
        "--region eu-central-1",
        "--control iam.password-policy",
        "--account prod-payments --region eu-west-1 --control guardduty.detector",
    ] {
        shell.world.forget_calls();
        shell.run(&format!("plan {selected}")).exits(0).fits();
        assert_eq!(reads(&shell.world), all, "{selected}");
    }
}

#[test]
fn only_what_is_selected_is_changed() {
    let shell = Shell::acme();
    shell
        .run("apply --auto-approve --account prod-payments --region eu-west-1 --control guardduty.detector")
        .exits(0)
        .says("1 change made and seen to hold");
    assert_eq!(
        shell.world.writes().into_iter().collect::<Vec<_>>(),
        [("guardduty:UpdateDetector".to_owned(), 1)]
    );
    shell.run("apply --auto-approve --control iam.password-policy").exits(0).says("5 changes made");
    assert_eq!(shell.world.writes().get("iam:UpdateAccountPasswordPolicy"), Some(&5));
    assert_eq!(shell.world.writes().len(), 2);
}

#[test]
fn a_selector_that_names_nothing_is_wrong_usage_with_a_guess() {
    let shell = Shell::acme();
    for (wrong, hint) in [
        ("--account prod-payment", "did you mean `prod-payments`?"),
        ("--control guardduty.detectors", "did you mean `guardduty.detector`?"),
        ("--region eu-west-11", "did you mean `eu-west-1`?"),
    ] {
        shell.run(&format!("plan {wrong}")).exits(64).says("matches nothing").says(hint);
        shell.run(&format!("apply --auto-approve {wrong}")).exits(64).says(hint);
    }
    shell.run("plan --account 000000000000").exits(64);
    shell.run("plan --control *").exits(64);
    assert!(shell.world.writes().is_empty());
}

#[test]
fn a_region_is_known_from_the_documents_too() {
    let shell = Shell::acme();
    for id in ["999988887777", LOG_ARCHIVE, "777766665555", PROD_PAYMENTS] {
        shell.world.account(id, |account| account.iam.roles.clear());
    }
    shell.run("plan --region eu-west-1").exits(4).says("sts:AssumeRole");
}

#[test]
fn what_is_not_known_counts_wherever_it_is() {
    let shell = Shell::acme();
    shell.world.account(LOG_ARCHIVE, |account| {
        let role = account.iam.roles.get_mut("baseline-observe").expect("there");
        role.denies.insert(Deny::new("guardduty:ListDetectors").in_region("us-east-1"));
    });
    shell.run("plan --account prod-payments").exits(4);
}
