//! Never backwards, and never smaller by accident.

use super::shell::Shell;

/// Two revisions, the later one applied and the earlier one checked out.
fn stepped_back() -> Shell {
    let shell = Shell::many(3);
    shell.git(&["init", "--quiet"]);
    let first = shell.commit();
    shell.edit("baselines/detector.yaml", "enabled: true", "enabled: true, frequency: ONE_HOUR");
    shell.commit();
    shell.run("apply --auto-approve").exits(0).says("2 changes made");
    assert_eq!(shell.git(&["status", "--porcelain"]), "", "records stay out of the repository");
    shell.git(&["checkout", "--quiet", &first]);
    shell.edit("baselines/detector.yaml", "enabled: true", "enabled: true, frequency: FIFTEEN_MINUTES");
    shell.world.forget_calls();
    shell
}

#[test]
fn an_older_revision_is_refused_until_it_is_named() {
    let shell = stepped_back();
    shell
        .run("apply --auto-approve")
        .exits(3)
        .says("account-01 last had revision")
        .says("--allow backwards:account-01")
        .says("--allow backwards:account-02");
    assert!(shell.world.writes().is_empty());
    shell
        .run("apply --auto-approve --allow backwards:account-01")
        .exits(3)
        .does_not_say("backwards:account-01");
    shell.run("apply --auto-approve --allow backwards:account-01 --account account-01").exits(0);
    shell.run("apply --auto-approve --allow backwards:*").exits(0);
}

#[test]
fn a_later_revision_goes_on() {
    let shell = stepped_back();
    shell.git(&["checkout", "--quiet", "--force", "-"]);
    shell.edit("baselines/detector.yaml", "ONE_HOUR", "FIFTEEN_MINUTES");
    shell.commit();
    shell.run("apply --auto-approve").exits(0).says("2 changes made");
}

#[test]
fn another_branch_is_not_a_descendant() {
    let shell = stepped_back();
    shell.commit();
    shell.run("apply --auto-approve").exits(3).says("which this desired state does not contain");
}

#[test]
fn a_revision_that_git_does_not_know_is_refused() {
    let shell = stepped_back();
    std::fs::remove_dir_all(shell.dir().join(".git")).expect("removed");
    shell.run("apply --auto-approve").exits(3).says("cannot be told: the desired state is not in git");
    shell.git(&["init", "--quiet"]);
    shell.commit();
    shell.run("apply --auto-approve").exits(3).says("cannot be told");
}

#[test]
fn a_damaged_memory_is_no_memory_to_go_on_from() {
    let shell = stepped_back();
    let record = shell.dir().join(".audit/accounts/100000000000.json");
    assert!(record.exists());
    std::fs::write(&record, "{").expect("written");
    shell.run("apply --auto-approve --allow backwards:*").exits(1).says("accounts/100000000000.json");
    assert!(shell.world.writes().is_empty());
}

#[test]
fn accounts_that_vanish_from_the_documents_are_noticed() {
    let shell = Shell::many(9);
    shell.edit("organization.yaml", "  roles:", "  guards: {accountsAtOnce: 10}\n  roles:");
    shell.run("apply --auto-approve").exits(0);
    for n in 1..4 {
        std::fs::remove_file(shell.dir().join(format!("accounts/account-{n:02}.yaml"))).expect("removed");
    }
    let drift = |shell: &Shell| {
        shell.world.region("100000000007", "eu-west-1", |region| region.guardduty.switch(false))
    };
    drift(&shell);
    std::fs::remove_file(shell.dir().join("accounts/account-04.yaml")).expect("removed");
    shell
        .run("apply --auto-approve")
        .exits(3)
        .says("4 accounts are no longer managed")
        .says("--allow shrink");
    shell.run("apply --auto-approve --allow shrink").exits(0);
    // What was allowed once is the new measure.
    drift(&shell);
    shell.run("apply --auto-approve").exits(0);
}

#[test]
fn a_few_accounts_may_go_without_a_word() {
    let shell = Shell::many(6);
    shell.run("apply --auto-approve").exits(0);
    for n in 1..4 {
        std::fs::remove_file(shell.dir().join(format!("accounts/account-{n:02}.yaml"))).expect("removed");
    }
    shell.world.region("100000000004", "eu-west-1", |region| region.guardduty.switch(false));
    shell.run("apply --auto-approve").exits(0);
}

#[test]
fn a_few_accounts_at_a_time_do_not_add_up_to_many() {
    let shell = Shell::many(6);
    shell.run("apply --auto-approve").exits(0);
    for n in 1..4 {
        std::fs::remove_file(shell.dir().join(format!("accounts/account-{n:02}.yaml"))).expect("removed");
        shell.world.region("100000000004", "eu-west-1", |region| region.guardduty.switch(false));
        shell.run("apply --auto-approve").exits(0);
    }
}

#[test]
fn a_seat_that_vanishes_is_noticed() {
    let shell = Shell::many(3);
    shell.edit("organization.yaml", "\"999988887777\"", "\"999988887777\", security: \"100000000000\"");
    shell.run("apply --auto-approve").exits(0);
    shell.edit("organization.yaml", ", security: \"100000000000\"", "");
    shell.world.region("100000000001", "eu-west-1", |region| region.guardduty.switch(false));
    shell.run("apply --auto-approve").exits(3).says("the seat `security` is no longer account 100000000000");
    shell.run("apply --auto-approve --allow shrink").exits(0);
}
