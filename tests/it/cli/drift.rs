//! What is no longer as it was last applied, who made it so, and what was never applied.

use std::collections::BTreeSet;
use std::time::Duration;

use baseline::sandbox::cloudtrail::Told;
use baseline::sandbox::iam::Mfa;
use baseline::sandbox::sample::{LOG_ARCHIVE, MANAGEMENT, PROD_PAYMENTS, SECURITY, TRAINING};
use baseline::sandbox::{Allows, Deny, Front, Principal, Trouble, Weather, World};
use serde_json::json;

use super::shell::{Ran, Shell, organization, steadily};

const HOME: &str = "eu-west-1";
const FIRST: &str = "100000000000";

/// Accounts with one detector each, applied.
fn applied(accounts: usize) -> Shell {
    let shell = Shell::many(accounts);
    shell.run("apply --auto-approve").exits(0);
    shell
}

/// Lets an event become visible: CloudTrail shows it some minutes after its call.
fn later(world: &World) {
    world.advance(Duration::from_secs(1200));
}

/// Somebody works in an account with the AWS SDK.
fn by_hand(shell: &Shell, work: impl AsyncFnOnce(aws_types::SdkConfig)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let sdk = shell.world.sdk_config(FIRST, Principal::User("jo".into()), HOME);
    runtime.block_on(work(sdk));
}

/// jo suspends the detector of the first account.
fn switched_off(shell: &Shell) {
    let world = shell.world.clone();
    by_hand(shell, async |sdk| {
        let config = aws_sdk_guardduty::config::Builder::from(&sdk).interceptor(world.interceptor()).build();
        let guardduty = aws_sdk_guardduty::Client::from_conf(config);
        let listed = guardduty.list_detectors().send().await.expect("listed");
        let id = listed.detector_ids().first().expect("one");
        guardduty.update_detector().detector_id(id).enable(false).send().await.expect("suspended");
    });
    later(&shell.world);
}

fn snapshot(name: &str, ran: &Ran) {
    steadily(|| insta::assert_snapshot!(name, ran.said()));
}

#[test]
fn what_is_as_it_was_applied_is_no_drift() {
    let shell = applied(3);
    shell.world.forget_calls();
    let ran = shell.run("drift").exits(0).fits();
    snapshot("drift_none", &ran);
    assert!(shell.world.writes().is_empty());
    assert!(
        !shell.world.calls().contains_key("cloudtrail:LookupEvents"),
        "nobody is looked for without need"
    );
}

#[test]
fn a_change_by_hand_is_told_with_who_made_it() {
    let shell = applied(3);
    switched_off(&shell);
    let ran = shell.run("drift").exits(2).fits();
    snapshot("drift_by_hand", &ran);
    let said =
        ran.says("enabled true → false").says("user/jo from 192.0.2.10").says("guardduty:UpdateDetector");
    assert!(said.err.is_empty());

    let found = shell.run("drift --format json").exits(2).json();
    let schema = shell.run("generate schema drift").exits(0).json();
    let schema = jsonschema::validator_for(&schema).expect("a schema");
    let errors: Vec<String> = schema.iter_errors(&found).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    let finding = &found["findings"][0];
    assert_eq!(finding["standing"], "drifted");
    assert_eq!(finding["fields"], json!([{ "path": "/enabled", "applied": true, "live": false }]));
    let call = &finding["who"]["calls"][0];
    assert_eq!(call["principal"], format!("arn:aws:iam::{FIRST}:user/jo"));
    assert_eq!((call["certain"].clone(), call["sourceAddress"].clone()), (json!(true), json!("192.0.2.10")));
    assert_eq!(found["exitCode"], 2);

    let lines = shell.run("drift --format jsonl").exits(2);
    assert_eq!(lines.out.lines().count(), 2);
    // Put back, nothing has drifted any more.
    shell.run("apply --auto-approve").exits(0);
    shell.run("drift").exits(0);
}

