use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::live::{Accounts, Live, Role};
use super::spec::Regions as Which;
use super::write::Source;
use super::*;
use crate::control::{Change, ChangeKind, Direction, Risk, Verdict};
use crate::controls::tests::facts;
use crate::controls::wire::reader;

const ROLE_ARN: &str = "arn:aws:iam::111122223333:role/baseline-config-aggregator";

fn trusted() -> Role {
    Role { arn: ROLE_ARN.into(), trusts: true, has_policy: true }
}

fn organization(name: &str) -> Live {
    Live {
        name: name.into(),
        accounts: Accounts::Organization { role_arn: ROLE_ARN.into() },
        regions: Which::All,
        created_by: None,
        filtered: false,
    }
}

fn seen(live: Live) -> Observed {
    Observed { role: Some(trusted()), aggregators: vec![live] }
}

fn example() -> Value {
    json!({"name": "baseline", "sourceAccounts": "organization", "sourceRegions": "all", "role": "baseline-config-aggregator"})
}

fn plan(spec: Value, observed: &Observed) -> Vec<Finding<Write>> {
    let spec = serde_json::from_value(spec).unwrap();
    Aggregator.plan(&facts(), &Known::default(), &spec, observed)
}

fn verdict(found: &[Finding<Write>], rule: &str) -> Verdict<Write> {
    found.iter().find(|f| f.rule == rule).unwrap_or_else(|| panic!("{rule}: {found:?}")).verdict.clone()
}

fn change(found: &[Finding<Write>], rule: &str) -> Change<Write> {
    match verdict(found, rule) {
        Verdict::Change(change) => change,
        other => panic!("{rule}: {other:?}"),
    }
}

#[test]
fn the_organisation_takes_a_role_and_leave() {
    let found = plan(example(), &Observed::default());
    let role = change(&found, "role");
    assert!(matches!(role.steps[..], [Write::CreateRole { .. }, Write::AttachPolicy { .. }]));
    let made = change(&found, "aggregator");
    assert_eq!((made.kind, made.risk, &made.stands_on), (ChangeKind::Create, Risk::Organization, &None));
    let source = Source {
        name: "baseline".into(),
        accounts: None,
        role: Some("baseline-config-aggregator".into()),
        regions: Which::All,
    };
    assert_eq!(made.steps, [Write::Put { source, tags: facts().tags }]);
    assert!(!serde_json::to_string(&found).unwrap().contains("arn:"));
    let all = plan(example(), &seen(organization("baseline")));
    assert!(all.iter().all(|finding| finding.verdict == Verdict::InSync), "{all:?}");

    let mut with_management = facts();
    let seats = &mut with_management.organization.as_mut().unwrap().seats;
    seats.insert(Seat::Management, "999988887777".parse().unwrap());
    let needs = |facts: &Facts, spec| Aggregator.needs(facts, &serde_json::from_value(spec).unwrap());
    assert!(matches!(
        &needs(&with_management, example())[..],
        [Need { hard: true, thing: Thing::DelegatedAdmin { .. } }]
    ));
    assert_eq!(needs(&with_management, json!({"sourceAccounts": ["100000000001"]})), []);
}

#[test]
fn one_that_takes_in_the_organisation_is_taken_over_under_its_name() {
    let found = plan(
        json!({"sourceAccounts": "organization", "sourceRegions": ["eu-west-1"]}),
        &seen(organization("theirs")),
    );
    let taken = change(&found, "aggregator");
    assert!(taken.adopts.is_some_and(|adopts| adopts.contains("theirs")));
    assert_eq!(taken.fields, [Field::new("/sourceRegions", "all", json!(["eu-west-1"]))]);
    assert_eq!(taken.direction, Direction::Weakens);
    let [Write::Put { source, .. }] = &taken.steps[..] else { panic!() };
    assert_eq!((source.name.as_str(), &source.role), ("theirs", &None), "its role stays");
    let service = Live { created_by: Some("x.amazonaws.com".into()), ..organization("baseline") };
    assert!(matches!(verdict(&plan(example(), &seen(service)), "aggregator"), Verdict::Foreign { .. }));
    let filtered = Live { filtered: true, ..organization("theirs") };
    assert_eq!(change(&plan(example(), &seen(filtered)), "aggregator").kind, ChangeKind::Create);
}

#[test]
fn a_list_of_accounts_reaches_nobody_else() {
    let list = json!({"sourceAccounts": ["100000000001", "100000000002"]});
    let made = change(&plan(list.clone(), &Observed::default()), "aggregator");
    assert_eq!((made.risk, made.stands_on), (Risk::Safe, Some(vec![])));
    let live = Live {
        accounts: Accounts::These(BTreeSet::from(["100000000001".into()])),
        ..organization("baseline")
    };
    let wider = change(&plan(list, &seen(live.clone())), "aggregator");
    assert_eq!(wider.direction, Direction::Strengthens);
    assert_eq!(change(&plan(example(), &seen(live)), "aggregator").fields.len(), 1);
    let narrower = change(
        &plan(json!({"sourceAccounts": ["100000000001"]}), &seen(organization("baseline"))),
        "aggregator",
    );
    assert_eq!(narrower.direction, Direction::Weakens);
}

