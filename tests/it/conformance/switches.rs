//! `ec2.account-defaults`: its arm of the bench, and what the points do not ask: each drift under exactly its own
//! rule, what a declarative policy sets, what is counted, and what takes AWS minutes.

use std::time::Duration;

use aws_sdk_ec2::types::{HttpTokensState, SnapshotBlockPublicAccessState};
use aws_types::region::Region;
use baseline::apply::ChangeResult;
use baseline::control::{ErasedControl, Risk, Verdict};
use baseline::controls;
use baseline::plan::{Item, Outcome, Plan};
use baseline::sandbox::ec2::{Attribute, Ec2};
use baseline::sandbox::{Front, Principal, Trouble, Weather, World};
use serde_json::{Value, json};

use super::bench::{Happening, happenings, key_policy};
use super::stage::{Applied, HOME, MEMBER, Stage, example, open};

const ID: &str = "ec2.account-defaults";

/// What somebody does to the member's EC2 in its home region.
fn ec2(world: &World, change: impl FnOnce(&mut Ec2)) {
    world.region(MEMBER, HOME, |region| change(&mut region.ec2));
}

/// The key of the example, and a key of somebody else's choice that has no name.
pub async fn furnish(world: &World) {
    let connection = world.connection(&baseline::place::Region::new(HOME));
    let kms = aws_sdk_kms::Client::from_conf(
        aws_sdk_kms::config::Builder::from(&connection.sdk)
            .region(Region::new(HOME))
            .credentials_provider(world.caller_credentials(MEMBER, Principal::Root))
            .interceptor(world.interceptor())
            .build(),
    );
    let mut ids = Vec::new();
    for _ in 0..2 {
        let made = kms.create_key().policy(key_policy(MEMBER)).send().await.expect("a good policy");
        ids.push(made.key_metadata.map(|key| key.key_id).expect("an id"));
    }
    kms.create_alias().alias_name("alias/acme/ebs").target_key_id(&ids[0]).send().await.expect("free");
    world.region(MEMBER, HOME, |region| {
        region.ec2.ebs_key = ids.pop();
        region.ec2.snapshots = [("snap-01", true), ("snap-02", false), ("snap-03", true), ("snap-04", true)]
            .map(|(id, public)| (id.to_owned(), public))
            .into();
        region.ec2.images =
            [("ami-01", false), ("ami-02", true)].map(|(id, public)| (id.to_owned(), public)).into();
    });
}

pub const HAPPENINGS: &[Happening] = &[
    Happening {
        name: "encryption is turned off",
        change: |world| ec2(world, |ec2| ec2.ebs_encryption = false),
        rule: "ebs-encryption",
    },
    Happening {
        name: "new volumes get AWS's key",
        change: |world| ec2(world, |ec2| ec2.ebs_key = None),
        rule: "ebs-key",
    },
    Happening {
        name: "the alias is moved to another key",
        change: |world| {
            world.region(MEMBER, HOME, |region| {
                let now = region.kms.aliases.get("alias/acme/ebs").cloned();
                let other = region.kms.keys.keys().find(|id| Some(*id) != now.as_ref()).cloned();
                region.kms.aliases.extend(other.map(|id| ("alias/acme/ebs".to_owned(), id)));
            });
        },
        rule: "ebs-key",
    },
    Happening {
        name: "snapshots can be shared again",
        change: |world| ec2(world, |ec2| ec2.snapshot_access = SnapshotBlockPublicAccessState::Unblocked),
        rule: "snapshot-public-access",
    },
    Happening {
        name: "snapshots that were shared before are shared again",
        change: |world| {
            ec2(world, |ec2| ec2.snapshot_access = SnapshotBlockPublicAccessState::BlockNewSharing)
        },
        rule: "snapshot-public-access",
    },
    Happening {
        name: "images can be shared again",
        change: |world| ec2(world, |ec2| ec2.images_blocked = false),
        rule: "image-public-access",
    },
    Happening {
        name: "instances may be launched with version 1 of the metadata service",
        change: |world| ec2(world, |ec2| ec2.metadata.tokens = Some(HttpTokensState::Optional)),
        rule: "instance-metadata",
    },
    Happening {
        name: "the hop limit is taken out",
        change: |world| ec2(world, |ec2| ec2.metadata.hop_limit = None),
        rule: "instance-metadata",
    },
    Happening {
        name: "version 2 of the metadata service is no longer enforced",
        change: |world| ec2(world, |ec2| ec2.metadata.tokens_enforced = None),
        rule: "instance-metadata-enforcement",
    },
    Happening {
        name: "the serial console is opened",
        change: |world| ec2(world, |ec2| ec2.serial_console = true),
        rule: "serial-console",
    },
];

