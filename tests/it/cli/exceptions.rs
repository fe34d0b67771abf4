//! Exceptions: how each stands, what reports say of them, tags, and findings of Security Hub.

use aws_sdk_securityhub::types::WorkflowStatus;
use baseline::sandbox::sample::{LOG_ARCHIVE, PROD_PAYMENTS};
use baseline::sandbox::securityhub::{HubFinding, SecurityHub};
use baseline::sandbox::{Front, Trouble, Weather};
use jiff::civil::Date;
use jiff::{Span, Timestamp};
use serde_json::Value;

use super::shell::Shell;

const LEGACY: &str = "exceptions/legacy-images.yaml";

/// UTC's day, so many days from now.
fn day(from_now: i64) -> Date {
    let today = baseline::desired::day(Timestamp::now());
    today.checked_add(Span::new().days(from_now)).expect("a day")
}

/// The sample organisation, with its exception for a repository that is out of order.
fn acme(expires: Date) -> Shell {
    let shell = Shell::acme();
    shell.edit(LEGACY, "[\"legacy-*\"]", "[\"sandbox/*\"]");
    shell.edit(LEGACY, "2027-03-31", &expires.to_string());
    shell
}

fn add(shell: &Shell, name: &str, rest: &str) {
    let text = format!(
        "apiVersion: baseline/v1\nkind: Exception\nmetadata: {{name: {name}}}\nspec:\n  reason: the rewrite\n  \
         owner: team@acme.example\n  approver: ciso@acme.example\n{rest}"
    );
    shell.write(&format!("exceptions/{name}.yaml"), text);
}

#[test]
fn all_are_listed_with_how_they_stand_and_nobody_is_asked() {
    let shell = acme(day(9));
    add(&shell, "old", "  control: ecr.repositories\n  accounts: [\"prod-*\"]\n  expires: 2025-12-31\n");
    add(
        &shell,
        "roomy",
        &format!(
            "  control: kms.keys\n  where: {{seats: [logArchive]}}\n  resourceTags: {{data: [legacy, old]}}\n  \
             expires: {}\n",
            day(100)
        ),
    );
    let listed = shell.run("exceptions").exits(0).fits();
    let listed = listed
        .says("3 exceptions: 1 expired, 1 ending soon, 1 in force.")
        .says("expired on 2025-12-31: no longer honoured")
        .says(&format!("ends in 9 days, on {}", day(9)))
        .says("about ecr.repositories, rule scan-on-push, in eu-west-1: sandbox/*")
        .says("accounts prod-*: prod-payments")
        .says("about kms.keys: tagged data=legacy|old")
        .says("accounts where seats logArchive: log-archive")
        .says("owner team-billing@acme.example, approved by ciso@acme.example")
        .says("ticket SEC-412")
        .says("legacy-images.yaml");
    let at = |name: &str| listed.out.find(&format!("\n  {name}\n")).unwrap_or_else(|| panic!("{name}"));
    assert!(at("old") < at("legacy-images") && at("legacy-images") < at("roomy"), "the first to end first");
    shell.run("exceptions --detailed-exitcode").exits(2);
    let json = shell.run("exceptions --format json").exits(0).json();
    let states: Vec<&Value> =
        json["exceptions"].as_array().expect("a list").iter().map(|one| &one["state"]).collect();
    assert_eq!(states, ["expired", "endsSoon", "holds"]);
    let soon = &json["exceptions"][1];
    assert_eq!((&soon["daysLeft"], &soon["means"][0]), (&Value::from(9), &Value::from("prod-payments")));
    assert_eq!(soon["approver"], "ciso@acme.example");
    let schema = shell.run("generate schema exceptions").exits(0).json();
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let wrong: Vec<String> = validator.iter_errors(&json).map(|error| error.to_string()).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    assert!(shell.world.calls().is_empty());

    std::fs::remove_dir_all(shell.dir().join("exceptions")).expect("removed");
    shell.run("exceptions --detailed-exitcode").exits(0).says("0 exceptions.");
}

