//! What sends events to a controller, as CloudFormation: the queues, and the rules of EventBridge in each account.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::aws::history::event_source;
use crate::control::ErasedControl;
use crate::who;

/// The longest pattern of a rule (EventBridge quotas: 4096 characters), with room for what stands around the names.
const LONGEST_PATTERN: usize = 3_500;

/// Patterns that together match every write that some control may have to know of, each short enough for one rule. The
/// global services' events are in the partition's global region alone; a rule elsewhere that names them matches nothing.
pub fn patterns(controls: &[&'static dyn ErasedControl]) -> Vec<Value> {
    let mut names: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for event in controls.iter().flat_map(|control| who::events(control.meta())) {
        let Some((service, name)) = event.split_once(':') else { continue };
        let source = format!("{}.amazonaws.com", event_source(service));
        names.entry(source).or_default().insert(name.to_owned());
    }
    let mut patterns: Vec<(BTreeSet<String>, BTreeSet<String>)> = Vec::new();
    for (source, names) in names {
        // Sources and names are matched apart, so a rule also lets through another service's operation of such a name:
        // the controller looks again.
        let fits = |(sources, all): &(BTreeSet<String>, BTreeSet<String>)| {
            let both = all.union(&names).cloned().collect();
            let with = sources.iter().chain([&source]).cloned().collect();
            pattern(&with, &both).to_string().len() <= LONGEST_PATTERN
        };
        match patterns.last_mut().filter(|last| fits(last)) {
            Some((sources, all)) => {
                sources.insert(source);
                all.extend(names);
            }
            None => patterns.push(([source].into(), names)),
        }
    }
    patterns.iter().map(|(sources, names)| pattern(sources, names)).collect()
}

/// EventBridge User Guide, "AWS service events delivered via CloudTrail".
fn pattern(sources: &BTreeSet<String>, names: &BTreeSet<String>) -> Value {
    json!({
        "detail-type": ["AWS API Call via CloudTrail"],
        "detail": {"eventSource": sources, "eventName": names},
    })
}

/// The queues of a controller, for the account and region that it runs in.
pub fn queues() -> Value {
    let dead = |name: &str| json!({"Fn::GetAtt": [name, "Arn"]});
    let redrive = |name: &str| json!({"deadLetterTargetArn": dead(name), "maxReceiveCount": 20});
    let queue = |properties: Value| json!({"Type": "AWS::SQS::Queue", "Properties": properties});
    json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "baseline: the queue that replicas share, and the one that hints come to",
        "Parameters": {
            "OrganizationId": {"Type": "String", "AllowedPattern": "o-[a-z0-9]{10,32}", "Description": "Whose accounts may send hints"},
        },
        "Resources": {
            "WorkDead": queue(json!({"QueueName": "baseline-dead.fifo", "FifoQueue": true, "SqsManagedSseEnabled": true, "MessageRetentionPeriod": 1_209_600})),
            "Work": queue(json!({"QueueName": "baseline.fifo", "FifoQueue": true, "SqsManagedSseEnabled": true, "MessageRetentionPeriod": 86_400, "RedrivePolicy": redrive("WorkDead")})),
            "HintsDead": queue(json!({"QueueName": "baseline-hints-dead", "SqsManagedSseEnabled": true, "MessageRetentionPeriod": 1_209_600})),
            "Hints": queue(json!({"QueueName": "baseline-hints", "SqsManagedSseEnabled": true, "MessageRetentionPeriod": 86_400, "RedrivePolicy": redrive("HintsDead")})),
            "HintsPolicy": {"Type": "AWS::SQS::QueuePolicy", "Properties": {
                "Queues": [{"Ref": "Hints"}],
                "PolicyDocument": {"Version": "2012-10-17", "Statement": [
                    {
                        "Sid": "RulesOfTheOrganization",
                        "Effect": "Allow",
                        "Principal": {"AWS": "*"},
                        "Action": "sqs:SendMessage",
                        "Resource": {"Fn::GetAtt": ["Hints", "Arn"]},
                        "Condition": {
                            "StringEquals": {"aws:PrincipalOrgID": {"Ref": "OrganizationId"}},
                            "ArnLike": {"aws:PrincipalArn": "arn:*:iam::*:role/baseline-hints"},
                        },
                    },
                ]},
            }},
        },
        "Outputs": {
            "QueueUrl": {"Value": {"Ref": "Work"}, "Description": "baseline run --queue"},
            "HintsUrl": {"Value": {"Ref": "Hints"}, "Description": "baseline run --hints"},
            "HintsArn": {"Value": {"Fn::GetAtt": ["Hints", "Arn"]}, "Description": "the parameter of the stack set"},
        },
    })
}

