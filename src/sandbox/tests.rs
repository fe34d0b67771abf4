//! The world as SDK clients meet it: who they are, what the weather does, what is remembered.

use aws_credential_types::Credentials;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::SdkConfig;
use aws_types::region::Region;

use super::sample::{EXTERNAL_ID, MANAGEMENT, PROD_PAYMENTS};
use super::*;

/// The configuration that all clients of one identity in one region share.
pub(super) fn config(world: &World, credentials: Credentials, region: &'static str) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(aws_config::BehaviorVersion::latest())
        .region(Region::new(region))
        .http_client(world.http_client())
        .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
        .credentials_provider(aws_credential_types::provider::SharedCredentialsProvider::new(credentials))
        .build()
}

/// A client of one service, for root in `account`.
macro_rules! client {
    ($sdk:ident, $world:expr, $account:expr, $region:expr) => {{
        let credentials = $world.caller_credentials($account, $crate::sandbox::Principal::Root);
        client!($sdk, $world, with credentials, $region)
    }};
    ($sdk:ident, $world:expr, with $credentials:expr, $region:expr) => {{
        let config = $crate::sandbox::tests::config(&$world, $credentials, $region);
        $sdk::Client::from_conf(
            $sdk::config::Builder::from(&config).interceptor($world.interceptor()).build(),
        )
    }};
}
pub(super) use client;

/// A session of `role` in `account`, assumed from the management account.
async fn session(world: &World, account: &str, role: &str) -> Credentials {
    let operator = world.caller_credentials(MANAGEMENT, Principal::User("operator".to_owned()));
    let sts = client!(aws_sdk_sts, world, with operator, "eu-west-1");
    let assumed = sts
        .assume_role()
        .role_arn(format!("arn:aws:iam::{account}:role/{role}"))
        .role_session_name("run-1")
        .external_id(EXTERNAL_ID)
        .send()
        .await
        .expect("the role trusts the management account");
    let keys = assumed.credentials().expect("a session has keys");
    let token = Some(keys.session_token().to_owned());
    Credentials::new(keys.access_key_id(), keys.secret_access_key(), token, None, "test")
}

#[tokio::test(start_paused = true)]
async fn the_key_decides_which_account_answers() {
    let world = World::acme();
    let credentials = session(&world, PROD_PAYMENTS, "baseline-observe").await;
    assert!(credentials.access_key_id().starts_with("ASIA"));
    let sts = client!(aws_sdk_sts, world, with credentials, "eu-central-1");
    let me = sts.get_caller_identity().send().await.expect("anybody may ask");
    assert_eq!(me.account(), Some(PROD_PAYMENTS));
    assert_eq!(me.arn(), Some("arn:aws:sts::111122223333:assumed-role/baseline-observe/run-1"));
}

#[tokio::test(start_paused = true)]
async fn unknown_and_expired_keys_are_refused_in_each_service_s_words() {
    let world = World::acme();
    let stranger = || Credentials::new("AKIAIOSFODNN7EXAMPLE", "secret", None, None, "test");
    let sts = client!(aws_sdk_sts, world, with stranger(), "eu-west-1");
    let error = sts.get_caller_identity().send().await.expect_err("nobody issued it");
    assert_eq!(error.code(), Some("InvalidClientTokenId"));
    let guardduty = client!(aws_sdk_guardduty, world, with stranger(), "eu-west-1");
    let error = guardduty.list_detectors().send().await.expect_err("nobody issued it");
    assert_eq!(error.code(), Some("UnrecognizedClientException"));
    let s3 = client!(aws_sdk_s3, world, with stranger(), "eu-west-1");
    let error = s3.get_bucket_location().bucket("b-1").send().await.expect_err("nobody issued it");
    assert_eq!(error.code(), Some("InvalidAccessKeyId"));

    let credentials = session(&world, PROD_PAYMENTS, "baseline-observe").await;
    world.advance(Duration::from_secs(3601));
    let sts = client!(aws_sdk_sts, world, with credentials.clone(), "eu-west-1");
    let error = sts.get_caller_identity().send().await.expect_err("an hour is over");
    assert_eq!(error.code(), Some("ExpiredToken"));
    let kms = client!(aws_sdk_kms, world, with credentials, "eu-west-1");
    let error = kms.list_aliases().send().await.expect_err("an hour is over");
    assert_eq!(error.code(), Some("ExpiredTokenException"));
}

