use serde_json::json;

use super::*;
use crate::aws::canned;
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

fn client(answers: &[canned::Answer]) -> Client {
    Client::new(&canned::sdk(answers))
}

const NOT_SUBSCRIBED: &str = r#"{"__type":"InvalidAccessException","Code":"InvalidAccessException",
    "Message":"Account 111122223333 is not subscribed to AWS Security Hub"}"#;

#[tokio::test]
async fn answers_are_read_as_aws_writes_them() {
    let member = client(&[
        (
            "/accounts",
            200,
            r#"{"HubArn":"arn:aws:securityhub:eu-west-1:111122223333:hub/default",
                "SubscribedAt":"2023-06-07T18:43:54.000Z","AutoEnableControls":true,
                "ControlFindingGenerator":"STANDARD_CONTROL"}"#,
        ),
        (
            "/administrator",
            200,
            r#"{"Administrator":{"AccountId":"777766665555","InvitationId":"7ab938c5d52d7904ad09f9e7c20cc4eb",
                "InvitedAt":"2020-06-01T20:21:18.042Z","MemberStatus":"ENABLED"}}"#,
        ),
    ]);
    let read = read_hub(&member).await.unwrap();
    assert_eq!(read, Some(live("STANDARD_CONTROL", Some("777766665555"))));
    let none = client(&[("/accounts", 401, NOT_SUBSCRIBED)]);
    assert_eq!(read_hub(&none).await.unwrap(), None);
    let alone = client(&[("/accounts", 200, r#"{"HubArn":"x"}"#), ("/administrator", 200, "{}")]);
    assert_eq!(read_hub(&alone).await.unwrap(), Some(live("", None)));
    let broken = client(&[("/accounts", 500, r#"{"__type":"InternalException"}"#)]);
    assert_eq!(read_hub(&broken).await.unwrap_err().call, "securityhub:DescribeHub");
}