fn control() -> &'static dyn ErasedControl {
    controls::find(ID).expect("it is in the list")
}

/// A stage on which everything is as the example says.
async fn converged() -> Stage {
    let stage = Stage::of(control()).await.expect("a stage");
    stage.converge().await.expect("nothing is in the way");
    stage.world.forget_calls();
    stage
}

fn declare(stage: &Stage, spec: &Value) {
    stage.declare(control(), spec).expect("documents");
}

async fn plan(stage: &Stage) -> Plan {
    stage.plan().await.expect("a plan")
}

fn item<'a>(plan: &'a Plan, rule: &str) -> &'a Item {
    plan.items.iter().find(|item| item.finding.rule == rule).unwrap_or_else(|| panic!("{}", open(plan)))
}

/// The rules that are not in sync.
fn rules(plan: &Plan) -> Vec<&str> {
    let open = plan.items.iter().filter(|item| item.outcome != Outcome::InSync);
    open.map(|item| item.finding.rule.as_str()).collect()
}

#[tokio::test(start_paused = true)]
async fn each_drift_is_seen_under_its_own_rule_and_no_other() {
    let stage = converged().await;
    for happening in happenings(ID) {
        (happening.change)(&stage.world);
        assert_eq!(rules(&plan(&stage).await), [happening.rule], "{}", happening.name);
        stage.converge().await.expect(happening.name);
    }
}

