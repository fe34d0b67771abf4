//! The pages as people see them.

use crate::apply::ChangeResult;
use crate::control::{Known, Verdict};
use crate::plan::{AccountState, Outcome};
use crate::report::{Style, fixture};

use super::{Context, apply, plan, question};

#[test]
fn two_accounts_and_three_regions() {
    let page = plan(&fixture::two_accounts(), &fixture::context(), &Style::plain());
    insta::assert_snapshot!(page);
}

#[test]
fn in_sync_is_one_line() {
    let context = Context { exit: (0, "nothing to do"), ..fixture::context() };
    insta::assert_snapshot!(plan(&fixture::in_sync(), &context, &Style::plain()), @"
    baseline plan · acme (o-a1b2c3d4e5) · desired state 4f1c9e2
    as baseline-observe · 2 accounts · 3 regions · 10 controls · 97 reads in 3.4 s

    In sync: 33 settings in 2 accounts and 3 regions; 2 excepted, 3 left alone.
    ");
}

#[test]
fn five_hundred_accounts() {
    insta::assert_snapshot!(plan(&fixture::five_hundred(), &fixture::context(), &Style::plain()), @"
    baseline plan · acme (o-a1b2c3d4e5) · desired state 4f1c9e2
    as baseline-observe · 414 accounts · 17 regions · 12 controls ·
    97 reads in 3.4 s

    412 accounts: prod-ledger, prod-orders, prod-payments and 409 more

      ~ guardduty.detector                                              17 regions
          features
            RDS_LOGIN_EVENTS   false → true
          costs            GuardDuty charges for RDS_LOGIN_EVENTS
          calls            guardduty:UpdateDetector, 7,004 in all

    training-7 777788889999

      ? 12 controls in 17 regions
          sts:AssumeRole: AccessDenied, for baseline-observe
          hint: does the role exist there, and does it trust this caller and
          external id?

    1 account not tried: closing-1 (suspended).

    7,005 settings: 7,004 to change, 1 not known.

    Apply would make 7,004 calls in 412 accounts: 0 weaken, 0 disruptive,
    0 irreversible.
    7,004 of the changes start a charge. What is not known is not touched.
    Nothing has been changed. Next: baseline apply
    Exit code 4: one control could not be observed.
    ");
}

#[test]
fn a_terminal_without_utf8_gets_ascii() {
    let page = plan(&fixture::two_accounts(), &fixture::context(), &Style::new(false, false, None));
    assert!(page.is_ascii(), "{page}");
    assert!(page.contains("minimumLength    8 -> 14"), "{page}");
    assert!(page.contains("baseline plan - acme (o-a1b2c3d4e5) - desired state 4f1c9e2"), "{page}");
}

#[test]
fn colour_adds_nothing_but_colour() {
    let plain = plan(&fixture::two_accounts(), &fixture::context(), &Style::plain());
    let coloured = plan(&fixture::two_accounts(), &fixture::context(), &Style::new(true, true, None));
    assert_ne!(plain, coloured);
    assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), plain);
}

