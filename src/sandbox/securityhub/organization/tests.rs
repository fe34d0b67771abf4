//! The organisation as SDK clients meet it.

use aws_sdk_securityhub::Client;
use aws_sdk_securityhub::types::OrganizationConfiguration;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::super::super::World;
use super::super::super::sample::{LOG_ARCHIVE, MANAGEMENT, PROD_PAYMENTS, SECURITY};
use super::super::super::tests::client;
use super::{
    AutoEnableStandards, OrganizationConfigurationConfigurationType, OrganizationConfigurationStatus,
    PENDING, PRINCIPAL,
};

const HOME: &str = "eu-west-1";
const OTHER: &str = "eu-central-1";

/// Security Hub of an account in a region, enabled.
async fn hub(world: &World, account: &str, region: &'static str) -> Client {
    let client = client!(aws_sdk_securityhub, world, account, region);
    client.enable_security_hub().enable_default_standards(false).send().await.expect("the first time");
    client
}

/// The security account administers Security Hub at home.
async fn administrator(world: &World) -> Client {
    let now = world.now();
    world.organization(|organization| organization.trust(PRINCIPAL, now));
    let management = client!(aws_sdk_securityhub, world, MANAGEMENT, HOME);
    let call = management.enable_organization_admin_account().admin_account_id(SECURITY);
    call.send().await.expect("trusted, and nobody is yet");
    hub(world, SECURITY, HOME).await
}

#[tokio::test(start_paused = true)]
async fn the_administrator_is_one_of_the_organisation_trusted_and_the_same_everywhere() {
    let world = World::acme();
    let management = client!(aws_sdk_securityhub, world, MANAGEMENT, HOME);
    let enable = |client: &Client, id: &str| client.enable_organization_admin_account().admin_account_id(id);
    let error = enable(&management, SECURITY).send().await.expect_err("not trusted");
    assert_eq!(error.code(), Some("InvalidAccessException"));
    let now = world.now();
    world.organization(|organization| organization.trust(PRINCIPAL, now));
    let error = enable(&management, "123412341234").send().await.expect_err("no member");
    assert_eq!(error.code(), Some("InvalidInputException"));
    let member = client!(aws_sdk_securityhub, world, SECURITY, HOME);
    let error = enable(&member, SECURITY).send().await.expect_err("only the management account may");
    assert_eq!(error.code(), Some("InvalidAccessException"));
    enable(&management, SECURITY).send().await.expect("the first");
    enable(&management, SECURITY).send().await.expect("the same one again");
    let elsewhere = client!(aws_sdk_securityhub, world, MANAGEMENT, OTHER);
    for client in [&management, &elsewhere] {
        let error = enable(client, LOG_ARCHIVE).send().await.expect_err("another one is");
        assert_eq!(error.code(), Some("InvalidInputException"));
    }
    let listed = |client: &Client| client.list_organization_admin_accounts();
    assert_eq!(
        listed(&management).send().await.expect("listed").admin_accounts()[0].account_id(),
        Some(SECURITY)
    );
    assert_eq!(
        listed(&elsewhere).send().await.expect("listed").admin_accounts().len(),
        0,
        "region by region"
    );
    enable(&elsewhere, MANAGEMENT).send().await.expect("the management account may, beside it");
}

#[tokio::test(start_paused = true)]
async fn what_new_accounts_get_is_the_administrators_to_say() {
    let world = World::acme();
    let member = hub(&world, PROD_PAYMENTS, HOME).await;
    let error = member.describe_organization_configuration().send().await.expect_err("not the administrator");
    assert_eq!(
        (error.code(), error.message().is_some_and(|m| m.contains("is not an administrator"))),
        (Some("InvalidAccessException"), true)
    );
    let admin = administrator(&world).await;
    let told = admin.describe_organization_configuration().send().await.expect("told");
    assert_eq!(
        (told.auto_enable(), told.auto_enable_standards()),
        (Some(false), Some(&AutoEnableStandards::Default))
    );
    let none = AutoEnableStandards::None;
    admin
        .update_organization_configuration()
        .auto_enable(true)
        .auto_enable_standards(none)
        .send()
        .await
        .expect("set");
    admin.update_organization_configuration().auto_enable(true).send().await.expect("set");
    let told = admin.describe_organization_configuration().send().await.expect("told");
    assert_eq!(
        told.auto_enable_standards(),
        Some(&AutoEnableStandards::Default),
        "what is left out gets its default"
    );
}

#[tokio::test(start_paused = true)]
async fn central_configuration_needs_a_home_takes_time_and_ends_by_hand() {
    let world = World::acme();
    let admin = administrator(&world).await;
    let central = || {
        let kind = OrganizationConfigurationConfigurationType::Central;
        let wanted = OrganizationConfiguration::builder().configuration_type(kind).build();
        admin.update_organization_configuration().organization_configuration(wanted)
    };
    let none = || AutoEnableStandards::None;
    let error =
        central().auto_enable(false).auto_enable_standards(none()).send().await.expect_err("no aggregator");
    assert_eq!(error.code(), Some("InvalidInputException"));
    admin.create_finding_aggregator().region_linking_mode("NO_REGIONS").send().await.expect("a home region");
    let error =
        central().auto_enable(true).auto_enable_standards(none()).send().await.expect_err("new members");
    assert_eq!(error.code(), Some("InvalidInputException"));
    central().auto_enable(false).auto_enable_standards(none()).send().await.expect("it can be");
    for status in [OrganizationConfigurationStatus::Pending, OrganizationConfigurationStatus::Enabled] {
        let told = admin.describe_organization_configuration().send().await.expect("told");
        let told = told.organization_configuration().expect("there");
        assert_eq!(told.status(), Some(&status));
        world.advance(PENDING);
    }
    let error = admin
        .update_organization_configuration()
        .auto_enable(true)
        .send()
        .await
        .expect_err("policies decide");
    assert_eq!(error.code(), Some("ResourceConflictException"));
}
