use serde_json::{Value, json};

use super::live::{Alarm, Filter, Metric};
use super::watch::{Variant, WATCHES, Watch};
use super::write::Settings;
use super::*;
use crate::aws::canned;
use crate::control::{Change, ChangeKind, Direction, Found, Verdict};
use crate::controls::tests::facts;

const TOPIC: &str = "arn:aws:sns:eu-west-1:111122223333:security-alarms";
const GROUP: &str = "baseline/trail-events";

fn known() -> Known {
    Known::new([(plan::topic(&facts(), "security-alarms"), Found::Present { arn: TOPIC.into() })])
}

fn watch(word: &str) -> &'static Watch {
    WATCHES.iter().find(|watch| watch.word == word).unwrap()
}

fn filter(word: &str, variant: &Variant) -> Filter {
    let watch = watch(word);
    Filter {
        name: watch.name(),
        pattern: watch.pattern(variant),
        metric: Metric { namespace: "LogMetrics".into(), name: watch.name() },
        value: "1".into(),
        divided: false,
    }
}

fn alarm(word: &str) -> Alarm {
    Alarm {
        name: watch(word).name(),
        metric: Metric { namespace: "LogMetrics".into(), name: watch(word).name() },
        actions_enabled: true,
        actions: vec![TOPIC.into()],
        other_actions: 0,
        statistic: "Sum".into(),
        comparison: "GreaterThanOrEqualToThreshold".into(),
        threshold: 1.0,
        period: 300,
        evaluation_periods: 1,
        datapoints: None,
        missing_data: "notBreaching".into(),
        divided: false,
    }
}

fn observed(filters: Vec<Filter>, alarms: Vec<Alarm>) -> Observed {
    Observed { group: GROUP.into(), filters: Some(filters), alarms }
}

fn both(word: &str) -> Observed {
    observed(vec![filter(word, &Variant::default())], vec![alarm(word)])
}

fn verdict(spec: Value, live: &Observed) -> Verdict<Write> {
    let mut spec = spec;
    spec["topic"] = json!("security-alarms");
    let spec = serde_json::from_value(spec).unwrap();
    let mut found = CisAlarms.plan(&facts(), &known(), &spec, live);
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0).verdict
}

fn change(spec: Value, live: &Observed) -> Change<Write> {
    match verdict(spec, live) {
        Verdict::Change(change) => change,
        other => panic!("{other:?}"),
    }
}

fn on(word: &str) -> Value {
    json!({"alarms": {word: {"enabled": true}}})
}

fn before(change: &Change<Write>) -> Vec<(&str, &Value)> {
    change.fields.iter().map(|field| (field.path.as_str(), &field.before)).collect()
}

#[test]
fn every_watch_has_a_rule_of_its_name_and_number() {
    for (watch, rule) in WATCHES.iter().zip(CisAlarms::META.rules) {
        assert_eq!(watch.word, rule.id);
        let ids = ["cis-1.4.0", "cis-3.0.0", "cis-5.0.0"].map(|of| format!("{of}/{}", watch.cis));
        assert_eq!(rule.frameworks.to_vec(), ids);
    }
    assert_eq!(WATCHES.len(), CisAlarms::META.rules.len());
    let all: AlarmsSpec = serde_yaml::from_str(CisAlarms::META.example).unwrap();
    assert_eq!(all.alarms.len(), 15, "the example has them all");
}

