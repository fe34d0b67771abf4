//! What is not known is never in sync, and what is not the right account is never touched.

use baseline::sandbox::sample::{LOG_ARCHIVE, MANAGEMENT, PROD_PAYMENTS, SECURITY};
use baseline::sandbox::{Deny, Front, Trouble, Weather, World};

use super::shell::{Shell, steadily};

#[test]
fn an_account_whose_role_cannot_be_assumed_is_one_finding() {
    let shell = Shell::acme();
    shell.world.account(LOG_ARCHIVE, |account| account.iam.roles.clear());
    let plan = shell.run("plan").exits(4).fits();
    // The account, and the one trail that would have to be compared with its key. The rest waits for it.
    assert_eq!(plan.out.matches("\n  ? ").count(), 2, "{}", plan.out);
    steadily(|| insta::assert_snapshot!("role_that_cannot_be_assumed", plan.said()));
    shell.run("apply --auto-approve").exits(4).says("prod-payments").says("changes made and seen to hold");
}

#[test]
fn an_apply_role_that_is_missing_fails_its_own_account_only() {
    let shell = Shell::acme();
    shell.world.account(LOG_ARCHIVE, |account| account.iam.roles.remove("baseline-apply"));
    shell.run("plan").exits(0);
    shell
        .run("apply --auto-approve")
        .exits(1)
        .says("sts:AssumeRole")
        .says("something they need is not there")
        .fits();
}

#[test]
fn the_wrong_account_is_refused_before_anything_is_asked_of_it() {
    let shell = Shell::new(World::one_account("111122223333"));
    shell.run("init @desired-state --account-id 444455556666 --region eu-west-1").exits(0);
    shell.world.forget_calls();
    shell.run("plan").exits(3).says("the caller's credentials are for account 111122223333");
    let calls: Vec<String> = shell.world.calls().into_keys().collect();
    assert_eq!(calls, ["sts:GetCallerIdentity"]);
    shell.run("apply --auto-approve").exits(3);
    shell.run("observe --out @inventory.json").exits(3);
    assert!(shell.world.writes().is_empty());
}

#[test]
fn the_wrong_organisation_is_refused() {
    let shell = Shell::acme();
    shell.edit("organization.yaml", "o-a1b2c3d4e5", "o-zzzzzzzzzz");
    let plan = shell
        .run("plan")
        .exits(3)
        .says("the account belongs to organisation o-a1b2c3d4e5, and the YAML says o-zzzzzzzzzz");
    steadily(|| insta::assert_snapshot!("wrong_organisation", plan.said()));
    let calls: Vec<String> = shell.world.calls().into_keys().collect();
    assert_eq!(calls, ["organizations:DescribeOrganization", "sts:AssumeRole", "sts:GetCallerIdentity"]);
    shell.run("apply --auto-approve").exits(3);
    assert!(shell.world.writes().is_empty());
}

#[test]
fn a_region_that_the_organisation_denies_is_said_with_the_line_to_write() {
    let shell = Shell::acme();
    shell.world.account(PROD_PAYMENTS, |account| {
        account.denies.insert(Deny::new("guardduty:*").in_region("us-east-1").by_organization());
    });
    shell
        .run("plan")
        .exits(4)
        .says("service control policy")
        .says("is the region closed to this account? Write it under `regions.except`")
        .fits();
    shell.edit(
        "accounts/prod-payments.yaml",
        "  controls:",
        "  regions:\n    except: {us-east-1: closed}\n  controls:",
    );
    shell.run("plan").exits(0);
}

#[test]
fn a_region_closed_by_a_policy_of_the_organisation_is_not_offered_and_said_once() {
    let shell = Shell::acme();
    shell.run("apply --auto-approve").exits(0);
    shell.world.account(PROD_PAYMENTS, |account| {
        let closed = Deny::new("*:*").in_region("eu-central-1").by_organization();
        account.denies.insert(closed);
        account.iam.root.access_keys = false;
        account.iam.root.mfa = baseline::sandbox::iam::Mfa::Hardware;
    });
    let plan = shell.run("plan --detailed-exitcode").exits(0).fits();
    let plan = plan.says("not offered.");
    assert!(plan.out.matches("closes the region").count() <= 1, "{}", plan.said());
    shell.world.account(PROD_PAYMENTS, |account| account.iam.root.access_keys = true);
    let plan = shell.run("plan").exits(0).fits();
    let plan = plan.says(
        " controls in eu-central-1: a policy of the organisation closes the region to this \
         account; write it under `regions.except`",
    );
    assert_eq!(plan.out.matches("closes the region").count(), 1, "{}", plan.said());
}

