//! Plans that are kept in a file: shown, applied once, and refused when they are not what was reviewed.

use std::collections::BTreeMap;

use aws_sdk_kms::types::{KeySpec, OriginType};
use baseline::sandbox::kms::Key;
use baseline::sandbox::sample::{MANAGEMENT, PROD_PAYMENTS};
use baseline::saved::SavedPlan;
use jiff::Timestamp;

use super::shell::{Ran, Shell, steadily};

/// Plans into a file, and gives its digest.
fn planned(shell: &Shell) -> String {
    let ran = shell.run("plan --out @plan.json").exits(0);
    ran.err.lines().find(|line| line.starts_with("sha256:")).expect("the digest is told").to_owned()
}

/// Refused with these words, and nothing was written.
#[track_caller]
fn refused(shell: &Shell, ran: Ran, why: &str) {
    ran.exits(3).says(why);
    assert!(shell.world.writes().is_empty(), "{:?}", shell.world.writes());
}

/// Changes the file as somebody would who can also put the digest right.
fn forged(shell: &Shell, forge: impl FnOnce(&mut SavedPlan)) {
    let path = shell.path("plan.json");
    let mut saved = SavedPlan::load(&path).expect("a plan");
    forge(&mut saved);
    saved.save(&path).expect("written");
}

#[test]
fn a_saved_plan_is_shown_as_it_was_planned_and_applied_once() {
    let shell = Shell::acme();
    let plan = shell.run("plan --out @plan.json").exits(0).says("Next: baseline apply").fits();
    let path = shell.path("plan.json");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(&path).expect("written").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    // The YAML may be gone by the time it is shown: the file holds everything.
    let moved = shell.path("elsewhere");
    std::fs::rename(shell.dir(), &moved).expect("moved");
    let shown = shell.run("show @plan.json").exits(0).says("made 0 min ago");
    assert_eq!(shown.out, plan.out);
    assert_eq!(shell.run("show @plan.json --format json").exits(0).json()["formatVersion"], 1);
    shell.run("show @plan.json --format markdown").exits(0).says("--expect sha256:");
    std::fs::rename(&moved, shell.dir()).expect("moved back");

    shell.run("apply @plan.json --auto-approve").exits(0).says("made and seen to hold");
    shell.world.forget_calls();
    let again = shell.run("apply @plan.json --auto-approve");
    steadily(|| insta::assert_snapshot!("applied_twice", again.err.replace(&minute(&again.err), "<minute>")));
    refused(&shell, again, "was applied already");
}

/// The time that a refusal names.
fn minute(text: &str) -> String {
    let (before, _) = text.split_once(" UTC").expect("a time");
    before[before.len() - 16..].to_owned()
}

#[test]
fn a_plan_that_is_not_the_reviewed_one_is_refused() {
    let shell = Shell::acme();
    let digest = planned(&shell);
    let path = shell.path("plan.json");
    let text = std::fs::read_to_string(&path).expect("read");

    // One value, one space inside a text, one field more: each is another plan.
    for (from, to) in [("\"minimumLength\": 14", "\"minimumLength\": 6"), ("acme", "acmE")] {
        assert!(text.contains(from), "{from}");
        std::fs::write(&path, text.replacen(from, to, 1)).expect("written");
        refused(&shell, shell.run("apply @plan.json --auto-approve"), "was altered after it was written");
        shell.run("show @plan.json").exits(1).says("was altered");
    }
    std::fs::write(&path, text.replacen('{', "{\"extra\": 1,", 1)).expect("written");
    shell.run("apply @plan.json --auto-approve").exits(1).says("is not a saved plan");
    std::fs::write(&path, &text[..text.len() / 2]).expect("written");
    shell.run("apply @plan.json --auto-approve").exits(1).says("is not a saved plan");
    shell.run("apply @nothing.json --auto-approve").exits(1).says("cannot read");
    std::fs::write(&path, text.replacen("\"formatVersion\": 1", "\"formatVersion\": 9", 1)).expect("written");
    shell.run("apply @plan.json --auto-approve").exits(1).says("format version 9");

    // Somebody who puts the digest right as well is caught by the one that the review showed.
    std::fs::write(&path, &text).expect("written");
    forged(&shell, |saved| saved.selectors = Some("--account all".into()));
    let expecting = format!("apply @plan.json --auto-approve --expect {digest}");
    refused(&shell, shell.run(&expecting), "is not the file that was reviewed");
    std::fs::write(&path, &text).expect("written");
    shell.run(&expecting).exits(0);
}

/// What it says would be kept as applied.
#[test]
fn a_plan_without_changes_has_to_be_the_reviewed_one_too() {
    let shell = Shell::acme();
    shell.run("apply --auto-approve").exits(0);
    let digest = planned(&shell);
    shell.world.forget_calls();
    let other = format!("sha256:{}", "0".repeat(64));
    let ran = shell.run(&format!("apply @plan.json --auto-approve --expect {other}"));
    refused(&shell, ran, "is not the file that was reviewed");
    shell.run(&format!("apply @plan.json --auto-approve --expect {digest}")).exits(0);
    forged(&shell, |saved| saved.expires_at = saved.made_at);
    shell.world.forget_calls();
    refused(&shell, shell.run("apply @plan.json --auto-approve"), "the plan expired at");
}

