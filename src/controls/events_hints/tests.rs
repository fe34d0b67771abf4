mod role;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::*;
use crate::control::{Change, ChangeKind, Direction, Risk, Thing, Verdict};
use crate::controls::events_rule::{Rule as There, Target, same};
use crate::controls::tests::facts;
use crate::fault::FaultKind;
use crate::place::Region;

const QUEUE: &str = "https://sqs.eu-west-1.amazonaws.com/777766665555/baseline-hints";
const QUEUE_ARN: &str = "arn:aws:sqs:eu-west-1:777766665555:baseline-hints";
const BUS: &str = "arn:aws:events:eu-west-1:111122223333:event-bus/default";
const ROLE_ARN: &str = "arn:aws:iam::111122223333:role/baseline-hints";

fn set(words: &[&str]) -> BTreeSet<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// Two rules of a few calls, so that the tests say what is compared.
fn ours() -> Vec<Writes> {
    let call = |source: &str, name: &str| (format!("{source}.amazonaws.com"), name.to_owned());
    vec![
        Writes {
            sources: set(&["a.amazonaws.com", "b.amazonaws.com"]),
            names: set(&["Put", "Stop"]),
            calls: [call("a", "Put"), call("b", "Put"), call("b", "Stop")].into(),
        },
        Writes { sources: set(&["c.amazonaws.com"]), names: set(&["Go"]), calls: [call("c", "Go")].into() },
    ]
}

fn managed() -> Facts {
    let mut facts = facts();
    facts.managed = ["eu-west-1", "us-east-1", "eu-central-1"].map(Region::new).into();
    facts
}

fn elsewhere() -> Facts {
    let mut facts = managed();
    facts.scope.region = Region::new("eu-central-1");
    facts
}

fn target(arn: &str) -> Target {
    Target { arn: arn.into(), role: Some(ROLE_ARN.into()), rewritten: false }
}

fn there(pattern: Value, target: Target) -> There {
    There {
        state: "ENABLED".into(),
        pattern: Some(pattern),
        schedule: None,
        description: None,
        role: None,
        managed_by: None,
        targets: Sight::Seen([("baseline".to_owned(), target)].into()),
    }
}

/// Everything as it is to be, in this region.
fn whole(facts: &Facts) -> Live {
    let is_home = facts.scope.region == facts.home;
    let target = || target(if is_home { QUEUE_ARN } else { BUS });
    let mut live: Live = (1..)
        .zip(ours())
        .map(|(number, writes)| (Sender::Writes(number).rule(), there(writes.pattern(), target())))
        .collect();
    let beat = There { pattern: None, schedule: Some(rules::schedule()), ..there(Value::Null, target()) };
    live.insert(Sender::Heartbeat.rule(), beat);
    if is_home {
        let pattern = rules::heartbeats(json!(facts.scope.region));
        live.insert(Sender::Heartbeats.rule(), there(pattern, target()));
    }
    live
}

fn spec() -> Value {
    json!({"queue": QUEUE, "enabled": true})
}

fn planned(facts: &Facts, spec: Value, live: Live) -> BTreeMap<(String, String), Verdict<Write>> {
    let spec = serde_json::from_value(spec).unwrap();
    let found = Declared { facts, spec: &spec, ours: &ours() }.findings(&Sight::Seen(live));
    found.into_iter().map(|finding| ((finding.resource, finding.rule), finding.verdict)).collect()
}

/// Of one rule, after something happened to what was whole.
#[track_caller]
fn after(facts: &Facts, sender: Sender, rule: &str, change: impl FnOnce(&mut There)) -> Verdict<Write> {
    let mut live = whole(facts);
    change(live.get_mut(&sender.rule()).expect("it is there"));
    planned(facts, spec(), live).remove(&(sender.rule(), rule.into())).expect("a finding")
}

#[track_caller]
fn change(verdict: Verdict<Write>) -> Change<Write> {
    match verdict {
        Verdict::Change(change) => change,
        other => panic!("{other:?}"),
    }
}

const FIRST: Sender = Sender::Writes(1);

