mod wire;

use std::collections::BTreeMap;

use aws_sdk_securityhub::types::{AutomationRulesAction, AutomationRulesFindingFilters};
use serde_json::{Value, json};

use super::action::{Action, Actions};
use super::criteria::Criteria;
use super::live::{LiveRule, MOST};
use super::*;
use crate::control::{Change, ChangeKind, Direction, FaultKind, Sight, Verdict};
use crate::controls::tests::facts;

fn equals(values: &[&str]) -> Value {
    values.iter().map(|value| json!({"Value": value, "Comparison": "EQUALS"})).collect()
}

fn update(fields: Value) -> Value {
    json!([{"Type": "FINDING_FIELDS_UPDATE", "FindingFieldsUpdate": fields}])
}

fn raise() -> Value {
    update(json!({"Severity": {"Label": "CRITICAL"}}))
}

fn suppress() -> Value {
    update(json!({"Workflow": {"Status": "SUPPRESSED"}}))
}

/// A whole rule that hides nothing.
fn rule() -> Value {
    json!({
        "order": 10, "status": "ENABLED", "terminal": false, "description": "Root comes first",
        "criteria": {"ComplianceSecurityControlId": equals(&["IAM.4", "IAM.6"])}, "actions": raise(),
    })
}

fn with(leaf: &str, value: Value) -> Value {
    let mut rule = rule();
    rule[leaf] = value;
    rule
}

/// A rule as it is live once it was declared so.
fn live(rule: Value) -> LiveRule {
    LiveRule {
        order: rule["order"].as_i64().and_then(|order| i32::try_from(order).ok()).unwrap(),
        status: rule["status"].as_str().unwrap().into(),
        terminal: rule["terminal"].as_bool().unwrap(),
        description: rule["description"].as_str().unwrap().into(),
        criteria: serde_json::from_value(rule["criteria"].clone()).unwrap(),
        actions: serde_json::from_value::<Actions>(rule["actions"].clone()).unwrap().0,
    }
}

fn there(rules: &[(&str, Value)]) -> Live {
    let mut all = BTreeMap::<String, Vec<Sight<LiveRule>>>::new();
    for (name, rule) in rules {
        all.entry((*name).to_owned()).or_default().push(Sight::Seen(live(rule.clone())));
    }
    Live { rules: all, administrator: None }
}

fn read(rules: Value) -> Result<AutomationSpec, String> {
    serde_json::from_value(json!({ "rules": rules })).map_err(|error| error.to_string())
}

fn findings(rules: Value, live: &Live) -> Vec<Finding<Write>> {
    Automation.plan(&facts(), &Known::default(), &read(rules).unwrap(), live)
}

fn verdict(rule: Value, live: &Live) -> Verdict<Write> {
    let mut found = findings(json!({ "one": rule }), live);
    assert_eq!(found.len(), 1);
    found.remove(0).verdict
}

fn change(rule: Value, live: &Live) -> Change<Write> {
    match verdict(rule, live) {
        Verdict::Change(change) => change,
        other => panic!("{other:?}"),
    }
}

fn paths(change: &Change<Write>) -> Vec<&str> {
    change.fields.iter().map(|field| field.path.as_str()).collect()
}

#[test]
fn a_new_rule_is_made_with_everything_and_only_once() {
    let made = change(rule(), &Live::default());
    assert_eq!((made.kind, made.direction), (ChangeKind::Create, Direction::Strengthens));
    assert_eq!(
        paths(&made),
        ["order", "status", "terminal", "description", "criteria", "actions"]
            .map(|leaf| format!("/rules/one/{leaf}"))
    );
    let [step @ Write::Create { name, tags, .. }] = &made.steps[..] else { panic!("{made:?}") };
    assert_eq!((name.as_str(), tags), ("one", &facts().tags));
    assert_eq!(crate::control::AwsWrite::call(step).retry, crate::control::Retry::Once);
    assert_eq!(made.carries, None);

    let mut short = rule();
    short.as_object_mut().unwrap().remove("status");
    assert!(change(short.clone(), &Live::default()).carries.is_some_and(|said| said.contains("ENABLED")));
    short.as_object_mut().unwrap().remove("criteria");
    let Verdict::Unknown { fault } = verdict(short, &Live::default()) else { panic!() };
    assert!(fault.kind == FaultKind::Invalid && fault.message.contains("criteria and actions"), "{fault}");
}

