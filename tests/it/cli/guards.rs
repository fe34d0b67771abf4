//! What an apply refuses until it is allowed by name.

use baseline::sandbox::iam::PasswordPolicy;
use baseline::sandbox::sample::PROD_PAYMENTS;
use baseline::sandbox::{Front, Trouble, Weather};

use super::shell::{Shell, steadily};

/// An account whose passwords are longer than the documents ask for.
fn weakening() -> Shell {
    let shell = Shell::acme();
    shell.run("apply --auto-approve").exits(0);
    shell.world.account(PROD_PAYMENTS, |account| {
        let policy = account.iam.password_policy.clone().expect("applied");
        account.iam.password_policy = Some(PasswordPolicy { minimum_length: 20, ..policy });
    });
    shell.world.forget_calls();
    shell
}

#[test]
fn what_weakens_is_refused_until_it_is_named() {
    let shell = weakening();
    let refused = shell.run("apply --auto-approve").exits(3).says("weakening").fits();
    steadily(|| insta::assert_snapshot!("refused_weakening", refused.err));
    for other in ["destructive:*", "weakening:other", "weakening:pass", "disruptive:*", "irreversible:*"] {
        shell.run(&format!("apply --auto-approve --allow {other} --reason tests")).exits(3);
    }
    assert!(refused.err.contains("--allow weakening:password-policy"), "{}", refused.err);
    let nobody_says_why = shell.run("apply --auto-approve --allow weakening:password-policy").exits(3);
    steadily(|| insta::assert_snapshot!("refused_without_reason", nobody_says_why.err));
    assert!(shell.world.writes().is_empty());
    let words = ["apply", "--auto-approve", "--allow", "weakening:password-policy", "-f"].map(String::from);
    let reason = ["--reason".to_owned(), "the vendor's limit is 14".to_owned()];
    let words = words.into_iter().chain([shell.dir().display().to_string()]).chain(reason);
    let ran = shell.typed("", words.collect()).exits(0).says("20 → 14");
    let run = ran.out.split("run 01").nth(1).and_then(|rest| rest.split(' ').next()).expect("a run");
    let intent = shell.dir().join(format!(".audit/runs/01{run}/intent.json"));
    let intent = std::fs::read_to_string(intent).expect("recorded");
    assert!(intent.contains("\"reason\": \"the vendor's limit is 14\""), "{intent}");
}

#[test]
fn what_weakens_is_allowed_by_pattern() {
    weakening().run("apply --auto-approve --allow weakening:* --reason tests").exits(0);
    weakening()
        .run("apply --auto-approve --allow destructive:x --allow weakening:p*y --reason tests")
        .exits(0);
}

#[test]
fn the_reason_may_stand_in_the_account_s_document() {
    let shell = weakening();
    shell.edit(
        "accounts/prod-payments.yaml",
        "  controls:\n",
        "  controls:\n    iam.password-policy:\n      reason: a vendor's limit\n      minimumLength: 12\n",
    );
    shell.run("plan").exits(0).says("less safe than what is live today, because a vendor's limit");
    shell.run("apply --auto-approve --allow weakening:password-policy").exits(0).says("20 → 12");
}

#[test]
fn one_apply_changes_a_number_of_resources() {
    let shell = Shell::many(4);
    shell.edit("organization.yaml", "  roles:", "  guards: {resourcesAtOnce: 2}\n  roles:");
    shell.run("apply --auto-approve").exits(3).says("3 resources would be changed at once, more than 2");
    shell.run("apply --auto-approve --account account-01 --account account-02").exits(0);
    shell.run("apply --auto-approve").exits(0);
    let shell = Shell::many(4);
    shell.edit("organization.yaml", "  roles:", "  guards: {resourcesAtOnce: 2}\n  roles:");
    shell.run("apply --auto-approve --allow resources").exits(0);
}

/// A window of one hour that opened so many hours ago, on whichever day that was.
fn window(hours_ago: i64) -> String {
    let opened = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(hours_ago);
    let time = |at: jiff::Timestamp| at.strftime("%H:%M").to_string();
    let (from, to) = (time(opened), time(opened + jiff::SignedDuration::from_hours(1)));
    format!("{{days: [Mon, Tue, Wed, Thu, Fri, Sat, Sun], from: \"{from}\", to: \"{to}\", timeZone: UTC}}")
}

