//! Accounts in waves: the next one starts when the one before has held.

use baseline::sandbox::{Front, Trouble, Weather};

use super::shell::{Shell, steadily};

/// Six accounts: the third is the canary, the rest two at a time.
fn shell() -> Shell {
    let shell = Shell::many(7);
    let rollout = "  rollout:\n    waves:\n    - names: [account-03]\n    batch: 2\n  roles:";
    shell.edit("organization.yaml", "  roles:", rollout);
    shell
}

/// The accounts that have a detector now.
fn made(shell: &Shell) -> Vec<String> {
    let has = |n: &u64| {
        let id = (100_000_000_000 + n - 1).to_string();
        shell.world.region(&id, "eu-west-1", |region| region.guardduty.detector.is_some())
    };
    (1..7_u64).filter(has).map(|n| format!("account-{n:02}")).collect()
}

/// No detector can be made in this account.
fn denied(shell: &Shell, n: u64) {
    let id = (100_000_000_000 + n - 1).to_string();
    let front = Front::new(Trouble::Denied).on("guardduty:CreateDetector").at(move |a| a.account == id);
    shell.world.set_weather(Weather::fair().with(front));
}

#[test]
fn a_wave_that_fails_stops_the_rest_and_the_next_apply_goes_on() {
    let shell = shell();
    denied(&shell, 3);
    let stopped = shell.run("apply --auto-approve").exits(1).fits();
    // Above it, what failed: with ids that differ from run to run.
    let rest = stopped.out.find("account-01 100000000000\n").expect("it is told");
    steadily(|| insta::assert_snapshot!("waves_stopped", &stopped.out[rest..]));
    assert!(made(&shell).is_empty(), "{:?}", made(&shell));

    // The canary holds now; the second batch does not.
    denied(&shell, 4);
    shell.run("apply --auto-approve").exits(1).says("1 of 2 changes of wave 3 did not hold");
    assert_eq!(made(&shell), ["account-01", "account-02", "account-03", "account-05"]);

    shell.world.set_weather(Weather::fair());
    shell.run("apply --auto-approve").exits(0).says("2 changes made and seen to hold");
    assert_eq!(made(&shell).len(), 6);
}

#[test]
fn a_budget_lets_some_of_a_wave_fail() {
    let shell = shell();
    shell.edit("organization.yaml", "    batch: 2", "    batch: 2\n    errorBudget: 1");
    denied(&shell, 3);
    shell.run("apply --auto-approve").exits(1).says("5 of 6 changes made").does_not_say("not started");
    assert_eq!(made(&shell).len(), 5);
}

#[test]
fn accounts_at_once_are_those_of_a_wave() {
    let shell = shell();
    shell.edit("organization.yaml", "  rollout:", "  guards: {accountsAtOnce: 2}\n  rollout:");
    shell.run("apply --auto-approve").exits(0).says("6 changes made");
    let shell = self::shell();
    shell.edit("organization.yaml", "  rollout:", "  guards: {accountsAtOnce: 2}\n  rollout:");
    shell.edit("organization.yaml", "    batch: 2\n", "");
    shell
        .run("apply --auto-approve")
        .exits(3)
        .says("5 accounts would be changed at once, in wave 2, more than 2")
        .says("a smaller `rollout.batch`");
}

#[test]
fn a_saved_plan_that_stopped_is_gone_on_with() {
    let shell = shell();
    shell.run("plan --out @plan.json").exits(0);
    shell.run("apply @plan.json --auto-approve --resume").exits(3).says("there is nothing to resume");
    denied(&shell, 1);
    shell.run("apply @plan.json --auto-approve").exits(1).says("1 of 2 changes of wave 2 did not hold");
    assert_eq!(made(&shell), ["account-02", "account-03"]);
    shell.world.set_weather(Weather::fair());
    shell.run("apply @plan.json --auto-approve").exits(3).says("was applied already");
    shell.run("apply @plan.json --auto-approve --resume").exits(0).says("4 changes made and seen to hold");
    assert_eq!(made(&shell).len(), 6);
    shell.run("apply @plan.json --auto-approve --resume").exits(3).says("nothing is left to resume");
}

#[test]
fn what_a_later_wave_makes_is_told_when_it_is_planned() {
    let shell = Shell::acme();
    let rollout = "  rollout:\n    waves:\n    - names: [prod-payments]\n  guards:";
    shell.edit("organization.yaml", "  guards:", rollout);
    shell.run("plan").exits(0).says("made in a later wave of the rollout");
    shell.edit(
        "organization.yaml",
        "    - names: [prod-payments]",
        "    - seats: [logArchive]\n    - names: [prod-payments]",
    );
    shell.run("plan").exits(0).does_not_say("made in a later wave");
    shell.run("apply --auto-approve").exits(0);
}

#[test]
fn a_rollout_that_is_wrong_is_told_with_its_place() {
    let shell = shell();
    shell.edit("organization.yaml", "    - names: [account-03]", "    - {}\n    - seat: [logArchive]");
    shell.edit("organization.yaml", "batch: 2", "batch: 0\n    errorBudget: -1");
    let wrong = shell.run("validate").exits(1);
    steadily(|| insta::assert_snapshot!("wrong_rollout", wrong.err));
}
