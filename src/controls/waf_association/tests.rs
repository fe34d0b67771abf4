use std::collections::BTreeMap;

use serde_json::json;

use super::plan::{in_plan, thing};
use super::resource::{LiveAcl, OtherAcl};
use super::spec::{Rules as _, Scheme};
use super::*;
use crate::control::{Change, Direction, FaultKind, Found, Risk, Verdict};
use crate::controls::tests::facts;

mod wire;

const BALANCER: ResourceType = ResourceType::ApplicationLoadBalancer;

fn rules(spec: serde_json::Value) -> Vec<AssociationRule> {
    let spec: AssociationSpec = serde_json::from_value(json!({ "rules": spec })).expect("a spec");
    spec.rules
}

fn arn(name: &str) -> String {
    format!("arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/{name}/0a1b2c3d-1111")
}

/// A load balancer that the internet reaches, with this web ACL.
fn balancer(name: &str, acl: Option<&str>) -> Resource {
    Resource {
        kind: BALANCER,
        called: name.into(),
        name: name.into(),
        arn: format!("arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/{name}/50dc"),
        scheme: Scheme::InternetFacing,
        tags: Sight::Seen(BTreeMap::new()),
        acl: Sight::Seen(acl.map(|name| LiveAcl(arn(name)))),
    }
}

fn observed(resources: impl IntoIterator<Item = Resource>) -> Observed {
    let by_name = resources.into_iter().map(|one| (one.name.clone(), Sight::Seen(one)));
    Observed { found: [(BALANCER, Sight::Seen(by_name.collect()))].into(), others: BTreeMap::new() }
}

fn with(mut observed: Observed, acl: &str, firewall_manager: bool, inspects: bool) -> Observed {
    let other = Sight::Seen(OtherAcl { firewall_manager, inspects });
    observed.others.insert(LiveAcl(arn(acl)), other);
    observed
}

/// The web ACLs `baseline` and `other` are there.
fn known() -> Known {
    let there = |name: &str| (thing(&facts(), name), Found::Present { arn: arn(name) });
    Known::new([there("baseline"), there("other")])
}

fn planned(rules: &[AssociationRule], observed: &Observed) -> Vec<Finding<Write>> {
    plan::findings(&facts(), &known(), rules, observed)
}

fn verdict(rules: &[AssociationRule], observed: &Observed) -> Verdict<Write> {
    let [finding] = planned(rules, observed).try_into().expect("one finding");
    finding.verdict
}

fn change(rules: &[AssociationRule], observed: &Observed) -> Change<Write> {
    match verdict(rules, observed) {
        Verdict::Change(change) => change,
        other => panic!("{other:?}"),
    }
}

fn all_to_baseline() -> Vec<AssociationRule> {
    rules(json!([{"select": {"types": ["APPLICATION_LOAD_BALANCER"]}, "acl": "baseline"}]))
}

#[test]
fn a_resource_without_a_web_acl_gets_the_declared_one() {
    let change = change(&all_to_baseline(), &observed([balancer("shop", None)]));
    assert_eq!(change.fields, [Field::new("/rules/0/acl", "none", "baseline")]);
    assert_eq!((change.risk, change.direction), (Risk::Disruptive, Direction::Strengthens));
    assert_eq!(change.stands_on, Some(vec![thing(&facts(), "baseline")]));
    assert_eq!(change.adopts, None);
    assert!(change.cost.is_some_and(|cost| cost.contains("each request")));
    let [step] = change.steps.try_into().expect("one step");
    assert_eq!(step.to_string(), "associate web ACL baseline with load-balancer/shop");
}

#[test]
fn what_has_the_declared_one_or_an_accepted_one_is_in_sync() {
    assert_eq!(verdict(&all_to_baseline(), &observed([balancer("shop", Some("baseline"))])), Verdict::InSync);
    let accepting = rules(json!([
        {"select": {"types": ["APPLICATION_LOAD_BALANCER"]}, "acl": "baseline", "accept": ["team-*"]},
    ]));
    assert_eq!(verdict(&accepting, &observed([balancer("shop", Some("team-shop"))])), Verdict::InSync);
    let other = with(observed([balancer("shop", Some("steam"))]), "steam", false, true);
    assert!(matches!(verdict(&accepting, &other), Verdict::Change(_)));
    let none = rules(json!([{"select": {"types": ["APPLICATION_LOAD_BALANCER"]}, "acl": "none"}]));
    assert_eq!(verdict(&none, &observed([balancer("shop", None)])), Verdict::InSync);
}