#[test]
fn a_filter_and_an_alarm_are_made_where_there_are_none() {
    let made = change(on("root-usage"), &observed(vec![], vec![]));
    assert_eq!((made.kind, made.direction), (ChangeKind::Create, Direction::Strengthens));
    assert_eq!(before(&made), [("/alarms/root-usage/enabled", &Value::Null), ("/topic", &Value::Null)]);
    assert!(made.cost.is_some() && made.adopts.is_none() && made.carries.is_none());
    let topic = plan::topic(&facts(), "security-alarms");
    assert_eq!(made.stands_on, Some(vec![plan::log_group(&facts(), GROUP), topic.clone()]));
    let [
        Write::PutFilter { filter, pattern, metric, .. },
        Write::PutAlarm { alarm, settings, new: Some(new) },
    ] = &made.steps[..]
    else {
        panic!("{made:?}");
    };
    assert_eq!((&**filter, &**alarm), ("baseline-root-usage", "baseline-root-usage"));
    assert!(pattern.contains("AwsServiceEvent"));
    let counts = Some(metric.clone());
    assert_eq!(
        *settings,
        Settings { enabled: Some(true), counts, topic: Some(topic), ..Settings::default() }
    );
    assert_eq!(new.description, "CIS 4.3: use of the root user");
    assert!(!serde_json::to_string(&made).unwrap().contains("arn:"));
    // A group that is not there has no filters: the engine says what is missing.
    let nowhere = Observed { group: GROUP.into(), ..Observed::default() };
    assert_eq!(change(on("root-usage"), &nowhere), made);
}

#[test]
fn what_rings_is_in_sync_and_only_what_is_declared_is_compared() {
    assert_eq!(verdict(on("root-usage"), &both("root-usage")), Verdict::InSync);
    let strange = Alarm { threshold: 9.0, period: 60, evaluation_periods: 4, ..alarm("root-usage") };
    let live = observed(vec![filter("root-usage", &Variant::default())], vec![strange]);
    assert_eq!(verdict(on("root-usage"), &live), Verdict::InSync);
    let spec =
        json!({"alarms": {"root-usage": {"threshold": 1, "periodSeconds": 300, "evaluationPeriods": 1}}});
    let put = change(spec, &live);
    let paths: Vec<&str> = put.fields.iter().map(|field| field.path.rsplit('/').next().unwrap()).collect();
    assert_eq!(paths, ["threshold", "periodSeconds", "evaluationPeriods"]);
    assert_eq!(put.direction, Direction::Strengthens);
    let settings = Settings {
        threshold: Some(1),
        period: Some(300),
        evaluation_periods: Some(1),
        ..Settings::default()
    };
    assert_eq!(put.steps, [Write::PutAlarm { alarm: "baseline-root-usage".into(), settings, new: None }]);
    assert!(put.carries.is_some_and(|carries| carries.starts_with("1 action ")));
    assert_eq!(put.stands_on, Some(vec![]));
}

#[test]
fn what_others_built_is_adopted_by_what_it_counts() {
    let metric = Metric { namespace: "CISBenchmark".into(), name: "trail".into() };
    let theirs = Filter {
        name: "their-filter".into(),
        pattern: "{ ($.eventName = StartLogging) || ($.eventName = \"StopLogging\") || ($.eventName = CreateTrail) \
                  || ($.eventName = DeleteTrail) || ($.eventName = UpdateTrail) }"
            .into(),
        metric: metric.clone(),
        ..filter("cloudtrail-changes", &Variant::default())
    };
    let ringing = Alarm { name: "their-alarm".into(), metric: metric.clone(), ..alarm("cloudtrail-changes") };
    let live = observed(vec![theirs.clone()], vec![ringing.clone()]);
    assert_eq!(verdict(on("cloudtrail-changes"), &live), Verdict::InSync);

    let elsewhere = Alarm { actions: vec!["arn:aws:sns:x".into()], ..ringing };
    let told = change(on("cloudtrail-changes"), &observed(vec![theirs.clone()], vec![elsewhere]));
    assert_eq!(before(&told), [("/topic", &json!("1 other action"))]);
    let says = told.adopts.expect("it says so");
    assert!(says.contains("filter their-filter and alarm their-alarm"));

    let silent = change(on("cloudtrail-changes"), &observed(vec![theirs.clone()], vec![]));
    let [Write::PutAlarm { alarm, settings, new: Some(_) }] = &silent.steps[..] else { panic!("{silent:?}") };
    assert_eq!((&**alarm, settings.counts.as_ref()), ("baseline-cloudtrail-changes", Some(&metric)));

    // A filter that counts by dimensions feeds no alarm on the whole.
    let divided = Filter { divided: true, ..theirs };
    let made = change(on("cloudtrail-changes"), &observed(vec![divided], vec![]));
    assert_eq!(made.steps.len(), 2);
}

