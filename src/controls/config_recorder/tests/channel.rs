//! The delivery channel and the retention.

use super::super::write::{Key, Place, Topic};
use super::*;

#[test]
fn a_channel_is_turned_rather_than_doubled_and_keeps_what_is_not_declared() {
    let spec = || json!({"deliverTo": "archive"});
    assert_eq!(verdict(&plan(spec(), &through(delivers())), "delivery"), Verdict::InSync);
    let elsewhere = Channel {
        name: "prod".into(),
        bucket: "old".into(),
        prefix: Some("config".into()),
        topic_arn: Some("arn:aws:sns:eu-west-1:999988887777:all".into()),
        ..delivers()
    };
    let turned = change(&plan(spec(), &through(elsewhere.clone())), "delivery");
    assert_eq!(turned.fields, [Field::new("/deliverTo", "bucket old", "archive")]);
    assert_eq!((turned.risk, turned.direction), (Risk::Disruptive, Direction::Neutral));
    assert!(turned.adopts.is_some_and(|adopts| adopts.contains("prod")));
    let carries = turned.carries.expect("it says so");
    assert!(carries.contains("topic all of account 999988887777") && carries.contains("TwentyFour_Hours"));
    let place = Place {
        name: "prod".into(),
        bucket: "acme-logs".into(),
        prefix: None,
        key: Key::Of(key()),
        topic: Topic::AsItIs,
        snapshots: Some("TwentyFour_Hours".into()),
    };
    assert_eq!(turned.steps, [Write::PutChannel { place }]);

    let folder = Channel { bucket: "acme-logs".into(), key_arn: None, ..elsewhere };
    let keyed = change(&plan(spec(), &through(folder)), "delivery");
    assert_eq!(keyed.fields, [Field::new("/deliverTo", "archive, without a key", "archive")]);
    let Some(Write::PutChannel { place }) = keyed.steps.first() else { panic!() };
    assert_eq!(place.prefix.as_deref(), Some("config"), "somebody's folder in the archive stays");
}

#[test]
fn topics_and_snapshots_have_words_for_nothing() {
    let with = Channel { topic_arn: Some(TOPIC_ARN.into()), ..delivers() };
    let of = |spec: Value, channel: &Channel| change(&plan(spec, &through(channel.clone())), "delivery");
    let same = plan(json!({"topic": "config-changes"}), &through(with.clone()));
    assert_eq!(verdict(&same, "delivery"), Verdict::InSync);
    let taken = of(json!({"topic": "none"}), &with);
    assert_eq!(taken.fields, [Field::new("/topic", "config-changes", "none")]);
    assert_eq!(taken.direction, Direction::Weakens);
    let given = of(json!({"topic": "config-changes"}), &delivers());
    assert_eq!(given.fields, [Field::new("/topic", "none", "config-changes")]);
    let Some(Write::PutChannel { place }) = given.steps.first() else { panic!() };
    assert_eq!((&place.topic, &place.key), (&Topic::Of("config-changes".into()), &Key::AsItIs));
    let oftener = of(json!({"snapshots": "One_Hour"}), &delivers());
    assert_eq!(oftener.direction, Direction::Strengthens);
    let never = of(json!({"snapshots": "none"}), &delivers());
    assert_eq!(never.direction, Direction::Weakens);
    let none = Channel { snapshots: None, ..delivers() };
    assert_eq!(verdict(&plan(json!({"snapshots": "none"}), &through(none)), "delivery"), Verdict::InSync);
    let unread = Known::new([(
        topic(),
        Found::Unknown(Fault::local(crate::fault::FaultKind::Denied, "sns:GetTopicAttributes", "no")),
    )]);
    let spec = serde_json::from_value(json!({"topic": "config-changes"})).unwrap();
    let found = ConfigRecorder.plan(&facts(), &unread, &spec, &through(delivers()));
    assert!(matches!(found[0].verdict, Verdict::Unknown { .. }), "unknown is never in sync");
}

#[test]
fn what_does_not_arrive_is_told() {
    let failed = Channel { failures: vec![("history".into(), "AccessDenied: closed".into())], ..delivers() };
    let Verdict::Manual(task) = verdict(&plan(json!({"deliverTo": "archive"}), &through(failed)), "delivery")
    else {
        panic!()
    };
    assert_eq!(task.found, [("history".to_owned(), "AccessDenied: closed".to_owned())]);
}

#[test]
fn a_shorter_memory_destroys_and_a_longer_one_does_not() {
    let of = |days: u32, live| {
        let observed = Observed { retention_days: live, ..seen(super::live()) };
        verdict(&plan(json!({"retentionDays": days}), &observed), "retention")
    };
    assert_eq!(of(2557, None), Verdict::InSync);
    let Verdict::Change(shorter) = of(400, None) else { panic!() };
    assert_eq!((shorter.risk, shorter.direction), (Risk::Destructive, Direction::Weakens));
    let Verdict::Change(longer) = of(400, Some(30)) else { panic!() };
    assert_eq!((longer.risk, longer.direction), (Risk::Safe, Direction::Strengthens));
    assert_eq!(longer.fields, [Field::new("/retentionDays", 30, 400)]);
}
