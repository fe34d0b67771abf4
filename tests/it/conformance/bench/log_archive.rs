//! The world that `s3.log-archive` is tried in: a key, and a bucket for access logs.

use aws_sdk_s3::types::{
    BucketLocationConstraint, BucketNamespace, BucketVersioningStatus, CreateBucketConfiguration,
    ObjectOwnership,
};
use aws_types::region::Region;
use baseline::sandbox::s3::Bucket;
use baseline::sandbox::{Principal, World};
use serde_json::{Value, json};

use super::{Happening, KEY, key_of};
use crate::conformance::stage::{HOME, MEMBER};

/// What the example's names come to.
const BUCKET: &str = "acme-logs-100000000000-eu-west-1-an";
const ACCESS: [(&str, BucketNamespace); 2] = [
    ("acme-access-100000000000-eu-west-1-an", BucketNamespace::AccountRegional),
    ("acme-access-too", BucketNamespace::Global),
];

pub async fn furnish(world: &World) {
    key_of(world, MEMBER, KEY).await;
    key_of(world, MEMBER, "alias/other").await;
    let connection = world.connection(&baseline::place::Region::new(HOME));
    let s3 = aws_sdk_s3::Client::from_conf(
        aws_sdk_s3::config::Builder::from(&connection.sdk)
            .region(Region::new(HOME))
            .credentials_provider(world.caller_credentials(MEMBER, Principal::Root))
            .interceptor(world.interceptor())
            .build(),
    );
    for (name, namespace) in ACCESS {
        let place = CreateBucketConfiguration::builder()
            .location_constraint(BucketLocationConstraint::from(HOME))
            .build();
        s3.create_bucket()
            .bucket(name)
            .bucket_namespace(namespace)
            .create_bucket_configuration(place)
            .send()
            .await
            .expect("the name is free");
        let policy = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow",
            "Principal": {"Service": "logging.s3.amazonaws.com"},
            "Action": "s3:PutObject",
            "Resource": format!("arn:aws:s3:::{name}/*"),
            "Condition": {"StringEquals": {"aws:SourceAccount": MEMBER}},
        }]});
        s3.put_bucket_policy().bucket(name).policy(policy.to_string()).send().await.expect("a policy");
    }
}

fn bucket(world: &World, change: impl FnOnce(&mut Bucket)) {
    world.bucket(BUCKET, change).expect("it was made");
}

/// Changes the statements of the bucket's policy.
fn statements(world: &World, change: impl FnOnce(&mut Vec<Value>)) {
    bucket(world, |bucket| {
        let text = bucket.policy.as_deref().expect("it has a policy");
        let mut policy: Value = serde_json::from_str(text).expect("JSON");
        change(policy["Statement"].as_array_mut().expect("a list"));
        bucket.policy = Some(policy.to_string());
    });
}

fn theirs() -> Value {
    json!({
        "Sid": "Partner",
        "Effect": "Allow",
        "Principal": {"AWS": "999988887777"},
        "Action": "s3:GetObject",
        "Resource": format!("arn:aws:s3:::{BUCKET}/partner/*"),
    })
}

pub const HAPPENINGS: &[Happening] = &[
    Happening {
        name: "our statement is deleted, and somebody writes another",
        change: |world| {
            statements(world, |all| {
                all.retain(|one| one["Sid"] != "BaselineGuardDutyDelivery");
                all.push(theirs());
            });
        },
        rule: "policy",
    },
    Happening {
        name: "somebody's statement is still there when TLS is asked for again",
        change: |world| {
            statements(world, |all| {
                assert!(all.contains(&theirs()), "a statement of others was taken away");
                all.retain(|one| one["Sid"] != "BaselineTlsOnly");
            });
        },
        rule: "policy",
    },
    Happening {
        name: "the policy is deleted",
        change: |world| bucket(world, |bucket| bucket.policy = None),
        rule: "policy",
    },
    Happening {
        name: "the bucket is one that was made without object lock and versions",
        change: |world| {
            bucket(world, |bucket| {
                bucket.object_lock = None;
                bucket.versioning = Some(BucketVersioningStatus::Suspended);
            });
        },
        rule: "versioning",
    },
    Happening {
        name: "public access is not blocked any more",
        change: |world| bucket(world, |bucket| bucket.public_access = None),
        rule: "public-access",
    },
    Happening {
        name: "access control lists count again",
        change: |world| bucket(world, |bucket| bucket.ownership = Some(ObjectOwnership::ObjectWriter)),
        rule: "ownership",
    },
    Happening {
        name: "objects are encrypted with another key",
        change: |world| {
            let of = |alias: &str| {
                world.region(MEMBER, HOME, |region| {
                    let id = region.kms.aliases.get(alias).expect("furnished").clone();
                    format!("arn:aws:kms:{HOME}:{MEMBER}:key/{id}")
                })
            };
            let other = of("alias/other");
            bucket(world, |bucket| {
                if let Some(by) = &mut bucket.encryption.apply_server_side_encryption_by_default {
                    by.kms_master_key_id = Some(other);
                }
            });
        },
        rule: "encryption",
    },
    Happening {
        name: "objects are encrypted by S3 alone",
        change: |world| {
            let mut new = Bucket::new(MEMBER, HOME);
            bucket(world, |bucket| std::mem::swap(&mut bucket.encryption, &mut new.encryption));
        },
        rule: "encryption",
    },
    Happening {
        name: "the lifecycle is deleted",
        change: |world| bucket(world, |bucket| bucket.lifecycle.clear()),
        rule: "lifecycle",
    },
    Happening {
        name: "new objects are locked no more",
        change: |world| {
            bucket(world, |bucket| {
                if let Some(lock) = &mut bucket.object_lock {
                    lock.rule = None;
                }
            });
        },
        rule: "object-lock",
    },
    Happening {
        name: "access logs are turned off",
        change: |world| bucket(world, |bucket| bucket.logging = None),
        rule: "access-logs",
    },
];
