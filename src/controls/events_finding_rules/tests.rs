use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::role::ROLE;
use super::write::Destination;
use super::*;
use crate::control::{Change, ChangeKind, Direction, Risk, Thing, Verdict};
use crate::controls::events_rule::{Role, Rule as Live, rule_of};
use crate::controls::tests::facts;
use crate::fault::FaultKind;
use crate::place::Region;

const TOPIC: &str = "arn:aws:sns:eu-west-1:111122223333:alerts";

fn target(arn: &str) -> Target {
    Target { arn: arn.into(), role: None, rewritten: false }
}

fn live() -> Live {
    Live {
        state: "ENABLED".into(),
        pattern: Some(Source::GuardDuty.usual().pattern()),
        schedule: None,
        description: None,
        role: None,
        managed_by: None,
        targets: Sight::Seen([("Id1".to_owned(), target(TOPIC))].into()),
    }
}

fn elsewhere() -> Facts {
    let mut facts = facts();
    facts.scope.region = Region::new("eu-central-1");
    facts
}

fn findings_in(facts: &Facts, spec: Value, live: Option<Live>) -> Vec<Finding<Write>> {
    let spec = serde_json::from_value(spec).unwrap();
    let mut rules =
        BTreeMap::from([(Source::SecurityHub, Sight::Seen(None)), (Source::Global, Sight::Seen(None))]);
    rules.insert(Source::GuardDuty, Sight::Seen(live));
    let role = Role { trust: Some(role::trust()), policy: Some(role::policy(facts)) };
    let observed = Observed { rules, role: Some(Sight::Seen(Some(role))) };
    FindingRules.plan(facts, &Known::default(), &spec, &observed)
}

fn of_rule(spec: Value, live: Live, rule: &str) -> Verdict<Write> {
    let found = findings_in(&facts(), spec, Some(live));
    found.into_iter().find(|finding| finding.rule == rule).expect("a finding").verdict
}

fn change(verdict: Verdict<Write>) -> Change<Write> {
    match verdict {
        Verdict::Change(change) => change,
        other => panic!("{other:?}"),
    }
}

fn spec() -> Value {
    json!({"topic": "alerts", "guardDuty": {"enabled": true, "severityAtLeast": 7}})
}

#[test]
fn a_rule_that_is_not_there_is_made_with_its_target() {
    let made = change(findings_in(&facts(), spec(), None).remove(0).verdict);
    assert_eq!(made.kind, ChangeKind::Create);
    assert!(matches!(
        &made.steps[..],
        [Write::Create { .. }, Write::Target { to: Destination::Topic { name }, .. }] if name == "alerts"
    ));
    assert!(matches!(made.stands_on.as_deref(), Some([Thing::Topic { .. }])), "it waits for the topic");
    let less = json!({"topic": "alerts", "guardDuty": {"enabled": true}});
    let made = change(findings_in(&facts(), less, None).remove(0).verdict);
    assert!(made.carries.is_some_and(|carries| carries.contains("severityAtLeast 7")));
}

#[test]
fn what_is_to_be_off_need_not_be_there() {
    let off = json!({"topic": "alerts", "guardDuty": {"enabled": false, "severityAtLeast": 4}});
    let found = findings_in(&facts(), off.clone(), None);
    assert_eq!(found.iter().map(|f| &f.verdict).collect::<Vec<_>>(), [&Verdict::InSync]);
    assert_eq!(FindingRules.needs(&facts(), &serde_json::from_value(off.clone()).unwrap()), []);
    let turned = change(of_rule(off, live(), "rule"));
    assert_eq!(turned.direction, Direction::Weakens);
    let fields =
        [Field::new("/guardDuty/enabled", true, false), Field::new("/guardDuty/severityAtLeast", 7, 4)];
    assert_eq!(turned.fields, fields);
}

