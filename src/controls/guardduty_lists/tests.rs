use super::live::List;
use super::write::Patch;
use super::*;
use crate::control::{Change, ChangeKind, Direction, Verdict};
use crate::controls::tests::facts;

fn of(status: &str) -> List {
    List { format: "TXT".into(), location: "s3://acme/a.txt".into(), status: status.into() }
}

fn seen(kind: Kind, list: List) -> Live {
    let lists = BTreeMap::from([("one".to_owned(), list)]);
    match kind {
        Kind::Trusted => Live { trusted: lists, ..Live::default() },
        Kind::Threat => Live { threats: lists, ..Live::default() },
    }
}

fn verdict(kind: Kind, list: Value, live: &Live) -> Verdict<Write> {
    let spec = serde_json::from_value(json!({kind.map(): {"one": list}})).unwrap();
    let mut found = Lists.plan(&facts(), &Known::default(), &spec, live);
    assert_eq!((found.len(), found[0].resource.as_str()), (1, "one"));
    found.remove(0).verdict
}

fn change(kind: Kind, list: Value, live: &Live) -> Change<Write> {
    match verdict(kind, list, live) {
        Verdict::Change(change) => change,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_trusted_list_weakens_and_a_threat_list_strengthens() {
    let whole = json!({"format": "TXT", "location": "s3://acme/a.txt", "active": true});
    for (kind, made, off) in [
        (Kind::Trusted, Direction::Weakens, Direction::Strengthens),
        (Kind::Threat, Direction::Strengthens, Direction::Weakens),
    ] {
        let created = change(kind, whole.clone(), &Live::default());
        assert_eq!((created.kind, created.direction), (ChangeKind::Create, made));
        assert_eq!(created.evidence.is_some(), kind == Kind::Trusted);
        let ended = change(kind, json!({"active": false}), &seen(kind, of("ACTIVE")));
        assert_eq!(ended.direction, off);
        let moved = change(kind, json!({"location": "s3://acme/b.txt"}), &seen(kind, of("ACTIVE")));
        let patch = Patch { location: Some("s3://acme/b.txt".into()), active: Some(true) };
        assert_eq!(moved.steps, [Write::Update { kind, name: "one".into(), list: patch }]);
        assert_eq!(
            moved.direction == Direction::Weakens,
            kind == Kind::Trusted,
            "other addresses are hidden"
        );
    }
}

#[test]
fn what_guardduty_is_at_is_in_progress_and_what_it_could_not_read_is_told() {
    let active = || json!({"active": true});
    for (status, wanted) in [("ACTIVATING", active()), ("DEACTIVATING", json!({"active": false}))] {
        let verdict = verdict(Kind::Threat, wanted, &seen(Kind::Threat, of(status)));
        assert!(matches!(verdict, Verdict::Progressing(_)), "{status}");
    }
    let again = change(Kind::Threat, active(), &seen(Kind::Threat, of("ERROR")));
    assert_eq!(again.fields, [Field::new("/threats/one/active", "ERROR", true)]);
    assert!(again.evidence.is_some_and(|said| said.contains("could not read")));
    assert_eq!(verdict(Kind::Threat, active(), &seen(Kind::Threat, of("ACTIVE"))), Verdict::InSync);
}

#[test]
fn what_aws_has_no_room_for_or_cannot_change_is_for_a_person() {
    let spec = serde_json::from_value(json!({"trusted": {"two": {"format": "TXT", "location": "s3://a/b"}}}));
    let found = Lists.plan(&facts(), &Known::default(), &spec.unwrap(), &seen(Kind::Trusted, of("ACTIVE")));
    assert!(matches!(&found[0].verdict, Verdict::Manual(task) if task.found[0].1 == "one"), "{found:?}");
    let other = verdict(Kind::Trusted, json!({"format": "STIX"}), &seen(Kind::Trusted, of("ACTIVE")));
    assert!(matches!(other, Verdict::Manual(task) if task.title.contains("cannot be changed")));
    let two = json!({"trusted": {"a": {}, "b": {}}});
    assert!(
        serde_json::from_value::<ListsSpec>(two).is_err_and(|error| error.to_string().contains("1 at most"))
    );
}

#[test]
fn a_new_list_needs_a_file_and_a_members_lists_are_left_alone() {
    assert!(matches!(
        verdict(Kind::Threat, json!({"active": true}), &Live::default()),
        Verdict::Unknown { .. }
    ));
    assert_eq!(verdict(Kind::Threat, json!({"active": false}), &Live::default()), Verdict::InSync);
    let live = Live { administrator: Some("777766665555".into()), ..seen(Kind::Threat, of("ACTIVE")) };
    let theirs = verdict(Kind::Threat, json!({"active": false}), &live);
    assert!(matches!(theirs, Verdict::Foreign { owner, .. } if owner.contains("777766665555")));
}

#[test]
fn what_was_made_is_undone_by_not_using_it() {
    let fields = [
        Field::new("/threats/one/location", Value::Null, "s3://acme/a.txt"),
        Field::new("/threats/one/active", Value::Null, true),
    ];
    let undone = Lists.inverse("one", &fields).unwrap();
    assert_eq!((undone.threats["one"].active, &undone.threats["one"].location), (Some(false), &None));
}
