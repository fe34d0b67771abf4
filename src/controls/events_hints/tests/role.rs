//! The role, and the regions without which hints do not come.

use super::*;

fn of_role(facts: &Facts, live: Option<Role>) -> Vec<Finding<Write>> {
    with_spec(facts, spec(), live, whole(facts))
}

fn with_spec(facts: &Facts, spec: Value, live: Option<Role>, rules: Live) -> Vec<Finding<Write>> {
    let spec = serde_json::from_value(spec).unwrap();
    let declared = Declared { facts, spec: &spec, ours: &ours() };
    declared.role(Some(&Sight::Seen(live)), &Sight::Seen(rules))
}

fn role_there(facts: &Facts) -> Role {
    let policy = |statements: Vec<Value>| Some(json!({"Version": "2012-10-17", "Statement": statements}));
    Role {
        trust: policy(vec![rules::trust(json!(facts.scope.account))]),
        policy: policy(rules::allows(json!(QUEUE_ARN), json!(BUS))),
    }
}

#[test]
fn the_role_is_made_where_the_queue_is_and_put_right_there() {
    let facts = managed();
    let verdict = |live| of_role(&facts, live).pop().expect("a finding").verdict;
    let made = change(verdict(None));
    assert!(matches!(&made.makes[..], [Thing::Role { name, .. }] if name == ROLE));
    assert!(matches!(&made.steps[..], [Write::CreateRole { .. }, Write::AllowRole { .. }]));
    assert_eq!(verdict(Some(role_there(&facts))), Verdict::InSync);
    assert_eq!(of_role(&elsewhere(), None), [], "once in an account");

    let mut open = role_there(&facts);
    open.trust.as_mut().unwrap()["Statement"][0].as_object_mut().unwrap().remove("Condition");
    let trusting = change(verdict(Some(open)));
    assert!(matches!(&trusting.steps[..], [Write::Trust { .. }]));
    assert_eq!(trusting.fields[0].before, "a role that cannot send to it");
    let mut old = role_there(&facts);
    old.policy.as_mut().unwrap()["Statement"][0]["Resource"] =
        json!("arn:aws:sqs:eu-west-1:777766665555:old");
    let turned = change(verdict(Some(old)));
    assert_eq!(turned.fields[0].before, "https://sqs.eu-west-1.amazonaws.com/777766665555/old");
    assert!(matches!(
        change(verdict(Some(Role { policy: None, ..role_there(&facts) }))).steps[..],
        [Write::AllowRole { .. }]
    ));
    let spec = serde_json::from_value(spec()).unwrap();
    let declared = Declared { facts: &facts, spec: &spec, ours: &ours() };
    let fault = Fault::local(FaultKind::Denied, "iam:GetRole", "no");
    for sight in [None, Some(&Sight::Unseen(fault))] {
        assert!(matches!(
            declared.role(sight, &Sight::Seen(Live::new()))[0].verdict,
            Verdict::Unknown { .. }
        ));
    }
}

#[test]
fn rules_that_are_off_keep_their_role_and_those_that_are_not_there_need_none() {
    let (facts, off) = (managed(), || json!({"queue": QUEUE, "enabled": false}));
    assert_eq!(with_spec(&facts, off(), None, Live::new())[0].verdict, Verdict::InSync);
    assert!(matches!(with_spec(&facts, off(), None, whole(&facts))[0].verdict, Verdict::Change(_)));
    let powerless = Role { policy: None, ..role_there(&facts) };
    assert!(matches!(with_spec(&facts, off(), Some(powerless), Live::new())[0].verdict, Verdict::Change(_)));
    assert_eq!(with_spec(&facts, json!({"enabled": false}), None, whole(&facts)), []);
}

#[test]
fn regions_that_are_not_managed_are_tasks() {
    let tasks = |home: &str, managed: &[&str], here: &str| -> Vec<String> {
        let mut facts = facts();
        facts.home = Region::new(home);
        facts.managed = managed.iter().map(|region| Region::new(*region)).collect();
        facts.scope.region = Region::new(here);
        let found = of_role(&facts, Some(role_there(&facts)));
        let manual = found.into_iter().filter(|finding| matches!(&finding.verdict, Verdict::Manual(_)));
        manual.map(|finding| finding.resource).collect()
    };
    assert_eq!(tasks("eu-west-1", &["eu-west-1", "us-east-1"], "eu-west-1"), [""; 0]);
    assert_eq!(tasks("eu-west-1", &["eu-west-1"], "eu-west-1"), ["us-east-1"]);
    assert_eq!(tasks("us-east-1", &["us-east-1", "us-west-2"], "us-east-1"), ["eu-west-1"]);
    assert_eq!(tasks("us-west-2", &["us-west-2"], "us-west-2"), ["eu-west-1", "us-east-1"]);
    assert_eq!(tasks("eu-west-1", &["us-west-2", "sa-east-1"], "us-west-2").len(), 2, "told in one place");
    assert_eq!(tasks("eu-west-1", &["us-west-2", "sa-east-1"], "sa-east-1"), [""; 0]);
}
