//! AWS Config's recorder and its delivery, and Security Hub with its standards, in one region.

use std::collections::BTreeSet;

use aws_sdk_config::types::{MaximumExecutionFrequency, RecordingFrequency};
use baseline::sandbox::RegionState;
use baseline::sandbox::config::{Channel, Config, Recorder, Recording};
use baseline::sandbox::securityhub::SecurityHub;
use jiff::Timestamp;

use crate::in_use::{key_arn, notices, topic_arn};
use crate::sample::{BUCKET, HOME};

/// AWS Config's service-linked role and its path.
pub const ROLE: &str = "AWSServiceRoleForConfig";
pub const ROLE_PATH: &str = "/aws-service-role/config.amazonaws.com/";

/// IAM's types are recorded in the home region only.
const OF_IAM: [&str; 4] = ["AWS::IAM::Group", "AWS::IAM::Policy", "AWS::IAM::Role", "AWS::IAM::User"];

/// The standards of the example of `securityhub.standards` that are on.
const STANDARDS: [&str; 2] =
    ["aws-foundational-security-best-practices/v/1.0.0", "cis-aws-foundations-benchmark/v/1.4.0"];

pub fn region(region: &mut RegionState, name: &str, account: &str, since: Timestamp) {
    region.config = config(name, account, since);
    // A hub that follows new controls and makes one finding for all standards is what AWS makes.
    region.securityhub = SecurityHub::enabled(since);
    for standard in STANDARDS {
        let arn = format!("arn:aws:securityhub:{name}::standards/{standard}");
        region.securityhub.turn_on(&arn, name, account, since);
    }
}

fn config(region: &str, account: &str, since: Timestamp) -> Config {
    let mut recorder = Recorder::new("default", &format!("arn:aws:iam::{account}:role{ROLE_PATH}{ROLE}"));
    let elsewhere = OF_IAM.into_iter().filter(|_| region != HOME);
    let except = elsewhere.chain(["AWS::Config::ResourceCompliance"]).map(str::to_owned).collect();
    recorder.records = Recording::Except(except);
    let daily = BTreeSet::from(["AWS::EC2::NetworkInterface".to_owned()]);
    recorder.overrides = Some((daily, RecordingFrequency::Daily));
    recorder.started = Some(since);
    let channel = Channel {
        name: "default".to_owned(),
        bucket: BUCKET.to_owned(),
        key_arn: Some(key_arn()),
        topic_arn: Some(topic_arn(region, account, notices::CHANGES)),
        snapshots: Some(MaximumExecutionFrequency::TwentyFourHours),
        ..Channel::default()
    };
    Config { recorder: Some(recorder), channel: Some(channel), retention: Some(2557), ..Config::default() }
}