#[test]
fn findings_without_a_topic_have_nowhere_to_go() {
    let nowhere = json!({"guardDuty": {"enabled": true}});
    assert!(matches!(findings_in(&facts(), nowhere, None).remove(0).verdict, Verdict::Unknown { .. }));
}

#[test]
fn a_rule_that_holds_is_in_sync_however_it_is_written() {
    let found = findings_in(&facts(), spec(), Some(live()));
    assert!(found.iter().all(|finding| finding.verdict == Verdict::InSync), "{found:?}");
    let all = Live { state: "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS".into(), ..live() };
    assert_eq!(of_rule(spec(), all, "rule"), Verdict::InSync);
    assert!(matches!(
        of_rule(spec(), Live { state: "HALF".into(), ..live() }, "rule"),
        Verdict::Unknown { .. }
    ));
}

#[test]
fn a_rule_that_is_off_or_matches_something_else_is_put_back() {
    let off = change(of_rule(spec(), Live { state: "DISABLED".into(), ..live() }, "rule"));
    assert_eq!(off.fields, [Field::new("/guardDuty/enabled", false, true)]);
    assert_eq!(off.direction, Direction::Strengthens);
    let strange = Live { pattern: Some(json!({"source": ["aws.guardduty"]})), ..live() };
    let put = change(of_rule(spec(), strange, "rule"));
    assert_eq!(put.fields, [Field::new("/guardDuty/severityAtLeast", "another pattern", 7)]);
    assert!(put.adopts.is_some());
    let narrower = json!({"topic": "alerts", "guardDuty": {"severityAtLeast": 9}});
    assert_eq!(change(of_rule(narrower, live(), "rule")).direction, Direction::Weakens);
    let scheduled = Live { pattern: None, schedule: Some("rate(1 hour)".into()), ..live() };
    assert!(change(of_rule(spec(), scheduled, "rule")).carries.is_some_and(|c| c.contains("rate(1 hour)")));
}

#[test]
fn a_rule_of_a_service_is_left_alone() {
    let managed = Live { state: "DISABLED".into(), managed_by: Some("x.amazonaws.com".into()), ..live() };
    let found = findings_in(&facts(), spec(), Some(managed));
    assert_eq!(found.len(), 1);
    assert!(matches!(&found[0].verdict, Verdict::Foreign { owner, .. } if owner.contains("x.amazonaws.com")));
}

#[test]
fn targets_are_added_beside_those_of_others() {
    let none = Live { targets: Sight::Seen([("Id1".to_owned(), target("arn:aws:x:::y"))].into()), ..live() };
    let added = change(of_rule(spec(), none, "target"));
    assert_eq!(added.fields, [Field::new("/topic", "none", "alerts")]);
    assert_eq!(added.risk, Risk::Safe);
    let old = target("arn:aws:sns:eu-west-1:111122223333:old");
    let turned = Live { targets: Sight::Seen([("baseline".to_owned(), old)].into()), ..live() };
    let turned = change(of_rule(spec(), turned, "target"));
    assert_eq!(turned.fields, [Field::new("/topic", "old", "alerts")]);
    assert_eq!(turned.risk, Risk::Disruptive);
    let unseen = Fault::local(FaultKind::Denied, "events:ListTargetsByRule", "no");
    let unseen = Live { targets: Sight::Unseen(unseen), ..live() };
    assert!(matches!(of_rule(spec(), unseen, "target"), Verdict::Unknown { .. }));
}