#[test]
fn a_pattern_that_counts_something_else_and_an_alarm_that_does_not_ring_are_put_right() {
    let word = "config-changes";
    let narrowed =
        Filter { pattern: "{ $.eventName = Nothing }".into(), ..filter(word, &Variant::default()) };
    let put = change(on(word), &observed(vec![narrowed], vec![alarm(word)]));
    assert_eq!(before(&put), [("/alarms/config-changes/enabled", &json!("a filter with another pattern"))]);
    assert!(matches!(&put.steps[..], [Write::PutFilter { .. }]));
    let nothing = Filter { value: "0".into(), ..filter(word, &Variant::default()) };
    assert_eq!(change(on(word), &observed(vec![nothing], vec![alarm(word)])).steps.len(), 1);

    let good = alarm(word);
    for (live, why) in [
        (Alarm { actions_enabled: false, ..good.clone() }, json!(false)),
        (
            Alarm { missing_data: "ignore".into(), ..good.clone() },
            json!("an alarm that does not ring when there are too many"),
        ),
        (
            Alarm { statistic: "Average".into(), ..good.clone() },
            json!("an alarm that does not ring when there are too many"),
        ),
        (
            Alarm { metric: Metric { namespace: "x".into(), name: "y".into() }, ..good.clone() },
            json!("an alarm on another metric"),
        ),
    ] {
        let put = change(on(word), &observed(vec![filter(word, &Variant::default())], vec![live]));
        assert_eq!(before(&put), [("/alarms/config-changes/enabled", &why)]);
        assert_eq!(put.direction, Direction::Strengthens);
    }
    // More than 0 is 1 at least.
    let strict = Alarm { comparison: "GreaterThanThreshold".into(), threshold: 0.0, ..good };
    let live = observed(vec![filter(word, &Variant::default())], vec![strict]);
    let spec = json!({"alarms": {word: {"enabled": true, "threshold": 1}}});
    assert_eq!(verdict(spec, &live), Verdict::InSync);
}

#[test]
fn options_go_by_their_own_paths_and_what_counts_less_weakens() {
    for (word, option, value, back) in [
        ("console-without-mfa", "singleSignOn", json!(true), json!(false)),
        ("unauthorized-calls", "quiet", json!(true), json!(false)),
        ("iam-changes", "exceptRole", json!("baseline-apply"), json!("none")),
    ] {
        let with = |value: &Value| json!({option: value, "alarms": {word: {"enabled": true}}});
        assert_eq!(verdict(with(&back), &both(word)), Verdict::InSync);
        assert_eq!(verdict(on(word), &both(word)), Verdict::InSync);
        let less = change(with(&value), &both(word));
        assert_eq!(before(&less), [(&*format!("/{option}"), &back)]);
        assert_eq!(less.direction, Direction::Weakens);
        let [Write::PutFilter { pattern, .. }] = &less.steps[..] else { panic!("{less:?}") };
        let narrowed = Filter { pattern: pattern.clone(), ..filter(word, &Variant::default()) };
        let live = observed(vec![narrowed], vec![alarm(word)]);
        assert_eq!(verdict(with(&value), &live), Verdict::InSync);
        assert_eq!(verdict(on(word), &live), Verdict::InSync, "{option} is not declared");
        let more = change(with(&back), &live);
        assert_eq!(
            (before(&more), more.direction),
            (vec![(&*format!("/{option}"), &value)], Direction::Strengthens)
        );
        // Of other watches the option says nothing.
        let mut other = with(&value);
        other["alarms"] = json!({"root-usage": {"enabled": true}});
        assert_eq!(verdict(other, &both("root-usage")), Verdict::InSync);
    }
}

