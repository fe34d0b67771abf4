use serde_json::{Value, json};

use super::*;
use crate::aws::canned;
use crate::control::{Change, ChangeKind, Direction, Found, Risk, Verdict};
use crate::controls::tests::facts;

const KEY_ARN: &str = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd";
const ALIAS: &str = "alias/acme/logs";

fn known() -> Known {
    Known::new([(plan::key(&facts(), ALIAS), Found::Present { arn: KEY_ARN.into() })])
}

fn group() -> Group {
    Group { class: "STANDARD".into(), ..Group::default() }
}

fn kept(days: u32) -> Group {
    Group { retention: Some(days), ..group() }
}

fn spec(spec: Value) -> GroupsSpec {
    serde_json::from_value(spec).unwrap()
}

fn findings(declared: Value, live: &[(&str, Group)]) -> Vec<Finding<Write>> {
    let observed = live.iter().map(|(name, live)| ((*name).to_owned(), live.clone())).collect();
    Groups.plan(&facts(), &known(), &spec(declared), &observed)
}

fn rule(leaf: Value) -> Value {
    let mut rule = leaf;
    rule["select"] = json!({"names": ["*"]});
    json!({"rules": [rule]})
}

fn verdict(leaf: Value, live: Group) -> Verdict<Write> {
    let mut found = findings(rule(leaf), &[("a", live)]);
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0).verdict
}

