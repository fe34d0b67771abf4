//! How findings stand, one by one.

use serde_json::json;
use std::sync::Arc;

use super::*;
use crate::control::{Fault, FaultKind, Finding, ManualTask, Progress, Verified};
use crate::plan::SeverityWord;

fn item(resource: &str, verdict: Verdict<crate::control::Step>, outcome: Outcome) -> Item {
    Item {
        scope: Scope {
            account: "111122223333".parse().expect("12 digits"),
            region: crate::place::Region::new("eu-west-1"),
        },
        control: "guardduty.detector".into(),
        region: None,
        severity: SeverityWord::High,
        frameworks: Arc::default(),
        finding: Finding::new(resource, "detector", verdict),
        outcome,
        needs: Arc::default(),
        exception_note: None,
        lapsed: None,
        reason: None,
        declared_at: Vec::new(),
        declared: None,
        selected: true,
    }
}

/// Live has `before`, and the documents say `after`.
fn change(before: &str, after: &str, outcome: Outcome) -> Item {
    let fields = vec![Field::new("/frequency", before, after)];
    item("detector", Verdict::Change(Change::update(fields, Vec::new())), outcome)
}

fn standing(then: Option<&Item>, now: Option<&Item>, left: &[Left]) -> Option<(Standing, bool)> {
    judge(then, now, left).map(|told| (told.standing, told.at_hand))
}

#[test]
fn what_is_not_as_applied_has_drifted_and_its_fields_turn_round() {
    let then = change("SIX_HOURS", "ONE_HOUR", Outcome::Change);
    let told = judge(Some(&then), Some(&then), &[]).expect("a finding");
    assert_eq!((told.standing, told.as_wanted), (Standing::Drifted, false));
    let fields = &told.item.finding.change().expect("a change").fields;
    assert_eq!(*fields, [Field::new("/frequency", "ONE_HOUR", "SIX_HOURS")], "applied, then live");
    let told = judge(Some(&then), None, &[]).expect("a finding");
    assert!(told.as_wanted, "the documents at hand have nothing against it");
    for outcome in [Outcome::ObserveOnly, Outcome::Blocked { on: Vec::new(), why: None }] {
        let then = change("SIX_HOURS", "ONE_HOUR", outcome);
        assert_eq!(standing(Some(&then), None, &[]), Some((Standing::Drifted, false)));
    }
}

#[test]
fn what_only_the_documents_at_hand_want_is_unapplied() {
    let now = change("ONE_HOUR", "FIFTEEN_MINUTES", Outcome::Change);
    assert_eq!(standing(None, Some(&now), &[]), Some((Standing::Unapplied, true)));
    let in_sync = item("detector", Verdict::InSync, Outcome::InSync);
    assert_eq!(standing(Some(&in_sync), Some(&now), &[]), Some((Standing::Unapplied, true)));
    assert_eq!(standing(Some(&in_sync), Some(&in_sync), &[]), None);
    assert_eq!(standing(None, None, &[]), None);
    let observed = change("ONE_HOUR", "FIFTEEN_MINUTES", Outcome::ObserveOnly);
    assert_eq!(standing(None, Some(&observed), &[]), Some((Standing::ObserveOnly, true)));
}

#[test]
fn what_was_left_has_not_drifted_while_it_is_as_it_was() {
    let then = change("SIX_HOURS", "ONE_HOUR", Outcome::Change);
    let left = [Left::of(&then)];
    assert_eq!(standing(Some(&then), Some(&then), &left), Some((Standing::Unapplied, true)));
    assert_eq!(standing(Some(&then), None, &left), None);

    let moved = change("FIFTEEN_MINUTES", "ONE_HOUR", Outcome::Change);
    let told = judge(Some(&moved), Some(&moved), &left).expect("a finding");
    assert_eq!(told.standing, Standing::Drifted);
    let fields = &told.item.finding.change().expect("a change").fields;
    assert_eq!(
        *fields,
        [Field::new("/frequency", "SIX_HOURS", "FIFTEEN_MINUTES")],
        "as it was left, then live"
    );

    // Of what the run had begun to change nobody knows how it was left.
    let begun = [Left { seen: None, ..Left::of(&then) }];
    assert_eq!(standing(Some(&moved), Some(&moved), &begun), Some((Standing::Unapplied, true)));
}

