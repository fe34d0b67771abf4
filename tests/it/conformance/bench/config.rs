//! What stands in the world before the controls of AWS Config are tried, and what others do to it.

use std::collections::BTreeSet;

use baseline::sandbox::World;
use baseline::sandbox::config::{Config, Pack, Recorder, Recording, Rule};
use baseline::sandbox::sns::Topic;
use serde_json::{Value, json};

use super::{BUCKET, Happening, KEY, archive};
use crate::conformance::stage::{ARCHIVE, HOME, MEMBER, ORGANIZATION};

/// Puts what a control's example stands on into the world; false for controls of other benches.
pub async fn furnish(world: &World, control: &str) -> bool {
    match control {
        "config.recorder" => deliveries(world).await,
        "config.rules" => rules(world),
        "config.conformance-packs" => runs(world),
        "config.aggregator" => administers(world),
        _ => return false,
    }
    true
}

/// The topic of the example.
const TOPIC: &str = "config-changes";

/// The archive, open to AWS Config of the organisation.
pub async fn deliveries(world: &World) {
    archive(world).await;
    world.region(MEMBER, HOME, |region| {
        let arn = format!("arn:aws:sns:{HOME}:{MEMBER}:{TOPIC}");
        region.sns.topics.insert(TOPIC.to_owned(), Topic::with_defaults(&arn, MEMBER));
    });
    let arn = format!("arn:aws:s3:::{BUCKET}");
    let of_organization = json!({"StringEquals": {"aws:SourceOrgID": ORGANIZATION}});
    let add = |text: &str, statements: &[Value]| {
        let mut policy: Value = serde_json::from_str(text).expect("JSON");
        policy["Statement"].as_array_mut().expect("a list").extend_from_slice(statements);
        policy.to_string()
    };
    let service = json!({"Service": "config.amazonaws.com"});
    world.bucket(BUCKET, |bucket| {
        let text = bucket.policy.as_deref().expect("it has one");
        let checks = json!({
            "Effect": "Allow", "Principal": service, "Action": ["s3:GetBucketAcl", "s3:ListBucket"],
            "Resource": arn,
        });
        let delivers = json!({
            "Effect": "Allow", "Principal": service, "Action": "s3:PutObject",
            "Resource": format!("{arn}/AWSLogs/*"), "Condition": of_organization,
        });
        bucket.policy = Some(add(text, &[checks, delivers]));
    });
    world.region(ARCHIVE, HOME, |region| {
        let id = region.kms.aliases.get(KEY).expect("furnished").clone();
        let key = region.kms.keys.get_mut(&id).expect("of the alias");
        let uses = json!({
            "Effect": "Allow", "Principal": service, "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
            "Resource": "*", "Condition": of_organization,
        });
        key.policy = add(&key.policy, &[uses]);
    });
}

/// The member administers AWS Config for the organisation.
fn administers(world: &World) {
    let now = world.now();
    world.organization(|organization| {
        organization.trust("config.amazonaws.com", now);
        organization.delegate("config.amazonaws.com", MEMBER, now);
    });
}

/// A recorder that records.
fn runs(world: &World) {
    let now = world.now();
    config(world, |config| {
        let mut recorder = Recorder::new("default", &format!("arn:aws:iam::{MEMBER}:role/config"));
        recorder.started = Some(now);
        config.recorder = Some(recorder);
    });
}

/// A recorder, what the example's rules call and run with, and a rule of one of their names.
fn rules(world: &World) {
    runs(world);
    config(world, |config| {
        config.functions.insert("config-own-check".to_owned());
        config.rules.insert("encrypted-volumes".to_owned(), Rule::managed("ENCRYPTED_VOLUMES"));
        let [rule, kind, id] = EXCEPTED.map(str::to_owned);
        config.failing.insert((rule, kind, id));
    });
    world.account(MEMBER, |account| {
        let mut role = account.iam.roles.get("baseline-apply").expect("every account has one").clone();
        for name in ["config-remediation", "config-remediation-too"] {
            role.name = name.to_owned();
            account.iam.roles.insert(name.to_owned(), role.clone());
        }
    });
}

