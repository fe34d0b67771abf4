//! EC2 as SDK clients meet it.

use aws_sdk_ec2::types::{
    Filter, ImageBlockPublicAccessEnabledState, InstanceMetadataEndpointState, MetadataDefaultHttpTokensState,
};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::super::World;
use super::super::sample::PROD_PAYMENTS;
use super::super::tests::client;
use super::*;
use crate::sandbox::{Deny, Front, Trouble, Weather};

const HOME: &str = "eu-west-1";

macro_rules! ec2 {
    ($world:expr) => {
        client!(aws_sdk_ec2, $world, PROD_PAYMENTS, HOME)
    };
}

#[tokio::test(start_paused = true)]
async fn a_new_account_has_todays_defaults() {
    let world = World::acme();
    let ec2 = ec2!(world);
    let encryption = ec2.get_ebs_encryption_by_default().send().await.expect("always");
    assert_eq!(encryption.ebs_encryption_by_default(), Some(false));
    let key = ec2.get_ebs_default_kms_key_id().send().await.expect("always");
    assert_eq!(key.kms_key_id(), Some("alias/aws/ebs"));
    let snapshots = ec2.get_snapshot_block_public_access_state().send().await.expect("always");
    assert_eq!(snapshots.state(), Some(&SnapshotBlockPublicAccessState::Unblocked));
    assert_eq!(snapshots.managed_by(), Some(&ManagedBy::Account));
    let images = ec2.get_image_block_public_access_state().send().await.expect("always");
    assert_eq!(images.image_block_public_access_state(), Some("block-new-sharing"));
    let console = ec2.get_serial_console_access_status().send().await.expect("always");
    assert_eq!(console.serial_console_access_enabled(), Some(false));
    let metadata = ec2.get_instance_metadata_defaults().send().await.expect("always");
    let level = metadata.account_level().expect("always");
    assert_eq!((level.http_tokens(), level.http_put_response_hop_limit()), (None, None));
}

#[tokio::test(start_paused = true)]
async fn an_unknown_key_is_answered_and_changes_nothing() {
    let world = World::acme();
    let ec2 = ec2!(world);
    let set = async |id: &str| {
        ec2.modify_ebs_default_kms_key_id().kms_key_id(id).send().await.expect("answered");
        let key = ec2.get_ebs_default_kms_key_id().send().await.expect("always");
        key.kms_key_id().expect("always").to_owned()
    };
    assert_eq!(set("alias/nobody").await, "alias/aws/ebs");
    let kms = client!(aws_sdk_kms, world, PROD_PAYMENTS, HOME);
    let made = kms.create_key().send().await.expect("made").key_metadata.expect("described");
    kms.create_alias().alias_name("alias/mine").target_key_id(made.key_id()).send().await.expect("free");
    let arn = made.arn().expect("has one");
    for name in ["alias/mine", made.key_id(), arn] {
        assert_eq!(set(name).await, arn, "{name}");
        ec2.reset_ebs_default_kms_key_id().send().await.expect("always");
    }
    world.region(PROD_PAYMENTS, HOME, |region| {
        region.kms.keys.values_mut().for_each(|key| key.enabled = false);
    });
    assert_eq!(set(arn).await, "alias/aws/ebs");
}

#[tokio::test(start_paused = true)]
async fn unblocked_is_no_way_of_blocking() {
    let world = World::acme();
    let ec2 = ec2!(world);
    let call = ec2.enable_snapshot_block_public_access();
    let error =
        call.state(SnapshotBlockPublicAccessState::Unblocked).send().await.expect_err("no value of it");
    assert_eq!(error.code(), Some("InvalidParameterValue"));
    let error = ec2.enable_image_block_public_access().send().await.expect_err("needs its state");
    assert_eq!(error.code(), Some("MissingParameter"));
}

#[tokio::test(start_paused = true)]
async fn images_read_unblocked_until_blocking_is_done() {
    let world = World::acme();
    let ec2 = ec2!(world);
    world.region(PROD_PAYMENTS, HOME, |region| region.ec2.images_take = Duration::from_secs(300));
    ec2.disable_image_block_public_access().send().await.expect("always");
    let block = ImageBlockPublicAccessEnabledState::BlockNewSharing;
    ec2.enable_image_block_public_access()
        .image_block_public_access_state(block)
        .send()
        .await
        .expect("its value");
    let state = async || {
        let answer = ec2.get_image_block_public_access_state().send().await.expect("always");
        answer.image_block_public_access_state().expect("always").to_owned()
    };
    assert_eq!(state().await, "unblocked");
    world.advance(Duration::from_secs(300));
    assert_eq!(state().await, "block-new-sharing");
}