#[test]
fn other_regions_send_to_the_home_region_by_a_role() {
    let mut spec = spec();
    spec["deliver"] = json!("home");
    let read = serde_json::from_value(spec.clone()).unwrap();
    let needs = FindingRules.needs(&elsewhere(), &read);
    let [role, topic] = &needs[..] else { panic!("{needs:?}") };
    assert_eq!(topic.thing.region().map(Region::as_str), Some("eu-west-1"));
    assert!(matches!(&role.thing, Thing::Role { name, .. } if name == ROLE));
    assert_eq!(FindingRules.needs(&facts(), &read).len(), 1, "at home the topic is all");
    assert!(FindingRules.ask(&facts(), &read).role && !FindingRules.ask(&elsewhere(), &read).role);

    let made = change(findings_in(&elsewhere(), spec.clone(), None).remove(0).verdict);
    let Some(Write::Target { to, .. }) = made.steps.last() else { panic!("{:?}", made.steps) };
    let scope = elsewhere().scope;
    assert_eq!(to.arn(&scope), "arn:aws:events:eu-west-1:111122223333:event-bus/default");
    let role = to.role(&scope);
    assert_eq!(role.as_deref(), Some("arn:aws:iam::111122223333:role/baseline-events-forwarding"));

    let bus = |role| Target { arn: to.arn(&scope), role, rewritten: false };
    let with = |target| Live { targets: Sight::Seen([("Id1".to_owned(), target)].into()), ..live() };
    let target_of = |live| {
        let found = findings_in(&elsewhere(), spec.clone(), Some(live));
        found.into_iter().find(|finding| finding.rule == "target").expect("a finding").verdict
    };
    assert_eq!(target_of(with(bus(role))), Verdict::InSync);
    assert!(matches!(target_of(with(bus(None))), Verdict::Change(_)), "without the role nothing arrives");
    assert!(matches!(target_of(live()), Verdict::Change(_)), "a topic of another region");
}

/// The member where global events happen.
fn global() -> Facts {
    let mut facts = facts();
    facts.scope.region = Region::new("us-east-1");
    facts
}

#[test]
fn global_events_are_sent_on_from_where_they_happen() {
    let spec = || json!({"forwardGlobal": true});
    let made = change(findings_in(&global(), spec(), None).remove(0).verdict);
    assert_eq!(made.fields, [Field::new("/forwardGlobal", Value::Null, true)]);
    assert!(made.cost.is_some());
    assert!(matches!(made.stands_on.as_deref(), Some([Thing::Role { name, .. }]) if name == ROLE));
    let Some(Write::Target { to: Destination::Bus { region, .. }, .. }) = made.steps.last() else {
        panic!("{:?}", made.steps)
    };
    assert_eq!(region.as_str(), "eu-west-1");
    assert_eq!(findings_in(&elsewhere(), spec(), None), [], "no other region has them");
    assert_eq!(
        findings_in(&global(), json!({"forwardGlobal": false}), None).remove(0).verdict,
        Verdict::InSync
    );
}

#[test]
fn a_global_region_that_is_not_managed_is_a_task() {
    let spec = || json!({"forwardGlobal": true});
    let found = findings_in(&facts(), spec(), None);
    let rules: Vec<&str> = found.iter().map(|finding| finding.rule.as_str()).collect();
    assert_eq!(rules, ["rule", "role"]);
    assert!(matches!(&found[0].verdict, Verdict::Manual(task) if task.title.contains("us-east-1")));
    let mut managed = facts();
    managed.managed.push(Region::new("us-east-1"));
    assert_eq!(findings_in(&managed, spec(), None).len(), 1, "the role alone");
    let mut at_home = global();
    at_home.home = at_home.scope.region.clone();
    assert!(findings_in(&at_home, spec(), None).iter().all(|finding| finding.verdict == Verdict::InSync));
}

