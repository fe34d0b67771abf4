mod wire;

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_sdk_wafv2::types::{
    AllowAction, BlockAction, CountryCode, DefaultAction, GeoMatchStatement, ManagedRuleGroupStatement,
    NoneAction, OverrideAction, Rule, RuleAction, Statement, VisibilityConfig, WebAcl,
};
use serde_json::{Value, json};

use super::live::{Group, Live, LiveSet, Observed, Seen};
use super::rules::merged;
use super::sets::{Lists, References};
use super::spec::AclsSpec;
use super::*;
use crate::control::{Change, ChangeKind, Direction, Field, Region, Risk, Thing, Verdict};
use crate::controls::tests::facts as plain_facts;

fn facts() -> Facts {
    let networks = json!({
        "office": ["192.0.2.0/24", "2001:db8::/32"], "denied": ["198.51.100.0/24"],
    });
    Facts { networks: Arc::new(serde_json::from_value(networks).unwrap()), ..plain_facts() }
}

fn spec(acl: Value) -> AclsSpec {
    serde_json::from_value(json!({"acls": {"baseline": acl}})).unwrap()
}

/// The IP sets of all lists, with ARNs.
fn arns() -> BTreeMap<String, String> {
    let wanted = sets::wanted(&facts(), ["office", "denied"]);
    let arn = |name: &String| format!("arn:aws:wafv2:eu-west-1:111122223333:regional/ipset/{name}/1");
    wanted.keys().map(|name| (name.clone(), arn(name))).collect()
}

fn lists() -> Lists {
    sets::names_of(&sets::wanted(&facts(), ["office", "denied"]))
}

/// A web ACL as WAF would tell it after `acl` was declared and made.
fn made(acl: Value) -> WebAcl {
    let spec = compare::completed(&spec(acl).acls["baseline"], None);
    let rules = merged(&[], &spec, &References { lists: &lists(), arns: &arns() }).unwrap();
    let allow = DefaultAction::builder().allow(AllowAction::builder().build()).build();
    let block = DefaultAction::builder().block(BlockAction::builder().build()).build();
    let blocks = spec.default_action == Some(words::Otherwise::Block);
    WebAcl::builder()
        .name("baseline")
        .id("1")
        .arn("arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/baseline/1")
        .default_action(if blocks { block } else { allow })
        .set_rules(Some(rules))
        .visibility_config(rules::visible(None, "baseline", &spec).unwrap())
        .capacity(900)
        .build()
        .unwrap()
}

/// Another rule, for Antarctica.
fn somebodys(name: &str, priority: i32) -> Rule {
    let geo = GeoMatchStatement::builder().country_codes(CountryCode::Aq).build();
    Rule::builder()
        .name(name)
        .priority(priority)
        .statement(Statement::builder().geo_match_statement(geo).build())
        .action(RuleAction::builder().block(BlockAction::builder().build()).build())
        .visibility_config(visible(name))
        .build()
        .unwrap()
}

fn visible(name: &str) -> VisibilityConfig {
    VisibilityConfig::builder()
        .metric_name(name)
        .cloud_watch_metrics_enabled(true)
        .sampled_requests_enabled(true)
        .build()
        .unwrap()
}

fn offered() -> Group {
    Group::Offered {
        rules: [
            ("SizeRestrictions_BODY".into(), Some(words::Action::Block)),
            ("NoUserAgent_HEADER".into(), None),
        ]
        .into(),
    }
}

fn observed(acl: Option<&WebAcl>, groups: &[(&str, Group)], capacity: u32) -> Observed {
    let live = acl.map(|acl| Live::of(acl, &lists()));
    let groups =
        groups.iter().map(|(name, group)| ((*name).to_owned(), Sight::Seen(group.clone()))).collect();
    let seen = Seen { live, groups, capacity: Some(Sight::Seen(capacity)), logging: None };
    let wanted = sets::wanted(&facts(), ["office", "denied"]);
    let sets = wanted.into_iter().map(|(name, one)| {
        let live = LiveSet { version: one.version.word().into(), addresses: one.addresses };
        (name, Sight::Seen(Some(live)))
    });
    Observed { acls: [("baseline".into(), Sight::Seen(seen))].into(), sets: sets.collect() }
}

const COMMON: &str = "AWSManagedRulesCommonRuleSet";

fn verdict(acl: Value, observed: &Observed) -> Verdict<Write> {
    let found = WebAcls::<false>.plan(&facts(), &Known::default(), &spec(acl), observed);
    found.into_iter().find(|one| one.rule == "web-acl").unwrap().verdict
}

fn change(acl: Value, observed: &Observed) -> Change<Write> {
    match verdict(acl, observed) {
        Verdict::Change(change) => change,
        other => panic!("{other:?}"),
    }
}

