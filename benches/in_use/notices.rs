//! Topics, and the rules that send findings to one of them.

use std::collections::BTreeMap;

use anyhow::Context as _;
use aws_sdk_eventbridge::types::{RuleState, Target};
use baseline::sandbox::events::Rule;
use baseline::sandbox::sns::{Subscription, Topic};
use baseline::sandbox::{Account, RegionState};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::in_use::{alarms, policy, role, topic_arn};
use crate::sample::{HOME, KEY, ORGANIZATION};

/// The topic of every region, which the example of `config.recorder` names.
pub const CHANGES: &str = "config-changes";
/// The topic of the home region, which the examples of `sns.topics` and `events.finding-rules` name.
pub const ALERTS: &str = "baseline-alerts";
/// One of the two rules of every region.
pub const HUB_RULE: &str = "baseline-securityhub-findings";
const DUTY_RULE: &str = "baseline-guardduty-findings";
const ROLE: &str = "baseline-events-forwarding";

/// What every region has: a topic of its own, and rules that send to the home region.
pub fn region(region: &mut RegionState, name: &str, account: &str) -> anyhow::Result<()> {
    let changes = Topic::with_defaults(&topic_arn(name, account, CHANGES), account);
    region.sns.topics.insert(CHANGES.to_owned(), changes);
    let to = Target::builder().id("baseline");
    let to = if name == HOME {
        to.arn(topic_arn(HOME, account, ALERTS))
    } else {
        to.arn(bus(account)).role_arn(format!("arn:aws:iam::{account}:role/{ROLE}"))
    };
    let to = to.build()?;
    for (name, pattern) in [(HUB_RULE, of_security_hub()), (DUTY_RULE, of_guard_duty())] {
        let rule = Rule {
            pattern: Some(pattern.to_string()),
            schedule: None,
            state: RuleState::Enabled,
            description: None,
            role: None,
            managed_by: None,
            tags: BTreeMap::new(),
            targets: vec![to.clone()],
        };
        region.events.rules.insert(name.to_owned(), rule);
    }
    Ok(())
}

/// What the account has once: the topics of its home region, and the role that sends there.
pub fn account(account: &mut Account, since: Timestamp) -> anyhow::Result<()> {
    let id = account.id.clone();
    let topics = &mut account.region(HOME).sns.topics;
    topics.insert(ALERTS.to_owned(), alerts(&id, since)?);
    let alarms = Topic::with_defaults(&topic_arn(HOME, &id, alarms::TOPIC), &id);
    topics.insert(alarms::TOPIC.to_owned(), alarms);
    let trust = json!({"Sid": "BaselineEvents", "Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"Service": "events.amazonaws.com"}});
    let sends = json!({"Sid": "BaselineForwarding", "Effect": "Allow", "Action": "events:PutEvents",
        "Resource": bus(&id)});
    role(account, ROLE, "/", &trust)?;
    account.iam.inline.insert(ROLE.to_owned(), BTreeMap::from([(ROLE.to_owned(), policy(&[sends]))]));
    Ok(())
}

fn bus(account: &str) -> String {
    format!("arn:aws:events:{HOME}:{account}:event-bus/default")
}

/// The topic of the example of `sns.topics`: its key, its policy, its two subscribers and its tag.
fn alerts(account: &str, since: Timestamp) -> anyhow::Result<Topic> {
    let arn = topic_arn(HOME, account, ALERTS);
    let plain = Topic::with_defaults(&arn, account);
    let mut policy: Value = serde_json::from_str(&plain.policy)?;
    let statements = policy["Statement"].as_array_mut().context("the policy of a topic has no statements")?;
    statements.push(json!({
        "Sid": "BaselineTlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sns:Publish",
        "Resource": arn,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }));
    for (sid, service) in [
        ("BaselineBudgets", "budgets"),
        ("BaselineCloudwatch", "cloudwatch"),
        ("BaselineConfig", "config"),
        ("BaselineEvents", "events"),
    ] {
        let mut statement = json!({
            "Sid": sid,
            "Effect": "Allow",
            "Principal": {"Service": format!("{service}.amazonaws.com")},
            "Action": "sns:Publish",
            "Resource": arn,
        });
        // EventBridge does not say for whom it publishes, and a condition would lose all that it sends.
        if service != "events" {
            statement["Condition"] = json!({"StringEquals": {"aws:SourceOrgID": ORGANIZATION}});
        }
        statements.push(statement);
    }
    let subscription = |id: &str, protocol: &str, endpoint: String| Subscription {
        id: id.to_owned(),
        protocol: protocol.to_owned(),
        endpoint,
        confirmed: true,
        made: since,
    };
    let queue = format!("arn:aws:sqs:{HOME}:{account}:security-alerts");
    Ok(Topic {
        display_name: "Security alerts".to_owned(),
        key: KEY.to_owned(),
        policy: policy.to_string(),
        tags: BTreeMap::from([("data".to_owned(), "internal".to_owned())]),
        subscriptions: vec![
            subscription("0c9d7b1e-1f0a-4b6e-9a64-6d1c5f3b7a01", "email", "security@acme.example".to_owned()),
            subscription("0c9d7b1e-1f0a-4b6e-9a64-6d1c5f3b7a02", "sqs", queue),
        ],
        published: Vec::new(),
    })
}

fn of_security_hub() -> Value {
    json!({
        "source": ["aws.securityhub"],
        "detail-type": ["Security Hub Findings - Imported"],
        "detail": {"findings": {
            "Compliance": {"Status": ["FAILED"]},
            "RecordState": ["ACTIVE"],
            "Severity": {"Label": ["CRITICAL", "HIGH"]},
            "Workflow": {"Status": ["NEW", "NOTIFIED"]},
        }},
    })
}

fn of_guard_duty() -> Value {
    json!({
        "source": ["aws.guardduty"],
        "detail-type": ["GuardDuty Finding"],
        "detail": {"severity": [{"numeric": [">=", 7]}]},
    })
}
