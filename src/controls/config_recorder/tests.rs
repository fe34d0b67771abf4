use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::live::{Channel, Recorder, Types};
use super::spec::Frequency;
use super::write::Settings;
use super::*;
use crate::control::{Change, ChangeKind, Direction, Found, Risk, Thing};
use crate::controls::tests::facts;
use crate::place::Region;

mod channel;
mod wire;

const KEY_ARN: &str = "arn:aws:kms:eu-west-1:444455556666:key/1234abcd";
const TOPIC_ARN: &str = "arn:aws:sns:eu-west-1:111122223333:config-changes";
const SERVICE_LINKED: &str =
    "arn:aws:iam::111122223333:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig";

fn key() -> Thing {
    super::channel::key(facts().archive().unwrap())
}

fn topic() -> Thing {
    super::channel::topic(&facts(), "config-changes")
}

fn known() -> Known {
    Known::new([
        (key(), Found::Present { arn: KEY_ARN.into() }),
        (topic(), Found::Present { arn: TOPIC_ARN.into() }),
    ])
}

fn names(of: &[&str]) -> BTreeSet<String> {
    of.iter().map(|name| (*name).to_owned()).collect()
}

fn all(exclude: &[&str], iam: bool) -> Types {
    Types::all_but(names(exclude), iam)
}

fn live() -> Recorder {
    Recorder {
        name: "default".into(),
        role_arn: SERVICE_LINKED.into(),
        types: all(&[], true),
        frequency: Frequency::Continuous,
        overrides: BTreeMap::new(),
        recording: true,
        status: "SUCCESS".into(),
        error: None,
    }
}

fn delivers() -> Channel {
    Channel {
        name: "default".into(),
        bucket: "acme-logs".into(),
        prefix: None,
        key_arn: Some(KEY_ARN.into()),
        topic_arn: None,
        snapshots: Some("TwentyFour_Hours".into()),
        failures: Vec::new(),
    }
}

fn seen(recorder: Recorder) -> Observed {
    Observed { recorder: Some(recorder), channel: Some(delivers()), retention_days: None }
}

fn through(channel: Channel) -> Observed {
    Observed { recorder: Some(live()), channel: Some(channel), retention_days: None }
}

fn recommended() -> Value {
    json!({
        "record": "all", "frequency": "CONTINUOUS", "deliverTo": "archive", "snapshots": "TwentyFour_Hours",
        "retentionDays": 2557,
    })
}

fn plan_with(facts: &Facts, spec: Value, observed: &Observed) -> Vec<Finding<Write>> {
    let spec = serde_json::from_value(spec).unwrap();
    ConfigRecorder.plan(facts, &known(), &spec, observed)
}

fn plan(spec: Value, observed: &Observed) -> Vec<Finding<Write>> {
    plan_with(&facts(), spec, observed)
}

fn verdict(findings: &[Finding<Write>], rule: &str) -> Verdict<Write> {
    findings.iter().find(|f| f.rule == rule).unwrap_or_else(|| panic!("{rule}: {findings:?}")).verdict.clone()
}

fn change(findings: &[Finding<Write>], rule: &str) -> Change<Write> {
    match verdict(findings, rule) {
        Verdict::Change(change) => change,
        other => panic!("{rule}: {other:?}"),
    }
}

fn one(spec: Value, recorder: Recorder) -> Change<Write> {
    change(&plan(spec, &seen(recorder)), "recorder")
}