#[test]
fn a_call_that_is_not_shown_yet_or_failed_is_nobody_s() {
    let shell = applied(3);
    shell.world.region(FIRST, HOME, |region| region.guardduty.switch(false));
    shell.world.tell(Told {
        account: FIRST.into(),
        region: HOME.into(),
        call: "guardduty:UpdateDetector".into(),
        principal: Principal::Root,
        address: "192.0.2.66".into(),
        parameters: json!({}),
        error: Some("AccessDenied".into()),
    });
    later(&shell.world);
    shell
        .run("drift")
        .exits(2)
        .says("nobody found: no call since")
        .says("that CloudTrail shows by now could have done it")
        .fits();
}

#[test]
fn hostile_names_are_escaped() {
    let shell = applied(3);
    shell.world.region(FIRST, HOME, |region| region.guardduty.switch(false));
    shell.world.tell(Told {
        account: FIRST.into(),
        region: HOME.into(),
        call: "guardduty:UpdateDetector".into(),
        principal: Principal::User("jo\u{1b}[2J\u{202e}".into()),
        address: "192.0.2.66\nmallory".into(),
        parameters: json!({}),
        error: None,
    });
    later(&shell.world);
    for format in ["human", "json", "jsonl"] {
        let ran = shell.run(&format!("drift --format {format}")).exits(2);
        assert!(!ran.out.contains(['\u{1b}', '\u{202e}']), "{format}");
        assert!(!ran.out.contains("\nmallory"), "{format}");
    }
}

#[test]
fn a_run_of_ours_is_no_stranger() {
    let shell = applied(3);
    let first = shell.run("drift --format json").exits(0).json();
    let run = first["accounts"][0]["lastApplied"]["run"].as_str().expect("a run").to_owned();
    // Another run made it, and a stranger only says that he is one.
    let told = |role: &str, session: &str| Told {
        account: FIRST.into(),
        region: HOME.into(),
        call: "guardduty:UpdateDetector".into(),
        principal: Principal::Session { role: role.into(), session: session.into() },
        address: "192.0.2.10".into(),
        parameters: json!({}),
        error: None,
    };
    shell.edit("baselines/detector.yaml", "enabled: true", "enabled: true, frequency: ONE_HOUR");
    shell.run("apply --auto-approve --account account-02").exits(0);
    let other = shell.run("drift --format json").exits(5).json();
    let other = other["accounts"][1]["lastApplied"]["run"].as_str().expect("a run").to_owned();
    assert_ne!(run, other);
    shell.world.region(FIRST, HOME, |region| region.guardduty.switch(false));
    shell.world.tell(told("baseline-apply", &other));
    shell.world.tell(told("baseline-apply", "01JDB4N3W00000000000000000"));
    shell.world.tell(told("mallory", &other));
    later(&shell.world);
    shell
        .run("drift")
        .exits(2)
        .says(&format!("baseline run {other} from 192.0.2.10"))
        .says("assumed-role/baseline-apply/01JDB4N3W00000000000000000 from")
        .says(&format!("assumed-role/mallory/{other} from"))
        .does_not_say(&format!("baseline run {run} from"));
}

#[test]
fn a_newer_yaml_is_unapplied_and_no_drift() {
    let shell = applied(3);
    shell.edit("baselines/detector.yaml", "enabled: true", "enabled: true, frequency: ONE_HOUR");
    let ran = shell.run("drift").exits(5).fits();
    snapshot("drift_unapplied", &ran);
    ran.says("frequency SIX_HOURS → ONE_HOUR")
        .says("nothing has drifted; 2 settings are desired and not applied");

    // Both: drift wins, and what is unapplied is told all the same.
    switched_off(&shell);
    let both = shell.run("drift").exits(2).fits();
    snapshot("drift_and_unapplied", &both);
    both.says("1 drifted").says("1 unapplied");
    // The drifted account alone, and the other.
    shell.run("drift --account account-02").exits(5);
    shell.run("drift --account account-01").exits(2);
    shell.run("drift --region eu-west-1 --control guardduty.detector").exits(2).says("1 drifted");
    shell.run("drift --control iam.password-policy").exits(0);
}

