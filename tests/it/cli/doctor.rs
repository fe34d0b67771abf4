//! `baseline doctor`: what is broken is told with what puts it right, and nothing stops it.

use baseline::sandbox::sample::{LOG_ARCHIVE, MANAGEMENT, PROD_PAYMENTS, SECURITY, TRAINING};
use baseline::sandbox::{Allows, Deny, Front, Trouble, Weather, World};
use serde_json::Value;

use super::shell::{Shell, organization, steadily};

fn account<'a>(found: &'a Value, id: &str) -> &'a Value {
    let all = found["accounts"].as_array().expect("accounts");
    all.iter().find(|one| one["id"] == id).expect("the account")
}

/// A snapshot without the number of calls, which every new control changes.
fn told(name: &str, said: &str) {
    steadily(|| {
        let mut settings = insta::Settings::clone_current();
        settings.add_filter(r"\b\d+ reads\b", "N reads");
        settings.bind(|| insta::assert_snapshot!(name, said));
    });
}

fn deny(world: &World, id: &str, role: &str, call: &str) {
    world.account(id, |account| {
        account.iam.roles.get_mut(role).expect("the role").denies.insert(Deny::new(call));
    });
}

#[test]
fn everything_is_fine() {
    let shell = Shell::acme();
    let fine = shell.run("doctor").exits(0).fits();
    told("doctor", &fine.said());
    assert!(shell.world.writes().is_empty());
    assert!(!shell.dir().join(".audit").exists(), "it makes no folder either");
    let found = shell.run("doctor --format json").exits(0).json();
    assert!(found["accounts"].as_array().expect("accounts").iter().all(|one| one["verdict"] == "fine"));
}

