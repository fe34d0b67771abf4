use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::live::Configuration;
use super::*;
use crate::control::{Change, Direction, Found, Risk, Sight, Thing, Verdict};
use crate::controls::tests::facts as member;
use crate::fault::FaultKind;

const MANAGEMENT: &str = "999988887777";

/// The security account, in an organisation with a management seat.
fn facts() -> Facts {
    let mut facts = member();
    facts.organization.as_mut().unwrap().seats.insert(Seat::Management, MANAGEMENT.parse().unwrap());
    facts
}

fn live(types: &[(&str, bool)], members: &[(&str, &str)]) -> Live {
    let types = types.iter().map(|(name, on)| ((*name).to_owned(), *on)).collect();
    let members: BTreeMap<String, String> =
        members.iter().map(|(id, status)| ((*id).to_owned(), (*status).to_owned())).collect();
    Live {
        configuration: Some(Sight::Seen(Configuration { types, full: false })),
        members: Some(Sight::Seen(members)),
    }
}

fn verdict_with(known: &Known, spec: Value, live: &Live) -> Verdict<Write> {
    let spec = serde_json::from_value(spec).unwrap();
    let mut found = Organization.plan(&facts(), known, &spec, live);
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0).verdict
}

fn verdict(spec: Value, live: &Live) -> Verdict<Write> {
    verdict_with(&Known::default(), spec, live)
}

fn change(verdict: Verdict<Write>) -> Change<Write> {
    match verdict {
        Verdict::Change(change) => change,
        other => panic!("{other:?}"),
    }
}

