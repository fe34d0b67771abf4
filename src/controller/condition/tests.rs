//! The table of the module's head, line by line.

mod looks;

use serde_json::json;

use super::past::MOST;
use super::*;
use crate::apply::ChangeResult;
use crate::control::{Direction, ManualTask, Progress, Verdict, Verified};
use crate::fault::{Fault, FaultKind};
use crate::plan::{AccountState, Outcome};
use looks::{Looks, at, change, in_sync, item, said, unknown};
use taken::How;

#[test]
fn every_outcome_has_its_conditions() {
    let manual = |verified| ManualTask { title: "enable MFA".into(), found: vec![], steps: vec![], verified };
    let progress = Progress { what: "AWS is enabling it".into(), look_again: 60, patience: 600 };
    let fault = Fault::local(FaultKind::Denied, "guardduty:UpdateDetector", "no");
    let held = Some(ChangeResult::Held);
    for (items, result, says) in [
        (vec![in_sync()], None, "Synced=True/InSync"),
        (vec![], None, "Synced=True/InSync"),
        (vec![change(true)], held.clone(), "Synced=True/InSync"),
        (vec![change(true)], None, "Synced=False/Drifted Drifted=True/ChangePlanned"),
        (
            vec![change(true)],
            Some(ChangeResult::Moved { what: "it was on".into(), who: None }),
            "Synced=False/Drifted Drifted=True/Moved",
        ),
        (
            vec![change(true)],
            Some(ChangeResult::Failed { fault }),
            "Synced=False/Stalled Drifted=True/ChangePlanned Stalled=True/Denied",
        ),
        (
            vec![change(true)],
            Some(ChangeResult::NotVerified { why: "it is still off".into() }),
            "Synced=False/Stalled Drifted=True/ChangePlanned Stalled=True/NotVerified",
        ),
        (
            vec![change(true)],
            Some(ChangeResult::NotReached),
            "Synced=False/Drifted Drifted=True/ChangePlanned",
        ),
        (
            vec![item(change(true).finding.verdict, Outcome::ObserveOnly)],
            None,
            "Synced=False/Drifted Drifted=True/ObserveOnly",
        ),
        (
            vec![item(Verdict::Manual(manual(Verified::ByObservation)), Outcome::Manual)],
            None,
            "Synced=False/Drifted Drifted=True/ManualTask",
        ),
        (
            vec![item(Verdict::Progressing(progress), Outcome::Progressing)],
            None,
            "Synced=False/Progressing Progressing=True/InProgress",
        ),
        (
            vec![item(change(true).finding.verdict, Outcome::Blocked { on: vec![], why: None })],
            None,
            "Synced=False/Stalled Stalled=True/Blocked",
        ),
        (
            vec![item(change(true).finding.verdict, Outcome::Excepted { exception: "x".into() })],
            None,
            "Synced=False/Excepted",
        ),
        (
            vec![item(
                Verdict::Foreign { owner: "Control Tower".into(), evidence: "a tag".into() },
                Outcome::Foreign,
            )],
            None,
            "Synced=False/Foreign",
        ),
        (vec![item(Verdict::NotOffered { source: "the API".into() }, Outcome::NotOffered)], None, "nothing"),
        (vec![unknown(FaultKind::Throttled)], None, "Synced=Unknown/Throttled Unknown=True/Throttled"),
        (
            // One of two resources: what is in sync does not hide it.
            vec![in_sync(), unknown(FaultKind::Denied)],
            None,
            "Synced=Unknown/Denied Unknown=True/Denied",
        ),
        (
            vec![change(true), unknown(FaultKind::Denied)],
            None,
            "Synced=Unknown/Denied Drifted=True/ChangePlanned Unknown=True/Denied",
        ),
    ] {
        let mut looks = Looks::new();
        assert_eq!(said(looks.look(0, items, result)), says);
    }
    let mut looks = Looks { enforces: false, ..Looks::new() };
    assert_eq!(
        said(looks.look(0, vec![change(true)], None)),
        "Synced=False/Drifted Drifted=True/ObserveOnly"
    );
}

