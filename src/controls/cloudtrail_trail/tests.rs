use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::live::{Elsewhere, Logs, Role};
use super::selectors::{Condition, Events, Selector};
use super::write::{Encryption, Settings};
use super::*;
use crate::control::{Change, Direction, Found, Need, Risk, Seat, Thing};
use crate::controls::tests::facts;
use crate::fault::FaultKind;

mod logs;
mod organization;

const KEY_ARN: &str = "arn:aws:kms:eu-west-1:444455556666:key/1234abcd";
const ACCOUNT: &str = "111122223333";

fn key() -> Thing {
    plan::key(facts().archive().unwrap())
}

fn delivery() -> Thing {
    plan::delivery(&facts(), facts().archive().unwrap())
}

fn known() -> Known {
    Known::new([(key(), Found::Present { arn: KEY_ARN.into() })])
}

fn live() -> Trail {
    Trail {
        name: "baseline".into(),
        account: ACCOUNT.into(),
        multi_region: true,
        global_events: true,
        log_file_validation: true,
        bucket: "acme-logs".into(),
        key_arn: Some(KEY_ARN.into()),
        logging: true,
        events: Some(Events::of_a_new_trail()),
        insights: Some(live::Insights::new()),
        ..Trail::default()
    }
}

fn seen(trail: Trail) -> Observed {
    Observed { trail: Some(trail), ..Observed::default() }
}

fn recommended() -> Value {
    json!({
        "multiRegion": true, "globalEvents": true, "logFileValidation": true, "deliverTo": "archive",
        "encrypt": true, "logging": true, "events": {"management": "all", "s3": "none", "lambda": "none"},
    })
}

fn plan_with(facts: &Facts, spec: Value, observed: &Observed) -> Vec<Finding<Write>> {
    let spec = serde_json::from_value(spec).unwrap();
    CloudTrail.plan(facts, &known(), &spec, observed)
}

fn findings(spec: Value, observed: &Observed) -> Vec<Finding<Write>> {
    plan_with(&facts(), spec, observed)
}

/// The rules that are not in sync.
fn open(findings: &[Finding<Write>]) -> Vec<&str> {
    findings.iter().filter(|f| f.verdict != Verdict::InSync).map(|f| f.rule.as_str()).collect()
}

fn change(findings: Vec<Finding<Write>>, rule: &str) -> Change<Write> {
    match findings.into_iter().find(|finding| finding.rule == rule).map(|finding| finding.verdict) {
        Some(Verdict::Change(change)) => change,
        other => panic!("{rule}: {other:?}"),
    }
}

fn paths(change: &Change<Write>) -> Vec<&str> {
    change.fields.iter().map(|field| field.path.as_str()).collect()
}

fn calls(change: &Change<Write>) -> Vec<&'static str> {
    use crate::control::AwsWrite as _;
    change.steps.iter().map(|step| step.call().operation).collect()
}

#[test]
fn the_recommended_trail_is_in_sync_when_it_is_there() {
    let found = findings(recommended(), &seen(live()));
    let rules: Vec<&str> = found.iter().map(|finding| finding.rule.as_str()).collect();
    assert_eq!(rules, ["trail", "events", "logging", "delivery"]);
    assert_eq!(open(&found), Vec::<&str>::new());
    assert!(findings(json!({}), &seen(live())).is_empty());
}

#[test]
fn a_stopped_trail_is_one_field_of_one_rule() {
    let found = findings(recommended(), &seen(Trail { logging: false, ..live() }));
    assert_eq!(open(&found), ["logging"]);
    let change = change(found, "logging");
    assert_eq!(change.fields, [Field::new("/logging", false, true)]);
    assert_eq!(change.steps, [Write::StartLogging { trail: "baseline".into() }]);
    assert_eq!(change.stands_on, Some(vec![]));
}

