mod wire;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::live::Configuration;
use super::*;
use crate::control::{Change, Direction, FaultKind, OrganizationFacts, Region, Risk, Thing, Verdict};
use crate::controls::tests::facts as member;

/// The account of the security seat, in its home region.
fn facts() -> Facts {
    let organization = OrganizationFacts {
        id: Some("o-a1b2c3d4e5".into()),
        seats: BTreeMap::from([
            (Seat::Management, "999988887777".parse().unwrap()),
            (Seat::Security, member().scope.account),
        ]),
        archive: None,
    };
    Facts { organization: Some(organization), ..member() }
}

fn elsewhere() -> Facts {
    Facts { home: Region::new("us-east-1"), ..facts() }
}

fn local(auto_enable: bool, standards: &str) -> Live {
    Live {
        configuration: Some(Configuration {
            auto_enable,
            standards: standards.into(),
            kind: "LOCAL".into(),
            status: "ENABLED".into(),
            message: None,
            full: false,
        }),
    }
}

fn central(status: &str) -> Live {
    let mut live = local(false, "NONE");
    let configuration = live.configuration.as_mut().unwrap();
    configuration.kind = "CENTRAL".into();
    configuration.status = status.into();
    live
}

fn findings(facts: &Facts, spec: Value, live: &Live) -> Vec<Finding<Write>> {
    Organization.plan(facts, &Known::default(), &serde_json::from_value(spec).unwrap(), live)
}

fn verdict(spec: Value, live: &Live) -> Verdict<Write> {
    let mut found = findings(&facts(), spec, live);
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0).verdict
}

fn change(spec: Value, live: &Live) -> Change<Write> {
    match verdict(spec, live) {
        Verdict::Change(change) => change,
        other => panic!("{other:?}"),
    }
}

#[test]
fn new_accounts_are_enrolled_region_by_region_at_the_organisations_risk() {
    let spec = json!({"newMembers": "NEW", "newMemberStandards": "NONE"});
    let changed = change(spec.clone(), &local(false, "DEFAULT"));
    assert_eq!((changed.risk, changed.direction), (Risk::Organization, Direction::Strengthens));
    assert_eq!(
        changed.fields,
        [Field::new("/newMembers", "NONE", "NEW"), Field::new("/newMemberStandards", "DEFAULT", "NONE")]
    );
    let step = Write::NewMembers { new_members: NewMembers::New, standards: Standards::None };
    assert_eq!((&changed.steps[..], changed.carries), (&[step][..], None));
    assert!(changed.cost.is_some());
    let on: Vec<Thing> = changed.stands_on.unwrap();
    assert!(on.iter().all(|thing| thing.region() == Some(&facts().scope.region)), "this region only");
    assert_eq!(verdict(spec.clone(), &local(true, "NONE")), Verdict::InSync);
    assert_eq!(findings(&elsewhere(), spec, &local(true, "NONE")).len(), 1);
}

#[test]
fn the_call_sets_both_and_says_so() {
    let changed = change(json!({"newMembers": "NEW"}), &local(false, "DEFAULT"));
    assert_eq!(
        changed.steps,
        [Write::NewMembers { new_members: NewMembers::New, standards: Standards::Default }]
    );
    assert!(changed.carries.is_some_and(|said| said.contains("newMemberStandards DEFAULT")));
    let changed = change(json!({"newMemberStandards": "NONE"}), &local(true, "DEFAULT"));
    assert_eq!(
        changed.steps,
        [Write::NewMembers { new_members: NewMembers::New, standards: Standards::None }]
    );
    assert!(changed.carries.is_some_and(|said| said.contains("newMembers NEW")));
}

#[test]
fn fewer_accounts_and_fewer_standards_weaken_where_anybody_is_enrolled() {
    use Direction::{Neutral, Strengthens, Weakens};
    for (live, spec, direction, charges) in [
        (local(true, "NONE"), json!({"newMembers": "NONE"}), Weakens, false),
        (local(true, "DEFAULT"), json!({"newMemberStandards": "NONE"}), Weakens, false),
        (local(false, "DEFAULT"), json!({"newMemberStandards": "NONE"}), Neutral, false),
        (local(true, "NONE"), json!({"newMemberStandards": "DEFAULT"}), Strengthens, true),
        (local(false, "NONE"), json!({"newMembers": "NEW"}), Strengthens, true),
    ] {
        let changed = change(spec.clone(), &live);
        assert_eq!((changed.direction, changed.cost.is_some()), (direction, charges), "{spec}");
        assert_eq!(changed.risk, Risk::Organization);
    }
}

