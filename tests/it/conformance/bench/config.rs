//! What stands in the world before the controls of AWS Config are tried, and what others do to it.

use std::collections::BTreeSet;

use baseline::sandbox::World;
use baseline::sandbox::config::{Config, Recorder, Recording};
use serde_json::{Value, json};

use super::{BUCKET, Happening, KEY, archive};
use crate::conformance::stage::{ARCHIVE, HOME, MEMBER, ORGANIZATION};

/// Puts what a control's example stands on into the world; false for controls of other benches.
pub async fn furnish(world: &World, control: &str) -> bool {
    match control {
        "config.recorder" => deliveries(world).await,
        _ => return false,
    }
    true
}

/// The archive, open to AWS Config of the organisation.
pub async fn deliveries(world: &World) {
    archive(world).await;
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