#[test]
fn rules_that_are_not_there_are_made_with_their_targets() {
    let made = planned(&managed(), spec(), Live::new());
    let names: Vec<&str> = made.keys().map(|(name, _)| name.as_str()).collect();
    let all =
        ["baseline-hints-1", "baseline-hints-2", "baseline-hints-heartbeat", "baseline-hints-heartbeats"];
    assert_eq!(names, all);
    for verdict in made.into_values() {
        let made = change(verdict);
        assert_eq!(made.kind, ChangeKind::Create);
        assert_eq!(
            made.fields,
            [Field::new("/queue", Value::Null, QUEUE), Field::new("/enabled", Value::Null, true)]
        );
        assert!(matches!(&made.steps[..], [Write::Create { .. }, Write::Target { to, .. }]
            if to.arn(&managed().scope) == QUEUE_ARN));
        assert!(matches!(made.stands_on.as_deref(), Some([Thing::Role { name, .. }]) if name == ROLE));
        assert_eq!(made.cost, None);
    }
    let made = planned(&elsewhere(), spec(), Live::new());
    assert_eq!(made.len(), 3, "heartbeats of others come home");
    for verdict in made.into_values() {
        let made = change(verdict);
        assert!(matches!(&made.steps[1], Write::Target { to, .. } if to.arn(&elsewhere().scope) == BUS));
        assert!(made.cost.is_some());
    }
}

#[test]
fn what_is_whole_is_in_sync_at_home_and_elsewhere() {
    for facts in [managed(), elsewhere()] {
        for spec in [spec(), json!({"queue": QUEUE}), json!({"enabled": true})] {
            let found = planned(&facts, spec, whole(&facts));
            assert!(found.len() >= 3);
            assert!(found.values().all(|verdict| *verdict == Verdict::InSync), "{found:?}");
        }
        assert_eq!(planned(&facts, json!({}), Live::new()), BTreeMap::new());
    }
}

#[test]
fn a_newer_version_lets_more_through_and_cuts_it_otherwise() {
    let mut live = whole(&managed());
    let wide = |sources: &[&str], names: &[&str]| {
        let (sources, names) = (set(sources), set(names));
        there(Writes { sources, names, calls: [].into() }.pattern(), target(QUEUE_ARN))
    };
    live.insert(FIRST.rule(), wide(&["a.amazonaws.com"], &["New", "Put", "Stop"]));
    live.insert(Sender::Writes(2).rule(), wide(&["b.amazonaws.com", "new.amazonaws.com"], &["Put", "Stop"]));
    live.insert(Sender::Writes(3).rule(), wide(&["c.amazonaws.com"], &["Go"]));
    let found = planned(&managed(), spec(), live.clone());
    assert!(found.values().all(|verdict| *verdict == Verdict::InSync), "{found:?}");
    assert!(!found.contains_key(&("baseline-hints-3".into(), "rule".into())), "it is not ours to look after");

    // One that sends nothing lets nothing through.
    for send_nothing in [
        (|rule| rule.state = "DISABLED".into()) as fn(&mut There),
        |rule| rule.targets = Sight::Seen([("x".to_owned(), target(BUS))].into()),
        |rule| rule.pattern = None,
    ] {
        let mut live = live.clone();
        send_nothing(live.get_mut("baseline-hints-3").unwrap());
        let found = planned(&managed(), spec(), live);
        let added = change(found[&("baseline-hints-2".into(), "rule".into())].clone());
        assert_eq!(added.fields, [Field::new("/queue", "1 of 1 calls are not told", QUEUE)]);
    }
    // And a rule whose calls others let through need not be there.
    live.remove("baseline-hints-2");
    live.insert(FIRST.rule(), wide(&["a.amazonaws.com", "b.amazonaws.com"], &["Put", "Stop"]));
    assert_eq!(
        planned(&managed(), spec(), live)[&("baseline-hints-2".into(), "rule".into())],
        Verdict::InSync
    );
}

