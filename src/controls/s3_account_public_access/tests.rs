//! Declared beside live, without AWS.

use serde_json::{Value, json};

use super::super::tests::facts;
use super::*;

fn spec(value: Value) -> PublicAccessSpec {
    serde_json::from_value(value).unwrap()
}

fn seen(public: &[&str], unseen: &[&str]) -> Option<Sight<Buckets>> {
    let names = |names: &[&str]| names.iter().map(ToString::to_string).collect();
    Some(Sight::Seen(Buckets { public: names(public), unseen: names(unseen), ..Buckets::default() }))
}

fn plan(declared: Value, live: [bool; 4], buckets: Option<Sight<Buckets>>) -> Verdict<PutBlock> {
    let observed = Observed { block: Block::of(live), buckets };
    let mut findings = AccountPublicAccess.plan(&facts(), &Known::default(), &spec(declared), &observed);
    assert_eq!(findings.len(), 1);
    findings.remove(0).verdict
}

fn change(declared: Value, live: [bool; 4], buckets: Option<Sight<Buckets>>) -> Change<PutBlock> {
    match plan(declared, live, buckets) {
        Verdict::Change(change) => change,
        other => panic!("{other:?}"),
    }
}

const OFF: [bool; 4] = [false; 4];
const ON: [bool; 4] = [true; 4];

#[test]
fn what_is_public_today_is_named_and_makes_it_disruptive() {
    let all = json!({"block": "all"});
    let found = change(all.clone(), OFF, seen(&["partner-drop", "www-assets"], &[]));
    assert_eq!(found.fields, [Field::new("/block", "none", "all")]);
    assert_eq!(found.steps, [PutBlock(Block::of(ON))]);
    assert_eq!((found.risk, found.direction), (Risk::Disruptive, Direction::Strengthens));
    assert_eq!(found.evidence.as_deref(), Some("2 buckets are public today: partner-drop, www-assets"));

    let none = change(all.clone(), OFF, seen(&[], &[]));
    assert_eq!((none.risk, none.evidence.as_deref()), (Risk::Safe, Some("no bucket is public today")));
    assert_eq!(plan(all.clone(), ON, None), Verdict::InSync);
    assert!(matches!(plan(all, OFF, None), Verdict::Unknown { .. }), "nobody looked");
}

#[test]
fn what_could_not_be_looked_at_is_not_private() {
    let all = json!({"block": "all"});
    let one = change(all.clone(), OFF, seen(&[], &["vault"]));
    assert_eq!(one.risk, Risk::Disruptive);
    assert_eq!(one.evidence.as_deref(), Some("1 bucket could not be looked at: vault"));
    let fault = Fault::local(FaultKind::Denied, "s3:ListBuckets", "no");
    let unlisted = change(all, OFF, Some(Sight::Unseen(fault)));
    assert_eq!(unlisted.risk, Risk::Disruptive);
    let said = "which buckets are public is not known: s3:ListBuckets answers Denied";
    assert_eq!(unlisted.evidence.as_deref(), Some(said));
    let many: Vec<String> = (0..12).map(|index| format!("b{index:02}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let evidence = change(json!({"block": "all"}), OFF, seen(&many, &[])).evidence.unwrap();
    assert!(evidence.starts_with("12 buckets are public today: b00,"), "{evidence}");
    assert!(evidence.ends_with("b09 and 2 more"), "{evidence}");
}

#[test]
fn a_partly_set_account_shows_each_switch() {
    let found = change(json!({"block": "all"}), [true, true, false, false], seen(&[], &[]));
    let fields =
        [Field::new("/blockPublicPolicy", false, true), Field::new("/restrictPublicBuckets", false, true)];
    assert_eq!(found.fields, fields);
    assert_eq!(found.carries, None);
}

#[test]
fn a_switch_declared_by_itself_goes_its_own_way() {
    let declared = json!({"block": "all", "restrictPublicBuckets": false});
    assert_eq!(plan(declared.clone(), [true, true, true, false], None), Verdict::InSync);
    let found = change(declared, ON, None);
    assert_eq!(found.fields, [Field::new("/restrictPublicBuckets", true, false)]);
    assert_eq!((found.direction, found.risk), (Direction::Weakens, Risk::Safe));
}

#[test]
fn undeclared_switches_are_carried_and_named() {
    let found = change(json!({"blockPublicAcls": true}), [false, true, false, true], seen(&[], &[]));
    assert_eq!(found.steps, [PutBlock(Block::of([true, true, false, true]))]);
    let carries =
        "ignorePublicAcls true, restrictPublicBuckets true: not declared, but the call replaces all";
    assert_eq!(found.carries.as_deref(), Some(carries));
}

#[test]
fn opening_weakens_and_nothing_declared_says_nothing() {
    let found = change(json!({"block": "none"}), ON, None);
    assert_eq!(found.fields, [Field::new("/block", "all", "none")]);
    assert_eq!((found.direction, found.evidence), (Direction::Weakens, None));
    let observed = Observed { block: Block::default(), buckets: None };
    let nothing = AccountPublicAccess.plan(&facts(), &Known::default(), &spec(json!({})), &observed);
    assert!(nothing.is_empty());
}

#[test]
fn undo_takes_back_exactly_the_switches_that_were_turned() {
    for (declared, live) in [
        (json!({"block": "all"}), OFF),
        (json!({"block": "all"}), [false, true, true, false]),
        (json!({"block": "all", "ignorePublicAcls": true}), [false, true, false, false]),
        (json!({"blockPublicAcls": true}), [false, false, true, false]),
    ] {
        let made = change(declared.clone(), live, seen(&[], &[]));
        let after = made.steps[0].0.switches();
        let inverse = AccountPublicAccess.inverse(RESOURCE, &made.fields).unwrap();
        let inverse = serde_json::to_value(inverse).unwrap();
        let undone = change(inverse, after, seen(&[], &[]));
        assert_eq!(undone.steps, [PutBlock(Block::of(live))], "{declared}");
    }
}

#[test]
fn buckets_are_asked_for_by_the_switches_that_are_declared_on() {
    let ask = |declared| AccountPublicAccess.ask(&facts(), &spec(declared)).on;
    assert_eq!(ask(json!({"block": "all", "blockPublicAcls": false})), Block::of([false, true, true, true]));
    assert_eq!(ask(json!({"block": "none"})), Block::default());
    assert_eq!(ask(json!({"ignorePublicAcls": true})), Block::of([false, true, false, false]));
}
