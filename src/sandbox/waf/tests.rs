//! AWS WAF as SDK clients meet it.

use aws_sdk_wafv2::Client;
use aws_sdk_wafv2::types::{
    AllowAction, BlockAction, DefaultAction, IpAddressVersion, IpSetReferenceStatement,
    ManagedRuleGroupStatement, NoneAction, OverrideAction, Rule, RuleAction, Scope, Statement,
    VisibilityConfig,
};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::super::World;
use super::super::sample::PROD_PAYMENTS;
use super::super::tests::client;

fn visible(name: &str) -> VisibilityConfig {
    VisibilityConfig::builder()
        .metric_name(name)
        .cloud_watch_metrics_enabled(true)
        .sampled_requests_enabled(true)
        .build()
        .expect("complete")
}

fn allow() -> DefaultAction {
    DefaultAction::builder().allow(AllowAction::builder().build()).build()
}

fn group(name: &str, priority: i32, version: Option<&str>) -> Rule {
    let group = ManagedRuleGroupStatement::builder().vendor_name("AWS").name(name);
    let group = group.set_version(version.map(str::to_owned)).build().expect("complete");
    Rule::builder()
        .name(name)
        .priority(priority)
        .statement(Statement::builder().managed_rule_group_statement(group).build())
        .override_action(OverrideAction::builder().none(NoneAction::builder().build()).build())
        .visibility_config(visible(name))
        .build()
        .expect("complete")
}

fn set(arn: &str, priority: i32) -> Rule {
    let reference = IpSetReferenceStatement::builder().arn(arn).build().expect("complete");
    Rule::builder()
        .name("denied")
        .priority(priority)
        .statement(Statement::builder().ip_set_reference_statement(reference).build())
        .action(RuleAction::builder().block(BlockAction::builder().build()).build())
        .visibility_config(visible("denied"))
        .build()
        .expect("complete")
}

fn waf(world: &World, region: &'static str) -> Client {
    client!(aws_sdk_wafv2, world, PROD_PAYMENTS, region)
}

macro_rules! create {
    ($waf:expr, $name:expr, $scope:expr, $rules:expr) => {
        $waf.create_web_acl()
            .name($name)
            .scope($scope)
            .default_action(allow())
            .visibility_config(visible($name))
            .set_rules(Some($rules))
            .send()
    };
}

#[tokio::test(start_paused = true)]
async fn a_web_acl_is_changed_by_whoever_shows_its_token() {
    let world = World::acme();
    let waf = waf(&world, "eu-west-1");
    let rules =
        vec![group("AWSManagedRulesCommonRuleSet", 1, None), group("AWSManagedRulesSQLiRuleSet", 2, None)];
    let made = create!(waf, "baseline", Scope::Regional, rules.clone()).await.expect("free");
    let made = made.summary.expect("a summary");
    let again = create!(waf, "baseline", Scope::Regional, vec![]).await.expect_err("taken");
    assert_eq!(again.code(), Some("WAFDuplicateItemException"));
    let id = made.id.expect("an id");
    let seen = waf.get_web_acl().name("baseline").scope(Scope::Regional).id(&id).send().await.expect("there");
    assert_eq!(seen.web_acl().map(|acl| acl.capacity), Some(900));
    let token = seen.lock_token.expect("a token");
    let update = || {
        waf.update_web_acl()
            .name("baseline")
            .scope(Scope::Regional)
            .id(&id)
            .lock_token(&token)
            .default_action(allow())
            .visibility_config(visible("baseline"))
            .set_rules(Some(rules[..1].to_vec()))
            .send()
    };
    update().await.expect("the token of the last look");
    assert_eq!(update().await.expect_err("an old token").code(), Some("WAFOptimisticLockException"));
    let region =
        world.region(PROD_PAYMENTS, "eu-west-1", |region| region.waf.web_acls["baseline"].arn.clone());
    assert!(region.contains(":regional/webacl/baseline/"), "{region}");
}