#[test]
fn narrowed_selectors_are_the_events_and_nothing_else() {
    let field = |name: &str, value: &str| Condition {
        field: name.into(),
        equals: vec![value.into()],
        ..Condition::default()
    };
    let reads = Selector {
        name: None,
        fields: vec![field("eventCategory", "Management"), field("readOnly", "true")],
    };
    let events = Events { basic: false, selectors: vec![reads] };
    let found = findings(recommended(), &seen(Trail { events: Some(events), ..live() }));
    assert_eq!(open(&found), ["events"]);
    let change = change(found, "events");
    assert_eq!(change.fields, [Field::new("/events/management", "read-only", "all")]);
    assert_eq!((change.direction, change.cost), (Direction::Strengthens, None));
}

#[test]
fn data_events_start_a_charge_and_basic_selectors_end() {
    let found = findings(json!({"events": {"s3": "write-only"}}), &seen(live()));
    let change = change(found, "events");
    assert_eq!(change.cost.as_deref(), Some("CloudTrail charges for S3 object events"));
    assert!(change.carries.as_deref().is_some_and(|carries| {
        carries.contains("events.management all") && carries.contains("basic selectors become advanced")
    }));
    let off = findings(json!({"events": {"management": "write-only"}}), &seen(live()));
    assert_eq!(self::change(off, "events").direction, Direction::Weakens);
}

#[test]
fn a_trail_that_records_nothing_cannot_be_had() {
    let found = findings(json!({"events": {"management": "none"}}), &seen(live()));
    assert!(
        matches!(&found[0].verdict, Verdict::Manual(task) if task.title.contains("nothing")),
        "{found:?}"
    );
}

#[test]
fn no_trail_is_one_change_with_all_calls_in_order() {
    let mut spec = recommended();
    spec["cloudWatchLogs"] = json!({"group": "trail-events", "retentionDays": 365});
    spec["events"]["s3"] = "write-only".into();
    spec["insights"] = json!({"ApiCallRateInsight": true});
    let logs = Logs {
        group: "trail-events".into(),
        role: Some(Role { name: "baseline-cloudtrail".into(), ..Role::default() }),
        ..Logs::default()
    };
    let observed = Observed { logs: Some(Sight::Seen(logs)), ..Observed::default() };
    let found = findings(spec, &observed);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].resource, "baseline");
    let change = change(found, "trail");
    assert_eq!(
        calls(&change),
        [
            "logs:CreateLogGroup",
            "logs:PutRetentionPolicy",
            "iam:CreateRole",
            "iam:PutRolePolicy",
            "cloudtrail:CreateTrail",
            "cloudtrail:PutEventSelectors",
            "cloudtrail:PutInsightSelectors",
            "cloudtrail:StartLogging",
        ]
    );
    assert!(change.fields.iter().all(|field| field.before == Value::Null), "{:?}", change.fields);
    assert_eq!(change.stands_on, Some(vec![delivery(), key()]));
    assert!(!serde_json::to_string(&change).unwrap().contains("arn:"));
    let cost = change.cost.unwrap();
    for word in ["CloudWatch Logs", "S3 object events", "Insights"] {
        assert!(cost.contains(word), "{cost}");
    }
}

#[test]
fn the_default_selectors_of_a_new_trail_take_no_call() {
    let change = change(findings(recommended(), &Observed::default()), "trail");
    assert_eq!(calls(&change), ["cloudtrail:CreateTrail", "cloudtrail:StartLogging"]);
    let Write::CreateTrail { settings, tags, .. } = &change.steps[0] else { panic!("{change:?}") };
    assert_eq!(settings.encryption, Some(Encryption::With(key())));
    assert_eq!(tags, &facts().tags);
    let others = Observed { others: ["old".to_owned()].into(), ..Observed::default() };
    let second = self::change(findings(recommended(), &others), "trail");
    assert!(second.cost.is_some_and(|cost| cost.contains("second copy") && cost.contains("old")));
}

