//! What a branch changes, told from drift.

use super::shell::Shell;

/// The sample organisation in git, put right, with drift in one account and a branch that was just made.
fn branched() -> Shell {
    let shell = Shell::acme();
    shell.git(&["init", "--quiet", "--initial-branch", "main"]);
    shell.commit();
    shell.run("apply --auto-approve").exits(0);
    shell.world.region("111122223333", "eu-west-1", |region| {
        region.cloudtrail.change("payments", |trail| trail.logging = false);
    });
    shell.git(&["checkout", "--quiet", "-b", "branch"]);
    shell
}

#[test]
fn only_what_the_branch_changes_is_planned_and_drift_is_counted() {
    let shell = branched();
    shell.run("plan --changed-since main").exits(0).says("not selected by --changed-since main");
    shell.edit("baselines/recommended.yaml", "minimumLength: 14", "minimumLength: 16");
    shell.commit();
    let plan = shell.run("plan --changed-since main").exits(0);
    let plan = plan.says("minimumLength 14 → 16").does_not_say("logging");
    plan.says("of them not selected by --changed-since main").fits();
    let applied = shell.run("apply --auto-approve --changed-since main").exits(0);
    applied.says("5 changes made").says("not selected");
    shell.run("plan --detailed-exitcode").exits(2).says("logging");
}

#[test]
fn main_that_went_on_meanwhile_is_none_of_the_branchs_doing() {
    let shell = branched();
    shell.git(&["checkout", "--quiet", "main"]);
    shell.edit("baselines/recommended.yaml", "FIFTEEN_MINUTES", "ONE_HOUR");
    shell.commit();
    shell.git(&["checkout", "--quiet", "branch"]);
    shell.edit("baselines/recommended.yaml", "reusePrevention: 24", "reusePrevention: 12");
    let plan = shell.run("plan --changed-since main").exits(0).says("24 → 12");
    plan.does_not_say("guardduty.detector");
}

#[test]
fn a_list_of_regions_touches_everything_and_an_exception_its_control() {
    let shell = branched();
    let selected = |shell: &Shell| {
        let said = shell.run("plan --changed-since main --format jsonl").out;
        let lines = said.lines().map(|line| serde_json::from_str(line).expect("one value a line"));
        lines.filter(|line: &serde_json::Value| line["selected"] == true).count()
    };
    assert_eq!(selected(&shell), 0);
    shell.edit("exceptions/legacy-images.yaml", "legacy-*", "old-*");
    let of_the_control = selected(&shell);
    shell.git(&["checkout", "--quiet", "."]);
    shell.edit("organization.yaml", "eu-central-1, us-east-1", "us-east-1");
    assert!(selected(&shell) > of_the_control, "the trail that was stopped is among everything");
}

#[test]
fn what_git_does_not_know_is_told() {
    let shell = branched();
    shell.run("plan --changed-since nowhere").exits(1).says("git knows no revision `nowhere`");
    shell.run("plan --changed-since=--help").exits(1).says("git knows no revision");
    shell.git(&["checkout", "--quiet", "main"]);
    shell.write("accounts/broken.yaml", "apiVersion: baseline/v1\nkind: Nothing\n");
    shell.commit();
    shell.git(&["checkout", "--quiet", "-b", "mended"]);
    std::fs::remove_file(shell.dir().join("accounts/broken.yaml")).expect("removed");
    shell.commit();
    shell.run("plan --changed-since main").exits(1).says("are wrong themselves");
}
