use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::live::{Excepted, Exception, Remediation, Resource, Rule, Scope, Source};
use super::write::Sent;
use super::*;
use crate::control::{Change, ChangeKind, Direction, Exempt, Found, Risk, Thing};
use crate::controls::tests::facts;

mod wire;

const ROLE_ARN: &str = "arn:aws:iam::111122223333:role/config-remediation";

fn known() -> Known {
    let role = Thing::Role { account: facts().scope.account, name: "config-remediation".into() };
    Known::new([(role, Found::Present { arn: ROLE_ARN.into() })])
}

fn managed(id: &str) -> Rule {
    Rule {
        source: Source::Managed(id.into()),
        description: String::new(),
        parameters: BTreeMap::new(),
        scope: Scope::default(),
        frequency: None,
        triggers: BTreeSet::new(),
        modes: BTreeSet::from(["DETECTIVE".into()]),
        debug_logs: false,
        state: "ACTIVE".into(),
        created_by: None,
        policy: None,
        remediation: None,
        excepted: Vec::new(),
    }
}

fn seen(rules: &[(&str, Rule)]) -> Observed {
    let rules: BTreeMap<String, Rule> =
        rules.iter().map(|(name, rule)| ((*name).to_owned(), rule.clone())).collect();
    Observed { total: rules.len(), rules }
}

fn plan_with(facts: &Facts, rules: Value, observed: &Observed) -> Vec<Finding<Write>> {
    let spec = serde_json::from_value(json!({"rules": rules})).unwrap();
    ConfigRules.plan(facts, &known(), &spec, observed)
}

