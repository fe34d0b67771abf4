//! A CloudFormation template of the roles, for a StackSet with service-managed permissions or for one account.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::{Permissions, Role, SESSION, capital, in_order, logical_id, purpose};
use crate::permissions::Policy;
use crate::place::{AccountId, Seat};

/// What stands above the template.
const HEAD: &str = "\
# Made by `baseline generate permissions --format cloudformation`; make it again rather than edit it.
#
# In every account of an organisation, with a StackSet (one region: IAM is global):
#
#   aws cloudformation create-stack-set --stack-set-name baseline-roles \\
#     --template-body file://roles.yaml --capabilities CAPABILITY_NAMED_IAM \\
#     --permission-model SERVICE_MANAGED \\
#     --auto-deployment Enabled=true,RetainStacksOnAccountRemoval=false \\
#     --parameters ParameterKey=TrustedPrincipal,ParameterValue=ARN
#   aws cloudformation create-stack-instances --stack-set-name baseline-roles \\
#     --deployment-targets OrganizationalUnitIds=ROOT_ID --regions us-east-1
#
# A StackSet with service-managed permissions does not deploy to the management account, even where that is in the
# organisational unit. There, and where there is no organisation, make a stack of the same template:
#
#   aws cloudformation deploy --stack-name baseline-roles --template-file roles.yaml \\
#     --capabilities CAPABILITY_NAMED_IAM --parameter-overrides TrustedPrincipal=ARN

AWSTemplateFormatVersion: \"2010-09-09\"
Description: The roles of baseline
";

/// The template, in YAML.
pub fn cloudformation(permissions: &Permissions) -> String {
    let mut out = HEAD.to_owned();
    for (name, value) in [
        ("Parameters", parameters(permissions)),
        ("Conditions", conditions(permissions)),
        ("Resources", resources(permissions)),
        ("Outputs", outputs(permissions)),
    ] {
        let _ = write!(out, "\n{name}:\n");
        write_value(&value, 2, &mut out);
    }
    out
}

fn parameters(permissions: &Permissions) -> Value {
    let mut trusted = json!({
        "Type": "String",
        "Description": "ARN of the role or user that runs baseline",
        "AllowedPattern": "^arn:[a-z-]+:iam::[0-9]{12}:(root|(role|user)/[\\w+=,.@/-]+)$",
    });
    if let Some(principal) = &permissions.principal {
        trusted["Default"] = json!(principal);
    }
    let mut all = json!({
        "TrustedPrincipal": trusted,
        "ExternalId": {
            "Type": "String",
            "Description": "What AssumeRole has to say. Nothing where it need not",
            "Default": permissions.external_id.as_deref().unwrap_or_default(),
            "AllowedPattern": "^([\\w+=,.@:/-]{2,1224})?$",
        },
    });
    for seat in permissions.seats() {
        let account = permissions.seats.get(&seat);
        all[parameter(seat)] = json!({
            "Type": "String",
            "Description": format!(
                "The {seat} account. What only it needs is allowed there, or everywhere without an id"
            ),
            "Default": account.map(AccountId::as_str).unwrap_or_default(),
            "AllowedPattern": "^([0-9]{12})?$",
        });
    }
    all
}

fn parameter(seat: Seat) -> String {
    format!("{}Account", capital(&seat.to_string()))
}

fn condition(seat: Seat) -> String {
    format!("In{}", capital(&seat.to_string()))
}

fn conditions(permissions: &Permissions) -> Value {
    let unsaid = |name: &str| tag("!Equals", json!([reference(name), ""]));
    let mut all = json!({ "HasExternalId": tag("!Not", json!([unsaid("ExternalId")])) });
    for seat in permissions.seats() {
        let name = parameter(seat);
        let here = tag("!Equals", json!([reference("AWS::AccountId"), reference(&name)]));
        all[condition(seat)] = tag("!Or", json!([unsaid(&name), here]));
    }
    all
}

fn role_id(role: &Role) -> String {
    format!("{}Role", capital(role.duty.word()))
}

fn resources(permissions: &Permissions) -> Value {
    let mut all = Map::new();
    for role in &permissions.roles {
        all.insert(role_id(role), resource_of(role));
        for policy in &role.policies {
            all.insert(logical_id(role, policy), policy_of(role, policy));
        }
    }
    Value::Object(all)
}