#[test]
fn blocked_says_on_what_and_where() {
    let mut drifted = fixture::two_accounts();
    drifted.items.retain(|item| item.control == "cloudtrail.trail");
    drifted.items[0].outcome = Outcome::Blocked { on: vec![fixture::key(), fixture::delivery()], why: None };
    let drifted = fixture::plan(drifted.accounts, drifted.items, 1);
    insta::assert_snapshot!(plan(&drifted, &fixture::context(), &Style::plain()), @r#"
    baseline plan · acme (o-a1b2c3d4e5) · desired state 4f1c9e2
    as baseline-observe · 2 accounts · 3 regions · 10 controls · 97 reads in 3.4 s

    prod-payments 111122223333

      # cloudtrail.trail management-events                               eu-west-1
          encrypt          false → true
          events
            s3             none → write-only
            selectors
                [
                  {
                    "FieldSelectors": [
                      { "Equals": ["Management"], "Field": "eventCategory" }
                    ]
                    "Name": "Management events"
                  }
              +   {
              +     "FieldSelectors": [
              +       { "Equals": ["Data"], "Field": "eventCategory" }
              +       { "Equals": ["false"], "Field": "readOnly" }
              +       { "Equals": ["AWS::S3::Object"], "Field": "resources.type" }
              +     ]
              +     "Name": "S3 object writes"
              +   }
                ]
          blocked on       key alias/baseline/logs in log-archive, which is not
                           there, and nothing in this plan makes it
                           delivery from cloudtrail to bucket
                           acme-logs-444455556666-eu-west-1-an in log-archive, which
                           is not there, and nothing in this plan makes it
          The first plan after they are there goes on.

    2 settings: 1 in sync, 1 blocked.

    Apply would change nothing.
    Exit code 4: one control could not be observed.
    "#);
}

#[test]
fn what_is_not_selected_is_one_line() {
    let mut narrowed = fixture::two_accounts();
    for item in &mut narrowed.items {
        item.selected = item.control == "iam.password-policy";
    }
    let context = Context { selectors: Some("--control iam.password-policy"), ..fixture::context() };
    insta::assert_snapshot!(plan(&narrowed, &context, &Style::plain()), @"
    baseline plan · acme (o-a1b2c3d4e5) · desired state 4f1c9e2
    as baseline-observe · 2 accounts · 3 regions · 10 controls · 97 reads in 3.4 s

    prod-payments 111122223333

      ~ iam.password-policy
          minimumLength    8 → 14
          reusePrevention  0 → 24
          carries          maxAgeDays 90: not declared, but the call replaces all
          calls            iam:UpdateAccountPasswordPolicy

    38 settings: 19 in sync, 2 to create, 8 to change, 1 by hand, 1 in progress,
    1 observed only, 2 excepted, 3 left alone, 1 not known.
    18 of them not selected by --control iam.password-policy: 2 to create,
    7 to change, 1 by hand, 1 in progress, 1 observed only, 2 excepted,
    3 left alone, 1 not known.

    Apply would make 1 call in 1 account: 0 weaken, 0 disruptive, 0 irreversible.
    What is not known is not touched.
    Nothing has been changed. Next: baseline apply
    Exit code 4: one control could not be observed.
    ");
}

#[test]
fn in_sync_findings_are_listed_when_asked_for() {
    let items = ["eu-west-1", "us-east-1"].map(|region| {
        fixture::item(fixture::PAYMENTS, region, "guardduty.detector", "detector", Verdict::InSync)
    });
    let peace = fixture::plan(vec![fixture::planned(fixture::PAYMENTS, "prod-payments")], items.into(), 0);
    let context = Context { show_in_sync: true, exit: (0, "nothing to do"), ..fixture::context() };
    insta::assert_snapshot!(plan(&peace, &context, &Style::plain()), @"
    baseline plan · acme (o-a1b2c3d4e5) · desired state 4f1c9e2
    as baseline-observe · 1 account · 3 regions · 10 controls · 97 reads in 3.4 s

    prod-payments 111122223333

      in sync         guardduty.detector in eu-west-1, us-east-1

    2 settings: 2 in sync.

    Apply would change nothing.
    ");
}

#[test]
fn a_refused_account_is_no_silence() {
    let mut refused = fixture::in_sync();
    refused.accounts[0].state =
        AccountState::Refused { why: "the session answers for 999900001111, not 444455556666".into() };
    let page = plan(&refused, &fixture::context(), &Style::plain());
    assert!(page.contains("refused: the session answers for 999900001111"), "{page}");
    assert!(!page.contains("In sync:"), "{page}");
}

#[test]
fn hostile_names_stay_text() {
    let mut hostile = fixture::two_accounts();
    hostile.accounts[1].name = "prod\u{1b}[2J\u{202e}".into();
    hostile.items.push(fixture::repository(fixture::PAYMENTS, "eu-west-1", "evil\u{9b}31m\n+ fake"));
    hostile.known = Known::default();
    let page = plan(&hostile, &fixture::context(), &Style::plain());
    assert!(page.chars().all(|c| c == '\n' || !c.is_control()), "{page:?}");
    assert!(!page.contains('\u{202e}'));
    assert!(!page.lines().any(|line| line.starts_with("+ fake")));
}

#[test]
fn the_question_names_the_accounts_and_the_role() {
    insta::assert_snapshot!(
        question(&fixture::two_accounts(), "baseline-apply", &Style::plain()), @"
    Make these 17 calls in log-archive and prod-payments as baseline-apply?
    Only the word yes goes on:
    "
    );
}

#[test]
fn an_apply_in_which_one_change_had_moved() {
    let page =
        apply(&fixture::two_accounts(), &fixture::applied(), (3, "a change was refused"), &Style::plain());
    insta::assert_snapshot!(page, @"
    run 01JDB4N3W0 · before-images in s3://acme-baseline-audit/runs/01JDB4N3W0

    log-archive 444455556666
      + kms.keys alias/baseline/logs            eu-west-1      3 calls    1.9 s  ok
      + s3.log-archive acme-logs-444455556666…  eu-west-1      5 calls    2.8 s  ok
    prod-payments 111122223333
      ~ iam.password-policy                                    1 call     0.4 s  ok
      ~ guardduty.detector                      eu-central-1   1 call     0.5 s  ok
      ~ guardduty.detector                      eu-west-1      1 call     0.5 s  ok
      ~ guardduty.detector                      us-east-1      not done: moved
          enabled was false when planned and is true now. Plan again.
      ~ cloudtrail.trail management-events      eu-west-1      2 calls   14.2 s  ok
          retried for 12 s: InsufficientEncryptionPolicyException (new key)
      ~ ecr.repositories api, web, worker       eu-west-1      3 calls    0.7 s  ok

    9 of 10 changes made and seen to hold; 1 not done because it had moved.
    1 task by hand, 1 in progress, 1 not known remain.
    Exit code 3: a change was refused.
    ");
}

#[test]
fn an_apply_that_went_wrong_says_how() {
    let mut report = fixture::applied();
    report.changes[0].result =
        ChangeResult::Failed { fault: fixture::denied("eu-west-1", "8d1f0c52-6a0e-4d57") };
    report.changes[1].result = ChangeResult::Blocked { on: vec![fixture::key()] };
    report.changes[2].result =
        ChangeResult::NotVerified { why: "minimumLength is still 8 after 30 seconds".into() };
    report.changes[3].result = ChangeResult::NotReached;
    report.changes.truncate(4);
    report.interrupted = true;
    let page = apply(&fixture::two_accounts(), &report, (130, "interrupted"), &Style::plain());
    insta::assert_snapshot!(page, @"
    run 01JDB4N3W0 · before-images in s3://acme-baseline-audit/runs/01JDB4N3W0

    log-archive 444455556666
      + kms.keys alias/baseline/logs            eu-west-1      3 calls  failed
          ecr:DescribeRepositories: AccessDeniedException, an explicit deny in a
          service control policy for eu-west-1 (request 8d1f0c52-6a0e-4d57)
          hint: is the region closed to this account? Write it under
          `regions.except`
      + s3.log-archive acme-logs-444455556666…  eu-west-1      not done: blocked
          needs key alias/baseline/logs of 444455556666
    prod-payments 111122223333
      ~ iam.password-policy                                    1 call   not held
          minimumLength is still 8 after 30 seconds
      ~ guardduty.detector                      eu-central-1   not reached

    0 of 4 changes made and seen to hold; 1 failed; 1 made but not seen to hold; 1
    not done because something it needs is not there; 1 not reached.
    1 task by hand, 1 in progress, 1 not known remain.
    Interrupted: the step in hand was finished, the rest was not started.
    Exit code 130: interrupted.
    ");
}

mod every_plan {
    use proptest::prelude::*;
    use unicode_width::UnicodeWidthStr as _;

    use super::*;
    use crate::control::{Change, Field, Step};

    /// Names as AWS and people make them, and as nobody should.
    fn name() -> impl Strategy<Value = String> {
        prop_oneof!["[a-z]{1,12}", "[a-z/]{40,120}", ".{0,30}", "[a-z\u{1b}\u{202e}\n本→ ]{1,90}"]
    }

    fn value() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<u32>().prop_map(Into::into),
            name().prop_map(Into::into),
        ];
        leaf.prop_recursive(3, 12, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
                prop::collection::btree_map(name(), inner, 0..4)
                    .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
            ]
        })
    }

    fn verdict() -> impl Strategy<Value = Verdict<Step>> {
        let field = (name(), name(), value(), value())
            .prop_map(|(a, b, before, after)| Field::new(format!("/{a}/{b}"), before, after));
        let change = (prop::collection::vec(field, 0..4), any::<bool>(), name(), name()).prop_map(
            |(fields, create, call, note)| {
                let steps = vec![fixture::step(&call, &note, serde_json::json!({}))];
                let change =
                    if create { Change::create(fields, steps) } else { Change::update(fields, steps) };
                Verdict::Change(Change { cost: Some(note.clone()), evidence: Some(note), ..change })
            },
        );
        prop_oneof![
            3 => change,
            1 => name().prop_map(|source| Verdict::NotOffered { source }),
            1 => (name(), name()).prop_map(|(owner, evidence)| Verdict::Foreign { owner, evidence }),
            1 => (name(), name()).prop_map(|(r, id)| Verdict::Unknown { fault: fixture::denied(&r, &id) }),
            1 => Just(Verdict::InSync),
        ]
    }

    proptest! {
        #[test]
        fn is_no_wider_than_the_terminal_and_never_raw(
            findings in prop::collection::vec((name(), name(), name(), verdict()), 0..6),
            width in 60..110_usize,
            unicode in any::<bool>(),
        ) {
            let items = findings.into_iter().map(|(region, control, resource, verdict)| {
                fixture::item(fixture::PAYMENTS, &region, &control, &resource, verdict)
            });
            let any = fixture::plan(vec![fixture::planned(fixture::PAYMENTS, "prod")], items.collect(), 3);
            let style = Style::new(false, unicode, Some(width));
            let context = Context { show_in_sync: true, ..fixture::context() };
            let page = plan(&any, &context, &style);
            for line in page.lines() {
                prop_assert!(line.width() <= style.width(), "{} columns: {line:?}", line.width());
                prop_assert!(!line.chars().any(char::is_control), "{line:?}");
            }
            prop_assert!(unicode || page.is_ascii());
        }
    }
}
