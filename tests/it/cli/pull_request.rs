//! The way of a pull request: branch, plan, comment, merge, apply of the plan that was reviewed, audit record.

use baseline::saved::SavedPlan;
use serde_json::Value;

use super::shell::Shell;

#[test]
fn what_was_reviewed_is_what_is_done_and_recorded() {
    let shell = Shell::acme();
    shell.git(&["init", "--quiet", "--initial-branch", "main"]);
    shell.commit();
    shell.run("apply --auto-approve").exits(0);

    // A branch asks for longer passwords. Its plan is a file and a comment.
    shell.git(&["checkout", "--quiet", "-b", "longer-passwords"]);
    shell.edit("baselines/recommended.yaml", "minimumLength: 14", "minimumLength: 16");
    let revision = shell.commit();
    let plan = "plan --changed-since main --out @plan.json --format markdown";
    let comment = shell.run(plan).exits(0).says("minimumLength 14 → 16").out;
    assert!(comment.starts_with("<!-- baseline plan acme -->\n"), "{comment}");
    assert!(comment.chars().count() <= 65_536);
    let digest = comment.split("--expect ").nth(1).and_then(|rest| rest.split('`').next()).expect("a digest");
    let marked = shell.run("show @plan.json --format github").exits(0).out;
    assert!(marked.lines().all(|line| line.contains("baselines/recommended.yaml,line=")), "{marked}");

    // Merged; somebody else has pushed to main meanwhile, and somebody has changed one account by hand.
    shell.git(&["checkout", "--quiet", "main"]);
    shell.git(&["merge", "--quiet", "--no-ff", "-m", "merge", "longer-passwords"]);
    shell.edit("baselines/recommended.yaml", "FIFTEEN_MINUTES", "ONE_HOUR");
    shell.commit();
    shell.world.account("777766665555", |account| account.iam.password_policy = None);
    shell.world.forget_calls();

    // Exactly that plan is applied: four accounts, not the fifth, and nothing of what main says by now.
    let applied = shell.run(&format!("apply @plan.json --auto-approve --expect {digest}")).exits(3);
    applied.says("4 of 5 changes made and seen to hold; 1 not done because it had moved");
    let writes: Vec<String> =
        shell.world.writes().into_keys().filter(|call| !call.starts_with("sts:")).collect();
    assert_eq!(writes, ["iam:UpdateAccountPasswordPolicy"]);

    // The record says which plan it was, what it was to change, and which revision the accounts have now.
    let saved = SavedPlan::load(&shell.path("plan.json")).expect("a plan");
    let record = |name: &str| -> Value {
        let text = std::fs::read_to_string(shell.dir().join(".audit").join(name)).expect(name);
        serde_json::from_str(&text).expect("JSON")
    };
    let used = record(&format!("plans/{}.json", saved.id));
    assert_eq!(used["digest"], digest);
    let run = used["run"].as_str().expect("a run");
    let intent = record(&format!("runs/{run}/intent.json"));
    assert_eq!(intent["changes"].as_array().map(Vec::len), Some(5));
    assert_eq!(record("accounts/111122223333.json")["revision"], revision);
}