#[test]
fn changes_wait_for_a_window() {
    let shell = Shell::many(3);
    let closed = format!("  guards: {{windows: {{open: [{}]}}}}\n  roles:", window(12));
    shell.edit("organization.yaml", "  roles:", &closed);
    let refused = shell.run("apply --auto-approve").exits(3);
    refused.says("2 changes wait for a maintenance window, and the next one opens on");
    assert!(shell.world.writes().is_empty());
    shell.run("apply --auto-approve --account account-01 --allow window").exits(0).says("1 change made");

    // What held when something was last applied holds for who takes the windows away, and for safe changes too.
    shell.edit("organization.yaml", "windows: {open:", "windows: {for: risky, open:");
    shell.run("apply --auto-approve").exits(3).says("1 change waits for a maintenance window");
    shell.run("apply --auto-approve --account account-01").exits(0).says("hold from now on");
    shell.run("apply --auto-approve").exits(0).says("1 change made");

    let shell = Shell::many(3);
    let open = format!("  guards: {{windows: {{open: [{}, {}]}}}}\n  roles:", window(12), window(0));
    shell.edit("organization.yaml", "  roles:", &open);
    shell.run("apply --auto-approve").exits(0);
}

#[test]
fn a_limit_is_not_raised_by_what_it_limits() {
    let shell = Shell::many(4);
    shell.edit("organization.yaml", "  roles:", "  guards: {accountsAtOnce: 1}\n  roles:");
    shell.run("apply --auto-approve --account account-01").exits(0);
    shell.edit("organization.yaml", "accountsAtOnce: 1", "accountsAtOnce: 9");
    shell.run("apply --auto-approve").exits(3).says("2 accounts would be changed at once, more than 1");
    // The new limit on its own changes nothing in AWS.
    shell.world.forget_calls();
    shell
        .run("apply --auto-approve --account account-01")
        .exits(0)
        .says("The limits in `guards` hold from now on.");
    assert!(shell.world.writes().is_empty());
    shell.run("apply --auto-approve").exits(0).says("2 changes made");
    // A stricter one holds at once.
    for n in [1, 2] {
        let id = (100_000_000_000_u64 + n - 1).to_string();
        shell.world.region(&id, "eu-west-1", |region| region.guardduty.switch(false));
    }
    shell.edit("organization.yaml", "accountsAtOnce: 9", "accountsAtOnce: 1");
    shell.run("apply --auto-approve").exits(3).says("more than 1");
}

#[test]
fn what_is_risky_waits_where_something_could_not_be_seen() {
    let shell = Shell::acme();
    shell.world.set_weather(
        Weather::fair().with(
            Front::new(Trouble::Denied).on("ecr:DescribeRepositories").at(|a| a.account == PROD_PAYMENTS),
        ),
    );
    let ran = shell.run("apply --auto-approve").exits(4);
    steadily(|| insta::assert_snapshot!("held_back", ran.err));
    ran.says("Held back: ")
        .says("where ecr.repositories could not be observed")
        .says("made and seen to hold");
    let bucket = |shell: &Shell| {
        shell.world.region(PROD_PAYMENTS, "eu-west-1", |region| {
            region.cloudtrail.trails.get("payments").map(|trail| trail.bucket.clone())
        })
    };
    assert_eq!(bucket(&shell).as_deref(), Some("payments-trail"), "a disruptive change has waited");
    shell.run("apply --auto-approve --allow incomplete:prod-payments").exits(4);
    assert_ne!(bucket(&shell).as_deref(), Some("payments-trail"));

    let shell = Shell::acme();
    shell.edit("organization.yaml", "accountsAtOnce: 5", "accountsAtOnce: 5\n    incomplete: all");
    shell.world.set_weather(
        Weather::fair().with(
            Front::new(Trouble::Denied).on("ecr:DescribeRepositories").at(|a| a.account == PROD_PAYMENTS),
        ),
    );
    let detectors = "apply --auto-approve --account prod-payments --control guardduty.detector";
    shell.run(detectors).exits(4).says("Nothing has been changed.");
    assert!(shell.world.writes().keys().all(|call| call.starts_with("sts:")), "{:?}", shell.world.writes());
    shell.edit("organization.yaml", "incomplete: all", "incomplete: none");
    shell.run(detectors).exits(4).says("made and seen to hold");
}

#[test]
fn nobody_locks_themselves_out() {
    let shell = Shell::acme();
    let deny = |action: &str, condition: &str| {
        format!(
            "          statements:\n            Nobody: {{Effect: Deny, Principal: \"*\", Action: \"{action}\", \
             Resource: \"*\"{condition}}}\n          description: Everything"
        )
    };
    let baseline = "baselines/log-archive.yaml";
    shell.edit(baseline, "          description: Everything", &deny("kms:*", ""));
    let keys = "apply --auto-approve --control kms.keys";
    let refused = shell.run(keys).exits(3);
    steadily(|| insta::assert_snapshot!("refused_lockout", refused.err));
    assert!(shell.world.writes().is_empty());
    shell.edit(baseline, "\"kms:*\"", "\"kms:ScheduleKeyDeletion\"");
    shell.run(keys).exits(0);

    let shell = Shell::acme();
    let but_us =
        ", Condition: {ArnNotLike: {aws:PrincipalArn: \"arn:aws:iam::444455556666:role/baseline-*\"}}";
    shell.edit(baseline, "          description: Everything", &deny("kms:Put*", but_us));
    shell.run(keys).exits(0);
}