#[tokio::test(start_paused = true)]
async fn only_what_is_declared_is_asked_for() {
    let stage = converged().await;
    stage.calls();
    declare(&stage, &json!({"serialConsole": false, "imagePublicAccess": "block-new-sharing"}));
    drop(plan(&stage).await);
    let asked: Vec<String> = stage.operations(ID).into_iter().collect();
    assert_eq!(asked, ["ec2:GetImageBlockPublicAccessState", "ec2:GetSerialConsoleAccessStatus"]);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_makes_no_other_setting_unknown() {
    let stage = converged().await;
    for (call, rule) in [
        ("ec2:GetEbsEncryptionByDefault", vec!["ebs-encryption"]),
        ("kms:ListAliases", vec!["ebs-key"]),
        ("ec2:GetSnapshotBlockPublicAccessState", vec!["snapshot-public-access"]),
        ("ec2:GetInstanceMetadataDefaults", vec!["instance-metadata", "instance-metadata-enforcement"]),
    ] {
        stage.world.set_weather(Weather::fair().with(Front::new(Trouble::Denied).on(call)));
        let plan = plan(&stage).await;
        assert_eq!(rules(&plan), rule, "{call}");
        let verdict = &item(&plan, rule[0]).finding.verdict;
        assert!(matches!(verdict, Verdict::Unknown { fault } if fault.call == call), "{verdict:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_declarative_policy_is_named_and_never_fought() {
    let stage = converged().await;
    ec2(&stage.world, |ec2| {
        ec2.by_policy = [
            Attribute::SnapshotAccess,
            Attribute::ImageAccess,
            Attribute::SerialConsole,
            Attribute::InstanceMetadata,
        ]
        .into();
    });
    assert_eq!(rules(&plan(&stage).await), Vec::<&str>::new(), "a policy that agrees is in sync");

    ec2(&stage.world, |ec2| {
        ec2.snapshot_access = SnapshotBlockPublicAccessState::BlockNewSharing;
        ec2.images_blocked = false;
        ec2.serial_console = true;
        ec2.metadata.tokens = Some(HttpTokensState::Optional);
        ec2.metadata.hop_limit = Some(5);
        ec2.metadata.exception_message = Some("ask the platform team".into());
    });
    stage.calls();
    let differs = plan(&stage).await;
    assert!(!stage.operations(ID).contains("ec2:DescribeSnapshots"), "nothing is about to be hidden");
    let foreign = ["snapshot-public-access", "image-public-access", "instance-metadata", "serial-console"];
    assert_eq!(rules(&differs), foreign);
    for (rule, says) in [
        ("snapshot-public-access", "snapshotPublicAccess is block-new-sharing"),
        ("image-public-access", "imagePublicAccess is unblocked"),
        ("instance-metadata", "instanceMetadata.tokens is optional, instanceMetadata.hopLimit is 5"),
        ("instance-metadata", "it says: ask the platform team"),
        ("serial-console", "serialConsole is true"),
    ] {
        let item = item(&differs, rule);
        assert_eq!(item.outcome, Outcome::Foreign, "{rule}");
        let told = matches!(&item.finding.verdict, Verdict::Foreign { owner, evidence }
            if owner == "a declarative policy of the organisation" && evidence.contains(says));
        assert!(told, "{says}: {:?}", item.finding.verdict);
    }
    stage.apply().await.expect("an apply without changes");
    assert_eq!(stage.writes(), [].into(), "nothing was sent");
}

#[tokio::test(start_paused = true)]
async fn snapshots_that_would_be_hidden_are_counted_over_all_pages() {
    let stage = Stage::of(control()).await.expect("a stage");
    let evidence = |plan: &Plan, rule: &str| {
        let change = item(plan, rule).finding.change().cloned().unwrap_or_else(|| panic!("{}", open(plan)));
        (change.evidence.unwrap_or_default(), change.risk)
    };
    ec2(&stage.world, |ec2| ec2.images_blocked = false);
    let first = plan(&stage).await;
    let hidden = "3 snapshots of this account are public today and will be hidden".to_owned();
    assert_eq!(evidence(&first, "snapshot-public-access"), (hidden, Risk::Disruptive));
    let stays = "1 image of this account is public today and will stay public".to_owned();
    assert_eq!(evidence(&first, "image-public-access"), (stays, Risk::Safe));

    declare(&stage, &json!({"snapshotPublicAccess": "block-new-sharing"}));
    let stay = "3 snapshots of this account are public today and will stay public".to_owned();
    assert_eq!(evidence(&plan(&stage).await, "snapshot-public-access"), (stay, Risk::Safe));

    ec2(&stage.world, |ec2| ec2.snapshots.values_mut().for_each(|public| *public = false));
    declare(&stage, &json!({"snapshotPublicAccess": "block-all-sharing"}));
    let none = "no snapshot of this account is public today".to_owned();
    assert_eq!(evidence(&plan(&stage).await, "snapshot-public-access"), (none, Risk::Safe));
}

/// A change that hides what nobody could count would hide how much it breaks.
#[tokio::test(start_paused = true)]
async fn what_cannot_be_counted_is_unknown_and_not_changed() {
    let stage = Stage::of(control()).await.expect("a stage");
    stage.world.set_weather(Weather::fair().with(Front::new(Trouble::Denied).on("ec2:DescribeSnapshots")));
    assert_eq!(item(&plan(&stage).await, "snapshot-public-access").outcome, Outcome::Unknown);
}

#[tokio::test(start_paused = true)]
async fn images_are_waited_for_as_long_as_aws_may_take() {
    let stage = converged().await;
    ec2(&stage.world, |ec2| {
        ec2.images_blocked = false;
        ec2.images_take = Duration::from_secs(9 * 60);
    });
    let applied = stage.apply().await.and_then(Applied::held).expect("it holds in the end");
    assert!(applied.report.changes.iter().any(|change| change.elapsed >= Duration::from_secs(9 * 60)));
    assert_eq!(stage.writes(), [("ec2:EnableImageBlockPublicAccess".to_owned(), 1)].into());

    ec2(&stage.world, |ec2| {
        ec2.images_blocked = false;
        ec2.images_take = Duration::from_secs(11 * 60);
    });
    let applied = stage.apply().await.expect("a report");
    assert!(matches!(applied.result(ID), Some(ChangeResult::NotVerified { .. })), "{:?}", applied.result(ID));
}

/// AWS's own key is told by its alias until it is used for the first time, and by its ARN from then on.
#[tokio::test(start_paused = true)]
async fn the_key_that_aws_manages_is_known_by_either_name() {
    let stage = converged().await;
    let mut spec = example(control()).expect("an example");
    spec["ebsKey"] = json!("aws-managed");
    declare(&stage, &spec);
    stage.converge().await.expect("by its alias");
    stage.world.region(MEMBER, HOME, |region| {
        let (id, key) =
            region.kms.keys.iter().next().map(|(id, key)| (id.clone(), key.clone())).expect("a key");
        let own = id.chars().rev().collect::<String>();
        region.kms.keys.insert(own.clone(), key);
        region.kms.aliases.insert("alias/aws/ebs".into(), own);
    });
    assert_eq!(rules(&plan(&stage).await), Vec::<&str>::new(), "by its ARN");
}

#[tokio::test(start_paused = true)]
async fn a_key_without_its_alias_blocks_the_key_and_nothing_else() {
    let stage = Stage::of(control()).await.expect("a stage");
    let mut spec = example(control()).expect("an example");
    spec["ebsKey"] = json!("alias/acme/gone");
    declare(&stage, &spec);
    let applied = stage.apply().await.and_then(Applied::held).expect("the others are made");
    assert!(!applied.report.changes.is_empty());
    let after = plan(&stage).await;
    assert_eq!(rules(&after), ["ebs-key"]);
    assert!(matches!(&item(&after, "ebs-key").outcome, Outcome::Blocked { on, .. } if on.len() == 1));
}
