//! Aggregators as SDK clients meet them.

use aws_sdk_securityhub::Client;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::super::super::World;
use super::super::super::sample::{PROD_PAYMENTS, SECURITY};
use super::super::super::tests::client;

const HOME: &str = "eu-west-1";
const OTHER: &str = "eu-central-1";

/// Security Hub of an account in a region, enabled.
async fn hub(world: &World, account: &str, region: &'static str) -> Client {
    let client = client!(aws_sdk_securityhub, world, account, region);
    client.enable_security_hub().enable_default_standards(false).send().await.expect("the first time");
    client
}

#[tokio::test(start_paused = true)]
async fn an_account_has_one_aggregator_seen_everywhere_and_changed_at_home() {
    let world = World::acme();
    let alone = client!(aws_sdk_securityhub, world, PROD_PAYMENTS, HOME);
    let error = alone.list_finding_aggregators().send().await.expect_err("not enabled");
    assert!(error.as_service_error().is_some_and(|error| error.is_invalid_access_exception()));
    let (here, there) = (hub(&world, PROD_PAYMENTS, HOME).await, hub(&world, PROD_PAYMENTS, OTHER).await);
    let made =
        here.create_finding_aggregator().region_linking_mode("ALL_REGIONS").send().await.expect("the first");
    let arn = made.finding_aggregator_arn().expect("it has one");
    assert!(arn.starts_with(&format!("arn:aws:securityhub:{HOME}:{PROD_PAYMENTS}:finding-aggregator/")));
    for region in [&here, &there] {
        let second = region.create_finding_aggregator().region_linking_mode("ALL_REGIONS").send().await;
        assert_eq!(second.expect_err("there is one").code(), Some("InvalidInputException"));
        let listed = region.list_finding_aggregators().send().await.expect("listed");
        assert_eq!(listed.finding_aggregators()[0].finding_aggregator_arn(), Some(arn));
        let told = region.get_finding_aggregator().finding_aggregator_arn(arn).send().await.expect("told");
        assert_eq!(told.finding_aggregation_region(), Some(HOME));
    }
    let update = |client: &Client| client.update_finding_aggregator().finding_aggregator_arn(arn);
    let elsewhere = update(&there).region_linking_mode("NO_REGIONS").send().await;
    assert_eq!(elsewhere.expect_err("not at home").code(), Some("ResourceNotFoundException"));
    for (mode, regions) in [
        ("SOME", vec![]),
        ("NO_REGIONS", vec![OTHER]),
        ("SPECIFIED_REGIONS", vec![]),
        ("SPECIFIED_REGIONS", vec![HOME]),
        ("ALL_REGIONS_EXCEPT_SPECIFIED", vec!["eu-nowhere-1"]),
        ("SPECIFIED_REGIONS", vec![OTHER, OTHER]),
    ] {
        let regions = regions.into_iter().map(str::to_owned).collect();
        let call = update(&here).region_linking_mode(mode).set_regions(Some(regions));
        assert_eq!(call.send().await.expect_err(mode).code(), Some("InvalidInputException"));
    }
    update(&here).region_linking_mode("SPECIFIED_REGIONS").regions(OTHER).send().await.expect("at home");
    let told = there.get_finding_aggregator().finding_aggregator_arn(arn).send().await.expect("told");
    assert_eq!(
        (told.region_linking_mode(), told.regions()),
        (Some("SPECIFIED_REGIONS"), &[OTHER.to_owned()][..])
    );
}

#[tokio::test(start_paused = true)]
async fn members_leave_regions_to_their_administrator() {
    let world = World::acme();
    let client = hub(&world, PROD_PAYMENTS, HOME).await;
    world.region(PROD_PAYMENTS, HOME, |region| region.securityhub.administrator = Some(SECURITY.to_owned()));
    let error = client.create_finding_aggregator().region_linking_mode("ALL_REGIONS").send().await;
    assert_eq!(error.expect_err("a member").code(), Some("AccessDeniedException"));
}