/// The resource that is excepted, under its rule.
const EXCEPTED: [&str; 3] = ["encrypted-volumes", "AWS::EC2::Volume", "vol-0123456789abcdef0"];

/// What is signed for beside the control's example.
pub fn signed_off(control: &str) -> Option<Value> {
    (control == "config.rules").then(|| {
        json!({
            "apiVersion": "baseline/v1",
            "kind": "Exception",
            "metadata": {"name": "legacy-volume"},
            "spec": {
                "control": "config.rules",
                "rule": "exceptions",
                "accounts": [MEMBER],
                "resources": [EXCEPTED.join("/")],
                "reason": "gone with the rewrite",
                "owner": "team@acme.example",
                "approver": "ciso@acme.example",
                "expires": "2099-12-31",
            },
        })
    })
}

fn config(world: &World, change: impl FnOnce(&mut Config)) {
    world.region(MEMBER, HOME, |region| change(&mut region.config));
}

fn recorder(world: &World, change: impl FnOnce(&mut Recorder)) {
    config(world, |config| change(config.recorder.as_mut().expect("it was made")));
}

fn types(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// What no value of a spec can bring about; empty for controls of other benches.
pub fn happenings(control: &str) -> &'static [Happening] {
    match control {
        "config.recorder" => RECORDER,
        "config.rules" => RULES,
        "config.conformance-packs" => PACKS,
        "config.aggregator" => AGGREGATOR,
        _ => &[],
    }
}

const RECORDER: &[Happening] = &[
    Happening {
        name: "the recorder is stopped",
        change: |world| recorder(world, |recorder| recorder.started = None),
        rule: "recording",
    },
    Happening {
        name: "the recorder does not record",
        change: |world| {
            let failure = Some(("AccessDenied".to_owned(), "it may not".to_owned()));
            recorder(world, |recorder| recorder.failure = failure);
        },
        rule: "recording",
    },
    Happening {
        name: "some types are left out",
        change: |world| {
            let except = types(&["AWS::Config::ResourceCompliance", "AWS::IAM::Role", "AWS::S3::Bucket"]);
            recorder(world, |recorder| recorder.records = Recording::Except(except));
        },
        rule: "recorder",
    },
    Happening {
        name: "IAM is left out",
        change: |world| {
            recorder(world, |recorder| recorder.records = Recording::All { global: false });
        },
        rule: "recorder",
    },
    Happening {
        name: "only one type is recorded",
        change: |world| {
            let only = types(&["AWS::EC2::Instance"]);
            recorder(world, |recorder| recorder.records = Recording::Only(only));
        },
        rule: "recorder",
    },
    Happening {
        name: "another role is taken",
        change: |world| {
            recorder(world, |recorder| {
                recorder.role_arn = format!("arn:aws:iam::{MEMBER}:role/somebody/config-role");
            });
        },
        rule: "recorder",
    },
    Happening {
        name: "it delivers to another bucket",
        change: |world| {
            config(world, |config| {
                config.channel.as_mut().expect("it was made").bucket = "elsewhere".into();
            });
        },
        rule: "delivery",
    },
    Happening {
        name: "it delivers without a key",
        change: |world| {
            config(world, |config| config.channel.as_mut().expect("it was made").key_arn = None);
        },
        rule: "delivery",
    },
    Happening {
        name: "nothing arrives",
        change: |world| {
            let failure = Some(("AccessDenied".to_owned(), "the bucket is closed".to_owned()));
            config(world, |config| config.channel.as_mut().expect("it was made").failure = failure);
        },
        rule: "delivery",
    },
    Happening {
        name: "history is kept for a month",
        change: |world| config(world, |config| config.retention = Some(30)),
        rule: "retention",
    },
    Happening {
        name: "the channel is deleted",
        change: |world| {
            recorder(world, |recorder| recorder.started = None);
            config(world, |config| config.channel = None);
        },
        rule: "delivery",
    },
    Happening {
        name: "the recorder is deleted",
        change: |world| config(world, |config| *config = Config::default()),
        rule: "recorder",
    },
];

