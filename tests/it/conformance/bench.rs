//! What stands in the world before a control is tried, and what others do to it meanwhile: data for each control,
//! because a world has to hold what a control looks after.

mod alarms;
mod config;
mod inspector;
mod keys;
mod log_archive;
mod notices;
mod organization;
mod securityhub;
pub mod securityhub_more;
mod suppressions;
mod waf;
pub mod waf_association;

use aws_sdk_cloudtrail::types::{EventSelector, ReadWriteType};
use aws_sdk_ecr::types::{ScanFrequency, ScanType};
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
use aws_types::region::Region;
use baseline::sandbox::cloudtrail::{Selectors, Trail};
use baseline::sandbox::ecr::Repository;
use baseline::sandbox::ecr::registry::Scanning;
use baseline::sandbox::guardduty::Detector;
use baseline::sandbox::iam::{Mfa, PasswordPolicy};
use baseline::sandbox::{Principal, World};
use serde_json::json;

use super::stage::{ARCHIVE, HOME, MEMBER, ORGANIZATION};
use super::switches;

/// The archive's bucket.
pub const BUCKET: &str = "stage-logs";
/// The archive's key.
pub const KEY: &str = "alias/baseline/logs";

/// Puts everything in the world that a control's example stands on.
pub async fn furnish(world: &World, control: &str) {
    match control {
        "ec2.account-defaults" => switches::furnish(world).await,
        "guardduty.detector" => archive(world).await,
        "s3.log-archive" => log_archive::furnish(world).await,
        "cloudtrail.trail" => {
            archive(world).await;
            let topic = "trail-deliveries".to_owned();
            world.region(MEMBER, HOME, |region| region.cloudtrail.topics.insert(topic));
        }
        "specimen.export" => {
            archive(world).await;
            detector(world);
        }
        "ecr.repositories" => {
            let now = world.now();
            world.region(MEMBER, HOME, |region| {
                for name in ["team/api", "team/web"] {
                    region.ecr.repositories.insert(name.to_owned(), Repository::with_defaults(now));
                }
            });
        }
        "s3.account-public-access" => public_buckets(world).await,
        _ if config::furnish(world, control).await => {}
        _ if securityhub::furnish(world, control).await => {}
        _ if securityhub_more::furnish(world, control).await => {}
        _ if suppressions::furnish(world, control).await => {}
        _ if waf::furnish(world, control).await => {}
        _ if waf_association::furnish(world, control).await => {}
        _ if organization::furnish(world, control).await => {}
        _ if inspector::furnish(world, control).await => {}
        _ if alarms::furnish(world, control).await => {}
        _ if notices::furnish(world, control).await => {}
        _ => {}
    }
}