#[test]
fn a_condition_says_since_when_and_the_good_look_stays_while_nothing_is_seen() {
    let mut looks = Looks::new();
    looks.look(0, vec![in_sync()], None);
    let kept = looks.look(10, vec![in_sync()], None);
    let control = &kept.controls[0];
    assert_eq!(control.condition(Type::Synced).expect("always").last_transition_time, at(0));
    assert_eq!(control.last_good_look, Some(at(10)));
    let kept = looks.look(20, vec![unknown(FaultKind::Unavailable)], None);
    let control = &kept.controls[0];
    assert_eq!(control.condition(Type::Synced).expect("always").last_transition_time, at(20));
    assert_eq!(control.last_good_look, Some(at(10)), "not the look that saw nothing");
    assert!(!control.condition(Type::Unknown).expect("there").message.contains("9f1c"), "no request ids");
    let kept = looks.look(30, vec![unknown(FaultKind::Unavailable)], None);
    assert_eq!(kept.controls[0].condition(Type::Unknown).expect("there").last_transition_time, at(20));
}

#[test]
fn an_account_without_a_session_is_unknown_as_a_whole_and_forgets_nothing() {
    let mut looks = Looks::new();
    looks.look(0, vec![change(true)], Some(ChangeResult::Held));
    let fault = Fault::local(FaultKind::Denied, "sts:AssumeRole", "no");
    looks.state = AccountState::Unreachable { fault };
    let kept = looks.look(60, vec![], None);
    assert_eq!(said(kept), "Synced=Unknown/Denied Unknown=True/Denied");
    assert_eq!(kept.findings.len(), 1, "what was put right is remembered");
    let whole = kept.condition(Type::Synced).expect("there");
    assert_eq!((whole.status, whole.reason.as_str()), (Status::Unknown, "Denied"));
    looks.state = AccountState::Refused { why: "another account".into() };
    assert_eq!(said(looks.look(61, vec![], None)), "Synced=Unknown/WrongAccount Unknown=True/WrongAccount");
    looks.state = AccountState::NotTried { why: "closes in May".into() };
    let kept = looks.look(62, vec![], None);
    assert_eq!(said(kept), "nothing");
    assert_eq!(kept.condition(Type::Synced).expect("there").reason, "NotTried");
}

#[test]
fn patience_ends_and_stays_ended_until_it_is_over() {
    let progress = || {
        let what = Progress { what: "AWS is enabling it".into(), look_again: 60, patience: 600 };
        vec![item(Verdict::Progressing(what), Outcome::Progressing)]
    };
    let mut looks = Looks::new();
    assert!(said(looks.look(0, progress(), None)).contains("Progressing=True"));
    assert!(said(looks.look(9, progress(), None)).contains("Progressing=True"));
    let stalled = "Synced=False/Stalled Stalled=True/PatienceEnded";
    assert_eq!(said(looks.look(10, progress(), None)), stalled);
    assert_eq!(said(looks.look(11, progress(), None)), stalled);
    assert_eq!(said(looks.look(12, vec![in_sync()], None)), "Synced=True/InSync");
    assert!(said(looks.look(13, progress(), None)).contains("Progressing=True"), "it begins anew");
}