#[test]
fn drift_to_what_the_documents_at_hand_say_is_told_as_such() {
    let shell = applied(2);
    shell.edit("baselines/detector.yaml", "enabled: true", "enabled: false");
    shell.world.region(FIRST, HOME, |region| region.guardduty.switch(false));
    shell.run("drift").exits(2).says("it is what the documents at hand say");
}

#[test]
fn an_account_that_was_never_applied_is_said_once() {
    let shell = Shell::many(4);
    let ran = shell.run("drift").exits(5).fits();
    snapshot("drift_never", &ran);
    assert!(!shell.dir().join(".audit").exists(), "who only reads makes nothing");
    shell.run("apply --auto-approve --account account-01").exits(0);
    shell
        .run("drift")
        .exits(5)
        .says("Never applied: account-02, account-03")
        .says("2 settings there are not as");
}

#[test]
fn an_apply_that_found_an_account_in_sync_has_applied_it() {
    let shell = applied(3);
    // The whole memory is lost: the accounts are as the documents say, and nobody knows.
    std::fs::remove_dir_all(shell.dir().join(".audit")).expect("removed");
    shell.run("drift").exits(0).says("Never applied: account-01, account-02; all settings there are");
    shell.run("apply --auto-approve").exits(0).does_not_say("warning");
    shell.run("drift").exits(0).says("As last applied").does_not_say("Never applied");
    switched_off(&shell);
    shell.run("drift").exits(2).says("user/jo");

    // That it cannot be recorded is said, and fails nothing where nothing was changed.
    shell.run("apply --auto-approve").exits(0);
    shell.edit("organization.yaml", "  roles:", "  audit: /dev/null/records\n  roles:");
    shell.run("apply --auto-approve").exits(0).says("warning: what is in sync was not recorded as applied");
}

#[test]
fn what_the_last_apply_left_has_not_drifted_until_it_changes() {
    let shell = Shell::acme();
    shell.run("apply --auto-approve").exits(0);
    let ran = shell.run("drift").exits(5).fits();
    // Root's tasks were open when it was applied, and are.
    ran.says("unapplied iam.root-user").says("2 settings are desired and not applied").does_not_say("~ ");
    shell.world.account(PROD_PAYMENTS, |account| {
        account.iam.root.access_keys = false;
        account.iam.root.mfa = Mfa::Hardware;
    });
    shell.run("drift").exits(0);
    shell.run("apply --auto-approve").exits(0);
    shell.world.account(TRAINING, |account| account.iam.root.mfa = Mfa::None);
    let ran = shell.run("drift").exits(2).fits();
    ran.says("! iam.root-user").says("no call puts it back");
}

#[test]
fn what_is_only_observed_drifts_too_and_what_is_excepted_does_not() {
    let shell = applied(3);
    shell.edit("baselines/detector.yaml", "enabled: true", "mode: observe, enabled: true");
    shell.run("apply --auto-approve").exits(0);
    shell.world.region(FIRST, HOME, |region| region.guardduty.switch(false));
    shell.run("drift").exits(2).says("apply leaves it as it is (mode: observe)");
    shell.write(
        "exceptions/off.yaml",
        "apiVersion: baseline/v1\nkind: Exception\nmetadata: {name: off}\nspec:\n  control: guardduty.detector\n  \
         accounts: [account-01]\n  reason: being moved\n  owner: jo@acme.example\n  approver: jo@acme.example\n  \
         expires: 2099-12-31\n",
    );
    shell.run("drift").exits(0).says("excepted guardduty.detector in eu-west-1: off, until 2099-12-31");
}