/// A bucket that is public by its policy, one by its ACL and elsewhere, and one that is not.
async fn public_buckets(world: &World) {
    for (name, region) in [("www-assets", HOME), ("partner-drop", "eu-central-1"), ("vault", HOME)] {
        let s3 = s3(world, MEMBER, region);
        s3.create_bucket()
            .bucket(name)
            .create_bucket_configuration(
                CreateBucketConfiguration::builder()
                    .location_constraint(BucketLocationConstraint::from(region))
                    .build(),
            )
            .send()
            .await
            .expect("the name is free");
    }
    let policy = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::www-assets/*",
    }]});
    world.bucket("www-assets", |bucket| {
        bucket.public_access = None;
        bucket.policy = Some(policy.to_string());
    });
    world.bucket("partner-drop", |bucket| {
        bucket.public_access = None;
        bucket.ownership = None;
        bucket.readers = vec!["AllUsers".into()];
    });
}

/// S3 in one region, for root of one account.
fn s3(world: &World, account: &str, region: &'static str) -> aws_sdk_s3::Client {
    let connection = world.connection(&baseline::place::Region::new(HOME));
    aws_sdk_s3::Client::from_conf(
        aws_sdk_s3::config::Builder::from(&connection.sdk)
            .region(Region::new(region))
            .credentials_provider(world.caller_credentials(account, Principal::Root))
            .interceptor(world.interceptor())
            .build(),
    )
}

/// A detector as AWS makes one.
pub fn detector(world: &World) {
    let now = world.now();
    let detector = Detector::with_defaults("8ac7a7f2b5e64d1c9f3e0d2b1a4c5d6e", now);
    world.region(MEMBER, HOME, |region| region.guardduty.detector = Some(detector));
}

/// A bucket and a key that GuardDuty and CloudTrail of the organisation may deliver with.
pub async fn archive(world: &World) {
    bucket(world).await;
    key(world, KEY).await;
}

/// The bucket alone.
pub async fn bucket(world: &World) {
    let s3 = s3(world, ARCHIVE, HOME);
    let place = CreateBucketConfiguration::builder()
        .location_constraint(BucketLocationConstraint::from(HOME))
        .build();
    s3.create_bucket()
        .bucket(BUCKET)
        .create_bucket_configuration(place)
        .send()
        .await
        .expect("the name is free");
    let arn = format!("arn:aws:s3:::{BUCKET}");
    let policy = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow",
        "Principal": {"Service": "guardduty.amazonaws.com"},
        "Action": ["s3:GetBucketLocation", "s3:PutObject"],
        "Resource": [arn, format!("{arn}/*")],
        "Condition": {"StringEquals": {"aws:SourceOrgID": ORGANIZATION}},
    }, {
        "Effect": "Allow",
        "Principal": {"Service": "cloudtrail.amazonaws.com"},
        "Action": "s3:GetBucketAcl",
        "Resource": arn,
        "Condition": {"StringEquals": {"aws:SourceOrgID": ORGANIZATION}},
    }, {
        "Effect": "Allow",
        "Principal": {"Service": "cloudtrail.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": format!("{arn}/*"),
        "Condition": {"StringEquals": {
            "aws:SourceOrgID": ORGANIZATION,
            "s3:x-amz-acl": "bucket-owner-full-control",
        }},
    }]});
    s3.put_bucket_policy().bucket(BUCKET).policy(policy.to_string()).send().await.expect("a policy");
}

/// A key policy that lets its account manage the key, and GuardDuty and CloudTrail of the organisation use it.
pub fn key_policy(account: &str) -> String {
    json!({"Version": "2012-10-17", "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": format!("arn:aws:iam::{account}:root")},
            "Action": "kms:*",
            "Resource": "*",
        },
        {
            "Effect": "Allow",
            "Principal": {"Service": "guardduty.amazonaws.com"},
            "Action": "kms:GenerateDataKey",
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:SourceOrgID": ORGANIZATION}},
        },
        {
            "Effect": "Allow",
            "Principal": {"Service": "cloudtrail.amazonaws.com"},
            "Action": ["kms:GenerateDataKey*", "kms:DescribeKey"],
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:SourceOrgID": ORGANIZATION}},
        },
    ]})
    .to_string()
}

/// A key of the archive under this alias.
pub async fn key(world: &World, alias: &str) {
    key_of(world, ARCHIVE, alias).await;
}

/// A key of an account under this alias.
pub async fn key_of(world: &World, account: &str, alias: &str) {
    let connection = world.connection(&baseline::place::Region::new(HOME));
    let kms = aws_sdk_kms::Client::from_conf(
        aws_sdk_kms::config::Builder::from(&connection.sdk)
            .region(Region::new(HOME))
            .credentials_provider(world.caller_credentials(account, Principal::Root))
            .interceptor(world.interceptor())
            .build(),
    );
    let made =
        kms.create_key().policy(key_policy(account)).send().await.expect("a policy that keeps the owner in");
    let id = made.key_metadata.map(|key| key.key_id).expect("an id");
    kms.create_alias().alias_name(alias).target_key_id(id).send().await.expect("the alias is free");
}

/// Something that somebody does behind the program's back to a world that had converged.
pub struct Happening {
    pub name: &'static str,
    pub change: fn(&World),
    /// The rule that shows it.
    pub rule: &'static str,
}

/// What no value of the spec can bring about, and still must be seen.
pub fn happenings(control: &str) -> &'static [Happening] {
    match control {
        "iam.root-user" => &[
            Happening {
                name: "the root user gets an access key",
                change: |world| world.account(MEMBER, |account| account.iam.root.access_keys = true),
                rule: "root-access-keys",
            },
            Happening {
                name: "the root user loses its device",
                change: |world| world.account(MEMBER, |account| account.iam.root.mfa = Mfa::None),
                rule: "root-mfa",
            },
            Happening {
                name: "the root user gets a virtual device",
                change: |world| world.account(MEMBER, |account| account.iam.root.mfa = Mfa::Virtual),
                rule: "root-hardware-mfa",
            },
            Happening {
                name: "the root user gets a certificate",
                change: |world| world.account(MEMBER, |account| account.iam.root.signing_certificates = true),
                rule: "root-signing-certificates",
            },
        ],
        "iam.password-policy" => &[
            Happening {
                name: "the policy is deleted",
                change: |world| world.account(MEMBER, |account| account.iam.password_policy = None),
                rule: "password-policy",
            },
            Happening {
                name: "the policy is what an update that says nothing leaves",
                change: |world| {
                    let policy = Some(PasswordPolicy::default());
                    world.account(MEMBER, |account| account.iam.password_policy = policy);
                },
                rule: "password-policy",
            },
        ],
        "ec2.account-defaults" => switches::HAPPENINGS,
        "guardduty.detector" => &[
            Happening {
                name: "the detector is deleted",
                change: |world| world.region(MEMBER, HOME, |region| region.guardduty.detector = None),
                rule: "detector",
            },
            Happening {
                name: "the export goes elsewhere",
                change: |world| {
                    export(world, |destination| destination.bucket_arn = "arn:aws:s3:::elsewhere".into())
                },
                rule: "publishing",
            },
            Happening { name: "the export is deleted", change: no_export, rule: "publishing" },
        ],
        "cloudtrail.trail" => &[
            Happening {
                name: "the trail is stopped",
                change: |world| trail(world, |trail| trail.logging = false),
                rule: "logging",
            },
            Happening {
                name: "its selectors are narrowed",
                change: |world| {
                    let reads = EventSelector::builder().read_write_type(ReadWriteType::ReadOnly).build();
                    trail(world, |trail| trail.selectors = Selectors::Basic(vec![reads]));
                },
                rule: "events",
            },
            Happening {
                name: "the log group's retention is deleted",
                change: |world| {
                    world.region(MEMBER, HOME, |region| {
                        region.logs.groups.values_mut().for_each(|group| group.retention = None);
                    });
                },
                rule: "cloudwatch-logs",
            },
            Happening {
                name: "the log group is deleted",
                change: |world| world.region(MEMBER, HOME, |region| region.logs.groups.clear()),
                rule: "cloudwatch-logs",
            },
            Happening {
                name: "the role trusts somebody else",
                change: |world| {
                    let trust = json!({"Version": "2012-10-17", "Statement": [{
                        "Effect": "Allow", "Action": "sts:AssumeRole",
                        "Principal": {"AWS": format!("arn:aws:iam::{MEMBER}:root")},
                    }]});
                    world.account(MEMBER, |account| {
                        let role = account.iam.roles.get_mut("baseline-cloudtrail");
                        role.expect("it was made").trust = trust.to_string();
                    });
                },
                rule: "cloudwatch-logs",
            },
            Happening {
                name: "nothing arrives",
                change: |world| trail(world, |trail| trail.delivery_error = Some("AccessDenied".into())),
                rule: "delivery",
            },
            Happening {
                name: "the trail is deleted",
                change: |world| world.region(MEMBER, HOME, |region| region.cloudtrail.trails.clear()),
                rule: "trail",
            },
        ],
        "specimen.export" => {
            &[Happening { name: "the export is deleted", change: no_export, rule: "export" }]
        }
        "s3.account-public-access" => &[Happening {
            name: "the account's block is deleted",
            change: |world| world.account(MEMBER, |account| account.public_access.block = None),
            rule: "public-access",
        }],
        "ecr.registry" => &[
            Happening {
                name: "scanning goes back to what a new registry has",
                change: |world| scanning(world, Scanning::default()),
                rule: "scanning",
            },
            Happening {
                name: "scanning by hand, by a rule that says so",
                change: |world| {
                    let rules = vec![(ScanFrequency::Manual, vec!["*".to_owned()])];
                    scanning(world, Scanning { scan_type: ScanType::Basic, rules });
                },
                rule: "scanning",
            },
        ],
        "s3.log-archive" => log_archive::HAPPENINGS,
        "ecr.repositories" => &[Happening {
            name: "a new repository",
            change: |world| {
                let now = world.now();
                world.region(MEMBER, HOME, |region| {
                    region.ecr.repositories.insert("team/new".to_owned(), Repository::with_defaults(now));
                });
            },
            rule: "scan-on-push",
        }],
        "kms.keys" => keys::HAPPENINGS,
        _ => [
            config::happenings(control),
            securityhub::happenings(control),
            securityhub_more::happenings(control),
            suppressions::happenings(control),
            waf::happenings(control),
            waf_association::happenings(control),
            organization::happenings(control),
            inspector::happenings(control),
            alarms::happenings(control),
            notices::happenings(control),
        ]
        .into_iter()
        .find(|found| !found.is_empty())
        .unwrap_or_default(),
    }
}

/// An Exception document that belongs to a control's example.
pub fn signed_off(control: &str) -> Option<serde_json::Value> {
    config::signed_off(control).or_else(|| suppressions::signed_off(control))
}

fn scanning(world: &World, scanning: Scanning) {
    world.region(MEMBER, HOME, |region| region.ecr.scanning = scanning);
}

fn trail(world: &World, change: impl FnOnce(&mut Trail)) {
    world.region(MEMBER, HOME, |region| region.cloudtrail.change("baseline", change));
}

fn no_export(world: &World) {
    world.region(MEMBER, HOME, |region| {
        if let Some(detector) = &mut region.guardduty.detector {
            detector.destination = None;
        }
    });
}

fn export(world: &World, change: impl FnOnce(&mut baseline::sandbox::guardduty::Destination)) {
    world.region(MEMBER, HOME, |region| {
        if let Some(destination) = region.guardduty.detector.as_mut().and_then(|d| d.destination.as_mut()) {
            change(destination);
        }
    });
}

/// Does by hand what no API can do, or nobody but a person should.
pub fn by_hand(world: &World) {
    keys::close(world);
    config::by_hand(world);
    securityhub::by_hand(world);
    securityhub_more::by_hand(world);
    waf::by_hand(world);
    waf_association::by_hand(world);
    organization::by_hand(world);
    inspector::by_hand(world);
    alarms::by_hand(world);
    notices::by_hand(world);
    world.account(MEMBER, |account| {
        account.iam.root.access_keys = false;
        account.iam.root.signing_certificates = false;
        account.iam.root.mfa = Mfa::Hardware;
    });
    trail(world, |trail| trail.delivery_error = None);
}
