//! Security Hub as SDK clients meet it.

use aws_sdk_securityhub::Client;
use aws_sdk_securityhub::types::{
    AssociationStatus, ControlFindingGenerator, ParameterConfiguration, ParameterValue, ParameterValueType,
    StandardsControlAssociationUpdate, StandardsStatus, StandardsSubscriptionRequest,
};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::super::World;
use super::super::config::Recorder;
use super::super::sample::PROD_PAYMENTS;
use super::super::tests::client;

const REGION: &str = "eu-central-1";
const FSBP: &str =
    "arn:aws:securityhub:eu-central-1::standards/aws-foundational-security-best-practices/v/1.0.0";

fn hub(world: &World) -> Client {
    client!(aws_sdk_securityhub, world, PROD_PAYMENTS, REGION)
}

async fn plain(world: &World) -> Client {
    let client = hub(world);
    let mut recorder = Recorder::new("default", "arn:aws:iam::111122223333:role/config");
    recorder.started = Some(world.now());
    world.region(PROD_PAYMENTS, REGION, |region| region.config.recorder = Some(recorder));
    client.enable_security_hub().enable_default_standards(false).send().await.expect("the first time");
    client
}

fn request(arn: &str) -> StandardsSubscriptionRequest {
    StandardsSubscriptionRequest::builder().standards_arn(arn).build()
}

async fn enabled(client: &Client) -> Vec<(String, StandardsStatus)> {
    let pages = client.get_enabled_standards().into_paginator().items().send();
    let all = pages.collect::<Result<Vec<_>, _>>().await.expect("it is enabled");
    all.into_iter()
        .map(|one| (one.standards_arn.unwrap_or_default(), one.standards_status.expect("a status")))
        .collect()
}

fn update(id: &str, status: AssociationStatus, reason: Option<&str>) -> StandardsControlAssociationUpdate {
    StandardsControlAssociationUpdate::builder()
        .standards_arn(FSBP)
        .security_control_id(id)
        .association_status(status)
        .set_updated_reason(reason.map(str::to_owned))
        .build()
}

#[tokio::test(start_paused = true)]
async fn without_a_hub_there_is_no_access_and_a_second_one_is_a_conflict() {
    let world = World::acme();
    let client = hub(&world);
    let error = client.describe_hub().send().await.expect_err("not enabled");
    assert!(error.as_service_error().is_some_and(|error| error.is_invalid_access_exception()));
    let error = client.describe_standards().send().await.expect_err("not enabled");
    assert!(error.as_service_error().is_some_and(|error| error.is_invalid_access_exception()));
    client.enable_security_hub().send().await.expect("the first time");
    let two = enabled(&client).await;
    assert_eq!(two.len(), 2, "the default standards: {two:?}");
    let error = client.enable_security_hub().send().await.expect_err("it is enabled");
    assert!(error.as_service_error().is_some_and(|error| error.is_resource_conflict_exception()));
    let described = client.describe_hub().send().await.expect("enabled");
    assert_eq!(described.auto_enable_controls(), Some(true));
    assert_eq!(described.control_finding_generator(), Some(&ControlFindingGenerator::SecurityControl));
}

#[tokio::test(start_paused = true)]
async fn a_standard_is_pending_before_it_is_ready_and_deleting_before_it_is_gone() {
    let world = World::acme();
    let client = plain(&world).await;
    let pages = client.describe_standards().into_paginator().items().send();
    let offered = pages.collect::<Result<Vec<_>, _>>().await.expect("enabled");
    assert!(offered.iter().any(|one| one.standards_arn() == Some(FSBP)));
    let answer = client.batch_enable_standards().standards_subscription_requests(request(FSBP)).send().await;
    let answer = answer.expect("it is offered");
    let subscription = answer.standards_subscriptions()[0].standards_subscription_arn().expect("an ARN");
    assert_eq!(enabled(&client).await, [(FSBP.to_owned(), StandardsStatus::Pending)]);
    let early = client.batch_disable_standards().standards_subscription_arns(subscription).send().await;
    assert!(early.expect_err("pending").message().is_some_and(|text| text.contains("in state PENDING")));
    tokio::time::advance(super::standards::ENABLING).await;
    assert_eq!(enabled(&client).await[0].1, StandardsStatus::Ready);
    client
        .batch_disable_standards()
        .standards_subscription_arns(subscription)
        .send()
        .await
        .expect("it is ready");
    assert_eq!(enabled(&client).await[0].1, StandardsStatus::Deleting);
    let again = client.batch_enable_standards().standards_subscription_requests(request(FSBP)).send().await;
    assert!(again.is_err(), "it is being disabled");
    tokio::time::advance(super::standards::DISABLING).await;
    assert_eq!(enabled(&client).await, []);
    let unknown = request("arn:aws:securityhub:eu-central-1::standards/nothing/v/1.0.0");
    let error = client.batch_enable_standards().standards_subscription_requests(unknown).send().await;
    assert!(error.expect_err("not offered").message().is_some_and(|text| text.contains("nothing")));
}

