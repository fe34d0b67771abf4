//! Memory before deed: what is kept, where, and that nothing happens without it.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
use baseline::place::Region;
use baseline::sandbox::sample::MANAGEMENT;
use baseline::sandbox::{Front, Principal, Trouble, Weather, World};
use serde_json::Value;

use super::shell::Shell;

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).expect("listed") {
        let path = entry.expect("listed").path();
        if path.is_dir() {
            found.extend(files(&path));
        }
        found.push(path);
    }
    found.sort();
    found
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).expect("read")).expect("JSON")
}

#[test]
fn a_run_keeps_its_intent_its_before_images_and_its_outcome_for_its_owner_only() {
    let shell = Shell::many(3);
    shell.run("apply --auto-approve").exits(0);
    let audit = shell.dir().join(".audit");
    let files = files(&audit);
    for path in &files {
        let mode = std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!(mode, if path.is_dir() { 0o700 } else { 0o600 }, "{}", path.display());
    }
    assert_eq!(std::fs::metadata(&audit).expect("there").permissions().mode() & 0o777, 0o700);
    assert_eq!(std::fs::read_to_string(audit.join(".gitignore")).expect("there"), "*\n");
    let runs: Vec<_> = std::fs::read_dir(audit.join("runs")).expect("listed").flatten().collect();
    assert_eq!(runs.len(), 1);
    let run = runs[0].path();
    let intent = json(&run.join("intent.json"));
    assert_eq!(intent["changes"].as_array().map(Vec::len), Some(2));
    assert_eq!(intent["caller"], format!("arn:aws:iam::{MANAGEMENT}:user/jo"));
    assert_eq!(json(&run.join("before/00001.json"))["control"], "guardduty.detector");
    assert!(run.join("before/00002.json").exists());
    assert_eq!(json(&run.join("outcome.json"))["changes"].as_array().map(Vec::len), Some(2));
    assert!(audit.join("accounts/100000000000.json").exists());
    assert!(audit.join("organization.json").exists());
}

#[test]
fn intent_and_before_image_are_there_when_the_first_write_is_sent() {
    let shell = Shell::many(2);
    let (runs, seen) = (shell.dir().join(".audit/runs"), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&seen);
    shell.world.set_weather(Weather::fair().with(Front::new(Trouble::Cut).at(move |call| {
        if call.writes {
            let run = std::fs::read_dir(&runs).expect("listed").flatten().next().expect("a run").path();
            assert!(run.join("intent.json").exists() && run.join("before/00001.json").exists());
            assert!(!run.join("outcome.json").exists());
            counted.fetch_add(1, Ordering::Relaxed);
        }
        false
    })));
    shell.run("apply --auto-approve").exits(0);
    assert_eq!(seen.load(Ordering::Relaxed), 1);
}

#[test]
fn nothing_is_written_where_nothing_can_be_kept() {
    let shell = Shell::many(3);
    shell.write(".audit", "a file in the place of the folder");
    shell
        .run("apply --auto-approve")
        .exits(1)
        .says("cannot use")
        .says("nothing is changed without a durable record");
    assert!(shell.world.writes().is_empty());

    let shell = Shell::many(3);
    shell.write(".audit/runs", "a file in the place of the folder");
    shell.run("apply --auto-approve").exits(1).says("cannot use");
    assert!(shell.world.writes().is_empty());
}

#[test]
fn the_documents_may_name_another_folder_and_nothing_stranger() {
    let shell = Shell::many(2);
    let place = shell.path("records").display().to_string();
    shell.edit("organization.yaml", "  roles:", &format!("  audit: {place}\n  roles:"));
    shell.run("apply --auto-approve").exits(0).says("records/runs/");
    assert!(shell.path("records/organization.json").exists());
    assert!(!shell.dir().join(".audit").exists());

    let shell = Shell::many(2);
    shell.edit("organization.yaml", "  roles:", "  audit: https://example.com/x\n  roles:");
    let ran = shell.run("apply --auto-approve");
    assert_eq!(ran.exit, 1, "{}", ran.said());
    assert!(shell.world.writes().is_empty());
}

