//! What stands in the world before the controls of log groups and alarms are tried, and what others do to it.

use aws_sdk_cloudwatch::types::{ComparisonOperator, MetricAlarm, Statistic};
use aws_sdk_cloudwatchlogs::types::MetricTransformation;
use aws_types::region::Region;
use baseline::sandbox::logs::{Filter, LogGroup};
use baseline::sandbox::{Principal, World};
use serde_json::json;

use super::super::stage::{HOME, MEMBER};
use super::Happening;

/// A client for root of the member, in its home region.
macro_rules! client {
    ($world:expr, $sdk:ident) => {{
        let connection = $world.connection(&baseline::place::Region::new(HOME));
        $sdk::Client::from_conf(
            $sdk::config::Builder::from(&connection.sdk)
                .region(Region::new(HOME))
                .credentials_provider($world.caller_credentials(MEMBER, Principal::Root))
                .interceptor($world.interceptor())
                .build(),
        )
    }};
}

/// The key of the example of `logs.groups`.
const LOGS_KEY: &str = "alias/acme/logs";

/// The log group and the topic of the example of `cloudwatch.cis-alarms`.
const TRAIL_EVENTS: &str = "baseline/trail-events";
const TOPIC: &str = "security-alarms";

/// Puts what a control's example stands on into the world; false for controls of other benches.
pub async fn furnish(world: &World, control: &str) -> bool {
    match control {
        "logs.groups" => {
            let now = world.now();
            world.region(MEMBER, HOME, |region| {
                for (name, retention) in [
                    ("/aws/lambda/mail", None),
                    ("/aws/lambda/pay", Some(30)),
                    ("/aws/vpc/flow", Some(90)),
                    ("/aws/vpc/old", None),
                    ("theirs", Some(1)),
                ] {
                    let group = LogGroup { retention, ..LogGroup::with_defaults(now) };
                    region.logs.groups.insert(name.to_owned(), group);
                }
            });
            logs_key(world).await;
        }
        "cloudwatch.cis-alarms" => {
            let now = world.now();
            world.region(MEMBER, HOME, |region| {
                region.logs.groups.insert(TRAIL_EVENTS.to_owned(), LogGroup::with_defaults(now));
            });
            topic(world).await;
            theirs(world).await;
        }
        _ => return false,
    }
    true
}

/// A key of the member that CloudWatch Logs may use for all of its groups (CloudWatch Logs User Guide, "Encrypt log
/// data").
async fn logs_key(world: &World) {
    let kms = client!(world, aws_sdk_kms);
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": format!("arn:aws:iam::{MEMBER}:root")},
            "Action": "kms:*",
            "Resource": "*",
        },
        {
            "Effect": "Allow",
            "Principal": {"Service": format!("logs.{HOME}.amazonaws.com")},
            "Action": ["kms:Decrypt*", "kms:Describe*", "kms:Encrypt*", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
            "Resource": "*",
            "Condition": {"ArnLike": {
                "kms:EncryptionContext:aws:logs:arn": format!("arn:aws:logs:{HOME}:{MEMBER}:*"),
            }},
        },
    ]});
    let made = kms.create_key().policy(policy.to_string()).send().await.expect("the owner is let in");
    let id = made.key_metadata.map(|key| key.key_id).expect("an id");
    kms.create_alias().alias_name(LOGS_KEY).target_key_id(id).send().await.expect("the alias is free");
}

async fn topic(world: &World) {
    client!(world, aws_sdk_sns).create_topic().name(TOPIC).send().await.expect("the name is free");
}

/// A filter and an alarm that somebody built before, under names of their own.
async fn theirs(world: &World) {
    let metric = MetricTransformation::builder()
        .metric_namespace("Acme")
        .metric_name("trail-changes")
        .metric_value("1")
        .build()
        .expect("all that it needs");
    let pattern = "{ ($.eventName = StopLogging) || ($.eventName = StartLogging) || ($.eventName = DeleteTrail) || \
                   ($.eventName = \"UpdateTrail\") || ($.eventName = CreateTrail) }";
    client!(world, aws_sdk_cloudwatchlogs)
        .put_metric_filter()
        .log_group_name(TRAIL_EVENTS)
        .filter_name("acme-trail-changes")
        .filter_pattern(pattern)
        .metric_transformations(metric)
        .send()
        .await
        .expect("the group is there");
    client!(world, aws_sdk_cloudwatch)
        .put_metric_alarm()
        .alarm_name("acme-trail-changes")
        .alarm_actions(format!("arn:aws:sns:{HOME}:{MEMBER}:acme-pager"))
        .ok_actions(format!("arn:aws:sns:{HOME}:{MEMBER}:acme-pager"))
        .namespace("Acme")
        .metric_name("trail-changes")
        .statistic(Statistic::Sum)
        .period(60)
        .evaluation_periods(1)
        .threshold(0.0)
        .comparison_operator(ComparisonOperator::GreaterThanThreshold)
        .send()
        .await
        .expect("all that it needs");
}