#[test]
fn turned_off_is_silent_and_what_is_not_there_is_silent_too() {
    let off = json!({"alarms": {"root-usage": {"enabled": false}}});
    assert_eq!(verdict(off.clone(), &observed(vec![], vec![])), Verdict::InSync);
    let silenced = change(off, &both("root-usage"));
    assert_eq!((silenced.direction, before(&silenced)[0].1), (Direction::Weakens, &json!(true)));
    let settings = Settings { enabled: Some(false), ..Settings::default() };
    assert_eq!(
        silenced.steps,
        [Write::PutAlarm { alarm: "baseline-root-usage".into(), settings, new: None }]
    );
    // What else is declared of it is still put right.
    let quieter = json!({"alarms": {"root-usage": {"enabled": false, "threshold": 7}}});
    let put = change(quieter, &both("root-usage"));
    let paths: Vec<&str> = put.fields.iter().map(|field| field.path.as_str()).collect();
    assert_eq!(paths, ["/alarms/root-usage/enabled", "/alarms/root-usage/threshold"]);
}

#[test]
fn what_has_no_room_is_done_by_hand_and_what_cannot_be_looked_at_is_unknown() {
    let crowd: Vec<Filter> = (0..100)
        .map(|number| Filter {
            name: format!("f{number}"),
            pattern: "ERROR".into(),
            ..filter("root-usage", &Variant::default())
        })
        .collect();
    let no_alarm = observed(crowd, vec![]);
    assert!(matches!(verdict(on("root-usage"), &no_alarm), Verdict::Manual(_)));
    let busy = Alarm { actions: vec!["arn:aws:sns:other".into(); 5], ..alarm("root-usage") };
    let live = observed(vec![filter("root-usage", &Variant::default())], vec![busy]);
    assert!(matches!(verdict(on("root-usage"), &live), Verdict::Manual(_)));

    let fault = Fault::local(crate::fault::FaultKind::Denied, "sns:GetTopicAttributes", "no");
    let known = Known::new([(plan::topic(&facts(), "security-alarms"), Found::Unknown(fault))]);
    let mut spec = on("root-usage");
    spec["topic"] = json!("security-alarms");
    let spec = serde_json::from_value(spec).unwrap();
    let found = CisAlarms.plan(&facts(), &known, &spec, &both("root-usage"));
    assert!(matches!(found[0].verdict, Verdict::Unknown { .. }));
}

#[test]
fn what_is_imported_is_in_sync_and_the_inverse_says_what_was_before() {
    let quiet = Variant { quiet: true, ..Variant::default() };
    let except = Variant { except_role: Some("deployer".into()), ..Variant::default() };
    let live = observed(
        vec![
            filter("unauthorized-calls", &quiet),
            filter("iam-changes", &except),
            filter("root-usage", &Variant::default()),
        ],
        vec![
            Alarm { threshold: 5.0, ..alarm("unauthorized-calls") },
            Alarm { actions_enabled: false, ..alarm("iam-changes") },
            alarm("root-usage"),
        ],
    );
    let imported = CisAlarms.import(&facts(), &known(), &live).unwrap();
    let said = serde_json::to_value(&imported).unwrap();
    assert_eq!((&said["quiet"], &said["exceptRole"]), (&json!(true), &json!("deployer")));
    assert_eq!((&said["topic"], &said["logGroup"]), (&json!("security-alarms"), &json!(GROUP)));
    let imported = serde_json::from_value(said).unwrap();
    let found = CisAlarms.plan(&facts(), &known(), &imported, &live);
    assert!(found.len() == 3 && found.iter().all(|one| one.verdict == Verdict::InSync), "{found:?}");

    let raised = json!({"alarms": {"root-usage": {"threshold": 5}}});
    let back = CisAlarms.inverse("root-usage", &change(raised, &both("root-usage")).fields).unwrap();
    let wanted = json!({"alarms": {"root-usage": {"threshold": 1}}});
    assert_eq!(back, serde_json::from_value(wanted).unwrap());
    let narrowed = json!({"exceptRole": "deployer", "alarms": {"iam-changes": {"enabled": true}}});
    let back = CisAlarms.inverse("iam-changes", &change(narrowed, &both("iam-changes")).fields).unwrap();
    let wanted = json!({"exceptRole": "none", "alarms": {"iam-changes": {"enabled": true}}});
    assert_eq!(back, serde_json::from_value(wanted).unwrap());
    let made = change(on("root-usage"), &observed(vec![], vec![]));
    let back = CisAlarms.inverse("root-usage", &made.fields).unwrap();
    assert_eq!(back, serde_json::from_value(json!({"alarms": {"root-usage": {"enabled": false}}})).unwrap());
}

