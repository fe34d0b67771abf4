//! `waf.association`: what the points do not ask. Who is asked at all, in how few calls, and what is left alone.

use std::collections::BTreeMap;

use baseline::control::{ErasedControl, Thing, Verdict};
use baseline::controls;
use baseline::plan::{Item, Outcome, Plan};
use baseline::sandbox::elb::LoadBalancer;
use serde_json::{Value, json};

use super::bench::waf_association::ID;
use super::stage::{HOME, MEMBER, Stage, example, open};

fn control() -> &'static dyn ErasedControl {
    controls::find(ID).expect("it is in the list")
}

async fn stage() -> Stage {
    Stage::of(control()).await.expect("a stage")
}

fn declare(stage: &Stage, spec: &Value) {
    stage.declare(control(), spec).expect("documents");
}

async fn plan(stage: &Stage) -> Plan {
    stage.plan().await.expect("a plan")
}

fn item<'a>(plan: &'a Plan, resource: &str) -> &'a Item {
    let found = plan.items.iter().find(|item| item.finding.resource == resource);
    found.unwrap_or_else(|| panic!("{}", open(plan)))
}

/// How often the control asked each operation.
fn asked(stage: &Stage) -> BTreeMap<String, usize> {
    let mut times = BTreeMap::new();
    for call in stage.calls().iter().filter(|call| call.by == ID) {
        *times.entry(call.operation().to_owned()).or_default() += 1;
    }
    times
}

#[tokio::test(start_paused = true)]
async fn only_services_that_a_rule_selects_are_asked() {
    let stage = stage().await;
    declare(
        &stage,
        &json!({"rules": [
            {"select": {"types": ["COGNITO_USER_POOL"]}},
            {"select": {"types": ["APPSYNC"]}, "acl": "baseline"},
        ]}),
    );
    stage.converge().await.expect("nothing is in the way");
    stage.calls();
    drop(plan(&stage).await);
    // One page of each type; their answers say the web ACL and the tags.
    assert_eq!(asked(&stage), BTreeMap::from([("appsync:ListGraphqlApis".to_owned(), 2)]));
}