#[test]
fn a_service_that_throttles_for_ever_is_not_known_and_holds_up_nobody() {
    let shell = Shell::acme();
    shell.world.set_weather(
        Weather::fair()
            .with(Front::new(Trouble::Throttled).on("ecr:*").at(|call| call.account == PROD_PAYMENTS)),
    );
    let plan = shell.run("plan").exits(4).says("ecr:DescribeRepositories").says("run again later").fits();
    plan.says("iam.password-policy");
}

#[test]
fn no_answer_at_all_is_not_in_sync() {
    for trouble in [Trouble::Cut, Trouble::TimedOut, Trouble::ServerError, Trouble::Denied] {
        let shell = Shell::acme();
        shell.run("apply --auto-approve").exits(0);
        shell.world.set_weather(Weather::fair().with(Front::new(trouble).on("guardduty:*")));
        shell.run("plan").exits(4).says("?").does_not_say("In sync:");
    }
}

#[test]
fn a_suspended_account_is_listed_and_not_tried() {
    let shell = Shell::acme();
    shell.edit("organization.yaml", "\n  tags:   ", "\n  accounts: {discover: true}\n  tags:   ");
    shell.world.suspend(PROD_PAYMENTS);
    shell.run("plan").exits(0).says("prod-payments").says("SUSPENDED").fits();
    shell.run("apply --auto-approve").exits(0).says("changes made and seen to hold.");
}

#[test]
fn an_excepted_account_is_listed_and_not_tried() {
    let shell = Shell::acme();
    shell.edit(
        "organization.yaml",
        "\n  tags:   ",
        "\n  accounts: {except: {\"777766665555\": closes in May}}\n  tags:   ",
    );
    shell
        .run("plan")
        .exits(0)
        .says("closes in May")
        .does_not_say("security 777766665555")
        .says("1 account not tried: security");
}

#[test]
fn regions_that_cannot_be_listed_leave_the_account_unknown() {
    let shell = Shell::acme();
    shell.edit("organization.yaml", "managed: [eu-west-1, eu-central-1, us-east-1]", "managed: all-enabled");
    shell.world.account(SECURITY, |account| {
        let role = account.iam.roles.get_mut("baseline-observe").expect("there");
        role.denies.insert(Deny::new("account:ListRegions"));
    });
    shell.run("plan").exits(4).says("account:ListRegions").says("17 regions").fits();
}

#[test]
fn one_repository_that_cannot_be_read_stays_one() {
    let shell = Shell::acme();
    shell.edit("baselines/recommended.yaml", "scanOnPush: true", "lifecycle: none\n        scanOnPush: true");
    shell.world.region(PROD_PAYMENTS, "eu-west-1", |region| {
        region.ecr.repositories.get_mut("payments/api").expect("there").unreadable = true;
    });
    shell
        .run("plan")
        .exits(4)
        .says("payments/api")
        .says("payments/ledger, payments/web, sandbox/spike")
        .says("1 not known");
}

#[test]
fn who_calls_cannot_be_told() {
    let shell = Shell::acme();
    shell.world.set_weather(Weather::fair().with(Front::new(Trouble::Cut).on("sts:GetCallerIdentity")));
    shell.run("plan").exits(4).says("cannot tell who calls").says("aws sts get-caller-identity");
}

#[test]
fn the_roster_cannot_be_listed() {
    let shell = Shell::acme();
    shell.edit("organization.yaml", "\n  tags:   ", "\n  accounts: {discover: true}\n  tags:   ");
    shell.world.account(MANAGEMENT, |account| {
        let role = account.iam.roles.get_mut("baseline-observe").expect("there");
        role.denies.insert(Deny::new("organizations:ListAccounts"));
    });
    shell
        .run("plan")
        .exits(4)
        .says("cannot list the organisation's accounts")
        .says("organizations:ListAccounts");
    shell.run("apply --auto-approve").exits(4);
    assert!(shell.world.writes().is_empty());
}