#[tokio::test(start_paused = true)]
async fn cloudfronts_are_in_one_region_and_lists_have_pages() {
    let world = World::acme();
    let elsewhere = create!(waf(&world, "eu-west-1"), "a", Scope::Cloudfront, vec![]).await;
    assert_eq!(elsewhere.expect_err("not there").code(), Some("WAFInvalidParameterException"));
    let global = waf(&world, "us-east-1");
    for name in ["a", "b", "c", "d"] {
        create!(global, name, Scope::Cloudfront, vec![]).await.expect("free");
    }
    let (mut names, mut marker) = (Vec::new(), None);
    loop {
        let page = global.list_web_acls().scope(Scope::Cloudfront).set_next_marker(marker).send().await;
        let page = page.expect("a page");
        names.extend(page.web_acls().iter().filter_map(|acl| acl.name.clone()));
        marker = page.next_marker;
        if marker.is_none() {
            break;
        }
    }
    assert_eq!(names, ["a", "b", "c", "d"]);
    let regional = global.list_web_acls().scope(Scope::Regional).send().await.expect("a page");
    assert!(regional.web_acls().is_empty());
}

#[tokio::test(start_paused = true)]
async fn rules_are_refused_that_aws_refuses() {
    let world = World::acme();
    let waf = waf(&world, "eu-west-1");
    for (rules, code) in [
        (vec![group("AWSManagedRulesFoo", 1, None)], "WAFNonexistentItemException"),
        (vec![group("AWSManagedRulesSQLiRuleSet", 1, Some("Version_9"))], "WAFNonexistentItemException"),
        (vec![group("AWSManagedRulesSQLiRuleSet", -1, None)], "WAFInvalidParameterException"),
        (
            vec![group("AWSManagedRulesSQLiRuleSet", 1, None), group("AWSManagedRulesLinuxRuleSet", 1, None)],
            "WAFInvalidParameterException",
        ),
        (
            vec![group("AWSManagedRulesHugeRuleSet", 1, None), group("AWSManagedRulesLinuxRuleSet", 2, None)],
            "WAFLimitsExceededException",
        ),
        (vec![set("arn:aws:wafv2:eu-west-1:1:regional/ipset/a/b", 1)], "WAFNonexistentItemException"),
    ] {
        let refused = create!(waf, "baseline", Scope::Regional, rules).await.expect_err(code);
        assert_eq!(refused.code(), Some(code));
    }
    world.region(PROD_PAYMENTS, "eu-west-1", |region| {
        region.waf.expired.insert("AWSManagedRulesSQLiRuleSet/Version_1.1".into());
    });
    let rules = vec![group("AWSManagedRulesSQLiRuleSet", 1, Some("Version_1.1"))];
    let refused = waf.check_capacity().scope(Scope::Regional).set_rules(Some(rules)).send().await;
    let refused = refused.expect_err("expired");
    assert_eq!(refused.code(), Some("WAFExpiredManagedRuleGroupVersionException"));
}

#[tokio::test(start_paused = true)]
async fn a_new_ip_set_is_not_usable_at_once_and_tells_ipv6_in_full() {
    let world = World::acme();
    let waf = waf(&world, "eu-west-1");
    let make = |address: &str| {
        waf.create_ip_set()
            .name("denied")
            .scope(Scope::Regional)
            .ip_address_version(IpAddressVersion::Ipv6)
            .addresses(address)
            .send()
    };
    for bad in ["::/0", "2001:db8::1/32", "192.0.2.0/24", "2001:db8::"] {
        assert_eq!(make(bad).await.expect_err(bad).code(), Some("WAFInvalidParameterException"));
    }
    let made = make("2001:db8::/32").await.expect("a network").summary.expect("a summary");
    let arn = made.arn.expect("an ARN");
    let early = create!(waf, "baseline", Scope::Regional, vec![set(&arn, 1)]).await.expect_err("too early");
    assert_eq!(early.code(), Some("WAFUnavailableEntityException"));
    tokio::time::sleep(super::ip_sets::PROPAGATION).await;
    create!(waf, "baseline", Scope::Regional, vec![set(&arn, 1)]).await.expect("usable now");
    let id = made.id.expect("an id");
    let seen = waf.get_ip_set().name("denied").scope(Scope::Regional).id(id).send().await.expect("there");
    let set = seen.ip_set.expect("a set");
    assert_eq!(set.addresses(), ["2001:0db8:0000:0000:0000:0000:0000:0000/32"]);
}