#[tokio::test(start_paused = true)]
async fn web_acls_are_asked_for_their_resources_where_that_is_fewer_calls() {
    let stage = stage().await;
    stage.converge().await.expect("nothing is in the way");
    stage.calls();
    drop(plan(&stage).await);
    let times = asked(&stage);
    // Four web ACLs and six load balancers; two user pools and one service.
    assert_eq!(times.get("wafv2:ListResourcesForWebACL"), Some(&4), "{times:?}");
    assert_eq!(times.get("wafv2:GetWebACLForResource"), Some(&3), "{times:?}");
    assert_eq!(times.get("wafv2:GetWebACL"), None, "nothing is in the way: {times:?}");
    assert_eq!(times.get("elasticloadbalancing:DescribeTags"), Some(&1), "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn one_api_that_cannot_be_read_is_one_unknown() {
    let stage = stage().await;
    stage.converge().await.expect("nothing is in the way");
    let good = plan(&stage).await.totals.in_sync;
    stage.world.region(MEMBER, HOME, |region| {
        region.apigateway.apis.get_mut("a1b2c3d4e5").expect("it stands there").unreadable = true;
    });
    let seen = plan(&stage).await;
    assert_eq!((seen.totals.unknown, seen.totals.in_sync), (1, good - 1), "{}", open(&seen));
    let verdict = &item(&seen, "api-stage/orders").finding.verdict;
    assert!(
        matches!(verdict, Verdict::Unknown { fault } if fault.call == "apigateway:GetStages"),
        "{verdict:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn firewall_managers_web_acls_are_left_alone() {
    let stage = stage().await;
    stage.world.region(MEMBER, HOME, |region| {
        let legacy = region.waf.web_acls.get_mut("legacy").expect("it was made");
        legacy.acl.managed_by_firewall_manager = true;
    });
    stage.apply().await.expect("a report").held().expect("the others are put right");
    let after = plan(&stage).await;
    for resource in ["load-balancer/desk", "load-balancer/trial-a"] {
        assert_eq!(item(&after, resource).outcome, Outcome::Foreign, "{}", open(&after));
    }
    assert_eq!(after.totals.in_sync, after.totals.settings() - 2, "{}", open(&after));
}

#[tokio::test(start_paused = true)]
async fn another_web_acl_is_not_replaced_where_conflicts_are_to_fail() {
    let stage = stage().await;
    let mut spec = example(control()).expect("YAML");
    spec["onConflict"] = json!("fail");
    declare(&stage, &spec);
    let seen = plan(&stage).await;
    let blocked =
        |resource: &str| matches!(item(&seen, resource).outcome, Outcome::Blocked { why: Some(_), .. });
    assert!(blocked("load-balancer/desk"), "{}", open(&seen));
    assert!(!blocked("load-balancer/shop"), "{}", open(&seen));
    assert_eq!(item(&seen, "load-balancer/portal").outcome, Outcome::InSync, "an accepted one");
}

#[tokio::test(start_paused = true)]
async fn a_web_acl_that_is_not_there_blocks_its_own_resources_alone() {
    let stage = stage().await;
    let mut spec = example(control()).expect("YAML");
    spec["rules"][0]["acl"] = json!("absent");
    declare(&stage, &spec);
    let seen = plan(&stage).await;
    let acl = Thing::WebAcl {
        account: MEMBER.parse().expect("12 digits"),
        region: baseline::place::Region::new(HOME),
        name: "absent".into(),
    };
    let blocked = Outcome::Blocked { on: vec![acl], why: None };
    assert_eq!(item(&seen, "load-balancer/shop").outcome, blocked);
    assert_eq!(item(&seen, "load-balancer/trial-a").outcome, Outcome::Change, "takes one off");
}

#[tokio::test(start_paused = true)]
async fn apis_of_one_name_are_told_apart_and_both_put_right() {
    let stage = stage().await;
    stage.converge().await.expect("nothing is in the way");
    let seen = plan(&stage).await;
    for resource in ["api-stage/stock (b2c3d4e5f6)/prod", "api-stage/stock (c3d4e5f6a1)/prod"] {
        assert_eq!(item(&seen, resource).outcome, Outcome::InSync, "{}", open(&seen));
    }
    stage.world.region(MEMBER, HOME, |region| {
        for id in ["b2c3d4e5f6", "c3d4e5f6a1"] {
            assert!(region.apigateway.apis[id].stages["prod"].web_acl.is_some(), "{id}");
        }
    });
}

/// Both controls of a web ACL: the one that makes it goes first, and the other waits until AWS WAF sees it.
#[tokio::test(start_paused = true)]
async fn a_web_acl_that_the_same_plan_makes_is_made_first() {
    let find = |id| controls::find(id).expect("it is in the list");
    let both: Vec<&'static dyn ErasedControl> = vec![find(ID), find("waf.regional-acl")];
    let stage = Stage::bare(Box::leak(both.into())).expect("temporary folders");
    let now = stage.world.now();
    stage.world.region(MEMBER, HOME, |region| {
        region.elb.all.insert("shop".to_owned(), LoadBalancer::application("50dc6c495c0c9188", now));
    });
    let acl =
        json!({"acls": {"baseline": {"defaultAction": "allow", "metrics": true, "sampledRequests": true}}});
    let on = json!({"rules": [{"select": {"types": ["APPLICATION_LOAD_BALANCER"]}, "acl": "baseline"}]});
    stage.write(&[(MEMBER, ID, on), (MEMBER, "waf.regional-acl", acl)]).expect("documents");
    stage.apply().await.expect("a report").held().expect("one apply does both");
    let calls = stage.calls();
    let written: Vec<&str> = calls.iter().filter(|call| call.write).map(|call| call.operation()).collect();
    // AWS WAF does not see the new one at once, so the association is sent until it does.
    let refused = written.iter().filter(|call| **call == "wafv2:AssociateWebACL").count() - 1;
    assert_eq!(written[0], "wafv2:CreateWebACL", "{written:?}");
    assert!(refused > 0 && stage.writes()["wafv2:AssociateWebACL"] == 1, "{written:?}");
    let after = plan(&stage).await;
    assert_eq!(after.totals.in_sync, after.totals.settings(), "{}", open(&after));
}
