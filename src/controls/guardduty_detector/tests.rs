use std::collections::BTreeMap;

use serde_json::json;

use super::live::{Destination, Feature};
use super::write::{Place, Settings};
use super::*;
use crate::control::{Change, ChangeKind, Direction, Found, Risk};
use crate::controls::tests::facts;

const KEY_ARN: &str = "arn:aws:kms:eu-west-1:444455556666:key/1234abcd";

fn key() -> Thing {
    plan::key(facts().archive().unwrap())
}

fn known() -> Known {
    Known::new([(key(), Found::Present { arn: KEY_ARN.into() })])
}

fn map(entries: &[(&str, bool)]) -> BTreeMap<String, Feature> {
    let feature = |on| Feature { on, managed_by: None };
    entries.iter().map(|(name, on)| ((*name).to_owned(), feature(*on))).collect()
}

fn live() -> Detector {
    Detector {
        enabled: true,
        frequency: "SIX_HOURS".into(),
        features: map(&[
            ("S3_DATA_EVENTS", true),
            ("RDS_LOGIN_EVENTS", false),
            (RUNTIME, false),
            (EKS_RUNTIME, false),
        ]),
        agents: map(&[("EC2_AGENT_MANAGEMENT", false), ("EKS_ADDON_MANAGEMENT", true)]),
        administrator: None,
        destinations: Some(vec![]),
    }
}

fn exports(bucket: &str, key_arn: &str, status: &str) -> Detector {
    let destination =
        Destination { bucket: bucket.into(), folder: None, key_arn: key_arn.into(), status: status.into() };
    Detector { destinations: Some(vec![destination]), ..live() }
}

fn findings(spec: Value, live: Option<Detector>) -> Vec<Finding<Write>> {
    let spec = serde_json::from_value(spec).unwrap();
    GuardDutyDetector.plan(&facts(), &known(), &spec, &live)
}

fn verdict(spec: Value, live: Option<Detector>) -> Verdict<Write> {
    let mut found = findings(spec, live);
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0).verdict
}

fn change(spec: Value, live: Option<Detector>) -> Change<Write> {
    match verdict(spec, live) {
        Verdict::Change(change) => change,
        other => panic!("{other:?}"),
    }
}

fn paths(change: &Change<Write>) -> Vec<&str> {
    change.fields.iter().map(|field| field.path.as_str()).collect()
}

fn on(names: &[(&str, bool)]) -> BTreeMap<String, bool> {
    names.iter().map(|(name, on)| ((*name).to_owned(), *on)).collect()
}

#[test]
fn a_new_detector_starts_nothing_that_was_not_asked_for() {
    let spec = json!({"enabled": true, "frequency": "ONE_HOUR", "features": {"S3_DATA_EVENTS": true}});
    let created = change(spec, None);
    assert_eq!(created.kind, ChangeKind::Create);
    assert_eq!(paths(&created), ["/enabled", "/frequency", "/features/S3_DATA_EVENTS"]);
    assert!(created.fields.iter().all(|field| field.before.is_null()));
    let features = on(&[
        ("EBS_MALWARE_PROTECTION", false),
        ("EKS_AUDIT_LOGS", false),
        ("LAMBDA_NETWORK_LOGS", false),
        ("RDS_LOGIN_EVENTS", false),
        ("S3_DATA_EVENTS", true),
    ]);
    let settings = Settings {
        enabled: Some(true),
        frequency: Some(Frequency::OneHour),
        features,
        agents: BTreeMap::new(),
    };
    assert_eq!(created.steps, [Write::CreateDetector { settings, tags: facts().tags }]);
    assert!(created.carries.is_some_and(|carries| carries.contains("RDS_LOGIN_EVENTS off: not declared")));
    assert!(created.cost.is_some_and(|cost| cost.contains("S3_DATA_EVENTS") && !cost.contains("RDS")));
}

#[test]
fn a_new_detector_does_not_wait_for_the_archive_and_its_export_does() {
    let found = findings(json!({"enabled": true, "deliverTo": "archive"}), None);
    let [made, exported] = found.iter().map(|f| f.change().expect("a change")).collect::<Vec<_>>()[..] else {
        panic!("{found:?}");
    };
    assert_eq!((paths(made), paths(exported)), (vec!["/enabled"], vec!["/deliverTo"]));
    assert!(matches!(made.steps[..], [Write::CreateDetector { .. }]));
    assert!(matches!(exported.steps[..], [Write::CreateDestination { .. }]));
    assert_eq!((&made.stands_on, &exported.stands_on), (&Some(Vec::new()), &None));
    assert!(!serde_json::to_string(&found).unwrap().contains("arn:"));
    assert_eq!(found[0].resource, found[1].resource, "one after another");
}

#[test]
fn what_is_declared_off_is_off_without_a_detector() {
    assert_eq!(findings(json!({}), None), []);
    assert_eq!(verdict(json!({"enabled": false}), None), Verdict::InSync);
    assert_eq!(verdict(json!({"features": {"S3_DATA_EVENTS": false}}), None), Verdict::InSync);
}

