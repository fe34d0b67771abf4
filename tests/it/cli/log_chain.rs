//! The log chain of the sample organisation: made in one apply, and each disturbance seen as exactly that.

use aws_sdk_cloudtrail::types::{EventSelector, ReadWriteType};
use aws_sdk_ec2::types::SnapshotBlockPublicAccessState;
use baseline::sandbox::World;
use baseline::sandbox::cloudtrail::Selectors;
use baseline::sandbox::sample::{LOG_ARCHIVE, PROD_PAYMENTS};
use serde_json::Value;

use super::shell::Shell;

const HOME: &str = "eu-west-1";
const BUCKET: &str = "acme-logs-444455556666-eu-west-1-an";

/// What somebody does, and the control, rule and field that show it.
type Disturbance = (&'static str, fn(&World), [&'static str; 3]);

const DISTURBANCES: [Disturbance; 5] = [
    ("our statement is deleted", delete_statement, ["s3.log-archive", "policy", "/services"]),
    (
        "the key is disabled",
        |world| {
            world.region(LOG_ARCHIVE, HOME, |region| {
                region.kms.aliased("alias/baseline/logs").expect("made by the apply").enabled = false;
            });
        },
        ["kms.keys", "enabled", "/keys"],
    ),
    (
        "the trail is stopped",
        |world| {
            let stop = |trail: &mut baseline::sandbox::cloudtrail::Trail| trail.logging = false;
            world.region(PROD_PAYMENTS, HOME, |region| region.cloudtrail.change("payments", stop));
        },
        ["cloudtrail.trail", "logging", "/logging"],
    ),
    (
        "its selectors are narrowed",
        |world| {
            let reads = EventSelector::builder().read_write_type(ReadWriteType::ReadOnly).build();
            world.region(PROD_PAYMENTS, HOME, |region| {
                region.cloudtrail.change("payments", |trail| trail.selectors = Selectors::Basic(vec![reads]));
            });
        },
        ["cloudtrail.trail", "events", "/events"],
    ),
    (
        "snapshots may be shared",
        |world| {
            world.region(PROD_PAYMENTS, HOME, |region| {
                region.ec2.snapshot_access = SnapshotBlockPublicAccessState::Unblocked;
            });
        },
        ["ec2.account-defaults", "snapshot-public-access", "/snapshotPublicAccess"],
    ),
];

fn delete_statement(world: &World) {
    world.bucket(BUCKET, |bucket| {
        let mut policy: Value = serde_json::from_str(bucket.policy.as_deref().expect("ours")).expect("JSON");
        let statements = policy["Statement"].as_array_mut().expect("a list");
        let before = statements.len();
        statements.retain(|one| !one["Sid"].as_str().unwrap_or_default().contains("CloudTrailDelivery"));
        assert_eq!(statements.len(), before - 1, "one of ours");
        bucket.policy = Some(policy.to_string());
    });
}

/// The changes that a plan would make.
fn changes(shell: &Shell) -> Vec<Value> {
    let said = shell.run("plan --format jsonl").exits(0).out;
    let lines = said.lines().map(|line| serde_json::from_str::<Value>(line).expect("one value a line"));
    lines.filter(|line| line["outcome"] == "change").collect()
}

#[test]
fn one_apply_makes_it_and_each_disturbance_is_seen_as_exactly_that() {
    let shell = Shell::acme();
    shell.run("apply --auto-approve").exits(0);
    shell.world.forget_calls();
    assert_eq!(changes(&shell), Vec::<Value>::new());
    assert!(shell.world.writes().is_empty(), "the second plan only reads: {:?}", shell.world.writes());
    let policies = shell.world.calls()["s3:GetBucketPolicy"].asked;
    assert_eq!(policies, 2, "one read by the control, and one for all who deliver");
    for (what, disturb, [control, rule, field]) in DISTURBANCES {
        disturb(&shell.world);
        let seen = changes(&shell);
        let [one] = &seen[..] else { panic!("{what}: {seen:#?}") };
        assert_eq!((&one["control"], &one["rule"]), (&control.into(), &rule.into()), "{what}");
        let fields = one["change"]["fields"].as_array().expect("fields");
        let paths = fields.iter().map(|field| field["path"].as_str().unwrap_or_default());
        assert!(paths.clone().all(|path| path.starts_with(field)), "{what}: {:?}", paths.collect::<Vec<_>>());
        shell.run("apply --auto-approve").exits(0).says("1 change made and seen to hold");
        assert_eq!(changes(&shell), Vec::<Value>::new(), "{what}");
    }
}