#[test]
fn a_fight_begins_after_so_many_times_within_a_day_and_ends_when_it_is_over() {
    let mut looks = Looks::new();
    let held = || Some(ChangeResult::Held);
    for hour in 0..MOST as i64 {
        assert_eq!(said(looks.look(60 * hour, vec![change(true)], held())), "Synced=True/InSync");
    }
    let contested = "Synced=False/Contested Contested=True/ChangedBack Drifted=True/ChangePlanned";
    assert_eq!(said(looks.look(180, vec![change(true)], held())), contested);
    // A week later it still is.
    assert_eq!(said(looks.look(7 * 24 * 60, vec![change(true)], held())), contested);
    assert_eq!(said(looks.look(7 * 24 * 60 + 1, vec![in_sync()], None)), "Synced=True/InSync");
    assert!(looks.kept.findings.is_empty(), "nothing is kept of it");
    assert_eq!(said(looks.look(7 * 24 * 60 + 2, vec![change(true)], held())), "Synced=True/InSync");
    // The desired value is another one: nobody has fought about that.
    let mut looks = Looks::new();
    for hour in 0..MOST as i64 {
        looks.look(60 * hour, vec![change(true)], held());
    }
    assert_eq!(said(looks.look(180, vec![change(false)], held())), "Synced=True/InSync");
}

#[test]
fn what_failed_for_good_waits_and_what_is_desired_otherwise_does_not() {
    let mut looks = Looks::new();
    let fault = || Fault::local(FaultKind::Denied, "guardduty:UpdateDetector", "no");
    let failed = || Some(ChangeResult::Failed { fault: fault() });
    let times = |kept: &AccountConditions| kept.findings[0].failed.as_ref().map(|failed| failed.times);
    looks.look(0, vec![change(true)], failed());
    assert_eq!(times(&looks.kept), Some(1));
    looks.look(10, vec![change(true)], failed());
    assert_eq!(times(&looks.kept), Some(1), "it was not tried");
    assert!(said(&looks.kept).contains("Stalled=True/Denied"), "and is told all the same");
    looks.look(40, vec![change(true)], failed());
    assert_eq!(times(&looks.kept), Some(2));
    looks.look(41, vec![change(false)], Some(ChangeResult::Held));
    assert_eq!(said(&looks.kept), "Synced=True/InSync");
}

#[test]
fn only_news_are_written() {
    let mut looks = Looks::new();
    let first = looks.look(0, vec![in_sync()], None).clone();
    let second = looks.look(60, vec![in_sync()], None).clone();
    assert!(first.says_the_same(&second) && first != second);
    let third = looks.look(120, vec![change(true)], None);
    assert!(!third.says_the_same(&second));
}

#[test]
fn conditions_are_kubernetes_own() {
    let mut looks = Looks::new();
    let mut weakens = change(true);
    if let Verdict::Change(change) = &mut weakens.finding.verdict {
        change.direction = Direction::Weakens;
    }
    let kept = looks.look(0, vec![weakens], None);
    let text = serde_json::to_value(kept).expect("JSON");
    assert_eq!(
        text["controls"][0],
        json!({
            "region": "eu-west-1",
            "control": "guardduty.detector",
            "lastGoodLook": "2027-01-15T08:00:00Z",
            "conditions": [
                {
                    "type": "Synced",
                    "status": "False",
                    "reason": "Drifted",
                    "message": "detector: enabled false → true",
                    "lastTransitionTime": "2027-01-15T08:00:00Z",
                },
                {
                    "type": "Contested",
                    "status": "False",
                    "reason": "NotContested",
                    "message": "",
                    "lastTransitionTime": "2027-01-15T08:00:00Z",
                },
                {
                    "type": "Drifted",
                    "status": "True",
                    "reason": "ChangePlanned",
                    "message": "detector: enabled false → true",
                    "lastTransitionTime": "2027-01-15T08:00:00Z",
                },
            ],
        })
    );
    let read: AccountConditions = serde_json::from_value(text).expect("read back");
    assert_eq!(&read, kept);
}

