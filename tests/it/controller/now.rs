//! `reconcile --now`, and what hints are made with.

use super::fleet::{messages, queue};
use super::stage::{id, is_on};
use crate::cli::shell::Shell;

#[test]
fn a_turn_now_tells_what_it_found_and_changes_only_when_told_to() {
    let shell = Shell::many(3);
    let looked = shell.run("reconcile --now account-01").exits(0).fits();
    let looked = looked
        .says("account-01 (100000000000): not as desired")
        .says("nothing was changed: that takes --enforce");
    looked.says("Drifted (ObserveOnly): detector: enabled not set → true").does_not_say("account-02");
    assert!(!is_on(&shell.world, &id(0)));
    let made = shell.run("reconcile --now account-01 --enforce").exits(0).fits();
    made.says("(100000000000): as desired").says("put right: guardduty.detector detector in eu-west-1");
    assert!(is_on(&shell.world, &id(0)) && !is_on(&shell.world, &id(1)));
    // What is known of it is kept where a controller keeps it.
    assert!(shell.dir().join(".audit/conditions/100000000000.json").exists());
    shell.run("reconcile --now account-03").exits(64).says("did you mean `account-0");
    shell.world.account(&id(1), |account| account.iam.roles.clear());
    shell.run("reconcile --now 100000000001 --enforce").exits(4).says("Unknown (Denied)");
}

#[test]
fn a_turn_can_be_left_to_the_replicas() {
    let shell = Shell::many(3);
    let queue = queue(&shell);
    shell.run(&format!("reconcile --now account-01 --queue {queue}")).exits(0).says("asked for  account-01");
    assert_eq!(messages(&shell, "baseline.fifo"), 1);
    assert!(!is_on(&shell.world, &id(0)));
    shell.run(&format!("reconcile --now account-01 --enforce --queue {queue}")).exits(64);
}

#[test]
fn the_templates_of_hints_name_all_writes_and_both_queues() {
    let shell = Shell::many(2);
    let queues = shell.run("generate hints queues").exits(0).json();
    let named =
        |name: &str| queues["Resources"][name]["Properties"]["QueueName"].as_str().expect("named").to_owned();
    assert_eq!((named("Work"), named("Hints")), ("baseline.fifo".to_owned(), "baseline-hints".to_owned()));
    let all = shell.run("generate hints rules").exits(0);
    let rules = all.json();
    let resources = rules["Resources"].as_object().expect("an object");
    assert!(resources.len() <= 10, "{:?}", resources.keys());
    all.says("\"DeleteDetector\"").says("\"rate(15 minutes)\"");
    let one = shell.run("generate hints rules --control guardduty.detector").exits(0);
    one.says("\"guardduty.amazonaws.com\"").says("\"DeleteDetector\"").does_not_say("DeleteTrail");
    shell.run("generate hints").exits(64);
}
