//! Adoption: what is live becomes the account's document, and a plan on it is empty.

use baseline::sandbox::World;
use baseline::sandbox::sample::{LOG_ARCHIVE, PROD_PAYMENTS};
use baseline::sandbox::{Front, Trouble, Weather};

use super::shell::{Ran, Shell, steadily};

/// Puts imported controls in the place of the account's own.
fn adopt(shell: &Shell, account: &str) -> Ran {
    let file = format!("accounts/{account}.yaml");
    let text = std::fs::read_to_string(shell.dir().join(&file)).expect("it has a document");
    let head = text.split("  controls:").next().expect("a head").to_owned();
    shell.write(&file, &head);
    let ran = shell.run(&format!("import --account {account}")).exits(0);
    let controls = ran.out.split_once("  controls:").expect("controls").1;
    shell.write(&file, format!("{head}  controls:{controls}"));
    ran
}

/// Neither changes nor anything blocked or only observed is left for the account.
fn nothing_to_do(shell: &Shell, account: &str) {
    shell.run("validate").exits(0);
    let plan = shell.run(&format!("plan --account {account} --format json"));
    for finding in plan.json()["findings"].as_array().expect("a list") {
        let of_account =
            finding["accounts"].as_array().expect("a list").iter().any(|id| id == id_of(account));
        let outcome = finding["outcome"].as_str().expect("a word");
        let open = ["change", "blocked", "observeOnly"].contains(&outcome);
        assert!(!(of_account && open), "{finding:#}");
    }
}

fn id_of(account: &str) -> &'static str {
    match account {
        "prod-payments" => PROD_PAYMENTS,
        "log-archive" => LOG_ARCHIVE,
        other => panic!("{other} is not in these tests"),
    }
}

#[test]
fn an_account_that_others_set_up_is_described_and_its_plan_is_empty() {
    let shell = Shell::acme();
    let ran = adopt(&shell, "prod-payments");
    assert!(shell.world.writes().keys().all(|call| call.starts_with("sts:")), "{:?}", shell.world.writes());
    steadily(|| insta::assert_snapshot!("import", without_day(&ran.said())));
    nothing_to_do(&shell, "prod-payments");
}

/// The day of the import is of today.
fn without_day(text: &str) -> String {
    let today = jiff::ZonedDateTime::now().date().to_string();
    text.replace(&today, "<day>")
}

#[test]
fn what_is_as_the_baselines_say_is_not_said_again() {
    let shell = Shell::acme();
    shell.run("apply --auto-approve").exits(0);
    let ran = shell.run("import --account log-archive").exits(0);
    assert!(ran.out.contains("controls: {}"), "{}", ran.said());
}

#[test]
fn what_could_not_be_seen_is_said_and_is_exit_4() {
    let shell = Shell::acme();
    let denied = Front::new(Trouble::Denied).on("guardduty:ListDetectors").at(|a| a.region == "us-east-1");
    shell.world.set_weather(Weather::fair().with(denied));
    shell
        .run("import --account prod-payments --control guardduty.detector")
        .exits(4)
        .says("? guardduty.detector us-east-1: guardduty:ListDetectors: AccessDeniedException");
}

#[test]
fn wrong_words_are_told() {
    let shell = Shell::new(World::acme());
    shell.run("import --account x").exits(1).says("`baseline init` writes one");
    let shell = Shell::acme();
    shell.run("import").exits(64).says("--account");
    shell.run("import --account prod-paiments").exits(64).says("did you mean `prod-payments`?");
    shell.run("import --account prod-payments --control s3").exits(64).says("matches nothing");
    shell.run("import --account prod-payments --out @there.yaml --control iam.root-user").exits(0);
    shell.run("import --account prod-payments --out @there.yaml").exits(1).says("cannot write");
    shell.world.account(PROD_PAYMENTS, |account| account.iam.roles.clear());
    shell.run("import --account prod-payments").exits(4).says("could not be reached");
}