#[test]
fn calls_that_are_missing_are_added_and_nothing_is_taken_away() {
    let lacks = |pattern: Value| after(&managed(), FIRST, "rule", |rule| rule.pattern = Some(pattern));
    let narrow = json!({"detail-type": ["AWS API Call via CloudTrail"],
        "detail": {"eventSource": ["b.amazonaws.com", "mine.amazonaws.com"], "eventName": ["Put"]}});
    let added = change(lacks(narrow.clone()));
    assert_eq!(added.fields, [Field::new("/queue", "2 of 3 calls are not told", QUEUE)]);
    assert_eq!((added.direction, added.risk), (Direction::Strengthens, Risk::Safe));
    assert!(added.adopts.is_some());
    let [Write::Update { contents: Some(contents), on: None, .. }] = &added.steps[..] else {
        panic!("{added:?}")
    };
    let joined = rules::joined(Some(&narrow), &ours()[0]);
    assert_eq!(
        joined["detail"]["eventSource"],
        json!(["b.amazonaws.com", "mine.amazonaws.com", "a.amazonaws.com"])
    );
    let written = write::Contents { pattern: Some(joined), schedule: None };
    assert_eq!(*contents, written.digest(), "the step says what it writes");

    for nothing in [json!({"source": ["aws.s3"]}), json!({"detail": {"userAgent": ["x"]}}), json!("x")] {
        let put = change(lacks(nothing));
        assert_eq!(put.fields, [Field::new("/queue", "3 of 3 calls are not told", QUEUE)]);
    }
    assert_eq!(lacks(json!({})), Verdict::InSync, "everything");
}

#[test]
fn a_rule_that_is_off_is_turned_on_and_off_again() {
    let off = |rule: &mut There| rule.state = "DISABLED".into();
    let on = change(after(&managed(), Sender::Heartbeat, "rule", off));
    assert_eq!(on.fields, [Field::new("/enabled", false, true)]);
    assert_eq!(on.direction, Direction::Strengthens);
    assert_eq!(on.steps, [Write::Update { sender: Sender::Heartbeat, contents: None, on: Some(true) }]);

    let spec = json!({"queue": QUEUE, "enabled": false});
    for ((name, rule), verdict) in planned(&managed(), spec.clone(), whole(&managed())) {
        match rule.as_str() {
            "rule" => assert_eq!(change(verdict).direction, Direction::Weakens, "{name}"),
            _ => assert_eq!(verdict, Verdict::InSync, "{name}"),
        }
    }
    let none = planned(&managed(), spec, Live::new());
    assert!(none.values().all(|verdict| *verdict == Verdict::InSync), "what is to be off need not be there");
    // Without a queue too.
    let found = planned(&managed(), json!({"enabled": false}), whole(&managed()));
    assert_eq!(found.len(), 4);
    assert!(found.into_values().all(|verdict| change(verdict).direction == Direction::Weakens));

    let strange = after(&managed(), FIRST, "rule", |rule| rule.state = "HALF".into());
    assert!(matches!(strange, Verdict::Unknown { .. }));
    let all = |rule: &mut There| rule.state = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS".into();
    assert_eq!(after(&managed(), FIRST, "rule", all), Verdict::InSync);
}

#[test]
fn hearts_beat_on_time_and_are_sent_on() {
    let beats = |schedule: Option<&str>| {
        after(&managed(), Sender::Heartbeat, "rule", |rule| rule.schedule = schedule.map(str::to_owned))
    };
    assert_eq!(beats(Some("rate(5 minutes)")), Verdict::InSync);
    let slow = change(beats(Some("rate(1 day)")));
    assert_eq!(slow.fields, [Field::new("/queue", "rate(1 day)", QUEUE)]);
    assert!(matches!(beats(None), Verdict::Change(_)));

    let of =
        |pattern: Value| after(&managed(), Sender::Heartbeats, "rule", |rule| rule.pattern = Some(pattern));
    let mut wide = rules::heartbeats(json!("eu-west-1"));
    wide.as_object_mut().unwrap().remove("region");
    assert_eq!(of(wide), Verdict::InSync, "its own heart twice does no harm");
    let other = change(of(rules::heartbeats(json!("us-east-1"))));
    assert_eq!(other.fields, [Field::new("/queue", "another pattern", QUEUE)]);
}