#[test]
fn a_control_that_aws_was_at_stands_for_its_findings_but_for_those_that_were_made() {
    let progress = Progress { what: "AWS is at it".into(), look_again: 10, patience: 60 };
    let busy = item("hub", Verdict::Progressing(progress), Outcome::Progressing);
    let then = change("SIX_HOURS", "ONE_HOUR", Outcome::Change);
    let left = Left::of(&busy);
    assert_eq!(
        standing(Some(&then), Some(&then), std::slice::from_ref(&left)),
        Some((Standing::Unapplied, true))
    );
    let left = Left { besides: [Left::name(&then)].into(), ..left };
    assert_eq!(standing(Some(&then), Some(&then), &[left]), Some((Standing::Drifted, false)));
    assert_eq!(standing(Some(&busy), Some(&busy), &[]), Some((Standing::Progressing, false)));
}

#[test]
fn a_task_by_hand_drifts_when_it_was_done_before() {
    let task = |found: &str| {
        let task = ManualTask {
            title: "Give the root user an MFA device".into(),
            found: vec![("mfa".into(), found.into())],
            steps: Vec::new(),
            verified: Verified::ByObservation,
        };
        item("root user", Verdict::Manual(task), Outcome::Manual)
    };
    let then = task("no device");
    assert_eq!(standing(Some(&then), Some(&then), &[]), Some((Standing::Drifted, false)));
    let left = [Left::of(&then)];
    assert_eq!(standing(Some(&then), Some(&then), &left), Some((Standing::Unapplied, true)));
    let other = task("a virtual device");
    assert_eq!(standing(Some(&other), Some(&other), &left), Some((Standing::Drifted, false)));
}

#[test]
fn an_exception_that_holds_now_covers_drift_and_one_that_has_ended_does_not() {
    let excepted = || Outcome::Excepted { exception: "off".into() };
    let then = change("SIX_HOURS", "ONE_HOUR", Outcome::Change);
    let now = change("SIX_HOURS", "ONE_HOUR", excepted());
    assert_eq!(standing(Some(&then), Some(&now), &[]), Some((Standing::Excepted, false)));
    let then = change("SIX_HOURS", "ONE_HOUR", excepted());
    let now = change("SIX_HOURS", "ONE_HOUR", Outcome::Change);
    assert_eq!(standing(Some(&then), Some(&now), &[]), Some((Standing::Unapplied, true)));
    assert_eq!(standing(Some(&then), None, &[]), Some((Standing::Excepted, false)));
}

#[test]
fn nothing_beats_unknown() {
    let fault = Fault::local(FaultKind::Denied, "guardduty:GetDetector", "no");
    let unknown = item("", Verdict::Unknown { fault }, Outcome::Unknown);
    let excepted = change("SIX_HOURS", "ONE_HOUR", Outcome::Excepted { exception: "off".into() });
    assert_eq!(standing(Some(&unknown), Some(&excepted), &[]), Some((Standing::Unknown, false)));
    assert_eq!(standing(None, Some(&unknown), &[]), Some((Standing::Unknown, true)));
    let left = [Left::of(&unknown)];
    assert_eq!(left[0].resource, "", "it stands for all findings of the control");
    let then = change("SIX_HOURS", "ONE_HOUR", Outcome::Change);
    assert_eq!(standing(Some(&then), Some(&then), &left), Some((Standing::Unapplied, true)));
    assert_eq!(json!(Standing::ObserveOnly), "observeOnly");
}