#[tokio::test(start_paused = true)]
async fn a_region_not_opted_in_to_knows_no_keys() {
    let world = World::acme();
    let there = client!(aws_sdk_guardduty, world, PROD_PAYMENTS, "af-south-1");
    let error = there.list_detectors().send().await.expect_err("not opted in");
    assert_eq!(error.code(), Some("UnrecognizedClientException"));
    world.account(PROD_PAYMENTS, |account| account.opted_in.insert("af-south-1".to_owned()));
    there.list_detectors().send().await.expect("opted in");
    let nowhere = client!(aws_sdk_guardduty, world, PROD_PAYMENTS, "eu-nowhere-1");
    assert!(nowhere.list_detectors().send().await.expect_err("no such host").as_service_error().is_none());
}

#[tokio::test(start_paused = true)]
async fn assuming_a_role_wants_the_trusted_account_and_the_external_id() {
    let world = World::acme();
    let arn = format!("arn:aws:iam::{PROD_PAYMENTS}:role/baseline-apply");
    let ask = |from: &'static str, arn: String, external: Option<&'static str>| {
        let operator = world.caller_credentials(from, Principal::User("operator".to_owned()));
        let sts = client!(aws_sdk_sts, world, with operator, "eu-west-1");
        sts.assume_role()
            .role_arn(arn)
            .role_session_name("x-1")
            .set_external_id(external.map(str::to_owned))
            .send()
    };
    ask(MANAGEMENT, arn.clone(), Some(EXTERNAL_ID)).await.expect("trusted");
    for (from, arn, external) in [
        (MANAGEMENT, arn.clone(), None),
        (MANAGEMENT, arn.clone(), Some("another")),
        (sample::SECURITY, arn.clone(), Some(EXTERNAL_ID)),
        (MANAGEMENT, arn.replace("apply", "absent"), Some(EXTERNAL_ID)),
        (MANAGEMENT, arn.replace(PROD_PAYMENTS, "123456789012"), Some(EXTERNAL_ID)),
    ] {
        let error = ask(from, arn, external).await.expect_err("not trusted");
        assert_eq!(error.code(), Some("AccessDenied"));
    }
    let root = client!(aws_sdk_sts, world, MANAGEMENT, "eu-west-1");
    let ask = root.assume_role().role_arn(arn).role_session_name("x-1").external_id(EXTERNAL_ID);
    assert_eq!(ask.send().await.expect_err("root may not").code(), Some("AccessDenied"));
}