fn sent(change: &Change<Write>) -> Settings {
    match change.steps.last() {
        Some(Write::PutRecorder { settings, .. }) => settings.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_new_account_gets_role_recorder_channel_and_start_in_that_order() {
    let found = plan(recommended(), &Observed::default());
    let rules: Vec<&str> = found.iter().map(|finding| finding.rule.as_str()).collect();
    assert_eq!(rules, ["recorder", "delivery", "recording", "retention"]);
    let made = change(&found, "recorder");
    assert_eq!((made.kind, &made.stands_on), (ChangeKind::Create, &Some(Vec::new())));
    let settings = Settings {
        name: "default".into(),
        service_linked: true,
        types: all(&[], true),
        frequency: Frequency::Continuous,
        others: BTreeSet::new(),
    };
    let put = Write::PutRecorder { settings, tags: facts().tags };
    assert_eq!(made.steps, [Write::CreateRole, put]);

    let channel = change(&found, "delivery");
    assert_eq!((channel.kind, &channel.stands_on), (ChangeKind::Create, &None));
    let started = change(&found, "recording");
    assert_eq!(started.fields, [Field::new("/record", "none", "all")]);
    let here = Thing::ConfigRecorder { account: facts().scope.account, region: facts().scope.region };
    assert_eq!(started.makes, [here]);
    assert!(started.cost.is_some());
    assert_eq!(started.stands_on.map(|things| things.len()), Some(2), "the channel that it waits for");
    // Seven years are what AWS keeps by itself.
    assert_eq!(verdict(&found, "retention"), Verdict::InSync);
    assert!(!serde_json::to_string(&found).unwrap().contains("arn:"));
}

#[test]
fn global_types_are_recorded_at_home_and_nowhere_else() {
    let mut elsewhere = facts();
    elsewhere.scope.region = Region::new("us-east-1");
    for (facts, iam) in [(facts(), true), (elsewhere.clone(), false)] {
        let found = plan_with(&facts, json!({"record": "all"}), &Observed::default());
        assert_eq!(sent(&change(&found, "recorder")).types, all(&[], iam));
    }
    let spec = json!({"record": "all", "exclude": ["AWS::S3::Bucket"]});
    let found = plan_with(&elsewhere, spec.clone(), &Observed::default());
    assert_eq!(sent(&change(&found, "recorder")).types, all(&["AWS::S3::Bucket"], false));

    // Recorded twice is a matter of money, not of security.
    let twice = change(&plan_with(&elsewhere, json!({"record": "all"}), &seen(live())), "recorder");
    assert_eq!(twice.fields, [Field::new("/globalTypes", "us-east-1", "home")]);
    assert_eq!((twice.direction, twice.cost), (Direction::Neutral, None));
    let lost = one(json!({"globalTypes": "none"}), live());
    assert_eq!(lost.fields, [Field::new("/globalTypes", "home", "none")]);
    assert_eq!(lost.direction, Direction::Weakens);
    let missing = one(json!({"record": "all"}), Recorder { types: all(&[], false), ..live() });
    assert_eq!(missing.fields, [Field::new("/globalTypes", "none", "home")]);
    assert_eq!(missing.direction, Direction::Strengthens);
}

#[test]
fn a_home_that_cannot_record_iam_is_told_and_another_region_can_be_named() {
    let mut zurich = facts();
    zurich.home = Region::new("eu-central-2");
    zurich.scope.region = Region::new("eu-central-2");
    let found =
        plan_with(&zurich, json!({"record": "all"}), &seen(Recorder { types: all(&[], false), ..live() }));
    assert_eq!(found[0].verdict, Verdict::InSync);
    let offered = found.iter().find(|f| matches!(f.verdict, Verdict::NotOffered { .. })).expect("it is told");
    assert!(offered.resource.contains("IAM"), "{offered:?}");
    let spec = json!({"record": "all", "globalTypes": "eu-west-1"});
    assert!(plan_with(&zurich, spec.clone(), &seen(live())).iter().all(|f| f.verdict == Verdict::InSync));
    let there = plan(spec, &seen(Recorder { types: all(&[], false), ..live() }));
    assert_eq!(change(&there, "recorder").fields, [Field::new("/globalTypes", "none", "eu-west-1")]);
}

#[test]
fn all_is_all_however_it_is_said_and_less_is_not() {
    let same = Recorder { types: all(&[], true), ..live() };
    assert_eq!(verdict(&plan(json!({"record": "all"}), &seen(same)), "recorder"), Verdict::InSync);
    // All four of IAM's excluded by name is IAM left out.
    let by_name = all(&["AWS::IAM::Group", "AWS::IAM::Policy", "AWS::IAM::Role", "AWS::IAM::User"], true);
    assert_eq!(by_name, all(&[], false));

    let less = one(json!({"record": "all"}), Recorder { types: all(&["AWS::S3::Bucket"], true), ..live() });
    assert_eq!(less.fields, [Field::new("/exclude", json!(["AWS::S3::Bucket"]), json!([]))]);
    assert_eq!(less.direction, Direction::Strengthens);
    assert!(less.cost.is_some());
    let more = one(json!({"exclude": ["AWS::S3::Bucket"]}), live());
    assert_eq!((more.direction, more.cost), (Direction::Weakens, None));
    let only = Recorder { types: Types::Only(names(&["AWS::S3::Bucket"])), ..live() };
    let only = one(json!({"record": "all"}), only);
    assert_eq!(only.fields, [Field::new("/record/types", "1 type", "all")]);
    assert_eq!(sent(&only).types, all(&[], true));
}

#[test]
fn what_is_not_declared_is_sent_along_and_said() {
    let live = Recorder {
        name: "prod".into(),
        types: Types::Only(names(&["AWS::S3::Bucket", "AWS::EC2::Instance"])),
        overrides: BTreeMap::from([("AWS::EC2::NetworkInterface".into(), Frequency::Daily)]),
        role_arn: "arn:aws:iam::111122223333:role/config".into(),
        ..live()
    };
    let spec = json!({"frequencyOf": {"AWS::EC2::Volume": "DAILY"}});
    let changed = one(spec, live.clone());
    assert_eq!(changed.fields, [Field::new("/frequencyOf/AWS::EC2::Volume", "CONTINUOUS", "DAILY")]);
    let settings = sent(&changed);
    assert_eq!(settings.types, live.types);
    assert!(!settings.service_linked);
    assert_eq!(settings.others, names(&["AWS::EC2::NetworkInterface", "AWS::EC2::Volume"]));
    let carries = changed.carries.expect("it says so");
    assert!(carries.contains("record 2 types") && carries.contains("AWS::EC2::NetworkInterface: DAILY"));
    assert_eq!(changed.adopts.as_deref(), Some("the recorder prod: a region has only one"));
    assert_eq!(changed.direction, Direction::Weakens);
}

#[test]
fn there_is_one_override_and_it_has_the_other_frequency() {
    let live =
        Recorder { overrides: BTreeMap::from([("AWS::EC2::Volume".into(), Frequency::Daily)]), ..live() };
    let spec = json!({"frequency": "DAILY", "frequencyOf": {"AWS::IAM::Role": "CONTINUOUS"}});
    let changed = one(spec, live);
    // The role was recorded all the time before, too, and the volume once a day: now the one needs an override for that
    // and the other none.
    let fields = [
        Field::new("/frequency", "CONTINUOUS", "DAILY"),
        Field::new("/frequencyOf/AWS::EC2::Volume", "DAILY", "as the rest"),
        Field::new("/frequencyOf/AWS::IAM::Role", "as the rest", "CONTINUOUS"),
    ];
    assert_eq!(changed.fields, fields);
    let settings = sent(&changed);
    assert_eq!(settings.others, names(&["AWS::IAM::Role"]));
    assert_eq!(settings.other_frequency(), Frequency::Continuous);
    // What was recorded as the rest was recorded at the frequency of all.
    let before = ConfigRecorder.inverse(RESOURCE, &fields).unwrap();
    let said: Vec<_> = before.frequencies().collect();
    assert_eq!(before.frequency, Some(Frequency::Continuous));
    assert_eq!(said, [("AWS::EC2::Volume", Frequency::Daily), ("AWS::IAM::Role", Frequency::Continuous)]);
}

#[test]
fn another_role_is_replaced_once_the_archive_is_open() {
    let custom = Recorder { role_arn: "arn:aws:iam::111122223333:role/x/config-role".into(), ..live() };
    let changed = one(recommended(), custom.clone());
    assert_eq!(changed.fields, [Field::new("/role", "config-role", "service-linked")]);
    assert_eq!((changed.risk, &changed.stands_on), (Risk::Disruptive, &None));
    assert!(matches!(changed.steps[..], [Write::CreateRole, Write::PutRecorder { .. }]));
    let kept = json!({"record": "all", "role": "any"});
    assert_eq!(verdict(&plan(kept, &seen(custom)), "recorder"), Verdict::InSync);
}

#[test]
fn control_towers_recorder_is_left_alone_whatever_is_declared() {
    let theirs = Recorder { name: CONTROL_TOWER.into(), recording: false, ..live() };
    let found = plan(recommended(), &seen(theirs));
    assert_eq!(found.len(), 1);
    let told = matches!(&found[0].verdict, Verdict::Foreign { owner, evidence }
        if owner == "Control Tower" && evidence.contains(CONTROL_TOWER) && evidence.contains("does not record"));
    assert!(told, "{found:?}");
}

#[test]
fn a_recorder_is_started_waited_for_and_its_failure_told() {
    let spec = || json!({"record": "all", "deliverTo": "archive"});
    let of = |recorder| verdict(&plan(spec(), &seen(recorder)), "recording");
    assert_eq!(of(live()), Verdict::InSync);
    assert!(matches!(of(Recorder { status: "PENDING".into(), ..live() }), Verdict::Progressing(_)));
    assert!(matches!(of(Recorder { status: "Pending".into(), ..live() }), Verdict::Progressing(_)));
    assert!(matches!(of(Recorder { status: "DREAMING".into(), ..live() }), Verdict::Unknown { .. }));
    let failed = Recorder { status: "FAILURE".into(), error: Some("AccessDenied: no".into()), ..live() };
    let Verdict::Manual(task) = of(failed) else { panic!() };
    assert_eq!(task.found[0].1, "AccessDenied: no");
    let stopped = Recorder { recording: false, status: "PENDING".into(), ..live() };
    let started = change(&plan(spec(), &seen(stopped.clone())), "recording");
    assert_eq!((started.makes.len(), started.stands_on), (1, Some(vec![])), "the channel is there");
    assert_eq!(started.steps, [Write::Start { recorder: "default".into() }]);

    let off = json!({"record": "none"});
    assert_eq!(verdict(&plan(off.clone(), &seen(stopped)), "recording"), Verdict::InSync);
    let stop = change(&plan(off, &seen(live())), "recording");
    assert_eq!((stop.direction, stop.makes.len()), (Direction::Weakens, 0));
}

#[test]
fn what_cannot_work_is_told_before_any_call() {
    let says = |spec: Value, observed: &Observed, rule: &str| match verdict(&plan(spec, observed), rule) {
        Verdict::Unknown { fault } => fault.message,
        other => panic!("{other:?}"),
    };
    let nothing = Observed::default();
    assert!(says(json!({"deliverTo": "archive"}), &nothing, "delivery").contains("say `record: all`"));
    assert!(says(json!({"record": "all"}), &nothing, "recording").contains("say `deliverTo`"));
    let bare = Observed { recorder: Some(live()), ..Observed::default() };
    assert!(says(json!({"snapshots": "One_Hour"}), &bare, "delivery").contains("say `deliverTo`"));
    let mut alone = facts();
    alone.organization = None;
    let found = plan_with(&alone, recommended(), &seen(live()));
    assert!(matches!(verdict(&found, "delivery"), Verdict::Unknown { .. }), "{found:?}");
}

#[test]
fn what_is_imported_is_in_sync() {
    let others = BTreeMap::from([("AWS::EC2::Volume".to_owned(), Frequency::Daily)]);
    let custom = Recorder { role_arn: "arn:aws:iam::1:role/x".into(), overrides: others, ..live() };
    let only = Recorder { types: Types::Only(names(&["AWS::S3::Bucket"])), recording: false, ..live() };
    let with = Channel { topic_arn: Some(TOPIC_ARN.into()), snapshots: None, ..delivers() };
    for observed in
        [seen(live()), seen(custom), seen(only), through(with), Observed { channel: None, ..seen(live()) }]
    {
        let imported = ConfigRecorder.import(&facts(), &known(), &observed).unwrap();
        let found = plan(serde_json::to_value(imported).unwrap(), &observed);
        assert!(found.iter().all(|finding| finding.verdict == Verdict::InSync), "{found:?}");
    }
    assert_eq!(ConfigRecorder.import(&facts(), &known(), &Observed::default()), None);
}

#[test]
fn the_inverse_says_what_was_before_and_nothing_else() {
    let observed = seen(Recorder { types: all(&["AWS::S3::Bucket"], false), recording: false, ..live() });
    let found = plan(json!({"record": "all", "snapshots": "One_Hour", "retentionDays": 400}), &observed);
    let back = |rule: &str| {
        let fields = change(&found, rule).fields;
        serde_json::to_value(ConfigRecorder.inverse(RESOURCE, &fields).unwrap()).unwrap()
    };
    let said = |rule: &str, path: &str| back(rule).pointer(path).cloned();
    assert_eq!(said("recorder", "/exclude"), Some(json!(["AWS::S3::Bucket"])));
    assert_eq!(said("recorder", "/globalTypes"), Some(json!("none")));
    assert_eq!(said("recorder", "/record"), Some(Value::Null), "that would say more");
    assert_eq!(said("recording", "/record"), Some(json!("none")));
    let stopped = change(&plan(json!({"record": "none"}), &seen(live())), "recording").fields;
    let runs = ConfigRecorder.inverse(RESOURCE, &stopped).unwrap();
    let live = Recorder { types: all(&["AWS::S3::Bucket"], false), role_arn: "x".into(), ..live() };
    let found = ConfigRecorder.plan(&facts(), &known(), &runs, &seen(live));
    assert!(found.iter().all(|finding| finding.verdict == Verdict::InSync), "{found:?}");
    assert_eq!(said("delivery", "/snapshots"), Some(json!("TwentyFour_Hours")));
    assert_eq!(said("retention", "/retentionDays"), Some(json!(2557)));
    let created = change(&plan(recommended(), &Observed::default()), "delivery");
    assert_eq!(ConfigRecorder.inverse(RESOURCE, &created.fields), None);
}

#[test]
fn needs_are_the_archives_key_and_delivery_and_the_topic() {
    let needs = |spec| ConfigRecorder.needs(&facts(), &serde_json::from_value(spec).unwrap());
    assert_eq!(needs(json!({"record": "all", "topic": "none"})), []);
    let needs = needs(json!({"deliverTo": "archive", "topic": "config-changes"}));
    assert!(needs.iter().all(|need| need.hard));
    let things: Vec<Thing> = needs.into_iter().map(|need| need.thing).collect();
    let service =
        |thing: &Thing| matches!(thing, Thing::Delivery { service, .. } if service == "config.amazonaws.com");
    assert_eq!((things.len(), things.contains(&key()), things.contains(&topic())), (3, true, true));
    assert!(things.iter().any(service));
}
