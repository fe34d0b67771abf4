//! Declared beside live, without AWS.

use serde_json::{Value, json};

use super::super::tests::facts;
use super::*;

fn live(scan_type: ScanType, rules: &[(Frequency, &[&str])]) -> Scanning {
    let set = |filters: &[&str]| filters.iter().map(ToString::to_string).collect();
    let rules = rules.iter().map(|(frequency, filters)| (*frequency, set(filters))).collect();
    Scanning { scan_type, rules }
}

fn basic(push: &[&str]) -> Scanning {
    live(ScanType::Basic, &[(Frequency::ScanOnPush, push)])
}

fn verdict(scanning: Value, live: &Scanning) -> Verdict<PutScanning> {
    let spec: RegistrySpec = serde_json::from_value(json!({ "scanning": scanning })).unwrap();
    let mut findings = Registry.plan(&facts(), &Known::default(), &spec, live);
    assert_eq!(findings.len(), 1);
    findings.remove(0).verdict
}

fn planned(scanning: Value, live: &Scanning) -> Change<PutScanning> {
    match verdict(scanning, live) {
        Verdict::Change(change) => change,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_fresh_registry_is_told_to_scan_on_push() {
    let fresh = live(ScanType::Basic, &[]);
    let declared = json!({"type": "BASIC", "rules": {"SCAN_ON_PUSH": ["*"]}});
    let found = planned(declared.clone(), &fresh);
    assert_eq!(found.fields, [Field::new("/scanning/rules/SCAN_ON_PUSH", json!([]), json!(["*"]))]);
    assert_eq!(found.steps, [PutScanning(basic(&["*"]))]);
    assert_eq!((found.direction, found.cost, found.carries), (Direction::Strengthens, None, None));
    assert_eq!(verdict(declared, &basic(&["*"])), Verdict::InSync);
    assert_eq!(verdict(json!({"rules": {"SCAN_ON_PUSH": []}}), &fresh), Verdict::InSync);
}

#[test]
fn enhanced_says_what_it_needs_and_costs() {
    let found = planned(json!({"type": "ENHANCED"}), &basic(&["*"]));
    assert_eq!(found.fields, [Field::new("/scanning/type", "BASIC", "ENHANCED")]);
    assert!(found.evidence.unwrap().starts_with("enhanced scanning needs Amazon Inspector"));
    assert!(found.cost.unwrap().starts_with("Amazon Inspector charges"));
    let carries = "rules.SCAN_ON_PUSH *: not declared, but the call replaces all";
    assert_eq!((found.direction, found.carries.as_deref()), (Direction::Strengthens, Some(carries)));

    let enhanced = live(ScanType::Enhanced, &[(Frequency::ScanOnPush, &["*"])]);
    let wider = planned(json!({"rules": {"CONTINUOUS_SCAN": ["*"]}}), &enhanced);
    assert!(wider.cost.is_some(), "more is scanned, and again");
    assert_eq!(wider.evidence, None);
    let narrower = planned(json!({"rules": {"SCAN_ON_PUSH": ["prod/*"]}}), &enhanced);
    assert_eq!((narrower.direction, narrower.cost), (Direction::Weakens, None));
}

#[test]
fn scanning_less_weakens() {
    let enhanced = live(
        ScanType::Enhanced,
        &[(Frequency::ScanOnPush, &["*"]), (Frequency::ContinuousScan, &["prod/*"])],
    );
    let back = planned(json!({"type": "BASIC"}), &enhanced);
    assert_eq!(back.direction, Direction::Weakens);
    assert_eq!(back.steps, [PutScanning(basic(&["*"]))]);
    // A rule that ends with the type is shown, so that undo brings it back.
    assert_eq!(back.fields.len(), 2);
    assert_eq!(back.fields[1], Field::new("/scanning/rules/CONTINUOUS_SCAN", json!(["prod/*"]), json!([])));
    let inverse = Registry.inverse(RESOURCE, &back.fields).unwrap();
    assert_eq!(inverse.over(&basic(&["*"])), enhanced);

    let moved = planned(json!({"rules": {"SCAN_ON_PUSH": ["web"]}}), &basic(&["api"]));
    assert_eq!(moved.direction, Direction::Weakens, "api is no longer scanned");
    let often = json!({"rules": {"CONTINUOUS_SCAN": ["*"], "SCAN_ON_PUSH": []}});
    assert_eq!(planned(often, &enhanced).direction, Direction::Strengthens);
}

#[test]
fn undeclared_parts_are_carried() {
    let enhanced = live(
        ScanType::Enhanced,
        &[(Frequency::ScanOnPush, &["api"]), (Frequency::ContinuousScan, &["prod/*"])],
    );
    let found = planned(json!({"rules": {"SCAN_ON_PUSH": ["*"]}}), &enhanced);
    let carries = "type ENHANCED, rules.CONTINUOUS_SCAN prod/*: not declared, but the call replaces all";
    assert_eq!(found.carries.as_deref(), Some(carries));
    assert_eq!(found.steps[0].0.filters(Frequency::ContinuousScan), ["prod/*".to_owned()].into());

    let by_hand = live(ScanType::Basic, &[(Frequency::Manual, &["*"])]);
    let ended = planned(json!({"type": "BASIC", "rules": {"SCAN_ON_PUSH": ["api"]}}), &by_hand);
    assert_eq!(ended.steps, [PutScanning(basic(&["api"]))]);
    assert_eq!((ended.direction, ended.carries), (Direction::Strengthens, None));
    assert!(ended.evidence.unwrap().contains("the rule MANUAL ends"));
}

#[test]
fn continuous_scans_of_a_basic_registry_are_not_planned() {
    let found = verdict(json!({"rules": {"CONTINUOUS_SCAN": ["*"]}}), &basic(&["*"]));
    let Verdict::Unknown { fault } = found else { panic!("{found:?}") };
    assert!(fault.message.contains("declare `type: ENHANCED`"), "{fault}");
}

#[test]
fn nothing_declared_says_nothing() {
    let spec = RegistrySpec::default();
    assert!(Registry.plan(&facts(), &Known::default(), &spec, &basic(&["*"])).is_empty());
}
