//! What others do to the key of `kms.keys`.

use std::time::Duration;

use baseline::sandbox::World;
use serde_json::{Value, json};

use super::super::stage::{HOME, MEMBER};
use super::{Happening, KEY};

pub const HAPPENINGS: &[Happening] = &[
    Happening {
        name: "the key is disabled",
        change: |world| on_key(world, |key| key.enabled = false),
        rule: "enabled",
    },
    Happening {
        name: "the key is scheduled for deletion",
        change: |world| {
            let at = world.now() + Duration::from_secs(30 * 86_400);
            on_key(world, |key| key.schedule_deletion(at));
        },
        rule: "pending-deletion",
    },
    Happening {
        name: "a statement of ours is taken out",
        change: |world| on_policy(world, |all| all.retain(|one| one["Sid"] != "BaselineGuardduty")),
        rule: "policy",
    },
    Happening {
        name: "a statement of ours is weakened",
        change: |world| {
            on_policy(world, |all| {
                for one in all.iter_mut().filter(|one| one["Sid"] == "NobodyDeletes") {
                    one["Condition"] = json!({"Bool": {"aws:MultiFactorAuthPresent": "false"}});
                }
            });
        },
        rule: "policy",
    },
    Happening {
        name: "the account itself is taken out of the policy",
        change: |world| {
            on_policy(world, |all| {
                for one in all.iter_mut().filter(|one| one["Action"] == "kms:*") {
                    one["Principal"] = json!({"AWS": format!("arn:aws:iam::{MEMBER}:role/baseline-apply")});
                    one["Sid"] = json!("OnlyUs");
                }
            });
        },
        rule: "policy",
    },
    Happening {
        name: "the key is opened to everyone",
        change: |world| {
            on_policy(world, |all| {
                all.push(json!({
                    "Sid": EVERYONE, "Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt",
                    "Resource": "*",
                }));
            });
        },
        rule: "public",
    },
    Happening {
        name: "rotation is turned off",
        change: |world| on_key(world, |key| key.rotation = None),
        rule: "rotation",
    },
    Happening {
        name: "the alias is removed",
        change: |world| {
            world.region(MEMBER, HOME, |region| {
                region.kms.aliases.remove(KEY);
            });
        },
        rule: "key",
    },
    Happening {
        name: "the alias is removed from a key that is scheduled for deletion",
        change: |world| {
            let at = world.now() + Duration::from_secs(7 * 86_400);
            on_key(world, |key| {
                key.rotation = None;
                key.schedule_deletion(at);
            });
            world.region(MEMBER, HOME, |region| {
                region.kms.aliases.remove(KEY);
            });
        },
        rule: "key",
    },
];

const EVERYONE: &str = "Everyone";

fn on_key(world: &World, change: impl FnOnce(&mut baseline::sandbox::kms::Key)) {
    world.region(MEMBER, HOME, |region| {
        if let Some(key) = region.kms.aliased(KEY) {
            change(key);
        }
    });
}

fn on_policy(world: &World, change: impl FnOnce(&mut Vec<Value>)) {
    on_key(world, |key| {
        let mut policy: Value = serde_json::from_str(&key.policy).expect("kept as JSON");
        change(policy["Statement"].as_array_mut().expect("a list"));
        key.policy = policy.to_string();
    });
}

/// Closes the key to everyone, as a person would.
pub fn close(world: &World) {
    on_policy(world, |all| all.retain(|one| one["Sid"] != EVERYONE));
}