#[test]
fn what_else_a_rule_has_is_sent_along_and_a_services_rule_is_left_alone() {
    let carried = |sender| {
        change(after(&managed(), sender, "rule", |rule| {
            rule.state = "DISABLED".into();
            rule.schedule = Some("rate(5 minutes)".into());
            rule.pattern = rule.pattern.take().or(Some(json!({"source": ["x"]})));
        }))
        .carries
    };
    assert!(carried(FIRST).is_some_and(|said| said.contains("rate(5 minutes)")));
    assert!(carried(Sender::Heartbeat).is_some_and(|said| said.contains("its pattern")));

    let mut live = whole(&managed());
    let rule = live.get_mut(&FIRST.rule()).unwrap();
    rule.managed_by = Some("x.amazonaws.com".into());
    rule.state = "DISABLED".into();
    let found = planned(&managed(), spec(), live);
    assert!(matches!(&found[&(FIRST.rule(), "rule".into())], Verdict::Foreign { .. }));
    assert!(!found.contains_key(&(FIRST.rule(), "target".into())));
}

#[test]
fn the_whole_event_goes_to_the_queue_with_the_role() {
    let with = |target: Option<Target>, id: &str| {
        after(&managed(), FIRST, "target", |rule| {
            rule.targets = Sight::Seen(target.map(|target| (id.to_owned(), target)).into_iter().collect());
        })
    };
    assert_eq!(with(Some(target(QUEUE_ARN)), "somebody"), Verdict::InSync, "whoever set it up");
    let none = change(with(None, ""));
    assert_eq!(none.fields, [Field::new("/queue", "none", QUEUE)]);
    let to = write::Destination::of(&QUEUE.parse().unwrap(), &managed().scope.region);
    assert_eq!(none.steps, [Write::Target { sender: FIRST, to }]);
    let before = |target| change(with(Some(target), "baseline")).fields.remove(0).before;
    let other = "arn:aws:sqs:eu-west-1:777766665555:old";
    assert_eq!(before(target(other)), "https://sqs.eu-west-1.amazonaws.com/777766665555/old");
    assert_eq!(before(target("arn:aws:lambda:eu-west-1:1:function:f")), "f");
    assert_eq!(before(Target { role: None, ..target(QUEUE_ARN) }), "a target that has another role");
    let rewritten = Target { rewritten: true, ..target(QUEUE_ARN) };
    assert_eq!(before(rewritten), "a target that gets another text than the event");
    assert_eq!(change(with(Some(target(other)), "baseline")).risk, Risk::Disruptive);
    assert_eq!(change(with(Some(target(other)), "theirs")).risk, Risk::Safe, "theirs stays");

    let fault = Fault::local(FaultKind::Denied, "events:ListTargetsByRule", "no");
    let unseen = after(&managed(), FIRST, "target", |rule| rule.targets = Sight::Unseen(fault));
    assert!(matches!(unseen, Verdict::Unknown { .. }));
}

#[test]
fn what_cannot_be_said_is_unknown() {
    let spec = |spec: Value| serde_json::from_value::<HintsSpec>(spec).unwrap();
    let nowhere = planned(&managed(), json!({"enabled": true}), Live::new());
    for verdict in nowhere.values() {
        assert!(
            matches!(verdict, Verdict::Unknown { fault } if fault.message.contains("`queue`")),
            "{verdict:?}"
        );
    }
    let china = spec(json!({"queue": "https://sqs.cn-north-1.amazonaws.com.cn/777766665555/baseline-hints"}));
    let observed = Observed { rules: Sight::Seen(Live::new()), role: None };
    let found = Hints.plan(&managed(), &Known::default(), &china, &observed);
    assert!(matches!(&found[..], [Finding { verdict: Verdict::Unknown { fault }, .. }]
        if fault.message.contains("cn-north-1")));
    let fault = Fault::local(FaultKind::Denied, "events:ListRules", "no");
    let observed = Observed { rules: Sight::Unseen(fault.clone()), role: None };
    let found = Hints.plan(&elsewhere(), &Known::default(), &spec(self::spec()), &observed);
    assert!(
        matches!(&found[..], [Finding { verdict: Verdict::Unknown { fault: told }, .. }] if *told == fault)
    );
}

