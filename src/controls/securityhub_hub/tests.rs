use serde_json::json;

use super::*;
use crate::control::{ChangeKind, Direction, Found, Seat};
use crate::controls::tests::facts;

fn live(generator: &str, administrator: Option<&str>) -> Live {
    Live { generator: generator.into(), administrator: administrator.map(str::to_owned) }
}

fn seated() -> Facts {
    let mut facts = facts();
    if let Some(organization) = &mut facts.organization {
        organization.seats.insert(Seat::Security, "777766665555".parse().unwrap());
    }
    facts
}

fn verdict(facts: &Facts, known: &Known, spec: Value, live: Option<Live>) -> Verdict<Write> {
    let spec = serde_json::from_value(spec).unwrap();
    let mut found = Hub.plan(facts, known, &spec, &live);
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0).verdict
}

fn plain(spec: Value, live: Option<Live>) -> Verdict<Write> {
    verdict(&facts(), &Known::default(), spec, live)
}

#[test]
fn a_new_hub_never_brings_aws_own_choice_of_standards() {
    let Verdict::Change(made) = plain(json!({"enabled": true}), None) else { panic!("a change") };
    assert_eq!(made.kind, ChangeKind::Create);
    assert_eq!(made.steps, [Write::Enable { consolidated: true, tags: facts().tags }]);
    assert_eq!(made.steps[0].to_string(), "enable Security Hub without standards");
    assert!(made.carries.is_some_and(|carries| carries.contains("consolidatedFindings true")));
    let scope = facts().scope;
    assert_eq!(made.makes, [Thing::SecurityHub { account: scope.account, region: scope.region }]);

    let spec = json!({"enabled": true, "consolidatedFindings": false});
    let Verdict::Change(made) = plain(spec, None) else { panic!("a change") };
    assert_eq!(made.steps, [Write::Enable { consolidated: false, tags: facts().tags }]);
    assert_eq!(made.carries, None);
    assert_eq!(plain(json!({"enabled": false}), None), Verdict::InSync);
    let Verdict::Change(made) = plain(json!({"consolidatedFindings": true}), None) else {
        panic!("a change")
    };
    assert!(made.carries.is_some_and(|carries| carries.contains("enabled true")));
}

#[test]
fn a_hub_is_disabled_by_hand_alone() {
    let there = || Some(live("SECURITY_CONTROL", None));
    assert!(matches!(plain(json!({"enabled": false}), there()), Verdict::Manual(_)));
    assert_eq!(plain(json!({"enabled": true}), there()), Verdict::InSync);
}

#[test]
fn findings_are_consolidated_where_the_account_may_say_so() {
    let spec = json!({"consolidatedFindings": true});
    let Verdict::Change(change) = plain(spec.clone(), Some(live("STANDARD_CONTROL", None))) else {
        panic!("a change")
    };
    assert_eq!((change.risk, change.direction), (Risk::Disruptive, Direction::Neutral));
    assert_eq!(change.steps, [Write::Findings { consolidated: true }]);
    let member = live("STANDARD_CONTROL", Some("777766665555"));
    let Verdict::Foreign { owner, .. } = plain(spec.clone(), Some(member)) else { panic!("foreign") };
    assert!(owner.contains("777766665555"));
    let odd = plain(spec, Some(live("SOMETHING_NEW", None)));
    assert!(matches!(odd, Verdict::Unknown { .. }), "what is not known is not in sync");
}

#[test]
fn a_configuration_policy_is_not_fought() {
    let facts = seated();
    let own = Thing::own_security_hub(&facts).unwrap();
    let spec = || json!({"enabled": true});
    let held = Known::new([(own.clone(), Found::Absent)]);
    assert!(matches!(verdict(&facts, &held, spec(), None), Verdict::Foreign { .. }));
    let free = Known::new([(own.clone(), Found::Present { arn: "SELF_MANAGED_SECURITY_HUB".into() })]);
    assert!(matches!(verdict(&facts, &free, spec(), None), Verdict::Change(_)));
    let denied = Fault::local(FaultKind::Denied, "securityhub:GetConfigurationPolicyAssociation", "no");
    let unknown = Known::new([(own, Found::Unknown(denied))]);
    assert!(matches!(verdict(&facts, &unknown, spec(), None), Verdict::Change(_)), "AWS says so itself");
}