/// Makes a bucket as somebody in this account would.
fn bucket(world: &World, owner: &str, name: &str) {
    let region = Region::new("eu-west-1");
    let sdk = world.connection(&region).sdk;
    let config = aws_sdk_s3::config::Builder::from(&sdk)
        .credentials_provider(world.caller_credentials(owner, Principal::User("sam".into())))
        .interceptor(world.interceptor())
        .region(aws_sdk_s3::config::Region::new("eu-west-1"))
        .build();
    let place =
        CreateBucketConfiguration::builder().location_constraint(BucketLocationConstraint::EuWest1).build();
    let call =
        aws_sdk_s3::Client::from_conf(config).create_bucket().bucket(name).create_bucket_configuration(place);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(call.send()).expect("created");
    world.forget_calls();
}

/// An organisation that keeps its records in a bucket.
pub fn in_a_bucket(owner: &str) -> Shell {
    let shell = Shell::many(3);
    shell.world.add_account("123412341234");
    bucket(&shell.world, owner, "acme-audit");
    shell.edit("organization.yaml", "  roles:", "  audit: s3://acme-audit/runs/of/baseline\n  roles:");
    shell
}

#[test]
fn records_may_lie_in_a_bucket() {
    let shell = in_a_bucket(MANAGEMENT);
    shell.run("apply --auto-approve").exits(0).says("s3://acme-audit/runs/of/baseline/runs/");
    let keys: Vec<String> =
        shell.world.bucket("acme-audit", |b| b.objects.keys().cloned().collect()).expect("there");
    assert!(keys.contains(&"runs/of/baseline/organization.json".to_owned()), "{keys:?}");
    assert!(keys.contains(&"runs/of/baseline/accounts/100000000000.json".to_owned()), "{keys:?}");
    assert_eq!(keys.iter().filter(|key| key.ends_with("/intent.json")).count(), 1);
    assert_eq!(keys.iter().filter(|key| key.contains("/before/")).count(), 2);
    // And again: records are replaced, not written twice.
    shell.world.region("100000000000", "eu-west-1", |region| region.guardduty.switch(false));
    shell.run("apply --auto-approve").exits(0);
}

#[test]
fn a_strangers_bucket_gets_nothing() {
    let shell = in_a_bucket("123412341234");
    shell.world.bucket("acme-audit", |bucket| {
        let anyone = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"s3:*","Resource":["arn:aws:s3:::acme-audit","arn:aws:s3:::acme-audit/*"]}]}"#;
        bucket.policy = Some(anyone.into());
    });
    shell.run("apply --auto-approve").exits(1).says("belongs to none of this organisation's seats");
    assert!(shell.world.writes().is_empty());
    assert_eq!(shell.world.bucket("acme-audit", |bucket| bucket.objects.len()), Some(0));
}

#[test]
fn a_bucket_that_is_not_there_is_said() {
    let shell = in_a_bucket(MANAGEMENT);
    shell.edit("organization.yaml", "acme-audit", "acme-audits");
    let ran = shell.run("apply --auto-approve").exits(1).says("acme-audits");
    assert!(shell.world.writes().is_empty(), "{}", ran.said());
}

#[test]
fn a_lost_reply_is_not_somebody_elses_record() {
    let shell = in_a_bucket(MANAGEMENT);
    shell.world.set_weather(
        Weather::fair().with(Front::new(Trouble::ReplyLost).on("s3:PutObject").first_attempts(1)),
    );
    shell.run("apply --auto-approve").exits(0);
}

#[test]
fn a_bucket_that_does_not_answer_stops_everything() {
    let shell = in_a_bucket(MANAGEMENT);
    shell.world.set_weather(Weather::fair().with(Front::new(Trouble::ServerError).on("s3:PutObject")));
    shell.run("apply --auto-approve").exits(1);
    assert!(shell.world.writes().is_empty());
}
