mod wire;

use serde_json::{Value, json};

use super::live::Aggregator;
use super::*;
use crate::control::{Change, ChangeKind, Direction, Risk, Verdict};
use crate::controls::tests::facts;

const ALL: &str = "ALL_REGIONS";
const EXCEPT: &str = "ALL_REGIONS_EXCEPT_SPECIFIED";
const SPECIFIED: &str = "SPECIFIED_REGIONS";
const NONE: &str = "NO_REGIONS";

fn linking(value: Value) -> Linking {
    serde_json::from_value(value).unwrap()
}

fn aggregator(mode: &str, regions: &[&str]) -> Live {
    let regions = regions.iter().map(|region| (*region).to_owned()).collect();
    Live {
        aggregator: Some(Aggregator { home: "eu-west-1".into(), mode: mode.into(), regions }),
        ..Live::default()
    }
}

fn plan(wanted: Value, live: &Live) -> Verdict<Write> {
    let spec = AggregationSpec { linking: Some(linking(wanted)) };
    let mut found = Aggregation.plan(&facts(), &Known::default(), &spec, live);
    assert_eq!(found.len(), 1);
    found.remove(0).verdict
}

fn change(wanted: Value, live: &Live) -> Change<Write> {
    match plan(wanted, live) {
        Verdict::Change(change) => change,
        other => panic!("{other:?}"),
    }
}

#[test]
fn modes_are_aws_words_with_their_regions_beneath() {
    for good in [
        json!(ALL),
        json!(NONE),
        json!({SPECIFIED: ["eu-central-1", "us-east-1"]}),
        json!({EXCEPT: ["me-central-1"]}),
        json!({EXCEPT: null, SPECIFIED: ["us-gov-west-1"]}),
    ] {
        let read = linking(good.clone());
        assert_eq!(linking(read.clone().into()), read, "{good}");
    }
    for (bad, why) in [
        (json!(SPECIFIED), "needs its regions"),
        (json!("EVERYTHING"), "is none of"),
        (json!({SPECIFIED: []}), "write that"),
        (json!({SPECIFIED: ["eu-central-1"], EXCEPT: ["us-east-1"]}), "take the other out"),
        (json!({SPECIFIED: null}), "one of"),
        (json!({ALL: ["eu-central-1"]}), "is none of"),
        (json!({SPECIFIED: ["Frankfurt"]}), "not the code of a region"),
        (json!({SPECIFIED: ["eu-central-1 "]}), "not the code of a region"),
        (json!([ALL]), "a list of regions"),
        (json!(true), "a list of regions"),
        (json!({SPECIFIED: "eu-central-1"}), "a list of regions"),
    ] {
        let read = serde_json::from_value::<Linking>(bad.clone()).map_err(|error| error.to_string());
        assert!(read.as_ref().is_err_and(|error| error.contains(why)), "{bad}: {read:?}");
    }
}

#[test]
fn what_is_declared_and_live_is_in_sync_in_any_order_and_without_the_home_region() {
    for (wanted, live) in [
        (json!(ALL), aggregator(ALL, &[])),
        (json!(NONE), aggregator(NONE, &[])),
        (
            json!({SPECIFIED: ["us-east-1", "eu-central-1"]}),
            aggregator(SPECIFIED, &["eu-central-1", "us-east-1"]),
        ),
        (json!({SPECIFIED: ["eu-west-1", "us-east-1"]}), aggregator(SPECIFIED, &["us-east-1"])),
        (json!({EXCEPT: ["us-east-1"]}), aggregator(EXCEPT, &["us-east-1", "eu-west-1"])),
        // The home region is never linked, so this says all.
        (json!({EXCEPT: ["eu-west-1"]}), aggregator(ALL, &[])),
    ] {
        assert_eq!(plan(wanted.clone(), &live), Verdict::InSync, "{wanted}");
    }
    assert_eq!(
        Aggregation.plan(&facts(), &Known::default(), &AggregationSpec::default(), &Live::default()),
        []
    );
}