/// What a manual task found.
fn told(acl: Value, observed: &Observed) -> String {
    match verdict(acl, observed) {
        Verdict::Manual(task) => format!("{:?}", task.found),
        other => panic!("{other:?}"),
    }
}

fn paths(change: &Change<Write>) -> Vec<&str> {
    change.fields.iter().map(|field| field.path.trim_start_matches("/acls/baseline")).collect()
}

fn example() -> Value {
    let whole: Value = serde_yaml::from_str(docs::REGIONAL_EXAMPLE).unwrap();
    let mut acl = whole["acls"]["baseline"].clone();
    acl.as_object_mut()
        .unwrap()
        .retain(|key, _| !["logging", "responses", "description"].contains(&key.as_str()));
    acl["networks"]["denied"]["response"] = json!({"status": 404, "body": "none"});
    acl
}

fn groups() -> [(&'static str, Group); 2] {
    [(COMMON, offered()), ("AWSManagedRulesKnownBadInputsRuleSet", offered())]
}

#[test]
fn what_was_made_as_declared_is_in_sync_and_tells_the_same() {
    let live = made(example());
    let observed = observed(Some(&live), &groups(), 900);
    assert_eq!(verdict(example(), &observed), Verdict::InSync);
    let imported = WebAcls::<false>.import(&facts(), &Known::default(), &observed).unwrap();
    let acl = serde_json::to_value(&imported.acls["baseline"]).unwrap();
    assert_eq!(verdict(acl, &observed), Verdict::InSync);
}

#[test]
fn an_absent_web_acl_is_made_with_its_sets_and_counts_unless_it_is_said() {
    let acl = json!({"networks": {"office": {"lists": ["office"]}}, "managed": {COMMON: {}}});
    let mut seen = observed(None, &[(COMMON, offered())], 702);
    seen.sets.values_mut().for_each(|set| *set = Sight::Seen(None));
    let change = change(acl, &seen);
    assert_eq!((change.kind, change.risk), (ChangeKind::Create, Risk::Safe));
    let after = |path: &str| {
        let field = change.fields.iter().find(|field| field.path == format!("/acls/baseline{path}"));
        field.map(|field| field.after.clone())
    };
    assert_eq!(after("/defaultAction"), Some(json!("allow")));
    assert_eq!(after("/networks/office/action"), Some(json!("count")));
    assert_eq!(after("/networks/office/priority"), Some(json!(0)));
    assert_eq!(after(&format!("/managed/{COMMON}/mode")), Some(json!("count")));
    assert_eq!(after(&format!("/managed/{COMMON}/priority")), Some(json!(1)));
    let steps: Vec<String> = change.steps.iter().map(ToString::to_string).collect();
    assert_eq!(
        steps,
        [
            "create the IP set baseline-office-ipv4",
            "create the IP set baseline-office-ipv6",
            "create the web ACL baseline",
        ]
    );
    let (account, region) = (facts().scope.account, Region::new("eu-west-1"));
    assert_eq!(change.makes, [Thing::WebAcl { account, region, name: "baseline".into() }]);
    assert!(change.cost.is_some_and(|cost| cost.contains("charged by the month")));
}

#[test]
fn what_blocks_says_so_and_what_lets_through_weakens() {
    let live = made(example());
    let observed = observed(Some(&live), &groups(), 900);
    for (pointer, value, direction, risk) in [
        (format!("/managed/{COMMON}/mode"), json!("enforce"), Direction::Strengthens, Risk::Disruptive),
        ("/defaultAction".into(), json!("block"), Direction::Strengthens, Risk::Disruptive),
        (
            "/managed/AWSManagedRulesKnownBadInputsRuleSet/mode".into(),
            json!("count"),
            Direction::Weakens,
            Risk::Safe,
        ),
        (
            format!("/managed/{COMMON}/overrides/SizeRestrictions_BODY"),
            json!("none"),
            Direction::Strengthens,
            Risk::Safe,
        ),
        (
            format!("/managed/{COMMON}/overrides/SizeRestrictions_BODY"),
            json!("allow"),
            Direction::Weakens,
            Risk::Safe,
        ),
        ("/rates/sign-in/limit".into(), json!(10), Direction::Strengthens, Risk::Disruptive),
        ("/rates/sign-in/limit".into(), json!(1000), Direction::Weakens, Risk::Safe),
        ("/rates/sign-in/window".into(), json!(60), Direction::Weakens, Risk::Safe),
        (
            "/rates/sign-in/scopeDown/methods".into(),
            json!(["POST", "PUT"]),
            Direction::Strengthens,
            Risk::Disruptive,
        ),
        ("/rates/sign-in/scopeDown/exceptFrom".into(), json!([]), Direction::Strengthens, Risk::Disruptive),
        (
            "/rates/sign-in/scopeDown/exceptFrom".into(),
            json!(["office", "denied"]),
            Direction::Weakens,
            Risk::Safe,
        ),
        ("/networks/denied/action".into(), json!("count"), Direction::Weakens, Risk::Safe),
        ("/networks/office/lists".into(), json!(["denied", "office"]), Direction::Weakens, Risk::Safe),
        ("/metrics".into(), json!(false), Direction::Weakens, Risk::Safe),
        ("/networks/office/priority".into(), json!(5), Direction::Neutral, Risk::Safe),
    ] {
        let mut acl = example();
        *acl.pointer_mut(&pointer).expect(&pointer) = value.clone();
        let change = change(acl, &observed);
        // A rule that stops blocking loses its response, which is told beside it.
        assert_eq!(paths(&change)[0], pointer.as_str());
        assert_eq!(paths(&change).len(), if pointer == "/networks/denied/action" { 2 } else { 1 });
        assert_eq!((change.direction, change.risk), (direction, risk), "{pointer} {value}");
        assert_eq!(change.evidence.is_some(), risk == Risk::Disruptive, "{pointer}");
    }
}

#[test]
fn a_list_that_gets_its_first_ipv6_network_grows() {
    let mut live = made(example());
    for rule in live.rules.as_mut().unwrap().iter_mut().filter(|rule| rule.name == "office") {
        let both = rule.statement.as_ref().unwrap().or_statement.clone().unwrap();
        rule.statement = both.statements().first().cloned();
    }
    let seen = observed(Some(&live), &groups(), 900);
    for (action, direction) in [("allow", Direction::Weakens), ("block", Direction::Strengthens)] {
        let mut seen = seen.clone();
        let Some(Sight::Seen(acl)) = seen.acls.get_mut("baseline") else { panic!("it was seen") };
        let rule = acl.live.as_mut().unwrap().spec.networks.get_mut("office").unwrap();
        rule.action = serde_json::from_value(json!(action)).unwrap();
        let mut wanted = example();
        wanted["networks"]["office"]["action"] = json!(action);
        let change = change(wanted, &seen);
        assert_eq!(paths(&change), ["/networks/office/lists"]);
        assert_eq!(change.fields[0].before, json!(["IP set baseline-office-ipv4"]));
        assert_eq!(change.direction, direction, "{action}");
    }
}

#[test]
fn rules_of_others_stay_and_keep_their_place() {
    let mut live = made(json!({"managed": {COMMON: {"priority": 10, "mode": "enforce"}}}));
    live.rules.as_mut().unwrap().push(somebodys("penguins", 20));
    let observed = observed(Some(&live), &[(COMMON, offered())], 900);
    let acl = json!({"managed": {COMMON: {"mode": "count"}}});
    let change = change(acl, &observed);
    assert!(change.carries.is_some_and(|carries| carries.contains("penguins")));
    let mut dark = live.clone();
    let rules = dark.rules.as_mut().unwrap();
    rules.last_mut().unwrap().visibility_config.as_mut().unwrap().cloud_watch_metrics_enabled = false;
    let seen = self::observed(Some(&dark), &[(COMMON, offered())], 900);
    let change = self::change(json!({"metrics": true}), &seen);
    assert_eq!(change.fields, [Field::new("/acls/baseline/metrics", "some", true)]);
    let lit = merged(
        dark.rules(),
        &spec(json!({"metrics": true})).acls["baseline"],
        &References { lists: &lists(), arns: &arns() },
    )
    .unwrap();
    assert!(lit.iter().all(|rule| rule.visibility_config.as_ref().unwrap().cloud_watch_metrics_enabled));
    let acl = json!({"managed": {COMMON: {"priority": 20}}});
    assert!(told(acl, &observed).contains("penguins"));
    let acl = json!({"networks": {"penguins": {"lists": ["denied"]}}});
    assert!(told(acl, &observed).contains("does something else"));
}

#[test]
fn a_group_under_another_name_is_taken_over() {
    let group = ManagedRuleGroupStatement::builder().vendor_name("AWS").name(COMMON).build().unwrap();
    let rule = Rule::builder()
        .name("AWS-AWSManagedRulesCommonRuleSet")
        .priority(3)
        .statement(Statement::builder().managed_rule_group_statement(group).build())
        .override_action(OverrideAction::builder().none(NoneAction::builder().build()).build())
        .visibility_config(visible("x"))
        .build()
        .unwrap();
    let mut live = made(json!({}));
    live.rules = Some(vec![rule.clone()]);
    let observed = observed(Some(&live), &[(COMMON, offered())], 700);
    let acl = json!({"managed": {COMMON: {"mode": "count", "priority": 3}}});
    let change = change(acl.clone(), &observed);
    assert_eq!(paths(&change), [format!("/managed/{COMMON}/mode")]);
    assert!(change.adopts.is_some());
    let spec = &spec(acl).acls["baseline"];
    let after = merged(&[rule], spec, &References { lists: &lists(), arns: &arns() }).unwrap();
    assert_eq!(after.len(), 1);
    assert_eq!(after[0].name, "AWS-AWSManagedRulesCommonRuleSet");
}

#[test]
fn what_waf_would_refuse_or_ignore_is_told() {
    let live = made(json!({"managed": {COMMON: {"priority": 10}}}));
    let none = [(COMMON, Group::NotOffered { why: "no such group".into() })];
    let old = [(COMMON, Group::NoSuchVersion { available: vec!["Version_1.18".into()] })];
    let known = [(COMMON, offered())];
    let with = |more: Value| json!({"managed": {COMMON: more}});
    for (acl, groups, capacity, why) in [
        (with(json!({})), &none, 900, "no such group"),
        (with(json!({"version": "Version_1.2"})), &old, 900, "Version_1.2 has expired"),
        (
            with(json!({"overrides": {"SizeRestrictions_body": "count"}})),
            &known,
            900,
            "no rule `SizeRestrictions_body`",
        ),
        (with(json!({"mode": "enforce"})), &known, 5001, "5001 capacity units"),
        (json!({"networks": {"x": {"action": "block"}}}), &known, 900, "names no list"),
        (json!({"rates": {"x": {"action": "block"}}}), &known, 900, "`limit` is not said"),
        (
            json!({"rates": {"x": {"action": "block", "limit": 10, "response": {"body": "gone"}}}}),
            &known,
            900,
            "has no `gone`",
        ),
    ] {
        let found = told(acl, &observed(Some(&live), groups, capacity));
        assert!(found.contains(why), "{why}: {found}");
    }
    let dear = observed(Some(&live), &known, 1600);
    let cost = change(with(json!({"mode": "enforce"})), &dear).cost.unwrap();
    assert!(cost.contains("1600 capacity units"), "{cost}");
}

#[test]
fn firewall_managers_are_left_alone_and_unknown_is_never_in_sync() {
    let mut live = made(example());
    live.managed_by_firewall_manager = true;
    assert!(matches!(verdict(example(), &observed(Some(&live), &[], 0)), Verdict::Foreign { .. }));
    let live = made(example());
    let mut seen = observed(Some(&live), &groups(), 900);
    let fault = Fault::local(crate::fault::FaultKind::Denied, "wafv2:DescribeManagedRuleGroup", "no");
    if let Some(Sight::Seen(acl)) = seen.acls.get_mut("baseline") {
        acl.groups.insert(COMMON.into(), Sight::Unseen(fault));
    }
    assert!(matches!(verdict(example(), &seen), Verdict::Unknown { .. }));
}

#[test]
fn an_ip_set_holds_what_the_list_holds() {
    let live = made(example());
    let set = |addresses: &[&str]| {
        let mut seen = observed(Some(&live), &groups(), 900);
        let addresses = addresses.iter().map(|one| (*one).to_owned()).collect();
        let one = LiveSet { version: "IPV4".into(), addresses };
        seen.sets.insert("baseline-denied-ipv4".into(), Sight::Seen(Some(one)));
        let found = WebAcls::<false>.plan(&facts(), &Known::default(), &spec(example()), &seen);
        found.into_iter().find(|one| one.resource == "baseline-denied-ipv4").unwrap().verdict
    };
    assert_eq!(set(&["198.51.100.0/24"]), Verdict::InSync);
    let Verdict::Change(more) = set(&[]) else { panic!("it lacks one") };
    assert_eq!((more.direction, more.risk), (Direction::Strengthens, Risk::Disruptive));
    let Verdict::Change(less) = set(&["198.51.100.0/24", "203.0.113.0/24"]) else {
        panic!("it has one more")
    };
    assert_eq!((less.direction, less.risk), (Direction::Weakens, Risk::Safe));
    assert_eq!(less.fields[0].path, "/networks/denied");
}

#[test]
fn one_document_cannot_give_two_rules_one_place() {
    let read = |acl: Value| {
        let spec = serde_json::from_value::<AclsSpec>(json!({"acls": {"a": acl}}));
        spec.map_err(|error| error.to_string()).err().unwrap_or_default()
    };
    let rule = json!({"priority": 1});
    let error = read(json!({"networks": {"x": rule}, "rates": {"y": rule}}));
    assert!(error.contains("`x` and `y` both have priority 1"), "{error}");
    let error = read(json!({"networks": {"x": {}}, "rates": {"x": {}}}));
    assert!(error.contains("two rules are called `x`"), "{error}");
    assert!(read(json!({"networks": {"no spaces": {}}})).contains("cannot be a name"));
    assert!(read(json!({"rates": {"x": {"window": 90}}})).contains("60, 120, 300 or 600"));
    assert!(read(json!({"logging": {"to": "s3://acme"}})).contains("aws-waf-logs-"));
}