#[test]
fn only_declared_leaves_are_compared_and_only_differing_ones_sent() {
    let live = there(&[("one", rule()), ("theirs", suppressed())]);
    assert_eq!(verdict(rule(), &live), Verdict::InSync);
    assert_eq!(findings(json!({}), &live), []);
    assert_eq!(findings(json!({"one": null}), &live), []);
    assert_eq!(verdict(json!({"order": 10}), &live), Verdict::InSync);
    for (leaf, value) in [
        ("order", json!(11)),
        ("status", json!("DISABLED")),
        ("terminal", json!(true)),
        ("description", json!("Other")),
        ("criteria", json!({"SeverityLabel": equals(&["HIGH"])})),
        ("actions", update(json!({"Criticality": 99}))),
    ] {
        let updated = change(with(leaf, value.clone()), &live);
        assert_eq!(paths(&updated), [format!("/rules/one/{leaf}")]);
        let [Write::Update { rule: sent, .. }] = &updated.steps[..] else { panic!("{updated:?}") };
        let sent = serde_json::to_value(sent).unwrap();
        let said: Vec<&String> =
            sent.as_object().unwrap().iter().filter(|(_, v)| !v.is_null()).map(|(k, _)| k).collect();
        assert_eq!(said, [leaf]);
    }
}

fn suppressed() -> Value {
    json!({
        "order": 900, "status": "ENABLED", "terminal": true, "description": "Training",
        "reason": "emptied every night",
        "criteria": {"SeverityLabel": equals(&["LOW"])}, "actions": suppress(),
    })
}

#[test]
fn the_order_of_filters_means_nothing() {
    let live = there(&[("one", rule())]);
    let turned = with("criteria", json!({"ComplianceSecurityControlId": equals(&["IAM.6", "IAM.4"])}));
    assert_eq!(verdict(turned, &live), Verdict::InSync);
    let range = |range: Value| with("criteria", json!({"UpdatedAt": [{"DateRange": range}]}));
    let live = there(&[("one", range(json!({"Value": 7, "Unit": "DAYS", "Comparison": "WITHIN"})))]);
    assert_eq!(verdict(range(json!({"Value": 7, "Unit": "DAYS"})), &live), Verdict::InSync);
}

#[test]
fn whoever_hides_findings_says_why() {
    for word in ["SUPPRESSED", "RESOLVED"] {
        let mut rule = with("actions", update(json!({"Workflow": {"Status": word}})));
        for reason in [None, Some(""), Some("  ")] {
            rule["reason"] = reason.into();
            let refused = read(json!({ "one": rule }));
            assert!(
                refused.as_ref().is_err_and(|why| why.contains(word) && why.contains("`reason`")),
                "{refused:?}"
            );
        }
        rule["reason"] = "accepted until the rewrite".into();
        let made = change(rule, &Live::default());
        assert_eq!(made.direction, Direction::Weakens);
        assert!(made.evidence.is_some_and(|said| said.contains(word) && said.contains("until the rewrite")));
        assert!(
            !serde_json::to_string(&made.steps).unwrap().contains("until the rewrite"),
            "AWS never sees it"
        );
    }
    assert!(
        read(json!({"one": with("actions", update(json!({"Workflow": {"Status": "NOTIFIED"}})))})).is_ok()
    );
}

#[test]
fn less_to_see_weakens() {
    use Direction::{Neutral, Strengthens, Weakens};
    let lower = |label: &str, criteria: Value| {
        let mut rule = with("actions", update(json!({"Severity": {"Label": label}})));
        rule["criteria"] = criteria;
        rule
    };
    let any = json!({"RecordState": equals(&["ACTIVE"])});
    for (rule, direction) in [
        (lower("CRITICAL", any.clone()), Strengthens),
        (lower("HIGH", any.clone()), Weakens),
        (lower("HIGH", json!({"SeverityLabel": equals(&["LOW", "MEDIUM"])})), Strengthens),
        (lower("MEDIUM", json!({"SeverityLabel": equals(&["LOW", "HIGH"])})), Weakens),
        (lower("MEDIUM", json!({"SeverityLabel": [{"Value": "LOW", "Comparison": "NOT_EQUALS"}]})), Weakens),
        (with("actions", update(json!({"Severity": {"Normalized": 40}}))), Weakens),
        (with("actions", update(json!({"Severity": {"Normalized": 95}}))), Strengthens),
    ] {
        assert_eq!(change(rule.clone(), &Live::default()).direction, direction, "{rule}");
    }
    let mut off = suppressed();
    off["status"] = "DISABLED".into();
    assert_eq!(change(off.clone(), &Live::default()).direction, Strengthens, "it hides nothing yet");
    let wider = {
        let mut wider = suppressed();
        wider["criteria"] = any;
        wider
    };
    let mut sooner = suppressed();
    sooner["order"] = 1.into();
    for (live, wanted, direction) in [
        (off.clone(), suppressed(), Weakens),
        (suppressed(), off.clone(), Strengthens),
        (suppressed(), wider, Weakens),
        (suppressed(), sooner, Neutral),
        (suppressed(), with("order", json!(900)), Strengthens),
        (rule(), with("status", json!("DISABLED")), Weakens),
        (with("status", json!("DISABLED")), rule(), Strengthens),
        (rule(), with("description", json!("Other")), Neutral),
    ] {
        let there = there(&[("one", live)]);
        assert_eq!(change(wanted.clone(), &there).direction, direction, "{wanted}");
    }
}

