use serde_json::Value;

use super::standing::place;
use super::*;
use crate::control::{Change, ManualTask, Progress, Step, Verdict, Verified};
use crate::fault::{Fault, FaultKind};

fn field(path: &str, before: impl Into<Value>, after: impl Into<Value>) -> Field {
    Field::new(path, before.into(), after.into())
}

fn live(fields: Vec<Field>) -> Verdict<Step> {
    Verdict::Change(Change::update(fields, Vec::new()))
}

fn judged(run: &[Field], now: &[Verdict<Step>]) -> Result<Standing, String> {
    Standing::judged(run, now.iter())
}

#[test]
fn what_holds_our_value_is_ours() {
    let run = [field("/length", 8, 14), field("/reuse", 0, 24)];
    let standing = judged(&run, &[Verdict::InSync]).unwrap();
    assert_eq!(standing, Standing { own: run.to_vec(), ..Standing::default() });
}

#[test]
fn what_somebody_has_changed_since_is_theirs() {
    let run = [field("/length", 8, 14), field("/reuse", 0, 24)];
    let standing = judged(&run, &[live(vec![field("/length", 20, 14)])]).unwrap();
    assert_eq!(standing.own, [field("/reuse", 0, 24)]);
    assert_eq!(standing.others, [field("/length", 14, 20)]);
}

#[test]
fn what_was_never_made_or_is_taken_back_already_is_nobody_s() {
    let run = [field("/length", 8, 14)];
    let standing = judged(&run, &[live(vec![field("/length", 8, 14)])]).unwrap();
    assert_eq!(standing, Standing { before: run.to_vec(), ..Standing::default() });
}

#[test]
fn a_rule_for_one_resource_may_say_it_in_another_word() {
    let run = [field("/rules/3/minimumRetentionDays", 90, 365)];
    let standing = judged(&run, &[live(vec![field("/rules/0/retentionDays", 30, 365)])]).unwrap();
    assert_eq!(standing.others, [field("/rules/3/minimumRetentionDays", 365, 30)]);
}

#[test]
fn what_is_not_known_is_not_ours() {
    let fault = Fault::local(FaultKind::Denied, "iam:GetAccountPasswordPolicy", "not you");
    let why = judged(&[field("/length", 8, 14)], &[Verdict::Unknown { fault }]).unwrap_err();
    assert!(why.starts_with("what is live is not known: "), "{why}");
}

#[test]
fn places_in_lists_do_not_count() {
    assert_eq!(place("/rules/12/scanOnPush"), place("/rules/0/scanOnPush"));
    assert_ne!(place("/features/A"), place("/features/B"));
}

fn by_hand_only(title: &str) -> Verdict<Step> {
    let task = ManualTask {
        title: title.into(),
        found: Vec::new(),
        steps: vec!["delete it".into()],
        verified: Verified::ByObservation,
    };
    Verdict::Manual(task)
}

#[test]
fn a_field_comes_back_where_the_plan_writes_its_old_value() {
    let (length, reuse) = (field("/rules/0/length", 8, 14), field("/rules/0/reuse", 0, 24));
    let back = live(vec![field("/rules/2/length", 14, 8)]);
    assert_eq!(Way::judged(&length, &[(true, &back)]), Way::Comes);
    // Another rule may write it; what nobody writes stays.
    assert_eq!(Way::judged(&length, &[(true, &Verdict::InSync), (false, &back)]), Way::Comes);
    assert_eq!(Way::judged(&reuse, &[(true, &back)]), Way::Stays(None));
    assert_eq!(Way::judged(&reuse, &[(true, &Verdict::InSync)]), Way::Stays(None));
    assert_eq!(Way::judged(&reuse, &[]), Way::Stays(None));
}

#[test]
fn a_task_by_hand_is_about_its_own_rule_only() {
    let (lifecycle, scan) = (field("/rules/0/lifecycle", "none", "x"), field("/rules/0/scan", false, true));
    let (task, back) = (by_hand_only("Delete the policy"), live(vec![field("/rules/0/scan", true, false)]));
    let told = Way::ByHand("by hand, as the plan says: Delete the policy".into());
    assert_eq!(Way::judged(&lifecycle, &[(false, &back), (true, &task)]), told);
    assert_eq!(Way::judged(&scan, &[(true, &back), (false, &task)]), Way::Comes);
    assert_eq!(Way::judged(&scan, &[(true, &Verdict::InSync), (false, &task)]), Way::Stays(None));
    // Where its own rule has nothing to say any more, the resource has.
    assert_eq!(Way::judged(&lifecycle, &[(false, &task)]), told);
}

#[test]
fn what_is_in_the_way_is_told() {
    let run = field("/length", 8, 14);
    let owner = Verdict::Foreign { owner: "Firewall Manager".into(), evidence: String::new() };
    let why = |verdict: &Verdict<Step>| match Way::judged(&run, &[(true, verdict)]) {
        Way::Stays(Some(why)) => why,
        other => panic!("{other:?}"),
    };
    assert_eq!(why(&owner), "Firewall Manager manages it now");
    let fault = Fault::local(FaultKind::Denied, "iam:GetAccountPasswordPolicy", "not you");
    assert!(why(&Verdict::Unknown { fault }).starts_with("what is live is not known: "));
    let progress = Progress { what: "AWS is at it".into(), look_again: 30, patience: 60 };
    assert_eq!(why(&Verdict::Progressing(progress)), "not yet: AWS is at it");
}
