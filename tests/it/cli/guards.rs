//! What an apply refuses until it is allowed by name.

use baseline::sandbox::iam::PasswordPolicy;
use baseline::sandbox::sample::PROD_PAYMENTS;

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
        shell.run(&format!("apply --auto-approve --allow {other}")).exits(3);
    }
    assert!(shell.world.writes().is_empty());
    assert!(refused.err.contains("--allow weakening:password-policy"), "{}", refused.err);
    let words = ["apply", "--auto-approve", "--allow", "weakening:password-policy", "-f"].map(String::from);
    let words = words.into_iter().chain([shell.dir().display().to_string()]);
    shell.typed("", words.collect()).exits(0).says("20 → 14");
}

#[test]
fn what_weakens_is_allowed_by_pattern() {
    weakening().run("apply --auto-approve --allow weakening:*").exits(0);
    weakening().run("apply --auto-approve --allow destructive:x --allow weakening:p*y").exits(0);
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