#[test]
fn replacing_another_web_acl_weakens_unless_that_one_lets_everything_in() {
    let live = observed([balancer("shop", Some("theirs"))]);
    let inspecting = change(&all_to_baseline(), &with(live.clone(), "theirs", false, true));
    assert_eq!(inspecting.fields, [Field::new("/rules/0/acl", "theirs", "baseline")]);
    assert_eq!((inspecting.risk, inspecting.direction), (Risk::Disruptive, Direction::Weakens));
    assert_eq!(inspecting.adopts.as_deref(), Some("a resource that has the web ACL theirs"));
    assert!(inspecting.evidence.is_some_and(|text| text.contains("what the web ACL theirs blocks")));
    let empty = change(&all_to_baseline(), &with(live, "theirs", false, false));
    assert_eq!(empty.direction, Direction::Strengthens);
}

#[test]
fn taking_a_web_acl_off_weakens_and_stands_on_none() {
    let none = rules(json!([{"select": {"types": ["APPLICATION_LOAD_BALANCER"]}, "acl": "none"}]));
    let live = with(observed([balancer("shop", Some("theirs"))]), "theirs", false, false);
    let change = change(&none, &live);
    assert_eq!(change.fields, [Field::new("/rules/0/acl", "theirs", "none")]);
    assert_eq!((change.direction, change.stands_on), (Direction::Weakens, Some(vec![])));
    assert_eq!(change.steps[0].to_string(), "take the web ACL off load-balancer/shop");
}

#[test]
fn firewall_manager_is_left_alone() {
    let live =
        with(observed([balancer("shop", Some("FMManagedWebACLV2-p"))]), "FMManagedWebACLV2-p", true, true);
    let foreign = |verdict| match verdict {
        Verdict::Foreign { owner, evidence } => owner == "Firewall Manager" && evidence.contains("FMManaged"),
        _ => false,
    };
    assert!(foreign(verdict(&all_to_baseline(), &live)));
    let none = rules(json!([{"select": {"types": ["APPLICATION_LOAD_BALANCER"]}, "acl": "none"}]));
    assert!(foreign(verdict(&none, &live)));
}

#[test]
fn a_web_acl_of_waf_classic_is_said_to_be_one() {
    let classic = "arn:aws:waf-regional:eu-west-1:111122223333:webacl/0a1b2c3d";
    let acl = Sight::Seen(Some(LiveAcl(classic.into())));
    let change = change(&all_to_baseline(), &observed([Resource { acl, ..balancer("shop", None) }]));
    assert_eq!(change.fields, [Field::new("/rules/0/acl", "one of AWS WAF Classic", "baseline")]);
    assert_eq!(change.direction, Direction::Weakens);
    assert!(!serde_json::to_string(&change).expect("JSON").contains("arn:"));
}

#[test]
fn the_first_rule_that_selects_governs() {
    let rules = rules(json!([
        {"select": {"types": ["APPLICATION_LOAD_BALANCER"], "names": ["quiet-*"]}},
        {"select": {"types": ["API_GATEWAY"]}, "acl": "other"},
        {"select": {"types": ["APPLICATION_LOAD_BALANCER"], "tags": {"exposure": "pub*"}}, "acl": "other"},
        {"select": {"types": ["APPLICATION_LOAD_BALANCER"], "scheme": "internal"}, "acl": "none"},
        {"select": {"types": ["APPLICATION_LOAD_BALANCER"]}, "acl": "baseline"},
    ]));
    let place = |one: &Resource| rules.governing(one).expect("known").map(|(place, _)| place);
    let tagged = |value: &str| Sight::Seen([("exposure".to_owned(), value.to_owned())].into());
    let shop = balancer("shop", None);
    assert_eq!(place(&balancer("quiet-1", None)), Some(0));
    assert_eq!(place(&Resource { tags: tagged("public"), ..shop.clone() }), Some(2));
    assert_eq!(place(&Resource { tags: tagged("none"), scheme: Scheme::Internal, ..shop.clone() }), Some(3));
    assert_eq!(place(&shop), Some(4));
    assert_eq!(place(&Resource { kind: ResourceType::Appsync, ..shop.clone() }), None);
    assert!(!rules.want_tags(&balancer("quiet-1", None)) && rules.want_tags(&shop));
    assert_eq!(rules.types(), [BALANCER, ResourceType::ApiGateway]);
    assert!(planned(&rules, &observed([balancer("quiet-1", None)])).is_empty(), "a rule without `acl`");
}

