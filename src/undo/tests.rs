use serde_json::Value;

use super::*;
use crate::control::Change;
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
