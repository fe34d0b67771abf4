//! What stands in the world before the controls of topics and the rules that feed them are tried, and what others do to it.

use aws_sdk_eventbridge::types::{RuleState, Target};
use baseline::sandbox::World;
use baseline::sandbox::events::Rule;
use baseline::sandbox::sns::Topic;
use serde_json::{Value, json};

use super::super::stage::{HOME, MEMBER};
use super::{Happening, KEY, key_of};

/// The topic of the examples.
const TOPIC: &str = "baseline-alerts";

/// Puts what a control's example stands on into the world; false for controls of other benches.
pub async fn furnish(world: &World, control: &str) -> bool {
    match control {
        "sns.topics" => key_of(world, MEMBER, KEY).await,
        "events.finding-rules" => {
            let arn = format!("arn:aws:sns:{HOME}:{MEMBER}:{TOPIC}");
            let made = Topic::with_defaults(&arn, MEMBER);
            world.region(MEMBER, HOME, |region| region.sns.topics.insert(TOPIC.to_owned(), made));
        }
        _ => return false,
    }
    true
}

fn topic(world: &World, change: impl FnOnce(&mut Topic)) {
    world.region(MEMBER, HOME, |region| region.sns.topics.get_mut(TOPIC).map(change));
}

fn statements(world: &World, change: impl FnOnce(&mut Vec<Value>)) {
    topic(world, |topic| {
        let mut policy: Value = serde_json::from_str(&topic.policy).expect("kept as JSON");
        change(policy["Statement"].as_array_mut().expect("a list"));
        topic.policy = policy.to_string();
    });
}

const EVERYONE: &str = "Everyone";

const OF_TOPICS: &[Happening] = &[
    Happening {
        name: "the topic is deleted",
        change: |world| {
            world.region(MEMBER, HOME, |region| region.sns.topics.remove(TOPIC));
        },
        rule: "topic",
    },
    Happening {
        name: "somebody unsubscribes the team",
        change: |world| topic(world, |topic| topic.subscriptions.retain(|one| one.protocol != "email")),
        rule: "subscription",
    },
    Happening {
        name: "a statement of ours is taken out",
        change: |world| statements(world, |all| all.retain(|one| one["Sid"] != "BaselineEvents")),
        rule: "policy",
    },
    Happening {
        name: "a statement of ours is weakened",
        change: |world| {
            statements(world, |all| {
                for one in all.iter_mut().filter(|one| one["Sid"] == "BaselineCloudwatch") {
                    one["Condition"] = json!({"StringEquals": {"aws:SourceAccount": "999988887777"}});
                }
            });
        },
        rule: "policy",
    },
    Happening {
        name: "everybody may publish",
        change: |world| {
            statements(world, |all| {
                let arn = all[0]["Resource"].clone();
                all.push(json!({
                    "Sid": EVERYONE, "Effect": "Allow", "Principal": "*", "Action": "sns:Publish",
                    "Resource": arn,
                }));
            });
        },
        rule: "public",
    },
    Happening {
        name: "messages wait unencrypted",
        change: |world| topic(world, |topic| topic.key.clear()),
        rule: "encryption",
    },
];

fn rule(world: &World, name: &str, change: impl FnOnce(&mut Rule)) {
    world.region(MEMBER, HOME, |region| region.events.rules.get_mut(name).map(change));
}

const HUB_RULE: &str = "baseline-securityhub-findings";
const DUTY_RULE: &str = "baseline-guardduty-findings";