fn sent(change: &Change<Write>) -> BTreeMap<&str, bool> {
    match &change.steps[..] {
        [Write::AutoEnable { types }] => types.iter().map(|(name, on)| (name.as_str(), *on)).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn all_types_are_sent_and_what_is_not_declared_is_carried() {
    let now = live(&[("EC2", false), ("ECR", true), ("LAMBDA", true), ("LAMBDA_CODE", false)], &[]);
    let more = change(verdict(json!({"autoEnable": {"EC2": true, "LAMBDA": true}}), &now));
    assert_eq!(more.fields, [Field::new("/autoEnable/EC2", false, true)]);
    let wanted = BTreeMap::from([("EC2", true), ("ECR", true), ("LAMBDA", true), ("LAMBDA_CODE", false)]);
    assert_eq!(sent(&more), wanted);
    assert_eq!(more.carries.as_deref(), Some("ECR true: not declared, but the call replaces all"));
    assert_eq!((more.risk, more.direction), (Risk::Organization, Direction::Strengthens));
    assert!(more.cost.is_some_and(|cost| cost.contains("EC2")));
    let less = change(verdict(json!({"autoEnable": {"ECR": false}}), &now));
    assert_eq!((less.risk, less.direction), (Risk::Organization, Direction::Weakens));
    assert_eq!(less.cost, None);
}

#[test]
fn code_goes_with_its_functions() {
    let off = live(&[("LAMBDA", false), ("LAMBDA_CODE", false)], &[]);
    let on = change(verdict(json!({"autoEnable": {"LAMBDA_CODE": true}}), &off));
    assert_eq!(sent(&on), BTreeMap::from([("LAMBDA", true), ("LAMBDA_CODE", true)]));
    let both = live(&[("LAMBDA", true), ("LAMBDA_CODE", true)], &[]);
    let off = change(verdict(json!({"autoEnable": {"LAMBDA": false}}), &both));
    assert_eq!(sent(&off), BTreeMap::from([("LAMBDA", false), ("LAMBDA_CODE", false)]));
    let wrong = json!({"autoEnable": {"LAMBDA": false, "LAMBDA_CODE": true}});
    assert!(serde_json::from_value::<OrganizationSpec>(wrong).is_err());
}

#[test]
fn what_holds_is_in_sync_and_what_is_not_listed_not_offered() {
    let now = live(&[("EC2", true)], &[]);
    assert_eq!(verdict(json!({"autoEnable": {"EC2": true, "ECR": null}}), &now), Verdict::InSync);
    let more = verdict(json!({"autoEnable": {"EC2": true, "CODE_REPOSITORY": true}}), &now);
    assert!(matches!(more, Verdict::NotOffered { .. }));
    assert!(matches!(verdict(json!({"autoEnable": {"NEW": false}}), &now), Verdict::Unknown { .. }));
}

#[test]
fn accounts_that_are_no_members_become_ones() {
    let spec = || json!({"members": "ALL"});
    let now = live(
        &[],
        &[("111122223333", "ENABLED"), ("222233334444", "REMOVED"), ("333344445555", "ACCOUNT_SUSPENDED")],
    );
    let more = change(verdict(spec(), &now));
    assert_eq!(more.fields, [Field::new("/members", "1 of 3 accounts", "ALL")]);
    assert_eq!(more.steps, [Write::Associate { account: "222233334444".parse().unwrap() }]);
    assert_eq!(more.risk, Risk::Organization);
    assert!(more.evidence.is_some_and(|evidence| evidence.contains("1 more")));
    let waiting = live(&[], &[("111122223333", "ENABLED"), ("222233334444", "CREATED")]);
    assert!(matches!(verdict(spec(), &waiting), Verdict::Progressing(_)));
    assert_eq!(verdict(spec(), &live(&[], &[("111122223333", "ENABLED")])), Verdict::InSync);
    assert!(matches!(verdict(spec(), &live(&[], &[("1", "STRANGE")])), Verdict::Unknown { .. }));
}

#[test]
fn what_an_administrator_to_be_will_do_starts_from_nothing() {
    let spec = || json!({"autoEnable": {"EC2": true}});
    let administers = plan::administers(&facts()).unwrap();
    assert!(matches!(&administers, Thing::RegionalAdmin { admin, .. } if *admin == facts().scope.account));
    let absent = Known::new([(administers.clone(), Found::Absent)]);
    let planned = change(verdict_with(&absent, spec(), &Live::default()));
    assert_eq!(planned.fields, [Field::new("/autoEnable/EC2", false, true)]);
    let fault = Fault::local(FaultKind::Denied, "inspector2:ListDelegatedAdminAccounts", "no");
    let unseen = Known::new([(administers.clone(), Found::Unknown(fault))]);
    assert!(matches!(verdict_with(&unseen, spec(), &Live::default()), Verdict::Unknown { .. }));
    let needs = Organization.needs(&facts(), &serde_json::from_value(spec()).unwrap());
    assert_eq!(needs, [Need::hard(administers)]);
    let lost =
        Organization.plan(&member(), &absent, &serde_json::from_value(spec()).unwrap(), &Live::default());
    assert!(
        matches!(&lost[0].verdict, Verdict::Unknown { fault } if fault.message.contains("seats.management"))
    );
}

#[test]
fn what_is_imported_is_in_sync() {
    let now = live(&[("EC2", true), ("ECR", false)], &[("111122223333", "ENABLED")]);
    let imported = Organization.import(&facts(), &Known::default(), &now).unwrap();
    let said = json!({"autoEnable": {"EC2": true, "ECR": false}, "members": "ALL"});
    assert_eq!(imported, serde_json::from_value(said).unwrap());
    let found = Organization.plan(&facts(), &Known::default(), &imported, &now);
    assert!(found.iter().all(|finding| finding.verdict == Verdict::InSync), "{found:?}");
}

/// Answers as the API reference writes them.
#[tokio::test]
async fn answers_to_the_administrator_are_read_as_aws_writes_them() {
    let answers = [
        ("/delegatedadminaccounts/get", 200, r#"{"delegatedAdmin": {"accountId": "111122223333"}}"#),
        (
            "/organizationconfiguration/describe",
            200,
            r#"{"autoEnable": {"ec2": true, "ecr": false, "lambda": true},
            "maxAccountLimitReached": true}"#,
        ),
        (
            "/members/list",
            200,
            r#"{"members": [{"accountId": "222233334444", "relationshipStatus": "CREATED",
            "delegatedAdminAccountId": "111122223333", "updatedAt": 1766620800.0}]}"#,
        ),
    ];
    let client = |answers| aws_sdk_inspector2::Client::new(&crate::aws::canned::sdk(answers));
    let read = live::look(&client(&answers), "111122223333", true).await.unwrap();
    let types = [("EC2", true), ("ECR", false), ("LAMBDA", true)].map(|(name, on)| (name.to_owned(), on));
    assert_eq!(read.configuration, Some(Sight::Seen(Configuration { types: types.into(), full: true })));
    let members = BTreeMap::from([("222233334444".to_owned(), "CREATED".to_owned())]);
    assert_eq!(read.members, Some(Sight::Seen(members)));
    let another =
        [("/delegatedadminaccounts/get", 200, r#"{"delegatedAdmin": {"accountId": "999988887777"}}"#)];
    assert_eq!(live::look(&client(&another), "111122223333", true).await.unwrap(), Live::default());
}
