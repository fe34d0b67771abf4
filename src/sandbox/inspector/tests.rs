//! Inspector as SDK clients meet it.

use aws_sdk_inspector2::Client;
use aws_sdk_inspector2::types::{
    Ec2Configuration, Ec2ScanMode, ErrorCode, ResourceScanType, ResourceState, Status,
};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::super::World;
use super::super::sample::PROD_PAYMENTS;
use super::super::tests::client;
use super::TURNING;

const REGION: &str = "eu-west-1";

fn code<T, E: ProvideErrorMetadata + std::fmt::Debug>(answer: Result<T, E>) -> String {
    let error = answer.err().expect("refused");
    error.code().unwrap_or_default().to_owned()
}

async fn state(inspector: &Client) -> ResourceState {
    let answer = inspector.batch_get_account_status().send().await.expect("an answer");
    answer.accounts()[0].resource_state().expect("a state").clone()
}

#[tokio::test(start_paused = true)]
async fn a_type_takes_time_and_nothing_else_is_turned_meanwhile() {
    let world = World::acme();
    let inspector = client!(aws_sdk_inspector2, world, PROD_PAYMENTS, REGION);
    assert_eq!(state(&inspector).await.ec2().map(|s| s.status().clone()), Some(Status::Disabled));
    let enable = |kind| inspector.enable().resource_types(kind).send();
    enable(ResourceScanType::Ec2).await.expect("an answer");
    assert_eq!(state(&inspector).await.ec2().map(|s| s.status().clone()), Some(Status::Enabling));
    let early = enable(ResourceScanType::Ecr).await.expect("an answer of 200");
    assert_eq!(early.failed_accounts()[0].error_code(), &ErrorCode::EnableInProgress);
    world.advance(TURNING);
    assert_eq!(state(&inspector).await.ec2().map(|s| s.status().clone()), Some(Status::Enabled));
    assert_eq!(state(&inspector).await.ecr().map(|s| s.status().clone()), Some(Status::Disabled));
}

#[tokio::test(start_paused = true)]
async fn code_of_functions_needs_the_functions() {
    let world = World::acme();
    let inspector = client!(aws_sdk_inspector2, world, PROD_PAYMENTS, REGION);
    let code_alone = inspector.enable().resource_types(ResourceScanType::LambdaCode).send().await;
    assert_eq!(code(code_alone), "ValidationException");
    let both = inspector.enable().resource_types(ResourceScanType::Lambda);
    both.resource_types(ResourceScanType::LambdaCode).send().await.expect("an answer");
    world.advance(TURNING);
    let answer =
        inspector.disable().resource_types(ResourceScanType::Lambda).send().await.expect("an answer");
    assert_eq!(answer.failed_accounts()[0].error_code(), &ErrorCode::ResourceScanNotDisabled);
}

#[tokio::test(start_paused = true)]
async fn settings_are_there_once_inspector_is_on_and_not_a_members() {
    let world = World::acme();
    let inspector = client!(aws_sdk_inspector2, world, PROD_PAYMENTS, REGION);
    assert_eq!(code(inspector.get_configuration().send().await), "ResourceNotFoundException");
    inspector.enable().resource_types(ResourceScanType::Ec2).send().await.expect("an answer");
    let hybrid = Ec2Configuration::builder().scan_mode(Ec2ScanMode::Ec2Hybrid).build().expect("whole");
    let update = inspector.update_configuration().ec2_configuration(hybrid);
    update.clone().send().await.expect("updated");
    let told = inspector.get_configuration().send().await.expect("settings");
    let mode = told.ec2_configuration().and_then(|ec2| ec2.scan_mode_state()).expect("a mode");
    assert_eq!(mode.scan_mode(), Some(&Ec2ScanMode::Ec2Hybrid));
    assert_eq!(code(inspector.get_delegated_admin_account().send().await), "ResourceNotFoundException");
    world
        .region(PROD_PAYMENTS, REGION, |region| region.inspector.administrator = Some("222233334444".into()));
    assert_eq!(code(update.send().await), "AccessDeniedException");
    let admin = inspector.get_delegated_admin_account().send().await.expect("an answer").delegated_admin;
    assert_eq!(admin.and_then(|admin| admin.account_id).as_deref(), Some("222233334444"));
}