#[test]
fn the_role_is_made_at_home_and_put_right_there() {
    let spec: FindingRulesSpec = serde_json::from_value(json!({"deliver": "home"})).unwrap();
    let with = |role| {
        let observed = Observed { role: Some(role), ..Observed::default() };
        let found = FindingRules.plan(&facts(), &Known::default(), &spec, &observed);
        found.into_iter().next().expect("a finding").verdict
    };
    let made = change(with(Sight::Seen(None)));
    assert!(matches!(&made.makes[..], [Thing::Role { name, .. }] if name == ROLE));
    assert_eq!(made.fields, [Field::new("/deliver", Value::Null, "home")]);
    let holds = || Role { trust: Some(role::trust()), policy: Some(role::policy(&facts())) };
    assert_eq!(with(Sight::Seen(Some(holds()))), Verdict::InSync);
    let other = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"AWS": "111122223333"}}]});
    let untrusting = change(with(Sight::Seen(Some(Role { trust: Some(other), ..holds() }))));
    assert_eq!(untrusting.steps, [Write::Trust]);
    let powerless = change(with(Sight::Seen(Some(Role { policy: None, ..holds() }))));
    assert_eq!(powerless.steps, [Write::AllowRole { home: Region::new("eu-west-1") }]);
    let fault = Fault::local(FaultKind::Denied, "iam:GetRole", "no");
    assert!(matches!(with(Sight::Unseen(fault)), Verdict::Unknown { .. }));
}

#[test]
fn nothing_in_a_plan_is_an_arn() {
    for (facts, live) in [(facts(), None), (elsewhere(), None), (elsewhere(), Some(live()))] {
        let mut spec = spec();
        spec["deliver"] = json!("home");
        let found = findings_in(&facts, spec, live);
        assert!(!serde_json::to_string(&found).unwrap().contains("arn:"), "{found:?}");
    }
}

#[test]
fn what_is_imported_is_in_sync_and_what_was_before_comes_back() {
    let rules = BTreeMap::from([(Source::GuardDuty, Sight::Seen(Some(live())))]);
    let observed = Observed { rules, role: None };
    let imported = FindingRules.import(&facts(), &Known::default(), &observed).unwrap();
    assert_eq!(serde_json::to_value(&imported).unwrap()["topic"], "alerts");
    let found = FindingRules.plan(&facts(), &Known::default(), &imported, &observed);
    assert!(!found.is_empty() && found.iter().all(|f| f.verdict == Verdict::InSync), "{found:?}");

    let fields = [
        Field::new("/guardDuty/severityAtLeast", 4, 7),
        Field::new("/securityHub/enabled", Value::Null, true),
    ];
    let back = FindingRules.inverse("x", &fields).unwrap();
    let said = json!({"guardDuty": {"severityAtLeast": 4}, "securityHub": {"enabled": false}});
    assert_eq!(back, serde_json::from_value(said).unwrap());
}

/// Answers as the API reference writes them.
#[tokio::test]
async fn answers_of_eventbridge_are_read_as_aws_writes_them() {
    let answers = [
        (
            "/",
            200,
            r#"{"Arn": "arn:aws:events:eu-west-1:111122223333:rule/baseline-guardduty-findings",
            "CreatedBy": "111122223333", "EventBusName": "default",
            "EventPattern": "{\"source\":[\"aws.guardduty\"]}", "Name": "baseline-guardduty-findings",
            "State": "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"}"#,
        ),
        (
            "/",
            200,
            r#"{"Targets": [{"Id": "a", "Arn": "arn:aws:sns:eu-west-1:111122223333:x"}], "NextToken": "n"}"#,
        ),
        ("/", 200, r#"{"Targets": [{"Id": "b", "Arn": "arn:aws:sqs:eu-west-1:111122223333:y"}]}"#),
    ];
    let events = aws_sdk_eventbridge::Client::new(&crate::aws::canned::sdk(&answers));
    let rule = rule_of(&events, "baseline-guardduty-findings").await.unwrap().unwrap();
    assert_eq!((rule.is_on(), rule.pattern), (Some(true), Some(json!({"source": ["aws.guardduty"]}))));
    assert!(matches!(rule.targets, Sight::Seen(targets) if targets.len() == 2));

    let none =
        r#"{"__type": "ResourceNotFoundException", "message": "Rule x does not exist on EventBus default."}"#;
    let events = aws_sdk_eventbridge::Client::new(&crate::aws::canned::sdk(&[("/", 400, none)]));
    assert_eq!(rule_of(&events, "x").await, Ok(None));
}
