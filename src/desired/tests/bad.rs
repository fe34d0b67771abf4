//! Every wrong document names its file, line and column, underlines the place and says what to do.

use proptest::prelude::*;

use super::{ACCOUNT, ORGANIZATION, RECOMMENDED, TODAY, Tree, said};
use crate::desired::load_text;
use crate::desired::specimens::CONTROLS;

/// A good tree with one more file.
fn with(name: &str, text: &str) -> String {
    said(&[ORGANIZATION, RECOMMENDED, ACCOUNT, (name, text)])
}

fn baseline(controls: &str) -> String {
    let head = "apiVersion: baseline/v1\nkind: Baseline\nmetadata: {name: more}\nspec:\n  controls:\n";
    with("more.yaml", &format!("{head}{controls}"))
}

fn account(spec: &str) -> String {
    let head = "apiVersion: baseline/v1\nkind: Account\nmetadata: {name: a}\nspec:\n";
    said(&[ORGANIZATION, RECOMMENDED, ("a.yaml", &format!("{head}{spec}"))])
}

#[test]
fn a_good_tree_says_nothing() {
    assert_eq!(said(&[ORGANIZATION, RECOMMENDED, ACCOUNT]), "");
}

#[test]
fn unknown_field_of_a_control() {
    insta::assert_snapshot!(baseline("    iam.password-policy:\n      minLength: 14\n"), @"
    error: unknown field `minLength`
     --> dir/more.yaml:7:7
      |
    7 |       minLength: 14
      |       ^^^^^^^^^
      |
      = help: did you mean `minimumLength`?
      = help: `baseline explain iam.password-policy` lists all fields

    1 error in 1 file; nothing was observed
    ");
}

#[test]
fn all_misfits_of_a_control_at_once() {
    insta::assert_snapshot!(
        baseline("    iam.password-policy:\n      minLength: 14\n      maxAgeDays: soon\n      require: {digits: true, symbols: 1}\n"),
        @"
    error: unknown field `minLength`
     --> dir/more.yaml:7:7
      |
    7 |       minLength: 14
      |       ^^^^^^^^^
      |
      = help: did you mean `minimumLength`?
      = help: `baseline explain iam.password-policy` lists all fields

    error: expected a whole number, found text
     --> dir/more.yaml:8:19
      |
    8 |       maxAgeDays: soon
      |                   ^^^^
      |
      = help: `baseline explain iam.password-policy` lists all fields

    error: unknown field `digits`
     --> dir/more.yaml:9:17
      |
    9 |       require: {digits: true, symbols: 1}
      |                 ^^^^^^
      |
      = help: known here: `lowercase`, `uppercase`, `numbers`, `symbols`
      = help: `baseline explain iam.password-policy` lists all fields

    error: expected true or false, found a number
     --> dir/more.yaml:9:40
      |
    9 |       require: {digits: true, symbols: 1}
      |                                        ^
      |
      = help: `baseline explain iam.password-policy` lists all fields

    4 errors in 1 file; nothing was observed
    "
    );
}

#[test]
fn numbers_and_words_that_aws_does_not_take() {
    insta::assert_snapshot!(
        baseline("    iam.password-policy: {maxAgeDays: 1096}\n    iam.root-user: {mfa: requird}\n"),
        @"
    error: expected a number from 0 to 1095
     --> dir/more.yaml:6:39
      |
    6 |     iam.password-policy: {maxAgeDays: 1096}
      |                                       ^^^^

    error: `requird` is not known here
     --> dir/more.yaml:7:26
      |
    7 |     iam.root-user: {mfa: requird}
      |                          ^^^^^^^
      |
      = help: did you mean `required`?
      = help: one of `required`
      = help: `baseline explain iam.root-user` lists all fields

    2 errors in 1 file; nothing was observed
    "
    );
}

#[test]
fn wrong_type_inside_a_list() {
    insta::assert_snapshot!(
        baseline("    ecr.repositories:\n      rules:\n      - select: {names: [\"*\"]}\n        scanOnPush: yes\n"),
        @"
    error: expected true or false, found text
     --> dir/more.yaml:9:21
      |
    9 |         scanOnPush: yes
      |                     ^^^
      |
      = help: YAML 1.2 knows only `true` and `false`
      = help: `baseline explain ecr.repositories` lists all fields

    1 error in 1 file; nothing was observed
    "
    );
}

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
fn unknown_control() {
    insta::assert_snapshot!(baseline("    iam.pasword-policy: {}\n"), @"
    error: unknown control `iam.pasword-policy`
     --> dir/more.yaml:6:5
      |
    6 |     iam.pasword-policy: {}
      |     ^^^^^^^^^^^^^^^^^^
      |
      = help: did you mean `iam.password-policy`?
      = help: `baseline explain` lists all controls

    1 error in 1 file; nothing was observed
    ");
}

#[test]
fn unknown_mode() {
    insta::assert_snapshot!(baseline("    iam.root-user: {mode: observed}\n"), @"
    error: `observed` is not a mode
     --> dir/more.yaml:6:27
      |
    6 |     iam.root-user: {mode: observed}
      |                           ^^^^^^^^
      |
      = help: did you mean `observe`?
      = help: one of `enforce`, `observe`, `unmanaged`

    1 error in 1 file; nothing was observed
    ");
}

#[test]
fn a_control_in_the_wrong_document() {
    insta::assert_snapshot!(baseline("    guardduty.organization: {newMembers: ALL}\n"), @"
    error: `guardduty.organization` runs once, in the account of the seat security
     --> dir/more.yaml:6:5
      |
    6 |     guardduty.organization: {newMembers: ALL}
      |     ^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: declare it under `spec.controls` of the Organization

    1 error in 1 file; nothing was observed
    ");
}

#[test]
fn duplicate_key() {
    insta::assert_snapshot!(
        baseline("    iam.password-policy:\n      minimumLength: 14\n      minimumLength: 8\n"),
        @"
    error: `minimumLength` is said twice
     --> dir/more.yaml:8:7
      |
    7 |       minimumLength: 14
      |       ------------- first here
    8 |       minimumLength: 8
      |       ^^^^^^^^^^^^^ here again
      |
      = help: keep one of them

    1 error in 1 file; nothing was observed
    "
    );
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
fn an_expired_exception() {
    insta::assert_snapshot!(
        with(
            "e.yaml",
            "apiVersion: baseline/v1\nkind: Exception\nmetadata: {name: old}\nspec:\n  control: ecr.repositories\n  rule: scan-on-push\n  accounts: [prod]\n  reason: r\n  owner: o\n  approver: a\n  expires: 2026-11-22\n",
        ),
        @"
    warning: exception `old` expired on 2026-11-22
      --> dir/e.yaml:11:12
       |
    11 |   expires: 2026-11-22
       |            ^^^^^^^^^^
       |
       = help: renew it with a new approval, or remove it
       = note: it is not honoured any more

    1 warning in 1 file
    "
    );
}

/// Tags that nobody reads, findings that no rule knows, and lists with nothing in them, which would mean everything.
#[test]
fn an_exception_that_selects_by_what_is_not_there() {
    insta::assert_snapshot!(
        with(
            "e.yaml",
            "apiVersion: baseline/v1\nkind: Exception\nmetadata: {name: old}\nspec:\n  control: ecr.repositories\n  rule: scan-on-push\n  accounts: []\n  where: {tags: stage}\n  regions: []\n  resourceTags: {stage: [legacy]}\n  suppressFindings: true\n  reason: r\n  owner: o\n  approver: a\n  expires: 2026-12-22\n---\napiVersion: baseline/v1\nkind: Exception\nmetadata: {name: other}\nspec:\n  control: ecr.repositories\n  resources: [x]\n  suppressFindings: [ECR.1, ECR]\n  reason: r\n  owner: o\n  approver: a\n  expires: 2026-12-22\n",
        ),
        @r#"
    error: the list is empty
     --> dir/e.yaml:7:3
      |
    7 |   accounts: []
      |   ^^^^^^^^
      |
      = help: name one at least; `"*"` means all

    error: expected a map, found text
     --> dir/e.yaml:8:17
      |
    8 |   where: {tags: stage}
      |                 ^^^^^

    error: the list is empty
     --> dir/e.yaml:9:3
      |
    9 |   regions: []
      |   ^^^^^^^
      |
      = help: name one at least; without the line, all are meant

    error: `ecr.repositories` does not read the tags of its resources
      --> dir/e.yaml:10:3
       |
    10 |   resourceTags: {stage: [legacy]}
       |   ^^^^^^^^^^^^
       |
       = help: name them in `resources`, with `*` and `?`

    error: no control of Security Hub is known to look at the same as the rule `scan-on-push` of `ecr.repositories`
      --> dir/e.yaml:11:21
       |
    11 |   suppressFindings: true
       |                     ^^^^
       |
       = help: list their ids: `suppressFindings: [ECR.1]`

    error: `accounts` is missing
      --> dir/e.yaml:20:1
       |
    20 | spec:
       | ^^^^

    error: `ECR` is not the id of a control of Security Hub
      --> dir/e.yaml:23:29
       |
    23 |   suppressFindings: [ECR.1, ECR]
       |                             ^^^
       |
       = help: as in `ECR.1`: the service and a number

    7 errors in 1 file; nothing was observed
    "#
    );
}

#[test]
fn an_exception_that_an_auditor_would_ask_about() {
    insta::assert_snapshot!(
        with(
            "e.yaml",
            "apiVersion: baseline/v1\nkind: Exception\nmetadata: {name: old}\nspec:\n  control: ecr.repositories\n  accounts: [prod]\n  suppressFindings: [ECR.1]\n  reason: r\n  owner: jo@acme.example\n  approver: Jo@acme.example\n  expires: 2028-11-22\n",
        ),
        @"
    warning: whoever owns exception `old` approves it too
     --> dir/e.yaml:3:18
      |
    3 | metadata: {name: old}
      |                  ^^^
      |
      = help: let somebody else approve it

    warning: nobody suppresses the findings of exception `old`
     --> dir/e.yaml:3:18
      |
    3 | metadata: {name: old}
      |                  ^^^
      |
      = help: declare `securityhub.suppressions` in a baseline: `excepted: SUPPRESSED`

    warning: exception `old` holds for more than a year
      --> dir/e.yaml:11:12
       |
    11 |   expires: 2028-11-22
       |            ^^^^^^^^^^
       |
       = help: say an earlier day, and look at it again then
       = note: what is meant to stay is a setting: say it in the baseline or in the account

    3 warnings in 1 file
    "
    );
}

#[test]
fn an_exception_without_an_approver_for_a_rule_that_is_not_there() {
    insta::assert_snapshot!(
        with(
            "e.yaml",
            "apiVersion: baseline/v1\nkind: Exception\nmetadata: {name: old}\nspec:\n  control: ecr.repositories\n  rule: scan-on-pull\n  accounts: [prod]\n  reason: r\n  owner: o\n  expires: tomorrow\n",
        ),
        @"
    error: `approver` is missing
     --> dir/e.yaml:4:1
      |
    4 | spec:
      | ^^^^

    error: `ecr.repositories` has no rule `scan-on-pull`
     --> dir/e.yaml:6:9
      |
    6 |   rule: scan-on-pull
      |         ^^^^^^^^^^^^
      |
      = help: did you mean `scan-on-push`?
      = help: it has `scan-on-push`

    error: `tomorrow` is not a day
      --> dir/e.yaml:10:12
       |
    10 |   expires: tomorrow
       |            ^^^^^^^^
       |
       = help: write it as 2027-03-31

    3 errors in 1 file; nothing was observed
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

#[test]
fn an_unknown_placeholder() {
    insta::assert_snapshot!(
        baseline("    guardduty.detector:\n      publish: {bucket: \"logs-{acount}\", key: \"k-{region}\"}\n"),
        @r#"
    error: unknown placeholder `{acount}`
     --> dir/more.yaml:7:25
      |
    7 |       publish: {bucket: "logs-{acount}", key: "k-{region}"}
      |                         ^^^^^^^^^^^^^^^
      |
      = help: did you mean `account`?
      = help: there are `{account}`, `{region}`, `{partition}` and `{organization}`

    warning: `{region}` is not filled in here
     --> dir/more.yaml:7:47
      |
    7 |       publish: {bucket: "logs-{acount}", key: "k-{region}"}
      |                                               ^^^^^^^^^^^^
      |
      = note: only fields that `baseline explain` calls a template are

    1 error, 1 warning in 1 file; nothing was observed
    "#
    );
}

#[test]
fn an_organization_that_nobody_named() {
    insta::assert_snapshot!(
        account("  id: \"111122223333\"\n  controls:\n    guardduty.detector:\n      publish: {bucket: \"l-{organization}\", key: k}\n"),
        @"
    error: `guardduty.detector` names `{organization}`, and no id is known
      --> dir/recommended.yaml:12:29
       |
    12 |         RUNTIME_MONITORING: false
       |                             ^^^^^
       |
       = help: `spec.id: o-…` of the Organization says it

    1 error in 1 file; nothing was observed
    "
    );
}

#[test]
fn what_no_document_says_of_a_whole() {
    insta::assert_snapshot!(
        account("  id: \"111122223333\"\n  controls:\n    guardduty.detector:\n      publish: {bucket: b}\n"),
        @"
    error: `guardduty.detector`: missing field `key`
     --> dir/a.yaml:8:25
      |
    8 |       publish: {bucket: b}
      |                         ^
      |
      = help: `baseline explain guardduty.detector` lists all fields

    1 error in 1 file; nothing was observed
    "
    );
}

#[test]
fn not_utf_8() {
    let tree = Tree::new(&[ORGANIZATION, RECOMMENDED, ACCOUNT]);
    tree.write("latin.yaml", b"kind: Account\nmetadata: {name: caf\xe9}\n");
    insta::assert_snapshot!(tree.said(), @"
    error: not UTF-8: byte 0xE9
     --> dir/latin.yaml:2:21
      |
    2 | metadata: {name: caf�}
      |                     ^
      |
      = help: save the file as UTF-8

    1 error in 1 file; nothing was observed
    ");
}

#[test]
fn nul() {
    insta::assert_snapshot!(with("n.yaml", "kind: Account\nname: a\0b\n"), @"
    error: a NUL character
     --> dir/n.yaml:2:8
      |
    2 | name: a␀b
      |        ^
      |
      = help: is this a text file? Take the character out

    1 error in 1 file; nothing was observed
    ");
}

#[test]
fn empty_files() {
    let tree = Tree::new(&[ORGANIZATION, RECOMMENDED, ACCOUNT]);
    tree.write("a.yaml", b"");
    tree.write("b.yaml", b"\n  \n");
    tree.write("c.yaml", b"# nothing but a comment\n");
    insta::assert_snapshot!(tree.said(), @"
    error: the file is empty
    --> dir/a.yaml:1:1
     = help: write a document, or remove the file

    error: the file is empty
     --> dir/b.yaml:1:1
      |
    1 |
      | ^
      |
      = help: write a document, or remove the file

    error: the file holds no document
     --> dir/c.yaml:1:1
      |
    1 | # nothing but a comment
      | ^
      |
      = help: write a document, or remove the file

    3 errors in 3 files; nothing was observed
    ");
}

#[test]
fn a_scalar() {
    insta::assert_snapshot!(with("s.yaml", "just words\n"), @"
    error: a document is a map, this is text
     --> dir/s.yaml:1:1
      |
    1 | just words
      | ^^^^^^^^^^
      |
      = help: it starts with `apiVersion: baseline/v1` and `kind: …`

    1 error in 1 file; nothing was observed
    ");
}

#[test]
fn tabs() {
    insta::assert_snapshot!(with("t.yaml", "kind: Account\nmetadata:\n\tname: a\n"), @"
    error: a tab where YAML wants spaces
     --> dir/t.yaml:3:1
      |
    3 |     name: a
      | ^^^^
      |
      = help: indent with spaces; most editors can be told to

    1 error in 1 file; nothing was observed
    ");
}

#[test]
fn a_merge_key() {
    insta::assert_snapshot!(
        baseline("    iam.password-policy: &p\n      minimumLength: 14\n    iam.root-user:\n      <<: *p\n"),
        @"
    error: `<<` is not merged here
     --> dir/more.yaml:9:7
      |
    9 |       <<: *p
      |       ^^
      |
      = help: `extends` names another baseline; its controls are merged

    1 error in 1 file; nothing was observed
    "
    );
}

#[test]
fn a_tag() {
    insta::assert_snapshot!(baseline("    iam.root-user: !secret {mfa: required}\n"), @"
    error: tags (`!name`) mean nothing here
     --> dir/more.yaml:6:20
      |
    6 |     iam.root-user: !secret {mfa: required}
      |                    ^
      |
      = help: write the value as text, a number, a list or a map

    1 error in 1 file; nothing was observed
    ");
}

#[test]
fn a_bomb_of_aliases() {
    use std::fmt::Write as _;
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..9 {
        let below = format!("*a{}", level - 1);
        writeln!(bomb, "a{level}: &a{level} [{}]", [below.as_str(); 10].join(", ")).unwrap();
    }
    insta::assert_snapshot!(with("x.yaml", &bomb), @"
    error: more than 100000 values in one file
     --> dir/x.yaml:1:5
      |
    1 | a0: &a0 [x, x, x, x, x, x, x, x, x, x]
      |     ^
      |
      = help: write it without so many aliases, or in several files

    1 error in 1 file; nothing was observed
    ");
    let quadratic = format!("a: &a [{}]\nb: [{}]\n", vec!["x"; 2_000].join(","), vec!["*a"; 2_000].join(","));
    insta::assert_snapshot!(with("x.yaml", &quadratic), @"
    error: more than 100000 values in one file
     --> dir/x.yaml:1:4
      |
    1 | a: &a [x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,...
      |    ^
      |
      = help: write it without so many aliases, or in several files

    1 error in 1 file; nothing was observed
    ");
}

#[test]
fn an_alias_inside_its_own_anchor() {
    insta::assert_snapshot!(with("x.yaml", "a: &a\n  b: *a\n"), @"
    error: nested too deeply
     --> dir/x.yaml:1:4
      |
    1 | a: &a
      |    ^
      |
      = help: a document needs fewer than ten levels; is a bracket not closed, or an alias inside its own anchor?

    1 error in 1 file; nothing was observed
    ");
}

#[test]
fn two_hundred_thousand_brackets() {
    insta::assert_snapshot!(with("x.yaml", &"[".repeat(200_000)), @"
    error: more than 1000 brackets are open at once
     --> dir/x.yaml:1:1001
      |
    1 | ...[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[...
      |                                                          ^
      |
      = help: close them; a document needs fewer than ten

    1 error in 1 file; nothing was observed
    ");
    insta::assert_snapshot!(with("x.yaml", &format!("a:\n  {}\n", "- ".repeat(200_000))), @"
    error: nested too deeply
     --> dir/x.yaml:2:257
      |
    2 | ...- - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - ...
      |                                                          ^
      |
      = help: a document needs fewer than ten levels; is a bracket not closed, or an alias inside its own anchor?

    1 error in 1 file; nothing was observed
    ");
}

/// A file at the limit in one line: time must grow with the text, not with its square.
#[test]
fn a_megabyte_in_one_line_takes_no_time() {
    let start = std::time::Instant::now();
    let text = format!("a: [{}]\n", vec!["ä, 'b'"; 45_000].join(", "));
    let said = with("x.yaml", &text);
    assert!(said.starts_with("error: `apiVersion` is missing"), "{}", &said[..200]);
    let text = format!(
        "kind: {{{}}}\n",
        (0..45_000).map(|key| format!("kéy{key}: 1")).collect::<Vec<_>>().join(", ")
    );
    let _ = with("x.yaml", &text);
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}

#[test]
fn fifty_megabytes() {
    let tree = Tree::new(&[ORGANIZATION, RECOMMENDED, ACCOUNT]);
    let big = std::fs::File::create(tree.path().join("big.yaml")).unwrap();
    big.set_len(50 << 20).unwrap();
    insta::assert_snapshot!(tree.said(), @"
    error: larger than 1 MiB
    --> dir/big.yaml:1:1
     = help: is it desired state at all? Split it, or move it out of the folder

    1 error in 1 file; nothing was observed
    ");
}

#[cfg(unix)]
#[test]
fn links_that_leave_and_loops_of_links() {
    use std::os::unix::fs::symlink;
    let tree = Tree::new(&[ORGANIZATION, RECOMMENDED, ACCOUNT]);
    symlink("/etc/hostname", tree.path().join("outside.yaml")).unwrap();
    symlink("b.yaml", tree.path().join("a.yaml")).unwrap();
    symlink("a.yaml", tree.path().join("b.yaml")).unwrap();
    symlink(".", tree.path().join("round")).unwrap();
    symlink("..", tree.path().join("up")).unwrap();
    insta::assert_snapshot!(tree.said(), @"
    error: the link leads nowhere: Too many levels of symbolic links (os error 40)
    --> dir/a.yaml:1:1
     = help: everything that is desired lies in one folder, as files

    error: the link leads nowhere: Too many levels of symbolic links (os error 40)
    --> dir/b.yaml:1:1
     = help: everything that is desired lies in one folder, as files

    error: the link leaves the folder
    --> dir/outside.yaml:1:1
     = help: everything that is desired lies in one folder, as files

    error: a link to a folder is not followed
    --> dir/round:1:1
     = help: everything that is desired lies in one folder, as files

    error: the link leaves the folder
    --> dir/up:1:1
     = help: everything that is desired lies in one folder, as files

    5 errors in 5 files; nothing was observed
    ");
}

#[test]
fn a_folder_that_is_not_there() {
    let tree = Tree::new(&[]);
    insta::assert_snapshot!(tree.said(), @"
    error: no `*.yaml` file in `dir`
     |
     = help: `baseline init` writes a first one; `-f DIR` names another folder

    1 error; nothing was observed
    ");
    std::fs::remove_dir(tree.path()).unwrap();
    insta::assert_snapshot!(tree.said(), @"
    error: failed to open `dir`: No such file or directory (os error 2)
     |
     = help: `baseline init` writes one; `-f DIR` names another

    1 error; nothing was observed
    ");
}

#[test]
fn hidden_folders_are_skipped() {
    assert_eq!(with(".git/x.yaml", "nonsense"), "");
}

#[test]
fn a_terminal_is_not_steered() {
    let text = with("x.yaml", "kind: \"\\e[31mred\"\nmetadata: {name: \"a\\u202eb\"}\n");
    assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'), "{text}");
}

#[test]
fn all_errors_of_a_run_at_once() {
    let tree = Tree::new(&[
        ORGANIZATION,
        RECOMMENDED,
        ("a.yaml", "apiVersion: baseline/v1\nkind: Acount\nmetadata: {}\nspec: {}\n"),
        ("b.yaml", "a: [1\n"),
        ("c.yaml", "apiVersion: v1\nkind: Baseline\nmetadata: {name: c}\nspec: {controls: []}\n"),
    ]);
    insta::assert_snapshot!(tree.said(), @"
    error: `Acount` is not a kind of document
     --> dir/a.yaml:2:7
      |
    2 | kind: Acount
      |       ^^^^^^
      |
      = help: did you mean `Account`?
      = help: one of `Organization`, `Baseline`, `Account`, `Exception`, `Attestation`

    error: `name` is missing
     --> dir/a.yaml:3:1
      |
    3 | metadata: {}
      | ^^^^^^^^

    error: not YAML: did not find expected ',' or ']'
     --> dir/b.yaml:1:6
      |
    1 | a: [1
      |    - ^
      |    |
      |    while parsing a flow sequence

    error: `v1` is not a version that this build reads
     --> dir/c.yaml:1:13
      |
    1 | apiVersion: v1
      |             ^^
      |
      = help: one of `baseline/v1`

    error: expected a map of controls, found a list
     --> dir/c.yaml:4:8
      |
    4 | spec: {controls: []}
      |        ^^^^^^^^

    5 errors in 3 files; nothing was observed
    ");
}

/// Text that looks like a document until it does not.
fn nearly_yaml() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "apiVersion: baseline/v1",
        "kind",
        "Organization",
        "Account",
        "metadata",
        "name",
        "spec",
        "controls",
        "iam.root-user",
        "mfa",
        "mode",
        ": ",
        "\n",
        "\n  ",
        "\n    ",
        "- ",
        "[",
        "]",
        "{",
        "}",
        "&a ",
        "*a",
        "<<",
        "!t ",
        "|",
        ">",
        "\"",
        "'",
        "#",
        "---\n",
        "null",
        "0x1f",
        "1e9",
        ".nan",
        "\t",
        "\r",
        "\u{2028}",
        "\u{85}",
        "é",
        "%",
    ]);
    prop::collection::vec(word, 0..60).prop_map(|words| words.concat())
}

proptest! {
    #[test]
    fn no_text_makes_the_loader_panic(text in prop_oneof![any::<String>(), nearly_yaml()]) {
        drop(load_text(&text, CONTROLS, TODAY));
    }

    #[test]
    fn no_slip_of_the_pen_makes_the_loader_panic(at in 0_usize..2_900, len in 0_usize..30, slip in "[ -~\n\t]{0,4}") {
        let mut text: Vec<char> = include_str!("guide.yaml").chars().collect();
        let start = at.min(text.len());
        let end = (start + len).min(text.len());
        text.splice(start..end, slip.chars());
        drop(load_text(&text.into_iter().collect::<String>(), CONTROLS, TODAY));
    }

    #[test]
    fn no_bytes_make_the_loader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let tree = Tree::new(&[]);
        tree.write("x.yaml", &bytes);
        prop_assert!(tree.load().documents.is_none());
    }
}
