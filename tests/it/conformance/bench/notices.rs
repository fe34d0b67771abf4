//! What stands in the world before the controls of topics and the rules that feed them are tried, and what others do to it.

use baseline::sandbox::World;
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

/// What no value of a spec can bring about; empty for controls of other benches.
pub fn happenings(control: &str) -> &'static [Happening] {
    match control {
        "sns.topics" => OF_TOPICS,
        _ => &[],
    }
}

/// Does by hand what no API can do: confirms what waits for it, and closes the topic to everyone.
pub fn by_hand(world: &World) {
    topic(world, |topic| topic.subscriptions.iter_mut().for_each(|one| one.confirmed = true));
    statements(world, |all| all.retain(|one| one["Sid"] != EVERYONE));
}