#[test]
fn namesakes_and_a_full_house_are_told_and_not_touched() {
    let twins = there(&[("one", rule()), ("one", suppressed())]);
    let Verdict::Manual(task) = verdict(rule(), &twins) else { panic!() };
    assert!(task.title.contains("2 rules have the name one"));

    let names: Vec<String> = (0..MOST - 1).map(|index| format!("theirs-{index}")).collect();
    let full: Vec<(&str, Value)> = names.iter().map(|name| (name.as_str(), rule())).collect();
    let found = findings(json!({"a": rule(), "b": rule()}), &there(&full));
    assert!(matches!(found[0].verdict, Verdict::Change(_)), "room for one");
    assert!(matches!(found[1].verdict, Verdict::Manual(_)), "and for no other");
}

#[test]
fn what_could_not_be_read_is_unknown_alone() {
    let fault = Fault::local(FaultKind::Unavailable, live::GET, "later");
    let mut live = there(&[("two", rule())]);
    live.rules.insert("one".into(), vec![Sight::Unseen(fault)]);
    let found = findings(json!({"one": rule(), "two": rule()}), &live);
    assert!(matches!(found[0].verdict, Verdict::Unknown { .. }));
    assert_eq!(found[1].verdict, Verdict::InSync);
}

#[test]
fn a_member_is_left_to_its_administrator() {
    let member = Live { administrator: Some("777766665555".into()), ..there(&[("one", rule())]) };
    assert_eq!(verdict(rule(), &member), Verdict::InSync);
    for wanted in [json!({"one": with("order", json!(1))}), json!({"two": rule()})] {
        let found = findings(wanted, &member);
        assert!(
            matches!(&found[0].verdict, Verdict::Foreign { owner, .. } if owner.contains("777766665555"))
        );
    }
}

#[test]
fn what_aws_would_refuse_is_refused_in_the_documents() {
    for (leaf, value, why) in [
        ("order", json!(0), "between 1 and 1000"),
        ("order", json!(1001), "between 1 and 1000"),
        ("status", json!("ON"), "unknown variant"),
        ("description", json!(" "), "blank"),
        ("criteria", json!({"severityLabel": equals(&["LOW"])}), "did you mean `SeverityLabel`"),
        ("criteria", json!({"Colour": equals(&["RED"])}), "no field of criteria"),
        ("criteria", json!({"SeverityLabel": []}), "1 to 20 filters"),
        ("criteria", json!({"SeverityLabel": equals(&["A"; 21])}), "1 to 20 filters"),
        ("criteria", json!({"SeverityLabel": [{"Value": "LOW"}]}), "Comparison"),
        ("criteria", json!({"SeverityLabel": [{"Value": "LOW", "Comparison": "IS"}]}), "none of"),
        ("criteria", json!({"SeverityLabel": [{"Value": "", "Comparison": "EQUALS"}]}), "blank"),
        ("criteria", json!({"ResourceTags": equals(&["LOW"])}), "Key"),
        ("criteria", json!({"Confidence": [{}]}), "needs one of"),
        ("criteria", json!({"UpdatedAt": [{}]}), "DateRange"),
        ("criteria", json!({"UpdatedAt": [{"DateRange": {"Value": 1, "Unit": "WEEKS"}}]}), "none of DAYS"),
        ("actions", json!([]), "1 action"),
        (
            "actions",
            json!([{"Type": "DELETE", "FindingFieldsUpdate": {"Criticality": 1}}]),
            "FINDING_FIELDS_UPDATE",
        ),
        ("actions", update(json!({})), "changes nothing"),
        ("actions", update(json!({"Criticality": 101})), "between 0 and 100"),
        ("actions", update(json!({"Severity": {"Label": "AWFUL"}})), "none of"),
        ("actions", update(json!({"Colour": 1})), "unknown field"),
        ("actions", update(json!({"Note": {"Text": "x"}})), "UpdatedBy"),
        ("colour", json!(1), "unknown field"),
    ] {
        let refused = read(json!({"one": with(leaf, value.clone())}));
        assert!(refused.as_ref().is_err_and(|error| error.contains(why)), "{value}: {refused:?}");
    }
    let all = with("criteria", json!({"SeverityLabel": null}));
    let Verdict::Unknown { fault } = verdict(all, &Live::default()) else { panic!() };
    assert!(fault.message.contains("match every finding"));
}