#[test]
fn linking_fewer_regions_weakens_and_names_them() {
    use Direction::{Strengthens, Weakens};
    for (live, wanted, direction, said) in [
        (aggregator(NONE, &[]), json!(ALL), Strengthens, None),
        (aggregator(SPECIFIED, &["us-east-1"]), json!(ALL), Strengthens, None),
        (aggregator(SPECIFIED, &["us-east-1"]), json!({EXCEPT: ["me-central-1"]}), Strengthens, None),
        (aggregator(SPECIFIED, &["us-east-1"]), json!({EXCEPT: ["us-east-1"]}), Weakens, Some("us-east-1")),
        (aggregator(SPECIFIED, &["a-b-1", "c-d-2"]), json!({SPECIFIED: ["a-b-1"]}), Weakens, Some("c-d-2")),
        (aggregator(SPECIFIED, &["a-b-1"]), json!({SPECIFIED: ["a-b-1", "c-d-2"]}), Strengthens, None),
        (aggregator(SPECIFIED, &["a-b-1"]), json!(NONE), Weakens, Some("a-b-1")),
        (aggregator(EXCEPT, &["a-b-1"]), json!({EXCEPT: ["a-b-1", "c-d-2"]}), Weakens, Some("c-d-2")),
        (aggregator(EXCEPT, &["a-b-1", "c-d-2"]), json!({EXCEPT: ["a-b-1"]}), Strengthens, None),
        (aggregator(EXCEPT, &["a-b-1"]), json!({SPECIFIED: ["c-d-2"]}), Weakens, Some("no region to come")),
        (aggregator(ALL, &[]), json!({EXCEPT: ["a-b-1"]}), Weakens, Some("a-b-1")),
        (aggregator(ALL, &[]), json!({SPECIFIED: ["c-d-2"]}), Weakens, Some("from c-d-2 alone")),
        (aggregator(ALL, &[]), json!(NONE), Weakens, Some("no other region")),
    ] {
        let change = change(wanted.clone(), &live);
        assert_eq!((change.direction, change.risk), (direction, Risk::Safe), "{wanted}");
        assert_eq!(change.evidence.is_some(), said.is_some(), "{wanted}: {:?}", change.evidence);
        let evidence = change.evidence.unwrap_or_default();
        assert!(evidence.contains(said.unwrap_or_default()), "{wanted}: {evidence}");
    }
}

#[test]
fn the_first_aggregator_is_made_and_one_that_is_there_is_never_doubled() {
    let made = change(json!(ALL), &Live::default());
    assert_eq!(made.kind, ChangeKind::Create);
    assert_eq!(made.fields, [Field::new("/linking", Value::Null, ALL)]);
    assert_eq!(made.steps, [Write::Create { linking: Linking::AllRegions }]);
    let Facts { scope, .. } = facts();
    assert_eq!(made.makes, [Thing::FindingAggregator { account: scope.account, region: scope.region }]);
    let updated = change(json!(ALL), &aggregator(NONE, &[]));
    assert_eq!(updated.steps, [Write::Update { linking: Linking::AllRegions }]);
}

#[test]
fn an_aggregator_in_another_region_is_moved_by_hand() {
    let mut live = aggregator(ALL, &[]);
    live.aggregator.as_mut().unwrap().home = "us-east-1".into();
    let Verdict::Manual(task) = plan(json!(ALL), &live) else { panic!() };
    assert!(
        task.title.contains("us-east-1") && task.steps.iter().any(|step| step.contains("--region us-east-1"))
    );
    assert_eq!(Aggregation.import(&facts(), &Known::default(), &live), None);
}

#[test]
fn members_are_left_to_their_administrator_and_a_central_one_reaches_the_organisation() {
    let member = Live { administrator: Some("777766665555".into()), ..aggregator(NONE, &[]) };
    let Verdict::Foreign { owner, .. } = plan(json!(ALL), &member) else { panic!() };
    assert!(owner.contains("777766665555"));
    assert_eq!(plan(json!(NONE), &member), Verdict::InSync);
    let none = Live { administrator: Some("777766665555".into()), ..Live::default() };
    assert!(matches!(plan(json!(ALL), &none), Verdict::Foreign { .. }));

    let central = Live { central: true, ..aggregator(NONE, &[]) };
    let change = change(json!(ALL), &central);
    assert_eq!((change.risk, change.direction), (Risk::Organization, Direction::Strengthens));
    assert!(change.evidence.is_some_and(|evidence| evidence.contains("policies")));
}

#[test]
fn a_mode_that_nobody_knows_is_unknown() {
    assert!(matches!(plan(json!(ALL), &aggregator("SOME_REGIONS", &[])), Verdict::Unknown { .. }));
}

#[test]
fn what_is_imported_is_in_sync_and_the_inverse_is_what_was_before() {
    for live in [aggregator(ALL, &[]), aggregator(EXCEPT, &["us-east-1"]), aggregator(NONE, &[])] {
        let imported = Aggregation.import(&facts(), &Known::default(), &live).unwrap();
        let imported = serde_json::to_value(imported).unwrap();
        assert_eq!(plan(imported["linking"].clone(), &live), Verdict::InSync);
    }
    let live = aggregator(SPECIFIED, &["us-east-1"]);
    let back = Aggregation.inverse(RESOURCE, &change(json!(ALL), &live).fields).unwrap();
    assert_eq!(back.linking, Some(linking(json!({SPECIFIED: ["us-east-1"]}))));
    let back = Aggregation.inverse(RESOURCE, &change(json!(ALL), &Live::default()).fields).unwrap();
    assert_eq!(back.linking, Some(Linking::NoRegions));
}

#[test]
fn it_stands_on_security_hub_here() {
    let needs = |spec| Aggregation.needs(&facts(), &serde_json::from_value(spec).unwrap());
    assert_eq!(needs(json!({})), []);
    let needs = needs(json!({"linking": ALL}));
    assert!(matches!(&needs[..], [Need { thing: Thing::SecurityHub { .. }, hard: true }]));
}
