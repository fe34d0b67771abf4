//! Documents that do not fit together, or say what cannot be.

use super::{account, with};
use crate::desired::tests::{ACCOUNT, ORGANIZATION, RECOMMENDED, said};

#[test]
fn unknown_field_of_a_document() {
    insta::assert_snapshot!(account("  id: \"111122223333\"\n  region: {}\n"), @"
    error: unknown field `region`
     --> dir/a.yaml:6:3
      |
    6 |   region: {}
      |   ^^^^^^
      |
      = help: did you mean `regions`?

    1 error in 1 file; nothing was observed
    ");
}

#[test]
fn account_id_without_quotes() {
    insta::assert_snapshot!(account("  id: 111122223333\n"), @r#"
    error: an account id is text
     --> dir/a.yaml:5:7
      |
    5 |   id: 111122223333
      |       ^^^^^^^^^^^^
      |
      = help: write it in quotes: "111122223333" (012345678901 would lose its zero)

    1 error in 1 file; nothing was observed
    "#);
}

#[test]
fn account_id_too_short() {
    insta::assert_snapshot!(account("  id: \"11112222\"\n"), @r#"
    error: `11112222` is not an account id
     --> dir/a.yaml:5:7
      |
    5 |   id: "11112222"
      |       ^^^^^^^^^^
      |
      = help: an account id is 12 digits, in quotes

    1 error in 1 file; nothing was observed
    "#);
}

#[test]
fn account_id_as_a_key_without_quotes() {
    let organization = "apiVersion: baseline/v1\nkind: Organization\nmetadata: {name: acme}\nspec:\n  regions: {home: eu-west-1}\n  accounts:\n    except:\n      123412341234: closes soon\n";
    insta::assert_snapshot!(said(&[("o.yaml", organization), ACCOUNT]), @r#"
    error: a key is text, not a number
     --> dir/o.yaml:8:7
      |
    8 |       123412341234: closes soon
      |       ^^^^^^^^^^^^
      |
      = help: write it in quotes: "123412341234"

    1 error in 1 file; nothing was observed
    "#);
}

#[test]
fn two_documents_claim_one_account() {
    insta::assert_snapshot!(
        with("b.yaml", "apiVersion: baseline/v1\nkind: Account\nmetadata: {name: other}\nspec:\n  id: \"111122223333\"\n"),
        @r#"
    error: `prod` and `other` both claim account 111122223333
     --> dir/b.yaml:5:7
      |
    5 |   id: "111122223333"
      |       ^^^^^^^^^^^^^^ by `other`
      |
     ::: dir/account.yaml:5:7
      |
    5 |   id: "111122223333"
      |       -------------- by `prod`
      |
      = help: an account has one document

    1 error in 2 files; nothing was observed
    "#
    );
}

#[test]
fn two_documents_of_one_kind_and_name() {
    insta::assert_snapshot!(
        with("b.yaml", "apiVersion: baseline/v1\nkind: Account\nmetadata: {name: prod}\nspec:\n  id: \"222233334444\"\n"),
        @"
    error: two documents are Account `prod`
     --> dir/b.yaml:3:18
      |
    3 | metadata: {name: prod}
      |                  ^^^^ here again
      |
     ::: dir/account.yaml:3:18
      |
    3 | metadata: {name: prod}
      |                  ---- first here
      |
      = help: a document is known by kind and name; give one of them another name

    1 error in 2 files; nothing was observed
    "
    );
}

#[test]
fn two_organizations() {
    let second = ORGANIZATION.1.replace("acme", "other");
    insta::assert_snapshot!(with("p.yaml", &second), @"
    error: there are two Organization documents
     --> dir/p.yaml:3:18
      |
    3 | metadata: {name: other}
      |                  ^^^^^ the second
      |
     ::: dir/organization.yaml:3:18
      |
    3 | metadata: {name: acme}
      |                  ---- the first
      |
      = help: keep one; another organisation gets another folder

    1 error in 2 files; nothing was observed
    ");
}

#[test]
fn no_organization() {
    insta::assert_snapshot!(said(&[ACCOUNT]), @"
    error: there is no Organization document
     |
     = help: `baseline init` writes one; without AWS Organizations it describes the one account

    1 error; nothing was observed
    ");
}

#[test]
fn a_baseline_that_extends_itself() {
    insta::assert_snapshot!(
        with(
            "b.yaml",
            "apiVersion: baseline/v1\nkind: Baseline\nmetadata: {name: a}\nspec: {extends: [b]}\n---\napiVersion: baseline/v1\nkind: Baseline\nmetadata: {name: b}\nspec: {extends: [a]}\n",
        ),
        @"
    error: `a` extends itself
     --> dir/b.yaml:9:18
      |
    9 | spec: {extends: [a]}
      |                  ^
      |
      = help: take one `extends` out; what they share can be a baseline of its own
      = note: `a` extends `b` extends `a`

    1 error in 1 file; nothing was observed
    "
    );
}

#[test]
fn a_baseline_that_is_not_there() {
    insta::assert_snapshot!(account("  id: \"111122223333\"\n  baselines: [recomended]\n"), @"
    error: no baseline is called `recomended`
     --> dir/a.yaml:6:15
      |
    6 |   baselines: [recomended]
      |               ^^^^^^^^^^
      |
      = help: did you mean `recommended`?
      = help: a name, not a path: `metadata.name` of a Baseline document in this folder

    1 error in 1 file; nothing was observed
    ");
}

#[test]
fn disagreeing_baselines() {
    let organization = format!("{}  - use: regulated\n  - use: sandbox\n", ORGANIZATION.1);
    let regulated = "apiVersion: baseline/v1\nkind: Baseline\nmetadata: {name: regulated}\nspec:\n  extends: [recommended]\n  controls:\n    guardduty.detector:\n      features:\n        RUNTIME_MONITORING: true\n";
    let sandbox = regulated.replace("regulated", "sandbox").replace("MONITORING: true", "MONITORING: false");
    insta::assert_snapshot!(
        said(&[("o.yaml", &organization), RECOMMENDED, ACCOUNT, ("r.yaml", regulated), ("s.yaml", &sandbox)]),
        @"
    error: `regulated` and `sandbox` both apply to prod and disagree
     --> dir/r.yaml:9:29
      |
    9 |         RUNTIME_MONITORING: true
      |                             ^^^^ here true
      |
     ::: dir/s.yaml:9:29
      |
    9 |         RUNTIME_MONITORING: false
      |                             ----- here false
      |
      = help: let one extend the other, or say it in the account's document

    1 error in 2 files; nothing was observed
    "
    );
}

#[test]
fn a_missing_reason() {
    insta::assert_snapshot!(
        account("  id: \"111122223333\"\n  controls:\n    iam.password-policy:\n      minimumLength: 8\n"),
        @"
    error: `a` changes what it inherits and does not say why
     --> dir/a.yaml:8:22
      |
    8 |       minimumLength: 8
      |                      ^
      |
     ::: dir/recommended.yaml:7:22
      |
    7 |       minimumLength: 14
      |                      -- `recommended` says 14
      |
      = help: add `reason: …` to `iam.password-policy` here

    1 error in 2 files; nothing was observed
    "
    );
}

#[test]
fn an_unknown_region() {
    insta::assert_snapshot!(
        account("  id: \"111122223333\"\n  regions:\n    managed: [eu-west-1, eu-south-3]\n"),
        @"
    warning: `eu-south-3` is not a region that this build knows
     --> dir/a.yaml:7:26
      |
    7 |     managed: [eu-west-1, eu-south-3]
      |                          ^^^^^^^^^^
      |
      = help: did you mean `eu-south-2`?
      = note: asked again when the account is observed

    1 warning in 1 file
    "
    );
}

#[test]
fn a_managed_word_that_means_nothing() {
    insta::assert_snapshot!(account("  id: \"111122223333\"\n  regions: {managed: all}\n"), @"
    error: expected `all-enabled` or a list of regions
     --> dir/a.yaml:6:22
      |
    6 |   regions: {managed: all}
      |                      ^^^
      |
      = help: `managed: all-enabled`, or `managed: [eu-west-1, us-east-1]`

    1 error in 1 file; nothing was observed
    ");
}
