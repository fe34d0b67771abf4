use serde_json::json;

use super::*;
use crate::controls::tests::facts;

fn repository() -> Repository {
    Repository {
        scan_on_push: false,
        tag_mutability: "MUTABLE".into(),
        excluded_tags: vec![],
        lifecycle: Some(Sight::Seen(Lifecycle::None)),
    }
}

fn spec(rules: Value) -> RepositoriesSpec {
    serde_json::from_value(json!({"rules": rules})).unwrap()
}

fn plan(rules: Value, live: &[(&str, Repository)]) -> Vec<Finding<Put>> {
    let observed = live.iter().map(|(name, live)| ((*name).to_owned(), live.clone())).collect();
    Repositories.plan(&facts(), &Known::default(), &spec(rules), &observed)
}

fn change(rule: Value, live: Repository) -> Change<Put> {
    let findings = plan(json!([rule]), &[("api", live)]);
    assert_eq!(findings.len(), 1);
    findings[0].change().cloned().unwrap_or_else(|| panic!("{findings:?}"))
}

fn policy() -> Value {
    lifecycle::samples()[0].clone()
}

#[test]
fn the_first_rule_that_selects_a_repository_governs_it() {
    let rules = json!([
        {"select": {"names": ["legacy-*"]}, "scanOnPush": false},
        {"select": {"names": ["*"]}, "scanOnPush": true},
        {"select": {"names": ["nothing"]}, "scanOnPush": false}
    ]);
    let found = plan(rules, &[("api", repository()), ("legacy-tax", repository())]);
    assert_eq!(found[0].change().unwrap().fields, [Field::new("/rules/1/scanOnPush", false, true)]);
    assert_eq!(found[1], Finding::new("legacy-tax", "scan-on-push", Verdict::InSync));
    assert_eq!(found.len(), 2);
    assert_eq!(plan(json!([{"select": {"names": ["x"]}, "scanOnPush": true}]), &[("api", repository())]), []);
}

#[test]
fn each_setting_says_what_it_does() {
    let immutable = Repository { tag_mutability: "IMMUTABLE".into(), ..repository() };
    let scanned = Repository { scan_on_push: true, ..repository() };
    let all = json!({"names": ["*"]});
    for (rule, live, risk, direction) in [
        (json!({"scanOnPush": true}), repository(), Risk::Safe, Direction::Strengthens),
        (json!({"scanOnPush": false}), scanned, Risk::Safe, Direction::Weakens),
        (json!({"immutableTags": true}), repository(), Risk::Disruptive, Direction::Strengthens),
        (json!({"immutableTags": false}), immutable, Risk::Safe, Direction::Weakens),
        (json!({"lifecycle": policy()}), repository(), Risk::Destructive, Direction::Strengthens),
    ] {
        let mut rule = rule;
        rule["select"] = all.clone();
        let change = change(rule.clone(), live);
        assert_eq!((change.risk, change.direction), (risk, direction), "{rule}");
    }
}

#[test]
fn exclusions_that_somebody_set_stay_immutable_unless_they_exclude_everything() {
    let with = |word: &str, filters: &[&str]| Repository {
        tag_mutability: word.into(),
        excluded_tags: filters.iter().map(|f| (*f).to_owned()).collect(),
        ..repository()
    };
    let rule = json!([{"select": {"names": ["*"]}, "immutableTags": true}]);
    for (live, in_sync) in [
        (with("IMMUTABLE", &[]), true),
        (with("IMMUTABLE_WITH_EXCLUSION", &["latest*"]), true),
        (with("IMMUTABLE_WITH_EXCLUSION", &["*"]), false),
        (with("MUTABLE_WITH_EXCLUSION", &["release-*"]), false),
    ] {
        let found = plan(rule.clone(), &[("api", live.clone())]);
        assert_eq!(found[0].verdict == Verdict::InSync, in_sync, "{live:?}");
    }
    let unknown = plan(rule, &[("api", with("SOMETIMES", &[]))]);
    assert!(matches!(unknown[0].verdict, Verdict::Unknown { .. }));
}

#[test]
fn an_unreadable_lifecycle_hides_nothing_else() {
    let denied = Fault::local(FaultKind::Denied, "ecr:GetLifecyclePolicy", "no");
    let unreadable = Repository { lifecycle: Some(Sight::Unseen(denied.clone())), ..repository() };
    let rule = json!([{"select": {"names": ["*"]}, "scanOnPush": false, "lifecycle": policy()}]);
    let found = plan(rule, &[("api", unreadable), ("web", repository())]);
    let words: Vec<_> = found.iter().map(|f| (f.resource.as_str(), f.rule.as_str())).collect();
    assert_eq!(
        words,
        [("api", "scan-on-push"), ("api", "lifecycle"), ("web", "scan-on-push"), ("web", "lifecycle")]
    );
    assert_eq!(found[1].verdict, Verdict::Unknown { fault: denied });
    assert!(found[3].change().is_some());
}

#[test]
fn a_policy_is_never_deleted() {
    let live = Lifecycle::try_from(policy()).unwrap();
    let with = Repository { lifecycle: Some(Sight::Seen(live)), ..repository() };
    let rule = json!([{"select": {"names": ["*"]}, "lifecycle": "none"}]);
    assert!(matches!(plan(rule.clone(), &[("api", with)])[0].verdict, Verdict::Manual(_)));
    assert_eq!(plan(rule, &[("api", repository())])[0].verdict, Verdict::InSync);
}

#[test]
fn lifecycles_are_asked_for_only_where_a_rule_declares_one() {
    let ask = |rules| Repositories.ask(&facts(), &spec(rules));
    let plain = ask(json!([{"select": {"names": ["*"]}, "scanOnPush": true}]));
    assert_eq!(plain, ask(json!([{"select": {"names": ["api"]}, "scanOnPush": false}])));
    assert!(!plain.wants_lifecycle("api"));
    let some = ask(json!([
        {"select": {"names": ["api"]}, "scanOnPush": true},
        {"select": {"names": ["a*"]}, "lifecycle": policy()}
    ]));
    assert!(some.wants_lifecycle("app") && !some.wants_lifecycle("api") && !some.wants_lifecycle("web"));
}

#[test]
fn what_is_imported_is_in_sync_and_the_inverse_names_the_one_repository() {
    let live = BTreeMap::from([("api".to_owned(), repository()), ("web".to_owned(), repository())]);
    let imported = Repositories.import(&facts(), &Known::default(), &live).unwrap();
    let found = Repositories.plan(&facts(), &Known::default(), &imported, &live);
    assert_eq!(found.len(), 6);
    assert!(found.iter().all(|finding| finding.verdict == Verdict::InSync));

    let changed = change(json!({"select": {"names": ["*"]}, "lifecycle": policy()}), repository());
    let back = Repositories.inverse("api", &changed.fields).unwrap();
    assert_eq!(back, spec(json!([{"select": {"names": ["api"]}, "lifecycle": "none"}])));
}