#[test]
fn a_look_up_that_is_denied_is_said_and_drift_is_still_drift() {
    let shell = applied(3);
    switched_off(&shell);
    shell.world.account(FIRST, |account| {
        let role = account.iam.roles.get_mut("baseline-observe").expect("there");
        role.denies.insert(Deny::new("cloudtrail:LookupEvents"));
    });
    shell.world.forget_calls();
    let ran = shell.run("drift").exits(2).fits();
    ran.says("not known: cloudtrail:LookupEvents: AccessDeniedException")
        .says("`baseline generate permissions`");
    assert_eq!(shell.world.calls()["cloudtrail:LookupEvents"].asked, 1, "the next would be refused alike");
    shell
        .world
        .set_weather(Weather::fair().with(Front::new(Trouble::Throttled).on("cloudtrail:LookupEvents")));
    shell.run("drift").exits(2).says("not known: cloudtrail:LookupEvents: ThrottlingException");
}

#[test]
fn what_cannot_be_observed_is_4_whatever_else_there_is() {
    let shell = applied(3);
    switched_off(&shell);
    shell.world.account("100000000001", |account| {
        let role = account.iam.roles.get_mut("baseline-observe").expect("there");
        role.denies.insert(Deny::new("guardduty:GetDetector"));
    });
    shell.run("drift").exits(4).says("enabled true → false").says("1 setting could not be observed").fits();
    shell.world.account("100000000001", |account| drop(account.iam.roles.remove("baseline-observe")));
    shell.run("drift").exits(4).says("? all controls").says("1 account could not be reached").fits();
    // An account that is not asked for is not looked at.
    shell.run("drift --account account-01").exits(2);
}

/// Everything has drifted, and still nothing is written, and no role that could write is assumed.
#[test]
fn it_observes_and_can_do_nothing_else() {
    let shell = Shell::acme();
    shell.run("apply --auto-approve").exits(0);
    for account in [PROD_PAYMENTS, TRAINING] {
        for region in ["eu-west-1", "eu-central-1", "us-east-1"] {
            shell.world.region(account, region, |region| {
                region.guardduty = Default::default();
                region.config = Default::default();
                region.securityhub = Default::default();
                region.ec2 = Default::default();
            });
        }
        shell.world.account(account, |account| {
            account.iam.password_policy = None;
        });
    }
    // Whoever wanted it anywhere would have been refused, and would say so.
    for account in [MANAGEMENT, LOG_ARCHIVE, SECURITY, PROD_PAYMENTS, TRAINING] {
        shell.world.account(account, |account| account.iam.roles.remove("baseline-apply"));
    }
    shell.world.forget_calls();
    let before = files(&shell);
    let ran = shell.run("drift").exits(2).fits();
    assert!(ran.out.matches("\n  ~ ").count() > 10, "{}", ran.said());
    assert!(shell.world.writes().is_empty(), "{:?}", shell.world.writes());
    assert_eq!(files(&shell), before, "nothing is written beside AWS either");
}

fn files(shell: &Shell) -> BTreeSet<(String, Vec<u8>)> {
    fn walk(dir: &std::path::Path, into: &mut BTreeSet<(String, Vec<u8>)>) {
        for entry in std::fs::read_dir(dir).expect("listed") {
            let path = entry.expect("listed").path();
            if path.is_dir() {
                walk(&path, into);
            } else {
                into.insert((path.display().to_string(), std::fs::read(&path).expect("read")));
            }
        }
    }
    let mut all = BTreeSet::new();
    walk(&shell.dir(), &mut all);
    all
}

#[test]
fn a_second_plan_asks_aws_nothing_again() {
    let shell = applied(3);
    shell.world.forget_calls();
    shell.run("plan").exits(0);
    let plan = shell.world.calls();
    shell.edit("baselines/detector.yaml", "enabled: true", "enabled: true, frequency: ONE_HOUR");
    shell.world.forget_calls();
    shell.run("drift").exits(5);
    let drift = shell.world.calls();
    assert_eq!(format!("{plan:?}"), format!("{drift:?}"));
}