/// The table at the head of `taken`.
#[test]
fn an_account_has_taken_what_is_wanted_when_nothing_is_left_that_would_be_done() {
    let fault = || Fault::local(FaultKind::Denied, "guardduty:UpdateDetector", "no");
    let progress = Progress { what: "AWS is enabling it".into(), look_again: 60, patience: 600 };
    let progressing = || item(Verdict::Progressing(progress.clone()), Outcome::Progressing);
    let task = ManualTask {
        title: "enable MFA".into(),
        found: vec![],
        steps: vec![],
        verified: Verified::ByObservation,
    };
    let by_hand = item(Verdict::Manual(task), Outcome::Manual);
    let changed = |outcome| vec![crate::plan::Item { outcome, ..change(true) }];
    let detector = |account: &str| crate::control::Thing::Detector {
        account: account.parse().expect("12 digits"),
        region: Region::new("eu-west-1"),
    };
    let blocked = |on| changed(Outcome::Blocked { on, why: None });
    let other: AccountId = "222233334444".parse().expect("12 digits");
    for (items, result, how) in [
        (vec![in_sync()], None, How::Took),
        (vec![change(true)], Some(ChangeResult::Held), How::Took),
        (vec![by_hand], None, How::Took),
        (changed(Outcome::ObserveOnly), None, How::Took),
        (vec![change(true)], Some(ChangeResult::Failed { fault: fault() }), How::Failed),
        (vec![change(true)], Some(ChangeResult::NotVerified { why: "off".into() }), How::Failed),
        (vec![unknown(FaultKind::Throttled)], None, How::Failed),
        (vec![progressing()], None, How::Begun),
        (vec![change(true)], Some(ChangeResult::NotReached), How::Begun),
        (vec![change(true)], Some(ChangeResult::Moved { what: "on".into(), who: None }), How::Begun),
        (blocked(vec![detector("111122223333")]), None, How::Took),
        (blocked(vec![]), None, How::Took),
        (blocked(vec![detector("222233334444")]), None, How::Waits { on: [other].into(), began: at(0) }),
    ] {
        let mut looks = Looks::new();
        let kept = looks.look(0, items.clone(), result.clone());
        let taken = kept.taken.as_ref().expect("it is remembered");
        assert_eq!((taken.state.as_str(), &taken.how), ("one", &how), "{items:?} {result:?}");
        // Whoever only observes takes nothing.
        let mut looks = Looks { enforces: false, ..Looks::new() };
        assert!(looks.look(0, items, result).taken.is_none());
    }
    let mut looks = Looks::new();
    looks.state = AccountState::Unreachable { fault: fault() };
    assert_eq!(looks.look(0, vec![], None).taken.as_ref().expect("there").how, How::Failed);
}

#[test]
fn what_was_taken_stays_so_and_what_waits_for_a_wave_is_not_begun() {
    let mut looks = Looks::new();
    looks.look(0, vec![change(true)], Some(ChangeResult::Held));
    let taken = looks.kept.taken.clone();
    // It drifts, and cannot be put right: no matter of the rollout.
    let fault = Fault::local(FaultKind::Denied, "guardduty:UpdateDetector", "no");
    looks.look(1, vec![change(false)], Some(ChangeResult::Failed { fault }));
    assert_eq!(looks.kept.taken, taken);

    let mut looks = Looks::new();
    looks.look(0, vec![in_sync()], None);
    looks.wanted = "two";
    looks.waits = Some("waits for wave 1: canary");
    let kept = looks.look(1, vec![change(true)], None);
    assert_eq!(said(kept), "Synced=False/Drifted Drifted=True/WaitsForWave");
    let message = "detector: enabled false → true; waits for wave 1: canary";
    assert_eq!(kept.controls[0].condition(Type::Drifted).expect("there").message, message);
    assert_eq!(kept.held.as_deref(), Some("two"));
    assert_eq!(kept.taken.as_ref().expect("there").state, "one");
    // What cannot be seen yet is not begun either.
    assert_eq!(
        looks.look(2, vec![unknown(FaultKind::Throttled)], None).taken.as_ref().expect("there").state,
        "one"
    );
    // Nothing to do is done, whoever is to go first.
    let kept = looks.look(3, vec![in_sync()], None);
    assert_eq!((kept.taken.as_ref().expect("there").state.as_str(), kept.held.as_ref()), ("two", None));
}