#[test]
fn every_format_says_what_is_excepted_and_why() {
    let shell = acme(day(9));
    let signed = "manifest v1 images cannot be scanned; gone with the rewrite (owner team-billing@acme.example, \
                  approved by ciso@acme.example)";
    let ends = format!("legacy-images ends in 9 days, on {}", day(9));
    shell.run("plan").exits(0).says("excepted").says(signed).says(&ends).fits();
    shell.run("plan --format markdown").exits(0).says(signed).says(&ends);
    shell.run("plan --format junit").exits(0).says("skipped").says(signed);
    shell.run("plan --format html").exits(0).says(signed).says(&ends);
    let github = shell.run("plan --format github").exits(0);
    let notice =
        |text: &str| github.out.lines().any(|line| line.starts_with("::notice") && line.contains(text));
    assert!(notice(signed) && notice(&ends), "{}", github.out);

    let json = shell.run("plan --format json").exits(0).json();
    let findings = json["findings"].as_array().expect("a list");
    let excepted = findings.iter().find(|one| one["outcome"] == "excepted").expect("one");
    let exception = &excepted["exception"];
    assert_eq!(
        (&exception["name"], &exception["owner"], &exception["approver"], &exception["ticket"]),
        (
            &Value::from("legacy-images"),
            &Value::from("team-billing@acme.example"),
            &Value::from("ciso@acme.example"),
            &Value::from("SEC-412")
        )
    );
    assert_eq!(exception["expires"], day(9).to_string());
    let all = &json["exceptions"][0];
    assert_eq!((&all["state"], &all["findings"]), (&Value::from("endsSoon"), &Value::from(1)));
    assert_eq!(all["matchesNothing"], false);

    let sarif = shell.run("plan --format sarif").exits(0).json();
    let results = sarif["runs"][0]["results"].as_array().expect("a list");
    let suppressed: Vec<&Value> = results.iter().filter(|one| one["suppressions"].is_array()).collect();
    let [one] = suppressed[..] else { panic!("{suppressed:?}") };
    let suppression = &one["suppressions"][0];
    assert_eq!(
        (&suppression["kind"], &suppression["status"]),
        (&Value::from("external"), &Value::from("accepted"))
    );
    assert_eq!(suppression["properties"]["ticket"], "SEC-412");
    assert!(suppression["justification"].as_str().is_some_and(|text| text.contains("cannot be scanned")));
    assert_eq!(suppression["location"]["physicalLocation"]["region"]["startLine"], 16);
    let told = sarif["runs"][0]["invocations"][0]["toolExecutionNotifications"].to_string();
    assert!(told.contains(&ends), "{told}");

    let report = shell.run("report").exits(0);
    report.says("! in 9 days").says("legacy-images");
}

#[test]
fn what_has_ended_says_so_where_it_is_enforced_again() {
    let shell = acme(day(-1));
    let plan = shell.run("plan").exits(0).fits();
    plan.says(&format!("exception legacy-images expired on {}: no longer honoured", day(-1)))
        .says(&format!("Exception legacy-images expired on {}: no longer honoured", day(-1)))
        .says("sandbox/spike");
    shell
        .run("plan --format github")
        .exits(0)
        .says(&format!("::warning file={}", shell.dir().join(LEGACY).display()));
    let json = shell.run("plan --format json").exits(0).json();
    let lapsed = json["findings"].as_array().expect("a list").iter().any(|one| one["lapsed"].is_string());
    assert!(lapsed);
    shell.run("report").exits(0).says("! expired 1 day ago: no longer honoured");
    // The last day is a whole one, UTC's.
    acme(day(0)).run("plan").exits(0).says("excepted").says("ends today");
}

#[test]
fn of_several_the_one_that_ends_last_is_told_and_the_others_beside_it() {
    let shell = acme(day(50));
    let about = "  control: ecr.repositories\n  accounts: [prod-payments]\n  resources: [\"sandbox/*\"]\n";
    for (name, ends) in [("longer", 60), ("also-longer", 60)] {
        add(&shell, name, &format!("{about}  expires: {}\n", day(ends)));
    }
    let json = shell.run("plan --format json").exits(0).json();
    let findings = json["findings"].as_array().expect("a list");
    let excepted = findings.iter().find(|one| one["rule"] == "scan-on-push" && one["outcome"] == "excepted");
    assert_eq!(excepted.expect("one")["exception"]["name"], "also-longer");
    shell.run("plan").exits(0).says("also excepted by longer, legacy-images").does_not_say("excepts nothing");
}

#[test]
fn who_excepts_nothing_is_told_only_where_all_was_seen() {
    let shell = Shell::acme();
    shell.run("plan").exits(0).says("Exception legacy-images excepts nothing").fits();
    shell.world.set_weather(Weather::fair().with(Front::new(Trouble::Denied).on("ecr:*")));
    shell.run("plan").exits(4).does_not_say("excepts nothing");
    // AWS Config keeps its own.
    shell.world.set_weather(Weather::fair());
    shell.edit(LEGACY, "control: ecr.repositories\n  rule: scan-on-push", "control: config.rules");
    shell.run("plan").exits(0).does_not_say("excepts nothing");
}

#[test]
fn validate_counts_its_warnings_and_asks_what_an_auditor_would() {
    let shell = Shell::acme();
    shell.run("validate").exits(0).says("nothing wrong");
    shell.edit(LEGACY, "ciso@acme.example", "Team-Billing@acme.example");
    shell.edit(LEGACY, "2027-03-31", "2099-03-31");
    shell
        .run("validate")
        .exits(0)
        .says("whoever owns exception `legacy-images` approves it too")
        .says("holds for more than a year")
        .says("no error, 2 warnings")
        .does_not_say("nothing wrong");
    shell.edit(LEGACY, "resources:", "resourceTags: {stage: [legacy]}\n  resources:");
    shell.run("validate").exits(1).says("`ecr.repositories` does not read the tags of its resources");
}