#[test]
fn what_is_refused_elsewhere_does_not_hold_up_what_is_selected() {
    let shell = weakening();
    shell.world.region(PROD_PAYMENTS, "us-east-1", |region| region.guardduty.switch(false));
    shell.run("apply --auto-approve").exits(3);
    shell.run("apply --auto-approve --control guardduty.detector").exits(0);
}

#[test]
fn what_disrupts_is_refused_where_the_documents_say_so() {
    let shell = Shell::acme();
    shell.edit("organization.yaml", "refuse: [destructive,", "refuse: [disruptive, destructive,");
    shell
        .run("apply --auto-approve")
        .exits(3)
        .says("is disruptive")
        .says("--allow disruptive:password-policy");
    assert!(shell.world.writes().is_empty());
    shell.run("apply --auto-approve --allow disruptive:*").exits(0);
}

#[test]
fn a_lifecycle_policy_deletes_images_and_is_destructive() {
    let shell = Shell::acme();
    shell.edit(
        "baselines/recommended.yaml",
        "scanOnPush: true",
        "lifecycle: {rules: [{rulePriority: 1, selection: {tagStatus: untagged, countType: imageCountMoreThan, countNumber: 1}, action: {type: expire}}]}\n        scanOnPush: true",
    );
    shell
        .run("apply --auto-approve --control ecr.repositories")
        .exits(3)
        .says("is destructive")
        .says("--allow destructive:payments/api");
    assert!(shell.world.writes().is_empty());
    shell
        .run("apply --auto-approve --control ecr.repositories --allow destructive:payments/*")
        .exits(3)
        .says("sandbox/spike")
        .does_not_say("--allow destructive:payments/api");
    shell.run("apply --auto-approve --control ecr.repositories --allow destructive:payments/* --allow destructive:sandbox/*").exits(0);
}

#[test]
fn one_apply_reaches_few_accounts() {
    let shell = Shell::many(7);
    shell
        .run("apply --auto-approve")
        .exits(3)
        .says("6 accounts would be changed at once, more than 5")
        .says("--account");
    assert!(shell.world.writes().is_empty());
    let some: Vec<String> = (1..6).map(|n| format!("--account account-{n:02}")).collect();
    shell.run(&format!("apply --auto-approve {}", some.join(" "))).exits(0).says("5 changes made");
    shell.run("apply --auto-approve").exits(0).says("1 change made");
}

#[test]
fn the_documents_may_let_more_or_fewer_accounts_be_changed() {
    let shell = Shell::many(7);
    shell.edit("organization.yaml", "  roles:", "  guards: {accountsAtOnce: 6}\n  roles:");
    shell.run("apply --auto-approve").exits(0).says("6 changes made");
    let shell = Shell::many(3);
    shell.edit("organization.yaml", "  roles:", "  guards: {accountsAtOnce: 1}\n  roles:");
    shell.run("apply --auto-approve").exits(3).says("2 accounts would be changed at once, more than 1");
}

#[test]
fn one_apply_changes_a_share_of_all() {
    let shell = Shell::many(4);
    shell.edit("organization.yaml", "  roles:", "  guards: {percentOfResources: 50}\n  roles:");
    shell.run("apply --auto-approve").exits(3).says("3 of 3 settings would be changed, more than 50 percent");
    shell.run("apply --auto-approve --account account-01").exits(0);
    shell.run("apply --auto-approve").exits(3).says("2 of 3 settings");
    shell.run("apply --auto-approve --allow percent").exits(0);
}

#[test]
fn all_refusals_are_told_at_once() {
    let shell = weakening();
    shell.edit("organization.yaml", "accountsAtOnce: 5", "accountsAtOnce: 1\n    percentOfResources: 1");
    for id in ["444455556666", "777766665555"] {
        for region in ["eu-west-1", "eu-central-1", "us-east-1"] {
            shell.world.region(id, region, |region| region.guardduty.switch(false));
        }
    }
    let refused = shell.run("apply --auto-approve").exits(3);
    assert_eq!(refused.err.matches("refused: ").count(), 3, "{}", refused.err);
}