#[tokio::test(start_paused = true)]
async fn metadata_defaults_change_one_by_one_and_are_taken_out_by_their_word() {
    let world = World::acme();
    let ec2 = ec2!(world);
    world.region(PROD_PAYMENTS, HOME, |region| {
        region.ec2.metadata.endpoint = Some(InstanceMetadataEndpointState::Enabled);
    });
    let modify = || ec2.modify_instance_metadata_defaults();
    modify().http_put_response_hop_limit(64).send().await.expect("the highest");
    for hops in [0, -2, 65] {
        let wrong =
            modify().http_put_response_hop_limit(hops).http_tokens(MetadataDefaultHttpTokensState::Optional);
        let error = wrong.send().await.expect_err("out of bounds");
        assert_eq!(error.code(), Some("InvalidParameterValue"), "{hops}");
    }
    let level = async || {
        let answer = ec2.get_instance_metadata_defaults().send().await.expect("always");
        let level = answer.account_level.expect("always");
        (level.http_tokens, level.http_put_response_hop_limit, level.http_endpoint)
    };
    let enabled = Some(InstanceMetadataEndpointState::Enabled);
    assert_eq!(level().await, (None, Some(64), enabled.clone()), "a wrong request changes nothing");
    modify().http_put_response_hop_limit(-1).send().await.expect("no preference");
    assert_eq!(level().await, (None, None, enabled));
}

#[tokio::test(start_paused = true)]
async fn a_declarative_policy_refuses_every_way_of_changing_what_it_sets() {
    let world = World::acme();
    let ec2 = ec2!(world);
    world.region(PROD_PAYMENTS, HOME, |region| {
        region.ec2.by_policy = [
            Attribute::SnapshotAccess,
            Attribute::ImageAccess,
            Attribute::SerialConsole,
            Attribute::InstanceMetadata,
        ]
        .into();
    });
    let codes = [
        ec2.disable_snapshot_block_public_access().send().await.expect_err("set").code().map(str::to_owned),
        ec2.disable_image_block_public_access().send().await.expect_err("set").code().map(str::to_owned),
        ec2.enable_serial_console_access().send().await.expect_err("set").code().map(str::to_owned),
        ec2.modify_instance_metadata_defaults().send().await.expect_err("set").code().map(str::to_owned),
    ];
    assert!(codes.iter().all(|code| code.as_deref() == Some("DeclarativePolicyViolation")), "{codes:?}");
    let console = ec2.get_serial_console_access_status().send().await.expect("reading is free");
    assert_eq!(console.managed_by(), Some(&ManagedBy::DeclarativePolicy));
    assert_eq!(console.serial_console_access_enabled(), Some(false));
}

#[tokio::test(start_paused = true)]
async fn public_snapshots_and_images_come_in_pages() {
    let world = World::acme();
    let ec2 = ec2!(world);
    world.region(PROD_PAYMENTS, HOME, |region| {
        for index in 0..6 {
            region.ec2.snapshots.insert(format!("snap-{index}"), index != 3);
            region.ec2.images.insert(format!("ami-{index}"), index == 3);
        }
    });
    let call = ec2.describe_snapshots().owner_ids("self").restorable_by_user_ids("all");
    let pages: Vec<usize> = call
        .into_paginator()
        .send()
        .try_collect()
        .await
        .expect("good tokens")
        .iter()
        .map(|page| page.snapshots().len())
        .collect();
    assert_eq!(pages, [2, 2, 1]);
    let filter = Filter::builder().name("is-public").values("true").build();
    let images = ec2.describe_images().owners("self").filters(filter).send().await.expect("known filter");
    assert_eq!(images.images().iter().filter_map(|image| image.image_id()).collect::<Vec<_>>(), ["ami-3"]);
    let error = ec2.describe_snapshots().send().await.expect_err("everybody's public snapshots");
    assert_eq!(error.code(), Some("InvalidParameterValue"));
    let error = ec2.describe_snapshots().owner_ids("self").max_results(4).send().await.expect_err("too few");
    assert_eq!(error.code(), Some("InvalidParameterValue"));
}

#[tokio::test(start_paused = true)]
async fn errors_come_in_ec2s_own_form() {
    let world = World::acme();
    let ec2 = ec2!(world);
    world.account(PROD_PAYMENTS, |account| {
        account.denies.insert(Deny::new("ec2:GetEbsEncryptionByDefault").by_organization());
    });
    let error = ec2.get_ebs_encryption_by_default().send().await.expect_err("denied");
    assert_eq!(error.code(), Some("UnauthorizedOperation"));
    assert!(error.message().is_some_and(|text| text.contains("service control policy")), "{error:?}");
    for (trouble, code) in
        [(Trouble::Throttled, "RequestLimitExceeded"), (Trouble::ServerError, "InternalError")]
    {
        world.set_weather(Weather::fair().with(Front::new(trouble)));
        let error = ec2.get_ebs_default_kms_key_id().send().await.expect_err("bad weather");
        assert_eq!(error.code(), Some(code));
    }
    world.set_weather(Weather::fair());
    let closed = client!(aws_sdk_ec2, world, PROD_PAYMENTS, "af-south-1");
    let error = closed.get_ebs_default_kms_key_id().send().await.expect_err("not opted in");
    assert_eq!(error.code(), Some("AuthFailure"));
}
