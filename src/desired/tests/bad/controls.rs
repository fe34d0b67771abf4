//! Wrong fields, values and names of controls.

use super::{account, baseline};

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