/// The plan is still the same once it is the administrator, so that one apply does both.
#[test]
fn an_account_that_is_not_the_administrator_waits_for_being_it() {
    for spec in [
        json!({"newMembers": "NEW"}),
        json!({"newMemberStandards": "NONE"}),
        json!({"configurationType": "CENTRAL"}),
    ] {
        assert_eq!(change(spec.clone(), &Live::default()), change(spec, &local(false, "DEFAULT")));
    }
    for spec in [json!({"newMembers": "NONE"}), json!({"configurationType": "LOCAL"})] {
        assert!(matches!(verdict(spec, &Live::default()), Verdict::Manual(_)), "never in sync");
    }
    let spec = serde_json::from_value(json!({"newMembers": "NEW"})).unwrap();
    let needs = Organization.needs(&facts(), &spec);
    let administers = |need: &Need| matches!(&need.thing, Thing::RegionalAdmin { admin, .. } if *admin == facts().scope.account);
    assert!(needs.iter().any(administers) && needs.iter().all(|need| need.hard), "{needs:?}");
    assert!(needs.iter().any(|need| matches!(need.thing, Thing::SecurityHub { .. })));
    assert_eq!(Organization.needs(&facts(), &OrganizationSpec::default()), []);
}

#[test]
fn central_configuration_is_asked_for_at_home_and_stands_on_the_aggregator() {
    let spec = json!({"configurationType": "CENTRAL"});
    let changed = change(spec.clone(), &local(true, "NONE"));
    assert_eq!((changed.risk, changed.steps), (Risk::Organization, vec![Write::Central]));
    assert_eq!(changed.fields, [Field::new("/configurationType", "LOCAL", "CENTRAL")]);
    assert!(changed.carries.is_some_and(|said| said.contains("newMembers NONE")));
    assert_eq!(change(spec.clone(), &local(false, "NONE")).carries, None);
    assert_eq!(findings(&elsewhere(), spec.clone(), &local(false, "NONE")), []);
    let spec = serde_json::from_value(spec).unwrap();
    let aggregator = |need: &Need| matches!(need.thing, Thing::FindingAggregator { .. });
    assert!(Organization.needs(&facts(), &spec).iter().any(aggregator));
    assert!(!Organization.needs(&elsewhere(), &spec).iter().any(aggregator));
}

#[test]
fn central_configuration_is_waited_for_tried_again_and_respected() {
    let spec = json!({"configurationType": "CENTRAL"});
    assert_eq!(verdict(spec.clone(), &central("ENABLED")), Verdict::InSync);
    assert!(matches!(verdict(spec.clone(), &central("PENDING")), Verdict::Progressing(_)));
    assert!(matches!(verdict(spec.clone(), &central("DISABLED")), Verdict::Foreign { .. }));
    assert!(matches!(verdict(spec.clone(), &central("DREAMING")), Verdict::Unknown { .. }));
    let mut failed = central("FAILED");
    failed.configuration.as_mut().unwrap().message = Some("no home region".into());
    let again = change(spec, &failed);
    assert!(again.evidence.is_some_and(|why| why.contains("no home region")));
    // It ends by hand, whatever state it is in.
    for status in ["ENABLED", "PENDING", "FAILED"] {
        let Verdict::Manual(task) = verdict(json!({"configurationType": "LOCAL"}), &central(status)) else {
            panic!()
        };
        assert!(task.steps.iter().any(|step| step.contains("delete-configuration-policy")));
    }
}

#[test]
fn what_policies_decide_is_left_to_them_with_the_reason() {
    let Verdict::Foreign { owner, evidence } = verdict(json!({"newMembers": "NEW"}), &central("ENABLED"))
    else {
        panic!()
    };
    assert!(owner.contains("central configuration") && evidence.contains("newMembers is NONE"), "{evidence}");
    assert_eq!(verdict(json!({"newMembers": "NONE"}), &central("ENABLED")), Verdict::InSync);
    let both = json!({"newMembers": "NEW", "configurationType": "CENTRAL"});
    let found = findings(&facts(), both, &local(false, "NONE"));
    let Verdict::Unknown { fault } = &found[0].verdict else { panic!("{found:?}") };
    assert_eq!(fault.kind, FaultKind::Invalid);
    assert!(fault.message.contains("leaves new accounts to its policies"));
}

#[test]
fn there_is_no_word_for_accounts_that_are_there_already() {
    let read = serde_json::from_value::<OrganizationSpec>(json!({"newMembers": "ALL"}));
    assert!(read.is_err_and(|error| error.to_string().contains("`NEW` or `NONE`")));
}

#[test]
fn what_is_imported_is_in_sync_and_the_inverse_is_what_was_before() {
    for live in [local(true, "NONE"), local(false, "DEFAULT"), central("ENABLED")] {
        let imported = Organization.import(&facts(), &Known::default(), &live).unwrap();
        let found = findings(&facts(), serde_json::to_value(imported).unwrap(), &live);
        assert!(found.iter().all(|finding| finding.verdict == Verdict::InSync), "{found:?}");
    }
    let spec = json!({"newMembers": "NEW", "newMemberStandards": "NONE"});
    let back = |live: &Live| {
        serde_json::to_value(Organization.inverse(RESOURCE, &change(spec.clone(), live).fields).unwrap())
            .unwrap()
    };
    let before = json!({"newMembers": "NONE", "newMemberStandards": "DEFAULT", "configurationType": null});
    for live in [local(false, "DEFAULT"), Live::default()] {
        assert_eq!(back(&live), before);
    }
}
