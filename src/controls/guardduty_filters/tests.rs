use super::spec::{Action, Condition};
use super::write::Patch;
use super::*;
use crate::control::{Change, ChangeKind, Direction, FaultKind};
use crate::controls::tests::facts;

fn criteria(kind: &str) -> BTreeMap<String, Condition> {
    let condition = Condition { equals: BTreeSet::from([kind.to_owned()]), ..Condition::default() };
    BTreeMap::from([("type".to_owned(), condition)])
}

fn quiet() -> live::Filter {
    live::Filter {
        description: "SEC-77".into(),
        action: "ARCHIVE".into(),
        rank: Some(1),
        criteria: criteria("Recon:EC2/Portscan"),
    }
}

fn seen(filter: live::Filter) -> Live {
    Live { administrator: None, filters: BTreeMap::from([("quiet".to_owned(), Sight::Seen(filter))]) }
}

fn verdict(filter: Value, live: &Live) -> Verdict<Write> {
    let spec = serde_json::from_value(json!({"filters": {"quiet": filter}})).unwrap();
    let mut found = Filters.plan(&facts(), &Known::default(), &spec, live);
    assert_eq!((found.len(), found[0].resource.as_str()), (1, "quiet"));
    found.remove(0).verdict
}

fn change(filter: Value, live: &Live) -> Change<Write> {
    match verdict(filter, live) {
        Verdict::Change(change) => change,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_filter_that_archives_weakens_and_says_why() {
    let of = |description: Option<&str>| {
        let criteria = json!({"type": {"equals": ["Recon:EC2/Portscan"]}});
        json!({"description": description, "action": "ARCHIVE", "criteria": criteria})
    };
    for nothing in [None, Some(" ")] {
        let Verdict::Unknown { fault } = verdict(of(nothing), &Live::default()) else { panic!() };
        assert_eq!(fault.kind, FaultKind::Invalid);
        assert!(fault.message.contains("write its `description`"), "{fault}");
    }
    let made = change(of(Some("SEC-77")), &Live::default());
    assert_eq!((made.kind, made.direction), (ChangeKind::Create, Direction::Weakens));
    assert!(made.evidence.is_some_and(|said| said.contains("nobody is told")));
    let harmless = json!({"action": "NOOP", "criteria": {"type": {"equals": ["x"]}}});
    assert_eq!(change(harmless, &Live::default()).direction, Direction::Neutral);
}

#[test]
fn only_what_differs_is_sent() {
    assert_eq!(verdict(json!({"action": "ARCHIVE", "rank": 1}), &seen(quiet())), Verdict::InSync);
    let moved = change(json!({"rank": 2}), &seen(quiet()));
    assert_eq!((&*moved.fields[0].path, moved.direction), ("/filters/quiet/rank", Direction::Neutral));
    let patch = Patch { rank: Some(2), ..Patch::default() };
    assert_eq!(moved.steps, [Write::Update { name: "quiet".into(), filter: patch }]);
    let wider = change(json!({"criteria": {"severity": {"lessThan": 9}}}), &seen(quiet()));
    assert_eq!(wider.direction, Direction::Weakens, "it hides other findings than before");
    let opened = change(json!({"action": "NOOP"}), &seen(quiet()));
    assert_eq!(opened.direction, Direction::Strengthens);
    let silent = live::Filter { description: String::new(), ..quiet() };
    assert!(matches!(verdict(json!({"action": "ARCHIVE"}), &seen(silent)), Verdict::Unknown { .. }));
}

#[test]
fn a_new_filter_needs_criteria_and_a_member_none() {
    assert!(matches!(verdict(json!({"action": "NOOP"}), &Live::default()), Verdict::Unknown { .. }));
    let member = Live { administrator: Some("777766665555".into()), ..seen(quiet()) };
    let Verdict::Foreign { owner, evidence } = verdict(json!({"rank": 2}), &member) else { panic!() };
    assert!(owner.contains("777766665555") && evidence.contains("/filters/quiet/rank"));
    assert_eq!(verdict(json!({"rank": 1}), &member), Verdict::InSync);
}

#[test]
fn what_was_made_is_undone_by_doing_nothing() {
    let fields = [
        Field::new("/filters/quiet/action", Value::Null, "ARCHIVE"),
        Field::new("/filters/quiet/criteria", Value::Null, json!({})),
    ];
    let undone = Filters.inverse("quiet", &fields).unwrap();
    assert_eq!(undone.filters["quiet"].action, Some(Action::Noop));
    let fields = [Field::new("/filters/quiet/rank", 1, 2)];
    assert_eq!(
        Filters.inverse("quiet", &fields).unwrap().filters["quiet"].rank.map(|rank| rank.get()),
        Some(1)
    );
}

#[test]
fn names_are_guarddutys() {
    for bad in ["ab", "with space", "sl/ash"] {
        let spec = json!({"filters": {bad: {}}});
        assert!(serde_json::from_value::<FiltersSpec>(spec).is_err(), "{bad}");
    }
}
