use serde_json::json;

use super::*;
use crate::controls::tests::facts;

fn spec(value: Value) -> PasswordPolicySpec {
    serde_json::from_value(value).unwrap()
}

fn verdict(declared: Value, live: Option<Policy>) -> Verdict<PutPolicy> {
    let mut findings = PasswordPolicy.plan(&facts(), &Known::default(), &spec(declared), &live);
    findings.remove(0).verdict
}

fn change(declared: Value, live: Option<Policy>) -> Change<PutPolicy> {
    match verdict(declared, live) {
        Verdict::Change(change) => change,
        other => panic!("{other:?}"),
    }
}

#[test]
fn nothing_declared_says_nothing() {
    assert_eq!(PasswordPolicy.plan(&facts(), &Known::default(), &spec(json!({})), &None), []);
}

#[test]
fn an_absent_policy_is_created_and_keeps_eight_characters() {
    let all = json!({"lowercase": true, "uppercase": true, "numbers": true, "symbols": true});
    let created = change(json!({"reusePrevention": 24, "require": all}), None);
    assert_eq!(created.kind, crate::control::ChangeKind::Create);
    assert_eq!(created.fields[0], Field::new("/reusePrevention", Value::Null, 24));
    assert_eq!(created.steps[0].0.minimum_length, 8);
    assert_eq!(created.direction, Direction::Strengthens);
    assert!(created.carries.is_some_and(|carries| carries.starts_with("minimumLength 8:")));

    let plain = change(json!({"minimumLength": 14}), None);
    assert_eq!(plain.direction, Direction::Weakens);
    assert!(plain.evidence.is_some_and(|evidence| evidence.contains("three kinds")));
}

#[test]
fn only_declared_fields_are_compared_and_the_rest_is_carried() {
    let live = Policy { minimum_length: 8, max_age_days: 90, symbols: true, ..Policy::UNSET };
    assert_eq!(verdict(json!({"maxAgeDays": 90}), Some(live.clone())), Verdict::InSync);
    let raised = change(json!({"minimumLength": 14}), Some(live.clone()));
    assert_eq!(raised.fields, [Field::new("/minimumLength", 8, 14)]);
    assert_eq!(raised.steps, [PutPolicy(Policy { minimum_length: 14, ..live })]);
    assert_eq!(
        raised.carries.as_deref(),
        Some("maxAgeDays 90, require.symbols true: not declared, but the call replaces all")
    );
}

#[test]
fn each_field_says_what_it_does_to_security() {
    use Direction::{Neutral, Strengthens, Weakens};
    use Risk::{Disruptive, Safe};
    let live = Policy { minimum_length: 12, reuse_prevention: 5, max_age_days: 90, ..Policy::UNSET };
    for (declared, direction, risk) in [
        (json!({"minimumLength": 14}), Strengthens, Safe),
        (json!({"minimumLength": 8}), Weakens, Safe),
        (json!({"reusePrevention": 24}), Strengthens, Safe),
        (json!({"reusePrevention": 0}), Weakens, Safe),
        (json!({"maxAgeDays": 30}), Strengthens, Disruptive),
        (json!({"maxAgeDays": 365}), Weakens, Safe),
        (json!({"maxAgeDays": 0}), Weakens, Safe),
        (json!({"require": {"numbers": true}}), Strengthens, Safe),
        (json!({"usersMayChange": true}), Neutral, Safe),
        (json!({"hardExpiry": true}), Strengthens, Disruptive),
        (json!({"minimumLength": 14, "reusePrevention": 4}), Weakens, Safe),
    ] {
        let change = change(declared.clone(), Some(live.clone()));
        assert_eq!((change.direction, change.risk), (direction, risk), "{declared}");
    }
    let forever = Policy { max_age_days: 0, ..live };
    assert_eq!(change(json!({"maxAgeDays": 90}), Some(forever)).risk, Disruptive);
}

#[test]
fn what_is_imported_is_in_sync_and_what_is_inverted_names_our_fields_only() {
    let live = Policy { minimum_length: 8, numbers: true, hard_expiry: true, ..Policy::UNSET };
    let imported = PasswordPolicy.import(&facts(), &Known::default(), &Some(live.clone())).unwrap();
    let findings = PasswordPolicy.plan(&facts(), &Known::default(), &imported, &Some(live.clone()));
    assert_eq!(findings[0].verdict, Verdict::InSync);

    let changed = change(json!({"require": {"numbers": false, "symbols": false}}), Some(live));
    let back = PasswordPolicy.inverse(RESOURCE, &changed.fields).unwrap();
    assert_eq!(back.require.numbers, Some(true));
    assert_eq!((back.require.symbols, back.minimum_length), (None, None));
}

#[test]
fn values_that_aws_refuses_are_refused_when_read() {
    for (bad, says) in [
        (json!({"minimumLength": 3}), "must be between 6 and 128"),
        (json!({"reusePrevention": 25}), "must be between 0 and 24"),
        (json!({"maxAgeDays": 2000}), "must be between 0 and 1095"),
        (json!({"minLength": 14}), "unknown field"),
    ] {
        let error = serde_json::from_value::<PasswordPolicySpec>(bad).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
}
