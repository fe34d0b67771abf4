use std::collections::BTreeSet;

use serde_json::json;

use super::live::Account;
use super::*;
use crate::control::{Change, FaultKind, Risk, Thing, Verdict};
use crate::controls::tests::facts as member;

const SECURITY: &str = "777766665555";

/// The management account in its home region, and an organisation with a security seat.
fn facts() -> Facts {
    let mut facts = member();
    let seats = &mut facts.organization.as_mut().unwrap().seats;
    seats.insert(Seat::Security, SECURITY.parse().unwrap());
    seats.insert(Seat::Management, facts.scope.account.clone());
    facts
}

fn administered(by: &str, leaving: bool) -> Live {
    Live { administrator: Some(Account { account: by.into(), leaving }), ..Live::default() }
}

fn verdict(facts: &Facts, spec: serde_json::Value, live: &Live) -> Verdict<Write> {
    let spec = serde_json::from_value(spec).unwrap();
    let found = Administrator.plan(facts, &Known::default(), &spec, live);
    let [Finding { verdict, .. }] = &found[..] else { panic!("{found:?}") };
    verdict.clone()
}

fn change(verdict: Verdict<Write>) -> Change<Write> {
    match verdict {
        Verdict::Change(change) => change,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_administrator_is_made_by_name_and_reaches_the_organisation() {
    let made = change(verdict(&facts(), json!({"account": "security"}), &Live::default()));
    assert_eq!(made.fields, [Field::new("/account", "none", "security")]);
    assert_eq!(made.risk, Risk::Organization);
    assert_eq!(made.steps, [Write::EnableAdministrator { account: SECURITY.parse().unwrap() }]);
    assert!(made.cost.is_some());
    let region = facts().scope.region;
    assert!(made.makes.iter().filter_map(Thing::region).all(|there| *there == region), "this region only");
}

#[test]
fn another_administrator_is_left_alone_and_named() {
    for live in [
        administered("222233334444", false),
        Live { elsewhere: vec!["222233334444".into()], ..Live::default() },
    ] {
        let Verdict::Foreign { owner, .. } = verdict(&facts(), json!({"account": SECURITY}), &live) else {
            panic!("{live:?}")
        };
        assert!(owner.contains("222233334444"), "{owner}");
    }
    let ours = json!({"account": SECURITY});
    assert_eq!(verdict(&facts(), ours.clone(), &administered(SECURITY, false)), Verdict::InSync);
    let leaving = verdict(&facts(), ours.clone(), &administered("222233334444", true));
    assert!(matches!(leaving, Verdict::Progressing(_)));
    let registered = Live { elsewhere: vec![SECURITY.into()], ..Live::default() };
    assert_eq!(change(verdict(&facts(), ours, &registered)).steps.len(), 1, "in another region already");
}

#[test]
fn a_seat_that_nobody_has_is_unknown() {
    let Verdict::Unknown { fault } = verdict(&member(), json!({"account": "security"}), &Live::default())
    else {
        panic!()
    };
    assert_eq!(fault.kind, FaultKind::Invalid);
    assert!(fault.message.contains("seats.security"), "{fault}");
}

#[test]
fn trust_is_given_in_the_home_region_and_only_what_is_missing() {
    let spec = json!({"trustedAccess": "malware-protection"});
    let live = |trusted: &[&str]| Live {
        trusted: Some(trusted.iter().map(|one| (*one).to_owned()).collect::<BTreeSet<_>>()),
        ..Live::default()
    };
    let given = change(verdict(&facts(), spec.clone(), &live(&[GUARDDUTY])));
    assert_eq!(given.fields, [Field::new("/trustedAccess", "guardduty", "malware-protection")]);
    assert_eq!(given.steps, [Write::EnableAccess { service: MALWARE_PROTECTION.into() }]);
    assert_eq!((given.risk, given.stands_on), (Risk::Organization, Some(vec![])));
    assert_eq!(verdict(&facts(), spec, &live(&[GUARDDUTY, MALWARE_PROTECTION])), Verdict::InSync);

    let spec: AdministratorSpec = serde_json::from_value(json!({"account": "security"})).unwrap();
    assert!(Administrator.ask(&facts(), &spec).trusted_access, "it goes without saying");
    let mut elsewhere = facts();
    elsewhere.home = crate::control::Region::new("us-east-1");
    assert!(!Administrator.ask(&elsewhere, &spec).trusted_access);
}

#[test]
fn the_security_accounts_own_detector_comes_first() {
    let spec: AdministratorSpec = serde_json::from_value(json!({"account": "security"})).unwrap();
    let needs = Administrator.needs(&facts(), &spec);
    let detector = Thing::Detector {
        account: SECURITY.parse().unwrap(),
        region: crate::control::Region::new("eu-west-1"),
    };
    assert!(needs.contains(&Need::soft(detector)), "{needs:?}");
    assert!(needs.contains(&Need::hard(plan::access(&facts(), GUARDDUTY))), "{needs:?}");
}

#[test]
fn what_is_live_can_be_declared() {
    let mut live = administered(SECURITY, false);
    live.trusted = Some(BTreeSet::from([GUARDDUTY.to_owned()]));
    let imported = Administrator.import(&facts(), &Known::default(), &live).unwrap();
    assert_eq!(
        serde_json::to_value(imported).unwrap(),
        json!({"account": "security", "trustedAccess": "guardduty"})
    );
}