fn resource_of(role: &Role) -> Value {
    let said = json!({ "StringEquals": { "sts:ExternalId": reference("ExternalId") } });
    let condition = tag("!If", json!(["HasExternalId", said, reference("AWS::NoValue")]));
    json!({
        "Type": "AWS::IAM::Role",
        "Properties": {
            "RoleName": role.name,
            "Path": role.path,
            "Description": purpose(role.duty),
            "MaxSessionDuration": SESSION,
            "AssumeRolePolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [{
                    "Effect": "Allow",
                    "Principal": { "AWS": reference("TrustedPrincipal") },
                    "Action": "sts:AssumeRole",
                    "Condition": condition,
                }],
            },
        },
    })
}

fn policy_of(role: &Role, policy: &Policy) -> Value {
    let mut resource = json!({
        "Type": "AWS::IAM::ManagedPolicy",
        "Properties": {
            "ManagedPolicyName": policy.name,
            "Roles": [reference(&role_id(role))],
            "PolicyDocument": substituted(&policy.template()),
        },
    });
    if let Some(seat) = policy.seat {
        resource["Condition"] = json!(condition(seat));
    }
    resource
}

fn outputs(permissions: &Permissions) -> Value {
    let arn = |role: &Role| {
        let id = role_id(role);
        (format!("{id}Arn"), json!({ "Value": tag("!GetAtt", json!(format!("{id}.Arn"))) }))
    };
    Value::Object(permissions.roles.iter().map(arn).collect())
}

/// An intrinsic function in its short form. No document of ours has such a key.
fn tag(function: &str, value: Value) -> Value {
    json!({ function: value })
}

fn reference(name: &str) -> Value {
    tag("!Ref", json!(name))
}

/// `{partition}` and `{account}` as CloudFormation's pseudo parameters.
fn substituted(document: &Value) -> Value {
    match document {
        Value::String(text) if text.contains("{partition}") || text.contains("{account}") => {
            let text = text.replace("{partition}", "${AWS::Partition}");
            tag("!Sub", json!(text.replace("{account}", "${AWS::AccountId}")))
        }
        Value::Array(items) => items.iter().map(substituted).collect(),
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), substituted(value))).collect(),
        other => other.clone(),
    }
}

/// Block style, as people write templates.
fn write_value(value: &Value, indent: usize, out: &mut String) {
    let pad = " ".repeat(indent);
    match value {
        Value::Object(map) => {
            for (key, value) in in_order(map) {
                let _ = write!(out, "{pad}{}:", scalar(key));
                write_after(value, indent, out);
            }
        }
        Value::Array(items) => {
            for item in items {
                match item {
                    // The first field stands beside the dash.
                    Value::Object(map) if function(item).is_none() && !map.is_empty() => {
                        let mut inner = String::new();
                        write_value(item, indent + 2, &mut inner);
                        let _ = write!(out, "{pad}- {}", inner.trim_start());
                    }
                    _ => {
                        let _ = write!(out, "{pad}-");
                        write_after(item, indent, out);
                    }
                }
            }
        }
        one => {
            let _ = writeln!(out, "{pad}{}", text(one));
        }
    }
}

/// What stands behind a key or a dash: in the same line where it is one word, else below.
fn write_after(value: &Value, indent: usize, out: &mut String) {
    if let Some((name, value)) = function(value) {
        let _ = write!(out, " {name}");
        return write_after(value, indent, out);
    }
    match value {
        Value::Object(map) if map.is_empty() => out.push_str(" {}\n"),
        Value::Array(items) if items.is_empty() => out.push_str(" []\n"),
        Value::Object(_) | Value::Array(_) => {
            out.push('\n');
            write_value(value, indent + 2, out);
        }
        one => {
            let _ = writeln!(out, " {}", text(one));
        }
    }
}

/// An intrinsic function and what it takes.
fn function(value: &Value) -> Option<(&String, &Value)> {
    let map = value.as_object().filter(|map| map.len() == 1)?;
    map.iter().next().filter(|(key, _)| key.starts_with('!'))
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => scalar(text),
        other => other.to_string(),
    }
}

/// Plain where no reader of YAML could take it for anything else, else quoted as JSON, which YAML reads alike.
fn scalar(text: &str) -> String {
    const OTHERWISE: [&str; 9] = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"];
    let plain = |c: char| c.is_ascii_alphanumeric() || "_:./- ".contains(c);
    let safe = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && text.chars().all(plain)
        && !text.contains(": ")
        && !text.ends_with([':', ' '])
        && !OTHERWISE.contains(&text.to_ascii_lowercase().as_str());
    if safe { text.to_owned() } else { Value::from(text).to_string() }
}