#[test]
fn without_roles_it_says_whose_credentials_it_looked_with() {
    let shell = Shell::new(World::one_account("111122223333"));
    shell.world.account("111122223333", |account| {
        account.iam.roles.values_mut().for_each(|role| role.allows = Allows::Reading);
    });
    let text = organization("", "");
    let roles = "  roles: {observe: baseline-observe, apply: baseline-apply, externalId: acme-baseline}\n";
    let text = text.replace(roles, "").replace("  id: o-a1b2c3d4e5\n", "");
    let text = text.replace("  seats: {management: \"999988887777\"}\n", "");
    shell.write("organization.yaml", text);
    shell.write(
        "baselines/detector.yaml",
        "apiVersion: baseline/v1\nkind: Baseline\nmetadata: {name: detector}\nspec:\n  controls:\n    \
         guardduty.detector: {enabled: true}\n",
    );
    shell.account("alone", "111122223333");
    shell.run("apply --auto-approve").exits(0);
    shell.world.region("111122223333", HOME, |region| region.guardduty.switch(false));
    shell.world.forget_calls();
    shell.run("drift").exits(2).says("as user/jo, with the caller's own credentials").fits();
    assert!(shell.world.writes().is_empty());
    assert!(!shell.world.calls().contains_key("sts:AssumeRole"));
}

#[test]
fn documents_of_older_records_are_found_in_git_or_said_to_be_lost() {
    let shell = Shell::many(2);
    shell.git(&["init", "--quiet"]);
    shell.commit();
    shell.run("apply --auto-approve").exits(0);
    // As a build wrote it that did not keep documents.
    let record = shell.dir().join(format!(".audit/accounts/{FIRST}.json"));
    let mut old: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&record).expect("read")).expect("JSON");
    old.as_object_mut().expect("an object").retain(|key, _| key != "desired" && key != "left");
    std::fs::write(&record, old.to_string()).expect("written");
    std::fs::remove_dir_all(shell.dir().join(".audit/desired")).expect("removed");

    shell.run("drift").exits(0).says("As last applied");
    shell.edit("baselines/detector.yaml", "enabled: true", "enabled: true, frequency: ONE_HOUR");
    shell.commit();
    shell.run("drift").exits(5).says("frequency SIX_HOURS → ONE_HOUR");
    std::fs::remove_dir_all(shell.dir().join(".git")).expect("removed");
    shell
        .run("drift")
        .exits(4)
        .says("Not known what was applied to account-01: its documents")
        .says("its documents are not in the audit record")
        .says("1 account cannot be compared with what was applied")
        .fits();
}

#[test]
fn kept_documents_that_were_altered_are_not_believed() {
    let shell = applied(2);
    shell.edit("baselines/detector.yaml", "enabled: true", "enabled: true, frequency: ONE_HOUR");
    let kept = std::fs::read_dir(shell.dir().join(".audit/desired")).expect("kept").next().expect("one");
    let path = kept.expect("listed").path();
    let text = std::fs::read_to_string(&path).expect("read");
    assert!(text.contains("enabled: true"));
    std::fs::write(&path, text.replace("enabled: true", "enabled: false")).expect("written");
    shell.run("drift").exits(4).says("is not what was written there");
    std::fs::write(&path, "{").expect("written");
    shell.run("drift").exits(4).says("cannot be read");
}