fn plan(rules: Value, observed: &Observed) -> Vec<Finding<Write>> {
    plan_with(&facts(), rules, observed)
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

fn message(found: &[Finding<Write>], rule: &str) -> String {
    match verdict(found, rule) {
        Verdict::Unknown { fault } => fault.message,
        other => panic!("{rule}: {other:?}"),
    }
}

fn put(change: &Change<Write>) -> write::Put {
    match &change.steps[..] {
        [Write::Rule { put, .. }] => put.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_rule_is_made_whole_and_waits_for_the_recorder() {
    let rules = json!({"volumes": {
        "managed": "ENCRYPTED_VOLUMES", "parameters": {"kmsId": "x"}, "scope": {"types": ["AWS::EC2::Volume"]},
    }});
    let made = change(&plan(rules, &Observed::default()), "rule");
    assert_eq!(made.kind, ChangeKind::Create);
    let paths: Vec<&str> = made.fields.iter().map(|field| field.path.as_str()).collect();
    assert_eq!(
        paths,
        ["/rules/volumes/managed", "/rules/volumes/parameters/kmsId", "/rules/volumes/scope/types"]
    );
    assert!(made.fields.iter().all(|field| field.before.is_null()));
    assert!(made.cost.is_some());
    assert_eq!(made.stands_on, Some(vec![rule::recorder(&facts())]));
    assert_eq!(put(&made).source, Sent::Managed("ENCRYPTED_VOLUMES".into()));
    assert!(put(&made).triggers.is_empty(), "AWS knows what sets its own rules off");
}

#[test]
fn what_is_not_declared_is_sent_along_and_said() {
    let live = Rule {
        parameters: BTreeMap::from([("maxAge".into(), json!("90")), ("other".into(), json!("x"))]),
        frequency: Some("TwentyFour_Hours".into()),
        ..managed("ACCESS_KEYS_ROTATED")
    };
    let observed = seen(&[("keys", live)]);
    let rules = json!({"keys": {"managed": "ACCESS_KEYS_ROTATED", "parameters": {"maxAge": 60}}});
    let changed = change(&plan(rules, &observed), "rule");
    assert_eq!(changed.fields, [Field::new("/rules/keys/parameters/maxAge", "90", "60")]);
    let sent = put(&changed);
    assert_eq!(sent.parameters["other"], json!("x"));
    assert_eq!(sent.frequency.as_deref(), Some("TwentyFour_Hours"));
    let carries = changed.carries.expect("it says so");
    assert!(carries.contains("parameter other x") && carries.contains("frequency TwentyFour_Hours"));
    let same = json!({"keys": {"parameters": {"maxAge": "90"}, "frequency": "TwentyFour_Hours"}});
    assert_eq!(verdict(&plan(same, &observed), "rule"), Verdict::InSync);
}

#[test]
fn each_change_says_what_it_does_to_security() {
    let live = Rule { frequency: Some("Six_Hours".into()), ..managed("X") };
    let observed = seen(&[("x", live)]);
    for (spec, direction) in [
        (json!({"frequency": "One_Hour"}), Direction::Strengthens),
        (json!({"frequency": "TwentyFour_Hours"}), Direction::Weakens),
        (json!({"scope": {"types": ["AWS::S3::Bucket"]}}), Direction::Weakens),
        (json!({"scope": {"tagKey": "stage"}}), Direction::Weakens),
        (json!({"description": "x"}), Direction::Neutral),
    ] {
        assert_eq!(change(&plan(json!({"x": spec}), &observed), "rule").direction, direction, "{spec}");
    }
}

#[test]
fn a_rule_that_does_the_same_is_taken_over_rather_than_doubled() {
    let declared = json!({"volumes": {"managed": "ENCRYPTED_VOLUMES", "description": "ours"}});
    let twin = Rule { description: "theirs".into(), ..managed("ENCRYPTED_VOLUMES") };
    let found = plan(declared.clone(), &seen(&[("ec2-encrypted", twin.clone())]));
    let taken = change(&found, "rule");
    assert_eq!(put(&taken).name, "ec2-encrypted");
    assert!(taken.adopts.is_some_and(|adopts| adopts.contains("ec2-encrypted")));
    assert_eq!(found[0].resource, "volumes");

    // Other parameters, a service's own rule, two of them, or one that is declared itself: none of ours.
    let other = Rule { parameters: BTreeMap::from([("kmsId".into(), json!("x"))]), ..twin.clone() };
    let service = Rule { created_by: Some("securityhub.amazonaws.com".into()), ..twin.clone() };
    for observed in
        [seen(&[("a", other)]), seen(&[("a", service)]), seen(&[("a", twin.clone()), ("b", twin.clone())])]
    {
        assert_eq!(change(&plan(declared.clone(), &observed), "rule").kind, ChangeKind::Create);
    }
    let both = json!({"volumes": {"managed": "ENCRYPTED_VOLUMES"}, "a": {"managed": "ENCRYPTED_VOLUMES"}});
    let found = plan(both, &seen(&[("a", twin)]));
    let made = found.iter().find(|finding| finding.resource == "volumes").and_then(Finding::change);
    assert_eq!(made.map(|change| change.kind), Some(ChangeKind::Create));
}

#[test]
fn a_services_rule_is_left_alone() {
    let service = Rule { created_by: Some("securityhub.amazonaws.com".into()), ..managed("X") };
    let found =
        plan(json!({"x": {"managed": "Y", "remediation": {"document": "D"}}}), &seen(&[("x", service)]));
    assert_eq!(found.len(), 1);
    assert!(
        matches!(&found[0].verdict, Verdict::Foreign { owner, .. } if owner == "securityhub.amazonaws.com")
    );
}

#[test]
fn functions_go_by_their_names_here_and_by_their_place_elsewhere() {
    let arn = "arn:aws:lambda:eu-west-1:111122223333:function:check";
    let custom = |arn: &str| Rule {
        triggers: BTreeSet::from(["ConfigurationItemChangeNotification".into()]),
        source: Source::Lambda(arn.into()),
        ..managed("")
    };
    let declared = json!({"own": {"lambda": "check"}});
    assert_eq!(verdict(&plan(declared.clone(), &seen(&[("own", custom(arn))])), "rule"), Verdict::InSync);
    let other = "arn:aws:lambda:us-east-1:999988887777:function:check";
    let found = plan(declared, &seen(&[("own", custom(other))]));
    let changed = change(&found, "rule");
    let before = "check of account 999988887777 in us-east-1";
    assert_eq!(changed.fields, [Field::new("/rules/own/lambda", before, "check")]);
    assert_eq!(changed.risk, Risk::Disruptive);
    assert!(!serde_json::to_string(&found).unwrap().contains("arn:"));
    // A schedule is a trigger of its own.
    let timed = json!({"own": {"lambda": "check", "frequency": "One_Hour"}});
    let made = put(&change(&plan(timed, &Observed::default()), "rule"));
    assert!(made.triggers.contains("ScheduledNotification"), "{made:?}");
}

#[test]
fn what_aws_would_refuse_is_told_with_the_limit() {
    let long = |n: usize| "x".repeat(n);
    let many: Vec<String> = (0..101).map(|n| format!("AWS::EC2::Type{n}")).collect();
    for (rule, says) in [
        (json!({}), "there is no such rule"),
        (json!({"managed": "X", "description": long(257)}), "takes 256"),
        (json!({"managed": "X", "parameters": {"p": long(1024)}}), "takes 1024"),
        (json!({"guard": long(10_001)}), "takes 10000"),
        (json!({"managed": "X", "scope": {"types": many}}), "takes 100"),
        (json!({"managed": "X", "scope": {"types": ["AWS::S3::Bucket"], "tagKey": "x"}}), "one of them"),
        (json!({"managed": "X", "scope": {"tagValue": "x"}}), "without `tagKey`"),
        (json!({"managed": "X", "scope": {"resource": "x"}}), "one type"),
    ] {
        let found = plan(json!({"x": rule}), &Observed::default());
        assert!(message(&found, "rule").contains(says), "{says}: {found:?}");
        assert_eq!(found.len(), 1);
    }
    let name = long(129);
    let found = plan(json!({name: {"managed": "X"}}), &Observed::default());
    assert!(message(&found, "rule").contains("the name has 129 characters"));
    let full = Observed { total: 1000, rules: BTreeMap::new() };
    let found = plan(json!({"x": {"managed": "X"}}), &full);
    assert!(message(&found, "rule").contains("1001 rules"), "{found:?}");
    let mut tagged = facts();
    tagged.tags = (0..51).map(|n| (format!("k{n}"), String::new())).collect();
    let found = plan_with(&tagged, json!({"x": {"managed": "X"}}), &Observed::default());
    assert!(message(&found, "rule").contains("51 tags"), "{found:?}");
}

fn remedied() -> Rule {
    let parameters = BTreeMap::from([
        ("AutomationAssumeRole".into(), vec![ROLE_ARN.into()]),
        ("VolumeId".into(), vec!["RESOURCE_ID".into()]),
    ]);
    let remediation = Remediation {
        document: "AWS-EncryptVolume".into(),
        automatic: true,
        attempts: Some(5),
        retry_seconds: Some(60),
        parameters,
        ..Remediation::default()
    };
    Rule { remediation: Some(remediation), ..managed("X") }
}

#[test]
fn a_remediation_that_runs_by_itself_disrupts_and_needs_its_role() {
    let remediation = json!({
        "document": "AWS-EncryptVolume", "automatic": true, "attempts": 5, "retrySeconds": 60,
        "role": "config-remediation", "parameters": {"VolumeId": "RESOURCE_ID"},
    });
    let declared = json!({"x": {"managed": "X", "remediation": remediation}});
    let made = change(&plan(declared.clone(), &seen(&[("x", managed("X"))])), "remediation");
    assert_eq!((made.kind, made.risk), (ChangeKind::Create, Risk::Disruptive));
    assert!(made.evidence.is_some_and(|evidence| evidence.contains("AWS-EncryptVolume changes resources")));
    assert_eq!(made.stands_on, Some(vec![remediation::role(&facts(), "config-remediation")]));
    assert!(!serde_json::to_string(&made.steps).unwrap().contains("arn:"));
    assert_eq!(verdict(&plan(declared, &seen(&[("x", remedied())])), "remediation"), Verdict::InSync);

    let alone = json!({"x": {"managed": "X", "remediation": {"document": "D", "automatic": true}}});
    let found = plan(alone, &seen(&[("x", managed("X"))]));
    assert!(message(&found, "remediation").contains("needs a role"));
    let nothing = json!({"x": {"managed": "X", "remediation": {"attempts": 3}}});
    let found = plan(nothing, &seen(&[("x", managed("X"))]));
    assert!(message(&found, "remediation").contains("say `document`"));
}

#[test]
fn a_remediation_keeps_what_is_not_declared() {
    let declared = json!({"x": {"remediation": {"attempts": 3}}});
    let changed = change(&plan(declared, &seen(&[("x", remedied())])), "remediation");
    assert_eq!(changed.fields, [Field::new("/rules/x/remediation/attempts", 5, 3)]);
    let [Write::Remediation { remediation, role, .. }] = &changed.steps[..] else { panic!() };
    assert_eq!((remediation.retry_seconds, role), (Some(60), &None));
    assert!(
        changed.carries.is_some_and(|c| c.contains("parameter VolumeId") && c.contains("automatic true"))
    );
}

fn signed() -> Facts {
    let exempt = |resources: &[&str], rule: Option<&str>| Exempt {
        name: "legacy".into(),
        control: ID.into(),
        rule: rule.map(str::to_owned),
        resources: resources.iter().map(|one| (*one).to_owned()).collect(),
        resource_tags: Default::default(),
        suppresses: Default::default(),
        reason: "gone with the rewrite".into(),
        owner: "team".into(),
        approver: "ciso".into(),
        ticket: None,
        expires: jiff::civil::date(2027, 3, 31),
    };
    let mut facts = facts();
    facts.exempt = vec![
        exempt(&["x/AWS::EC2::Volume/vol-1", "x/AWS::EC2::Volume/vol-2"], None),
        // Patterns, other rules of this control and other controls are the engine's business.
        exempt(&["x/AWS::EC2::Volume/*", "x"], None),
        exempt(&["x/AWS::EC2::Volume/vol-3"], Some("rule")),
        Exempt { control: "ecr.repositories".into(), ..exempt(&["x/AWS::EC2::Volume/vol-4"], None) },
    ];
    facts
}

fn volume(id: &str) -> Resource {
    Resource { kind: "AWS::EC2::Volume".into(), id: id.into() }
}

#[test]
fn exceptions_come_from_the_documents_that_spell_a_resource_out() {
    let spec = serde_json::from_value(json!({"rules": {"x": {"managed": "X"}}})).unwrap();
    let ask = ConfigRules.ask(&signed(), &spec);
    assert_eq!(ask.rules["x"].excepted, BTreeSet::from([volume("vol-1"), volume("vol-2")]));

    let fails = Excepted { non_compliant: true, exception: None };
    let rule = Rule {
        excepted: vec![(volume("vol-1"), fails.clone()), (volume("vol-2"), Excepted::default())],
        ..managed("X")
    };
    let found = plan_with(&signed(), json!({"x": {"managed": "X"}}), &seen(&[("x", rule.clone())]));
    let excepted = change(&found, "exceptions");
    assert_eq!(excepted.direction, Direction::Weakens);
    let [Write::Exception { resource, message, expires, .. }] = &excepted.steps[..] else { panic!() };
    assert_eq!((resource, message.as_str()), (&volume("vol-1"), "legacy: gone with the rewrite"));
    assert_eq!(expires.map(|at| at.to_string()), Some("2027-04-01T00:00:00Z".into()), "the last day counts");

    // What complies is not excepted, because AWS takes nothing for it; and what is there stays.
    let there = Exception { message: message.clone(), expires: *expires };
    let held = Excepted { non_compliant: true, exception: Some(there) };
    let rule =
        Rule { excepted: vec![(volume("vol-1"), held), (volume("vol-2"), Excepted::default())], ..rule };
    let found = plan_with(&signed(), json!({"x": {"managed": "X"}}), &seen(&[("x", rule.clone())]));
    let told =
        matches!(verdict(&found, "exceptions"), Verdict::NotOffered { source } if source.contains("vol-2"));
    assert!(told, "{found:?}");
    let rule = Rule {
        excepted: vec![
            (volume("vol-1"), rule.excepted[0].1.clone()),
            (volume("vol-2"), rule.excepted[0].1.clone()),
        ],
        ..rule
    };
    let found = plan_with(&signed(), json!({"x": {"managed": "X"}}), &seen(&[("x", rule)]));
    assert_eq!(verdict(&found, "exceptions"), Verdict::InSync);
}

#[test]
fn what_is_imported_is_in_sync_and_the_inverse_says_what_was_before() {
    let guard = Rule {
        source: Source::Guard,
        policy: Some("rule x { this exists }".into()),
        triggers: BTreeSet::from(["ConfigurationItemChangeNotification".into()]),
        ..managed("")
    };
    let observed = seen(&[("x", remedied()), ("guard", guard)]);
    let imported = ConfigRules.import(&facts(), &known(), &observed).unwrap();
    let found = ConfigRules.plan(&facts(), &known(), &imported, &observed);
    assert!(found.iter().all(|finding| finding.verdict == Verdict::InSync), "{found:?}");

    let declared = json!({"x": {"description": "new", "remediation": {"attempts": 3, "automatic": false}}});
    let found = plan(declared, &observed);
    let back = |rule: &str| {
        let spec = ConfigRules.inverse("x", &change(&found, rule).fields).unwrap();
        spec.declared().next().map(|(_, rule)| rule.clone()).unwrap()
    };
    assert_eq!(back("rule").description.as_deref(), Some(""));
    let remediation = back("remediation").remediation;
    assert_eq!((remediation.automatic, remediation.attempts.map(|n| n.get())), (Some(true), Some(5)));
    assert_eq!(remediation.document, None);
}