#[test]
fn criteria_and_actions_come_back_from_the_sdk_as_they_went() {
    let criteria: Criteria = serde_json::from_value(json!({
        "ProductArn": [{"Value": "x", "Comparison": "PREFIX"}],
        "Type": [{"Value": "Software", "Comparison": "CONTAINS"}],
        "ResourceTags": [{"Key": "stage", "Value": "prod", "Comparison": "EQUALS"}],
        "Confidence": [{"Gte": 10, "Lt": 50.5}],
        "CreatedAt": [{"Start": "2026-01-01T00:00:00Z", "End": "2026-02-01T00:00:00Z"}],
        "UpdatedAt": [{"DateRange": {"Value": 7, "Unit": "DAYS", "Comparison": "OLDER_THAN"}}],
    }))
    .unwrap();
    assert_eq!(Criteria::from(AutomationRulesFindingFilters::from(&criteria)), criteria);
    let actions: Actions = serde_json::from_value(update(json!({
        "Confidence": 1, "Criticality": 2, "Note": {"Text": "a", "UpdatedBy": "b"},
        "RelatedFindings": [{"ProductArn": "p", "Id": "2"}, {"ProductArn": "p", "Id": "1"}],
        "Severity": {"Label": "LOW", "Normalized": 3, "Product": 1.5}, "Types": ["t"],
        "UserDefinedFields": {"k": "v"}, "VerificationState": "BENIGN_POSITIVE",
        "Workflow": {"Status": "NOTIFIED"},
    })))
    .unwrap();
    let back: Vec<Action> = actions.sdk().into_iter().map(|one: AutomationRulesAction| one.into()).collect();
    assert_eq!(Actions(back), actions);
}

#[test]
fn what_is_imported_is_in_sync_and_the_inverse_is_what_was_before() {
    let live = there(&[("one", rule()), ("two", suppressed()), ("twins", rule()), ("twins", rule())]);
    let imported = Automation.import(&facts(), &Known::default(), &live).unwrap();
    let imported = serde_json::to_value(imported).unwrap();
    let found = findings(imported["rules"].clone(), &live);
    assert_eq!(found.len(), 2, "twins cannot be described");
    assert!(found.iter().all(|finding| finding.verdict == Verdict::InSync), "{found:?}");

    let fields = change(with("actions", raise()), &there(&[("one", with("actions", suppress()))])).fields;
    let back = Automation.inverse("one", &fields).unwrap();
    let back = serde_json::to_value(back).unwrap();
    assert_eq!(back["rules"]["one"]["actions"], suppress());
    assert!(read(back["rules"].clone()).is_ok(), "it has a reason");
    let back = Automation.inverse("one", &change(rule(), &Live::default()).fields).unwrap();
    let off = read(json!({"one": {"status": "DISABLED"}})).unwrap();
    assert_eq!(back, off);
}

/// Somebody else's rules are kept as they are, whatever this build would refuse to declare.
#[test]
fn what_is_live_comes_back_from_an_inventory() {
    let mut odd = live(rule());
    odd.criteria = AutomationRulesFindingFilters::builder()
        .title(aws_sdk_securityhub::types::StringFilter::builder().value("x").build())
        .updated_at(aws_sdk_securityhub::types::DateFilter::builder().build())
        .build()
        .into();
    odd.actions[0].finding_fields_update = action::Update::default();
    let saved = serde_json::to_value(&odd).unwrap();
    assert_eq!(serde_json::from_value::<LiveRule>(saved).unwrap(), odd);
}

#[test]
fn a_batch_that_left_the_rule_out_is_a_fault_of_its_kind() {
    for (code, kind) in [
        (Some(404), FaultKind::NotFound),
        (Some(403), FaultKind::Denied),
        (Some(429), FaultKind::Throttled),
        (Some(503), FaultKind::Unavailable),
        (Some(400), FaultKind::Invalid),
        (None, FaultKind::Invalid),
    ] {
        let left = aws_sdk_securityhub::types::UnprocessedAutomationRule::builder();
        let left = left.set_error_code(code).error_message("why").build();
        let fault = write::fault_of("a:B", &left);
        assert_eq!((fault.kind, fault.message.as_str()), (kind, "why"));
        assert!(!fault.code.is_empty());
    }
}