fn filter(world: &World, name: &str, change: impl FnOnce(&mut Filter)) {
    group(world, TRAIL_EVENTS, |group| {
        if let Some(filter) = group.filters.get_mut(name) {
            change(filter);
        }
    });
}

fn alarm(world: &World, name: &str, change: impl FnOnce(&mut MetricAlarm)) {
    world.region(MEMBER, HOME, |region| {
        if let Some(alarm) = region.cloudwatch.alarms.get_mut(name) {
            change(alarm);
        }
    });
}

fn group(world: &World, name: &str, change: impl FnOnce(&mut LogGroup)) {
    world.region(MEMBER, HOME, |region| {
        if let Some(group) = region.logs.groups.get_mut(name) {
            change(group);
        }
    });
}

/// What no value of a spec can bring about; empty for controls of other benches.
pub fn happenings(control: &str) -> &'static [Happening] {
    match control {
        "logs.groups" => &[
            Happening {
                name: "a new function's group keeps everything for ever",
                change: |world| {
                    let now = world.now();
                    world.region(MEMBER, HOME, |region| {
                        region.logs.groups.insert("/aws/lambda/new".into(), LogGroup::with_defaults(now));
                    });
                },
                rule: "retention",
            },
            Happening {
                name: "a group's retention falls below the least",
                change: |world| group(world, "/aws/vpc/flow", |group| group.retention = Some(7)),
                rule: "retention",
            },
            Happening {
                name: "a group is encrypted with a key that nobody named",
                change: |world| {
                    let other = format!("arn:aws:kms:{HOME}:{MEMBER}:key/0000");
                    group(world, "acme/audit", |group| group.key_arn = Some(other));
                },
                rule: "encryption",
            },
            Happening {
                name: "the protection is taken away",
                change: |world| group(world, "acme/audit", |group| group.protected = false),
                rule: "deletion-protection",
            },
            Happening {
                name: "the group is deleted",
                change: |world| {
                    world.region(MEMBER, HOME, |region| region.logs.groups.remove("acme/audit"));
                },
                rule: "group",
            },
        ],
        "cloudwatch.cis-alarms" => &[
            Happening {
                name: "a filter counts something else",
                change: |world| {
                    filter(world, "baseline-root-usage", |filter| filter.pattern = "{ $.a = b }".into());
                },
                rule: "root-usage",
            },
            Happening {
                name: "the filter that was adopted is deleted",
                change: |world| {
                    group(world, TRAIL_EVENTS, |group| drop(group.filters.remove("acme-trail-changes")));
                },
                rule: "cloudtrail-changes",
            },
            Happening {
                name: "an alarm is deleted",
                change: |world| {
                    world.region(MEMBER, HOME, |region| {
                        region.cloudwatch.alarms.remove("baseline-iam-changes")
                    });
                },
                rule: "iam-changes",
            },
            Happening {
                name: "an alarm tells nobody",
                change: |world| alarm(world, "baseline-vpc-changes", |alarm| alarm.alarm_actions = None),
                rule: "vpc-changes",
            },
            Happening {
                name: "an alarm goes on ringing when nothing is told",
                change: |world| {
                    alarm(world, "baseline-nacl-changes", |alarm| {
                        alarm.treat_missing_data = Some("ignore".into());
                    });
                },
                rule: "nacl-changes",
            },
            Happening {
                name: "an alarm is turned to another metric",
                change: |world| {
                    alarm(world, "baseline-key-disabling", |alarm| alarm.metric_name = Some("other".into()));
                },
                rule: "key-disabling",
            },
        ],
        _ => &[],
    }
}

/// Does by hand what no API can do.
pub fn by_hand(_world: &World) {}
