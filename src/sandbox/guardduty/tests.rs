//! GuardDuty as SDK clients meet it.

use aws_sdk_guardduty::Client;
use aws_sdk_guardduty::types::{
    Administrator, DestinationProperties, DestinationType, DetectorAdditionalConfiguration,
};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::super::World;
use super::super::sample::{LOG_ARCHIVE, PROD_PAYMENTS};
use super::super::tests::client;
use super::*;

fn feature(name: &str, on: bool) -> DetectorFeatureConfiguration {
    DetectorFeatureConfiguration::builder().name(name.into()).status(feature_status(on)).build()
}

async fn statuses(client: &Client, id: &str) -> BTreeMap<String, String> {
    let detector = client.get_detector().detector_id(id).send().await.expect("it is there");
    let status = |feature: &DetectorFeatureConfigurationResult| {
        let name = feature.name().expect("named").as_str().to_owned();
        (name, feature.status().expect("has a status").as_str().to_owned())
    };
    detector.features().iter().map(status).collect()
}

#[tokio::test(start_paused = true)]
async fn a_new_detector_has_the_defaults_and_lists_the_foundational_sources() {
    let world = World::acme();
    let client = client!(aws_sdk_guardduty, world, PROD_PAYMENTS, "eu-central-1");
    let made = client.create_detector().enable(true).send().await.expect("the first one");
    let id = made.detector_id().expect("has an id");
    assert_eq!(id.len(), 32);
    let detector = client.get_detector().detector_id(id).send().await.expect("it is there");
    assert_eq!(detector.finding_publishing_frequency(), Some(&FindingPublishingFrequency::SixHours));
    assert_eq!(detector.status(), Some(&DetectorStatus::Enabled));
    let statuses = statuses(&client, id).await;
    assert_eq!(statuses.len(), 12);
    for (name, status) in
        [("FLOW_LOGS", "ENABLED"), ("S3_DATA_EVENTS", "ENABLED"), ("RUNTIME_MONITORING", "DISABLED")]
    {
        assert_eq!(statuses[name], status, "{name}");
    }
    let error = client.create_detector().enable(true).send().await.expect_err("one in a region");
    assert!(error.as_service_error().is_some_and(|error| error.is_bad_request_exception()));
    assert!(error.message().is_some_and(|text| text.contains("a detector already exists")), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn an_update_changes_what_it_names_and_nothing_else() {
    let world = World::acme();
    let client = client!(aws_sdk_guardduty, world, PROD_PAYMENTS, "eu-west-1");
    let id = "8ac7a7f2b5e64d1c9f3e0d2b1a4c5d6e";
    let before = statuses(&client, id).await;
    client
        .update_detector()
        .detector_id(id)
        .features(feature("S3_DATA_EVENTS", true))
        .send()
        .await
        .expect("known and single");
    let mut expected = before;
    expected.insert("S3_DATA_EVENTS".to_owned(), "ENABLED".to_owned());
    assert_eq!(statuses(&client, id).await, expected);
}

#[tokio::test(start_paused = true)]
async fn what_the_model_forbids_is_a_bad_request_and_changes_nothing() {
    let world = World::acme();
    let client = client!(aws_sdk_guardduty, world, PROD_PAYMENTS, "eu-west-1");
    let id = "8ac7a7f2b5e64d1c9f3e0d2b1a4c5d6e";
    let before = statuses(&client, id).await;
    let agent = DetectorAdditionalConfiguration::builder()
        .name("EC2_AGENT_MANAGEMENT".into())
        .status(FeatureStatus::Enabled)
        .build();
    let misplaced = DetectorFeatureConfiguration::builder()
        .name("S3_DATA_EVENTS".into())
        .status(FeatureStatus::Enabled)
        .additional_configuration(agent)
        .build();
    for features in [
        vec![feature("RUNTIME_MONITORING", true), feature("EKS_RUNTIME_MONITORING", true)],
        vec![feature("FLOW_LOGS", false)],
        vec![feature("S3_DATA_EVENTS", true), feature("S3_DATA_EVENTS", false)],
        vec![misplaced],
    ] {
        let update =
            client.update_detector().detector_id(id).set_features(Some(features.clone())).send().await;
        assert_eq!(update.expect_err("forbidden").code(), Some("BadRequestException"), "{features:?}");
    }
    assert_eq!(statuses(&client, id).await, before);
    let error = client.get_detector().detector_id("0".repeat(32)).send().await.expect_err("not ours");
    assert_eq!(error.code(), Some("BadRequestException"));
}

#[tokio::test(start_paused = true)]
async fn a_managed_detector_is_not_the_member_s_to_change() {
    let world = World::acme();
    let client = client!(aws_sdk_guardduty, world, PROD_PAYMENTS, "eu-west-1");
    let id = "8ac7a7f2b5e64d1c9f3e0d2b1a4c5d6e";
    let ask = || client.get_administrator_account().detector_id(id).send();
    let alone = ask().await.expect("asking is allowed");
    assert_eq!(alone.administrator().and_then(Administrator::account_id), None);
    world.region(PROD_PAYMENTS, "eu-west-1", |region| {
        region.guardduty.administrator = Some("777766665555".to_owned());
    });
    let managed = ask().await.expect("asking is allowed");
    assert_eq!(managed.administrator().and_then(Administrator::account_id), Some("777766665555"));
    let update = client.update_detector().detector_id(id).enable(true).send().await;
    assert_eq!(update.expect_err("managed").code(), Some("BadRequestException"));
}

/// A bucket and a key in the log archive that let GuardDuty publish, and the key's ARN.
async fn archive(world: &World) -> String {
    let s3 = client!(aws_sdk_s3, world, LOG_ARCHIVE, "us-east-1");
    s3.create_bucket().bucket("acme-findings").send().await.expect("free");
    let allow = |actions: &str, resource: &str| {
        format!(
            r#"{{"Effect":"Allow","Principal":{{"Service":"guardduty.amazonaws.com"}},"Action":{actions},
            "Resource":{resource},"Condition":{{"StringEquals":{{"aws:SourceOrgID":"o-a1b2c3d4e5"}}}}}}"#
        )
    };
    let statement = allow(
        r#"["s3:PutObject","s3:GetBucketLocation"]"#,
        r#"["arn:aws:s3:::acme-findings","arn:aws:s3:::acme-findings/*"]"#,
    );
    let policy = format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#);
    s3.put_bucket_policy().bucket("acme-findings").policy(policy).send().await.expect("a policy");
    let kms = client!(aws_sdk_kms, world, LOG_ARCHIVE, "us-east-1");
    let own = format!(
        r#"{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{LOG_ARCHIVE}:root"}},"Action":"kms:*","Resource":"*"}}"#
    );
    let statement = allow(r#""kms:GenerateDataKey*""#, r#""*""#);
    let policy = format!(r#"{{"Version":"2012-10-17","Statement":[{own},{statement}]}}"#);
    let key = kms.create_key().policy(policy).send().await.expect("a policy that keeps the owner in");
    key.key_metadata().and_then(|key| key.arn()).expect("has an ARN").to_owned()
}

#[tokio::test(start_paused = true)]
async fn a_destination_is_verified_and_then_published_to() {
    let world = World::acme();
    let key = archive(&world).await;
    let client = client!(aws_sdk_guardduty, world, PROD_PAYMENTS, "eu-west-1");
    let id = "8ac7a7f2b5e64d1c9f3e0d2b1a4c5d6e";
    let ask = |bucket: &str, key: &str, token: &str| {
        let properties = DestinationProperties::builder().destination_arn(bucket).kms_key_arn(key).build();
        client
            .create_publishing_destination()
            .detector_id(id)
            .destination_type(DestinationType::S3)
            .destination_properties(properties)
            .client_token(token)
            .send()
    };
    let bucket = "arn:aws:s3:::acme-findings";
    for (bucket, key) in [
        ("arn:aws:s3:::acme-absent", key.as_str()),
        (bucket, ""),
        (bucket, "arn:aws:kms:us-east-1:444455556666:key/absent"),
    ] {
        let error = ask(bucket, key, "t").await.expect_err("nowhere to go");
        assert_eq!(error.code(), Some("BadRequestException"));
    }
    let made = ask(bucket, &key, "t-1").await.expect("both let it in");
    let again = ask(bucket, &key, "t-1").await.expect("the same token");
    assert_eq!(made.destination_id(), again.destination_id());
    ask(bucket, &key, "t-2").await.expect_err("a second destination");

    let status = || async {
        let destination = made.destination_id().expect("has an id");
        let told = client.describe_publishing_destination().detector_id(id).destination_id(destination);
        told.send().await.expect("it is there").status().expect("has a status").as_str().to_owned()
    };
    assert_eq!(status().await, "PENDING_VERIFICATION");
    world.advance(publishing::VERIFICATION);
    assert_eq!(status().await, "PUBLISHING");
    world.bucket("acme-findings", |bucket| bucket.policy = None);
    assert_eq!(status().await, "UNABLE_TO_PUBLISH_FIX_DESTINATION_PROPERTY");
}
