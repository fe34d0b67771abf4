//! AWS Config as SDK clients meet it.

use aws_sdk_config::Client;
use aws_sdk_config::types::{ConfigurationRecorder, DeliveryChannel};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::super::World;
use super::super::sample::PROD_PAYMENTS;
use super::super::tests::client;
use super::*;

const REGION: &str = "ap-south-1";

fn role() -> String {
    format!("arn:aws:iam::{PROD_PAYMENTS}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig")
}

fn recorder(name: &str) -> ConfigurationRecorder {
    ConfigurationRecorder::builder().name(name).role_arn(role()).build()
}

async fn with_role(world: &World) -> Client {
    let iam = client!(aws_sdk_iam, world, PROD_PAYMENTS, REGION);
    let made = iam.create_service_linked_role().aws_service_name("config.amazonaws.com").send().await;
    let made = made.expect("it was not there").role.expect("is told");
    assert_eq!(made.arn(), role());
    let again = iam.create_service_linked_role().aws_service_name("config.amazonaws.com").send().await;
    let error = again.expect_err("there is one");
    assert_eq!(error.code(), Some("InvalidInput"));
    assert!(error.message().is_some_and(|text| text.contains("has been taken in this account")));
    client!(aws_sdk_config, world, PROD_PAYMENTS, REGION)
}

#[tokio::test(start_paused = true)]
async fn there_is_one_recorder_and_it_needs_a_role() {
    let world = World::acme();
    let bare = client!(aws_sdk_config, world, PROD_PAYMENTS, REGION);
    let put =
        |client: &Client, name| client.put_configuration_recorder().configuration_recorder(recorder(name));
    let error = put(&bare, "a").send().await.expect_err("there is no such role");
    assert_eq!(error.code(), Some("InvalidRoleException"));
    let config = with_role(&world).await;
    put(&config, "a").send().await.expect("the first one");
    put(&config, "a").send().await.expect("the same again");
    let error = put(&config, "b").send().await.expect_err("a second one");
    assert_eq!(error.code(), Some("MaxNumberOfConfigurationRecordersExceededException"));
    let told = config.describe_configuration_recorders().send().await.expect("an answer");
    assert_eq!(told.configuration_recorders().len(), 1);
    let group = told.configuration_recorders()[0].recording_group().expect("told");
    assert!(group.all_supported() && !group.include_global_resource_types());
}

#[tokio::test(start_paused = true)]
async fn the_order_is_recorder_channel_start_and_starting_takes_its_time() {
    let world = World::acme();
    let config = with_role(&world).await;
    let channel = || {
        let channel = DeliveryChannel::builder().name("default").s3_bucket_name("nowhere").build();
        config.put_delivery_channel().delivery_channel(channel)
    };
    let error = channel().send().await.expect_err("no recorder yet");
    assert_eq!(error.code(), Some("NoAvailableConfigurationRecorderException"));
    config
        .put_configuration_recorder()
        .configuration_recorder(recorder("a"))
        .send()
        .await
        .expect("a recorder");
    let error = channel().send().await.expect_err("no bucket");
    assert_eq!(error.code(), Some("NoSuchBucketException"));
    let start = || config.start_configuration_recorder().configuration_recorder_name("a");
    let error = start().send().await.expect_err("no channel yet");
    assert_eq!(error.code(), Some("NoAvailableDeliveryChannelException"));

    let made = Channel { name: "default".into(), bucket: "nowhere".into(), ..Channel::default() };
    world.region(PROD_PAYMENTS, REGION, |region| region.config.channel = Some(made));
    start().send().await.expect("it starts");
    let status = || async {
        let told = config.describe_configuration_recorder_status().send().await.expect("an answer");
        let one = told.configuration_recorders_status()[0].clone();
        (one.recording, one.last_status.map(|status| status.as_str().to_owned()))
    };
    assert_eq!(status().await, (true, Some("Pending".into())));
    tokio::time::sleep(STARTING).await;
    assert_eq!(status().await, (true, Some("Success".into())));
}

#[tokio::test(start_paused = true)]
async fn what_is_recorded_is_said_in_one_of_three_ways() {
    use aws_sdk_config::types::{
        ExclusionByResourceTypes, RecordingGroup, RecordingStrategy, RecordingStrategyType as Strategy,
        ResourceType,
    };
    let world = World::acme();
    let config = with_role(&world).await;
    let put = |group: RecordingGroup| {
        let recorder = ConfigurationRecorder::builder().role_arn(role()).recording_group(group).build();
        config.put_configuration_recorder().configuration_recorder(recorder)
    };
    let strategy = |one| RecordingStrategy::builder().use_only(one).build();
    let all = || RecordingGroup::builder().all_supported(true);
    let except = || {
        let types = ExclusionByResourceTypes::builder().resource_types(ResourceType::Bucket).build();
        RecordingGroup::builder().exclusion_by_resource_types(types)
    };
    put(all().build()).send().await.expect("by the flag");
    put(all().recording_strategy(strategy(Strategy::AllSupportedResourceTypes)).build())
        .send()
        .await
        .expect("and by the strategy");
    put(except().recording_strategy(strategy(Strategy::ExclusionByResourceTypes)).build())
        .send()
        .await
        .expect("all but one");
    for wrong in [
        except().build(),
        except().all_supported(true).recording_strategy(strategy(Strategy::ExclusionByResourceTypes)).build(),
        all().resource_types(ResourceType::Bucket).build(),
        RecordingGroup::builder().build(),
    ] {
        let error = put(wrong.clone()).send().await.expect_err("a mixture");
        assert_eq!(error.code(), Some("InvalidRecordingGroupException"), "{wrong:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_rule_needs_a_recorder_and_its_parameters() {
    use aws_sdk_config::types::{ConfigRule, Owner, Source};
    let world = World::acme();
    let config = with_role(&world).await;
    let rule = |id: &str, parameters: Option<&str>| {
        let source =
            Source::builder().owner(Owner::Aws).source_identifier(id).build().expect("it has an owner");
        let rule = ConfigRule::builder().config_rule_name("keys").source(source);
        let rule = rule.set_input_parameters(parameters.map(str::to_owned)).build();
        config.put_config_rule().config_rule(rule)
    };
    let keys = || rule("ACCESS_KEYS_ROTATED", Some(r#"{"maxAccessKeyAge":"90"}"#));
    let error = keys().send().await.expect_err("no recorder");
    assert_eq!(error.code(), Some("NoAvailableConfigurationRecorderException"));
    config
        .put_configuration_recorder()
        .configuration_recorder(recorder("a"))
        .send()
        .await
        .expect("a recorder");
    keys().send().await.expect("complete");
    for (id, parameters) in [
        ("ACCESS_KEYS_ROTATED", None),
        ("ACCESS_KEYS_ROTATED", Some(r#"{"maxAccessKeyAge":90}"#)),
        ("ACCESS_KEYS_ROTATED", Some("[]")),
        ("access-keys-rotated", None),
    ] {
        let error = rule(id, parameters).send().await.expect_err("it is not");
        assert_eq!(error.code(), Some("InvalidParameterValueException"), "{id} {parameters:?}");
    }
    let error = config.describe_config_rules().config_rule_names("gone").send().await.expect_err("none");
    assert_eq!(error.code(), Some("NoSuchConfigRuleException"));
}
