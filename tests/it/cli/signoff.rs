//! What people sign for: exceptions, modes, conflicts.

use baseline::sandbox::sample::PROD_PAYMENTS;

use super::shell::Shell;

fn excepting(resources: &str) -> Shell {
    let shell = Shell::acme();
    shell.edit("exceptions/legacy-images.yaml", "[\"legacy-*\"]", resources);
    shell
}

#[test]
fn an_exception_is_honoured_for_what_it_names() {
    let shell = excepting("[\"sandbox/*\"]");
    shell
        .run("plan")
        .exits(0)
        .says("excepted")
        .says("sandbox/spike in eu-west-1: legacy-images, SEC-412, until 2027-03-31")
        .fits();
    shell.run("apply --auto-approve").exits(0);
    shell.world.region(PROD_PAYMENTS, "eu-west-1", |region| {
        assert!(!region.ecr.repositories["sandbox/spike"].scan_on_push);
        assert!(region.ecr.repositories["payments/web"].scan_on_push);
    });
    shell.run("plan --control ecr.repositories --detailed-exitcode").exits(0);
}

#[test]
fn an_expired_exception_is_a_warning_and_no_longer_holds() {
    let shell = excepting("[\"sandbox/*\"]");
    shell.edit("exceptions/legacy-images.yaml", "2027-03-31", "2025-12-31");
    shell
        .run("plan")
        .exits(0)
        .says("warning")
        .says("payments/ledger, payments/web eu-west-1")
        .says("sandbox/spike")
        .says("exception legacy-images expired on 2025-12-31: no longer honoured")
        .does_not_say("excepted ");
    shell.run("apply --auto-approve --control ecr.repositories").exits(0);
    shell.world.region(PROD_PAYMENTS, "eu-west-1", |region| {
        assert!(region.ecr.repositories["sandbox/spike"].scan_on_push)
    });
}

#[test]
fn an_exception_for_another_region_or_account_excepts_nothing() {
    for (from, to) in [("[eu-west-1]", "[eu-central-1]"), ("[prod-payments]", "[\"prod-p?\"]")] {
        let shell = excepting("[\"*\"]");
        shell.edit("exceptions/legacy-images.yaml", from, to);
        shell.run("plan").exits(0).does_not_say("excepted ");
    }
}

#[test]
fn an_exception_does_not_make_a_thing_known() {
    let shell = excepting("[\"*\"]");
    shell.world.set_weather(
        baseline::sandbox::Weather::fair()
            .with(baseline::sandbox::Front::new(baseline::sandbox::Trouble::Denied).on("ecr:*")),
    );
    shell.run("plan").exits(4);
}

#[test]
fn what_is_only_observed_is_told_and_never_written() {
    let shell = Shell::acme();
    shell.edit(
        "baselines/recommended.yaml",
        "guardduty.detector:",
        "guardduty.detector:\n      mode: observe",
    );
    shell.run("plan").exits(0).says("observed only").fits();
    shell.run("apply --auto-approve").exits(0);
    assert!(
        shell.world.writes().keys().all(|call| !call.starts_with("guardduty:")),
        "{:?}",
        shell.world.writes()
    );
    shell.run("plan --control guardduty.detector --detailed-exitcode").exits(2);
}

#[test]
fn what_is_unmanaged_is_not_even_looked_at() {
    let shell = Shell::acme();
    shell.edit("baselines/recommended.yaml", "ecr.registry:", "ecr.registry:\n      mode: unmanaged");
    shell.run("plan").exits(0);
    assert!(!shell.world.calls().contains_key("ecr:GetRegistryScanningConfiguration"));
}

#[test]
fn onconflict_fail_leaves_what_exists_to_its_owner() {
    let shell = Shell::acme();
    shell.edit(
        "baselines/recommended.yaml",
        "guardduty.detector:",
        "guardduty.detector:\n      onConflict: fail",
    );
    let plan = shell.run("plan").exits(0).fits();
    shell.run("apply --auto-approve").exits(0);
    if plan.out.contains("forbids adopting") {
        assert!(!shell.world.writes().contains_key("guardduty:UpdateDetector"), "{:?}", shell.world.writes());
    }
}

#[test]
fn an_attestation_answers_nothing_that_an_api_shows() {
    let shell = Shell::acme();
    shell.write(
        "attestations.yaml",
        "apiVersion: baseline/v1\nkind: Attestation\nmetadata: {name: root-mfa}\nspec:\n  control: iam.root-user\n  rule: root-mfa\n  accounts: [\"*\"]\n  by: jo@acme.example\n  expires: 2027-06-30\n",
    );
    shell.run("plan").exits(0).says("no device");
}

#[test]
fn a_suspended_account_is_shown_and_not_changed_by_anybody() {
    let shell = Shell::many(3);
    let suspend = "  suspend: {until: 2999-12-31, reason: the migration}\n  id:";
    shell.edit("accounts/account-01.yaml", "  id:", suspend);
    let plan = shell.run("plan --detailed-exitcode").exits(2).fits();
    plan.says("observed only")
        .says("(suspended until 2999-12-31: the migration)")
        .says("1 to create, 1 observed only");
    shell.run("apply --auto-approve").exits(0).says("1 change made");
    assert_eq!(shell.world.writes().into_keys().collect::<Vec<_>>(), ["guardduty:CreateDetector"]);
    shell.run("render account-01").exits(0).says("suspend: until: 2999-12-31 reason: the migration");
    // Its last day has passed.
    shell.edit("accounts/account-01.yaml", "2999-12-31", "2020-01-01");
    shell
        .run("apply --auto-approve")
        .exits(0)
        .says("warning: the suspension ended on 2020-01-01")
        .says("1 change made");
    shell.edit("accounts/account-01.yaml", "until: 2020-01-01, reason: the migration", "until: soon");
    shell.run("validate").exits(1).says("`reason` is missing").says("soon");
}