#[test]
fn a_trail_under_another_name_is_adopted_and_said_so() {
    let found = findings(
        json!({"name": "acme", "logging": true}),
        &seen(Trail { name: "org-audit".into(), logging: false, ..live() }),
    );
    let finding = found.iter().find(|finding| finding.rule == "logging").unwrap();
    assert_eq!(finding.resource, "org-audit");
    let adopts = change(found, "logging").adopts.unwrap();
    assert!(adopts.contains("org-audit") && adopts.contains("rather than a second"), "{adopts}");
}

#[test]
fn a_trail_at_home_elsewhere_is_neither_written_nor_doubled() {
    let elsewhere = Some(Elsewhere { name: "audit".into(), home: "us-east-1".into() });
    let observed = Observed { elsewhere, ..Observed::default() };
    let found = findings(recommended(), &observed);
    let [Finding { verdict: Verdict::Manual(task), .. }] = &found[..] else { panic!("{found:?}") };
    assert!(task.title.contains("us-east-1"), "{task:?}");
}

#[test]
fn the_organisations_trail_is_left_alone_if_it_has_what_is_declared() {
    let theirs = Trail { name: "org".into(), account: "999988887777".into(), organization: true, ..live() };
    let observed = |trail| Observed { organization: Some(trail), ..Observed::default() };
    let found = findings(recommended(), &observed(theirs.clone()));
    let [Finding { verdict: Verdict::Foreign { owner, evidence }, .. }] = &found[..] else {
        panic!("{found:?}")
    };
    assert!(owner.contains("999988887777") && evidence.contains("org"), "{owner} {evidence}");

    let stopped = Trail { logging: false, key_arn: None, ..theirs };
    let made = change(findings(recommended(), &observed(stopped)), "trail");
    let evidence = made.evidence.as_deref().unwrap();
    assert!(evidence.contains("lacks encrypt, logging"), "{evidence}");
}

#[test]
fn only_the_management_account_makes_an_organisation_trail() {
    let mut facts = facts();
    let seats = &mut facts.organization.as_mut().unwrap().seats;
    seats.insert(Seat::Management, "999988887777".parse().unwrap());
    let spec = || json!({"organizationTrail": true, "deliverTo": "archive"});
    let found = plan_with(&facts, spec(), &Observed::default());
    assert!(matches!(&found[0].verdict, Verdict::Manual(task) if task.title.contains("management account")));
    let own = plan_with(&facts, spec(), &seen(live()));
    assert!(matches!(&own[0].verdict, Verdict::Unknown { .. }), "{own:?}");
    facts.organization.as_mut().unwrap().seats.insert(Seat::Management, ACCOUNT.parse().unwrap());
    assert!(plan_with(&facts, spec(), &Observed::default())[0].change().is_some());
}

#[test]
fn an_update_sends_what_differs_and_stands_on_what_it_uses() {
    let bare = Trail { key_arn: None, log_file_validation: false, bucket: "old".into(), ..live() };
    let change = change(findings(recommended(), &seen(bare)), "trail");
    assert_eq!(paths(&change), ["/logFileValidation", "/deliverTo", "/encrypt"]);
    let settings = Settings {
        log_file_validation: Some(true),
        bucket: Some("acme-logs".into()),
        encryption: Some(Encryption::With(key())),
        ..Settings::default()
    };
    assert_eq!(change.steps, [Write::UpdateTrail { trail: "baseline".into(), settings }]);
    assert_eq!((change.risk, change.stands_on), (Risk::Disruptive, Some(vec![delivery(), key()])));
}