#[test]
fn a_role_that_cannot_be_used_is_told() {
    let of = |role: Role| {
        verdict(&plan(example(), &Observed { role: Some(role), ..seen(organization("baseline")) }), "role")
    };
    assert!(matches!(of(Role { trusts: false, ..trusted() }), Verdict::Manual(_)));
    let Verdict::Change(attached) = of(Role { has_policy: false, ..trusted() }) else { panic!() };
    assert!(matches!(attached.steps[..], [Write::AttachPolicy { .. }]));
    let other = Live {
        accounts: Accounts::Organization { role_arn: "arn:aws:iam::111122223333:role/other".into() },
        ..organization("baseline")
    };
    let turned = change(&plan(example(), &seen(other)), "aggregator");
    assert_eq!(turned.fields, [Field::new("/role", "other", "baseline-config-aggregator")]);
    let found = plan(json!({"sourceRegions": "all"}), &Observed::default());
    assert!(
        matches!(verdict(&found, "aggregator"), Verdict::Unknown { fault } if fault.message.contains("say `sourceAccounts`"))
    );
}

#[test]
fn what_is_imported_is_in_sync_and_the_inverse_says_what_was_before() {
    let list =
        Live { accounts: Accounts::These(BTreeSet::from(["100000000001".into()])), ..organization("a") };
    for live in [organization("baseline"), list] {
        let imported = Aggregator.import(&facts(), &Known::default(), &seen(live.clone())).unwrap();
        let found = plan(serde_json::to_value(imported).unwrap(), &seen(live));
        assert!(found.iter().all(|finding| finding.verdict == Verdict::InSync), "{found:?}");
    }
    let found = plan(json!({"sourceRegions": ["eu-west-1"]}), &seen(organization("baseline")));
    let back = Aggregator.inverse(RESOURCE, &change(&found, "aggregator").fields).unwrap();
    assert_eq!(back, AggregatorSpec { source_regions: Some(Which::All), ..AggregatorSpec::default() });
}

const ANSWERS: &[(&str, &str)] = &[
    (
        "DescribeConfigurationAggregators",
        r#"{"ConfigurationAggregators":[
            {"ConfigurationAggregatorName":"baseline","CreationTime":1.7e9,
             "ConfigurationAggregatorArn":"arn:aws:config:eu-west-1:111122223333:config-aggregator/config-aggregator-a",
             "OrganizationAggregationSource":{"AllAwsRegions":true,
               "RoleArn":"arn:aws:iam::111122223333:role/baseline-config-aggregator"}},
            {"ConfigurationAggregatorName":"list","CreatedBy":"x.amazonaws.com","AggregatorFilters":{},
             "AccountAggregationSources":[{"AccountIds":["100000000001"],"AwsRegions":["eu-west-1"]}]}]}"#,
    ),
    (
        "GetRole",
        "<GetRoleResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><GetRoleResult><Role><Path>/</Path>\
         <RoleName>baseline-config-aggregator</RoleName><RoleId>AROAEXAMPLEEXAMPLE00</RoleId>\
         <Arn>arn:aws:iam::111122223333:role/baseline-config-aggregator</Arn>\
         <CreateDate>2026-01-01T00:00:00Z</CreateDate><AssumeRolePolicyDocument>%7B%22Statement%22%3A%7B%22Effect\
         %22%3A%22Allow%22%2C%22Principal%22%3A%7B%22Service%22%3A%22config.amazonaws.com%22%7D%2C%22Action%22%3A\
         %22sts%3AAssumeRole%22%7D%7D</AssumeRolePolicyDocument></Role></GetRoleResult></GetRoleResponse>",
    ),
    (
        "ListAttachedRolePolicies",
        "<ListAttachedRolePoliciesResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">\
         <ListAttachedRolePoliciesResult><IsTruncated>false</IsTruncated><AttachedPolicies><member>\
         <PolicyName>AWSConfigRoleForOrganizations</PolicyName>\
         <PolicyArn>arn:aws:iam::aws:policy/service-role/AWSConfigRoleForOrganizations</PolicyArn></member>\
         </AttachedPolicies></ListAttachedRolePoliciesResult></ListAttachedRolePoliciesResponse>",
    ),
];

#[tokio::test]
async fn every_answer_is_read() {
    let aws = reader(const { &Aggregator::META }, ANSWERS).await;
    let ask = Ask { role: Some("baseline-config-aggregator".into()) };
    let observed = aws.run(Aggregator.observe(&aws, &ask)).await.expect("all answers are there");
    let list = Live {
        name: "list".into(),
        accounts: Accounts::These(BTreeSet::from(["100000000001".into()])),
        regions: Which::These(BTreeSet::from(["eu-west-1".into()])),
        created_by: Some("x.amazonaws.com".into()),
        filtered: true,
    };
    assert_eq!(
        observed,
        Observed { role: Some(trusted()), aggregators: vec![organization("baseline"), list] }
    );
}
