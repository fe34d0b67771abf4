//! What sends events to a controller, as CloudFormation: the queues, and the rules of EventBridge in each account.

use serde_json::{Value, json};

use crate::control::ErasedControl;
use crate::controls::events_hints::rules::{self as made, ROLE, ROLE_DESCRIPTION, Sender, TARGET};

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
                            "ArnLike": {"aws:PrincipalArn": format!("arn:*:iam::*:role/{ROLE}")},
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
    let role = json!({"Fn::Sub": format!("arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:role/{ROLE}")});
    let target = || json!([{"Id": TARGET, "Arn": at_home("HintsArn", bus.clone()), "RoleArn": role.clone()}]);
    // Made once in an account; the other regions' stacks come after that of the home region.
    let policy = |statements: Vec<Value>| json!({"Version": "2012-10-17", "Statement": statements});
    let allows = made::allows(json!({"Ref": "HintsArn"}), bus.clone());
    resources.insert(
        "Role".into(),
        json!({
            "Type": "AWS::IAM::Role",
            "Condition": "IsHome",
            "Properties": {
                "RoleName": ROLE,
                "Description": ROLE_DESCRIPTION,
                "AssumeRolePolicyDocument": policy(vec![made::trust(json!({"Ref": "AWS::AccountId"}))]),
                "Policies": [{"PolicyName": ROLE, "PolicyDocument": policy(allows)}],
            },
        }),
    );
    let rule = |sender: Sender, sends: (&str, Value)| {
        let (how, what) = sends;
        json!({"Type": "AWS::Events::Rule", "Properties": {
            "Name": sender.rule(),
            "Description": sender.description(),
            "State": "ENABLED",
            how: what,
            "Targets": target(),
        }})
    };
    for (number, writes) in (1..).zip(made::writes(controls)) {
        let made = rule(Sender::Writes(number), ("EventPattern", writes.pattern()));
        resources.insert(format!("Writes{number}"), made);
    }
    let schedule = ("ScheduleExpression", made::schedule().into());
    resources.insert("Heartbeat".into(), rule(Sender::Heartbeat, schedule));
    let heartbeats = ("EventPattern", made::heartbeats(json!({"Ref": "AWS::Region"})));
    let mut forwarded = rule(Sender::Heartbeats, heartbeats);
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