const OF_FINDING_RULES: &[Happening] = &[
    Happening {
        name: "a rule is deleted",
        change: |world| {
            world.region(MEMBER, HOME, |region| region.events.rules.remove(HUB_RULE));
        },
        rule: "rule",
    },
    Happening {
        name: "a rule is turned off",
        change: |world| rule(world, DUTY_RULE, |rule| rule.state = RuleState::Disabled),
        rule: "rule",
    },
    Happening {
        name: "a rule matches another account only",
        change: |world| {
            rule(world, HUB_RULE, |rule| {
                let text = rule.pattern.as_deref().expect("it has one");
                let mut pattern: Value = serde_json::from_str(text).expect("JSON");
                pattern["account"] = json!(["999988887777"]);
                rule.pattern = Some(pattern.to_string());
            });
        },
        rule: "rule",
    },
    Happening {
        name: "the role trusts somebody else",
        change: |world| {
            let trust = json!({"Version": "2012-10-17", "Statement": [{
                "Effect": "Allow", "Action": "sts:AssumeRole",
                "Principal": {"AWS": format!("arn:aws:iam::{MEMBER}:root")},
            }]});
            world.account(MEMBER, |account| {
                let role = account.iam.roles.get_mut("baseline-events-forwarding");
                role.expect("it was made").trust = trust.to_string();
            });
        },
        rule: "role",
    },
    Happening {
        name: "the role may do nothing any more",
        change: |world| {
            world.account(MEMBER, |account| account.iam.inline.remove("baseline-events-forwarding"));
        },
        rule: "role",
    },
    Happening {
        name: "a target is removed",
        change: |world| rule(world, HUB_RULE, |rule| rule.targets.clear()),
        rule: "target",
    },
    Happening {
        name: "our target is turned elsewhere",
        change: |world| {
            rule(world, DUTY_RULE, |rule| {
                let arn = format!("arn:aws:sns:{HOME}:{MEMBER}:elsewhere");
                let other = Target::builder().id("baseline").arn(arn).build().expect("whole");
                rule.targets = vec![other];
            });
        },
        rule: "target",
    },
];

const WRITES: &str = "baseline-hints-1";
const HEARTBEAT: &str = "baseline-hints-heartbeat";

const OF_HINTS: &[Happening] = &[
    Happening {
        name: "a rule is deleted",
        change: |world| {
            world.region(MEMBER, HOME, |region| region.events.rules.remove(WRITES));
        },
        rule: "rule",
    },
    Happening {
        name: "hearts stop",
        change: |world| rule(world, HEARTBEAT, |rule| rule.state = RuleState::Disabled),
        rule: "rule",
    },
    Happening {
        name: "hearts beat once a day",
        change: |world| rule(world, HEARTBEAT, |rule| rule.schedule = Some("rate(1 day)".into())),
        rule: "rule",
    },
    Happening {
        name: "a call is not told any more",
        change: |world| {
            rule(world, WRITES, |rule| {
                let text = rule.pattern.as_deref().expect("it has one");
                let mut pattern: Value = serde_json::from_str(text).expect("JSON");
                pattern["detail"]["eventName"].as_array_mut().expect("a list").remove(0);
                rule.pattern = Some(pattern.to_string());
            });
        },
        rule: "rule",
    },
    Happening {
        name: "hearts of other regions are not sent on",
        change: |world| {
            let none = json!({"source": ["aws.events"], "account": ["999988887777"]});
            rule(world, "baseline-hints-heartbeats", |rule| rule.pattern = Some(none.to_string()));
        },
        rule: "rule",
    },
    Happening {
        name: "a target is removed",
        change: |world| rule(world, WRITES, |rule| rule.targets.clear()),
        rule: "target",
    },
    Happening {
        name: "the queue gets a part of the event",
        change: |world| {
            rule(world, WRITES, |rule| {
                rule.targets.iter_mut().for_each(|target| target.input_path = Some("$.detail".into()));
            });
        },
        rule: "target",
    },
    Happening {
        name: "the role trusts every account's rules",
        change: |world| {
            let trust = json!({"Version": "2012-10-17", "Statement": [{
                "Sid": "BaselineHints", "Effect": "Allow", "Action": "sts:AssumeRole",
                "Principal": {"Service": "events.amazonaws.com"},
            }]});
            world.account(MEMBER, |account| {
                account.iam.roles.get_mut("baseline-hints").expect("it was made").trust = trust.to_string();
            });
        },
        rule: "role",
    },
    Happening {
        name: "the role may do nothing any more",
        change: |world| {
            world.account(MEMBER, |account| account.iam.inline.remove("baseline-hints"));
        },
        rule: "role",
    },
];

/// What no value of a spec can bring about; empty for controls of other benches.
pub fn happenings(control: &str) -> &'static [Happening] {
    match control {
        "sns.topics" => OF_TOPICS,
        "events.finding-rules" => OF_FINDING_RULES,
        "events.hints" => OF_HINTS,
        _ => &[],
    }
}

/// Does by hand what no API can do: confirms what waits for it, and closes the topic to everyone.
pub fn by_hand(world: &World) {
    topic(world, |topic| topic.subscriptions.iter_mut().for_each(|one| one.confirmed = true));
    statements(world, |all| all.retain(|one| one["Sid"] != EVERYONE));
}