#[test]
fn a_resource_is_meant_by_its_tags_and_not_touched_where_they_cannot_be_read() {
    let shell = Shell::acme();
    shell.run("apply --auto-approve --control kms.keys").exits(0);
    let key = |rotation: Option<i32>, data: &str| {
        shell.world.region(LOG_ARCHIVE, "eu-west-1", |region| {
            let key = region.kms.aliased("alias/baseline/logs").expect("it was made");
            key.rotation = rotation;
            key.tags.insert("data".into(), data.into());
        });
    };
    let about = "  control: kms.keys\n  accounts: [log-archive]\n  resourceTags: {data: [legacy]}\n";
    add(&shell, "by-tag", &format!("{about}  expires: {}\n", day(60)));
    key(None, "legacy");
    let plan = "plan --control kms.keys --detailed-exitcode";
    shell.run(plan).exits(0).says("excepted").says("by-tag, until");
    // A tag is no part of the finding: it moves no plan, but for whom it excepts.
    key(None, "other");
    shell.run(plan).exits(2).says("rotationDays").does_not_say("by-tag, until");
    key(None, "legacy");
    shell.world.set_weather(Weather::fair().with(Front::new(Trouble::Denied).on("kms:ListResourceTags")));
    shell.run(plan).exits(4).says("kms:ListResourceTags").does_not_say("~ kms.keys");
    shell.run("apply --auto-approve --control kms.keys").exits(4);
    shell.world.region(LOG_ARCHIVE, "eu-west-1", |region| {
        assert_eq!(region.kms.aliased("alias/baseline/logs").expect("it is there").rotation, None);
    });
}

#[test]
fn accounts_are_meant_by_what_aws_organizations_knows() {
    let shell = acme(day(60));
    shell.edit(LEGACY, "accounts: [prod-payments]", "where: {ou: [/Workloads], names: [\"prod-*\"]}");
    shell.run("plan").exits(0).says("sandbox/spike in eu-west-1: legacy-images");
    assert!(shell.world.calls().keys().any(|call| call.starts_with("organizations:ListAccounts")));
    shell.edit(LEGACY, "/Workloads", "/Security");
    shell.run("plan").exits(0).does_not_say("excepted ");
}

fn status(shell: &Shell) -> (WorkflowStatus, String) {
    shell.world.region(PROD_PAYMENTS, "eu-west-1", |region| {
        let finding = region.securityhub.findings.values().next().expect("it is there");
        (finding.status.clone(), finding.note.as_ref().map(|note| note.0.clone()).unwrap_or_default())
    })
}

#[test]
fn findings_are_suppressed_while_it_holds_and_open_again_when_it_has_ended() {
    let shell = acme(day(60));
    shell.edit(LEGACY, "  reason:", "  suppressFindings: true\n  reason:");
    shell.run("validate").exits(0).says("nobody suppresses the findings of exception `legacy-images`");
    shell.edit(
        "baselines/recommended.yaml",
        "    securityhub.hub:",
        "    securityhub.suppressions: {excepted: SUPPRESSED}\n    securityhub.hub:",
    );
    shell.run("validate").exits(0).says("nothing wrong");
    let now = shell.world.now();
    shell.world.region(PROD_PAYMENTS, "eu-west-1", |region| {
        region.securityhub = SecurityHub::enabled(now);
        let id = format!("arn:aws:securityhub:eu-west-1:{PROD_PAYMENTS}:security-control/ECR.1/finding/1");
        let spike = format!("arn:aws:ecr:eu-west-1:{PROD_PAYMENTS}:repository/sandbox/spike");
        region.securityhub.findings.insert(id, HubFinding::new("ECR.1", "AwsEcrRepository", &spike, now));
    });
    let select = "--control securityhub.suppressions --account prod-payments";
    shell
        .run(&format!("plan {select}"))
        .exits(0)
        .says("~ securityhub.suppressions legacy-images")
        .says("excepted NEW → SUPPRESSED")
        .says("because manifest v1 images cannot be scanned")
        .fits();
    let refused = shell.run(&format!("apply --auto-approve {select}")).exits(3);
    refused.says("--allow weakening:legacy-images");
    assert_eq!(status(&shell).0, WorkflowStatus::New);
    // Whoever signed has said why.
    shell.run(&format!("apply --auto-approve --allow weakening:legacy-images {select}")).exits(0);
    let (suppressed, note) = status(&shell);
    assert_eq!(suppressed, WorkflowStatus::Suppressed);
    assert!(note.starts_with("baseline exception `legacy-images`, SEC-412, until "), "{note}");
    shell.run(&format!("plan --detailed-exitcode {select}")).exits(0);

    shell.edit(LEGACY, &day(60).to_string(), &day(-1).to_string());
    shell.run(&format!("apply --auto-approve {select}")).exits(0).says("1 change made");
    assert_eq!(
        status(&shell),
        (WorkflowStatus::New, "baseline: opened again, after the exception `legacy-images`".into())
    );
    shell.run(&format!("plan --detailed-exitcode {select}")).exits(0);
}