#[test]
fn only_declared_fields_are_compared_and_only_differing_ones_sent() {
    assert_eq!(findings(json!({}), Some(live())), []);
    let held = json!({"enabled": true, "features": {"S3_DATA_EVENTS": true, "RDS_LOGIN_EVENTS": null}});
    assert_eq!(verdict(held, Some(live())), Verdict::InSync);

    let spec = json!({"enabled": true, "features": {"S3_DATA_EVENTS": true, "RDS_LOGIN_EVENTS": true}});
    let updated = change(spec, Some(Detector { enabled: false, ..live() }));
    assert_eq!(
        updated.fields,
        [Field::new("/enabled", false, true), Field::new("/features/RDS_LOGIN_EVENTS", false, true)]
    );
    let settings =
        Settings { enabled: Some(true), features: on(&[("RDS_LOGIN_EVENTS", true)]), ..Settings::default() };
    assert_eq!(updated.steps, [Write::UpdateDetector { settings }]);
    assert_eq!(
        updated.cost.as_deref(),
        Some("GuardDuty charges for what it reads in this region, RDS_LOGIN_EVENTS")
    );
    assert_eq!(updated.carries, None);
}

#[test]
fn each_field_says_what_it_does_to_security() {
    use Direction::{Strengthens, Weakens};
    for (spec, direction, charges) in [
        (json!({"enabled": false}), Weakens, false),
        (json!({"frequency": "FIFTEEN_MINUTES"}), Strengthens, false),
        (json!({"features": {"RDS_LOGIN_EVENTS": true}}), Strengthens, true),
        (json!({"features": {"S3_DATA_EVENTS": false}}), Weakens, false),
        (json!({"features": {"S3_DATA_EVENTS": false, "RDS_LOGIN_EVENTS": true}}), Weakens, true),
    ] {
        let change = change(spec.clone(), Some(live()));
        assert_eq!((change.direction, change.cost.is_some()), (direction, charges), "{spec}");
        assert_eq!(change.risk, Risk::Safe);
    }
    let often = Detector { frequency: "FIFTEEN_MINUTES".into(), ..live() };
    assert_eq!(change(json!({"frequency": "SIX_HOURS"}), Some(often)).direction, Weakens);
}

#[test]
fn agents_are_sent_within_their_feature_and_the_others_with_them() {
    let spec = json!({"features": {RUNTIME: true}, "runtimeAgents": {"EC2_AGENT_MANAGEMENT": true}});
    let updated = change(spec, Some(live()));
    assert_eq!(paths(&updated), ["/features/RUNTIME_MONITORING", "/runtimeAgents/EC2_AGENT_MANAGEMENT"]);
    let settings = Settings {
        features: on(&[(RUNTIME, true)]),
        agents: on(&[("EC2_AGENT_MANAGEMENT", true), ("EKS_ADDON_MANAGEMENT", true)]),
        ..Settings::default()
    };
    assert_eq!(updated.steps, [Write::UpdateDetector { settings }]);
    assert!(updated.carries.is_some_and(|carries| carries.contains("EKS_ADDON_MANAGEMENT on")));
    let alone = change(json!({"runtimeAgents": {"EC2_AGENT_MANAGEMENT": true}}), Some(live()));
    assert!(alone.carries.is_some_and(|carries| carries.contains("RUNTIME_MONITORING true")));
    let off = json!({"features": {RUNTIME: false}, "runtimeAgents": {"EC2_AGENT_MANAGEMENT": true}});
    assert_eq!(verdict(off, Some(live())), Verdict::InSync);
}

#[test]
fn what_others_manage_is_left_alone_with_the_reason() {
    let member = Detector { administrator: Some("777766665555".into()), ..live() };
    let spec = json!({"features": {"RDS_LOGIN_EVENTS": true}});
    let Verdict::Foreign { owner, evidence } = verdict(spec.clone(), Some(member.clone())) else { panic!() };
    assert!(owner.contains("777766665555") && evidence.contains("RDS_LOGIN_EVENTS"));
    assert_eq!(verdict(json!({"enabled": true}), Some(member.clone())), Verdict::InSync);
    // The export is the member's own.
    assert!(matches!(verdict(json!({"deliverTo": "archive"}), Some(member)), Verdict::Change(_)));

    let mut policed = live();
    policed.features.get_mut("RDS_LOGIN_EVENTS").unwrap().managed_by = Some("GUARDDUTY_POLICY".into());
    assert!(matches!(verdict(spec, Some(policed.clone())), Verdict::Foreign { .. }));
    let with_ours = json!({"frequency": "ONE_HOUR", "features": {"RDS_LOGIN_EVENTS": true}});
    assert_eq!(paths(&change(with_ours, Some(policed))), ["/frequency"]);
}

#[test]
fn a_feature_that_is_not_listed_is_not_offered_and_hides_no_other() {
    let spec = json!({"features": {"LAMBDA_NETWORK_LOGS": true, "S3_DATA_EVENTS": true}});
    assert!(matches!(verdict(spec, Some(live())), Verdict::NotOffered { .. }));
    assert_eq!(verdict(json!({"features": {"LAMBDA_NETWORK_LOGS": false}}), Some(live())), Verdict::InSync);
    let spec = json!({"features": {"LAMBDA_NETWORK_LOGS": true, "RDS_LOGIN_EVENTS": true}});
    let updated = change(spec, Some(live()));
    assert_eq!(paths(&updated), ["/features/RDS_LOGIN_EVENTS"]);
    assert!(updated.evidence.is_some_and(|evidence| evidence.contains("LAMBDA_NETWORK_LOGS is not offered")));
}

