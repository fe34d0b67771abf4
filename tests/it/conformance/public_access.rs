//! What `s3.account-public-access` says of the buckets of an account, and what it asks for that.

use baseline::control::{ErasedControl, Risk};
use baseline::controls;
use baseline::sandbox::s3::public::Block;

use super::stage::{MEMBER, Stage};

const ID: &str = "s3.account-public-access";

async fn stage() -> Stage {
    let control: &'static dyn ErasedControl = controls::find(ID).expect("it is in the list");
    Stage::of(control).await.expect("a stage")
}

/// Risk and evidence of the one change that is planned.
async fn told(stage: &Stage) -> (Risk, String) {
    let plan = stage.plan().await.expect("a plan");
    let (_, item) = plan.changes().next().expect("there is something to do");
    let change = item.finding.change().expect("it is a change");
    (change.risk, change.evidence.clone().unwrap_or_default())
}

/// Makes a bucket block public access by itself.
fn closed(stage: &Stage, name: &str) {
    stage.world.bucket(name, |bucket| bucket.public_access = Some(Block::ALL.into()));
}

#[tokio::test(start_paused = true)]
async fn public_buckets_are_named_in_whatever_region_they_are() {
    let stage = stage().await;
    let both = "2 buckets are public today: partner-drop, www-assets";
    assert_eq!(told(&stage).await, (Risk::Disruptive, both.to_owned()));

    // A bucket that blocks by itself is not public, whatever its policy says.
    closed(&stage, "www-assets");
    let one = "1 bucket is public today: partner-drop";
    assert_eq!(told(&stage).await, (Risk::Disruptive, one.to_owned()));
    stage.world.bucket("partner-drop", |bucket| bucket.readers.clear());
    let objects = "1 bucket has ACLs on, so single objects may be public: partner-drop";
    assert_eq!(told(&stage).await, (Risk::Disruptive, objects.to_owned()));
    closed(&stage, "partner-drop");
    assert_eq!(told(&stage).await, (Risk::Safe, "no bucket is public today".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_bucket_that_cannot_be_read_is_said_and_not_taken_for_private() {
    let stage = stage().await;
    for name in ["partner-drop", "www-assets"] {
        closed(&stage, name);
    }
    let deny = r#"{"Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:Get*","Resource":"*"}]}"#;
    stage.world.bucket("vault", |bucket| bucket.policy = Some(deny.into()));
    let unseen = "1 bucket could not be looked at: vault";
    assert_eq!(told(&stage).await, (Risk::Disruptive, unseen.to_owned()));
}

#[tokio::test(start_paused = true)]
async fn an_account_that_blocks_costs_two_reads() {
    let stage = stage().await;
    stage.converge().await.expect("it converges");
    drop(stage.plan().await.expect("a plan"));
    stage.calls();
    drop(stage.plan().await.expect("a plan"));
    let calls: Vec<&str> =
        stage.calls().iter().filter(|call| call.by == ID).map(|call| call.operation()).collect();
    assert_eq!(calls, ["s3control:GetPublicAccessBlock"; 2]);
    assert!(stage.world.account(MEMBER, |account| account.public_access.block.is_some()));
}