#[test]
fn how_far_back_is_looked_can_be_said() {
    let shell = applied(3);
    switched_off(&shell);
    for since in ["24h", "7d", "2025-01-01", "2025-01-01T08:00:00+01:00"] {
        shell.run(&format!("drift --since {since}")).exits(2).says("user/jo");
    }
    shell.run("drift --since 2025-01-01").exits(2).says("event history reaches back 90 days");
    for wrong in ["soon", "9999-01-01", "0h", "2025-13-01"] {
        let ran = shell.run(&format!("drift --since {wrong}")).exits(64);
        assert!(ran.err.contains("--since"), "{}", ran.said());
    }
    shell.run("drift --since soon").exits(64).says("write it as `24h`, `7d`, `2026-11-01`");
    shell.run("drift --account nobody").exits(64).says("matches nothing");
    shell.run("drift --region eu-west-9").exits(64).says("did you mean `eu-west-1`?");
    shell.run("drift --changed-since x").exits(64);
}

#[test]
fn who_moved_a_change_is_told_by_the_apply_that_refuses_it() {
    let shell = applied(3);
    shell.edit("baselines/detector.yaml", "enabled: true", "enabled: true, frequency: ONE_HOUR");
    let world = shell.world.clone();
    let moved = shell.meanwhile("apply", move || {
        world.region(FIRST, HOME, |region| region.guardduty.switch(false));
        world.tell(Told {
            account: FIRST.into(),
            region: HOME.into(),
            call: "guardduty:UpdateDetector".into(),
            principal: Principal::Session { role: "admin".into(), session: "jo".into() },
            address: "192.0.2.7".into(),
            parameters: json!({ "enable": false }),
            error: None,
        });
        world.advance(Duration::from_secs(1200));
    });
    moved
        .exits(3)
        .says("not done: moved")
        .says("assumed-role/admin/jo from 192.0.2.7: guardduty:UpdateDetector at")
        .fits();
}

/// Two repositories differ and one call is known: it names the one, and may have been about the other.
#[test]
fn a_call_that_names_another_resource_is_only_perhaps_the_one() {
    let shell = Shell::acme();
    shell.run("apply --auto-approve").exits(0);
    shell.world.region(PROD_PAYMENTS, HOME, |region| {
        for name in ["payments/api", "payments/web"] {
            region.ecr.repositories.get_mut(name).expect("there").scan_on_push = false;
        }
    });
    shell.world.tell(Told {
        account: PROD_PAYMENTS.into(),
        region: HOME.into(),
        call: "ecr:PutImageScanningConfiguration".into(),
        principal: Principal::Root,
        address: "192.0.2.7".into(),
        parameters: json!({ "repositoryName": "payments/web" }),
        error: None,
    });
    later(&shell.world);
    let found = shell.run("drift --control ecr.repositories --format jsonl").exits(2);
    let lines: Vec<serde_json::Value> =
        found.out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let certain = |name: &str| {
        let of = |line: &&serde_json::Value| line["resources"] == json!([name]);
        lines.iter().find(of).expect(name)["who"]["calls"][0]["certain"].clone()
    };
    assert_eq!((certain("payments/web"), certain("payments/api")), (json!(true), json!(false)));
    shell
        .run("drift")
        .exits(2)
        .says("perhaps by root from 192.0.2.7: ecr:PutImageScanningConfiguration")
        .fits();
}

#[test]
fn a_record_never_goes_back_for_an_account_that_was_only_in_sync() {
    let shell = Shell::many(3);
    shell.git(&["init", "--quiet"]);
    let first = shell.commit();
    shell.run("apply --auto-approve").exits(0);
    shell.edit(
        "baselines/detector.yaml",
        "metadata: {name: detector}",
        "metadata: {name: detector} # the second",
    );
    let second = shell.commit();
    let applied = |shell: &Shell| {
        let found = shell.run("drift --format json").json();
        found["accounts"][0]["lastApplied"]["revision"].as_str().expect("a revision").to_owned()
    };
    assert_eq!(applied(&shell), first);
    shell.run("apply --auto-approve").exits(0);
    assert_eq!(applied(&shell), second, "in sync under the second revision too");
    shell.git(&["checkout", "--quiet", &first]);
    shell.run("apply --auto-approve").exits(0);
    assert_eq!(applied(&shell), second);
}