fn change(leaf: Value, live: Group) -> Change<Write> {
    match verdict(leaf, live) {
        Verdict::Change(change) => change,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_groups_own_entry_comes_before_the_first_rule_that_selects_it() {
    let declared = json!({
        "rules": [
            {"select": {"names": ["acme/*"]}, "minimumRetentionDays": 90, "deletionProtection": true},
            {"select": {"names": ["*"]}, "retentionDays": 30},
        ],
        "groups": {"acme/a": {"retentionDays": 365}},
    });
    let found = findings(declared, &[("acme/a", group()), ("acme/b", kept(30)), ("other", kept(60))]);
    let said: Vec<(&str, &str)> = found
        .iter()
        .flat_map(|f| {
            f.change().into_iter().flat_map(|c| &c.fields).map(|field| (&*f.resource, &*field.path))
        })
        .collect();
    assert_eq!(
        said,
        [
            ("acme/a", "/groups/acme~1a/retentionDays"),
            ("acme/a", "/rules/0/deletionProtection"),
            ("acme/b", "/rules/0/minimumRetentionDays"),
            ("acme/b", "/rules/0/deletionProtection"),
            ("other", "/rules/1/retentionDays"),
        ]
    );
    assert_eq!(found[0], Finding::new("acme/a", GROUP, Verdict::InSync));
}

#[test]
fn a_group_that_must_exist_is_made_whole_and_makes_the_thing() {
    let entry = json!({"retentionDays": 365, "key": ALIAS, "deletionProtection": true, "class": "STANDARD"});
    let found = findings(json!({"groups": {"acme/audit": entry}}), &[]);
    let [finding] = &found[..] else { panic!("{found:?}") };
    let made = finding.change().expect("a change");
    assert_eq!(
        (made.kind, made.direction, made.risk),
        (ChangeKind::Create, Direction::Strengthens, Risk::Safe)
    );
    let key = plan::key(&facts(), ALIAS);
    let create = Write::Create {
        group: "acme/audit".into(),
        class: Some(spec::Class::Standard),
        key: Some(key.clone()),
        protected: Some(true),
        tags: facts().tags,
    };
    assert_eq!(made.steps, [create, Write::Retain { group: "acme/audit".into(), days: 365 }]);
    assert_eq!(made.stands_on, Some(vec![key]));
    assert!(matches!(&made.makes[..], [Thing::LogGroup { name, .. }] if name == "acme/audit"));
    assert!(made.fields.len() == 4 && made.fields.iter().all(|field| field.before.is_null()));

    let plain = findings(json!({"groups": {"a": {}}}), &[]);
    let plain = plain[0].change().expect("a change");
    assert_eq!(
        (&plain.fields[..], plain.steps.len()),
        (&[Field::new("/groups/a", Value::Null, json!({}))][..], 1)
    );
    assert_eq!(plain.stands_on, Some(Vec::new()), "it waits for no key");
    let falls_through =
        json!({"rules": [{"select": {"names": ["*"]}, "retentionDays": 30}], "groups": {"a": {}}});
    assert_eq!(findings(falls_through, &[])[0].change().unwrap().steps.len(), 2);
}

#[test]
fn shortening_destroys_and_weakens_and_lengthening_costs() {
    for (live, days, shorter) in
        [(group(), 365, true), (kept(731), 365, true), (kept(90), 365, false), (kept(1), 3653, false)]
    {
        let change = change(json!({"retentionDays": days}), live.clone());
        let (risk, direction) = if shorter {
            (Risk::Destructive, Direction::Weakens)
        } else {
            (Risk::Safe, Direction::Strengthens)
        };
        assert_eq!((change.risk, change.direction), (risk, direction), "{live:?}");
        assert_eq!((change.evidence.is_some(), change.cost.is_some()), (shorter, !shorter));
        assert_eq!(change.steps, [Write::Retain { group: "a".into(), days }]);
    }
    assert_eq!(verdict(json!({"retentionDays": 365}), kept(365)), Verdict::InSync);
    assert_eq!(verdict(json!({"retentionDays": "never"}), group()), Verdict::InSync);
    assert!(matches!(verdict(json!({"retentionDays": "never"}), kept(7)), Verdict::Manual(_)));
}

#[test]
fn at_least_leaves_alone_what_is_longer() {
    for live in [group(), kept(365), kept(400)] {
        assert_eq!(verdict(json!({"minimumRetentionDays": 365}), live), Verdict::InSync);
    }
    let raised = change(json!({"minimumRetentionDays": 365}), kept(180));
    assert_eq!(raised.fields, [Field::new("/rules/0/minimumRetentionDays", 180, 365)]);
    assert_eq!((raised.risk, raised.direction), (Risk::Safe, Direction::Strengthens));
}

#[test]
fn what_somebody_else_holds_is_left_alone_and_what_cannot_be_is_not_offered() {
    let policed = Group { retention_policy: Some("all-90".into()), ..kept(90) };
    assert_eq!(verdict(json!({"retentionDays": 90}), policed.clone()), Verdict::InSync);
    let Verdict::Foreign { owner, .. } = verdict(json!({"retentionDays": 365}), policed) else { panic!() };
    assert!(owner.contains("all-90"));
    let delivery = Group { class: "DELIVERY".into(), ..kept(1) };
    assert!(matches!(verdict(json!({"retentionDays": 365}), delivery.clone()), Verdict::NotOffered { .. }));
    let other_class = findings(json!({"groups": {"a": {"class": "STANDARD"}}}), &[("a", delivery)]);
    assert!(matches!(other_class[0].verdict, Verdict::Manual(_)));
}

#[test]
fn keys_go_by_their_names_and_wait_for_their_key_alone() {
    let with = |arn: &str| Group { key_arn: Some(arn.into()), ..group() };
    let other = "arn:aws:kms:eu-west-1:111122223333:key/other";
    assert_eq!(verdict(json!({"key": ALIAS}), with(KEY_ARN)), Verdict::InSync);
    assert_eq!(verdict(json!({"key": "none"}), group()), Verdict::InSync);
    for (key, live, before, direction, costs) in [
        (ALIAS, group(), "none", Direction::Strengthens, true),
        (ALIAS, with(other), "another key", Direction::Neutral, false),
        ("none", with(other), "another key", Direction::Weakens, false),
        ("none", with(KEY_ARN), "another key", Direction::Weakens, false),
    ] {
        let change = change(json!({"key": key}), live.clone());
        let before = if key == "none" && live == with(KEY_ARN) { ALIAS } else { before };
        assert_eq!(change.fields, [Field::new("/rules/0/key", before, key)]);
        assert_eq!((change.direction, change.cost.is_some()), (direction, costs), "{before}");
        let stands_on: Vec<Thing> = (key == ALIAS).then(|| plan::key(&facts(), ALIAS)).into_iter().collect();
        assert_eq!(change.stands_on, Some(stands_on));
        assert!(!serde_json::to_string(&change).unwrap().contains("arn:"));
    }
    // A key that cannot be looked at makes its own rule unknown, and no other.
    let fault = Fault::local(crate::fault::FaultKind::Denied, "kms:DescribeKey", "no");
    let known = Known::new([(plan::key(&facts(), ALIAS), Found::Unknown(fault))]);
    let declared = spec(rule(json!({"key": ALIAS, "deletionProtection": false})));
    let found = Groups.plan(&facts(), &known, &declared, &BTreeMap::from([("a".into(), with(KEY_ARN))]));
    assert!(matches!(found[0].verdict, Verdict::Unknown { .. }));
    assert_eq!(found[1].verdict, Verdict::InSync);
}

#[test]
fn protection_that_is_taken_away_weakens() {
    let on = Group { protected: true, ..group() };
    assert_eq!(verdict(json!({"deletionProtection": true}), on.clone()), Verdict::InSync);
    assert_eq!(change(json!({"deletionProtection": false}), on).direction, Direction::Weakens);
    assert_eq!(change(json!({"deletionProtection": true}), group()).direction, Direction::Strengthens);
}

#[test]
fn what_is_imported_is_in_sync_and_the_inverse_is_a_rule_for_the_one_group() {
    let live = [
        ("a", Group { key_arn: Some(KEY_ARN.into()), protected: true, ..kept(30) }),
        ("b", group()),
        ("c", Group { class: "DELIVERY".into(), ..kept(1) }),
    ];
    let observed: BTreeMap<String, Group> =
        live.iter().map(|(name, live)| ((*name).to_owned(), live.clone())).collect();
    let imported = Groups.import(&facts(), &known(), &observed).unwrap();
    let found = findings(serde_json::to_value(imported).unwrap(), &live);
    assert!(found.len() == 8 && found.iter().all(|one| one.verdict == Verdict::InSync), "{found:?}");

    let changed = change(json!({"retentionDays": 365}), kept(731));
    let back = Groups.inverse("a", &changed.fields).unwrap();
    assert_eq!(back, spec(json!({"rules": [{"select": {"names": ["a"]}, "retentionDays": 731}]})));
    let made = findings(json!({"groups": {"a": {"retentionDays": 365}}}), &[]);
    assert_eq!(Groups.inverse("a", &made[0].change().unwrap().fields), None);
}

#[test]
fn keys_are_needed_once_each() {
    let declared = json!({
        "rules": [{"select": {"names": ["*"]}, "key": ALIAS}, {"select": {"names": ["x"]}, "key": "none"}],
        "groups": {"a": {"key": ALIAS}, "b": {"key": "alias/acme/other"}},
    });
    let needs = Groups.needs(&facts(), &spec(declared));
    assert_eq!(needs, [ALIAS, "alias/acme/other"].map(|alias| Need::hard(plan::key(&facts(), alias))));
}

/// The answer as the API reference has it (DescribeLogGroups, "Response Syntax"), with what newer groups say.
#[tokio::test]
async fn the_list_is_read_as_aws_writes_it() {
    let body = json!({"logGroups": [
        {
            "logGroupName": "acme/audit", "creationTime": 1_393_545_600_000_i64, "retentionInDays": 731,
            "metricFilterCount": 2, "storedBytes": 0, "kmsKeyId": KEY_ARN, "logGroupClass": "STANDARD",
            "arn": "arn:aws:logs:eu-west-1:111122223333:log-group:acme/audit:*",
            "logGroupArn": "arn:aws:logs:eu-west-1:111122223333:log-group:acme/audit",
            "deletionProtectionEnabled": true, "inheritedProperties": [],
        },
        {"logGroupName": "old", "creationTime": 1_393_545_600_000_i64, "metricFilterCount": 0},
        {"logGroupName": "new", "logGroupClass": "ESSENTIALS", "retentionInDays": 90, "retentionPolicyName": "all-90"},
    ]});
    let sdk = canned::answering(200, &[], body.to_string());
    let answer = aws_sdk_cloudwatchlogs::Client::new(&sdk).describe_log_groups().send().await.expect("read");
    let told: BTreeMap<String, Group> =
        answer.log_groups.unwrap_or_default().into_iter().filter_map(live::told).collect();
    assert_eq!(told["acme/audit"], Group { key_arn: Some(KEY_ARN.into()), protected: true, ..kept(731) });
    assert_eq!(told["old"], group());
    let new = Group { class: "ESSENTIALS".into(), retention_policy: Some("all-90".into()), ..kept(90) };
    assert_eq!(told["new"], new);
}