#[test]
fn an_export_is_made_once_turned_rather_than_doubled_and_waited_for() {
    let spec = json!({"deliverTo": "archive"});
    assert_eq!(verdict(spec.clone(), Some(exports("acme-logs", KEY_ARN, "PUBLISHING"))), Verdict::InSync);
    let pending = exports("acme-logs", KEY_ARN, "PENDING_VERIFICATION");
    assert!(matches!(verdict(spec.clone(), Some(pending)), Verdict::Progressing(_)));
    let strange = exports("acme-logs", KEY_ARN, "DREAMING");
    assert!(matches!(verdict(spec.clone(), Some(strange)), Verdict::Unknown { .. }));
    let unasked = Detector { destinations: None, ..live() };
    assert!(matches!(verdict(spec.clone(), Some(unasked)), Verdict::Unknown { .. }));

    for (live, kind, before, risk) in [
        (live(), ChangeKind::Create, "none", Risk::Safe),
        (
            exports("acme-logs", KEY_ARN, "UNABLE_TO_PUBLISH_FIX_DESTINATION_PROPERTY"),
            ChangeKind::Update,
            "archive, not publishing",
            Risk::Safe,
        ),
        (
            exports("acme-logs", "arn:aws:kms:eu-west-1:1:key/x", "PUBLISHING"),
            ChangeKind::Update,
            "archive, with another key",
            Risk::Safe,
        ),
        (exports("old", KEY_ARN, "PUBLISHING"), ChangeKind::Update, "bucket old", Risk::Disruptive),
    ] {
        let change = change(spec.clone(), Some(live));
        assert_eq!((change.kind, change.risk), (kind, risk), "{before}");
        assert_eq!(change.fields, [Field::new("/deliverTo", before, "archive")]);
        assert!(!serde_json::to_string(&change).unwrap().contains("arn:"));
    }
}

#[test]
fn somebodys_folder_in_the_archive_stays() {
    let mut detector = exports("acme-logs", "arn:aws:kms:eu-west-1:1:key/x", "PUBLISHING");
    detector.destinations.as_mut().unwrap()[0].folder = Some("team".into());
    let to = Place {
        bucket: "acme-logs".into(),
        folder: Some("team".into()),
        owner: "444455556666".parse().unwrap(),
        key: key(),
    };
    let step = Write::UpdateDestination { from: "acme-logs".into(), to };
    assert_eq!(change(json!({"deliverTo": "archive"}), Some(detector)).steps, [step]);
}

#[test]
fn what_is_imported_is_in_sync() {
    let legacy = Detector {
        features: map(&[(RUNTIME, false), (EKS_RUNTIME, true)]),
        ..exports("acme-logs", KEY_ARN, "PUBLISHING")
    };
    for live in [live(), legacy.clone()] {
        let imported = GuardDutyDetector.import(&facts(), &known(), &Some(live.clone())).unwrap();
        let imported = serde_json::to_value(imported).unwrap();
        let found = findings(imported, Some(live));
        assert!(found.iter().all(|finding| finding.verdict == Verdict::InSync), "{found:?}");
    }
    let imported = GuardDutyDetector.import(&facts(), &known(), &Some(legacy)).unwrap();
    assert_eq!(imported.deliver_to, Some(DeliverTo::Archive));
}

#[test]
fn the_inverse_says_what_was_before_and_nothing_else() {
    let spec = json!({"frequency": "ONE_HOUR", "features": {"RDS_LOGIN_EVENTS": true}});
    let back = GuardDutyDetector.inverse(RESOURCE, &change(spec, Some(live())).fields).unwrap();
    let said = json!({"frequency": "SIX_HOURS", "features": {"RDS_LOGIN_EVENTS": false}});
    assert_eq!(back, serde_json::from_value(said).unwrap());

    let created = change(json!({"enabled": true, "features": {"S3_DATA_EVENTS": true}}), None);
    let back = GuardDutyDetector.inverse(RESOURCE, &created.fields).unwrap();
    assert_eq!(back, DetectorSpec { enabled: Some(false), ..DetectorSpec::default() });
    let exported = change(json!({"deliverTo": "archive"}), Some(live()));
    assert_eq!(GuardDutyDetector.inverse(RESOURCE, &exported.fields), None);
}

#[test]
fn needs_are_the_key_and_the_delivery_in_the_archives_account() {
    let needs = |spec| GuardDutyDetector.needs(&facts(), &serde_json::from_value(spec).unwrap());
    assert_eq!(needs(json!({"enabled": true})), []);
    let needs = needs(json!({"deliverTo": "archive"}));
    assert_eq!(needs[0].thing, key());
    assert!(needs.iter().all(|need| need.hard && need.thing.account().as_str() == "444455556666"));
}
