use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::live::{Configuration, Counted, Feature};
use super::write::Settings;
use super::*;
use crate::control::{Change, Direction, Fault, FaultKind, Field, Found, Risk, Verdict};
use crate::controls::tests::facts as member;

mod wire;

fn facts() -> Facts {
    let mut facts = member();
    let seats = &mut facts.organization.as_mut().unwrap().seats;
    seats.insert(Seat::Security, facts.scope.account.clone());
    seats.insert(Seat::Management, "999988887777".parse().unwrap());
    facts
}

fn live(members: &str, features: &[(&str, &str)], agents: &[(&str, &str)]) -> Live {
    let words = |entries: &[(&str, &str)]| -> BTreeMap<String, String> {
        entries.iter().map(|(name, word)| ((*name).to_owned(), (*word).to_owned())).collect()
    };
    let features = words(features).into_iter().map(|(name, mode)| {
        let beneath = if name == spec::RUNTIME { words(agents) } else { BTreeMap::new() };
        (name, Feature { mode, beneath })
    });
    let configuration = Configuration { members: members.into(), features: features.collect(), full: false };
    Live { configuration: Some(configuration), counted: None }
}

fn verdict_with(known: &Known, spec: Value, live: &Live) -> Verdict<Write> {
    let spec = serde_json::from_value(spec).unwrap();
    let found = Organization.plan(&facts(), known, &spec, live);
    let [Finding { verdict, .. }] = &found[..] else { panic!("{found:?}") };
    verdict.clone()
}

fn verdict(spec: Value, live: &Live) -> Verdict<Write> {
    verdict_with(&Known::default(), spec, live)
}

fn change(spec: Value, live: &Live) -> Change<Write> {
    match verdict(spec, live) {
        Verdict::Change(change) => change,
        other => panic!("{other:?}"),
    }
}

fn sent(change: &Change<Write>) -> Value {
    let [Write::Update { settings }] = &change.steps[..] else { panic!("{change:?}") };
    serde_json::to_value(settings).unwrap()
}

#[test]
fn what_differs_is_sent_and_nothing_else() {
    let live = live("NEW", &[("S3_DATA_EVENTS", "NEW"), ("EKS_AUDIT_LOGS", "ALL")], &[]);
    let spec = json!({"newMembers": "ALL", "features": {"S3_DATA_EVENTS": true, "EKS_AUDIT_LOGS": "ALL"}});
    let raised = change(spec, &live);
    assert_eq!(
        raised.fields,
        [Field::new("/newMembers", "NEW", "ALL"), Field::new("/features/S3_DATA_EVENTS", "NEW", "ALL")]
    );
    assert_eq!(sent(&raised), json!({"members": "ALL", "features": {"S3_DATA_EVENTS": {"mode": "ALL"}}}));
    assert_eq!((raised.risk, raised.direction), (Risk::Organization, Direction::Strengthens));
    assert!(raised.cost.is_some_and(|cost| cost.contains("S3_DATA_EVENTS") && !cost.contains("EKS")));
    assert_eq!(raised.carries, None);
}

#[test]
fn enabling_less_weakens_and_says_what_stays() {
    let lowered = change(json!({"newMembers": "NEW"}), &live("ALL", &[], &[]));
    assert_eq!((lowered.direction, lowered.cost), (Direction::Weakens, None));
    assert_eq!(lowered.evidence.as_deref(), Some("accounts that have it keep it"));
}

#[test]
fn what_the_call_asks_for_is_carried_along_and_told() {
    let live = live(
        "NEW",
        &[("S3_DATA_EVENTS", "NONE"), (spec::RUNTIME, "NONE")],
        &[("EC2_AGENT_MANAGEMENT", "NONE"), ("EKS_ADDON_MANAGEMENT", "NEW")],
    );
    let agents = change(json!({"runtimeAgents": {"EC2_AGENT_MANAGEMENT": "NEW"}}), &live);
    assert_eq!(agents.fields, [Field::new("/runtimeAgents/EC2_AGENT_MANAGEMENT", "NONE", "NEW")]);
    let beneath = json!({"EC2_AGENT_MANAGEMENT": "NEW", "EKS_ADDON_MANAGEMENT": "NEW"});
    let wanted =
        json!({"members": "NEW", "features": {"RUNTIME_MONITORING": {"mode": "NEW", "beneath": beneath}}});
    assert_eq!(sent(&agents), wanted);
    let carries = agents.carries.unwrap();
    for said in ["newMembers NEW", "RUNTIME_MONITORING NEW: its agents need it", "EKS_ADDON_MANAGEMENT NEW"] {
        assert!(carries.contains(said), "{carries}");
    }
}