#[tokio::test(start_paused = true)]
async fn a_standard_without_a_recorder_stays_incomplete_until_it_is_enabled_again() {
    let world = World::acme();
    let client = plain(&world).await;
    let recorder = world.region(PROD_PAYMENTS, REGION, |region| region.config.recorder.take());
    let enable = || client.batch_enable_standards().standards_subscription_requests(request(FSBP)).send();
    enable().await.expect("it is taken all the same");
    tokio::time::advance(super::standards::ENABLING).await;
    assert_eq!(enabled(&client).await[0].1, StandardsStatus::Incomplete);
    world.region(PROD_PAYMENTS, REGION, |region| region.config.recorder = recorder);
    tokio::time::advance(super::standards::ENABLING).await;
    assert_eq!(enabled(&client).await[0].1, StandardsStatus::Incomplete, "AWS does not look again by itself");
    enable().await.expect("it is taken again");
    tokio::time::advance(super::standards::ENABLING).await;
    assert_eq!(enabled(&client).await[0].1, StandardsStatus::Ready);
}

#[tokio::test(start_paused = true)]
async fn a_control_is_disabled_with_a_reason_where_its_standard_is_ready() {
    let world = World::acme();
    let client = plain(&world).await;
    client
        .batch_enable_standards()
        .standards_subscription_requests(request(FSBP))
        .send()
        .await
        .expect("offered");
    let disable = |id: &str, reason| {
        client
            .batch_update_standards_control_associations()
            .standards_control_association_updates(update(id, AssociationStatus::Disabled, reason))
            .send()
    };
    let early = disable("EC2.8", Some("why")).await.expect("told as unprocessed");
    assert_eq!(early.unprocessed_association_updates().len(), 1);
    tokio::time::advance(super::standards::ENABLING).await;
    for (id, reason) in [("EC2.8", None), ("EC2.8", Some(" ")), ("EC2.99", Some("why"))] {
        let refused = disable(id, reason).await.expect("told as unprocessed");
        assert_eq!(refused.unprocessed_association_updates().len(), 1, "{id} {reason:?}");
    }
    let taken = disable("EC2.8", Some("why")).await.expect("taken");
    assert!(taken.unprocessed_association_updates().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_parameter_keeps_within_its_bounds_and_updates_for_a_while() {
    let world = World::acme();
    let client = plain(&world).await;
    let set = |id: &str, name: &str, value| {
        let wanted =
            ParameterConfiguration::builder().value_type(ParameterValueType::Custom).value(value).build();
        client.update_security_control().security_control_id(id).parameters(name, wanted).send()
    };
    let days = "daysToExpiration";
    assert!(set("ACM.1", days, ParameterValue::Integer(3)).await.is_err(), "below 14");
    assert!(set("ACM.1", days, ParameterValue::Boolean(true)).await.is_err(), "not a number");
    assert!(set("ACM.1", "other", ParameterValue::Integer(60)).await.is_err(), "no such parameter");
    set("ACM.1", days, ParameterValue::Integer(60)).await.expect("within bounds");
    let error = set("ACM.1", days, ParameterValue::Integer(61)).await.expect_err("updating");
    assert!(error.as_service_error().is_some_and(|error| error.is_resource_in_use_exception()));
    let read = client.batch_get_security_controls().security_control_ids("ACM.1").send().await;
    let read = read.expect("enabled");
    let live = read.security_controls()[0].parameters().expect("it has one")[days].value().cloned();
    assert_eq!(live, Some(ParameterValue::Integer(60)));
}

#[tokio::test(start_paused = true)]
async fn a_centrally_managed_account_changes_nothing() {
    let world = World::acme();
    let client = plain(&world).await;
    world.region(PROD_PAYMENTS, REGION, |region| {
        region.securityhub.administrator = Some("777766665555".to_owned());
        region.securityhub.central = Some("a1b2c3d4-5678-90ab-cdef-EXAMPLE11111".to_owned());
    });
    let answer = client.update_security_hub_configuration().auto_enable_controls(false).send().await;
    assert!(answer.expect_err("central").as_service_error().is_some_and(|e| e.is_access_denied_exception()));
    let answer = client.get_administrator_account().send().await.expect("enabled");
    let administrator = answer.administrator().and_then(|one| one.account_id());
    assert_eq!(administrator, Some("777766665555"));
}