#[test]
fn what_could_not_be_read_is_one_unknown_and_hides_nothing_else() {
    let fault = Fault::local(FaultKind::Denied, "wafv2:GetWebACLForResource", "no");
    let shop = balancer("shop", Some("baseline"));
    let mut live = observed([shop, Resource { acl: Sight::Unseen(fault.clone()), ..balancer("desk", None) }]);
    live.found.insert(ResourceType::CognitoUserPool, Sight::Unseen(fault.clone()));
    let away = Fault::local(FaultKind::NotOffered, "apprunner:ListServices", "App Runner: no endpoint");
    live.found.insert(ResourceType::AppRunnerService, Sight::Unseen(away));
    let told: Vec<(String, Verdict<Write>)> =
        planned(&all_to_baseline(), &live).into_iter().map(|one| (one.resource, one.verdict)).collect();
    let unknown = Verdict::Unknown { fault };
    let wanted = [
        ("load-balancer/desk", unknown.clone()),
        ("load-balancer/shop", Verdict::InSync),
        ("user-pool/*", unknown),
        ("app-runner-service/*", Verdict::NotOffered { source: "App Runner: no endpoint".into() }),
    ];
    assert_eq!(told, wanted.map(|(name, verdict)| (name.to_owned(), verdict)));
}

#[test]
fn who_cannot_be_told_apart_without_tags_is_unknown() {
    let rules = rules(json!([
        {"select": {"types": ["APPLICATION_LOAD_BALANCER"], "tags": {"exposure": "public"}}, "acl": "baseline"},
    ]));
    let fault = Fault::local(FaultKind::Denied, "elasticloadbalancing:DescribeTags", "no");
    let tags = Sight::Unseen(fault.clone());
    let live = observed([Resource { tags, ..balancer("shop", Some("baseline")) }]);
    assert_eq!(verdict(&rules, &live), Verdict::Unknown { fault });
}

#[test]
fn whether_the_web_acl_is_there_must_be_known() {
    let fault = Fault::local(FaultKind::Denied, "wafv2:ListWebACLs", "no");
    let known = Known::new([(thing(&facts(), "baseline"), Found::Unknown(fault.clone()))]);
    for live in [None, Some("baseline")] {
        let live = observed([balancer("shop", live)]);
        let [finding] =
            plan::findings(&facts(), &known, &all_to_baseline(), &live).try_into().expect("one finding");
        assert_eq!(finding.verdict, Verdict::Unknown { fault: fault.clone() });
    }
}

#[test]
fn undo_names_the_one_resource_and_what_it_had() {
    let fields = [Field::new("/rules/3/acl", "theirs", "baseline")];
    let stage = in_plan(ResourceType::ApiGateway, "shop (a1)/prod");
    let spec = WebAclAssociation.inverse(&stage, &fields).expect("an inverse");
    let wanted = json!([
        {"select": {"types": ["API_GATEWAY"], "names": ["shop (a1)/prod"]}, "acl": "theirs"},
    ]);
    assert_eq!(spec.rules, rules(wanted));
    let classic = [Field::new("/rules/0/acl", "one of AWS WAF Classic", "baseline")];
    assert_eq!(WebAclAssociation.inverse(&stage, &classic), None, "it has no name to declare");
}

#[test]
fn a_name_of_a_web_acl_is_what_aws_takes() {
    let parse = |name: &str| serde_json::from_value::<Acl>(json!(name));
    assert_eq!(parse("none").expect("a word"), Acl::None);
    assert_eq!(parse("Base_line-2").expect("a name"), Acl::Named("Base_line-2".into()));
    for wrong in ["", "a b", "arn:aws:wafv2:x", &"a".repeat(129)] {
        assert!(parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn only_apis_whose_stages_may_be_governed_are_asked_for_them() {
    let rules = rules(json!([
        {"select": {"types": ["API_GATEWAY"], "names": ["shop/prod", "team-*"]}, "acl": "baseline"},
    ]));
    for (beginning, may) in [("shop/", true), ("team-a/", true), ("te/", false), ("desk/", false)] {
        assert_eq!(rules.may_govern(ResourceType::ApiGateway, beginning), may, "{beginning}");
    }
    assert!(!rules.may_govern(BALANCER, "shop/"));
}
