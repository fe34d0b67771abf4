mod wire;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;
use crate::control::{ChangeKind, Direction, OrganizationFacts, Region};
use crate::controls::tests::facts;

const SECURITY: &str = "777766665555";
const OTHER: &str = "123412341234";

/// The management account, in an organisation with a security seat.
fn management() -> Facts {
    let organization = OrganizationFacts {
        id: Some("o-a1b2c3d4e5".into()),
        seats: BTreeMap::from([(Seat::Security, SECURITY.parse().unwrap())]),
        archive: None,
    };
    Facts { organization: Some(organization), ..facts() }
}

fn listed(account: &str, status: &str) -> Live {
    Live { here: vec![Listed { account: account.into(), status: status.into() }], ..Live::default() }
}

fn nobody(registered: &[&str], trusted: bool) -> Live {
    let registered = registered.iter().map(|id| (*id).to_owned()).collect();
    Live { here: Vec::new(), registered, trusted: Some(trusted) }
}

fn plan_in(facts: &Facts, spec: Value, live: &Live) -> Verdict<Write> {
    let spec = serde_json::from_value(spec).unwrap();
    let mut found = Administrator.plan(facts, &Known::default(), &spec, live);
    assert_eq!(found.len(), 1);
    found.remove(0).verdict
}

fn plan(spec: Value, live: &Live) -> Verdict<Write> {
    plan_in(&management(), spec, live)
}

fn change(verdict: Verdict<Write>) -> Change<Write> {
    match verdict {
        Verdict::Change(change) => change,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_region_without_one_gets_the_account_of_the_seat_at_the_organisations_risk() {
    for live in [nobody(&[], true), nobody(&[SECURITY], true)] {
        let change = change(plan(json!({"account": "security"}), &live));
        assert_eq!((change.kind, change.risk), (ChangeKind::Create, Risk::Organization));
        assert_eq!(change.direction, Direction::Strengthens);
        assert_eq!(change.fields, [Field::new("/account", "none", "security")]);
        assert_eq!(change.steps, [Write::EnableAdministrator { account: SECURITY.parse().unwrap() }]);
        let there = management().scope.region;
        assert!(
            change.makes.iter().filter_map(Thing::region).all(|region| *region == there),
            "this region only"
        );
        assert_eq!(change.makes.len(), 2);
    }
}

#[test]
fn trust_is_given_at_home_and_stood_on_elsewhere() {
    let live = nobody(&[], false);
    let at_home = change(plan(json!({"account": "security"}), &live));
    assert_eq!(at_home.steps[0], Write::EnableAccess);
    assert_eq!((at_home.steps.len(), at_home.stands_on), (2, Some(Vec::new())));
    assert!(at_home.makes.contains(&access(&management())));
    let elsewhere = Facts { home: Region::new("us-east-1"), ..management() };
    let there = change(plan_in(&elsewhere, json!({"account": "security"}), &live));
    assert_eq!((there.steps.len(), there.stands_on), (1, None));
    assert!(!there.makes.contains(&access(&elsewhere)));
}

#[test]
fn another_administrator_is_named_and_never_replaced() {
    for live in [listed(OTHER, "ENABLED"), nobody(&[OTHER], true)] {
        let Verdict::Foreign { owner, evidence } = plan(json!({"account": "security"}), &live) else {
            panic!()
        };
        assert!(owner.contains(OTHER) && evidence.contains(SECURITY), "{owner}: {evidence}");
    }
}

/// Organizations does not list the management account, which may be it beside whoever is registered.
#[test]
fn the_management_account_may_be_its_own_administrator() {
    let own = facts().scope.account;
    let made = change(plan(json!({"account": own.as_str()}), &nobody(&[OTHER], true)));
    assert!(!made.makes.iter().any(|thing| matches!(thing, Thing::DelegatedAdmin { .. })));
}

#[test]
fn what_is_there_holds_and_what_is_going_is_waited_for() {
    let spec = json!({"account": SECURITY});
    assert_eq!(plan(spec.clone(), &listed(SECURITY, "ENABLED")), Verdict::InSync);
    for going in [SECURITY, OTHER] {
        let going = plan(spec.clone(), &listed(going, "DISABLE_IN_PROGRESS"));
        assert!(matches!(going, Verdict::Progressing(_)));
    }
    assert!(matches!(plan(spec, &listed(SECURITY, "DREAMING")), Verdict::Unknown { .. }));
}

#[test]
fn a_seat_that_nobody_has_is_said() {
    let Verdict::Unknown { fault } = plan_in(&facts(), json!({"account": "security"}), &Live::default())
    else {
        panic!()
    };
    assert!(fault.message.contains("seats.security"), "{fault}");
}

#[test]
fn what_is_imported_is_in_sync() {
    for (live, word) in [(listed(SECURITY, "ENABLED"), "security"), (listed(OTHER, "ENABLED"), OTHER)] {
        let imported = Administrator.import(&management(), &Known::default(), &live).unwrap();
        let imported = serde_json::to_value(imported).unwrap();
        assert_eq!(imported, json!({"account": word}));
        assert_eq!(plan(imported, &live), Verdict::InSync);
    }
    assert_eq!(Administrator.import(&management(), &Known::default(), &Live::default()), None);
}
