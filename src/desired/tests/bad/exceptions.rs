//! Exceptions that nobody could honour, or that an auditor would ask about.

use super::with;

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