#[test]
fn a_plan_is_applied_before_it_expires_and_where_it_was_made_for() {
    let shell = Shell::acme();
    planned(&shell);
    forged(&shell, |saved| saved.expires_at = saved.made_at);
    shell.run("show @plan.json").exits(0).says("cannot be applied any more");
    refused(&shell, shell.run("apply @plan.json --auto-approve"), "the plan expired at");
    planned(&shell);
    forged(&shell, |saved| saved.made_for.caller_account = PROD_PAYMENTS.parse().expect("12 digits"));
    refused(&shell, shell.run("apply @plan.json --auto-approve"), "made by a caller in account 111122223333");
    planned(&shell);
    forged(&shell, |saved| saved.made_for.endpoint = Some("http://127.0.0.1:5000".into()));
    refused(&shell, shell.run("apply @plan.json --auto-approve"), "was made for http://127.0.0.1:5000");
    planned(&shell);
    forged(&shell, |saved| drop(saved.documents.pop_last()));
    refused(&shell, shell.run("apply @plan.json --auto-approve"), "reads in another way");
}

/// A key of the caller's account that signs, in the home region.
fn signing_key(shell: &Shell, alias: &str, spec: KeySpec) {
    shell.world.region(MANAGEMENT, "eu-west-1", |region| {
        let id = format!("{:08x}-0000-4000-8000-000000000000", region.kms.keys.len() + 1);
        let key = Key {
            description: String::new(),
            enabled: true,
            deletion: None,
            policy: "{}".into(),
            rotation: None,
            tags: BTreeMap::new(),
            created: Timestamp::UNIX_EPOCH,
            spec,
            origin: OriginType::AwsKms,
        };
        region.kms.keys.insert(id.clone(), key);
        region.kms.aliases.insert(alias.into(), id);
    });
}

#[test]
fn a_plan_is_signed_by_one_key_and_taken_for_that_key_alone() {
    let shell = Shell::acme();
    signing_key(&shell, "alias/plans", KeySpec::EccNistP384);
    signing_key(&shell, "alias/others", KeySpec::EccNistP384);
    signing_key(&shell, "alias/rsa", KeySpec::Rsa3072);
    signing_key(&shell, "alias/data", KeySpec::SymmetricDefault);

    // Without the signature that was asked for there is no file.
    for (key, why) in [("alias/data", "is not a key that signs"), ("alias/none", "NotFoundException")] {
        shell.run(&format!("plan --out @plan.json --sign {key}")).exits(1).says(why).says("was not written");
        assert!(!shell.path("plan.json").exists());
    }
    planned(&shell);
    let by = |key: &str| shell.run(&format!("apply @plan.json --auto-approve --signed-by {key}"));
    refused(&shell, by("alias/plans"), "the plan is not signed, and alias/plans should have signed it");

    shell.run("plan --out @plan.json --sign alias/rsa").exits(0);
    let algorithm = SavedPlan::load(&shell.path("plan.json")).expect("a plan").signature.expect("signed");
    assert_eq!(algorithm.algorithm, "RSASSA_PSS_SHA_256");

    let ran = shell.run("plan --out @plan.json --sign alias/plans").exits(0);
    ran.says("signed with arn:aws:kms:eu-west-1:999988887777:key/00000001-0000-4000-8000-000000000000");
    shell.run("show @plan.json").exits(0).says("`apply --signed-by KEY` verifies it");
    let wrong = by("alias/others");
    steadily(|| insta::assert_snapshot!("signed_by_another", wrong.err));
    refused(&shell, wrong, "is not one by alias/others");
    refused(&shell, by("alias/rsa"), "is not one by alias/rsa");
    by("alias/none").exits(4).says("cannot be verified").says("NotFoundException");

    // Whoever alters the plan and puts the digest right has no signature for that one.
    let good = std::fs::read(shell.path("plan.json")).expect("read");
    forged(&shell, |saved| saved.selectors = Some("--account all".into()));
    refused(&shell, by("alias/plans"), "is not one by alias/plans");
    forged(&shell, |saved| saved.signature.as_mut().expect("signed").value = "%".into());
    refused(&shell, by("alias/plans"), "is not one by alias/plans");
    std::fs::write(shell.path("plan.json"), good).expect("written");
    let arn = "arn:aws:kms:eu-west-1:999988887777:alias/plans";
    by(arn).exits(0).says("made and seen to hold");
}

#[test]
fn only_what_moved_is_refused_and_the_rest_is_done() {
    let shell = Shell::acme();
    planned(&shell);
    shell.world.account(PROD_PAYMENTS, |account| {
        account.iam.password_policy.as_mut().expect("it has one").minimum_length = 10;
    });
    // The YAML that lies there by now is not asked.
    shell.edit("baselines/recommended.yaml", "minimumLength: 14", "minimumLength: 20");
    let ran = shell.run("apply @plan.json --auto-approve").exits(3);
    ran.says("not done: moved").says("minimumLength was 8 when planned and is 10 now").says("seen to hold");
    shell.world.account(PROD_PAYMENTS, |account| {
        assert_eq!(account.iam.password_policy.as_ref().expect("it has one").minimum_length, 10);
    });
}

#[test]
fn what_cannot_be_is_told_before_anything_is_asked() {
    let shell = Shell::acme();
    shell.run("plan --out @plan.json --valid-for soon").exits(64).says("write it as `8h`, `90m` or `2d`");
    shell.run("plan --out @plan.json --valid-for 5s").exits(64).says("from a minute to 31 days");
    shell.run("plan --valid-for 8h").exits(64).says("--out");
    shell.run("apply --expect sha256:00 --auto-approve").exits(64).says("PLAN");
    shell.run("apply --signed-by alias/plans --auto-approve").exits(64).says("PLAN");
    shell.run("plan --sign alias/plans").exits(64).says("--out");
    shell.run("apply @plan.json --account x --auto-approve").exits(64).says("cannot be used with");
    shell.run("plan --out @missing/plan.json").exits(1).says("cannot write");
}