#[test]
fn another_key_is_not_the_archives_and_none_weakens() {
    let other = Trail { key_arn: Some("arn:aws:kms:eu-west-1:444455556666:key/other".into()), ..live() };
    let turned = change(findings(json!({"encrypt": true}), &seen(other)), "trail");
    assert_eq!(turned.fields, [Field::new("/encrypt", "with another key", true)]);
    let off = change(findings(json!({"encrypt": false}), &seen(live())), "trail");
    assert_eq!(off.direction, Direction::Weakens);
    let fault = Fault::local(FaultKind::Denied, "kms:DescribeKey", "no");
    let spec = serde_json::from_value(json!({"encrypt": true})).unwrap();
    let unknown = Known::new([(key(), Found::Unknown(fault.clone()))]);
    let found = CloudTrail.plan(&facts(), &unknown, &spec, &seen(live()));
    assert_eq!(found[0].verdict, Verdict::Unknown { fault });
}

#[test]
fn all_regions_take_global_events_along() {
    let one = Trail { multi_region: false, global_events: false, ..live() };
    let change = change(findings(json!({"multiRegion": true}), &seen(one)), "trail");
    assert_eq!(paths(&change), ["/multiRegion"]);
    assert!(change.carries.is_some_and(|carries| carries.contains("globalEvents true")));
    let both = findings(json!({"globalEvents": false}), &seen(live()));
    assert!(matches!(&both[0].verdict, Verdict::Unknown { fault } if fault.kind == FaultKind::Invalid));
}

#[test]
fn what_does_not_arrive_is_told_in_awss_words() {
    let errors = BTreeMap::from([("log files".to_owned(), "AccessDenied".to_owned())]);
    let found = findings(recommended(), &seen(Trail { errors, ..live() }));
    assert_eq!(open(&found), ["delivery"]);
    let Some(Verdict::Manual(task)) = found.last().map(|finding| &finding.verdict) else {
        panic!("{found:?}")
    };
    assert_eq!(task.found, [("log files".to_owned(), "AccessDenied".to_owned())]);
    assert!(task.steps[0].contains("acme-logs"), "{task:?}");
}

#[test]
fn insights_on_data_events_stay() {
    let data = live::Insights::from([("ApiErrorRateInsight".to_owned(), ["Data".to_owned()].into())]);
    let wanted = BTreeMap::from([("ApiErrorRateInsight".to_owned(), true)]);
    let both = send::with_insights(data.clone(), &wanted);
    assert_eq!(both["ApiErrorRateInsight"], ["Data".to_owned(), "Management".to_owned()].into());
    let off = BTreeMap::from([("ApiErrorRateInsight".to_owned(), false)]);
    assert_eq!(send::with_insights(both, &off), data);
    let found = findings(
        json!({"insights": {"ApiErrorRateInsight": true}}),
        &seen(Trail { insights: Some(data), ..live() }),
    );
    let change = change(found, "insights");
    assert_eq!(change.fields, [Field::new("/insights/ApiErrorRateInsight", false, true)]);
    assert!(change.carries.is_some_and(|carries| carries.contains("ApiErrorRateInsight")));
}

#[test]
fn undoing_says_only_what_has_a_word() {
    let fields = [
        Field::new("/logging", Value::Null, true),
        Field::new("/multiRegion", Value::Null, true),
        Field::new("/encrypt", "with another key", true),
        Field::new("/cloudWatchLogs/role", "a role that CloudTrail cannot use", "r"),
        Field::new("/events/s3", "none", "all"),
    ];
    let spec = CloudTrail.inverse("audit", &fields).unwrap();
    let wanted: TrailSpec =
        serde_json::from_value(json!({"name": "audit", "logging": false, "events": {"s3": "none"}})).unwrap();
    assert_eq!(spec, wanted);
    assert_eq!(CloudTrail.inverse("audit", &fields[2..3]), None);
}

#[test]
fn needs_are_those_of_the_archive() {
    let spec = serde_json::from_value(recommended()).unwrap();
    assert_eq!(CloudTrail.needs(&facts(), &spec), [Need::hard(key()), Need::hard(delivery())]);
    let off = serde_json::from_value(json!({"logging": false})).unwrap();
    assert!(CloudTrail.needs(&facts(), &off).is_empty());
}