#[test]
fn nothing_in_a_plan_is_an_arn() {
    for facts in [managed(), elsewhere()] {
        for live in [Live::new(), whole(&facts)] {
            let mut live = live;
            for rule in live.values_mut() {
                rule.pattern = None;
                rule.targets =
                    Sight::Seen([("baseline".to_owned(), target("arn:aws:sqs:eu-west-1:1:x"))].into());
            }
            let spec = serde_json::from_value(spec()).unwrap();
            let observed = Observed { rules: Sight::Seen(live), role: Some(Sight::Seen(None)) };
            let found = Hints.plan(&facts, &Known::default(), &spec, &observed);
            assert!(!serde_json::to_string(&found).unwrap().contains("arn:"), "{found:?}");
        }
    }
}

#[test]
fn what_is_imported_is_what_is_there_and_what_was_before_comes_back() {
    let import = |facts: &Facts, live: Live| {
        let observed = Observed { rules: Sight::Seen(live), role: None };
        Hints.import(facts, &Known::default(), &observed).map(|spec| serde_json::to_value(spec).unwrap())
    };
    assert_eq!(import(&managed(), whole(&managed())), Some(spec()));
    assert_eq!(import(&elsewhere(), whole(&elsewhere())), None, "no queue to be seen there");
    let mut off = whole(&managed());
    off.get_mut("baseline-hints-2").unwrap().state = "DISABLED".into();
    assert_eq!(import(&managed(), off), Some(json!({"queue": QUEUE, "enabled": false})));

    let other = "https://sqs.eu-west-1.amazonaws.com/777766665555/old";
    let back = |fields: &[Field]| Hints.inverse("x", fields).map(|spec| serde_json::to_value(spec).unwrap());
    let both = [Field::new("/queue", other, QUEUE), Field::new("/enabled", Value::Null, true)];
    assert_eq!(back(&both), Some(json!({"queue": other, "enabled": false})));
    assert_eq!(back(&[Field::new("/queue", "another pattern", QUEUE)]), None, "it has no words");
}

/// As the API reference writes them.
#[tokio::test]
async fn answers_of_eventbridge_are_read_as_aws_writes_them() {
    let rule = |name: &str, more: Value| {
        let mut rule = json!({"Arn": format!("arn:aws:events:eu-west-1:111122223333:rule/{name}"), "Name": name,
            "State": "ENABLED", "EventBusName": "default"});
        rule.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        rule
    };
    let pattern = json!({"EventPattern": "{\"source\":[\"aws.s3\"]}"});
    let pages = [
        json!({"Rules": [rule("baseline-hints-1", pattern)], "NextToken": "n"}).to_string(),
        json!({"Rules": [rule("baseline-hints-of-mine", json!({})),
            rule("baseline-hints-heartbeat", json!({"ScheduleExpression": "rate(15 minutes)"}))]})
        .to_string(),
        json!({"Targets": [{"Id": "baseline", "Arn": QUEUE_ARN, "RoleArn": ROLE_ARN, "InputPath": "$.detail"}]})
            .to_string(),
        json!({}).to_string(),
    ];
    let answers = pages.map(|page| ("/", 200, &*page.leak()));
    let events = aws_sdk_eventbridge::Client::new(&crate::aws::canned::sdk(&answers));
    let read = rules_like(&events, Sender::PREFIX, |name| Sender::named(name).is_some()).await.unwrap();
    let names: Vec<&String> = read.keys().collect();
    assert_eq!(
        names,
        ["baseline-hints-1", "baseline-hints-heartbeat"],
        "the one of mine is not read further"
    );
    let first = &read["baseline-hints-1"];
    assert!(same(first.pattern.as_ref().unwrap(), &json!({"source": ["aws.s3"]})));
    assert!(matches!(&first.targets, Sight::Seen(all) if all["baseline"].rewritten));
    assert_eq!(read["baseline-hints-heartbeat"].schedule.as_deref(), Some("rate(15 minutes)"));
}
