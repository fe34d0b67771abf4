//! What stands in the world before the controls of AWS WAF are tried, and what others do to it.

use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
use aws_sdk_wafv2::types::{
    AllowAction, BlockAction, CountAction, CountryCode, DefaultAction, GeoMatchStatement, OverrideAction,
    Rule, RuleAction, Statement, VisibilityConfig,
};
use baseline::sandbox::World;
use baseline::sandbox::logs::LogGroup;
use baseline::sandbox::waf::{Waf, WebAcl};

use super::super::stage::{HOME, MEMBER};
use super::{Happening, s3};

/// Where CloudFront's web ACLs are; it is not among the stage's managed regions.
const GLOBAL: &str = "us-east-1";
/// The web ACL of the examples.
const ACL: &str = "baseline";
const LOGS: &str = "aws-waf-logs-baseline";
const BUCKET: &str = "aws-waf-logs-acme";

/// Puts what a control's example stands on into the world; false for controls of other benches.
pub async fn furnish(world: &World, control: &str) -> bool {
    let region = match control {
        "waf.regional-acl" => HOME,
        "waf.global-acl" => GLOBAL,
        _ => return false,
    };
    let created = world.now();
    let group = LogGroup::with_defaults(created);
    world.region(MEMBER, region, |region| region.logs.groups.insert(LOGS.to_owned(), group));
    let place = CreateBucketConfiguration::builder()
        .location_constraint(BucketLocationConstraint::from(region))
        .build();
    let place = Some(place).filter(|_| region != GLOBAL);
    let create = s3(world, MEMBER, region).create_bucket().bucket(BUCKET);
    create.set_create_bucket_configuration(place).send().await.expect("the name is free");
    true
}

/// What no value of a spec can bring about; empty for controls of other benches.
pub fn happenings(control: &str) -> &'static [Happening] {
    match control {
        "waf.regional-acl" => REGIONAL,
        "waf.global-acl" => OF_CLOUDFRONT,
        _ => &[],
    }
}

/// Does by hand what no API can do: the version that had expired is there again.
pub fn by_hand(world: &World) {
    for region in [HOME, GLOBAL] {
        world.region(MEMBER, region, |region| region.waf.expired.clear());
    }
}

const REGIONAL: &[Happening] = &[
    Happening {
        name: "the web ACL is deleted",
        change: |world| {
            at_home(world, |waf| {
                waf.web_acls.clear();
                waf.cloudfront_acls.clear();
                waf.logging.clear();
            })
        },
        rule: "web-acl",
    },
    Happening {
        name: "a group that blocked counts",
        change: |world| {
            at_home(world, |waf| {
                let count = CountAction::builder().build();
                let count = OverrideAction::builder().count(count).build();
                rule(waf, "AWSManagedRulesKnownBadInputsRuleSet").override_action = Some(count);
            })
        },
        rule: "web-acl",
    },
    Happening {
        name: "a rule is taken out",
        change: |world| at_home(world, |waf| rules(waf).retain(|rule| rule.name != "denied")),
        rule: "web-acl",
    },
    Happening {
        name: "the scope-down becomes another one",
        change: |world| {
            at_home(world, |waf| {
                let geo = GeoMatchStatement::builder().country_codes(CountryCode::De).build();
                let other = Statement::builder().geo_match_statement(geo).build();
                let rule = rule(waf, "sign-in").statement.as_mut().expect("it has one");
                let rate = rule.rate_based_statement.as_mut().expect("it is a rate");
                rate.scope_down_statement = Some(Box::new(other));
            })
        },
        rule: "web-acl",
    },
    Happening {
        name: "the default is turned round, and somebody adds a rule",
        change: |world| {
            at_home(world, |waf| {
                rules(waf).push(somebodys());
                let block = DefaultAction::builder().block(BlockAction::builder().build());
                acl(waf).acl.default_action = Some(block.build());
            })
        },
        rule: "web-acl",
    },
    Happening {
        name: "metrics of one rule are turned off",
        change: |world| {
            at_home(world, |waf| {
                let visible = rule(waf, "office").visibility_config.as_mut().expect("it has one");
                visible.cloud_watch_metrics_enabled = false;
            })
        },
        rule: "web-acl",
    },
    Happening {
        name: "a version expires",
        change: |world| {
            at_home(world, |waf| {
                let gone = "AWSManagedRulesKnownBadInputsRuleSet/Version_1.22";
                waf.expired.insert(gone.to_owned());
            })
        },
        rule: "web-acl",
    },
    Happening {
        name: "an address is put into an IP set",
        change: |world| {
            at_home(world, |waf| {
                let sets = waf.ip_sets.iter_mut().chain(&mut waf.cloudfront_ip_sets);
                for (_, one) in sets.filter(|(name, _)| *name == "baseline-office-ipv4") {
                    one.set.addresses.push("203.0.113.0/24".into());
                }
            })
        },
        rule: "ip-set",
    },
    Happening {
        name: "logging is turned off",
        change: |world| at_home(world, |waf| waf.logging.clear()),
        rule: "logging",
    },
];