/// As the API reference has it (DescribeMetricFilters, "Response Syntax").
#[tokio::test]
async fn filters_are_read_as_aws_writes_them() {
    let body = json!({"metricFilters": [
        {
            "filterName": "root", "filterPattern": "{ $.userIdentity.type = Root }", "logGroupName": GROUP,
            "creationTime": 1_393_545_600_000_i64,
            "metricTransformations": [{
                "metricName": "root", "metricNamespace": "LogMetrics", "metricValue": "1", "defaultValue": 0.0,
            }],
        },
        {
            "filterName": "by-region", "filterPattern": "", "fieldSelectionCriteria": "@aws.region = \"eu-west-1\"",
            "metricTransformations": [{
                "metricName": "x", "metricNamespace": "y", "metricValue": "$.bytes",
                "dimensions": {"Region": "$.awsRegion"},
            }],
        },
    ]});
    let sdk = canned::answering(200, &[], body.to_string());
    let logs = aws_sdk_cloudwatchlogs::Client::new(&sdk);
    let answer = logs.describe_metric_filters().log_group_name(GROUP).send().await.expect("read");
    let told: Vec<Filter> =
        answer.metric_filters.unwrap_or_default().into_iter().filter_map(live::filter).collect();
    assert_eq!((told[0].value.as_str(), told[0].divided), ("1", false));
    assert_eq!((told[1].value.as_str(), told[1].divided), ("$.bytes", true));
}

/// An alarm as RPC v2 CBOR has it: a map by the names of the model, times as tag 1 (Smithy, "RPC v2 CBOR protocol").
#[tokio::test]
async fn alarms_are_read_as_aws_writes_them() {
    let mut cbor = aws_smithy_cbor::Encoder::new(Vec::new());
    cbor.map(1).str("MetricAlarms").array(2);
    for name in ["theirs", "by-math"] {
        cbor.begin_map().str("AlarmName").str(name).str("ActionsEnabled").boolean(true);
        cbor.str("AlarmActions").array(1).str(TOPIC).str("OKActions").array(1).str(TOPIC);
        cbor.str("Threshold").double(1.0).str("EvaluationPeriods").integer(1);
        cbor.str("ComparisonOperator")
            .str("GreaterThanOrEqualToThreshold")
            .str("TreatMissingData")
            .str("notBreaching");
        cbor.str("StateUpdatedTimestamp").timestamp(&aws_smithy_types::DateTime::from_secs(1_393_545_600));
        if name == "theirs" {
            cbor.str("Namespace").str("LogMetrics").str("MetricName").str("root").str("Statistic").str("Sum");
            cbor.str("Period").integer(300).str("Dimensions").array(0);
        } else {
            cbor.str("Metrics").array(0);
        }
        cbor.end();
    }
    let sdk = canned::answering(200, &[("smithy-protocol", "rpc-v2-cbor")], cbor.into_writer());
    let answer = aws_sdk_cloudwatch::Client::new(&sdk).describe_alarms().send().await.expect("read");
    let told: Vec<Alarm> =
        answer.metric_alarms.unwrap_or_default().into_iter().filter_map(live::alarm).collect();
    let metric = Metric { namespace: "LogMetrics".into(), name: "root".into() };
    let wanted = Alarm { name: "theirs".into(), metric, other_actions: 1, ..alarm("root-usage") };
    assert_eq!(told, [wanted], "an alarm on an expression watches something else");
}
