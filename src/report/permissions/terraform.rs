//! The roles of one account in Terraform's language.

use std::fmt::Write as _;

use serde_json::Value;

use super::{Permissions, Role, SESSION, in_order, logical_id, purpose};
use crate::permissions::Policy;
use crate::place::{AccountId, Seat};

const HEAD: &str = "\
# Made by `baseline generate permissions --format terraform`; make it again rather than edit it.
#
# The roles of one account. Use it as a module, once for each account, each with a provider of its own.

terraform {
  required_version = \">= 1.3\"
  required_providers {
    aws = {
      source  = \"hashicorp/aws\"
      version = \">= 5.0\"
    }
  }
}

data \"aws_caller_identity\" \"current\" {}

data \"aws_partition\" \"current\" {}
";

/// Both roles take the same trust.
const TRUST: &str = "
data \"aws_iam_policy_document\" \"trust\" {
  statement {
    actions = [\"sts:AssumeRole\"]
    principals {
      type        = \"AWS\"
      identifiers = [var.trusted_principal]
    }
    dynamic \"condition\" {
      for_each = var.external_id == null ? [] : [var.external_id]
      content {
        test     = \"StringEquals\"
        variable = \"sts:ExternalId\"
        values   = [condition.value]
      }
    }
  }
}
";

/// Everything in one file.
pub fn terraform(permissions: &Permissions) -> String {
    let mut out = HEAD.to_owned();
    let principal = permissions.principal.as_deref();
    variable(&mut out, "trusted_principal", "ARN of the role or user that runs baseline", principal, true);
    let id = permissions.external_id.as_deref();
    variable(&mut out, "external_id", "What AssumeRole has to say; null where it need not", id, false);
    for seat in permissions.seats() {
        let what = format!(
            "The {seat} account: what only it needs is allowed there, or everywhere where it is null"
        );
        let account = permissions.seats.get(&seat).map(AccountId::as_str);
        variable(&mut out, account_of(seat), &what, account, false);
    }
    out.push_str(TRUST);
    for role in &permissions.roles {
        write_role(&mut out, role);
    }
    out
}

fn variable(out: &mut String, name: &str, what: &str, default: Option<&str>, required: bool) {
    let _ =
        write!(out, "\nvariable \"{name}\" {{\n  type        = string\n  description = {}\n", quoted(what));
    match default {
        Some(default) => {
            let _ = writeln!(out, "  default     = {}", quoted(default));
        }
        None if !required => out.push_str("  default     = null\n"),
        None => {}
    }
    out.push_str("}\n");
}

/// The variable with a seat's account.
fn account_of(seat: Seat) -> &'static str {
    match seat {
        Seat::Management => "management_account",
        Seat::LogArchive => "log_archive_account",
        Seat::Security => "security_account",
    }
}

fn write_role(out: &mut String, role: &Role) {
    let duty = role.duty.word();
    let (name, path, purpose) = (quoted(&role.name), quoted(&role.path), quoted(purpose(role.duty)));
    let _ = write!(
        out,
        "
resource \"aws_iam_role\" \"{duty}\" {{
  name                 = {name}
  path                 = {path}
  description          = {purpose}
  max_session_duration = {SESSION}
  assume_role_policy   = data.aws_iam_policy_document.trust.json
}}
"
    );
    for policy in &role.policies {
        write_policy(out, role, policy);
    }
    let _ = write!(out, "\noutput \"{duty}_role_arn\" {{\n  value = aws_iam_role.{duty}.arn\n}}\n");
}

fn write_policy(out: &mut String, role: &Role, policy: &Policy) {
    let duty = role.duty.word();
    let name = snake(&logical_id(role, policy));
    let count = policy.seat.map_or_else(String::new, |seat| {
        let wanted = format!("var.{}", account_of(seat));
        let here = "data.aws_caller_identity.current.account_id";
        format!("  count = {wanted} == null ? 1 : {here} == {wanted} ? 1 : 0\n\n")
    });
    let each = if policy.seat.is_some() { "[count.index]" } else { "" };
    let title = quoted(&policy.name);
    let mut document = String::new();
    write_value(&policy.template(), 2, &mut document);
    let _ = write!(
        out,
        "
resource \"aws_iam_policy\" \"{name}\" {{
{count}  name = {title}
  policy = jsonencode({document})
}}

resource \"aws_iam_role_policy_attachment\" \"{name}\" {{
{count}  role       = aws_iam_role.{duty}.name
  policy_arn = aws_iam_policy.{name}{each}.arn
}}
"
    );
}

/// `ApplyPolicyManagement` as `apply_management`.
fn snake(id: &str) -> String {
    let mut out = String::new();
    for c in id.replacen("Policy", "", 1).chars() {
        if (c.is_ascii_uppercase() || c.is_ascii_digit()) && !out.is_empty() {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

/// An expression of Terraform's language.
fn write_value(value: &Value, indent: usize, out: &mut String) {
    let pad = " ".repeat(indent);
    match value {
        Value::Object(map) => {
            out.push_str("{\n");
            for (key, value) in in_order(map) {
                let _ = write!(out, "{pad}  {} = ", quoted(key));
                write_value(value, indent + 2, out);
                out.push('\n');
            }
            let _ = write!(out, "{pad}}}");
        }
        Value::Array(items) => {
            out.push_str("[\n");
            for item in items {
                let _ = write!(out, "{pad}  ");
                write_value(item, indent + 2, out);
                out.push_str(",\n");
            }
            let _ = write!(out, "{pad}]");
        }
        Value::String(text) => out.push_str(
            &quoted(text)
                .replace("{partition}", "${data.aws_partition.current.partition}")
                .replace("{account}", "${data.aws_caller_identity.current.account_id}"),
        ),
        other => {
            let _ = write!(out, "{other}");
        }
    }
}

/// A quoted template that stands for itself: Terraform reads the escapes of JSON, and what would begin an
/// interpolation is doubled.
fn quoted(text: &str) -> String {
    Value::from(text).to_string().replace("${", "$${").replace("%{", "%%{")
}