/// The rules of an account, for a stack set over all accounts and managed regions. In another region than the queue's,
/// events go to the account's own default bus there, whose rules send them on; `home` is the queue's region.
pub fn rules(controls: &[&'static dyn ErasedControl]) -> Value {
    let mut resources = serde_json::Map::new();
    let at_home = |yes: &str, no: Value| json!({"Fn::If": ["IsHome", {"Ref": yes}, no]});
    let bus =
        json!({"Fn::Sub": "arn:${AWS::Partition}:events:${HomeRegion}:${AWS::AccountId}:event-bus/default"});
    let role = json!({"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/baseline-hints"});
    let target =
        || json!([{"Id": "baseline", "Arn": at_home("HintsArn", bus.clone()), "RoleArn": role.clone()}]);
    // Made once in an account; the other regions' stacks come after that of the home region.
    resources.insert("Role".into(), json!({
        "Type": "AWS::IAM::Role",
        "Condition": "IsHome",
        "Properties": {
            "RoleName": "baseline-hints",
            "Description": "EventBridge sends hints to baseline's queue with it",
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [{
                "Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}},
            }]},
            "Policies": [{"PolicyName": "baseline-hints", "PolicyDocument": {"Version": "2012-10-17", "Statement": [
                {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": {"Ref": "HintsArn"}},
                {"Effect": "Allow", "Action": "events:PutEvents", "Resource": bus},
            ]}}],
        },
    }));
    let rule = |name: &str, more: Value| {
        let mut properties = json!({"Name": name, "State": "ENABLED", "Targets": target()});
        if let (Some(all), Value::Object(more)) = (properties.as_object_mut(), more) {
            all.extend(more);
        }
        json!({"Type": "AWS::Events::Rule", "Properties": properties})
    };
    for (number, pattern) in patterns(controls).into_iter().enumerate() {
        let number = number + 1;
        let made = rule(
            &format!("baseline-hints-{number}"),
            json!({
                "Description": "Writes that baseline may have to put right", "EventPattern": pattern,
            }),
        );
        resources.insert(format!("Writes{number}"), made);
    }
    // A rule with a schedule sends its own event; in another region than home it arrives there as an event, and a rule
    // there sends it on.
    resources.insert("Heartbeat".into(), rule("baseline-hints-heartbeat", json!({
        "Description": "That hints arrive: while they do, baseline looks less often", "ScheduleExpression": "rate(15 minutes)",
    })));
    let mut forwarded = rule(
        "baseline-hints-heartbeats",
        json!({
            "Description": "Heartbeats of the other regions",
            "EventPattern": {
                "source": ["aws.events"],
                "detail-type": ["Scheduled Event"],
                "resources": [{"suffix": ":rule/baseline-hints-heartbeat"}],
                "region": [{"anything-but": {"Ref": "AWS::Region"}}],
            },
        }),
    );
    forwarded["Condition"] = json!("IsHome");
    resources.insert("Heartbeats".into(), forwarded);
    json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "baseline: hints from this account and region",
        "Parameters": {
            "HintsArn": {"Type": "String", "AllowedPattern": "arn:[a-z-]+:sqs:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+", "Description": "The queue that hints go to"},
            "HomeRegion": {"Type": "String", "Description": "The region of that queue"},
        },
        "Conditions": {"IsHome": {"Fn::Equals": [{"Ref": "AWS::Region"}, {"Ref": "HomeRegion"}]}},
        "Resources": resources,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::CONTROLS;

    #[test]
    fn patterns_are_short_and_name_every_write_that_matters_once() {
        let patterns = patterns(CONTROLS);
        let mut found = BTreeSet::new();
        for pattern in &patterns {
            assert!(pattern.to_string().len() <= LONGEST_PATTERN, "{pattern}");
            for name in pattern["detail"]["eventName"].as_array().expect("a list") {
                found.insert(name.as_str().expect("a name").to_owned());
            }
        }
        let all = CONTROLS.iter().flat_map(|control| who::events(control.meta()));
        let all: BTreeSet<String> =
            all.map(|event| event.split_once(':').expect("service:Name").1.to_owned()).collect();
        assert_eq!(found, all);
        assert!(patterns.len() <= 6, "{} rules in each region", patterns.len());
    }
}