/// The plan before there is an administrator is the one that is still right once there is: that of an administrator
/// who enables nothing.
#[test]
fn before_there_is_an_administrator_the_plan_starts_from_nothing() {
    let spec = json!({
        "newMembers": "ALL",
        "features": {"S3_DATA_EVENTS": true, "EKS_AUDIT_LOGS": false, "RUNTIME_MONITORING": true},
        "runtimeAgents": {"EC2_AGENT_MANAGEMENT": true},
    });
    let before = change(spec.clone(), &Live::default());
    let fresh = live(
        "NONE",
        &[("S3_DATA_EVENTS", "NONE"), ("EKS_AUDIT_LOGS", "NONE"), (spec::RUNTIME, "NONE"), ("OTHER", "NONE")],
        &[("EC2_AGENT_MANAGEMENT", "NONE"), ("EKS_ADDON_MANAGEMENT", "NONE")],
    );
    assert_eq!(before, change(spec.clone(), &fresh));
    assert_eq!(before.fields.len(), 4);
    let otherwise = live("NEW", &[("S3_DATA_EVENTS", "NONE")], &[]);
    assert_ne!(before, change(spec, &otherwise), "it has moved");
    let needs = Organization.needs(&facts(), &serde_json::from_value(json!({"newMembers": "ALL"})).unwrap());
    assert!(needs.iter().all(|need| need.hard) && needs.len() == 2, "{needs:?}");
    assert!(needs.iter().all(|need| need.thing.region() == Some(&facts().scope.region)), "{needs:?}");
}

#[test]
fn who_administers_is_unknown_where_it_cannot_be_asked() {
    let administers = plan::administers(&facts()).unwrap();
    let fault = Fault::local(FaultKind::Denied, "guardduty:ListOrganizationAdminAccounts", "no");
    let known = Known::new([(administers, Found::Unknown(fault.clone()))]);
    assert_eq!(
        verdict_with(&known, json!({"newMembers": "ALL"}), &Live::default()),
        Verdict::Unknown { fault }
    );
    let alone = Organization.plan(
        &member(),
        &Known::default(),
        &serde_json::from_value(json!({"newMembers": "ALL"})).unwrap(),
        &Live::default(),
    );
    assert!(
        matches!(&alone[0].verdict, Verdict::Unknown { fault } if fault.message.contains("seats.management"))
    );
}

#[test]
fn a_feature_that_is_not_listed_is_not_offered() {
    let live = live("ALL", &[("S3_DATA_EVENTS", "ALL")], &[]);
    let spec = json!({"features": {"S3_DATA_EVENTS": true, "LATER": true, "NEVER": false}});
    let Verdict::NotOffered { source } = verdict(spec, &live) else { panic!() };
    assert!(source.contains("LATER") && !source.contains("NEVER"), "{source}");
    let and_more = change(json!({"features": {"S3_DATA_EVENTS": false, "LATER": true}}), &live);
    assert!(and_more.evidence.is_some_and(|said| said.contains("LATER is not offered here")));
}

#[test]
fn accounts_that_are_reached_are_counted() {
    let mut live = live("NEW", &[("S3_DATA_EVENTS", "NEW")], &[]);
    let spec = json!({"newMembers": "ALL", "features": {"S3_DATA_EVENTS": true}});
    assert!(change(spec.clone(), &live).evidence.is_some_and(|said| said.contains("has not counted")));
    let features = BTreeMap::from([("S3_DATA_EVENTS".to_owned(), 3)]);
    live.counted = Some(Counted { accounts: 40, enabled: 28, features });
    let said = change(spec, &live).evidence.unwrap();
    assert_eq!(said, "of 40 accounts, 28 have GuardDuty here, 3 S3_DATA_EVENTS");
}

#[test]
fn nothing_is_said_of_what_is_not_declared() {
    let live = live("NEW", &[("S3_DATA_EVENTS", "NEW")], &[]);
    let found = Organization.plan(&facts(), &Known::default(), &OrganizationSpec::default(), &live);
    assert_eq!(found, []);
    assert_eq!(verdict(json!({"features": {"S3_DATA_EVENTS": "NEW"}}), &live), Verdict::InSync);
    let imported = Organization.import(&facts(), &Known::default(), &live).unwrap();
    let said = serde_json::to_value(imported).unwrap();
    assert_eq!((&said["newMembers"], &said["features"]), (&json!("NEW"), &json!({"S3_DATA_EVENTS": "NEW"})));
    let _: Settings = serde_json::from_value(json!({"members": "NEW"})).unwrap();
}