/// What is the same in all scopes is shown at home.
const OF_CLOUDFRONT: &[Happening] = &[
    Happening {
        name: "the web ACL is deleted",
        change: |world| {
            globally(world, |waf| {
                waf.web_acls.clear();
                waf.cloudfront_acls.clear();
                waf.logging.clear();
            })
        },
        rule: "web-acl",
    },
    Happening {
        name: "a version expires",
        change: |world| {
            globally(world, |waf| {
                let gone = "AWSManagedRulesKnownBadInputsRuleSet/Version_1.22";
                waf.expired.insert(gone.to_owned());
            })
        },
        rule: "web-acl",
    },
    Happening {
        name: "an address is put into an IP set",
        change: |world| {
            globally(world, |waf| {
                let sets = waf.ip_sets.iter_mut().chain(&mut waf.cloudfront_ip_sets);
                for (_, one) in sets.filter(|(name, _)| *name == "baseline-denied-ipv4") {
                    one.set.addresses.push("203.0.113.0/24".into());
                }
            })
        },
        rule: "ip-set",
    },
    Happening {
        name: "logging is turned off",
        change: |world| globally(world, |waf| waf.logging.clear()),
        rule: "logging",
    },
];

fn at_home(world: &World, change: impl FnOnce(&mut Waf)) {
    world.region(MEMBER, HOME, |region| change(&mut region.waf));
}

fn globally(world: &World, change: impl FnOnce(&mut Waf)) {
    world.region(MEMBER, GLOBAL, |region| change(&mut region.waf));
}

fn acl(waf: &mut Waf) -> &mut WebAcl {
    let mut all = waf.web_acls.iter_mut().chain(&mut waf.cloudfront_acls);
    all.find(|(name, _)| *name == ACL).expect("it was made").1
}

fn rules(waf: &mut Waf) -> &mut Vec<Rule> {
    acl(waf).acl.rules.as_mut().expect("it has rules")
}

fn rule<'w>(waf: &'w mut Waf, name: &str) -> &'w mut Rule {
    rules(waf).iter_mut().find(|rule| rule.name == name).expect("it was made")
}

/// A rule that nobody declared.
fn somebodys() -> Rule {
    let geo = GeoMatchStatement::builder().country_codes(CountryCode::Aq).build();
    Rule::builder()
        .name("penguins")
        .priority(7)
        .statement(Statement::builder().geo_match_statement(geo).build())
        .action(RuleAction::builder().allow(AllowAction::builder().build()).build())
        .visibility_config(
            VisibilityConfig::builder()
                .metric_name("penguins")
                .cloud_watch_metrics_enabled(true)
                .sampled_requests_enabled(true)
                .build()
                .expect("complete"),
        )
        .build()
        .expect("complete")
}