fn rule(world: &World, name: &str, change: impl FnOnce(&mut Rule)) {
    config(world, |config| change(config.rules.get_mut(name).expect("it was made")));
}

const RULES: &[Happening] = &[
    Happening {
        name: "a rule is deleted",
        change: |world| config(world, |config| drop(config.rules.remove("access-keys-rotated"))),
        rule: "rule",
    },
    Happening {
        name: "a rule evaluates something else",
        change: |world| {
            rule(world, "encrypted-volumes", |rule| rule.source = Rule::managed("EIP_ATTACHED").source);
        },
        rule: "rule",
    },
    Happening {
        name: "another function is called",
        change: |world| {
            rule(world, "own-check", |rule| {
                let other = "arn:aws:lambda:us-east-1:999988887777:function:other";
                rule.source.source_identifier = Some(other.to_owned());
            });
        },
        rule: "rule",
    },
    Happening {
        name: "a policy is emptied",
        change: |world| {
            rule(world, "versioned-buckets", |rule| {
                let details = rule.source.custom_policy_details.as_mut().expect("a Guard rule");
                details.policy_text = "rule nothing { this exists }".to_owned();
            });
        },
        rule: "rule",
    },
    Happening {
        name: "a remediation is deleted",
        change: |world| config(world, |config| config.remediations.clear()),
        rule: "remediation",
    },
    Happening {
        name: "an exception is deleted",
        change: |world| config(world, |config| config.exceptions.clear()),
        rule: "exceptions",
    },
];

fn pack(world: &World, change: impl FnOnce(&mut Pack)) {
    config(world, |config| change(config.packs.get_mut("encryption").expect("it was made")));
}

const PACKS: &[Happening] = &[
    Happening {
        name: "AWS could not deploy it",
        change: |world| pack(world, |pack| pack.failure = Some("a rule is not known".to_owned())),
        rule: "pack",
    },
    Happening {
        name: "somebody else's template, without our tag",
        change: |world| pack(world, |pack| drop(pack.tags.remove("baseline:template"))),
        rule: "pack",
    },
    Happening {
        name: "a parameter is changed",
        change: |world| {
            pack(world, |pack| drop(pack.parameters.insert("MaxAge".to_owned(), "1".to_owned())));
        },
        rule: "pack",
    },
    Happening {
        name: "the pack is deleted",
        change: |world| config(world, |config| config.packs.clear()),
        rule: "pack",
    },
];

const ROLE: &str = "baseline-config-aggregator";

const AGGREGATOR: &[Happening] = &[
    Happening {
        name: "the role loses its policy",
        change: |world| world.account(MEMBER, |account| drop(account.iam.attached.remove(ROLE))),
        rule: "role",
    },
    Happening {
        name: "another role is taken",
        change: |world| {
            config(world, |config| {
                let live = config.aggregators.get_mut("baseline").expect("it was made");
                let source = live.organization_aggregation_source.as_mut().expect("of the organisation");
                source.role_arn = format!("arn:aws:iam::{MEMBER}:role/other");
            });
        },
        rule: "aggregator",
    },
    Happening {
        name: "the aggregator is deleted",
        change: |world| config(world, |config| config.aggregators.clear()),
        rule: "aggregator",
    },
    Happening {
        name: "the role is deleted",
        change: |world| world.account(MEMBER, |account| drop(account.iam.roles.remove(ROLE))),
        rule: "role",
    },
];

/// Does by hand what no API can do.
pub fn by_hand(world: &World) {
    config(world, |config| {
        if let Some(recorder) = &mut config.recorder {
            recorder.failure = None;
        }
        if let Some(channel) = &mut config.channel {
            channel.failure = None;
        }
    });
}