#[test]
fn whatever_is_broken_is_told_at_once_with_what_puts_it_right() {
    let shell = Shell::acme();
    let world = &shell.world;
    world.account(LOG_ARCHIVE, |account| account.iam.roles.remove("baseline-observe"));
    world.account(TRAINING, |account| account.iam.roles.remove("baseline-apply"));
    deny(world, PROD_PAYMENTS, "baseline-apply", "guardduty:UpdateDetector");
    world.account(SECURITY, |account| {
        account.denies.insert(Deny::new("kms:PutKeyPolicy").by_organization());
        account.denies.insert(Deny::new("*:*").in_region("us-east-1").by_organization());
    });
    let broken = shell.run("doctor").exits(4).fits();
    told("doctor_broken", &broken.said());
    assert!(world.writes().is_empty());

    let found = shell.run("doctor --format json").exits(4).json();
    let verdict = |id: &str| account(&found, id)["verdict"].as_str().map(str::to_owned).expect("a verdict");
    assert_eq!(verdict(MANAGEMENT), "fine");
    assert_eq!(verdict(LOG_ARCHIVE), "unknown", "what its roles are allowed could not be asked");
    assert_eq!(verdict(TRAINING), "wrong");
    let lacking = &account(&found, PROD_PAYMENTS)["apply"]["lacking"]["guardduty:UpdateDetector"];
    assert_eq!(lacking["why"], "denied");
    assert!(lacking["controls"].to_string().contains("guardduty.detector"), "{lacking}");
    let schema = shell.run("generate schema doctor").exits(0).json();
    let schema = jsonschema::validator_for(&schema).expect("a schema");
    let errors: Vec<String> = schema.iter_errors(&found).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

#[test]
fn what_is_certainly_wrong_is_2() {
    let shell = Shell::acme();
    shell.world.account(TRAINING, |account| account.iam.roles.remove("baseline-apply"));
    shell
        .run("doctor")
        .exits(2)
        .fits()
        .says("apply role baseline-apply cannot be assumed")
        .says("let it trust arn:aws:iam::999988887777:user/jo with the external id acme-baseline")
        .says("--trusted-principal arn:aws:iam::999988887777:user/jo \\ --format cloudformation");
    shell.run("doctor --account prod-payments").exits(0).does_not_say("training-7");
    shell.run("doctor --account nobody").exits(64);
    // What only reads does not need that role, and does not ask for it.
    shell.world.forget_calls();
    shell.run("doctor --read-only").exits(0).says("The apply role was not asked of");
}

#[test]
fn a_role_with_too_little_is_told_what_it_lacks() {
    let shell = Shell::acme();
    shell.world.account(PROD_PAYMENTS, |account| {
        account.iam.roles.get_mut("baseline-apply").expect("the role").allows = Allows::Reading;
    });
    let lacks = shell.run("doctor --account prod-payments").exits(2).fits();
    told("doctor_lacks", &lacks.said());
    let found = shell.run("doctor --account prod-payments --format json").exits(2).json();
    let lacking = account(&found, PROD_PAYMENTS)["apply"]["lacking"].as_object().expect("actions");
    assert!(lacking.len() > 50, "{}", lacking.len());
    let pass = &lacking["iam:PassRole"];
    assert!(pass["on"].to_string().contains("config.amazonaws.com"), "{pass}");
    assert!(!lacking.contains_key("guardduty:ListDetectors"));
}

#[test]
fn what_cannot_be_asked_is_unknown_and_never_fine() {
    let shell = Shell::acme();
    deny(&shell.world, PROD_PAYMENTS, "baseline-observe", "iam:SimulatePrincipalPolicy");
    let unknown = shell.run("doctor --account prod-payments").exits(4).fits();
    told("doctor_unknown", &unknown.said());

    let shell = Shell::acme();
    shell.world.set_weather(
        Weather::fair().with(Front::new(Trouble::ServerError).on("iam:SimulatePrincipalPolicy")),
    );
    shell.run("doctor").exits(4).does_not_say("are fine");
}

#[test]
fn nothing_stops_it() {
    let shell = Shell::acme();
    for service in ["iam", "s3", "kms", "guardduty", "config", "organizations", "account"] {
        let all = Front::new(Trouble::ServerError).at(move |call| call.service == service);
        shell.world.set_weather(Weather::fair().with(all));
        let ran = shell.run("doctor");
        assert!([0, 4].contains(&ran.exit), "{service}: {}", ran.said());
        assert!(ran.fits().out.contains("Exit code"), "{service}");
    }
    shell.world.set_weather(Weather::fair().with(Front::new(Trouble::ServerError)));
    shell.run("doctor").exits(4).says("cannot tell who calls");
}

#[test]
fn another_organisation_or_account_is_refused() {
    let shell = Shell::acme();
    shell.edit("organization.yaml", "o-a1b2c3d4e5", "o-zzzzzzzzzz");
    shell.run("doctor").exits(3).fits().says("the YAML says o-zzzzzzzzzz").says("Exit code 3");
}

#[test]
fn without_the_roster_named_accounts_are_examined() {
    let shell = Shell::many(3);
    shell.edit("organization.yaml", "  roles:", "  accounts: {discover: true}\n  roles:");
    deny(&shell.world, MANAGEMENT, "baseline-observe", "organizations:ListAccounts");
    shell
        .run("doctor")
        .exits(4)
        .fits()
        .says("AWS Organizations does not list the accounts")
        .says("only accounts that a document names by id")
        .says("account-01, account-02");
}

#[test]
fn regions_that_are_off_or_closed_come_with_the_lines_to_write() {
    let shell = Shell::acme();
    shell.edit(
        "organization.yaml",
        "[eu-west-1, eu-central-1, us-east-1]",
        "[eu-west-1, af-south-1, eu-central-1]",
    );
    shell.world.account(TRAINING, |account| {
        account.denies.insert(Deny::new("*:*").in_region("eu-central-1").by_organization());
        account.denies.insert(Deny::new("guardduty:*").in_region("eu-west-1").by_organization());
    });
    let regions = shell.run("doctor").exits(2).fits();
    told("doctor_regions", &regions.said());
}

#[test]
fn an_audit_record_in_a_bucket_is_asked_after_and_not_written() {
    let shell = super::audit::in_a_bucket(MANAGEMENT);
    let put = |shell: &Shell| shell.world.calls().contains_key("s3:PutObject");
    shell.run("doctor").exits(0).fits().says("IAM lets the caller write it");
    assert!(!put(&shell));
    shell.edit("organization.yaml", "acme-audit", "acme-audits");
    shell.run("doctor").exits(2).fits().says("audit record s3://acme-audits").says("put right");
    let shell = Shell::new(World::many(2));
    shell.write("organization.yaml", organization("", "  audit: gs://x/y\n"));
    shell.write("baselines/detector.yaml", "apiVersion: baseline/v1\nkind: Baseline\nmetadata: {name: detector}\nspec:\n  controls:\n    guardduty.detector: {enabled: true}\n");
    shell.account("account-01", "100000000000");
    shell.run("doctor").exits(2).fits().says("is neither a folder nor `s3://bucket/prefix`");
}

#[test]
fn the_callers_own_credentials_are_examined_where_there_are_no_roles() {
    let shell = Shell::new(World::one_account("111122223333"));
    shell.run("init @desired-state --account-id 111122223333 --region eu-west-1").exits(0);
    shell.run("doctor").exits(0).fits().says("with the caller's own credentials");
    let shell = Shell::new(World::one_account("111122223333"));
    shell.run("init @desired-state --account-id 444455556666 --region eu-west-1").exits(0);
    shell.run("doctor").exits(3).fits();
}

#[test]
fn many_accounts_with_the_same_trouble_are_told_once() {
    let shell = Shell::many(12);
    for index in 0..9 {
        let id = format!("{}", 100_000_000_000_u64 + index);
        shell.world.account(&id, |account| account.iam.roles.remove("baseline-apply"));
    }
    let ran =
        shell.run("doctor").exits(2).fits().says("9 accounts: account-01, account-02, account-03 and 6 more");
    assert_eq!(ran.out.matches("cannot be assumed").count(), 1, "{}", ran.out);
    ran.says("2 accounts are fine: account-10, account-11.");
}

#[test]
fn what_aws_says_is_hostile() {
    let shell = Shell::acme();
    shell.edit("accounts/training-7.yaml", "name: training-7", "name: \"evil\\u001b[2J\\u202e\"");
    let ran = shell.run("doctor");
    ran.does_not_say("\u{1b}").does_not_say("\u{202e}");
}
