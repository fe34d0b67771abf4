//! The way back from a run: our fields, where they still hold what we wrote, and nobody else's.

use baseline::sandbox::World;
use baseline::sandbox::iam::PasswordPolicy;
use baseline::sandbox::sample::PROD_PAYMENTS;

use super::shell::{Ran, Shell, steadily};

const POLICY: &str = "--account prod-payments --control iam.password-policy";

/// The run of an apply.
fn run_of(ran: &Ran) -> String {
    let line = ran.out.lines().find_map(|line| line.strip_prefix("run ")).expect("a run is told");
    line.split(' ').next().expect("an id").to_owned()
}

fn policy(world: &World) -> PasswordPolicy {
    world.account(PROD_PAYMENTS, |account| account.iam.password_policy.clone()).expect("there is one")
}

fn change(world: &World, how: impl FnOnce(&mut PasswordPolicy)) {
    world.account(PROD_PAYMENTS, |account| how(account.iam.password_policy.as_mut().expect("there is one")));
}

#[test]
fn our_fields_come_back_and_nobody_else_s() {
    let shell = Shell::acme();
    let before = policy(&shell.world);
    let run = run_of(&shell.run(&format!("apply --auto-approve {POLICY}")).exits(0));
    assert_eq!((policy(&shell.world).minimum_length, policy(&shell.world).reuse_prevention), (14, Some(24)));
    // Somebody wants even longer passwords, and says something that we never did.
    change(&shell.world, |policy| {
        policy.minimum_length = 20;
        policy.max_age = Some(45);
    });
    shell.world.forget_calls();

    let way_back = shell.run(&format!("undo {run} --out @undo.json")).exits(0).fits();
    steadily(|| insta::assert_snapshot!("undo", way_back.said().replace(&run, "<run>")));
    assert!(shell.world.writes().keys().all(|call| call.starts_with("sts:")), "{:?}", shell.world.writes());
    let yaml = std::fs::read_to_string(shell.path("undo.yaml")).expect("written");
    steadily(|| insta::assert_snapshot!("undo_yaml", yaml.replace(&run, "<run>")));
    shell.run("show @undo.json").exits(0).says(&format!("takes back run {run}"));

    shell.run("apply @undo.json --auto-approve").exits(3).says("is weakening");
    let undone = shell.run("apply @undo.json --auto-approve --allow weakening:* --reason undo").exits(0);
    let after = policy(&shell.world);
    // `HardExpiry` is not shown before a policy has been written once; nobody declared it.
    let hard_expiry = after.hard_expiry;
    assert_eq!(after, PasswordPolicy { minimum_length: 20, max_age: Some(45), hard_expiry, ..before });
    // A run like any other: it can be taken back itself.
    let again = run_of(&undone);
    shell.run(&format!("undo {again} --out @again.json")).exits(0).says("0 → 24");
    // And it was applied once.
    shell.run("apply @undo.json --auto-approve").exits(3).says("was applied already");
}

#[test]
fn what_was_created_stays_and_is_listed() {
    let shell = Shell::acme();
    let run = run_of(&shell.run("apply --auto-approve --control kms.keys").exits(0));
    let way_back = shell.run(&format!("undo {run} --out @undo.json")).exits(0).fits();
    way_back.says("Created by the run, and stays").says("aws kms schedule-key-deletion");
    assert!(!shell.path("undo.json").exists(), "there is nothing to apply");
}

#[test]
fn regions_have_each_their_own_way_back() {
    let shell = Shell::acme();
    let frequency = |region: &str, to: &'static str| {
        shell.world.region(PROD_PAYMENTS, region, |region| {
            region.guardduty.detector.as_mut().expect("there is one").frequency = to.into();
        });
    };
    shell.run("apply --auto-approve").exits(0);
    frequency("eu-west-1", "SIX_HOURS");
    frequency("us-east-1", "ONE_HOUR");
    let run = run_of(&shell.run("apply --auto-approve --control guardduty.detector").exits(0));
    let way_back = shell.run(&format!("undo {run} --out @undo.json")).exits(0);
    way_back.says("FIFTEEN_MINUTES → SIX_HOURS").says("FIFTEEN_MINUTES → ONE_HOUR");
    shell.run("apply @undo.json --auto-approve --allow weakening:* --reason undo").exits(0);
    for (region, wanted) in
        [("eu-west-1", "SIX_HOURS"), ("us-east-1", "ONE_HOUR"), ("eu-central-1", "FIFTEEN_MINUTES")]
    {
        let now = shell.world.region(PROD_PAYMENTS, region, |region| {
            region.guardduty.detector.as_ref().expect("there is one").frequency.clone()
        });
        assert_eq!(now.as_str(), wanted, "{region}");
    }
}

#[test]
fn a_run_that_nobody_knows_is_said() {
    let shell = Shell::acme();
    shell.run("undo 01JDB4N3W0 --out @undo.json").exits(1).says("know no run `01JDB4N3W0`");
    shell.run("undo ../../organization --out @undo.json").exits(1).says("know no run");
    shell.run("undo").exits(64).says("<RUN>");
    assert!(!shell.dir().join(".audit").exists(), "looking makes no folder");
}
