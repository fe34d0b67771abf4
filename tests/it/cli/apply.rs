//! What happens to changes on their way.

use baseline::sandbox::guardduty::Detector;
use baseline::sandbox::sample::PROD_PAYMENTS;
use baseline::sandbox::{Deny, Front, Trouble, Weather};

use super::shell::{Shell, steadily};

#[test]
fn a_change_that_has_moved_is_refused_and_the_others_are_made() {
    let shell = Shell::many(3);
    let world = shell.world.clone();
    let moved = shell.meanwhile("apply", move || {
        let now = world.now();
        world.region("100000000000", "eu-west-1", |region| {
            let mut detector = Detector::with_defaults("0123456789abcdef0123456789abcdef", now);
            detector.enabled = false;
            region.guardduty.detector = Some(detector);
        });
    });
    let moved = moved.exits(3).says("not done: moved").says("1 of 2 changes made").fits();
    steadily(|| insta::assert_snapshot!("moved", moved.out.split_once("before-images in").expect("a run").1));
}

#[test]
fn a_write_that_fails_is_said_with_its_fault_and_fails_alone() {
    let shell = Shell::acme();
    shell.world.account(PROD_PAYMENTS, |account| {
        let role = account.iam.roles.get_mut("baseline-apply").expect("there");
        role.denies.insert(Deny::new("guardduty:UpdateDetector"));
    });
    let ran = shell
        .run("apply --auto-approve")
        .exits(1)
        .says("AccessDeniedException")
        .says("changes made and seen to hold; 1 failed.")
        .fits();
    ran.says("guardduty:UpdateDetector: AccessDeniedException")
        .says("with an explicit deny in an identity-based policy (request ")
        .says("`baseline generate permissions` prints the policy that the role needs")
        .says("Exit code 1: 1 change was not seen to hold.");
    shell.run("plan --detailed-exitcode").exits(2).says("guardduty.detector");
}

#[test]
fn trouble_that_passes_is_waited_out_and_said() {
    let shell = Shell::many(2);
    // More failures than one call's own retries.
    shell.world.set_weather(
        Weather::fair().with(Front::new(Trouble::Throttled).on("guardduty:CreateDetector").times(4)),
    );
    shell
        .run("apply --auto-approve")
        .exits(0)
        .says("retried for")
        .says("1 change made and seen to hold")
        .fits();
}

#[test]
fn a_lost_reply_is_not_a_failure() {
    let shell = Shell::acme();
    shell.world.set_weather(Weather::fair().with(Front::new(Trouble::ReplyLost).at(|call| call.writes)));
    // A change of more calls than there are tries would end before its last one.
    let some = "--control guardduty.detector --control iam.password-policy --control ecr.registry";
    shell.run(&format!("apply --auto-approve {some}")).exits(0).says("changes made and seen to hold.");
    shell.world.set_weather(Weather::fair());
    shell.run(&format!("plan --detailed-exitcode {some}")).exits(0);
}

#[test]
fn a_change_that_somebody_else_made_meanwhile_is_not_made_again() {
    let shell = Shell::many(3);
    let world = shell.world.clone();
    let moved = shell.meanwhile("apply", move || {
        let now = world.now();
        world.region("100000000000", "eu-west-1", |region| {
            region.guardduty.detector =
                Some(Detector::with_defaults("0123456789abcdef0123456789abcdef", now));
        });
    });
    moved.exits(3).says("somebody else has put it right");
    assert_eq!(shell.world.writes()["guardduty:CreateDetector"], 1);
    shell.run("plan --detailed-exitcode").exits(0);
}

#[test]
fn detailed_exit_codes_of_an_apply_tell_what_remains() {
    let shell = Shell::acme();
    shell.run("apply --auto-approve --detailed-exitcode").exits(2).says("2 tasks by hand");
    shell.run("apply --auto-approve").exits(0);
}