#[tokio::test(start_paused = true)]
async fn observe_may_only_read_and_a_deny_names_its_policy() {
    let world = World::acme();
    let observe = session(&world, PROD_PAYMENTS, "baseline-observe").await;
    let guardduty = client!(aws_sdk_guardduty, world, with observe, "eu-central-1");
    guardduty.list_detectors().send().await.expect("reading is allowed");
    let error = guardduty.create_detector().enable(true).send().await.expect_err("writing is not");
    assert_eq!(error.code(), Some("AccessDeniedException"));
    assert_eq!(world.writes(), BTreeMap::new());

    let scp = Deny::new("guardduty:*").in_region("eu-central-1").by_organization();
    world.account(PROD_PAYMENTS, |account| account.denies.insert(scp));
    let error = guardduty.list_detectors().send().await.expect_err("denied by the organisation");
    let message = error.message().expect("a denial says why");
    assert!(message.ends_with("with an explicit deny in a service control policy"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn throttled_first_attempts_are_retried_by_the_sdk() {
    let world = World::acme();
    let guardduty = client!(aws_sdk_guardduty, world, PROD_PAYMENTS, "eu-west-1");
    for trouble in [Trouble::Throttled, Trouble::ServerError, Trouble::TimedOut, Trouble::Cut] {
        world.forget_calls();
        world.set_weather(Weather::fair().with(Front::new(trouble).first_attempts(2)));
        guardduty.list_detectors().send().await.unwrap_or_else(|error| panic!("{trouble:?}: {error:?}"));
        assert_eq!(world.calls()["guardduty:ListDetectors"].asked, 3, "{trouble:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_reply_leaves_the_write_behind() {
    let world = World::acme();
    let s3 = client!(aws_sdk_s3, world, MANAGEMENT, "us-east-1");
    let lost = Front::new(Trouble::ReplyLost).on("s3:CreateBucket").times(1);
    world.set_weather(Weather::fair().with(lost));
    let error =
        s3.create_bucket().bucket("acme-logs").send().await.expect_err("made before it was asked again");
    assert_eq!(error.code(), Some("BucketAlreadyOwnedByYou"));
    assert_eq!(world.writes(), BTreeMap::from([("s3:CreateBucket".to_owned(), 1)]));
}

#[tokio::test(start_paused = true)]
async fn after_the_last_write_nothing_answers() {
    let world = World::acme();
    world.set_weather(Weather::fair().stop_after_writes(1));
    let guardduty = client!(aws_sdk_guardduty, world, PROD_PAYMENTS, "eu-central-1");
    guardduty.create_detector().enable(true).send().await.expect("the first write lands");
    let error = guardduty.list_detectors().send().await.expect_err("the process is gone");
    assert!(matches!(error, aws_sdk_guardduty::error::SdkError::DispatchFailure(_)));
    world.set_weather(Weather::fair());
    assert_eq!(guardduty.list_detectors().send().await.expect("started again").detector_ids().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn latency_passes_on_tokio_s_clock() {
    let world = World::acme();
    world.set_weather(Weather::fair().latency(Duration::from_millis(30)));
    let guardduty = client!(aws_sdk_guardduty, world, PROD_PAYMENTS, "eu-west-1");
    let (started, then) = (Instant::now(), world.now());
    guardduty.list_detectors().send().await.expect("late and well");
    assert_eq!(started.elapsed().as_millis(), 30);
    assert_eq!(world.now().duration_since(then).as_millis(), 30);
}

#[tokio::test(start_paused = true)]
async fn late_reads_see_the_past_as_often_as_they_are_told() {
    let world = World::acme();
    world.set_weather(Weather::fair().lag(Lag::Reads(2)));
    let guardduty = client!(aws_sdk_guardduty, world, PROD_PAYMENTS, "eu-central-1");
    guardduty.create_detector().enable(true).send().await.expect("a write");
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(guardduty.list_detectors().send().await.expect("a read").detector_ids().len());
    }
    assert_eq!(seen, [0, 0, 1]);
}

#[tokio::test(start_paused = true)]
async fn rates_are_kept_for_each_account_and_region() {
    let world = World::acme();
    let rate = Rate { service: "guardduty", operation: None, per_second: 1.0, burst: 2.0 };
    world.set_weather(Weather::fair().rates(vec![rate]));
    let here = client!(aws_sdk_guardduty, world, PROD_PAYMENTS, "eu-west-1");
    let there = client!(aws_sdk_guardduty, world, PROD_PAYMENTS, "eu-central-1");
    let started = Instant::now();
    for _ in 0..2 {
        here.list_detectors().send().await.expect("within the burst");
        there.list_detectors().send().await.expect("another bucket");
    }
    assert_eq!(started.elapsed(), Duration::ZERO);
    let once = aws_sdk_guardduty::config::Builder::new()
        .retry_config(aws_sdk_guardduty::config::retry::RetryConfig::disabled());
    let error = here.list_detectors().customize().config_override(once).send().await.expect_err("too fast");
    assert_eq!(error.code(), Some("ThrottlingException"));
}

#[tokio::test(start_paused = true)]
async fn an_operation_without_handler_is_named() {
    let world = World::acme();
    let guardduty = client!(aws_sdk_guardduty, world, PROD_PAYMENTS, "eu-west-1");
    let error = guardduty.list_members().detector_id("x").send().await.expect_err("not here");
    let text = aws_sdk_guardduty::error::DisplayErrorContext(&error).to_string();
    assert!(text.contains("the sandbox has no `ListMembers` of `GuardDuty`"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn exchanges_are_recorded_as_json_lines() {
    let world = World::acme();
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    world.record(file.path()).expect("writable");
    let iam = client!(aws_sdk_iam, world, MANAGEMENT, "us-east-1");
    iam.get_account_summary().send().await.expect("told");
    iam.get_account_password_policy().send().await.expect_err("never set");
    let text = std::fs::read_to_string(file.path()).expect("readable");
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["operation"], "GetAccountSummary");
    assert!(lines[0]["output"].as_str().is_some_and(|text| text.starts_with("GetAccountSummaryOutput {")));
    assert_eq!(lines[1]["error"]["code"], "NoSuchEntity");
    assert_eq!(lines[1]["output"], serde_json::Value::Null);
}
